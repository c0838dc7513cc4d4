/* SPDX-License-Identifier: Apache-2.0 */
/* One meter, two workers in threads of their own that charge it at once,
 * under a clock that the test sets. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#include "datapath/meter.h"
#include "tests/datapath/bed.h"

#define MS UINT64_C(1000000)
#define METER 7
/* The second worker looked at the clock so much earlier. */
#define SKEW_NS 3000
/* Asked is 2 %; a burst of packets per worker is what may be overdrawn. */
#define PERCENT 2
#define BURST 32

static struct bed b;

/* A worker's thread turns its crank between two barriers. */
struct crank {
    pthread_t thread;
    struct worker *w;
};

static struct crank cranks[2];
static pthread_barrier_t start, end;
static bool quit;

static void *
crank_main(void *arg)
{
    struct crank *c = arg;

    for (;;) {
        pthread_barrier_wait(&start);
        if (quit)
            return NULL;
        while (worker_iterate(c->w))
            continue;
        pthread_barrier_wait(&end);
    }
}

static void
setup(void)
{
    bed_open_two(&b, 4, BED_CAPS);
    quit = false;
    pthread_barrier_init(&start, NULL, 3);
    pthread_barrier_init(&end, NULL, 3);
    for (unsigned i = 0; i < 2; i++) {
        cranks[i].w = b.dp->workers[i];
        ck_assert_int_eq(pthread_create(&cranks[i].thread, NULL, crank_main,
                                        &cranks[i]), 0);
    }
}

static void
teardown(void)
{
    quit = true;
    pthread_barrier_wait(&start);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(cranks[i].thread, NULL);
    pthread_barrier_destroy(&start);
    pthread_barrier_destroy(&end);
    bed_close(&b);
}

/* What comes in by 'from' leaves by 'to', past the meter. */
static void
metered(unsigned from, unsigned to)
{
    struct flow_match m = BED_ANY;
    struct ops o = { .n = 0 };
    struct dp_instr in;

    match_u64(&m, FLOW_F_IN_PORT, from);
    ops_add(&o, DP_OP_OUTPUT, 0, to);
    in = bed_apply(&o);
    in.meter = METER;
    bed_rule_in(&b, 0, 1, &m, &in);
}

/* Gives each worker 'n' frames at the time 'now'; how many left. */
static unsigned
offer(const struct pkt *p, unsigned n, uint64_t now)
{
    for (unsigned port = 1; port <= 2; port++) {
        b.ports[port + 2].tx_room = BED_QUEUE;
        for (unsigned i = 0; i < n; i++)
            bed_feed(&b, port, p);
    }
    cranks[0].w->now_ns = now;
    cranks[1].w->now_ns = now - SKEW_NS;
    pthread_barrier_wait(&start);
    pthread_barrier_wait(&end);
    ck_assert_uint_eq(b.ports[1].rx_n + b.ports[2].rx_n, 0);
    return bed_count(&b, 3) + bed_count(&b, 4);
}

/* A step makes less than the bucket holds. */
static const struct {
    bool pktps;
    uint32_t rate, len;
    uint64_t step_ns;
    unsigned steps;
} shared[] = {
    { false, 1000000, 64, MS / 10, 1000 },  /* 1 Gbit/s: 195 per step */
    { false, 1000000, 1500, MS / 4, 2000 }, /* 20 per step */
    { false, 10000000, 1500, MS / 25, 1000 },
    { true, 1000000, 64, MS / 10, 1000 },
    { true, 100000, 1500, MS, 1000 },
};

START_TEST(test_meter_shared_by_two_workers_holds_its_rate)
{
    const bool pktps = shared[_i].pktps;
    const uint32_t rate = shared[_i].rate, len = shared[_i].len;
    const struct dp_meter_band band = { 1, 0, rate, pktps ? 200 : 500 };
    const struct dp_meter_config c = { .pktps = pktps, .bands = &band,
                                       .n_bands = 1 };
    uint64_t now = cranks[0].w->now_ns + MS, got = 0, in_all;
    uint64_t cost = pktps ? (uint64_t) METER_TOKENS : 8u * METER_BIT * len;
    uint64_t per_step = shared[_i].step_ns * rate / cost;
    uint64_t due = shared[_i].steps * shared[_i].step_ns * rate / cost;
    struct dp_stats in, dropped;
    uint64_t full;
    struct pkt p;

    ck_assert_int_eq(dp_meter_set(b.br, METER, &c), 0);
    dp_commit(b.dp);
    metered(1, 3);
    metered(2, 4);
    bed_udp(&p, 0x0a000001, 1000, 2000, len - 42);
    ck_assert_uint_eq(p.len, len);
    full = offer(&p, 1000, now); /* Empties the bucket. */
    in_all = 2000;
    for (unsigned i = 0; i < shared[_i].steps; i++) {
        now += shared[_i].step_ns;
        got += offer(&p, (unsigned) per_step, now); /* Twice the rate. */
        in_all += 2 * per_step;
    }
    ck_assert_msg(got * 100 >= due * (100 - PERCENT)
                      && got * 100 <= due * (100 + PERCENT),
                  "%llu passed, %llu expected", (unsigned long long) got,
                  (unsigned long long) due);
    /* What the bucket held, and what both took while they saw the same. */
    ck_assert_uint_le(full, (band.burst * METER_TOKENS) / cost + 2 * BURST);
    ck_assert_int_eq(dp_meter_get_stats(b.br, METER, &in, &dropped, 1), 0);
    ck_assert_uint_eq(in.packets, in_all);
    ck_assert_uint_eq(in.bytes, in_all * len);
    ck_assert_uint_eq(dropped.packets, in_all - got - full);
    ck_assert_uint_eq(bed_drops(&b, DROP_METER), in_all - got - full);
}
END_TEST

/* Below the rate nothing is lost to the other worker. */
START_TEST(test_meter_shared_by_two_workers_drops_nothing_below_its_rate)
{
    const struct dp_meter_band band = { 1, 0, 1000000, 1000 };
    const struct dp_meter_config c = { .pktps = true, .bands = &band,
                                       .n_bands = 1 };
    uint64_t now = cranks[0].w->now_ns + MS;
    struct pkt p;

    ck_assert_int_eq(dp_meter_set(b.br, METER, &c), 0);
    dp_commit(b.dp);
    metered(1, 3);
    metered(2, 4);
    bed_udp(&p, 0x0a000001, 1000, 2000, 100);
    for (unsigned i = 0; i < 1000; i++) {
        now += MS / 10; /* 100 packets are due; 90 come. */
        ck_assert_uint_eq(offer(&p, 45, now), 90);
    }
}
END_TEST

int
main(void)
{
    TCase *tc = tcase_create("shared meters");

    tcase_set_timeout(tc, 120);
    tcase_add_unchecked_fixture(tc, bed_eal_up, NULL);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, test_meter_shared_by_two_workers_holds_its_rate,
                        0, sizeof shared / sizeof shared[0]);
    tcase_add_test(
        tc, test_meter_shared_by_two_workers_drops_nothing_below_its_rate);
    return bed_main("datapath", tc);
}
