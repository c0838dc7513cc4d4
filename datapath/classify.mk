# Headers to key, compiled tables, flow cache: plain C, no DPDK.
libdatapath_a_SOURCES += \
	%D%/extract.h %D%/extract_fast.c
