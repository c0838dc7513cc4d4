/* SPDX-License-Identifier: Apache-2.0 */
/* How a transaction's changes of rules are undone and made good: what the
 * agent keeps; instructions and cookies are staged by the datapath. */
#include "ofproto/agent_priv.h"

#include <stdlib.h>

#include "utils/base/mem.h"

/* ------------------------------------------------------------------- added */

struct added {
    struct ofp_rule *r;
    /* A copy: a rule that came and went in one transaction does nothing any
     * more.  NULL: there was no group that it could name. */
    struct dp_instr *instr;
};

static void
added_undo(struct ofp_bridge *b, void *rec)
{
    struct added *a = rec;

    if (a->instr)
        ofp_groups_count(&b->groups, a->instr, -1);
    ofp_trigger_set(b, a->r, &(struct ofp_trigger) { 0 });
    ofp_evict_forget(b, a->r);
    ofp_timers_del(&b->timers, a->r);
    ofp_rule_unlink(&b->tables, a->r);
    b->stats.n_rules = b->tables.n_rules;
}

static void
added_done(struct ofp_bridge *b, void *rec)
{
    ofp_monitor_rule(b, ((struct added *) rec)->r, OFP_RULE_ADDED, 0, NULL);
}

static void
added_free(void *rec)
{
    struct added *a = rec;

    if (a->instr)
        ofp_instr_fini(a->instr);
    free(a->instr);
}

static const struct ofp_txn_ops added_ops = {
    .size = sizeof(struct added),
    .undo = added_undo,
    .done = added_done,
    .free = added_free,
};

void
ofp_txn_rule_added(struct ofp_bridge *b, struct ofp_rule *r)
{
    struct added *a = ofp_txn_log(b, &added_ops);
    struct dp_instr in;

    a->r = r;
    if (!b->groups.n)
        return;
    ofp_rule_instr(r, &in);
    a->instr = base_xmalloc(sizeof *a->instr);
    ofp_instr_copy(a->instr, &in);
}

/* ----------------------------------------------------------------- changed */

struct changed {
    struct ofp_rule *r;
    struct ofp_timer timer; /* rule is NULL: it had none. */
    uint64_t created_ns;
    uint16_t idle_timeout, hard_timeout, flags, importance;
    bool reset;
    struct ofp_trigger *trigger; /* NULL: it had none. */
    struct dp_instr was; /* Own copy, for monitors. */
};

static void
changed_undo(struct ofp_bridge *b, void *rec)
{
    static const struct ofp_trigger none;
    struct changed *c = rec;

    ofp_trigger_set(b, c->r, c->trigger ? c->trigger : &none);
    ofp_timers_del(&b->timers, c->r);
    c->r->created_ns = c->created_ns;
    c->r->idle_timeout = c->idle_timeout;
    c->r->hard_timeout = c->hard_timeout;
    c->r->flags = c->flags;
    c->r->importance = c->importance;
    if (c->timer.rule)
        ofp_timers_put(&b->timers, &c->timer);
    ofp_evict_note(b, c->r);
}

/* A rule that was removed later has its counters still. */
static void
changed_done(struct ofp_bridge *b, void *rec)
{
    struct changed *c = rec;

    if (c->reset)
        dp_rule_reset_stats(ofp_rule_dp(c->r));
    ofp_monitor_rule(b, c->r, OFP_RULE_MODIFIED, 0, &c->was);
}

static void
changed_free(void *rec)
{
    struct changed *c = rec;

    free(c->trigger);
    ofp_instr_fini(&c->was);
}

static const struct ofp_txn_ops changed_ops = {
    .size = sizeof(struct changed),
    .undo = changed_undo,
    .done = changed_done,
    .free = changed_free,
};

void
ofp_txn_rule_changes(struct ofp_bridge *b, struct ofp_rule *r, bool reset,
                     const struct dp_instr *was)
{
    const struct ofp_trigger *trigger = ofp_trigger_of(b, r);
    struct changed *c = ofp_txn_log(b, &changed_ops);

    c->r = r;
    c->created_ns = r->created_ns;
    c->idle_timeout = r->idle_timeout;
    c->hard_timeout = r->hard_timeout;
    c->flags = r->flags;
    c->importance = r->importance;
    c->reset = reset;
    ofp_instr_copy(&c->was, was);
    if (trigger)
        c->trigger = base_xmemdup(trigger, sizeof *trigger);
    ofp_timers_get(&b->timers, r, &c->timer);
}

/* ------------------------------------------------------------------ groups */

struct grouped {
    struct dp_instr before, after; /* Own copies. */
};

static void
grouped_undo(struct ofp_bridge *b, void *rec)
{
    struct grouped *g = rec;

    ofp_groups_count(&b->groups, &g->after, -1);
    ofp_groups_count(&b->groups, &g->before, 1);
}

static void
grouped_free(void *rec)
{
    struct grouped *g = rec;

    ofp_instr_fini(&g->before);
    ofp_instr_fini(&g->after);
}

static const struct ofp_txn_ops grouped_ops = {
    .size = sizeof(struct grouped),
    .undo = grouped_undo,
    .free = grouped_free,
};

void
ofp_txn_rule_groups(struct ofp_bridge *b, struct ofp_rule *r,
                    const struct dp_instr *instr)
{
    struct grouped *g = ofp_txn_log(b, &grouped_ops);
    struct dp_instr in;

    ofp_rule_instr(r, &in);
    ofp_instr_copy(&g->before, &in);
    ofp_instr_copy(&g->after, instr);
}

/* ----------------------------------------------------------------- removed */

struct removed {
    struct ofp_rule *r;
    enum ofp_removed why;
    struct dp_instr instr; /* The staged rule has none any more. */
};

static void
removed_undo(struct ofp_bridge *b, void *rec)
{
    struct removed *d = rec;

    ofp_rule_revive(&b->tables, d->r);
    ofp_evict_note(b, d->r);
    ofp_groups_count(&b->groups, &d->instr, 1);
    b->stats.n_rules = b->tables.n_rules;
}

/* Its counters are final: no packet meets it any more.  The datapath frees
 * it later. */
static void
removed_done(struct ofp_bridge *b, void *rec)
{
    struct removed *d = rec;
    struct dp_stats stats;

    ofp_monitor_rule(b, d->r, OFP_RULE_REMOVED, d->why, &d->instr);
    if (d->r->flags & OFP_FF_SEND_FLOW_REM) {
        ofp_rule_told_stats(d->r, &stats);
        ofp_async_flow_removed(b, d->r, &stats, d->why);
    }
    ofp_timers_del(&b->timers, d->r);
    ofp_trigger_set(b, d->r, &(struct ofp_trigger) { 0 });
    ofp_rule_unlink(&b->tables, d->r);
}

static void
removed_free(void *rec)
{
    struct removed *d = rec;

    ofp_instr_fini(&d->instr);
}

static const struct ofp_txn_ops removed_ops = {
    .size = sizeof(struct removed),
    .undo = removed_undo,
    .done = removed_done,
    .free = removed_free,
};

void
ofp_txn_rule_removed(struct ofp_bridge *b, struct ofp_rule *r, unsigned why)
{
    struct removed *d = ofp_txn_log(b, &removed_ops);
    struct dp_instr in;

    ofp_rule_instr(r, &in);
    ofp_instr_copy(&d->instr, &in);
    d->r = r;
    d->why = (enum ofp_removed) why;
    ofp_rule_bury(&b->tables, r);
    dp_rule_del(ofp_rule_dp(r));
    b->stats.n_rules = b->tables.n_rules;
}

/* -------------------------------------------------------- standalone rule */

struct standalone {
    struct dp_rule *rule;
};

static void
standalone_undo(struct ofp_bridge *b, void *rec)
{
    b->standalone = ((struct standalone *) rec)->rule;
}

static const struct ofp_txn_ops standalone_ops = {
    .size = sizeof(struct standalone),
    .undo = standalone_undo,
};

void
ofp_txn_standalone_removed(struct ofp_bridge *b)
{
    struct standalone *s = ofp_txn_log(b, &standalone_ops);

    s->rule = b->standalone;
}
