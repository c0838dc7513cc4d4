/* SPDX-License-Identifier: Apache-2.0 */
#include "gen.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>

#define PACED_MAX 4

uint64_t tsc_hz;

/* Generators that do not send as much as is taken: net_null's receive
 * function always fills the burst, so theirs takes its place. */
static struct paced {
    struct side *s;
    void *queue;
} paced[PACED_MAX];
static unsigned n_paced;
static uint32_t *seq_out; /* Of each template. */
static uint32_t victims_below;
static uint64_t last_poll;

void
gen_rx_init(const struct side *sides, unsigned n)
{
    tsc_hz = stats->hz = rte_get_tsc_hz();
    for (unsigned i = 0; i < n; i++) {
        if (sides[i].is_rx && sides[i].stamp && !seq_out)
            seq_out = calloc(n_templates + 1, sizeof *seq_out);
        if (sides[i].is_rx && sides[i].flows && !victims_below)
            victims_below = sides[i].tse ? 1 : sides[i].flows;
    }
}

/* Writes the outer headers in front of an inner frame: 192.0.2.2 sends to
 * 192.0.2.1, Weft's or Open vSwitch's address. */
static unsigned
outer_headers(const struct side *s, uint8_t *p, const uint8_t *inner,
              uint32_t flow, unsigned inner_len)
{
    unsigned hlen = s->outer == OUTER_VXLAN ? 50 : 42;
    uint32_t key = tunnel_key(s, inner);
    uint8_t *l4 = p + 34;

    memcpy(p, s->dst_mac, 6);
    memcpy(p + 6, "\x02\x00\x00\x00\x0f\x02\x08\x00", 8);
    ip_header(p + 14, hlen - 14 + inner_len,
              s->outer == OUTER_VXLAN ? 17 : 47, 0xc0000202, 0xc0000201);
    if (s->outer == OUTER_VXLAN) {
        put16(l4, 49152 + (flow & 0x3fff));
        put16(l4 + 2, 4789);
        put16(l4 + 4, 16 + inner_len);
        put16(l4 + 6, 0);
        put32(l4 + 8, 0x08000000);
        put32(l4 + 12, key << 8);
    } else {
        put32(l4, 0x20006558);
        put32(l4 + 4, key << 8 | (flow & 0xff));
    }
    return hlen;
}

static void
arp_reply(const struct side *s, struct rte_mbuf *m)
{
    uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);

    memset(p, 0, 60);
    memset(p, 0xff, 6);
    memcpy(p + 6, "\x02\x00\x00\x00\x0f\x02\x08\x06\x00\x01\x08\x00\x06\x04"
                  "\x00\x02\x02\x00\x00\x00\x0f\x02", 22);
    put32(p + 28, s->arp_ip);
    memcpy(p + 32, s->dst_mac, 6);
    put32(p + 38, s->arp_target);
    m->data_len = 60;
    m->pkt_len = 60;
}

/* Moves the line towards L3, as a NIC's DMA leaves it: CLDEMOTE, encoded by
 * hand because older targets execute it as a no-op. */
static inline void
demote(const void *p)
{
    __asm__ volatile(".byte 0x0f, 0x1c, 0x07" : : "D"(p) : "memory");
}

static inline uint32_t
next_template(struct side *s, uint32_t end)
{
    if (s->tse) { /* One packet in so many attacks. */
        if (++s->since_attack < s->attack_every)
            return s->first;
        s->since_attack = 0;
        if (++s->next >= end)
            s->next = s->first + 1;
        return s->next;
    }
    uint32_t i = s->next;
    s->next = i + 1 >= end ? s->first : i + 1;
    if (free_bits && free_bits[i]) { /* Next time it is another flow. */
        uint8_t *port = template_at(i) + 34;
        uint32_t mask = free_bits[i], v = (uint32_t) port[0] << 8 | port[1];

        put16(port, (v & ~mask) | (((v | ~mask) + 1) & mask));
    }
    return i;
}

static void
stamp(struct side *s, uint8_t *p, uint32_t i)
{
    uint64_t due = s->due >> 16;

    s->due += s->step;
    memcpy(p + AT_DUE, &due, sizeof due);
    put16(p + AT_EPOCH, (uint16_t) stats->epoch);
    put32(p + AT_SEQ, ++seq_out[i]);
}

/* Writes the next frame into 'm'; its template. */
static inline uint32_t
next_frame(struct side *s, struct rte_mbuf *m, uint32_t end)
{
    uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
    uint32_t i = next_template(s, end);
    const uint8_t *t = template_at(i);
    unsigned off = 0, wire = FRAME;

    if (!plain)
        wire = template_end(t).wire_len;
    if (s->outer != OUTER_NONE)
        off = outer_headers(s, p, t, i, wire);
    memcpy(p + off, t, FRAME);
    if (!plain)
        memcpy(p + off + FRAME, t + FRAME, STRIDE - FRAME);
    m->data_len = (uint16_t) (off + wire);
    m->pkt_len = off + wire;
    if (s->rss) {
        m->hash.rss = i * 0x9e3779b1u;
        m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
    }
    if (s->stamp)
        stamp(s, p + off, i);
    if (s->cold)
        demote(p);
    return i;
}

/* How many frames are due. */
static unsigned
due_now(struct side *s, unsigned max)
{
    uint64_t now = rte_rdtsc(), pps = stats->pps ? stats->pps : s->pps;
    unsigned n = 0;

    if (s->burst)
        max = 1 + s->polls++ % s->burst;
    if (!pps) {
        s->due = now << 16;
        s->step = 0;
        return max;
    }
    if (s->step_of_pps != pps) {
        s->step_of_pps = pps;
        s->step = (tsc_hz << 16) / pps;
        s->due = now << 16;
    }
    while (n < max && ((s->due + n * s->step) >> 16) <= now)
        n++;
    return n;
}

static uint16_t
paced_rx(void *queue, struct rte_mbuf **pkts, uint16_t max)
{
    for (unsigned i = 0; i < n_paced; i++)
        if (paced[i].queue == queue) {
            unsigned n = due_now(paced[i].s, max);

            if (n && rte_pktmbuf_alloc_bulk(paced[i].s->pool, pkts, n))
                return 0;
            return (uint16_t) n;
        }
    return 0;
}

/* Called with net_null's own frames, once after each start of the port. */
static void
take_over(struct side *s, uint16_t port, uint16_t queue,
          const struct rte_mbuf *m)
{
    void *q = rte_eth_fp_ops[port].rxq.data[queue];
    unsigned i = 0;

    while (i < n_paced && paced[i].s != s)
        i++;
    if (i == PACED_MAX)
        return;
    n_paced += i == n_paced;
    paced[i].s = s;
    paced[i].queue = q;
    s->pool = m->pool;
    s->polls = 0;
    rte_eth_fp_ops[port].rx_pkt_burst = paced_rx;
}

/* How long nobody looked at the port. */
static inline void
note_gap(void)
{
    uint64_t now = rte_rdtsc(), gap = now - last_poll;

    if (last_poll && gap > tsc_hz / 20000) {
        stats->gaps_50us++;
        stats->gaps_200us += gap > tsc_hz / 5000;
    }
    if (last_poll && gap > stats->gap_max)
        stats->gap_max = gap;
    last_poll = now;
}

uint16_t
gen_rx(uint16_t port, uint16_t queue, struct rte_mbuf *pkts[], uint16_t n,
       uint16_t max, void *side)
{
    struct side *s = side;
    uint32_t active = stats->active ? (uint32_t) stats->active : s->flows;
    uint64_t victims = 0;
    uint16_t k = 0;

    (void) max;
    if (!s->first)
        note_gap();
    if ((s->pps || s->burst || s->stamp)
        && n && rte_eth_fp_ops[port].rx_pkt_burst != paced_rx) {
        take_over(s, port, queue, pkts[0]);
        rte_pktmbuf_free_bulk(pkts, n);
        return 0;
    }
    if (n && s->arp && s->polls++ % ARP_EVERY == 0)
        arp_reply(s, pkts[k++]);
    for (; k < n; k++)
        victims += next_frame(s, pkts[k], s->first + active) < victims_below;
    stats->offered += n;
    stats->victim_offered += victims;
    return n;
}

uint16_t
gen_rx_arp(uint16_t port, uint16_t queue, struct rte_mbuf *pkts[],
           uint16_t n, uint16_t max, void *side)
{
    struct side *s = side;
    uint16_t keep = 0;

    (void) port, (void) queue, (void) max;
    if (n && s->arp && s->polls++ % ARP_EVERY == 0) {
        arp_reply(s, pkts[0]);
        keep = 1;
    }
    rte_pktmbuf_free_bulk(pkts + keep, n - keep);
    return keep;
}
