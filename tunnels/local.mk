# Sources of tunnels/: one folder per type, and the underlay.
noinst_LIBRARIES += libtunnels.a
libtunnels_a_SOURCES = \
	%D%/registry.c %D%/tunnel_types.def \
	%D%/tunnel.c %D%/tunnel_priv.h
libtunnels_a_CFLAGS = $(AM_CFLAGS) $(MNL_CFLAGS)
include %D%/underlay/local.mk
include %D%/vxlan/local.mk
include %D%/nvgre/local.mk
include %D%/geneve/local.mk
