/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves: a few rules laid out for comparison side by side. */
#include "datapath/tables/table_priv.h"

#include <stdlib.h>
#include <string.h>

#include "utils/base/log.h"

#define LINES_MAX 15u

void *
tbl_node_alloc(size_t size)
{
    void *p = aligned_alloc(WEFT_CACHE_LINE, TBL_NODE_SIZE(size));

    if (!p) {
        base_log(BASE_LOG_ERR, "tables", "out of memory (%zu bytes)", size);
        abort();
    }
    return p;
}

/* What all rules of a leaf ask for alike. */
struct alike {
    uint32_t map; /* Words that some rule looks at. */
    uint64_t mask[FLOW_KEY_WORDS], value[FLOW_KEY_WORDS];
    uint64_t all[FLOW_KEY_WORDS]; /* Bits that some rule asks for. */
};

static void
alike_find(struct alike *a, const uint64_t *list, uint32_t n)
{
    a->map = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct tbl_rule *r = tbl_slot_rule(list[i]);
        const struct tbl_mask *m = r->mask;
        uint32_t gone = a->map & ~m->map;

        for (unsigned k = 0; k < m->n; k++) {
            unsigned w = m->idx[k];

            if (!(a->map >> w & 1)) {
                a->mask[w] = i ? 0 : m->bits[k];
                a->value[w] = r->values[k];
                a->all[w] = m->bits[k];
                continue;
            }
            a->mask[w] &= m->bits[k] & ~(a->value[w] ^ r->values[k]);
            a->all[w] |= m->bits[k];
        }
        for (; gone; gone &= gone - 1)
            a->mask[__builtin_ctz(gone)] = 0;
        a->map |= m->map;
    }
}

/* No more bits asked for than those settled by cuts or common to all: who gets
 * there matches. */
static bool
rule_settled(const struct tbl_rule *r, const struct alike *a,
             const uint64_t *known)
{
    const struct tbl_mask *m = r->mask;
    uint64_t more = 0;

    for (unsigned i = 0; i < m->n; i++)
        more |= m->bits[i] & ~(known[m->idx[i]] | a->mask[m->idx[i]]);
    return !more;
}

static uint32_t
reach(const struct alike *a, const uint64_t *list, uint32_t n,
      const uint64_t *known)
{
    for (uint32_t i = 0; i < n; i++)
        if (rule_settled(tbl_slot_rule(list[i]), a, known))
            return i + 1;
    return n;
}

uint32_t
tbl_leaf_reach(const uint64_t *list, uint32_t n, const uint64_t *known)
{
    struct alike a;

    if (n < 2)
        return n;
    alike_find(&a, list, n);
    return reach(&a, list, n, known);
}

/* Word 'w' of the rule's mask and values. */
static void
rule_word(const struct tbl_rule *r, unsigned w, uint64_t mv[2])
{
    const struct tbl_mask *m = r->mask;
    unsigned i = (unsigned) __builtin_popcount(m->map
                                               & ((UINT32_C(1) << w) - 1));

    mv[0] = mv[1] = 0;
    if (m->map >> w & 1) {
        mv[0] = m->bits[i];
        mv[1] = r->values[i];
    }
}

static uint32_t
half_of(uint64_t word, unsigned half)
{
    uint32_t h;

    memcpy(&h, (const uint8_t *) &word + 4 * half, 4);
    return h;
}

/* The column for half word 'h': what 'common' does not settle. */
static void
column_fill(struct tbl_leaf *l, unsigned col, const uint64_t *list,
            const struct alike *a)
{
    unsigned h = l->idx[l->n_common + col], w = h / 2;
    uint32_t lanes = tbl_leaf_blocks(l->n) * TBL_LANES;

    for (uint32_t i = 0; i < lanes; i++) {
        uint32_t *b = tbl_leaf_block(l)
                      + ((size_t) (i / TBL_LANES) * l->n_cols + col) * 2
                            * TBL_LANES
                      + i % TBL_LANES;
        uint64_t mv[2] = { 0, UINT64_MAX }; /* Matches nothing. */

        if (i < l->n) {
            rule_word(tbl_slot_rule(list[i]), w, mv);
            mv[0] &= ~a->mask[w];
            mv[1] &= mv[0];
        }
        b[0] = half_of(mv[0], h % 2);
        b[TBL_LANES] = half_of(mv[1], h % 2);
    }
}

size_t
tbl_leaf_size(const struct tbl_leaf *l)
{
    return (size_t) ((uintptr_t) (tbl_leaf_list(l) + l->n) - (uintptr_t) l);
}

uint64_t
tbl_leaf_make(const uint64_t *list, uint32_t n, const uint64_t *known)
{
    uint8_t idx[FLOW_KEY_WORDS * 3];
    unsigned n_common = 0, n_cols = 0, lines;
    struct alike a;
    struct tbl_leaf head, *l;
    size_t size;

    if (n < 2)
        return n ? list[0] | TBL_SLOT_RULE : TBL_SLOT_EMPTY;
    alike_find(&a, list, n);
    for (uint32_t map = a.map; map; map &= map - 1)
        if (a.mask[__builtin_ctz(map)])
            idx[n_common++] = (uint8_t) __builtin_ctz(map);
    for (uint32_t map = a.map; map; map &= map - 1) {
        unsigned w = (unsigned) __builtin_ctz(map);

        for (unsigned h = 0; h < 2; h++)
            if (half_of(a.all[w] & ~a.mask[w], h))
                idx[n_common + n_cols++] = (uint8_t) (2 * w + h);
    }
    head = (struct tbl_leaf) {
        .n = n,
        .reach = reach(&a, list, n, known),
        .common_at = (uint16_t) ((offsetof(struct tbl_leaf, idx) + n_common
                                  + n_cols + 15) / 16 * 16),
        .n_common = (uint8_t) n_common,
        .n_cols = (uint8_t) n_cols,
    };
    size = head.common_at + 16 * (size_t) n_common
           + 32 * (size_t) tbl_leaf_blocks(n) * n_cols + 8 * (size_t) n;
    l = tbl_node_alloc(size);
    *l = head;
    memcpy(l->idx, idx, n_common + n_cols);
    for (unsigned i = 0; i < n_common; i++) {
        tbl_leaf_common(l)[2 * i] = a.mask[idx[i]];
        tbl_leaf_common(l)[2 * i + 1] = a.value[idx[i]] & a.mask[idx[i]];
    }
    for (unsigned c = 0; c < n_cols; c++)
        column_fill(l, c, list, &a);
    memcpy(tbl_leaf_list(l), list, 8 * (size_t) n);
    lines = (unsigned) WEFT_MIN(TBL_NODE_SIZE(size) / WEFT_CACHE_LINE,
                                LINES_MAX);
    return (uint64_t) (uintptr_t) l | list[0] >> 48 << 48
           | lines << TBL_SLOT_LINES_SHIFT;
}
