/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "ofproto": rules, cursors, instructions, timeouts. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "ofproto/instr.h"
#include "ofproto/tables.h"
#include "ofproto/timers.h"
#include "tests/support/dummy_dp.h"

static struct ofp_tables tables;
static struct dp *dp;
static struct dp_bridge *br;

static void
setup(void)
{
    ofp_tables_init(&tables);
    ck_assert_int_eq(dp_create(NULL, &dp, NULL), 0);
    ck_assert_int_eq(dp_bridge_add(dp, "br", NULL, &br, NULL), 0);
}

static void
teardown(void)
{
    dp_destroy(dp);
}

static struct ofp_rule *
rule_create(uint8_t table, const struct flow_match *m)
{
    struct dp_instr none = { .goto_table = DP_NO_TABLE };
    struct dp_rule *r;

    ck_assert_int_eq(dp_rule_add(br, table, 1, m, &none, 0, &r), 0);
    return ofp_rule_link(&tables, r, table, 1);
}

static void
rule_destroy(struct ofp_rule *r)
{
    ofp_rule_unlink(&tables, r);
    dp_rule_del(ofp_rule_dp(r));
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

START_TEST(test_tables_match_comes_back_as_it_went_in)
{
    struct flow_match m = ip_match(0xc0a80101, 29), back;

    m.key.metadata = be64_from(7);
    m.mask.metadata = be64_from(0xff);
    m.key.nd_tll[5] = 1;
    m.mask.nd_tll[5] = 1;
    ofp_rule_match(rule_create(0, &m), &back);
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

        struct ofp_rule *r = rule_create(0, &a);

        ck_assert_int_eq(ofp_rule_within(r, &b), flow_match_within(&a, &b));
        ck_assert_int_eq(ofp_rule_overlaps(r, &b), flow_match_overlaps(&a, &b));
        n_within += ofp_rule_within(r, &b);
        n_overlap += ofp_rule_overlaps(r, &b);
        rule_destroy(r);
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

        r[i] = rule_create((uint8_t) (i / 4 * 7), &m);
        r[i]->importance = (uint16_t) i;
    }
    ofp_cursor_start(&tables, &c, 0xff);
    for (unsigned n = 0; (at = ofp_cursor_next(&tables, &c)); n++) {
        seen[at->importance]++;
        if (n == 1) { /* The next, the last of its table, and a far one. */
            rule_destroy(r[2]);
            rule_destroy(r[3]);
            rule_destroy(r[9]);
        }
        if (n == 2) /* The current one. */
            rule_destroy(at);
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

    rule_create(0, &m);
    struct ofp_rule *r = rule_create(1, &m);
    rule_create(2, &m);
    ofp_cursor_start(&tables, &c, 1);
    ck_assert_ptr_eq(ofp_cursor_next(&tables, &c), r);
    ck_assert_ptr_null(ofp_cursor_next(&tables, &c));
}
END_TEST

START_TEST(test_instr_outputs_and_groups_are_found_in_either_list)
{
    struct dp_op out1 = { DP_OP_OUTPUT, 1, 0, 1 };
    struct dp_op group2 = { DP_OP_GROUP, 1, 0, 2 };
    struct dp_instr in = { .apply = { &out1, 1 }, .write = { &group2, 1 },
                           .goto_table = 4 };
    struct dp_instr copy;

    ofp_instr_copy(&copy, &in);
    out1.arg = group2.arg = 9;
    ck_assert(ofp_instr_outputs(&copy, 1) && !ofp_instr_outputs(&copy, 2));
    ck_assert(ofp_instr_has_group(&copy, 2) && !ofp_instr_has_group(&copy, 1));
    ck_assert_uint_eq(copy.goto_table, 4);
    in.apply = in.write;
    in.write = (struct dp_op_list) { &out1, 1 };
    ck_assert(ofp_instr_outputs(&in, 9) && ofp_instr_has_group(&in, 9));
    ofp_instr_fini(&copy);
}
END_TEST

#define S UINT64_C(1000000000)

static struct ofp_rule *
timed_rule(uint32_t n, uint16_t idle, uint16_t hard)
{
    struct flow_match m = ip_match(n, 32);
    struct ofp_rule *r = rule_create(0, &m);

    r->idle_timeout = idle;
    r->hard_timeout = hard;
    return r;
}

START_TEST(test_timers_given_traffic_idle_waits_and_hard_does_not)
{
    struct ofp_timers t = { 0 };
    struct ofp_rule *idle = timed_rule(1, 10, 0);
    struct ofp_rule *both = timed_rule(2, 10, 15);
    struct ofp_rule *none = timed_rule(3, 0, 0);
    enum ofp_expiry why;
    unsigned budget = 100;

    ofp_timers_add(&t, idle, 1 * S);
    ofp_timers_add(&t, both, 1 * S);
    ofp_timers_add(&t, none, 1 * S);
    ck_assert_uint_eq(t.n, 2);
    ofp_rule_dp(idle)->stats.used_ns = 9 * S;
    ofp_rule_dp(both)->stats.used_ns = 9 * S;
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
    struct ofp_timers t = { 0 };
    struct ofp_rule *idle = timed_rule(1, 2, 0);
    struct ofp_rule *hard = timed_rule(2, 0, 3);
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
    static struct ofp_rule *r[N];
    struct ofp_timers t = { 0 };
    unsigned seed = 7, budget = ~0u, expired = 0;
    uint64_t last = 0;

    for (unsigned i = 0; i < N; i++) {
        r[i] = timed_rule(i, 0, (uint16_t) (1 + rand_r(&seed) % 5000));
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
    tcase_add_test(tc, test_tables_match_comes_back_as_it_went_in);
    tcase_add_test(
        tc, test_tables_within_and_overlaps_agree_with_the_full_match);
    tcase_add_test(tc, test_tables_cursor_sees_every_survivor_once);
    tcase_add_test(tc, test_tables_cursor_given_one_table_stays_there);
    tcase_add_test(tc, test_instr_outputs_and_groups_are_found_in_either_list);
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
