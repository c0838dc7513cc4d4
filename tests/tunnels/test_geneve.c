/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "tunnels", case "geneve": RFC 8926. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tunnels/geneve/geneve.h"

#define OPTIONS_MAX 252 /* 63 words. */

struct packet {
    uint8_t b[16 + OPTIONS_MAX + 14];
    size_t len;
};

/* UDP, Geneve with 'words' words of options (zero) and an inner Ethernet
 * header; layout of RFC 8926 §3.1. */
static void
make(struct packet *p, unsigned words, uint8_t flags, uint32_t vni)
{
    memset(p, 0, sizeof *p);
    put_be16(p->b, 50000);
    put_be16(p->b + 2, 6081);
    p->b[8] = (uint8_t) words;
    p->b[9] = flags;
    put_be16(p->b + 10, 0x6558);
    put_be24(p->b + 12, vni);
    p->len = 16 + 4 * words + 14;
    put_be16(p->b + 4, (uint16_t) p->len);
}

/* An option of 'words' words of data at 'at'; the offset behind it. */
static size_t
option(struct packet *p, size_t at, uint8_t type, unsigned words)
{
    put_be16(p->b + at, 0x0102);
    p->b[at + 2] = type;
    p->b[at + 3] = (uint8_t) words;
    return at + 4 + 4 * words;
}

/* In memory of exactly that size, so that a sanitizer sees one byte more. */
static enum tnl_verdict
decap(const struct packet *p, size_t len, struct tnl_meta *m)
{
    uint8_t *copy = malloc(len + !len);
    enum tnl_verdict v;

    memcpy(copy, p->b, len);
    v = geneve_decap(copy, len, m);
    free(copy);
    return v;
}

START_TEST(test_geneve_decap_options_are_skipped_and_reserved_bits_ignored)
{
    struct packet p;
    struct tnl_meta m;

    for (unsigned words = 0; words < 64; words++) {
        make(&p, words, 0x3f, 0xabcdef);
        p.b[15] = 0xff;
        memset(p.b + 16, 0xff, 4 * words); /* Nobody has to look. */
        ck_assert_int_eq(decap(&p, p.len, &m), TNL_OK);
        ck_assert_uint_eq(m.key, 0xabcdef);
        ck_assert_uint_eq(m.hlen, 16 + 4 * words);
    }
}
END_TEST

START_TEST(test_geneve_decap_other_version_or_control_packet_is_refused)
{
    struct packet p;
    struct tnl_meta m;

    for (unsigned version = 0; version < 4; version++)
        for (unsigned o = 0; o < 2; o++) {
            make(&p, 0, o ? 0x80 : 0, 1);
            p.b[8] |= (uint8_t) (version << 6);
            ck_assert_int_eq(decap(&p, p.len, &m),
                             version || o ? TNL_BAD_FLAGS : TNL_OK);
        }
}
END_TEST

START_TEST(test_geneve_decap_unknown_critical_option_is_refused)
{
    struct packet p;
    struct tnl_meta m;

    for (unsigned type = 0; type < 256; type++) {
        make(&p, 4, 0x40, 1);
        ck_assert_uint_eq(option(&p, option(&p, 16, 1, 1),
                                 (uint8_t) type, 1), 32);
        ck_assert_int_eq(decap(&p, p.len, &m),
                         type & 0x80 ? TNL_CRITICAL : TNL_OK);
    }
}
END_TEST

START_TEST(test_geneve_decap_option_beyond_the_options_is_refused)
{
    struct packet p;
    struct tnl_meta m;

    for (unsigned words = 1; words < 32; words++) {
        make(&p, 2, 0x40, 1);
        option(&p, 16, 1, words);
        ck_assert_int_eq(decap(&p, p.len, &m),
                         words > 1 ? TNL_SHORT : TNL_OK);
    }
}
END_TEST

START_TEST(test_geneve_decap_payload_that_is_no_ethernet_is_refused)
{
    struct packet p;
    struct tnl_meta m;

    make(&p, 0, 0, 1);
    put_be16(p.b + 10, 0x0800);
    ck_assert_int_eq(decap(&p, p.len, &m), TNL_BAD_PROTO);
}
END_TEST

START_TEST(test_geneve_decap_every_truncation_is_refused)
{
    struct packet p;
    struct tnl_meta m;

    make(&p, 3, 0x40, 1);
    option(&p, 16, 1, 2);
    for (size_t len = 0; len < p.len; len++)
        ck_assert_int_eq(decap(&p, len, &m),
                         len < 28 ? TNL_SHORT : TNL_INNER_RUNT);
    ck_assert_int_eq(decap(&p, p.len, &m), TNL_OK);
}
END_TEST

START_TEST(test_geneve_build_sends_reserved_zero_and_no_option)
{
    static const char *const names[] = { "remote", "key" };
    static const char *const values[] = { "192.0.2.2", "7" };
    static const uint8_t gn[8] = { 0, 0, 0x65, 0x58, 0, 0, 7, 0 };
    const struct tnl_nexthop nh = { .uplink = 1 };
    struct tnl_config c;
    struct tnl_template t;
    char text[128];

    ck_assert_int_eq(tnl_config_parse(&tnl_geneve_ops, names, values, 2, &c,
                                      NULL), 0);
    ck_assert(c.keep_inner_vlan);
    tnl_geneve_ops.print(&c, text, sizeof text);
    ck_assert_str_eq(text, "remote=192.0.2.2 key=7");
    c.keep_inner_vlan = false;
    tnl_geneve_ops.print(&c, text, sizeof text);
    ck_assert_str_eq(text, "remote=192.0.2.2 key=7 inner-vlan=drop");
    tnl_template_build(&tnl_geneve_ops, &c, &nh, c.remote, &t);
    ck_assert_uint_eq(t.len, 50);
    ck_assert_uint_eq(t.udp_off, 34);
    ck_assert_uint_eq(get_be16(t.bytes + 36), 6081);
    ck_assert_uint_eq(get_be16(t.bytes + 40), 0);
    ck_assert_mem_eq(t.bytes + 42, gn, 8);
    ck_assert_int_eq(t.entropy, TNL_ENTROPY_SRC_PORT);
    ck_assert_uint_eq(t.key_off, 46);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("tunnels");
    TCase *tc = tcase_create("geneve");

    tcase_add_test(
        tc, test_geneve_decap_options_are_skipped_and_reserved_bits_ignored);
    tcase_add_test(tc,
                   test_geneve_decap_other_version_or_control_packet_is_refused);
    tcase_add_test(tc, test_geneve_decap_unknown_critical_option_is_refused);
    tcase_add_test(tc, test_geneve_decap_option_beyond_the_options_is_refused);
    tcase_add_test(tc,
                   test_geneve_decap_payload_that_is_no_ethernet_is_refused);
    tcase_add_test(tc, test_geneve_decap_every_truncation_is_refused);
    tcase_add_test(tc, test_geneve_build_sends_reserved_zero_and_no_option);
    suite_add_tcase(s, tc);

    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
