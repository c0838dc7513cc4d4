/* SPDX-License-Identifier: Apache-2.0 */
/* Layout of the flow cache, for cache.c, cache_fast.c and their tests.
 *
 * What:    buckets, entries, the two filters.
 * Model:   bucket (64 bytes)         entry (64, 128 or 192 bytes)
 *          sig[8] idx[8] spilled --> prog packets stamp ... words[n]
 *
 *          A flow lives in its home bucket or, when that was full, in its
 *          other one; home's 'spilled' then counts it.  1.25 slots per
 *          entry: where both are full, an entry of home moves to its own
 *          other place, and only if that fails, too, one is evicted.
 *
 *          The doorkeeper has one bit per flow seen.  It forgets as it
 *          learns: every FC_DOOR_STEP new bits one word is cleared, in
 *          turn, so a bit lives for up to half as many new flows as the
 *          filter has bits and the filter is never more than a quarter full.
 *          The sample filter does the same for one flow in 16, so it looks
 *          further back than the doorkeeper of a small cache: it tells flows
 *          that return from flows that never do, and only the former are a
 *          reason to grow.
 * Threads: as cache.h. */
#ifndef DP_CACHE_PRIV_H
#define DP_CACHE_PRIV_H

#include "datapath/cache.h"
#include "datapath/hash_fast.h"

#define FC_SLOTS 8
#define FC_MIN_CAPACITY 16
#define FC_DOOR_MIN_BITS (UINT64_C(1) << 19)
#define FC_DOOR_STEP 32
#define FC_SAMPLE_BITS (UINT64_C(1) << 18)
#define FC_SAMPLE_ONE_IN 16
#define FC_SAMPLE_WINDOW 1024
#define FC_CLOCK_STEPS 64

struct fc_bucket {
    uint16_t sig[FC_SLOTS]; /* 0: free. */
    uint32_t idx[FC_SLOTS]; /* Entry. */
    uint32_t spilled;       /* Flows of this home that live in their other. */
    uint32_t reserved[3];
} WEFT_ALIGNED(64);

struct fc_filter {
    uint64_t *words;
    uint32_t mask;   /* Number of words - 1. */
    uint32_t cursor; /* Next word to clear. */
    uint32_t n_set;  /* Since the last one was. */
};

struct fc {
    /* Read for every packet. */
    struct fc_bucket *buckets;
    uint8_t *entries;
    uint32_t n_buckets;
    uint32_t entry_size;
    uint32_t n_words;
    uint16_t burst; /* Number of the current burst. */
    uint8_t idx[FC_MAX_WORDS];
    uint64_t bits[FC_MAX_WORDS];
    struct hash_key key;

    /* Misses. */
    struct fc_filter door, sample;
    uint32_t capacity;
    uint32_t n_used;    /* Entries handed out: those below it. */
    uint32_t hand;      /* CLOCK. */
    uint32_t n_tests, n_seen, n_forgot; /* Of the sample's window. */

    /* Written by the worker, read by control. */
    _Atomic uint64_t hits, misses, inserts, evictions;
    _Atomic uint32_t n_live;
    _Atomic bool wants_growth;
    _Atomic(const struct chlog *) log;

    size_t memory;
    struct flow_key mask;
    size_t bucket_bytes, entry_bytes;
};

static inline struct fc_entry *
fc_entry_at(const struct fc *c, uint32_t i)
{
    return (struct fc_entry *) (void *) (c->entries
                                         + (size_t) i * c->entry_size);
}

#endif
