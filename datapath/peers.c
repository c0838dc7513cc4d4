/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/peers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/dp_priv.h"
#include "utils/base/addr.h"
#include "utils/base/mem.h"

/* A table with room for 'places', and an index for them. */
static struct peers *
table_create(uint32_t places)
{
    uint32_t slots = 16;
    struct peers *t = base_xcalloc(1, sizeof *t + places * sizeof t->at[0]);

    while (slots < 2 * places)
        slots *= 2;
    t->n = places;
    t->mask = slots - 1;
    t->slot = base_xcalloc(slots, sizeof *t->slot);
    return t;
}

static void
table_free(void *table)
{
    struct peers *t = table;

    if (t)
        free(t->slot);
    free(t);
}

/* A copy with room for 'more' more; the index is made by table_publish. */
static struct peers *
table_copy(const struct peers *old, uint32_t more)
{
    struct peers *t = table_create(WEFT_MIN(old->n + more, PEERS_MAX));

    for (uint32_t i = 0; i < old->n; i++) {
        t->at[i] = old->at[i];
        t->at[i].tick = __atomic_load_n(&old->at[i].tick, __ATOMIC_RELAXED);
    }
    return t;
}

static void
table_publish(struct dp_port *p, struct peers *t)
{
    struct peers *old = p->peers;

    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t h = peers_hash(t->at[i].addr);

        if (!t->at[i].addr)
            continue;
        t->n_listed += t->at[i].listed;
        t->n_learnt += !t->at[i].listed;
        while (t->slot[h & t->mask])
            h++;
        t->slot[h & t->mask] = (uint16_t) (i + 1);
    }
    dp_publish(&p->peers, t);
    if (old)
        rcu_defer(p->dp->rcu, table_free, old);
}

/* By search: the index is for published tables. */
static struct peer *
table_find(struct peers *t, be32 addr)
{
    for (uint32_t i = 0; i < t->n; i++)
        if (t->at[i].addr == addr)
            return &t->at[i];
    return NULL;
}

static void
peer_leave(struct dp_port *p, struct peers *t, struct peer *who)
{
    *who = (struct peer) { .tick = dp_tick_now(p->dp) };
    mac_flush_peer(p->br->macs, p->port_no, (uint16_t) (who - t->at + 1));
}

/* Gives 'addr' a place.  NULL: all are taken. */
static struct peer *
peer_enter(struct dp_port *p, struct peers *t, be32 addr)
{
    uint32_t now = dp_tick_now(p->dp);

    for (uint32_t i = 0; i < t->n; i++) {
        struct peer *who = &t->at[i];

        if (who->addr || (who->tick && now - who->tick < PEER_REST_TICKS))
            continue;
        /* What a worker learnt while the last one left. */
        mac_flush_peer(p->br->macs, p->port_no, (uint16_t) (i + 1));
        *who = (struct peer) { .addr = addr, .tick = now };
        p->dp->peer_wants = true;
        dp_event_signal(p->dp);
        return who;
    }
    return NULL;
}

void
peers_open(struct dp_port *p)
{
    table_publish(p, table_create(0));
}

void
peers_close(struct dp_port *p)
{
    table_free(p->peers);
}

void
peers_shut(struct dp_port *p)
{
    struct peers *t = p->peers;

    dp_publish(&p->peers, (struct peers *) NULL);
    mac_flush_port(p->br->macs, p->port_no);
    rcu_defer(p->dp->rcu, table_free, t);
}

void
peers_dump(const struct dp_port *p, dp_peer_cb *cb, void *arg)
{
    uint32_t now = dp_tick_now(p->dp);

    for (uint32_t i = 0; i < p->peers->n; i++) {
        const struct peer *who = &p->peers->at[i];
        uint32_t age = now - __atomic_load_n(&who->tick, __ATOMIC_RELAXED);
        struct dp_peer_info info = {
            .addr = who->addr,
            .listed = who->listed,
            .age_s = (int32_t) age < 0 ? 0 : age / 4,
        };

        if (who->addr)
            cb(arg, &info);
    }
}

static bool
is_among(const be32 *addrs, size_t n, be32 addr)
{
    for (size_t i = 0; i < n; i++)
        if (addrs[i] == addr)
            return true;
    return false;
}

/* Makes the listed ones of 't' these. */
static int
table_set_listed(struct dp_port *p, struct peers *t, const be32 *addrs,
                 size_t n, struct weft_err *e)
{
    for (uint32_t i = 0; i < t->n; i++) {
        struct peer *who = &t->at[i];

        if (who->addr && who->listed && !is_among(addrs, n, who->addr))
            peer_leave(p, t, who);
    }
    for (size_t i = 0; i < n; i++) {
        struct peer *who = table_find(t, addrs[i]);

        who = who ? who : peer_enter(p, t, addrs[i]);
        if (!who)
            return weft_err_set(e, -ENOSPC, "port %s: more than %u peers, "
                                "learnt ones included", p->port.name,
                                PEERS_MAX);
        who->listed = true;
    }
    return 0;
}

int
peers_set_listed(struct dp_port *p, const be32 *addrs, size_t n,
                 struct weft_err *e)
{
    struct peers *t = table_copy(p->peers, (uint32_t) WEFT_MIN(n, PEERS_MAX));
    int err = table_set_listed(p, t, addrs, n, e);

    if (!err)
        err = tunnel_port_set_sources(p->dp->tunnels, p->tnl, addrs, n, e);
    if (err)
        table_free(t);
    else
        table_publish(p, t);
    return err;
}

void
peers_sighted(struct dp *dp, uint64_t uid, be32 addr)
{
    struct dp_port *p = dp_port_by_uid(dp, uid);
    struct peers *t;

    if (!p || !p->peers || !addr || peers_find(p->peers, addr)
        || tunnel_port_config(p->tnl)->peers != TNL_PEERS_LEARN)
        return;
    t = table_copy(p->peers, 8);
    if (peer_enter(p, t, addr))
        table_publish(p, t);
    else
        table_free(t);
}

/* The first place whose next hop was not asked for yet; NULL: none. */
static struct peer *
first_unasked(const struct dp_port *p)
{
    for (uint32_t i = 0; p->peers && i < p->peers->n; i++)
        if (p->peers->at[i].addr && !p->peers->at[i].asked)
            return &p->peers->at[i];
    return NULL;
}

bool
peers_want(struct dp *dp, struct tunnel_want *want)
{
    struct dp_port *p;

    if (!dp->peer_wants)
        return false;
    BASE_LIST_FOR(p, &dp->ports, node) {
        struct peer *who = first_unasked(p);

        if (!who)
            continue;
        who->asked = true;
        want->remote = who->addr;
        want->local = tunnel_port_config(p->tnl)->local;
        return true;
    }
    dp->peer_wants = false;
    return false;
}

void
peers_house(struct dp_port *p)
{
    uint32_t now = dp_tick_now(p->dp);
    struct peers *t = NULL;

    for (uint32_t i = 0; i < p->peers->n; i++) {
        const struct peer *who = &p->peers->at[i];
        uint32_t age = now - __atomic_load_n(&who->tick, __ATOMIC_RELAXED);

        if (!who->addr || who->listed || (int32_t) age <= (int32_t) p->br->macs->age_ticks)
            continue;
        t = t ? t : table_copy(p->peers, 0);
        peer_leave(p, t, &t->at[i]);
    }
    if (t)
        table_publish(p, t);
}
