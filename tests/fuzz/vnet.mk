# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/fuzz/fuzz_vnet
TESTS += tests/fuzz/fuzz_vnet
EXTRA_DIST += %D%/corpus/vnet
tests_fuzz_fuzz_vnet_SOURCES = %D%/fuzz_vnet.c %D%/replay_main.c
tests_fuzz_fuzz_vnet_CFLAGS = $(AM_CFLAGS) $(DPDK_CFLAGS)
tests_fuzz_fuzz_vnet_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFUZZ_CORPUS='"$(abs_top_srcdir)/%D%/corpus/vnet"'
tests_fuzz_fuzz_vnet_LDADD = $(DP_LIBS)
