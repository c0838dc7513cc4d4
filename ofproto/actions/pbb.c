/* SPDX-License-Identifier: Apache-2.0 */
/* Provider backbone bridging (802.1ah).  Source: OpenFlow 1.3.5 §7.2.5. */
#include "ofproto/compile.h"

#define ETH_PBB 0x88e7

static enum ofp_err
push_compile(struct ofp_compile *c, of_object_t *act)
{
    uint16_t type;

    of_action_push_pbb_ethertype_get(act, &type);
    if (type != ETH_PBB)
        return OFP_ERR_ACT_BAD_ARGUMENT;
    ofp_op_add(c, DP_OP_PUSH_PBB, type, 0, 0);
    ofp_state_eth_type(c, type);
    return OFP_OK;
}

static int
push_encode(struct ofp_encode *e, const struct dp_op *op)
{
    of_action_push_pbb_t act;

    if (e->version == OF_VERSION_1_0)
        return 0;
    of_action_push_pbb_init(&act, (of_version_t) e->version, -1, 1);

    int err = of_list_action_append_bind(e->list, &act);

    if (!err)
        of_action_push_pbb_ethertype_set(&act, (uint16_t) op->arg);
    return err;
}

const struct ofp_action ofp_action_push_pbb = {
    .name = "push_pbb",
    .id = OF_ACTION_PUSH_PBB,
    .type10 = -1,
    .type13 = 26,
    .compile = push_compile,
    .op = DP_OP_PUSH_PBB,
    .encode = push_encode,
};

static enum ofp_err
pop_compile(struct ofp_compile *c, of_object_t *act)
{
    (void) act;
    if (!ofp_compile_requires(c, FLOW_PRE_PBB))
        return OFP_ERR_ACT_MATCH_INCONSISTENT;
    ofp_op_add(c, DP_OP_POP_PBB, 0, 0, 0);
    ofp_state_eth_type(c, 0);
    return OFP_OK;
}

static int
pop_encode(struct ofp_encode *e, const struct dp_op *op)
{
    of_action_pop_pbb_t act;

    (void) op;
    if (e->version == OF_VERSION_1_0)
        return 0;
    of_action_pop_pbb_init(&act, (of_version_t) e->version, -1, 1);
    return of_list_action_append_bind(e->list, &act);
}

const struct ofp_action ofp_action_pop_pbb = {
    .name = "pop_pbb",
    .id = OF_ACTION_POP_PBB,
    .type10 = -1,
    .type13 = 27,
    .compile = pop_compile,
    .op = DP_OP_POP_PBB,
    .encode = pop_encode,
};
