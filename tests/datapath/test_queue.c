/* SPDX-License-Identifier: Apache-2.0 */
/* Queues of a port under a clock that the test sets: rates to the frame,
 * guarantee against a flood, limits, changes while frames wait. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/queue.h"
#include "tests/datapath/bed.h"

#define MS UINT64_C(1000000)

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
    b.ports[2].tx_room = BED_QUEUE;
    for (unsigned i = 0; b.br && i < 3; i++) { /* What waits would be kept. */
        uint32_t q;

        while (!dp_queue_next(b.br, 2, 0, &q))
            ck_assert_int_eq(dp_queue_del(b.br, 2, q), 0);
        bed_run(&b);
    }
    bed_close(&b);
}

static void
queue_set(uint32_t queue, uint64_t min, uint64_t max, uint64_t burst)
{
    const struct dp_queue_config c = { min, max, burst };
    struct weft_err e = { "" };

    ck_assert_msg(!dp_queue_set(b.br, 2, queue, &c, &e), "%s", e.text);
}

static struct dp_queue_stats
queue_stats(uint32_t queue)
{
    struct dp_queue_config c;
    struct dp_queue_stats s;

    ck_assert_int_eq(dp_queue_get(b.br, 2, queue, &c, &s), 0);
    return s;
}

/* Frames to 00:..:N go to queue N of port 2; N 0: no set_queue. */
static void
rules(unsigned n)
{
    for (unsigned i = 0; i <= n; i++) {
        struct flow_match m = { .mask = { .metadata = 0 } };

        match_u64(&m, FLOW_F_ETH_DST, i);
        o.n = 0;
        if (i)
            ops_add(&o, DP_OP_SET_QUEUE, 0, i);
        ops_add(&o, DP_OP_OUTPUT, 0, 2);
        bed_rule(&b, 1, &m, &o);
    }
}

static void
feed(unsigned queue, unsigned n, size_t len)
{
    pkt_init(&p);
    pkt_eth(&p, PKT_MAC((uint8_t) queue), PKT_MAC(1), 0x0800);
    pkt_ipv4(&p, 0x0a000001, 0x0a000002, 17);
    pkt_udp(&p, 1000, 2000);
    pkt_payload(&p, len - p.len);
    pkt_end(&p);
    while (n--)
        bed_feed(&b, 1, &p);
    bed_run(&b);
}

/* Frames that left by port 2 since the last call, by queue. */
static void
taken(unsigned n[4])
{
    bed_count_by(&b, 2, 5, n, 4); /* Last byte of the destination. */
}

/* Time passes; the link takes 'room' more frames. */
static void
pass_time(uint64_t ns, unsigned room)
{
    b.ports[2].tx_room = room;
    b.dp->workers[0]->now_ns += ns;
    bed_run(&b);
}

static const struct {
    uint64_t max, burst;
    size_t len;
    uint64_t step;
    unsigned steps, feed; /* Frames per step: more than the rate. */
} limits[] = {
    { 1000000, 0, 1500, MS, 2000, 1 },          /* 1 Mbit/s, 2 s */
    { 1000000, 0, 64, MS, 2000, 4 },
    { 100000, 0, 1500, 60 * MS, 100, 1 },       /* 100 kbit/s, 6 s */
    { 100000, 24000, 64, 5 * MS, 200, 2 },
    { 1000000000, 0, 1500, 100000, 1000, 16 },  /* 1 Gbit/s, 100 ms */
    { 1000000000, 200000, 64, 100000, 200, 220 },
    { UINT64_C(10000000000), 0, 1500, 20000, 1000, 30 }, /* 10 Gbit/s */
};

START_TEST(test_queue_max_rate_is_held_to_the_frame)
{
    uint64_t want_bits, burst = limits[_i].burst, got = 0;
    unsigned n[4];

    queue_set(1, 0, limits[_i].max, burst);
    rules(1);
    for (unsigned i = 0; i < limits[_i].steps; i++) {
        b.ports[2].tx_room = BED_QUEUE;
        feed(1, limits[_i].feed, limits[_i].len);
        taken(n);
        got += n[1];
        pass_time(limits[_i].step, BED_QUEUE);
        taken(n);
        got += n[1];
    }
    if (!burst)
        burst = WEFT_MAX(limits[_i].max / 100, UINT64_C(24288));
    want_bits = burst
                + limits[_i].max / 1000 * (limits[_i].step / 1000)
                      * limits[_i].steps / 1000;
    ck_assert_msg(got + 1 >= want_bits / (8 * limits[_i].len)
                  && got <= want_bits / (8 * limits[_i].len) + 1,
                  "%llu frames, %llu expected", (unsigned long long) got,
                  (unsigned long long) (want_bits / (8 * limits[_i].len)));
    ck_assert_uint_eq(queue_stats(1).tx_packets, got);
    ck_assert_uint_eq(queue_stats(1).tx_bytes, got * limits[_i].len);
}
END_TEST

START_TEST(test_queue_shapes_a_burst_instead_of_dropping_it)
{
    unsigned n[4];

    queue_set(1, 0, 1200000, 12000); /* A frame of 1500 bytes in 10 ms. */
    rules(1);
    feed(1, 100, 1500);
    taken(n);
    ck_assert_uint_eq(n[1], 1);
    for (unsigned i = 0; i < 99; i++) {
        pass_time(10 * MS - 1, BED_QUEUE);
        taken(n);
        ck_assert_uint_eq(n[1], 0);
        ck_assert_uint_eq(queue_wait_ns(b.dp->workers[0]), 1 + 1);
        pass_time(1, BED_QUEUE);
        taken(n);
        ck_assert_uint_eq(n[1], 1);
    }
    ck_assert_uint_eq(queue_stats(1).tx_errors, 0);
    ck_assert_uint_eq(queue_wait_ns(b.dp->workers[0]), UINT64_MAX);
}
END_TEST

START_TEST(test_queue_longer_than_its_limit_counts_overruns)
{
    queue_set(1, 0, 1000, 12000);
    rules(1);
    feed(1, 1 + QUEUE_LEN + 10, 1500);
    ck_assert_uint_eq(bed_count(&b, 2), 1);
    ck_assert_uint_eq(queue_stats(1).tx_errors, 10);
    ck_assert_uint_eq(bed_drops(&b, DROP_TX_QUEUE), 10);
}
END_TEST

/* A link of 10 frames per ms: queue 1 was promised 4 and offers 3, queue 2
 * floods. */
START_TEST(test_queue_min_rate_is_kept_under_a_flood)
{
    unsigned n[4], sum[4] = { 0 };

    queue_set(1, 4 * 12000000, 0, 0);
    queue_set(2, 0, 0, 0);
    rules(2);
    for (unsigned i = 0; i < 500; i++) {
        b.ports[2].tx_room = 0;
        feed(2, 20, 1500);
        feed(1, 3, 1500);
        pass_time(MS, 10);
        taken(n);
        for (unsigned k = 0; k < 4; k++)
            sum[k] += n[k];
    }
    ck_assert_uint_eq(sum[1], 1500);
    ck_assert_uint_eq(sum[2], 3500);
    ck_assert_uint_eq(queue_stats(1).tx_errors, 0);
}
END_TEST

/* Both flood: the promise, then half of what is left. */
START_TEST(test_queue_spare_bandwidth_is_shared)
{
    unsigned n[4], sum[4] = { 0 };

    queue_set(1, _i ? 4 * 12000000 : 0, 0, 0);
    queue_set(2, 0, 0, 0);
    rules(2);
    for (unsigned i = 0; i < 1000; i++) {
        b.ports[2].tx_room = 0;
        feed(1, 12, 1500);
        feed(2, 12, 1500);
        pass_time(MS, 10);
        taken(n);
        for (unsigned k = 0; k < 4 && i >= 100; k++)
            sum[k] += n[k];
    }
    ck_assert_uint_eq(sum[1] + sum[2], 9000);
    if (!_i) {
        ck_assert_int_le(abs((int) sum[1] - 4500), 10);
    } else { /* At least what was promised, and the other is not starved. */
        ck_assert_uint_ge(sum[1], 3600);
        ck_assert_uint_ge(sum[2], 2700);
    }
}
END_TEST

START_TEST(test_queue_frames_of_unequal_length_share_bytes)
{
    unsigned n[4];
    uint64_t bytes[4] = { 0 };

    queue_set(1, 0, 0, 0);
    queue_set(2, 0, 0, 0);
    rules(2);
    for (unsigned i = 0; i < 1000; i++) {
        b.ports[2].tx_room = 0;
        feed(1, 16, 1500);
        feed(2, 40, 300);
        pass_time(MS, 12);
        taken(n);
        bytes[1] += n[1] * 1500u;
        bytes[2] += n[2] * 300u;
    }
    ck_assert_uint_ge(bytes[1] * 100, bytes[2] * 95);
    ck_assert_uint_le(bytes[1] * 100, bytes[2] * 105);
}
END_TEST

START_TEST(test_queue_unknown_or_none_is_the_default_one)
{
    unsigned n[4];

    queue_set(1, 0, 1000, 12000);
    rules(3);
    feed(0, 5, 1500);
    feed(3, 5, 1500); /* There is no queue 3. */
    feed(1, 5, 1500);
    taken(n);
    ck_assert_uint_eq(n[0], 5);
    ck_assert_uint_eq(n[3], 5);
    ck_assert_uint_eq(n[1], 1);
    queue_set(0, 0, 12000, 12000); /* The default one may have rates too. */
    ck_assert_uint_eq(queue_stats(0).tx_packets, 10);
    pass_time(2000 * MS, BED_QUEUE);
    taken(n);
    feed(3, 5, 1500);
    taken(n);
    ck_assert_uint_eq(n[3], 1);
}
END_TEST

START_TEST(test_queue_order_is_kept_when_the_device_is_full)
{
    struct rte_mbuf *m;
    unsigned next = 0;

    queue_set(1, 0, 0, 0);
    rules(1);
    b.ports[2].tx_room = 0;
    for (unsigned i = 0; i < 50; i++) {
        pkt_init(&p);
        pkt_eth(&p, PKT_MAC(1), PKT_MAC(1), 0x0800);
        pkt_ipv4(&p, 0x0a000001, i, 17);
        pkt_udp(&p, 1000, 2000);
        pkt_end(&p);
        bed_feed(&b, 1, &p);
    }
    bed_run(&b);
    for (unsigned i = 0; i < 20; i++)
        pass_time(MS, 3);
    while ((m = bed_take(&b, 2))) {
        ck_assert_uint_eq(*rte_pktmbuf_mtod_offset(m, uint8_t *, 33), next++);
        rte_pktmbuf_free(m);
    }
    ck_assert_uint_eq(next, 50);
    ck_assert_uint_eq(queue_stats(1).tx_packets, 50);
    ck_assert_uint_eq(bed_drops(&b, DROP_TX_FULL), 0);
}
END_TEST

START_TEST(test_queue_frames_that_the_device_refuses_are_errors)
{
    queue_set(1, 0, 0, 0);
    rules(1);
    b.ports[2].refuse = true;
    feed(1, 5, 1500);
    b.ports[2].refuse = false;
    ck_assert_uint_eq(queue_stats(1).tx_errors, 5);
    ck_assert_uint_eq(queue_stats(1).tx_packets, 0);
    ck_assert_uint_eq(bed_drops(&b, DROP_TX_ERROR), 5);
}
END_TEST

START_TEST(test_queue_changed_while_frames_wait_keeps_them_and_its_counters)
{
    unsigned n[4];

    queue_set(1, 0, 1000, 12000);
    rules(1);
    feed(1, 20, 1500);
    taken(n);
    ck_assert_uint_eq(n[1], 1);
    queue_set(1, 0, 0, 0);
    pass_time(1, BED_QUEUE);
    taken(n);
    ck_assert_uint_eq(n[1], 19);
    ck_assert_uint_eq(queue_stats(1).tx_packets, 20);
}
END_TEST

START_TEST(test_queue_deleted_sends_what_waits_and_goes)
{
    struct dp_port *port = dp_bridge_port(b.br, 2);
    uint32_t q;

    queue_set(1, 0, 1000, 12000);
    queue_set(2, 0, 1000, 12000);
    rules(2);
    feed(1, 20, 1500);
    ck_assert_uint_eq(bed_count(&b, 2), 1);
    ck_assert_int_eq(dp_queue_del(b.br, 2, 1), 0);
    ck_assert_int_eq(dp_queue_del(b.br, 2, 1), -ENOENT);
    ck_assert_int_eq(dp_queue_next(b.br, 2, 0, &q), 0);
    ck_assert_uint_eq(q, 2);
    pass_time(1, BED_QUEUE);
    ck_assert_uint_eq(bed_count(&b, 2), 19);
    ck_assert_int_eq(dp_queue_del(b.br, 2, 2), 0);
    ck_assert_int_eq(dp_queue_next(b.br, 2, 0, &q), -ENOENT);
    feed(1, 5, 1500);
    ck_assert_uint_eq(bed_count(&b, 2), 5);
    for (unsigned i = 0; i < 3; i++)
        dp_queues_house(port);
    ck_assert_ptr_null(port->queues);
    feed(1, 5, 1500);
    ck_assert_uint_eq(bed_count(&b, 2), 5);
}
END_TEST

START_TEST(test_queue_of_a_port_that_goes_frees_what_waits)
{
    queue_set(1, 0, 1000, 12000);
    rules(1);
    feed(1, 20, 1500);
    ck_assert_uint_eq(bed_count(&b, 2), 1);
    ck_assert_int_eq(dp_port_del(b.br, 2, NULL), 0);
    bed_run(&b);
    ck_assert_uint_eq(bed_drops(&b, DROP_TX_PORT_DOWN), 19);
}
END_TEST

/* OpenFlow 1.0's enqueue: the queue holds for its output alone. */
START_TEST(test_queue_of_enqueue_ends_with_its_output)
{
    const struct dp_queue_config c = { 0, 1000, 12000 };

    queue_set(1, 0, 1000, 12000);
    ck_assert_int_eq(dp_queue_set(b.br, 3, 1, &c, NULL), 0);
    ops_add(&o, DP_OP_SET_QUEUE, 1, 1);
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    ops_add(&o, DP_OP_OUTPUT, 0, 3);
    bed_rule(&b, 1, &BED_ANY, &o);
    feed(0, 10, 1500);
    ck_assert_uint_eq(bed_count(&b, 2), 1);
    ck_assert_uint_eq(bed_count(&b, 3), 10);
    ck_assert_int_eq(dp_queue_del(b.br, 3, 1), 0);
}
END_TEST

/* Chosen before the egress tables, it is the packet's behind them. */
START_TEST(test_queue_chosen_in_ingress_is_kept_by_egress_tables)
{
    struct dp_instr in = { .goto_table = DP_NO_TABLE };

    ck_assert_int_eq(dp_bridge_set_egress(b.br, 10), 0);
    queue_set(1, 0, 1000, 12000);
    ops_add(&o, DP_OP_SET_QUEUE, 0, 1);
    ops_add(&o, DP_OP_OUTPUT, 0, 3);
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    if (_i) {
        in.write = (struct dp_op_list) { (const void *) o.w, o.n };
        bed_rule_in(&b, 0, 1, &BED_ANY, &in);
    } else {
        bed_rule(&b, 1, &BED_ANY, &o);
    }
    in = bed_apply(NULL);
    bed_rule_in(&b, 10, 1, &BED_ANY, &in);
    feed(0, 10, 1500);
    ck_assert_uint_eq(bed_count(&b, 3), _i ? 0 : 10);
    ck_assert_uint_eq(bed_count(&b, 2), 1);
    ck_assert_uint_eq(queue_stats(1).tx_packets, 1);
}
END_TEST

START_TEST(test_queue_that_cannot_be_is_refused)
{
    struct dp_queue_config c = { 10, 5, 0 };
    struct dp_queue_stats s;
    struct weft_err e = { "" };
    uint32_t q;

    ck_assert_int_eq(dp_queue_set(b.br, 2, 1, &c, &e), -EINVAL);
    ck_assert_ptr_nonnull(strstr(e.text, "min-rate 10 exceeds max-rate 5"));
    c.max_rate = 0;
    ck_assert_int_eq(dp_queue_set(b.br, 99, 1, &c, &e), -ENODEV);
    ck_assert_int_eq(dp_queue_set(b.br, 2, UINT32_MAX, &c, &e), -EINVAL);
    ck_assert_int_eq(dp_queue_get(b.br, 2, 1, &c, &s), -ENOENT);
    ck_assert_int_eq(dp_queue_get(b.br, 99, 1, &c, &s), -ENODEV);
    ck_assert_int_eq(dp_queue_del(b.br, 2, 1), -ENOENT);
    ck_assert_int_eq(dp_queue_del(b.br, 99, 1), -ENODEV);
    for (uint32_t i = 1; i < QUEUE_MAX; i++)
        ck_assert_int_eq(dp_queue_set(b.br, 2, 1000 - i, &c, &e), 0);
    ck_assert_int_eq(dp_queue_set(b.br, 2, 7, &c, &e), -EINVAL);
    ck_assert_int_eq(dp_queue_next(b.br, 2, 0, &q), 0);
    ck_assert_uint_eq(q, 1000 - (QUEUE_MAX - 1));
    ck_assert_int_eq(dp_queue_next(b.br, 2, q + 1, &q), 0);
    ck_assert_uint_eq(q, 1000 - (QUEUE_MAX - 2));
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("datapath");
    TCase *tc = tcase_create("queue");
    SRunner *sr;
    int failed;

    tcase_add_unchecked_fixture(tc, bed_eal_up, NULL);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, test_queue_max_rate_is_held_to_the_frame, 0,
                        sizeof limits / sizeof limits[0]);
    tcase_add_test(tc, test_queue_shapes_a_burst_instead_of_dropping_it);
    tcase_add_test(tc, test_queue_longer_than_its_limit_counts_overruns);
    tcase_add_test(tc, test_queue_min_rate_is_kept_under_a_flood);
    tcase_add_loop_test(tc, test_queue_spare_bandwidth_is_shared, 0, 2);
    tcase_add_test(tc, test_queue_frames_of_unequal_length_share_bytes);
    tcase_add_test(tc, test_queue_unknown_or_none_is_the_default_one);
    tcase_add_test(tc, test_queue_order_is_kept_when_the_device_is_full);
    tcase_add_test(tc, test_queue_frames_that_the_device_refuses_are_errors);
    tcase_add_test(
        tc, test_queue_changed_while_frames_wait_keeps_them_and_its_counters);
    tcase_add_test(tc, test_queue_deleted_sends_what_waits_and_goes);
    tcase_add_test(tc, test_queue_of_a_port_that_goes_frees_what_waits);
    tcase_add_test(tc, test_queue_of_enqueue_ends_with_its_output);
    tcase_add_loop_test(tc,
                        test_queue_chosen_in_ingress_is_kept_by_egress_tables,
                        0, 2);
    tcase_add_test(tc, test_queue_that_cannot_be_is_refused);
    suite_add_tcase(s, tc);
    sr = srunner_create(s);
    srunner_set_fork_status(sr, CK_NOFORK);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
