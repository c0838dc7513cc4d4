check_PROGRAMS += tests/fuzz/fuzz_commands
TESTS += tests/fuzz/fuzz_commands
EXTRA_DIST += %D%/corpus/commands
tests_fuzz_fuzz_commands_SOURCES = %D%/fuzz_commands.c %D%/replay_main.c
tests_fuzz_fuzz_commands_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFUZZ_CORPUS='"$(abs_top_srcdir)/%D%/corpus/commands"'
tests_fuzz_fuzz_commands_LDADD = $(OFPROTO_LIBS) \
	tests/support/libdummydp.a $(BASE_LIBS)
