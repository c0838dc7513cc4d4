# Meters and queues.
check_PROGRAMS += tests/ofproto/test_meter_text
TESTS += tests/ofproto/test_meter_text
tests_ofproto_test_meter_text_SOURCES = %D%/test_meter_text.c
tests_ofproto_test_meter_text_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_meter_text_LDADD = libofproto.a $(BASE_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/ofproto/test_meters
TESTS += tests/ofproto/test_meters
tests_ofproto_test_meters_SOURCES = $(AGENT_BED) %D%/test_meters.c
tests_ofproto_test_meters_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_meters_LDADD = $(OFPROTO_TEST_LIBS)

check_PROGRAMS += tests/ofproto/test_queues
TESTS += tests/ofproto/test_queues
tests_ofproto_test_queues_SOURCES = $(AGENT_BED) %D%/test_queues.c
tests_ofproto_test_queues_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_queues_LDADD = $(OFPROTO_TEST_LIBS)
