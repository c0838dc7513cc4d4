# SPDX-License-Identifier: Apache-2.0
# Ports and the offload helpers, part of libdatapath.a.
libdatapath_a_SOURCES += \
	datapath/offload.h datapath/offload_fast.c \
	datapath/port.h \
	%D%/registry.c %D%/port_types.def \
	%D%/common/link.c %D%/common/link.h \
	%D%/common/port_opt.c %D%/common/port_opt.h \
	%D%/common/vnet_fast.c %D%/common/vnet_fast.h \
	%D%/dpdk/dpdk_port.c \
	%D%/internal/internal_port.c \
	%D%/pcap/pcap_port.c \
	%D%/tap/tap_io.c %D%/tap/tap_port.c %D%/tap/tap_port.h
PORT_LIBS = $(PCAP_LIBS) $(XDP_LIBS) $(BPF_LIBS) $(MNL_LIBS) -lpthread
