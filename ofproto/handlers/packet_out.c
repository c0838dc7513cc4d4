/* SPDX-License-Identifier: Apache-2.0 */
/* Packet-out.  Source: OpenFlow 1.3.5 §7.3.7, 1.5.1 §7.3.6, 1.0.0 §5.3.6. */
#include "ofproto/handlers/handlers_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "utils/base/mem.h"

#define FRAME_MIN 14 /* See dp_packet_out. */

/* The ingress port of a packet-out: a port, LOCAL or CONTROLLER; in 1.0 also
 * NONE, or 0 by who did not fill it in: there is no error for it.  'unused':
 * nothing is done with the packet. */
static bool
in_port_valid(struct ofp_session *s, uint32_t port, bool unused)
{
    if (port == OFP_PORT_CONTROLLER || port == OFP_PORT_LOCAL)
        return true;
    if (port == OFP_PORT_ANY)
        return s->version == OF_VERSION_1_0;
    if (!port)
        return unused || s->version == OF_VERSION_1_0;
    return port <= DP_PORT_MAX;
}

/* Appends a set-field of a whole pipeline field that the match has. */
static void
pipeline_set(struct ofp_compile *c, const struct flow_match *m,
             enum flow_field_id id)
{
    uint8_t v[16];

    flow_field_get(&m->mask, &flow_fields[id], v);
    if (of_bytes_are(v, 0, sizeof v))
        return;
    flow_field_get(&m->key, &flow_fields[id], v);
    ofp_op_set_field(c, id, v);
}

/* 1.5: the match says where the packet would have come from, in pipeline
 * fields, each without mask (§7.3.6).  What is not the port becomes set-field
 * ops in front of the actions. */
static enum ofp_err
take_pipeline(struct ofp_session *s, of_object_t *msg, of_port_no_t *in_port)
{
    static const enum flow_field_id fields[] = {
        FLOW_F_METADATA, FLOW_F_TUN_ID, FLOW_F_TUN_SRC, FLOW_F_TUN_DST,
    };
    struct flow_match m, rest;
    of_object_t view;
    enum ofp_err err;

    of_packet_out_match_bind(msg, &view);
    err = ofp_match_take(&view, &m);
    if (err)
        return err;
    if (m.mask.in_port != ~0u)
        return OFP_ERR_REQ_BAD_PORT;
    *in_port = be32_to(m.key.in_port);
    rest = m;
    for (size_t i = 0; i < WEFT_ARRAY_LEN(fields); i++) {
        const struct flow_field *f = &flow_fields[fields[i]];

        pipeline_set(&s->b->compile, &m, fields[i]);
        memset((uint8_t *) &rest.mask + f->offset, 0, f->width);
    }
    rest.mask.in_port = rest.mask.in_phy_port = rest.mask.packet_type = 0;
    if (!of_bytes_are(&rest.mask, 0, sizeof rest.mask))
        return OFP_ERR_REQ_PIPELINE_FIELDS_ONLY;
    /* Only Ethernet frames are sent. */
    return m.mask.packet_type && m.key.packet_type ? OFP_ERR_REQ_BAD_PACKET
                                                   : OFP_OK;
}

/* In a transaction: a packet that waits for its end. */
struct held_packet {
    uint32_t in_port;
    uint8_t *data;
    size_t len;
    struct dp_op_list ops; /* Own copy. */
};

static void
held_packet_send(struct ofp_bridge *b, void *rec)
{
    const struct held_packet *h = rec;

    b->dirty = true;
    (void) !dp_packet_out(b->dpb, h->in_port, h->data, h->len, &h->ops);
}

static void
held_packet_free(void *rec)
{
    struct held_packet *h = rec;

    free(h->data);
    free((void *) (uintptr_t) h->ops.ops);
}

static const struct ofp_txn_ops held_packet_ops = {
    .size = sizeof(struct held_packet),
    .done = held_packet_send,
    .free = held_packet_free,
};

static enum ofp_err
packet_hold(struct ofp_bridge *b, uint32_t in_port, const of_octets_t *data,
            const struct dp_op_list *ops)
{
    struct held_packet *h;

    if (data->bytes < FRAME_MIN)
        return OFP_ERR_REQ_BAD_PACKET;
    h = ofp_txn_log(b, &held_packet_ops);
    h->in_port = in_port;
    h->len = (size_t) data->bytes;
    h->data = base_xmemdup(data->data, h->len);
    h->ops.n_words = ops->n_words;
    if (ops->n_words)
        h->ops.ops = base_xmemdup(ops->ops, 8u * ops->n_words);
    return OFP_OK;
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
    bool drop;

    of_packet_out_buffer_id_get(msg, &buffer_id);
    of_packet_out_data_get(msg, &data);
    ofp_compile_begin(c, s->version, 0, NULL);
    err = OFP_OK;
    if (s->version >= OF_VERSION_1_5)
        err = take_pipeline(s, msg, &in_port);
    else
        of_packet_out_in_port_get(msg, &in_port);
    if (err)
        return err;
    of_packet_out_actions_bind(msg, &list);
    err = ofp_compile_actions(c, &list, &ops);
    drop = !err && !ops.n_words;
    if (!in_port_valid(s, in_port, drop))
        return OFP_ERR_REQ_BAD_PORT;
    if (err)
        return err;
    ops.n_words = c->n_ops; /* With what the match says in front. */
    ofp_compile_place(c, 0, &ops);
    if (buffer_id != OFP_NO_BUFFER)
        return OFP_ERR_REQ_BUFFER_UNKNOWN;
    s->b->stats.packet_outs++;
    if (drop) /* §6.1.1: "an empty list of actions drops the packet". */
        return OFP_OK;
    if (s->b->txn)
        return packet_hold(s->b, in_port, &data, &ops);
    s->b->dirty = true; /* A later barrier waits for the packet, too. */
    switch (dp_packet_out(s->b->dpb, in_port, data.data, (size_t) data.bytes,
                          &ops)) {
    case -EINVAL:
        return OFP_ERR_REQ_BAD_PACKET;
    default: /* Full queues lose packets; the datapath counts them. */
        return OFP_OK;
    }
}
