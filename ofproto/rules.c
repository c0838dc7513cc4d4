/* SPDX-License-Identifier: Apache-2.0 */
/* Flow-mods applied to the tables; timeouts; the standalone rule.
 * Source: OpenFlow 1.3.5 §5.4, §5.5, §6.4; OpenFlow 1.0.0 §4.6. */
#include "ofproto/agent_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "utils/base/clock.h"
#include "utils/base/mem.h"

static bool
filter_test_other(const struct ofp_filter *f, const struct ofp_rule *r)
{
    return !(f->cookie_mask
             && (ofp_rule_cookie(r) ^ f->cookie) & f->cookie_mask)
           && ofp_rule_within(r, &f->match);
}

static bool
filter_looks_at_instr(const struct ofp_filter *f)
{
    return f->out_port != OFP_PORT_ANY || f->out_group != OFP_GROUP_ANY
           || f->meter;
}

bool
ofp_filter_test_instr(const struct ofp_filter *f, const struct ofp_rule *r,
                      const struct dp_instr *in)
{
    if (f->out_port != OFP_PORT_ANY && !ofp_instr_outputs(in, f->out_port))
        return false;
    if (f->out_group != OFP_GROUP_ANY
        && !ofp_instr_has_group(in, f->out_group))
        return false;
    if (f->meter && !ofp_instr_has_meter(in, f->meter))
        return false;
    return filter_test_other(f, r);
}

bool
ofp_filter_test(const struct ofp_filter *f, const struct ofp_rule *r)
{
    struct dp_instr in;

    if (!filter_looks_at_instr(f))
        return filter_test_other(f, r);
    ofp_rule_instr(r, &in);
    return ofp_filter_test_instr(f, r, &in);
}

/* ------------------------------------------------------- single rules */

static enum ofp_err
dp_err(int err)
{
    return err == -ENOMEM || err == -ENOSPC ? OFP_ERR_FLOW_TABLE_FULL
                                            : OFP_ERR_FLOW_UNKNOWN;
}

static struct ofp_rule *
rule_find(struct ofp_bridge *b, uint8_t table, uint16_t priority,
          const struct flow_match *match)
{
    struct dp_rule *dp = dp_rule_find(b->dpb, table, priority, match);

    return dp == b->standalone ? NULL : ofp_rule_of(dp);
}

static void
count_groups(struct ofp_bridge *b, const struct ofp_rule *r, int by)
{
    struct dp_instr in;

    if (!b->groups.n) /* So there is none to name. */
        return;
    ofp_rule_instr(r, &in);
    ofp_groups_count(&b->groups, &in, by);
}

void
ofp_rule_told_stats(const struct ofp_rule *r, struct dp_stats *stats)
{
    dp_rule_get_stats(ofp_rule_dp(r), stats);
    if (r->flags & OFP_FF_NO_PKT_COUNTS)
        stats->packets = UINT64_MAX;
    if (r->flags & OFP_FF_NO_BYT_COUNTS)
        stats->bytes = UINT64_MAX;
}

void
ofp_rule_remove(struct ofp_bridge *b, struct ofp_rule *r,
                enum ofp_removed why)
{
    count_groups(b, r, -1);
    ofp_evict_forget(b, r);
    b->dirty = true;
    if (b->txn) {
        ofp_txn_rule_removed(b, r, why);
        return;
    }
    ofp_monitor_rule(b, r, OFP_RULE_REMOVED, why, NULL);
    if (r->flags & OFP_FF_SEND_FLOW_REM) {
        struct dp_stats stats;

        ofp_rule_told_stats(r, &stats);
        ofp_async_flow_removed(b, r, &stats, why);
    }
    ofp_timers_del(&b->timers, r);
    ofp_trigger_set(b, r, &(struct ofp_trigger) { 0 });
    ofp_rule_unlink(&b->tables, r);
    dp_rule_del(ofp_rule_dp(r));
    b->stats.n_rules = b->tables.n_rules;
}

/* What a rule does before it changes, for who watches.  The caller frees. */
static struct dp_instr
rule_was(const struct ofp_bridge *b, const struct ofp_rule *r)
{
    struct dp_instr in, was = { .goto_table = DP_NO_TABLE };

    if (b->n_monitors) {
        ofp_rule_instr(r, &in);
        ofp_instr_copy(&was, &in);
    }
    return was;
}

/* Before an add or modify touches a rule that is there: counters start anew
 * now or when all is done. */
static void
rule_touch(struct ofp_bridge *b, struct ofp_rule *r, bool reset,
           const struct dp_instr *was)
{
    if (b->txn)
        ofp_txn_rule_changes(b, r, reset, was);
    else if (reset)
        dp_rule_reset_stats(ofp_rule_dp(r));
}

/* Takes over what an add says about a rule beside its instructions. */
static void
rule_restart(struct ofp_bridge *b, struct ofp_rule *r,
             const struct ofp_flow_mod *fm)
{
    uint64_t now = ofp_txn_now(b);

    ofp_timers_del(&b->timers, r);
    r->created_ns = now;
    r->idle_timeout = fm->idle_timeout;
    r->hard_timeout = fm->hard_timeout;
    r->flags = fm->flags | (r->flags & OFP_FF_TRIGGER);
    r->importance = fm->importance;
    ofp_timers_add(&b->timers, r, now);
    ofp_trigger_set(b, r, &fm->trigger);
    ofp_evict_note(b, r);
}

static enum ofp_err
rule_set(struct ofp_bridge *b, struct ofp_rule *r,
         const struct dp_instr *instr, uint64_t cookie)
{
    int err;

    if (b->txn && b->groups.n)
        ofp_txn_rule_groups(b, r, instr);
    count_groups(b, r, -1);
    err = dp_rule_set(ofp_rule_dp(r), instr, cookie);
    count_groups(b, r, 1);
    if (err)
        return dp_err(err);
    b->dirty = true;
    return OFP_OK;
}

static enum ofp_err
rule_replace(struct ofp_bridge *b, struct ofp_rule *r,
             const struct ofp_flow_mod *fm)
{
    struct dp_instr was = rule_was(b, r);
    enum ofp_err err = rule_set(b, r, &fm->instr, fm->f.cookie);

    if (!err) {
        /* 1.3 keeps the counters unless told; 1.0 clears them. */
        rule_touch(b, r, fm->of10 || fm->flags & OFP_FF_RESET_COUNTS, &was);
        rule_restart(b, r, fm);
        if (!b->txn)
            ofp_monitor_rule(b, r, OFP_RULE_MODIFIED, 0, &was);
    }
    ofp_instr_fini(&was);
    return err;
}

/* A full table still takes what replaces a rule; for others it may make
 * room.  *fits: go on and add. */
static enum ofp_err
rule_add_full(struct ofp_bridge *b, const struct ofp_flow_mod *fm, bool *fits)
{
    struct ofp_rule *r = rule_find(b, fm->f.table, fm->priority,
                                   &fm->f.match);

    *fits = false;
    if (r)
        return rule_replace(b, r, fm);
    r = ofp_evict_choose(b, fm->f.table, fm->importance);
    if (!r)
        return OFP_ERR_FLOW_TABLE_FULL;
    ofp_rule_remove(b, r, OFP_RR_EVICTION);
    *fits = true;
    return OFP_OK;
}

static bool
is_full(const struct ofp_bridge *b, uint8_t table)
{
    const struct ofp_table *t = &b->tables.table[table];

    return b->tables.n_rules >= OFP_MAX_RULES || t->n >= t->config.max;
}

static enum ofp_err
rule_add(struct ofp_bridge *b, const struct ofp_flow_mod *fm)
{
    struct ofp_rule *r;
    struct dp_rule *dp;
    bool fits;
    int err;

    if (is_full(b, fm->f.table)) {
        enum ofp_err full = rule_add_full(b, fm, &fits);

        if (full || !fits)
            return full;
    }
    if (b->standalone) { /* It may be the same rule. */
        if (b->txn)
            ofp_txn_standalone_removed(b);
        dp_rule_del(b->standalone);
        b->standalone = NULL;
    }
    err = dp_rule_add(b->dpb, fm->f.table, fm->priority, &fm->f.match,
                      &fm->instr, fm->f.cookie, &dp);
    if (err == -EEXIST)
        return rule_replace(b, ofp_rule_of(dp), fm);
    if (err)
        return dp_err(err);
    r = ofp_rule_link(&b->tables, dp, fm->f.table, fm->priority);
    rule_restart(b, r, fm);
    if (b->txn)
        ofp_txn_rule_added(b, r);
    else
        ofp_monitor_rule(b, r, OFP_RULE_ADDED, 0, NULL);
    ofp_groups_count(&b->groups, &fm->instr, 1);
    b->stats.n_rules = b->tables.n_rules;
    b->dirty = true;
    return OFP_OK;
}

static enum ofp_err
rule_modify(struct ofp_bridge *b, struct ofp_rule *r,
            const struct ofp_flow_mod *fm)
{
    struct dp_instr was = rule_was(b, r);
    /* 1.0 sets the cookie too; 1.3 leaves all but the instructions. */
    enum ofp_err err = rule_set(b, r, &fm->instr,
                                fm->of10 ? fm->f.cookie : ofp_rule_cookie(r));

    if (!err) {
        rule_touch(b, r, fm->flags & OFP_FF_RESET_COUNTS, &was);
        ofp_trigger_set(b, r, &fm->trigger);
        if (!b->txn)
            ofp_monitor_rule(b, r, OFP_RULE_MODIFIED, 0, &was);
    }
    ofp_instr_fini(&was);
    return err;
}

/* ------------------------------------------------------------------ scans */

/* A flow-mod that looks at many rules: those that were there when it began. */
struct scan {
    struct ofp_job job;
    struct ofp_flow_mod fm; /* Its instructions are a copy. */
    struct ofp_cursor cursor;
    uint64_t began_ns;
    bool any; /* A rule was modified. */
    enum ofp_removed why;
    void (*end)(struct ofp_bridge *, uint32_t arg); /* NULL: none. */
    uint32_t end_arg;
};

static void
scan_destroy(struct ofp_job *job, struct ofp_bridge *b)
{
    struct scan *sc = WEFT_CONTAINER_OF(job, struct scan, job);

    ofp_cursor_end(&sc->cursor);
    if (sc->end && !b->txn) { /* Cut off: the session went. */
        ofp_rules_delete_now(b, &sc->fm.f, sc->why);
        sc->end(b, sc->end_arg);
    }
    ofp_instr_fini(&sc->fm.instr);
    free(sc);
}

/* What the scan does with one rule.  Sets *stop to end it. */
static enum ofp_err
scan_rule(struct scan *sc, struct ofp_bridge *b, struct ofp_rule *r,
          unsigned *cost, bool *stop)
{
    const struct ofp_flow_mod *fm = &sc->fm;

    if (fm->command == OFP_FC_ADD) { /* Overlap check. */
        *stop = r->priority == fm->priority
                && ofp_rule_overlaps(r, &fm->f.match);
        return *stop ? OFP_ERR_FLOW_OVERLAP : OFP_OK;
    }
    if (!ofp_filter_test(&fm->f, r))
        return OFP_OK;
    *cost = OFP_COST_ACT;
    if (fm->command == OFP_FC_DELETE) {
        ofp_rule_remove(b, r, sc->why);
        return OFP_OK;
    }
    sc->any = true;
    return rule_modify(b, r, fm);
}

/* After the last rule: what the scan was for. */
static enum ofp_err
scan_end(struct scan *sc, struct ofp_bridge *b)
{
    if (sc->end)
        sc->end(b, sc->end_arg);
    sc->end = NULL;
    if (sc->fm.command == OFP_FC_ADD)
        return rule_add(b, &sc->fm);
    /* OpenFlow 1.0.0 §4.6: modify of nothing is an add. */
    if (sc->fm.command == OFP_FC_MODIFY && sc->fm.of10 && !sc->any)
        return rule_add(b, &sc->fm);
    return OFP_OK;
}

static enum ofp_step
scan_run(struct ofp_job *job, struct ofp_session *s, unsigned *budget)
{
    struct scan *sc = WEFT_CONTAINER_OF(job, struct scan, job);
    enum ofp_err err = OFP_OK;
    struct ofp_rule *r = NULL;
    bool stop = false;

    while (!err && !stop) {
        unsigned cost = 1;

        if (!*budget)
            return OFP_STEP_MORE;
        r = ofp_cursor_next(&s->b->tables, &sc->cursor);
        if (!r)
            break;
        if (r->created_ns <= sc->began_ns)
            err = scan_rule(sc, s->b, r, &cost, &stop);
        *budget -= WEFT_MIN(cost, *budget);
    }
    if (!r)
        err = scan_end(sc, s->b);
    if (err)
        ofp_session_error(s, err, job->head, job->head_len);
    return OFP_STEP_DONE;
}

static struct scan *
scan_start(struct ofp_session *s, const struct ofp_flow_mod *fm)
{
    struct ofp_bridge *b = s->b;
    struct scan *sc;

    BASE_NEW(sc);
    sc->job.run = scan_run;
    sc->job.destroy = scan_destroy;
    sc->job.writes = true;
    sc->fm = *fm;
    sc->why = OFP_RR_DELETE;
    ofp_instr_copy(&sc->fm.instr, &fm->instr);
    sc->began_ns = base_clock_ns();
    ofp_cursor_start(&b->tables, &sc->cursor, fm->f.table);
    ofp_session_start_job(s, &sc->job);
    return sc;
}

void
ofp_rules_delete(struct ofp_session *s, const struct ofp_filter *f,
                 enum ofp_removed why,
                 void (*end)(struct ofp_bridge *, uint32_t), uint32_t arg)
{
    struct scan *sc = scan_start(
        s, &(struct ofp_flow_mod) { .command = OFP_FC_DELETE, .f = *f });

    sc->why = why;
    sc->end = end;
    sc->end_arg = arg;
}

void
ofp_rules_delete_now(struct ofp_bridge *b, const struct ofp_filter *f,
                     enum ofp_removed why)
{
    struct ofp_cursor c;
    struct ofp_rule *r;

    ofp_cursor_start(&b->tables, &c, f->table);
    while ((r = ofp_cursor_next(&b->tables, &c)))
        if (ofp_filter_test(f, r))
            ofp_rule_remove(b, r, why);
}

/* ------------------------------------------------------------------ apply */

static enum ofp_err
apply_strict(struct ofp_bridge *b, const struct ofp_flow_mod *fm,
             uint8_t table)
{
    struct ofp_rule *r = rule_find(b, table, fm->priority, &fm->f.match);

    if (!r || !ofp_filter_test(&fm->f, r))
        return fm->command == OFP_FC_MODIFY_STRICT && fm->of10
                   ? rule_add(b, fm)
                   : OFP_OK;
    if (fm->command == OFP_FC_MODIFY_STRICT)
        return rule_modify(b, r, fm);
    ofp_rule_remove(b, r, OFP_RR_DELETE);
    return OFP_OK;
}

enum ofp_err
ofp_flow_mod_apply(struct ofp_session *s, const struct ofp_flow_mod *fm)
{
    struct ofp_bridge *b = s->b;

    b->stats.flow_mods++;
    switch (fm->command) {
    case OFP_FC_ADD:
        if (!(fm->flags & OFP_FF_CHECK_OVERLAP))
            return rule_add(b, fm);
        break;
    case OFP_FC_MODIFY_STRICT:
        return apply_strict(b, fm, fm->f.table);
    case OFP_FC_DELETE_STRICT:
        if (fm->f.table != OFP_TABLE_ALL)
            return apply_strict(b, fm, fm->f.table);
        for (unsigned t = 0; t < DP_N_TABLES; t++)
            if (b->tables.table[t].n)
                apply_strict(b, fm, (uint8_t) t);
        return OFP_OK;
    case OFP_FC_MODIFY:
    case OFP_FC_DELETE:
        break;
    }
    scan_start(s, fm);
    return OFP_OK;
}

/* --------------------------------------------------------------- the rest */

bool
ofp_rules_expire(struct ofp_bridge *b, uint64_t now_ns)
{
    unsigned budget = OFP_SLICE / OFP_COST_ACT;
    enum ofp_expiry why;
    struct ofp_rule *r;

    while (budget
           && (r = ofp_timers_next(&b->timers, now_ns, &budget, &why))) {
        ofp_rule_remove(b, r,
                        why == OFP_EXPIRE_IDLE ? OFP_RR_IDLE : OFP_RR_HARD);
        budget -= budget > 0;
    }
    return !budget;
}

void
ofp_standalone_update(struct ofp_bridge *b)
{
    bool want = b->fail_mode == OFP_FAIL_STANDALONE && !b->ever_connected
                && !b->tables.n_rules;
    static const struct dp_op normal = { DP_OP_NORMAL, 1, 0, 0 };
    static const struct dp_instr instr = { .apply = { &normal, 1 },
                                           .goto_table = DP_NO_TABLE };
    static const struct flow_match all;

    if (want == !!b->standalone || b->txn)
        return;
    if (!want) {
        dp_rule_del(b->standalone);
        b->standalone = NULL;
    } else if (dp_rule_add(b->dpb, 0, 0, &all, &instr, 0, &b->standalone)) {
        base_log(BASE_LOG_WARN, OFP_LOG,
                 "%s: no memory for the standalone rule", b->name);
        b->standalone = NULL;
        return;
    }
    b->dirty = true;
}
