/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "ofproto": meters as text. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ofproto/text/flow_text.h"
#include "ofproto/text/meter_text.h"

static char *
print(const struct ofp_meter_spec *m)
{
    struct base_str s = BASE_STR_INIT;

    ofp_text_add_meter(&s, m);
    return base_str_steal(&s);
}

/* Accepted by ovs-ofctl 3.1 add-meter as well. */
static const struct {
    const char *in, *out;
} good[] = {
    { "meter=1,kbps,bands=type=drop,rate=1000",
      "meter=1,kbps,bands=type=drop,rate=1000" },
    { "kbps,meter=2 band=type=drop rate=5",
      "meter=2,kbps,bands=type=drop,rate=5" },
    { "meter=0x10,pktps,bands=type=drop,rate=0x10",
      "meter=16,pktps,bands=type=drop,rate=16" },
    { "meter=controller pktps stats burst bands=\n"
      "type=drop rate=5 burst_size=7",
      "meter=controller,pktps,burst,stats,bands=type=drop,rate=5,"
      "burst_size=7" },
    { "meter=slowpath,stats,kbps,bands=type=dscp_remark,rate=5,prec_level=1,"
      "type=drop,rate=10",
      "meter=slowpath,kbps,stats,bands=type=dscp_remark,rate=5,prec_level=1,"
      "type=drop,rate=10" },
    { "meter=4294901760,kbps,bands=type=drop,rate=4294967295",
      "meter=4294901760,kbps,bands=type=drop,rate=4294967295" },
};

START_TEST(test_meter_text_reads_and_prints_as_ovs_ofctl)
{
    struct ofp_meter_spec a, b;
    struct weft_err e = { "" };
    char *text;

    ck_assert_msg(!ofp_text_parse_meter(good[_i].in, &a, &e), "%s", e.text);
    text = print(&a);
    ck_assert_str_eq(text, good[_i].out);
    ck_assert_int_eq(ofp_text_parse_meter(text, &b, &e), 0);
    ck_assert_mem_eq(&a, &b, sizeof a);
    free(text);
}
END_TEST

START_TEST(test_meter_text_two_bands_are_read_to_their_numbers)
{
    struct ofp_meter_spec m;
    struct weft_err e;

    ck_assert_int_eq(
        ofp_text_parse_meter("meter=7,pktps,burst,bands=type=dscp_remark,"
                             "rate=10,burst_size=3,prec_level=2,type=drop,"
                             "rate=20,burst_size=4", &m, &e), 0);
    ck_assert_uint_eq(m.id, 7);
    ck_assert_uint_eq(m.flags, OFP_MTF_PKTPS | OFP_MTF_BURST);
    ck_assert_uint_eq(m.n_bands, 2);
    ck_assert_uint_eq(m.bands[0].type, OFP_MBT_DSCP_REMARK);
    ck_assert_uint_eq(m.bands[0].rate, 10);
    ck_assert_uint_eq(m.bands[0].burst, 3);
    ck_assert_uint_eq(m.bands[0].prec_level, 2);
    ck_assert_uint_eq(m.bands[1].type, OFP_MBT_DROP);
    ck_assert_uint_eq(m.bands[1].rate, 20);
    ck_assert_uint_eq(m.bands[1].burst, 4);
}
END_TEST

/* Refused by ovs-ofctl too, but for the last four. */
static const struct {
    const char *in, *why;
} bad[] = {
    { "", "bands= missing" },
    { "meter=1,kbps", "bands= missing" },
    { "meter=1,kbps,bands=", "bands= is empty" },
    { "kbps,bands=type=drop,rate=5", "meter=ID missing" },
    { "meter=0,kbps,bands=type=drop,rate=5", "0 is not in 1..4294901760" },
    { "meter=4294901761,kbps,bands=type=drop,rate=5", "is not in 1.." },
    { "meter=x,kbps,bands=type=drop,rate=5", "x is neither a number" },
    { "meter=1,bands=type=drop,rate=5", "kbps or pktps missing" },
    { "meter=1,kbps,type=drop,bands=rate=5", "type: unknown word" },
    { "meter=1,kbps,bands=rate=5,type=drop", "a band begins with type=drop" },
    { "meter=1,kbps,bands=type=drop", "rate missing" },
    { "meter=1,kbps,bands=type=drop,rate=0", "rate missing or 0" },
    { "meter=1,kbps,bands=type=foo,rate=5", "foo is neither drop nor" },
    { "meter=1,kbps,bands=type=dscp_remark,rate=5", "needs prec_level" },
    { "meter=1,kbps,burst,bands=type=drop,rate=5", "burst_size must be" },
    { "meter=1,kbps,bands=type=drop,rate=5,burst_size=4", "the word burst" },
    { "meter=1,kbps,bands=type=drop,rate=5,colour=4", "colour: unknown" },
    { "meter=1,kbps,bands=type=drop,rate=4294967296", "exceeds 4294967295" },
    { "meter=1,kbps,bands=type=drop,rate=", "rate: \"\" is not a number" },
    { "meter=1,meter=2,kbps,bands=type=drop,rate=5", "said twice" },
    { "meter=all,kbps,bands=type=drop,rate=5", "all is no meter to set" },
    { "meter=1,kbps,pktps,bands=type=drop,rate=5", "exclude each other" },
    { "meter=1,kbps,bands=type=dscp_remark,rate=5,prec_level=4",
      "exceeds 3" },
    { "meter=1,kbps,bands=type=drop,rate=5,prec_level=1",
      "is for dscp_remark" },
};

START_TEST(test_meter_text_refusal_names_word_value_and_limit)
{
    struct ofp_meter_spec m;
    struct weft_err e = { "" };

    ck_assert_int_eq(ofp_text_parse_meter(bad[_i].in, &m, &e), -EINVAL);
    ck_assert_msg(strstr(e.text, bad[_i].why) != NULL, "%s: %s", bad[_i].in,
                  e.text);
}
END_TEST

START_TEST(test_meter_text_given_too_many_bands_or_bytes_is_refused)
{
    struct base_str s = BASE_STR_INIT;
    struct ofp_meter_spec m;
    struct weft_err e = { "" };

    base_str_add(&s, "meter=1,kbps,bands=");
    for (int i = 0; i < DP_METER_BANDS; i++)
        base_str_add(&s, "type=drop,rate=5,");
    ck_assert_int_eq(ofp_text_parse_meter(s.buf, &m, &e), 0);
    ck_assert_uint_eq(m.n_bands, DP_METER_BANDS);
    base_str_add(&s, "type=drop,rate=5");
    ck_assert_int_eq(ofp_text_parse_meter(s.buf, &m, &e), -EINVAL);
    ck_assert_ptr_nonnull(strstr(e.text, "more than 16"));
    while (s.len <= OFP_TEXT_MAX)
        base_str_add(&s, ",,,,,,,,,,,,,,,,");
    ck_assert_int_eq(ofp_text_parse_meter(s.buf, &m, &e), -EINVAL);
    ck_assert_ptr_nonnull(strstr(e.text, "longer than 65536"));
    base_str_fini(&s);
}
END_TEST

START_TEST(test_meter_text_every_beginning_is_read_or_refused)
{
    static const char whole[] = "meter=slowpath,kbps,burst,bands="
                                "type=dscp_remark,rate=5,burst_size=3,"
                                "prec_level=1,type=drop,rate=10,burst_size=2";

    for (size_t n = 0; n < sizeof whole; n++) {
        char *cut = malloc(n + 1); /* Exactly as long as it is. */
        struct ofp_meter_spec m;
        struct weft_err e = { "" };
        int err;

        ck_assert_ptr_nonnull(cut);
        memcpy(cut, whole, n);
        cut[n] = '\0';
        err = ofp_text_parse_meter(cut, &m, &e);
        ck_assert_msg(!err || (err == -EINVAL && e.text[0]), "%s", cut);
        free(cut);
    }
}
END_TEST

START_TEST(test_meter_text_id_alone_is_read)
{
    struct weft_err e = { "" };
    uint32_t id;

    ck_assert_int_eq(ofp_text_parse_meter_id(NULL, &id, &e), 0);
    ck_assert_uint_eq(id, OFP_METER_ALL);
    ck_assert_int_eq(ofp_text_parse_meter_id("meter=5", &id, &e), 0);
    ck_assert_uint_eq(id, 5);
    ck_assert_int_eq(ofp_text_parse_meter_id("meter=all", &id, &e), 0);
    ck_assert_uint_eq(id, OFP_METER_ALL);
    ck_assert_int_eq(ofp_text_parse_meter_id("meter=controller", &id, &e), 0);
    ck_assert_uint_eq(id, DP_METER_CONTROLLER);
    ck_assert_int_eq(ofp_text_parse_meter_id("meter=5,kbps", &id, &e),
                     -EINVAL);
    ck_assert_int_eq(ofp_text_parse_meter_id("meter=", &id, &e), -EINVAL);
    ck_assert_int_eq(ofp_text_parse_meter_id("7", &id, &e), -EINVAL);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("ofproto");
    TCase *tc = tcase_create("meter_text");
    SRunner *sr = srunner_create(s);
    int failed;

    suite_add_tcase(s, tc);
    tcase_add_loop_test(tc, test_meter_text_reads_and_prints_as_ovs_ofctl, 0,
                        sizeof good / sizeof good[0]);
    tcase_add_test(tc, test_meter_text_two_bands_are_read_to_their_numbers);
    tcase_add_loop_test(tc, test_meter_text_refusal_names_word_value_and_limit,
                        0, sizeof bad / sizeof bad[0]);
    tcase_add_test(tc,
                   test_meter_text_given_too_many_bands_or_bytes_is_refused);
    tcase_add_test(tc, test_meter_text_every_beginning_is_read_or_refused);
    tcase_add_test(tc, test_meter_text_id_alone_is_read);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
