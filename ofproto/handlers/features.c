/* SPDX-License-Identifier: Apache-2.0 */
/* Features.  Source: OpenFlow 1.3.5 §7.3.1; OpenFlow 1.0.0 §5.3.1. */
#include "ofproto/handlers/handlers_priv.h"

#define CAP_FLOW_STATS (1u << 0)
#define CAP_TABLE_STATS (1u << 1)
#define CAP_PORT_STATS (1u << 2)
#define CAP_GROUP_STATS (1u << 3) /* From 1.3 on; 1.0's STP. */
#define CAP_QUEUE_STATS (1u << 6)
#define CAP_ARP_MATCH_IP (1u << 7)     /* 1.0 only. */
#define CAP_BUNDLES (1u << 9)          /* From 1.4 on ... */
#define CAP_FLOW_MONITORING (1u << 10) /* ... 1.4.1 §7.3.1. */

static uint32_t
capabilities(uint8_t version)
{
    uint32_t all = CAP_FLOW_STATS | CAP_TABLE_STATS | CAP_PORT_STATS
                   | CAP_QUEUE_STATS;

    if (version == OF_VERSION_1_0)
        return all | CAP_ARP_MATCH_IP;
    if (version == OF_VERSION_1_3)
        return all | CAP_GROUP_STATS;
    return all | CAP_GROUP_STATS | CAP_BUNDLES | CAP_FLOW_MONITORING;
}

/* Bit N: action type N of 1.0. */
static uint32_t
actions10(void)
{
    uint32_t bits = 0;

    for (unsigned i = 0; i < ofp_n_actions; i++)
        if (ofp_actions[i]->type10 >= 0)
            bits |= 1u << ofp_actions[i]->type10;
    return bits;
}

static void
add_ports(struct ofp_session *s, of_features_reply_t *reply)
{
    of_list_port_desc_t list;
    struct dp_port_info info;

    of_features_reply_ports_bind(reply, &list);
    for (uint32_t n = 0; (n = dp_port_next(s->b->dpb, n));) {
        of_port_desc_t desc;

        if (dp_port_get(s->b->dpb, n, &info))
            continue;
        of_port_desc_init(&desc, OF_VERSION_1_0, -1, 1);
        if (of_list_port_desc_append_bind(&list, &desc))
            break; /* 64 KiB hold 1365 ports; 1.0 has no second message. */
        ofp_port_desc_fill(&desc, &info);
    }
}

enum ofp_err
ofp_handle_features_request(struct ofp_session *s, of_object_t *msg)
{
    of_features_reply_t *reply;

    (void) msg;
    ofp_session_is_controller(ofp_session_channel(s));
    reply = of_features_reply_new((of_version_t) s->version);
    if (reply) {
        of_object_xid_set(reply, ofp_session_xid(s));
        of_features_reply_datapath_id_set(reply, s->b->dpid);
        of_features_reply_n_buffers_set(reply, 0);
        of_features_reply_n_tables_set(reply, DP_N_TABLES);
        if (s->version == OF_VERSION_1_0) {
            of_features_reply_actions_set(reply, actions10());
            add_ports(s, reply);
        } else {
            of_features_reply_auxiliary_id_set(reply, s->conn->aux);
        }
        of_features_reply_capabilities_set(reply, capabilities(s->version));
    }
    ofp_session_send(s, reply);
    return OFP_OK;
}
