/* SPDX-License-Identifier: Apache-2.0 */
/* Queues of a port: what waits there, and who goes next.
 *
 * What:    the scheduler between a port's staging and its device.
 * Model:   a port that was given queues has one default queue (id 0, with or
 *          without rates of its own) and those given.  Frames wait in bounded
 *          FIFOs; each queue has two token buckets:
 *
 *          1. While the guarantee's bucket (min_rate) can pay, the queue goes
 *             before all that have none or have used theirs up.
 *          2. What the link has beyond that is shared by deficit round
 *             robin (Shreedhar and Varghese, 1996), a frame's length each.
 *          3. No frame leaves that the limit's bucket (max_rate) cannot pay:
 *             it waits.
 *
 *          Tokens are billionths of a bit, so that a rate in bit/s adds whole
 *          numbers per nanosecond (see meter.h).  A bucket full of less than
 *          a frame lets it pass and goes below zero.  The link's rate is what
 *          the device takes: frames that it does not take stay first in
 *          their queue.
 *
 *          DPDK's rte_sched was not taken: it wants one rate per port, fixed
 *          classes in strict priority, and 13 queues per pipe; it has no
 *          minimum for an arbitrary queue and no spare bandwidth across its
 *          classes.  rte_meter polices; here frames wait.
 *
 *          A frame's queue is in its mbuf: TX_QUEUE set and hash.sched.
 * Threads: the port's owner; control publishes another 'port_queues' and reads
 *          counters.
 * Owns:    the waiting frames.
 * Cost:    ports without queues: one load of a pointer per burst. */
#ifndef DP_QUEUE_H
#define DP_QUEUE_H

#include "datapath/worker.h"

#define QUEUE_MAX 64        /* Per port, the default one included. */
#define QUEUE_LEN 256       /* Frames; a power of two. */
#define QUEUE_QUANTUM 1514  /* Bytes per turn of the round robin. */
#define QUEUE_BIT INT64_C(1000000000)
#define QUEUE_BURST_NS 10000000 /* Default burst: 10 ms at the rate ... */
#define QUEUE_BURST_BITS 24288  /* ... but two frames of 1518 bytes. */
#define QUEUE_BURST_MAX (UINT64_C(1) << 32)
#define QUEUE_RETRY_NS 50000 /* A device that is full. */

/* What the owner keeps of a queue. */
struct queue {
    int64_t min_tokens, max_tokens;
    uint64_t last_ns;
    uint32_t head, n;   /* Of ring[]. */
    uint32_t deficit;   /* Bytes. */
    struct dp_queue_stats stats;
    struct rte_mbuf *ring[QUEUE_LEN];
};

/* One queue as control wants it.  Immutable. */
struct queue_slot {
    struct queue *q;
    uint32_t id;
    bool listed;        /* False: the default queue that nobody set. */
    bool closing;       /* Takes no more; goes when it is empty. */
    struct dp_queue_config config;
    uint64_t min_rate, max_rate; /* bit/s; 0: none. */
    int64_t min_cap, max_cap;
    uint64_t max_inv;   /* 2^64 / max_rate. */
};

struct port_queues {
    unsigned n;
    unsigned turn;      /* Owner: of the round robin. */
    struct queue_slot slot[]; /* By id; [0] is the default one. */
};

/* All queues were deleted and nothing waits any more: as if there were none. */
static inline bool
queues_are_gone(const struct port_queues *pq)
{
    return pq->n == 1 && pq->slot[0].closing && !pq->slot[0].q->n;
}

/* Puts frames into the port's queues and sends what may go. */
void queue_tx(struct worker *, struct dp_port *, struct port_queues *,
              struct rte_mbuf *m[], unsigned n);
/* Sends what may go by now on all ports of the worker. */
void queue_run_all(struct worker *);
/* Nanoseconds until something can be sent; UINT64_MAX: nothing waits. */
uint64_t queue_wait_ns(const struct worker *);

/* tx_fast.c: hands frames to the device; returns how many it took, the others
 * are m[sent] and up, with port.tx_error set when they are refused. */
unsigned tx_try(struct worker *, struct dp_port *, struct rte_mbuf *m[],
                unsigned n);
/* Counts and frees a frame that did not leave. */
void tx_refuse(struct worker *, struct dp_port *, struct rte_mbuf *,
               unsigned reason);

/* dp_queue.c.  Thread: control. */
void dp_queues_free(struct dp_port *); /* No worker knows the port. */
void dp_queues_house(struct dp_port *);

#endif
