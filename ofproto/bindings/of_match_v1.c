/* SPDX-License-Identifier: Apache-2.0 */
/* The match of OpenFlow 1.0 <-> the flat match.
 *
 * ofp_match, 40 bytes (1.0.0 §5.2.3):
 *   0 wildcards   4 in_port   6 dl_src   12 dl_dst   18 dl_vlan
 *  20 dl_vlan_pcp 21 pad      22 dl_type 24 nw_tos   25 nw_proto 26 pad
 *  28 nw_src      32 nw_dst   36 tp_src  38 tp_dst */
#include "loci/of_match.h"

#include "ofproto/bindings/of_desc.h"

#define V1_LEN 40
#define V1_VLAN_NONE 0xffff
#define VID_PRESENT 0x1000

/* Mask of an address whose low 'wild' bits are not looked at. */
static uint32_t
prefix_mask(unsigned wild)
{
    return wild >= 32 ? 0 : UINT32_MAX << wild;
}

static void
read_vlan(const uint8_t *p, uint32_t wc, of_match_t *m)
{
    uint16_t vlan = get_be16(p + 18);

    if (!(wc & OF_MATCH_V1_WC_VLAN_VID)) {
        m->masks.vlan_vid = 0xffff;
        if (vlan == V1_VLAN_NONE)
            return; /* Untagged: 0, and no priority to look at. */
        m->fields.vlan_vid = VID_PRESENT | (vlan & 0xfff);
    }
    if (!(wc & OF_MATCH_V1_WC_VLAN_PCP)) {
        m->masks.vlan_pcp = 0xff;
        m->fields.vlan_pcp = p[20] & 7;
        if (!m->masks.vlan_vid) {
            m->fields.vlan_vid = VID_PRESENT; /* Any tag. */
            m->masks.vlan_vid = VID_PRESENT;
        }
    }
}

static void
read_ports(const uint8_t *p, uint32_t wc, of_match_t *m)
{
    bool src = !(wc & OF_MATCH_V1_WC_TP_SRC);
    bool dst = !(wc & OF_MATCH_V1_WC_TP_DST);
    uint16_t s = get_be16(p + 36), d = get_be16(p + 38);

    switch (p[25]) {
    case 6:
        m->masks.tcp_src = src ? 0xffff : 0;
        m->masks.tcp_dst = dst ? 0xffff : 0;
        m->fields.tcp_src = src ? s : 0;
        m->fields.tcp_dst = dst ? d : 0;
        break;
    case 17:
        m->masks.udp_src = src ? 0xffff : 0;
        m->masks.udp_dst = dst ? 0xffff : 0;
        m->fields.udp_src = src ? s : 0;
        m->fields.udp_dst = dst ? d : 0;
        break;
    case 1:
        m->masks.icmpv4_type = src ? 0xff : 0;
        m->masks.icmpv4_code = dst ? 0xff : 0;
        m->fields.icmpv4_type = src ? (uint8_t) s : 0;
        m->fields.icmpv4_code = dst ? (uint8_t) d : 0;
        break;
    }
}

static void
read_ip(const uint8_t *p, uint32_t wc, of_match_t *m)
{
    m->masks.ipv4_src = prefix_mask(wc >> OF_MATCH_V1_WC_NW_SRC_SHIFT & 63);
    m->masks.ipv4_dst = prefix_mask(wc >> OF_MATCH_V1_WC_NW_DST_SHIFT & 63);
    m->fields.ipv4_src = get_be32(p + 28) & m->masks.ipv4_src;
    m->fields.ipv4_dst = get_be32(p + 32) & m->masks.ipv4_dst;
    if (!(wc & OF_MATCH_V1_WC_IP_DSCP)) {
        m->masks.ip_dscp = 0xff;
        m->fields.ip_dscp = p[24] >> 2;
    }
    if (!(wc & OF_MATCH_V1_WC_IP_PROTO)) {
        m->masks.ip_proto = 0xff;
        m->fields.ip_proto = p[25];
        read_ports(p, wc, m);
    }
}

static void
read_arp(const uint8_t *p, uint32_t wc, of_match_t *m)
{
    m->masks.arp_spa = prefix_mask(wc >> OF_MATCH_V1_WC_NW_SRC_SHIFT & 63);
    m->masks.arp_tpa = prefix_mask(wc >> OF_MATCH_V1_WC_NW_DST_SHIFT & 63);
    m->fields.arp_spa = get_be32(p + 28) & m->masks.arp_spa;
    m->fields.arp_tpa = get_be32(p + 32) & m->masks.arp_tpa;
    if (!(wc & OF_MATCH_V1_WC_IP_PROTO)) {
        m->masks.arp_op = 0xffff;
        m->fields.arp_op = p[25];
    }
}

int
of_match_v1_to_match(const of_object_t *obj, of_match_t *m)
{
    const uint8_t *p;
    uint32_t wc;

    memset(m, 0, sizeof *m);
    m->version = obj->version;
    if (!obj->wbuf || obj->length < V1_LEN)
        return OF_ERROR_PARSE;
    p = OF_OBJECT_BUFFER_INDEX(obj, 0);
    wc = get_be32(p);
    if (!(wc & OF_MATCH_V1_WC_IN_PORT)) {
        m->masks.in_port = 0xffffffff;
        m->fields.in_port = of_port_from_16(get_be16(p + 4));
    }
    if (!(wc & OF_MATCH_V1_WC_ETH_SRC)) {
        OF_MATCH_MASK_ETH_SRC_EXACT_SET(m);
        memcpy(&m->fields.eth_src, p + 6, 6);
    }
    if (!(wc & OF_MATCH_V1_WC_ETH_DST)) {
        OF_MATCH_MASK_ETH_DST_EXACT_SET(m);
        memcpy(&m->fields.eth_dst, p + 12, 6);
    }
    read_vlan(p, wc, m);
    if (wc & OF_MATCH_V1_WC_ETH_TYPE)
        return OF_ERROR_NONE;
    m->masks.eth_type = 0xffff;
    m->fields.eth_type = get_be16(p + 22);
    /* Fields of other protocols are ignored.  1.0.1 §3.4. */
    if (m->fields.eth_type == 0x0800)
        read_ip(p, wc, m);
    else if (m->fields.eth_type == 0x0806)
        read_arp(p, wc, m);
    return OF_ERROR_NONE;
}

/* Writing: each helper clears the wildcards of what it wrote and the masks of
 * 'rest', so that what is left in 'rest' could not be said in 1.0. */

struct writer {
    const of_match_t *m;
    of_match_t rest;
    uint8_t *p;
    uint32_t wc;
};

#define TAKE(w, field) memset(&(w)->rest.masks.field, 0, \
                              sizeof (w)->rest.masks.field)
#define EXACT(m, field) of_bytes_are(&(m)->masks.field, 0xff, \
                                     sizeof (m)->masks.field)

static void
write_link(struct writer *w)
{
    const of_match_t *m = w->m;

    if (EXACT(m, in_port)) {
        w->wc &= ~(uint32_t) OF_MATCH_V1_WC_IN_PORT;
        put_be16(w->p + 4, (uint16_t) m->fields.in_port);
        TAKE(w, in_port);
    }
    if (EXACT(m, eth_src)) {
        w->wc &= ~(uint32_t) OF_MATCH_V1_WC_ETH_SRC;
        memcpy(w->p + 6, &m->fields.eth_src, 6);
        TAKE(w, eth_src);
    }
    if (EXACT(m, eth_dst)) {
        w->wc &= ~(uint32_t) OF_MATCH_V1_WC_ETH_DST;
        memcpy(w->p + 12, &m->fields.eth_dst, 6);
        TAKE(w, eth_dst);
    }
    if (EXACT(m, eth_type)) {
        w->wc &= ~(uint32_t) OF_MATCH_V1_WC_ETH_TYPE;
        put_be16(w->p + 22, m->fields.eth_type);
        TAKE(w, eth_type);
    }
}

static void
write_vlan(struct writer *w)
{
    const of_match_t *m = w->m;
    uint16_t mask = m->masks.vlan_vid;
    bool present = (m->fields.vlan_vid & VID_PRESENT) != 0;

    if ((mask & 0x1fff) == 0x1fff) {
        w->wc &= ~(uint32_t) OF_MATCH_V1_WC_VLAN_VID;
        put_be16(w->p + 18, present ? m->fields.vlan_vid & 0xfff
                                    : V1_VLAN_NONE);
        TAKE(w, vlan_vid);
    }
    if ((m->masks.vlan_pcp & 7) == 7) {
        w->wc &= ~(uint32_t) OF_MATCH_V1_WC_VLAN_PCP;
        w->p[20] = m->fields.vlan_pcp;
        TAKE(w, vlan_pcp);
        /* "Any tag" is what a priority says by itself. */
        if (mask == VID_PRESENT && present)
            TAKE(w, vlan_vid);
    }
}

/* Host bits that a mask leaves free; false when it is no prefix. */
static bool
prefix_wild(uint32_t mask, unsigned *wild)
{
    *wild = mask ? (unsigned) __builtin_ctz(mask) : 32;
    return mask == prefix_mask(*wild);
}

static void
write_address(struct writer *w, unsigned at, unsigned shift, uint32_t value,
              uint32_t mask, void *rest)
{
    unsigned wild;

    if (!prefix_wild(mask, &wild))
        return;
    w->wc = (w->wc & ~(63u << shift)) | wild << shift;
    put_be32(w->p + at, value & mask);
    memset(rest, 0, sizeof(uint32_t));
}

static void
write_ports(struct writer *w, uint16_t src, bool have_src, uint16_t dst,
            bool have_dst)
{
    if (have_src) {
        w->wc &= ~(uint32_t) OF_MATCH_V1_WC_TP_SRC;
        put_be16(w->p + 36, src);
    }
    if (have_dst) {
        w->wc &= ~(uint32_t) OF_MATCH_V1_WC_TP_DST;
        put_be16(w->p + 38, dst);
    }
}

#define WRITE_PORTS(w, s, d)                                                  \
    do {                                                                      \
        bool have_s = EXACT((w)->m, s), have_d = EXACT((w)->m, d);            \
                                                                              \
        write_ports(w, (w)->m->fields.s, have_s, (w)->m->fields.d, have_d);   \
        if (have_s)                                                           \
            TAKE(w, s);                                                       \
        if (have_d)                                                           \
            TAKE(w, d);                                                       \
    } while (0)

static void
write_ip(struct writer *w)
{
    const of_match_t *m = w->m;

    write_address(w, 28, OF_MATCH_V1_WC_NW_SRC_SHIFT, m->fields.ipv4_src,
                  m->masks.ipv4_src, &w->rest.masks.ipv4_src);
    write_address(w, 32, OF_MATCH_V1_WC_NW_DST_SHIFT, m->fields.ipv4_dst,
                  m->masks.ipv4_dst, &w->rest.masks.ipv4_dst);
    if ((m->masks.ip_dscp & 0x3f) == 0x3f) {
        w->wc &= ~(uint32_t) OF_MATCH_V1_WC_IP_DSCP;
        w->p[24] = (uint8_t) (m->fields.ip_dscp << 2);
        TAKE(w, ip_dscp);
    }
    if (!EXACT(m, ip_proto))
        return;
    w->wc &= ~(uint32_t) OF_MATCH_V1_WC_IP_PROTO;
    w->p[25] = m->fields.ip_proto;
    TAKE(w, ip_proto);
    if (m->fields.ip_proto == 6)
        WRITE_PORTS(w, tcp_src, tcp_dst);
    else if (m->fields.ip_proto == 17)
        WRITE_PORTS(w, udp_src, udp_dst);
    else if (m->fields.ip_proto == 1)
        WRITE_PORTS(w, icmpv4_type, icmpv4_code);
}

static void
write_arp(struct writer *w)
{
    const of_match_t *m = w->m;

    write_address(w, 28, OF_MATCH_V1_WC_NW_SRC_SHIFT, m->fields.arp_spa,
                  m->masks.arp_spa, &w->rest.masks.arp_spa);
    write_address(w, 32, OF_MATCH_V1_WC_NW_DST_SHIFT, m->fields.arp_tpa,
                  m->masks.arp_tpa, &w->rest.masks.arp_tpa);
    if (EXACT(m, arp_op) && m->fields.arp_op <= 0xff) {
        w->wc &= ~(uint32_t) OF_MATCH_V1_WC_IP_PROTO;
        w->p[25] = (uint8_t) m->fields.arp_op;
        TAKE(w, arp_op);
    }
}

int
of_match_to_wire_match_v1(const of_match_t *m, of_object_t *obj)
{
    uint8_t wire[V1_LEN] = {0};
    struct writer w = {
        .m = m, .rest = *m, .p = wire, .wc = OF_MATCH_V1_WC_ALL};

    if (!obj->wbuf || obj->length < V1_LEN)
        return OF_ERROR_PARAM;
    write_link(&w);
    write_vlan(&w);
    if (EXACT(m, eth_type) && m->fields.eth_type == 0x0800)
        write_ip(&w);
    else if (EXACT(m, eth_type) && m->fields.eth_type == 0x0806)
        write_arp(&w);
    if (!of_bytes_are(&w.rest.masks, 0, sizeof w.rest.masks))
        return OF_ERROR_COMPAT;
    put_be32(wire, w.wc);
    memcpy(OF_OBJECT_BUFFER_INDEX(obj, 0), wire, sizeof wire);
    return OF_ERROR_NONE;
}
