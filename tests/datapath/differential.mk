# SPDX-License-Identifier: Apache-2.0
# The pipeline against the reference interpreter.
noinst_HEADERS += %D%/differential.h
DIFFERENTIAL_SOURCES = %D%/differential_frames.c %D%/differential_rules.c \
	%D%/differential_judge.c $(BED_SOURCES)

check_PROGRAMS += tests/datapath/test_differential
TESTS += tests/datapath/test_differential
tests_datapath_test_differential_SOURCES = %D%/test_differential.c \
	$(DIFFERENTIAL_SOURCES)
tests_datapath_test_differential_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_differential_LDADD = $(DP_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/datapath/test_differential_flight
TESTS += tests/datapath/test_differential_flight
tests_datapath_test_differential_flight_SOURCES = \
	%D%/test_differential_flight.c %D%/differential_wire.c \
	tests/support/ofconn_mem.c tests/support/ofconn_mem.h \
	$(DIFFERENTIAL_SOURCES)
tests_datapath_test_differential_flight_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_differential_flight_LDADD = $(OFPROTO_LIBS) $(DP_LIBS) \
	$(CHECK_LIBS)
