/* SPDX-License-Identifier: Apache-2.0 */
/* The meter as an action; before 1.5 it was an instruction.
 * Source: OpenFlow 1.5.1 §5.8, §7.2.6.9. */
#include "ofproto/compile.h"

/* Whether the meter is there is asked by who applies the actions. */
static enum ofp_err
meter_compile(struct ofp_compile *c, of_object_t *act)
{
    uint32_t meter;

    of_action_meter_meter_id_get(act, &meter);
    if (!meter || meter > DP_METER_MAX)
        return OFP_ERR_ACT_BAD_METER;
    ofp_op_add(c, DP_OP_METER, meter, 0, 0);
    return OFP_OK;
}

/* 1.3 and 1.4 have no such action: left out. */
static int
meter_encode(struct ofp_encode *e, const struct dp_op *op)
{
    of_action_meter_t act;
    int err;

    if (e->version < OF_VERSION_1_5)
        return 0;
    of_action_meter_init(&act, (of_version_t) e->version, -1, 1);
    err = of_list_action_append_bind(e->list, &act);
    if (!err)
        of_action_meter_meter_id_set(&act, op->arg);
    return err;
}

const struct ofp_action ofp_action_meter = {
    .name = "meter",
    .id = OF_ACTION_METER,
    .type10 = -1,
    .type13 = 29,
    .since = OF_VERSION_1_5,
    .compile = meter_compile,
    .op = DP_OP_METER,
    .encode = meter_encode,
};
