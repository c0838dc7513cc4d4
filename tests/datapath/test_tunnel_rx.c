/* SPDX-License-Identifier: Apache-2.0 */
/* Decapsulation: whose packet it is, what is refused, offload state. */
#include "tests/datapath/test_tunnel.h"

#include <errno.h>
#include <rte_udp.h>

/* TCP in VXLAN 5001 with all checksums right, made by scapy 2.5: Ether(
 * dst="02:00:00:00:02:02", src="02:00:00:00:02:01")/IP(src="192.0.2.2",
 * dst="192.0.2.1", id=1, ttl=64)/UDP(sport=50000, dport=4789)/VXLAN(vni=5001,
 * flags=8)/Ether(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")/IP(
 * src="10.0.0.1", dst="10.0.0.2", id=7)/TCP(sport=1000, dport=2000, seq=1)/
 * b"weft". */
static const uint8_t tcp_in_vxlan[108] = {
    0x02, 0x00, 0x00, 0x00, 0x02, 0x02, 0x02, 0x00, 0x00, 0x00, 0x02, 0x01,
    0x08, 0x00, 0x45, 0x00, 0x00, 0x5e, 0x00, 0x01, 0x00, 0x00, 0x40, 0x11,
    0xf6, 0x8a, 0xc0, 0x00, 0x02, 0x02, 0xc0, 0x00, 0x02, 0x01, 0xc3, 0x50,
    0x12, 0xb5, 0x00, 0x4a, 0x1c, 0x5b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x13,
    0x89, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00,
    0x00, 0x01, 0x08, 0x00, 0x45, 0x00, 0x00, 0x2c, 0x00, 0x07, 0x00, 0x00,
    0x40, 0x06, 0x66, 0xc3, 0x0a, 0x00, 0x00, 0x01, 0x0a, 0x00, 0x00, 0x02,
    0x03, 0xe8, 0x07, 0xd0, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,
    0x50, 0x02, 0x20, 0x00, 0x92, 0x49, 0x00, 0x00, 0x77, 0x65, 0x66, 0x74,
};
enum {
    IP = 14,
    UDP = 34,
    VXLAN = 42,
    INNER = 50,
    INNER_IP = 64,
    INNER_TCP = 84,
    LEN = sizeof tcp_in_vxlan,
};

/* A copy of the above to be spoilt. */
struct packet {
    uint8_t b[LEN + 64];
    size_t len;
};

static struct packet
tcp(void)
{
    struct packet p = { .len = LEN };

    memcpy(p.b, tcp_in_vxlan, LEN);
    return p;
}

/* Type's golden packet behind an outer header from 'src' to 192.0.2.1. */
static struct packet
golden(const struct tnl_ops *t, const char *src)
{
    struct packet p = { .len = 34 + t->golden_len };
    const be32 from = ip(src), to = ip("192.0.2.1");

    put_be16(p.b + 12, 0x0800);
    p.b[IP] = 0x45;
    put_be16(p.b + IP + 2, (uint16_t) (20 + t->golden_len));
    p.b[IP + 8] = 64;
    p.b[IP + 9] = t->ip_proto;
    memcpy(p.b + IP + 12, &from, 4);
    memcpy(p.b + IP + 16, &to, 4);
    ip_csum_fill(p.b + IP);
    memcpy(p.b + 34, t->golden, t->golden_len);
    return p;
}

static int
receive(struct rte_mbuf *m, struct tunnel_rx *rx)
{
    tunnel_rx_burst(&worker, &m, 1, rx);
    return rx->verdict;
}

static int
verdict_of(const struct packet *p, uint64_t ol_flags)
{
    struct rte_mbuf *m = frame(p->b, p->len);
    struct tunnel_rx rx;

    m->ol_flags = ol_flags;
    receive(m, &rx);
    if (rx.verdict == TUNNEL_OTHER)
        ck_assert_mem_eq(bytes_of(m), p->b, p->len);
    rte_pktmbuf_free(m);
    return rx.verdict;
}

static uint32_t
port_of(const struct packet *p)
{
    struct rte_mbuf *m = frame(p->b, p->len);
    struct tunnel_rx rx;
    uint32_t no = receive(m, &rx) == TUNNEL_OK ? tunnel_port_no(rx.port) : 0;

    if (!no)
        ck_assert_int_eq(rx.verdict, DROP_TNL_UNKNOWN);
    rte_pktmbuf_free(m);
    return no;
}

START_TEST(test_tunnel_rx_golden_packet_of_each_type_comes_out_unwrapped)
{
    const struct tnl_ops *t = tnl_type_by_index((unsigned) _i);
    struct packet p = golden(t, "192.0.2.2");
    struct rte_mbuf *m = frame(p.b, p.len);
    struct tunnel_rx rx;
    char text[64];

    snprintf(text, sizeof text, "%s remote=192.0.2.2 key=%u", t->name,
             t->golden_key);
    struct tunnel_port *tp = port(text, 11);
    ck_assert_int_eq(receive(m, &rx), TUNNEL_OK);
    ck_assert_ptr_eq(rx.port, tp);
    ck_assert_uint_eq(tunnel_port_no(rx.port), 11);
    ck_assert_ptr_eq(tunnel_port_owner(rx.port), pool);
    ck_assert_uint_eq(rx.tun.id, t->golden_key);
    ck_assert_uint_eq(rx.tun.src, ip("192.0.2.2"));
    ck_assert_uint_eq(rx.tun.dst, ip("192.0.2.1"));
    ck_assert_uint_eq(m->pkt_len, sizeof arp_frame);
    ck_assert_mem_eq(bytes_of(m), arp_frame, sizeof arp_frame);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(test_tunnel_rx_every_truncation_of_each_type_is_refused)
{
    const struct tnl_ops *t = tnl_type_by_index((unsigned) _i);
    struct packet whole = golden(t, "192.0.2.2");
    char text[64];

    snprintf(text, sizeof text, "%s remote=flow key=flow", t->name);
    port(text, 1);
    for (size_t len = 0; len < whole.len; len++) {
        struct packet cut = whole, shorter = whole;
        unsigned need = 34u + t->l4_overhead + 14;

        cut.len = len; /* The frame ends before the IP packet does. */
        int v = verdict_of(&cut, 0);
        ck_assert_int_eq(v, len < 38 && (len < 34 || v != DROP_TNL_SHORT)
                                ? TUNNEL_OTHER : DROP_TNL_SHORT);
        if (len < 34)
            continue;
        shorter.len = len; /* The IP packet is whole and too short. */
        put_be16(shorter.b + IP + 2, (uint16_t) (len - 14));
        if (t->ip_proto == 17)
            put_be16(shorter.b + UDP + 4, (uint16_t) (len - 34));
        ip_csum_fill(shorter.b + IP);
        v = verdict_of(&shorter, 0);
        if (len >= need)
            ck_assert_int_eq(v, TUNNEL_OK);
        else
            ck_assert(v == DROP_TNL_SHORT || v == DROP_TNL_INNER_RUNT);
    }
}
END_TEST

START_TEST(test_tunnel_rx_what_is_no_overlay_packet_is_left_alone)
{
    struct packet p;

    port("vxlan remote=flow key=flow", 1);
    p = tcp();
    put_be16(p.b + 12, 0x0806); /* ARP. */
    ck_assert_int_eq(verdict_of(&p, 0), TUNNEL_OTHER);
    p = tcp();
    p.b[IP + 19] = 9; /* To an address that is not ours. */
    ck_assert_int_eq(verdict_of(&p, 0), TUNNEL_OTHER);
    p = tcp();
    p.b[IP + 9] = 1; /* ICMP. */
    ck_assert_int_eq(verdict_of(&p, 0), TUNNEL_OTHER);
    p.b[IP + 9] = 47; /* GRE, but no such tunnel is there. */
    ck_assert_int_eq(verdict_of(&p, 0), TUNNEL_OTHER);
    p = tcp();
    put_be16(p.b + UDP + 2, 8472); /* Another UDP port. */
    ck_assert_int_eq(verdict_of(&p, 0), TUNNEL_OTHER);
    p = tcp();
    p.b[IP] = 0x65; /* No IPv4. */
    ck_assert_int_eq(verdict_of(&p, 0), TUNNEL_OTHER);
    p.len = 10;
    ck_assert_int_eq(verdict_of(&p, 0), TUNNEL_OTHER);
}
END_TEST

START_TEST(test_tunnel_rx_gre_of_another_protocol_is_left_alone)
{
    struct packet p = golden(tnl_type_by_name("nvgre"), "192.0.2.2");

    port("nvgre remote=flow key=flow", 1);
    ck_assert_int_eq(verdict_of(&p, 0), TUNNEL_OK);
    put_be16(p.b + 36, 0x0800);
    ck_assert_int_eq(verdict_of(&p, 0), TUNNEL_OTHER);
    put_be16(p.b + 36, 0x6558);
    put_be16(p.b + 34, 0x3000); /* Sequence number bit. */
    ck_assert_int_eq(verdict_of(&p, 0), DROP_TNL_BAD_FLAGS);
}
END_TEST

START_TEST(test_tunnel_rx_fragments_are_dropped_with_their_own_reason)
{
    static const uint16_t words[] = { 0x2000, 0x2001, 0x0001, 0x1fff };
    struct packet p;

    port("vxlan remote=flow key=flow", 1);
    for (unsigned i = 0; i < 4; i++) {
        p = tcp();
        put_be16(p.b + IP + 6, words[i]);
        ip_csum_fill(p.b + IP);
        ck_assert_int_eq(verdict_of(&p, 0), DROP_TNL_FRAGMENT);
    }
    put_be16(p.b + IP + 6, 0x4000); /* DF is no fragment. */
    ip_csum_fill(p.b + IP);
    ck_assert_int_eq(verdict_of(&p, 0), TUNNEL_OK);
}
END_TEST

START_TEST(test_tunnel_rx_ip_header_must_be_right)
{
    struct packet p = tcp();

    port("vxlan remote=flow key=flow", 1);
    p.b[IP + 8]--;
    ck_assert_int_eq(verdict_of(&p, 0), DROP_TNL_BAD_IP);
    /* The device has verified it, or found it wrong. */
    ck_assert_int_eq(verdict_of(&p, RTE_MBUF_F_RX_IP_CKSUM_GOOD), TUNNEL_OK);
    p = tcp();
    ck_assert_int_eq(verdict_of(&p, RTE_MBUF_F_RX_IP_CKSUM_BAD),
                     DROP_TNL_BAD_IP);
    p.b[IP] = 0x44; /* Header of 16 bytes. */
    ck_assert_int_eq(verdict_of(&p, 0), DROP_TNL_BAD_IP);
    p = tcp();
    put_be16(p.b + IP + 2, 19);
    ck_assert_int_eq(verdict_of(&p, 0), DROP_TNL_BAD_IP);
}
END_TEST

START_TEST(test_tunnel_rx_ip_options_are_stepped_over)
{
    struct packet p = tcp();

    port("vxlan remote=flow key=flow", 1);
    memmove(p.b + UDP + 8, p.b + UDP, LEN - UDP);
    memset(p.b + UDP, 1, 8); /* No-operation options. */
    p.len += 8;
    p.b[IP] = 0x47;
    put_be16(p.b + IP + 2, (uint16_t) (p.len - 14));
    put_be16(p.b + IP + 10, 0);
    put_be16(p.b + IP + 10, (uint16_t) ~plain_sum(p.b + IP, 28, 0));
    ck_assert_int_eq(verdict_of(&p, 0), TUNNEL_OK);
    p.b[UDP]++;
    ck_assert_int_eq(verdict_of(&p, 0), DROP_TNL_BAD_IP);
}
END_TEST

START_TEST(test_tunnel_rx_padding_behind_the_packet_is_cut_off)
{
    struct packet p = tcp();
    struct tunnel_rx rx;

    port("vxlan remote=flow key=flow", 1);
    p.len += 18;
    struct rte_mbuf *m = frame(p.b, p.len);
    ck_assert_int_eq(receive(m, &rx), TUNNEL_OK);
    ck_assert_uint_eq(m->pkt_len, LEN - INNER);
    ck_assert_mem_eq(bytes_of(m), tcp_in_vxlan + INNER, LEN - INNER);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(test_tunnel_rx_segmented_packet_keeps_its_tail)
{
    struct tunnel_rx rx;
    struct rte_mbuf *m = frame_in_two(tcp_in_vxlan, LEN, 3);

    port("vxlan remote=flow key=flow", 1);
    ck_assert_int_eq(receive(m, &rx), TUNNEL_OK); /* Checksum over both. */
    ck_assert_uint_eq(m->pkt_len, LEN - INNER);
    ck_assert_mem_eq(bytes_of(m), tcp_in_vxlan + INNER, LEN - INNER - 3);
    ck_assert_mem_eq(bytes_of(m->next), tcp_in_vxlan + LEN - 3, 3);
    rte_pktmbuf_free(m);
}
END_TEST

/* ------------------------------------------------------------- checksums */

START_TEST(test_tunnel_rx_udp_checksum_zero_passes_and_wrong_is_dropped)
{
    struct packet p = tcp();

    port("vxlan remote=flow key=flow", 1);
    ck_assert_int_eq(verdict_of(&p, 0), TUNNEL_OK);
    for (size_t at = UDP; at < LEN; at++) {
        p = tcp();
        p.b[at] ^= 0x10;
        /* Ports, lengths, flags have other reasons. */
        int v = verdict_of(&p, 0);
        ck_assert_msg(v != TUNNEL_OK, "byte %zu", at);
        if (at >= INNER)
            ck_assert_int_eq(v, DROP_TNL_BAD_CSUM);
    }
    p = tcp();
    p.b[LEN - 1] ^= 1;
    put_be16(p.b + UDP + 6, 0); /* RFC 7348 §5: MUST be accepted. */
    ck_assert_int_eq(verdict_of(&p, 0), TUNNEL_OK);
}
END_TEST

START_TEST(test_tunnel_rx_udp_checksum_follows_what_the_device_says)
{
    struct packet p = tcp(), bad = tcp();

    bad.b[LEN - 1] ^= 1;
    port("vxlan remote=flow key=flow", 1);
    ck_assert_int_eq(verdict_of(&bad, RTE_MBUF_F_RX_L4_CKSUM_GOOD), TUNNEL_OK);
    ck_assert_int_eq(verdict_of(&bad, RTE_MBUF_F_RX_L4_CKSUM_NONE), TUNNEL_OK);
    ck_assert_int_eq(verdict_of(&bad, 0), DROP_TNL_BAD_CSUM);
    ck_assert_int_eq(verdict_of(&p, RTE_MBUF_F_RX_L4_CKSUM_BAD),
                     DROP_TNL_BAD_CSUM);
}
END_TEST

/* Folded pseudo-header sum of the IPv4 header 'h' for 'len' bytes. */
static uint16_t
pseudo(const uint8_t *h, uint16_t len)
{
    return plain_sum(h + 12, 8, (uint32_t) h[9] + len);
}

START_TEST(test_tunnel_rx_outer_checksum_left_to_a_device_is_accepted)
{
    struct packet p = tcp();
    struct tunnel_rx rx;

    port("vxlan remote=flow key=flow", 1);
    put_be16(p.b + UDP + 6, pseudo(p.b + IP, LEN - UDP));
    struct rte_mbuf *m = frame(p.b, p.len);
    ck_assert_int_eq(receive(m, &rx), TUNNEL_OK);
    ck_assert_uint_eq(m->ol_flags, 0); /* The inner frame is complete. */
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(test_tunnel_rx_inner_checksum_left_to_a_device_is_marked)
{
    /* By the outer checksum (UNKNOWN), and where that may not be verified
     * because the sender is a device of this kernel (NONE). */
    static const uint64_t rx_flags[] = { 0, RTE_MBUF_F_RX_L4_CKSUM_NONE };
    struct packet p = tcp();
    struct tunnel_rx rx;

    port("vxlan remote=flow key=flow", 1);
    /* What Linux sends over a veth: the outer checksum is the one of the
     * completed packet, which tcp() is; the inner field is unfinished. */
    put_be16(p.b + INNER_TCP + 16, pseudo(p.b + INNER_IP, LEN - INNER_TCP));
    for (unsigned i = 0; i < 2; i++) {
        struct rte_mbuf *m = frame(p.b, p.len);

        m->ol_flags = rx_flags[i];
        ck_assert_int_eq(receive(m, &rx), TUNNEL_OK);
        ck_assert_uint_eq(m->ol_flags,
                          RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM);
        ck_assert_uint_eq(m->l2_len, 14);
        ck_assert_uint_eq(m->l3_len, 20);
        rte_pktmbuf_free(m);
    }
    p.b[LEN - 1] ^= 1; /* Still proven: the payload is the inner's affair... */
    ck_assert_int_eq(verdict_of(&p, 0), TUNNEL_OK);
    p.b[VXLAN + 1] ^= 1; /* ... what lies before is covered. */
    ck_assert_int_eq(verdict_of(&p, 0), DROP_TNL_BAD_CSUM);
}
END_TEST

START_TEST(test_tunnel_rx_offload_state_in_the_tunnel_becomes_the_frames)
{
    struct tunnel_rx rx;
    struct rte_mbuf *m = frame(tcp_in_vxlan, LEN);

    port("vxlan remote=flow key=flow", 1);
    m->ol_flags = RTE_MBUF_F_TX_TUNNEL_VXLAN | RTE_MBUF_F_TX_TCP_CKSUM
                  | RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4
                  | RTE_MBUF_F_TX_OUTER_IPV4;
    m->outer_l2_len = 14;
    m->outer_l3_len = 20;
    m->l2_len = 8 + 8 + 14;
    m->l3_len = 20;
    m->l4_len = 20;
    m->tso_segsz = 1400;
    ck_assert_int_eq(receive(m, &rx), TUNNEL_OK);
    ck_assert_uint_eq(m->ol_flags, RTE_MBUF_F_TX_TCP_CKSUM
                                       | RTE_MBUF_F_TX_TCP_SEG
                                       | RTE_MBUF_F_TX_IPV4);
    ck_assert_uint_eq(m->l2_len, 14);
    ck_assert_uint_eq(m->l3_len, 20);
    ck_assert_uint_eq(m->tso_segsz, 1400);
    rte_pktmbuf_free(m);
}
END_TEST

/* ---------------------------------------------------------- inner frames */

START_TEST(test_tunnel_rx_inner_tag_is_dropped_unless_kept)
{
    static const uint16_t tpids[] = { 0x8100, 0x88a8, 0x9100 };
    struct packet v = golden(tnl_type_by_name("vxlan"), "192.0.2.2");
    struct packet g = golden(tnl_type_by_name("nvgre"), "192.0.2.2");

    port("vxlan remote=192.0.2.2 key=5001", 1);
    port("vxlan remote=192.0.2.3 key=5001 inner-vlan=keep", 2);
    port("nvgre remote=192.0.2.2 key=6001", 3);
    for (unsigned i = 0; i < 3; i++) {
        put_be16(v.b + INNER + 12, tpids[i]);
        put_be16(g.b + 42 + 12, tpids[i]);
        ck_assert_int_eq(verdict_of(&v, 0), DROP_TNL_INNER_VLAN);
        ck_assert_int_eq(verdict_of(&g, 0), DROP_TNL_INNER_VLAN);

        struct packet kept = golden(tnl_type_by_name("vxlan"), "192.0.2.3");
        put_be16(kept.b + INNER + 12, tpids[i]);
        ck_assert_int_eq(verdict_of(&kept, 0), TUNNEL_OK);
    }
}
END_TEST

START_TEST(test_tunnel_rx_congestion_marks_follow_rfc_6040)
{
    /* Figure 4: rows inner, columns outer; -1: drop. */
    static const int figure[4][4] = {
        { 0, 0, 0, -1 }, { 1, 1, 1, 3 }, { 2, 1, 2, 3 }, { 3, 3, 3, 3 },
    };

    port("vxlan remote=flow key=flow", 1);
    for (unsigned inner = 0; inner < 4; inner++)
        for (unsigned outer = 0; outer < 4; outer++) {
            struct packet p = tcp();
            struct tunnel_rx rx;

            put_be16(p.b + UDP + 6, 0);
            p.b[IP + 1] = (uint8_t) (0xb8 | outer);
            p.b[INNER_IP + 1] = (uint8_t) (0x28 | inner);
            ip_csum_fill(p.b + IP);
            ip_csum_fill(p.b + INNER_IP);
            struct rte_mbuf *m = frame(p.b, p.len);
            receive(m, &rx);
            if (figure[inner][outer] < 0) {
                ck_assert_int_eq(rx.verdict, DROP_TNL_BAD_ECN);
            } else {
                ck_assert_int_eq(rx.verdict, TUNNEL_OK);
                ck_assert_int_eq(bytes_of(m)[15],
                                 0x28 | figure[inner][outer]);
                ck_assert_uint_eq(plain_sum(bytes_of(m) + 14, 20, 0), 0xffff);
            }
            rte_pktmbuf_free(m);
        }
}
END_TEST

/* ------------------------------------------------------------ whose is it */

START_TEST(test_tunnel_rx_key_of_another_tenant_is_unknown)
{
    struct packet p = golden(tnl_type_by_name("vxlan"), "192.0.2.2");

    port("vxlan remote=192.0.2.2 key=5001", 1);
    port("nvgre remote=192.0.2.2 key=6001", 2);
    ck_assert_uint_eq(port_of(&p), 1);
    for (unsigned bit = 0; bit < 24; bit++) {
        put_be24(p.b + VXLAN + 4, 5001 ^ 1u << bit);
        ck_assert_uint_eq(port_of(&p), 0);
    }
    put_be24(p.b + VXLAN + 4, 6001); /* The other type's key. */
    ck_assert_uint_eq(port_of(&p), 0);
    struct packet rogue = golden(tnl_type_by_name("vxlan"), "192.0.2.66");
    ck_assert_uint_eq(port_of(&rogue), 0);
}
END_TEST

START_TEST(test_tunnel_rx_most_specific_port_wins)
{
    static const char *const texts[] = {
        "vxlan remote=flow key=flow",
        "vxlan remote=flow local=192.0.2.1 key=flow",
        "vxlan remote=192.0.2.2 key=flow",
        "vxlan remote=192.0.2.2 local=192.0.2.1 key=flow",
        "vxlan remote=flow key=5001",
        "vxlan remote=flow local=192.0.2.1 key=5001",
        "vxlan remote=192.0.2.2 key=5001",
        "vxlan remote=192.0.2.2 local=192.0.2.1 key=5001",
    };
    struct packet p = golden(tnl_type_by_name("vxlan"), "192.0.2.2");
    struct tunnel_port *ports[8];

    port("vxlan remote=192.0.2.99 key=5001", 9); /* Never this one. */
    for (unsigned i = 0; i < 8; i++) {
        ports[i] = port(texts[i], i + 1);
        ck_assert_uint_eq(port_of(&p), i + 1);
        ck_assert_uint_eq(port_of(&p), i + 1); /* Same as last. */
    }
    for (unsigned i = 8; i-- > 0;) {
        tunnel_port_del(tunnels, ports[i]);
        ck_assert_uint_eq(port_of(&p), i);
    }
}
END_TEST

START_TEST(test_tunnel_rx_udp_ports_are_apart)
{
    struct packet p = golden(tnl_type_by_name("vxlan"), "192.0.2.2");
    uint16_t udp[4] = { 0 };

    port("vxlan remote=flow key=5001", 1);
    port("vxlan remote=flow key=5001 port=8472", 2);
    ck_assert_uint_eq(port_of(&p), 1);
    put_be16(p.b + UDP + 2, 8472);
    ck_assert_uint_eq(port_of(&p), 2);
    port("nvgre remote=flow key=5001", 3);
    ck_assert_uint_eq(tunnels_get_udp_ports(tunnels, udp, 4), 2);
    ck_assert_uint_eq(udp[0], 4789);
    ck_assert_uint_eq(udp[1], 8472);
}
END_TEST

START_TEST(test_tunnel_rx_flow_id_does_not_tell_tenants_apart)
{
    struct packet p = golden(tnl_type_by_name("nvgre"), "192.0.2.2");

    port("nvgre remote=192.0.2.2 key=6001", 1);
    for (unsigned f = 0; f < 256; f++) {
        p.b[41] = (uint8_t) f;
        ck_assert_uint_eq(port_of(&p), 1);
    }
}
END_TEST

START_TEST(test_tunnel_rx_thousands_of_ports_are_each_found)
{
    const uint32_t n = 4000;
    struct packet p = golden(tnl_type_by_name("vxlan"), "192.0.2.2");
    struct tunnel_port **ports = base_xcalloc(n, sizeof *ports);
    char text[64];

    tunnels_hold(tunnels);
    for (uint32_t i = 0; i < n; i++) {
        snprintf(text, sizeof text, "vxlan remote=10.0.%u.%u key=%u", i / 250,
                 i % 250 + 1, 70000 + i / 2);
        ports[i] = port(text, i + 1);
    }
    tunnels_release(tunnels);
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t src[4] = { 10, 0, (uint8_t) (i / 250),
                                 (uint8_t) (i % 250 + 1) };

        if (i % 3 == 2)
            tunnel_port_del(tunnels, ports[i]);
        memcpy(p.b + IP + 12, src, 4);
        ip_csum_fill(p.b + IP);
        put_be24(p.b + VXLAN + 4, 70000 + i / 2);
        ck_assert_uint_eq(port_of(&p), i % 3 == 2 ? 0 : i + 1);
    }
    free(ports);
}
END_TEST

START_TEST(test_tunnel_rx_burst_of_all_sorts_gives_each_its_verdict)
{
    struct rte_mbuf *m[TUNNEL_BURST];
    struct tunnel_rx rx[TUNNEL_BURST];

    port("vxlan remote=192.0.2.2 key=5001", 1);
    port("vxlan remote=192.0.2.3 key=5001", 2);
    for (unsigned i = 0; i < TUNNEL_BURST; i++) {
        struct packet p = golden(tnl_type_by_name("vxlan"),
                                 i % 2 ? "192.0.2.2" : "192.0.2.3");

        if (i % 4 == 3)
            put_be16(p.b + 12, 0x0806);
        if (i % 8 == 6)
            p.b[VXLAN] = 0;
        m[i] = frame(p.b, p.len);
    }
    tunnel_rx_burst(&worker, m, TUNNEL_BURST, rx);
    for (unsigned i = 0; i < TUNNEL_BURST; i++) {
        int expect = i % 4 == 3 ? TUNNEL_OTHER
                     : i % 8 == 6 ? (int) DROP_TNL_BAD_FLAGS : TUNNEL_OK;

        ck_assert_int_eq(rx[i].verdict, expect);
        if (expect == TUNNEL_OK)
            ck_assert_uint_eq(tunnel_port_no(rx[i].port), i % 2 ? 1 : 2);
    }
    rte_pktmbuf_free_bulk(m, TUNNEL_BURST);
}
END_TEST

/* --------------------------------------------------------------- control */

START_TEST(test_tunnel_port_twin_is_refused_by_the_name_of_the_other)
{
    struct tunnel_port *p, *q;
    struct weft_err e;

    ck_assert_int_eq(add_port("blue", "vxlan remote=flow key=5001", 1, &p,
                              &e), 0);
    ck_assert_int_eq(add_port("red", "vxlan remote=flow key=5001 ttl=3", 2,
                              &q, &e), -EEXIST);
    ck_assert_ptr_nonnull(strstr(e.text, "port blue"));
    ck_assert_ptr_nonnull(strstr(e.text, "key=5001"));
    ck_assert_int_eq(add_port("red", "nvgre remote=flow key=5001", 2, &q, &e),
                     0);
    ck_assert_int_eq(add_port("red", "vxlan remote=flow key=5001 port=8472", 3,
                              &q, &e), 0);
    ck_assert_int_eq(add_port("all", "vxlan remote=flow key=flow", 4, &q, &e),
                     0);
}
END_TEST

START_TEST(test_tunnel_port_replace_moves_the_key_or_changes_nothing)
{
    struct packet p = golden(tnl_type_by_name("vxlan"), "192.0.2.2");
    struct tunnel_port *a = port("vxlan remote=flow key=5002", 1), *b;
    struct tnl_config c = *tunnel_port_config(a);
    struct weft_err e;

    port("vxlan remote=flow key=5003", 2);
    c.key = 5003;
    ck_assert_int_eq(tunnel_port_replace(tunnels, a, &c, &b, &e), -EEXIST);
    put_be24(p.b + VXLAN + 4, 5002);
    ck_assert_uint_eq(port_of(&p), 1);
    c.key = 5001;
    ck_assert_int_eq(tunnel_port_replace(tunnels, a, &c, &b, &e), 0);
    ck_assert_uint_eq(port_of(&p), 0);
    put_be24(p.b + VXLAN + 4, 5001);
    ck_assert_uint_eq(port_of(&p), 1);
    ck_assert_uint_eq(tunnel_port_config(b)->key, 5001);
}
END_TEST

START_TEST(test_tunnel_kinds_beyond_the_limit_are_refused)
{
    struct tunnel_port *p;
    struct weft_err e;
    char text[64];
    int err = 0;
    unsigned n = 0;

    for (; !err; n++) {
        snprintf(text, sizeof text, "vxlan remote=flow key=1 port=%u",
                 1000 + n);
        err = add_port("p", text, n + 1, &p, &e);
    }
    ck_assert_int_eq(err, -ENOSPC);
    ck_assert_uint_eq(n, 33);
    ck_assert_ptr_nonnull(strstr(e.text, "1032"));
    ck_assert_ptr_nonnull(strstr(e.text, "32"));
}
END_TEST

START_TEST(test_tunnel_addrs_of_all_uplinks_are_ours_until_they_go)
{
    struct packet p = golden(tnl_type_by_name("vxlan"), "192.0.2.2");
    const be32 more[] = { ip("198.51.100.1"), ip("198.51.100.2") };
    be32 have[4], many[TUNNEL_MAX_ADDRS];

    port("vxlan remote=flow key=flow", 1);
    memcpy(p.b + IP + 16, &more[1], 4);
    ip_csum_fill(p.b + IP);
    ck_assert_int_eq(verdict_of(&p, 0), TUNNEL_OTHER);
    ck_assert_int_eq(tunnels_set_addrs(tunnels, 8, more, 2), 0);
    ck_assert_int_eq(verdict_of(&p, 0), TUNNEL_OK);
    ck_assert_uint_eq(tunnels_get_addrs(tunnels, have, 4), 3);
    for (uint32_t i = 0; i < TUNNEL_MAX_ADDRS; i++)
        many[i] = be32_from(0x0a000001 + i);
    ck_assert_int_eq(tunnels_set_addrs(tunnels, 9, many, TUNNEL_MAX_ADDRS),
                     -ENOSPC);
    ck_assert_int_eq(tunnels_set_addrs(tunnels, 8, NULL, 0), 0);
    ck_assert_int_eq(verdict_of(&p, 0), TUNNEL_OTHER);
}
END_TEST

START_TEST(test_tunnel_what_is_sent_is_received_unchanged_by_each_type)
{
    const struct tnl_ops *t = tnl_type_by_index((unsigned) _i);
    const be32 there = ip("192.0.2.2");
    uint8_t inner[1400];
    char text[64];

    snprintf(text, sizeof text, "%s remote=192.0.2.2 key=%u", t->name,
             t->golden_key);
    struct tunnel_port *out = port(text, 1);
    snprintf(text, sizeof text, "%s remote=192.0.2.1 key=%u", t->name,
             t->golden_key);
    struct tunnel_port *in = port(text, 2);
    ck_assert_int_eq(tunnels_set_addrs(tunnels, 9, &there, 1), 0);
    for (unsigned i = 0; i < sizeof inner; i++)
        inner[i] = (uint8_t) (i * 7);
    for (unsigned len = 14; len <= sizeof inner; len += 77) {
        struct rte_mbuf *m = frame(inner, len);
        struct tunnel_tx tx = { .hash = len << 16 };
        struct tunnel_rx rx;

        tunnel_tx_burst(&worker, out, &m, 1, &tx);
        ck_assert_int_eq(tx.verdict, TUNNEL_OK);
        ck_assert_int_eq(receive(m, &rx), TUNNEL_OK);
        ck_assert_ptr_eq(rx.port, in);
        ck_assert_uint_eq(m->pkt_len, len);
        ck_assert_mem_eq(bytes_of(m), inner, len);
        rte_pktmbuf_free(m);
    }
}
END_TEST

static void
add_tests_of_packets(TCase *tc)
{
    tcase_add_loop_test(
        tc, test_tunnel_rx_golden_packet_of_each_type_comes_out_unwrapped, 0,
        2);
    tcase_add_loop_test(
        tc, test_tunnel_rx_every_truncation_of_each_type_is_refused, 0, 2);
    tcase_add_test(tc, test_tunnel_rx_what_is_no_overlay_packet_is_left_alone);
    tcase_add_test(tc,
                   test_tunnel_rx_gre_of_another_protocol_is_left_alone);
    tcase_add_test(tc,
                   test_tunnel_rx_fragments_are_dropped_with_their_own_reason);
    tcase_add_test(tc, test_tunnel_rx_ip_header_must_be_right);
    tcase_add_test(tc, test_tunnel_rx_ip_options_are_stepped_over);
    tcase_add_test(tc, test_tunnel_rx_padding_behind_the_packet_is_cut_off);
    tcase_add_test(tc, test_tunnel_rx_segmented_packet_keeps_its_tail);
    tcase_add_test(tc,
                   test_tunnel_rx_udp_checksum_zero_passes_and_wrong_is_dropped);
    tcase_add_test(tc,
                   test_tunnel_rx_udp_checksum_follows_what_the_device_says);
    tcase_add_test(tc,
                   test_tunnel_rx_outer_checksum_left_to_a_device_is_accepted);
    tcase_add_test(tc,
                   test_tunnel_rx_inner_checksum_left_to_a_device_is_marked);
    tcase_add_test(tc,
                   test_tunnel_rx_offload_state_in_the_tunnel_becomes_the_frames);
    tcase_add_test(tc, test_tunnel_rx_inner_tag_is_dropped_unless_kept);
    tcase_add_test(tc, test_tunnel_rx_congestion_marks_follow_rfc_6040);
}

static void
add_tests_of_ports(TCase *tc)
{
    tcase_add_test(tc, test_tunnel_rx_key_of_another_tenant_is_unknown);
    tcase_add_test(tc, test_tunnel_rx_most_specific_port_wins);
    tcase_add_test(tc, test_tunnel_rx_udp_ports_are_apart);
    tcase_add_test(tc, test_tunnel_rx_flow_id_does_not_tell_tenants_apart);
    tcase_add_test(tc, test_tunnel_rx_thousands_of_ports_are_each_found);
    tcase_add_test(tc,
                   test_tunnel_rx_burst_of_all_sorts_gives_each_its_verdict);
    tcase_add_test(tc,
                   test_tunnel_port_twin_is_refused_by_the_name_of_the_other);
    tcase_add_test(tc,
                   test_tunnel_port_replace_moves_the_key_or_changes_nothing);
    tcase_add_test(tc, test_tunnel_kinds_beyond_the_limit_are_refused);
    tcase_add_test(tc,
                   test_tunnel_addrs_of_all_uplinks_are_ours_until_they_go);
    tcase_add_loop_test(
        tc, test_tunnel_what_is_sent_is_received_unchanged_by_each_type, 0, 2);
}

int
main(void)
{
    Suite *s = suite_create("datapath");
    TCase *tc = tcase_create("tunnel_rx");

    tcase_add_unchecked_fixture(tc, setup_eal, teardown_eal);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    add_tests_of_packets(tc);
    add_tests_of_ports(tc);
    suite_add_tcase(s, tc);

    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
