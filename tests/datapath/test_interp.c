/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "datapath": the reference interpreter by itself, on cases small
 * enough to be worked out by hand. */
#include "datapath/interp.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/extract.h"
#include "tests/support/pktbuild.h"
#include "utils/flow/flow_frame.h"

static struct interp_rule rules[8];
static struct interp_pipeline pl = { .rules = rules };
static uint64_t words[8][64];
static struct interp_result res;
static char text[4096];

static void
setup(void)
{
    memset(rules, 0, sizeof rules);
    memset(words, 0, sizeof words);
    memset(pl.miss, 0, sizeof pl.miss);
    pl.n_rules = 0;
}

static void
teardown(void)
{
    interp_result_fini(&res);
}

static struct interp_rule *
rule(uint8_t table, uint16_t priority)
{
    struct interp_rule *r = &rules[pl.n_rules++];

    r->table = table;
    r->priority = priority;
    r->cookie = 0x100 + pl.n_rules;
    r->instr.goto_table = DP_NO_TABLE;
    return r;
}

/* Appends a one-word op to the rule's apply or write list. */
static void
op(struct interp_rule *r, bool write, unsigned code, uint32_t arg)
{
    struct dp_op_list *l = write ? &r->instr.write : &r->instr.apply;
    uint64_t *at = words[r - rules] + (write ? 32 : 0);

    *(struct dp_op *) (void *) (at + l->n_words) =
        (struct dp_op) { .code = (uint8_t) code, .words = 1, .arg = arg };
    l->ops = (const struct dp_op *) (void *) at;
    l->n_words++;
}

static struct pkt
udp(void)
{
    static struct pkt p;

    pkt_init(&p);
    pkt_eth(&p, PKT_MAC(2), PKT_MAC(1), 0x0800);
    pkt_ipv4(&p, 0x0a000001, 0x0a000002, 17);
    pkt_udp(&p, 1000, 2000);
    pkt_payload(&p, 18);
    pkt_end(&p);
    return p;
}

/* "table 0 rule 9", one line per step. */
static void
on_step(void *arg, const struct interp_step *s)
{
    static const char *const kinds[] = {
        [INTERP_PACKET] = "packet", [INTERP_TABLE] = "table",
        [INTERP_OP] = "op", [INTERP_SET] = "set",
        [INTERP_METADATA] = "metadata", [INTERP_GROUP] = "group",
        [INTERP_EGRESS] = "egress", [INTERP_OUT] = "out",
        [INTERP_DROP] = "drop",
    };
    size_t n = strlen(text);

    (void) arg;
    snprintf(text + n, sizeof text - n, "%*s%s %u", (int) s->depth, "",
             kinds[s->kind], s->table);
    n = strlen(text);
    if (s->kind == INTERP_TABLE && s->rule)
        snprintf(text + n, sizeof text - n, " rule %u", s->rule->priority);
    else if (s->kind == INTERP_DROP)
        snprintf(text + n, sizeof text - n, " %s",
                 drop_reason_names[s->drop]);
    else if (s->kind == INTERP_OP)
        snprintf(text + n, sizeof text - n, " ttl %u to %u",
                 s->before->ip_ttl, s->key->ip_ttl);
    else if (s->kind == INTERP_OUT || s->kind == INTERP_GROUP)
        snprintf(text + n, sizeof text - n, " %u", s->op->arg);
    strcat(text, "\n");
}

static void
run(const struct pkt *p)
{
    text[0] = '\0';
    pl.step = on_step;
    interp_run(&pl, 1, NULL, p->b, p->len, &res);
}

START_TEST(test_interp_highest_priority_wins_and_steps_name_it)
{
    struct pkt p = udp();

    op(rule(0, 1), false, DP_OP_OUTPUT, 2);
    op(rule(0, 9), false, DP_OP_OUTPUT, 3);
    op(rule(0, 5), false, DP_OP_OUTPUT, 4);
    run(&p);
    ck_assert_uint_eq(res.n_outs, 1);
    ck_assert_uint_eq(res.outs[0].arg, 3);
    ck_assert_uint_eq(res.outs[0].len, p.len);
    ck_assert_mem_eq(res.outs[0].data, p.b, p.len);
    ck_assert_int_eq(res.drop, -1);
    ck_assert_str_eq(text, "packet 0\ntable 0 rule 9\nout 0 3\nset 0\n");
}
END_TEST

START_TEST(test_interp_action_set_runs_in_its_order_and_clear_empties_it)
{
    struct interp_rule *r = rule(0, 1);
    struct pkt p = udp();

    /* Written output first; executed dec_nw_ttl, then output (§5.10). */
    op(r, true, DP_OP_OUTPUT, 2);
    op(r, true, DP_OP_DEC_NW_TTL, 0);
    run(&p);
    ck_assert_uint_eq(res.n_outs, 1);
    ck_assert_uint_eq(res.outs[0].data[22], 63);
    ck_assert_uint_eq(pkt_sum(res.outs[0].data + 14, 20, 0), 0xffff);
    interp_result_fini(&res);

    r->instr.goto_table = 1;
    r = rule(1, 1);
    r->instr.clear = true;
    run(&p);
    ck_assert_uint_eq(res.n_outs, 0);
    ck_assert_int_eq(res.drop, DROP_RULE_DROP);
}
END_TEST

START_TEST(test_interp_later_table_sees_the_changed_frame_and_metadata)
{
    struct interp_rule *r = rule(0, 1);
    struct pkt p = udp();

    op(r, false, DP_OP_PUSH_VLAN, 0x8100);
    r->instr.metadata = 5;
    r->instr.metadata_mask = 7;
    r->instr.goto_table = 3;
    r = rule(3, 7);
    r->match.key.vlan_tci = r->match.mask.vlan_tci =
        be16_from(FLOW_VLAN_PRESENT);
    r->match.key.metadata = be64_from(5);
    r->match.mask.metadata = UINT64_MAX;
    op(r, false, DP_OP_OUTPUT, 9);
    op(rule(3, 1), false, DP_OP_OUTPUT, 8);
    run(&p);
    ck_assert_uint_eq(res.n_outs, 1);
    ck_assert_uint_eq(res.outs[0].arg, 9);
    ck_assert_uint_eq(res.outs[0].len, p.len + 4);
    ck_assert_mem_eq(res.outs[0].data + 12, "\x81\0\0\0\x08\0", 6);
}
END_TEST

START_TEST(test_interp_drops_name_their_reason)
{
    struct pkt p = udp();
    struct interp_rule *r;

    run(&p);
    ck_assert_int_eq(res.drop, DROP_NO_RULE);
    ck_assert_str_eq(text, "packet 0\ntable 0\ndrop 0 no_rule\n");
    interp_result_fini(&res);

    r = rule(0, 1);
    op(r, false, DP_OP_OUTPUT, 2);
    op(r, false, DP_OP_POP_VLAN, 0);
    op(r, false, DP_OP_OUTPUT, 3);
    run(&p);
    ck_assert_int_eq(res.drop, DROP_NO_TAG);
    ck_assert_uint_eq(res.n_outs, 1); /* What left before stays sent. */
    interp_result_fini(&res);

    p.len = 20;
    run(&p);
    ck_assert_int_eq(res.drop, DROP_PARSE_IPV4);
}
END_TEST

START_TEST(test_interp_miss_configured_to_controller_is_a_punt)
{
    struct pkt p = udp();

    pl.miss[0] = DP_MISS_CONTINUE;
    pl.miss[1] = DP_MISS_CONTROLLER;
    run(&p);
    ck_assert_uint_eq(res.n_outs, 1);
    ck_assert_uint_eq(res.outs[0].code, DP_OP_CONTROLLER);
    ck_assert_uint_eq(res.outs[0].reason, DP_PUNT_NO_MATCH);
    ck_assert_uint_eq(res.outs[0].table, 1);
    ck_assert_uint_eq(res.outs[0].cookie, UINT64_MAX);
}
END_TEST

/* A group's buckets work on copies: what follows sees the packet as it was. */
START_TEST(test_interp_group_buckets_run_on_copies)
{
    const struct dp_op dec = { .code = DP_OP_DEC_NW_TTL, .words = 1 };
    const struct dp_op out = { .code = DP_OP_OUTPUT, .words = 1, .arg = 4 };
    const struct dp_op both[] = { dec, out };
    const struct dp_op_list buckets[] = { { both, 2 }, { &out, 1 } };
    const struct interp_group g = { .id = 7, .type = DP_GROUP_ALL,
                                    .buckets = buckets, .n_buckets = 2 };
    struct interp_rule *r = rule(0, 1);
    struct pkt p = udp();

    pl.groups = &g;
    pl.n_groups = 1;
    op(r, false, DP_OP_GROUP, 7);
    op(r, false, DP_OP_OUTPUT, 2);
    run(&p);
    ck_assert_str_eq(text, "packet 0\ntable 0 rule 1\n"
                           "group 0 7\n op 0 ttl 64 to 63\n out 0 4\n"
                           "group 0 7\n out 0 4\n"
                           "out 0 2\nset 0\n");
    ck_assert_uint_eq(res.n_outs, 3);
    ck_assert_uint_eq(res.outs[0].data[22], 63);
    ck_assert_uint_eq(res.outs[1].data[22], 64);
    ck_assert_uint_eq(res.outs[2].data[22], 64);
    interp_result_fini(&res);

    pl.n_groups = 0;
    run(&p);
    ck_assert_ptr_nonnull(strstr(text, "drop 0 no_group"));
}
END_TEST

/* Frames for flows, read back by the parser. */
static const struct {
    enum flow_field_id id;
    uint64_t v;
} flows[][6] = {
    { { FLOW_F_ETH_DST, 0x0a0b0c0d0e0f } },
    { { FLOW_F_ETH_TYPE, 0x0800 }, { FLOW_F_IP_PROTO, 6 },
      { FLOW_F_TCP_DST, 80 }, { FLOW_F_IPV4_DST, 0x0a000001 },
      { FLOW_F_TCP_FLAGS, 0x12 }, { FLOW_F_IP_DSCP, 46 } },
    { { FLOW_F_ETH_TYPE, 0x0800 }, { FLOW_F_IP_PROTO, 17 },
      { FLOW_F_UDP_SRC, 53 }, { FLOW_F_VLAN_VID, 0x1064 },
      { FLOW_F_VLAN_PCP, 5 } },
    { { FLOW_F_ETH_TYPE, 0x0800 }, { FLOW_F_IP_PROTO, 1 },
      { FLOW_F_ICMPV4_TYPE, 3 }, { FLOW_F_ICMPV4_CODE, 1 } },
    { { FLOW_F_ETH_TYPE, 0x86dd }, { FLOW_F_IP_PROTO, 132 },
      { FLOW_F_SCTP_DST, 9 }, { FLOW_F_IPV6_FLABEL, 0x12345 } },
    { { FLOW_F_ETH_TYPE, 0x86dd }, { FLOW_F_IP_PROTO, 58 },
      { FLOW_F_ICMPV6_TYPE, 135 }, { FLOW_F_ICMPV6_CODE, 0 },
      { FLOW_F_ND_SLL, 0x020000000009 } },
    { { FLOW_F_ETH_TYPE, 0x86dd }, { FLOW_F_IPV6_EXTHDR, 0x7c },
      { FLOW_F_IP_PROTO, 17 }, { FLOW_F_UDP_DST, 7 } },
    { { FLOW_F_ETH_TYPE, 0x86dd }, { FLOW_F_IPV6_EXTHDR, 1 },
      { FLOW_F_IP_PROTO, 59 } },
    { { FLOW_F_ETH_TYPE, 0x0806 }, { FLOW_F_ARP_OP, 2 },
      { FLOW_F_ARP_SPA, 0x0a000001 }, { FLOW_F_ARP_THA, 0x020000000007 } },
    { { FLOW_F_ETH_TYPE, 0x8847 }, { FLOW_F_MPLS_LABEL, 77 },
      { FLOW_F_MPLS_TC, 3 }, { FLOW_F_MPLS_BOS, 0 } },
    { { FLOW_F_ETH_TYPE, 0x88e7 }, { FLOW_F_PBB_ISID, 0xabcdef },
      { FLOW_F_PBB_UCA, 1 } },
    { { FLOW_F_ETH_TYPE, 0x05ff } },
};

START_TEST(test_flow_frame_is_a_packet_that_the_match_takes)
{
    struct pkt_layout lay = { 0 };
    struct flow_match m;
    struct flow_key k;
    uint8_t buf[FLOW_FRAME_MAX], v[16], ones[16];
    size_t n;

    memset(&m, 0, sizeof m);
    memset(ones, 0xff, sizeof ones);
    for (unsigned i = 0; i < 6; i++) {
        if (i && !flows[_i][i].id && !flows[_i][i].v)
            break;
        memset(v, 0, sizeof v);
        put_be64(v + 8, flows[_i][i].v);
        flow_field_set_masked(&m.key, &flow_fields[flows[_i][i].id], v, ones);
        flow_field_set_masked(&m.mask, &flow_fields[flows[_i][i].id], ones,
                              ones);
    }
    n = flow_frame_build(&m, buf);
    ck_assert_uint_ge(n, 60);
    ck_assert_uint_le(n, FLOW_FRAME_MAX);
    memset(&k, 0, sizeof k);
    ck_assert_int_eq(extract_key(buf, n, &k, &lay), EXTRACT_OK);
    ck_assert(flow_match_test(&m, &k));
}
END_TEST


int
main(void)
{
    Suite *s = suite_create("datapath");
    TCase *tc = tcase_create("interp");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_interp_highest_priority_wins_and_steps_name_it);
    tcase_add_test(
        tc, test_interp_action_set_runs_in_its_order_and_clear_empties_it);
    tcase_add_test(
        tc, test_interp_later_table_sees_the_changed_frame_and_metadata);
    tcase_add_test(tc, test_interp_drops_name_their_reason);
    tcase_add_test(tc,
                   test_interp_miss_configured_to_controller_is_a_punt);
    tcase_add_test(tc, test_interp_group_buckets_run_on_copies);
    tcase_add_loop_test(tc, test_flow_frame_is_a_packet_that_the_match_takes,
                        0, sizeof flows / sizeof flows[0]);
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
