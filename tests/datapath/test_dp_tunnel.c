/* SPDX-License-Identifier: Apache-2.0 */
/* Tunnel ports and uplinks in the pipeline, and workers as threads. */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "tests/datapath/bed.h"
#include "utils/base/clock.h"

static struct bed b;
static struct pkt p;
static uint32_t uplink;
static unsigned n_resolve, n_uplink_rx;
static be32 resolved;

#define HERE 0xc0000201u  /* 192.0.2.1 */
#define THERE 0xc0000202u

static void
on_resolve(void *arg, be32 remote, be32 local)
{
    (void) arg, (void) local;
    n_resolve++;
    resolved = remote;
}

static void
on_uplink_rx(void *arg, uint32_t id, const uint8_t *data, size_t len)
{
    (void) arg, (void) data, (void) len;
    ck_assert_uint_eq(id, uplink);
    n_uplink_rx++;
}

static void
tunnel_port(const char *name, const char *type, unsigned no,
            const char *local, const char *remote, const char *key)
{
    const struct dp_option o[] = { { "local", local }, { "remote", remote },
                                   { "key", key } };
    struct dp_port_config c = { .name = name, .type = type, .port_no = no,
                                .options = o, .n_options = 3 };
    struct weft_err e = { "" };

    ck_assert_msg(!dp_port_add(b.br, &c, NULL, &e), "%s", e.text);
}

static void
setup_packet(void)
{
    pkt_init(&p);
    pkt_eth(&p, PKT_MAC(2), PKT_MAC(1), 0x0800);
    pkt_ipv4(&p, 0x0a000001, 0x0a000002, 17);
    pkt_udp(&p, 1, 2);
    pkt_payload(&p, 18);
    pkt_end(&p);
}

static void
setup(void)
{
    const be32 addrs[] = { be32_from(HERE), be32_from(THERE) };

    n_resolve = n_uplink_rx = 0;
    bed_open(&b, 3, BED_CAPS);
    b.dp->ev.resolve = on_resolve;
    b.dp->ev.uplink_rx = on_uplink_rx;
    bed_add_uplink(&b, 8, 0, &uplink);
    ck_assert_int_eq(dp_uplink_set_addrs(b.dp, uplink, addrs, 2), 0);
    setup_packet();
}

static void
teardown(void)
{
    bed_close(&b);
}

static void
nexthop(uint32_t remote)
{
    bed_nexthop(&b, uplink, remote == HERE ? THERE : HERE, remote);
}

static void
rule_out(uint32_t in_port, uint32_t out)
{
    struct flow_match m = BED_ANY;
    struct ops o = { .n = 0 };

    match_u64(&m, FLOW_F_IN_PORT, in_port);
    ops_add(&o, DP_OP_OUTPUT, 0, out);
    bed_rule(&b, 1, &m, &o);
}

START_TEST(test_tunnel_frame_goes_out_and_comes_back)
{
    const char *type = _i ? "nvgre" : "vxlan";
    struct dp_port_info info;
    struct rte_mbuf *m;

    tunnel_port("tx", type, 10, "192.0.2.1", "192.0.2.2", "5001");
    tunnel_port("rx", type, 11, "192.0.2.2", "192.0.2.1", "5001");
    rule_out(1, 10);
    rule_out(11, 3);
    bed_feed(&b, 1, &p); /* No next hop yet. */
    bed_run(&b);
    ck_assert_uint_ge(n_resolve, 1);
    ck_assert_uint_eq(resolved, be32_from(THERE));
    bed_expect_none(&b, 8);
    nexthop(THERE);
    for (int i = 0; i < 40; i++)
        bed_feed(&b, 1, &p);
    bed_run(&b);
    while ((m = bed_take(&b, 8))) {
        ck_assert_uint_eq(m->pkt_len, p.len + (_i ? 42 : 50));
        bed_feed_mbuf(&b, 8, m);
    }
    bed_run(&b);
    for (int i = 0; i < 40; i++)
        bed_expect(&b, 3, &p);
    ck_assert_int_eq(dp_port_get(b.br, 10, &info), 0);
    ck_assert_uint_eq(info.stats.tx_packets, 40);
    ck_assert_str_eq(info.type, type);
    ck_assert_int_eq(dp_port_get(b.br, 11, &info), 0);
    ck_assert_uint_eq(info.stats.rx_packets, 40);
}
END_TEST

START_TEST(test_tunnel_sender_of_too_big_frames_is_told_the_mtu)
{
    struct dp_balance before, after;
    struct rte_mbuf *m;
    struct pkt big;

    tunnel_port("tx", "vxlan", 10, "192.0.2.1", "192.0.2.2", "5001");
    rule_out(1, 10);
    rule_out(10, 1);
    nexthop(THERE);
    pkt_init(&big);
    pkt_eth(&big, PKT_MAC(2), PKT_MAC(1), 0x0800);
    pkt_ipv4(&big, 0x0a000001, 0x0a000002, 17);
    pkt_udp(&big, 1, 2);
    pkt_payload(&big, 1451 - 28);
    pkt_end(&big);
    dp_bridge_get_balance(b.br, &before);
    bed_feed(&b, 1, &big);
    bed_run(&b);
    bed_expect_none(&b, 8);
    m = bed_take(&b, 1);
    ck_assert_ptr_nonnull(m);
    const uint8_t *f = rte_pktmbuf_mtod(m, const uint8_t *);
    ck_assert_uint_eq(get_be32(f + 30), 0x0a000001);
    ck_assert_uint_eq(f[34], 3); /* Destination unreachable, */
    ck_assert_uint_eq(f[35], 4); /* fragmentation needed: */
    ck_assert_uint_eq(get_be16(f + 40), 1450);
    rte_pktmbuf_free(m);
    dp_bridge_get_balance(b.br, &after);
    ck_assert_uint_eq(after.received - before.received, 2);
    ck_assert_uint_eq(after.sent - before.sent, 1);
    ck_assert_uint_eq(after.dropped[DROP_TNL_TX_TOO_BIG], 1);
}
END_TEST

START_TEST(test_tunnel_of_another_key_never_enters)
{
    struct dp_uplink_info info;
    struct rte_mbuf *m;

    tunnel_port("tx", "vxlan", 10, "192.0.2.1", "192.0.2.2", "5001");
    tunnel_port("rx", "vxlan", 11, "192.0.2.2", "192.0.2.1", "5002");
    rule_out(1, 10);
    rule_out(11, 3);
    nexthop(THERE);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    m = bed_take(&b, 8);
    ck_assert_ptr_nonnull(m);
    bed_feed_mbuf(&b, 8, m);
    bed_run(&b);
    bed_expect_none(&b, 3);
    ck_assert_int_eq(dp_uplink_get(b.dp, uplink, &info), 0);
    ck_assert_uint_eq(info.drops[DROP_TNL_UNKNOWN], 1);
    ck_assert_uint_eq(info.stats.rx_packets, 1);
    ck_assert_uint_eq(info.stats.tx_packets, 1);
}
END_TEST

START_TEST(test_tunnel_flow_chosen_remote_and_key)
{
    struct flow_match m = BED_ANY;
    struct ops o = { .n = 0 };
    struct dp_rule *r;
    struct rte_mbuf *out;

    tunnel_port("tx", "vxlan", 10, "192.0.2.1", "flow", "flow");
    nexthop(THERE);
    ops_set_u64(&o, FLOW_F_TUN_ID, 77);
    ops_set_u64(&o, FLOW_F_TUN_DST, THERE);
    ops_add(&o, DP_OP_OUTPUT, 0, 10);
    match_u64(&m, FLOW_F_IN_PORT, 1);
    bed_rule(&b, 1, &m, &o);
    /* Back in at 192.0.2.1: tun_id and tun_src are matched. */
    nexthop(HERE);
    m = BED_ANY;
    o.n = 0;
    match_u64(&m, FLOW_F_IN_PORT, 10);
    match_u64(&m, FLOW_F_TUN_ID, 77);
    match_u64(&m, FLOW_F_TUN_SRC, HERE);
    match_u64(&m, FLOW_F_TUN_DST, THERE);
    ops_add(&o, DP_OP_CONTROLLER, DP_PUNT_ACTION, 0xffff);
    tunnel_port("rx", "vxlan", 11, "192.0.2.2", "flow", "flow");
    match_u64(&m, FLOW_F_IN_PORT, 11);
    r = bed_rule(&b, 2, &m, &o);
    for (int i = 0; i < 3; i++) {
        bed_feed(&b, 1, &p);
        bed_run(&b);
        out = bed_take(&b, 8);
        ck_assert_ptr_nonnull(out);
        bed_feed_mbuf(&b, 8, out);
        bed_run(&b);
    }
    ck_assert_uint_eq(bed_packets(r), 3);
    ck_assert_uint_eq(b.n_punts, 3);
    ck_assert_uint_eq(b.punt.tunnel.id, 77);
    ck_assert_uint_eq(b.punt.tunnel.src, be32_from(HERE));
}
END_TEST

START_TEST(test_uplink_frames_that_are_no_tunnel_go_to_control)
{
    struct pkt arp;

    pkt_init(&arp);
    pkt_eth(&arp, PKT_MAC(2), PKT_MAC(1), 0x0806);
    pkt_arp(&arp, 1, PKT_MAC(1), 1, PKT_MAC(2), 2);
    bed_feed(&b, 8, &arp);
    bed_run(&b);
    ck_assert_uint_eq(n_uplink_rx, 1);
    ck_assert_int_eq(dp_uplink_send(b.dp, uplink, arp.b, arp.len), 0);
    bed_run(&b);
    bed_expect(&b, 8, &arp);
    ck_assert_int_eq(dp_uplink_send(b.dp, 9, arp.b, arp.len), -ENODEV);
}
END_TEST

START_TEST(test_large_segment_into_a_tunnel_counts_once)
{
    struct dp_balance x;
    struct rte_mbuf *m;
    uint8_t *d;

    tunnel_port("tx", "vxlan", 10, "192.0.2.1", "192.0.2.2", "5001");
    rule_out(1, 10);
    nexthop(THERE);
    pkt_init(&p);
    pkt_eth(&p, PKT_MAC(2), PKT_MAC(1), 0x0800);
    pkt_ipv4(&p, 1, 2, 6);
    pkt_tcp(&p, 1, 2, 0x10);
    pkt_payload(&p, 44 * 1400);
    pkt_end(&p);
    m = rte_pktmbuf_alloc(b.dp->env.big_pool);
    d = (uint8_t *) rte_pktmbuf_append(m, (uint16_t) p.len);
    memcpy(d, p.b, p.len);
    put_be16(d + p.l4 + 16,
             (uint16_t) pkt_pseudo(p.b + p.l3, 6, p.len - p.l4));
    m->l2_len = 14;
    m->l3_len = m->l4_len = 20;
    m->tso_segsz = 1400;
    m->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM
                   | RTE_MBUF_F_TX_TCP_SEG;
    bed_feed_mbuf(&b, 1, m);
    bed_run(&b);
    ck_assert_uint_eq(bed_count(&b, 8), 44);
    dp_bridge_get_balance(b.br, &x);
    ck_assert_uint_eq(x.received, 1);
    ck_assert_uint_eq(x.sent, 1);
}
END_TEST

START_TEST(test_tunnel_port_options_change_live)
{
    const struct dp_option o = { "key", "6001" }, bad = { "key", "16777216" };
    struct dp_port_info info;
    struct weft_err e;

    tunnel_port("tx", "vxlan", 10, "192.0.2.1", "192.0.2.2", "5001");
    ck_assert_int_eq(dp_port_set(b.br, 10, &bad, 1, &e), -EINVAL);
    ck_assert_int_eq(dp_port_get(b.br, 10, &info), 0);
    ck_assert_ptr_nonnull(strstr(info.options, "key=5001"));
    ck_assert_int_eq(dp_port_set(b.br, 10, &o, 1, &e), 0);
    ck_assert_int_eq(dp_port_get(b.br, 10, &info), 0);
    ck_assert_ptr_nonnull(strstr(info.options, "key=6001"));
}
END_TEST

/* ------------------------------------------------------------------ threads */

static void
wait_events(struct dp *dp, const uint64_t *seen, uint64_t want)
{
    uint64_t until = base_clock_ns() + 5000000000u;

    while (*seen < want) {
        struct pollfd fd = { .fd = dp_event_fd(dp), .events = POLLIN };

        ck_assert_uint_lt(base_clock_ns(), until);
        poll(&fd, 1, 100);
        dp_run(dp, 64);
    }
}

static void
on_synced(void *arg, uint64_t seq)
{
    *(uint64_t *) arg = seq;
}

static uint64_t n_punted;

static void
on_punt(void *arg, const struct dp_punt *punt)
{
    (void) arg, (void) punt;
    n_punted++;
}

START_TEST(test_worker_threads_sync_commits_and_wake_for_packet_outs)
{
    uint64_t synced = 0, seq;
    struct dp_config c = { .cores = _i ? "0,0" : NULL, .mbufs = 4095,
                           .events = { .arg = &synced, .synced = on_synced,
                                       .punt = on_punt } };
    struct dp *dp;
    struct dp_bridge *br;
    struct dp_balance x;
    struct ops o = { .n = 0 };
    struct dp_op_list l;

    n_punted = 0;
    ck_assert_int_eq(dp_create(&c, &dp, NULL), 0);
    ck_assert_int_eq(dp_bridge_add(dp, "br0", NULL, &br, NULL), 0);
    for (int i = 0; i < 20; i++) {
        seq = dp_commit(dp);
        wait_events(dp, &synced, seq);
        ck_assert_uint_eq(synced, seq);
    }
    ops_add(&o, DP_OP_CONTROLLER, DP_PUNT_ACTION, 100);
    l = ops_list(&o);
    for (uint64_t i = 1; i <= 50; i++) {
        ck_assert_int_eq(dp_packet_out(br, DP_PORT_NONE, p.b, 60, &l), 0);
        wait_events(dp, &n_punted, i);
    }
    dp_bridge_get_balance(br, &x);
    ck_assert_uint_eq(x.injected, 50);
    ck_assert_uint_eq(x.punted, 50);
    dp_destroy(dp);
}
END_TEST

/* Ports of two workers; the frames of one leave by the other's. */
START_TEST(test_worker_threads_hand_frames_to_the_owner_of_a_port)
{
    uint64_t synced = 0, until;
    struct dp_config c = { .cores = "0,0", .mbufs = 8191,
                           .events = { .arg = &synced,
                                       .synced = on_synced } };
    struct dp_balance x = { .received = 0 };
    struct flow_match m = BED_ANY;
    struct ops o = { .n = 0 };
    struct dp_instr in;
    struct dp_rule *r;
    static struct bed t;

    memset(&t, 0, sizeof t);
    ck_assert_int_eq(dp_create(&c, &t.dp, NULL), 0);
    ck_assert_int_eq(dp_bridge_add(t.dp, "br0", NULL, &t.br, NULL), 0);
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    in = bed_apply(&o);
    match_u64(&m, FLOW_F_IN_PORT, 1);
    ck_assert_int_eq(dp_rule_add(t.br, 0, 1, &m, &in, 0, &r), 0);
    wait_events(t.dp, &synced, dp_commit(t.dp));
    bed_use(&t);
    for (unsigned i = 0; i < 600; i++) /* Before any thread looks. */
        bed_feed(&t, 1, &p);
    bed_add_port(&t, t.br, 2, 0);
    bed_add_port(&t, t.br, 1, 0);
    until = base_clock_ns() + 5000000000u;
    while (x.sent + x.dropped[DROP_TX_FULL] < 600
           && base_clock_ns() < until) {
        dp_run(t.dp, 64);
        dp_bridge_get_balance(t.br, &x);
    }
    ck_assert_uint_eq(x.received, 600);
    bed_check_balance(t.br);
    ck_assert_int_eq(dp_port_del(t.br, 1, NULL), 0);
    ck_assert_int_eq(dp_port_del(t.br, 2, NULL), 0);
    ck_assert_uint_eq(bed_count(&t, 2), x.sent);
    dp_destroy(t.dp);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("datapath");
    TCase *tc = tcase_create("dp_tunnel"), *th = tcase_create("threads");
    SRunner *sr;
    int failed;

    tcase_add_unchecked_fixture(tc, bed_eal_up, NULL);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, test_tunnel_frame_goes_out_and_comes_back, 0, 2);
    tcase_add_test(tc,
                   test_tunnel_sender_of_too_big_frames_is_told_the_mtu);
    tcase_add_test(tc, test_tunnel_of_another_key_never_enters);
    tcase_add_test(tc, test_tunnel_flow_chosen_remote_and_key);
    tcase_add_test(tc, test_uplink_frames_that_are_no_tunnel_go_to_control);
    tcase_add_test(tc, test_large_segment_into_a_tunnel_counts_once);
    tcase_add_test(tc, test_tunnel_port_options_change_live);
    tcase_add_checked_fixture(th, setup_packet, NULL);
    tcase_set_timeout(th, 60);
    tcase_add_loop_test(
        th, test_worker_threads_sync_commits_and_wake_for_packet_outs, 0, 2);
    tcase_add_test(th,
                   test_worker_threads_hand_frames_to_the_owner_of_a_port);
    suite_add_tcase(s, tc);
    suite_add_tcase(s, th);
    sr = srunner_create(s);
    srunner_set_fork_status(sr, CK_NOFORK);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
