/* SPDX-License-Identifier: Apache-2.0 */
/* Bundle control and bundle add, of 1.4 and, as ONF's extension, of 1.3.
 * MSG_CONFLICT is never sent: messages are applied in their order, asked for
 * or not, and each to what those before it made, so none conflict.  Nor is a
 * bundle refused for another one under way (IN_PROGRESS), but when it is the
 * same one: any number of connections may have bundles (§6.9.4).
 * Source: OpenFlow 1.4.1 §6.9, §7.3.9, §7.5.4.18; ONF EXT-230; OpenFlow
 * 1.5.1 §7.3.9 for times. */
#include "ofproto/bundle.h"
#include "ofproto/handlers/handlers_priv.h"
#include "utils/base/clock.h"

#define HEADER 8 /* Of a message. */

enum { OPEN_REQUEST = 0, CLOSE_REQUEST = 2, COMMIT_REQUEST = 4,
       DISCARD_REQUEST = 6 };
enum { TIMED = 1 << 2 }; /* OFPBF_TIME of 1.5. */
#define PROP_TIME 1      /* OFPBPT_TIME of 1.5 */
#define PROP_TIME_LEN 24
#define PROP_EXPERIMENTER 0xffff

struct control {
    uint32_t id;
    uint16_t type, flags;
    bool onf;
    bool has_time;
    uint64_t tai_ns; /* With 'has_time'. */
};

/* The flags that make a bundle what it is: OFPBF_TIME is the commit's. */
static uint16_t
lasting(const struct ofp_session *s, uint16_t flags)
{
    return s->version >= OF_VERSION_1_5 ? flags & (uint16_t) ~TIMED : flags;
}

/* OpenFlow 1.5.1 §7.3.9.3. */
static enum ofp_err
take_properties(of_object_t *msg, struct control *c)
{
    of_list_bundle_prop_t list;
    of_bundle_prop_t prop;
    int rv;

    if (c->onf)
        of_onf_bundle_ctrl_msg_properties_bind(msg, &list);
    else
        of_bundle_ctrl_msg_properties_bind(msg, &list);
    OF_LIST_BUNDLE_PROP_ITER (&list, &prop, rv) {
        of_time_t t;

        if (prop.object_id == OF_BUNDLE_PROP_EXPERIMENTER)
            return OFP_ERR_PROP_BAD_EXPERIMENTER;
        if (prop.object_id != OF_BUNDLE_PROP_TIME)
            return OFP_ERR_PROP_BAD_TYPE;
        if (c->has_time)
            return OFP_ERR_PROP_DUP_TYPE;
        of_bundle_prop_time_scheduled_time_bind(&prop, &t);
        c->has_time = true;
        if (!ofp_time_take(&t, &c->tai_ns))
            return OFP_ERR_PROP_BAD_VALUE;
    }
    return OFP_OK;
}

static enum ofp_err
take_control(of_object_t *msg, struct control *c)
{
    *c = (struct control) { 0 };
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
    return take_properties(msg, c);
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

    if (bu && ofp_bundle_is_scheduled(bu))
        return OFP_ERR_BUNDLE_IN_PROGRESS;
    if (bu)
        return spoilt(s, bu, OFP_ERR_BUNDLE_EXIST);
    if (lasting(s, c->flags) & ~OFP_BF_ALL)
        return OFP_ERR_BUNDLE_BAD_FLAGS;
    return ofp_bundle_open(s, c->id, lasting(s, c->flags), &bu);
}

/* §7.3.9.5, §7.3.9.6. */
static enum ofp_err
control_known(struct ofp_session *s, const struct control *c,
              struct ofp_bundle *bu)
{
    if (!bu)
        return OFP_ERR_BUNDLE_BAD_ID;
    if (ofp_bundle_is_scheduled(bu)) /* May still be cancelled. */
        return c->type == DISCARD_REQUEST ? OFP_OK
                                          : OFP_ERR_BUNDLE_IN_PROGRESS;
    if (c->type != DISCARD_REQUEST
        && lasting(s, c->flags) != ofp_bundle_flags(bu))
        return spoilt(s, bu, OFP_ERR_BUNDLE_BAD_FLAGS);
    if (c->type == CLOSE_REQUEST && ofp_bundle_is_closed(bu))
        return spoilt(s, bu, OFP_ERR_BUNDLE_CLOSED);
    return OFP_OK;
}

/* OpenFlow 1.5.1 §7.3.9.5: what lies in the past, but not too far, is
 * committed at once.  The reply comes when it is done. */
static enum ofp_err
control_commit(struct ofp_session *s, const struct control *c,
               struct ofp_bundle *bu)
{
    uint64_t now = base_clock_tai_ns();

    if (s->version < OF_VERSION_1_5 || !(c->flags & TIMED)) {
        ofp_bundle_commit(s, bu, reply_new(s, c));
        return OFP_OK;
    }
    if (!c->has_time)
        return spoilt(s, bu, OFP_ERR_BUNDLE_BAD_FLAGS);
    if (c->tai_ns > now && c->tai_ns - now > s->b->sched_future_ns)
        return spoilt(s, bu, OFP_ERR_BUNDLE_SCHED_FUTURE);
    if (c->tai_ns < now && now - c->tai_ns > s->b->sched_past_ns)
        return spoilt(s, bu, OFP_ERR_BUNDLE_SCHED_PAST);
    if (c->tai_ns <= now)
        ofp_bundle_commit(s, bu, reply_new(s, c));
    else
        ofp_bundle_schedule(s, bu, reply_new(s, c),
                            base_clock_ns() + (c->tai_ns - now));
    return OFP_OK;
}

enum ofp_err
ofp_handle_bundle_ctrl(struct ofp_session *s, of_object_t *msg)
{
    struct ofp_bundle *bu;
    struct control c;
    enum ofp_err err = take_control(msg, &c);

    if (err)
        return err;
    if (c.type > DISCARD_REQUEST || c.type % 2)
        return OFP_ERR_BUNDLE_BAD_TYPE;
    bu = ofp_bundle_find(s, c.id);
    err = c.type == OPEN_REQUEST ? control_open(s, &c)
                                 : control_known(s, &c, bu);
    if (err)
        return err;
    switch (c.type) {
    case COMMIT_REQUEST:
        return control_commit(s, &c, bu);
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

/* Experimenters' properties are not known.  A time says nothing here: that of
 * the commit counts. */
static enum ofp_err
check_properties(const struct ofp_session *s, const uint8_t *p, size_t n)
{
    for (; n; p += PROP_TIME_LEN, n -= PROP_TIME_LEN) {
        if (n < 4 || get_be16(p + 2) < 4 || get_be16(p + 2) > n)
            return OFP_ERR_PROP_BAD_LEN;
        if (get_be16(p) == PROP_EXPERIMENTER)
            return OFP_ERR_PROP_BAD_EXPERIMENTER;
        if (s->version < OF_VERSION_1_5 || get_be16(p) != PROP_TIME)
            return OFP_ERR_PROP_BAD_TYPE;
        if (get_be16(p + 2) != PROP_TIME_LEN)
            return OFP_ERR_PROP_BAD_LEN;
    }
    return OFP_OK;
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
    if (*bu && ofp_bundle_is_scheduled(*bu))
        return OFP_ERR_BUNDLE_IN_PROGRESS;
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
    err = add_bundle(s, id, lasting(s, flags), &bu);
    if (err)
        return err;
    ofp_bundle_touch(bu);
    len = data.bytes >= HEADER ? get_be16(data.data + 2) : 0;
    if (len < HEADER || len > (size_t) data.bytes)
        return OFP_ERR_BUNDLE_MSG_BAD_LEN;
    padded = WEFT_MIN((len + 7) / 8 * 8, (size_t) data.bytes);
    err = check_properties(s, data.data + padded, (size_t) data.bytes - padded);
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
