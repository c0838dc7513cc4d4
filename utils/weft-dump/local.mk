# Sources of utils/weft-dump/.
bin_PROGRAMS += weft-dump
weft_dump_SOURCES = \
	%D%/dump.h \
	%D%/dumps.def \
	%D%/filter.c \
	%D%/main.c \
	%D%/print.c
weft_dump_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
weft_dump_LDADD = $(CLI_LIBS)
