/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/tables.h"

#include <stdlib.h>
#include <string.h>

#define ALL_TABLES 0xff

/* ----------------------------------------------------------------- rules */

void
ofp_tables_init(struct ofp_tables *t)
{
    memset(t, 0, sizeof *t);
    for (unsigned i = 0; i < DP_N_TABLES; i++) {
        base_list_init(&t->table[i].rules);
        ofp_table_config_init(&t->table[i].config, (uint8_t) i);
    }
    base_list_init(&t->cursors);
}

void
ofp_tables_fini(struct ofp_tables *t)
{
    for (unsigned i = 0; i < DP_N_TABLES; i++)
        free(t->table[i].limits);
}

struct ofp_rule *
ofp_rule_link(struct ofp_tables *t, struct dp_rule *dp, uint8_t table,
              uint16_t priority)
{
    struct ofp_rule *r = ofp_rule_of(dp);

    r->table = table;
    r->priority = priority;
    base_list_add_tail(&t->table[table].rules, &r->link);
    t->table[table].n++;
    t->n_rules++;
    return r;
}

void
ofp_rule_unlink(struct ofp_tables *t, struct ofp_rule *r)
{
    struct ofp_cursor *c;

    BASE_LIST_FOR(c, &t->cursors, link)
        if (c->next == &r->link)
            c->next = r->link.next;
    base_list_del(&r->link);
    if (r->buried)
        return;
    t->table[r->table].n--;
    t->n_rules--;
}

void
ofp_rule_bury(struct ofp_tables *t, struct ofp_rule *r)
{
    r->buried = true;
    t->table[r->table].n--;
    t->n_rules--;
}

void
ofp_rule_revive(struct ofp_tables *t, struct ofp_rule *r)
{
    r->buried = false;
    t->table[r->table].n++;
    t->n_rules++;
}

void
ofp_rule_match(const struct ofp_rule *r, struct flow_match *m)
{
    dp_rule_get_match(ofp_rule_dp(r), m);
}

uint64_t
ofp_rule_cookie(const struct ofp_rule *r)
{
    struct dp_rule_info i;

    dp_rule_get(ofp_rule_dp(r), &i);
    return i.cookie;
}

bool
ofp_rule_within(const struct ofp_rule *r, const struct flow_match *wider)
{
    struct dp_rule_info info;
    const uint64_t *value;

    dp_rule_get(ofp_rule_dp(r), &info);
    value = info.values;
    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++) {
        uint64_t wm = flow_key_word(&wider->mask, i);
        bool has = info.words >> i & 1;
        uint64_t v = has ? *value : 0;

        value += has;
        if (!wm)
            continue;
        if ((flow_key_word(info.mask, i) & wm) != wm
            || (v & wm) != flow_key_word(&wider->key, i))
            return false;
    }
    return true;
}

bool
ofp_rule_overlaps(const struct ofp_rule *r, const struct flow_match *b)
{
    struct dp_rule_info info;
    const uint64_t *value;

    dp_rule_get(ofp_rule_dp(r), &info);
    value = info.values;
    for (uint32_t w = info.words; w; w &= w - 1) {
        unsigned i = (unsigned) __builtin_ctz(w);
        uint64_t both = flow_key_word(info.mask, i)
                        & flow_key_word(&b->mask, i);

        if ((*value++ ^ flow_key_word(&b->key, i)) & both)
            return false;
    }
    return true;
}

/* --------------------------------------------------------------- cursors */

void
ofp_cursor_start(struct ofp_tables *t, struct ofp_cursor *c, uint8_t table)
{
    c->table = table == ALL_TABLES ? 0 : table;
    c->last_table = table == ALL_TABLES ? DP_N_TABLES - 1 : table;
    c->next = t->table[c->table].rules.next;
    base_list_add_tail(&t->cursors, &c->link);
}

struct ofp_rule *
ofp_cursor_next(struct ofp_tables *t, struct ofp_cursor *c)
{
    struct ofp_rule *r;

    do {
        while (c->next == &t->table[c->table].rules) {
            if (c->table == c->last_table) {
                ofp_cursor_end(c);
                return NULL;
            }
            c->next = t->table[++c->table].rules.next;
        }
        r = WEFT_CONTAINER_OF(c->next, struct ofp_rule, link);
        c->next = c->next->next;
    } while (r->buried);
    return r;
}

void
ofp_cursor_end(struct ofp_cursor *c)
{
    base_list_del(&c->link);
}
