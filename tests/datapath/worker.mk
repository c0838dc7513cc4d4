# Suites of datapath/worker.mk.
noinst_HEADERS += tests/support/pktbuild.h %D%/bed.h
BED_SOURCES = %D%/bed.c tests/support/pktbuild.c

check_PROGRAMS += tests/datapath/test_dp
TESTS += tests/datapath/test_dp
tests_datapath_test_dp_SOURCES = %D%/test_dp.c $(BED_SOURCES)
tests_datapath_test_dp_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_dp_LDADD = $(DP_LIBS) $(CHECK_LIBS)


check_PROGRAMS += tests/datapath/test_dp_ops
TESTS += tests/datapath/test_dp_ops
tests_datapath_test_dp_ops_SOURCES = %D%/test_dp_ops.c $(BED_SOURCES)
tests_datapath_test_dp_ops_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_dp_ops_LDADD = $(DP_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/datapath/test_dp_tunnel
TESTS += tests/datapath/test_dp_tunnel
tests_datapath_test_dp_tunnel_SOURCES = %D%/test_dp_tunnel.c $(BED_SOURCES)
tests_datapath_test_dp_tunnel_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_dp_tunnel_LDADD = $(DP_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/datapath/test_mac
TESTS += tests/datapath/test_mac
tests_datapath_test_mac_SOURCES = %D%/test_mac.c
tests_datapath_test_mac_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_mac_LDADD = $(DP_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/datapath/test_peers
TESTS += tests/datapath/test_peers
tests_datapath_test_peers_SOURCES = %D%/test_peers.c $(BED_SOURCES)
tests_datapath_test_peers_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_peers_LDADD = $(DP_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/datapath/test_dp_txn
TESTS += tests/datapath/test_dp_txn
tests_datapath_test_dp_txn_SOURCES = %D%/test_dp_txn.c $(BED_SOURCES)
tests_datapath_test_dp_txn_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_dp_txn_LDADD = $(DP_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/datapath/test_egress
TESTS += tests/datapath/test_egress
tests_datapath_test_egress_SOURCES = %D%/test_egress.c $(BED_SOURCES)
tests_datapath_test_egress_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_egress_LDADD = $(DP_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/datapath/test_workers
TESTS += tests/datapath/test_workers
tests_datapath_test_workers_SOURCES = %D%/test_workers.c $(BED_SOURCES)
tests_datapath_test_workers_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_workers_LDADD = $(DP_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/datapath/test_chlog
TESTS += tests/datapath/test_chlog
tests_datapath_test_chlog_SOURCES = %D%/test_chlog.c $(BED_SOURCES)
tests_datapath_test_chlog_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_chlog_LDADD = $(DP_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/datapath/test_arena
TESTS += tests/datapath/test_arena
tests_datapath_test_arena_SOURCES = %D%/test_arena.c $(BED_SOURCES)
tests_datapath_test_arena_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_arena_LDADD = $(DP_LIBS) $(CHECK_LIBS)
