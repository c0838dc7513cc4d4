/* SPDX-License-Identifier: Apache-2.0 */
/* Packet-out.  Source: OpenFlow 1.3.5 §7.3.7; OpenFlow 1.0.0 §5.3.6. */
#include "ofproto/handlers/handlers_priv.h"

#include <errno.h>

/* The ingress port of a packet-out: a port, LOCAL, CONTROLLER or ANY (1.0:
 * NONE). */
static bool
in_port_valid(struct ofp_session *s, uint32_t port)
{
    if (port == OFP_PORT_CONTROLLER || port == OFP_PORT_LOCAL)
        return true;
    if (port == OFP_PORT_ANY)
        return s->version == OF_VERSION_1_0;
    return port && port <= DP_PORT_MAX;
}

enum ofp_err
ofp_handle_packet_out(struct ofp_session *s, of_object_t *msg)
{
    struct ofp_compile *c = &s->b->compile;
    struct dp_op_list ops;
    of_list_action_t list;
    of_octets_t data;
    uint32_t buffer_id;
    of_port_no_t in_port;
    enum ofp_err err;

    of_packet_out_buffer_id_get(msg, &buffer_id);
    of_packet_out_in_port_get(msg, &in_port);
    of_packet_out_data_get(msg, &data);
    if (!in_port_valid(s, in_port))
        return OFP_ERR_REQ_BAD_PORT;
    ofp_compile_begin(c, s->version, 0, NULL);
    of_packet_out_actions_bind(msg, &list);
    err = ofp_compile_actions(c, &list, &ops);
    if (err)
        return err;
    ofp_compile_place(c, 0, &ops);
    if (buffer_id != OFP_NO_BUFFER)
        return OFP_ERR_REQ_BUFFER_UNKNOWN;
    s->b->stats.packet_outs++;
    s->b->dirty = true; /* A later barrier waits for the packet, too. */
    switch (dp_packet_out(s->b->dpb, in_port, data.data, (size_t) data.bytes,
                          &ops)) {
    case -EINVAL:
        return OFP_ERR_REQ_BAD_PACKET;
    default: /* Full queues lose packets; the datapath counts them. */
        return OFP_OK;
    }
}
