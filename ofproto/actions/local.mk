# Actions of the wire: one line in of_actions.def each.
libofproto_a_SOURCES += \
	%D%/actions_priv.h \
	%D%/copy_field.c \
	%D%/meter.c \
	%D%/mpls.c \
	%D%/of_actions.def \
	%D%/output.c \
	%D%/pbb.c \
	%D%/queue.c \
	%D%/set10.c \
	%D%/set_field.c \
	%D%/ttl.c \
	%D%/vlan.c
