/* SPDX-License-Identifier: Apache-2.0 */
/* Two worker threads: flows hashed over the receive queues of a port, queues
 * that move between workers, and never a packet out of its flow's order. */
#include <check.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datapath/eal.h"
#include "tests/datapath/bed.h"
#include "utils/base/clock.h"

#define QUEUES 4
#define FLOWS 64 /* Flow f comes by queue f % QUEUES. */
#define SECOND UINT64_C(1000000000)

/* A device that makes its own packets: in turn those of each flow of the
 * queue, numbered; and one that looks at the numbers of what is sent. */
static struct {
    uint32_t next[FLOWS];   /* Number of the flow's next packet. */
    uint32_t seen[FLOWS];   /* The one that was sent last. */
    uint64_t per_queue[QUEUES];
    uint64_t sent, reordered;
    unsigned slow;          /* Queues from this one on are quiet. */
    bool stop;
    struct rte_mempool *pool;
} dev;

#define LOAD(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define STORE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)

static int
dev_open(struct port *p, const struct port_env *env,
         const struct dp_option *o, size_t n, struct weft_err *e)
{
    (void) o, (void) n, (void) e;
    p->priv = &dev;
    p->n_rxq = QUEUES;
    p->rx_fd = -1;
    p->mtu = 1500;
    p->link_up = true;
    dev.pool = env->pool;
    return 0;
}

static void
dev_close(struct port *p)
{
    (void) p;
}

static struct rte_mbuf *
packet(unsigned flow)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(dev.pool);
    struct pkt p;

    if (!m)
        return NULL;
    pkt_init(&p);
    pkt_eth(&p, PKT_MAC(2), PKT_MAC(1), 0x0800);
    pkt_ipv4(&p, 0x0a000001 + flow, 0x0a000002, 17);
    pkt_udp(&p, 1000, 2000);
    pkt_payload(&p, 30);
    pkt_end(&p);
    memcpy(rte_pktmbuf_append(m, (uint16_t) p.len), p.b, p.len);
    return m;
}

static uint16_t
dev_rx_queue(struct port *p, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
    uint16_t got = 0;

    if (strcmp(p->name, "p1") || LOAD(dev.stop) || queue >= LOAD(dev.slow))
        return 0;
    for (unsigned f = queue; got < n && f < FLOWS; f += QUEUES) {
        m[got] = packet(f);
        if (!m[got])
            break;
        memcpy(rte_pktmbuf_mtod_offset(m[got], void *, 44), &dev.next[f], 4);
        dev.next[f]++;
        got++;
    }
    STORE(dev.per_queue[queue], dev.per_queue[queue] + got);
    return got;
}

static uint16_t
dev_rx(struct port *p, struct rte_mbuf **m, uint16_t n)
{
    return dev_rx_queue(p, 0, m, n);
}

/* All frames are sent by the port's one owner. */
static uint16_t
dev_tx(struct port *p, struct rte_mbuf **m, uint16_t n)
{
    (void) p;
    for (unsigned i = 0; i < n; i++) {
        const uint8_t *d = rte_pktmbuf_mtod(m[i], const uint8_t *);
        unsigned flow = get_be32(d + 26) - 0x0a000001;
        uint32_t number;

        memcpy(&number, d + 44, 4);
        if (flow < FLOWS) { /* Frames may be lost, but not overtake. */
            if ((int32_t) (number - dev.seen[flow]) < 0)
                STORE(dev.reordered, dev.reordered + 1);
            dev.seen[flow] = number;
        }
        rte_pktmbuf_free(m[i]);
    }
    STORE(dev.sent, dev.sent + n);
    return n;
}

static const struct port_ops dev_ops = {
    .name = "numbers",
    .as_port = true,
    .open = dev_open,
    .close = dev_close,
    .rx_burst = dev_rx,
    .rx_burst_queue = dev_rx_queue,
    .tx_burst = dev_tx,
};

static struct dp *dp;
static struct dp_bridge *br;

static void
eal_up(void)
{
    ck_assert_int_eq(eal_start("-m 96 --no-huge", NULL), 0);
}

static void
setup(void)
{
    struct dp_config c = { .mbufs = 8191, .cores = "0,1" };
    struct ops out = { .n = 0 };
    struct flow_match any = BED_ANY;
    struct dp_instr in;
    struct dp_rule *r;

    memset(&dev, 0, sizeof dev);
    dev.slow = QUEUES;
    ck_assert_int_eq(dp_create(&c, &dp, NULL), 0);
    ck_assert_int_eq(dp_bridge_add(dp, "br0", NULL, &br, NULL), 0);
    ops_add(&out, DP_OP_OUTPUT, 0, 2);
    in = bed_apply(&out);
    ck_assert_int_eq(dp_rule_add(br, 0, 1, &any, &in, 0, &r), 0);
    dp_commit(dp);
    for (uint32_t no = 1; no <= 2; no++) {
        char name[8];
        struct dp_port_config pc = { .name = name, .type = "numbers",
                                     .port_no = no };

        snprintf(name, sizeof name, "p%u", no);
        ck_assert_int_eq(dp_port_add_ops(br, &pc, &dev_ops, NULL, NULL), 0);
    }
}

static void
teardown(void)
{
    STORE(dev.stop, true);
    dp_destroy(dp);
}

static void
run_for(uint64_t ns)
{
    uint64_t end = base_clock_ns() + ns;

    while (base_clock_ns() < end) {
        dp_run(dp, 64);
        usleep(1000);
    }
}

static struct rxq *
queue_of(unsigned i)
{
    return &dp_bridge_port(br, 1)->rxq[i];
}

static unsigned
queues_of(unsigned worker)
{
    struct dp_worker_info w;

    ck_assert_int_eq(dp_worker_get(dp, worker, &w), 0);
    return w.n_rxqs;
}

START_TEST(test_workers_given_a_port_of_four_queues_share_them)
{
    struct dp_balance b;

    ck_assert_uint_eq(queues_of(0), QUEUES); /* Two ports of four. */
    ck_assert_uint_eq(queues_of(1), QUEUES);
    run_for(SECOND);
    STORE(dev.stop, true);
    run_for(SECOND / 5);
    for (unsigned i = 0; i < QUEUES; i++)
        ck_assert_uint_gt(LOAD(dev.per_queue[i]), 0);
    for (unsigned i = 0; i < 2; i++) {
        struct dp_worker_info w;

        ck_assert_int_eq(dp_worker_get(dp, i, &w), 0);
        ck_assert_uint_gt(w.packets, 0);
    }
    ck_assert_uint_eq(LOAD(dev.reordered), 0);
    dp_bridge_get_balance(br, &b);
    ck_assert_uint_eq(b.sent, LOAD(dev.sent));
    bed_check_balance(br);
}
END_TEST

START_TEST(test_workers_given_queues_that_move_never_reorder_a_flow)
{
    unsigned moves = 0;

    run_for(SECOND / 10);
    for (unsigned i = 0; i < 200; i++) {
        struct rxq *q = queue_of(i % QUEUES);

        moves += dp_rxq_move(q, dp->workers[q->worker == dp->workers[0]]);
        dp_run(dp, 64);
        sched_yield();
    }
    run_for(SECOND / 10);
    ck_assert_uint_gt(moves, 50);
    ck_assert_uint_gt(LOAD(dev.sent), 1000);
    ck_assert_uint_eq(LOAD(dev.reordered), 0);
}
END_TEST

/* A queue stays where it is while the worker that sends cannot keep up. */
static void
move_to(struct rxq *q, struct worker *w)
{
    for (unsigned i = 0; q->worker != w && i < 1000; i++) {
        if (!dp_rxq_move(q, w))
            usleep(1000);
    }
    ck_assert_ptr_eq(q->worker, w);
}

/* The two busy queues are on one worker, the other has nothing to do. */
START_TEST(test_workers_given_one_busy_and_one_idle_even_out)
{
    STORE(dev.slow, 2);
    for (unsigned i = 0; i < QUEUES; i++)
        move_to(queue_of(i), dp->workers[i >= 2]);
    for (unsigned s = 0; s < 10 && queue_of(0)->worker == queue_of(1)->worker;
         s++)
        run_for(SECOND);
    ck_assert_ptr_ne(queue_of(0)->worker, queue_of(1)->worker);
    run_for(SECOND / 10);
    ck_assert_uint_eq(LOAD(dev.reordered), 0);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("workers");
    TCase *tc = tcase_create("two");

    tcase_add_unchecked_fixture(tc, eal_up, NULL);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_workers_given_a_port_of_four_queues_share_them);
    tcase_add_test(tc,
                   test_workers_given_queues_that_move_never_reorder_a_flow);
    tcase_add_test(tc, test_workers_given_one_busy_and_one_idle_even_out);
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
