/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/compile.h"

#include <stdlib.h>

#include "ofproto/actions/actions_priv.h"
#include "ofproto/instr.h"
#include "ofproto/oxm.h"
#include "utils/base/mem.h"

#define OFP_ACTION(file, name) extern const struct ofp_action ofp_action_##name;
#include "ofproto/actions/of_actions.def"
#undef OFP_ACTION

const struct ofp_action *const ofp_actions[] = {
#define OFP_ACTION(file, name) &ofp_action_##name,
#include "ofproto/actions/of_actions.def"
#undef OFP_ACTION
};
const unsigned ofp_n_actions = WEFT_ARRAY_LEN(ofp_actions);

/* --------------------------------------------------------------- scratch */

void
ofp_compile_fini(struct ofp_compile *c)
{
    free(c->ops);
    c->ops = NULL;
    c->n_ops = c->cap_ops = 0;
}

void
ofp_compile_begin(struct ofp_compile *c, uint8_t version, uint8_t table,
                  const struct flow_match *match)
{
    c->version = version;
    c->packet_out = !match;
    c->reason = match ? DP_PUNT_ACTION : DP_PUNT_PACKET_OUT;
    c->write = false;
    c->trigger.on = false;
    c->bucket = false;
    c->table = table;
    c->n_ops = 0;
    if (match)
        c->state = *match;
}

struct dp_op *
ofp_op_add(struct ofp_compile *c, enum dp_op_code code, uint32_t arg,
           uint16_t aux, size_t n_data)
{
    uint32_t words = 1 + (uint32_t) (n_data + 7) / 8;

    if (c->n_ops + words > c->cap_ops) {
        c->cap_ops = WEFT_MAX(2 * c->cap_ops, 64u);
        c->ops = base_xrealloc(c->ops, 8u * c->cap_ops);
    }

    struct dp_op *op = (void *) (c->ops + c->n_ops);

    memset(op, 0, 8u * words);
    op->code = (uint8_t) code;
    op->words = (uint8_t) words;
    op->aux = aux;
    op->arg = arg;
    c->n_ops += words;
    return op;
}

void
ofp_op_set_field(struct ofp_compile *c, enum flow_field_id id,
                 const uint8_t v[16])
{
    uint8_t ones[16];

    memset(ones, 0xff, sizeof ones);
    ofp_op_set_field_masked(c, id, v, ones);
}

void
ofp_op_set_field_masked(struct ofp_compile *c, enum flow_field_id id,
                        const uint8_t v[16], const uint8_t mask[16])
{
    const struct flow_field *f = &flow_fields[id];
    struct dp_op *op = ofp_op_add(c, DP_OP_SET_FIELD, 0, (uint16_t) id,
                                  2u * f->width);
    struct flow_key k, m;

    memset(&k, 0, sizeof k);
    memset(&m, 0, sizeof m);
    flow_field_set_masked(&k, f, v, mask);
    flow_field_set_masked(&m, f, mask, mask);
    memcpy(op->data, (uint8_t *) &k + f->offset, f->width);
    memcpy(op->data + f->width, (uint8_t *) &m + f->offset, f->width);
    if (!c->packet_out) {
        flow_field_set_masked(&c->state.key, f, v, mask);
        flow_field_set_masked(&c->state.mask, f, mask, mask);
    }
}

bool
ofp_compile_requires(const struct ofp_compile *c, enum flow_prereq prereq)
{
    return c->packet_out || ofp_prereq_met(&c->state, prereq)
           || (c->write && ofp_prereq_met(&c->match, prereq));
}

void
ofp_state_eth_type(struct ofp_compile *c, uint16_t eth_type)
{
    c->state.key.eth_type = be16_from(eth_type);
    c->state.mask.eth_type = eth_type ? 0xffff : 0;
}

/* --------------------------------------------------------------- compile */

/* By object id; the generated ids are small numbers. */
static const struct ofp_action *
action_find(of_object_id_t id)
{
    static const struct ofp_action *by_id[OF_OBJECT_COUNT];

    if (!by_id[OF_ACTION_OUTPUT])
        for (unsigned i = 0; i < ofp_n_actions; i++)
            by_id[ofp_actions[i]->id] = ofp_actions[i];
    return id >= 0 && id < OF_OBJECT_COUNT ? by_id[id] : NULL;
}

enum ofp_err
ofp_compile_actions(struct ofp_compile *c, of_list_action_t *list,
                    struct dp_op_list *out)
{
    uint32_t start = c->n_ops;
    of_action_t act;
    int rv;

    OF_LIST_ACTION_ITER(list, &act, rv) {
        const struct ofp_action *a = action_find(act.object_id);
        enum ofp_err err;

        if (!a)
            return act.object_id == OF_ACTION_EXPERIMENTER
                       ? OFP_ERR_ACT_BAD_EXPERIMENTER
                       : OFP_ERR_ACT_BAD_TYPE;
        err = a->compile(c, &act);
        if (err)
            return err;
        if (c->n_ops > UINT16_MAX)
            return OFP_ERR_ACT_TOO_MANY;
    }
    out->ops = NULL; /* Placed by ofp_compile_place: the buffer may move. */
    out->n_words = c->n_ops - start;
    return OFP_OK;
}

void
ofp_compile_place(const struct ofp_compile *c, uint32_t start,
                  struct dp_op_list *l)
{
    l->ops = l->n_words ? (const void *) (c->ops + start) : NULL;
}

static enum ofp_err
compile_write(struct ofp_compile *c, of_list_action_t *list,
              struct dp_op_list *out)
{
    c->write = true;
    c->match = c->state; /* As it stands after apply-actions. */
    c->reason = DP_PUNT_ACTION_SET;

    enum ofp_err err = ofp_compile_actions(c, list, out);

    c->write = false;
    c->reason = DP_PUNT_ACTION;
    return err;
}

/* One instruction of the wire, apply-actions and write-actions aside. */
static enum ofp_err
compile_other(struct ofp_compile *c, of_instruction_t *i,
              struct dp_instr *out)
{
    switch ((int) i->object_id) {
    case OF_INSTRUCTION_GOTO_TABLE:
        of_instruction_goto_table_table_id_get(i, &out->goto_table);
        /* §5.9: forwards only; 1.5.1 §5.1.2: not into the egress tables. */
        return out->goto_table <= c->table || out->goto_table >= DP_N_TABLES
                       || (c->table < c->egress
                           && out->goto_table >= c->egress)
                   ? OFP_ERR_INS_BAD_TABLE_ID
                   : OFP_OK;
    case OF_INSTRUCTION_WRITE_METADATA:
        of_instruction_write_metadata_metadata_get(i, &out->metadata);
        of_instruction_write_metadata_metadata_mask_get(i,
                                                        &out->metadata_mask);
        return OFP_OK;
    case OF_INSTRUCTION_CLEAR_ACTIONS:
        out->clear = true;
        return OFP_OK;
    case OF_INSTRUCTION_METER: /* Who applies it looks for the meter. */
        of_instruction_meter_meter_id_get(i, &out->meter);
        return out->meter ? OFP_OK : OFP_ERR_METER_INVALID_METER;
    case OF_INSTRUCTION_STAT_TRIGGER:
        return ofp_trigger_take(i, &c->trigger);
    case OF_INSTRUCTION_EXPERIMENTER:
        return OFP_ERR_INS_BAD_EXPERIMENTER;
    default:
        return OFP_ERR_INS_UNKNOWN;
    }
}

/* The list with its apply and write parts found, each kind at most once
 * (§5.9: "a maximum of one instruction of each type"). */
static enum ofp_err
compile_scan(struct ofp_compile *c, of_list_instruction_t *list,
             struct dp_instr *out, of_list_action_t *apply,
             of_list_action_t *write)
{
    of_instruction_t i;
    uint32_t seen = 0;
    int rv;

    OF_LIST_INSTRUCTION_ITER(list, &i, rv) {
        uint16_t type = get_be16(OF_OBJECT_BUFFER_INDEX(&i, 0));
        enum ofp_err err = OFP_OK;

        if (type < 32 && seen >> type & 1) /* 1.4.1 §7.5.4.4 names it. */
            return c->version < OF_VERSION_1_4 ? OFP_ERR_INS_UNSUPPORTED
                                               : OFP_ERR_INS_DUP_INST;
        if (type < 32)
            seen |= 1u << type;
        if (i.object_id == OF_INSTRUCTION_APPLY_ACTIONS)
            of_instruction_apply_actions_actions_bind(&i, apply);
        else if (i.object_id == OF_INSTRUCTION_WRITE_ACTIONS)
            of_instruction_write_actions_actions_bind(&i, write);
        else
            err = compile_other(c, &i, out);
        if (err)
            return err;
    }
    return OFP_OK;
}

enum ofp_err
ofp_compile_instructions(struct ofp_compile *c, of_list_instruction_t *list,
                         struct dp_instr *out)
{
    of_list_action_t apply = { 0 }, write = { 0 };
    enum ofp_err err;

    *out = (struct dp_instr) { .goto_table = DP_NO_TABLE };
    err = compile_scan(c, list, out, &apply, &write);
    /* In the order of execution, whatever the order on the wire. */
    if (!err && apply.wbuf)
        err = ofp_compile_actions(c, &apply, &out->apply);
    if (!err && write.wbuf)
        err = compile_write(c, &write, &out->write);
    if (err)
        return err;
    ofp_compile_place(c, 0, &out->apply);
    ofp_compile_place(c, out->apply.n_words, &out->write);
    return OFP_OK;
}

/* ---------------------------------------------------------------- encode */

static const struct ofp_action *
action_of_op(uint8_t op)
{
    static const struct ofp_action *by_op[N_DP_OPS];

    if (!by_op[DP_OP_OUTPUT])
        for (unsigned i = 0; i < ofp_n_actions; i++)
            if (ofp_actions[i]->op < N_DP_OPS)
                by_op[ofp_actions[i]->op] = ofp_actions[i];
    return op < N_DP_OPS ? by_op[op] : NULL;
}

/* The reserved ports have ops of their own. */
unsigned
ofp_action_type(const struct dp_op *op)
{
    const struct ofp_action *a = action_of_op(op->code);

    return a ? (unsigned) a->type13 : 0;
}

int
ofp_encode_actions(const struct dp_op_list *ops, of_list_action_t *list)
{
    struct ofp_encode e = { .list = list, .version = (uint8_t) list->version };
    const uint64_t *at = (const void *) ops->ops;
    const uint64_t *end = ops->n_words ? at + ops->n_words : at; /* NULL. */

    while (at < end) {
        const struct dp_op *op = (const void *) at;
        const struct ofp_action *a = action_of_op(op->code);
        int err;

        at += op->words;
        e.next = at < end ? (const void *) at : NULL;
        e.skip_next = false;
        err = a ? a->encode(&e, op) : ofp_encode_reserved(&e, op);
        if (err)
            return err;
        if (e.skip_next)
            at += e.next->words;
    }
    return 0;
}

/* 1.5's meter is an action (1.5.1 §7.2.6.9). */
static int
encode_meter_action(of_list_action_t *list, uint32_t meter)
{
    of_action_meter_t act;
    int err;

    of_action_meter_init(&act, list->version, -1, 1);
    err = of_list_action_append_bind(list, &act);
    if (!err)
        of_action_meter_meter_id_set(&act, meter);
    return err;
}

/* 'meter': an action in front of the others; 0: none. */
static int
encode_list(of_list_instruction_t *list, const struct dp_op_list *ops,
            bool write, uint32_t meter)
{
    of_object_t i;
    of_list_action_t actions;
    int err;

    if (write)
        of_instruction_write_actions_init(&i, list->version, -1, 1);
    else
        of_instruction_apply_actions_init(&i, list->version, -1, 1);
    err = of_list_instruction_append_bind(list, &i);
    if (err)
        return err;
    if (write)
        of_instruction_write_actions_actions_bind(&i, &actions);
    else
        of_instruction_apply_actions_actions_bind(&i, &actions);
    if (meter)
        err = encode_meter_action(&actions, meter);
    return err ? err : ofp_encode_actions(ops, &actions);
}

static int
encode_metadata(of_list_instruction_t *list, const struct dp_instr *in)
{
    of_instruction_write_metadata_t i;

    of_instruction_write_metadata_init(&i, list->version, -1, 1);

    int err = of_list_instruction_append_bind(list, &i);

    if (err)
        return err;
    of_instruction_write_metadata_metadata_set(&i, in->metadata);
    of_instruction_write_metadata_metadata_mask_set(&i, in->metadata_mask);
    return 0;
}

static int
encode_meter(of_list_instruction_t *list, uint32_t meter)
{
    of_instruction_meter_t i;

    of_instruction_meter_init(&i, list->version, -1, 1);

    int err = of_list_instruction_append_bind(list, &i);

    if (!err)
        of_instruction_meter_meter_id_set(&i, meter);
    return err;
}

/* What a flow's packets are metered by first: 1.3 says it as an instruction,
 * 1.5 as an action.  0: nothing. */
static uint32_t
first_meter(const struct dp_instr *in)
{
    const struct dp_op *first = in->apply.ops;

    if (in->meter || !in->apply.n_words || first->code != DP_OP_METER)
        return in->meter;
    return first->arg;
}

int
ofp_encode_instructions(const struct dp_instr *in,
                        const struct ofp_trigger *trigger,
                        of_list_instruction_t *list)
{
    bool of15 = list->version >= OF_VERSION_1_5;
    uint32_t action = of15 ? in->meter : 0;
    of_object_t i;
    int err = 0;

    if (!of15 && first_meter(in))
        err = encode_meter(list, first_meter(in));
    if (!err && (in->apply.n_words || action))
        err = encode_list(list, &in->apply, false, action);
    if (!err && in->clear) {
        of_instruction_clear_actions_init(&i, list->version, -1, 1);
        err = of_list_instruction_append_bind(list, &i);
    }
    if (!err && in->write.n_words)
        err = encode_list(list, &in->write, true, 0);
    if (!err && in->metadata_mask)
        err = encode_metadata(list, in);
    if (!err && in->goto_table != DP_NO_TABLE) {
        of_instruction_goto_table_init(&i, list->version, -1, 1);
        err = of_list_instruction_append_bind(list, &i);
        if (!err)
            of_instruction_goto_table_table_id_set(&i, in->goto_table);
    }
    if (!err && trigger && of15)
        err = ofp_trigger_put(trigger, list);
    return err;
}
