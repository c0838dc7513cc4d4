/* SPDX-License-Identifier: Apache-2.0 */
/* Ports and uplinks: device, patch and tunnel ports of bridges, and the
 * devices that carry outer packets. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/dp_priv.h"
#include "datapath/group.h"
#include "datapath/queue.h"
#include "datapath/worker.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"

#define MTU_DEFAULT 1500
#define ETH_LEN 14u

/* --------------------------------------------------------------- small parts */

struct dp_port *
dp_port_new(struct dp *dp, struct dp_bridge *br, const char *name, uint32_t no)
{
    struct dp_port *p = aligned_alloc(64, sizeof *p);

    if (!p)
        return NULL;
    memset(p, 0, sizeof *p);
    p->dp = dp;
    p->br = br;
    p->port_no = no;
    p->uid = ++dp->next_uid;
    p->created_ns = base_clock_ns();
    p->port.rx_fd = -1;
    snprintf(p->port.name, sizeof p->port.name, "%s", name);
    base_list_init(&p->node);
    for (unsigned i = 0; i < dp->n_workers; i++) {
        p->pw[i] = aligned_alloc(64, sizeof *p->pw[i]);
        if (!p->pw[i]) {
            dp_port_destroy(p);
            return NULL;
        }
        memset(p->pw[i], 0, sizeof *p->pw[i]);
    }
    return p;
}

/* No worker knows the port any more. */
void
dp_port_destroy(struct dp_port *p)
{
    void *m;

    if (!p)
        return;
    while (p->tx_ring && !rte_ring_dequeue(p->tx_ring, &m))
        worker_drop(p->owner, p->br, NULL, m, DROP_TX_PORT_DOWN);
    rte_ring_free(p->tx_ring);
    dp_queues_free(p);
    peers_close(p);
    free(p->rxq);
    for (unsigned i = 0; i < DP_MAX_WORKERS; i++)
        free(p->pw[i]);
    free(p);
}

static void
port_retire(void *p)
{
    dp_port_destroy(p);
}

struct dp_port *
dp_port_by_uid(struct dp *dp, uint64_t uid)
{
    struct dp_port *p;

    BASE_LIST_FOR(p, &dp->ports, node)
        if (p->uid == uid)
            return p;
    return NULL;
}

static void
port_set_mtu(struct dp_port *p)
{
    __atomic_store_n(&p->max_frame, p->port.mtu + ETH_LEN, __ATOMIC_RELAXED);
}

/* "a=b c=d", for show. */
void
dp_port_set_options(struct dp_port *p, const struct dp_option *o, size_t n)
{
    size_t len = 0;

    p->options[0] = 0;
    for (size_t i = 0; i < n && len < sizeof p->options; i++)
        len += (size_t) snprintf(p->options + len, sizeof p->options - len,
                                 "%s%s=%s", i ? " " : "", o[i].name,
                                 o[i].value);
}

static void
port_event(struct dp_port *p, enum dp_port_event what)
{
    const struct dp_events *ev = &p->dp->ev;
    struct dp_port_info info;

    if (p->br)
        dp_groups_relive(p->br);
    if (!p->br || !ev->port)
        return;
    dp_port_fill_info(p, &info);
    ev->port(ev->arg, p->br, p->br->owner, what, &info);
}

struct dp_port *
dp_port_by_name(struct dp *dp, const char *name)
{
    struct dp_port *p;

    BASE_LIST_FOR(p, &dp->ports, node)
        if (!strcmp(p->port.name, name))
            return p;
    return NULL;
}

/* ------------------------------------------------------------------- devices */

/* The worker with the fewest ports. */
static struct worker *
choose_owner(struct dp *dp)
{
    struct worker *best = dp->workers[0];

    for (unsigned i = 1; i < dp->n_workers; i++)
        if (dp->workers[i]->ports->n < best->ports->n)
            best = dp->workers[i];
    return best;
}

int
dp_port_open_device(struct dp_port *p, const struct port_ops *ops,
            const struct dp_port_config *c, struct weft_err *e)
{
    struct dp *dp = p->dp;
    char name[RTE_RING_NAMESIZE];
    int err;

    p->kind = DP_KIND_DEVICE;
    p->port.ops = ops;
    p->port.uplink = !p->br;
    p->owner = choose_owner(dp);
    if (dp->n_workers > 1) {
        snprintf(name, sizeof name, "tx%llx.%p",
                 (unsigned long long) p->uid, (void *) dp);
        p->tx_ring = rte_ring_create(name, TX_RING_SIZE, SOCKET_ID_ANY,
                                     RING_F_SC_DEQ);
        if (!p->tx_ring)
            return weft_err_set(e, -ENOMEM, "port %s: out of memory",
                                c->name);
    }
    err = ops->open(&p->port, &dp->env, c->options, c->n_options, e);
    if (err)
        return err;
    if (!p->port.mtu)
        p->port.mtu = MTU_DEFAULT;
    port_set_mtu(p);
    p->link_reported = p->port.link_up;
    return 0;
}

/* ----------------------------------------------------------- patch, tunnels */

static const char *
option(const struct dp_option *o, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(o[i].name, name))
            return o[i].value;
    return NULL;
}

/* Two patch ports that name each other are joined. */
static void
patch_join(struct dp_port *p)
{
    struct dp_port *q = dp_port_by_name(p->dp, p->peer_name);

    if (!q || q->kind != DP_KIND_PATCH || q == p
        || strcmp(q->peer_name, p->port.name)) {
        snprintf(p->port.status, sizeof p->port.status,
                 "peer %.60s does not exist or names another peer",
                 p->peer_name);
        p->port.link_up = false;
        return;
    }
    dp_publish(&p->peer, q);
    dp_publish(&q->peer, p);
    p->port.link_up = q->port.link_up = true;
    snprintf(p->port.status, sizeof p->port.status, "up");
    snprintf(q->port.status, sizeof q->port.status, "up");
}

static void
patch_part(struct dp_port *p)
{
    struct dp_port *q = p->peer;

    if (!q)
        return;
    dp_publish(&q->peer, (struct dp_port *) NULL);
    dp_publish(&p->peer, (struct dp_port *) NULL);
    q->port.link_up = false;
    snprintf(q->port.status, sizeof q->port.status,
             "peer %.60s does not exist or names another peer",
             p->port.name);
}

static int
patch_open(struct dp_port *p, const struct dp_port_config *c,
           struct weft_err *e)
{
    const char *peer = option(c->options, c->n_options, "peer");

    for (size_t i = 0; i < c->n_options; i++)
        if (strcmp(c->options[i].name, "peer"))
            return weft_err_set(e, -EINVAL,
                                "port %s: type patch has no option %s, only "
                                "peer", c->name, c->options[i].name);
    if (!peer || !*peer || strlen(peer) >= sizeof p->peer_name)
        return weft_err_set(e, -EINVAL,
                            "port %s: type patch needs peer=NAME, the other "
                            "patch port", c->name);
    p->kind = DP_KIND_PATCH;
    p->port.mtu = UINT16_MAX;
    p->max_frame = UINT32_MAX / 2;
    snprintf(p->peer_name, sizeof p->peer_name, "%s", peer);
    return 0;
}

/* Takes over what 'c' says into *cfg, which starts as the defaults. */
static int
tunnel_parse(const struct tnl_ops *t, const char *port,
             const struct dp_option *o, size_t n, struct tnl_config *cfg,
             struct weft_err *e)
{
    const char *names[32], *values[32];
    struct weft_err inner;
    int err;

    if (n > WEFT_ARRAY_LEN(names))
        return weft_err_set(e, -EINVAL, "port %s: more than %zu options",
                            port, WEFT_ARRAY_LEN(names));
    for (size_t i = 0; i < n; i++) {
        names[i] = o[i].name;
        values[i] = o[i].value;
    }
    inner.text[0] = 0;
    err = tnl_config_parse(t, names, values, n, cfg, &inner);
    if (err)
        return weft_err_set(e, err, "port %s: %.240s", port, inner.text);
    return 0;
}

/* The port has peers or not, as its options say. */
static void
tunnel_update_peers(struct dp_port *p)
{
    const struct tnl_config *c = tunnel_port_config(p->tnl);

    __atomic_store_n(&p->split_horizon, c->peers && !c->no_split_horizon,
                     __ATOMIC_RELAXED);
    if (c->peers && !p->peers)
        peers_open(p);
    else if (!c->peers && p->peers)
        peers_shut(p);
}

static int
tunnel_open(struct dp_port *p, const struct tnl_ops *t,
            const struct dp_port_config *c, struct weft_err *e)
{
    struct tunnel_port_config tc = { .name = p->port.name, .ops = t,
                                     .owner = p, .port_no = p->port_no };
    int err;

    t->defaults(&tc.tnl);
    err = tunnel_parse(t, c->name, c->options, c->n_options, &tc.tnl, e);
    if (err)
        return err;
    p->kind = DP_KIND_TUNNEL;
    p->port.link_up = true;
    snprintf(p->port.status, sizeof p->port.status, "up");
    /* The path's MTU decides, per remote (TNL_TX_TOO_BIG). */
    p->port.mtu = UINT16_MAX;
    p->max_frame = UINT32_MAX / 2;
    err = tunnel_port_add(p->dp->tunnels, &tc, &p->tnl, e);
    if (!err)
        tunnel_update_peers(p);
    return err;
}

/* ------------------------------------------------------------ add and delete */

static uint32_t
port_free_no(const struct dp_bridge *br)
{
    for (uint32_t no = 1; no <= DP_PORT_MAX; no++)
        if (!br->ports[no])
            return no;
    return 0;
}

/* The internal port that has the bridge's name is the bridge's own: LOCAL. */
static uint32_t
port_default_no(const struct dp_bridge *br, const struct dp_port_config *c)
{
    if (!strcmp(c->type, "internal") && !strcmp(c->name, br->name))
        return DP_PORT_LOCAL;
    return port_free_no(br);
}

static void
bridge_set_port(struct dp_bridge *br, uint32_t no, struct dp_port *p)
{
    if (no == DP_PORT_LOCAL)
        dp_publish(&br->local, p);
    else
        dp_publish(&br->ports[no], p);
}

static int
port_check(struct dp_bridge *br, const struct dp_port_config *c,
           uint32_t *no, struct weft_err *e)
{
    if (!*c->name || strlen(c->name) >= DP_NAME_LEN)
        return weft_err_set(e, -EINVAL,
                            "port name '%s': 1 to %d characters are allowed",
                            c->name, DP_NAME_LEN - 1);
    if (dp_port_by_name(br->dp, c->name))
        return weft_err_set(e, -EEXIST, "port %s exists already", c->name);
    *no = c->port_no ? c->port_no : port_default_no(br, c);
    if (!*no)
        return weft_err_set(e, -ENOSPC, "bridge %s: all %u ports are in use",
                            br->name, DP_PORT_MAX);
    if (*no > DP_PORT_MAX && *no != DP_PORT_LOCAL)
        return weft_err_set(e, -EINVAL,
                            "port %s: number %u exceeds %u", c->name, *no,
                            DP_PORT_MAX);
    if (dp_bridge_port(br, *no))
        return weft_err_set(e, -EEXIST,
                            "port %s: number %u of bridge %s is in use by %s",
                            c->name, *no, br->name,
                            dp_bridge_port(br, *no)->port.name);
    return 0;
}

/* 'ops': of a device type, or NULL: patch, or a tunnel type. */
static int
port_open(struct dp_port *p, const struct dp_port_config *c,
          const struct port_ops *ops, struct weft_err *e)
{
    const struct tnl_ops *t = tnl_type_by_name(c->type);

    if (ops)
        return dp_port_open_device(p, ops, c, e);
    if (!strcmp(c->type, "patch"))
        return patch_open(p, c, e);
    return tunnel_open(p, t, c, e);
}

int
dp_port_add_ops(struct dp_bridge *br, const struct dp_port_config *c,
                const struct port_ops *ops, uint32_t *port_no,
                struct weft_err *e)
{
    struct dp *dp = br->dp;
    struct dp_port *p;
    uint32_t no = 0;
    int err = port_check(br, c, &no, e);

    if (err)
        return err;
    p = dp_port_new(dp, br, c->name, no);
    if (!p)
        return weft_err_set(e, -ENOMEM, "port %s: out of memory", c->name);
    err = port_open(p, c, ops, e);
    if (err) {
        dp_port_destroy(p);
        return err;
    }
    dp_port_set_options(p, c->options, c->n_options);
    base_list_add_tail(&dp->ports, &p->node);
    bridge_set_port(br, no, p);
    dp_bridge_update_flood(br);
    if (p->kind == DP_KIND_PATCH)
        patch_join(p);
    if (p->kind == DP_KIND_TUNNEL)
        dp_uplinks_refilter(dp);
    if (p->kind == DP_KIND_DEVICE) {
        err = dp_rxqs_assign(p);
        if (err) {
            weft_err_set(e, err, "port %s: %s", c->name, strerror(-err));
            (void) !dp_port_del(br, no, NULL);
            return err;
        }
    }
    if (port_no)
        *port_no = no;
    port_event(p, DP_PORT_ADDED);
    return 0;
}

int
dp_port_unknown_type(const struct dp_port_config *c, bool uplink, struct weft_err *e)
{
    char names[200] = "";
    size_t n = 0;

    for (unsigned i = 0; port_type_by_index(i); i++) {
        const struct port_ops *o = port_type_by_index(i);

        if ((uplink ? o->as_uplink : o->as_port) && n < sizeof names)
            n += (size_t) snprintf(names + n, sizeof names - n, " %s",
                                   o->name);
    }
    for (unsigned i = 0; !uplink && tnl_type_by_index(i); i++)
        if (n < sizeof names)
            n += (size_t) snprintf(names + n, sizeof names - n, " %s",
                                   tnl_type_by_index(i)->name);
    return weft_err_set(e, -EINVAL, "%s %s: unknown type %s; there are:%s%s",
                        uplink ? "uplink" : "port", c->name, c->type, names,
                        uplink ? "" : " patch");
}

int
dp_port_add(struct dp_bridge *br, const struct dp_port_config *c,
            uint32_t *port_no, struct weft_err *e)
{
    const struct port_ops *ops = port_type_by_name(c->type);

    if (ops ? !ops->as_port
            : strcmp(c->type, "patch") && !tnl_type_by_name(c->type))
        return dp_port_unknown_type(c, false, e);
    return dp_port_add_ops(br, c, ops, port_no, e);
}

/* Takes a port from all workers and closes it; returns when none uses it. */
void
dp_port_remove(struct dp_port *p)
{
    struct dp *dp = p->dp;

    if (p->kind == DP_KIND_PATCH)
        patch_part(p);
    if (p->kind == DP_KIND_TUNNEL)
        tunnel_port_del(dp->tunnels, p->tnl);
    if (p->kind == DP_KIND_DEVICE)
        dp_rxqs_remove(p);
    if (!dp->manual)
        rcu_wait(dp->rcu);
    if (p->kind == DP_KIND_DEVICE)
        p->port.ops->close(&p->port);
    if (p->kind == DP_KIND_TUNNEL)
        dp_uplinks_refilter(dp);
    base_list_del(&p->node);
    /* Tunnel packets of a burst that had begun may still name it. */
    rcu_defer(dp->rcu, port_retire, p);
}

int
dp_port_del(struct dp_bridge *br, uint32_t port_no, struct weft_err *e)
{
    struct dp_port *p = dp_bridge_port(br, port_no);

    if (!p)
        return weft_err_set(e, -ENODEV, "bridge %s has no port %u", br->name,
                            port_no);
    bridge_set_port(br, port_no, NULL);
    p->link_reported = p->port.link_up = false;
    port_event(p, DP_PORT_DELETED);
    /* Out of the flood list before it is gone. */
    base_list_del(&p->node);
    dp_bridge_update_flood(br);
    mac_flush_port(br->macs, port_no);
    dp_port_remove(p);
    return 0;
}

/* ------------------------------------------------------------------- changes */

static int
tunnel_set(struct dp_port *p, const struct dp_option *o, size_t n,
           struct weft_err *e)
{
    const struct tnl_ops *t = tunnel_port_ops(p->tnl);
    struct tnl_config cfg = *tunnel_port_config(p->tnl);
    int err;

    for (size_t i = 0; i < n; i++) {
        struct weft_err inner = { "" };

        err = t->parse(&cfg, o[i].name, o[i].value, &inner);
        if (err == -ENOENT)
            return weft_err_set(e, -EINVAL, "port %s: unknown option %s",
                                p->port.name, o[i].name);
        if (err)
            return weft_err_set(e, err, "port %s: %.240s", p->port.name,
                                inner.text);
    }
    err = t->check(&cfg, e);
    if (!err)
        err = tunnel_port_replace(p->dp->tunnels, p->tnl, &cfg, &p->tnl, e);
    if (err)
        return err;
    tunnel_update_peers(p);
    dp_uplinks_refilter(p->dp);
    return 0;
}

static int
device_set(struct dp_port *p, const struct dp_option *o, size_t n,
           struct weft_err *e)
{
    for (size_t i = 0; i < n; i++) {
        int err = p->port.ops->set
                      ? p->port.ops->set(&p->port, o[i].name, o[i].value, e)
                      : -ENOENT;

        if (err == -ENOENT)
            return weft_err_set(e, -EINVAL,
                                "port %s: type %s has no option %s",
                                p->port.name, p->port.ops->name, o[i].name);
        if (err == -EOPNOTSUPP)
            return weft_err_set(e, -EINVAL,
                                "port %s: %s can be set at creation only",
                                p->port.name, o[i].name);
        if (err)
            return err;
    }
    port_set_mtu(p);
    return 0;
}

int
dp_port_set(struct dp_bridge *br, uint32_t port_no, const struct dp_option *o,
            size_t n, struct weft_err *e)
{
    struct dp_port *p = dp_bridge_port(br, port_no);
    int err;

    if (!p)
        return weft_err_set(e, -ENODEV, "bridge %s has no port %u", br->name,
                            port_no);
    if (p->kind == DP_KIND_TUNNEL) {
        err = tunnel_set(p, o, n, e);
    } else if (p->kind == DP_KIND_DEVICE) {
        err = device_set(p, o, n, e);
    } else {
        struct dp_port_config c = { .name = p->port.name, .type = "patch",
                                    .options = o, .n_options = n };
        err = patch_open(p, &c, e);
        if (!err) {
            patch_part(p);
            patch_join(p);
        }
    }
    if (err)
        return err;
    if (p->kind != DP_KIND_TUNNEL)
        dp_port_set_options(p, o, n);
    port_event(p, DP_PORT_MODIFIED);
    return 0;
}

int
dp_port_set_peers(struct dp_bridge *br, uint32_t port_no, const be32 *addrs,
                  size_t n, struct weft_err *e)
{
    struct dp_port *p = dp_bridge_port(br, port_no);

    if (!p)
        return weft_err_set(e, -ENODEV, "bridge %s has no port %u", br->name,
                            port_no);
    if (!p->peers)
        return weft_err_set(e, -EINVAL, "port %s: peers are for tunnel ports "
                            "with remote=peers or remote=learn",
                            p->port.name);
    return peers_set_listed(p, addrs, n, e);
}

void
dp_peer_dump(struct dp_bridge *br, uint32_t port_no, dp_peer_cb *cb,
             void *arg)
{
    const struct dp_port *p = dp_bridge_port(br, port_no);

    if (p && p->peers)
        peers_dump(p, cb, arg);
}

int
dp_port_set_config(struct dp_bridge *br, uint32_t port_no, uint32_t bits,
                   uint32_t mask)
{
    struct dp_port *p = dp_bridge_port(br, port_no);
    uint32_t config;

    if (!p)
        return -ENODEV;
    config = (p->config & ~mask) | (bits & mask);
    if (config == p->config)
        return 0;
    __atomic_store_n(&p->config, config, __ATOMIC_RELAXED);
    port_event(p, DP_PORT_MODIFIED);
    return 0;
}

/* --------------------------------------------------------------- information */

static void
stats_add(struct dp_port_stats *a, const struct dp_port_stats *b)
{
    a->rx_packets += dp_read(b->rx_packets);
    a->rx_bytes += dp_read(b->rx_bytes);
    a->tx_packets += dp_read(b->tx_packets);
    a->tx_bytes += dp_read(b->tx_bytes);
    a->tx_dropped += dp_read(b->tx_dropped);
    a->tx_errors += dp_read(b->tx_errors);
}

static void
port_sum(const struct dp_port *p, struct dp_port_stats *s, uint64_t drops[])
{
    for (unsigned w = 0; w < p->dp->n_workers; w++) {
        stats_add(s, &p->pw[w]->stats);
        for (unsigned i = 0; i < N_DROP_REASONS; i++)
            drops[i] += dp_read(p->pw[w]->drops[i]);
    }
    drops[DROP_RX_NO_BUFFER] += dp_read(p->port.rx_no_buffer);
    s->rx_dropped += dp_read(p->port.rx_no_buffer);
    s->rx_errors += dp_read(p->port.rx_errors);
    for (unsigned i = DROP_RX_RUNT; i <= DROP_RX_NO_RECV; i++)
        s->rx_dropped += drops[i];
}

void
dp_port_fill_info(const struct dp_port *p, struct dp_port_info *out)
{
    memset(out, 0, sizeof *out);
    out->port_no = p->port_no;
    memcpy(out->name, p->port.name, sizeof out->name);
    memcpy(out->mac, p->port.mac, 6);
    out->mtu = p->port.mtu;
    out->config = p->config;
    out->link_up = p->port.link_up;
    memcpy(out->status, p->port.status, sizeof out->status);
    memcpy(out->options, p->options, sizeof out->options);
    out->created_ns = p->created_ns;
    if (p->kind == DP_KIND_PATCH) {
        snprintf(out->type, sizeof out->type, "patch");
    } else if (p->kind == DP_KIND_TUNNEL) {
        const struct tnl_ops *t = tunnel_port_ops(p->tnl);

        snprintf(out->type, sizeof out->type, "%s", t->name);
        t->print(tunnel_port_config(p->tnl), out->options,
                 sizeof out->options);
    } else {
        snprintf(out->type, sizeof out->type, "%s", p->port.ops->name);
        if (p->port.ops->get)
            p->port.ops->get((struct port *) (uintptr_t) &p->port, out);
    }
    port_sum(p, &out->stats, out->drops);
}

int
dp_port_get(struct dp_bridge *br, uint32_t port_no, struct dp_port_info *out)
{
    const struct dp_port *p = dp_bridge_port(br, port_no);

    if (!p)
        return -ENODEV;
    dp_port_fill_info(p, out);
    return 0;
}

uint32_t
dp_port_next(struct dp_bridge *br, uint32_t after)
{
    if (after == DP_PORT_LOCAL)
        return 0;
    for (uint32_t no = after + 1; no <= DP_PORT_MAX; no++)
        if (br->ports[no])
            return no;
    return br->local ? DP_PORT_LOCAL : 0;
}

/* Every 100 ms: devices that came or went. */
void
dp_port_house(struct dp_port *p)
{
    if (p->kind == DP_KIND_DEVICE && p->port.ops->poll_state) {
        p->port.ops->poll_state(&p->port);
        if (p->port.mtu + ETH_LEN != p->max_frame && p->port.mtu)
            port_set_mtu(p);
    }
    dp_queues_house(p);
    if (p->peers)
        peers_house(p);
    if (p->link_reported == p->port.link_up)
        return;
    p->link_reported = p->port.link_up;
    port_event(p, DP_PORT_MODIFIED);
}
