/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "tunnels", case "conformance": what every registered tunnel type must
 * do.  A new line in tunnel_types.def is tested here at once. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utils/base/addr.h"
#include "utils/base/mem.h"
#include "weft/tunnel.h"

static const struct tnl_ops *
type(int i)
{
    return tnl_type_by_index((unsigned) i);
}

static unsigned
n_types(void)
{
    unsigned n = 0;

    while (tnl_type_by_index(n))
        n++;
    return n;
}

/* Parses "a=b c=d"; 0 or -errno. */
static int
parse(const struct tnl_ops *t, const char *text, struct tnl_config *c,
      struct weft_err *e)
{
    const char *names[16], *values[16];
    char *copy = base_xstrdup(text), *save = NULL;
    size_t n = 0;

    for (char *w = strtok_r(copy, " ", &save); w;
         w = strtok_r(NULL, " ", &save)) {
        char *eq = strchr(w, '=');
        ck_assert_ptr_nonnull(eq);
        *eq = '\0';
        names[n] = w;
        values[n++] = eq + 1;
    }
    int err = tnl_config_parse(t, names, values, n, c, e);
    free(copy);
    return err;
}

static void
assert_refused(const struct tnl_ops *t, const char *text, const char *why)
{
    struct tnl_config c;
    struct weft_err e = { "" };

    memset(&c, 0x5a, sizeof c);
    struct tnl_config before = c;
    ck_assert_msg(parse(t, text, &c, &e) == -EINVAL, "%s accepts %s",
                  t->name, text);
    ck_assert_msg(strstr(e.text, why) != NULL, "%s: \"%s\" lacks \"%s\"",
                  text, e.text, why);
    ck_assert_msg(!memcmp(&c, &before, sizeof c),
                  "%s: half-applied", text);
}

START_TEST(test_registry_finds_each_type_by_its_name_only)
{
    const struct tnl_ops *t = type(_i);

    ck_assert_ptr_eq(tnl_type_by_name(t->name), t);
    ck_assert_ptr_null(tnl_type_by_name("no such type"));
    ck_assert_ptr_null(tnl_type_by_index(n_types()));
}
END_TEST

START_TEST(test_decap_golden_packet_gives_its_key)
{
    const struct tnl_ops *t = type(_i);
    struct tnl_meta m;

    ck_assert_int_eq(t->decap(t->golden, t->golden_len, &m), TNL_OK);
    ck_assert_uint_eq(m.key, t->golden_key);
    ck_assert_uint_eq(m.hlen, t->l4_overhead);
}
END_TEST

START_TEST(test_decap_every_truncation_is_refused_without_reading_beyond)
{
    const struct tnl_ops *t = type(_i);
    struct tnl_meta m;

    for (size_t len = 0; len < t->golden_len; len++) {
        uint8_t *exact = malloc(len ? len : 1);
        memcpy(exact, t->golden, len);
        enum tnl_verdict v = t->decap(exact, len, &m);
        free(exact);
        if (len < t->l4_overhead)
            ck_assert_int_eq(v, TNL_SHORT);
        else if (len < t->l4_overhead + 14u)
            ck_assert_int_eq(v, TNL_INNER_RUNT);
        else
            ck_assert_int_eq(v, TNL_OK);
    }
}
END_TEST

START_TEST(test_decap_any_header_bytes_give_a_verdict_and_an_allowed_key)
{
    const struct tnl_ops *t = type(_i);
    uint8_t *p = base_xmemdup(t->golden, t->golden_len);

    for (size_t at = 0; at < t->l4_overhead; at++) {
        for (unsigned v = 0; v < 256; v++) {
            struct tnl_meta m = { 0, 0 };

            p[at] = (uint8_t) v;
            if (t->decap(p, t->golden_len, &m) == TNL_OK) {
                ck_assert_uint_ge(m.key, t->key_min);
                ck_assert_uint_le(m.key, t->key_max);
                ck_assert_uint_ge(m.hlen, t->l4_overhead);
                ck_assert_uint_le(m.hlen + 14u, t->golden_len);
            }
        }
        p[at] = t->golden[at];
    }
    free(p);
}
END_TEST

START_TEST(test_template_is_accepted_by_own_decap_and_describes_itself)
{
    const struct tnl_ops *t = type(_i);
    const struct tnl_nexthop nh = { .uplink = 1, .src_mac = { 2, 0, 0, 0, 0, 1 },
                                    .dst_mac = { 2, 0, 0, 0, 0, 2 },
                                    .mtu = 1500 };
    struct tnl_config c;
    struct tnl_template tpl;
    struct tnl_meta m;
    uint8_t packet[TNL_TEMPLATE_MAX + 60] = { 0 };
    be32 remote = be32_from(0xc0000202);

    ck_assert_int_eq(parse(t, "remote=192.0.2.2 local=192.0.2.1 key=5001", &c,
                           NULL), 0);
    tnl_template_build(t, &c, &nh, remote, &tpl);
    ck_assert_uint_eq(tpl.ip_off, 14);
    ck_assert_uint_eq(tpl.len, 34 + t->l4_overhead);
    memcpy(packet, tpl.bytes, tpl.len);
    ck_assert_int_eq(t->decap(packet + 34, t->l4_overhead + 60u, &m), TNL_OK);
    ck_assert_uint_eq(m.key, 5001);
    ck_assert_uint_eq(get_be24(packet + tpl.key_off), 5001);
    ck_assert_mem_eq(packet, nh.dst_mac, 6);
    ck_assert_mem_eq(packet + 6, nh.src_mac, 6);
    ck_assert_uint_eq(get_be16(packet + 12), 0x0800);
    ck_assert_uint_eq(packet[14 + 9], t->ip_proto);
    ck_assert_uint_eq(get_be16(packet + 14 + 6), 0x4000);
    ck_assert_uint_eq(get_be32(packet + 14 + 12), 0xc0000201);
    ck_assert_uint_eq(get_be32(packet + 14 + 16), 0xc0000202);
    /* The sum the datapath starts from. */
    uint32_t sum = 0;
    for (unsigned i = 14; i < 34; i += 2)
        sum += get_be16(packet + i);
    ck_assert_uint_eq((sum & 0xffff) + (sum >> 16), tpl.ip_csum);
}
END_TEST

START_TEST(test_config_prints_what_it_parses_and_parses_what_it_prints)
{
    static const char *const texts[] = {
        "remote=192.0.2.2 key=5001",
        "remote=192.0.2.2 local=192.0.2.1 key=5001",
        "remote=flow key=flow",
        "remote=flow local=192.0.2.1 key=70000",
        "remote=192.0.2.2 key=5001 ttl=1 tos=inherit df=false",
        "remote=192.0.2.2 key=5001 ttl=255 tos=184",
    };
    const struct tnl_ops *t = type(_i);

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(texts); i++) {
        struct tnl_config a, b;
        char text[256];

        ck_assert_int_eq(parse(t, texts[i], &a, NULL), 0);
        int n = t->print(&a, text, sizeof text);
        ck_assert_str_eq(text, texts[i]);
        ck_assert_int_eq(n, (int) strlen(text));
        ck_assert_int_eq(parse(t, text, &b, NULL), 0);
        ck_assert_mem_eq(&a, &b, sizeof a);
    }
}
END_TEST

START_TEST(test_config_print_truncates_like_snprintf)
{
    const struct tnl_ops *t = type(_i);
    struct tnl_config c;
    char text[8];

    ck_assert_int_eq(parse(t, "remote=192.0.2.2 key=5001", &c, NULL), 0);
    ck_assert_int_eq(t->print(&c, text, sizeof text), 25);
    ck_assert_str_eq(text, "remote=");
}
END_TEST

START_TEST(test_config_limits_are_accepted_and_what_exceeds_them_is_named)
{
    const struct tnl_ops *t = type(_i);
    struct tnl_config c;
    char text[128], why[64];

    for (unsigned i = 0; i < 2; i++) {
        uint32_t key = i ? t->key_max : t->key_min;
        snprintf(text, sizeof text, "remote=flow key=%u", key);
        ck_assert_int_eq(parse(t, text, &c, NULL), 0);
        ck_assert_uint_eq(c.key, key);
    }
    snprintf(text, sizeof text, "remote=flow key=%u", 1u << 24);
    snprintf(why, sizeof why, "key 16777216 exceeds 24 bits (largest %u)",
             t->key_max);
    assert_refused(t, text, why);
    assert_refused(t, "remote=flow key=18446744073709551616",
                   "exceeds 24 bits");
    assert_refused(t, "remote=flow key=0x", "is not a number");
    assert_refused(t, "remote=flow key=", "is not a number");
    assert_refused(t, "remote=flow key=-1", "is not a number");
    assert_refused(t, "remote=flow key=5001 ttl=0", "ttl 0 is out of range");
    assert_refused(t, "remote=flow key=5001 ttl=256", "1 to 255");
    assert_refused(t, "remote=flow key=5001 tos=256", "0 to 255");
    assert_refused(t, "remote=flow key=5001 tos=3", "ECN");
    assert_refused(t, "remote=flow key=5001 df=maybe", "df maybe");
}
END_TEST

START_TEST(test_config_end_points_must_be_unicast_and_differ)
{
    static const char *const bad[] = { "0.0.0.0", "127.0.0.1", "224.0.0.1",
                                       "240.0.0.1", "255.255.255.255" };
    const struct tnl_ops *t = type(_i);
    char text[128];

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(bad); i++) {
        snprintf(text, sizeof text, "remote=%s key=5001", bad[i]);
        assert_refused(t, text, "is not a unicast address");
        snprintf(text, sizeof text, "remote=flow local=%s key=5001", bad[i]);
        assert_refused(t, text, "is not a unicast address");
    }
    assert_refused(t, "remote=192.0.2 key=5001", "not an IPv4 address");
    assert_refused(t, "remote=vtep2 key=5001", "not an IPv4 address, ");
    assert_refused(t, "remote=192.0.2.1 local=192.0.2.1 key=5001",
                   "remote 192.0.2.1 is the local address");
}
END_TEST

START_TEST(test_config_missing_unknown_and_repeated_options_are_refused)
{
    const struct tnl_ops *t = type(_i);

    assert_refused(t, "key=5001", "needs remote=");
    assert_refused(t, "remote=192.0.2.2", "needs key=");
    assert_refused(t, "remote=192.0.2.2 key=5001 key=5002",
                   "option key is given twice");
    assert_refused(t, "remote=192.0.2.2 key=5001 colour=red",
                   "has no option colour");
}
END_TEST

START_TEST(test_config_change_keeps_what_is_not_named)
{
    const struct tnl_ops *t = type(_i);
    const char *name = "key", *bad = "16777216", *good = "70001";
    struct tnl_config c, before;
    struct weft_err e;
    char text[128];

    ck_assert_int_eq(parse(t, "remote=192.0.2.2 key=5001 ttl=9", &c, NULL), 0);
    before = c;
    ck_assert_int_eq(tnl_config_change(t, &name, &bad, 1, &c, &e), -EINVAL);
    ck_assert_mem_eq(&c, &before, sizeof c);
    ck_assert_int_eq(tnl_config_change(t, &name, &good, 1, &c, &e), 0);
    t->print(&c, text, sizeof text);
    ck_assert_str_eq(text, "remote=192.0.2.2 key=70001 ttl=9");
}
END_TEST

START_TEST(test_options_each_have_a_name_and_help)
{
    const struct tnl_ops *t = type(_i);

    for (const struct tnl_option *o = t->options; o->name; o++) {
        ck_assert_ptr_nonnull(o->dflt);
        ck_assert_uint_gt(strlen(o->help), 0);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("tunnels");
    TCase *tc = tcase_create("conformance");
    int n = (int) n_types();

    tcase_add_loop_test(tc, test_registry_finds_each_type_by_its_name_only, 0,
                        n);
    tcase_add_loop_test(tc, test_decap_golden_packet_gives_its_key, 0, n);
    tcase_add_loop_test(
        tc, test_decap_every_truncation_is_refused_without_reading_beyond, 0,
        n);
    tcase_add_loop_test(
        tc, test_decap_any_header_bytes_give_a_verdict_and_an_allowed_key, 0,
        n);
    tcase_add_loop_test(
        tc, test_template_is_accepted_by_own_decap_and_describes_itself, 0, n);
    tcase_add_loop_test(
        tc, test_config_prints_what_it_parses_and_parses_what_it_prints, 0, n);
    tcase_add_loop_test(tc, test_config_print_truncates_like_snprintf, 0, n);
    tcase_add_loop_test(
        tc, test_config_limits_are_accepted_and_what_exceeds_them_is_named, 0,
        n);
    tcase_add_loop_test(tc, test_config_end_points_must_be_unicast_and_differ,
                        0, n);
    tcase_add_loop_test(
        tc, test_config_missing_unknown_and_repeated_options_are_refused, 0,
        n);
    tcase_add_loop_test(tc, test_config_change_keeps_what_is_not_named, 0, n);
    tcase_add_loop_test(tc, test_options_each_have_a_name_and_help, 0, n);
    suite_add_tcase(s, tc);

    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed || !n;
}
