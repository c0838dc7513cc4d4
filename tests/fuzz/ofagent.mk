check_PROGRAMS += tests/fuzz/fuzz_ofagent
TESTS += tests/fuzz/fuzz_ofagent
EXTRA_DIST += %D%/corpus/ofagent
tests_fuzz_fuzz_ofagent_SOURCES = %D%/fuzz_ofagent.c %D%/replay_main.c
tests_fuzz_fuzz_ofagent_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFUZZ_CORPUS='"$(abs_top_srcdir)/%D%/corpus/ofagent"'
tests_fuzz_fuzz_ofagent_LDADD = $(OFPROTO_LIBS) \
	tests/support/libdummydp.a $(BASE_LIBS)
