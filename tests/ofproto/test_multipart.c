/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "ofproto": multipart replies of 1.3, actions there and back,
 * packet-out, port-mod, groups and meters. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/ofproto/agent_bed.h"
#include "weft/be.h"

#define MP(type, body) "0412 0000 00000099 " type "0000 00000000" body
#define FLOW_BODY(table, port, cookie, mask)                                  \
    table "000000" port "ffffffff" "00000000" cookie mask "0001000400000000"
#define ALL_FLOWS                                                             \
    MP("0001", FLOW_BODY("ff", "ffffffff", "0000000000000000",                \
                         "0000000000000000"))

static void
ask(const char *hex)
{
    mem_send_hex(&bed.c, hex);
    bed_settle();
}

START_TEST(test_desc_names_the_switch)
{
    size_t len;
    const uint8_t *m;

    ask(MP("0000", ""));
    m = expect(&bed.c, 19, &len);
    ck_assert_uint_eq(len, 16 + 4 * 256 + 32);
    ck_assert_str_eq((const char *) m + 16, "Weft");
    ck_assert_str_eq((const char *) m + 16 + 3 * 256 + 32, "br0");
}
END_TEST

START_TEST(test_flow_stats_given_one_rule_is_golden)
{
    size_t len;
    const uint8_t *m;

    FM(.table = 4, .priority = 9, .cookie = 0xc0, .idle = 5, .hard = 60,
       .flags = 1, .match = OXM_IN_PORT1, .instr = OUT2);
    dummy_rule_nth(bed.dpb, 0)->stats
        = (struct dp_stats) { .packets = 7, .bytes = 700 };
    bed.now_ns += 1500000000;
    ask(ALL_FLOWS);
    m = expect(&bed.c, 19, &len);
    ck_assert_str_eq(
        hex_of(m, len),
        hex_plain("04130068" "00000099" "0001" "0000" "00000000"
                  "0058" "04" "00" "00000001" "1dcd6500" "0009" "0005" "003c"
                  "0001" "00000000" "00000000000000c0" "0000000000000007"
                  "00000000000002bc" "0001000c" OXM_IN_PORT1 "00000000" OUT2));
    expect_quiet(&bed.c);
}
END_TEST

/* Instructions that come back byte for byte, in the order of execution. */
static const struct {
    const char *match, *instr;
} round_trip[] = {
    { "", "" }, /* drop */
    { "", OUT1 },
    { "", "0004002800000000" ACTION_OUT1 "00000010fffffffd0080000000000000" },
    { "", APPLY_OUTPUT("fffffff8") },
    { "", APPLY_OUTPUT("fffffffa") },
    { "", APPLY_OUTPUT("fffffffb") },
    { "", APPLY_OUTPUT("fffffffc") },
    { "", APPLY_OUTPUT("fffffffe") },
    { "", "0004001800000000" "0000001000000002" "0040000000000000" },
    /* push_vlan, set_field vlan_vid, pop_vlan. */
    { "", "0004003000000000" "0011000888a80000"
          "0019001080000c02" "1064000000000000" "0012000800000000"
          "001500080000000b" },
    { "80000d0410001000", "0004001000000000" "0012000800000000" },
    { OXM_IP, "0004001800000000" "0017000840000000" "0018000800000000" },
    { "80000a028847", "0004004000000000" "000c000800000000"
                      "000b000800000000" "000f000840000000"
                      "0010000800000000" "0019001080004404" "00000010" "00000000"
                      "0014000808000000" },
    { OXM_IP, "0004001000000000" "0013000888470000" },
    { "", "0004001800000000" "001a000888e70000" "001b000800000000" },
    { "", "0004002000000000" "001a000888e70000" "0019001080004a03"
          "0012340000000000" },
    /* Set fields of many widths. */
    { OXM_TCP, "0004001800000000" "0019001080001a02" "0050000000000000" },
    { OXM_TCP, "0004001800000000" "0019001080001001" "0a00000000000000" },
    { OXM_TCP, "0004001800000000" "0019001080001201" "0300000000000000" },
    { OXM_TCP, "0004001800000000" "0019001080001604" "c000020100000000" },
    { "", "0004001800000000" "0019001080000606" "0200000000010000" },
    { "", "0004001800000000" "0019001080000a02" "0800000000000000" },
    { "", "0004001800000000" "0019001080004c08" "0000000000001389" },
    { "", "0004001800000000" "0019001000013e04" "c000020100000000" },
    { "80000a0286dd", "0004002000000000" "0019001880003410"
                      "20010db8000000000000000000000001" },
    { "80000a0286dd", "0004001800000000" "0019001080003804"
                      "000abcde00000000" },
    { "80000a020806", "0004001800000000" "0019001080002a02"
                      "0002000000000000" },
    { "80000a020806", "0004001800000000" "0019001080003006"
                      "0200000000010000" },
    { "80000c021064", "0004001800000000" "0019001080000e01"
                      "0500000000000000" },
    /* All instructions. */
    { "", OUT1 "0005000800000000" "0003001800000000" ACTION_OUT1
          "0002001800000000" "00000000000000aa" "00000000000000ff"
          "0001000807000000" },
};

START_TEST(test_flow_stats_give_back_every_action_as_it_came)
{
    const char *match = round_trip[_i].match, *instr = round_trip[_i].instr;
    size_t len, n = strlen(hex_plain(match)) / 2, at;
    const uint8_t *m;

    FM(.table = 4, .priority = 9, .match = match, .instr = instr);
    expect_quiet(&bed.c);
    ask(ALL_FLOWS);
    m = expect(&bed.c, 19, &len);
    at = 16 + 48 + (4 + n + 7) / 8 * 8;
    ck_assert_uint_ge(len, at);
    ck_assert_str_eq(hex_of(m + at, len - at), hex_plain(instr));
    ck_assert_uint_eq(get_be16(m + 16), len - 16);
    if (n)
        ck_assert_str_eq(hex_of(m + 16 + 52, n), hex_plain(match));
}
END_TEST

START_TEST(test_flow_stats_filter_like_a_delete)
{
    size_t len;

    FM(.table = 1, .priority = 1, .cookie = 1, .match = OXM_TCP,
       .instr = OUT1);
    FM(.table = 2, .priority = 1, .cookie = 2, .match = OXM_IP,
       .instr = OUT2);
    ask(MP("0001", FLOW_BODY("01", "ffffffff", "0000000000000000",
                             "0000000000000000")));
    ck_assert_uint_eq(expect(&bed.c, 19, &len)[18], 1);
    ask(MP("0001", FLOW_BODY("ff", "00000002", "0000000000000000",
                             "0000000000000000")));
    ck_assert_uint_eq(expect(&bed.c, 19, &len)[18], 2);
    ask(MP("0001", FLOW_BODY("ff", "ffffffff", "0000000000000001",
                             "00000000000000ff")));
    ck_assert_uint_eq(expect(&bed.c, 19, &len)[18], 1);
    ask(MP("0001", FLOW_BODY("09", "ffffffff", "0000000000000000",
                             "0000000000000000")));
    expect(&bed.c, 19, &len);
    ck_assert_uint_eq(len, 16);
    ask(MP("0001", FLOW_BODY("fe", "ffffffff", "0000000000000000",
                             "0000000000000000")));
    expect_error(&bed.c, 1, 9);
}
END_TEST

START_TEST(test_aggregate_stats_sum_up)
{
    size_t len;
    const uint8_t *m;

    for (uint16_t i = 1; i <= 3; i++)
        FM(.priority = i, .match = OXM_IP, .instr = OUT1);
    for (unsigned i = 0; i < 3; i++)
        dummy_rule_nth(bed.dpb, i)->stats
            = (struct dp_stats) { .packets = 10, .bytes = 1000 };
    ask(MP("0002", FLOW_BODY("ff", "00000001", "0000000000000000",
                             "0000000000000000")));
    m = expect(&bed.c, 19, &len);
    ck_assert_str_eq(hex_of(m + 16, len - 16),
                     "000000000000001e" "0000000000000bb8" "00000003"
                     "00000000");
}
END_TEST

START_TEST(test_flow_stats_of_many_rules_are_split_and_pause)
{
    enum { N = 3000 };
    unsigned flows = 0, parts = 0;
    const uint8_t *m;
    size_t len;
    bool more = true;

    for (unsigned i = 0; i < N; i++) {
        char match[64];

        snprintf(match, sizeof match, OXM_IP "80001804%08x", i);
        FM(.priority = 1, .match = match, .instr = OUT1);
    }
    bed.c.queued = 100 << 20; /* The controller does not read. */
    ask(ALL_FLOWS);
    ck_assert_uint_eq(mem_pending(&bed.c), 0);
    mem_send_hex(&bed.c, "0414 0000 00000005");
    bed.c.queued = 0;
    bed.c.agent->writable(bed.c.session);
    bed_settle();
    while (more) {
        m = expect(&bed.c, 19, &len);
        parts++;
        ck_assert_uint_eq(get_be32(m + 4), 0x99);
        more = get_be16(m + 10) & 1; /* REPLY_MORE */
        for (size_t at = 16; at < len; at += get_be16(m + at))
            flows++;
    }
    ck_assert_uint_eq(flows, N);
    ck_assert_uint_ge(parts, N * 100 / 65535);
    expect(&bed.c, 21, NULL); /* The barrier came after the reply. */
    expect_quiet(&bed.c);
}
END_TEST

START_TEST(test_flow_stats_given_rules_that_go_meanwhile_are_consistent)
{
    struct mem_conn other;
    unsigned flows = 0;
    const uint8_t *m;
    size_t len;

    for (unsigned i = 0; i < 3000; i++) {
        char match[64];

        snprintf(match, sizeof match, OXM_IP "80001804%08x", i);
        FM(.priority = 1, .match = match, .instr = OUT1);
    }
    bed_session(&other, 4, false);
    mem_send_hex(&other, ALL_FLOWS); /* Its first slice ran. */
    FM(.command = 3, .table = 0xff);
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
    bed_settle();
    do {
        m = expect(&other, 19, &len);
        for (size_t at = 16; at < len; at += get_be16(m + at))
            flows++;
    } while (get_be16(m + 10) & 1);
    ck_assert_uint_gt(flows, 0);
    ck_assert_uint_le(flows, 3000);
    mem_close(&other);
}
END_TEST

START_TEST(test_table_stats_have_every_table)
{
    size_t len;
    const uint8_t *m;

    FM(.table = 2, .priority = 1, .instr = OUT1);
    bed.dpb->table_info[2].lookups = 50;
    bed.dpb->table_info[2].matches = 40;
    ask(MP("0003", ""));
    m = expect(&bed.c, 19, &len);
    ck_assert_uint_eq(len, 16 + 254 * 24);
    ck_assert_str_eq(hex_of(m + 16 + 2 * 24, 24),
                     "02000000" "00000001" "0000000000000032"
                     "0000000000000028");
}
END_TEST

START_TEST(test_port_stats_and_descriptions)
{
    size_t len;
    const uint8_t *m;

    dummy_port(bed.dpb, 2)->stats
        = (struct dp_port_stats) { 1, 2, 3, 4, 5, 6, 7, 8 };
    ask(MP("0004", "00000002" "00000000"));
    m = expect(&bed.c, 19, &len);
    ck_assert_uint_eq(len, 16 + 112);
    ck_assert_uint_eq(get_be32(m + 16), 2);
    static const uint64_t want[] = { 1, 5, 2, 6, 3, 7, 4, 8 };
    for (unsigned i = 0; i < 8; i++)
        ck_assert_uint_eq(get_be64(m + 24 + 8 * i), want[i]);
    ask(MP("0004", "ffffffff" "00000000"));
    expect(&bed.c, 19, &len);
    ck_assert_uint_eq(len, 16 + 3 * 112); /* 1, 2 and LOCAL. */
    ask(MP("0004", "00000063" "00000000"));
    expect_error(&bed.c, 1, 11);
    ask(MP("000d", ""));
    m = expect(&bed.c, 19, &len);
    ck_assert_uint_eq(len, 16 + 3 * 64);
    ck_assert_uint_eq(get_be32(m + 16 + 2 * 64), 0xfffffffe);
    ck_assert_str_eq((const char *) m + 16 + 2 * 64 + 16, "br0");
}
END_TEST

START_TEST(test_table_features_describe_every_table)
{
    unsigned tables = 0;
    bool more = true;

    ask(MP("000c", ""));
    while (more) {
        size_t len;
        const uint8_t *m = expect(&bed.c, 19, &len);

        more = get_be16(m + 10) & 1;
        for (size_t at = 16; at < len; at += get_be16(m + at)) {
            size_t end = at + get_be16(m + at);

            ck_assert_uint_eq(m[at + 2], tables++);
            ck_assert_uint_le(end, len);
            for (size_t p = at + 64; p < end;
                 p += (get_be16(m + p + 2) + 7u) / 8 * 8)
                ck_assert_uint_ge(get_be16(m + p + 2), 4);
        }
    }
    ck_assert_uint_eq(tables, 254);
    expect_quiet(&bed.c);
}
END_TEST

START_TEST(test_table_mod_and_features_set)
{
    uint8_t set[16 + 64] = { 4, 18, 0, 0, 0, 0, 0, 1, 0, 12 };

    ask("0411 0000 00000001 05 000000 00000000");
    expect_quiet(&bed.c);
    ask("0411 0000 00000001 fe 000000 00000000");
    expect_error(&bed.c, 8, 0);
    ask("0411 0000 00000001 05 000000 00000010");
    expect_error(&bed.c, 8, 1);
    set[17] = 64;
    mem_send(&bed.c, set, sizeof set);
    expect_error(&bed.c, 13, 5);
}
END_TEST

START_TEST(test_meters_are_refused_as_the_specification_says)
{
    static const struct {
        const char *hex;
        int type, code; /* -1: silence. */
    } mods[] = {
        { "041d 0000 00000001 0001 0001 00000001", 12, 3 },
        { "041d 0000 00000001 0002 0001 ffffffff", -1, 0 },
        { "041d 0000 00000001 0000 0001 00000000", 12, 2 },
        { "041d 0000 00000001 0007 0001 00000001", 12, 4 },
        { MP("0009", "00000001" "00000000"), 12, 3 },
        { MP("000a", "00000001" "00000000"), 12, 3 },
    };

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(mods); i++) {
        ask(mods[i].hex);
        if (mods[i].type >= 0)
            expect_error(&bed.c, (unsigned) mods[i].type,
                         (unsigned) mods[i].code);
        expect_quiet(&bed.c);
    }
}
END_TEST

START_TEST(test_groups_meters_and_queues_are_listed_as_none)
{
    static const struct {
        const char *hex;
        size_t len;
    } asks[] = {
        { MP("0006", "fffffffc" "00000000"), 16 },
        { MP("0007", ""), 16 },
        { MP("0009", "ffffffff" "00000000"), 16 },
        { MP("000a", "ffffffff" "00000000"), 16 },
        { MP("0005", "ffffffff" "ffffffff"), 16 },
    };

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(asks); i++) {
        size_t len;
        const uint8_t *m;

        ask(asks[i].hex);
        m = expect(&bed.c, 19, &len);
        ck_assert_uint_eq(len, asks[i].len);
        for (size_t at = 16; at < len; at++)
            ck_assert_uint_eq(m[at], 0);
    }
}
END_TEST

START_TEST(test_queues_given_bad_port_or_queue_are_refused)
{
    size_t len;

    ask("0416 0000 00000001 00000001 00000000");
    expect(&bed.c, 23, &len);
    ck_assert_uint_eq(len, 16);
    ask("0416 0000 00000001 00000063 00000000");
    expect_error(&bed.c, 9, 0);
    ask(MP("0005", "00000063" "ffffffff"));
    expect_error(&bed.c, 9, 0);
    ask(MP("0005", "00000001" "00000005"));
    expect_error(&bed.c, 9, 1);
}
END_TEST

/* ------------------------------------------------------------- packet-out */

#define FRAME "020000000001" "020000000002" "0800" "00112233"
#define PACKET_OUT(buffer, port, len, actions, data)                          \
    "040d 0000 00000044" buffer port len "000000000000" actions data

START_TEST(test_packet_out_hands_frame_and_ops_on)
{
    struct dummy_packet_out *po;

    ask(PACKET_OUT("ffffffff", "fffffffd", "0010", ACTION_OUT1, FRAME));
    expect_quiet(&bed.c);
    po = dummy_last_packet_out(bed.dpb);
    ck_assert_ptr_nonnull(po);
    ck_assert_uint_eq(po->in_port, DP_PORT_CONTROLLER);
    ck_assert_str_eq(hex_of(po->data, po->len), FRAME);
    ck_assert_uint_eq(po->ops.n_words, 1);
    ck_assert_uint_eq(po->ops.ops->code, DP_OP_OUTPUT);
    ask(PACKET_OUT("ffffffff", "00000001", "0010",
                   "00000010fffffff90000000000000000", FRAME));
    po = dummy_last_packet_out(bed.dpb);
    ck_assert_uint_eq(po->ops.ops->code, DP_OP_TABLE);
    ck_assert_uint_eq(po->in_port, 1);
    expect_quiet(&bed.c);
}
END_TEST

/* §6.1.1: "an empty list of actions drops the packet". */
START_TEST(test_packet_out_without_actions_drops_whatever_it_is)
{
    ask(PACKET_OUT("ffffffff", "fffffffd", "0000", "", FRAME));
    ask(PACKET_OUT("ffffffff", "00000000", "0000", "", ""));
    expect_quiet(&bed.c);
    ck_assert_uint_eq(bed.dpb->n_packet_outs, 0);
    ask(PACKET_OUT("00000001", "fffffffd", "0000", "", ""));
    expect_error(&bed.c, 1, 8);
    ask(PACKET_OUT("ffffffff", "ffffffff", "0000", "", FRAME));
    expect_error(&bed.c, 1, 11);
}
END_TEST

START_TEST(test_packet_out_given_each_fault_is_refused)
{
    static const struct {
        const char *hex;
        unsigned type, code;
    } cases[] = {
        { PACKET_OUT("00000001", "fffffffd", "0010", ACTION_OUT1, ""), 1, 8 },
        { PACKET_OUT("ffffffff", "ffffffff", "0010", ACTION_OUT1, FRAME), 1,
          11 },
        { PACKET_OUT("ffffffff", "00000000", "0010", ACTION_OUT1, FRAME), 1,
          11 },
        { PACKET_OUT("ffffffff", "fffffffb", "0010", ACTION_OUT1, FRAME), 1,
          11 },
        { PACKET_OUT("ffffffff", "fffffffd", "0010", ACTION_OUT1, "0200"), 1,
          12 },
        { PACKET_OUT("ffffffff", "fffffffd", "0008", "0016000800000001",
                     FRAME), 2, 9 },
        { PACKET_OUT("ffffffff", "fffffffd", "0010",
                     "00000010000000000000000000000000", FRAME), 2, 4 },
    };

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(cases); i++) {
        ask(cases[i].hex);
        expect_error(&bed.c, cases[i].type, cases[i].code);
    }
    ck_assert_uint_eq(bed.dpb->n_packet_outs, 0);
}
END_TEST

/* --------------------------------------------------------------- port-mod */

#define PORT_MOD(port, mac, config, mask, adv)                                \
    "0410 0000 00000055" port "00000000" mac "0000" config mask adv           \
    "00000000"
#define MAC2 "020000000002"

START_TEST(test_port_mod_changes_config_and_all_hear_of_it)
{
    const uint8_t *m;

    ask(PORT_MOD("00000002", MAC2, "00000060", "00000020", "00000000"));
    ck_assert_uint_eq(dummy_port(bed.dpb, 2)->config, DP_PC_NO_FWD);
    m = expect(&bed.c, 12, NULL);
    ck_assert_uint_eq(m[8], 2);
    ck_assert_uint_eq(get_be32(m + 48), DP_PC_NO_FWD);
    ask(PORT_MOD("00000063", MAC2, "00000000", "00000000", "00000000"));
    expect_error(&bed.c, 7, 0);
    ask(PORT_MOD("00000002", "020000000009", "00000000", "00000000",
                 "00000000"));
    expect_error(&bed.c, 7, 1);
    ask(PORT_MOD("00000002", MAC2, "00000010", "00000010", "00000000"));
    expect_error(&bed.c, 7, 2); /* NO_FLOOD is of 1.0. */
    ask(PORT_MOD("00000002", MAC2, "00000000", "00000000", "00000001"));
    expect_error(&bed.c, 7, 3);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("ofproto");
    TCase *tc = tcase_create("multipart");
    SRunner *sr;
    int failed;

    tcase_add_checked_fixture(tc, bed_open, bed_close);
    tcase_add_test(tc, test_desc_names_the_switch);
    tcase_add_test(tc, test_flow_stats_given_one_rule_is_golden);
    tcase_add_loop_test(tc,
                        test_flow_stats_give_back_every_action_as_it_came, 0,
                        WEFT_ARRAY_LEN(round_trip));
    tcase_add_test(tc, test_flow_stats_filter_like_a_delete);
    tcase_add_test(tc, test_aggregate_stats_sum_up);
    tcase_add_test(tc, test_flow_stats_of_many_rules_are_split_and_pause);
    tcase_add_test(
        tc, test_flow_stats_given_rules_that_go_meanwhile_are_consistent);
    tcase_add_test(tc, test_table_stats_have_every_table);
    tcase_add_test(tc, test_port_stats_and_descriptions);
    tcase_add_test(tc, test_table_features_describe_every_table);
    tcase_add_test(tc, test_table_mod_and_features_set);
    tcase_add_test(
        tc, test_meters_are_refused_as_the_specification_says);
    tcase_add_test(tc, test_groups_meters_and_queues_are_listed_as_none);
    tcase_add_test(tc, test_queues_given_bad_port_or_queue_are_refused);
    tcase_add_test(tc, test_packet_out_hands_frame_and_ops_on);
    tcase_add_test(tc, test_packet_out_without_actions_drops_whatever_it_is);
    tcase_add_test(tc, test_packet_out_given_each_fault_is_refused);
    tcase_add_test(tc, test_port_mod_changes_config_and_all_hear_of_it);
    suite_add_tcase(s, tc);
    sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
