/* SPDX-License-Identifier: Apache-2.0 */
/* dp_trace: the bridge's rules, given to the reference interpreter. */
#include <errno.h>
#include <stdlib.h>

#include "datapath/dp_priv.h"
#include "datapath/interp.h"
#include "datapath/stage_fast.h"
#include "utils/base/mem.h"

static struct dp_op_list
ops_at(const uint64_t *words, uint32_t n)
{
    return (struct dp_op_list) {
        .ops = n ? (const struct dp_op *) (const void *) words : NULL,
        .n_words = n,
    };
}

static struct interp_rule
rule_describe(const struct dp_rule *r)
{
    const struct rule_act *a = rule_act_at(r->act, r->table->br->gen);
    struct interp_rule out = {
        .table = r->table->id,
        .priority = r->tr.priority,
        .cookie = a->cookie,
        .instr = {
            .apply = ops_at(a->words, a->n_apply),
            .write = ops_at(a->words + a->n_apply, a->n_write),
            .clear = a->flags & ACT_CLEAR,
            .goto_table = a->goto_table,
        },
    };

    if (a->flags & ACT_METADATA) {
        out.instr.metadata = a->words[a->n_apply + a->n_write];
        out.instr.metadata_mask = a->words[a->n_apply + a->n_write + 1];
    }
    dp_rule_get_match(r, &out.match);
    return out;
}

int
dp_trace(struct dp_bridge *br, uint32_t in_port, const struct pkt_tunnel *tun,
         const uint8_t *data, size_t len, char *text, size_t size)
{
    struct interp_pipeline pl = { .n_rules = 0 };
    struct interp_rule *rules;
    struct interp_result res;
    struct dp_rule *r;
    size_t n = 0;

    if (len < 14 || len > 65535)
        return -EINVAL;
    BASE_LIST_FOR (r, &br->rules, node)
        n++;
    rules = base_xcalloc(n + 1, sizeof *rules);
    BASE_LIST_FOR (r, &br->rules, node)
        if (rule_act_at(r->act, br->gen)) /* Not of a transaction to come. */
            rules[pl.n_rules++] = rule_describe(r);
    for (unsigned i = 0; i < DP_N_TABLES; i++)
        pl.miss[i] = br->tables[i].miss;
    pl.rules = rules;
    interp_run(&pl, in_port, tun, data, len, &res, text, size);
    interp_result_fini(&res);
    free(rules);
    return 0;
}
