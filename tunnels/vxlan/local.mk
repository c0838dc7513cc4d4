libtunnels_a_SOURCES += \
	%D%/vxlan.c %D%/vxlan.h \
	%D%/vxlan_fast.c
