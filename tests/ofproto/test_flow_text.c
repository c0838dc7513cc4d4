/* SPDX-License-Identifier: Apache-2.0 */
/* Flow text: what ovs-ofctl 3.1 prints and accepts.
 * Source of the golden texts: `ovs-ofctl -O OpenFlow13 parse-flow` of Open
 * vSwitch 3.1.0, by hand; tests/ofproto/flow_text_ovs.py compares thousands
 * more with the one that is installed. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flow_text_random.h"
#include "ofproto/ofproto.h"
#include "ofproto/text/flow_text.h"

/* Reads 'text' (in memory of its exact size) and prints it again. */
static char *
normal(const char *text, struct weft_err *e)
{
    struct base_str s = BASE_STR_INIT;
    char *exact = strdup(text);
    struct ofp_flow_text f;
    int err = ofp_text_parse_flow(exact, OFP_TEXT_FLOW, &f, e);

    free(exact);
    if (err) {
        ck_assert_int_eq(err, -EINVAL);
        return NULL;
    }
    ofp_text_add_match(&s, &f.match);
    base_str_add(&s, " actions=");
    ofp_text_add_instr(&s, &f.instr);
    ofp_flow_text_fini(&f);
    return base_str_steal(&s);
}

struct golden {
    const char *in, *out;
};

static const struct golden matches[] = {
    { "", "" },
    { "in_port=1", "in_port=1" },
    { "in_port=LOCAL", "in_port=LOCAL" },
    { "in_port=65534", "in_port=LOCAL" },
    { "in_port=0xfffe", "in_port=0xfffe" }, /* No port: not LOCAL. */
    { "metadata=18", "metadata=0x12" },
    { "metadata=0x12/0xff", "metadata=0x12/0xff" },
    { "tun_id=5001", "tun_id=0x1389" },
    { "tunnel_id=0", "tun_id=0" },
    { "tun_id=0x10/0xff,tun_src=1.2.3.4,tun_dst=1.2.3.0/24",
      "tun_id=0x10/0xff,tun_src=1.2.3.4,tun_dst=1.2.3.0/24" },
    { "tun_src=1.2.3.4/255.0.255.0", "tun_src=1.0.3.0/255.0.255.0" },
    { "in_port=1,tun_id=5,metadata=3,dl_src=00:00:00:00:00:01,"
      "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,dl_vlan=5,dl_vlan_pcp=3,"
      "tcp,nw_src=1.0.0.0/8,nw_dst=2.0.0.0/8,nw_tos=32,nw_ecn=2,tp_src=1,"
      "tp_dst=2",
      "tcp,tun_id=0x5,metadata=0x3,in_port=1,dl_vlan=5,dl_vlan_pcp=3,"
      "dl_src=00:00:00:00:00:01,"
      "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,nw_src=1.0.0.0/8,"
      "nw_dst=2.0.0.0/8,nw_tos=32,nw_ecn=2,tp_src=1,tp_dst=2" },
    { "dl_vlan=0xffff", "vlan_tci=0x0000/0x1fff" },
    { "dl_vlan=0", "dl_vlan=0" },
    { "vlan_vid=0x1005", "dl_vlan=5" },
    { "vlan_vid=0", "vlan_tci=0x0000/0x1fff" },
    { "vlan_vid=0x1000/0x1000", "vlan_tci=0x1000/0x1000" },
    { "vlan_vid=0x1005/0x100f", "vlan_tci=0x1005/0x100f" },
    { "vlan_vid=0/0x1000", "vlan_tci=0x0000/0x1000" },
    { "vlan_tci=0x7005", "dl_vlan=5,dl_vlan_pcp=3" },
    { "vlan_tci=0x7000/0xf000", "dl_vlan_pcp=3" },
    { "dl_vlan_pcp=3", "dl_vlan_pcp=3" },
    { "vlan_pcp=3,vlan_vid=0x1005", "dl_vlan=5,dl_vlan_pcp=3" },
    { "dl_vlan=5,vlan_tci=0x1005", "dl_vlan=5,dl_vlan_pcp=0" },
    { "dl_type=0x800", "ip" },
    { "dl_type=0x806", "arp" },
    { "dl_type=0x8035", "rarp" },
    { "dl_type=0x88e7", "dl_type=0x88e7" },
    { "dl_type=0x05ff", "dl_type=0x05ff" },
    { "mplsm", "mplsm" },
    { "dl_type=0x8847,mpls_label=0x5,mpls_tc=3,mpls_bos=1",
      "mpls,mpls_label=5,mpls_tc=3,mpls_bos=1" },
    { "mpls,mpls_ttl=5", "mpls,mpls_ttl=5" },
    { "ip,nw_proto=6", "tcp" },
    { "ip,nw_proto=50", "ip,nw_proto=50" },
    { "ip,nw_proto=6,tcp_src=80", "tcp,tp_src=80" },
    { "tcp_dst=80 tcp", "tcp,tp_dst=80" },
    { "ip,ip_proto=17,udp_dst=53/0xff", "udp,tp_dst=0x35/0xff" },
    { "tcp,tp_src=0x1f0/0xfff0", "tcp,tp_src=0x1f0/0xfff0" },
    { "sctp,sctp_dst=1", "sctp,tp_dst=1" },
    { "tcp6,tcp_dst=80", "tcp6,tp_dst=80" },
    { "icmp,icmp_type=8,icmp_code=0", "icmp,icmp_type=8,icmp_code=0" },
    { "icmp,tp_src=8", "icmp,icmp_type=8" },
    { "ipv6,nw_proto=58", "icmp6" },
    { "icmp6,icmpv6_type=135,icmpv6_code=0,nd_target=fe80::1,"
      "nd_sll=00:00:00:00:00:01",
      "icmp6,icmp_type=135,icmp_code=0,nd_target=fe80::1,"
      "nd_sll=00:00:00:00:00:01" },
    { "nd_tll=00:00:00:00:00:01/00:00:00:00:00:ff,icmp_type=136,"
      "nd_target=fe80::/10,icmp6",
      "icmp6,icmp_type=136,nd_target=fe80::/10,"
      "nd_tll=00:00:00:00:00:01/00:00:00:00:00:ff" },
    { "ipv6,ipv6_src=2001:db8::/32,ipv6_dst=::1,ipv6_label=0x12345",
      "ipv6,ipv6_src=2001:db8::/32,ipv6_dst=::1,ipv6_label=0x12345" },
    { "ipv6,ipv6_label=0x5/0xff", "ipv6,ipv6_label=0x00005/0x000ff" },
    { "ipv6,ipv6_src=::1/ffff::ff", "ipv6,ipv6_src=::1/ffff::ff" },
    { "arp,arp_sha=00:00:00:00:00:01,"
      "arp_tha=00:00:00:00:00:02/ff:ff:ff:00:00:00,arp_op=2,"
      "arp_spa=1.2.3.4,arp_tpa=5.0.0.0/8",
      "arp,arp_spa=1.2.3.4,arp_tpa=5.0.0.0/8,arp_op=2,"
      "arp_sha=00:00:00:00:00:01,"
      "arp_tha=00:00:00:00:00:00/ff:ff:ff:00:00:00" },
    { "arp,nw_src=1.2.3.4,nw_proto=1", "arp,arp_spa=1.2.3.4,arp_op=1" },
    { "ip,ip_dscp=46,ip_ecn=1", "ip,nw_tos=184,nw_ecn=1" },
    { "ip,nw_tos=185", "ip,nw_tos=184" },
    { "ip,nw_ttl=64", "ip,nw_ttl=64" },
    { "ip,nw_frag=first", "ip,nw_frag=first" },
    { "ip,nw_frag=no", "ip,nw_frag=no" },
    { "ip,ip_frag=not_later", "ip,nw_frag=not_later" },
    { "tcp,tcp_flags=+syn-ack", "tcp,tcp_flags=+syn-ack" },
    { "tcp,tcp_flags=syn|ack", "tcp,tcp_flags=syn|ack" },
    { "tcp,tcp_flags=0x2/0x12", "tcp,tcp_flags=+syn-ack" },
    { "tcp,tcp_flags=0", "tcp,tcp_flags=0" },
    { "ip,nw_src=10.0.0.1/255.255.255.254", "ip,nw_src=10.0.0.0/31" },
    { "ip,nw_src=10.0.0.0/255.0.255.0", "ip,nw_src=10.0.0.0/255.0.255.0" },
    { "ip,nw_src=10.1.2.3/8", "ip,nw_src=10.0.0.0/8" },
    { "ip,nw_src=0.0.0.0/0", "ip" },
    { "ip,nw_src=*", "ip" },
    { "eth_src=00:00:00:00:00:01,eth_dst=00:00:00:00:00:02,eth_type=0x800,"
      "ip_proto=6,ipv4_src=1.1.1.1,ip_dst=2.2.2.2,tcp_src=1",
      "tcp,dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02,"
      "nw_src=1.1.1.1,nw_dst=2.2.2.2,tp_src=1" },
    { "tcp,tcp", "tcp" },
    { "cookie=0x5, duration=1.5s, table=3, n_packets=1, n_bytes=2,"
      " idle_age=3, hard_age=4, priority=7,ip,in_port=1",
      "ip,in_port=1" },
    /* Ours alone. */
    { "in_port=1,in_phy_port=1", "in_port=1,in_phy_port=1" },
    { "dl_type=0x88e7,pbb_isid=5/0xff", "dl_type=0x88e7,pbb_isid=0x5/0xff" },
    { "ipv6,ipv6_exthdr=0x10", "ipv6,ipv6_exthdr=0x10" },
};

static const struct golden actions[] = {
    { "drop", "drop" },
    { "", "drop" },
    { "output:1", "output:1" },
    { "output=1", "output:1" },
    { "output(1)", "output:1" },
    { "1,2,3", "output:1,output:2,output:3" },
    { "output:1 output:2", "output:1,output:2" },
    { "output:1,,output:2", "output:1,output:2" },
    { "LOCAL", "LOCAL" },
    { "output:4294967294", "LOCAL" },
    { "output:CONTROLLER", "CONTROLLER:65535" },
    { "controller", "CONTROLLER:65535" },
    { "CONTROLLER:0", "CONTROLLER:0" },
    { "controller(max_len=128)", "CONTROLLER:128" },
    { "controller(max_len=10,reason=no_match)",
      "controller(reason=no_match,max_len=10)" },
    { "flood,normal,all,in_port,table", "FLOOD,NORMAL,ALL,IN_PORT,TABLE" },
    { "push_vlan:0x8100,set_field:4101->vlan_vid,output:2",
      "push_vlan:0x8100,set_field:4101->vlan_vid,output:2" },
    { "pop_vlan", "pop_vlan" },
    { "set_field:5->vlan_pcp", "set_field:5->vlan_pcp" },
    { "set_field:00:00:00:00:00:01->eth_src",
      "set_field:00:00:00:00:00:01->eth_src" },
    { "mod_dl_src:00:00:00:00:00:01,mod_dl_dst:00:00:00:00:00:02",
      "set_field:00:00:00:00:00:01->eth_src,"
      "set_field:00:00:00:00:00:02->eth_dst" },
    { "mod_nw_src:1.2.3.4,mod_nw_dst:1.2.3.4,mod_nw_tos:184,mod_nw_ecn:2,"
      "mod_nw_ttl:5",
      "set_field:1.2.3.4->ip_src,set_field:1.2.3.4->ip_dst,"
      "set_field:46->ip_dscp,set_field:2->nw_ecn,mod_nw_ttl:5" },
    { "set_field:80->tcp_src,set_field:81->tcp_dst",
      "set_field:80->tcp_src,set_field:81->tcp_dst" },
    { "mod_tp_src:5", "set_field:5->tcp_src" },
    { "set_field:8->icmp_type,set_field:1->icmpv6_code",
      "set_field:8->icmp_type,set_field:1->icmpv6_code" },
    { "set_field:fe80::1->ipv6_src,set_field:0->ipv6_label",
      "set_field:fe80::1->ipv6_src,set_field:0->ipv6_label" },
    { "set_tunnel:5", "set_field:0x5->tun_id" },
    { "set_field:1.2.3.4->tun_dst", "set_field:1.2.3.4->tun_dst" },
    { "set_mpls_label:5,set_mpls_tc:1,set_mpls_ttl(5),dec_mpls_ttl",
      "set_field:5->mpls_label,set_field:1->mpls_tc,set_mpls_ttl(5),"
      "dec_mpls_ttl" },
    { "push_mpls:0x8847", "push_mpls:0x8847" },
    { "pop_mpls:0x800", "pop_mpls:0x0800" },
    { "dec_ttl", "dec_ttl" },
    { "set_queue:0x5,1", "set_queue:5,output:1" },
    { "group:5", "group:5" },
    { "write_metadata:5", "write_metadata:0x5" },
    { "write_metadata:0/0xff", "write_metadata:0/0xff" },
    { "write_actions()", "drop" },
    { "clear_actions", "clear_actions" },
    { "output:3,meter:1,meter:2", "output:3,meter:1,meter:2" },
    { "move:eth_src[]->NXM_OF_ETH_DST[]",
      "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]" },
    { "move:OXM_OF_METADATA[63]->tun_id[0]",
      "move:OXM_OF_METADATA[63]->NXM_NX_TUN_ID[0]" },
    { "move:NXM_OF_ETH_SRC[0..15]->eth_dst[32..47]",
      "move:NXM_OF_ETH_SRC[0..15]->NXM_OF_ETH_DST[32..47]" },
    { "load:0xa->NXM_OF_ETH_DST[4..7]",
      "set_field:00:00:00:00:00:a0/00:00:00:00:00:f0->eth_dst" },
    { "load:7->tun_id", "set_field:0x7->tun_id" },
    { "meter:1,output:3,clear_actions,write_actions(set_field:5->tun_id,"
      "output:1),write_metadata:0x5/0xff,goto_table:5",
      "meter:1,output:3,clear_actions,write_actions(set_field:0x5->tun_id,"
      "output:1),write_metadata:0x5/0xff,goto_table:5" },
    /* 1.0's, which ovs-ofctl turns into others for 1.3. */
    { "mod_vlan_vid:5,mod_vlan_pcp:3,strip_vlan",
      "mod_vlan_vid:5,mod_vlan_pcp:3,strip_vlan" },
    { "enqueue:1:2", "enqueue:1:2" },
    { "enqueue(IN_PORT,2)", "enqueue:IN_PORT:2" },
    /* Ours alone. */
    { "push_pbb:0x88e7,pop_pbb,copy_ttl_out,copy_ttl_in",
      "push_pbb:0x88e7,pop_pbb,copy_ttl_out,copy_ttl_in" },
    { "set_field:0x5/0xff->tun_id", "set_field:0x5/0xff->tun_id" },
};

/* What is refused, and what the message must name. */
static const struct golden bad[] = {
    { "foo=3,actions=drop", "foo: unknown field" },
    { "tcp,foo,actions=drop", "foo: unknown word" },
    { "in_port,actions=drop", "in_port: value missing" },
    { "in_port=p1,actions=drop", "in_port=p1: p1 is no port number or name" },
    { "in_port=65281,actions=drop", "65281 is neither 0..65280 nor reserved" },
    { "in_port=1/3,actions=drop", "in_port=1/3: takes no mask" },
    { "nw_src=10.0.0.1,actions=drop", "nw_src=10.0.0.1: needs ip" },
    { "tcp_dst=80,actions=drop", "tcp_dst=80: needs tcp or tcp6" },
    { "udp,tcp_dst=80,actions=drop", "tcp_dst=80: needs tcp or tcp6" },
    { "ipv6,nw_src=10.0.0.1,actions=drop", "nw_src=10.0.0.1: needs ip" },
    { "ip,arp_op=1,actions=drop", "arp_op=1: needs arp" },
    { "icmp6,nd_target=::1,actions=drop", "needs icmp6,icmp_type=135" },
    { "mpls_label=1,actions=drop", "needs mpls or mplsm" },
    { "in_phy_port=1,actions=drop", "needs in_port" },
    { "tcp,udp,actions=drop", "udp: contradicts an earlier word" },
    { "in_port=1,in_port=2,actions=drop", "in_port=2: contradicts" },
    { "dl_vlan=5,vlan_vid=0,actions=drop", "vlan_vid=0: contradicts" },
    { "dl_vlan=4096,actions=drop", "dl_vlan=4096: 4096 exceeds 4095" },
    { "dl_vlan_pcp=8,actions=drop", "8 exceeds 7" },
    { "ip,ip_dscp=64,actions=drop", "64 exceeds 63" },
    { "ip,nw_ecn=4,actions=drop", "4 exceeds 3" },
    { "tcp,tp_src=65536,actions=drop", "65536 exceeds 65535" },
    { "ipv6,ipv6_label=0x100000,actions=drop", "0x100000 exceeds 1048575" },
    { "tun_id=0x10000000000000000,actions=drop",
      "exceeds 18446744073709551615" },
    { "arp,arp_op=65536,actions=drop", "65536 exceeds 65535" },
    { "dl_src=00:00:00:00:00:0g,actions=drop", "is no Ethernet address" },
    { "dl_src=00:00:00:00:00:01/8,actions=drop", "8 is no mask" },
    { "ip,nw_src=1.2.3,actions=drop", "1.2.3 is no IPv4 address" },
    { "ip,nw_src=1.2.3.4/33,actions=drop", "prefix length 33 exceeds 32" },
    { "ipv6,ipv6_src=::/129,actions=drop", "prefix length 129 exceeds 128" },
    { "ip,nw_frag=maybe,actions=drop", "maybe is not no, yes" },
    { "tcp,tcp_flags=+foo,actions=drop", "foo is no TCP flag" },
    { "priority=70000,actions=drop", "priority: 70000 exceeds 65535" },
    { "table=256,actions=drop", "table: 256 exceeds 255" },
    { "idle_timeout=x,actions=drop", "idle_timeout: x is not a number" },
    { "ip", "actions= missing" },
    { "actions=bogus", "bogus: unknown or unsupported action" },
    { "actions=resubmit(,1)", "resubmit: unknown or unsupported action" },
    { "actions=output:0", "output: 0 is no port to output to" },
    { "actions=output:ANY", "ANY is no port to output to" },
    { "actions=output:65281", "65281 is neither" },
    { "actions=output:0xfffe", "0xfffe is neither" },
    { "actions=output", "\"\" is no port" },
    { "actions=drop,output:1", "drop: must stand alone" },
    { "actions=output:1,drop", "drop: must stand alone" },
    { "actions=goto_table:5,output:1", "output: must come earlier" },
    { "actions=goto_table:1,goto_table:2", "goto_table: said twice" },
    { "actions=goto_table:254", "goto_table: 254 exceeds 253" },
    { "actions=write_actions(goto_table:1)", "is an instruction" },
    { "actions=write_actions(output:1", "parentheses do not pair" },
    { "actions=output:1)", "parentheses do not pair" },
    { "actions=push_vlan:0x1234", "0x1234 is neither 0x8100 nor 0x88a8" },
    { "actions=push_mpls:0x800", "0x0800 is neither 0x8847 nor 0x8848" },
    { "actions=mod_nw_tos:3", "3 has ECN bits" },
    { "actions=mod_vlan_vid:4096", "4096 exceeds 4095" },
    { "actions=set_field:1->foo", "foo: unknown field" },
    { "actions=set_field:1", "write set_field:VALUE->FIELD" },
    { "actions=set_field:1->in_port", "in_port: cannot be set" },
    { "actions=set_field:1->actset_output",
      "actset_output: cannot be set" },
    { "actions=set_field:1.2.3.4->tcp_src", "1.2.3.4 is not a number" },
    { "actions=set_field:70000->tcp_src", "70000 exceeds 65535" },
    { "actions=set_field:1/1->vlan_pcp", "vlan_pcp: takes no mask" },
    { "actions=controller(id=1)", "controller: id=1 is not supported" },
    { "actions=meter:0", "0 is no meter" },
    { "actions=move:eth_src[0..15]->eth_dst[0..3]", "16 bits do not fit 4" },
    { "actions=move:eth_src[3..1]->eth_dst[0..3]", "run backwards" },
    { "actions=move:eth_src[0..48]->eth_dst[]", "48 exceeds 47" },
    { "actions=move:eth_src[0..->eth_dst[]", "] missing" },
    { "actions=move:eth_srcc[]->eth_dst[]", "eth_srcc: no field" },
    { "actions=move:eth_src[]", "write move:FIELD" },
    { "actions=load:16->eth_dst[0..3]", "16 exceeds 15" },
    { "packet_type=(0x10000,1),actions=drop", "0x10000 exceeds 65535" },
    { "packet_type=(0,actions=drop", "parentheses do not pair" },
    { "actions=pop_vlan:1", "pop_vlan: takes no value" },
    { "actions=enqueue:1", "write enqueue:PORT:QUEUE" },
};

START_TEST(test_text_match_reads_and_prints_as_ovs_ofctl)
{
    const struct golden *g = &matches[_i];
    struct weft_err e = { "" };
    char in[512], out[512], *got;

    snprintf(in, sizeof in, "%s,actions=drop", g->in);
    snprintf(out, sizeof out, "%s actions=drop", g->out);
    got = normal(in, &e);
    ck_assert_msg(got != NULL, "%s: %s", in, e.text);
    ck_assert_str_eq(got, out);
    free(got);
}
END_TEST

START_TEST(test_text_actions_read_and_print_as_ovs_ofctl)
{
    const struct golden *g = &actions[_i];
    struct weft_err e = { "" };
    char in[512], out[512], *got;

    snprintf(in, sizeof in, "actions=%s", g->in);
    snprintf(out, sizeof out, " actions=%s", g->out);
    got = normal(in, &e);
    ck_assert_msg(got != NULL, "%s: %s", in, e.text);
    ck_assert_str_eq(got, out);
    free(got);
}
END_TEST

START_TEST(test_text_refusal_names_word_value_and_limit)
{
    struct weft_err e = { "" };

    ck_assert_ptr_null(normal(bad[_i].in, &e));
    ck_assert_msg(strstr(e.text, bad[_i].out) != NULL, "%s: \"%s\" lacks \"%s\"",
                  bad[_i].in, e.text, bad[_i].out);
}
END_TEST

START_TEST(test_text_every_beginning_of_a_flow_is_read_or_refused)
{
    static const char flow[] =
        "table=3,cookie=0x5/-1,icmp6,icmp_type=135,nd_target=fe80::/10,"
        "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,actions=meter:1,"
        "set_field:4101->vlan_vid,controller(max_len=1,reason=no_match),"
        "write_actions(output:1,group:5),write_metadata:1/2,goto_table:7";
    struct weft_err e;

    for (size_t n = 0; n < sizeof flow; n++) {
        char *cut = strndup(flow, n);

        free(normal(cut, &e));
        free(cut);
    }
}
END_TEST

static void
assert_same_list(const struct dp_op_list *a, const struct dp_op_list *b)
{
    ck_assert_uint_eq(a->n_words, b->n_words);
    if (a->n_words)
        ck_assert_mem_eq(a->ops, b->ops, 8u * (size_t) a->n_words);
}

START_TEST(test_text_random_flows_come_back_the_same)
{
    struct rnd r = { 1 };

    for (unsigned i = 0; i < 20000; i++) {
        struct base_str s = BASE_STR_INIT;
        struct random_flow f;
        struct ofp_flow_text t;
        struct weft_err e;

        random_flow(&r, &f, i % 2);
        ofp_text_add_match(&s, &f.match);
        base_str_add(&s, " actions=");
        ofp_text_add_instr(&s, &f.instr);
        ck_assert_msg(!ofp_text_parse_flow(base_str_cstr(&s), OFP_TEXT_FLOW,
                                           &t, &e),
                      "%s: %s", base_str_cstr(&s), e.text);
        ck_assert_msg(flow_match_equal(&f.match, &t.match), "%s",
                      base_str_cstr(&s));
        assert_same_list(&f.instr.apply, &t.instr.apply);
        assert_same_list(&f.instr.write, &t.instr.write);
        ck_assert_int_eq(f.instr.clear, t.instr.clear);
        ck_assert_uint_eq(f.instr.meter, t.instr.meter);
        ck_assert_uint_eq(f.instr.metadata, t.instr.metadata);
        ck_assert_uint_eq(f.instr.metadata_mask, t.instr.metadata_mask);
        ck_assert_uint_eq(f.instr.goto_table, t.instr.goto_table);
        ofp_flow_text_fini(&t);
        base_str_fini(&s);
    }
}
END_TEST

/* The cache matches every field of every rule: fields that an ARP packet
 * cannot have are zero there and not printed. */
START_TEST(test_text_cached_arp_shows_no_field_of_other_protocols)
{
    struct flow_match m;
    char *text;

    memset(&m, 0, sizeof m);
    m.mask.eth_type = 0xffff;
    m.key.eth_type = be16_from(0x806);
    m.mask.ip_proto = m.mask.ip_tos = m.mask.nw_flags = 0xff;
    m.mask.ip_dst = m.mask.mpls_lse = m.mask.ipv6_label = ~0u;
    m.key.ip_dst = be32_from(0x0a000001);
    m.mask.tp_src = m.mask.tp_dst = m.mask.tcp_flags = 0xffff;
    m.key.tp_src = be16_from(1);
    memset(m.mask.ipv6_dst, 0xff, 16);
    memset(m.mask.nd_target, 0xff, 16);
    text = ofp_format_match(&m);
    ck_assert_str_eq(text, "arp,arp_tpa=10.0.0.1,arp_op=1");
    free(text);
}
END_TEST

START_TEST(test_text_attributes_are_read)
{
    struct ofp_flow_text f;
    struct weft_err e;

    ck_assert_int_eq(
        ofp_text_parse_flow("table=3,priority=9,cookie=0x5,idle_timeout=6,"
                            "hard_timeout=7,send_flow_rem,check_overlap,"
                            "reset_counts,no_packet_counts,no_byte_counts,"
                            "actions=drop",
                            OFP_TEXT_FLOW, &f, &e),
        0);
    ck_assert_uint_eq(f.table, 3);
    ck_assert_uint_eq(f.priority, 9);
    ck_assert(f.has_priority && f.has_actions);
    ck_assert_uint_eq(f.cookie, 5);
    ck_assert_uint_eq(f.cookie_mask, UINT64_MAX);
    ck_assert_uint_eq(f.idle_timeout, 6);
    ck_assert_uint_eq(f.hard_timeout, 7);
    ck_assert_uint_eq(f.flags, 0x1f);
    ofp_flow_text_fini(&f);

    ck_assert_int_eq(ofp_text_parse_flow("cookie=0x15/0xf0,out_port=LOCAL,"
                                         "out_group=7,ip",
                                         OFP_TEXT_FILTER, &f, &e),
                     0);
    ck_assert_uint_eq(f.cookie, 0x15);
    ck_assert_uint_eq(f.cookie_mask, 0xf0);
    ck_assert_uint_eq(f.out_port, DP_PORT_LOCAL);
    ck_assert_uint_eq(f.out_group, 7);
    ck_assert_uint_eq(f.table, DP_NO_TABLE);
    ck_assert(!f.has_priority && !f.has_actions);
    ofp_flow_text_fini(&f);
}
END_TEST

START_TEST(test_text_filter_and_match_refuse_words_of_a_flow)
{
    struct ofp_flow_text f;
    struct flow_match m;
    struct weft_err e;

    ck_assert_int_eq(ofp_text_parse_flow("ip,actions=drop", OFP_TEXT_FILTER,
                                         &f, &e),
                     -EINVAL);
    ck_assert_int_eq(ofp_text_parse_flow("idle_timeout=5", OFP_TEXT_FILTER,
                                         &f, &e),
                     -EINVAL);
    ck_assert_int_eq(ofp_text_parse_match("table=0,ip", &m, &e), -EINVAL);
    ck_assert_int_eq(ofp_text_parse_match("ip", &m, &e), 0);
    ck_assert_int_eq(ofp_text_parse_match("foo", &m, NULL), -EINVAL);
}
END_TEST

START_TEST(test_text_ops_alone_take_no_instruction)
{
    struct dp_op_list list;
    uint64_t *mem;
    struct weft_err e;
    char *text;

    ck_assert_int_eq(ofp_text_parse_ops("dec_ttl,output:TABLE", &list, &mem,
                                        &e),
                     0);
    text = ofp_format_ops(&list);
    ck_assert_str_eq(text, "dec_ttl,TABLE");
    free(text);
    free(mem);
    ck_assert_int_eq(ofp_text_parse_ops("goto_table:1", &list, &mem, &e),
                     -EINVAL);
    ck_assert_int_eq(ofp_text_parse_ops("", &list, &mem, &e), 0);
    ck_assert_uint_eq(list.n_words, 0);
    free(mem);
}
END_TEST

START_TEST(test_text_too_long_or_too_many_words_is_refused)
{
    char *big = malloc(OFP_TEXT_MAX + 2);
    struct flow_match m;
    struct weft_err e;

    memset(big, ',', OFP_TEXT_MAX + 1);
    big[OFP_TEXT_MAX + 1] = '\0';
    ck_assert_int_eq(ofp_text_parse_match(big, &m, &e), -EINVAL);
    big[OFP_TEXT_MAX] = '\0';
    ck_assert_int_eq(ofp_text_parse_match(big, &m, &e), 0);
    for (unsigned i = 0; i < 128; i++)
        memcpy(big + 3 * i, "ip,", 3);
    ck_assert_int_eq(ofp_text_parse_match(big, &m, &e), -EINVAL);
    ck_assert_ptr_nonnull(strstr(e.text, "127 words"));
    free(big);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("ofproto");
    TCase *tc = tcase_create("flow_text");
    SRunner *sr = srunner_create(s);
    int failed;

    suite_add_tcase(s, tc);
    tcase_add_loop_test(tc, test_text_match_reads_and_prints_as_ovs_ofctl, 0,
                        sizeof matches / sizeof matches[0]);
    tcase_add_loop_test(tc, test_text_actions_read_and_print_as_ovs_ofctl, 0,
                        sizeof actions / sizeof actions[0]);
    tcase_add_loop_test(tc, test_text_refusal_names_word_value_and_limit, 0,
                        sizeof bad / sizeof bad[0]);
    tcase_add_test(tc, test_text_every_beginning_of_a_flow_is_read_or_refused);
    tcase_add_test(tc, test_text_random_flows_come_back_the_same);
    tcase_add_test(tc,
                   test_text_cached_arp_shows_no_field_of_other_protocols);
    tcase_add_test(tc, test_text_attributes_are_read);
    tcase_add_test(tc, test_text_filter_and_match_refuse_words_of_a_flow);
    tcase_add_test(tc, test_text_ops_alone_take_no_instruction);
    tcase_add_test(tc, test_text_too_long_or_too_many_words_is_refused);
    tcase_set_timeout(tc, 60);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
