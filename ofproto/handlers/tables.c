/* SPDX-License-Identifier: Apache-2.0 */
/* Table-mod, table-desc, table statistics.
 * Source: OpenFlow 1.3.5 §7.3.3, §7.3.5.4; OpenFlow 1.0.0 §5.3.5; OpenFlow
 * 1.4.1 §7.3.4.2, §7.3.5.16. */
#include "ofproto/handlers/handlers_priv.h"

#include <string.h>

#define WILDCARDS_10 0x3fffffu

/* ---------------------------------------------------------------- table-mod */

static enum ofp_err
take_eviction(of_object_t *prop, struct ofp_table_config *c)
{
    of_table_mod_prop_eviction_flags_get(prop, &c->evict_flags);
    return c->evict_flags & ~OFP_EF_ALL ? OFP_ERR_PROP_BAD_VALUE : OFP_OK;
}

/* Thresholds in percent; the current vacancy is the switch's to tell. */
static enum ofp_err
take_vacancy(of_object_t *prop, struct ofp_table_config *c)
{
    uint8_t now;

    of_table_mod_prop_vacancy_vacancy_down_get(prop, &c->down);
    of_table_mod_prop_vacancy_vacancy_up_get(prop, &c->up);
    of_table_mod_prop_vacancy_vacancy_get(prop, &now);
    return c->down > c->up || c->up > 100 || now ? OFP_ERR_PROP_BAD_VALUE
                                                 : OFP_OK;
}

/* §7.3.4.2: each property once at most. */
static enum ofp_err
take_properties(of_object_t *msg, struct ofp_table_config *c)
{
    of_list_table_mod_prop_t list;
    of_object_t prop;
    unsigned seen = 0;
    int rv;

    of_table_mod_properties_bind(msg, &list);
    OF_LIST_TABLE_MOD_PROP_ITER(&list, &prop, rv) {
        enum ofp_err err;
        unsigned bit;

        switch ((int) prop.object_id) {
        case OF_TABLE_MOD_PROP_EVICTION:
            bit = 1;
            err = take_eviction(&prop, c);
            break;
        case OF_TABLE_MOD_PROP_VACANCY:
            bit = 2;
            err = take_vacancy(&prop, c);
            break;
        case OF_TABLE_MOD_PROP_EXPERIMENTER:
            return OFP_ERR_PROP_BAD_EXPERIMENTER;
        default:
            return OFP_ERR_PROP_BAD_TYPE;
        }
        if (seen & bit)
            return OFP_ERR_PROP_DUP_TYPE;
        if (err)
            return err;
        seen |= bit;
    }
    return OFP_OK;
}

/* The deprecated bits of 1.2 are accepted and mean nothing. */
static enum ofp_err
table_mod_one(struct ofp_session *s, of_object_t *msg, uint8_t table,
              bool apply)
{
    const struct ofp_limits *l = s->b->tables.table[table].limits;
    struct ofp_table_config c = s->b->tables.table[table].config;
    enum ofp_err err = OFP_OK;

    of_table_mod_config_get(msg, &c.config);
    if (c.config & ~(s->version >= OF_VERSION_1_4 ? OFP_TC_ALL
                                                  : OFP_TC_DEPRECATED))
        return OFP_ERR_TABLE_MOD_BAD_CONFIG;
    if (s->version >= OF_VERSION_1_4 && l
        && c.config & ~l->capabilities & (OFP_TC_EVICTION | OFP_TC_VACANCY))
        return OFP_ERR_TABLE_MOD_BAD_CONFIG;
    if (s->version >= OF_VERSION_1_4)
        err = take_properties(msg, &c);
    else /* 1.3 cannot say these. */
        c.config |= s->b->tables.table[table].config.config
                    & ~OFP_TC_DEPRECATED;
    if (!err && apply)
        ofp_table_configure(s->b, table, &c);
    return err;
}

static enum ofp_err
table_mod_all(struct ofp_session *s, of_object_t *msg, bool apply)
{
    enum ofp_err err = OFP_OK;

    for (unsigned t = 0; t < DP_N_TABLES && !err; t++)
        if (ofp_table_is_there(&s->b->tables, t))
            err = table_mod_one(s, msg, (uint8_t) t, apply);
    return err;
}

enum ofp_err
ofp_handle_table_mod(struct ofp_session *s, of_object_t *msg)
{
    enum ofp_err err;
    uint8_t table;

    of_table_mod_table_id_get(msg, &table);
    if (table != OFP_TABLE_ALL)
        return ofp_table_is_there(&s->b->tables, table)
                   ? table_mod_one(s, msg, table, true)
                   : OFP_ERR_TABLE_MOD_BAD_TABLE;
    err = table_mod_all(s, msg, false);
    return err ? err : table_mod_all(s, msg, true);
}

/* --------------------------------------------------------------- table-desc */

of_table_desc_t *
ofp_table_desc_new(const struct ofp_bridge *b, of_version_t version,
                   uint8_t table)
{
    const struct ofp_table_config *c = &b->tables.table[table].config;
    of_table_desc_t *d = of_table_desc_new(version);
    of_list_table_mod_prop_t list;
    of_object_t p;

    if (!d)
        return NULL;
    of_table_desc_table_id_set(d, table);
    of_table_desc_config_set(d, c->config);
    of_table_desc_properties_bind(d, &list);
    of_table_mod_prop_eviction_init(&p, version, -1, 1);
    if (!of_list_table_mod_prop_append_bind(&list, &p))
        of_table_mod_prop_eviction_flags_set(&p, c->evict_flags);
    of_table_mod_prop_vacancy_init(&p, version, -1, 1);
    if (!of_list_table_mod_prop_append_bind(&list, &p)) {
        of_table_mod_prop_vacancy_vacancy_down_set(&p, c->down);
        of_table_mod_prop_vacancy_vacancy_up_set(&p, c->up);
        of_table_mod_prop_vacancy_vacancy_set(
            &p, (uint8_t) ofp_table_vacancy(b, table));
    }
    return d;
}

enum ofp_err
ofp_handle_table_desc_stats(struct ofp_session *s, of_object_t *msg)
{
    struct ofp_reply r;

    (void) msg;
    ofp_reply_begin(&r, s, OF_TABLE_DESC_STATS_REPLY, ofp_session_xid(s));
    for (unsigned t = 0; t < DP_N_TABLES; t++) {
        of_table_desc_t *d;

        if (!ofp_table_is_there(&s->b->tables, t))
            continue;
        d = ofp_table_desc_new(s->b, (of_version_t) s->version, (uint8_t) t);
        if (d)
            ofp_reply_append(&r, d);
        of_object_delete(d);
    }
    ofp_reply_end(&r);
    return OFP_OK;
}

/* --------------------------------------------------------------- statistics */

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
        const struct ofp_table_config *c =
            &r->s->b->tables.table[table].config;
        of_table_name_t name;

        memcpy(name, c->name, sizeof name);
        of_table_stats_entry_name_set(e, name);
        of_table_stats_entry_wildcards_set(e, WILDCARDS_10);
        of_table_stats_entry_max_entries_set(e, c->max);
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
        if (ofp_table_is_there(&s->b->tables, t))
            append_stats(&r, (uint8_t) t);
    ofp_reply_end(&r);
    return OFP_OK;
}
