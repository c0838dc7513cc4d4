/* SPDX-License-Identifier: Apache-2.0 */
/* Headers to flow key.
 *
 * What:    fills a flow key and the header offsets of one frame on plain
 *          bytes (no mbuf, so that it is tested and fuzzed without DPDK).
 * Model:   Ethernet, 802.1Q/802.1ad stacks, ARP, MPLS, PBB, IPv4 with options
 *          and fragments, IPv6 with extension headers, TCP, UDP, SCTP, ICMP,
 *          ICMPv6 with ND options.  Only packet words are written (words 0 to
 *          15); tunnel members and in_port are the caller's.  Line 1 is
 *          cleared only when 'line1' says that it may be dirty, so that an
 *          IPv4 packet writes 64 bytes.
 *
 *          Stacks are walked to a fixed depth.  A tag below
 *          EXTRACT_MAX_VLAN is payload (eth_type is then its TPID); labels
 *          below EXTRACT_MAX_MPLS are payload, and l3 is then 0; more than
 *          EXTRACT_MAX_EXTHDR extension headers are an error.
 *          Bytes behind the IP length are padding; an IP length beyond the
 *          frame is an error.  An ARP that is not Ethernet/IPv4 has only
 *          its operation in the key.  Of several equal ND options the first
 *          counts; a broken option ends the list.
 * Threads: any (no state).  Errors: a drop reason, or EXTRACT_OK.
 * Source:  IEEE 802.1Q, RFC 791, 8200, 793, 768, 4960, 792, 4443, 4861, 826,
 *          3032, IEEE 802.1ah. */
#ifndef DP_EXTRACT_H
#define DP_EXTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weft/drop.h"
#include "weft/flow_key.h"

#define EXTRACT_OK (-1)

#define EXTRACT_MAX_VLAN 8
#define EXTRACT_MAX_MPLS 16
#define EXTRACT_MAX_EXTHDR 16
#define EXTRACT_MAX_ND_OPTS 16

/* OpenFlow 1.3.5 §7.2.3.8, enum ofp_ipv6exthdr_flags. */
#define FLOW_IEH_NONEXT (1 << 0)
#define FLOW_IEH_ESP (1 << 1)
#define FLOW_IEH_AUTH (1 << 2)
#define FLOW_IEH_DEST (1 << 3)
#define FLOW_IEH_FRAG (1 << 4)
#define FLOW_IEH_ROUTER (1 << 5)
#define FLOW_IEH_HOP (1 << 6)
#define FLOW_IEH_UNREP (1 << 7)
#define FLOW_IEH_UNSEQ (1 << 8)

/* Offsets from the start of the frame; 0: header not there. */
struct pkt_layout {
    uint16_t l2_5;    /* MPLS stack or PBB I-tag. */
    uint16_t l3;      /* IPv4, IPv6 or ARP header; payload when neither. */
    uint16_t l4;      /* TCP, UDP, SCTP, ICMP or ICMPv6 header. */
    uint16_t payload; /* Behind the transport header, or as far as known. */
    uint8_t n_vlan;   /* Tags parsed. */
    bool line1;       /* Line 1 of the key was written. */
};

/* Reads at most 'len' bytes at 'p', the start of a frame of 'frame_len' >=
 * 'len' bytes (a first segment).  On failure the key is not valid.
 * 'k' must have line 1 zero unless lay->line1 is true on entry.
 * Returns EXTRACT_OK or an enum drop_reason. */
int extract_frame(const uint8_t *p, size_t len, size_t frame_len,
                  struct flow_key *k, struct pkt_layout *lay);

/* The same header by header, without trying common shapes first: what the
 * short ways are compared with. */
int extract_frame_walk(const uint8_t *p, size_t len, size_t frame_len,
                       struct flow_key *k, struct pkt_layout *lay);

/* The same for a frame that lies in one piece. */
static inline int
extract_key(const uint8_t *p, size_t len, struct flow_key *k,
            struct pkt_layout *lay)
{
    return extract_frame(p, len, len, k, lay);
}

#endif
