/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/cache_priv.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Owner's update of a counter that control reads. */
#define COUNT(member, n)                                                      \
    atomic_store_explicit(                                                    \
        &(member),                                                            \
        atomic_load_explicit(&(member), memory_order_relaxed) + (n),          \
        memory_order_relaxed)

/* ----------------------------------------------------------------- buckets */

static inline uint16_t
sig_of(uint64_t hash)
{
    uint16_t sig = (uint16_t) (hash >> 32);

    return sig ? sig : 1; /* 0 marks a free slot. */
}

/* Multiply and shift instead of a remainder; uses the upper bits of 'h'. */
static inline struct fc_bucket *
bucket_at(const struct fc *c, uint32_t h)
{
    return &c->buckets[(uint64_t) h * c->n_buckets >> 32];
}

static inline struct fc_bucket *
home_of(const struct fc *c, uint64_t hash)
{
    return bucket_at(c, (uint32_t) hash);
}

static inline struct fc_bucket *
other_of(const struct fc *c, uint64_t hash)
{
    return bucket_at(c, (uint32_t) (hash >> 32));
}

/* Bit 2 * i and 2 * i + 1 set: slot i has this signature. */
static inline uint32_t
bucket_match(const struct fc_bucket *b, uint16_t sig)
{
#ifdef __SSE2__
    __m128i all = _mm_load_si128((const __m128i *) (const void *) b->sig);

    return (uint32_t) _mm_movemask_epi8(
        _mm_cmpeq_epi16(all, _mm_set1_epi16((short) sig)));
#else
    uint32_t m = 0;

    for (unsigned i = 0; i < FC_SLOTS; i++)
        m |= (uint32_t) (b->sig[i] == sig) * 3 << 2 * i;
    return m;
#endif
}

#define FOR_EACH_MATCH(slot, m)                                               \
    for (; (m) && (slot = (unsigned) __builtin_ctz(m) / 2, 1);                \
         m &= ~(UINT32_C(3) << 2 * slot))

WEFT_ALWAYS_INLINE bool
words_equal(const uint64_t *a, const uint64_t *b, unsigned n)
{
    uint64_t diff = 0;

    WEFT_UNROLL
    for (unsigned i = 0; i < n; i++)
        diff |= a[i] ^ b[i];
    return !diff;
}

/* The entry of 'b' among the candidates 'm' that has these words, or NULL. */
WEFT_ALWAYS_INLINE struct fc_entry *
bucket_find(const struct fc *c, const struct fc_bucket *b, uint32_t m,
            const uint64_t *words, unsigned n)
{
    unsigned slot;

    FOR_EACH_MATCH (slot, m) {
        struct fc_entry *e = fc_entry_at(c, b->idx[slot]);

        if (words_equal(e->words, words, n))
            return e;
    }
    return NULL;
}

static inline void
prefetch_matches(const struct fc *c, const struct fc_bucket *b, uint32_t m)
{
    unsigned slot;

    FOR_EACH_MATCH (slot, m)
        weft_prefetch_write(fc_entry_at(c, b->idx[slot]));
}

/* ------------------------------------------------------------------ lookup */

/* A lookup whose home bucket is full: also to be sought in the other one. */
struct spill {
    uint8_t at[FC_BURST_MAX];
    unsigned n;
};

/* Packs and hashes; the bucket lines are under way then.  The mask is copied
 * because, for all the compiler knows, refs[] could overlap it. */
WEFT_ALWAYS_INLINE void
stage_hash(const struct fc *c, const struct flow_key *const keys[],
           unsigned n, struct fc_ref refs[],
           const struct fc_bucket *home[], unsigned n_words)
{
    uint64_t bits[FC_MAX_WORDS];
    uint32_t offset[FC_MAX_WORDS];

    for (unsigned j = 0; j < n_words; j++) {
        bits[j] = c->bits[j];
        offset[j] = 8u * c->idx[j];
    }
    for (unsigned i = 0; i < n; i++) {
        const uint8_t *key = (const uint8_t *) keys[i];
        uint64_t w[FC_MAX_WORDS], hash;

        WEFT_UNROLL
        for (unsigned j = 0; j < n_words; j++) {
            memcpy(&w[j], key + offset[j], 8);
            w[j] &= bits[j];
        }
        hash = hash_words(&c->key, w, n_words);
        WEFT_UNROLL
        for (unsigned j = 0; j < n_words; j++)
            refs[i].words[j] = w[j];
        refs[i].hash = hash;
        home[i] = home_of(c, hash);
        weft_prefetch(home[i]);
    }
}

WEFT_ALWAYS_INLINE void
stage_compare(struct fc *c, unsigned n, struct fc_ref refs[],
              const struct fc_bucket *const home[], const uint32_t match[],
              struct spill *spill, unsigned n_words)
{
    uint16_t burst = c->burst;

    for (unsigned i = 0; i < n; i++) {
        struct fc_entry *e =
            bucket_find(c, home[i], match[i], refs[i].words, n_words);

        refs[i].entry = e;
        if (weft_likely(e != NULL)) {
            e->burst = burst;
            e->used = 1;
            COUNT(e->packets, 1);
        } else if (weft_unlikely(home[i]->spilled)) {
            spill->at[spill->n++] = (uint8_t) i;
            weft_prefetch(other_of(c, refs[i].hash));
        }
    }
}

const struct fc_entry *
fc_find(const struct fc *c, const struct flow_key *key)
{
    uint64_t words[FC_MAX_WORDS];
    const struct fc_bucket *home, *other;
    const struct fc_entry *e;
    uint64_t hash;
    uint16_t sig;

    for (unsigned j = 0; j < c->n_words; j++)
        words[j] = flow_key_word(key, c->idx[j]) & c->bits[j];
    hash = hash_words(&c->key, words, c->n_words);
    sig = sig_of(hash);
    home = home_of(c, hash);
    other = other_of(c, hash);
    e = bucket_find(c, home, bucket_match(home, sig), words, c->n_words);
    return e ? e : bucket_find(c, other, bucket_match(other, sig), words,
                               c->n_words);
}

/* The same again for those that may be in their other bucket. */
static void
lookup_spilled(struct fc *c, struct fc_ref refs[], const struct spill *spill)
{
    uint32_t match[FC_BURST_MAX];

    for (unsigned i = 0; i < spill->n; i++) {
        const struct fc_ref *r = &refs[spill->at[i]];
        const struct fc_bucket *b = other_of(c, r->hash);

        match[i] = bucket_match(b, sig_of(r->hash));
        prefetch_matches(c, b, match[i]);
    }
    for (unsigned i = 0; i < spill->n; i++) {
        struct fc_ref *r = &refs[spill->at[i]];
        struct fc_entry *e = bucket_find(c, other_of(c, r->hash), match[i],
                                         r->words, c->n_words);

        r->entry = e;
        if (e) {
            e->burst = c->burst;
            e->used = 1;
            COUNT(e->packets, 1);
        }
    }
}

static inline uint64_t *
filter_word(const struct fc_filter *f, uint64_t hash, uint64_t *bit)
{
    uint64_t h = hash * UINT64_C(0x9e3779b97f4a7c15);

    *bit = UINT64_C(1) << (h >> 58);
    return &f->words[(h >> 26) & f->mask];
}

/* Number of hits; misses get their doorkeeper word on its way. */
static unsigned
count_hits(const struct fc *c, const struct fc_ref refs[], unsigned n)
{
    unsigned hits = 0;
    uint64_t bit;

    for (unsigned i = 0; i < n; i++) {
        if (refs[i].entry)
            hits++;
        else
            weft_prefetch_write(filter_word(&c->door, refs[i].hash, &bit));
    }
    return hits;
}

/* 'n_words' is a constant in each call: the loops over words unroll. */
WEFT_ALWAYS_INLINE void
lookup(struct fc *c, const struct flow_key *const keys[], unsigned n,
       struct fc_ref refs[], unsigned n_words)
{
    const struct fc_bucket *home[FC_BURST_MAX];
    uint32_t match[FC_BURST_MAX];
    struct spill spill;

    spill.n = 0;
    stage_hash(c, keys, n, refs, home, n_words);
    for (unsigned i = 0; i < n; i++) {
        match[i] = bucket_match(home[i], sig_of(refs[i].hash));
        prefetch_matches(c, home[i], match[i]);
    }
    stage_compare(c, n, refs, home, match, &spill, n_words);
    if (weft_unlikely(spill.n))
        lookup_spilled(c, refs, &spill);
}

void
fc_lookup_burst(struct fc *c, const struct flow_key *const keys[],
                unsigned n, struct fc_ref refs[])
{
    unsigned hits;

    c->burst++;
    switch (c->n_words) {
    case 1:
        lookup(c, keys, n, refs, 1);
        break;
    case 2:
        lookup(c, keys, n, refs, 2);
        break;
    case 3:
        lookup(c, keys, n, refs, 3);
        break;
    case 4:
        lookup(c, keys, n, refs, 4);
        break;
    case 5:
        lookup(c, keys, n, refs, 5);
        break;
    case 6:
        lookup(c, keys, n, refs, 6);
        break;
    default:
        lookup(c, keys, n, refs, c->n_words);
        break;
    }
    hits = count_hits(c, refs, n);
    COUNT(c->hits, hits);
    COUNT(c->misses, n - hits);
}

/* --------------------------------------------------------------- admission */

/* Was the flow seen before?  Remembers it, and forgets others. */
static bool
filter_seen(struct fc_filter *f, uint64_t hash)
{
    uint64_t bit, *word = filter_word(f, hash, &bit);

    if (*word & bit)
        return true;
    *word |= bit;
    if (++f->n_set % FC_DOOR_STEP == 0)
        f->words[f->cursor++ & f->mask] = 0;
    return false;
}

/* One flow in FC_SAMPLE_ONE_IN is watched over a longer time.  If most of
 * these misses are flows that come back, and the cache is full or the
 * doorkeeper had forgotten them, a larger cache would pay. */
static bool
sample_seen(struct fc *c, uint64_t hash, bool at_door)
{
    bool seen = filter_seen(&c->sample, hash);

    c->n_seen += seen;
    c->n_forgot += seen && !at_door;
    if (++c->n_tests == FC_SAMPLE_WINDOW) {
        bool full = c->n_used >= c->capacity / 4 * 3;

        if (c->n_seen > FC_SAMPLE_WINDOW / 8 * 5
            && (full || c->n_forgot > FC_SAMPLE_WINDOW / 4))
            atomic_store_explicit(&c->wants_growth, true,
                                  memory_order_relaxed);
        c->n_tests = c->n_seen = c->n_forgot = 0;
    }
    return seen;
}

static bool
admit(struct fc *c, uint64_t hash)
{
    bool at_door = filter_seen(&c->door, hash);

    if (hash >> 59 < 32 / FC_SAMPLE_ONE_IN)
        return sample_seen(c, hash, at_door) || at_door;
    return at_door;
}

/* --------------------------------------------------------------- insertion */

static int
slot_free(const struct fc_bucket *b)
{
    uint32_t m = bucket_match(b, 0);

    return m ? __builtin_ctz(m) / 2 : -1;
}

static bool
slot_holds(const struct fc_bucket *b, uint32_t entry, unsigned *slot)
{
    for (unsigned i = 0; i < FC_SLOTS; i++)
        if (b->sig[i] && b->idx[i] == entry) {
            *slot = i;
            return true;
        }
    return false;
}

/* Takes the entry out of its bucket. */
static void
entry_unlink(struct fc *c, uint32_t entry)
{
    struct fc_entry *e = fc_entry_at(c, entry);
    uint64_t hash = hash_words(&c->key, e->words, c->n_words);
    struct fc_bucket *home = home_of(c, hash), *other = other_of(c, hash);
    unsigned slot;

    if (slot_holds(home, entry, &slot)) {
        home->sig[slot] = 0;
    } else if (slot_holds(other, entry, &slot)) {
        other->sig[slot] = 0;
        home->spilled--;
    }
    atomic_store_explicit(&e->live, 0, memory_order_relaxed);
    COUNT(c->n_live, UINT32_MAX);
    COUNT(c->evictions, 1);
}

/* An entry that nobody has used since the hand came by last, or after
 * FC_CLOCK_STEPS any that the current burst has not.  False: there is none. */
static bool
clock_evict(struct fc *c, uint32_t *entry)
{
    bool any = false;

    for (unsigned i = 0; i < FC_CLOCK_STEPS; i++) {
        uint32_t at = c->hand++ & (c->capacity - 1);
        struct fc_entry *e = fc_entry_at(c, at);

        weft_prefetch_write(fc_entry_at(c, (at + 8) & (c->capacity - 1)));
        if (e->burst == c->burst)
            continue;
        *entry = at;
        any = true;
        if (!e->used)
            break;
        e->used = 0;
    }
    if (any)
        entry_unlink(c, *entry);
    return any;
}

/* Makes room in the full bucket 'b' by moving one of its entries to that
 * entry's other place.  False: those are all full, too. */
static bool
bucket_displace(struct fc *c, struct fc_bucket *b)
{
    for (unsigned i = 0; i < FC_SLOTS; i++) {
        const struct fc_entry *e = fc_entry_at(c, b->idx[i]);
        uint64_t hash = hash_words(&c->key, e->words, c->n_words);
        struct fc_bucket *home = home_of(c, hash);
        struct fc_bucket *to = home == b ? other_of(c, hash) : home;
        int slot = slot_free(to);

        if (slot < 0)
            continue;
        to->sig[slot] = b->sig[i];
        to->idx[slot] = b->idx[i];
        b->sig[i] = 0;
        home->spilled += to == home ? UINT32_MAX : 1;
        return true;
    }
    return false;
}

/* One of the entries of the full bucket 'home' gives way. */
static bool
bucket_evict(struct fc *c, const struct fc_bucket *home, uint32_t *entry)
{
    bool any = false;

    for (unsigned i = 0; i < FC_SLOTS; i++) {
        struct fc_entry *e = fc_entry_at(c, home->idx[i]);

        if (e->burst == c->burst)
            continue;
        *entry = home->idx[i];
        any = true;
        if (!e->used)
            break;
    }
    if (any)
        entry_unlink(c, *entry);
    return any;
}

/* A free entry, and a slot for it in 'home' or 'other'. */
static bool
entry_take(struct fc *c, struct fc_bucket *home,
           const struct fc_bucket *other, uint32_t *entry)
{
    if (slot_free(home) < 0 && slot_free(other) < 0
        && !bucket_displace(c, home))
        return bucket_evict(c, home, entry);
    if (c->n_used < c->capacity) {
        *entry = c->n_used++;
        return true;
    }
    return clock_evict(c, entry);
}

void
fc_insert(struct fc *c, const struct fc_ref *ref, const struct prog *prog,
          uint32_t stamp)
{
    struct fc_bucket *home = home_of(c, ref->hash);
    struct fc_bucket *other = other_of(c, ref->hash);
    uint16_t sig = sig_of(ref->hash);
    uint32_t entry;
    struct fc_entry *e = bucket_find(c, home, bucket_match(home, sig),
                                     ref->words, c->n_words);

    if (!e && home->spilled)
        e = bucket_find(c, other, bucket_match(other, sig), ref->words,
                        c->n_words);
    if (e) { /* An equal packet of this burst was first. */
        fc_entry_prove(e, prog, stamp);
        COUNT(e->packets, 1);
        return;
    }
    if (!admit(c, ref->hash) || !entry_take(c, home, other, &entry))
        return;

    e = fc_entry_at(c, entry);
    memcpy(e->words, ref->words, c->n_words * sizeof e->words[0]);
    e->burst = c->burst;
    e->used = 0;
    atomic_store_explicit(&e->packets, 1, memory_order_relaxed);
    fc_entry_prove(e, prog, stamp);
    atomic_store_explicit(&e->live, 1, memory_order_release);

    int slot = slot_free(home);

    if (slot < 0) {
        slot = slot_free(other);
        home->spilled++;
        home = other;
    }
    home->idx[slot] = entry;
    home->sig[slot] = sig;
    COUNT(c->n_live, 1);
    COUNT(c->inserts, 1);
}
