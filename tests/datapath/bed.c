/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/datapath/bed.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/eal.h"

const struct flow_match BED_ANY;

void
bed_eal_up(void)
{
    ck_assert_int_eq(eal_start("-m 96 --no-huge --no-shconf", NULL), 0);
}

int
bed_main(const char *suite, TCase *tc)
{
    Suite *s = suite_create(suite);
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, tc);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Only one bed at a time: the port type finds its queues here. */
static struct bed *the_bed;
static uint32_t next_caps;

static int
q_open(struct port *p, const struct port_env *env, const struct dp_option *o,
       size_t n, struct weft_err *e)
{
    unsigned no = (unsigned) atoi(p->name + 1);

    (void) env, (void) o, (void) n, (void) e;
    p->priv = &the_bed->ports[no];
    the_bed->ports[no].port = p;
    the_bed->ports[no].tx_room = BED_QUEUE;
    p->caps = next_caps;
    p->rx_fd = -1;
    p->mtu = 1500;
    p->link_up = true;
    return 0;
}

static void
q_close(struct port *p)
{
    struct bed_port *q = p->priv;

    for (; q->rx_n; q->rx_n--)
        rte_pktmbuf_free(q->rx[q->rx_head++]);
}

static uint16_t
q_rx(struct port *p, struct rte_mbuf **m, uint16_t n)
{
    struct bed_port *q = p->priv;
    uint16_t got = 0;

    while (got < n && q->rx_n) {
        m[got++] = q->rx[q->rx_head++];
        q->rx_n--;
    }
    if (!q->rx_n)
        q->rx_head = 0;
    return got;
}

static uint16_t
q_tx(struct port *p, struct rte_mbuf **m, uint16_t n)
{
    struct bed_port *q = p->priv;
    uint16_t sent = 0;

    p->tx_error = q->refuse;
    if (q->refuse)
        return 0;
    while (sent < n && q->tx_room && q->tx_n < BED_QUEUE) {
        q->tx[q->tx_n++] = m[sent++];
        q->tx_room--;
    }
    return sent;
}

static const struct port_ops queue_ops = {
    .name = "queue",
    .as_port = true,
    .as_uplink = true,
    .open = q_open,
    .close = q_close,
    .rx_burst = q_rx,
    .tx_burst = q_tx,
};

static void
on_punt(void *arg, const struct dp_punt *p)
{
    struct bed *b = arg;

    b->n_punts++;
    b->punt = *p;
    memcpy(b->punt_data, p->data, p->len);
    b->punt.data = b->punt_data;
}

static void
on_synced(void *arg, uint64_t seq)
{
    ((struct bed *) arg)->synced = seq;
}

static void
on_port(void *arg, struct dp_bridge *br, void *owner, enum dp_port_event what,
        const struct dp_port_info *info)
{
    (void) br, (void) owner, (void) what, (void) info;
    ((struct bed *) arg)->n_port_events++;
}

void
bed_add_port(struct bed *b, struct dp_bridge *br, unsigned no, uint32_t caps)
{
    struct weft_err e = { "" };
    char name[16];
    struct dp_port_config c = { .name = name, .type = "queue",
                                .port_no = no };
    uint32_t got;

    snprintf(name, sizeof name, "p%u", no);
    next_caps = caps;
    ck_assert_msg(!dp_port_add_ops(br, &c, &queue_ops, &got, &e), "%s",
                  e.text);
    ck_assert_uint_eq(got, no);
    (void) b;
}

void
bed_add_uplink(struct bed *b, unsigned no, uint32_t caps, uint32_t *id)
{
    struct weft_err e = { "" };
    char name[16];
    struct dp_port_config c = { .name = name, .type = "queue" };

    snprintf(name, sizeof name, "u%u", no);
    next_caps = caps;
    ck_assert_msg(!dp_uplink_add_ops(b->dp, &c, &queue_ops, id, &e), "%s",
                  e.text);
}

void
bed_use(struct bed *b)
{
    the_bed = b;
}

/* WEFT_TEST_CACHE is for the test matrix (tests/system/matrix.sh): the tests
 * that do not care run with every size of cache. */
void
bed_open(struct bed *b, unsigned n_ports, uint32_t caps)
{
    const char *entries = getenv("WEFT_TEST_CACHE");

    bed_open_cache(b, n_ports, caps,
                   entries ? (uint32_t) strtoul(entries, NULL, 10) : 0);
}

static void
open_with(struct bed *b, unsigned n_ports, uint32_t caps,
          uint32_t cache_entries, const char *cores)
{
    struct weft_err e = { "" };
    struct dp_config c = { .events = { .arg = b, .punt = on_punt,
                                       .synced = on_synced,
                                       .port = on_port },
                           .cores = cores,
                           .mbufs = 8191, .cache_entries = cache_entries,
                           .no_change_log =
                               getenv("WEFT_TEST_NO_CHANGE_LOG") != NULL };

    memset(b, 0, sizeof *b);
    the_bed = b;
    ck_assert_msg(!dp_create_manual(&c, &b->dp, &e), "%s", e.text);
    ck_assert_msg(!dp_bridge_add(b->dp, "br0", b, &b->br, &e), "%s", e.text);
    for (unsigned i = 1; i <= n_ports; i++)
        bed_add_port(b, b->br, i, caps);
}

void
bed_open_cache(struct bed *b, unsigned n_ports, uint32_t caps,
               uint32_t cache_entries)
{
    open_with(b, n_ports, caps, cache_entries, NULL);
}

void
bed_open_two(struct bed *b, unsigned n_ports, uint32_t caps)
{
    open_with(b, n_ports, caps, 0, "0,1");
}

void
bed_check_balance(struct dp_bridge *br)
{
    struct dp_balance x;
    uint64_t out;

    dp_bridge_get_balance(br, &x);
    out = x.sent + x.punted + x.consumed;
    for (unsigned i = 0; i < N_DROP_REASONS; i++)
        out += x.dropped[i];
    ck_assert_uint_eq(x.received + x.injected + x.copied, out);
}

void
bed_close(struct bed *b)
{
    unsigned in_use;

    bed_run(b);
    bed_check_balance(b->br);
    for (unsigned i = 1; i <= BED_PORTS; i++)
        bed_count(b, i);
    in_use = rte_mempool_in_use_count(b->dp->env.pool)
             + rte_mempool_in_use_count(b->dp->env.big_pool);
    ck_assert_msg(!in_use, "%u mbufs leaked", in_use);
    dp_destroy(b->dp);
}

void
bed_feed_mbuf(struct bed *b, unsigned port, struct rte_mbuf *m)
{
    struct bed_port *q = &b->ports[port];

    ck_assert_uint_lt(q->rx_head + q->rx_n, BED_QUEUE);
    q->rx[q->rx_head + q->rx_n++] = m;
}

void
bed_feed(struct bed *b, unsigned port, const struct pkt *p)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(
        p->len > 2000 ? b->dp->env.big_pool : b->dp->env.pool);

    ck_assert_ptr_nonnull(m);
    memcpy(rte_pktmbuf_append(m, (uint16_t) p->len), p->b, p->len);
    bed_feed_mbuf(b, port, m);
}

void
bed_run(struct bed *b)
{
    while (worker_iterate(b->dp->workers[0]))
        continue;
    while (dp_run(b->dp, 64))
        continue;
}

struct rte_mbuf *
bed_take(struct bed *b, unsigned port)
{
    struct bed_port *q = &b->ports[port];
    struct rte_mbuf *m;

    if (!q->tx_n)
        return NULL;
    m = q->tx[0];
    memmove(q->tx, q->tx + 1, --q->tx_n * sizeof q->tx[0]);
    return m;
}

void
bed_expect(struct bed *b, unsigned port, const struct pkt *p)
{
    struct rte_mbuf *m = bed_take(b, port);
    uint8_t buf[PKT_MAX];

    ck_assert_msg(m != NULL, "nothing left by port %u", port);
    ck_assert_uint_eq(m->pkt_len, p->len);
    ck_assert_mem_eq(rte_pktmbuf_read(m, 0, m->pkt_len, buf), p->b, p->len);
    rte_pktmbuf_free(m);
}

void
bed_expect_none(struct bed *b, unsigned port)
{
    ck_assert_uint_eq(b->ports[port].tx_n, 0);
}

unsigned
bed_count(struct bed *b, unsigned port)
{
    unsigned n = b->ports[port].tx_n;

    for (unsigned i = 0; i < n; i++)
        rte_pktmbuf_free(b->ports[port].tx[i]);
    b->ports[port].tx_n = 0;
    return n;
}

void
bed_count_by(struct bed *b, unsigned port, unsigned offset, unsigned n[],
             unsigned size)
{
    struct rte_mbuf *m;

    memset(n, 0, size * sizeof n[0]);
    while ((m = bed_take(b, port))) {
        uint8_t v;

        ck_assert_uint_lt(offset, m->pkt_len);
        v = *(const uint8_t *) rte_pktmbuf_read(m, offset, 1, &v);
        if (v < size)
            n[v]++;
        rte_pktmbuf_free(m);
    }
}

void
bed_udp(struct pkt *p, uint32_t src, uint16_t sport, uint16_t dport,
        size_t payload)
{
    pkt_init(p);
    pkt_eth(p, PKT_MAC(2), PKT_MAC(1), 0x0800);
    pkt_ipv4(p, src, 0x0a000002, 17);
    pkt_udp(p, sport, dport);
    pkt_payload(p, payload);
    pkt_end(p);
}

uint64_t
bed_drops(struct bed *b, enum drop_reason r)
{
    struct dp_balance x;

    dp_bridge_get_balance(b->br, &x);
    return x.dropped[r];
}

/* -------------------------------------------------------------------- rules */

void
ops_add(struct ops *o, unsigned code, unsigned aux, uint32_t arg)
{
    struct dp_op *op = (struct dp_op *) (void *) &o->w[o->n++];

    *op = (struct dp_op) { .code = (uint8_t) code, .words = 1,
                           .aux = (uint16_t) aux, .arg = arg };
}

void
ops_set(struct ops *o, unsigned field, const uint8_t v[16])
{
    const struct flow_field *f = &flow_fields[field];
    struct dp_op *op = (struct dp_op *) (void *) &o->w[o->n];
    struct flow_key key, mask;
    uint8_t ones[16];
    unsigned words = 1 + (2u * f->width + 7) / 8;

    memset(ones, 0xff, sizeof ones);
    memset(&key, 0, sizeof key);
    memset(&mask, 0, sizeof mask);
    memset(op, 0, 8u * words);
    flow_field_set_masked(&key, f, v, ones);
    flow_field_set_masked(&mask, f, ones, ones);
    op->code = DP_OP_SET_FIELD;
    op->words = (uint8_t) words;
    op->aux = (uint16_t) field;
    memcpy(op->data, (uint8_t *) &key + f->offset, f->width);
    memcpy(op->data + f->width, (uint8_t *) &mask + f->offset, f->width);
    o->n += words;
}

void
ops_set_u64(struct ops *o, unsigned field, uint64_t v)
{
    uint8_t b[16] = { 0 };

    put_be64(b + 8, v);
    ops_set(o, field, b);
}

void
ops_copy(struct ops *o, unsigned src, unsigned so, unsigned dst, unsigned d,
         unsigned n)
{
    struct dp_op *op = (struct dp_op *) (void *) &o->w[o->n];
    struct dp_copy_field c = {
        .src = (uint8_t) src, .dst = (uint8_t) dst, .n_bits = (uint16_t) n,
        .src_offset = (uint16_t) so, .dst_offset = (uint16_t) d,
    };

    *op = (struct dp_op) { .code = DP_OP_COPY_FIELD, .words = 2 };
    memcpy(op->data, &c, sizeof c);
    o->n += 2;
}

struct dp_op_list
ops_list(const struct ops *o)
{
    return (struct dp_op_list) { (const struct dp_op *) (const void *) o->w,
                                 o->n };
}

void
match_u64(struct flow_match *m, unsigned field, uint64_t v)
{
    uint8_t b[16] = { 0 }, ones[16];

    memset(ones, 0xff, sizeof ones);
    put_be64(b + 8, v);
    flow_field_set_masked(&m->key, &flow_fields[field], b, ones);
    flow_field_set_masked(&m->mask, &flow_fields[field], ones, ones);
}

struct dp_instr
bed_apply(const struct ops *apply)
{
    struct dp_instr in = { .goto_table = DP_NO_TABLE };

    if (apply)
        in.apply = ops_list(apply);
    return in;
}

struct dp_rule *
bed_rule_in(struct bed *b, uint8_t table, uint16_t priority,
            const struct flow_match *m, const struct dp_instr *in)
{
    struct dp_rule *r;

    ck_assert_int_eq(dp_rule_add(b->br, table, priority, m, in, 0xc00c, &r),
                     0);
    dp_commit(b->dp);
    return r;
}

struct dp_rule *
bed_rule(struct bed *b, uint16_t priority, const struct flow_match *m,
         const struct ops *apply)
{
    struct dp_instr in = bed_apply(apply);

    return bed_rule_in(b, 0, priority, m, &in);
}

uint64_t
bed_packets(struct dp_rule *r)
{
    struct dp_stats s;

    dp_rule_get_stats(r, &s);
    return s.packets;
}

void
bed_nexthop(struct bed *b, uint32_t uplink, uint32_t local, uint32_t remote)
{
    struct tnl_nexthop nh = { .uplink = uplink, .src = be32_from(local),
                              .src_mac = { 2, 0, 0, 0, 0, 1 },
                              .dst_mac = { 2, 0, 0, 0, 0, 2 },
                              .mtu = 1500 };

    ck_assert_int_eq(dp_nexthop_set(b->dp, be32_from(remote), &nh), 0);
}
