/* SPDX-License-Identifier: Apache-2.0 */
/* Rules whose change is staged: what a worker sees of them.
 *
 * What:    which of two instructions of a rule counts for a packet.
 * Model:   While a transaction changes a rule, the act that the rule
 *          publishes is a stand-in: flags ACT_STAGED, no program, and in
 *          words[] a struct rule_stage with the act before and after the
 *          transaction.  Either is NULL when the rule is not there then.
 *          The version is the bridge's generation, which a worker reads once
 *          per batch: dp_commit moves all packets of later batches, in all
 *          tables, from 'before' to 'after' by one store.
 *          Rules that nobody changes pay nothing: the stand-in is met where
 *          a rule without program is set apart anyway.
 * Threads: written by control, read by workers.
 * Owns:    stages are the transaction's (dp_txn.c). */
#ifndef DP_STAGE_FAST_H
#define DP_STAGE_FAST_H

#include "datapath/dp_priv.h"
#include "datapath/prog.h"

struct rule_stage {
    const struct dp_txn *txn;
    struct rule_act *before, *after; /* NULL: no such rule. */
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
struct rule_act *dp_stage_new(struct dp_rule *, struct rule_act *before,
                              struct rule_act *after);
/* Takes back the last one, if the rule has one. */
void dp_stage_forget(struct dp_rule *);

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

/* The act that counts in generation 'gen'; NULL: the rule is not there. */
static inline const struct rule_act *
rule_act_at(const struct rule_act *a, uint32_t gen)
{
    const struct rule_stage *s;

    if (weft_likely(!(a->flags & ACT_STAGED)))
        return a;
    s = rule_act_stage(a);
    return dp_txn_visible(s->txn, gen) ? dp_load(&s->after) : s->before;
}

#endif
