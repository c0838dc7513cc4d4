/* SPDX-License-Identifier: Apache-2.0 */
/* Tunnel ports, next hops and local end points: the control side. */
#include "datapath/tunnel.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/tunnel_priv.h"
#include "utils/base/addr.h"
#include "utils/base/mem.h"

enum {
    MIN_SLOTS = 16,
    MAX_PROBE = 8, /* Aimed at; the table grows up to eightfold for it. */
};

/* --------------------------------------------------------------- objects */

/* Cache-line aligned and zeroed. */
static void *
xalloc_lines(size_t size)
{
    void *p = NULL;

    size = (size + 63) & ~(size_t) 63;
    if (posix_memalign(&p, 64, size))
        abort();
    return memset(p, 0, size);
}

static void
table_free(void *p)
{
    struct tunnel_table *t = p;

    free(t->slots);
    free(t->addrs);
    free(t);
}

static void
retire(struct tunnels *t, void *obj, void (*free_fn)(void *))
{
    if (!obj)
        return;
    if (t->retire)
        t->retire(t->retire_arg, obj, free_fn);
    else
        free_fn(obj);
}

static uint32_t
power_of_two(uint32_t at_least)
{
    uint32_t n = MIN_SLOTS;

    while (n < at_least)
        n *= 2;
    return n;
}

/* Walks ts->ports by list nodes: the head is no port, so the address it would
 * have as one must not even be formed (ports are aligned to lines). */
#define FOR_EACH_PORT(node, ts)                                               \
    for (struct base_list *node = (ts)->ports.next; node != &(ts)->ports;     \
         node = node->next)

static struct tunnel_port *
port_at(struct base_list *node)
{
    return WEFT_CONTAINER_OF(node, struct tunnel_port, all);
}

/* --------------------------------------------------------- receive table */

static unsigned
port_mode(const struct tunnel_port *p)
{
    return (p->local ? TUNNEL_BY_LOCAL : 0)
           | (p->remote_flow ? 0 : TUNNEL_BY_REMOTE)
           | (p->key_flow ? 0 : TUNNEL_BY_KEY);
}

static uint16_t
port_selector(const struct tnl_ops *ops, const struct tnl_config *c)
{
    return ops->gre_proto ? ops->gre_proto : c->dst_port;
}

/* The kind of 'p' in 't', added when new.  -ENOSPC: too many. */
static int
table_kind(struct tunnel_table *t, const struct tunnel_port *p)
{
    uint16_t selector = port_selector(p->ops, &p->config);
    unsigned i;

    for (i = 0; i < t->n_kinds; i++)
        if (t->kinds[i].ops == p->ops && t->kinds[i].selector == selector)
            break;
    if (i == TUNNEL_MAX_KINDS)
        return -ENOSPC;

    struct tunnel_kind *k = &t->kinds[i];
    if (i == t->n_kinds) {
        t->n_kinds++;
        k->ops = p->ops;
        k->selector = selector;
        k->ip_proto = p->ops->ip_proto;
    }

    unsigned mode = port_mode(p), at = 0;
    while (at < k->n_modes && k->modes[at] > mode)
        at++;
    if (at == k->n_modes || k->modes[at] != mode) {
        memmove(k->modes + at + 1, k->modes + at, k->n_modes - at);
        k->modes[at] = (uint8_t) mode;
        k->n_modes++;
    }
    return (int) i;
}

/* Number of slots looked at to reach the free one. */
static uint32_t
table_insert(struct tunnel_table *t, unsigned kind,
             const struct tunnel_port *p)
{
    be32 remote = p->remote_flow ? 0 : p->remote;
    uint32_t kk = tunnel_kind_key(kind, port_mode(p),
                                  p->key_flow ? 0 : p->config.key);
    uint32_t at = tunnel_hash_slot(remote, p->local, kk), n = 1;

    for (; t->slots[at & t->mask].port; at++)
        n++;

    struct tunnel_slot *s = &t->slots[at & t->mask];
    s->remote = remote;
    s->local = p->local;
    s->kind_key = kk;
    s->port = p;
    return n;
}

static void
table_fill_slots(const struct tunnels *ts, struct tunnel_table *t)
{
    uint32_t n = power_of_two(2 * (uint32_t) ts->by_identity.n);

    for (unsigned attempt = 0;; attempt++, n *= 2) {
        t->slots = xalloc_lines(n * sizeof *t->slots);
        t->mask = n - 1;
        t->max_probe = 1;
        FOR_EACH_PORT(node, ts) {
            const struct tunnel_port *p = port_at(node);
            int kind = table_kind(t, p); /* Cannot fail: checked on add. */
            uint32_t probes = table_insert(t, (unsigned) kind, p);

            t->max_probe = WEFT_MAX(t->max_probe, probes);
        }
        if (t->max_probe <= MAX_PROBE || attempt == 3)
            break;
        free(t->slots);
    }
}

static void
table_fill_addrs(const struct tunnels *ts, struct tunnel_table *t)
{
    struct tunnel_uplink *u;
    size_t n = 0;

    BASE_LIST_FOR(u, &ts->uplinks, all)
        n += u->n;
    t->addr_mask = power_of_two(2 * (uint32_t) n) - 1;
    t->addrs = base_xcalloc(t->addr_mask + 1, sizeof *t->addrs);
    BASE_LIST_FOR(u, &ts->uplinks, all)
        for (size_t i = 0; i < u->n; i++) {
            uint32_t at = tunnel_hash_addr(u->addrs[i]);

            while (t->addrs[at & t->addr_mask]
                   && t->addrs[at & t->addr_mask] != u->addrs[i])
                at++;
            t->addrs[at & t->addr_mask] = u->addrs[i];
        }
}

static void
table_publish(struct tunnels *ts)
{
    if (ts->hold) {
        ts->dirty = true;
        return;
    }

    struct tunnel_table *t = xalloc_lines(sizeof *t), *old = ts->table;
    t->seq = ++ts->seq;
    table_fill_slots(ts, t);
    table_fill_addrs(ts, t);
    ts->dirty = false;
    __atomic_store_n(&ts->table, t, __ATOMIC_RELEASE);
    retire(ts, old, table_free);
}

void
tunnels_hold(struct tunnels *ts)
{
    ts->hold++;
}

void
tunnels_release(struct tunnels *ts)
{
    if (!--ts->hold && ts->dirty)
        table_publish(ts);
}

/* ----------------------------------------------------------------- ports */

/* What makes two ports the same on the wire. */
struct identity {
    const struct tnl_ops *ops;
    uint32_t selector;
    be32 local, remote;
    uint32_t key; /* 1 << 24: chosen by flow. */
};

static_assert(sizeof(struct identity) == 24, "no padding: it is hashed");

static struct identity
identity_of(const struct tnl_ops *ops, const struct tnl_config *c)
{
    return (struct identity) {
        .ops = ops,
        .selector = port_selector(ops, c),
        .local = c->local,
        .remote = c->remote_flow ? 0 : c->remote,
        .key = c->key_flow ? 1u << 24 : c->key,
    };
}

static struct tunnel_port *
find_identity(const struct tunnels *ts, const struct identity *id)
{
    struct base_hnode *n = base_hmap_first(&ts->by_identity,
                                           base_hash_bytes(id, sizeof *id, 0));

    for (; n; n = base_hmap_next_same(n)) {
        struct tunnel_port *p = WEFT_CONTAINER_OF(n, struct tunnel_port,
                                                  by_identity);
        struct identity other = identity_of(p->ops, &p->config);

        if (!memcmp(id, &other, sizeof other))
            return p;
    }
    return NULL;
}

/* The sum of 'addr' as two host words. */
static uint32_t
addr_csum(be32 addr)
{
    return (be32_to(addr) >> 16) + (be32_to(addr) & 0xffff);
}

/* The header without what differs by next hop and packet: MACs, addresses,
 * TOS. */
static int
port_build_header(struct tunnel_port *p, struct weft_err *e)
{
    static const struct tnl_nexthop none;
    struct tnl_config c = p->config;
    struct tnl_template t;

    c.local = 0;
    c.tos = 0;
    tnl_template_build(p->ops, &c, &none, 0, &t);
    if (t.len > TUNNEL_STORE)
        return weft_err_set(e, -EINVAL,
                            "header of %s is %u bytes, the datapath stores %u",
                            p->ops->name, t.len, TUNNEL_STORE);
    memcpy(p->store + TUNNEL_STORE - t.len, t.bytes, t.len);
    p->len = t.len;
    p->udp_off = t.udp_off;
    p->key_off = t.key_off;
    p->entropy_off = t.entropy_off;
    p->entropy = t.entropy;
    p->entropy_min = t.entropy_min;
    p->entropy_span = t.entropy_span;
    p->ip_csum = t.ip_csum;
    return 0;
}

static struct tunnel_port *
port_create(const struct tunnel_port_config *pc, struct weft_err *e)
{
    const struct tnl_config *c = &pc->tnl;
    struct tunnel_port *p = xalloc_lines(sizeof *p);

    p->ops = pc->ops;
    p->config = *c;
    p->owner = pc->owner;
    p->port_no = pc->port_no;
    strncpy(p->name, pc->name, sizeof p->name - 1);
    p->local = c->local;
    p->remote = c->remote_flow ? 0 : c->remote;
    p->key = c->key;
    p->key_min = pc->ops->key_min;
    p->key_max = pc->ops->key_max;
    p->tos = c->tos;
    /* RFC 6040 §4.1, normal mode: the inner ECN field is copied always. */
    p->tos_mask = c->tos_inherit ? 0xff : 0x03;
    p->key_flow = c->key_flow;
    p->remote_flow = c->remote_flow;
    p->keep_vlan = c->keep_inner_vlan;
    p->df = c->df;
    if (port_build_header(p, e)) {
        free(p);
        return NULL;
    }
    return p;
}

static void
port_link(struct tunnels *ts, struct tunnel_port *p)
{
    struct identity id = identity_of(p->ops, &p->config);

    base_hmap_add(&ts->by_identity, &p->by_identity,
                  base_hash_bytes(&id, sizeof id, 0));
    base_list_add_tail(&ts->ports, &p->all);
    if (p->remote_flow)
        return;
    base_hmap_add(&ts->by_remote, &p->by_remote, tunnel_hash_addr(p->remote));
    p->nh = tunnel_nh_find(ts->nhs, p->remote);
    p->wanting = !p->nh;
    ts->n_wanting += p->wanting;
}

static void
port_unlink(struct tunnels *ts, struct tunnel_port *p)
{
    base_hmap_del(&ts->by_identity, &p->by_identity);
    base_list_del(&p->all);
    ts->n_wanting -= p->wanting;
    if (!p->remote_flow)
        base_hmap_del(&ts->by_remote, &p->by_remote);
}

bool
tunnels_want(struct tunnels *ts, struct tunnel_want *want)
{
    if (!ts->n_wanting)
        return false;
    FOR_EACH_PORT(node, ts) {
        struct tunnel_port *p = port_at(node);

        if (!p->wanting)
            continue;
        p->wanting = false;
        ts->n_wanting--;
        *want = (struct tunnel_want) { p->remote, p->local };
        /* To the end: the next search finds the next one soon. */
        base_list_del(&p->all);
        base_list_add_tail(&ts->ports, &p->all);
        return true;
    }
    return false;
}

/* Would the table have room for one more kind?  'without' is about to go. */
static bool
kind_fits(const struct tunnels *ts, const struct tnl_ops *ops,
          const struct tnl_config *c, const struct tunnel_port *without)
{
    struct tunnel_table *t = xalloc_lines(sizeof *t);
    struct tunnel_port probe;

    memset(&probe, 0, sizeof probe);
    probe.ops = ops;
    probe.config = *c;

    bool fits = table_kind(t, &probe) >= 0;
    FOR_EACH_PORT(node, ts)
        if (port_at(node) != without && table_kind(t, port_at(node)) < 0)
            fits = false;
    free(t);
    return fits;
}

static int
port_check(const struct tunnels *ts, const struct tunnel_port_config *pc,
           const struct tunnel_port *without, struct weft_err *e)
{
    struct identity id = identity_of(pc->ops, &pc->tnl);
    struct tunnel_port *other = find_identity(ts, &id);
    char text[200];

    if (other && other != without) {
        pc->ops->print(&pc->tnl, text, sizeof text);
        return weft_err_set(e, -EEXIST,
                            "%s tunnel with %s exists already: port %s",
                            pc->ops->name, text, other->name);
    }
    if (!kind_fits(ts, pc->ops, &pc->tnl, without))
        return weft_err_set(e, -ENOSPC,
                            "port %u: more than %u different tunnel types and"
                            " UDP ports", pc->tnl.dst_port, TUNNEL_MAX_KINDS);
    return 0;
}

int
tunnel_port_add(struct tunnels *ts, const struct tunnel_port_config *pc,
                struct tunnel_port **port, struct weft_err *e)
{
    int err = port_check(ts, pc, NULL, e);

    if (err)
        return err;

    struct tunnel_port *p = port_create(pc, e);
    if (!p)
        return -EINVAL;
    port_link(ts, p);
    table_publish(ts);
    *port = p;
    return 0;
}

int
tunnel_port_replace(struct tunnels *ts, struct tunnel_port *old,
                    const struct tnl_config *c, struct tunnel_port **new,
                    struct weft_err *e)
{
    const struct tunnel_port_config pc = {
        .name = old->name, .ops = old->ops, .tnl = *c,
        .owner = old->owner, .port_no = old->port_no,
    };
    int err = port_check(ts, &pc, old, e);

    if (err)
        return err;

    struct tunnel_port *p = port_create(&pc, e);
    if (!p)
        return -EINVAL;
    port_unlink(ts, old);
    port_link(ts, p);
    table_publish(ts);
    __atomic_store_n(new, p, __ATOMIC_RELEASE);
    retire(ts, old, free);
    return 0;
}

void
tunnel_port_del(struct tunnels *ts, struct tunnel_port *p)
{
    port_unlink(ts, p);
    table_publish(ts);
    retire(ts, p, free);
}

const struct tnl_ops *
tunnel_port_ops(const struct tunnel_port *p)
{
    return p->ops;
}

const struct tnl_config *
tunnel_port_config(const struct tunnel_port *p)
{
    return &p->config;
}

void *
tunnel_port_owner(const struct tunnel_port *p)
{
    return p->owner;
}

uint32_t
tunnel_port_no(const struct tunnel_port *p)
{
    return p->port_no;
}

/* ------------------------------------------------------------- next hops */

static struct tunnel_nh_table *
nh_table_create(uint32_t n_slots)
{
    struct tunnel_nh_table *t = xalloc_lines(
        sizeof *t + n_slots * sizeof t->slots[0]);

    t->mask = n_slots - 1;
    return t;
}

static struct tunnel_nh_slot *
nh_slot(struct tunnel_nh_table *t, be32 remote)
{
    uint32_t i = tunnel_hash_addr(remote);

    while (t->slots[i & t->mask].remote
           && t->slots[i & t->mask].remote != remote)
        i++;
    return &t->slots[i & t->mask];
}

static bool
remote_has_port(const struct tunnels *ts, be32 remote)
{
    struct base_hnode *n = base_hmap_first(&ts->by_remote,
                                           tunnel_hash_addr(remote));

    for (; n; n = base_hmap_next_same(n))
        if (WEFT_CONTAINER_OF(n, struct tunnel_port, by_remote)->remote
            == remote)
            return true;
    return false;
}

/* The memory of a route that is gone is worth a slot only while a port points
 * to it. */
static bool
nh_keep(const struct tunnels *ts, const struct tunnel_nh_slot *s)
{
    return s->remote && (!s->nh->gone || remote_has_port(ts, s->remote));
}

static void
nh_table_grow(struct tunnels *ts)
{
    struct tunnel_nh_table *old = ts->nhs, *t;
    uint32_t keep = 0;

    for (uint32_t i = 0; i <= old->mask; i++)
        keep += nh_keep(ts, &old->slots[i]);
    t = nh_table_create(power_of_two(4 * (keep + 1)));
    for (uint32_t i = 0; i <= old->mask; i++) {
        struct tunnel_nh_slot *s = &old->slots[i];

        if (nh_keep(ts, s)) {
            *nh_slot(t, s->remote) = *s;
            t->n++;
        } else {
            retire(ts, s->nh, free);
        }
    }
    __atomic_store_n(&ts->nhs, t, __ATOMIC_RELEASE);
    retire(ts, old, free);
}

/* Ports that name 'remote' see 'nh' from now on. */
static void
nh_give_to_ports(struct tunnels *ts, be32 remote, struct tunnel_nh *nh)
{
    struct base_hnode *n = base_hmap_first(&ts->by_remote,
                                           tunnel_hash_addr(remote));

    for (; n; n = base_hmap_next_same(n)) {
        struct tunnel_port *p = WEFT_CONTAINER_OF(n, struct tunnel_port,
                                                  by_remote);
        if (p->remote == remote)
            __atomic_store_n(&p->nh, nh, __ATOMIC_RELEASE);
    }
}

static void
nh_replace(struct tunnels *ts, be32 remote, struct tunnel_nh *nh)
{
    if (2 * (ts->nhs->n + 1) > ts->nhs->mask)
        nh_table_grow(ts);

    struct tunnel_nh_slot *s = nh_slot(ts->nhs, remote);
    struct tunnel_nh *old = s->nh;
    __atomic_store_n(&s->nh, nh, __ATOMIC_RELEASE);
    if (!s->remote) {
        ts->nhs->n++;
        __atomic_store_n(&s->remote, remote, __ATOMIC_RELEASE);
    }
    nh_give_to_ports(ts, remote, nh);
    retire(ts, old, free);
}

int
tunnel_nexthop_set(struct tunnels *ts, be32 remote,
                   const struct tnl_nexthop *nexthop)
{
    static const uint8_t nobody[6];

    if (!remote)
        return -EINVAL;

    const struct tunnel_nh *old = tunnel_nh_find(ts->nhs, remote);
    struct tunnel_nh *nh = xalloc_lines(sizeof *nh);

    memcpy(nh->macs, nexthop->dst_mac, 6);
    memcpy(nh->macs + 6, nexthop->src_mac, 6);
    nh->dst = remote;
    nh->src = nexthop->src;
    nh->dst_csum = addr_csum(remote);
    nh->uplink = nexthop->uplink;
    nh->mtu = nexthop->mtu;
    nh->unusable = !memcmp(nexthop->dst_mac, nobody, sizeof nobody);
    if (old && !old->gone)
        nh->refresh_ns = __atomic_load_n(&old->refresh_ns, __ATOMIC_RELAXED);
    nh_replace(ts, remote, nh);
    return 0;
}

void
tunnel_nexthop_del(struct tunnels *ts, be32 remote)
{
    if (!remote)
        return;

    struct tunnel_nh *nh = xalloc_lines(sizeof *nh);
    nh->dst = remote;
    nh->gone = nh->unusable = true;
    nh_replace(ts, remote, nh);
}

/* ------------------------------------------------------ local end points */

static struct tunnel_uplink *
find_uplink(const struct tunnels *ts, uint32_t id)
{
    struct tunnel_uplink *u;

    BASE_LIST_FOR(u, &ts->uplinks, all)
        if (u->id == id)
            return u;
    return NULL;
}

int
tunnels_set_addrs(struct tunnels *ts, uint32_t uplink, const be32 *addrs,
                  size_t n)
{
    struct tunnel_uplink *old = find_uplink(ts, uplink), *u;
    size_t total = n;

    BASE_LIST_FOR(u, &ts->uplinks, all)
        total += u == old ? 0 : u->n;
    if (total > TUNNEL_MAX_ADDRS)
        return -ENOSPC;
    if (old) {
        base_list_del(&old->all);
        free(old);
    }
    if (n) {
        u = base_xcalloc(1, sizeof *u + n * sizeof *addrs);
        u->id = uplink;
        u->n = n;
        memcpy(u->addrs, addrs, n * sizeof *addrs);
        base_list_add_tail(&ts->uplinks, &u->all);
    }
    table_publish(ts);
    return 0;
}

size_t
tunnels_get_addrs(const struct tunnels *ts, be32 *addrs, size_t max)
{
    struct tunnel_uplink *u;
    size_t n = 0;

    BASE_LIST_FOR(u, &ts->uplinks, all)
        for (size_t i = 0; i < u->n; i++, n++)
            if (n < max)
                addrs[n] = u->addrs[i];
    return n;
}

size_t
tunnels_get_udp_ports(const struct tunnels *ts, uint16_t *ports, size_t max)
{
    const struct tunnel_table *t = ts->table;
    size_t n = 0;

    for (unsigned i = 0; i < t->n_kinds; i++)
        if (!t->kinds[i].ops->gre_proto) {
            if (n < max)
                ports[n] = t->kinds[i].selector;
            n++;
        }
    return n;
}

/* ------------------------------------------------------------ life cycle */

struct tunnels *
tunnels_create(tunnel_retire_fn *retire_fn, void *arg)
{
    struct tunnels *ts;

    BASE_NEW(ts);
    ts->retire = retire_fn;
    ts->retire_arg = arg;
    base_hmap_init(&ts->by_identity);
    base_hmap_init(&ts->by_remote);
    base_list_init(&ts->ports);
    base_list_init(&ts->uplinks);
    ts->nhs = nh_table_create(MIN_SLOTS);
    table_publish(ts);
    return ts;
}

void
tunnels_destroy(struct tunnels *ts)
{
    struct tunnel_uplink *u, *next;

    if (!ts)
        return;
    while (!base_list_empty(&ts->ports)) {
        struct tunnel_port *p = port_at(ts->ports.next);

        port_unlink(ts, p);
        free(p);
    }
    BASE_LIST_FOR_SAFE(u, next, &ts->uplinks, all)
        free(u);
    for (uint32_t i = 0; i <= ts->nhs->mask; i++)
        free(ts->nhs->slots[i].nh);
    free(ts->nhs);
    table_free(ts->table);
    base_hmap_fini(&ts->by_identity);
    base_hmap_fini(&ts->by_remote);
    free(ts);
}
