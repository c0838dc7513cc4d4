/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/queue.h"

static inline int64_t
frame_tokens(const struct rte_mbuf *m)
{
    return 8 * QUEUE_BIT * (int64_t) m->pkt_len;
}

/* ------------------------------------------------------------------ buckets */

static inline void
bucket_fill(int64_t *tokens, uint64_t rate, int64_t cap, uint64_t ns)
{
    __uint128_t add = (__uint128_t) rate * ns;
    uint64_t room = *tokens < cap ? (uint64_t) (cap - *tokens) : 0;

    *tokens = add < room ? *tokens + (int64_t) add : cap;
}

static inline void
slot_fill(const struct queue_slot *s, uint64_t now)
{
    struct queue *q = s->q;
    uint64_t ns = now > q->last_ns ? now - q->last_ns : 0;

    q->last_ns = now;
    if (s->min_rate)
        bucket_fill(&q->min_tokens, s->min_rate, s->min_cap, ns);
    if (s->max_rate)
        bucket_fill(&q->max_tokens, s->max_rate, s->max_cap, ns);
}

/* May the first frame go, as far as the limit says? */
static inline bool
slot_may_send(const struct queue_slot *s)
{
    const struct queue *q = s->q;

    return q->n
           && (!s->max_rate || s->closing
               || q->max_tokens >= WEFT_MIN(frame_tokens(q->ring[q->head]),
                                            s->max_cap));
}

/* Is it within what the queue was promised? */
static inline bool
slot_is_promised(const struct queue_slot *s)
{
    const struct queue *q = s->q;

    return s->min_rate
           && q->min_tokens >= WEFT_MIN(frame_tokens(q->ring[q->head]),
                                        s->min_cap);
}

static inline void
slot_charge(const struct queue_slot *s, int64_t tokens)
{
    if (s->max_rate)
        s->q->max_tokens -= tokens;
    if (s->min_rate) /* What was sent beyond the promise counts for it. */
        s->q->min_tokens = WEFT_MAX(s->q->min_tokens - tokens, -s->min_cap);
}

/* -------------------------------------------------------------------- FIFOs */

static inline struct rte_mbuf *
slot_pop(const struct queue_slot *s)
{
    struct queue *q = s->q;
    struct rte_mbuf *m = q->ring[q->head];

    q->head = (q->head + 1) % QUEUE_LEN;
    q->n--;
    slot_charge(s, frame_tokens(m));
    return m;
}

/* Takes back the first frame: it did not leave. */
static inline void
slot_unpop(const struct queue_slot *s, struct rte_mbuf *m)
{
    struct queue *q = s->q;

    q->head = (q->head + QUEUE_LEN - 1) % QUEUE_LEN;
    q->ring[q->head] = m;
    q->n++;
    slot_charge(s, -frame_tokens(m));
}

/* -------------------------------------------------------------------- order */

/* Frames of a burst on its way to the device. */
struct burst {
    unsigned n;
    struct rte_mbuf *m[PORT_BURST];
    uint64_t bytes;
};

static inline void
burst_take(struct burst *b, const struct port_queues *pq, unsigned i)
{
    struct rte_mbuf *m = slot_pop(&pq->slot[i]);

    m->hash.sched.queue_id = i; /* Where it goes back to. */
    b->m[b->n++] = m;
}

/* Those that were promised, in turns. */
static void
burst_promised(struct burst *b, const struct port_queues *pq)
{
    unsigned before;

    do {
        before = b->n;
        for (unsigned i = 0; i < pq->n && b->n < PORT_BURST; i++) {
            const struct queue_slot *s = &pq->slot[i];

            if (slot_may_send(s) && slot_is_promised(s))
                burst_take(b, pq, i);
        }
    } while (b->n != before && b->n < PORT_BURST);
}

/* The next queue's turn, with a quantum more. */
static inline void
turn_pass(struct port_queues *pq)
{
    pq->turn = pq->turn + 1 < pq->n ? pq->turn + 1 : 0;
    pq->slot[pq->turn].q->deficit += QUEUE_QUANTUM;
}

/* The rest, by deficit round robin.  A queue keeps its turn until its deficit
 * is used up, over several bursts if need be. */
static void
burst_spare(struct burst *b, struct port_queues *pq)
{
    unsigned idle = 0; /* Queues in a row that had nothing to send. */

    while (b->n < PORT_BURST && idle < pq->n) {
        const struct queue_slot *s = &pq->slot[pq->turn];
        struct queue *q = s->q;

        if (!slot_may_send(s)) {
            q->deficit = 0;
            idle++;
            turn_pass(pq);
            continue;
        }
        idle = 0;
        if (q->deficit < q->ring[q->head]->pkt_len) {
            turn_pass(pq);
            continue;
        }
        q->deficit -= q->ring[q->head]->pkt_len;
        burst_take(b, pq, pq->turn);
    }
}

/* What the device did not take: refused by it, or first in line again. */
static void
burst_return(struct worker *w, struct dp_port *p,
             const struct port_queues *pq, struct burst *b, unsigned sent)
{
    for (unsigned i = b->n; i-- > sent;) {
        const struct queue_slot *s = &pq->slot[b->m[i]->hash.sched.queue_id];

        if (!p->port.tx_error) {
            slot_unpop(s, b->m[i]);
            continue;
        }
        dp_count(s->q->stats.tx_errors, 1);
        tx_refuse(w, p, b->m[i], DROP_TX_ERROR);
    }
}

/* Counts frames before the device has them: they may be gone then. */
static void
burst_count(const struct port_queues *pq, const struct burst *b, bool back,
            unsigned from)
{
    for (unsigned i = from; i < b->n; i++) {
        struct queue *q = pq->slot[b->m[i]->hash.sched.queue_id].q;
        uint64_t bytes = b->m[i]->pkt_len;

        dp_count(q->stats.tx_packets, back ? UINT64_MAX : 1);
        dp_count(q->stats.tx_bytes, back ? -bytes : bytes);
    }
}

/* Sends what may go; returns how many frames still wait. */
static unsigned
queue_run(struct worker *w, struct dp_port *p, struct port_queues *pq)
{
    unsigned waiting = 0, sent;
    struct burst b;

    for (unsigned i = 0; i < pq->n; i++)
        slot_fill(&pq->slot[i], w->now_ns);
    for (unsigned round = 0; round < QUEUE_LEN; round++) {
        b.n = 0;
        burst_promised(&b, pq);
        burst_spare(&b, pq);
        if (!b.n)
            break;
        burst_count(pq, &b, false, 0);
        sent = tx_try(w, p, b.m, b.n);
        if (sent == b.n)
            continue;
        burst_count(pq, &b, true, sent);
        burst_return(w, p, pq, &b, sent);
        break;
    }
    for (unsigned i = 0; i < pq->n; i++)
        waiting += pq->slot[i].q->n;
    return waiting;
}

void
queue_run_all(struct worker *w)
{
    const struct worker_ports *ports = dp_load(&w->ports);
    unsigned waiting = 0;

    for (unsigned i = 0; i < ports->n; i++) {
        struct port_queues *pq = dp_load(&ports->p[i]->queues);

        if (pq)
            waiting += queue_run(w, ports->p[i], pq);
    }
    w->n_waiting = waiting;
}

/* --------------------------------------------------------------------- input */

static inline const struct queue_slot *
slot_of(const struct port_queues *pq, const struct rte_mbuf *m)
{
    if (m->ol_flags & TX_QUEUE)
        for (unsigned i = 1; i < pq->n; i++)
            if (pq->slot[i].id == m->hash.sched.queue_id
                && !pq->slot[i].closing)
                return &pq->slot[i];
    return &pq->slot[0];
}

void
queue_tx(struct worker *w, struct dp_port *p, struct port_queues *pq,
         struct rte_mbuf *m[], unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct queue *q = slot_of(pq, m[i])->q;

        if (q->n == QUEUE_LEN || w->n_waiting >= w->dp->max_waiting) {
            dp_count(q->stats.tx_errors, 1);
            tx_refuse(w, p, m[i], DROP_TX_QUEUE);
            continue;
        }
        q->ring[(q->head + q->n++) % QUEUE_LEN] = m[i];
        w->n_waiting++;
    }
    queue_run(w, p, pq); /* queue_run_all sets 'n_waiting' right. */
}

/* ---------------------------------------------------------------------- time */

/* Until the queue's first frame may go; 0: it may, the device is full. */
static uint64_t
slot_wait_ns(const struct queue_slot *s)
{
    const struct queue *q = s->q;
    int64_t lacks;

    if (slot_may_send(s))
        return QUEUE_RETRY_NS;
    lacks = WEFT_MIN(frame_tokens(q->ring[q->head]), s->max_cap)
            - q->max_tokens;
    return (uint64_t) (((__uint128_t) (uint64_t) lacks * s->max_inv) >> 64)
           + 1;
}

uint64_t
queue_wait_ns(const struct worker *w)
{
    const struct worker_ports *ports = dp_load(&w->ports);
    uint64_t ns = UINT64_MAX;

    for (unsigned i = 0; w->n_waiting && i < ports->n; i++) {
        const struct port_queues *pq = dp_load(&ports->p[i]->queues);

        for (unsigned k = 0; pq && k < pq->n; k++)
            if (pq->slot[k].q->n)
                ns = WEFT_MIN(ns, slot_wait_ns(&pq->slot[k]));
    }
    return ns;
}
