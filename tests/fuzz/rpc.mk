check_PROGRAMS += tests/fuzz/fuzz_rpc
TESTS += tests/fuzz/fuzz_rpc
EXTRA_DIST += %D%/corpus/rpc
tests_fuzz_fuzz_rpc_SOURCES = %D%/fuzz_rpc.c %D%/replay_main.c
tests_fuzz_fuzz_rpc_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) \
	$(JANSSON_CFLAGS) -DFUZZ_CORPUS='"$(abs_top_srcdir)/%D%/corpus/rpc"'
tests_fuzz_fuzz_rpc_LDADD = $(WEFTD_LIBS) $(OFPROTO_LIBS) $(CC_LIBS) \
	tests/support/libdummydp.a $(TNL_LIBS) $(JANSSON_LIBS) \
	$(SQLITE_LIBS) -lpthread
