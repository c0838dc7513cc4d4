# Sources of ofproto/.
noinst_LIBRARIES += libofproto.a
libofproto_a_SOURCES = \
	%D%/ofproto.h \
	%D%/instr.c %D%/instr.h \
	%D%/tables.c %D%/tables.h \
	%D%/timers.c %D%/timers.h
include %D%/protocol/local.mk
include %D%/text/local.mk
