/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/ops/rewrite.h"

#include <rte_hash_crc.h>
#include <string.h>

void
rewrite_l4_csum(struct batch *b, unsigned s, uint32_t delta, bool pseudo)
{
    uint8_t proto = b->key[s].ip_proto;
    bool udp = proto == REWRITE_UDP;
    uint8_t *c;

    if (!b->lay[s].l4)
        return;
    if (proto == REWRITE_TCP)
        c = slot_at(b, s, b->lay[s].l4 + 16u);
    else if (udp)
        c = slot_at(b, s, b->lay[s].l4 + 6u);
    else if (proto == REWRITE_ICMPV6 || (proto == REWRITE_ICMP && !pseudo))
        c = slot_at(b, s, b->lay[s].l4 + 2u);
    else
        return;

    if (b->m[s]->ol_flags & RTE_MBUF_F_TX_L4_MASK) {
        if (pseudo)
            put_be16(c, (uint16_t) csum_fold(get_be16(c) + delta));
        return;
    }
    if (udp && !get_be16(c)) /* RFC 768: none. */
        return;
    csum_apply(c, delta);
    if (udp && !get_be16(c))
        put_be16(c, 0xffff);
}

static uint32_t
crc_bytes(const uint8_t *p, uint32_t n, uint32_t crc)
{
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t w;

        memcpy(&w, p, 8);
        crc = rte_hash_crc_8byte(w, crc);
    }
    while (n--)
        crc = rte_hash_crc_1byte(*p++, crc);
    return crc;
}

/* CRC of the bytes from 'off' on, over all segments. */
static uint32_t
crc_from(const struct rte_mbuf *m, uint32_t off, uint32_t len, uint32_t crc)
{
    for (; m && len; m = m->next) {
        uint32_t n;

        if (off >= m->data_len) {
            off -= m->data_len;
            continue;
        }
        n = WEFT_MIN(len, m->data_len - off);
        crc = crc_bytes(rte_pktmbuf_mtod_offset(m, uint8_t *, off), n, crc);
        len -= n;
        off = 0;
    }
    return crc;
}

void
rewrite_sctp_crc(struct batch *b, unsigned s)
{
    struct rte_mbuf *m = b->m[s];
    uint32_t l4 = b->lay[s].l4, len, crc;
    uint8_t *p = slot_at(b, s, l4);
    const uint8_t *ip = slot_at(b, s, b->lay[s].l3);

    if ((m->ol_flags & RTE_MBUF_F_TX_L4_MASK)
        || b->key[s].nw_flags & FLOW_NW_FRAG_ANY)
        return;
    /* Padding behind the packet is not covered. */
    len = slot_is(b, s, REWRITE_ETH_IPV4)
              ? b->lay[s].l3 + get_be16(ip + 2)
              : b->lay[s].l3 + 40u + get_be16(ip + 4);
    if (len > m->pkt_len || len < l4 + 12)
        return;
    memset(p + 8, 0, 4);
    crc = ~crc_from(m, l4, len - l4, UINT32_MAX);
    /* RFC 4960 appendix B: least significant byte first. */
    for (unsigned i = 0; i < 4; i++)
        p[8 + i] = (uint8_t) (crc >> 8 * i);
}

uint8_t *
rewrite_push(struct batch *b, unsigned s, unsigned off, unsigned n)
{
    struct rte_mbuf *m = b->m[s];
    uint8_t *p = (uint8_t *) rte_pktmbuf_prepend(m, (uint16_t) n);

    if (!p)
        return NULL;
    memmove(p, p + n, off);
    m->l2_len += n;
    b->sum.valid = false;
    return p + off;
}

void
rewrite_pop(struct batch *b, unsigned s, unsigned off, unsigned n)
{
    struct rte_mbuf *m = b->m[s];
    uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);

    memmove(p + n, p, off);
    rte_pktmbuf_adj(m, (uint16_t) n);
    m->l2_len -= n;
    b->sum.valid = false;
}

void
rewrite_group_del(struct group *g, unsigned i)
{
    g->n--;
    memmove(g->idx + i, g->idx + i + 1, g->n - i);
}

void
rewrite_group_drop(struct worker *w, struct group *g, unsigned i,
                   unsigned reason)
{
    worker_drop_slot(w, g->b, g->idx[i], reason);
    rewrite_group_del(g, i);
}
