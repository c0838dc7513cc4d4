# Tests of tests/ofproto/.
EXTRA_DIST += %D%/sizes-1.0.txt %D%/sizes-1.3.txt
