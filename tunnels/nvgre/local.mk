libtunnels_a_SOURCES += \
	%D%/nvgre.c %D%/nvgre.h \
	%D%/nvgre_fast.c
