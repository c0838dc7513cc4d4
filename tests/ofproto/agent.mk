# The agent: tables, sessions, messages.
ofproto_tests = \
	tests/ofproto/test_aux \
	tests/ofproto/test_bundle \
	tests/ofproto/test_bundle_atomic \
	tests/ofproto/test_bundle_time \
	tests/ofproto/test_flow_mod \
	tests/ofproto/test_group_buckets \
	tests/ofproto/test_groups \
	tests/ofproto/test_multipart \
	tests/ofproto/test_of10 \
	tests/ofproto/test_of14 \
	tests/ofproto/test_of15 \
	tests/ofproto/test_oxm \
	tests/ofproto/test_session \
	tests/ofproto/test_table_config \
	tests/ofproto/test_tables
check_PROGRAMS += $(ofproto_tests)
TESTS += $(ofproto_tests)
OFPROTO_TEST_LIBS = $(OFPROTO_LIBS) tests/support/libdummydp.a $(BASE_LIBS) \
	$(CHECK_LIBS)
AGENT_BED = %D%/agent_bed.c %D%/agent_bed.h
tests_ofproto_test_aux_SOURCES = \
	$(AGENT_BED) %D%/test_aux.c
tests_ofproto_test_aux_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_aux_LDADD = $(OFPROTO_TEST_LIBS)
BUNDLE_BED = %D%/bundle_bed.c %D%/bundle_bed.h
tests_ofproto_test_bundle_SOURCES = \
	$(AGENT_BED) $(BUNDLE_BED) %D%/test_bundle.c
tests_ofproto_test_bundle_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_bundle_LDADD = $(OFPROTO_TEST_LIBS)
tests_ofproto_test_bundle_atomic_SOURCES = \
	$(AGENT_BED) $(BUNDLE_BED) %D%/test_bundle_atomic.c
tests_ofproto_test_bundle_atomic_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_bundle_atomic_LDADD = $(OFPROTO_TEST_LIBS)
tests_ofproto_test_bundle_time_SOURCES = \
	$(AGENT_BED) %D%/test_bundle_time.c
tests_ofproto_test_bundle_time_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_bundle_time_LDADD = $(OFPROTO_TEST_LIBS)
tests_ofproto_test_flow_mod_SOURCES = \
	$(AGENT_BED) %D%/test_flow_mod.c
tests_ofproto_test_flow_mod_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_flow_mod_LDADD = $(OFPROTO_TEST_LIBS)
tests_ofproto_test_group_buckets_SOURCES = \
	$(AGENT_BED) %D%/test_group_buckets.c
tests_ofproto_test_group_buckets_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_group_buckets_LDADD = $(OFPROTO_TEST_LIBS)
tests_ofproto_test_groups_SOURCES = \
	$(AGENT_BED) %D%/test_groups.c
tests_ofproto_test_groups_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_groups_LDADD = $(OFPROTO_TEST_LIBS)
tests_ofproto_test_multipart_SOURCES = \
	$(AGENT_BED) %D%/test_multipart.c
tests_ofproto_test_multipart_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_multipart_LDADD = $(OFPROTO_TEST_LIBS)
tests_ofproto_test_of10_SOURCES = \
	$(AGENT_BED) %D%/test_of10.c
tests_ofproto_test_of10_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_of10_LDADD = $(OFPROTO_TEST_LIBS)
tests_ofproto_test_of14_SOURCES = \
	$(AGENT_BED) %D%/test_of14.c
tests_ofproto_test_of14_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_of14_LDADD = $(OFPROTO_TEST_LIBS)
tests_ofproto_test_of15_SOURCES = \
	$(AGENT_BED) %D%/test_of15.c
tests_ofproto_test_of15_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_of15_LDADD = $(OFPROTO_TEST_LIBS)
tests_ofproto_test_session_SOURCES = \
	$(AGENT_BED) %D%/test_session.c
tests_ofproto_test_session_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_session_LDADD = $(OFPROTO_TEST_LIBS)
tests_ofproto_test_oxm_SOURCES = \
	%D%/test_oxm.c
tests_ofproto_test_oxm_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_oxm_LDADD = $(OFPROTO_TEST_LIBS)
tests_ofproto_test_table_config_SOURCES = \
	$(AGENT_BED) %D%/test_table_config.c
tests_ofproto_test_table_config_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_table_config_LDADD = $(OFPROTO_TEST_LIBS)
tests_ofproto_test_tables_SOURCES = \
	%D%/test_tables.c
tests_ofproto_test_tables_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_tables_LDADD = $(OFPROTO_TEST_LIBS)
