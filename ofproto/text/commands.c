/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ofproto/ofproto.h"
#include "ofproto/text/text_client.h"
#include "ofproto/text/text_msg.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"
#include "utils/base/str.h"

#define STEP 32 /* Lines or messages between two looks at the clock. */

struct message {
    of_object_t *msg; /* NULL: sent. */
    uint32_t line;
};

struct ofp_commands {
    struct ofp_client *client;
    struct ofp_text_ports ports;
    enum ofp_line_kind kind;
    char *text, *at; /* 'at': the next line; NULL: all are read. */
    uint32_t line;   /* Its number. */
    bool numbered;
    bool bundle, opened, committed;
    bool check; /* Read only. */
    bool idle, synced;
    struct message *msgs; /* The i-th has xid first_xid + i. */
    uint32_t first_xid;
    uint32_t n, cap, sent;
    uint32_t barrier_xid; /* 0: not yet. */
    uint32_t n_refused;
    struct {
        uint32_t line;
        char *text;
    } refusals[OFP_MAX_REFUSALS];
};

/* ------------------------------------------------------------------- ports */

/* A port that is not there is no port; so is each when the bridge went. */
static bool
find_port(void *arg, const char *name, uint32_t *port_no)
{
    const struct ofp_commands *c = arg;

    return ofp_client_find_port(c->client, name, port_no);
}

/* ------------------------------------------------------------------- lines */

/* Commands that may stand in front of a line, and what they make of a kind. */
static const struct prefix {
    const char *name;
    enum ofp_line_kind in, out;
} prefixes[] = {
    { "add", OFP_LINE_ADD_FLOW, OFP_LINE_ADD_FLOW },
    { "modify", OFP_LINE_ADD_FLOW, OFP_LINE_MODIFY_FLOWS },
    { "modify_strict", OFP_LINE_ADD_FLOW, OFP_LINE_MODIFY_STRICT },
    { "delete", OFP_LINE_ADD_FLOW, OFP_LINE_DELETE_FLOWS },
    { "delete_strict", OFP_LINE_ADD_FLOW, OFP_LINE_DELETE_STRICT },
    { "add", OFP_LINE_ADD_GROUP, OFP_LINE_ADD_GROUP },
    { "modify", OFP_LINE_ADD_GROUP, OFP_LINE_MODIFY_GROUP },
    { "delete", OFP_LINE_ADD_GROUP, OFP_LINE_DELETE_GROUPS },
    { "insert_bucket", OFP_LINE_ADD_GROUP, OFP_LINE_INSERT_BUCKETS },
    { "remove_bucket", OFP_LINE_ADD_GROUP, OFP_LINE_REMOVE_BUCKETS },
    { "add", OFP_LINE_ADD_METER, OFP_LINE_ADD_METER },
    { "modify", OFP_LINE_ADD_METER, OFP_LINE_MODIFY_METER },
    { "delete", OFP_LINE_ADD_METER, OFP_LINE_DELETE_METERS },
    { "flow", OFP_LINE_MIXED, OFP_LINE_ADD_FLOW },
    { "group", OFP_LINE_MIXED, OFP_LINE_ADD_GROUP },
    { "meter", OFP_LINE_MIXED, OFP_LINE_ADD_METER },
    { "packet-out", OFP_LINE_MIXED, OFP_LINE_PACKET_OUT },
};

/* Takes a command word off the line; the kind that it makes. */
static enum ofp_line_kind
take_prefix(enum ofp_line_kind kind, const char **line)
{
    const char *s = *line + strspn(*line, " \t");
    size_t n = strcspn(s, " \t,=:(");

    if (!n || (s[n] && s[n] != ' ' && s[n] != '\t'))
        return kind;
    for (size_t i = 0; i < WEFT_ARRAY_LEN(prefixes); i++) {
        const struct prefix *p = &prefixes[i];

        if (p->in != kind || strlen(p->name) != n || memcmp(p->name, s, n))
            continue;
        *line = s + n;
        return p->out;
    }
    return kind;
}

static of_object_t *
build_flow(const struct ofp_commands *c, enum ofp_line_kind kind,
           const char *line, struct weft_err *e)
{
    enum ofp_text_command command = (enum ofp_text_command) (
        OFP_TEXT_ADD + (kind - OFP_LINE_ADD_FLOW));

    return ofp_text_flow_mod(line, command, ofp_client_version(c->client),
                             &c->ports, e);
}

static of_object_t *
build(const struct ofp_commands *c, const char *line, struct weft_err *e)
{
    static const enum ofp_group_command groups[] = {
        OFP_GC_ADD, OFP_GC_MODIFY, OFP_GC_DELETE, OFP_GC_INSERT_BUCKET,
        OFP_GC_REMOVE_BUCKET,
    };
    static const enum ofp_meter_command meters[] = {
        OFP_MC_ADD, OFP_MC_MODIFY, OFP_MC_DELETE,
    };
    uint8_t version = ofp_client_version(c->client);
    enum ofp_line_kind kind = take_prefix(c->kind, &line);

    _Static_assert(OFP_LINE_DELETE_STRICT - OFP_LINE_ADD_FLOW
                       == OFP_TEXT_DELETE_STRICT - OFP_TEXT_ADD,
                   "the same order");
    if (c->kind == OFP_LINE_MIXED)
        kind = take_prefix(kind, &line);
    if (kind <= OFP_LINE_DELETE_STRICT)
        return build_flow(c, kind, line, e);
    if (kind <= OFP_LINE_REMOVE_BUCKETS)
        return ofp_text_group_mod(line, groups[kind - OFP_LINE_ADD_GROUP],
                                  version, e);
    if (kind <= OFP_LINE_DELETE_METERS)
        return ofp_text_meter_mod(line, meters[kind - OFP_LINE_ADD_METER],
                                  version, e);
    if (kind == OFP_LINE_PACKET_OUT)
        return ofp_text_packet_out(line, version, &c->ports, e);
    weft_err_set(e, -EINVAL, "%.40s: a line begins with flow, group, meter or"
                 " packet-out", line);
    return NULL;
}

/* Cuts the comment and the blanks around a line off. */
static char *
line_trim(char *line)
{
    char *end = strchrnul(line, '#');

    while (end > line && strchr(" \t\r", end[-1]))
        end--;
    *end = '\0';
    return line + strspn(line, " \t");
}

static int
read_line(struct ofp_commands *c, char *line, struct weft_err *e)
{
    struct weft_err why = { "" };
    const char *start = line;
    of_object_t *m;

    if (c->numbered) {
        start = line_trim(line);
        if (!*start)
            return 0;
    }
    m = build(c, start, &why);
    if (!m && c->numbered)
        return weft_err_set(e, -EINVAL, "line %u: %.*s", c->line,
                            (int) sizeof why.text - 24, why.text);
    if (!m)
        return weft_err_set(e, -EINVAL, "%s", why.text);
    if (c->check) {
        of_object_delete(m);
        return 0;
    }
    if (c->n == c->cap) {
        c->cap = 2 * c->cap + 16;
        c->msgs = base_xrealloc(c->msgs, c->cap * sizeof c->msgs[0]);
    }
    c->msgs[c->n++] = (struct message){ m, c->line };
    return 0;
}

/* 0: all are read. */
static int
read_lines(struct ofp_commands *c, uint64_t end_ns, struct weft_err *e)
{
    for (unsigned n = 1; c->at; n++) {
        char *nl = strchr(c->at, '\n'), *line = c->at;

        if (nl)
            *nl = '\0';
        c->at = nl ? nl + 1 : NULL;
        int err = read_line(c, line, e);
        if (err)
            return err;
        c->line++;
        if (n % STEP == 0 && base_clock_ns() >= end_ns)
            return -EAGAIN;
    }
    return 0;
}

/* ---------------------------------------------------------------- messages */

static void
on_message(void *arg, const uint8_t *msg, size_t len)
{
    struct ofp_commands *c = arg;
    uint32_t xid = get_be32(msg + 4), i = xid - c->first_xid;
    struct base_str text = BASE_STR_INIT;
    bool of_bundle = i >= c->n; /* Of its opening or its commit. */

    if (xid && xid == c->barrier_xid)
        c->synced = true;
    if (msg[1] != 1 || (of_bundle && !c->bundle)) /* OFPT_ERROR */
        return;
    /* That the commit failed was told by the message that failed. */
    if (of_bundle && c->n_refused)
        return;
    if (c->n_refused < OFP_MAX_REFUSALS) {
        if (of_bundle)
            base_str_add(&text, "bundle: ");
        ofp_client_add_error(&text, msg, len);
        c->refusals[c->n_refused].line = of_bundle ? 0 : c->msgs[i].line;
        c->refusals[c->n_refused].text = base_str_steal(&text);
    }
    c->n_refused++;
}

/* 0: all are sent, and the barrier. */
static int
send_messages(struct ofp_commands *c, uint64_t end_ns, struct weft_err *e)
{
    if (c->bundle && !c->opened) {
        c->opened = true;
        ofp_client_bundle_ctrl(c->client, 0); /* OFPBCT_OPEN_REQUEST */
    }
    for (unsigned n = 1; c->sent < c->n && !ofp_client_busy(c->client)
                         && !ofp_client_gone(c->client);
         n++) {
        of_object_t *m = c->msgs[c->sent].msg;

        c->msgs[c->sent++].msg = NULL;
        if (c->bundle)
            ofp_client_bundle_add(c->client, m);
        else
            ofp_client_send(c->client, m);
        if (n % STEP == 0 && base_clock_ns() >= end_ns)
            return -EAGAIN;
    }
    if (ofp_client_gone(c->client))
        return weft_err_set(e, -ENOENT, "the bridge went after %u of %u "
                            "messages", c->sent, c->n);
    if (c->sent < c->n)
        return -EAGAIN;
    if (c->bundle && !c->committed) {
        c->committed = true;
        ofp_client_bundle_ctrl(c->client, 4); /* OFPBCT_COMMIT_REQUEST */
    }
    if (!c->barrier_xid) {
        /* Noted before it is sent: the answer may come at once. */
        c->barrier_xid = c->first_xid + c->n + c->bundle;
        ofp_client_barrier(c->client);
    }
    return c->synced ? 0 : -EAGAIN;
}

/* ----------------------------------------------------------------- reading */

static void
tell_flow(const struct ofp_flow_text *f, ofp_flow_cb *cb, void *arg)
{
    struct base_str match = BASE_STR_INIT, actions = BASE_STR_INIT;
    struct ofp_flow_info info = {
        .table = f->table == DP_NO_TABLE ? 0 : f->table,
        .priority = f->priority,
        .cookie = f->cookie,
        .idle_timeout = f->idle_timeout,
        .hard_timeout = f->hard_timeout,
        .flags = f->flags,
        .importance = f->importance,
    };

    ofp_text_add_match(&match, &f->match);
    ofp_text_add_instr(&actions, &f->instr);
    info.match = base_str_cstr(&match);
    info.actions = base_str_cstr(&actions);
    cb(arg, &info);
    base_str_fini(&match);
    base_str_fini(&actions);
}

int
ofp_flows_read(char **text, uint32_t *line, unsigned n, ofp_flow_cb *cb,
               void *arg, struct weft_err *e)
{
    while (*text && n--) {
        char *nl = strchr(*text, '\n'), *start = *text;
        struct weft_err why = { "" };
        struct ofp_flow_text f;

        if (nl)
            *nl = '\0';
        *text = nl ? nl + 1 : NULL;
        start = line_trim(start);
        if (*start) {
            if (ofp_text_parse_flow(start, OFP_TEXT_FLOW, &f, &why))
                return weft_err_set(e, -EINVAL, "line %u: %.*s", *line,
                                    (int) sizeof why.text - 24, why.text);
            ofp_text_modernize(&f);
            tell_flow(&f, cb, arg);
            ofp_flow_text_fini(&f);
        }
        ++*line;
    }
    return *text ? -EAGAIN : 0;
}

/* --------------------------------------------------------------------- life */

void
ofp_commands_begin(struct ofp_bridge *b, enum ofp_line_kind kind,
                   const char *text, uint32_t line, unsigned how,
                   struct ofp_commands **out)
{
    struct ofp_commands *c;

    BASE_NEW(c);
    c->kind = kind;
    c->text = c->at = base_xstrdup(text);
    c->numbered = line;
    c->bundle = how & OFP_COMMANDS_BUNDLE;
    c->check = how & OFP_COMMANDS_CHECK;
    c->first_xid = c->bundle ? 2 : 1;
    c->line = line;
    c->ports = (struct ofp_text_ports){ find_port, c };
    c->client = ofp_client_open(b, on_message, c);
    *out = c;
}

int
ofp_commands_run(struct ofp_commands *c, uint64_t end_ns, struct weft_err *e)
{
    int err = read_lines(c, end_ns, e);
    bool all = false;

    c->idle = false;
    if (err || c->check)
        return err;
    err = send_messages(c, end_ns, e);
    all = c->barrier_xid || ofp_client_busy(c->client);
    c->idle = !ofp_client_flush(c->client) && all && err == -EAGAIN;
    if (err == -EAGAIN && c->synced)
        err = 0;
    return err;
}

bool
ofp_commands_idle(const struct ofp_commands *c)
{
    return c->idle;
}

void
ofp_commands_end(struct ofp_commands *c)
{
    if (!c)
        return;
    ofp_client_close(c->client);
    for (uint32_t i = c->sent; i < c->n; i++)
        of_object_delete(c->msgs[i].msg);
    for (uint32_t i = 0; i < WEFT_MIN(c->n_refused, OFP_MAX_REFUSALS); i++)
        free(c->refusals[i].text);
    free(c->msgs);
    free(c->text);
    free(c);
}

void
ofp_commands_get(const struct ofp_commands *c, struct ofp_commands_result *r)
{
    *r = (struct ofp_commands_result){ c->sent, c->n_refused };
}

const char *
ofp_commands_refusal(const struct ofp_commands *c, unsigned i, uint32_t *line)
{
    *line = c->refusals[i].line;
    return c->refusals[i].text;
}
