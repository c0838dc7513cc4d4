/* SPDX-License-Identifier: Apache-2.0 */
/* Methods that ask the agent (ofproto/questions.h), and settings of ports and
 * tables. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ofproto/ofproto.h"
#include "ofproto/questions.h"
#include "utils/base/mem.h"
#include "utils/weftd/jw.h"
#include "utils/weftd/reconcile.h"
#include "utils/weftd/rpc.h"
#include "utils/weftd/trace_text.h"
#include "utils/weftd/weftd.h"

#define MAX_PENDING (4u << 20) /* Of a monitor that nobody reads. */

struct asking {
    struct rpc_stream stream;
    struct ofp_question *q;
    struct base_str items; /* Not yet handed over. */
    struct jw j;
    const char *list;
    uint64_t lost;
    bool began;
};

static struct rc_bridge *
bridge_of(struct weftd *d, const json_t *params, struct weft_err *e)
{
    const char *name = rpc_param(params, "bridge");
    struct rc_bridge *b = reconcile_bridge(d->rc, name);

    if (!b)
        weft_err_set(e, -ENOENT, "bridge %s: there is none of this name",
                     name);
    return b;
}

/* ----------------------------------------------------------------- answers */

static void
put_answer(struct asking *s, const struct ofp_answer *a)
{
    struct jw *j = &s->j;

    jw_object(j, NULL);
    if (strcmp(a->kind, "table"))
        jw_str(j, "event", a->kind);
    else
        jw_u64(j, "table", a->table);
    if (a->name)
        jw_str(j, "name", a->name);
    if (a->next)
        jw_str(j, "next", a->next);
    jw_str(j, "text", a->text);
    jw_end_object(j);
}

/* What is lost is said as soon as there is room again. */
static void
put_lost(struct asking *s)
{
    struct base_str text = BASE_STR_INIT;
    struct ofp_answer a = { .kind = "lost" };

    base_str_addf(&text, "%llu messages were lost: they were not read in time",
                  (unsigned long long) s->lost);
    a.text = base_str_cstr(&text);
    put_answer(s, &a);
    base_str_fini(&text);
    s->lost = 0;
}

static void
on_answer(void *arg, const struct ofp_answer *a)
{
    struct asking *s = arg;

    if (s->stream.endless && s->items.len > MAX_PENDING) {
        s->lost++;
        return;
    }
    if (s->lost)
        put_lost(s);
    put_answer(s, a);
    if (s->q)
        ofp_question_backlog(s->q, s->items.len);
}

static void
add_frame(struct base_str *out, const uint8_t *p, size_t len)
{
    struct flow_key k;
    int err = dp_frame_key(p, len, &k);

    if (err)
        base_str_addf(out, "malformed: %s", drop_reason_help[err - 1]);
    else
        trace_text_add_packet(out, &k);
}

static const struct ofp_question_ops ops = { on_answer, add_frame };

/* ----------------------------------------------------------------- streams */

static bool
asking_run(struct rpc_stream *stream, struct base_str *out)
{
    struct asking *s = WEFT_CONTAINER_OF(stream, struct asking, stream);
    bool more;

    if (!s->began)
        base_str_addf(out, "{\"%s\":[", s->list);
    s->began = true;
    more = ofp_question_run(s->q);
    base_str_addn(out, base_str_cstr(&s->items), s->items.len);
    stream->idle = more && !s->items.len;
    base_str_clear(&s->items);
    ofp_question_backlog(s->q, 0);
    if (!more)
        base_str_add(out, "]}");
    return more;
}

static void
asking_destroy(struct rpc_stream *stream)
{
    struct asking *s = WEFT_CONTAINER_OF(stream, struct asking, stream);

    ofp_question_end(s->q);
    base_str_fini(&s->items);
    free(s);
}

static int
ask(struct weftd *d, const json_t *params, enum ofp_question_kind kind,
    struct rpc_stream **out, struct weft_err *e)
{
    struct rc_bridge *b = bridge_of(d, params, e);
    struct asking *s;
    int err;

    if (!b)
        return -ENOENT;
    BASE_NEW(s);
    s->stream = (struct rpc_stream){ .run = asking_run,
                                     .destroy = asking_destroy,
                                     .endless = kind == OFP_ASK_MONITOR };
    s->j = (struct jw) JW_INIT(&s->items);
    s->list = kind == OFP_ASK_MONITOR ? "events" : "tables";
    err = ofp_question_begin(b->ofp, kind, rpc_param(params, "words"), &ops,
                             s, &s->q, e);
    if (err) {
        base_str_fini(&s->items);
        free(s);
        return err;
    }
    *out = &s->stream;
    return 0;
}

int
rpc_table_desc(struct weftd *d, const json_t *params, struct rpc_stream **out,
               struct weft_err *e)
{
    return ask(d, params, OFP_ASK_TABLE_DESC, out, e);
}

int
rpc_table_features(struct weftd *d, const json_t *params,
                   struct rpc_stream **out, struct weft_err *e)
{
    return ask(d, params, OFP_ASK_TABLE_FEATURES, out, e);
}

int
rpc_monitor(struct weftd *d, const json_t *params, struct rpc_stream **out,
            struct weft_err *e)
{
    return ask(d, params, OFP_ASK_MONITOR, out, e);
}

/* ---------------------------------------------------------------- settings */

static int
set(struct weftd *d, const json_t *params, const char *object,
    int (*change)(struct ofp_bridge *, const char *, const char *,
                  struct weft_err *),
    struct base_str *result, struct weft_err *e)
{
    struct rc_bridge *b = bridge_of(d, params, e);
    int err;

    if (!b)
        return -ENOENT;
    err = change(b->ofp, rpc_param(params, object),
                 rpc_param(params, "setting"), e);
    if (!err)
        base_str_add(result, "{}");
    return err;
}

int
rpc_mod_port(struct weftd *d, const json_t *params, struct base_str *result,
             struct weft_err *e)
{
    return set(d, params, "port", ofp_port_setting, result, e);
}

int
rpc_mod_table(struct weftd *d, const json_t *params, struct base_str *result,
              struct weft_err *e)
{
    return set(d, params, "table", ofp_table_setting, result, e);
}
