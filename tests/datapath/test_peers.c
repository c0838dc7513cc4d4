/* SPDX-License-Identifier: Apache-2.0 */
/* Networks: far end points of a tunnel port, learnt and listed. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/eal.h"
#include "tests/datapath/bed.h"

static struct bed b;
static struct pkt p;
static uint32_t uplink;

/* Ports: 1, 2 VMs; 8 the uplink; 10 the network's tunnel port. */
#define HERE 0xc0000201u  /* 192.0.2.1 */
#define PEER_A 0xc0000202u
#define PEER_B 0xc0000203u
#define STRANGER 0xc0000209u
#define VNI "5001"

static void
eal_up(void)
{
    ck_assert_int_eq(eal_start("-m 96 --no-huge", NULL), 0);
}

static void
frame(const uint8_t *dst, const uint8_t *src)
{
    pkt_init(&p);
    pkt_eth(&p, dst, src, 0x0800);
    pkt_ipv4(&p, 0x0a000001, 0x0a000002, 17);
    pkt_udp(&p, 1, 2);
    pkt_payload(&p, 18);
    pkt_end(&p);
}

static void
net_port_no(unsigned no, const char *name, const char *remote,
            const char *key, const char *split)
{
    const struct dp_option o[] = { { "remote", remote }, { "key", key },
                                   { "split-horizon", split } };
    struct dp_port_config c = { .name = name, .type = "vxlan", .port_no = no,
                                .options = o, .n_options = 3 };
    struct weft_err e = { "" };

    ck_assert_msg(!dp_port_add(b.br, &c, NULL, &e), "%s", e.text);
}

static void
net_port(const char *remote)
{
    net_port_no(10, "net", remote, VNI, "on");
}

static void
peers(const be32 *addrs, size_t n)
{
    struct weft_err e = { "" };

    ck_assert_msg(!dp_port_set_peers(b.br, 10, addrs, n, &e), "%s", e.text);
}

static void
two_peers(void)
{
    const be32 addrs[] = { be32_from(PEER_A), be32_from(PEER_B) };

    peers(addrs, 2);
}

static void
setup(void)
{
    const be32 here = be32_from(HERE);
    struct ops o = { .n = 0 };

    bed_open(&b, 2, PORT_CAP_CSUM | PORT_CAP_MULTI_SEG);
    bed_add_uplink(&b, 8, 0, &uplink);
    ck_assert_int_eq(dp_uplink_set_addrs(b.dp, uplink, &here, 1), 0);
    ops_add(&o, DP_OP_NORMAL, 0, 0);
    bed_rule(&b, 1, &BED_ANY, &o);
    bed_nexthop(&b, uplink, HERE, PEER_A);
    bed_nexthop(&b, uplink, HERE, PEER_B);
    bed_nexthop(&b, uplink, HERE, STRANGER);
}

static void
teardown(void)
{
    bed_close(&b);
}

/* The frame in 'p', as 'remote' sends it. */
static void
from_remote(uint32_t remote)
{
    struct pkt out;

    pkt_init(&out);
    pkt_eth(&out, PKT_MAC(1), PKT_MAC(2), 0x0800);
    pkt_ipv4(&out, remote, HERE, 17);
    pkt_udp(&out, 50000, 4789);
    out.b[out.len++] = 8;
    for (unsigned i = 0; i < 3; i++)
        out.b[out.len++] = 0;
    put_be32(out.b + out.len, 5001u << 8);
    out.len += 4;
    memcpy(out.b + out.len, p.b, p.len);
    out.len += p.len;
    pkt_end(&out);
    put_be16(out.b + out.l4 + 6, 0); /* RFC 7348 §5: no UDP checksum. */
    bed_feed(&b, 8, &out);
    bed_run(&b);
}

/* Takes what left by the uplink; to whom, as a set. */
static unsigned
left_to(void)
{
    unsigned set = 0;
    struct rte_mbuf *m;

    while ((m = bed_take(&b, 8))) {
        const uint8_t *f = rte_pktmbuf_mtod(m, const uint8_t *);
        uint32_t dst = get_be32(f + 30);
        unsigned bit = 1u << (dst & 15);

        ck_assert_uint_eq(get_be32(f + 26), HERE);
        ck_assert_uint_eq(m->pkt_len, p.len + 50);
        ck_assert(!(set & bit)); /* Never two copies. */
        set |= bit;
        rte_pktmbuf_free(m);
    }
    return set;
}

static unsigned
flood_from_vm(void)
{
    frame(PKT_MAC(99), PKT_MAC(1));
    bed_feed(&b, 1, &p);
    bed_run(&b);
    return left_to();
}

struct seen {
    unsigned n, listed, learnt;
};

static void
count_peer(void *arg, const struct dp_peer_info *info)
{
    struct seen *s = arg;

    s->n++;
    s->listed += info->listed;
    s->learnt += !info->listed;
}

static struct seen
peers_seen_now(void)
{
    struct seen s = { 0 };

    dp_peer_dump(b.br, 10, count_peer, &s);
    return s;
}

START_TEST(test_peers_unknown_address_goes_to_each_peer_and_port_once)
{
    net_port("peers");
    ck_assert_uint_eq(flood_from_vm(), 0);
    bed_expect(&b, 2, &p);
    two_peers();
    ck_assert_uint_eq(flood_from_vm(), 1 << 2 | 1 << 3);
    bed_expect(&b, 2, &p);
    bed_expect_none(&b, 1);
}
END_TEST

START_TEST(test_peers_address_behind_a_peer_is_learnt_with_it)
{
    net_port("peers");
    two_peers();
    frame(PKT_MAC(1), PKT_MAC(7));
    from_remote(PEER_B);
    bed_expect(&b, 1, &p);
    bed_expect(&b, 2, &p); /* MAC 1 is not known yet. */
    ck_assert_uint_eq(left_to(), 0); /* Split horizon. */
    frame(PKT_MAC(7), PKT_MAC(1));
    bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(left_to(), 1 << 3);
    bed_expect_none(&b, 2);
    /* It moves: the next frame follows. */
    frame(PKT_MAC(1), PKT_MAC(7));
    from_remote(PEER_A);
    bed_expect(&b, 1, &p);
    frame(PKT_MAC(7), PKT_MAC(1));
    bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(left_to(), 1 << 2);
}
END_TEST

START_TEST(test_peers_listed_only_drops_others_by_reason)
{
    struct dp_uplink_info info;

    net_port("peers");
    two_peers();
    frame(PKT_MAC(1), PKT_MAC(7));
    from_remote(STRANGER);
    bed_expect_none(&b, 1);
    bed_expect_none(&b, 2);
    ck_assert_int_eq(dp_uplink_get(b.dp, uplink, &info), 0);
    ck_assert_uint_eq(info.drops[DROP_TNL_UNKNOWN], 1);
    ck_assert_uint_eq(peers_seen_now().n, 2);
}
END_TEST

START_TEST(test_peers_sender_is_learnt_and_flooded_to)
{
    net_port("learn");
    ck_assert_uint_eq(flood_from_vm(), 0);
    bed_expect(&b, 2, &p);
    frame(PKT_MAC(1), PKT_MAC(7));
    from_remote(STRANGER);
    bed_expect(&b, 1, &p); /* MAC 1 was learnt. */
    ck_assert_uint_eq(peers_seen_now().learnt, 1);
    ck_assert_uint_eq(flood_from_vm(), 1 << 9);
    bed_expect(&b, 2, &p);
    /* Known now: its addresses are learnt. */
    frame(PKT_MAC(1), PKT_MAC(7));
    from_remote(STRANGER);
    bed_expect(&b, 1, &p);
    frame(PKT_MAC(7), PKT_MAC(1));
    bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(left_to(), 1 << 9);
    bed_expect_none(&b, 2);
}
END_TEST

START_TEST(test_peers_removed_one_is_forgotten_with_its_addresses)
{
    const be32 only_a = be32_from(PEER_A);

    net_port("peers");
    two_peers();
    frame(PKT_MAC(1), PKT_MAC(7));
    from_remote(PEER_B);
    bed_expect(&b, 1, &p);
    bed_expect(&b, 2, &p);
    peers(&only_a, 1);
    ck_assert_uint_eq(peers_seen_now().n, 1);
    frame(PKT_MAC(7), PKT_MAC(1));
    bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(left_to(), 1 << 2); /* Flooded: not to B. */
    bed_expect(&b, 2, &p);
    frame(PKT_MAC(1), PKT_MAC(7));
    from_remote(PEER_B);
    bed_expect_none(&b, 1);
}
END_TEST

START_TEST(test_peers_split_horizon_between_network_ports)
{
    const char *split = _i ? "off" : "on";
    const be32 addr = be32_from(PEER_B);

    net_port_no(10, "net", "peers", VNI, split);
    net_port_no(11, "other", "peers", "6001", split);
    two_peers();
    ck_assert_int_eq(dp_port_set_peers(b.br, 11, &addr, 1, NULL), 0);
    frame(PKT_MAC(99), PKT_MAC(7));
    from_remote(PEER_A);
    bed_expect(&b, 1, &p);
    bed_expect(&b, 2, &p);
    ck_assert_uint_eq(left_to(), _i ? 1 << 3 : 0);
}
END_TEST

START_TEST(test_peers_bad_use_is_refused_and_changes_nothing)
{
    const be32 addr = be32_from(PEER_A);
    const struct dp_option o[] = { { "remote", "peers" }, { "key", "flow" } };
    struct dp_port_config c = { .name = "x", .type = "vxlan", .port_no = 12,
                                .options = o, .n_options = 2 };
    be32 *many = calloc(PEERS_MAX + 1, sizeof *many);
    struct weft_err e = { "" };

    ck_assert_int_eq(dp_port_add(b.br, &c, NULL, &e), -EINVAL);
    ck_assert_ptr_nonnull(strstr(e.text, "key"));
    ck_assert_int_eq(dp_port_set_peers(b.br, 1, &addr, 1, &e), -EINVAL);
    ck_assert_int_eq(dp_port_set_peers(b.br, 77, &addr, 1, &e), -ENODEV);
    net_port("peers");
    two_peers();
    for (uint32_t i = 0; i <= PEERS_MAX; i++)
        many[i] = be32_from(0x0a000001 + i);
    ck_assert_int_eq(dp_port_set_peers(b.br, 10, many, PEERS_MAX + 1, &e),
                     -ENOSPC);
    ck_assert_uint_eq(peers_seen_now().listed, 2);
    ck_assert_uint_eq(flood_from_vm(), 1 << 2 | 1 << 3);
    bed_expect(&b, 2, &p);
    free(many);
}
END_TEST

/* A port with that very remote and key is another network's. */
START_TEST(test_peers_remote_of_another_port_is_refused)
{
    const struct dp_option o[] = { { "remote", "192.0.2.2" },
                                   { "key", VNI } };
    struct dp_port_config c = { .name = "one", .type = "vxlan",
                                .port_no = 12, .options = o, .n_options = 2 };
    const be32 addr = be32_from(PEER_A);
    struct weft_err e = { "" };

    net_port("peers");
    ck_assert_int_eq(dp_port_add(b.br, &c, NULL, &e), 0);
    ck_assert_int_eq(dp_port_set_peers(b.br, 10, &addr, 1, &e), -EEXIST);
    ck_assert_ptr_nonnull(strstr(e.text, "one"));
    ck_assert_int_eq(dp_port_del(b.br, 12, &e), 0);
    ck_assert_int_eq(dp_port_set_peers(b.br, 10, &addr, 1, &e), 0);
    ck_assert_int_eq(dp_port_add(b.br, &c, NULL, &e), -EEXIST);
}
END_TEST

START_TEST(test_peers_option_changes_live)
{
    const struct dp_option learn = { "remote", "learn" },
                           flow = { "remote", "flow" };
    struct weft_err e = { "" };

    net_port("peers");
    two_peers();
    ck_assert_int_eq(dp_port_set(b.br, 10, &learn, 1, &e), 0);
    frame(PKT_MAC(1), PKT_MAC(7));
    from_remote(STRANGER);
    ck_assert_uint_eq(peers_seen_now().n, 3);
    bed_expect(&b, 1, &p);
    bed_expect(&b, 2, &p);
    ck_assert_int_eq(dp_port_set(b.br, 10, &flow, 1, &e), 0);
    ck_assert_uint_eq(peers_seen_now().n, 0);
    ck_assert_uint_eq(flood_from_vm(), 0);
    ck_assert_uint_eq(bed_drops(&b, DROP_TNL_NO_REMOTE), 1);
    bed_expect(&b, 2, &p);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("peers");
    TCase *t = tcase_create("peers");
    SRunner *r;
    int failed;

    tcase_add_unchecked_fixture(t, eal_up, NULL);
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(
        t, test_peers_unknown_address_goes_to_each_peer_and_port_once);
    tcase_add_test(t, test_peers_address_behind_a_peer_is_learnt_with_it);
    tcase_add_test(t, test_peers_listed_only_drops_others_by_reason);
    tcase_add_test(t, test_peers_sender_is_learnt_and_flooded_to);
    tcase_add_test(t, test_peers_removed_one_is_forgotten_with_its_addresses);
    tcase_add_loop_test(t, test_peers_split_horizon_between_network_ports, 0,
                        2);
    tcase_add_test(t, test_peers_bad_use_is_refused_and_changes_nothing);
    tcase_add_test(t, test_peers_remote_of_another_port_is_refused);
    tcase_add_test(t, test_peers_option_changes_live);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
