# Tests of tests/datapath/.
include %D%/classify.mk
