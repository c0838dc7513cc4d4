/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/tables.h"

#include <assert.h>
#include <string.h>

#include "utils/base/mem.h"

#define INDEX_MIN 64u
#define INDEX_STEP 8u /* Old buckets moved per insertion: done before the
                       * next growth, which is n insertions away. */
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

/* ----------------------------------------------------------------- index */

static void
index_link(struct ofp_bucket_array *a, struct ofp_rule *r)
{
    struct ofp_rule **b = &a->b[r->hash & a->mask];

    r->next = *b;
    *b = r;
}

/* Moves up to 'n' buckets of the old array. */
static void
index_move(struct ofp_tables *t, size_t n)
{
    for (; t->old.b && n; n--) {
        struct ofp_rule *r = t->old.b[t->moved], *next;

        for (t->old.b[t->moved] = NULL; r; r = next) {
            next = r->next;
            index_link(&t->cur, r);
        }
        if (t->moved++ == t->old.mask) {
            free(t->old.b);
            t->old.b = NULL;
        }
    }
}

static void
index_add(struct ofp_tables *t, struct ofp_rule *r)
{
    index_move(t, INDEX_STEP);
    if (t->n_rules > t->cur.mask && !t->old.b) {
        size_t size = 2 * (t->cur.mask + 1);

        t->old = t->cur;
        t->moved = 0;
        t->cur.b = base_xcalloc(size, sizeof(*t->cur.b));
        t->cur.mask = size - 1;
    }
    index_link(&t->cur, r);
}

static bool
bucket_unlink(struct ofp_bucket_array *a, struct ofp_rule *r)
{
    struct ofp_rule **p = &a->b[r->hash & a->mask];

    while (*p && *p != r)
        p = &(*p)->next;
    if (!*p)
        return false;
    *p = r->next;
    return true;
}

static void
index_del(struct ofp_tables *t, struct ofp_rule *r)
{
    bool found = bucket_unlink(&t->cur, r);

    if (!found && t->old.b)
        found = bucket_unlink(&t->old, r);
    assert(found);
    (void) found;
}

/* ----------------------------------------------------------------- rules */

void
ofp_tables_init(struct ofp_tables *t)
{
    memset(t, 0, sizeof *t);
    t->cur.b = base_xcalloc(INDEX_MIN, sizeof(*t->cur.b));
    t->cur.mask = INDEX_MIN - 1;
    for (unsigned i = 0; i < DP_N_TABLES; i++)
        base_list_init(&t->table[i].rules);
    base_hmap_init(&t->masks);
    base_list_init(&t->cursors);
}

void
ofp_tables_fini(struct ofp_tables *t)
{
    assert(!t->n_rules && !t->masks.n);
    free(t->cur.b);
    free(t->old.b);
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

static struct ofp_rule *
bucket_find(const struct ofp_bucket_array *a, uint32_t hash,
            const struct ofp_mask *m, uint8_t table, uint16_t priority,
            const uint64_t *key)
{
    size_t size = 8u * (unsigned) __builtin_popcount(m->words);
    struct ofp_rule *r;

    for (r = a->b[hash & a->mask]; r; r = r->next)
        if (r->hash == hash && r->mask == m && r->priority == priority
            && r->table == table && !memcmp(r->key, key, size))
            break;
    return r;
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
    uint32_t hash = rule_hash(m, table, priority, key, n);
    struct ofp_rule *r = bucket_find(&t->cur, hash, m, table, priority, key);

    if (!r && t->old.b)
        r = bucket_find(&t->old, hash, m, table, priority, key);
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
    r->hash = rule_hash(m, table, priority, r->key, n);
    index_add(t, r);
    base_list_add_tail(&t->table[table].rules, &r->link);
    t->table[table].n++;
    t->n_rules++;
    return r;
}

void
ofp_rule_destroy(struct ofp_tables *t, struct ofp_rule *r)
{
    struct ofp_cursor *c;

    BASE_LIST_FOR(c, &t->cursors, link)
        if (c->next == &r->link)
            c->next = r->link.next;
    index_del(t, r);
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
