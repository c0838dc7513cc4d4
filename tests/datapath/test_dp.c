/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline: rules, tables, counters, punts, packet-out, NORMAL, patch
 * ports, accounting. */
#include "weft/dp.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/datapath/bed.h"

static struct bed b;

static void
setup(void)
{
    bed_open(&b, 4, BED_CAPS);
}

/* For tests of the cache itself, whatever the matrix asks for. */
static void
setup_cached(void)
{
    bed_open_cache(&b, 4, PORT_CAP_CSUM | PORT_CAP_TSO | PORT_CAP_MULTI_SEG,
                   DP_CACHE_MAX);
}

static void
teardown(void)
{
    bed_close(&b);
}

static struct pkt
udp(uint16_t src, uint16_t dst)
{
    struct pkt p;

    pkt_init(&p);
    pkt_eth(&p, PKT_MAC(2), PKT_MAC(1), 0x0800);
    pkt_ipv4(&p, 0x0a000001, 0x0a000002, 17);
    pkt_udp(&p, src, dst);
    pkt_payload(&p, 18);
    pkt_end(&p);
    return p;
}

static struct dp_rule *
rule_output(uint16_t priority, const struct flow_match *m, uint32_t port)
{
    struct ops o = { .n = 0 };

    ops_add(&o, DP_OP_OUTPUT, 0, port);
    return bed_rule(&b, priority, m, &o);
}

/* -------------------------------------------------------------- one table */

START_TEST(test_dp_rule_in_port_outputs_unchanged)
{
    struct flow_match m = BED_ANY;
    struct pkt p = udp(1, 2);
    struct dp_rule *r;
    struct dp_stats s;

    match_u64(&m, FLOW_F_IN_PORT, 1);
    r = rule_output(10, &m, 2);
    bed_feed(&b, 1, &p);
    bed_feed(&b, 1, &p);
    bed_feed(&b, 3, &p);
    bed_run(&b);
    bed_expect(&b, 2, &p);
    bed_expect(&b, 2, &p);
    bed_expect_none(&b, 2);
    dp_rule_get_stats(r, &s);
    ck_assert_uint_eq(s.packets, 2);
    ck_assert_uint_eq(s.bytes, 2 * p.len);
    ck_assert_uint_ne(s.used_ns, 0);
    ck_assert_uint_eq(bed_drops(&b, DROP_NO_RULE), 1);
}
END_TEST

START_TEST(test_dp_higher_priority_wins_and_deleted_rule_no_longer)
{
    struct flow_match m = BED_ANY;
    struct pkt p = udp(1000, 80), q = udp(1000, 81);
    struct dp_rule *high;

    rule_output(1, &BED_ANY, 2);
    match_u64(&m, FLOW_F_ETH_TYPE, 0x0800);
    match_u64(&m, FLOW_F_IP_PROTO, 17);
    match_u64(&m, FLOW_F_UDP_DST, 80);
    high = rule_output(5, &m, 3);
    for (int i = 0; i < 4; i++) {
        bed_feed(&b, 1, &p);
        bed_feed(&b, 1, &q);
        bed_run(&b);
    }
    ck_assert_uint_eq(bed_count(&b, 3), 4);
    ck_assert_uint_eq(bed_count(&b, 2), 4);
    ck_assert_uint_eq(bed_packets(high), 4);
    dp_rule_del(high);
    dp_commit(b.dp);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    bed_expect_none(&b, 3);
    ck_assert_uint_eq(bed_count(&b, 2), 1);
}
END_TEST

START_TEST(test_dp_rule_added_later_widens_the_cached_key)
{
    struct flow_match m = BED_ANY;
    struct pkt p = udp(1, 80), q = udp(1, 81);

    rule_output(1, &BED_ANY, 2);
    for (int i = 0; i < 5; i++) { /* Both flows are one cache entry. */
        bed_feed(&b, 1, &p);
        bed_feed(&b, 1, &q);
        bed_run(&b);
    }
    ck_assert_uint_eq(bed_count(&b, 2), 10);
    match_u64(&m, FLOW_F_ETH_TYPE, 0x0800);
    match_u64(&m, FLOW_F_IP_PROTO, 17);
    match_u64(&m, FLOW_F_UDP_DST, 81);
    rule_output(2, &m, 3);
    for (int i = 0; i < 5; i++) {
        bed_feed(&b, 1, &p);
        bed_feed(&b, 1, &q);
        bed_run(&b);
    }
    ck_assert_uint_eq(bed_count(&b, 2), 5);
    ck_assert_uint_eq(bed_count(&b, 3), 5);
}
END_TEST

START_TEST(test_dp_rule_set_changes_actions_and_keeps_counters)
{
    struct ops o = { .n = 0 };
    struct pkt p = udp(1, 2);
    struct dp_rule *r = rule_output(1, &BED_ANY, 2);
    struct dp_instr in;

    for (int i = 0; i < 3; i++) {
        bed_feed(&b, 1, &p);
        bed_run(&b);
    }
    ops_add(&o, DP_OP_OUTPUT, 0, 3);
    in = bed_apply(&o);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(dp_rule_set(r, &in, i), 0);
    dp_commit(b.dp);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_count(&b, 2), 3);
    ck_assert_uint_eq(bed_count(&b, 3), 1);
    ck_assert_uint_eq(bed_packets(r), 4);
    dp_rule_reset_stats(r);
    ck_assert_uint_eq(bed_packets(r), 0);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_packets(r), 1);
    bed_count(&b, 3);
}
END_TEST

START_TEST(test_dp_rule_match_comes_back_as_given)
{
    struct flow_match m = BED_ANY, got;
    struct dp_rule *r;

    match_u64(&m, FLOW_F_IN_PORT, 7);
    match_u64(&m, FLOW_F_ETH_TYPE, 0x0800);
    match_u64(&m, FLOW_F_IPV4_DST, 0x0a000002);
    match_u64(&m, FLOW_F_METADATA, 5);
    r = rule_output(1, &m, 2);
    dp_rule_get_match(r, &got);
    ck_assert(flow_match_equal(&m, &got));
}
END_TEST

START_TEST(test_dp_rule_find_takes_exactly_table_priority_and_match)
{
    struct dp_instr none = bed_apply(NULL);
    struct flow_match m = BED_ANY, wide = BED_ANY;
    struct dp_rule *r[3], *again;

    match_u64(&m, FLOW_F_ETH_TYPE, 0x0800);
    wide = m;
    match_u64(&m, FLOW_F_IPV4_DST, 0x0a000002);
    ck_assert_ptr_null(dp_rule_find(b.br, 3, 7, &m));
    for (unsigned i = 0; i < 3; i++) /* Same match: 7, 9, 8. */
        ck_assert_int_eq(dp_rule_add(b.br, 3, (uint16_t) (7 + i * 2 % 3), &m,
                                     &none, i, &r[i]), 0);
    ck_assert_ptr_eq(dp_rule_find(b.br, 3, 7, &m), r[0]);
    ck_assert_ptr_eq(dp_rule_find(b.br, 3, 9, &m), r[1]);
    ck_assert_ptr_eq(dp_rule_find(b.br, 3, 8, &m), r[2]);
    ck_assert_ptr_null(dp_rule_find(b.br, 3, 6, &m));
    ck_assert_ptr_null(dp_rule_find(b.br, 3, 10, &m));
    ck_assert_ptr_null(dp_rule_find(b.br, 4, 7, &m));
    ck_assert_ptr_null(dp_rule_find(b.br, 254, 7, &m));
    ck_assert_ptr_null(dp_rule_find(b.br, 3, 7, &wide));
    for (unsigned i = 0; i < 3; i++) {
        again = NULL;
        ck_assert_int_eq(dp_rule_add(b.br, 3, (uint16_t) (7 + i), &m, &none,
                                     0, &again), -EEXIST);
        ck_assert_ptr_eq(again, dp_rule_find(b.br, 3, (uint16_t) (7 + i),
                                             &m));
    }
    dp_rule_del(r[1]);
    ck_assert_ptr_null(dp_rule_find(b.br, 3, 9, &m));
    ck_assert_ptr_eq(dp_rule_find(b.br, 3, 8, &m), r[2]);
}
END_TEST

START_TEST(test_dp_rule_says_what_it_was_given)
{
    struct ops apply = { .n = 0 }, write = { .n = 0 };
    struct flow_match m = BED_ANY, got;
    struct dp_rule_info info;
    struct dp_instr in, back;
    struct dp_rule *r;

    match_u64(&m, FLOW_F_IN_PORT, 7);
    ops_add(&apply, DP_OP_OUTPUT, 0, 3);
    ops_add(&write, DP_OP_PUSH_VLAN, 0, 0);
    ops_add(&write, DP_OP_OUTPUT, 0, 4);
    in = bed_apply(&apply);
    in.write = bed_apply(&write).apply;
    in.clear = true;
    in.metadata = 0x1234; /* Bits outside the mask are reported, too. */
    in.metadata_mask = 0xff;
    in.goto_table = 9;
    ck_assert_int_eq(dp_rule_add(b.br, 2, 5, &m, &in, 77, &r), 0);
    dp_rule_get(r, &info);
    ck_assert_uint_eq(info.table, 2);
    ck_assert_uint_eq(info.priority, 5);
    ck_assert_uint_eq(info.cookie, 77);
    ck_assert_mem_eq(info.mask, &m.mask, sizeof m.mask);
    flow_key_unpack(&got.key, info.words, info.values);
    ck_assert_mem_eq(&got.key, &m.key, sizeof m.key);
    dp_rule_get_instr(r, &back);
    ck_assert_uint_eq(back.apply.n_words, in.apply.n_words);
    ck_assert_mem_eq(back.apply.ops, in.apply.ops, 8 * in.apply.n_words);
    ck_assert_uint_eq(back.write.n_words, in.write.n_words);
    ck_assert_mem_eq(back.write.ops, in.write.ops, 8 * in.write.n_words);
    ck_assert(back.clear);
    ck_assert_uint_eq(back.metadata, 0x1234);
    ck_assert_uint_eq(back.metadata_mask, 0xff);
    ck_assert_uint_eq(back.goto_table, 9);
}
END_TEST

START_TEST(test_dp_rule_owner_bytes_stay_the_callers)
{
    struct dp_instr none = bed_apply(NULL);
    static const uint8_t zero[DP_RULE_OWNER];
    uint8_t mine[DP_RULE_OWNER];
    struct pkt p = udp(1, 2);
    struct dp_rule *r, *last = NULL;

    memset(mine, 0xa5, sizeof mine);
    for (unsigned i = 0; i < 50; i++) {
        struct flow_match m = BED_ANY;

        match_u64(&m, FLOW_F_IN_PORT, 1 + i % 2);
        if (last)
            dp_rule_del(last);
        ck_assert_int_eq(dp_rule_add(b.br, 0, 1, &m, &none, 0, &r), 0);
        last = r;
        ck_assert_ptr_eq(dp_rule_of_owner(dp_rule_owner(r)), r);
        ck_assert_mem_eq(dp_rule_owner(r), zero, sizeof zero);
        memcpy(dp_rule_owner(r), mine, sizeof mine);
        dp_commit(b.dp);
        bed_feed(&b, 1, &p);
        bed_run(&b);
        dp_rule_reset_stats(r);
        ck_assert_mem_eq(dp_rule_owner(r), mine, sizeof mine);
    }
}
END_TEST

/* A rule that ends the pipeline gets a goto: flows that lead to it straight
 * from the cache do what it did until the commit, then what it does. */
START_TEST(test_dp_rule_set_to_goto_serves_cached_flows_until_the_commit)
{
    struct ops o = { .n = 0 };
    struct pkt p = udp(1, 2);
    struct flow_match m = BED_ANY;
    struct dp_instr in = bed_apply(NULL);
    struct dp_rule *r;

    match_u64(&m, FLOW_F_IN_PORT, 1);
    r = rule_output(1, &m, 2);
    for (unsigned i = 0; i < 40; i++) { /* Too many for the linear form. */
        struct flow_match other = BED_ANY;

        match_u64(&other, FLOW_F_IN_PORT, 100 + i);
        rule_output(1, &other, 3);
    }
    ops_add(&o, DP_OP_OUTPUT, 0, 3);
    in = bed_apply(&o);
    bed_rule_in(&b, 1, 1, &BED_ANY, &in);
    in = bed_apply(NULL);
    for (int i = 0; i < 4; i++) {
        bed_feed(&b, 1, &p);
        bed_run(&b);
    }
    ck_assert_uint_eq(bed_count(&b, 2), 4);
    in.goto_table = 1;
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(dp_rule_set(r, &in, i), 0);
        bed_feed(&b, 1, &p);
        bed_run(&b);
    }
    ck_assert_uint_eq(bed_count(&b, 2), 3);
    dp_commit(b.dp);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_count(&b, 3), 1);
    ck_assert_uint_eq(bed_count(&b, 2), 0);
    ck_assert_uint_eq(bed_packets(r), 8);
}
END_TEST

START_TEST(test_dp_bad_rules_are_refused)
{
    struct ops o = { .n = 0 };
    struct dp_instr in = bed_apply(NULL);
    struct dp_rule *r;

    ck_assert_int_eq(dp_rule_add(b.br, 254, 1, &BED_ANY, &in, 0, &r),
                     -EINVAL);
    in.goto_table = 0;
    ck_assert_int_eq(dp_rule_add(b.br, 0, 1, &BED_ANY, &in, 0, &r), -EINVAL);
    o.n = 0;
    ops_add(&o, N_DP_OPS + 3, 0, 1);
    in = bed_apply(&o);
    ck_assert_int_eq(dp_rule_add(b.br, 0, 1, &BED_ANY, &in, 0, &r), -EINVAL);
    o.n = 0;
    ops_add(&o, DP_OP_TABLE, 0, 0);
    in = bed_apply(&o);
    ck_assert_int_eq(dp_rule_add(b.br, 0, 1, &BED_ANY, &in, 0, &r), -EINVAL);
    o.n = 0;
    ops_add(&o, DP_OP_OUTPUT, 0, 1);
    ((uint8_t *) o.w)[offsetof(struct dp_op, words)] = 9; /* Past the end. */
    in = bed_apply(&o);
    ck_assert_int_eq(dp_rule_add(b.br, 0, 1, &BED_ANY, &in, 0, &r), -EINVAL);
}
END_TEST

START_TEST(test_dp_rule_without_output_drops_as_rule_drop)
{
    struct pkt p = udp(1, 2);
    struct dp_rule *r = bed_rule(&b, 1, &BED_ANY, NULL);

    bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_drops(&b, DROP_RULE_DROP), 1);
    ck_assert_uint_eq(bed_packets(r), 1);
}
END_TEST

START_TEST(test_dp_several_outputs_get_copies_as_they_stand_then)
{
    struct ops o = { .n = 0 };
    struct pkt p = udp(1, 2), q = p;
    struct dp_balance x;

    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    ops_set_u64(&o, FLOW_F_ETH_DST, 0x42);
    ops_add(&o, DP_OP_OUTPUT, 0, 3);
    ops_add(&o, DP_OP_OUTPUT, 0, 99); /* Does not exist. */
    ops_add(&o, DP_OP_OUTPUT, 0, 1);  /* Came in there. */
    ops_set_u64(&o, FLOW_F_ETH_DST, 0x43); /* Nobody sees it. */
    bed_rule(&b, 1, &BED_ANY, &o);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    memcpy(q.b, PKT_MAC(0x42), 6);
    bed_expect(&b, 2, &p);
    bed_expect(&b, 3, &q);
    dp_bridge_get_balance(b.br, &x);
    ck_assert_uint_eq(x.received, 1);
    ck_assert_uint_eq(x.copied, 3);
    ck_assert_uint_eq(x.sent, 2);
    ck_assert_uint_eq(x.dropped[DROP_NO_PORT], 1);
    ck_assert_uint_eq(x.dropped[DROP_TO_IN_PORT], 1);
}
END_TEST

START_TEST(test_dp_full_and_refusing_ports_count_their_drops)
{
    struct pkt p = udp(1, 2);
    struct dp_port_info info;

    rule_output(1, &BED_ANY, 2);
    b.ports[2].tx_room = 3;
    for (int i = 0; i < 5; i++)
        bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_count(&b, 2), 3);
    ck_assert_uint_eq(bed_drops(&b, DROP_TX_FULL), 2);
    b.ports[2].refuse = true;
    bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_drops(&b, DROP_TX_ERROR), 1);
    ck_assert_int_eq(dp_port_get(b.br, 2, &info), 0);
    ck_assert_uint_eq(info.stats.tx_packets, 3);
    ck_assert_uint_eq(info.stats.tx_bytes, 3 * p.len);
    ck_assert_uint_eq(info.stats.tx_dropped, 3);
    ck_assert_uint_eq(info.drops[DROP_TX_FULL], 2);
    ck_assert_int_eq(dp_port_get(b.br, 1, &info), 0);
    ck_assert_uint_eq(info.stats.rx_packets, 6);
}
END_TEST

START_TEST(test_dp_port_config_bits_have_their_drop_reasons)
{
    struct pkt p = udp(1, 2);

    rule_output(1, &BED_ANY, 2);
    ck_assert_int_eq(dp_port_set_config(b.br, 1, DP_PC_NO_RECV, ~0u), 0);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_drops(&b, DROP_RX_NO_RECV), 1);
    ck_assert_int_eq(dp_port_set_config(b.br, 1, DP_PC_DOWN, ~0u), 0);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_drops(&b, DROP_RX_PORT_DOWN), 1);
    ck_assert_int_eq(dp_port_set_config(b.br, 1, 0, ~0u), 0);
    ck_assert_int_eq(dp_port_set_config(b.br, 2, DP_PC_NO_FWD, ~0u), 0);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_drops(&b, DROP_NO_FWD), 1);
    ck_assert_int_eq(dp_port_set_config(b.br, 2, DP_PC_DOWN, ~0u), 0);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_drops(&b, DROP_TX_PORT_DOWN), 1);
    ck_assert_int_eq(dp_port_set_config(b.br, 9, 0, 0), -ENODEV);
}
END_TEST

START_TEST(test_dp_frames_up_to_the_mtu_pass_larger_ones_do_not)
{
    struct pkt p;

    rule_output(1, &BED_ANY, 2);
    for (size_t n = 1471; n <= 1474; n++) {
        pkt_init(&p);
        pkt_eth(&p, PKT_MAC(2), PKT_MAC(1), 0x0800);
        pkt_ipv4(&p, 1, 2, 17);
        pkt_udp(&p, 1, 2);
        pkt_payload(&p, n);
        pkt_end(&p);
        bed_feed(&b, 1, &p);
    }
    bed_run(&b);
    ck_assert_uint_eq(bed_count(&b, 2), 2);
    ck_assert_uint_eq(bed_drops(&b, DROP_RX_TOO_BIG), 2);
}
END_TEST

START_TEST(test_dp_malformed_frames_are_dropped_by_reason)
{
    struct pkt p = udp(1, 2);

    rule_output(1, &BED_ANY, 2);
    p.len = 13;
    bed_feed(&b, 1, &p);
    p.len = 30;
    bed_feed(&b, 1, &p);
    bed_run(&b);
    bed_expect_none(&b, 2);
    ck_assert_uint_eq(bed_drops(&b, DROP_RX_RUNT), 1);
    ck_assert_uint_eq(bed_drops(&b, DROP_PARSE_IPV4), 1);
}
END_TEST

START_TEST(test_dp_synced_reports_the_last_commit)
{
    uint64_t seq;

    rule_output(1, &BED_ANY, 2);
    seq = dp_commit(b.dp);
    bed_run(&b);
    ck_assert_uint_eq(b.synced, seq);
}
END_TEST

/* No packet gets there, but table 0 is not alone any more. */
static void
rule_in_table_1(void)
{
    struct ops o = { .n = 0 };
    struct dp_instr in;

    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    in = bed_apply(&o);
    bed_rule_in(&b, 1, 1, &BED_ANY, &in);
}

START_TEST(test_dp_flows_beyond_the_first_cache_all_forward)
{
    struct flow_match m = BED_ANY;
    struct dp_cache_stats *c;
    struct dp_worker_info w;

    match_u64(&m, FLOW_F_ETH_TYPE, 0x0800);
    match_u64(&m, FLOW_F_IP_PROTO, 17);
    match_u64(&m, FLOW_F_UDP_DST, 7);
    match_u64(&m, FLOW_F_UDP_SRC, 7);
    rule_output(2, &m, 3);
    rule_output(1, &BED_ANY, 2);
    rule_in_table_1(); /* Else the cache would not pay. */
    /* The cache grows on the way, and starts empty each time. */
    for (unsigned round = 0; round < 8; round++)
        for (unsigned i = 0; i < 20000; i++) {
            struct pkt p = udp((uint16_t) i, (uint16_t) (i >> 3));

            p.b[p.l3 + 19] = (uint8_t) (i >> 12);
            bed_feed(&b, 1, &p);
            if (i % 1000 == 999) {
                bed_run(&b);
                b.ports[2].tx_room = b.ports[3].tx_room = BED_QUEUE;
                ck_assert_uint_eq(bed_count(&b, 2) + bed_count(&b, 3), 1000);
            }
        }
    ck_assert_int_eq(dp_worker_get(b.dp, 0, &w), 0);
    c = &w.cache;
    ck_assert_uint_gt(c->capacity, DP_CACHE_MIN);
    ck_assert_uint_gt(c->entries, 1000);
    ck_assert_uint_le(c->entries, c->capacity);
}
END_TEST

/* 'n' packets of one flow; returns how many of them the cache was asked for. */
static uint64_t
asked_of_cache(unsigned n)
{
    struct dp_worker_info before, after;
    struct pkt p = udp(1, 2);

    ck_assert_int_eq(dp_worker_get(b.dp, 0, &before), 0);
    for (unsigned i = 0; i < n; i++)
        bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_count(&b, 2), n);
    b.ports[2].tx_room = BED_QUEUE;
    ck_assert_int_eq(dp_worker_get(b.dp, 0, &after), 0);
    return after.cache.hits + after.cache.misses - before.cache.hits
           - before.cache.misses;
}

START_TEST(test_dp_traffic_before_one_short_table_bypasses_the_cache)
{
    rule_output(1, &BED_ANY, 2);
    ck_assert_uint_eq(asked_of_cache(2048), 2048);
    dp_bridge_house(b.br);
    ck_assert_uint_eq(asked_of_cache(2048), 2048 / CACHE_SAMPLE);

    rule_in_table_1();
    for (unsigned i = 0; i < 32; i++)
        asked_of_cache(2048);
    dp_bridge_house(b.br);
    ck_assert_uint_eq(asked_of_cache(2048), 2048);
}
END_TEST

/* -------------------------------------------------------------- pipeline */

START_TEST(test_dp_goto_write_actions_and_metadata)
{
    struct ops apply0 = { .n = 0 }, write0 = { .n = 0 }, write5 = { .n = 0 };
    struct flow_match meta = BED_ANY;
    struct dp_instr in = { .goto_table = 5 };
    struct pkt p = udp(1, 2), q = p;
    struct dp_rule *r0, *r5, *other;

    /* Table 0: output 3 at once; set: output 2, new source MAC; metadata. */
    ops_add(&apply0, DP_OP_OUTPUT, 0, 3);
    ops_add(&write0, DP_OP_OUTPUT, 0, 2);
    ops_set_u64(&write0, FLOW_F_ETH_SRC, 0x77);
    in.apply = ops_list(&apply0);
    in.write = ops_list(&write0);
    in.metadata = 0x1234;
    in.metadata_mask = 0xff00;
    r0 = bed_rule_in(&b, 0, 1, &BED_ANY, &in);
    /* Table 5: metadata decides; the set's output becomes 4. */
    match_u64(&meta, FLOW_F_METADATA, 0x1200);
    ops_add(&write5, DP_OP_OUTPUT, 0, 4);
    in = (struct dp_instr) { .goto_table = DP_NO_TABLE };
    in.write = ops_list(&write5);
    r5 = bed_rule_in(&b, 5, 10, &meta, &in);
    other = bed_rule_in(&b, 5, 1, &BED_ANY,
                        &(struct dp_instr) { .goto_table = DP_NO_TABLE });
    for (int i = 0; i < 4; i++) {
        bed_feed(&b, 1, &p);
        bed_run(&b);
        bed_expect(&b, 3, &p);
        memcpy(q.b + 6, PKT_MAC(0x77), 6);
        bed_expect(&b, 4, &q);
        bed_expect_none(&b, 2);
    }
    ck_assert_uint_eq(bed_packets(r0), 4);
    ck_assert_uint_eq(bed_packets(r5), 4);
    ck_assert_uint_eq(bed_packets(other), 0);
}
END_TEST

START_TEST(test_dp_clear_actions_empties_the_set)
{
    struct ops write0 = { .n = 0 };
    struct dp_instr in = { .goto_table = 1 };
    struct pkt p = udp(1, 2);

    ops_add(&write0, DP_OP_OUTPUT, 0, 2);
    in.write = ops_list(&write0);
    bed_rule_in(&b, 0, 1, &BED_ANY, &in);
    in = (struct dp_instr) { .goto_table = DP_NO_TABLE, .clear = true };
    bed_rule_in(&b, 1, 1, &BED_ANY, &in);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    bed_expect_none(&b, 2);
    ck_assert_uint_eq(bed_drops(&b, DROP_RULE_DROP), 1);
}
END_TEST

START_TEST(test_dp_later_table_sees_what_an_earlier_one_wrote)
{
    struct ops set = { .n = 0 }, out = { .n = 0 };
    struct flow_match m = BED_ANY;
    struct dp_instr in = { .goto_table = 1 };
    struct pkt p = udp(1, 2);

    ops_set_u64(&set, FLOW_F_UDP_DST, 4000);
    in.apply = ops_list(&set);
    bed_rule_in(&b, 0, 1, &BED_ANY, &in);
    match_u64(&m, FLOW_F_ETH_TYPE, 0x0800);
    match_u64(&m, FLOW_F_IP_PROTO, 17);
    match_u64(&m, FLOW_F_UDP_DST, 4000);
    ops_add(&out, DP_OP_OUTPUT, 0, 2);
    in = bed_apply(&out);
    bed_rule_in(&b, 1, 1, &m, &in);
    for (int i = 0; i < 3; i++) {
        struct pkt q = udp(1, 4000);

        bed_feed(&b, 1, &p);
        bed_run(&b);
        bed_expect(&b, 2, &q);
    }
}
END_TEST

START_TEST(test_dp_table_after_pop_looks_at_the_packet_again)
{
    struct ops pop = { .n = 0 }, out = { .n = 0 }, write = { .n = 0 };
    struct flow_match m = BED_ANY;
    struct dp_instr in = { .goto_table = 1 };
    struct pkt p, q;

    /* Two tags: only the packet tells what is under the first. */
    ops_add(&pop, DP_OP_POP_VLAN, 0, 0);
    ops_set_u64(&write, FLOW_F_ETH_SRC, 0x99);
    in.apply = ops_list(&pop);
    in.write = ops_list(&write);
    in.metadata = in.metadata_mask = 7;
    bed_rule_in(&b, 0, 1, &BED_ANY, &in);
    match_u64(&m, FLOW_F_VLAN_VID, 0x1000 | 22);
    match_u64(&m, FLOW_F_METADATA, 7);
    ops_add(&out, DP_OP_OUTPUT, 0, 2);
    in = (struct dp_instr) { .goto_table = DP_NO_TABLE };
    in.write = ops_list(&out);
    bed_rule_in(&b, 1, 1, &m, &in);
    pkt_init(&p);
    pkt_eth(&p, PKT_MAC(2), PKT_MAC(1), 0x0800);
    pkt_vlan(&p, 0x88a8, 11, 0x0800);
    pkt_vlan(&p, 0x8100, 22, 0x0800);
    pkt_ipv4(&p, 1, 2, 253);
    pkt_payload(&p, 30);
    pkt_end(&p);
    pkt_init(&q);
    pkt_eth(&q, PKT_MAC(2), PKT_MAC(0x99), 0x0800);
    pkt_vlan(&q, 0x8100, 22, 0x0800);
    pkt_ipv4(&q, 1, 2, 253);
    pkt_payload(&q, 30);
    pkt_end(&q);
    for (int i = 0; i < 3; i++) {
        bed_feed(&b, 1, &p);
        bed_run(&b);
        bed_expect(&b, 2, &q);
    }
}
END_TEST

START_TEST(test_dp_untagged_and_tagged_differ_after_pop_and_goto)
{
    struct ops pop = { .n = 0 }, out = { .n = 0 };
    struct dp_instr in = { .goto_table = 1 };
    struct pkt p, q = udp(1, 2);

    ops_add(&pop, DP_OP_POP_VLAN, 0, 0);
    in.apply = ops_list(&pop);
    bed_rule_in(&b, 0, 1, &BED_ANY, &in);
    ops_add(&out, DP_OP_OUTPUT, 0, 2);
    in = bed_apply(&out);
    bed_rule_in(&b, 1, 1, &BED_ANY, &in);
    pkt_init(&p);
    pkt_eth(&p, PKT_MAC(2), PKT_MAC(1), 0x0800);
    pkt_vlan(&p, 0x8100, 5, 0x0800);
    pkt_ipv4(&p, 0x0a000001, 0x0a000002, 17);
    pkt_udp(&p, 1, 2);
    pkt_payload(&p, 18);
    pkt_end(&p);
    for (int i = 0; i < 3; i++) {
        bed_feed(&b, 1, &p);
        bed_feed(&b, 1, &q);
        bed_run(&b);
        bed_expect(&b, 2, &q);
        bed_expect_none(&b, 2);
    }
    ck_assert_uint_eq(bed_drops(&b, DROP_NO_TAG), 3);
}
END_TEST

START_TEST(test_dp_miss_settings_drop_punt_or_continue)
{
    struct pkt p = udp(1, 2);
    struct dp_table_info t;
    struct ops out = { .n = 0 };
    struct dp_instr in;

    bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_drops(&b, DROP_NO_RULE), 1);
    dp_table_set_miss(b.br, 0, DP_MISS_CONTROLLER);
    dp_commit(b.dp);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(b.n_punts, 1);
    ck_assert_int_eq(b.punt.reason, DP_PUNT_NO_MATCH);
    ck_assert_uint_eq(b.punt.cookie, UINT64_MAX);
    dp_table_set_miss(b.br, 0, DP_MISS_CONTINUE);
    ops_add(&out, DP_OP_OUTPUT, 0, 2);
    in = bed_apply(&out);
    bed_rule_in(&b, 1, 1, &BED_ANY, &in);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    bed_expect(&b, 2, &p);
    dp_table_get(b.br, 0, &t);
    ck_assert_uint_eq(t.lookups, 3);
    ck_assert_uint_eq(t.matches, 0);
    dp_table_get(b.br, 1, &t);
    ck_assert_uint_eq(t.lookups, 1);
    ck_assert_uint_eq(t.matches, 1);
    ck_assert_uint_eq(t.n_rules, 1);
}
END_TEST

START_TEST(test_dp_pipeline_of_all_tables_is_walked)
{
    struct ops out = { .n = 0 };
    struct pkt p = udp(1, 2);
    struct dp_instr in;

    for (unsigned t = 0; t < DP_N_TABLES - 1; t++) {
        in = (struct dp_instr) { .goto_table = (uint8_t) (t + 1) };
        bed_rule_in(&b, (uint8_t) t, 1, &BED_ANY, &in);
    }
    ops_add(&out, DP_OP_OUTPUT, 0, 2);
    in = bed_apply(&out);
    bed_rule_in(&b, DP_N_TABLES - 1, 1, &BED_ANY, &in);
    for (int i = 0; i < 5; i++)
        bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_count(&b, 2), 5);
}
END_TEST

/* ---------------------------------------------------- punt and packet-out */

START_TEST(test_dp_controller_copies_and_says_where_it_came_from)
{
    struct ops o = { .n = 0 };
    struct flow_match m = BED_ANY;
    struct pkt p = udp(1, 2);
    struct dp_instr in;

    ops_add(&o, DP_OP_CONTROLLER, DP_PUNT_ACTION, 128);
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    in = (struct dp_instr) { .goto_table = 3, .metadata = 9,
                             .metadata_mask = 0xff };
    bed_rule_in(&b, 0, 1, &BED_ANY, &in);
    in = bed_apply(&o);
    match_u64(&m, FLOW_F_IN_PORT, 1);
    bed_rule_in(&b, 3, 0, &m, &in);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    bed_expect(&b, 2, &p);
    ck_assert_uint_eq(b.n_punts, 1);
    ck_assert_int_eq(b.punt.reason, DP_PUNT_ACTION);
    ck_assert_uint_eq(b.punt.in_port, 1);
    ck_assert_uint_eq(b.punt.table, 3);
    ck_assert_uint_eq(b.punt.cookie, 0xc00c);
    ck_assert_uint_eq(b.punt.metadata, 9);
    ck_assert_uint_eq(b.punt.max_len, 128);
    ck_assert_uint_eq(b.punt.total_len, p.len);
    ck_assert_uint_eq(b.punt.len, p.len);
    ck_assert(!b.punt.miss_rule);
    ck_assert_ptr_eq(b.punt.bridge, b.br);
    ck_assert_ptr_eq(b.punt.bridge_owner, &b);
    ck_assert_mem_eq(b.punt_data, p.b, p.len);
}
END_TEST

START_TEST(test_dp_punts_beyond_the_quota_are_dropped_by_reason)
{
    struct ops o = { .n = 0 };
    struct pkt p = udp(1, 2);

    ops_add(&o, DP_OP_CONTROLLER, DP_PUNT_ACTION, 128);
    bed_rule(&b, 0, &BED_ANY, &o);
    for (unsigned i = 0; i < DP_PUNT_QUOTA + 44; i++)
        bed_feed(&b, 1, &p);
    bed_feed(&b, 2, &p); /* Another port still gets through. */
    while (worker_iterate(b.dp->workers[0]))
        continue;
    bed_run(&b);
    ck_assert_uint_eq(b.n_punts, DP_PUNT_QUOTA + 1);
    ck_assert_uint_eq(bed_drops(&b, DROP_PUNT_QUOTA), 44);
    ck_assert(b.punt.miss_rule);
    bed_feed(&b, 1, &p); /* Delivered: the quota is free again. */
    bed_run(&b);
    ck_assert_uint_eq(b.n_punts, DP_PUNT_QUOTA + 2);
    ck_assert_int_eq(dp_port_set_config(b.br, 1, DP_PC_NO_PACKET_IN, ~0u), 0);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_drops(&b, DROP_NO_PACKET_IN), 1);
}
END_TEST

START_TEST(test_dp_packet_out_runs_its_actions)
{
    struct ops o = { .n = 0 };
    struct pkt p = udp(1, 2), q = p;
    struct dp_op_list l;
    struct dp_balance x;

    ops_set_u64(&o, FLOW_F_ETH_DST, 0x55);
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    ops_add(&o, DP_OP_FLOOD, 0, 0);
    l = ops_list(&o);
    memcpy(q.b, PKT_MAC(0x55), 6);
    ck_assert_int_eq(dp_packet_out(b.br, DP_PORT_CONTROLLER, p.b, p.len, &l),
                     0);
    bed_run(&b);
    bed_expect(&b, 1, &q);
    bed_expect(&b, 2, &q);
    bed_expect(&b, 2, &q);
    bed_expect(&b, 3, &q);
    bed_expect(&b, 4, &q);
    dp_bridge_get_balance(b.br, &x);
    ck_assert_uint_eq(x.injected, 1);
    ck_assert_uint_eq(x.received, 0);
    ck_assert_int_eq(dp_packet_out(b.br, 1, p.b, 13, &l), -EINVAL);
    ck_assert_int_eq(dp_packet_out(b.br, 1, p.b, 65537, &l), -EINVAL);
}
END_TEST

START_TEST(test_dp_packet_out_to_table_passes_the_rules)
{
    struct ops o = { .n = 0 };
    struct flow_match m = BED_ANY;
    struct pkt p = udp(1, 2);
    struct dp_op_list l;
    struct dp_rule *r;

    match_u64(&m, FLOW_F_IN_PORT, 1);
    r = rule_output(1, &m, 3);
    ops_add(&o, DP_OP_TABLE, 0, 0);
    l = ops_list(&o);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(dp_packet_out(b.br, 1, p.b, p.len, &l), 0);
        bed_run(&b);
        bed_expect(&b, 3, &p);
    }
    ck_assert_uint_eq(bed_packets(r), 3);
    ck_assert_int_eq(dp_packet_out(b.br, 2, p.b, p.len, &l), 0);
    bed_run(&b);
    ck_assert_uint_eq(bed_drops(&b, DROP_NO_RULE), 1);
}
END_TEST

START_TEST(test_dp_large_packet_out_leaves_whole)
{
    struct ops o = { .n = 0 };
    struct pkt p;
    struct dp_op_list l;

    pkt_init(&p);
    pkt_eth(&p, PKT_MAC(2), PKT_MAC(1), 0x1234);
    pkt_payload(&p, 1500);
    ops_add(&o, DP_OP_IN_PORT, 0, 0);
    l = ops_list(&o);
    ck_assert_int_eq(dp_packet_out(b.br, 2, p.b, p.len, &l), 0);
    bed_run(&b);
    bed_expect(&b, 2, &p);
    pkt_payload(&p, 1);
    ck_assert_int_eq(dp_packet_out(b.br, 2, p.b, p.len, &l), 0);
    bed_run(&b);
    ck_assert_uint_eq(bed_drops(&b, DROP_TX_TOO_BIG), 1);
}
END_TEST

/* ------------------------------------------------------------------ NORMAL */

static struct pkt
frame(uint8_t dst, uint8_t src)
{
    struct pkt p;

    pkt_init(&p);
    pkt_eth(&p, PKT_MAC(dst), PKT_MAC(src), 0x1234);
    pkt_payload(&p, 50);
    return p;
}

static void
count_mac(void *arg, const struct dp_mac_info *i)
{
    if (i->age_s < 300)
        ++*(unsigned *) arg;
}

START_TEST(test_dp_normal_floods_learns_and_follows_a_move)
{
    struct ops o = { .n = 0 };
    struct pkt ab = frame(0xb, 0xa), ba = frame(0xa, 0xb);
    unsigned n = 0;
    size_t at = 0;

    ops_add(&o, DP_OP_NORMAL, 0, 0);
    bed_rule(&b, 0, &BED_ANY, &o);
    bed_feed(&b, 1, &ab); /* Unknown: everywhere but back. */
    bed_run(&b);
    bed_expect_none(&b, 1);
    ck_assert_uint_eq(bed_count(&b, 2) + bed_count(&b, 3) + bed_count(&b, 4),
                      3);
    bed_feed(&b, 2, &ba); /* Known. */
    bed_run(&b);
    bed_expect(&b, 1, &ba);
    bed_expect_none(&b, 3);
    bed_feed(&b, 1, &ab);
    bed_run(&b);
    bed_expect(&b, 2, &ab);
    bed_feed(&b, 3, &ba); /* 'b' moved to 3. */
    bed_run(&b);
    bed_expect(&b, 1, &ba);
    bed_feed(&b, 1, &ab);
    bed_run(&b);
    bed_expect(&b, 3, &ab);
    bed_expect_none(&b, 2);
    while (dp_mac_dump(b.br, &at, 100, count_mac, &n))
        continue;
    ck_assert_uint_eq(n, 2);
    bed_feed(&b, 3, &ab); /* Known to be where it came from. */
    bed_run(&b);
    ck_assert_uint_eq(bed_drops(&b, DROP_TO_IN_PORT), 1);
    dp_mac_flush(b.br);
    n = 0;
    at = 0;
    while (dp_mac_dump(b.br, &at, 100, count_mac, &n))
        continue;
    ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(test_dp_normal_forgets_after_the_age)
{
    struct ops o = { .n = 0 };
    struct pkt ab = frame(0xb, 0xa), ba = frame(0xa, 0xb);

    ops_add(&o, DP_OP_NORMAL, 0, 0);
    bed_rule(&b, 0, &BED_ANY, &o);
    bed_feed(&b, 2, &ba);
    bed_run(&b);
    for (unsigned i = 1; i <= 4; i++)
        bed_count(&b, i);
    b.dp->workers[0]->tick += MAC_AGE_TICKS;
    bed_feed(&b, 1, &ab);
    bed_run(&b);
    bed_expect(&b, 2, &ab);
    bed_expect_none(&b, 3);
    b.dp->workers[0]->tick += 1;
    bed_feed(&b, 1, &ab);
    bed_run(&b);
    for (unsigned i = 2; i <= 4; i++)
        ck_assert_uint_eq(bed_count(&b, i), 1);
}
END_TEST

START_TEST(test_dp_normal_keeps_vlans_apart)
{
    struct ops o = { .n = 0 };
    struct pkt p, q;

    ops_add(&o, DP_OP_NORMAL, 0, 0);
    bed_rule(&b, 0, &BED_ANY, &o);
    pkt_init(&p);
    pkt_eth(&p, PKT_MAC(0xa), PKT_MAC(0xb), 0x1234);
    pkt_vlan(&p, 0x8100, 5, 0x1234);
    pkt_payload(&p, 46);
    bed_feed(&b, 2, &p);
    bed_run(&b);
    for (unsigned i = 1; i <= 4; i++)
        bed_count(&b, i);
    pkt_init(&q);
    pkt_eth(&q, PKT_MAC(0xb), PKT_MAC(0xa), 0x1234);
    pkt_vlan(&q, 0x8100, 6, 0x1234);
    pkt_payload(&q, 46);
    bed_feed(&b, 1, &q);
    bed_run(&b);
    for (unsigned i = 2; i <= 4; i++)
        bed_expect(&b, i, &q);
}
END_TEST

START_TEST(test_dp_normal_mac_table_is_bounded)
{
    struct ops o = { .n = 0 };
    struct mac_table *t = mac_create(4, 99);
    unsigned n = 0;
    size_t at = 0;

    (void) o;
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t mac[6] = { 0, 0, 0, 0, (uint8_t) (i >> 8), (uint8_t) i };

        mac_learn(t, mac, 0, (struct mac_place) { 1 + i % 4, 0 }, 5 + i / 100);
        ck_assert_uint_eq(mac_lookup(t, mac, 0, 5 + i / 100).port, 1 + i % 4);
        ck_assert_uint_eq(mac_lookup(t, mac, 1, 5 + i / 100).port, 0);
    }
    ck_assert(!mac_dump(t, 15, &at, SIZE_MAX, count_mac, &n));
    ck_assert_uint_le(n, 16);
    ck_assert_uint_ge(n, 12);
    mac_destroy(t);
}
END_TEST

START_TEST(test_dp_flood_and_all_differ_by_no_flood)
{
    struct ops flood = { .n = 0 }, all = { .n = 0 };
    struct flow_match m = BED_ANY;
    struct pkt p = udp(1, 2);

    ops_add(&flood, DP_OP_FLOOD, 0, 0);
    ops_add(&all, DP_OP_ALL, 0, 0);
    match_u64(&m, FLOW_F_IN_PORT, 1);
    bed_rule(&b, 1, &m, &flood);
    bed_rule(&b, 0, &BED_ANY, &all);
    ck_assert_int_eq(dp_port_set_config(b.br, 3, DP_PC_NO_FLOOD, ~0u), 0);
    ck_assert_int_eq(dp_port_set_config(b.br, 4, DP_PC_NO_FWD, ~0u), 0);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_count(&b, 2), 1);
    bed_expect_none(&b, 3);
    bed_expect_none(&b, 4);
    bed_feed(&b, 2, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_count(&b, 1), 1);
    ck_assert_uint_eq(bed_count(&b, 3), 1);
    bed_expect_none(&b, 4);
}
END_TEST

/* --------------------------------------------------------- bridges, patches */

static void
patch(struct dp_bridge *br, const char *name, const char *peer, uint32_t no)
{
    const struct dp_option o = { "peer", peer };
    struct dp_port_config c = { .name = name, .type = "patch", .port_no = no,
                                .options = &o, .n_options = 1 };
    struct weft_err e = { "" };

    ck_assert_msg(!dp_port_add(br, &c, NULL, &e), "%s", e.text);
}

START_TEST(test_dp_patch_carries_packets_to_another_bridge)
{
    struct dp_bridge *br1;
    struct dp_rule *r;
    struct ops o = { .n = 0 };
    struct flow_match m = BED_ANY;
    struct pkt p = udp(1, 2);
    struct dp_instr in;
    struct dp_port_info info;

    ck_assert_int_eq(dp_bridge_add(b.dp, "br1", NULL, &br1, NULL), 0);
    bed_add_port(&b, br1, 5, 0);
    rule_output(1, &BED_ANY, 20);
    patch(b.br, "to1", "to0", 20);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_drops(&b, DROP_TX_PORT_DOWN), 1); /* No peer yet. */
    patch(br1, "to0", "to1", 30);
    ops_add(&o, DP_OP_OUTPUT, 0, 5);
    in = bed_apply(&o);
    match_u64(&m, FLOW_F_IN_PORT, 30);
    ck_assert_int_eq(dp_rule_add(br1, 0, 1, &m, &in, 0, &r), 0);
    dp_commit(b.dp);
    for (int i = 0; i < 40; i++)
        bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_count(&b, 5), 40);
    bed_check_balance(br1);
    ck_assert_int_eq(dp_port_get(br1, 30, &info), 0);
    ck_assert_uint_eq(info.stats.rx_packets, 40);
    ck_assert_str_eq(info.type, "patch");
    ck_assert(info.link_up);
    ck_assert_int_eq(dp_port_del(b.br, 20, NULL), 0);
    ck_assert_int_eq(dp_port_get(br1, 30, &info), 0);
    ck_assert(!info.link_up);
    dp_bridge_del(br1);
}
END_TEST

START_TEST(test_dp_patch_loop_ends_and_is_counted)
{
    struct dp_bridge *br1;
    struct ops o = { .n = 0 };
    struct pkt p = udp(1, 2);
    struct dp_instr in;
    struct dp_rule *r;

    ck_assert_int_eq(dp_bridge_add(b.dp, "br1", NULL, &br1, NULL), 0);
    patch(b.br, "a1", "b1", 21);
    patch(b.br, "a2", "b2", 22);
    patch(br1, "b1", "a1", 21);
    patch(br1, "b2", "a2", 22);
    ops_add(&o, DP_OP_FLOOD, 0, 0);
    in = bed_apply(&o);
    bed_rule(&b, 0, &BED_ANY, &o);
    ck_assert_int_eq(dp_rule_add(br1, 0, 0, &BED_ANY, &in, 0, &r), 0);
    dp_commit(b.dp);
    for (int i = 0; i < 100; i++)
        bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_gt(bed_drops(&b, DROP_LOOP), 0);
    for (unsigned i = 1; i <= 4; i++)
        bed_count(&b, i);
    bed_check_balance(br1);
}
END_TEST

START_TEST(test_dp_ports_come_and_go_with_events)
{
    struct dp_port_config c = { .name = "p1", .type = "patch" };
    struct weft_err e;

    ck_assert_uint_eq(b.n_port_events, 4);
    ck_assert_uint_eq(dp_port_next(b.br, 0), 1);
    ck_assert_uint_eq(dp_port_next(b.br, 4), 0);
    ck_assert_int_eq(dp_port_del(b.br, 2, &e), 0);
    ck_assert_uint_eq(b.n_port_events, 5);
    ck_assert_uint_eq(dp_port_next(b.br, 1), 3);
    ck_assert_int_eq(dp_port_del(b.br, 2, &e), -ENODEV);
    ck_assert_int_eq(dp_port_add(b.br, &c, NULL, &e), -EEXIST);
    c.name = "p9";
    ck_assert_int_eq(dp_port_add(b.br, &c, NULL, &e), -EINVAL);
    ck_assert_ptr_nonnull(strstr(e.text, "peer"));
    c.type = "nonsense";
    ck_assert_int_eq(dp_port_add(b.br, &c, NULL, &e), -EINVAL);
    ck_assert_ptr_nonnull(strstr(e.text, "nonsense"));
    ck_assert_ptr_nonnull(strstr(e.text, "vxlan"));
    c.port_no = 1;
    c.type = "patch";
    ck_assert_int_eq(dp_port_add(b.br, &c, NULL, &e), -EEXIST);
    c.port_no = DP_PORT_MAX + 1;
    ck_assert_int_eq(dp_port_add(b.br, &c, NULL, &e), -EINVAL);
}
END_TEST

static void
count_cached(void *arg, const struct dp_cache_info *i)
{
    const struct dp_op *op = i->ops.ops;

    if (i->valid && i->ops.n_words == 1 && op->code == DP_OP_OUTPUT
        && op->arg == 2)
        ++*(unsigned *) arg;
}

START_TEST(test_dp_cache_dump_shows_proven_flows)
{
    struct pkt p = udp(1, 2);
    unsigned n = 0;

    rule_output(1, &BED_ANY, 2);
    for (int i = 0; i < 4; i++) {
        bed_feed(&b, 1, &p);
        bed_run(&b);
    }
    ck_assert_uint_eq(bed_count(&b, 2), 4);
    struct dp_cache_cursor at = { 0 };
    while (dp_cache_dump(b.br, &at, 1, count_cached, &n))
        continue;
    ck_assert_uint_eq(n, 1);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("datapath");
    TCase *tc = tcase_create("dp");
    SRunner *sr;
    int failed;

    tcase_add_unchecked_fixture(tc, bed_eal_up, NULL);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_dp_rule_in_port_outputs_unchanged);
    tcase_add_test(tc, test_dp_higher_priority_wins_and_deleted_rule_no_longer);
    tcase_add_test(tc, test_dp_rule_added_later_widens_the_cached_key);
    tcase_add_test(tc, test_dp_rule_set_changes_actions_and_keeps_counters);
    tcase_add_test(tc,
                   test_dp_rule_find_takes_exactly_table_priority_and_match);
    tcase_add_test(tc, test_dp_rule_says_what_it_was_given);
    tcase_add_test(tc, test_dp_rule_owner_bytes_stay_the_callers);
    tcase_add_test(tc, test_dp_rule_match_comes_back_as_given);
    tcase_add_test(tc, test_dp_bad_rules_are_refused);
    tcase_add_test(tc, test_dp_rule_without_output_drops_as_rule_drop);
    tcase_add_test(tc, test_dp_several_outputs_get_copies_as_they_stand_then);
    tcase_add_test(tc, test_dp_full_and_refusing_ports_count_their_drops);
    tcase_add_test(tc, test_dp_port_config_bits_have_their_drop_reasons);
    tcase_add_test(tc, test_dp_frames_up_to_the_mtu_pass_larger_ones_do_not);
    tcase_add_test(tc, test_dp_malformed_frames_are_dropped_by_reason);
    tcase_add_test(tc, test_dp_synced_reports_the_last_commit);
    tcase_add_test(tc, test_dp_goto_write_actions_and_metadata);
    tcase_add_test(tc, test_dp_clear_actions_empties_the_set);
    tcase_add_test(tc, test_dp_later_table_sees_what_an_earlier_one_wrote);
    tcase_add_test(tc, test_dp_table_after_pop_looks_at_the_packet_again);
    tcase_add_test(tc, test_dp_untagged_and_tagged_differ_after_pop_and_goto);
    tcase_add_test(tc, test_dp_miss_settings_drop_punt_or_continue);
    tcase_add_test(tc, test_dp_pipeline_of_all_tables_is_walked);
    tcase_add_test(tc, test_dp_controller_copies_and_says_where_it_came_from);
    tcase_add_test(tc, test_dp_punts_beyond_the_quota_are_dropped_by_reason);
    tcase_add_test(tc, test_dp_packet_out_runs_its_actions);
    tcase_add_test(tc, test_dp_packet_out_to_table_passes_the_rules);
    tcase_add_test(tc, test_dp_large_packet_out_leaves_whole);
    tcase_add_test(tc, test_dp_normal_floods_learns_and_follows_a_move);
    tcase_add_test(tc, test_dp_normal_forgets_after_the_age);
    tcase_add_test(tc, test_dp_normal_keeps_vlans_apart);
    tcase_add_test(tc, test_dp_normal_mac_table_is_bounded);
    tcase_add_test(tc, test_dp_flood_and_all_differ_by_no_flood);
    tcase_add_test(tc, test_dp_patch_carries_packets_to_another_bridge);
    tcase_add_test(tc, test_dp_patch_loop_ends_and_is_counted);
    tcase_add_test(tc, test_dp_ports_come_and_go_with_events);
    suite_add_tcase(s, tc);
    tc = tcase_create("cache");
    tcase_add_checked_fixture(tc, setup_cached, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(
        tc, test_dp_rule_set_to_goto_serves_cached_flows_until_the_commit);
    tcase_add_test(tc, test_dp_flows_beyond_the_first_cache_all_forward);
    tcase_add_test(tc,
                   test_dp_traffic_before_one_short_table_bypasses_the_cache);
    tcase_add_test(tc, test_dp_cache_dump_shows_proven_flows);
    suite_add_tcase(s, tc);
    sr = srunner_create(s);
    srunner_set_fork_status(sr, CK_NOFORK);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
