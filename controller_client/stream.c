/* SPDX-License-Identifier: Apache-2.0 */
#include "controller_client/cc_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* OpenFlow is request and reply: Nagle's delay only hurts, because output is
 * coalesced already. */
static void
set_nodelay(int fd)
{
    int on = 1;

    (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int
cc_stream_connect(struct cc_stream *s, const struct sockaddr *sa,
                  socklen_t len, const struct sockaddr *local,
                  socklen_t local_len)
{
    int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    0);

    *s = (struct cc_stream){ .fd = fd };
    if (fd < 0)
        return -errno;
    if (sa->sa_family != AF_UNIX)
        set_nodelay(fd);
    if (!(local && bind(fd, local, local_len)) && !connect(fd, sa, len))
        return 0;

    int err = errno;
    if (err == EINPROGRESS)
        return -err;
    cc_stream_close(s);
    return -err;
}

int
cc_stream_connected(const struct cc_stream *s)
{
    int err = 0;
    socklen_t len = sizeof err;

    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &len))
        return -errno;
    return -err;
}

void
cc_stream_adopt(struct cc_stream *s, int fd)
{
    *s = (struct cc_stream){ .fd = fd };
    set_nodelay(fd); /* Fails harmlessly on a Unix socket. */
}

ssize_t
cc_stream_read(struct cc_stream *s, void *buf, size_t n)
{
    ssize_t r;

    if (s->ssl)
        return cc_tls_read(s, buf, n);
    do
        r = recv(s->fd, buf, n, 0);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : r;
}

ssize_t
cc_stream_write(struct cc_stream *s, const void *buf, size_t n)
{
    ssize_t r;

    if (s->ssl)
        return cc_tls_write(s, buf, n);
    do
        r = send(s->fd, buf, n, MSG_NOSIGNAL);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : r;
}

void
cc_stream_shutdown(struct cc_stream *s)
{
    if (s->ssl)
        cc_tls_shutdown(s);
    (void) shutdown(s->fd, SHUT_WR);
}

void
cc_stream_close(struct cc_stream *s)
{
    if (s->ssl)
        cc_tls_close(s);
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

void
cc_stream_peer(const struct cc_stream *s, const struct cc_spec *t, char *buf,
               size_t size)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;
    const char *kind = t->tls ? "tls" : "tcp";
    char text[INET6_ADDRSTRLEN];

    if (t->local) {
        snprintf(buf, size, "unix:%s", t->path);
        return;
    }
    if (getpeername(s->fd, (struct sockaddr *) &ss, &len)) {
        snprintf(buf, size, "%s:%s:%u", kind, t->host, t->port);
    } else if (ss.ss_family == AF_INET) {
        const struct sockaddr_in *in = (const void *) &ss;

        inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
        snprintf(buf, size, "%s:%s:%u", kind, text, ntohs(in->sin_port));
    } else {
        const struct sockaddr_in6 *in6 = (const void *) &ss;

        inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
        snprintf(buf, size, "%s:[%s]:%u", kind, text, ntohs(in6->sin6_port));
    }
}

/* A file at 'path' that is a socket nobody listens on is left over from a
 * process that was killed: remove it.  Anything else is not ours to touch. */
static int
remove_stale(const struct sockaddr_un *un)
{
    struct stat st;

    if (lstat(un->sun_path, &st))
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int err = connect(fd, (const struct sockaddr *) un, sizeof *un) ? errno
                                                                    : 0;
    close(fd);
    if (err == ECONNREFUSED)
        return unlink(un->sun_path) && errno != ENOENT ? -errno : 0;
    return -EADDRINUSE; /* Somebody answers, or is too busy to. */
}

/* Only the owner may connect: a controller rules the switch. */
static int
listen_unix(const struct cc_spec *t)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int err, fd;

    memcpy(un.sun_path, t->path, sizeof un.sun_path);
    err = remove_stale(&un);
    if (err)
        return err;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    /* Linux takes the mode of the new file from the unbound socket. */
    if (fchmod(fd, 0600) || bind(fd, (struct sockaddr *) &un, sizeof un)
        || listen(fd, 64)) {
        err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

static int
listen_inet(const struct cc_spec *t)
{
    struct sockaddr_in in = { .sin_family = AF_INET,
                              .sin_port = htons(t->port) };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
                                .sin6_port = htons(t->port) };
    bool v6 = strchr(t->host, ':') != NULL;
    int on = 1, fd, err;

    if (v6)
        (void) inet_pton(AF_INET6, t->host, &in6.sin6_addr);
    else if (t->host[0])
        (void) inet_pton(AF_INET, t->host, &in.sin_addr);
    fd = socket(v6 ? AF_INET6 : AF_INET,
                SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if ((v6 ? bind(fd, (struct sockaddr *) &in6, sizeof in6)
            : bind(fd, (struct sockaddr *) &in, sizeof in))
        || listen(fd, 64)) {
        err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

int
cc_listen(const char *target, const struct cc_spec *t, struct weft_err *e)
{
    int fd = t->local ? listen_unix(t) : listen_inet(t);

    if (fd < 0)
        return weft_err_set(e, fd, "controller %s: cannot listen: %s", target,
                            strerror(-fd));
    return fd;
}
