/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "datapath": the reference interpreter by itself, on cases small
 * enough to be worked out by hand. */
#include "datapath/interp.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/pktbuild.h"

static struct interp_rule rules[8];
static struct interp_pipeline pl = { .rules = rules };
static uint64_t words[8][64];
static struct interp_result res;
static char text[4096];

static void
setup(void)
{
    memset(rules, 0, sizeof rules);
    memset(words, 0, sizeof words);
    memset(pl.miss, 0, sizeof pl.miss);
    pl.n_rules = 0;
}

static void
teardown(void)
{
    interp_result_fini(&res);
}

static struct interp_rule *
rule(uint8_t table, uint16_t priority)
{
    struct interp_rule *r = &rules[pl.n_rules++];

    r->table = table;
    r->priority = priority;
    r->cookie = 0x100 + pl.n_rules;
    r->instr.goto_table = DP_NO_TABLE;
    return r;
}

/* Appends a one-word op to the rule's apply or write list. */
static void
op(struct interp_rule *r, bool write, unsigned code, uint32_t arg)
{
    struct dp_op_list *l = write ? &r->instr.write : &r->instr.apply;
    uint64_t *at = words[r - rules] + (write ? 32 : 0);

    *(struct dp_op *) (void *) (at + l->n_words) =
        (struct dp_op) { .code = (uint8_t) code, .words = 1, .arg = arg };
    l->ops = (const struct dp_op *) (void *) at;
    l->n_words++;
}

static struct pkt
udp(void)
{
    static struct pkt p;

    pkt_init(&p);
    pkt_eth(&p, PKT_MAC(2), PKT_MAC(1), 0x0800);
    pkt_ipv4(&p, 0x0a000001, 0x0a000002, 17);
    pkt_udp(&p, 1000, 2000);
    pkt_payload(&p, 18);
    pkt_end(&p);
    return p;
}

static void
run(const struct pkt *p)
{
    interp_run(&pl, 1, NULL, p->b, p->len, &res, text, sizeof text);
}

START_TEST(test_interp_highest_priority_wins_and_text_names_it)
{
    struct pkt p = udp();

    op(rule(0, 1), false, DP_OP_OUTPUT, 2);
    op(rule(0, 9), false, DP_OP_OUTPUT, 3);
    op(rule(0, 5), false, DP_OP_OUTPUT, 4);
    run(&p);
    ck_assert_uint_eq(res.n_outs, 1);
    ck_assert_uint_eq(res.outs[0].arg, 3);
    ck_assert_uint_eq(res.outs[0].len, p.len);
    ck_assert_mem_eq(res.outs[0].data, p.b, p.len);
    ck_assert_int_eq(res.drop, -1);
    ck_assert_ptr_nonnull(strstr(text, "table 0: priority 9, cookie 0x102"));
    ck_assert_ptr_nonnull(strstr(text, "output 3"));
}
END_TEST

START_TEST(test_interp_action_set_runs_in_its_order_and_clear_empties_it)
{
    struct interp_rule *r = rule(0, 1);
    struct pkt p = udp();

    /* Written output first; executed dec_nw_ttl, then output (§5.10). */
    op(r, true, DP_OP_OUTPUT, 2);
    op(r, true, DP_OP_DEC_NW_TTL, 0);
    run(&p);
    ck_assert_uint_eq(res.n_outs, 1);
    ck_assert_uint_eq(res.outs[0].data[22], 63);
    ck_assert_uint_eq(pkt_sum(res.outs[0].data + 14, 20, 0), 0xffff);
    interp_result_fini(&res);

    r->instr.goto_table = 1;
    r = rule(1, 1);
    r->instr.clear = true;
    run(&p);
    ck_assert_uint_eq(res.n_outs, 0);
    ck_assert_int_eq(res.drop, DROP_RULE_DROP);
}
END_TEST

START_TEST(test_interp_later_table_sees_the_changed_frame_and_metadata)
{
    struct interp_rule *r = rule(0, 1);
    struct pkt p = udp();

    op(r, false, DP_OP_PUSH_VLAN, 0x8100);
    r->instr.metadata = 5;
    r->instr.metadata_mask = 7;
    r->instr.goto_table = 3;
    r = rule(3, 7);
    r->match.key.vlan_tci = r->match.mask.vlan_tci =
        be16_from(FLOW_VLAN_PRESENT);
    r->match.key.metadata = be64_from(5);
    r->match.mask.metadata = UINT64_MAX;
    op(r, false, DP_OP_OUTPUT, 9);
    op(rule(3, 1), false, DP_OP_OUTPUT, 8);
    run(&p);
    ck_assert_uint_eq(res.n_outs, 1);
    ck_assert_uint_eq(res.outs[0].arg, 9);
    ck_assert_uint_eq(res.outs[0].len, p.len + 4);
    ck_assert_mem_eq(res.outs[0].data + 12, "\x81\0\0\0\x08\0", 6);
}
END_TEST

START_TEST(test_interp_drops_name_their_reason)
{
    struct pkt p = udp();
    struct interp_rule *r;

    run(&p);
    ck_assert_int_eq(res.drop, DROP_NO_RULE);
    ck_assert_ptr_nonnull(strstr(text, "dropped: no_rule"));
    interp_result_fini(&res);

    r = rule(0, 1);
    op(r, false, DP_OP_OUTPUT, 2);
    op(r, false, DP_OP_POP_VLAN, 0);
    op(r, false, DP_OP_OUTPUT, 3);
    run(&p);
    ck_assert_int_eq(res.drop, DROP_NO_TAG);
    ck_assert_uint_eq(res.n_outs, 1); /* What left before stays sent. */
    interp_result_fini(&res);

    p.len = 20;
    run(&p);
    ck_assert_int_eq(res.drop, DROP_PARSE_IPV4);
}
END_TEST

START_TEST(test_interp_miss_configured_to_controller_is_a_punt)
{
    struct pkt p = udp();

    pl.miss[0] = DP_MISS_CONTINUE;
    pl.miss[1] = DP_MISS_CONTROLLER;
    run(&p);
    ck_assert_uint_eq(res.n_outs, 1);
    ck_assert_uint_eq(res.outs[0].code, DP_OP_CONTROLLER);
    ck_assert_uint_eq(res.outs[0].reason, DP_PUNT_NO_MATCH);
    ck_assert_uint_eq(res.outs[0].table, 1);
    ck_assert_uint_eq(res.outs[0].cookie, UINT64_MAX);
}
END_TEST

START_TEST(test_interp_text_of_any_room_is_cut_not_overrun)
{
    struct pkt p = udp();
    struct interp_rule *r = rule(0, 1);

    op(r, false, DP_OP_OUTPUT, 2);
    for (size_t n = 1; n < 200; n++) {
        char *exact = malloc(n);

        ck_assert_ptr_nonnull(exact);
        interp_run(&pl, 1, NULL, p.b, p.len, &res, exact, n);
        ck_assert_uint_lt(strlen(exact), n);
        free(exact);
        interp_result_fini(&res);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("datapath");
    TCase *tc = tcase_create("interp");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_interp_highest_priority_wins_and_text_names_it);
    tcase_add_test(
        tc, test_interp_action_set_runs_in_its_order_and_clear_empties_it);
    tcase_add_test(
        tc, test_interp_later_table_sees_the_changed_frame_and_metadata);
    tcase_add_test(tc, test_interp_drops_name_their_reason);
    tcase_add_test(tc,
                   test_interp_miss_configured_to_controller_is_a_punt);
    tcase_add_test(tc, test_interp_text_of_any_room_is_cut_not_overrun);
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
