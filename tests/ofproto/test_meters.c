/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "ofproto": meters. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ofproto/meters.h"
#include "tests/ofproto/agent_bed.h"
#include "weft/be.h"

#define MP(type, body) "0412 0000 00000099 " type "0000 00000000" body
#define MOD(command, flags, id, bands)                                        \
    "041d 0000 00000001" command flags id bands
#define DROP_BAND(rate, burst) "0001 0010" rate burst "00000000"
#define REMARK(rate, burst, prec) "0002 0010" rate burst prec "000000"
#define METER1 "0006000800000001"
#define FLOWS_OF_METER_2 "0006000800000002"

#define BAND_1M DROP_BAND("000003e8", "00000000")

static void
ask(const char *hex)
{
    mem_send_hex(&bed.c, hex);
    bed_settle();
}

static void
ask_ok(const char *hex)
{
    ask(hex);
    expect_quiet(&bed.c);
}

START_TEST(test_meter_add_reaches_the_datapath_and_flows_may_name_it)
{
    const struct dummy_meter *m;

    ask_ok(MOD("0000", "000d", "00000001",
               DROP_BAND("000003e8", "00000064")
               REMARK("000001f4", "00000032", "02")));
    m = dummy_meter(bed.dpb, 1);
    ck_assert_ptr_nonnull(m);
    ck_assert(!m->pktps);
    ck_assert_uint_eq(m->n_bands, 2);
    ck_assert_uint_eq(m->bands[0].type, 1);
    ck_assert_uint_eq(m->bands[0].rate, 1000);
    ck_assert_uint_eq(m->bands[0].burst, 100);
    ck_assert_uint_eq(m->bands[1].type, 2);
    ck_assert_uint_eq(m->bands[1].rate, 500);
    ck_assert_uint_eq(m->bands[1].burst, 50);
    ck_assert_uint_eq(m->bands[1].prec_level, 2);
    FM(.instr = METER1 OUT1);
    bed_settle();
    expect_quiet(&bed.c);
    ck_assert_uint_eq(dummy_rule_nth(bed.dpb, 0)->instr.meter, 1);
}
END_TEST

/* §7.3.4.4: burst_size counts with OFPMF_BURST only; it is reported. */
START_TEST(test_meter_burst_without_its_flag_is_reported_but_not_used)
{
    size_t len;
    const uint8_t *m;

    ask_ok(MOD("0000", "0002", "00000001", DROP_BAND("0000000a", "00000007")));
    ck_assert(dummy_meter(bed.dpb, 1)->pktps);
    ck_assert_uint_eq(dummy_meter(bed.dpb, 1)->bands[0].burst, 0);
    ask(MP("000a", "00000001" "00000000"));
    m = expect(&bed.c, 19, &len);
    ck_assert_str_eq(hex_of(m, len),
                     hex_plain("0413 0028 00000099 000a 0000 00000000"
                               "0018 0002 00000001"
                               DROP_BAND("0000000a", "00000007")));
}
END_TEST

START_TEST(test_meter_config_comes_back_byte_for_byte)
{
#define THREE REMARK("00000001", "00000000", "01")                            \
    DROP_BAND("ffffffff", "ffffffff") REMARK("00000005", "00000009", "03")
    static const struct {
        const char *mod, *flags_and_id, *bands;
    } meters[] = {
        { MOD("0000", "0001", "00000005", BAND_1M), "0001 00000005",
          BAND_1M },
        { MOD("0000", "0000", "00000006", BAND_1M), "0000 00000006",
          BAND_1M },
        { MOD("0000", "000e", "ffff0000", THREE), "000e ffff0000", THREE },
        { MOD("0000", "000a", "00000007", ""), "000a 00000007", "" },
        { MOD("0000", "0002", "fffffffe", BAND_1M), "0002 fffffffe",
          BAND_1M },
        { MOD("0000", "0002", "fffffffd", BAND_1M), "0002 fffffffd",
          BAND_1M },
    };
    char want[512], id[9];
    const uint8_t *m;
    size_t len;

    ask_ok(meters[_i].mod);
    snprintf(id, sizeof id, "%s", strchr(meters[_i].flags_and_id, ' ') + 1);
    snprintf(want, sizeof want, MP("000a", "%s" "00000000"), id);
    ask(want);
    m = expect(&bed.c, 19, &len);
    len -= 16 + 2;
    snprintf(want, sizeof want, "%s%s", meters[_i].flags_and_id,
             meters[_i].bands);
    ck_assert_str_eq(hex_of(m + 18, len), hex_plain(want));
}
END_TEST

START_TEST(test_meter_refusals_have_their_codes_and_change_nothing)
{
    static const struct {
        const char *hex;
        unsigned code;
    } bad[] = {
        { MOD("0000", "0001", "00000001", BAND_1M), 1 },  /* EXISTS */
        { MOD("0000", "0001", "00000000", BAND_1M), 2 },  /* INVALID */
        { MOD("0000", "0001", "ffff0001", BAND_1M), 2 },
        { MOD("0000", "0001", "ffffffff", BAND_1M), 2 },
        { MOD("0001", "0001", "ffffffff", BAND_1M), 2 },
        { MOD("0002", "0001", "00000000", ""), 2 },
        { MOD("0002", "0001", "ffff0001", ""), 2 },
        { MOD("0001", "0001", "00000009", BAND_1M), 3 },  /* UNKNOWN */
        { MOD("0003", "0001", "00000009", BAND_1M), 4 },  /* BAD_COMMAND */
        { MOD("0000", "0003", "00000009", BAND_1M), 5 },  /* BAD_FLAGS */
        { MOD("0000", "0011", "00000009", BAND_1M), 5 },
        { MOD("0001", "8001", "00000001", BAND_1M), 5 },
        { MOD("0000", "0001", "00000009",
              DROP_BAND("00000000", "00000000")), 6 },    /* BAD_RATE */
        { MOD("0001", "0001", "00000001",
              DROP_BAND("00000000", "00000000")), 6 },
        { MOD("0000", "0001", "00000009",
              "ffff 0010 00000001 00000000 00002320"), 8 }, /* BAD_BAND */
        { MOD("0000", "0001", "00000009",
              "0003 0010 00000001 00000000 00000000"), 8 },
        { MOD("0000", "0001", "00000009",
              REMARK("00000001", "00000000", "04")), 9 }, /* BAND_VALUE */
        { MP("0009", "00000009" "00000000"), 3 },
        { MP("000a", "00000009" "00000000"), 3 },
    };
    const struct dummy_meter *m;

    ask_ok(MOD("0000", "0001", "00000001", BAND_1M));
    m = dummy_meter(bed.dpb, 1);
    ask(bad[_i].hex);
    expect_error(&bed.c, 12, bad[_i].code);
    expect_quiet(&bed.c);
    ck_assert_uint_eq(bed.dpb->n_meters, 1);
    ck_assert_uint_eq(m->n_sets, 1);
}
END_TEST

START_TEST(test_meter_given_17_bands_is_out_of_bands)
{
    char hex[2048] = MOD("0000", "0001", "00000001", "");

    for (unsigned i = 0; i < DP_METER_BANDS; i++)
        strcat(hex, BAND_1M);
    ask_ok(hex);
    ck_assert_uint_eq(dummy_meter(bed.dpb, 1)->n_bands, DP_METER_BANDS);
    strcat(hex, BAND_1M);
    ask(hex);
    expect_error(&bed.c, 12, 11);
}
END_TEST

START_TEST(test_meter_without_memory_in_the_datapath_is_out_of_meters)
{
    bed.dp->fail_meter_set = -ENOMEM;
    ask(MOD("0000", "0001", "00000001", BAND_1M));
    expect_error(&bed.c, 12, 10);
    bed.dp->fail_meter_set = 0;
    ask_ok(MOD("0000", "0001", "00000001", BAND_1M));
}
END_TEST

START_TEST(test_meter_65537_is_out_of_meters)
{
    struct ofp_meter_spec spec = { .flags = OFP_MTF_KBPS, .n_bands = 1,
                                   .bands = { { 1, 0, 5, 0 } } };

    for (spec.id = 1; spec.id <= OFP_MAX_METERS; spec.id++) {
        ck_assert_int_eq(ofp_meter_apply(bed.b, NULL, OFP_MC_ADD, &spec), 0);
        dp_meter_del(bed.dpb, spec.id); /* The dummy's are a list: slow. */
    }
    ck_assert_int_eq(ofp_meter_apply(bed.b, NULL, OFP_MC_ADD, &spec),
                     OFP_ERR_METER_OUT_OF_METERS);
    spec.id = OFP_METER_ALL;
    ck_assert_int_eq(ofp_meter_apply(bed.b, NULL, OFP_MC_DELETE, &spec), 0);
    spec.id = 70000;
    ck_assert_int_eq(ofp_meter_apply(bed.b, NULL, OFP_MC_ADD, &spec), 0);
}
END_TEST

START_TEST(test_meter_modify_replaces_and_keeps_age_and_counters)
{
    size_t len;
    const uint8_t *m;

    ask_ok(MOD("0000", "0009", "00000001", BAND_1M));
    dummy_meter(bed.dpb, 1)->in
        = (struct dp_stats) { .packets = 5, .bytes = 500 };
    dummy_meter(bed.dpb, 1)->band_stats[0]
        = (struct dp_stats) { .packets = 2, .bytes = 200 };
    bed.now_ns += 2500000000;
    ask_ok(MOD("0001", "000a", "00000001", DROP_BAND("00000007", "00000000")));
    ck_assert_uint_eq(dummy_meter(bed.dpb, 1)->bands[0].rate, 7);
    FM(.instr = METER1 OUT1);
    FM(.priority = 2, .instr = METER1 OUT1);
    FM(.priority = 3, .instr = METER1 OUT2);
    FM(.priority = 4, .instr = OUT2);
    bed_settle();
    ask(MP("0009", "00000001" "00000000"));
    m = expect(&bed.c, 19, &len);
    ck_assert_str_eq(
        hex_of(m, len),
        hex_plain("0413 0048 00000099 0009 0000 00000000"
                  "00000001 0038 000000000000 00000003"
                  "0000000000000005 00000000000001f4"
                  "00000002 1dcd6500"
                  "0000000000000002 00000000000000c8"));
}
END_TEST

START_TEST(test_meter_delete_takes_its_flows_and_no_others)
{
    size_t len;
    const uint8_t *m;

    ask_ok(MOD("0000", "0001", "00000001", BAND_1M));
    ask_ok(MOD("0000", "0001", "00000002", BAND_1M));
    FM(.priority = 1, .flags = 1, .instr = METER1 OUT1);
    FM(.priority = 2, .flags = 1, .instr = FLOWS_OF_METER_2 OUT1);
    FM(.priority = 3, .flags = 1, .instr = OUT1);
    FM(.priority = 4, .table = 7, .flags = 1, .instr = METER1 OUT2);
    bed_settle();
    ask(MOD("0002", "0000", "00000001", ""));
    m = expect(&bed.c, 11, &len); /* FLOW_REMOVED; 1.3 knows DELETE only. */
    ck_assert_uint_eq(get_be16(m + 16), 1);
    ck_assert_uint_eq(m[18], 2);
    m = expect(&bed.c, 11, &len);
    ck_assert_uint_eq(get_be16(m + 16), 4);
    expect_quiet(&bed.c);
    ck_assert_uint_eq(bed.dpb->n_rules, 2);
    ck_assert_ptr_null(dummy_meter(bed.dpb, 1));
    ck_assert_ptr_nonnull(dummy_meter(bed.dpb, 2));
    ask_ok(MOD("0002", "0000", "00000001", "")); /* No error, §7.3.4.4. */
    FM(.instr = METER1 OUT1);
    bed_settle();
    expect_error(&bed.c, 12, 3);
}
END_TEST

START_TEST(test_meter_delete_all_leaves_the_virtual_ones)
{
    ask_ok(MOD("0000", "0001", "00000001", BAND_1M));
    ask_ok(MOD("0000", "0001", "00000002", BAND_1M));
    ask_ok(MOD("0000", "0001", "fffffffe", BAND_1M));
    FM(.priority = 1, .instr = METER1 OUT1);
    FM(.priority = 2, .instr = FLOWS_OF_METER_2 OUT1);
    FM(.priority = 3, .instr = OUT1);
    bed_settle();
    ask_ok(MOD("0002", "0000", "ffffffff", ""));
    ck_assert_uint_eq(bed.dpb->n_meters, 1);
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
    ask_ok(MOD("0002", "0000", "fffffffe", ""));
    ck_assert_uint_eq(bed.dpb->n_meters, 0);
}
END_TEST

START_TEST(test_meter_delete_in_slices_lets_no_new_flow_name_it)
{
    struct mem_conn other;

    bed_session(&other, 4, false);
    ask_ok(MOD("0000", "0001", "00000001", BAND_1M));
    for (uint16_t i = 0; i < 5000; i++)
        FM(.priority = i, .instr = METER1 OUT1);
    bed_settle();
    ck_assert_uint_eq(bed.dpb->n_rules, 5000);
    mem_send_hex(&bed.c, MOD("0002", "0000", "00000001", ""));
    ofp_flush(bed.b);
    if (bed.dpb->n_rules) { /* Still at work: another controller is served. */
        send_fm(&other, &(struct fm) { .table = 1, .instr = METER1 OUT1 });
        ofp_flush(bed.b);
        expect_error(&other, 12, 3);
    }
    bed_settle();
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
    ck_assert_uint_eq(bed.dpb->n_meters, 0);
    mem_close(&other);
}
END_TEST

START_TEST(test_meter_delete_is_finished_though_its_session_goes)
{
    struct mem_conn other;

    bed_session(&other, 4, false);
    ask_ok(MOD("0000", "0001", "00000001", BAND_1M));
    for (uint16_t i = 0; i < 5000; i++)
        FM(.priority = i, .flags = 1, .instr = METER1 OUT1);
    bed_settle();
    mem_send_hex(&other, MOD("0002", "0000", "00000001", ""));
    mem_close(&other);
    bed_settle();
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
    ck_assert_uint_eq(bed.dpb->n_meters, 0);
}
END_TEST

START_TEST(test_meters_of_all_are_listed_ascending_over_several_messages)
{
    uint32_t last = 0, n = 0;
    struct weft_err e;
    char text[96];
    size_t len;
    bool more;

    for (uint32_t id = 2000; id; id--) {
        snprintf(text, sizeof text, "meter=%u,kbps,bands=type=drop,rate=5",
                 id * 31);
        ck_assert_int_eq(ofp_meter_command(bed.b, "add", text, &e), 0);
    }
    ask(MP("0009", "ffffffff" "00000000"));
    do {
        const uint8_t *m = expect(&bed.c, 19, &len);

        more = get_be16(m + 10) & 1;
        for (size_t at = 16; at < len; at += get_be16(m + at + 4), n++) {
            ck_assert_uint_gt(get_be32(m + at), last);
            last = get_be32(m + at);
        }
    } while (more);
    ck_assert_uint_eq(n, 2000);
    ck_assert_uint_eq(last, 62000);
    expect_quiet(&bed.c);
}
END_TEST

START_TEST(test_meter_features_are_golden)
{
    size_t len;
    const uint8_t *m;

    ask(MP("000b", ""));
    m = expect(&bed.c, 19, &len);
    ck_assert_str_eq(hex_of(m, len),
                     hex_plain("0413 0020 00000099 000b 0000 00000000"
                               "00010000 00000006 0000000f 10 00 0000"));
}
END_TEST

START_TEST(test_meter_instruction_comes_back_in_flow_stats)
{
    size_t len;
    const uint8_t *m;

    ask_ok(MOD("0000", "0001", "00000001", BAND_1M));
    FM(.instr = OUT1 METER1); /* Out of order on the wire. */
    ask(MP("0001", "ff000000ffffffffffffffff00000000"
           "000000000000000000000000000000000001000400000000"));
    m = expect(&bed.c, 19, &len);
    ck_assert_str_eq(hex_of(m + 16 + 56, len - 16 - 56),
                     hex_plain(METER1 OUT1));
}
END_TEST

/* ------------------------------------------------------------- interfaces */

START_TEST(test_meter_snapshot_restores_what_was)
{
    struct ofp_meter_undo *one, *all;
    struct weft_err e;

    ck_assert_int_eq(ofp_meter_command(
        bed.b, "add", "meter=1,kbps,bands=type=drop,rate=5", &e), 0);
    ck_assert_int_eq(ofp_meter_command(
        bed.b, "add", "meter=2,kbps,bands=type=drop,rate=6", &e), 0);
    all = ofp_meter_snapshot(bed.b, OFP_METER_ALL);
    one = ofp_meter_snapshot(bed.b, 1);
    ck_assert_int_eq(ofp_meter_command(
        bed.b, "mod", "meter=1,kbps,bands=type=drop,rate=50", &e), 0);
    ck_assert_int_eq(ofp_meter_command(bed.b, "del", "meter=2", &e), 0);
    ck_assert_int_eq(ofp_meter_command(
        bed.b, "add", "meter=3,pktps,bands=type=drop,rate=7", &e), 0);
    ofp_meter_restore(bed.b, one);
    ck_assert_uint_eq(dummy_meter(bed.dpb, 1)->bands[0].rate, 5);
    ck_assert_ptr_null(dummy_meter(bed.dpb, 2));
    ck_assert_ptr_nonnull(dummy_meter(bed.dpb, 3));
    ofp_meter_restore(bed.b, all);
    ck_assert_uint_eq(bed.dpb->n_meters, 2);
    ck_assert_uint_eq(dummy_meter(bed.dpb, 2)->bands[0].rate, 6);
    one = ofp_meter_snapshot(bed.b, 9); /* Was not there: goes. */
    ck_assert_int_eq(ofp_meter_command(
        bed.b, "add", "meter=9,kbps,bands=type=drop,rate=5", &e), 0);
    ofp_meter_restore(bed.b, one);
    ck_assert_ptr_null(dummy_meter(bed.dpb, 9));
    ofp_meter_undo_free(ofp_meter_snapshot(bed.b, OFP_METER_ALL));
    ofp_meter_undo_free(NULL);
}
END_TEST

static void
collect(void *arg, const struct ofp_meter_info *i)
{
    char *text = arg;

    sprintf(text + strlen(text), "%s|%s|%u|%zu;", i->name, i->text,
            i->flow_count, i->n_bands);
}

START_TEST(test_meter_commands_and_dump_speak_text)
{
    struct weft_err e = { "" };
    char text[512] = "";
    uint32_t next = 0;

    ck_assert_int_eq(ofp_meter_command(
        bed.b, "add", "meter=9,kbps,bands=type=drop,rate=5", &e), 0);
    ck_assert_int_eq(ofp_meter_command(
        bed.b, "add", "meter=controller,pktps,bands=type=drop,rate=5", &e),
        0);
    ck_assert_int_eq(ofp_meter_command(
        bed.b, "add", "meter=9,kbps,bands=type=drop,rate=5", &e), -EINVAL);
    ck_assert_ptr_nonnull(strstr(e.text, "METER_EXISTS"));
    ck_assert_int_eq(ofp_meter_command(bed.b, "put", "meter=9", &e),
                     -EINVAL);
    ck_assert_int_eq(ofp_meter_command(bed.b, "del", "metre=9", &e),
                     -EINVAL);
    ck_assert(ofp_meter_dump(bed.b, &next, 1, collect, text));
    ck_assert_uint_eq(next, DP_METER_CONTROLLER);
    ck_assert(!ofp_meter_dump(bed.b, &next, 5, collect, text));
    ck_assert_str_eq(
        text, "9|meter=9,kbps,bands=type=drop,rate=5|0|1;"
              "controller|meter=controller,pktps,bands=type=drop,rate=5|0|1;");
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("ofproto");
    TCase *tc = tcase_create("meters");
    SRunner *sr = srunner_create(s);
    int failed;

    suite_add_tcase(s, tc);
    tcase_add_checked_fixture(tc, bed_open, bed_close);
    tcase_add_test(
        tc, test_meter_add_reaches_the_datapath_and_flows_may_name_it);
    tcase_add_test(
        tc, test_meter_burst_without_its_flag_is_reported_but_not_used);
    tcase_add_loop_test(tc, test_meter_config_comes_back_byte_for_byte, 0, 6);
    tcase_add_loop_test(
        tc, test_meter_refusals_have_their_codes_and_change_nothing, 0, 19);
    tcase_add_test(tc, test_meter_given_17_bands_is_out_of_bands);
    tcase_add_test(
        tc, test_meter_without_memory_in_the_datapath_is_out_of_meters);
    tcase_add_test(tc, test_meter_65537_is_out_of_meters);
    tcase_add_test(tc,
                   test_meter_modify_replaces_and_keeps_age_and_counters);
    tcase_add_test(tc, test_meter_delete_takes_its_flows_and_no_others);
    tcase_add_test(tc, test_meter_delete_all_leaves_the_virtual_ones);
    tcase_add_test(tc, test_meter_delete_in_slices_lets_no_new_flow_name_it);
    tcase_add_test(tc,
                   test_meter_delete_is_finished_though_its_session_goes);
    tcase_add_test(
        tc, test_meters_of_all_are_listed_ascending_over_several_messages);
    tcase_add_test(tc, test_meter_features_are_golden);
    tcase_add_test(tc, test_meter_instruction_comes_back_in_flow_stats);
    tcase_add_test(tc, test_meter_snapshot_restores_what_was);
    tcase_add_test(tc, test_meter_commands_and_dump_speak_text);
    tcase_set_timeout(tc, 60);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
