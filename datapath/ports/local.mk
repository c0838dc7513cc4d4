# SPDX-License-Identifier: Apache-2.0
# Ports and the offload helpers, part of libdatapath.a.
libdatapath_a_SOURCES += \
	datapath/offload.h datapath/offload_fast.c \
	datapath/port.h \
	%D%/registry.c %D%/port_types.def \
	%D%/port_opt.c %D%/port_opt.h \
	%D%/dpdk/dpdk_port.c \
	%D%/pcap/pcap_port.c
PORT_LIBS = $(PCAP_LIBS) $(XDP_LIBS) $(BPF_LIBS)
