# Tests of the OpenFlow bindings and of their generator.
ofbind_tests = \
	tests/ofproto/test_bindings \
	tests/ofproto/test_bindings_api \
	tests/ofproto/test_bindings_roundtrip \
	tests/ofproto/test_bindings_sizes \
	tests/ofproto/test_bindings_vectors
check_PROGRAMS += $(ofbind_tests)
TESTS += $(ofbind_tests)
OFBIND_TEST_LIBS = $(OFBIND_LIBS) $(CHECK_LIBS)

tests_ofproto_test_bindings_SOURCES = \
	%D%/test_bindings.c
tests_ofproto_test_bindings_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_bindings_LDADD = $(OFBIND_TEST_LIBS)

tests_ofproto_test_bindings_api_SOURCES = \
	%D%/test_bindings_api.c
tests_ofproto_test_bindings_api_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_bindings_api_LDADD = $(OFBIND_TEST_LIBS)

tests_ofproto_test_bindings_roundtrip_SOURCES = \
	$(OFBIND_GEN_TEST) \
	%D%/of_roundtrip.h \
	%D%/test_bindings_roundtrip.c
tests_ofproto_test_bindings_roundtrip_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_bindings_roundtrip_LDADD = $(OFBIND_TEST_LIBS)

tests_ofproto_test_bindings_sizes_SOURCES = \
	%D%/test_bindings_sizes.c
tests_ofproto_test_bindings_sizes_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_bindings_sizes_LDADD = $(OFBIND_TEST_LIBS)

tests_ofproto_test_bindings_vectors_SOURCES = \
	%D%/of_vectors.c %D%/of_vectors.h \
	%D%/test_bindings_vectors.c
tests_ofproto_test_bindings_vectors_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_bindings_vectors_LDADD = $(OFBIND_TEST_LIBS)

dist_check_SCRIPTS += %D%/test_ofbind.py
if HAVE_PYTHON
TESTS += tests/ofproto/test_ofbind.py
endif
