check_PROGRAMS += tests/fuzz/fuzz_ofmsg tests/fuzz/mutate_ofmsg
TESTS += tests/fuzz/fuzz_ofmsg tests/fuzz/mutate_ofmsg
EXTRA_DIST += %D%/corpus/ofmsg
tests_fuzz_fuzz_ofmsg_SOURCES = %D%/fuzz_ofmsg.c %D%/replay_main.c
tests_fuzz_fuzz_ofmsg_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFUZZ_CORPUS='"$(abs_top_srcdir)/%D%/corpus/ofmsg"'
tests_fuzz_fuzz_ofmsg_LDADD = $(OFBIND_LIBS)
tests_fuzz_mutate_ofmsg_SOURCES = %D%/fuzz_ofmsg.c %D%/mutate_ofmsg.c \
	tests/ofproto/of_vectors.c tests/ofproto/of_vectors.h
tests_fuzz_mutate_ofmsg_LDADD = $(OFBIND_LIBS)
