/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/rule_index.h"

#include <assert.h>
#include <string.h>

#include "utils/base/mem.h"

#define INDEX_MIN 64u
#define INDEX_STEP 8u /* Old slots moved per insertion: done long before the
                       * next growth, which is n/2 insertions away. */

static void
array_init(struct ofp_index_array *a, uint32_t size)
{
    a->hash = base_xcalloc(size, sizeof *a->hash);
    a->rule = base_xmalloc(size * sizeof *a->rule);
    a->mask = size - 1;
}

static void
array_fini(struct ofp_index_array *a)
{
    free(a->hash);
    free(a->rule);
    *a = (struct ofp_index_array) { 0 };
}

void
ofp_rule_index_init(struct ofp_rule_index *x)
{
    memset(x, 0, sizeof *x);
    array_init(&x->cur, INDEX_MIN);
}

void
ofp_rule_index_fini(struct ofp_rule_index *x)
{
    array_fini(&x->cur);
    array_fini(&x->old);
}

/* 0 is a free slot's. */
static uint32_t
slot_hash(uint32_t hash)
{
    return hash + !hash;
}

static void
cur_put(struct ofp_rule_index *x, uint32_t hash, struct ofp_rule *r)
{
    const struct ofp_index_array *a = &x->cur;
    uint32_t i = hash & a->mask;

    while (a->hash[i])
        i = (i + 1) & a->mask;
    a->hash[i] = hash;
    a->rule[i] = r;
    x->n++;
}

static void
index_move(struct ofp_rule_index *x, unsigned n)
{
    struct ofp_index_array *old = &x->old;

    for (; old->hash && n; n--) {
        uint32_t i = x->moved;

        if (old->hash[i] && old->rule[i])
            cur_put(x, old->hash[i], old->rule[i]);
        old->rule[i] = NULL;
        if (x->moved++ == old->mask)
            array_fini(old);
    }
}

void
ofp_rule_index_add(struct ofp_rule_index *x, uint32_t hash,
                   struct ofp_rule *r)
{
    uint64_t size = (uint64_t) x->cur.mask + 1;

    index_move(x, INDEX_STEP);
    if (5 * (uint64_t) x->n >= 4 * size) {
        assert(!x->old.hash);
        x->old = x->cur;
        x->moved = 0;
        x->n = 0;
        array_init(&x->cur, (uint32_t) (2 * size));
    }
    cur_put(x, slot_hash(hash), r);
}

/* Slot of 'r', or the free slot that ends its search. */
static uint32_t
array_locate(const struct ofp_index_array *a, uint32_t hash,
             const struct ofp_rule *r)
{
    uint32_t i = hash & a->mask;

    while (a->hash[i] && (a->hash[i] != hash || a->rule[i] != r))
        i = (i + 1) & a->mask;
    return i;
}

/* Frees slot 'i'; what was pushed past it moves up. */
static void
cur_free(struct ofp_rule_index *x, uint32_t i)
{
    const struct ofp_index_array *a = &x->cur;

    for (uint32_t j = (i + 1) & a->mask; a->hash[j]; j = (j + 1) & a->mask) {
        if (((j - a->hash[j]) & a->mask) < ((j - i) & a->mask))
            continue; /* Its home is behind 'i'. */
        a->hash[i] = a->hash[j];
        a->rule[i] = a->rule[j];
        i = j;
    }
    a->hash[i] = 0;
    x->n--;
}

void
ofp_rule_index_del(struct ofp_rule_index *x, uint32_t hash,
                   const struct ofp_rule *r)
{
    uint32_t h = slot_hash(hash), i = array_locate(&x->cur, h, r);

    if (x->cur.hash[i]) {
        cur_free(x, i);
        return;
    }
    assert(x->old.hash);
    i = array_locate(&x->old, h, r);
    assert(x->old.hash[i]);
    x->old.rule[i] = NULL;
}

void
ofp_rule_index_search(const struct ofp_rule_index *x, uint32_t hash,
                      struct ofp_index_search *s)
{
    s->a = &x->cur;
    s->hash = slot_hash(hash);
    s->at = s->hash & s->a->mask;
}

struct ofp_rule *
ofp_rule_index_next(const struct ofp_rule_index *x,
                    struct ofp_index_search *s)
{
    for (;;) {
        const struct ofp_index_array *a = s->a;
        uint32_t i = s->at;

        for (; a->hash[i]; i = (i + 1) & a->mask)
            if (a->hash[i] == s->hash && a->rule[i]) {
                s->at = (i + 1) & a->mask;
                return a->rule[i];
            }
        if (a == &x->old || !x->old.hash) {
            s->at = i;
            return NULL;
        }
        s->a = &x->old;
        s->at = s->hash & s->a->mask;
    }
}
