# SPDX-License-Identifier: Apache-2.0
# OpenFlow groups in the datapath.
check_PROGRAMS += tests/datapath/test_group
TESTS += tests/datapath/test_group
tests_datapath_test_group_SOURCES = %D%/test_group.c $(BED_SOURCES)
tests_datapath_test_group_CFLAGS = $(DP_TEST_CFLAGS)
tests_datapath_test_group_LDADD = $(DP_LIBS) $(CHECK_LIBS) -lm
