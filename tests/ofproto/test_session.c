/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "ofproto": hello, dispatch, barriers, config, roles, async. */
#include <check.h>
#include <stdlib.h>

#include "tests/ofproto/agent_bed.h"
#include "weft/be.h"

/* ----------------------------------------------------------------- hello */

/* Opens a session, looks at our HELLO, sends 'hex' and returns the result. */
static void
greet(struct mem_conn *c, const char *hex)
{
    const uint8_t *m;
    size_t len;

    mem_open(c, ofp_bridge_agent(bed.b), false);
    m = mem_next(c, &len);
    ck_assert_ptr_nonnull(m);
    ck_assert_str_eq(hex_of(m, len), "06000010000000000001000800000072");
    mem_send_hex(c, hex);
}

START_TEST(test_hello_given_version_or_bitmap_negotiates)
{
    static const struct {
        const char *hex;
        int version; /* 0: refused. */
    } cases[] = {
        { "0400 0008 00000001", 4 },
        { "0100 0008 00000001", 1 },
        { "0500 0008 00000001", 5 },
        { "0600 0008 00000001", 6 },
        { "0700 0008 00000001", 6 }, /* A newer peer takes the lower. */
        { "0300 0008 00000001", 0 }, /* 1.2 alone. */
        { "0200 0008 00000001", 0 },
        /* Bitmap with 1.0 and 1.3; with 1.0 and 1.2; with 1.5 and 1.4;
         * with 1.1 alone. */
        { "0400 0010 00000001 0001 0008 00000012", 4 },
        { "0300 0010 00000001 0001 0008 0000000a", 1 },
        { "0500 0010 00000001 0001 0008 00000060", 6 },
        { "0500 0010 00000001 0001 0008 00000004", 0 },
        /* 1.0's may have a body of any kind, 1.3's not. */
        { "0100 000f 00000001 4f70656e466c6f", 1 },
        /* An element that nobody knows. */
        { "0400 0010 00000001 0077 0008 00000000", 4 },
    };

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(cases); i++) {
        struct mem_conn c;

        greet(&c, cases[i].hex);
        ck_assert_msg(c.version == cases[i].version, "case %u: %u", i,
                      c.version);
        ck_assert_int_eq(c.result == 0, cases[i].version != 0);
        if (!cases[i].version) { /* HELLO_FAILED, INCOMPATIBLE, a text. */
            const uint8_t *m = mem_next(&c, NULL);

            ck_assert_ptr_nonnull(m);
            ck_assert_uint_eq(m[1], 1);
            ck_assert_uint_eq(get_be32(m + 8), 0);
            ck_assert_uint_eq(get_be32(m + 4), 1);
        }
        mem_close(&c);
    }
}
END_TEST

START_TEST(test_hello_given_another_message_first_closes)
{
    struct mem_conn c;

    greet(&c, "0405 0008 00000005");
    ck_assert_int_ne(c.result, 0);
    ck_assert_uint_eq(c.version, 0);
    mem_close(&c);
}
END_TEST

START_TEST(test_hello_given_restricted_versions_offers_only_these)
{
    struct mem_conn c;
    const uint8_t *m;
    struct weft_err e;

    ck_assert_int_eq(ofp_bridge_set_versions(bed.b, 1u << 2, &e), -22);
    ck_assert_int_eq(ofp_bridge_set_versions(bed.b, 1u << 1, &e), 0);
    mem_open(&c, ofp_bridge_agent(bed.b), false);
    m = mem_next(&c, NULL);
    ck_assert_uint_eq(m[0], 1);
    mem_send_hex(&c, "0400 0008 00000001");
    ck_assert_int_eq(c.result, 0);
    ck_assert_uint_eq(c.version, 1);
    mem_close(&c);
}
END_TEST

/* -------------------------------------------------------------- dispatch */

START_TEST(test_session_given_bad_messages_answers_with_the_right_error)
{
    static const struct {
        const char *hex;
        unsigned type, code;
    } cases[] = {
        { "0105 0000 00000009", 1, 0 }, /* BAD_VERSION */
        { "0463 0000 00000009", 1, 1 }, /* BAD_TYPE: 99 */
        { "0406 0000 00000009 0000000000000000 00000000 00000000"
          "0000000000000000", 1, 1 },   /* A reply: BAD_TYPE */
        { "0405 0000 00000009 00", 1, 6 }, /* BAD_LEN */
        { "0409 0000 00000009 0000", 1, 6 },
        { "0404 0000 00000009 00002320 00000001", 1, 3 }, /* experimenter */
        { "0412 0000 00000009 0055 0000 00000000", 1, 2 }, /* multipart */
        { "0412 0000 00000009 ffff 0000 00000000 00002320 00000000", 1, 3 },
    };

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(cases); i++) {
        mem_send_hex(&bed.c, cases[i].hex);
        bed.c.version = 4;
        expect_error(&bed.c, cases[i].type, cases[i].code);
        ck_assert_int_eq(bed.c.result, 0);
    }
    expect_quiet(&bed.c);
}
END_TEST

START_TEST(test_echo_request_is_answered_with_its_data)
{
    size_t len;
    const uint8_t *m;

    mem_send_hex(&bed.c, "0402 0000 00001234 686f6765");
    m = expect(&bed.c, 3, &len);
    ck_assert_str_eq(hex_of(m, len), "0403000c00001234686f6765");
    mem_send_hex(&bed.c, "0403 0000 00001234");
    mem_send_hex(&bed.c, "0400 0000 00001235");
    mem_send_hex(&bed.c, "0401 0000 00001236 0005 0001"); /* Their ERROR. */
    mem_send_hex(&bed.c, "0401 0000 00001236");
    expect_quiet(&bed.c);
}
END_TEST

START_TEST(test_features_say_what_there_is)
{
    size_t len;
    const uint8_t *m;

    mem_send_hex(&bed.c, "0405 0000 00000021");
    m = expect(&bed.c, 6, &len);
    ck_assert_str_eq(hex_of(m, len), "0406002000000021" "1122334455667788"
                                     "00000000" "fe000000" "0000004f"
                                     "00000000");
}
END_TEST

START_TEST(test_config_miss_send_len_is_per_session_fragments_of_the_switch)
{
    struct mem_conn other;
    size_t len;
    const uint8_t *m;

    bed_session(&other, 4, false);
    mem_send_hex(&bed.c, "0409 0000 00000001 0000 0400");
    expect_quiet(&bed.c);
    mem_send_hex(&bed.c, "0407 0000 00000002");
    m = expect(&bed.c, 8, &len);
    ck_assert_str_eq(hex_of(m, len), "0408000c0000000200000400");
    mem_send_hex(&other, "0407 0000 00000003");
    m = expect(&other, 8, &len);
    ck_assert_str_eq(hex_of(m, len), "0408000c0000000300000080");
    mem_send_hex(&bed.c, "0409 0000 00000001 0002 0400"); /* FRAG_REASM */
    expect_error(&bed.c, 10, 0);
    ck_assert(!bed.dpb->frag_drop);
    mem_send_hex(&bed.c, "0409 0000 00000001 0001 0400"); /* FRAG_DROP */
    expect_quiet(&bed.c);
    ck_assert(bed.dpb->frag_drop);
    mem_send_hex(&other, "0407 0000 00000003"); /* Of the whole switch. */
    m = expect(&other, 8, &len);
    ck_assert_str_eq(hex_of(m, len), "0408000c0000000300010080");
    mem_send_hex(&bed.c, "0409 0000 00000001 0000 0400");
    expect_quiet(&bed.c);
    ck_assert(!bed.dpb->frag_drop);
    mem_close(&other);
}
END_TEST

/* --------------------------------------------------------------- barrier */

START_TEST(test_barrier_waits_for_the_workers_and_holds_later_messages)
{
    struct mem_conn other;

    bed_session(&other, 4, false);
    bed.dp->hold_sync = true;
    FM(.priority = 1, .match = OXM_IN_PORT1, .instr = OUT2);
    mem_send_hex(&bed.c, "0414 0000 00000005");
    mem_send_hex(&bed.c, "0402 0000 00000006");
    mem_send_hex(&bed.c, "0414 0000 00000007");
    mem_send_hex(&bed.c, "0402 0000 00000008");
    bed_settle();
    expect_quiet(&bed.c);
    mem_send_hex(&other, "0402 0000 00000009"); /* Not held. */
    expect(&other, 3, NULL);
    bed.dp->hold_sync = false;
    dp_run(bed.dp, 10);
    ck_assert_uint_eq(get_be32(expect(&bed.c, 21, NULL) + 4), 5);
    ck_assert_uint_eq(get_be32(expect(&bed.c, 3, NULL) + 4), 6);
    ck_assert_uint_eq(get_be32(expect(&bed.c, 21, NULL) + 4), 7);
    ck_assert_uint_eq(get_be32(expect(&bed.c, 3, NULL) + 4), 8);
    expect_quiet(&bed.c);
    mem_close(&other);
}
END_TEST

START_TEST(test_barrier_given_no_change_is_answered_at_once)
{
    unsigned commits = bed.dp->n_commits;

    mem_send_hex(&bed.c, "0414 0000 00000005");
    expect(&bed.c, 21, NULL);
    ck_assert_uint_eq(bed.dp->n_commits, commits);
}
END_TEST

START_TEST(test_flush_commits_once_per_batch)
{
    struct mem_conn other;
    unsigned commits = bed.dp->n_commits;

    bed_session(&other, 4, false);
    for (unsigned i = 1; i <= 10; i++)
        send_fm(&other, &(struct fm) { .priority = (uint16_t) i,
                                       .instr = OUT1 });
    mem_send_hex(&other, "0414 0000 00000005");
    bed_settle();
    ck_assert_uint_eq(bed.dp->n_commits, commits + 1);
    expect(&other, 21, NULL);
    mem_close(&other);
}
END_TEST

START_TEST(test_barrier_given_a_flood_pauses_reading_then_closes)
{
    static uint8_t echo[60000] = { 4, 2 };

    bed.dp->hold_sync = true;
    FM(.priority = 1, .match = OXM_IN_PORT1, .instr = OUT2);
    mem_send_hex(&bed.c, "0414 0000 00000005");
    for (unsigned i = 0; i < 20; i++)
        mem_send(&bed.c, echo, sizeof echo);
    ck_assert(bed.c.paused);
    ck_assert_int_eq(bed.c.result, 0);
    for (unsigned i = 0; i < 1200 && !bed.c.result; i++)
        mem_send(&bed.c, echo, sizeof echo);
    ck_assert_int_ne(bed.c.result, 0);
    bed.dp->hold_sync = false;
    bed_settle();
    ck_assert(!bed.c.paused);
}
END_TEST

/* ----------------------------------------------------------- roles, async */

#define ROLE(role, gen) "0418 0000 00000011 0000000" role "00000000" gen
#define GEN(n) "00000000000000" n

START_TEST(test_role_given_new_master_makes_the_old_one_slave)
{
    struct mem_conn other;
    size_t len;
    const uint8_t *m;

    bed_session(&other, 4, false);
    mem_send_hex(&bed.c, ROLE("2", GEN("05")));
    m = expect(&bed.c, 25, &len);
    ck_assert_str_eq(hex_of(m, len),
                     "0419001800000011" "00000002" "00000000" GEN("05"));
    ck_assert_str_eq(bed.c.role, "master");
    mem_send_hex(&other, ROLE("2", GEN("06")));
    expect(&other, 25, NULL);
    ck_assert_str_eq(bed.c.role, "slave");
    mem_send_hex(&bed.c, ROLE("0", GEN("00"))); /* NOCHANGE tells. */
    m = expect(&bed.c, 25, &len);
    ck_assert_uint_eq(get_be32(m + 8), 3);
    ck_assert_uint_eq(get_be64(m + 16), 6);
    mem_close(&other);
}
END_TEST

START_TEST(test_role_given_stale_generation_or_bad_role_is_refused)
{
    mem_send_hex(&bed.c, ROLE("2", "0000000000000002"));
    expect(&bed.c, 25, NULL);
    mem_send_hex(&bed.c, ROLE("3", "0000000000000001"));
    expect_error(&bed.c, 11, 0);
    mem_send_hex(&bed.c, ROLE("3", "ffffffffffffffff")); /* Wraps: older. */
    expect_error(&bed.c, 11, 0);
    mem_send_hex(&bed.c, ROLE("1", "0000000000000000")); /* Equal: free. */
    expect(&bed.c, 25, NULL);
    mem_send_hex(&bed.c, ROLE("4", "0000000000000009"));
    expect_error(&bed.c, 11, 2);
}
END_TEST

START_TEST(test_role_slave_may_read_but_not_write)
{
    mem_send_hex(&bed.c, ROLE("3", GEN("01")));
    expect(&bed.c, 25, NULL);
    FM(.priority = 1, .instr = OUT1);
    expect_error(&bed.c, 1, 10);
    mem_send_hex(&bed.c, "040d 0000 00000001 ffffffff fffffffd 0000"
                         "000000000000" "000102030405060708090a0b0800");
    expect_error(&bed.c, 1, 10);
    mem_send_hex(&bed.c, "0410 0000 00000001 00000001 00000000 020000000001"
                         "0000 00000000 00000000 00000000 00000000");
    expect_error(&bed.c, 1, 10);
    mem_send_hex(&bed.c, "0412 0000 00000001 0003 0000 00000000");
    expect(&bed.c, 19, NULL);
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
}
END_TEST

#define SET_ASYNC(packet_in)                                                  \
    "041c 0000 00000012" packet_in "00000000" "00000007 00000007"             \
    "0000000f 00000000"

START_TEST(test_async_given_invalid_ttl_wanted_is_told_to_the_datapath)
{
    ck_assert(bed.dpb->ttl_punt); /* Among the defaults, §6.3.4. */
    mem_send_hex(&bed.c, SET_ASYNC("00000003"));
    ck_assert(!bed.dpb->ttl_punt);
    mem_send_hex(&bed.c, SET_ASYNC("00000007"));
    ck_assert(bed.dpb->ttl_punt);
    mem_send_hex(&bed.c, ROLE("3", GEN("01"))); /* A slave did not ask. */
    ck_assert(!bed.dpb->ttl_punt);
    mem_send_hex(&bed.c, ROLE("1", GEN("02")));
    ck_assert(bed.dpb->ttl_punt);
    mem_send_hex(&bed.c, SET_ASYNC("00000003"));
    ck_assert(!bed.dpb->ttl_punt);
}
END_TEST

static const uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0 };

static struct dp_punt
punt_of(enum dp_punt_reason reason)
{
    return (struct dp_punt) { .reason = reason,
                              .in_port = 1,
                              .table = 3,
                              .cookie = 0xabc,
                              .max_len = 0xffff,
                              .total_len = sizeof frame,
                              .data = frame,
                              .len = sizeof frame };
}

START_TEST(test_packet_in_carries_match_cookie_and_whole_frame)
{
    struct dp_punt p = punt_of(DP_PUNT_ACTION);
    size_t len;
    const uint8_t *m;

    p.metadata = 0x55;
    p.tunnel = (struct pkt_tunnel) { 5001, be32_from(0xc0000201),
                                     be32_from(0xc0000202) };
    dummy_punt(bed.dpb, &p);
    m = expect(&bed.c, 10, &len);
    ck_assert_str_eq(
        hex_of(m, len - 60),
        hex_plain("040a008e 00000000 ffffffff 003c 01 03 0000000000000abc"
                  "0001 0034" "8000000400000001" "800004080000000000000055"
                  "80004c080000000000001389" "00013e04c0000201"
                  "00014004c0000202" "00000000" "0000"));
    ck_assert_mem_eq(m + len - 60, frame, 60);
}
END_TEST

/* OpenFlow 1.3.5 §6.1.2: what is not buffered is sent whole. */
START_TEST(test_packet_in_given_max_len_or_miss_send_len_is_whole)
{
    struct dp_punt p = punt_of(DP_PUNT_ACTION);
    size_t len;
    const uint8_t *m;

    p.max_len = 20;
    dummy_punt(bed.dpb, &p);
    m = expect(&bed.c, 10, &len);
    ck_assert_uint_eq(get_be32(m + 8), 0xffffffff); /* OFP_NO_BUFFER */
    ck_assert_uint_eq(get_be16(m + 12), 60);        /* total_len */
    ck_assert_uint_eq(len, 24 + 16 + 2 + 60);
    mem_send_hex(&bed.c, "0409 0000 00000001 0000 0010"); /* 16 */
    mem_send_hex(&bed.c, "041c 0000 00000001 00000007 00000000 00000007"
                         "00000007 00000007 00000000");
    p.reason = DP_PUNT_INVALID_TTL;
    dummy_punt(bed.dpb, &p);
    m = expect(&bed.c, 10, &len);
    ck_assert_uint_eq(m[14], 2);
    ck_assert_uint_eq(len, 24 + 16 + 2 + 60);
}
END_TEST

START_TEST(test_packet_in_of_a_miss_rule_has_reason_no_match)
{
    struct dp_punt p = punt_of(DP_PUNT_ACTION);

    p.miss_rule = true;
    dummy_punt(bed.dpb, &p);
    ck_assert_uint_eq(expect(&bed.c, 10, NULL)[14], 0);
}
END_TEST

START_TEST(test_async_filters_by_role_and_reason)
{
    struct dp_punt p = punt_of(DP_PUNT_INVALID_TTL);
    size_t len;
    const uint8_t *m;

    dummy_punt(bed.dpb, &p); /* §6.3.4: all, by default. */
    ck_assert_uint_eq(expect(&bed.c, 10, NULL)[14], 2);
    mem_send_hex(&bed.c, "041a 0000 00000002");
    m = expect(&bed.c, 27, &len);
    ck_assert_str_eq(hex_of(m, len),
                     hex_plain("041b0020 00000002 00000007 00000000 00000007"
                               "00000007 0000000f 00000000"));
    mem_send_hex(&bed.c, "041c 0000 00000002 00000002 00000000 00000000"
                         "00000000 00000000 00000000");
    p.reason = DP_PUNT_INVALID_TTL;
    dummy_punt(bed.dpb, &p);
    expect_quiet(&bed.c);
    p.reason = DP_PUNT_ACTION;
    dummy_punt(bed.dpb, &p);
    expect(&bed.c, 10, NULL);
    dummy_port_link(bed.dpb, 1, false);
    bed_settle();
    expect_quiet(&bed.c);
    mem_send_hex(&bed.c, ROLE("3", GEN("01")));
    expect(&bed.c, 25, NULL);
    dummy_punt(bed.dpb, &p);
    expect_quiet(&bed.c);
}
END_TEST

START_TEST(test_port_status_tells_add_change_and_delete)
{
    const uint8_t *m;
    size_t len;

    dummy_port_add(bed.dpb, "p7", 7);
    bed_settle();
    m = expect(&bed.c, 12, &len);
    ck_assert_uint_eq(len, 80);
    ck_assert_uint_eq(m[8], 0);
    ck_assert_uint_eq(get_be32(m + 16), 7);
    ck_assert_str_eq((const char *) m + 32, "p7");
    ck_assert_uint_eq(get_be32(m + 52), 4);          /* LIVE */
    ck_assert_uint_eq(get_be32(m + 56), 1 << 6);     /* 10 Gb/s */
    ck_assert_uint_eq(get_be32(m + 72), 10000000);   /* kb/s */
    dummy_port_link(bed.dpb, 7, false);
    bed_settle();
    m = expect(&bed.c, 12, NULL);
    ck_assert_uint_eq(m[8], 2);
    ck_assert_uint_eq(get_be32(m + 52), 1); /* LINK_DOWN */
    ck_assert_int_eq(dp_port_del(bed.dpb, 7, NULL), 0);
    bed_settle();
    ck_assert_uint_eq(expect(&bed.c, 12, NULL)[8], 1);
}
END_TEST

START_TEST(test_session_that_cannot_send_is_closed_and_hurts_nobody)
{
    struct mem_conn other;

    bed_session(&other, 4, false);
    other.full = true;
    mem_send_hex(&other, "0402 0000 00000001");
    ck_assert_int_ne(other.result, 0);
    mem_close(&other);
    mem_send_hex(&bed.c, "0402 0000 00000001");
    expect(&bed.c, 3, NULL);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("ofproto");
    TCase *tc = tcase_create("session");
    SRunner *sr;
    int failed;

    tcase_add_checked_fixture(tc, bed_open, bed_close);
    tcase_add_test(tc, test_hello_given_version_or_bitmap_negotiates);
    tcase_add_test(tc, test_hello_given_another_message_first_closes);
    tcase_add_test(tc, test_hello_given_restricted_versions_offers_only_these);
    tcase_add_test(
        tc, test_session_given_bad_messages_answers_with_the_right_error);
    tcase_add_test(tc, test_echo_request_is_answered_with_its_data);
    tcase_add_test(tc, test_features_say_what_there_is);
    tcase_add_test(
        tc, test_config_miss_send_len_is_per_session_fragments_of_the_switch);
    tcase_add_test(
        tc, test_barrier_waits_for_the_workers_and_holds_later_messages);
    tcase_add_test(tc, test_barrier_given_no_change_is_answered_at_once);
    tcase_add_test(tc, test_flush_commits_once_per_batch);
    tcase_add_test(tc, test_barrier_given_a_flood_pauses_reading_then_closes);
    tcase_add_test(tc, test_role_given_new_master_makes_the_old_one_slave);
    tcase_add_test(tc,
                   test_role_given_stale_generation_or_bad_role_is_refused);
    tcase_add_test(tc, test_role_slave_may_read_but_not_write);
    tcase_add_test(tc,
                   test_async_given_invalid_ttl_wanted_is_told_to_the_datapath);
    tcase_add_test(tc, test_packet_in_carries_match_cookie_and_whole_frame);
    tcase_add_test(tc, test_packet_in_given_max_len_or_miss_send_len_is_whole);
    tcase_add_test(tc, test_packet_in_of_a_miss_rule_has_reason_no_match);
    tcase_add_test(tc, test_async_filters_by_role_and_reason);
    tcase_add_test(tc, test_port_status_tells_add_change_and_delete);
    tcase_add_test(tc,
                   test_session_that_cannot_send_is_closed_and_hurts_nobody);
    suite_add_tcase(s, tc);
    sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
