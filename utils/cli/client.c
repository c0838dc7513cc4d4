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

struct cli {
    int fd;
    char *path;
    json_int_t id;
    struct base_str in;
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
    base_str_fini(&c->in);
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

/* One line into c->in; 0 or -errno. */
static int
receive_line(struct cli *c)
{
    static char buf[1 << 18];

    base_str_clear(&c->in);
    for (;;) {
        ssize_t n = recv(c->fd, buf, sizeof buf, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n ? -errno : -ECONNRESET;
        base_str_addn(&c->in, buf, (size_t) n);
        if (buf[n - 1] == '\n') /* One request, one answer: its end. */
            return 0;
    }
}

/* Takes the answer apart. */
static enum cli_exit
answer_take(struct cli *c, json_t **result, struct weft_err *e)
{
    json_error_t why;
    json_t *answer = json_loadb(c->in.buf, c->in.len, 0, &why);
    json_t *fault = json_object_get(answer, "error");
    enum cli_exit code = CLI_OK;

    *result = json_incref(json_object_get(answer, "result"));
    if (fault) {
        const char *text = json_string_value(json_object_get(fault,
                                                             "message"));

        weft_err_set(e, 0, "%s", text ? text : "refused");
        code = CLI_REFUSED;
    } else if (!*result) {
        weft_err_set(e, 0, "%s: the answer is not understood", c->path);
        code = CLI_NO_DAEMON;
    }
    json_decref(answer);
    return code;
}

enum cli_exit
cli_call(struct cli *c, const char *method, json_t *params, json_t **result,
         struct weft_err *e)
{
    json_t *request = json_pack("{s:s,s:I,s:s,s:o*}", "jsonrpc", "2.0", "id",
                                ++c->id, "method", method, "params", params);
    char *text = json_dumps(request, JSON_COMPACT);
    size_t len = strlen(text);

    text[len] = '\n'; /* Instead of the NUL. */
    int err = send_all(c->fd, text, len + 1);
    free(text);
    json_decref(request);
    *result = NULL;
    if (!err)
        err = receive_line(c);
    if (err) {
        weft_err_set(e, 0, "%s: the connection broke: %s", c->path,
                     strerror(-err));
        return CLI_NO_DAEMON;
    }
    return answer_take(c, result, e);
}
