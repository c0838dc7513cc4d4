/* SPDX-License-Identifier: Apache-2.0 */
/* The table of learnt addresses by itself. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/mac.h"
#include "weft/be.h"

static struct mac_table *t;
static const struct mac_place at_one = { .port = 1 };

static void
setup(void)
{
    t = mac_create(4, 99); /* 16 places. */
    ck_assert_ptr_nonnull(t);
}

static void
teardown(void)
{
    mac_destroy(t);
}

static void
mac_of(uint32_t i, uint8_t mac[6])
{
    put_be16(mac, 0x0200);
    put_be32(mac + 2, i);
}

static void
learn(uint32_t i, struct mac_place at, uint32_t tick)
{
    uint8_t mac[6];

    mac_of(i, mac);
    mac_learn(t, mac, 0, at, tick);
}

static struct mac_place
lookup(uint32_t i, uint32_t tick)
{
    uint8_t mac[6];

    mac_of(i, mac);
    return mac_lookup(t, mac, 0, tick);
}

static unsigned
n_known(uint32_t n, uint32_t tick)
{
    unsigned known = 0;

    for (uint32_t i = 0; i < n; i++)
        known += lookup(i, tick).port != 0;
    return known;
}

START_TEST(test_mac_port_and_peer_are_told_as_learnt)
{
    static const struct mac_place places[] = {
        { 1, 0 }, { 1, 65535 }, { DP_PORT_MAX, 1 }, { DP_PORT_LOCAL, 0 },
        { DP_PORT_LOCAL, 4096 },
    };

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(places); i++) {
        learn(7, places[i], 5);
        ck_assert_uint_eq(lookup(7, 5).port, places[i].port);
        ck_assert_uint_eq(lookup(7, 5).peer, places[i].peer);
    }
    ck_assert_uint_eq(t->n, 1);
    ck_assert_uint_eq(t->moves, WEFT_ARRAY_LEN(places) - 1);
}
END_TEST

START_TEST(test_mac_refreshed_address_has_not_moved)
{
    for (uint32_t tick = 1; tick < 50; tick++)
        learn(7, at_one, tick);
    ck_assert_uint_eq(t->moves, 0);
}
END_TEST

START_TEST(test_mac_group_address_is_nobodys)
{
    uint8_t mac[6] = { 1, 0, 0x5e, 0, 0, 1 };

    mac_learn(t, mac, 0, at_one, 1);
    ck_assert_uint_eq(t->n, 0);
}
END_TEST

START_TEST(test_mac_address_ages_and_its_place_is_swept)
{
    t->age_ticks = 40;
    learn(7, at_one, 100);
    ck_assert_uint_eq(lookup(7, 140).port, 1);
    ck_assert_uint_eq(lookup(7, 141).port, 0);
    mac_sweep(t, 140, 4);
    ck_assert_uint_eq(t->n, 1);
    for (unsigned i = 0; i < 4; i++) /* A bucket at a time. */
        mac_sweep(t, 141, 1);
    ck_assert_uint_eq(t->n, 0);
}
END_TEST

START_TEST(test_mac_at_the_limit_new_ones_are_refused_and_known_ones_stay)
{
    t->limit = 3;
    for (uint32_t i = 0; i < 3; i++)
        learn(i, at_one, 1);
    ck_assert_uint_eq(t->n, 3);
    for (uint32_t i = 3; i < 100; i++)
        learn(i, at_one, 2);
    ck_assert_uint_eq(t->n, 3);
    ck_assert_uint_eq(t->refused, 97);
    ck_assert_uint_eq(n_known(100, 2), 3);
    learn(1, (struct mac_place) { .port = 2 }, 3); /* Moves still. */
    ck_assert_uint_eq(lookup(1, 3).port, 2);
    mac_flush_port(t, 1);
    ck_assert_uint_eq(t->n, 1);
    learn(50, at_one, 4);
    ck_assert_uint_eq(lookup(50, 4).port, 1);
}
END_TEST

START_TEST(test_mac_full_bucket_gives_up_its_oldest)
{
    for (uint32_t i = 0; i < 1000; i++)
        learn(i, at_one, 1 + i);
    ck_assert_uint_eq(t->n, 16);
    ck_assert_uint_eq(lookup(999, 1000).port, 1);
    ck_assert_uint_eq(t->refused, 0);
}
END_TEST

START_TEST(test_mac_table_grows_with_what_is_in_it_up_to_the_limit)
{
    t->limit = 1000;
    ck_assert_ptr_null(mac_grown(t));
    for (uint32_t i = 0; i < 4000; i++) {
        struct mac_table *g;

        learn(i, at_one, 1);
        g = mac_grown(t);
        if (!g)
            continue;
        ck_assert_uint_eq(g->mask + 1, 2 * (t->mask + 1));
        ck_assert_uint_eq(g->n, t->n);
        mac_destroy(t);
        t = g;
        ck_assert_uint_ge(n_known(i + 1, 1), t->n);
    }
    ck_assert_uint_ge(t->n, 990); /* A bucket or two may be full. */
    ck_assert_uint_le(t->n, 1000);
    ck_assert_uint_le((t->mask + 1) * MAC_WAYS, 8 * t->limit);
    ck_assert_ptr_null(mac_grown(t));
}
END_TEST

static void
count(void *arg, const struct dp_mac_info *info)
{
    (void) info;
    ++*(unsigned *) arg;
}

START_TEST(test_mac_flush_of_a_peer_leaves_the_others)
{
    unsigned n = 0;
    size_t at = 0;

    for (uint32_t i = 0; i < 4; i++) /* They fit even into one bucket. */
        learn(i, (struct mac_place) { .port = 1 + i / 2,
                                      .peer = (uint16_t) (i % 2) }, 1);
    mac_flush_peer(t, 1, 1);
    ck_assert_uint_eq(t->n, 3);
    ck_assert(!mac_dump(t, 1, &at, 1000, count, &n));
    ck_assert_uint_eq(n, 3);
    mac_flush(t);
    ck_assert_uint_eq(t->n, 0);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("mac");
    TCase *tc = tcase_create("mac");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_mac_port_and_peer_are_told_as_learnt);
    tcase_add_test(tc, test_mac_refreshed_address_has_not_moved);
    tcase_add_test(tc, test_mac_group_address_is_nobodys);
    tcase_add_test(tc, test_mac_address_ages_and_its_place_is_swept);
    tcase_add_test(
        tc, test_mac_at_the_limit_new_ones_are_refused_and_known_ones_stay);
    tcase_add_test(tc, test_mac_full_bucket_gives_up_its_oldest);
    tcase_add_test(tc,
                   test_mac_table_grows_with_what_is_in_it_up_to_the_limit);
    tcase_add_test(tc, test_mac_flush_of_a_peer_leaves_the_others);
    suite_add_tcase(s, tc);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
