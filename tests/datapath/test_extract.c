/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "datapath": headers to flow key. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/extract.h"
#include "utils/base/mem.h"

/* Frames built by Scapy 2.5.0, except pbb_tcp4, written by hand after IEEE
 * 802.1ah §9.7. */
static const char tcp4[] =
    "020000000001020000000002080045b9002e000100002106acd4c0000201c633"
    "640703e801bb0000000000000000601220001dcc0000020405b46869";
static const char udp4_padded[] =
    "020000000001020000000002080045b9001f000100002111acd8c0000201c633"
    "640700350fa0000b3f64616263eeeeeeeeeeeeeeeeeeeeeeeeeeeeee";
static const char tcp4_options[] =
    "02000000000102000000000208004600002c000100004006f98ac0000201c633"
    "64079404000000010002000000000000000050022000a3a30000";
static const char udp4_first_fragment[] =
    "0200000000010200000000020800450000240001200040116e8cc0000201c633"
    "640700070008001042ae3132333435363738";
static const char udp4_later_fragment[] =
    "0200000000010200000000020800450000200001000340118e8dc0000201c633"
    "6407000700084141414142424242";
static const char icmp4[] =
    "020000000001020000000002080045b90020000100002101ace7c0000201c633"
    "640703040c0b0000000078787878";
static const char vlan_tcp4[] =
    "0200000000010200000000028100b064080045b90028000100002106acdac000"
    "0201c633640703e800500000000000000000500220009f6e0000";
static const char qinq_udp4[] =
    "02000000000102000000000288a860c881000007080045b9001c000100002111"
    "acdbc0000201c63364070005000600081397";
static const char arp_request[] =
    "02000000000102000000000208060001080006040001020000000002c0000201"
    "000000000000c0000209";
static const char llc_stp[] =
    "0180c20000000200000000020026424203000000000000000000000000000000"
    "0000000000000000000000000100140002000f00";
static const char mpls_two_labels[] =
    "020000000001020000000002884703e80a400001113f45b9001c000100002111"
    "acdbc0000201c63364070035003500081338";
static const char tcp6[] =
    "02000000000102000000000286dd62eabcde0014060720010db8000000000000"
    "00000000000120010db800000000000000000000000203e80016000000000000"
    "00005029200030490000";
static const char udp6_hop_dest_route_frag[] =
    "02000000000102000000000286dd62eabcde0040000720010db8000000000000"
    "00000000000120010db80000000000000000000000023c000104000000002b00"
    "0104000000002c0200010000000020010db80000000000000000000000091100"
    "0001000000090009000a0010d36a3132333435363738";
static const char udp6_later_fragment[] =
    "02000000000102000000000286dd62eabcde00102c0720010db8000000000000"
    "00000000000120010db800000000000000000000000211000028000000096162"
    "636465666768";
static const char udp6_unordered[] =
    "02000000000102000000000286dd62eabcde00202b0720010db8000000000000"
    "00000000000120010db800000000000000000000000200000000000000002b00"
    "0104000000001100000000000000000100020008a466";
static const char nd_solicit[] =
    "02000000000102000000000286dd6000000000203afffe800000000000000000"
    "000000000002ff0200000000000000000001ff00000187007a9700000000fe80"
    "00000000000000000000000000010101020000000002";
static const char nd_advert[] =
    "02000000000102000000000286dd6000000000203afffe800000000000000000"
    "000000000001fe8000000000000000000000000000028800d81ba0000000fe80"
    "00000000000000000000000000010201020000000001";
static const char sctp4[] =
    "020000000001020000000002080045b90024000100002184ac60c0000201c633"
    "64070b590b5a00000000bf3b54970b000004";
static const char no_next6[] =
    "02000000000102000000000286dd6000000000003b4020010db8000000000000"
    "00000000000120010db8000000000000000000000002";
static const char ah6_udp[] =
    "02000000000102000000000286dd600000000020334020010db8000000000000"
    "00000000000120010db800000000000000000000000211040000000000010000"
    "00020000000000000000000000000003000400080000";
static const char pbb_tcp4[] =
    "020000000001020000000002"
    "88a86065" /* S-tag: PCP 3, VID 101. */
    "88e7a8abcdef" /* I-PCP 5, UCA, I-SID 0xabcdef. */
    "0a00000000010a0000000002"
    "0800450000280001000040060000c0000201c6336407";

static const char *const golden[] = {
    tcp4, udp4_padded, tcp4_options, udp4_first_fragment, udp4_later_fragment,
    icmp4, vlan_tcp4, qinq_udp4, arp_request, llc_stp, mpls_two_labels, tcp6,
    udp6_hop_dest_route_frag, udp6_later_fragment, udp6_unordered, nd_solicit,
    nd_advert, sctp4, no_next6, ah6_udp, pbb_tcp4,
};

struct frame {
    uint8_t *p;
    size_t len;
    struct flow_key k;
    struct pkt_layout lay;
    int err;
};

/* Bytes of 'hex' in memory of exactly their size. */
static struct frame
frame_from_hex(const char *hex)
{
    struct frame f = { .len = strlen(hex) / 2 };

    f.p = base_xmalloc(f.len);
    for (size_t i = 0; i < f.len; i++)
        f.p[i] = (uint8_t) strtoul((char[]) { hex[2 * i], hex[2 * i + 1], 0 },
                                   NULL, 16);
    return f;
}

static void
frame_extract(struct frame *f)
{
    memset(&f->k, 0, sizeof f->k);
    memset((uint8_t *) &f->k + 20, 0xa5, 44); /* What must be written. */
    f->lay = (struct pkt_layout) { 0 };
    f->err = extract_key(f->p, f->len, &f->k, &f->lay);
}

static struct frame
frame_parsed(const char *hex)
{
    struct frame f = frame_from_hex(hex);

    frame_extract(&f);
    ck_assert_int_eq(f.err, EXTRACT_OK);
    return f;
}

/* The key that every frame above begins with. */
static struct flow_key
key_eth(uint16_t type)
{
    return (struct flow_key) {
        .eth_dst = { 2, 0, 0, 0, 0, 1 },
        .eth_src = { 2, 0, 0, 0, 0, 2 },
        .eth_type = be16_from(type),
    };
}

/* 192.0.2.1 to 198.51.100.7. */
static struct flow_key
key_ipv4(uint8_t proto, uint8_t tos, uint8_t ttl)
{
    struct flow_key k = key_eth(0x0800);

    k.ip_src = be32_from(0xc0000201);
    k.ip_dst = be32_from(0xc6336407);
    k.ip_proto = proto;
    k.ip_tos = tos;
    k.ip_ttl = ttl;
    return k;
}

static struct flow_key
key_ipv6(const char *src, const char *dst, uint8_t proto, uint8_t ttl)
{
    struct flow_key k = key_eth(0x86dd);
    struct frame s = frame_from_hex(src), d = frame_from_hex(dst);

    memcpy(k.ipv6_src, s.p, 16);
    memcpy(k.ipv6_dst, d.p, 16);
    free(s.p);
    free(d.p);
    k.ip_proto = proto;
    k.ip_ttl = ttl;
    return k;
}

#define DB8_1 "20010db8000000000000000000000001"
#define DB8_2 "20010db8000000000000000000000002"

static void
key_ports(struct flow_key *k, uint16_t src, uint16_t dst)
{
    k->tp_src = be16_from(src);
    k->tp_dst = be16_from(dst);
}

/* Checks key and offsets, and frees the frame. */
static void
frame_check(struct frame *f, const struct flow_key *k, unsigned l3,
            unsigned l4, unsigned payload)
{
    for (unsigned i = 0; i < sizeof *k; i++)
        ck_assert_msg(((uint8_t *) &f->k)[i] == ((const uint8_t *) k)[i],
                      "key byte %u is %02x, expected %02x", i,
                      ((uint8_t *) &f->k)[i], ((const uint8_t *) k)[i]);
    ck_assert_uint_eq(f->lay.l3, l3);
    ck_assert_uint_eq(f->lay.l4, l4);
    ck_assert_uint_eq(f->lay.payload, payload);
    free(f->p);
}

START_TEST(test_extract_plain_tcp_gives_addresses_ports_and_flags)
{
    struct frame f = frame_parsed(tcp4);
    struct flow_key k = key_ipv4(6, 0xb9, 33);

    key_ports(&k, 1000, 443);
    k.tcp_flags = be16_from(0x012);
    frame_check(&f, &k, 14, 34, 58);
}
END_TEST

START_TEST(test_extract_udp_with_padding_is_accepted)
{
    struct frame f = frame_parsed(udp4_padded);
    struct flow_key k = key_ipv4(17, 0xb9, 33);

    key_ports(&k, 53, 4000);
    frame_check(&f, &k, 14, 34, 42);
}
END_TEST

START_TEST(test_extract_ipv4_options_move_the_ports)
{
    struct frame f = frame_parsed(tcp4_options);
    struct flow_key k = key_ipv4(6, 0, 64);

    key_ports(&k, 1, 2);
    k.tcp_flags = be16_from(0x002);
    frame_check(&f, &k, 14, 38, 58);
}
END_TEST

START_TEST(test_extract_first_fragment_has_ports_later_has_none)
{
    struct frame f = frame_parsed(udp4_first_fragment);
    struct flow_key k = key_ipv4(17, 0, 64);

    k.nw_flags = FLOW_NW_FRAG_ANY;
    key_ports(&k, 7, 8);
    frame_check(&f, &k, 14, 34, 42);

    f = frame_parsed(udp4_later_fragment);
    k.nw_flags = FLOW_NW_FRAG_ANY | FLOW_NW_FRAG_LATER;
    key_ports(&k, 0, 0);
    frame_check(&f, &k, 14, 0, 34);
}
END_TEST

START_TEST(test_extract_icmp_gives_type_and_code_as_ports)
{
    struct frame f = frame_parsed(icmp4);
    struct flow_key k = key_ipv4(1, 0xb9, 33);

    key_ports(&k, 3, 4);
    frame_check(&f, &k, 14, 34, 42);
}
END_TEST

START_TEST(test_extract_sctp_gives_ports)
{
    struct frame f = frame_parsed(sctp4);
    struct flow_key k = key_ipv4(132, 0xb9, 33);

    key_ports(&k, 2905, 2906);
    frame_check(&f, &k, 14, 34, 46);
}
END_TEST

START_TEST(test_extract_vlan_drops_dei_and_sets_present)
{
    struct frame f = frame_parsed(vlan_tcp4);
    struct flow_key k = key_ipv4(6, 0xb9, 33);

    k.vlan_tci = be16_from(5 << 13 | FLOW_VLAN_PRESENT | 100);
    k.tcp_flags = be16_from(2);
    key_ports(&k, 1000, 80);
    ck_assert_uint_eq(f.lay.n_vlan, 1);
    frame_check(&f, &k, 18, 38, 58);
}
END_TEST

START_TEST(test_extract_two_tags_give_the_outer_one_and_more_vlan)
{
    struct frame f = frame_parsed(qinq_udp4);
    struct flow_key k = key_ipv4(17, 0xb9, 33);

    k.vlan_tci = be16_from(3 << 13 | FLOW_VLAN_PRESENT | 200);
    k.nw_flags = FLOW_NW_MORE_VLAN;
    key_ports(&k, 5, 6);
    ck_assert_uint_eq(f.lay.n_vlan, 2);
    frame_check(&f, &k, 22, 42, 50);
}
END_TEST

START_TEST(test_extract_tags_below_the_limit_are_payload)
{
    uint8_t p[14 + 4 * (EXTRACT_MAX_VLAN + 1)] = { 0 };
    struct flow_key k = { 0 };
    struct pkt_layout lay = { 0 };

    for (unsigned i = 12; i < sizeof p; i += 4)
        put_be16(p + i, 0x8100);
    ck_assert_int_eq(extract_key(p, sizeof p, &k, &lay), EXTRACT_OK);
    ck_assert_uint_eq(lay.n_vlan, EXTRACT_MAX_VLAN);
    ck_assert_uint_eq(be16_to(k.eth_type), 0x8100);
}
END_TEST

START_TEST(test_extract_arp_gives_operation_and_addresses)
{
    struct frame f = frame_parsed(arp_request);
    struct flow_key k = key_eth(0x0806);

    k.tp_src = be16_from(1);
    k.ip_src = be32_from(0xc0000201);
    k.ip_dst = be32_from(0xc0000209);
    memcpy(k.nd_sll, (uint8_t[]) { 2, 0, 0, 0, 0, 2 }, 6);
    memset(k.eth_dst, 0, 6);
    memcpy(k.eth_dst, f.p, 6);
    frame_check(&f, &k, 14, 0, 42);
}
END_TEST

START_TEST(test_extract_arp_of_another_hardware_has_only_the_operation)
{
    struct frame f = frame_from_hex(arp_request);
    struct flow_key k = key_eth(0x0806);

    f.p[15] = 6; /* IEEE 802 networks. */
    frame_extract(&f);
    ck_assert_int_eq(f.err, EXTRACT_OK);
    k.tp_src = be16_from(1);
    memcpy(k.eth_dst, f.p, 6);
    frame_check(&f, &k, 14, 0, 22);
}
END_TEST

START_TEST(test_extract_length_frame_has_type_05ff)
{
    struct frame f = frame_parsed(llc_stp);

    ck_assert_uint_eq(be16_to(f.k.eth_type), FLOW_ETH_TYPE_NOT_ETH2);
    ck_assert_uint_eq(f.lay.l3, 14);
    free(f.p);
}
END_TEST

START_TEST(test_extract_mpls_gives_top_entry_and_l3_behind_the_stack)
{
    struct frame f = frame_parsed(mpls_two_labels);
    struct flow_key k = key_eth(0x8847);

    k.mpls_lse = be32_from(16000u << 12 | 5 << 9 | 64);
    k.nw_flags = FLOW_NW_MORE_MPLS;
    ck_assert_uint_eq(f.lay.l2_5, 14);
    frame_check(&f, &k, 22, 0, 22);
}
END_TEST

START_TEST(test_extract_pbb_gives_isid_and_uca_behind_the_s_tag)
{
    struct frame f = frame_parsed(pbb_tcp4);
    struct flow_key k = key_eth(0x88e7);

    k.vlan_tci = be16_from(3 << 13 | FLOW_VLAN_PRESENT | 101);
    k.pbb_isid = be32_from(0x1abcdef);
    ck_assert_uint_eq(f.lay.l2_5, 18);
    frame_check(&f, &k, 22, 0, 22);
}
END_TEST

START_TEST(test_extract_tcp6_gives_class_label_and_ports)
{
    struct frame f = frame_parsed(tcp6);
    struct flow_key k = key_ipv6(DB8_1, DB8_2, 6, 7);

    k.ip_tos = 0x2e;
    k.ipv6_label = be32_from(0xabcde);
    k.tcp_flags = be16_from(0x029);
    key_ports(&k, 1000, 22);
    frame_check(&f, &k, 14, 54, 74);
}
END_TEST

START_TEST(test_extract_ipv6_headers_in_order_set_no_order_flag)
{
    struct frame f = frame_parsed(udp6_hop_dest_route_frag);
    unsigned want = FLOW_IEH_HOP | FLOW_IEH_DEST | FLOW_IEH_ROUTER
                    | FLOW_IEH_FRAG;

    ck_assert_uint_eq(be16_to(f.k.ipv6_exthdr), want);
    ck_assert_uint_eq(f.k.nw_flags, FLOW_NW_FRAG_ANY);
    ck_assert_uint_eq(f.k.ip_proto, 17);
    ck_assert_uint_eq(be16_to(f.k.tp_src), 9);
    free(f.p);
}
END_TEST

START_TEST(test_extract_ipv6_headers_repeated_and_unordered_are_flagged)
{
    struct frame f = frame_parsed(udp6_unordered);
    unsigned want = FLOW_IEH_HOP | FLOW_IEH_ROUTER | FLOW_IEH_UNREP
                    | FLOW_IEH_UNSEQ;

    ck_assert_uint_eq(be16_to(f.k.ipv6_exthdr), want);
    ck_assert_uint_eq(be16_to(f.k.tp_dst), 2);
    free(f.p);
}
END_TEST

START_TEST(test_extract_ipv6_later_fragment_has_no_ports)
{
    struct frame f = frame_parsed(udp6_later_fragment);

    ck_assert_uint_eq(f.k.nw_flags, FLOW_NW_FRAG_ANY | FLOW_NW_FRAG_LATER);
    ck_assert_uint_eq(f.k.ip_proto, 17);
    ck_assert_uint_eq(f.k.tp_src, 0);
    ck_assert_uint_eq(f.lay.l4, 0);
    ck_assert_uint_eq(f.lay.payload, 62);
    free(f.p);
}
END_TEST

START_TEST(test_extract_ipv6_no_next_header_and_ah_are_flagged)
{
    struct frame f = frame_parsed(no_next6);

    ck_assert_uint_eq(be16_to(f.k.ipv6_exthdr), FLOW_IEH_NONEXT);
    ck_assert_uint_eq(f.k.ip_proto, 59);
    free(f.p);

    f = frame_parsed(ah6_udp);
    ck_assert_uint_eq(be16_to(f.k.ipv6_exthdr), FLOW_IEH_AUTH);
    ck_assert_uint_eq(f.k.ip_proto, 17);
    ck_assert_uint_eq(be16_to(f.k.tp_dst), 4);
    free(f.p);
}
END_TEST

START_TEST(test_extract_neighbour_messages_give_target_and_options)
{
    struct frame f = frame_parsed(nd_solicit);
    struct flow_key k = key_ipv6("fe800000000000000000000000000002",
                                 "ff0200000000000000000001ff000001", 58, 255);

    key_ports(&k, 135, 0);
    memcpy(k.nd_target, k.ipv6_src, 16);
    k.nd_target[15] = 1;
    memcpy(k.nd_sll, k.eth_src, 6);
    frame_check(&f, &k, 14, 54, 58);

    f = frame_parsed(nd_advert);
    ck_assert_mem_eq(f.k.nd_tll, k.eth_dst, 6);
    ck_assert_mem_eq(f.k.nd_target, k.nd_target, 16);
    free(f.p);
}
END_TEST

START_TEST(test_extract_nd_option_of_length_zero_ends_the_list)
{
    struct frame f = frame_from_hex(nd_solicit);

    f.p[f.len - 7] = 0; /* RFC 4861 §4.6: length 0 is invalid. */
    frame_extract(&f);
    ck_assert_int_eq(f.err, EXTRACT_OK);
    ck_assert_mem_eq(f.k.nd_sll, "\0\0\0\0\0\0", 6);
    free(f.p);
}
END_TEST

START_TEST(test_extract_dirty_second_line_is_cleared)
{
    struct frame v6 = frame_parsed(nd_solicit), v4 = frame_parsed(tcp4);
    struct flow_key want = v4.k;

    ck_assert(v6.lay.line1);
    ck_assert_int_eq(extract_key(v4.p, v4.len, &v6.k, &v6.lay), EXTRACT_OK);
    ck_assert_mem_eq(&v6.k, &want, sizeof want);
    ck_assert(!v6.lay.line1);
    free(v4.p);
    free(v6.p);
}
END_TEST

/* Reason that a frame cut by one byte, or with byte 'at' changed, gives. */
START_TEST(test_extract_broken_header_gives_its_reason)
{
    static const struct {
        const char *hex;
        size_t at;
        uint8_t value;
        int want;
    } t[] = {
        { tcp4, 14, 0x44, DROP_PARSE_IPV4 },   /* IHL 4. */
        { tcp4, 14, 0x55, DROP_PARSE_IPV4 },   /* Version 5. */
        { tcp4, 17, 0x2f, DROP_PARSE_IPV4 },   /* Length beyond the frame. */
        { tcp4, 17, 0x13, DROP_PARSE_IPV4 },   /* Length below the header. */
        { tcp4, 17, 0x20, DROP_PARSE_L4 },     /* 12 bytes of TCP. */
        { tcp4, 46, 0x40, DROP_PARSE_L4 },     /* Data offset 4. */
        { tcp4, 46, 0xf0, DROP_PARSE_L4 },     /* Data offset 15. */
        { udp4_padded, 17, 27, DROP_PARSE_L4 },
        { icmp4, 17, 27, DROP_PARSE_L4 },
        { sctp4, 17, 31, DROP_PARSE_L4 },
        { udp4_first_fragment, 17, 24, DROP_PARSE_L4 },
        { udp4_later_fragment, 17, 20, EXTRACT_OK },
        { tcp6, 14, 0x42, DROP_PARSE_IPV6 },
        { tcp6, 19, 21, DROP_PARSE_IPV6 },
        { tcp6, 19, 19, DROP_PARSE_L4 },
        { udp6_later_fragment, 19, 7, DROP_PARSE_IPV6 },
        { nd_solicit, 19, 23, DROP_PARSE_L4 },
        { mpls_two_labels, 20, 0, EXTRACT_OK }, /* Goes on into the IP. */
    };
    struct frame f = frame_from_hex(t[_i].hex);

    f.p[t[_i].at] = t[_i].value;
    frame_extract(&f);
    ck_assert_int_eq(f.err, t[_i].want);
    free(f.p);
}
END_TEST

#define N_BROKEN 18

START_TEST(test_extract_truncated_frame_is_refused_or_shorter_not_overread)
{
    struct frame f = frame_from_hex(golden[_i]);

    for (size_t n = 0; n < f.len; n++) {
        struct frame cut = { .p = base_xmemdup(f.p, n ? n : 1), .len = n };

        if (!n) { /* No readable byte at all. */
            free(cut.p);
            cut.p = NULL;
        } else {
            uint8_t *exact = realloc(cut.p, n);

            ck_assert_ptr_nonnull(exact);
            cut.p = exact;
        }
        frame_extract(&cut);
        ck_assert_int_lt(cut.err, N_DROP_REASONS);
        if (n < 14)
            ck_assert_int_eq(cut.err, DROP_RX_RUNT);
        else if (cut.err == EXTRACT_OK)
            ck_assert_uint_le(cut.lay.payload, n);
        free(cut.p);
    }
    free(f.p);
}
END_TEST

START_TEST(test_extract_first_segment_of_a_longer_frame_is_enough)
{
    struct frame f = frame_from_hex(tcp4);
    struct flow_key k = { 0 };
    struct pkt_layout lay = { 0 };

    put_be16(f.p + 16, 9000);
    ck_assert_int_eq(extract_frame(f.p, f.len, 9014, &k, &lay), EXTRACT_OK);
    ck_assert_uint_eq(be16_to(k.tp_dst), 443);
    ck_assert_int_eq(extract_frame(f.p, f.len, 9013, &k, &lay),
                     DROP_PARSE_IPV4);
    free(f.p);
}
END_TEST

/* Frames with one byte changed or cut off: the short ways see what the walk
 * through the headers sees. */
static void
compare_with_walk(const uint8_t *p, size_t len)
{
    struct flow_key a = { 0 }, b = { 0 };
    struct pkt_layout la = { 0 }, lb = { 0 };
    int err = extract_frame(p, len, len, &a, &la);

    ck_assert_int_eq(err, extract_frame_walk(p, len, len, &b, &lb));
    if (err != EXTRACT_OK)
        return;
    ck_assert_mem_eq(&a, &b, sizeof a);
    ck_assert_mem_eq(&la, &lb, sizeof la);
}

START_TEST(test_extract_short_ways_see_what_the_walk_sees)
{
    static const char *const frames[] = { tcp4, udp4_padded, vlan_tcp4, tcp6,
                                          tcp4_options, udp4_first_fragment };
    struct frame f = frame_from_hex(frames[_i]);

    for (size_t at = 0; at < f.len; at++)
        for (unsigned v = 0; v < 256; v++) {
            uint8_t old = f.p[at];

            f.p[at] = (uint8_t) v;
            compare_with_walk(f.p, f.len);
            f.p[at] = old;
        }
    for (size_t n = 0; n <= f.len; n++) {
        uint8_t *exact = base_xmalloc(n + !n);

        memcpy(exact, f.p, n);
        compare_with_walk(exact, n);
        free(exact);
    }
    free(f.p);
}
END_TEST

/* The short way for plain frames must see what the long way sees. */
START_TEST(test_extract_plain_frame_tagged_differs_only_in_the_tag)
{
    uint64_t rng = UINT64_C(0x243f6a8885a308d3);
    struct frame f = frame_from_hex(tcp4);
    uint8_t tagged[256];

    for (int i = 0; i < 20000; i++) {
        struct flow_key a = { 0 }, b = { 0 };
        struct pkt_layout la = { 0 }, lb = { 0 };
        uint8_t old, *at;

        rng = rng * UINT64_C(6364136223846793005) + 1442695040888963407u;
        at = f.p + 14 + (rng >> 33) % 34;
        old = *at;
        *at = (uint8_t) (rng >> 56);
        memcpy(tagged, f.p, 12);
        memcpy(tagged + 12, "\x81\0\0\0", 4);
        memcpy(tagged + 16, f.p + 12, f.len - 12);

        int ea = extract_key(f.p, f.len, &a, &la);
        int eb = extract_key(tagged, f.len + 4, &b, &lb);

        b.vlan_tci = 0;
        ck_assert_int_eq(ea, eb);
        if (ea == EXTRACT_OK) {
            ck_assert_mem_eq(&a, &b, sizeof a);
            ck_assert_int_eq(la.l4 ? la.l4 + 4 : 0, lb.l4);
            ck_assert_int_eq(la.payload + 4, lb.payload);
        }
        if (rng >> 40 & 3) /* Mutations pile up now and then. */
            *at = old;
        if (!(i % 16)) {
            free(f.p);
            f = frame_from_hex(tcp4);
        }
    }
    free(f.p);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("datapath");
    TCase *tc = tcase_create("extract");

    tcase_add_test(tc, test_extract_plain_tcp_gives_addresses_ports_and_flags);
    tcase_add_test(tc, test_extract_udp_with_padding_is_accepted);
    tcase_add_test(tc, test_extract_ipv4_options_move_the_ports);
    tcase_add_test(tc, test_extract_first_fragment_has_ports_later_has_none);
    tcase_add_test(tc, test_extract_icmp_gives_type_and_code_as_ports);
    tcase_add_test(tc, test_extract_sctp_gives_ports);
    tcase_add_test(tc, test_extract_vlan_drops_dei_and_sets_present);
    tcase_add_test(tc, test_extract_two_tags_give_the_outer_one_and_more_vlan);
    tcase_add_test(tc, test_extract_tags_below_the_limit_are_payload);
    tcase_add_test(tc, test_extract_arp_gives_operation_and_addresses);
    tcase_add_test(
        tc, test_extract_arp_of_another_hardware_has_only_the_operation);
    tcase_add_test(tc, test_extract_length_frame_has_type_05ff);
    tcase_add_test(
        tc, test_extract_mpls_gives_top_entry_and_l3_behind_the_stack);
    tcase_add_test(tc, test_extract_pbb_gives_isid_and_uca_behind_the_s_tag);
    tcase_add_test(tc, test_extract_tcp6_gives_class_label_and_ports);
    tcase_add_test(tc, test_extract_ipv6_headers_in_order_set_no_order_flag);
    tcase_add_test(
        tc, test_extract_ipv6_headers_repeated_and_unordered_are_flagged);
    tcase_add_test(tc, test_extract_ipv6_later_fragment_has_no_ports);
    tcase_add_test(tc, test_extract_ipv6_no_next_header_and_ah_are_flagged);
    tcase_add_test(tc, test_extract_neighbour_messages_give_target_and_options);
    tcase_add_test(tc, test_extract_nd_option_of_length_zero_ends_the_list);
    tcase_add_test(tc, test_extract_dirty_second_line_is_cleared);
    tcase_add_loop_test(tc, test_extract_broken_header_gives_its_reason, 0,
                        N_BROKEN);
    tcase_add_loop_test(
        tc, test_extract_truncated_frame_is_refused_or_shorter_not_overread, 0,
        WEFT_ARRAY_LEN(golden));
    tcase_add_test(tc,
                   test_extract_first_segment_of_a_longer_frame_is_enough);
    tcase_add_loop_test(tc, test_extract_short_ways_see_what_the_walk_sees, 0,
                        6);
    tcase_add_test(tc,
                   test_extract_plain_frame_tagged_differs_only_in_the_tag);
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
