/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions: changes of rules that packets see all at once.
 *
 * A changed rule publishes a stand-in (stage_fast.h) until the transaction
 * ends.  Stand-ins come from chunks that are freed as a whole after a grace
 * period; beside being read by workers they are the list of what was done. */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/dp_priv.h"
#include "datapath/stage_fast.h"
#include "utils/base/mem.h"

#define CHUNK 512u /* Stand-ins. */
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

struct rule_act *
dp_stage_new(struct dp_bridge *br, struct dp_rule *r,
             const struct rule_side *before, const struct rule_side *after)
{
    struct dp_txn *txn = br->txn;
    size_t chunk = txn->n / CHUNK;
    struct rule_act *a;

    assert(!txn->committed);
    if (chunk == txn->n_chunks) {
        if (!(chunk & (chunk - 1))) /* Room for twice as many. */
            txn->chunks = base_xrealloc(
                txn->chunks, (chunk ? 2 * chunk : 1) * sizeof *txn->chunks);
        txn->chunks[txn->n_chunks++] =
            base_xmalloc(CHUNK * sizeof *txn->chunks[0]);
    }
    a = (struct rule_act *) (void *)
            txn->chunks[chunk][txn->n++ % CHUNK].words;
    *a = (struct rule_act) { .flags = ACT_STAGED, .goto_table = 0 };
    if (before->act)
        a->code = before->act->code;
    *rule_act_stage(a) = (struct rule_stage) { txn, r, *before, *after };
    return a;
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

    for (size_t i = 0; i < txn->n_chunks; i++)
        free(txn->chunks[i]);
    free(txn->chunks);
    free(txn);
}

/* Calls 'end' for up to 'n' rules.  True: there are more. */
static bool
txn_end(struct dp_bridge *br, void (*end)(struct dp_rule *), unsigned n)
{
    struct dp_txn *txn = br->txn;

    for (; txn->at < txn->n && n; txn->at++, n--) {
        const struct dp_stage *s = &txn->chunks[txn->at / CHUNK]
                                               [txn->at % CHUNK];

        end(rule_act_stage((const void *) s->words)->rule);
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
        const struct dp_stage *s = &txn->chunks[i / CHUNK][i % CHUNK];
        const struct dp_rule *r =
            rule_act_stage((const void *) s->words)->rule;

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
