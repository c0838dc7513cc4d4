/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ofproto/agent_priv.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"

struct ofp_group {
    uint32_t id;
    uint32_t n_refs;  /* Groups with a bucket that forwards here ... */
    uint32_t n_watch; /* ... or that watches this one. */
    uint32_t n_flows; /* Flows that name it. */
    uint32_t height;  /* Groups on the longest path from here, 1: no other. */
    uint32_t round;   /* Seen in this search. */
    bool gone;        /* Deleted, but watched: as if it were not there. */
    uint64_t created_ns;
    struct ofp_group_config config; /* Own; one piece of memory. */
};

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

/* Also one that is gone. */
static struct ofp_group *
find_any(const struct ofp_groups *t, uint32_t id)
{
    uint32_t i = lower_bound(t, id);

    return i < t->n && t->v[i]->id == id ? t->v[i] : NULL;
}

static struct ofp_group *
find(const struct ofp_groups *t, uint32_t id)
{
    struct ofp_group *g = find_any(t, id);

    return g && !g->gone ? g : NULL;
}

bool
ofp_group_exists(const struct ofp_groups *t, uint32_t group)
{
    return find(t, group) != NULL;
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

static void
table_del(struct ofp_groups *t, struct ofp_group *g)
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
        struct ofp_group *g = op->code == DP_OP_GROUP ? find_any(t, op->arg)
                                                      : NULL;

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
    const struct ofp_group *g = find(t, group);

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

/* The group that a bucket's actions forward to; OFP_GROUP_ANY: none.  An
 * action set has one at most: the last. */
static uint32_t
bucket_target(const struct dp_bucket *k)
{
    uint32_t target = OFP_GROUP_ANY;
    const struct dp_op *op;

    OFP_OP_FOR(op, &k->actions)
        if (op->code == DP_OP_GROUP)
            target = op->arg;
    return target;
}

/* ------------------------------------------------------------------- graph
 *
 * An edge leads from a group to each that its buckets forward to or watch.
 * There is no loop, and no path has more than OFP_GROUP_DEPTH groups, so
 * recursion is bounded. */

/* Calls 'fn' for each group that 'c' leads to, unless it returns an error. */
typedef enum ofp_err edge_fn(struct ofp_groups *, struct ofp_group *to,
                             bool watch, void *arg);

static enum ofp_err
for_edges(struct ofp_groups *t, const struct ofp_group_config *c,
          edge_fn *fn, void *arg)
{
    for (size_t i = 0; i < c->n_buckets; i++) {
        uint32_t ids[2] = { bucket_target(&c->buckets[i]),
                            c->buckets[i].watch_group };

        for (unsigned k = 0; k < 2; k++) {
            struct ofp_group *to =
                ids[k] <= DP_GROUP_MAX ? find_any(t, ids[k]) : NULL;
            enum ofp_err err = to ? fn(t, to, k, arg) : OFP_OK;

            if (err)
                return err;
        }
    }
    return OFP_OK;
}

/* Every target exists.  'self' may be a group that is being added. */
static enum ofp_err
check_targets(const struct ofp_groups *t, const struct ofp_group_config *c,
              uint32_t self)
{
    for (size_t i = 0; i < c->n_buckets; i++) {
        uint32_t to = bucket_target(&c->buckets[i]);
        uint32_t watch = c->buckets[i].watch_group;

        if (to == self || watch == self)
            return OFP_ERR_GROUP_LOOP;
        if (to != OFP_GROUP_ANY && !find(t, to))
            return OFP_ERR_ACT_BAD_OUT_GROUP;
        if (watch != DP_GROUP_NONE && !find(t, watch))
            return OFP_ERR_GROUP_BAD_WATCH;
    }
    return OFP_OK;
}

/* Finds the group *arg; each group is looked at once per round. */
static enum ofp_err
search(struct ofp_groups *t, struct ofp_group *g, bool watch, void *arg)
{
    (void) watch;
    if (g == arg)
        return OFP_ERR_GROUP_LOOP;
    if (g->round == t->round)
        return OFP_OK;
    g->round = t->round;
    return for_edges(t, &g->config, search, arg);
}

static enum ofp_err
max_height(struct ofp_groups *t, struct ofp_group *to, bool watch, void *arg)
{
    uint32_t *max = arg;

    (void) t, (void) watch;
    *max = WEFT_MAX(*max, to->height);
    return OFP_OK;
}

static uint32_t
height_of(struct ofp_groups *t, const struct ofp_group_config *c)
{
    uint32_t max = 0;

    (void) for_edges(t, c, max_height, &max);
    return max + 1;
}

/* Heights from the leaves up, as if 'g' had the height 'h'; the largest. */
struct heights {
    const struct ofp_group *g;
    uint32_t h, max;
};

static enum ofp_err
height_visit(struct ofp_groups *t, struct ofp_group *g, bool watch, void *arg)
{
    struct heights *x = arg;

    (void) watch;
    if (g->round == t->round)
        return OFP_OK;
    g->round = t->round;
    if (g == x->g) {
        g->height = x->h;
    } else {
        (void) for_edges(t, &g->config, height_visit, arg);
        g->height = height_of(t, &g->config);
    }
    x->max = WEFT_MAX(x->max, g->height);
    return OFP_OK;
}

/* Sets the height of 'g' and what follows from it; returns the largest. */
static uint32_t
heights_update(struct ofp_groups *t, struct ofp_group *g, uint32_t h)
{
    struct heights x = { g, h, h };

    if (!g->n_refs && !g->n_watch) {
        g->height = h;
        return h;
    }
    t->round++;
    for (uint32_t i = 0; i < t->n; i++)
        (void) height_visit(t, t->v[i], false, &x);
    return x.max;
}

/* May 'g' (NULL: nobody leads to it yet) lead where 'c' says? */
static enum ofp_err
check_graph(struct ofp_groups *t, struct ofp_group *g, uint32_t id,
            const struct ofp_group_config *c)
{
    enum ofp_err err = check_targets(t, c, id);
    uint32_t h, before;

    if (err)
        return err;
    h = height_of(t, c);
    /* Only what somebody leads to can be part of a loop. */
    if (g && (g->n_refs || g->n_watch)) {
        t->round++;
        err = for_edges(t, c, search, g);
        if (err)
            return err;
        before = g->height;
        if (h > before) {
            uint32_t max = heights_update(t, g, h);

            (void) heights_update(t, g, before);
            h = max;
        }
    }
    return h > OFP_GROUP_DEPTH ? OFP_ERR_GROUP_CHAINING_UNSUPPORTED : OFP_OK;
}

/* Counts, or (arg) takes back, an edge; forwarding once per group. */
static enum ofp_err
edge_count(struct ofp_groups *t, struct ofp_group *to, bool watch, void *arg)
{
    uint32_t step = arg ? UINT32_MAX : 1;

    if (watch) {
        to->n_watch += step;
        if (to->gone && !to->n_watch)
            table_del(t, to);
    } else if (to->round != t->round) {
        to->round = t->round;
        to->n_refs += step;
    }
    return OFP_OK;
}

static void
edges_add(struct ofp_groups *t, const struct ofp_group_config *c)
{
    t->round++;
    (void) for_edges(t, c, edge_count, NULL);
}

static void
edges_del(struct ofp_groups *t, const struct ofp_group_config *c)
{
    t->round++;
    (void) for_edges(t, c, edge_count, t);
}

/* ----------------------------------------------------------------- commands */

static enum ofp_err
dp_put_now(struct ofp_bridge *b, uint32_t id,
           const struct ofp_group_config *c, bool keep)
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
};

static void
staged_put(struct ofp_bridge *b, void *rec)
{
    const struct staged_group *s = rec;
    const struct ofp_group *g = find(&b->groups, s->id);

    if (g && dp_put_now(b, s->id, &g->config, s->keep))
        base_log(BASE_LOG_ERR, OFP_LOG,
                 "%s: group %u could not be changed: out of memory", b->name,
                 s->id);
}

static void
staged_del(struct ofp_bridge *b, void *rec)
{
    const struct staged_group *s = rec;

    b->dirty = true;
    if (!find(&b->groups, s->id))
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
       bool keep)
{
    if (!b->txn || !dp_has(b, id))
        return dp_put_now(b, id, c, keep);
    if (ofp_txn_is_open(b)) /* Else it is being undone: it never changed. */
        *(struct staged_group *) ofp_txn_log(b, &staged_put_ops) =
            (struct staged_group) { id, keep };
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
    struct ofp_group *g = find_any(t, id);
    bool fresh = !g || g->gone;
    struct dp_bucket *old = NULL;
    enum ofp_err err = dp_put(b, id, c, keep);

    if (err)
        return err;
    if (!g)
        g = table_add(t, id);
    if (fresh) {
        g->created_ns = base_clock_ns();
        g->gone = false;
    } else {
        edges_del(t, &g->config);
        t->n_buckets -= (uint32_t) g->config.n_buckets;
        old = g->config.buckets;
    }
    g->config = config_copy(c);
    free(old); /* Not before: buckets of 'c' may share its ops. */
    t->n_buckets += (uint32_t) c->n_buckets;
    edges_add(t, &g->config);
    (void) heights_update(t, g, height_of(t, &g->config));
    return OFP_OK;
}

static void
drop(struct ofp_bridge *b, struct ofp_group *g)
{
    struct ofp_groups *t = &b->groups;

    edges_del(t, &g->config);
    t->n_buckets -= (uint32_t) g->config.n_buckets;
    dp_drop(b, g->id);
    if (!g->n_watch) {
        table_del(t, g);
        return;
    }
    free(g->config.buckets);
    g->config = (struct ofp_group_config) { .type = DP_GROUP_ALL };
    g->gone = true;
    (void) heights_update(t, g, 1);
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

static enum ofp_err
check_put(struct ofp_bridge *b, const struct ofp_group_mod *m,
          struct ofp_group *g, const struct ofp_group_config *c)
{
    struct ofp_groups *t = &b->groups;
    uint32_t own = g ? (uint32_t) g->config.n_buckets : 0;
    enum ofp_err err = ofp_group_config_check(c, t->n_buckets - own);

    if (!err && !g && t->n >= OFP_MAX_GROUPS)
        err = OFP_ERR_GROUP_OUT_OF_GROUPS;
    return err ? err : check_graph(t, find_any(t, m->group), m->group, c);
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
        drop(b, g);
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
    g = find(&b->groups, m->group);
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

/* ------------------------------------------------------------ taking it back */

struct undo_group {
    uint32_t id;
    uint64_t created_ns;
    struct ofp_group_config config;
};

struct ofp_group_undo {
    uint32_t group;
    uint32_t n; /* 0: it was not there. */
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
    for (uint32_t i = from; i < from + n; i++) {
        const struct ofp_group *g = t->v[i];

        if (!g->gone)
            u->v[u->n++] = (struct undo_group) { g->id, g->created_ns,
                                                 config_copy(&g->config) };
    }
    return u;
}

/* What leads where, anew: groups come back in any order. */
static void
relink(struct ofp_groups *t)
{
    for (uint32_t i = 0; i < t->n; i++)
        t->v[i]->n_refs = t->v[i]->n_watch = 0;
    for (uint32_t i = 0; i < t->n; i++)
        edges_add(t, &t->v[i]->config);
    t->round++;
    for (uint32_t i = 0; i < t->n; i++)
        (void) height_visit(t, t->v[i], false, &(struct heights) { .h = 0 });
}

void
ofp_group_restore(struct ofp_bridge *b, struct ofp_group_undo *u)
{
    struct ofp_group *g = find(&b->groups, u->group);

    if (u->group == OFP_GROUP_ALL)
        drop_all(b);
    else if (g && !u->n)
        drop(b, g);
    for (uint32_t i = 0; i < u->n; i++) {
        if (put(b, u->v[i].id, &u->v[i].config, true))
            base_log(BASE_LOG_ERR, OFP_LOG,
                     "%s: group %u could not be restored: out of memory",
                     b->name, u->v[i].id);
        g = find(&b->groups, u->v[i].id);
        if (g)
            g->created_ns = u->v[i].created_ns;
    }
    if (u->group == OFP_GROUP_ALL)
        relink(&b->groups);
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
