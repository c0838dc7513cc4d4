/* SPDX-License-Identifier: Apache-2.0 */
/* Writing into headers and keeping checksums right.
 *
 * What:    helpers shared by the ops that change packets.
 * Model:   checksums are updated by difference (RFC 1624): the sum of the
 *          complemented old and the new 16-bit words, folded.  A partial
 *          checksum (port.h) holds the pseudo header's sum, not complemented.
 *          A UDP checksum of 0 means none (RFC 768) and stays so.
 * Threads: worker.  Owns: nothing. */
#ifndef DP_OPS_REWRITE_H
#define DP_OPS_REWRITE_H

#include "datapath/worker.h"

enum {
    REWRITE_TCP = 6,
    REWRITE_UDP = 17,
    REWRITE_ICMP = 1,
    REWRITE_ICMPV6 = 58,
    REWRITE_FRAGMENT = 44,
    REWRITE_AH = 51,
    REWRITE_SCTP = 132,
    REWRITE_ETH_IPV4 = 0x0800,
    REWRITE_ETH_ARP = 0x0806,
    REWRITE_ETH_IPV6 = 0x86dd,
    REWRITE_ETH_MPLS = 0x8847,
    REWRITE_ETH_MPLS_MC = 0x8848,
};

static inline uint32_t
csum_fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

/* Difference of replacing 'old' by 'new', both 'len' (even) bytes. */
static inline uint32_t
csum_delta(const void *old, const void *new, unsigned len)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < len; i += 2)
        sum += (uint16_t) ~get_be16((const uint8_t *) old + i)
               + (uint32_t) get_be16((const uint8_t *) new + i);
    return csum_fold(sum);
}

/* Applies a difference to a complete checksum field. */
static inline void
csum_apply(uint8_t *field, uint32_t delta)
{
    uint32_t sum = (uint16_t) ~get_be16(field) + delta;

    put_be16(field, (uint16_t) ~csum_fold(sum));
}

static inline uint8_t *
slot_at(const struct batch *b, unsigned s, unsigned off)
{
    return rte_pktmbuf_mtod_offset(b->m[s], uint8_t *, off);
}

static inline bool
slot_is_mpls(const struct batch *b, unsigned s)
{
    uint16_t t = be16_to(b->key[s].eth_type);

    return (t == REWRITE_ETH_MPLS || t == REWRITE_ETH_MPLS_MC)
           && b->lay[s].l2_5;
}

static inline bool
slot_is(const struct batch *b, unsigned s, uint16_t eth_type)
{
    return b->key[s].eth_type == be16_from(eth_type) && b->lay[s].l3;
}

/* rewrite_fast.c */

/* The L4 checksum after a change of the packet by 'delta'; 'pseudo': the
 * change was in the pseudo header (addresses, protocol). */
void rewrite_l4_csum(struct batch *b, unsigned s, uint32_t delta,
                     bool pseudo);
/* Recomputes an SCTP CRC32c (RFC 4960 appendix B). */
void rewrite_sctp_crc(struct batch *b, unsigned s);
/* Makes room for 'n' bytes at 'off', moving what is in front forward.
 * NULL: no headroom. */
uint8_t *rewrite_push(struct batch *b, unsigned s, unsigned off, unsigned n);
/* Removes 'n' bytes at 'off'. */
void rewrite_pop(struct batch *b, unsigned s, unsigned off, unsigned n);
/* Removes a packet from a group. */
void rewrite_group_del(struct group *g, unsigned i);
/* Drops packet i of a group by 'reason' and removes it. */
void rewrite_group_drop(struct worker *w, struct group *g, unsigned i,
                        unsigned reason);

/* output_fast.c, controller_fast.c */
/* One packet to a port other than its own. */
void worker_send_slot(struct worker *, struct group *, unsigned s,
                      struct dp_port *);
/* To one port, and of a network's port to that peer (0: none). */
void worker_send_place(struct worker *, struct group *, unsigned s,
                       struct dp_port *, be32 peer);
void worker_flood_slot(struct worker *, struct group *, unsigned s,
                       uint32_t not_config);
void worker_punt_slot(struct worker *, struct group *, unsigned s,
                      const struct dp_op *op, unsigned reason,
                      uint32_t max_len);

#endif
