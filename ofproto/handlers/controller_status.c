/* SPDX-License-Identifier: Apache-2.0 */
/* What controllers hear of each other.
 * Source: OpenFlow 1.5.1 §7.3.5.21, §7.4.6. */
#include "ofproto/handlers/handlers_priv.h"

#define CHANNEL_UP 0 /* OFPCT_STATUS_* */
#define CHANNEL_DOWN 1

/* A channel whose status is told: a controller's main connection. */
static bool
is_channel(const struct ofp_session *s)
{
    return s->controller && !s->main && s->version;
}

static int
uri_append(of_controller_status_entry_t *e, const char *peer)
{
    of_octets_t uri = { (uint8_t *) (uintptr_t) peer, (int) strlen(peer) };
    of_list_controller_status_prop_t props;
    of_controller_status_prop_uri_t p;
    int err;

    of_controller_status_entry_properties_bind(e, &props);
    of_controller_status_prop_uri_init(&p, e->version, -1, 1);
    err = of_list_controller_status_prop_append_bind(&props, &p);
    return err ? err : of_controller_status_prop_uri_uri_set(&p, &uri);
}

static int
entry_fill(of_controller_status_entry_t *e, const struct ofp_session *about,
           enum ofp_controller_reason why)
{
    of_controller_status_entry_short_id_set(e, about->short_id);
    of_controller_status_entry_role_set(e, about->role);
    of_controller_status_entry_reason_set(e, (uint8_t) why);
    of_controller_status_entry_channel_status_set(
        e, about->closing ? CHANNEL_DOWN : CHANNEL_UP);
    return uri_append(e, about->conn->peer);
}

void
ofp_controller_status_tell(const struct ofp_session *about,
                           enum ofp_controller_reason why)
{
    struct ofp_session *s;

    if (!is_channel(about))
        return;
    BASE_LIST_FOR(s, &about->b->sessions, link) {
        of_controller_status_entry_t e;
        of_controller_status_t *m;

        if (s == about || s->version < OF_VERSION_1_5
            || !ofp_session_wants(s, OFP_ASYNC_CONT_STATUS, why))
            continue;
        m = of_controller_status_new((of_version_t) s->version);
        if (m) {
            of_controller_status_entry_bind(m, &e);
            if (entry_fill(&e, about, why)) {
                of_object_delete(m);
                m = NULL;
            }
        }
        ofp_session_send(s, m);
    }
}

enum ofp_err
ofp_handle_controller_status_stats(struct ofp_session *s, of_object_t *msg)
{
    const struct ofp_session *about;
    struct ofp_reply r;

    (void) msg;
    ofp_reply_begin(&r, s, OF_CONTROLLER_STATUS_STATS_REPLY,
                    ofp_session_xid(s));
    BASE_LIST_FOR(about, &s->b->sessions, link) {
        of_controller_status_entry_t *e;

        if (!is_channel(about) || about->closing)
            continue;
        e = of_controller_status_entry_new((of_version_t) s->version);
        if (e && !entry_fill(e, about, OFP_CSR_REQUEST))
            ofp_reply_append(&r, e);
        of_object_delete(e);
    }
    ofp_reply_end(&r);
    return OFP_OK;
}
