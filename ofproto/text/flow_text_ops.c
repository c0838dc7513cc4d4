/* SPDX-License-Identifier: Apache-2.0 */
/* Op lists and instructions as text. */
#include "flow_text_priv.h"

#include <inttypes.h>

#include "ofproto/ofproto.h"

/* Is there an op of 'list' behind 'op'?  NULL: none. */
static const struct dp_op *
op_behind(const struct dp_op_list *list, const struct dp_op *op)
{
    const uint64_t *p = (const uint64_t *) (const void *) op + op->words;
    const uint64_t *end = (const uint64_t *) (const void *) list->ops
                          + list->n_words;

    return p < end ? (const struct dp_op *) (const void *) p : NULL;
}

static void
add_controller(struct base_str *s, const struct dp_op *op)
{
    /* Where the action stands says the other reasons. */
    if (op->aux == DP_PUNT_NO_MATCH || op->aux == DP_PUNT_INVALID_TTL)
        base_str_addf(s, "controller(reason=%s,max_len=%" PRIu32 ")",
                      op->aux == DP_PUNT_NO_MATCH ? "no_match" : "invalid_ttl",
                      op->arg);
    else
        base_str_addf(s, "CONTROLLER:%" PRIu32, op->arg);
}

static void
set_field_values(const struct dp_op *op, uint8_t v[16], uint8_t mask[16])
{
    const struct flow_field *f = &flow_fields[op->aux];
    struct flow_key k;

    memset(&k, 0, sizeof k);
    memcpy((uint8_t *) &k + f->offset, op->data, f->width);
    flow_field_get(&k, f, v);
    memcpy((uint8_t *) &k + f->offset, op->data + f->width, f->width);
    flow_field_get(&k, f, mask);
}

static void
add_set_field(struct base_str *s, const struct dp_op *op)
{
    enum flow_field_id id = (enum flow_field_id) op->aux;
    uint8_t v[16], mask[16];

    set_field_values(op, v, mask);
    base_str_add(s, "set_field:");
    if (id == FLOW_F_VLAN_VID && get_be16(mask + 14) == 0x1fff)
        base_str_addf(s, "%u", get_be16(v + 14)); /* With the present bit. */
    else
        text_add_value(s, &flow_fields[id], v, mask);
    base_str_addf(s, "->%s", text_set_name(id));
}

/* 1.0's pair "tag if untagged, set VID or priority" as one word. */
static bool
add_mod_vlan(struct base_str *s, const struct dp_op *push,
             const struct dp_op *set)
{
    uint8_t v[16], mask[16];

    if (!(push->aux & 1) || push->arg != 0x8100 || !set
        || set->code != DP_OP_SET_FIELD)
        return false;
    if (set->aux != FLOW_F_VLAN_VID && set->aux != FLOW_F_VLAN_PCP)
        return false;
    set_field_values(set, v, mask);
    if (set->aux == FLOW_F_VLAN_PCP && mask[15] == 7)
        base_str_addf(s, "mod_vlan_pcp:%u", v[15]);
    else if (get_be16(mask + 14) == 0x1fff
             && get_be16(v + 14) & FLOW_VLAN_PRESENT)
        base_str_addf(s, "mod_vlan_vid:%u", get_be16(v + 14) & 0xfff);
    else
        return false;
    return true;
}

/* 1.0's enqueue: the queue of one output. */
static bool
add_enqueue(struct base_str *s, const struct dp_op *op,
            const struct dp_op *out)
{
    if (!(op->aux & 1) || !out
        || (out->code != DP_OP_OUTPUT && out->code != DP_OP_IN_PORT))
        return false;
    base_str_add(s, "enqueue:");
    ofp_text_add_port(s, out->code == DP_OP_OUTPUT ? out->arg : 0xfffffff8);
    base_str_addf(s, ":%" PRIu32, op->arg);
    return true;
}

static void
add_output(struct base_str *s, uint32_t port)
{
    if (port <= DP_PORT_MAX)
        base_str_add(s, "output:");
    ofp_text_add_port(s, port);
}

/* Ops whose text is a name and perhaps their argument. */
static const struct {
    const char *before, *after;
    bool hex; /* "0x%04x" */
} simple[N_DP_OPS] = {
    [DP_OP_NORMAL] = { "NORMAL", NULL, false },
    [DP_OP_FLOOD] = { "FLOOD", NULL, false },
    [DP_OP_ALL] = { "ALL", NULL, false },
    [DP_OP_IN_PORT] = { "IN_PORT", NULL, false },
    [DP_OP_TABLE] = { "TABLE", NULL, false },
    [DP_OP_PUSH_VLAN] = { "push_vlan:", "", true },
    [DP_OP_POP_VLAN] = { "pop_vlan", NULL, false },
    [DP_OP_PUSH_MPLS] = { "push_mpls:", "", true },
    [DP_OP_POP_MPLS] = { "pop_mpls:", "", true },
    [DP_OP_PUSH_PBB] = { "push_pbb:", "", true },
    [DP_OP_POP_PBB] = { "pop_pbb", NULL, false },
    [DP_OP_SET_NW_TTL] = { "mod_nw_ttl:", "", false },
    [DP_OP_DEC_NW_TTL] = { "dec_ttl", NULL, false },
    [DP_OP_SET_MPLS_TTL] = { "set_mpls_ttl(", ")", false },
    [DP_OP_DEC_MPLS_TTL] = { "dec_mpls_ttl", NULL, false },
    [DP_OP_COPY_TTL_OUT] = { "copy_ttl_out", NULL, false },
    [DP_OP_COPY_TTL_IN] = { "copy_ttl_in", NULL, false },
    [DP_OP_SET_QUEUE] = { "set_queue:", "", false },
    [DP_OP_GROUP] = { "group:", "", false },
    [DP_OP_METER] = { "meter:", "", false },
};

static void
add_simple(struct base_str *s, const struct dp_op *op)
{
    if (op->code >= N_DP_OPS || !simple[op->code].before) {
        base_str_addf(s, "op_%u", op->code);
        return;
    }
    base_str_add(s, simple[op->code].before);
    if (!simple[op->code].after)
        return;
    base_str_addf(s, simple[op->code].hex ? "0x%04" PRIx32 : "%" PRIu32,
                  op->arg);
    base_str_add(s, simple[op->code].after);
}

/* Prints 'op'; true: 'next' is said too. */
static bool
add_op(struct base_str *s, const struct dp_op *op, const struct dp_op *next)
{
    struct dp_copy_field copy;

    switch ((enum dp_op_code) op->code) {
    case DP_OP_OUTPUT:
        add_output(s, op->arg);
        return false;
    case DP_OP_CONTROLLER:
        add_controller(s, op);
        return false;
    case DP_OP_SET_FIELD:
        add_set_field(s, op);
        return false;
    case DP_OP_COPY_FIELD:
        memcpy(&copy, op->data, sizeof copy);
        text_add_move(s, &copy);
        return false;
    case DP_OP_PUSH_VLAN:
        if (add_mod_vlan(s, op, next))
            return true;
        break;
    case DP_OP_SET_QUEUE:
        if (add_enqueue(s, op, next))
            return true;
        break;
    case DP_OP_POP_VLAN:
        if (op->aux & 1) {
            base_str_add(s, "strip_vlan");
            return false;
        }
        break;
    default:
        break;
    }
    add_simple(s, op);
    return false;
}

static void
add_list(struct base_str *s, const struct dp_op_list *list)
{
    const struct dp_op *op = list->n_words ? list->ops : NULL;
    const char *comma = "";

    while (op) {
        const struct dp_op *next = op_behind(list, op);

        base_str_add(s, comma);
        comma = ",";
        if (add_op(s, op, next))
            next = op_behind(list, next);
        op = next;
    }
}

void
ofp_text_add_ops(struct base_str *s, const struct dp_op_list *list)
{
    if (list->n_words)
        add_list(s, list);
    else
        base_str_add(s, "drop");
}

void
ofp_text_add_instr(struct base_str *s, const struct dp_instr *in)
{
    size_t start = s->len;

    if (in->meter)
        base_str_addf(s, "meter:%" PRIu32 ",", in->meter);
    if (in->apply.n_words) {
        add_list(s, &in->apply);
        base_str_add(s, ",");
    }
    if (in->clear)
        base_str_add(s, "clear_actions,");
    if (in->write.n_words) {
        base_str_add(s, "write_actions(");
        add_list(s, &in->write);
        base_str_add(s, "),");
    }
    if (in->metadata_mask) {
        base_str_addf(s, "write_metadata:%#" PRIx64, in->metadata);
        if (in->metadata_mask != UINT64_MAX)
            base_str_addf(s, "/%#" PRIx64, in->metadata_mask);
        base_str_add(s, ",");
    }
    if (in->goto_table != DP_NO_TABLE)
        base_str_addf(s, "goto_table:%u,", in->goto_table);
    if (s->len == start)
        base_str_add(s, "drop");
    else
        base_str_chomp(s, ',');
}

void
ofp_text_add_port(struct base_str *s, uint32_t port_no)
{
    char buf[PORT_NAME_MAX];

    base_str_add(s, text_port_name(port_no, buf));
}

char *
ofp_format_ops(const struct dp_op_list *list)
{
    struct base_str s = BASE_STR_INIT;

    ofp_text_add_ops(&s, list);
    return base_str_steal(&s);
}

char *
ofp_format_instr(const struct dp_instr *in)
{
    struct base_str s = BASE_STR_INIT;

    ofp_text_add_instr(&s, in);
    return base_str_steal(&s);
}
