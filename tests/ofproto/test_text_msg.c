/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "ofproto": text as messages, sent by the client inside. */
#include <check.h>
#include <stdlib.h>

#include "ofproto/text/text_client.h"
#include "ofproto/text/text_msg.h"
#include "tests/ofproto/agent_bed.h"
#include "weft/be.h"

static struct ofp_client *client;
static uint8_t last[64];
static size_t n_got;

static void
got(void *arg, const uint8_t *msg, size_t len)
{
    (void) arg;
    n_got++;
    memcpy(last, msg, WEFT_MIN(len, sizeof last));
}

static bool
find_port(void *arg, const char *name, uint32_t *port)
{
    (void) arg;
    *port = 2;
    return !strcmp(name, "vm1");
}
static const struct ofp_text_ports ports = { find_port, NULL };

static void
open(void)
{
    bed_open();
    n_got = 0;
    client = ofp_client_open(bed.b, got, NULL);
}

static void
close(void)
{
    ofp_client_close(client);
    bed_close();
}

static void
say(enum ofp_text_command command, const char *line)
{
    struct weft_err e = { "" };
    of_object_t *m = ofp_text_flow_mod(line, command,
                                       ofp_client_version(client), &ports, &e);

    ck_assert_msg(m != NULL, "%s: %s", line, e.text);
    ck_assert_uint_ne(ofp_client_send(client, m), 0);
}

static void
refuse(enum ofp_text_command command, const char *line, const char *why)
{
    struct weft_err e = { "" };

    ck_assert_ptr_null(ofp_text_flow_mod(line, command,
                                         ofp_client_version(client), &ports, &e));
    ck_assert_msg(strstr(e.text, why), "%s: %s, not %s", line, e.text, why);
}

START_TEST(test_text_add_flow_reaches_the_datapath_whole)
{
    struct dp_rule *r;

    say(OFP_TEXT_ADD, "table=3,priority=7,cookie=0x99,tcp,nw_dst=10.0.0.0/8,"
                      "actions=output:2,write_actions(output:1),"
                      "write_metadata:0x5/0xf,goto_table:4");
    ck_assert_uint_eq(n_got, 0);
    r = dummy_rule_nth(bed.dpb, 0);
    ck_assert_ptr_nonnull(r);
    ck_assert_uint_eq(r->table, 3);
    ck_assert_uint_eq(r->priority, 7);
    ck_assert_uint_eq(r->cookie, 0x99);
    ck_assert_uint_eq(r->match.key.ip_proto, 6);
    ck_assert_uint_eq(be32_to(r->match.mask.ip_dst), 0xff000000);
    ck_assert_uint_eq(r->instr.apply.ops->arg, 2);
    ck_assert_uint_eq(r->instr.write.ops->arg, 1);
    ck_assert_uint_eq(r->instr.metadata_mask, 0xf);
    ck_assert_uint_eq(r->instr.goto_table, 4);
}
END_TEST

START_TEST(test_text_delete_without_table_takes_all_tables)
{
    say(OFP_TEXT_ADD, "table=1,ip,actions=output:1");
    say(OFP_TEXT_ADD, "table=2,tcp,actions=output:1");
    say(OFP_TEXT_ADD, "table=2,arp,actions=output:1");
    say(OFP_TEXT_DELETE, "ip");
    ck_assert_ptr_null(dummy_rule_nth(bed.dpb, 1));
    say(OFP_TEXT_DELETE_STRICT, "table=2,priority=32768,arp");
    ck_assert_ptr_null(dummy_rule_nth(bed.dpb, 0));
}
END_TEST

START_TEST(test_text_modify_keeps_to_cookie_and_mask)
{
    say(OFP_TEXT_ADD, "cookie=0x10,ip,actions=output:1");
    say(OFP_TEXT_ADD, "cookie=0x20,arp,actions=output:1");
    say(OFP_TEXT_MODIFY, "cookie=0x10/0xff,actions=output:2");
    ck_assert_uint_eq(dummy_rule_nth(bed.dpb, 0)->instr.apply.ops->arg, 2);
    ck_assert_uint_eq(dummy_rule_nth(bed.dpb, 1)->instr.apply.ops->arg, 1);
}
END_TEST

START_TEST(test_text_old_vlan_actions_push_unless_a_tag_is_matched)
{
    const struct dp_op *op;

    say(OFP_TEXT_ADD, "priority=1,ip,actions=mod_vlan_vid:5,output:1");
    op = dummy_rule_nth(bed.dpb, 0)->instr.apply.ops;
    ck_assert_uint_eq(op->code, DP_OP_PUSH_VLAN);
    ck_assert_uint_eq(op->aux & 1, 0);
    say(OFP_TEXT_ADD, "priority=2,dl_vlan=4,ip,actions=mod_vlan_vid:5,"
                      "output:1");
    op = dummy_rule_nth(bed.dpb, 1)->instr.apply.ops;
    ck_assert_uint_eq(op->code, DP_OP_SET_FIELD);
}
END_TEST

START_TEST(test_text_error_names_word_and_column)
{
    refuse(OFP_TEXT_ADD, "tcp,nw_dst=10.0.0.0/8,actions=outputt:2",
           "column 31: outputt");
    refuse(OFP_TEXT_ADD, "tcp,nw_dst=10.0.0.256,actions=2",
           "column 5: nw_dst");
    refuse(OFP_TEXT_ADD, "nw_dst=10.0.0.1,actions=2", "column 1: ");
    refuse(OFP_TEXT_ADD, "ip", "actions= missing");
    refuse(OFP_TEXT_ADD, "cookie=1/2,ip,actions=2", "takes no mask");
    refuse(OFP_TEXT_ADD, "table=254,ip,actions=2", "254 exceeds 253");
    refuse(OFP_TEXT_DELETE, "ip,actions=2", "actions=");
}
END_TEST

START_TEST(test_text_refusal_of_the_agent_comes_back_by_name)
{
    struct base_str s = BASE_STR_INIT;

    say(OFP_TEXT_ADD, "table=9,ip,actions=goto_table:3");
    ck_assert_uint_eq(n_got, 1);
    ck_assert_uint_eq(last[1], 1); /* OFPT_ERROR */
    ofp_client_add_error(&s, last, sizeof last);
    ck_assert_msg(strstr(base_str_cstr(&s), "INS_BAD_TABLE_ID"), "%s",
                  base_str_cstr(&s));
    base_str_fini(&s);
}
END_TEST

START_TEST(test_text_barrier_is_answered_once_workers_follow)
{
    uint32_t xid;

    say(OFP_TEXT_ADD, "ip,actions=output:1");
    xid = ofp_client_barrier(client);
    bed_settle();
    ck_assert_uint_eq(n_got, 1);
    ck_assert_uint_eq(last[1], 21);
    ck_assert_uint_eq(get_be32(last + 4), xid);
}
END_TEST

START_TEST(test_text_client_is_no_controller_and_hears_nothing_unasked)
{
    say(OFP_TEXT_ADD, "send_flow_rem,ip,actions=output:1");
    say(OFP_TEXT_DELETE, "");
    ck_assert_uint_eq(n_got, 0);
}
END_TEST

START_TEST(test_text_packet_out_carries_frame_and_port)
{
    struct weft_err e = { "" };
    of_object_t *m = ofp_text_packet_out(
        "in_port=2,packet=0102030405060708090a0b0c0800aabb,actions=output:1",
        ofp_client_version(client), &ports, &e);

    ck_assert_msg(m != NULL, "%s", e.text);
    ck_assert_uint_ne(ofp_client_send(client, m), 0);
    ck_assert_uint_eq(n_got, 0);
    static const char *const wrong[] = {
        "in_port=2,actions=1", "packet=00,actions=1", "packet=zz,actions=1",
        "in_port=2,packet=0102030405060708090a0b0c0800",
        "in_port=x,packet=0102030405060708090a0b0c0800,actions=1",
        "packet=0102030405060708090a0b0c080,actions=1",
    };
    for (size_t i = 0; i < WEFT_ARRAY_LEN(wrong); i++)
        ck_assert_msg(!ofp_text_packet_out(wrong[i], 4, &ports, &e), "%s", wrong[i]);
}
END_TEST

START_TEST(test_text_port_names_stand_for_numbers)
{
    struct dp_rule *r;

    say(OFP_TEXT_ADD, "in_port=vm1,actions=output:\"vm1\",\"vm1\",vm1,1");
    r = dummy_rule_nth(bed.dpb, 0);
    ck_assert_uint_eq(be32_to(r->match.key.in_port), 2);
    ck_assert_uint_eq(r->instr.apply.n_words, 4);
    ck_assert_uint_eq(r->instr.apply.ops[2].arg, 2);
    refuse(OFP_TEXT_ADD, "in_port=vm2,actions=1", "column 1: in_port: there "
                                                  "is no port vm2");
    refuse(OFP_TEXT_ADD, "actions=output:\"vm2\"", "there is no port");
    say(OFP_TEXT_DELETE, "out_port=vm1");
    ck_assert_ptr_null(dummy_rule_nth(bed.dpb, 0));
}
END_TEST

START_TEST(test_text_part_of_a_field_waits_for_a_version_that_has_it)
{
    if (ofp_client_version(client) >= 6)
        return;
    refuse(OFP_TEXT_ADD, "tcp,actions=load:5->tcp_dst[0..3]",
           "needs OpenFlow 1.5");
    refuse(OFP_TEXT_ADD, "actions=move:eth_src[]->eth_dst[]",
           "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]: not in OpenFlow");
}
END_TEST

START_TEST(test_text_client_outlives_its_bridge)
{
    struct ofp_bridge_config c = { .name = "br1" };
    struct ofp_bridge *b;
    struct ofp_client *o;

    ck_assert_int_eq(ofp_bridge_create(bed.dp, &c, &b, NULL), 0);
    o = ofp_client_open(b, got, NULL);
    ofp_bridge_destroy(b);
    ck_assert(ofp_client_gone(o));
    ck_assert_uint_eq(ofp_client_barrier(o), 0);
    ck_assert(!ofp_client_flush(o));
    ofp_client_close(o);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("ofproto");
    TCase *tc = tcase_create("text_msg");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(tc, open, close);
    tcase_add_test(tc, test_text_add_flow_reaches_the_datapath_whole);
    tcase_add_test(tc, test_text_delete_without_table_takes_all_tables);
    tcase_add_test(tc, test_text_modify_keeps_to_cookie_and_mask);
    tcase_add_test(tc, test_text_old_vlan_actions_push_unless_a_tag_is_matched);
    tcase_add_test(tc, test_text_error_names_word_and_column);
    tcase_add_test(tc, test_text_refusal_of_the_agent_comes_back_by_name);
    tcase_add_test(tc, test_text_barrier_is_answered_once_workers_follow);
    tcase_add_test(tc, test_text_client_is_no_controller_and_hears_nothing_unasked);
    tcase_add_test(tc, test_text_packet_out_carries_frame_and_port);
    tcase_add_test(tc, test_text_port_names_stand_for_numbers);
    tcase_add_test(tc, test_text_part_of_a_field_waits_for_a_version_that_has_it);
    tcase_add_test(tc, test_text_client_outlives_its_bridge);
    suite_add_tcase(s, tc);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
