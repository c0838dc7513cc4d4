/* SPDX-License-Identifier: Apache-2.0 */
/* How each dump looks to people. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utils/cli/flow.h"
#include "utils/cli/table.h"
#include "utils/weft-dump/dump.h"
#include "weft/drop.h"

#define OFPORT_LOCAL UINT64_C(0xfffffffe)

static void
cell_port(struct table *t, uint64_t no)
{
    if (no == OFPORT_LOCAL)
        table_text(t, "LOCAL");
    else
        table_u64(t, no);
}

static void
cell_rate(struct table *t, double rate)
{
    if (rate < 0)
        table_text(t, "-");
    else
        table_addf(t, "%.0f", rate);
}

static double
real(const json_t *item, const char *name)
{
    return json_number_value(json_object_get(item, name));
}

/* "3s", "5m12s", "2h5m", "4d6h" */
static void
cell_age(struct table *t, double seconds)
{
    unsigned long s = (unsigned long) seconds;

    if (s < 60)
        table_addf(t, "%lus", s);
    else if (s < 3600)
        table_addf(t, "%lum%lus", s / 60, s % 60);
    else if (s < 86400)
        table_addf(t, "%luh%lum", s / 3600, s / 60 % 60);
    else
        table_addf(t, "%lud%luh", s / 86400, s / 3600 % 24);
}

static void
cell_bytes(struct table *t, uint64_t n)
{
    if (n < 10240)
        table_addf(t, "%" PRIu64, n);
    else if (n < 10 << 20)
        table_addf(t, "%" PRIu64 "K", n >> 10);
    else
        table_addf(t, "%" PRIu64 "M", n >> 20);
}

/* ----------------------------------------------------------------- flows */

/* The line of ovs-ofctl dump-flows, so that scripts for it work here. */
void
print_flows(const struct dump *d)
{
    struct base_str line = BASE_STR_INIT;
    size_t n;
    const json_t **list = cli_flows_sorted(d->items, NULL, false, &n);

    for (size_t i = 0; i < n; i++) {
        base_str_clear(&line);
        cli_flow_line(&line, list[i], true, item_rate(d, list[i], "packets"));
        puts(base_str_cstr(&line));
    }
    base_str_fini(&line);
    free(list);
}

void
print_cache(const struct dump *d)
{
    size_t i;
    json_t *e;

    json_array_foreach(d->items, i, e) {
        const char *match = item_text(e, "match");
        double rate = item_rate(d, e, "packets");

        printf(" worker=%" PRIu64 ", packets=%" PRIu64 ", ",
               item_u64(e, "worker"), item_u64(e, "packets"));
        if (rate >= 0)
            printf("pps=%.0f, ", rate);
        printf("%s%s%sactions=%s\n",
               json_is_true(json_object_get(e, "valid")) ? "" : "stale, ",
               match, *match ? " " : "", item_text(e, "actions"));
    }
}

void
print_tables(const struct dump *d)
{
    static const char *const titles[] = { "BRIDGE", ">TABLE", ">RULES",
                                          ">LOOKUPS", ">MATCHES", "FORM",
                                          ">PROBES", ">MEMORY", NULL };
    struct table t;
    size_t i;
    json_t *v;

    table_init(&t, titles);
    json_array_foreach(d->items, i, v) {
        table_text(&t, item_text(v, "bridge"));
        table_u64(&t, item_u64(v, "table"));
        table_u64(&t, item_u64(v, "rules"));
        table_u64(&t, item_u64(v, "lookups"));
        table_u64(&t, item_u64(v, "matches"));
        table_text(&t, item_text(v, "form"));
        table_u64(&t, item_u64(v, "max_probes"));
        cell_bytes(&t, item_u64(v, "memory"));
    }
    table_print(&t);
    table_fini(&t);
}

/* ----------------------------------------------------------------- ports */

static void
port_row(const struct dump *d, struct table *t, const json_t *v)
{
    cell_port(t, item_u64(v, "ofport"));
    table_text(t, item_text(v, "name"));
    table_text(t, item_text(v, "type"));
    table_u64(t, item_u64(v, "stats.rx_packets"));
    cell_bytes(t, item_u64(v, "stats.rx_bytes"));
    cell_rate(t, item_rate(d, v, "stats.rx_packets"));
    table_u64(t, item_u64(v, "stats.tx_packets"));
    cell_bytes(t, item_u64(v, "stats.tx_bytes"));
    cell_rate(t, item_rate(d, v, "stats.tx_packets"));
    table_u64(t, item_u64(v, "stats.rx_dropped")
                     + item_u64(v, "stats.tx_dropped"));
}

#define PORT_TITLES                                                           \
    "BRIDGE", ">PORT", "NAME", "TYPE", ">RX", ">BYTES", ">RX/S", ">TX",       \
        ">BYTES", ">TX/S", ">DROPPED"

void
print_ports(const struct dump *d)
{
    static const char *const titles[] = { PORT_TITLES, ">MTU", "MAC",
                                          "STATUS", "OPTIONS", NULL };
    struct table t;
    size_t i;
    json_t *v;

    table_init(&t, titles);
    json_array_foreach(d->items, i, v) {
        table_text(&t, item_text(v, "bridge"));
        port_row(d, &t, v);
        table_u64(&t, item_u64(v, "mtu"));
        table_text(&t, item_text(v, "mac"));
        table_text(&t, item_text(v, "status"));
        table_text(&t, item_text(v, "options"));
    }
    table_print(&t);
    table_fini(&t);
}

static void
print_remotes(const json_t *remotes)
{
    static const char *const titles[] = { "REMOTE", "STATE", "VIA", "UPLINK",
                                          "LOCAL", "MAC", ">MTU", NULL };
    struct table t;
    size_t i;
    json_t *v;

    table_init(&t, titles);
    json_array_foreach(remotes, i, v) {
        table_text(&t, item_text(v, "remote"));
        table_text(&t, item_text(v, "state"));
        table_text(&t, item_text(v, "via"));
        table_text(&t, item_text(v, "uplink"));
        table_text(&t, item_text(v, "local"));
        table_text(&t, item_text(v, "mac"));
        table_u64(&t, item_u64(v, "mtu"));
    }
    table_print(&t);
    table_fini(&t);
}

void
print_tunnels(const struct dump *d)
{
    static const char *const titles[] = { PORT_TITLES, "STATUS", "OPTIONS",
                                          NULL };
    struct table t;
    size_t i;
    json_t *v;

    table_init(&t, titles);
    json_array_foreach(d->items, i, v) {
        table_text(&t, item_text(v, "bridge"));
        port_row(d, &t, v);
        table_text(&t, item_text(v, "status"));
        table_text(&t, item_text(v, "options"));
    }
    table_print(&t);
    table_fini(&t);
    print_remotes(json_object_get(d->result, "remotes"));
}

void
print_uplinks(const struct dump *d)
{
    static const char *const titles[] = { "NAME", "TYPE", "MODE", ">RX",
                                          ">RX/S", ">TX", ">TX/S", ">DROPPED",
                                          ">MTU", "MAC", "STATUS", NULL };
    struct table t;
    size_t i;
    json_t *v;

    table_init(&t, titles);
    json_array_foreach(d->items, i, v) {
        table_text(&t, item_text(v, "name"));
        table_text(&t, item_text(v, "type"));
        table_text(&t, item_text(v, "mode"));
        table_u64(&t, item_u64(v, "stats.rx_packets"));
        cell_rate(&t, item_rate(d, v, "stats.rx_packets"));
        table_u64(&t, item_u64(v, "stats.tx_packets"));
        cell_rate(&t, item_rate(d, v, "stats.tx_packets"));
        table_u64(&t, item_u64(v, "stats.rx_dropped")
                          + item_u64(v, "stats.tx_dropped"));
        table_u64(&t, item_u64(v, "mtu"));
        table_text(&t, item_text(v, "mac"));
        table_text(&t, item_text(v, "status"));
    }
    table_print(&t);
    table_fini(&t);
}

/* A line per group, one per bucket below. */
void
print_groups(const struct dump *d)
{
    static const char *const titles[] = {
        "BRIDGE", ">GROUP", "TYPE", ">REFS", ">BUCKET", ">WEIGHT",
        ">PACKETS", ">BYTES", ">PPS", "ACTIONS", NULL
    };
    struct table t;
    size_t i, k;
    json_t *g, *b;

    table_init(&t, titles);
    json_array_foreach(d->items, i, g) {
        table_text(&t, item_text(g, "bridge"));
        table_u64(&t, item_u64(g, "group"));
        table_text(&t, item_text(g, "type"));
        table_u64(&t, item_u64(g, "ref_count"));
        table_text(&t, "");
        table_text(&t, "");
        table_u64(&t, item_u64(g, "packets"));
        cell_bytes(&t, item_u64(g, "bytes"));
        cell_rate(&t, item_rate(d, g, "packets"));
        table_text(&t, "");
        json_array_foreach(json_object_get(g, "buckets"), k, b) {
            for (unsigned blank = 0; blank < 4; blank++)
                table_text(&t, "");
            table_u64(&t, item_u64(b, "bucket_id"));
            table_u64(&t, item_u64(b, "weight"));
            table_u64(&t, item_u64(b, "packets"));
            cell_bytes(&t, item_u64(b, "bytes"));
            table_text(&t, "");
            table_text(&t, item_text(b, "actions"));
        }
    }
    table_print(&t);
    table_fini(&t);
}

void
print_meters(const struct dump *d)
{
    static const char *const titles[] = { "BRIDGE", "METER", ">FLOWS",
                                          ">PACKETS", ">BYTES", ">PPS",
                                          ">OVER RATE", "RATES", NULL };
    struct table t;
    size_t i, k;
    json_t *m, *b;

    table_init(&t, titles);
    json_array_foreach(d->items, i, m) {
        uint64_t over = 0;

        json_array_foreach(json_object_get(m, "bands"), k, b)
            over += item_u64(b, "packets");
        table_text(&t, item_text(m, "bridge"));
        table_text(&t, item_text(m, "meter"));
        table_u64(&t, item_u64(m, "flow_count"));
        table_u64(&t, item_u64(m, "packets"));
        cell_bytes(&t, item_u64(m, "bytes"));
        cell_rate(&t, item_rate(d, m, "packets"));
        table_u64(&t, over);
        table_text(&t, item_text(m, "text"));
    }
    table_print(&t);
    table_fini(&t);
}

/* Bit/s as they are configured: "80k", "10M"; 0: there is none. */
static void
cell_bits(struct table *t, uint64_t rate)
{
    if (!rate)
        table_text(t, "-");
    else if (rate % 1000000000 == 0)
        table_addf(t, "%" PRIu64 "G", rate / 1000000000);
    else if (rate % 1000000 == 0)
        table_addf(t, "%" PRIu64 "M", rate / 1000000);
    else if (rate % 1000 == 0)
        table_addf(t, "%" PRIu64 "k", rate / 1000);
    else
        table_u64(t, rate);
}

void
print_queues(const struct dump *d)
{
    static const char *const titles[] = {
        "BRIDGE", ">PORT", "NAME", ">QUEUE", ">MIN", ">MAX", ">BURST",
        ">PACKETS", ">BYTES", ">PPS", ">ERRORS", ">AGE", NULL
    };
    struct table t;
    size_t i;
    json_t *q;

    table_init(&t, titles);
    json_array_foreach(d->items, i, q) {
        table_text(&t, item_text(q, "bridge"));
        cell_port(&t, item_u64(q, "ofport"));
        table_text(&t, item_text(q, "port_name"));
        table_u64(&t, item_u64(q, "queue"));
        cell_bits(&t, item_u64(q, "min_rate"));
        cell_bits(&t, item_u64(q, "max_rate"));
        cell_bits(&t, item_u64(q, "burst"));
        table_u64(&t, item_u64(q, "tx_packets"));
        cell_bytes(&t, item_u64(q, "tx_bytes"));
        cell_rate(&t, item_rate(d, q, "tx_packets"));
        table_u64(&t, item_u64(q, "tx_errors"));
        cell_age(&t, real(q, "age"));
    }
    table_print(&t);
    table_fini(&t);
}

void
print_macs(const struct dump *d)
{
    static const char *const titles[] = { "BRIDGE", "MAC", ">VLAN", ">PORT",
                                          "NAME", "REMOTE", ">AGE", NULL };
    struct table t;
    size_t i;
    json_t *v;

    table_init(&t, titles);
    json_array_foreach(d->items, i, v) {
        table_text(&t, item_text(v, "bridge"));
        table_text(&t, item_text(v, "mac"));
        table_u64(&t, item_u64(v, "vlan"));
        cell_port(&t, item_u64(v, "port"));
        table_text(&t, item_text(v, "port_name"));
        table_text(&t, *item_text(v, "remote") ? item_text(v, "remote") : "-");
        cell_age(&t, (double) item_u64(v, "age"));
    }
    table_print(&t);
    table_fini(&t);
}

void
print_vteps(const struct dump *d)
{
    static const char *const titles[] = { "BRIDGE", ">PORT", "NAME", "TYPE",
                                          "REMOTE", "ORIGIN", ">AGE", NULL };
    struct table t;
    size_t i;
    json_t *v;

    table_init(&t, titles);
    json_array_foreach(d->items, i, v) {
        table_text(&t, item_text(v, "bridge"));
        cell_port(&t, item_u64(v, "ofport"));
        table_text(&t, item_text(v, "port_name"));
        table_text(&t, item_text(v, "type"));
        table_text(&t, item_text(v, "remote"));
        table_text(&t, item_text(v, "origin"));
        cell_age(&t, (double) item_u64(v, "age"));
    }
    table_print(&t);
    table_fini(&t);
}

/* --------------------------------------------------------------- workers */

/* Share of the time spent on packets, since the former answer if there is
 * one, else since the start. */
static void
cell_busy(const struct dump *d, struct table *t, const json_t *v)
{
    double busy = item_rate(d, v, "busy_cycles");
    double idle = item_rate(d, v, "idle_cycles");

    if (busy < 0 || idle < 0) {
        busy = (double) item_u64(v, "busy_cycles");
        idle = (double) item_u64(v, "idle_cycles");
    }
    if (busy + idle > 0)
        table_addf(t, "%.1f%%", 100 * busy / (busy + idle));
    else
        table_text(t, "-");
}

void
print_workers(const struct dump *d)
{
    static const char *const titles[] = {
        ">WORKER", ">CORE",  ">PORTS",   ">RXQS",    ">BUSY",     ">PACKETS",
        ">PKT/S",  ">CYC/PKT", ">LONGEST", ">HITS",  ">MISSES",   ">STALE",
        ">KEPT", ">ENTRIES", ">CAPACITY", ">MEMORY", NULL
    };
    struct table t;
    size_t i;
    json_t *v;

    table_init(&t, titles);
    json_array_foreach(d->items, i, v) {
        uint64_t packets = item_u64(v, "packets");

        table_u64(&t, item_u64(v, "worker"));
        if (json_object_get(v, "core"))
            table_u64(&t, item_u64(v, "core"));
        else
            table_text(&t, "any");
        table_u64(&t, item_u64(v, "ports"));
        table_u64(&t, item_u64(v, "rx_queues"));
        cell_busy(d, &t, v);
        table_u64(&t, packets);
        cell_rate(&t, item_rate(d, v, "packets"));
        if (packets)
            table_u64(&t, item_u64(v, "busy_cycles") / packets);
        else
            table_text(&t, "-");
        table_addf(&t, "%.0fus", (double) item_u64(v, "longest_cycles") * 1e6
                                     / (double) item_u64(v, "tsc_hz"));
        table_u64(&t, item_u64(v, "cache.hits"));
        table_u64(&t, item_u64(v, "cache.misses"));
        table_u64(&t, item_u64(v, "cache.stale"));
        table_u64(&t, item_u64(v, "cache.kept"));
        table_u64(&t, item_u64(v, "cache.entries"));
        table_u64(&t, item_u64(v, "cache.capacity"));
        cell_bytes(&t, item_u64(v, "cache.memory"));
    }
    table_print(&t);
    table_fini(&t);
}

void
print_controllers(const struct dump *d)
{
    static const char *const titles[] = {
        "BRIDGE", "TARGET", "PEER", ">AUX", "STATE", "ROLE", "PROTOCOL",
        ">SINCE", ">RX", ">TX", ">QUEUED", "LAST ERROR", NULL
    };
    struct table t;
    size_t i;
    json_t *v;

    table_init(&t, titles);
    json_array_foreach(d->items, i, v) {
        table_text(&t, item_text(v, "bridge"));
        table_text(&t, item_text(v, "target"));
        table_text(&t, item_text(v, "peer"));
        table_u64(&t, item_u64(v, "auxiliary_id"));
        table_text(&t, item_text(v, "state"));
        table_text(&t, item_text(v, "role"));
        table_text(&t, item_text(v, "protocol"));
        cell_age(&t, real(v, "since"));
        table_u64(&t, item_u64(v, "rx_messages"));
        table_u64(&t, item_u64(v, "tx_messages"));
        table_u64(&t, item_u64(v, "queued"));
        table_text(&t, item_text(v, "last_error"));
    }
    table_print(&t);
    table_fini(&t);
}

/* ----------------------------------------------------------------- drops */

static const char *
drop_help(const char *name)
{
    for (unsigned i = 0; i < N_DROP_REASONS; i++)
        if (!strcmp(drop_reason_names[i], name))
            return drop_reason_help[i];
    return "";
}

/* Rows of one {reason: packets}. */
static void
drop_rows(struct table *t, const char *bridge, const char *port,
          const json_t *drops)
{
    const char *reason;
    json_t *v;

    json_object_foreach((json_t *) drops, reason, v) {
        table_text(t, bridge);
        table_text(t, port);
        table_text(t, reason);
        table_u64(t, (uint64_t) json_integer_value(v));
        table_text(t, drop_help(reason));
    }
}

/* Every packet is somewhere, exactly once; printed as the sum it is. */
static void
print_balance(const json_t *b)
{
    uint64_t missing = item_u64(b, "missing"), extra = item_u64(b, "surplus");

    printf("%s: received %" PRIu64 " + injected %" PRIu64 " + copied %" PRIu64
           " = sent %" PRIu64 " + punted %" PRIu64 " + consumed %" PRIu64
           " + dropped %" PRIu64 ": ",
           item_text(b, "bridge"), item_u64(b, "received"),
           item_u64(b, "injected"), item_u64(b, "copied"),
           item_u64(b, "sent"), item_u64(b, "punted"),
           item_u64(b, "consumed"), item_u64(b, "total_dropped"));
    if (json_is_true(json_object_get(b, "holds")))
        puts("holds");
    else if (missing)
        printf("%" PRIu64 " on their way\n", missing);
    else
        printf("%" PRIu64 " too many\n", extra);
}

void
print_drops(const struct dump *d)
{
    static const char *const titles[] = { "BRIDGE", "PORT", "REASON",
                                          ">PACKETS", "MEANS", NULL };
    struct table t;
    size_t i, k;
    json_t *b, *p;

    table_init(&t, titles);
    json_array_foreach(d->items, i, b) {
        const char *name = item_text(b, "bridge");

        drop_rows(&t, name, "", json_object_get(b, "dropped"));
        json_array_foreach(json_object_get(b, "ports"), k, p)
            drop_rows(&t, name, item_text(p, "name"),
                      json_object_get(p, "drops"));
    }
    json_array_foreach(json_object_get(d->result, "uplinks"), i, p)
        drop_rows(&t, "uplink", item_text(p, "name"),
                  json_object_get(p, "drops"));
    table_print(&t);
    table_fini(&t);
    json_array_foreach(d->items, i, b)
        print_balance(b);
}
