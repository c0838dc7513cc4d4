# Tests of tests/ofproto/.
check_PROGRAMS += tests/ofproto/test_tables
TESTS += tests/ofproto/test_tables
tests_ofproto_test_tables_SOURCES = \
	%D%/test_tables.c
tests_ofproto_test_tables_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_tables_LDADD = libofproto.a \
	tests/support/libdummydp.a $(BASE_LIBS) $(CHECK_LIBS)
EXTRA_DIST += %D%/sizes-1.0.txt %D%/sizes-1.3.txt
EXTRA_DIST += %D%/vectors

check_PROGRAMS += tests/ofproto/test_bindings
TESTS += tests/ofproto/test_bindings
tests_ofproto_test_bindings_SOURCES = \
	%D%/test_bindings.c
tests_ofproto_test_bindings_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_bindings_LDADD = $(OFBIND_LIBS) $(CHECK_LIBS)
