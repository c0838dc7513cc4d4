/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "datapath": compiled tables against a plain list of rules. */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/tables/table.h"
#include "utils/base/mem.h"

/* -------------------------------------------------------------- fixtures */

static uint64_t rng_state;

static uint32_t
rnd(uint32_t limit)
{
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return (uint32_t) ((rng_state >> 16) % limit);
}

/* What was handed to defer, until nobody can see it any more. */
struct grace {
    struct {
        void (*fn)(void *p);
        void *p;
    } *calls;
    size_t n, room;
};

static void
grace_defer(void *arg, void (*fn)(void *p), void *p)
{
    struct grace *g = arg;

    if (g->n == g->room) {
        g->room = g->room ? g->room * 2 : 64;
        g->calls = base_xrealloc(g->calls, g->room * sizeof *g->calls);
    }
    g->calls[g->n].fn = fn;
    g->calls[g->n++].p = p;
}

static void
grace_end(struct grace *g)
{
    for (size_t i = 0; i < g->n; i++)
        g->calls[i].fn(g->calls[i].p);
    g->n = 0;
}

struct rule {
    struct flow_match match;
    bool in;
    uint32_t id;
    struct tbl_rule tr; /* Last: values follow. */
};

static struct rule *
rule_of(struct tbl_rule *tr)
{
    return tr ? WEFT_CONTAINER_OF(tr, struct rule, tr) : NULL;
}

static struct rule *
rule_create(struct tbl *t, const struct flow_match *m, uint16_t priority)
{
    uint32_t map = flow_mask_words(&m->mask);
    struct rule *r = base_xcalloc(
        1, sizeof *r + 8u * (unsigned) __builtin_popcount(map));

    r->match = *m;
    r->tr.mask = tbl_mask_get(t, &m->mask);
    ck_assert_ptr_nonnull(r->tr.mask);
    r->tr.priority = priority;
    r->tr.n_values =
        (uint8_t) flow_key_pack(&m->key, &m->mask, map, r->tr.values);
    return r;
}

static void
rule_insert(struct tbl *t, struct rule *r)
{
    ck_assert_int_eq(tbl_insert(t, &r->tr, NULL), 0);
    r->in = true;
}

/* Removes the rule from the table; its memory goes with the grace period. */
static void
rule_remove(struct tbl *t, struct rule *r, struct grace *g)
{
    tbl_remove(t, &r->tr);
    tbl_mask_put(t, r->tr.mask);
    r->in = false;
    grace_defer(g, free, r);
}

/* A small world, so that rules overlap and keys hit. */
static struct flow_key
key_random(void)
{
    struct flow_key k = {
        .in_port = be32_from(1 + rnd(4)),
        .eth_type = be16_from(rnd(4) ? 0x0800 : 0x86dd),
        .ip_proto = rnd(2) ? 6 : 17,
        .ip_src = be32_from(0x0a000000 | rnd(4) << 16 | rnd(4) << 8 | rnd(8)),
        .ip_dst = be32_from(0x0a000000 | rnd(4) << 16 | rnd(4) << 8 | rnd(8)),
        .tp_src = be16_from((uint16_t) rnd(8)),
        .tp_dst = be16_from((uint16_t) rnd(8)),
        .metadata = be64_from(rnd(3)),
    };

    k.eth_dst[5] = (uint8_t) rnd(4);
    k.ipv6_src[15] = (uint8_t) rnd(4);
    return k;
}

/* One of at most 'n_masks' masks. */
static struct flow_key
mask_random(uint32_t n_masks)
{
    uint64_t saved = rng_state;
    struct flow_key m = { 0 };
    uint32_t which = rnd(n_masks);

    saved = rng_state;
    rng_state = UINT64_C(0x9e3779b97f4a7c15) * (which + 1);
    rnd(2);
    if (rnd(3) == 0)
        m.in_port = UINT32_MAX;
    if (rnd(2))
        m.eth_type = UINT16_MAX;
    if (rnd(2))
        m.ip_proto = UINT8_MAX;
    m.ip_src = be32_from((uint32_t) (UINT64_C(0xffffffff) << rnd(33)));
    m.ip_dst = be32_from((uint32_t) (UINT64_C(0xffffffff) << rnd(33)));
    if (rnd(2))
        m.tp_dst = be16_from((uint16_t) (0xffff << rnd(4)));
    if (rnd(4) == 0)
        m.tp_src = UINT16_MAX;
    if (rnd(4) == 0)
        m.eth_dst[5] = UINT8_MAX;
    if (rnd(8) == 0)
        m.metadata = UINT64_MAX;
    if (rnd(8) == 0)
        memset(m.ipv6_src, 0xff, 16);
    if (which == 0)
        memset(&m, 0, sizeof m);
    rng_state = saved;
    return m;
}

static struct flow_match
match_random(uint32_t n_masks)
{
    struct flow_match m = { .key = key_random(),
                            .mask = mask_random(n_masks) };

    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
        flow_key_set_word(&m.key, i,
                          flow_key_word(&m.key, i)
                              & flow_key_word(&m.mask, i));
    return m;
}

/* ------------------------------------------------------------------ oracle */

struct world {
    struct tbl *t;
    struct grace grace;
    struct rule **rules;
    uint32_t n;
};

static void
world_init(struct world *w, uint32_t room)
{
    struct tbl_env env = { .defer = grace_defer, .arg = &w->grace,
                           .seed = 42 };

    memset(w, 0, sizeof *w);
    w->t = tbl_create(&env);
    ck_assert_ptr_nonnull(w->t);
    w->rules = base_xcalloc(room, sizeof *w->rules);
}

static void
world_fini(struct world *w)
{
    while (w->n)
        rule_remove(w->t, w->rules[--w->n], &w->grace);
    grace_end(&w->grace);
    tbl_destroy(w->t);
    grace_end(&w->grace);
    free(w->grace.calls);
    free(w->rules);
}

/* Highest priority among all matching rules, -1: none. */
static int
oracle(const struct world *w, const struct flow_key *k)
{
    int best = -1;

    for (uint32_t i = 0; i < w->n; i++)
        if (flow_match_test(&w->rules[i]->match, k))
            best = WEFT_MAX(best, (int) w->rules[i]->tr.priority);
    return best;
}

static void
world_check(const struct world *w, unsigned bursts)
{
    struct flow_key keys[TBL_BURST_MAX];
    const struct flow_key *ptr[TBL_BURST_MAX];
    struct tbl_rule *got[TBL_BURST_MAX];

    while (bursts--) {
        unsigned n = 1 + rnd(TBL_BURST_MAX);

        for (unsigned i = 0; i < n; i++) {
            keys[i] = key_random();
            ptr[i] = &keys[i];
        }
        tbl_lookup_burst(w->t, ptr, n, got);
        for (unsigned i = 0; i < n; i++) {
            ck_assert_int_eq(got[i] ? (int) got[i]->priority : -1,
                             oracle(w, &keys[i]));
            if (got[i]) {
                ck_assert(rule_of(got[i])->in);
                ck_assert(flow_match_test(&rule_of(got[i])->match, &keys[i]));
            }
        }
    }
}

static void
world_check_info(const struct world *w)
{
    struct flow_key got, want = { 0 };
    struct tbl_info info;

    for (uint32_t r = 0; r < w->n; r++)
        for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
            flow_key_set_word(&want, i,
                              flow_key_word(&want, i)
                                  | flow_key_word(&w->rules[r]->match.mask,
                                                  i));
    tbl_union_mask(w->t, &got);
    ck_assert_mem_eq(&got, &want, sizeof got);
    tbl_get_info(w->t, &info);
    ck_assert_uint_eq(info.n_rules, w->n);
}

/* ------------------------------------------------------------------- tests */

static const struct shape {
    uint32_t masks, rules, priorities;
} shapes[] = {
    { 1, 3, 4 },        { 4, 12, 65536 },   { 3, 300, 16 },
    { 1, 500, 65536 },  { 8, 400, 8 },      { 30, 500, 65536 },
    { 300, 600, 65536 }, { 300, 1500, 100 }, { 2, 2000, 65536 },
};

START_TEST(test_table_random_rules_agree_with_a_plain_list)
{
    const struct shape *s = &shapes[_i];
    struct world w;

    rng_state = 88172645463325252u + (uint64_t) _i;
    world_init(&w, s->rules);
    for (unsigned step = 0; step < 4 * s->rules; step++) {
        /* Fills up, stays, empties: all forms in both directions. */
        uint32_t fill = step < 2 * s->rules ? 80 : step < 3 * s->rules ? 50
                                                                       : 15;

        if (w.n < s->rules && rnd(100) < fill) {
            struct flow_match m = match_random(s->masks);

            w.rules[w.n] = rule_create(w.t, &m, (uint16_t) rnd(s->priorities));
            rule_insert(w.t, w.rules[w.n++]);
        } else if (w.n) {
            uint32_t i = rnd(w.n);

            rule_remove(w.t, w.rules[i], &w.grace);
            w.rules[i] = w.rules[--w.n];
        }
        if (step % 7 == 0)
            grace_end(&w.grace);
        if (rnd(50) == 0)
            (void) tbl_work(w.t, rnd(20));
        if (step % 16 == 0 || w.n < 20)
            world_check(&w, 1);
        if (step % 128 == 0)
            world_check_info(&w);
    }
    world_check(&w, 20);
    world_check_info(&w);
    world_fini(&w);
}
END_TEST

START_TEST(test_table_equal_matches_of_all_priorities_give_the_highest)
{
    struct world w;
    struct flow_match m = { 0 };
    struct flow_key k = { 0 };
    const struct flow_key *ptr = &k;
    struct tbl_rule *got;

    rng_state = 7;
    world_init(&w, 1000);
    m.key.tp_dst = k.tp_dst = be16_from(80);
    m.mask.tp_dst = UINT16_MAX;
    for (unsigned i = 0; i < 1000; i++) {
        w.rules[w.n] = rule_create(w.t, &m, (uint16_t) (i * 7919 % 1000));
        rule_insert(w.t, w.rules[w.n++]);
    }
    while (w.n) {
        uint32_t i = rnd(w.n);

        tbl_lookup_burst(w.t, &ptr, 1, &got);
        ck_assert_int_eq(got->priority, oracle(&w, &k));
        rule_remove(w.t, w.rules[i], &w.grace);
        w.rules[i] = w.rules[--w.n];
    }
    tbl_lookup_burst(w.t, &ptr, 1, &got);
    ck_assert_ptr_null(got);
    world_fini(&w);
}
END_TEST

START_TEST(test_table_one_mask_of_many_rules_is_small_and_finds_all)
{
    enum { N = 100000 };
    struct world w;
    struct flow_match m = { 0 };
    struct tbl_info info;

    world_init(&w, N);
    m.mask.ip_dst = UINT32_MAX;
    m.mask.tp_dst = UINT16_MAX;
    for (uint32_t i = 0; i < N; i++) {
        m.key.ip_dst = be32_from(i * 2654435761u);
        m.key.tp_dst = be16_from((uint16_t) i);
        w.rules[i] = rule_create(w.t, &m, 10);
        rule_insert(w.t, w.rules[i]);
        w.n++;
    }
    tbl_get_info(w.t, &info);
    ck_assert_str_eq(info.form, "hash");
    ck_assert_uint_le(info.memory, 40 * N);
    for (uint32_t i = 0; i < N; i++) {
        const struct flow_key *ptr = &w.rules[i]->match.key;
        struct tbl_rule *got;

        tbl_lookup_burst(w.t, &ptr, 1, &got);
        ck_assert_ptr_eq(got, &w.rules[i]->tr);
    }
    while (w.n > 10)
        rule_remove(w.t, w.rules[--w.n], &w.grace);
    tbl_get_info(w.t, &info);
    ck_assert_uint_le(info.memory, 16384);
    world_fini(&w);
}
END_TEST

START_TEST(test_table_many_masks_are_merged_into_few_probes)
{
    struct world w;
    struct tbl_info info;

    rng_state = 4711;
    world_init(&w, 4000);
    /* Filters by prefix and port: 300 masks. */
    for (uint32_t i = 0; i < 4000; i++) {
        struct flow_match m = { .mask.eth_type = UINT16_MAX,
                                .key.eth_type = be16_from(0x0800) };

        m.mask.ip_src = be32_from(UINT32_MAX << rnd(10));
        m.mask.ip_dst = be32_from(UINT32_MAX << rnd(10));
        m.mask.tp_dst = be16_from((uint16_t) (0xffff << 4 * rnd(3)));
        m.key.ip_src = be32_from(rnd(UINT32_MAX)) & m.mask.ip_src;
        m.key.ip_dst = be32_from(rnd(UINT32_MAX)) & m.mask.ip_dst;
        m.key.tp_dst = be16_from((uint16_t) rnd(65536)) & m.mask.tp_dst;
        w.rules[w.n] = rule_create(w.t, &m, (uint16_t) rnd(65536));
        rule_insert(w.t, w.rules[w.n++]);
    }
    while (tbl_work(w.t, 100))
        continue;
    tbl_get_info(w.t, &info);
    ck_assert_str_eq(info.form, "merged");
    ck_assert_uint_ge(info.n_masks, 250);
    ck_assert_uint_le(info.max_probes, 40);
    ck_assert_uint_le(info.memory, 4000u * 300);
    for (uint32_t i = 0; i < w.n; i++) {
        const struct flow_key *ptr = &w.rules[i]->match.key;
        struct tbl_rule *got;

        tbl_lookup_burst(w.t, &ptr, 1, &got);
        ck_assert_int_eq(got->priority, oracle(&w, ptr));
    }
    world_fini(&w);
}
END_TEST

/* Three masks of many rules, then a fourth: clusters take over when all rules
 * have moved, and a rule that goes meanwhile is not found any more. */
START_TEST(test_table_moves_to_clusters_in_steps)
{
    struct world w;
    struct tbl_info info;
    uint32_t steps = 0;

    world_init(&w, 2000);
    for (uint32_t i = 0; i < 2000; i++) {
        uint32_t shape = i < 1999 ? i % 3 : 3;
        struct flow_match m = { .mask.ip_dst = UINT32_MAX };

        m.key.ip_dst = i;
        if (shape & 1)
            m.mask.tp_dst = m.key.tp_dst = UINT16_MAX;
        if (shape & 2)
            m.mask.tp_src = m.key.tp_src = UINT16_MAX;
        w.rules[w.n] = rule_create(w.t, &m, (uint16_t) i);
        rule_insert(w.t, w.rules[w.n++]);
    }
    tbl_get_info(w.t, &info);
    ck_assert_str_eq(info.form, "hash");
    ck_assert_uint_eq(info.n_masks, 4);
    for (uint32_t i = 0; i < 200; i++) {
        rule_remove(w.t, w.rules[i * 3], &w.grace);
        w.rules[i * 3] = w.rules[--w.n];
        steps += tbl_work(w.t, 2);
    }
    while (tbl_work(w.t, 100))
        steps++;
    ck_assert_uint_gt(steps, 10);
    tbl_get_info(w.t, &info);
    ck_assert_str_eq(info.form, "merged");
    for (uint32_t i = 0; i < w.n; i++) {
        const struct flow_key *ptr = &w.rules[i]->match.key;
        struct tbl_rule *got;

        tbl_lookup_burst(w.t, &ptr, 1, &got);
        ck_assert_ptr_eq(got, &w.rules[i]->tr);
    }
    world_fini(&w);
}
END_TEST

/* ------------------------------------------------------------- long groups */

enum { NASTY_BITS, NASTY_NESTED, NASTY_RANGES, NASTY_FIELDS, NASTY_MIXED };

/* Rules that have next to nothing in common. */
static struct flow_key
mask_nasty(int kind)
{
    struct flow_key m = { 0 };

    switch (kind) {
    case NASTY_BITS: /* One to three bits, anywhere. */
        for (unsigned i = 1 + rnd(3); i; i--)
            switch (rnd(3)) {
            case 0: m.ip_src |= be32_from(UINT32_C(1) << rnd(20)); break;
            case 1: m.ip_dst |= be32_from(UINT32_C(1) << rnd(20)); break;
            default: m.tp_dst |= be16_from((uint16_t) (1 << rnd(3))); break;
            }
        break;
    case NASTY_NESTED: /* Prefixes of all lengths, or none, of two fields. */
        m.ip_src = be32_from((uint32_t) (UINT64_C(0xffffffff) << rnd(33)));
        m.ip_dst = be32_from((uint32_t) (UINT64_C(0xffffffff) << rnd(33)));
        break;
    case NASTY_RANGES:
        m.tp_src = be16_from((uint16_t) (0xffffu << rnd(17)));
        m.tp_dst = be16_from((uint16_t) (0xffffu << rnd(17)));
        m.ip_src = rnd(2) ? UINT32_MAX : 0;
        break;
    default: /* Each rule knows one field. */
        switch (rnd(8)) {
        case 0: m.ip_src = UINT32_MAX; break;
        case 1: m.ip_dst = UINT32_MAX; break;
        case 2: m.tp_src = UINT16_MAX; break;
        case 3: m.tp_dst = UINT16_MAX; break;
        case 4: m.eth_dst[5] = UINT8_MAX; break;
        case 5: m.ipv6_src[15] = UINT8_MAX; break;
        case 6: m.metadata = UINT64_MAX; break;
        default: m.in_port = UINT32_MAX; break;
        }
        break;
    }
    return m;
}

START_TEST(test_table_long_groups_agree_with_a_plain_list)
{
    enum { ROOM = 1200 };
    struct world w;
    struct tbl_info info;

    rng_state = 314159265 + (uint64_t) _i;
    world_init(&w, ROOM);
    for (unsigned step = 0; step < 4 * ROOM; step++) {
        uint32_t fill = step < 2 * ROOM ? 85 : step < 3 * ROOM ? 50 : 15;

        if (w.n < ROOM && rnd(100) < fill) {
            int kind = _i == NASTY_MIXED ? (int) rnd(NASTY_MIXED) : _i;
            struct flow_match m = { .key = key_random(),
                                    .mask = mask_nasty(kind) };

            for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
                flow_key_set_word(&m.key, i,
                                  flow_key_word(&m.key, i)
                                      & flow_key_word(&m.mask, i));
            w.rules[w.n] = rule_create(w.t, &m, (uint16_t) rnd(60000));
            rule_insert(w.t, w.rules[w.n++]);
        } else if (w.n) {
            uint32_t i = rnd(w.n);

            rule_remove(w.t, w.rules[i], &w.grace);
            w.rules[i] = w.rules[--w.n];
        }
        if (step % 7 == 0)
            grace_end(&w.grace);
        if (step % 16 == 0)
            world_check(&w, 1);
        if (step % 256 == 0)
            world_check_info(&w);
    }
    world_check(&w, 20);
    while (w.n)
        rule_remove(w.t, w.rules[--w.n], &w.grace);
    tbl_get_info(w.t, &info);
    ck_assert_uint_le(info.max_probes, 1);
    world_fini(&w);
}
END_TEST

/* Filter sets as operators write them: 0 access list, 1 firewall, 2 chain of
 * packet filters of hosts, which often say only one thing. */
static struct flow_match
match_filter(int kind)
{
    static const uint32_t any_src[] = { 15, 50, 30 };
    static const uint32_t any_dst[] = { 5, 30, 35 };
    static const uint32_t any_sport[] = { 98, 70, 60 };
    static const uint32_t any_dport[] = { 25, 30, 45 };
    struct flow_match m = { .mask.eth_type = UINT16_MAX };

    if (rnd(100) >= any_src[kind])
        m.mask.ip_src = be32_from(UINT32_MAX << (rnd(2) ? 0 : rnd(18)));
    if (rnd(100) >= any_dst[kind])
        m.mask.ip_dst = be32_from(UINT32_MAX << (rnd(2) ? 0 : rnd(18)));
    if (rnd(100) >= any_sport[kind])
        m.mask.tp_src = be16_from((uint16_t) (0xffffu << (rnd(2) ? 0
                                                                : rnd(11))));
    if (rnd(100) >= any_dport[kind])
        m.mask.tp_dst = be16_from((uint16_t) (0xffffu << (rnd(2) ? 0
                                                                : rnd(11))));
    if (rnd(8))
        m.mask.ip_proto = UINT8_MAX;
    m.key.eth_type = be16_from(0x0800);
    m.key.ip_proto = rnd(4) ? 6 : 17;
    m.key.ip_src = be32_from(rnd(61) * 0x01030000u + rnd(0x40000));
    m.key.ip_dst = be32_from(rnd(61) * 0x01030000u + rnd(0x40000));
    m.key.tp_src = be16_from((uint16_t) rnd(65536));
    m.key.tp_dst = be16_from((uint16_t) rnd(65536));
    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
        flow_key_set_word(&m.key, i,
                          flow_key_word(&m.key, i)
                              & flow_key_word(&m.mask, i));
    return m;
}

START_TEST(test_table_filter_sets_keep_their_bound_of_probes)
{
    enum { N = 10000 };
    struct world w;
    struct tbl_info info;

    rng_state = 271828182 + (uint64_t) _i;
    world_init(&w, N);
    for (uint32_t i = 0; i < N; i++) {
        struct flow_match m = match_filter(_i);

        w.rules[w.n] = rule_create(w.t, &m, (uint16_t) rnd(65536));
        rule_insert(w.t, w.rules[w.n++]);
        if (i % 64 == 0)
            grace_end(&w.grace);
    }
    while (tbl_work(w.t, 1000))
        grace_end(&w.grace);
    tbl_get_info(w.t, &info);
    ck_assert_str_eq(info.form, "merged");
    ck_assert_uint_ge(info.n_masks, 2000);
    ck_assert_uint_le(info.max_probes, 128);
    ck_assert_uint_le(info.memory, 350u * N);
    for (uint32_t i = 0; i < N; i += 20) {
        const struct flow_key *ptr = &w.rules[i]->match.key;
        struct tbl_rule *got;

        tbl_lookup_burst(w.t, &ptr, 1, &got);
        ck_assert_int_eq(got->priority, oracle(&w, ptr));
    }
    world_fini(&w);
}
END_TEST

/* --------------------------------------------------- reader beside a writer */

struct beside {
    struct world w;
    atomic_bool stop;
    _Atomic uint64_t bursts;
    atomic_uint wrong;
    struct flow_key fixed[64]; /* Always matched by the top rule of theirs. */
    struct rule *fixed_rule[64];
};

static void *
reader(void *arg)
{
    struct beside *b = arg;
    const struct flow_key *ptr[TBL_BURST_MAX];
    struct tbl_rule *got[TBL_BURST_MAX];
    unsigned at = 0;

    while (!atomic_load(&b->stop)) {
        for (unsigned i = 0; i < TBL_BURST_MAX; i++)
            ptr[i] = &b->fixed[(at + i) % 64];
        tbl_lookup_burst(b->w.t, ptr, TBL_BURST_MAX, got);
        for (unsigned i = 0; i < TBL_BURST_MAX; i++)
            if (got[i] != &b->fixed_rule[(at + i) % 64]->tr)
                atomic_fetch_add(&b->wrong, 1);
        at += 17;
        atomic_fetch_add(&b->bursts, 1);
    }
    return NULL;
}

/* Frees what was deferred once the reader has gone through a whole burst. */
static void
beside_quiesce(struct beside *b)
{
    uint64_t from = atomic_load(&b->bursts);

    while (atomic_load(&b->bursts) < from + 2)
        sched_yield();
    grace_end(&b->w.grace);
}

START_TEST(test_table_reader_beside_writer_never_loses_a_rule)
{
    struct beside b = { .stop = false };
    uint32_t masks = _i ? 200 : 4;
    pthread_t thread;

    rng_state = 99;
    world_init(&b.w, 4000);
    /* Values that no random rule has, so every fixed key has one answer. */
    for (unsigned i = 0; i < 64; i++) {
        struct flow_match m = { .key = key_random() };

        m.key.in_port = be32_from(1000 + i);
        m.mask = mask_random(masks);
        m.mask.in_port = UINT32_MAX;
        b.fixed[i] = m.key;
        for (unsigned j = 0; j < FLOW_KEY_WORDS; j++)
            flow_key_set_word(&m.key, j,
                              flow_key_word(&m.key, j)
                                  & flow_key_word(&m.mask, j));
        b.fixed_rule[i] = b.w.rules[b.w.n++] =
            rule_create(b.w.t, &m, UINT16_MAX);
        rule_insert(b.w.t, b.fixed_rule[i]);
    }
    ck_assert_int_eq(pthread_create(&thread, NULL, reader, &b), 0);
    for (unsigned step = 0; step < 12000; step++) {
        bool fill = step / 3000 % 2 == 0;

        if (b.w.n < 64 + 3000 && rnd(100) < (fill ? 90 : 10)) {
            struct flow_match m = match_random(masks);
            struct rule *r;

            if (_i == 2) { /* With the fixed ones, in long groups. */
                m.mask = mask_nasty((int) rnd(NASTY_MIXED));
                m.mask.in_port = UINT32_MAX;
                m.key.in_port = be32_from(1000 + rnd(64));
                for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
                    flow_key_set_word(&m.key, i,
                                      flow_key_word(&m.key, i)
                                          & flow_key_word(&m.mask, i));
            }
            r = rule_create(b.w.t, &m, (uint16_t) rnd(60000));

            b.w.rules[b.w.n++] = r;
            rule_insert(b.w.t, r);
        } else if (b.w.n > 64) {
            uint32_t i = 64 + rnd(b.w.n - 64);

            rule_remove(b.w.t, b.w.rules[i], &b.w.grace);
            b.w.rules[i] = b.w.rules[--b.w.n];
        }
        if (step % 64 == 0)
            beside_quiesce(&b);
    }
    atomic_store(&b.stop, true);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(atomic_load(&b.wrong), 0);
    ck_assert_uint_gt(atomic_load(&b.bursts), 100);
    world_fini(&b.w);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("datapath");
    TCase *tc = tcase_create("tables");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, test_table_random_rules_agree_with_a_plain_list, 0,
                        WEFT_ARRAY_LEN(shapes));
    tcase_add_test(
        tc, test_table_equal_matches_of_all_priorities_give_the_highest);
    tcase_add_test(tc,
                   test_table_one_mask_of_many_rules_is_small_and_finds_all);
    tcase_add_test(tc, test_table_many_masks_are_merged_into_few_probes);
    tcase_add_test(tc, test_table_moves_to_clusters_in_steps);
    tcase_add_loop_test(
        tc, test_table_reader_beside_writer_never_loses_a_rule, 0, 3);
    tcase_add_loop_test(tc, test_table_long_groups_agree_with_a_plain_list, 0,
                        NASTY_MIXED + 1);
    tcase_add_loop_test(
        tc, test_table_filter_sets_keep_their_bound_of_probes, 0, 3);
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
