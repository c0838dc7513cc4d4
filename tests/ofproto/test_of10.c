/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "ofproto": sessions that speak OpenFlow 1.0, alone and beside 1.3. */
#include <check.h>
#include <stdlib.h>

#include "tests/ofproto/agent_bed.h"
#include "weft/be.h"

static struct mem_conn c10;

static void
setup(void)
{
    bed_open();
    bed_session(&c10, 1, false);
    mem_drain(&bed.c);
}

static void
teardown(void)
{
    mem_close(&c10);
    bed_close();
}

static void
ask(const char *hex)
{
    mem_send_hex(&c10, hex);
    bed_settle();
}

/* Match: wildcards and the rest; see OpenFlow 1.0.0 §5.2.3. */
#define ANY "003fffff" "0000" "000000000000" "000000000000" "0000" "00" "00"  \
            "0000" "00" "00" "0000" "00000000" "00000000" "0000" "0000"
#define PORT1 "003820fe" "0001" "000000000000" "000000000000" "0000" "00"     \
              "00" "0000" "00" "00" "0000" "00000000" "00000000" "0000" "0000"
#define UDP "003820cf" "0000" "000000000000" "000000000000" "0000" "00" "00"  \
            "0800" "00" "11" "0000" "00000000" "00000000" "0000" "0000"
/* Cookie, command, idle, hard, priority, buffer, out_port, flags. */
#define FLOW(match, cookie, command, prio, out_port, flags, actions)          \
    "010e 0000 00000066" match "00000000000000" cookie command "0000" "0000"  \
    prio "ffffffff" out_port flags actions
#define OUT2_10 "0000000800020000"

START_TEST(test_of10_flow_add_lands_in_table_0)
{
    struct dp_rule *r;

    ask(FLOW(PORT1, "aa", "0000", "0064", "ffff", "0000", OUT2_10));
    expect_quiet(&c10);
    r = dummy_rule_nth(bed.dpb, 0);
    ck_assert_ptr_nonnull(r);
    ck_assert_uint_eq(r->table, 0);
    ck_assert_uint_eq(r->priority, 100);
    ck_assert_uint_eq(be32_to(r->match.key.in_port), 1);
    ck_assert_uint_eq(r->instr.apply.ops->arg, 2);
    ck_assert_uint_eq(r->instr.goto_table, DP_NO_TABLE);
}
END_TEST

START_TEST(test_of10_modify_of_nothing_adds_and_sets_the_cookie)
{
    ask(FLOW(PORT1, "01", "0001", "0064", "ffff", "0000", OUT2_10));
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
    ask(FLOW(ANY, "02", "0001", "0001", "ffff", "0000", "0000000800010000"));
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
    ck_assert_uint_eq(dummy_rule_nth(bed.dpb, 0)->cookie, 2);
    ask(FLOW(ANY, "03", "0002", "0001", "ffff", "0000", OUT2_10));
    ck_assert_uint_eq(bed.dpb->n_rules, 2);
}
END_TEST

START_TEST(test_of10_add_identical_clears_the_counters)
{
    ask(FLOW(PORT1, "01", "0000", "0064", "ffff", "0000", OUT2_10));
    dummy_rule_nth(bed.dpb, 0)->stats.packets = 5;
    ask(FLOW(PORT1, "01", "0000", "0064", "ffff", "0000", OUT2_10));
    ck_assert_uint_eq(dummy_rule_nth(bed.dpb, 0)->stats.packets, 0);
}
END_TEST

START_TEST(test_of10_delete_by_out_port_and_flow_removed)
{
    size_t len;
    const uint8_t *m;

    ask(FLOW(PORT1, "05", "0000", "0064", "ffff", "0001", OUT2_10));
    ask(FLOW(ANY, "00", "0003", "0000", "0009", "0000", ""));
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
    ask(FLOW(ANY, "00", "0003", "0000", "0002", "0000", ""));
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
    m = expect(&c10, 11, &len);
    ck_assert_uint_eq(len, 88);
    ck_assert_str_eq(hex_of(m + 8, 56),
                     hex_plain(PORT1 "0000000000000005" "0064" "02" "00"
                               "00000000"));
    expect(&bed.c, 11, NULL); /* The 1.3 session as well. */
}
END_TEST

/* Actions, all twelve of 1.0 (§5.2.4), come back as they came. */
#define ALL_ACTIONS                                                           \
    "0001000800640000" "0002000805000000" "0003000800000000"                  \
    "0004001002000000000a000000000000" "0005001002000000000b000000000000"     \
    "000600080a000001" "000700080a000002" "0008000828000000"                  \
    "0009000800500000" "000a000800510000"                                     \
    "000b0010000200000000000000000007" "00000008fffd0080" "00000008fffb0000"

START_TEST(test_of10_flow_stats_give_back_every_action)
{
    size_t len;
    const uint8_t *m;

    ask(FLOW(UDP, "00", "0000", "0064", "ffff", "0000", ALL_ACTIONS));
    expect_quiet(&c10);
    ask("0110 0000 00000099 0001 0000" ANY "ff 00 ffff");
    m = expect(&c10, 17, &len);
    ck_assert_uint_ge(len, 12 + 88);
    ck_assert_str_eq(hex_of(m + 12 + 4, 40), hex_plain(UDP));
    ck_assert_str_eq(hex_of(m + 12 + 88, len - 100), hex_plain(ALL_ACTIONS));
    ck_assert_uint_eq(dummy_rule_nth(bed.dpb, 0)->instr.apply.ops->code,
                      DP_OP_PUSH_VLAN);
    ck_assert_uint_eq(dummy_rule_nth(bed.dpb, 0)->instr.apply.ops->aux, 1);
}
END_TEST

START_TEST(test_of10_errors_have_its_numbers)
{
    static const struct {
        const char *hex;
        unsigned type, code;
    } cases[] = {
        { FLOW(ANY, "00", "0000", "0001", "ffff", "0004", ""), 3, 5 },
        { "010e 0000 00000001" ANY "0000000000000000 0000 0009 0000 0064"
          "ffffffff ffff 0004", 3, 3 }, /* Emergency flow that times out. */
        { FLOW(ANY, "00", "0009", "0001", "ffff", "0000", ""), 3, 4 },
        { FLOW(ANY, "00", "0000", "0001", "ffff", "0000", "0000000800000000"),
          2, 4 },
        { FLOW(ANY, "00", "0000", "0001", "ffff", "0000",
               "ffff0008" "00002321"), 2, 2 },
        { FLOW(ANY, "00", "0000", "0001", "ffff", "0000",
               "000100081fff0000"), 2, 5 },
        { FLOW(ANY, "00", "0000", "0001", "ffff", "0000",
               "0063000800000000"), 2, 0 },
        { "0104 0000 00000001 00002321", 1, 3 },
        { "0110 0000 00000001 0077 0000", 1, 2 },
        { "0118 0000 00000001", 1, 1 },
        { "010f 0000 00000001 0063 020000000001 00000000 00000000 00000000"
          "00000000", 4, 0 },
        { "010f 0000 00000001 0001 020000000009 00000000 00000000 00000000"
          "00000000", 4, 1 },
        { "0114 0000 00000001 0063 0000", 5, 0 },
    };

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(cases); i++) {
        ask(cases[i].hex);
        expect_error(&c10, cases[i].type, cases[i].code);
    }
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
}
END_TEST

START_TEST(test_of10_hello_with_a_body_is_passed_over)
{
    ask("0100 000f 00000001 4f70656e466c6f");
    expect_quiet(&c10);
    ask("0112 0000 00000009");
    expect(&c10, 19, NULL);
}
END_TEST

START_TEST(test_of10_overlap_has_its_own_code)
{
    ask(FLOW(PORT1, "00", "0000", "0064", "ffff", "0000", OUT2_10));
    ask(FLOW(ANY, "00", "0000", "0064", "ffff", "0002", OUT2_10));
    expect_error(&c10, 3, 1);
}
END_TEST

START_TEST(test_of10_features_list_the_ports)
{
    size_t len;
    const uint8_t *m;

    ask("0105 0000 00000021");
    m = expect(&c10, 6, &len);
    ck_assert_uint_eq(len, 32 + 3 * 48);
    ck_assert_uint_eq(get_be64(m + 8), UINT64_C(0x1122334455667788));
    ck_assert_uint_eq(get_be32(m + 28), 0xfff); /* All twelve actions. */
    ck_assert_uint_eq(get_be16(m + 32 + 2 * 48), 0xfffe);
}
END_TEST

START_TEST(test_of10_miss_goes_to_its_sessions_alone)
{
    static const uint8_t frame[64] = { 2 };
    struct dp_punt p = { .reason = DP_PUNT_NO_MATCH,
                         .in_port = 2,
                         .cookie = UINT64_MAX,
                         .max_len = 0xffff,
                         .total_len = 200,
                         .data = frame,
                         .len = sizeof frame };
    size_t len;
    const uint8_t *m;

    ck_assert_int_eq(bed.dpb->miss[0], DP_MISS_CONTROLLER);
    dummy_punt(bed.dpb, &p);
    m = expect(&c10, 10, &len);
    ck_assert_uint_eq(len, 18 + 64);
    ck_assert_str_eq(hex_of(m, 18), "010a0052" "00000000" "ffffffff" "00c8"
                                    "0002" "00" "00");
    expect_quiet(&bed.c);
    mem_close(&c10);
    bed_settle();
    ck_assert_int_eq(bed.dpb->miss[0], DP_MISS_DROP);
    bed_session(&c10, 1, true); /* A tool that asks one thing ... */
    ask("0110 0000 00000099 0000 0000");
    ck_assert_int_eq(bed.dpb->miss[0], DP_MISS_DROP);
    ask("0105 0000 00000021"); /* ... a controller. */
    ck_assert_int_eq(bed.dpb->miss[0], DP_MISS_CONTROLLER);
}
END_TEST

START_TEST(test_of10_packet_out_and_barrier)
{
    struct dummy_packet_out *po;

    ask("010d 0000 00000044 ffffffff ffff 0008" OUT2_10
        "020000000001" "020000000002" "0800");
    po = dummy_last_packet_out(bed.dpb);
    ck_assert_ptr_nonnull(po);
    ck_assert_uint_eq(po->in_port, DP_PORT_NONE);
    ask("0112 0000 00000045");
    ck_assert_uint_eq(get_be32(expect(&c10, 19, NULL) + 4), 0x45);
}
END_TEST

START_TEST(test_of10_port_mod_knows_no_flood)
{
    ask("010f 0000 00000001 0002 020000000002 00000010 00000010 00000000"
        "00000000");
    ck_assert_uint_eq(dummy_port(bed.dpb, 2)->config, DP_PC_NO_FLOOD);
    ck_assert_uint_eq(get_be32(expect(&c10, 12, NULL) + 16 + 24), 0x10);
    /* 1.3 has no such bit. */
    ck_assert_uint_eq(get_be32(expect(&bed.c, 12, NULL) + 48), 0);
}
END_TEST

START_TEST(test_of10_stats_of_every_kind_are_answered)
{
    static const struct {
        const char *hex;
        size_t len;
    } asks[] = {
        { "0110 0000 00000001 0000 0000", 12 + 4 * 256 + 32 },
        { "0110 0000 00000001 0002 0000" ANY "ff 00 ffff", 12 + 24 },
        { "0110 0000 00000001 0003 0000", 12 + 254 * 64 },
        { "0110 0000 00000001 0004 0000 ffff 000000000000", 12 + 3 * 104 },
        { "0110 0000 00000001 0004 0000 0050 000000000000", 12 },
        { "0110 0000 00000001 0005 0000 fffc 0000 ffffffff", 12 },
        { "0110 0000 00000001 0001 0000" ANY "fe 00 ffff", 12 },
    };

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(asks); i++) {
        size_t len;

        ask(asks[i].hex);
        expect(&c10, 17, &len);
        ck_assert_uint_eq(len, asks[i].len);
    }
}
END_TEST

/* ------------------------------------------------------- Nicira's roles */

#define NICIRA_ROLE(role) "0104 0000 00000012 00002320 0000000a 0000000" role

START_TEST(test_of10_nicira_role_master_makes_a_master_of_13_slave)
{
    size_t len;

    mem_send_hex(&bed.c, "0418 0000 00000011 00000002 00000000"
                         "0000000000000001"); /* Generation 1. */
    expect(&bed.c, 25, &len);
    ck_assert_str_eq(bed.c.role, "master");
    ask(NICIRA_ROLE("1"));
    ck_assert_str_eq(hex_of(expect(&c10, 4, &len), 20),
                     hex_plain("0104 0014 00000012 00002320 0000000b"
                               "00000001"));
    ck_assert_str_eq(c10.role, "master");
    ck_assert_str_eq(bed.c.role, "slave");
    ask(NICIRA_ROLE("2"));
    expect(&c10, 4, &len);
    ck_assert_str_eq(c10.role, "slave");
    ask(NICIRA_ROLE("0"));
    expect(&c10, 4, &len);
    ck_assert_str_eq(c10.role, "equal");
}
END_TEST

START_TEST(test_of10_nicira_role_unknown_or_of_another_vendor_is_refused)
{
    ask(NICIRA_ROLE("3"));
    expect_error(&c10, 1, 5);
    ask("0104 0000 00000012 00002320 0000000c 00000000");
    expect_error(&c10, 1, 4); /* OFPBRC_BAD_SUBTYPE */
    ask("0104 0000 00000012 00002321 0000000a 00000000");
    expect_error(&c10, 1, 3); /* OFPBRC_BAD_VENDOR */
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("ofproto");
    TCase *tc = tcase_create("of10");
    SRunner *sr;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_of10_flow_add_lands_in_table_0);
    tcase_add_test(tc, test_of10_modify_of_nothing_adds_and_sets_the_cookie);
    tcase_add_test(tc, test_of10_add_identical_clears_the_counters);
    tcase_add_test(tc, test_of10_delete_by_out_port_and_flow_removed);
    tcase_add_test(tc, test_of10_flow_stats_give_back_every_action);
    tcase_add_test(tc, test_of10_errors_have_its_numbers);
    tcase_add_test(tc, test_of10_hello_with_a_body_is_passed_over);
    tcase_add_test(tc, test_of10_overlap_has_its_own_code);
    tcase_add_test(tc, test_of10_features_list_the_ports);
    tcase_add_test(tc, test_of10_miss_goes_to_its_sessions_alone);
    tcase_add_test(tc, test_of10_packet_out_and_barrier);
    tcase_add_test(tc, test_of10_port_mod_knows_no_flood);
    tcase_add_test(tc, test_of10_stats_of_every_kind_are_answered);
    tcase_add_test(tc,
                   test_of10_nicira_role_master_makes_a_master_of_13_slave);
    tcase_add_test(
        tc, test_of10_nicira_role_unknown_or_of_another_vendor_is_refused);
    suite_add_tcase(s, tc);
    sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
