/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "tunnels", case "nvgre": RFC 7637. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tunnels/nvgre/nvgre.h"

/* GRE with key and an inner Ethernet header; RFC 7637 §3.2, figure 1. */
static void
make(uint8_t p[22], uint16_t flags, uint32_t vsid, uint8_t flow_id)
{
    memset(p, 0, 22);
    put_be16(p, flags);
    put_be16(p + 2, 0x6558);
    put_be24(p + 4, vsid);
    p[7] = flow_id;
    put_be16(p + 20, 0x0800);
}

START_TEST(test_nvgre_decap_flow_id_is_no_part_of_the_key)
{
    uint8_t p[22];
    struct tnl_meta m;

    for (unsigned f = 0; f < 256; f++) {
        make(p, 0x2000, 0x123456, (uint8_t) f);
        ck_assert_int_eq(nvgre_decap(p, sizeof p, &m), TNL_OK);
        ck_assert_uint_eq(m.key, 0x123456);
        ck_assert_uint_eq(m.hlen, 8);
    }
}
END_TEST

START_TEST(test_nvgre_decap_each_flag_bit_follows_its_rfc)
{
    /* Bit 0 is the most significant.  C 0, R 1, K 2, S 3, R 4-5, ignored
     * 6-12, version 13-15. */
    uint8_t p[22];
    struct tnl_meta m;

    for (unsigned bit = 0; bit < 16; bit++) {
        bool ignored = bit >= 6 && bit <= 12;

        make(p, (uint16_t) (0x2000 ^ 0x8000 >> bit), 0x1000, 0);
        ck_assert_msg(nvgre_decap(p, sizeof p, &m)
                          == (ignored ? TNL_OK : TNL_BAD_FLAGS),
                      "bit %u", bit);
    }
}
END_TEST

START_TEST(test_nvgre_decap_other_gre_payload_is_refused)
{
    uint8_t p[22];
    struct tnl_meta m;

    make(p, 0x2000, 0x1000, 0);
    put_be16(p + 2, 0x0800);
    ck_assert_int_eq(nvgre_decap(p, sizeof p, &m), TNL_BAD_PROTO);
}
END_TEST

START_TEST(test_nvgre_decap_reserved_vsids_are_refused_up_to_their_edges)
{
    static const struct {
        uint32_t vsid;
        enum tnl_verdict verdict;
    } t[] = {
        { 0, TNL_RESERVED_KEY },      { 0xfff, TNL_RESERVED_KEY },
        { 0x1000, TNL_OK },           { 0xfffffe, TNL_OK },
        { 0xffffff, TNL_RESERVED_KEY },
    };
    uint8_t p[22];
    struct tnl_meta m;

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(t); i++) {
        make(p, 0x2000, t[i].vsid, 0xff);
        ck_assert_int_eq(nvgre_decap(p, sizeof p, &m), t[i].verdict);
    }
}
END_TEST

START_TEST(test_nvgre_build_sets_key_bit_only_and_leaves_flow_id_to_the_flow)
{
    static const char *const names[] = { "remote", "key" };
    static const char *const values[] = { "192.0.2.2", "0x123456" };
    static const uint8_t gre[8] = { 0x20, 0x00, 0x65, 0x58,
                                    0x12, 0x34, 0x56, 0x00 };
    const struct tnl_nexthop nh = { .uplink = 1 };
    struct tnl_config c;
    struct tnl_template t;

    ck_assert_int_eq(tnl_config_parse(&tnl_nvgre_ops, names, values, 2, &c,
                                      NULL), 0);
    tnl_template_build(&tnl_nvgre_ops, &c, &nh, c.remote, &t);
    ck_assert_uint_eq(t.len, 42);
    ck_assert_uint_eq(t.udp_off, 0);
    ck_assert_mem_eq(t.bytes + 34, gre, 8);
    ck_assert_int_eq(t.entropy, TNL_ENTROPY_FLOW_ID);
    ck_assert_uint_eq(t.entropy_off, 41);
    ck_assert_uint_eq(t.key_off, 38);
}
END_TEST

START_TEST(test_nvgre_reserved_key_and_udp_options_are_refused)
{
    static const char *const bad[][3] = {
        { "key", "4095", "key 4095 is reserved" },
        { "key", "16777215", "4096 to 16777214" },
        { "port", "4789", "has no option port" },
        { "src-port", "1-2", "has no option src-port" },
        /* RFC 7637 §3.3 leaves no choice. */
        { "inner-vlan", "keep", "has no option inner-vlan" },
    };
    struct tnl_config c;
    struct weft_err e;

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(bad); i++) {
        const char *names[] = { "remote", bad[i][0] };
        const char *values[] = { "192.0.2.2", bad[i][1] };

        ck_assert_int_eq(tnl_config_parse(&tnl_nvgre_ops, names, values, 2,
                                          &c, &e), -EINVAL);
        ck_assert_msg(strstr(e.text, bad[i][2]) != NULL, "%s", e.text);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("tunnels");
    TCase *tc = tcase_create("nvgre");

    tcase_add_test(tc, test_nvgre_decap_flow_id_is_no_part_of_the_key);
    tcase_add_test(tc, test_nvgre_decap_each_flag_bit_follows_its_rfc);
    tcase_add_test(tc, test_nvgre_decap_other_gre_payload_is_refused);
    tcase_add_test(tc,
                   test_nvgre_decap_reserved_vsids_are_refused_up_to_their_edges);
    tcase_add_test(
        tc, test_nvgre_build_sets_key_bit_only_and_leaves_flow_id_to_the_flow);
    tcase_add_test(tc, test_nvgre_reserved_key_and_udp_options_are_refused);
    suite_add_tcase(s, tc);

    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
