/* SPDX-License-Identifier: Apache-2.0 */
/* Source compatibility: the calls that an agent written for LOCI makes, each
 * at least once, in the way such an agent makes them. */
#include <check.h>
#include <stdlib.h>

#include "loci/loci.h"

#define V OF_VERSION_1_3

/* An agent's way out: the bytes go to the socket, the object dies. */
static void
send_away(of_object_t *obj, of_object_id_t id)
{
    uint8_t *bytes;
    int len = obj->length;

    ck_assert_int_eq(obj->object_id, id);
    of_object_wire_buffer_steal(obj, &bytes);
    of_object_delete(obj);
    ck_assert_int_eq(of_message_length_get(OF_BUFFER_TO_MESSAGE(bytes)), len);
    obj = of_object_new_from_message(bytes, len);
    ck_assert_msg(obj, "%s is not valid", of_object_id_str[id]);
    ck_assert_int_eq(obj->object_id, id);
    ck_assert_str_eq(of_class_name(obj), of_object_id_str[id]);
    of_object_delete(obj);
}

START_TEST(test_bindings_api_session_calls_work)
{
    of_hello_t *hello = of_hello_new(V);
    of_features_reply_t *features = of_features_reply_new(V);
    of_get_config_reply_t *config = of_get_config_reply_new(V);
    of_set_config_t *set = of_set_config_new(V);
    of_echo_request_t *ask = of_echo_request_new(V);
    of_echo_reply_t *echo = of_echo_reply_new(V);
    of_list_hello_elem_t elems;
    of_hello_elem_t elem;
    of_list_uint32_t bitmaps;
    of_uint32_t word;
    of_octets_t data = {(uint8_t *) (uintptr_t) "ping", 4}, got;
    uint16_t flags, miss;
    uint32_t xid, bits = 0;
    int rv, n = 0;

    of_hello_elements_bind(hello, &elems);
    of_hello_elem_versionbitmap_init(&elem, V, -1, 1);
    ck_assert_int_eq(of_list_append_bind(&elems, &elem), OF_ERROR_NONE);
    of_hello_elem_versionbitmap_bitmaps_bind(&elem, &bitmaps);
    of_uint32_init(&word, V, -1, 1);
    ck_assert_int_eq(of_list_uint32_append_bind(&bitmaps, &word), 0);
    of_uint32_value_set(&word, 1 << OF_VERSION_1_3 | 1 << OF_VERSION_1_0);
    ck_assert_int_eq(hello->length, 16);
    ck_assert_int_eq(of_hello_negotiate(hello->wbuf->buf, hello->length,
                                        1 << OF_VERSION_1_0, NULL),
                     OF_VERSION_1_0);
    OF_LIST_HELLO_ELEM_ITER(&elems, &elem, rv) {
        ck_assert_int_eq(elem.object_id, OF_HELLO_ELEM_VERSIONBITMAP);
        OF_LIST_UINT32_ITER(&bitmaps, &word, rv) {
            of_uint32_value_get(&word, &bits);
            n++;
        }
    }
    ck_assert_int_eq(n, 1);
    ck_assert_uint_eq(bits, 0x12);

    of_object_xid_set(ask, 0x11223344);
    of_object_xid_get(ask, &xid);
    ck_assert_uint_eq(xid, 0x11223344);
    ck_assert_int_eq(of_echo_request_data_set(ask, &data), 0);
    of_echo_request_data_get(ask, &got);
    ck_assert_int_eq(of_echo_reply_data_set(echo, &got), 0);
    of_echo_reply_data_get(echo, &got);
    ck_assert_int_eq(got.bytes, 4);
    ck_assert_mem_eq(got.data, "ping", 4);

    of_features_reply_datapath_id_set(features, 0xabcdef);
    of_features_reply_n_buffers_set(features, 256);
    of_features_reply_n_tables_set(features, 254);
    of_features_reply_auxiliary_id_set(features, 0);
    of_features_reply_capabilities_set(
        features, OF_CAPABILITIES_FLAG_FLOW_STATS_BY_VERSION(V));

    of_get_config_reply_flags_set(config, OF_CONFIG_FRAG_NORMAL);
    of_get_config_reply_miss_send_len_set(config, 128);
    of_set_config_miss_send_len_set(set, 0xffff);
    of_set_config_flags_get(set, &flags);
    of_set_config_miss_send_len_get(set, &miss);
    ck_assert_uint_eq(flags, 0);
    ck_assert_uint_eq(miss, 0xffff);

    send_away(hello, OF_HELLO);
    send_away(ask, OF_ECHO_REQUEST);
    send_away(echo, OF_ECHO_REPLY);
    send_away(features, OF_FEATURES_REPLY);
    send_away(config, OF_GET_CONFIG_REPLY);
    send_away(set, OF_SET_CONFIG);
    send_away(of_barrier_reply_new(V), OF_BARRIER_REPLY);
}
END_TEST

START_TEST(test_bindings_api_role_and_async_calls_work)
{
    of_role_request_t *ask = of_role_request_new(V);
    of_role_reply_t *reply = of_role_reply_new(V);
    of_async_get_reply_t *async = of_async_get_reply_new(V);
    of_async_set_t *set = of_async_set_new(V);
    uint32_t role, mask;
    uint64_t generation;

    of_role_request_role_set(ask, OF_CONTROLLER_ROLE_MASTER);
    of_role_request_generation_id_set(ask, 9);
    of_role_request_role_get(ask, &role);
    of_role_request_generation_id_get(ask, &generation);
    of_role_reply_role_set(reply, role);
    of_role_reply_generation_id_set(reply, generation);
    of_role_reply_role_get(reply, &role);
    ck_assert_uint_eq(role, OF_CONTROLLER_ROLE_MASTER);
    of_async_set_packet_in_mask_equal_master_set(set, 7);
    of_async_set_packet_in_mask_equal_master_get(set, &mask);
    of_async_get_reply_packet_in_mask_equal_master_set(async, mask);
    of_async_get_reply_port_status_mask_slave_set(async, 1);
    of_async_get_reply_flow_removed_mask_slave_set(async, 2);
    send_away(ask, OF_ROLE_REQUEST);
    send_away(reply, OF_ROLE_REPLY);
    send_away(async, OF_ASYNC_GET_REPLY);
    send_away(set, OF_ASYNC_SET);
}
END_TEST

#define ERROR_CALLS(name, NAME, number)                                       \
    do {                                                                      \
        of_##name##_error_msg_t *e = of_##name##_error_msg_new(V);            \
        of_octets_t data = {bad, sizeof bad};                                 \
                                                                              \
        of_##name##_error_msg_code_set(e, 1);                                 \
        ck_assert_int_eq(of_##name##_error_msg_data_set(e, &data), 0);        \
        ck_assert_int_eq(of_message_error_type_get(e->wbuf->buf), number);    \
        send_away(e, OF_##NAME##_ERROR_MSG);                                  \
    } while (0)

START_TEST(test_bindings_api_error_messages_are_built)
{
    uint8_t bad[64] = {4, 99};

    ERROR_CALLS(hello_failed, HELLO_FAILED, 0);
    ERROR_CALLS(bad_request, BAD_REQUEST, 1);
    ERROR_CALLS(bad_action, BAD_ACTION, 2);
    ERROR_CALLS(bad_instruction, BAD_INSTRUCTION, 3);
    ERROR_CALLS(bad_match, BAD_MATCH, 4);
    ERROR_CALLS(flow_mod_failed, FLOW_MOD_FAILED, 5);
    ERROR_CALLS(group_mod_failed, GROUP_MOD_FAILED, 6);
    ERROR_CALLS(port_mod_failed, PORT_MOD_FAILED, 7);
    ERROR_CALLS(table_mod_failed, TABLE_MOD_FAILED, 8);
    ERROR_CALLS(role_request_failed, ROLE_REQUEST_FAILED, 11);
    ERROR_CALLS(meter_mod_failed, METER_MOD_FAILED, 12);
}
END_TEST

/* Adds an action of a class to a list of actions. */
#define ADD_ACTION(list, act, name)                                           \
    do {                                                                      \
        of_action_##name##_init((act), (list)->version, -1, 1);               \
        ck_assert_int_eq(of_list_action_append_bind((list), (act)),           \
                         OF_ERROR_NONE);                                      \
    } while (0)

static void
add_set_field(of_list_action_t *list)
{
    of_action_t act;
    of_oxm_ipv4_dst_t *oxm = of_oxm_ipv4_dst_new(V);

    ADD_ACTION(list, &act, set_field);
    of_oxm_ipv4_dst_value_set(oxm, 0x0a000001);
    ck_assert_int_eq(of_action_set_field_field_set(&act, oxm), 0);
    ck_assert_int_eq(act.length, 16);
    of_oxm_ipv4_dst_delete(oxm);
}

static void
add_actions(of_list_action_t *list)
{
    of_action_t act;

    ADD_ACTION(list, &act, output);
    of_action_output_port_set(&act, OF_PORT_DEST_CONTROLLER);
    of_action_output_max_len_set(&act, OF_CONTROLLER_PKT_NO_BUFFER);
    ADD_ACTION(list, &act, group);
    of_action_group_group_id_set(&act, 5);
    ADD_ACTION(list, &act, set_queue);
    of_action_set_queue_queue_id_set(&act, 6);
    ADD_ACTION(list, &act, push_vlan);
    of_action_push_vlan_ethertype_set(&act, 0x8100);
    ADD_ACTION(list, &act, push_mpls);
    of_action_push_mpls_ethertype_set(&act, 0x8847);
    ADD_ACTION(list, &act, pop_mpls);
    of_action_pop_mpls_ethertype_set(&act, 0x0800);
    ADD_ACTION(list, &act, set_nw_ttl);
    of_action_set_nw_ttl_nw_ttl_set(&act, 64);
    ADD_ACTION(list, &act, set_mpls_ttl);
    of_action_set_mpls_ttl_mpls_ttl_set(&act, 63);
    add_set_field(list);
}

static unsigned
read_action(of_action_t *act)
{
    of_port_no_t port;
    uint16_t max_len, type;
    uint32_t id;
    uint8_t ttl;
    of_ipv4_t ip;
    of_oxm_t oxm;

    switch ((int) act->object_id) {
    case OF_ACTION_OUTPUT:
        of_action_output_port_get(act, &port);
        of_action_output_max_len_get(act, &max_len);
        return port == OF_PORT_DEST_CONTROLLER && max_len == 0xffff;
    case OF_ACTION_GROUP:
        of_action_group_group_id_get(act, &id);
        return id == 5;
    case OF_ACTION_SET_QUEUE:
        of_action_set_queue_queue_id_get(act, &id);
        return id == 6;
    case OF_ACTION_PUSH_VLAN:
        of_action_push_vlan_ethertype_get(act, &type);
        return type == 0x8100;
    case OF_ACTION_PUSH_MPLS:
        of_action_push_mpls_ethertype_get(act, &type);
        return type == 0x8847;
    case OF_ACTION_POP_MPLS:
        of_action_pop_mpls_ethertype_get(act, &type);
        return type == 0x0800;
    case OF_ACTION_SET_NW_TTL:
        of_action_set_nw_ttl_nw_ttl_get(act, &ttl);
        return ttl == 64;
    case OF_ACTION_SET_MPLS_TTL:
        of_action_set_mpls_ttl_mpls_ttl_get(act, &ttl);
        return ttl == 63;
    case OF_ACTION_SET_FIELD:
        of_action_set_field_field_bind(act, &oxm);
        ck_assert_int_eq(oxm.object_id, OF_OXM_IPV4_DST);
        of_oxm_ipv4_dst_value_get(&oxm, &ip);
        return ip == 0x0a000001;
    }
    return 0;
}

static void
add_instructions(of_list_instruction_t *list)
{
    of_instruction_t inst;
    of_list_action_t acts;

    of_instruction_apply_actions_init(&inst, V, -1, 1);
    ck_assert_int_eq(of_list_instruction_append_bind(list, &inst), 0);
    of_instruction_apply_actions_actions_bind(&inst, &acts);
    add_actions(&acts);
    of_instruction_write_actions_init(&inst, V, -1, 1);
    ck_assert_int_eq(of_list_instruction_append_bind(list, &inst), 0);
    of_instruction_write_actions_actions_bind(&inst, &acts);
    add_actions(&acts);
    of_instruction_write_metadata_init(&inst, V, -1, 1);
    ck_assert_int_eq(of_list_instruction_append_bind(list, &inst), 0);
    of_instruction_write_metadata_metadata_set(&inst, 7);
    of_instruction_write_metadata_metadata_mask_set(&inst, 15);
    of_instruction_meter_init(&inst, V, -1, 1);
    ck_assert_int_eq(of_list_instruction_append_bind(list, &inst), 0);
    of_instruction_meter_meter_id_set(&inst, 8);
    of_instruction_goto_table_init(&inst, V, -1, 1);
    ck_assert_int_eq(of_list_instruction_append_bind(list, &inst), 0);
    of_instruction_goto_table_table_id_set(&inst, 9);
}

static unsigned
read_instruction(of_instruction_t *inst)
{
    of_list_action_t acts;
    of_action_t act;
    uint64_t metadata, mask;
    uint32_t meter;
    uint8_t table;
    unsigned n = 0;
    int rv;

    switch ((int) inst->object_id) {
    case OF_INSTRUCTION_APPLY_ACTIONS:
    case OF_INSTRUCTION_WRITE_ACTIONS:
        if (inst->object_id == OF_INSTRUCTION_APPLY_ACTIONS)
            of_instruction_apply_actions_actions_bind(inst, &acts);
        else
            of_instruction_write_actions_actions_bind(inst, &acts);
        OF_LIST_ACTION_ITER(&acts, &act, rv)
            n += read_action(&act);
        return n;
    case OF_INSTRUCTION_WRITE_METADATA:
        of_instruction_write_metadata_metadata_get(inst, &metadata);
        of_instruction_write_metadata_metadata_mask_get(inst, &mask);
        return metadata == 7 && mask == 15;
    case OF_INSTRUCTION_METER:
        of_instruction_meter_meter_id_get(inst, &meter);
        return meter == 8;
    case OF_INSTRUCTION_GOTO_TABLE:
        of_instruction_goto_table_table_id_get(inst, &table);
        return table == 9;
    }
    return 0;
}

/* The three commands share their calls. */
#define FLOW_CALLS(name, NAME)                                                \
    do {                                                                      \
        of_##name##_t *o = of_##name##_new(V);                                \
        of_list_instruction_t list;                                           \
        of_instruction_t inst;                                                \
        of_match_t match = {.version = V}, got;                               \
        uint64_t cookie, mask;                                                \
        uint32_t port, group;                                                 \
        uint16_t idle, hard, prio, flags;                                     \
        uint8_t table;                                                        \
        unsigned found = 0;                                                   \
        int rv;                                                               \
                                                                              \
        match.fields.in_port = 3;                                             \
        OF_MATCH_MASK_IN_PORT_EXACT_SET(&match);                              \
        ck_assert_int_eq(of_##name##_match_set(o, &match), 0);                \
        of_##name##_instructions_bind(o, &list);                              \
        add_instructions(&list);                                              \
        of_##name##_cookie_get(o, &cookie);                                   \
        of_##name##_cookie_mask_get(o, &mask);                                \
        of_##name##_table_id_get(o, &table);                                  \
        of_##name##_idle_timeout_get(o, &idle);                               \
        of_##name##_hard_timeout_get(o, &hard);                               \
        of_##name##_priority_get(o, &prio);                                   \
        of_##name##_out_port_get(o, &port);                                   \
        of_##name##_out_group_get(o, &group);                                 \
        of_##name##_flags_get(o, &flags);                                     \
        ck_assert_uint_eq(cookie + mask + table + idle + hard + prio + port   \
                          + group + flags, 0);                                \
        ck_assert_int_eq(of_##name##_match_get(o, &got), 0);                  \
        ck_assert(of_match_eq(&match, &got));                                 \
        OF_LIST_INSTRUCTION_ITER(&list, &inst, rv)                            \
            found += read_instruction(&inst);                                 \
        ck_assert_uint_eq(found, 9 + 9 + 3);                                  \
        send_away(o, OF_##NAME);                                              \
    } while (0)

START_TEST(test_bindings_api_flow_mods_are_read)
{
    FLOW_CALLS(flow_add, FLOW_ADD);
    FLOW_CALLS(flow_modify, FLOW_MODIFY);
    FLOW_CALLS(flow_delete, FLOW_DELETE);
}
END_TEST

START_TEST(test_bindings_api_flow_add_of_1_0_has_actions)
{
    of_flow_add_t *o = of_flow_add_new(OF_VERSION_1_0);
    of_list_action_t list;
    of_action_t act;
    of_mac_addr_t mac = {{2, 0, 0, 0, 0, 1}}, got;
    of_port_no_t port;
    uint16_t tp, vid;
    uint32_t ip;
    int rv, n = 0;

    of_flow_add_actions_bind(o, &list);
    ADD_ACTION(&list, &act, output);
    of_action_output_port_set(&act, OF_PORT_DEST_FLOOD);
    ADD_ACTION(&list, &act, set_dl_src);
    of_action_set_dl_src_dl_addr_set(&act, mac);
    ADD_ACTION(&list, &act, set_nw_dst);
    of_action_set_nw_dst_nw_addr_set(&act, 0x01020304);
    ADD_ACTION(&list, &act, set_tp_src);
    of_action_set_tp_src_tp_port_set(&act, 80);
    ADD_ACTION(&list, &act, set_vlan_vid);
    of_action_set_vlan_vid_vlan_vid_set(&act, 100);
    OF_LIST_ACTION_ITER(&list, &act, rv)
        switch ((int) act.object_id) {
        case OF_ACTION_OUTPUT:
            of_action_output_port_get(&act, &port);
            ck_assert_uint_eq(port, OF_PORT_DEST_FLOOD);
            n++;
            break;
        case OF_ACTION_SET_DL_SRC:
            of_action_set_dl_src_dl_addr_get(&act, &got);
            ck_assert_mem_eq(&got, &mac, 6);
            n++;
            break;
        case OF_ACTION_SET_NW_DST:
            of_action_set_nw_dst_nw_addr_get(&act, &ip);
            ck_assert_uint_eq(ip, 0x01020304);
            n++;
            break;
        case OF_ACTION_SET_TP_SRC:
            of_action_set_tp_src_tp_port_get(&act, &tp);
            ck_assert_uint_eq(tp, 80);
            n++;
            break;
        case OF_ACTION_SET_VLAN_VID:
            of_action_set_vlan_vid_vlan_vid_get(&act, &vid);
            ck_assert_uint_eq(vid, 100);
            n++;
            break;
        }
    ck_assert_int_eq(n, 5);
    send_away(o, OF_FLOW_ADD);
}
END_TEST

START_TEST(test_bindings_api_flow_removed_is_built)
{
    of_flow_removed_t *o = of_flow_removed_new(V);
    of_match_t match = {.version = V};

    of_flow_removed_cookie_set(o, 1);
    of_flow_removed_priority_set(o, 2);
    of_flow_removed_reason_set(o, OF_FLOW_REMOVED_REASON_IDLE_TIMEOUT);
    of_flow_removed_table_id_set(o, 3);
    of_flow_removed_duration_sec_set(o, 4);
    of_flow_removed_duration_nsec_set(o, 5);
    of_flow_removed_idle_timeout_set(o, 6);
    of_flow_removed_hard_timeout_set(o, 7);
    of_flow_removed_packet_count_set(o, 8);
    of_flow_removed_byte_count_set(o, 9);
    ck_assert_int_eq(of_flow_removed_match_set(o, &match), 0);
    send_away(o, OF_FLOW_REMOVED);
}
END_TEST

START_TEST(test_bindings_api_packet_in_takes_data_before_match)
{
    of_packet_in_t *o = of_packet_in_new(V);
    of_packet_in_t *old = of_packet_in_new(OF_VERSION_1_0);
    uint8_t frame[60] = {1, 2, 3};
    of_octets_t data = {frame, sizeof frame}, got;
    of_match_t match = {.version = V};

    of_packet_in_buffer_id_set(o, OF_BUFFER_ID_NO_BUFFER);
    of_packet_in_total_len_set(o, 60);
    of_packet_in_reason_set(o, OF_PACKET_IN_REASON_NO_MATCH);
    of_packet_in_table_id_set(o, 0);
    of_packet_in_cookie_set(o, 1);
    ck_assert_int_eq(of_packet_in_data_set(o, &data), 0);
    match.fields.in_port = 4;
    OF_MATCH_MASK_IN_PORT_EXACT_SET(&match);
    ck_assert_int_eq(of_packet_in_match_set(o, &match), 0);
    of_packet_in_data_get(o, &got);
    ck_assert_int_eq(got.bytes, 60);
    ck_assert_mem_eq(got.data, frame, 60);
    send_away(o, OF_PACKET_IN);

    of_packet_in_in_port_set(old, OF_PORT_DEST_LOCAL);
    ck_assert_int_eq(of_packet_in_data_set(old, &data), 0);
    ck_assert_mem_eq(old->wbuf->buf + 14, "\xff\xfe", 2);
    send_away(old, OF_PACKET_IN);
}
END_TEST

START_TEST(test_bindings_api_packet_out_takes_actions_after_data)
{
    of_packet_out_t *o = of_packet_out_new(V);
    uint8_t frame[60] = {9};
    of_octets_t data = {frame, sizeof frame}, got;
    of_list_action_t acts;
    of_action_t act;
    uint32_t buffer;
    of_port_no_t port;
    int rv;
    unsigned n = 0;

    of_packet_out_in_port_set(o, OF_PORT_DEST_CONTROLLER);
    ck_assert_int_eq(of_packet_out_data_set(o, &data), 0);
    of_packet_out_actions_bind(o, &acts);
    add_actions(&acts);
    of_packet_out_buffer_id_get(o, &buffer);
    of_packet_out_in_port_get(o, &port);
    of_packet_out_data_get(o, &got);
    ck_assert_uint_eq(port, OF_PORT_DEST_CONTROLLER);
    ck_assert_int_eq(got.bytes, 60);
    of_packet_out_actions_bind(o, &acts);
    OF_LIST_ACTION_ITER(&acts, &act, rv)
        n += read_action(&act);
    ck_assert_uint_eq(n, 9);
    send_away(o, OF_PACKET_OUT);
}
END_TEST

static void
fill_port(of_port_desc_t *p)
{
    of_mac_addr_t mac = {{2, 0, 0, 0, 0, 7}};
    of_port_name_t name = "tap7";

    of_port_desc_port_no_set(p, 7);
    of_port_desc_hw_addr_set(p, mac);
    of_port_desc_name_set(p, name);
    of_port_desc_config_set(p, OF_PORT_CONFIG_FLAG_PORT_DOWN);
    of_port_desc_state_set(p, OF_PORT_STATE_FLAG_LINK_DOWN_BY_VERSION(V));
    of_port_desc_curr_set(p, 1);
    of_port_desc_advertised_set(p, 2);
    of_port_desc_supported_set(p, 3);
    of_port_desc_peer_set(p, 4);
}

START_TEST(test_bindings_api_port_messages_work)
{
    of_port_status_t *status = of_port_status_new(V);
    of_port_desc_t *desc = of_port_desc_new(V), view, *copy;
    of_port_desc_stats_reply_t *reply = of_port_desc_stats_reply_new(V);
    of_port_mod_t *mod = of_port_mod_new(V);
    of_list_port_desc_t list;
    of_mac_addr_t mac;
    of_port_name_t name;
    of_port_no_t port;
    uint32_t config, mask;

    fill_port(desc);
    of_port_status_reason_set(status, OF_PORT_CHANGE_REASON_ADD);
    ck_assert_int_eq(of_port_status_desc_set(status, desc), 0);
    of_port_status_desc_bind(status, &view);
    of_port_desc_name_get(&view, &name);
    ck_assert_str_eq(name, "tap7");
    copy = of_port_status_desc_get(status);
    of_port_desc_port_no_get(copy, &port);
    ck_assert_uint_eq(port, 7);
    of_port_desc_delete(copy);
    of_port_desc_stats_reply_entries_bind(reply, &list);
    ck_assert_int_eq(of_list_append(&list, desc), 0);
    ck_assert_int_eq(of_list_port_desc_append(&list, desc), 0);
    ck_assert_int_eq(reply->length, 16 + 2 * 64);
    of_port_mod_port_no_get(mod, &port);
    of_port_mod_hw_addr_get(mod, &mac);
    of_port_mod_config_get(mod, &config);
    of_port_mod_mask_get(mod, &mask);
    ck_assert_uint_eq(port + config + mask, 0);
    of_object_delete(desc);
    send_away(status, OF_PORT_STATUS);
    send_away(reply, OF_PORT_DESC_STATS_REPLY);
    send_away(mod, OF_PORT_MOD);
}
END_TEST

START_TEST(test_bindings_api_groups_and_meters_are_read)
{
    of_group_add_t *group = of_group_add_new(V);
    of_meter_mod_t *meter = of_meter_mod_new(V);
    of_list_bucket_t buckets;
    of_bucket_t bucket;
    of_list_action_t acts;
    of_list_meter_band_t bands;
    of_meter_band_t band;
    uint32_t id, rate = 0;
    uint16_t weight, command, flags;
    uint8_t type;
    of_port_no_t watch;
    int rv, n = 0;

    of_group_add_group_id_set(group, 77);
    of_group_add_buckets_bind(group, &buckets);
    for (int i = 0; i < 2; i++) {
        of_bucket_init(&bucket, V, -1, 1);
        ck_assert_int_eq(of_list_bucket_append_bind(&buckets, &bucket), 0);
        of_bucket_weight_set(&bucket, (uint16_t) (i + 1));
        of_bucket_actions_bind(&bucket, &acts);
        add_actions(&acts);
    }
    of_group_add_group_id_get(group, &id);
    of_group_add_group_type_get(group, &type);
    ck_assert_uint_eq(id + type, 77);
    OF_LIST_BUCKET_ITER(&buckets, &bucket, rv) {
        of_bucket_weight_get(&bucket, &weight);
        of_bucket_watch_port_get(&bucket, &watch);
        ck_assert_uint_eq(weight, ++n);
    }
    ck_assert_int_eq(n, 2);
    of_meter_mod_meters_bind(meter, &bands);
    of_meter_band_drop_init(&band, V, -1, 1);
    ck_assert_int_eq(of_list_meter_band_append_bind(&bands, &band), 0);
    of_meter_band_drop_rate_set(&band, 1000);
    OF_LIST_METER_BAND_ITER(&bands, &band, rv)
        of_meter_band_drop_rate_get(&band, &rate);
    ck_assert_uint_eq(rate, 1000);
    of_meter_mod_command_get(meter, &command);
    of_meter_mod_flags_get(meter, &flags);
    of_meter_mod_meter_id_get(meter, &id);
    ck_assert_uint_eq(command + flags + id, 0);
    send_away(group, OF_GROUP_ADD);
    send_away(of_group_modify_new(V), OF_GROUP_MODIFY);
    send_away(of_group_delete_new(V), OF_GROUP_DELETE);
    send_away(meter, OF_METER_MOD);
}
END_TEST

/* A reply with two entries, one bound and one copied in. */
#define STATS_CALLS(reply, REPLY, entry, elem)                                \
    do {                                                                      \
        of_##reply##_t *o = of_##reply##_new(V);                              \
        of_list_##elem##_t list;                                              \
        of_##entry##_t one, *two = of_##entry##_new(V);                       \
        int rv, n = 0;                                                        \
                                                                              \
        of_##reply##_flags_set(o, 1);                                         \
        of_##reply##_entries_bind(o, &list);                                  \
        of_##entry##_init(&one, V, -1, 1);                                    \
        ck_assert_int_eq(of_list_##elem##_append_bind(&list, &one), 0);       \
        ck_assert_int_eq(of_list_##elem##_append(&list, two), 0);             \
        for (rv = of_list_##elem##_first(&list, &one); !rv;                   \
             rv = of_list_##elem##_next(&list, &one))                         \
            n++;                                                              \
        ck_assert_int_eq(rv, OF_ERROR_RANGE);                                 \
        ck_assert_int_eq(n, 2);                                               \
        of_object_delete(two);                                                \
        send_away(o, OF_##REPLY);                                             \
    } while (0)

START_TEST(test_bindings_api_multipart_replies_are_built)
{
    of_desc_stats_reply_t *desc = of_desc_stats_reply_new(V);
    of_desc_str_t text = "Weft";

    of_desc_stats_reply_mfr_desc_set(desc, text);
    send_away(desc, OF_DESC_STATS_REPLY);
    send_away(of_aggregate_stats_reply_new(V), OF_AGGREGATE_STATS_REPLY);
    send_away(of_group_features_stats_reply_new(V),
              OF_GROUP_FEATURES_STATS_REPLY);
    send_away(of_meter_features_stats_reply_new(V),
              OF_METER_FEATURES_STATS_REPLY);
    STATS_CALLS(flow_stats_reply, FLOW_STATS_REPLY, flow_stats_entry,
                flow_stats_entry);
    STATS_CALLS(table_stats_reply, TABLE_STATS_REPLY, table_stats_entry,
                table_stats_entry);
    STATS_CALLS(port_stats_reply, PORT_STATS_REPLY, port_stats_entry,
                port_stats_entry);
    STATS_CALLS(queue_stats_reply, QUEUE_STATS_REPLY, queue_stats_entry,
                queue_stats_entry);
    STATS_CALLS(group_stats_reply, GROUP_STATS_REPLY, group_stats_entry,
                group_stats_entry);
    STATS_CALLS(group_desc_stats_reply, GROUP_DESC_STATS_REPLY,
                group_desc_stats_entry, group_desc_stats_entry);
    STATS_CALLS(table_features_stats_reply, TABLE_FEATURES_STATS_REPLY,
                table_features, table_features);
}
END_TEST

START_TEST(test_bindings_api_match_calls_work)
{
    of_match_t all = {.version = V}, one = all, again;
    of_octets_t wire;

    one.fields.eth_type = 0x0800;
    OF_MATCH_MASK_ETH_TYPE_EXACT_SET(&one);
    ck_assert(OF_MATCH_MASK_ETH_TYPE_EXACT_TEST(&one));
    ck_assert(!OF_MATCH_MASK_ETH_TYPE_ACTIVE_TEST(&all));
    ck_assert(of_match_more_specific(&one, &all));
    ck_assert(!of_match_more_specific(&all, &one));
    ck_assert(of_match_overlap(&one, &all));
    ck_assert(!of_match_eq(&one, &all));
    ck_assert_int_eq(of_match_serialize(V, &one, &wire), 0);
    ck_assert_int_eq(wire.bytes, 16);
    ck_assert_int_eq(of_match_deserialize(V, &again, &wire), 0);
    ck_assert(of_match_eq(&one, &again));
    free(wire.data);
    ck_assert_int_eq(of_match_serialize(OF_VERSION_1_0, &one, &wire), 0);
    ck_assert_int_eq(of_match_deserialize(OF_VERSION_1_0, &again, &wire), 0);
    ck_assert(of_match_eq(&one, &again));
    free(wire.data);
    one.fields.metadata = 1;
    OF_MATCH_MASK_METADATA_EXACT_SET(&one);
    ck_assert_int_eq(of_match_serialize(OF_VERSION_1_0, &one, &wire),
                     OF_ERROR_COMPAT);
    OF_MATCH_MASK_METADATA_CLEAR(&one);
    ck_assert_int_eq(OF_MATCH_UNTAGGED_VLAN_ID(V), 0);
}
END_TEST

START_TEST(test_bindings_api_raw_header_and_objects_work)
{
    of_flow_stats_reply_t *o = of_flow_stats_reply_new(V);
    of_list_flow_stats_entry_t list;
    of_flow_stats_entry_t entry;
    of_message_t msg = OF_BUFFER_TO_MESSAGE(OF_OBJECT_BUFFER_INDEX(o, 0));
    of_object_t *copy;

    ck_assert_ptr_eq(OF_OBJECT_TO_WBUF(o), o->wbuf);
    ck_assert_int_eq(of_message_version_get(msg), V);
    ck_assert_int_eq(of_message_type_get(msg), 19);
    ck_assert_int_eq(of_message_length_get(msg), 16);
    ck_assert_int_eq(of_message_stats_type_get(msg), 1);
    of_message_xid_set(msg, 5);
    ck_assert_uint_eq(of_message_xid_get(msg), 5);
    ck_assert(OF_VERSION_OKAY(V) && !OF_VERSION_OKAY(OF_VERSION_1_1));
    of_flow_stats_reply_entries_bind(o, &list);
    for (int i = 0; i < 100; i++) {
        of_flow_stats_entry_init(&entry, V, -1, 1);
        ck_assert_int_eq(of_list_append_bind(&list, &entry), 0);
    }
    copy = of_object_dup(o);
    ck_assert_int_eq(copy->length, 16 + 100 * 56);
    of_object_truncate(o);
    ck_assert_int_eq(o->length, 16);
    ck_assert_uint_eq(of_message_xid_get(o->wbuf->buf), 5);
    of_object_delete(copy);
    send_away(o, OF_FLOW_STATS_REPLY);
}
END_TEST

/* 65535 bytes is what a length field can say; more is an error, not an
 * abort, and leaves the message as it was. */
START_TEST(test_bindings_api_full_message_refuses_more)
{
    of_flow_stats_reply_t *o = of_flow_stats_reply_new(V);
    of_list_flow_stats_entry_t list;
    of_flow_stats_entry_t entry;
    int rv, n = 0;

    of_flow_stats_reply_entries_bind(o, &list);
    do {
        of_flow_stats_entry_init(&entry, V, -1, 1);
        rv = of_list_append_bind(&list, &entry);
    } while (!rv && ++n < 2000);
    ck_assert_int_eq(rv, OF_ERROR_RESOURCE);
    ck_assert_int_eq(n, (65535 - 16) / 56);
    ck_assert_int_eq(o->length, 16 + n * 56);
    send_away(o, OF_FLOW_STATS_REPLY);
}
END_TEST

static unsigned n_absent;

static void
count_absent(const char *text)
{
    ck_assert_ptr_nonnull(strstr(text, "of_flow_add"));
    n_absent++;
}

START_TEST(test_bindings_api_absent_member_reads_zero_and_is_told)
{
    of_flow_add_t *o = of_flow_add_new(OF_VERSION_1_0);
    of_list_instruction_t list;
    of_instruction_t inst;
    uint8_t table = 1;

    loci_logger = count_absent;
    of_flow_add_table_id_get(o, &table);
    of_flow_add_table_id_set(o, 5);
    ck_assert_uint_eq(table, 0);
    of_flow_add_instructions_bind(o, &list);
    ck_assert_int_eq(of_list_instruction_first(&list, &inst), OF_ERROR_RANGE);
    of_instruction_goto_table_init(&inst, OF_VERSION_1_0, -1, 1);
    ck_assert_int_ne(of_list_instruction_append_bind(&list, &inst), 0);
    ck_assert_uint_eq(n_absent, 3);
    ck_assert_ptr_null(of_group_add_new(OF_VERSION_1_0));
    send_away(o, OF_FLOW_ADD);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("ofproto");
    TCase *t = tcase_create("bindings_api");

    tcase_add_test(t, test_bindings_api_session_calls_work);
    tcase_add_test(t, test_bindings_api_role_and_async_calls_work);
    tcase_add_test(t, test_bindings_api_error_messages_are_built);
    tcase_add_test(t, test_bindings_api_flow_mods_are_read);
    tcase_add_test(t, test_bindings_api_flow_add_of_1_0_has_actions);
    tcase_add_test(t, test_bindings_api_flow_removed_is_built);
    tcase_add_test(t, test_bindings_api_packet_in_takes_data_before_match);
    tcase_add_test(t, test_bindings_api_packet_out_takes_actions_after_data);
    tcase_add_test(t, test_bindings_api_port_messages_work);
    tcase_add_test(t, test_bindings_api_groups_and_meters_are_read);
    tcase_add_test(t, test_bindings_api_multipart_replies_are_built);
    tcase_add_test(t, test_bindings_api_match_calls_work);
    tcase_add_test(t, test_bindings_api_raw_header_and_objects_work);
    tcase_add_test(t, test_bindings_api_full_message_refuses_more);
    tcase_add_test(t, test_bindings_api_absent_member_reads_zero_and_is_told);
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
