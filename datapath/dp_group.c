/* SPDX-License-Identifier: Apache-2.0 */
/* Groups: configuration to programs and slots, liveness, counters. */
#include "datapath/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "utils/base/hmap.h"
#include "utils/base/mem.h"

#define TABLE_MIN 64
#define RELIVE_DEPTH 64 /* Groups that watch groups that watch ... */

/* ------------------------------------------------------------ table by id */

static struct group_table *
table_new(const struct dp_bridge *br, uint32_t size)
{
    struct group_table *t = malloc(sizeof *t + size * sizeof t->e[0]);

    if (!t)
        return NULL;
    t->mult = base_hash_mix(br->dp->seed, (uintptr_t) br) | 1;
    t->shift = 64u - (unsigned) __builtin_ctz(size);
    t->mask = size - 1;
    t->n_used = 0;
    for (uint32_t i = 0; i < size; i++)
        t->e[i] = (struct group_entry) { .id = DP_GROUP_NONE };
    return t;
}

/* The entry of 'id', or the free one where it would be. */
static struct group_entry *
table_entry(struct group_table *t, uint32_t id)
{
    uint32_t i = (uint32_t) (id * t->mult >> t->shift);

    while (t->e[i & t->mask].id != id
           && t->e[i & t->mask].id != DP_GROUP_NONE)
        i++;
    return &t->e[i & t->mask];
}

/* A reader that sees the id sees the group. */
static void
table_put(struct group_table *t, struct dp_group *g)
{
    struct group_entry *e = table_entry(t, g->id);

    dp_publish(&e->g, g);
    if (e->id == DP_GROUP_NONE) {
        t->n_used++;
        dp_publish(&e->id, g->id);
    }
}

/* Room for one more: a table at most half full, without what is gone. */
static int
table_reserve(struct dp_bridge *br)
{
    struct group_table *old = br->groups, *t;
    uint32_t size = TABLE_MIN;

    if (old && 2 * (old->n_used + 1) <= old->mask + 1)
        return 0;
    while (size < 4 * (br->n_groups + 1))
        size *= 2;
    t = table_new(br, size);
    if (!t)
        return -ENOMEM;
    for (uint32_t i = 0; old && i <= old->mask; i++)
        if (old->e[i].g)
            table_put(t, old->e[i].g);
    dp_publish(&br->groups, t);
    if (old)
        rcu_defer(br->dp->rcu, free, old);
    return 0;
}

/* ------------------------------------------------------- slots of a select
 *
 * A bucket is the same in two forms of a group if it does the same; among
 * several of these the id tells, and of the rest the id alone. */

struct sameness {
    uint64_t does;
    uint32_t id;
    uint16_t index;
    bool found;
};

static int
by_does(const void *x, const void *y)
{
    const struct sameness *a = x, *b = y;

    return a->does < b->does ? -1 : a->does > b->does;
}

static int
by_does_and_id(const void *x, const void *y)
{
    const struct sameness *a = x, *b = y;
    int c = by_does(x, y);

    return c ? c : a->id < b->id ? -1 : a->id > b->id;
}

static int
by_id_alone(const void *x, const void *y)
{
    const struct sameness *a = x, *b = y;

    return a->id < b->id ? -1 : a->id > b->id;
}

static void
sameness_fill(struct sameness *s, const struct group_act *a)
{
    for (uint32_t i = 0; i < a->n_buckets; i++) {
        const struct group_bucket *k = &a->b[i];
        uint64_t h = base_hash_mix(k->watch_port, k->watch_group);

        for (uint32_t w = 0; w < k->n_words; w++)
            h = base_hash_mix(h, k->ops[w]);
        s[i] = (struct sameness) { .does = h, .id = k->id,
                                   .index = (uint16_t) i };
    }
}

/* Both lists are in the order of 'cmp'. */
static void
sameness_pair(struct sameness *old, uint32_t n_old, struct sameness *now,
              uint32_t n_now, int (*cmp)(const void *, const void *),
              uint16_t *to)
{
    for (uint32_t i = 0, k = 0; i < n_old && k < n_now;) {
        int c;

        if (old[i].found || now[k].found) {
            uint32_t gone = old[i].found;

            i += gone;
            k += !gone;
            continue;
        }
        c = cmp(&old[i], &now[k]);
        if (!c) {
            to[old[i].index] = now[k].index;
            old[i].found = now[k].found = true;
        }
        i += c <= 0;
        k += c >= 0;
    }
}

/* to[]: the bucket of 'a' that each bucket of 'old' is.  NULL: no memory. */
static uint16_t *
buckets_pair(const struct group_act *old, const struct group_act *a)
{
    static int (*const orders[])(const void *, const void *) = {
        by_does_and_id, by_does, by_id_alone,
    };
    uint32_t n_old = old->n_buckets, n = a->n_buckets;
    struct sameness *s = malloc((n_old + n + 1) * sizeof *s);
    uint16_t *to = malloc((n_old + 1) * sizeof *to);

    if (s && to) {
        memset(to, 0xff, n_old * sizeof *to);
        sameness_fill(s, old);
        sameness_fill(s + n_old, a);
        for (unsigned i = 0; i < WEFT_ARRAY_LEN(orders); i++) {
            qsort(s, n_old, sizeof *s, orders[i]);
            qsort(s + n_old, n, sizeof *s, orders[i]);
            sameness_pair(s, n_old, s + n_old, n, orders[i], to);
        }
    } else {
        free(to);
        to = NULL;
    }
    free(s);
    return to;
}

/* Weights, all 1 if there is none; for 'live_only' 0 of the dead.  The
 * caller frees them; NULL: no memory. */
static uint16_t *
weights_get(const struct dp_bridge *br, const struct group_act *a,
            bool live_only)
{
    uint16_t *w = malloc((a->n_buckets + 1) * sizeof *w);
    bool any = false;

    for (uint32_t i = 0; i < a->n_buckets; i++)
        any |= a->b[i].weight;
    for (uint32_t i = 0; w && i < a->n_buckets; i++) {
        w[i] = any ? a->b[i].weight : 1;
        if (live_only && !group_bucket_live(br, &a->b[i]))
            w[i] = 0;
    }
    return w;
}

static struct group_slots *
slots_of_live(const struct dp_bridge *br, const struct group_act *a,
              const struct group_slots *was, const uint16_t *to)
{
    uint16_t *w = weights_get(br, a, true);
    struct group_slots *t = NULL;

    if (w)
        t = group_slots_live(a->slots, w, a->n_buckets, was, to);
    free(w);
    return t;
}

/* 'old': the group's act so far, or NULL. */
static int
act_set_slots(struct group_act *a, const struct dp_bridge *br,
              const struct group_act *old)
{
    uint16_t *w = weights_get(br, a, false);
    const struct group_slots *was = old ? old->slots : NULL;
    uint16_t *to = was ? buckets_pair(old, a) : NULL;

    if (w && (to || !was))
        a->slots = group_slots_new(w, a->n_buckets, was, to);
    if (a->slots && was && old->live)
        a->live = slots_of_live(br, a, old->live, to);
    free(w);
    free(to);
    return a->slots ? 0 : -ENOMEM;
}

/* --------------------------------------------------------------- counters */

static struct rule_counter *
counters_new(const struct dp_bridge *br)
{
    return calloc(br->dp->n_workers, sizeof(struct rule_counter));
}

static void
counters_sum(const struct dp_bridge *br, const struct rule_counter *c,
             struct dp_stats *out)
{
    *out = (struct dp_stats) { 0 };
    for (unsigned i = 0; i < br->dp->n_workers; i++) {
        out->packets += dp_read(c[i].packets);
        out->bytes += dp_read(c[i].bytes);
    }
}

static int
by_id(const void *x, const void *y)
{
    const struct group_bucket *const *a = x, *const *b = y;

    return (*a)->id < (*b)->id ? -1 : (*a)->id > (*b)->id;
}

/* Gives the buckets of 'a' the counters of those of 'old' with their ids;
 * the latter lose them. */
static int
counters_keep(struct group_act *a, struct group_act *old)
{
    struct group_bucket **all, *key;

    all = malloc((old->n_buckets + 1) * sizeof all[0]);
    if (!all)
        return -ENOMEM;
    for (uint32_t i = 0; i < old->n_buckets; i++)
        all[i] = &old->b[i];
    qsort(all, old->n_buckets, sizeof all[0], by_id);
    for (uint32_t i = 0; i < a->n_buckets; i++) {
        struct group_bucket **hit;

        key = &a->b[i];
        hit = bsearch(&key, all, old->n_buckets, sizeof all[0], by_id);
        if (hit && (*hit)->count) {
            struct rule_counter *fresh = key->count;

            key->count = (*hit)->count;
            (*hit)->count = fresh; /* Freed with the old act. */
        }
    }
    free(all);
    return 0;
}

/* --------------------------------------------------------------------- acts */

static void
act_free(void *p)
{
    struct group_act *a = p;

    for (uint32_t i = 0; i < a->n_buckets; i++)
        free(a->b[i].count);
    free(a->slots);
    free(a->live);
    free(a);
}

/* Addresses, protocol and ports. */
static void
default_mask(struct flow_key *m)
{
    memset(m, 0, sizeof *m);
    memset(m->eth_src, 0xff, sizeof m->eth_src);
    memset(m->eth_dst, 0xff, sizeof m->eth_dst);
    memset(&m->eth_type, 0xff, sizeof m->eth_type);
    m->ip_proto = 0xff;
    memset(&m->ip_src, 0xff, sizeof m->ip_src);
    memset(&m->ip_dst, 0xff, sizeof m->ip_dst);
    memset(&m->tp_src, 0xff, sizeof m->tp_src);
    memset(&m->tp_dst, 0xff, sizeof m->tp_dst);
    memset(m->ipv6_src, 0xff, sizeof m->ipv6_src);
    memset(m->ipv6_dst, 0xff, sizeof m->ipv6_dst);
}

static void
act_set_hash(struct group_act *a, const struct dp_bridge *br, uint32_t id,
             const struct dp_group_config *c)
{
    struct flow_key mask;

    if (c->hash_mask)
        mask = *c->hash_mask;
    else
        default_mask(&mask);
    a->map = flow_mask_words(&mask);
    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
        a->mask[i] = flow_key_word(&mask, i);
    a->seed = base_hash_mix(base_hash_mix(br->dp->seed, c->hash_seed), id);
}

/* A controller action of a bucket says so in its packet-ins. */
static void
mark_punts(uint64_t *words, uint32_t n)
{
    const struct dp_op *op;

    PROG_FOR_OPS(op, words, n)
        if (op->code == DP_OP_CONTROLLER)
            ((struct dp_op *) (uintptr_t) op)->aux = DP_PUNT_GROUP;
}

static int
bucket_fill(struct group_bucket *k, const struct dp_bucket *c,
            const struct dp_bridge *br, uint64_t *words, size_t room)
{
    int n = prog_order_set(&c->actions, words, room);

    if (n < 0)
        return n;
    mark_punts(words, (uint32_t) n);
    *k = (struct group_bucket) {
        .ops = words, .n_words = (uint32_t) n, .id = c->id,
        .weight = c->weight,
        .watch_port = c->watch_port, .watch_group = c->watch_group,
        .one_op = prog_op_at(words)->words == n
                  && prog_op_at(words)->code != DP_OP_GROUP,
        .count = counters_new(br),
    };
    return k->count ? 0 : -ENOMEM;
}

/* Words of all buckets, each with its end. */
static int
config_check(const struct dp_group_config *c, size_t *words)
{
    *words = 0;
    if (c->type > DP_GROUP_FF || c->n_buckets > GROUP_SLOTS_BUCKETS
        || (c->type == DP_GROUP_INDIRECT && c->n_buckets != 1))
        return -EINVAL;
    for (size_t i = 0; i < c->n_buckets; i++) {
        uint8_t flags = 0;
        int err = prog_check_ops(&c->buckets[i].actions, false, &flags);

        if (!err && c->buckets[i].actions.n_words > PROG_MAX_WORDS / 8)
            err = -EINVAL;
        if (err)
            return err;
        *words += c->buckets[i].actions.n_words + 1;
    }
    return 0;
}

static int
act_new(struct dp_bridge *br, uint32_t id, const struct dp_group_config *c,
        const struct group_act *old, struct group_act **out)
{
    struct group_act *a;
    uint64_t *at;
    size_t words, used = 0;
    int err = config_check(c, &words);

    if (err)
        return err;
    a = calloc(1, sizeof *a + c->n_buckets * sizeof a->b[0] + 8 * words);
    if (!a)
        return -ENOMEM;
    a->type = c->type;
    at = (uint64_t *) (void *) (a->b + c->n_buckets);
    act_set_hash(a, br, id, c);
    for (size_t i = 0; i < c->n_buckets && !err; i++) {
        struct group_bucket *k = &a->b[i];

        err = bucket_fill(k, &c->buckets[i], br, at + used, words - used);
        used += k->n_words;
        a->n_buckets = (uint32_t) i + 1;
        a->watches |= k->watch_port != DP_PORT_NONE
                      || k->watch_group != DP_GROUP_NONE;
    }
    if (!err && c->type == DP_GROUP_SELECT)
        err = act_set_slots(a, br, old);
    if (err) {
        act_free(a);
        return err;
    }
    *out = a;
    return 0;
}

/* ----------------------------------------------------------------- liveness */

/* Finds out whether the group has a live bucket, after the groups that it
 * watches.  There is no loop (dp_group_set); one would only leave the group
 * as it was. */
static void
relive(struct dp_bridge *br, struct dp_group *g, unsigned depth)
{
    struct group_act *a = g->act;
    uint32_t n_live = 0;

    if (g->relive_round == br->relive_round || g->relive_busy || !depth)
        return;
    g->relive_busy = true;
    for (uint32_t i = 0; i < a->n_buckets; i++) {
        struct dp_port *port = a->b[i].watch_port == DP_PORT_NONE
                                   ? NULL
                                   : dp_bridge_port(br, a->b[i].watch_port);
        struct dp_group *watched =
            a->b[i].watch_group == DP_GROUP_NONE
                ? NULL : dp_group_find(br, a->b[i].watch_group);

        if (port)
            port->watch_round = br->relive_round;
        if (watched)
            relive(br, watched, depth - 1);
        n_live += group_bucket_live(br, &a->b[i]);
    }
    if (a->type == DP_GROUP_SELECT && a->watches) {
        struct group_slots *old = a->live;

        dp_publish(&a->live, n_live == a->n_buckets
                                 ? NULL : slots_of_live(br, a, old, NULL));
        if (old)
            rcu_defer(br->dp->rcu, free, old);
    }
    __atomic_store_n(&g->live, n_live > 0, __ATOMIC_RELAXED);
    g->relive_busy = false;
    g->relive_round = br->relive_round;
}

void
dp_groups_relive(struct dp_bridge *br)
{
    struct dp_group *g;

    br->relive_dirty = false;
    br->relive_round++;
    BASE_LIST_FOR(g, &br->watchers, watcher)
        relive(br, g, RELIVE_DEPTH);
}

/* --------------------------------------------------------------- life cycle */

static void
group_free(void *p)
{
    struct dp_group *g = p;

    if (g->act)
        act_free(g->act);
    free(g->total);
    free(g);
}

static int
group_new(struct dp_bridge *br, uint32_t id, struct dp_group **out)
{
    struct dp_group *g;

    if (table_reserve(br))
        return -ENOMEM;
    g = calloc(1, sizeof *g);
    if (g)
        g->total = counters_new(br);
    if (!g || !g->total) {
        free(g);
        return -ENOMEM;
    }
    g->id = id;
    g->br = br;
    base_list_init(&g->watcher);
    *out = g;
    return 0;
}

static uint32_t
watch_groups(const struct group_act *a)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < a->n_buckets; i++)
        n += a->b[i].watch_group != DP_GROUP_NONE;
    return n;
}

/* Its own liveness now, that of groups that watch it with the commit: many
 * groups may change before. */
static void
group_changed(struct dp_bridge *br, struct dp_group *g)
{
    base_list_del(&g->watcher);
    if (g->act->watches)
        base_list_add_tail(&br->watchers, &g->watcher);
    g->relive_round = br->relive_round - 1;
    relive(br, g, RELIVE_DEPTH);
    br->relive_dirty |= br->n_watch_groups > 0;
}

/* It is in the table no more. */
static void
group_drop(struct dp_bridge *br, struct dp_group *g)
{
    br->n_groups--;
    base_list_del(&g->watcher);
    br->n_watch_groups -= watch_groups(g->act);
    br->relive_dirty |= br->n_watch_groups > 0;
    rcu_defer(br->dp->rcu, group_free, g);
}

int
dp_group_set(struct dp_bridge *br, uint32_t id,
             const struct dp_group_config *c)
{
    struct dp_group *was = dp_group_find(br, id), *g = c->anew ? NULL : was;
    struct group_act *a = NULL, *old = g ? g->act : NULL;
    bool fresh = !g;
    int err;

    if (id > DP_GROUP_MAX)
        return -EINVAL;
    err = act_new(br, id, c, old, &a);
    if (!err && fresh)
        err = group_new(br, id, &g);
    else if (!err && c->keep_buckets)
        err = counters_keep(a, old);
    if (err) {
        if (a)
            act_free(a);
        return err;
    }
    dp_publish(&g->act, a);
    br->n_watch_groups += watch_groups(a) - (old ? watch_groups(old) : 0);
    if (fresh) {
        br->n_groups++;
        table_put(br->groups, g);
        if (was)
            group_drop(br, was);
    } else {
        rcu_defer(br->dp->rcu, act_free, old);
    }
    group_changed(br, g);
    return 0;
}

void
dp_group_del(struct dp_bridge *br, uint32_t id)
{
    struct dp_group *g = dp_group_find(br, id);

    if (!g)
        return;
    dp_publish(&table_entry(br->groups, id)->g, (struct dp_group *) NULL);
    group_drop(br, g);
}

void
dp_groups_free(struct dp_bridge *br)
{
    struct group_table *t = br->groups;

    for (uint32_t i = 0; t && i <= t->mask; i++)
        if (t->e[i].g)
            group_free(t->e[i].g);
    free(t);
}

int
dp_group_get_stats(struct dp_bridge *br, uint32_t id, struct dp_stats *total,
                   struct dp_stats *buckets, size_t n)
{
    const struct dp_group *g = dp_group_find(br, id);

    if (!g)
        return -ENOENT;
    counters_sum(br, g->total, total);
    for (size_t i = 0; i < n && i < g->act->n_buckets; i++)
        counters_sum(br, g->act->b[i].count, &buckets[i]);
    return 0;
}
