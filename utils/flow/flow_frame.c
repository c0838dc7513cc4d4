/* SPDX-License-Identifier: Apache-2.0 */
#include "utils/flow/flow_frame.h"

#include "weft/be.h"

enum {
    ETH_VLAN = 0x8100,
    ETH_IPV4 = 0x0800,
    ETH_ARP = 0x0806,
    ETH_IPV6 = 0x86dd,
    ETH_MPLS = 0x8847,
    ETH_MPLS_MC = 0x8848,
    ETH_PBB = 0x88e7,
    ETH_EXPERIMENT = 0x88b5,
    ICMP = 1,
    TCP = 6,
    UDP = 17,
    ICMPV6 = 58,
    SCTP = 132,
    MIN_FRAME = 60, /* Without the checksum at the end. */
};

struct frame {
    const struct flow_key *k, *mask;
    uint8_t *p;
    size_t n;
    size_t l3;
};

static uint8_t *
add(struct frame *f, size_t n)
{
    uint8_t *p = f->p + f->n;

    memset(p, 0, n);
    f->n += n;
    return p;
}

static void
add16(struct frame *f, uint16_t v)
{
    put_be16(add(f, 2), v);
}

/* ------------------------------------------------------------- checksums */

static uint16_t
sum16(const uint8_t *p, size_t n, uint32_t sum)
{
    for (size_t i = 0; i < n; i++)
        sum += i & 1 ? p[i] : (uint32_t) p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) sum;
}

/* Completes the checksum at 'at' of the transport header at 'l4'. */
static void
l4_checksum(struct frame *f, size_t l4, size_t at, uint8_t proto, bool v6)
{
    const uint8_t *ip = f->p + f->l3;
    uint32_t pseudo = 0;
    uint16_t sum;

    if (proto != ICMP)
        pseudo = (uint32_t) proto + (uint32_t) (f->n - l4)
                 + (v6 ? sum16(ip + 8, 32, 0) : sum16(ip + 12, 8, 0));
    sum = (uint16_t) ~sum16(f->p + l4, f->n - l4, pseudo);
    put_be16(f->p + at, proto == UDP && !sum ? 0xffff : sum);
}

/* RFC 4960 appendix B. */
static void
sctp_checksum(struct frame *f, size_t l4)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = l4; i < f->n; i++) {
        crc ^= f->p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
    }
    for (int i = 0; i < 4; i++)
        f->p[l4 + 8 + (size_t) i] = (uint8_t) (~crc >> 8 * i);
}

/* ---------------------------------------------------------------- headers */

/* RFC 4861 §4.3, §4.4: target, then link-layer address options. */
static void
add_nd(struct frame *f)
{
    static const uint8_t none[6];
    const uint8_t *addr[2] = { f->k->nd_sll, f->k->nd_tll };

    memcpy(add(f, 16), f->k->nd_target, 16);
    for (uint8_t i = 0; i < 2; i++)
        if (memcmp(addr[i], none, 6)) {
            uint8_t *p = add(f, 8);

            p[0] = (uint8_t) (i + 1);
            p[1] = 1;
            memcpy(p + 2, addr[i], 6);
        }
}

static void
add_l4(struct frame *f, uint8_t proto, bool v6)
{
    uint16_t src = be16_to(f->k->tp_src), dst = be16_to(f->k->tp_dst);
    size_t l4 = f->n;
    uint8_t *p;

    switch (proto) {
    case TCP:
        p = add(f, 20);
        put_be16(p + 12, (uint16_t) (0x5000 | be16_to(f->k->tcp_flags)));
        put_be16(p + 14, 0xffff); /* Window. */
        break;
    case UDP:
        p = add(f, 8);
        put_be16(p + 4, 8);
        break;
    case SCTP:
        p = add(f, 12);
        break;
    case ICMP:
    case ICMPV6:
        if ((proto == ICMPV6) != v6)
            return;
        p = add(f, 8);
        p[0] = (uint8_t) src;
        p[1] = (uint8_t) dst;
        if (v6 && (src == 135 || src == 136) && !dst)
            add_nd(f);
        l4_checksum(f, l4, l4 + 2, proto, v6);
        return;
    default:
        return;
    }
    put_be16(p, src);
    put_be16(p + 2, dst);
    if (proto == SCTP)
        sctp_checksum(f, l4);
    else
        l4_checksum(f, l4, l4 + (proto == TCP ? 16 : 6), proto, v6);
}

static uint8_t
ttl(const struct frame *f)
{
    return f->mask->ip_ttl ? f->k->ip_ttl : 64;
}

static void
add_ipv4(struct frame *f)
{
    const struct flow_key *k = f->k;
    uint8_t *p = add(f, 20);
    bool later = k->nw_flags & FLOW_NW_FRAG_LATER;

    f->l3 = f->n - 20;
    p[0] = 0x45;
    p[1] = k->ip_tos;
    put_be16(p + 6, later                            ? 1
                    : k->nw_flags & FLOW_NW_FRAG_ANY ? 0x2000
                                                     : 0);
    p[8] = ttl(f);
    p[9] = k->ip_proto;
    memcpy(p + 12, &k->ip_src, 4);
    memcpy(p + 16, &k->ip_dst, 4);
    if (!later)
        add_l4(f, k->ip_proto, false);
    put_be16(p + 2, (uint16_t) (f->n - f->l3));
    put_be16(p + 10, (uint16_t) ~sum16(p, 20, 0));
}

/* Extension headers in RFC 8200's order; *nh is where the number of the next
 * header belongs. */
static uint8_t *
add_exthdrs(struct frame *f, uint8_t *nh)
{
    static const struct {
        uint16_t bit; /* OpenFlow 1.3.5 §7.2.3.8 */
        uint8_t nh;
    } kinds[] = {
        { 1 << 6, 0 }, { 1 << 3, 60 }, { 1 << 5, 43 }, { 1 << 4, 44 },
        { 1 << 2, 51 },
    };
    uint16_t bits = be16_to(f->k->ipv6_exthdr);

    if (f->k->nw_flags & (FLOW_NW_FRAG_ANY | FLOW_NW_FRAG_LATER))
        bits |= 1 << 4;
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        uint8_t *p;

        if (!(bits & kinds[i].bit))
            continue;
        p = add(f, kinds[i].nh == 51 ? 16 : 8);
        *nh = kinds[i].nh;
        nh = p;
        if (kinds[i].nh == 51)
            p[1] = 2; /* RFC 4302 §2.2: words less 2. */
        if (kinds[i].nh == 44)
            put_be16(p + 2, f->k->nw_flags & FLOW_NW_FRAG_LATER ? 8
                            : f->k->nw_flags & FLOW_NW_FRAG_ANY ? 1
                                                                : 0);
        if (kinds[i].nh == 0 || kinds[i].nh == 60)
            p[2] = 1, p[3] = 4; /* PadN. */
    }
    if (bits & 1 << 1) /* ESP: nothing behind it can be seen. */
        *nh = 50;
    else if (bits & 1)
        *nh = 59;
    else
        *nh = f->k->ip_proto;
    return nh;
}

static void
add_ipv6(struct frame *f)
{
    const struct flow_key *k = f->k;
    uint8_t *p = add(f, 40), *nh;

    f->l3 = f->n - 40;
    put_be32(p, UINT32_C(6) << 28 | (uint32_t) k->ip_tos << 20
                    | be32_to(k->ipv6_label));
    p[7] = ttl(f);
    memcpy(p + 8, k->ipv6_src, 16);
    memcpy(p + 24, k->ipv6_dst, 16);
    nh = add_exthdrs(f, p + 6);
    if (!(k->nw_flags & FLOW_NW_FRAG_LATER))
        add_l4(f, *nh, true);
    put_be16(p + 4, (uint16_t) (f->n - f->l3 - 40));
}

static void
add_arp(struct frame *f)
{
    const struct flow_key *k = f->k;
    uint8_t *p = add(f, 28);

    put_be32(p, 0x00010800);
    put_be16(p + 4, 0x0604);
    put_be16(p + 6, f->mask->tp_src ? be16_to(k->tp_src) : 1);
    memcpy(p + 8, k->nd_sll, 6);
    memcpy(p + 14, &k->ip_src, 4);
    memcpy(p + 18, k->nd_tll, 6);
    memcpy(p + 24, &k->ip_dst, 4);
}

static void
add_mpls(struct frame *f)
{
    uint32_t lse = be32_to(f->k->mpls_lse), mask = be32_to(f->mask->mpls_lse);

    if (!(mask & 0x100))
        lse |= 0x100;
    if (!(mask & 0xff))
        lse |= 64;
    put_be32(add(f, 4), lse);
    if (!(lse & 0x100)) /* Something has to be the bottom. */
        put_be32(add(f, 4), 0x100 | 64);
}

static void
add_pbb(struct frame *f)
{
    uint32_t v = be32_to(f->k->pbb_isid);

    put_be32(add(f, 4), (v & 0xffffff) | (v & 0x1000000) << 3);
    memcpy(add(f, 12), f->p, 12); /* Customer addresses. */
    add16(f, ETH_EXPERIMENT);
}

static void
add_eth(struct frame *f)
{
    static const uint8_t src[6] = { 2, 0, 0, 0, 0, 1 };
    static const uint8_t dst[6] = { 2, 0, 0, 0, 0, 2 };
    static const uint8_t none[6];
    const struct flow_key *k = f->k, *m = f->mask;

    memcpy(add(f, 6), memcmp(m->eth_dst, none, 6) ? k->eth_dst : dst, 6);
    memcpy(add(f, 6), memcmp(m->eth_src, none, 6) ? k->eth_src : src, 6);
    if (k->vlan_tci & be16_from(FLOW_VLAN_PRESENT)) {
        add16(f, ETH_VLAN);
        add16(f, be16_to(k->vlan_tci) & 0xefff);
    }
}

size_t
flow_frame_build(const struct flow_match *m, uint8_t *buf)
{
    struct frame f = { .k = &m->key, .mask = &m->mask, .p = buf };
    uint16_t type = m->mask.eth_type ? be16_to(m->key.eth_type)
                                     : ETH_EXPERIMENT;

    add_eth(&f);
    if (type == FLOW_ETH_TYPE_NOT_ETH2) {
        add16(&f, 46); /* An 802.3 length. */
        type = 0;
    } else {
        add16(&f, type);
    }
    switch (type) {
    case ETH_IPV4:
        add_ipv4(&f);
        break;
    case ETH_IPV6:
        add_ipv6(&f);
        break;
    case ETH_ARP:
        add_arp(&f);
        break;
    case ETH_MPLS:
    case ETH_MPLS_MC:
        add_mpls(&f);
        break;
    case ETH_PBB:
        add_pbb(&f);
        break;
    }
    if (f.n < MIN_FRAME)
        add(&f, MIN_FRAME - f.n);
    return f.n;
}
