/* SPDX-License-Identifier: Apache-2.0 */
/* Queues: configuration and counters. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/queue.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"

static struct queue_slot *
slot_find(struct port_queues *pq, uint32_t id)
{
    for (unsigned i = 0; pq && i < pq->n; i++)
        if (pq->slot[i].id == id && pq->slot[i].listed)
            return &pq->slot[i];
    return NULL;
}

/* The burst at a rate, in tokens. */
static int64_t
burst_tokens(uint64_t rate, uint64_t burst)
{
    if (!burst)
        burst = WEFT_MAX((uint64_t) ((__uint128_t) rate * QUEUE_BURST_NS
                                     / 1000000000),
                         (uint64_t) QUEUE_BURST_BITS);
    return (int64_t) WEFT_MIN(burst, QUEUE_BURST_MAX) * QUEUE_BIT;
}

static void
slot_configure(struct queue_slot *s, const struct dp_queue_config *c)
{
    s->config = *c;
    s->min_rate = c->min_rate;
    s->max_rate = c->max_rate;
    s->min_cap = burst_tokens(c->min_rate, 0);
    s->max_cap = burst_tokens(c->max_rate, c->burst);
    s->max_inv = c->max_rate > 1 ? UINT64_MAX / c->max_rate + 1 : UINT64_MAX;
}

static struct queue *
queue_new(void)
{
    struct queue *q = calloc(1, sizeof *q);

    if (q)
        q->stats.created_ns = base_clock_ns();
    return q;
}

/* A copy of the port's queues with room for one more. */
static struct port_queues *
queues_copy(const struct port_queues *old)
{
    unsigned n = old ? old->n : 0;
    struct port_queues *pq = calloc(1, sizeof *pq
                                           + (n + 2) * sizeof pq->slot[0]);

    if (pq && old)
        memcpy(pq, old, sizeof *pq + n * sizeof pq->slot[0]);
    return pq;
}

/* The default queue, without rates, comes with the first one. */
static int
queues_begin(struct port_queues *pq)
{
    if (pq->n)
        return 0;
    pq->slot[0].q = queue_new();
    if (!pq->slot[0].q)
        return -ENOMEM;
    pq->n = 1;
    return 0;
}

static void
queues_publish(struct dp_port *p, struct port_queues *pq)
{
    struct port_queues *old = p->queues;

    if (pq && pq->turn >= pq->n)
        pq->turn = 0;
    dp_publish(&p->queues, pq);
    p->queues_token = rcu_start(p->dp->rcu);
    if (old)
        rcu_defer(p->dp->rcu, free, old);
}

static int
config_check(const struct dp_port *p, uint32_t queue,
             const struct dp_queue_config *c, struct weft_err *e)
{
    if (p->kind != DP_KIND_DEVICE)
        return weft_err_set(e, -EINVAL,
                            "port %s: queues are for ports with a device",
                            p->port.name);
    if (queue == UINT32_MAX)
        return weft_err_set(e, -EINVAL,
                            "port %s: queue %u means all queues",
                            p->port.name, queue);
    if (c->max_rate && c->min_rate > c->max_rate)
        return weft_err_set(e, -EINVAL,
                            "port %s: queue %u: min-rate %llu exceeds "
                            "max-rate %llu", p->port.name, queue,
                            (unsigned long long) c->min_rate,
                            (unsigned long long) c->max_rate);
    return 0;
}

/* Inserts a slot for 'queue', by id behind the default one. */
static struct queue_slot *
slot_insert(struct port_queues *pq, uint32_t queue)
{
    struct queue *q = queue_new();
    unsigned at = pq->n;

    if (!q)
        return NULL;
    while (at > 1 && pq->slot[at - 1].id > queue) {
        pq->slot[at] = pq->slot[at - 1];
        at--;
    }
    pq->n++;
    pq->slot[at] = (struct queue_slot) { .q = q, .id = queue };
    return &pq->slot[at];
}

static struct queue_slot *
slot_for(struct port_queues *pq, uint32_t queue)
{
    struct queue_slot *s = queue ? slot_find(pq, queue) : &pq->slot[0];

    return s ? s : slot_insert(pq, queue);
}

int
dp_queue_set(struct dp_bridge *br, uint32_t port_no, uint32_t queue,
             const struct dp_queue_config *c, struct weft_err *e)
{
    struct dp_port *p = dp_bridge_port(br, port_no);
    struct port_queues *pq;
    struct queue_slot *s;
    bool fresh;
    int err;

    if (!p)
        return weft_err_set(e, -ENODEV, "bridge %s has no port %u", br->name,
                            port_no);
    err = config_check(p, queue, c, e);
    if (err)
        return err;
    if (p->queues && p->queues->n == QUEUE_MAX && !slot_find(p->queues, queue))
        return weft_err_set(e, -EINVAL, "port %s: more than %d queues",
                            p->port.name, QUEUE_MAX);
    pq = queues_copy(p->queues);
    if (!pq || queues_begin(pq) || !(s = slot_for(pq, queue))) {
        if (pq && !p->queues && pq->n)
            free(pq->slot[0].q);
        free(pq);
        return weft_err_set(e, -ENOMEM, "port %s: out of memory",
                            p->port.name);
    }
    fresh = !s->listed;
    s->listed = true;
    slot_configure(s, c);
    if (fresh)
        __atomic_store_n(&s->q->stats.created_ns, base_clock_ns(),
                         __ATOMIC_RELAXED);
    if (fresh && queue) { /* Nobody knows it yet: starts full. */
        s->q->min_tokens = s->min_cap;
        s->q->max_tokens = s->max_cap;
    }
    pq->slot[0].closing = false;
    queues_publish(p, pq);
    return 0;
}

/* Without any queue left the default one closes too. */
static void
queues_close_default(struct port_queues *pq)
{
    for (unsigned i = 0; i < pq->n; i++)
        if (pq->slot[i].listed)
            return;
    pq->slot[0].closing = true;
}

/* What waits is sent without limit; the empty queue is taken away by
 * dp_queues_house. */
int
dp_queue_del(struct dp_bridge *br, uint32_t port_no, uint32_t queue)
{
    struct dp_port *p = dp_bridge_port(br, port_no);
    struct port_queues *pq;
    struct queue_slot *s;

    if (!p)
        return -ENODEV;
    if (!slot_find(p->queues, queue))
        return -ENOENT;
    pq = queues_copy(p->queues);
    if (!pq)
        return -ENOMEM;
    s = slot_find(pq, queue);
    s->listed = false;
    s->closing = s != &pq->slot[0];
    slot_configure(s, &(struct dp_queue_config) { 0 });
    queues_close_default(pq);
    queues_publish(p, pq);
    worker_wake(p->owner); /* It may wait for tokens that no one needs. */
    return 0;
}

int
dp_queue_get(struct dp_bridge *br, uint32_t port_no, uint32_t queue,
             struct dp_queue_config *c, struct dp_queue_stats *stats)
{
    struct dp_port *p = dp_bridge_port(br, port_no);
    const struct queue_slot *s;

    if (!p)
        return -ENODEV;
    s = slot_find(p->queues, queue);
    if (!s)
        return -ENOENT;
    *c = s->config;
    stats->tx_packets = dp_read(s->q->stats.tx_packets);
    stats->tx_bytes = dp_read(s->q->stats.tx_bytes);
    stats->tx_errors = dp_read(s->q->stats.tx_errors);
    stats->created_ns = dp_read(s->q->stats.created_ns);
    return 0;
}

int
dp_queue_next(struct dp_bridge *br, uint32_t port_no, uint32_t from,
              uint32_t *queue)
{
    const struct dp_port *p = dp_bridge_port(br, port_no);

    for (unsigned i = 0; p && p->queues && i < p->queues->n; i++) {
        const struct queue_slot *s = &p->queues->slot[i];

        if (s->listed && s->id >= from) {
            *queue = s->id;
            return 0;
        }
    }
    return -ENOENT;
}

static bool
slot_is_done(const struct queue_slot *s)
{
    return s->closing && !dp_read(s->q->n);
}

/* Takes away queues that were deleted and have run empty, and with the last
 * one the scheduler.  Once every worker has seen that a queue closes, it does
 * not fill again. */
void
dp_queues_house(struct dp_port *p)
{
    struct port_queues *old = p->queues, *pq;
    unsigned n = 0, gone = 0;

    if (!old || !rcu_passed(p->dp->rcu, p->queues_token))
        return;
    for (unsigned i = 0; i < old->n; i++)
        gone += slot_is_done(&old->slot[i]);
    if (!gone || (gone == 1 && old->n > 1 && slot_is_done(&old->slot[0])))
        return; /* The default queue is the last to go. */
    pq = gone == old->n ? NULL : queues_copy(old);
    if (!pq && gone < old->n)
        return;
    for (unsigned i = 0; i < old->n; i++) {
        if (slot_is_done(&old->slot[i]) && (i || !pq))
            rcu_defer(p->dp->rcu, free, old->slot[i].q);
        else if (pq)
            pq->slot[n++] = old->slot[i];
    }
    if (pq)
        pq->n = n;
    queues_publish(p, pq);
}

void
dp_queues_free(struct dp_port *p)
{
    struct port_queues *pq = p->queues;

    for (unsigned i = 0; pq && i < pq->n; i++) {
        struct queue *q = pq->slot[i].q;

        for (; q->n; q->n--, q->head = (q->head + 1) % QUEUE_LEN) {
            struct rte_mbuf *m = q->ring[q->head];

            if (m->ol_flags & TX_CONT)
                rte_pktmbuf_free(m);
            else
                worker_drop(p->owner, p->br, NULL, m, DROP_TX_PORT_DOWN);
        }
        free(q);
    }
    free(pq);
}
