/* SPDX-License-Identifier: Apache-2.0 */
/* Deferred free after a grace period of the workers.
 *
 * What:    rte_rcu_qsbr with a list of things to free.
 * Model:   objects wait in 'held' until rcu_release (dp_commit: a cache entry
 *          may lead to them until the generation moves), then in 'next' until
 *          the running batch is through, then in 'batch' for its token, and
 *          for the gate: what else is to be done before, if there is one.
 * Threads: rcu_report, rcu_online, rcu_offline: that worker; the rest:
 *          control.  A worker that is offline holds nothing.
 * Owns:    objects handed to defer, until their function ran.
 * Cost:    16 bytes per object; a report is one store. */
#ifndef DP_RCU_H
#define DP_RCU_H

#include <rte_rcu_qsbr.h>
#include <stdbool.h>
#include <stdint.h>

#include "weft/compiler.h"

struct rcu_item {
    void (*fn)(void *);
    void *p;
};

struct rcu_list {
    struct rcu_item *items;
    size_t n, cap;
};

struct rcu {
    struct rte_rcu_qsbr *qsbr;
    struct rcu_list held, next, batch;
    size_t done;    /* Of 'batch'. */
    uint64_t token; /* Of 'batch'. */
    bool (*gate)(void *arg);
    void *gate_arg;
    bool open;      /* For 'batch'. */
};

struct rcu *rcu_create(unsigned max_workers);
void rcu_destroy(struct rcu *); /* Workers are gone.  Frees everything. */

/* Asked again and again until it says true, then not for that batch. */
void rcu_set_gate(struct rcu *, bool (*gate)(void *arg), void *arg);
void rcu_defer(struct rcu *, void (*fn)(void *), void *p);
/* As rcu_defer, but counted from the next rcu_release on. */
void rcu_defer_held(struct rcu *, void (*fn)(void *), void *p);
void rcu_release(struct rcu *);
/* Frees what may be freed, at most 'budget' objects.  True: there is more
 * that could be freed now. */
bool rcu_poll(struct rcu *, unsigned budget);
/* Waits until every worker was quiescent. */
void rcu_wait(struct rcu *);

/* Everything after the call is seen by a worker once rcu_passed. */
static inline uint64_t
rcu_start(struct rcu *r)
{
    return rte_rcu_qsbr_start(r->qsbr);
}

static inline bool
rcu_passed(struct rcu *r, uint64_t token)
{
    return rte_rcu_qsbr_check(r->qsbr, token, false) == 1;
}

static inline void
rcu_report(struct rcu *r, unsigned worker)
{
    rte_rcu_qsbr_quiescent(r->qsbr, worker);
}

#endif
