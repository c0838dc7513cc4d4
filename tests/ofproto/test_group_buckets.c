/* SPDX-License-Identifier: Apache-2.0 */
/* Group-mods of OpenFlow 1.5: buckets with numbers and properties, inserted
 * and removed one by one (1.5.1 §7.3.4.3). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "ofproto/agent_priv.h"
#include "tests/ofproto/agent_bed.h"

#define GM(command, type, group, len, at, buckets)                            \
    "060f 0000 00000066" command type "00" group len "0000" at buckets
#define NONE "00000000"
#define FIRST "fffffffd"
#define LAST "fffffffe"
#define EVERY "ffffffff"

/* One action: OUTPUT to port 1. */
#define OUT "0000 0010 00000001 ffff 000000000000"
#define BUCKET(id) "0018 0010" id OUT /* 24 bytes */
#define WEIGHTED(id, weight) "0020 0010" id OUT "0000 0008" weight "0000"

#define ADD_1(type, len, buckets)                                             \
    GM("0000", type, "00000001", len, EVERY, buckets)
#define INSERT(len, at, buckets)                                              \
    GM("0003", "00", "00000001", len, at, buckets)
#define REMOVE(at) GM("0005", "00", "00000001", "0000", at, "")

enum { GROUP_FAILED = 6, BAD_PROPERTY = 14 };
enum {
    INVALID_GROUP = 1, WATCH_UNSUPPORTED = 6, UNKNOWN_GROUP = 8, BAD_TYPE = 10,
    BAD_COMMAND = 11, BAD_BUCKET = 12, UNKNOWN_BUCKET = 15, BUCKET_EXISTS = 16
};

static struct mem_conn c15;

static void
open_15(void)
{
    bed_open();
    bed_session(&c15, 6, false);
}

static void
close_15(void)
{
    mem_close(&c15);
    bed_close();
}

static void
ask(const char *hex)
{
    mem_send_hex(&c15, hex);
    bed_settle();
}

static void
ask_ok(const char *hex)
{
    ask(hex);
    expect_quiet(&c15);
}

/* The numbers of group 1's buckets, in order, as text. */
static const char *
numbers(void)
{
    static char text[64];
    const struct dummy_group *g = dummy_group_find(bed.dpb, 1);
    size_t n = 0;

    text[0] = '\0';
    for (size_t i = 0; i < g->n_buckets; i++)
        n += (size_t) snprintf(text + n, sizeof text - n, "%u ",
                               g->buckets[i].id);
    return text;
}

START_TEST(test_bucket_is_inserted_first_last_or_behind_another)
{
    ask_ok(ADD_1("00", "0030", BUCKET("00000005") BUCKET("00000006")));
    ask_ok(INSERT("0018", FIRST, BUCKET("00000001")));
    ck_assert_str_eq(numbers(), "1 5 6 ");
    ask_ok(INSERT("0018", LAST, BUCKET("00000002")));
    ck_assert_str_eq(numbers(), "1 5 6 2 ");
    ask_ok(INSERT("0030", "00000005",
                  BUCKET("00000003") BUCKET("00000004")));
    ck_assert_str_eq(numbers(), "1 5 3 4 6 2 ");
}
END_TEST

START_TEST(test_bucket_is_removed_by_place_number_or_all)
{
    ask_ok(ADD_1("00", "0060", BUCKET("00000005") BUCKET("00000006")
                 BUCKET("00000007") BUCKET("00000008")));
    ask_ok(REMOVE(FIRST));
    ck_assert_str_eq(numbers(), "6 7 8 ");
    ask_ok(REMOVE("00000007"));
    ck_assert_str_eq(numbers(), "6 8 ");
    ask_ok(REMOVE(LAST));
    ck_assert_str_eq(numbers(), "6 ");
    ask_ok(REMOVE(EVERY));
    ck_assert_str_eq(numbers(), "");
    ask_ok(INSERT("0018", LAST, BUCKET("00000009"))); /* Of none. */
    ck_assert_str_eq(numbers(), "9 ");
}
END_TEST

/* The group's type counts: a controller may leave the message's at zero. */
START_TEST(test_bucket_inserted_into_a_select_group_weighs_one_unless_told)
{
    const struct dummy_group *g;

    ask_ok(ADD_1("01", "0020", WEIGHTED("00000001", "0003")));
    ask_ok(INSERT("0038", LAST,
                  BUCKET("00000002") WEIGHTED("00000003", "0007")));
    g = dummy_group_find(bed.dpb, 1);
    ck_assert_int_eq(g->type, DP_GROUP_SELECT);
    ck_assert_uint_eq(g->n_buckets, 3);
    ck_assert_uint_eq(g->buckets[0].weight, 3);
    ck_assert_uint_eq(g->buckets[1].weight, 1);
    ck_assert_uint_eq(g->buckets[2].weight, 7);
}
END_TEST

/* Every code of OFPET_GROUP_MOD_FAILED that needs numbers or properties; the
 * others are in test_groups.c.  Two no request can get: weights are supported
 * (WEIGHT_UNSUPPORTED), and no group is forbidden to anyone (EPERM). */
START_TEST(test_bucket_refusals_have_their_codes_and_change_nothing)
{
    static const struct {
        const char *hex;
        unsigned type, code;
    } bad[] = {
        { INSERT("0018", LAST, BUCKET("00000005")), GROUP_FAILED,
          BUCKET_EXISTS },
        { INSERT("0030", LAST, BUCKET("00000007") BUCKET("00000007")),
          GROUP_FAILED, BUCKET_EXISTS },
        { GM("0000", "00", "00000002", "0030", EVERY,
             BUCKET("00000007") BUCKET("00000007")),
          GROUP_FAILED, BUCKET_EXISTS },
        { INSERT("0018", "00000009", BUCKET("00000007")), GROUP_FAILED,
          UNKNOWN_BUCKET },
        { INSERT("0018", EVERY, BUCKET("00000007")), GROUP_FAILED,
          UNKNOWN_BUCKET },
        { REMOVE("00000009"), GROUP_FAILED, UNKNOWN_BUCKET },
        { REMOVE("ffffff01"), GROUP_FAILED, UNKNOWN_BUCKET },
        /* Numbers above OFPG_BUCKET_MAX are reserved. */
        { INSERT("0018", LAST, BUCKET("ffffff01")), GROUP_FAILED,
          BAD_BUCKET },
        { INSERT("0018", LAST, BUCKET(EVERY)), GROUP_FAILED, BAD_BUCKET },
        { GM("0003", "00", "00000002", "0018", LAST, BUCKET("00000001")),
          GROUP_FAILED, UNKNOWN_GROUP },
        { GM("0005", "00", "00000002", "0000", EVERY, ""), GROUP_FAILED,
          UNKNOWN_GROUP },
        { GM("0003", "00", "fffffffc", "0018", LAST, BUCKET("00000001")),
          GROUP_FAILED, INVALID_GROUP },
        { GM("0005", "00", "fffffffc", "0000", EVERY, ""), GROUP_FAILED,
          INVALID_GROUP },
        { GM("0004", "00", "00000001", "0000", EVERY, ""), GROUP_FAILED,
          BAD_COMMAND },
        { INSERT("0020", LAST, WEIGHTED("00000007", "0002")), GROUP_FAILED,
          INVALID_GROUP }, /* An ALL group's has no weight. */
        { INSERT("0020", LAST, "0020 0010 00000007" OUT "0001 0008 00000001"),
          GROUP_FAILED, WATCH_UNSUPPORTED },
        { INSERT("0020", LAST, "0020 0010 00000007" OUT "0003 0008 00000001"),
          BAD_PROPERTY, 0 }, /* OFPBPC_BAD_TYPE */
        { INSERT("0028", LAST, "0028 0010 00000007" OUT
                 "0000 0008 0001 0000 0000 0008 0001 0000"),
          BAD_PROPERTY, 4 }, /* OFPBPC_DUP_TYPE */
    };

    ask_ok(ADD_1("00", "0030", BUCKET("00000005") BUCKET("00000006")));
    ask(bad[_i].hex);
    expect_error(&c15, bad[_i].type, bad[_i].code);
    expect_quiet(&c15);
    ck_assert_str_eq(numbers(), "5 6 ");
    ck_assert_uint_eq(bed.b->groups.n, 1);
}
END_TEST

START_TEST(test_bucket_commands_are_unknown_before_15)
{
    mem_send_hex(&bed.c, _i ? "040f 0010 00000066 0005 0000 00000001"
                            : "040f 0010 00000066 0003 0000 00000001");
    bed_settle();
    expect_error(&bed.c, GROUP_FAILED, BAD_COMMAND);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("ofproto");
    TCase *tc = tcase_create("group buckets");
    SRunner *sr = srunner_create(s);
    int failed;

    suite_add_tcase(s, tc);
    tcase_add_checked_fixture(tc, open_15, close_15);
    tcase_add_test(tc, test_bucket_is_inserted_first_last_or_behind_another);
    tcase_add_test(tc, test_bucket_is_removed_by_place_number_or_all);
    tcase_add_test(
        tc, test_bucket_inserted_into_a_select_group_weighs_one_unless_told);
    tcase_add_loop_test(
        tc, test_bucket_refusals_have_their_codes_and_change_nothing, 0, 18);
    tcase_add_loop_test(tc, test_bucket_commands_are_unknown_before_15, 0, 2);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
