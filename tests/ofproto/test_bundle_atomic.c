/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "bundle_atomic": a bundle does what its messages do one by one, or,
 * failing anywhere, nothing. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/ofproto/bundle_bed.h"
#include "weft/be.h"

/* ---------------------------------------------------------- all or nothing */

static const struct fm old_rules[] = {
    { .priority = 1, .match = "", .instr = OUT1, .cookie = 1 },
    { .priority = 2, .match = OXM_IP, .instr = OUT1, .cookie = 2,
      .flags = 1, .idle = 50 },
    { .priority = 3, .match = OXM_TCP, .instr = OUT2, .cookie = 3,
      .hard = 30, .flags = 1 },
    { .table = 1, .priority = 3, .match = OXM_IP, .instr = OUT2, .idle = 20,
      .hard = 40, .cookie = 4 },
};

/* Each touches something: add, replace, modify loosely and strictly, delete
 * loosely and strictly, add again what was deleted. */
static const struct fm changes[] = {
    { .priority = 9, .match = OXM_IN_PORT1, .instr = OUT2, .cookie = 9,
      .hard = 5 },
    { .priority = 2, .match = OXM_IP, .instr = OUT2, .cookie = 12,
      .hard = 7, .flags = 4 },
    { .command = MODIFY_STRICT, .priority = 1, .match = "", .instr = OUT2,
      .flags = 4 },
    { .command = DELETE_STRICT, .priority = 3, .match = OXM_TCP },
    { .priority = 3, .match = OXM_TCP, .instr = OUT1, .cookie = 13 },
    { .command = MODIFY, .match = OXM_IP, .instr = OUT1 },
    { .priority = 7, .match = OXM_DST("0a000001"), .instr = OUT1,
      .flags = 2, .table = 3 },
    { .command = DELETE, .table = 1, .match = "" },
    { .table = 1, .priority = 3, .match = OXM_IP, .instr = OUT1 },
    { .command = DELETE, .table = 0xff, .match = OXM_TCP },
};
#define N_CHANGES (sizeof changes / sizeof changes[0])

/* Everything that can be seen: the datapath's rules, the agent's words about
 * them, the counters. */
static char *
state_text(void)
{
    static const uint8_t ask[56] = {
        4, 18, 0, 56, 0, 0, 0, 9, 0, 1, 0, 0, 0, 0, 0, 0,
        0xff, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    };
    struct mem_conn c;
    struct dp_rule *r;
    const uint8_t *reply;
    uint8_t m[56];
    char *text = NULL;
    size_t size, len;
    FILE *f = open_memstream(&text, &size);

    memcpy(m, ask, sizeof m);
    put_be16(m + 48, 1);
    put_be16(m + 50, 4);
    for (unsigned i = 0; (r = dummy_rule_nth(bed.dpb, i)); i++)
        fprintf(f, "%u %u %llx %u %llu %d %u %s\n", r->table, r->priority,
                (unsigned long long) r->cookie, r->instr.apply.ops->arg,
                (unsigned long long) r->stats.packets, r->staged,
                r->n_resets, hex_of(&r->match, sizeof r->match));
    bed_session(&c, 4, true);
    mem_send_raw(&c, m, sizeof m);
    bed_settle();
    reply = expect(&c, 19, &len);
    fprintf(f, "%s\n", hex_of(reply, len));
    mem_close(&c);
    for (uint32_t p = 1; p <= 2; p++)
        fprintf(f, "port %u: %x\n", p, dummy_port(bed.dpb, p)->config);
    fprintf(f, "%u packet-outs\n", bed.dpb->n_packet_outs);
    fclose(f);
    return text;
}

/* Says where they differ; check's own message would be too long. */
static void
expect_same(const char *a, const char *b)
{
    size_t i = 0;

    while (a[i] && a[i] == b[i])
        i++;
    ck_assert_msg(a[i] == b[i], "at %zu: %.60s | %.60s", i, a + i, b + i);
}

static void
old_state(void)
{
    for (unsigned i = 0; i < 4; i++) {
        send_fm(&bed.c, &old_rules[i]);
        dummy_rule_nth(bed.dpb, i)->stats.packets = 100 + i;
    }
    bed_advance(3000);
}

static void
add_changes(struct mem_conn *c, unsigned n)
{
    static const uint8_t port_mod[40] = {
        4, 16, 0, 40, 0, 0, 0, XID, 0, 0, 0, 1, 0, 0, 0, 0,
        2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0x21, 0, 0, 0, 0x21,
    };
    static const uint8_t packet_out[40 + 14] = {
        4, 13, 0, 54, 0, 0, 0, XID, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xfd, 0, 16, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
        2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x06,
    };

    if (c == &bed.c) {
        bundle_add_raw(c, 1, 0, port_mod, sizeof port_mod);
        bundle_add_raw(c, 1, 0, packet_out, sizeof packet_out);
    }
    for (unsigned i = 0; i < n; i++)
        bundle_add_fm(c, 1, 0, &changes[i]);
    expect_quiet(c);
}

/* Message number _i is wrong in a way that shows only at the commit. */
START_TEST(test_bundle_that_fails_anywhere_leaves_the_old_state)
{
    char *before, *after;

    old_state();
    before = state_text();
    bundle_open(&bed.c, 0);
    add_changes(&bed.c, (unsigned) _i);
    /* ACT: output to a port that is none. */
    BFM(&bed.c, .priority = 1, .match = "",
        .instr = APPLY_OUTPUT("ffffff20"));
    bundle_control(&bed.c, 1, COMMIT, 0);
    expect_error(&bed.c, 2, 4); /* BAD_OUT_PORT, about the message. */
    bundle_expect_error(&bed.c, MSG_FAILED);
    expect_quiet(&bed.c); /* No flow-removed. */
    after = state_text();
    expect_same(before, after);
    ck_assert_uint_eq(bed.dpb->n_aborts, 1);
    /* Timeouts run as if nothing had been: 20 s idle, 30 s hard, 50 s. */
    bed_advance(16000);
    ck_assert_uint_eq(bed.dpb->n_rules, 4);
    bed_advance(1500);
    ck_assert_uint_eq(bed.dpb->n_rules, 3);
    bed_advance(9000);
    ck_assert_uint_eq(bed.dpb->n_rules, 3);
    bed_advance(1000);
    ck_assert_uint_eq(bed.dpb->n_rules, 2);
    bed_advance(20000);
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
    free(before);
    free(after);
}
END_TEST

/* The datapath refuses its _i-th change for want of memory. */
START_TEST(test_bundle_without_memory_leaves_the_old_state)
{
    char *before, *after;

    old_state();
    before = state_text();
    bundle_open(&bed.c, 0);
    add_changes(&bed.c, N_CHANGES);
    bed.dp->fail_at = (unsigned) _i + 1;
    bundle_control(&bed.c, 1, COMMIT, 0);
    ck_assert_uint_eq(bed.dp->fail_at, 0);
    expect_error(&bed.c, 5, 1); /* TABLE_FULL */
    bundle_expect_error(&bed.c, MSG_FAILED);
    expect_quiet(&bed.c);
    after = state_text();
    expect_same(before, after);
    free(before);
    free(after);
}
END_TEST

/* What the same messages do one by one is what the bundle does. */
START_TEST(test_bundle_does_what_its_messages_do_one_by_one)
{
    char *alone, *together;
    unsigned removed[2] = { 0, 0 };
    size_t len;
    const uint8_t *m;

    old_state();
    for (unsigned i = 0; i < N_CHANGES; i++)
        send_fm(&bed.c, &changes[i]);
    while ((m = mem_next(&bed.c, &len)))
        removed[0] += m[1] == 11;
    alone = state_text();
    bundle_teardown();
    bundle_setup();
    old_state();
    bundle_open(&bed.c, 0);
    for (unsigned i = 0; i < N_CHANGES; i++)
        bundle_add_fm(&bed.c, 1, 0, &changes[i]);
    bundle_control(&bed.c, 1, COMMIT, 0);
    while ((m = mem_next(&bed.c, &len))) {
        ck_assert_uint_ne(m[1], 1);
        removed[1] += m[1] == 11;
    }
    together = state_text();
    expect_same(alone, together);
    ck_assert_uint_eq(removed[0], removed[1]);
    ck_assert_uint_gt(removed[1], 0);
    free(alone);
    free(together);
}
END_TEST

START_TEST(test_bundle_sets_ports_and_sends_packets_at_its_commit)
{
    bundle_open(&bed.c, 0);
    add_changes(&bed.c, 1);
    ck_assert_uint_eq(dummy_port(bed.dpb, 1)->config, 0);
    ck_assert_uint_eq(bed.dpb->n_packet_outs, 0);
    bundle_control(&bed.c, 1, COMMIT, 0);
    ck_assert_uint_eq(dummy_port(bed.dpb, 1)->config, 0x21);
    ck_assert_uint_eq(bed.dpb->n_packet_outs, 1);
    ck_assert_uint_eq(dummy_last_packet_out(bed.dpb)->len, 14);
}
END_TEST

/* 20,000 messages: neither the loop nor the others wait for long. */
START_TEST(test_bundle_of_many_messages_is_applied_in_slices)
{
    unsigned slices = 0;

    bundle_open(&bed.c, 0);
    for (unsigned i = 0; i < 20000; i++) {
        char match[64];

        snprintf(match, sizeof match, OXM_DST("%08x"), i);
        BFM(&bed.c, .priority = 1, .match = match, .instr = OUT1);
    }
    uint8_t m[32];
    size_t n = bundle_put_head(m, &bed.c, 33);

    put_be32(m + n, 1);
    put_be16(m + n + 4, COMMIT);
    put_be16(m + n + 6, 0);
    mem_send(&bed.c, m, n + 8);
    while (ofp_flush(bed.b))
        slices++;
    ck_assert_uint_gt(slices, 5);
    bed_settle();
    bed_settle();
    bundle_expect_control(&bed.c, 1, COMMIT_REPLY, 0);
    ck_assert_uint_eq(bed.dpb->n_rules, 20000);
}
END_TEST

/* ------------------------------------------------------- groups and meters */

/* Messages of 1.3 and their likes of 1.4, the version left out. */
#define BUCKET(port_hex8)                                                     \
    "0020 0000 ffffffff ffffffff 00000000"                                    \
    "0000 0010" port_hex8 "ffff 000000000000"
#define GROUP_MOD(command, id, buckets)                                       \
    "000f 0000 00000077" command "00 00" id buckets
#define METER_MOD(command, id, rate)                                          \
    "001d 0000 00000077" command "0001" id                                    \
    "0001 0010" rate "00000000 00000000"
#define GROUP_DELETE(id) GROUP_MOD("0002", id, "")
#define METER_DELETE(id) "001d 0010 00000077 0002 0001" id

static size_t
from_hex(uint8_t *m, const char *hex)
{
    size_t n = 0;
    unsigned byte;
    int used;

    for (; sscanf(hex, " %2x%n", &byte, &used) == 1; hex += used)
        m[n++] = (uint8_t) byte;
    return n;
}

static size_t
put_message(uint8_t *m, const struct mem_conn *c, const char *hex)
{
    size_t n = from_hex(m, hex);

    m[0] = bundle_version(c);
    put_be16(m + 2, (uint16_t) n);
    return n;
}

static void
send_hex(struct mem_conn *c, const char *hex)
{
    uint8_t m[256];

    mem_send(c, m, put_message(m, c, hex));
    bed_settle();
    expect_quiet(c);
}

static void
add_hex(struct mem_conn *c, const char *hex)
{
    uint8_t m[256];
    size_t n = put_message(m, c, hex);

    bundle_add_raw(c, 1, 0, m, n);
    expect_quiet(c);
}

#define APPLY_GROUP(id) "0004 0010 00000000 0016 0008" id
#define METER(id) "0006 0008" id

static void
old_groups_and_meters(void)
{
    send_hex(&bed.c, GROUP_MOD("0000", "00000001", BUCKET("00000001")));
    send_hex(&bed.c, GROUP_MOD("0000", "00000002", BUCKET("00000002")));
    send_hex(&bed.c, METER_MOD("0000", "00000001", "00000064"));
    send_hex(&bed.c, METER_MOD("0000", "00000002", "000000c8"));
    FM(.table = 1, .priority = 1, .match = "", .cookie = 1, .flags = 1,
       .instr = APPLY_GROUP("00000001"));
    FM(.table = 2, .priority = 2, .match = "", .cookie = 2, .flags = 1,
       .instr = METER("00000002") OUT1);
    expect_quiet(&bed.c);
    bed_advance(2000);
}

/* Groups and meters of the datapath and what the agent says of them and of
 * the rules. */
static char *
groups_and_meters_text(void)
{
    /* Group-desc, group statistics, meter-config, meter statistics. */
    static const char *const ask[] = {
        "0412 0010 00000009 0007 0000 00000000",
        "0412 0018 00000009 0006 0000 00000000 fffffffc 00000000",
        "0412 0018 00000009 000a 0000 00000000 ffffffff 00000000",
        "0412 0018 00000009 0009 0000 00000000 ffffffff 00000000",
    };
    char *rules = state_text(), *text = NULL;
    struct mem_conn c;
    size_t size, len;
    FILE *f = open_memstream(&text, &size);

    bed_session(&c, 4, true);
    for (unsigned i = 0; i < sizeof ask / sizeof ask[0]; i++) {
        const uint8_t *reply;

        mem_send_hex(&c, ask[i]);
        bed_settle();
        reply = expect(&c, 19, &len);
        fprintf(f, "%s\n", hex_of(reply, len));
    }
    mem_close(&c);
    for (uint32_t id = 1; id <= 3; id++) {
        struct dummy_group *g = dummy_group_find(bed.dpb, id);
        struct dummy_meter *m = dummy_meter(bed.dpb, id);

        fprintf(f, "group %u: type %d, %zu buckets, output %llu\n", id,
                g ? (int) g->type : -1, g ? g->n_buckets : 0,
                g ? (unsigned long long) g->buckets->actions.ops->arg : 0);
        fprintf(f, "meter %u: rate %llu\n", id,
                m ? (unsigned long long) m->bands[0].rate : 0);
    }
    fprintf(f, "%s", rules);
    fclose(f);
    free(rules);
    return text;
}

/* Each touches what the ones before it did. */
static const char *const group_and_meter_changes[] = {
    GROUP_MOD("0000", "00000003", BUCKET("00000001") BUCKET("00000002")),
    GROUP_MOD("0001", "00000001", BUCKET("00000002")),
    METER_MOD("0000", "00000003", "0000012c"),
    METER_MOD("0001", "00000001", "000003e8"),
    METER_MOD("0001", "00000002", "000007d0"),
    GROUP_DELETE("00000001"), /* And the rule that names it. */
    METER_DELETE("00000002"), /* The same. */
    GROUP_MOD("0000", "00000001", BUCKET("00000001") BUCKET("00000001")),
    METER_MOD("0000", "00000002", "00000001"),
    GROUP_DELETE("fffffffc"),
    METER_DELETE("ffffffff"),
};
#define N_GM_CHANGES                                                          \
    (sizeof group_and_meter_changes / sizeof group_and_meter_changes[0])

static void
expect_no_change(unsigned n_changes, const char *last, unsigned type,
                 unsigned code)
{
    char *before, *after;

    old_groups_and_meters();
    dummy_group_find(bed.dpb, 1)->total.packets = 7;
    before = groups_and_meters_text();
    bundle_open(&bed.c, 0);
    for (unsigned i = 0; i < n_changes; i++)
        add_hex(&bed.c, group_and_meter_changes[i]);
    add_hex(&bed.c, last);
    bundle_control(&bed.c, 1, COMMIT, 0);
    expect_error(&bed.c, type, code);
    bundle_expect_error(&bed.c, MSG_FAILED);
    expect_quiet(&bed.c); /* No flow-removed. */
    after = groups_and_meters_text();
    expect_same(before, after);
    free(before);
    free(after);
}

START_TEST(test_bundle_with_a_bad_group_last_leaves_groups_and_meters)
{
    expect_no_change((unsigned) _i,
                     GROUP_MOD("0001", "00000009", BUCKET("00000001")),
                     6, 8); /* GROUP_MOD_FAILED, UNKNOWN_GROUP */
}
END_TEST

START_TEST(test_bundle_with_a_bad_meter_last_leaves_groups_and_meters)
{
    expect_no_change((unsigned) _i,
                     METER_MOD("0001", "00000009", "00000064"),
                     12, 3); /* METER_MOD_FAILED, UNKNOWN_METER */
}
END_TEST

START_TEST(test_bundle_of_groups_and_meters_does_what_they_do_one_by_one)
{
    char *alone, *together;

    for (unsigned n = 0; n <= N_GM_CHANGES; n++) {
        old_groups_and_meters();
        for (unsigned i = 0; i < n; i++) {
            uint8_t m[256];

            mem_send(&bed.c, m,
                     put_message(m, &bed.c, group_and_meter_changes[i]));
            bed_settle();
        }
        alone = groups_and_meters_text();
        bundle_teardown();
        bundle_setup();
        old_groups_and_meters();
        bundle_open(&bed.c, 0);
        for (unsigned i = 0; i < n; i++)
            add_hex(&bed.c, group_and_meter_changes[i]);
        bundle_control(&bed.c, 1, COMMIT, 0);
        bed_settle();
        together = groups_and_meters_text();
        expect_same(alone, together);
        free(alone);
        free(together);
        bundle_teardown();
        bundle_setup();
    }
}
END_TEST

/* A group that is deleted and added again is another one; one that is changed
 * goes on counting. */
START_TEST(test_bundle_group_added_again_counts_anew)
{
    struct dummy_group *one, *two;

    old_groups_and_meters();
    one = dummy_group_find(bed.dpb, 1);
    two = dummy_group_find(bed.dpb, 2);
    one->total.packets = two->total.packets = 5;
    bundle_open(&bed.c, 0);
    add_hex(&bed.c, GROUP_DELETE("00000001"));
    add_hex(&bed.c, GROUP_MOD("0000", "00000001", BUCKET("00000002")));
    add_hex(&bed.c, GROUP_MOD("0001", "00000001", BUCKET("00000002")));
    add_hex(&bed.c, GROUP_MOD("0001", "00000002", BUCKET("00000001")));
    ck_assert_uint_eq(one->total.packets, 5);
    bundle_control(&bed.c, 1, COMMIT, 0);
    one = dummy_group_find(bed.dpb, 1);
    two = dummy_group_find(bed.dpb, 2);
    ck_assert_ptr_nonnull(one);
    ck_assert_uint_eq(one->total.packets, 0);
    ck_assert_uint_eq(one->buckets->actions.ops->arg, 2);
    ck_assert_uint_eq(two->total.packets, 5);
}
END_TEST

/* _i: the last message fails, and no packet has met another meter; or packets
 * meet what becomes of them from the switch-over on. */
START_TEST(test_bundle_meters_change_at_its_commit)
{
    static const struct fm by_meter_3 = {
        .table = 3, .match = "", .instr = METER("00000003") OUT1,
    };
    const struct fm last = { .table = _i ? 4 : 0xfe, .match = "" };
    struct dummy_meter *m;

    old_groups_and_meters();
    dummy_meter(bed.dpb, 1)->in.packets = 5;
    dummy_meter(bed.dpb, 2)->in.packets = 5;
    bundle_open(&bed.c, 0);
    add_hex(&bed.c, METER_MOD("0001", "00000001", "000003e8"));
    add_hex(&bed.c, METER_DELETE("00000002"));
    add_hex(&bed.c, METER_MOD("0000", "00000002", "00000001"));
    add_hex(&bed.c, METER_MOD("0000", "00000003", "00000007"));
    bundle_add_fm(&bed.c, 1, 0, &by_meter_3);
    add_hex(&bed.c, METER_DELETE("00000003"));
    bundle_add_fm(&bed.c, 1, 0, &last);
    bundle_control(&bed.c, 1, COMMIT, 0);
    m = dummy_meter(bed.dpb, 1);
    ck_assert_uint_eq(m->bands[0].rate, _i ? 1000 : 100);
    ck_assert_uint_eq(m->n_sets, _i ? 2 : 1);
    ck_assert_uint_eq(m->in.packets, 5);
    m = dummy_meter(bed.dpb, 2);
    ck_assert_uint_eq(m->bands[0].rate, _i ? 1 : 200);
    ck_assert_uint_eq(m->n_sets, 1);
    ck_assert_uint_eq(m->in.packets, _i ? 0 : 5);
    ck_assert_ptr_null(dummy_meter(bed.dpb, 3));
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("bundle_atomic");
    TCase *tc = tcase_create("atomic");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(tc, bundle_setup, bundle_teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc,
                        test_bundle_that_fails_anywhere_leaves_the_old_state,
                        0, (int) N_CHANGES + 1);
    tcase_add_loop_test(tc, test_bundle_without_memory_leaves_the_old_state,
                        0, (int) N_CHANGES - 3);
    tcase_add_test(tc, test_bundle_does_what_its_messages_do_one_by_one);
    tcase_add_test(tc, test_bundle_sets_ports_and_sends_packets_at_its_commit);
    tcase_add_test(tc, test_bundle_of_many_messages_is_applied_in_slices);
    tcase_add_loop_test(
        tc, test_bundle_with_a_bad_group_last_leaves_groups_and_meters, 0,
        (int) N_GM_CHANGES + 1);
    tcase_add_loop_test(
        tc, test_bundle_with_a_bad_meter_last_leaves_groups_and_meters, 0,
        (int) N_GM_CHANGES + 1);
    tcase_add_test(
        tc, test_bundle_of_groups_and_meters_does_what_they_do_one_by_one);
    tcase_add_test(tc, test_bundle_group_added_again_counts_anew);
    tcase_add_loop_test(tc, test_bundle_meters_change_at_its_commit, 0, 2);
    suite_add_tcase(s, tc);
    srunner_set_fork_status(sr, CK_NOFORK);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
