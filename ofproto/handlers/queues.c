/* SPDX-License-Identifier: Apache-2.0 */
/* Queues: every port has its default one alone, which is not listed.
 * Source: OpenFlow 1.3.5 §7.3.6, §7.3.5.8; OpenFlow 1.0.0 §5.3.4. */
#include "ofproto/handlers/handlers_priv.h"

#define QUEUE_ALL 0xffffffffu

static bool
port_exists(struct ofp_session *s, uint32_t port)
{
    struct dp_port_info info;

    return !dp_port_get(s->b->dpb, port, &info);
}

enum ofp_err
ofp_handle_queue_get_config(struct ofp_session *s, of_object_t *msg)
{
    of_queue_get_config_reply_t *reply;
    of_port_no_t port;

    of_queue_get_config_request_port_get(msg, &port);
    /* 1.3: ANY means all; 1.0 wants one port. */
    if (!(port == OFP_PORT_ANY && s->version != OF_VERSION_1_0)
        && !port_exists(s, port))
        return OFP_ERR_QUEUE_BAD_PORT;
    reply = of_queue_get_config_reply_new((of_version_t) s->version);
    if (reply) {
        of_object_xid_set(reply, ofp_session_xid(s));
        of_queue_get_config_reply_port_set(reply, port);
    }
    ofp_session_send(s, reply);
    return OFP_OK;
}

enum ofp_err
ofp_handle_queue_stats(struct ofp_session *s, of_object_t *msg)
{
    struct ofp_reply r;
    of_port_no_t port;
    uint32_t queue;

    of_queue_stats_request_port_no_get(msg, &port);
    of_queue_stats_request_queue_id_get(msg, &queue);
    /* "All ports" is ANY, in 1.0 ALL. */
    if (port != OFP_PORT_ANY && port != OFP_PORT_ALL && !port_exists(s, port))
        return OFP_ERR_QUEUE_BAD_PORT;
    if (queue != QUEUE_ALL)
        return OFP_ERR_QUEUE_BAD_QUEUE;
    ofp_reply_begin(&r, s, OF_QUEUE_STATS_REPLY, ofp_session_xid(s));
    ofp_reply_end(&r);
    return OFP_OK;
}
