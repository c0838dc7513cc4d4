/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "ofproto": flow-mods of 1.3 and their refusals, timeouts, fail
 * modes. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/ofproto/agent_bed.h"
#include "weft/be.h"

enum { ADD, MODIFY, MODIFY_STRICT, DELETE, DELETE_STRICT };
#define SEND_FLOW_REM 1
#define CHECK_OVERLAP 2
#define RESET_COUNTS 4

/* The n-th rule's single output port; 0 if it has none. */
static uint32_t
output_of(unsigned n)
{
    struct dp_rule *r = dummy_rule_nth(bed.dpb, n);

    ck_assert_ptr_nonnull(r);
    if (!r->instr.apply.n_words)
        return 0;
    ck_assert_uint_eq(r->instr.apply.ops->code, DP_OP_OUTPUT);
    return r->instr.apply.ops->arg;
}

/* One action in apply-actions: 8 or 16 bytes. */
#define ACT8(hex) "0004001000000000" hex
#define ACT16(hex) "0004001800000000" hex

START_TEST(test_flow_add_reaches_the_datapath_whole)
{
    struct dp_rule *r;

    FM(.table = 5, .priority = 100, .cookie = 0xc0, .match = OXM_TCP,
       .instr = "0005000800000000" /* clear */
                "0002001800000000" "00000000000000aa" "00000000000000ff"
                "0001000807000000" /* goto 7 */ OUT1
                "0003001800000000" "00000010" "00000002" "ffff000000000000");
    expect_quiet(&bed.c);
    r = dummy_rule_nth(bed.dpb, 0);
    ck_assert_ptr_nonnull(r);
    ck_assert_uint_eq(r->table, 5);
    ck_assert_uint_eq(r->priority, 100);
    ck_assert_uint_eq(r->cookie, 0xc0);
    ck_assert_uint_eq(r->match.key.ip_proto, 6);
    ck_assert_uint_eq(r->instr.goto_table, 7);
    ck_assert(r->instr.clear);
    ck_assert_uint_eq(r->instr.metadata, 0xaa);
    ck_assert_uint_eq(r->instr.metadata_mask, 0xff);
    ck_assert_uint_eq(r->instr.apply.ops->arg, 1);
    ck_assert_uint_eq(r->instr.write.ops->arg, 2);
}
END_TEST

START_TEST(test_flow_add_identical_replaces_and_keeps_counters_unless_told)
{
    FM(.priority = 1, .cookie = 1, .match = OXM_IN_PORT1, .instr = OUT1);
    dummy_rule_nth(bed.dpb, 0)->stats.packets = 9;
    bed_advance(5000);
    FM(.priority = 1, .cookie = 2, .match = OXM_IN_PORT1, .instr = OUT2);
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
    ck_assert_uint_eq(output_of(0), 2);
    ck_assert_uint_eq(dummy_rule_nth(bed.dpb, 0)->cookie, 2);
    ck_assert_uint_eq(dummy_rule_nth(bed.dpb, 0)->stats.packets, 9);
    FM(.priority = 1, .flags = RESET_COUNTS, .match = OXM_IN_PORT1,
       .instr = OUT2);
    ck_assert_uint_eq(dummy_rule_nth(bed.dpb, 0)->stats.packets, 0);
    expect_quiet(&bed.c); /* No flow-removed for a replaced rule. */
}
END_TEST

START_TEST(test_flow_add_with_check_overlap_refuses_what_may_match_both)
{
    FM(.priority = 7, .match = OXM_IN_PORT1, .instr = OUT1);
    FM(.priority = 7, .flags = CHECK_OVERLAP, .match = OXM_IP, .instr = OUT2);
    expect_error(&bed.c, 5, 3);
    FM(.priority = 7, .flags = CHECK_OVERLAP, .match = OXM_IN_PORT1,
       .instr = OUT2); /* Identical: overlaps too. */
    expect_error(&bed.c, 5, 3);
    FM(.priority = 8, .flags = CHECK_OVERLAP, .match = OXM_IP, .instr = OUT2);
    FM(.priority = 7, .flags = CHECK_OVERLAP, .match = "8000000400000002",
       .instr = OUT2);
    FM(.table = 1, .priority = 7, .flags = CHECK_OVERLAP, .match = OXM_IP);
    expect_quiet(&bed.c);
    ck_assert_uint_eq(bed.dpb->n_rules, 4);
}
END_TEST

START_TEST(test_flow_modify_changes_instructions_alone)
{
    struct dp_rule *r;

    FM(.priority = 1, .cookie = 1, .match = OXM_TCP, .instr = OUT1);
    FM(.priority = 2, .cookie = 2, .match = OXM_IN_PORT1, .instr = OUT1);
    r = dummy_rule_nth(bed.dpb, 0);
    r->stats.packets = 4;
    FM(.command = MODIFY, .cookie = 77, .match = OXM_IP, .instr = OUT2);
    ck_assert_uint_eq(output_of(0), 2);
    ck_assert_uint_eq(output_of(1), 1); /* Not within "ip". */
    ck_assert_uint_eq(r->cookie, 1);
    ck_assert_uint_eq(r->stats.packets, 4);
    FM(.command = MODIFY, .flags = RESET_COUNTS, .match = OXM_IP, .instr = OUT1);
    ck_assert_uint_eq(r->stats.packets, 0);
    FM(.command = MODIFY, .table = 9, .match = OXM_IP, .instr = OUT2); /* No such rule. */
    ck_assert_uint_eq(bed.dpb->n_rules, 2);
    expect_quiet(&bed.c);
}
END_TEST

START_TEST(test_flow_modify_strict_wants_priority_and_match)
{
    FM(.priority = 1, .match = OXM_TCP, .instr = OUT1);
    FM(.command = MODIFY_STRICT, .priority = 2, .match = OXM_TCP, .instr = OUT2);
    FM(.command = MODIFY_STRICT, .priority = 1, .match = OXM_IP, .instr = OUT2);
    ck_assert_uint_eq(output_of(0), 1);
    FM(.command = MODIFY_STRICT, .priority = 1, .match = OXM_TCP, .instr = OUT2);
    ck_assert_uint_eq(output_of(0), 2);
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
}
END_TEST

START_TEST(test_flow_modify_and_delete_filter_by_cookie)
{
    FM(.priority = 1, .cookie = 0x11, .match = OXM_IP, .instr = OUT1);
    FM(.priority = 2, .cookie = 0x21, .match = OXM_IP, .instr = OUT1);
    FM(.command = MODIFY, .cookie = 0x20, .cookie_mask = 0xf0, .instr = OUT2);
    ck_assert_uint_eq(output_of(0), 1);
    ck_assert_uint_eq(output_of(1), 2);
    FM(.command = DELETE_STRICT, .priority = 1, .cookie = 0x21, .cookie_mask = ~0ull,
       .match = OXM_IP);
    ck_assert_uint_eq(bed.dpb->n_rules, 2);
    FM(.command = DELETE, .cookie = 0x01, .cookie_mask = 0x0f);
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
}
END_TEST

START_TEST(test_flow_delete_filters_by_out_port_group_and_table)
{
    FM(.table = 0, .priority = 1, .instr = OUT1);
    FM(.table = 0, .priority = 2, .instr = OUT2);
    FM(.table = 3, .priority = 2, .instr = OUT2);
    FM(.command = DELETE, .table = 0, .out_group = 1);
    ck_assert_uint_eq(bed.dpb->n_rules, 3);
    FM(.command = DELETE, .table = 0, .out_port = 2);
    ck_assert_uint_eq(bed.dpb->n_rules, 2);
    ck_assert_uint_eq(output_of(0), 1);
    FM(.command = DELETE_STRICT, .table = 0xff, .priority = 2);
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
    FM(.command = DELETE, .table = 0xff);
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
    expect_quiet(&bed.c);
}
END_TEST

START_TEST(test_flow_delete_out_port_knows_reserved_ports)
{
    FM(.priority = 1, .instr = APPLY_OUTPUT("fffffffd"));
    FM(.priority = 2, .instr = APPLY_OUTPUT("fffffffb"));
    FM(.priority = 3, .instr = APPLY_OUTPUT("fffffffe"));
    FM(.command = DELETE, .out_port = 0xfffffffa); /* NORMAL: none. */
    ck_assert_uint_eq(bed.dpb->n_rules, 3);
    FM(.command = DELETE, .out_port = 0xfffffffd);
    FM(.command = DELETE, .out_port = 0xfffffffb);
    FM(.command = DELETE, .out_port = 0xfffffffe);
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
}
END_TEST

START_TEST(test_flow_removed_is_sent_when_asked_for_and_says_why)
{
    const uint8_t *m;
    size_t len;

    FM(.priority = 1, .cookie = 5, .flags = SEND_FLOW_REM,
       .match = OXM_IN_PORT1, .instr = OUT1);
    FM(.priority = 2, .match = OXM_IN_PORT1, .instr = OUT1);
    dummy_rule_nth(bed.dpb, 0)->stats
        = (struct dp_stats) { .packets = 3, .bytes = 180 };
    bed.now_ns += 2500000000;
    FM(.command = DELETE);
    m = expect(&bed.c, 11, &len);
    ck_assert_str_eq(
        hex_of(m + 8, len - 8),
        hex_plain("0000000000000005" "0001" "02" "00" "00000002" "1dcd6500"
                  "0000" "0000" "0000000000000003" "00000000000000b4"
                  "0001000c" OXM_IN_PORT1 "00000000"));
    expect_quiet(&bed.c);
}
END_TEST

/* §5.8: what is not available is all ones. */
START_TEST(test_flow_removed_tells_no_counter_that_need_not_be_kept)
{
    const uint8_t *m;

    FM(.priority = 1, .flags = SEND_FLOW_REM | 0x08, .instr = OUT1);
    FM(.priority = 2, .flags = SEND_FLOW_REM | 0x10, .instr = OUT1);
    for (unsigned i = 0; i < 2; i++)
        dummy_rule_nth(bed.dpb, i)->stats
            = (struct dp_stats) { .packets = 3, .bytes = 180 };
    FM(.command = DELETE);
    for (unsigned i = 0; i < 2; i++) {
        m = expect(&bed.c, 11, NULL);
        ck_assert_uint_eq(get_be64(m + 32),
                          m[17] == 1 ? UINT64_MAX : UINT64_C(3));
        ck_assert_uint_eq(get_be64(m + 40),
                          m[17] == 2 ? UINT64_MAX : UINT64_C(180));
    }
    expect_quiet(&bed.c);
}
END_TEST

/* Written for 1.3.0, which did not ask for OFPVID_PRESENT. */
START_TEST(test_flow_add_sets_a_vid_without_its_present_bit)
{
    FM(.match = "80000c021001", .instr = ACT16("00190010" "80000c020005"
                                               "0000" "00000000"));
    expect_quiet(&bed.c);
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
    ck_assert_uint_eq(dummy_rule_nth(bed.dpb, 0)->instr.apply.ops->data[0],
                      0x10);
    ck_assert_uint_eq(dummy_rule_nth(bed.dpb, 0)->instr.apply.ops->data[1], 5);
}
END_TEST

START_TEST(test_timeouts_expire_with_their_reason)
{
    FM(.priority = 1, .flags = SEND_FLOW_REM, .idle = 2, .instr = OUT1);
    FM(.priority = 2, .flags = SEND_FLOW_REM, .hard = 3, .instr = OUT1);
    FM(.priority = 3, .instr = OUT1);
    bed_advance(1900);
    ck_assert_uint_eq(bed.dpb->n_rules, 3);
    dummy_rule_nth(bed.dpb, 0)->stats.used_ns = bed.now_ns;
    bed_advance(1200); /* 3.1 s: hard is over, idle was put off. */
    ck_assert_uint_eq(expect(&bed.c, 11, NULL)[18], 1);
    expect_quiet(&bed.c);
    bed_advance(900);
    ck_assert_uint_eq(expect(&bed.c, 11, NULL)[18], 0);
    bed_advance(3600000);
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
}
END_TEST

START_TEST(test_timeouts_given_modify_go_on_and_given_add_start_again)
{
    FM(.priority = 1, .hard = 10, .instr = OUT1);
    bed_advance(6000);
    FM(.command = MODIFY_STRICT, .priority = 1, .hard = 100, .instr = OUT2);
    bed_advance(5000);
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
    FM(.priority = 1, .hard = 10, .instr = OUT1);
    bed_advance(6000);
    FM(.priority = 1, .hard = 10, .instr = OUT1);
    bed_advance(6000);
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
    bed_advance(5000);
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
}
END_TEST

/* --------------------------------------------------------------- refusals */

#define SET(oxm) ACT16("00190010" oxm)
#define TCP80 "80001a020050"

static const struct {
    struct fm fm;
    unsigned type, code;
} refusals[] = {
    /* Tables, flags, buffers. */
    { { .command = ADD, .table = 0xff }, 5, 2 },
    { { .command = ADD, .table = 0xfe }, 5, 2 },
    { { .command = MODIFY, .table = 0xff }, 5, 2 },
    { { .command = DELETE, .table = 0xfe }, 5, 2 },
    { { .command = 9 }, 5, 6 },
    { { .command = ADD, .flags = 0x20 }, 5, 7 },
    { { .command = ADD, .buffer_id = 5 }, 1, 8 },
    /* Matches. */
    { { .command = ADD, .match = TCP80 }, 4, 9 },
    { { .command = ADD, .match = OXM_IP OXM_IP }, 4, 10 },
    { { .command = ADD, .match = "80000108" "00000001" "0000000f" }, 4, 8 },
    { { .command = ADD, .match = OXM_IP "80001708" "0a000001" "ff000000" }, 4, 5 },
    { { .command = ADD, .match = OXM_IP "8000100140" }, 4, 7 },
    { { .command = ADD, .match = "8000660100" }, 4, 6 },
    { { .command = ADD, .match = "80000a0108" }, 4, 1 },
    /* Instructions. */
    { { .command = ADD, .table = 3, .instr = "0001000803000000" }, 3, 2 },
    { { .command = ADD, .table = 3, .instr = "00010008fe000000" }, 3, 2 },
    { { .command = ADD, .instr = "0006000800000001" }, 12, 3 }, /* meter */
    { { .command = ADD, .instr = "0006000800000000" }, 12, 2 },
    { { .command = ADD, .instr = "00060008fffffffe" }, 12, 2 },
    { { .command = ADD, .instr = "0063000800000000" }, 3, 0 },
    { { .command = ADD, .instr = "ffff000800002320" }, 3, 5 },
    { { .command = ADD, .instr = "0005000800000000" "0005000800000000" }, 3, 1 },
    { { .command = ADD, .instr = "0001000400000000" }, 3, 7 },
    /* Actions. */
    { { .command = ADD, .instr = APPLY_OUTPUT("00000000") }, 2, 4 },
    { { .command = ADD, .instr = APPLY_OUTPUT("0000ff01") }, 2, 4 },
    { { .command = ADD, .instr = APPLY_OUTPUT("fffffff9") }, 2, 4 }, /* TABLE */
    { { .command = ADD, .instr = APPLY_OUTPUT("ffffffff") }, 2, 4 }, /* ANY */
    { { .command = ADD, .instr = ACT8("0016000800000001") }, 2, 9 }, /* group */
    { { .command = ADD, .instr = ACT8("0063000800000000") }, 2, 0 },
    { { .command = ADD, .instr = ACT16("ffff0010" "00002320" "0000000000000000") },
      2, 2 },
    { { .command = ADD, .instr = ACT8("0000000800000001") }, 2, 1 },
    { { .command = ADD, .instr = ACT8("0011000808000000") }, 2, 5 }, /* push_vlan */
    { { .command = ADD, .instr = ACT8("0013000808000000") }, 2, 5 }, /* push_mpls */
    { { .command = ADD, .instr = ACT8("001a000808000000") }, 2, 5 }, /* push_pbb */
    { { .command = ADD, .instr = ACT8("0012000800000000") }, 2, 10 },/* pop_vlan */
    { { .command = ADD, .instr = ACT8("0014000808000000") }, 2, 10 },/* pop_mpls */
    { { .command = ADD, .instr = ACT8("001b000800000000") }, 2, 10 },/* pop_pbb */
    { { .command = ADD, .instr = ACT8("0018000800000000") }, 2, 10 },/* dec_nw_ttl */
    { { .command = ADD, .instr = ACT8("0017000840000000") }, 2, 10 },/* set_nw_ttl */
    { { .command = ADD, .instr = ACT8("0010000800000000") }, 2, 10 },/* dec_mpls_ttl */
    { { .command = ADD, .instr = ACT8("000f000840000000") }, 2, 10 },
    { { .command = ADD, .instr = ACT8("000b000800000000") }, 2, 10 },/* copy_ttl_out */
    { { .command = ADD, .instr = SET("80001a0200500000" "00000000") }, 2, 10 },
    { { .command = ADD, .instr = SET("80000004000000010000" "0000") }, 2, 13 },
    { { .command = ADD, .instr = SET("8000040800000000" "00000001") }, 2, 13 },
    { { .command = ADD, .instr = SET("8000660100000000" "00000000") }, 2, 13 },
    { { .command = ADD, .instr = SET("80000c0220050000" "00000000") }, 2, 15 },
    { { .command = ADD, .match = OXM_IP, .instr = SET("8000100140000000" "00000000") },
      2, 15 },
    { { .command = ADD, .match = OXM_IP,
        .instr = SET("8000170800000001" "ffffffff") }, 2, 13 }, /* masked */
};

START_TEST(test_flow_mod_given_each_refusal_changes_nothing_and_says_why)
{
    FM(.command = refusals[_i].fm.command, .table = refusals[_i].fm.table,
       .flags = refusals[_i].fm.flags, .buffer_id = refusals[_i].fm.buffer_id,
       .match = refusals[_i].fm.match, .instr = refusals[_i].fm.instr);
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
    ck_assert_int_eq(bed.c.result, 0);
    expect_error(&bed.c, refusals[_i].type, refusals[_i].code);
    expect_quiet(&bed.c);
}
END_TEST

START_TEST(test_flow_mod_given_match_of_type_standard_is_refused)
{
    uint8_t m[56] = { 4, 14, 0, 0, 0, 0, 0, 1 };

    memset(m + 32, 0xff, 12);
    m[51] = 4; /* OFPMT_STANDARD, length 4 */
    mem_send(&bed.c, m, sizeof m);
    expect_error(&bed.c, 4, 0);
}
END_TEST

START_TEST(test_flow_add_given_datapath_without_memory_is_table_full)
{
    bed.dp->fail_rule_add = -ENOMEM;
    FM(.priority = 1, .instr = OUT1);
    expect_error(&bed.c, 5, 1);
    bed.dp->fail_rule_add = 0;
    FM(.priority = 1, .instr = OUT1);
    expect_quiet(&bed.c);
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
}
END_TEST

START_TEST(test_flow_delete_of_many_is_sliced_and_later_messages_wait)
{
    struct ofp_bridge_stats stats;

    for (unsigned i = 0; i < 5000; i++) {
        char match[64];

        snprintf(match, sizeof match, OXM_IP "80001804%08x", i);
        FM(.priority = 1, .match = match, .instr = OUT1);
    }
    ck_assert_uint_eq(bed.dpb->n_rules, 5000);

    uint8_t del[56] = { 4, 14, 0, 0, 0, 0, 0, 1 };

    del[24] = 0xff;
    del[25] = DELETE;
    memset(del + 32, 0xff, 12);
    del[49] = 1;
    del[51] = 4;
    mem_send(&bed.c, del, sizeof del);
    mem_send_hex(&bed.c, "0402 0000 00000005");
    ck_assert_uint_gt(bed.dpb->n_rules, 0);
    expect_quiet(&bed.c);
    ck_assert(ofp_flush(bed.b)); /* More to do. */
    bed_settle();
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
    expect(&bed.c, 3, NULL);
    ofp_bridge_get_stats(bed.b, &stats);
    ck_assert_uint_eq(stats.n_rules, 0);
    ck_assert_uint_eq(stats.flow_mods, 5001);
}
END_TEST

START_TEST(test_timeouts_of_many_rules_at_once_are_sliced)
{
    for (unsigned i = 0; i < 5000; i++) {
        char match[64];

        snprintf(match, sizeof match, OXM_IP "80001804%08x", i);
        FM(.priority = 1, .hard = 1, .match = match, .instr = OUT1);
    }
    bed.now_ns += 1100000000;
    ofp_tick(bed.b, bed.now_ns);
    ck_assert_uint_gt(bed.dpb->n_rules, 0);
    ck_assert_uint_lt(bed.dpb->n_rules, 5000);
    bed_settle(); /* Goes on without waiting for the next tick. */
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
}
END_TEST

START_TEST(test_session_that_goes_in_the_middle_of_a_scan_leaves_no_trace)
{
    struct mem_conn other;

    for (unsigned i = 0; i < 5000; i++) {
        char match[64];

        snprintf(match, sizeof match, OXM_IP "80001804%08x", i);
        FM(.priority = 1, .match = match, .instr = OUT1);
    }
    bed_session(&other, 4, false);
    send_fm(&other, &(struct fm) { .command = DELETE, .table = 0xff });
    ck_assert_uint_gt(bed.dpb->n_rules, 0);
    mem_close(&other);
    bed_settle();
    FM(.command = DELETE, .table = 0xff);
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
}
END_TEST

/* ------------------------------------------------------------------- dump */

struct dumped {
    unsigned n;
    char text[4][256];
};

static void
on_flow(void *arg, const struct ofp_flow_info *f)
{
    struct dumped *d = arg;

    snprintf(d->text[d->n++ % 4], sizeof d->text[0],
             "%u %u %llx %llu %llu %s|%s", f->table, f->priority,
             (unsigned long long) f->cookie,
             (unsigned long long) f->stats.packets,
             (unsigned long long) f->duration_ns, f->match, f->actions);
}

/* A whole walk, a rule at a time. */
static int
dump(const char *filter, struct dumped *d, struct weft_err *e)
{
    struct ofp_flow_dump *w;
    int err = ofp_flow_dump_begin(bed.b, filter, &w, e);

    if (err)
        return err;
    while (ofp_flow_dump_next(w, 1, on_flow, d))
        continue;
    ofp_flow_dump_end(w);
    return 0;
}

START_TEST(test_dump_gives_text_and_obeys_the_filter)
{
    struct dumped d = { 0 };
    struct weft_err e;

    FM(.table = 1, .priority = 5, .cookie = 0xc0,
       .match = OXM_TCP "800019080a000000ff000000",
       .instr = OUT2 "0001000807000000");
    FM(.table = 2, .priority = 6, .match = OXM_IN_PORT1);
    dummy_rule_nth(bed.dpb, 0)->stats.packets = 3;
    bed.now_ns += 7;
    ck_assert_int_eq(dump(NULL, &d, &e), 0);
    ck_assert_uint_eq(d.n, 2);
    ck_assert_str_eq(d.text[0], "1 5 c0 3 7 tcp,nw_dst=10.0.0.0/8|"
                                "output:2,goto_table:7");
    ck_assert_str_eq(d.text[1], "2 6 0 0 7 in_port=1|drop");
    d.n = 0;
    ck_assert_int_eq(
        dump("table=1,ip", &d, &e), 0);
    ck_assert_uint_eq(d.n, 1);
    d.n = 0;
    ck_assert_int_eq(
        dump("out_port=2,cookie=0xc0/-1", &d, &e),
        0);
    ck_assert_uint_eq(d.n, 1);
    d.n = 0;
    ck_assert_int_eq(
        dump("table=2,udp", &d, &e), 0);
    ck_assert_uint_eq(d.n, 0);
    ck_assert_int_eq(dump("nonsense=1", &d, &e),
                     -EINVAL);
    ck_assert_ptr_nonnull(strstr(e.text, "nonsense"));
}
END_TEST

START_TEST(test_dump_given_changes_between_its_steps_sees_what_stays_once)
{
    struct dumped d = { 0 };
    struct ofp_flow_dump *w;

    for (unsigned i = 1; i <= 4; i++)
        FM(.priority = (uint16_t) i, .match = OXM_IN_PORT1);
    ck_assert_int_eq(ofp_flow_dump_begin(bed.b, NULL, &w, NULL), 0);
    ck_assert(ofp_flow_dump_next(w, 1, on_flow, &d));
    ck_assert_uint_eq(d.n, 1);
    FM(.command = DELETE_STRICT, .priority = 1, .match = OXM_IN_PORT1); /* Seen. */
    FM(.command = DELETE_STRICT, .priority = 2, .match = OXM_IN_PORT1); /* The next. */
    ck_assert(!ofp_flow_dump_next(w, 9, on_flow, &d));
    ck_assert_uint_eq(d.n, 3);
    ck_assert_str_eq(d.text[1] + 2, "3 0 0 0 in_port=1|drop");
    ck_assert_str_eq(d.text[2] + 2, "4 0 0 0 in_port=1|drop");
    ck_assert(!ofp_flow_dump_next(w, 9, on_flow, &d));
    ck_assert_uint_eq(d.n, 3);
    ofp_flow_dump_end(w);
}
END_TEST

START_TEST(test_dump_given_its_bridge_goes_ends)
{
    struct ofp_bridge_config c = { .name = "other" };
    struct dumped d = { 0 };
    struct ofp_flow_dump *w, *unused;
    struct ofp_bridge *b;

    ck_assert_int_eq(ofp_bridge_create(bed.dp, &c, &b, NULL), 0);
    ck_assert_int_eq(ofp_flow_dump_begin(b, NULL, &w, NULL), 0);
    ck_assert_int_eq(ofp_flow_dump_begin(b, NULL, &unused, NULL), 0);
    ofp_flow_dump_end(unused);
    ofp_flow_dump_end(NULL);
    ofp_bridge_destroy(b);
    ck_assert(!ofp_flow_dump_next(w, 9, on_flow, &d));
    ck_assert_uint_eq(d.n, 0);
    ofp_flow_dump_end(w);
}
END_TEST

/* -------------------------------------------------------------- fail modes */

START_TEST(test_fail_mode_standalone_is_normal_until_somebody_comes)
{
    struct ofp_bridge_config bc = { .name = "br1",
                                    .fail_mode = OFP_FAIL_STANDALONE };
    struct ofp_bridge *b;
    struct dp_bridge *dpb;
    struct mem_conn c;

    ck_assert_int_eq(ofp_bridge_create(bed.dp, &bc, &b, NULL), 0);
    dpb = ofp_bridge_dp(b);
    ck_assert_uint_eq(dpb->n_rules, 1);
    ck_assert_uint_eq(dummy_rule_nth(dpb, 0)->instr.apply.ops->code,
                      DP_OP_NORMAL);
    mem_open(&c, ofp_bridge_agent(b), false);
    mem_send_hex(&c, "0400 0008 00000001");
    ofp_flush(b);
    ck_assert_uint_eq(dpb->n_rules, 0);
    mem_close(&c);
    ofp_flush(b);
    ck_assert_uint_eq(dpb->n_rules, 0);
    ofp_bridge_destroy(b);
}
END_TEST

START_TEST(test_fail_mode_hold_stops_timeouts_while_nobody_is_there)
{
    ofp_bridge_set_fail_mode(bed.b, OFP_FAIL_HOLD);
    FM(.priority = 1, .hard = 10, .instr = OUT1);
    bed_advance(6000);
    mem_close(&bed.c);
    bed_advance(60000);
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
    bed_session(&bed.c, 4, false);
    bed_advance(3900);
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
    bed_advance(200);
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
}
END_TEST

START_TEST(test_fail_mode_secure_keeps_rules_and_runs_timeouts)
{
    FM(.priority = 1, .hard = 10, .instr = OUT1);
    FM(.priority = 2, .instr = OUT1);
    mem_close(&bed.c);
    bed_advance(11000);
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("ofproto");
    TCase *tc = tcase_create("flow_mod");
    SRunner *sr;
    int failed;

    tcase_add_checked_fixture(tc, bed_open, bed_close);
    tcase_add_test(tc, test_flow_add_reaches_the_datapath_whole);
    tcase_add_test(
        tc, test_flow_add_identical_replaces_and_keeps_counters_unless_told);
    tcase_add_test(
        tc, test_flow_add_with_check_overlap_refuses_what_may_match_both);
    tcase_add_test(tc, test_flow_modify_changes_instructions_alone);
    tcase_add_test(tc, test_flow_modify_strict_wants_priority_and_match);
    tcase_add_test(tc, test_flow_modify_and_delete_filter_by_cookie);
    tcase_add_test(tc, test_flow_delete_filters_by_out_port_group_and_table);
    tcase_add_test(tc, test_flow_delete_out_port_knows_reserved_ports);
    tcase_add_test(tc, test_flow_removed_is_sent_when_asked_for_and_says_why);
    tcase_add_test(tc,
                   test_flow_removed_tells_no_counter_that_need_not_be_kept);
    tcase_add_test(tc, test_flow_add_sets_a_vid_without_its_present_bit);
    tcase_add_test(tc, test_timeouts_expire_with_their_reason);
    tcase_add_test(
        tc, test_timeouts_given_modify_go_on_and_given_add_start_again);
    tcase_add_loop_test(
        tc, test_flow_mod_given_each_refusal_changes_nothing_and_says_why, 0,
        WEFT_ARRAY_LEN(refusals));
    tcase_add_test(tc, test_flow_mod_given_match_of_type_standard_is_refused);
    tcase_add_test(tc,
                   test_flow_add_given_datapath_without_memory_is_table_full);
    tcase_add_test(
        tc, test_flow_delete_of_many_is_sliced_and_later_messages_wait);
    tcase_add_test(tc, test_timeouts_of_many_rules_at_once_are_sliced);
    tcase_add_test(
        tc, test_session_that_goes_in_the_middle_of_a_scan_leaves_no_trace);
    tcase_add_test(tc, test_dump_gives_text_and_obeys_the_filter);
    tcase_add_test(
        tc, test_dump_given_changes_between_its_steps_sees_what_stays_once);
    tcase_add_test(tc, test_dump_given_its_bridge_goes_ends);
    tcase_add_test(tc,
                   test_fail_mode_standalone_is_normal_until_somebody_comes);
    tcase_add_test(
        tc, test_fail_mode_hold_stops_timeouts_while_nobody_is_there);
    tcase_add_test(tc, test_fail_mode_secure_keeps_rules_and_runs_timeouts);
    suite_add_tcase(s, tc);
    sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
