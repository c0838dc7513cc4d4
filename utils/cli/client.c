/* SPDX-License-Identifier: Apache-2.0 */
#include "utils/cli/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "utils/base/mem.h"
#include "utils/base/str.h"
#include "utils/cli/items.h"

struct cli {
    int fd;
    char *path;
    json_int_t id;
};

const char *
cli_default_run_dir(void)
{
    const char *dir = getenv("WEFT_RUN_DIR");

    return dir && *dir ? dir : "/run/weft";
}

enum cli_exit
cli_connect(const char *run_dir, struct cli **out, struct weft_err *e)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    char *path = base_xasprintf("%s/weft.sock", run_dir);
    struct cli *c;
    int fd;

    if (strlen(path) >= sizeof un.sun_path) {
        weft_err_set(e, 0, "%s is too long for a socket (%zu characters at "
                     "most)", path, sizeof un.sun_path - 1);
        free(path);
        return CLI_USAGE;
    }
    strcpy(un.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *) &un, sizeof un)) {
        weft_err_set(e, 0, "no weftd answers at %s (%s): start it, or give "
                     "its --run-dir", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        free(path);
        return CLI_NO_DAEMON;
    }
    BASE_NEW(c);
    c->fd = fd;
    c->path = path;
    *out = c;
    return CLI_OK;
}

void
cli_close(struct cli *c)
{
    if (!c)
        return;
    close(c->fd);
    free(c->path);
    free(c);
}

static int
send_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t r = send(fd, p, n, MSG_NOSIGNAL);

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return -errno;
        p += r;
        n -= (size_t) r;
    }
    return 0;
}

struct stream {
    cli_item_cb *item;
    void *arg;
    bool broken; /* An item is no JSON. */
};

static bool
on_item(void *arg, const char *text, size_t len)
{
    struct stream *s = arg;
    json_t *item = json_loadb(text, len, 0, NULL);
    bool more = item && s->item(s->arg, item);

    s->broken |= !item;
    json_decref(item);
    return more;
}

/* One answer into 'in'; 0, -ECANCELED (no more items are wanted) or
 * -errno. */
static int
receive(struct cli *c, struct cli_items *in, struct stream *s)
{
    static char buf[1 << 18];

    while (!in->done) {
        ssize_t n = recv(c->fd, buf, sizeof buf, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n ? -errno : -ECONNRESET;
        if (!cli_items_feed(in, buf, (size_t) n, on_item, s))
            return s->broken ? -EBADMSG : -ECANCELED;
    }
    return 0;
}

/* Takes the answer apart. */
static enum cli_exit
answer_take(struct cli *c, const struct base_str *text, json_t **result,
            struct weft_err *e)
{
    json_error_t why;
    json_t *answer = json_loadb(base_str_cstr(text), text->len, 0, &why);
    json_t *fault = json_object_get(answer, "error");
    enum cli_exit code = CLI_OK;

    *result = json_incref(json_object_get(answer, "result"));
    if (fault) {
        const char *said = json_string_value(json_object_get(fault,
                                                             "message"));

        weft_err_set(e, 0, "%s", said ? said : "refused");
        code = CLI_REFUSED;
    } else if (!*result) {
        weft_err_set(e, 0, "%s: the answer is not understood", c->path);
        code = CLI_NO_DAEMON;
    }
    json_decref(answer);
    return code;
}

static int
ask(struct cli *c, const char *method, json_t *params)
{
    json_t *request = json_pack("{s:s,s:I,s:s,s:o*}", "jsonrpc", "2.0", "id",
                                ++c->id, "method", method, "params", params);
    char *text = json_dumps(request, JSON_COMPACT);
    size_t len = strlen(text);
    int err;

    text[len] = '\n'; /* Instead of the NUL. */
    err = send_all(c->fd, text, len + 1);
    free(text);
    json_decref(request);
    return err;
}

enum cli_exit
cli_stream(struct cli *c, const char *method, json_t *params,
           const char *list, cli_item_cb *item, void *arg, json_t **result,
           struct weft_err *e)
{
    struct cli_items in = CLI_ITEMS_INIT(list);
    struct stream s = { .item = item, .arg = arg };
    enum cli_exit code = CLI_OK;
    int err = ask(c, method, params);

    *result = NULL;
    if (!err)
        err = receive(c, &in, &s);
    if (err && err != -ECANCELED) {
        weft_err_set(e, 0, "%s: the connection broke: %s", c->path,
                     strerror(-err));
        code = CLI_NO_DAEMON;
    } else if (!err) {
        code = answer_take(c, &in.rest, result, e);
    }
    cli_items_fini(&in);
    return code;
}

enum cli_exit
cli_call(struct cli *c, const char *method, json_t *params, json_t **result,
         struct weft_err *e)
{
    return cli_stream(c, method, params, NULL, NULL, NULL, result, e);
}
