# SPDX-License-Identifier: Apache-2.0
# OpenFlow groups in the datapath.
noinst_HEADERS += %D%/group_bed.h
GROUP_BED_SOURCES = %D%/group_bed.c $(BED_SOURCES)

check_PROGRAMS += tests/datapath/test_group
TESTS += tests/datapath/test_group
tests_datapath_test_group_SOURCES = %D%/test_group.c $(GROUP_BED_SOURCES)
tests_datapath_test_group_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_group_LDADD = $(DP_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/datapath/test_group_select
TESTS += tests/datapath/test_group_select
tests_datapath_test_group_select_SOURCES = %D%/test_group_select.c \
	$(GROUP_BED_SOURCES)
tests_datapath_test_group_select_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_group_select_LDADD = $(DP_LIBS) $(CHECK_LIBS) -lm

check_PROGRAMS += tests/datapath/test_group_slots
TESTS += tests/datapath/test_group_slots
tests_datapath_test_group_slots_SOURCES = %D%/test_group_slots.c
tests_datapath_test_group_slots_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_datapath_test_group_slots_LDADD = libdatapath.a $(BASE_LIBS) \
	$(CHECK_LIBS)
