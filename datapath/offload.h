/* SPDX-License-Identifier: Apache-2.0 */
/* Finishing in software what a device cannot: checksum and segmentation.
 *
 * What:    completes partial checksums; cuts large TCP segments (IPv4 and
 *          IPv6, any number of VLAN tags) into frames of tso_segsz; UDP too
 *          (RTE_MBUF_F_TX_UDP_SEG), which only ports have inside.
 * Model:   see port.h for the state that an mbuf carries.
 * Threads: worker.  Owns: offload_segment consumes 'm' on success.
 * Errors:  -ENOMEM (no mbuf), -EINVAL (headers do not match the flags); 'm'
 *          is then still the caller's. */
#ifndef DP_OFFLOAD_H
#define DP_OFFLOAD_H

#include <rte_mbuf.h>

#include "weft/compiler.h"

/* Any of these: work is left for a device. */
#define OFFLOAD_PENDING (RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG)

static inline bool
offload_pending(const struct rte_mbuf *m)
{
    return (m->ol_flags & OFFLOAD_PENDING) != 0;
}

/* Folded ones' complement sum (RFC 1071) over 'len' bytes from 'off', which
 * must be there; in memory order, to be stored as it is. */
uint16_t offload_sum(const struct rte_mbuf *m, uint32_t off, uint32_t len);

/* Completes the L4 checksum; clears the flags.  No segmentation. */
WEFT_MUST_CHECK int offload_checksum(struct rte_mbuf *m);

/* After the first 'cut' bytes were removed by decapsulation: the state now
 * speaks of the frame as it stands. */
static inline void
offload_cut_front(struct rte_mbuf *m, uint16_t cut)
{
    if (!(m->ol_flags & RTE_MBUF_F_TX_TUNNEL_MASK))
        return;
    m->l2_len = (uint64_t) (m->outer_l2_len + m->outer_l3_len + m->l2_len
                            - cut) & 0x7f;
    m->outer_l2_len = 0;
    m->outer_l3_len = 0;
    m->ol_flags &= ~RTE_MBUF_F_TX_TUNNEL_MASK;
}

/* 64 KiB in segments of 536 bytes, the smallest default of TCP (RFC 9293
 * §3.7.1).  A frame that would need more is refused: one packet of a tenant
 * must not become thousands. */
#define OFFLOAD_MAX_SEGMENTS 128

/* Cuts 'm' into complete frames (checksums finished): out[0..n-1], taken from
 * 'pool', each in one segment if it fits there.  Returns n.  Also -E2BIG:
 * more than max_out frames.  State inside a tunnel: -EINVAL. */
WEFT_MUST_CHECK int offload_segment(struct rte_mbuf *m,
                                    struct rte_mempool *pool,
                                    struct rte_mbuf *out[],
                                    unsigned max_out);

#endif
