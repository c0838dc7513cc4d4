# Sources of utils/weftctl/.
bin_PROGRAMS += weftctl
weftctl_SOURCES = \
	%D%/commands.def \
	%D%/ctl_flows.c %D%/ctl_of.c %D%/ctl_show.c %D%/ctl_tables.c \
	%D%/weftctl.c %D%/weftctl.h
weftctl_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
weftctl_LDADD = $(CLI_LIBS)
