/* SPDX-License-Identifier: Apache-2.0 */
/* Set-queue, and 1.0's enqueue: a queue for one output.
 * Source: OpenFlow 1.3.5 §7.2.5; OpenFlow 1.0.0 §5.2.4. */
#include "ofproto/compile.h"
#include "ofproto/ports.h"

#define ONE_OUTPUT 1 /* aux bit 0 of DP_OP_SET_QUEUE. */

static enum ofp_err
set_queue_compile(struct ofp_compile *c, of_object_t *act)
{
    uint32_t queue;

    of_action_set_queue_queue_id_get(act, &queue);
    ofp_op_add(c, DP_OP_SET_QUEUE, queue, 0, 0);
    return OFP_OK;
}

static int
enqueue_append(struct ofp_encode *e, uint32_t queue, uint32_t port)
{
    of_action_enqueue_t act;

    of_action_enqueue_init(&act, (of_version_t) e->version, -1, 1);

    int err = of_list_action_append_bind(e->list, &act);

    if (err)
        return err;
    of_action_enqueue_port_set(&act, port);
    of_action_enqueue_queue_id_set(&act, queue);
    e->skip_next = true;
    return 0;
}

static int
set_queue_encode(struct ofp_encode *e, const struct dp_op *op)
{
    of_action_set_queue_t act;

    if (e->version == OF_VERSION_1_0) {
        if (e->next && e->next->code == DP_OP_OUTPUT)
            return enqueue_append(e, op->arg, e->next->arg);
        if (e->next && e->next->code == DP_OP_IN_PORT)
            return enqueue_append(e, op->arg, OFP_PORT_IN_PORT);
        return 0;
    }
    of_action_set_queue_init(&act, (of_version_t) e->version, -1, 1);

    int err = of_list_action_append_bind(e->list, &act);

    if (!err)
        of_action_set_queue_queue_id_set(&act, op->arg);
    return err;
}

const struct ofp_action ofp_action_set_queue = {
    .name = "set_queue",
    .id = OF_ACTION_SET_QUEUE,
    .type10 = -1,
    .type13 = 21,
    .compile = set_queue_compile,
    .op = DP_OP_SET_QUEUE,
    .encode = set_queue_encode,
};

static enum ofp_err
enqueue_compile(struct ofp_compile *c, of_object_t *act)
{
    of_port_no_t port;
    uint32_t queue;

    of_action_enqueue_port_get(act, &port);
    of_action_enqueue_queue_id_get(act, &queue);
    /* A physical port, or IN_PORT (OpenFlow 1.0.0 §5.2.4). */
    if (port != OFP_PORT_IN_PORT && (!port || port > DP_PORT_MAX))
        return OFP_ERR_ACT_BAD_OUT_PORT;
    ofp_op_add(c, DP_OP_SET_QUEUE, queue, ONE_OUTPUT, 0);
    if (port == OFP_PORT_IN_PORT)
        ofp_op_add(c, DP_OP_IN_PORT, 0, 0, 0);
    else
        ofp_op_add(c, DP_OP_OUTPUT, port, 0, 0);
    return OFP_OK;
}

const struct ofp_action ofp_action_enqueue = {
    .name = "enqueue",
    .id = OF_ACTION_ENQUEUE,
    .type10 = 11,
    .type13 = -1,
    .compile = enqueue_compile,
    .op = N_DP_OPS,
};
