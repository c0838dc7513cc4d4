# Tests of tests/fuzz/.
# fuzz_<parser>.c holds the target; with replay_main.c it replays its corpus
# in `make check`.  To fuzz: clang -fsanitize=fuzzer,address,undefined with the
# target and the sources that its LDADD names.
include %D%/extract.mk
include %D%/ofagent.mk
include %D%/commands.mk
include %D%/flow_text.mk
include %D%/group_text.mk
include %D%/meter_text.mk
include %D%/ofmsg.mk
include %D%/decap.mk
include %D%/vnet.mk
include %D%/rpc.mk
