/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/evict.h"

#include <stdio.h>
#include <stdlib.h>

#include "ofproto/agent_priv.h"
#include "utils/base/mem.h"

enum { VACANCY_DOWN = 3, VACANCY_UP = 4 }; /* OFPTR_* */

void
ofp_table_config_init(struct ofp_table_config *c, uint8_t table)
{
    *c = (struct ofp_table_config) { .max = OFP_MAX_RULES,
                                     .evict_flags = OFP_EF_ALL };
    snprintf(c->name, sizeof c->name, "table%u", table);
}

/* ------------------------------------------------------------------- choice */

static uint64_t
time_left(const struct ofp_bridge *b, const struct ofp_rule *r)
{
    struct ofp_timer t;

    ofp_timers_get(&b->timers, r, &t);
    return t.rule ? t.when_ns : UINT64_MAX;
}

/* Is 'x' to go before 'y'? */
static bool
goes_before(const struct ofp_bridge *b, uint32_t flags,
            const struct ofp_rule *x, const struct ofp_rule *y)
{
    if (flags & OFP_EF_IMPORTANCE && x->importance != y->importance)
        return x->importance < y->importance;
    if (flags & OFP_EF_LIFETIME) {
        uint64_t tx = time_left(b, x), ty = time_left(b, y);

        if (tx != ty)
            return tx < ty;
    }
    return x->created_ns < y->created_ns;
}

/* Puts 'r' among the candidates where it belongs; the one furthest from
 * going leaves when there are too many. */
static void
candidate_add(const struct ofp_bridge *b, struct ofp_evict *e, uint32_t flags,
              struct ofp_rule *r)
{
    uint32_t i = e->n;

    if (e->n == OFP_EVICT_MAX) {
        if (!goes_before(b, flags, r, e->rules[0]))
            return;
        memmove(e->rules, e->rules + 1, (e->n - 1) * sizeof e->rules[0]);
        i = --e->n;
    }
    while (i && !goes_before(b, flags, r, e->rules[i - 1])) {
        e->rules[i] = e->rules[i - 1];
        i--;
    }
    e->rules[i] = r;
    e->n++;
}

static void
candidates_find(struct ofp_bridge *b, struct ofp_table *t, uint8_t table)
{
    struct ofp_cursor c;
    struct ofp_rule *r;

    ofp_cursor_start(&b->tables, &c, table);
    while ((r = ofp_cursor_next(&b->tables, &c)))
        candidate_add(b, t->evict, t->config.evict_flags, r);
}

struct ofp_rule *
ofp_evict_choose(struct ofp_bridge *b, uint8_t table, uint16_t importance)
{
    struct ofp_table *t = &b->tables.table[table];
    struct ofp_rule *r;

    if (!(t->config.config & OFP_TC_EVICTION) || !t->config.evict_flags)
        return NULL;
    if (!t->evict)
        BASE_NEW(t->evict);
    if (!t->evict->n)
        candidates_find(b, t, table);
    if (!t->evict->n)
        return NULL;
    r = t->evict->rules[t->evict->n - 1];
    return t->config.evict_flags & OFP_EF_IMPORTANCE
                   && r->importance > importance
               ? NULL : r;
}

void
ofp_evict_forget(struct ofp_bridge *b, const struct ofp_rule *r)
{
    struct ofp_evict *e = b->tables.table[r->table].evict;

    for (uint32_t i = e ? e->n : 0; i--;)
        if (e->rules[i] == r) {
            e->n--;
            memmove(e->rules + i, e->rules + i + 1,
                    (e->n - i) * sizeof e->rules[0]);
            return;
        }
}

void
ofp_evict_note(struct ofp_bridge *b, struct ofp_rule *r)
{
    const struct ofp_table *t = &b->tables.table[r->table];

    if (!t->evict || !t->evict->n)
        return;
    ofp_evict_forget(b, r);
    /* Behind the furthest one there may be others that are not known. */
    if (t->evict->n
        && goes_before(b, t->config.evict_flags, r, t->evict->rules[0]))
        candidate_add(b, t->evict, t->config.evict_flags, r);
}

static void
candidates_drop(struct ofp_table *t)
{
    free(t->evict);
    t->evict = NULL;
}

void
ofp_evict_fini(struct ofp_bridge *b)
{
    for (unsigned i = 0; i < DP_N_TABLES; i++)
        candidates_drop(&b->tables.table[i]);
}

/* ------------------------------------------------------------ configuration */

struct config_record {
    uint8_t table;
    struct ofp_table_config was;
};

static void
configure(struct ofp_bridge *b, uint8_t table,
          const struct ofp_table_config *c)
{
    struct ofp_table *t = &b->tables.table[table];

    b->n_vacancy += !!(c->config & OFP_TC_VACANCY);
    b->n_vacancy -= !!(t->config.config & OFP_TC_VACANCY);
    t->config = *c;
    candidates_drop(t);
}

static void
config_undo(struct ofp_bridge *b, void *rec)
{
    const struct config_record *r = rec;

    configure(b, r->table, &r->was);
}

static const struct ofp_txn_ops config_ops = {
    .size = sizeof(struct config_record),
    .undo = config_undo,
};

void
ofp_table_configure(struct ofp_bridge *b, uint8_t table,
                    const struct ofp_table_config *c)
{
    struct ofp_table *t = &b->tables.table[table];
    struct ofp_table_config next = *c;

    if (ofp_txn_is_open(b)) {
        struct config_record *r = ofp_txn_log(b, &config_ops);

        r->table = table;
        r->was = t->config;
    }
    configure(b, table, &next);
    /* §6.6: which of the two events is the next one. */
    t->config.low = ofp_table_vacancy(b, table) < t->config.up;
}

/* ------------------------------------------------------------------ vacancy */

unsigned
ofp_table_vacancy(const struct ofp_bridge *b, uint8_t table)
{
    const struct ofp_table *t = &b->tables.table[table];

    if (t->n >= t->config.max)
        return 0;
    return (unsigned) (100 * (uint64_t) (t->config.max - t->n)
                       / t->config.max);
}

void
ofp_vacancy_run(struct ofp_bridge *b)
{
    if (!b->n_vacancy || b->txn)
        return;
    for (unsigned i = 0; i < DP_N_TABLES; i++) {
        struct ofp_table_config *c = &b->tables.table[i].config;
        unsigned v = ofp_table_vacancy(b, (uint8_t) i);

        if (!(c->config & OFP_TC_VACANCY))
            continue;
        if (c->low ? v <= c->up : v >= c->down)
            continue;
        c->low = !c->low;
        ofp_async_table_status(b, (uint8_t) i,
                               c->low ? VACANCY_DOWN : VACANCY_UP);
    }
}
