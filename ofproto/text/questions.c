/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/questions.h"

#include <errno.h>
#include <stdlib.h>

#include "flow_text_priv.h"
#include "ofproto/agent_priv.h"
#include "ofproto/monitor.h"
#include "ofproto/text/event_text.h"
#include "ofproto/text/text_client.h"
#include "utils/base/mem.h"

#define OFPT_MULTIPART_REPLY 19

struct ofp_question {
    struct ofp_client *client;
    enum ofp_question_kind kind;
    struct ofp_question_ops ops;
    void *arg;
    struct ofp_compile scratch;
    bool done;
};

/* ----------------------------------------------------------------- answers */

static void
tell_desc(struct ofp_question *q, of_object_t *m)
{
    struct base_str text = BASE_STR_INIT;
    struct ofp_answer a = { .kind = "table" };
    of_list_table_desc_t list;
    of_object_t d;
    int rv;

    of_table_desc_stats_reply_entries_bind(m, &list);
    OF_LIST_TABLE_DESC_ITER(&list, &d, rv) {
        of_table_desc_table_id_get(&d, &a.table);
        base_str_clear(&text);
        ofp_text_add_table_desc(&text, &d);
        a.text = base_str_cstr(&text);
        q->ops.answer(q->arg, &a);
    }
    base_str_fini(&text);
}

static void
tell_features(struct ofp_question *q, of_object_t *m)
{
    struct base_str text = BASE_STR_INIT, next = BASE_STR_INIT;
    struct ofp_answer a = { .kind = "table" };
    of_list_table_features_t list;
    of_object_t f;
    int rv;

    of_table_features_stats_reply_entries_bind(m, &list);
    OF_LIST_TABLE_FEATURES_ITER(&list, &f, rv) {
        of_table_name_t name;

        of_table_features_table_id_get(&f, &a.table);
        of_table_features_name_get(&f, &name);
        name[sizeof name - 1] = '\0';
        base_str_clear(&text);
        base_str_clear(&next);
        ofp_text_add_table_features(&text, &next, &f);
        a.name = name;
        a.text = base_str_cstr(&text);
        a.next = base_str_cstr(&next);
        q->ops.answer(q->arg, &a);
    }
    base_str_fini(&text);
    base_str_fini(&next);
}

static void
tell_event(struct ofp_question *q, const uint8_t *msg, size_t len)
{
    struct event_texts t = { q->ops.frame, &q->scratch };
    struct base_str text = BASE_STR_INIT;
    struct ofp_answer a = { .kind = ofp_text_add_event(&text, &t, msg, len) };

    a.text = base_str_cstr(&text);
    q->ops.answer(q->arg, &a);
    base_str_fini(&text);
}

static void
on_message(void *arg, const uint8_t *msg, size_t len)
{
    struct ofp_question *q = arg;
    of_object_storage_t storage;
    struct of_parse_err perr;
    of_object_t *m;

    if (q->kind == OFP_ASK_MONITOR) {
        tell_event(q, msg, len);
        return;
    }
    m = of_object_parse(&storage, (uint8_t *) (uintptr_t) msg, (int) len,
                        &perr);
    if (m && m->object_id == OF_TABLE_DESC_STATS_REPLY)
        tell_desc(q, m);
    else if (m && m->object_id == OF_TABLE_FEATURES_STATS_REPLY)
        tell_features(q, m);
    q->done = len < 12 || msg[1] != OFPT_MULTIPART_REPLY
              || !(get_be16(msg + 10) & 1); /* OFPMPF_REPLY_MORE */
}

/* ----------------------------------------------------------------- monitors */

/* What a word without "=" says; false: it is part of the match. */
static bool
take_flag(const char *word, uint16_t *flags)
{
    static const struct {
        const char *name;
        uint16_t clear, set;
    } words[] = {
        { "!initial", OFP_MF_INITIAL, 0 },
        { "!add", OFP_MF_ADD, 0 },
        { "!delete", OFP_MF_REMOVED, 0 },
        { "!modify", OFP_MF_MODIFY, 0 },
        { "!actions", OFP_MF_INSTRUCTIONS, 0 },
        { "!abbrev", 0, OFP_MF_NO_ABBREV },
        { "!own", 0, 0 }, /* A client inside changes nothing. */
    };

    for (size_t i = 0; i < WEFT_ARRAY_LEN(words); i++) {
        if (strcmp(words[i].name, word))
            continue;
        *flags = (uint16_t) ((*flags & ~words[i].clear) | words[i].set);
        return true;
    }
    return false;
}

static of_object_t *
monitor_request(const struct ofp_flow_text *f, uint16_t flags)
{
    of_object_t *m = of_flow_monitor_stats_request_new(OF_VERSION_1_5);
    of_list_flow_monitor_entry_t list;
    of_object_t e, view;
    int err;

    of_flow_monitor_stats_request_entries_bind(m, &list);
    of_flow_monitor_entry_init(&e, OF_VERSION_1_5, -1, 1);
    err = of_list_flow_monitor_entry_append_bind(&list, &e);
    if (!err) {
        of_flow_monitor_entry_monitor_id_set(&e, 1);
        of_flow_monitor_entry_flags_set(&e, flags);
        of_flow_monitor_entry_table_id_set(&e, f->table);
        of_flow_monitor_entry_out_port_set(&e, f->out_port);
        of_flow_monitor_entry_out_group_set(&e, f->out_group);
        of_flow_monitor_entry_match_bind(&e, &view);
        err = ofp_match_put(&view, &f->match);
    }
    if (err) {
        of_object_delete(m);
        return NULL;
    }
    return m;
}

/* "watch:SPEC": words of flows' text and "!initial" ...; 'spec' is changed. */
static int
watch(struct ofp_question *q, char *spec, struct weft_err *e)
{
    uint16_t flags = OFP_MF_INITIAL | OFP_MF_ADD | OFP_MF_REMOVED
                     | OFP_MF_MODIFY | OFP_MF_INSTRUCTIONS;
    struct base_str rest = BASE_STR_INIT;
    struct ofp_flow_text f;
    char *save, *w;
    int err;

    for (w = strtok_r(spec, ",", &save); w; w = strtok_r(NULL, ",", &save))
        if (!take_flag(w, &flags))
            base_str_addf(&rest, "%s%s", rest.len ? "," : "", w);
    err = ofp_text_parse_flow(base_str_cstr(&rest), OFP_TEXT_FILTER, &f, e);
    base_str_fini(&rest);
    if (err)
        return err;
    if (f.cookie_mask || f.has_priority)
        err = weft_err_set(e, -EINVAL, "watch: flow monitors select by match,"
                           " table, out_port and out_group, not by cookie or"
                           " priority");
    else if (!ofp_client_send(q->client, monitor_request(&f, flags)))
        err = weft_err_set(e, -ENOENT, "the bridge went");
    ofp_flow_text_fini(&f);
    return err;
}

static int
monitor(struct ofp_question *q, const char *words, struct weft_err *e)
{
    char *copy = base_xstrdup(words), *save, *w;
    bool all = false, ttl = false;
    uint64_t n;
    int err = 0;

    for (w = strtok_r(copy, " \t\n", &save); w && !err;
         w = strtok_r(NULL, " \t\n", &save)) {
        if (!strncmp(w, "watch:", 6)) {
            err = watch(q, w + 6, e);
        } else if (!strcmp(w, "watch")) {
            err = watch(q, w + 5, e);
        } else if (!strcmp(w, "invalid_ttl")) {
            ttl = true;
        } else if (*w < '0' || *w > '9') {
            err = weft_err_set(e, -EINVAL, "monitor: \"%.40s\" is neither a"
                               " miss length, invalid_ttl nor watch:...", w);
        } else {
            err = text_number("monitor: miss length", w, UINT16_MAX, &n, e);
            all = !err && n;
        }
    }
    if (!err)
        ofp_client_listen(q->client, all, ttl);
    free(copy);
    return err;
}

/* --------------------------------------------------------------------- life */

int
ofp_question_begin(struct ofp_bridge *b, enum ofp_question_kind kind,
                   const char *words, const struct ofp_question_ops *qops,
                   void *arg, struct ofp_question **out, struct weft_err *e)
{
    struct ofp_question *q;
    int err = 0;

    BASE_NEW(q);
    q->kind = kind;
    q->ops = *qops;
    q->arg = arg;
    q->client = ofp_client_open(b, on_message, q);
    if (kind == OFP_ASK_MONITOR)
        err = monitor(q, words, e);
    else
        (void) ofp_client_send(
            q->client,
            kind == OFP_ASK_TABLE_DESC
                ? of_table_desc_stats_request_new(OF_VERSION_1_5)
                : of_table_features_stats_request_new(OF_VERSION_1_5));
    if (err)
        ofp_question_end(q);
    else
        *out = q;
    return err;
}

bool
ofp_question_run(struct ofp_question *q)
{
    if (!q->done)
        (void) ofp_client_flush(q->client);
    return !q->done && !ofp_client_gone(q->client);
}

void
ofp_question_backlog(struct ofp_question *q, size_t bytes)
{
    ofp_client_backlog(q->client, bytes);
}

void
ofp_question_end(struct ofp_question *q)
{
    if (!q)
        return;
    ofp_client_close(q->client);
    ofp_compile_fini(&q->scratch);
    free(q);
}
