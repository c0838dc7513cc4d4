/* SPDX-License-Identifier: Apache-2.0 */
/* group: runs buckets, on copies or on the packets themselves.
 *
 * Groups behind groups are run with a stack of frames, depth first.  A frame
 * holds packets at one group.  What a bucket does to packets that are still
 * needed is done to copies in a batch of the frame's own (w->group_batch);
 * the last bucket of an op that takes its packets gets them themselves.  So
 * every run of a bucket ends with one fate per packet, and a group that runs
 * none drops: NO_GROUP, NO_BUCKET. */
#include "datapath/group.h"
#include "datapath/ops/rewrite.h"

#include <string.h>

/* Packets at a group. */
struct group_frame {
    struct batch *b;
    const struct group_act *act;
    bool last;      /* The packets end here. */
    uint32_t next;  /* ALL: bucket to run next. */
    uint32_t left;  /* Others: packets that still have no bucket, by index. */
    unsigned n;
    uint8_t idx[BATCH_MAX];
    uint32_t pick[BATCH_MAX];
};

/* One op of a program: all that is under way. */
struct group_run {
    struct worker *w;
    const struct group *outer; /* The packets' program. */
    const struct dp_op *op;
    unsigned budget, depth;
    struct group_frame frame[GROUP_DEPTH];
};

/* ----------------------------------------------------------------- choosing */

static inline uint64_t
mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9fb21c651e98df25);
    return h ^ (h >> 32);
}

/* Fragments have no ports, but for the first: all are hashed without. */
static uint64_t
group_hash(const struct group_act *a, const struct flow_key *k)
{
    const unsigned l4 = offsetof(struct flow_key, tp_src) / 8;
    uint64_t h = a->seed;

    for (uint32_t m = a->map; m; m &= m - 1) {
        unsigned i = (unsigned) __builtin_ctz(m);
        uint64_t v = flow_key_word(k, i) & a->mask[i];

        if (weft_unlikely(i == l4 && k->nw_flags & FLOW_NW_FRAG_ANY)) {
            static const uint16_t no_ports[4] = { 0, 0, 0xffff, 0xffff };
            uint64_t keep;

            memcpy(&keep, no_ports, sizeof keep);
            v &= keep;
        }
        h = mix(h, v);
    }
    h = (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return h ^ h >> 32;
}

bool
group_bucket_live(const struct dp_bridge *br, const struct group_bucket *k)
{
    if (k->watch_port == DP_PORT_NONE && k->watch_group == DP_GROUP_NONE)
        return true;
    if (k->watch_port != DP_PORT_NONE) {
        const struct dp_port *p = dp_bridge_port(br, k->watch_port);

        if (p && !(dp_read(p->config) & DP_PC_DOWN)
            && dp_read(p->port.link_up))
            return true;
    }
    if (k->watch_group != DP_GROUP_NONE) {
        const struct dp_group *g = dp_group_find(br, k->watch_group);

        return g && dp_read(g->live);
    }
    return false;
}

/* The bucket of a live flow whose bucket is dead. */
static uint32_t
choose_again(const struct dp_bridge *br, const struct group_act *a,
             uint64_t h)
{
    const struct group_slots *live = dp_load(&a->live);

    if (!live) /* Control has not heard of it. */
        live = a->slots;
    for (unsigned n = 0; n < GROUP_REDRAW; n++) {
        uint32_t i = group_slots_find(live, h);

        if (i == GROUP_SLOT_FREE)
            break;
        if (group_bucket_live(br, &a->b[i]))
            return i;
        h = mix(h, n + 1);
    }
    return GROUP_NO_BUCKET;
}

static uint32_t
choose_select(const struct dp_bridge *br, const struct group_act *a,
              const struct flow_key *k)
{
    uint64_t h = group_hash(a, k);
    uint32_t i = group_slots_find(a->slots, h);

    if (weft_unlikely(i == GROUP_SLOT_FREE))
        return GROUP_NO_BUCKET;
    if (!a->watches || group_bucket_live(br, &a->b[i]))
        return i;
    return choose_again(br, a, h);
}

static uint32_t
choose_first(const struct dp_bridge *br, const struct group_act *a)
{
    for (uint32_t i = 0; i < a->n_buckets; i++)
        if (group_bucket_live(br, &a->b[i]))
            return i;
    return GROUP_NO_BUCKET;
}

uint32_t
group_choose(const struct dp_bridge *br, const struct group_act *a,
             const struct flow_key *k)
{
    if (a->type == DP_GROUP_SELECT)
        return choose_select(br, a, k);
    return a->type == DP_GROUP_FF ? choose_first(br, a) : 0;
}

/* ------------------------------------------------------------------- frames */

static uint64_t
bytes_of(const struct batch *b, const uint8_t *idx, unsigned n)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < n; i++)
        bytes += b->m[idx[i]]->pkt_len;
    return bytes;
}

static inline void
count(struct rule_counter *c, unsigned n, uint64_t bytes)
{
    dp_count(c->packets, n);
    dp_count(c->bytes, bytes);
}

/* Fills pick[]; without a choice by packet the first one's is everybody's. */
static void
frame_pick(struct group_frame *f)
{
    const struct dp_bridge *br = f->b->br;

    f->left = f->n == 32 ? UINT32_MAX : (1u << f->n) - 1;
    for (unsigned i = 0; i < f->n; i++)
        f->pick[i] = !i || f->act->type == DP_GROUP_SELECT
                         ? group_choose(br, f->act, &f->b->key[f->idx[i]])
                         : f->pick[0];
}

/* Packets 'g' arrive at group 'id'. */
static void
frame_push(struct group_run *r, struct group *g, uint32_t id)
{
    const struct dp_group *grp = dp_group_find(g->b->br, id);
    const struct group_act *a = grp ? dp_load(&grp->act) : NULL;
    struct group_frame *f = &r->frame[r->depth];
    int drop = !a                         ? DROP_NO_GROUP
               : !a->n_buckets            ? DROP_NO_BUCKET
               : r->depth == GROUP_DEPTH  ? DROP_LOOP
                                          : -1;

    if (a)
        count(&grp->total[r->w->id], g->n, bytes_of(g->b, g->idx, g->n));
    if (drop >= 0) {
        worker_drop_group(r->w, g, NULL, (unsigned) drop);
        return;
    }
    r->depth++;
    f->b = g->b;
    f->act = a;
    f->last = g->last;
    f->next = 0;
    f->n = g->n;
    memcpy(f->idx, g->idx, g->n);
    if (a->type != DP_GROUP_ALL)
        frame_pick(f);
}

/* Copies of the packets in the frame's own batch; 'g' is them afterwards. */
static void
copy_packets(struct group_run *r, struct group *g)
{
    struct batch *from = g->b, *to = &r->w->group_batch[r->depth - 1];
    unsigned n = 0;

    to->br = from->br;
    to->bp = from->bp;
    to->gen = from->gen;
    for (unsigned i = 0; i < g->n; i++) {
        unsigned s = g->idx[i];

        to->m[n] = worker_take(r->w, g, s);
        if (!to->m[n])
            continue;
        to->in[n] = from->in[s];
        to->prog[n] = from->prog[s];
        to->depth[n] = from->depth[s];
        to->lay[n] = from->lay[s];
        to->key[n] = from->key[s];
        g->idx[n] = (uint8_t) n;
        n++;
    }
    to->n = n;
    to->from = from->from;
    to->sum.valid = false;
    g->b = to;
    g->n = n;
}

/* Runs a bucket's ops; a GROUP at their end becomes the next frame. */
static void
run_ops(struct group_run *r, struct group *g, const struct group_bucket *k)
{
    const uint64_t *ops = k->ops, *end = ops + k->n_words;
    bool last = g->last;

    while (ops < end && g->n) {
        const struct dp_op *op = prog_op_at(ops);

        ops += op->words;
        g->last = last && ops == end;
        if (op->code == DP_OP_GROUP)
            frame_push(r, g, op->arg);
        else
            worker_run_op(r->w, g, op);
    }
}

/* 'final': the packets end with this bucket. */
static void
run_bucket(struct group_run *r, struct group *g, const struct group_bucket *k,
           bool final)
{
    count(&k->count[r->w->id], g->n, bytes_of(g->b, g->idx, g->n));
    g->last = final;
    if (!final && !k->one_op) {
        copy_packets(r, g);
        g->last = true;
    }
    run_ops(r, g, k);
}

/* The packets of the frame that the next bucket runs on; NULL: no more. */
static const struct group_bucket *
frame_next(struct group_run *r, struct group_frame *f, struct group *g)
{
    uint32_t pick, same = 0;

    g->b = f->b;
    g->n = 0;
    if (f->act->type == DP_GROUP_ALL) {
        if (f->next == f->act->n_buckets)
            return NULL;
        g->n = f->n;
        memcpy(g->idx, f->idx, f->n);
        return &f->act->b[f->next++];
    }
    while (f->left) {
        pick = f->pick[__builtin_ctz(f->left)];
        g->n = 0;
        for (uint32_t m = f->left; m; m &= m - 1) {
            unsigned i = (unsigned) __builtin_ctz(m);
            uint32_t eq = f->pick[i] == pick;

            g->idx[g->n] = f->idx[i];
            g->n += eq;
            same |= eq << i;
        }
        f->left &= ~same;
        if (pick != GROUP_NO_BUCKET)
            return &f->act->b[pick];
        g->last = f->last;
        worker_drop_group(r->w, g, NULL, DROP_NO_BUCKET);
    }
    return NULL;
}

/* Runs the next bucket of the top frame, or ends it. */
static void
frame_step(struct group_run *r)
{
    struct group_frame *f = &r->frame[r->depth - 1];
    struct group g = { .outer = r->op, .egress = r->outer->egress };
    const struct group_bucket *k = frame_next(r, f, &g);
    bool more;

    if (!k) {
        r->depth--;
        return;
    }
    more = f->act->type == DP_GROUP_ALL && f->next < f->act->n_buckets;
    if (weft_unlikely(!r->budget)) {
        /* The rest of an ALL counts as one bucket. */
        f->next = f->act->n_buckets;
        g.last = f->last;
        worker_drop_group(r->w, &g, NULL, DROP_LOOP);
        return;
    }
    r->budget--;
    run_bucket(r, &g, k, f->last && !more);
}

/* Buckets look for metadata in the packet's key; a program has it folded. */
static void
put_metadata(struct group *g, const struct dp_op *op)
{
    struct prog_ctx c;

    if (weft_likely(op->words == 1))
        return;
    memcpy(&c, op->data, sizeof c);
    if (c.metadata_in_key)
        return;
    for (unsigned i = 0; i < g->n; i++)
        g->b->key[g->idx[i]].metadata = be64_from(c.metadata);
}

void
op_run_GROUP(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct group_run r;

    r.w = w;
    r.outer = g;
    r.op = g->outer ? g->outer : op;
    r.budget = GROUP_BUDGET;
    r.depth = 0;
    put_metadata(g, op);
    frame_push(&r, g, op->arg);
    while (r.depth)
        frame_step(&r);
}
