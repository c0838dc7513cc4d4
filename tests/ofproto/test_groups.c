/* SPDX-License-Identifier: Apache-2.0 */
/* Group-mods and what is told of groups, on the wire of 1.3, 1.4 and 1.5. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "ofproto/agent_priv.h"
#include "tests/ofproto/agent_bed.h"

#define NONE "ffffffff"
#define ALL_GROUPS 0xfffffffcu

enum { ADD, MODIFY, DELETE, INSERT, REMOVE = 5 };
enum { ALL, SELECT, INDIRECT, FF };
enum { BAD_ACTION = 2, GROUP_FAILED = 6 };
enum {
    EXISTS, INVALID_GROUP, WEIGHT_UNSUPPORTED, OUT_OF_GROUPS, OUT_OF_BUCKETS,
    CHAINING_UNSUPPORTED, WATCH_UNSUPPORTED, LOOP, UNKNOWN_GROUP,
    CHAINED_GROUP, BAD_TYPE, BAD_COMMAND, BAD_BUCKET, BAD_WATCH, EPERM,
    UNKNOWN_BUCKET, BUCKET_EXISTS
};

/* Buckets of 1.3 in hex: weight, watch_port, watch_group, one action. */
#define BUCKET(weight, port, group, action)                                   \
    "0020" weight port group "00000000" action
#define OUT(port_hex2) "00000010000000" port_hex2 "ffff000000000000"
#define TO_GROUP(hex2) "00160008000000" hex2
#define B_OUT(port_hex2) BUCKET("0000", NONE, NONE, OUT(port_hex2))
#define B_GROUP(hex2)                                                         \
    "0018" "0000" NONE NONE "00000000" TO_GROUP(hex2)

static size_t
put_hex(uint8_t *p, const char *hex)
{
    size_t n = 0;
    unsigned byte;
    int used;

    for (; hex && sscanf(hex, " %2x%n", &byte, &used) == 1; hex += used)
        p[n++] = (uint8_t) byte;
    return n;
}

/* A group-mod of the session's version, before 1.5. */
static void
send_gm(struct mem_conn *c, unsigned command, unsigned type, uint32_t id,
        const char *buckets)
{
    static uint8_t m[65536];
    size_t n;

    memset(m, 0, 16);
    m[0] = c->version;
    m[1] = 15;
    m[7] = 0x66;
    put_be16(m + 8, (uint16_t) command);
    m[10] = (uint8_t) type;
    put_be32(m + 12, id);
    n = 16 + put_hex(m + 16, buckets);
    mem_send(c, m, n);
    bed_settle();
}

static void
gm(unsigned command, unsigned type, uint32_t id, const char *buckets)
{
    send_gm(&bed.c, command, type, id, buckets);
}

static void
gm_error(unsigned command, unsigned type, uint32_t id, const char *buckets,
         unsigned err_type, unsigned code)
{
    gm(command, type, id, buckets);
    expect_error(&bed.c, err_type, code);
    expect_quiet(&bed.c);
}

static void
gm_ok(unsigned command, unsigned type, uint32_t id, const char *buckets)
{
    gm(command, type, id, buckets);
    expect_quiet(&bed.c);
}

/* A flow in table 'table' that names the group. */
static void
flow_to(uint8_t table, const char *hex2, unsigned flags)
{
    char instr[128];

    snprintf(instr, sizeof instr, "0004001000000000" "00160008000000%s",
             hex2);
    FM(.table = table, .instr = instr, .flags = (uint16_t) flags,
       .priority = 5);
}

static const uint8_t *
ask(unsigned type, uint32_t group, size_t *len)
{
    uint8_t m[24] = { bed.c.version, 18, 0, 0, 0, 0, 0, 9 };

    put_be16(m + 8, (uint16_t) type);
    put_be32(m + 16, group);
    mem_send(&bed.c, m, type == 6 || bed.c.version == 6 ? 24 : 16);
    bed_settle();
    return expect(&bed.c, 19, len);
}

/* ------------------------------------------------------------------- mods */

START_TEST(test_group_add_reaches_the_datapath)
{
    const struct dummy_group *g;

    gm_error(ADD, SELECT, 7,
             BUCKET("0005", NONE, NONE, OUT("01"))
             BUCKET("0009", "00000002", "00000063", OUT("02")),
             GROUP_FAILED, BAD_WATCH);
    gm_ok(ADD, ALL, 0x63, "");
    gm_ok(ADD, SELECT, 8, BUCKET("0001", NONE, "00000063", OUT("02")));
    g = dummy_group_find(bed.dpb, 7);
    ck_assert_ptr_null(g);
    g = dummy_group_find(bed.dpb, 8);
    ck_assert_ptr_nonnull(g);
    ck_assert_int_eq(g->type, DP_GROUP_SELECT);
    ck_assert_uint_eq(g->buckets[0].weight, 1);
    ck_assert_uint_eq(g->buckets[0].watch_port, DP_PORT_NONE);
    ck_assert_uint_eq(g->buckets[0].watch_group, 0x63);
    ck_assert_uint_eq(g->buckets[0].actions.n_words, 1);
    ck_assert_uint_eq(g->buckets[0].actions.ops->code, DP_OP_OUTPUT);
    ck_assert_uint_eq(g->buckets[0].actions.ops->arg, 2);
}
END_TEST

START_TEST(test_group_mods_are_refused_with_the_codes_of_the_specification)
{
    gm_ok(ADD, INDIRECT, 1, B_OUT("01"));
    gm_error(ADD, ALL, 1, "", GROUP_FAILED, EXISTS);
    gm_error(ADD, ALL, 0xffffff01, "", GROUP_FAILED, INVALID_GROUP);
    gm_error(ADD, ALL, ALL_GROUPS, "", GROUP_FAILED, INVALID_GROUP);
    gm_error(MODIFY, ALL, 9, "", GROUP_FAILED, UNKNOWN_GROUP);
    gm_error(MODIFY, ALL, ALL_GROUPS, "", GROUP_FAILED, INVALID_GROUP);
    gm_error(DELETE, ALL, 0xffffff01, "", GROUP_FAILED, INVALID_GROUP);
    gm_error(9, ALL, 1, "", GROUP_FAILED, BAD_COMMAND);
    gm_error(ADD, 4, 2, "", GROUP_FAILED, BAD_TYPE);
    gm_error(ADD, 200, 2, "", GROUP_FAILED, BAD_TYPE);
    /* One bucket alone. */
    gm_error(ADD, INDIRECT, 2, "", GROUP_FAILED, INVALID_GROUP);
    gm_error(ADD, INDIRECT, 2, B_OUT("01") B_OUT("02"), GROUP_FAILED,
             INVALID_GROUP);
    /* A weight is for select groups. */
    gm_error(ADD, ALL, 2, BUCKET("0001", NONE, NONE, OUT("01")), GROUP_FAILED,
             INVALID_GROUP);
    /* Shares of a sum of zero. */
    gm_error(ADD, SELECT, 3, B_OUT("01") B_OUT("02"), GROUP_FAILED,
             INVALID_GROUP);
    /* Failover without anything to watch. */
    gm_error(ADD, FF, 2, B_OUT("01"), GROUP_FAILED, INVALID_GROUP);
    gm_error(ADD, FF, 2, BUCKET("0000", "fffffffd", NONE, OUT("01")),
             GROUP_FAILED, BAD_WATCH);
    gm_error(ADD, FF, 2, BUCKET("0000", "00000000", NONE, OUT("01")),
             GROUP_FAILED, BAD_WATCH);
    gm_error(ADD, FF, 2, BUCKET("0000", NONE, "00000050", OUT("01")),
             GROUP_FAILED, BAD_WATCH);
    gm_error(ADD, ALL, 2, BUCKET("0000", "00000001", NONE, OUT("01")),
             GROUP_FAILED, WATCH_UNSUPPORTED);
    /* Actions: §7.3.4.2 refers to those of flow-mods. */
    gm_error(ADD, ALL, 2, B_GROUP("50"), BAD_ACTION, 9);
    gm_error(ADD, ALL, 2, BUCKET("0000", NONE, NONE,
                                 "00000010fffffff9ffff000000000000"),
             BAD_ACTION, 4);
    ck_assert_uint_eq(bed.b->groups.n, 1);
    gm_ok(DELETE, ALL, 9, "");
}
END_TEST

START_TEST(test_group_watch_of_zeros_is_none_and_told_as_zeros)
{
    const uint8_t *m;
    size_t len;

    gm_ok(ADD, ALL, 1, BUCKET("0000", "00000000", "00000000", OUT("01")));
    ck_assert_uint_eq(dummy_group_find(bed.dpb, 1)->buckets[0].watch_port,
                      DP_PORT_NONE);
    mem_send_hex(&bed.c, "0412 0000 00000001 0007 0000 00000000");
    m = expect(&bed.c, 19, &len);
    ck_assert_uint_eq(len, 16 + 8 + 32);
    ck_assert_str_eq(hex_of(m + 24, 32), BUCKET("0000", "00000000",
                                                "00000000", OUT("01")));
}
END_TEST

START_TEST(test_group_modify_replaces_all_or_nothing)
{
    const struct dummy_group *g;

    gm_ok(ADD, ALL, 1, B_OUT("01") B_OUT("02"));
    gm_ok(MODIFY, SELECT, 1, BUCKET("0003", NONE, NONE, OUT("02")));
    g = dummy_group_find(bed.dpb, 1);
    ck_assert_int_eq(g->type, DP_GROUP_SELECT);
    ck_assert_uint_eq(g->n_buckets, 1);
    ck_assert(!g->kept);
    gm_error(MODIFY, ALL, 1, B_OUT("01") B_GROUP("50"), BAD_ACTION, 9);
    ck_assert_int_eq(dummy_group_find(bed.dpb, 1)->type, DP_GROUP_SELECT);
}
END_TEST

/* --------------------------------------------------------------- chaining */

START_TEST(test_group_loops_are_refused)
{
    gm_error(ADD, ALL, 1, B_GROUP("01"), GROUP_FAILED, LOOP);
    gm_ok(ADD, INDIRECT, 1, B_OUT("01"));
    gm_ok(ADD, INDIRECT, 2, B_GROUP("01"));
    gm_ok(ADD, ALL, 3, B_GROUP("02") B_OUT("02"));
    gm_error(MODIFY, ALL, 1, B_OUT("01") B_GROUP("03"), GROUP_FAILED, LOOP);
    gm_error(MODIFY, FF, 1, BUCKET("0000", NONE, "00000003", OUT("01")),
             GROUP_FAILED, LOOP);
    /* As long as the end leads elsewhere it is none. */
    gm_ok(MODIFY, ALL, 3, B_OUT("02"));
    gm_ok(MODIFY, ALL, 1, B_OUT("01") B_GROUP("03"));
    gm_error(MODIFY, ALL, 3, B_GROUP("02"), GROUP_FAILED, LOOP);
}
END_TEST

START_TEST(test_group_chain_has_a_limit)
{
    char hex[64];

    gm_ok(ADD, INDIRECT, 1, B_OUT("01"));
    for (unsigned id = 2; id <= OFP_GROUP_DEPTH; id++) {
        snprintf(hex, sizeof hex, "00180000" NONE NONE "00000000"
                 "00160008000000%02x", id - 1);
        gm_ok(ADD, INDIRECT, id, hex);
    }
    gm_error(ADD, INDIRECT, 99, B_GROUP("10"), GROUP_FAILED,
             CHAINING_UNSUPPORTED);
    gm_ok(ADD, INDIRECT, 100, B_OUT("01"));
    gm_ok(ADD, INDIRECT, 101, B_GROUP("64"));
    gm_error(MODIFY, INDIRECT, 1, B_GROUP("65"), GROUP_FAILED,
             CHAINING_UNSUPPORTED);
    gm_ok(MODIFY, INDIRECT, 2, B_OUT("01"));
    gm_ok(ADD, INDIRECT, 99, B_GROUP("10"));
}
END_TEST

START_TEST(test_group_that_others_lead_to_is_not_deleted)
{
    gm_ok(ADD, INDIRECT, 1, B_OUT("01"));
    gm_ok(ADD, ALL, 2, B_GROUP("01") B_GROUP("01"));
    gm_error(DELETE, ALL, 1, "", GROUP_FAILED, CHAINED_GROUP);
    gm_ok(MODIFY, ALL, 2, B_OUT("02"));
    gm_ok(DELETE, ALL, 1, "");
    gm_ok(ADD, INDIRECT, 1, B_OUT("01"));
    gm_ok(MODIFY, ALL, 2, B_GROUP("01"));
    gm_ok(DELETE, ALL, ALL_GROUPS, "");
    ck_assert_uint_eq(bed.b->groups.n, 0);
    ck_assert_ptr_null(dummy_group_find(bed.dpb, 1));
    ck_assert_ptr_null(dummy_group_find(bed.dpb, 2));
}
END_TEST

/* The watched group may go and come back; what it leads to then counts. */
START_TEST(test_group_watched_may_go_and_loops_still_show)
{
    gm_ok(ADD, INDIRECT, 1, B_OUT("01"));
    gm_ok(ADD, FF, 2, BUCKET("0000", NONE, "00000001", OUT("01")));
    gm_ok(DELETE, ALL, 1, "");
    gm_error(ADD, INDIRECT, 1, B_GROUP("02"), GROUP_FAILED, LOOP);
    gm_ok(ADD, INDIRECT, 1, B_OUT("02"));
    gm_ok(DELETE, ALL, 1, "");
    gm_ok(DELETE, ALL, 2, "");
    ck_assert_uint_eq(bed.b->groups.n, 0);
}
END_TEST

/* ------------------------------------------------------------------ flows */

START_TEST(test_group_unknown_to_a_flow_is_refused)
{
    flow_to(0, "07", 0);
    expect_error(&bed.c, BAD_ACTION, 9);
    gm_ok(ADD, ALL, 7, "");
    flow_to(0, "07", 0);
    expect_quiet(&bed.c);
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
}
END_TEST

START_TEST(test_group_delete_takes_its_flows_along)
{
    size_t len;
    const uint8_t *m;

    gm_ok(ADD, ALL, 7, "");
    gm_ok(ADD, ALL, 8, "");
    for (uint8_t t = 0; t < 4; t++)
        flow_to(t, t % 2 ? "07" : "08", 1);
    FM(.table = 9, .instr = OUT1, .flags = 1);
    gm(DELETE, ALL, 7, "");
    for (unsigned i = 0; i < 2; i++) {
        m = expect(&bed.c, 11, &len);
        ck_assert_uint_eq(m[18], 3); /* OFPRR_GROUP_DELETE */
        ck_assert_uint_eq(m[19] % 2, 1);
    }
    expect_quiet(&bed.c);
    ck_assert_uint_eq(bed.dpb->n_rules, 3);
    ck_assert_ptr_null(dummy_group_find(bed.dpb, 7));
    gm(DELETE, ALL, ALL_GROUPS, "");
    for (unsigned i = 0; i < 2; i++)
        expect(&bed.c, 11, &len);
    expect_quiet(&bed.c);
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
}
END_TEST

START_TEST(test_group_ref_count_counts_flows_and_groups)
{
    size_t len;
    const uint8_t *m;

    gm_ok(ADD, ALL, 7, "");
    gm_ok(ADD, ALL, 8, B_GROUP("07") B_GROUP("07"));
    flow_to(0, "07", 0);
    flow_to(1, "07", 0);
    m = ask(6, 7, &len);
    ck_assert_uint_eq(get_be32(m + 16 + 8), 3);
    FM(.table = 1, .command = 3);
    flow_to(0, "08", 0); /* Replaced. */
    m = ask(6, 7, &len);
    ck_assert_uint_eq(get_be32(m + 16 + 8), 1);
    m = ask(6, 8, &len);
    ck_assert_uint_eq(get_be32(m + 16 + 8), 1);
    gm_ok(DELETE, ALL, 8, "");
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
    m = ask(6, 7, &len);
    ck_assert_uint_eq(get_be32(m + 16 + 8), 0);
}
END_TEST

/* ------------------------------------------------------------------- told */

START_TEST(test_group_stats_of_one_and_all)
{
    struct dummy_group *g;
    size_t len;
    const uint8_t *m;

    gm_ok(ADD, ALL, 0x20, B_OUT("01") B_OUT("02"));
    bed_advance(1500);
    gm_ok(ADD, ALL, 0x10, "");
    g = dummy_group_find(bed.dpb, 0x20);
    g->total = (struct dp_stats) { 10, 1000, 0 };
    g->stats[1] = (struct dp_stats) { 3, 300, 0 };
    m = ask(6, 0x20, &len);
    ck_assert_str_eq(hex_of(m + 16, len - 16), hex_plain(
        "0048 0000 00000020 00000000 00000000 000000000000000a"
        "00000000000003e8 00000001 1dcd6500"
        "0000000000000000 0000000000000000 0000000000000003 000000000000012c"));
    m = ask(6, ALL_GROUPS, &len);
    ck_assert_uint_eq(len, 16 + 40 + 72);
    ck_assert_uint_eq(get_be32(m + 16 + 4), 0x10); /* Ascending. */
    m = ask(6, 5, &len);
    ck_assert_uint_eq(len, 16);
}
END_TEST

START_TEST(test_group_desc_is_what_was_added)
{
    static const char buckets[] =
        BUCKET("0005", "00000001", NONE, OUT("01"))
        BUCKET("0007", NONE, NONE, OUT("02"));
    size_t len;
    const uint8_t *m;
    char want[512];

    gm_ok(ADD, SELECT, 9, buckets);
    m = ask(7, 0, &len);
    snprintf(want, sizeof want, "00480100" "00000009" "%s",
             hex_plain(buckets));
    ck_assert_str_eq(hex_of(m + 16, len - 16), want);
}
END_TEST

START_TEST(test_group_features_say_what_there_is)
{
    size_t len;
    const uint8_t *m = ask(8, 0, &len);

    ck_assert_uint_eq(len, 16 + 40);
    ck_assert_uint_eq(get_be32(m + 16), 0xf);
    ck_assert_uint_eq(get_be32(m + 20), 0xf);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_uint_eq(get_be32(m + 24 + 4 * i), OFP_MAX_GROUPS);
        /* OUTPUT and GROUP among them, ENQUEUE of 1.0 not. */
        ck_assert_uint_eq(get_be32(m + 40 + 4 * i) & (1u | 1u << 22),
                          1u | 1u << 22);
    }
}
END_TEST

START_TEST(test_group_reply_of_many_is_cut_into_messages)
{
    unsigned n = 0, messages = 0;
    bool more = true;
    uint8_t m[24] = { 4, 18, 0, 24, 0, 0, 0, 9, 0, 6 };

    for (unsigned id = 0; id < 5000; id++)
        gm_ok(ADD, ALL, id, B_OUT("01"));
    put_be32(m + 16, ALL_GROUPS);
    mem_send(&bed.c, m, sizeof m);
    bed_settle();
    for (; more; messages++) {
        size_t len;
        const uint8_t *r = expect(&bed.c, 19, &len);

        more = get_be16(r + 10) & 1;
        n += (unsigned) (len - 16) / 56;
        ck_assert_uint_eq((len - 16) % 56, 0);
    }
    ck_assert_uint_eq(n, 5000);
    ck_assert_uint_gt(messages, 4);
}
END_TEST

START_TEST(test_group_buckets_have_a_limit)
{
    static char hex[70 * 2000];

    hex[0] = '\0';
    for (unsigned i = 0; i < 1100; i++)
        memcpy(hex + 64 * i, hex_plain(B_OUT("01")), 65);
    gm_ok(ADD, ALL, 1, hex);
    for (unsigned i = 1100; i < 1900; i++)
        memcpy(hex + 64 * i, hex_plain(B_OUT("01")), 65);
    gm_error(ADD, ALL, 2, hex, GROUP_FAILED, OUT_OF_BUCKETS);
}
END_TEST

START_TEST(test_group_table_has_a_limit)
{
    for (uint32_t id = OFP_MAX_GROUPS; id; id--)
        send_gm(&bed.c, ADD, ALL, id, "");
    expect_quiet(&bed.c);
    gm_error(ADD, ALL, 0, "", GROUP_FAILED, OUT_OF_GROUPS);
    gm_ok(DELETE, ALL, 5, "");
    gm_ok(ADD, ALL, 0, "");
    gm_ok(DELETE, ALL, ALL_GROUPS, "");
}
END_TEST

/* ------------------------------------------------------------------- undo */

START_TEST(test_group_snapshot_takes_changes_back)
{
    struct ofp_group_undo *one, *none, *all;
    struct ofp_group_mod del = { .command = OFP_GC_DELETE,
                                 .group = ALL_GROUPS };
    size_t len;
    const uint8_t *m;
    char before[1024];

    gm_ok(ADD, INDIRECT, 1, B_OUT("01"));
    gm_ok(ADD, ALL, 2, B_GROUP("01") B_OUT("02"));
    m = ask(7, 0, &len);
    snprintf(before, sizeof before, "%s", hex_of(m + 16, len - 16));
    all = ofp_group_snapshot(bed.b, ALL_GROUPS);
    ck_assert_int_eq(ofp_group_apply(bed.b, &del), OFP_OK);
    ofp_group_restore(bed.b, all);
    gm_error(DELETE, ALL, 1, "", GROUP_FAILED, CHAINED_GROUP);
    none = ofp_group_snapshot(bed.b, 3);
    gm_ok(ADD, ALL, 3, B_GROUP("02"));
    one = ofp_group_snapshot(bed.b, 2);
    gm_ok(MODIFY, ALL, 2, B_OUT("01"));
    ofp_group_restore(bed.b, one);
    ofp_group_restore(bed.b, none);
    m = ask(7, 0, &len);
    ck_assert_str_eq(hex_of(m + 16, len - 16), before);
    ck_assert_ptr_null(dummy_group_find(bed.dpb, 3));
    ck_assert_uint_eq(dummy_group_find(bed.dpb, 2)->n_buckets, 2);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("ofproto");
    TCase *tc = tcase_create("groups");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, bed_open, bed_close);
    tcase_add_test(tc, test_group_add_reaches_the_datapath);
    tcase_add_test(
        tc, test_group_mods_are_refused_with_the_codes_of_the_specification);
    tcase_add_test(tc, test_group_watch_of_zeros_is_none_and_told_as_zeros);
    tcase_add_test(tc, test_group_modify_replaces_all_or_nothing);
    tcase_add_test(tc, test_group_loops_are_refused);
    tcase_add_test(tc, test_group_chain_has_a_limit);
    tcase_add_test(tc, test_group_that_others_lead_to_is_not_deleted);
    tcase_add_test(tc, test_group_watched_may_go_and_loops_still_show);
    tcase_add_test(tc, test_group_unknown_to_a_flow_is_refused);
    tcase_add_test(tc, test_group_delete_takes_its_flows_along);
    tcase_add_test(tc, test_group_ref_count_counts_flows_and_groups);
    tcase_add_test(tc, test_group_stats_of_one_and_all);
    tcase_add_test(tc, test_group_desc_is_what_was_added);
    tcase_add_test(tc, test_group_features_say_what_there_is);
    tcase_add_test(tc, test_group_reply_of_many_is_cut_into_messages);
    tcase_add_test(tc, test_group_buckets_have_a_limit);
    tcase_add_test(tc, test_group_table_has_a_limit);
    tcase_add_test(tc, test_group_snapshot_takes_changes_back);
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
