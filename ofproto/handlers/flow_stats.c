/* SPDX-License-Identifier: Apache-2.0 */
/* Multipart: individual and aggregate flow statistics, as jobs that walk the
 * tables in slices and pause while the controller does not read.  1.5 calls
 * the first flow descriptions and has flow statistics without instructions.
 * Source: OpenFlow 1.3.5 §7.3.5.2, §7.3.5.3; OpenFlow 1.0.0 §5.3.5; OpenFlow
 * 1.5.1 §7.3.5.2 to §7.3.5.4. */
#include "ofproto/handlers/handlers_priv.h"

#include <stdlib.h>

#include "utils/base/clock.h"
#include "utils/base/mem.h"

#define NS_PER_S UINT64_C(1000000000)
#define EMERGENCY_10 0xfe /* 1.0's table of emergency flows: none. */

enum walk_kind { WALK_FLOWS, WALK_STATS, WALK_AGGREGATE };

struct flow_walk {
    struct ofp_job job;
    struct ofp_filter f;
    struct ofp_cursor cursor;
    struct ofp_reply reply;
    of_object_t *entry; /* Reused; NULL: aggregate. */
    enum walk_kind kind;
    uint64_t packets, bytes;
    uint32_t flows;
};

static void
walk_destroy(struct ofp_job *job, struct ofp_bridge *b)
{
    struct flow_walk *w = WEFT_CONTAINER_OF(job, struct flow_walk, job);

    (void) b;
    ofp_cursor_end(&w->cursor);
    ofp_reply_abort(&w->reply);
    of_object_delete(w->entry);
    free(w);
}

static int
entry_actions(const struct ofp_bridge *b, of_flow_stats_entry_t *e,
              const struct ofp_rule *r)
{
    struct dp_instr instr;
    of_object_t list;

    ofp_rule_instr(r, &instr);
    if (e->version != OF_VERSION_1_0) {
        of_flow_stats_entry_instructions_bind(e, &list);
        return ofp_encode_instructions(&instr, ofp_trigger_of(b, r), &list);
    }
    of_flow_stats_entry_actions_bind(e, &list);
    return ofp_encode_actions(&instr.apply, &list);
}

/* Times and counters: members up to 1.4, OXS since. */
static int
entry_stats(of_flow_stats_entry_t *e, const struct ofp_rule *r,
            const struct dp_stats *stats)
{
    uint64_t age = base_clock_ns() - r->created_ns;
    struct ofp_oxs oxs;
    of_object_t view;

    if (e->version >= OF_VERSION_1_5) {
        ofp_rule_oxs(r, stats, &oxs);
        of_flow_stats_entry_stats_bind(e, &view);
        return ofp_oxs_put(&view, &oxs);
    }
    of_flow_stats_entry_duration_sec_set(e, (uint32_t) (age / NS_PER_S));
    of_flow_stats_entry_duration_nsec_set(e, (uint32_t) (age % NS_PER_S));
    of_flow_stats_entry_packet_count_set(e, stats->packets);
    of_flow_stats_entry_byte_count_set(e, stats->bytes);
    return 0;
}

static void
entry_fill(const struct ofp_bridge *b, of_flow_stats_entry_t *e,
           const struct ofp_rule *r, const struct dp_stats *stats)
{
    struct flow_match m;
    of_object_t view;

    of_object_truncate(e);
    of_flow_stats_entry_table_id_set(e, r->table);
    of_flow_stats_entry_priority_set(e, r->priority);
    of_flow_stats_entry_idle_timeout_set(e, r->idle_timeout);
    of_flow_stats_entry_hard_timeout_set(e, r->hard_timeout);
    if (e->version != OF_VERSION_1_0)
        of_flow_stats_entry_flags_set(e, r->flags & OFP_FF_ALL);
    if (e->version >= OF_VERSION_1_4)
        of_flow_stats_entry_importance_set(e, r->importance);
    of_flow_stats_entry_cookie_set(e, ofp_rule_cookie(r));
    of_flow_stats_entry_match_bind(e, &view);
    ofp_rule_match(r, &m);
    /* A list that a reply cannot hold is left out, not the rule. */
    if (ofp_match_put(&view, &m) || entry_stats(e, r, stats)
        || entry_actions(b, e, r)) {
        of_object_t list;

        if (e->version == OF_VERSION_1_0)
            of_flow_stats_entry_actions_bind(e, &list);
        else
            of_flow_stats_entry_instructions_bind(e, &list);
        of_object_truncate(&list);
    }
}

static void
walk_rule(struct flow_walk *w, const struct ofp_rule *r)
{
    struct dp_stats stats;

    ofp_rule_told_stats(r, &stats);
    w->packets += stats.packets == UINT64_MAX ? 0 : stats.packets;
    w->bytes += stats.bytes == UINT64_MAX ? 0 : stats.bytes;
    w->flows++;
    if (w->kind == WALK_AGGREGATE)
        return;
    if (w->kind == WALK_FLOWS)
        entry_fill(w->reply.s->b, w->entry, r, &stats);
    else if (ofp_flow_stats_fill(w->entry, r, &stats, OFP_FSR_REQUEST))
        return; /* No memory. */
    ofp_reply_append(&w->reply, w->entry);
}

static of_object_t *
aggregate_oxs(of_aggregate_stats_reply_t *r, const struct flow_walk *w)
{
    struct ofp_oxs oxs = { 0 };
    of_stat_v6_t view;

    ofp_oxs_set(&oxs, OFP_OXS_FLOW_COUNT, w->flows);
    ofp_oxs_set(&oxs, OFP_OXS_PACKET_COUNT, w->packets);
    ofp_oxs_set(&oxs, OFP_OXS_BYTE_COUNT, w->bytes);
    of_aggregate_stats_reply_stats_bind(r, &view);
    if (!ofp_oxs_put(&view, &oxs))
        return r;
    of_object_delete(r);
    return NULL;
}

static void
send_aggregate(const struct flow_walk *w, struct ofp_session *s)
{
    of_aggregate_stats_reply_t *r;

    r = of_aggregate_stats_reply_new((of_version_t) s->version);
    if (r)
        of_object_xid_set(r, w->job.xid);
    if (r && s->version >= OF_VERSION_1_5) {
        r = aggregate_oxs(r, w);
    } else if (r) {
        of_aggregate_stats_reply_packet_count_set(r, w->packets);
        of_aggregate_stats_reply_byte_count_set(r, w->bytes);
        of_aggregate_stats_reply_flow_count_set(r, w->flows);
    }
    ofp_session_send(s, r);
}

static enum ofp_step
walk_run(struct ofp_job *job, struct ofp_session *s, unsigned *budget)
{
    struct flow_walk *w = WEFT_CONTAINER_OF(job, struct flow_walk, job);
    struct ofp_rule *r;

    for (;;) {
        unsigned cost = 1;

        if (!*budget)
            return OFP_STEP_MORE;
        if (ofp_reply_blocked(&w->reply))
            return OFP_STEP_BLOCKED;
        r = ofp_cursor_next(&s->b->tables, &w->cursor);
        if (!r)
            break;
        if (ofp_filter_test(&w->f, r)) {
            walk_rule(w, r);
            cost = OFP_COST_ACT;
        }
        *budget -= WEFT_MIN(cost, *budget);
    }
    if (w->kind == WALK_AGGREGATE)
        send_aggregate(w, s);
    else
        ofp_reply_end(&w->reply);
    return OFP_STEP_DONE;
}

/* The same body in all three requests: 'msg' is read as a flow request. */
static enum ofp_err
filter_take(struct ofp_session *s, of_object_t *msg, struct ofp_filter *f)
{
    of_object_t view;
    enum ofp_err err;

    *f = (struct ofp_filter) { .out_group = OFP_GROUP_ANY };
    of_flow_stats_request_table_id_get(msg, &f->table);
    of_flow_stats_request_out_port_get(msg, &f->out_port);
    if (s->version != OF_VERSION_1_0) {
        of_flow_stats_request_out_group_get(msg, &f->out_group);
        of_flow_stats_request_cookie_get(msg, &f->cookie);
        of_flow_stats_request_cookie_mask_get(msg, &f->cookie_mask);
    }
    of_flow_stats_request_match_bind(msg, &view);
    err = ofp_match_take(&view, &f->match);
    if (err)
        return err;
    if (s->version == OF_VERSION_1_0 && f->table == EMERGENCY_10)
        return OFP_OK; /* Walks no table: see below. */
    return f->table == OFP_TABLE_ALL
                   || ofp_table_is_there(&s->b->tables, f->table)
               ? OFP_OK
               : OFP_ERR_REQ_BAD_TABLE_ID;
}

static enum ofp_err
walk_start(struct ofp_session *s, of_object_t *msg, enum walk_kind kind)
{
    struct ofp_filter f;
    struct flow_walk *w;
    enum ofp_err err = filter_take(s, msg, &f);

    if (err)
        return err;
    BASE_NEW(w);
    w->job.run = walk_run;
    w->job.destroy = walk_destroy;
    w->f = f;
    w->kind = kind;
    ofp_reply_begin(&w->reply, s,
                    kind == WALK_STATS ? OF_INDIVIDUAL_FLOW_STATS_REPLY
                                       : OF_FLOW_STATS_REPLY,
                    ofp_session_xid(s));
    if (f.table == EMERGENCY_10) { /* An empty walk. */
        base_list_init(&w->cursor.link);
        w->cursor.table = w->cursor.last_table = 0;
        w->cursor.next = &s->b->tables.table[0].rules;
    } else {
        ofp_cursor_start(&s->b->tables, &w->cursor, f.table);
    }
    if (kind != WALK_AGGREGATE)
        w->entry = of_object_create((of_version_t) s->version,
                                    kind == WALK_STATS
                                        ? OF_INDIVIDUAL_FLOW_STATS_ENTRY
                                        : OF_FLOW_STATS_ENTRY);
    ofp_session_start_job(s, &w->job);
    if (kind != WALK_AGGREGATE && !w->entry)
        ofp_session_send(s, NULL); /* Out of memory: closes. */
    return OFP_OK;
}

enum ofp_err
ofp_handle_flow_stats(struct ofp_session *s, of_object_t *msg)
{
    return walk_start(s, msg, WALK_FLOWS);
}

enum ofp_err
ofp_handle_aggregate_stats(struct ofp_session *s, of_object_t *msg)
{
    return walk_start(s, msg, WALK_AGGREGATE);
}

enum ofp_err
ofp_handle_individual_flow_stats(struct ofp_session *s, of_object_t *msg)
{
    return walk_start(s, msg, WALK_STATS);
}
