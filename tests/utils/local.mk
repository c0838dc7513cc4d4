# Tests of tests/utils/.
check_PROGRAMS += tests/utils/test_utils
TESTS += tests/utils/test_utils
tests_utils_test_utils_SOURCES = \
	%D%/suite_utils.h \
	%D%/test_filter.c \
	%D%/test_items.c \
	%D%/test_jw.c \
	%D%/test_model.c \
	%D%/test_rpc_scan.c \
	%D%/test_state.c \
	%D%/test_utils.c \
	utils/weft-dump/filter.c
tests_utils_test_utils_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) \
	$(JANSSON_CFLAGS) $(SQLITE_CFLAGS)
# Only the units without a datapath: what needs one is tested by programs.
tests_utils_test_utils_LDADD = libweftd_model.a libcli.a $(CC_LIBS) $(BASE_LIBS) \
	$(JANSSON_LIBS) $(SQLITE_LIBS) $(CHECK_LIBS) -lpthread

check_PROGRAMS += tests/utils/test_rpc
TESTS += tests/utils/test_rpc
tests_utils_test_rpc_SOURCES = %D%/test_rpc.c
tests_utils_test_rpc_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(EVENT_CFLAGS) \
	$(JANSSON_CFLAGS)
tests_utils_test_rpc_LDADD = $(WEFTD_LIBS) $(OFPROTO_LIBS) $(CC_LIBS) \
	tests/support/libdummydp.a $(TNL_LIBS) $(JANSSON_LIBS) \
	$(SQLITE_LIBS) $(CHECK_LIBS) -lpthread
