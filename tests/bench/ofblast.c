/* SPDX-License-Identifier: Apache-2.0 */
/* A controller that does nothing but stream prepared messages: rows G.
 *
 * usage: ofblast SOCKET-PATH MODE N [TABLES]
 * What:   OpenFlow over a Unix socket.  Rule i: seven fields (5 of them the
 *         UDP 5-tuple), set_field of the destination MAC and an output, 48
 *         next hops in all; spread over TABLES tables, the last rule in
 *         table 0.
 *   add      N adds one by one, a barrier
 *   bundle   N adds in one atomic and ordered bundle of OpenFlow 1.4
 *   change   N adds; then N strict modifies in random order, a barrier; N
 *            strict deletes in another, a barrier
 *   barrier  N barriers, one after the other; then N more with 100 adds in
 *            front of each
 *   stats    all flow statistics, expected to be N entries
 *   packet-in N: seconds; makes a miss rule and counts what comes
 *   clear    one delete of everything, a barrier
 *   After add and bundle, a packet-out to the tables must come back by the
 *   last rule, which is to the controller; then the flows are counted.
 * Prints: JSON, one object.
 * Errors: exit 1 with a line on stderr. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { HELLO = 0, OFERROR = 1, ECHO_REQUEST = 2, ECHO_REPLY = 3,
       SET_CONFIG = 9, PACKET_IN = 10, PACKET_OUT = 13, FLOW_MOD = 14,
       MULTIPART_REQUEST = 18, MULTIPART_REPLY = 19, BARRIER_REQUEST = 20,
       BARRIER_REPLY = 21, BUNDLE_CONTROL = 33, BUNDLE_ADD = 34 };
enum { ADD = 0, MODIFY_STRICT = 2, DELETE = 3, DELETE_STRICT = 4 };
enum { MP_FLOW = 1, MP_AGGREGATE = 2 };

#define FLOW_MOD_LEN 144
#define ANY 0xffffffffu
#define TO_CONTROLLER 0xfffffffdu
#define N_HOPS 48
#define IN_PORT 3 /* The traffic of other rows comes from 1. */
#define ANSWER_MS 60000

static uint8_t version = 4;
static uint32_t n_rules, n_tables = 1;
static int fd;

/* What came in. */
static unsigned long n_errors, n_answers, n_packet_ins;
static uint64_t stats_entries, stats_bytes, n_flows, packet_in_cookie;
static uint8_t in[1 << 18];
static size_t in_len;

static void
die(const char *what)
{
    fprintf(stderr, "ofblast: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/* ---------------------------------------------------------------- encoding */

static uint8_t *
put(uint8_t *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t) (v >> 8 * (bytes - 1 - i));
    return p + bytes;
}

static uint64_t
get(const uint8_t *p, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < bytes; i++)
        v = v << 8 | p[i];
    return v;
}

static uint8_t *
header(uint8_t *p, unsigned type, unsigned len, uint32_t xid)
{
    p = put(p, version, 1);
    p = put(p, type, 1);
    p = put(p, len, 2);
    return put(p, xid, 4);
}

static uint8_t *
oxm(uint8_t *p, unsigned field, unsigned len, uint64_t v)
{
    p = put(p, 0x8000, 2);
    p = put(p, field << 1, 1);
    p = put(p, len, 1);
    return put(p, v, len);
}

static uint8_t *
pad8(uint8_t *start, uint8_t *p)
{
    while ((p - start) % 8)
        *p++ = 0;
    return p;
}

/* OpenFlow 1.3.5 §7.2.4: set-field of eth_dst, output. */
static uint8_t *
actions(uint8_t *p, uint32_t hop, uint32_t port)
{
    uint8_t *start = p;

    p = put(p, 25, 2);
    p = put(p, 16, 2);
    p = oxm(p, 3, 6, UINT64_C(0x020000000000) + hop);
    p = pad8(start, p);
    p = put(p, 0, 2);
    p = put(p, 16, 2);
    p = put(p, port, 4);
    p = put(p, 0xffff, 2);
    return put(p, 0, 6);
}

/* OpenFlow 1.3.5 §7.3.4.1, the same in 1.4. */
static uint8_t *
flow_mod_head(uint8_t *p, unsigned command, unsigned table, uint64_t cookie,
              unsigned len, unsigned priority)
{
    p = header(p, FLOW_MOD, len, (uint32_t) cookie + 10);
    p = put(p, cookie, 8);
    p = put(p, 0, 8);         /* cookie mask */
    p = put(p, table, 1);
    p = put(p, command, 1);
    p = put(p, 0, 4);         /* timeouts */
    p = put(p, priority, 2);
    p = put(p, ANY, 4);       /* no buffer */
    p = put(p, ANY, 4);       /* any port */
    p = put(p, ANY, 4);       /* any group */
    return put(p, 0, 4);      /* flags; pad or importance */
}

/* Command about rule i; 'hop' varies what a modify writes. */
static uint8_t *
flow_mod(uint8_t *start, unsigned command, uint32_t i, uint32_t hop)
{
    bool last = i == n_rules - 1;
    uint8_t *p = flow_mod_head(start, command, (n_rules - 1 - i) % n_tables,
                               i, FLOW_MOD_LEN, 100);

    p = put(p, 1, 2);          /* OXM match */
    p = put(p, 4 + 8 + 6 + 5 + 8 + 8 + 6 + 6, 2);
    p = oxm(p, 0, 4, IN_PORT);              /* in_port */
    p = oxm(p, 5, 2, 0x0800);               /* eth_type */
    p = oxm(p, 10, 1, 17);                  /* ip_proto */
    p = oxm(p, 11, 4, 0x0a000000 + i);      /* ipv4_src */
    p = oxm(p, 12, 4, 0x0b000000 + i / 3);  /* ipv4_dst */
    p = oxm(p, 15, 2, 1000 + i % 50000);    /* udp_src */
    p = oxm(p, 16, 2, 53);                  /* udp_dst */
    p = pad8(start, p);
    p = put(p, 4, 2);  /* apply-actions */
    p = put(p, 40, 2);
    p = put(p, 0, 4);
    return actions(p, hop % N_HOPS, last ? TO_CONTROLLER : 2 + hop % N_HOPS);
}

/* The frame that rule i matches, sent through the tables. */
static size_t
packet_out(uint8_t *start, uint32_t i)
{
    uint8_t *p = header(start, PACKET_OUT, 24 + 16 + 60, 5);

    p = put(p, ANY, 4);
    p = put(p, IN_PORT, 4);
    p = put(p, 16, 2);
    p = put(p, 0, 6);
    p = put(p, 0, 2);  /* output to the tables */
    p = put(p, 16, 2);
    p = put(p, 0xfffffff9u, 4);
    p = put(p, 0, 8);
    p = put(p, 0x020000000001, 6);
    p = put(p, 0x020000000002, 6);
    p = put(p, 0x0800, 2);
    p = put(p, 0x45000000u | 46, 4);
    p = put(p, 0, 4);
    p = put(p, 0x40110000u, 4);
    p = put(p, 0x0a000000 + i, 4);
    p = put(p, 0x0b000000 + i / 3, 4);
    p = put(p, 1000 + i % 50000, 2);
    p = put(p, 53, 2);
    p = put(p, 26, 2);
    memset(p, 0, 60 - (14 + 20 + 6));
    p += 60 - (14 + 20 + 6);
    return (size_t) (p - start);
}

static uint8_t *
barrier(uint8_t *p)
{
    return header(p, BARRIER_REQUEST, 8, 3);
}

/* A request for statistics of all flows (§7.3.5.2, §7.3.5.3). */
static size_t
stats_request(uint8_t *start, unsigned type)
{
    uint8_t *p = header(start, MULTIPART_REQUEST, 56, 4);

    p = put(p, type, 2);
    p = put(p, 0, 6);
    p = put(p, 0xff000000, 4); /* all tables */
    p = put(p, ANY, 4);
    p = put(p, ANY, 4);
    p = put(p, 0, 4);
    p = put(p, 0, 8);
    p = put(p, 0, 8);
    p = put(p, 0x00010004, 4);
    p = put(p, 0, 4);
    return (size_t) (p - start);
}

/* --------------------------------------------------------------- exchanging */

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
        if (send(fd, reply, 8, 0) != 8)
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

static void
receive(void)
{
    ssize_t n = recv(fd, in + in_len, sizeof in - in_len, MSG_DONTWAIT);
    size_t at = 0;

    if (n == 0 || (n < 0 && errno != EAGAIN))
        die("connection closed");
    if (n < 0)
        return;
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
}

/* Sends all of 'buf' and reads until *count has grown by one. */
static void
exchange_until(const uint8_t *buf, size_t len, const unsigned long *count)
{
    unsigned long want = *count + 1;

    while (len || *count < want) {
        struct pollfd p = { fd, (short) (POLLIN | (len ? POLLOUT : 0)), 0 };

        if (poll(&p, 1, ANSWER_MS) <= 0)
            die("no answer within 60 s");
        if (p.revents & POLLIN)
            receive();
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

/* ... and returns the seconds it took. */
static double
exchange(const uint8_t *buf, size_t len)
{
    double start = now();

    exchange_until(buf, len, &n_answers);
    return now() - start;
}

static void
connect_to(const char *path)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    uint8_t small[32];

    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *) &sa, sizeof sa))
        die(path);
    header(small, HELLO, 8, 1);
    /* Open vSwitch sends packet-ins here to who has said how long. */
    put(header(small + 8, SET_CONFIG, 12, 2), 0x0000ffff, 4);
    barrier(small + 20);
    exchange(small, 28);
}

static uint8_t *
messages(size_t n, size_t each)
{
    uint8_t *p = malloc(n * each + 64);

    if (!p)
        die("malloc");
    return p;
}

/* -------------------------------------------------------------------- modes */

static size_t
encode_adds(uint8_t *p)
{
    uint8_t *start = p;

    for (uint32_t i = 0; i < n_rules; i++)
        p = flow_mod(p, ADD, i, i);
    return (size_t) (barrier(p) - start);
}

/* Waits until the last rule forwards; seconds since 'start'. */
static double
last_forwards(double start)
{
    uint8_t frame[128];

    exchange_until(frame, packet_out(frame, n_rules - 1), &n_packet_ins);
    return now() - start;
}

static void
count_flows(void)
{
    uint8_t small[64];

    exchange(small, stats_request(small, MP_AGGREGATE));
}

static void
report_adds(double s, double forwards)
{
    bool right = packet_in_cookie == n_rules - 1;

    printf("{\"adds\": %u, \"seconds\": %.4f, \"per_second\": %.0f, "
           "\"forwards_after\": %.4f, \"right_rule\": %s, \"errors\": %lu, "
           "\"flows\": %llu}\n", n_rules, s, n_rules / s, forwards,
           right ? "true" : "false", n_errors, (unsigned long long) n_flows);
}

static void
mode_add(void)
{
    uint8_t *buf = messages(n_rules, FLOW_MOD_LEN);
    size_t len = encode_adds(buf);
    double start = now(), s = exchange(buf, len);
    double forwards = last_forwards(start);

    count_flows();
    report_adds(s, forwards);
}

/* OpenFlow 1.4.1 §7.3.9. */
static uint8_t *
bundle_control(uint8_t *p, unsigned type)
{
    p = header(p, BUNDLE_CONTROL, 16, 6);
    p = put(p, 77, 4);
    p = put(p, type, 2);
    return put(p, 3, 2); /* atomic, ordered */
}

static void
mode_bundle(void)
{
    uint8_t *buf = messages(n_rules, FLOW_MOD_LEN + 16), *p = buf;
    double start, s;

    exchange(buf, (size_t) (bundle_control(buf, 0) - buf));
    for (uint32_t i = 0; i < n_rules; i++) {
        p = header(p, BUNDLE_ADD, FLOW_MOD_LEN + 16, i + 10);
        p = put(p, 77, 4);
        p = put(p, 0, 2);
        p = put(p, 3, 2);
        p = flow_mod(p, ADD, i, i);
    }
    p = bundle_control(p, 4); /* Commit. */
    start = now();
    s = exchange(buf, (size_t) (p - buf));
    s = last_forwards(start) > s ? now() - start : s;
    count_flows();
    report_adds(s, s);
}

/* Rule numbers in random order, from xorshift. */
static void
shuffle(uint32_t *order, uint64_t seed)
{
    for (uint32_t i = 0; i < n_rules; i++)
        order[i] = i;
    for (uint32_t i = n_rules - 1; i; i--) {
        uint32_t j, t = order[i];

        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        j = (uint32_t) (seed % (i + 1));
        order[i] = order[j];
        order[j] = t;
    }
}

static double
change_all(uint8_t *buf, unsigned command, const uint32_t *order)
{
    uint8_t *p = buf;

    for (uint32_t i = 0; i < n_rules; i++)
        p = flow_mod(p, command, order[i], order[i] + 7);
    p = barrier(p);
    return exchange(buf, (size_t) (p - buf));
}

static void
mode_change(void)
{
    uint8_t *buf = messages(n_rules, FLOW_MOD_LEN);
    uint32_t *order = malloc(n_rules * sizeof *order);
    double modify, delete;
    unsigned long long before;

    if (!order)
        die("malloc");
    exchange(buf, encode_adds(buf));
    shuffle(order, 88172645463325252u);
    modify = change_all(buf, MODIFY_STRICT, order);
    count_flows();
    before = n_flows;
    shuffle(order, 1181783497276652981u);
    delete = change_all(buf, DELETE_STRICT, order);
    count_flows();
    printf("{\"modifies_per_second\": %.0f, \"deletes_per_second\": %.0f, "
           "\"errors\": %lu, \"flows\": %llu, \"flows_left\": %llu}\n",
           n_rules / modify, n_rules / delete, n_errors, before,
           (unsigned long long) n_flows);
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}

static void
barrier_times(const char *name, uint32_t n, uint32_t adds)
{
    uint8_t *buf = messages(adds + 1, FLOW_MOD_LEN);
    double *t = malloc(n * sizeof *t);

    if (!t)
        die("malloc");
    for (uint32_t i = 0; i < n; i++) {
        uint8_t *p = buf;

        for (uint32_t k = 0; k < adds; k++)
            p = flow_mod(p, ADD, i * adds + k, k);
        p = barrier(p);
        t[i] = exchange(buf, (size_t) (p - buf));
    }
    qsort(t, n, sizeof *t, by_value);
    printf("\"%s\": {\"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f}, ",
           name, t[n / 2] * 1e6, t[n - 1 - n / 100] * 1e6, t[n - 1] * 1e6);
}

static void
mode_barrier(void)
{
    uint32_t n = n_rules;

    n_rules = 100 * n;
    printf("{");
    barrier_times("idle", n, 0);
    barrier_times("after_100_adds", n, 100);
    count_flows();
    printf("\"errors\": %lu, \"flows\": %llu}\n", n_errors,
           (unsigned long long) n_flows);
}

static void
mode_stats(void)
{
    uint8_t small[64];
    double s = exchange(small, stats_request(small, MP_FLOW));

    printf("{\"entries\": %llu, \"bytes\": %llu, \"seconds\": %.4f, "
           "\"errors\": %lu}\n", (unsigned long long) stats_entries,
           (unsigned long long) stats_bytes, s, n_errors);
}

/* A rule of lowest priority that sends everything here. */
static size_t
miss_rule(uint8_t *start)
{
    uint8_t *p = flow_mod_head(start, ADD, 0, 1, 80, 0);

    p = put(p, 0x00010004, 4);
    p = put(p, 0, 4);
    p = put(p, 4, 2);
    p = put(p, 24, 2);
    p = put(p, 0, 4);
    p = put(p, 0, 2);
    p = put(p, 16, 2);
    p = put(p, TO_CONTROLLER, 4);
    p = put(p, 0xffff, 2);
    p = put(p, 0, 6);
    return (size_t) (barrier(p) - start);
}

static void
mode_packet_in(void)
{
    uint8_t small[128];
    unsigned long before;
    double start;

    exchange(small, miss_rule(small));
    exchange_until(small, 0, &n_packet_ins);
    before = n_packet_ins;
    start = now();
    while (now() - start < n_rules) {
        struct pollfd p = { fd, POLLIN, 0 };

        if (poll(&p, 1, 100) > 0)
            receive();
    }
    printf("{\"packet_ins\": %lu, \"per_second\": %.0f, \"errors\": %lu}\n",
           n_packet_ins - before,
           (double) (n_packet_ins - before) / (now() - start), n_errors);
}

static void
mode_clear(void)
{
    uint8_t buf[128];
    uint8_t *p = flow_mod_head(buf, DELETE, 0xff, 0, 56, 0);
    double s;

    p = put(p, 0x00010004, 4);
    p = put(p, 0, 4);
    p = barrier(p);
    s = exchange(buf, (size_t) (p - buf));
    count_flows();
    printf("{\"seconds\": %.4f, \"errors\": %lu, \"flows\": %llu}\n", s,
           n_errors, (unsigned long long) n_flows);
}

static const struct mode {
    const char *name;
    void (*run)(void);
    uint8_t version;
} modes[] = {
    { "add", mode_add, 4 },         { "bundle", mode_bundle, 5 },
    { "change", mode_change, 4 },   { "barrier", mode_barrier, 4 },
    { "stats", mode_stats, 4 },     { "packet-in", mode_packet_in, 4 },
    { "clear", mode_clear, 4 },
};

int
main(int argc, char **argv)
{
    const struct mode *m = NULL;

    for (size_t i = 0; argc > 3 && i < sizeof modes / sizeof modes[0]; i++)
        if (!strcmp(argv[2], modes[i].name))
            m = &modes[i];
    n_rules = m ? (uint32_t) strtoul(argv[3], NULL, 10) : 0;
    if (argc > 4)
        n_tables = (uint32_t) strtoul(argv[4], NULL, 10);
    if (!n_rules || !n_tables || n_tables > 254) {
        fprintf(stderr, "usage: ofblast SOCKET-PATH add|bundle|change|barrier|"
                "stats|packet-in|clear N [TABLES]\n");
        return 2;
    }
    version = m->version;
    connect_to(argv[1]);
    m->run();
    return 0;
}
