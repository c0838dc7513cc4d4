# The hook by which foreign OpenFlow suites start and stop Weft.
EXTRA_DIST += %D%/target-weft.sh
