/* SPDX-License-Identifier: Apache-2.0 */
/* A controller that does nothing but stream flow-mods: row G1.
 *
 * usage: ofblast SOCKET-PATH N
 * What:   OpenFlow 1.3 over a Unix socket; N flow adds (UDP 5-tuples, one
 *         output action) one by one, encoded beforehand, then a barrier; then
 *         asks for the number of flows.
 * Prints: JSON {"adds":N,"seconds":S,"per_second":R,"errors":E,"flows":F}.
 * Errors: exit 1 with a line on stderr. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { HELLO = 0, OFERROR = 1, ECHO_REQUEST = 2, ECHO_REPLY = 3, FLOW_MOD = 14,
       MULTIPART_REQUEST = 18, MULTIPART_REPLY = 19, BARRIER_REQUEST = 20,
       BARRIER_REPLY = 21 };

#define FLOW_ADD_LEN 128

static unsigned long n_errors;
static uint32_t n_flows;
static uint8_t in[1 << 16];
static size_t in_len;

static void
die(const char *what)
{
    fprintf(stderr, "ofblast: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint8_t *
put(uint8_t *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t) (v >> 8 * (bytes - 1 - i));
    return p + bytes;
}

static uint8_t *
header(uint8_t *p, unsigned type, unsigned len, uint32_t xid)
{
    p = put(p, 4, 1);
    p = put(p, type, 1);
    p = put(p, len, 2);
    return put(p, xid, 4);
}

static uint8_t *
oxm(uint8_t *p, unsigned field, unsigned len, uint32_t v)
{
    p = put(p, 0x8000, 2);
    p = put(p, field << 1, 1);
    p = put(p, len, 1);
    return put(p, v, len);
}

/* OpenFlow 1.3.5 §7.3.4.1. */
static uint8_t *
flow_add(uint8_t *start, uint32_t i)
{
    uint8_t *p = header(start, FLOW_MOD, FLOW_ADD_LEN, i + 10);

    p = put(p, i, 8);          /* cookie */
    p = put(p, 0, 8);          /* cookie mask */
    p = put(p, 0, 2);          /* table 0, add */
    p = put(p, 0, 4);          /* timeouts */
    p = put(p, 100, 2);        /* priority */
    p = put(p, 0xffffffff, 4); /* no buffer */
    p = put(p, 0xffffffff, 4); /* any port */
    p = put(p, 0xffffffff, 4); /* any group */
    p = put(p, 0, 4);          /* flags, pad */
    p = put(p, 1, 2);          /* OXM match */
    p = put(p, 4 + 8 + 6 + 5 + 8 + 8 + 6 + 6, 2);
    p = oxm(p, 0, 4, 1);                    /* in_port */
    p = oxm(p, 5, 2, 0x0800);               /* eth_type */
    p = oxm(p, 10, 1, 17);                  /* ip_proto */
    p = oxm(p, 11, 4, 0x0a000000 + i);      /* ipv4_src */
    p = oxm(p, 12, 4, 0x0b000000 + i / 3);  /* ipv4_dst */
    p = oxm(p, 15, 2, 1000 + i % 50000);    /* udp_src */
    p = oxm(p, 16, 2, 53);                  /* udp_dst */
    while ((p - start) % 8)
        *p++ = 0;
    p = put(p, 4, 2);  /* apply-actions */
    p = put(p, 24, 2);
    p = put(p, 0, 4);
    p = put(p, 0, 2);  /* output */
    p = put(p, 16, 2);
    p = put(p, 2, 4);
    p = put(p, 0, 8);
    return p;
}

static void
handle(int fd, const uint8_t *m, size_t len, unsigned *barriers)
{
    uint8_t reply[8];

    switch (m[1]) {
    case OFERROR:
        n_errors++;
        break;
    case ECHO_REQUEST:
        header(reply, ECHO_REPLY, 8, 0);
        memcpy(reply + 4, m + 4, 4);
        if (send(fd, reply, 8, 0) != 8)
            die("send");
        break;
    case MULTIPART_REPLY:
        if (len >= 36) {
            memcpy(&n_flows, m + 32, 4);
            n_flows = ntohl(n_flows);
        }
        *barriers += 1;
        break;
    case BARRIER_REPLY:
        *barriers += 1;
        break;
    }
}

static void
receive(int fd, unsigned *answers)
{
    ssize_t n = recv(fd, in + in_len, sizeof in - in_len, MSG_DONTWAIT);

    if (n == 0 || (n < 0 && errno != EAGAIN))
        die("connection closed");
    if (n < 0)
        return;
    in_len += (size_t) n;
    size_t at = 0;
    while (in_len - at >= 8) {
        size_t len = (size_t) in[at + 2] << 8 | in[at + 3];
        if (len < 8 || in_len - at < len)
            break;
        handle(fd, in + at, len, answers);
        at += len;
    }
    memmove(in, in + at, in_len - at);
    in_len -= at;
}

/* Sends all of 'buf' and reads until one more answer has come. */
static void
exchange(int fd, const uint8_t *buf, size_t len)
{
    unsigned answers = 0;

    while (len || !answers) {
        struct pollfd p = { fd, (short) (POLLIN | (len ? POLLOUT : 0)), 0 };

        if (poll(&p, 1, 60000) <= 0)
            die("no answer within 60 s");
        if (p.revents & POLLIN)
            receive(fd, &answers);
        if (len && p.revents & POLLOUT) {
            ssize_t n = send(fd, buf, len, MSG_DONTWAIT);
            if (n < 0 && errno != EAGAIN)
                die("send");
            if (n > 0) {
                buf += n;
                len -= (size_t) n;
            }
        }
    }
}

static int
connect_to(const char *path)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *) &sa, sizeof sa))
        die(path);
    return fd;
}

int
main(int argc, char **argv)
{
    uint32_t n = argc > 2 ? (uint32_t) strtoul(argv[2], NULL, 10) : 0;
    struct timespec a, b;
    uint8_t small[64];

    if (!n) {
        fprintf(stderr, "usage: ofblast SOCKET-PATH N\n");
        return 2;
    }
    int fd = connect_to(argv[1]);
    uint8_t *buf = malloc((size_t) n * FLOW_ADD_LEN + 8), *p = buf;
    if (!buf)
        die("malloc");

    uint8_t *q = header(small, HELLO, 8, 1);
    q = header(q, BARRIER_REQUEST, 8, 2);
    exchange(fd, small, (size_t) (q - small));

    for (uint32_t i = 0; i < n; i++)
        p = flow_add(p, i);
    p = header(p, BARRIER_REQUEST, 8, 3);
    clock_gettime(CLOCK_MONOTONIC, &a);
    exchange(fd, buf, (size_t) (p - buf));
    clock_gettime(CLOCK_MONOTONIC, &b);
    double s = (double) (b.tv_sec - a.tv_sec)
               + (double) (b.tv_nsec - a.tv_nsec) / 1e9;

    q = header(small, MULTIPART_REQUEST, 56, 4); /* Aggregate, §7.3.5.3. */
    q = put(q, 2, 2);
    q = put(q, 0, 6);
    q = put(q, 0xff000000, 4); /* all tables */
    q = put(q, 0xffffffff, 4);
    q = put(q, 0xffffffff, 4);
    q = put(q, 0, 4);
    q = put(q, 0, 8);
    q = put(q, 0, 8);
    q = put(q, 0x00010004, 4);
    q = put(q, 0, 4);
    exchange(fd, small, (size_t) (q - small));
    printf("{\"adds\": %u, \"seconds\": %.4f, \"per_second\": %.0f, "
           "\"errors\": %lu, \"flows\": %u}\n", n, s, n / s, n_errors,
           n_flows);
    return 0;
}
