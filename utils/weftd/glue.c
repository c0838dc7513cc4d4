/* SPDX-License-Identifier: Apache-2.0 */
#include "utils/weftd/glue.h"

#include <event2/event.h>
#include <stdlib.h>

#include "ofproto/ofproto.h"
#include "tunnels/underlay/underlay.h"
#include "utils/base/clock.h"
#include "utils/base/log.h"
#include "utils/base/mem.h"
#include "utils/weftd/reconcile.h"
#include "utils/weftd/weftd.h"
#include "weft/dp.h"

#define TICK_US 100000
#define DP_BUDGET 512 /* Events per turn: some 1 ms of packet-ins. */

struct glue {
    struct weftd *d;
    struct event *dp_readable, *underlay_readable, *tick, *more, *wake;
};

/* Calls turn() when a bridge wants it. */
static void
wake_at(struct glue *g, uint64_t ns)
{
    uint64_t now = base_clock_ns(), us;
    struct timeval tv;

    if (ns == UINT64_MAX)
        return;
    us = ns > now ? (ns - now + 999) / 1000 : 0;
    if (us >= TICK_US)
        return; /* The tick comes first, and looks again. */
    tv = (struct timeval) { .tv_usec = (suseconds_t) us };
    evtimer_add(g->wake, &tv);
}

/* Something was left over: go on after the sockets have been served. */
static void
again(struct glue *g)
{
    static const struct timeval now;

    evtimer_add(g->more, &now);
}

void
glue_flush(void *arg)
{
    struct glue *g = arg;
    struct rc_bridge *b;
    uint64_t wake = UINT64_MAX;
    bool more = false;

    BASE_LIST_FOR(b, reconcile_bridges(g->d->rc), node) {
        more |= ofp_flush(b->ofp);
        wake = WEFT_MIN(wake, ofp_wake_ns(b->ofp));
    }
    if (more)
        again(g);
    wake_at(g, wake);
}

/* -------------------------------------------------------------- datapath */

static void
on_punt(void *arg, const struct dp_punt *p)
{
    (void) arg;
    ofp_punt(p->bridge_owner, p);
}

static void
on_port(void *arg, struct dp_bridge *bridge, void *owner,
        enum dp_port_event event, const struct dp_port_info *info)
{
    (void) arg;
    (void) bridge;
    ofp_port_event(owner, event, info);
}

static void
on_synced(void *arg, uint64_t seq)
{
    struct glue *g = arg;
    struct rc_bridge *b;

    BASE_LIST_FOR(b, reconcile_bridges(g->d->rc), node)
        ofp_synced(b->ofp, seq);
}

static void
on_resolve(void *arg, be32 remote, be32 local)
{
    struct glue *g = arg;

    underlay_resolve(g->d->underlay, remote, local);
}

static void
on_uplink_rx(void *arg, uint32_t uplink, const uint8_t *data, size_t len)
{
    struct glue *g = arg;

    underlay_rx(g->d->underlay, uplink, data, len);
}

void
glue_fill_dp(struct glue *g, struct dp_events *e)
{
    *e = (struct dp_events){ .arg = g,
                             .punt = on_punt,
                             .port = on_port,
                             .synced = on_synced,
                             .resolve = on_resolve,
                             .uplink_rx = on_uplink_rx };
}

/* -------------------------------------------------------------- underlay */

static void
on_nexthop_set(void *arg, be32 remote, const struct tnl_nexthop *nh)
{
    struct glue *g = arg;
    static struct base_ratelimit rl = BASE_RATELIMIT(5, 10);

    if (dp_nexthop_set(g->d->dp, remote, nh))
        base_log_rl(&rl, BASE_LOG_ERR, "weftd",
                    "the datapath refuses a next hop");
}

static void
on_nexthop_del(void *arg, be32 remote)
{
    struct glue *g = arg;

    dp_nexthop_del(g->d->dp, remote);
}

static void
on_addrs(void *arg, uint32_t uplink, const be32 *addrs, size_t n)
{
    struct glue *g = arg;

    if (dp_uplink_set_addrs(g->d->dp, uplink, addrs, n))
        base_log(BASE_LOG_ERR, "weftd", "uplink %u: the datapath refuses its "
                 "%zu addresses", uplink, n);
}

static void
on_send(void *arg, uint32_t uplink, const uint8_t *data, size_t len)
{
    struct glue *g = arg;

    /* A lost ARP request is sent again by the underlay's timer. */
    (void) !dp_uplink_send(g->d->dp, uplink, data, len);
}

void
glue_fill_underlay(struct glue *g, struct underlay_callbacks *c)
{
    *c = (struct underlay_callbacks){ .arg = g,
                                      .nexthop_set = on_nexthop_set,
                                      .nexthop_del = on_nexthop_del,
                                      .addrs = on_addrs,
                                      .send = on_send };
}

/* ------------------------------------------------------------------ loop */

static void
turn(struct glue *g)
{
    if (dp_run(g->d->dp, DP_BUDGET))
        again(g);
    glue_flush(g);
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
    (void) fd;
    (void) what;
    turn(arg);
}

static void
on_netlink(evutil_socket_t fd, short what, void *arg)
{
    struct glue *g = arg;

    (void) fd;
    (void) what;
    underlay_run(g->d->underlay);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct glue *g = arg;
    uint64_t now = base_clock_ns();
    struct rc_bridge *b;

    (void) fd;
    (void) what;
    underlay_tick(g->d->underlay, now);
    BASE_LIST_FOR(b, reconcile_bridges(g->d->rc), node)
        ofp_tick(b->ofp, now);
    turn(g);
}

void
glue_start(struct glue *g)
{
    static const struct timeval tick = { .tv_usec = TICK_US };
    struct event_base *base = g->d->base;

    g->dp_readable = event_new(base, dp_event_fd(g->d->dp),
                               EV_READ | EV_PERSIST, on_turn, g);
    event_add(g->dp_readable, NULL);
    g->underlay_readable = event_new(base, underlay_fd(g->d->underlay),
                                     EV_READ | EV_PERSIST, on_netlink, g);
    event_add(g->underlay_readable, NULL);
    g->tick = event_new(base, -1, EV_PERSIST, on_tick, g);
    event_add(g->tick, &tick);
}

void
glue_stop(struct glue *g)
{
    struct event **e[] = { &g->dp_readable, &g->underlay_readable, &g->tick };

    for (size_t i = 0; i < WEFT_ARRAY_LEN(e); i++) {
        if (*e[i])
            event_free(*e[i]);
        *e[i] = NULL;
    }
}

struct glue *
glue_create(struct weftd *d)
{
    struct glue *g;

    BASE_NEW(g);
    g->d = d;
    g->more = evtimer_new(d->base, on_turn, g);
    g->wake = evtimer_new(d->base, on_turn, g);
    return g;
}

void
glue_destroy(struct glue *g)
{
    if (!g)
        return;
    glue_stop(g);
    event_free(g->more);
    event_free(g->wake);
    free(g);
}
