# What weftctl and weft-dump share; linked with libbase.a only.
noinst_LIBRARIES += libcli.a
libcli_a_SOURCES = \
	%D%/client.c %D%/client.h \
	%D%/flow.c %D%/flow.h \
	%D%/items.c %D%/items.h \
	%D%/table.c %D%/table.h
libcli_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
CLI_LIBS = libcli.a $(BASE_LIBS) $(JANSSON_LIBS)
