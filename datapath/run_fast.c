/* SPDX-License-Identifier: Apache-2.0 */
/* Running programs: whom to credit, and the ops.
 *
 * Packets are grouped by code, not by program: ten thousand rules that all
 * say "output:2" share one list of ops, and a burst that hits thirty of them
 * is one group.  Credit is each program's own; an op that asks where a packet
 * comes from finds its program in the batch. */
#include "datapath/worker.h"

#include <string.h>

static op_run_fn *const op_table[N_PROG_OPS] = {
#define DP_OP(id, name) [DP_OP_##id] = op_run_##id,
#include "weft/dp_ops.def"
#undef DP_OP
    [PROG_OP_DROP] = op_run_DROP,
    [PROG_OP_RESUME] = op_run_RESUME,
    [PROG_OP_EGRESS] = op_run_EGRESS,
};

/* ----------------------------------------------------------------- credit */

static inline void
credit_table0(struct batch *b, unsigned n)
{
    dp_count(b->bp->tables[0].lookups, n);
    dp_count(b->bp->tables[0].matches, n);
}

/* The program is the rule's own. */
static inline void
credit_rule(struct worker *w, struct dp_rule *r, unsigned n, uint64_t bytes)
{
    struct rule_counter *c = dp_rule_counter(r, w->id);

    dp_count(c->packets, n);
    dp_count(c->bytes, bytes);
    if (dp_read(r->prog.used) != w->tick)
        __atomic_store_n(&r->prog.used, w->tick, __ATOMIC_RELAXED);
}

/* 'p' came out of a walk: to be tallied. */
static inline void
credit_walk(struct worker *w, const struct prog *p, unsigned n,
            uint64_t bytes)
{
    struct walk_prog *k = (struct walk_prog *) (uintptr_t) p;

    dp_count(k->packets, n);
    dp_count(k->bytes, bytes);
    if (k->prog.used != w->tick)
        __atomic_store_n(&k->prog.used, w->tick, __ATOMIC_RELAXED);
}

/* Credits the one program of all live packets. */
static inline void
batch_credit_one(struct worker *w, struct batch *b, const struct prog *p)
{
    uint64_t bytes = b->sum.bytes;

    if (weft_unlikely(b->n_live != b->n || !b->sum.valid)) {
        bytes = 0;
        for (unsigned i = 0; i < b->n_live; i++)
            bytes += b->m[b->live[i]]->pkt_len;
    }
    if (weft_likely(p->kind == PROG_SELF)) {
        credit_rule(w, dp_rule_of_prog(p), b->n_live, bytes);
        credit_table0(b, b->n_live);
    } else if (p->kind == PROG_WALK) {
        credit_walk(w, p, b->n_live, bytes);
        dp_publish(&w->walked, w->walked + 1);
    }
}

/* Credits each program with its packets, those in a row at once. */
static void
batch_credit(struct worker *w, struct batch *b,
             const struct prog *const progs[])
{
    unsigned n_self = 0, n_walk = 0;

    for (unsigned i = 0, next; i < b->n_live; i = next) {
        const struct prog *p = progs[i];
        uint64_t bytes = 0;

        for (next = i; next < b->n_live && progs[next] == p; next++)
            bytes += b->m[b->live[next]]->pkt_len;
        if (weft_likely(p->kind == PROG_SELF)) {
            credit_rule(w, dp_rule_of_prog(p), next - i, bytes);
            n_self += next - i;
        } else if (p->kind == PROG_WALK) {
            credit_walk(w, p, next - i, bytes);
            n_walk += next - i;
        }
    }
    if (n_self)
        credit_table0(b, n_self); /* Of which all such rules are. */
    if (n_walk)
        dp_publish(&w->walked, w->walked + 1);
}

/* -------------------------------------------------------------------- ops */

void
worker_run_op(struct worker *w, struct group *g, const struct dp_op *op)
{
    op_table[op->code](w, g, op);
}

static void
group_run(struct worker *w, struct group *g, const struct prog_code *code)
{
    const uint64_t *ops = code->ops, *end = ops + code->n_words;

    g->egress = NULL;
    while (ops < end && g->n) {
        const struct dp_op *op = prog_op_at(ops);

        ops += op->words;
        g->last = ops == end;
        op_table[op->code](w, g, op);
    }
}

/* Notes each live packet's program.  True: all have the same. */
static inline bool
batch_progs(struct batch *b, const struct prog *const progs[])
{
    uintptr_t diff = 0;

    for (unsigned i = 0; i < b->n_live; i++) {
        b->prog[b->live[i]] = progs[i];
        diff |= (uintptr_t) progs[i] ^ (uintptr_t) progs[0];
    }
    return !diff;
}

/* The code of each live packet's program.  True: all have the same. */
static inline bool
batch_codes(const struct batch *b, const struct prog *const progs[],
            const struct prog_code *codes[])
{
    uintptr_t diff = 0;

    codes[0] = dp_load(&progs[0]->code);
    for (unsigned i = 1; i < b->n_live; i++) {
        codes[i] = dp_load(&progs[i]->code);
        diff |= (uintptr_t) codes[i] ^ (uintptr_t) codes[0];
    }
    return !diff;
}

void
batch_run(struct worker *w, struct batch *b, const struct prog *const progs[])
{
    const struct prog_code *codes[BATCH_MAX];
    uint32_t left = b->n_live == 32 ? UINT32_MAX
                                    : (1u << b->n_live) - 1;
    struct group g;

    g.b = b;
    g.outer = NULL;
    g.n = b->n_live;
    memcpy(g.idx, b->live, sizeof g.idx);
    if (batch_progs(b, progs)) {
        batch_credit_one(w, b, progs[0]);
        group_run(w, &g, dp_load(&progs[0]->code));
        return;
    }
    batch_credit(w, b, progs);
    if (weft_likely(batch_codes(b, progs, codes))) {
        group_run(w, &g, codes[0]);
        return;
    }
    while (left) {
        const struct prog_code *code = codes[__builtin_ctz(left)];
        uint32_t same = 0;

        g.n = 0;
        for (uint32_t m = left; m; m &= m - 1) {
            unsigned i = (unsigned) __builtin_ctz(m);
            uint32_t eq = codes[i] == code;

            g.idx[g.n] = b->live[i];
            g.n += eq;
            same |= eq << i;
        }
        left &= ~same;
        group_run(w, &g, code);
    }
}

/* ------------------------------------------------------------ internal ops */

void
op_run_DROP(struct worker *w, struct group *g, const struct dp_op *op)
{
    worker_drop_group(w, g, NULL, op->arg);
}

void
op_run_RESUME(struct worker *w, struct group *g, const struct dp_op *op)
{
    const struct prog_resume *r = (const void *) op->data;
    struct batch *b = g->b;

    for (unsigned i = 0; i < g->n; i++) {
        unsigned s = g->idx[i];
        const struct flow_key *k = &b->key[s];
        struct pending p = { .br = b->br, .in = b->in[s], .resume = op,
                             .tun = { .id = be64_to(k->tun_id),
                                      .src = k->tun_src,
                                      .dst = k->tun_dst },
                             .metadata = op->aux & PROG_METADATA_IN_KEY
                                             ? k->metadata
                                             : be64_from(r->metadata),
                             .in_port = k->in_port,
                             .gen = b->gen,
                             .depth = (uint8_t) (b->depth[s] + 1) };

        p.m = worker_take(w, g, s);
        if (!p.m)
            continue;
        if (p.depth > DEPTH_MAX)
            worker_drop(w, b->br, p.in, p.m, DROP_LOOP);
        else if (!worker_pend(w, &p))
            worker_drop(w, b->br, p.in, p.m, DROP_NO_BUFFER);
    }
}

void
op_run_TABLE(struct worker *w, struct group *g, const struct dp_op *op)
{
    (void) op; /* Folded to RESUME. */
    worker_drop_group(w, g, NULL, DROP_UNKNOWN_OP);
}
