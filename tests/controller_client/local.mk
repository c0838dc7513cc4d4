# Tests of tests/controller_client/.
check_PROGRAMS += tests/controller_client/test_cc
TESTS += tests/controller_client/test_cc
tests_controller_client_test_cc_SOURCES = \
	%D%/cc_peer.c %D%/cc_peer.h \
	%D%/test_cc.c \
	%D%/test_cc_aux.c \
	%D%/test_cc_target.c \
	%D%/test_cc_tls.c
tests_controller_client_test_cc_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) \
	$(EVENT_CFLAGS) $(SSL_CFLAGS)
tests_controller_client_test_cc_LDADD = $(CC_LIBS) $(CHECK_LIBS)
