# Meters and queues.
check_PROGRAMS += tests/datapath/test_meter
TESTS += tests/datapath/test_meter
tests_datapath_test_meter_SOURCES = %D%/test_meter.c $(BED_SOURCES)
tests_datapath_test_meter_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_meter_LDADD = $(DP_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/datapath/test_queue
TESTS += tests/datapath/test_queue
tests_datapath_test_queue_SOURCES = %D%/test_queue.c $(BED_SOURCES)
tests_datapath_test_queue_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_queue_LDADD = $(DP_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/datapath/test_meter_shared
TESTS += tests/datapath/test_meter_shared
tests_datapath_test_meter_shared_SOURCES = %D%/test_meter_shared.c \
	$(BED_SOURCES)
tests_datapath_test_meter_shared_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_meter_shared_LDADD = $(DP_LIBS) $(CHECK_LIBS)
