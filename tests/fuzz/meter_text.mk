check_PROGRAMS += tests/fuzz/fuzz_meter_text
TESTS += tests/fuzz/fuzz_meter_text
EXTRA_DIST += %D%/corpus/meter_text
tests_fuzz_fuzz_meter_text_SOURCES = %D%/fuzz_meter_text.c %D%/replay_main.c
tests_fuzz_fuzz_meter_text_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFUZZ_CORPUS='"$(abs_top_srcdir)/%D%/corpus/meter_text"'
tests_fuzz_fuzz_meter_text_LDADD = libofproto.a $(BASE_LIBS)
