/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "tunnels", case "underlay_owned": uplinks that Weft owns, frames in
 * and out, with the test as the network. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tunnels/underlay/underlay.h"
#include "utils/base/addr.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"
#include "weft/be.h"

#define SECOND UINT64_C(1000000000)

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t peer_mac[6] = { 2, 0, 0, 0, 0, 2 };
static const uint8_t other_mac[6] = { 2, 0, 0, 0, 0, 3 };
static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t nobody[6];

static struct underlay *u;
static uint64_t now;

/* What the underlay did. */
static uint8_t sent[2048];
static size_t sent_len;
static unsigned n_sent, n_set, n_del, n_addrs;
static struct tnl_nexthop last_set;
static be32 last_remote;

static void
on_set(void *arg, be32 remote, const struct tnl_nexthop *nh)
{
    (void) arg;
    n_set++;
    last_remote = remote;
    last_set = *nh;
}

static void
on_del(void *arg, be32 remote)
{
    (void) arg;
    n_del++;
    last_remote = remote;
}

static void
on_addrs(void *arg, uint32_t uplink, const be32 *addrs, size_t n)
{
    (void) arg;
    (void) addrs;
    ck_assert_uint_eq(uplink, 5);
    n_addrs = (unsigned) n;
}

static void
on_send(void *arg, uint32_t uplink, const uint8_t *data, size_t len)
{
    (void) arg;
    ck_assert_uint_eq(uplink, 5);
    ck_assert_uint_le(len, sizeof sent);
    memcpy(sent, data, len);
    sent_len = len;
    n_sent++;
}

static be32
ip(const char *text)
{
    be32 addr;

    ck_assert_int_eq(base_parse_ipv4(text, &addr), 0);
    return addr;
}

static void
pass(uint64_t ns)
{
    now += ns;
    underlay_tick(u, now);
}

static void
setup(void)
{
    const struct underlay_callbacks cb = {
        .nexthop_set = on_set, .nexthop_del = on_del, .addrs = on_addrs,
        .send = on_send,
    };
    struct weft_err e;

    n_sent = n_set = n_del = n_addrs = 0;
    now = 10000 * SECOND; /* Machines run for longer than any interval. */
    base_clock_fake(&now);
    ck_assert_int_eq(underlay_create(&cb, &u, &e), 0);
    ck_assert_int_eq(underlay_add_owned(u, 5, our_mac, ip("192.0.2.1"), 24,
                                        ip("192.0.2.254"), 1500, &e), 0);
    pass(2 * SECOND); /* Both announcements. */
    n_sent = 0;
}

static void
teardown(void)
{
    underlay_destroy(u);
    base_clock_fake(NULL);
}

/* An ARP frame as RFC 826 draws it. */
static void
arp(uint8_t f[60], uint16_t op, const uint8_t *sha, const char *spa,
    const uint8_t *tha, const char *tpa)
{
    be32 s = ip(spa), t = ip(tpa);

    memset(f, 0, 60);
    memcpy(f, op == 1 ? broadcast : tha, 6);
    memcpy(f + 6, sha, 6);
    put_be16(f + 12, 0x0806);
    put_be16(f + 14, 1);
    put_be16(f + 16, 0x0800);
    f[18] = 6;
    f[19] = 4;
    put_be16(f + 20, op);
    memcpy(f + 22, sha, 6);
    memcpy(f + 28, &s, 4);
    memcpy(f + 32, op == 1 ? nobody : tha, 6);
    memcpy(f + 38, &t, 4);
}

static void
arp_in(uint16_t op, const uint8_t *sha, const char *spa, const uint8_t *tha,
       const char *tpa)
{
    uint8_t f[60];

    arp(f, op, sha, spa, tha, tpa);
    underlay_rx(u, 5, f, sizeof f);
}

static void
assert_sent_request(const char *tpa)
{
    uint8_t f[60];

    arp(f, 1, our_mac, "192.0.2.1", nobody, tpa);
    ck_assert_uint_eq(sent_len, 60);
    ck_assert_mem_eq(sent, f, 60);
}

START_TEST(test_owned_start_announces_the_address_twice)
{
    struct weft_err e;

    underlay_del(u, 5);
    ck_assert_int_eq(underlay_add_owned(u, 5, our_mac, ip("192.0.2.9"), 24, 0,
                                        1500, &e), 0);
    ck_assert_uint_eq(n_addrs, 1);
    ck_assert_uint_eq(n_sent, 1);
    /* RFC 5227 §2.3: sender and target address are the same. */
    ck_assert_mem_eq(sent, broadcast, 6);
    ck_assert_uint_eq(get_be16(sent + 20), 1);
    ck_assert_mem_eq(sent + 28, sent + 38, 4);
    pass(SECOND);
    ck_assert_uint_eq(n_sent, 1);
    pass(SECOND);
    ck_assert_uint_eq(n_sent, 2);
    pass(60 * SECOND);
    ck_assert_uint_eq(n_sent, 2);
}
END_TEST

START_TEST(test_owned_resolve_on_link_asks_and_reports_the_answer)
{
    underlay_resolve(u, ip("192.0.2.2"), 0);
    ck_assert_uint_eq(n_sent, 1);
    assert_sent_request("192.0.2.2");
    ck_assert_uint_eq(n_set, 0);
    arp_in(2, peer_mac, "192.0.2.2", our_mac, "192.0.2.1");
    ck_assert_uint_eq(n_set, 1);
    ck_assert_uint_eq(last_remote, ip("192.0.2.2"));
    ck_assert_uint_eq(last_set.uplink, 5);
    ck_assert_uint_eq(last_set.src, ip("192.0.2.1"));
    ck_assert_uint_eq(last_set.mtu, 1500);
    ck_assert_mem_eq(last_set.src_mac, our_mac, 6);
    ck_assert_mem_eq(last_set.dst_mac, peer_mac, 6);
    underlay_resolve(u, ip("192.0.2.2"), 0); /* Fresh: nothing to do. */
    ck_assert_uint_eq(n_sent, 1);
    ck_assert_uint_eq(n_set, 1);
}
END_TEST

START_TEST(test_owned_resolve_off_link_goes_by_the_gateway)
{
    underlay_resolve(u, ip("198.51.100.7"), 0);
    assert_sent_request("192.0.2.254");
    underlay_resolve(u, ip("198.51.100.8"), 0);
    ck_assert_uint_eq(n_sent, 1); /* One question for both. */
    arp_in(2, peer_mac, "192.0.2.254", our_mac, "192.0.2.1");
    ck_assert_uint_eq(n_set, 2);
    arp_in(2, other_mac, "192.0.2.254", our_mac, "192.0.2.1");
    ck_assert_uint_eq(n_set, 4); /* The gateway has moved. */
    ck_assert_mem_eq(last_set.dst_mac, other_mac, 6);
}
END_TEST

START_TEST(test_owned_without_gateway_only_the_link_is_reachable)
{
    struct weft_err e;

    underlay_del(u, 5);
    ck_assert_int_eq(underlay_add_owned(u, 5, our_mac, ip("192.0.2.1"), 24, 0,
                                        1500, &e), 0);
    n_sent = n_del = 0;
    underlay_resolve(u, ip("198.51.100.7"), 0);
    ck_assert_uint_eq(n_sent, 0);
    ck_assert_uint_eq(n_del, 1);
    underlay_resolve(u, ip("192.0.2.1"), 0); /* Ourselves. */
    ck_assert_uint_eq(n_sent, 0);
    ck_assert_uint_eq(n_del, 2);
    ck_assert_uint_eq(n_set, 0);
}
END_TEST

START_TEST(test_owned_silence_is_reported_after_three_tries_and_asked_again)
{
    underlay_resolve(u, ip("192.0.2.2"), 0);
    for (unsigned i = 0; i < 2; i++) {
        underlay_resolve(u, ip("192.0.2.2"), 0); /* No faster for that. */
        pass(SECOND);
    }
    ck_assert_uint_eq(n_sent, 3);
    ck_assert_uint_eq(n_set, 0);
    pass(SECOND);
    ck_assert_uint_eq(n_sent, 3);
    ck_assert_uint_eq(n_set, 1);
    ck_assert_mem_eq(last_set.dst_mac, nobody, 6);
    pass(10 * SECOND);
    ck_assert_uint_eq(n_sent, 3); /* Nobody uses it. */
    underlay_resolve(u, ip("192.0.2.2"), 0);
    ck_assert_uint_eq(n_sent, 4);
    arp_in(2, peer_mac, "192.0.2.2", our_mac, "192.0.2.1");
    ck_assert_mem_eq(last_set.dst_mac, peer_mac, 6);
}
END_TEST

START_TEST(test_owned_used_neighbour_is_confirmed_by_unicast)
{
    underlay_resolve(u, ip("192.0.2.2"), 0);
    arp_in(2, peer_mac, "192.0.2.2", our_mac, "192.0.2.1");
    n_sent = 0;
    pass(30 * SECOND);
    ck_assert_uint_eq(n_sent, 0); /* Unused: let it be. */
    underlay_resolve(u, ip("192.0.2.2"), 0);
    ck_assert_uint_eq(n_sent, 1);
    ck_assert_mem_eq(sent, peer_mac, 6);
    arp_in(2, peer_mac, "192.0.2.2", our_mac, "192.0.2.1");
    ck_assert_uint_eq(n_set, 1); /* Nothing new to tell. */
    pass(30 * SECOND);
    underlay_resolve(u, ip("192.0.2.2"), 0);
    for (unsigned i = 0; i < 3; i++)
        pass(SECOND);
    ck_assert_uint_eq(n_set, 2); /* Gone. */
    ck_assert_mem_eq(last_set.dst_mac, nobody, 6);
}
END_TEST

START_TEST(test_owned_requests_for_our_address_are_answered)
{
    uint8_t f[60];

    arp_in(1, peer_mac, "192.0.2.2", nobody, "192.0.2.1");
    arp(f, 2, our_mac, "192.0.2.1", peer_mac, "192.0.2.2");
    ck_assert_uint_eq(n_sent, 1);
    ck_assert_mem_eq(sent, f, 60);
    arp_in(1, peer_mac, "192.0.2.2", nobody, "192.0.2.3"); /* Not ours. */
    ck_assert_uint_eq(n_sent, 1);
    arp_in(1, peer_mac, "0.0.0.0", nobody, "192.0.2.1"); /* RFC 5227 probe. */
    ck_assert_uint_eq(n_sent, 2);
    ck_assert_uint_eq(n_set, 0); /* Askers are no next hops. */
}
END_TEST

START_TEST(test_owned_announcement_of_a_wanted_neighbour_is_learned)
{
    underlay_resolve(u, ip("192.0.2.2"), 0);
    arp_in(1, peer_mac, "192.0.2.2", nobody, "192.0.2.2"); /* Gratuitous. */
    ck_assert_uint_eq(n_set, 1);
    ck_assert_mem_eq(last_set.dst_mac, peer_mac, 6);
}
END_TEST

START_TEST(test_owned_second_user_of_our_address_is_answered_sparingly)
{
    for (unsigned i = 0; i < 5; i++) {
        arp_in(1, other_mac, "192.0.2.1", nobody, "192.0.2.1");
        pass(SECOND);
    }
    ck_assert_uint_eq(n_sent, 1); /* RFC 5227 §2.4: one defence per 10 s. */
    ck_assert_mem_eq(sent + 22, our_mac, 6);
    pass(6 * SECOND);
    arp_in(1, other_mac, "192.0.2.1", nobody, "192.0.2.1");
    ck_assert_uint_eq(n_sent, 2);
}
END_TEST

START_TEST(test_owned_malformed_arp_is_ignored_at_every_length)
{
    uint8_t f[60];

    for (size_t len = 0; len < 42; len++) {
        arp(f, 1, peer_mac, "192.0.2.2", nobody, "192.0.2.1");
        uint8_t *exact = base_xmalloc(len ? len : 1);
        memcpy(exact, f, len);
        underlay_rx(u, 5, exact, len);
        free(exact);
    }
    for (size_t at = 14; at < 20; at++) { /* Types and lengths. */
        arp(f, 1, peer_mac, "192.0.2.2", nobody, "192.0.2.1");
        f[at] ^= 1;
        underlay_rx(u, 5, f, sizeof f);
    }
    arp_in(1, broadcast, "192.0.2.2", nobody, "192.0.2.1");
    arp_in(1, our_mac, "192.0.2.2", nobody, "192.0.2.1");
    ck_assert_uint_eq(n_sent, 0);
    underlay_rx(u, 6, f, sizeof f); /* No such uplink. */
}
END_TEST

/* ------------------------------------------------------------------ ICMP */

/* ping -c 1 -s 4 192.0.2.1 from 192.0.2.2, made by scapy 2.5: Ether(
 * dst="02:00:00:00:00:01", src="02:00:00:00:00:02")/IP(src="192.0.2.2",
 * dst="192.0.2.1", id=1)/ICMP(id=0x1234, seq=1)/b"weft". */
static const uint8_t echo[46] = {
    0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x02,
    0x08, 0x00, 0x45, 0x00, 0x00, 0x20, 0x00, 0x01, 0x00, 0x00, 0x40, 0x01,
    0xf6, 0xd8, 0xc0, 0x00, 0x02, 0x02, 0xc0, 0x00, 0x02, 0x01, 0x08, 0x00,
    0x07, 0xf1, 0x12, 0x34, 0x00, 0x01, 0x77, 0x65, 0x66, 0x74,
};

static uint16_t
sum_of(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? p[i] : (uint32_t) p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) sum;
}

START_TEST(test_owned_echo_request_is_answered)
{
    underlay_rx(u, 5, echo, sizeof echo);
    ck_assert_uint_eq(n_sent, 1);
    ck_assert_uint_eq(sent_len, 60);
    ck_assert_mem_eq(sent, peer_mac, 6);
    ck_assert_mem_eq(sent + 6, our_mac, 6);
    ck_assert_uint_eq(get_be16(sent + 16), 32);
    ck_assert_uint_eq(sum_of(sent + 14, 20), 0xffff);
    ck_assert_mem_eq(sent + 26, echo + 30, 4);
    ck_assert_mem_eq(sent + 30, echo + 26, 4);
    ck_assert_uint_eq(sent[34], 0); /* RFC 792: echo reply. */
    ck_assert_uint_eq(sum_of(sent + 34, 12), 0xffff);
    ck_assert_mem_eq(sent + 38, echo + 38, 8);
}
END_TEST

START_TEST(test_owned_spoilt_echo_requests_are_ignored)
{
    uint8_t f[sizeof echo];

    for (size_t len = 0; len < sizeof echo; len++) {
        uint8_t *exact = base_xmalloc(len ? len : 1);
        memcpy(exact, echo, len);
        underlay_rx(u, 5, exact, len);
        free(exact);
    }
    for (size_t at = 14; at < sizeof echo; at++) { /* Checksums tell. */
        memcpy(f, echo, sizeof f);
        f[at] ^= 0x40;
        underlay_rx(u, 5, f, sizeof f);
    }
    memcpy(f, echo, sizeof f);
    memcpy(f, broadcast, 6); /* RFC 1122 §3.2.2.6. */
    underlay_rx(u, 5, f, sizeof f);
    ck_assert_uint_eq(n_sent, 0);
}
END_TEST

/* --------------------------------------------------------------- the rest */

START_TEST(test_owned_uplink_that_goes_takes_its_next_hops_along)
{
    struct weft_err e;

    underlay_resolve(u, ip("192.0.2.2"), 0);
    underlay_resolve(u, ip("198.51.100.7"), 0);
    arp_in(2, peer_mac, "192.0.2.2", our_mac, "192.0.2.1");
    arp_in(2, peer_mac, "192.0.2.254", our_mac, "192.0.2.1");
    underlay_del(u, 5);
    ck_assert_uint_eq(n_del, 2);
    ck_assert_uint_eq(n_addrs, 0);
    underlay_rx(u, 5, echo, sizeof echo);
    /* And gives them back when it returns. */
    n_sent = 0;
    ck_assert_int_eq(underlay_add_owned(u, 5, our_mac, ip("192.0.2.1"), 24, 0,
                                        1400, &e), 0);
    arp_in(2, peer_mac, "192.0.2.2", our_mac, "192.0.2.1");
    ck_assert_uint_eq(last_set.mtu, 1400);
    ck_assert_uint_eq(last_remote, ip("192.0.2.2"));
}
END_TEST

START_TEST(test_owned_wrong_parameters_are_refused_with_the_reason)
{
    struct weft_err e;

    ck_assert_int_eq(underlay_add_owned(u, 5, our_mac, ip("192.0.2.9"), 24, 0,
                                        1500, &e), -EEXIST);
    ck_assert_int_eq(underlay_add_owned(u, 6, our_mac, ip("192.0.2.9"), 33, 0,
                                        1500, &e), -EINVAL);
    ck_assert_ptr_nonnull(strstr(e.text, "192.0.2.9/33"));
    ck_assert_int_eq(underlay_add_owned(u, 6, our_mac, ip("192.0.2.9"), 24,
                                        ip("192.0.3.1"), 1500, &e), -EINVAL);
    ck_assert_ptr_nonnull(strstr(e.text, "gateway 192.0.3.1"));
}
END_TEST

struct seen {
    unsigned reachable, resolving, silent, lost;
};

static void
on_info(void *arg, const struct underlay_info *i)
{
    struct seen *s = arg;

    s->reachable += !strcmp(i->state, "reachable");
    s->resolving += !strcmp(i->state, "resolving");
    s->silent += !strcmp(i->state, "no answer");
    s->lost += !strcmp(i->state, "no route");
}

START_TEST(test_owned_foreach_tells_the_state_of_each_remote)
{
    struct seen s = { 0, 0, 0, 0 };

    underlay_resolve(u, ip("192.0.2.2"), 0);
    arp_in(2, peer_mac, "192.0.2.2", our_mac, "192.0.2.1");
    underlay_resolve(u, ip("192.0.2.3"), 0);
    for (unsigned i = 0; i < 3; i++)
        pass(SECOND);
    underlay_resolve(u, ip("192.0.2.4"), 0);
    underlay_resolve(u, ip("192.0.2.1"), 0);
    underlay_foreach(u, on_info, &s);
    ck_assert_uint_eq(s.reachable, 1);
    ck_assert_uint_eq(s.silent, 1);
    ck_assert_uint_eq(s.resolving, 1);
    ck_assert_uint_eq(s.lost, 1);
}
END_TEST

START_TEST(test_owned_remote_that_nobody_wants_is_forgotten_after_an_hour)
{
    struct seen s = { 0, 0, 0, 0 };

    underlay_resolve(u, ip("192.0.2.2"), 0);
    arp_in(2, peer_mac, "192.0.2.2", our_mac, "192.0.2.1");
    pass(3600 * SECOND);
    ck_assert_uint_eq(n_del, 0);
    pass(SECOND);
    ck_assert_uint_eq(n_del, 1);
    underlay_foreach(u, on_info, &s);
    ck_assert_uint_eq(s.reachable + s.resolving + s.silent + s.lost, 0);
}
END_TEST

START_TEST(test_owned_remote_asked_for_before_the_first_tick_is_kept)
{
    struct underlay_callbacks cb = { .nexthop_set = on_set,
                                     .nexthop_del = on_del,
                                     .addrs = on_addrs, .send = on_send };
    struct weft_err e;

    underlay_destroy(u);
    ck_assert_int_eq(underlay_create(&cb, &u, &e), 0);
    ck_assert_int_eq(underlay_add_owned(u, 5, our_mac, ip("192.0.2.1"), 24, 0,
                                        1500, &e), 0);
    underlay_resolve(u, ip("192.0.2.2"), 0);
    arp_in(2, peer_mac, "192.0.2.2", our_mac, "192.0.2.1");
    pass(SECOND / 10);
    ck_assert_uint_eq(n_set, 1);
    ck_assert_uint_eq(n_del, 0);
}
END_TEST

START_TEST(test_owned_flood_of_remotes_ends_at_the_limit)
{
    struct seen s = { 0, 0, 0, 0 };

    for (uint32_t i = 0; i < 70000; i++)
        underlay_resolve(u, be32_from(0x0a000001 + i), 0);
    underlay_foreach(u, on_info, &s);
    ck_assert_uint_eq(s.resolving, 65536);
    ck_assert_uint_eq(n_sent, 1); /* All behind one gateway. */
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("tunnels");
    TCase *tc = tcase_create("underlay_owned");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_owned_start_announces_the_address_twice);
    tcase_add_test(tc, test_owned_resolve_on_link_asks_and_reports_the_answer);
    tcase_add_test(tc, test_owned_resolve_off_link_goes_by_the_gateway);
    tcase_add_test(tc, test_owned_without_gateway_only_the_link_is_reachable);
    tcase_add_test(
        tc, test_owned_silence_is_reported_after_three_tries_and_asked_again);
    tcase_add_test(tc, test_owned_used_neighbour_is_confirmed_by_unicast);
    tcase_add_test(tc, test_owned_requests_for_our_address_are_answered);
    tcase_add_test(tc,
                   test_owned_announcement_of_a_wanted_neighbour_is_learned);
    tcase_add_test(
        tc, test_owned_second_user_of_our_address_is_answered_sparingly);
    tcase_add_test(tc, test_owned_malformed_arp_is_ignored_at_every_length);
    tcase_add_test(tc, test_owned_echo_request_is_answered);
    tcase_add_test(tc, test_owned_spoilt_echo_requests_are_ignored);
    tcase_add_test(tc, test_owned_uplink_that_goes_takes_its_next_hops_along);
    tcase_add_test(tc, test_owned_wrong_parameters_are_refused_with_the_reason);
    tcase_add_test(tc, test_owned_foreach_tells_the_state_of_each_remote);
    tcase_add_test(
        tc, test_owned_remote_that_nobody_wants_is_forgotten_after_an_hour);
    tcase_add_test(
        tc, test_owned_remote_asked_for_before_the_first_tick_is_kept);
    tcase_add_test(tc, test_owned_flood_of_remotes_ends_at_the_limit);
    suite_add_tcase(s, tc);

    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
