check_PROGRAMS += tests/fuzz/fuzz_decap
TESTS += tests/fuzz/fuzz_decap
EXTRA_DIST += %D%/corpus/decap
tests_fuzz_fuzz_decap_SOURCES = %D%/fuzz_decap.c %D%/replay_main.c
tests_fuzz_fuzz_decap_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFUZZ_CORPUS='"$(abs_top_srcdir)/%D%/corpus/decap"'
tests_fuzz_fuzz_decap_LDADD = $(TNL_LIBS)
