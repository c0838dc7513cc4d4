/* SPDX-License-Identifier: Apache-2.0 */
/* The way out: finish what the device cannot, stage per port, flush.
 *
 * A port's queue belongs to one worker; others hand their frames to it by a
 * ring (with one worker there is none).  A large segment that had to be cut
 * counts once in the balance of its bridge, by its first frame; the other
 * frames carry TX_CONT. */
#include "datapath/worker.h"

#include <errno.h>
#include <string.h>

#include "datapath/offload.h"
#include "datapath/queue.h"
#include "datapath/tunnel_hash_fast.h"

static void
tx_drop(struct worker *w, struct dp_port *p, struct rte_mbuf *m,
        unsigned reason)
{
    struct port_pw *pp = worker_port(w, p);

    dp_count(pp->stats.tx_dropped, 1);
    if (m->ol_flags & TX_CONT)
        rte_pktmbuf_free(m);
    else
        worker_drop(w, p->br, p, m, reason);
}

/* What some frames count: bytes, and later frames of cut segments. */
struct totals {
    uint64_t bytes;
    unsigned cont;
};

static inline void
totals_add(struct totals *t, const struct rte_mbuf *m)
{
    t->bytes += m->pkt_len;
    t->cont += (m->ol_flags & TX_CONT) != 0;
}

/* Hands up to PORT_BURST frames, 't' in all, to the device of a port that 'w'
 * owns; returns how many it took. */
static inline unsigned
tx_hand(struct worker *w, struct dp_port *p, struct rte_mbuf *m[], unsigned n,
        struct totals t)
{
    struct port_pw *pp = worker_port(w, p);
    unsigned sent = p->port.ops->tx_burst(&p->port, m, (uint16_t) n);

    for (unsigned i = sent; i < n; i++) {
        t.bytes -= m[i]->pkt_len;
        t.cont -= (m[i]->ol_flags & TX_CONT) != 0;
    }
    dp_count(pp->stats.tx_packets, sent);
    dp_count(pp->stats.tx_bytes, t.bytes);
    if (p->br)
        dp_count(p->br->pw[w->id]->bal.sent, sent - t.cont);
    return sent;
}

unsigned
tx_try(struct worker *w, struct dp_port *p, struct rte_mbuf *m[], unsigned n)
{
    struct totals t = { 0 };

    for (unsigned i = 0; i < n; i++)
        totals_add(&t, m[i]);
    return tx_hand(w, p, m, n, t);
}

void
tx_refuse(struct worker *w, struct dp_port *p, struct rte_mbuf *m,
          unsigned reason)
{
    if (reason == DROP_TX_ERROR)
        dp_count(worker_port(w, p)->stats.tx_errors, 1);
    tx_drop(w, p, m, reason);
}

/* Sends frames, 't' in all, on a port that 'w' owns. */
static void
tx_device(struct worker *w, struct dp_port *p, struct rte_mbuf *m[],
          unsigned n, struct totals t)
{
    struct port_queues *pq = dp_load(&p->queues);
    unsigned sent;

    if (weft_unlikely(pq != NULL) && !queues_are_gone(pq)) {
        queue_tx(w, p, pq, m, n);
        return;
    }
    sent = tx_hand(w, p, m, n, t);
    for (unsigned i = sent; i < n; i++)
        tx_refuse(w, p, m[i],
                  p->port.tx_error ? DROP_TX_ERROR : DROP_TX_FULL);
}

static void
tx_flush_port(struct worker *w, struct dp_port *p)
{
    struct port_pw *pp = worker_port(w, p);
    struct totals t = { pp->staged_bytes, pp->staged_cont };
    unsigned n = pp->n_staged, put;

    pp->n_staged = pp->staged_cont = 0;
    pp->staged_bytes = 0;
    if (weft_likely(p->owner == w)) {
        tx_device(w, p, pp->staged, n, t);
        return;
    }
    put = rte_ring_mp_enqueue_burst(p->tx_ring, (void **) pp->staged, n,
                                    NULL);
    for (unsigned i = put; i < n; i++)
        tx_drop(w, p, pp->staged[i], DROP_TX_FULL);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* See worker_wait. */
    if (dp_load(&p->owner->sleeping))
        worker_wake(p->owner);
}

void
tx_flush(struct worker *w)
{
    struct dp_port *p = w->staged;

    w->staged = NULL;
    while (p) {
        struct port_pw *pp = worker_port(w, p);
        struct dp_port *next = pp->next;

        pp->linked = 0;
        if (pp->n_staged)
            tx_flush_port(w, p);
        p = next;
    }
}

/* Sends what other workers output to our ports. */
void
tx_drain_rings(struct worker *w)
{
    const struct worker_ports *ports = dp_load(&w->ports);

    if (w->dp->n_workers == 1)
        return;
    for (unsigned i = 0; i < ports->n; i++) {
        struct rte_mbuf *m[PORT_BURST];
        struct totals t = { 0 };
        unsigned n;

        if (!ports->p[i]->tx_ring)
            continue;
        n = rte_ring_sc_dequeue_burst(ports->p[i]->tx_ring, (void **) m,
                                      PORT_BURST, NULL);
        if (!n)
            continue;
        for (unsigned k = 0; k < n; k++)
            totals_add(&t, m[k]);
        tx_device(w, ports->p[i], m, n, t);
    }
}

/* Makes tx_flush come by. */
static inline void
stage_link(struct worker *w, struct dp_port *p, struct port_pw *pp)
{
    if (pp->linked)
        return;
    pp->linked = 1;
    pp->next = w->staged;
    w->staged = p;
}

/* Stages a frame that the device takes as it is. */
static inline void
stage_ready(struct worker *w, struct dp_port *p, struct rte_mbuf *m)
{
    struct port_pw *pp = worker_port(w, p);

    stage_link(w, p, pp);
    pp->staged_bytes += m->pkt_len;
    pp->staged_cont += (m->ol_flags & TX_CONT) != 0;
    pp->staged[pp->n_staged++] = m;
    if (pp->n_staged == PORT_BURST)
        tx_flush_port(w, p);
}

/* The same for 'n' frames of 'bytes' in all, none of them with TX_CONT.
 * n 0: nothing, 'p' may be NULL. */
static inline void
stage_burst(struct worker *w, struct dp_port *p, struct rte_mbuf *const m[],
            unsigned n, uint64_t bytes)
{
    struct port_pw *pp;

    if (!n)
        return;
    pp = worker_port(w, p);
    if (weft_unlikely(pp->n_staged + n > PORT_BURST))
        tx_flush_port(w, p);
    stage_link(w, p, pp);
    memcpy(pp->staged + pp->n_staged, m, n * sizeof m[0]);
    pp->n_staged += n;
    pp->staged_bytes += bytes;
    if (pp->n_staged == PORT_BURST)
        tx_flush_port(w, p);
}

/* Cuts a large segment and stages its frames.  One slot of the balance. */
static void
stage_segments(struct worker *w, struct dp_port *p, struct rte_mbuf *m)
{
    struct rte_mbuf *seg[OFFLOAD_MAX_SEGMENTS];
    uint64_t queued = m->ol_flags & TX_QUEUE;
    uint32_t queue = m->hash.sched.queue_id;
    int n = offload_segment(m, w->dp->env.pool, seg, OFFLOAD_MAX_SEGMENTS);

    if (n <= 0) {
        tx_drop(w, p, m, n == -ENOMEM ? DROP_NO_BUFFER : DROP_GSO_FAILED);
        return;
    }
    for (int i = 0; i < n; i++) {
        seg[i]->ol_flags |= queued | (i ? TX_CONT : 0);
        seg[i]->hash.sched.queue_id = queue;
        stage_ready(w, p, seg[i]);
    }
}

/* A frame that the device may not take as it is. */
static void
stage_unfinished(struct worker *w, struct dp_port *p, struct rte_mbuf *m)
{
    uint32_t caps = p->port.caps;

    if (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG && !(caps & PORT_CAP_TSO)) {
        stage_segments(w, p, m);
        return;
    }
    if (offload_pending(m) && !(caps & PORT_CAP_CSUM) && offload_checksum(m)) {
        tx_drop(w, p, m, DROP_GSO_FAILED);
        return;
    }
    if (m->nb_segs > 1 && !(caps & PORT_CAP_MULTI_SEG)
        && rte_pktmbuf_linearize(m)) {
        tx_drop(w, p, m, DROP_TX_TOO_BIG);
        return;
    }
    stage_ready(w, p, m);
}

/* Does any device take it as it is? */
static inline bool
is_finished(const struct rte_mbuf *m)
{
    return !offload_pending(m) && m->nb_segs == 1;
}

void
tx_stage(struct worker *w, struct dp_port *p, struct rte_mbuf *m)
{
    if (weft_likely(is_finished(m)))
        stage_ready(w, p, m);
    else
        stage_unfinished(w, p, m);
}

/* ------------------------------------------------------------------ tunnels */

/* Tells the sender of 'm' the path's MTU, as if the remote did. */
static void WEFT_COLD
tunnel_too_big(struct worker *w, struct dp_port *p, const struct rte_mbuf *m,
               const struct tunnel_tx *tx)
{
    struct pending pend = { .br = p->br, .in = p, .tun = tx->back, .depth = 1,
                            .in_port = be32_from(p->port_no) };

    if (m->ol_flags & TX_CONT)
        return; /* Its first frame was answered. */
    pend.m = tunnel_too_big_reply(&w->tw, m, tx);
    if (!pend.m)
        return;
    if (!worker_pend(w, &pend)) {
        rte_pktmbuf_free(pend.m);
        return;
    }
    dp_count(p->br->pw[w->id]->bal.received, 1);
    dp_count(worker_port(w, p)->stats.rx_packets, 1);
    dp_count(worker_port(w, p)->stats.rx_bytes, pend.m->pkt_len);
}

static inline struct dp_port *
uplink_by_id(const struct worker *w, uint32_t id)
{
    return id <= DP_MAX_UPLINKS ? dp_load(&w->dp->uplinks[id]) : NULL;
}

/* The uplink that an encapsulated frame goes out of, or NULL: 'm' is gone. */
static inline struct dp_port *
tunnel_uplink(struct worker *w, struct dp_port *p, const struct tunnel_tx *tx,
              struct rte_mbuf *m)
{
    struct dp_port *up = NULL;

    if (weft_unlikely(tx->verdict != TUNNEL_OK)) {
        if (tx->verdict == DROP_TNL_TX_TOO_BIG)
            tunnel_too_big(w, p, m, tx);
        tx_drop(w, p, m, (unsigned) tx->verdict);
        return NULL;
    }
    up = uplink_by_id(w, tx->uplink);
    if (weft_unlikely(!up))
        tx_drop(w, p, m, DROP_TNL_NO_ROUTE);
    return up;
}

static inline void
tunnel_fill(const struct tunnel_port *port,
            const struct flow_key *const keys[], unsigned n,
            struct tunnel_tx tx[])
{
    for (unsigned i = 0; i < n; i++)
        tx[i].hash = tunnel_hash_key_fast(keys[i]);
    if (!tunnel_port_needs_key(port))
        return;
    for (unsigned i = 0; i < n; i++)
        tx[i].tun = (struct pkt_tunnel) { .id = be64_to(keys[i]->tun_id),
                                          .src = keys[i]->tun_src,
                                          .dst = keys[i]->tun_dst };
}

/* Those in front about which nothing is special; returns how many. */
static unsigned
tunnel_send_plain(struct worker *w, struct dp_port *p, struct rte_mbuf *m[],
                  const struct flow_key *const keys[], unsigned n)
{
    struct port_pw *pp = worker_port(w, p);
    struct dp_port *up;
    uint64_t bytes = 0;
    uint32_t id;

    n = tunnel_tx_plain(&w->tw, dp_load(&p->tnl), m, keys, n, &id);
    if (weft_unlikely(!n))
        return 0;
    up = uplink_by_id(w, id);
    if (weft_unlikely(!up)) {
        for (unsigned i = 0; i < n; i++)
            tx_drop(w, p, m[i], DROP_TNL_NO_ROUTE);
        return n;
    }
    for (unsigned i = 0; i < n; i++)
        bytes += m[i]->pkt_len;
    stage_burst(w, up, m, n, bytes);
    dp_count(pp->stats.tx_packets, n);
    dp_count(pp->stats.tx_bytes, bytes);
    dp_count(p->br->pw[w->id]->bal.sent, n);
    return n;
}

/* Any others; the first frame of a packet counts in the balance. */
static void
tunnel_send_any(struct worker *w, struct dp_port *p, struct rte_mbuf *m[],
            const struct flow_key *const keys[], unsigned n)
{
    struct port_pw *pp = worker_port(w, p);
    struct tunnel_tx tx[TUNNEL_BURST];
    struct rte_mbuf *ready[TUNNEL_BURST];
    struct dp_port *last = NULL;
    struct totals t = { 0 };
    uint64_t bytes = 0;
    unsigned sent = 0, n_ready = 0;

    tunnel_fill(dp_load(&p->tnl), keys, n, tx);
    tunnel_tx_burst(&w->tw, dp_load(&p->tnl), m, n, tx);
    for (unsigned i = 0; i < n; i++) {
        struct dp_port *up = tunnel_uplink(w, p, &tx[i], m[i]);

        if (weft_unlikely(!up))
            continue;
        sent++;
        totals_add(&t, m[i]);
        if (weft_unlikely(m[i]->ol_flags & TX_CONT))
            m[i]->ol_flags &= ~TX_CONT;
        if (weft_unlikely(up != last || m[i]->nb_segs > 1)) {
            stage_burst(w, last, ready, n_ready, bytes);
            n_ready = 0;
            bytes = 0;
            last = up;
        }
        if (weft_unlikely(m[i]->nb_segs > 1)) {
            tx_stage(w, up, m[i]);
        } else {
            ready[n_ready++] = m[i];
            bytes += m[i]->pkt_len;
        }
    }
    stage_burst(w, last, ready, n_ready, bytes);
    dp_count(pp->stats.tx_packets, sent);
    dp_count(pp->stats.tx_bytes, t.bytes);
    dp_count(p->br->pw[w->id]->bal.sent, sent - t.cont);
}

/* Puts complete frames into the tunnel. */
static void
tunnel_send(struct worker *w, struct dp_port *p, struct rte_mbuf *m[],
            const struct flow_key *const keys[], unsigned n)
{
    unsigned done = tunnel_send_plain(w, p, m, keys, n);

    if (weft_unlikely(done < n))
        tunnel_send_any(w, p, m + done, keys + done, n - done);
}

/* A large segment: cut, then into the tunnel. */
static void
tunnel_segments(struct worker *w, struct dp_port *p, struct rte_mbuf *m,
                const struct flow_key *k)
{
    struct rte_mbuf *seg[OFFLOAD_MAX_SEGMENTS];
    const struct flow_key *keys[TUNNEL_BURST];
    int n = offload_segment(m, w->dp->env.pool, seg, OFFLOAD_MAX_SEGMENTS);

    if (n <= 0) {
        tx_drop(w, p, m, n == -ENOMEM ? DROP_NO_BUFFER : DROP_GSO_FAILED);
        return;
    }
    for (unsigned i = 0; i < TUNNEL_BURST; i++)
        keys[i] = k;
    for (int i = 1; i < n; i++)
        seg[i]->ol_flags |= TX_CONT;
    for (int i = 0; i < n; i += TUNNEL_BURST)
        tunnel_send(w, p, seg + i, keys,
                    WEFT_MIN((unsigned) (n - i), TUNNEL_BURST));
}

/* Packets of a batch, 'slots' tells which.  Tunnels need complete frames. */
static void
tunnel_output(struct worker *w, struct batch *b, struct dp_port *p,
              struct rte_mbuf *m[], const uint8_t slots[], unsigned n)
{
    const struct flow_key *keys[BATCH_MAX];
    unsigned n_ready = 0;

    for (unsigned i = 0; i < n; i++) {
        const struct flow_key *k = &b->key[slots[i]];

        if (weft_unlikely(m[i]->ol_flags & RTE_MBUF_F_TX_TCP_SEG)) {
            tunnel_segments(w, p, m[i], k);
        } else if (weft_unlikely(offload_pending(m[i]))
                   && offload_checksum(m[i])) {
            tx_drop(w, p, m[i], DROP_GSO_FAILED);
        } else {
            keys[n_ready] = k;
            m[n_ready++] = m[i];
        }
    }
    if (n_ready)
        tunnel_send(w, p, m, keys, n_ready);
}

/* ------------------------------------------------------------------- output */

/* Into another bridge by a patch port. */
static void
patch_output(struct worker *w, struct batch *b, unsigned slot,
             struct dp_port *p, struct rte_mbuf *m)
{
    struct dp_port *peer = dp_load(&p->peer);
    struct pending pend = { .m = m, .in = peer };
    struct port_pw *pp = worker_port(w, p);
    uint32_t len = m->pkt_len;

    m->ol_flags &= ~TX_QUEUE; /* It was for this bridge. */
    if (!peer || dp_read(peer->config) & (DP_PC_DOWN | DP_PC_NO_RECV)) {
        tx_drop(w, p, m, DROP_TX_PORT_DOWN);
        return;
    }
    pend.br = peer->br;
    pend.in_port = be32_from(peer->port_no);
    pend.depth = (uint8_t) (b->depth[slot] + 1);
    if (pend.depth > DEPTH_MAX) {
        tx_drop(w, p, m, DROP_LOOP);
        return;
    }
    if (!worker_pend(w, &pend)) {
        tx_drop(w, p, m, DROP_NO_BUFFER);
        return;
    }
    dp_count(pp->stats.tx_packets, 1);
    dp_count(pp->stats.tx_bytes, len);
    dp_count(b->bp->bal.sent, 1);
    dp_count(peer->br->pw[w->id]->bal.received, 1);
    dp_count(worker_port(w, peer)->stats.rx_packets, 1);
    dp_count(worker_port(w, peer)->stats.rx_bytes, len);
}

/* May the packet leave by 'p'?  Counted and freed otherwise. */
static inline bool
output_allowed(struct worker *w, struct batch *b, unsigned slot,
               struct dp_port *p, struct rte_mbuf *m)
{
    uint32_t config = dp_read(p->config);

    if (weft_unlikely(config & (DP_PC_DOWN | DP_PC_NO_FWD))) {
        tx_drop(w, p, m, config & DP_PC_DOWN ? DROP_TX_PORT_DOWN
                                             : DROP_NO_FWD);
        return false;
    }
    if (weft_unlikely(m->pkt_len > p->max_frame + 4u * b->lay[slot].n_vlan)
        && !(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG)) {
        tx_drop(w, p, m, DROP_TX_TOO_BIG);
        return false;
    }
    return true;
}

void
tx_output(struct worker *w, struct batch *b, unsigned slot, struct dp_port *p,
          struct rte_mbuf *m)
{
    uint8_t s = (uint8_t) slot;

    if (!output_allowed(w, b, slot, p, m))
        return;
    if (p->kind == DP_KIND_DEVICE)
        tx_stage(w, p, m);
    else if (p->kind == DP_KIND_TUNNEL)
        tunnel_output(w, b, p, &m, &s, 1);
    else
        patch_output(w, b, slot, p, m);
}

/* Nothing hinders any packet of the group on its way out of 'p'. */
static inline bool
group_is_clear(const struct group *g, const struct dp_port *p)
{
    const struct batch *b = g->b;

    return group_is_summed(g) && b->sum.finished
           && b->sum.max_len <= p->max_frame && b->from && b->from != p
           && !(dp_read(p->config) & (DP_PC_DOWN | DP_PC_NO_FWD));
}

/* To a device: frames that nothing hinders are staged together, the others
 * one by one in their turn. */
static void
device_output(struct worker *w, struct group *g, struct dp_port *p)
{
    struct rte_mbuf *ready[BATCH_MAX];
    struct batch *b = g->b;
    uint32_t max_frame = p->max_frame;
    bool shut = dp_read(p->config) & (DP_PC_DOWN | DP_PC_NO_FWD);
    uint64_t bytes = 0;
    unsigned n = 0;

    if (weft_likely(group_is_clear(g, p))) {
        stage_burst(w, p, b->m, g->n, b->sum.bytes);
        return;
    }
    for (unsigned i = 0; i < g->n; i++) {
        unsigned s = g->idx[i];
        struct rte_mbuf *m = g->last ? b->m[s] : worker_take(w, g, s);

        if (weft_unlikely(!m))
            continue;
        if (weft_likely(b->in[s] != p && !shut && m->pkt_len <= max_frame
                        && is_finished(m))) {
            ready[n++] = m;
            bytes += m->pkt_len;
            continue;
        }
        stage_burst(w, p, ready, n, bytes);
        n = 0;
        bytes = 0;
        if (b->in[s] == p)
            worker_drop(w, b->br, p, m, DROP_TO_IN_PORT);
        else
            tx_output(w, b, s, p, m);
    }
    stage_burst(w, p, ready, n, bytes);
}

static void
tunnel_output_all(struct worker *w, struct batch *b, struct dp_port *p)
{
    const struct flow_key *keys[BATCH_MAX];

    for (unsigned i = 0; i < b->n; i++)
        keys[i] = &b->key[i];
    tunnel_send(w, p, b->m, keys, b->n);
}

void
tx_output_group(struct worker *w, struct group *g, struct dp_port *p)
{
    struct rte_mbuf *m[BATCH_MAX];
    uint8_t slots[BATCH_MAX];
    struct batch *b = g->b;
    unsigned n = 0;

    if (weft_likely(p->kind == DP_KIND_DEVICE)) {
        device_output(w, g, p);
        return;
    }
    if (p->kind == DP_KIND_TUNNEL && group_is_clear(g, p)) {
        tunnel_output_all(w, b, p);
        return;
    }
    for (unsigned i = 0; i < g->n; i++) {
        unsigned s = g->idx[i];

        m[n] = g->last ? b->m[s] : worker_take(w, g, s);
        if (weft_unlikely(!m[n]))
            continue;
        if (weft_unlikely(b->in[s] == p)) {
            worker_drop(w, b->br, p, m[n], DROP_TO_IN_PORT);
            continue;
        }
        if (weft_unlikely(!output_allowed(w, b, s, p, m[n])))
            continue;
        slots[n++] = (uint8_t) s;
    }
    if (p->kind == DP_KIND_TUNNEL)
        tunnel_output(w, b, p, m, slots, n);
    else
        for (unsigned i = 0; i < n; i++)
            patch_output(w, b, slots[i], p, m[i]);
}
