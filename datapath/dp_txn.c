/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions: changes of rules that packets see all at once.
 *
 * A changed rule publishes a stand-in (stage_fast.h) until the transaction
 * ends; those of new rules are shared.  Stand-ins and the list of the rules
 * that were changed come from chunks that are freed as a whole after a grace
 * period. */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/dp_priv.h"
#include "datapath/stage_fast.h"
#include "utils/base/hmap.h"
#include "utils/base/mem.h"

#define STAGES 512u /* In a chunk. */
#define RULES 4096u
#define AHEAD 8    /* Rules, to be in the cache when their turn comes. */
/* Changes that are worth telling apart, and take no more than 0.2 ms. */
#define LOG_MAX 4096u

int
dp_txn_begin(struct dp_bridge *br)
{
    if (br->txn)
        return -EBUSY;
    BASE_NEW(br->txn);
    return 0;
}

/* Room for one more, 'n' being there. */
static void *
chunks_room(struct dp_chunks *c, size_t n, size_t per_chunk, size_t size)
{
    size_t chunk = n / per_chunk;

    if (chunk == c->n) {
        if (!(chunk & (chunk - 1))) /* Room for twice as many. */
            c->p = base_xrealloc(c->p, (chunk ? 2 * chunk : 1)
                                           * sizeof c->p[0]);
        c->p[c->n++] = base_xmalloc(per_chunk * size);
    }
    return (char *) c->p[chunk] + n % per_chunk * size;
}

static void
chunks_free(struct dp_chunks *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->p[i]);
    free(c->p);
}

struct rule_act *
dp_stage_new(struct dp_bridge *br, const struct rule_side *before,
             const struct rule_side *after)
{
    struct dp_txn *txn = br->txn;
    struct dp_stage *stage;
    struct rule_act *a;

    assert(!txn->committed);
    stage = chunks_room(&txn->stages, txn->n_stages, STAGES, sizeof *stage);
    txn->n_stages++;
    a = (struct rule_act *) (void *) stage->words;
    *a = (struct rule_act) { .flags = ACT_STAGED, .goto_table = 0 };
    if (before->act)
        a->code = before->act->code;
    *rule_act_stage(a) = (struct rule_stage) { txn, *before, *after };
    return a;
}

struct rule_act *
dp_stage_added(struct dp_bridge *br, struct rule_act *act)
{
    static const struct rule_side nothing = { .act = NULL };
    const struct rule_side side = { .act = act };
    struct rule_act **a = &br->txn->added[base_hash_mix(0, (uintptr_t) act)
                                          % DP_TXN_ADDED];

    if (!*a || rule_act_stage(*a)->after.act != act)
        *a = dp_stage_new(br, &nothing, &side);
    return *a;
}

static struct dp_rule **
txn_rule(const struct dp_txn *txn, size_t i)
{
    return (struct dp_rule **) txn->rules.p[i / RULES] + i % RULES;
}

void
dp_stage_note(struct dp_bridge *br, struct dp_rule *r)
{
    struct dp_txn *txn = br->txn;
    struct dp_rule **place = chunks_room(&txn->rules, txn->n, RULES,
                                         sizeof(struct dp_rule *));

    *place = r;
    txn->n++;
}

void
dp_stage_forget(struct dp_bridge *br, const struct dp_rule *r)
{
    if (dp_rule_act(r)->flags & ACT_STAGED)
        br->txn->n--;
}

static void
txn_free(void *p)
{
    struct dp_txn *txn = p;

    chunks_free(&txn->stages);
    chunks_free(&txn->rules);
    free(txn);
}

/* Calls 'end' for up to 'n' rules.  True: there are more. */
static bool
txn_end(struct dp_bridge *br, void (*end)(struct dp_rule *), unsigned n)
{
    struct dp_txn *txn = br->txn;

    for (; txn->at < txn->n && n; txn->at++, n--) {
        if (txn->at + AHEAD < txn->n)
            __builtin_prefetch(*txn_rule(txn, txn->at + AHEAD), 1);
        end(*txn_rule(txn, txn->at));
    }
    if (txn->at < txn->n)
        return true;
    br->txn = NULL;
    rcu_defer(br->dp->rcu, txn_free, txn);
    return false;
}

/* What the transaction changes, into the log. */
static void
txn_log(struct dp_bridge *br)
{
    const struct dp_txn *txn = br->txn;

    if (txn->n > LOG_MAX) {
        br->dirty = true;
        return;
    }
    for (size_t i = 0; i < txn->n; i++) {
        const struct dp_rule *r = *txn_rule(txn, i);

        dp_bridge_log(br, dp_rule_table(r), &r->tr);
    }
}

void
dp_txn_commit(struct dp_bridge *br)
{
    struct dp_txn *txn = br->txn;

    assert(txn && !txn->committed);
    txn_log(br);
    __atomic_store_n(&txn->gen, br->gen + 1, __ATOMIC_RELAXED);
    dp_publish(&txn->committed, 1);
    br->dirty_rules = true;
}

bool
dp_txn_settle(struct dp_bridge *br, unsigned n)
{
    assert(br->txn && br->txn->committed);
    return txn_end(br, dp_rule_settle, n);
}

bool
dp_txn_abort(struct dp_bridge *br, unsigned n)
{
    assert(br->txn && !br->txn->committed);
    return txn_end(br, dp_rule_undo, n);
}

void
dp_txn_drop(struct dp_bridge *br)
{
    if (br->txn->committed) {
        rcu_wait(br->dp->rcu); /* For who still works by what was before. */
        (void) txn_end(br, dp_rule_settle, UINT_MAX);
    } else {
        (void) txn_end(br, dp_rule_undo, UINT_MAX);
    }
}
