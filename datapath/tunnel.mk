# Tunnels of the datapath: outer headers on and off mbufs.
noinst_HEADERS += %D%/tunnel.h
