/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline against the reference interpreter: random rules over several
 * tables, groups, meters, random frames, well-formed and broken, all of it
 * changing in between.  What leaves by which port, what is punted and why the
 * rest is dropped must agree, byte by byte, with any size of flow cache or
 * none.  WEFT_LONG=N takes N times as long. */
#include <stdlib.h>
#include <string.h>

#include "tests/datapath/differential.h"
#include "utils/base/mem.h"

static void
change(void)
{
    diff_retired_free();
    for (unsigned n = 1 + rnd(4); n; n--) {
        unsigned what = rnd(4);

        if (what < 2 || !diff.n_rules)
            diff_rule_add();
        else if (what == 2)
            diff_rule_del(rnd((uint32_t) diff.n_rules));
        else
            diff_rule_modify(rnd((uint32_t) diff.n_rules));
    }
    if (rnd(2))
        diff_group_change(1 + rnd(N_GROUPS));
    if (rnd(2))
        diff_meter_change(1 + rnd(N_METERS), rnd(2));
    if (rnd(16) == 0)
        diff_set_egress(rnd(2));
    if (rnd(16) == 0)
        diff_set_frag_drop(rnd(2));
    if (rnd(8) == 0)
        diff_set_miss((uint8_t) rnd(N_TABLES), (enum dp_miss) rnd(3));
    diff_install->commit();
    judge_changed();
}

static void
rounds(unsigned n_rounds, unsigned burst)
{
    struct frame f[BATCH_MAX];
    uint32_t in[BATCH_MAX];

    for (unsigned i = 0; i < 30; i++)
        diff_rule_add();
    for (unsigned round = 0; round < n_rounds; round++) {
        change();
        for (unsigned k = 0; k < 6; k++) {
            unsigned n = 1 + rnd(burst);

            for (unsigned i = 0; i < n; i++) {
                f[i] = frame_random();
                in[i] = 1 + rnd(N_PORTS);
            }
            if (rnd(2))
                judge_pass_time(rnd(1000000) * UINT64_C(1000));
            /* Three times: unknown, admitted to the cache, from the cache. */
            for (unsigned again = 0; again < 3; again++)
                judge_compare(f, in, n);
        }
    }
    diff_rules_clear();
}

/* ------------------------------------------------------------------- tests */

/* More of everything: WEFT_LONG=N, as many times as long. */
static unsigned
length(void)
{
    const char *s = getenv("WEFT_LONG");
    long n = s ? strtol(s, NULL, 10) : 1;

    return n > 0 ? (unsigned) n : 1;
}

static const uint32_t caches[] = { 0, 1, 16 }; /* Default, none, tiny. */

static void
open_with(uint32_t cache, uint64_t seed, uint32_t caps)
{
    rnd_seed(seed);
    bed_open_cache(&bed, N_PORTS, caps, cache);
    bed.dp->ev.punt = judge_on_punt;
    frames_make();
    diff_reset(&diff_direct);
    judge_reset();
}

static void
run_with(uint32_t cache, uint64_t seed, unsigned n_rounds, unsigned burst)
{
    open_with(cache, seed, BED_CAPS);
    rounds(n_rounds, burst);
    ck_assert_uint_gt(judge_compared, judge_skipped);
    bed_close(&bed);
}

START_TEST(test_differential_single_frames_agree_with_the_interpreter)
{
    for (uint64_t seed = 1; seed <= 8 * length(); seed++)
        run_with(caches[_i], seed, 60, 1);
}
END_TEST

START_TEST(test_differential_bursts_agree_with_the_interpreter)
{
    for (uint64_t seed = 101; seed <= 100 + 6 * length(); seed++)
        run_with(caches[_i], seed, 40, BATCH_MAX);
}
END_TEST

/* A port set on a fragment that has none must not be matched later on; with
 * the cache, the fragment and a whole packet of port 0 must stay apart. */
START_TEST(test_differential_port_set_on_a_fragment_is_not_there)
{
    static struct pkt p;
    struct frame f[2];
    const uint32_t in[2] = { 1, 1 };

    open_with(caches[_i], 5, 0);
    for (unsigned i = 0; i < 3; i++) {
        struct diff_rule *r;

        BASE_NEW(r);
        r->ir.table = i > 0;
        r->ir.priority = (uint16_t) (10 - i);
        r->ir.instr.goto_table = i ? DP_NO_TABLE : 1;
        match_u64(&r->ir.match, FLOW_F_ETH_TYPE, 0x0800);
        match_u64(&r->ir.match, FLOW_F_IP_PROTO, 17);
        if (!i)
            ops_set_u64(&r->apply, FLOW_F_UDP_DST, 99);
        else
            ops_add(&r->apply, DP_OP_OUTPUT, 0, 1 + i);
        if (i == 1)
            match_u64(&r->ir.match, FLOW_F_UDP_DST, 99);
        r->ir.instr.apply = ops_list(&r->apply);
        ck_assert_int_eq(diff_direct.rule_add(r), 0);
        diff.rules[diff.n_rules] = r->ir;
        diff_rules[diff.n_rules++] = r;
    }
    dp_commit(bed.dp);
    judge_changed();

    frame_begin(&p, 0, 0x0800);
    pkt_ipv4(&p, 0x0a000001, 0x0a000002, 17);
    pkt_udp(&p, 0, 0);
    pkt_payload(&p, 40);
    pkt_end(&p);
    for (unsigned i = 0; i < 2; i++) {
        memcpy(f[i].b, p.b, p.len);
        f[i].len = p.len;
    }
    put_be16(f[1].b + p.l3 + 6, 5); /* Fragment offset 40. */
    for (unsigned again = 0; again < 4; again++)
        judge_compare(f, in, 2);
    for (unsigned again = 0; again < 4; again++) {
        judge_compare(&f[1], in, 1);
        judge_compare(&f[0], in, 1);
    }
    diff_rules_clear();
    bed_close(&bed);
}
END_TEST

int
main(void)
{
    TCase *tc = tcase_create("differential");

    tcase_set_timeout(tc, 300 * length());
    tcase_add_unchecked_fixture(tc, bed_eal_up, NULL);
    tcase_add_loop_test(
        tc, test_differential_single_frames_agree_with_the_interpreter, 0,
        WEFT_ARRAY_LEN(caches));
    tcase_add_loop_test(
        tc, test_differential_bursts_agree_with_the_interpreter, 0,
        WEFT_ARRAY_LEN(caches));
    tcase_add_loop_test(
        tc, test_differential_port_set_on_a_fragment_is_not_there, 0,
        WEFT_ARRAY_LEN(caches));
    return bed_main("datapath", tc);
}
