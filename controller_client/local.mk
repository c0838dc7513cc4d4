# Sources of controller_client/.
noinst_LIBRARIES += libcc.a
libcc_a_SOURCES = \
	%D%/aux.c \
	%D%/cc_priv.h \
	%D%/conn.c \
	%D%/controller_client.c %D%/controller_client.h \
	%D%/stream.c \
	%D%/target.c \
	%D%/tls.c
libcc_a_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(SSL_CFLAGS)
CC_LIBS = libcc.a $(BASE_LIBS) $(EVENT_LIBS) $(SSL_LIBS)
