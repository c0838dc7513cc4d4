/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/group_slots.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "weft/compiler.h"

/* Shares are counted in parts of a slot. */
#define PART 65536

/* One bucket. */
struct share {
    uint32_t has;    /* Slots now ... */
    uint32_t fixed;  /* ... of which these stay ... */
    uint32_t wants;  /* ... and after. */
    uint64_t parts;  /* What its weight asks for. */
};

struct plan {
    struct group_slots *t;
    const struct group_slots *all; /* NULL: no slot is fixed. */
    const uint16_t *weight;
    uint32_t n;
    struct share *share;
    struct lack {
        int64_t parts; /* Wanted by the weight, not given yet. */
        uint32_t b;
    } *lack;
};

/* -------------------------------------------------------------- allocation */

static uint32_t
slots_wanted(const uint16_t *weight, uint32_t n)
{
    uint64_t sum = 0, least = UINT32_MAX, slots = GROUP_SLOTS_MIN;

    for (uint32_t i = 0; i < n; i++) {
        sum += weight[i];
        if (weight[i])
            least = WEFT_MIN(least, (uint64_t) weight[i]);
    }
    while (slots < GROUP_SLOTS_MAX && slots * least < GROUP_SLOTS_EACH * sum)
        slots *= 2;
    return (uint32_t) slots;
}

static struct group_slots *
slots_alloc(uint32_t n)
{
    struct group_slots *t = malloc(sizeof *t + n * sizeof t->of[0]);

    if (!t)
        return NULL;
    t->n = n;
    t->shift = 64u - (unsigned) __builtin_ctz(n);
    memset(t->of, 0xff, n * sizeof t->of[0]); /* GROUP_SLOT_FREE */
    return t;
}

/* ------------------------------------------------------------------ shares */

static bool
is_fixed(const struct plan *p, uint32_t slot)
{
    uint16_t owner = p->all ? p->all->of[slot] : GROUP_SLOT_FREE;

    return owner != GROUP_SLOT_FREE && p->weight[owner];
}

/* Slots as they were, without owners that are gone. */
static void
slots_inherit(struct plan *p, const struct group_slots *was,
              const uint16_t *to)
{
    struct group_slots *t = p->t;

    for (uint32_t s = 0; s < t->n; s++) {
        uint16_t b = GROUP_SLOT_FREE;

        if (is_fixed(p, s))
            b = p->all->of[s];
        else if (was)
            b = was->of[s / (t->n / was->n)];
        if (b != GROUP_SLOT_FREE && to && !is_fixed(p, s))
            b = to[b];
        if (b == GROUP_SLOT_FREE || !p->weight[b])
            continue;
        t->of[s] = b;
        p->share[b].has++;
        p->share[b].fixed += is_fixed(p, s);
    }
}

static int
by_lack(const void *x, const void *y)
{
    const struct lack *a = x, *b = y;

    return a->parts != b->parts ? (a->parts < b->parts ? 1 : -1)
                                : a->b < b->b ? -1 : a->b > b->b;
}

/* What a bucket has it keeps if it is about right; what is missing then is
 * the return value, below zero: too much was promised. */
static int64_t
shares_round(struct plan *p)
{
    int64_t left = p->t->n;
    uint64_t sum = 0;

    for (uint32_t i = 0; i < p->n; i++)
        sum += p->weight[i];
    for (uint32_t i = 0; i < p->n; i++) {
        struct share *s = &p->share[i];
        uint32_t low, high, least = WEFT_MAX(s->fixed, 1u);

        p->lack[i] = (struct lack) { INT64_MIN, i };
        if (!p->weight[i])
            continue;
        s->parts = (uint64_t) p->weight[i] * p->t->n * PART / sum;
        low = (uint32_t) (s->parts / PART);
        high = (uint32_t) ((s->parts + PART - 1) / PART);
        if (s->has && low)
            low--;
        s->wants = WEFT_MAX(WEFT_MIN(WEFT_MAX(s->has, low), high), least);
        p->lack[i].parts = (int64_t) s->parts - (int64_t) s->wants * PART;
        left -= s->wants;
    }
    return left;
}

/* Makes the sum right, one slot at a time, those who lack most first. */
static void
shares_plan(struct plan *p)
{
    int64_t left = shares_round(p);
    bool more = true;

    qsort(p->lack, p->n, sizeof p->lack[0], by_lack);
    while (left && more) {
        more = false;
        for (uint32_t i = 0; i < p->n && left; i++) {
            uint32_t b = p->lack[left > 0 ? i : p->n - 1 - i].b;
            struct share *s = &p->share[b];

            if (!p->weight[b]
                || (left < 0 && s->wants <= WEFT_MAX(s->fixed, 1u)))
                continue;
            s->wants += left > 0 ? 1u : UINT32_MAX;
            left += left > 0 ? -1 : 1;
            more = true;
        }
    }
}

/* ------------------------------------------------------------------- slots */

static void
slots_move(struct plan *p)
{
    struct group_slots *t = p->t;
    uint32_t next = 0;

    for (uint32_t s = 0; s < t->n; s++) {
        struct share *from;

        if (t->of[s] == GROUP_SLOT_FREE || is_fixed(p, s))
            continue;
        from = &p->share[t->of[s]];
        if (from->has > from->wants) {
            from->has--;
            t->of[s] = GROUP_SLOT_FREE;
        }
    }
    for (uint32_t s = 0; s < t->n; s++) {
        if (t->of[s] != GROUP_SLOT_FREE)
            continue;
        while (next < p->n && p->share[next].has >= p->share[next].wants)
            next++;
        if (next == p->n)
            return;
        t->of[s] = (uint16_t) next;
        p->share[next].has++;
    }
}

static struct group_slots *
slots_build(struct plan *p, const struct group_slots *was, const uint16_t *to)
{
    if (!p->t)
        return NULL;
    p->share = calloc(p->n + 1, sizeof p->share[0]);
    p->lack = malloc((p->n + 1) * sizeof p->lack[0]);
    if (p->share && p->lack) {
        slots_inherit(p, was, to);
        shares_plan(p);
        slots_move(p);
    } else {
        free(p->t);
        p->t = NULL;
    }
    free(p->share);
    free(p->lack);
    return p->t;
}

struct group_slots *
group_slots_new(const uint16_t *weight, uint32_t n,
                const struct group_slots *was, const uint16_t *to)
{
    uint32_t slots = slots_wanted(weight, n);
    struct plan p = { .weight = weight, .n = n };

    p.t = slots_alloc(was ? WEFT_MAX(slots, was->n) : slots);
    return slots_build(&p, was, to);
}

struct group_slots *
group_slots_live(const struct group_slots *all, const uint16_t *weight,
                 uint32_t n, const struct group_slots *was,
                 const uint16_t *to)
{
    struct plan p = { .t = slots_alloc(all->n), .all = all,
                      .weight = weight, .n = n };

    return slots_build(&p, was, to);
}
