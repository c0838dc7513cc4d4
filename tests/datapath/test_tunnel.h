/* SPDX-License-Identifier: Apache-2.0 */
/* What the tunnel suites share: memory, ports by their text, frames.
 * Threads: main.  Errors: fails the test. */
#ifndef TESTS_DATAPATH_TEST_TUNNEL_H
#define TESTS_DATAPATH_TEST_TUNNEL_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/tunnel.h"
#include "tests/datapath/test_eal.h"
#include "utils/base/addr.h"
#include "utils/base/mem.h"

static struct rte_mempool *pool;
static struct tunnels *tunnels;
static struct tunnel_worker worker;

/* Inner frame: ARP request, as in the types' golden packets (scapy 2.5). */
static const uint8_t arp_frame[42] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01,
    0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01, 0x02, 0x00,
    0x00, 0x00, 0x00, 0x01, 0x0a, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x0a, 0x00, 0x00, 0x02,
};

static inline be32
ip(const char *text)
{
    be32 addr;

    ck_assert_int_eq(base_parse_ipv4(text, &addr), 0);
    return addr;
}

static inline void
setup_eal(void)
{
    test_eal_init();
    pool = rte_pktmbuf_pool_create("pool", 511, 0, 0,
                                   RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    ck_assert_ptr_nonnull(pool);
}

static inline void
teardown_eal(void)
{
    rte_mempool_free(pool);
    rte_eal_cleanup();
}

/* An uplink with 192.0.2.1 and the next hop of 192.0.2.2. */
static inline void
setup(void)
{
    const be32 local = ip("192.0.2.1");
    const struct tnl_nexthop nh = {
        .uplink = 7, .src = local, .mtu = 1500,
        .src_mac = { 2, 0, 0, 0, 2, 1 }, .dst_mac = { 2, 0, 0, 0, 2, 2 },
    };

    tunnels = tunnels_create(NULL, NULL);
    tunnel_worker_init(&worker, tunnels, pool);
    worker.now_ns = 1000000000;
    ck_assert_int_eq(tunnels_set_addrs(tunnels, 7, &local, 1), 0);
    ck_assert_int_eq(tunnel_nexthop_set(tunnels, ip("192.0.2.2"), &nh), 0);
}

static inline void
teardown(void)
{
    tunnels_destroy(tunnels);
    ck_assert_uint_eq(rte_mempool_in_use_count(pool), 0);
}

/* "vxlan remote=.. key=.."; 0 or -errno. */
static inline int
add_port(const char *name, const char *text, uint32_t port_no,
         struct tunnel_port **port, struct weft_err *e)
{
    const char *names[16], *values[16];
    char *copy = base_xstrdup(text), *save = NULL;
    struct tunnel_port_config pc = { .name = name, .owner = worker.pool,
                                     .port_no = port_no };
    size_t n = 0;

    pc.ops = tnl_type_by_name(strtok_r(copy, " ", &save));
    ck_assert_ptr_nonnull(pc.ops);
    for (char *w; (w = strtok_r(NULL, " ", &save));) {
        names[n] = w;
        values[n] = strchr(w, '=') + 1;
        *strchr(w, '=') = '\0';
        n++;
    }
    int err = tnl_config_parse(pc.ops, names, values, n, &pc.tnl, e);
    ck_assert_int_eq(err, 0);
    free(copy);
    return tunnel_port_add(tunnels, &pc, port, e);
}

static inline struct tunnel_port *
port(const char *text, uint32_t port_no)
{
    struct tunnel_port *p;
    struct weft_err e = { "" };

    ck_assert_msg(add_port("p", text, port_no, &p, &e) == 0, "%s", e.text);
    return p;
}

static inline struct rte_mbuf *
frame(const void *bytes, size_t len)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

    ck_assert_ptr_nonnull(m);
    memcpy(rte_pktmbuf_append(m, (uint16_t) len), bytes, len);
    return m;
}

/* The same bytes in two segments, the second one with the last 'tail'. */
static inline struct rte_mbuf *
frame_in_two(const uint8_t *bytes, size_t len, size_t tail)
{
    struct rte_mbuf *m = frame(bytes, len - tail);

    ck_assert_int_eq(rte_pktmbuf_chain(m, frame(bytes + len - tail, tail)), 0);
    return m;
}

static inline const uint8_t *
bytes_of(const struct rte_mbuf *m)
{
    return rte_pktmbuf_mtod(m, const uint8_t *);
}

/* The slow and obvious way, RFC 1071 §1. */
static inline uint16_t
plain_sum(const uint8_t *p, size_t n, uint32_t sum)
{
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? p[i] : (uint32_t) p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) sum;
}

static inline void
ip_csum_fill(uint8_t *h)
{
    put_be16(h + 10, 0);
    put_be16(h + 10, (uint16_t) ~plain_sum(h, 20, 0));
}

#endif
