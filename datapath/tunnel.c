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
    MAX_PROBE = 8, /* Aimed at; the table grows up to eightfold for it. */
};

/* --------------------------------------------------------------- objects */

void *
tunnel_alloc_lines(size_t size)
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

void
tunnel_retire(struct tunnels *t, void *obj, void (*free_fn)(void *))
{
    if (!obj)
        return;
    if (t->retire)
        t->retire(t->retire_arg, obj, free_fn);
    else
        free_fn(obj);
}

uint32_t
tunnel_power_of_two(uint32_t at_least)
{
    uint32_t n = TUNNEL_MIN_SLOTS;

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

/* Does the port take packets of listed remotes only? */
static bool
is_listed(const struct tunnel_port *p)
{
    return p->config.peers == TNL_PEERS_LISTED;
}

static unsigned
port_mode(const struct tunnel_port *p)
{
    return (p->local ? TUNNEL_BY_LOCAL : 0)
           | (p->remote_flow && !is_listed(p) ? 0 : TUNNEL_BY_REMOTE)
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
             const struct tunnel_port *p, be32 remote)
{
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

/* A slot per remote that the port takes packets of: one that means any, the
 * fixed one, or each of the list. */
static void
table_insert_port(struct tunnel_table *t, const struct tunnel_port *p)
{
    bool listed = is_listed(p);
    be32 fixed = p->remote_flow ? 0 : p->remote;
    uint32_t n = listed ? p->n_sources : 1;
    int kind = table_kind(t, p); /* Cannot fail: checked on add. */

    for (uint32_t i = 0; i < n; i++) {
        uint32_t probes = table_insert(t, (unsigned) kind, p,
                                       listed ? p->sources[i] : fixed);

        t->max_probe = WEFT_MAX(t->max_probe, probes);
    }
}

static void
table_fill_slots(const struct tunnels *ts, struct tunnel_table *t)
{
    uint32_t n = 0;

    FOR_EACH_PORT(node, ts)
        n += WEFT_MAX(port_at(node)->n_sources, 1u);
    n = tunnel_power_of_two(2 * n);
    for (unsigned attempt = 0;; attempt++, n *= 2) {
        t->slots = tunnel_alloc_lines(n * sizeof *t->slots);
        t->mask = n - 1;
        t->max_probe = 1;
        FOR_EACH_PORT(node, ts)
            table_insert_port(t, port_at(node));
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
    t->addr_mask = tunnel_power_of_two(2 * (uint32_t) n) - 1;
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

    struct tunnel_table *t = tunnel_alloc_lines(sizeof *t), *old = ts->table;
    t->seq = ++ts->seq;
    table_fill_slots(ts, t);
    table_fill_addrs(ts, t);
    ts->dirty = false;
    __atomic_store_n(&ts->table, t, __ATOMIC_RELEASE);
    tunnel_retire(ts, old, table_free);
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
    struct tunnel_port *p = tunnel_alloc_lines(sizeof *p);

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
port_free(void *port)
{
    struct tunnel_port *p = port;

    if (p)
        free(p->sources);
    free(p);
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
    struct tunnel_table *t = tunnel_alloc_lines(sizeof *t);
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

/* A port that lists 'id's remote as one of its peers, or NULL. */
static const struct tunnel_port *
find_source(const struct tunnels *ts, const struct identity *id)
{
    struct identity any = *id;
    const struct tunnel_port *p;

    any.remote = 0;
    p = find_identity(ts, &any);
    for (uint32_t i = 0; p && is_listed(p) && i < p->n_sources; i++)
        if (p->sources[i] == id->remote)
            return p;
    return NULL;
}

static int
port_check(const struct tunnels *ts, const struct tunnel_port_config *pc,
           const struct tunnel_port *without, struct weft_err *e)
{
    struct identity id = identity_of(pc->ops, &pc->tnl);
    const struct tunnel_port *other = find_identity(ts, &id);
    char text[200];

    if (!other && id.remote)
        other = find_source(ts, &id);
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
    p->sources = old->sources;
    p->n_sources = old->n_sources;
    old->sources = NULL;
    port_unlink(ts, old);
    port_link(ts, p);
    table_publish(ts);
    __atomic_store_n(new, p, __ATOMIC_RELEASE);
    tunnel_retire(ts, old, port_free);
    return 0;
}

int
tunnel_port_set_sources(struct tunnels *ts, struct tunnel_port *p,
                        const be32 *addrs, size_t n, struct weft_err *e)
{
    struct tnl_config c = p->config;
    char text[BASE_IPV4_LEN];

    c.remote_flow = false;
    for (size_t i = 0; i < n; i++) {
        struct identity id;
        const struct tunnel_port *other;

        c.remote = addrs[i];
        id = identity_of(p->ops, &c);
        other = find_identity(ts, &id);
        if (other)
            return weft_err_set(e, -EEXIST,
                                "peer %s: port %s has this remote and key"
                                " already", base_format_ipv4(addrs[i], text),
                                other->name);
    }
    free(p->sources);
    p->sources = base_xcalloc(n + 1, sizeof *addrs);
    memcpy(p->sources, addrs, n * sizeof *addrs);
    p->n_sources = (uint32_t) n;
    if (is_listed(p))
        table_publish(ts);
    return 0;
}

void
tunnel_port_del(struct tunnels *ts, struct tunnel_port *p)
{
    port_unlink(ts, p);
    table_publish(ts);
    tunnel_retire(ts, p, port_free);
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
    ts->nhs = tunnel_nh_table_create(TUNNEL_MIN_SLOTS);
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
        port_free(p);
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
