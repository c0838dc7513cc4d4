/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/oxm.h"

#include <string.h>

/* Wildcard bits, OpenFlow 1.0.0 §5.2.3. */
#define FW_IN_PORT (1u << 0)
#define FW_DL_VLAN (1u << 1)
#define FW_DL_SRC (1u << 2)
#define FW_DL_DST (1u << 3)
#define FW_DL_TYPE (1u << 4)
#define FW_NW_PROTO (1u << 5)
#define FW_TP_SRC (1u << 6)
#define FW_TP_DST (1u << 7)
#define FW_NW_SRC_SHIFT 8
#define FW_NW_DST_SHIFT 14
#define FW_DL_VLAN_PCP (1u << 20)
#define FW_NW_TOS (1u << 21)
#define FW_ALL ((1u << 22) - 1)

/* Offsets in the 40 bytes. */
enum {
    AT_WILDCARDS = 0,
    AT_IN_PORT = 4,
    AT_DL_SRC = 6,
    AT_DL_DST = 12,
    AT_DL_VLAN = 18,
    AT_DL_VLAN_PCP = 20,
    AT_DL_TYPE = 22,
    AT_NW_TOS = 24,
    AT_NW_PROTO = 25,
    AT_NW_SRC = 28,
    AT_NW_DST = 32,
    AT_TP_SRC = 36,
    AT_TP_DST = 38,
};

#define VLAN_NONE 0xffff

static void
parse_vlan(const uint8_t *p, uint32_t wild, struct flow_match *m)
{
    uint16_t vid = get_be16(p + AT_DL_VLAN);
    uint16_t key = 0, mask = 0;

    if (!(wild & FW_DL_VLAN)) {
        mask = FLOW_VLAN_PRESENT | 0xfff;
        key = vid == VLAN_NONE ? 0 : FLOW_VLAN_PRESENT | (vid & 0xfff);
    }
    /* A priority is that of a tag: none in an untagged packet. */
    if (!(wild & FW_DL_VLAN_PCP) && (!mask || key)) {
        mask |= FLOW_VLAN_PRESENT | 0xe000;
        key |= (uint16_t) (FLOW_VLAN_PRESENT
                           | (p[AT_DL_VLAN_PCP] & 7) << 13);
    }
    m->key.vlan_tci = be16_from(key);
    m->mask.vlan_tci = be16_from(mask);
}

static be32
prefix_mask(unsigned wild_bits)
{
    return wild_bits >= 32 ? 0 : be32_from(~0u << wild_bits);
}

static void
parse_ports(const uint8_t *p, uint32_t wild, struct flow_match *m)
{
    /* ICMP type and code are 8 bits wide in the model. */
    be16 full = be16_from(m->key.ip_proto == 1 ? 0xff : 0xffff);

    if (!(wild & FW_TP_SRC)) {
        m->mask.tp_src = full;
        m->key.tp_src = be16_from(get_be16(p + AT_TP_SRC)) & full;
    }
    if (!(wild & FW_TP_DST)) {
        m->mask.tp_dst = full;
        m->key.tp_dst = be16_from(get_be16(p + AT_TP_DST)) & full;
    }
}

static void
parse_network(const uint8_t *p, uint32_t wild, struct flow_match *m)
{
    bool arp = m->key.eth_type == be16_from(0x0806);

    m->mask.ip_src = prefix_mask(wild >> FW_NW_SRC_SHIFT & 0x3f);
    m->mask.ip_dst = prefix_mask(wild >> FW_NW_DST_SHIFT & 0x3f);
    m->key.ip_src = be32_from(get_be32(p + AT_NW_SRC)) & m->mask.ip_src;
    m->key.ip_dst = be32_from(get_be32(p + AT_NW_DST)) & m->mask.ip_dst;
    if (arp) { /* nw_proto is the lower byte of the operation. */
        if (!(wild & FW_NW_PROTO)) {
            m->mask.tp_src = 0xffff;
            m->key.tp_src = be16_from(p[AT_NW_PROTO]);
        }
        return;
    }
    if (!(wild & FW_NW_TOS)) {
        m->mask.ip_tos = 0xfc;
        m->key.ip_tos = p[AT_NW_TOS] & 0xfc;
    }
    if (wild & FW_NW_PROTO)
        return;
    m->mask.ip_proto = 0xff;
    m->key.ip_proto = p[AT_NW_PROTO];
    if (p[AT_NW_PROTO] == 1 || p[AT_NW_PROTO] == 6 || p[AT_NW_PROTO] == 17)
        parse_ports(p, wild, m);
}

void
ofp_match10_parse(const uint8_t p[OFP_MATCH10_LEN], struct flow_match *m)
{
    uint32_t wild = get_be32(p + AT_WILDCARDS);

    memset(m, 0, sizeof *m);
    if (!(wild & FW_IN_PORT)) {
        uint32_t port = ofp_port_from_10(get_be16(p + AT_IN_PORT));

        m->mask.in_port = ~0u;
        m->key.in_port = be32_from(port);
    }
    if (!(wild & FW_DL_SRC)) {
        memset(m->mask.eth_src, 0xff, 6);
        memcpy(m->key.eth_src, p + AT_DL_SRC, 6);
    }
    if (!(wild & FW_DL_DST)) {
        memset(m->mask.eth_dst, 0xff, 6);
        memcpy(m->key.eth_dst, p + AT_DL_DST, 6);
    }
    parse_vlan(p, wild, m);
    if (wild & FW_DL_TYPE)
        return;
    m->mask.eth_type = 0xffff;
    m->key.eth_type = be16_from(get_be16(p + AT_DL_TYPE));
    if (ofp_prereq_met(m, FLOW_PRE_IPV4) || ofp_prereq_met(m, FLOW_PRE_ARP))
        parse_network(p, wild, m);
}

/* ----------------------------------------------------------------- write */

static uint32_t
write_vlan(const struct flow_match *m, uint8_t *p)
{
    uint16_t mask = be16_to(m->mask.vlan_tci), key = be16_to(m->key.vlan_tci);
    uint32_t wild = FW_DL_VLAN | FW_DL_VLAN_PCP;

    if (mask & FLOW_VLAN_PRESENT && !(key & FLOW_VLAN_PRESENT)) {
        put_be16(p + AT_DL_VLAN, VLAN_NONE);
        return FW_DL_VLAN_PCP;
    }
    if ((mask & 0xfff) == 0xfff) {
        put_be16(p + AT_DL_VLAN, key & 0xfff);
        wild &= ~FW_DL_VLAN;
    }
    if ((mask & 0xe000) == 0xe000) {
        p[AT_DL_VLAN_PCP] = (uint8_t) (key >> 13);
        wild &= ~FW_DL_VLAN_PCP;
    }
    return wild;
}

/* Wildcarded low bits of an address mask; 1.0 knows prefixes only, others
 * are widened to the prefix they begin with. */
static uint32_t
wild_bits(be32 mask)
{
    uint32_t inv = ~be32_to(mask);

    return inv ? 32u - (unsigned) __builtin_clz(inv) : 0;
}

static uint32_t
write_network(const struct flow_match *m, uint8_t *p)
{
    bool arp = ofp_prereq_met(m, FLOW_PRE_ARP);
    uint32_t wild = FW_NW_PROTO | FW_NW_TOS | FW_TP_SRC | FW_TP_DST;

    wild |= wild_bits(m->mask.ip_src) << FW_NW_SRC_SHIFT;
    wild |= wild_bits(m->mask.ip_dst) << FW_NW_DST_SHIFT;
    put_be32(p + AT_NW_SRC, be32_to(m->key.ip_src));
    put_be32(p + AT_NW_DST, be32_to(m->key.ip_dst));
    if (arp) {
        if (m->mask.tp_src == 0xffff) {
            p[AT_NW_PROTO] = (uint8_t) be16_to(m->key.tp_src);
            wild &= ~FW_NW_PROTO;
        }
        return wild;
    }
    if ((m->mask.ip_tos & 0xfc) == 0xfc) {
        p[AT_NW_TOS] = m->key.ip_tos & 0xfc;
        wild &= ~FW_NW_TOS;
    }
    if (m->mask.ip_proto != 0xff)
        return wild;
    p[AT_NW_PROTO] = m->key.ip_proto;
    wild &= ~FW_NW_PROTO;

    be16 full = be16_from(m->key.ip_proto == 1 ? 0xff : 0xffff);

    if (m->mask.tp_src == full) {
        put_be16(p + AT_TP_SRC, be16_to(m->key.tp_src));
        wild &= ~FW_TP_SRC;
    }
    if (m->mask.tp_dst == full) {
        put_be16(p + AT_TP_DST, be16_to(m->key.tp_dst));
        wild &= ~FW_TP_DST;
    }
    return wild;
}

void
ofp_match10_write(const struct flow_match *m, uint8_t p[OFP_MATCH10_LEN])
{
    static const uint8_t exact[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    uint32_t wild = FW_IN_PORT | FW_DL_SRC | FW_DL_DST | FW_DL_TYPE
                    | FW_NW_PROTO | FW_NW_TOS | FW_TP_SRC | FW_TP_DST
                    | 32u << FW_NW_SRC_SHIFT | 32u << FW_NW_DST_SHIFT;

    memset(p, 0, OFP_MATCH10_LEN);
    if (m->mask.eth_type) {
        put_be16(p + AT_DL_TYPE, be16_to(m->key.eth_type));
        wild &= ~FW_DL_TYPE;
        if (ofp_prereq_met(m, FLOW_PRE_IPV4)
            || ofp_prereq_met(m, FLOW_PRE_ARP))
            wild = (wild & (FW_IN_PORT | FW_DL_SRC | FW_DL_DST))
                   | write_network(m, p);
    }
    if (m->mask.in_port) {
        put_be16(p + AT_IN_PORT, ofp_port_to_10(be32_to(m->key.in_port)));
        wild &= ~FW_IN_PORT;
    }
    if (!memcmp(m->mask.eth_src, exact, 6)) {
        memcpy(p + AT_DL_SRC, m->key.eth_src, 6);
        wild &= ~FW_DL_SRC;
    }
    if (!memcmp(m->mask.eth_dst, exact, 6)) {
        memcpy(p + AT_DL_DST, m->key.eth_dst, 6);
        wild &= ~FW_DL_DST;
    }
    wild |= write_vlan(m, p);
    /* Everything open is "all", which scripts compare with. */
    if (wild == (FW_IN_PORT | FW_DL_VLAN | FW_DL_SRC | FW_DL_DST | FW_DL_TYPE
                 | FW_NW_PROTO | FW_TP_SRC | FW_TP_DST
                 | 32u << FW_NW_SRC_SHIFT | 32u << FW_NW_DST_SHIFT
                 | FW_DL_VLAN_PCP | FW_NW_TOS))
        wild = FW_ALL;
    put_be32(p + AT_WILDCARDS, wild);
}
