/* SPDX-License-Identifier: Apache-2.0 */
/* Groups: there are none yet.  What would make one is refused, what asks for
 * them is answered with nothing, and deleting what does not exist is no error
 * (§6.7).
 * Source: OpenFlow 1.3.5 §6.7, §7.3.4.2, §7.3.5.9 to §7.3.5.11. */
#include "ofproto/handlers/handlers_priv.h"

#define GROUP_MAX 0xffffff00u

enum ofp_err
ofp_handle_group_mod(struct ofp_session *s, of_object_t *msg)
{
    uint32_t group;

    (void) s;
    of_group_mod_group_id_get(msg, &group);
    switch ((int) msg->object_id) {
    case OF_GROUP_ADD: /* No group type is offered. */
        return group > GROUP_MAX ? OFP_ERR_GROUP_INVALID_GROUP
                                 : OFP_ERR_GROUP_BAD_TYPE;
    case OF_GROUP_MODIFY:
        return group > GROUP_MAX ? OFP_ERR_GROUP_INVALID_GROUP
                                 : OFP_ERR_GROUP_UNKNOWN_GROUP;
    case OF_GROUP_DELETE:
        return group > GROUP_MAX && group != OFP_GROUP_ALL
                   ? OFP_ERR_GROUP_INVALID_GROUP
                   : OFP_OK;
    default:
        return OFP_ERR_GROUP_BAD_COMMAND;
    }
}

/* An empty reply; those with a fixed body answer zeros: none of it. */
static enum ofp_err
reply_empty(struct ofp_session *s, of_object_id_t id)
{
    struct ofp_reply r;

    ofp_reply_begin(&r, s, id, ofp_session_xid(s));
    ofp_reply_end(&r);
    return OFP_OK;
}

enum ofp_err
ofp_handle_group_stats(struct ofp_session *s, of_object_t *msg)
{
    (void) msg; /* An unknown group gives an empty reply. */
    return reply_empty(s, OF_GROUP_STATS_REPLY);
}

enum ofp_err
ofp_handle_group_desc_stats(struct ofp_session *s, of_object_t *msg)
{
    (void) msg;
    return reply_empty(s, OF_GROUP_DESC_STATS_REPLY);
}

enum ofp_err
ofp_handle_group_features_stats(struct ofp_session *s, of_object_t *msg)
{
    (void) msg;
    return reply_empty(s, OF_GROUP_FEATURES_STATS_REPLY);
}
