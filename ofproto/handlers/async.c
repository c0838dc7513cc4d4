/* SPDX-License-Identifier: Apache-2.0 */
/* What a controller wants to hear: get-async, set-async.
 * Source: OpenFlow 1.3.5 §7.3.10; OpenFlow 1.4.1 §7.3.10. */
#include "ofproto/handlers/handlers_priv.h"

#define PROP_EXPERIMENTER 0xfffe /* _SLAVE; and one more for _MASTER. */

/* ------------------------------------------------------------------- 1.3 */

static void
reply_13(const struct ofp_session *ch, of_async_get_reply_t *r)
{
    uint32_t m[OFP_N_ASYNC][2];

    for (unsigned i = 0; i < OFP_N_ASYNC; i++)
        for (unsigned j = 0; j < 2; j++)
            m[i][j] = ch->async[i][j]
                      & ofp_async_known(ch->version, (enum ofp_async) i);
    of_async_get_reply_packet_in_mask_equal_master_set(r, m[0][0]);
    of_async_get_reply_packet_in_mask_slave_set(r, m[0][1]);
    of_async_get_reply_port_status_mask_equal_master_set(r, m[1][0]);
    of_async_get_reply_port_status_mask_slave_set(r, m[1][1]);
    of_async_get_reply_flow_removed_mask_equal_master_set(r, m[2][0]);
    of_async_get_reply_flow_removed_mask_slave_set(r, m[2][1]);
}

static void
take_13(of_async_set_t *msg, uint32_t m[OFP_N_ASYNC][2])
{
    of_async_set_packet_in_mask_equal_master_get(msg, &m[0][0]);
    of_async_set_packet_in_mask_slave_get(msg, &m[0][1]);
    of_async_set_port_status_mask_equal_master_get(msg, &m[1][0]);
    of_async_set_port_status_mask_slave_get(msg, &m[1][1]);
    of_async_set_flow_removed_mask_equal_master_get(msg, &m[2][0]);
    of_async_set_flow_removed_mask_slave_get(msg, &m[2][1]);
}

/* ------------------------------------------------------- properties, 1.4 */

static const of_object_id_t prop_ids[OFP_N_ASYNC][2] = {
#define PAIR(kind)                                                            \
    { OF_ASYNC_CONFIG_PROP_##kind##_MASTER,                                   \
      OF_ASYNC_CONFIG_PROP_##kind##_SLAVE }
    [OFP_ASYNC_PACKET_IN] = PAIR(PACKET_IN),
    [OFP_ASYNC_PORT_STATUS] = PAIR(PORT_STATUS),
    [OFP_ASYNC_FLOW_REMOVED] = PAIR(FLOW_REMOVED),
    [OFP_ASYNC_ROLE_STATUS] = PAIR(ROLE_STATUS),
    [OFP_ASYNC_TABLE_STATUS] = PAIR(TABLE_STATUS),
    [OFP_ASYNC_REQUESTFORWARD] = PAIR(REQUESTFORWARD),
    [OFP_ASYNC_FLOW_STATS] = PAIR(FLOW_STATS),
    [OFP_ASYNC_CONT_STATUS] = PAIR(CONT_STATUS),
#undef PAIR
};

/* All these properties have one layout. */
static int
append(of_list_async_config_prop_t *list, of_object_id_t id, uint32_t mask)
{
    of_object_t prop;
    int err;

    of_object_setup(&prop, list->version, id, -1, 1);
    err = of_list_async_config_prop_append_bind(list, &prop);
    if (!err)
        of_async_config_prop_packet_in_slave_mask_set(&prop, mask);
    return err;
}

static int
reply_14(const struct ofp_session *ch, of_async_get_reply_t *r)
{
    of_list_async_config_prop_t list;
    int err = 0;

    of_async_get_reply_properties_bind(r, &list);
    for (unsigned i = 0; i < OFP_N_ASYNC && !err; i++) {
        uint32_t known = ofp_async_known(ch->version, (enum ofp_async) i);

        if (!known)
            continue;
        err = append(&list, prop_ids[i][1], ch->async[i][1] & known);
        if (!err)
            err = append(&list, prop_ids[i][0], ch->async[i][0] & known);
    }
    return err;
}

/* What is not named stays as it is. */
static enum ofp_err
take_14(uint8_t version, of_async_set_t *msg, uint32_t m[OFP_N_ASYNC][2])
{
    of_list_async_config_prop_t list;
    of_async_config_prop_t prop;
    uint32_t seen = 0;
    int rv;

    of_async_set_properties_bind(msg, &list);
    OF_LIST_ASYNC_CONFIG_PROP_ITER(&list, &prop, rv) {
        uint16_t type = get_be16(OF_OBJECT_BUFFER_INDEX(&prop, 0));
        uint32_t mask, known = 0;

        if (type >= PROP_EXPERIMENTER)
            return OFP_ERR_PROP_BAD_EXPERIMENTER;
        if (type < 2 * OFP_N_ASYNC)
            known = ofp_async_known(version, (enum ofp_async)(type / 2));
        if (!known)
            return OFP_ERR_PROP_BAD_TYPE;
        if (seen >> type & 1)
            return OFP_ERR_PROP_DUP_TYPE;
        seen |= 1u << type;
        of_async_config_prop_packet_in_slave_mask_get(&prop, &mask);
        if (mask & ~known)
            return OFP_ERR_ASYNC_INVALID;
        m[type / 2][!(type & 1)] = mask;
    }
    return OFP_OK;
}

/* --------------------------------------------------------------- handlers */

enum ofp_err
ofp_handle_get_async(struct ofp_session *s, of_object_t *msg)
{
    of_async_get_reply_t *r = of_async_get_reply_new(
        (of_version_t) s->version);

    (void) msg;
    if (r) {
        of_object_xid_set(r, ofp_session_xid(s));
        if (s->version < OF_VERSION_1_4) {
            reply_13(ofp_session_channel(s), r);
        } else if (reply_14(ofp_session_channel(s), r)) {
            of_object_delete(r);
            r = NULL;
        }
    }
    ofp_session_send(s, r);
    return OFP_OK;
}

enum ofp_err
ofp_handle_set_async(struct ofp_session *s, of_object_t *msg)
{
    struct ofp_session *ch = ofp_session_channel(s);
    uint32_t m[OFP_N_ASYNC][2];
    enum ofp_err err = OFP_OK;

    memcpy(m, ch->async, sizeof m);
    if (s->version < OF_VERSION_1_4)
        take_13(msg, m);
    else
        err = take_14(s->version, msg, m);
    if (err)
        return err;
    memcpy(ch->async, m, sizeof m);
    ofp_sessions_changed(s->b);
    return OFP_OK;
}
