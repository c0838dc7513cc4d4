/* SPDX-License-Identifier: Apache-2.0 */
/* Cycles per packet of the worker's loop, without devices, threads and other
 * processes: `make bench-loop`; never part of `make check`.
 *
 *   [ROUNDS=N] bench_loop [ROW ...]
 *
 * A port's burst is 32 fresh mbufs with a frame copied in, sending frees
 * them; both alone are the floor, which is taken off.  Prints TSC cycles
 * (nanoseconds elsewhere) per packet: the tenth percentile of many short runs,
 * because a busy machine only adds; so that two builds can be compared in
 * seconds.  A row that does not deliver what was offered ends the program.
 * Headers are in the first cache, where a device would leave them in the
 * third: the side-by-side benchmark has rows for that. */
#include <check.h>
#include <rte_cycles.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/eal.h"
#include "tests/datapath/bed.h"
#include "utils/base/clock.h"
#include "utils/base/log.h"

#define BURST 32
#define RUNS 101
#define MAX_FRAMES 65536
#define FRAME_ROOM 192

enum { HERE = 0xc0000201, THERE = 0xc0000202, FAR = 0xc0000203 };

static struct bed b;
static uint8_t (*frames)[FRAME_ROOM];
static unsigned n_frames, next_frame, frame_len, burst_len;
static uint64_t n_offered, n_sent;
static uint32_t uplink;
static unsigned rounds = 64; /* Bursts in a run; more for a profile. */

/* ------------------------------------------------------------------- ports */

static int
gen_open(struct port *p, const struct port_env *env, const struct dp_option *o,
         size_t n, struct weft_err *e)
{
    (void) env, (void) o, (void) n, (void) e;
    p->rx_fd = -1;
    p->mtu = 1500;
    p->link_up = true;
    return 0;
}

static void
gen_close(struct port *p)
{
    (void) p;
}

static uint16_t
gen_rx(struct port *p, struct rte_mbuf **m, uint16_t n)
{
    n = (uint16_t) WEFT_MIN((unsigned) n, burst_len);
    (void) p;
    if (rte_pktmbuf_alloc_bulk(b.dp->env.pool, m, n))
        return 0;
    for (unsigned i = 0; i < n; i++) {
        const uint8_t *f = frames[next_frame];

        if (++next_frame == n_frames)
            next_frame = 0;
        if (frame_len == 64)
            memcpy(rte_pktmbuf_mtod(m[i], void *), f, 64);
        else
            memcpy(rte_pktmbuf_mtod(m[i], void *), f, 128);
        m[i]->data_len = (uint16_t) frame_len;
        m[i]->pkt_len = frame_len;
    }
    n_offered += n;
    return n;
}

static uint16_t
idle_rx(struct port *p, struct rte_mbuf **m, uint16_t n)
{
    (void) p, (void) m, (void) n;
    return 0;
}

static uint16_t
sink_tx(struct port *p, struct rte_mbuf **m, uint16_t n)
{
    (void) p;
    rte_pktmbuf_free_bulk(m, n);
    n_sent += n;
    return n;
}

static const struct port_ops gen_ops = {
    .name = "generator", .as_port = true, .as_uplink = true,
    .open = gen_open, .close = gen_close,
    .rx_burst = gen_rx, .tx_burst = sink_tx,
};

static const struct port_ops sink_ops = {
    .name = "sink", .as_port = true, .as_uplink = true,
    .open = gen_open, .close = gen_close,
    .rx_burst = idle_rx, .tx_burst = sink_tx,
};

static void
port_add(const char *name, unsigned no, const struct port_ops *ops)
{
    struct dp_port_config c = { .name = name, .type = "x", .port_no = no };
    struct weft_err e = { "" };
    uint32_t got;

    ck_assert_msg(!dp_port_add_ops(b.br, &c, ops, &got, &e), "%s", e.text);
}

static void
uplink_add(const struct port_ops *ops)
{
    struct dp_port_config c = { .name = "up", .type = "x" };
    const be32 addrs[] = { be32_from(HERE) };
    struct weft_err e = { "" };

    ck_assert_msg(!dp_uplink_add_ops(b.dp, &c, ops, &uplink, &e), "%s",
                  e.text);
    ck_assert_int_eq(dp_uplink_set_addrs(b.dp, uplink, addrs, 1), 0);
    for (uint32_t to = THERE; to <= FAR; to++) {
        const struct tnl_nexthop nh = {
            .uplink = uplink, .src = be32_from(HERE), .mtu = 1500,
            .src_mac = { 2, 0, 0, 0, 0, 1 }, .dst_mac = { 2, 0, 0, 0, 0, 2 },
        };

        ck_assert_int_eq(dp_nexthop_set(b.dp, be32_from(to), &nh), 0);
    }
}

static void
tunnel_add(const char *name, unsigned no, const char *type,
           const char *remote)
{
    const struct dp_option o[] = { { "local", "192.0.2.1" },
                                   { "remote", remote }, { "key", "5001" } };
    struct dp_port_config c = { .name = name, .type = type, .port_no = no,
                                .options = o, .n_options = 3 };
    struct weft_err e = { "" };

    ck_assert_msg(!dp_port_add(b.br, &c, NULL, &e), "%s", e.text);
}

/* ------------------------------------------------------------------ frames */

enum outer { OUTER_NONE, OUTER_VXLAN, OUTER_NVGRE };

struct shape {
    enum outer outer;
    bool tagged, v6, tcp;
    unsigned flows;
};

static void
frame_inner(struct pkt *p, const struct shape *s, unsigned i)
{
    static const uint8_t macs[2][6] = { { 2, 0, 0, 0, 0, 9 },
                                        { 2, 0, 0, 0, 0, 8 } };
    struct pkt in;
    uint16_t type = s->v6 ? 0x86dd : 0x0800;

    pkt_init(&in);
    pkt_eth(&in, macs[0], macs[1], type);
    if (s->tagged)
        pkt_vlan(&in, 0x8100, 100, type);
    if (s->v6)
        pkt_ipv6(&in, 1, 2, s->tcp ? 6 : 17);
    else
        pkt_ipv4(&in, 0x0a010000 + i % 256, 0x0a020000 + i / 256 % 256,
                 s->tcp ? 6 : 17);
    if (s->tcp)
        pkt_tcp(&in, (uint16_t) (10000 + i % 1024), 20000, 0x10);
    else
        pkt_udp(&in, (uint16_t) (10000 + i % 1024), 20000);
    if (in.len < 64)
        pkt_payload(&in, 64 - in.len);
    pkt_end(&in);
    for (size_t k = 0; k < in.len; k++)
        p->b[p->len++] = in.b[k];
}

static void
frame_make(uint8_t *to, const struct shape *s, unsigned i)
{
    static const uint8_t macs[2][6] = { { 2, 0, 0, 0, 0, 1 },
                                        { 2, 0, 0, 0, 0, 2 } };
    static struct pkt p;
    bool vxlan = s->outer == OUTER_VXLAN;

    pkt_init(&p);
    if (s->outer) {
        pkt_eth(&p, macs[0], macs[1], 0x0800);
        pkt_ipv4(&p, THERE, HERE, vxlan ? 17 : 47);
        if (vxlan)
            pkt_udp(&p, (uint16_t) (49152 + i % 16384), 4789);
        pkt_payload(&p, 8);
        put_be32(p.b + p.len - 8, vxlan ? 0x08000000 : 0x20006558);
        put_be32(p.b + p.len - 4, 5001u << 8);
        frame_inner(&p, s, i);
        pkt_end(&p);
        if (vxlan)
            put_be16(p.b + 40, 0); /* RFC 7348 §5: no checksum. */
    } else {
        frame_inner(&p, s, i);
    }
    ck_assert_uint_le(p.len, FRAME_ROOM);
    memcpy(to, p.b, p.len);
    frame_len = (unsigned) p.len;
}

static void
frames_make(const struct shape *s)
{
    n_frames = s->flows;
    next_frame = 0;
    for (unsigned i = 0; i < n_frames; i++)
        frame_make(frames[i], s, i * 7919u % n_frames);
}

/* ------------------------------------------------------------------- rules */

static void
rule(const struct flow_match *m, const struct ops *o)
{
    bed_rule(&b, 100, m, o);
}

/* in_port 'in': ops, then output to 'out'; 0: dropped. */
static void
port_rule(unsigned in, struct ops *o, unsigned out)
{
    struct flow_match m = BED_ANY;

    match_u64(&m, FLOW_F_IN_PORT, in);
    if (out)
        ops_add(o, DP_OP_OUTPUT, 0, out);
    rule(&m, o);
}

static void
tuple_match(struct flow_match *m, unsigned i)
{
    match_u64(m, FLOW_F_IN_PORT, 1);
    match_u64(m, FLOW_F_ETH_TYPE, 0x0800);
    match_u64(m, FLOW_F_IP_PROTO, 17);
    match_u64(m, FLOW_F_IPV4_SRC, 0x0a010000 + i % 256);
    match_u64(m, FLOW_F_IPV4_DST, 0x0a020000 + i / 256 % 256);
    match_u64(m, FLOW_F_UDP_SRC, 10000 + i % 1024);
    match_u64(m, FLOW_F_UDP_DST, 20000);
}

/* Enough rules of several masks that the cache is worth it. */
static void
many_rules(unsigned outs)
{
    struct ops o = { .n = 0 };
    struct flow_match m = BED_ANY;

    for (unsigned i = 0; i < 256; i++) {
        m = BED_ANY;
        o.n = 0;
        tuple_match(&m, i * 256);
        ops_add(&o, DP_OP_OUTPUT, 0, 2 + i % outs);
        rule(&m, &o);
    }
    for (unsigned i = 0; i < 256; i++) {
        m = BED_ANY;
        o.n = 0;
        match_u64(&m, FLOW_F_ETH_TYPE, 0x0800);
        match_u64(&m, FLOW_F_IPV4_SRC, 0x0a010000 + i);
        ops_add(&o, DP_OP_OUTPUT, 0, 2 + i % outs);
        bed_rule(&b, 10, &m, &o);
    }
}

static const struct shape one = { .flows = 1 };

static void
plain(const struct shape *s, const struct ops *o, unsigned out)
{
    struct ops ops = *o;

    port_add("p1", 1, &gen_ops);
    port_add("p2", 2, &sink_ops);
    frames_make(s);
    port_rule(1, &ops, out);
}

static void
setup_a1(void)
{
    plain(&one, &(struct ops) { .n = 0 }, 2);
}

static void
setup_a2(void)
{
    struct flow_match m = BED_ANY;
    struct ops o = { .n = 0 };

    port_add("p1", 1, &gen_ops);
    port_add("p2", 2, &sink_ops);
    frames_make(&one);
    tuple_match(&m, 0);
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    rule(&m, &o);
}

static void
setup_a3(void)
{
    plain(&one, &(struct ops) { .n = 0 }, 0);
}

static void
hop_ops(struct ops *o)
{
    ops_add(o, DP_OP_DEC_NW_TTL, 0, 0);
    ops_set_u64(o, FLOW_F_ETH_DST, 0x0200000000aa);
    ops_set_u64(o, FLOW_F_ETH_SRC, 0x0200000000bb);
}

static void
setup_a4(void)
{
    struct flow_match m = BED_ANY;
    struct ops o = { .n = 0 };

    port_add("p1", 1, &gen_ops);
    port_add("p2", 2, &sink_ops);
    frames_make(&one);
    match_u64(&m, FLOW_F_IN_PORT, 1);
    match_u64(&m, FLOW_F_ETH_TYPE, 0x0800);
    hop_ops(&o);
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    rule(&m, &o);
}

static void
setup_a5(void)
{
    struct ops o = { .n = 0 };

    ops_add(&o, DP_OP_PUSH_VLAN, 0, 0x8100);
    ops_set_u64(&o, FLOW_F_VLAN_VID, 0x1064);
    plain(&one, &o, 2);
}

static void
setup_a5p(void)
{
    struct ops o = { .n = 0 };

    ops_add(&o, DP_OP_POP_VLAN, 0, 0);
    plain(&(struct shape) { .flows = 1, .tagged = true }, &o, 2);
}

static void
setup_a6(void)
{
    setup_a1();
    burst_len = 2;
}

static void
setup_tagged(void)
{
    plain(&(struct shape) { .flows = 1, .tagged = true },
          &(struct ops) { .n = 0 }, 2);
}

static void
setup_v6(void)
{
    plain(&(struct shape) { .flows = 1, .v6 = true, .tcp = true },
          &(struct ops) { .n = 0 }, 2);
}

static void
setup_b1(void)
{
    port_add("p1", 1, &gen_ops);
    port_add("p2", 2, &sink_ops);
    frames_make(&(struct shape) { .flows = 1024 });
    many_rules(1);
}

static void
setup_b3(void)
{
    setup_b1();
    frames_make(&(struct shape) { .flows = MAX_FRAMES });
}

static void
setup_b7(void)
{
    port_add("p1", 1, &gen_ops);
    for (unsigned i = 2; i < 6; i++)
        port_add((char[]) { 'p', (char) ('0' + i), 0 }, i, &sink_ops);
    frames_make(&(struct shape) { .flows = 1024 });
    many_rules(4);
}

static void
setup_encap(const char *type)
{
    struct ops o = { .n = 0 };

    port_add("p1", 1, &gen_ops);
    uplink_add(&sink_ops);
    tunnel_add("t", 2, type, "192.0.2.2");
    frames_make(&(struct shape) { .flows = 1024 });
    port_rule(1, &o, 2);
}

static void
setup_e1(void)
{
    setup_encap("vxlan");
}

static void
setup_e4e(void)
{
    setup_encap("nvgre");
}

static void
setup_decap(enum outer outer)
{
    struct ops o = { .n = 0 };

    uplink_add(&gen_ops);
    port_add("p1", 1, &sink_ops);
    tunnel_add("t", 2, outer == OUTER_VXLAN ? "vxlan" : "nvgre",
               "192.0.2.2");
    frames_make(&(struct shape) { .flows = 1024, .outer = outer });
    port_rule(2, &o, 1);
}

static void
setup_e3(void)
{
    setup_decap(OUTER_VXLAN);
}

static void
setup_e4d(void)
{
    setup_decap(OUTER_NVGRE);
}

static void
setup_e5(void)
{
    struct ops o = { .n = 0 };

    uplink_add(&gen_ops);
    tunnel_add("t", 2, "vxlan", "192.0.2.2");
    tunnel_add("u", 3, "vxlan", "192.0.2.3");
    frames_make(&(struct shape) { .flows = 1024, .outer = OUTER_VXLAN });
    port_rule(2, &o, 3);
}

static const struct row {
    const char *name, *title;
    void (*setup)(void);
    bool drops;
} rows[] = {
    { "A1", "one flow, port to port", setup_a1, false },
    { "A2", "one flow, 5-tuple rule", setup_a2, false },
    { "A3", "one flow, dropped", setup_a3, true },
    { "A4", "TTL and both MACs", setup_a4, false },
    { "A5", "push a tag", setup_a5, false },
    { "A5p", "pop a tag", setup_a5p, false },
    { "A6", "A1 in bursts of two", setup_a6, false },
    { "A1v", "A1 with a tag", setup_tagged, false },
    { "A1s", "A1 with IPv6", setup_v6, false },
    { "B1", "1k flows by the cache", setup_b1, false },
    { "B3", "64k flows by the cache", setup_b3, false },
    { "B7", "B1 to four ports", setup_b7, false },
    { "E1", "VXLAN encapsulation", setup_e1, false },
    { "E3", "VXLAN decapsulation", setup_e3, false },
    { "E4e", "NVGRE encapsulation", setup_e4e, false },
    { "E4d", "NVGRE decapsulation", setup_e4d, false },
    { "E5", "VXLAN to VXLAN", setup_e5, false },
};

/* ----------------------------------------------------------------- measure */

static int
by_value(const void *x, const void *y)
{
    double a = *(const double *) x, c = *(const double *) y;

    return (a > c) - (a < c);
}

static void
floor_round(struct worker *w)
{
    struct rte_mbuf *m[BURST];

    (void) w;
    rte_pktmbuf_free_bulk(m, gen_rx(NULL, m, BURST));
}

static void
loop_round(struct worker *w)
{
    worker_iterate(w);
}

static double
measure(void (*fn)(struct worker *))
{
    struct worker *w = b.dp->workers[0];
    double t[RUNS];

    for (unsigned r = 0; r < RUNS; r++) {
        uint64_t before = n_offered, t0 = rte_rdtsc();

        for (unsigned i = 0; i < rounds; i++)
            fn(w);
        t[r] = (double) (rte_rdtsc() - t0) / (double) (n_offered - before);
    }
    qsort(t, RUNS, sizeof t[0], by_value);
    return t[RUNS / 10];
}

static void
run(const struct row *r)
{
    double least, all;
    uint64_t until;

    n_offered = n_sent = 0;
    burst_len = BURST;
    bed_open(&b, 0, 0);
    r->setup();
    /* Every flow has its entry, and control has looked at the cache. */
    until = base_clock_ns() + 350000000;
    while (n_offered < 4ul * MAX_FRAMES || base_clock_ns() < until) {
        worker_iterate(b.dp->workers[0]);
        dp_run(b.dp, 64);
    }
    ck_assert_uint_eq(n_sent, r->drops ? 0 : n_offered);
    all = measure(loop_round);
    ck_assert_uint_eq(n_sent, r->drops ? 0 : n_offered);
    least = measure(floor_round);
    printf("%-4s %-28s %8.1f %8.1f %8.1f\n", r->name, r->title, all, least,
           all - least);
    fflush(stdout);
    dp_destroy(b.dp);
}

static int n_words;
static char **words;

static bool
wanted(const char *name)
{
    for (int i = 1; i < n_words; i++)
        if (!strcmp(words[i], name))
            return true;
    return n_words < 2;
}

START_TEST(bench_row)
{
    if (wanted(rows[_i].name))
        run(&rows[_i]);
}
END_TEST

/* The test bed's assertions want a suite around them. */
static int
run_all(void)
{
    Suite *s = suite_create("bench_loop");
    TCase *tc = tcase_create("rows");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_loop_test(tc, bench_row, 0, (int) WEFT_ARRAY_LEN(rows));
    suite_add_tcase(s, tc);
    srunner_set_fork_status(sr, CK_NOFORK);
    srunner_run_all(sr, CK_MINIMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed;
}

int
main(int argc, char **argv)
{
    struct weft_err e = { "" };
    int failed;

    if (getenv("ROUNDS"))
        rounds = (unsigned) strtoul(getenv("ROUNDS"), NULL, 10);
    n_words = argc;
    words = argv;
    base_log_set_level(BASE_LOG_WARN);
    frames = calloc(MAX_FRAMES, sizeof *frames);
    if (!frames || eal_start("-m 192 --no-huge", &e)) {
        fprintf(stderr, "bench_loop: %s\n", frames ? e.text : "no memory");
        return 1;
    }
    printf("%-4s %-28s %8s %8s %8s\n", "row", "cycles per packet", "all",
           "floor", "own");
    failed = run_all();
    free(frames);
    return failed != 0;
}
