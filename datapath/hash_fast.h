/* SPDX-License-Identifier: Apache-2.0 */
/* Keyed hash of a few 64-bit words.
 *
 * What:    one 64-bit value for up to HASH_MAX_WORDS words.
 * Model:   sum over pairs of (a + k1) * (b + k2), 64 x 64 -> 128 bits, folded
 *          and mixed once.  The products are independent of each other, so
 *          five words cost little more than two.  The keys come from a
 *          per-boot secret: who does not know it cannot aim at a bucket.
 * Threads: any.  Owns: nothing.
 * Source:  NH of UMAC (RFC 4418 §5.2.2) in 64-bit words; the finishing mix is
 *          that of MurmurHash3. */
#ifndef DP_HASH_FAST_H
#define DP_HASH_FAST_H

#include <stdint.h>

#include "weft/compiler.h"

#define HASH_MAX_WORDS 24

struct hash_key {
    uint64_t k[HASH_MAX_WORDS];
};

/* Expands 'seed' (SplitMix64). */
static inline void
hash_key_init(struct hash_key *hk, uint64_t seed)
{
    for (unsigned i = 0; i < HASH_MAX_WORDS; i++) {
        uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        hk->k[i] = z ^ z >> 31;
    }
}

WEFT_ALWAYS_INLINE uint64_t
hash_fold(uint64_t a, uint64_t b)
{
    unsigned __int128 p = (unsigned __int128) a * b;

    return (uint64_t) p ^ (uint64_t) (p >> 64);
}

WEFT_ALWAYS_INLINE uint64_t
hash_words(const struct hash_key *hk, const uint64_t *w, unsigned n)
{
    uint64_t h = n;
    unsigned i;

    WEFT_UNROLL
    for (i = 0; i + 2 <= n; i += 2)
        h += hash_fold(w[i] + hk->k[i], w[i + 1] + hk->k[i + 1]);
    if (i < n)
        h += hash_fold(w[i] + hk->k[i], hk->k[HASH_MAX_WORDS - 1]);
    h ^= h >> 33;
    h *= UINT64_C(0xff51afd7ed558ccd);
    return h ^ h >> 33;
}

#endif
