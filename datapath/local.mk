# Sources of datapath/.
include %D%/tunnel.mk
