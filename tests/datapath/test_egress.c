/* SPDX-License-Identifier: Apache-2.0 */
/* Egress tables: OpenFlow 1.5.1 §5.1.  Bytes and ports, per way of sending. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/datapath/bed.h"

#define EGRESS 10

static struct bed b;
static struct pkt p, tagged;

static void
setup(void)
{
    bed_open(&b, 4, 0);
    pkt_init(&p);
    pkt_eth(&p, PKT_MAC(2), PKT_MAC(1), 0x88b5);
    pkt_payload(&p, 50);
    tagged = p;
    memmove(tagged.b + 16, p.b + 12, p.len - 12);
    put_be32(tagged.b + 12, 0x81000000 | 99);
    tagged.len += 4;
    ck_assert_int_eq(dp_bridge_set_egress(b.br, EGRESS), 0);
}

static void
teardown(void)
{
    bed_close(&b);
}

/* Sends by 'code' in table 0; packets to port 2 get a tag on the way out. */
static void
rules(unsigned code, uint32_t arg)
{
    struct flow_match m;
    struct ops o = { .n = 0 };
    struct dp_instr in;

    ops_add(&o, code, 0, arg);
    bed_rule(&b, 1, &BED_ANY, &o);
    in = bed_apply(NULL); /* The action set it starts with: sent. */
    bed_rule_in(&b, EGRESS, 1, &BED_ANY, &in);
    memset(&m, 0, sizeof m);
    match_u64(&m, FLOW_F_ACTSET_OUTPUT, 2);
    match_u64(&m, FLOW_F_IN_PORT, 1);
    o.n = 0;
    ops_add(&o, DP_OP_PUSH_VLAN, 0, 0x8100);
    ops_set_u64(&o, FLOW_F_VLAN_VID, FLOW_VLAN_PRESENT | 99);
    in = bed_apply(&o);
    bed_rule_in(&b, EGRESS, 2, &m, &in);
}

START_TEST(test_egress_given_output_tables_see_the_port_and_the_in_port)
{
    rules(DP_OP_OUTPUT, 2);
    for (unsigned i = 0; i < 4; i++) {
        bed_feed(&b, 1, &p);
        bed_run(&b);
        bed_expect(&b, 2, &tagged);
        bed_feed(&b, 3, &p);
        bed_run(&b);
        bed_expect(&b, 2, &p);
    }
}
END_TEST

START_TEST(test_egress_given_a_flood_each_port_is_processed_alone)
{
    static const unsigned codes[] = { DP_OP_FLOOD, DP_OP_ALL, DP_OP_NORMAL };

    rules(codes[_i], 0);
    for (unsigned i = 0; i < 3; i++) {
        bed_feed(&b, 1, &p);
        bed_run(&b);
        bed_expect(&b, 2, &tagged);
        bed_expect(&b, 3, &p);
        bed_expect(&b, 4, &p);
        bed_expect_none(&b, 1);
    }
}
END_TEST

START_TEST(test_egress_given_in_port_the_packet_goes_back)
{
    rules(DP_OP_IN_PORT, 0);
    bed_feed(&b, 3, &p);
    bed_run(&b);
    bed_expect(&b, 3, &p);
}
END_TEST

START_TEST(test_egress_without_an_output_left_drops)
{
    struct ops o = { .n = 0 };
    struct dp_instr in = bed_apply(NULL);

    in.clear = true;
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    bed_rule(&b, 1, &BED_ANY, &o);
    bed_rule_in(&b, EGRESS, 1, &BED_ANY, &in);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    bed_expect_none(&b, 2);
    ck_assert_uint_eq(bed_drops(&b, DROP_RULE_DROP), 1);
}
END_TEST

START_TEST(test_egress_given_a_miss_drops)
{
    struct ops o = { .n = 0 };

    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    bed_rule(&b, 1, &BED_ANY, &o);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    bed_expect_none(&b, 2);
    ck_assert_uint_eq(bed_drops(&b, DROP_NO_RULE), 1);
}
END_TEST

/* A mirror's copy leaves at once: no egress processing of egress tables. */
START_TEST(test_egress_tables_own_outputs_leave_at_once)
{
    struct ops o = { .n = 0 };
    struct dp_instr in;

    rules(DP_OP_OUTPUT, 3);
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    in = bed_apply(&o);
    bed_rule_in(&b, EGRESS, 5, &BED_ANY, &in);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    bed_expect(&b, 2, &p);
    bed_expect(&b, 3, &p);
}
END_TEST

START_TEST(test_egress_keeps_metadata_of_each_output)
{
    struct ops o = { .n = 0 };
    struct dp_instr in;
    struct flow_match m;

    ops_set_u64(&o, FLOW_F_METADATA, 7);
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    ops_set_u64(&o, FLOW_F_METADATA, 8);
    ops_add(&o, DP_OP_OUTPUT, 0, 3);
    bed_rule(&b, 1, &BED_ANY, &o);
    in = bed_apply(NULL);
    for (unsigned i = 0; i < 2; i++) { /* 7 to port 2, 8 to port 3. */
        memset(&m, 0, sizeof m);
        match_u64(&m, FLOW_F_METADATA, 7 + i);
        match_u64(&m, FLOW_F_ACTSET_OUTPUT, 2 + i);
        bed_rule_in(&b, EGRESS, 1, &m, &in);
    }
    bed_feed(&b, 1, &p);
    bed_run(&b);
    bed_expect(&b, 2, &p);
    bed_expect(&b, 3, &p);
}
END_TEST

START_TEST(test_egress_given_packet_out_its_outputs_are_processed)
{
    struct ops o = { .n = 0 };
    struct dp_op_list l;

    rules(DP_OP_OUTPUT, 3);
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    l = ops_list(&o);
    ck_assert_int_eq(dp_packet_out(b.br, 1, p.b, p.len, &l), 0);
    bed_run(&b);
    bed_expect(&b, 2, &tagged);
}
END_TEST

START_TEST(test_egress_switched_off_and_on_takes_effect_with_the_commit)
{
    rules(DP_OP_OUTPUT, 2);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(dp_bridge_set_egress(b.br, DP_NO_TABLE), 0);
        dp_commit(b.dp);
        bed_feed(&b, 1, &p);
        bed_run(&b);
        bed_expect(&b, 2, &p);
        ck_assert_int_eq(dp_bridge_set_egress(b.br, EGRESS), 0);
        dp_commit(b.dp);
        bed_feed(&b, 1, &p);
        bed_run(&b);
        bed_expect(&b, 2, &tagged);
    }
    ck_assert_int_eq(dp_bridge_set_egress(b.br, 0), -EINVAL);
    ck_assert_int_eq(dp_bridge_set_egress(b.br, DP_N_TABLES), -EINVAL);
}
END_TEST

/* In ingress tables: what the action set would send it to, so far. */
START_TEST(test_actset_output_follows_write_and_clear_actions)
{
    struct ops o = { .n = 0 }, to4 = { .n = 0 };
    struct flow_match m;
    struct dp_instr in = bed_apply(NULL);

    ck_assert_int_eq(dp_bridge_set_egress(b.br, DP_NO_TABLE), 0);
    ops_add(&o, DP_OP_OUTPUT, 0, 3);
    in.write = ops_list(&o);
    in.goto_table = 1;
    bed_rule_in(&b, 0, 1, &BED_ANY, &in);
    memset(&m, 0, sizeof m);
    match_u64(&m, FLOW_F_ACTSET_OUTPUT, 3);
    in = bed_apply(NULL);
    in.clear = true;
    in.goto_table = 2;
    bed_rule_in(&b, 1, 1, &m, &in);
    memset(&m, 0, sizeof m);
    match_u64(&m, FLOW_F_ACTSET_OUTPUT, FLOW_PORT_UNSET);
    ops_add(&to4, DP_OP_OUTPUT, 0, 4);
    in = bed_apply(&to4);
    bed_rule_in(&b, 2, 1, &m, &in);
    for (unsigned i = 0; i < 3; i++) {
        bed_feed(&b, 1, &p);
        bed_run(&b);
        bed_expect(&b, 4, &p);
        bed_expect_none(&b, 3);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("datapath");
    TCase *tc = tcase_create("egress");

    tcase_set_timeout(tc, 60);
    tcase_add_unchecked_fixture(tc, bed_eal_up, NULL);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(
        tc, test_egress_given_output_tables_see_the_port_and_the_in_port);
    tcase_add_loop_test(
        tc, test_egress_given_a_flood_each_port_is_processed_alone, 0, 3);
    tcase_add_test(tc, test_egress_given_in_port_the_packet_goes_back);
    tcase_add_test(tc, test_egress_without_an_output_left_drops);
    tcase_add_test(tc, test_egress_given_a_miss_drops);
    tcase_add_test(tc, test_egress_tables_own_outputs_leave_at_once);
    tcase_add_test(tc, test_egress_keeps_metadata_of_each_output);
    tcase_add_test(tc, test_egress_given_packet_out_its_outputs_are_processed);
    tcase_add_test(
        tc, test_egress_switched_off_and_on_takes_effect_with_the_commit);
    tcase_add_test(tc, test_actset_output_follows_write_and_clear_actions);
    suite_add_tcase(s, tc);

    SRunner *r = srunner_create(s);

    srunner_run_all(r, CK_ENV);

    int failed = srunner_ntests_failed(r);

    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
