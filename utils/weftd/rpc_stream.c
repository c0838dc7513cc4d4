/* SPDX-License-Identifier: Apache-2.0 */
/* Methods whose results may be long: rules, cached flows.  A run goes on until
 * its slice of time is used up. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ofproto/ofproto.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"
#include "utils/weftd/jw.h"
#include "utils/weftd/reconcile.h"
#include "utils/weftd/rpc.h"
#include "utils/weftd/rpc_parts.h"
#include "utils/weftd/weftd.h"

#define STEP 64 /* Rules or cache entries between two looks at the clock. */

/* Bridges in the answer: all, or the one named; 0 or -ENOENT. */
static int
bridges_count(const struct weftd *d, const char *only, size_t *n,
              struct weft_err *e)
{
    const struct rc_bridge *b;

    *n = 0;
    BASE_LIST_FOR(b, reconcile_bridges(d->rc), node)
        *n += !*only || !strcmp(only, b->name);
    if (*only && !*n)
        return weft_err_set(e, -ENOENT, "bridge %s: there is none of this "
                            "name", only);
    return 0;
}

/* ----------------------------------------------------------------- flows */

/* Flow-mod flags, OpenFlow 1.3.5 §7.3.4.1; 1.0's emergency bit is not kept. */
static void
put_flags(struct jw *j, uint16_t flags)
{
    static const char *const names[] = { "send_flow_rem", "check_overlap",
                                         "reset_counts", "no_packet_counts",
                                         "no_byte_counts" };

    jw_array(j, "flags");
    for (size_t i = 0; i < WEFT_ARRAY_LEN(names); i++)
        if (flags & 1u << i)
            jw_str(j, NULL, names[i]);
    jw_end_array(j);
}

void
rpc_put_flow(struct jw *j, const char *bridge, const struct ofp_flow_info *f)
{
    char cookie[24];

    snprintf(cookie, sizeof cookie, "0x%" PRIx64, f->cookie);
    jw_object(j, NULL);
    if (bridge)
        jw_str(j, "bridge", bridge);
    jw_u64(j, "table", f->table);
    jw_u64(j, "priority", f->priority);
    jw_str(j, "cookie", cookie);
    if (bridge) {
        jw_seconds(j, "duration", f->duration_ns);
        jw_u64(j, "packets", f->stats.packets);
        jw_u64(j, "bytes", f->stats.bytes);
    }
    if (f->stats.used_ns)
        jw_seconds(j, "idle", base_clock_ns() - f->stats.used_ns);
    jw_u64(j, "idle_timeout", f->idle_timeout);
    jw_u64(j, "hard_timeout", f->hard_timeout);
    jw_u64(j, "importance", f->importance);
    put_flags(j, f->flags);
    jw_str(j, "match", f->match);
    jw_str(j, "actions", f->actions);
    jw_end_object(j);
}

struct flows {
    struct rpc_stream stream;
    struct jw j;
    bool began;
    size_t at, n; /* Bridges. */
    struct {
        char *name;
        struct ofp_flow_dump *dump;
    } bridge[];
};

static void
put_flow(void *arg, const struct ofp_flow_info *f)
{
    struct flows *s = arg;

    rpc_put_flow(&s->j, s->bridge[s->at].name, f);
}

static bool
flows_run(struct rpc_stream *stream, struct base_str *out)
{
    struct flows *s = WEFT_CONTAINER_OF(stream, struct flows, stream);
    uint64_t end = base_clock_ns() + RPC_SLICE_NS;

    s->j.out = out;
    if (!s->began) {
        jw_object(&s->j, NULL);
        jw_array(&s->j, "flows");
        s->began = true;
    }
    while (s->at < s->n) {
        if (!ofp_flow_dump_next(s->bridge[s->at].dump, STEP, put_flow, s))
            s->at++;
        else if (base_clock_ns() >= end)
            return true;
    }
    jw_end_array(&s->j);
    jw_end_object(&s->j);
    return false;
}

static void
flows_destroy(struct rpc_stream *stream)
{
    struct flows *s = WEFT_CONTAINER_OF(stream, struct flows, stream);

    for (size_t i = 0; i < s->n; i++) {
        ofp_flow_dump_end(s->bridge[i].dump);
        free(s->bridge[i].name);
    }
    free(s);
}

/* All walks begin now: a bridge that goes later ends its own. */
int
rpc_flows(struct weftd *d, const json_t *params, struct rpc_stream **out,
          struct weft_err *e)
{
    const char *only = rpc_param(params, "bridge");
    const char *filter = rpc_param(params, "filter");
    struct rc_bridge *b;
    struct flows *s;
    size_t n;
    int err = bridges_count(d, only, &n, e);

    if (err)
        return err;
    s = base_xcalloc(1, sizeof *s + n * sizeof s->bridge[0]);
    s->stream = (struct rpc_stream){ .run = flows_run,
                                     .destroy = flows_destroy };
    BASE_LIST_FOR(b, reconcile_bridges(d->rc), node) {
        if (err || (*only && strcmp(only, b->name)))
            continue;
        err = ofp_flow_dump_begin(b->ofp, *filter ? filter : NULL,
                                  &s->bridge[s->n].dump, e);
        if (!err)
            s->bridge[s->n++].name = base_xstrdup(b->name);
    }
    if (err)
        flows_destroy(&s->stream);
    else
        *out = &s->stream;
    return err;
}

/* ----------------------------------------------------------------- cache */

struct cache {
    struct rpc_stream stream;
    struct weftd *d;
    struct jw j;
    bool began;
    uint64_t limit, left; /* Entries per bridge; of this bridge. */
    struct dp_cache_cursor cursor;
    size_t at, n; /* Bridges, looked up by name for each slice. */
    char *name[];
};

static void
put_cached(void *arg, const struct dp_cache_info *i)
{
    struct cache *s = arg;
    struct jw *j = &s->j;

    if (!s->left)
        return;
    s->left--;

    char *match = ofp_format_match(i->match), *ops = ofp_format_ops(&i->ops);
    jw_object(j, NULL);
    jw_str(j, "bridge", s->name[s->at]);
    jw_u64(j, "worker", i->worker);
    jw_u64(j, "packets", i->packets);
    jw_bool(j, "valid", i->valid);
    jw_str(j, "match", match);
    jw_str(j, "actions", ops);
    jw_end_object(j);
    free(match);
    free(ops);
}

/* Up to STEP entries of the bridge in turn; false: it has no more. */
static bool
cache_step(struct cache *s)
{
    struct rc_bridge *b = reconcile_bridge(s->d->rc, s->name[s->at]);

    return b && s->left
           && dp_cache_dump(ofp_bridge_dp(b->ofp), &s->cursor, STEP,
                            put_cached, s);
}

static bool
cache_run(struct rpc_stream *stream, struct base_str *out)
{
    struct cache *s = WEFT_CONTAINER_OF(stream, struct cache, stream);
    uint64_t end = base_clock_ns() + RPC_SLICE_NS;

    s->j.out = out;
    if (!s->began) {
        jw_object(&s->j, NULL);
        jw_array(&s->j, "entries");
        s->began = true;
    }
    while (s->at < s->n) {
        if (!cache_step(s)) {
            s->at++;
            s->left = s->limit;
            s->cursor = (struct dp_cache_cursor){ 0 };
        } else if (base_clock_ns() >= end) {
            return true;
        }
    }
    jw_end_array(&s->j);
    jw_end_object(&s->j);
    return false;
}

static void
cache_destroy(struct rpc_stream *stream)
{
    struct cache *s = WEFT_CONTAINER_OF(stream, struct cache, stream);

    for (size_t i = 0; i < s->n; i++)
        free(s->name[i]);
    free(s);
}

int
rpc_cache(struct weftd *d, const json_t *params, struct rpc_stream **out,
          struct weft_err *e)
{
    const json_t *limit = json_object_get(params, "limit");
    const char *only = rpc_param(params, "bridge");
    const struct rc_bridge *b;
    struct cache *s;
    size_t n;
    int err = bridges_count(d, only, &n, e);

    if (err)
        return err;
    if (limit && (!json_is_integer(limit) || json_integer_value(limit) < 0))
        return weft_err_set(e, -EINVAL, "cache: limit is not a number of "
                            "entries");
    s = base_xcalloc(1, sizeof *s + n * sizeof s->name[0]);
    s->stream = (struct rpc_stream){ .run = cache_run,
                                     .destroy = cache_destroy };
    s->d = d;
    s->limit = limit ? (uint64_t) json_integer_value(limit) : UINT64_MAX;
    s->left = s->limit;
    BASE_LIST_FOR(b, reconcile_bridges(d->rc), node)
        if (!*only || !strcmp(only, b->name))
            s->name[s->n++] = base_xstrdup(b->name);
    *out = &s->stream;
    return 0;
}
