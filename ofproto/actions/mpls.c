/* SPDX-License-Identifier: Apache-2.0 */
/* MPLS labels.  Source: OpenFlow 1.3.5 §5.12, §7.2.5. */
#include "ofproto/compile.h"

static enum ofp_err
push_compile(struct ofp_compile *c, of_object_t *act)
{
    uint16_t type;

    of_action_push_mpls_ethertype_get(act, &type);
    if (type != 0x8847 && type != 0x8848)
        return OFP_ERR_ACT_BAD_ARGUMENT;
    ofp_op_add(c, DP_OP_PUSH_MPLS, type, 0, 0);
    ofp_state_eth_type(c, type);
    return OFP_OK;
}

static int
push_encode(struct ofp_encode *e, const struct dp_op *op)
{
    of_action_push_mpls_t act;

    if (e->version == OF_VERSION_1_0)
        return 0;
    of_action_push_mpls_init(&act, (of_version_t) e->version, -1, 1);

    int err = of_list_action_append_bind(e->list, &act);

    if (!err)
        of_action_push_mpls_ethertype_set(&act, (uint16_t) op->arg);
    return err;
}

const struct ofp_action ofp_action_push_mpls = {
    .name = "push_mpls",
    .id = OF_ACTION_PUSH_MPLS,
    .type10 = -1,
    .type13 = 19,
    .compile = push_compile,
    .op = DP_OP_PUSH_MPLS,
    .encode = push_encode,
};

static enum ofp_err
pop_compile(struct ofp_compile *c, of_object_t *act)
{
    uint16_t type;

    of_action_pop_mpls_ethertype_get(act, &type);
    if (!ofp_compile_requires(c, FLOW_PRE_MPLS))
        return OFP_ERR_ACT_MATCH_INCONSISTENT;
    ofp_op_add(c, DP_OP_POP_MPLS, type, 0, 0);
    ofp_state_eth_type(c, type);
    return OFP_OK;
}

static int
pop_encode(struct ofp_encode *e, const struct dp_op *op)
{
    of_action_pop_mpls_t act;

    if (e->version == OF_VERSION_1_0)
        return 0;
    of_action_pop_mpls_init(&act, (of_version_t) e->version, -1, 1);

    int err = of_list_action_append_bind(e->list, &act);

    if (!err)
        of_action_pop_mpls_ethertype_set(&act, (uint16_t) op->arg);
    return err;
}

const struct ofp_action ofp_action_pop_mpls = {
    .name = "pop_mpls",
    .id = OF_ACTION_POP_MPLS,
    .type10 = -1,
    .type13 = 20,
    .compile = pop_compile,
    .op = DP_OP_POP_MPLS,
    .encode = pop_encode,
};

static enum ofp_err
set_ttl_compile(struct ofp_compile *c, of_object_t *act)
{
    uint8_t ttl;

    of_action_set_mpls_ttl_mpls_ttl_get(act, &ttl);
    if (!ofp_compile_requires(c, FLOW_PRE_MPLS))
        return OFP_ERR_ACT_MATCH_INCONSISTENT;
    ofp_op_add(c, DP_OP_SET_MPLS_TTL, ttl, 0, 0);
    return OFP_OK;
}

static int
set_ttl_encode(struct ofp_encode *e, const struct dp_op *op)
{
    of_action_set_mpls_ttl_t act;

    if (e->version == OF_VERSION_1_0)
        return 0;
    of_action_set_mpls_ttl_init(&act, (of_version_t) e->version, -1, 1);

    int err = of_list_action_append_bind(e->list, &act);

    if (!err)
        of_action_set_mpls_ttl_mpls_ttl_set(&act, (uint8_t) op->arg);
    return err;
}

const struct ofp_action ofp_action_set_mpls_ttl = {
    .name = "set_mpls_ttl",
    .id = OF_ACTION_SET_MPLS_TTL,
    .type10 = -1,
    .type13 = 15,
    .compile = set_ttl_compile,
    .op = DP_OP_SET_MPLS_TTL,
    .encode = set_ttl_encode,
};

static enum ofp_err
dec_ttl_compile(struct ofp_compile *c, of_object_t *act)
{
    (void) act;
    if (!ofp_compile_requires(c, FLOW_PRE_MPLS))
        return OFP_ERR_ACT_MATCH_INCONSISTENT;
    ofp_op_add(c, DP_OP_DEC_MPLS_TTL, 0, 0, 0);
    return OFP_OK;
}

static int
dec_ttl_encode(struct ofp_encode *e, const struct dp_op *op)
{
    of_action_dec_mpls_ttl_t act;

    (void) op;
    if (e->version == OF_VERSION_1_0)
        return 0;
    of_action_dec_mpls_ttl_init(&act, (of_version_t) e->version, -1, 1);
    return of_list_action_append_bind(e->list, &act);
}

const struct ofp_action ofp_action_dec_mpls_ttl = {
    .name = "dec_mpls_ttl",
    .id = OF_ACTION_DEC_MPLS_TTL,
    .type10 = -1,
    .type13 = 16,
    .compile = dec_ttl_compile,
    .op = DP_OP_DEC_MPLS_TTL,
    .encode = dec_ttl_encode,
};
