/* SPDX-License-Identifier: Apache-2.0 */
/* Roles.
 * Source: OpenFlow 1.3.5 §6.3.4, §7.3.9; 1.4.1 §7.3.8; Open vSwitch for 1.0. */
#include "ofproto/handlers/handlers_priv.h"

/* There is at most one master: the old one becomes a slave. */
static void
demote_others(struct ofp_session *s)
{
    struct ofp_session *o;

    BASE_LIST_FOR(o, &s->b->sessions, link)
        if (!o->main && o != ofp_session_channel(s)
            && o->role == OFP_ROLE_MASTER) {
            ofp_session_set_role(o, OFP_ROLE_SLAVE);
            ofp_async_role_status(o);
        }
}

static void
role_take(struct ofp_session *s, enum ofp_role role)
{
    if (role == OFP_ROLE_MASTER)
        demote_others(s);
    if (role != OFP_ROLE_NOCHANGE)
        ofp_session_set_role(s, role);
    ofp_sessions_changed(s->b);
}

/* A controller of 1.5 may give itself a number that no other has (1.5.1
 * §7.3.8). */
static enum ofp_err
short_id_check(const struct ofp_session *s, uint16_t id)
{
    const struct ofp_session *o;

    BASE_LIST_FOR(o, &s->b->sessions, link)
        if (!o->main && o != s && id && o->short_id == id)
            return OFP_ERR_ROLE_ID_IN_USE;
    return OFP_OK;
}

static void
short_id_set(struct ofp_session *s, uint16_t id)
{
    if (!id || s->short_id == id)
        return;
    s->short_id = id;
    ofp_controller_status_tell(s, OFP_CSR_SHORT_ID);
}

enum ofp_err
ofp_handle_role(struct ofp_session *s, of_object_t *msg)
{
    struct ofp_bridge *b = s->b;
    of_role_reply_t *reply;
    uint32_t role;
    uint64_t id;
    uint16_t short_id = 0;

    of_role_request_role_get(msg, &role);
    of_role_request_generation_id_get(msg, &id);
    if (s->version >= OF_VERSION_1_5)
        of_role_request_short_id_get(msg, &short_id);
    if (role > OFP_ROLE_SLAVE)
        return OFP_ERR_ROLE_BAD_ROLE;
    if (short_id_check(ofp_session_channel(s), short_id))
        return OFP_ERR_ROLE_ID_IN_USE;
    if (role == OFP_ROLE_MASTER || role == OFP_ROLE_SLAVE) {
        /* §6.3.4: distance in a wrapping counter. */
        if (b->generation_known && (int64_t) (id - b->generation_id) < 0)
            return OFP_ERR_ROLE_STALE;
        b->generation_known = true;
        b->generation_id = id;
    }
    short_id_set(ofp_session_channel(s), short_id);
    role_take(s, (enum ofp_role) role);
    reply = of_role_reply_new((of_version_t) s->version);
    if (reply) {
        of_object_xid_set(reply, ofp_session_xid(s));
        of_role_reply_role_set(reply, ofp_session_channel(s)->role);
        if (s->version >= OF_VERSION_1_5)
            of_role_reply_short_id_set(reply,
                                       ofp_session_channel(s)->short_id);
        of_role_reply_generation_id_set(
            reply, b->generation_known ? b->generation_id : UINT64_MAX);
    }
    ofp_session_send(s, reply);
    return OFP_OK;
}

/* OpenFlow 1.0 has no roles; Nicira gave it these, without generations. */
enum ofp_err
ofp_handle_nicira_role(struct ofp_session *s, of_object_t *msg)
{
    static const enum ofp_role roles[] = { OFP_ROLE_EQUAL, OFP_ROLE_MASTER,
                                           OFP_ROLE_SLAVE };
    of_nicira_controller_role_reply_t *reply;
    uint32_t role;

    of_nicira_controller_role_request_role_get(msg, &role);
    if (role >= WEFT_ARRAY_LEN(roles))
        return OFP_ERR_ROLE_BAD_ROLE;
    role_take(s, roles[role]);
    reply = of_nicira_controller_role_reply_new((of_version_t) s->version);
    if (reply) {
        of_object_xid_set(reply, ofp_session_xid(s));
        of_nicira_controller_role_reply_role_set(reply, role);
    }
    ofp_session_send(s, reply);
    return OFP_OK;
}
