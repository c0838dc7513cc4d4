/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: match, counters and the caller's bytes in one piece of memory; what
 * they do is shared (dp_act.c). */
#include <errno.h>
#include <string.h>

#include "datapath/dp_priv.h"
#include "datapath/stage_fast.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"

static struct dp_table *
rule_table(const struct dp_rule *r)
{
    return tbl_mask_owner(r->tr.mask);
}

static struct act_kind
rule_kind(const struct dp_rule *r)
{
    return (struct act_kind) {
        .kind = (uint8_t) ((dp_rule_table(r) ? 0 : ACT_KIND_FLAT)
                           | (dp_rule_is_miss(r) ? ACT_KIND_MISS : 0)),
    };
}

/* ------------------------------------------------------------------- memory */

/* Bytes in front of struct dp_rule. */
static size_t
rule_front(const struct dp *dp)
{
    return dp->n_workers * sizeof(struct rule_counter) + DP_RULE_OWNER;
}

/* Start of the memory that 'r' is in. */
static void *
rule_base(const struct dp *dp, struct dp_rule *r)
{
    return (char *) r - rule_front(dp);
}

static struct dp_rule *
rule_alloc(struct dp_bridge *br, unsigned n_values)
{
    struct base_slab *s = &br->rules[n_values];
    size_t front = rule_front(br->dp);
    char *base;

    if (!s->size)
        base_slab_init(s, front + sizeof(struct dp_rule) + 8u * n_values);
    base = base_slab_get(s);
    if (!base)
        return NULL;
    memset(base, 0, front + sizeof(struct dp_rule));
    return (struct dp_rule *) (void *) (base + front);
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
                                 .seed = br->dp->seed, .owner = t };
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

/* 'r' has come or gone. */
static void
table_changed(struct dp_table *t, const struct dp_rule *r)
{
    dp_bridge_log(t->br, t->id, &r->tr);
    t->union_dirty = true;
}

/* A rule with its match, holding a reference to its mask; NULL: no memory. */
static struct dp_rule *
rule_new(struct dp_table *t, uint16_t priority,
         const struct flow_match *match)
{
    const struct tbl_mask *mask = tbl_mask_get(t->tbl, &match->mask);
    struct dp_rule *r;
    uint32_t map;

    if (!mask)
        return NULL;
    map = tbl_mask_words(mask);
    r = rule_alloc(t->br, (unsigned) __builtin_popcount(map));
    if (!r) {
        tbl_mask_put(t->tbl, mask);
        return NULL;
    }
    r->tr.mask = mask;
    r->tr.priority = priority;
    r->tr.tag = t->id;
    r->tr.n_values = (uint8_t) flow_key_pack(&match->key, &match->mask, map,
                                             r->tr.values);
    r->prog.kind = PROG_SELF;
    return r;
}

/* Of a rule that no worker has seen. */
static void
rule_abandon(struct dp_table *t, struct dp_rule *r)
{
    tbl_mask_put(t->tbl, r->tr.mask);
    base_slab_put(rule_base(t->br->dp, r));
}

/* Publishes another act.  Workers that meet the rule meanwhile see that 'uid'
 * is 0 or changes, and keep nothing of what they found.  Beside an act of no
 * cookie the rule's counts: see struct dp_rule when it may change. */
static void
rule_publish(struct dp_rule *r, const struct rule_side *s)
{
    __atomic_store_n(&r->uid, 0, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    if (!(s->act->kind & ACT_KIND_COOKIE))
        __atomic_store_n(&r->cookie, s->cookie, __ATOMIC_RELAXED);
    dp_publish(&r->prog.code, (const struct prog_code *) &s->act->code);
    dp_publish(&r->uid, s->uid);
}

/* Stages what the rule will be; takes over the reference to the act. */
static void
rule_stage(struct dp_bridge *br, struct dp_rule *r,
           const struct rule_side *after)
{
    struct rule_act *a = dp_rule_act(r);

    if (a->flags & ACT_STAGED) {
        struct rule_stage *s = rule_act_stage(a);

        if (s->after.act)
            act_put(br, s->after.act);
        if (rule_stage_is_shared(s)) {
            a = dp_stage_new(br, &s->before, after);
            dp_publish(&r->prog.code, (const struct prog_code *) &a->code);
        } else {
            s->after = *after;
        }
    } else {
        const struct rule_side before = dp_rule_last(r);

        a = dp_stage_new(br, &before, after);
        dp_stage_note(br, r);
        dp_publish(&r->prog.code, (const struct prog_code *) &a->code);
    }
}

/* Of rules of one priority and match, of which 'tr' is the first, the one
 * that does not go: in a transaction, others may still have its place. */
static struct dp_rule *
rule_staying(struct tbl_rule *tr)
{
    const struct tbl_rule *first = tr;

    for (; tr && tr->priority == first->priority; tr = tr->next)
        if (dp_rule_last(dp_rule_of(tr)).act)
            return dp_rule_of(tr);
    return NULL;
}

/* Inserts a new rule that does 'act'. */
static int
rule_insert(struct dp_table *t, struct dp_rule *r, struct rule_act *act,
            struct dp_rule **out)
{
    struct dp_bridge *br = t->br;
    struct tbl_rule *found;
    int err;

    if (br->txn) {
        act = dp_stage_added(br, act);
        dp_stage_note(br, r);
    }
    r->prog.code = &act->code;
    err = tbl_insert(t->tbl, &r->tr, &found);
    if (err == -EEXIST) {
        *out = rule_staying(found);
        if (!*out)
            err = tbl_insert(t->tbl, &r->tr, NULL);
    }
    if (err)
        dp_stage_forget(br, r);
    return err;
}

int
dp_rule_add(struct dp_bridge *br, uint8_t table, uint16_t priority,
            const struct flow_match *match, const struct dp_instr *in,
            uint64_t cookie, struct dp_rule **out)
{
    struct dp_table *t = &br->tables[table];
    struct rule_act *act;
    struct act_kind kind;
    struct dp_rule *r;
    int err;

    if (table >= DP_N_TABLES)
        return -EINVAL;
    err = table_ready(br, table);
    if (err)
        return err;
    r = rule_new(t, priority, match);
    if (!r)
        return -ENOMEM;
    r->uid = ++br->dp->next_uid;
    r->cookie = cookie;
    kind = rule_kind(r);
    err = act_get(br, table, &kind, in, &act);
    if (!err) {
        if (!tbl_mask_is_active(r->tr.mask))
            dp_bridge_need_mask(br, &match->mask);
        err = rule_insert(t, r, act, out);
        if (err)
            act_put(br, act);
    }
    if (err) {
        rule_abandon(t, r);
        return err;
    }
    t->n_rules++;
    table_changed(t, r);
    *out = r;
    return 0;
}

void
dp_rule_expect(struct dp_bridge *br, uint8_t table,
               const struct flow_match *match)
{
    if (table < DP_N_TABLES && br->tables[table].tbl)
        tbl_expect(br->tables[table].tbl, match);
}

struct dp_rule *
dp_rule_find(struct dp_bridge *br, uint8_t table, uint16_t priority,
             const struct flow_match *match)
{
    struct tbl_rule *tr = NULL;

    if (table < DP_N_TABLES && br->tables[table].tbl)
        tr = tbl_find(br->tables[table].tbl, priority, match);
    return rule_staying(tr);
}

int
dp_rule_set(struct dp_rule *r, const struct dp_instr *in, uint64_t cookie)
{
    struct dp_table *t = rule_table(r);
    struct dp_bridge *br = t->br;
    const struct rule_side old = dp_rule_last(r);
    struct rule_side side = { .cookie = cookie };
    struct act_kind kind = rule_kind(r);
    int err;

    if (br->txn) {
        err = act_get(br, t->id, &kind, in, &side.act);
    } else {
        if (cookie != r->cookie) {
            kind.kind |= ACT_KIND_COOKIE;
            kind.cookie = cookie;
        }
        err = act_get_after(br, t->id, &kind, old.act, in, &side.act);
    }
    if (err)
        return err;
    if (side.act == old.act && cookie == old.cookie) {
        act_put(br, side.act);
        return 0;
    }
    side.uid = ++br->dp->next_uid;
    if (br->txn) {
        rule_stage(br, r, &side);
        return 0;
    }
    rule_publish(r, &side);
    act_put(br, old.act);
    dp_bridge_log(br, t->id, &r->tr);
    return 0;
}

/* Takes the rule out of the table; its acts are done with. */
static void
rule_drop(struct dp_rule *r)
{
    struct dp_table *t = rule_table(r);
    struct dp_bridge *br = t->br;

    tbl_remove(t->tbl, &r->tr);
    t->n_rules--;
    table_changed(t, r);
    tbl_mask_put(t->tbl, r->tr.mask);
    if (r->tr.user) {
        br->resets[r->tr.user].packets = br->free_reset;
        br->free_reset = r->tr.user;
    }
    rcu_defer_held(br->dp->rcu, base_slab_put, rule_base(br->dp, r));
}

void
dp_rule_del(struct dp_rule *r)
{
    static const struct rule_side nothing = { .act = NULL };
    struct dp_bridge *br;

    if (!r)
        return;
    br = rule_table(r)->br;
    if (br->txn) {
        rule_stage(br, r, &nothing);
        return;
    }
    act_put(br, dp_rule_act(r));
    rule_drop(r);
}

void
dp_rule_settle(struct dp_rule *r)
{
    const struct rule_stage *s = rule_act_stage(dp_rule_act(r));

    if (s->before.act)
        act_put(rule_table(r)->br, s->before.act);
    if (rule_stage_is_shared(s)) /* uid and cookie are what they were. */
        dp_publish(&r->prog.code,
                   (const struct prog_code *) &s->after.act->code);
    else if (s->after.act)
        rule_publish(r, &s->after);
    else
        rule_drop(r);
}

void
dp_rule_undo(struct dp_rule *r)
{
    const struct rule_stage *s = rule_act_stage(dp_rule_act(r));

    if (s->after.act)
        act_put(rule_table(r)->br, s->after.act);
    if (s->before.act)
        rule_publish(r, &s->before);
    else
        rule_drop(r);
}

/* What control says of a rule: as it will be, or, if it goes, as it was. */
static struct rule_side
rule_said(const struct dp_rule *r)
{
    struct rule_side s = dp_rule_last(r);

    return s.act ? s : rule_act_stage(dp_rule_act(r))->before;
}

void
dp_rule_get(const struct dp_rule *r, struct dp_rule_info *out)
{
    *out = (struct dp_rule_info) {
        .mask = tbl_mask_key(r->tr.mask),
        .values = r->tr.values,
        .words = tbl_mask_words(r->tr.mask),
        .priority = r->tr.priority,
        .table = dp_rule_table(r),
        .cookie = rule_said(r).cookie,
    };
}

void
dp_rule_get_instr(const struct dp_rule *r, struct dp_instr *in)
{
    act_view(rule_said(r).act, in);
}

void
dp_bridge_each_rule(const struct dp_bridge *br, tbl_rule_cb *cb, void *arg)
{
    for (unsigned i = 0; i < DP_N_TABLES; i++)
        if (br->tables[i].tbl)
            tbl_each(br->tables[i].tbl, cb, arg);
}

/* --------------------------------------------------------------- statistics */

static void
rule_sum(const struct dp *dp, const struct dp_rule *r, uint64_t *packets,
         uint64_t *bytes)
{
    *packets = *bytes = 0;
    for (unsigned i = 0; i <= dp->n_workers; i++) {
        *packets += dp_read(dp_rule_counter(r, i)->packets);
        *bytes += dp_read(dp_rule_counter(r, i)->bytes);
    }
}

void
dp_rule_get_stats(struct dp_rule *r, struct dp_stats *out)
{
    const struct dp_bridge *br = rule_table(r)->br;
    uint32_t used;

    tally_fresh(br->dp);
    used = dp_read(r->prog.used);
    rule_sum(br->dp, r, &out->packets, &out->bytes);
    if (r->tr.user) {
        out->packets -= br->resets[r->tr.user].packets;
        out->bytes -= br->resets[r->tr.user].bytes;
    }
    /* Not later than now: the worker's clock runs a little apart. */
    out->used_ns = used ? WEFT_MIN(br->dp->start_ns + (used - 1) * DP_TICK_NS,
                                   base_clock_ns())
                        : 0;
}

/* Counters have one writer, the worker: control remembers where they
 * stood. */
void
dp_rule_reset_stats(struct dp_rule *r)
{
    struct dp_bridge *br = rule_table(r)->br;
    uint32_t *at = &r->tr.user;

    if (!*at) {
        if (br->free_reset) {
            *at = br->free_reset;
            br->free_reset = (uint32_t) br->resets[*at].packets;
        } else {
            if (!br->n_resets)
                br->n_resets = 1; /* 0 means none. */
            br->resets = base_xrealloc(
                br->resets, (br->n_resets + 1) * sizeof br->resets[0]);
            *at = br->n_resets++;
        }
    }
    tally_fresh(br->dp);
    rule_sum(br->dp, r, &br->resets[*at].packets, &br->resets[*at].bytes);
}

void
dp_rule_get_match(const struct dp_rule *r, struct flow_match *m)
{
    m->mask = *tbl_mask_key(r->tr.mask);
    flow_key_unpack(&m->key, tbl_mask_words(r->tr.mask), r->tr.values);
}
