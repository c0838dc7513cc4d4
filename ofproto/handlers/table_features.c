/* SPDX-License-Identifier: Apache-2.0 */
/* Table features: what each table can; its name and limit; in 1.5 also which
 * is the first of the egress tables.
 * Source: OpenFlow 1.3.5 §7.3.5.5, 1.5.1 §5.1.2, §7.3.5.18. */
#include "ofproto/handlers/handlers_priv.h"

#include <stdlib.h>

#include "ofproto/bindings/of_desc.h"
#include "ofproto/oxm.h"
#include "utils/base/mem.h"

enum { PROP_COPYFIELD = 18, PROP_PACKET_TYPES = 22 }; /* OFPTFPT_* of 1.5 */
enum { TFF_INGRESS = 1 << 0, TFF_EGRESS = 1 << 1, TFF_FIRST = 1 << 4 };
enum command { REPLACE, MODIFY, ENABLE, DISABLE, N_COMMANDS }; /* OFPTFC_* */

/* One table's description as it is written. */
struct writer {
    const struct ofp_tables *tables;
    uint8_t version;
    uint8_t table;
    uint8_t egress; /* First egress table. */
    size_t n;
    uint8_t p[8192];
};

static void
add16(struct writer *w, uint16_t v)
{
    put_be16(w->p + w->n, v);
    w->n += 2;
}

/* Writes the property's length and pads it to 8, not counted (§7.3.5.5.2). */
static void
prop_end(struct writer *w, size_t start)
{
    put_be16(w->p + start + 2, (uint16_t) (w->n - start));
    while (w->n % 8)
        w->p[w->n++] = 0;
}

static size_t
prop_begin(struct writer *w, uint16_t type)
{
    size_t start = w->n;

    add16(w, type);
    add16(w, 0);
    return start;
}

/* Tables that rules of this one may go to: no egress table from an ingress
 * one (1.5.1 §5.1.2). */
static unsigned
last_next(const struct writer *w)
{
    return w->table < w->egress && w->egress < DP_N_TABLES ? w->egress - 1u
                                                           : DP_N_TABLES - 1u;
}

static void
add_instructions(struct writer *w, uint16_t prop)
{
    size_t start = prop_begin(w, prop);

    for (uint16_t type = 1; type <= 7; type++) {
        if ((type == 1 && w->table == last_next(w))       /* GOTO_TABLE */
            || (type == 6 && w->version >= OF_VERSION_1_5) /* METER */
            || (type == 7 && w->version < OF_VERSION_1_5)) /* STAT_TRIGGER */
            continue;
        add16(w, type);
        add16(w, 4);
    }
    prop_end(w, start);
}

static void
add_next_tables(struct writer *w, uint16_t prop)
{
    size_t start = prop_begin(w, prop);

    for (unsigned t = w->table + 1u; t <= last_next(w); t++)
        w->p[w->n++] = (uint8_t) t;
    prop_end(w, start);
}

static void
add_actions(struct writer *w, uint16_t prop)
{
    size_t start = prop_begin(w, prop);

    for (unsigned i = 0; i < ofp_n_actions; i++)
        if (ofp_actions[i]->type13 >= 0
            && ofp_actions[i]->since <= w->version) {
            add16(w, (uint16_t) ofp_actions[i]->type13);
            add16(w, 4);
        }
    prop_end(w, start);
}

enum which { FIELDS_MATCH, FIELDS_WILDCARD, FIELDS_SET, FIELDS_COPY };

static void
add_fields(struct writer *w, uint16_t prop, enum which which)
{
    size_t start = prop_begin(w, prop);

    for (unsigned i = 0; i < N_FLOW_FIELDS; i++) {
        const struct flow_field *f = &flow_fields[i];
        bool masked = which == FIELDS_MATCH && f->maskable;

        if (which == FIELDS_SET && (!f->settable || f->settable > w->version))
            continue;
        w->n += ofp_oxm_put_header(f, w->version, masked, w->p + w->n);
    }
    prop_end(w, start);
}

/* Ethernet frames only: (0,0). */
static void
add_packet_types(struct writer *w)
{
    size_t start = prop_begin(w, PROP_PACKET_TYPES);

    w->n += ofp_oxm_put_header(&flow_fields[FLOW_F_PACKET_TYPE], w->version,
                               false, w->p + w->n);
    put_be32(w->p + w->n, 0);
    w->n += 4;
    prop_end(w, start);
}

static uint32_t
table_flags(const struct writer *w)
{
    return TFF_INGRESS * (w->table < w->egress)
           | TFF_EGRESS * (w->table > 0
                           && (w->egress == DP_NO_TABLE
                               || w->table >= w->egress))
           | TFF_FIRST * (w->table == w->egress);
}

/* What the table's configuration may have on. */
static uint32_t
capabilities(uint8_t version)
{
    return version >= OF_VERSION_1_4 ? OFP_TC_EVICTION | OFP_TC_VACANCY
                                     : OFP_TC_DEPRECATED;
}

/* struct ofp_table_features with all its properties; the _MISS variants say
 * the same: a table-miss rule may do what every rule may. */
static void
write_table(struct writer *w)
{
    const struct ofp_table_config *c = &w->tables->table[w->table].config;
    bool of15 = w->version >= OF_VERSION_1_5;

    memset(w->p, 0, 64);
    w->p[2] = w->table;
    if (of15)
        put_be32(w->p + 4, table_flags(w));
    memcpy(w->p + 8, c->name, sizeof c->name);
    memset(w->p + 40, 0xff, 16); /* metadata_match, metadata_write */
    put_be32(w->p + 56, capabilities(w->version));
    put_be32(w->p + 60, c->max);
    w->n = 64;
    for (uint16_t miss = 0; miss < 2; miss++) {
        add_instructions(w, miss);
        add_next_tables(w, 2 + miss);
        add_actions(w, 4 + miss);
        add_actions(w, 6 + miss);
        add_fields(w, 12 + miss, FIELDS_SET);
        add_fields(w, 14 + miss, FIELDS_SET);
        if (of15) {
            add_fields(w, PROP_COPYFIELD + miss, FIELDS_COPY);
            add_fields(w, PROP_COPYFIELD + 2 + miss, FIELDS_COPY);
        }
    }
    add_fields(w, 8, FIELDS_MATCH);
    add_fields(w, 10, FIELDS_WILDCARD);
    if (of15)
        add_packet_types(w);
    put_be16(w->p, (uint16_t) w->n);
}

/* ---------------------------------------------------------------- replies */

/* One table's description is a few kilobytes, and there are 254: a job. */
struct features_job {
    struct ofp_job job;
    struct ofp_reply reply;
    struct writer w;
};

static enum ofp_step
features_run(struct ofp_job *job, struct ofp_session *s, unsigned *budget)
{
    struct features_job *j = WEFT_CONTAINER_OF(job, struct features_job, job);

    (void) s;
    for (; j->w.table < DP_N_TABLES; j->w.table++) {
        of_wire_buffer_t buf = { .buf = j->w.p };
        of_object_t entry = { .wbuf = &buf };

        if (*budget < 256)
            return OFP_STEP_MORE;
        if (ofp_reply_blocked(&j->reply))
            return OFP_STEP_BLOCKED;
        write_table(&j->w);
        buf.alloc_bytes = buf.current_bytes = entry.length = (int) j->w.n;
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

    (void) b;
    ofp_reply_abort(&j->reply);
    free(j);
}

/* --------------------------------------------------------------- requests */

/* Is every property of the entry one of ours, with our value?  The tables
 * cannot do less than they do. */
static enum ofp_err
props_check(of_table_features_t *entry, struct writer *w)
{
    of_list_table_feature_prop_t list;
    of_table_feature_prop_t prop;
    uint64_t seen = 0;
    int rv;

    write_table(w);
    of_table_features_properties_bind(entry, &list);
    OF_LIST_TABLE_FEATURE_PROP_ITER(&list, &prop, rv) {
        const uint8_t *p = OF_OBJECT_BUFFER_INDEX(&prop, 0);
        uint16_t type = get_be16(p), len = get_be16(p + 2);
        size_t at = 64;

        if (type >= 0xfffe)
            return OFP_ERR_PROP_BAD_EXPERIMENTER;
        while (at < w->n && get_be16(w->p + at) != type)
            at += of_round_up(get_be16(w->p + at + 2), 8);
        if (at >= w->n)
            return OFP_ERR_PROP_BAD_TYPE;
        if (seen >> type & 1)
            return OFP_ERR_PROP_DUP_TYPE;
        seen |= UINT64_C(1) << type;
        if (len != get_be16(w->p + at + 2) || memcmp(p, w->p + at, len))
            return OFP_ERR_PROP_BAD_VALUE;
    }
    return OFP_OK;
}

/* What a request makes of the tables. */
struct wanted {
    struct ofp_table_config config[DP_N_TABLES];
    bool there[DP_N_TABLES];
    uint8_t egress;
};

/* What 1.5 says of the table itself. */
static enum ofp_err
flags_check(of_table_features_t *entry, uint8_t table, struct wanted *want)
{
    uint32_t flags;

    of_table_features_features_get(entry, &flags);
    if (flags & ~(uint32_t) (TFF_INGRESS | TFF_EGRESS | TFF_FIRST)
        || (!table && flags & (TFF_EGRESS | TFF_FIRST)))
        return OFP_ERR_TABLE_FEATURES_BAD_FEATURES;
    if (flags & TFF_FIRST)
        want->egress = table;
    else if (want->egress == table)
        want->egress = DP_NO_TABLE;
    return OFP_OK;
}

/* Name and limit may be chosen, the rest is as it is. */
static enum ofp_err
config_check(of_table_features_t *entry, uint8_t version,
             struct ofp_table_config *c)
{
    uint64_t match, write;
    uint32_t caps;
    of_table_name_t name;

    if (version == OF_VERSION_1_3) /* The same place, another name. */
        of_table_features_config_get(entry, &caps);
    else
        of_table_features_capabilities_get(entry, &caps);
    of_table_features_max_entries_get(entry, &c->max);
    of_table_features_metadata_match_get(entry, &match);
    of_table_features_metadata_write_get(entry, &write);
    of_table_features_name_get(entry, &name);
    if (caps & ~capabilities(version))
        return OFP_ERR_TABLE_FEATURES_BAD_CAPA;
    if (!c->max || c->max > OFP_MAX_RULES)
        return OFP_ERR_TABLE_FEATURES_BAD_MAX_ENT;
    if (~match || ~write)
        return OFP_ERR_TABLE_FEATURES_BAD_METADATA;
    memcpy(c->name, name, sizeof c->name);
    c->name[sizeof c->name - 1] = '\0';
    return OFP_OK;
}

/* One entry of a request: what it asks for and may be refused. */
static enum ofp_err
entry_check(of_table_features_t *entry, struct writer *w, struct wanted *want)
{
    bool of15 = w->version >= OF_VERSION_1_5;
    uint8_t command = MODIFY;
    enum ofp_err err = OFP_OK;

    of_table_features_table_id_get(entry, &w->table);
    if (of15)
        of_table_features_command_get(entry, &command);
    if (command >= N_COMMANDS)
        return OFP_ERR_TABLE_FEATURES_BAD_COMMAND;
    if (w->table >= DP_N_TABLES || want->there[w->table])
        return OFP_ERR_TABLE_FEATURES_BAD_TABLE;
    if (command == DISABLE)
        return OFP_ERR_TABLE_FEATURES_EPERM; /* All are there, always. */
    if (command == ENABLE)
        return OFP_OK;
    want->there[w->table] = true;
    want->config[w->table] = w->tables->table[w->table].config;
    if (of15)
        err = flags_check(entry, w->table, want);
    return err ? err : config_check(entry, w->version,
                                    &want->config[w->table]);
}

/* Two tables cannot both be the first. */
static unsigned
count_first(of_list_table_features_t *list)
{
    of_table_features_t entry;
    unsigned n = 0;
    int rv;

    OF_LIST_TABLE_FEATURES_ITER(list, &entry, rv) {
        uint32_t flags;

        of_table_features_features_get(&entry, &flags);
        n += !!(flags & TFF_FIRST);
    }
    return n;
}

/* First pass: each entry for itself, and how many of them there are.  1.3 and
 * 1.4 name the tables that they change, 1.5's REPLACE all of them: a pipeline
 * of fewer tables is not offered. */
static enum ofp_err
entries_check(of_list_table_features_t *list, struct writer *w,
              struct wanted *want)
{
    bool of15 = w->version >= OF_VERSION_1_5, replace = false;
    of_table_features_t entry;
    unsigned n = 0;
    int rv;

    if (of15 && count_first(list) > 1)
        return OFP_ERR_TABLE_FEATURES_BAD_FEATURES;
    OF_LIST_TABLE_FEATURES_ITER(list, &entry, rv) {
        enum ofp_err err = entry_check(&entry, w, want);
        uint8_t command = MODIFY;

        if (of15)
            of_table_features_command_get(&entry, &command);
        replace |= command == REPLACE;
        n++;
        if (err)
            return err;
    }
    return replace && n != DP_N_TABLES ? OFP_ERR_TABLE_FEATURES_EPERM
                                       : OFP_OK;
}

/* All entries are right, or nothing changes. */
static enum ofp_err
request_check(struct ofp_session *s, of_list_table_features_t *list,
              struct wanted *want)
{
    struct writer w = { .tables = &s->b->tables, .version = s->version };
    of_table_features_t entry;
    enum ofp_err err = entries_check(list, &w, want);
    int rv;

    if (err)
        return err;
    OF_LIST_TABLE_FEATURES_ITER(list, &entry, rv) {
        /* What may be gone to depends on the egress tables: as it will be,
         * or as the controller has read it. */
        of_table_features_table_id_get(&entry, &w.table);
        w.egress = want->egress;
        err = props_check(&entry, &w);
        w.egress = s->b->compile.egress;
        if (err && props_check(&entry, &w))
            return err;
    }
    return OFP_OK;
}

static enum ofp_err
request_apply(struct ofp_session *s, of_list_table_features_t *list)
{
    struct wanted *want = base_xcalloc(1, sizeof *want);
    enum ofp_err err;

    want->egress = s->b->compile.egress;
    err = request_check(s, list, want);
    if (!err && want->egress != s->b->compile.egress) {
        if (dp_bridge_set_egress(s->b->dpb, want->egress))
            err = OFP_ERR_TABLE_FEATURES_EPERM;
        else
            s->b->compile.egress = want->egress;
        s->b->dirty = true;
    }
    for (unsigned t = 0; t < DP_N_TABLES && !err; t++)
        if (want->there[t])
            ofp_table_configure(s->b, (uint8_t) t, &want->config[t]);
    free(want);
    return err;
}

enum ofp_err
ofp_handle_table_features_stats(struct ofp_session *s, of_object_t *msg)
{
    struct features_job *j;
    of_list_table_features_t list;
    of_table_features_t entry;
    enum ofp_err err = OFP_OK;

    of_table_features_stats_request_entries_bind(msg, &list);
    if (of_list_table_features_first(&list, &entry) == OF_ERROR_NONE) {
        if (ofp_session_channel(s)->role == OFP_ROLE_SLAVE)
            return OFP_ERR_REQ_IS_SLAVE;
        err = request_apply(s, &list);
    }
    if (err)
        return err;
    BASE_NEW(j);
    j->job.run = features_run;
    j->job.destroy = features_destroy;
    j->w.tables = &s->b->tables;
    j->w.version = s->version;
    j->w.egress = s->b->compile.egress;
    ofp_reply_begin(&j->reply, s, OF_TABLE_FEATURES_STATS_REPLY,
                    ofp_session_xid(s));
    ofp_session_start_job(s, &j->job);
    return OFP_OK;
}
