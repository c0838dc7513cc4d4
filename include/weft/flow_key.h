/* SPDX-License-Identifier: Apache-2.0 */
/* The flow key: everything about a packet that a rule can look at.
 *
 * What:   one fixed struct, its field list and field access.
 * Model:  three cache lines.  Line 0: Ethernet, IPv4, ARP, ports, MPLS, PBB,
 *         tunnel.  Line 1: IPv6, ND, ARP hardware addresses.  Line 2: what
 *         the pipeline itself carries (metadata, later registers); zero when
 *         a packet arrives, so never part of a cache key.
 *         A mask is a struct flow_key too: 1 bits are compared.
 *         No padding: hash and compare it as FLOW_KEY_WORDS 64-bit words.
 *         All members in network byte order, in_port and in_phy_port
 *         included (a field is always "the member as a big-endian number").
 *
 *         vlan_tci   outermost tag: PCP(3) present(1) VID(12); 0 = untagged.
 *                    The OXM vlan_vid value with OFPVID_PRESENT is the low
 *                    13 bits as they stand (OpenFlow 1.3.5 Table 13).
 *         eth_type   type behind all VLAN tags (OpenFlow 1.3.5 §7.2.3.7);
 *                    frames with an 802.3 length field: 0x05ff.
 *         tp_src/dst TCP/UDP/SCTP ports; ICMP and ICMPv6 type and code as
 *                    16-bit numbers; ARP: tp_src is the operation.
 *         ip_src/dst IPv4, or ARP's spa and tpa.
 *         nd_sll/tll ND link-layer options, or ARP's sha and tha.
 *         nw_flags   FLOW_NW_* bits.
 *         ipv6_exthdr OFPIEH_* bits (OpenFlow 1.3.5 §7.2.3.8).
 *         pbb_isid   UCA(bit 24) and I-SID (24 bits).
 *         actset_output  port of the action set's output; FLOW_PORT_UNSET:
 *                    there is none, or a group takes precedence (OpenFlow
 *                    1.5.1 §7.2.3.8).  In egress tables the port.
 *         packet_type  namespace(16) and type(16); 0, Ethernet, of every
 *                    packet (OpenFlow 1.5.1 §7.2.3.11).
 *         ip_ttl     IPv4 TTL or IPv6 hop limit; no OpenFlow 1.3 field, kept
 *                    for nw_ttl.
 * Threads: any.  Owns: nothing.  Source: OpenFlow 1.3.5 §7.2.3. */
#ifndef WEFT_FLOW_KEY_H
#define WEFT_FLOW_KEY_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "weft/be.h"

/* Bumped whenever struct flow_key changes; see STYLE do 8. */
#define FLOW_KEY_SEQ 2

#define FLOW_VLAN_PRESENT 0x1000

#define FLOW_NW_FRAG_ANY 0x01   /* Any fragment. */
#define FLOW_NW_FRAG_LATER 0x02 /* Not the first one: no ports in the key. */
#define FLOW_NW_MORE_VLAN 0x10  /* More VLAN tags below the outermost. */
#define FLOW_NW_MORE_MPLS 0x20  /* More MPLS labels below the outermost. */

#define FLOW_PORT_UNSET 0xfffffff7u /* OFPP_UNSET, OpenFlow 1.5.1 §7.2.1. */

#define FLOW_ETH_TYPE_NOT_ETH2 0x05ff /* Value for 802.3 length frames. */

struct flow_key {
    /* Line 0. */
    be32 in_port; /* OpenFlow port number on the bridge. */
    be32 tun_src; /* Outer source, 0 when not tunnelled. */
    be64 tun_id;  /* VNI, VSID. */
    be32 tun_dst;
    uint8_t eth_dst[6];
    uint8_t eth_src[6];
    be16 eth_type;
    be16 vlan_tci;
    uint8_t ip_proto;
    uint8_t ip_tos;
    uint8_t ip_ttl;
    uint8_t nw_flags;
    be32 ip_src;
    be32 ip_dst;
    be16 tp_src;
    be16 tp_dst;
    be16 tcp_flags;
    be16 ipv6_exthdr;
    be32 mpls_lse; /* Label(20) TC(3) BoS(1) TTL(8). */
    be32 pbb_isid;
    /* Line 1. */
    uint8_t ipv6_src[16];
    uint8_t ipv6_dst[16];
    uint8_t nd_target[16];
    be32 ipv6_label;
    uint8_t nd_sll[6];
    uint8_t nd_tll[6];
    /* Line 2: pipeline. */
    be64 metadata;
    be32 in_phy_port; /* Equals in_port: uplinks are no OpenFlow ports. */
    be32 actset_output;
    be32 packet_type;
    be32 reserved[11];
};

#define FLOW_KEY_WORDS (sizeof(struct flow_key) / 8)
#define FLOW_KEY_PACKET_WORDS 16 /* Words that extraction can fill. */

static_assert(sizeof(struct flow_key) == 192, "three lines, no padding");
static_assert(offsetof(struct flow_key, ipv6_src) == 64, "line 1");
static_assert(offsetof(struct flow_key, metadata) == 128, "line 2");

enum flow_field_id {
#define FLOW_FIELD(id, ...) FLOW_F_##id,
#include "weft/fields.def"
#undef FLOW_FIELD
    N_FLOW_FIELDS
};

enum flow_prereq {
    FLOW_PRE_NONE,
    FLOW_PRE_IN_PORT,
    FLOW_PRE_VLAN,
    FLOW_PRE_IP,
    FLOW_PRE_IPV4,
    FLOW_PRE_IPV6,
    FLOW_PRE_ARP,
    FLOW_PRE_TCP,
    FLOW_PRE_UDP,
    FLOW_PRE_SCTP,
    FLOW_PRE_ICMPV4,
    FLOW_PRE_ICMPV6,
    FLOW_PRE_ND,
    FLOW_PRE_ND_NS,
    FLOW_PRE_ND_NA,
    FLOW_PRE_MPLS,
    FLOW_PRE_PBB,
    FLOW_PRE_ETHERNET, /* No other packet_type is matched. */
};

/* In which versions of the protocol a field has an OXM. */
enum flow_known {
    FLOW_KNOWN_ANY,      /* All that have OXMs. */
    FLOW_KNOWN_OF14,     /* From 1.4 on. */
    FLOW_KNOWN_OF15,     /* From 1.5 on. */
    FLOW_KNOWN_OF15_ONF, /* From 1.5 on; before as an experimenter field of
                          * the ONF with the same number. */
};

#define FLOW_OXM_EXPERIMENTER 0xffff /* Class of experimenter fields. */
#define FLOW_ONF_ID 0x4f4e4600u      /* The ONF's experimenter id. */

enum flow_fmt {
    FLOW_FMT_DEC,
    FLOW_FMT_HEX,
    FLOW_FMT_MAC,
    FLOW_FMT_IPV4,
    FLOW_FMT_IPV6,
    FLOW_FMT_PORT,
};

struct flow_field {
    const char *name;
    uint16_t oxm_class;
    uint8_t oxm_field;
    uint8_t bits;   /* Width of the value. */
    uint8_t offset; /* Of the member in struct flow_key. */
    uint8_t width;  /* Of the member, bytes. */
    uint8_t shift;  /* Left shift inside the member. */
    bool maskable;
    uint8_t settable; /* First wire version that may set it; 0: none. */
    uint8_t known;    /* enum flow_known */
    uint8_t prereq; /* enum flow_prereq */
    uint8_t fmt;    /* enum flow_fmt */
};

/* Indexed by enum flow_field_id; lives in utils/flow/flow_fields.c. */
extern const struct flow_field flow_fields[N_FLOW_FIELDS];

/* Bytes of the value in an OXM TLV: whole bytes, but the 20-bit labels take
 * four (OpenFlow 1.3.5 Table 12). */
static inline unsigned
flow_field_oxm_len(const struct flow_field *f)
{
    return f->bits == 20 ? 4 : (f->bits + 7u) / 8;
}

/* Value of field 'f' in 'k' (a key or a mask), right-aligned big-endian in
 * v[16].  Thread: any. */
static inline void
flow_field_get(const struct flow_key *k, const struct flow_field *f,
               uint8_t v[16])
{
    const uint8_t *m = (const uint8_t *) k + f->offset;

    memset(v, 0, 16);
    if (f->width > 8) {
        memcpy(v, m, 16);
        return;
    }

    uint64_t n = 0;
    for (unsigned i = 0; i < f->width; i++)
        n = n << 8 | m[i];
    n >>= f->shift;
    if (f->bits < 64)
        n &= (UINT64_C(1) << f->bits) - 1;
    put_be64(v + 8, n);
}

/* A value (or mask), right-aligned big-endian, moved to where it stands in a
 * member of f->width bytes at 'to'; the member's other bits become 0.
 * Thread: any. */
static inline void
flow_field_to_member(const struct flow_field *f, const uint8_t v[16],
                     uint8_t *to)
{
    uint64_t n = get_be64(v + 8) << f->shift;

    if (f->width > 8) {
        memcpy(to, v, 16);
        return;
    }
    for (unsigned i = f->width; i-- > 0; n >>= 8)
        to[i] = (uint8_t) n;
}

/* Stores 'v' (right-aligned big-endian, 16 bytes) where 'mask' (same form)
 * has 1 bits; other bits of the member stay.  Bits beyond the field's width
 * are ignored.  Thread: any. */
static inline void
flow_field_set_masked(struct flow_key *k, const struct flow_field *f,
                      const uint8_t v[16], const uint8_t mask[16])
{
    uint8_t *m = (uint8_t *) k + f->offset;

    if (f->width > 8) {
        for (unsigned i = 0; i < 16; i++)
            m[i] = (uint8_t) ((m[i] & ~mask[i]) | (v[i] & mask[i]));
        return;
    }

    uint64_t val = get_be64(v + 8), msk = get_be64(mask + 8), n = 0;
    if (f->bits < 64)
        msk &= (UINT64_C(1) << f->bits) - 1;
    for (unsigned i = 0; i < f->width; i++)
        n = n << 8 | m[i];
    n = (n & ~(msk << f->shift)) | (val & msk) << f->shift;
    for (unsigned i = f->width; i-- > 0; n >>= 8)
        m[i] = (uint8_t) n;
}

#endif
