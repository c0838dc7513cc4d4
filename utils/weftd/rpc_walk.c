/* SPDX-License-Identifier: Apache-2.0 */
/* Groups, meters, learned addresses as they stand: walks by number. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ofproto/ofproto.h"
#include "utils/base/addr.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"
#include "utils/weftd/jw.h"
#include "utils/weftd/reconcile.h"
#include "utils/weftd/rpc.h"
#include "utils/weftd/weftd.h"

#define STEP 32 /* Groups or meters between two looks at the clock, */
#define MAC_STEP 256 /* or places of the table of addresses. */

struct walk {
    struct rpc_stream stream;
    struct weftd *d;
    struct jw j;
    const char *list;
    bool began;
    bool (*step)(struct walk *, struct rc_bridge *);
    uint32_t next;  /* Group or meter, */
    size_t next_mac; /* place of an address. */
    size_t at, n; /* Bridges, looked up by name for each slice. */
    char *name[];
};

/* ------------------------------------------------------------------- items */

static void
put_stats(struct jw *j, const struct dp_stats *s)
{
    jw_u64(j, "packets", s->packets);
    jw_u64(j, "bytes", s->bytes);
}

static void
put_bucket(struct jw *j, const struct ofp_bucket_info *b)
{
    jw_object(j, NULL);
    jw_u64(j, "bucket_id", b->id);
    jw_u64(j, "weight", b->weight);
    if (b->watch_port != DP_PORT_NONE)
        jw_u64(j, "watch_port", b->watch_port);
    if (b->watch_group != DP_GROUP_NONE)
        jw_u64(j, "watch_group", b->watch_group);
    put_stats(j, &b->stats);
    jw_str(j, "actions", b->actions);
    jw_end_object(j);
}

static void
put_group(void *arg, const struct ofp_group_info *g)
{
    struct walk *w = arg;
    struct jw *j = &w->j;

    jw_object(j, NULL);
    jw_str(j, "bridge", w->name[w->at]);
    jw_u64(j, "group", g->id);
    jw_str(j, "type", g->type);
    jw_seconds(j, "duration", g->duration_ns);
    jw_u64(j, "ref_count", g->ref_count);
    put_stats(j, &g->stats);
    jw_array(j, "buckets");
    for (size_t i = 0; i < g->n_buckets; i++)
        put_bucket(j, &g->buckets[i]);
    jw_end_array(j);
    jw_str(j, "text", g->text);
    jw_end_object(j);
}

static void
put_meter(void *arg, const struct ofp_meter_info *m)
{
    struct walk *w = arg;
    struct jw *j = &w->j;

    jw_object(j, NULL);
    jw_str(j, "bridge", w->name[w->at]);
    jw_str(j, "meter", m->name);
    jw_seconds(j, "duration", m->duration_ns);
    jw_u64(j, "flow_count", m->flow_count);
    put_stats(j, &m->in);
    jw_array(j, "bands");
    for (size_t i = 0; i < m->n_bands; i++) {
        jw_object(j, NULL);
        put_stats(j, &m->bands[i]);
        jw_end_object(j);
    }
    jw_end_array(j);
    jw_str(j, "text", m->text);
    jw_end_object(j);
}

static void
put_mac(void *arg, const struct dp_mac_info *m)
{
    struct walk *w = arg;
    struct rc_bridge *b = reconcile_bridge(w->d->rc, w->name[w->at]);
    struct dp_port_info info;
    char mac[BASE_MAC_LEN], remote[BASE_IPV4_LEN];

    jw_object(&w->j, NULL);
    jw_str(&w->j, "bridge", b->name);
    jw_str(&w->j, "mac", base_format_mac(m->mac, mac));
    jw_u64(&w->j, "vlan", m->vlan);
    jw_u64(&w->j, "port", m->port_no);
    jw_str(&w->j, "port_name",
           dp_port_get(ofp_bridge_dp(b->ofp), m->port_no, &info) ? ""
                                                                 : info.name);
    if (m->remote)
        jw_str(&w->j, "remote", base_format_ipv4(m->remote, remote));
    jw_u64(&w->j, "age", m->age_s);
    jw_end_object(&w->j);
}

/* ------------------------------------------------------------------- walks */

static bool
groups_step(struct walk *w, struct rc_bridge *b)
{
    return ofp_group_dump(b->ofp, &w->next, STEP, put_group, w);
}

static bool
meters_step(struct walk *w, struct rc_bridge *b)
{
    return ofp_meter_dump(b->ofp, &w->next, STEP, put_meter, w);
}

static bool
macs_step(struct walk *w, struct rc_bridge *b)
{
    return dp_mac_dump(ofp_bridge_dp(b->ofp), &w->next_mac, MAC_STEP, put_mac,
                       w);
}

static bool
walk_run(struct rpc_stream *stream, struct base_str *out)
{
    struct walk *w = WEFT_CONTAINER_OF(stream, struct walk, stream);
    uint64_t end = base_clock_ns() + RPC_SLICE_NS;

    w->j.out = out;
    if (!w->began) {
        jw_object(&w->j, NULL);
        jw_array(&w->j, w->list);
        w->began = true;
    }
    while (w->at < w->n) {
        struct rc_bridge *b = reconcile_bridge(w->d->rc, w->name[w->at]);

        if (!b || !w->step(w, b)) {
            w->at++;
            w->next = 0;
            w->next_mac = 0;
        } else if (base_clock_ns() >= end) {
            return true;
        }
    }
    jw_end_array(&w->j);
    jw_end_object(&w->j);
    return false;
}

static void
walk_destroy(struct rpc_stream *stream)
{
    struct walk *w = WEFT_CONTAINER_OF(stream, struct walk, stream);

    for (size_t i = 0; i < w->n; i++)
        free(w->name[i]);
    free(w);
}

static int
walk_begin(struct weftd *d, const json_t *params, const char *list,
           bool (*step)(struct walk *, struct rc_bridge *),
           struct rpc_stream **out, struct weft_err *e)
{
    const char *only = rpc_param(params, "bridge");
    const struct rc_bridge *b;
    struct walk *w;
    size_t n = 0;

    BASE_LIST_FOR(b, reconcile_bridges(d->rc), node)
        n += !*only || !strcmp(only, b->name);
    if (*only && !n)
        return weft_err_set(e, -ENOENT, "bridge %s: there is none of this "
                            "name", only);
    w = base_xcalloc(1, sizeof *w + n * sizeof w->name[0]);
    w->stream = (struct rpc_stream){ .run = walk_run,
                                     .destroy = walk_destroy };
    w->d = d;
    w->list = list;
    w->step = step;
    BASE_LIST_FOR(b, reconcile_bridges(d->rc), node)
        if (!*only || !strcmp(only, b->name))
            w->name[w->n++] = base_xstrdup(b->name);
    *out = &w->stream;
    return 0;
}

int
rpc_groups(struct weftd *d, const json_t *params, struct rpc_stream **out,
           struct weft_err *e)
{
    return walk_begin(d, params, "groups", groups_step, out, e);
}

int
rpc_meters(struct weftd *d, const json_t *params, struct rpc_stream **out,
           struct weft_err *e)
{
    return walk_begin(d, params, "meters", meters_step, out, e);
}

int
rpc_macs(struct weftd *d, const json_t *params, struct rpc_stream **out,
         struct weft_err *e)
{
    return walk_begin(d, params, "macs", macs_step, out, e);
}
