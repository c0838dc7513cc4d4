/* SPDX-License-Identifier: Apache-2.0 */
/* Methods behind weft-dump: what the switch has and does. */
#include <errno.h>
#include <string.h>

#include "ofproto/ofproto.h"
#include "tunnels/underlay/underlay.h"
#include "utils/base/addr.h"
#include "utils/base/clock.h"
#include "utils/weftd/jw.h"
#include "utils/weftd/reconcile.h"
#include "utils/weftd/rpc.h"
#include "utils/weftd/rpc_parts.h"
#include "utils/weftd/weftd.h"

/* The member 'list': what each bridge has, or the one named. */
static int
put_bridges(struct jw *j, struct weftd *d, const char *list,
            const json_t *params, rpc_bridge_writer *write, struct weft_err *e)
{
    const char *only = rpc_param(params, "bridge");
    struct rc_bridge *b;
    int err = 0;

    if (*only && !reconcile_bridge(d->rc, only))
        return weft_err_set(e, -ENOENT, "bridge %s: there is none of this "
                            "name", only);
    jw_array(j, list);
    BASE_LIST_FOR(b, reconcile_bridges(d->rc), node) {
        if (!err && (!*only || !strcmp(only, b->name)))
            err = write(j, d, b, params, e);
    }
    jw_end_array(j);
    return err;
}

int
rpc_answer_bridges(struct weftd *d, const char *list, const json_t *params,
                   rpc_bridge_writer *write, struct base_str *result,
                   struct weft_err *e)
{
    struct jw j = JW_INIT(result);

    jw_object(&j, NULL);
    int err = put_bridges(&j, d, list, params, write, e);
    jw_end_object(&j);
    return err;
}

/* ---------------------------------------------------------------- tables */

static int
write_tables(struct jw *j, struct weftd *d, struct rc_bridge *b,
             const json_t *params, struct weft_err *e)
{
    struct dp_table_info t;

    (void) d;
    (void) params;
    (void) e;
    for (unsigned i = 0; i < DP_N_TABLES; i++) {
        dp_table_get(ofp_bridge_dp(b->ofp), (uint8_t) i, &t);
        if (!t.n_rules && !t.lookups)
            continue;
        jw_object(j, NULL);
        jw_str(j, "bridge", b->name);
        jw_u64(j, "table", i);
        jw_u64(j, "rules", t.n_rules);
        jw_u64(j, "lookups", t.lookups);
        jw_u64(j, "matches", t.matches);
        jw_str(j, "form", t.form);
        jw_u64(j, "max_probes", t.max_probes);
        jw_u64(j, "memory", t.memory);
        jw_end_object(j);
    }
    return 0;
}

int
rpc_tables(struct weftd *d, const json_t *params, struct base_str *result,
           struct weft_err *e)
{
    return rpc_answer_bridges(d, "tables", params, write_tables, result, e);
}

/* ------------------------------------------------------ ports, tunnels */

static int
write_ports(struct jw *j, struct weftd *d, struct rc_bridge *b,
            const json_t *params, struct weft_err *e)
{
    (void) d;
    (void) params;
    (void) e;
    rpc_put_ports(j, b);
    return 0;
}

int
rpc_ports(struct weftd *d, const json_t *params, struct base_str *result,
          struct weft_err *e)
{
    return rpc_answer_bridges(d, "ports", params, write_ports, result, e);
}

static void
put_queues(struct jw *j, const struct rc_bridge *b,
           const struct dp_port_info *port)
{
    struct dp_bridge *dp = ofp_bridge_dp(b->ofp);
    struct dp_queue_config c;
    struct dp_queue_stats s;

    for (uint32_t q = 0; !dp_queue_next(dp, port->port_no, q, &q); q++) {
        if (dp_queue_get(dp, port->port_no, q, &c, &s))
            continue;
        jw_object(j, NULL);
        jw_str(j, "bridge", b->name);
        jw_u64(j, "ofport", port->port_no);
        jw_str(j, "port_name", port->name);
        jw_u64(j, "queue", q);
        jw_u64(j, "min_rate", c.min_rate);
        jw_u64(j, "max_rate", c.max_rate);
        jw_u64(j, "burst", c.burst);
        jw_u64(j, "tx_packets", s.tx_packets);
        jw_u64(j, "tx_bytes", s.tx_bytes);
        jw_u64(j, "tx_errors", s.tx_errors);
        jw_seconds(j, "age", base_clock_ns() - s.created_ns);
        jw_end_object(j);
    }
}

static int
write_queues(struct jw *j, struct weftd *d, struct rc_bridge *b,
             const json_t *params, struct weft_err *e)
{
    struct dp_bridge *dp = ofp_bridge_dp(b->ofp);
    struct dp_port_info info;

    (void) d;
    (void) params;
    (void) e;
    for (uint32_t no = dp_port_next(dp, 0); no; no = dp_port_next(dp, no))
        if (!dp_port_get(dp, no, &info))
            put_queues(j, b, &info);
    return 0;
}

int
rpc_queues(struct weftd *d, const json_t *params, struct base_str *result,
           struct weft_err *e)
{
    return rpc_answer_bridges(d, "queues", params, write_queues, result, e);
}

static int
write_tunnels(struct jw *j, struct weftd *d, struct rc_bridge *b,
              const json_t *params, struct weft_err *e)
{
    struct dp_bridge *dp = ofp_bridge_dp(b->ofp);
    struct dp_port_info info;

    (void) d;
    (void) params;
    (void) e;
    for (uint32_t no = dp_port_next(dp, 0); no; no = dp_port_next(dp, no))
        if (!dp_port_get(dp, no, &info) && tnl_type_by_name(info.type))
            rpc_put_port(j, b->name, &info);
    return 0;
}

struct remotes {
    struct jw *j;
    struct weftd *d;
};

static void
put_remote(void *arg, const struct underlay_info *i)
{
    struct remotes *r = arg;
    struct dp_uplink_info up;
    char text[BASE_MAC_LEN];

    jw_object(r->j, NULL);
    jw_str(r->j, "remote", base_format_ipv4(i->remote, text));
    jw_str(r->j, "state", i->state);
    jw_str(r->j, "via", i->via ? base_format_ipv4(i->via, text) : "");
    if (!strcmp(i->state, "reachable")) {
        if (!dp_uplink_get(r->d->dp, i->nexthop.uplink, &up))
            jw_str(r->j, "uplink", up.name);
        jw_str(r->j, "local", base_format_ipv4(i->nexthop.src, text));
        jw_str(r->j, "mac", base_format_mac(i->nexthop.dst_mac, text));
        jw_u64(r->j, "mtu", i->nexthop.mtu);
    }
    jw_end_object(r->j);
}

int
rpc_tunnels(struct weftd *d, const json_t *params, struct base_str *result,
            struct weft_err *e)
{
    struct jw j = JW_INIT(result);
    struct remotes r = { &j, d };

    jw_object(&j, NULL);
    int err = put_bridges(&j, d, "tunnels", params, write_tunnels, e);
    jw_array(&j, "remotes");
    underlay_foreach(d->underlay, put_remote, &r);
    jw_end_array(&j);
    jw_end_object(&j);
    return err;
}

int
rpc_uplinks(struct weftd *d, const json_t *params, struct base_str *result,
            struct weft_err *e)
{
    struct jw j = JW_INIT(result);

    (void) params;
    (void) e;
    jw_object(&j, NULL);
    rpc_put_uplinks(&j, d);
    jw_end_object(&j);
    return 0;
}

/* ------------------------------------------------------------------ macs */

static int
flush_macs(struct jw *j, struct weftd *d, struct rc_bridge *b,
           const json_t *params, struct weft_err *e)
{
    (void) d;
    (void) params;
    (void) e;
    jw_str(j, NULL, b->name);
    dp_mac_flush(ofp_bridge_dp(b->ofp));
    return 0;
}

int
rpc_macs_flush(struct weftd *d, const json_t *params, struct base_str *result,
               struct weft_err *e)
{
    return rpc_answer_bridges(d, "flushed", params, flush_macs, result, e);
}

/* --------------------------------------------------------------- workers */

int
rpc_workers(struct weftd *d, const json_t *params, struct base_str *result,
            struct weft_err *e)
{
    struct jw j = JW_INIT(result);
    struct dp_worker_info w;

    (void) e;
    jw_object(&j, NULL);
    jw_array(&j, "workers");
    for (unsigned i = 0; !dp_worker_get(d->dp, i, &w); i++) {
        jw_object(&j, NULL);
        jw_u64(&j, "worker", w.id);
        if (w.core >= 0)
            jw_u64(&j, "core", (uint64_t) w.core);
        jw_u64(&j, "ports", w.n_ports);
        jw_u64(&j, "iterations", w.iterations);
        jw_u64(&j, "packets", w.packets);
        jw_u64(&j, "busy_cycles", w.busy_cycles);
        jw_u64(&j, "idle_cycles", w.idle_cycles);
        jw_u64(&j, "longest_cycles", w.longest_cycles);
        jw_u64(&j, "tsc_hz", w.tsc_hz);
        jw_u64(&j, "rx_queues", w.n_rxqs);
        jw_u64(&j, "moves", w.n_moves);
        jw_object(&j, "cache");
        jw_u64(&j, "hits", w.cache.hits);
        jw_u64(&j, "misses", w.cache.misses);
        jw_u64(&j, "stale", w.cache.stale);
        jw_u64(&j, "kept", w.cache.kept);
        jw_u64(&j, "inserts", w.cache.inserts);
        jw_u64(&j, "evictions", w.cache.evictions);
        jw_u64(&j, "entries", w.cache.entries);
        jw_u64(&j, "capacity", w.cache.capacity);
        jw_u64(&j, "memory", w.cache.memory);
        jw_end_object(&j);
        jw_end_object(&j);
    }
    jw_end_array(&j);
    jw_end_object(&j);
    if (json_is_true(json_object_get(params, "reset_longest")))
        dp_workers_reset_longest(d->dp);
    return 0;
}

/* ----------------------------------------------------------- controllers */

static int
write_controllers(struct jw *j, struct weftd *d, struct rc_bridge *b,
                  const json_t *params, struct weft_err *e)
{
    (void) d;
    (void) params;
    (void) e;
    rpc_put_controllers(j, b);
    return 0;
}

int
rpc_controllers(struct weftd *d, const json_t *params,
                struct base_str *result, struct weft_err *e)
{
    return rpc_answer_bridges(d, "controllers", params, write_controllers, result, e);
}

/* ----------------------------------------------------------------- drops */

static void
put_balance(struct jw *j, const struct dp_balance *b)
{
    uint64_t dropped = 0, in = b->received + b->injected + b->copied, out;

    for (unsigned i = 0; i < N_DROP_REASONS; i++)
        dropped += b->dropped[i];
    out = b->sent + b->punted + b->consumed + dropped;
    jw_u64(j, "received", b->received);
    jw_u64(j, "injected", b->injected);
    jw_u64(j, "copied", b->copied);
    jw_u64(j, "sent", b->sent);
    jw_u64(j, "punted", b->punted);
    jw_u64(j, "consumed", b->consumed);
    rpc_put_drops(j, "dropped", b->dropped);
    jw_u64(j, "total_dropped", dropped);
    jw_bool(j, "holds", in == out);
    jw_u64(j, "missing", in > out ? in - out : 0);
    jw_u64(j, "surplus", out > in ? out - in : 0);
}

static int
write_drops(struct jw *j, struct weftd *d, struct rc_bridge *b,
            const json_t *params, struct weft_err *e)
{
    struct dp_bridge *dp = ofp_bridge_dp(b->ofp);
    struct dp_port_info info;
    struct dp_balance balance;

    (void) d;
    (void) params;
    (void) e;
    dp_bridge_get_balance(dp, &balance);
    jw_object(j, NULL);
    jw_str(j, "bridge", b->name);
    put_balance(j, &balance);
    jw_array(j, "ports");
    for (uint32_t no = dp_port_next(dp, 0); no; no = dp_port_next(dp, no)) {
        if (dp_port_get(dp, no, &info))
            continue;
        jw_object(j, NULL);
        jw_u64(j, "ofport", no);
        jw_str(j, "name", info.name);
        rpc_put_drops(j, "drops", info.drops);
        jw_end_object(j);
    }
    jw_end_array(j);
    jw_end_object(j);
    return 0;
}

int
rpc_drops(struct weftd *d, const json_t *params, struct base_str *result,
          struct weft_err *e)
{
    struct jw j = JW_INIT(result);
    struct dp_uplink_info info;

    jw_object(&j, NULL);
    int err = put_bridges(&j, d, "bridges", params, write_drops, e);
    jw_array(&j, "uplinks");
    for (uint32_t id = dp_uplink_next(d->dp, 0); id;
         id = dp_uplink_next(d->dp, id)) {
        if (dp_uplink_get(d->dp, id, &info))
            continue;
        jw_object(&j, NULL);
        jw_str(&j, "name", info.name);
        rpc_put_drops(&j, "drops", info.drops);
        jw_end_object(&j);
    }
    jw_end_array(&j);
    jw_end_object(&j);
    return err;
}
