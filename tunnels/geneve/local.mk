libtunnels_a_SOURCES += \
	%D%/geneve.c %D%/geneve.h \
	%D%/geneve_fast.c
