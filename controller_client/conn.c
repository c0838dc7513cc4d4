/* SPDX-License-Identifier: Apache-2.0 */
/* One connection: framing, output queue, keep-alive, orderly end. */
#include "controller_client/cc_priv.h"

#include <errno.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utils/base/clock.h"
#include "utils/base/mem.h"
#include "weft/be.h"

#define OFPT_ECHO_REQUEST 2 /* The same in every version. */
#define OFPT_ECHO_REPLY 3
#define NS_PER_S UINT64_C(1000000000)

static struct cc_conn *
conn_of(struct ofconn *of)
{
    return WEFT_CONTAINER_OF(of, struct cc_conn, of);
}

static void
timer_set(struct cc_conn *c, uint64_t ns)
{
    struct timeval tv = { .tv_sec = (time_t) (ns / NS_PER_S),
                          .tv_usec = (suseconds_t) (ns % NS_PER_S / 1000) };

    evtimer_add(c->timer, &tv);
}

static void
set_state(struct cc_conn *c, enum cc_conn_state state)
{
    c->state = state;
    c->since_ns = base_clock_ns();
}

/* ------------------------------------------------------------------- end */

void
cc_conn_close_session(struct cc_conn *c)
{
    void *session = c->session;

    c->session = NULL;
    if (session)
        c->cc->agent->closed(session);
}

/* From now on only cc_work() touches the connection. */
void
cc_conn_end(struct cc_conn *c, const char *fmt, ...)
{
    va_list ap;

    if (c->state == CC_DEAD)
        return;
    if (!c->end[0]) {
        va_start(ap, fmt);
        vsnprintf(c->end, sizeof c->end, fmt, ap);
        va_end(ap);
    }
    set_state(c, CC_DEAD);
    if (!c->of.aux)
        cc_aux_stop(c);
    cc_mark(c);
}

/* Sends what is queued, then ends.  A close() with unread input would make
 * the kernel reset the connection and the peer lose the last message, so
 * output is shut down first and input thrown away until the peer closes. */
static void
conn_drain(struct cc_conn *c, const char *why)
{
    if (c->state != CC_OPEN)
        return;
    snprintf(c->end, sizeof c->end, "%s", why);
    set_state(c, CC_DRAINING);
    if (!c->of.aux)
        cc_aux_stop(c);
    event_del(c->rd);
    timer_set(c, CC_DRAIN_S * NS_PER_S);
    cc_mark(c);
}

static void
conn_linger(struct cc_conn *c)
{
    cc_stream_shutdown(&c->stream);
    cc_conn_close_session(c);
    set_state(c, CC_LINGERING);
    timer_set(c, CC_LINGER_S * NS_PER_S);
    event_add(c->rd, NULL);
}

void
cc_conn_free(struct cc_conn *c)
{
    struct cc_target *t = c->target;

    base_list_del(&c->node);
    base_list_del(&c->dirty);
    t->n_conns--;
    if (!c->of.aux)
        cc_aux_stop(c);
    cc_conn_close_session(c);
    event_free(c->rd);
    event_free(c->wr);
    event_free(c->timer);
    event_free(c->resume);
    cc_stream_close(&c->stream);
    if (c->end[0] && c->of.aux)
        cc_aux_lost(c, c->end);
    else if (c->end[0])
        cc_target_lost(t, c->peer, c->end);
    free(c->rx);
    free(c->out);
    free(c);
}

/* ---------------------------------------------------------------- output */

/* Makes room for 'len' more bytes; false when the bound is reached. */
static bool
out_reserve(struct cc_conn *c, size_t len)
{
    size_t used = c->out_len - c->out_head;

    if (len > c->cc->cfg.max_queue || used > c->cc->cfg.max_queue - len)
        return false;
    if (c->out_cap - c->out_len >= len)
        return true;
    if (c->out_head >= used && c->out_cap - used >= len) {
        memcpy(c->out, c->out + c->out_head, used);
    } else {
        size_t cap = WEFT_MAX((used + len) * 2, (size_t) 16384);
        char *out = base_xmalloc(cap);

        if (used)
            memcpy(out, c->out + c->out_head, used);
        free(c->out);
        c->out = out;
        c->out_cap = cap;
    }
    c->out_head = 0;
    c->out_len = used;
    return true;
}

static int
op_send(struct ofconn *of, const void *msg, size_t len)
{
    struct cc_conn *c = conn_of(of);

    if (c->state != CC_OPEN)
        return -ENOTCONN;
    if (!out_reserve(c, len)) {
        cc_conn_end(c, "output queue is at its bound of %zu bytes: the peer "
                    "does not read", c->cc->cfg.max_queue);
        return -ENOBUFS;
    }
    memcpy(c->out + c->out_len, msg, len);
    c->out_len += len;
    c->tx_messages++;
    cc_mark(c);
    return 0;
}

static size_t
op_queued(const struct ofconn *of)
{
    const struct cc_conn *c = WEFT_CONTAINER_OF(of, struct cc_conn, of);

    return c->out_len - c->out_head;
}

static void
out_emptied(struct cc_conn *c)
{
    c->out_head = c->out_len = 0;
    if (c->out_cap > CC_LOW_MARK * 4) { /* A burst's memory is given back. */
        free(c->out);
        c->out = NULL;
        c->out_cap = 0;
    }
}

void
cc_conn_flush(struct cc_conn *c)
{
    size_t before = c->out_len - c->out_head, left = before;

    if (c->state != CC_OPEN && c->state != CC_DRAINING)
        return;
    for (unsigned i = 0; left && i < CC_WRITE_ROUNDS; i++) {
        ssize_t n = cc_stream_write(&c->stream, c->out + c->out_head, left);

        if (n == -EAGAIN)
            break;
        if (n < 0) {
            cc_conn_end(c, "send: %s", c->stream.fault
                                           ? c->stream.fault
                                           : strerror((int) -n));
            return;
        }
        c->out_head += (size_t) n;
        left -= (size_t) n;
    }

    if (left)
        event_add(c->wr, NULL);
    else
        out_emptied(c);
    if (c->state == CC_DRAINING) {
        if (!left)
            conn_linger(c);
    } else if (left < before && left < CC_LOW_MARK && c->session) {
        c->cc->agent->writable(c->session);
    }
}

/* ----------------------------------------------------------------- input */

/* One whole message; false when the connection takes no more. */
static bool
take_message(struct cc_conn *c, const uint8_t *m, size_t len)
{
    c->rx_messages++;
    if (m[1] == OFPT_ECHO_REPLY && c->probe_xid
        && get_be32(m + 4) == c->probe_xid)
        return true;
    if (c->cc->agent->message(c->session, m, len))
        conn_drain(c, "closed by the switch");
    return c->state == CC_OPEN;
}

struct slice {
    uint64_t start_ns;
    size_t bytes;
    unsigned messages;
};

static bool
slice_over(struct slice *s)
{
    if (s->bytes >= CC_SLICE_BYTES)
        return true;
    return s->messages % CC_SLICE_CHECK == 0
           && base_clock_ns() - s->start_ns >= CC_SLICE_NS;
}

/* Hands on the whole messages of the buffer, in place.  True when all are
 * gone, false when the slice is over or the connection is. */
static bool
take_messages(struct cc_conn *c, struct slice *s)
{
    while (c->rx_tail - c->rx_head >= CC_HEADER_LEN && !c->paused) {
        const uint8_t *m = c->rx + c->rx_head;
        size_t len = get_be16(m + 2);

        if (len < CC_HEADER_LEN) { /* OpenFlow 1.3.5 §7.1.1 */
            cc_conn_end(c, "message of type %u says length %zu, the header "
                        "alone has %u bytes", m[1], len, CC_HEADER_LEN);
            return false;
        }
        if (c->rx_tail - c->rx_head < len)
            break;
        c->rx_head += len;
        s->messages++;
        s->bytes += len;
        if (!take_message(c, m, len))
            return false;
        if (slice_over(s)) {
            static const struct timeval now;

            evtimer_add(c->resume, &now); /* After the others had a turn. */
            return false;
        }
    }
    return !c->paused;
}

static void
rx_compact(struct cc_conn *c)
{
    size_t left = c->rx_tail - c->rx_head;

    if (!left) {
        c->rx_head = c->rx_tail = 0;
    } else if (CC_RX_SIZE - c->rx_head < (64u << 10) + 1
               || CC_RX_SIZE - c->rx_tail < (32u << 10)) {
        memmove(c->rx, c->rx + c->rx_head, left);
        c->rx_head = 0;
        c->rx_tail = left;
    }
}

/* Reads and hands on until there is no more or the slice is over. */
static void
conn_receive(struct cc_conn *c)
{
    struct slice s = { .start_ns = base_clock_ns() };

    while (take_messages(c, &s)) {
        rx_compact(c);

        size_t room = CC_RX_SIZE - c->rx_tail;
        ssize_t n = cc_stream_read(&c->stream, c->rx + c->rx_tail, room);
        if (n == -EAGAIN) {
            if (c->stream.want_write)
                event_add(c->wr, NULL);
            return;
        }
        if (n <= 0) {
            cc_conn_end(c, "%s",
                        !n ? "closed by the peer"
                           : c->stream.fault ? c->stream.fault
                                             : strerror((int) -n));
            return;
        }
        c->rx_tail += (size_t) n;
        c->last_rx_ns = s.start_ns;
        c->probe_pending = false;
        if ((size_t) n < room && !c->stream.ssl) {
            /* The socket is empty: spare the read that would say so. */
            take_messages(c, &s);
            rx_compact(c);
            return;
        }
    }
}

/* Throws input away until the peer closes; bounded by the linger timer. */
static void
conn_discard(struct cc_conn *c)
{
    ssize_t n;

    for (unsigned i = 0; i < 4; i++) {
        n = cc_stream_read(&c->stream, c->rx, CC_RX_SIZE);
        if (n == -EAGAIN)
            return;
        if (n <= 0) {
            cc_conn_end(c, "%s", c->end);
            return;
        }
    }
}

/* ---------------------------------------------------------------- events */

static void
conn_open(struct cc_conn *c)
{
    struct cc *cc = c->cc;

    cc_stream_peer(&c->stream, &c->target->spec, c->peer, sizeof c->peer);
    set_state(c, CC_OPEN);
    c->last_rx_ns = c->since_ns;
    timer_set(c, c->target->probe_s * NS_PER_S);
    event_add(c->rd, NULL);
    base_log_rl(&c->target->rl, cc_log_level(c->target), "cc",
                "%s: %s: connected", cc->cfg.name, c->peer);
    c->session = cc->agent->opened(cc->agent->arg, &c->of);
    if (!c->session)
        cc_conn_end(c, "refused by the switch");
}

static void
conn_handshake(struct cc_conn *c)
{
    int err = c->stream.ssl ? 0 : cc_stream_connected(&c->stream);

    if (!err && c->target->spec.tls) {
        if (!c->stream.ssl)
            err = cc_tls_start(&c->stream, c->cc->tls,
                               c->target->spec.passive);
        if (!err)
            err = cc_tls_handshake(&c->stream);
    }
    if (err == -EAGAIN)
        event_add(c->stream.want_write ? c->wr : c->rd, NULL);
    else if (err)
        cc_conn_end(c, "%s%s", c->stream.ssl ? "TLS handshake: " : "",
                    c->stream.fault ? c->stream.fault : strerror(-err));
    else
        conn_open(c);
}

static void
batch_done(struct cc *cc)
{
    if (cc->cfg.batch_done)
        cc->cfg.batch_done(cc->cfg.batch_arg);
    cc_work(cc);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct cc_conn *c = arg;
    struct cc *cc = c->cc;

    (void) fd;
    (void) what;
    if (c->state == CC_CONNECTING)
        conn_handshake(c);
    else if (c->state == CC_OPEN && !evtimer_pending(c->resume, NULL))
        conn_receive(c);
    else if (c->state == CC_LINGERING)
        conn_discard(c);
    if (c->stream.ssl && c->out_len > c->out_head)
        cc_mark(c);
    batch_done(cc);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct cc_conn *c = arg;
    struct cc *cc = c->cc;

    (void) fd;
    (void) what;
    if (c->state == CC_CONNECTING)
        conn_handshake(c);
    else if (c->stream.want_write && c->state == CC_OPEN)
        conn_receive(c);
    cc_conn_flush(c);
    batch_done(cc);
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
    struct cc_conn *c = arg;
    struct cc *cc = c->cc;

    (void) fd;
    (void) what;
    if (c->state == CC_OPEN)
        conn_receive(c);
    batch_done(cc);
}

static void
probe_send(struct cc_conn *c)
{
    uint8_t echo[CC_HEADER_LEN] = { c->wire_version, OFPT_ECHO_REQUEST };

    c->probe_xid = ++c->cc->next_xid;
    c->probe_pending = true;
    put_be16(echo + 2, sizeof echo);
    put_be32(echo + 4, c->probe_xid);
    (void) op_send(&c->of, echo, sizeof echo); /* Failure ends 'c'. */
}

/* Thread: control.  The peer was silent: ask, then give up.  A peer that has
 * not said its HELLO gets one interval, however much it sends. */
static void
keep_alive(struct cc_conn *c)
{
    unsigned answer_s = WEFT_MIN(c->target->probe_s, CC_ANSWER_S);
    uint64_t interval = c->target->probe_s * NS_PER_S;
    uint64_t answer = answer_s * NS_PER_S, now = base_clock_ns();

    if (c->paused)
        c->last_rx_ns = now;
    uint64_t due = (c->established ? c->last_rx_ns : c->since_ns) + interval;

    if (!c->established && now >= due)
        cc_conn_end(c, "no OpenFlow handshake within %u s",
                    c->target->probe_s);
    else if (c->probe_pending && now >= due + answer)
        cc_conn_end(c, "no reply to an echo request within %u s", answer_s);
    else if (c->established && !c->probe_pending && now >= due)
        probe_send(c);
    if (now >= due)
        due += answer;
    timer_set(c, due > now ? due - now : interval);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct cc_conn *c = arg;

    (void) fd;
    (void) what;
    switch (c->state) {
    case CC_CONNECTING:
        cc_conn_end(c, "no connection within %u s", CC_CONNECT_S);
        break;
    case CC_OPEN:
        keep_alive(c);
        break;
    case CC_DRAINING:
    case CC_LINGERING:
        cc_conn_end(c, "%s", c->end);
        break;
    case CC_DEAD:
        break;
    }
}

/* ------------------------------------------------------------------- ops */

static void
op_established(struct ofconn *of, uint8_t wire_version)
{
    struct cc_conn *c = conn_of(of);

    c->established = true;
    c->wire_version = wire_version;
    if (c->of.aux) {
        c->target->aux_backoff_ms = 0;
    } else {
        cc_target_up(c->target);
        cc_aux_start(c);
    }
}

static void
op_role(struct ofconn *of, const char *role)
{
    conn_of(of)->role = role;
}

/* The agent has enough to do: what the peer sends stays in the kernel, which
 * makes the peer wait in turn. */
static void
op_pause(struct ofconn *of, bool paused)
{
    static const struct timeval now;
    struct cc_conn *c = conn_of(of);

    if (c->state != CC_OPEN || c->paused == paused)
        return;
    c->paused = paused;
    if (paused) {
        event_del(c->rd);
    } else {
        c->last_rx_ns = base_clock_ns(); /* The silence was ours. */
        event_add(c->rd, NULL);
        evtimer_add(c->resume, &now);
    }
}

static void
op_close(struct ofconn *of, const char *why)
{
    conn_drain(conn_of(of), why);
}

static const struct ofconn_ops conn_ops = {
    .send = op_send,
    .queued = op_queued,
    .established = op_established,
    .role = op_role,
    .pause = op_pause,
    .close = op_close,
};

struct cc_conn *
cc_conn_create(struct cc_target *t, const struct cc_stream *s, bool connecting,
               const struct cc_conn *main, uint8_t aux)
{
    struct event_base *base = t->cc->base;
    struct cc_conn *c;

    BASE_NEW(c);
    c->of = (struct ofconn){ .ops = &conn_ops,
                             .peer = c->peer,
                             .service = t->spec.passive,
                             .aux = aux,
                             .main = main ? &main->of : NULL };
    c->cc = t->cc;
    c->target = t;
    c->stream = *s;
    c->role = "";
    c->rx = base_xmalloc(CC_RX_SIZE);
    base_list_add_tail(&t->conns, &c->node);
    base_list_init(&c->dirty);
    t->n_conns++;
    c->rd = event_new(base, s->fd, EV_READ | EV_PERSIST, on_readable, c);
    c->wr = event_new(base, s->fd, EV_WRITE, on_writable, c);
    c->timer = evtimer_new(base, on_timer, c);
    c->resume = evtimer_new(base, on_resume, c);
    set_state(c, CC_CONNECTING);
    timer_set(c, CC_CONNECT_S * NS_PER_S);
    if (connecting)
        event_add(c->wr, NULL);
    else
        conn_handshake(c);
    return c;
}
