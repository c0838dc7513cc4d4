/* SPDX-License-Identifier: Apache-2.0 */
/* Checksum completion and segmentation against golden frames of other
 * programs and against a plain recomputation, byte by byte. */
#include "datapath/offload.h"

#include <check.h>
#include <errno.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "tests/datapath/test_eal.h"
#include "weft/be.h"

static struct rte_mempool *pool, *small_pool;

static void
setup_eal(void)
{
    test_eal_init();
    pool = rte_pktmbuf_pool_create("pool", 1023, 0, 0,
                                   RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    small_pool = rte_pktmbuf_pool_create("small", 127, 0, 0,
                                         RTE_PKTMBUF_HEADROOM + 300, 0);
    ck_assert_ptr_nonnull(pool);
    ck_assert_ptr_nonnull(small_pool);
}

static void
teardown_eal(void)
{
    rte_mempool_free(pool);
    rte_mempool_free(small_pool);
    rte_eal_cleanup();
}

/* ------------------------------------------------------------- frames */

struct shape {
    bool v6, udp;
    unsigned n_vlans;
    unsigned l4_options; /* Bytes of TCP options. */
    unsigned payload;
    uint16_t mss;
    uint8_t tcp_flags;
    unsigned chunk; /* Bytes per mbuf after the first 256; 0: one mbuf. */
};

/* The slow and obvious way: 16 bits at a time, RFC 1071 §1. */
static uint32_t
plain_sum(const uint8_t *p, size_t n, uint32_t sum)
{
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? p[i] : (uint32_t) p[i] << 8;
    return sum;
}

static uint16_t
plain_fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) sum;
}

static uint32_t
plain_pseudo(const uint8_t *l3, bool v6, uint8_t proto, unsigned l4_len)
{
    uint32_t sum = v6 ? plain_sum(l3 + 8, 32, 0) : plain_sum(l3 + 12, 8, 0);

    return sum + proto + l4_len;
}

static unsigned
l3_at(const struct shape *s)
{
    return 14 + 4 * s->n_vlans;
}

static unsigned
l4_at(const struct shape *s)
{
    return l3_at(s) + (s->v6 ? 40 : 20);
}

static unsigned
l4_header(const struct shape *s)
{
    return s->udp ? 8 : 20 + s->l4_options;
}

static void
put_l3(const struct shape *s, uint8_t *p)
{
    unsigned l4_len = l4_header(s) + s->payload;
    uint8_t proto = s->udp ? 17 : 6;

    if (s->v6) {
        p[0] = 0x60;
        put_be16(p + 4, (uint16_t) l4_len);
        p[6] = proto;
        p[7] = 64;
        for (int i = 0; i < 32; i++)
            p[8 + i] = (uint8_t) (0x20 + 7 * i);
        return;
    }
    p[0] = 0x45;
    put_be16(p + 2, (uint16_t) (20 + l4_len));
    put_be16(p + 4, 0xfffe); /* The id of a later segment wraps. */
    p[6] = 0x40;
    p[8] = 64;
    p[9] = proto;
    put_be32(p + 12, 0x0a000001);
    put_be32(p + 16, 0xc0a8fe02);
    put_be16(p + 10, (uint16_t) ~plain_fold(plain_sum(p, 20, 0)));
}

/* Writes the frame with a partial checksum; returns its length. */
static unsigned
put_frame(const struct shape *s, uint8_t *f)
{
    unsigned l3 = l3_at(s), l4 = l4_at(s), len = l4 + l4_header(s) + s->payload;

    memset(f, 0, len);
    memset(f, 0x02, 12);
    for (unsigned i = 0; i < s->n_vlans; i++) {
        put_be16(f + 12 + 4 * i, i + 1 < s->n_vlans ? 0x88a8 : 0x8100);
        put_be16(f + 14 + 4 * i, (uint16_t) (100 + i));
    }
    put_be16(f + l3 - 2, s->v6 ? 0x86dd : 0x0800);
    put_l3(s, f + l3);
    for (unsigned i = l4 + l4_header(s); i < len; i++)
        f[i] = (uint8_t) (i * 31 + (i >> 8));
    put_be16(f + l4, 40000);
    put_be16(f + l4 + 2, 5201);
    if (s->udp) {
        put_be16(f + l4 + 4, (uint16_t) (8 + s->payload));
    } else {
        put_be32(f + l4 + 4, 0xfffffff0); /* The sequence number wraps. */
        put_be32(f + l4 + 8, 0x11223344);
        f[l4 + 12] = (uint8_t) ((20 + s->l4_options) / 4 << 4);
        f[l4 + 13] = s->tcp_flags;
        put_be16(f + l4 + 14, 501);
        memset(f + l4 + 20, 1, s->l4_options); /* NOPs */
    }
    put_be16(f + l4 + (s->udp ? 6 : 16),
             plain_fold(plain_pseudo(f + l3, s->v6, s->udp ? 17 : 6,
                                     len - l4)));
    return len;
}

static struct rte_mbuf *
to_mbuf(const uint8_t *f, unsigned len, unsigned chunk)
{
    struct rte_mbuf *head = rte_pktmbuf_alloc(pool), *m = head;
    unsigned here = chunk ? WEFT_MIN(len, 256) : WEFT_MIN(len, 2048);

    for (unsigned off = 0;;) {
        memcpy(rte_pktmbuf_append(m, (uint16_t) here), f + off, here);
        if (m != head)
            ck_assert_int_eq(rte_pktmbuf_chain(head, m), 0);
        off += here;
        if (off == len)
            return head;
        m = rte_pktmbuf_alloc(pool);
        ck_assert_ptr_nonnull(m);
        here = WEFT_MIN(len - off, chunk ? chunk : 2048);
    }
}

static void
set_state(struct rte_mbuf *m, const struct shape *s)
{
    m->l2_len = l3_at(s);
    m->l3_len = s->v6 ? 40 : 20;
    m->ol_flags = s->udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM;
    m->ol_flags |= s->v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
    if (s->mss) {
        m->ol_flags |= s->udp ? RTE_MBUF_F_TX_UDP_SEG : RTE_MBUF_F_TX_TCP_SEG;
        m->tso_segsz = s->mss;
        m->l4_len = l4_header(s);
    }
}

static unsigned
flatten(const struct rte_mbuf *m, uint8_t *f)
{
    unsigned off = 0, segs = 0;

    for (const struct rte_mbuf *s = m; s; s = s->next, segs++) {
        memcpy(f + off, rte_pktmbuf_mtod(s, void *), s->data_len);
        off += s->data_len;
    }
    ck_assert_uint_eq(off, m->pkt_len);
    ck_assert_uint_eq(segs, m->nb_segs);
    return off;
}

static void
assert_checksums_hold(const struct shape *s, const uint8_t *f, unsigned l4_len)
{
    const uint8_t *l3 = f + l3_at(s);

    if (!s->v6)
        ck_assert_uint_eq(plain_fold(plain_sum(l3, 20, 0)), 0xffff);
    ck_assert_uint_eq(
        plain_fold(plain_sum(f + l4_at(s), l4_len,
                             plain_pseudo(l3, s->v6, s->udp ? 17 : 6,
                                          l4_len))), 0xffff);
}

static uint8_t frame[70000], flat[70000];

/* ------------------------------------------------------------ checksum */

static const struct shape csum_shapes[] = {
    { .payload = 0 },
    { .payload = 1 },
    { .payload = 1400, .l4_options = 12 },
    { .payload = 999, .chunk = 101 }, /* Odd lengths of segments. */
    { .payload = 1400, .n_vlans = 1 },
    { .payload = 333, .n_vlans = 2, .chunk = 7 },
    { .payload = 1, .udp = true },
    { .payload = 1472, .udp = true, .n_vlans = 1 },
    { .payload = 777, .v6 = true },
    { .payload = 500, .v6 = true, .udp = true, .chunk = 33 },
    { .payload = 60000, .v6 = true, .chunk = 1999 },
};

START_TEST(test_offload_checksum_partial_sum_is_completed)
{
    const struct shape *s = &csum_shapes[_i];
    unsigned len = put_frame(s, frame);
    struct rte_mbuf *m = to_mbuf(frame, len, s->chunk);

    set_state(m, s);
    ck_assert(offload_pending(m));
    ck_assert_int_eq(offload_checksum(m), 0);
    ck_assert(!offload_pending(m));
    ck_assert_uint_eq(flatten(m, flat), len);
    assert_checksums_hold(s, flat, len - l4_at(s));
    /* Nothing but the field changed. */
    memset(flat + l4_at(s) + (s->udp ? 6 : 16), 0, 2);
    memset(frame + l4_at(s) + (s->udp ? 6 : 16), 0, 2);
    ck_assert_mem_eq(flat, frame, len);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(test_offload_checksum_complete_frame_is_left_alone)
{
    const struct shape *s = &csum_shapes[2];
    unsigned len = put_frame(s, frame);
    struct rte_mbuf *m = to_mbuf(frame, len, 0);

    ck_assert_int_eq(offload_checksum(m), 0);
    flatten(m, flat);
    ck_assert_mem_eq(flat, frame, len);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(test_offload_checksum_ethernet_padding_is_not_summed)
{
    const struct shape s = { .payload = 2, .udp = true };
    unsigned len = put_frame(&s, frame);
    struct rte_mbuf *m;

    memset(frame + len, 0xee, 60 - len);
    m = to_mbuf(frame, 60, 0);
    set_state(m, &s);
    ck_assert_int_eq(offload_checksum(m), 0);
    flatten(m, flat);
    assert_checksums_hold(&s, flat, 10);
    rte_pktmbuf_free(m);
}
END_TEST

/* RFC 768: a computed zero is sent as all ones. */
START_TEST(test_offload_checksum_udp_zero_is_sent_as_ones)
{
    const struct shape s = { .payload = 2, .udp = true };
    unsigned len = put_frame(&s, frame), l4 = l4_at(&s);
    uint32_t sum;
    struct rte_mbuf *m;

    /* The payload that makes the whole sum 0xffff. */
    memset(frame + l4 + 8, 0, 2);
    sum = plain_fold(plain_sum(frame + l4, 10, 0));
    put_be16(frame + l4 + 8, (uint16_t) (0xffff - sum));
    m = to_mbuf(frame, len, 0);
    set_state(m, &s);
    ck_assert_int_eq(offload_checksum(m), 0);
    flatten(m, flat);
    ck_assert_uint_eq(get_be16(flat + l4 + 6), 0xffff);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(test_offload_checksum_headers_that_contradict_are_refused)
{
    const struct shape s = { .payload = 100 };
    unsigned len = put_frame(&s, frame);
    struct rte_mbuf *m = to_mbuf(frame, len, 0);

    set_state(m, &s);
    m->l3_len = 24; /* The header says 20. */
    ck_assert_int_eq(offload_checksum(m), -EINVAL);
    set_state(m, &s);
    m->l2_len = 127; /* Past the IP header. */
    ck_assert_int_eq(offload_checksum(m), -EINVAL);
    set_state(m, &s);
    m->ol_flags &= ~RTE_MBUF_F_TX_IPV4; /* Neither v4 nor v6. */
    ck_assert_int_eq(offload_checksum(m), -EINVAL);
    set_state(m, &s);
    put_be16(rte_pktmbuf_mtod_offset(m, uint8_t *, 16), 2000); /* > frame */
    ck_assert_int_eq(offload_checksum(m), -EINVAL);
    ck_assert(offload_pending(m));
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(test_offload_checksum_inside_tunnel_uses_inner_headers)
{
    const struct shape s = { .payload = 300 };
    unsigned len, outer = 14 + 20 + 8 + 8;
    struct rte_mbuf *m;

    memset(frame, 0x5a, outer);
    len = put_frame(&s, frame + outer);
    m = to_mbuf(frame, outer + len, 0);
    set_state(m, &s);
    m->outer_l2_len = 14;
    m->outer_l3_len = 20;
    m->l2_len = 16 + 14;
    m->ol_flags |= RTE_MBUF_F_TX_TUNNEL_VXLAN;
    ck_assert_int_eq(offload_checksum(m), 0);
    flatten(m, flat);
    assert_checksums_hold(&s, flat + outer, len - l4_at(&s));
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(test_offload_cut_front_moves_tunnel_state_to_inner_frame)
{
    const struct shape s = { .payload = 300, .n_vlans = 1 };
    unsigned len, outer = 14 + 20 + 8 + 8;
    struct rte_mbuf *m;

    memset(frame, 0x5a, outer);
    len = put_frame(&s, frame + outer);
    m = to_mbuf(frame, outer + len, 0);
    set_state(m, &s);
    m->outer_l2_len = 14;
    m->outer_l3_len = 20;
    m->l2_len = 16 + 18;
    m->ol_flags |= RTE_MBUF_F_TX_TUNNEL_VXLAN;
    rte_pktmbuf_adj(m, (uint16_t) outer);
    offload_cut_front(m, (uint16_t) outer);
    ck_assert_uint_eq(m->l2_len, 18);
    ck_assert_uint_eq(m->ol_flags & RTE_MBUF_F_TX_TUNNEL_MASK, 0);
    ck_assert_int_eq(offload_checksum(m), 0);
    flatten(m, flat);
    assert_checksums_hold(&s, flat, len - l4_at(&s));
    rte_pktmbuf_free(m);
}
END_TEST

/* -------------------------------------------------------- segmentation */

#define ALL_FLAGS 0x99 /* CWR ACK PSH FIN */

static const struct shape tso_shapes[] = {
    { .payload = 3000, .mss = 1448, .l4_options = 12, .tcp_flags = ALL_FLAGS },
    { .payload = 2896, .mss = 1448, .tcp_flags = ALL_FLAGS }, /* No rest. */
    { .payload = 1000, .mss = 1448, .tcp_flags = ALL_FLAGS }, /* One only. */
    { .payload = 0, .mss = 1448, .tcp_flags = ALL_FLAGS },
    { .payload = 65000, .mss = 536, .chunk = 1000, .tcp_flags = 0x18 },
    { .payload = 64000, .mss = 1448, .n_vlans = 1, .tcp_flags = 0x10 },
    { .payload = 9999, .mss = 1333, .n_vlans = 2, .chunk = 101,
      .tcp_flags = ALL_FLAGS },
    { .payload = 60000, .mss = 1428, .v6 = true, .l4_options = 12,
      .tcp_flags = ALL_FLAGS },
    { .payload = 5000, .mss = 999, .v6 = true, .n_vlans = 2, .l4_options = 40,
      .chunk = 77, .tcp_flags = ALL_FLAGS },
    { .payload = 30000, .mss = 8948, .tcp_flags = ALL_FLAGS }, /* Jumbo. */
    { .payload = 5000, .mss = 1200, .udp = true, .n_vlans = 1 },
    { .payload = 6001, .mss = 1200, .udp = true, .v6 = true, .chunk = 101 },
};

/* Checks one segment, its place 'off' in the payload. */
static void
assert_segment(const struct shape *s, const uint8_t *seg, unsigned len,
               unsigned off, unsigned i)
{
    unsigned l3 = l3_at(s), l4 = l4_at(s), hdr = l4 + l4_header(s);
    unsigned n = len - hdr;
    bool first = i == 0, last = off + n == s->payload;

    ck_assert_mem_eq(seg, frame, l3); /* Addresses and tags. */
    if (s->v6) {
        ck_assert_uint_eq(get_be16(seg + l3 + 4), len - l4);
    } else {
        ck_assert_uint_eq(get_be16(seg + l3 + 2), len - l3);
        ck_assert_uint_eq(get_be16(seg + l3 + 4), (0xfffe + i) & 0xffff);
    }
    if (n)
        ck_assert_mem_eq(seg + hdr, frame + hdr + off, n);
    assert_checksums_hold(s, seg, len - l4);
    if (s->udp) {
        ck_assert_uint_eq(get_be32(seg + l4), get_be32(frame + l4));
        ck_assert_uint_eq(get_be16(seg + l4 + 4), 8 + n);
        return;
    }
    ck_assert_uint_eq(get_be32(seg + l4 + 4), 0xfffffff0 + off);
    ck_assert_mem_eq(seg + l4 + 8, frame + l4 + 8, 5); /* ack, offset */
    ck_assert_uint_eq(seg[l4 + 13] & 0x80, first ? s->tcp_flags & 0x80 : 0);
    ck_assert_uint_eq(seg[l4 + 13] & 0x09, last ? s->tcp_flags & 0x09 : 0);
    ck_assert_uint_eq(seg[l4 + 13] & 0x76, s->tcp_flags & 0x76);
    ck_assert_mem_eq(seg + l4 + 20, frame + l4 + 20, s->l4_options);
}

START_TEST(test_offload_segment_large_frame_becomes_complete_frames)
{
    const struct shape *s = &tso_shapes[_i];
    struct rte_mbuf *out[OFFLOAD_MAX_SEGMENTS];
    unsigned len = put_frame(s, frame), off = 0;
    unsigned hdr = l4_at(s) + l4_header(s);
    struct rte_mbuf *m = to_mbuf(frame, len, s->chunk);
    int n;

    set_state(m, s);
    n = offload_segment(m, pool, out, OFFLOAD_MAX_SEGMENTS);
    ck_assert_int_eq(n, s->payload ? (s->payload + s->mss - 1) / s->mss : 1);
    for (int i = 0; i < n; i++) {
        unsigned slen = flatten(out[i], flat);

        ck_assert_uint_eq(slen - hdr, WEFT_MIN(s->mss, s->payload - off));
        ck_assert(!offload_pending(out[i]));
        assert_segment(s, flat, slen, off, (unsigned) i);
        off += slen - hdr;
        rte_pktmbuf_free(out[i]);
    }
    ck_assert_uint_eq(off, s->payload);
    ck_assert_uint_eq(rte_mempool_in_use_count(pool), 0);
}
END_TEST

START_TEST(test_offload_segment_small_data_rooms_give_chains)
{
    const struct shape *s = &tso_shapes[0];
    struct rte_mbuf *out[8];
    unsigned len = put_frame(s, frame);
    struct rte_mbuf *m = to_mbuf(frame, len, 0);
    int n;

    set_state(m, s);
    n = offload_segment(m, small_pool, out, 8);
    ck_assert_int_eq(n, 3);
    for (int i = 0; i < n; i++) {
        unsigned slen = flatten(out[i], flat);

        ck_assert_uint_gt(out[i]->nb_segs, 0);
        assert_segment(s, flat, slen, (unsigned) i * s->mss, (unsigned) i);
    }
    ck_assert_uint_eq(out[0]->nb_segs, 6); /* 1514 bytes in rooms of 300 */
    rte_pktmbuf_free_bulk(out, (unsigned) n);
    ck_assert_uint_eq(rte_mempool_in_use_count(small_pool), 0);
}
END_TEST

START_TEST(test_offload_segment_no_memory_leaves_frame_to_caller)
{
    const struct shape s = { .payload = 60000, .mss = 700, .tcp_flags = 0x10 };
    struct rte_mbuf *out[OFFLOAD_MAX_SEGMENTS];
    unsigned len = put_frame(&s, frame);
    struct rte_mbuf *m = to_mbuf(frame, len, 0);

    set_state(m, &s);
    ck_assert_int_eq(offload_segment(m, small_pool, out,
                                     OFFLOAD_MAX_SEGMENTS), -ENOMEM);
    ck_assert_uint_eq(rte_mempool_in_use_count(small_pool), 0);
    ck_assert_uint_eq(flatten(m, flat), len);
    ck_assert_mem_eq(flat, frame, len);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(test_offload_segment_bad_state_is_refused)
{
    const struct shape s = { .payload = 3000, .mss = 1448 };
    struct rte_mbuf *out[4];
    unsigned len = put_frame(&s, frame);
    struct rte_mbuf *m = to_mbuf(frame, len, 0);

    set_state(m, &s);
    ck_assert_int_eq(offload_segment(m, pool, out, 2), -E2BIG);
    ck_assert_int_eq(offload_segment(m, pool, out, 0), -E2BIG);
    m->tso_segsz = 0;
    ck_assert_int_eq(offload_segment(m, pool, out, 4), -EINVAL);
    set_state(m, &s);
    m->l4_len = 32; /* The header says 20. */
    ck_assert_int_eq(offload_segment(m, pool, out, 4), -EINVAL);
    set_state(m, &s);
    m->ol_flags |= RTE_MBUF_F_TX_TUNNEL_GRE;
    ck_assert_int_eq(offload_segment(m, pool, out, 4), -EINVAL);
    set_state(m, &s);
    m->l2_len = 13;
    ck_assert_int_eq(offload_segment(m, pool, out, 4), -EINVAL);
    ck_assert_uint_eq(rte_mempool_in_use_count(pool), m->nb_segs);
    rte_pktmbuf_free(m);
}
END_TEST

/* ------------------------------------------------- frames of scapy 2.5 */

#include "tests/datapath/offload_golden.h"

START_TEST(test_offload_checksum_agrees_with_scapy)
{
    const struct golden *g = &golden[_i];
    struct rte_mbuf *m = to_mbuf(g->complete, g->len, 0);
    uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
    unsigned l4 = g->l2 + g->l3, at = l4 + (g->proto == 17 ? 6 : 16);

    put_be16(p + at, plain_fold(plain_pseudo(p + g->l2, g->v6, g->proto,
                                             g->l4_len)));
    m->l2_len = g->l2;
    m->l3_len = g->l3;
    m->ol_flags = (g->proto == 17 ? RTE_MBUF_F_TX_UDP_CKSUM
                                  : RTE_MBUF_F_TX_TCP_CKSUM)
                  | (g->v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
    ck_assert_int_eq(offload_checksum(m), 0);
    ck_assert_mem_eq(p, g->complete, g->len);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(test_offload_segment_agrees_with_scapy)
{
    const struct golden_tso *g = &golden_tso[_i];
    struct rte_mbuf *m = to_mbuf(g->large, g->large_len, 0), *out[8];
    int n;

    m->l2_len = g->l2;
    m->l3_len = g->l3;
    m->l4_len = 20;
    m->tso_segsz = g->mss;
    m->ol_flags = RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM
                  | (g->v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
    n = offload_segment(m, pool, out, 8);
    ck_assert_int_eq(n, g->n_segs);
    for (int i = 0; i < n; i++) {
        ck_assert_uint_eq(out[i]->pkt_len, g->seg_len[i]);
        ck_assert_mem_eq(rte_pktmbuf_mtod(out[i], void *), g->seg[i],
                         g->seg_len[i]);
        rte_pktmbuf_free(out[i]);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("datapath");
    TCase *c = tcase_create("offload");
    SRunner *r;
    int failed;

    tcase_add_unchecked_fixture(c, setup_eal, teardown_eal);
    tcase_add_loop_test(c, test_offload_checksum_partial_sum_is_completed, 0,
                        WEFT_ARRAY_LEN(csum_shapes));
    tcase_add_test(c, test_offload_checksum_complete_frame_is_left_alone);
    tcase_add_test(c, test_offload_checksum_ethernet_padding_is_not_summed);
    tcase_add_test(c, test_offload_checksum_udp_zero_is_sent_as_ones);
    tcase_add_test(c,
                   test_offload_checksum_headers_that_contradict_are_refused);
    tcase_add_test(c, test_offload_checksum_inside_tunnel_uses_inner_headers);
    tcase_add_test(c,
                   test_offload_cut_front_moves_tunnel_state_to_inner_frame);
    tcase_add_loop_test(c,
                        test_offload_segment_large_frame_becomes_complete_frames,
                        0, WEFT_ARRAY_LEN(tso_shapes));
    tcase_add_test(c, test_offload_segment_small_data_rooms_give_chains);
    tcase_add_test(c, test_offload_segment_no_memory_leaves_frame_to_caller);
    tcase_add_test(c, test_offload_segment_bad_state_is_refused);
    tcase_add_loop_test(c, test_offload_checksum_agrees_with_scapy, 0,
                        WEFT_ARRAY_LEN(golden));
    tcase_add_loop_test(c, test_offload_segment_agrees_with_scapy, 0,
                        WEFT_ARRAY_LEN(golden_tso));
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
