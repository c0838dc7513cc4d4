/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/dummy_dp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "utils/base/mem.h"

struct dummy_event {
    struct base_list link;
    struct dp_bridge *bridge;
    enum dp_port_event type;
    struct dp_port_info info;
};

/* ------------------------------------------------------------ life cycle */

int
dp_create(const struct dp_config *c, struct dp **out, struct weft_err *e)
{
    struct dp *dp;

    (void) e;
    BASE_NEW(dp);
    if (c)
        dp->events = c->events;
    base_list_init(&dp->bridges);
    base_list_init(&dp->queue);
    *out = dp;
    return 0;
}

void
dp_destroy(struct dp *dp)
{
    struct dp_bridge *b, *bt;
    struct dummy_event *ev, *et;

    if (!dp)
        return;
    BASE_LIST_FOR_SAFE(b, bt, &dp->bridges, link)
        dp_bridge_del(b);
    BASE_LIST_FOR_SAFE(ev, et, &dp->queue, link)
        free(ev);
    free(dp);
}

int
dp_event_fd(const struct dp *dp)
{
    (void) dp;
    return -1;
}

bool
dp_run(struct dp *dp, unsigned budget)
{
    while (!base_list_empty(&dp->queue) && budget--) {
        struct dummy_event *ev = WEFT_CONTAINER_OF(
            dp->queue.next, struct dummy_event, link);

        base_list_del(&ev->link);
        if (dp->events.port)
            dp->events.port(dp->events.arg, ev->bridge, ev->bridge->owner,
                            ev->type, &ev->info);
        free(ev);
    }
    if (!dp->hold_sync && dp->synced < dp->seq) {
        dp->synced = dp->seq;
        if (dp->events.synced)
            dp->events.synced(dp->events.arg, dp->synced);
    }
    return !base_list_empty(&dp->queue);
}

static void
queue_port_event(struct dp_bridge *b, enum dp_port_event type,
                 const struct dp_port_info *info)
{
    struct dummy_event *ev;

    BASE_NEW(ev);
    ev->bridge = b;
    ev->type = type;
    ev->info = *info;
    base_list_add_tail(&b->dp->queue, &ev->link);
}

/* --------------------------------------------------------------- bridges */

static struct dummy_port *
port_insert(struct dp_bridge *b, uint32_t port_no, const char *name,
            const char *type)
{
    struct dummy_port *p, *at;

    BASE_NEW(p);
    p->info.port_no = port_no;
    snprintf(p->info.name, sizeof p->info.name, "%s", name);
    snprintf(p->info.type, sizeof p->info.type, "%s", type);
    snprintf(p->info.status, sizeof p->info.status, "up");
    p->info.mac[0] = 0x02;
    put_be32(p->info.mac + 2, port_no);
    p->info.mtu = 1500;
    p->info.link_up = true;
    p->info.speed_mbps = 10000;
    BASE_LIST_FOR(at, &b->ports, link)
        if (at->info.port_no > port_no)
            break;
    base_list_add_before(&at->link, &p->link);
    return p;
}

int
dp_bridge_add(struct dp *dp, const char *name, void *owner,
              struct dp_bridge **out, struct weft_err *e)
{
    struct dp_bridge *b;

    BASE_LIST_FOR(b, &dp->bridges, link)
        if (!strcmp(b->name, name))
            return weft_err_set(e, -EEXIST, "bridge %s exists", name);
    BASE_NEW(b);
    b->dp = dp;
    b->owner = owner;
    snprintf(b->name, sizeof b->name, "%s", name);
    base_list_init(&b->rules);
    base_list_init(&b->packet_outs);
    b->egress = DP_NO_TABLE;
    for (unsigned i = 0; i < DUMMY_GROUP_LISTS; i++)
        base_list_init(&b->groups[i]);
    base_list_init(&b->ports);
    base_list_init(&b->meters);
    base_list_init(&b->queues);
    base_list_add_tail(&dp->bridges, &b->link);
    port_insert(b, DP_PORT_LOCAL, name, "internal");
    *out = b;
    return 0;
}

void
dp_bridge_del(struct dp_bridge *b)
{
    struct dp_rule *r, *rt;
    struct dummy_packet_out *po, *pt;
    struct dummy_port *p, *ptmp;
    struct dummy_event *ev, *et;

    b->txn = DUMMY_TXN_NONE;
    BASE_LIST_FOR_SAFE(r, rt, &b->rules, link)
        dp_rule_del(r);
    dummy_qos_clear(b, DP_PORT_NONE);
    for (unsigned i = 0; i < DUMMY_GROUP_LISTS; i++)
        while (!base_list_empty(&b->groups[i]))
            dp_group_del(b, WEFT_CONTAINER_OF(b->groups[i].next,
                                              struct dummy_group,
                                              link)->id);
    BASE_LIST_FOR_SAFE(po, pt, &b->packet_outs, link) {
        free(po->data);
        free((void *) (uintptr_t) po->ops.ops);
        free(po);
    }
    BASE_LIST_FOR_SAFE(p, ptmp, &b->ports, link)
        free(p);
    BASE_LIST_FOR_SAFE(ev, et, &b->dp->queue, link)
        if (ev->bridge == b) {
            base_list_del(&ev->link);
            free(ev);
        }
    base_list_del(&b->link);
    free(b);
}

/* ----------------------------------------------------------------- ports */

static struct dummy_port *
port_find(struct dp_bridge *b, uint32_t port_no)
{
    struct dummy_port *p;

    BASE_LIST_FOR(p, &b->ports, link)
        if (p->info.port_no == port_no)
            return p;
    return NULL;
}

int
dp_port_add(struct dp_bridge *b, const struct dp_port_config *c,
            uint32_t *port_no, struct weft_err *e)
{
    uint32_t no = c->port_no;

    if (!no)
        for (no = 1; port_find(b, no); no++)
            ;
    if (no > DP_PORT_MAX || port_find(b, no))
        return weft_err_set(e, -EEXIST, "port %u exists or is too large", no);

    struct dummy_port *p = port_insert(b, no, c->name, c->type);

    queue_port_event(b, DP_PORT_ADDED, &p->info);
    *port_no = no;
    return 0;
}

int
dp_port_del(struct dp_bridge *b, uint32_t port_no, struct weft_err *e)
{
    struct dummy_port *p = port_find(b, port_no);

    if (!p)
        return weft_err_set(e, -ENODEV, "no port %u", port_no);
    queue_port_event(b, DP_PORT_DELETED, &p->info);
    dummy_qos_clear(b, port_no);
    base_list_del(&p->link);
    free(p);
    return 0;
}

int
dp_port_set(struct dp_bridge *b, uint32_t port_no, const struct dp_option *o,
            size_t n, struct weft_err *e)
{
    (void) o, (void) n;
    return port_find(b, port_no)
               ? 0
               : weft_err_set(e, -ENODEV, "no port %u", port_no);
}

int
dp_port_set_config(struct dp_bridge *b, uint32_t port_no, uint32_t bits,
                   uint32_t mask)
{
    struct dummy_port *p = port_find(b, port_no);

    if (!p)
        return -ENODEV;
    p->info.config = (p->info.config & ~mask) | (bits & mask);
    queue_port_event(b, DP_PORT_MODIFIED, &p->info);
    return 0;
}

int
dp_port_get(struct dp_bridge *b, uint32_t port_no, struct dp_port_info *info)
{
    struct dummy_port *p = port_find(b, port_no);

    if (!p)
        return -ENODEV;
    *info = p->info;
    return 0;
}

uint32_t
dp_port_next(struct dp_bridge *b, uint32_t after)
{
    struct dummy_port *p;

    BASE_LIST_FOR(p, &b->ports, link)
        if (p->info.port_no > after)
            return p->info.port_no;
    return 0;
}

uint32_t
dummy_port_add(struct dp_bridge *b, const char *name, uint32_t port_no)
{
    struct dp_port_config c = { .name = name, .type = "dummy",
                                .port_no = port_no };

    return dp_port_add(b, &c, &port_no, NULL) ? 0 : port_no;
}

void
dummy_port_link(struct dp_bridge *b, uint32_t port_no, bool up)
{
    struct dummy_port *p = port_find(b, port_no);

    p->info.link_up = up;
    queue_port_event(b, DP_PORT_MODIFIED, &p->info);
}

struct dp_port_info *
dummy_port(struct dp_bridge *b, uint32_t port_no)
{
    struct dummy_port *p = port_find(b, port_no);

    return p ? &p->info : NULL;
}

/* ----------------------------------------------------------------- rules */

static bool
ops_valid(const struct dp_op_list *l)
{
    const uint64_t *at = (const void *) l->ops;

    for (uint32_t left = l->n_words; left;) {
        const struct dp_op *op = (const void *) at;

        if (op->code >= N_DP_OPS || !op->words || op->words > left)
            return false;
        left -= op->words;
        at += op->words;
    }
    return true;
}

static void
ops_copy(struct dp_op_list *to, const struct dp_op_list *from)
{
    to->n_words = from->n_words;
    to->ops = from->n_words ? base_xmemdup(from->ops, 8u * from->n_words)
                            : NULL;
}

static void
instr_free(struct dp_instr *i)
{
    free((void *) (uintptr_t) i->apply.ops);
    free((void *) (uintptr_t) i->write.ops);
}

static void
instr_copy(struct dp_instr *to, const struct dp_instr *from)
{
    *to = *from;
    ops_copy(&to->apply, &from->apply);
    ops_copy(&to->write, &from->write);
}

/* Has the time come for a change to fail? */
static bool
fails_now(struct dp *dp)
{
    return dp->fail_at && !--dp->fail_at;
}

int
dp_rule_add(struct dp_bridge *b, uint8_t table, uint16_t priority,
            const struct flow_match *m, const struct dp_instr *in,
            uint64_t cookie, struct dp_rule **out)
{
    struct dp_rule *r;

    if (table >= DP_N_TABLES || !ops_valid(&in->apply)
        || !ops_valid(&in->write))
        return -EINVAL;
    *out = dp_rule_find(b, table, priority, m);
    if (*out)
        return -EEXIST;
    if (b->dp->fail_rule_add)
        return b->dp->fail_rule_add;
    if (fails_now(b->dp))
        return -ENOMEM;
    r = dp_rule_of_owner(base_xcalloc(1, DP_RULE_OWNER + sizeof *r));
    r->bridge = b;
    r->table = table;
    r->priority = priority;
    r->match = *m;
    flow_key_pack(&m->key, &m->mask, flow_mask_words(&m->mask), r->values);
    r->cookie = cookie;
    r->staged = r->will = b->txn;
    instr_copy(&r->instr, in);
    base_list_add_tail(&b->rules, &r->link);
    b->n_rules++;
    b->table_info[table].n_rules++;
    b->dp->n_changes++;
    *out = r;
    return 0;
}

/* Remembers a rule as it is before the transaction's first change to it. */
static void
rule_stage(struct dp_rule *r)
{
    if (r->staged)
        return;
    r->staged = r->was = r->will = true;
    instr_copy(&r->old, &r->instr);
    r->old_cookie = r->cookie;
}

int
dp_rule_set(struct dp_rule *r, const struct dp_instr *in, uint64_t cookie)
{
    struct dp_instr before = r->instr;

    if (fails_now(r->bridge->dp))
        return -ENOMEM;
    if (!ops_valid(&in->apply) || !ops_valid(&in->write))
        return -EINVAL;
    if (r->bridge->txn)
        rule_stage(r);
    instr_copy(&r->instr, in); /* It may lend from the one before. */
    instr_free(&before);
    r->cookie = cookie;
    r->n_sets++;
    r->bridge->dp->n_changes++;
    return 0;
}

static void
rule_free(struct dp_rule *r)
{
    r->bridge->n_rules--;
    r->bridge->table_info[r->table].n_rules--;
    r->bridge->dp->n_changes++;
    base_list_del(&r->link);
    instr_free(&r->instr);
    instr_free(&r->old);
    free(dp_rule_owner(r));
}

void
dp_rule_expect(struct dp_bridge *b, uint8_t table, const struct flow_match *m)
{
    (void) b, (void) table, (void) m;
}

struct dp_rule *
dp_rule_find(struct dp_bridge *b, uint8_t table, uint16_t priority,
             const struct flow_match *m)
{
    return dummy_rule_find(b, table, priority, m);
}

void
dp_rule_get(const struct dp_rule *r, struct dp_rule_info *info)
{
    *info = (struct dp_rule_info) {
        .mask = &r->match.mask,
        .values = r->values,
        .words = flow_mask_words(&r->match.mask),
        .priority = r->priority,
        .table = r->table,
        .cookie = r->cookie,
    };
}

void
dp_rule_get_instr(const struct dp_rule *r, struct dp_instr *in)
{
    *in = r->instr;
}

void
dp_rule_del(struct dp_rule *r)
{
    if (!r)
        return;
    if (r->bridge->txn) {
        rule_stage(r);
        r->will = false;
        return;
    }
    rule_free(r);
}

/* ---------------------------------------------------------- transactions */

int
dp_txn_begin(struct dp_bridge *b)
{
    if (b->txn)
        return -EBUSY;
    b->txn = DUMMY_TXN_OPEN;
    b->n_txns++;
    return 0;
}

void
dp_txn_commit(struct dp_bridge *b)
{
    b->txn = DUMMY_TXN_COMMITTED;
}

/* One rule at a time, whatever 'n': the caller has to come back. */
bool
dp_txn_settle(struct dp_bridge *b, unsigned n)
{
    struct dp_rule *r, *tmp;

    BASE_LIST_FOR_SAFE(r, tmp, &b->rules, link) {
        if (!r->staged)
            continue;
        if (!n)
            return true;
        n = 0;
        r->staged = r->was = false;
        instr_free(&r->old);
        memset(&r->old, 0, sizeof r->old);
        if (!r->will)
            rule_free(r);
    }
    b->txn = DUMMY_TXN_NONE;
    return false;
}

bool
dp_txn_abort(struct dp_bridge *b, unsigned n)
{
    struct dp_rule *r, *tmp;

    BASE_LIST_FOR_SAFE(r, tmp, &b->rules, link) {
        if (!r->staged)
            continue;
        if (!n)
            return true;
        n = 0;
        if (!r->was) {
            rule_free(r);
            continue;
        }
        r->staged = r->was = false;
        instr_free(&r->instr);
        r->instr = r->old;
        r->cookie = r->old_cookie;
        memset(&r->old, 0, sizeof r->old);
    }
    b->txn = DUMMY_TXN_NONE;
    b->n_aborts++;
    return false;
}

void
dp_rule_get_stats(struct dp_rule *r, struct dp_stats *s)
{
    *s = r->stats;
}

void
dp_rule_reset_stats(struct dp_rule *r)
{
    r->stats.packets = r->stats.bytes = 0;
    r->n_resets++;
}

void
dp_rule_get_match(const struct dp_rule *r, struct flow_match *m)
{
    *m = r->match;
}

uint64_t
dp_commit(struct dp *dp)
{
    dp->n_changes = 0;
    dp->n_commits++;
    return ++dp->seq;
}

int
dp_bridge_set_egress(struct dp_bridge *b, uint8_t first)
{
    if (!first || (first >= DP_N_TABLES && first != DP_NO_TABLE))
        return -EINVAL;
    b->egress = first;
    return 0;
}

void
dp_bridge_set_frag_drop(struct dp_bridge *b, bool on)
{
    b->frag_drop = on;
}

void
dp_bridge_set_ttl_punt(struct dp_bridge *b, bool on)
{
    b->ttl_punt = on;
}

void
dp_table_set_miss(struct dp_bridge *b, uint8_t table, enum dp_miss miss)
{
    b->miss[table] = miss;
}

void
dp_table_get(struct dp_bridge *b, uint8_t table, struct dp_table_info *i)
{
    *i = b->table_info[table];
    snprintf(i->form, sizeof i->form, "dummy");
}

struct dp_rule *
dummy_rule_find(struct dp_bridge *b, uint8_t table, uint16_t priority,
                const struct flow_match *m)
{
    struct dp_rule *r;

    BASE_LIST_FOR(r, &b->rules, link)
        if (r->table == table && r->priority == priority
            && (!r->staged || r->will) && flow_match_equal(&r->match, m))
            return r;
    return NULL;
}

struct dp_rule *
dummy_rule_nth(struct dp_bridge *b, unsigned n)
{
    struct dp_rule *r;

    BASE_LIST_FOR(r, &b->rules, link)
        if (!n--)
            return r;
    return NULL;
}

/* ---------------------------------------------------------------- groups */

struct dummy_group *
dummy_group_find(struct dp_bridge *b, uint32_t id)
{
    struct dummy_group *g;

    BASE_LIST_FOR(g, &b->groups[id % DUMMY_GROUP_LISTS], link)
        if (g->id == id)
            return g;
    return NULL;
}

static void
group_clear(struct dummy_group *g)
{
    for (size_t i = 0; i < g->n_buckets; i++)
        free((void *) (uintptr_t) g->buckets[i].actions.ops);
    free(g->buckets);
    free(g->stats);
}

int
dp_group_set(struct dp_bridge *b, uint32_t id,
             const struct dp_group_config *c)
{
    struct dummy_group *g = dummy_group_find(b, id);

    if (id > DP_GROUP_MAX || c->type > DP_GROUP_FF
        || (c->type == DP_GROUP_INDIRECT && c->n_buckets != 1))
        return -EINVAL;
    for (size_t i = 0; i < c->n_buckets; i++)
        if (!ops_valid(&c->buckets[i].actions))
            return -EINVAL;
    if (g) {
        group_clear(g);
        if (c->anew)
            g->total = (struct dp_stats) { 0 };
    } else {
        BASE_NEW(g);
        g->id = id;
        base_list_add_tail(&b->groups[id % DUMMY_GROUP_LISTS], &g->link);
    }
    g->type = c->type;
    g->n_buckets = c->n_buckets;
    g->buckets = base_xcalloc(c->n_buckets + 1, sizeof g->buckets[0]);
    g->stats = base_xcalloc(c->n_buckets + 1, sizeof g->stats[0]);
    for (size_t i = 0; i < c->n_buckets; i++) {
        g->buckets[i] = c->buckets[i];
        ops_copy(&g->buckets[i].actions, &c->buckets[i].actions);
    }
    g->hash_given = c->hash_mask;
    if (c->hash_mask)
        g->hash_mask = *c->hash_mask;
    g->hash_seed = c->hash_seed;
    g->kept = c->keep_buckets;
    b->dp->n_changes++;
    return 0;
}

void
dp_group_del(struct dp_bridge *b, uint32_t id)
{
    struct dummy_group *g = dummy_group_find(b, id);

    if (!g)
        return;
    base_list_del(&g->link);
    group_clear(g);
    free(g);
    b->dp->n_changes++;
}

int
dp_group_get_stats(struct dp_bridge *b, uint32_t id, struct dp_stats *total,
                   struct dp_stats *buckets, size_t n)
{
    const struct dummy_group *g = dummy_group_find(b, id);

    if (!g)
        return -ENOENT;
    *total = g->total;
    for (size_t i = 0; i < n && i < g->n_buckets; i++)
        buckets[i] = g->stats[i];
    return 0;
}

/* ------------------------------------------------------------ packet-out */

int
dp_packet_out(struct dp_bridge *b, uint32_t in_port, const uint8_t *data,
              size_t len, const struct dp_op_list *ops)
{
    struct dummy_packet_out *po;

    if (len < 14 || !ops_valid(ops))
        return -EINVAL;
    BASE_NEW(po);
    po->in_port = in_port;
    po->data = base_xmemdup(data, len);
    po->len = len;
    ops_copy(&po->ops, ops);
    base_list_add_tail(&b->packet_outs, &po->link);
    b->n_packet_outs++;
    return 0;
}

struct dummy_packet_out *
dummy_last_packet_out(struct dp_bridge *b)
{
    if (base_list_empty(&b->packet_outs))
        return NULL;
    return WEFT_CONTAINER_OF(b->packet_outs.prev, struct dummy_packet_out,
                             link);
}

void
dummy_punt(struct dp_bridge *b, const struct dp_punt *p)
{
    struct dp_punt copy = *p;

    copy.bridge = b;
    copy.bridge_owner = b->owner;
    if (b->dp->events.punt)
        b->dp->events.punt(b->dp->events.arg, &copy);
}

/* ------------------------------- tunnels, uplinks, introspection: nothing */

int
dp_nexthop_set(struct dp *dp, be32 remote, const struct tnl_nexthop *nh)
{
    (void) dp, (void) remote, (void) nh;
    return 0;
}

void
dp_nexthop_del(struct dp *dp, be32 remote)
{
    (void) dp, (void) remote;
}

int
dp_uplink_add(struct dp *dp, const struct dp_port_config *c, uint32_t *id,
              struct weft_err *e)
{
    (void) dp, (void) c, (void) id;
    return weft_err_set(e, -EOPNOTSUPP, "no uplinks in the dummy datapath");
}

int
dp_uplink_del(struct dp *dp, uint32_t id, struct weft_err *e)
{
    (void) dp;
    return weft_err_set(e, -ENODEV, "no uplink %u", id);
}

int
dp_uplink_get(struct dp *dp, uint32_t id, struct dp_uplink_info *i)
{
    (void) dp, (void) id, (void) i;
    return -ENODEV;
}

uint32_t
dp_uplink_next(struct dp *dp, uint32_t after)
{
    (void) dp, (void) after;
    return 0;
}

int
dp_uplink_set_addrs(struct dp *dp, uint32_t id, const be32 *a, size_t n)
{
    (void) dp, (void) id, (void) a, (void) n;
    return -ENODEV;
}

int
dp_uplink_send(struct dp *dp, uint32_t id, const uint8_t *data, size_t len)
{
    (void) dp, (void) id, (void) data, (void) len;
    return -ENODEV;
}

int
dp_port_set_peers(struct dp_bridge *b, uint32_t no, const be32 *a, size_t n,
                  struct weft_err *e)
{
    (void) b, (void) no, (void) a, (void) n, (void) e;
    return -EINVAL; /* It has no tunnel ports. */
}

void
dp_peer_dump(struct dp_bridge *b, uint32_t no, dp_peer_cb *cb, void *arg)
{
    (void) b, (void) no, (void) cb, (void) arg;
}

bool
dp_mac_dump(struct dp_bridge *b, size_t *at, size_t n, dp_mac_cb *cb,
            void *arg)
{
    (void) b, (void) at, (void) n, (void) cb, (void) arg;
    return false;
}

void
dp_bridge_set_macs(struct dp_bridge *b, uint32_t age_s, uint32_t limit)
{
    (void) b, (void) age_s, (void) limit;
}

void
dp_mac_get_stats(struct dp_bridge *b, struct dp_mac_stats *s)
{
    (void) b;
    memset(s, 0, sizeof *s);
}

void
dp_mac_flush(struct dp_bridge *b)
{
    (void) b;
}

bool
dp_cache_dump(struct dp_bridge *b, struct dp_cache_cursor *at, unsigned n,
              dp_cache_cb *cb, void *arg)
{
    (void) b;
    (void) at;
    (void) n;
    (void) cb;
    (void) arg;
    return false;
}

int
dp_worker_get(struct dp *dp, unsigned i, struct dp_worker_info *w)
{
    (void) dp, (void) i, (void) w;
    return -ENOENT;
}

void
dp_workers_reset_longest(struct dp *dp)
{
    (void) dp; /* There are no workers. */
}

void
dp_bridge_get_balance(struct dp_bridge *b, struct dp_balance *bal)
{
    memset(bal, 0, sizeof *bal);
    bal->injected = b->n_packet_outs;
}

int
dp_frame_key(const uint8_t *p, size_t len, struct flow_key *k)
{
    (void) p, (void) len;
    memset(k, 0, sizeof *k);
    return 0;
}

int
dp_trace(struct dp_bridge *b, uint32_t in_port, const struct pkt_tunnel *t,
         const uint8_t *data, size_t len, dp_trace_cb *cb, void *arg)
{
    (void) b, (void) in_port, (void) t, (void) data, (void) cb, (void) arg;
    return len < 14 ? -EINVAL : 0;
}
