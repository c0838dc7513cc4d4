/* SPDX-License-Identifier: Apache-2.0 */
/* Many masks, few lookups.
 *
 * Masks are gathered into clusters; what the masks of a cluster have in common
 * is hashed, and leads to a slot with few rules, or to a tree of cuts when
 * they are not few (node_fast.h).  plan.c chooses the clusters; here they are
 * filled and kept up to date. */
#include "datapath/tables/table_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "utils/base/mem.h"

/* -------------------------------------------------------------------- form */

static int32_t
max_prio(const struct tbl_cluster *c)
{
    return atomic_load_explicit(&c->max_prio, memory_order_relaxed);
}

static int
by_priority(const void *a, const void *b)
{
    int32_t pa = max_prio(*(const struct tbl_cluster *const *) a);
    int32_t pb = max_prio(*(const struct tbl_cluster *const *) b);

    return (pa < pb) - (pa > pb);
}

struct tbl_form *
tbl_merged_form(const struct tbl *t)
{
    size_t size = sizeof(struct tbl_merged)
                  + t->now->n * sizeof(const struct tbl_cluster *);
    struct tbl_merged *m = base_xcalloc(1, size);

    m->form.kind = TBL_MERGED;
    m->form.size = size;
    for (uint32_t i = 0; i < t->now->n; i++)
        m->clusters[m->n++] = t->now->clusters[i];
    qsort(m->clusters, m->n, sizeof m->clusters[0], by_priority);
    return &m->form;
}

bool
tbl_merged_in_order(const struct tbl_form *f)
{
    const struct tbl_merged *m = (const struct tbl_merged *) f;

    for (uint32_t i = 1; i < m->n; i++)
        if (max_prio(m->clusters[i - 1]) < max_prio(m->clusters[i]))
            return false;
    return true;
}

/* ---------------------------------------------------------------- clusters */

struct tbl_cluster *
tbl_set_cluster(struct tbl_set *s, const struct flow_key *mask)
{
    struct tbl_cluster *c = tbl_cluster_create(mask);

    if (!c)
        return NULL;
    if (s->n == s->room) {
        s->room = s->room ? s->room * 2 : 16;
        s->clusters = base_xrealloc(s->clusters,
                                    s->room * sizeof *s->clusters);
    }
    s->clusters[s->n++] = c;
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
static struct tbl_cluster *
cluster_pick(const struct tbl_set *s, const struct tbl_mask *m)
{
    struct tbl_cluster *best = NULL;
    unsigned best_bits = 0;

    for (uint32_t i = 0; i < s->n; i++) {
        struct tbl_cluster *c = s->clusters[i];
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
    struct tbl_mask *m = (struct tbl_mask *) r->mask;
    struct tbl_cluster **c;

    c = &m->cluster[s->side];
    if (!*c)
        *c = cluster_pick(s, m);
    if (!*c)
        *c = tbl_set_cluster(s, &m->mask);
    if (!*c)
        return -ENOMEM;
    s->n_changes++;
    tbl_cluster_change(t, *c, r, true);
    return 0;
}

void
tbl_set_del(struct tbl *t, struct tbl_set *s, struct tbl_rule *r)
{
    s->n_changes++;
    if (s->todo && r->pos < s->n_todo && s->todo[r->pos] == r)
        s->todo[r->pos] = NULL; /* Has not come yet. */
    else
        tbl_cluster_change(t, r->mask->cluster[s->side], r, false);
}

struct tbl_cost
tbl_set_cost(const struct tbl_set *s)
{
    struct tbl_cost sum = { 0, 0 };

    for (uint32_t i = 0; i < s->n; i++) {
        struct tbl_cost cost = tbl_cluster_cost(s->clusters[i]);

        sum.far += cost.far;
        sum.compares += cost.compares;
    }
    return sum;
}

bool
tbl_set_is_bad(const struct tbl_set *s)
{
    struct tbl_cost cost;

    if (s->n_changes <= s->n_built / 2 + 64)
        return false;
    cost = tbl_set_cost(s);
    return cost.far > TBL_FAR_MAX || cost.compares > TBL_COMPARES_MAX;
}

size_t
tbl_set_bytes(const struct tbl_set *s)
{
    size_t n = 0;

    for (uint32_t i = 0; s && i < s->n; i++)
        n += s->clusters[i]->bytes;
    return n;
}

void
tbl_set_put(struct tbl *t, struct tbl_set *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->n; i++)
        t->env.defer(t->env.arg, tbl_cluster_free, s->clusters[i]);
    free(s->clusters);
    free(s->todo);
    free(s);
}

void
tbl_set_free(struct tbl_set *s)
{
    for (uint32_t i = 0; s && i < s->n; i++)
        tbl_cluster_free(s->clusters[i]);
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

void
tbl_set_fill(struct tbl *t, uint32_t n)
{
    struct tbl_set *s = t->next;

    for (; n && s->at < s->n_todo; n--, s->at++) {
        struct tbl_rule *r = s->todo[s->at];

        s->todo[s->at] = NULL;
        if (r)
            tbl_cluster_change(t, r->mask->cluster[s->side], r, true);
    }
}
