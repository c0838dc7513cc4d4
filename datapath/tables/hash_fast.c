/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/tables/table_priv.h"

/* One mask being probed for some packets of a burst. */
struct probe {
    const struct tbl_mask *m;
    const struct tbl_ht *ht;
    const struct tbl_ht *old;
    uint64_t w[TBL_BURST_MAX][FLOW_KEY_WORDS]; /* Masked words. */
    uint32_t hash[TBL_BURST_MAX];
};

static inline uint64_t
slot_load(const struct tbl_bucket *b, unsigned i)
{
    return atomic_load_explicit(&b->slot[i], memory_order_acquire);
}

static inline bool
rule_equal(const struct tbl_rule *r, const uint64_t *w, unsigned n)
{
    uint64_t diff = 0;

    for (unsigned i = 0; i < n; i++)
        diff |= r->values[i] ^ w[i];
    return !diff;
}

static inline struct tbl_rule *
bucket_find(const struct tbl_bucket *b, uint64_t sig, const uint64_t *w,
            unsigned n)
{
    for (unsigned s = 0; s < TBL_HT_SLOTS; s++) {
        uint64_t slot = slot_load(b, s);

        if (slot >> 48 == sig && rule_equal(tbl_slot_rule(slot), w, n))
            return tbl_slot_rule(slot);
    }
    return NULL;
}

static inline struct tbl_rule *
ht_find(const struct tbl_ht *ht, uint32_t hash, const uint64_t *w, unsigned n)
{
    const struct tbl_bucket *home = &ht->b[tbl_ht_home(ht, hash)];
    uint64_t sig = tbl_ht_sig(hash);
    struct tbl_rule *r = bucket_find(home, sig, w, n);

    /* The bit is read after the slots: see table_priv.h. */
    if (r || !(slot_load(home, 0) & TBL_HT_SPILLED))
        return r;
    return bucket_find(&ht->b[tbl_ht_other(ht, hash)], sig, w, n);
}

/* Prefetches the rule that the home bucket's signatures point at. */
static inline void
home_prefetch_rule(const struct tbl_ht *ht, uint32_t hash)
{
    const struct tbl_bucket *home = &ht->b[tbl_ht_home(ht, hash)];
    uint64_t sig = tbl_ht_sig(hash);

    for (unsigned s = 0; s < TBL_HT_SLOTS; s++) {
        uint64_t slot = slot_load(home, s);

        if (slot >> 48 == sig)
            weft_prefetch(tbl_slot_rule(slot)->values);
    }
}

/* Probes for keys[act[0..n-1]]; better rules replace those in 'rules'. */
static void
probe_mask(const struct tbl *t, struct probe *p,
           const struct flow_key *const keys[], const uint8_t act[],
           unsigned n, struct tbl_rule *rules[])
{
    const struct tbl_mask *m = p->m;
    unsigned n_words = m->n;

    for (unsigned i = 0; i < n; i++) {
        const struct flow_key *k = keys[act[i]];

        for (unsigned j = 0; j < n_words; j++)
            p->w[i][j] = flow_key_word(k, m->idx[j]) & m->bits[j];
        p->hash[i] = (uint32_t) hash_words(&t->key, p->w[i], n_words);
        weft_prefetch(&p->ht->b[tbl_ht_home(p->ht, p->hash[i])]);
    }
    for (unsigned i = 0; i < n; i++)
        home_prefetch_rule(p->ht, p->hash[i]);
    for (unsigned i = 0; i < n; i++) {
        struct tbl_rule *r = ht_find(p->ht, p->hash[i], p->w[i], n_words);
        struct tbl_rule *best = rules[act[i]];

        if (weft_unlikely(!r && p->old))
            r = ht_find(p->old, p->hash[i], p->w[i], n_words);
        if (r && (!best || r->priority > best->priority))
            rules[act[i]] = r;
    }
}

void
tbl_hash_lookup(const struct tbl *t, const struct tbl_hash *h,
                const struct flow_key *const keys[], unsigned n,
                struct tbl_rule *rules[])
{
    struct probe p;
    uint8_t act[TBL_BURST_MAX];

    for (unsigned i = 0; i < n; i++)
        rules[i] = NULL;
    for (uint32_t k = 0; k < h->n_masks; k++) {
        const struct tbl_mask *m = h->masks[k];
        int32_t max = atomic_load_explicit(&m->max_prio,
                                           memory_order_relaxed);
        unsigned n_act = 0;

        for (unsigned i = 0; i < n; i++) {
            act[n_act] = (uint8_t) i;
            n_act += !rules[i] || rules[i]->priority < max;
        }
        if (!n_act)
            continue;
        p.m = m;
        p.ht = atomic_load_explicit(&m->ht, memory_order_acquire);
        p.old = atomic_load_explicit(&p.ht->old, memory_order_acquire);
        probe_mask(t, &p, keys, act, n_act, rules);
    }
}
