# libdatapath.a: each fragment adds its sources.  Files that see no rte_*.h
# link into tests and fuzz targets without DPDK.
noinst_LIBRARIES += libdatapath.a
libdatapath_a_SOURCES =
libdatapath_a_CFLAGS = $(AM_CFLAGS) $(DPDK_CFLAGS)
include %D%/classify.mk
include %D%/tunnel.mk
