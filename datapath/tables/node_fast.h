/* SPDX-License-Identifier: Apache-2.0 */
/* What the slots of the merged form lead to, and how a worker searches it.
 *
 * What:    slots, leaves, cuts; the comparison of a key with a leaf.
 * Model:   A slot is one word: node(48), tags in its low bits, and above it
 *          the highest priority in there, so that what cannot win is left
 *          without touching it.
 *            rule   one rule, compared by its own values
 *            leaf   few rules, compared side by side: the words that all of
 *                   them ask for alike once, then 32-bit columns of the rest,
 *                   four rules at a time (the lanes of a block)
 *            cut    some neighbouring bits of one key word choose a child; a
 *                   rule that does not care is in all children, or, where that
 *                   would cost too much memory, in the one more child that
 *                   every packet visits ('aside')
 *          A leaf's lines lie together and are fetched together.  Nodes do
 *          not change once visible, but for the slots of a cut.
 * Threads: control writes slots, workers read them.  Owns: nothing.
 * Cost:    a leaf of 8 rules in four columns: about 60 instructions. */
#ifndef DP_TABLE_NODE_FAST_H
#define DP_TABLE_NODE_FAST_H

#include <stdatomic.h>

#include "datapath/tables/table.h"

#if defined(__SSE2__)
#define TBL_LEAF_SSE2
#include <emmintrin.h>
#endif

#define TBL_SLOT_CUT 1u
#define TBL_SLOT_RULE 2u
#define TBL_SLOT_LINES_SHIFT 2 /* Of a leaf: lines to prefetch, 1 to 15. */
#define TBL_SLOT_EMPTY 4u      /* All of a slot: nothing, see slots.c. */
#define TBL_SLOT_PTR UINT64_C(0x0000fffffffffff8)
#define TBL_NODE_PTR UINT64_C(0x0000ffffffffffc0) /* Nodes begin a line. */

#define TBL_LANES 4u

struct tbl_leaf {
    uint32_t n;
    uint32_t reach; /* Rules that a search compares at most. */
    uint16_t common_at;
    uint8_t n_common, n_cols;
    uint8_t idx[]; /* Words of 'common', then half words of the columns.
                    * At common_at: mask and value of each common word;
                    * blocks: masks and values of TBL_LANES rules, by column;
                    * rules, as struct tbl_leaf's users have them: rule(48)
                    * and above it its priority(16). */
};

struct tbl_cut {
    uint8_t word, shift, bits;
    bool aside;
    /* Control only. */
    uint16_t far, compares; /* Of the dearest child, without aside. */
    uint32_t n_rules, n_built, n_entries;
    _Atomic uint64_t slot[]; /* The one aside, then 1 << bits. */
};

static inline const struct tbl_leaf *
tbl_slot_leaf(uint64_t slot)
{
    return (const struct tbl_leaf *) (uintptr_t) (slot & TBL_NODE_PTR);
}

static inline struct tbl_cut *
tbl_slot_cut(uint64_t slot)
{
    return (struct tbl_cut *) (uintptr_t) (slot & TBL_NODE_PTR);
}

static inline uint64_t *
tbl_leaf_common(const struct tbl_leaf *l)
{
    return (uint64_t *) ((uintptr_t) l + l->common_at);
}

static inline uint32_t
tbl_leaf_blocks(uint32_t n)
{
    return (n + TBL_LANES - 1) / TBL_LANES;
}

static inline uint32_t *
tbl_leaf_block(const struct tbl_leaf *l)
{
    return (uint32_t *) (tbl_leaf_common(l) + 2 * l->n_common);
}

static inline uint64_t *
tbl_leaf_list(const struct tbl_leaf *l)
{
    return (uint64_t *) (void *) (tbl_leaf_block(l)
                                  + (size_t) tbl_leaf_blocks(l->n) * l->n_cols
                                        * 2 * TBL_LANES);
}

static inline uint32_t
tbl_key_half(const struct flow_key *k, unsigned i)
{
    uint32_t half;

    memcpy(&half, (const uint8_t *) k + 4 * i, 4);
    return half;
}

/* Bit i: lane i of the block matches. */
static inline uint32_t
tbl_block_match_plain(const uint32_t *b, const uint8_t *cols, unsigned n_cols,
                      const struct flow_key *k)
{
    uint32_t diff[TBL_LANES] = { 0 }, hit = 0;

    for (unsigned c = 0; c < n_cols; c++, b += 2 * TBL_LANES) {
        uint32_t half = tbl_key_half(k, cols[c]);

        for (unsigned i = 0; i < TBL_LANES; i++)
            diff[i] |= (half & b[i]) ^ b[TBL_LANES + i];
    }
    for (unsigned i = 0; i < TBL_LANES; i++)
        hit |= (uint32_t) !diff[i] << i;
    return hit;
}

#ifdef TBL_LEAF_SSE2
static inline uint32_t
tbl_block_match(const uint32_t *b, const uint8_t *cols, unsigned n_cols,
                const struct flow_key *k)
{
    const __m128i *v = (const __m128i *) (const void *) b;
    __m128i same = _mm_set1_epi32(-1);

    for (unsigned c = 0; c < n_cols; c++, v += 2) {
        __m128i half = _mm_set1_epi32((int) tbl_key_half(k, cols[c]));

        same = _mm_and_si128(
            same, _mm_cmpeq_epi32(_mm_and_si128(half, v[0]), v[1]));
    }
    return (uint32_t) _mm_movemask_ps(_mm_castsi128_ps(same));
}
#else
#define tbl_block_match tbl_block_match_plain
#endif

static inline bool
tbl_leaf_common_match(const struct tbl_leaf *l, const struct flow_key *k)
{
    const uint64_t *common = tbl_leaf_common(l);
    uint64_t diff = 0;

    for (unsigned i = 0; i < l->n_common; i++)
        diff |= (flow_key_word(k, l->idx[i]) & common[2 * i])
                ^ common[2 * i + 1];
    return !diff;
}

/* The first rule of the leaf that matches, with its priority; 0: none.  Blocks
 * are compared four at a time without a look at what came out. */
static inline uint64_t
tbl_leaf_find(const struct tbl_leaf *l, const struct flow_key *k)
{
    const uint8_t *cols = l->idx + l->n_common;
    const uint32_t *b = tbl_leaf_block(l);
    unsigned n_cols = l->n_cols;
    uint32_t n = tbl_leaf_blocks(l->n), hit;

    if (!tbl_leaf_common_match(l, k))
        return 0;
    for (uint32_t at = 0; at < n; at += 4) {
        uint32_t k4 = WEFT_MIN(n - at, 4u);

        hit = 0;
        for (uint32_t i = 0; i < k4; i++, b += n_cols * 2 * TBL_LANES)
            hit |= tbl_block_match(b, cols, n_cols, k) << TBL_LANES * i;
        if (hit)
            return tbl_leaf_list(l)[at * TBL_LANES
                                    + (unsigned) __builtin_ctz(hit)];
    }
    return 0;
}

static inline bool
tbl_rule_matches(const struct tbl_rule *r, const uint8_t *idx,
                 const uint64_t *bits, unsigned n, const struct flow_key *k)
{
    uint64_t diff = 0;

    for (unsigned i = 0; i < n; i++)
        diff |= (flow_key_word(k, idx[i]) & bits[i]) ^ r->values[i];
    return !diff;
}

/* The child of the cut that a key belongs to. */
static inline const _Atomic uint64_t *
tbl_cut_child(const struct tbl_cut *c, const struct flow_key *k)
{
    return &c->slot[1 + (flow_key_word(k, c->word) >> c->shift
                         & ((1u << c->bits) - 1))];
}

static inline bool
tbl_slot_beats(uint64_t slot, uint64_t best)
{
    return slot & TBL_SLOT_PTR && (!best || slot >> 48 > best >> 48);
}

#endif
