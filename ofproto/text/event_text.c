/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/text/event_text.h"

#include <inttypes.h>

#include "flow_text_priv.h"
#include "ofproto/agent_priv.h"
#include "ofproto/oxs.h"
#include "ofproto/text/text_client.h"

#define NS_PER_S UINT64_C(1000000000)
#define DEFAULT_PRIORITY 0x8000
#define OFPT_ERROR 1

static const char *
name_of(const char *const names[], size_t n, unsigned i)
{
    return i < n && names[i] ? names[i] : "unknown";
}
#define NAME_OF(names, i) name_of(names, WEFT_ARRAY_LEN(names), i)

static void
add_head(struct base_str *s, const char *name, const of_object_t *m)
{
    uint32_t xid = get_be32(OF_OBJECT_BUFFER_INDEX(m, 4));

    base_str_addf(s, "%s (OF1.5) (xid=0x%" PRIx32 "):", name, xid);
}

/* "1", "LOCAL", or with the name behind it. */
static void
add_port(struct base_str *s, uint32_t no, const char *name)
{
    char buf[PORT_NAME_MAX];

    base_str_addf(s, "%s(%s)", text_port_name(no, buf), name);
}

static void
add_match(struct base_str *s, const of_object_t *view, unsigned priority)
{
    struct flow_match m;

    memset(&m, 0, sizeof m);
    if (ofp_match_take(view, &m)) {
        base_str_add(s, "(match not understood)");
        return;
    }
    if (priority != DEFAULT_PRIORITY)
        base_str_addf(s, "priority=%u%s", priority,
                      flow_mask_words(&m.mask) ? "," : "");
    ofp_text_add_match(s, &m);
}

/* --------------------------------------------------------------- packet-in */

static void
add_packet_in(struct base_str *s, const struct event_texts *t,
              of_packet_in_t *m)
{
    static const char *const reasons[] = { "no_match", "action",
                                           "invalid_ttl", "action_set",
                                           "group", "packet_out" };
    uint8_t reason, table;
    uint64_t cookie;
    uint16_t total;
    uint32_t buffer;
    of_octets_t data;
    of_object_t view;

    of_packet_in_reason_get(m, &reason);
    of_packet_in_table_id_get(m, &table);
    of_packet_in_cookie_get(m, &cookie);
    of_packet_in_total_len_get(m, &total);
    of_packet_in_buffer_id_get(m, &buffer);
    of_packet_in_data_get(m, &data);
    of_packet_in_match_bind(m, &view);
    add_head(s, "OFPT_PACKET_IN", m);
    if (table)
        base_str_addf(s, " table_id=%u", table);
    if (cookie != UINT64_MAX)
        base_str_addf(s, " cookie=0x%" PRIx64, cookie);
    base_str_addf(s, " total_len=%u ", total);
    add_match(s, &view, DEFAULT_PRIORITY);
    base_str_addf(s, " (via %s) data_len=%d", NAME_OF(reasons, reason),
                  data.bytes);
    if (buffer == UINT32_MAX)
        base_str_add(s, " (unbuffered)");
    else
        base_str_addf(s, " buffer=0x%08" PRIx32, buffer);
    if (t->frame) {
        base_str_add(s, "\n");
        t->frame(s, data.data, (size_t) data.bytes);
    }
}

/* ------------------------------------------------------------ flow-removed */

static const char *const removed_reasons[] = {
    "idle", "hard", "delete", "group_delete", "meter_delete", "eviction",
};

static void
add_flow_removed(struct base_str *s, of_flow_removed_t *m)
{
    uint16_t priority, idle, hard;
    uint8_t reason, table;
    uint64_t cookie;
    struct ofp_oxs oxs;
    of_stat_v6_t stat;
    of_object_t view;

    of_flow_removed_priority_get(m, &priority);
    of_flow_removed_reason_get(m, &reason);
    of_flow_removed_table_id_get(m, &table);
    of_flow_removed_cookie_get(m, &cookie);
    of_flow_removed_idle_timeout_get(m, &idle);
    of_flow_removed_hard_timeout_get(m, &hard);
    of_flow_removed_match_bind(m, &view);
    of_flow_removed_stats_bind(m, &stat);
    (void) ofp_oxs_take(&stat, &oxs); /* Zeros if it is broken. */
    add_head(s, "OFPT_FLOW_REMOVED", m);
    base_str_add(s, " ");
    add_match(s, &view, priority);
    base_str_addf(s, " reason=%s table_id=%u", NAME_OF(removed_reasons,
                                                       reason), table);
    if (cookie)
        base_str_addf(s, " cookie:0x%" PRIx64, cookie);
    base_str_addf(s, " duration%.3fs idle%u",
                  (double) oxs.value[OFP_OXS_DURATION] / (double) NS_PER_S,
                  idle);
    if (hard)
        base_str_addf(s, " hard%u", hard);
    base_str_addf(s, " pkts%" PRIu64 " bytes%" PRIu64,
                  oxs.value[OFP_OXS_PACKET_COUNT],
                  oxs.value[OFP_OXS_BYTE_COUNT]);
}

/* ------------------------------------------------------------- port-status */

static void
add_bits(struct base_str *s, const char *label, uint32_t bits,
         const char *const names[], size_t n)
{
    base_str_addf(s, "\n     %-12s", label);
    if (!bits)
        base_str_add(s, "0");
    for (size_t i = 0, said = 0; i < 32; i++) {
        if (!(bits >> i & 1))
            continue;
        base_str_add(s, said++ ? " " : "");
        if (i < n && names[i])
            base_str_add(s, names[i]);
        else
            base_str_addf(s, "0x%" PRIx32, UINT32_C(1) << i);
    }
}

static void
add_port_speed(struct base_str *s, of_port_desc_t *d)
{
    of_list_port_desc_prop_t props;
    of_port_desc_prop_t p;
    int rv;

    of_port_desc_properties_bind(d, &props);
    OF_LIST_PORT_DESC_PROP_ITER(&props, &p, rv) {
        uint32_t now = 0, max = 0;

        if (p.object_id != OF_PORT_DESC_PROP_ETHERNET)
            continue;
        of_port_desc_prop_ethernet_curr_speed_get(&p, &now);
        of_port_desc_prop_ethernet_max_speed_get(&p, &max);
        base_str_addf(s, "\n     speed: %" PRIu32 " Mbps now, %" PRIu32
                      " Mbps max", now / 1000, max / 1000);
    }
}

static void
add_port_status(struct base_str *s, of_port_status_t *m)
{
    static const char *const reasons[] = { "ADD", "DEL", "MOD" };
    static const char *const configs[] = {
        "PORT_DOWN", NULL, "NO_RECV", NULL, NULL, "NO_FWD", "NO_PACKET_IN",
    };
    static const char *const states[] = { "LINK_DOWN", "BLOCKED", "LIVE" };
    uint32_t no, config, state;
    of_port_desc_t d;
    of_mac_addr_t mac;
    of_port_name_t name;
    uint8_t reason;

    of_port_status_reason_get(m, &reason);
    of_port_status_desc_bind(m, &d);
    of_port_desc_port_no_get(&d, &no);
    of_port_desc_hw_addr_get(&d, &mac);
    of_port_desc_name_get(&d, &name);
    of_port_desc_config_get(&d, &config);
    of_port_desc_state_get(&d, &state);
    name[sizeof name - 1] = '\0';
    add_head(s, "OFPT_PORT_STATUS", m);
    base_str_addf(s, " %s: ", NAME_OF(reasons, reason));
    add_port(s, no, name);
    base_str_addf(s, ": addr:%02x:%02x:%02x:%02x:%02x:%02x", mac.addr[0],
                  mac.addr[1], mac.addr[2], mac.addr[3], mac.addr[4],
                  mac.addr[5]);
    add_bits(s, "config:", config, configs, WEFT_ARRAY_LEN(configs));
    add_bits(s, "state:", state, states, WEFT_ARRAY_LEN(states));
    add_port_speed(s, &d);
}

static void
add_table_status(struct base_str *s, of_table_status_t *m)
{
    of_table_desc_t d;
    uint8_t reason;

    of_table_status_reason_get(m, &reason);
    of_table_status_table_bind(m, &d);
    add_head(s, "OFPT_TABLE_STATUS", m);
    base_str_addf(s, " reason=%s\n  ", reason == 3   ? "VACANCY_DOWN"
                                       : reason == 4 ? "VACANCY_UP"
                                                     : "unknown");
    ofp_text_add_table_desc(s, &d);
}

/* ----------------------------------------------------------- flow monitors */

/* " actions=..." of an update that has instructions. */
static void
add_instructions(struct base_str *s, const struct event_texts *t,
                 of_object_t *u, uint8_t table)
{
    struct flow_match m;
    struct dp_instr in;
    of_object_t view;

    of_flow_update_added_match_bind(u, &view);
    if (ofp_match_take(&view, &m))
        return;
    of_flow_update_added_instructions_bind(u, &view);
    if (view.length <= 0)
        return;
    ofp_compile_begin(t->scratch, (uint8_t) u->version, table, &m);
    if (ofp_compile_instructions(t->scratch, &view, &in))
        return;
    base_str_add(s, " actions=");
    ofp_text_add_instr(s, &in);
}

static void
add_update_full(struct base_str *s, const struct event_texts *t,
                of_object_t *u, const char *event)
{
    uint16_t idle, hard, priority;
    uint8_t table, reason;
    uint64_t cookie;
    of_object_t view;

    of_flow_update_added_table_id_get(u, &table);
    of_flow_update_added_reason_get(u, &reason);
    of_flow_update_added_idle_timeout_get(u, &idle);
    of_flow_update_added_hard_timeout_get(u, &hard);
    of_flow_update_added_priority_get(u, &priority);
    of_flow_update_added_cookie_get(u, &cookie);
    base_str_addf(s, "\n event=%s", event);
    if (u->object_id == OF_FLOW_UPDATE_REMOVED)
        base_str_addf(s, " reason=%s", NAME_OF(removed_reasons, reason));
    base_str_addf(s, " table=%u", table);
    if (idle)
        base_str_addf(s, " idle_timeout=%u", idle);
    if (hard)
        base_str_addf(s, " hard_timeout=%u", hard);
    base_str_addf(s, " cookie=0x%" PRIx64 " ", cookie);
    of_flow_update_added_match_bind(u, &view);
    add_match(s, &view, priority);
    base_str_chomp(s, ' ');
    add_instructions(s, t, u, table);
}

static void
add_update(struct base_str *s, const struct event_texts *t, of_object_t *u)
{
    uint32_t xid = 0;

    switch ((int) u->object_id) {
    case OF_FLOW_UPDATE_INITIAL:
        add_update_full(s, t, u, "INITIAL");
        break;
    case OF_FLOW_UPDATE_ADDED:
        add_update_full(s, t, u, "ADDED");
        break;
    case OF_FLOW_UPDATE_REMOVED:
        add_update_full(s, t, u, "DELETED");
        break;
    case OF_FLOW_UPDATE_MODIFIED:
        add_update_full(s, t, u, "MODIFIED");
        break;
    case OF_FLOW_UPDATE_ABBREV:
        of_flow_update_abbrev_xid_get(u, &xid);
        base_str_addf(s, "\n event=ABBREV xid=0x%" PRIx32, xid);
        break;
    case OF_FLOW_UPDATE_PAUSED:
        base_str_add(s, "\n event=PAUSED");
        break;
    case OF_FLOW_UPDATE_RESUMED:
        base_str_add(s, "\n event=RESUMED");
        break;
    default:
        base_str_add(s, "\n event=unknown");
    }
}

static void
add_flow_monitor(struct base_str *s, const struct event_texts *t,
                 of_object_t *m)
{
    of_list_flow_update_t list;
    of_object_t u;
    int rv;

    add_head(s, "OFPST_FLOW_MONITOR reply", m);
    of_flow_monitor_stats_reply_entries_bind(m, &list);
    OF_LIST_FLOW_UPDATE_ITER(&list, &u, rv) {
        add_update(s, t, &u);
    }
}

/* ------------------------------------------------------------------- events */

static const char *
add_error(struct base_str *s, const uint8_t *msg, size_t len)
{
    base_str_add(s, "OFPT_ERROR (OF1.5): ");
    ofp_client_add_error(s, msg, len);
    return "error";
}

const char *
ofp_text_add_event(struct base_str *s, const struct event_texts *t,
                   const uint8_t *msg, size_t len)
{
    of_object_storage_t storage;
    struct of_parse_err perr;
    of_object_t *m;

    if (len >= 8 && msg[1] == OFPT_ERROR)
        return add_error(s, msg, len);
    m = of_object_parse(&storage, (uint8_t *) (uintptr_t) msg, (int) len,
                        &perr);
    switch (m ? (int) m->object_id : -1) {
    case OF_PACKET_IN:
        add_packet_in(s, t, m);
        return "packet-in";
    case OF_FLOW_REMOVED:
        add_flow_removed(s, m);
        return "flow-removed";
    case OF_PORT_STATUS:
        add_port_status(s, m);
        return "port-status";
    case OF_TABLE_STATUS:
        add_table_status(s, m);
        return "table-status";
    case OF_FLOW_MONITOR_STATS_REPLY:
        add_flow_monitor(s, t, m);
        return "flow-monitor";
    default:
        base_str_addf(s, "message of type %u, %zu bytes",
                      len >= 2 ? msg[1] : 0, len);
        return "other";
    }
}
