# SPDX-License-Identifier: Apache-2.0
# Ports and the offload helpers, part of libdatapath.a.
libdatapath_a_SOURCES += \
	datapath/offload.h datapath/offload_fast.c \
	datapath/port.h \
	%D%/registry.c %D%/port_types.def \
	%D%/common/frame_fast.c %D%/common/frame_fast.h \
	%D%/common/link.c %D%/common/link.h \
	%D%/common/port_opt.c %D%/common/port_opt.h \
	%D%/common/vnet_fast.c %D%/common/vnet_fast.h \
	%D%/dpdk/dpdk_port.c \
	%D%/internal/internal_port.c \
	%D%/netdev/netdev_port.c %D%/netdev/netdev_port.h \
	%D%/netdev/packet.c \
	%D%/netdev/shadow.c \
	%D%/netdev/xsk.c \
	%D%/pcap/pcap_port.c \
	%D%/tap/tap_io.c %D%/tap/tap_port.c %D%/tap/tap_port.h
PORT_LIBS = $(PCAP_LIBS) $(XDP_LIBS) $(BPF_LIBS) $(MNL_LIBS) -lpthread

# The XDP program of the uplinks, embedded as a skeleton.  The tarball has the
# skeleton, so that only a change of the program needs clang and bpftool.
UPLINK_BPF = datapath/ports/netdev/weft_uplink
$(UPLINK_BPF).skel.h: $(UPLINK_BPF).bpf.c
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	$(BPF_CLANG) -O2 -g -Wall -Werror -target bpf \
		-I/usr/include/$(BPF_MULTIARCH) \
		-c $< -o $(UPLINK_BPF).bpf.tmp && \
	$(BPFTOOL) gen object $(UPLINK_BPF).bpf.o $(UPLINK_BPF).bpf.tmp && \
	$(BPFTOOL) gen skeleton $(UPLINK_BPF).bpf.o name weft_uplink >$@.tmp && \
	mv $@.tmp $@ && rm -f $(UPLINK_BPF).bpf.tmp
datapath/ports/netdev/libdatapath_a-xsk.$(OBJEXT): $(UPLINK_BPF).skel.h
BUILT_SOURCES += datapath/ports/netdev/weft_uplink.skel.h
MAINTAINERCLEANFILES += datapath/ports/netdev/weft_uplink.skel.h
CLEANFILES += datapath/ports/netdev/weft_uplink.bpf.o
EXTRA_DIST += %D%/netdev/weft_uplink.bpf.c %D%/netdev/weft_uplink.skel.h
