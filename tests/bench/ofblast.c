/* SPDX-License-Identifier: Apache-2.0 */
/* A controller that does nothing but stream prepared messages: rows G.
 *
 * usage: ofblast TARGET MODE N [TABLES | FILE]
 * What:   OpenFlow over a Unix socket or TLS.  Rule i: seven fields (5 of them the
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
 *   file     the messages of FILE, a barrier; N flows are expected
 *   storm    N flow-mods a second among the 5-tuple rules of bench_rows.py,
 *            a third each: a rule in use set anew, one more, one less;
 *            until a signal
 *   flip     N times all packets from port 1 to the other of ports 2 and 3;
 *            FILE is the generator's shared file: each barrier's answer
 *            begins an epoch, and a frame of an epoch that leaves by the
 *            wrong port is counted there
 *   churn    N flow-mods: rounds of 50k adds and as many strict deletes
 *   replace  N adds; then one bundle that deletes all and adds N others
 *   After add and bundle, a packet-out to the tables must come back by the
 *   last rule, which is to the controller; then the flows are counted.
 * Prints: JSON, one object.
 * Errors: exit 1 with a line on stderr. */
#include "ofblast.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *file;          /* Last word of the command line. */
static volatile sig_atomic_t end; /* A signal came. */

static uint8_t *
messages(size_t n, size_t each)
{
    uint8_t *p = malloc(n * each + 128);

    if (!p)
        die("malloc");
    return p;
}

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

/* One bundle: all others away if 'replace', N adds; its seconds. */
static double
commit_adds(uint8_t *buf, bool replace, uint32_t hop)
{
    uint8_t *p = buf;

    exchange(buf, (size_t) (bundle_control(buf, 0) - buf));
    if (replace)
        p = delete_all(bundle_add(p, 56, 0));
    for (uint32_t i = 0; i < n_rules; i++)
        p = flow_mod(bundle_add(p, FLOW_MOD_LEN, i), ADD, i, i + hop);
    p = bundle_control(p, 4); /* Commit. */
    return exchange(buf, (size_t) (p - buf));
}

static void
mode_bundle(void)
{
    uint8_t *buf = messages(n_rules, FLOW_MOD_LEN + 16);
    double start = now(), s = commit_adds(buf, false, 0);
    double forwards = last_forwards(start);

    count_flows();
    report_adds(forwards > s ? forwards : s, forwards);
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
    while (now() - start < n_rules && !end)
        receive(100);
    printf("{\"packet_ins\": %lu, \"per_second\": %.0f, \"errors\": %lu}\n",
           n_packet_ins - before,
           (double) (n_packet_ins - before) / (now() - start), n_errors);
}

static void
mode_clear(void)
{
    uint8_t buf[128];
    double s = exchange(buf, (size_t) (barrier(delete_all(buf)) - buf));

    count_flows();
    printf("{\"seconds\": %.4f, \"errors\": %lu, \"flows\": %llu}\n", s,
           n_errors, (unsigned long long) n_flows);
}

static void
mode_file(void)
{
    FILE *f = fopen(file, "rb");
    struct stat st;
    uint8_t *buf;
    double s;

    if (!f || fstat(fileno(f), &st))
        die(file);
    buf = messages(1, (size_t) st.st_size);
    if (fread(buf, (size_t) st.st_size, 1, f) != 1)
        die(file);
    fclose(f);
    s = exchange(buf, (size_t) (barrier(buf + st.st_size) - buf));
    count_flows();
    printf("{\"seconds\": %.4f, \"per_second\": %.0f, \"errors\": %lu, "
           "\"flows\": %llu}\n", s, n_rules / s, n_errors,
           (unsigned long long) n_flows);
}

#define STORM_PAIRS 320
#define STORM_BATCH 60 /* Flow-mods between two barriers. */

/* Flow-mod number n of the storm: see above.  Source ports from 30000 stand
 * in no frame. */
static uint8_t *
storm_flow_mod(uint8_t *p, uint64_t n)
{
    uint32_t i = (uint32_t) (n / 3 % STORM_PAIRS);

    if (n % 3 == 0)
        return live_flow_mod(p, MODIFY_STRICT, i, (uint16_t) (10000 + i));
    return live_flow_mod(p, n % 3 == 1 ? ADD : DELETE_STRICT, i,
                         (uint16_t) (30000 + n / 3 % 1000));
}

static void
mode_storm(void)
{
    uint8_t *buf = messages(STORM_BATCH, LIVE_FLOW_MOD_LEN);
    double start = now(), step = STORM_BATCH / (double) n_rules, late = 0;
    uint64_t n = 0;

    for (double due = start; !end; due += step) {
        uint8_t *p = buf;
        double early = due - now();

        if (early > 0)
            usleep((unsigned) (early * 1e6));
        else if (-early > late)
            late = -early;
        for (unsigned k = 0; k < STORM_BATCH; k++)
            p = storm_flow_mod(p, n++);
        exchange(buf, (size_t) (barrier(p) - buf));
    }
    printf("{\"per_second\": %.0f, \"latest_ms\": %.1f, \"errors\": %lu}\n",
           (double) n / (now() - start), late * 1e3, n_errors);
}

/* Words of struct stats in gen.h: what was generated so far; which rule is in
 * force. */
#define OFFERED_WORD 0
#define EPOCH_WORD 14
#define SETTLE_BURSTS 4

/* Until what was generated before is out: a worker may be kept from running
 * for any time between taking a burst and sending it. */
static void
settle(volatile uint64_t *words)
{
    for (unsigned i = 0; i < SETTLE_BURSTS; i++)
        for (uint64_t was = words[OFFERED_WORD]; was == words[OFFERED_WORD];)
            usleep(50);
}

static void
mode_flip(void)
{
    int fd = open(file, O_RDWR);
    volatile uint64_t *words = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                    MAP_SHARED, fd, 0);
    double *t = malloc(n_rules * sizeof *t);
    uint8_t buf[256];

    if (fd < 0 || words == MAP_FAILED || !t || n_rules > 65000)
        die(file);
    exchange(buf, (size_t) (barrier(steer_flow_mod(buf, ADD, 2)) - buf));
    for (uint32_t i = 0; i < n_rules; i++) {
        uint32_t epoch = i + 1;
        uint8_t *p = steer_flow_mod(buf, MODIFY_STRICT, 2 + epoch % 2);

        words[EPOCH_WORD] = 0;
        settle(words);
        t[i] = exchange(buf, (size_t) (barrier(p) - buf));
        words[EPOCH_WORD] = epoch;
        settle(words);
    }
    words[EPOCH_WORD] = 0;
    qsort(t, n_rules, sizeof *t, by_value);
    printf("{\"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, "
           "\"errors\": %lu}\n", t[n_rules / 2] * 1e6,
           t[n_rules - 1 - n_rules / 100] * 1e6, t[n_rules - 1] * 1e6,
           n_errors);
}

static void
mode_churn(void)
{
    uint32_t total = n_rules, round = 50000;
    uint8_t *buf = messages(2 * (size_t) round, FLOW_MOD_LEN);
    double start = now();

    n_rules = round;
    for (uint32_t done = 0; done < total; done += 2 * round) {
        uint8_t *p = buf;

        for (uint32_t i = 0; i < round; i++)
            p = flow_mod(p, ADD, i, i + done);
        for (uint32_t i = 0; i < round; i++)
            p = flow_mod(p, DELETE_STRICT, round - 1 - i, i);
        exchange(buf, (size_t) (barrier(p) - buf));
    }
    count_flows();
    printf("{\"per_second\": %.0f, \"errors\": %lu, \"flows\": %llu}\n",
           total / (now() - start), n_errors, (unsigned long long) n_flows);
}

static void
mode_replace(void)
{
    uint8_t *buf = messages(n_rules + 1, FLOW_MOD_LEN + 16);
    double s;

    exchange(buf, encode_adds(buf));
    s = commit_adds(buf, true, 7);
    count_flows();
    printf("{\"seconds\": %.4f, \"errors\": %lu, \"flows\": %llu}\n", s,
           n_errors, (unsigned long long) n_flows);
}

static void
on_signal(int number)
{
    (void) number;
    end = 1;
}

static const struct mode {
    const char *name;
    void (*run)(void);
    uint8_t version;
    bool wants_file;
} modes[] = {
    { "add", mode_add, 4, false },
    { "bundle", mode_bundle, 5, false },
    { "change", mode_change, 4, false },
    { "barrier", mode_barrier, 4, false },
    { "stats", mode_stats, 4, false },
    { "packet-in", mode_packet_in, 4, false },
    { "clear", mode_clear, 4, false },
    { "file", mode_file, 4, true },
    { "storm", mode_storm, 4, false },
    { "flip", mode_flip, 4, true },
    { "churn", mode_churn, 4, false },
    { "replace", mode_replace, 5, false },
};

int
main(int argc, char **argv)
{
    const struct mode *m = NULL;

    for (size_t i = 0; argc > 3 && i < sizeof modes / sizeof modes[0]; i++)
        if (!strcmp(argv[2], modes[i].name))
            m = &modes[i];
    n_rules = m ? (uint32_t) strtoul(argv[3], NULL, 10) : 0;
    file = argc > 4 ? argv[4] : NULL;
    if (file && m && !m->wants_file)
        n_tables = (uint32_t) strtoul(file, NULL, 10);
    if (!n_rules || !n_tables || n_tables > 254 || (m->wants_file && !file)) {
        fprintf(stderr, "usage: ofblast SOCKET|tls:PORT:PEM MODE N [TABLES | "
                "FILE], where MODE is one of");
        for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
            fprintf(stderr, " %s", modes[i].name);
        fprintf(stderr, "\n");
        return 2;
    }
    signal(SIGTERM, on_signal);
    version = m->version;
    connect_to(argv[1]);
    m->run();
    return 0;
}
