/* SPDX-License-Identifier: Apache-2.0 */
/* dp_trace: the bridge's rules, given to the reference interpreter. */
#include <errno.h>
#include <stdlib.h>

#include "datapath/dp_priv.h"
#include "datapath/interp.h"
#include "datapath/stage_fast.h"
#include "utils/base/mem.h"

/* Rules as the interpreter wants them. */
struct rule_list {
    struct interp_rule *rules;
    size_t n;
    uint32_t gen; /* Of the bridge: rules as it has them. */
};

static void
rule_describe(void *arg, struct tbl_rule *tr)
{
    const struct dp_rule *r = dp_rule_of(tr);
    struct rule_list *l = arg;
    struct interp_rule *out;
    struct rule_side side = dp_rule_side(r, l->gen);

    if (!side.act) /* Of a transaction to come. */
        return;
    out = &l->rules[l->n++];
    out->table = dp_rule_table(r);
    out->priority = tr->priority;
    out->cookie = side.cookie;
    act_view(side.act, &out->instr);
    dp_rule_get_match(r, &out->match);
}

int
dp_trace(struct dp_bridge *br, uint32_t in_port, const struct pkt_tunnel *tun,
         const uint8_t *data, size_t len, char *text, size_t size)
{
    struct interp_pipeline pl = { .n_rules = 0 };
    struct rule_list l = { .gen = br->gen };
    struct interp_result res;
    size_t n = 0;

    if (len < 14 || len > 65535)
        return -EINVAL;
    for (unsigned i = 0; i < DP_N_TABLES; i++) {
        n += br->tables[i].n_rules;
        pl.miss[i] = br->tables[i].miss;
    }
    l.rules = base_xcalloc(n + 1, sizeof *l.rules);
    dp_bridge_each_rule(br, rule_describe, &l);
    pl.rules = l.rules;
    pl.n_rules = l.n;
    interp_run(&pl, in_port, tun, data, len, &res, text, size);
    interp_result_fini(&res);
    free(l.rules);
    return 0;
}
