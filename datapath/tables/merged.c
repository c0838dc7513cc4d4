/* SPDX-License-Identifier: Apache-2.0 */
/* Many masks, few probes.
 *
 * Masks are gathered into clusters; a cluster's own mask is what all of its
 * masks have in common.  A lookup probes one hash table per cluster and then
 * compares the few rules of one group.  plan.c chooses the clusters; here
 * they are filled and kept up to date: a change replaces one group. */
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
    g->tr.n_values = (uint16_t) flow_key_pack(&key, &c->mask, c->map,
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

static void
group_put(struct tbl *t, const struct tbl_mask *c, struct tbl_group *g)
{
    t->memory -= group_size(c, g->n);
    t->env.defer(t->env.arg, free, g);
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
group_add(struct tbl *t, struct tbl_mask *c, const struct tbl_rule *r)
{
    struct tbl_group *g = group_create(t, c, r, 1);
    struct tbl_group *old = group_find(c, g);

    if (old) {
        free(g);
        g = group_create(t, c, r, old->n + 1);
    }
    group_fill_with(g, old, r);
    if (old) {
        tbl_ht_replace(t, c, &old->tr, &g->tr);
        group_put(t, c, old);
    } else if (tbl_ht_add(t, c, &g->tr)) {
        free(g);
        return -ENOMEM;
    }
    t->memory += group_size(c, g->n);
    t->longest = WEFT_MAX(t->longest, g->n);
    tbl_mask_raise(c, &g->tr);
    return 0;
}

static void
group_del(struct tbl *t, struct tbl_mask *c, const struct tbl_rule *r)
{
    struct tbl_group *like = group_create(t, c, r, 0);
    struct tbl_group *old = group_find(c, like), *g = NULL;
    uint32_t n = 0;

    free(like);
    if (old->n > 1) {
        g = group_create(t, c, r, old->n - 1);
        for (uint32_t i = 0; i < old->n; i++)
            if (tbl_slot_rule(tbl_group_list(old)[i]) != r)
                tbl_group_list(g)[n++] = tbl_group_list(old)[i];
        g->n = n;
        g->tr.priority = (uint16_t) (tbl_group_list(g)[0] >> 48);
        t->memory += group_size(c, n);
    }
    tbl_ht_replace(t, c, &old->tr, g ? &g->tr : NULL);
    tbl_mask_lower(c, &old->tr);
    group_put(t, c, old);
}

/* ---------------------------------------------------------------- clusters */

static void
free_group(void *arg, struct tbl_rule *r)
{
    (void) arg;
    free(WEFT_CONTAINER_OF(r, struct tbl_group, tr));
}

void
tbl_cluster_free(void *c)
{
    tbl_ht_each(c, free_group, NULL);
    tbl_mask_free(c);
}

static void
count_group(void *arg, struct tbl_rule *r)
{
    struct tbl_group *g = WEFT_CONTAINER_OF(r, struct tbl_group, tr);

    *(size_t *) arg += group_size(r->mask, g->n);
}

static size_t
cluster_bytes(const struct tbl_mask *c)
{
    size_t bytes = sizeof *c + tbl_ht_size(atomic_load(&c->ht));

    tbl_ht_each(c, count_group, &bytes);
    return bytes;
}

struct tbl_mask *
tbl_cluster_add(struct tbl *t, const struct flow_key *mask)
{
    struct tbl_mask *c = tbl_mask_create(mask);

    if (!c)
        return NULL;
    if (t->n_clusters == t->clusters_room) {
        t->clusters_room = t->clusters_room ? t->clusters_room * 2 : 16;
        t->clusters = base_xrealloc(t->clusters, t->clusters_room
                                                     * sizeof *t->clusters);
    }
    t->clusters[t->n_clusters++] = c;
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
cluster_pick(const struct tbl *t, const struct tbl_mask *m)
{
    struct tbl_mask *best = NULL;
    unsigned best_bits = 0;

    for (uint32_t i = 0; i < t->n_clusters; i++) {
        struct tbl_mask *c = t->clusters[i];
        unsigned bits = mask_bits(&c->mask);

        if (mask_within(&c->mask, &m->mask) && (!best || bits > best_bits)) {
            best = c;
            best_bits = bits;
        }
    }
    return best;
}

int
tbl_merged_add(struct tbl *t, struct tbl_rule *r)
{
    struct tbl_mask *m = (struct tbl_mask *) r->mask;
    int err;

    if (!m->cluster)
        m->cluster = cluster_pick(t, m);
    if (!m->cluster) {
        m->cluster = tbl_cluster_add(t, &m->mask);
        if (!m->cluster)
            return -ENOMEM;
    }
    err = group_add(t, m->cluster, r);
    t->n_changes += !err;
    return err;
}

void
tbl_merged_del(struct tbl *t, struct tbl_rule *r)
{
    group_del(t, r->mask->cluster, r);
    t->n_changes++;
}

bool
tbl_merged_wants_build(const struct tbl *t)
{
    bool bad = t->longest > TBL_GROUP_LONG
               || t->n_clusters > TBL_CLUSTERS + TBL_CLUSTERS / 2;

    return bad && t->n_changes > t->n_built / 2 + 64;
}

void
tbl_merged_put(struct tbl *t, struct tbl_mask **clusters, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        t->memory -= cluster_bytes(clusters[i]);
        t->env.defer(t->env.arg, tbl_cluster_free, clusters[i]);
    }
    free(clusters);
}

void
tbl_merged_forget(struct tbl *t)
{
    struct base_hnode *node;

    BASE_HMAP_FOR (node, &t->masks)
        WEFT_CONTAINER_OF(node, struct tbl_mask, node)->cluster = NULL;
    t->clusters = NULL;
    t->n_clusters = t->clusters_room = 0;
    t->longest = t->n_changes = 0;
    t->n_built = t->n_heads;
}

struct fill {
    struct tbl *t;
    struct tbl_mask *c;
    int err;
};

static void
fill_rule(void *arg, struct tbl_rule *r)
{
    struct fill *f = arg;

    if (!f->err)
        f->err = group_add(f->t, f->c, r);
}

int
tbl_merged_build(struct tbl *t)
{
    struct fill f = { .t = t };
    struct base_hnode *node;

    tbl_merged_forget(t);
    f.err = tbl_plan(t);
    BASE_HMAP_FOR (node, &t->masks) {
        struct tbl_mask *m = WEFT_CONTAINER_OF(node, struct tbl_mask, node);

        f.c = m->cluster;
        if (m->n_heads && !f.err)
            tbl_ht_each(m, fill_rule, &f);
    }
    if (f.err) {
        tbl_merged_put(t, t->clusters, t->n_clusters);
        tbl_merged_forget(t);
    }
    return f.err;
}
