/* SPDX-License-Identifier: Apache-2.0 */
/* Groups in the datapath: every type, copies, counters, liveness, spread. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/eal.h"
#include "datapath/group.h"
#include "tests/datapath/bed.h"

#define N_PORTS 6
#define ANY_PORT DP_PORT_NONE
#define ANY_GROUP DP_GROUP_NONE

static struct bed b;
static struct pkt p, want;

static void
eal_up(void)
{
    ck_assert_int_eq(eal_start("-m 96 --no-huge", NULL), 0);
}

/* A UDP flow. */
static void
flow(struct pkt *q, uint32_t src, uint16_t sport)
{
    pkt_init(q);
    pkt_eth(q, PKT_MAC(2), PKT_MAC(1), 0x0800);
    pkt_ipv4(q, src, 0x0a000002, 17);
    pkt_udp(q, sport, 2000);
    pkt_payload(q, 30);
    pkt_end(q);
}

static void
setup(void)
{
    bed_open(&b, N_PORTS, PORT_CAP_CSUM | PORT_CAP_TSO | PORT_CAP_MULTI_SEG);
    flow(&p, 0x0a000001, 1000);
}

static void
teardown(void)
{
    bed_close(&b);
}

/* ------------------------------------------------------------------ build */

struct buckets {
    struct dp_bucket b[64];
    struct ops o[64];
    unsigned n;
};
static struct buckets k;

static struct ops *
bucket(uint16_t weight, uint32_t watch_port, uint32_t watch_group)
{
    unsigned i = k.n++;

    ck_assert_uint_lt(i, 64);
    k.o[i].n = 0;
    k.b[i] = (struct dp_bucket) { .id = i, .weight = weight,
                                  .watch_port = watch_port,
                                  .watch_group = watch_group };
    return &k.o[i];
}

static void
bucket_out(uint16_t weight, uint32_t watch_port, uint32_t out)
{
    ops_add(bucket(weight, watch_port, ANY_GROUP), DP_OP_OUTPUT, 0, out);
}

static void
bucket_group(uint32_t watch_group, uint32_t group)
{
    ops_add(bucket(0, ANY_PORT, watch_group), DP_OP_GROUP, 0, group);
}

/* Sets the group to the buckets built, and begins new ones. */
static int
set_config(uint32_t id, struct dp_group_config *c)
{
    int err;

    for (unsigned i = 0; i < k.n; i++)
        k.b[i].actions = ops_list(&k.o[i]);
    c->buckets = k.b;
    c->n_buckets = k.n;
    err = dp_group_set(b.br, id, c);
    dp_commit(b.dp);
    k.n = 0;
    return err;
}

static void
set(uint32_t id, enum dp_group_type type)
{
    struct dp_group_config c = { .type = type };

    ck_assert_int_eq(set_config(id, &c), 0);
}

/* Rule: 'before' outputs, group:id, then 'after' (0: the group is last). */
static void
rule_group(uint32_t id, uint32_t after)
{
    static struct ops o;

    o.n = 0;
    ops_add(&o, DP_OP_GROUP, 0, id);
    if (after)
        ops_add(&o, DP_OP_OUTPUT, 0, after);
    bed_rule(&b, 1, &BED_ANY, &o);
}

static void
feed(unsigned n)
{
    while (n--)
        bed_feed(&b, 1, &p);
    bed_run(&b);
}

static struct dp_stats
stats(uint32_t id, struct dp_stats *bs, size_t n)
{
    struct dp_stats total;

    ck_assert_int_eq(dp_group_get_stats(b.br, id, &total, bs, n), 0);
    return total;
}

/* -------------------------------------------------------------------- types */

START_TEST(test_group_all_gives_every_bucket_a_copy)
{
    struct dp_stats bs[3];

    bucket_out(0, ANY_PORT, 2);
    bucket_out(0, ANY_PORT, 3);
    ops_set_u64(bucket(0, ANY_PORT, ANY_GROUP), FLOW_F_UDP_DST, 99);
    ops_add(&k.o[2], DP_OP_OUTPUT, 0, 4);
    set(7, DP_GROUP_ALL);
    rule_group(7, _i ? 5 : 0);
    feed(1);
    bed_expect(&b, 2, &p);
    bed_expect(&b, 3, &p);
    want = p;
    put_be16(want.b + want.l4 + 2, 99);
    put_be16(want.b + want.l4 + 6, 0);
    ck_assert_uint_eq(b.ports[4].tx_n, 1);
    ck_assert_mem_eq(rte_pktmbuf_mtod(b.ports[4].tx[0], uint8_t *) + want.l4
                         + 2, want.b + want.l4 + 2, 2);
    ck_assert(pkt_checksums_hold(rte_pktmbuf_mtod(b.ports[4].tx[0],
                                                  uint8_t *), p.len));
    if (_i) /* What buckets do, they do to copies. */
        bed_expect(&b, 5, &p);
    ck_assert_uint_eq(stats(7, bs, 3).packets, 1);
    ck_assert_uint_eq(stats(7, bs, 3).bytes, p.len);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(bs[i].packets, 1);
        ck_assert_uint_eq(bs[i].bytes, p.len);
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
    set(7, DP_GROUP_ALL);
    rule_group(7, 0);
    feed(3);
    for (unsigned i = 2; i <= 4; i++) {
        pkt_init(&want);
        pkt_eth(&want, PKT_MAC(2), PKT_MAC(1), 0x0800);
        pkt_vlan(&want, 0x8100, (uint16_t) i, 0x0800);
        pkt_ipv4(&want, 0x0a000001, 0x0a000002, 17);
        pkt_udp(&want, 1000, 2000);
        pkt_payload(&want, 30);
        pkt_end(&want);
        for (unsigned n = 0; n < 3; n++)
            bed_expect(&b, i, &want);
    }
}
END_TEST

START_TEST(test_group_all_does_not_send_back_but_by_in_port)
{
    bucket_out(0, ANY_PORT, 1);
    bucket_out(0, ANY_PORT, 2);
    ops_add(bucket(0, ANY_PORT, ANY_GROUP), DP_OP_IN_PORT, 0, 0);
    set(7, DP_GROUP_ALL);
    rule_group(7, 0);
    feed(1);
    bed_expect(&b, 2, &p);
    bed_expect(&b, 1, &p);
    bed_expect_none(&b, 1);
    ck_assert_uint_eq(bed_drops(&b, DROP_TO_IN_PORT), 1);
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
    set(7, DP_GROUP_INDIRECT);
    rule_group(7, 0);
    feed(1);
    bed_expect_none(&b, 3);
    pkt_init(&want);
    pkt_eth(&want, PKT_MAC(2), PKT_MAC(1), 0x0800);
    pkt_vlan(&want, 0x8100, 5, 0x0800);
    pkt_ipv4(&want, 0x0a000001, 0x0a000002, 17);
    pkt_udp(&want, 1000, 2000);
    pkt_payload(&want, 30);
    pkt_end(&want);
    bed_expect(&b, 2, &want);
}
END_TEST

START_TEST(test_group_in_the_action_set_hides_the_output)
{
    static struct ops o;
    struct dp_instr in = { .goto_table = DP_NO_TABLE };

    bucket_out(0, ANY_PORT, 2);
    set(7, DP_GROUP_INDIRECT);
    o.n = 0;
    ops_add(&o, DP_OP_OUTPUT, 0, 3);
    ops_add(&o, DP_OP_GROUP, 0, 7);
    in.write = ops_list(&o);
    bed_rule_in(&b, 0, 1, &BED_ANY, &in);
    feed(2);
    ck_assert_uint_eq(bed_count(&b, 2), 2);
    bed_expect_none(&b, 3);
}
END_TEST

START_TEST(test_group_indirect_needs_one_bucket)
{
    struct dp_group_config c = { .type = DP_GROUP_INDIRECT };

    ck_assert_int_eq(set_config(7, &c), -EINVAL);
    bucket_out(0, ANY_PORT, 2);
    bucket_out(0, ANY_PORT, 3);
    ck_assert_int_eq(set_config(7, &c), -EINVAL);
    ck_assert_int_eq(dp_group_get_stats(b.br, 7, &(struct dp_stats) { 0 },
                                        NULL, 0), -ENOENT);
}
END_TEST

START_TEST(test_group_that_is_not_there_drops)
{
    rule_group(7, _i ? 2 : 0);
    feed(3);
    ck_assert_uint_eq(bed_drops(&b, DROP_NO_GROUP), 3);
    ck_assert_uint_eq(bed_count(&b, 2), _i ? 3 : 0);
    bucket_out(0, ANY_PORT, 3);
    set(7, DP_GROUP_INDIRECT);
    feed(3);
    ck_assert_uint_eq(bed_count(&b, 3), 3);
    ck_assert_uint_eq(bed_count(&b, 2), _i ? 3 : 0);
    dp_group_del(b.br, 7);
    dp_commit(b.dp);
    feed(2);
    ck_assert_uint_eq(bed_drops(&b, DROP_NO_GROUP), 5);
}
END_TEST

START_TEST(test_group_without_buckets_drops)
{
    static const enum dp_group_type types[] = { DP_GROUP_ALL, DP_GROUP_SELECT,
                                                DP_GROUP_FF };

    set(7, types[_i]);
    rule_group(7, 0);
    feed(2);
    ck_assert_uint_eq(bed_drops(&b, DROP_NO_BUCKET), 2);
    ck_assert_uint_eq(stats(7, NULL, 0).packets, 2);
}
END_TEST

START_TEST(test_group_bucket_without_output_drops_its_copy)
{
    bucket_out(0, ANY_PORT, 2);
    ops_add(bucket(0, ANY_PORT, ANY_GROUP), DP_OP_DEC_NW_TTL, 0, 0);
    set(7, DP_GROUP_ALL);
    rule_group(7, _i ? 3 : 0);
    feed(1);
    bed_expect(&b, 2, &p);
    if (_i)
        bed_expect(&b, 3, &p);
    ck_assert_uint_eq(bed_drops(&b, DROP_RULE_DROP), 1);
}
END_TEST

START_TEST(test_group_controller_bucket_tells_rule_and_reason)
{
    ops_add(bucket(0, ANY_PORT, ANY_GROUP), DP_OP_CONTROLLER, DP_PUNT_ACTION,
            128);
    set(7, DP_GROUP_ALL);
    rule_group(7, _i ? 2 : 0);
    feed(1);
    ck_assert_uint_eq(b.n_punts, 1);
    ck_assert_uint_eq(b.punt.reason, DP_PUNT_GROUP);
    ck_assert_uint_eq(b.punt.cookie, 0xc00c);
    ck_assert_uint_eq(b.punt.max_len, 128);
    ck_assert_uint_eq(b.punt.in_port, 1);
    bed_count(&b, 2);
}
END_TEST

/* ----------------------------------------------------------------- chaining */

START_TEST(test_group_chain_runs_every_group_behind)
{
    struct dp_stats bs[2];

    bucket_out(0, ANY_PORT, 4);
    bucket_out(0, ANY_PORT, 5);
    set(3, DP_GROUP_ALL);
    ops_set_u64(bucket(0, ANY_PORT, ANY_GROUP), FLOW_F_UDP_DST, 99);
    ops_add(&k.o[0], DP_OP_GROUP, 0, 3);
    set(2, DP_GROUP_INDIRECT);
    bucket_group(ANY_GROUP, 2);
    bucket_group(ANY_GROUP, 3);
    set(1, DP_GROUP_ALL);
    rule_group(1, _i ? 6 : 0);
    feed(4);
    for (unsigned port = 4; port <= 5; port++) {
        unsigned changed = 0;
        struct rte_mbuf *m;

        ck_assert_uint_eq(b.ports[port].tx_n, 8);
        while ((m = bed_take(&b, port))) {
            changed += get_be16(rte_pktmbuf_mtod(m, uint8_t *) + p.l4 + 2)
                       == 99;
            rte_pktmbuf_free(m);
        }
        ck_assert_uint_eq(changed, 4);
    }
    ck_assert_uint_eq(bed_count(&b, 6), _i ? 4 : 0);
    ck_assert_uint_eq(stats(3, bs, 2).packets, 8);
    ck_assert_uint_eq(bs[1].packets, 8);
    ck_assert_uint_eq(stats(1, bs, 2).packets, 4);
}
END_TEST

/* The agent refuses loops; here one ends by itself. */
START_TEST(test_group_loop_ends)
{
    bucket_group(ANY_GROUP, 7);
    set(7, DP_GROUP_INDIRECT);
    rule_group(7, 0);
    feed(3);
    ck_assert_uint_eq(bed_drops(&b, DROP_LOOP), 3);
}
END_TEST

START_TEST(test_group_all_of_all_ends_at_a_budget)
{
    for (unsigned g = 10; g; g--) {
        for (unsigned i = 0; i < 8; i++)
            g == 10 ? bucket_out(0, ANY_PORT, 2)
                    : bucket_group(ANY_GROUP, g + 1);
        set(g, DP_GROUP_ALL);
    }
    rule_group(1, 0);
    b.ports[2].tx_room = 100;
    feed(1);
    bed_count(&b, 2);
    ck_assert_uint_ge(bed_drops(&b, DROP_LOOP), 1);
}
END_TEST

/* ------------------------------------------------------------ fast failover */

static void
link_set(unsigned port, bool up)
{
    b.ports[port].port->link_up = up;
}

START_TEST(test_group_ff_takes_the_first_live_bucket_at_once)
{
    struct dp_stats bs[3];

    bucket_out(0, 2, 2);
    bucket_out(0, 3, 3);
    bucket_out(0, 99, 4); /* No such port. */
    set(7, DP_GROUP_FF);
    rule_group(7, _i ? 6 : 0);
    feed(2);
    ck_assert_uint_eq(bed_count(&b, 2), 2);
    link_set(2, false); /* Control has not heard of it. */
    feed(2);
    ck_assert_uint_eq(bed_count(&b, 2), 0);
    ck_assert_uint_eq(bed_count(&b, 3), 2);
    link_set(2, true);
    ck_assert_int_eq(dp_port_set_config(b.br, 2, DP_PC_DOWN, DP_PC_DOWN), 0);
    feed(1);
    ck_assert_uint_eq(bed_count(&b, 3), 1);
    link_set(3, false);
    feed(5);
    ck_assert_uint_eq(bed_drops(&b, DROP_NO_BUCKET), 5);
    ck_assert_uint_eq(stats(7, bs, 3).packets, 10);
    ck_assert_uint_eq(bs[0].packets, 2);
    ck_assert_uint_eq(bs[1].packets, 3);
    ck_assert_uint_eq(bs[2].packets, 0);
    ck_assert_uint_eq(bed_count(&b, 6), _i ? 10 : 0);
}
END_TEST

START_TEST(test_group_ff_port_that_goes_is_dead)
{
    bucket_out(0, 2, 2);
    bucket_out(0, 3, 3);
    set(7, DP_GROUP_FF);
    rule_group(7, 0);
    ck_assert_int_eq(dp_port_del(b.br, 2, NULL), 0);
    feed(2);
    ck_assert_uint_eq(bed_count(&b, 3), 2);
}
END_TEST

/* 1 watches 2 watches ports: known when control has heard of the change. */
START_TEST(test_group_ff_watches_groups)
{
    bucket_out(0, 2, 2);
    bucket_out(0, 3, 3);
    set(2, DP_GROUP_FF);
    bucket_group(2, 2);
    bucket_out(0, 4, 4);
    set(1, DP_GROUP_FF);
    rule_group(1, 0);
    feed(1);
    ck_assert_uint_eq(bed_count(&b, 2), 1);
    link_set(2, false);
    link_set(3, false);
    dp_groups_relive(b.br);
    feed(2);
    ck_assert_uint_eq(bed_count(&b, 4), 2);
    link_set(3, true);
    dp_groups_relive(b.br);
    feed(3);
    ck_assert_uint_eq(bed_count(&b, 3), 3);
    dp_group_del(b.br, 2);
    feed(4);
    ck_assert_uint_eq(bed_count(&b, 4), 4);
    set(2, DP_GROUP_ALL); /* Without buckets: not live. */
    feed(5);
    ck_assert_uint_eq(bed_count(&b, 4), 5);
    bucket_out(0, ANY_PORT, 5);
    set(2, DP_GROUP_ALL);
    feed(6);
    ck_assert_uint_eq(bed_count(&b, 5), 6);
}
END_TEST

/* ------------------------------------------------------------------- select */

/* Bucket that the flow's packet left by; 0: none. */
static unsigned
out_of(uint32_t src, uint16_t sport)
{
    unsigned out = 0;

    flow(&p, src, sport);
    feed(1);
    for (unsigned port = 2; port <= N_PORTS; port++)
        if (bed_count(&b, port)) {
            ck_assert_uint_eq(out, 0);
            out = port;
        }
    return out;
}

/* Chi-square of 'n' counts against weights; the bound is that of 1 in a
 * million for the degrees of freedom (Wilson-Hilferty, z = 4.75). */
static void
check_spread(const unsigned got[], const uint16_t weight[], unsigned n)
{
    double sum = 0, flows = 0, chi = 0, df = -1, bound;

    for (unsigned i = 0; i < n; i++) {
        sum += weight[i];
        flows += got[i];
    }
    for (unsigned i = 0; i < n; i++) {
        double want_n = flows * weight[i] / sum;

        if (!weight[i]) {
            ck_assert_uint_eq(got[i], 0);
            continue;
        }
        df++;
        chi += (got[i] - want_n) * (got[i] - want_n) / want_n;
    }
    bound = df * pow(1 - 2 / (9 * df) + 4.75 * sqrt(2 / (9 * df)), 3);
    ck_assert_msg(chi < bound, "chi-square %.1f, %.0f degrees of freedom, "
                  "bound %.1f", chi, df, bound);
}

START_TEST(test_group_select_spreads_flows_by_weight)
{
    static const uint16_t weight[5] = { 10, 0, 30, 1, 59 };
    unsigned got[5] = { 0 };

    for (unsigned i = 0; i < 5; i++)
        bucket_out(weight[i], ANY_PORT, 2 + i);
    set(7, DP_GROUP_SELECT);
    rule_group(7, 0);
    for (unsigned i = 0; i < 4000; i++) {
        unsigned out = out_of(0x0a000100 + i / 40, (uint16_t) (5000 + i % 40));

        ck_assert_uint_ge(out, 2);
        got[out - 2]++;
    }
    check_spread(got, weight, 5);
}
END_TEST

START_TEST(test_group_select_of_many_buckets_is_exact)
{
    enum { N = 1000, FLOWS = 400000 };
    static unsigned got[N];
    static uint16_t weight[N];
    static struct dp_bucket bs[N];
    static struct ops o;
    struct dp_group_config c = { .type = DP_GROUP_SELECT, .buckets = bs,
                                 .n_buckets = N };
    struct flow_key key;

    o.n = 0;
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    for (unsigned i = 0; i < N; i++) {
        weight[i] = (uint16_t) (1 + i % 7 * 10);
        bs[i] = (struct dp_bucket) { .id = i, .actions = ops_list(&o),
                                     .weight = weight[i],
                                     .watch_port = ANY_PORT,
                                     .watch_group = ANY_GROUP };
    }
    memset(got, 0, sizeof got);
    ck_assert_int_eq(dp_group_set(b.br, 7, &c), 0);
    memset(&key, 0, sizeof key);
    for (unsigned i = 0; i < FLOWS; i++) {
        key.ip_src = be32_from(i);
        got[group_choose(b.br, dp_group_find(b.br, 7)->act, &key)]++;
    }
    check_spread(got, weight, N);
}
END_TEST

START_TEST(test_group_select_without_weights_spreads_evenly)
{
    static const uint16_t even[2] = { 1, 1 };
    unsigned got[2] = { 0 };

    bucket_out(0, ANY_PORT, 2);
    bucket_out(0, ANY_PORT, 3);
    set(7, DP_GROUP_SELECT);
    rule_group(7, 0);
    for (unsigned i = 0; i < 1000; i++)
        got[out_of(0x0a000100 + i, 1) - 2]++;
    check_spread(got, even, 2);
}
END_TEST

/* Flows of live buckets never move; those of a dead one are spread by the
 * weights of the others and come back. */
START_TEST(test_group_select_dead_bucket_moves_its_flows_only)
{
    enum { FLOWS = 3000 };
    static unsigned before[FLOWS];
    static const uint16_t weight[3] = { 20, 50, 30 }, rest[2] = { 20, 30 };
    unsigned moved[2] = { 0 };

    for (unsigned i = 0; i < 3; i++)
        bucket_out(weight[i], 2 + i, 2 + i);
    set(7, DP_GROUP_SELECT);
    rule_group(7, 0);
    for (unsigned i = 0; i < FLOWS; i++)
        before[i] = out_of(0x0a000100 + i, 7);
    link_set(3, false);
    if (_i)
        dp_groups_relive(b.br);
    for (unsigned i = 0; i < FLOWS; i++) {
        unsigned out = out_of(0x0a000100 + i, 7);

        if (before[i] != 3)
            ck_assert_uint_eq(out, before[i]);
        else if (_i) {
            ck_assert(out == 2 || out == 4);
            moved[out == 4]++;
        } else { /* A few may be lost until control has heard of it. */
            ck_assert_uint_ne(out, 3);
        }
    }
    if (_i)
        check_spread(moved, rest, 2);
    link_set(3, true);
    dp_groups_relive(b.br);
    for (unsigned i = 0; i < FLOWS; i++)
        ck_assert_uint_eq(out_of(0x0a000100 + i, 7), before[i]);
    for (unsigned i = 2; i <= 4; i++)
        link_set(i, false);
    dp_groups_relive(b.br);
    ck_assert_uint_eq(out_of(0x0a000100, 7), 0);
    ck_assert_uint_eq(bed_drops(&b, DROP_NO_BUCKET) > 0, true);
}
END_TEST

/* The cache's key is masked to what rules look at: the choice must not be. */
START_TEST(test_group_select_looks_at_the_packet_not_at_the_cache_entry)
{
    unsigned n[2] = { 0 };

    bucket_out(1, ANY_PORT, 2);
    bucket_out(1, ANY_PORT, 3);
    set(7, DP_GROUP_SELECT);
    /* Many masks, so that the cache is used. */
    for (unsigned i = 0; i < 64; i++) {
        struct flow_match m = { .key.in_port = 0 };
        static struct ops o;

        match_u64(&m, FLOW_F_ETH_TYPE, 0x9000 + i);
        o.n = 0;
        ops_add(&o, DP_OP_OUTPUT, 0, 6);
        bed_rule(&b, 5, &m, &o);
    }
    rule_group(7, 0);
    for (unsigned i = 0; i < 200; i++)
        n[out_of(0x0a000001, (uint16_t) (100 + i)) - 2]++;
    ck_assert_uint_gt(n[0], 50);
    ck_assert_uint_gt(n[1], 50);
}
END_TEST

START_TEST(test_group_select_hashes_the_fields_chosen)
{
    struct flow_key mask;
    struct dp_group_config c = { .type = DP_GROUP_SELECT,
                                 .hash_mask = &mask };
    unsigned first;

    memset(&mask, 0, sizeof mask);
    memset(&mask.ip_dst, 0xff, 4);
    bucket_out(1, ANY_PORT, 2);
    bucket_out(1, ANY_PORT, 3);
    ck_assert_int_eq(set_config(7, &c), 0);
    rule_group(7, 0);
    first = out_of(0x0a000001, 1);
    for (unsigned i = 0; i < 100; i++)
        ck_assert_uint_eq(out_of(0x0a000001 + i, (uint16_t) i), first);
}
END_TEST

START_TEST(test_group_select_seed_changes_the_choice)
{
    struct dp_group_config c = { .type = DP_GROUP_SELECT };
    unsigned differ = 0;
    struct flow_key key;

    for (unsigned g = 1; g <= 2; g++) {
        for (unsigned i = 2; i <= 5; i++)
            bucket_out(1, ANY_PORT, i);
        c.hash_seed = g;
        ck_assert_int_eq(set_config(g, &c), 0);
    }
    memset(&key, 0, sizeof key);
    for (unsigned i = 0; i < 1000; i++) {
        key.ip_src = be32_from(i);
        differ += group_choose(b.br, dp_group_find(b.br, 1)->act, &key)
                  != group_choose(b.br, dp_group_find(b.br, 2)->act, &key);
    }
    ck_assert_uint_gt(differ, 650);
    ck_assert_uint_lt(differ, 850);
}
END_TEST

START_TEST(test_group_select_keeps_fragments_together)
{
    bucket_out(1, ANY_PORT, 2);
    bucket_out(1, ANY_PORT, 3);
    set(7, DP_GROUP_SELECT);
    rule_group(7, 0);
    for (unsigned i = 0; i < 50; i++) {
        unsigned port[2];

        for (unsigned part = 0; part < 2; part++) {
            flow(&p, 0x0a000100 + i, (uint16_t) (i * 7));
            put_be16(p.b + p.l3 + 6, part ? 3 : 0x2000);
            feed(1);
            port[part] = bed_count(&b, 2) ? 2 : 3;
            bed_count(&b, 3);
        }
        ck_assert_uint_eq(port[0], port[1]);
    }
}
END_TEST

/* ----------------------------------------------------------------- changing */

START_TEST(test_group_change_is_seen_by_cached_programs)
{
    for (unsigned i = 2; i <= 5; i++) {
        bucket_out(0, ANY_PORT, i);
        set(7, DP_GROUP_INDIRECT);
        if (i == 2)
            rule_group(7, 0);
        feed(40);
        ck_assert_uint_eq(bed_count(&b, i), 40);
    }
}
END_TEST

START_TEST(test_group_counters_stay_as_asked)
{
    struct dp_group_config c = { .type = DP_GROUP_ALL };
    struct dp_stats bs[3];

    bucket_out(0, ANY_PORT, 2);
    bucket_out(0, ANY_PORT, 3);
    set(7, DP_GROUP_ALL);
    rule_group(7, 0);
    feed(3);
    /* A bucket in front; the old ones keep their ids. */
    bucket_out(0, ANY_PORT, 4);
    bucket_out(0, ANY_PORT, 2);
    bucket_out(0, ANY_PORT, 3);
    k.b[0].id = 9;
    k.b[1].id = 0;
    k.b[2].id = 1;
    c.keep_buckets = true;
    ck_assert_int_eq(set_config(7, &c), 0);
    feed(2);
    ck_assert_uint_eq(stats(7, bs, 3).packets, 5);
    ck_assert_uint_eq(bs[0].packets, 2);
    ck_assert_uint_eq(bs[1].packets, 5);
    ck_assert_uint_eq(bs[2].packets, 5);
    bucket_out(0, ANY_PORT, 2);
    set(7, DP_GROUP_ALL);
    feed(1);
    ck_assert_uint_eq(stats(7, bs, 1).packets, 6);
    ck_assert_uint_eq(bs[0].packets, 1);
    for (unsigned i = 2; i <= 4; i++)
        bed_count(&b, i);
}
END_TEST

START_TEST(test_group_table_holds_many_and_forgets_them)
{
    enum { N = 70000 };

    for (unsigned i = 0; i < N; i++) {
        struct dp_group_config c = { .type = DP_GROUP_ALL };

        ck_assert_int_eq(dp_group_set(b.br, i * 977u, &c), 0);
    }
    for (unsigned i = 0; i < N; i += 13)
        ck_assert_uint_eq(dp_group_find(b.br, i * 977u)->id, i * 977u);
    for (unsigned i = 0; i < N; i += 2)
        dp_group_del(b.br, i * 977u);
    for (unsigned i = 0; i < N; i++)
        ck_assert_int_eq(!dp_group_find(b.br, i * 977u), i % 2 == 0);
    /* Comes and goes: the table does not grow for it. */
    for (unsigned i = 0; i < 300000; i++) {
        struct dp_group_config c = { .type = DP_GROUP_ALL };

        ck_assert_int_eq(dp_group_set(b.br, 0x80000000u + i, &c), 0);
        dp_group_del(b.br, 0x80000000u + i);
        if (i % 1000 == 0)
            bed_run(&b);
    }
    ck_assert_uint_le(b.br->groups->mask, 4 * N * 2);
    dp_commit(b.dp);
    bed_run(&b);
}
END_TEST

START_TEST(test_group_packet_out_runs_groups)
{
    static struct ops o;
    struct dp_op_list l;

    bucket_out(0, ANY_PORT, 2);
    ops_add(bucket(0, ANY_PORT, ANY_GROUP), DP_OP_CONTROLLER, DP_PUNT_ACTION,
            0xffff);
    set(7, DP_GROUP_ALL);
    o.n = 0;
    ops_add(&o, DP_OP_GROUP, 0, 7);
    l = ops_list(&o);
    ck_assert_int_eq(dp_packet_out(b.br, DP_PORT_CONTROLLER, p.b, p.len, &l),
                     0);
    bed_run(&b);
    bed_expect(&b, 2, &p);
    ck_assert_uint_eq(b.n_punts, 1);
    ck_assert_uint_eq(b.punt.cookie, UINT64_MAX);
}
END_TEST

START_TEST(test_group_unknown_ops_are_refused)
{
    struct dp_group_config c = { .type = DP_GROUP_ALL };

    ops_add(bucket(0, ANY_PORT, ANY_GROUP), N_DP_OPS + 3, 0, 0);
    ck_assert_int_eq(set_config(7, &c), -EINVAL);
    ops_add(bucket(0, ANY_PORT, ANY_GROUP), DP_OP_TABLE, 0, 0);
    ck_assert_int_eq(set_config(7, &c), -EINVAL);
    c.type = 4;
    ck_assert_int_eq(set_config(7, &c), -EINVAL);
    c.type = DP_GROUP_ALL;
    ck_assert_int_eq(set_config(DP_GROUP_MAX + 1, &c), -EINVAL);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("datapath");
    TCase *tc = tcase_create("group");

    tcase_set_timeout(tc, 120);
    tcase_add_unchecked_fixture(tc, eal_up, NULL);
    tcase_add_checked_fixture(tc, setup, teardown);
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
    tcase_add_test(tc, test_group_select_spreads_flows_by_weight);
    tcase_add_test(tc, test_group_select_of_many_buckets_is_exact);
    tcase_add_test(tc, test_group_select_without_weights_spreads_evenly);
    tcase_add_loop_test(
        tc, test_group_select_dead_bucket_moves_its_flows_only, 0, 2);
    tcase_add_test(
        tc, test_group_select_looks_at_the_packet_not_at_the_cache_entry);
    tcase_add_test(tc, test_group_select_hashes_the_fields_chosen);
    tcase_add_test(tc, test_group_select_seed_changes_the_choice);
    tcase_add_test(tc, test_group_select_keeps_fragments_together);
    tcase_add_test(tc, test_group_change_is_seen_by_cached_programs);
    tcase_add_test(tc, test_group_counters_stay_as_asked);
    tcase_add_test(tc, test_group_table_holds_many_and_forgets_them);
    tcase_add_test(tc, test_group_packet_out_runs_groups);
    tcase_add_test(tc, test_group_unknown_ops_are_refused);
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
