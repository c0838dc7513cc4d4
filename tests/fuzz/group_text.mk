check_PROGRAMS += tests/fuzz/fuzz_group_text
TESTS += tests/fuzz/fuzz_group_text
EXTRA_DIST += %D%/corpus/group_text
tests_fuzz_fuzz_group_text_SOURCES = %D%/fuzz_group_text.c %D%/replay_main.c
tests_fuzz_fuzz_group_text_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFUZZ_CORPUS='"$(abs_top_srcdir)/%D%/corpus/group_text"'
tests_fuzz_fuzz_group_text_LDADD = libofproto.a $(BASE_LIBS)
