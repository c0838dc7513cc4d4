/* SPDX-License-Identifier: Apache-2.0 */
/* The rules as operators see them. */
#include "ofproto/agent_priv.h"

#include <errno.h>

#include "ofproto/text/flow_text.h"
#include "utils/base/clock.h"

static void
dump_rule(const struct ofp_rule *r, ofp_flow_cb *cb, void *arg)
{
    struct base_str match = BASE_STR_INIT, actions = BASE_STR_INIT;
    struct ofp_flow_info info = {
        .table = r->table,
        .priority = r->priority,
        .cookie = r->cookie,
        .duration_ns = base_clock_ns() - r->created_ns,
        .idle_timeout = r->idle_timeout,
        .hard_timeout = r->hard_timeout,
        .flags = r->flags,
    };
    struct flow_match m;
    struct dp_instr instr;

    dp_rule_get_stats(r->dp, &info.stats);
    ofp_rule_match(r, &m);
    ofp_text_add_match(&match, &m);
    ofp_instr_view(r->instr, &instr);
    ofp_text_add_instr(&actions, &instr);
    info.match = base_str_cstr(&match);
    info.actions = base_str_cstr(&actions);
    cb(arg, &info);
    base_str_fini(&match);
    base_str_fini(&actions);
}

int
ofp_dump_flows(struct ofp_bridge *b, const char *filter, ofp_flow_cb *cb,
               void *arg, struct weft_err *e)
{
    struct ofp_flow_text t;
    struct ofp_filter f;
    struct ofp_cursor c;
    struct ofp_rule *r;
    int err = ofp_text_parse_flow(filter ? filter : "", OFP_TEXT_FILTER, &t,
                                  e);

    if (err)
        return err;
    f = (struct ofp_filter) {
        .table = t.table, /* DP_NO_TABLE is OFP_TABLE_ALL. */
        .cookie = t.cookie,
        .cookie_mask = t.cookie_mask,
        .out_port = t.out_port, /* DP_PORT_NONE is OFP_PORT_ANY. */
        .out_group = t.out_group,
        .match = t.match,
    };
    if (f.table >= DP_N_TABLES && f.table != OFP_TABLE_ALL) {
        ofp_flow_text_fini(&t);
        return weft_err_set(e, -EINVAL, "table=%u: tables are 0 to %u", f.table,
                            DP_N_TABLES - 1);
    }
    ofp_cursor_start(&b->tables, &c, f.table);
    while ((r = ofp_cursor_next(&b->tables, &c)))
        if (ofp_filter_test(&f, r)
            && (!t.has_priority || r->priority == t.priority))
            dump_rule(r, cb, arg);
    ofp_flow_text_fini(&t);
    return 0;
}
