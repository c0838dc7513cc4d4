/* SPDX-License-Identifier: Apache-2.0 */
/* The actions of the reference interpreter.
 *
 * Each is written from the specification onto plain bytes.  An action on a
 * header that the frame does not have does nothing, except that nothing can
 * be popped from a frame without tags. */
#include "datapath/interp_priv.h"

#include <string.h>

enum {
    ETH_IPV4 = 0x0800,
    ETH_ARP = 0x0806,
    ETH_IPV6 = 0x86dd,
    ETH_MPLS = 0x8847,
    ETH_MPLS_MC = 0x8848,
    ETH_PBB = 0x88e7,
    ICMP = 1,
    TCP = 6,
    UDP = 17,
    FRAGMENT = 44,
    AH = 51,
    ICMPV6 = 58,
    SCTP = 132,
};

int
interp_parse(struct interp_frame *f)
{
    return extract_key(f->p, f->len, &f->k, &f->lay);
}

static bool
is_type(const struct interp_frame *f, uint16_t type)
{
    return be16_to(f->k.eth_type) == type;
}

static bool
is_mpls(const struct interp_frame *f)
{
    return is_type(f, ETH_MPLS) || is_type(f, ETH_MPLS_MC);
}

static bool
is_tagged(const struct interp_frame *f)
{
    return be16_to(f->k.vlan_tci) & FLOW_VLAN_PRESENT;
}

static bool
is_arp_ipv4(const struct interp_frame *f)
{
    return is_type(f, ETH_ARP)
           && !memcmp(f->p + f->lay.l3, "\0\1\x08\0\6\4", 6);
}

static bool
is_nd(const struct interp_frame *f)
{
    return is_type(f, ETH_IPV6) && f->lay.l4 && f->k.ip_proto == ICMPV6
           && (be16_to(f->k.tp_src) == 135 || be16_to(f->k.tp_src) == 136)
           && !f->k.tp_dst;
}

/* -------------------------------------------------------------- checksums */

/* RFC 1071: 16-bit words, a last odd byte padded with zero. */
static uint64_t
sum16(const uint8_t *p, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += i & 1 ? p[i] : (uint64_t) p[i] << 8;
    return sum;
}

static uint16_t
fold16(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) sum;
}

/* End of the IP packet: what is behind it is padding. */
static size_t
ip_end(const struct interp_frame *f)
{
    const uint8_t *ip = f->p + f->lay.l3;
    size_t n = is_type(f, ETH_IPV4) ? get_be16(ip + 2)
                                    : get_be16(ip + 4) + 40u;

    return f->lay.l3 + n < f->len ? f->lay.l3 + n : f->len;
}

/* The byte that names the upper-layer protocol: RFC 791 §3.1, or the next
 * header of the last header in front of it (RFC 8200 §4). */
static uint8_t *
proto_byte(const struct interp_frame *f)
{
    uint8_t *ip = f->p + f->lay.l3, *nh = ip + 6, *p = ip + 40;
    const uint8_t *end = f->p + (f->lay.l4 ? f->lay.l4 : f->lay.payload);

    if (is_type(f, ETH_IPV4))
        return ip + 9;
    while (p < end) {
        unsigned size = *nh == FRAGMENT ? 8 : *nh == AH ? (p[1] + 2u) * 4
                                                        : (p[1] + 1u) * 8;

        nh = p;
        p += size;
    }
    return nh;
}

/* A checksum must cover what it covered before, whether it was right or not:
 * all of it is summed before and after a change, and the field gets the
 * difference. */
struct cover {
    uint8_t *field; /* NULL: there is no checksum to keep. */
    uint64_t before;
    bool ip_header, pseudo, udp;
};

static uint64_t
cover_sum(const struct interp_frame *f, const struct cover *c)
{
    const uint8_t *ip = f->p + f->lay.l3;
    uint64_t sum = 0;
    uint16_t own = get_be16(c->field);

    if (c->ip_header)
        return sum16(ip, (ip[0] & 15u) * 4u) - own;
    if (c->pseudo)
        sum += *proto_byte(f) + (is_type(f, ETH_IPV4) ? sum16(ip + 12, 8)
                                                      : sum16(ip + 8, 32));
    return sum + sum16(f->p + f->lay.l4, ip_end(f) - f->lay.l4) - own;
}

static void
cover_begin_ip(const struct interp_frame *f, struct cover *c)
{
    *c = (struct cover) { .ip_header = true };
    if (!is_type(f, ETH_IPV4))
        return;
    c->field = f->p + f->lay.l3 + 10;
    c->before = cover_sum(f, c);
}

static void
cover_begin_l4(const struct interp_frame *f, struct cover *c)
{
    bool v6 = is_type(f, ETH_IPV6);
    uint8_t *l4 = f->p + f->lay.l4;

    *c = (struct cover) { .pseudo = true };
    if (!f->lay.l4)
        return;
    switch (f->k.ip_proto) {
    case TCP:
        c->field = l4 + 16;
        break;
    case UDP:
        c->field = l4 + 6;
        c->udp = true;
        if (!get_be16(c->field)) /* RFC 768: no checksum. */
            c->field = NULL;
        break;
    case ICMP:
    case ICMPV6:
        c->field = l4 + 2;
        c->pseudo = v6; /* RFC 4443 §2.3; RFC 792 has none. */
        break;
    }
    if (c->field)
        c->before = cover_sum(f, c);
}

static void
cover_end(const struct interp_frame *f, const struct cover *c)
{
    uint16_t sum;

    if (!c->field)
        return;
    /* One's complement: minus x is not x. */
    sum = fold16((uint16_t) ~get_be16(c->field)
                 + (uint64_t) (uint16_t) ~fold16(c->before)
                 + fold16(cover_sum(f, c)));
    sum = (uint16_t) ~sum;
    put_be16(c->field, c->udp && !sum ? 0xffff : sum);
}

/* RFC 4960 appendix B, bit by bit. */
static void
sctp_crc(struct interp_frame *f)
{
    uint32_t crc = UINT32_MAX;
    size_t end = ip_end(f);

    if (f->k.nw_flags & FLOW_NW_FRAG_ANY || end < f->lay.l4 + 12u)
        return;
    memset(f->p + f->lay.l4 + 8, 0, 4);
    for (size_t i = f->lay.l4; i < end; i++) {
        crc ^= f->p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
    }
    crc = ~crc;
    for (int i = 0; i < 4; i++)
        f->p[f->lay.l4 + 8 + i] = (uint8_t) (crc >> 8 * i);
}

/* --------------------------------------------------------------- set-field */

struct set {
    const uint8_t *v, *m; /* Value and mask of the key's member. */
    unsigned n;           /* Their width. */
};

static void
write_masked(uint8_t *p, const struct set *s)
{
    for (unsigned i = 0; i < s->n; i++)
        p[i] = (uint8_t) ((p[i] & ~s->m[i]) | (s->v[i] & s->m[i]));
}

static void
set_vlan(struct interp_frame *f, const struct set *s)
{
    /* The bit of "present" is not the frame's: DEI is there. */
    uint8_t m[2] = { s->m[0] & 0xef, s->m[1] };
    struct set tci = { s->v, m, 2 };

    if (!is_tagged(f))
        return;
    write_masked(f->p + 14, &tci);
    f->k.vlan_tci = be16_from(get_be16(f->p + 14) | FLOW_VLAN_PRESENT);
}

/* Eight bits that begin in the middle of a byte, in IPv6. */
static void
set_tos(struct interp_frame *f, const struct set *s)
{
    uint8_t *ip = f->p + f->lay.l3;
    struct cover c;

    if (is_type(f, ETH_IPV4)) {
        cover_begin_ip(f, &c);
        write_masked(ip + 1, s);
        cover_end(f, &c);
    } else if (is_type(f, ETH_IPV6)) {
        unsigned tc = (ip[0] & 15u) << 4 | ip[1] >> 4;

        tc = (tc & ~(unsigned) s->m[0]) | (s->v[0] & s->m[0]);
        ip[0] = (uint8_t) ((ip[0] & 0xf0) | tc >> 4);
        ip[1] = (uint8_t) (tc << 4 | (ip[1] & 15));
    }
}

static void
set_proto(struct interp_frame *f, const struct set *s)
{
    struct cover ip, l4;

    if (!is_type(f, ETH_IPV4) && !is_type(f, ETH_IPV6))
        return;
    cover_begin_ip(f, &ip);
    cover_begin_l4(f, &l4);
    write_masked(proto_byte(f), s);
    cover_end(f, &l4);
    cover_end(f, &ip);
}

static void
set_addr(struct interp_frame *f, const struct set *s, bool dst)
{
    uint8_t *l3 = f->p + f->lay.l3;
    struct cover ip, l4;

    if (s->n == 16 && is_type(f, ETH_IPV6)) {
        cover_begin_l4(f, &l4);
        /* RFC 8200 §8.1: the final destination is in the routing header. */
        if (dst && be16_to(f->k.ipv6_exthdr) & FLOW_IEH_ROUTER)
            l4.field = NULL;
        write_masked(l3 + (dst ? 24 : 8), s);
        cover_end(f, &l4);
    } else if (s->n == 4 && is_type(f, ETH_IPV4)) {
        cover_begin_ip(f, &ip);
        cover_begin_l4(f, &l4);
        write_masked(l3 + (dst ? 16 : 12), s);
        cover_end(f, &l4);
        cover_end(f, &ip);
    } else if (s->n == 4 && is_arp_ipv4(f)) {
        write_masked(l3 + (dst ? 24 : 14), s);
    }
}

static void
set_port(struct interp_frame *f, const struct set *s, bool dst)
{
    uint8_t *l4 = f->p + f->lay.l4;
    struct set low = { s->v + 1, s->m + 1, 1 };
    struct cover c;

    if (is_type(f, ETH_ARP)) {
        if (!dst)
            write_masked(f->p + f->lay.l3 + 6, s);
        return;
    }
    if (!f->lay.l4)
        return;
    cover_begin_l4(f, &c);
    if (f->k.ip_proto == ICMP || f->k.ip_proto == ICMPV6)
        write_masked(l4 + dst, &low); /* Type and code are bytes. */
    else
        write_masked(l4 + 2 * dst, s);
    cover_end(f, &c);
    if (f->k.ip_proto == SCTP)
        sctp_crc(f);
}

static void
set_tcp_flags(struct interp_frame *f, const struct set *s)
{
    struct cover c;

    if (!f->lay.l4 || f->k.ip_proto != TCP)
        return;
    cover_begin_l4(f, &c);
    write_masked(f->p + f->lay.l4 + 12, s); /* Behind the data offset. */
    cover_end(f, &c);
}

/* RFC 4861 §4.6: first option of the type with a 6-byte address. */
static uint8_t *
nd_option(struct interp_frame *f, uint8_t type)
{
    size_t off = f->lay.l4 + 24u, end = ip_end(f);

    for (int i = 0; i < EXTRACT_MAX_ND_OPTS && off + 8 <= end; i++) {
        uint8_t *o = f->p + off;

        if (!o[1] || o[1] * 8u > end - off)
            return NULL;
        if (o[0] == type && o[1] == 1)
            return o + 2;
        off += o[1] * 8u;
    }
    return NULL;
}

static void
set_nd(struct interp_frame *f, const struct set *s, unsigned member)
{
    bool target = member == offsetof(struct flow_key, nd_tll);
    uint8_t *p = NULL;
    struct cover c;

    if (member != offsetof(struct flow_key, nd_target) && is_arp_ipv4(f)) {
        write_masked(f->p + f->lay.l3 + (target ? 18 : 8), s);
        return;
    }
    if (!is_nd(f))
        return;
    p = member == offsetof(struct flow_key, nd_target)
            ? f->p + f->lay.l4 + 8
            : nd_option(f, target ? 2 : 1);
    if (!p)
        return;
    cover_begin_l4(f, &c);
    write_masked(p, s);
    cover_end(f, &c);
}

static void
set_tag(struct interp_frame *f, const struct set *s, unsigned member)
{
    struct set isid = { s->v + 1, s->m + 1, 3 };
    uint8_t *itag = f->p + f->lay.l2_5;

    if (member == offsetof(struct flow_key, mpls_lse) && is_mpls(f))
        write_masked(f->p + f->lay.l2_5, s);
    if (member != offsetof(struct flow_key, pbb_isid) || !is_type(f, ETH_PBB))
        return;
    write_masked(itag + 1, &isid);
    /* IEEE 802.1ah §9.7: PCP(3) DEI(1) UCA(1). */
    if (s->m[0] & 1)
        itag[0] = (uint8_t) ((itag[0] & 0xf7) | (s->v[0] & 1) << 3);
}

static void
set_field(struct interp_frame *f, const struct dp_op *op)
{
    const struct flow_field *fd = &flow_fields[op->aux];
    struct set s = { op->data, op->data + fd->width, fd->width };

    switch (fd->offset) {
    case offsetof(struct flow_key, eth_dst):
        write_masked(f->p, &s);
        break;
    case offsetof(struct flow_key, eth_src):
        write_masked(f->p + 6, &s);
        break;
    case offsetof(struct flow_key, eth_type):
        write_masked(f->p + 12 + 4 * f->lay.n_vlan, &s);
        break;
    case offsetof(struct flow_key, vlan_tci):
        set_vlan(f, &s);
        break;
    case offsetof(struct flow_key, ip_tos):
        set_tos(f, &s);
        break;
    case offsetof(struct flow_key, ip_proto):
        set_proto(f, &s);
        break;
    case offsetof(struct flow_key, ip_src):
    case offsetof(struct flow_key, ipv6_src):
        set_addr(f, &s, false);
        break;
    case offsetof(struct flow_key, ip_dst):
    case offsetof(struct flow_key, ipv6_dst):
        set_addr(f, &s, true);
        break;
    case offsetof(struct flow_key, tp_src):
        set_port(f, &s, false);
        break;
    case offsetof(struct flow_key, tp_dst):
        set_port(f, &s, true);
        break;
    case offsetof(struct flow_key, tcp_flags):
        set_tcp_flags(f, &s);
        break;
    case offsetof(struct flow_key, ipv6_label):
        if (is_type(f, ETH_IPV6))
            write_masked(f->p + f->lay.l3, &s);
        break;
    case offsetof(struct flow_key, nd_target):
    case offsetof(struct flow_key, nd_sll):
    case offsetof(struct flow_key, nd_tll):
        set_nd(f, &s, fd->offset);
        break;
    case offsetof(struct flow_key, mpls_lse):
    case offsetof(struct flow_key, pbb_isid):
        set_tag(f, &s, fd->offset);
        break;
    default: /* tun_id, tun_src, tun_dst, metadata: not in the frame. */
        write_masked((uint8_t *) &f->k + fd->offset, &s);
        break;
    }
}

/* ------------------------------------------------------------ push and pop */

static bool
insert(struct interp_frame *f, size_t off, size_t n)
{
    if ((size_t) (f->p - f->room) < n)
        return false;
    memmove(f->p - n, f->p, off);
    f->p -= n;
    f->len += n;
    return true;
}

static void
cut(struct interp_frame *f, size_t off, size_t n)
{
    memmove(f->p + n, f->p, off);
    f->p += n;
    f->len -= n;
}

/* What stands behind the tags has moved; it need not be parsed again, so a
 * type that was just set to something else does no harm here. */
static void
shift_layout(struct pkt_layout *l, int by)
{
    l->l2_5 = (uint16_t) (l->l2_5 ? l->l2_5 + by : 0);
    l->l3 = (uint16_t) (l->l3 ? l->l3 + by : 0);
    l->l4 = (uint16_t) (l->l4 ? l->l4 + by : 0);
    l->payload = (uint16_t) (l->payload + by);
}

/* §5.12.1: a new tag has the values of the tag below it. */
static int
push_vlan(struct interp_frame *f, const struct dp_op *op)
{
    uint16_t tci = is_tagged(f) ? get_be16(f->p + 14) : 0;

    if (is_tagged(f) && op->aux & 1)
        return -1;
    if (!insert(f, 12, 4))
        return DROP_NO_HEADROOM;
    put_be16(f->p + 12, (uint16_t) op->arg);
    put_be16(f->p + 14, tci);
    shift_layout(&f->lay, 4);
    if (f->lay.n_vlan++)
        f->k.nw_flags |= FLOW_NW_MORE_VLAN;
    f->k.vlan_tci = be16_from(tci | FLOW_VLAN_PRESENT);
    return -1;
}

static int
pop_vlan(struct interp_frame *f, const struct dp_op *op)
{
    if (!is_tagged(f))
        return op->aux & 1 ? -1 : DROP_NO_TAG;
    cut(f, 12, 4);
    if (f->k.nw_flags & FLOW_NW_MORE_VLAN)
        return interp_parse(f); /* For the tag below. */
    shift_layout(&f->lay, -4);
    f->lay.n_vlan = 0;
    f->k.vlan_tci = 0;
    return -1;
}

/* §5.12.1: label, TC and TTL of the label below; the first takes IP's TTL and
 * is the bottom of the stack. */
static int
push_mpls(struct interp_frame *f, const struct dp_op *op)
{
    size_t off = 14u + 4u * f->lay.n_vlan;
    uint32_t lse = 0x100;

    if (is_mpls(f))
        lse = get_be32(f->p + f->lay.l2_5) & ~UINT32_C(0x100);
    else if (is_type(f, ETH_IPV4))
        lse |= f->p[f->lay.l3 + 8];
    else if (is_type(f, ETH_IPV6))
        lse |= f->p[f->lay.l3 + 7];
    if (!insert(f, off, 4))
        return DROP_NO_HEADROOM;
    put_be16(f->p + off - 2, (uint16_t) op->arg);
    put_be32(f->p + off, lse);
    return interp_parse(f);
}

static int
pop_mpls(struct interp_frame *f, const struct dp_op *op)
{
    size_t off = f->lay.l2_5;

    if (!is_mpls(f))
        return DROP_NO_TAG;
    put_be16(f->p + off - 2, (uint16_t) op->arg);
    cut(f, off, 4);
    return interp_parse(f);
}

/* §5.12.1: I-SID of the tag below, else 0; PCP of the VLAN tag. */
static int
push_pbb(struct interp_frame *f, const struct dp_op *op)
{
    uint32_t tag = 0;

    if (is_type(f, ETH_PBB))
        tag = get_be32(f->p + f->lay.l2_5) & 0xe8ffffff;
    else if (is_tagged(f))
        tag = (uint32_t) (f->p[14] & 0xe0) << 24;
    if (!insert(f, 0, 18))
        return DROP_NO_HEADROOM;
    memcpy(f->p, f->p + 18, 12);
    put_be16(f->p + 12, (uint16_t) op->arg);
    put_be32(f->p + 14, tag);
    return interp_parse(f);
}

static int
pop_pbb(struct interp_frame *f)
{
    if (!is_type(f, ETH_PBB))
        return DROP_NO_TAG;
    cut(f, 0, f->lay.l2_5 + 4u);
    return interp_parse(f);
}

/* -------------------------------------------------------------------- TTLs */

/* A TTL byte, and the IPv4 header whose checksum covers it. */
struct ttl {
    uint8_t *at;   /* NULL: there is none. */
    uint8_t *ipv4; /* NULL: no checksum. */
};

static struct ttl
ip_ttl(const struct interp_frame *f)
{
    uint8_t *l3 = f->p + f->lay.l3;

    if (is_type(f, ETH_IPV4))
        return (struct ttl) { l3 + 8, l3 };
    return (struct ttl) { is_type(f, ETH_IPV6) ? l3 + 7 : NULL, NULL };
}

static struct ttl
mpls_ttl(const struct interp_frame *f)
{
    return (struct ttl) { is_mpls(f) ? f->p + f->lay.l2_5 + 3 : NULL, NULL };
}

/* Below the top label: the next label's, or that of the IP packet. */
static struct ttl
below_ttl(const struct interp_frame *f)
{
    size_t off = f->lay.l2_5 + 4u;
    uint8_t *p = f->p + off;

    if (!is_mpls(f) || off + 4 > f->len)
        return (struct ttl) { NULL, NULL };
    if (!(p[-2] & 1))
        return (struct ttl) { p + 3, NULL };
    if (off + 20 > f->len)
        return (struct ttl) { NULL, NULL };
    if (p[0] >> 4 == 4)
        return (struct ttl) { p + 8, p };
    return (struct ttl) { p[0] >> 4 == 6 ? p + 7 : NULL, NULL };
}

static void
ttl_set(struct ttl t, uint8_t value)
{
    uint16_t before, after, sum;

    if (!t.at)
        return;
    if (!t.ipv4) {
        *t.at = value;
        return;
    }
    before = get_be16(t.ipv4 + 8);
    *t.at = value;
    after = get_be16(t.ipv4 + 8);
    sum = fold16((uint64_t) (uint16_t) ~get_be16(t.ipv4 + 10)
                 + (uint16_t) ~before + after);
    put_be16(t.ipv4 + 10, (uint16_t) ~sum);
}

static int
ttl_dec(struct ttl t)
{
    if (!t.at)
        return -1;
    if (*t.at <= 1)
        return DROP_BAD_TTL;
    ttl_set(t, (uint8_t) (*t.at - 1));
    return -1;
}

/* Bit by bit: OpenFlow 1.5.1 §7.2.6.8. */
static int
copy_field(struct interp_frame *f, const struct dp_op *op)
{
    const struct dp_copy_field *c = (const void *) op->data;
    const struct flow_field *dst = &flow_fields[c->dst];
    uint64_t buf[1 + 4] = { 0 };
    struct dp_op *set = (struct dp_op *) (void *) buf;
    uint8_t from[16], v[16] = { 0 }, m[16] = { 0 };
    int drop = interp_parse(f);

    if (drop >= 0)
        return drop;
    flow_field_get(&f->k, &flow_fields[c->src], from);
    for (unsigned i = 0; i < c->n_bits; i++) {
        unsigned s = c->src_offset + i, d = c->dst_offset + i;

        m[15 - d / 8] |= (uint8_t) (1 << d % 8);
        if (from[15 - s / 8] >> s % 8 & 1)
            v[15 - d / 8] |= (uint8_t) (1 << d % 8);
    }
    set->aux = c->dst;
    flow_field_to_member(dst, v, set->data);
    flow_field_to_member(dst, m, set->data + dst->width);
    set_field(f, set);
    return -1;
}

int
interp_op(struct interp_frame *f, const struct dp_op *op)
{
    struct ttl from;

    switch (op->code) {
    case DP_OP_SET_FIELD:
        set_field(f, op);
        return -1;
    case DP_OP_COPY_FIELD:
        return copy_field(f, op);
    case DP_OP_PUSH_VLAN:
        return push_vlan(f, op);
    case DP_OP_POP_VLAN:
        return pop_vlan(f, op);
    case DP_OP_PUSH_MPLS:
        return push_mpls(f, op);
    case DP_OP_POP_MPLS:
        return pop_mpls(f, op);
    case DP_OP_PUSH_PBB:
        return push_pbb(f, op);
    case DP_OP_POP_PBB:
        return pop_pbb(f);
    case DP_OP_SET_NW_TTL:
        ttl_set(ip_ttl(f), (uint8_t) op->arg);
        return -1;
    case DP_OP_DEC_NW_TTL:
        return ttl_dec(ip_ttl(f));
    case DP_OP_SET_MPLS_TTL:
        ttl_set(mpls_ttl(f), (uint8_t) op->arg);
        return -1;
    case DP_OP_DEC_MPLS_TTL:
        return ttl_dec(mpls_ttl(f));
    case DP_OP_COPY_TTL_OUT:
        from = below_ttl(f);
        if (from.at)
            ttl_set(mpls_ttl(f), *from.at);
        return -1;
    case DP_OP_COPY_TTL_IN:
        from = mpls_ttl(f);
        if (from.at)
            ttl_set(below_ttl(f), *from.at);
        return -1;
    case DP_OP_SET_QUEUE:
        return -1;
    default:
        return DROP_UNKNOWN_OP;
    }
}
