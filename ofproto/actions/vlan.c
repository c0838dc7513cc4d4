/* SPDX-License-Identifier: Apache-2.0 */
/* VLAN tags: push, pop, and 1.0's strip.
 * Source: OpenFlow 1.3.5 §5.12, §7.2.5; OpenFlow 1.0.0 §5.2.4. */
#include "ofproto/compile.h"

#define IF_UNTAGGED 1 /* aux bit 0 of DP_OP_PUSH_VLAN. */
#define MAY_LACK 1    /* aux bit 0 of DP_OP_POP_VLAN. */

static void
state_tagged(struct ofp_compile *c)
{
    c->state.key.vlan_tci |= be16_from(FLOW_VLAN_PRESENT);
    c->state.mask.vlan_tci |= be16_from(FLOW_VLAN_PRESENT);
}

static enum ofp_err
push_compile(struct ofp_compile *c, of_object_t *act)
{
    uint16_t type;

    of_action_push_vlan_ethertype_get(act, &type);
    if (type != 0x8100 && type != 0x88a8)
        return OFP_ERR_ACT_BAD_ARGUMENT;
    ofp_op_add(c, DP_OP_PUSH_VLAN, type, 0, 0);
    state_tagged(c);
    return OFP_OK;
}

static int
push_encode(struct ofp_encode *e, const struct dp_op *op)
{
    of_action_push_vlan_t act;

    if (e->version == OF_VERSION_1_0) /* Implied by set_vlan_vid, _pcp. */
        return 0;
    of_action_push_vlan_init(&act, (of_version_t) e->version, -1, 1);

    int err = of_list_action_append_bind(e->list, &act);

    if (!err)
        of_action_push_vlan_ethertype_set(&act, (uint16_t) op->arg);
    return err;
}

const struct ofp_action ofp_action_push_vlan = {
    .name = "push_vlan",
    .id = OF_ACTION_PUSH_VLAN,
    .type10 = -1,
    .type13 = 17,
    .compile = push_compile,
    .op = DP_OP_PUSH_VLAN,
    .encode = push_encode,
};

static enum ofp_err
pop_compile(struct ofp_compile *c, of_object_t *act)
{
    (void) act;
    if (!ofp_compile_requires(c, FLOW_PRE_VLAN))
        return OFP_ERR_ACT_MATCH_INCONSISTENT;
    ofp_op_add(c, DP_OP_POP_VLAN, 0, 0, 0);
    /* Another tag may come to light: nothing is known of it. */
    c->state.key.vlan_tci = c->state.mask.vlan_tci = 0;
    return OFP_OK;
}

static int
pop_encode(struct ofp_encode *e, const struct dp_op *op)
{
    of_object_t act;

    (void) op;
    if (e->version == OF_VERSION_1_0)
        of_action_strip_vlan_init(&act, OF_VERSION_1_0, -1, 1);
    else
        of_action_pop_vlan_init(&act, (of_version_t) e->version, -1, 1);
    return of_list_action_append_bind(e->list, &act);
}

const struct ofp_action ofp_action_pop_vlan = {
    .name = "pop_vlan",
    .id = OF_ACTION_POP_VLAN,
    .type10 = -1,
    .type13 = 18,
    .compile = pop_compile,
    .op = DP_OP_POP_VLAN,
    .encode = pop_encode,
};

static enum ofp_err
strip_compile(struct ofp_compile *c, of_object_t *act)
{
    (void) act;
    ofp_op_add(c, DP_OP_POP_VLAN, 0, MAY_LACK, 0);
    c->state.key.vlan_tci = c->state.mask.vlan_tci = 0;
    return OFP_OK;
}

const struct ofp_action ofp_action_strip_vlan = {
    .name = "strip_vlan",
    .id = OF_ACTION_STRIP_VLAN,
    .type10 = 3,
    .type13 = -1,
    .compile = strip_compile,
    .op = N_DP_OPS,
};

/* 1.0 tags an untagged packet when it sets VID or priority. */
static void
tag_if_untagged(struct ofp_compile *c)
{
    ofp_op_add(c, DP_OP_PUSH_VLAN, 0x8100, IF_UNTAGGED, 0);
    state_tagged(c);
}

static enum ofp_err
set_vid_compile(struct ofp_compile *c, of_object_t *act)
{
    uint8_t v[16] = { 0 };
    uint16_t vid;

    of_action_set_vlan_vid_vlan_vid_get(act, &vid);
    if (vid > 0xfff)
        return OFP_ERR_ACT_BAD_ARGUMENT;
    tag_if_untagged(c);
    put_be16(v + 14, FLOW_VLAN_PRESENT | vid);
    ofp_op_set_field(c, FLOW_F_VLAN_VID, v);
    return OFP_OK;
}

const struct ofp_action ofp_action_set_vlan_vid = {
    .name = "set_vlan_vid",
    .id = OF_ACTION_SET_VLAN_VID,
    .type10 = 1,
    .type13 = -1,
    .compile = set_vid_compile,
    .op = N_DP_OPS,
};

static enum ofp_err
set_pcp_compile(struct ofp_compile *c, of_object_t *act)
{
    uint8_t v[16] = { 0 };

    of_action_set_vlan_pcp_vlan_pcp_get(act, &v[15]);
    if (v[15] > 7)
        return OFP_ERR_ACT_BAD_ARGUMENT;
    tag_if_untagged(c);
    ofp_op_set_field(c, FLOW_F_VLAN_PCP, v);
    return OFP_OK;
}

const struct ofp_action ofp_action_set_vlan_pcp = {
    .name = "set_vlan_pcp",
    .id = OF_ACTION_SET_VLAN_PCP,
    .type10 = 2,
    .type13 = -1,
    .compile = set_pcp_compile,
    .op = N_DP_OPS,
};
