check_PROGRAMS += tests/fuzz/fuzz_extract
TESTS += tests/fuzz/fuzz_extract
EXTRA_DIST += %D%/corpus/extract
tests_fuzz_fuzz_extract_SOURCES = %D%/fuzz_extract.c %D%/replay_main.c
tests_fuzz_fuzz_extract_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFUZZ_CORPUS='"$(abs_top_srcdir)/%D%/corpus/extract"'
tests_fuzz_fuzz_extract_LDADD = libdatapath.a
