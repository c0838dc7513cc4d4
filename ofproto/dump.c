/* SPDX-License-Identifier: Apache-2.0 */
/* The rules as operators see them. */
#include "ofproto/agent_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "ofproto/text/flow_text.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"

struct ofp_flow_dump {
    struct base_list node; /* In ofp_bridge.dumps. */
    struct ofp_bridge *b;  /* NULL: all has been seen, or the bridge went. */
    struct ofp_cursor cursor;
    struct ofp_filter f;
    bool has_priority;
    uint16_t priority;
};

static void
dump_rule(const struct ofp_rule *r, ofp_flow_cb *cb, void *arg)
{
    struct base_str match = BASE_STR_INIT, actions = BASE_STR_INIT;
    struct ofp_flow_info info = {
        .table = r->table,
        .priority = r->priority,
        .cookie = ofp_rule_cookie(r),
        .duration_ns = base_clock_ns() - r->created_ns,
        .idle_timeout = r->idle_timeout,
        .hard_timeout = r->hard_timeout,
        .flags = r->flags & OFP_FF_ALL,
        .importance = r->importance,
    };
    struct flow_match m;
    struct dp_instr instr;

    dp_rule_get_stats(ofp_rule_dp(r), &info.stats);
    ofp_rule_match(r, &m);
    ofp_text_add_match(&match, &m);
    ofp_rule_instr(r, &instr);
    ofp_text_add_instr(&actions, &instr);
    info.match = base_str_cstr(&match);
    info.actions = base_str_cstr(&actions);
    cb(arg, &info);
    base_str_fini(&match);
    base_str_fini(&actions);
}

static int
dump_filter(struct ofp_flow_dump *d, const char *filter, struct weft_err *e)
{
    struct ofp_flow_text t;
    int err = ofp_text_parse_flow(filter ? filter : "", OFP_TEXT_FILTER, &t,
                                  e);

    if (err)
        return err;
    d->f = (struct ofp_filter) {
        .table = t.table, /* DP_NO_TABLE is OFP_TABLE_ALL. */
        .cookie = t.cookie,
        .cookie_mask = t.cookie_mask,
        .out_port = t.out_port, /* DP_PORT_NONE is OFP_PORT_ANY. */
        .out_group = t.out_group,
        .match = t.match,
    };
    d->has_priority = t.has_priority;
    d->priority = t.priority;
    ofp_flow_text_fini(&t);
    if (d->f.table >= DP_N_TABLES && d->f.table != OFP_TABLE_ALL)
        return weft_err_set(e, -EINVAL, "table=%u: tables are 0 to %u",
                            d->f.table, DP_N_TABLES - 1);
    return 0;
}

int
ofp_flow_dump_begin(struct ofp_bridge *b, const char *filter,
                    struct ofp_flow_dump **out, struct weft_err *e)
{
    struct ofp_flow_dump *d;
    int err;

    BASE_NEW(d);
    err = dump_filter(d, filter, e);
    if (err) {
        free(d);
        return err;
    }
    d->b = b;
    base_list_add_tail(&b->dumps, &d->node);
    ofp_cursor_start(&b->tables, &d->cursor, d->f.table);
    *out = d;
    return 0;
}

/* Takes the walk off its bridge. */
static void
dump_detach(struct ofp_flow_dump *d)
{
    ofp_cursor_end(&d->cursor);
    base_list_del(&d->node);
    d->b = NULL;
}

bool
ofp_flow_dump_next(struct ofp_flow_dump *d, unsigned n, ofp_flow_cb *cb,
                   void *arg)
{
    if (d->b && d->b->txn)
        return true; /* Nothing half done is shown. */
    while (d->b && n--) {
        const struct ofp_rule *r = ofp_cursor_next(&d->b->tables, &d->cursor);

        if (!r)
            dump_detach(d);
        else if (ofp_filter_test(&d->f, r)
                 && (!d->has_priority || r->priority == d->priority))
            dump_rule(r, cb, arg);
    }
    return d->b;
}

void
ofp_flow_dump_end(struct ofp_flow_dump *d)
{
    if (!d)
        return;
    if (d->b)
        dump_detach(d);
    free(d);
}

void
ofp_dumps_detach(struct ofp_bridge *b)
{
    while (!base_list_empty(&b->dumps))
        dump_detach(WEFT_CONTAINER_OF(b->dumps.next, struct ofp_flow_dump,
                                      node));
}
