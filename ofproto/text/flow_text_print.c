/* SPDX-License-Identifier: Apache-2.0 */
/* Matches as text.
 *
 * Model: 'left' is the part of the mask that no word has said yet; every
 *        word clears its bits, so nothing is said twice and nothing that is
 *        matched is forgotten.  Fields come in ovs-ofctl's order.  What the
 *        flow cache matches although the protocol has no such field (always
 *        zero there) is left out. */
#include "flow_text_priv.h"

#include <inttypes.h>

#include "ofproto/ofproto.h"
#include "ofproto/oxm.h"
#include "utils/base/addr.h"

struct printer {
    struct base_str *s;
    size_t start; /* Of the match in 's'. */
    const struct flow_match *m;
    struct flow_key left;
};

/* ----------------------------------------------------------------- values */

/* Length of the prefix that 'mask' is, -1: none. */
static int
prefix_len(const uint8_t *mask, unsigned n)
{
    unsigned len = 0;

    while (len < 8 * n && mask[len / 8] & 0x80 >> len % 8)
        len++;
    for (unsigned i = len; i < 8 * n; i++)
        if (mask[i / 8] & 0x80 >> i % 8)
            return -1;
    return (int) len;
}

static void
add_addr(struct base_str *s, const uint8_t *a, unsigned n)
{
    char buf[BASE_IPV6_LEN];
    uint32_t v4;

    if (n == 16) {
        base_str_add(s, base_format_ipv6(a, buf));
    } else if (n == 6) {
        base_str_add(s, base_format_mac(a, buf));
    } else {
        memcpy(&v4, a, 4);
        base_str_add(s, base_format_ipv4(v4, buf));
    }
}

static void
add_addr_masked(struct base_str *s, const uint8_t *v, const uint8_t *mask,
                unsigned n)
{
    int prefix = prefix_len(mask, n);

    add_addr(s, v, n);
    if (prefix == 8 * (int) n)
        return;
    base_str_add(s, "/");
    if (prefix >= 0 && n != 6) /* ovs-ofctl knows no prefix of a MAC. */
        base_str_addf(s, "%d", prefix);
    else
        add_addr(s, mask, n);
}

void
text_add_value(struct base_str *s, const struct flow_field *f,
               const uint8_t v[16], const uint8_t mask[16])
{
    uint64_t full = f->bits < 64 ? (UINT64_C(1) << f->bits) - 1 : UINT64_MAX;
    uint64_t n = get_be64(v + 8), m = get_be64(mask + 8);
    char buf[PORT_NAME_MAX];

    switch ((enum flow_fmt) f->fmt) {
    case FLOW_FMT_MAC:
        add_addr_masked(s, v + 10, mask + 10, 6);
        return;
    case FLOW_FMT_IPV4:
        add_addr_masked(s, v + 12, mask + 12, 4);
        return;
    case FLOW_FMT_IPV6:
        add_addr_masked(s, v, mask, 16);
        return;
    case FLOW_FMT_PORT:
    case FLOW_FMT_DEC:
    case FLOW_FMT_HEX:
        break;
    }
    if (f->fmt == FLOW_FMT_HEX && m != full)
        base_str_addf(s, "%#" PRIx64 "/%#" PRIx64, n, m); /* "0", no "0x0" */
    else if (f->fmt == FLOW_FMT_HEX)
        base_str_addf(s, "%#" PRIx64, n);
    else if (m != full)
        base_str_addf(s, "0x%" PRIx64 "/0x%" PRIx64, n, m);
    else if (f->fmt == FLOW_FMT_PORT)
        base_str_add(s, text_port_name((uint32_t) n, buf));
    else
        base_str_addf(s, "%" PRIu64, n);
}

/* ------------------------------------------------------------------ words */

/* Starts a word. */
static void
word(struct printer *p, const char *name)
{
    if (p->s->len > p->start)
        base_str_add(p->s, ",");
    base_str_add(p->s, name);
}

/* Clears what field 'id' covers in 'left'; false: nothing was there.  'v' and
 * 'mask' are the field's. */
static bool
take(struct printer *p, enum flow_field_id id, uint8_t v[16],
     uint8_t mask[16])
{
    static const uint8_t zero[16];
    const struct flow_field *f = &flow_fields[id];

    flow_field_get(&p->left, f, mask);
    if (!memcmp(mask, zero, 16))
        return false;
    flow_field_get(&p->m->key, f, v);
    flow_field_set_masked(&p->left, f, zero, mask);
    return true;
}

static void
field(struct printer *p, enum flow_field_id id, const char *name)
{
    uint8_t v[16], mask[16];

    if (!take(p, id, v, mask))
        return;
    word(p, name);
    base_str_add(p->s, "=");
    text_add_value(p->s, &flow_fields[id], v, mask);
}

/* A member (or a part of it) that is no OpenFlow field. */
static void
number(struct printer *p, const char *name, uint32_t v, uint32_t mask,
       uint32_t full)
{
    if (!mask)
        return;
    word(p, name);
    if (mask == full)
        base_str_addf(p->s, "=%" PRIu32, v);
    else
        base_str_addf(p->s, "=0x%" PRIx32 "/0x%" PRIx32, v, mask);
}

static bool
eth_known(const struct printer *p, uint16_t *type)
{
    *type = be16_to(p->m->key.eth_type);
    return p->m->mask.eth_type == 0xffff;
}

static bool
is(const struct printer *p, enum flow_prereq prereq)
{
    return ofp_prereq_met(p->m, prereq);
}

/* "tcp" instead of "dl_type=0x0800,nw_proto=6". */
static void
protocol(struct printer *p)
{
    const struct text_proto *best = NULL;
    uint16_t type;

    if (!eth_known(p, &type))
        return;
    for (unsigned i = 0; i < n_text_protos; i++) {
        const struct text_proto *t = &text_protos[i];

        if (t->eth_type != type)
            continue;
        if (!t->ip_proto ? !best
                         : p->m->mask.ip_proto == 0xff
                               && p->m->key.ip_proto == t->ip_proto)
            best = t;
    }
    if (!best)
        return;
    word(p, best->name);
    p->left.eth_type = 0;
    if (best->ip_proto)
        p->left.ip_proto = 0;
}

/* Members that the matched protocol cannot have and that are matched as
 * zero: the flow cache stores them, they say nothing. */
static void
skip_absent(struct printer *p)
{
    const struct flow_key *k = &p->m->key;
    struct flow_key *l = &p->left;
    uint16_t type;

    if (!eth_known(p, &type))
        return;

    bool ip = type == ETH_IPV4 || type == ETH_IPV6;
    bool arp = type == ETH_ARP || type == ETH_RARP;
    bool proto = p->m->mask.ip_proto == 0xff;
    bool icmp6 = type == ETH_IPV6 && (!proto || k->ip_proto == IP_ICMPV6);
    bool ports = arp
                 || (ip
                     && (!proto || k->ip_proto == IP_TCP
                         || k->ip_proto == IP_UDP || k->ip_proto == IP_SCTP
                         || k->ip_proto == IP_ICMP
                         || k->ip_proto == IP_ICMPV6));

#define SKIP(member, exists)                                                  \
    do {                                                                      \
        static const struct flow_key zero;                                    \
        if (!(exists) && !memcmp(&k->member, &zero.member, sizeof k->member)) \
            memset(&l->member, 0, sizeof l->member);                          \
    } while (0)
    SKIP(ip_proto, ip);
    SKIP(ip_tos, ip);
    SKIP(ip_ttl, ip);
    SKIP(nw_flags, ip);
    SKIP(ip_src, type == ETH_IPV4 || arp);
    SKIP(ip_dst, type == ETH_IPV4 || arp);
    SKIP(tp_src, ports);
    SKIP(tp_dst, ports && !arp);
    SKIP(tcp_flags, ip && (!proto || k->ip_proto == IP_TCP));
    SKIP(ipv6_exthdr, type == ETH_IPV6);
    SKIP(ipv6_src, type == ETH_IPV6);
    SKIP(ipv6_dst, type == ETH_IPV6);
    SKIP(ipv6_label, type == ETH_IPV6);
    SKIP(nd_target, icmp6);
    SKIP(nd_sll, icmp6 || arp);
    SKIP(nd_tll, icmp6 || arp);
    SKIP(mpls_lse, is(p, FLOW_PRE_MPLS));
    SKIP(pbb_isid, is(p, FLOW_PRE_PBB));
#undef SKIP
}

static void
vlan(struct printer *p)
{
    uint16_t v = be16_to(p->m->key.vlan_tci), m = be16_to(p->left.vlan_tci);
    uint16_t vid = m & 0xfff, pcp = m & 0xe000;

    p->left.vlan_tci = 0;
    if (!m)
        return;
    if (m & v & FLOW_VLAN_PRESENT && (vid == 0xfff || !vid)
        && (pcp == 0xe000 || !pcp) && (vid || pcp)) {
        number(p, "dl_vlan", v & 0xfff, vid, 0xfff);
        number(p, "dl_vlan_pcp", v >> 13, pcp >> 13, 7);
        return;
    }
    word(p, "vlan_tci");
    base_str_addf(p->s, "=0x%04x", v);
    if (m != 0xffff)
        base_str_addf(p->s, "/0x%04x", m);
}

static void
frag(struct printer *p)
{
    static const struct {
        const char *name;
        uint8_t v, mask;
    } kinds[] = {
        { "no", 0, 3 },    { "no", 0, 1 },    { "yes", 1, 1 },
        { "first", 1, 3 }, { "later", 3, 3 }, { "later", 2, 2 },
        { "not_later", 0, 2 },
    };
    uint8_t mask = p->left.nw_flags & 3, v = p->m->key.nw_flags & 3;

    p->left.nw_flags = 0;
    for (unsigned i = 0; i < WEFT_ARRAY_LEN(kinds); i++) {
        if (kinds[i].v == v && kinds[i].mask == mask) {
            word(p, "nw_frag=");
            base_str_add(p->s, kinds[i].name);
            return;
        }
    }
}

static void
ipv6_label(struct printer *p)
{
    uint32_t m = be32_to(p->left.ipv6_label) & 0xfffff;

    p->left.ipv6_label = 0;
    if (!m)
        return;
    word(p, "ipv6_label");
    base_str_addf(p->s, "=0x%05" PRIx32, be32_to(p->m->key.ipv6_label));
    if (m != 0xfffff)
        base_str_addf(p->s, "/0x%05" PRIx32, m);
}

static void
network(struct printer *p)
{
    uint16_t type;
    bool arp = eth_known(p, &type) && (type == ETH_ARP || type == ETH_RARP);

    field(p, FLOW_F_IPV6_SRC, "ipv6_src");
    field(p, FLOW_F_IPV6_DST, "ipv6_dst");
    ipv6_label(p);
    field(p, FLOW_F_IPV6_EXTHDR, "ipv6_exthdr");
    field(p, FLOW_F_IPV4_SRC, arp ? "arp_spa" : "nw_src");
    field(p, FLOW_F_IPV4_DST, arp ? "arp_tpa" : "nw_dst");
    field(p, FLOW_F_IP_PROTO, "nw_proto");
    if (arp) {
        field(p, FLOW_F_ARP_OP, "arp_op");
        field(p, FLOW_F_ARP_SHA, "arp_sha");
        field(p, FLOW_F_ARP_THA, "arp_tha");
    }
    if ((p->left.ip_tos & 0xfc) == 0xfc) {
        number(p, "nw_tos", p->m->key.ip_tos & 0xfcu, 1, 1);
        p->left.ip_tos &= 3;
    }
    field(p, FLOW_F_IP_DSCP, "ip_dscp");
    field(p, FLOW_F_IP_ECN, "nw_ecn");
    number(p, "nw_ttl", p->m->key.ip_ttl, p->left.ip_ttl, 0xff);
    field(p, FLOW_F_MPLS_LABEL, "mpls_label");
    field(p, FLOW_F_MPLS_TC, "mpls_tc");
    number(p, "mpls_ttl", be32_to(p->m->key.mpls_lse) & 0xff,
           be32_to(p->left.mpls_lse) & 0xff, 0xff);
    field(p, FLOW_F_MPLS_BOS, "mpls_bos");
    field(p, FLOW_F_PBB_ISID, "pbb_isid");
    field(p, FLOW_F_PBB_UCA, "pbb_uca");
    frag(p);
}

static void
tcp_flags(struct printer *p)
{
    uint16_t m = be16_to(p->left.tcp_flags) & 0xfff;
    uint16_t v = be16_to(p->m->key.tcp_flags);
    const char *bar = "";

    if (!m)
        return;
    word(p, "tcp_flags=");
    if (m == 0xfff && !v)
        base_str_add(p->s, "0");
    for (unsigned i = 0; i < 12; i++) {
        bool set = v >> i & 1;

        if (m == 0xfff && set)
            base_str_addf(p->s, "%s%s", bar, text_tcp_flags[i]);
        else if (m != 0xfff && m >> i & 1)
            base_str_addf(p->s, "%c%s", set ? '+' : '-', text_tcp_flags[i]);
        if (set)
            bar = "|";
    }
}

static void
transport(struct printer *p)
{
    if (is(p, FLOW_PRE_ICMPV4) || is(p, FLOW_PRE_ICMPV6)) {
        field(p, FLOW_F_ICMPV4_TYPE, "icmp_type");
        field(p, FLOW_F_ICMPV4_CODE, "icmp_code");
    } else {
        field(p, FLOW_F_TCP_SRC, "tp_src");
        field(p, FLOW_F_TCP_DST, "tp_dst");
    }
    field(p, FLOW_F_ND_TARGET, "nd_target");
    field(p, FLOW_F_ND_SLL, "nd_sll");
    field(p, FLOW_F_ND_TLL, "nd_tll");
    tcp_flags(p);
}

/* OpenFlow 1.5.1 §7.2.3.11: namespace and type. */
static void
packet_type(struct printer *p)
{
    uint32_t v = be32_to(p->m->key.packet_type);

    if (!p->left.packet_type)
        return;
    p->left.packet_type = 0;
    word(p, "packet_type=");
    base_str_addf(p->s, "(%" PRIu32 ",%#" PRIx32 ")", v >> 16, v & 0xffff);
}

void
ofp_text_add_match(struct base_str *s, const struct flow_match *m)
{
    struct printer p = { .s = s, .start = s->len, .m = m, .left = m->mask };

    protocol(&p);
    skip_absent(&p);
    field(&p, FLOW_F_TUN_ID, "tun_id");
    field(&p, FLOW_F_TUN_SRC, "tun_src");
    field(&p, FLOW_F_TUN_DST, "tun_dst");
    field(&p, FLOW_F_METADATA, "metadata");
    field(&p, FLOW_F_IN_PORT, "in_port");
    field(&p, FLOW_F_IN_PHY_PORT, "in_phy_port");
    field(&p, FLOW_F_ACTSET_OUTPUT, "actset_output");
    packet_type(&p);
    vlan(&p);
    field(&p, FLOW_F_ETH_SRC, "dl_src");
    field(&p, FLOW_F_ETH_DST, "dl_dst");
    if (p.left.eth_type == 0xffff) {
        word(&p, "dl_type");
        base_str_addf(s, "=0x%04x", be16_to(m->key.eth_type));
        p.left.eth_type = 0;
    }
    field(&p, FLOW_F_ETH_TYPE, "dl_type");
    network(&p);
    transport(&p);
}

char *
ofp_format_match(const struct flow_match *m)
{
    struct base_str s = BASE_STR_INIT;

    ofp_text_add_match(&s, m);
    return base_str_steal(&s);
}
