/* SPDX-License-Identifier: Apache-2.0 */
/* Lookup among the rules that the caller accepts.
 *
 * The common lookups return the best rule of all.  Here the search goes on
 * behind a rule that is not accepted: to the rules with the same match and
 * lower priority, which hang behind it, and to all others that match.  One key
 * at a time, only while a transaction is under way and only for keys that met
 * one of its rules. */
#include "datapath/tables/table_priv.h"

struct search {
    const struct flow_key *k;
    tbl_accept *accept;
    void *arg;
    struct tbl_rule *best;
};

static inline bool
beats(const struct search *s, int32_t priority)
{
    return !s->best || priority > s->best->priority;
}

/* The first rule of the chain that is accepted. */
static void
try_chain(struct search *s, struct tbl_rule *r)
{
    while (r && beats(s, r->priority)) {
        if (s->accept(s->arg, r)) {
            s->best = r;
            return;
        }
        r = __atomic_load_n(&r->next, __ATOMIC_ACQUIRE);
    }
}

static bool
matches(const struct tbl_rule *r, const struct flow_key *k)
{
    const struct tbl_mask *m = r->mask;

    for (unsigned i = 0; i < m->n; i++)
        if ((flow_key_word(k, m->idx[i]) & m->bits[i]) != r->values[i])
            return false;
    return true;
}

static void
search_linear(struct search *s, const struct tbl_linear *l)
{
    for (uint32_t i = 0; i < l->n_rules; i++)
        if (matches(l->rules[i], s->k))
            try_chain(s, l->rules[i]);
}

/* ------------------------------------------------------------ hash tables */

static struct tbl_rule *
bucket_find(const struct tbl_bucket *b, uint32_t hash,
            const struct flow_key *k)
{
    for (unsigned i = 0; i < TBL_HT_SLOTS; i++) {
        uint64_t slot = atomic_load_explicit(&b->slot[i],
                                             memory_order_acquire);

        if (slot >> 48 == tbl_ht_sig(hash) && matches(tbl_slot_rule(slot), k))
            return tbl_slot_rule(slot);
    }
    return NULL;
}

/* A rule moves from home to other, so that is the order to look in. */
static struct tbl_rule *
ht_find(const struct tbl_ht *ht, uint32_t hash, const struct flow_key *k)
{
    struct tbl_rule *r = bucket_find(&ht->b[tbl_ht_home(ht, hash)], hash, k);

    return r ? r : bucket_find(&ht->b[tbl_ht_other(ht, hash)], hash, k);
}

/* The head (or group) of mask 'm' for the key; NULL: none. */
static struct tbl_rule *
mask_find(const struct tbl *t, const struct tbl_mask *m,
          const struct flow_key *k)
{
    const struct tbl_ht *ht = atomic_load_explicit(&m->ht,
                                                   memory_order_acquire);
    const struct tbl_ht *old = atomic_load_explicit(&ht->old,
                                                    memory_order_acquire);
    uint64_t w[FLOW_KEY_WORDS];
    struct tbl_rule *r;
    uint32_t hash;

    for (unsigned i = 0; i < m->n; i++)
        w[i] = flow_key_word(k, m->idx[i]) & m->bits[i];
    hash = (uint32_t) hash_words(&t->key, w, m->n);
    r = ht_find(ht, hash, k);
    return r || !old ? r : ht_find(old, hash, k);
}

/* ------------------------------------------------- clusters and their nodes */

static void
search_list(struct search *s, const uint64_t *list, uint32_t n)
{
    for (uint32_t i = 0; i < n && beats(s, (int32_t) (list[i] >> 48)); i++)
        if (matches(tbl_slot_rule(list[i]), s->k))
            try_chain(s, tbl_slot_rule(list[i]));
}

/* As tree_find of the common lookup: one subtree per level is left for
 * later. */
static void
search_node(struct search *s, uint64_t slot)
{
    uint64_t later[TBL_TREE_DEPTH + 1];
    unsigned n = 0;

    later[n++] = slot;
    while (n) {
        slot = later[--n];
        while (slot & TBL_SLOT_CUT && beats(s, (int32_t) (slot >> 48))) {
            const struct tbl_cut *c = tbl_slot_cut(slot);

            if (c->aside)
                later[n++] = atomic_load_explicit(&c->slot[0],
                                                  memory_order_acquire);
            slot = atomic_load_explicit(tbl_cut_child(c, s->k),
                                        memory_order_acquire);
        }
        if (slot & TBL_SLOT_CUT || !(slot & TBL_SLOT_PTR))
            continue;
        if (slot & TBL_SLOT_RULE) {
            uint64_t one = slot & ~(uint64_t) TBL_SLOT_RULE;

            search_list(s, &one, 1);
        } else {
            const struct tbl_leaf *l = tbl_slot_leaf(slot);

            search_list(s, tbl_leaf_list(l), l->n);
        }
    }
}

static void
search_cluster(struct search *s, const struct tbl *t,
               const struct tbl_cluster *c)
{
    const struct tbl_slots *sl = atomic_load_explicit(&c->slots,
                                                      memory_order_acquire);
    const struct tbl_slots *old;
    uint64_t w[FLOW_KEY_WORDS], slot;
    uint32_t hash;

    for (unsigned i = 0; i < c->n; i++)
        w[i] = flow_key_word(s->k, c->idx[i]) & c->bits[i];
    hash = (uint32_t) hash_words(&t->key, w, c->n);
    slot = atomic_load_explicit(&sl->slot[hash & sl->mask],
                                memory_order_acquire);
    if (!slot) {
        old = atomic_load_explicit(&sl->old, memory_order_acquire);
        slot = atomic_load_explicit(old ? &old->slot[hash & old->mask]
                                        : &sl->slot[hash & sl->mask],
                                    memory_order_acquire);
    }
    search_node(s, slot);
}

/* ------------------------------------------------------------------ lookup */

struct tbl_rule *
tbl_lookup_accepted(const struct tbl *t, const struct flow_key *k,
                    tbl_accept *accept, void *arg)
{
    const struct tbl_form *f = atomic_load_explicit(&t->form,
                                                    memory_order_acquire);
    const struct tbl_hash *h = (const struct tbl_hash *) f;
    const struct tbl_merged *m = (const struct tbl_merged *) f;
    struct search s = { k, accept, arg, NULL };

    switch (f->kind) {
    case TBL_LINEAR:
        search_linear(&s, (const struct tbl_linear *) f);
        break;
    case TBL_HASH:
        for (uint32_t i = 0; i < h->n_masks; i++)
            if (beats(&s, atomic_load_explicit(&h->masks[i]->max_prio,
                                               memory_order_relaxed)))
                try_chain(&s, mask_find(t, h->masks[i], k));
        break;
    case TBL_MERGED:
        for (uint32_t i = 0; i < m->n; i++)
            if (beats(&s, atomic_load_explicit(&m->clusters[i]->max_prio,
                                               memory_order_relaxed)))
                search_cluster(&s, t, m->clusters[i]);
        break;
    }
    return s.best;
}
