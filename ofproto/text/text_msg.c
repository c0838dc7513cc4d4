/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/text/text_msg.h"

#include <errno.h>
#include <stdlib.h>

#include "flow_text_priv.h"
#include "ofproto/agent_priv.h"
#include "utils/base/mem.h"

#define NO_BUFFER 0xffffffffu
#define IMPORTANCE_AT 46 /* Of a flow-mod, OpenFlow 1.4.1 §7.3.4.1. */

/* --------------------------------------------------------------- old actions */

/* Says 1.0's conditional ops in newer words, in place.  Returns the units
 * left. */
static uint32_t
modernize(bool tagged, uint64_t *ops, uint32_t n_words)
{
    uint32_t n = 0;

    for (uint32_t at = 0; at < n_words;) {
        struct dp_op *op = (struct dp_op *) (void *) (ops + at);
        uint32_t words = op->words;
        bool push = op->code == DP_OP_PUSH_VLAN && op->aux & 1;

        if (op->code == DP_OP_PUSH_VLAN || op->code == DP_OP_POP_VLAN
            || op->code == DP_OP_SET_QUEUE)
            op->aux &= 0xfffe;
        if (!push || !tagged) {
            memmove(ops + n, op, 8u * (size_t) words);
            n += words;
        }
        tagged |= push;
        at += words;
    }
    return n;
}

static void
modernize_list(bool tagged, struct dp_op_list *list)
{
    /* The lists point into the text's own memory. */
    uint64_t *ops = (uint64_t *) (uintptr_t) list->ops;

    list->n_words = modernize(tagged, ops, list->n_words);
    if (!list->n_words)
        list->ops = NULL;
}

void
ofp_text_modernize(struct ofp_flow_text *f)
{
    const struct flow_match *m = &f->match;
    bool tagged = be16_to(m->mask.vlan_tci) & be16_to(m->key.vlan_tci)
                  & FLOW_VLAN_PRESENT;

    modernize_list(tagged, &f->instr.apply);
    modernize_list(tagged, &f->instr.write);
}

static bool
set_field_whole(const struct dp_op *op)
{
    const struct flow_field *f = &flow_fields[op->aux];
    uint8_t full[16], member[16] = { 0 };

    memset(full, 0, 16);
    for (unsigned i = 0; i < f->bits; i++)
        full[15 - i / 8] |= (uint8_t) (1u << i % 8);
    flow_field_to_member(f, full, member);
    return !memcmp(member, op->data + f->width, f->width);
}

/* Is there a wire action for each op?  Names what 'version' cannot say. */
static int
ops_check(const struct dp_op_list *list, uint8_t version, struct weft_err *e)
{
    const struct dp_op *op;

    OFP_OP_FOR(op, list) {
        struct dp_op_list one = { op, op->words };
        bool reserved = op->code >= DP_OP_CONTROLLER
                        && op->code <= DP_OP_TABLE;
        bool known = reserved;

        if (op->code == DP_OP_SET_FIELD && version < OF_VERSION_1_5
            && !set_field_whole(op))
            return weft_err_set(e, -EINVAL, "set_field: a mask, or bits of a "
                                "field: needs OpenFlow 1.5");

        for (unsigned i = 0; i < ofp_n_actions && !known; i++)
            known = ofp_actions[i]->op == op->code;
        if (!known) {
            char *text = ofp_format_ops(&one);

            weft_err_set(e, -EINVAL, "%.40s: not in OpenFlow 1.%u", text,
                         version - 1u);
            free(text);
            return -EINVAL;
        }
    }
    return 0;
}

/* ------------------------------------------------------------------ flow-mod */

static of_object_t *
flow_mod_new(enum ofp_text_command command, of_version_t v)
{
    switch (command) {
    case OFP_TEXT_ADD:
        return of_flow_add_new(v);
    case OFP_TEXT_MODIFY:
        return of_flow_modify_new(v);
    case OFP_TEXT_MODIFY_STRICT:
        return of_flow_modify_strict_new(v);
    case OFP_TEXT_DELETE:
        return of_flow_delete_new(v);
    default:
        return of_flow_delete_strict_new(v);
    }
}

static bool
is_delete(enum ofp_text_command c)
{
    return c == OFP_TEXT_DELETE || c == OFP_TEXT_DELETE_STRICT;
}

/* What of_flow_mod's fixed part holds. */
static void
put_fixed(of_object_t *m, const struct ofp_flow_text *f,
          enum ofp_text_command command)
{
    bool add = command == OFP_TEXT_ADD;
    bool masked = !add && f->cookie_mask;
    uint8_t table = f->table;

    if (table == DP_NO_TABLE && !is_delete(command))
        table = 0;
    of_flow_mod_cookie_set(m, f->cookie);
    of_flow_mod_cookie_mask_set(m, masked ? f->cookie_mask : 0);
    of_flow_mod_table_id_set(m, table);
    of_flow_mod_idle_timeout_set(m, f->idle_timeout);
    of_flow_mod_hard_timeout_set(m, f->hard_timeout);
    of_flow_mod_priority_set(m, f->priority);
    of_flow_mod_buffer_id_set(m, NO_BUFFER);
    of_flow_mod_out_port_set(m, f->out_port);
    of_flow_mod_out_group_set(m, f->out_group);
    of_flow_mod_flags_set(m, f->flags);
    if (m->version >= OF_VERSION_1_4)
        put_be16(OF_OBJECT_BUFFER_INDEX(m, IMPORTANCE_AT), f->importance);
}

static int
put_instructions(of_object_t *m, const struct ofp_flow_text *f)
{
    of_object_t list;

    of_flow_mod_instructions_bind(m, &list);
    return ofp_encode_instructions(&f->instr, NULL, &list);
}

/* What the words mean depends on the command. */
static int
check_words(const struct ofp_flow_text *f, enum ofp_text_command command,
            uint8_t version, struct weft_err *e)
{
    if (f->importance && version < OF_VERSION_1_4)
        return weft_err_set(e, -EINVAL, "importance: needs OpenFlow 1.4");
    if (command == OFP_TEXT_ADD && f->cookie_mask
        && f->cookie_mask != UINT64_MAX)
        return weft_err_set(e, -EINVAL, "cookie: a new flow's takes no mask");
    if (f->table == DP_NO_TABLE - 1)
        return weft_err_set(e, -EINVAL, "table: 254 exceeds %u",
                            DP_N_TABLES - 1);
    return ops_check(&f->instr.apply, version, e)
                   || ops_check(&f->instr.write, version, e)
               ? -EINVAL
               : 0;
}

of_object_t *
ofp_text_flow_mod(const char *line, enum ofp_text_command command,
                  uint8_t version, const struct ofp_text_ports *ports,
                  struct weft_err *e)
{
    struct ofp_flow_text f;
    of_object_t *m = NULL, view;
    int err = ofp_text_parse_flow_on(ports, line,
                                     is_delete(command) ? OFP_TEXT_FILTER
                                                        : OFP_TEXT_FLOW,
                                     &f, e);

    if (err)
        return NULL;
    ofp_text_modernize(&f);
    if (!check_words(&f, command, version, e)) {
        m = flow_mod_new(command, (of_version_t) version);
        put_fixed(m, &f, command);
        of_flow_mod_match_bind(m, &view);
        err = ofp_match_put(&view, &f.match);
        if (!err && !is_delete(command))
            err = put_instructions(m, &f);
        if (err) {
            weft_err_set(e, -EINVAL, "actions exceed a message of %u bytes",
                         OFP_MAX_MESSAGE);
            of_object_delete(m);
            m = NULL;
        }
    }
    ofp_flow_text_fini(&f);
    return m;
}

/* ---------------------------------------------------------------- packet-out */

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Digits to bytes in place; their number or -EINVAL. */
static int
unhex(char *s, struct weft_err *e)
{
    uint8_t *out = (uint8_t *) s;
    size_t n = 0;
    int high = -1;

    for (const char *p = s; *p; p++) {
        int d = hex_digit(*p);

        if (d < 0 && (*p == ':' || *p == ' '))
            continue;
        if (d < 0)
            return weft_err_set(e, -EINVAL,
                                "packet: \"%c\" is no hexadecimal digit", *p);
        if (high < 0) {
            high = d;
        } else {
            out[n++] = (uint8_t) (high << 4 | d);
            high = -1;
        }
    }
    if (high >= 0)
        return weft_err_set(e, -EINVAL, "packet: a digit is missing");
    if (n < 14 || n > OFP_MAX_MESSAGE / 2)
        return weft_err_set(e, -EINVAL,
                            "packet: %zu bytes are not 14 to %u", n,
                            OFP_MAX_MESSAGE / 2);
    return (int) n;
}

struct packet_out {
    const struct ofp_text_ports *ports;
    uint32_t in_port;
    uint8_t *data;
    int len;
    struct dp_op_list ops;
    uint64_t *mem;
};

static int
read_packet_words(char *words, struct packet_out *p, struct weft_err *e)
{
    char *key, *value;
    int got;

    while ((got = text_next(&words, &key, &value, e)) > 0) {
        int err = 0;

        if (!strcmp(key, "in_port")) {
            err = text_port_on(p->ports, key, value, &p->in_port, e);
        } else if (!strcmp(key, "packet") && value) {
            p->len = unhex(value, e);
            p->data = (uint8_t *) value;
            err = p->len < 0 ? p->len : 0;
        } else {
            err = weft_err_set(e, -EINVAL, "%.40s: unknown word; write "
                               "in_port=PORT,packet=HEX,actions=...", key);
        }
        if (err)
            return err;
    }
    if (!got && !p->data)
        return weft_err_set(e, -EINVAL, "packet= missing");
    return got;
}

/* OpenFlow 1.5 has a match instead of the port (1.5.1 §7.3.6). */
static int
packet_out_put_port(of_object_t *m, uint32_t in_port)
{
    struct flow_match match;
    of_object_t view;

    if (m->version < OF_VERSION_1_5) {
        of_packet_out_in_port_set(m, in_port);
        return 0;
    }
    memset(&match, 0, sizeof match);
    match.key.in_port = be32_from(in_port);
    match.mask.in_port = ~0u;
    of_packet_out_match_bind(m, &view);
    return ofp_match_put(&view, &match);
}

static int
packet_out_fill(of_object_t *m, struct packet_out *p)
{
    of_octets_t data = { .data = p->data, .bytes = p->len };
    of_object_t list;
    int err;

    modernize_list(false, &p->ops);
    of_packet_out_buffer_id_set(m, NO_BUFFER);
    err = packet_out_put_port(m, p->in_port);
    of_packet_out_actions_bind(m, &list);
    if (!err)
        err = ofp_encode_actions(&p->ops, &list);
    return err ? err : of_packet_out_data_set(m, &data);
}

of_object_t *
ofp_text_packet_out(const char *line, uint8_t version,
                    const struct ofp_text_ports *ports, struct weft_err *e)
{
    struct packet_out p = { .ports = ports, .in_port = DP_PORT_CONTROLLER };
    char *copy = base_xstrdup(line), *actions = text_cut_actions(copy);
    of_object_t *m = NULL;
    int err;

    if (!actions)
        err = weft_err_set(e, -EINVAL, "actions= missing");
    else
        err = read_packet_words(copy, &p, e);
    if (!err)
        err = ofp_text_parse_ops_on(ports, actions, &p.ops, &p.mem, e);
    if (!err)
        err = ops_check(&p.ops, version, e);
    if (!err) {
        m = of_packet_out_new((of_version_t) version);
        if (packet_out_fill(m, &p)) {
            weft_err_set(e, -EINVAL, "packet and actions exceed a message of"
                         " %u bytes", OFP_MAX_MESSAGE);
            of_object_delete(m);
            m = NULL;
        }
    }
    free(p.mem);
    free(copy);
    return m;
}
