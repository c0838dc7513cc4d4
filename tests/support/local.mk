# Tests of tests/support/.
noinst_HEADERS += %D%/agent_events.h
check_LIBRARIES += tests/support/libdummydp.a
tests_support_libdummydp_a_SOURCES = \
	%D%/dummy_dp.c %D%/dummy_dp.h \
	%D%/dummy_qos.c \
	%D%/ofconn_mem.c %D%/ofconn_mem.h
