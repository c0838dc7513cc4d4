/* SPDX-License-Identifier: Apache-2.0 */
/* Many masks, few probes.
 *
 * Masks are gathered into clusters; a cluster's own mask is what all of its
 * masks have in common.  A lookup probes one hash table per cluster and then
 * compares the few rules of one group, or searches its tree (tree.c) when they
 * are not few.  plan.c chooses the clusters; here they are filled and kept up
 * to date: a change replaces one group, or some leaves of its tree. */
#include "datapath/tables/table_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "utils/base/mem.h"

/* ------------------------------------------------------------------ groups */

static size_t
group_size(const struct tbl_mask *c, uint32_t n)
{
    return sizeof(struct tbl_group) + 8 * ((size_t) c->n + n);
}

static uint64_t
list_entry(const struct tbl_rule *r)
{
    return (uint64_t) (uintptr_t) r | (uint64_t) r->priority << 48;
}

/* An empty group for what 'r' looks like under the cluster's mask. */
static struct tbl_group *
group_create(const struct tbl *t, const struct tbl_mask *c,
             const struct tbl_rule *r, uint32_t room)
{
    struct tbl_group *g = base_xcalloc(1, group_size(c, room));
    struct flow_key key;

    flow_key_unpack(&key, r->mask->map, r->values);
    g->tr.mask = c;
    g->tr.n_values = (uint8_t) flow_key_pack(&key, &c->mask, c->map,
                                              g->tr.values);
    g->tr.index = (uint32_t) hash_words(&t->key, g->tr.values, c->n);
    return g;
}

static struct tbl_group *
group_find(const struct tbl_mask *c, const struct tbl_group *like)
{
    struct tbl_rule *r = tbl_ht_find(c, &like->tr);

    return r ? WEFT_CONTAINER_OF(r, struct tbl_group, tr) : NULL;
}

static size_t
group_bytes(const struct tbl_mask *c, struct tbl_group *g)
{
    return g->n ? group_size(c, g->n)
                : group_size(c, 1) + tbl_group_tree(g)->bytes;
}

/* Far accesses: the group, and its rules or its tree. */
static uint32_t
group_cost(struct tbl_group *g)
{
    return 1 + (g->n ? g->n : tbl_tree_cost(tbl_group_tree(g)));
}

/* The group counts from now on: in bytes, length and cost. */
static void
group_count(struct tbl_set *s, struct tbl_mask *c, struct tbl_group *g)
{
    uint32_t cost = group_cost(g), room = c->n_cost_room;

    s->group_bytes += group_bytes(c, g);
    s->longest = WEFT_MAX(s->longest,
                          g->n ? g->n : tbl_group_tree(g)->n_rules);
    if (cost >= room) {
        c->n_cost_room = cost + 32;
        c->n_cost = base_xrealloc(c->n_cost,
                                  c->n_cost_room * sizeof *c->n_cost);
        memset(c->n_cost + room, 0,
               (c->n_cost_room - room) * sizeof *c->n_cost);
    }
    c->n_cost[cost]++;
    c->max_cost = WEFT_MAX(c->max_cost, cost);
}

static void
group_uncount(struct tbl_set *s, struct tbl_mask *c, struct tbl_group *g)
{
    s->group_bytes -= group_bytes(c, g);
    c->n_cost[group_cost(g)]--;
    while (c->max_cost && !c->n_cost[c->max_cost])
        c->max_cost--;
}

static void
group_free(void *g_)
{
    struct tbl_group *g = g_;

    if (!g->n)
        tbl_tree_free(tbl_group_tree(g));
    free(g);
}

static void
group_put(struct tbl *t, struct tbl_set *s, struct tbl_mask *c,
          struct tbl_group *g)
{
    group_uncount(s, c, g);
    t->env.defer(t->env.arg, group_free, g);
}

/* 'r' comes to or leaves a group that has a tree. */
static void
group_change(struct tbl *t, struct tbl_set *s, struct tbl_mask *c,
             struct tbl_group *g, const struct tbl_rule *r, bool add)
{
    struct tbl_tree *tree = tbl_group_tree(g);
    struct tbl_rule was = { .priority = g->tr.priority };

    group_uncount(s, c, g);
    tbl_tree_change(t, tree, c, r, add);
    g->tr.priority = (uint16_t) (atomic_load(&tree->root) >> 48);
    group_count(s, c, g);
    if (add)
        tbl_mask_raise(c, &g->tr);
    else
        tbl_mask_lower(c, &was);
}

/* A list that has got too long becomes a tree. */
static struct tbl_group *
group_to_tree(struct tbl *t, const struct tbl_mask *c, struct tbl_group *g,
              const struct tbl_rule *r)
{
    struct tbl_group *to = group_create(t, c, r, 1);

    to->tr.priority = g->tr.priority;
    *tbl_group_list(to) = (uint64_t) (uintptr_t)
        tbl_tree_create(t, c, tbl_group_list(g), g->n);
    free(g);
    return to;
}

/* Fills 'g' with the rules of 'from' (NULL: none), 'r' in its place. */
static void
group_fill_with(struct tbl_group *g, struct tbl_group *from,
                const struct tbl_rule *r)
{
    uint64_t *list = tbl_group_list(g);
    const uint64_t *old = from ? tbl_group_list(from) : NULL;
    uint32_t n_old = from ? from->n : 0, i;

    for (i = 0; i < n_old && old[i] >> 48 >= r->priority; i++)
        list[i] = old[i];
    list[i] = list_entry(r);
    for (; i < n_old; i++)
        list[i + 1] = old[i];
    g->n = n_old + 1;
    g->tr.priority = (uint16_t) (list[0] >> 48);
}

static int
group_add(struct tbl *t, struct tbl_set *s, struct tbl_mask *c,
          const struct tbl_rule *r)
{
    struct tbl_group *g = group_create(t, c, r, 1);
    struct tbl_group *old = group_find(c, g);

    if (old) {
        free(g);
        if (!old->n) {
            group_change(t, s, c, old, r, true);
            return 0;
        }
        g = group_create(t, c, r, old->n + 1);
    }
    group_fill_with(g, old, r);
    if (g->n > TBL_GROUP_LONG)
        g = group_to_tree(t, c, g, r);
    if (old) {
        tbl_ht_replace(t, c, &old->tr, &g->tr);
        group_put(t, s, c, old);
    } else if (tbl_ht_add(t, c, &g->tr)) {
        free(g);
        return -ENOMEM;
    }
    group_count(s, c, g);
    tbl_mask_raise(c, &g->tr);
    return 0;
}

static void
group_del(struct tbl *t, struct tbl_set *s, struct tbl_mask *c,
          const struct tbl_rule *r)
{
    struct tbl_group *like = group_create(t, c, r, 0);
    struct tbl_group *old = group_find(c, like), *g = NULL;
    uint32_t n = 0;

    free(like);
    if (!old->n) {
        struct tbl_tree *tree = tbl_group_tree(old);

        group_change(t, s, c, old, r, false);
        if (tree->n_rules > TBL_TREE_MIN)
            return;
        g = group_create(t, c, r, tree->n_rules);
        tbl_tree_list(tree, tbl_group_list(g));
        g->n = tree->n_rules;
        g->tr.priority = old->tr.priority;
        group_count(s, c, g);
    } else if (old->n > 1) {
        g = group_create(t, c, r, old->n - 1);
        for (uint32_t i = 0; i < old->n; i++)
            if (tbl_slot_rule(tbl_group_list(old)[i]) != r)
                tbl_group_list(g)[n++] = tbl_group_list(old)[i];
        g->n = n;
        g->tr.priority = (uint16_t) (tbl_group_list(g)[0] >> 48);
        group_count(s, c, g);
    }
    tbl_ht_replace(t, c, &old->tr, g ? &g->tr : NULL);
    tbl_mask_lower(c, &old->tr);
    group_put(t, s, c, old);
}

/* ---------------------------------------------------------------- clusters */

static void
free_group(void *arg, struct tbl_rule *r)
{
    (void) arg;
    group_free(WEFT_CONTAINER_OF(r, struct tbl_group, tr));
}

static void
cluster_free(void *c)
{
    tbl_ht_each(c, free_group, NULL);
    tbl_mask_free(c);
}

struct tbl_mask *
tbl_cluster_add(struct tbl *t, struct tbl_set *s, const struct flow_key *mask)
{
    struct tbl_mask *c = tbl_mask_create(mask);

    if (!c)
        return NULL;
    if (s->n == s->room) {
        s->room = s->room ? s->room * 2 : 16;
        s->clusters = base_xrealloc(s->clusters,
                                    s->room * sizeof *s->clusters);
    }
    s->clusters[s->n++] = c;
    t->memory += sizeof *c + tbl_ht_size(atomic_load(&c->ht));
    return c;
}

static unsigned
mask_bits(const struct flow_key *mask)
{
    unsigned n = 0;

    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
        n += (unsigned) __builtin_popcountll(flow_key_word(mask, i));
    return n;
}

static bool
mask_within(const struct flow_key *part, const struct flow_key *whole)
{
    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
        if (flow_key_word(part, i) & ~flow_key_word(whole, i))
            return false;
    return true;
}

/* The narrowest cluster that can hold rules of mask 'm', or NULL. */
static struct tbl_mask *
cluster_pick(const struct tbl_set *s, const struct tbl_mask *m)
{
    struct tbl_mask *best = NULL;
    unsigned best_bits = 0;

    for (uint32_t i = 0; i < s->n; i++) {
        struct tbl_mask *c = s->clusters[i];
        unsigned bits = mask_bits(&c->mask);

        if (mask_within(&c->mask, &m->mask) && (!best || bits > best_bits)) {
            best = c;
            best_bits = bits;
        }
    }
    return best;
}

int
tbl_set_add(struct tbl *t, struct tbl_set *s, struct tbl_rule *r)
{
    struct tbl_mask *m = (struct tbl_mask *) r->mask, **c;

    c = &m->cluster[s->side];
    if (!*c)
        *c = cluster_pick(s, m);
    if (!*c)
        *c = tbl_cluster_add(t, s, &m->mask);
    if (!*c)
        return -ENOMEM;
    s->n_changes++;
    return group_add(t, s, *c, r);
}

void
tbl_set_del(struct tbl *t, struct tbl_set *s, struct tbl_rule *r)
{
    s->n_changes++;
    if (s->todo && r->pos < s->n_todo && s->todo[r->pos] == r)
        s->todo[r->pos] = NULL; /* Has not come yet. */
    else
        group_del(t, s, r->mask->cluster[s->side], r);
}

bool
tbl_set_is_bad(const struct tbl_set *s)
{
    bool bad = s->longest > TBL_GROUP_LONG
               || s->n > TBL_CLUSTERS + TBL_CLUSTERS / 2;

    return bad && s->n_changes > s->n_built / 2 + 64;
}

uint32_t
tbl_set_probes(const struct tbl_set *s)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->n; i++)
        n += tbl_ht_probes(s->clusters[i]) + s->clusters[i]->max_cost;
    return n;
}

void
tbl_set_put(struct tbl *t, struct tbl_set *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->n; i++) {
        struct tbl_mask *c = s->clusters[i];

        t->memory -= sizeof *c + tbl_ht_size(atomic_load(&c->ht));
        t->env.defer(t->env.arg, cluster_free, c);
    }
    free(s->clusters);
    free(s->todo);
    free(s);
}

void
tbl_set_free(struct tbl_set *s)
{
    for (uint32_t i = 0; s && i < s->n; i++)
        cluster_free(s->clusters[i]);
    if (s) {
        free(s->clusters);
        free(s->todo);
    }
    free(s);
}

static void
todo_add(void *arg, struct tbl_rule *r)
{
    struct tbl_set *s = arg;

    r->pos = s->n_todo;
    s->todo[s->n_todo++] = r;
}

int
tbl_set_begin(struct tbl *t)
{
    struct base_hnode *node;
    struct tbl_set *s;
    int err;

    BASE_NEW(s);
    s->side = t->now ? !t->now->side : 0;
    s->n_built = t->n_heads;
    s->todo = malloc(t->n_heads * sizeof *s->todo);
    if (!s->todo) {
        free(s);
        return -ENOMEM;
    }
    BASE_HMAP_FOR (node, &t->masks) {
        struct tbl_mask *m = WEFT_CONTAINER_OF(node, struct tbl_mask, node);

        m->cluster[s->side] = NULL;
        if (m->n_heads)
            tbl_ht_each(m, todo_add, s);
    }
    err = tbl_plan(t, s);
    if (err)
        tbl_set_put(t, s);
    else
        t->next = s;
    return err;
}

bool
tbl_set_is_full(const struct tbl_set *s)
{
    return s->at == s->n_todo;
}

int
tbl_set_fill(struct tbl *t, uint32_t n)
{
    struct tbl_set *s = t->next;

    for (; n && s->at < s->n_todo; n--, s->at++) {
        struct tbl_rule *r = s->todo[s->at];
        struct tbl_mask *c;

        if (!r)
            continue;
        c = r->mask->cluster[s->side];
        s->todo[s->at] = NULL;
        if (group_add(t, s, c, r))
            return -ENOMEM;
    }
    return 0;
}
