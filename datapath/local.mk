# SPDX-License-Identifier: Apache-2.0
# libdatapath.a: each fragment adds its sources.  Files that see no rte_*.h
# link into tests and fuzz targets without DPDK.  A user of the rest links
# $(DP_LIBS).
noinst_LIBRARIES += libdatapath.a
libdatapath_a_SOURCES =
libdatapath_a_CFLAGS = $(AM_CFLAGS) $(FAST_CFLAGS) $(DPDK_CFLAGS) \
	$(PCAP_CFLAGS) \
	$(BPF_CFLAGS) $(XDP_CFLAGS) $(MNL_CFLAGS)
include %D%/classify.mk
include %D%/worker.mk
include %D%/tunnel.mk
include %D%/ports/local.mk
DP_LIBS = libdatapath.a libtunnels.a $(BASE_LIBS) $(DPDK_LIBS) $(PORT_LIBS)
