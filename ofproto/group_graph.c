/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/group_graph.h"

#include "ofproto/agent_priv.h"

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

/* An edge leads from a group to each that its buckets forward to or watch.
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
                ids[k] <= DP_GROUP_MAX ? ofp_group_find_any(t, ids[k]) : NULL;
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
        if (to != OFP_GROUP_ANY && !ofp_group_find(t, to))
            return OFP_ERR_ACT_BAD_OUT_GROUP;
        if (watch != DP_GROUP_NONE && !ofp_group_find(t, watch))
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

uint32_t
ofp_group_height(struct ofp_groups *t, const struct ofp_group_config *c)
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
        g->height = ofp_group_height(t, &g->config);
    }
    x->max = WEFT_MAX(x->max, g->height);
    return OFP_OK;
}

uint32_t
ofp_group_set_height(struct ofp_groups *t, struct ofp_group *g, uint32_t h)
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

enum ofp_err
ofp_group_check_graph(struct ofp_groups *t, struct ofp_group *g, uint32_t id,
                      const struct ofp_group_config *c)
{
    enum ofp_err err = check_targets(t, c, id);
    uint32_t h, before;

    if (err)
        return err;
    h = ofp_group_height(t, c);
    /* Only what somebody leads to can be part of a loop. */
    if (g && (g->n_refs || g->n_watch)) {
        t->round++;
        err = for_edges(t, c, search, g);
        if (err)
            return err;
        before = g->height;
        if (h > before) {
            uint32_t max = ofp_group_set_height(t, g, h);

            (void) ofp_group_set_height(t, g, before);
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
            ofp_group_table_del(t, to);
    } else if (to->round != t->round) {
        to->round = t->round;
        to->n_refs += step;
    }
    return OFP_OK;
}

void
ofp_group_edges_add(struct ofp_groups *t, const struct ofp_group_config *c)
{
    t->round++;
    (void) for_edges(t, c, edge_count, NULL);
}

void
ofp_group_edges_del(struct ofp_groups *t, const struct ofp_group_config *c)
{
    t->round++;
    (void) for_edges(t, c, edge_count, t);
}

void
ofp_groups_relink(struct ofp_groups *t)
{
    for (uint32_t i = 0; i < t->n; i++)
        t->v[i]->n_refs = t->v[i]->n_watch = 0;
    for (uint32_t i = 0; i < t->n; i++)
        ofp_group_edges_add(t, &t->v[i]->config);
    t->round++;
    for (uint32_t i = 0; i < t->n; i++)
        (void) height_visit(t, t->v[i], false, &(struct heights) { .h = 0 });
}
