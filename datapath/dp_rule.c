/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: instructions compiled when they arrive, kept beside match and
 * counters in one piece of memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/dp_priv.h"
#include "datapath/stage_fast.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"

/* Room for the program of one rule: its ops with context, and the end. */
#define FLAT_MAX PROG_MAX_WORDS

struct dp_rule_mem {
    size_t counters; /* Bytes in front of struct dp_rule. */
    size_t rule;     /* With values. */
};

static struct dp_rule_mem
rule_mem(const struct dp *dp, unsigned n_values)
{
    return (struct dp_rule_mem) {
        .counters = dp->n_workers * sizeof(struct rule_counter),
        .rule = sizeof(struct dp_rule) + n_values * 8u,
    };
}

/* Start of the allocation that 'r' is in. */
static void *
rule_base(const struct dp *dp, struct dp_rule *r)
{
    return (char *) r - rule_mem(dp, 0).counters;
}

/* ------------------------------------------------------------- instructions */

static int
instr_check(const struct dp_instr *in, uint8_t table, uint8_t *flags)
{
    uint8_t write_flags = 0;
    int err;

    if (in->meter)
        return -EOPNOTSUPP;
    if (in->goto_table != DP_NO_TABLE
        && (in->goto_table <= table || in->goto_table >= DP_N_TABLES))
        return -EINVAL;
    if (in->apply.n_words > PROG_MAX_WORDS / 8
        || in->write.n_words > PROG_MAX_WORDS / 8)
        return -EINVAL;
    err = prog_check_ops(&in->apply, false, flags);
    if (!err)
        err = prog_check_ops(&in->write, false, &write_flags);
    if (in->clear)
        *flags |= ACT_CLEAR;
    if (in->metadata_mask)
        *flags |= ACT_METADATA;
    return err;
}

/* Fills all but the program; returns the number of words. */
static unsigned
act_fill(struct rule_act *a, const struct dp_instr *in, uint64_t cookie,
         uint8_t flags)
{
    uint64_t *words = a->words;
    unsigned n = 0;

    a->cookie = cookie;
    a->flags = flags;
    a->goto_table = in->goto_table;
    a->n_apply = (uint16_t) in->apply.n_words;
    a->n_write = (uint16_t) in->write.n_words;
    if (a->n_apply)
        memcpy(words, in->apply.ops, 8u * a->n_apply);
    n += a->n_apply;
    if (a->n_write)
        memcpy(words + n, in->write.ops, 8u * a->n_write);
    n += a->n_write;
    if (flags & ACT_METADATA) {
        words[n++] = in->metadata & in->metadata_mask;
        words[n++] = in->metadata_mask;
    }
    return n;
}

/* The program of a rule that ends the pipeline in table 0, folded into
 * 'flat'; its number of words, 0: none. */
static int
act_fold_flat(const struct rule_act *a, uint8_t table, uint64_t *flat)
{
    const struct prog_path p = { .acts = &a, .tables = &table, .n = 1,
                                 .flat = true };

    if (table || a->goto_table != DP_NO_TABLE)
        return 0;
    return prog_fold(&p, flat, FLAT_MAX);
}

/* A compiled act on the stack of the caller, before its place is known. */
struct act_build {
    struct rule_act *act; /* In 'mem', without the program. */
    uint64_t mem[sizeof(struct rule_act) / 8 + FLAT_MAX / 4 + 2];
    uint64_t flat[FLAT_MAX];
    unsigned n, n_flat;
    bool share; /* The program's ops are the apply list itself. */
};

/* 'table' decides whether there is a flat program. */
static int
act_build(struct act_build *b, struct dp_rule *rule, uint8_t table,
          const struct dp_instr *in, uint64_t cookie, uint8_t flags)
{
    int n;

    b->act = (struct rule_act *) (void *) b->mem;
    memset(b->act, 0, sizeof *b->act);
    b->act->rule = rule;
    b->n = act_fill(b->act, in, cookie, flags);
    n = act_fold_flat(b->act, table, b->flat);
    if (n < 0)
        return -EINVAL; /* Longer than a program may be. */
    b->n_flat = (unsigned) n;
    b->share = b->n_flat == in->apply.n_words
               && !memcmp(b->flat, b->act->words, 8u * b->n_flat);
    return 0;
}

static size_t
act_size(const struct act_build *b)
{
    size_t n = b->n;

    if (b->n_flat)
        n += sizeof(struct prog) / 8 + 1 + (b->share ? 0 : b->n_flat);
    return sizeof(struct rule_act) + 8 * n;
}

static void
act_place(const struct act_build *b, struct rule_act *a, struct dp_rule *rule)
{
    struct prog *p;

    memcpy(a, b->act, sizeof *a + 8u * b->n);
    a->rule = rule;
    if (!b->n_flat)
        return;
    /* Never 0: the ops of any program are at least one word, and those that
     * are not shared follow the struct. */
    p = (struct prog *) (void *) (a->words + b->n);
    a->prog_off = (uint16_t) b->n;
    p->n_words = b->n_flat;
    p->n_credits = 1;
    p->credits[0] = (prog_credit) rule;
    p->ops = a->words;
    if (!b->share) {
        uint64_t *ops = (uint64_t *) (void *) (p->credits + 1);

        memcpy(ops, b->flat, 8u * b->n_flat);
        p->ops = ops;
    }
}

/* -------------------------------------------------------------------- rules */

static void
table_defer(void *arg, void (*fn)(void *), void *p)
{
    rcu_defer(arg, fn, p);
}

static int
table_ready(struct dp_bridge *br, uint8_t table)
{
    struct dp_table *t = &br->tables[table];
    const struct tbl_env env = { .defer = table_defer, .arg = br->dp->rcu,
                                 .seed = br->dp->seed };
    struct tbl *tbl;

    if (t->tbl)
        return 0;
    tbl = tbl_create(&env);
    if (!tbl)
        return -ENOMEM;
    BASE_NEW(t->mask);
    dp_publish(&t->tbl, tbl);
    return 0;
}

static void
table_changed(struct dp_table *t)
{
    t->br->dirty = true;
    t->union_dirty = true;
}

/* Actions that look at VLAN tags or fragments widen the caches' key. */
static void
key_act_add(struct dp_bridge *br, uint8_t flags)
{
    struct flow_key m;

    memset(&m, 0, sizeof m);
    if (flags & ACT_VLAN && !br->n_vlan_acts++) {
        m.vlan_tci = be16_from(FLOW_VLAN_PRESENT);
        m.nw_flags = FLOW_NW_MORE_VLAN;
    }
    if (flags & ACT_FRAG && !br->n_frag_acts++)
        m.nw_flags |= FLOW_NW_FRAG_LATER;
    dp_bridge_need_mask(br, &m);
}

static void
key_act_del(struct dp_bridge *br, uint8_t flags)
{
    br->n_vlan_acts -= (flags & ACT_VLAN) != 0;
    br->n_frag_acts -= (flags & ACT_FRAG) != 0;
}

/* Memory for a rule with its match and act, holding a reference to its mask;
 * NULL: there is none.  It is in no table yet. */
static struct dp_rule *
rule_new(struct dp_table *t, uint16_t priority,
         const struct flow_match *match, const struct act_build *b)
{
    const struct dp *dp = t->br->dp;
    const struct tbl_mask *mask = tbl_mask_get(t->tbl, &match->mask);
    struct dp_rule_mem mem;
    struct dp_rule *r;
    uint32_t map;
    char *base;

    if (!mask)
        return NULL;
    map = tbl_mask_words(mask);
    mem = rule_mem(dp, (unsigned) __builtin_popcount(map));
    base = calloc(1, mem.counters + mem.rule + act_size(b));
    if (!base) {
        tbl_mask_put(t->tbl, mask);
        return NULL;
    }
    r = (struct dp_rule *) (void *) (base + mem.counters);
    r->table = t;
    r->tr.mask = mask;
    r->tr.priority = priority;
    r->tr.n_values = (uint16_t) flow_key_pack(&match->key, &match->mask, map,
                                              r->tr.values);
    r->act = (struct rule_act *) (void *) (base + mem.counters + mem.rule);
    act_place(b, r->act, r);
    return r;
}

/* An act that no worker reads and no cache leads to any more: at once, or
 * after a grace period. */
static void
act_free(struct dp_rule *r, struct rule_act *a, bool was_seen)
{
    if (!a)
        return;
    key_act_del(r->table->br, a->flags);
    if (!(a->flags & ACT_OWN))
        return;
    if (was_seen)
        rcu_defer_held(r->table->br->dp->rcu, free, a);
    else
        free(a);
}

/* Stages what the rule does after the transaction; 'before' is what it
 * publishes, NULL for a new one. */
static void
stage_act(struct dp_rule *r, struct rule_act *before, struct rule_act *after)
{
    struct rule_stage *s;

    if (!before || !(before->flags & ACT_STAGED)) {
        dp_publish(&r->act, dp_stage_new(r, before, after));
        return;
    }
    s = rule_act_stage(before);
    act_free(r, s->after, false);
    dp_publish(&s->after, after);
}

int
dp_rule_add(struct dp_bridge *br, uint8_t table, uint16_t priority,
            const struct flow_match *match, const struct dp_instr *in,
            uint64_t cookie, struct dp_rule **out)
{
    struct act_build b;
    struct dp_rule *r;
    uint8_t flags = 0;
    int err;

    if (table >= DP_N_TABLES)
        return -EINVAL;
    err = instr_check(in, table, &flags);
    if (!priority && !flow_mask_words(&match->mask))
        flags |= ACT_MISS;
    if (!err)
        err = table_ready(br, table);
    if (!err)
        err = act_build(&b, NULL, table, in, cookie, flags);
    if (err)
        return err;
    b.act->uid = ++br->dp->next_uid;
    r = rule_new(&br->tables[table], priority, match, &b);
    if (!r)
        return -ENOMEM;

    dp_bridge_need_mask(br, &match->mask);
    key_act_add(br, flags);
    if (br->txn)
        stage_act(r, NULL, r->act);
    err = tbl_insert(r->table->tbl, &r->tr);
    if (err) {
        dp_stage_forget(r);
        key_act_del(br, flags);
        tbl_mask_put(r->table->tbl, r->tr.mask);
        free(rule_base(br->dp, r));
        return err;
    }
    r->table->n_rules++;
    table_changed(r->table);
    base_list_add_tail(&br->rules, &r->node);
    *out = r;
    return 0;
}

int
dp_rule_set(struct dp_rule *r, const struct dp_instr *in, uint64_t cookie)
{
    struct dp_table *t = r->table;
    struct rule_act *old = r->act, *a;
    struct act_build b;
    uint8_t flags = 0;
    int err = instr_check(in, t->id, &flags);

    if (dp_rule_is_miss(r))
        flags |= ACT_MISS;
    if (!err)
        err = act_build(&b, r, t->id, in, cookie, flags);
    if (err)
        return err;
    a = malloc(act_size(&b));
    if (!a)
        return -ENOMEM;
    b.act->uid = ++t->br->dp->next_uid;
    b.act->flags |= ACT_OWN;
    act_place(&b, a, r);
    key_act_add(t->br, flags);
    if (t->br->txn) {
        stage_act(r, old, a);
        return 0;
    }
    dp_publish(&r->act, a);
    act_free(r, old, true);
    t->br->dirty = true;
    return 0;
}

/* Takes the rule out of the table; its acts are done with. */
static void
rule_drop(struct dp_rule *r)
{
    struct dp_table *t = r->table;
    struct dp *dp = t->br->dp;

    tbl_remove(t->tbl, &r->tr);
    t->n_rules--;
    table_changed(t);
    base_list_del(&r->node);
    tbl_mask_put(t->tbl, r->tr.mask);
    if (r->reset) {
        dp->resets[r->reset].packets = dp->free_reset;
        dp->free_reset = r->reset;
    }
    rcu_defer_held(dp->rcu, free, rule_base(dp, r));
}

void
dp_rule_del(struct dp_rule *r)
{
    if (!r)
        return;
    if (r->table->br->txn) {
        stage_act(r, r->act, NULL);
        return;
    }
    act_free(r, r->act, true);
    rule_drop(r);
}

/* ------------------------------------------------------------ transactions */

void
dp_rule_settle(struct dp_rule *r)
{
    const struct rule_stage *s = rule_act_stage(r->act);
    struct rule_act *before = s->before, *after = s->after;

    act_free(r, before, true);
    if (after)
        dp_publish(&r->act, after);
    else
        rule_drop(r);
}

void
dp_rule_undo(struct dp_rule *r)
{
    const struct rule_stage *s = rule_act_stage(r->act);
    struct rule_act *before = s->before, *after = s->after;

    act_free(r, after, false);
    if (before)
        dp_publish(&r->act, before);
    else
        rule_drop(r);
}

static void
rule_sum(const struct dp_rule *r, uint64_t *packets, uint64_t *bytes)
{
    *packets = *bytes = 0;
    for (unsigned i = 0; i < r->table->br->dp->n_workers; i++) {
        *packets += dp_read(dp_rule_counter(r, i)->packets);
        *bytes += dp_read(dp_rule_counter(r, i)->bytes);
    }
}

void
dp_rule_get_stats(struct dp_rule *r, struct dp_stats *out)
{
    const struct dp *dp = r->table->br->dp;
    uint32_t used = dp_read(r->used);

    rule_sum(r, &out->packets, &out->bytes);
    if (r->reset) {
        out->packets -= dp->resets[r->reset].packets;
        out->bytes -= dp->resets[r->reset].bytes;
    }
    /* Not later than now: the worker's clock runs a little apart. */
    out->used_ns = used ? WEFT_MIN(dp->start_ns + (used - 1) * DP_TICK_NS,
                                   base_clock_ns())
                        : 0;
}

/* Counters have one writer, the worker: control remembers where they
 * stood. */
void
dp_rule_reset_stats(struct dp_rule *r)
{
    struct dp *dp = r->table->br->dp;

    if (!r->reset) {
        if (dp->free_reset) {
            r->reset = dp->free_reset;
            dp->free_reset = (uint32_t) dp->resets[r->reset].packets;
        } else {
            if (!dp->n_resets)
                dp->n_resets = 1; /* 0 means none. */
            dp->resets = base_xrealloc(
                dp->resets, (dp->n_resets + 1) * sizeof dp->resets[0]);
            r->reset = dp->n_resets++;
        }
    }
    rule_sum(r, &dp->resets[r->reset].packets, &dp->resets[r->reset].bytes);
}

void
dp_rule_get_match(const struct dp_rule *r, struct flow_match *m)
{
    m->mask = *tbl_mask_key(r->tr.mask);
    flow_key_unpack(&m->key, tbl_mask_words(r->tr.mask), r->tr.values);
}
