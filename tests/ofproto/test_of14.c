/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "ofproto": sessions that speak OpenFlow 1.4, alone and beside others.
 * Messages are written by hand from OpenFlow 1.4.1. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/ofproto/agent_bed.h"
#include "weft/be.h"

static struct mem_conn c14;

static void
setup(void)
{
    bed_open();
    bed_session(&c14, 5, false);
    mem_drain(&bed.c);
}

static void
teardown(void)
{
    mem_close(&c14);
    bed_close();
}

static void
ask(const char *hex)
{
    mem_send_hex(&c14, hex);
    bed_settle();
}

/* The next message on 'c' is exactly this. */
static void
expect_hex(struct mem_conn *c, const char *hex)
{
    size_t len;
    const uint8_t *m = mem_next(c, &len);

    ck_assert_msg(m, "nothing instead of %s", hex);
    ck_assert_str_eq(hex_of(m, len), hex_plain(hex));
}

/* table, command, priority, flags, importance; then match and instructions. */
#define FLOW(xid, table, command, prio, flags, importance, match, instr)      \
    "050e 0000" xid "0000000000000000 0000000000000000" table command         \
    "0000 0000" prio "ffffffff ffffffff ffffffff" flags importance match instr
#define ANY "0001 0004 00000000"
#define PORT1 "0001 000c 80000004 00000001 00000000"

/* ------------------------------------------------------------------ ports */

START_TEST(test_of14_port_desc_has_an_ethernet_property)
{
    const uint8_t *m;
    size_t len;

    ask("0512 0000 00000001 000d 0000 00000000");
    m = expect(&c14, 19, &len);
    ck_assert_uint_eq(len, 16 + 3 * 72);
    ck_assert_uint_eq(get_be16(m + 16 + 4), 72);   /* length */
    ck_assert_uint_eq(get_be16(m + 16 + 40), 0);   /* OFPPDPT_ETHERNET */
    ck_assert_uint_eq(get_be16(m + 16 + 42), 32);
}
END_TEST

START_TEST(test_of14_port_stats_have_length_and_ethernet_property)
{
    const uint8_t *m;
    size_t len;

    ask("0512 0000 00000001 0004 0000 00000000 00000001 00000000");
    m = expect(&c14, 19, &len);
    ck_assert_uint_eq(len, 16 + 120);
    ck_assert_uint_eq(get_be16(m + 16), 120);
    ck_assert_uint_eq(get_be32(m + 20), 1);
    ck_assert_uint_eq(get_be32(m + 16 + 80), 0x00000028);
}
END_TEST

static const char *
port_mod(const char *hw_addr, const char *props)
{
    static char hex[256];

    snprintf(hex, sizeof hex,
             "0510 0000 00000009 00000001 00000000 %s 0000 00000020 00000020"
             "%s", hw_addr, props);
    return hex;
}

START_TEST(test_of14_port_mod_takes_and_refuses_properties)
{
    static const struct {
        const char *props;
        unsigned type, code;
    } bad[] = {
        { "0001 0018 00000000 00000000 00000000 00000000 00000000", 14, 0 },
        { "0077 0008 00000000", 14, 0 },
        { "0000 0008 00000000 0000 0008 00000000", 14, 4 },
        { "ffff 000c 00002320 00000000 00000000", 14, 5 },
        { "0000 000c 00000000 00000000 00000000", 14, 1 },
        { "0000 0008 00000020", 7, 3 },
    };
    struct dp_port_info info;
    char mac[16];

    ck_assert_int_eq(dp_port_get(bed.dpb, 1, &info), 0);
    snprintf(mac, sizeof mac, "%s", hex_of(info.mac, 6));
    for (size_t i = 0; i < WEFT_ARRAY_LEN(bad); i++) {
        ask(port_mod(mac, bad[i].props));
        expect_error(&c14, bad[i].type, bad[i].code);
    }
    ask(port_mod(mac, "0000 0008 00000000"));
    mem_drain(&c14); /* Its port-status. */
    ck_assert_int_eq(dp_port_get(bed.dpb, 1, &info), 0);
    ck_assert_uint_eq(info.config, DP_PC_NO_FWD);
}
END_TEST

/* ------------------------------------------------------------------ flows */

START_TEST(test_of14_flow_stats_give_back_the_importance)
{
    const uint8_t *m;
    size_t len;

    ask(FLOW("00000001", "00", "00", "0064", "0000", "abcd", PORT1, ""));
    expect_quiet(&c14);
    ask("0512 0000 00000002 0001 0000 00000000 ff000000 ffffffff ffffffff"
        "00000000 0000000000000000 0000000000000000" ANY);
    m = expect(&c14, 19, &len);
    ck_assert_uint_eq(get_be16(m + 16 + 18 + 2), 0xabcd);
}
END_TEST

START_TEST(test_of14_doubled_instruction_has_its_own_code)
{
    ask(FLOW("00000001", "00", "00", "0064", "0000", "0000", ANY,
             "0005 0008 00000000 0005 0008 00000000"));
    expect_error(&c14, 3, 9); /* OFPBIC_DUP_INST */
}
END_TEST

/* -------------------------------------------------------------- packet-in */

static void
punt(enum dp_punt_reason reason, bool miss)
{
    static const uint8_t frame[60];
    struct dp_punt p = { .bridge = bed.dpb, .reason = reason, .in_port = 1,
                         .cookie = 7, .miss_rule = miss, .data = frame,
                         .len = sizeof frame, .total_len = sizeof frame };

    ofp_punt(bed.b, &p);
}

START_TEST(test_of14_packet_in_reasons_are_told_apart_and_old_ones_kept)
{
    static const struct {
        enum dp_punt_reason reason;
        bool miss;
        unsigned r14, r13;
    } cases[] = {
        { DP_PUNT_ACTION, false, 1, 1 },     { DP_PUNT_ACTION, true, 0, 0 },
        { DP_PUNT_ACTION_SET, false, 3, 1 }, { DP_PUNT_GROUP, false, 4, 1 },
        { DP_PUNT_PACKET_OUT, false, 5, 1 }, { DP_PUNT_ACTION_SET, true, 0, 0 },
    };

    for (size_t i = 0; i < WEFT_ARRAY_LEN(cases); i++) {
        punt(cases[i].reason, cases[i].miss);
        ck_assert_uint_eq(expect(&c14, 10, NULL)[14], cases[i].r14);
        ck_assert_uint_eq(expect(&bed.c, 10, NULL)[14], cases[i].r13);
    }
}
END_TEST

/* ------------------------------------------------------------- roles, async */

START_TEST(test_of14_displaced_master_gets_a_role_status)
{
    ask("0518 0000 00000011 00000002 00000000 0000000000000005");
    expect(&c14, 25, NULL);
    mem_send_hex(&bed.c, "0418 0000 00000012 00000002 00000000"
                         "0000000000000006");
    expect(&bed.c, 25, NULL);
    expect_hex(&c14, "051e 0018 00000000 00000003 00 000000"
                     "0000000000000006");
    ck_assert_str_eq(c14.role, "slave");
    expect_quiet(&bed.c);
}
END_TEST

#define ASYNC_DEFAULT                                                         \
    "0000 0008 00000000 0001 0008 0000003f 0002 0008 00000007"                \
    "0003 0008 00000007 0004 0008 00000000 0005 0008 0000003f"                \
    "0006 0008 00000007 0007 0008 00000007 0008 0008 00000000"                \
    "0009 0008 00000018 000a 0008 00000000 000b 0008 00000000"

START_TEST(test_of14_async_config_is_got_and_set_by_properties)
{
    ask("051a 0000 00000001");
    expect_hex(&c14, "051b 0068 00000001" ASYNC_DEFAULT);
    ask("051c 0000 00000002 0001 0008 00000008 000b 0008 00000001");
    expect_quiet(&c14);
    ask("051a 0000 00000003");
    expect_hex(&c14, "051b 0068 00000003"
                     "0000 0008 00000000 0001 0008 00000008"
                     "0002 0008 00000007 0003 0008 00000007"
                     "0004 0008 00000000 0005 0008 0000003f"
                     "0006 0008 00000007 0007 0008 00000007"
                     "0008 0008 00000000 0009 0008 00000018"
                     "000a 0008 00000000 000b 0008 00000001");
    punt(DP_PUNT_GROUP, false);
    expect_quiet(&c14);
    punt(DP_PUNT_ACTION_SET, false);
    expect(&c14, 10, NULL);
}
END_TEST

START_TEST(test_of14_async_config_that_is_wrong_changes_nothing)
{
    static const struct {
        const char *props;
        unsigned type, code;
    } bad[] = {
        { "0001 0008 00000040", 15, 0 },
        { "0001 0008 00000001 000b 0008 00000004", 15, 0 },
        { "0010 0008 00000000", 14, 0 },
        { "0001 0008 00000001 0001 0008 00000001", 14, 4 },
        { "fffe 000c 00002320 00000001 00000000", 14, 5 },
        { "0001 0010 00000001 00000000 00000000", 14, 1 },
    };

    for (size_t i = 0; i < WEFT_ARRAY_LEN(bad); i++) {
        char hex[128];

        snprintf(hex, sizeof hex, "051c 0000 00000002 %s", bad[i].props);
        ask(hex);
        expect_error(&c14, bad[i].type, bad[i].code);
    }
    ask("051a 0000 00000003");
    expect_hex(&c14, "051b 0068 00000003" ASYNC_DEFAULT);
}
END_TEST

/* --------------------------------------------------------- requestforward */

#define GROUP_13 "0f 0050 00000031 0000 01 00 00000007" BUCKETS_13
#define BUCKETS_13                                                            \
    "0020 0003 ffffffff ffffffff 00000000 0000 0010 00000001 ffff 000000000000" \
    "0020 0004 00000002 ffffffff 00000000 0000 0010 00000002 ffff 000000000000"

START_TEST(test_of14_requestforward_tells_others_in_their_version)
{
    struct mem_conn c15;

    bed_session(&c15, 6, false);
    mem_send_hex(&c15, "061c 0000 00000001 000b 0008 00000003");
    ask("051c 0000 00000001 000b 0008 00000003");
    mem_send_hex(&bed.c, "04" GROUP_13);
    bed_settle();
    expect_quiet(&bed.c);
    expect_hex(&c14, "0520 0058 00000000 05" GROUP_13);
    expect_hex(&c15, "0620 0068 00000000"
                     "060f 0060 00000031 0000 01 00 00000007 0048 0000"
                     "ffffffff"
                     "0020 0010 00000000 0000 0010 00000001 ffff 000000000000"
                     "0000 0008 00030000"
                     "0028 0010 00000001 0000 0010 00000002 ffff 000000000000"
                     "0000 0008 00040000 0001 0008 00000002");
    /* Its own request is not told to a session, a refused one to nobody. */
    mem_send_hex(&bed.c, "04" GROUP_13);
    expect_error(&bed.c, 6, 0);
    ask("050f 0000 00000032 0002 00 00 00000007");
    expect_quiet(&c14);
    expect_hex(&c15, "0620 0020 00000000 060f 0018 00000032 0002 00 00"
                     "00000007 0000 0000 ffffffff");
    mem_close(&c15);
}
END_TEST

START_TEST(test_of14_requestforward_of_15_is_said_in_14_if_it_can_be)
{
    struct mem_conn c15;

    bed_session(&c15, 6, false);
    ask("051c 0000 00000001 000b 0008 00000003");
    mem_send_hex(&c15, "060f 0000 00000031 0000 01 00 00000007 0050 0000"
                       "ffffffff"
                       "0020 0010 00000000 0000 0010 00000001 ffff"
                       "000000000000 0000 0008 00030000"
                       "0030 0010 00000001 0000 0010 00000002 ffff"
                       "000000000000 0000 0008 00040000"
                       "0001 0008 00000002 0002 0008 ffffffff");
    bed_settle();
    expect_quiet(&c15);
    expect_hex(&c14, "0520 0058 00000000 05" GROUP_13);
    /* A single bucket goes: 1.4 has no word for it. */
    mem_send_hex(&c15, "060f 0000 00000032 0005 01 00 00000007 0000 0000"
                       "00000001");
    bed_settle();
    expect_quiet(&c15);
    expect_quiet(&c14);
    mem_send_hex(&c15, "061d 0000 00000033 0000 0001 00000005"
                       "0001 0010 00000064 00000000 00000000");
    bed_settle();
    expect_hex(&c14, "0520 0028 00000000 051d 0020 00000033 0000 0001"
                     "00000005 0001 0010 00000064 00000000 00000000");
    mem_close(&c15);
}
END_TEST

/* ----------------------------------------------------------- flow monitor */

#define MONITOR(xid, id, flags, table, command, match)                        \
    "0512 0000" xid "0010 0000 00000000" id "ffffffff ffffffff" flags table   \
    command match
#define UPDATES(len, xid) "0513" len xid "0010 0000 00000000"

START_TEST(test_of14_monitor_tells_initial_added_modified_removed)
{
    FM(.priority = 5, .cookie = 0xaa, .match = OXM_IN_PORT1, .instr = OUT1);
    bed_settle();
    /* INITIAL, ADD, REMOVED, MODIFY, INSTRUCTIONS. */
    ask(MONITOR("00000021", "00000001", "001f", "ff", "00", ANY));
    expect_hex(&c14, UPDATES("0050", "00000021")
                     "0040 0000 00 00 0000 0000 0005 00000000"
                     "00000000000000aa" PORT1 OUT1);
    /* Another session's changes. */
    FM(.priority = 6, .match = OXM_IN_PORT1, .instr = OUT1);
    bed_settle();
    expect_hex(&c14, UPDATES("0050", "00000000")
                     "0040 0001 00 00 0000 0000 0006 00000000"
                     "0000000000000000" PORT1 OUT1);
    FM(.command = 2, .priority = 5, .match = OXM_IN_PORT1, .instr = OUT2);
    bed_settle();
    expect_hex(&c14, UPDATES("0050", "00000000")
                     "0040 0003 00 00 0000 0000 0005 00000000"
                     "00000000000000aa" PORT1 OUT2);
    FM(.command = 4, .priority = 6, .match = OXM_IN_PORT1);
    bed_settle();
    expect_hex(&c14, UPDATES("0038", "00000000")
                     "0028 0002 00 02 0000 0000 0006 00000000"
                     "0000000000000000" PORT1);
    expect_quiet(&c14);
}
END_TEST

START_TEST(test_of14_monitor_abbreviates_own_changes_unless_told)
{
    ask(MONITOR("00000021", "00000001", "000e", "ff", "00", ANY));
    expect_hex(&c14, UPDATES("0010", "00000021"));
    ask(FLOW("000000f1", "03", "00", "0001", "0000", "0000", PORT1, ""));
    expect_hex(&c14, UPDATES("0018", "00000000") "0008 0004 000000f1");
    /* NO_ABBREV: in full. */
    ask(MONITOR("00000022", "00000001", "002e", "ff", "01", ANY));
    expect_hex(&c14, UPDATES("0010", "00000022"));
    ask(FLOW("000000f2", "03", "03", "0001", "0000", "0000", ANY, ""));
    expect_hex(&c14, UPDATES("0038", "00000000")
                     "0028 0002 03 02 0000 0000 0001 00000000"
                     "0000000000000000" PORT1);
    /* ONLY_OWN. */
    ask(MONITOR("00000023", "00000001", "006e", "ff", "01", ANY));
    expect_hex(&c14, UPDATES("0010", "00000023"));
    FM(.priority = 6, .match = OXM_IN_PORT1);
    bed_settle();
    expect_quiet(&c14);
}
END_TEST

START_TEST(test_of14_monitor_filters_and_ends)
{
    ask(MONITOR("00000021", "00000001", "000e", "05", "00", PORT1));
    expect_hex(&c14, UPDATES("0010", "00000021"));
    FM(.table = 4, .priority = 6, .match = OXM_IN_PORT1);
    FM(.table = 5, .priority = 6, .match = OXM_IP);
    bed_settle();
    expect_quiet(&c14);
    FM(.table = 5, .priority = 6, .match = OXM_IN_PORT1);
    bed_settle();
    expect(&c14, 19, NULL);
    ask(MONITOR("00000022", "00000001", "0000", "00", "02", ANY));
    expect_hex(&c14, UPDATES("0010", "00000022"));
    FM(.command = 3, .table = 0xff);
    bed_settle();
    expect_quiet(&c14);
}
END_TEST

/* A change is one of the port's if it was or is sent there. */
START_TEST(test_of14_monitor_of_a_port_sees_what_leaves_it)
{
    ask("0512 0000 00000021 0010 0000 00000000" "00000001"
        "00000001 ffffffff 000c ff 00" ANY);
    expect_hex(&c14, UPDATES("0010", "00000021"));
    FM(.priority = 5, .match = OXM_IN_PORT1, .instr = OUT1);
    expect_quiet(&c14);
    FM(.command = 2, .priority = 5, .match = OXM_IN_PORT1, .instr = OUT2);
    bed_settle();
    expect(&c14, 19, NULL);
    FM(.command = 2, .priority = 5, .match = OXM_IN_PORT1, .instr = OUT2);
    bed_settle();
    expect_quiet(&c14);
    FM(.priority = 5, .match = OXM_IN_PORT1, .instr = OUT1);
    bed_settle();
    expect(&c14, 19, NULL);
    FM(.priority = 5, .match = OXM_IN_PORT1, .instr = OUT2);
    bed_settle();
    expect(&c14, 19, NULL);
    expect_quiet(&c14);
}
END_TEST

START_TEST(test_of14_monitor_that_is_wrong_is_refused)
{
    static const struct {
        const char *hex;
        unsigned type, code;
    } bad[] = {
        { MONITOR("00000001", "00000001", "000e", "ff", "00", ANY), 16, 1 },
        { MONITOR("00000001", "00000002", "000e", "ff", "01", ANY), 16, 3 },
        { MONITOR("00000001", "00000002", "000e", "ff", "02", ANY), 16, 3 },
        { MONITOR("00000001", "00000002", "000e", "ff", "03", ANY), 16, 4 },
        { MONITOR("00000001", "00000002", "008e", "ff", "00", ANY), 16, 5 },
        { MONITOR("00000001", "00000002", "000e", "fe", "00", ANY), 16, 6 },
        { "0512 0000 00000001 0010 0000 00000000 00000002 00000000 ffffffff"
          "000e ff 00" ANY, 16, 7 },
        { MONITOR("00000001", "00000002", "000e", "ff", "00",
                  "0001 000b 80001401 06 00000000000000"), 4, 1 },
        { MONITOR("00000001", "00000002", "000e", "ff", "00",
                  "0001 0009 80001401 06 00000000000000"), 4, 9 },
    };

    ask(MONITOR("00000021", "00000001", "000e", "ff", "00", ANY));
    mem_drain(&c14);
    for (size_t i = 0; i < WEFT_ARRAY_LEN(bad); i++) {
        ask(bad[i].hex);
        expect_error(&c14, bad[i].type, bad[i].code);
    }
    /* Two in one request, the second wrong: the first is not kept. */
    ask("0512 0000 00000001 0010 0000 00000000"
        "00000007 ffffffff ffffffff 000e ff 00" ANY
        "00000008 ffffffff ffffffff 000e ff 07" ANY);
    expect_error(&c14, 16, 4);
    ask(MONITOR("00000001", "00000007", "000e", "ff", "02", ANY));
    expect_error(&c14, 16, 3);
}
END_TEST

START_TEST(test_of14_monitor_pauses_when_nobody_reads_and_resumes)
{
    FM(.priority = 1, .match = OXM_IN_PORT1);
    FM(.priority = 2, .match = OXM_IN_PORT1);
    bed_settle();
    ask(MONITOR("00000021", "00000001", "000e", "ff", "00", ANY));
    expect_hex(&c14, UPDATES("0010", "00000021"));
    c14.queued = 2u << 20;
    FM(.priority = 3, .match = OXM_IN_PORT1);
    bed_settle();
    expect_hex(&c14, UPDATES("0040", "00000000")
                     "0028 0001 00 00 0000 0000 0003 00000000"
                     "0000000000000000" PORT1
                     "0008 0005 00000000"); /* PAUSED */
    FM(.priority = 4, .match = OXM_IN_PORT1); /* Comes and stays. */
    FM(.priority = 5, .match = OXM_IN_PORT1); /* Comes and goes. */
    FM(.command = 4, .priority = 5, .match = OXM_IN_PORT1);
    FM(.command = 2, .priority = 1, .match = OXM_IN_PORT1, .instr = OUT1);
    bed_settle();
    expect_quiet(&c14);
    FM(.command = 4, .priority = 2, .match = OXM_IN_PORT1); /* Was known. */
    bed_settle();
    expect_hex(&c14, UPDATES("0038", "00000000")
                     "0028 0002 00 02 0000 0000 0002 00000000"
                     "0000000000000000" PORT1);
    c14.queued = 0;
    bed_settle();
    {
        size_t len;
        const uint8_t *m = expect(&c14, 19, &len);
        bool added = false, modified = false;

        /* Rule 4 added and rule 1 modified, in any order; RESUMED. */
        ck_assert_uint_eq(len, 16 + 2 * 40 + 8);
        for (unsigned i = 0; i < 2; i++, m += 40) {
            added |= get_be16(m + 18) == 1 && get_be16(m + 26) == 4;
            modified |= get_be16(m + 18) == 3 && get_be16(m + 26) == 1;
        }
        ck_assert(added && modified);
        ck_assert_uint_eq(get_be32(m + 16), 8 << 16 | 6);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("ofproto");
    TCase *tc = tcase_create("of14");
    SRunner *sr;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_of14_port_desc_has_an_ethernet_property);
    tcase_add_test(tc, test_of14_port_stats_have_length_and_ethernet_property);
    tcase_add_test(tc, test_of14_port_mod_takes_and_refuses_properties);
    tcase_add_test(tc, test_of14_flow_stats_give_back_the_importance);
    tcase_add_test(tc, test_of14_doubled_instruction_has_its_own_code);
    tcase_add_test(
        tc, test_of14_packet_in_reasons_are_told_apart_and_old_ones_kept);
    tcase_add_test(tc, test_of14_displaced_master_gets_a_role_status);
    tcase_add_test(tc, test_of14_async_config_is_got_and_set_by_properties);
    tcase_add_test(tc, test_of14_async_config_that_is_wrong_changes_nothing);
    tcase_add_test(tc,
                   test_of14_requestforward_tells_others_in_their_version);
    tcase_add_test(tc,
                   test_of14_requestforward_of_15_is_said_in_14_if_it_can_be);
    tcase_add_test(tc, test_of14_monitor_tells_initial_added_modified_removed);
    tcase_add_test(tc, test_of14_monitor_abbreviates_own_changes_unless_told);
    tcase_add_test(tc, test_of14_monitor_filters_and_ends);
    tcase_add_test(tc, test_of14_monitor_of_a_port_sees_what_leaves_it);
    tcase_add_test(tc, test_of14_monitor_that_is_wrong_is_refused);
    tcase_add_test(tc,
                   test_of14_monitor_pauses_when_nobody_reads_and_resumes);
    suite_add_tcase(s, tc);
    sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
