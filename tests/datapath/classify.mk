# Suites of datapath/classify.mk; they link no DPDK.
check_PROGRAMS += tests/datapath/test_extract
TESTS += tests/datapath/test_extract
tests_datapath_test_extract_SOURCES = %D%/test_extract.c
tests_datapath_test_extract_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_datapath_test_extract_LDADD = libdatapath.a $(BASE_LIBS) $(CHECK_LIBS)
