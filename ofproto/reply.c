/* SPDX-License-Identifier: Apache-2.0 */
/* Matches in messages; multipart replies. */
#include "ofproto/agent_priv.h"

#include "ofproto/bindings/of_desc.h"
#include "ofproto/oxm.h"

#define MATCH3_HLEN 4 /* Type and length, §7.2.3.1. */

int
ofp_match_put(of_object_t *view, const struct flow_match *m)
{
    uint8_t oxm[OFP_OXM_MAX];
    size_t n;
    int err;

    if (view->version == OF_VERSION_1_0) {
        ofp_match10_write(m, OF_OBJECT_BUFFER_INDEX(view, 0));
        return 0;
    }
    n = ofp_oxm_write(m, (uint8_t) view->version, oxm);
    err = of_object_splice(view, MATCH3_HLEN,
                           (unsigned) view->length - MATCH3_HLEN,
                           (unsigned) n);
    if (!err)
        memcpy(OF_OBJECT_BUFFER_INDEX(view, MATCH3_HLEN), oxm, n);
    return err;
}

enum ofp_err
ofp_match_take(const of_object_t *view, struct flow_match *m)
{
    const uint8_t *p = OF_OBJECT_BUFFER_INDEX(view, 0);

    if (view->version == OF_VERSION_1_0) {
        ofp_match10_parse(p, m);
        return OFP_OK;
    }
    if (get_be16(p) != 1) /* OFPMT_OXM */
        return OFP_ERR_MATCH_BAD_TYPE;
    return ofp_oxm_parse(p + MATCH3_HLEN,
                         (size_t) view->length - MATCH3_HLEN,
                         (uint8_t) view->version, m);
}

/* -------------------------------------------------------------- multipart */

static bool
reply_open(struct ofp_reply *r)
{
    r->msg = of_object_create((of_version_t) r->s->version, r->id);
    if (!r->msg) {
        ofp_session_send(r->s, NULL);
        return false;
    }
    of_object_xid_set(r->msg, r->xid);
    return true;
}

void
ofp_reply_begin(struct ofp_reply *r, struct ofp_session *s, of_object_id_t id,
                uint32_t xid)
{
    *r = (struct ofp_reply) { .s = s, .id = id, .xid = xid };
}

void
ofp_reply_append(struct ofp_reply *r, const of_object_t *entry)
{
    /* An entry's length field may leave out its pad; its buffer does not. */
    unsigned size = (unsigned) entry->wbuf->current_bytes;

    if (r->msg && (unsigned) r->msg->length + size > OFP_MAX_MESSAGE) {
        put_be16(OF_OBJECT_BUFFER_INDEX(r->msg, 10), 1); /* REPLY_MORE */
        ofp_session_send(r->s, r->msg);
        r->msg = NULL;
    }
    if (!r->msg && !reply_open(r))
        return;
    /* Entries are whole and follow each other: appended as bytes. */
    if (of_object_splice(r->msg, (unsigned) r->msg->length, 0, size))
        return;
    memcpy(OF_OBJECT_BUFFER_INDEX(r->msg, r->msg->length - (int) size),
           entry->wbuf->buf, size);
}

void
ofp_reply_end(struct ofp_reply *r)
{
    if (!r->msg && !reply_open(r))
        return;
    ofp_session_send(r->s, r->msg);
    r->msg = NULL;
}

void
ofp_reply_abort(struct ofp_reply *r)
{
    of_object_delete(r->msg);
    r->msg = NULL;
}
