/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/tables.h"

#include <assert.h>
#include <string.h>

#include "utils/base/mem.h"

#define ALL_TABLES 0xff

/* ----------------------------------------------------------------- masks */

static uint32_t
mask_hash(const struct flow_key *mask, uint32_t words)
{
    uint64_t h = base_hash_mix(0x6d61736b, words);

    for (uint32_t m = words; m; m &= m - 1)
        h = base_hash_mix(h, flow_key_word(mask, (unsigned) __builtin_ctz(m)));
    return base_hash_finish(h);
}

static struct ofp_mask *
mask_find(struct ofp_tables *t, const struct flow_key *mask)
{
    struct ofp_mask *m = t->last_mask;

    if (m && !memcmp(&m->mask, mask, sizeof *mask))
        return m;

    uint32_t words = flow_mask_words(mask);
    struct base_hnode *n = base_hmap_first(&t->masks, mask_hash(mask, words));

    for (; n; n = base_hmap_next_same(n)) {
        m = WEFT_CONTAINER_OF(n, struct ofp_mask, node);
        if (!memcmp(&m->mask, mask, sizeof *mask)) {
            t->last_mask = m;
            return m;
        }
    }
    return NULL;
}

static struct ofp_mask *
mask_get(struct ofp_tables *t, const struct flow_key *mask)
{
    struct ofp_mask *m = mask_find(t, mask);

    if (!m) {
        BASE_NEW(m);
        m->mask = *mask;
        m->words = flow_mask_words(mask);
        base_hmap_add(&t->masks, &m->node, mask_hash(mask, m->words));
        t->last_mask = m;
    }
    m->refs++;
    return m;
}

static void
mask_put(struct ofp_tables *t, struct ofp_mask *m)
{
    if (--m->refs)
        return;
    if (t->last_mask == m)
        t->last_mask = NULL;
    base_hmap_del(&t->masks, &m->node);
    free(m);
}

/* ----------------------------------------------------------------- rules */

void
ofp_tables_init(struct ofp_tables *t)
{
    memset(t, 0, sizeof *t);
    ofp_rule_index_init(&t->index);
    for (unsigned i = 0; i < DP_N_TABLES; i++)
        base_list_init(&t->table[i].rules);
    base_hmap_init(&t->masks);
    base_list_init(&t->cursors);
}

void
ofp_tables_fini(struct ofp_tables *t)
{
    assert(!t->n_rules && !t->masks.n);
    ofp_rule_index_fini(&t->index);
    base_hmap_fini(&t->masks);
}

static uint32_t
rule_hash(const struct ofp_mask *m, uint8_t table, uint16_t priority,
          const uint64_t *key, unsigned n)
{
    uint64_t h = base_hash_mix((uint64_t) (uintptr_t) m,
                               (uint64_t) table << 16 | priority);

    for (unsigned i = 0; i < n; i++)
        h = base_hash_mix(h, key[i]);
    return base_hash_finish(h);
}

struct ofp_rule *
ofp_rule_find(struct ofp_tables *t, uint8_t table, uint16_t priority,
              const struct flow_match *match)
{
    struct ofp_mask *m = mask_find(t, &match->mask);
    uint64_t key[FLOW_KEY_WORDS];

    if (!m)
        return NULL;

    unsigned n = flow_key_pack(&match->key, &match->mask, m->words, key);
    struct ofp_index_search s;
    struct ofp_rule *r;

    ofp_rule_index_search(&t->index, rule_hash(m, table, priority, key, n),
                          &s);
    while ((r = ofp_rule_index_next(&t->index, &s)))
        if (r->mask == m && r->priority == priority && r->table == table
            && !memcmp(r->key, key, 8u * n))
            break;
    return r;
}

struct ofp_rule *
ofp_rule_create(struct ofp_tables *t, uint8_t table, uint16_t priority,
                const struct flow_match *match)
{
    struct ofp_mask *m = mask_get(t, &match->mask);
    unsigned n = (unsigned) __builtin_popcount(m->words);
    struct ofp_rule *r = base_xmalloc(sizeof *r + 8u * n);

    memset(r, 0, sizeof *r);
    flow_key_pack(&match->key, &match->mask, m->words, r->key);
    r->mask = m;
    r->table = table;
    r->priority = priority;
    ofp_rule_index_add(&t->index,
                       rule_hash(m, table, priority, r->key, n), r);
    base_list_add_tail(&t->table[table].rules, &r->link);
    t->table[table].n++;
    t->n_rules++;
    return r;
}

void
ofp_rule_destroy(struct ofp_tables *t, struct ofp_rule *r)
{
    unsigned n = (unsigned) __builtin_popcount(r->mask->words);
    struct ofp_cursor *c;

    BASE_LIST_FOR(c, &t->cursors, link)
        if (c->next == &r->link)
            c->next = r->link.next;
    ofp_rule_index_del(&t->index,
                       rule_hash(r->mask, r->table, r->priority, r->key, n),
                       r);
    base_list_del(&r->link);
    t->table[r->table].n--;
    t->n_rules--;
    mask_put(t, r->mask);
    free(r);
}

void
ofp_rule_match(const struct ofp_rule *r, struct flow_match *m)
{
    flow_key_unpack(&m->key, r->mask->words, r->key);
    m->mask = r->mask->mask;
}

bool
ofp_rule_within(const struct ofp_rule *r, const struct flow_match *wider)
{
    const uint64_t *key = r->key;

    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++) {
        uint64_t wm = flow_key_word(&wider->mask, i);
        bool has = r->mask->words >> i & 1;
        uint64_t k = has ? *key : 0;

        key += has;
        if (!wm)
            continue;
        if ((flow_key_word(&r->mask->mask, i) & wm) != wm
            || (k & wm) != flow_key_word(&wider->key, i))
            return false;
    }
    return true;
}

bool
ofp_rule_overlaps(const struct ofp_rule *r, const struct flow_match *b)
{
    const uint64_t *key = r->key;

    for (uint32_t w = r->mask->words; w; w &= w - 1) {
        unsigned i = (unsigned) __builtin_ctz(w);
        uint64_t both = flow_key_word(&r->mask->mask, i)
                        & flow_key_word(&b->mask, i);

        if ((*key++ ^ flow_key_word(&b->key, i)) & both)
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
    while (c->next == &t->table[c->table].rules) {
        if (c->table == c->last_table) {
            ofp_cursor_end(c);
            return NULL;
        }
        c->next = t->table[++c->table].rules.next;
    }

    struct ofp_rule *r = WEFT_CONTAINER_OF(c->next, struct ofp_rule, link);

    c->next = c->next->next;
    return r;
}

void
ofp_cursor_end(struct ofp_cursor *c)
{
    base_list_del(&c->link);
}
