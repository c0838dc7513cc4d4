noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	%D%/addr.c %D%/addr.h \
	%D%/clock.c %D%/clock.h \
	%D%/hmap.c %D%/hmap.h \
	%D%/list.h \
	%D%/log.c %D%/log.h \
	%D%/mem.c %D%/mem.h \
	%D%/slab.c %D%/slab.h \
	%D%/str.c %D%/str.h
