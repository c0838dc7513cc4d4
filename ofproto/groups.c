/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ofproto/agent_priv.h"
#include "ofproto/group_graph.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"

/* ------------------------------------------------------------------- table */

void
ofp_groups_init(struct ofp_groups *t)
{
    *t = (struct ofp_groups) { .n = 0 };
}

static void
group_free(struct ofp_group *g)
{
    free(g->config.buckets);
    free(g);
}

void
ofp_groups_fini(struct ofp_groups *t)
{
    for (uint32_t i = 0; i < t->n; i++)
        group_free(t->v[i]);
    free(t->v);
    ofp_groups_init(t);
}

/* Index of the first group with an id >= 'id'. */
static uint32_t
lower_bound(const struct ofp_groups *t, uint32_t id)
{
    uint32_t lo = 0, hi = t->n;

    if (hi && t->v[hi - 1]->id < id)
        return hi;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (t->v[mid]->id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct ofp_group *
ofp_group_find_any(const struct ofp_groups *t, uint32_t id)
{
    uint32_t i = lower_bound(t, id);

    return i < t->n && t->v[i]->id == id ? t->v[i] : NULL;
}

struct ofp_group *
ofp_group_find(const struct ofp_groups *t, uint32_t id)
{
    struct ofp_group *g = ofp_group_find_any(t, id);

    return g && !g->gone ? g : NULL;
}

bool
ofp_group_exists(const struct ofp_groups *t, uint32_t group)
{
    return ofp_group_find(t, group) != NULL;
}

static struct ofp_group *
table_add(struct ofp_groups *t, uint32_t id)
{
    uint32_t i = lower_bound(t, id);
    struct ofp_group *g;

    if (t->n == t->cap) {
        t->cap = WEFT_MAX(2 * t->cap, 16u);
        t->v = base_xrealloc(t->v, t->cap * sizeof t->v[0]);
    }
    BASE_NEW(g);
    g->id = id;
    memmove(t->v + i + 1, t->v + i, (t->n++ - i) * sizeof t->v[0]);
    t->v[i] = g;
    return g;
}

void
ofp_group_table_del(struct ofp_groups *t, struct ofp_group *g)
{
    uint32_t i = lower_bound(t, g->id);

    memmove(t->v + i, t->v + i + 1, (--t->n - i) * sizeof t->v[0]);
    t->n_flows -= g->n_flows;
    group_free(g);
}

/* -------------------------------------------------------------------- flows */

static void
count_list(struct ofp_groups *t, const struct dp_op_list *l, int by)
{
    const struct dp_op *op;

    OFP_OP_FOR(op, l) {
        struct ofp_group *g = NULL;

        if (op->code == DP_OP_GROUP)
            g = ofp_group_find_any(t, op->arg);
        if (!g || g->round == t->round)
            continue;
        g->round = t->round;
        g->n_flows += (uint32_t) by;
        t->n_flows += (uint32_t) by;
    }
}

void
ofp_groups_count(struct ofp_groups *t, const struct dp_instr *in, int by)
{
    if (!t->n)
        return;
    t->round++;
    count_list(t, &in->apply, by);
    count_list(t, &in->write, by);
}

uint32_t
ofp_group_flows(const struct ofp_groups *t, uint32_t group)
{
    const struct ofp_group *g = ofp_group_find(t, group);

    return group == OFP_GROUP_ALL ? t->n_flows : g ? g->n_flows : 0;
}

/* ---------------------------------------------------------- configurations */

/* A copy; buckets and their ops in one piece of memory. */
static struct ofp_group_config
config_copy(const struct ofp_group_config *c)
{
    struct ofp_group_config out = *c;
    size_t words = 0;
    uint64_t *ops;

    for (size_t i = 0; i < c->n_buckets; i++)
        words += c->buckets[i].actions.n_words;
    out.buckets = base_xmalloc(c->n_buckets * sizeof out.buckets[0]
                               + 8 * words + 1);
    ops = (uint64_t *) (void *) (out.buckets + c->n_buckets);
    for (size_t i = 0; i < c->n_buckets; i++) {
        struct dp_op_list *l = &out.buckets[i].actions;

        out.buckets[i] = c->buckets[i];
        if (!l->n_words)
            continue;
        memcpy(ops, l->ops, 8u * l->n_words);
        l->ops = (const void *) ops;
        ops += l->n_words;
    }
    return out;
}

/* ----------------------------------------------------------------- commands */

static enum ofp_err
dp_put_now(struct ofp_bridge *b, uint32_t id,
           const struct ofp_group_config *c, bool keep, bool anew)
{
    bool fields = c->selection == OFP_SELECT_HASH
                  && flow_mask_words(&c->fields.mask);
    struct dp_group_config d = {
        .type = c->type,
        .buckets = c->buckets,
        .n_buckets = c->n_buckets,
        .hash_mask = fields ? &c->fields.mask : NULL,
        .hash_seed = c->selection_param,
        .keep_buckets = keep,
        .anew = anew,
    };

    switch (dp_group_set(b->dpb, id, &d)) {
    case 0:
        b->dirty = true;
        return OFP_OK;
    case -ENOMEM:
        return OFP_ERR_GROUP_OUT_OF_GROUPS;
    default:
        return OFP_ERR_GROUP_BAD_BUCKET;
    }
}

static bool
dp_has(struct ofp_bridge *b, uint32_t id)
{
    struct dp_stats s;

    return !dp_group_get_stats(b->dpb, id, &s, NULL, 0);
}

/* In a transaction, packets see what becomes of a group that is there with
 * the rules' switch-over; a new one nobody sees before. */
struct staged_group {
    uint32_t id;
    bool keep;
    bool anew; /* It was deleted and added again. */
};

static void
staged_put(struct ofp_bridge *b, void *rec)
{
    const struct staged_group *s = rec;
    const struct ofp_group *g = ofp_group_find(&b->groups, s->id);

    if (g && dp_put_now(b, s->id, &g->config, s->keep, s->anew))
        base_log(BASE_LOG_ERR, OFP_LOG,
                 "%s: group %u could not be changed: out of memory", b->name,
                 s->id);
}

static void
staged_del(struct ofp_bridge *b, void *rec)
{
    const struct staged_group *s = rec;

    b->dirty = true;
    if (!ofp_group_find(&b->groups, s->id))
        dp_group_del(b->dpb, s->id);
}

static const struct ofp_txn_ops staged_put_ops = {
    .size = sizeof(struct staged_group),
    .at_switch = staged_put,
};
static const struct ofp_txn_ops staged_del_ops = {
    .size = sizeof(struct staged_group),
    .done = staged_del,
};

static enum ofp_err
dp_put(struct ofp_bridge *b, uint32_t id, const struct ofp_group_config *c,
       bool keep, bool anew)
{
    if (!b->txn || !dp_has(b, id))
        return dp_put_now(b, id, c, keep, anew);
    if (ofp_txn_is_open(b)) /* Else it is being undone: it never changed. */
        *(struct staged_group *) ofp_txn_log(b, &staged_put_ops) =
            (struct staged_group) { id, keep, anew };
    return OFP_OK;
}

static void
dp_drop(struct ofp_bridge *b, uint32_t id)
{
    b->dirty = true;
    if (ofp_txn_is_open(b))
        ((struct staged_group *) ofp_txn_log(b, &staged_del_ops))->id = id;
    else
        dp_group_del(b->dpb, id);
}

/* Takes 'c' over unchecked. */
static enum ofp_err
put(struct ofp_bridge *b, uint32_t id, const struct ofp_group_config *c,
    bool keep)
{
    struct ofp_groups *t = &b->groups;
    struct ofp_group *g = ofp_group_find_any(t, id);
    bool fresh = !g || g->gone;
    struct dp_bucket *old = NULL;
    enum ofp_err err = dp_put(b, id, c, keep, fresh);

    if (err)
        return err;
    if (!g)
        g = table_add(t, id);
    if (fresh) {
        g->created_ns = base_clock_ns();
        g->gone = false;
    } else {
        ofp_group_edges_del(t, &g->config);
        t->n_buckets -= (uint32_t) g->config.n_buckets;
        old = g->config.buckets;
    }
    g->config = config_copy(c);
    free(old); /* Not before: buckets of 'c' may share its ops. */
    t->n_buckets += (uint32_t) c->n_buckets;
    ofp_group_edges_add(t, &g->config);
    (void) ofp_group_set_height(t, g, ofp_group_height(t, &g->config));
    return OFP_OK;
}

/* 'in_dp' stays in the datapath: its old form comes back. */
static void
drop(struct ofp_bridge *b, struct ofp_group *g, bool in_dp)
{
    struct ofp_groups *t = &b->groups;

    ofp_group_edges_del(t, &g->config);
    t->n_buckets -= (uint32_t) g->config.n_buckets;
    if (!in_dp)
        dp_drop(b, g->id);
    if (!g->n_watch) {
        ofp_group_table_del(t, g);
        return;
    }
    free(g->config.buckets);
    g->config = (struct ofp_group_config) { .type = DP_GROUP_ALL };
    g->gone = true;
    (void) ofp_group_set_height(t, g, 1);
}

static void
drop_all(struct ofp_bridge *b)
{
    struct ofp_groups *t = &b->groups;

    for (uint32_t i = 0; i < t->n; i++) {
        dp_drop(b, t->v[i]->id);
        group_free(t->v[i]);
    }
    t->n = t->n_buckets = t->n_flows = 0;
}

/* A bucket's share is its weight of the sum of all (§7.3.4.2): of nothing
 * there are none.  Buckets that are taken out one by one may leave that. */
static bool
has_no_shares(const struct ofp_group_mod *m, const struct ofp_group_config *c)
{
    uint32_t sum = 0;

    if (c->type != DP_GROUP_SELECT || !c->n_buckets
        || m->command == OFP_GC_REMOVE_BUCKET)
        return false;
    for (size_t i = 0; i < c->n_buckets; i++)
        sum += c->buckets[i].weight;
    return !sum;
}

static enum ofp_err
check_put(struct ofp_bridge *b, const struct ofp_group_mod *m,
          struct ofp_group *g, const struct ofp_group_config *c)
{
    struct ofp_groups *t = &b->groups;
    uint32_t own = g ? (uint32_t) g->config.n_buckets : 0;
    enum ofp_err err = ofp_group_config_check(c, t->n_buckets - own);

    if (!err && has_no_shares(m, c))
        err = OFP_ERR_GROUP_INVALID_GROUP;
    if (!err && !g && t->n >= OFP_MAX_GROUPS)
        err = OFP_ERR_GROUP_OUT_OF_GROUPS;
    return err ? err
               : ofp_group_check_graph(t, ofp_group_find_any(t, m->group),
                                       m->group, c);
}

/* Index of a bucket, FIRST and LAST included; n_buckets: there is none. */
static size_t
bucket_index(const struct ofp_group_config *c, uint32_t id)
{
    size_t i = 0;

    if (id == OFP_BUCKET_FIRST)
        return 0;
    if (id == OFP_BUCKET_LAST)
        return c->n_buckets ? c->n_buckets - 1 : 0;
    while (i < c->n_buckets && c->buckets[i].id != id)
        i++;
    return i;
}

/* What the group's buckets become.  The caller frees out->buckets; their ops
 * are lent from group and message. */
static enum ofp_err
splice(const struct ofp_group *g, const struct ofp_group_mod *m,
       struct ofp_group_config *out)
{
    const struct ofp_group_config *old = &g->config;
    bool insert = m->command == OFP_GC_INSERT_BUCKET;
    size_t at = bucket_index(old, m->bucket), cut = 0;
    size_t n_new = insert ? m->config.n_buckets : 0;

    if (insert) {
        /* FIRST: in front of all; else behind the one named (LAST of an
         * empty group: there). */
        if (m->bucket > OFP_BUCKET_MAX && m->bucket != OFP_BUCKET_FIRST
            && m->bucket != OFP_BUCKET_LAST)
            return OFP_ERR_GROUP_UNKNOWN_BUCKET;
        if (m->bucket <= OFP_BUCKET_MAX && at == old->n_buckets)
            return OFP_ERR_GROUP_UNKNOWN_BUCKET;
        at += m->bucket != OFP_BUCKET_FIRST && old->n_buckets;
    } else if (m->bucket == OFP_BUCKET_ALL) {
        at = 0;
        cut = old->n_buckets;
    } else {
        if (at == old->n_buckets)
            return OFP_ERR_GROUP_UNKNOWN_BUCKET;
        cut = 1;
    }
    *out = *old;
    out->n_buckets = old->n_buckets + n_new - cut;
    out->buckets = base_xmalloc((out->n_buckets + 1)
                                * sizeof out->buckets[0]);
    memcpy(out->buckets, old->buckets, at * sizeof out->buckets[0]);
    if (n_new) /* memcpy refuses NULL, whatever the size. */
        memcpy(out->buckets + at, m->config.buckets,
               n_new * sizeof out->buckets[0]);
    memcpy(out->buckets + at + n_new, old->buckets + at + cut,
           (old->n_buckets - at - cut) * sizeof out->buckets[0]);
    return OFP_OK;
}

static enum ofp_err
change_buckets(struct ofp_bridge *b, const struct ofp_group_mod *m,
               struct ofp_group *g, bool apply)
{
    struct ofp_group_config c;
    enum ofp_err err = g ? splice(g, m, &c) : OFP_ERR_GROUP_UNKNOWN_GROUP;

    if (err)
        return err;
    err = check_put(b, m, g, &c);
    if (!err && apply)
        err = put(b, m->group, &c, true);
    free(c.buckets);
    return err;
}

static enum ofp_err
delete(struct ofp_bridge *b, const struct ofp_group_mod *m,
       struct ofp_group *g, bool apply)
{
    if (m->group == OFP_GROUP_ALL) {
        if (apply)
            drop_all(b);
        return OFP_OK;
    }
    if (!g) /* §6.7: no error. */
        return OFP_OK;
    if (g->n_refs)
        return OFP_ERR_GROUP_CHAINED_GROUP;
    if (apply)
        drop(b, g, false);
    return OFP_OK;
}

static enum ofp_err
run(struct ofp_bridge *b, const struct ofp_group_mod *m, bool apply)
{
    struct ofp_group *g;
    enum ofp_err err;

    if (m->group > DP_GROUP_MAX
        && !(m->command == OFP_GC_DELETE && m->group == OFP_GROUP_ALL))
        return OFP_ERR_GROUP_INVALID_GROUP;
    g = ofp_group_find(&b->groups, m->group);
    switch (m->command) {
    case OFP_GC_ADD:
        if (g)
            return OFP_ERR_GROUP_EXISTS;
        break;
    case OFP_GC_MODIFY:
        if (!g)
            return OFP_ERR_GROUP_UNKNOWN_GROUP;
        break;
    case OFP_GC_ADD_OR_MODIFY:
        break;
    case OFP_GC_DELETE:
        return delete(b, m, g, apply);
    default:
        return change_buckets(b, m, g, apply);
    }
    err = check_put(b, m, g, &m->config);
    return err || !apply ? err : put(b, m->group, &m->config, false);
}

enum ofp_err
ofp_group_check(struct ofp_bridge *b, const struct ofp_group_mod *m)
{
    return run(b, m, false);
}

struct group_record {
    struct ofp_group_undo *was;
};

static void
record_undo(struct ofp_bridge *b, void *rec)
{
    struct group_record *r = rec;

    ofp_group_restore(b, r->was);
    r->was = NULL;
}

static void
record_free(void *rec)
{
    ofp_group_undo_free(((struct group_record *) rec)->was);
}

static const struct ofp_txn_ops record_ops = {
    .size = sizeof(struct group_record),
    .undo = record_undo,
    .free = record_free,
};

enum ofp_err
ofp_group_apply(struct ofp_bridge *b, const struct ofp_group_mod *m)
{
    if (ofp_txn_is_open(b))
        ((struct group_record *) ofp_txn_log(b, &record_ops))->was =
            ofp_group_snapshot(b, m->group);
    return run(b, m, true);
}

/* ---------------------------------------------------------- taking it back */

struct undo_group {
    uint32_t id;
    uint64_t created_ns;
    struct ofp_group_config config;
};

struct ofp_group_undo {
    uint32_t group;
    uint32_t n; /* 0: it was not there. */
    bool in_dp; /* Still: its deletion is staged. */
    struct undo_group v[];
};

struct ofp_group_undo *
ofp_group_snapshot(struct ofp_bridge *b, uint32_t group)
{
    struct ofp_groups *t = &b->groups;
    bool all = group == OFP_GROUP_ALL;
    uint32_t from = all ? 0 : lower_bound(t, group);
    uint32_t n = all ? t->n : ofp_group_exists(t, group);
    struct ofp_group_undo *u = base_xmalloc(sizeof *u
                                            + n * sizeof u->v[0]);

    u->group = group;
    u->n = 0;
    u->in_dp = !all && dp_has(b, group);
    for (uint32_t i = from; i < from + n; i++) {
        const struct ofp_group *g = t->v[i];

        if (!g->gone)
            u->v[u->n++] = (struct undo_group) { g->id, g->created_ns,
                                                 config_copy(&g->config) };
    }
    return u;
}

void
ofp_group_restore(struct ofp_bridge *b, struct ofp_group_undo *u)
{
    struct ofp_group *g = ofp_group_find(&b->groups, u->group);

    if (u->group == OFP_GROUP_ALL)
        drop_all(b);
    else if (g && !u->n)
        drop(b, g, u->in_dp);
    for (uint32_t i = 0; i < u->n; i++) {
        if (put(b, u->v[i].id, &u->v[i].config, true))
            base_log(BASE_LOG_ERR, OFP_LOG,
                     "%s: group %u could not be restored: out of memory",
                     b->name, u->v[i].id);
        g = ofp_group_find(&b->groups, u->v[i].id);
        if (g)
            g->created_ns = u->v[i].created_ns;
    }
    if (u->group == OFP_GROUP_ALL)
        ofp_groups_relink(&b->groups);
    ofp_group_undo_free(u);
}

void
ofp_group_undo_free(struct ofp_group_undo *u)
{
    for (uint32_t i = 0; u && i < u->n; i++)
        free(u->v[i].config.buckets);
    free(u);
}

/* -------------------------------------------------------------------- views */

static void
view(struct ofp_bridge *b, const struct ofp_group *g, ofp_group_cb *cb,
     void *arg)
{
    struct dp_stats *buckets = base_xcalloc(g->config.n_buckets + 1,
                                            sizeof buckets[0]);
    struct ofp_group_view v = {
        .id = g->id,
        .config = &g->config,
        .created_ns = g->created_ns,
        .ref_count = g->n_refs + g->n_flows,
        .buckets = buckets,
    };

    if (dp_group_get_stats(b->dpb, g->id, &v.total, buckets,
                           g->config.n_buckets))
        v.total = (struct dp_stats) { 0 };
    cb(arg, &v);
    free(buckets);
}

bool
ofp_group_walk(struct ofp_bridge *b, uint32_t group, uint32_t *next,
               unsigned n, ofp_group_cb *cb, void *arg)
{
    const struct ofp_groups *t = &b->groups;
    uint32_t i = lower_bound(t, group == OFP_GROUP_ALL ? *next : group);

    if (group != OFP_GROUP_ALL) {
        if (ofp_group_exists(t, group))
            view(b, t->v[i], cb, arg);
        return false;
    }
    for (; i < t->n; i++) {
        size_t cost = 1 + t->v[i]->config.n_buckets;

        if (t->v[i]->gone)
            continue;
        view(b, t->v[i], cb, arg);
        *next = t->v[i]->id + 1;
        if (cost >= n)
            return i + 1 < t->n;
        n -= (unsigned) cost;
    }
    return false;
}
