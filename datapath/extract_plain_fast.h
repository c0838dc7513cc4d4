/* SPDX-License-Identifier: Apache-2.0 */
/* Headers to flow key, inlined for the common frame.
 *
 * What:    extract_frame_fast: extract_frame, whose answer is the same.
 * Model:   untagged IPv4 without options or fragments, TCP or UDP, all
 *          lengths right; anything else goes to extract_frame.
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
    EXTRACT_PLAIN_LEN = EXTRACT_ETH_LEN + EXTRACT_IPV4_LEN + 20,
};

/* Members of the key are written as words further down. */
static_assert(offsetof(struct flow_key, eth_type) == 32
                  && offsetof(struct flow_key, ip_proto) == 36
                  && offsetof(struct flow_key, ip_src) == 40
                  && offsetof(struct flow_key, tp_src) == 48
                  && offsetof(struct flow_key, tcp_flags) == 52
                  && offsetof(struct flow_key, mpls_lse) == 56,
              "words 4 to 7");

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

/* The common frame: untagged IPv4 without options or fragments, TCP or UDP,
 * lengths right.  At least EXTRACT_PLAIN_LEN bytes are readable.  Returns
 * false for anything else, which includes all errors. */
static inline bool
extract_plain(const uint8_t *p, size_t frame_len, struct flow_key *k,
              struct pkt_layout *lay)
{
    uint32_t total = get_be16(p + 16), proto = p[23], l4_len;
    uint32_t flags = 0;

    if (get_be24(p + 12) != 0x080045 || get_be16(p + 20) & 0x3fff
        || total > frame_len - EXTRACT_ETH_LEN)
        return false;
    if (proto == EXTRACT_TCP) {
        l4_len = (uint32_t) (p[46] >> 4) * 4;
        if (l4_len < 20)
            return false;
        flags = extract_tcp_flags(p + 34);
    } else if (proto == EXTRACT_UDP) {
        l4_len = 8;
    } else {
        return false;
    }
    if (total < EXTRACT_IPV4_LEN + l4_len)
        return false;

    /* Whole words: whoever loads them as such need not wait for the bytes
     * to come together. */
    extract_macs(k, p);
    flow_key_set_word(k, 4, be64_from((uint64_t) EXTRACT_IPV4 << 48
                                      | proto << 24 | (uint32_t) p[15] << 16
                                      | (uint32_t) p[22] << 8));
    memcpy((uint8_t *) k + 40, p + 26, 8);
    flow_key_set_word(k, 6, be64_from((uint64_t) get_be32(p + 34) << 32
                                      | flags << 16));
    flow_key_set_word(k, 7, 0);
    *lay = (struct pkt_layout) {
        .l3 = EXTRACT_ETH_LEN,
        .l4 = EXTRACT_ETH_LEN + EXTRACT_IPV4_LEN,
        .payload = (uint16_t) (EXTRACT_ETH_LEN + EXTRACT_IPV4_LEN + l4_len),
    };
    return true;
}

static inline int
extract_frame_fast(const uint8_t *p, size_t len, size_t frame_len,
                   struct flow_key *k, struct pkt_layout *lay)
{
    if (weft_likely(len >= EXTRACT_PLAIN_LEN && !lay->line1)
        && extract_plain(p, frame_len, k, lay))
        return EXTRACT_OK;
    return extract_frame(p, len, frame_len, k, lay);
}

#endif
