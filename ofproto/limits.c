/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/limits.h"

#include <string.h>

#include "ofproto/agent_priv.h"
#include "ofproto/oxm.h"

enum { GOTO_TABLE = 1, WRITE_METADATA, WRITE_ACTIONS, APPLY_ACTIONS,
       CLEAR_ACTIONS, METER, STAT_TRIGGER }; /* OFPIT_* */
enum { ACT_OUTPUT = 0, ACT_GROUP = 22 }; /* OFPAT_* */
#define BIT32(n) (1u << (n))

/* --------------------------------------------------------------------- all */

/* No egress table is gone to from an ingress one (1.5.1 §5.1.2). */
static void
all_next(struct ofp_limits_rule *r, uint8_t table, uint8_t egress)
{
    unsigned end = table < egress && egress < DP_N_TABLES ? egress
                                                          : DP_N_TABLES;

    for (unsigned t = table + 1u; t < end; t++)
        r->next[t / 64] |= UINT64_C(1) << t % 64;
    r->instructions = BIT32(WRITE_METADATA) | BIT32(WRITE_ACTIONS)
                      | BIT32(APPLY_ACTIONS) | BIT32(CLEAR_ACTIONS)
                      | BIT32(METER) | BIT32(STAT_TRIGGER);
    if (table + 1u < end)
        r->instructions |= BIT32(GOTO_TABLE);
}

static uint32_t
all_actions(void)
{
    uint32_t bits = 0;

    for (unsigned i = 0; i < ofp_n_actions; i++)
        if (ofp_actions[i]->type13 >= 0)
            bits |= BIT32(ofp_actions[i]->type13);
    return bits;
}

void
ofp_limits_all(struct ofp_limits *l, uint8_t table, uint8_t egress)
{
    uint64_t set = 0, fields = (UINT64_C(1) << N_FLOW_FIELDS) - 1;
    struct ofp_limits_rule *r = &l->rule[0];

    memset(l, 0, sizeof *l);
    l->match = l->wildcards = fields;
    for (unsigned i = 0; i < N_FLOW_FIELDS; i++) {
        l->masks |= (uint64_t) flow_fields[i].maskable << i;
        set |= (uint64_t) !!flow_fields[i].settable << i;
    }
    l->metadata_match = l->metadata_write = UINT64_MAX;
    l->capabilities = OFP_TC_EVICTION | OFP_TC_VACANCY;
    all_next(r, table, egress);
    r->write_actions = r->apply_actions = all_actions();
    /* 1.5.1 §5.1.2: in an egress table's action set the output stays. */
    if (table >= egress)
        r->write_actions &= ~(BIT32(ACT_OUTPUT) | BIT32(ACT_GROUP));
    r->write_set = r->apply_set = set;
    r->write_copy = r->apply_copy = fields;
    l->rule[1] = *r;
}

static void
clip_rule(struct ofp_limits_rule *r, const struct ofp_limits_rule *all)
{
    r->instructions &= all->instructions;
    r->write_actions &= all->write_actions;
    r->apply_actions &= all->apply_actions;
    r->write_set &= all->write_set;
    r->apply_set &= all->apply_set;
    r->write_copy &= all->write_copy;
    r->apply_copy &= all->apply_copy;
    for (unsigned i = 0; i < WEFT_ARRAY_LEN(r->next); i++)
        r->next[i] &= all->next[i];
}

void
ofp_limits_clip(struct ofp_limits *l, const struct ofp_limits *all)
{
    l->match &= all->match;
    l->masks &= l->match & all->masks;
    l->wildcards &= all->wildcards;
    l->metadata_match &= all->metadata_match;
    l->metadata_write &= all->metadata_write;
    l->capabilities &= all->capabilities;
    clip_rule(&l->rule[0], &all->rule[0]);
    clip_rule(&l->rule[1], &all->rule[1]);
}

/* ------------------------------------------------------------------- check */

static enum ofp_err
check_match(const struct ofp_limits *l, const struct flow_match *m)
{
    uint64_t masked, fields = ofp_oxm_fields(m, &masked);

    if (fields & ~l->match)
        return OFP_ERR_MATCH_BAD_FIELD;
    if (masked & ~l->masks
        || be64_to(m->mask.metadata) & ~l->metadata_match)
        return OFP_ERR_MATCH_BAD_MASK;
    /* "Unsupported combination of fields masked or omitted." */
    return l->match & ~l->wildcards & ~fields ? OFP_ERR_MATCH_BAD_WILDCARDS
                                              : OFP_OK;
}

static enum ofp_err
check_actions(const struct dp_op_list *ops, uint32_t actions, uint64_t set,
              uint64_t copy)
{
    const struct dp_op *op;

    OFP_OP_FOR(op, ops) {
        struct dp_copy_field cf;

        if (!(actions >> ofp_action_type(op) & 1))
            return OFP_ERR_ACT_BAD_TYPE;
        if (op->code == DP_OP_SET_FIELD && !(set >> op->aux & 1))
            return OFP_ERR_ACT_BAD_SET_TYPE;
        if (op->code != DP_OP_COPY_FIELD)
            continue;
        memcpy(&cf, op->data, sizeof cf);
        if (!(copy >> cf.src & 1) || !(copy >> cf.dst & 1))
            return OFP_ERR_ACT_BAD_SET_TYPE;
    }
    return OFP_OK;
}

static uint32_t
instructions_of(const struct ofp_flow_mod *fm)
{
    const struct dp_instr *in = &fm->instr;

    return BIT32(GOTO_TABLE) * (in->goto_table != DP_NO_TABLE)
           | BIT32(WRITE_METADATA) * (in->metadata_mask != 0)
           | BIT32(WRITE_ACTIONS) * (in->write.n_words != 0)
           | BIT32(APPLY_ACTIONS) * (in->apply.n_words != 0)
           | BIT32(CLEAR_ACTIONS) * in->clear
           | BIT32(METER) * (in->meter != 0)
           | BIT32(STAT_TRIGGER) * fm->trigger.on;
}

/* 1.0 has no instructions: its actions are just done. */
static enum ofp_err
check_instr(const struct ofp_limits *l, const struct ofp_limits_rule *r,
            const struct ofp_flow_mod *fm)
{
    const struct dp_instr *in = &fm->instr;
    enum ofp_err err;

    if (!fm->of10 && instructions_of(fm) & ~r->instructions)
        return OFP_ERR_INS_UNSUPPORTED;
    if (in->goto_table != DP_NO_TABLE && !ofp_limits_next(r, in->goto_table))
        return OFP_ERR_INS_BAD_TABLE_ID;
    if (in->metadata_mask & ~l->metadata_write)
        return OFP_ERR_INS_UNSUP_METADATA_MASK;
    err = check_actions(&in->apply, r->apply_actions, r->apply_set,
                        r->apply_copy);
    return err ? err
               : check_actions(&in->write, r->write_actions, r->write_set,
                               r->write_copy);
}

enum ofp_err
ofp_limits_check(const struct ofp_bridge *b, const struct ofp_flow_mod *fm)
{
    uint8_t table = fm->f.table, next = fm->instr.goto_table;
    const struct ofp_limits *l = b->tables.table[table].limits;
    struct ofp_limits all;
    enum ofp_err err = OFP_OK;
    uint64_t masked;
    bool miss;

    if (next != DP_NO_TABLE && b->tables.table[next].absent)
        return OFP_ERR_INS_BAD_TABLE_ID;
    if (!l) {
        if (table < b->compile.egress)
            return OFP_OK;
        ofp_limits_all(&all, table, b->compile.egress);
        l = &all;
    }
    /* A table-miss rule is always there to be had (§5.4). */
    miss = !fm->priority && !ofp_oxm_fields(&fm->f.match, &masked);
    if (fm->command == OFP_FC_ADD && !miss)
        err = check_match(l, &fm->f.match);
    return err ? err : check_instr(l, &l->rule[miss], fm);
}
