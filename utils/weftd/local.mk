# Sources of utils/weftd/.  libweftd_model.a knows neither datapath nor event
# loop; libweftd.a is the rest but main().
noinst_LIBRARIES += libweftd.a libweftd_model.a
libweftd_model_a_SOURCES = \
	%D%/bridge_options.def \
	%D%/jw.c %D%/jw.h \
	%D%/model.c %D%/model.h %D%/model_net.c \
	%D%/process.c %D%/process.h \
	%D%/rpc_scan.c %D%/rpc_scan.h \
	%D%/state.c %D%/state.h
libweftd_model_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(SQLITE_CFLAGS)
libweftd_a_SOURCES = \
	%D%/glue.c %D%/glue.h \
	%D%/reconcile.c %D%/reconcile.h \
	%D%/rpc.c %D%/rpc.h \
	%D%/rpc_ask.c \
	%D%/rpc_dump.c \
	%D%/rpc_methods.def \
	%D%/rpc_nets.c \
	%D%/rpc_of.c \
	%D%/rpc_parts.h \
	%D%/rpc_show.c \
	%D%/rpc_stream.c \
	%D%/rpc_trace.c \
	%D%/rpc_walk.c \
	%D%/trace_text.c %D%/trace_text.h \
	%D%/weftd.h
libweftd_a_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS)
WEFTD_LIBS = libweftd.a libweftd_model.a
sbin_PROGRAMS += weftd
weftd_SOURCES = %D%/main.c
weftd_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS)
weftd_LDADD = $(WEFTD_LIBS) $(OFPROTO_LIBS) $(CC_LIBS) $(DP_LIBS) \
	$(TNL_LIBS) $(JANSSON_LIBS) $(SQLITE_LIBS) -lpthread
