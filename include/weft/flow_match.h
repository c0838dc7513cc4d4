/* SPDX-License-Identifier: Apache-2.0 */
/* A match: which packets a rule takes, full and packed.
 *
 * What:    struct flow_match, and a packed form that stores only the 64-bit
 *          words whose mask is not zero.
 * Model:   key & mask, key already masked.  Packed values are the masked key
 *          words in ascending word order; the word list comes from the mask.
 * Threads: any.  Owns: nothing.  Cost: packed value of a 5-tuple: 32 bytes. */
#ifndef WEFT_FLOW_MATCH_H
#define WEFT_FLOW_MATCH_H

#include "weft/flow_key.h"

struct flow_match {
    struct flow_key key;  /* Masked: no bit set outside 'mask'. */
    struct flow_key mask; /* 1 bits are compared. */
};

/* 64-bit words of 'k', by copy: struct flow_key has no padding. */
static inline uint64_t
flow_key_word(const struct flow_key *k, unsigned i)
{
    uint64_t w;

    memcpy(&w, (const uint8_t *) k + 8 * i, 8);
    return w;
}

static inline void
flow_key_set_word(struct flow_key *k, unsigned i, uint64_t w)
{
    memcpy((uint8_t *) k + 8 * i, &w, 8);
}

/* Bitmap of the words of 'mask' that are not zero: bit i = word i. */
static inline uint32_t
flow_mask_words(const struct flow_key *mask)
{
    uint32_t map = 0;

    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
        map |= (uint32_t) (flow_key_word(mask, i) != 0) << i;
    return map;
}

/* Writes key & mask for the words in 'map' to out[]; returns their number. */
static inline unsigned
flow_key_pack(const struct flow_key *key, const struct flow_key *mask,
              uint32_t map, uint64_t *out)
{
    unsigned n = 0;

    for (; map; map &= map - 1) {
        unsigned i = (unsigned) __builtin_ctz(map);

        out[n++] = flow_key_word(key, i) & flow_key_word(mask, i);
    }
    return n;
}

/* Inverse of flow_key_pack: zeroes 'key' and fills the words in 'map'. */
static inline void
flow_key_unpack(struct flow_key *key, uint32_t map, const uint64_t *in)
{
    memset(key, 0, sizeof *key);
    for (; map; map &= map - 1)
        flow_key_set_word(key, (unsigned) __builtin_ctz(map), *in++);
}

/* Does packet key 'k' match 'm'? */
static inline bool
flow_match_test(const struct flow_match *m, const struct flow_key *k)
{
    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
        if ((flow_key_word(k, i) & flow_key_word(&m->mask, i))
            != flow_key_word(&m->key, i))
            return false;
    return true;
}

static inline bool
flow_match_equal(const struct flow_match *a, const struct flow_match *b)
{
    return !memcmp(a, b, sizeof *a);
}

/* True if every packet that matches 'm' also matches 'wider'. */
static inline bool
flow_match_within(const struct flow_match *m, const struct flow_match *wider)
{
    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++) {
        uint64_t wm = flow_key_word(&wider->mask, i);

        if ((flow_key_word(&m->mask, i) & wm) != wm
            || (flow_key_word(&m->key, i) & wm)
                   != flow_key_word(&wider->key, i))
            return false;
    }
    return true;
}

/* True if some packet can match both. */
static inline bool
flow_match_overlaps(const struct flow_match *a, const struct flow_match *b)
{
    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++) {
        uint64_t both = flow_key_word(&a->mask, i) & flow_key_word(&b->mask, i);

        if ((flow_key_word(&a->key, i) ^ flow_key_word(&b->key, i)) & both)
            return false;
    }
    return true;
}

#endif
