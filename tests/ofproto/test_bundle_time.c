/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "bundle_time": bundles of OpenFlow 1.5 at a given time (§6.9.5,
 * §7.3.5.20, §7.3.9). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/ofproto/agent_bed.h"
#include "weft/be.h"

#define NS_PER_S UINT64_C(1000000000)
#define MS UINT64_C(1000000)
enum { OPEN = 0, CLOSE = 2, COMMIT = 4, DISCARD = 6 };
enum { BAD_ID = 2, BAD_FLAGS = 7, MSG_FAILED = 13, IN_PROGRESS = 15,
       SCHED_FUTURE = 17, SCHED_PAST = 18 };
#define FAILED 17 /* OFPET_BUNDLE_FAILED */
#define TIMED "0004"
#define UNTIMED "0000"

static struct mem_conn c15;

static void
setup(void)
{
    bed_open();
    bed_session(&c15, 6, false);
    mem_drain(&bed.c);
}

static void
teardown(void)
{
    mem_close(&c15);
    bed_close();
}

static void
ask(const char *hex)
{
    mem_send_hex(&c15, hex);
    bed_settle();
    bed_settle(); /* What the switch-over lets go on. */
}

/* ---------------------------------------------------------------- messages */

static void
ask_control(unsigned type)
{
    char hex[64];

    snprintf(hex, sizeof hex, "0621 0000 00000072 00000001 %04x 0004", type);
    ask(hex);
}

static void
expect_reply(unsigned type)
{
    size_t len;
    const uint8_t *m = expect(&c15, 33, &len);

    ck_assert_uint_eq(len, 16);
    ck_assert_uint_eq(get_be32(m + 4), 0x72);
    ck_assert_uint_eq(get_be16(m + 12), type + 1);
    ck_assert_uint_eq(get_be16(m + 14), 4);
}

/* Bundle 1, open, with a flow in it: of priority 'prio', in table 0 or one
 * that does not exist. */
static void
open_with(const char *flags, unsigned prio, bool bad)
{
    char hex[512];

    snprintf(hex, sizeof hex, "0621 0000 00000072 00000001 0000 %s", flags);
    ask(hex);
    expect(&c15, 33, NULL);
    snprintf(hex, sizeof hex,
             "0622 0000 00000077 00000001 0000 %s"
             "060e 0038 00000077 00000000000000aa 0000000000000000 %s 00"
             "0000 0000 %04x ffffffff ffffffff ffffffff 0000 0000"
             "0001 0004 00000000",
             flags, bad ? "fe" : "00", prio);
    ask(hex);
    expect_quiet(&c15);
}

static void
commit_at(uint64_t ns)
{
    char hex[128];

    snprintf(hex, sizeof hex,
             "0621 0000 00000072 00000001 0004 0004"
             "0001 0018 00000000 %016llx %08x 00000000",
             (unsigned long long) (ns / NS_PER_S), (unsigned) (ns % NS_PER_S));
    ask(hex);
}

/* Time passes; the program calls when it was asked to. */
static void
advance_to(uint64_t ns)
{
    while (ofp_wake_ns(bed.b) < ns) {
        ck_assert_uint_gt(ofp_wake_ns(bed.b), bed.now_ns);
        bed.now_ns = ofp_wake_ns(bed.b);
        bed_settle();
        bed_settle();
    }
    bed.now_ns = ns;
    bed_settle();
    bed_settle();
}

/* ---------------------------------------------------------------- features */

#define ASK_FEATURES "0612 0000 00000071 0013 0000 00000000"
#define TIMES(accuracy, future, past, now)                                    \
    "0001 0048 00000000" accuracy "00000000" future "00000000" past           \
    "00000000" now "00000000"
#define ZERO "0000000000000000 00000000"

static void
expect_features(const char *future, const char *past)
{
    char text[256], now[32];
    const uint8_t *m;
    size_t len;

    ask(ASK_FEATURES "00000001 00000000");
    m = expect(&c15, 19, &len);
    snprintf(now, sizeof now, "%016llx%08x",
             (unsigned long long) (bed.now_ns / NS_PER_S),
             (unsigned) (bed.now_ns % NS_PER_S));
    snprintf(text, sizeof text,
             "0013 0000 00000000 0007 000000000000 0001 0048 00000000"
             "0000000000000000 00989680 00000000 %s 00000000 %s 00000000"
             "%s 00000000", future, past, now);
    ck_assert_str_eq(hex_of(m + 8, len - 8), hex_plain(text));
}

START_TEST(test_bundle_time_tolerance_is_told_and_set)
{
    static const char *const bad[] = {
        ASK_FEATURES "00000002 00000000",
        ASK_FEATURES "00000002 00000000"
            TIMES(ZERO, "0000000000000001 3b9aca00", ZERO, ZERO),
        ASK_FEATURES "00000002 00000000"
            TIMES(ZERO, ZERO, "0000000000000001 3b9aca00", ZERO),
    };

    expect_features("0000000000000001 00000000", "0000000000000001 00000000");
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ask(bad[i]);
        expect_error(&c15, 1, 16); /* MULTIPART_BAD_SCHED */
    }
    ask(ASK_FEATURES "00000004 00000000");
    expect_error(&c15, 1, 18); /* UNKNOWN */
    /* Without the flag it is only a question. */
    ask(ASK_FEATURES "00000000 00000000"
        TIMES(ZERO, "0000000000000009 00000000", ZERO, ZERO));
    expect(&c15, 19, NULL);
    expect_features("0000000000000001 00000000", "0000000000000001 00000000");
    ask(ASK_FEATURES "00000002 00000000"
        TIMES(ZERO, "0000000000000009 00000005", ZERO, ZERO));
    expect(&c15, 19, NULL);
    expect_features("0000000000000009 00000005", ZERO);
}
END_TEST

/* ------------------------------------------------------------------ in time */

START_TEST(test_bundle_time_commit_waits_for_its_time)
{
    uint64_t at = bed.now_ns + 500 * MS;

    open_with(TIMED, 100, false);
    commit_at(at);
    ck_assert_uint_lt(ofp_wake_ns(bed.b), at);
    advance_to(at - 1);
    expect_quiet(&c15);
    ck_assert_uint_eq(ofp_wake_ns(bed.b), at);
    advance_to(at);
    expect_reply(COMMIT);
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
    ck_assert_uint_eq(ofp_wake_ns(bed.b), UINT64_MAX);
    ask_control(DISCARD); /* It is done with. */
    expect_error(&c15, FAILED, BAD_ID);
}
END_TEST

/* Others go on, but for the last moment, in which it is made ready. */
START_TEST(test_bundle_time_others_go_on_meanwhile)
{
    uint64_t at = bed.now_ns + 500 * MS;
    struct ofp_bridge_stats stats;

    open_with(TIMED, 100, false);
    commit_at(at);
    FM(.priority = 1, .match = "", .instr = OUT1);
    ask("0614 0008 00000055");
    expect(&c15, 21, NULL); /* Barrier. */
    ofp_bridge_get_stats(bed.b, &stats);
    ck_assert_uint_eq(stats.n_rules, 1);
    advance_to(at - 1);
    FM(.priority = 2, .match = "", .instr = OUT1);
    ofp_bridge_get_stats(bed.b, &stats);
    ck_assert_uint_eq(stats.n_rules, 2); /* The bundle's, staged. */
    advance_to(at);
    expect_reply(COMMIT);
    ofp_bridge_get_stats(bed.b, &stats);
    ck_assert_uint_eq(stats.n_rules, 3);
}
END_TEST

START_TEST(test_bundle_time_a_little_late_is_now)
{
    open_with(UNTIMED, 100, false); /* Only the commit says when. */
    commit_at(bed.now_ns - NS_PER_S);
    expect_reply(COMMIT);
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
    open_with(TIMED, 101, false);
    commit_at(bed.now_ns);
    expect_reply(COMMIT);
    ck_assert_uint_eq(bed.dpb->n_rules, 2);
}
END_TEST

START_TEST(test_bundle_time_too_far_off_is_refused)
{
    open_with(TIMED, 100, false);
    commit_at(bed.now_ns - NS_PER_S - 1);
    expect_error(&c15, FAILED, SCHED_PAST);
    ask_control(DISCARD);
    expect_error(&c15, FAILED, BAD_ID);
    open_with(TIMED, 100, false);
    commit_at(bed.now_ns + NS_PER_S + 1);
    expect_error(&c15, FAILED, SCHED_FUTURE);
    open_with(TIMED, 100, false);
    commit_at(UINT64_MAX / NS_PER_S * NS_PER_S);
    expect_error(&c15, FAILED, SCHED_FUTURE);
    open_with(TIMED, 100, false);
    ask_control(COMMIT); /* Timed, but without a time. */
    expect_error(&c15, FAILED, BAD_FLAGS);
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
}
END_TEST

START_TEST(test_bundle_time_properties_are_checked)
{
    static const struct {
        const char *hex;
        unsigned code;
    } cases[] = {
        { "0001 0018 00000000 0000000000000001 3b9aca00 00000000", 2 },
        { "ffff 000c 00001234 00000001 00000000", 5 },
        { "0001 0018 00000000 0000000000000001 00000000 00000000"
          "0001 0018 00000000 0000000000000001 00000000 00000000", 4 },
    };
    char hex[256];

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(hex, sizeof hex, "0621 0000 00000072 00000001 0000 0004 %s",
                 cases[i].hex);
        ask(hex);
        expect_error(&c15, 14, cases[i].code);
    }
}
END_TEST

/* ---------------------------------------------------------------- otherwise */

START_TEST(test_bundle_time_commit_can_be_cancelled)
{
    uint64_t at = bed.now_ns + 500 * MS;

    open_with(TIMED, 100, false);
    commit_at(at);
    advance_to(at - 100 * MS);
    ask_control(DISCARD);
    expect_reply(DISCARD);
    ck_assert_uint_eq(ofp_wake_ns(bed.b), UINT64_MAX);
    advance_to(at + 100 * MS);
    expect_quiet(&c15);
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
}
END_TEST

START_TEST(test_bundle_time_nothing_else_touches_what_waits)
{
    static const unsigned types[] = { OPEN, CLOSE, COMMIT };
    uint64_t at = bed.now_ns + 500 * MS;

    open_with(TIMED, 100, false);
    commit_at(at);
    for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++) {
        ask_control(types[i]);
        expect_error(&c15, FAILED, IN_PROGRESS);
    }
    ask("0622 0000 00000077 00000001 0000 0004 0602 0008 00000077");
    expect_error(&c15, FAILED, IN_PROGRESS);
    advance_to(at);
    expect_reply(COMMIT);
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
}
END_TEST

/* Long tolerances: no idle timeout comes between. */
START_TEST(test_bundle_time_far_future_is_kept)
{
    uint64_t at = bed.now_ns + 3600 * NS_PER_S;

    ask(ASK_FEATURES "00000002 00000000"
        TIMES(ZERO, "0000000000010000 00000000", ZERO, ZERO));
    expect(&c15, 19, NULL);
    open_with(TIMED, 100, false);
    commit_at(at);
    bed_advance(60 * 1000);
    expect_quiet(&c15);
    advance_to(at);
    expect_reply(COMMIT);
}
END_TEST

START_TEST(test_bundle_time_failure_is_told_at_its_time)
{
    uint64_t at = bed.now_ns + 500 * MS;
    const uint8_t *m;
    size_t len;

    open_with(TIMED, 100, true);
    commit_at(at);
    expect_quiet(&c15);
    advance_to(at);
    expect_error(&c15, 5, 2); /* BAD_TABLE_ID, of the flow-mod. */
    m = expect(&c15, 1, &len);
    ck_assert_uint_eq(get_be16(m + 8), FAILED);
    ck_assert_uint_eq(get_be16(m + 10), MSG_FAILED);
    ck_assert_uint_eq(get_be32(m + 4), 0x72);
    ck_assert_uint_eq(m[13], 33); /* The commit as it was, with its time. */
    ck_assert_uint_eq(len, 12 + 40);
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
}
END_TEST

/* _i: long before, or while it is ready. */
START_TEST(test_bundle_time_ends_with_its_connection)
{
    uint64_t at = bed.now_ns + 500 * MS;

    open_with(TIMED, 100, false);
    commit_at(at);
    if (_i)
        advance_to(at - 1);
    mem_close(&c15);
    advance_to(at + 100 * MS);
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
    ck_assert_uint_eq(ofp_wake_ns(bed.b), UINT64_MAX);
    bed_session(&c15, 6, false);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("bundle_time");
    TCase *tc = tcase_create("time");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_bundle_time_tolerance_is_told_and_set);
    tcase_add_test(tc, test_bundle_time_commit_waits_for_its_time);
    tcase_add_test(tc, test_bundle_time_others_go_on_meanwhile);
    tcase_add_test(tc, test_bundle_time_a_little_late_is_now);
    tcase_add_test(tc, test_bundle_time_too_far_off_is_refused);
    tcase_add_test(tc, test_bundle_time_properties_are_checked);
    tcase_add_test(tc, test_bundle_time_commit_can_be_cancelled);
    tcase_add_test(tc, test_bundle_time_nothing_else_touches_what_waits);
    tcase_add_test(tc, test_bundle_time_far_future_is_kept);
    tcase_add_test(tc, test_bundle_time_failure_is_told_at_its_time);
    tcase_add_loop_test(tc, test_bundle_time_ends_with_its_connection, 0, 2);
    suite_add_tcase(s, tc);
    srunner_set_fork_status(sr, CK_NOFORK);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
