/* SPDX-License-Identifier: Apache-2.0 */
/* Receive queues and workers: who polls what.
 *
 * A new port's queues go to the workers that have fewest.  Every two seconds,
 * if one worker was busy and another much less, the queue whose move would
 * even them out most is moved.  A queue's part of its worker's time is taken
 * to be its part of the packets.
 *
 * A move keeps the order of packets: the queue leaves its worker, all that
 * this one had is sent (its own ports) or has passed the rings to the workers
 * that send it, and only then does the other worker look at it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/worker.h"
#include "utils/base/clock.h"

#define BALANCE_NS UINT64_C(2000000000)
#define RING_WAIT_NS UINT64_C(5000000) /* Control may block 10 ms. */
/* In percent of one worker's time. */
#define BUSY 60
#define APART 20

static struct worker *
fewest_queues(const struct dp *dp)
{
    struct worker *best = dp->workers[0];

    for (unsigned i = 1; i < dp->n_workers; i++)
        if (dp->workers[i]->rxqs->n < best->rxqs->n)
            best = dp->workers[i];
    return best;
}

int
dp_rxqs_assign(struct dp_port *p)
{
    unsigned n = dp_port_n_rxq(p);

    p->rxq = aligned_alloc(64, n * sizeof p->rxq[0]);
    if (!p->rxq)
        return -ENOMEM;
    memset(p->rxq, 0, n * sizeof p->rxq[0]);
    worker_add_port(p->owner, p);
    for (unsigned i = 0; i < n; i++) {
        struct rxq *q = &p->rxq[i];
        int err;

        q->port = p;
        q->id = (uint16_t) i;
        q->fd = i ? -1 : p->port.rx_fd;
        err = worker_add_rxq(i ? fewest_queues(p->dp) : p->owner, q);
        if (err)
            return err;
    }
    return 0;
}

void
dp_rxqs_remove(struct dp_port *p)
{
    for (unsigned i = 0; p->rxq && i < dp_port_n_rxq(p); i++)
        if (p->rxq[i].worker)
            worker_del_rxq(p->rxq[i].worker, &p->rxq[i]);
    worker_del_port(p->owner, p);
}

/* ------------------------------------------------------------------- moving */

static bool
ring_passed(const struct rte_ring *r, uint32_t tail)
{
    return (int32_t) (__atomic_load_n(&r->cons.tail, __ATOMIC_ACQUIRE) - tail)
           >= 0;
}

/* Waits until all that is in the rings to ports' owners has been sent. */
static bool
rings_passed(struct dp *dp)
{
    uint64_t end = base_clock_ns() + RING_WAIT_NS;
    const struct dp_port *p;

    BASE_LIST_FOR(p, &dp->ports, node) {
        uint32_t tail;

        if (!p->tx_ring)
            continue;
        tail = __atomic_load_n(&p->tx_ring->prod.tail, __ATOMIC_ACQUIRE);
        while (!ring_passed(p->tx_ring, tail))
            if (base_clock_ns() > end)
                return false;
    }
    rcu_wait(dp->rcu);
    return true;
}

bool
dp_rxq_move(struct rxq *q, struct worker *to)
{
    struct dp *dp = to->dp;
    struct worker *from = q->worker;
    bool passed = true;

    worker_del_rxq(from, q);
    if (!dp->manual) {
        rcu_wait(dp->rcu);
        passed = rings_passed(dp);
    }
    if (passed && !worker_add_rxq(to, q)) {
        dp->n_moves++;
        return true;
    }
    /* It was there before; what epoll took once it takes again. */
    if (worker_add_rxq(from, q))
        abort();
    return false;
}

/* ---------------------------------------------------------------- balancing */

/* Loads since the last look, in parts of 10,000 of a worker's time. */
static void
measure(struct dp *dp, uint64_t ns)
{
    uint64_t cycles = (uint64_t) ((__uint128_t) ns * dp->tsc_hz / 1000000000);

    for (unsigned i = 0; i < dp->n_workers; i++) {
        struct worker *w = dp->workers[i];
        uint64_t packets = dp_read(w->packets) - w->packets_seen;
        uint64_t busy = dp_read(w->busy_cycles) - w->busy_seen;

        w->packets_seen += packets;
        w->busy_seen += busy;
        w->load = cycles ? busy * 10000 / cycles : 0;
        for (unsigned k = 0; k < w->rxqs->n; k++) {
            struct rxq *q = w->rxqs->q[k];
            uint64_t n = dp_read(q->packets) - q->packets_seen;

            q->packets_seen += n;
            q->load = packets ? w->load * WEFT_MIN(n, packets) / packets : 0;
        }
    }
}

/* The queue of 'from' that makes the larger of both loads least; NULL: none
 * makes it less by a tenth. */
static struct rxq *
best_move(const struct worker *from, const struct worker *to)
{
    uint64_t least = from->load / 10 * 9;
    struct rxq *best = NULL;

    for (unsigned i = 0; i < from->rxqs->n; i++) {
        struct rxq *q = from->rxqs->q[i];
        uint64_t after = WEFT_MAX(from->load - q->load, to->load + q->load);

        if (q->load && after < least) {
            least = after;
            best = q;
        }
    }
    return best;
}

void
dp_balance_house(struct dp *dp, uint64_t now)
{
    struct worker *most = dp->workers[0], *least = most;
    struct rxq *q;

    if (dp->n_workers < 2 || now - dp->balance_ns < BALANCE_NS)
        return;
    measure(dp, now - dp->balance_ns);
    dp->balance_ns = now;
    for (unsigned i = 1; i < dp->n_workers; i++) {
        struct worker *w = dp->workers[i];

        most = w->load > most->load ? w : most;
        least = w->load < least->load ? w : least;
    }
    if (most->load < BUSY * 100 || most->load - least->load < APART * 100)
        return;
    q = best_move(most, least);
    if (q)
        (void) dp_rxq_move(q, least);
}
