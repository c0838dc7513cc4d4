/* SPDX-License-Identifier: Apache-2.0 */
#include "ofblast.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MS 60000

unsigned long n_errors, n_answers, n_packet_ins;
uint64_t stats_entries, stats_bytes, n_flows, packet_in_cookie;

static int fd;
static SSL *tls; /* NULL: in the clear. */
static uint8_t in[1 << 18];
static size_t in_len;

void
die(const char *what)
{
    fprintf(stderr, "ofblast: %s: %s\n", what, strerror(errno));
    exit(1);
}

double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/* Bytes, 0: closed, -1: not now. */
static ssize_t
conn_recv(void *buf, size_t len)
{
    ssize_t n;

    if (tls) {
        n = SSL_read(tls, buf, (int) len);
        return n > 0 ? n : SSL_get_error(tls, (int) n) == SSL_ERROR_WANT_READ
                               ? -1 : 0;
    }
    n = recv(fd, buf, len, MSG_DONTWAIT);
    return n < 0 && errno != EAGAIN ? 0 : n;
}

/* Bytes taken, 0: not now. */
static size_t
conn_send(const void *buf, size_t len)
{
    ssize_t n;

    if (tls) {
        n = SSL_write(tls, buf, (int) (len < 65536 ? len : 65536));
        if (n <= 0 && SSL_get_error(tls, (int) n) != SSL_ERROR_WANT_WRITE
            && SSL_get_error(tls, (int) n) != SSL_ERROR_WANT_READ)
            die("TLS write");
        return n > 0 ? (size_t) n : 0;
    }
    n = send(fd, buf, len, MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN)
        die("send");
    return n > 0 ? (size_t) n : 0;
}

static void
take_flow_stats(const uint8_t *m, size_t len)
{
    for (size_t at = 16; at + 2 <= len;) {
        size_t n = get(m + at, 2);

        if (n < 56 || at + n > len)
            die("flow statistics that do not fit their message");
        stats_entries++;
        at += n;
    }
    stats_bytes += len;
}

static void
handle(const uint8_t *m, size_t len)
{
    uint8_t reply[8];

    switch (m[1]) {
    case OFERROR:
        if (!n_errors++)
            fprintf(stderr, "ofblast: error type %u, code %u\n",
                    (unsigned) get(m + 8, 2), (unsigned) get(m + 10, 2));
        break;
    case ECHO_REQUEST:
        header(reply, ECHO_REPLY, 8, (uint32_t) get(m + 4, 4));
        if (conn_send(reply, 8) != 8)
            die("send");
        break;
    case PACKET_IN:
        n_packet_ins++;
        packet_in_cookie = get(m + 16, 8);
        break;
    case MULTIPART_REPLY:
        if (get(m + 8, 2) == MP_FLOW)
            take_flow_stats(m, len);
        else if (len >= 36)
            n_flows = get(m + 32, 4);
        n_answers += !(get(m + 10, 2) & 1);
        break;
    case BARRIER_REPLY:
    case BUNDLE_CONTROL:
        n_answers++;
        break;
    }
}

/* Takes one piece of what has come; was there any? */
static bool
receive_some(void)
{
    ssize_t n = conn_recv(in + in_len, sizeof in - in_len);
    size_t at = 0;

    if (n == 0)
        die("connection closed");
    if (n < 0)
        return false;
    in_len += (size_t) n;
    while (in_len - at >= 8) {
        size_t len = get(in + at + 2, 2);

        if (len < 8 || in_len - at < len)
            break;
        handle(in + at, len);
        at += len;
    }
    memmove(in, in + at, in_len - at);
    in_len -= at;
    return true;
}

/* Sends of 'buf' what is taken now; how much.  Waits up to 'ms' if it can
 * neither send nor receive. */
static size_t
turn(const uint8_t *buf, size_t len, int ms)
{
    struct pollfd p = { fd, (short) (POLLIN | (len ? POLLOUT : 0)), 0 };

    if (poll(&p, 1, ms) < 0)
        die("poll");
    if (p.revents & (POLLIN | POLLHUP))
        while (receive_some() && tls)
            continue; /* TLS may hold more than the socket says. */
    return len && p.revents & POLLOUT ? conn_send(buf, len) : 0;
}

void
receive(int ms)
{
    turn(NULL, 0, ms);
}

void
exchange_until(const uint8_t *buf, size_t len, const unsigned long *count)
{
    unsigned long want = *count + 1;
    double end = now() + ANSWER_MS / 1e3;

    while (len || *count < want) {
        size_t n = turn(buf, len, 1000);

        if (n)
            end = now() + ANSWER_MS / 1e3;
        else if (now() > end)
            die("no answer within 60 s");
        buf += n;
        len -= n;
    }
}

double
exchange(const uint8_t *buf, size_t len)
{
    double start = now();

    exchange_until(buf, len, &n_answers);
    return now() - start;
}

static void
connect_unix(const char *path)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };

    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *) &sa, sizeof sa))
        die(path);
}

/* 'target': PORT:PEM, where PEM holds our key and certificate. */
static void
connect_tls(const char *target)
{
    const char *pem = strchr(target, ':');
    struct sockaddr_in sa = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t) atoi(target)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || !pem++ || connect(fd, (struct sockaddr *) &sa, sizeof sa))
        die(target);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE
                              | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (SSL_CTX_use_certificate_chain_file(ctx, pem) != 1
        || SSL_CTX_use_PrivateKey_file(ctx, pem, SSL_FILETYPE_PEM) != 1
        || !(tls = SSL_new(ctx)) || !SSL_set_fd(tls, fd)
        || SSL_connect(tls) != 1) {
        ERR_print_errors_fp(stderr);
        die("TLS");
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
}

void
connect_to(const char *target)
{
    uint8_t small[32];

    if (!strncmp(target, "tls:", 4))
        connect_tls(target + 4);
    else
        connect_unix(target);
    header(small, HELLO, 8, 1);
    /* Open vSwitch sends packet-ins here to who has said how long. */
    put(header(small + 8, SET_CONFIG, 12, 2), 0x0000ffff, 4);
    barrier(small + 20);
    exchange(small, 28);
}
