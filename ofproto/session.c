/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: hello, dispatch, order, errors.  See agent_priv.h. */
#include "ofproto/agent_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "ofproto/monitor.h"
#include "utils/base/mem.h"

#define OFPT_HELLO 0
#define OFPT_ERROR 1
#define OFPT_ECHO_REQUEST 2
#define OFPT_MULTIPART_REQUEST 18 /* From 1.3 on. */
#define ERROR_DATA_LEN 64 /* "At least 64 bytes", OpenFlow 1.3.5 §7.4.4. */

struct input {
    struct base_list link;
    size_t len;
    uint8_t msg[];
};

/* ------------------------------------------------------------------ send */

/* The connection is closed by the next ofp_flush: closed() must not come
 * while a handler still holds the session. */
static void
session_fail(struct ofp_session *s, const char *why)
{
    s->closing = true;
    s->why = why;
}

void
ofp_session_send_raw(struct ofp_session *s, const void *msg, size_t len)
{
    if (!s->closing && s->conn->ops->send(s->conn, msg, len))
        s->closing = true; /* Full or gone: closed() follows. */
}

void
ofp_session_send(struct ofp_session *s, of_object_t *msg)
{
    if (!msg) {
        session_fail(s, "out of memory for a reply");
        return;
    }
    ofp_session_send_raw(s, OF_OBJECT_BUFFER_INDEX(msg, 0),
                         (size_t) msg->length);
    of_object_delete(msg);
}

static void
send_error(struct ofp_session *s, uint8_t version, uint32_t xid,
           const uint16_t type_code[2], const void *data, size_t len)
{
    uint8_t msg[16 + ERROR_DATA_LEN];
    size_t at = 12;

    len = WEFT_MIN(len, (size_t) ERROR_DATA_LEN);
    msg[0] = version;
    msg[1] = OFPT_ERROR;
    put_be32(msg + 4, xid);
    put_be16(msg + 8, type_code[0]);
    put_be16(msg + 10, type_code[1]);
    if (type_code[0] == OFP_ET_EXPERIMENTER) {
        put_be32(msg + at, OFP_ONF_EXPERIMENTER);
        at += 4;
    }
    put_be16(msg + 2, (uint16_t) (at + len));
    memcpy(msg + at, data, len);
    s->b->stats.errors_sent++;
    ofp_session_send_raw(s, msg, at + len);
}

void
ofp_session_error(struct ofp_session *s, enum ofp_err err,
                  const uint8_t *head, size_t len)
{
    static struct base_ratelimit rl = BASE_RATELIMIT(20, 60);
    uint16_t tc[2];

    if (s->error_to) {
        *s->error_to = err;
        return;
    }
    ofp_err_encode(err, s->version, &tc[0], &tc[1]);
    base_log_rl(&rl, BASE_LOG_INFO, OFP_LOG,
                "%s: %s: message type %u refused: %s", s->b->name,
                s->conn->peer, head[1], ofp_err_name(err));
    send_error(s, s->version, get_be32(head + 4), tc, head, len);
}

void
ofp_session_error_code(struct ofp_session *s, uint16_t type, uint16_t code,
                       const uint8_t *head, size_t len)
{
    send_error(s, s->version, get_be32(head + 4),
               (const uint16_t[2]) { type, code }, head, len);
}

/* ----------------------------------------------------------------- hello */

static const char *const role_names[] = { "", "equal", "master", "slave" };

/* An auxiliary connection speaks what the main one speaks. */
static uint32_t
versions_offered(const struct ofp_session *s)
{
    return s->main ? 1u << s->main->version : s->b->versions;
}

/* Refuses the peer before the handshake is done. */
static int
hello_refuse(struct ofp_session *s, const uint8_t *msg, const uint16_t tc[2],
             const void *data, size_t len, const char *why)
{
    uint8_t ours = (uint8_t) (31 - __builtin_clz(versions_offered(s)));

    send_error(s, ours, get_be32(msg + 4), tc, data, len);
    base_log(BASE_LOG_WARN, OFP_LOG, "%s: %s: %s (type %u, version %u)",
             s->b->name, s->conn->peer, why, msg[1], msg[0]);
    return -EPROTO;
}

/* OpenFlow 1.3.5 §6.3.1.  The first message decides. */
static int
hello(struct ofp_session *s, const uint8_t *msg, size_t len)
{
    static const char text[] = "no OpenFlow version in common";
    static const uint16_t bad_type[2] = { 1, 1 };
    struct of_parse_err perr;
    int v;

    if (msg[1] != OFPT_HELLO)
        return hello_refuse(s, msg, bad_type, msg, len,
                            "first message is no HELLO");
    v = of_hello_negotiate(msg, (int) len, versions_offered(s), &perr);
    if (v < 0) {
        uint16_t tc[2] = { perr.type, perr.code };
        bool incompatible = !perr.type; /* Carries a text, §7.4.4. */

        return hello_refuse(s, msg, tc, incompatible ? (const void *) text : msg,
                            incompatible ? sizeof text - 1 : len, text);
    }
    s->version = (uint8_t) v;
    s->conn->ops->established(s->conn, s->version);
    s->conn->ops->role(s->conn, role_names[ofp_session_channel(s)->role]);
    if (!s->conn->service && !s->main)
        ofp_session_is_controller(s);
    return 0;
}

static void
send_hello(struct ofp_session *s)
{
    uint32_t versions = versions_offered(s);
    uint8_t msg[16] = { (uint8_t) (31 - __builtin_clz(versions)), OFPT_HELLO,
                        0, 16, 0, 0, 0, 0, 0, 1, 0, 8 };

    put_be32(msg + 12, versions); /* OFPHET_VERSIONBITMAP */
    ofp_session_send_raw(s, msg, sizeof msg);
}

/* -------------------------------------------------------------- dispatch */

/* The peer's ERROR is never answered by one of ours. */
static void
log_error(struct ofp_session *s, const uint8_t *msg, size_t len)
{
    static struct base_ratelimit rl = BASE_RATELIMIT(5, 60);

    base_log_rl(&rl, BASE_LOG_WARN, OFP_LOG,
                "%s: %s sent an error: type %u, code %u", s->b->name,
                s->conn->peer, len >= 12 ? get_be16(msg + 8) : 0,
                len >= 12 ? get_be16(msg + 10) : 0);
}

/* Who changes rules from now on: see ofp_bridge.actor. */
static void
actor_set(struct ofp_bridge *b, struct ofp_session *s, uint32_t xid)
{
    b->actor = s ? ofp_session_channel(s) : NULL;
    b->actor_xid = xid;
}

static enum ofp_err
handle_object(struct ofp_session *s, of_object_t *obj, const uint8_t *msg,
              size_t len)
{
    const struct ofp_handler *h = ofp_handler_find(obj->object_id);
    enum ofp_err err;

    if (!h)
        return msg[1] == OFPT_MULTIPART_REQUEST
                       && s->version != OF_VERSION_1_0
                   ? OFP_ERR_REQ_BAD_MULTIPART
                   : OFP_ERR_REQ_BAD_TYPE;
    if (ofp_session_channel(s)->role == OFP_ROLE_SLAVE && !h->as_slave)
        return OFP_ERR_REQ_IS_SLAVE;
    s->msg = msg;
    s->msg_len = len;
    actor_set(s->b, s, get_be32(msg + 4));
    err = h->handle(s, obj);
    s->msg = NULL;
    return err;
}

enum ofp_err
ofp_session_handle_one(struct ofp_session *s, const uint8_t *msg, size_t len)
{
    of_object_storage_t storage;
    of_object_t *obj = of_object_bind_valid(
        &storage, (uint8_t *) (uintptr_t) msg, (int) len);

    return obj ? handle_object(s, obj, msg, len) : OFP_ERR_REQ_BAD_LEN;
}

static void
session_handle(struct ofp_session *s, const uint8_t *msg, size_t len)
{
    of_object_storage_t storage;
    struct of_parse_err perr;
    of_object_t *obj;
    enum ofp_err err;

    if (msg[1] == OFPT_ERROR) {
        log_error(s, msg, len);
        return;
    }
    if (msg[0] != s->version) {
        ofp_session_error(s, OFP_ERR_REQ_BAD_VERSION, msg, len);
        return;
    }
    if (msg[1] == OFPT_HELLO && s->version < OF_VERSION_1_3)
        return; /* 1.0.0 §5.5.1: its body, if any, is ignored. */
    /* The bindings lend the bytes and do not write to a bound message. */
    obj = of_object_parse(&storage, (uint8_t *) (uintptr_t) msg, (int) len,
                          &perr);
    if (!obj) {
        uint16_t tc[2] = { perr.type, perr.code };

        send_error(s, s->version, get_be32(msg + 4), tc, msg, len);
        return;
    }
    ofp_session_channel(s)->n_requests++;
    err = handle_object(s, obj, msg, len);
    actor_set(s->b, NULL, 0);
    if (err)
        ofp_session_error(s, err, msg, len);
}

void
ofp_session_start_late(struct ofp_session *s, struct ofp_job *job,
                       const uint8_t *request, size_t len)
{
    job->xid = get_be32(request + 4);
    job->head_len = (uint16_t) WEFT_MIN(len, sizeof job->head);
    memcpy(job->head, request, job->head_len);
    s->job = job;
}

void
ofp_session_start_job(struct ofp_session *s, struct ofp_job *job)
{
    ofp_session_start_late(s, job, s->msg, s->msg_len);
}

static bool
session_busy(const struct ofp_session *s)
{
    return s->job || s->barrier || s->b->txn;
}

/* Runs the job within the budget.  Returns true when it is done. */
static bool
session_run_job(struct ofp_session *s, enum ofp_step *step, unsigned *budget)
{
    actor_set(s->b, s, s->job->xid);
    if (s->closing)
        *step = OFP_STEP_DONE;
    else if (ofp_txn_holds(s->b, s))
        *step = OFP_STEP_BLOCKED;
    else
        *step = s->job->run(s->job, s, budget);
    actor_set(s->b, NULL, 0);
    if (*step != OFP_STEP_DONE)
        return false;
    s->job->destroy(s->job, s->b);
    s->job = NULL;
    return true;
}

static void
session_unpause(struct ofp_session *s)
{
    if (s->paused && s->input_bytes < OFP_INPUT_HIGH / 2) {
        s->paused = false;
        if (s->conn->ops->pause && !s->closing)
            s->conn->ops->pause(s->conn, false);
    }
}

bool
ofp_session_work(struct ofp_session *s)
{
    enum ofp_step step = OFP_STEP_DONE;
    unsigned budget = OFP_SLICE;

    if (s->working)
        return false;
    s->working = true;
    while (!s->job || session_run_job(s, &step, &budget)) {
        struct input *in;

        if (session_busy(s) || base_list_empty(&s->input) || !budget)
            break;
        in = WEFT_CONTAINER_OF(s->input.next, struct input, link);
        base_list_del(&in->link);
        s->input_bytes -= in->len;
        if (!s->closing)
            session_handle(s, in->msg, in->len);
        free(in);
        budget -= WEFT_MIN(budget, 2u * OFP_COST_ACT);
    }
    s->working = false;
    session_unpause(s);
    return step == OFP_STEP_MORE
           || (!session_busy(s) && !base_list_empty(&s->input));
}

/* Keeps a message for later; nonzero when the peer has gone too far. */
static int
session_enqueue(struct ofp_session *s, const uint8_t *msg, size_t len)
{
    struct input *in;

    if (s->input_bytes + len > OFP_INPUT_MAX) {
        base_log(BASE_LOG_WARN, OFP_LOG,
                 "%s: %s: more than %u MiB of messages wait for a barrier or"
                 " a reply: closing", s->b->name, s->conn->peer,
                 OFP_INPUT_MAX >> 20);
        return -ENOBUFS;
    }
    in = base_xmalloc(sizeof *in + len);
    in->len = len;
    memcpy(in->msg, msg, len);
    base_list_add_tail(&s->input, &in->link);
    s->input_bytes += len;
    if (!s->paused && s->input_bytes > OFP_INPUT_HIGH && s->conn->ops->pause) {
        s->paused = true;
        s->conn->ops->pause(s->conn, true);
    }
    return 0;
}

/* ------------------------------------------------------ ofconn_agent calls */

static struct ofp_session *
session_of(struct ofp_bridge *b, const struct ofconn *conn)
{
    struct ofp_session *s;

    BASE_LIST_FOR(s, &b->sessions, link)
        if (s->conn == conn)
            return s;
    return NULL;
}

static void *
session_opened(void *arg, struct ofconn *conn)
{
    struct ofp_bridge *b = arg;
    struct ofp_session *s, *main = NULL;

    if (conn->aux) {
        main = session_of(b, conn->main);
        if (!main || !main->version || main->closing)
            return NULL;
    }
    BASE_NEW(s);
    s->b = b;
    s->conn = conn;
    s->main = main;
    s->role = OFP_ROLE_EQUAL;
    s->miss_send_len = OF_DEFAULT_MISS_SEND_LEN;
    base_list_init(&s->input);
    base_list_init(&s->bundles);
    ofp_async_init(s);
    base_list_add_tail(&b->sessions, &s->link);
    b->stats.n_sessions++;
    send_hello(s);
    return s;
}

/* Somebody's transaction keeps nobody from being heard. */
static bool
is_free_echo(const struct ofp_session *s, const uint8_t *msg)
{
    return msg[1] == OFPT_ECHO_REQUEST && !s->job && !s->barrier;
}

static int
session_message(void *session, const uint8_t *msg, size_t len)
{
    struct ofp_session *s = session;

    if (s->closing)
        return -ECONNABORTED;
    if (!s->version)
        return hello(s, msg, len);
    if (s->working || !base_list_empty(&s->input)
        || (session_busy(s) && !is_free_echo(s, msg)))
        return session_enqueue(s, msg, len);
    s->working = true;
    session_handle(s, msg, len);
    s->working = false;
    if (s->job)
        ofp_session_work(s);
    return s->closing ? -ECONNABORTED : 0;
}

static void
session_writable(void *session)
{
    ofp_session_work(session);
    ofp_monitor_work(session);
}

void
ofp_session_destroy(struct ofp_session *s)
{
    struct ofp_bridge *b = s->b;
    struct input *in, *tmp;

    s->closing = true; /* Ending a job may have something to tell. */
    ofp_txn_session_gone(b, s);
    ofp_controller_status_tell(s, OFP_CSR_CHANNEL_STATUS);
    if (s->job)
        s->job->destroy(s->job, b);
    ofp_bundles_discard(s);
    ofp_monitors_destroy(s);
    ofp_features_request_drop(s);
    BASE_LIST_FOR_SAFE(in, tmp, &s->input, link)
        free(in);
    base_list_del(&s->link);
    b->stats.n_sessions--;
    free(s);
    ofp_sessions_changed(b);
}

static void
session_closed(void *session)
{
    ofp_session_destroy(session);
}

void
ofp_session_agent_init(struct ofp_bridge *b)
{
    b->agent = (struct ofconn_agent) {
        .arg = b,
        .opened = session_opened,
        .message = session_message,
        .writable = session_writable,
        .closed = session_closed,
    };
}

/* ------------------------------------------------------------- questions */

bool
ofp_session_wants(const struct ofp_session *s, enum ofp_async kind,
                  unsigned reason)
{
    bool slave = s->role == OFP_ROLE_SLAVE;

    return s->version && !s->closing && !s->main && reason < 32
           && s->async[kind][slave] >> reason & 1;
}

void
ofp_session_synced(struct ofp_session *s)
{
    of_object_t *reply;

    if (!s->barrier || !s->barrier_seq
        || s->barrier_seq > s->b->synced_seq)
        return;
    s->barrier = false;
    reply = of_barrier_reply_new((of_version_t) s->version);
    if (reply)
        of_object_xid_set(reply, s->barrier_xid);
    ofp_session_send(s, reply);
    ofp_session_work(s);
}

void
ofp_session_set_role(struct ofp_session *s, enum ofp_role role)
{
    struct ofp_session *channel = ofp_session_channel(s), *o;

    if (channel->role == role)
        return;
    channel->role = role;
    BASE_LIST_FOR(o, &s->b->sessions, link)
        if (ofp_session_channel(o) == channel && o->version)
            o->conn->ops->role(o->conn, role_names[role]);
    ofp_controller_status_tell(channel, OFP_CSR_ROLE);
}

/* FNV-1a */
static uint32_t
hash_bytes(uint32_t h, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 16777619u;
    return h;
}

/* Of what no packet of a flow differs in: addresses and type. */
static uint32_t
frame_hash(const uint8_t *p, size_t len)
{
    uint32_t h = hash_bytes(2166136261u, p, WEFT_MIN(len, (size_t) 14));

    if (len >= 34 && get_be16(p + 12) == 0x0800)
        h = hash_bytes(h, p + 26, 8);
    else if (len >= 54 && get_be16(p + 12) == 0x86dd)
        h = hash_bytes(h, p + 22, 32);
    return h ^ h >> 16;
}

struct ofp_session *
ofp_session_for_frame(struct ofp_session *s, const uint8_t *frame, size_t len)
{
    struct ofp_session *aux[UINT8_MAX], *o;
    unsigned n = 0;

    BASE_LIST_FOR(o, &s->b->sessions, link)
        if (o->main == s && o->version && !o->closing)
            aux[n++] = o;
    return n ? aux[frame_hash(frame, len) % n] : s;
}

void
ofp_session_is_controller(struct ofp_session *s)
{
    if (s->controller)
        return;
    s->controller = true;
    ofp_sessions_changed(s->b);
    ofp_controller_status_tell(s, OFP_CSR_CHANNEL_STATUS);
}
