/* SPDX-License-Identifier: Apache-2.0 */
/* Encapsulation: headers against golden bytes, choice of end point and key,
 * limits, next hops. */
#include "tests/datapath/test_tunnel.h"

#include <errno.h>

#include "datapath/extract.h"

/* Outer headers made by scapy 2.5: Ether(dst="02:00:00:00:02:02",
 * src="02:00:00:00:02:01")/IP(src="192.0.2.1", dst="192.0.2.2", flags="DF",
 * id=0, ttl=64)/UDP(sport=49152, dport=4789, chksum=0)/VXLAN(vni=5001,
 * flags=8)/inner, and IP(.., proto=47)/GRE(proto=0x6558, key_present=1,
 * key=6001<<8)/inner. */
static const uint8_t vxlan_outer[50] = {
    0x02, 0x00, 0x00, 0x00, 0x02, 0x02, 0x02, 0x00, 0x00, 0x00, 0x02, 0x01,
    0x08, 0x00, 0x45, 0x00, 0x00, 0x4e, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
    0xb6, 0x9b, 0xc0, 0x00, 0x02, 0x01, 0xc0, 0x00, 0x02, 0x02, 0xc0, 0x00,
    0x12, 0xb5, 0x00, 0x3a, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x13,
    0x89, 0x00,
};
static const uint8_t nvgre_outer[42] = {
    0x02, 0x00, 0x00, 0x00, 0x02, 0x02, 0x02, 0x00, 0x00, 0x00, 0x02, 0x01,
    0x08, 0x00, 0x45, 0x00, 0x00, 0x46, 0x00, 0x00, 0x40, 0x00, 0x40, 0x2f,
    0xb6, 0x85, 0xc0, 0x00, 0x02, 0x01, 0xc0, 0x00, 0x02, 0x02, 0x20, 0x00,
    0x65, 0x58, 0x00, 0x17, 0x71, 0x00,
};

static const char *const vxlan = "vxlan remote=192.0.2.2 key=5001";
static const char *const nvgre = "nvgre remote=192.0.2.2 key=6001";
static const char *const by_flow = "vxlan remote=flow key=flow";

/* One frame through 'p'; the verdict.  The frame is in *m. */
static int
send_one(const struct tunnel_port *p, struct rte_mbuf **m,
         struct tunnel_tx *tx)
{
    tunnel_tx_burst(&worker, p, m, 1, tx);
    return tx->verdict;
}

static int
send_arp(const struct tunnel_port *p, struct tunnel_tx *tx)
{
    struct rte_mbuf *m = frame(arp_frame, sizeof arp_frame);
    int verdict = send_one(p, &m, tx);

    if (verdict != TUNNEL_OK)
        ck_assert_mem_eq(bytes_of(m), arp_frame, sizeof arp_frame);
    rte_pktmbuf_free(m);
    return verdict;
}

START_TEST(test_tunnel_tx_vxlan_header_equals_the_golden_one)
{
    struct rte_mbuf *m = frame(arp_frame, sizeof arp_frame);
    struct tunnel_tx tx = { .hash = 1 }; /* First port of the range. */

    ck_assert_int_eq(send_one(port(vxlan, 1), &m, &tx), TUNNEL_OK);
    ck_assert_uint_eq(tx.uplink, 7);
    ck_assert_uint_eq(m->pkt_len, 92);
    ck_assert_uint_eq(m->data_len, 92);
    ck_assert_mem_eq(bytes_of(m), vxlan_outer, 50);
    ck_assert_mem_eq(bytes_of(m) + 50, arp_frame, sizeof arp_frame);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(test_tunnel_tx_nvgre_header_equals_the_golden_one)
{
    struct rte_mbuf *m = frame(arp_frame, sizeof arp_frame);
    struct tunnel_tx tx = { .hash = 1 };

    ck_assert_int_eq(send_one(port(nvgre, 1), &m, &tx), TUNNEL_OK);
    ck_assert_uint_eq(m->pkt_len, 84);
    ck_assert_mem_eq(bytes_of(m), nvgre_outer, 42);
    ck_assert_mem_eq(bytes_of(m) + 42, arp_frame, sizeof arp_frame);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(test_tunnel_tx_checksum_is_right_for_every_length_and_address)
{
    const struct tunnel_port *p = port(by_flow, 1);
    uint8_t inner[1400] = { 0 };
    uint32_t random = 1;

    for (unsigned i = 0; i < 500; i++) {
        random = random * 1664525 + 1013904223;
        be32 remote = be32_from(0x0a000001 + (random >> 8) % 0xffffff);
        const struct tnl_nexthop nh = { .uplink = 1, .mtu = 1500,
                                        .dst_mac = { 2 },
                                        .src = be32_from(random | 1) };
        struct tunnel_tx tx = { .tun = { .id = random >> 8, .dst = remote } };
        unsigned len = 14 + random % 1380;
        struct rte_mbuf *m = frame(inner, len);

        ck_assert_int_eq(tunnel_nexthop_set(tunnels, remote, &nh), 0);
        ck_assert_int_eq(send_one(p, &m, &tx), TUNNEL_OK);
        ck_assert_uint_eq(plain_sum(bytes_of(m) + 14, 20, 0), 0xffff);
        ck_assert_uint_eq(get_be16(bytes_of(m) + 16), len + 36);
        ck_assert_uint_eq(get_be16(bytes_of(m) + 38), len + 16);
        ck_assert_uint_eq(get_be24(bytes_of(m) + 46), random >> 8);
        ck_assert_uint_eq(bytes_of(m)[49], 0);
        ck_assert_mem_eq(bytes_of(m) + 30, &remote, 4);
        ck_assert_mem_eq(bytes_of(m) + 26, &nh.src, 4);
        rte_pktmbuf_free(m);
    }
}
END_TEST

START_TEST(test_tunnel_tx_source_port_stays_in_range_and_spreads)
{
    const struct tunnel_port *p = port("vxlan remote=192.0.2.2 key=5001"
                                       " src-port=60000-60003", 1);
    unsigned seen[4] = { 0 };

    for (uint32_t i = 0; i < 64; i++) {
        struct tunnel_tx tx = { .hash = i << 26 | 1 };
        struct rte_mbuf *m = frame(arp_frame, sizeof arp_frame);

        ck_assert_int_eq(send_one(p, &m, &tx), TUNNEL_OK);
        unsigned sport = get_be16(bytes_of(m) + 34);
        ck_assert_uint_ge(sport, 60000);
        ck_assert_uint_le(sport, 60003);
        seen[sport - 60000]++;
        rte_pktmbuf_free(m);
    }
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(seen[i], 16);
}
END_TEST

START_TEST(test_tunnel_tx_without_hash_entropy_follows_the_inner_flow)
{
    const struct tunnel_port *v = port(vxlan, 1), *g = port(nvgre, 2);
    uint8_t udp[60] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0,
                        46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
                        0x10, 0, 0x20, 0 };
    unsigned ports = 0, ids = 0;
    uint16_t last_port = 0;
    uint8_t last_id = 0;

    for (unsigned i = 0; i < 64; i++) {
        struct rte_mbuf *m[4];
        struct tunnel_tx tx[4] = { { .hash = 0 } };

        put_be16(udp + 34, (uint16_t) (4096 + i));
        for (unsigned j = 0; j < 4; j++) {
            udp[58] = (uint8_t) j; /* Payload: no part of the flow. */
            m[j] = frame(udp, sizeof udp);
        }
        tunnel_tx_burst(&worker, v, m, 2, tx);
        tunnel_tx_burst(&worker, g, m + 2, 2, tx + 2);
        ck_assert_mem_eq(bytes_of(m[0]) + 34, bytes_of(m[1]) + 34, 2);
        ck_assert_uint_eq(bytes_of(m[2])[41], bytes_of(m[3])[41]);
        ports += get_be16(bytes_of(m[0]) + 34) != last_port;
        ids += bytes_of(m[2])[41] != last_id;
        last_port = get_be16(bytes_of(m[0]) + 34);
        last_id = bytes_of(m[2])[41];
        ck_assert_uint_ge(last_port, 49152);
        rte_pktmbuf_free_bulk(m, 4);
    }
    ck_assert_uint_ge(ports, 60);
    ck_assert_uint_ge(ids, 60);
}
END_TEST

START_TEST(test_tunnel_hash_of_key_and_of_frame_agree)
{
    /* Ethernet, then 46 bytes of IPv4, IPv6, ARP; varied byte by byte. */
    static const uint16_t types[] = { 0x0800, 0x86dd, 0x0806, 0x88b5, 0x0100 };
    uint32_t random = 7;
    unsigned compared = 0;

    for (unsigned i = 0; i < 20000; i++) {
        uint8_t p[100];
        struct flow_key k;
        struct pkt_layout lay = { .line1 = false };
        uint16_t type = types[i % 5];

        for (unsigned j = 0; j < sizeof p; j++) {
            random = random * 1664525 + 1013904223;
            p[j] = (uint8_t) (random >> 24);
        }
        put_be16(p + 12, type);
        if (type == 0x0800) {
            static const uint8_t protos[] = { 6, 17, 1, 132, 47 };
            p[14] = (uint8_t) (0x45 + i % 2);
            put_be16(p + 16, 86);
            put_be16(p + 20, i % 3 ? 0x4000 : (uint16_t) (i & 0x3fff));
            p[23] = protos[i / 5 % 5];
            if (p[23] == 6)
                p[14 + 4 * (p[14] & 15) + 12] = 0x50;
        } else if (type == 0x86dd) {
            static const uint8_t protos[] = { 6, 17, 58, 59, 0 };
            p[14] = 0x60;
            put_be16(p + 18, 46);
            p[20] = protos[i / 5 % 5];
            p[55] = 0; /* Shortest hop-by-hop header. */
            if (p[20] == 6)
                p[66] = 0x50;
        }
        memset(&k, 0, sizeof k);
        if (extract_key(p, sizeof p, &k, &lay) != EXTRACT_OK)
            continue;
        compared++;
        ck_assert_msg(tunnel_hash_key(&k)
                          == tunnel_hash_frame(p, sizeof p),
                      "type %04x proto %u", type, k.ip_proto);
        ck_assert_uint_ne(tunnel_hash_frame(p, sizeof p), 0);
    }
    ck_assert_uint_gt(compared, 12000);
}
END_TEST

/* A random frame of 'len' bytes whose key is in *k; false: no frame. */
static bool
random_frame(uint8_t *p, size_t len, uint64_t *rng, struct flow_key *k)
{
    static const uint16_t types[] = { 0x0800, 0x86dd, 0x0806, 0x8100, 0x88a8,
                                      0x9100, 0x1234 };
    struct pkt_layout lay = { 0 };

    for (size_t i = 0; i < len; i++) {
        *rng = *rng * UINT64_C(6364136223846793005) + 1442695040888963407u;
        p[i] = (uint8_t) (*rng >> 56);
    }
    put_be16(p + 12, types[(*rng >> 40) % WEFT_ARRAY_LEN(types)]);
    p[14] = p[12] == 8 ? 0x45 : (uint8_t) (0x60 | (p[14] & 15));
    put_be16(p + (p[12] == 8 ? 16 : 18), (uint16_t) (len - 54));
    p[20] = p[12] == 8 ? 0 : 17;
    p[21] = 0;
    memset(k, 0, sizeof *k);
    return extract_key(p, len, k, &lay) == EXTRACT_OK;
}

START_TEST(test_tunnel_tx_plain_writes_what_the_general_way_writes)
{
    static const char *const texts[] = {
        "vxlan remote=192.0.2.2 key=5001", "nvgre remote=192.0.2.2 key=6001",
        "vxlan remote=192.0.2.2 local=192.0.2.1 key=7 inner-vlan=keep",
        "vxlan remote=192.0.2.2 key=9 tos=8",
        "vxlan remote=192.0.2.2 key=flow", "nvgre remote=192.0.2.2 key=flow",
    };
    const struct tunnel_port *p = port(texts[_i], 1);
    uint64_t rng = UINT64_C(0x243f6a8885a308d3);
    unsigned taken = 0, left = 0;

    for (int i = 0; i < 4000; i++) {
        uint8_t bytes[200];
        struct flow_key k;
        const struct flow_key *keys[] = { &k };
        struct tunnel_tx tx;
        struct rte_mbuf *a, *b;
        uint32_t uplink = 0;

        if (!random_frame(bytes, 60 + i % 140u, &rng, &k))
            continue;
        k.tun_id = be64_from(rng >> 39); /* Half of them too large. */
        a = frame(bytes, 60 + i % 140u);
        b = frame(bytes, 60 + i % 140u);
        tx = (struct tunnel_tx) { .hash = tunnel_hash_key(&k),
                                  .tun.id = be64_to(k.tun_id) };
        tunnel_tx_burst(&worker, p, &a, 1, &tx);
        if (tunnel_tx_plain(&worker, p, &b, keys, 1, &uplink)) {
            ck_assert_int_eq(tx.verdict, TUNNEL_OK);
            ck_assert_uint_eq(uplink, tx.uplink);
            ck_assert_uint_eq(a->pkt_len, b->pkt_len);
            ck_assert_uint_eq(a->data_len, b->data_len);
            ck_assert_mem_eq(bytes_of(a), bytes_of(b), a->pkt_len);
            taken++;
        } else {
            ck_assert_uint_eq(b->pkt_len, 60 + i % 140u);
            ck_assert_mem_eq(bytes_of(b), bytes, b->pkt_len);
            left++;
        }
        rte_pktmbuf_free(a);
        rte_pktmbuf_free(b);
    }
    ck_assert_uint_gt(taken, 500);
    ck_assert_uint_gt(left, 50);
}
END_TEST

START_TEST(test_tunnel_tx_plain_leaves_what_is_special)
{
    const struct tunnel_port *p = port(vxlan, 1);
    const struct flow_key k = { 0 };
    const struct flow_key *keys[8];
    struct rte_mbuf *m[8];
    uint8_t big[1600] = { 0 };
    uint32_t uplink;

    for (int i = 0; i < 8; i++) {
        keys[i] = &k;
        m[i] = frame(arp_frame, sizeof arp_frame);
    }
    rte_mbuf_refcnt_update(m[1], 1);
    m[2]->data_off = 63;
    m[3]->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
    put_be16(rte_pktmbuf_mtod_offset(m[4], uint8_t *, 12), 0x8100);
    rte_pktmbuf_free(m[5]);
    m[5] = frame(big, 1465); /* 1464 fit. */
    ck_assert_ptr_nonnull(rte_pktmbuf_trim(m[6], 28) ? NULL : m[6]);
    ck_assert_uint_eq(tunnel_tx_plain(&worker, p, m, keys, 8, &uplink), 1);
    for (int i = 1; i < 7; i++)
        ck_assert_uint_eq(
            tunnel_tx_plain(&worker, p, m + i, keys, 8 - i, &uplink), 0);
    ck_assert_uint_eq(tunnel_tx_plain(&worker, p, m + 7, keys, 1, &uplink),
                      1);
    rte_mbuf_refcnt_update(m[1], -1);
    m[3]->ol_flags = 0;
    rte_pktmbuf_free_bulk(m, 8);
}
END_TEST

START_TEST(test_tunnel_hash_fragments_of_a_datagram_agree)
{
    uint8_t first[60] = { 0 }, later[60] = { 0 };

    put_be16(first + 12, 0x0800);
    first[14] = 0x45;
    first[23] = 17;
    memcpy(later, first, sizeof first);
    put_be16(first + 20, 0x2000); /* More fragments, offset 0. */
    put_be16(later + 20, 0x00b9);
    put_be32(first + 34, 0x10002000); /* Ports here, payload there. */
    put_be32(later + 34, 0xdeadbeef);
    ck_assert_uint_eq(tunnel_hash_frame(first, sizeof first),
                      tunnel_hash_frame(later, sizeof later));
}
END_TEST

START_TEST(test_tunnel_tx_key_by_flow_must_be_in_the_types_range)
{
    const struct tunnel_port *v = port("vxlan remote=192.0.2.2 key=flow", 1);
    const struct tunnel_port *g = port("nvgre remote=192.0.2.2 key=flow", 2);
    static const struct {
        uint64_t id;
        bool vxlan, nvgre;
    } t[] = {
        { 0, true, false },        { 0xfff, true, false },
        { 0x1000, true, true },    { 0xfffffe, true, true },
        { 0xffffff, true, false }, { 0x1000000, false, false },
        { UINT64_C(0x100001000), false, false },
    };

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(t); i++) {
        struct tunnel_tx tx = { .tun.id = t[i].id };

        ck_assert_int_eq(send_arp(v, &tx),
                         t[i].vxlan ? TUNNEL_OK : DROP_TNL_BAD_KEY);
        ck_assert_int_eq(send_arp(g, &tx),
                         t[i].nvgre ? TUNNEL_OK : DROP_TNL_BAD_KEY);
    }
}
END_TEST

START_TEST(test_tunnel_tx_fixed_key_wins_over_the_flows)
{
    struct rte_mbuf *m = frame(arp_frame, sizeof arp_frame);
    struct tunnel_tx tx = { .tun.id = 99 };

    ck_assert_int_eq(send_one(port(vxlan, 1), &m, &tx), TUNNEL_OK);
    ck_assert_uint_eq(get_be24(bytes_of(m) + 46), 5001);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(test_tunnel_tx_mtu_is_met_exactly_and_not_exceeded)
{
    const struct tunnel_port *v = port(vxlan, 1), *g = port(nvgre, 2);
    /* Inner MTU 1450 and 1458 on 1500, RFC 7348 §4.3, RFC 7637 §4.3. */
    const struct {
        const struct tunnel_port *p;
        unsigned mtu;
    } t[] = { { v, 1450 }, { g, 1458 } };
    uint8_t big[1600] = { 0 };

    for (unsigned i = 0; i < 2; i++)
        for (unsigned over = 0; over < 2; over++) {
            struct tunnel_tx tx = { .hash = 1 };
            struct rte_mbuf *m = frame(big, 14 + t[i].mtu + over);

            ck_assert_int_eq(send_one(t[i].p, &m, &tx),
                             over ? DROP_TNL_TX_TOO_BIG : TUNNEL_OK);
            ck_assert_uint_eq(get_be16(bytes_of(m) + 20),
                              over ? 0 : 0x4000); /* DF, never fragments. */
            rte_pktmbuf_free(m);
        }
}
END_TEST

START_TEST(test_tunnel_tx_tagged_frames_are_dropped_unless_kept)
{
    static const uint16_t tpids[] = { 0x8100, 0x88a8, 0x9100 };
    const struct tunnel_port *drop[] = { port(vxlan, 1), port(nvgre, 2) };
    const struct tunnel_port *keep = port("vxlan remote=192.0.2.2 key=5002"
                                          " inner-vlan=keep", 3);

    for (unsigned i = 0; i < 3; i++) {
        uint8_t tagged[60] = { 0 };
        struct tunnel_tx tx = { .hash = 1 };

        put_be16(tagged + 12, tpids[i]); /* VID 0 counts as a tag too. */
        struct rte_mbuf *m = frame(tagged, sizeof tagged);
        for (unsigned j = 0; j < 2; j++)
            ck_assert_int_eq(send_one(drop[j], &m, &tx), DROP_TNL_TX_VLAN);
        ck_assert_mem_eq(bytes_of(m), tagged, sizeof tagged);
        ck_assert_int_eq(send_one(keep, &m, &tx), TUNNEL_OK);
        ck_assert_mem_eq(bytes_of(m) + 50, tagged, sizeof tagged);
        rte_pktmbuf_free(m);
    }
}
END_TEST

START_TEST(test_tunnel_tx_short_headroom_is_answered_by_a_copy)
{
    struct rte_mbuf *m = frame(arp_frame, sizeof arp_frame), *was = m;
    struct tunnel_tx tx = { .hash = 1 };

    memmove((uint8_t *) m->buf_addr + 63, bytes_of(m), sizeof arp_frame);
    m->data_off = 63;
    ck_assert_int_eq(send_one(port(vxlan, 1), &m, &tx), TUNNEL_OK);
    ck_assert_ptr_ne(m, was);
    ck_assert_mem_eq(bytes_of(m), vxlan_outer, 50);
    ck_assert_mem_eq(bytes_of(m) + 50, arp_frame, sizeof arp_frame);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(test_tunnel_tx_shared_frame_leaves_the_other_reference_alone)
{
    struct rte_mbuf *m = frame(arp_frame, sizeof arp_frame);
    struct rte_mbuf *clone = rte_pktmbuf_clone(m, pool), *sent = m;
    const struct tunnel_port *p = port(vxlan, 1);
    struct tunnel_tx tx = { .hash = 1 };
    uint8_t before[128];

    ck_assert_ptr_nonnull(clone);
    memset(m->buf_addr, 0x77, 128);
    memset(before, 0x77, sizeof before);
    ck_assert_int_eq(send_one(p, &clone, &tx), TUNNEL_OK);
    ck_assert_mem_eq(m->buf_addr, before, 128);
    ck_assert_mem_eq(bytes_of(m), arp_frame, sizeof arp_frame);
    rte_mbuf_refcnt_update(m, 1); /* Output twice without a copy. */
    ck_assert_int_eq(send_one(p, &sent, &tx), TUNNEL_OK);
    ck_assert_ptr_ne(sent, m);
    ck_assert_mem_eq(m->buf_addr, before, 128);
    rte_pktmbuf_free(sent);
    rte_pktmbuf_free(clone);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(test_tunnel_tx_segmented_frame_keeps_its_tail)
{
    uint8_t big[1000];
    struct tunnel_tx tx = { .hash = 1 };

    for (unsigned i = 0; i < sizeof big; i++)
        big[i] = (uint8_t) i;
    struct rte_mbuf *m = frame_in_two(big, sizeof big, 700);
    ck_assert_int_eq(send_one(port(vxlan, 1), &m, &tx), TUNNEL_OK);
    ck_assert_uint_eq(m->pkt_len, 1050);
    ck_assert_uint_eq(m->data_len, 350);
    ck_assert_uint_eq(get_be16(bytes_of(m) + 16), 1036);
    ck_assert_mem_eq(bytes_of(m->next), big + 300, 700);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(test_tunnel_tx_tos_follows_option_and_inner_ecn)
{
    const struct tunnel_port *fixed = port("vxlan remote=192.0.2.2 key=1"
                                           " tos=184", 1);
    const struct tunnel_port *inherit = port("vxlan remote=192.0.2.2 key=2"
                                             " tos=inherit", 2);
    uint8_t v4[60] = { 0 }, v6[60] = { 0 };

    put_be16(v4 + 12, 0x0800);
    v4[14] = 0x45;
    v4[15] = 0x2a; /* DSCP 10, ECT(0). */
    put_be16(v6 + 12, 0x86dd);
    put_be16(v6 + 14, 0x62a0); /* The same as traffic class. */
    for (unsigned i = 0; i < 3; i++) {
        const uint8_t *inner = i == 0 ? v4 : i == 1 ? v6 : arp_frame;
        struct rte_mbuf *m[2] = { frame(inner, 42), frame(inner, 42) };
        struct tunnel_tx tx = { .hash = 1 };

        ck_assert_int_eq(send_one(fixed, &m[0], &tx), TUNNEL_OK);
        ck_assert_int_eq(send_one(inherit, &m[1], &tx), TUNNEL_OK);
        /* RFC 6040 §4.1: ECN is copied in any case. */
        ck_assert_uint_eq(bytes_of(m[0])[15], i < 2 ? 184 | 2 : 184);
        ck_assert_uint_eq(bytes_of(m[1])[15], i < 2 ? 0x2a : 0);
        for (unsigned j = 0; j < 2; j++)
            ck_assert_uint_eq(plain_sum(bytes_of(m[j]) + 14, 20, 0), 0xffff);
        rte_pktmbuf_free_bulk(m, 2);
    }
}
END_TEST

START_TEST(test_tunnel_tx_without_df_each_packet_has_its_own_id)
{
    const struct tunnel_port *p = port("vxlan remote=192.0.2.2 key=1 df=false",
                                       1);
    uint16_t last = 0;

    for (unsigned i = 0; i < 3; i++) {
        struct rte_mbuf *m = frame(arp_frame, sizeof arp_frame);
        struct tunnel_tx tx = { .hash = 1 };

        ck_assert_int_eq(send_one(p, &m, &tx), TUNNEL_OK);
        ck_assert_uint_eq(get_be16(bytes_of(m) + 20), 0);
        ck_assert_uint_ne(get_be16(bytes_of(m) + 18), last);
        ck_assert_uint_eq(plain_sum(bytes_of(m) + 14, 20, 0), 0xffff);
        last = get_be16(bytes_of(m) + 18);
        rte_pktmbuf_free(m);
    }
}
END_TEST

START_TEST(test_tunnel_tx_source_is_local_option_then_ours_by_flow_then_route)
{
    const be32 locals[] = { ip("192.0.2.1"), ip("192.0.2.9") };
    static const struct {
        const char *text, *tun_src, *expect;
    } t[] = {
        { "vxlan remote=192.0.2.2 key=1", "192.0.2.2", "192.0.2.1" },
        { "vxlan remote=192.0.2.2 key=2", "192.0.2.9", "192.0.2.9" },
        { "vxlan remote=192.0.2.2 key=3 local=192.0.2.8", "192.0.2.9",
          "192.0.2.8" },
    };

    ck_assert_int_eq(tunnels_set_addrs(tunnels, 7, locals, 2), 0);
    for (unsigned i = 0; i < WEFT_ARRAY_LEN(t); i++) {
        struct rte_mbuf *m = frame(arp_frame, sizeof arp_frame);
        struct tunnel_tx tx = { .tun.src = ip(t[i].tun_src) };
        be32 expect = ip(t[i].expect);

        ck_assert_int_eq(send_one(port(t[i].text, 1), &m, &tx), TUNNEL_OK);
        ck_assert_mem_eq(bytes_of(m) + 26, &expect, 4);
        ck_assert_uint_eq(plain_sum(bytes_of(m) + 14, 20, 0), 0xffff);
        rte_pktmbuf_free(m);
    }
}
END_TEST

/* ------------------------------------------------------------- next hops */

START_TEST(test_tunnel_tx_flow_without_tun_dst_is_dropped)
{
    struct tunnel_tx tx = { .tun.id = 5001 };

    ck_assert_int_eq(send_arp(port(by_flow, 1), &tx), DROP_TNL_NO_REMOTE);
    ck_assert_uint_eq(worker.n_wants, 0);
}
END_TEST

START_TEST(test_tunnel_tx_unresolved_remote_is_asked_for_once_per_interval)
{
    const struct tunnel_port *fixed = port("vxlan remote=192.0.2.3 key=1"
                                           " local=192.0.2.1", 1);
    const struct tunnel_port *flow = port(by_flow, 2);
    struct tunnel_tx tx = { .tun.dst = ip("192.0.2.4") };

    for (unsigned i = 0; i < 5; i++) {
        ck_assert_int_eq(send_arp(fixed, &tx), DROP_TNL_NO_NEIGH);
        ck_assert_int_eq(send_arp(flow, &tx), DROP_TNL_NO_NEIGH);
    }
    ck_assert_uint_eq(worker.n_wants, 2);
    ck_assert_uint_eq(worker.wants[0].remote, ip("192.0.2.3"));
    ck_assert_uint_eq(worker.wants[0].local, ip("192.0.2.1"));
    ck_assert_uint_eq(worker.wants[1].remote, ip("192.0.2.4"));
    ck_assert_uint_eq(worker.wants[1].local, 0);
    worker.n_wants = 0;
    worker.now_ns += 100000000;
    ck_assert_int_eq(send_arp(flow, &tx), DROP_TNL_NO_NEIGH);
    ck_assert_uint_eq(worker.n_wants, 1);
}
END_TEST

START_TEST(test_tunnel_tx_invented_remotes_ask_within_the_bound)
{
    const struct tunnel_port *p = port(by_flow, 1);

    for (uint32_t i = 0; i < 5000; i++) {
        struct tunnel_tx tx = { .tun.dst = be32_from(0x0a000001 + i) };

        ck_assert_int_eq(send_arp(p, &tx), DROP_TNL_NO_NEIGH);
    }
    ck_assert_uint_eq(worker.n_wants, TUNNEL_WANTS);
}
END_TEST

START_TEST(test_tunnel_tx_remote_in_use_is_refreshed_every_ten_seconds)
{
    const struct tunnel_port *p = port(vxlan, 1);
    struct tunnel_tx tx = { .hash = 1 };

    worker.now_ns = UINT64_C(20000000000);
    for (unsigned i = 0; i < 5; i++)
        ck_assert_int_eq(send_arp(p, &tx), TUNNEL_OK);
    ck_assert_uint_eq(worker.n_wants, 1);
    worker.now_ns += UINT64_C(9999999999);
    ck_assert_int_eq(send_arp(p, &tx), TUNNEL_OK);
    ck_assert_uint_eq(worker.n_wants, 1);
    worker.now_ns++;
    ck_assert_int_eq(send_arp(p, &tx), TUNNEL_OK);
    ck_assert_uint_eq(worker.n_wants, 2);
    ck_assert_uint_eq(worker.wants[1].remote, ip("192.0.2.2"));
}
END_TEST

START_TEST(test_tunnel_tx_next_hop_changes_reach_fixed_and_flow_ports)
{
    const struct tunnel_port *fixed = port("vxlan remote=192.0.2.3 key=1", 1);
    const struct tunnel_port *flow = port(by_flow, 2);
    const be32 remote = ip("192.0.2.3");
    struct tunnel_tx tx = { .tun.dst = remote };
    struct tnl_nexthop nh = { .uplink = 3, .mtu = 1500, .dst_mac = { 2 } };

    ck_assert_int_eq(tunnel_nexthop_set(tunnels, remote, &nh), 0);
    ck_assert_int_eq(send_arp(fixed, &tx), TUNNEL_OK);
    ck_assert_int_eq(send_arp(flow, &tx), TUNNEL_OK);
    ck_assert_uint_eq(tx.uplink, 3);
    nh.uplink = 4;
    ck_assert_int_eq(tunnel_nexthop_set(tunnels, remote, &nh), 0);
    ck_assert_int_eq(send_arp(fixed, &tx), TUNNEL_OK);
    ck_assert_uint_eq(tx.uplink, 4);
    tunnel_nexthop_del(tunnels, remote);
    worker.n_wants = 0;
    worker.now_ns += 1000000000;
    ck_assert_int_eq(send_arp(fixed, &tx), DROP_TNL_NO_ROUTE);
    ck_assert_int_eq(send_arp(flow, &tx), DROP_TNL_NO_ROUTE);
    ck_assert_uint_eq(worker.n_wants, 1); /* Asked again. */
    ck_assert_int_eq(tunnel_nexthop_set(tunnels, 0, &nh), -EINVAL);
}
END_TEST

START_TEST(test_tunnel_tx_next_hop_that_does_not_answer_is_no_neighbour)
{
    const struct tunnel_port *p = port(vxlan, 1);
    const struct tnl_nexthop silent = { .uplink = 7, .mtu = 1500 };
    struct tunnel_tx tx = { .hash = 1 };

    ck_assert_int_eq(tunnel_nexthop_set(tunnels, ip("192.0.2.2"), &silent), 0);
    ck_assert_int_eq(send_arp(p, &tx), DROP_TNL_NO_NEIGH);
    ck_assert_uint_eq(worker.n_wants, 1);
}
END_TEST

START_TEST(test_tunnel_port_with_a_fixed_remote_wants_it_once_when_new)
{
    struct tunnel_want want;

    port(vxlan, 1); /* Known already. */
    port(by_flow, 2);
    ck_assert(!tunnels_want(tunnels, &want));
    port("vxlan remote=192.0.2.3 key=1 local=192.0.2.1", 3);
    struct tunnel_port *gone = port("vxlan remote=192.0.2.4 key=1", 4);
    port("vxlan remote=192.0.2.5 key=1", 5);
    ck_assert(tunnels_want(tunnels, &want));
    ck_assert_uint_eq(want.remote, ip("192.0.2.3"));
    ck_assert_uint_eq(want.local, ip("192.0.2.1"));
    tunnel_port_del(tunnels, gone);
    ck_assert(tunnels_want(tunnels, &want));
    ck_assert_uint_eq(want.remote, ip("192.0.2.5"));
    ck_assert(!tunnels_want(tunnels, &want));
}
END_TEST

START_TEST(test_tunnel_tx_thousands_of_next_hops_come_and_go)
{
    const struct tunnel_port *flow = port(by_flow, 1);
    const uint32_t n = 5000;

    for (unsigned round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < n; i++) {
            struct tnl_nexthop nh = { .uplink = i + round, .mtu = 1500,
                                      .dst_mac = { 2 } };
            ck_assert_int_eq(tunnel_nexthop_set(
                                 tunnels, be32_from(0x0a000001 + i), &nh), 0);
        }
        for (uint32_t i = 0; i < n; i += 7) {
            struct tunnel_tx tx = { .tun.dst = be32_from(0x0a000001 + i) };
            ck_assert_int_eq(send_arp(flow, &tx), TUNNEL_OK);
            ck_assert_uint_eq(tx.uplink, i + round);
        }
        for (uint32_t i = 0; i < n; i++)
            tunnel_nexthop_del(tunnels, be32_from(0x0a000001 + i));
        /* Others make the memories of the lost routes go. */
        for (uint32_t i = 0; i < 9000; i++)
            tunnel_nexthop_del(tunnels, be32_from(0x0b000001 + i));
    }
    struct tunnel_tx tx = { .tun.dst = ip("192.0.2.2") };
    ck_assert_int_eq(send_arp(flow, &tx), TUNNEL_OK);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("datapath");
    TCase *tc = tcase_create("tunnel_tx");

    tcase_add_unchecked_fixture(tc, setup_eal, teardown_eal);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_tunnel_tx_vxlan_header_equals_the_golden_one);
    tcase_add_test(tc, test_tunnel_tx_nvgre_header_equals_the_golden_one);
    tcase_add_test(
        tc, test_tunnel_tx_checksum_is_right_for_every_length_and_address);
    tcase_add_test(tc, test_tunnel_tx_source_port_stays_in_range_and_spreads);
    tcase_add_test(
        tc, test_tunnel_tx_without_hash_entropy_follows_the_inner_flow);
    tcase_add_test(tc, test_tunnel_hash_of_key_and_of_frame_agree);
    tcase_add_test(tc, test_tunnel_hash_fragments_of_a_datagram_agree);
    tcase_add_loop_test(
        tc, test_tunnel_tx_plain_writes_what_the_general_way_writes, 0, 6);
    tcase_add_test(tc, test_tunnel_tx_plain_leaves_what_is_special);
    tcase_add_test(tc,
                   test_tunnel_tx_key_by_flow_must_be_in_the_types_range);
    tcase_add_test(tc, test_tunnel_tx_fixed_key_wins_over_the_flows);
    tcase_add_test(tc, test_tunnel_tx_mtu_is_met_exactly_and_not_exceeded);
    tcase_add_test(tc, test_tunnel_tx_tagged_frames_are_dropped_unless_kept);
    tcase_add_test(tc, test_tunnel_tx_short_headroom_is_answered_by_a_copy);
    tcase_add_test(
        tc, test_tunnel_tx_shared_frame_leaves_the_other_reference_alone);
    tcase_add_test(tc, test_tunnel_tx_segmented_frame_keeps_its_tail);
    tcase_add_test(tc, test_tunnel_tx_tos_follows_option_and_inner_ecn);
    tcase_add_test(tc, test_tunnel_tx_without_df_each_packet_has_its_own_id);
    tcase_add_test(
        tc, test_tunnel_tx_source_is_local_option_then_ours_by_flow_then_route);
    tcase_add_test(tc, test_tunnel_tx_flow_without_tun_dst_is_dropped);
    tcase_add_test(
        tc, test_tunnel_tx_unresolved_remote_is_asked_for_once_per_interval);
    tcase_add_test(tc, test_tunnel_tx_invented_remotes_ask_within_the_bound);
    tcase_add_test(
        tc, test_tunnel_tx_remote_in_use_is_refreshed_every_ten_seconds);
    tcase_add_test(
        tc, test_tunnel_tx_next_hop_changes_reach_fixed_and_flow_ports);
    tcase_add_test(
        tc, test_tunnel_tx_next_hop_that_does_not_answer_is_no_neighbour);
    tcase_add_test(
        tc, test_tunnel_port_with_a_fixed_remote_wants_it_once_when_new);
    tcase_add_test(tc, test_tunnel_tx_thousands_of_next_hops_come_and_go);
    suite_add_tcase(s, tc);

    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
