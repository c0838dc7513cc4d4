/* SPDX-License-Identifier: Apache-2.0 */
/* The change log: never wrong, rarely more careful than need be; and cached
 * flows beside changing rules. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/chlog.h"
#include "datapath/eal.h"
#include "tests/datapath/bed.h"

#define SEED 77u

static uint64_t rnd_state;

static uint32_t
rnd(uint32_t n)
{
    rnd_state = rnd_state * UINT64_C(6364136223846793005)
                + UINT64_C(1442695040888963407);
    return (uint32_t) (rnd_state >> 33) % n;
}

/* ----------------------------------------------------------------- the log */

static void
five_tuple(struct flow_key *m)
{
    memset(m, 0, sizeof *m);
    m->in_port = UINT32_MAX;
    m->eth_type = UINT16_MAX;
    m->ip_proto = UINT8_MAX;
    m->ip_src = m->ip_dst = UINT32_MAX;
    m->tp_src = m->tp_dst = UINT16_MAX;
}

static void
key_of(uint32_t n, struct flow_key *k)
{
    memset(k, 0, sizeof *k);
    k->in_port = be32_from(1);
    k->eth_type = be16_from(0x0800);
    k->ip_proto = 17;
    k->ip_src = be32_from(0x0a000000 + n);
    k->ip_dst = be32_from(0x0b000000 + n % 7);
    k->tp_src = be16_from((uint16_t) (n * 31));
}

START_TEST(test_chlog_given_one_changed_value_holds_for_the_others)
{
    struct flow_key mask, shape, k;
    struct chlog *l;
    unsigned refused = 0;

    five_tuple(&mask);
    l = chlog_create(&mask, SEED, 5);
    memset(&shape, 0, sizeof shape);
    shape.ip_src = UINT32_MAX;
    key_of(1000, &k);
    ck_assert(chlog_holds_key(l, &k, 5));
    ck_assert(!chlog_holds_key(l, &k, 4)); /* Before there was a log. */
    ck_assert(chlog_add(l, &shape, &k, 6));
    ck_assert(!chlog_holds_key(l, &k, 5));
    ck_assert(chlog_holds_key(l, &k, 6));
    for (uint32_t n = 0; n < 1000; n++) {
        key_of(n, &k);
        refused += !chlog_holds_key(l, &k, 5);
    }
    ck_assert_uint_le(refused, 2); /* Slots shared by chance. */
    chlog_destroy(l);
}
END_TEST

START_TEST(test_chlog_given_a_change_of_anything_holds_for_none)
{
    struct flow_key mask, none, k;
    struct chlog *l;

    five_tuple(&mask);
    memset(&none, 0, sizeof none);
    l = chlog_create(&mask, SEED, 0);
    key_of(1, &k);
    ck_assert(chlog_add(l, &none, &none, 3));
    ck_assert(!chlog_holds_key(l, &k, 2));
    ck_assert(chlog_holds_key(l, &k, 3));
    chlog_destroy(l);
}
END_TEST

/* Random shapes, more than there is room for; generations that wrap. */
START_TEST(test_chlog_given_any_changes_never_holds_for_one_concerned)
{
    const uint32_t first = UINT32_MAX - 300;
    struct flow_key mask;
    struct chlog *l;
    struct { struct flow_match m; } change[600];
    unsigned held = 0, n = 0;

    rnd_state = SEED + (uint64_t) _i;
    five_tuple(&mask);
    l = chlog_create(&mask, SEED, first);
    for (uint32_t gen = first + 1; n < 600; gen++, n++) {
        struct flow_match *m = &change[n].m;
        uint32_t since = rnd(n + 1);

        memset(m, 0, sizeof *m);
        key_of(rnd(500), &m->key);
        m->mask.ip_src = be32_from(UINT32_MAX << rnd(12));
        m->mask.ip_dst = rnd(2) ? UINT32_MAX : 0;
        m->mask.tp_src = rnd(3) ? 0 : UINT16_MAX;
        for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
            flow_key_set_word(&m->key, i, flow_key_word(&m->key, i)
                                              & flow_key_word(&m->mask, i));
        if (!chlog_add(l, &m->mask, &m->key, gen)) {
            struct chlog *next = chlog_next(l, &m->mask, SEED, gen);

            ck_assert_ptr_nonnull(next);
            chlog_destroy(l);
            l = next;
        }
        for (uint32_t f = 0; f < 50; f++) {
            struct flow_key k;
            bool concerned = false;

            key_of(rnd(500), &k);
            for (uint32_t i = since; i <= n; i++)
                concerned |= flow_match_test(&change[i].m, &k);
            /* Proven before change 'since'. */
            if (chlog_holds_key(l, &k, first + since)) {
                ck_assert(!concerned);
                held++;
            }
        }
    }
    ck_assert_uint_gt(held, 100);
    chlog_destroy(l);
}
END_TEST

/* --------------------------------------------------------------- datapath */

#define FLOWS 64

static struct bed b;

static void
eal_up(void)
{
    ck_assert_int_eq(eal_start("-m 96 --no-huge", NULL), 0);
}

static void
setup(void)
{
    unsetenv("WEFT_TEST_NO_CHANGE_LOG");
    unsetenv("WEFT_TEST_CACHE");
    bed_open(&b, 3, PORT_CAP_CSUM);
}

static void
setup_without(void)
{
    setenv("WEFT_TEST_NO_CHANGE_LOG", "1", 1);
    bed_open(&b, 3, PORT_CAP_CSUM);
}

static void
teardown(void)
{
    bed_close(&b);
}

static void
flow(struct pkt *p, unsigned n)
{
    pkt_init(p);
    pkt_eth(p, PKT_MAC(2), PKT_MAC(1), 0x0800);
    pkt_ipv4(p, 0x0a000001, 0x0a000100 + n, 17);
    pkt_udp(p, 1000, 2000);
    pkt_payload(p, 30);
    pkt_end(p);
}

static void
by_dst(struct flow_match *m, uint32_t dst)
{
    *m = (struct flow_match) BED_ANY;
    match_u64(m, FLOW_F_ETH_TYPE, 0x0800);
    match_u64(m, FLOW_F_IPV4_DST, dst);
}

static struct dp_rule *
out_rule(uint8_t table, uint16_t priority, uint32_t dst, uint32_t port)
{
    struct ops out = { .n = 0 };
    struct flow_match m;
    struct dp_instr in;

    ops_add(&out, DP_OP_OUTPUT, 0, port);
    in = bed_apply(&out);
    by_dst(&m, dst);
    return bed_rule_in(&b, table, priority, &m, &in);
}

/* Sends each flow once; returns how many left by port 3. */
static unsigned
send_all(void)
{
    struct pkt p;
    unsigned n;

    for (unsigned i = 0; i < FLOWS; i++) {
        flow(&p, i);
        bed_feed(&b, 1, &p);
    }
    bed_run(&b);
    n = bed_count(&b, 3);
    ck_assert_uint_eq(bed_count(&b, 2) + n, FLOWS);
    return n;
}

static struct dp_cache_stats
stats(void)
{
    struct dp_worker_info i;

    ck_assert_int_eq(dp_worker_get(b.dp, 0, &i), 0);
    return i.cache;
}

/* All flows by way of table 1, cached; in table 0 they get the destination
 * 'rewrite' if that is not 0. */
static void
fill(uint32_t rewrite)
{
    struct dp_instr go = { .goto_table = 1 };
    struct ops set = { .n = 0 };
    struct flow_match any = BED_ANY;

    if (rewrite) {
        match_u64(&any, FLOW_F_ETH_TYPE, 0x0800);
        ops_set_u64(&set, FLOW_F_IPV4_DST, rewrite);
        go.apply = ops_list(&set);
    }
    bed_rule_in(&b, 0, 1, &any, &go);
    for (unsigned i = 0; i < FLOWS; i++)
        out_rule(1, 1, 0x0a000100 + i, 2);
    if (rewrite)
        out_rule(1, 1, rewrite, 2);
    dp_commit(b.dp);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(send_all(), 0);
}

START_TEST(test_chlog_given_a_rule_of_one_flow_keeps_the_others)
{
    struct dp_cache_stats before, after;
    struct dp_rule *r;

    fill(0);
    before = stats();
    r = out_rule(1, 9, 0x0a000100 + 7, 3);
    dp_commit(b.dp);
    ck_assert_uint_eq(send_all(), 1);
    after = stats();
    ck_assert_uint_ge(after.stale - before.stale, 1);
    ck_assert_uint_le(after.stale - before.stale, 3);
    ck_assert_uint_ge(after.kept - before.kept, FLOWS - 3);
    dp_rule_del(r);
    dp_commit(b.dp);
    ck_assert_uint_eq(send_all(), 0);
    ck_assert_uint_le(stats().stale - after.stale, 3);
}
END_TEST

START_TEST(test_chlog_given_a_rule_for_a_rewritten_field_finds_who_meets_it)
{
    fill(0x0a0000ff);
    out_rule(1, 9, 0x0a0000ff, 3);
    dp_commit(b.dp);
    ck_assert_uint_eq(send_all(), FLOWS);
}
END_TEST

/* The rule that rewrites comes after the flows were cached. */
START_TEST(test_chlog_given_a_new_rewrite_then_a_rule_behind_it_keeps_up)
{
    struct ops set = { .n = 0 };
    struct dp_instr go = { .goto_table = 1 };
    struct flow_match m;

    fill(0);
    by_dst(&m, 0x0a000100 + 5);
    ops_set_u64(&set, FLOW_F_IPV4_DST, 0x0a000100 + 6);
    go.apply = ops_list(&set);
    bed_rule_in(&b, 0, 9, &m, &go);
    dp_commit(b.dp);
    ck_assert_uint_eq(send_all(), 0);
    out_rule(1, 9, 0x0a000100 + 6, 3);
    dp_commit(b.dp);
    ck_assert_uint_eq(send_all(), 2);
}
END_TEST

START_TEST(test_chlog_given_a_transaction_finds_its_rules)
{
    struct dp_cache_stats before;

    fill(0);
    before = stats();
    ck_assert_int_eq(dp_txn_begin(b.br), 0);
    out_rule(1, 9, 0x0a000100 + 7, 3);
    out_rule(1, 9, 0x0a000100 + 9, 3);
    dp_commit(b.dp); /* Nothing to be seen yet. */
    ck_assert_uint_eq(send_all(), 0);
    dp_txn_commit(b.br);
    dp_commit(b.dp);
    ck_assert_uint_eq(send_all(), 2);
    while (dp_txn_settle(b.br, 1))
        ;
    dp_commit(b.dp);
    ck_assert_uint_eq(send_all(), 2);
    ck_assert_uint_ge(stats().kept - before.kept, FLOWS - 4);
}
END_TEST

START_TEST(test_chlog_given_a_changed_miss_finds_all)
{
    uint64_t stale;

    fill(0);
    stale = stats().stale;
    dp_table_set_miss(b.br, 5, DP_MISS_CONTROLLER);
    dp_commit(b.dp);
    ck_assert_uint_eq(send_all(), 0);
    ck_assert_uint_ge(stats().stale - stale, FLOWS);
}
END_TEST

START_TEST(test_chlog_given_none_a_commit_makes_all_stale)
{
    struct dp_cache_stats before;

    fill(0);
    before = stats();
    out_rule(1, 9, 0x0a000100 + 7, 3);
    dp_commit(b.dp);
    ck_assert_uint_eq(send_all(), 1);
    ck_assert_uint_ge(stats().stale - before.stale, FLOWS);
    ck_assert_uint_eq(stats().kept, 0);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("chlog");
    TCase *log = tcase_create("log"), *dp = tcase_create("datapath");
    TCase *off = tcase_create("without");

    tcase_add_test(log,
                   test_chlog_given_one_changed_value_holds_for_the_others);
    tcase_add_test(log, test_chlog_given_a_change_of_anything_holds_for_none);
    tcase_add_loop_test(
        log, test_chlog_given_any_changes_never_holds_for_one_concerned, 0,
        8);
    suite_add_tcase(s, log);
    tcase_add_unchecked_fixture(dp, eal_up, NULL);
    tcase_add_checked_fixture(dp, setup, teardown);
    tcase_add_test(dp, test_chlog_given_a_rule_of_one_flow_keeps_the_others);
    tcase_add_test(
        dp, test_chlog_given_a_rule_for_a_rewritten_field_finds_who_meets_it);
    tcase_add_test(
        dp, test_chlog_given_a_new_rewrite_then_a_rule_behind_it_keeps_up);
    tcase_add_test(dp, test_chlog_given_a_transaction_finds_its_rules);
    tcase_add_test(dp, test_chlog_given_a_changed_miss_finds_all);
    suite_add_tcase(s, dp);
    tcase_add_unchecked_fixture(off, eal_up, NULL);
    tcase_add_checked_fixture(off, setup_without, teardown);
    tcase_add_test(off, test_chlog_given_none_a_commit_makes_all_stale);
    suite_add_tcase(s, off);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
