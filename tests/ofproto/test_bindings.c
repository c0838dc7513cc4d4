/* SPDX-License-Identifier: Apache-2.0 */
/* The bindings' object core: read, build and grow real messages. */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
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

#define BIT(v) (1u << (v))
#define OURS (BIT(OF_VERSION_1_0) | BIT(OF_VERSION_1_3))

/* OpenFlow 1.3.5 §6.3.1 and §7.5.1. */
static const struct hello_case {
    const char *what;
    uint8_t bytes[24];
    int len;
    uint32_t ours;
    int version; /* -1: refused ... */
    int type;    /* ... with this error, code 0 or 6. */
} hellos[] = {
    {"1.3 without bitmap", {4, 0, 0, 8}, 8, OURS, 4, 0},
    {"1.0 without bitmap", {1, 0, 0, 8}, 8, OURS, 1, 0},
    {"newer than all of ours", {9, 0, 0, 8}, 8, OURS, 4, 0},
    {"the smaller one is not ours", {3, 0, 0, 8}, 8, OURS, -1, 0},
    {"only 1.0, ours 1.3", {1, 0, 0, 8}, 8, BIT(4), -1, 0},
    {"bitmap 1.0 and 1.3", {6, 0, 0, 16, 0, 0, 0, 0, 0, 1, 0, 8, 0, 0, 0, 18},
     16, OURS, 4, 0},
    {"bitmap beats the header", {4, 0, 0, 16, 0, 0, 0, 0, 0, 1, 0, 8, 0, 0, 0,
     2}, 16, OURS, 1, 0},
    {"bitmap of nothing we speak", {5, 0, 0, 16, 0, 0, 0, 0, 0, 1, 0, 8, 0, 0,
     0, 32}, 16, OURS, -1, 0},
    {"unknown element, then bitmap", {4, 0, 0, 24, 0, 0, 0, 0, 0, 9, 0, 4, 0,
     0, 0, 0, 0, 1, 0, 8, 0, 0, 0, 2}, 24, OURS, 1, 0},
    {"element without its pad", {4, 0, 0, 12, 0, 0, 0, 0, 0, 9, 0, 4}, 12,
     OURS, 4, 0},
    {"element of length 0", {4, 0, 0, 12, 0, 0, 0, 0, 0, 1, 0, 0}, 12, OURS,
     -1, 1},
    {"element longer than the hello", {4, 0, 0, 12, 0, 0, 0, 0, 0, 1, 0, 8},
     12, OURS, -1, 1},
    {"header length wrong", {4, 0, 0, 9}, 8, OURS, -1, 1},
    {"seven bytes", {4, 0, 0, 7}, 7, OURS, -1, 1},
    {"no hello", {4, 2, 0, 8}, 8, OURS, -1, 1},
};

START_TEST(test_bindings_hello_negotiation_follows_the_specification)
{
    const struct hello_case *c = &hellos[_i];
    struct of_parse_err err = {.type = 99};
    uint8_t *exact = malloc((size_t) c->len);

    memcpy(exact, c->bytes, (size_t) c->len);
    ck_assert_msg(of_hello_negotiate(exact, c->len, c->ours, &err)
                      == c->version, "%s", c->what);
    if (c->version < 0) {
        ck_assert_msg(err.type == c->type, "%s: %u", c->what, err.type);
        ck_assert_int_eq(err.code, c->type ? 6 : 0);
        ck_assert_ptr_nonnull(err.text);
    }
    free(exact);
}
END_TEST

static char shown[2048];

static int
shown_write(void *cookie, const char *fmt, ...)
{
    size_t at = strlen(shown);
    va_list ap;
    int n;

    (void) cookie;
    va_start(ap, fmt);
    n = vsnprintf(shown + at, sizeof shown - at, fmt, ap);
    va_end(ap);
    return n;
}

START_TEST(test_bindings_show_names_enums_flags_and_fields)
{
    uint8_t copy[sizeof flow_add_tcp];
    of_object_storage_t s;
    of_object_t *obj = parse_flow_add(&s, copy);

    ck_assert_ptr_nonnull(obj);
    shown[0] = '\0';
    ck_assert_int_gt(of_object_show(shown_write, NULL, obj), 0);
    ck_assert_str_eq(
        shown,
        "of_flow_add { xid=7 cookie=0x1122 cookie_mask=0x0 table_id=3"
        " idle_timeout=10 hard_timeout=20 priority=100 buffer_id=4294967295"
        " out_port=ANY out_group=4294967295 flags=send_flow_rem"
        " match={in_port=1 eth_type=0x800 ip_proto=6 tcp_dst=80}"
        " instructions=[of_instruction_apply_actions {"
        " actions=[of_action_output { port=2 max_len=no_buffer }] }] }");
}
END_TEST

START_TEST(test_bindings_dump_has_a_line_per_member)
{
    of_object_t *obj = of_role_request_new(OF_VERSION_1_3);

    of_role_request_role_set(obj, OF_CONTROLLER_ROLE_MASTER);
    shown[0] = '\0';
    ck_assert_int_gt(of_object_dump(shown_write, NULL, obj), 0);
    ck_assert_str_eq(shown, "of_role_request {\n  xid=0\n"
                            "  role=role_master\n  generation_id=0 }\n");
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
    tcase_add_loop_test(
        t, test_bindings_hello_negotiation_follows_the_specification, 0,
        WEFT_ARRAY_LEN(hellos));
    tcase_add_test(t, test_bindings_show_names_enums_flags_and_fields);
    tcase_add_test(t, test_bindings_dump_has_a_line_per_member);
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
