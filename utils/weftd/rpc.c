/* SPDX-License-Identifier: Apache-2.0 */
#include "utils/weftd/rpc.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "utils/base/list.h"
#include "utils/base/log.h"
#include "utils/base/mem.h"
#include "utils/weftd/jw.h"
#include "utils/weftd/model.h"
#include "utils/weftd/reconcile.h"
#include "utils/weftd/rpc_scan.h"
#include "utils/weftd/state.h"
#include "utils/weftd/weftd.h"

struct rpc {
    struct weftd *d;
    char *path;
    int fd;
    struct event *accept;
    struct event *more; /* Streams go on after the sockets were served. */
    struct base_list clients;
    unsigned n_clients;
};

struct client {
    struct base_list node;
    struct rpc *rpc;
    struct bufferevent *bev;
    struct rpc_scan scan;
    struct rpc_stream *stream; /* Answer under way; later ones wait. */
    json_t *id;                /* Its request's; NULL: a notification. */
    bool ending; /* The peer sends no more: close when all is answered. */
};

static const struct method {
    const char *name;
    model_edit *edit; /* One of the three. */
    rpc_method *read;
    rpc_stream_method *stream;
    const char *help;
} methods[] = {
#define RPC_EDIT(name, fn, help) { name, fn, NULL, NULL, help },
#define RPC_READ(name, fn, help) { name, NULL, fn, NULL, help },
#define RPC_STREAM(name, fn, help) { name, NULL, NULL, fn, help },
#include "utils/weftd/rpc_methods.def"
#undef RPC_EDIT
#undef RPC_READ
#undef RPC_STREAM
};

static const struct method *
method_find(const char *name)
{
    for (size_t i = 0; i < WEFT_ARRAY_LEN(methods); i++)
        if (name && !strcmp(methods[i].name, name))
            return &methods[i];
    return NULL;
}

const char *
rpc_param(const json_t *params, const char *name)
{
    const char *s = json_string_value(json_object_get(params, name));

    return s ? s : "";
}

/* ----------------------------------------------------------------- edits */

/* Runs the edits on a draft, makes the switch like it, keeps it. */
static int
edit_all(struct weftd *d, const json_t *commands, struct weft_err *e)
{
    json_t *draft = reconcile_document(d->rc), *c;
    int err = 0;
    size_t i;

    json_array_foreach(commands, i, c) {
        const char *name = rpc_param(c, "method");
        const struct method *m = method_find(name);

        err = m && m->edit
                  ? m->edit(draft, json_object_get(c, "params"), e)
                  : weft_err_set(e, -EINVAL, "\"%.60s\" does not change the "
                                 "configuration: not for a transaction",
                                 name);
        if (err)
            break;
    }
    if (!err)
        err = reconcile_apply(d->rc, draft, e);
    json_decref(draft);
    if (!err && d->state) {
        json_t *doc = reconcile_document(d->rc);

        state_save_config(d->state, doc);
        json_decref(doc);
    }
    return err;
}

int
rpc_transact(struct weftd *d, const json_t *params, struct base_str *result,
             struct weft_err *e)
{
    json_t *commands = json_object_get(params, "commands");

    if (!json_is_array(commands))
        return weft_err_set(e, -EINVAL, "transact: commands is not a list");

    int err = edit_all(d, commands, e);
    if (!err)
        base_str_add(result, "{}");
    return err;
}

static int
edit_one(struct weftd *d, const struct method *m, json_t *params,
         struct base_str *result, struct weft_err *e)
{
    json_t *list = json_pack("[{s:s,s:O?}]", "method", m->name, "params",
                             params);
    int err = edit_all(d, list, e);

    json_decref(list);
    if (!err)
        base_str_add(result, "{}");
    return err;
}

int
rpc_list_methods(struct weftd *d, const json_t *params,
                 struct base_str *result, struct weft_err *e)
{
    struct jw j = JW_INIT(result);

    (void) d;
    (void) params;
    (void) e;
    jw_array(&j, NULL);
    for (size_t i = 0; i < WEFT_ARRAY_LEN(methods); i++) {
        jw_object(&j, NULL);
        jw_str(&j, "name", methods[i].name);
        jw_str(&j, "help", methods[i].help);
        jw_bool(&j, "changes", methods[i].edit != NULL);
        jw_end_object(&j);
    }
    jw_end_array(&j);
    return 0;
}

/* -------------------------------------------------------------- requests */

/* Opens the answer's object, with the request's id (NULL: null). */
static void
answer_start(struct jw *j, const json_t *id)
{
    char *text = id ? json_dumps(id, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

    jw_object(j, NULL);
    jw_str(j, "jsonrpc", "2.0");
    jw_raw(j, "id", text ? text : "null");
    free(text);
}

static void
answer_error(struct base_str *out, const json_t *id, int code,
             const char *message)
{
    struct jw j = JW_INIT(out);

    answer_start(&j, id);
    jw_object(&j, "error");
    jw_raw(&j, "code", code == RPC_REFUSED ? "-32000"
                       : code == -32601    ? "-32601"
                       : code == -32700    ? "-32700"
                                           : "-32600");
    jw_str(&j, "message", message);
    jw_end_object(&j);
    jw_end_object(&j);
    base_str_addn(out, "\n", 1);
}

/* The member "result" is opened; its value and answer_end() follow. */
static void
answer_result(struct base_str *out, const json_t *id)
{
    struct jw j = JW_INIT(out);

    answer_start(&j, id);
    jw_raw(&j, "result", "");
}

static void
answer_end(struct base_str *out)
{
    base_str_addn(out, "}\n", 2);
}

static bool
is_request(const json_t *request)
{
    const json_t *params = json_object_get(request, "params");

    return *rpc_param(request, "method")
           && (!params || json_is_object(params));
}

/* A stream that began is left in *stream, with the request's id. */
static void
answer_request(struct weftd *d, const json_t *request, struct base_str *out,
               struct rpc_stream **stream, json_t **stream_id)
{
    json_t *id = json_object_get(request, "id");
    const struct method *m = method_find(rpc_param(request, "method"));
    json_t *params = json_object_get(request, "params");
    struct base_str result = BASE_STR_INIT;
    struct weft_err e = { "refused" };
    int err;

    if (!is_request(request)) {
        answer_error(out, id, -32600, "no request: an object with \"method\" "
                     "and, if wanted, an object \"params\"");
        return;
    }
    if (!m) {
        answer_error(out, id, -32601, "no such method (see list-methods)");
        return;
    }
    err = m->edit   ? edit_one(d, m, params, &result, &e)
          : m->read ? m->read(d, params, &result, &e)
                    : m->stream(d, params, stream, &e);
    if (err) {
        answer_error(out, id, RPC_REFUSED, e.text);
    } else if (*stream) {
        *stream_id = json_incref(id);
        if (!(*stream)->prepare && id)
            answer_result(out, id);
    } else if (id) { /* JSON-RPC 2.0 §4.1: a notification has no answer. */
        answer_result(out, id);
        base_str_addn(out, base_str_cstr(&result), result.len);
        answer_end(out);
    }
    base_str_fini(&result);
}

static void
answer_text(struct weftd *d, const char *text, size_t len,
            struct base_str *out, struct rpc_stream **stream,
            json_t **stream_id)
{
    json_error_t fault;
    json_t *request = json_loadb(text, len, JSON_REJECT_DUPLICATES, &fault);

    if (request) {
        answer_request(d, request, out, stream, stream_id);
        json_decref(request);
    } else {
        answer_error(out, NULL, -32700, fault.text);
    }
}

/* Work before an answer; false: refused. */
static bool
stream_prepare(struct rpc_stream *s, const json_t *id, struct base_str *out)
{
    struct weft_err e = { "refused" };
    int err = s->prepare(s, &e);

    if (err == -EAGAIN)
        return true;
    s->prepare = NULL;
    if (err && id)
        answer_error(out, id, RPC_REFUSED, e.text);
    else if (id)
        answer_result(out, id);
    return !err;
}

/* The next piece of an answer; false: it is complete, the stream and 'id' are
 * gone. */
static bool
stream_run(struct rpc_stream **s, json_t **id, struct base_str *out)
{
    bool more;

    if ((*s)->prepare) {
        more = stream_prepare(*s, *id, out);
    } else {
        more = *id && (*s)->run(*s, out);
        if (!more && *id)
            answer_end(out);
    }
    if (more)
        return true;
    (*s)->destroy(*s);
    *s = NULL;
    json_decref(*id);
    *id = NULL;
    return false;
}

void
rpc_answer(struct weftd *d, const char *text, size_t len,
           struct base_str *out)
{
    struct rpc_stream *stream = NULL;
    json_t *id = NULL;

    answer_text(d, text, len, out, &stream, &id);
    while (stream && stream_run(&stream, &id, out))
        continue;
}

/* --------------------------------------------------------------- clients */

static void
client_free(struct client *c)
{
    c->rpc->n_clients--;
    if (c->stream)
        c->stream->destroy(c->stream);
    json_decref(c->id);
    base_list_del(&c->node);
    bufferevent_free(c->bev);
    free(c);
}

static void
free_text(const void *data, size_t len, void *text)
{
    (void) data;
    (void) len;
    free(text);
}

/* Hands 'out' to the socket's queue. */
static void
client_send(struct client *c, struct base_str *out)
{
    size_t len = out->len;

    if (len) {
        char *s = base_str_steal(out);

        evbuffer_add_reference(bufferevent_get_output(c->bev), s, len,
                               free_text, s);
    }
    base_str_fini(out);
}

static bool
client_full(const struct client *c)
{
    return evbuffer_get_length(bufferevent_get_output(c->bev))
           > RPC_MAX_UNREAD;
}

/* Has on_more go on with the streams that can. */
static void
streams_go(struct rpc *r)
{
    static const struct timeval now;

    evtimer_add(r->more, &now);
}

static void
client_answer(struct client *c, const char *text, size_t len)
{
    struct base_str out = BASE_STR_INIT;

    answer_text(c->rpc->d, text, len, &out, &c->stream, &c->id);
    client_send(c, &out);
    if (c->stream)
        streams_go(c->rpc);
}

/* Length of the request at the start of the input, 0: incomplete.  What can
 * be no request is taken up to the end of its line, and answered as such. */
static size_t
request_len(struct client *c, const char *text, size_t len)
{
    const char *end;

    if (text[0] == '{' || text[0] == '[')
        return rpc_scan(&c->scan, text, len);
    end = memchr(text, '\n', len);
    return end ? (size_t) (end - text) + 1 : 0;
}

/* Answers requests until there is no whole one or enough is unread. */
static void
on_request(struct bufferevent *bev, void *arg)
{
    struct client *c = arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    size_t len;

    while (!c->stream && (len = evbuffer_get_length(in)) > 0) {
        if (client_full(c)) {
            bufferevent_disable(bev, EV_READ); /* Until on_drained. */
            return;
        }
        const char *text = (const char *) evbuffer_pullup(in, -1);
        if (!c->scan.at && strchr(" \t\r\n", text[0])) {
            evbuffer_drain(in, 1);
            continue;
        }
        size_t n = request_len(c, text, len);
        if (!n && len > RPC_MAX_REQUEST) {
            base_log(BASE_LOG_WARN, "rpc", "a request exceeds %u bytes: "
                     "client disconnected", RPC_MAX_REQUEST);
            client_free(c);
            return;
        }
        if (!n)
            break;
        client_answer(c, text, n);
        evbuffer_drain(in, n);
    }
    if (c->ending && !c->stream
        && !evbuffer_get_length(bufferevent_get_output(bev)))
        client_free(c);
}

/* A slice of the client's stream. */
static void
client_go(struct client *c)
{
    struct base_str out = BASE_STR_INIT;
    bool more = stream_run(&c->stream, &c->id, &out);

    client_send(c, &out);
    base_list_del(&c->node);
    base_list_add_tail(&c->rpc->clients, &c->node);
    if (!more)
        on_request(c->bev, c); /* Those that waited. */
}

/* One slice of one stream that has work, after one look at each idle one: the
 * others have their turn first afterwards. */
static void
on_more(evutil_socket_t fd, short what, void *arg)
{
    struct timeval pause = { .tv_usec = RPC_ENDLESS_US };
    struct rpc *r = arg;
    unsigned idle = 0, left = r->n_clients;

    (void) fd;
    (void) what;
    while (left-- && !base_list_empty(&r->clients)) {
        struct client *c = WEFT_CONTAINER_OF(r->clients.next, struct client,
                                             node);
        bool was_idle = c->stream && c->stream->idle;

        if (!c->stream || client_full(c)) { /* on_drained goes on. */
            base_list_del(&c->node);
            base_list_add_tail(&r->clients, &c->node);
            continue;
        }
        bool endless = c->stream->endless;

        client_go(c);
        if (!was_idle) {
            streams_go(r);
            return;
        }
        if (!endless)
            pause.tv_usec = RPC_IDLE_US;
        idle++;
    }
    if (idle)
        evtimer_add(r->more, &pause);
}

static void
on_drained(struct bufferevent *bev, void *arg)
{
    struct client *c = arg;

    if (c->stream) {
        streams_go(c->rpc);
        return;
    }
    bufferevent_enable(bev, EV_READ);
    on_request(bev, arg);
}

static void
on_end(struct bufferevent *bev, short what, void *arg)
{
    struct client *c = arg;
    bool endless = c->stream && c->stream->endless;

    if (what & BEV_EVENT_EOF && !endless
        && (c->stream || evbuffer_get_length(bufferevent_get_output(bev))))
        c->ending = true; /* "nc -N" closes its half and waits. */
    else
        client_free(c);
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
    struct rpc *r = arg;
    struct client *c;
    int s = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void) what;
    if (s < 0)
        return;
    if (r->n_clients >= RPC_MAX_CLIENTS) {
        static struct base_ratelimit rl = BASE_RATELIMIT(2, 60);

        close(s);
        base_log_rl(&rl, BASE_LOG_WARN, "rpc", "refused a client, %u are "
                    "connected, which is the limit", r->n_clients);
        return;
    }
    BASE_NEW(c);
    c->rpc = r;
    c->bev = bufferevent_socket_new(r->d->base, s, BEV_OPT_CLOSE_ON_FREE);
    base_list_add_tail(&r->clients, &c->node);
    r->n_clients++;
    bufferevent_setcb(c->bev, on_request, on_drained, on_end, c);
    bufferevent_setwatermark(c->bev, EV_READ, 0, RPC_MAX_REQUEST + 1);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/* ---------------------------------------------------------------- server */

/* RUNDIR is locked by us (process.c): a socket there is a stale one. */
static int
socket_open(const char *path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd, err, n = snprintf(un.sun_path, sizeof un.sun_path, "%s.new",
                              path);

    if (n < 0 || (size_t) n >= sizeof un.sun_path)
        return -ENAMETOOLONG;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    /* Under its name only when it answers: who waits for the file may
     * connect at once. */
    if ((unlink(un.sun_path) && errno != ENOENT) || fchmod(fd, 0600)
        || bind(fd, (struct sockaddr *) &un, sizeof un) || listen(fd, 64)
        || rename(un.sun_path, path)) {
        err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

int
rpc_create(struct weftd *d, const char *path, struct rpc **out,
           struct weft_err *e)
{
    int fd = socket_open(path);
    struct rpc *r;

    if (fd < 0)
        return weft_err_set(e, fd, "cannot listen on %s: %s", path,
                            strerror(-fd));
    BASE_NEW(r);
    r->d = d;
    r->fd = fd;
    r->path = base_xstrdup(path);
    base_list_init(&r->clients);
    r->accept = event_new(d->base, fd, EV_READ | EV_PERSIST, on_accept, r);
    event_add(r->accept, NULL);
    r->more = evtimer_new(d->base, on_more, r);
    *out = r;
    return 0;
}

void
rpc_destroy(struct rpc *r)
{
    struct client *c, *next;

    if (!r)
        return;
    BASE_LIST_FOR_SAFE(c, next, &r->clients, node) {
        struct evbuffer *out = bufferevent_get_output(c->bev);

        /* The answer to "exit" may still be on its way. */
        (void) !send(bufferevent_getfd(c->bev), evbuffer_pullup(out, -1),
                     evbuffer_get_length(out), MSG_NOSIGNAL);
        client_free(c);
    }
    event_free(r->accept);
    event_free(r->more);
    close(r->fd);
    unlink(r->path);
    free(r->path);
    free(r);
}
