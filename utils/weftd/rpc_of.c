/* SPDX-License-Identifier: Apache-2.0 */
/* Methods that carry lines of text out on a bridge (ofproto/commands.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ofproto/commands.h"
#include "ofproto/ofproto.h"
#include "utils/base/str.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"
#include "utils/weftd/jw.h"
#include "utils/weftd/reconcile.h"
#include "utils/weftd/rpc.h"
#include "utils/weftd/rpc_parts.h"
#include "utils/weftd/weftd.h"

struct lines {
    struct rpc_stream stream;
    struct ofp_commands *c;
};

static int
lines_prepare(struct rpc_stream *stream, struct weft_err *e)
{
    struct lines *s = WEFT_CONTAINER_OF(stream, struct lines, stream);
    struct ofp_commands_result r;
    uint32_t line;
    int err = ofp_commands_run(s->c, base_clock_ns() + RPC_SLICE_NS, e);

    stream->idle = ofp_commands_idle(s->c);
    if (err)
        return err;
    ofp_commands_get(s->c, &r);
    if (r.refused && r.sent == 1)
        return weft_err_set(e, -EINVAL, "refused: %s",
                            ofp_commands_refusal(s->c, 0, &line));
    return 0;
}

static bool
lines_run(struct rpc_stream *stream, struct base_str *out)
{
    struct lines *s = WEFT_CONTAINER_OF(stream, struct lines, stream);
    struct jw j = JW_INIT(out);
    struct ofp_commands_result r;

    ofp_commands_get(s->c, &r);
    jw_object(&j, NULL);
    jw_u64(&j, "sent", r.sent);
    jw_u64(&j, "refused", r.refused);
    jw_array(&j, "refusals");
    for (uint32_t i = 0; i < WEFT_MIN(r.refused, OFP_MAX_REFUSALS); i++) {
        uint32_t line;
        const char *text = ofp_commands_refusal(s->c, i, &line);

        jw_object(&j, NULL);
        jw_u64(&j, "line", line);
        jw_str(&j, "error", text);
        jw_end_object(&j);
    }
    jw_end_array(&j);
    jw_end_object(&j);
    return false;
}

static void
lines_destroy(struct rpc_stream *stream)
{
    struct lines *s = WEFT_CONTAINER_OF(stream, struct lines, stream);

    ofp_commands_end(s->c);
    free(s);
}

static int
lines_begin(struct weftd *d, const json_t *params, enum ofp_line_kind kind,
            struct rpc_stream **out, struct weft_err *e)
{
    const char *name = rpc_param(params, "bridge");
    const json_t *text = json_object_get(params, "text");
    const json_t *line = json_object_get(params, "line");
    struct rc_bridge *b = reconcile_bridge(d->rc, name);
    uint32_t first;
    struct lines *s;
    unsigned how = 0;

    if (!b)
        return weft_err_set(e, -ENOENT, "bridge %s: there is none of this "
                            "name", name);
    if (!json_is_string(text))
        return weft_err_set(e, -EINVAL, "text: is missing, or no string");
    if (line && (json_integer_value(line) < 1
                 || json_integer_value(line) > UINT32_MAX))
        return weft_err_set(e, -EINVAL, "line: is no number from 1");
    first = line ? (uint32_t) json_integer_value(line)
                 : strchr(json_string_value(text), '\n') != NULL;
    if (json_is_true(json_object_get(params, "bundle")))
        how |= OFP_COMMANDS_BUNDLE;
    if (json_is_true(json_object_get(params, "check")))
        how |= OFP_COMMANDS_CHECK;
    BASE_NEW(s);
    s->stream = (struct rpc_stream){ .prepare = lines_prepare,
                                     .run = lines_run,
                                     .destroy = lines_destroy };
    ofp_commands_begin(b->ofp, kind, json_string_value(text), first,
                       how, &s->c);
    *out = &s->stream;
    return 0;
}

static const struct command {
    const char *method, *name;
    enum ofp_line_kind kind;
} commands[] = {
    { "flow-mods", "add", OFP_LINE_ADD_FLOW },
    { "flow-mods", "modify", OFP_LINE_MODIFY_FLOWS },
    { "flow-mods", "modify-strict", OFP_LINE_MODIFY_STRICT },
    { "flow-mods", "delete", OFP_LINE_DELETE_FLOWS },
    { "flow-mods", "delete-strict", OFP_LINE_DELETE_STRICT },
    { "group-mods", "add", OFP_LINE_ADD_GROUP },
    { "group-mods", "modify", OFP_LINE_MODIFY_GROUP },
    { "group-mods", "delete", OFP_LINE_DELETE_GROUPS },
    { "group-mods", "insert-buckets", OFP_LINE_INSERT_BUCKETS },
    { "group-mods", "remove-buckets", OFP_LINE_REMOVE_BUCKETS },
    { "meter-mods", "add", OFP_LINE_ADD_METER },
    { "meter-mods", "modify", OFP_LINE_MODIFY_METER },
    { "meter-mods", "delete", OFP_LINE_DELETE_METERS },
};

static int
command_begin(struct weftd *d, const json_t *params, const char *method,
              struct rpc_stream **out, struct weft_err *e)
{
    const char *name = rpc_param(params, "command");
    struct base_str known = BASE_STR_INIT;

    for (size_t i = 0; i < WEFT_ARRAY_LEN(commands); i++) {
        const struct command *c = &commands[i];

        if (strcmp(c->method, method))
            continue;
        if (!strcmp(c->name, name))
            return lines_begin(d, params, c->kind, out, e);
        base_str_addf(&known, "%s%s", known.len ? ", " : "", c->name);
    }
    weft_err_set(e, -EINVAL, "command \"%.40s\" is none of %s", name,
                 base_str_cstr(&known));
    base_str_fini(&known);
    return -EINVAL;
}

int
rpc_flow_mods(struct weftd *d, const json_t *params, struct rpc_stream **out,
              struct weft_err *e)
{
    return command_begin(d, params, "flow-mods", out, e);
}

int
rpc_group_mods(struct weftd *d, const json_t *params, struct rpc_stream **out,
               struct weft_err *e)
{
    return command_begin(d, params, "group-mods", out, e);
}

int
rpc_meter_mods(struct weftd *d, const json_t *params, struct rpc_stream **out,
               struct weft_err *e)
{
    return command_begin(d, params, "meter-mods", out, e);
}

int
rpc_mixed_mods(struct weftd *d, const json_t *params, struct rpc_stream **out,
               struct weft_err *e)
{
    return lines_begin(d, params, OFP_LINE_MIXED, out, e);
}

int
rpc_packet_out(struct weftd *d, const json_t *params, struct rpc_stream **out,
               struct weft_err *e)
{
    return lines_begin(d, params, OFP_LINE_PACKET_OUT, out, e);
}

/* --------------------------------------------------------------- read-flows */

#define READ_STEP 32 /* Lines between two looks at the clock. */

struct reading {
    struct rpc_stream stream;
    struct base_str flows; /* JSON of those read. */
    struct jw j;
    char *text, *at;
    uint32_t line;
};

static void
reading_flow(void *arg, const struct ofp_flow_info *f)
{
    struct reading *s = arg;

    rpc_put_flow(&s->j, NULL, f);
}

static int
reading_prepare(struct rpc_stream *stream, struct weft_err *e)
{
    struct reading *s = WEFT_CONTAINER_OF(stream, struct reading, stream);
    uint64_t end = base_clock_ns() + RPC_SLICE_NS;
    int err;

    do {
        err = ofp_flows_read(&s->at, &s->line, READ_STEP, reading_flow, s, e);
    } while (err == -EAGAIN && base_clock_ns() < end);
    return err;
}

static bool
reading_run(struct rpc_stream *stream, struct base_str *out)
{
    struct reading *s = WEFT_CONTAINER_OF(stream, struct reading, stream);

    base_str_add(out, "{\"flows\":[");
    base_str_addn(out, base_str_cstr(&s->flows), s->flows.len);
    base_str_add(out, "]}");
    return false;
}

static void
reading_destroy(struct rpc_stream *stream)
{
    struct reading *s = WEFT_CONTAINER_OF(stream, struct reading, stream);

    base_str_fini(&s->flows);
    free(s->text);
    free(s);
}

int
rpc_read_flows(struct weftd *d, const json_t *params, struct rpc_stream **out,
               struct weft_err *e)
{
    const json_t *text = json_object_get(params, "text");
    const json_t *line = json_object_get(params, "line");
    struct reading *s;

    (void) d;
    if (!json_is_string(text))
        return weft_err_set(e, -EINVAL, "text: is missing, or no string");
    BASE_NEW(s);
    s->stream = (struct rpc_stream){ .prepare = reading_prepare,
                                     .run = reading_run,
                                     .destroy = reading_destroy };
    s->j = (struct jw) JW_INIT(&s->flows);
    s->text = s->at = base_xstrdup(json_string_value(text));
    s->line = line ? (uint32_t) json_integer_value(line) : 1;
    *out = &s->stream;
    return 0;
}
