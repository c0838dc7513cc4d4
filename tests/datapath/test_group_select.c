/* SPDX-License-Identifier: Apache-2.0 */
/* Select groups: spread, stability, what is hashed, which flows move. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/datapath/group_bed.h"

/* Bucket that the flow's packet left by; 0: none. */
static unsigned
out_of(uint32_t src, uint16_t sport)
{
    unsigned out = 0;

    group_flow(&frame, src, sport);
    group_feed(1);
    for (unsigned port = 2; port <= N_PORTS; port++)
        if (bed_count(&bed, port)) {
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
    group_set(7, DP_GROUP_SELECT);
    group_rule(7, 0);
    for (unsigned i = 0; i < 4000; i++) {
        unsigned out = out_of(0x0a000100 + i / 40, (uint16_t) (5000 + i % 40));

        ck_assert_uint_ge(out, 2);
        got[out - 2]++;
    }
    check_spread(got, weight, 5);
}
END_TEST

START_TEST(test_group_select_of_many_buckets_keeps_the_weights)
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
    ck_assert_int_eq(dp_group_set(bed.br, 7, &c), 0);
    memset(&key, 0, sizeof key);
    for (unsigned i = 0; i < FLOWS; i++) {
        key.ip_src = be32_from(i);
        got[group_choose(bed.br, dp_group_find(bed.br, 7)->act, &key)]++;
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
    group_set(7, DP_GROUP_SELECT);
    group_rule(7, 0);
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
    group_set(7, DP_GROUP_SELECT);
    group_rule(7, 0);
    for (unsigned i = 0; i < FLOWS; i++)
        before[i] = out_of(0x0a000100 + i, 7);
    group_link(3, false);
    if (_i)
        dp_groups_relive(bed.br);
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
    group_link(3, true);
    dp_groups_relive(bed.br);
    for (unsigned i = 0; i < FLOWS; i++)
        ck_assert_uint_eq(out_of(0x0a000100 + i, 7), before[i]);
    for (unsigned i = 2; i <= 4; i++)
        group_link(i, false);
    dp_groups_relive(bed.br);
    ck_assert_uint_eq(out_of(0x0a000100, 7), 0);
    ck_assert_uint_eq(bed_drops(&bed, DROP_NO_BUCKET) > 0, true);
}
END_TEST

/* The cache's key is masked to what rules look at: the choice must not be. */
START_TEST(test_group_select_looks_at_the_packet_not_at_the_cache_entry)
{
    unsigned n[2] = { 0 };

    bucket_out(1, ANY_PORT, 2);
    bucket_out(1, ANY_PORT, 3);
    group_set(7, DP_GROUP_SELECT);
    /* Many masks, so that the cache is used. */
    for (unsigned i = 0; i < 64; i++) {
        struct flow_match m = { .key.in_port = 0 };
        static struct ops o;

        match_u64(&m, FLOW_F_ETH_TYPE, 0x9000 + i);
        o.n = 0;
        ops_add(&o, DP_OP_OUTPUT, 0, 6);
        bed_rule(&bed, 5, &m, &o);
    }
    group_rule(7, 0);
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
    ck_assert_int_eq(group_set_config(7, &c), 0);
    group_rule(7, 0);
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
        ck_assert_int_eq(group_set_config(g, &c), 0);
    }
    memset(&key, 0, sizeof key);
    for (unsigned i = 0; i < 1000; i++) {
        key.ip_src = be32_from(i);
        differ += group_choose(bed.br, dp_group_find(bed.br, 1)->act, &key)
                  != group_choose(bed.br, dp_group_find(bed.br, 2)->act, &key);
    }
    ck_assert_uint_gt(differ, 650);
    ck_assert_uint_lt(differ, 850);
}
END_TEST

START_TEST(test_group_select_keeps_fragments_together)
{
    bucket_out(1, ANY_PORT, 2);
    bucket_out(1, ANY_PORT, 3);
    group_set(7, DP_GROUP_SELECT);
    group_rule(7, 0);
    for (unsigned i = 0; i < 50; i++) {
        unsigned port[2];

        for (unsigned part = 0; part < 2; part++) {
            group_flow(&frame, 0x0a000100 + i, (uint16_t) (i * 7));
            put_be16(frame.b + frame.l3 + 6, part ? 3 : 0x2000);
            group_feed(1);
            port[part] = bed_count(&bed, 2) ? 2 : 3;
            bed_count(&bed, 3);
        }
        ck_assert_uint_eq(port[0], port[1]);
    }
}
END_TEST

/* ------------------------------------------------------------ who moves */

/* A bucket to 'port'; its id says so too. */
static void
bucket_to(uint32_t port, uint16_t weight)
{
    bucket_out(weight, ANY_PORT, port);
    built.b[built.n - 1].id = port;
}

enum { MOVE_FLOWS = 3000 };

static void
outs_get(unsigned out[MOVE_FLOWS])
{
    for (unsigned port = 2; port <= N_PORTS; port++)
        bed.ports[port].tx_room = BED_QUEUE;
    for (unsigned i = 0; i < MOVE_FLOWS; i++)
        out[i] = out_of(0x0a000100 + i, (uint16_t) (i % 7));
}

/* As a 1.3 controller says it, all buckets anew: what a bucket does tells
 * which it is; _i: as in 1.5, by their ids. */
START_TEST(test_group_select_bucket_that_comes_or_goes_moves_its_flows_only)
{
    static unsigned before[MOVE_FLOWS], with[MOVE_FLOWS], out[MOVE_FLOWS];
    static const uint16_t weight[4] = { 10, 20, 30, 40 };
    struct dp_group_config c = { .type = DP_GROUP_SELECT,
                                 .keep_buckets = _i };
    unsigned n[4] = { 0 };

    for (unsigned i = 0; i < 4; i++)
        if (i != 1)
            bucket_to(2 + i, weight[i]);
    ck_assert_int_eq(group_set_config(7, &c), 0);
    group_rule(7, 0);
    outs_get(before);
    for (unsigned i = 0; i < 4; i++) { /* In their midst. */
        bucket_to(2 + i, weight[i]);
        built.b[i].id = _i ? 2 + i : i;
    }
    ck_assert_int_eq(group_set_config(7, &c), 0);
    outs_get(with);
    for (unsigned i = 0; i < MOVE_FLOWS; i++) {
        ck_assert(with[i] == before[i] || with[i] == 3);
        n[with[i] - 2]++;
    }
    check_spread(n, weight, 4);
    for (unsigned i = 1; i < 4; i++) { /* The first one goes. */
        bucket_to(2 + i, weight[i]);
        built.b[i - 1].id = _i ? 2 + i : i - 1;
    }
    ck_assert_int_eq(group_set_config(7, &c), 0);
    outs_get(out);
    memset(n, 0, sizeof n);
    for (unsigned i = 0; i < MOVE_FLOWS; i++) {
        ck_assert_uint_ne(out[i], 2);
        ck_assert(out[i] == with[i] || with[i] == 2);
        n[out[i] - 2]++;
    }
    check_spread(n + 1, weight + 1, 3);
}
END_TEST

/* A bucket comes while another one is dead. */
START_TEST(test_group_select_change_beside_a_dead_bucket_moves_no_others)
{
    static unsigned before[MOVE_FLOWS], out[MOVE_FLOWS];

    for (unsigned i = 2; i <= 4; i++)
        bucket_out(1, i, i);
    group_set(7, DP_GROUP_SELECT);
    group_rule(7, 0);
    group_link(3, false);
    dp_groups_relive(bed.br);
    outs_get(before);
    for (unsigned i = 2; i <= 5; i++)
        bucket_out(1, i, i);
    group_set(7, DP_GROUP_SELECT);
    outs_get(out);
    for (unsigned i = 0; i < MOVE_FLOWS; i++)
        ck_assert(out[i] == before[i] || out[i] == 5);
    group_link(3, true);
}
END_TEST

/* Group 1 spreads over 2 and 3; each of these must see every kind of flow. */
START_TEST(test_group_select_behind_select_chooses_independently)
{
    static const uint16_t even[4] = { 1, 1, 1, 1 };
    unsigned n[4] = { 0 };

    for (unsigned g = 2; g <= 3; g++) {
        bucket_out(1, ANY_PORT, 2 * g - 2);
        bucket_out(1, ANY_PORT, 2 * g - 1);
        group_set(g, DP_GROUP_SELECT);
    }
    for (unsigned g = 2; g <= 3; g++)
        ops_add(bucket(1, ANY_PORT, ANY_GROUP), DP_OP_GROUP, 0, g);
    group_set(1, DP_GROUP_SELECT);
    group_rule(1, 0);
    for (unsigned i = 0; i < 2000; i++)
        n[out_of(0x0a000100 + i, 7) - 2]++;
    check_spread(n, even, 4);
}
END_TEST

int
main(void)
{
    TCase *tc = tcase_create("group_select");

    tcase_set_timeout(tc, 120);
    tcase_add_unchecked_fixture(tc, bed_eal_up, NULL);
    tcase_add_checked_fixture(tc, group_bed_setup, group_bed_teardown);
    tcase_add_test(tc, test_group_select_spreads_flows_by_weight);
    tcase_add_test(tc, test_group_select_of_many_buckets_keeps_the_weights);
    tcase_add_test(tc, test_group_select_without_weights_spreads_evenly);
    tcase_add_loop_test(
        tc, test_group_select_dead_bucket_moves_its_flows_only, 0, 2);
    tcase_add_test(
        tc, test_group_select_looks_at_the_packet_not_at_the_cache_entry);
    tcase_add_test(tc, test_group_select_hashes_the_fields_chosen);
    tcase_add_test(tc, test_group_select_seed_changes_the_choice);
    tcase_add_test(tc, test_group_select_keeps_fragments_together);
    tcase_add_loop_test(
        tc, test_group_select_bucket_that_comes_or_goes_moves_its_flows_only,
        0, 2);
    tcase_add_test(
        tc, test_group_select_change_beside_a_dead_bucket_moves_no_others);
    tcase_add_test(tc,
                   test_group_select_behind_select_chooses_independently);
    return bed_main("datapath", tc);
}
