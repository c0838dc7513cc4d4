/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/triggers.h"

#include <stdlib.h>

#include "ofproto/agent_priv.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"

#define TRIGGERS_PER_TICK 4096

struct entry {
    struct base_hnode node;
    struct base_list link;
    struct ofp_rule *rule;
    struct ofp_trigger t;
    uint32_t armed;           /* Bit N: field N may still fire. */
    uint64_t next[OFP_N_OXS]; /* The value that it fires at. */
};

void
ofp_triggers_init(struct ofp_triggers *ts)
{
    base_hmap_init(&ts->map);
    base_list_init(&ts->order);
}

static void
entry_free(struct ofp_triggers *ts, struct entry *e)
{
    base_hmap_del(&ts->map, &e->node);
    base_list_del(&e->link);
    free(e);
}

void
ofp_triggers_fini(struct ofp_triggers *ts)
{
    struct entry *e, *tmp;

    BASE_LIST_FOR_SAFE(e, tmp, &ts->order, link)
        entry_free(ts, e);
    base_hmap_fini(&ts->map);
}

static struct entry *
entry_find(const struct ofp_triggers *ts, const struct ofp_rule *r)
{
    if (!(r->flags & OFP_FF_TRIGGER))
        return NULL;
    for (struct base_hnode *n
         = base_hmap_first(&ts->map, base_hash_bytes(&r, sizeof r, 0));
         n; n = base_hmap_next_same(n)) {
        struct entry *e = WEFT_CONTAINER_OF(n, struct entry, node);

        if (e->rule == r)
            return e;
    }
    return NULL;
}

const struct ofp_trigger *
ofp_trigger_of(const struct ofp_bridge *b, const struct ofp_rule *r)
{
    const struct entry *e = entry_find(&b->triggers, r);

    return e ? &e->t : NULL;
}

/* --------------------------------------------------------------- the wire */

enum ofp_err
ofp_trigger_take(of_instruction_stat_trigger_t *i, struct ofp_trigger *t)
{
    of_stat_v6_t stat;

    *t = (struct ofp_trigger) { .on = true };
    of_instruction_stat_trigger_flags_get(i, &t->flags);
    if (t->flags & ~(uint32_t) (OFP_STF_PERIODIC | OFP_STF_ONLY_FIRST))
        return OFP_ERR_INS_UNSUPPORTED;
    of_instruction_stat_trigger_thresholds_bind(i, &stat);
    return ofp_oxs_take(&stat, &t->thresholds);
}

int
ofp_trigger_put(const struct ofp_trigger *t, of_list_instruction_t *list)
{
    of_instruction_stat_trigger_t i;
    of_stat_v6_t stat;
    int err;

    of_instruction_stat_trigger_init(&i, list->version, -1, 1);
    err = of_list_instruction_append_bind(list, &i);
    if (err)
        return err;
    of_instruction_stat_trigger_flags_set(&i, t->flags);
    of_instruction_stat_trigger_thresholds_bind(&i, &stat);
    return ofp_oxs_put(&stat, &t->thresholds);
}

void
ofp_rule_oxs(const struct ofp_rule *r, const struct dp_stats *stats,
             struct ofp_oxs *o)
{
    uint64_t now = base_clock_ns(), age = now - r->created_ns;
    uint64_t used = WEFT_MAX(stats->used_ns, r->created_ns);

    *o = (struct ofp_oxs) { 0 };
    ofp_oxs_set(o, OFP_OXS_DURATION, age);
    ofp_oxs_set(o, OFP_OXS_IDLE_TIME, now > used ? now - used : 0);
    if (stats->packets != UINT64_MAX) /* See ofp_rule_told_stats. */
        ofp_oxs_set(o, OFP_OXS_PACKET_COUNT, stats->packets);
    if (stats->bytes != UINT64_MAX)
        ofp_oxs_set(o, OFP_OXS_BYTE_COUNT, stats->bytes);
}

int
ofp_flow_stats_fill(of_individual_flow_stats_entry_t *e,
                    const struct ofp_rule *r, const struct dp_stats *stats,
                    enum ofp_flow_stats_reason why)
{
    struct flow_match m;
    struct ofp_oxs oxs;
    of_object_t view;
    int err;

    of_individual_flow_stats_entry_table_id_set(e, r->table);
    of_individual_flow_stats_entry_reason_set(e, (uint8_t) why);
    of_individual_flow_stats_entry_priority_set(e, r->priority);
    of_individual_flow_stats_entry_match_bind(e, &view);
    ofp_rule_match(r, &m);
    err = ofp_match_put(&view, &m);
    if (err)
        return err;
    ofp_rule_oxs(r, stats, &oxs);
    of_individual_flow_stats_entry_stats_bind(e, &view);
    return ofp_oxs_put(&view, &oxs);
}

/* ---------------------------------------------------------------- firing */

/* When the field fires after it had 'value'; false: never. */
static bool
rearm(struct entry *e, unsigned f, uint64_t value)
{
    uint64_t step = e->t.thresholds.value[f];

    if (!step)
        return false;
    if (!(e->t.flags & OFP_STF_PERIODIC)) {
        e->next[f] = step;
        return value < step;
    }
    e->next[f] = (value / step + 1) * step; /* §7.2.5.6: all multiples. */
    return true;
}

/* Has a threshold been passed?  Moves on what has fired. */
static bool
entry_fires(struct entry *e, const struct ofp_oxs *now)
{
    bool fires = false;

    for (unsigned f = 0; f < OFP_N_OXS; f++) {
        uint64_t v = now->value[f];

        if (!(e->armed >> f & 1))
            continue;
        /* The idle time starts anew with each packet. */
        if (f == OFP_OXS_IDLE_TIME && v + e->t.thresholds.value[f] < e->next[f])
            rearm(e, f, v);
        if (v < e->next[f])
            continue;
        fires = true;
        if (e->t.flags & OFP_STF_ONLY_FIRST)
            e->armed = 1u << f;
        if (!(e->t.flags & OFP_STF_PERIODIC) || !rearm(e, f, v))
            e->armed &= ~(1u << f);
    }
    return fires;
}

static void
tell(struct ofp_bridge *b, const struct ofp_rule *r,
     const struct dp_stats *stats)
{
    struct ofp_session *s;

    BASE_LIST_FOR(s, &b->sessions, link) {
        struct ofp_reply reply;
        of_object_t *e;

        if (s->version < OF_VERSION_1_5
            || !ofp_session_wants(s, OFP_ASYNC_FLOW_STATS, OFP_FSR_TRIGGER))
            continue;
        e = of_individual_flow_stats_entry_new((of_version_t) s->version);
        /* No request, so no xid of one. */
        ofp_reply_begin(&reply, s, OF_INDIVIDUAL_FLOW_STATS_REPLY, 0);
        if (e && !ofp_flow_stats_fill(e, r, stats, OFP_FSR_TRIGGER)) {
            ofp_reply_append(&reply, e);
            ofp_reply_end(&reply);
        }
        of_object_delete(e);
    }
}

void
ofp_triggers_run(struct ofp_bridge *b)
{
    struct base_list *last = b->triggers.order.prev;
    unsigned left = TRIGGERS_PER_TICK;

    while (left-- && !base_list_empty(&b->triggers.order)) {
        struct entry *e = WEFT_CONTAINER_OF(b->triggers.order.next,
                                            struct entry, link);
        struct dp_stats stats;
        struct ofp_oxs now;

        base_list_del(&e->link);
        base_list_add_tail(&b->triggers.order, &e->link);
        dp_rule_get_stats(ofp_rule_dp(e->rule), &stats);
        ofp_rule_oxs(e->rule, &stats, &now);
        if (entry_fires(e, &now))
            tell(b, e->rule, &stats);
        if (&e->link == last) /* Once round. */
            return;
    }
}

void
ofp_trigger_set(struct ofp_bridge *b, struct ofp_rule *r,
                const struct ofp_trigger *t)
{
    struct entry *e = entry_find(&b->triggers, r);
    struct dp_stats stats;
    struct ofp_oxs now;

    if (e)
        entry_free(&b->triggers, e);
    r->flags &= (uint16_t) ~OFP_FF_TRIGGER;
    if (!t->on)
        return;
    BASE_NEW(e);
    e->rule = r;
    e->t = *t;
    dp_rule_get_stats(ofp_rule_dp(r), &stats);
    ofp_rule_oxs(r, &stats, &now);
    for (unsigned f = 0; f < OFP_N_OXS; f++)
        if (t->thresholds.has >> f & 1 && rearm(e, f, now.value[f]))
            e->armed |= 1u << f;
    base_hmap_add(&b->triggers.map, &e->node, base_hash_bytes(&r, sizeof r, 0));
    base_list_add_tail(&b->triggers.order, &e->link);
    r->flags |= OFP_FF_TRIGGER;
}
