# Check suites mirror the tree: tests/<folder>/local.mk names them.
include %D%/support/local.mk
include %D%/base/local.mk
include %D%/tunnels/local.mk
include %D%/datapath/local.mk
include %D%/ofproto/local.mk
include %D%/controller_client/local.mk
include %D%/utils/local.mk
include %D%/system/local.mk
include %D%/conformance/local.mk
include %D%/fuzz/local.mk
include %D%/bench/local.mk
include %D%/checks/local.mk
