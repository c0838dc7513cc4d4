/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "tunnels", case "vxlan": RFC 7348. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tunnels/vxlan/vxlan.h"

/* UDP, VXLAN and an inner Ethernet header; layout of RFC 7348 §5, figure 1. */
static void
make(uint8_t p[30], uint8_t flags, uint32_t vni)
{
    memset(p, 0, 30);
    put_be16(p, 50000);
    put_be16(p + 2, 4789);
    put_be16(p + 4, 30);
    p[8] = flags;
    put_be24(p + 12, vni);
    put_be16(p + 28, 0x0800);
}

START_TEST(test_vxlan_decap_reserved_bits_are_ignored)
{
    uint8_t p[30];
    struct tnl_meta m;

    make(p, 0xff, 0xabcdef);
    p[9] = p[10] = p[11] = 0xff; /* 24 reserved bits. */
    p[15] = 0xff;                /* 8 reserved bits. */
    ck_assert_int_eq(vxlan_decap(p, sizeof p, &m), TNL_OK);
    ck_assert_uint_eq(m.key, 0xabcdef);
    ck_assert_uint_eq(m.hlen, 16);
}
END_TEST

START_TEST(test_vxlan_decap_clear_i_flag_is_refused_whatever_the_others)
{
    uint8_t p[30];
    struct tnl_meta m;

    for (unsigned flags = 0; flags < 256; flags++) {
        make(p, (uint8_t) flags, 1);
        ck_assert_int_eq(vxlan_decap(p, sizeof p, &m),
                         flags & 0x08 ? TNL_OK : TNL_BAD_FLAGS);
    }
}
END_TEST

START_TEST(test_vxlan_decap_gpe_payload_that_is_no_ethernet_is_refused)
{
    uint8_t p[30];
    struct tnl_meta m;

    for (unsigned next = 0; next < 256; next++) {
        bool other = next >= 1 && next <= 7 && next != 3;

        make(p, 0x0c, 1); /* I and P. */
        p[11] = (uint8_t) next;
        ck_assert_int_eq(vxlan_decap(p, sizeof p, &m),
                         other ? TNL_BAD_PROTO : TNL_OK);
        p[8] = 0x08; /* Without P the byte is reserved. */
        ck_assert_int_eq(vxlan_decap(p, sizeof p, &m), TNL_OK);
    }
}
END_TEST

START_TEST(test_vxlan_decap_all_24_bits_of_the_vni_count)
{
    uint8_t p[30];
    struct tnl_meta m;

    for (unsigned bit = 0; bit < 24; bit++) {
        make(p, 0x08, 1u << bit);
        ck_assert_int_eq(vxlan_decap(p, sizeof p, &m), TNL_OK);
        ck_assert_uint_eq(m.key, 1u << bit);
    }
}
END_TEST

static int
parse(const char *name, const char *value, struct tnl_config *c,
      struct weft_err *e)
{
    const char *names[] = { "remote", "key", name };
    const char *values[] = { "192.0.2.2", "7", value };

    return tnl_config_parse(&tnl_vxlan_ops, names, values, 3, c, e);
}

START_TEST(test_vxlan_build_sends_reserved_zero_checksum_zero_and_the_range)
{
    const struct tnl_nexthop nh = { .uplink = 1 };
    static const uint8_t vx[8] = { 8, 0, 0, 0, 0, 0, 7, 0 };
    struct tnl_config c;
    struct tnl_template t;

    ck_assert_int_eq(parse("port", "8472", &c, NULL), 0);
    tnl_template_build(&tnl_vxlan_ops, &c, &nh, c.remote, &t);
    ck_assert_uint_eq(t.len, 50);
    ck_assert_uint_eq(t.udp_off, 34);
    ck_assert_uint_eq(get_be16(t.bytes + 36), 8472);
    ck_assert_uint_eq(get_be16(t.bytes + 40), 0); /* §5: SHOULD be zero. */
    ck_assert_mem_eq(t.bytes + 42, vx, 8);
    ck_assert_int_eq(t.entropy, TNL_ENTROPY_SRC_PORT);
    ck_assert_uint_eq(t.entropy_off, 34);
    ck_assert_uint_eq(t.entropy_min, 49152); /* §5: dynamic range. */
    ck_assert_uint_eq(t.entropy_span, 16384);
    ck_assert_uint_eq(t.key_off, 46);
}
END_TEST

START_TEST(test_vxlan_own_options_round_trip)
{
    static const char *const names[] = { "remote", "key", "port", "src-port",
                                         "inner-vlan" };
    static const char *const values[] = { "192.0.2.2", "0", "8472",
                                          "1-65535", "keep" };
    struct tnl_config c;
    char text[128];

    ck_assert_int_eq(tnl_config_parse(&tnl_vxlan_ops, names, values, 5, &c,
                                      NULL), 0);
    tnl_vxlan_ops.print(&c, text, sizeof text);
    ck_assert_str_eq(text, "remote=192.0.2.2 key=0 port=8472 src-port=1-65535"
                           " inner-vlan=keep");
}
END_TEST

START_TEST(test_vxlan_bad_ports_and_words_are_refused_with_their_limit)
{
    static const char *const bad[][3] = {
        { "port", "0", "1 to 65535" },
        { "port", "65536", "1 to 65535" },
        { "port", "x", "not a number" },
        { "src-port", "0-9", "within 1 to 65535" },
        { "src-port", "9-8", "range MIN-MAX" },
        { "src-port", "5000", "range MIN-MAX" },
        { "src-port", "1-65536", "within 1 to 65535" },
        { "src-port", "000000001-2", "range MIN-MAX" },
        { "inner-vlan", "strip", "neither drop nor keep" },
    };
    struct tnl_config c;
    struct weft_err e;

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(bad); i++) {
        ck_assert_int_eq(parse(bad[i][0], bad[i][1], &c, &e), -EINVAL);
        ck_assert_msg(strstr(e.text, bad[i][2]) != NULL, "%s", e.text);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("tunnels");
    TCase *tc = tcase_create("vxlan");

    tcase_add_test(tc, test_vxlan_decap_reserved_bits_are_ignored);
    tcase_add_test(tc,
                   test_vxlan_decap_clear_i_flag_is_refused_whatever_the_others);
    tcase_add_test(tc,
                   test_vxlan_decap_gpe_payload_that_is_no_ethernet_is_refused);
    tcase_add_test(tc, test_vxlan_decap_all_24_bits_of_the_vni_count);
    tcase_add_test(
        tc, test_vxlan_build_sends_reserved_zero_checksum_zero_and_the_range);
    tcase_add_test(tc, test_vxlan_own_options_round_trip);
    tcase_add_test(tc,
                   test_vxlan_bad_ports_and_words_are_refused_with_their_limit);
    suite_add_tcase(s, tc);

    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
