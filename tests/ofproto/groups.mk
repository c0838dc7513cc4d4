# SPDX-License-Identifier: Apache-2.0
# Group text.
check_PROGRAMS += tests/ofproto/test_group_text
TESTS += tests/ofproto/test_group_text
tests_ofproto_test_group_text_SOURCES = %D%/test_group_text.c
tests_ofproto_test_group_text_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_group_text_LDADD = libofproto.a $(BASE_LIBS) $(CHECK_LIBS)
