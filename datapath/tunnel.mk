# Tunnels of the datapath: outer headers on and off mbufs.
libdatapath_a_SOURCES += \
	%D%/tunnel.h %D%/tunnel.c %D%/tunnel_priv.h \
	%D%/tunnel_hash_fast.c %D%/tunnel_hash_fast.h \
	%D%/tunnel_nh.c \
	%D%/tunnel_icmp_fast.c \
	%D%/tunnel_rx_fast.c \
	%D%/tunnel_tx_fast.c
