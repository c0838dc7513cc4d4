/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/oxm.h"

#include <string.h>

#include "weft/compiler.h"
#include "weft/dp.h"

#define OXM_CLASS_NXM1 0x0001
#define OXM_CLASS_BASIC 0x8000

#define ETH_IPV4 0x0800
#define ETH_ARP 0x0806
#define ETH_IPV6 0x86dd
#define ETH_MPLS 0x8847
#define ETH_MPLS_MCAST 0x8848
#define ETH_PBB 0x88e7
#define IP_ICMP 1
#define IP_TCP 6
#define IP_UDP 17
#define IP_ICMPV6 58
#define IP_SCTP 132
#define ND_SOLICIT 135
#define ND_ADVERT 136

/* Field + 1 by class and number; 0: unknown. */
#define OXM_SLOT(cls, num) (((cls) == OXM_CLASS_NXM1 ? 128 : 0) + (num))
static const uint8_t field_by_slot[256] = {
#define FLOW_FIELD(id, name, cls, num, ...)                                   \
    [OXM_SLOT(cls, num)] = FLOW_F_##id + 1,
#include "weft/fields.def"
#undef FLOW_FIELD
};

/* Wire versions. */
enum { OF14 = 5, OF15 = 6 };

/* The class of 'f' in 'version', 0: unknown there. */
static uint16_t
field_class(const struct flow_field *f, uint8_t version)
{
    switch ((enum flow_known) f->known) {
    case FLOW_KNOWN_ANY:
        return f->oxm_class;
    case FLOW_KNOWN_OF14:
        return version >= OF14 ? f->oxm_class : 0;
    case FLOW_KNOWN_OF15:
        return version >= OF15 ? f->oxm_class : 0;
    case FLOW_KNOWN_OF15_ONF:
        return version >= OF15 ? f->oxm_class : FLOW_OXM_EXPERIMENTER;
    }
    return 0;
}

const struct flow_field *
ofp_oxm_find(const uint8_t *p, size_t len, uint8_t version, unsigned *hlen)
{
    const struct flow_field *f;
    uint16_t class;
    unsigned i;

    *hlen = 4;
    if (len < 4)
        return NULL;
    class = get_be16(p);
    if (class == FLOW_OXM_EXPERIMENTER) {
        if (len < 8 || p[3] < 4 || get_be32(p + 4) != FLOW_ONF_ID)
            return NULL;
        *hlen = 8;
        i = field_by_slot[OXM_SLOT(OXM_CLASS_BASIC, p[2] >> 1)];
    } else if (class == OXM_CLASS_BASIC || class == OXM_CLASS_NXM1) {
        i = field_by_slot[OXM_SLOT(class, p[2] >> 1)];
    } else {
        return NULL;
    }
    f = i ? &flow_fields[i - 1] : NULL;
    return f && field_class(f, version) == class ? f : NULL;
}

unsigned
ofp_oxm_put_header(const struct flow_field *f, uint8_t version, bool masked,
                   uint8_t p[OFP_OXM_HLEN])
{
    uint16_t class = field_class(f, version);
    unsigned hlen = class == FLOW_OXM_EXPERIMENTER ? 8 : 4;

    if (!class)
        return 0;
    put_be16(p, class);
    p[2] = (uint8_t) (f->oxm_field << 1 | masked);
    p[3] = (uint8_t) (hlen - 4 + (flow_field_oxm_len(f) << masked));
    if (hlen == 8)
        put_be32(p + 4, FLOW_ONF_ID);
    return hlen;
}

/* --------------------------------------------------------- prerequisites */

/* By the Ethernet type or, OpenFlow 1.5.1 §7.2.3.11, the type of a packet
 * without an Ethernet header: namespace 1. */
static bool
eth_is(const struct flow_match *m, uint16_t type)
{
    return (m->mask.eth_type == 0xffff && m->key.eth_type == be16_from(type))
           || (m->mask.packet_type
               && m->key.packet_type == be32_from(0x10000u | type));
}

static bool
proto_is(const struct flow_match *m, uint8_t proto)
{
    return m->mask.ip_proto == 0xff && m->key.ip_proto == proto;
}

static bool
icmpv6_is(const struct flow_match *m, uint8_t type)
{
    return ofp_prereq_met(m, FLOW_PRE_ICMPV6)
           && (m->mask.tp_src & be16_from(0xff)) == be16_from(0xff)
           && m->key.tp_src == be16_from(type);
}

bool
ofp_prereq_met(const struct flow_match *m, enum flow_prereq prereq)
{
    bool ip = eth_is(m, ETH_IPV4) || eth_is(m, ETH_IPV6);

    switch (prereq) {
    case FLOW_PRE_NONE:
        return true;
    case FLOW_PRE_IN_PORT:
        return m->mask.in_port != 0;
    case FLOW_PRE_VLAN: /* vlan_vid is not OFPVID_NONE. */
        return (m->key.vlan_tci & be16_from(FLOW_VLAN_PRESENT)) != 0;
    case FLOW_PRE_IP:
        return ip;
    case FLOW_PRE_IPV4:
        return eth_is(m, ETH_IPV4);
    case FLOW_PRE_IPV6:
        return eth_is(m, ETH_IPV6);
    case FLOW_PRE_ARP:
        return eth_is(m, ETH_ARP);
    case FLOW_PRE_TCP:
        return ip && proto_is(m, IP_TCP);
    case FLOW_PRE_UDP:
        return ip && proto_is(m, IP_UDP);
    case FLOW_PRE_SCTP:
        return ip && proto_is(m, IP_SCTP);
    case FLOW_PRE_ICMPV4:
        return eth_is(m, ETH_IPV4) && proto_is(m, IP_ICMP);
    case FLOW_PRE_ICMPV6:
        return eth_is(m, ETH_IPV6) && proto_is(m, IP_ICMPV6);
    case FLOW_PRE_ND:
        return icmpv6_is(m, ND_SOLICIT) || icmpv6_is(m, ND_ADVERT);
    case FLOW_PRE_ND_NS:
        return icmpv6_is(m, ND_SOLICIT);
    case FLOW_PRE_ND_NA:
        return icmpv6_is(m, ND_ADVERT);
    case FLOW_PRE_MPLS:
        return eth_is(m, ETH_MPLS) || eth_is(m, ETH_MPLS_MCAST);
    case FLOW_PRE_PBB:
        return eth_is(m, ETH_PBB);
    case FLOW_PRE_ETHERNET:
        return !m->key.packet_type;
    }
    return false;
}

/* ----------------------------------------------------------------- parse */

static bool
all_bytes(const uint8_t *p, unsigned n, uint8_t v)
{
    for (unsigned i = 0; i < n; i++)
        if (p[i] != v)
            return false;
    return true;
}

/* Values that the field's width allows and the specification does not. */
static enum ofp_err
value_check(const struct flow_field *f, uint64_t n, uint64_t mask)
{
    if (f == &flow_fields[FLOW_F_VLAN_VID])
        /* Table 13: without OFPVID_PRESENT only OFPVID_NONE. */
        return mask & FLOW_VLAN_PRESENT && !(n & FLOW_VLAN_PRESENT)
                       && n & 0xfff
                   ? OFP_ERR_MATCH_BAD_VALUE
                   : OFP_OK;
    if (f == &flow_fields[FLOW_F_IN_PORT]
        || f == &flow_fields[FLOW_F_IN_PHY_PORT]) {
        bool reserved = n > 0xffffff00u && n != DP_PORT_LOCAL
                        && n != DP_PORT_CONTROLLER;

        return !n || reserved ? OFP_ERR_MATCH_BAD_VALUE : OFP_OK;
    }
    return OFP_OK;
}

/* Mask bytes of a TLV: may they stand beside the value? */
static enum ofp_err
mask_check(const struct flow_field *f, const uint8_t *p, unsigned n)
{
    for (unsigned i = 0; i < n; i++) /* §7.2.3.5: value outside mask. */
        if (p[i] & ~p[n + i])
            return OFP_ERR_MATCH_BAD_WILDCARDS;
    return f->maskable || all_bytes(p + n, n, 0xff) || all_bytes(p + n, n, 0)
               ? OFP_OK
               : OFP_ERR_MATCH_BAD_MASK;
}

/* Bytes written one by one and then read as a word make the processor wait:
 * the common widths go in one piece. */
static uint64_t
get_be(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;

    switch (n) {
    case 1:
        return *p;
    case 2:
        return get_be16(p);
    case 4:
        return get_be32(p);
    case 8:
        return get_be64(p);
    default:
        while (n--)
            v = v << 8 | *p++;
        return v;
    }
}

/* Adds 'v', a number in host order, to the bits of the member. */
static void
member_or(struct flow_key *k, const struct flow_field *f, uint64_t v)
{
    uint8_t *m = (uint8_t *) k + f->offset;

    v <<= f->shift;
    switch (f->width) {
    case 1:
        *m |= (uint8_t) v;
        break;
    case 2:
        put_be16(m, (uint16_t) (get_be16(m) | v));
        break;
    case 4:
        put_be32(m, (uint32_t) (get_be32(m) | v));
        break;
    case 8:
        put_be64(m, get_be64(m) | v);
        break;
    default:
        for (unsigned i = f->width; i--; v >>= 8)
            m[i] |= (uint8_t) v;
    }
}

/* One TLV's payload: 'n' bytes of value and, if 'masked', of mask.  The
 * field's bits in 'm' are zero. */
static enum ofp_err
field_parse(const struct flow_field *f, const uint8_t *p, unsigned n,
            bool masked, struct flow_match *m)
{
    enum ofp_err err;

    if (f->width > 8) { /* 16 bytes, all of them. */
        uint8_t *mask = (uint8_t *) &m->mask + f->offset;

        if (masked && (err = mask_check(f, p, n)))
            return err;
        memcpy((uint8_t *) &m->key + f->offset, p, n);
        if (masked)
            memcpy(mask, p + n, n);
        else
            memset(mask, 0xff, n);
        return OFP_OK;
    }

    uint64_t all = f->bits < 64 ? (UINT64_C(1) << f->bits) - 1 : UINT64_MAX;
    uint64_t v = get_be(p, n), mask = masked ? get_be(p + n, n) : UINT64_MAX;

    if (v & ~all)
        return OFP_ERR_MATCH_BAD_VALUE;
    if (masked && (err = mask_check(f, p, n)))
        return err;
    if (!mask) /* The same as no TLV. */
        return OFP_OK;
    err = value_check(f, v, mask);
    if (err)
        return err;
    member_or(&m->key, f, v & mask);
    member_or(&m->mask, f, mask & all);
    return OFP_OK;
}

/* §7.2.3.6: what a field needs must precede it.  'late': for some it did not.
 * By its number packet_type comes behind the fields that it allows: what is
 * said with it, in whatever order, is judged at the end. */
static enum ofp_err
prereqs_check(uint64_t seen, bool late, const struct flow_match *m)
{
    if (!m->mask.packet_type)
        return late ? OFP_ERR_MATCH_BAD_PREREQ : OFP_OK;
    for (; seen; seen &= seen - 1)
        if (!ofp_prereq_met(m, flow_fields[__builtin_ctzll(seen)].prereq))
            return OFP_ERR_MATCH_BAD_PREREQ;
    return OFP_OK;
}

enum ofp_err
ofp_oxm_parse(const uint8_t *p, size_t len, uint8_t version,
              struct flow_match *m)
{
    uint64_t seen = 0;
    bool late = false;

    _Static_assert(N_FLOW_FIELDS <= 64, "one bit per field");
    memset(m, 0, sizeof *m);
    for (size_t at = 0; at < len;) {
        unsigned hlen;

        if (len - at < 4 || len - at - 4 < p[at + 3])
            return OFP_ERR_MATCH_BAD_LEN;

        const struct flow_field *f = ofp_oxm_find(p + at, len - at, version,
                                                  &hlen);
        bool masked = p[at + 2] & 1;

        if (!f)
            return OFP_ERR_MATCH_BAD_FIELD;

        unsigned n = flow_field_oxm_len(f);
        uint64_t bit = UINT64_C(1) << (f - flow_fields);

        if (p[at + 3] != hlen - 4 + (n << masked))
            return OFP_ERR_MATCH_BAD_LEN;
        if (seen & bit)
            return OFP_ERR_MATCH_DUP_FIELD;
        seen |= bit;

        enum ofp_err err = field_parse(f, p + at + hlen, n, masked, m);

        if (err)
            return err;
        late |= !ofp_prereq_met(m, f->prereq);
        at += hlen + (n << masked);
    }
    return prereqs_check(seen, late, m);
}

/* ----------------------------------------------------------------- write */

/* Does the mask touch the field's member at all? */
static bool
member_masked(const struct flow_match *m, const struct flow_field *f)
{
    return !all_bytes((const uint8_t *) &m->mask + f->offset, f->width, 0);
}

static bool
is_zero16(const uint8_t v[16])
{
    uint64_t w[2];

    memcpy(w, v, sizeof w);
    return !(w[0] | w[1]);
}

/* Is the mask not the field's whole width? */
static bool
is_masked(const struct flow_field *f, const uint8_t mask[16])
{
    uint8_t full[16] = { 0 };

    memset(full + 16 - f->bits / 8, 0xff, f->bits / 8);
    if (f->bits % 8)
        full[15 - f->bits / 8] = (uint8_t) ((1u << f->bits % 8) - 1);
    return memcmp(mask, full, 16);
}

static size_t
field_write(const struct flow_field *f, const struct flow_match *m,
            uint8_t version, uint8_t *p)
{
    unsigned n = flow_field_oxm_len(f), hlen;
    uint8_t v[16], mask[16];
    bool masked;

    flow_field_get(&m->mask, f, mask);
    if (is_zero16(mask) || !ofp_prereq_met(m, f->prereq))
        return 0;
    flow_field_get(&m->key, f, v);
    masked = f->maskable && is_masked(f, mask);
    hlen = ofp_oxm_put_header(f, version, masked, p);
    if (!hlen)
        return 0;
    memcpy(p + hlen, v + 16 - n, n);
    if (masked)
        memcpy(p + hlen + n, mask + 16 - n, n);
    return hlen + (n << masked);
}

/* Words of the key that the member lies in. */
static uint32_t
member_words(const struct flow_field *f)
{
    return (2u << (f->offset + f->width - 1) / 8) - (1u << f->offset / 8);
}

size_t
ofp_oxm_write(const struct flow_match *m, uint8_t version, uint8_t *buf)
{
    uint32_t words = flow_mask_words(&m->mask);
    size_t at = 0;

    for (unsigned i = 0; i < N_FLOW_FIELDS; i++) {
        const struct flow_field *f = &flow_fields[i];

        /* Most fields of most matches end here. */
        if (words & member_words(f) && member_masked(m, f))
            at += field_write(f, m, version, buf + at);
    }
    return at;
}

uint64_t
ofp_oxm_fields(const struct flow_match *m, uint64_t *masked)
{
    uint64_t fields = 0;

    *masked = 0;
    for (unsigned i = 0; i < N_FLOW_FIELDS; i++) {
        const struct flow_field *f = &flow_fields[i];
        uint8_t mask[16];

        flow_field_get(&m->mask, f, mask);
        if (is_zero16(mask) || !ofp_prereq_met(m, f->prereq))
            continue;
        fields |= UINT64_C(1) << i;
        *masked |= (uint64_t) is_masked(f, mask) << i;
    }
    return fields;
}
