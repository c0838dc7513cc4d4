/* SPDX-License-Identifier: Apache-2.0 */
/* Table features: what each table can and what is left of it, its name and
 * limit, which tables there are; in 1.5 also the first of the egress tables.
 * Source: OpenFlow 1.3.5 §7.3.5.5; 1.5.1 §5.1.2, §7.3.5.18. */
#include "ofproto/handlers/handlers_priv.h"

#include <stdlib.h>

#include "ofproto/bindings/of_desc.h"
#include "ofproto/limits.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"

#define ENTRY_LEN 64 /* struct ofp_table_features without properties. */
#define REQUEST_TIMEOUT_NS UINT64_C(10000000000)

enum { TFF_INGRESS = 1 << 0, TFF_EGRESS = 1 << 1, TFF_FIRST = 1 << 4 };
enum command { REPLACE, MODIFY, ENABLE, DISABLE, N_COMMANDS }; /* OFPTFC_* */

/* What a request makes of the tables. */
struct wanted {
    struct ofp_table_config config[DP_N_TABLES];
    struct ofp_limits limits[DP_N_TABLES];
    bool named[DP_N_TABLES];  /* In the request ... */
    bool set[DP_N_TABLES];    /* ... with its features. */
    bool absent[DP_N_TABLES];
    bool replace;             /* Tables that are not named go. */
    uint8_t egress;
    unsigned n_first;         /* Tables said to be the first egress table. */
};

/* A request whose end has not come yet (OFPMPF_REQ_MORE). */
struct ofp_features_request {
    uint32_t xid;
    uint64_t since_ns;
    bool failed; /* Refused: the rest is passed over. */
    uint8_t head[ENTRY_LEN];
    struct wanted want;
};

/* ---------------------------------------------------------------- replies */

static uint32_t
table_flags(uint8_t table, uint8_t egress)
{
    return TFF_INGRESS * (table < egress)
           | TFF_EGRESS * (table > 0
                           && (egress == DP_NO_TABLE || table >= egress))
           | TFF_FIRST * (table == egress);
}

/* What the table is now. */
static void
limits_of(const struct ofp_bridge *b, uint8_t table, struct ofp_limits *l)
{
    if (b->tables.table[table].limits)
        *l = *b->tables.table[table].limits;
    else
        ofp_limits_all(l, table, b->compile.egress);
}

/* struct ofp_table_features with all its properties; returns its length. */
static size_t
write_table(const struct ofp_bridge *b, uint8_t version, uint8_t table,
            uint8_t p[ENTRY_LEN + OFP_LIMITS_WIRE])
{
    const struct ofp_table_config *c = &b->tables.table[table].config;
    struct ofp_limits l;
    size_t n;

    limits_of(b, table, &l);
    memset(p, 0, ENTRY_LEN);
    p[2] = table;
    if (version >= OF_VERSION_1_5)
        put_be32(p + 4, table_flags(table, b->compile.egress));
    memcpy(p + 8, c->name, sizeof c->name);
    put_be64(p + 40, l.metadata_match);
    put_be64(p + 48, l.metadata_write);
    put_be32(p + 56, version >= OF_VERSION_1_4 ? l.capabilities
                                               : OFP_TC_DEPRECATED);
    put_be32(p + 60, c->max);
    n = ENTRY_LEN + ofp_limits_write(&l, version, table, p + ENTRY_LEN);
    put_be16(p, (uint16_t) n);
    return n;
}

/* One table's description is a few kilobytes, and there are 254; the rules
 * of changed tables may be many: a job. */
struct features_job {
    struct ofp_job job;
    struct ofp_reply reply;
    bool changed[DP_N_TABLES]; /* Their rules go first. */
    unsigned cleared;          /* Tables looked at for that. */
    uint8_t table;             /* Next to describe. */
    uint8_t entry[ENTRY_LEN + OFP_LIMITS_WIRE];
};

/* Removes rules of changed tables; "no ofp_flow_removed messages are sent".
 * False: the budget is used up. */
static bool
clear_tables(struct features_job *j, struct ofp_bridge *b, unsigned *budget)
{
    for (; j->cleared < DP_N_TABLES; j->cleared++) {
        struct base_list *rules = &b->tables.table[j->cleared].rules;

        while (j->changed[j->cleared] && !base_list_empty(rules)) {
            struct ofp_rule *r = WEFT_CONTAINER_OF(rules->next,
                                                   struct ofp_rule, link);

            if (*budget < OFP_COST_ACT)
                return false;
            r->flags &= (uint16_t) ~OFP_FF_SEND_FLOW_REM;
            ofp_rule_remove(b, r, OFP_RR_DELETE);
            *budget -= OFP_COST_ACT;
        }
    }
    return true;
}

static enum ofp_step
features_run(struct ofp_job *job, struct ofp_session *s, unsigned *budget)
{
    struct features_job *j = WEFT_CONTAINER_OF(job, struct features_job, job);

    if (!clear_tables(j, s->b, budget))
        return OFP_STEP_MORE;
    for (; j->table < DP_N_TABLES; j->table++) {
        of_wire_buffer_t buf = { .buf = j->entry };
        of_object_t entry = { .wbuf = &buf };

        if (s->b->tables.table[j->table].absent)
            continue;
        if (*budget < 256)
            return OFP_STEP_MORE;
        if (ofp_reply_blocked(&j->reply))
            return OFP_STEP_BLOCKED;
        entry.length = (int) write_table(s->b, s->version, j->table, j->entry);
        buf.alloc_bytes = buf.current_bytes = entry.length;
        ofp_reply_append(&j->reply, &entry);
        *budget -= 256;
    }
    ofp_reply_end(&j->reply);
    return OFP_STEP_DONE;
}

static void
features_destroy(struct ofp_job *job, struct ofp_bridge *b)
{
    struct features_job *j = WEFT_CONTAINER_OF(job, struct features_job, job);
    unsigned all = UINT32_MAX;

    if (!b->txn) /* The session went: what was begun is ended. */
        (void) clear_tables(j, b, &all);
    ofp_reply_abort(&j->reply);
    free(j);
}

/* --------------------------------------------------------------- requests */

/* What 1.5 says of the table itself. */
static enum ofp_err
flags_take(of_table_features_t *entry, uint8_t table, struct wanted *want)
{
    uint32_t flags;

    of_table_features_features_get(entry, &flags);
    if (flags & ~(uint32_t) (TFF_INGRESS | TFF_EGRESS | TFF_FIRST)
        || (!table && flags & (TFF_EGRESS | TFF_FIRST)))
        return OFP_ERR_TABLE_FEATURES_BAD_FEATURES;
    if (flags & TFF_FIRST) {
        want->egress = table;
        if (want->n_first++) /* Two tables cannot both be the first. */
            return OFP_ERR_TABLE_FEATURES_BAD_FEATURES;
    } else if (want->egress == table) {
        want->egress = DP_NO_TABLE;
    }
    return OFP_OK;
}

static enum ofp_err
config_take(of_table_features_t *entry, uint8_t version,
            struct ofp_table_config *c, struct ofp_limits *l)
{
    of_table_name_t name;
    uint32_t caps;

    if (version == OF_VERSION_1_3) /* The same place, another name. */
        of_table_features_config_get(entry, &caps);
    else
        of_table_features_capabilities_get(entry, &caps);
    of_table_features_max_entries_get(entry, &c->max);
    of_table_features_metadata_match_get(entry, &l->metadata_match);
    of_table_features_metadata_write_get(entry, &l->metadata_write);
    of_table_features_name_get(entry, &name);
    if (caps & ~(version == OF_VERSION_1_3
                     ? OFP_TC_DEPRECATED
                     : OFP_TC_EVICTION | OFP_TC_VACANCY))
        return OFP_ERR_TABLE_FEATURES_BAD_CAPA;
    if (version != OF_VERSION_1_3)
        l->capabilities = caps;
    if (!c->max || c->max > OFP_MAX_RULES)
        return OFP_ERR_TABLE_FEATURES_BAD_MAX_ENT;
    memcpy(c->name, name, sizeof c->name);
    c->name[sizeof c->name - 1] = '\0';
    return OFP_OK;
}

/* Up to all that the switch has, whatever the table is now. */
static enum ofp_err
props_take(of_table_features_t *entry, uint8_t table, struct ofp_limits *l)
{
    of_list_table_feature_prop_t list;
    of_table_feature_prop_t prop;
    ofp_limits_seen seen = 0;
    struct ofp_limits all;
    int rv;

    ofp_limits_all(&all, table, DP_NO_TABLE);
    of_table_features_properties_bind(entry, &list);
    OF_LIST_TABLE_FEATURE_PROP_ITER(&list, &prop, rv) {
        const uint8_t *p = OF_OBJECT_BUFFER_INDEX(&prop, 0);
        enum ofp_err err = ofp_limits_take(l, &all, (uint8_t) entry->version,
                                           p, get_be16(p + 2), &seen);

        if (err)
            return err;
    }
    ofp_limits_taken(l, seen);
    return OFP_OK;
}

static enum ofp_err
entry_take(const struct ofp_bridge *b, of_table_features_t *entry,
           struct wanted *want)
{
    bool of15 = entry->version >= OF_VERSION_1_5;
    uint8_t table, command = REPLACE; /* 1.3 and 1.4: the whole pipeline. */
    enum ofp_err err = OFP_OK;

    of_table_features_table_id_get(entry, &table);
    if (of15)
        of_table_features_command_get(entry, &command);
    if (command >= N_COMMANDS)
        return OFP_ERR_TABLE_FEATURES_BAD_COMMAND;
    if (table >= DP_N_TABLES || want->named[table])
        return OFP_ERR_TABLE_FEATURES_BAD_TABLE;
    want->named[table] = true;
    want->absent[table] = command == DISABLE;
    if (command == DISABLE || command == ENABLE)
        return OFP_OK;
    want->replace |= command == REPLACE;
    want->set[table] = true;
    want->config[table] = b->tables.table[table].config;
    limits_of(b, table, &want->limits[table]);
    if (of15)
        err = flags_take(entry, table, want);
    if (!err)
        err = config_take(entry, (uint8_t) entry->version,
                          &want->config[table], &want->limits[table]);
    return err ? err : props_take(entry, table, &want->limits[table]);
}

/* All parts are there: do the tables make a pipeline?  Packets begin in table
 * 0, and where the egress tables do. */
static enum ofp_err
pipeline_check(struct wanted *want)
{
    for (unsigned t = 0; t < DP_N_TABLES && want->replace; t++)
        if (!want->named[t])
            want->absent[t] = true;
    if (want->absent[0]
        || (want->egress < DP_N_TABLES && want->absent[want->egress]))
        return OFP_ERR_TABLE_FEATURES_EPERM;
    return OFP_OK;
}

/* The table's features become 'l'.  Returns true if they were others. */
static bool
limits_set(struct ofp_bridge *b, uint8_t table, struct ofp_limits *l)
{
    struct ofp_table *t = &b->tables.table[table];
    struct ofp_limits all;
    bool changed;

    ofp_limits_all(&all, table, b->compile.egress);
    ofp_limits_clip(l, &all);
    if (!memcmp(l, &all, sizeof all)) {
        changed = t->limits;
        free(t->limits);
        t->limits = NULL;
        return changed;
    }
    changed = !t->limits || memcmp(l, t->limits, sizeof *l);
    if (!t->limits)
        BASE_NEW(t->limits);
    *t->limits = *l;
    return changed;
}

static enum ofp_err
wanted_apply(struct ofp_bridge *b, struct wanted *want,
             bool changed[DP_N_TABLES])
{
    enum ofp_err err = pipeline_check(want);

    if (!err && want->egress != b->compile.egress
        && dp_bridge_set_egress(b->dpb, want->egress))
        err = OFP_ERR_TABLE_FEATURES_EPERM;
    if (err)
        return err;
    b->dirty |= want->egress != b->compile.egress;
    b->compile.egress = want->egress;
    for (unsigned i = 0; i < DP_N_TABLES; i++) {
        struct ofp_table *t = &b->tables.table[i];

        changed[i] = want->absent[i] && !t->absent;
        t->absent = want->absent[i];
        if (!want->set[i])
            continue;
        ofp_table_configure(b, (uint8_t) i, &want->config[i]);
        changed[i] |= limits_set(b, (uint8_t) i, &want->limits[i]);
    }
    return OFP_OK;
}

static struct ofp_features_request *
request_new(struct ofp_session *s)
{
    struct ofp_features_request *r;

    BASE_NEW(r);
    r->xid = ofp_session_xid(s);
    r->since_ns = base_clock_ns();
    memcpy(r->head, s->msg, WEFT_MIN(s->msg_len, sizeof r->head));
    r->want.egress = s->b->compile.egress;
    for (unsigned t = 0; t < DP_N_TABLES; t++)
        r->want.absent[t] = s->b->tables.table[t].absent;
    return r;
}

/* Takes one part.  *end: it was the last one, and nothing was wrong. */
static enum ofp_err
request_take(struct ofp_session *s, of_list_table_features_t *list, bool more,
             bool *end)
{
    struct ofp_features_request *r = s->features;
    of_table_features_t entry;
    enum ofp_err err = OFP_OK;
    int rv;

    if (!r || r->xid != ofp_session_xid(s)) {
        ofp_features_request_drop(s);
        r = s->features = request_new(s);
    }
    OF_LIST_TABLE_FEATURES_ITER(list, &entry, rv) {
        if (!err && !r->failed)
            err = entry_take(s->b, &entry, &r->want);
    }
    r->failed |= err;
    *end = !more && !r->failed;
    if (!more && r->failed)
        ofp_features_request_drop(s);
    return err;
}

void
ofp_features_request_drop(struct ofp_session *s)
{
    free(s->features);
    s->features = NULL;
}

void
ofp_features_request_expire(struct ofp_session *s, uint64_t now_ns)
{
    struct ofp_features_request *r = s->features;

    if (!r || now_ns < r->since_ns + REQUEST_TIMEOUT_NS)
        return;
    if (!r->failed)
        ofp_session_error(s, OFP_ERR_REQ_MULTIPART_REQUEST_TIMEOUT, r->head,
                          sizeof r->head);
    ofp_features_request_drop(s);
}

enum ofp_err
ofp_handle_table_features_stats(struct ofp_session *s, of_object_t *msg)
{
    bool more = get_be16(s->msg + 10) & 1, end = true; /* REQ_MORE */
    bool changed[DP_N_TABLES] = { false };
    of_list_table_features_t list;
    of_table_features_t entry;
    struct features_job *j;
    enum ofp_err err = OFP_OK;

    of_table_features_stats_request_entries_bind(msg, &list);
    if (of_list_table_features_first(&list, &entry) == OF_ERROR_NONE || more
        || (s->features && s->features->xid == ofp_session_xid(s))) {
        if (ofp_session_channel(s)->role == OFP_ROLE_SLAVE)
            return OFP_ERR_REQ_IS_SLAVE;
        err = request_take(s, &list, more, &end);
        if (err || !end)
            return err;
        err = wanted_apply(s->b, &s->features->want, changed);
        ofp_features_request_drop(s);
    }
    if (err)
        return err;
    BASE_NEW(j);
    j->job.run = features_run;
    j->job.destroy = features_destroy;
    memcpy(j->changed, changed, sizeof changed);
    for (unsigned t = 0; t < DP_N_TABLES; t++)
        j->job.writes |= changed[t];
    ofp_reply_begin(&j->reply, s, OF_TABLE_FEATURES_STATS_REPLY,
                    ofp_session_xid(s));
    ofp_session_start_job(s, &j->job);
    return OFP_OK;
}
