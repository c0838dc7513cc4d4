/* SPDX-License-Identifier: Apache-2.0 */
/* Table-mod, table statistics.
 * Source: OpenFlow 1.3.5 §7.3.3, §7.3.5.4; OpenFlow 1.0.0 §5.3.5. */
#include "ofproto/handlers/handlers_priv.h"

#include <stdio.h>

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
