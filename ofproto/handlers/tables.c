/* SPDX-License-Identifier: Apache-2.0 */
/* Table-mod, table statistics, table features (get).
 * Source: OpenFlow 1.3.5 §7.3.3, §7.3.5.4, §7.3.5.5; OpenFlow 1.0.0 §5.3.5. */
#include "ofproto/handlers/handlers_priv.h"

#include <stdio.h>
#include <stdlib.h>

#include "ofproto/oxm.h"
#include "utils/base/mem.h"

#define CONFIG_DEPRECATED 3u /* OFPTC_DEPRECATED_MASK */
#define WILDCARDS_10 0x3fffffu

enum ofp_err
ofp_handle_table_mod(struct ofp_session *s, of_object_t *msg)
{
    uint32_t config;
    uint8_t table;

    (void) s;
    of_table_mod_table_id_get(msg, &table);
    of_table_mod_config_get(msg, &config);
    if (table >= DP_N_TABLES && table != OFP_TABLE_ALL)
        return OFP_ERR_TABLE_MOD_BAD_TABLE;
    /* The deprecated bits of 1.2 are accepted and mean nothing. */
    return config & ~CONFIG_DEPRECATED ? OFP_ERR_TABLE_MOD_BAD_CONFIG
                                       : OFP_OK;
}

static void
append_stats(struct ofp_reply *r, uint8_t table)
{
    struct dp_table_info info;
    of_table_stats_entry_t *e;

    e = of_table_stats_entry_new((of_version_t) r->s->version);
    if (!e)
        return;
    memset(&info, 0, sizeof info);
    dp_table_get(r->s->b->dpb, table, &info);
    of_table_stats_entry_table_id_set(e, table);
    of_table_stats_entry_active_count_set(e, r->s->b->tables.table[table].n);
    of_table_stats_entry_lookup_count_set(e, info.lookups);
    of_table_stats_entry_matched_count_set(e, info.matches);
    if (r->s->version == OF_VERSION_1_0) {
        of_table_name_t name = "";

        snprintf(name, sizeof name, "table%u", table);
        of_table_stats_entry_name_set(e, name);
        of_table_stats_entry_wildcards_set(e, WILDCARDS_10);
        of_table_stats_entry_max_entries_set(e, OFP_MAX_RULES);
    }
    ofp_reply_append(r, e);
    of_object_delete(e);
}

enum ofp_err
ofp_handle_table_stats(struct ofp_session *s, of_object_t *msg)
{
    struct ofp_reply r;

    (void) msg;
    ofp_reply_begin(&r, s, OF_TABLE_STATS_REPLY, ofp_session_xid(s));
    for (unsigned t = 0; t < DP_N_TABLES; t++)
        append_stats(&r, (uint8_t) t);
    ofp_reply_end(&r);
    return OFP_OK;
}

/* --------------------------------------------------------- table features */

/* One table's description is a few kilobytes, and there are 254: a job. */
struct features_job {
    struct ofp_job job;
    struct ofp_reply reply;
    uint8_t table;
};

struct bytes {
    uint8_t p[4096];
    size_t n;
};

static void
add16(struct bytes *b, uint16_t v)
{
    put_be16(b->p + b->n, v);
    b->n += 2;
}

/* Writes the property's length and pads it to 8, not counted (§7.3.5.5.2). */
static void
prop_end(struct bytes *b, size_t start)
{
    put_be16(b->p + start + 2, (uint16_t) (b->n - start));
    while (b->n % 8)
        b->p[b->n++] = 0;
}

static size_t
prop_begin(struct bytes *b, uint16_t type)
{
    size_t start = b->n;

    add16(b, type);
    add16(b, 0);
    return start;
}

static void
add_instructions(struct bytes *b, uint16_t prop, uint8_t table)
{
    size_t start = prop_begin(b, prop);

    /* GOTO_TABLE 1 (not from the last), WRITE_METADATA 2, WRITE_ACTIONS 3,
     * APPLY_ACTIONS 4, CLEAR_ACTIONS 5.  No meters. */
    for (uint16_t type = table == DP_N_TABLES - 1 ? 2 : 1; type <= 5; type++) {
        add16(b, type);
        add16(b, 4);
    }
    prop_end(b, start);
}

static void
add_next_tables(struct bytes *b, uint16_t prop, uint8_t table)
{
    size_t start = prop_begin(b, prop);

    for (unsigned t = table + 1u; t < DP_N_TABLES; t++)
        b->p[b->n++] = (uint8_t) t;
    prop_end(b, start);
}

static void
add_actions(struct bytes *b, uint16_t prop)
{
    size_t start = prop_begin(b, prop);

    for (unsigned i = 0; i < ofp_n_actions; i++)
        if (ofp_actions[i]->type13 >= 0 && !ofp_actions[i]->since) {
            add16(b, (uint16_t) ofp_actions[i]->type13);
            add16(b, 4);
        }
    prop_end(b, start);
}

enum which { FIELDS_MATCH, FIELDS_WILDCARD, FIELDS_SET };

static void
add_fields(struct bytes *b, uint16_t prop, enum which which)
{
    size_t start = prop_begin(b, prop);

    for (unsigned i = 0; i < N_FLOW_FIELDS; i++) {
        const struct flow_field *f = &flow_fields[i];
        bool masked = which == FIELDS_MATCH && f->maskable;

        if (which == FIELDS_SET
            && (!f->settable || f->settable > OF_VERSION_1_3))
            continue;
        b->n += ofp_oxm_put_header(f, OF_VERSION_1_3, masked, b->p + b->n);
    }
    prop_end(b, start);
}

/* struct ofp_table_features with all its properties; the _MISS variants say
 * the same: a table-miss rule may do what every rule may. */
static void
add_table(struct bytes *b, uint8_t table)
{
    char name[OF_MAX_TABLE_NAME_LEN] = "";

    b->n = 0;
    add16(b, 0);
    b->p[b->n++] = table;
    memset(b->p + b->n, 0, 5);
    b->n += 5;
    snprintf(name, sizeof name, "table%u", table);
    memcpy(b->p + b->n, name, sizeof name);
    b->n += sizeof name;
    memset(b->p + b->n, 0xff, 16); /* metadata_match, metadata_write */
    b->n += 16;
    put_be32(b->p + b->n, CONFIG_DEPRECATED);
    put_be32(b->p + b->n + 4, OFP_MAX_RULES);
    b->n += 8;
    for (uint16_t miss = 0; miss < 2; miss++) {
        add_instructions(b, miss, table);
        add_next_tables(b, 2 + miss, table);
        add_actions(b, 4 + miss);
        add_actions(b, 6 + miss);
        add_fields(b, 12 + miss, FIELDS_SET);
        add_fields(b, 14 + miss, FIELDS_SET);
    }
    add_fields(b, 8, FIELDS_MATCH);
    add_fields(b, 10, FIELDS_WILDCARD);
    put_be16(b->p, (uint16_t) b->n);
}

static enum ofp_step
features_run(struct ofp_job *job, struct ofp_session *s, unsigned *budget)
{
    struct features_job *j = WEFT_CONTAINER_OF(job, struct features_job, job);
    struct bytes b;

    (void) s;
    for (; j->table < DP_N_TABLES; j->table++) {
        of_wire_buffer_t buf = { .buf = b.p };
        of_object_t entry = { .wbuf = &buf };

        if (*budget < 256)
            return OFP_STEP_MORE;
        if (ofp_reply_blocked(&j->reply))
            return OFP_STEP_BLOCKED;
        add_table(&b, j->table);
        buf.alloc_bytes = buf.current_bytes = entry.length = (int) b.n;
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

/* A body asks for other tables than these: not offered (§7.3.5.5). */
enum ofp_err
ofp_handle_table_features_stats(struct ofp_session *s, of_object_t *msg)
{
    struct features_job *j;
    of_list_table_features_t list;
    of_table_features_t entry;

    of_table_features_stats_request_entries_bind(msg, &list);
    if (of_list_table_features_first(&list, &entry) == OF_ERROR_NONE)
        return s->role == OFP_ROLE_SLAVE ? OFP_ERR_REQ_IS_SLAVE
                                         : OFP_ERR_TABLE_FEATURES_EPERM;
    BASE_NEW(j);
    j->job.run = features_run;
    j->job.destroy = features_destroy;
    ofp_reply_begin(&j->reply, s, OF_TABLE_FEATURES_STATS_REPLY,
                    ofp_session_xid(s));
    ofp_session_start_job(s, &j->job);
    return OFP_OK;
}
