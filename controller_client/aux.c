/* SPDX-License-Identifier: Apache-2.0 */
/* Auxiliary connections beside an active target's main one.
 *
 * Made when the main connection's handshake is done, from the same local to
 * the same remote address; closed before it; tried again on their own as long
 * as it lives.
 * Source: OpenFlow 1.3.5 §6.3.6. */
#include <errno.h>
#include <event2/event.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <string.h>

#include "controller_client/cc_priv.h"

#define WIRE_VERSION_13 4 /* First with an auxiliary id. */

struct cc_conn *
cc_target_main(const struct cc_target *t)
{
    struct cc_conn *c;

    BASE_LIST_FOR(c, &t->conns, node)
        if (!c->of.aux)
            return c;
    return NULL;
}

static struct cc_conn *
aux_find(const struct cc_target *t, unsigned id)
{
    struct cc_conn *c;

    BASE_LIST_FOR(c, &t->conns, node)
        if (c->of.aux == id)
            return c;
    return NULL;
}

/* "Must use the same source IP address as the main connection": any port. */
static void
forget_port(struct sockaddr_storage *ss)
{
    if (ss->ss_family == AF_INET)
        ((struct sockaddr_in *) (void *) ss)->sin_port = 0;
    else if (ss->ss_family == AF_INET6)
        ((struct sockaddr_in6 *) (void *) ss)->sin6_port = 0;
}

/* 0, -EINPROGRESS or -errno. */
static int
aux_connect(const struct cc_conn *main, struct cc_stream *s)
{
    struct sockaddr_storage local, remote;
    socklen_t local_len = sizeof local, remote_len = sizeof remote;

    if (getsockname(main->stream.fd, (struct sockaddr *) &local, &local_len)
        || getpeername(main->stream.fd, (struct sockaddr *) &remote,
                       &remote_len))
        return -errno;
    forget_port(&local);
    return cc_stream_connect(s, (struct sockaddr *) &remote, remote_len,
                             main->target->spec.local
                                 ? NULL : (struct sockaddr *) &local,
                             local_len);
}

static void
aux_back_off(struct cc_target *t)
{
    const struct cc_config *cfg = &t->cc->cfg;

    if (evtimer_pending(t->aux_timer, NULL))
        return;

    unsigned ms = t->aux_backoff_ms ? t->aux_backoff_ms : cfg->min_backoff_ms;
    struct timeval tv = { .tv_sec = ms / 1000,
                          .tv_usec = (suseconds_t) (ms % 1000) * 1000 };

    t->aux_backoff_ms = WEFT_MIN(2 * ms, cfg->max_backoff_ms);
    evtimer_add(t->aux_timer, &tv);
}

/* Makes those that are missing. */
static void
aux_connect_all(struct cc_target *t)
{
    struct cc_conn *main = cc_target_main(t);
    struct cc_stream s;

    if (!main || main->state != CC_OPEN || !main->established)
        return;
    for (unsigned id = 1; id <= t->cc->cfg.aux; id++) {
        int err;

        if (aux_find(t, id))
            continue;
        err = aux_connect(main, &s);
        if (err && err != -EINPROGRESS) {
            base_log_rl(&t->rl, BASE_LOG_WARN, "cc",
                        "%s: %s: auxiliary connection %u: %s",
                        t->cc->cfg.name, main->peer, id, strerror(-err));
            aux_back_off(t);
            return;
        }
        cc_conn_create(t, &s, err != 0, main, (uint8_t) id);
    }
}

static void
on_aux_timer(evutil_socket_t fd, short what, void *arg)
{
    struct cc_target *t = arg;

    (void) fd, (void) what;
    aux_connect_all(t);
    cc_work(t->cc);
}

void
cc_aux_start(struct cc_conn *main)
{
    static const struct timeval now;
    struct cc_target *t = main->target;

    if (t->spec.passive || !t->cc->cfg.aux
        || main->wire_version < WIRE_VERSION_13)
        return;
    if (!t->aux_timer)
        t->aux_timer = evtimer_new(t->cc->base, on_aux_timer, t);
    t->aux_backoff_ms = 0;
    /* Not from inside the agent's handling of the main one's HELLO. */
    evtimer_add(t->aux_timer, &now);
}

void
cc_aux_lost(struct cc_conn *aux, const char *why)
{
    struct cc_target *t = aux->target;

    base_log_rl(&t->rl, BASE_LOG_WARN, "cc",
                "%s: %s: auxiliary connection %u: %s", t->cc->cfg.name,
                aux->peer[0] ? aux->peer : t->text, aux->of.aux, why);
    if (cc_target_main(t))
        aux_back_off(t);
}

void
cc_aux_stop(struct cc_conn *main)
{
    struct cc_target *t = main->target;
    struct cc_conn *c;

    if (t->aux_timer)
        evtimer_del(t->aux_timer);
    BASE_LIST_FOR(c, &t->conns, node)
        if (c->of.aux) {
            cc_conn_close_session(c);
            cc_conn_end(c, "the main connection is gone");
        }
}
