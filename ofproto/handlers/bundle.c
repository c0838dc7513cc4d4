/* SPDX-License-Identifier: Apache-2.0 */
/* Bundle control and bundle add, of 1.4 and, as ONF's extension, of 1.3.
 * Source: OpenFlow 1.4.1 §6.9, §7.3.9, §7.5.4.18; ONF EXT-230. */
#include "ofproto/bundle.h"
#include "ofproto/handlers/handlers_priv.h"

#define HEADER 8 /* Of a message. */

enum { OPEN_REQUEST = 0, CLOSE_REQUEST = 2, COMMIT_REQUEST = 4,
       DISCARD_REQUEST = 6 };
enum { TIMED = 1 << 2 }; /* OFPBF_TIME of 1.5. */

struct control {
    uint32_t id;
    uint16_t type, flags;
    bool onf;
};

static void
take_control(of_object_t *msg, struct control *c)
{
    c->onf = msg->object_id == OF_ONF_BUNDLE_CTRL_MSG;
    if (c->onf) {
        of_onf_bundle_ctrl_msg_bundle_id_get(msg, &c->id);
        of_onf_bundle_ctrl_msg_bundle_ctrl_type_get(msg, &c->type);
        of_onf_bundle_ctrl_msg_flags_get(msg, &c->flags);
    } else {
        of_bundle_ctrl_msg_bundle_id_get(msg, &c->id);
        of_bundle_ctrl_msg_bundle_ctrl_type_get(msg, &c->type);
        of_bundle_ctrl_msg_flags_get(msg, &c->flags);
    }
}

/* The answer to 'c'; NULL: no memory. */
static of_object_t *
reply_new(struct ofp_session *s, const struct control *c)
{
    of_object_t *r = of_object_create((of_version_t) s->version,
                                      c->onf ? OF_ONF_BUNDLE_CTRL_MSG
                                             : OF_BUNDLE_CTRL_MSG);

    if (!r)
        return NULL;
    of_object_xid_set(r, ofp_session_xid(s));
    if (c->onf) {
        of_onf_bundle_ctrl_msg_bundle_id_set(r, c->id);
        of_onf_bundle_ctrl_msg_bundle_ctrl_type_set(
            r, (uint16_t) (c->type + 1));
        of_onf_bundle_ctrl_msg_flags_set(r, c->flags);
    } else {
        of_bundle_ctrl_msg_bundle_id_set(r, c->id);
        of_bundle_ctrl_msg_bundle_ctrl_type_set(r, (uint16_t) (c->type + 1));
        of_bundle_ctrl_msg_flags_set(r, c->flags);
    }
    return r;
}

/* A fault that costs the bundle its life, too. */
static enum ofp_err
spoilt(struct ofp_session *s, struct ofp_bundle *bu, enum ofp_err err)
{
    ofp_bundle_discard(s, bu);
    return err;
}

/* §7.3.9.4: an id that is taken costs the bundle that has it. */
static enum ofp_err
control_open(struct ofp_session *s, const struct control *c)
{
    struct ofp_bundle *bu = ofp_bundle_find(s, c->id);

    if (bu)
        return spoilt(s, bu, OFP_ERR_BUNDLE_EXIST);
    if (s->version >= OF_VERSION_1_5 && c->flags & TIMED)
        return OFP_ERR_BUNDLE_SCHED_NOT_SUPPORTED; /* 1.5.1 §7.3.9.4 */
    if (c->flags & ~OFP_BF_ALL)
        return OFP_ERR_BUNDLE_BAD_FLAGS;
    return ofp_bundle_open(s, c->id, c->flags, &bu);
}

/* §7.3.9.5, §7.3.9.6. */
static enum ofp_err
control_known(struct ofp_session *s, const struct control *c,
              struct ofp_bundle *bu)
{
    if (!bu)
        return OFP_ERR_BUNDLE_BAD_ID;
    if (s->version >= OF_VERSION_1_5 && c->flags & TIMED
        && c->type == COMMIT_REQUEST)
        return spoilt(s, bu, OFP_ERR_BUNDLE_SCHED_NOT_SUPPORTED);
    if (c->type != DISCARD_REQUEST && c->flags != ofp_bundle_flags(bu))
        return spoilt(s, bu, OFP_ERR_BUNDLE_BAD_FLAGS);
    if (c->type == CLOSE_REQUEST && ofp_bundle_is_closed(bu))
        return spoilt(s, bu, OFP_ERR_BUNDLE_CLOSED);
    return OFP_OK;
}

enum ofp_err
ofp_handle_bundle_ctrl(struct ofp_session *s, of_object_t *msg)
{
    struct ofp_bundle *bu;
    struct control c;
    enum ofp_err err;

    take_control(msg, &c);
    if (c.type > DISCARD_REQUEST || c.type % 2)
        return OFP_ERR_BUNDLE_BAD_TYPE;
    bu = ofp_bundle_find(s, c.id);
    err = c.type == OPEN_REQUEST ? control_open(s, &c)
                                 : control_known(s, &c, bu);
    if (err)
        return err;
    switch (c.type) {
    case COMMIT_REQUEST:
        ofp_bundle_commit(s, bu, reply_new(s, &c));
        return OFP_OK;
    case DISCARD_REQUEST:
        ofp_bundle_discard(s, bu);
        break;
    case CLOSE_REQUEST:
        ofp_bundle_close(bu);
        ofp_bundle_touch(bu);
        break;
    }
    ofp_session_send(s, reply_new(s, &c));
    return OFP_OK;
}

/* --------------------------------------------------------------------- add */

/* Experimenters' properties are not known, others not defined. */
static enum ofp_err
check_properties(const uint8_t *p, size_t n)
{
    if (!n)
        return OFP_OK;
    if (n < 4 || get_be16(p + 2) < 4 || get_be16(p + 2) > n)
        return OFP_ERR_PROP_BAD_LEN;
    return get_be16(p) == 0xffff ? OFP_ERR_PROP_BAD_EXPERIMENTER
                                 : OFP_ERR_PROP_BAD_TYPE;
}

/* The numbers are the same from 1.3 on: packet-out, flow-mod, group-mod,
 * port-mod, table-mod; meter-mod. */
static bool
type_supported(uint8_t type)
{
    return (type >= 13 && type <= 17) || type == 29;
}

/* The message's form; sends errors of the parser itself and sets *sent. */
static enum ofp_err
check_message(struct ofp_session *s, const uint8_t *msg, size_t len,
              bool *sent)
{
    of_object_storage_t storage;
    struct of_parse_err perr;
    of_object_t *obj;

    *sent = false;
    if (msg[0] != s->version)
        return OFP_ERR_REQ_BAD_VERSION;
    if (get_be32(msg + 4) != ofp_session_xid(s))
        return OFP_ERR_BUNDLE_MSG_BAD_XID;
    obj = of_object_parse(&storage, (uint8_t *) (uintptr_t) msg, (int) len,
                          &perr);
    if (obj && type_supported(msg[1]))
        return OFP_OK;
    if (obj)
        return ofp_handler_find(obj->object_id) ? OFP_ERR_BUNDLE_MSG_UNSUP
                                                : OFP_ERR_REQ_BAD_TYPE;
    ofp_session_error_code(s, perr.type, perr.code, msg, len);
    *sent = true;
    return OFP_ERR_REQ_BAD_LEN;
}

/* The bundle to add to; it is opened if there is none (§7.3.9.7). */
static enum ofp_err
add_bundle(struct ofp_session *s, uint32_t id, uint16_t flags,
           struct ofp_bundle **bu)
{
    *bu = ofp_bundle_find(s, id);
    if (*bu && ofp_bundle_is_closed(*bu))
        return spoilt(s, *bu, OFP_ERR_BUNDLE_CLOSED);
    if (*bu && flags != ofp_bundle_flags(*bu))
        return spoilt(s, *bu, OFP_ERR_BUNDLE_BAD_FLAGS);
    if (flags & ~OFP_BF_ALL)
        return OFP_ERR_BUNDLE_BAD_FLAGS;
    return *bu ? OFP_OK : ofp_bundle_open(s, id, flags, bu);
}

enum ofp_err
ofp_handle_bundle_add(struct ofp_session *s, of_object_t *msg)
{
    struct ofp_bundle *bu;
    of_octets_t data;
    uint16_t flags;
    uint32_t id;
    size_t len, padded;
    enum ofp_err err;
    bool sent;

    if (msg->object_id == OF_ONF_BUNDLE_ADD_MSG) {
        of_onf_bundle_add_msg_bundle_id_get(msg, &id);
        of_onf_bundle_add_msg_flags_get(msg, &flags);
        of_onf_bundle_add_msg_data_get(msg, &data);
    } else {
        of_bundle_add_msg_bundle_id_get(msg, &id);
        of_bundle_add_msg_flags_get(msg, &flags);
        of_bundle_add_msg_data_get(msg, &data);
    }
    err = add_bundle(s, id, flags, &bu);
    if (err)
        return err;
    ofp_bundle_touch(bu);
    len = data.bytes >= HEADER ? get_be16(data.data + 2) : 0;
    if (len < HEADER || len > (size_t) data.bytes)
        return OFP_ERR_BUNDLE_MSG_BAD_LEN;
    padded = WEFT_MIN((len + 7) / 8 * 8, (size_t) data.bytes);
    err = check_properties(data.data + padded, (size_t) data.bytes - padded);
    if (!err)
        err = check_message(s, data.data, len, &sent);
    else
        sent = false;
    if (!err)
        err = ofp_bundle_add(s, bu, data.data, len);
    if (!err || sent)
        return OFP_OK;
    /* About the message inside (§7.3.9.7), which has the same xid. */
    ofp_session_error(s, err, data.data, len);
    return OFP_OK;
}
