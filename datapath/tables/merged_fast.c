/* SPDX-License-Identifier: Apache-2.0 */
/* Lookup in the merged form.
 *
 * The packets of a burst that a cluster can still give a better rule go
 * through it together: hash all, look at all slots, then at all nodes, each
 * step having fetched what the next one reads.  Where nodes are cuts, the
 * packets go down a level at a time. */
#include "datapath/tables/table_priv.h"

#define N_ITEMS (2 * TBL_BURST_MAX)

/* Nodes to be searched, and for which packet. */
struct items {
    unsigned n;
    uint64_t slot[N_ITEMS];
    uint8_t pkt[N_ITEMS];
};

/* Results so far: rule(48), priority(16); 0: none. */
struct search {
    const struct flow_key *const *keys;
    uint64_t best[TBL_BURST_MAX];
    struct items now, next;
};

static inline uint64_t
slot_load(const _Atomic uint64_t *slot)
{
    return atomic_load_explicit(slot, memory_order_acquire);
}

static inline void
node_prefetch(uint64_t slot)
{
    const uint8_t *p = (const uint8_t *) (uintptr_t) (slot & TBL_NODE_PTR);
    unsigned lines = slot & (TBL_SLOT_CUT | TBL_SLOT_RULE)
                         ? 2
                         : slot >> TBL_SLOT_LINES_SHIFT & 15;

    weft_prefetch(p);
    for (unsigned i = 1; i < lines; i++)
        weft_prefetch(p + i * WEFT_CACHE_LINE);
}

static inline uint64_t
node_find(uint64_t slot, const struct flow_key *k)
{
    if (slot & TBL_SLOT_RULE) {
        const struct tbl_rule *r = tbl_slot_rule(slot);
        const struct tbl_mask *m = r->mask;

        return tbl_rule_matches(r, m->idx, m->bits, m->n, k)
                   ? slot & ~(uint64_t) TBL_SLOT_RULE : 0;
    }
    return tbl_leaf_find(tbl_slot_leaf(slot), k);
}

static inline void
best_raise(struct search *s, unsigned i, uint64_t found)
{
    if (tbl_slot_beats(found, s->best[i]))
        s->best[i] = found;
}

/* One packet, one subtree, depth first: each level leaves at most one subtree
 * for later, so that the stack, like the tree, has no more than TBL_TREE_DEPTH
 * levels. */
static void
tree_find(struct search *s, uint64_t slot, unsigned i)
{
    uint64_t later[TBL_TREE_DEPTH + 1];
    const struct flow_key *k = s->keys[i];
    unsigned n = 0;

    later[n++] = slot;
    while (n) {
        slot = later[--n];
        while (slot & TBL_SLOT_CUT && tbl_slot_beats(slot, s->best[i])) {
            const struct tbl_cut *c = tbl_slot_cut(slot);

            if (c->aside)
                later[n++] = slot_load(&c->slot[0]);
            slot = slot_load(tbl_cut_child(c, k));
        }
        if (tbl_slot_beats(slot, s->best[i]))
            best_raise(s, i, node_find(slot, k));
    }
}

static inline void
items_add(struct search *s, struct items *it, uint64_t slot, unsigned i)
{
    if (!tbl_slot_beats(slot, s->best[i]))
        return;
    if (weft_unlikely(it->n == N_ITEMS)) {
        tree_find(s, slot, i);
        return;
    }
    node_prefetch(slot);
    it->slot[it->n] = slot;
    it->pkt[it->n++] = (uint8_t) i;
}

/* Searches the leaves among s->now; makes s->next of the cuts' children. */
static void
level(struct search *s)
{
    const _Atomic uint64_t *child[N_ITEMS];
    uint8_t cuts[N_ITEMS];
    unsigned n_cuts = 0;

    for (unsigned j = 0; j < s->now.n; j++) {
        uint64_t slot = s->now.slot[j];
        unsigned i = s->now.pkt[j];

        if (!(slot & TBL_SLOT_CUT)) {
            best_raise(s, i, node_find(slot, s->keys[i]));
            continue;
        }
        child[n_cuts] = tbl_cut_child(tbl_slot_cut(slot), s->keys[i]);
        weft_prefetch((const void *) child[n_cuts]);
        cuts[n_cuts++] = (uint8_t) j;
    }
    s->next.n = 0;
    for (unsigned j = 0; j < n_cuts; j++) {
        const struct tbl_cut *c = tbl_slot_cut(s->now.slot[cuts[j]]);
        unsigned i = s->now.pkt[cuts[j]];

        items_add(s, &s->next, slot_load(child[j]), i);
        if (c->aside)
            items_add(s, &s->next, slot_load(&c->slot[0]), i);
    }
    s->now.n = s->next.n;
    for (unsigned j = 0; j < s->next.n; j++) {
        s->now.slot[j] = s->next.slot[j];
        s->now.pkt[j] = s->next.pkt[j];
    }
}

/* The slot that is not in the new table yet.  When the old one is gone, it has
 * come there meanwhile. */
static uint64_t
slot_unmoved(const struct tbl_slots *s, uint32_t hash)
{
    const struct tbl_slots *old = atomic_load_explicit(&s->old,
                                                       memory_order_acquire);

    return old ? slot_load(&old->slot[hash & old->mask])
               : slot_load(&s->slot[hash & s->mask]);
}

/* s->now = what the cluster has for the packets it can do better for. */
static void
cluster_slots(const struct tbl *t, const struct tbl_cluster *c,
              struct search *s, unsigned n)
{
    const struct tbl_slots *sl = atomic_load_explicit(&c->slots,
                                                      memory_order_acquire);
    int32_t max = atomic_load_explicit(&c->max_prio, memory_order_relaxed);
    uint32_t hash[TBL_BURST_MAX];
    uint8_t act[TBL_BURST_MAX];
    unsigned n_act = 0, n_words = c->n;

    s->now.n = 0;
    if (max < 0)
        return;
    for (unsigned i = 0; i < n; i++) {
        act[n_act] = (uint8_t) i;
        n_act += !s->best[i] || (int32_t) (s->best[i] >> 48) < max;
    }
    for (unsigned j = 0; j < n_act; j++) {
        const struct flow_key *k = s->keys[act[j]];
        uint64_t w[FLOW_KEY_WORDS];

        for (unsigned i = 0; i < n_words; i++)
            w[i] = flow_key_word(k, c->idx[i]) & c->bits[i];
        hash[j] = (uint32_t) hash_words(&t->key, w, n_words);
        weft_prefetch((const void *) &sl->slot[hash[j] & sl->mask]);
    }
    for (unsigned j = 0; j < n_act; j++) {
        uint64_t slot = slot_load(&sl->slot[hash[j] & sl->mask]);

        if (weft_unlikely(!slot))
            slot = slot_unmoved(sl, hash[j]);
        items_add(s, &s->now, slot, act[j]);
    }
}

void
tbl_merged_lookup(const struct tbl *t, const struct tbl_merged *m,
                  const struct flow_key *const keys[], unsigned n,
                  struct tbl_rule *rules[])
{
    struct search s;

    s.keys = keys;
    for (unsigned i = 0; i < n; i++)
        s.best[i] = 0;
    for (uint32_t k = 0; k < m->n; k++) {
        cluster_slots(t, m->clusters[k], &s, n);
        while (s.now.n)
            level(&s);
    }
    for (unsigned i = 0; i < n; i++)
        rules[i] = tbl_slot_rule(s.best[i]);
}
