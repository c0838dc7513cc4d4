/* SPDX-License-Identifier: Apache-2.0 */
/* Rules whose change is staged: what a worker sees of them.
 *
 * What:    which of two instructions of a rule counts for a packet.
 * Model:   While a transaction changes a rule, the act that the rule
 *          publishes is a stand-in: flags ACT_STAGED, the program of the act
 *          before (for who is on the way to it), a goto so that nobody else
 *          runs it, and in words[] a struct rule_stage with the rule before
 *          and after the transaction.  Either act is NULL when the rule is
 *          not there then.
 *          The version is the bridge's generation, which a worker reads once
 *          per batch: dp_commit moves all packets of later batches, in all
 *          tables, from 'before' to 'after' by one store.
 *          Rules that nobody changes pay nothing: the stand-in is met where
 *          a rule with a goto is set apart anyway.
 * Threads: written by control, read by workers.
 * Owns:    stages are the transaction's (dp_txn.c). */
#ifndef DP_STAGE_FAST_H
#define DP_STAGE_FAST_H

#include "datapath/dp_priv.h"
#include "datapath/prog.h"

struct rule_side {
    struct rule_act *act; /* NULL: no such rule. */
    uint64_t uid, cookie;
};

struct rule_stage {
    const struct dp_txn *txn;
    struct dp_rule *rule;
    struct rule_side before, after;
};

struct dp_txn {
    /* Read by workers. */
    uint32_t committed; /* 'gen' is set. */
    uint32_t gen;       /* Batches of this generation and later see it. */
    /* Control only: the stand-ins, in chunks. */
    struct dp_stage **chunks;
    size_t n_chunks;
    size_t n, at;       /* Staged; settled or undone. */
};

/* A stand-in as it lies in memory: struct rule_act, struct rule_stage. */
struct dp_stage {
    uint64_t words[(sizeof(struct rule_act) + sizeof(struct rule_stage)) / 8];
};

/* dp_txn.c.  Thread: control. */
struct rule_act *dp_stage_new(struct dp_bridge *, struct dp_rule *,
                              const struct rule_side *before,
                              const struct rule_side *after);
/* Takes back the last one, if the rule has one. */
void dp_stage_forget(struct dp_bridge *, const struct dp_rule *);

/* Ends the bridge's transaction at once, one way or the other. */
void dp_txn_drop(struct dp_bridge *);

/* dp_rule.c, for dp_txn.c: the rule is as after the transaction, or as
 * before it. */
void dp_rule_settle(struct dp_rule *);
void dp_rule_undo(struct dp_rule *);

static inline struct rule_stage *
rule_act_stage(const struct rule_act *a)
{
    return (struct rule_stage *) (uintptr_t) a->words;
}

static inline bool
dp_txn_visible(const struct dp_txn *t, uint32_t gen)
{
    return dp_load(&t->committed)
           && (int32_t) (gen - dp_read(t->gen)) >= 0;
}

/* What of a staged rule counts in generation 'gen'. */
static inline const struct rule_side *
rule_stage_at(const struct rule_act *a, uint32_t gen)
{
    const struct rule_stage *s = rule_act_stage(a);

    return dp_txn_visible(s->txn, gen) ? &s->after : &s->before;
}

/* Is the rule there in generation 'gen'? */
static inline bool
dp_rule_is_there(const struct dp_rule *r, uint32_t gen)
{
    const struct rule_act *a = dp_rule_act(r);

    return weft_likely(!(a->flags & ACT_STAGED))
           || rule_stage_at(a, gen)->act != NULL;
}

/* The rule as generation 'gen' has it.  Thread: control. */
static inline struct rule_side
dp_rule_side(const struct dp_rule *r, uint32_t gen)
{
    struct rule_act *a = dp_rule_act(r);

    if (a->flags & ACT_STAGED)
        return *rule_stage_at(a, gen);
    return (struct rule_side) { a, r->uid, dp_rule_cookie(r, a) };
}

/* The rule as it will be.  Thread: control. */
static inline struct rule_side
dp_rule_last(const struct dp_rule *r)
{
    struct rule_act *a = dp_rule_act(r);

    if (a->flags & ACT_STAGED)
        return rule_act_stage(a)->after;
    return (struct rule_side) { a, r->uid, dp_rule_cookie(r, a) };
}

#endif
