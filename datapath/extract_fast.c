/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/extract_plain_fast.h"

#include <string.h>

#include "weft/compiler.h"
#include "weft/flow_match.h"

enum {
    ETH_TYPE_MIN = 0x0600, /* IEEE 802.3 §3.2.6: below are lengths. */
    TYPE_ARP = 0x0806,
    TYPE_VLAN = EXTRACT_VLAN,
    TYPE_IPV6 = EXTRACT_IPV6,
    TYPE_MPLS = 0x8847,
    TYPE_MPLS_MC = 0x8848,
    TYPE_QINQ = 0x88a8,
    TYPE_PBB = 0x88e7,

    PROTO_HOPOPTS = 0,
    PROTO_ICMP = 1,
    PROTO_ROUTING = 43,
    PROTO_FRAGMENT = 44,
    PROTO_ESP = 50,
    PROTO_AH = 51,
    PROTO_ICMPV6 = 58,
    PROTO_NONE = 59,
    PROTO_DSTOPTS = 60,
    PROTO_SCTP = 132,

    IPV6_LEN = EXTRACT_IPV6_LEN,
    ARP_LEN = 28,
    PBB_LEN = 18, /* I-TAG TCI, customer addresses and type. */
    ND_LEN = 24,
};

/* One frame being parsed.  'off' <= 'len' <= 'end' at all times but for
 * 'end', which IP lengths may pull below 'len'. */
struct cursor {
    const uint8_t *p;
    size_t len; /* Readable. */
    size_t end; /* Of the packet that the current header describes. */
    size_t off; /* Of the next header. */
    struct flow_key *k;
    struct pkt_layout *lay;
};

/* Are the next 'n' bytes both part of the packet and readable? */
static inline bool
has(const struct cursor *c, size_t n)
{
    return c->off + n <= c->len && c->off + n <= c->end;
}

/* RFC 4861 §4.6: options of 8-byte units, type and length first. */
static void
parse_nd_options(struct cursor *c, size_t off, size_t end)
{
    static const uint8_t none[6];

    for (int i = 0; i < EXTRACT_MAX_ND_OPTS && off + 8 <= end; i++) {
        const uint8_t *opt = c->p + off;
        size_t size = (size_t) opt[1] * 8;

        if (!size || size > end - off)
            return;
        /* §4.6.1: source (1) and target (2) link-layer address. */
        if (opt[0] == 1 && opt[1] == 1 && !memcmp(c->k->nd_sll, none, 6))
            memcpy(c->k->nd_sll, opt + 2, 6);
        else if (opt[0] == 2 && opt[1] == 1 && !memcmp(c->k->nd_tll, none, 6))
            memcpy(c->k->nd_tll, opt + 2, 6);
        off += size;
    }
}

static int
parse_icmpv6(struct cursor *c)
{
    const uint8_t *p = c->p + c->off;

    if (!has(c, 4)) /* RFC 4443 §2.1. */
        return DROP_PARSE_L4;
    c->k->tp_src = be16_from(p[0]);
    c->k->tp_dst = be16_from(p[1]);
    c->lay->payload = (uint16_t) (c->off + 4);
    /* RFC 4861 §4.3, §4.4: solicitation and advertisement, code 0. */
    if ((p[0] != 135 && p[0] != 136) || p[1])
        return EXTRACT_OK;
    if (!has(c, ND_LEN))
        return DROP_PARSE_L4;
    memcpy(c->k->nd_target, p + 8, 16);
    parse_nd_options(c, c->off + ND_LEN, WEFT_MIN(c->len, c->end));
    return EXTRACT_OK;
}

static int
parse_tcp(struct cursor *c)
{
    const uint8_t *p = c->p + c->off;

    if (!has(c, 20))
        return DROP_PARSE_L4;

    size_t size = (size_t) (p[12] >> 4) * 4;

    if (size < 20 || !has(c, size))
        return DROP_PARSE_L4;
    c->k->tcp_flags = be16_from(extract_tcp_flags(p));
    c->lay->payload = (uint16_t) (c->off + size);
    return EXTRACT_OK;
}

/* Transport header at c->off, of a packet that is no later fragment. */
static int
parse_l4(struct cursor *c, uint8_t proto, bool v6)
{
    const uint8_t *p = c->p + c->off;
    size_t size;
    int err = EXTRACT_OK;

    c->lay->payload = (uint16_t) c->off;
    if (proto == (v6 ? PROTO_ICMPV6 : PROTO_ICMP)) {
        c->lay->l4 = (uint16_t) c->off;
        if (v6)
            return parse_icmpv6(c);
        if (!has(c, 8)) /* RFC 792: every message has 8 bytes. */
            return DROP_PARSE_L4;
        c->k->tp_src = be16_from(p[0]);
        c->k->tp_dst = be16_from(p[1]);
        c->lay->payload = (uint16_t) (c->off + 8);
        return EXTRACT_OK;
    }

    switch (proto) {
    case EXTRACT_TCP:
        size = 0;
        err = parse_tcp(c);
        break;
    case EXTRACT_UDP:
        size = 8;
        break;
    case PROTO_SCTP:
        size = 12;
        break;
    default:
        return EXTRACT_OK;
    }
    if (err != EXTRACT_OK)
        return err;
    if (!has(c, size))
        return DROP_PARSE_L4;
    c->lay->l4 = (uint16_t) c->off;
    if (size)
        c->lay->payload = (uint16_t) (c->off + size);
    memcpy(&c->k->tp_src, p, 2);
    memcpy(&c->k->tp_dst, p + 2, 2);
    return EXTRACT_OK;
}

/* RFC 791 §3.1. */
static int
parse_ipv4(struct cursor *c)
{
    const uint8_t *p = c->p + c->off;
    struct flow_key *k = c->k;

    if (!has(c, EXTRACT_IPV4_LEN) || p[0] >> 4 != 4)
        return DROP_PARSE_IPV4;

    size_t ihl = (size_t) (p[0] & 15) * 4, total = get_be16(p + 2);
    uint16_t frag = get_be16(p + 6);

    if (ihl < EXTRACT_IPV4_LEN || !has(c, ihl) || total < ihl
        || total > c->end - c->off)
        return DROP_PARSE_IPV4;
    c->end = c->off + total;
    k->ip_proto = p[9];
    k->ip_tos = p[1];
    k->ip_ttl = p[8];
    memcpy(&k->ip_src, p + 12, 4);
    memcpy(&k->ip_dst, p + 16, 4);
    c->off += ihl;
    c->lay->payload = (uint16_t) c->off;
    if (frag & 0x3fff) /* More fragments, or an offset. */
        k->nw_flags |= FLOW_NW_FRAG_ANY;
    if (frag & 0x1fff) {
        k->nw_flags |= FLOW_NW_FRAG_LATER;
        return EXTRACT_OK;
    }
    return parse_l4(c, p[9], false);
}

/* What has been seen of the extension headers so far. */
struct exthdrs {
    unsigned bits;
    unsigned rank; /* Of the last one in RFC 8200 §4.1's order. */
    unsigned n_dest;
};

/* Adds a header to 'x'.  Destination options may come twice: before the
 * routing header and at the end (RFC 8200 §4.1). */
static void
exthdr_add(struct exthdrs *x, unsigned bit, unsigned rank)
{
    if (bit == FLOW_IEH_DEST) {
        rank = x->n_dest || x->rank > 2 ? 7 : 2;
        if (x->n_dest++ >= 2)
            x->bits |= FLOW_IEH_UNREP;
    } else if (x->bits & bit) {
        x->bits |= FLOW_IEH_UNREP;
    }
    if (rank < x->rank)
        x->bits |= FLOW_IEH_UNSEQ;
    x->bits |= bit;
    x->rank = rank;
}

/* One extension header 'nh' at c->off; *more is false when the walk ends
 * there.  Returns the next header number, or -1 when it is truncated. */
static int
parse_exthdr(struct cursor *c, int nh, struct exthdrs *x, bool *more)
{
    static const struct {
        uint8_t nh, rank;
        uint16_t bit;
    } kinds[] = {
        { PROTO_HOPOPTS, 1, FLOW_IEH_HOP },
        { PROTO_DSTOPTS, 2, FLOW_IEH_DEST },
        { PROTO_ROUTING, 3, FLOW_IEH_ROUTER },
        { PROTO_FRAGMENT, 4, FLOW_IEH_FRAG },
        { PROTO_AH, 5, FLOW_IEH_AUTH },
        { PROTO_ESP, 6, FLOW_IEH_ESP },
        { PROTO_NONE, 8, FLOW_IEH_NONEXT },
    };
    const uint8_t *p = c->p + c->off;
    unsigned i;

    for (i = 0; i < WEFT_ARRAY_LEN(kinds); i++)
        if (kinds[i].nh == nh)
            break;
    *more = false;
    if (i == WEFT_ARRAY_LEN(kinds))
        return nh;
    exthdr_add(x, kinds[i].bit, kinds[i].rank);
    if (nh == PROTO_ESP || nh == PROTO_NONE)
        return nh;
    if (!has(c, 8))
        return -1;

    /* RFC 4302 §2.2: AH counts 4-byte units less 2. */
    size_t size = nh == PROTO_FRAGMENT ? 8
                  : nh == PROTO_AH     ? ((size_t) p[1] + 2) * 4
                                       : ((size_t) p[1] + 1) * 8;
    if (!has(c, size))
        return -1;
    *more = true;
    if (nh == PROTO_FRAGMENT) {
        uint16_t frag = get_be16(p + 2);

        if (frag & 0xfff9) /* Not atomic (RFC 6946). */
            c->k->nw_flags |= FLOW_NW_FRAG_ANY;
        if (frag & 0xfff8) {
            c->k->nw_flags |= FLOW_NW_FRAG_LATER;
            *more = false;
        }
    }
    c->off += size;
    return p[0];
}

/* RFC 8200 §3. */
static int
parse_ipv6(struct cursor *c)
{
    const uint8_t *p = c->p + c->off;
    struct flow_key *k = c->k;
    struct exthdrs x = { 0 };
    bool more = true;

    if (!has(c, IPV6_LEN) || p[0] >> 4 != 6)
        return DROP_PARSE_IPV6;

    size_t plen = get_be16(p + 4);
    int nh = p[6];

    c->off += IPV6_LEN;
    /* RFC 2675: length 0 with hop-by-hop options is a jumbogram. */
    if (plen > c->end - c->off)
        return DROP_PARSE_IPV6;
    if (plen || nh != PROTO_HOPOPTS)
        c->end = c->off + plen;
    k->ip_tos = (uint8_t) (get_be16(p) >> 4);
    k->ip_ttl = p[7];
    k->ipv6_label = be32_from(get_be32(p) & 0xfffff);
    memcpy(k->ipv6_src, p + 8, 16);
    memcpy(k->ipv6_dst, p + 24, 16);
    c->lay->line1 = true;

    for (int i = 0; more && i <= EXTRACT_MAX_EXTHDR; i++) {
        nh = parse_exthdr(c, nh, &x, &more);
        if (nh < 0)
            return DROP_PARSE_IPV6;
    }
    if (more)
        return DROP_PARSE_IPV6;
    k->ip_proto = (uint8_t) nh;
    k->ipv6_exthdr = be16_from((uint16_t) x.bits);
    c->lay->payload = (uint16_t) c->off;
    if (k->nw_flags & FLOW_NW_FRAG_LATER)
        return EXTRACT_OK;
    return parse_l4(c, (uint8_t) nh, true);
}

/* RFC 826: htype, ptype, hlen, plen, op, addresses. */
static int
parse_arp(struct cursor *c)
{
    const uint8_t *p = c->p + c->off;

    if (!has(c, 8))
        return DROP_PARSE_ARP;
    memcpy(&c->k->tp_src, p + 6, 2);
    c->lay->payload = (uint16_t) (c->off + 8);
    if (get_be32(p) != 0x00010800 || get_be16(p + 4) != 0x0604)
        return EXTRACT_OK;
    if (!has(c, ARP_LEN))
        return DROP_PARSE_ARP;
    memcpy(c->k->nd_sll, p + 8, 6);
    memcpy(&c->k->ip_src, p + 14, 4);
    memcpy(c->k->nd_tll, p + 18, 6);
    memcpy(&c->k->ip_dst, p + 24, 4);
    c->lay->line1 = true;
    c->lay->payload = (uint16_t) (c->off + ARP_LEN);
    return EXTRACT_OK;
}

/* RFC 3032 §2.1: the key has the top entry, l3 is behind the last one. */
static int
parse_mpls(struct cursor *c)
{
    uint32_t lse = 0;

    c->lay->l2_5 = (uint16_t) c->off;
    for (int i = 0; i < EXTRACT_MAX_MPLS && !(lse & 0x100); i++) {
        if (!has(c, 4))
            return DROP_PARSE_MPLS;
        lse = get_be32(c->p + c->off);
        if (!i)
            c->k->mpls_lse = be32_from(lse);
        else
            c->k->nw_flags |= FLOW_NW_MORE_MPLS;
        c->off += 4;
    }
    c->lay->l3 = lse & 0x100 ? (uint16_t) c->off : 0;
    c->lay->payload = (uint16_t) c->off;
    return EXTRACT_OK;
}

/* IEEE 802.1ah §9.7: PCP(3) DEI(1) UCA(1) reserved(3) I-SID(24). */
static int
parse_pbb(struct cursor *c)
{
    if (!has(c, PBB_LEN))
        return DROP_PARSE_PBB;

    uint32_t tci = get_be32(c->p + c->off);

    c->k->pbb_isid = be32_from((tci & 0xffffff) | (tci >> 3 & 0x1000000));
    c->lay->l2_5 = (uint16_t) c->off;
    c->lay->l3 = (uint16_t) (c->off + 4);
    c->lay->payload = c->lay->l3;
    return EXTRACT_OK;
}

/* Tags and type; leaves c->off behind the type. */
static int
parse_l2(struct cursor *c, uint16_t *type)
{
    unsigned n = 0;

    extract_macs(c->k, c->p);
    c->off = 12;
    *type = get_be16(c->p + 12);
    for (; (*type == TYPE_VLAN || *type == TYPE_QINQ) && n < EXTRACT_MAX_VLAN;
         n++) {
        if (!has(c, 6))
            return DROP_PARSE_VLAN;
        if (!n)
            c->k->vlan_tci = be16_from(get_be16(c->p + c->off + 2)
                                       | FLOW_VLAN_PRESENT);
        c->off += 4;
        *type = get_be16(c->p + c->off);
    }
    c->off += 2;
    if (n > 1)
        c->k->nw_flags |= FLOW_NW_MORE_VLAN;
    if (*type < ETH_TYPE_MIN)
        *type = FLOW_ETH_TYPE_NOT_ETH2;
    c->k->eth_type = be16_from(*type);
    c->lay->n_vlan = (uint8_t) n;
    return EXTRACT_OK;
}

/* Everything but the common frame. */
static int
extract_any(struct cursor *c)
{
    uint16_t type;

    memset((uint8_t *) c->k + 32, 0, 32);
    *c->lay = (struct pkt_layout) { 0 };

    int err = parse_l2(c, &type);

    if (err != EXTRACT_OK)
        return err;
    c->lay->l3 = (uint16_t) c->off;
    c->lay->payload = (uint16_t) c->off;
    switch (type) {
    case EXTRACT_IPV4:
        return parse_ipv4(c);
    case TYPE_IPV6:
        return parse_ipv6(c);
    case TYPE_ARP:
        return parse_arp(c);
    case TYPE_MPLS:
    case TYPE_MPLS_MC:
        return parse_mpls(c);
    case TYPE_PBB:
        return parse_pbb(c);
    default:
        return EXTRACT_OK;
    }
}

int
extract_frame_walk(const uint8_t *p, size_t len, size_t frame_len,
                   struct flow_key *k, struct pkt_layout *lay)
{
    struct cursor c = {
        .p = p, .len = len, .end = frame_len, .k = k, .lay = lay,
    };

    static_assert(FLOW_KEY_SEQ == 2, "new member: is it extracted?");

    if (weft_unlikely(lay->line1)) {
        memset((uint8_t *) k + 64, 0, 64);
        lay->line1 = false;
    }
    if (weft_unlikely(len < EXTRACT_ETH_LEN))
        return DROP_RX_RUNT;
    return extract_any(&c);
}

int
extract_frame(const uint8_t *p, size_t len, size_t frame_len,
              struct flow_key *k, struct pkt_layout *lay)
{
    if (extract_plain(p, len, frame_len, k, lay))
        return EXTRACT_OK;
    return extract_frame_walk(p, len, frame_len, k, lay);
}
