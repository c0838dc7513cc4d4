/* SPDX-License-Identifier: Apache-2.0 */
/* What is known about a packet beside its bytes, without DPDK's types.
 *
 * What:    receive-side tunnel metadata and the contents of a punt.
 * Threads: any.  Owns: nothing. */
#ifndef WEFT_PKT_H
#define WEFT_PKT_H

#include <stdint.h>

#include "weft/be.h"

/* Tunnel metadata of a packet, as matched and set by tun_id, tun_src and
 * tun_dst.  All zero for a packet that came by no tunnel. */
struct pkt_tunnel {
    uint64_t id; /* VNI or VSID, host order. */
    be32 src;    /* Outer IPv4 source. */
    be32 dst;    /* Outer IPv4 destination. */
};

#endif
