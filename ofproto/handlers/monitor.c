/* SPDX-License-Identifier: Apache-2.0 */
/* Multipart: flow monitor requests and the updates that answer them.
 * Source: OpenFlow 1.4.1 §7.3.5.17. */
#include "ofproto/handlers/handlers_priv.h"

#include <stdlib.h>

#include "ofproto/monitor.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"

enum { MONITOR_ADD, MONITOR_MODIFY, MONITOR_DELETE }; /* OFPFMC_* */

struct request {
    uint32_t id;
    uint16_t flags;
    uint8_t command;
    struct ofp_filter f;
};

/* Can a flow output there? */
static bool
port_valid(uint32_t port)
{
    return (port && port <= DP_PORT_MAX) || port >= OFP_PORT_IN_PORT;
}

static enum ofp_err
request_take(of_flow_monitor_entry_t *e, struct request *r)
{
    of_object_t view;

    memset(r, 0, sizeof *r);
    of_flow_monitor_entry_monitor_id_get(e, &r->id);
    of_flow_monitor_entry_command_get(e, &r->command);
    if (r->command > MONITOR_DELETE)
        return OFP_ERR_MONITOR_BAD_COMMAND;
    if (r->command == MONITOR_DELETE)
        return OFP_OK; /* The rest means nothing. */
    of_flow_monitor_entry_flags_get(e, &r->flags);
    of_flow_monitor_entry_table_id_get(e, &r->f.table);
    of_flow_monitor_entry_out_port_get(e, &r->f.out_port);
    of_flow_monitor_entry_out_group_get(e, &r->f.out_group);
    if (r->flags & ~OFP_MF_KNOWN)
        return OFP_ERR_MONITOR_BAD_FLAGS;
    if (r->f.table >= DP_N_TABLES && r->f.table != OFP_TABLE_ALL)
        return OFP_ERR_MONITOR_BAD_TABLE_ID;
    if (!port_valid(r->f.out_port)
        || (r->f.out_group > DP_GROUP_MAX && r->f.out_group != OFP_GROUP_ANY))
        return OFP_ERR_MONITOR_BAD_OUT;
    of_flow_monitor_entry_match_bind(e, &view);
    return ofp_match_take(&view, &r->f.match);
}

static enum ofp_err
request_apply(struct ofp_session *s, const struct request *r)
{
    switch (r->command) {
    case MONITOR_ADD:
        return ofp_monitor_add(s, r->id, r->flags, &r->f);
    case MONITOR_MODIFY:
        return ofp_monitor_modify(s, r->id, r->flags, &r->f);
    default:
        return ofp_monitor_delete(s, r->id);
    }
}

/* ----------------------------------------------------------------- initial */

/* Tells of the rules that are there.  The monitor is at work already: of a
 * rule that others change meanwhile, the change may be told first. */
struct initial {
    struct ofp_job job;
    struct ofp_cursor cursor;
    struct ofp_reply reply;
    uint64_t began_ns;
};

static void
initial_destroy(struct ofp_job *job, struct ofp_bridge *b)
{
    struct initial *j = WEFT_CONTAINER_OF(job, struct initial, job);

    (void) b;
    ofp_cursor_end(&j->cursor);
    ofp_reply_abort(&j->reply);
    free(j);
}

static enum ofp_step
initial_run(struct ofp_job *job, struct ofp_session *s, unsigned *budget)
{
    struct initial *j = WEFT_CONTAINER_OF(job, struct initial, job);
    struct ofp_rule *r;

    for (;;) {
        unsigned cost = 1;

        if (!*budget)
            return OFP_STEP_MORE;
        if (ofp_reply_blocked(&j->reply))
            return OFP_STEP_BLOCKED;
        r = ofp_cursor_next(&s->b->tables, &j->cursor);
        if (!r)
            break;
        if (r->created_ns <= j->began_ns
            && ofp_monitor_initial(ofp_session_channel(s), r, &j->reply))
            cost = OFP_COST_ACT;
        *budget -= WEFT_MIN(cost, *budget);
    }
    ofp_monitors_settle(ofp_session_channel(s), false);
    ofp_reply_end(&j->reply);
    return OFP_STEP_DONE;
}

static void
initial_start(struct ofp_session *s)
{
    struct initial *j;

    BASE_NEW(j);
    j->job.run = initial_run;
    j->job.destroy = initial_destroy;
    j->began_ns = base_clock_ns();
    ofp_reply_begin(&j->reply, s, OF_FLOW_MONITOR_STATS_REPLY,
                    ofp_session_xid(s));
    ofp_cursor_start(&s->b->tables, &j->cursor, OFP_TABLE_ALL);
    ofp_session_start_job(s, &j->job);
}

/* ----------------------------------------------------------------- handler */

enum ofp_err
ofp_handle_flow_monitor(struct ofp_session *s, of_object_t *msg)
{
    struct ofp_session *ch = ofp_session_channel(s);
    of_list_flow_monitor_entry_t list;
    of_flow_monitor_entry_t e;
    enum ofp_err err = OFP_OK;
    struct request r;
    bool initial = false;
    int rv;

    of_flow_monitor_stats_request_entries_bind(msg, &list);
    OF_LIST_FLOW_MONITOR_ENTRY_ITER(&list, &e, rv) {
        err = request_take(&e, &r);
        if (!err)
            err = request_apply(ch, &r);
        if (err) {
            ofp_monitors_settle(ch, true);
            return err;
        }
        initial |= r.command != MONITOR_DELETE && r.flags & OFP_MF_INITIAL;
    }
    if (initial) {
        initial_start(s);
    } else {
        struct ofp_reply reply;

        ofp_monitors_settle(ch, false);
        ofp_reply_begin(&reply, s, OF_FLOW_MONITOR_STATS_REPLY,
                        ofp_session_xid(s));
        ofp_reply_end(&reply);
    }
    return OFP_OK;
}
