/* SPDX-License-Identifier: Apache-2.0 */
/* The programs of walks: room that grows with the paths in use, and dumps
 * beside workers that empty it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/datapath/bed.h"

#define FLOWS 200 /* By source and by destination port: as many squared. */

static struct bed b;
static struct dp_rule *rules[2][FLOWS];

static void
flow(struct pkt *p, unsigned src, unsigned dst)
{
    pkt_init(p);
    pkt_eth(p, PKT_MAC(2), PKT_MAC(1), 0x0800);
    pkt_ipv4(p, 0x0a000001, 0x0a000002, 17);
    pkt_udp(p, (uint16_t) (1000 + src), (uint16_t) (2000 + dst));
    pkt_payload(p, 30);
    pkt_end(p);
}

/* Table 0 by source port, table 1 by destination port: FLOWS rules each,
 * FLOWS^2 paths. */
static void
setup(void)
{
    struct ops out = { .n = 0 };
    struct dp_instr go = { .goto_table = 1 };

    bed_open(&b, 2, PORT_CAP_CSUM);
    ops_add(&out, DP_OP_OUTPUT, 0, 2);
    for (unsigned i = 0; i < FLOWS; i++) {
        struct flow_match m0 = BED_ANY, m1 = BED_ANY;
        struct dp_instr last = bed_apply(&out);

        match_u64(&m0, FLOW_F_ETH_TYPE, 0x0800);
        match_u64(&m0, FLOW_F_IP_PROTO, 17);
        m1 = m0;
        match_u64(&m0, FLOW_F_UDP_SRC, 1000 + i);
        match_u64(&m1, FLOW_F_UDP_DST, 2000 + i);
        rules[0][i] = bed_rule_in(&b, 0, 1, &m0, &go);
        rules[1][i] = bed_rule_in(&b, 1, 1, &m1, &last);
    }
}

static void
teardown(void)
{
    bed_close(&b);
}

/* Sends every flow once.  Control does not look meanwhile: when it does is
 * the tests' matter. */
static void
walk_all(void)
{
    struct pkt p;

    for (unsigned i = 0; i < FLOWS * FLOWS; i++) {
        flow(&p, i / FLOWS, i % FLOWS);
        bed_feed(&b, 1, &p);
        if (i % 32 == 31) {
            while (worker_iterate(b.dp->workers[0]))
                continue;
            ck_assert_uint_eq(bed_count(&b, 2), 32);
            b.ports[2].tx_room = BED_QUEUE;
        }
    }
}

START_TEST(test_arena_given_more_paths_than_room_grows_until_they_fit)
{
    struct arena_ref *r = &b.dp->workers[0]->arena;
    uint32_t resets;

    for (int i = 0; i < 16; i++) {
        walk_all();
        dp_run(b.dp, 64);
        arena_house(r);
    }
    ck_assert_uint_gt(r->now->n_words, ARENA_MIN_WORDS);
    ck_assert_uint_le(r->now->n_words, ARENA_MAX_WORDS);
    resets = r->n_resets;
    walk_all();
    walk_all();
    ck_assert_uint_eq(r->n_resets, resets);
}
END_TEST

START_TEST(test_arena_given_few_resets_stays)
{
    struct arena_ref *r = &b.dp->workers[0]->arena;

    for (int i = 0; i < 100; i++) {
        if (i % 8 == 0)
            walk_arena_swap(b.dp->workers[0]);
        dp_run(b.dp, 64);
        arena_house(r);
    }
    ck_assert_uint_eq(r->n_words, ARENA_MIN_WORDS);
}
END_TEST

static unsigned n_entries, n_ops;

static void
on_entry(void *arg, const struct dp_cache_info *i)
{
    (void) arg;
    n_entries++;
    n_ops += i->ops.n_words;
}

static void
dump(void)
{
    struct dp_cache_cursor at = { 0 };

    n_entries = n_ops = 0;
    while (dp_cache_dump(b.br, &at, 100, on_entry, NULL))
        ;
}

/* No packet of this bridge has come since: its entries look proven and lead
 * into an arena that holds anything by now. */
START_TEST(test_arena_emptied_under_an_idle_bridge_is_no_trap_for_dumps)
{
    struct worker *w = b.dp->workers[0];
    struct pkt p;

    for (int i = 0; i < 3; i++) {
        for (unsigned src = 0; src < 8; src++) {
            flow(&p, src, src);
            bed_feed(&b, 1, &p);
        }
        bed_run(&b);
        bed_count(&b, 2);
    }
    dump();
    ck_assert_uint_ge(n_entries, 8);
    ck_assert_uint_ge(n_ops, 8);
    walk_arena_swap(w);
    dp_run(b.dp, 64);
    ck_assert_ptr_nonnull(w->arena.next);
    memset(w->arena.next->words, _i, 8ul * w->arena.next->n_words);
    dump();
    ck_assert_uint_ge(n_entries, 8);
}
END_TEST

/* Every packet is one of the rule of its source port and one of that of its
 * destination port. */
static void
check_counts(uint64_t each)
{
    struct dp_table_info t;

    for (unsigned i = 0; i < FLOWS; i++)
        for (unsigned k = 0; k < 2; k++) {
            struct dp_stats s;

            dp_rule_get_stats(rules[k][i], &s);
            ck_assert_uint_eq(s.packets, each);
            ck_assert_uint_eq(s.bytes, each * 72);
        }
    for (uint8_t k = 0; k < 2; k++) {
        dp_table_get(b.br, k, &t);
        ck_assert_uint_eq(t.lookups, each * FLOWS);
        ck_assert_uint_eq(t.matches, each * FLOWS);
    }
}

/* More paths than there is room for, and control looks only now: those that
 * found none count as well. */
START_TEST(test_arena_without_room_forwards_and_counts_every_packet)
{
    const struct worker *w = b.dp->workers[0];

    walk_all();
    ck_assert_ptr_nonnull(w->arena.full);
    ck_assert_ptr_null(w->arena.next);
    tally_now(b.dp);
    check_counts(FLOWS);
    dp_run(b.dp, 64);
    ck_assert_ptr_nonnull(w->arena.next);
    walk_all();
    tally_now(b.dp);
    check_counts(2 * FLOWS);
}
END_TEST

START_TEST(test_arena_given_a_packet_its_rules_count_at_once)
{
    struct dp_stats s;
    struct pkt p;

    for (uint64_t n = 1; n < 6; n++) {
        flow(&p, 3, 4);
        bed_feed(&b, 1, &p);
        while (worker_iterate(b.dp->workers[0]))
            continue;
        tally_now(b.dp); /* As after any pause. */
        dp_rule_get_stats(rules[0][3], &s);
        ck_assert_uint_eq(s.packets, n);
        dp_rule_get_stats(rules[1][4], &s);
        ck_assert_uint_eq(s.packets, n);
        ck_assert_uint_gt(s.used_ns, 0);
        dp_rule_get_stats(rules[1][5], &s);
        ck_assert_uint_eq(s.packets, 0);
    }
    bed_count(&b, 2);
}
END_TEST

/* What was counted and not yet brought home is not added to freed memory:
 * for the sanitizers. */
START_TEST(test_arena_given_deleted_rules_counts_come_home_before_they_go)
{
    struct pkt p;

    for (unsigned i = 0; i < 8; i++) {
        for (unsigned k = 0; k < 8; k++) {
            flow(&p, i, k);
            bed_feed(&b, 1, &p);
        }
        while (worker_iterate(b.dp->workers[0]))
            continue;
        dp_rule_del(rules[0][i]);
        dp_rule_del(rules[1][8 + i]);
        dp_commit(b.dp);
        dp_run(b.dp, 64);
        dp_run(b.dp, 64);
        tally_now(b.dp);
    }
    bed_run(&b);
    bed_count(&b, 2);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("arena");
    TCase *tc = tcase_create("arena");

    tcase_add_unchecked_fixture(tc, bed_eal_up, NULL);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc,
                   test_arena_given_more_paths_than_room_grows_until_they_fit);
    tcase_add_test(tc, test_arena_given_few_resets_stays);
    tcase_add_test(tc,
                   test_arena_without_room_forwards_and_counts_every_packet);
    tcase_add_test(tc, test_arena_given_a_packet_its_rules_count_at_once);
    tcase_add_test(
        tc, test_arena_given_deleted_rules_counts_come_home_before_they_go);
    tcase_add_loop_test(
        tc, test_arena_emptied_under_an_idle_bridge_is_no_trap_for_dumps, 0,
        3);
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
