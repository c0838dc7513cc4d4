# SPDX-License-Identifier: Apache-2.0
# Tests of datapath/tunnel.mk.
noinst_HEADERS += %D%/test_tunnel.h

check_PROGRAMS += tests/datapath/test_tunnel_tx
TESTS += tests/datapath/test_tunnel_tx
tests_datapath_test_tunnel_tx_SOURCES = %D%/test_tunnel_tx.c
tests_datapath_test_tunnel_tx_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_tunnel_tx_LDADD = $(DP_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/datapath/test_tunnel_rx
TESTS += tests/datapath/test_tunnel_rx
tests_datapath_test_tunnel_rx_SOURCES = %D%/test_tunnel_rx.c
tests_datapath_test_tunnel_rx_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_tunnel_rx_LDADD = $(DP_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/datapath/test_tunnel_icmp
TESTS += tests/datapath/test_tunnel_icmp
tests_datapath_test_tunnel_icmp_SOURCES = %D%/test_tunnel_icmp.c
tests_datapath_test_tunnel_icmp_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_tunnel_icmp_LDADD = $(DP_LIBS) $(CHECK_LIBS)
