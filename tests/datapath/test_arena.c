/* SPDX-License-Identifier: Apache-2.0 */
/* The programs of walks: room that grows with the paths in use, and dumps
 * beside workers that empty it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/eal.h"
#include "tests/datapath/bed.h"

#define FLOWS 200 /* By source and by destination port: as many squared. */

static struct bed b;

static void
eal_up(void)
{
    ck_assert_int_eq(eal_start("-m 96 --no-huge", NULL), 0);
}

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
        bed_rule_in(&b, 0, 1, &m0, &go);
        bed_rule_in(&b, 1, 1, &m1, &last);
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

    for (int i = 0; i < 8; i++) {
        walk_all();
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
            walk_arena_reset(b.dp->workers[0]);
        arena_house(r);
    }
    ck_assert_uint_eq(r->newest->n_words, ARENA_MIN_WORDS);
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
    walk_arena_reset(w);
    memset(w->arena.now->words, _i, 8ul * w->arena.now->n_words);
    dump();
    ck_assert_uint_ge(n_entries, 8);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("arena");
    TCase *tc = tcase_create("arena");

    tcase_add_unchecked_fixture(tc, eal_up, NULL);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc,
                   test_arena_given_more_paths_than_room_grows_until_they_fit);
    tcase_add_test(tc, test_arena_given_few_resets_stays);
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
