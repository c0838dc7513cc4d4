/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/monitor.h"

#include <stdlib.h>

#include "utils/base/mem.h"

#define RESUME_SLICE 1024 /* Rules. */

/* A rule that is new or changed since the session was paused. */
struct late {
    struct base_hnode node;
    struct ofp_rule *rule;
    bool added;
};

/* ----------------------------------------------------------- bookkeeping */

static struct ofp_monitors *
monitors_of(struct ofp_session *s)
{
    struct ofp_monitors *ms = s->monitors;

    if (ms)
        return ms;
    BASE_NEW(ms);
    base_list_init(&ms->list);
    base_hmap_init(&ms->late);
    ofp_reply_begin(&ms->out, s, OF_FLOW_MONITOR_STATS_REPLY, 0);
    s->monitors = ms;
    return ms;
}

static struct ofp_monitor *
find(const struct ofp_session *s, uint32_t id)
{
    struct ofp_monitor *m;

    if (s->monitors)
        BASE_LIST_FOR(m, &s->monitors->list, link)
            if (m->id == id)
                return m;
    return NULL;
}

static void
late_clear(struct ofp_monitors *ms)
{
    struct base_hnode *n, *next;

    BASE_HMAP_FOR_SAFE(n, next, &ms->late) {
        base_hmap_del(&ms->late, n);
        free(WEFT_CONTAINER_OF(n, struct late, node));
    }
}

/* Without monitors nobody says which rules go: none is kept. */
static void
drop(struct ofp_session *s, struct ofp_monitor *m)
{
    base_list_del(&m->link);
    s->b->n_monitors--;
    if (!--s->monitors->n)
        late_clear(s->monitors);
    free(m);
}

enum ofp_err
ofp_monitor_add(struct ofp_session *s, uint32_t id, uint16_t flags,
                const struct ofp_filter *f)
{
    struct ofp_monitors *ms = monitors_of(s);
    struct ofp_monitor *m;

    if (find(s, id))
        return OFP_ERR_MONITOR_EXISTS;
    if (ms->n >= OFP_MAX_MONITORS)
        return OFP_ERR_MONITOR_UNKNOWN;
    BASE_NEW(m);
    m->id = id;
    m->flags = flags;
    m->f = *f;
    m->fresh = true;
    base_list_add_tail(&ms->list, &m->link);
    ms->n++;
    s->b->n_monitors++;
    return OFP_OK;
}

enum ofp_err
ofp_monitor_modify(struct ofp_session *s, uint32_t id, uint16_t flags,
                   const struct ofp_filter *f)
{
    struct ofp_monitor *m = find(s, id);

    if (!m)
        return OFP_ERR_MONITOR_UNKNOWN_MONITOR;
    m->flags = flags;
    m->f = *f;
    m->fresh = true;
    return OFP_OK;
}

enum ofp_err
ofp_monitor_delete(struct ofp_session *s, uint32_t id)
{
    struct ofp_monitor *m = find(s, id);

    if (!m)
        return OFP_ERR_MONITOR_UNKNOWN_MONITOR;
    drop(s, m);
    return OFP_OK;
}

void
ofp_monitors_settle(struct ofp_session *s, bool undo)
{
    struct ofp_monitor *m, *tmp;

    if (!s->monitors)
        return;
    BASE_LIST_FOR_SAFE(m, tmp, &s->monitors->list, link)
        if (m->fresh && undo)
            drop(s, m);
        else
            m->fresh = false;
}

/* ---------------------------------------------------------------- updates */

/* The four full updates have one layout. */
static void
append_full(struct ofp_reply *out, of_object_id_t id,
            const struct ofp_rule *r, unsigned why, bool instructions)
{
    of_flow_update_added_t *u = of_object_create(
        (of_version_t) out->s->version, id);
    struct flow_match match;
    of_object_t view;
    int err;

    if (!u)
        return;
    of_flow_update_added_table_id_set(u, r->table);
    of_flow_update_added_reason_set(u, (uint8_t) why);
    of_flow_update_added_idle_timeout_set(u, r->idle_timeout);
    of_flow_update_added_hard_timeout_set(u, r->hard_timeout);
    of_flow_update_added_priority_set(u, r->priority);
    of_flow_update_added_cookie_set(u, ofp_rule_cookie(r));
    ofp_rule_match(r, &match);
    of_flow_update_added_match_bind(u, &view);
    err = ofp_match_put(&view, &match);
    if (!err && instructions) {
        struct dp_instr in;

        ofp_rule_instr(r, &in);
        of_flow_update_added_instructions_bind(u, &view);
        err = ofp_encode_instructions(&in, ofp_trigger_of(out->s->b, r),
                                      &view);
        if (err) /* Too long for a message: told without them. */
            of_object_truncate(u);
    }
    ofp_reply_append(out, u);
    of_object_delete(u);
}

/* ABBREV, PAUSED, RESUMED: four bytes behind the head. */
static void
append_short(struct ofp_reply *out, of_object_id_t id, uint32_t xid)
{
    of_object_t *u = of_object_create((of_version_t) out->s->version, id);

    if (!u)
        return;
    if (id == OF_FLOW_UPDATE_ABBREV)
        of_flow_update_abbrev_xid_set(u, xid);
    ofp_reply_append(out, u);
    of_object_delete(u);
}

/* Sends the updates gathered so far. */
static void
send(struct ofp_monitors *ms)
{
    if (ms->out.msg)
        ofp_reply_end(&ms->out);
}

/* Flags of all monitors that ask for this; 0: none does. */
static unsigned
wanted(const struct ofp_session *s, const struct ofp_rule *r, unsigned flag,
       bool own, const struct dp_instr *was)
{
    const struct ofp_monitor *m;
    unsigned flags = 0;

    BASE_LIST_FOR(m, &s->monitors->list, link)
        if (m->flags & flag && (own || !(m->flags & OFP_MF_ONLY_OWN))
            && (m->f.table == OFP_TABLE_ALL || m->f.table == r->table)
            && (ofp_filter_test(&m->f, r)
                || (was && ofp_filter_test_instr(&m->f, r, was))))
            flags |= m->flags;
    return flags;
}

bool
ofp_monitor_initial(struct ofp_session *s, const struct ofp_rule *r,
                    struct ofp_reply *out)
{
    const struct ofp_monitor *m;
    unsigned flags = 0;

    BASE_LIST_FOR(m, &s->monitors->list, link)
        if (m->fresh && m->flags & OFP_MF_INITIAL
            && (m->f.table == OFP_TABLE_ALL || m->f.table == r->table)
            && ofp_filter_test(&m->f, r))
            flags |= m->flags;
    if (flags)
        append_full(out, OF_FLOW_UPDATE_INITIAL, r, 0,
                    flags & OFP_MF_INSTRUCTIONS);
    return flags;
}

/* ------------------------------------------------------- pause and resume */

static uint32_t
late_hash(const struct ofp_rule *r)
{
    return base_hash_finish(base_hash_mix(1, (uintptr_t) r));
}

static struct late *
late_find(const struct ofp_monitors *ms, const struct ofp_rule *r)
{
    struct base_hnode *n = base_hmap_first(&ms->late, late_hash(r));

    for (; n; n = base_hmap_next_same(n)) {
        struct late *l = WEFT_CONTAINER_OF(n, struct late, node);

        if (l->rule == r)
            return l;
    }
    return NULL;
}

static void
late_add(struct ofp_monitors *ms, struct ofp_rule *r, bool added)
{
    struct late *l = late_find(ms, r);

    if (l)
        return; /* Added stays added, whatever changed after. */
    BASE_NEW(l);
    l->rule = r;
    l->added = added;
    base_hmap_add(&ms->late, &l->node, late_hash(r));
}

/* Was the rule only there while nobody looked? */
static bool
late_forget(struct ofp_monitors *ms, const struct ofp_rule *r)
{
    struct late *l = late_find(ms, r);
    bool added;

    if (!l)
        return false;
    added = l->added;
    base_hmap_del(&ms->late, &l->node);
    free(l);
    return added;
}

static void
pause_if_full(struct ofp_session *s)
{
    struct ofp_monitors *ms = s->monitors;

    if (ms->paused || !ofp_reply_blocked(&ms->out))
        return;
    ms->paused = true;
    append_short(&ms->out, OF_FLOW_UPDATE_PAUSED, 0);
    send(ms);
}

/* Reports what was held back, up to a slice and while there is room. */
static bool
resume(struct ofp_session *s)
{
    struct ofp_monitors *ms = s->monitors;
    struct base_hnode *n, *tmp;
    unsigned left = RESUME_SLICE;

    if (s->conn->ops->queued(s->conn) > OFP_OUTPUT_HIGH / 2)
        return false;
    BASE_HMAP_FOR_SAFE(n, tmp, &ms->late) {
        struct late *l = WEFT_CONTAINER_OF(n, struct late, node);
        unsigned flags;

        if (!left-- || ofp_reply_blocked(&ms->out))
            break;
        flags = wanted(s, l->rule, l->added ? OFP_MF_ADD : OFP_MF_MODIFY,
                       true, NULL);
        if (flags)
            append_full(&ms->out,
                        l->added ? OF_FLOW_UPDATE_ADDED
                                 : OF_FLOW_UPDATE_MODIFIED,
                        l->rule, 0, flags & OFP_MF_INSTRUCTIONS);
        base_hmap_del(&ms->late, &l->node);
        free(l);
    }
    if (!ms->late.n) {
        ms->paused = false;
        append_short(&ms->out, OF_FLOW_UPDATE_RESUMED, 0);
    }
    return ms->late.n && !ofp_reply_blocked(&ms->out);
}

bool
ofp_monitor_work(struct ofp_session *s)
{
    struct ofp_monitors *ms = s->monitors;
    bool more = false;

    if (!ms || s->closing)
        return false;
    if (ms->paused && !s->b->txn) /* Not what may be undone. */
        more = resume(s);
    send(ms);
    return more;
}

/* ---------------------------------------------------------------- changes */

struct change {
    enum ofp_change kind;
    unsigned why;               /* enum ofp_removed */
    const struct dp_instr *was; /* NULL: does what it did. */
};

static void
report(struct ofp_session *s, struct ofp_rule *r, const struct change *c,
       bool own, uint32_t xid)
{
    static const struct {
        of_object_id_t id;
        unsigned flag;
    } kinds[] = {
        [OFP_RULE_ADDED] = { OF_FLOW_UPDATE_ADDED, OFP_MF_ADD },
        [OFP_RULE_MODIFIED] = { OF_FLOW_UPDATE_MODIFIED, OFP_MF_MODIFY },
        [OFP_RULE_REMOVED] = { OF_FLOW_UPDATE_REMOVED, OFP_MF_REMOVED },
    };
    struct ofp_monitors *ms = s->monitors;
    bool removed = c->kind == OFP_RULE_REMOVED;
    unsigned flags;

    if (removed && ms->paused && late_forget(ms, r))
        return;
    flags = wanted(s, r, kinds[c->kind].flag, own, c->was);
    if (!flags)
        return;
    if (ms->paused && !removed) {
        late_add(ms, r, c->kind == OFP_RULE_ADDED);
        return;
    }
    /* §7.3.5.17: own changes are told by their xid, each once. */
    if (own && !(flags & OFP_MF_NO_ABBREV) && !ms->paused) {
        if (ms->own != s->n_requests || ms->own_xid != xid)
            append_short(&ms->out, OF_FLOW_UPDATE_ABBREV, xid);
        ms->own = s->n_requests;
        ms->own_xid = xid;
    } else {
        /* A removal has no instructions, whatever was asked for. */
        append_full(&ms->out, kinds[c->kind].id, r, removed ? c->why : 0,
                    !removed && flags & OFP_MF_INSTRUCTIONS);
    }
    pause_if_full(s);
}

void
ofp_monitor_report(struct ofp_bridge *b, struct ofp_rule *r,
                   enum ofp_change change, unsigned why,
                   const struct dp_instr *was)
{
    const struct change c = { change, why, was };
    struct ofp_session *s;

    BASE_LIST_FOR(s, &b->sessions, link)
        if (s->monitors && !s->closing)
            report(s, r, &c, s == b->actor, b->actor_xid);
}

void
ofp_monitors_destroy(struct ofp_session *s)
{
    struct ofp_monitors *ms = s->monitors;
    struct ofp_monitor *m, *tmp;

    if (!ms)
        return;
    BASE_LIST_FOR_SAFE(m, tmp, &ms->list, link)
        drop(s, m);
    base_hmap_fini(&ms->late);
    ofp_reply_abort(&ms->out);
    free(ms);
    s->monitors = NULL;
}
