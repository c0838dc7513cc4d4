/* SPDX-License-Identifier: Apache-2.0 */
/* Headers to flow key, inlined for the common frame.
 *
 * What:    extract_frame_fast: extract_frame, whose answer is the same.
 * Model:   TCP or UDP over IPv4 without options or fragments or over IPv6
 *          without extension headers, all lengths right, at most one tag.
 *          Untagged IPv4 is inlined; anything else goes to extract_frame,
 *          which tries these shapes before it walks header by header.
 * Threads: any.  Owns: nothing.  Errors: as extract_frame.
 * Source:  as extract.h. */
#ifndef DP_EXTRACT_PLAIN_FAST_H
#define DP_EXTRACT_PLAIN_FAST_H

#include <string.h>

#include "datapath/extract.h"
#include "weft/compiler.h"
#include "weft/flow_match.h"

enum {
    EXTRACT_ETH_LEN = 14,
    EXTRACT_IPV4 = 0x0800,
    EXTRACT_TCP = 6,
    EXTRACT_UDP = 17,
    EXTRACT_IPV4_LEN = 20,
    EXTRACT_IPV6_LEN = 40,
    EXTRACT_IPV6 = 0x86dd,
    EXTRACT_VLAN = 0x8100,
    /* With a UDP header. */
    EXTRACT_V4_LEN = EXTRACT_ETH_LEN + EXTRACT_IPV4_LEN + 8,
    EXTRACT_V6_LEN = EXTRACT_ETH_LEN + EXTRACT_IPV6_LEN + 8,
};

/* Members of the key are written as words further down. */
static_assert(offsetof(struct flow_key, eth_type) == 32
                  && offsetof(struct flow_key, ip_proto) == 36
                  && offsetof(struct flow_key, ip_src) == 40
                  && offsetof(struct flow_key, tp_src) == 48
                  && offsetof(struct flow_key, tcp_flags) == 52
                  && offsetof(struct flow_key, mpls_lse) == 56
                  && offsetof(struct flow_key, ipv6_label) == 112,
              "words 4 to 7 and 14");

static inline void
extract_macs(struct flow_key *k, const uint8_t *p)
{
    static_assert(offsetof(struct flow_key, eth_src)
                      == offsetof(struct flow_key, eth_dst) + 6,
                  "addresses in frame order");
    memcpy((uint8_t *) k + offsetof(struct flow_key, eth_dst), p, 12);
}

/* TCP, RFC 793 §3.1: offset(4) reserved and flags(12). */
static inline uint16_t
extract_tcp_flags(const uint8_t *tcp)
{
    return get_be16(tcp + 12) & 0x0fff;
}

/* Layout of a frame behind 'off' bytes of tags: words at once. */
static inline void
extract_layout(struct pkt_layout *lay, unsigned off, unsigned l3_len,
               unsigned l4_len, bool line1)
{
    unsigned l3 = EXTRACT_ETH_LEN + off;

    *lay = (struct pkt_layout) {
        .l3 = (uint16_t) l3,
        .l4 = (uint16_t) (l3 + l3_len),
        .payload = (uint16_t) (l3 + l3_len + l4_len),
        .n_vlan = (uint8_t) (off / 4),
        .line1 = line1,
    };
}

/* Length of the TCP or UDP header at 'l4', and TCP's flags; 0: neither, or
 * wrong.  'room': bytes of the packet from 'l4' on, of which 'readable' may
 * be read. */
WEFT_ALWAYS_INLINE uint32_t
extract_l4(const uint8_t *l4, uint32_t proto, uint32_t room, size_t readable,
           uint32_t *flags)
{
    uint32_t len = 8;

    *flags = 0;
    if (proto == EXTRACT_TCP) {
        if (weft_unlikely(readable < 20))
            return 0;
        len = (uint32_t) (l4[12] >> 4) * 4;
        *flags = extract_tcp_flags(l4);
        if (weft_unlikely(len < 20))
            return 0;
    } else if (proto != EXTRACT_UDP) {
        return 0;
    }
    return len <= room && len <= readable ? len : 0;
}

/* IPv4 without options or fragments, TCP or UDP, lengths right, behind 'off'
 * bytes of tags, the outer one 'tci'.  EXTRACT_V4_LEN + off bytes are
 * readable.  False for anything else, which includes all errors.
 *
 * The key is written in whole words: whoever loads them as such need not wait
 * for the bytes to come together. */
WEFT_ALWAYS_INLINE bool
extract_v4(const uint8_t *p, size_t len, size_t frame_len, unsigned off,
           uint32_t tci, struct flow_key *k, struct pkt_layout *lay)
{
    const uint8_t *l4 = p + off + EXTRACT_ETH_LEN + EXTRACT_IPV4_LEN;
    uint64_t a = get_be64(p + off + 12); /* Type, version, TOS, length, id. */
    uint64_t c = get_be64(p + off + 20); /* Fragment, TTL, protocol, ... */
    uint32_t total = a >> 16 & 0xffff, proto = c >> 32 & 0xff, l4_len, flags;

    if (weft_unlikely(a >> 40 != ((uint64_t) EXTRACT_IPV4 << 8 | 0x45)
                      || c >> 48 & 0x3fff || total < EXTRACT_IPV4_LEN
                      || total > frame_len - EXTRACT_ETH_LEN - off))
        return false;
    l4_len = extract_l4(l4, proto, total - EXTRACT_IPV4_LEN,
                        len - (size_t) (l4 - p), &flags);
    if (weft_unlikely(!l4_len))
        return false;
    extract_macs(k, p);
    flow_key_set_word(k, 4, be64_from((uint64_t) EXTRACT_IPV4 << 48
                                      | (uint64_t) tci << 32
                                      | (c >> 8 & 0xff000000)
                                      | (a >> 16 & 0xff0000)
                                      | (c >> 32 & 0xff00)));
    memcpy((uint8_t *) k + 40, p + off + 26, 8);
    flow_key_set_word(k, 6, be64_from((uint64_t) get_be32(l4) << 32
                                      | flags << 16));
    flow_key_set_word(k, 7, 0);
    extract_layout(lay, off, EXTRACT_IPV4_LEN, l4_len, false);
    return true;
}

/* The same for IPv6 without extension headers; EXTRACT_V6_LEN + off bytes are
 * readable.  Writes all of line 1. */
WEFT_ALWAYS_INLINE bool
extract_v6(const uint8_t *p, size_t len, size_t frame_len, unsigned off,
           uint32_t tci, struct flow_key *k, struct pkt_layout *lay)
{
    const uint8_t *l4 = p + off + EXTRACT_ETH_LEN + EXTRACT_IPV6_LEN;
    /* Version, class, label, length, next header, hop limit. */
    uint64_t a = get_be64(p + off + EXTRACT_ETH_LEN);
    uint32_t plen = a >> 16 & 0xffff, proto = a >> 8 & 0xff, l4_len, flags;

    if (weft_unlikely(get_be16(p + off + 12) != EXTRACT_IPV6 || a >> 60 != 6
                      || plen > frame_len - EXTRACT_ETH_LEN - EXTRACT_IPV6_LEN
                                    - off))
        return false;
    l4_len = extract_l4(l4, proto, plen, len - (size_t) (l4 - p), &flags);
    if (weft_unlikely(!l4_len))
        return false;
    extract_macs(k, p);
    flow_key_set_word(k, 4, be64_from((uint64_t) EXTRACT_IPV6 << 48
                                      | (uint64_t) tci << 32
                                      | (uint64_t) proto << 24
                                      | (a >> 36 & 0xff0000)
                                      | (a << 8 & 0xff00)));
    flow_key_set_word(k, 5, 0);
    flow_key_set_word(k, 6, be64_from((uint64_t) get_be32(l4) << 32
                                      | flags << 16));
    flow_key_set_word(k, 7, 0);
    memcpy(k->ipv6_src, p + off + EXTRACT_ETH_LEN + 8, 32);
    memset(k->nd_target, 0, 16);
    flow_key_set_word(k, 14, be64_from(a & UINT64_C(0xfffff00000000)));
    flow_key_set_word(k, 15, 0);
    extract_layout(lay, off, EXTRACT_IPV6_LEN, l4_len, true);
    return true;
}

static inline void
extract_clean_line1(struct flow_key *k, struct pkt_layout *lay)
{
    if (!lay->line1)
        return;
    memset((uint8_t *) k + 64, 0, 64);
    lay->line1 = false;
}

/* Behind one tag. */
WEFT_ALWAYS_INLINE bool
extract_tagged(const uint8_t *p, size_t len, size_t frame_len,
               struct flow_key *k, struct pkt_layout *lay)
{
    uint32_t tci = get_be16(p + 14) | FLOW_VLAN_PRESENT;
    uint16_t type = get_be16(p + 16);

    if (type == EXTRACT_IPV4 && len >= EXTRACT_V4_LEN + 4) {
        extract_clean_line1(k, lay);
        return extract_v4(p, len, frame_len, 4, tci, k, lay);
    }
    return type == EXTRACT_IPV6 && len >= EXTRACT_V6_LEN + 4
           && extract_v6(p, len, frame_len, 4, tci, k, lay);
}

/* The common frames.  False: something else. */
static inline bool
extract_plain(const uint8_t *p, size_t len, size_t frame_len,
              struct flow_key *k, struct pkt_layout *lay)
{
    if (len < EXTRACT_V4_LEN)
        return false;
    switch (get_be16(p + 12)) {
    case EXTRACT_IPV4:
        extract_clean_line1(k, lay);
        return extract_v4(p, len, frame_len, 0, 0, k, lay);
    case EXTRACT_IPV6:
        return len >= EXTRACT_V6_LEN
               && extract_v6(p, len, frame_len, 0, 0, k, lay);
    case EXTRACT_VLAN:
        return extract_tagged(p, len, frame_len, k, lay);
    default:
        return false;
    }
}

static inline int
extract_frame_fast(const uint8_t *p, size_t len, size_t frame_len,
                   struct flow_key *k, struct pkt_layout *lay)
{
    if (weft_likely(len >= EXTRACT_V4_LEN && !lay->line1
                    && extract_v4(p, len, frame_len, 0, 0, k, lay)))
        return EXTRACT_OK;
    return extract_frame(p, len, frame_len, k, lay);
}

#endif
