# SPDX-License-Identifier: Apache-2.0
# Tests of the ports and of offload_fast.c.
DP_TEST_CFLAGS = $(AM_CFLAGS) $(DPDK_CFLAGS) $(PCAP_CFLAGS) $(CHECK_CFLAGS)
noinst_HEADERS += %D%/offload_golden.h %D%/test_eal.h
EXTRA_DIST += %D%/gen_offload_golden.py

check_PROGRAMS += tests/datapath/test_offload
TESTS += tests/datapath/test_offload
tests_datapath_test_offload_SOURCES = %D%/test_offload.c
tests_datapath_test_offload_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_offload_LDADD = $(DP_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/datapath/test_ports
TESTS += tests/datapath/test_ports
tests_datapath_test_ports_SOURCES = %D%/test_ports.c
tests_datapath_test_ports_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_ports_LDADD = $(DP_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/datapath/test_vnet
TESTS += tests/datapath/test_vnet
tests_datapath_test_vnet_SOURCES = %D%/test_vnet.c
tests_datapath_test_vnet_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_vnet_LDADD = $(DP_LIBS) $(CHECK_LIBS)
