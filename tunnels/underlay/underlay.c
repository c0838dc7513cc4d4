/* SPDX-License-Identifier: Apache-2.0 */
/* Underlay: remotes that were asked for, and what was answered. */
#include "tunnels/underlay/underlay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tunnels/underlay/underlay_priv.h"
#include "utils/base/addr.h"
#include "utils/base/clock.h"
#include "utils/base/log.h"
#include "utils/base/mem.h"

#define FORGET_NS (3600 * UL_SECOND) /* Remotes that nobody asked for. */
#define ROUTE_NS (5 * UL_SECOND) /* Path MTU changes come without an event. */

/* ---------------------------------------------------------------- lookup */

static uint32_t
hash_of(uint64_t a, uint64_t b)
{
    return (uint32_t) base_hash_mix(base_hash_mix(0x77656674, a), b);
}

static struct ul_uplink *
uplink_by_id(struct underlay *u, uint32_t id)
{
    struct ul_uplink *l;

    BASE_LIST_FOR(l, &u->uplinks, all)
        if (l->id == id)
            return l;
    return NULL;
}

struct ul_uplink *
ul_uplink_by_ifindex(struct underlay *u, int ifindex)
{
    struct ul_uplink *l;

    BASE_LIST_FOR(l, &u->uplinks, all)
        if (!l->owned && l->ifindex && l->ifindex == ifindex)
            return l;
    return NULL;
}

static struct ul_remote *
remote_find(struct underlay *u, be32 remote)
{
    struct base_hnode *n = base_hmap_first(&u->remotes, hash_of(remote, 0));

    for (; n; n = base_hmap_next_same(n)) {
        struct ul_remote *r = WEFT_CONTAINER_OF(n, struct ul_remote, node);

        if (r->remote == remote)
            return r;
    }
    return NULL;
}

struct ul_neigh *
ul_neigh_find(struct underlay *u, const struct ul_uplink *l, be32 addr)
{
    struct base_hnode *n = base_hmap_first(&u->neighs, hash_of(addr, l->id));

    for (; n; n = base_hmap_next_same(n)) {
        struct ul_neigh *g = WEFT_CONTAINER_OF(n, struct ul_neigh, node);

        if (g->uplink == l && g->addr == addr)
            return g;
    }
    return NULL;
}

/* ------------------------------------------------------------ neighbours */

static struct ul_neigh *
neigh_get(struct underlay *u, struct ul_uplink *l, be32 addr)
{
    struct ul_neigh *g = ul_neigh_find(u, l, addr);

    if (g)
        return g;
    BASE_NEW(g);
    g->uplink = l;
    g->addr = addr;
    base_list_init(&g->remotes);
    base_list_add_tail(&u->neigh_list, &g->all);
    base_hmap_add(&u->neighs, &g->node, hash_of(addr, l->id));
    if (!l->owned)
        ul_kernel_neigh_get(u, g);
    return g;
}

static void
neigh_put(struct underlay *u, struct ul_neigh *g)
{
    if (!base_list_empty(&g->remotes))
        return;
    base_hmap_del(&u->neighs, &g->node);
    base_list_del(&g->all);
    free(g);
}

/* Asks for what is not known or not confirmed; at most once a second. */
static void
neigh_use(struct underlay *u, struct ul_neigh *g)
{
    if (g->state == UL_NEIGH_VALID && !g->stale)
        return;
    if (g->asked_ns && u->now_ns - g->asked_ns < UL_SECOND)
        return;
    g->asked_ns = u->now_ns ? u->now_ns : 1;
    if (g->uplink->owned)
        ul_owned_neigh_use(u, g);
    else
        ul_kernel_neigh_use(u, g);
}

/* --------------------------------------------------------------- answers */

/* There is no way to 'r'. */
static void
tell_del(struct underlay *u, struct ul_remote *r)
{
    char text[BASE_IPV4_LEN];

    if (r->told == UL_TOLD_DEL)
        return;
    r->told = UL_TOLD_DEL;
    base_log(BASE_LOG_DEBUG, "underlay", "%s: no route by any uplink",
             base_format_ipv4(r->remote, text));
    u->cb.nexthop_del(u->cb.arg, r->remote);
}

/* Reports the route; with a zero MAC when the neighbour does not answer. */
static void
tell(struct underlay *u, struct ul_remote *r)
{
    const struct ul_neigh *g = r->neigh;
    char text[BASE_IPV4_LEN], via[BASE_IPV4_LEN];
    struct tnl_nexthop nh;

    if (!g) {
        tell_del(u, r);
        return;
    }
    /* While the first question is open the datapath knows as much. */
    if (g->state == UL_NEIGH_NONE && r->told == UL_TOLD_NOTHING)
        return;
    memset(&nh, 0, sizeof nh); /* It is compared whole. */
    nh.uplink = g->uplink->id;
    nh.src = r->src;
    nh.mtu = r->mtu;
    memcpy(nh.src_mac, g->uplink->mac, 6);
    if (g->state == UL_NEIGH_VALID)
        memcpy(nh.dst_mac, g->mac, 6);
    if (r->told == UL_TOLD_SET && !memcmp(&nh, &r->nexthop, sizeof nh))
        return;
    r->told = UL_TOLD_SET;
    base_log(BASE_LOG_DEBUG, "underlay", "%s: by uplink %u, %s %s",
             base_format_ipv4(r->remote, text), nh.uplink,
             base_format_ipv4(g->addr, via),
             g->state == UL_NEIGH_VALID ? "reachable" : "does not answer");
    r->nexthop = nh;
    u->cb.nexthop_set(u->cb.arg, r->remote, &r->nexthop);
}

static void
tell_all(struct underlay *u, struct ul_neigh *g)
{
    struct ul_remote *r;

    BASE_LIST_FOR(r, &g->remotes, of_neigh)
        tell(u, r);
}

void
ul_neigh_valid(struct underlay *u, struct ul_neigh *g, const uint8_t mac[6],
               bool stale)
{
    g->state = UL_NEIGH_VALID;
    g->stale = stale;
    g->soliciting = false;
    g->tries = 0;
    memcpy(g->mac, mac, 6);
    if (!stale)
        g->confirmed_ns = u->now_ns;
    tell_all(u, g);
}

void
ul_neigh_failed(struct underlay *u, struct ul_neigh *g)
{
    g->state = UL_NEIGH_FAILED;
    g->soliciting = false;
    g->tries = 0;
    tell_all(u, g);
}

/* ---------------------------------------------------------------- routes */

/* On-link of an owned uplink, else the kernel's route, else an owned
 * uplink's gateway. */
static int
find_route(struct underlay *u, const struct ul_remote *r,
           struct ul_route *route)
{
    struct ul_uplink *l;
    bool kernel = false;
    int err = -ENETUNREACH;

    BASE_LIST_FOR(l, &u->uplinks, all) {
        if (l->owned && !ul_owned_route(l, r->remote, false, route))
            return 0;
        kernel |= !l->owned;
    }
    if (kernel)
        err = ul_kernel_route(u, r->remote, r->local, route);
    if (!err)
        return 0;
    BASE_LIST_FOR(l, &u->uplinks, all)
        if (l->owned && !ul_owned_route(l, r->remote, true, route))
            return 0;
    return err;
}

static void
remote_detach(struct underlay *u, struct ul_remote *r)
{
    struct ul_neigh *g = r->neigh;

    if (!g)
        return;
    r->neigh = NULL;
    base_list_del(&r->of_neigh);
    neigh_put(u, g);
}

/* The question failed, not the route. */
static bool
is_transient(int err)
{
    return err == -EAGAIN || err == -ENOBUFS || err == -ENOMEM;
}

/* Finds the route again and tells what has changed. */
static void
remote_route(struct underlay *u, struct ul_remote *r)
{
    struct ul_route route = { .uplink = NULL };

    r->generation = u->generation;
    r->routed_ns = u->now_ns;
    base_list_del(&r->all);
    base_list_add_tail(&u->remote_list, &r->all);

    int err = find_route(u, r, &route);
    if (is_transient(err))
        return; /* What is known may still be right. */
    if (err || !route.uplink->up) {
        remote_detach(u, r);
        tell(u, r);
        return;
    }
    if (!r->neigh || r->neigh->uplink != route.uplink
        || r->neigh->addr != route.via) {
        struct ul_neigh *g = neigh_get(u, route.uplink, route.via);

        remote_detach(u, r);
        r->neigh = g;
        base_list_add_tail(&g->remotes, &r->of_neigh);
    }
    r->src = route.src;
    r->mtu = route.mtu;
    tell(u, r);
    neigh_use(u, r->neigh);
}

/* Those that an event made doubtful; a bounded number at a time. */
static void
routes_run(struct underlay *u)
{
    for (unsigned n = 0; n < UL_RUN_BUDGET; n++) {
        if (base_list_empty(&u->remote_list))
            return;
        struct ul_remote *r = WEFT_CONTAINER_OF(u->remote_list.next,
                                                struct ul_remote, all);
        if (r->generation == u->generation)
            return;
        remote_route(u, r);
    }
}

/* --------------------------------------------------------------- remotes */

static void
remote_forget(struct underlay *u, struct ul_remote *r)
{
    remote_detach(u, r);
    tell_del(u, r);
    base_hmap_del(&u->remotes, &r->node);
    base_list_del(&r->all);
    free(r);
}

/* Makes room among the oldest few. */
static bool
forget_one(struct underlay *u)
{
    struct ul_remote *r, *next;
    unsigned n = 0;

    BASE_LIST_FOR_SAFE(r, next, &u->remote_list, all) {
        if (u->now_ns - r->used_ns > 60 * UL_SECOND) {
            remote_forget(u, r);
            return true;
        }
        if (++n == 64)
            break;
    }
    return false;
}

static struct ul_remote *
remote_add(struct underlay *u, be32 remote)
{
    static struct base_ratelimit limit = BASE_RATELIMIT(1, 60);
    struct ul_remote *r;

    if (u->remotes.n >= UL_MAX_REMOTES && !forget_one(u)) {
        base_log_rl(&limit, BASE_LOG_WARN, "underlay",
                    "more than %u remote end points in use: new ones are not"
                    " resolved", UL_MAX_REMOTES);
        return NULL;
    }
    BASE_NEW(r);
    r->remote = remote;
    r->generation = u->generation - 1;
    base_hmap_add(&u->remotes, &r->node, hash_of(remote, 0));
    base_list_add_head(&u->remote_list, &r->all);
    return r;
}

void
underlay_resolve(struct underlay *u, be32 remote, be32 local)
{
    struct ul_remote *r;

    if (!remote)
        return;
    r = remote_find(u, remote);
    if (!r)
        r = remote_add(u, remote);
    if (!r)
        return;
    r->used_ns = u->now_ns;
    if (r->local != local || r->generation != u->generation
        || u->now_ns - r->routed_ns >= ROUTE_NS) {
        r->local = local;
        remote_route(u, r);
    } else if (r->neigh) {
        neigh_use(u, r->neigh);
    }
}

void
underlay_foreach(struct underlay *u, underlay_info_cb *cb, void *arg)
{
    struct ul_remote *r;

    BASE_LIST_FOR(r, &u->remote_list, all) {
        struct underlay_info info = { .remote = r->remote };

        if (!r->neigh) {
            info.state = "no route";
        } else {
            info.via = r->neigh->addr;
            info.nexthop = r->nexthop;
            info.state = r->neigh->state == UL_NEIGH_VALID ? "reachable"
                         : r->neigh->state == UL_NEIGH_FAILED
                             ? "no answer" : "resolving";
        }
        cb(arg, &info);
    }
}

/* --------------------------------------------------------------- uplinks */

void
ul_uplink_set_addrs(struct underlay *u, struct ul_uplink *l,
                    const be32 *addrs, size_t n)
{
    static struct base_ratelimit limit = BASE_RATELIMIT(1, 60);

    if (n > UL_MAX_ADDRS) {
        base_log_rl(&limit, BASE_LOG_WARN, "underlay",
                    "uplink %u has %zu addresses: the first %u are used",
                    l->id, n, UL_MAX_ADDRS);
        n = UL_MAX_ADDRS;
    }
    if (n == l->n_addrs && (!n || !memcmp(addrs, l->addrs, n * sizeof *addrs)))
        return;
    if (n)
        memcpy(l->addrs, addrs, n * sizeof *addrs);
    l->n_addrs = n;
    ul_routes_changed(u);
    u->cb.addrs(u->cb.arg, l->id, l->addrs, n);
}

static void
uplink_publish(struct underlay *u, struct ul_uplink *l)
{
    base_list_add_tail(&u->uplinks, &l->all);
    ul_routes_changed(u);
    u->cb.addrs(u->cb.arg, l->id, l->addrs, l->n_addrs);
    routes_run(u);
}

int
underlay_add_kernel(struct underlay *u, uint32_t id, int ifindex,
                    struct weft_err *e)
{
    struct ul_uplink *l;

    if (uplink_by_id(u, id) || ul_uplink_by_ifindex(u, ifindex))
        return weft_err_set(e, -EEXIST,
                            "uplink %u or interface %d is an uplink already",
                            id, ifindex);
    BASE_NEW(l);
    l->id = id;
    l->ifindex = ifindex;

    int err = ul_kernel_load(u, l, e);
    if (err) {
        free(l);
        return err;
    }
    uplink_publish(u, l);
    return 0;
}

int
underlay_add_owned(struct underlay *u, uint32_t id, const uint8_t mac[6],
                   be32 address, uint8_t prefix_len, be32 gateway,
                   uint16_t mtu, struct weft_err *e)
{
    struct ul_uplink *l;
    struct ul_route route;
    char text[BASE_IPV4_LEN], text2[BASE_IPV4_LEN];

    if (uplink_by_id(u, id))
        return weft_err_set(e, -EEXIST, "uplink %u exists already", id);
    if (!address || !prefix_len || prefix_len > 32)
        return weft_err_set(e, -EINVAL,
                            "address %s/%u is no address of a host with a"
                            " prefix length of 1 to 32",
                            base_format_ipv4(address, text), prefix_len);
    BASE_NEW(l);
    l->id = id;
    l->owned = l->up = true;
    l->mtu = mtu;
    l->prefix_len = prefix_len;
    l->addrs[0] = address;
    l->n_addrs = 1;
    l->announce = 2; /* RFC 5227 §1.1: ANNOUNCE_NUM. */
    memcpy(l->mac, mac, 6);
    if (gateway && ul_owned_route(l, gateway, false, &route)) {
        free(l);
        return weft_err_set(e, -EINVAL,
                            "gateway %s is not on the link of %s/%u",
                            base_format_ipv4(gateway, text),
                            base_format_ipv4(address, text2), prefix_len);
    }
    l->gateway = gateway;
    uplink_publish(u, l);
    ul_owned_tick(u, l);
    return 0;
}

void
underlay_del(struct underlay *u, uint32_t id)
{
    struct ul_uplink *l = uplink_by_id(u, id);
    struct ul_remote *r, *next;

    if (!l)
        return;
    base_list_del(&l->all);
    ul_routes_changed(u);
    /* No neighbour may point to it any more. */
    struct base_list todo;
    base_list_init(&todo);
    BASE_LIST_FOR_SAFE(r, next, &u->remote_list, all)
        if (r->neigh && r->neigh->uplink == l) {
            base_list_del(&r->all);
            base_list_add_tail(&todo, &r->all);
        }
    BASE_LIST_FOR_SAFE(r, next, &todo, all)
        remote_route(u, r);
    u->cb.addrs(u->cb.arg, id, NULL, 0);
    free(l);
}

void
underlay_rx(struct underlay *u, uint32_t id, const uint8_t *data, size_t len)
{
    struct ul_uplink *l = uplink_by_id(u, id);

    if (l && l->owned)
        ul_owned_rx(u, l, data, len);
}

/* ------------------------------------------------------------ life cycle */

int
underlay_create(const struct underlay_callbacks *cb, struct underlay **out,
                struct weft_err *e)
{
    struct underlay *u;

    BASE_NEW(u);
    u->cb = *cb;
    u->generation = 1;
    u->now_ns = base_clock_ns(); /* Remotes may be asked for before a tick. */
    base_list_init(&u->uplinks);
    base_list_init(&u->remote_list);
    base_list_init(&u->neigh_list);
    base_hmap_init(&u->remotes);
    base_hmap_init(&u->neighs);

    int err = ul_kernel_create(u, e);
    if (err) {
        base_hmap_fini(&u->remotes);
        base_hmap_fini(&u->neighs);
        free(u);
        return err;
    }
    *out = u;
    return 0;
}

void
underlay_destroy(struct underlay *u)
{
    struct ul_remote *r, *next_r;
    struct ul_neigh *g, *next_g;
    struct ul_uplink *l, *next_l;

    if (!u)
        return;
    BASE_LIST_FOR_SAFE(r, next_r, &u->remote_list, all)
        free(r);
    BASE_LIST_FOR_SAFE(g, next_g, &u->neigh_list, all)
        free(g);
    BASE_LIST_FOR_SAFE(l, next_l, &u->uplinks, all)
        free(l);
    base_hmap_fini(&u->remotes);
    base_hmap_fini(&u->neighs);
    ul_kernel_destroy(u->kernel);
    free(u);
}

int
underlay_fd(const struct underlay *u)
{
    return ul_kernel_fd(u->kernel);
}

void
underlay_run(struct underlay *u)
{
    ul_kernel_run(u);
    routes_run(u);
}

static void
forget_idle(struct underlay *u)
{
    struct ul_remote *r, *next;
    unsigned n = 0;

    BASE_LIST_FOR_SAFE(r, next, &u->remote_list, all) {
        if (u->now_ns - r->used_ns > FORGET_NS)
            remote_forget(u, r);
        if (++n == 8)
            return;
    }
}

void
underlay_tick(struct underlay *u, uint64_t now_ns)
{
    struct ul_uplink *l;
    struct ul_neigh *g, *next;

    u->now_ns = now_ns;
    BASE_LIST_FOR(l, &u->uplinks, all)
        if (l->owned)
            ul_owned_tick(u, l);
    BASE_LIST_FOR_SAFE(g, next, &u->neigh_list, all)
        if (g->soliciting && g->uplink->owned)
            ul_owned_neigh_tick(u, g);
    forget_idle(u);
    routes_run(u);
}
