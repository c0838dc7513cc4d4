# Sources of ofproto/.
noinst_LIBRARIES += libofproto.a
libofproto_a_SOURCES = \
	%D%/agent_priv.h \
	%D%/async.c \
	%D%/bridge.c \
	%D%/bundle.c %D%/bundle.h \
	%D%/compile.c %D%/compile.h \
	%D%/dispatch.c \
	%D%/dump.c \
	%D%/forward.c \
	%D%/group_check.c \
	%D%/group_dump.c \
	%D%/group_graph.c %D%/group_graph.h \
	%D%/groups.c %D%/groups.h \
	%D%/evict.c %D%/evict.h \
	%D%/instr.c %D%/instr.h \
	%D%/limits.c %D%/limits.h %D%/limits_wire.c \
	%D%/match10.c \
	%D%/meter_spec.h %D%/meters.c %D%/meters.h \
	%D%/monitor.c %D%/monitor.h \
	%D%/ofp_err.c %D%/ofp_err.h %D%/ofp_errors.def \
	%D%/ofproto.h \
	%D%/oxm.c %D%/oxm.h \
	%D%/oxs.c %D%/oxs.h \
	%D%/ports.h \
	%D%/reply.c \
	%D%/rules.c %D%/rule_txn.c \
	%D%/session.c \
	%D%/tables.c %D%/tables.h \
	%D%/timers.c %D%/timers.h \
	%D%/triggers.c %D%/triggers.h \
	%D%/txn.c %D%/txn.h
include %D%/actions/local.mk
include %D%/handlers/local.mk
include %D%/protocol/local.mk
include %D%/text/local.mk

$(libofproto_a_OBJECTS): $(OFBIND_GEN_H)
OFPROTO_LIBS = libofproto.a $(OFBIND_LIBS)
