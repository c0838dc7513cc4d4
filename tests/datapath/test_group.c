/* SPDX-License-Identifier: Apache-2.0 */
/* Groups in the datapath: every type, copies, chains, failover, changes. */
#include <errno.h>
#include <string.h>

#include "tests/datapath/group_bed.h"

static struct pkt want;

/* -------------------------------------------------------------------- types */

START_TEST(test_group_all_gives_every_bucket_a_copy)
{
    struct dp_stats bs[3];

    bucket_out(0, ANY_PORT, 2);
    bucket_out(0, ANY_PORT, 3);
    ops_set_u64(bucket(0, ANY_PORT, ANY_GROUP), FLOW_F_UDP_DST, 99);
    ops_add(&built.o[2], DP_OP_OUTPUT, 0, 4);
    group_set(7, DP_GROUP_ALL);
    group_rule(7, _i ? 5 : 0);
    group_feed(1);
    bed_expect(&bed, 2, &frame);
    bed_expect(&bed, 3, &frame);
    want = frame;
    put_be16(want.b + want.l4 + 2, 99);
    put_be16(want.b + want.l4 + 6, 0);
    ck_assert_uint_eq(bed.ports[4].tx_n, 1);
    ck_assert_mem_eq(rte_pktmbuf_mtod(bed.ports[4].tx[0], uint8_t *) + want.l4
                         + 2, want.b + want.l4 + 2, 2);
    ck_assert(pkt_checksums_hold(rte_pktmbuf_mtod(bed.ports[4].tx[0],
                                                  uint8_t *), frame.len));
    if (_i) /* What buckets do, they do to copies. */
        bed_expect(&bed, 5, &frame);
    ck_assert_uint_eq(group_stats(7, bs, 3).packets, 1);
    ck_assert_uint_eq(group_stats(7, bs, 3).bytes, frame.len);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(bs[i].packets, 1);
        ck_assert_uint_eq(bs[i].bytes, frame.len);
    }
}
END_TEST

/* The change of a bucket must not be seen by the next, though the last one
 * gets the packet itself. */
START_TEST(test_group_all_buckets_start_from_the_packet_as_it_came)
{
    for (unsigned i = 2; i <= 4; i++) {
        struct ops *o = bucket(0, ANY_PORT, ANY_GROUP);

        ops_add(o, DP_OP_PUSH_VLAN, 0, 0x8100);
        ops_set_u64(o, FLOW_F_VLAN_VID, 0x1000 + i);
        ops_add(o, DP_OP_OUTPUT, 0, i);
    }
    group_set(7, DP_GROUP_ALL);
    group_rule(7, 0);
    group_feed(3);
    for (unsigned i = 2; i <= 4; i++) {
        pkt_init(&want);
        pkt_eth(&want, PKT_MAC(2), PKT_MAC(1), 0x0800);
        pkt_vlan(&want, 0x8100, (uint16_t) i, 0x0800);
        pkt_ipv4(&want, 0x0a000001, 0x0a000002, 17);
        pkt_udp(&want, 1000, 2000);
        pkt_payload(&want, 30);
        pkt_end(&want);
        for (unsigned n = 0; n < 3; n++)
            bed_expect(&bed, i, &want);
    }
}
END_TEST

START_TEST(test_group_all_does_not_send_back_but_by_in_port)
{
    bucket_out(0, ANY_PORT, 1);
    bucket_out(0, ANY_PORT, 2);
    ops_add(bucket(0, ANY_PORT, ANY_GROUP), DP_OP_IN_PORT, 0, 0);
    group_set(7, DP_GROUP_ALL);
    group_rule(7, 0);
    group_feed(1);
    bed_expect(&bed, 2, &frame);
    bed_expect(&bed, 1, &frame);
    bed_expect_none(&bed, 1);
    ck_assert_uint_eq(bed_drops(&bed, DROP_TO_IN_PORT), 1);
}
END_TEST

START_TEST(test_group_bucket_is_an_action_set)
{
    struct ops *o = bucket(0, ANY_PORT, ANY_GROUP);

    /* Written in the wrong order, an output twice: the last one counts. */
    ops_add(o, DP_OP_OUTPUT, 0, 3);
    ops_set_u64(o, FLOW_F_VLAN_VID, 0x1005);
    ops_add(o, DP_OP_OUTPUT, 0, 2);
    ops_add(o, DP_OP_PUSH_VLAN, 0, 0x8100);
    group_set(7, DP_GROUP_INDIRECT);
    group_rule(7, 0);
    group_feed(1);
    bed_expect_none(&bed, 3);
    pkt_init(&want);
    pkt_eth(&want, PKT_MAC(2), PKT_MAC(1), 0x0800);
    pkt_vlan(&want, 0x8100, 5, 0x0800);
    pkt_ipv4(&want, 0x0a000001, 0x0a000002, 17);
    pkt_udp(&want, 1000, 2000);
    pkt_payload(&want, 30);
    pkt_end(&want);
    bed_expect(&bed, 2, &want);
}
END_TEST

START_TEST(test_group_in_the_action_set_hides_the_output)
{
    static struct ops o;
    struct dp_instr in = { .goto_table = DP_NO_TABLE };

    bucket_out(0, ANY_PORT, 2);
    group_set(7, DP_GROUP_INDIRECT);
    o.n = 0;
    ops_add(&o, DP_OP_OUTPUT, 0, 3);
    ops_add(&o, DP_OP_GROUP, 0, 7);
    in.write = ops_list(&o);
    bed_rule_in(&bed, 0, 1, &BED_ANY, &in);
    group_feed(2);
    ck_assert_uint_eq(bed_count(&bed, 2), 2);
    bed_expect_none(&bed, 3);
}
END_TEST

START_TEST(test_group_indirect_needs_one_bucket)
{
    struct dp_group_config c = { .type = DP_GROUP_INDIRECT };

    ck_assert_int_eq(group_set_config(7, &c), -EINVAL);
    bucket_out(0, ANY_PORT, 2);
    bucket_out(0, ANY_PORT, 3);
    ck_assert_int_eq(group_set_config(7, &c), -EINVAL);
    ck_assert_int_eq(dp_group_get_stats(bed.br, 7, &(struct dp_stats) { 0 },
                                        NULL, 0), -ENOENT);
}
END_TEST

START_TEST(test_group_that_is_not_there_drops)
{
    group_rule(7, _i ? 2 : 0);
    group_feed(3);
    ck_assert_uint_eq(bed_drops(&bed, DROP_NO_GROUP), 3);
    ck_assert_uint_eq(bed_count(&bed, 2), _i ? 3 : 0);
    bucket_out(0, ANY_PORT, 3);
    group_set(7, DP_GROUP_INDIRECT);
    group_feed(3);
    ck_assert_uint_eq(bed_count(&bed, 3), 3);
    ck_assert_uint_eq(bed_count(&bed, 2), _i ? 3 : 0);
    dp_group_del(bed.br, 7);
    dp_commit(bed.dp);
    group_feed(2);
    ck_assert_uint_eq(bed_drops(&bed, DROP_NO_GROUP), 5);
}
END_TEST

START_TEST(test_group_without_buckets_drops)
{
    static const enum dp_group_type types[] = { DP_GROUP_ALL, DP_GROUP_SELECT,
                                                DP_GROUP_FF };

    group_set(7, types[_i]);
    group_rule(7, 0);
    group_feed(2);
    ck_assert_uint_eq(bed_drops(&bed, DROP_NO_BUCKET), 2);
    ck_assert_uint_eq(group_stats(7, NULL, 0).packets, 2);
}
END_TEST

START_TEST(test_group_bucket_without_output_drops_its_copy)
{
    bucket_out(0, ANY_PORT, 2);
    ops_add(bucket(0, ANY_PORT, ANY_GROUP), DP_OP_DEC_NW_TTL, 0, 0);
    group_set(7, DP_GROUP_ALL);
    group_rule(7, _i ? 3 : 0);
    group_feed(1);
    bed_expect(&bed, 2, &frame);
    if (_i)
        bed_expect(&bed, 3, &frame);
    ck_assert_uint_eq(bed_drops(&bed, DROP_RULE_DROP), 1);
}
END_TEST

START_TEST(test_group_controller_bucket_tells_rule_and_reason)
{
    ops_add(bucket(0, ANY_PORT, ANY_GROUP), DP_OP_CONTROLLER, DP_PUNT_ACTION,
            128);
    group_set(7, DP_GROUP_ALL);
    group_rule(7, _i ? 2 : 0);
    group_feed(1);
    ck_assert_uint_eq(bed.n_punts, 1);
    ck_assert_uint_eq(bed.punt.reason, DP_PUNT_GROUP);
    ck_assert_uint_eq(bed.punt.cookie, 0xc00c);
    ck_assert_uint_eq(bed.punt.max_len, 128);
    ck_assert_uint_eq(bed.punt.in_port, 1);
    bed_count(&bed, 2);
}
END_TEST

/* ----------------------------------------------------------------- chaining */

START_TEST(test_group_chain_runs_every_group_behind)
{
    struct dp_stats bs[2];

    bucket_out(0, ANY_PORT, 4);
    bucket_out(0, ANY_PORT, 5);
    group_set(3, DP_GROUP_ALL);
    ops_set_u64(bucket(0, ANY_PORT, ANY_GROUP), FLOW_F_UDP_DST, 99);
    ops_add(&built.o[0], DP_OP_GROUP, 0, 3);
    group_set(2, DP_GROUP_INDIRECT);
    bucket_group(ANY_GROUP, 2);
    bucket_group(ANY_GROUP, 3);
    group_set(1, DP_GROUP_ALL);
    group_rule(1, _i ? 6 : 0);
    group_feed(4);
    for (unsigned port = 4; port <= 5; port++) {
        unsigned changed = 0;
        struct rte_mbuf *m;

        ck_assert_uint_eq(bed.ports[port].tx_n, 8);
        while ((m = bed_take(&bed, port))) {
            changed += get_be16(rte_pktmbuf_mtod(m, uint8_t *) + frame.l4 + 2)
                       == 99;
            rte_pktmbuf_free(m);
        }
        ck_assert_uint_eq(changed, 4);
    }
    ck_assert_uint_eq(bed_count(&bed, 6), _i ? 4 : 0);
    ck_assert_uint_eq(group_stats(3, bs, 2).packets, 8);
    ck_assert_uint_eq(bs[1].packets, 8);
    ck_assert_uint_eq(group_stats(1, bs, 2).packets, 4);
}
END_TEST

/* The agent refuses loops; here one ends by itself. */
START_TEST(test_group_loop_ends)
{
    bucket_group(ANY_GROUP, 7);
    group_set(7, DP_GROUP_INDIRECT);
    group_rule(7, 0);
    group_feed(3);
    ck_assert_uint_eq(bed_drops(&bed, DROP_LOOP), 3);
}
END_TEST

START_TEST(test_group_all_of_all_ends_at_a_budget)
{
    for (unsigned g = 10; g; g--) {
        for (unsigned i = 0; i < 8; i++)
            g == 10 ? bucket_out(0, ANY_PORT, 2)
                    : bucket_group(ANY_GROUP, g + 1);
        group_set(g, DP_GROUP_ALL);
    }
    group_rule(1, 0);
    bed.ports[2].tx_room = 100;
    group_feed(1);
    bed_count(&bed, 2);
    ck_assert_uint_ge(bed_drops(&bed, DROP_LOOP), 1);
}
END_TEST

/* ------------------------------------------------------------ fast failover */

START_TEST(test_group_ff_takes_the_first_live_bucket_at_once)
{
    struct dp_stats bs[3];

    bucket_out(0, 2, 2);
    bucket_out(0, 3, 3);
    bucket_out(0, 99, 4); /* No such port. */
    group_set(7, DP_GROUP_FF);
    group_rule(7, _i ? 6 : 0);
    group_feed(2);
    ck_assert_uint_eq(bed_count(&bed, 2), 2);
    group_link(2, false); /* Control has not heard of it. */
    group_feed(2);
    ck_assert_uint_eq(bed_count(&bed, 2), 0);
    ck_assert_uint_eq(bed_count(&bed, 3), 2);
    group_link(2, true);
    ck_assert_int_eq(dp_port_set_config(bed.br, 2, DP_PC_DOWN, DP_PC_DOWN), 0);
    group_feed(1);
    ck_assert_uint_eq(bed_count(&bed, 3), 1);
    group_link(3, false);
    group_feed(5);
    ck_assert_uint_eq(bed_drops(&bed, DROP_NO_BUCKET), 5);
    ck_assert_uint_eq(group_stats(7, bs, 3).packets, 10);
    ck_assert_uint_eq(bs[0].packets, 2);
    ck_assert_uint_eq(bs[1].packets, 3);
    ck_assert_uint_eq(bs[2].packets, 0);
    ck_assert_uint_eq(bed_count(&bed, 6), _i ? 10 : 0);
}
END_TEST

START_TEST(test_group_ff_port_that_goes_is_dead)
{
    bucket_out(0, 2, 2);
    bucket_out(0, 3, 3);
    group_set(7, DP_GROUP_FF);
    group_rule(7, 0);
    ck_assert_int_eq(dp_port_del(bed.br, 2, NULL), 0);
    group_feed(2);
    ck_assert_uint_eq(bed_count(&bed, 3), 2);
}
END_TEST

/* 1 watches 2 watches ports: known when control has heard of the change. */
START_TEST(test_group_ff_watches_groups)
{
    bucket_out(0, 2, 2);
    bucket_out(0, 3, 3);
    group_set(2, DP_GROUP_FF);
    bucket_group(2, 2);
    bucket_out(0, 4, 4);
    group_set(1, DP_GROUP_FF);
    group_rule(1, 0);
    group_feed(1);
    ck_assert_uint_eq(bed_count(&bed, 2), 1);
    group_link(2, false);
    group_link(3, false);
    dp_groups_relive(bed.br);
    group_feed(2);
    ck_assert_uint_eq(bed_count(&bed, 4), 2);
    group_link(3, true);
    dp_groups_relive(bed.br);
    group_feed(3);
    ck_assert_uint_eq(bed_count(&bed, 3), 3);
    dp_group_del(bed.br, 2);
    group_feed(4);
    ck_assert_uint_eq(bed_count(&bed, 4), 4);
    group_set(2, DP_GROUP_ALL); /* Without buckets: not live. */
    group_feed(5);
    ck_assert_uint_eq(bed_count(&bed, 4), 5);
    bucket_out(0, ANY_PORT, 5);
    group_set(2, DP_GROUP_ALL);
    group_feed(6);
    ck_assert_uint_eq(bed_count(&bed, 5), 6);
}
END_TEST

/* ----------------------------------------------------------------- changing */

START_TEST(test_group_change_is_seen_by_cached_programs)
{
    for (unsigned i = 2; i <= 5; i++) {
        bucket_out(0, ANY_PORT, i);
        group_set(7, DP_GROUP_INDIRECT);
        if (i == 2)
            group_rule(7, 0);
        group_feed(40);
        ck_assert_uint_eq(bed_count(&bed, i), 40);
    }
}
END_TEST

START_TEST(test_group_counters_stay_as_asked)
{
    struct dp_group_config c = { .type = DP_GROUP_ALL };
    struct dp_stats bs[3];

    bucket_out(0, ANY_PORT, 2);
    bucket_out(0, ANY_PORT, 3);
    group_set(7, DP_GROUP_ALL);
    group_rule(7, 0);
    group_feed(3);
    /* A bucket in front; the old ones keep their ids. */
    bucket_out(0, ANY_PORT, 4);
    bucket_out(0, ANY_PORT, 2);
    bucket_out(0, ANY_PORT, 3);
    built.b[0].id = 9;
    built.b[1].id = 0;
    built.b[2].id = 1;
    c.keep_buckets = true;
    ck_assert_int_eq(group_set_config(7, &c), 0);
    group_feed(2);
    ck_assert_uint_eq(group_stats(7, bs, 3).packets, 5);
    ck_assert_uint_eq(bs[0].packets, 2);
    ck_assert_uint_eq(bs[1].packets, 5);
    ck_assert_uint_eq(bs[2].packets, 5);
    bucket_out(0, ANY_PORT, 2);
    group_set(7, DP_GROUP_ALL);
    group_feed(1);
    ck_assert_uint_eq(group_stats(7, bs, 1).packets, 6);
    ck_assert_uint_eq(bs[0].packets, 1);
    for (unsigned i = 2; i <= 4; i++)
        bed_count(&bed, i);
}
END_TEST

/* In the place of the old one: packets find one or the other. */
START_TEST(test_group_set_anew_begins_to_count_again)
{
    struct dp_group_config c = { .type = DP_GROUP_ALL, .anew = true };
    struct dp_stats bs[1];

    bucket_out(0, ANY_PORT, 2);
    group_set(7, DP_GROUP_ALL);
    group_rule(7, 0);
    group_feed(3);
    bucket_out(0, ANY_PORT, 3);
    ck_assert_int_eq(group_set_config(7, &c), 0);
    ck_assert_uint_eq(group_stats(7, bs, 1).packets, 0);
    group_feed(2);
    ck_assert_uint_eq(bed_count(&bed, 2), 3);
    ck_assert_uint_eq(bed_count(&bed, 3), 2);
    ck_assert_uint_eq(group_stats(7, bs, 1).packets, 2);
    ck_assert_uint_eq(bs[0].packets, 2);
    bucket_out(0, ANY_PORT, 2); /* With none there it is an add. */
    ck_assert_int_eq(group_set_config(8, &c), 0);
    dp_group_del(bed.br, 7);
    dp_group_del(bed.br, 8);
    ck_assert_int_eq(dp_group_get_stats(bed.br, 7, bs, NULL, 0), -ENOENT);
}
END_TEST

START_TEST(test_group_table_holds_many_and_forgets_them)
{
    enum { N = 70000 };

    for (unsigned i = 0; i < N; i++) {
        struct dp_group_config c = { .type = DP_GROUP_ALL };

        ck_assert_int_eq(dp_group_set(bed.br, i * 977u, &c), 0);
    }
    for (unsigned i = 0; i < N; i += 13)
        ck_assert_uint_eq(dp_group_find(bed.br, i * 977u)->id, i * 977u);
    for (unsigned i = 0; i < N; i += 2)
        dp_group_del(bed.br, i * 977u);
    for (unsigned i = 0; i < N; i++)
        ck_assert_int_eq(!dp_group_find(bed.br, i * 977u), i % 2 == 0);
    /* Comes and goes: the table does not grow for it. */
    for (unsigned i = 0; i < 300000; i++) {
        struct dp_group_config c = { .type = DP_GROUP_ALL };

        ck_assert_int_eq(dp_group_set(bed.br, 0x80000000u + i, &c), 0);
        dp_group_del(bed.br, 0x80000000u + i);
        if (i % 1000 == 0)
            bed_run(&bed);
    }
    ck_assert_uint_le(bed.br->groups->mask, 4 * N * 2);
    dp_commit(bed.dp);
    bed_run(&bed);
}
END_TEST

START_TEST(test_group_packet_out_runs_groups)
{
    static struct ops o;
    struct dp_op_list l;

    bucket_out(0, ANY_PORT, 2);
    ops_add(bucket(0, ANY_PORT, ANY_GROUP), DP_OP_CONTROLLER, DP_PUNT_ACTION,
            0xffff);
    group_set(7, DP_GROUP_ALL);
    o.n = 0;
    ops_add(&o, DP_OP_GROUP, 0, 7);
    l = ops_list(&o);
    ck_assert_int_eq(dp_packet_out(bed.br, DP_PORT_CONTROLLER, frame.b, frame.len, &l),
                     0);
    bed_run(&bed);
    bed_expect(&bed, 2, &frame);
    ck_assert_uint_eq(bed.n_punts, 1);
    ck_assert_uint_eq(bed.punt.cookie, UINT64_MAX);
}
END_TEST

START_TEST(test_group_unknown_ops_are_refused)
{
    struct dp_group_config c = { .type = DP_GROUP_ALL };

    ops_add(bucket(0, ANY_PORT, ANY_GROUP), N_DP_OPS + 3, 0, 0);
    ck_assert_int_eq(group_set_config(7, &c), -EINVAL);
    ops_add(bucket(0, ANY_PORT, ANY_GROUP), DP_OP_TABLE, 0, 0);
    ck_assert_int_eq(group_set_config(7, &c), -EINVAL);
    c.type = 4;
    ck_assert_int_eq(group_set_config(7, &c), -EINVAL);
    c.type = DP_GROUP_ALL;
    ck_assert_int_eq(group_set_config(DP_GROUP_MAX + 1, &c), -EINVAL);
}
END_TEST

int
main(void)
{
    TCase *tc = tcase_create("group");

    tcase_set_timeout(tc, 120);
    tcase_add_unchecked_fixture(tc, bed_eal_up, NULL);
    tcase_add_checked_fixture(tc, group_bed_setup, group_bed_teardown);
    /* 0: the group is the last action; 1: an output follows. */
    tcase_add_loop_test(tc, test_group_all_gives_every_bucket_a_copy, 0, 2);
    tcase_add_test(
        tc, test_group_all_buckets_start_from_the_packet_as_it_came);
    tcase_add_test(tc, test_group_all_does_not_send_back_but_by_in_port);
    tcase_add_test(tc, test_group_bucket_is_an_action_set);
    tcase_add_test(tc, test_group_in_the_action_set_hides_the_output);
    tcase_add_test(tc, test_group_indirect_needs_one_bucket);
    tcase_add_loop_test(tc, test_group_that_is_not_there_drops, 0, 2);
    tcase_add_loop_test(tc, test_group_without_buckets_drops, 0, 3);
    tcase_add_loop_test(tc, test_group_bucket_without_output_drops_its_copy,
                        0, 2);
    tcase_add_loop_test(tc, test_group_controller_bucket_tells_rule_and_reason,
                        0, 2);
    tcase_add_loop_test(tc, test_group_chain_runs_every_group_behind, 0, 2);
    tcase_add_test(tc, test_group_loop_ends);
    tcase_add_test(tc, test_group_all_of_all_ends_at_a_budget);
    tcase_add_loop_test(tc, test_group_ff_takes_the_first_live_bucket_at_once,
                        0, 2);
    tcase_add_test(tc, test_group_ff_port_that_goes_is_dead);
    tcase_add_test(tc, test_group_ff_watches_groups);
    tcase_add_test(tc, test_group_change_is_seen_by_cached_programs);
    tcase_add_test(tc, test_group_counters_stay_as_asked);
    tcase_add_test(tc, test_group_set_anew_begins_to_count_again);
    tcase_add_test(tc, test_group_table_holds_many_and_forgets_them);
    tcase_add_test(tc, test_group_packet_out_runs_groups);
    tcase_add_test(tc, test_group_unknown_ops_are_refused);
    return bed_main("datapath", tc);
}
