/* SPDX-License-Identifier: Apache-2.0 */
/* Meters: there are none yet.  What would make one is refused, what asks for
 * them is answered with nothing, and deleting what does not exist is no error
 * (§7.3.4.4).
 * Source: OpenFlow 1.3.5 §7.3.4.4, §7.3.5.12 to §7.3.5.14. */
#include "ofproto/handlers/handlers_priv.h"

#define METER_MAX 0xffff0000u
#define METER_ALL 0xffffffffu
#define MC_ADD 0
#define MC_MODIFY 1
#define MC_DELETE 2

enum ofp_err
ofp_handle_meter_mod(struct ofp_session *s, of_object_t *msg)
{
    uint16_t command;
    uint32_t meter;

    (void) s;
    of_meter_mod_command_get(msg, &command);
    of_meter_mod_meter_id_get(msg, &meter);
    if (command > MC_DELETE)
        return OFP_ERR_METER_BAD_COMMAND;
    if (!meter || (meter > METER_MAX
                   && !(command == MC_DELETE && meter == METER_ALL)))
        return OFP_ERR_METER_INVALID_METER;
    if (command == MC_ADD)
        return OFP_ERR_METER_OUT_OF_METERS;
    return command == MC_MODIFY ? OFP_ERR_METER_UNKNOWN_METER : OFP_OK;
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
ofp_handle_meter_stats(struct ofp_session *s, of_object_t *msg)
{
    uint32_t meter;

    of_meter_stats_request_meter_id_get(msg, &meter);
    return meter == METER_ALL ? reply_empty(s, OF_METER_STATS_REPLY)
                              : OFP_ERR_METER_UNKNOWN_METER;
}

enum ofp_err
ofp_handle_meter_config_stats(struct ofp_session *s, of_object_t *msg)
{
    uint32_t meter;

    of_meter_config_stats_request_meter_id_get(msg, &meter);
    return meter == METER_ALL ? reply_empty(s, OF_METER_CONFIG_STATS_REPLY)
                              : OFP_ERR_METER_UNKNOWN_METER;
}

enum ofp_err
ofp_handle_meter_features_stats(struct ofp_session *s, of_object_t *msg)
{
    (void) msg;
    return reply_empty(s, OF_METER_FEATURES_STATS_REPLY);
}
