# Tests of tests/ofproto/.
include %D%/agent.mk
include %D%/text.mk
include %D%/bindings.mk
include %D%/groups.mk
include %D%/meters.mk
EXTRA_DIST += %D%/sizes-1.0.txt %D%/sizes-1.3.txt %D%/sizes-1.4.txt \
	%D%/sizes-1.5.txt
EXTRA_DIST += %D%/vectors
