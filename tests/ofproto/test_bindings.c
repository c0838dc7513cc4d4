/* SPDX-License-Identifier: Apache-2.0 */
/* The bindings' object core: read, build and grow real messages. */
#include <check.h>
#include <stdlib.h>

#include "loci/loci.h"

/* Written by hand from OpenFlow 1.3.5 §7.3.4.1, §7.2.3 and §7.2.5. */
static const uint8_t flow_add_tcp[] = {
    0x04, 0x0e, 0x00, 0x68, 0x00, 0x00, 0x00, 0x07, /* header */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x11, 0x22, /* cookie */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* cookie mask */
    0x03, 0x00, 0x00, 0x0a, 0x00, 0x14, 0x00, 0x64, /* table .. priority */
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* buffer, out_port */
    0xff, 0xff, 0xff, 0xff, 0x00, 0x01, 0x00, 0x00, /* out_group, flags */
    0x00, 0x01, 0x00, 0x1d, 0x80, 0x00, 0x00, 0x04, /* match, in_port */
    0x00, 0x00, 0x00, 0x01, 0x80, 0x00, 0x0a, 0x02, /* eth_type */
    0x08, 0x00, 0x80, 0x00, 0x14, 0x01, 0x06, 0x80, /* ip_proto, tcp_dst */
    0x00, 0x1c, 0x02, 0x00, 0x50, 0x00, 0x00, 0x00, /* pad */
    0x00, 0x04, 0x00, 0x18, 0x00, 0x00, 0x00, 0x00, /* apply actions */
    0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x02, /* output 2 */
    0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

static of_object_t *
parse_flow_add(of_object_storage_t *s, uint8_t *copy)
{
    memcpy(copy, flow_add_tcp, sizeof flow_add_tcp);
    return of_object_new_from_message_preallocated(s, copy,
                                                   sizeof flow_add_tcp);
}

START_TEST(test_bindings_flow_add_getters_read_the_wire)
{
    uint8_t copy[sizeof flow_add_tcp];
    of_object_storage_t s;
    of_object_t *obj = parse_flow_add(&s, copy);
    uint64_t cookie;
    uint16_t idle, priority, flags;
    uint8_t table;

    ck_assert_ptr_nonnull(obj);
    ck_assert_int_eq(obj->object_id, OF_FLOW_ADD);
    of_flow_add_cookie_get(obj, &cookie);
    of_flow_add_idle_timeout_get(obj, &idle);
    of_flow_add_priority_get(obj, &priority);
    of_flow_add_table_id_get(obj, &table);
    of_flow_add_flags_get(obj, &flags);
    ck_assert_uint_eq(cookie, 0x1122);
    ck_assert_uint_eq(idle, 10);
    ck_assert_uint_eq(priority, 100);
    ck_assert_uint_eq(table, 3);
    ck_assert(OF_FLOW_MOD_FLAG_SEND_FLOW_REM_TEST(flags, obj->version));
}
END_TEST

START_TEST(test_bindings_flow_add_match_and_actions_are_found)
{
    uint8_t copy[sizeof flow_add_tcp];
    of_object_storage_t s;
    of_object_t *obj = parse_flow_add(&s, copy), insts, inst, acts, act;
    of_match_t match;
    of_port_no_t port = 0;
    int rv, n = 0;

    ck_assert_ptr_nonnull(obj);
    ck_assert_int_eq(of_flow_add_match_get(obj, &match), OF_ERROR_NONE);
    ck_assert_uint_eq(match.fields.in_port, 1);
    ck_assert_uint_eq(match.fields.tcp_dst, 80);
    ck_assert_uint_eq(match.masks.tcp_dst, 0xffff);
    ck_assert_uint_eq(match.masks.tcp_src, 0);
    of_flow_add_instructions_bind(obj, &insts);
    OF_LIST_INSTRUCTION_ITER(&insts, &inst, rv) {
        ck_assert_int_eq(inst.object_id, OF_INSTRUCTION_APPLY_ACTIONS);
        of_instruction_apply_actions_actions_bind(&inst, &acts);
        OF_LIST_ACTION_ITER(&acts, &act, rv) {
            ck_assert_int_eq(act.object_id, OF_ACTION_OUTPUT);
            of_action_output_port_get(&act, &port);
            n++;
        }
    }
    ck_assert_int_eq(n, 1);
    ck_assert_uint_eq(port, 2);
}
END_TEST

/* The order that LOCI could not do: data before match, actions last. */
START_TEST(test_bindings_flow_add_built_in_any_order_equals_golden)
{
    of_object_t *obj = of_flow_add_new(OF_VERSION_1_3);
    of_object_t insts, inst, acts, act;
    of_match_t match = {.version = OF_VERSION_1_3};

    of_object_xid_set(obj, 7);
    of_flow_add_instructions_bind(obj, &insts);
    of_instruction_apply_actions_init(&inst, OF_VERSION_1_3, -1, 1);
    ck_assert_int_eq(of_list_instruction_append_bind(&insts, &inst), 0);
    of_instruction_apply_actions_actions_bind(&inst, &acts);
    of_action_output_init(&act, OF_VERSION_1_3, -1, 1);
    ck_assert_int_eq(of_list_action_append_bind(&acts, &act), 0);
    of_action_output_port_set(&act, 2);
    of_action_output_max_len_set(&act, 0xffff);
    match.fields.in_port = 1;
    match.fields.eth_type = 0x0800;
    match.fields.ip_proto = 6;
    match.fields.tcp_dst = 80;
    OF_MATCH_MASK_IN_PORT_EXACT_SET(&match);
    OF_MATCH_MASK_ETH_TYPE_EXACT_SET(&match);
    OF_MATCH_MASK_IP_PROTO_EXACT_SET(&match);
    OF_MATCH_MASK_TCP_DST_EXACT_SET(&match);
    ck_assert_int_eq(of_flow_add_match_set(obj, &match), 0);
    of_flow_add_cookie_set(obj, 0x1122);
    of_flow_add_table_id_set(obj, 3);
    of_flow_add_idle_timeout_set(obj, 10);
    of_flow_add_hard_timeout_set(obj, 20);
    of_flow_add_priority_set(obj, 100);
    of_flow_add_buffer_id_set(obj, OF_BUFFER_ID_NO_BUFFER);
    of_flow_add_out_port_set(obj, OF_PORT_DEST_WILDCARD);
    of_flow_add_out_group_set(obj, OF_GROUP_ANY);
    of_flow_add_flags_set(obj, 1);
    ck_assert_int_eq(obj->length, sizeof flow_add_tcp);
    ck_assert_int_eq(obj->wbuf->current_bytes, sizeof flow_add_tcp);
    ck_assert_mem_eq(obj->wbuf->buf, flow_add_tcp, sizeof flow_add_tcp);
    ck_assert_int_eq(of_validate_message(obj->wbuf->buf, obj->length), 0);
    of_object_delete(obj);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("ofproto");
    TCase *t = tcase_create("bindings");

    tcase_add_test(t, test_bindings_flow_add_getters_read_the_wire);
    tcase_add_test(t, test_bindings_flow_add_match_and_actions_are_found);
    tcase_add_test(t, test_bindings_flow_add_built_in_any_order_equals_golden);
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    SRunner *r = srunner_create(suite());
    int failed;

    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
