# Sources of ofproto/.
noinst_LIBRARIES += libofproto.a
libofproto_a_SOURCES = \
	%D%/ofproto.h \
	%D%/instr.c %D%/instr.h \
	%D%/match10.c \
	%D%/ofp_err.c %D%/ofp_err.h \
	%D%/oxm.c %D%/oxm.h \
	%D%/ports.h \
	%D%/tables.c %D%/tables.h \
	%D%/timers.c %D%/timers.h
include %D%/protocol/local.mk
include %D%/text/local.mk
