/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/tables/table_priv.h"

/* ThreadSanitizer does not know that vector loads are atomic by slot. */
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif
#if defined(__SSE2__) && !defined(__SANITIZE_THREAD__)
#define SLOTS_SSE2
#include <emmintrin.h>
#endif

/* One mask being probed for some packets of a burst. */
struct probe {
    uint64_t w[TBL_BURST_MAX][FLOW_KEY_WORDS]; /* Masked words. */
    uint32_t hash[TBL_BURST_MAX];
    const struct tbl_bucket *home[TBL_BURST_MAX];
    uint32_t match[TBL_BURST_MAX]; /* Slots of home with the signature. */
    struct tbl_rule *found[TBL_BURST_MAX];
};

static inline uint64_t
slot_load(const struct tbl_bucket *b, unsigned i)
{
    return atomic_load_explicit(&b->slot[i], memory_order_acquire);
}

/* Bit i: slot i may have this signature.  The vector form reads each slot in
 * one piece, as the processor guarantees for aligned 8 bytes; whoever acts on
 * a bit loads the slot again. */
static inline uint32_t
bucket_match(const struct tbl_bucket *b, uint64_t sig)
{
#ifdef SLOTS_SSE2
    const __m128i *v = (const __m128i *) (const void *) b->slot;
    __m128i want = _mm_set1_epi32((int) sig);
    __m128i half[2];

    for (unsigned i = 0; i < 2; i++) {
        __m128 a = _mm_castsi128_ps(_mm_srli_epi64(v[2 * i], 48));
        __m128 c = _mm_castsi128_ps(_mm_srli_epi64(v[2 * i + 1], 48));

        half[i] = _mm_cmpeq_epi32(
            _mm_castps_si128(_mm_shuffle_ps(a, c, _MM_SHUFFLE(2, 0, 2, 0))),
            want);
    }
    return (uint32_t) _mm_movemask_epi8(
               _mm_packs_epi16(_mm_packs_epi32(half[0], half[1]),
                               _mm_setzero_si128()))
           & 0xff;
#else
    uint32_t m = 0;

    for (unsigned i = 0; i < TBL_HT_SLOTS; i++)
        m |= (uint32_t) (slot_load(b, i) >> 48 == sig) << i;
    return m;
#endif
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
bucket_find(const struct tbl_bucket *b, uint32_t match, uint64_t sig,
            const uint64_t *w, unsigned n)
{
    for (; match; match &= match - 1) {
        uint64_t slot = slot_load(b, (unsigned) __builtin_ctz(match));

        if (slot >> 48 == sig && rule_equal(tbl_slot_rule(slot), w, n))
            return tbl_slot_rule(slot);
    }
    return NULL;
}

/* Behind the home bucket: a rule may have moved on to its other one.  The bit
 * is read after the slots, see table_priv.h. */
static inline struct tbl_rule *
other_find(const struct tbl_ht *ht, const struct tbl_bucket *home,
           uint32_t hash, const uint64_t *w, unsigned n)
{
    const struct tbl_bucket *other = &ht->b[tbl_ht_other(ht, hash)];
    uint64_t sig = tbl_ht_sig(hash);

    if (weft_likely(!(slot_load(home, 0) & TBL_HT_SPILLED)))
        return NULL;
    return bucket_find(other, bucket_match(other, sig), sig, w, n);
}

static struct tbl_rule *
ht_find(const struct tbl_ht *ht, uint32_t hash, const uint64_t *w, unsigned n)
{
    const struct tbl_bucket *home = &ht->b[tbl_ht_home(ht, hash)];
    uint64_t sig = tbl_ht_sig(hash);
    struct tbl_rule *r = bucket_find(home, bucket_match(home, sig), sig, w, n);

    return r ? r : other_find(ht, home, hash, w, n);
}

static void
probe_hash(const struct tbl *t, const struct tbl_mask *m,
           const struct tbl_ht *ht, struct probe *p,
           const struct flow_key *const keys[], const uint8_t act[],
           unsigned n)
{
    unsigned n_words = m->n;

    for (unsigned i = 0; i < n; i++) {
        const struct flow_key *k = keys[act[i]];

        for (unsigned j = 0; j < n_words; j++)
            p->w[i][j] = flow_key_word(k, m->idx[j]) & m->bits[j];
        p->hash[i] = (uint32_t) hash_words(&t->key, p->w[i], n_words);
        p->home[i] = &ht->b[tbl_ht_home(ht, p->hash[i])];
        weft_prefetch(p->home[i]);
    }
}

/* p->found[i] = rule of mask 'm' for keys[act[i]], or NULL. */
static void
probe_mask(const struct tbl *t, const struct tbl_mask *m, struct probe *p,
           const struct flow_key *const keys[], const uint8_t act[],
           unsigned n)
{
    const struct tbl_ht *ht = atomic_load_explicit(&m->ht,
                                                   memory_order_acquire);
    const struct tbl_ht *old = atomic_load_explicit(&ht->old,
                                                    memory_order_acquire);

    probe_hash(t, m, ht, p, keys, act, n);
    for (unsigned i = 0; i < n; i++) {
        uint32_t match = bucket_match(p->home[i], tbl_ht_sig(p->hash[i]));

        p->match[i] = match;
        for (; match; match &= match - 1)
            weft_prefetch(tbl_slot_rule(
                slot_load(p->home[i], (unsigned) __builtin_ctz(match))));
    }
    for (unsigned i = 0; i < n; i++) {
        uint32_t hash = p->hash[i];
        struct tbl_rule *r =
            bucket_find(p->home[i], p->match[i], tbl_ht_sig(hash), p->w[i],
                        m->n);

        if (!r)
            r = other_find(ht, p->home[i], hash, p->w[i], m->n);
        if (weft_unlikely(!r && old))
            r = ht_find(old, hash, p->w[i], m->n);
        p->found[i] = r;
    }
}

/* The packets for which mask 'm' can still give a better rule. */
static unsigned
select_active(const struct tbl_mask *m, struct tbl_rule *const rules[],
              unsigned n, uint8_t act[])
{
    int32_t max = atomic_load_explicit(&m->max_prio, memory_order_relaxed);
    unsigned n_act = 0;

    if (max < 0)
        return 0;
    for (unsigned i = 0; i < n; i++) {
        act[n_act] = (uint8_t) i;
        n_act += !rules[i] || rules[i]->priority < max;
    }
    return n_act;
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
        unsigned n_act = select_active(h->masks[k], rules, n, act);

        if (!n_act)
            continue;
        probe_mask(t, h->masks[k], &p, keys, act, n_act);
        for (unsigned i = 0; i < n_act; i++) {
            struct tbl_rule *r = p.found[i], *best = rules[act[i]];

            if (r && (!best || r->priority > best->priority))
                rules[act[i]] = r;
        }
    }
}
