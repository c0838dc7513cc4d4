# Sources of utils/weftd/.  libweftd.a holds all but main(), for the tests.
noinst_LIBRARIES += libweftd.a
libweftd_a_SOURCES = \
	%D%/bridge_options.def \
	%D%/glue.c %D%/glue.h \
	%D%/jw.c %D%/jw.h \
	%D%/model.c %D%/model.h \
	%D%/process.c %D%/process.h \
	%D%/reconcile.c %D%/reconcile.h \
	%D%/rpc.c %D%/rpc.h \
	%D%/rpc_dump.c \
	%D%/rpc_methods.def \
	%D%/rpc_parts.h \
	%D%/rpc_show.c \
	%D%/state.c %D%/state.h \
	%D%/weftd.h
libweftd_a_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS) \
	$(SQLITE_CFLAGS)
WEFTD_LIBS = libweftd.a $(EVENT_LIBS) $(JANSSON_LIBS) $(SQLITE_LIBS) -lpthread
