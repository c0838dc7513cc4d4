# SPDX-License-Identifier: Apache-2.0
# Tests of tests/datapath/.
include %D%/classify.mk
include %D%/ports.mk
include %D%/worker.mk
include %D%/meter.mk
include %D%/tunnel.mk
include %D%/group.mk
include %D%/differential.mk
