/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/instr.h"

#include "ofproto/meter_spec.h"
#include "ofproto/ports.h"
#include "utils/base/mem.h"

static void
ops_copy(struct dp_op_list *l)
{
    l->ops = l->n_words ? base_xmemdup(l->ops, 8u * l->n_words) : NULL;
}

void
ofp_instr_copy(struct dp_instr *to, const struct dp_instr *in)
{
    *to = *in;
    ops_copy(&to->apply);
    ops_copy(&to->write);
}

void
ofp_instr_fini(struct dp_instr *in)
{
    free((void *) (uintptr_t) in->apply.ops);
    free((void *) (uintptr_t) in->write.ops);
    in->apply = in->write = (struct dp_op_list) { NULL, 0 };
}

/* The op that stands for an output to 'port'. */
static bool
op_outputs(const struct dp_op *op, uint32_t port)
{
    switch (op->code) {
    case DP_OP_OUTPUT:
        return op->arg == port;
    case DP_OP_CONTROLLER:
        return port == 0xfffffffdu;
    case DP_OP_ALL:
        return port == 0xfffffffcu;
    case DP_OP_FLOOD:
        return port == 0xfffffffbu;
    case DP_OP_NORMAL:
        return port == 0xfffffffau;
    case DP_OP_TABLE:
        return port == 0xfffffff9u;
    case DP_OP_IN_PORT:
        return port == 0xfffffff8u;
    default:
        return false;
    }
}

static bool
list_outputs(const struct dp_op_list *l, uint32_t port)
{
    const struct dp_op *op;

    OFP_OP_FOR(op, l)
        if (op_outputs(op, port))
            return true;
    return false;
}

bool
ofp_instr_outputs(const struct dp_instr *in, uint32_t port)
{
    return list_outputs(&in->apply, port) || list_outputs(&in->write, port);
}

static bool
list_has_group(const struct dp_op_list *l, uint32_t group)
{
    const struct dp_op *op;

    OFP_OP_FOR(op, l)
        if (op->code == DP_OP_GROUP
            && (op->arg == group || group == OFP_GROUP_ALL))
            return true;
    return false;
}

bool
ofp_instr_has_group(const struct dp_instr *in, uint32_t group)
{
    return list_has_group(&in->apply, group)
           || list_has_group(&in->write, group);
}

static bool
list_has_meter(const struct dp_op_list *l, uint32_t meter)
{
    const struct dp_op *op;

    OFP_OP_FOR(op, l)
        if (op->code == DP_OP_METER
            && (op->arg == meter || meter == OFP_METER_ALL))
            return true;
    return false;
}

bool
ofp_instr_has_meter(const struct dp_instr *in, uint32_t meter)
{
    return (in->meter && (in->meter == meter || meter == OFP_METER_ALL))
           || list_has_meter(&in->apply, meter)
           || list_has_meter(&in->write, meter);
}
