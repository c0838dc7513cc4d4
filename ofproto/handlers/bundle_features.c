/* SPDX-License-Identifier: Apache-2.0 */
/* What bundles can do: atomic and ordered, not at a given time.
 * Source: OpenFlow 1.5.1 §7.3.5.20. */
#include "ofproto/handlers/handlers_priv.h"

#define ATOMIC_ORDERED 0x3    /* OFPBF_* of bundles */
#define TIMESTAMP 0x1         /* OFPBF_* of the request */
#define TIME_SET_SCHED 0x2

enum ofp_err
ofp_handle_bundle_features_stats(struct ofp_session *s, of_object_t *msg)
{
    of_bundle_features_stats_reply_t *reply;
    of_list_bundle_features_prop_t list;
    of_bundle_features_prop_t prop;
    uint32_t flags;
    int rv;

    of_bundle_features_stats_request_feature_request_flags_get(msg, &flags);
    if (flags & ~(uint32_t) (TIMESTAMP | TIME_SET_SCHED))
        return OFP_ERR_REQ_UNKNOWN;
    of_bundle_features_stats_request_properties_bind(msg, &list);
    OF_LIST_BUNDLE_FEATURES_PROP_ITER(&list, &prop, rv)
        if (prop.object_id != OF_BUNDLE_FEATURES_PROP_TIME)
            return prop.object_id == OF_BUNDLE_FEATURES_PROP_EXPERIMENTER
                       ? OFP_ERR_PROP_BAD_EXPERIMENTER
                       : OFP_ERR_PROP_BAD_TYPE;
    if (flags & TIME_SET_SCHED) /* There is no schedule to set. */
        return OFP_ERR_REQ_MULTIPART_BAD_SCHED;
    reply = of_bundle_features_stats_reply_new((of_version_t) s->version);
    if (reply) {
        of_object_xid_set(reply, ofp_session_xid(s));
        of_bundle_features_stats_reply_capabilities_set(reply, ATOMIC_ORDERED);
    }
    ofp_session_send(s, reply);
    return OFP_OK;
}
