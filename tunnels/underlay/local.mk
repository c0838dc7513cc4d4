# Who leads to a remote end point: the kernel's tables or our own ARP.
libtunnels_a_SOURCES += \
	%D%/underlay.c %D%/underlay.h %D%/underlay_priv.h \
	%D%/kernel.c \
	%D%/owned.c
