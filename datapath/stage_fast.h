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
 *          New rules that do the same share one stand-in, whose side after
 *          has no uid: that and the cookie are the rule's own.
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
    struct rule_side before, after;
};

/* Pieces of memory that grow in number. */
struct dp_chunks {
    void **p;
    size_t n;
};

#define DP_TXN_ADDED 256 /* A power of 2. */

struct dp_txn {
    /* Read by workers. */
    uint32_t committed; /* 'gen' is set. */
    uint32_t gen;       /* Batches of this generation and later see it. */
    /* Control only. */
    struct dp_chunks stages, rules;
    size_t n_stages;
    size_t n, at;       /* Rules that are staged; settled or undone. */
    /* The last stand-in for new rules by what they do, each in one place. */
    struct rule_act *added[DP_TXN_ADDED];
};

/* A stand-in as it lies in memory: struct rule_act, struct rule_stage. */
struct dp_stage {
    uint64_t words[(sizeof(struct rule_act) + sizeof(struct rule_stage)) / 8];
};

/* dp_txn.c.  Thread: control. */
struct rule_act *dp_stage_new(struct dp_bridge *,
                              const struct rule_side *before,
                              const struct rule_side *after);
/* The stand-in of a new rule that does 'act'. */
struct rule_act *dp_stage_added(struct dp_bridge *, struct rule_act *act);
/* Notes that the rule is staged now; 'forget' takes back the last one, if the
 * rule is. */
void dp_stage_note(struct dp_bridge *, struct dp_rule *);
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

/* Is the stand-in that of several new rules? */
static inline bool
rule_stage_is_shared(const struct rule_stage *s)
{
    return s->after.act && !s->after.uid;
}

/* What of the rule, whose stand-in is 'a', counts after the transaction. */
static inline struct rule_side
rule_stage_after(const struct dp_rule *r, const struct rule_act *a)
{
    const struct rule_stage *s = rule_act_stage(a);

    return rule_stage_is_shared(s)
               ? (struct rule_side) { s->after.act, dp_read(r->uid),
                                      dp_read(r->cookie) }
               : s->after;
}

/* What of it counts in generation 'gen'. */
static inline struct rule_side
rule_stage_at(const struct dp_rule *r, const struct rule_act *a, uint32_t gen)
{
    const struct rule_stage *s = rule_act_stage(a);

    return dp_txn_visible(s->txn, gen) ? rule_stage_after(r, a) : s->before;
}

/* Is the rule there in generation 'gen'? */
static inline bool
dp_rule_is_there(const struct dp_rule *r, uint32_t gen)
{
    const struct rule_act *a = dp_rule_act(r);

    return weft_likely(!(a->flags & ACT_STAGED))
           || rule_stage_at(r, a, gen).act != NULL;
}

/* The rule as generation 'gen' has it.  Thread: control. */
static inline struct rule_side
dp_rule_side(const struct dp_rule *r, uint32_t gen)
{
    struct rule_act *a = dp_rule_act(r);

    if (a->flags & ACT_STAGED)
        return rule_stage_at(r, a, gen);
    return (struct rule_side) { a, r->uid, dp_rule_cookie(r, a) };
}

/* The rule as it will be.  Thread: control. */
static inline struct rule_side
dp_rule_last(const struct dp_rule *r)
{
    struct rule_act *a = dp_rule_act(r);

    if (a->flags & ACT_STAGED)
        return rule_stage_after(r, a);
    return (struct rule_side) { a, r->uid, dp_rule_cookie(r, a) };
}

#endif
