/* SPDX-License-Identifier: Apache-2.0 */
#include "cc_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "utils/base/clock.h"
#include "utils/base/log.h"
#include "weft/be.h"

struct fixture fx;

static void *
agent_opened(void *arg, struct ofconn *conn)
{
    (void) arg;
    if (fx.refuse)
        return NULL;
    ck_assert_uint_lt(fx.n_opened, MAX_SESSIONS);

    struct session *s = &fx.s[fx.n_opened++];
    s->conn = conn;
    return s;
}

static int
agent_message(void *session, const uint8_t *msg, size_t len)
{
    struct session *s = session;

    ck_assert_ptr_nonnull(s->conn);
    s->n++;
    s->bytes += len;
    memcpy(s->last, msg, len);
    s->last_len = len;
    if (fx.establish && s->n == 1)
        s->conn->ops->established(s->conn, 4);
    if (fx.pause_at && s->n == fx.pause_at)
        s->conn->ops->pause(s->conn, true);
    if (fx.close_why) {
        s->conn->ops->send(s->conn, msg, len);
        s->conn->ops->close(s->conn, fx.close_why);
    }
    return fx.message_result;
}

static void
agent_writable(void *session)
{
    ((struct session *) session)->writable++;
}

static void
agent_closed(void *session)
{
    struct session *s = session;

    ck_assert_ptr_nonnull(s->conn); /* closed() comes once. */
    s->conn = NULL;
    fx.n_closed++;
}

static void
on_batch(void *arg)
{
    (void) arg;
    fx.batches++;
}

void
fixture_setup(void)
{
    memset(&fx, 0, sizeof fx);
    signal(SIGPIPE, SIG_IGN);
    base_log_set_level(BASE_LOG_ERR);
    strcpy(fx.dir, "/tmp/weft-cc-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(fx.dir));
    fx.base = event_base_new();
    fx.agent = (struct ofconn_agent){ .opened = agent_opened,
                                      .message = agent_message,
                                      .writable = agent_writable,
                                      .closed = agent_closed };
}

void
fixture_teardown(void)
{
    char cmd[128];

    event_base_free(fx.base);
    snprintf(cmd, sizeof cmd, "rm -rf %s", fx.dir);
    ck_assert_int_eq(system(cmd), 0);
}

struct cc *
fixture_cc(const struct cc_config *cfg)
{
    struct cc_config c = cfg ? *cfg : (struct cc_config){ 0 };

    c.name = "br0";
    c.batch_done = on_batch;
    return cc_create(fx.base, &c, &fx.agent);
}

const char *
fixture_target(const char *kind, const char *name)
{
    static char text[128];

    snprintf(text, sizeof text, "%s:%s/%s", kind, fx.dir, name);
    return text;
}

uint64_t
now_ms(void)
{
    return base_clock_ms();
}

void
spin_once(void)
{
    static const struct timeval tick = { .tv_usec = 2000 };

    event_base_loopexit(fx.base, &tick);
    event_base_loop(fx.base, EVLOOP_ONCE);
}

void
spin_for(unsigned ms)
{
    (void) SPIN(ms, false);
}

int
peer_connect(const char *name)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(un.sun_path, sizeof un.sun_path, "%.60s/%.40s", fx.dir, name);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *) &un, sizeof un), 0);
    return fd;
}

int
peer_listen_tcp(uint16_t *port)
{
    struct sockaddr_in in = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *) &in, sizeof in), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &in, &len), 0);
    *port = ntohs(in.sin_port);
    return fd;
}

void
peer_write(int fd, const void *p, size_t n)
{
    ck_assert_int_eq(send(fd, p, n, MSG_NOSIGNAL), (ssize_t) n);
}

bool
peer_read(int fd, void *p, size_t n)
{
    uint64_t end = now_ms() + 2000;
    uint8_t *b = p;

    while (n && now_ms() < end) {
        ssize_t r = recv(fd, b, n, MSG_DONTWAIT);

        if (!r || (r < 0 && errno != EAGAIN))
            return false;
        if (r < 0) {
            spin_once();
            continue;
        }
        b += r;
        n -= (size_t) r;
    }
    return !n;
}

bool
peer_sees_end(int fd, unsigned ms)
{
    uint64_t end = now_ms() + ms;
    uint8_t buf[4096];

    while (now_ms() < end) {
        ssize_t r = recv(fd, buf, sizeof buf, MSG_DONTWAIT);

        if (!r || (r < 0 && errno != EAGAIN))
            return true;
        if (r < 0)
            spin_once();
    }
    return false;
}

void
put_header(uint8_t *m, uint8_t type, uint16_t len, uint32_t xid)
{
    m[0] = 4;
    m[1] = type;
    put_be16(m + 2, len);
    put_be32(m + 4, xid);
}
