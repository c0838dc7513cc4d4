noinst_HEADERS += \
	%D%/be.h \
	%D%/compiler.h \
	%D%/dp.h \
	%D%/dp_ops.def \
	%D%/drop.h \
	%D%/err.h \
	%D%/fields.def \
	%D%/flow_key.h \
	%D%/flow_match.h \
	%D%/ofconn.h \
	%D%/pkt.h \
	%D%/tunnel.h
