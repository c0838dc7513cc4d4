/* SPDX-License-Identifier: Apache-2.0 */
/* IP TTL, and TTL between headers.  Source: OpenFlow 1.3.5 §5.12, §7.2.5. */
#include "ofproto/compile.h"

static enum ofp_err
set_compile(struct ofp_compile *c, of_object_t *act)
{
    uint8_t ttl;

    of_action_set_nw_ttl_nw_ttl_get(act, &ttl);
    if (!ofp_compile_requires(c, FLOW_PRE_IP))
        return OFP_ERR_ACT_MATCH_INCONSISTENT;
    ofp_op_add(c, DP_OP_SET_NW_TTL, ttl, 0, 0);
    return OFP_OK;
}

static int
set_encode(struct ofp_encode *e, const struct dp_op *op)
{
    of_action_set_nw_ttl_t act;

    if (e->version == OF_VERSION_1_0)
        return 0;
    of_action_set_nw_ttl_init(&act, (of_version_t) e->version, -1, 1);

    int err = of_list_action_append_bind(e->list, &act);

    if (!err)
        of_action_set_nw_ttl_nw_ttl_set(&act, (uint8_t) op->arg);
    return err;
}

const struct ofp_action ofp_action_set_nw_ttl = {
    .name = "set_nw_ttl",
    .id = OF_ACTION_SET_NW_TTL,
    .type10 = -1,
    .type13 = 23,
    .compile = set_compile,
    .op = DP_OP_SET_NW_TTL,
    .encode = set_encode,
};

static enum ofp_err
dec_compile(struct ofp_compile *c, of_object_t *act)
{
    (void) act;
    if (!ofp_compile_requires(c, FLOW_PRE_IP))
        return OFP_ERR_ACT_MATCH_INCONSISTENT;
    ofp_op_add(c, DP_OP_DEC_NW_TTL, 0, 0, 0);
    return OFP_OK;
}

static int
dec_encode(struct ofp_encode *e, const struct dp_op *op)
{
    of_action_dec_nw_ttl_t act;

    (void) op;
    if (e->version == OF_VERSION_1_0)
        return 0;
    of_action_dec_nw_ttl_init(&act, (of_version_t) e->version, -1, 1);
    return of_list_action_append_bind(e->list, &act);
}

const struct ofp_action ofp_action_dec_nw_ttl = {
    .name = "dec_nw_ttl",
    .id = OF_ACTION_DEC_NW_TTL,
    .type10 = -1,
    .type13 = 24,
    .compile = dec_compile,
    .op = DP_OP_DEC_NW_TTL,
    .encode = dec_encode,
};

/* Outermost and next header with TTL: MPLS outside, MPLS or IP inside. */
static enum ofp_err
copy_out_compile(struct ofp_compile *c, of_object_t *act)
{
    (void) act;
    if (!ofp_compile_requires(c, FLOW_PRE_MPLS))
        return OFP_ERR_ACT_MATCH_INCONSISTENT;
    ofp_op_add(c, DP_OP_COPY_TTL_OUT, 0, 0, 0);
    return OFP_OK;
}

static int
copy_out_encode(struct ofp_encode *e, const struct dp_op *op)
{
    of_action_copy_ttl_out_t act;

    (void) op;
    if (e->version == OF_VERSION_1_0)
        return 0;
    of_action_copy_ttl_out_init(&act, (of_version_t) e->version, -1, 1);
    return of_list_action_append_bind(e->list, &act);
}

const struct ofp_action ofp_action_copy_ttl_out = {
    .name = "copy_ttl_out",
    .id = OF_ACTION_COPY_TTL_OUT,
    .type10 = -1,
    .type13 = 11,
    .compile = copy_out_compile,
    .op = DP_OP_COPY_TTL_OUT,
    .encode = copy_out_encode,
};

static enum ofp_err
copy_in_compile(struct ofp_compile *c, of_object_t *act)
{
    (void) act;
    if (!ofp_compile_requires(c, FLOW_PRE_MPLS))
        return OFP_ERR_ACT_MATCH_INCONSISTENT;
    ofp_op_add(c, DP_OP_COPY_TTL_IN, 0, 0, 0);
    return OFP_OK;
}

static int
copy_in_encode(struct ofp_encode *e, const struct dp_op *op)
{
    of_action_copy_ttl_in_t act;

    (void) op;
    if (e->version == OF_VERSION_1_0)
        return 0;
    of_action_copy_ttl_in_init(&act, (of_version_t) e->version, -1, 1);
    return of_list_action_append_bind(e->list, &act);
}

const struct ofp_action ofp_action_copy_ttl_in = {
    .name = "copy_ttl_in",
    .id = OF_ACTION_COPY_TTL_IN,
    .type10 = -1,
    .type13 = 12,
    .compile = copy_in_compile,
    .op = DP_OP_COPY_TTL_IN,
    .encode = copy_in_encode,
};
