/* SPDX-License-Identifier: Apache-2.0 */
/* Messages about the session itself: hello, echo, experimenter,
 * config, barrier.
 * Source: OpenFlow 1.3.5 §7.3.2, §7.3.8, §7.5. */
#include "ofproto/handlers/handlers_priv.h"

#define FRAG_DROP 1u /* enum ofp_config_flags, 1.3.5 §7.3.2. */

/* Negotiation is over; a second HELLO changes nothing. */
enum ofp_err
ofp_handle_hello(struct ofp_session *s, of_object_t *msg)
{
    (void) s, (void) msg;
    return OFP_OK;
}

enum ofp_err
ofp_handle_echo_request(struct ofp_session *s, of_object_t *msg)
{
    of_echo_reply_t *reply = of_echo_reply_new((of_version_t) s->version);
    of_octets_t data;

    of_echo_request_data_get(msg, &data);
    if (reply) {
        of_object_xid_set(reply, ofp_session_xid(s));
        if (of_echo_reply_data_set(reply, &data)) {
            of_object_delete(reply);
            reply = NULL;
        }
    }
    ofp_session_send(s, reply);
    return OFP_OK;
}

enum ofp_err
ofp_handle_echo_reply(struct ofp_session *s, of_object_t *msg)
{
    (void) s, (void) msg; /* An answer to nothing: of no concern. */
    return OFP_OK;
}

enum ofp_err
ofp_handle_experimenter(struct ofp_session *s, of_object_t *msg)
{
    (void) s, (void) msg;
    return OFP_ERR_REQ_BAD_EXPERIMENTER;
}

/* Of an experimenter that is known, what is not. */
enum ofp_err
ofp_handle_experimenter_type(struct ofp_session *s, of_object_t *msg)
{
    (void) s, (void) msg;
    return OFP_ERR_REQ_BAD_EXP_TYPE;
}

enum ofp_err
ofp_handle_get_config(struct ofp_session *s, of_object_t *msg)
{
    of_get_config_reply_t *reply;

    (void) msg;
    reply = of_get_config_reply_new((of_version_t) s->version);
    if (reply) {
        of_object_xid_set(reply, ofp_session_xid(s));
        of_get_config_reply_flags_set(reply, s->b->frag_drop);
        of_get_config_reply_miss_send_len_set(
            reply, ofp_session_channel(s)->miss_send_len);
    }
    ofp_session_send(s, reply);
    return OFP_OK;
}

/* Fragments are matched as they come (OFPC_FRAG_NORMAL) or dropped, on the
 * whole bridge; nobody puts them together (OFPC_IP_REASM is not announced,
 * OFPC_FRAG_REASM refused, as is what no version has). */
enum ofp_err
ofp_handle_set_config(struct ofp_session *s, of_object_t *msg)
{
    uint16_t flags;

    of_set_config_flags_get(msg, &flags);
    if (flags > FRAG_DROP)
        return OFP_ERR_CONFIG_BAD_FLAGS;
    s->b->frag_drop = flags & FRAG_DROP;
    dp_bridge_set_frag_drop(s->b->dpb, s->b->frag_drop);
    of_set_config_miss_send_len_get(
        msg, &ofp_session_channel(s)->miss_send_len);
    ofp_session_is_controller(ofp_session_channel(s));
    return OFP_OK;
}

/* Answered when every worker forwards by what came before (§7.3.8); what
 * comes after waits in the session's input queue. */
enum ofp_err
ofp_handle_barrier(struct ofp_session *s, of_object_t *msg)
{
    struct ofp_bridge *b = s->b;

    (void) msg;
    s->barrier = true;
    s->barrier_xid = ofp_session_xid(s);
    s->barrier_seq = b->dirty ? 0 : b->committed_seq;
    if (!b->dirty && b->synced_seq >= b->committed_seq) {
        of_object_t *reply = of_barrier_reply_new((of_version_t) s->version);

        s->barrier = false;
        if (reply)
            of_object_xid_set(reply, s->barrier_xid);
        ofp_session_send(s, reply);
    }
    return OFP_OK;
}
