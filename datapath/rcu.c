/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/rcu.h"

#include <stdlib.h>

#include "utils/base/mem.h"

struct rcu *
rcu_create(unsigned max_workers)
{
    struct rcu *r;
    size_t size = rte_rcu_qsbr_get_memsize(max_workers);

    BASE_NEW(r);
    r->qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE, size);
    if (!r->qsbr || rte_rcu_qsbr_init(r->qsbr, max_workers)) {
        free(r->qsbr);
        free(r);
        return NULL;
    }
    return r;
}

static void
list_add(struct rcu_list *l, void (*fn)(void *), void *p)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 64;
        l->items = base_xrealloc(l->items, l->cap * sizeof *l->items);
    }
    l->items[l->n++] = (struct rcu_item) { fn, p };
}

/* Runs everything in 'l' from 'i' on. */
static void
list_run(struct rcu_list *l, size_t i)
{
    for (; i < l->n; i++)
        l->items[i].fn(l->items[i].p);
    l->n = 0;
}

void
rcu_destroy(struct rcu *r)
{
    if (!r)
        return;
    /* Freeing one object may defer another. */
    while (r->done < r->batch.n || r->next.n || r->held.n) {
        list_run(&r->batch, r->done);
        r->done = 0;
        rcu_release(r);
        struct rcu_list l = r->next;
        r->next = r->batch;
        r->batch = l;
    }
    free(r->held.items);
    free(r->next.items);
    free(r->batch.items);
    free(r->qsbr);
    free(r);
}

void
rcu_set_gate(struct rcu *r, bool (*gate)(void *arg), void *arg)
{
    r->gate = gate;
    r->gate_arg = arg;
}

void
rcu_defer(struct rcu *r, void (*fn)(void *), void *p)
{
    list_add(&r->next, fn, p);
}

void
rcu_defer_held(struct rcu *r, void (*fn)(void *), void *p)
{
    list_add(&r->held, fn, p);
}

void
rcu_release(struct rcu *r)
{
    if (!r->next.n) {
        struct rcu_list l = r->next;

        r->next = r->held;
        r->held = l;
        return;
    }
    for (size_t i = 0; i < r->held.n; i++)
        list_add(&r->next, r->held.items[i].fn, r->held.items[i].p);
    r->held.n = 0;
}

bool
rcu_poll(struct rcu *r, unsigned budget)
{
    if (r->done == r->batch.n) {
        struct rcu_list l = r->batch;

        r->done = l.n = 0;
        if (l.cap > 4096) {
            free(l.items);
            l = (struct rcu_list) { NULL, 0, 0 };
        }
        r->batch = r->next;
        r->next = l;
        if (!r->batch.n)
            return false;
        r->token = rcu_start(r);
        r->open = !r->gate;
    }
    if (!rcu_passed(r, r->token))
        return false;
    if (!r->open)
        r->open = r->gate(r->gate_arg);
    if (!r->open)
        return false;
    for (; r->done < r->batch.n && budget; r->done++, budget--)
        r->batch.items[r->done].fn(r->batch.items[r->done].p);
    return r->done < r->batch.n || r->next.n;
}

void
rcu_wait(struct rcu *r)
{
    rte_rcu_qsbr_synchronize(r->qsbr, RTE_QSBR_THRID_INVALID);
}
