/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/worker.h"

#include <rte_prefetch.h>
#include <string.h>

#include "datapath/chlog.h"
#include "datapath/extract_plain_fast.h"
#include "datapath/offload.h"
#include "datapath/queue.h"

/* ----------------------------------------------------------- accounting */

void
worker_drop(struct worker *w, struct dp_bridge *br, struct dp_port *p,
            struct rte_mbuf *m, unsigned reason)
{
    if (br)
        dp_count(br->pw[w->id]->bal.dropped[reason], 1);
    if (p)
        dp_count(worker_port(w, p)->drops[reason], 1);
    rte_pktmbuf_free(m);
}

void
worker_drop_slot(struct worker *w, struct batch *b, unsigned slot,
                 unsigned reason)
{
    worker_drop(w, b->br, b->in[slot], b->m[slot], reason);
}

/* Charges 'p', NULL: each packet's ingress port, by runs. */
static void
charge_drops(struct worker *w, const struct group *g, struct dp_port *p,
             unsigned reason)
{
    unsigned run = 0;

    for (unsigned i = 0; i < g->n; i += run) {
        struct dp_port *charge = p ? p : g->b->in[g->idx[i]];

        run = p ? g->n : 1;
        while (i + run < g->n && g->b->in[g->idx[i + run]] == charge)
            run++;
        if (charge)
            dp_count(worker_port(w, charge)->drops[reason], run);
    }
}

void
worker_drop_group(struct worker *w, struct group *g, struct dp_port *p,
                  unsigned reason)
{
    struct rte_mbuf *m[BATCH_MAX];
    struct batch *b = g->b;

    dp_count(b->bp->bal.dropped[reason], g->n);
    charge_drops(w, g, p, reason);
    if (!g->last) {
        dp_count(b->bp->bal.copied, g->n);
        return;
    }
    for (unsigned i = 0; i < g->n; i++)
        m[i] = b->m[g->idx[i]];
    rte_pktmbuf_free_bulk(m, g->n);
}

struct rte_mbuf *
worker_take(struct worker *w, struct group *g, unsigned slot)
{
    struct batch *b = g->b;
    struct rte_mbuf *m = b->m[slot];

    if (g->last)
        return m;
    dp_count(b->bp->bal.copied, 1);
    m = rte_pktmbuf_copy(m, w->dp->env.pool, 0, UINT32_MAX);
    if (!m) {
        dp_count(b->bp->bal.dropped[DROP_NO_BUFFER], 1);
        if (b->in[slot])
            dp_count(worker_port(w, b->in[slot])->drops[DROP_NO_BUFFER], 1);
    }
    return m;
}

bool
worker_pend(struct worker *w, const struct pending *p)
{
    if (w->pend_n == PENDING_MAX)
        return false;
    w->pending[(w->pend_head + w->pend_n++) % PENDING_MAX] = *p;
    return true;
}

/* ---------------------------------------------------------- classification */

/* Cache entries proven from now on carry b->bp->stamp.  It goes up with the
 * generation of the bridge, and with the epoch of the arena: no older one is
 * good then. */
static void
batch_stamp(struct worker *w, struct batch *b)
{
    struct bridge_pw *bp = b->bp;
    uint32_t gen = dp_load(&b->br->gen);

    b->gen = gen;
    if (weft_likely(gen == bp->seen_gen && w->epoch == bp->seen_epoch))
        return;
    if (bp->seen_epoch != w->epoch) {
        __atomic_store_n(&bp->floor, gen + w->epoch, __ATOMIC_RELAXED);
        __atomic_store_n(&bp->seen_epoch, w->epoch, __ATOMIC_RELEASE);
    }
    __atomic_store_n(&bp->seen_gen, gen, __ATOMIC_RELAXED);
    __atomic_store_n(&bp->stamp, gen + w->epoch, __ATOMIC_RELAXED);
}

/* Does what was proven for an older generation hold for this one? */
static bool
entry_holds(const struct worker *w, struct bridge_pw *bp, const struct fc *fc,
            struct fc_entry *e)
{
    uint32_t stamp = fc_entry_stamp(e);
    const struct chlog *log = fc_log(fc);

    if (!log || (int32_t) (stamp - bp->floor) < 0
        || !chlog_holds(log, e->words, stamp - w->epoch))
        return false;
    fc_entry_prove(e, fc_entry_prog(e), bp->stamp);
    dp_count(bp->kept, 1);
    return true;
}

/* Finds the programs of misses; first proves known entries again, then
 * inserts new ones: an insertion may evict an entry that is still to be
 * proven. */
static void
classify_misses(struct worker *w, struct batch *b, struct fc *fc,
                const struct flow_key *const keys[], const uint8_t miss[],
                unsigned n_miss, const struct prog *progs[])
{
    const struct flow_key *mk[BATCH_MAX];
    const struct prog *mp[BATCH_MAX];
    struct bridge_pw *bp = b->bp;

    for (unsigned i = 0; i < n_miss; i++)
        mk[i] = keys[miss[i]];
    walk_burst(w, b->br, mk, n_miss, NULL, mp);
    for (unsigned i = 0; i < n_miss; i++) {
        void *entry = w->refs[miss[i]].entry;

        progs[miss[i]] = mp[i];
        if (weft_unlikely(walk_prog_is_scratch(w, mp[i]))) {
            w->refs[miss[i]].entry = NULL; /* Stays as it is. */
        } else if (entry) {
            dp_count(bp->stale, 1);
            fc_entry_prove(entry, mp[i], bp->stamp);
        }
    }
    for (unsigned i = 0; i < n_miss; i++)
        if (!w->refs[miss[i]].entry
            && weft_likely(!walk_prog_is_scratch(w, mp[i])))
            fc_insert(fc, &w->refs[miss[i]], mp[i], bp->stamp);
}

/* A cache that only churns is looked at now and then only: classification is
 * cheaper than a miss and an insertion before it. */
static inline bool
batch_bypass(struct bridge_pw *bp)
{
    return weft_unlikely(dp_read(bp->bypass))
           && ++bp->bypassed % CACHE_SAMPLE != 0;
}

static void
batch_classify(struct worker *w, struct batch *b, const struct prog *progs[])
{
    const struct flow_key *keys[BATCH_MAX];
    uint8_t miss[BATCH_MAX];
    unsigned n = b->n_live, n_miss = 0;
    struct fc *fc;

    batch_stamp(w, b);
    fc = dp_load(&b->br->cache_off) || batch_bypass(b->bp)
             ? NULL : dp_load(&b->bp->fc);
    for (unsigned i = 0; i < n; i++)
        keys[i] = &b->key[b->live[i]];
    if (fc) {
        fc_lookup_burst(fc, keys, n, w->refs);
        for (unsigned i = 0; i < n; i++) {
            struct fc_entry *e = w->refs[i].entry;

            if (weft_likely(e && fc_entry_stamp(e) == b->bp->stamp)
                || (e && entry_holds(w, b->bp, fc, e))) {
                progs[i] = fc_entry_prog(e);
                prog_prefetch(progs[i]);
            } else {
                miss[n_miss++] = (uint8_t) i;
            }
        }
    } else {
        walk_burst(w, b->br, keys, n, NULL, progs);
    }
    if (n_miss)
        classify_misses(w, b, fc, keys, miss, n_miss, progs);
}

/* ------------------------------------------------------------------- parse */

/* Fills key and layout of 'slot'; tunnel members and in_port are set. */
static inline int
slot_parse(struct batch *b, unsigned slot)
{
    const struct rte_mbuf *m = b->m[slot];

    return extract_frame_fast(rte_pktmbuf_mtod(m, const uint8_t *),
                              m->data_len, m->pkt_len, &b->key[slot],
                              &b->lay[slot]);
}

bool
worker_reparse(struct worker *w, struct batch *b, unsigned slot)
{
    int reason = slot_parse(b, slot);

    if (weft_likely(reason == EXTRACT_OK))
        return true;
    worker_drop_slot(w, b, slot, (unsigned) reason);
    return false;
}

static inline void
slot_set_tunnel(struct flow_key *k, const struct pkt_tunnel *t)
{
    k->tun_id = be64_from(t->id);
    k->tun_src = t->src;
    k->tun_dst = t->dst;
}

static inline void
slot_set_port(struct flow_key *k, be32 in_port)
{
    k->metadata = 0;
    k->in_port = in_port;
    k->in_phy_port = in_port;
    k->actset_output = be32_from(FLOW_PORT_UNSET);
}

/* What is the same in all keys of a burst; stored in whole words. */
struct key_start {
    be64 port_src; /* in_port, tun_src */
    be64 tun_id;
    be32 tun_dst;
    be64 ports; /* in_phy_port, actset_output */
};

static_assert(offsetof(struct flow_key, tun_src) == 4
                  && offsetof(struct flow_key, tun_id) == 8
                  && offsetof(struct flow_key, metadata) == 8 * 16
                  && offsetof(struct flow_key, in_phy_port) == 8 * 17
                  && offsetof(struct flow_key, actset_output) == 8 * 17 + 4,
              "words of struct key_start");

static inline struct key_start
key_start_make(uint32_t port_no, const struct pkt_tunnel *t)
{
    uint64_t port = (uint64_t) port_no << 32;

    return (struct key_start) {
        .port_src = be64_from(port | be32_to(t->src)),
        .tun_id = be64_from(t->id), .tun_dst = t->dst,
        .ports = be64_from(port | FLOW_PORT_UNSET),
    };
}

static inline void
slot_start(struct flow_key *k, const struct key_start *ks)
{
    flow_key_set_word(k, 0, ks->port_src);
    flow_key_set_word(k, 1, ks->tun_id);
    k->tun_dst = ks->tun_dst;
    flow_key_set_word(k, 16, 0);
    flow_key_set_word(k, 17, ks->ports);
}

/* Drops live packets that are larger than their port's MTU allows.  A large
 * segment is cut on the way out. */
static void
batch_drop_too_big(struct worker *w, struct batch *b)
{
    unsigned n = 0;

    for (unsigned i = 0; i < b->n_live; i++) {
        unsigned s = b->live[i];
        const struct rte_mbuf *m = b->m[s];
        const struct dp_port *p = b->in[s];

        if (p && m->pkt_len > p->max_frame + 4u * b->lay[s].n_vlan
            && !(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG))
            worker_drop_slot(w, b, s, DROP_RX_TOO_BIG);
        else
            b->live[n++] = (uint8_t) s;
    }
    b->n_live = n;
}

/* Parses slots 0..n-1, whose headers are on their way here, lists those that
 * live and sums up what outputs ask of frames. */
static void
batch_parse(struct worker *w, struct batch *b)
{
    const unsigned n = b->n;
    uint64_t bytes = 0, unfinished = 0;
    uint32_t max_len = 0;
    unsigned n_live = 0;

    for (unsigned i = 0; i < n; i++) {
        const struct rte_mbuf *m = b->m[i];
        uint32_t len = m->pkt_len;
        int reason;

        bytes += len;
        max_len = WEFT_MAX(max_len, len);
        unfinished |= (m->ol_flags & OFFLOAD_PENDING) | (m->nb_segs - 1u);
        reason = extract_frame_fast(rte_pktmbuf_mtod(m, const uint8_t *),
                                    m->data_len, len, &b->key[i], &b->lay[i]);
        b->live[n_live] = (uint8_t) i;
        n_live++;
        if (weft_unlikely(reason != EXTRACT_OK)) {
            worker_drop_slot(w, b, i, (unsigned) reason);
            n_live--;
        }
    }
    b->n_live = n_live;
    b->sum = (struct batch_sum) { .bytes = bytes, .max_len = max_len,
                                  .finished = !unfinished, .valid = true };
    if (weft_unlikely(max_len > b->min_frame))
        batch_drop_too_big(w, b);
}

/* OpenFlow 1.3.5 §7.3.2, OFPC_FRAG_DROP. */
static void
batch_drop_fragments(struct worker *w, struct batch *b)
{
    unsigned n = 0;

    for (unsigned i = 0; i < b->n_live; i++)
        if (b->key[b->live[i]].nw_flags & FLOW_NW_FRAG_ANY)
            worker_drop_slot(w, b, b->live[i], DROP_FRAGMENT);
        else
            b->live[n++] = b->live[i];
    b->n_live = n;
}

/* A parsed batch, from table 0 on. */
static void
batch_pipeline(struct worker *w, struct batch *b)
{
    const struct prog *progs[BATCH_MAX];

    if (weft_unlikely(dp_read(b->br->frag_drop)))
        batch_drop_fragments(w, b);
    if (!b->n_live)
        return;
    batch_classify(w, b, progs);
    batch_run(w, b, progs);
}

static void
batch_init(struct worker *w, struct batch *b, struct dp_bridge *br)
{
    b->br = br;
    b->bp = br->pw[w->id];
    b->n = 0;
    b->from = NULL;
    b->min_frame = UINT32_MAX;
}

/* ----------------------------------------------------------------- receive */

static void
rx_count(struct worker *w, struct dp_port *p, unsigned n, uint64_t bytes)
{
    struct port_pw *pp = worker_port(w, p);

    dp_count(pp->stats.rx_packets, n);
    dp_count(pp->stats.rx_bytes, bytes);
    if (p->br)
        dp_count(p->br->pw[w->id]->bal.received, n);
}

/* Packets of a port that may not receive. */
static void WEFT_COLD
rx_refuse(struct worker *w, struct dp_port *p, struct rte_mbuf *m[],
          unsigned n, uint32_t config)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < n; i++)
        bytes += m[i]->pkt_len;
    rx_count(w, p, n, bytes);
    for (unsigned i = 0; i < n; i++)
        worker_drop(w, p->br, p, m[i],
                    config & DP_PC_DOWN ? DROP_RX_PORT_DOWN
                                        : DROP_RX_NO_RECV);
}

/* The first 'n' mbufs of the batch came in by 'p', with 't' in their keys. */
static void
rx_batch(struct worker *w, struct dp_port *p, const struct pkt_tunnel *t,
         unsigned n)
{
    uint32_t config = dp_read(p->config);
    struct batch *b = &w->batch;
    const struct key_start ks = key_start_make(p->port_no, t);

    if (weft_unlikely(config & (DP_PC_DOWN | DP_PC_NO_RECV))) {
        rx_refuse(w, p, b->m, n, config);
        return;
    }
    batch_init(w, b, p->br);
    b->n = n;
    b->from = p;
    b->min_frame = p->max_frame;
    memset(b->depth, 0, sizeof b->depth);
    for (unsigned i = 0; i < n; i++) {
        rte_prefetch0(rte_pktmbuf_mtod(b->m[i], void *));
        b->in[i] = p;
        slot_start(&b->key[i], &ks);
    }
    batch_parse(w, b);
    rx_count(w, p, n, b->sum.bytes);
    batch_pipeline(w, b);
}

/* Not an overlay packet: for control (ARP, ICMP on an uplink of ours). */
static void
rx_uplink_other(struct worker *w, struct dp_port *up, struct rte_mbuf *m)
{
    struct punt_meta *pm = punt_meta(m);

    *pm = (struct punt_meta) { .port_uid = up->uid, .in_port = up->port_no };
    worker_punt_ring(w, m, up);
}

/* Decapsulated packets of one tunnel port that are not counted yet. */
struct rx_run {
    struct dp_port *p;
    uint64_t bytes;
    unsigned n;
};

static inline void
rx_run_end(struct worker *w, struct rx_run *r)
{
    if (r->n)
        rx_count(w, r->p, r->n, r->bytes);
    r->n = 0;
    r->bytes = 0;
}

/* Appends a decapsulated packet; runs the batch first when it is full or of
 * another bridge. */
static void
rx_tunnel_add(struct worker *w, struct batch *b, struct rx_run *r,
              const struct tunnel_rx *rx, struct rte_mbuf *m)
{
    struct dp_port *p = tunnel_port_owner(rx->port);
    uint32_t config = dp_read(p->config);
    unsigned i;

    if (weft_unlikely(config & (DP_PC_DOWN | DP_PC_NO_RECV))) {
        rx_refuse(w, p, &m, 1, config);
        return;
    }
    if (weft_unlikely(p != r->p)) {
        rx_run_end(w, r);
        r->p = p;
    }
    r->n++;
    r->bytes += m->pkt_len;
    if (weft_unlikely(b->n && (b->br != p->br || b->n == BATCH_MAX))) {
        batch_parse(w, b);
        batch_pipeline(w, b);
        b->n = 0;
    }
    if (!b->n)
        batch_init(w, b, p->br);
    i = b->n++;
    b->m[i] = m;
    b->in[i] = p;
    b->depth[i] = 0;
    b->from = i && b->from != p ? NULL : p;
    b->min_frame = WEFT_MIN(b->min_frame, p->max_frame);
    slot_set_port(&b->key[i], be32_from(p->port_no));
    slot_set_tunnel(&b->key[i], &rx->tun);
}

/* Dropped by decapsulation: received by the tunnel port it names, else by
 * none. */
static void
rx_tunnel_drop(struct worker *w, struct dp_port *up,
               const struct tunnel_rx *rx, struct rte_mbuf *m)
{
    struct dp_port *p = rx->port ? tunnel_port_owner(rx->port) : NULL;

    if (p)
        dp_count(p->br->pw[w->id]->bal.received, 1);
    worker_drop(w, p ? p->br : NULL, p ? p : up, m, (unsigned) rx->verdict);
}

/* Of the batch's mbufs, too; what is decapsulated moves to the front. */
static void
rx_uplink(struct worker *w, struct dp_port *up, unsigned n)
{
    uint32_t config = dp_read(up->config);
    struct rte_mbuf **m = w->batch.m;
    struct tunnel_rx rx[BATCH_MAX];
    struct batch *b = &w->batch;
    struct rx_run run = { 0 };
    unsigned n_same;
    uint64_t bytes = 0;

    if (weft_unlikely(config & (DP_PC_DOWN | DP_PC_NO_RECV))) {
        rx_refuse(w, up, m, n, config);
        return;
    }
    for (unsigned i = 0; i < n; i++)
        bytes += m[i]->pkt_len;
    rx_count(w, up, n, bytes);
    n_same = tunnel_rx_same(&w->tw, m, n, &rx[0]);
    if (weft_likely(n_same == n)) {
        rx_batch(w, tunnel_port_owner(rx[0].port), &rx[0].tun, n);
        return;
    }
    for (unsigned i = 1; i < n_same; i++)
        rx[i] = rx[0];
    tunnel_rx_burst(&w->tw, m + n_same, n - n_same, rx + n_same);
    b->n = 0;
    for (unsigned i = 0; i < n; i++) {
        if (weft_likely(rx[i].verdict == TUNNEL_OK))
            rx_tunnel_add(w, b, &run, &rx[i], m[i]);
        else if (rx[i].verdict == TUNNEL_OTHER)
            rx_uplink_other(w, up, m[i]);
        else
            rx_tunnel_drop(w, up, &rx[i], m[i]);
    }
    rx_run_end(w, &run);
    if (b->n) {
        batch_parse(w, b);
        batch_pipeline(w, b);
    }
}

/* ----------------------------------------------------------------- pending */

static void
pending_slot(struct batch *b, const struct pending *p)
{
    unsigned i = b->n++;

    b->m[i] = p->m;
    b->in[i] = p->in;
    if (p->in)
        b->min_frame = WEFT_MIN(b->min_frame, p->in->max_frame);
    b->depth[i] = p->depth;
    b->from = i && b->from != p->in ? NULL : p->in;
    slot_set_port(&b->key[i], p->in_port);
    slot_set_tunnel(&b->key[i], &p->tun);
    b->key[i].metadata = p->metadata;
    if (p->egress_port)
        b->key[i].actset_output = be32_from(p->egress_port);
}

/* Runs up to a batch of pending packets with a common way on. */
static void
pending_run(struct worker *w)
{
    struct batch *b = &w->batch;
    const struct prog *progs[BATCH_MAX];
    const struct flow_key *keys[BATCH_MAX];
    struct pending first = w->pending[w->pend_head];
    const struct walk_start start = {
        .op = first.resume, .egress_port = first.egress_port,
        .to_in_port = first.to_in_port,
    };

    batch_init(w, b, first.br);
    b->gen = first.gen;
    while (w->pend_n && b->n < BATCH_MAX) {
        const struct pending *p = &w->pending[w->pend_head];

        if (p->br != first.br || p->resume != first.resume
            || p->gen != first.gen || p->egress_port != first.egress_port
            || p->to_in_port != first.to_in_port)
            break;
        pending_slot(b, p);
        w->pend_head = (w->pend_head + 1) % PENDING_MAX;
        w->pend_n--;
    }
    batch_parse(w, b);
    if (!first.resume) {
        batch_pipeline(w, b);
        return;
    }
    if (!b->n_live)
        return;
    for (unsigned i = 0; i < b->n_live; i++)
        keys[i] = &b->key[b->live[i]];
    walk_burst(w, b->br, keys, b->n_live, &start, progs);
    batch_run(w, b, progs);
}

static void
pending_drain(struct worker *w)
{
    unsigned budget = PENDING_BUDGET;

    while (w->pend_n && budget) {
        unsigned before = w->pend_n;

        pending_run(w);
        budget -= WEFT_MIN(budget, WEFT_MIN(before, (unsigned) BATCH_MAX));
    }
    while (w->pend_n) {
        const struct pending *p = &w->pending[w->pend_head];

        worker_drop(w, p->br, p->in, p->m, DROP_LOOP);
        w->pend_head = (w->pend_head + 1) % PENDING_MAX;
        w->pend_n--;
    }
}

/* ------------------------------------------------------------------- inbox */

static void
inbox_packet(struct worker *w, struct inbox_item *it)
{
    static const struct pkt_tunnel none;
    struct batch *b = &w->batch;
    const struct prog *prog = &it->prog;

    batch_init(w, b, it->br);
    b->gen = dp_load(&it->br->gen);
    dp_count(b->bp->bal.injected, 1);
    b->n = 1;
    b->m[0] = it->m;
    b->in[0] = dp_bridge_port(it->br, it->in_port);
    b->depth[0] = 0;
    slot_set_port(&b->key[0], be32_from(it->in_port));
    slot_set_tunnel(&b->key[0], &none);
    /* What a controller sends is never too big to come in. */
    int reason = slot_parse(b, 0);
    if (reason != EXTRACT_OK) {
        worker_drop_slot(w, b, 0, (unsigned) reason);
        return;
    }
    b->live[0] = 0;
    b->n_live = 1;
    b->sum.valid = false;
    batch_run(w, b, &prog);
    pending_drain(w); /* A TABLE op leads into the item's memory. */
}

static unsigned
inbox_run(struct worker *w)
{
    void *items[BATCH_MAX];
    unsigned n = rte_ring_sc_dequeue_burst(w->inbox, items, BATCH_MAX, NULL);

    for (unsigned i = 0; i < n; i++) {
        struct inbox_item *it = rte_pktmbuf_mtod((struct rte_mbuf *) items[i],
                                                 struct inbox_item *);

        if (it->br) {
            inbox_packet(w, it);
        } else {
            struct dp_port *up = dp_load(&w->dp->uplinks[it->in_port]);

            if (up)
                tx_stage(w, up, it->m);
            else
                rte_pktmbuf_free(it->m);
        }
        rte_pktmbuf_free(items[i]);
    }
    return n;
}

/* --------------------------------------------------------------- iteration */

static unsigned
rx_queue(struct worker *w, struct rxq *q)
{
    static const struct pkt_tunnel none;
    struct dp_port *p = q->port;
    unsigned n = weft_likely(!q->id)
                     ? p->port.ops->rx_burst(&p->port, w->batch.m, PORT_BURST)
                     : p->port.ops->rx_burst_queue(&p->port, q->id,
                                                   w->batch.m, PORT_BURST);

    if (!n) {
        /* With a descriptor, epoll tells when to look again. */
        if (q->fd >= 0 && ++q->idle >= RX_IDLE_POLLS)
            q->wait = 1;
        return 0;
    }
    q->idle = 0;
    dp_count(q->packets, n);
    if (p->br)
        rx_batch(w, p, &none, n);
    else
        rx_uplink(w, p, n);
    if (w->pend_n)
        pending_drain(w);
    return n;
}

/* Hands wanted next hops to control. */
static void
wants_hand_over(struct worker *w)
{
    for (unsigned i = 0; i < w->tw.n_wants; i++) {
        uintptr_t v = (uintptr_t) w->tw.wants[i].remote
                      | (uintptr_t) w->tw.wants[i].local << 32;

        if (!rte_ring_sp_enqueue(w->wants, (void *) v))
            w->woke_control = true;
    }
    w->tw.n_wants = 0;
}

unsigned
worker_iterate(struct worker *w)
{
    const struct worker_rxqs *rxqs = dp_load(&w->rxqs);
    unsigned n = 0;

    if (weft_unlikely(arena_is_full(&w->arena)))
        walk_arena_swap(w);
    if (weft_unlikely(!rte_ring_empty(w->inbox)))
        n += inbox_run(w);
    for (unsigned i = 0; i < rxqs->n; i++)
        if (rxqs->q[i]->wait == 0)
            n += rx_queue(w, rxqs->q[i]);
    if (weft_unlikely(w->arena.scratch->n > 1))
        walk_scratch_end(w);
    tx_flush(w);
    tx_drain_rings(w);
    if (weft_unlikely(w->n_waiting))
        queue_run_all(w);
    if (weft_unlikely(w->tw.n_wants))
        wants_hand_over(w);
    return n;
}
