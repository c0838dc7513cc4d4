# Messages that controllers send: one line in handlers.def each.
libofproto_a_SOURCES += \
	%D%/async.c \
	%D%/bundle.c \
	%D%/bundle_features.c \
	%D%/controller_status.c \
	%D%/desc.c \
	%D%/features.c \
	%D%/flow_mod.c \
	%D%/flow_stats.c \
	%D%/groups.c \
	%D%/handlers.def \
	%D%/handlers_priv.h \
	%D%/meters.c \
	%D%/monitor.c \
	%D%/packet_out.c \
	%D%/ports.c \
	%D%/queues.c \
	%D%/role.c \
	%D%/session_msgs.c \
	%D%/table_features.c \
	%D%/tables.c
