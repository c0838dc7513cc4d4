/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/timers.h"

#include "utils/base/mem.h"

#define NS_PER_S UINT64_C(1000000000)

void
ofp_timers_fini(struct ofp_timers *t)
{
    free(t->heap);
    *t = (struct ofp_timers) { 0 };
}

static void
put_at(struct ofp_timers *t, size_t i, struct ofp_timer e)
{
    t->heap[i] = e;
    e.rule->timer = (uint32_t) i + 1;
}

static void
sift_up(struct ofp_timers *t, size_t i)
{
    struct ofp_timer e = t->heap[i];

    for (; i && t->heap[(i - 1) / 2].when_ns > e.when_ns; i = (i - 1) / 2)
        put_at(t, i, t->heap[(i - 1) / 2]);
    put_at(t, i, e);
}

static void
sift_down(struct ofp_timers *t, size_t i)
{
    struct ofp_timer e = t->heap[i];

    for (size_t c; (c = 2 * i + 1) < t->n; i = c) {
        if (c + 1 < t->n && t->heap[c + 1].when_ns < t->heap[c].when_ns)
            c++;
        if (t->heap[c].when_ns >= e.when_ns)
            break;
        put_at(t, i, t->heap[c]);
    }
    put_at(t, i, e);
}

void
ofp_timers_add(struct ofp_timers *t, struct ofp_rule *r, uint64_t now_ns)
{
    struct ofp_timer e = { UINT64_MAX, UINT64_MAX, r };

    if (!r->idle_timeout && !r->hard_timeout)
        return;
    if (r->hard_timeout)
        e.hard_ns = e.when_ns = now_ns + r->hard_timeout * NS_PER_S;
    if (r->idle_timeout)
        e.when_ns = WEFT_MIN(e.when_ns, now_ns + r->idle_timeout * NS_PER_S);
    ofp_timers_put(t, &e);
}

void
ofp_timers_put(struct ofp_timers *t, const struct ofp_timer *e)
{
    if (t->n == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 16;
        t->heap = base_xrealloc(t->heap, t->cap * sizeof *t->heap);
    }
    t->heap[t->n++] = *e;
    sift_up(t, t->n - 1);
}

void
ofp_timers_get(const struct ofp_timers *t, const struct ofp_rule *r,
               struct ofp_timer *out)
{
    *out = (struct ofp_timer) { .rule = NULL };
    if (r->timer)
        *out = t->heap[r->timer - 1];
}

void
ofp_timers_del(struct ofp_timers *t, struct ofp_rule *r)
{
    if (!r->timer)
        return;

    size_t i = r->timer - 1;

    r->timer = 0;
    if (i == --t->n)
        return;
    put_at(t, i, t->heap[t->n]);
    sift_up(t, i);
    sift_down(t, t->heap[i].rule->timer - 1);
}

void
ofp_timers_shift(struct ofp_timers *t, uint64_t delta_ns)
{
    for (size_t i = 0; i < t->n; i++) {
        t->heap[i].when_ns += delta_ns;
        if (t->heap[i].hard_ns != UINT64_MAX)
            t->heap[i].hard_ns += delta_ns;
    }
}

struct ofp_rule *
ofp_timers_next(struct ofp_timers *t, uint64_t now_ns, unsigned *budget,
                enum ofp_expiry *why)
{
    for (; t->n && t->heap[0].when_ns <= now_ns && *budget; --*budget) {
        struct ofp_timer *e = &t->heap[0];
        struct dp_stats s;

        if (e->hard_ns <= now_ns) {
            *why = OFP_EXPIRE_HARD;
            return e->rule;
        }
        dp_rule_get_stats(ofp_rule_dp(e->rule), &s);

        uint64_t idle_ns = e->rule->idle_timeout * NS_PER_S;

        if (s.used_ns + idle_ns <= now_ns) {
            *why = OFP_EXPIRE_IDLE;
            return e->rule;
        }
        e->when_ns = WEFT_MIN(e->hard_ns, s.used_ns + idle_ns);
        sift_down(t, 0);
    }
    return NULL;
}
