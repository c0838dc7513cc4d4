/* SPDX-License-Identifier: Apache-2.0 */
/* Every op on every kind of packet it is for: bytes and checksums, computed
 * whole by the packet builder. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/offload.h"
#include "tests/datapath/bed.h"

static struct bed b;
static struct pkt p, want;
static struct ops o;

static void
setup(void)
{
    bed_open(&b, 3, BED_CAPS);
    o.n = 0;
}

static void
teardown(void)
{
    bed_close(&b);
}

enum kind { UDP4, TCP4, SCTP4, ICMP4, UDP6, TCP6, ICMP6, ARP, N_KINDS };

/* Header fields that tests set differently in 'want'. */
struct hdr {
    uint32_t src4, dst4;
    uint16_t sport, dport;
    uint8_t src6, dst6;
};

static const struct hdr BASE = { 0x0a000001, 0x0a000002, 1000, 2000, 1, 2 };

static void
build(struct pkt *q, enum kind k, const struct hdr *h)
{
    bool v6 = k >= UDP6 && k <= ICMP6;
    static const uint8_t proto[] = { 17, 6, 132, 1, 17, 6, 58 };

    pkt_init(q);
    pkt_eth(q, PKT_MAC(2), PKT_MAC(1),
            k == ARP ? 0x0806 : v6 ? 0x86dd : 0x0800);
    if (k == ARP) {
        pkt_arp(q, h->sport, PKT_MAC(1), h->src4, PKT_MAC(9), h->dst4);
        return;
    }
    if (v6)
        pkt_ipv6(q, h->src6, h->dst6, proto[k]);
    else
        pkt_ipv4(q, h->src4, h->dst4, proto[k]);
    if (proto[k] == 17)
        pkt_udp(q, h->sport, h->dport);
    else if (proto[k] == 6)
        pkt_tcp(q, h->sport, h->dport, 0x10);
    else if (proto[k] == 132)
        pkt_sctp(q, h->sport, h->dport);
    else
        pkt_icmp(q, (uint8_t) h->sport, (uint8_t) h->dport);
    pkt_payload(q, 33); /* Odd. */
    pkt_end(q);
}

/* Runs 'o' and then output:2 on 'p'; what leaves is 'want'. */
static void
run_expect(void)
{
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    bed_rule(&b, 1, &BED_ANY, &o);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    bed_expect(&b, 2, &want);
}

START_TEST(test_set_field_addresses_keep_checksums_right)
{
    struct hdr h = BASE;
    uint8_t v6[16] = { 0xfd, [15] = 0x77 };

    build(&p, _i, &BASE);
    if (_i >= UDP6 && _i <= ICMP6) {
        ops_set(&o, FLOW_F_IPV6_SRC, v6);
        v6[15] = 0x88;
        ops_set(&o, FLOW_F_IPV6_DST, v6);
        h.src6 = 0x77;
        h.dst6 = 0x88;
    } else {
        h.src4 = 0xc0a80a63;
        h.dst4 = 0xfffefdfc;
        ops_set_u64(&o, _i == ARP ? FLOW_F_ARP_SPA : FLOW_F_IPV4_SRC, h.src4);
        ops_set_u64(&o, _i == ARP ? FLOW_F_ARP_TPA : FLOW_F_IPV4_DST, h.dst4);
    }
    build(&want, _i, &h);
    ck_assert(pkt_checksums_hold(want.b, want.len));
    run_expect();
}
END_TEST

START_TEST(test_set_field_ports_types_and_arp_op)
{
    static const uint8_t src[] = { FLOW_F_UDP_SRC, FLOW_F_TCP_SRC,
                                   FLOW_F_SCTP_SRC, FLOW_F_ICMPV4_TYPE,
                                   FLOW_F_UDP_SRC, FLOW_F_TCP_SRC,
                                   FLOW_F_ICMPV6_TYPE, FLOW_F_ARP_OP };
    static const uint8_t dst[] = { FLOW_F_UDP_DST, FLOW_F_TCP_DST,
                                   FLOW_F_SCTP_DST, FLOW_F_ICMPV4_CODE,
                                   FLOW_F_UDP_DST, FLOW_F_TCP_DST,
                                   FLOW_F_ICMPV6_CODE };
    struct hdr h = BASE;

    build(&p, _i, &BASE);
    h.sport = _i == ICMP4 || _i == ICMP6 ? 200 : 0xfa11;
    h.dport = _i == ICMP4 || _i == ICMP6 ? 7 : 0x0001;
    ops_set_u64(&o, src[_i], h.sport);
    if (_i != ARP)
        ops_set_u64(&o, dst[_i], h.dport);
    build(&want, _i, &h);
    run_expect();
}
END_TEST

START_TEST(test_set_field_follows_the_packet_not_the_name)
{
    struct hdr h = BASE;

    build(&p, TCP4, &BASE);
    h.sport = 5;
    ops_set_u64(&o, FLOW_F_UDP_SRC, 5);
    build(&want, TCP4, &h);
    run_expect();
}
END_TEST

START_TEST(test_set_field_of_an_absent_header_does_nothing)
{
    uint8_t v6[16] = { 0xfd };

    build(&p, ARP, &BASE);
    want = p;
    ops_set(&o, FLOW_F_IPV6_SRC, v6);
    ops_set(&o, FLOW_F_ND_TARGET, v6);
    ops_set_u64(&o, FLOW_F_TCP_DST, 5);
    ops_set_u64(&o, FLOW_F_IP_DSCP, 5);
    ops_set_u64(&o, FLOW_F_VLAN_VID, 0x1005);
    ops_set_u64(&o, FLOW_F_MPLS_LABEL, 5);
    ops_set_u64(&o, FLOW_F_PBB_ISID, 5);
    ops_add(&o, DP_OP_DEC_NW_TTL, 0, 0);
    ops_add(&o, DP_OP_SET_NW_TTL, 0, 3);
    ops_add(&o, DP_OP_DEC_MPLS_TTL, 0, 0);
    ops_add(&o, DP_OP_COPY_TTL_IN, 0, 0);
    ops_add(&o, DP_OP_COPY_TTL_OUT, 0, 0);
    run_expect();
}
END_TEST

START_TEST(test_set_field_udp_without_checksum_stays_without)
{
    build(&p, UDP4, &BASE);
    put_be16(p.b + p.l4 + 6, 0);
    want = p;
    put_be32(want.b + want.l3 + 12, 0x01020304);
    put_be16(want.b + want.l4, 9);
    put_be16(want.b + want.l3 + 10, 0);
    put_be16(want.b + want.l3 + 10,
             (uint16_t) ~pkt_sum(want.b + want.l3, 20, 0));
    ops_set_u64(&o, FLOW_F_IPV4_SRC, 0x01020304);
    ops_set_u64(&o, FLOW_F_UDP_SRC, 9);
    run_expect();
}
END_TEST

START_TEST(test_set_field_udp_checksum_that_becomes_zero_is_ffff)
{
    struct hdr h = BASE;

    /* A port for which the sum comes out as 0xffff. */
    for (uint32_t port = 1; port < 65536; port++) {
        h.dport = (uint16_t) port;
        build(&want, UDP4, &h);
        if (get_be16(want.b + want.l4 + 6) == 0xffff)
            break;
    }
    ck_assert_uint_eq(get_be16(want.b + want.l4 + 6), 0xffff);
    build(&p, UDP4, &BASE);
    ops_set_u64(&o, FLOW_F_UDP_DST, h.dport);
    run_expect();
}
END_TEST

START_TEST(test_set_field_dscp_and_ecn)
{
    uint8_t *l3;

    build(&p, _i ? UDP6 : UDP4, &BASE);
    want = p;
    l3 = want.b + want.l3;
    if (_i) {
        put_be16(l3, 0x6000 | 46 << 6 | 1 << 4);
    } else {
        l3[1] = 46 << 2 | 1;
        put_be16(l3 + 10, 0);
        put_be16(l3 + 10, (uint16_t) ~pkt_sum(l3, 20, 0));
    }
    ops_set_u64(&o, FLOW_F_IP_DSCP, 46);
    ops_set_u64(&o, FLOW_F_IP_ECN, 1);
    run_expect();
}
END_TEST

/* Into 'q' a TCP segment whose IP header names 'proto': with hop-by-hop and
 * destination options in front of it when 'n_ext'. */
static void
build_proto(struct pkt *q, bool v6, uint8_t proto, unsigned n_ext)
{
    uint8_t *l4;
    size_t n;

    build(q, v6 ? TCP6 : TCP4, &BASE);
    l4 = q->b + q->l4;
    n = q->len - q->l4;
    put_be16(l4 + 16, 0);
    put_be16(l4 + 16, (uint16_t) ~pkt_sum(
                          l4, n, pkt_pseudo(q->b + q->l3, proto, n)));
    if (!v6) {
        q->b[q->l3 + 9] = proto;
        put_be16(q->b + q->l3 + 10, 0);
        put_be16(q->b + q->l3 + 10,
                 (uint16_t) ~pkt_sum(q->b + q->l3, 20, 0));
        return;
    }
    memmove(l4 + 8 * n_ext, l4, n);
    q->len += 8 * n_ext;
    put_be16(q->b + q->l3 + 4, (uint16_t) (n + 8 * n_ext));
    q->b[q->l3 + 6] = n_ext ? 0 : proto;
    for (unsigned i = 0; i < n_ext; i++)
        memcpy(l4 + 8 * i, "\x3c\0\1\4\0\0\0\0", 8); /* PadN */
    if (n_ext)
        l4[8 * (n_ext - 1)] = proto;
}

/* The case of IPv6 is also one of the OpenFlow switch test tool's. */
START_TEST(test_set_field_ip_proto_keeps_checksums_right)
{
    build_proto(&p, _i, 6, _i ? (unsigned) _i - 1 : 0);
    build_proto(&want, _i, 17, _i ? (unsigned) _i - 1 : 0);
    ops_set_u64(&o, FLOW_F_IP_PROTO, 17);
    run_expect();
}
END_TEST

START_TEST(test_set_field_masked_writes_only_masked_bits)
{
    struct hdr h = BASE;
    struct dp_op *op = (struct dp_op *) (void *) o.w;

    build(&p, TCP4, &BASE);
    ops_set_u64(&o, FLOW_F_IPV4_DST, 0x00c80000);
    put_be32(op->data + 4, 0x00ff0000);
    h.dst4 = 0x0ac80002;
    build(&want, TCP4, &h);
    run_expect();
}
END_TEST

START_TEST(test_set_field_ethernet_label_and_arp_hardware)
{
    build(&p, UDP6, &BASE);
    want = p;
    memcpy(want.b, PKT_MAC(0x31), 6);
    memcpy(want.b + 6, PKT_MAC(0x32), 6);
    put_be32(want.b + want.l3, 0x60054321);
    ops_set_u64(&o, FLOW_F_ETH_DST, 0x31);
    ops_set_u64(&o, FLOW_F_ETH_SRC, 0x32);
    ops_set_u64(&o, FLOW_F_IPV6_FLABEL, 0x54321);
    run_expect();
    o.n = 0;
    build(&p, ARP, &BASE);
    want = p;
    memcpy(want.b + 14 + 8, PKT_MAC(0x41), 6);
    memcpy(want.b + 14 + 18, PKT_MAC(0x42), 6);
    ops_set_u64(&o, FLOW_F_ARP_SHA, 0x41);
    ops_set_u64(&o, FLOW_F_ARP_THA, 0x42);
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    bed_rule(&b, 2, &BED_ANY, &o);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    bed_expect(&b, 2, &want);
}
END_TEST

static void
build_nd(struct pkt *q, uint8_t target, uint8_t lladdr)
{
    uint8_t *t;

    pkt_init(q);
    pkt_eth(q, PKT_MAC(2), PKT_MAC(1), 0x86dd);
    pkt_ipv6(q, 1, 2, 58);
    pkt_icmp(q, 135, 0);
    pkt_payload(q, 24);
    t = q->b + q->l4 + 8;
    memset(t, 0, 24);
    t[0] = 0xfd;
    t[15] = target;
    t[16] = 1; /* Source link-layer address. */
    t[17] = 1;
    t[23] = lladdr;
    pkt_end(q);
}

START_TEST(test_set_field_nd_target_and_option)
{
    uint8_t v6[16] = { 0xfd, [15] = 0x66 };

    build_nd(&p, 5, 6);
    build_nd(&want, 0x66, 0x67);
    ops_set(&o, FLOW_F_ND_TARGET, v6);
    ops_set_u64(&o, FLOW_F_ND_SLL, 0x67);
    ops_set_u64(&o, FLOW_F_ND_TLL, 0x99); /* Not there. */
    run_expect();
}
END_TEST

/* --------------------------------------------------------------------- TTL */

static void
set_ttl(struct pkt *q, uint8_t ttl)
{
    uint8_t *l3 = q->b + q->l3;

    if (l3[0] >> 4 == 6) {
        l3[7] = ttl;
        return;
    }
    l3[8] = ttl;
    put_be16(l3 + 10, 0);
    put_be16(l3 + 10, (uint16_t) ~pkt_sum(l3, 20, 0));
}

/* ------------------------------------------------------------- copy-field */

START_TEST(test_copy_field_moves_bits_between_fields_of_the_packet)
{
    struct hdr h = BASE;

    build(&p, UDP4, &h);
    h.dport = (uint16_t) ((h.dport & 0xf00f) | (h.sport & 0x7f8) << 1);
    build(&want, UDP4, &h);
    ops_copy(&o, FLOW_F_UDP_SRC, 3, FLOW_F_UDP_DST, 4, 8);
    run_expect();
}
END_TEST

START_TEST(test_copy_field_sees_what_was_set_before_it)
{
    struct hdr h = BASE;

    build(&p, TCP6, &h);
    h.sport = h.dport = 77;
    build(&want, TCP6, &h);
    ops_set_u64(&o, FLOW_F_TCP_SRC, 77);
    ops_copy(&o, FLOW_F_TCP_SRC, 0, FLOW_F_TCP_DST, 0, 16);
    run_expect();
}
END_TEST

/* Metadata out of the packet is matched in the next table, told to the
 * controller, and copied back into packets, of two packets on one path. */
START_TEST(test_copy_field_to_metadata_differs_between_packets_of_a_path)
{
    struct dp_instr in = bed_apply(&o);
    struct flow_match m;
    struct ops next;
    struct hdr h = BASE;

    in.goto_table = 1;
    ops_set_u64(&o, FLOW_F_METADATA, 0xab0000);
    ops_copy(&o, FLOW_F_UDP_SRC, 0, FLOW_F_METADATA, 0, 16);
    in.apply = ops_list(&o);
    bed_rule_in(&b, 0, 1, &BED_ANY, &in);
    for (unsigned i = 0; i < 2; i++) {
        next.n = 0;
        memset(&m, 0, sizeof m);
        match_u64(&m, FLOW_F_METADATA, 0xab0000 + 1000 + i);
        ops_copy(&next, FLOW_F_METADATA, 0, FLOW_F_UDP_DST, 0, 16);
        ops_add(&next, DP_OP_CONTROLLER, DP_PUNT_ACTION, 0xffff);
        ops_add(&next, DP_OP_OUTPUT, 0, 2 + i);
        in = bed_apply(&next);
        bed_rule_in(&b, 1, 1, &m, &in);
    }
    for (unsigned again = 0; again < 3; again++)
        for (unsigned i = 0; i < 2; i++) {
            h = BASE;
            h.sport = (uint16_t) (1000 + i);
            build(&p, UDP4, &h);
            bed_feed(&b, 1, &p);
            bed_run(&b);
            h.dport = h.sport;
            build(&want, UDP4, &h);
            bed_expect(&b, 2 + i, &want);
            bed_expect_none(&b, 3 - i);
            ck_assert_uint_eq(b.punt.metadata, 0xab0000u + 1000 + i);
        }
}
END_TEST

START_TEST(test_copy_field_outside_a_field_is_refused)
{
    struct dp_instr in;
    struct dp_rule *r;

    ops_copy(&o, FLOW_F_UDP_SRC, 8, FLOW_F_UDP_DST, 0, 9);
    in = bed_apply(&o);
    ck_assert_int_eq(dp_rule_add(b.br, 0, 1, &BED_ANY, &in, 0, &r), -EINVAL);
    o.n = 0;
    ops_copy(&o, FLOW_F_UDP_SRC, 0, FLOW_F_IN_PORT, 0, 16);
    in = bed_apply(&o);
    ck_assert_int_eq(dp_rule_add(b.br, 0, 1, &BED_ANY, &in, 0, &r), -EINVAL);
}
END_TEST

START_TEST(test_dec_and_set_ttl)
{
    build(&p, _i ? UDP6 : UDP4, &BASE);
    want = p;
    set_ttl(&want, 9);
    ops_add(&o, DP_OP_SET_NW_TTL, 0, 10);
    ops_add(&o, DP_OP_DEC_NW_TTL, 0, 0);
    run_expect();
}
END_TEST

START_TEST(test_dec_ttl_of_one_is_dropped_or_punted)
{
    build(&p, _i ? UDP6 : UDP4, &BASE);
    set_ttl(&p, 1);
    ops_add(&o, DP_OP_DEC_NW_TTL, 0, 0);
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    bed_rule(&b, 1, &BED_ANY, &o);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    bed_expect_none(&b, 2);
    ck_assert_uint_eq(bed_drops(&b, DROP_BAD_TTL), 1);
    dp_bridge_set_ttl_punt(b.br, true);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    bed_expect_none(&b, 2);
    ck_assert_uint_eq(b.n_punts, 1);
    ck_assert_int_eq(b.punt.reason, DP_PUNT_INVALID_TTL);
    ck_assert_uint_eq(b.punt.cookie, 0xc00c);
    ck_assert_mem_eq(b.punt_data, p.b, p.len);
}
END_TEST

/* -------------------------------------------------------- VLAN, MPLS, PBB */

static void
build_tagged(struct pkt *q, int n, const uint16_t *tpid, const uint16_t *tci)
{
    pkt_init(q);
    pkt_eth(q, PKT_MAC(2), PKT_MAC(1), 0x0800);
    for (int i = 0; i < n; i++)
        pkt_vlan(q, tpid[i], tci[i], 0x0800);
    /* pkt_vlan writes its TPID in front; inner tags need it again. */
    for (int i = 1; i < n; i++)
        put_be16(q->b + 12 + 4 * i, tpid[i]);
    pkt_ipv4(q, 0x0a000001, 0x0a000002, 6);
    pkt_tcp(q, 1, 2, 0x10);
    pkt_payload(q, 10);
    pkt_end(q);
}

START_TEST(test_push_vlan_copies_the_tag_below)
{
    const uint16_t tpid[] = { 0x88a8, 0x8100 }, tci[] = { 0xa00b, 0xa00b };
    const uint16_t set[] = { 0xc014, 0xa00b };

    build_tagged(&p, 1, tpid + 1, tci + 1);
    build_tagged(&want, 2, tpid, tci);
    ops_add(&o, DP_OP_PUSH_VLAN, 0, 0x88a8);
    run_expect();
    o.n = 0;
    ops_add(&o, DP_OP_PUSH_VLAN, 0, 0x88a8);
    ops_set_u64(&o, FLOW_F_VLAN_VID, 0x1014);
    ops_set_u64(&o, FLOW_F_VLAN_PCP, 6);
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    bed_rule(&b, 2, &BED_ANY, &o);
    build_tagged(&want, 2, tpid, set);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    bed_expect(&b, 2, &want);
}
END_TEST

START_TEST(test_push_vlan_on_untagged_and_only_if_untagged)
{
    const uint16_t tpid = 0x8100, tci = 0x0005;

    build_tagged(&p, 0, NULL, NULL);
    build_tagged(&want, 1, &tpid, &tci);
    ops_add(&o, DP_OP_PUSH_VLAN, 1, 0x8100);
    ops_add(&o, DP_OP_PUSH_VLAN, 1, 0x8100);
    ops_set_u64(&o, FLOW_F_VLAN_VID, 0x1005);
    run_expect();
}
END_TEST

START_TEST(test_pop_vlan_takes_the_outermost_and_refuses_untagged)
{
    const uint16_t tpid[] = { 0x88a8, 0x8100 }, tci[] = { 7, 8 };

    build_tagged(&p, 2, tpid, tci);
    build_tagged(&want, 0, NULL, NULL);
    ops_add(&o, DP_OP_POP_VLAN, 0, 0);
    ops_add(&o, DP_OP_POP_VLAN, 0, 0);
    ops_add(&o, DP_OP_POP_VLAN, 1, 0); /* No tag is no error. */
    run_expect();
    build_tagged(&p, 1, tpid, tci);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    bed_expect_none(&b, 2);
    ck_assert_uint_eq(bed_drops(&b, DROP_NO_TAG), 1);
}
END_TEST

START_TEST(test_set_field_after_push_vlan_finds_its_header)
{
    const uint16_t tpid = 0x8100, tci = 0;
    uint8_t *l3;

    build_tagged(&p, 0, NULL, NULL);
    build_tagged(&want, 1, &tpid, &tci);
    l3 = want.b + want.l3;
    put_be32(l3 + 16, 0x01010101);
    put_be16(want.b + want.l4, 99);
    put_be16(want.b + want.l4 + 16, 0);
    pkt_end(&want);
    put_be16(l3 + 10, 0);
    put_be16(l3 + 10, (uint16_t) ~pkt_sum(l3, 20, 0));
    ops_add(&o, DP_OP_PUSH_VLAN, 0, 0x8100);
    ops_set_u64(&o, FLOW_F_IPV4_DST, 0x01010101);
    ops_set_u64(&o, FLOW_F_TCP_SRC, 99);
    run_expect();
    ck_assert(pkt_checksums_hold(want.b, want.len));
}
END_TEST

static void
build_mpls(struct pkt *q, int n, const uint32_t *label, const uint8_t *ttl,
           uint8_t ip_ttl)
{
    pkt_init(q);
    pkt_eth(q, PKT_MAC(2), PKT_MAC(1), n ? 0x8847 : 0x0800);
    for (int i = 0; i < n; i++)
        pkt_mpls(q, label[i], 0, i == n - 1, ttl[i]);
    pkt_ipv4(q, 0x0a000001, 0x0a000002, 17);
    pkt_udp(q, 1, 2);
    pkt_payload(q, 10);
    pkt_end(q);
    set_ttl(q, ip_ttl);
}

START_TEST(test_push_mpls_takes_label_and_ttl_from_below)
{
    const uint32_t label[] = { 300, 0 };
    const uint8_t ttl[] = { 44, 44 };

    build_mpls(&p, 0, NULL, NULL, 44);
    build_mpls(&want, 2, label, ttl, 44);
    ops_add(&o, DP_OP_PUSH_MPLS, 0, 0x8847);
    ops_add(&o, DP_OP_PUSH_MPLS, 0, 0x8847);
    ops_set_u64(&o, FLOW_F_MPLS_LABEL, 300);
    run_expect();
}
END_TEST

START_TEST(test_mpls_ttl_ops_and_pop)
{
    const uint32_t label[] = { 100, 200 };
    const uint8_t ttl[] = { 33, 44 };

    build_mpls(&p, 2, label, ttl, 55);
    build_mpls(&want, 0, NULL, NULL, 31);
    ops_add(&o, DP_OP_DEC_MPLS_TTL, 0, 0);      /* 32 44 55 */
    ops_add(&o, DP_OP_COPY_TTL_IN, 0, 0);       /* 32 32 55 */
    ops_add(&o, DP_OP_POP_MPLS, 0, 0x8847);     /* 32 55 */
    ops_add(&o, DP_OP_COPY_TTL_OUT, 0, 0);      /* 55 55 */
    ops_add(&o, DP_OP_SET_MPLS_TTL, 0, 31);     /* 31 55 */
    ops_add(&o, DP_OP_COPY_TTL_IN, 0, 0);       /* 31 31 */
    ops_add(&o, DP_OP_POP_MPLS, 0, 0x0800);
    run_expect();
    bed_feed(&b, 1, &want); /* No label. */
    bed_run(&b);
    ck_assert_uint_eq(bed_drops(&b, DROP_NO_TAG), 1);
}
END_TEST

START_TEST(test_push_pbb_and_pop_pbb)
{
    build(&p, UDP4, &BASE);
    pkt_init(&want);
    pkt_eth(&want, PKT_MAC(2), PKT_MAC(1), 0x88e7);
    memcpy(want.b + 14, (const uint8_t[4]) { 0, 0x12, 0x34, 0x56 }, 4);
    memcpy(want.b + 18, p.b, p.len);
    want.len = 18 + p.len;
    ops_add(&o, DP_OP_PUSH_PBB, 0, 0x88e7);
    ops_set_u64(&o, FLOW_F_PBB_ISID, 0x123456);
    run_expect();
    o.n = 0;
    ops_add(&o, DP_OP_POP_PBB, 0, 0);
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    bed_rule(&b, 2, &BED_ANY, &o);
    bed_feed(&b, 1, &want);
    bed_run(&b);
    bed_expect(&b, 2, &p);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    ck_assert_uint_eq(bed_drops(&b, DROP_NO_TAG), 1);
}
END_TEST

START_TEST(test_action_set_runs_in_the_order_of_the_specification)
{
    const uint16_t tpid = 0x8100, tci = 0x0007;
    struct dp_instr in = { .goto_table = DP_NO_TABLE };

    /* Written the other way round, twice: §5.10 says pop, push, dec, set. */
    ops_add(&o, DP_OP_OUTPUT, 0, 3);
    ops_set_u64(&o, FLOW_F_VLAN_VID, 0x1009);
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    ops_set_u64(&o, FLOW_F_VLAN_VID, 0x1007);
    ops_add(&o, DP_OP_DEC_NW_TTL, 0, 0);
    ops_add(&o, DP_OP_PUSH_VLAN, 0, 0x8100);
    in.write = ops_list(&o);
    bed_rule_in(&b, 0, 1, &BED_ANY, &in);
    build_tagged(&p, 0, NULL, NULL);
    build_tagged(&want, 1, &tpid, &tci);
    set_ttl(&want, 63);
    bed_feed(&b, 1, &p);
    bed_run(&b);
    bed_expect(&b, 2, &want);
    bed_expect_none(&b, 3);
}
END_TEST

/* ------------------------------------------------------------------ offload */

/* A frame whose L4 checksum is left to the device: 'gso' > 0: large. */
static struct rte_mbuf *
partial(const struct pkt *q, bool v6, uint16_t gso)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(b.dp->env.big_pool);
    uint8_t *d;

    d = (uint8_t *) rte_pktmbuf_append(m, (uint16_t) q->len);
    memcpy(d, q->b, q->len);
    put_be16(d + q->l4 + (q->proto == 6 ? 16 : 6),
             (uint16_t) pkt_sum(NULL, 0, pkt_pseudo(q->b + q->l3, q->proto,
                                                    q->len - q->l4)));
    m->l2_len = q->l3;
    m->l3_len = q->l4 - q->l3;
    m->l4_len = 20;
    m->ol_flags |= (v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4)
                   | (q->proto == 6 ? RTE_MBUF_F_TX_TCP_CKSUM
                                    : RTE_MBUF_F_TX_UDP_CKSUM);
    if (gso) {
        m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
        m->tso_segsz = gso;
    }
    return m;
}

START_TEST(test_partial_checksum_survives_rewrites_and_is_finished)
{
    static const enum kind kinds[] = { TCP4, UDP4, TCP6, UDP6 };
    enum kind k = kinds[_i % 4];
    bool v6 = k >= UDP6;
    struct hdr h = BASE;
    uint8_t a[16] = { 0xfd, [15] = 0x55 };
    struct rte_mbuf *m;

    /* Half of the runs by a port that cannot finish it. */
    bed_add_port(&b, b.br, 5, _i < 4 ? 0 : PORT_CAP_CSUM);
    build(&p, k, &BASE);
    h.src4 = 0x05060708;
    h.src6 = 0x55;
    h.dport = 4242;
    if (v6)
        ops_set(&o, FLOW_F_IPV6_SRC, a);
    else
        ops_set_u64(&o, FLOW_F_IPV4_SRC, h.src4);
    ops_set_u64(&o, FLOW_F_TCP_DST, h.dport);
    ops_add(&o, DP_OP_PUSH_VLAN, 0, 0x8100);
    ops_add(&o, DP_OP_OUTPUT, 0, 5);
    bed_rule(&b, 1, &BED_ANY, &o);
    bed_feed_mbuf(&b, 1, partial(&p, v6, 0));
    bed_run(&b);
    build(&want, k, &h);
    m = bed_take(&b, 5);
    ck_assert_ptr_nonnull(m);
    if (_i >= 4) {
        ck_assert(offload_pending(m));
        ck_assert_int_eq(offload_checksum(m), 0);
    }
    ck_assert(!offload_pending(m));
    ck_assert_uint_eq(m->pkt_len, want.len + 4);
    ck_assert_mem_eq(rte_pktmbuf_mtod_offset(m, uint8_t *, 18), want.b + 14,
                     want.len - 14);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(test_large_segment_is_cut_for_a_port_that_cannot_and_counts_once)
{
    struct dp_balance x;
    struct dp_port_info info;
    struct rte_mbuf *m;
    unsigned n = 0;

    bed_add_port(&b, b.br, 5, 0);
    pkt_init(&p);
    pkt_eth(&p, PKT_MAC(2), PKT_MAC(1), 0x0800);
    pkt_ipv4(&p, 1, 2, 6);
    pkt_tcp(&p, 1, 2, 0x10);
    pkt_payload(&p, 10 * 1460 + 100);
    pkt_end(&p);
    ops_add(&o, DP_OP_OUTPUT, 0, 2);
    ops_add(&o, DP_OP_OUTPUT, 0, 5);
    bed_rule(&b, 1, &BED_ANY, &o);
    bed_feed_mbuf(&b, 1, partial(&p, false, 1460));
    bed_run(&b);
    ck_assert_uint_eq(bed_count(&b, 2), 1); /* Can: whole. */
    while ((m = bed_take(&b, 5))) {
        uint8_t buf[2048];

        ck_assert_uint_le(m->pkt_len, 1514);
        ck_assert(pkt_checksums_hold(rte_pktmbuf_read(m, 0, m->pkt_len, buf),
                                     m->pkt_len));
        n++;
        rte_pktmbuf_free(m);
    }
    ck_assert_uint_eq(n, 11);
    dp_bridge_get_balance(b.br, &x);
    ck_assert_uint_eq(x.received, 1);
    ck_assert_uint_eq(x.copied, 1);
    ck_assert_uint_eq(x.sent, 2);
    ck_assert_int_eq(dp_port_get(b.br, 5, &info), 0);
    ck_assert_uint_eq(info.stats.tx_packets, 11);
    /* A queue that takes only some of the frames. */
    b.ports[5].tx_room = 3;
    bed_feed_mbuf(&b, 1, partial(&p, false, 1460));
    bed_run(&b);
    dp_bridge_get_balance(b.br, &x);
    ck_assert_uint_eq(x.sent, 4);
    b.ports[5].tx_room = 0;
    bed_feed_mbuf(&b, 1, partial(&p, false, 1460));
    bed_run(&b);
    ck_assert_uint_eq(bed_drops(&b, DROP_TX_FULL), 1);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("datapath");
    TCase *tc = tcase_create("dp_ops");
    SRunner *sr;
    int failed;

    tcase_add_unchecked_fixture(tc, bed_eal_up, NULL);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, test_set_field_addresses_keep_checksums_right, 0,
                        N_KINDS);
    tcase_add_loop_test(tc, test_set_field_ports_types_and_arp_op, 0, N_KINDS);
    tcase_add_test(tc, test_set_field_follows_the_packet_not_the_name);
    tcase_add_test(tc, test_set_field_of_an_absent_header_does_nothing);
    tcase_add_test(tc, test_set_field_udp_without_checksum_stays_without);
    tcase_add_test(tc, test_set_field_udp_checksum_that_becomes_zero_is_ffff);
    tcase_add_loop_test(tc, test_set_field_dscp_and_ecn, 0, 2);
    tcase_add_loop_test(tc, test_set_field_ip_proto_keeps_checksums_right, 0,
                        4);
    tcase_add_test(tc, test_set_field_masked_writes_only_masked_bits);
    tcase_add_test(tc, test_set_field_ethernet_label_and_arp_hardware);
    tcase_add_test(tc, test_set_field_nd_target_and_option);
    tcase_add_test(
        tc, test_copy_field_moves_bits_between_fields_of_the_packet);
    tcase_add_test(tc, test_copy_field_sees_what_was_set_before_it);
    tcase_add_test(
        tc, test_copy_field_to_metadata_differs_between_packets_of_a_path);
    tcase_add_test(tc, test_copy_field_outside_a_field_is_refused);
    tcase_add_loop_test(tc, test_dec_and_set_ttl, 0, 2);
    tcase_add_loop_test(tc, test_dec_ttl_of_one_is_dropped_or_punted, 0, 2);
    tcase_add_test(tc, test_push_vlan_copies_the_tag_below);
    tcase_add_test(tc, test_push_vlan_on_untagged_and_only_if_untagged);
    tcase_add_test(tc, test_pop_vlan_takes_the_outermost_and_refuses_untagged);
    tcase_add_test(tc, test_set_field_after_push_vlan_finds_its_header);
    tcase_add_test(tc, test_push_mpls_takes_label_and_ttl_from_below);
    tcase_add_test(tc, test_mpls_ttl_ops_and_pop);
    tcase_add_test(tc, test_push_pbb_and_pop_pbb);
    tcase_add_test(tc, test_action_set_runs_in_the_order_of_the_specification);
    tcase_add_loop_test(tc,
                        test_partial_checksum_survives_rewrites_and_is_finished,
                        0, 8);
    tcase_add_test(
        tc, test_large_segment_is_cut_for_a_port_that_cannot_and_counts_once);
    suite_add_tcase(s, tc);
    sr = srunner_create(s);
    srunner_set_fork_status(sr, CK_NOFORK);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
