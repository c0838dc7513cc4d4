/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-net headers: what the kernel says and what the mbuf then says. */
#include "datapath/ports/common/vnet_fast.h"

#include <check.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/offload.h"
#include "tests/datapath/test_eal.h"
#include "weft/be.h"

#define CSUM VIRTIO_NET_HDR_F_NEEDS_CSUM
#define OUTER (14 + 20) /* Ethernet and IPv4. */

static struct rte_mempool *pool, *big_pool;

static void
setup(void)
{
    test_eal_init();
    pool = rte_pktmbuf_pool_create("pool", 255, 0, 0,
                                   RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    big_pool = rte_pktmbuf_pool_create("big", 7, 0, 0, 65535, 0);
    ck_assert_ptr_nonnull(pool);
    ck_assert_ptr_nonnull(big_pool);
}

static void
teardown(void)
{
    rte_mempool_free(pool);
    rte_mempool_free(big_pool);
    rte_eal_cleanup();
}

static uint16_t
plain_sum(const uint8_t *p, size_t n, uint32_t sum)
{
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? p[i] : (uint32_t) p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) sum;
}

static unsigned
put_eth(uint8_t *p, unsigned n_vlans, uint16_t type)
{
    memset(p, 2, 12);
    for (unsigned i = 0; i < n_vlans; i++)
        put_be32(p + 12 + 4 * i, 0x81000000u + 5 + i);
    put_be16(p + 12 + 4 * n_vlans, type);
    return 14 + 4 * n_vlans;
}

static unsigned
put_ipv4(uint8_t *p, uint8_t proto, unsigned payload)
{
    memset(p, 0, 20);
    p[0] = 0x45;
    put_be16(p + 2, (uint16_t) (20 + payload));
    p[8] = 64;
    p[9] = proto;
    put_be32(p + 12, 0x0a000001);
    put_be32(p + 16, 0x0a000002);
    put_be16(p + 10, (uint16_t) ~plain_sum(p, 20, 0));
    return 20;
}

/* 'ext' bytes of hop-by-hop options in front of 'proto'. */
static unsigned
put_ipv6(uint8_t *p, uint8_t proto, unsigned ext, unsigned payload)
{
    memset(p, 0, 40 + ext);
    p[0] = 0x60;
    put_be16(p + 4, (uint16_t) (ext + payload));
    p[6] = ext ? 0 : proto;
    p[7] = 64;
    p[23] = 1;
    p[39] = 2;
    if (ext) {
        p[40] = proto;
        p[41] = (uint8_t) (ext / 8 - 1);
    }
    return 40 + ext;
}

/* Header and payload; the checksum field holds the pseudo-header sum. */
static unsigned
put_l4(uint8_t *p, const uint8_t *ip, uint8_t proto, unsigned payload)
{
    bool v6 = ip[0] >> 4 == 6;
    unsigned hdr = proto == 6 ? 20 : 8;

    memset(p, 0, hdr);
    for (unsigned i = 0; i < payload; i++)
        p[hdr + i] = (uint8_t) (i * 7 + 1);
    put_be16(p, 1000);
    put_be16(p + 2, 2000);
    if (proto == 6) {
        p[12] = 0x50;
        p[13] = 0x18;
    } else {
        put_be16(p + 4, (uint16_t) (hdr + payload));
    }
    put_be16(p + (proto == 6 ? 16 : 6),
             plain_sum(v6 ? ip + 8 : ip + 12, v6 ? 32 : 8,
                       proto + hdr + payload));
    return hdr + payload;
}

struct frame {
    uint8_t b[4096];
    unsigned len, l3, l4;
};

static void
frame_v4(struct frame *f, unsigned n_vlans, uint8_t proto, unsigned payload)
{
    f->l3 = put_eth(f->b, n_vlans, 0x0800);
    f->l4 = f->l3 + put_ipv4(f->b + f->l3, proto,
                             (proto == 6 ? 20 : 8) + payload);
    f->len = f->l4 + put_l4(f->b + f->l4, f->b + f->l3, proto, payload);
}

static void
frame_v6(struct frame *f, unsigned ext, uint8_t proto, unsigned payload)
{
    f->l3 = put_eth(f->b, 0, 0x86dd);
    f->l4 = f->l3 + put_ipv6(f->b + f->l3, proto, ext,
                             (proto == 6 ? 20 : 8) + payload);
    f->len = f->l4 + put_l4(f->b + f->l4, f->b + f->l3, proto, payload);
}

static struct rte_mbuf *
to_mbuf(const uint8_t *b, unsigned len)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(big_pool);

    memcpy(rte_pktmbuf_append(m, (uint16_t) len), b, len);
    return m;
}

static void
assert_inner_sum(const uint8_t *ip, const uint8_t *l4, unsigned l4_len)
{
    bool v6 = ip[0] >> 4 == 6;
    uint8_t proto = v6 ? ip[6] : ip[9];

    ck_assert_uint_eq(plain_sum(l4, l4_len,
                                plain_sum(v6 ? ip + 8 : ip + 12, v6 ? 32 : 8,
                                          proto + l4_len)), 0xffff);
}

START_TEST(test_vnet_no_flags_is_a_complete_frame)
{
    struct virtio_net_hdr h = { .flags = 0 };
    struct frame f;
    struct rte_mbuf *m;

    frame_v4(&f, 0, 6, 100);
    m = to_mbuf(f.b, f.len);
    ck_assert(vnet_to_mbuf(m, &h, 0));
    ck_assert_uint_eq(m->ol_flags, 0);
    h.flags = VIRTIO_NET_HDR_F_DATA_VALID;
    ck_assert(vnet_to_mbuf(m, &h, 0));
    ck_assert_uint_eq(m->ol_flags, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
    ck_assert_mem_eq(rte_pktmbuf_mtod(m, void *), f.b, f.len);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(test_vnet_partial_checksum_is_state_both_ways)
{
    struct virtio_net_hdr h, back;
    struct frame f;

    for (int i = 0; i < 6; i++) {
        uint8_t proto = i % 2 ? 17 : 6;
        struct rte_mbuf *m;

        if (i < 4)
            frame_v4(&f, i < 2 ? 0 : 2, proto, 33);
        else
            frame_v6(&f, 8, proto, 33);
        h = (struct virtio_net_hdr) {
            .flags = CSUM,
            .csum_start = (uint16_t) f.l4,
            .csum_offset = proto == 6 ? 16 : 6,
        };
        m = to_mbuf(f.b, f.len);
        ck_assert(vnet_to_mbuf(m, &h, 0));
        ck_assert_uint_eq(m->ol_flags,
                          (proto == 6 ? RTE_MBUF_F_TX_TCP_CKSUM
                                      : RTE_MBUF_F_TX_UDP_CKSUM)
                          | (i < 4 ? RTE_MBUF_F_TX_IPV4
                                   : RTE_MBUF_F_TX_IPV6));
        ck_assert_uint_eq(m->l2_len, f.l3);
        ck_assert_uint_eq(m->l3_len, f.l4 - f.l3);
        vnet_from_mbuf(m, &back);
        ck_assert_mem_eq(&back, &h, sizeof h);
        rte_pktmbuf_free(m);
    }
}
END_TEST

START_TEST(test_vnet_inserted_tag_shifts_the_start)
{
    struct virtio_net_hdr h = { .flags = CSUM, .csum_offset = 16 };
    struct frame f;
    struct rte_mbuf *m;

    frame_v4(&f, 1, 6, 10);
    h.csum_start = (uint16_t) (f.l4 - 4); /* Written before the tag was. */
    m = to_mbuf(f.b, f.len);
    ck_assert(vnet_to_mbuf(m, &h, 4));
    ck_assert_uint_eq(m->l2_len, 18);
    ck_assert_uint_eq(m->ol_flags & RTE_MBUF_F_TX_L4_MASK,
                      RTE_MBUF_F_TX_TCP_CKSUM);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(test_vnet_large_segment_is_state_both_ways)
{
    for (int i = 0; i < 4; i++) {
        bool v6 = i & 1, cwr = i & 2;
        struct virtio_net_hdr h, back;
        struct frame f;
        struct rte_mbuf *m;

        if (v6)
            frame_v6(&f, 0, 6, 3000);
        else
            frame_v4(&f, 1, 6, 3000);
        f.b[f.l4 + 13] |= cwr ? 0x80 : 0;
        h = (struct virtio_net_hdr) {
            .flags = CSUM,
            .gso_type = (uint8_t) ((v6 ? VIRTIO_NET_HDR_GSO_TCPV6
                                       : VIRTIO_NET_HDR_GSO_TCPV4)
                                   | (cwr ? VIRTIO_NET_HDR_GSO_ECN : 0)),
            .hdr_len = (uint16_t) (f.l4 + 20),
            .gso_size = 1400,
            .csum_start = (uint16_t) f.l4,
            .csum_offset = 16,
        };
        m = to_mbuf(f.b, f.len);
        ck_assert(vnet_to_mbuf(m, &h, 0));
        ck_assert(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
        ck_assert_uint_eq(m->tso_segsz, 1400);
        ck_assert_uint_eq(m->l4_len, 20);
        vnet_from_mbuf(m, &back);
        ck_assert_mem_eq(&back, &h, sizeof h);
        rte_pktmbuf_free(m);
    }
}
END_TEST

START_TEST(test_vnet_segment_that_fits_is_no_large_one)
{
    struct virtio_net_hdr h = { .flags = CSUM, .csum_offset = 16,
                                .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                                .gso_size = 1400 };
    struct frame f;
    struct rte_mbuf *m;

    frame_v4(&f, 0, 6, 1400);
    h.csum_start = (uint16_t) f.l4;
    m = to_mbuf(f.b, f.len);
    ck_assert(vnet_to_mbuf(m, &h, 0));
    vnet_from_mbuf(m, &h);
    ck_assert_uint_eq(h.gso_type, VIRTIO_NET_HDR_GSO_NONE);
    ck_assert_uint_eq(h.flags, CSUM);
    rte_pktmbuf_free(m);
}
END_TEST

/* A protocol whose checksum nobody behind us completes. */
START_TEST(test_vnet_icmpv6_checksum_is_finished_at_once)
{
    struct virtio_net_hdr h = { .flags = CSUM, .csum_offset = 2 };
    struct frame f;
    struct rte_mbuf *m;

    f.l3 = put_eth(f.b, 0, 0x86dd);
    f.l4 = f.l3 + put_ipv6(f.b + f.l3, 58, 0, 65);
    memset(f.b + f.l4, 0x5b, 65);
    put_be16(f.b + f.l4 + 2, plain_sum(f.b + f.l3 + 8, 32, 58 + 65));
    h.csum_start = (uint16_t) f.l4;
    m = to_mbuf(f.b, f.l4 + 65);
    ck_assert(vnet_to_mbuf(m, &h, 0));
    ck_assert(!offload_pending(m));
    assert_inner_sum(rte_pktmbuf_mtod_offset(m, uint8_t *, f.l3),
                     rte_pktmbuf_mtod_offset(m, uint8_t *, f.l4), 65);
    rte_pktmbuf_free(m);
}
END_TEST

/* Outer Ethernet, IPv4, UDP + VXLAN or NVGRE in front of 'inner'; returns the
 * length of what was put there. */
static unsigned
put_outer(uint8_t *p, bool gre, unsigned inner_len)
{
    unsigned hdr = gre ? 8 : 16;

    memset(p, 0, OUTER + hdr);
    put_eth(p, 0, 0x0800);
    put_ipv4(p + 14, gre ? 47 : 17, hdr + inner_len);
    if (gre) {
        put_be32(p + OUTER, 0x20006558);
        put_be32(p + OUTER + 4, 0x00002a01);
    } else {
        put_be16(p + OUTER, 55555);
        put_be16(p + OUTER + 2, 4789);
        put_be16(p + OUTER + 4, (uint16_t) (hdr + inner_len));
        p[OUTER + 8] = 8;
        p[OUTER + 14] = 42;
    }
    return OUTER + hdr;
}

START_TEST(test_vnet_checksum_inside_a_tunnel_is_finished_at_once)
{
    struct virtio_net_hdr h = { .flags = CSUM, .csum_offset = 16 };
    uint8_t b[4096];
    struct frame f;
    struct rte_mbuf *m;
    unsigned outer;

    frame_v4(&f, 0, 6, 500);
    outer = put_outer(b, false, f.len);
    memcpy(b + outer, f.b, f.len);
    h.csum_start = (uint16_t) (outer + f.l4);
    m = to_mbuf(b, outer + f.len);
    ck_assert(vnet_to_mbuf(m, &h, 0));
    ck_assert_uint_eq(m->ol_flags, RTE_MBUF_F_RX_L4_CKSUM_NONE);
    assert_inner_sum(rte_pktmbuf_mtod_offset(m, uint8_t *, outer + f.l3),
                     rte_pktmbuf_mtod_offset(m, uint8_t *, outer + f.l4),
                     520);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(test_vnet_segment_inside_a_tunnel_survives_decapsulation)
{
    bool gre = _i;
    struct virtio_net_hdr h = { .flags = CSUM, .csum_offset = 16,
                                .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                                .gso_size = 1000 };
    struct rte_mbuf *m, *out[4];
    uint8_t b[4096];
    struct frame f;
    unsigned outer;

    frame_v4(&f, 1, 6, 2500);
    outer = put_outer(b, gre, f.len);
    memcpy(b + outer, f.b, f.len);
    h.csum_start = (uint16_t) (outer + f.l4);
    m = to_mbuf(b, outer + f.len);
    ck_assert(vnet_to_mbuf(m, &h, 0));
    ck_assert_uint_eq(m->ol_flags & RTE_MBUF_F_TX_TUNNEL_MASK,
                      gre ? RTE_MBUF_F_TX_TUNNEL_GRE
                          : RTE_MBUF_F_TX_TUNNEL_VXLAN);
    ck_assert_uint_eq(m->outer_l2_len, 14);
    ck_assert_uint_eq(m->outer_l3_len, 20);
    rte_pktmbuf_adj(m, (uint16_t) outer);
    offload_cut_front(m, (uint16_t) outer);
    ck_assert_uint_eq(m->l2_len, 18);
    ck_assert_int_eq(offload_segment(m, pool, out, 4), 3);
    for (int i = 0; i < 3; i++) {
        const uint8_t *p = rte_pktmbuf_mtod(out[i], uint8_t *);

        assert_inner_sum(p + f.l3, p + f.l4, out[i]->pkt_len - f.l4);
        rte_pktmbuf_free(out[i]);
    }
}
END_TEST

START_TEST(test_vnet_header_that_contradicts_the_frame_is_refused)
{
    static const struct virtio_net_hdr bad[] = {
        /* Start past the end, field past the end. */
        { .flags = CSUM, .csum_start = 2000, .csum_offset = 16 },
        { .flags = CSUM, .csum_start = 100, .csum_offset = 0xffff },
        /* A large segment without a checksum to finish. */
        { .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 500 },
        /* IPv6 said, IPv4 sent; UDP; no size. */
        { .flags = CSUM, .csum_start = 34, .csum_offset = 16,
          .gso_type = VIRTIO_NET_HDR_GSO_TCPV6, .gso_size = 500 },
        { .flags = CSUM, .csum_start = 34, .csum_offset = 16,
          .gso_type = VIRTIO_NET_HDR_GSO_UDP, .gso_size = 500 },
        { .flags = CSUM, .csum_start = 34, .csum_offset = 16,
          .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 0 },
        /* A segment at a place where there is no TCP. */
        { .flags = CSUM, .csum_start = 60, .csum_offset = 16,
          .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 500 },
    };
    struct frame f;
    struct rte_mbuf *m;

    frame_v4(&f, 0, 6, 1000);
    m = to_mbuf(f.b, f.len);
    ck_assert(!vnet_to_mbuf(m, &bad[_i], 0));
    rte_pktmbuf_free(m);
}
END_TEST

/* Memory of exactly that size: AddressSanitizer sees a byte too many. */
START_TEST(test_vnet_truncated_frames_are_read_within_their_bounds)
{
    struct virtio_net_hdr h = { .flags = CSUM, .csum_offset = 16,
                                .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                                .gso_size = 10 };
    uint8_t b[4096];
    struct frame f;
    unsigned outer, whole;

    frame_v4(&f, 2, 6, 40);
    outer = put_outer(b, _i, f.len);
    memcpy(b + outer, f.b, f.len);
    h.csum_start = (uint16_t) (outer + f.l4);
    whole = outer + f.l4 + 20;
    for (unsigned n = 14; n <= whole; n++) {
        uint8_t *exact = malloc(n);
        struct rte_mbuf m = { .buf_addr = exact, .nb_segs = 1 };

        memcpy(exact, b, n);
        m.buf_len = m.data_len = (uint16_t) n;
        m.pkt_len = n;
        ck_assert_int_eq(vnet_to_mbuf(&m, &h, 0), n == whole);
        free(exact);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("datapath");
    TCase *c = tcase_create("vnet");
    SRunner *r;
    int failed;

    tcase_add_unchecked_fixture(c, setup, teardown);
    tcase_add_test(c, test_vnet_no_flags_is_a_complete_frame);
    tcase_add_test(c, test_vnet_partial_checksum_is_state_both_ways);
    tcase_add_test(c, test_vnet_inserted_tag_shifts_the_start);
    tcase_add_test(c, test_vnet_large_segment_is_state_both_ways);
    tcase_add_test(c, test_vnet_segment_that_fits_is_no_large_one);
    tcase_add_test(c, test_vnet_icmpv6_checksum_is_finished_at_once);
    tcase_add_test(c, test_vnet_checksum_inside_a_tunnel_is_finished_at_once);
    tcase_add_loop_test(
        c, test_vnet_segment_inside_a_tunnel_survives_decapsulation, 0, 2);
    tcase_add_loop_test(
        c, test_vnet_header_that_contradicts_the_frame_is_refused, 0, 7);
    tcase_add_loop_test(
        c, test_vnet_truncated_frames_are_read_within_their_bounds, 0, 2);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
