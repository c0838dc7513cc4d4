/* SPDX-License-Identifier: Apache-2.0 */
/* Meters under a clock that the test sets: token arithmetic to the packet,
 * bands, what they do to packets, meters along the pipeline. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/meter.h"
#include "tests/datapath/bed.h"

#define MS UINT64_C(1000000)
#define S UINT64_C(1000000000)

static struct bed b;
static struct pkt p;
static struct ops o;

static void
setup(void)
{
    bed_open(&b, 3, BED_CAPS);
    o.n = 0;
}

static void
teardown(void)
{
    bed_close(&b);
}

/* A UDP frame of 'len' bytes with this DSCP. */
static void
frame(size_t len, uint8_t dscp)
{
    pkt_init(&p);
    pkt_eth(&p, PKT_MAC(2), PKT_MAC(1), 0x0800);
    pkt_ipv4(&p, 0x0a000001, 0x0a000002, 17);
    p.b[p.l3 + 1] = (uint8_t) (dscp << 2);
    pkt_udp(&p, 1000, 2000);
    pkt_payload(&p, len - p.len);
    pkt_end(&p);
    ck_assert_uint_eq(p.len, len);
}

static void
meter_set(uint32_t id, bool pktps, size_t n, const struct dp_meter_band *bands)
{
    const struct dp_meter_config c = { .pktps = pktps, .bands = bands,
                                       .n_bands = n };

    ck_assert_int_eq(dp_meter_set(b.br, id, &c), 0);
    dp_commit(b.dp);
}

#define METER(id, pktps, ...)                                                 \
    meter_set(id, pktps,                                                      \
              sizeof((struct dp_meter_band[]) { __VA_ARGS__ })                \
                  / sizeof(struct dp_meter_band),                             \
              (struct dp_meter_band[]) { __VA_ARGS__ })

/* All packets: meter 'id', then out of port 2. */
static struct dp_rule *
meter_rule(uint32_t id)
{
    struct dp_instr in;

    o.n = 0;
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    in = bed_apply(&o);
    in.meter = id;
    return bed_rule_in(&b, 0, 1, &BED_ANY, &in);
}

static void
pass_time(uint64_t ns)
{
    b.dp->workers[0]->now_ns += ns;
}

/* Feeds 'n' frames 'p' at once; returns how many left by port 2. */
static unsigned
offer(unsigned n)
{
    unsigned out = 0;

    while (n) {
        unsigned k = WEFT_MIN(n, 1024u);

        for (unsigned i = 0; i < k; i++)
            bed_feed(&b, 1, &p);
        b.ports[2].tx_room = BED_QUEUE;
        bed_run(&b);
        out += bed_count(&b, 2);
        n -= k;
    }
    return out;
}

static struct dp_stats
band_stats(uint32_t id, unsigned band, struct dp_stats *in)
{
    struct dp_stats s[DP_METER_BANDS];

    ck_assert_int_eq(dp_meter_get_stats(b.br, id, in, s, DP_METER_BANDS), 0);
    return s[band];
}

/* ------------------------------------------------------------------- rates */

/* Twice the rate is offered in steps for a while.  What passes is the burst
 * and what the rate makes, to the packet. */
static const struct {
    bool pktps;
    uint32_t rate, burst; /* Burst 0: the default, 'want_burst'. */
    uint32_t want_burst;
    uint32_t len;
    uint64_t step_ns;
    unsigned steps;
} rates[] = {
    { true, 10, 0, 2, 64, 50 * MS, 200 },            /* 10 s */
    { true, 10, 0, 2, 1500, 50 * MS, 2000 },         /* 100 s */
    { true, 10, 5, 5, 64, 50 * MS, 20 },             /* 1 s */
    { true, 1000, 0, 20, 64, MS, 3000 },             /* 3 s */
    { true, 10000000, 0, 200000, 64, 20000, 100 },   /* 2 ms */
    { true, 10000000, 100, 100, 1500, 5000, 1000 },  /* 5 ms */
    { false, 100, 0, 25, 64, MS, 10000 },            /* 10 s */
    { false, 100, 0, 25, 1500, 60 * MS, 2000 },      /* 2 min */
    { false, 100, 13, 13, 1500, 60 * MS, 20 },       /* 1.2 s */
    { false, 1000, 0, 25, 64, 256000, 4000 },        /* 1 s */
    { false, 1000, 0, 25, 1500, 6 * MS, 1000 },      /* 6 s */
    { false, 10000000, 0, 200000, 64, 20000, 200 },  /* 4 ms */
    { false, 10000000, 0, 200000, 1500, 200000, 500 },   /* 100 ms */
    { false, 10000000, 500, 500, 64, 10000, 1000 },  /* 10 ms */
    { false, 10000000, 500, 500, 1500, 24000, 1000 },    /* 24 ms */
    { false, UINT32_MAX, 200, 200, 1500, 28, 100 },  /* 4.29 Tbit/s */
};

START_TEST(test_meter_given_overload_passes_rate_and_burst_to_the_packet)
{
    uint64_t cost = rates[_i].pktps ? (uint64_t) METER_TOKENS
                                    : 8u * METER_BIT * rates[_i].len;
    uint64_t ns = rates[_i].step_ns * rates[_i].steps, made, want;
    uint64_t got = 0, offered = 0, due = 0;
    struct dp_stats in, band;

    METER(7, rates[_i].pktps, { 1, 0, rates[_i].rate, rates[_i].burst });
    meter_rule(7);
    frame(rates[_i].len, 0);
    /* The burst at once, so that the rest is the rate alone. */
    want = rates[_i].want_burst * (uint64_t) METER_TOKENS / cost;
    offered = want + 40;
    got = offer((unsigned) offered);
    ck_assert_uint_eq(got, want);
    for (unsigned i = 0; i < rates[_i].steps; i++) {
        unsigned n;

        pass_time(rates[_i].step_ns);
        due += 2 * rates[_i].step_ns * rates[_i].rate; /* In tokens. */
        n = (unsigned) (due / cost) + (due < cost);
        due -= WEFT_MIN(due, n * cost);
        got += offer(n);
        offered += n;
    }
    made = rates[_i].want_burst * (uint64_t) METER_TOKENS
           + ns * rates[_i].rate;
    want = made / cost;
    /* One may be on the brim. */
    ck_assert_msg(got == want || got + 1 == want,
                  "%llu passed, %llu expected", (unsigned long long) got,
                  (unsigned long long) want);
    band = band_stats(7, 0, &in);
    ck_assert_uint_eq(in.packets, offered);
    ck_assert_uint_eq(in.bytes, offered * rates[_i].len);
    ck_assert_uint_eq(band.packets, offered - got);
    ck_assert_uint_eq(band.bytes, (offered - got) * rates[_i].len);
    ck_assert_uint_eq(bed_drops(&b, DROP_METER), offered - got);
}
END_TEST

START_TEST(test_meter_below_its_rate_drops_nothing)
{
    METER(1, true, { 1, 0, 100, 1 });
    meter_rule(1);
    frame(100, 0);
    ck_assert_uint_eq(offer(1), 1);
    for (unsigned i = 0; i < 1000; i++) { /* Every 10 ms: the rate itself. */
        pass_time(10 * MS);
        ck_assert_uint_eq(offer(1), 1);
    }
    ck_assert_uint_eq(offer(1), 0);
}
END_TEST

START_TEST(test_meter_frame_larger_than_the_burst_passes_at_the_rate)
{
    unsigned got = 0;

    METER(1, false, { 1, 0, 100, 1 }); /* 1000 bits; a frame has 12000. */
    meter_rule(1);
    frame(1500, 0);
    for (unsigned i = 0; i < 10000; i++) { /* 100 s */
        pass_time(10 * MS);
        got += offer(1);
    }
    ck_assert_uint_ge(got, 100u * 100000 / 12000);
    ck_assert_uint_le(got, 100u * 100000 / 12000 + 1);
}
END_TEST

START_TEST(test_meter_after_a_long_idle_time_has_one_burst)
{
    METER(1, true, { 1, 0, UINT32_MAX, 10 });
    meter_rule(1);
    frame(64, 0);
    ck_assert_uint_eq(offer(40), 10);
    pass_time(400 * 86400 * S);
    ck_assert_uint_eq(offer(40), 10);
}
END_TEST

/* Offered 30 per second: above 20 dropped, between 10 and 20 re-marked. */
START_TEST(test_meter_applies_the_band_of_the_highest_rate_exceeded)
{
    struct dp_stats in, drop, mark;
    unsigned same = 0, marked = 0;

    METER(1, true, { 2, 1, 10, 2 }, { 1, 0, 20, 2 });
    meter_rule(1);
    frame(100, 10); /* AF11 */
    for (unsigned i = 0; i < 3000; i++) {
        struct rte_mbuf *m;

        pass_time(S / 30);
        bed_feed(&b, 1, &p);
        b.ports[2].tx_room = BED_QUEUE;
        bed_run(&b);
        while ((m = bed_take(&b, 2))) {
            uint8_t tos = *rte_pktmbuf_mtod_offset(m, uint8_t *, 15);

            same += tos == 10 << 2;
            marked += tos == 12 << 2;
            rte_pktmbuf_free(m);
        }
    }
    ck_assert_int_le(abs((int) same - 1000), 3);
    ck_assert_int_le(abs((int) marked - 1000), 3);
    mark = band_stats(1, 0, &in);
    drop = band_stats(1, 1, &in);
    ck_assert_uint_eq(in.packets, 3000);
    ck_assert_uint_eq(mark.packets, marked);
    ck_assert_uint_eq(drop.packets, 3000 - same - marked);
}
END_TEST

/* ---------------------------------------------------------------- re-marking */

/* RFC 2597 §6: AF11 = 10, AF12 = 12, AF13 = 14, AF21 = 18 ... AF43 = 38. */
static uint8_t
raised(uint8_t dscp, unsigned levels)
{
    static const uint8_t af[4][3] = { { 10, 12, 14 }, { 18, 20, 22 },
                                      { 26, 28, 30 }, { 34, 36, 38 } };

    for (unsigned c = 0; c < 4; c++)
        for (unsigned i = 0; i < 3; i++)
            if (af[c][i] == dscp)
                return af[c][i + levels > 2 ? 2 : i + levels];
    return dscp;
}

START_TEST(test_meter_remark_raises_precedence_within_the_class)
{
    bool v6 = _i >= 64;
    uint8_t dscp = (uint8_t) (_i % 64);

    for (uint8_t levels = 0; levels <= 3; levels++) {
        uint8_t want = raised(dscp, levels);

        /* Empty from the first packet on: all are re-marked. */
        METER(1, true, { 2, levels, 1, 1 });
        if (!levels)
            meter_rule(1);
        pkt_init(&p);
        pkt_eth(&p, PKT_MAC(2), PKT_MAC(1), v6 ? 0x86dd : 0x0800);
        if (v6)
            pkt_ipv6(&p, 1, 2, 17);
        else
            pkt_ipv4(&p, 0x0a000001, 0x0a000002, 17);
        if (v6)
            put_be16(p.b + p.l3, (uint16_t) (0x6000 | dscp << 6 | 0x1a));
        else
            p.b[p.l3 + 1] = (uint8_t) (dscp << 2 | 1);
        pkt_udp(&p, 1000, 2000);
        pkt_end(&p);
        bed_feed(&b, 1, &p);
        bed_feed(&b, 1, &p);
        bed_run(&b);
        bed_expect(&b, 2, &p);
        if (v6) {
            put_be16(p.b + p.l3, (uint16_t) (0x6000 | want << 6 | 0x1a));
        } else {
            p.b[p.l3 + 1] = (uint8_t) (want << 2 | 1);
            put_be16(p.b + p.l3 + 10, 0);
            put_be16(p.b + p.l3 + 10,
                     (uint16_t) ~pkt_sum(p.b + p.l3, 20, 0));
        }
        ck_assert(pkt_checksums_hold(p.b, p.len));
        bed_expect(&b, 2, &p);
    }
}
END_TEST

START_TEST(test_meter_remark_leaves_what_is_no_ip)
{
    METER(1, true, { 2, 1, 1, 1 });
    meter_rule(1);
    pkt_init(&p);
    pkt_eth(&p, PKT_MAC(2), PKT_MAC(1), 0x0806);
    pkt_arp(&p, 1, PKT_MAC(1), 0x0a000001, PKT_MAC(9), 0x0a000002);
    for (unsigned i = 0; i < 3; i++)
        bed_feed(&b, 1, &p);
    bed_run(&b);
    for (unsigned i = 0; i < 3; i++)
        bed_expect(&b, 2, &p);
}
END_TEST

/* ----------------------------------------------------------------- pipeline */

/* Table 0: meter, goto 1.  Table 1: AF12 leaves by port 3, others by 2. */
START_TEST(test_meter_remark_is_seen_by_later_tables)
{
    struct flow_match m = { .mask = { .metadata = 0 } };
    struct dp_instr in = bed_apply(NULL);

    METER(1, true, { 2, 1, 1, 2 });
    in.meter = 1;
    in.goto_table = 1;
    bed_rule_in(&b, 0, 1, &BED_ANY, &in);
    o.n = 0;
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    in = bed_apply(&o);
    bed_rule_in(&b, 1, 1, &BED_ANY, &in);
    match_u64(&m, FLOW_F_ETH_TYPE, 0x0800);
    match_u64(&m, FLOW_F_IP_DSCP, 12);
    o.n = 0;
    ops_add(&o, DP_OP_OUTPUT, 0, 3);
    in = bed_apply(&o);
    bed_rule_in(&b, 1, 2, &m, &in);
    frame(100, 10);
    for (unsigned i = 0; i < 5; i++) /* In one burst. */
        bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_count(&b, 2), 2);
    ck_assert_uint_eq(bed_count(&b, 3), 3);

    /* The same meter, now with a band that changes no packet. */
    METER(1, true, { 1, 0, 1, 2 });
    for (unsigned i = 0; i < 5; i++)
        bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_count(&b, 2), 2);
    ck_assert_uint_eq(bed_count(&b, 3), 0);

    METER(1, true, { 2, 1, 1, 2 });
    for (unsigned i = 0; i < 5; i++)
        bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_count(&b, 2), 2);
    ck_assert_uint_eq(bed_count(&b, 3), 3);
}
END_TEST

START_TEST(test_meter_of_each_table_of_a_path_counts_what_reaches_it)
{
    struct dp_instr in = bed_apply(NULL);
    struct dp_stats first, second;

    METER(1, true, { 1, 0, 1, 10 });
    METER(2, true, { 1, 0, 1, 4 });
    in.meter = 1;
    in.goto_table = 1;
    bed_rule_in(&b, 0, 1, &BED_ANY, &in);
    o.n = 0;
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    in = bed_apply(&o);
    in.meter = 2;
    bed_rule_in(&b, 1, 1, &BED_ANY, &in);
    frame(100, 0);
    for (unsigned round = 0; round < 2; round++) /* Cached the second time. */
        ck_assert_uint_eq(offer(20), round ? 0 : 4);
    ck_assert_uint_eq(band_stats(1, 0, &first).packets, 30);
    ck_assert_uint_eq(band_stats(2, 0, &second).packets, 6);
    ck_assert_uint_eq(first.packets, 40);
    ck_assert_uint_eq(second.packets, 10);
}
END_TEST

START_TEST(test_meter_action_between_outputs_limits_what_is_behind_it)
{
    struct dp_instr in;

    METER(5, true, { 1, 0, 1, 3 });
    ops_add(&o, DP_OP_OUTPUT, 0, 3);
    ops_add(&o, DP_OP_METER, 0, 5);
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    in = bed_apply(&o);
    bed_rule_in(&b, 0, 1, &BED_ANY, &in);
    frame(100, 0);
    ck_assert_uint_eq(offer(10), 3);
    ck_assert_uint_eq(bed_count(&b, 3), 10);
    ck_assert_uint_eq(bed_drops(&b, DROP_METER), 7);
}
END_TEST

START_TEST(test_meter_action_in_the_action_set_runs_before_the_output)
{
    struct dp_instr in = bed_apply(NULL);

    METER(5, true, { 1, 0, 1, 3 });
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    ops_add(&o, DP_OP_METER, 0, 5);
    in.write = ops_list(&o);
    bed_rule_in(&b, 0, 1, &BED_ANY, &in);
    frame(100, 0);
    ck_assert_uint_eq(offer(10), 3);
}
END_TEST

START_TEST(test_meter_of_a_rule_without_output_counts_all_the_same)
{
    struct dp_instr in = bed_apply(NULL);
    struct dp_stats s;

    METER(5, true, { 1, 0, 1, 3 });
    in.meter = 5;
    bed_rule_in(&b, 0, 1, &BED_ANY, &in);
    frame(100, 0);
    ck_assert_uint_eq(offer(10), 0);
    ck_assert_uint_eq(band_stats(5, 0, &s).packets, 7);
    ck_assert_uint_eq(s.packets, 10);
    ck_assert_uint_eq(bed_drops(&b, DROP_METER), 7);
    ck_assert_uint_eq(bed_drops(&b, DROP_RULE_DROP), 3);
}
END_TEST

START_TEST(test_meter_behind_the_last_output_counts_and_drops_the_rest)
{
    struct dp_instr in;
    struct dp_stats s;

    METER(5, true, { 1, 0, 1, 3 });
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    ops_add(&o, DP_OP_METER, 0, 5);
    in = bed_apply(&o);
    bed_rule_in(&b, 0, 1, &BED_ANY, &in);
    frame(100, 0);
    ck_assert_uint_eq(offer(10), 10);
    ck_assert_uint_eq(band_stats(5, 0, &s).packets, 7);
    ck_assert_uint_eq(s.packets, 10);
}
END_TEST

/* Rules that do the same share a program in the cache; the meter is one. */
START_TEST(test_meter_shared_by_flows_is_one_bucket)
{
    METER(1, true, { 1, 0, 1, 6 });
    meter_rule(1);
    for (unsigned i = 0; i < 10; i++) {
        frame(100, 0);
        p.b[5] = (uint8_t) (2 + i % 5);
        bed_feed(&b, 1, &p);
    }
    bed_run(&b);
    ck_assert_uint_eq(bed_count(&b, 2), 6);
}
END_TEST

/* ------------------------------------------------------------------ changes */

START_TEST(test_meter_deleted_lets_all_pass_until_the_rule_goes)
{
    struct dp_stats s;

    METER(1, true, { 1, 0, 1, 2 });
    meter_rule(1);
    frame(100, 0);
    ck_assert_uint_eq(offer(5), 2);
    dp_meter_del(b.br, 1);
    ck_assert_uint_eq(offer(5), 5);
    ck_assert_int_eq(dp_meter_get_stats(b.br, 1, &s, NULL, 0), -ENOENT);
    METER(1, true, { 1, 0, 1, 2 });
    ck_assert_uint_eq(offer(5), 2);
}
END_TEST

START_TEST(test_meter_replaced_keeps_its_counters)
{
    struct dp_stats in;

    METER(1, true, { 1, 0, 1, 2 });
    meter_rule(1);
    frame(100, 0);
    ck_assert_uint_eq(offer(5), 2);
    METER(1, false, { 1, 0, 1, 4 }); /* 4000 bits: 5 frames of 800. */
    ck_assert_uint_eq(offer(10), 5);
    ck_assert_uint_eq(band_stats(1, 0, &in).packets, 3 + 5);
    ck_assert_uint_eq(in.packets, 15);
    ck_assert_uint_eq(in.bytes, 1500);
}
END_TEST

START_TEST(test_meter_without_bands_passes_and_counts)
{
    struct dp_stats in;

    meter_set(1, true, 0, NULL);
    meter_rule(1);
    frame(100, 0);
    ck_assert_uint_eq(offer(50), 50);
    band_stats(1, 0, &in);
    ck_assert_uint_eq(in.packets, 50);
}
END_TEST

START_TEST(test_meters_by_the_thousand_are_found_while_others_go)
{
    static const struct dp_meter_band band = { 1, 0, 1, 1 };
    const struct dp_meter_config c = { true, &band, 1 };
    struct dp_stats s;

    for (uint32_t i = 1; i <= 5000; i++)
        ck_assert_int_eq(dp_meter_set(b.br, i * 65521, &c), 0);
    for (uint32_t i = 1; i <= 5000; i += 2)
        dp_meter_del(b.br, i * 65521);
    for (uint32_t i = 1; i <= 5000; i++)
        ck_assert_int_eq(
            dp_meter_get_stats(b.br, i * 65521, &s, NULL, 0),
            i & 1 ? -ENOENT : 0);
    for (uint32_t round = 0; round < 3000; round++) { /* Slots are reused. */
        ck_assert_int_eq(dp_meter_set(b.br, 7, &c), 0);
        dp_meter_del(b.br, 7);
    }
    dp_commit(b.dp);
    bed_run(&b);
}
END_TEST

START_TEST(test_meter_config_that_cannot_be_is_refused)
{
    struct dp_meter_band band = { 1, 0, 0, 1 };
    struct dp_meter_config c = { true, &band, 1 };

    ck_assert_int_eq(dp_meter_set(b.br, 1, &c), -EINVAL); /* Rate 0. */
    band.rate = 1;
    band.type = 3;
    ck_assert_int_eq(dp_meter_set(b.br, 1, &c), -EINVAL);
    band.type = 1;
    ck_assert_int_eq(dp_meter_set(b.br, 0, &c), -EINVAL);
    c.n_bands = DP_METER_BANDS + 1;
    ck_assert_int_eq(dp_meter_set(b.br, 1, &c), -EINVAL);
    dp_meter_del(b.br, 1); /* There is none: no matter. */
}
END_TEST

/* ------------------------------------------------------------ virtual meters */

START_TEST(test_meter_of_the_controller_limits_packet_ins_of_all_rules)
{
    uint32_t id = _i ? DP_METER_SLOWPATH : DP_METER_CONTROLLER;
    struct dp_stats in;

    METER(id, true, { 1, 0, 10, 4 });
    dp_table_set_miss(b.br, 0, DP_MISS_CONTROLLER);
    dp_commit(b.dp);
    frame(100, 0);
    offer(6);
    ck_assert_uint_eq(b.n_punts, 4);
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    ops_add(&o, DP_OP_CONTROLLER, DP_PUNT_ACTION, 0xffff);
    bed_rule(&b, 1, &BED_ANY, &o);
    ck_assert_uint_eq(offer(5), 5); /* What is forwarded is not metered. */
    ck_assert_uint_eq(b.n_punts, 4);
    pass_time(S / 2);
    offer(5);
    ck_assert_uint_eq(b.n_punts, 8);
    ck_assert_uint_eq(band_stats(id, 0, &in).packets, 8);
    ck_assert_uint_eq(in.packets, 16);
    ck_assert_uint_eq(bed_drops(&b, DROP_METER), 8);
    dp_meter_del(b.br, id);
    offer(5);
    ck_assert_uint_eq(b.n_punts, 13);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("datapath");
    TCase *tc = tcase_create("meter");
    SRunner *sr;
    int failed;

    tcase_add_unchecked_fixture(tc, bed_eal_up, NULL);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(
        tc, test_meter_given_overload_passes_rate_and_burst_to_the_packet, 0,
        sizeof rates / sizeof rates[0]);
    tcase_add_test(tc, test_meter_below_its_rate_drops_nothing);
    tcase_add_test(
        tc, test_meter_frame_larger_than_the_burst_passes_at_the_rate);
    tcase_add_test(tc, test_meter_after_a_long_idle_time_has_one_burst);
    tcase_add_test(tc,
                   test_meter_applies_the_band_of_the_highest_rate_exceeded);
    tcase_add_loop_test(
        tc, test_meter_remark_raises_precedence_within_the_class, 0, 128);
    tcase_add_test(tc, test_meter_remark_leaves_what_is_no_ip);
    tcase_add_test(tc, test_meter_remark_is_seen_by_later_tables);
    tcase_add_test(tc,
                   test_meter_of_each_table_of_a_path_counts_what_reaches_it);
    tcase_add_test(
        tc, test_meter_action_between_outputs_limits_what_is_behind_it);
    tcase_add_test(
        tc, test_meter_action_in_the_action_set_runs_before_the_output);
    tcase_add_test(tc,
                   test_meter_of_a_rule_without_output_counts_all_the_same);
    tcase_add_test(
        tc, test_meter_behind_the_last_output_counts_and_drops_the_rest);
    tcase_add_test(tc, test_meter_shared_by_flows_is_one_bucket);
    tcase_add_test(tc,
                   test_meter_deleted_lets_all_pass_until_the_rule_goes);
    tcase_add_test(tc, test_meter_replaced_keeps_its_counters);
    tcase_add_test(tc, test_meter_without_bands_passes_and_counts);
    tcase_add_test(tc, test_meters_by_the_thousand_are_found_while_others_go);
    tcase_add_test(tc, test_meter_config_that_cannot_be_is_refused);
    tcase_add_loop_test(
        tc, test_meter_of_the_controller_limits_packet_ins_of_all_rules, 0,
        2);
    suite_add_tcase(s, tc);
    sr = srunner_create(s);
    srunner_set_fork_status(sr, CK_NOFORK);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
