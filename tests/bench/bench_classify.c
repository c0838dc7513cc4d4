/* SPDX-License-Identifier: Apache-2.0 */
/* Cycles of extraction, flow cache and compiled tables, each alone.
 * `make bench-classify`; never part of `make check`.  Prints TSC cycles
 * (nanoseconds elsewhere) per packet, the cost of making the keys taken off:
 * the tenth percentile of many short runs, because a busy machine only adds. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "datapath/cache.h"
#include "datapath/extract.h"
#include "datapath/tables/table.h"
#include "utils/base/mem.h"

#define BURST 32
#define RUNS 61

static uint64_t
now(void)
{
#ifdef __x86_64__
    return __builtin_ia32_rdtsc();
#else
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
#endif
}

/* Of this thread's own time. */
static uint64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

static uint64_t rng_state = 88172645463325252u;

static uint32_t
rnd(void)
{
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return (uint32_t) (rng_state >> 32);
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}

/* ------------------------------------------------------------------- keys */

static struct flow_key keys[BURST];
static const struct flow_key *ptr[BURST];
static uint32_t ids[1 << 16]; /* Which flow comes when. */
static uint32_t at;

/* A 5-tuple that depends on the whole of 'id'.  Whole words: a wide load
 * behind narrow stores would measure store forwarding. */
static inline void
key_fill(struct flow_key *k, uint32_t id)
{
    uint32_t h = id * 2654435761u;

    flow_key_set_word(k, 5, id | (uint64_t) h << 32);
    flow_key_set_word(k, 6, (h >> 7 & 0xffff) | (uint64_t) (id & 0xffff) << 16);
}

static void
keys_init(uint32_t n_flows)
{
    for (unsigned i = 0; i < BURST; i++) {
        memset(&keys[i], 0, sizeof keys[i]);
        keys[i].in_port = be32_from(1);
        keys[i].eth_type = be16_from(0x0800);
        keys[i].ip_proto = 17;
        ptr[i] = &keys[i];
    }
    for (unsigned i = 0; i < WEFT_ARRAY_LEN(ids); i++)
        ids[i] = rnd() % n_flows;
    at = 0;
}

static inline void
keys_next(uint32_t salt)
{
    (void) salt;
    for (unsigned i = 0; i < BURST; i++)
        key_fill(&keys[i], ids[(at + i) % WEFT_ARRAY_LEN(ids)]);
    at += BURST;
    __asm__ volatile("" ::: "memory");
}

typedef void body(void *arg);

/* Cycles per packet of 'fn' over bursts of new keys. */
static double
measure(body *fn, void *arg, unsigned bursts)
{
    double t[RUNS];

    for (unsigned r = 0; r < RUNS; r++) {
        uint64_t t0 = now(), t1;

        for (unsigned b = 0; b < bursts; b++)
            keys_next(b);
        t1 = now();
        for (unsigned b = 0; b < bursts; b++) {
            keys_next(b);
            fn(arg);
        }
        t[r] = ((double) (now() - t1) - (double) (t1 - t0)) / bursts / BURST;
    }
    qsort(t, RUNS, sizeof t[0], by_value);
    return t[RUNS / 10];
}

static void
row(const char *name, double cycles)
{
    printf("%-44s %8.1f\n", name, cycles);
    fflush(stdout);
}

/* ------------------------------------------------------------------- bodies */

static uint8_t frames[BURST][64];

static void
run_extract(void *arg)
{
    struct pkt_layout lay[BURST];

    (void) arg;
    for (unsigned i = 0; i < BURST; i++) {
        lay[i].line1 = false;
        (void) extract_key(frames[i], 60, &keys[i], &lay[i]);
    }
    __asm__ volatile("" ::"r"(lay) : "memory");
}

static void
run_cache(void *arg)
{
    static struct fc_ref refs[BURST];

    fc_lookup_burst(arg, ptr, BURST, refs);
    for (unsigned i = 0; i < BURST; i++)
        if (weft_unlikely(!refs[i].entry))
            fc_insert(arg, &refs[i], NULL, 1);
}

static void
run_table(void *arg)
{
    struct tbl_rule *rules[BURST];

    tbl_lookup_burst(arg, ptr, BURST, rules);
    __asm__ volatile("" ::"r"(rules) : "memory");
}

static void
bench_extract(void)
{
    static const uint8_t udp[] = {
        2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 46, 0, 0,
        0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 7, 0, 8, 0, 26,
    };

    keys_init(1);
    for (unsigned i = 0; i < BURST; i++)
        memcpy(frames[i], udp, sizeof udp);
    row("extract, UDP over IPv4", measure(run_extract, NULL, 256));
    for (unsigned i = 0; i < BURST; i++) {
        memmove(frames[i] + 16, frames[i] + 12, 44);
        memcpy(frames[i] + 12, "\x81\0\0\x64", 4);
        frames[i][21] = 42;
    }
    row("extract, the same with a VLAN tag", measure(run_extract, NULL, 256));
}

static void
bench_cache(void)
{
    static const uint32_t flows[] = { 1, 1000, 4000, 64000, 1000000 };
    struct flow_key mask = { .in_port = UINT32_MAX,
                             .eth_type = UINT16_MAX,
                             .ip_proto = UINT8_MAX,
                             .ip_src = UINT32_MAX,
                             .ip_dst = UINT32_MAX,
                             .tp_src = UINT16_MAX,
                             .tp_dst = UINT16_MAX };
    char name[64];

    for (unsigned f = 0; f < WEFT_ARRAY_LEN(flows); f++) {
        uint32_t n = flows[f];
        struct fc *c = fc_create(&mask, n < 4096 ? 4096 : n, 1);

        keys_init(n);
        for (unsigned pass = 0; pass < 4; pass++)
            for (uint32_t i = 0; i < n; i += BURST) {
                for (uint32_t k = 0; k < BURST; k++)
                    key_fill(&keys[k], (i + k) % n);
                run_cache(c);
            }
        snprintf(name, sizeof name, "cache hit, %u flows, 5-tuple", n);
        row(name, measure(run_cache, c, 256));
        fc_destroy(c);
    }
}

/* ------------------------------------------------------------------- tables */

struct rule {
    struct flow_match match;
    struct tbl_rule tr;
};

static void
defer_leak(void *arg, void (*fn)(void *p), void *p)
{
    (void) arg;
    fn(p); /* Nobody else looks up here. */
}

static struct rule *
rule_create(struct tbl *t, const struct flow_match *m, uint16_t prio)
{
    uint32_t map = flow_mask_words(&m->mask);
    struct rule *r = base_xcalloc(
        1, sizeof *r + 8u * (unsigned) __builtin_popcount(map));

    r->match = *m;
    r->tr.mask = tbl_mask_get(t, &m->mask);
    r->tr.priority = prio;
    r->tr.n_values =
        (uint8_t) flow_key_pack(&m->key, &m->mask, map, r->tr.values);
    return r;
}

/* Rule for flow 'id', seen through mask number 'shape'. */
static struct flow_match
match_make(uint32_t id, uint32_t shape)
{
    struct flow_match m = { .mask = { .eth_type = UINT16_MAX,
                                      .ip_proto = UINT8_MAX,
                                      .ip_dst = UINT32_MAX } };

    m.mask.ip_src = be32_from(UINT32_MAX << shape % 25);
    if (shape / 25 % 2 == 0)
        m.mask.tp_dst = UINT16_MAX;
    if (shape / 50)
        m.mask.ip_dst = be32_from(UINT32_MAX << shape / 50);
    m.key = keys[0];
    key_fill(&m.key, id);
    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
        flow_key_set_word(&m.key, i,
                          flow_key_word(&m.key, i)
                              & flow_key_word(&m.mask, i));
    return m;
}

/* Prefix of 'len' bits of a random address in one of a few networks. */
static void
match_prefix(be32 *key, be32 *mask, unsigned len)
{
    uint32_t m = len ? UINT32_MAX << (32 - len) : 0;

    *mask = be32_from(m);
    *key = be32_from((rnd() % 61 * 0x01030000u + (rnd() & 0x3ffff)) & m);
}

/* Port: any, exact or an aligned range. */
static void
match_port(be16 *key, be16 *mask, unsigned any, unsigned exact)
{
    unsigned what = rnd() % 100;
    uint16_t m = what < any           ? 0
                 : what < any + exact ? UINT16_MAX
                                      : (uint16_t) (UINT16_MAX
                                                    << (1 + rnd() % 10));

    *mask = be16_from(m);
    *key = be16_from((uint16_t) (rnd() & m));
}

/* Inserts all rules, twice: for the rate, and for the longest single one. */
static void
insert_all(struct tbl *t, struct rule *r[], uint32_t n, double *rate,
           double *longest_us)
{
    uint64_t t0 = now_ns(), worst = 0;

    for (uint32_t i = 0; i < n; i++)
        if (tbl_insert(t, &r[i]->tr, NULL))
            abort();
    *rate = n * 1e9 / (double) (now_ns() - t0);
    for (uint32_t i = 0; i < n; i++)
        tbl_remove(t, &r[i]->tr);
    for (uint32_t i = 0; i < n; i++) {
        t0 = now_ns();
        if (tbl_insert(t, &r[i]->tr, NULL))
            abort();
        t0 = now_ns() - t0;
        worst = WEFT_MAX(worst, t0);
    }
    while (tbl_work(t, 1024))
        continue;
    *longest_us = (double) worst / 1e3;
}

static void
print_table(const struct tbl_info *info, uint32_t n, double rate,
            double longest)
{
    printf("    %.0f k inserts/s, longest %.1f us, %.1f bytes/rule, "
           "%u probes at most\n", rate / 1e3, longest,
           (double) info->memory / n, info->max_probes);
}

/* The shape of filter sets: access lists name both ends, firewalls often
 * neither.  'key' is a packet that the rule matches. */
static struct flow_match
match_filter(bool firewall, struct flow_key *key)
{
    struct flow_match m = { .mask.eth_type = UINT16_MAX };
    unsigned a = rnd() % 100, d = rnd() % 100;

    m.key.eth_type = be16_from(0x0800);
    match_prefix(&m.key.ip_src, &m.mask.ip_src,
                 a < (firewall ? 50 : 15) ? 0 : a < 80 ? 32
                                              : 14 + rnd() % 18);
    match_prefix(&m.key.ip_dst, &m.mask.ip_dst,
                 d < (firewall ? 30 : 5) ? 0 : d < 60 ? 32
                                             : 14 + rnd() % 18);
    match_port(&m.key.tp_src, &m.mask.tp_src, firewall ? 70 : 99, 10);
    match_port(&m.key.tp_dst, &m.mask.tp_dst, firewall ? 30 : 25, 60);
    if (rnd() % 8) {
        m.mask.ip_proto = UINT8_MAX;
        m.key.ip_proto = rnd() % 4 ? 6 : 17;
    }
    *key = m.key;
    key->ip_src |= (be32) rnd() & ~m.mask.ip_src;
    key->ip_dst |= (be32) rnd() & ~m.mask.ip_dst;
    key->tp_src |= (be16) rnd() & (be16) ~m.mask.tp_src;
    key->tp_dst |= (be16) rnd() & (be16) ~m.mask.tp_dst;
    key->in_port = be32_from(1);
    if (!m.mask.ip_proto)
        key->ip_proto = 6;
    return m;
}

static struct flow_key *trace; /* Packets of bench_filter. */
static uint32_t n_trace;

static void
run_trace(void *arg)
{
    for (unsigned i = 0; i < BURST; i++)
        ptr[i] = &trace[rnd() % n_trace];
    run_table(arg);
}

static void
bench_filter(uint32_t n_rules, bool firewall)
{
    struct tbl_env env = { .defer = defer_leak, .seed = 3 };
    struct tbl *t = tbl_create(&env);
    struct rule **r = base_xcalloc(n_rules, sizeof *r);
    struct tbl_info info;
    char name[96];
    double rate, longest;

    n_trace = WEFT_MIN(n_rules, 16384u);
    trace = base_xcalloc(n_rules, sizeof *trace);
    for (uint32_t i = 0; i < n_rules; i++) {
        struct flow_match m = match_filter(firewall, &trace[i]);

        r[i] = rule_create(t, &m, (uint16_t) (rnd() % 65536));
    }
    insert_all(t, r, n_rules, &rate, &longest);
    tbl_get_info(t, &info);
    snprintf(name, sizeof name, "%s table, %s, %u rules, %u masks",
             info.form, firewall ? "firewall" : "access list", n_rules,
             info.n_masks);
    row(name, measure(run_trace, t, 64));
    print_table(&info, n_rules, rate, longest);
    for (uint32_t i = 0; i < n_rules; i++) {
        tbl_remove(t, &r[i]->tr);
        tbl_mask_put(t, r[i]->tr.mask);
        free(r[i]);
    }
    tbl_destroy(t);
    free(r);
    free(trace);
}

static void
bench_table(uint32_t n_rules, uint32_t n_masks)
{
    struct tbl_env env = { .defer = defer_leak, .seed = 3 };
    struct tbl *t = tbl_create(&env);
    struct rule **r = base_xcalloc(n_rules, sizeof *r);
    struct tbl_info info;
    char name[96];
    double rate, longest;

    keys_init(n_rules);
    for (uint32_t i = 0; i < n_rules; i++) {
        struct flow_match m = match_make(i, i % n_masks);

        r[i] = rule_create(t, &m, (uint16_t) (rnd() % 60000));
    }
    insert_all(t, r, n_rules, &rate, &longest);
    tbl_get_info(t, &info);
    snprintf(name, sizeof name, "%s table, %u rules, %u masks", info.form,
             n_rules, n_masks);
    row(name, measure(run_table, t, 64));
    if (n_rules >= 1000)
        print_table(&info, n_rules, rate, longest);
    for (uint32_t i = 0; i < n_rules; i++) {
        tbl_remove(t, &r[i]->tr);
        tbl_mask_put(t, r[i]->tr.mask);
        free(r[i]);
    }
    tbl_destroy(t);
    free(r);
}

int
main(int argc, char *argv[])
{
    static const uint32_t sizes[][2] = {
        { 1, 1 },      { 3, 3 },       { 3, 1 },       { 16, 4 },
        { 1000, 1 },   { 100000, 1 },  { 1000000, 1 }, { 1000, 4 },
        { 100000, 4 }, { 100000, 8 },  { 1000, 50 },   { 10000, 50 },
        { 100000, 50 }, { 10000, 250 }, { 100000, 250 },
    };

    (void) argv;
    /* With an argument: filter sets only. */
    if (argc < 2) {
        bench_extract();
        bench_cache();
    }
    for (unsigned i = 0; argc < 2 && i < WEFT_ARRAY_LEN(sizes); i++)
        bench_table(sizes[i][0], sizes[i][1]);
    for (uint32_t n = 1000; n <= 100000; n *= 10) {
        bench_filter(n, false);
        bench_filter(n, true);
    }
    return 0;
}
