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

static uint64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
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
        (uint16_t) flow_key_pack(&m->key, &m->mask, map, r->tr.values);
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

static void
bench_table(uint32_t n_rules, uint32_t n_masks)
{
    struct tbl_env env = { .defer = defer_leak, .seed = 3 };
    struct tbl *t = tbl_create(&env);
    struct rule **r = base_xcalloc(n_rules, sizeof *r);
    struct tbl_info info;
    char name[96];
    uint64_t t0, ns, worst = 0;

    keys_init(n_rules);
    for (uint32_t i = 0; i < n_rules; i++) {
        struct flow_match m = match_make(i, i % n_masks);

        r[i] = rule_create(t, &m, (uint16_t) (rnd() % 60000));
    }
    ns = now_ns();
    for (uint32_t i = 0; i < n_rules; i++) {
        t0 = now_ns();
        if (tbl_insert(t, &r[i]->tr))
            abort();
        t0 = now_ns() - t0;
        worst = WEFT_MAX(worst, t0);
    }
    ns = now_ns() - ns;
    tbl_get_info(t, &info);
    snprintf(name, sizeof name, "%s table, %u rules, %u masks", info.form,
             n_rules, n_masks);
    row(name, measure(run_table, t, 64));
    if (n_rules >= 1000)
        printf("    %.0f k inserts/s, longest %.1f us, %.1f bytes/rule, "
               "%u probes at most\n",
               n_rules * 1e6 / (double) ns, (double) worst / 1e3,
               (double) info.memory / n_rules, info.max_probes);
    for (uint32_t i = 0; i < n_rules; i++) {
        tbl_remove(t, &r[i]->tr);
        tbl_mask_put(t, r[i]->tr.mask);
        free(r[i]);
    }
    tbl_destroy(t);
    free(r);
}

int
main(void)
{
    static const uint32_t sizes[][2] = {
        { 1, 1 },      { 3, 3 },       { 3, 1 },       { 16, 4 },
        { 1000, 1 },   { 100000, 1 },  { 1000000, 1 }, { 1000, 4 },
        { 100000, 4 }, { 100000, 8 },  { 1000, 50 },   { 10000, 50 },
        { 100000, 50 }, { 10000, 250 }, { 100000, 250 },
    };

    bench_extract();
    bench_cache();
    for (unsigned i = 0; i < WEFT_ARRAY_LEN(sizes); i++)
        bench_table(sizes[i][0], sizes[i][1]);
    return 0;
}
