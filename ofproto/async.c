/* SPDX-License-Identifier: Apache-2.0 */
/* What the switch says of itself: packet-in, flow-removed, port-status,
 * role-status.
 * Source: OpenFlow 1.4.1 §6.3.5, §7.4; 1.3.5 §6.3.4, §7.4; 1.0.0 §5.4. */
#include "ofproto/agent_priv.h"

#include <stdlib.h>

#include "utils/base/clock.h"
#include "utils/base/mem.h"

#define NS_PER_S UINT64_C(1000000000)

/* ------------------------------------------------------- who hears what */

void
ofp_async_init(struct ofp_session *s)
{
    for (unsigned i = 0; i < OFP_N_ASYNC; i++)
        s->async[i][0] = ~0u; /* §6.3.4: all to equal and master, ... */
    /* ... the requests of others only to who asks. */
    s->async[OFP_ASYNC_REQUESTFORWARD][0] = 0;
    /* A slave hears of ports, and what it was made of. */
    s->async[OFP_ASYNC_PORT_STATUS][1] = ~0u;
    s->async[OFP_ASYNC_ROLE_STATUS][1] = ~0u;
    s->async[OFP_ASYNC_CONT_STATUS][1] = ~0u;
}

uint32_t
ofp_async_known(uint8_t version, enum ofp_async kind)
{
    static const uint32_t in_13[OFP_N_ASYNC] = { 0x7, 0x7, 0xf };
    static const uint32_t in_14[OFP_N_ASYNC] = {
        [OFP_ASYNC_PACKET_IN] = 0x3f,    [OFP_ASYNC_PORT_STATUS] = 0x7,
        [OFP_ASYNC_FLOW_REMOVED] = 0x3f, [OFP_ASYNC_ROLE_STATUS] = 0x7,
        [OFP_ASYNC_TABLE_STATUS] = 0x18, [OFP_ASYNC_REQUESTFORWARD] = 0x3,
    };

    if (version >= OF_VERSION_1_5 && kind == OFP_ASYNC_FLOW_STATS)
        return 0x3;
    if (version >= OF_VERSION_1_5 && kind == OFP_ASYNC_CONT_STATUS)
        return 0x7f;
    return version >= OF_VERSION_1_4 ? in_14[kind] : in_13[kind];
}

/* ------------------------------------------------------------- packet-in */

/* Before 1.4 every action is just an action. */
static unsigned
packet_in_reason(uint8_t version, unsigned reason)
{
    return version < OF_VERSION_1_4 && reason > DP_PUNT_INVALID_TTL
               ? DP_PUNT_ACTION
               : reason;
}

/* What arrived with the packet, as a match (§7.4.1): the pipeline fields
 * that are not zero, and always the port. */
static void
punt_match(const struct dp_punt *p, struct flow_match *m)
{
    memset(m, 0, sizeof *m);
    m->key.in_port = be32_from(p->in_port);
    m->mask.in_port = ~0u;
    m->key.metadata = be64_from(p->metadata);
    m->mask.metadata = p->metadata ? ~UINT64_C(0) : 0;
    m->key.tun_id = be64_from(p->tunnel.id);
    m->mask.tun_id = p->tunnel.id ? ~UINT64_C(0) : 0;
    m->key.tun_src = p->tunnel.src;
    m->mask.tun_src = p->tunnel.src ? ~0u : 0;
    m->key.tun_dst = p->tunnel.dst;
    m->mask.tun_dst = p->tunnel.dst ? ~0u : 0;
}

static of_object_t *
packet_in(const struct ofp_session *s, const struct dp_punt *p,
          unsigned reason, const struct flow_match *m)
{
    of_packet_in_t *msg = of_packet_in_new((of_version_t) s->version);
    /* OpenFlow 1.3.5 §6.1.2 (1.0.0 §4.1.2 likewise): a switch that does not
     * buffer "must send the full packet".  max_len (§7.2.5) and miss_send_len
     * (§7.3.2) say how much to send of a packet that is kept, and none is. */
    of_octets_t data = { (uint8_t *) (uintptr_t) p->data, (int) p->len };
    of_object_t view;
    int err = 0;

    if (!msg)
        return NULL;
    of_packet_in_buffer_id_set(msg, OFP_NO_BUFFER);
    of_packet_in_total_len_set(
        msg, (uint16_t) WEFT_MIN(p->total_len, (uint32_t) UINT16_MAX));
    of_packet_in_reason_set(msg,
                            (uint8_t) packet_in_reason(s->version, reason));
    if (s->version == OF_VERSION_1_0) {
        of_packet_in_in_port_set(msg, p->in_port);
    } else {
        of_packet_in_table_id_set(msg, p->table);
        of_packet_in_cookie_set(msg, p->cookie);
        of_packet_in_match_bind(msg, &view);
        err = ofp_match_put(&view, m);
    }
    /* A frame that fills 64 KiB loses its tail to the header. */
    while (!err && of_packet_in_data_set(msg, &data))
        data.bytes -= WEFT_MIN(data.bytes, 64);
    return msg;
}

/* A miss by 1.0's rule goes to sessions of 1.0 alone; those know no
 * OFPR_INVALID_TTL. */
static bool
punt_for(const struct ofp_session *s, const struct dp_punt *p,
         unsigned reason)
{
    bool plain_miss = p->reason == DP_PUNT_NO_MATCH && !p->miss_rule
                      && p->cookie == UINT64_MAX;

    if (s->version == OF_VERSION_1_0) {
        if (reason == DP_PUNT_INVALID_TTL)
            return false;
    } else if (plain_miss) {
        return false;
    }
    return ofp_session_wants(s, OFP_ASYNC_PACKET_IN,
                             packet_in_reason(s->version, reason));
}

void
ofp_punt(struct ofp_bridge *b, const struct dp_punt *p)
{
    unsigned reason = p->reason;
    struct flow_match m;
    struct ofp_session *s;

    /* §5.4: what a table-miss rule sends is a miss. */
    if (p->miss_rule
        && (reason == DP_PUNT_ACTION || reason == DP_PUNT_ACTION_SET))
        reason = DP_PUNT_NO_MATCH;
    punt_match(p, &m);
    BASE_LIST_FOR(s, &b->sessions, link)
        if (punt_for(s, p, reason)) {
            b->stats.packet_ins++;
            ofp_session_send(ofp_session_for_frame(s, p->data, p->len),
                             packet_in(s, p, reason, &m));
        }
}

/* ----------------------------------------------------------- flow-removed */

/* What a version has no name for is a delete. */
static unsigned
removed_reason(uint8_t version, enum ofp_removed why)
{
    enum ofp_removed last = version == OF_VERSION_1_0   ? OFP_RR_DELETE
                            : version == OF_VERSION_1_3 ? OFP_RR_GROUP_DELETE
                                                        : OFP_RR_EVICTION;

    return why > last ? OFP_RR_DELETE : why;
}

/* Times and counters: members up to 1.4, OXS since. */
static int
removed_stats(of_flow_removed_t *msg, const struct ofp_rule *r,
              const struct dp_stats *stats)
{
    uint64_t age = base_clock_ns() - r->created_ns;
    struct ofp_oxs oxs;
    of_stat_v6_t view;

    if (msg->version >= OF_VERSION_1_5) {
        ofp_rule_oxs(r, stats, &oxs);
        of_flow_removed_stats_bind(msg, &view);
        return ofp_oxs_put(&view, &oxs);
    }
    of_flow_removed_duration_sec_set(msg, (uint32_t) (age / NS_PER_S));
    of_flow_removed_duration_nsec_set(msg, (uint32_t) (age % NS_PER_S));
    of_flow_removed_packet_count_set(msg, stats->packets);
    of_flow_removed_byte_count_set(msg, stats->bytes);
    return 0;
}

static of_object_t *
flow_removed(const struct ofp_session *s, const struct ofp_rule *r,
             const struct flow_match *m, const struct dp_stats *stats,
             enum ofp_removed why)
{
    of_flow_removed_t *msg = of_flow_removed_new((of_version_t) s->version);
    of_object_t view;

    if (!msg)
        return NULL;
    of_flow_removed_cookie_set(msg, ofp_rule_cookie(r));
    of_flow_removed_priority_set(msg, r->priority);
    of_flow_removed_reason_set(msg,
                               (uint8_t) removed_reason(s->version, why));
    of_flow_removed_idle_timeout_set(msg, r->idle_timeout);
    if (s->version != OF_VERSION_1_0) {
        of_flow_removed_table_id_set(msg, r->table);
        of_flow_removed_hard_timeout_set(msg, r->hard_timeout);
    }
    of_flow_removed_match_bind(msg, &view);
    if (ofp_match_put(&view, m) || removed_stats(msg, r, stats)) {
        of_object_delete(msg);
        return NULL;
    }
    return msg;
}

void
ofp_async_flow_removed(struct ofp_bridge *b, const struct ofp_rule *r,
                       const struct dp_stats *stats, enum ofp_removed why)
{
    struct flow_match m;
    struct ofp_session *s;

    ofp_rule_match(r, &m);
    BASE_LIST_FOR(s, &b->sessions, link)
        if (ofp_session_wants(s, OFP_ASYNC_FLOW_REMOVED,
                              removed_reason(s->version, why)))
            ofp_session_send(s, flow_removed(s, r, &m, stats, why));
}

/* ------------------------------------------------------------ port-status */

/* Current features: the speed's bit, where there is one (§7.2.1.4;
 * OpenFlow 1.0.0 §5.2.1 knows nothing above 10 Gb/s). */
static uint32_t
port_features(uint32_t mbps, uint8_t version)
{
    static const struct {
        uint32_t mbps, bit, bit10;
    } speeds[] = {
        { 10, 1 << 1, 1 << 1 },     { 100, 1 << 3, 1 << 3 },
        { 1000, 1 << 5, 1 << 5 },   { 10000, 1 << 6, 1 << 6 },
        { 40000, 1 << 7, 0 },       { 100000, 1 << 8, 0 },
        { 1000000, 1 << 9, 0 },
    };

    for (size_t i = 0; i < WEFT_ARRAY_LEN(speeds); i++)
        if (speeds[i].mbps == mbps)
            return version == OF_VERSION_1_0 ? speeds[i].bit10
                                             : speeds[i].bit;
    return mbps && version != OF_VERSION_1_0 ? 1 << 10 : 0; /* OTHER */
}

static uint32_t
port_kbps(const struct dp_port_info *i)
{
    return (uint32_t) WEFT_MIN((uint64_t) i->speed_mbps * 1000,
                               (uint64_t) UINT32_MAX);
}

/* From 1.4 on what belongs to Ethernet is a property (1.4.1 §7.2.1.2). */
static void
ethernet_append(of_port_desc_t *d, const struct dp_port_info *i)
{
    of_list_port_desc_prop_t props;
    of_port_desc_prop_ethernet_t p;

    of_port_desc_properties_bind(d, &props);
    of_port_desc_prop_ethernet_init(&p, d->version, -1, 1);
    if (of_list_port_desc_prop_append_bind(&props, &p))
        return; /* No memory: a port without speed. */
    of_port_desc_prop_ethernet_curr_set(
        &p, port_features(i->speed_mbps, (uint8_t) d->version));
    of_port_desc_prop_ethernet_curr_speed_set(&p, port_kbps(i));
    of_port_desc_prop_ethernet_max_speed_set(&p, port_kbps(i));
}

void
ofp_port_desc_fill(of_port_desc_t *d, const struct dp_port_info *i)
{
    bool of10 = d->version == OF_VERSION_1_0;
    of_mac_addr_t mac;
    of_port_name_t name = "";

    memcpy(mac.addr, i->mac, 6);
    /* 15 bytes and a NUL (§7.2.1); longer names are cut. */
    memcpy(name, i->name, strnlen(i->name, sizeof name - 1));
    of_port_desc_port_no_set(d, i->port_no);
    of_port_desc_hw_addr_set(d, mac);
    of_port_desc_name_set(d, name);
    of_port_desc_config_set(d, of10 ? i->config
                                    : i->config & ~DP_PC_NO_FLOOD);
    /* LINK_DOWN, and 1.3's LIVE. */
    of_port_desc_state_set(d, i->link_up ? (of10 ? 0 : 1u << 2) : 1u << 0);
    if (d->version >= OF_VERSION_1_4) {
        ethernet_append(d, i);
        return;
    }
    of_port_desc_curr_set(d, port_features(i->speed_mbps,
                                           (uint8_t) d->version));
    if (!of10) {
        of_port_desc_curr_speed_set(d, port_kbps(i));
        of_port_desc_max_speed_set(d, port_kbps(i));
    }
}

void
ofp_port_event(struct ofp_bridge *b, enum dp_port_event event,
               const struct dp_port_info *info)
{
    /* OFPPR_*: the numbers of enum dp_port_event. */
    unsigned reason = event;
    struct ofp_session *s;

    BASE_LIST_FOR(s, &b->sessions, link) {
        of_port_status_t *msg;
        of_port_desc_t desc;

        if (!ofp_session_wants(s, OFP_ASYNC_PORT_STATUS, reason))
            continue;
        msg = of_port_status_new((of_version_t) s->version);
        if (msg) {
            of_port_status_reason_set(msg, (uint8_t) reason);
            of_port_status_desc_bind(msg, &desc);
            ofp_port_desc_fill(&desc, info);
        }
        ofp_session_send(s, msg);
    }
}

/* -------------------------------------------------------- role-status */

/* 1.4.1 §7.4.4: whoever's role is changed by the switch, not by itself. */
void
ofp_async_role_status(struct ofp_session *s)
{
    const unsigned reason = 0; /* OFPCRR_MASTER_REQUEST */
    of_role_status_t *msg;

    if (s->version < OF_VERSION_1_4
        || !ofp_session_wants(s, OFP_ASYNC_ROLE_STATUS, reason))
        return;
    msg = of_role_status_new((of_version_t) s->version);
    if (msg) {
        of_role_status_role_set(msg, s->role);
        of_role_status_reason_set(msg, (uint8_t) reason);
        of_role_status_generation_id_set(
            msg, s->b->generation_known ? s->b->generation_id : UINT64_MAX);
    }
    ofp_session_send(s, msg);
}

void
ofp_async_table_status(struct ofp_bridge *b, uint8_t table, unsigned reason)
{
    struct ofp_session *s;

    BASE_LIST_FOR(s, &b->sessions, link) {
        of_version_t v = (of_version_t) s->version;
        of_table_status_t *m;
        of_table_desc_t *desc;

        if (v < OF_VERSION_1_4
            || !ofp_session_wants(s, OFP_ASYNC_TABLE_STATUS, reason))
            continue;
        m = of_table_status_new(v);
        desc = ofp_table_desc_new(b, v, table);
        if (m && desc) {
            of_table_status_reason_set(m, (uint8_t) reason);
            if (of_table_status_table_set(m, desc)) {
                of_object_delete(m);
                m = NULL;
            }
        }
        of_object_delete(desc);
        ofp_session_send(s, m);
    }
}
