/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "datapath": flow cache. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/cache.h"
#include "utils/base/mem.h"

/* Flow i; every word that a packet can fill depends on it. */
static struct flow_key
key_of(uint32_t i)
{
    struct flow_key k;

    memset(&k, 0, sizeof k);
    for (unsigned w = 0; w < FLOW_KEY_PACKET_WORDS; w++)
        flow_key_set_word(&k, w, i * UINT64_C(0x9e3779b97f4a7c15) + w);
    k.ip_src = be32_from(i);
    return k;
}

/* Ports, protocol and addresses of IPv4: 3 words. */
static struct flow_key
mask_ipv4(void)
{
    return (struct flow_key) { .eth_type = UINT16_MAX,
                               .ip_proto = UINT8_MAX,
                               .ip_src = UINT32_MAX,
                               .ip_dst = UINT32_MAX,
                               .tp_src = UINT16_MAX,
                               .tp_dst = UINT16_MAX };
}

/* A program's address stands for the flow; nobody follows it here. */
static const struct prog *
prog_of(uint32_t i)
{
    return (const struct prog *) (uintptr_t) ((i + 1) * UINT64_C(16));
}

/* One burst of flows ids[0..n-1]: hits must give the flow's program, misses
 * are inserted.  Returns the number of hits. */
static unsigned
burst(struct fc *c, const uint32_t ids[], unsigned n)
{
    struct flow_key keys[FC_BURST_MAX];
    const struct flow_key *ptr[FC_BURST_MAX] = { NULL };
    struct fc_ref refs[FC_BURST_MAX];
    unsigned hits = 0;

    for (unsigned i = 0; i < n; i++) {
        keys[i] = key_of(ids[i]);
        ptr[i] = &keys[i];
    }
    fc_lookup_burst(c, ptr, n, refs);
    for (unsigned i = 0; i < n; i++)
        if (!refs[i].entry)
            fc_insert(c, &refs[i], prog_of(ids[i]), 7);
    for (unsigned i = 0; i < n; i++)
        if (refs[i].entry) { /* After the insertions: still its own. */
            ck_assert_ptr_eq(fc_entry_prog(refs[i].entry), prog_of(ids[i]));
            ck_assert_uint_eq(fc_entry_stamp(refs[i].entry), 7);
            hits++;
        }
    return hits;
}

/* Flows from..from+n-1 once each, in bursts. */
static unsigned
cycle(struct fc *c, uint32_t from, uint32_t n)
{
    uint32_t ids[FC_BURST_MAX];
    unsigned hits = 0, k = 0;

    for (uint32_t i = 0; i < n; i++) {
        ids[k++] = from + i;
        if (k == FC_BURST_MAX || i == n - 1) {
            hits += burst(c, ids, k);
            k = 0;
        }
    }
    return hits;
}

static struct fc *
cache(uint32_t capacity)
{
    struct flow_key mask = mask_ipv4();
    struct fc *c = fc_create(&mask, capacity, 12345);

    ck_assert_ptr_nonnull(c);
    return c;
}

static struct dp_cache_stats
stats(const struct fc *c)
{
    struct dp_cache_stats s;

    fc_get_stats(c, &s);
    return s;
}

START_TEST(test_cache_flow_is_admitted_at_its_second_sighting)
{
    struct fc *c = cache(4096);

    ck_assert_uint_eq(cycle(c, 5, 1), 0);
    ck_assert_uint_eq(stats(c).entries, 0);
    ck_assert_uint_eq(cycle(c, 5, 1), 0);
    ck_assert_uint_eq(stats(c).entries, 1);
    ck_assert_uint_eq(cycle(c, 5, 1), 1);
    ck_assert_uint_eq(stats(c).hits, 1);
    ck_assert_uint_eq(stats(c).misses, 2);
    fc_destroy(c);
}
END_TEST

START_TEST(test_cache_equal_misses_of_one_burst_make_one_entry)
{
    struct fc *c = cache(4096);
    uint32_t ids[FC_BURST_MAX] = { 0 };

    burst(c, ids, FC_BURST_MAX);
    ck_assert_uint_eq(stats(c).entries, 1);
    ck_assert_uint_eq(stats(c).inserts, 1);
    ck_assert_uint_eq(burst(c, ids, FC_BURST_MAX), FC_BURST_MAX);
    fc_destroy(c);
}
END_TEST

START_TEST(test_cache_every_key_width_compares_all_its_words)
{
    struct flow_key mask = { 0 }, other;
    const struct flow_key *ptr = &other;
    struct fc_ref ref;
    struct fc *c;
    unsigned words = (unsigned) _i;

    for (unsigned w = 0; w < words; w++)
        flow_key_set_word(&mask, FLOW_KEY_PACKET_WORDS - 1 - w, UINT64_MAX);
    c = fc_create(&mask, 64, 1);
    ck_assert_ptr_nonnull(c);
    cycle(c, 3, 1);
    cycle(c, 3, 1);
    ck_assert_uint_eq(cycle(c, 3, 1), 1);
    for (unsigned bit = 0; bit < 64 * FLOW_KEY_WORDS; bit++) {
        unsigned w = bit / 64;
        bool in = w < FLOW_KEY_PACKET_WORDS
                  && w >= FLOW_KEY_PACKET_WORDS - words;

        other = key_of(3);
        flow_key_set_word(&other, w,
                          flow_key_word(&other, w)
                              ^ UINT64_C(1) << bit % 64);
        fc_lookup_burst(c, &ptr, 1, &ref);
        ck_assert_int_eq(ref.entry == NULL, in);
    }
    fc_destroy(c);
}
END_TEST

START_TEST(test_cache_as_many_flows_as_capacity_nearly_all_hit)
{
    uint32_t n = _i ? 1u << 16 : 4096;
    struct fc *c = cache(n);

    for (unsigned i = 0; i < 4; i++)
        cycle(c, 0, n);
    ck_assert_uint_ge(cycle(c, 0, n), n - n / 200);
    ck_assert_uint_le(stats(c).entries, n);
    ck_assert_uint_le(stats(c).evictions, n / 100);
    fc_destroy(c);
}
END_TEST

START_TEST(test_cache_more_flows_than_capacity_never_mixes_them_up)
{
    static const uint32_t capacities[] = { 16, 32, 256, 4096 };
    struct fc *c = cache(capacities[_i]);
    uint64_t rng = 17;
    unsigned hits = 0;

    for (unsigned i = 0; i < 5000; i++) {
        uint32_t ids[FC_BURST_MAX];

        /* A few popular flows among many. */
        for (unsigned k = 0; k < FC_BURST_MAX; k++) {
            rng = rng * UINT64_C(6364136223846793005)
                  + UINT64_C(1442695040888963407);
            ids[k] = (uint32_t) (rng >> 33)
                     % (rng >> 63 ? capacities[_i] / 4
                                  : capacities[_i] * 8);
        }
        hits += burst(c, ids, FC_BURST_MAX); /* Checks the programs. */
    }
    ck_assert_uint_le(stats(c).entries, capacities[_i]);
    ck_assert_uint_gt(stats(c).evictions, 0);
    ck_assert_uint_gt(hits, 5000u * FC_BURST_MAX / 3);
    fc_destroy(c);
}
END_TEST

START_TEST(test_cache_scan_of_new_flows_leaves_old_ones_and_does_not_grow)
{
    struct fc *c = cache(4096);
    uint32_t fresh = 1000000;
    unsigned hits = 0;

    for (unsigned i = 0; i < 4; i++)
        cycle(c, 0, 2000);
    for (unsigned i = 0; i < 150; i++) { /* Half and half, 600k packets. */
        cycle(c, fresh, 2000);
        fresh += 2000;
        hits += cycle(c, 0, 2000);
    }
    ck_assert_uint_ge(hits, 150u * 2000 / 100 * 97);
    ck_assert(!fc_wants_growth(c));
    fc_destroy(c);
}
END_TEST

START_TEST(test_cache_flows_that_come_back_ask_for_growth)
{
    static const uint32_t flows[] = { 10000, 300000 };
    uint32_t n = flows[_i];
    struct fc *c = cache(4096);
    unsigned rounds = 0;

    while (!fc_wants_growth(c) && rounds++ < 12)
        cycle(c, 0, n);
    ck_assert(fc_wants_growth(c));
    fc_destroy(c);

    c = cache(16384);
    for (unsigned i = 0; i < 12; i++)
        cycle(c, 0, 9000);
    ck_assert(!fc_wants_growth(c));
    ck_assert_uint_eq(cycle(c, 0, 9000), 9000);
    fc_destroy(c);
}
END_TEST

START_TEST(test_cache_is_as_small_as_promised)
{
    struct fc *c = cache(4096);

    ck_assert_uint_le(stats(c).memory, 400 * 1024);
    ck_assert_uint_eq(stats(c).capacity, 4096);
    fc_destroy(c);
    c = cache(1000000);
    ck_assert_uint_le(stats(c).memory, 80 * 1000 * 1000);
    ck_assert_uint_eq(stats(c).capacity, 1u << 20);
    fc_destroy(c);
}
END_TEST

START_TEST(test_cache_proved_entry_has_the_new_program)
{
    struct fc *c = cache(64);
    struct flow_key k = key_of(9);
    const struct flow_key *ptr = &k;
    struct fc_ref ref;

    cycle(c, 9, 1);
    cycle(c, 9, 1);
    fc_lookup_burst(c, &ptr, 1, &ref);
    fc_entry_prove(ref.entry, prog_of(77), 8);
    fc_lookup_burst(c, &ptr, 1, &ref);
    ck_assert_ptr_eq(fc_entry_prog(ref.entry), prog_of(77));
    ck_assert_uint_eq(fc_entry_stamp(ref.entry), 8);
    fc_destroy(c);
}
END_TEST

struct dumped {
    unsigned n;
    uint64_t packets;
};

static void
dump_cb(void *arg, const struct flow_key *key, const struct prog *prog,
        uint32_t stamp, uint64_t packets)
{
    struct dumped *d = arg;
    uint32_t id = be32_to(key->ip_src);
    struct flow_key want = key_of(id), mask = mask_ipv4();

    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
        ck_assert_uint_eq(flow_key_word(key, i),
                          flow_key_word(&want, i) & flow_key_word(&mask, i));
    ck_assert_ptr_eq(prog, prog_of(id));
    ck_assert_uint_eq(stamp, 7);
    d->n++;
    d->packets += packets;
}

START_TEST(test_cache_dump_shows_every_entry_with_its_packets)
{
    struct fc *c = cache(1024);
    struct dumped d = { 0 };
    struct flow_key mask, want = mask_ipv4();

    for (unsigned i = 0; i < 5; i++)
        cycle(c, 0, 300);
    uint32_t at = 0, seen = 0;
    unsigned steps = 1;
    while (fc_dump(c, &at, &seen, 7, dump_cb, &d))
        steps++;
    ck_assert_uint_ge(steps, 300 / 7);
    ck_assert_uint_eq(d.n, 300);
    ck_assert_uint_eq(d.packets, 4 * 300); /* All but the first sightings. */
    fc_get_mask(c, &mask);
    ck_assert_mem_eq(&mask, &want, sizeof mask);
    fc_destroy(c);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("datapath");
    TCase *tc = tcase_create("cache");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, test_cache_flow_is_admitted_at_its_second_sighting);
    tcase_add_test(tc, test_cache_equal_misses_of_one_burst_make_one_entry);
    tcase_add_loop_test(tc, test_cache_every_key_width_compares_all_its_words,
                        0, FC_MAX_WORDS + 1);
    tcase_add_loop_test(
        tc, test_cache_as_many_flows_as_capacity_nearly_all_hit, 0, 2);
    tcase_add_loop_test(
        tc, test_cache_more_flows_than_capacity_never_mixes_them_up, 0, 4);
    tcase_add_test(
        tc, test_cache_scan_of_new_flows_leaves_old_ones_and_does_not_grow);
    tcase_add_loop_test(tc, test_cache_flows_that_come_back_ask_for_growth, 0,
                        2);
    tcase_add_test(tc, test_cache_is_as_small_as_promised);
    tcase_add_test(tc, test_cache_proved_entry_has_the_new_program);
    tcase_add_test(tc, test_cache_dump_shows_every_entry_with_its_packets);
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
