/* SPDX-License-Identifier: Apache-2.0 */
/* Targets of one bridge: connect, back off, listen, accept. */
#include "controller_client/cc_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "utils/base/clock.h"
#include "utils/base/mem.h"

static void target_connect(struct cc_target *);

/* ---------------------------------------------------------------- active */

static void
target_fault(struct cc_target *t, const char *fmt, ...) WEFT_PRINTF(2, 3);

static void
target_fault(struct cc_target *t, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(t->last_error, sizeof t->last_error, fmt, ap);
    va_end(ap);
    t->since_ns = base_clock_ns();
    base_log_rl(&t->rl, BASE_LOG_WARN, "cc", "%s: %s: %s", t->cc->cfg.name,
                t->text, t->last_error);
}

static void
addrs_free(struct cc_target *t)
{
    if (t->addrs)
        evutil_freeaddrinfo(t->addrs);
    t->addrs = NULL;
}

/* Waits before the next attempt: the interval doubles up to the limit, and a
 * quarter of it is random so that switches do not come back in step. */
static void
target_back_off(struct cc_target *t)
{
    const struct cc_config *cfg = &t->cc->cfg;
    unsigned ms = t->backoff_ms ? t->backoff_ms : cfg->min_backoff_ms;
    unsigned jitter;

    t->backoff_ms = WEFT_MIN(ms * 2, cfg->max_backoff_ms);
    evutil_secure_rng_get_bytes(&jitter, sizeof jitter);
    ms = ms - ms / 4 + jitter % (ms / 2 + 1);

    struct timeval tv = { .tv_sec = ms / 1000,
                          .tv_usec = (suseconds_t) (ms % 1000) * 1000 };
    evtimer_add(t->timer, &tv);
    addrs_free(t);
}

void
cc_target_lost(struct cc_target *t, const char *peer, const char *why)
{
    if (!t->spec.passive) {
        target_fault(t, "%s", why);
        target_back_off(t);
    } else {
        base_log_rl(&t->rl, cc_log_level(t), "cc", "%s: %s: %s",
                    t->cc->cfg.name, peer[0] ? peer : t->text, why);
    }
}

void
cc_target_up(struct cc_target *t)
{
    t->backoff_ms = 0;
    t->last_error[0] = '\0';
}

static void
connect_to(struct cc_target *t, const struct sockaddr *sa, socklen_t len)
{
    struct cc_stream s;
    int err = cc_stream_connect(&s, sa, len, NULL, 0);

    if (err && err != -EINPROGRESS) {
        target_fault(t, "connect: %s", strerror(-err));
        target_back_off(t);
        return;
    }
    cc_conn_create(t, &s, err != 0, NULL, 0);
    cc_work(t->cc);
}

/* A name with several addresses: each attempt takes the next one. */
static void
connect_next(struct cc_target *t)
{
    unsigned n = 0;
    struct addrinfo *ai;

    for (ai = t->addrs; ai; ai = ai->ai_next)
        n++;
    ai = t->addrs;
    for (unsigned i = t->attempt++ % n; i; i--)
        ai = ai->ai_next;

    struct sockaddr_storage ss;
    socklen_t len = ai->ai_addrlen;
    memcpy(&ss, ai->ai_addr, len);
    addrs_free(t);
    connect_to(t, (struct sockaddr *) &ss, len);
}

static void
on_resolved(int err, struct evutil_addrinfo *addrs, void *arg)
{
    struct cc_target *t = arg;

    if (err == EVUTIL_EAI_CANCEL)
        return; /* 't' may be gone. */
    t->query = NULL;
    if (err || !addrs) {
        target_fault(t, "cannot resolve \"%s\": %s", t->spec.host,
                     err ? evutil_gai_strerror(err) : "no address");
        target_back_off(t);
        return;
    }
    t->addrs = addrs;
    connect_next(t);
}

/* Names go through libevent's resolver: getaddrinfo would block the loop. */
static void
target_resolve(struct cc_target *t)
{
    struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC,
                                     .ai_socktype = SOCK_STREAM,
                                     .ai_protocol = IPPROTO_TCP,
                                     .ai_flags = EVUTIL_AI_ADDRCONFIG };
    struct cc *cc = t->cc;
    char port[8];

    if (!cc->dns)
        cc->dns = evdns_base_new(
            cc->base, EVDNS_BASE_INITIALIZE_NAMESERVERS
                          | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (!cc->dns) { /* No resolv.conf: /etc/hosts has to do. */
        cc->dns = evdns_base_new(cc->base, 0);
        if (cc->dns)
            evdns_base_load_hosts(cc->dns, "/etc/hosts");
    }
    if (!cc->dns) {
        target_fault(t, "cannot resolve \"%s\": no resolver", t->spec.host);
        target_back_off(t);
        return;
    }
    snprintf(port, sizeof port, "%u", t->spec.port);

    struct evdns_getaddrinfo_request *q = evdns_getaddrinfo(
        cc->dns, t->spec.host, port, &hints, on_resolved, t);
    if (q) /* NULL: on_resolved was called already. */
        t->query = q;
}

static void
target_connect(struct cc_target *t)
{
    struct sockaddr_in in = { .sin_family = AF_INET,
                              .sin_port = htons(t->spec.port) };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
                                .sin6_port = htons(t->spec.port) };
    struct sockaddr_un un = { .sun_family = AF_UNIX };

    if (t->spec.local) {
        memcpy(un.sun_path, t->spec.path, sizeof un.sun_path);
        connect_to(t, (struct sockaddr *) &un, sizeof un);
    } else if (inet_pton(AF_INET, t->spec.host, &in.sin_addr) == 1) {
        connect_to(t, (struct sockaddr *) &in, sizeof in);
    } else if (inet_pton(AF_INET6, t->spec.host, &in6.sin6_addr) == 1) {
        connect_to(t, (struct sockaddr *) &in6, sizeof in6);
    } else {
        target_resolve(t);
    }
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void) fd;
    (void) what;
    target_connect(arg);
}

/* --------------------------------------------------------------- passive */

static void
on_pause_over(evutil_socket_t fd, short what, void *arg)
{
    struct cc_target *t = arg;

    (void) fd;
    (void) what;
    event_add(t->accept, NULL);
}

/* Out of descriptors or memory: the waiting connection would wake us up
 * again and again, so do not look for a second. */
static void
accept_pause(struct cc_target *t, int err)
{
    static const struct timeval second = { .tv_sec = 1 };

    target_fault(t, "accept: %s", strerror(err));
    event_del(t->accept);
    evtimer_add(t->pause, &second);
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
    struct cc_target *t = arg;

    (void) what;
    for (unsigned i = 0; i < CC_ACCEPT_BATCH; i++) {
        int s = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct cc_stream stream;

        if (s < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS
                || errno == ENOMEM)
                accept_pause(t, errno);
            break;
        }
        if (t->n_conns >= t->cc->cfg.max_accepted) {
            close(s);
            base_log_rl(&t->rl, BASE_LOG_WARN, "cc", "%s: %s: refused a "
                        "connection, %u are open, which is the limit",
                        t->cc->cfg.name, t->text, t->n_conns);
            continue;
        }
        cc_stream_adopt(&stream, s);
        cc_conn_create(t, &stream, false, NULL, 0);
    }
    cc_work(t->cc);
}

/* --------------------------------------------------------------- targets */

static struct cc_target *
target_create(struct cc *cc, const char *text, struct weft_err *e)
{
    struct cc_target *t;

    BASE_NEW(t);
    t->cc = cc;
    t->listen_fd = -1;
    t->rl = (struct base_ratelimit) BASE_RATELIMIT(10, 60);
    base_list_init(&t->node);
    base_list_init(&t->conns);
    if (cc_spec_parse(text, &t->spec, e)
        || (t->spec.tls && !cc->tls
            && cc_tls_ctx_create(&cc->cfg, &cc->tls, e)))
        goto free_target;
    if (t->spec.passive) {
        t->listen_fd = cc_listen(text, &t->spec, e);
        if (t->listen_fd < 0)
            goto free_target;
    }
    t->text = base_xstrdup(text);
    /* ovs-ofctl and its like do not answer echoes while they wait. */
    t->probe_s = cc->cfg.probe_interval_s ? cc->cfg.probe_interval_s
                 : t->spec.passive        ? CC_SERVICE_PROBE_S
                                          : 5;
    return t;
free_target:
    free(t);
    return NULL;
}

static void
target_start(struct cc_target *t)
{
    struct event_base *base = t->cc->base;

    t->since_ns = base_clock_ns();
    if (t->spec.passive) {
        t->accept = event_new(base, t->listen_fd, EV_READ | EV_PERSIST,
                              on_accept, t);
        t->pause = evtimer_new(base, on_pause_over, t);
        event_add(t->accept, NULL);
        base_log(BASE_LOG_INFO, "cc", "%s: listening on %s",
                 t->cc->cfg.name, t->text);
    } else {
        t->timer = evtimer_new(base, on_timer, t);
        target_connect(t);
    }
}

static void
target_destroy(struct cc_target *t)
{
    struct cc_conn *c, *next;

    if (t->query)
        evdns_getaddrinfo_cancel(t->query);
    BASE_LIST_FOR_SAFE(c, next, &t->conns, node) {
        c->end[0] = '\0'; /* On purpose: no fault, no back-off. */
        cc_conn_free(c);
    }
    base_list_del(&t->node);
    if (t->timer)
        event_free(t->timer);
    if (t->aux_timer)
        event_free(t->aux_timer);
    if (t->accept)
        event_free(t->accept);
    if (t->pause)
        event_free(t->pause);
    if (t->listen_fd >= 0) {
        close(t->listen_fd);
        if (t->spec.local)
            unlink(t->spec.path);
    }
    addrs_free(t);
    free(t->text);
    free(t);
}

static struct cc_target *
target_find(struct base_list *list, const char *text)
{
    struct cc_target *t;

    BASE_LIST_FOR(t, list, node) {
        if (!strcmp(t->text, text))
            return t;
    }
    return NULL;
}

/* Opens everything that is new before anything old goes. */
static int
targets_prepare(struct cc *cc, const char *const targets[], size_t n,
                struct base_list *fresh, struct weft_err *e)
{
    struct weft_err local;

    e = e ? e : &local;
    for (size_t i = 0; i < n; i++) {
        struct cc_target *t = target_find(&cc->targets, targets[i]);

        if ((t && t->keep) || target_find(fresh, targets[i]))
            return weft_err_set(e, -EEXIST, "controller %s is given twice",
                                targets[i]);
        if (t) {
            t->keep = true;
            continue;
        }
        t = target_create(cc, targets[i], e);
        if (!t)
            return -EINVAL;
        base_list_add_tail(fresh, &t->node);
    }
    return 0;
}

int
cc_set_targets(struct cc *cc, const char *const targets[], size_t n,
               struct weft_err *e)
{
    struct cc_target *t, *next;
    struct base_list fresh;
    int err;

    base_list_init(&fresh);
    BASE_LIST_FOR(t, &cc->targets, node)
        t->keep = false;
    err = targets_prepare(cc, targets, n, &fresh, e);
    if (err) {
        BASE_LIST_FOR_SAFE(t, next, &fresh, node)
            target_destroy(t);
        return err;
    }

    BASE_LIST_FOR_SAFE(t, next, &cc->targets, node) {
        if (!t->keep)
            target_destroy(t);
    }
    BASE_LIST_FOR_SAFE(t, next, &fresh, node) {
        base_list_del(&t->node);
        base_list_add_tail(&cc->targets, &t->node);
        target_start(t);
    }
    return 0;
}

/* ---------------------------------------------------------------- client */

void
cc_mark(struct cc_conn *c)
{
    if (!base_list_empty(&c->dirty))
        return;
    if (base_list_empty(&c->cc->dirty))
        event_active(c->cc->work, EV_TIMEOUT, 1);
    base_list_add_tail(&c->cc->dirty, &c->dirty);
}

/* What writable() adds while this runs waits for the next turn. */
void
cc_work(struct cc *cc)
{
    struct base_list todo;

    base_list_init(&todo);
    while (!base_list_empty(&cc->dirty)) {
        struct base_list *n = cc->dirty.next;

        base_list_del(n);
        base_list_add_tail(&todo, n);
    }
    while (!base_list_empty(&todo)) {
        struct cc_conn *c = WEFT_CONTAINER_OF(todo.next, struct cc_conn,
                                              dirty);

        base_list_del(&c->dirty);
        if (c->state == CC_DEAD)
            cc_conn_free(c);
        else
            cc_conn_flush(c);
    }
}

static void
on_work(evutil_socket_t fd, short what, void *arg)
{
    (void) fd;
    (void) what;
    cc_work(arg);
}

static char *
dup_or_null(const char *s)
{
    return s ? base_xstrdup(s) : NULL;
}

struct cc *
cc_create(struct event_base *base, const struct cc_config *cfg,
          const struct ofconn_agent *agent)
{
    struct cc *cc;

    BASE_NEW(cc);
    cc->base = base;
    cc->agent = agent;
    cc->cfg = *cfg;
    cc->cfg.name = base_xstrdup(cfg->name);
    cc->cfg.private_key = dup_or_null(cfg->private_key);
    cc->cfg.certificate = dup_or_null(cfg->certificate);
    cc->cfg.ca_cert = dup_or_null(cfg->ca_cert);
    if (!cc->cfg.min_backoff_ms)
        cc->cfg.min_backoff_ms = 1000;
    if (!cc->cfg.max_backoff_ms)
        cc->cfg.max_backoff_ms = 8000;
    if (!cc->cfg.max_queue)
        cc->cfg.max_queue = 64u << 20;
    if (!cc->cfg.max_accepted)
        cc->cfg.max_accepted = 64;
    base_list_init(&cc->targets);
    base_list_init(&cc->dirty);
    cc->work = event_new(base, -1, 0, on_work, cc);
    cc->cfg.aux = WEFT_MIN(cfg->aux, (unsigned) CC_MAX_AUX);
    evutil_secure_rng_get_bytes(&cc->next_xid, sizeof cc->next_xid);
    return cc;
}

void
cc_destroy(struct cc *cc)
{
    struct cc_target *t, *next;

    if (!cc)
        return;
    BASE_LIST_FOR_SAFE(t, next, &cc->targets, node)
        target_destroy(t);
    event_free(cc->work);
    if (cc->dns)
        evdns_base_free(cc->dns, 0);
    cc_tls_ctx_free(cc->tls);
    free((char *) cc->cfg.name);
    free((char *) cc->cfg.private_key);
    free((char *) cc->cfg.certificate);
    free((char *) cc->cfg.ca_cert);
    free(cc);
}

/* ------------------------------------------------------------------ info */

static void
conn_info(const struct cc_target *t, const struct cc_conn *c,
          struct cc_info *i)
{
    static const char *const names[] = {
        [CC_CONNECTING] = "connecting", [CC_OPEN] = "connected",
        [CC_DRAINING] = "closing",      [CC_LINGERING] = "closing",
        [CC_DEAD] = "closing",
    };

    *i = (struct cc_info){
        .target = t->text,
        .peer = c->peer,
        .connected = c->state == CC_OPEN,
        .state = names[c->state],
        .role = c->role,
        .aux = c->of.aux,
        .wire_version = c->wire_version,
        .since_ns = c->since_ns,
        .last_error = c->end[0] ? c->end : t->last_error,
        .rx_messages = c->rx_messages,
        .tx_messages = c->tx_messages,
        .queued = c->out_len - c->out_head,
    };
}

void
cc_foreach(struct cc *cc, cc_info_cb *cb, void *arg)
{
    struct cc_target *t;
    struct cc_conn *c;
    struct cc_info i;

    BASE_LIST_FOR(t, &cc->targets, node) {
        if (t->spec.passive || base_list_empty(&t->conns)) {
            i = (struct cc_info){
                .target = t->text,
                .peer = "",
                .state = t->spec.passive ? "listening"
                         : t->query      ? "connecting"
                                         : "backoff",
                .role = "",
                .since_ns = t->since_ns,
                .last_error = t->last_error,
            };
            cb(arg, &i);
        }
        BASE_LIST_FOR(c, &t->conns, node) {
            conn_info(t, c, &i);
            cb(arg, &i);
        }
    }
}
