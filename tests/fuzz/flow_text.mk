check_PROGRAMS += tests/fuzz/fuzz_flow_text
TESTS += tests/fuzz/fuzz_flow_text
EXTRA_DIST += %D%/corpus/flow_text
tests_fuzz_fuzz_flow_text_SOURCES = %D%/fuzz_flow_text.c %D%/replay_main.c
tests_fuzz_fuzz_flow_text_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFUZZ_CORPUS='"$(abs_top_srcdir)/%D%/corpus/flow_text"'
tests_fuzz_fuzz_flow_text_LDADD = libofproto.a $(BASE_LIBS)
