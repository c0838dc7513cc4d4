# Flow text.
check_PROGRAMS += tests/ofproto/test_flow_text tests/ofproto/flow_text_tool
TESTS += tests/ofproto/test_flow_text
tests_ofproto_test_flow_text_SOURCES = \
	%D%/test_flow_text.c \
	%D%/flow_text_random.c %D%/flow_text_random.h
tests_ofproto_test_flow_text_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_flow_text_LDADD = libofproto.a $(BASE_LIBS) $(CHECK_LIBS)
tests_ofproto_flow_text_tool_SOURCES = \
	%D%/flow_text_tool.c \
	%D%/flow_text_random.c %D%/flow_text_random.h
tests_ofproto_flow_text_tool_LDADD = libofproto.a $(BASE_LIBS)
dist_check_SCRIPTS += %D%/flow_text_ovs.sh
TESTS += %D%/flow_text_ovs.sh
EXTRA_DIST += %D%/flow_text_ovs.py

# The vectors, as other people's software reads them.
dist_check_SCRIPTS += %D%/crosscheck.sh
TESTS += %D%/crosscheck.sh
EXTRA_DIST += %D%/crosscheck.py

# The descriptions against hand-written tables and os-ken's constants.
dist_check_SCRIPTS += %D%/protocol.sh
TESTS += %D%/protocol.sh
EXTRA_DIST += %D%/protocol.py

# Text as messages.
check_PROGRAMS += tests/ofproto/test_text_msg
TESTS += tests/ofproto/test_text_msg
tests_ofproto_test_text_msg_SOURCES = $(AGENT_BED) %D%/test_text_msg.c
tests_ofproto_test_text_msg_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_ofproto_test_text_msg_LDADD = $(OFPROTO_TEST_LIBS)
