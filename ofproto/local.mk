# Sources of ofproto/.
include %D%/protocol/local.mk
