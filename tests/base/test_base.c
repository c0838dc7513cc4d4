/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "base": strings, maps, lists, addresses, field access. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "utils/base/addr.h"
#include "utils/base/hmap.h"
#include "utils/base/list.h"
#include "utils/base/mem.h"
#include "utils/base/slab.h"
#include "utils/base/str.h"
#include "weft/flow_match.h"

START_TEST(test_str_appends_and_grows)
{
    struct base_str s = BASE_STR_INIT;

    ck_assert_str_eq(base_str_cstr(&s), "");
    for (int i = 0; i < 1000; i++)
        base_str_addf(&s, "%d,", i % 10);
    base_str_chomp(&s, ',');
    ck_assert_uint_eq(s.len, 1999);
    ck_assert_int_eq(s.buf[1998], '9');
    base_str_fini(&s);
}
END_TEST

struct item {
    struct base_hnode node;
    unsigned key;
};

START_TEST(test_hmap_finds_what_was_added_and_not_what_was_deleted)
{
    struct base_hmap m;
    struct item items[500];

    base_hmap_init(&m);
    for (unsigned i = 0; i < 500; i++) {
        items[i].key = i;
        base_hmap_add(&m, &items[i].node, base_hash_bytes(&i, sizeof i, 7));
    }
    for (unsigned i = 0; i < 500; i += 2)
        base_hmap_del(&m, &items[i].node);
    for (unsigned i = 0; i < 500; i++) {
        struct base_hnode *n = base_hmap_first(
            &m, base_hash_bytes(&i, sizeof i, 7));
        while (n && WEFT_CONTAINER_OF(n, struct item, node)->key != i)
            n = base_hmap_next_same(n);
        ck_assert_int_eq(n != NULL, i % 2);
    }
    ck_assert_uint_eq(m.n, 250);
    base_hmap_fini(&m);
}
END_TEST

/* Enough for several chunks, so that some get empty and go. */
START_TEST(test_slab_objects_keep_their_bytes_whatever_comes_and_goes)
{
    enum { N = 12000, SIZE = 440 };
    static unsigned char *p[N];
    struct base_slab s;
    unsigned seed = 3;

    base_slab_init(&s, SIZE);
    for (unsigned step = 0; step < 6 * N; step++) {
        unsigned i = (unsigned) rand_r(&seed) % N;
        bool shrink = step / N % 2; /* Few live at the end of these. */

        if (p[i]) {
            for (unsigned k = 0; k < SIZE; k += 73)
                ck_assert_uint_eq(p[i][k], i % 251);
            base_slab_put(p[i]);
            p[i] = NULL;
        } else if (!shrink || i < N / 8) {
            p[i] = base_slab_get(&s);
            ck_assert_uint_eq((uintptr_t) p[i] % 8, 0);
            memset(p[i], (int) (i % 251), SIZE);
        }
        ck_assert_uint_ge(base_slab_bytes(&s), s.n_used * SIZE);
    }
    for (unsigned i = 0; i < N; i++) {
        base_slab_put(p[i]);
        p[i] = NULL;
    }
    ck_assert_uint_eq(s.n_used, 0);
    ck_assert_uint_le(base_slab_bytes(&s), BASE_SLAB_CHUNK);
    for (unsigned i = 0; i < 3 * BASE_SLAB_CHUNK / SIZE; i++)
        ck_assert_ptr_nonnull(base_slab_get(&s));
    ck_assert(base_slab_drain(&s, 1));
    base_slab_fini(&s);
    ck_assert_uint_eq(base_slab_bytes(&s), 0);
}
END_TEST

START_TEST(test_parse_refuses_trailing_text_and_range)
{
    uint64_t v = 1;
    uint8_t mac[6];
    uint32_t ip;

    ck_assert_int_eq(base_parse_u64("12x", 100, &v), -EINVAL);
    ck_assert_int_eq(base_parse_u64("", 100, &v), -EINVAL);
    ck_assert_int_eq(base_parse_u64("-1", 100, &v), -EINVAL);
    ck_assert_int_eq(base_parse_u64("101", 100, &v), -ERANGE);
    ck_assert_int_eq(base_parse_u64("99999999999999999999", UINT64_MAX, &v),
                     -ERANGE);
    ck_assert_uint_eq(v, 1);
    ck_assert_int_eq(base_parse_u64("0x64", 100, &v), 0);
    ck_assert_uint_eq(v, 100);
    ck_assert_int_eq(base_parse_mac("02:00:00:00:00:01", mac), 0);
    ck_assert_int_eq(base_parse_mac("02:00:00:00:00:01:", mac), -EINVAL);
    ck_assert_int_eq(base_parse_mac("02:00:00:00:00", mac), -EINVAL);
    ck_assert_int_eq(base_parse_ipv4("192.0.2.256", &ip), -EINVAL);
}
END_TEST

/* Every field, set through its accessor, reads back and touches no other
 * bit than its own. */
START_TEST(test_flow_field_round_trips)
{
    const struct flow_field *f = &flow_fields[_i];
    uint8_t ones[16], v[16];
    struct flow_key k;

    memset(&k, 0, sizeof k);
    memset(ones, 0xff, sizeof ones);
    flow_field_set_masked(&k, f, ones, ones);

    unsigned bits = 0;
    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
        bits += (unsigned) __builtin_popcountll(flow_key_word(&k, i));
    ck_assert_uint_eq(bits, f->bits);

    flow_field_get(&k, f, v);
    for (unsigned b = 0; b < 128; b++)
        ck_assert_int_eq(v[15 - b / 8] >> b % 8 & 1, b < f->bits);
}
END_TEST

START_TEST(test_flow_match_within_and_overlap)
{
    struct flow_match a, b;

    memset(&a, 0, sizeof a);
    b = a;
    a.mask.ip_dst = be32_from(0xffffff00);
    a.key.ip_dst = be32_from(0x0a000100);
    b.mask.ip_dst = be32_from(0xffff0000);
    b.key.ip_dst = be32_from(0x0a000000);
    ck_assert(flow_match_within(&a, &b));
    ck_assert(!flow_match_within(&b, &a));
    ck_assert(flow_match_overlaps(&a, &b));
    b.key.ip_dst = be32_from(0x0a010000);
    ck_assert(!flow_match_overlaps(&a, &b));
    b.mask.ip_dst = b.key.ip_dst = 0;
    b.mask.eth_type = 0xffff;
    ck_assert(flow_match_overlaps(&a, &b));
}
END_TEST

struct item_l {
    struct base_list node;
    int v;
};

START_TEST(test_list_survives_deletion_while_walking)
{
    struct base_list head;
    struct item_l e[5], *it, *tmp;
    int sum = 0;

    base_list_init(&head);
    for (int i = 0; i < 5; i++) {
        e[i].v = i;
        base_list_add_tail(&head, &e[i].node);
    }
    BASE_LIST_FOR_SAFE (it, tmp, &head, node)
        if (it->v % 2)
            base_list_del(&it->node);
    BASE_LIST_FOR (it, &head, node)
        sum = sum * 10 + it->v;
    ck_assert_int_eq(sum, 24);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("base");
    TCase *tc = tcase_create("base");

    tcase_add_test(tc, test_str_appends_and_grows);
    tcase_add_test(tc, test_hmap_finds_what_was_added_and_not_what_was_deleted);
    tcase_add_test(tc,
                   test_slab_objects_keep_their_bytes_whatever_comes_and_goes);
    tcase_add_test(tc, test_parse_refuses_trailing_text_and_range);
    tcase_add_loop_test(tc, test_flow_field_round_trips, 0, N_FLOW_FIELDS);
    tcase_add_test(tc, test_flow_match_within_and_overlap);
    tcase_add_test(tc, test_list_survives_deletion_while_walking);
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
