/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/text/text_client.h"

#include <errno.h>
#include <stdlib.h>

#include "ofproto/agent_priv.h"
#include "utils/base/mem.h"
#include "utils/base/str.h"

#define BUNDLE_ID 1
#define BUNDLE_FLAGS 3 /* Atomic and ordered. */

struct ofp_client {
    struct base_list node; /* In ofp_bridge.clients. */
    struct ofconn conn;
    struct ofp_session *s; /* NULL: gone. */
    ofp_client_cb *cb;
    void *arg;
    uint32_t xid;
    size_t backlog;        /* See ofp_client_backlog. */
    bool paused, failed;
};

/* ---------------------------------------------------- the connection's side */

static struct ofp_client *
client_of(const struct ofconn *c)
{
    return WEFT_CONTAINER_OF((void *) (uintptr_t) c, struct ofp_client, conn);
}

static int
conn_send(struct ofconn *conn, const void *msg, size_t len)
{
    struct ofp_client *c = client_of(conn);
    const uint8_t *p = msg;

    while (len >= 8 && get_be16(p + 2) >= 8 && get_be16(p + 2) <= len) {
        size_t n = get_be16(p + 2);

        c->cb(c->arg, p, n);
        p += n;
        len -= n;
    }
    return 0;
}

static size_t
conn_queued(const struct ofconn *conn)
{
    return client_of(conn)->backlog;
}

static void
conn_established(struct ofconn *conn, uint8_t version)
{
    (void) conn, (void) version;
}

static void
conn_role(struct ofconn *conn, const char *role)
{
    (void) conn, (void) role;
}

static void
conn_pause(struct ofconn *conn, bool paused)
{
    client_of(conn)->paused = paused;
}

static void
conn_close(struct ofconn *conn, const char *why)
{
    (void) why;
    client_of(conn)->failed = true;
}

static const struct ofconn_ops ops = {
    .send = conn_send,
    .queued = conn_queued,
    .established = conn_established,
    .role = conn_role,
    .pause = conn_pause,
    .close = conn_close,
};

/* -------------------------------------------------------------------- life */

static void
ignore(void *arg, const uint8_t *msg, size_t len)
{
    (void) arg, (void) msg, (void) len;
}

struct ofp_client *
ofp_client_open(struct ofp_bridge *b, ofp_client_cb *cb, void *arg)
{
    struct ofp_client *c;

    BASE_NEW(c);
    c->conn = (struct ofconn){ .ops = &ops, .peer = "command",
                               .service = true };
    c->cb = ignore; /* The agent's HELLO. */
    c->s = b->agent.opened(b->agent.arg, &c->conn);
    c->cb = cb;
    c->arg = arg;
    base_list_add_tail(&b->clients, &c->node);
    if (!c->s)
        return c;
    /* No handshake: what the bridge offers to controllers does not bind
     * operators. */
    c->s->version = (uint8_t) (31 - __builtin_clz(ofp_versions()));
    memset(c->s->async, 0, sizeof c->s->async);
    return c;
}

void
ofp_client_close(struct ofp_client *c)
{
    if (!c)
        return;
    if (c->s)
        ofp_session_destroy(c->s);
    base_list_del(&c->node);
    free(c);
}

void
ofp_clients_detach(struct ofp_bridge *b)
{
    struct ofp_client *c, *next;

    BASE_LIST_FOR_SAFE(c, next, &b->clients, node) {
        if (c->s)
            ofp_session_destroy(c->s);
        c->s = NULL;
        base_list_del(&c->node);
        base_list_init(&c->node);
    }
}

void
ofp_client_listen(struct ofp_client *c, bool all, bool invalid_ttl)
{
    if (!c->s)
        return;
    for (unsigned i = 0; i < OFP_N_ASYNC; i++)
        c->s->async[i][0] = all ? ~0u : 0;
    /* Controllers' requests are theirs. */
    c->s->async[OFP_ASYNC_REQUESTFORWARD][0] = 0;
    if (!invalid_ttl)
        c->s->async[OFP_ASYNC_PACKET_IN][0] &= ~(1u << DP_PUNT_INVALID_TTL);
    else
        c->s->async[OFP_ASYNC_PACKET_IN][0] |= 1u << DP_PUNT_INVALID_TTL;
    ofp_sessions_changed(c->s->b);
}

void
ofp_client_backlog(struct ofp_client *c, size_t bytes)
{
    bool was = c->backlog > OFP_OUTPUT_HIGH;

    c->backlog = bytes;
    if (was && bytes <= OFP_OUTPUT_HIGH && !ofp_client_gone(c))
        c->s->b->agent.writable(c->s);
}

/* ----------------------------------------------------------------- messages */

uint8_t
ofp_client_version(const struct ofp_client *c)
{
    return c->s ? c->s->version : 0;
}

bool
ofp_client_gone(const struct ofp_client *c)
{
    return !c->s || c->failed || c->s->closing;
}

bool
ofp_client_busy(const struct ofp_client *c)
{
    return c->paused;
}

uint32_t
ofp_client_send(struct ofp_client *c, of_object_t *msg)
{
    if (!msg)
        return 0;
    if (ofp_client_gone(c)) {
        of_object_delete(msg);
        return 0;
    }
    of_object_xid_set(msg, ++c->xid);
    if (c->s->b->agent.message(c->s, OF_OBJECT_BUFFER_INDEX(msg, 0),
                               (size_t) msg->length))
        c->failed = true;
    of_object_delete(msg);
    return c->failed ? 0 : c->xid;
}

/* Ready bytes; the xid is put in. */
static uint32_t
send_raw(struct ofp_client *c, uint8_t *msg, size_t len)
{
    if (ofp_client_gone(c))
        return 0;
    put_be32(msg + 4, ++c->xid);
    if (c->s->b->agent.message(c->s, msg, len))
        c->failed = true;
    return c->failed ? 0 : c->xid;
}

static void
bundle_head(const struct ofp_client *c, uint8_t *p, uint8_t type, size_t len)
{
    p[0] = ofp_client_version(c);
    p[1] = type;
    put_be16(p + 2, (uint16_t) len);
    put_be32(p + 8, BUNDLE_ID);
    put_be16(p + 14, BUNDLE_FLAGS);
}

uint32_t
ofp_client_bundle_ctrl(struct ofp_client *c, uint16_t what)
{
    uint8_t msg[16] = { 0 };

    bundle_head(c, msg, 33, sizeof msg);
    put_be16(msg + 12, what);
    return send_raw(c, msg, sizeof msg);
}

uint32_t
ofp_client_bundle_add(struct ofp_client *c, of_object_t *inner)
{
    size_t len = (size_t) inner->length;
    uint8_t *msg = base_xcalloc(1, 16 + len);
    uint32_t xid;

    bundle_head(c, msg, 34, 16 + len);
    /* Both have the same xid (OpenFlow 1.4.1 §7.3.9.6). */
    of_object_xid_set(inner, c->xid + 1);
    memcpy(msg + 16, OF_OBJECT_BUFFER_INDEX(inner, 0), len);
    of_object_delete(inner);
    xid = 16 + len <= OFP_MAX_MESSAGE ? send_raw(c, msg, 16 + len) : 0;
    free(msg);
    return xid;
}

uint32_t
ofp_client_barrier(struct ofp_client *c)
{
    if (ofp_client_gone(c))
        return 0;
    return ofp_client_send(
        c, of_barrier_request_new((of_version_t) c->s->version));
}

bool
ofp_client_flush(struct ofp_client *c)
{
    return c->s && ofp_flush(c->s->b);
}

bool
ofp_client_find_port(const struct ofp_client *c, const char *name,
                     uint32_t *port_no)
{
    struct dp_port_info info;

    if (!c->s)
        return false;
    for (uint32_t no = 0; (no = dp_port_next(c->s->b->dpb, no)) != 0;) {
        if (dp_port_get(c->s->b->dpb, no, &info) || strcmp(info.name, name))
            continue;
        *port_no = no;
        return true;
    }
    return false;
}

void
ofp_client_add_error(struct base_str *s, const uint8_t *msg, size_t len)
{
    uint16_t type = len >= 12 ? get_be16(msg + 8) : 0, t;
    uint16_t code = len >= 12 ? get_be16(msg + 10) : 0, c;

    for (unsigned i = OFP_OK + 1; i < N_OFP_ERR; i++) {
        ofp_err_encode((enum ofp_err) i, msg[0], &t, &c);
        if (t == type && c == code) {
            base_str_addf(s, "%s (OpenFlow error type %u, code %u)",
                          ofp_err_name((enum ofp_err) i), type, code);
            return;
        }
    }
    base_str_addf(s, "OpenFlow error type %u, code %u", type, code);
}
