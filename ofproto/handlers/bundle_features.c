/* SPDX-License-Identifier: Apache-2.0 */
/* What bundles can do: atomic, ordered, at a given time.
 * Source: OpenFlow 1.5.1 §7.3.5.20. */
#include "ofproto/bundle.h"
#include "ofproto/handlers/handlers_priv.h"
#include "utils/base/clock.h"

#define ATOMIC_ORDERED_TIME 0x7 /* OFPBF_* of bundles */
#define TIMESTAMP 0x1           /* OFPBF_* of the request: the controller's */
#define TIME_SET_SCHED 0x2

/* How far off a scheduled commit may be, from now on. */
static enum ofp_err
set_schedule(struct ofp_bridge *b, of_bundle_features_prop_time_t *prop)
{
    uint64_t future, past;
    of_time_t t;

    of_bundle_features_prop_time_sched_max_future_bind(prop, &t);
    if (!ofp_time_take(&t, &future))
        return OFP_ERR_REQ_MULTIPART_BAD_SCHED;
    of_bundle_features_prop_time_sched_max_past_bind(prop, &t);
    if (!ofp_time_take(&t, &past))
        return OFP_ERR_REQ_MULTIPART_BAD_SCHED;
    b->sched_future_ns = future;
    b->sched_past_ns = past;
    return OFP_OK;
}

static enum ofp_err
take_request(struct ofp_session *s, of_object_t *msg)
{
    of_list_bundle_features_prop_t list;
    of_bundle_features_prop_t prop, time;
    bool has_time = false;
    uint32_t flags;
    int rv;

    of_bundle_features_stats_request_feature_request_flags_get(msg, &flags);
    if (flags & ~(uint32_t) (TIMESTAMP | TIME_SET_SCHED))
        return OFP_ERR_REQ_UNKNOWN;
    of_bundle_features_stats_request_properties_bind(msg, &list);
    OF_LIST_BUNDLE_FEATURES_PROP_ITER (&list, &prop, rv) {
        if (prop.object_id != OF_BUNDLE_FEATURES_PROP_TIME)
            return prop.object_id == OF_BUNDLE_FEATURES_PROP_EXPERIMENTER
                       ? OFP_ERR_PROP_BAD_EXPERIMENTER
                       : OFP_ERR_PROP_BAD_TYPE;
        if (has_time)
            return OFP_ERR_PROP_DUP_TYPE;
        has_time = true;
        time = prop;
    }
    if (!(flags & TIME_SET_SCHED))
        return OFP_OK;
    return has_time ? set_schedule(s->b, &time)
                    : OFP_ERR_REQ_MULTIPART_BAD_SCHED;
}

static int
put_time(of_bundle_features_stats_reply_t *reply, const struct ofp_bridge *b)
{
    of_list_bundle_features_prop_t list;
    of_bundle_features_prop_time_t prop;
    of_time_t t;
    int err;

    of_bundle_features_stats_reply_properties_bind(reply, &list);
    of_bundle_features_prop_time_init(&prop, reply->version, -1, 1);
    err = of_list_bundle_features_prop_append_bind(&list, &prop);
    if (err)
        return err;
    of_bundle_features_prop_time_sched_accuracy_bind(&prop, &t);
    ofp_time_put(&t, OFP_SCHED_ACCURACY_NS);
    of_bundle_features_prop_time_sched_max_future_bind(&prop, &t);
    ofp_time_put(&t, b->sched_future_ns);
    of_bundle_features_prop_time_sched_max_past_bind(&prop, &t);
    ofp_time_put(&t, b->sched_past_ns);
    of_bundle_features_prop_time_timestamp_bind(&prop, &t);
    ofp_time_put(&t, base_clock_tai_ns());
    return 0;
}

enum ofp_err
ofp_handle_bundle_features_stats(struct ofp_session *s, of_object_t *msg)
{
    of_bundle_features_stats_reply_t *reply;
    enum ofp_err err = take_request(s, msg);

    if (err)
        return err;
    reply = of_bundle_features_stats_reply_new((of_version_t) s->version);
    if (reply) {
        of_object_xid_set(reply, ofp_session_xid(s));
        of_bundle_features_stats_reply_capabilities_set(reply,
                                                        ATOMIC_ORDERED_TIME);
        if (put_time(reply, s->b)) {
            of_object_delete(reply);
            reply = NULL;
        }
    }
    ofp_session_send(s, reply);
    return OFP_OK;
}
