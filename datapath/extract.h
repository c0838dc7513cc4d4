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
 * Threads: any (no state).  Errors: a drop reason, or EXTRACT_OK.
 * Source:  IEEE 802.1Q, RFC 791, 8200, 793, 768, 4960, 792, 4443, 4861, 826,
 *          3032, IEEE 802.1ah. */
#ifndef DP_EXTRACT_H
#define DP_EXTRACT_H

#include <stddef.h>
#include <stdint.h>

#include "weft/drop.h"
#include "weft/flow_key.h"

#define EXTRACT_OK (-1)

/* Offsets from the start of the frame; 0: header not there. */
struct pkt_layout {
    uint16_t l2_5;    /* MPLS stack or PBB I-tag. */
    uint16_t l3;      /* IPv4, IPv6 or ARP header; payload when neither. */
    uint16_t l4;      /* Transport header. */
    uint16_t payload; /* Behind the transport header, or as far as known. */
    uint8_t n_vlan;   /* Tags parsed. */
    bool line1;       /* Line 1 of the key was written. */
};

/* Reads at most 'len' bytes at 'p'.  On failure the key is not valid.
 * 'k' must have line 1 zero unless lay->line1 is true on entry.
 * Returns EXTRACT_OK or an enum drop_reason. */
int extract_key(const uint8_t *p, size_t len, struct flow_key *k,
                struct pkt_layout *lay);

#endif
