# Meters and queues.
check_PROGRAMS += tests/datapath/test_meter
TESTS += tests/datapath/test_meter
tests_datapath_test_meter_SOURCES = %D%/test_meter.c $(BED_SOURCES)
tests_datapath_test_meter_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_meter_LDADD = $(DP_LIBS) $(CHECK_LIBS)
