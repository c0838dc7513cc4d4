/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "ofproto": rules, cursors, shared instructions, timeouts. */
#include <check.h>
#include <limits.h>
#include <stdlib.h>

#include "ofproto/instr.h"
#include "ofproto/tables.h"
#include "ofproto/timers.h"
#include "tests/support/dummy_dp.h"

static struct ofp_tables tables;

static void
setup(void)
{
    ofp_tables_init(&tables);
}

static void
teardown(void)
{
    struct ofp_cursor c;
    struct ofp_rule *r;

    ofp_cursor_start(&tables, &c, 0xff);
    while ((r = ofp_cursor_next(&tables, &c)))
        ofp_rule_destroy(&tables, r);
    ofp_tables_fini(&tables);
}

/* "ip,nw_dst=N", with the upper 'plen' bits of N compared. */
static struct flow_match
ip_match(uint32_t n, unsigned plen)
{
    struct flow_match m = { 0 };
    uint32_t mask = plen ? ~0u << (32 - plen) : 0;

    m.key.eth_type = be16_from(0x0800);
    m.mask.eth_type = 0xffff;
    m.key.ip_dst = be32_from(n & mask);
    m.mask.ip_dst = be32_from(mask);
    return m;
}

START_TEST(test_tables_find_takes_exactly_table_priority_and_match)
{
    struct flow_match m = ip_match(0x0a000001, 32);
    struct flow_match wide = ip_match(0x0a000001, 24);
    struct ofp_rule *r = ofp_rule_create(&tables, 3, 100, &m);

    ck_assert_ptr_eq(ofp_rule_find(&tables, 3, 100, &m), r);
    ck_assert_ptr_null(ofp_rule_find(&tables, 4, 100, &m));
    ck_assert_ptr_null(ofp_rule_find(&tables, 3, 101, &m));
    ck_assert_ptr_null(ofp_rule_find(&tables, 3, 100, &wide));
    m = ip_match(0x0a000002, 32);
    ck_assert_ptr_null(ofp_rule_find(&tables, 3, 100, &m));
}
END_TEST

START_TEST(test_tables_hold_while_the_index_grows_and_shrinks)
{
    enum { N = 30000 };
    static struct ofp_rule *rules[N];

    for (unsigned i = 0; i < N; i++) {
        struct flow_match m = ip_match(i * 7919u, i % 3 ? 32 : 0);

        if (i % 3 == 0)
            m.key.in_port = be32_from(i), m.mask.in_port = ~0u;
        ck_assert_ptr_null(ofp_rule_find(&tables, 0, 5, &m));
        rules[i] = ofp_rule_create(&tables, 0, 5, &m);
        /* While buckets move, the oldest and the newest are found. */
        ofp_rule_match(rules[0], &m);
        ck_assert_ptr_eq(ofp_rule_find(&tables, 0, 5, &m), rules[0]);
    }
    for (unsigned i = 1; i < N; i += 2)
        ofp_rule_destroy(&tables, rules[i]);
    ck_assert_uint_eq(tables.n_rules, N / 2);
    ck_assert_uint_eq(tables.table[0].n, N / 2);
    for (unsigned i = 0; i < N; i++) {
        struct flow_match m = ip_match(i * 7919u, i % 3 ? 32 : 0);

        if (i % 3 == 0)
            m.key.in_port = be32_from(i), m.mask.in_port = ~0u;
        ck_assert_ptr_eq(ofp_rule_find(&tables, 0, 5, &m),
                         i % 2 ? NULL : rules[i]);
    }
    ck_assert_uint_eq(tables.masks.n, 2);
}
END_TEST

/* Addresses that differ in the byte that comes last on the wire must not
 * pile up in the index: that byte is the highest of the word that is hashed. */
START_TEST(test_tables_index_given_neighbouring_addresses_spreads_them)
{
    enum { N = 4096 };
    const struct ofp_index_array *a = &tables.index.cur;
    uint32_t longest = 0;

    for (unsigned i = 0; i < N; i++) {
        struct flow_match m = ip_match(0x0a000000 + i, 32);

        ofp_rule_create(&tables, 0, 1, &m);
    }
    for (uint32_t i = 0; i <= a->mask; i++)
        if (a->hash[i])
            longest = WEFT_MAX(longest, (i - a->hash[i]) & a->mask);
    ck_assert_uint_le(longest, 64);
}
END_TEST

/* Rules are only pointers to the index: any address will do.  Few hashes, so
 * that searches run into each other, across growth and the move after it. */
START_TEST(test_tables_index_given_random_changes_agrees_with_a_plain_list)
{
    enum { N = 3000, STEPS = 60000 };
    static char there[N];
    static const char base[N];
    struct ofp_rule_index x;
    unsigned seed = 7, n_there = 0;

    memset(there, 0, sizeof there);
    ofp_rule_index_init(&x);
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned i = (unsigned) rand_r(&seed) % WEFT_MIN(step / 8 + 1, N);
        uint32_t hash = i % 700 * (i % 3 ? 1 : UINT32_C(0x01000193));
        struct ofp_rule *r = (void *) (uintptr_t) &base[i], *found;
        struct ofp_index_search s;
        unsigned hits = 0;

        ofp_rule_index_search(&x, hash, &s);
        while ((found = ofp_rule_index_next(&x, &s)))
            hits += found == r;
        ck_assert_uint_eq(hits, there[i]);
        if (there[i])
            ofp_rule_index_del(&x, hash, r);
        else
            ofp_rule_index_add(&x, hash, r);
        there[i] = !there[i];
        n_there += there[i] ? 1 : UINT_MAX;
    }
    ck_assert_uint_gt(n_there, N / 4);
    ofp_rule_index_fini(&x);
}
END_TEST

START_TEST(test_tables_match_comes_back_as_it_went_in)
{
    struct flow_match m = ip_match(0xc0a80101, 29), back;

    m.key.metadata = be64_from(7);
    m.mask.metadata = be64_from(0xff);
    m.key.nd_tll[5] = 1;
    m.mask.nd_tll[5] = 1;
    ofp_rule_match(ofp_rule_create(&tables, 0, 1, &m), &back);
    ck_assert(flow_match_equal(&m, &back));
}
END_TEST

START_TEST(test_tables_within_and_overlaps_agree_with_the_full_match)
{
    unsigned seed = 42, n_within = 0, n_overlap = 0;

    for (unsigned i = 0; i < 20000; i++) {
        struct flow_match a = ip_match((unsigned) rand_r(&seed) & 3,
                                       30 + rand_r(&seed) % 3);
        struct flow_match b = ip_match((unsigned) rand_r(&seed) & 3,
                                       30 + rand_r(&seed) % 3);

        if (rand_r(&seed) & 1)
            a.key.in_port = be32_from(rand_r(&seed) & 1), a.mask.in_port = ~0u;
        if (rand_r(&seed) & 1)
            b.key.in_port = be32_from(rand_r(&seed) & 1), b.mask.in_port = ~0u;

        struct ofp_rule *r = ofp_rule_create(&tables, 0, 1, &a);

        ck_assert_int_eq(ofp_rule_within(r, &b), flow_match_within(&a, &b));
        ck_assert_int_eq(ofp_rule_overlaps(r, &b), flow_match_overlaps(&a, &b));
        n_within += ofp_rule_within(r, &b);
        n_overlap += ofp_rule_overlaps(r, &b);
        ofp_rule_destroy(&tables, r);
    }
    ck_assert_uint_gt(n_within, 500);
    ck_assert_uint_gt(n_overlap, n_within);
    ck_assert_uint_lt(n_overlap, 19000);
}
END_TEST

START_TEST(test_tables_cursor_sees_every_survivor_once)
{
    struct ofp_rule *r[10];
    unsigned seen[10] = { 0 };
    struct ofp_cursor c;
    struct ofp_rule *at;

    for (unsigned i = 0; i < 10; i++) {
        struct flow_match m = ip_match(i, 32);

        r[i] = ofp_rule_create(&tables, (uint8_t) (i / 4 * 7), 1, &m);
        r[i]->cookie = i;
    }
    ofp_cursor_start(&tables, &c, 0xff);
    for (unsigned n = 0; (at = ofp_cursor_next(&tables, &c)); n++) {
        seen[at->cookie]++;
        if (n == 1) { /* The next, the last of its table, and a far one. */
            ofp_rule_destroy(&tables, r[2]);
            ofp_rule_destroy(&tables, r[3]);
            ofp_rule_destroy(&tables, r[9]);
        }
        if (n == 2) /* The current one. */
            ofp_rule_destroy(&tables, at);
    }
    static const unsigned want[10] = { 1, 1, 0, 0, 1, 1, 1, 1, 1, 0 };

    ck_assert_mem_eq(seen, want, sizeof want);
    ck_assert(base_list_empty(&tables.cursors));
}
END_TEST

START_TEST(test_tables_cursor_given_one_table_stays_there)
{
    struct flow_match m = ip_match(1, 32);
    struct ofp_cursor c;

    ofp_rule_create(&tables, 0, 1, &m);
    struct ofp_rule *r = ofp_rule_create(&tables, 1, 1, &m);
    ofp_rule_create(&tables, 2, 1, &m);
    ofp_cursor_start(&tables, &c, 1);
    ck_assert_ptr_eq(ofp_cursor_next(&tables, &c), r);
    ck_assert_ptr_null(ofp_cursor_next(&tables, &c));
}
END_TEST

START_TEST(test_instr_equal_blocks_are_one_and_differ_in_any_part)
{
    struct dp_op out1 = { DP_OP_OUTPUT, 1, 0, 1 };
    struct dp_op out2 = { DP_OP_OUTPUT, 1, 0, 2 };
    struct dp_instr base = { .apply = { &out1, 1 }, .goto_table = DP_NO_TABLE };
    struct dp_instr other[] = { base, base, base, base, base, base };
    struct ofp_instr_pool pool;
    struct ofp_instr *b[6], *same;
    struct dp_instr view;

    other[0].apply.ops = &out2;
    other[1].apply = (struct dp_op_list) { NULL, 0 };
    other[1].write = base.apply;
    other[2].clear = true;
    other[3].goto_table = 4;
    other[4].metadata_mask = 1;
    other[5].meter = 1;
    ofp_instr_pool_init(&pool);
    same = ofp_instr_get(&pool, &base);
    ck_assert_ptr_eq(ofp_instr_get(&pool, &base), same);
    ck_assert_uint_eq(same->refs, 2);
    for (unsigned i = 0; i < 6; i++)
        b[i] = ofp_instr_get(&pool, &other[i]);
    ck_assert_uint_eq(pool.map.n, 7);
    ofp_instr_view(same, &view);
    ck_assert_uint_eq(view.apply.n_words, 1);
    ck_assert_mem_eq(view.apply.ops, &out1, 8);
    ck_assert(ofp_instr_outputs(same, 1) && !ofp_instr_outputs(same, 2));
    ck_assert(ofp_instr_outputs(b[1], 1));
    for (unsigned i = 0; i < 6; i++)
        ofp_instr_put(&pool, b[i]);
    ofp_instr_put(&pool, same);
    ofp_instr_put(&pool, same);
    ofp_instr_pool_fini(&pool);
}
END_TEST

#define S UINT64_C(1000000000)

/* A rule in both the tables and a dummy datapath. */
static struct ofp_rule *
timed_rule(struct dp_rule *dp, uint32_t n, uint16_t idle, uint16_t hard)
{
    struct flow_match m = ip_match(n, 32);
    struct ofp_rule *r = ofp_rule_create(&tables, 0, 1, &m);

    dp->stats = (struct dp_stats) { 0 };
    r->dp = dp;
    r->idle_timeout = idle;
    r->hard_timeout = hard;
    return r;
}

START_TEST(test_timers_given_traffic_idle_waits_and_hard_does_not)
{
    struct dp_rule d[3];
    struct ofp_timers t = { 0 };
    struct ofp_rule *idle = timed_rule(&d[0], 1, 10, 0);
    struct ofp_rule *both = timed_rule(&d[1], 2, 10, 15);
    struct ofp_rule *none = timed_rule(&d[2], 3, 0, 0);
    enum ofp_expiry why;
    unsigned budget = 100;

    ofp_timers_add(&t, idle, 1 * S);
    ofp_timers_add(&t, both, 1 * S);
    ofp_timers_add(&t, none, 1 * S);
    ck_assert_uint_eq(t.n, 2);
    d[0].stats.used_ns = d[1].stats.used_ns = 9 * S;
    ck_assert_ptr_null(ofp_timers_next(&t, 11 * S, &budget, &why));
    ck_assert_ptr_eq(ofp_timers_next(&t, 16 * S, &budget, &why), both);
    ck_assert_int_eq(why, OFP_EXPIRE_HARD);
    ofp_timers_del(&t, both);
    ck_assert_ptr_null(ofp_timers_next(&t, 19 * S - 1, &budget, &why));
    ck_assert_ptr_eq(ofp_timers_next(&t, 19 * S, &budget, &why), idle);
    ck_assert_int_eq(why, OFP_EXPIRE_IDLE);
    ofp_timers_del(&t, idle);
    ofp_timers_del(&t, none);
    ck_assert_uint_eq(t.n, 0);
    ofp_timers_fini(&t);
}
END_TEST

START_TEST(test_timers_given_a_shift_all_deadlines_move)
{
    struct dp_rule d[2];
    struct ofp_timers t = { 0 };
    struct ofp_rule *idle = timed_rule(&d[0], 1, 2, 0);
    struct ofp_rule *hard = timed_rule(&d[1], 2, 0, 3);
    enum ofp_expiry why;
    unsigned budget = 100;

    ofp_timers_add(&t, idle, 0);
    ofp_timers_add(&t, hard, 0);
    ofp_timers_shift(&t, 10 * S);
    ck_assert_ptr_null(ofp_timers_next(&t, 12 * S - 1, &budget, &why));
    ck_assert_ptr_eq(ofp_timers_next(&t, 12 * S, &budget, &why), idle);
    ofp_timers_del(&t, idle);
    ck_assert_ptr_null(ofp_timers_next(&t, 13 * S - 1, &budget, &why));
    ck_assert_ptr_eq(ofp_timers_next(&t, 13 * S, &budget, &why), hard);
    ofp_timers_fini(&t);
}
END_TEST

START_TEST(test_timers_given_random_deadlines_expire_in_order)
{
    enum { N = 2000 };
    static struct dp_rule d[N];
    static struct ofp_rule *r[N];
    struct ofp_timers t = { 0 };
    unsigned seed = 7, budget = ~0u, expired = 0;
    uint64_t last = 0;

    for (unsigned i = 0; i < N; i++) {
        r[i] = timed_rule(&d[i], i, 0, (uint16_t) (1 + rand_r(&seed) % 5000));
        ofp_timers_add(&t, r[i], 0);
    }
    for (unsigned i = 0; i < N; i += 3)
        ofp_timers_del(&t, r[i]);
    for (unsigned i = 0; i < N; i++)
        ck_assert_int_eq(r[i]->timer != 0, i % 3 != 0);
    while (t.n) {
        enum ofp_expiry why;
        struct ofp_rule *e = ofp_timers_next(&t, 5001 * S, &budget, &why);

        ck_assert_ptr_nonnull(e);
        ck_assert_uint_ge(e->hard_timeout, last);
        last = e->hard_timeout;
        ofp_timers_del(&t, e);
        expired++;
    }
    ck_assert_uint_eq(expired, N - (N + 2) / 3);
    ofp_timers_fini(&t);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("ofproto");
    TCase *tc = tcase_create("tables");
    SRunner *sr;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc,
                   test_tables_find_takes_exactly_table_priority_and_match);
    tcase_add_test(tc, test_tables_hold_while_the_index_grows_and_shrinks);
    tcase_add_test(
        tc, test_tables_index_given_neighbouring_addresses_spreads_them);
    tcase_add_test(
        tc, test_tables_index_given_random_changes_agrees_with_a_plain_list);
    tcase_add_test(tc, test_tables_match_comes_back_as_it_went_in);
    tcase_add_test(
        tc, test_tables_within_and_overlaps_agree_with_the_full_match);
    tcase_add_test(tc, test_tables_cursor_sees_every_survivor_once);
    tcase_add_test(tc, test_tables_cursor_given_one_table_stays_there);
    tcase_add_test(tc, test_instr_equal_blocks_are_one_and_differ_in_any_part);
    tcase_add_test(tc,
                   test_timers_given_traffic_idle_waits_and_hard_does_not);
    tcase_add_test(tc, test_timers_given_a_shift_all_deadlines_move);
    tcase_add_test(tc, test_timers_given_random_deadlines_expire_in_order);
    suite_add_tcase(s, tc);
    sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
