/* SPDX-License-Identifier: Apache-2.0 */
/* Methods about the configuration and the daemon itself. */
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "controller_client/controller_client.h"
#include "ofproto/ofproto.h"
#include "utils/base/addr.h"
#include "utils/base/clock.h"
#include "utils/base/log.h"
#include "utils/weftd/jw.h"
#include "utils/weftd/model.h"
#include "utils/weftd/reconcile.h"
#include "utils/weftd/rpc.h"
#include "utils/weftd/rpc_parts.h"
#include "utils/weftd/weftd.h"

int
rpc_export(struct weftd *d, const json_t *params, struct base_str *result,
           struct weft_err *e)
{
    json_t *doc = reconcile_document(d->rc);
    char *text = json_dumps(doc, JSON_COMPACT | JSON_SORT_KEYS);

    (void) params;
    (void) e;
    base_str_add(result, text);
    free(text);
    json_decref(doc);
    return 0;
}

int
rpc_version(struct weftd *d, const json_t *params, struct base_str *result,
            struct weft_err *e)
{
    struct jw j = JW_INIT(result);

    (void) params;
    (void) e;
    jw_object(&j, NULL);
    jw_str(&j, "program", "weftd");
    jw_str(&j, "version", PACKAGE_VERSION);
    jw_u64(&j, "schema", RPC_SCHEMA);
    jw_u64(&j, "pid", (uint64_t) getpid());
    jw_str(&j, "run_dir", d->run_dir);
    jw_seconds(&j, "uptime", base_clock_ns() - d->started_ns);
    jw_end_object(&j);
    return 0;
}

int
rpc_ping(struct weftd *d, const json_t *params, struct base_str *result,
         struct weft_err *e)
{
    (void) d;
    (void) params;
    (void) e;
    base_str_add(result, "{}");
    return 0;
}

int
rpc_set_log(struct weftd *d, const json_t *params, struct base_str *result,
            struct weft_err *e)
{
    const char *name = rpc_param(params, "level");
    enum base_log_level level;

    (void) d;
    if (base_log_level_parse(name, &level))
        return weft_err_set(e, -EINVAL, "log level \"%s\" is none of err, "
                            "warn, info, debug", name);
    base_log_set_level(level);
    base_str_add(result, "{}");
    return 0;
}

int
rpc_exit(struct weftd *d, const json_t *params, struct base_str *result,
         struct weft_err *e)
{
    (void) params;
    (void) e;
    base_log(BASE_LOG_INFO, "weftd", "asked to exit");
    event_base_loopexit(d->base, NULL);
    base_str_add(result, "{}");
    return 0;
}

/* ----------------------------------------------------------------- parts */

static const char *
protocol_name(uint8_t wire_version, char buf[16])
{
    switch (wire_version) {
    case 0:
        return "";
    case 1:
        return "OpenFlow10";
    case 4:
        return "OpenFlow13";
    case 5:
        return "OpenFlow14";
    case 6:
        return "OpenFlow15";
    default:
        snprintf(buf, 16, "0x%02x", wire_version);
        return buf;
    }
}

struct controller_dump {
    struct jw *j;
    const char *bridge;
};

static void
put_controller(void *arg, const struct cc_info *i)
{
    struct controller_dump *d = arg;
    struct jw *j = d->j;
    char buf[16];

    jw_object(j, NULL);
    jw_str(j, "bridge", d->bridge);
    jw_str(j, "target", i->target);
    jw_str(j, "peer", i->peer);
    jw_str(j, "state", i->state);
    jw_bool(j, "connected", i->connected);
    jw_u64(j, "auxiliary_id", i->aux);
    jw_str(j, "role", i->role);
    jw_str(j, "protocol", protocol_name(i->wire_version, buf));
    jw_seconds(j, "since", base_clock_ns() - i->since_ns);
    jw_str(j, "last_error", i->last_error);
    jw_u64(j, "rx_messages", i->rx_messages);
    jw_u64(j, "tx_messages", i->tx_messages);
    jw_u64(j, "queued", i->queued);
    jw_end_object(j);
}

void
rpc_put_controllers(struct jw *j, const struct rc_bridge *b)
{
    struct controller_dump d = { j, b->name };

    if (b->cc)
        cc_foreach(b->cc, put_controller, &d);
}

void
rpc_put_stats(struct jw *j, const struct dp_port_stats *s)
{
    jw_object(j, "stats");
    jw_u64(j, "rx_packets", s->rx_packets);
    jw_u64(j, "rx_bytes", s->rx_bytes);
    jw_u64(j, "rx_dropped", s->rx_dropped);
    jw_u64(j, "rx_errors", s->rx_errors);
    jw_u64(j, "tx_packets", s->tx_packets);
    jw_u64(j, "tx_bytes", s->tx_bytes);
    jw_u64(j, "tx_dropped", s->tx_dropped);
    jw_u64(j, "tx_errors", s->tx_errors);
    jw_end_object(j);
}

void
rpc_put_drops(struct jw *j, const char *key,
              const uint64_t drops[N_DROP_REASONS])
{
    jw_object(j, key);
    for (unsigned i = 0; i < N_DROP_REASONS; i++)
        if (drops[i])
            jw_u64(j, drop_reason_names[i], drops[i]);
    jw_end_object(j);
}

static void
put_config_bits(struct jw *j, uint32_t config)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } bits[] = { { DP_PC_DOWN, "port_down" },
                 { DP_PC_NO_RECV, "no_recv" },
                 { DP_PC_NO_FWD, "no_fwd" },
                 { DP_PC_NO_PACKET_IN, "no_packet_in" },
                 { DP_PC_NO_FLOOD, "no_flood" } };

    jw_array(j, "config");
    for (size_t i = 0; i < WEFT_ARRAY_LEN(bits); i++)
        if (config & bits[i].bit)
            jw_str(j, NULL, bits[i].name);
    jw_end_array(j);
}

void
rpc_put_port(struct jw *j, const char *bridge, const struct dp_port_info *i)
{
    char mac[BASE_MAC_LEN];

    jw_object(j, NULL);
    jw_str(j, "bridge", bridge);
    jw_u64(j, "ofport", i->port_no);
    jw_str(j, "name", i->name);
    jw_str(j, "type", i->type);
    jw_str(j, "mac", base_format_mac(i->mac, mac));
    jw_u64(j, "mtu", i->mtu);
    jw_bool(j, "link_up", i->link_up);
    jw_u64(j, "speed_mbps", i->speed_mbps);
    jw_str(j, "status", i->status);
    jw_str(j, "options", i->options);
    put_config_bits(j, i->config);
    jw_seconds(j, "age", base_clock_ns() - i->created_ns);
    rpc_put_stats(j, &i->stats);
    rpc_put_drops(j, "drops", i->drops);
    jw_end_object(j);
}

void
rpc_put_ports(struct jw *j, const struct rc_bridge *b)
{
    struct dp_bridge *dp = ofp_bridge_dp(b->ofp);
    struct dp_port_info info;

    for (uint32_t no = dp_port_next(dp, 0); no; no = dp_port_next(dp, no))
        if (!dp_port_get(dp, no, &info))
            rpc_put_port(j, b->name, &info);
}

void
rpc_put_uplinks(struct jw *j, struct weftd *d)
{
    struct dp_uplink_info info;
    char mac[BASE_MAC_LEN];

    jw_array(j, "uplinks");
    for (uint32_t id = dp_uplink_next(d->dp, 0); id;
         id = dp_uplink_next(d->dp, id)) {
        if (dp_uplink_get(d->dp, id, &info))
            continue;
        jw_object(j, NULL);
        jw_u64(j, "id", id);
        jw_str(j, "name", info.name);
        jw_str(j, "type", info.type);
        jw_str(j, "mode", info.mode);
        jw_str(j, "mac", base_format_mac(info.mac, mac));
        jw_u64(j, "mtu", info.mtu);
        jw_bool(j, "link_up", info.link_up);
        jw_str(j, "status", info.status);
        rpc_put_stats(j, &info.stats);
        rpc_put_drops(j, "drops", info.drops);
        jw_end_object(j);
    }
    jw_end_array(j);
}

/* ------------------------------------------------------------------ show */

static const char *
fail_mode_name(enum ofp_fail_mode m)
{
    return m == OFP_FAIL_STANDALONE ? "standalone"
           : m == OFP_FAIL_HOLD     ? "hold"
                                    : "secure";
}

static void
put_mac_stats(struct jw *j, struct rc_bridge *b)
{
    struct dp_mac_stats s;

    dp_mac_get_stats(ofp_bridge_dp(b->ofp), &s);
    jw_object(j, "macs");
    jw_u64(j, "addresses", s.n);
    jw_u64(j, "limit", s.limit);
    jw_u64(j, "age", s.age_s);
    jw_u64(j, "moves", s.moves);
    jw_u64(j, "refused", s.refused);
    jw_end_object(j);
}

static void
put_bridge(struct jw *j, struct rc_bridge *b)
{
    struct ofp_bridge_stats s;
    char dpid[24], *text;

    ofp_bridge_get_stats(b->ofp, &s);
    snprintf(dpid, sizeof dpid, "%016" PRIx64, ofp_bridge_dpid(b->ofp));
    text = json_dumps(b->options, JSON_COMPACT | JSON_SORT_KEYS);
    jw_object(j, NULL);
    jw_str(j, "name", b->name);
    jw_str(j, "dpid", dpid);
    jw_str(j, "fail_mode", fail_mode_name(ofp_bridge_fail_mode(b->ofp)));
    jw_raw(j, "options", text);
    jw_u64(j, "rules", s.n_rules);
    jw_u64(j, "sessions", s.n_sessions);
    jw_u64(j, "flow_mods", s.flow_mods);
    jw_u64(j, "packet_ins", s.packet_ins);
    jw_u64(j, "packet_outs", s.packet_outs);
    jw_u64(j, "errors_sent", s.errors_sent);
    put_mac_stats(j, b);
    jw_array(j, "controllers");
    rpc_put_controllers(j, b);
    jw_end_array(j);
    jw_array(j, "ports");
    rpc_put_ports(j, b);
    jw_end_array(j);
    jw_end_object(j);
    free(text);
}

int
rpc_show(struct weftd *d, const json_t *params, struct base_str *result,
         struct weft_err *e)
{
    struct jw j = JW_INIT(result);
    struct rc_bridge *b;

    (void) params;
    (void) e;
    jw_object(&j, NULL);
    jw_array(&j, "bridges");
    BASE_LIST_FOR(b, reconcile_bridges(d->rc), node)
        put_bridge(&j, b);
    jw_end_array(&j);
    rpc_put_uplinks(&j, d);
    jw_end_object(&j);
    return 0;
}
