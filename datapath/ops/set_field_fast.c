/* SPDX-License-Identifier: Apache-2.0 */
/* set_field: a masked write into the header that the packet has.  Fields that
 * share a member of the flow key share the code (dp_ops.def). */
#include "datapath/ops/rewrite.h"

#include <string.h>

/* One set-field: value and mask of the key's member. */
struct set {
    const struct flow_field *f;
    const uint8_t *value, *mask;
};

static inline void
put_masked(uint8_t *p, const uint8_t *v, const uint8_t *mask, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        p[i] = (uint8_t) ((p[i] & ~mask[i]) | (v[i] & mask[i]));
}

/* Writes 'n' (even) bytes and returns the difference for a checksum.  Word by
 * word in registers: a load of what was just stored in bytes would wait. */
static inline uint32_t
put_summed(uint8_t *p, const uint8_t *v, const uint8_t *mask, unsigned n)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < n; i += 2) {
        uint16_t old = get_be16(p + i), m = get_be16(mask + i);
        uint16_t new = (uint16_t) ((old & ~m) | (get_be16(v + i) & m));

        put_be16(p + i, new);
        sum += (uint16_t) ~old + (uint32_t) new;
    }
    return csum_fold(sum);
}

static void
set_eth(struct group *g, const struct set *f, unsigned off)
{
    uint64_t v = 0, m = 0;

    memcpy(&v, f->value, 6);
    memcpy(&m, f->mask, 6);
    if (weft_likely(!memcmp(f->mask, "\xff\xff\xff\xff\xff\xff", 6))) {
        for (unsigned i = 0; i < g->n; i++)
            memcpy(slot_at(g->b, g->idx[i], off), &v, 6);
        return;
    }
    /* 8 bytes at 0 or 6 are inside the Ethernet header. */
    for (unsigned i = 0; i < g->n; i++) {
        uint8_t *p = slot_at(g->b, g->idx[i], off);
        uint64_t w;

        memcpy(&w, p, 8);
        w = (w & ~m) | (v & m);
        memcpy(p, &w, 8);
    }
}

static void
set_eth_type(struct batch *b, unsigned s, const struct set *f)
{
    put_masked(slot_at(b, s, 12u + 4u * b->lay[s].n_vlan), f->value, f->mask,
               2);
}

static void
set_vlan(struct batch *b, unsigned s, const struct set *f)
{
    struct flow_key *k = &b->key[s];
    uint16_t m = get_be16(f->mask) & ~FLOW_VLAN_PRESENT, tci;
    uint8_t *p = slot_at(b, s, 14);

    if (!(k->vlan_tci & be16_from(FLOW_VLAN_PRESENT)))
        return;
    tci = (uint16_t) ((get_be16(p) & ~m) | (get_be16(f->value) & m));
    put_be16(p, tci);
    k->vlan_tci = be16_from((uint16_t) (tci | FLOW_VLAN_PRESENT));
}

static void
set_tos(struct batch *b, unsigned s, const struct set *f)
{
    uint8_t *ip = slot_at(b, s, b->lay[s].l3);

    if (slot_is(b, s, REWRITE_ETH_IPV4)) {
        uint8_t v[2] = { 0, f->value[0] }, m[2] = { 0, f->mask[0] };

        csum_apply(ip + 10, put_summed(ip, v, m, 2));
    } else if (slot_is(b, s, REWRITE_ETH_IPV6)) {
        uint16_t m = (uint16_t) (f->mask[0] << 4);
        uint16_t v = (uint16_t) (f->value[0] << 4);

        put_be16(ip, (uint16_t) ((get_be16(ip) & ~m) | (v & m)));
    }
}

/* Where the packet names its upper-layer protocol: behind extension headers,
 * which extraction has checked, in the last one (RFC 8200 §4). */
static uint8_t *
ipv6_proto(const struct batch *b, unsigned s)
{
    const struct pkt_layout *lay = &b->lay[s];
    unsigned end = lay->l4 ? lay->l4 : lay->payload, off = lay->l3 + 40u;
    uint8_t *nh = slot_at(b, s, lay->l3 + 6u);

    for (unsigned i = 0; i <= EXTRACT_MAX_EXTHDR && off < end; i++) {
        uint8_t *p = slot_at(b, s, off);

        if (*nh == REWRITE_FRAGMENT)
            off += 8;
        else if (*nh == REWRITE_AH) /* RFC 4302 §2.2 */
            off += (p[1] + 2u) * 4;
        else
            off += (p[1] + 1u) * 8;
        nh = p;
    }
    return nh;
}

/* The protocol is part of the pseudo header too (RFC 9293 §3.1, RFC 768,
 * RFC 8200 §8.1). */
static void
set_proto(struct batch *b, unsigned s, const struct set *f)
{
    uint8_t *ip = slot_at(b, s, b->lay[s].l3);
    uint8_t old[2] = { 0, 0 }, new[2] = { 0, 0 };

    if (slot_is(b, s, REWRITE_ETH_IPV4)) {
        uint8_t v[2] = { 0, f->value[0] }, m[2] = { 0, f->mask[0] };

        old[1] = ip[9];
        csum_apply(ip + 10, put_summed(ip + 8, v, m, 2));
        new[1] = ip[9];
    } else if (slot_is(b, s, REWRITE_ETH_IPV6)) {
        uint8_t *nh = ipv6_proto(b, s);

        old[1] = *nh;
        put_masked(nh, f->value, f->mask, 1);
        new[1] = *nh;
    } else {
        return;
    }
    rewrite_l4_csum(b, s, csum_delta(old, new, 2), true);
}

/* ARP for Ethernet and IPv4: RFC 826. */
static bool
slot_is_arp(const struct batch *b, unsigned s)
{
    const uint8_t *p = slot_at(b, s, b->lay[s].l3);

    return slot_is(b, s, REWRITE_ETH_ARP) && get_be32(p) == 0x00010800
           && get_be16(p + 4) == 0x0604;
}

static void
set_ipv4(struct batch *b, unsigned s, const struct set *f, bool dst)
{
    uint8_t *p = slot_at(b, s, b->lay[s].l3);

    if (slot_is(b, s, REWRITE_ETH_IPV4)) {
        uint32_t d = put_summed(p + (dst ? 16 : 12), f->value, f->mask, 4);

        csum_apply(p + 10, d);
        rewrite_l4_csum(b, s, d, true);
    } else if (slot_is_arp(b, s)) {
        put_masked(p + (dst ? 24 : 14), f->value, f->mask, 4);
    }
}

static void
set_ipv6(struct batch *b, unsigned s, const struct set *f, bool dst)
{
    uint8_t *p = slot_at(b, s, b->lay[s].l3);
    uint32_t d;

    if (!slot_is(b, s, REWRITE_ETH_IPV6))
        return;
    d = put_summed(p + (dst ? 24 : 8), f->value, f->mask, 16);
    /* RFC 8200 §8.1: with a routing header the sum is over the final
     * destination, which is not in this field. */
    if (!dst || !(be16_to(b->key[s].ipv6_exthdr) & FLOW_IEH_ROUTER))
        rewrite_l4_csum(b, s, d, true);
}

static void
set_flow_label(struct batch *b, unsigned s, const struct set *f)
{
    if (slot_is(b, s, REWRITE_ETH_IPV6))
        put_masked(slot_at(b, s, b->lay[s].l3), f->value, f->mask, 4);
}

/* Type or code: the member is 16 bits wide, the field on the wire 8. */
static void
set_icmp(struct batch *b, unsigned s, const struct set *f, unsigned off)
{
    uint8_t v[2] = { 0, 0 }, m[2] = { 0, 0 };
    uint32_t d;

    v[off] = f->value[1];
    m[off] = f->mask[1];
    d = put_summed(slot_at(b, s, b->lay[s].l4), v, m, 2);
    rewrite_l4_csum(b, s, d, false);
}

static void
set_tp(struct batch *b, unsigned s, const struct set *f, bool dst)
{
    uint8_t proto = b->key[s].ip_proto, *p;
    uint32_t d;

    if (slot_is(b, s, REWRITE_ETH_ARP)) {
        if (!dst)
            put_masked(slot_at(b, s, b->lay[s].l3 + 6u), f->value, f->mask,
                       2);
        return;
    }
    if (!b->lay[s].l4)
        return;
    if (proto == REWRITE_ICMP || proto == REWRITE_ICMPV6) {
        set_icmp(b, s, f, dst);
        return;
    }
    p = slot_at(b, s, b->lay[s].l4 + (dst ? 2u : 0u));
    d = put_summed(p, f->value, f->mask, 2);
    if (proto == REWRITE_SCTP)
        rewrite_sctp_crc(b, s);
    else
        rewrite_l4_csum(b, s, d, false);
}

/* The 12 bits beside the data offset: RFC 9293 §3.1. */
static void
set_tcp_flags(struct batch *b, unsigned s, const struct set *f)
{
    if (b->lay[s].l4 && b->key[s].ip_proto == REWRITE_TCP)
        rewrite_l4_csum(b, s,
                        put_summed(slot_at(b, s, b->lay[s].l4 + 12u), f->value,
                                   f->mask, 2),
                        false);
}

static bool
slot_is_nd(const struct batch *b, unsigned s)
{
    const struct flow_key *k = &b->key[s];
    uint16_t type = be16_to(k->tp_src);

    return slot_is(b, s, REWRITE_ETH_IPV6) && b->lay[s].l4
           && k->ip_proto == REWRITE_ICMPV6 && (type == 135 || type == 136)
           && !k->tp_dst;
}

static void
set_nd_target(struct batch *b, unsigned s, const struct set *f)
{
    if (slot_is_nd(b, s)) {
        uint8_t *p = slot_at(b, s, b->lay[s].l4 + 8u);

        rewrite_l4_csum(b, s, put_summed(p, f->value, f->mask, 16), false);
    }
}

/* First option of 'type' and 8 bytes (RFC 4861 §4.6.1), as extraction reads
 * them: offset of its address, 0: none. */
static unsigned
nd_option(const struct batch *b, unsigned s, uint8_t type)
{
    const struct rte_mbuf *m = b->m[s];
    unsigned off = b->lay[s].l4 + 24u;
    const uint8_t *ip = slot_at(b, s, b->lay[s].l3);
    unsigned end = WEFT_MIN((unsigned) m->data_len,
                            b->lay[s].l3 + 40u + get_be16(ip + 4));

    for (unsigned i = 0; i < EXTRACT_MAX_ND_OPTS && off + 8 <= end; i++) {
        const uint8_t *o = slot_at(b, s, off);
        unsigned size = o[1] * 8u;

        if (!size || size > end - off)
            return 0;
        if (o[0] == type && o[1] == 1)
            return off + 2;
        off += size;
    }
    return 0;
}

static void
set_nd_lladdr(struct batch *b, unsigned s, const struct set *f, bool target)
{
    unsigned off;

    if (slot_is_arp(b, s)) {
        put_masked(slot_at(b, s, b->lay[s].l3 + (target ? 18u : 8u)),
                   f->value, f->mask, 6);
        return;
    }
    if (!slot_is_nd(b, s))
        return;
    off = nd_option(b, s, target ? 2 : 1);
    if (off)
        rewrite_l4_csum(b, s,
                        put_summed(slot_at(b, s, off), f->value, f->mask, 6),
                        false);
}

static void
set_mpls(struct batch *b, unsigned s, const struct set *f)
{
    if (slot_is_mpls(b, s))
        put_masked(slot_at(b, s, b->lay[s].l2_5), f->value, f->mask, 4);
}

static void
set_pbb(struct batch *b, unsigned s, const struct set *f)
{
    uint8_t v[4], m[4];

    if (b->key[s].eth_type != be16_from(0x88e7) || !b->lay[s].l2_5)
        return;
    /* UCA is bit 24 of the member and bit 27 of the I-TAG. */
    memcpy(v, f->value, 4);
    memcpy(m, f->mask, 4);
    v[0] = (uint8_t) (v[0] << 3);
    m[0] = (uint8_t) ((m[0] & 1) << 3);
    put_masked(slot_at(b, s, b->lay[s].l2_5), v, m, 4);
}

/* The pipeline's own fields. */
static void
set_key(struct batch *b, unsigned s, const struct set *f)
{
    put_masked((uint8_t *) &b->key[s] + f->f->offset, f->value, f->mask,
               f->f->width);
}

static void
set_slot(struct batch *b, unsigned s, const struct set *f)
{
    switch (f->f->offset) {
    case offsetof(struct flow_key, eth_type): set_eth_type(b, s, f); break;
    case offsetof(struct flow_key, vlan_tci): set_vlan(b, s, f); break;
    case offsetof(struct flow_key, ip_tos): set_tos(b, s, f); break;
    case offsetof(struct flow_key, ip_proto): set_proto(b, s, f); break;
    case offsetof(struct flow_key, ip_src): set_ipv4(b, s, f, false); break;
    case offsetof(struct flow_key, ip_dst): set_ipv4(b, s, f, true); break;
    case offsetof(struct flow_key, tp_src): set_tp(b, s, f, false); break;
    case offsetof(struct flow_key, tp_dst): set_tp(b, s, f, true); break;
    case offsetof(struct flow_key, tcp_flags): set_tcp_flags(b, s, f); break;
    case offsetof(struct flow_key, ipv6_src): set_ipv6(b, s, f, false); break;
    case offsetof(struct flow_key, ipv6_dst): set_ipv6(b, s, f, true); break;
    case offsetof(struct flow_key, ipv6_label): set_flow_label(b, s, f); break;
    case offsetof(struct flow_key, nd_target): set_nd_target(b, s, f); break;
    case offsetof(struct flow_key, nd_sll):
        set_nd_lladdr(b, s, f, false);
        break;
    case offsetof(struct flow_key, nd_tll):
        set_nd_lladdr(b, s, f, true);
        break;
    case offsetof(struct flow_key, mpls_lse): set_mpls(b, s, f); break;
    case offsetof(struct flow_key, pbb_isid): set_pbb(b, s, f); break;
    case offsetof(struct flow_key, metadata):
    case offsetof(struct flow_key, tun_id):
    case offsetof(struct flow_key, tun_src):
    case offsetof(struct flow_key, tun_dst): set_key(b, s, f); break;
    }
}

void
op_run_SET_FIELD(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct set f = { .f = &flow_fields[op->aux] };

    (void) w;
    f.value = op->data;
    f.mask = op->data + f.f->width;
    if (op->aux == FLOW_F_ETH_DST)
        set_eth(g, &f, 0);
    else if (op->aux == FLOW_F_ETH_SRC)
        set_eth(g, &f, 6);
    else
        for (unsigned i = 0; i < g->n; i++)
            set_slot(g->b, g->idx[i], &f);
}
