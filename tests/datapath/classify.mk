# Suites of datapath/classify.mk; they link no DPDK.
check_PROGRAMS += tests/datapath/test_extract
TESTS += tests/datapath/test_extract
tests_datapath_test_extract_SOURCES = %D%/test_extract.c
tests_datapath_test_extract_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_datapath_test_extract_LDADD = libdatapath.a $(BASE_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/datapath/test_tables
TESTS += tests/datapath/test_tables
tests_datapath_test_tables_SOURCES = %D%/test_tables.c
tests_datapath_test_tables_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_datapath_test_tables_LDADD = libdatapath.a $(BASE_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/datapath/test_cache
TESTS += tests/datapath/test_cache
tests_datapath_test_cache_SOURCES = %D%/test_cache.c
tests_datapath_test_cache_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_datapath_test_cache_LDADD = libdatapath.a $(BASE_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/datapath/test_interp
TESTS += tests/datapath/test_interp
tests_datapath_test_interp_SOURCES = %D%/test_interp.c \
	tests/support/pktbuild.c
tests_datapath_test_interp_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_datapath_test_interp_LDADD = libdatapath.a $(BASE_LIBS) $(CHECK_LIBS)
