/* SPDX-License-Identifier: Apache-2.0 */
/* Output and group.
 * Source: OpenFlow 1.3.5 §7.2.5; OpenFlow 1.0.0 §5.2.4. */
#include "ofproto/compile.h"
#include "ofproto/actions/actions_priv.h"
#include "ofproto/groups.h"
#include "ofproto/ports.h"

static const struct {
    uint32_t port;
    uint8_t op;
} reserved[] = {
    { OFP_PORT_IN_PORT, DP_OP_IN_PORT },
    { OFP_PORT_TABLE, DP_OP_TABLE },
    { OFP_PORT_NORMAL, DP_OP_NORMAL },
    { OFP_PORT_FLOOD, DP_OP_FLOOD },
    { OFP_PORT_ALL, DP_OP_ALL },
    { OFP_PORT_CONTROLLER, DP_OP_CONTROLLER },
};

static enum ofp_err
output_compile(struct ofp_compile *c, of_object_t *act)
{
    of_port_no_t port;
    uint16_t max_len;

    of_action_output_port_get(act, &port);
    of_action_output_max_len_get(act, &max_len);
    if ((port && port <= DP_PORT_MAX) || port == DP_PORT_LOCAL) {
        ofp_op_add(c, DP_OP_OUTPUT, port, max_len, 0);
        return OFP_OK;
    }
    if (port == OFP_PORT_TABLE && (!c->packet_out || c->bucket))
        return OFP_ERR_ACT_BAD_OUT_PORT; /* §4.5: packet-out only. */
    for (size_t i = 0; i < WEFT_ARRAY_LEN(reserved); i++)
        if (reserved[i].port == port) {
            bool ctl = port == OFP_PORT_CONTROLLER;

            ofp_op_add(c, reserved[i].op, ctl ? max_len : 0,
                       ctl ? c->reason : max_len, 0);
            return OFP_OK;
        }
    return OFP_ERR_ACT_BAD_OUT_PORT;
}

static int
output_append(struct ofp_encode *e, uint32_t port, uint16_t max_len)
{
    of_action_output_t act;

    of_action_output_init(&act, (of_version_t) e->version, -1, 1);

    int err = of_list_action_append_bind(e->list, &act);

    if (err)
        return err;
    of_action_output_port_set(&act, port);
    of_action_output_max_len_set(&act, max_len);
    return 0;
}

static int
output_encode(struct ofp_encode *e, const struct dp_op *op)
{
    return output_append(e, op->arg, op->aux);
}

const struct ofp_action ofp_action_output = {
    .name = "output",
    .id = OF_ACTION_OUTPUT,
    .type10 = 0,
    .type13 = 0,
    .compile = output_compile,
    .op = DP_OP_OUTPUT,
    .encode = output_encode,
};

/* The reserved ports have ops of their own: encoded by code. */
int
ofp_encode_reserved(struct ofp_encode *e, const struct dp_op *op)
{
    for (size_t i = 0; i < WEFT_ARRAY_LEN(reserved); i++)
        if (reserved[i].op == op->code)
            return output_append(e, reserved[i].port,
                                 op->code == DP_OP_CONTROLLER
                                     ? (uint16_t) op->arg
                                     : op->aux);
    return 0;
}

/* ----------------------------------------------------------------- group */

static enum ofp_err
group_compile(struct ofp_compile *c, of_object_t *act)
{
    uint32_t group;

    of_action_group_group_id_get(act, &group);
    /* Buckets' groups are checked with the whole graph. */
    if (group > DP_GROUP_MAX
        || (c->groups && !c->bucket && !ofp_group_exists(c->groups, group)))
        return OFP_ERR_ACT_BAD_OUT_GROUP;
    ofp_op_add(c, DP_OP_GROUP, group, 0, 0);
    return OFP_OK;
}

static int
group_encode(struct ofp_encode *e, const struct dp_op *op)
{
    of_action_group_t act;
    int err;

    if (e->version == OF_VERSION_1_0) /* Knows no groups. */
        return 0;
    of_action_group_init(&act, (of_version_t) e->version, -1, 1);
    err = of_list_action_append_bind(e->list, &act);
    if (!err)
        of_action_group_group_id_set(&act, op->arg);
    return err;
}

const struct ofp_action ofp_action_group = {
    .name = "group",
    .id = OF_ACTION_GROUP,
    .type10 = -1,
    .type13 = 22,
    .compile = group_compile,
    .op = DP_OP_GROUP,
    .encode = group_encode,
};
