/* SPDX-License-Identifier: Apache-2.0 */
/* Decapsulation.  A run of packets whose outer headers are like the last ones'
 * takes one pass of masked compares.  Others take three passes over a burst:
 * outer headers and their checks with a prefetch of the table slot; lookup;
 * cut the front. */
#include "datapath/tunnel.h"

#include <rte_ip.h>

#include "datapath/offload.h"
#include "datapath/tunnel_priv.h"

enum {
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    UDP_HLEN = 8,
    ECN_MASK = 3,
    ECN_ECT1 = 1,
    ECN_ECT0 = 2,
    ECN_CE = 3,
};

/* What the first pass found out about one packet. */
struct outer {
    be32 src, dst;
    uint32_t key;
    uint16_t kind;
    uint16_t l4;    /* Offset of the UDP or GRE header. */
    uint16_t cut;   /* Bytes before the inner frame. */
    uint8_t ecn;    /* Of the outer header. */
    bool has_csum;  /* UDP checksum is not zero. */
    bool partial;   /* Inner L4 checksum is a bare pseudo-header sum. */
    uint32_t plen;  /* IP payload: from l4 to the end of the inner frame. */
};

/* ------------------------------------------------------------- checksums */

static inline uint32_t
fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t) ((sum & 0xffff) + (sum >> 16));
}

/* Sums are over words as they lie in memory; ones' complement does not mind
 * the byte order (RFC 1071 §2). */
static inline uint16_t
load16(const uint8_t *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t
load32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

/* RFC 791 §3.1: all words of the header sum up to 0xffff. */
static inline bool
ip_csum_ok(const uint8_t *ip, unsigned hlen)
{
    uint64_t sum = (uint64_t) load32(ip) + load32(ip + 4) + load32(ip + 8)
                   + load32(ip + 12) + load32(ip + 16);

    for (unsigned i = 20; weft_unlikely(i < hlen); i += 4)
        sum += load32(ip + i);
    return fold(sum) == 0xffff;
}

/* Pseudo-header of RFC 768 for the IPv4 header at 'ip'. */
static inline uint64_t
pseudo_sum(const uint8_t *ip, uint16_t l4_len)
{
    return (uint64_t) load32(ip + 12) + load32(ip + 16) + be16_from(ip[9])
           + be16_from(l4_len);
}

/* Offset from 'frame' of the checksum that the inner packet's sender left to
 * a device: the field holds the folded pseudo-header sum alone.  0: none.
 * Fills l2, l3 with header lengths.  Reads 'len' contiguous bytes. */
static unsigned WEFT_COLD
inner_partial(const uint8_t *frame, size_t len, unsigned *l2, unsigned *l3,
              uint8_t *proto)
{
    size_t ip = 14;
    uint16_t type = get_be16(frame + 12), l4_len;
    uint64_t sum;

    for (; tunnel_type_is_vlan(type) && ip <= 18 && len >= ip + 4; ip += 4)
        type = get_be16(frame + ip + 2);
    if (type == 0x0800 && len >= ip + 20) {
        const uint8_t *h = frame + ip;

        *l3 = 4u * (h[0] & 15);
        if (*l3 < 20 || get_be16(h + 2) < *l3 || (get_be16(h + 6) & 0x3fff))
            return 0;
        *proto = h[9];
        l4_len = (uint16_t) (get_be16(h + 2) - *l3);
        sum = pseudo_sum(h, l4_len);
    } else if (type == 0x86dd && len >= ip + 40) {
        const uint8_t *h = frame + ip;

        *l3 = 40;
        *proto = h[6];
        l4_len = get_be16(h + 4);
        sum = (uint64_t) be16_from(*proto) + be16_from(l4_len);
        for (unsigned i = 8; i < 40; i += 4) /* RFC 8200 §8.1. */
            sum += load32(h + i);
    } else {
        return 0;
    }
    if (*proto != PROTO_TCP && *proto != PROTO_UDP)
        return 0;

    unsigned at = (unsigned) ip + *l3 + (*proto == PROTO_TCP ? 16 : 6);
    if (len < at + 2 || load16(frame + at) != fold(sum))
        return 0;
    *l2 = (unsigned) ip;
    return at;
}

/* The outer checksum of a sender that left the inner one to the device: right
 * once the inner checksum is completed, whose region then sums up to the
 * complement of its pseudo-header (Linux calls it local checksum offload).
 * So it proves that the inner one is unfinished. */
static bool WEFT_COLD
udp_csum_ok_when_completed(const uint8_t *p, const struct outer *o,
                           size_t contiguous)
{
    const uint8_t *frame = p + o->cut;
    unsigned l2, l3, at;
    uint8_t proto;

    at = inner_partial(frame, contiguous - o->cut, &l2, &l3, &proto);
    if (!at)
        return false;

    uint64_t sum = pseudo_sum(p + TUNNEL_ETH_HLEN, (uint16_t) o->plen);
    sum += rte_raw_cksum(p + o->l4, o->cut - o->l4 + l2 + l3);
    sum += (uint16_t) ~load16(frame + at);
    return fold(sum) == 0xffff;
}

/* RFC 7348 §5: zero is accepted, another value may be verified and then must
 * be right. */
static int
udp_csum_check(const struct rte_mbuf *m, const uint8_t *p, struct outer *o)
{
    uint64_t rx = m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
    uint16_t field = load16(p + o->l4 + 6), raw;
    uint64_t pseudo;

    if (rx == RTE_MBUF_F_RX_L4_CKSUM_BAD)
        return DROP_TNL_BAD_CSUM;
    if (rx == RTE_MBUF_F_RX_L4_CKSUM_GOOD
        || rx == RTE_MBUF_F_RX_L4_CKSUM_NONE
        || (m->ol_flags & (RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG)))
        return TUNNEL_OK;
    pseudo = pseudo_sum(p + TUNNEL_ETH_HLEN, (uint16_t) o->plen);
    if (rte_raw_cksum_mbuf(m, o->l4, o->plen, &raw))
        return DROP_TNL_SHORT;
    if (fold(pseudo + raw) == 0xffff)
        return TUNNEL_OK;
    if (field == fold(pseudo))
        return TUNNEL_OK; /* Never completed: veth, tap. */
    if (udp_csum_ok_when_completed(p, o, m->data_len)) {
        o->partial = true;
        return TUNNEL_OK;
    }
    return DROP_TNL_BAD_CSUM;
}

/* --------------------------------------------------------- outer headers */

static inline bool
find_kind(const struct tunnel_table *t, uint8_t proto, uint16_t selector,
          uint16_t *index)
{
    for (unsigned i = 0; i < t->n_kinds; i++)
        if (t->kinds[i].ip_proto == proto
            && t->kinds[i].selector == selector) {
            *index = (uint16_t) i;
            return true;
        }
    return false;
}

static bool
has_proto(const struct tunnel_table *t, uint8_t proto)
{
    for (unsigned i = 0; i < t->n_kinds; i++)
        if (t->kinds[i].ip_proto == proto)
            return true;
    return false;
}

/* Length of the datagram in 'o->plen' becomes the UDP header's. */
static inline int
udp_check(const uint8_t *p, struct outer *o)
{
    uint16_t len;

    if (weft_unlikely(o->plen < UDP_HLEN))
        return DROP_TNL_SHORT;
    len = get_be16(p + o->l4 + 4);
    if (weft_unlikely(len < UDP_HLEN || len > o->plen))
        return DROP_TNL_SHORT;
    o->plen = len;
    o->has_csum = load16(p + o->l4 + 6) != 0;
    return TUNNEL_OK;
}

/* Validates the outer IPv4 header at offset 14 once it is known that the
 * packet is ours. */
static inline int
ip_check(const struct rte_mbuf *m, const uint8_t *ip, unsigned hlen)
{
    uint64_t rx = m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;

    if (weft_unlikely(rx == RTE_MBUF_F_RX_IP_CKSUM_BAD
                      || (rx != RTE_MBUF_F_RX_IP_CKSUM_GOOD
                          && !ip_csum_ok(ip, hlen))))
        return DROP_TNL_BAD_IP;
    return TUNNEL_OK;
}

static inline bool
is_ours(const struct tunnel_worker *w, const struct tunnel_table *t, be32 dst)
{
    return (w->last_seq == t->seq && w->last_dst == dst)
           || tunnel_addr_is_local(t, dst);
}

/* Whose packet is it, the general way: options, fragments, what is short. */
static int WEFT_COLD
locate(const struct tunnel_worker *w, const struct tunnel_table *t,
       const struct rte_mbuf *m, struct outer *o)
{
    const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
    const uint8_t *ip = p + TUNNEL_ETH_HLEN;
    size_t len = m->data_len;
    unsigned hlen, total, frag;

    if (len < TUNNEL_ETH_HLEN + 20 || get_be16(p + 12) != 0x0800
        || ip[0] >> 4 != 4 || !is_ours(w, t, load32(ip + 16))
        || !has_proto(t, ip[9]))
        return TUNNEL_OTHER;
    hlen = 4u * (ip[0] & 15);
    total = get_be16(ip + 2);
    frag = get_be16(ip + 6);
    o->l4 = (uint16_t) (TUNNEL_ETH_HLEN + hlen);
    if (hlen < 20 || total < hlen)
        return DROP_TNL_BAD_IP;
    /* RFC 7348 §4.3, RFC 7637 §4.3: fragments may be discarded.  Only the
     * first tells which UDP port it is for. */
    if (frag & 0x1fff)
        return DROP_TNL_FRAGMENT;
    if (total < hlen + 4 || len < o->l4 + 4u)
        return DROP_TNL_SHORT;
    if (!find_kind(t, ip[9], get_be16(p + o->l4 + 2), &o->kind))
        return TUNNEL_OTHER;
    return frag & 0x2000 ? (int) DROP_TNL_FRAGMENT : TUNNEL_OK;
}

/* The same for nearly all: no options, no fragment, all of it there. */
static inline int
locate_plain(const struct tunnel_worker *w, const struct tunnel_table *t,
             const struct rte_mbuf *m, struct outer *o)
{
    const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
    const uint8_t *ip = p + TUNNEL_ETH_HLEN;

    if (weft_unlikely(m->data_len < TUNNEL_ETH_HLEN + 20 + UDP_HLEN
                      || get_be16(p + 12) != 0x0800 || ip[0] != 0x45
                      || (get_be16(ip + 6) & 0x3fff)
                      || get_be16(ip + 2) < 20 + 4))
        return locate(w, t, m, o);
    o->l4 = TUNNEL_ETH_HLEN + 20;
    if (!find_kind(t, ip[9], get_be16(p + TUNNEL_ETH_HLEN + 22), &o->kind)
        || weft_unlikely(!is_ours(w, t, load32(ip + 16))))
        return TUNNEL_OTHER;
    return TUNNEL_OK;
}

/* TUNNEL_OK fills 'o'. */
static inline int
parse_outer(const struct tunnel_worker *w, const struct tunnel_table *t,
            const struct rte_mbuf *m, struct outer *o)
{
    const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
    const uint8_t *ip = p + TUNNEL_ETH_HLEN;
    int verdict = locate_plain(w, t, m, o);
    unsigned hlen = o->l4 - TUNNEL_ETH_HLEN;
    struct tnl_meta meta;
    uint32_t total;

    if (weft_unlikely(verdict != TUNNEL_OK))
        return verdict;
    total = get_be16(ip + 2);
    if (weft_unlikely(total > m->pkt_len - TUNNEL_ETH_HLEN))
        return DROP_TNL_SHORT;
    verdict = ip_check(m, ip, hlen);
    o->plen = total - hlen;
    o->has_csum = o->partial = false;
    if (ip[9] == PROTO_UDP && weft_likely(verdict == TUNNEL_OK))
        verdict = udp_check(p, o);
    if (weft_unlikely(verdict != TUNNEL_OK))
        return verdict;

    enum tnl_verdict v = t->kinds[o->kind].ops->decap(
        p + o->l4, WEFT_MIN((size_t) o->plen, (size_t) m->data_len - o->l4),
        &meta);
    if (weft_unlikely(v != TNL_OK))
        return (int) v;
    o->src = load32(ip + 12);
    o->dst = load32(ip + 16);
    o->key = meta.key;
    o->cut = (uint16_t) (o->l4 + meta.hlen);
    o->ecn = ip[1] & ECN_MASK;
    return weft_likely(!o->has_csum) ? TUNNEL_OK : udp_csum_check(m, p, o);
}

/* ---------------------------------------------------------------- lookup */

static inline const struct tunnel_port *
find_slot(const struct tunnel_table *t, be32 remote, be32 local, uint32_t kk)
{
    uint32_t at = tunnel_hash_slot(remote, local, kk);

    for (uint32_t n = 0; n < t->max_probe; n++, at++) {
        const struct tunnel_slot *s = &t->slots[at & t->mask];

        if (!s->port)
            break;
        if (s->kind_key == kk && s->remote == remote && s->local == local)
            return s->port;
    }
    return NULL;
}

static inline void
mode_identity(const struct outer *o, unsigned mode, be32 *remote, be32 *local,
              uint32_t *kk)
{
    *remote = mode & TUNNEL_BY_REMOTE ? o->src : 0;
    *local = mode & TUNNEL_BY_LOCAL ? o->dst : 0;
    *kk = tunnel_kind_key(o->kind, mode, mode & TUNNEL_BY_KEY ? o->key : 0);
}

static const struct tunnel_port *
lookup(const struct tunnel_table *t, const struct outer *o)
{
    const struct tunnel_kind *k = &t->kinds[o->kind];

    for (unsigned i = 0; i < k->n_modes; i++) {
        be32 remote, local;
        uint32_t kk;

        mode_identity(o, k->modes[i], &remote, &local, &kk);
        const struct tunnel_port *p = find_slot(t, remote, local, kk);
        if (p)
            return p;
    }
    return NULL;
}

static inline void
prefetch_slot(const struct tunnel_table *t, const struct outer *o)
{
    be32 remote, local;
    uint32_t kk;

    mode_identity(o, t->kinds[o->kind].modes[0], &remote, &local, &kk);
    weft_prefetch(&t->slots[tunnel_hash_slot(remote, local, kk) & t->mask]);
}

/* The port of the last packet if this one has the same outer identity. */
static inline const struct tunnel_port *
same_as_last(const struct tunnel_worker *w, const struct tunnel_table *t,
             const struct outer *o)
{
    return w->last_seq == t->seq && w->last_src == o->src
               && w->last_dst == o->dst
               && w->last_kind_key == tunnel_kind_key(o->kind, 0, o->key)
           ? w->last_port : NULL;
}

static inline const struct tunnel_port *
find_port(struct tunnel_worker *w, const struct tunnel_table *t,
          const struct outer *o)
{
    const struct tunnel_port *p = same_as_last(w, t, o);

    if (weft_likely(p != NULL))
        return p;
    p = lookup(t, o);
    if (p) {
        w->last_seq = t->seq;
        w->last_src = o->src;
        w->last_dst = o->dst;
        w->last_kind_key = tunnel_kind_key(o->kind, 0, o->key);
        w->last_port = p;
    }
    return p;
}

/* ----------------------------------------------------------- inner frame */

/* Gives the ECN field of the inner packet the congestion mark of the outer
 * one, RFC 6040 §4.2, figure 4. */
static int WEFT_COLD
ecn_to_inner(uint8_t *frame, size_t len, uint8_t outer)
{
    uint16_t type = get_be16(frame + 12);
    bool v4 = type == 0x0800;
    uint8_t inner, next;

    if ((!v4 && type != 0x86dd) || len < TUNNEL_ETH_HLEN + 20u)
        return TUNNEL_OK; /* Nothing that could carry or need a mark. */

    uint8_t *ip = frame + TUNNEL_ETH_HLEN;
    uint16_t word = get_be16(ip);
    inner = (v4 ? word : word >> 4) & ECN_MASK;
    if (!inner && outer == ECN_CE)
        return DROP_TNL_BAD_ECN;
    next = inner;
    if (inner && outer == ECN_CE)
        next = ECN_CE;
    else if (inner == ECN_ECT0 && outer == ECN_ECT1)
        next = ECN_ECT1;
    if (next == inner)
        return TUNNEL_OK;

    uint16_t now = (uint16_t) (v4 ? (word & ~ECN_MASK) | next
                                  : (word & ~(ECN_MASK << 4)) | next << 4);
    put_be16(ip, now);
    if (v4) {
        /* RFC 1624 §3, eqn. 3. */
        uint32_t sum = (uint16_t) ~get_be16(ip + 10);

        sum += (uint16_t) ~word;
        sum += now;
        put_be16(ip + 10, (uint16_t) ~fold(sum));
    }
    return TUNNEL_OK;
}

/* Marks the inner checksum as unfinished, for datapath/offload.h. */
static void WEFT_COLD
mark_partial(struct rte_mbuf *m)
{
    unsigned l2, l3;
    uint8_t proto;

    if (!inner_partial(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, &l2,
                       &l3, &proto))
        return;
    m->l2_len = l2 & 0x7f;
    m->l3_len = l3 & 0x1ff;
    m->ol_flags |= (l3 == 40 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4)
                   | (proto == PROTO_TCP ? RTE_MBUF_F_TX_TCP_CKSUM
                                         : RTE_MBUF_F_TX_UDP_CKSUM);
}

/* Offload state of the whole becomes that of the inner frame. */
static inline void
offload_to_inner(struct rte_mbuf *m, const struct outer *o)
{
    const uint64_t memory = RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
    const uint64_t inner = RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG
                           | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6;
    bool unfinished = o->partial
                      || (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK)
                             == RTE_MBUF_F_RX_L4_CKSUM_NONE;

    if (weft_unlikely(m->ol_flags & RTE_MBUF_F_TX_TUNNEL_MASK)) {
        offload_cut_front(m, o->cut);
        m->ol_flags &= memory | inner;
        return;
    }
    m->ol_flags &= memory;
    /* A sender in this kernel may have left the inner checksum to a device,
     * and this way of receiving does not say so (AF_XDP). */
    if (weft_unlikely(unfinished))
        mark_partial(m);
}

static inline int
cut_front(struct rte_mbuf *m, const struct outer *o,
          const struct tunnel_port *port)
{
    uint8_t *frame = rte_pktmbuf_mtod_offset(m, uint8_t *, o->cut);
    uint32_t extra = m->pkt_len - o->l4 - o->plen;

    /* RFC 7348 §6.1: SHOULD discard unless configured; RFC 7637 §3.3: MUST. */
    if (weft_unlikely(tunnel_type_is_vlan(get_be16(frame + 12)))
        && !port->keep_vlan)
        return DROP_TNL_INNER_VLAN;
    if (weft_unlikely(o->ecn)) {
        int verdict = ecn_to_inner(frame, m->data_len - o->cut, o->ecn);

        if (verdict != TUNNEL_OK)
            return verdict;
    }
    /* Padding of the outer Ethernet frame is no part of the inner one. */
    if (weft_unlikely(extra) && rte_pktmbuf_trim(m, (uint16_t) extra))
        return DROP_TNL_BAD_IP;
    rte_pktmbuf_adj(m, o->cut);
    offload_to_inner(m, o);
    return TUNNEL_OK;
}

/* --------------------------------------------------------- same as last */

enum { SAME_FROM = 12 }; /* Where the words of struct tunnel_same begin. */

static inline uint64_t
load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

/* 'o' was decapsulated for 'port'; 'p' is its first byte.  Packets that have
 * the same headers but for length, id, TTL, checksum and entropy get the same
 * answer. */
static void
same_learn(struct tunnel_same *s, const struct tunnel_table *t,
           const uint8_t *p, const struct outer *o,
           const struct tunnel_port *port)
{
    uint8_t mask[8 * TUNNEL_SAME_WORDS] = { 0 };
    const uint8_t *ip = p + TUNNEL_ETH_HLEN;
    unsigned l4 = o->l4 - SAME_FROM;

    if (o->l4 != TUNNEL_ETH_HLEN + 20 || o->ecn || o->has_csum
        || o->cut > SAME_FROM + sizeof mask)
        return;
    memset(mask, 0xff, o->cut - SAME_FROM);
    mask[TUNNEL_IP_TOS - SAME_FROM] = ECN_MASK;
    memset(mask + TUNNEL_IP_LEN - SAME_FROM, 0, 4); /* And the id. */
    mask[TUNNEL_IP_FRAG - SAME_FROM] = 0x3f;        /* But DF. */
    mask[TUNNEL_IP_TTL - SAME_FROM] = 0;
    memset(mask + TUNNEL_IP_CSUM - SAME_FROM, 0, 2);
    s->udp = ip[9] == PROTO_UDP;
    if (s->udp) {
        memset(mask + l4, 0, 2);     /* Source port. */
        memset(mask + l4 + 4, 0, 2); /* Length. */
    } else if (port->entropy == TNL_ENTROPY_FLOW_ID) {
        mask[port->entropy_off - SAME_FROM] = 0;
    }
    for (unsigned i = 0; i < TUNNEL_SAME_WORDS; i++) {
        s->mask[i] = load64(mask + 8 * i);
        s->value[i] = load64(p + SAME_FROM + 8 * i) & s->mask[i];
    }
    s->port = port;
    s->tun = (struct pkt_tunnel) { .id = o->key, .src = o->src,
                                   .dst = o->dst };
    s->seq = t->seq;
    s->cut = o->cut;
}

/* Is 'm' like the one that was learnt from, with nothing left to look at? */
static inline bool
same_matches(const struct tunnel_same *s, const struct rte_mbuf *m)
{
    /* The BAD bits are part of NONE too: rte_mbuf_core.h. */
    const uint64_t special = RTE_MBUF_F_TX_TUNNEL_MASK
                             | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG
                             | RTE_MBUF_F_RX_IP_CKSUM_BAD
                             | RTE_MBUF_F_RX_L4_CKSUM_BAD;
    const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
    uint64_t diff = m->ol_flags & special;
    uint32_t total;

    if (weft_unlikely(m->data_len < s->cut + 14u)) /* An Ethernet header. */
        return false;
    for (unsigned i = 0; i < TUNNEL_SAME_WORDS; i++)
        diff |= (load64(p + SAME_FROM + 8 * i) & s->mask[i]) ^ s->value[i];
    total = get_be16(p + TUNNEL_IP_LEN);
    diff |= total ^ (m->pkt_len - TUNNEL_ETH_HLEN); /* No padding. */
    if (s->udp)
        diff |= (total - 20) ^ get_be16(p + TUNNEL_ETH_HLEN + 24);
    if (weft_unlikely(diff)
        || (weft_unlikely(tunnel_type_is_vlan(get_be16(p + s->cut + 12)))
            && !s->port->keep_vlan))
        return false;
    return (m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_GOOD)
           || ip_csum_ok(p + TUNNEL_ETH_HLEN, 20);
}

unsigned
tunnel_rx_same(struct tunnel_worker *w, struct rte_mbuf *const m[],
               unsigned n, struct tunnel_rx *rx)
{
    const struct tunnel_table *t = __atomic_load_n(&w->tunnels->table,
                                                   __ATOMIC_ACQUIRE);
    const struct tunnel_same *s = &w->same;
    unsigned i;

    for (i = 0; i < n; i++) {
        weft_prefetch(rte_pktmbuf_mtod(m[i], uint8_t *));
        weft_prefetch(rte_pktmbuf_mtod(m[i], uint8_t *) + 64);
    }
    if (!s->port || s->seq != t->seq)
        return 0;
    for (i = 0; i < n && same_matches(s, m[i]); i++) {
        m[i]->data_off = (uint16_t) (m[i]->data_off + s->cut);
        m[i]->data_len = (uint16_t) (m[i]->data_len - s->cut);
        m[i]->pkt_len -= s->cut;
        m[i]->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
    }
    if (i)
        *rx = (struct tunnel_rx) { .verdict = TUNNEL_OK, .port = s->port,
                                   .tun = s->tun };
    return i;
}

/* The others: one by one, as if nothing was known. */
static void
rx_general(struct tunnel_worker *w, struct rte_mbuf *const m[], unsigned n,
           struct tunnel_rx rx[])
{
    const struct tunnel_table *t = __atomic_load_n(&w->tunnels->table,
                                                   __ATOMIC_ACQUIRE);
    struct outer outer[TUNNEL_BURST];

    for (unsigned i = 0; i < n; i++) {
        rx[i].port = NULL;
        rx[i].verdict = parse_outer(w, t, m[i], &outer[i]);
        if (rx[i].verdict == TUNNEL_OK && !same_as_last(w, t, &outer[i]))
            prefetch_slot(t, &outer[i]);
    }
    for (unsigned i = 0; i < n; i++) {
        const struct outer *o = &outer[i];

        if (weft_unlikely(rx[i].verdict != TUNNEL_OK))
            continue;
        rx[i].port = find_port(w, t, o);
        if (weft_unlikely(!rx[i].port)) {
            rx[i].verdict = DROP_TNL_UNKNOWN;
            continue;
        }
        rx[i].tun = (struct pkt_tunnel) { .id = o->key, .src = o->src,
                                          .dst = o->dst };
        rx[i].verdict = cut_front(m[i], o, rx[i].port);
        if (i + 1 == n && rx[i].verdict == TUNNEL_OK)
            same_learn(&w->same, t,
                       rte_pktmbuf_mtod(m[i], uint8_t *) - o->cut, o,
                       rx[i].port);
    }
}

void
tunnel_rx_burst(struct tunnel_worker *w, struct rte_mbuf *const m[],
                unsigned n, struct tunnel_rx rx[])
{
    struct tunnel_rx same;
    unsigned n_same = tunnel_rx_same(w, m, n, &same);

    for (unsigned i = 0; i < n_same; i++)
        rx[i] = same;
    if (n_same < n)
        rx_general(w, m + n_same, n - n_same, rx + n_same);
}
