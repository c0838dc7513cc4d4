/* SPDX-License-Identifier: Apache-2.0 */
/* Names of fields and protocols.  Source: ovs-fields(7). */
#include "flow_text_priv.h"

const struct text_proto text_protos[] = {
    { "ip", ETH_IPV4, 0 },          { "icmp", ETH_IPV4, IP_ICMP },
    { "tcp", ETH_IPV4, IP_TCP },    { "udp", ETH_IPV4, IP_UDP },
    { "sctp", ETH_IPV4, IP_SCTP },  { "ipv6", ETH_IPV6, 0 },
    { "ip6", ETH_IPV6, 0 },         { "icmp6", ETH_IPV6, IP_ICMPV6 },
    { "tcp6", ETH_IPV6, IP_TCP },   { "udp6", ETH_IPV6, IP_UDP },
    { "sctp6", ETH_IPV6, IP_SCTP }, { "arp", ETH_ARP, 0 },
    { "rarp", ETH_RARP, 0 },        { "mpls", ETH_MPLS, 0 },
    { "mplsm", ETH_MPLS_MCAST, 0 },
};
const unsigned n_text_protos = WEFT_ARRAY_LEN(text_protos);

#define N_SLOTS 256

static const struct text_name names[] = {
    { "in_port", TEXT_FIELD, FLOW_F_IN_PORT },
    { "in_port_oxm", TEXT_FIELD, FLOW_F_IN_PORT },
    { "in_phy_port", TEXT_FIELD, FLOW_F_IN_PHY_PORT },
    { "metadata", TEXT_FIELD, FLOW_F_METADATA },
    { "tun_id", TEXT_FIELD, FLOW_F_TUN_ID },
    { "tunnel_id", TEXT_FIELD, FLOW_F_TUN_ID },
    { "tun_src", TEXT_FIELD, FLOW_F_TUN_SRC },
    { "tun_dst", TEXT_FIELD, FLOW_F_TUN_DST },
    { "dl_src", TEXT_FIELD, FLOW_F_ETH_SRC },
    { "eth_src", TEXT_FIELD, FLOW_F_ETH_SRC },
    { "dl_dst", TEXT_FIELD, FLOW_F_ETH_DST },
    { "eth_dst", TEXT_FIELD, FLOW_F_ETH_DST },
    { "dl_type", TEXT_FIELD, FLOW_F_ETH_TYPE },
    { "eth_type", TEXT_FIELD, FLOW_F_ETH_TYPE },
    { "vlan_tci", TEXT_VLAN_TCI, FLOW_F_VLAN_VID },
    { "dl_vlan", TEXT_DL_VLAN, FLOW_F_VLAN_VID },
    { "vlan_vid", TEXT_FIELD, FLOW_F_VLAN_VID },
    { "dl_vlan_pcp", TEXT_VLAN_PCP, FLOW_F_VLAN_PCP },
    { "vlan_pcp", TEXT_VLAN_PCP, FLOW_F_VLAN_PCP },
    { "nw_src", TEXT_NW_SRC, FLOW_F_IPV4_SRC },
    { "ip_src", TEXT_NW_SRC, FLOW_F_IPV4_SRC },
    { "ipv4_src", TEXT_FIELD, FLOW_F_IPV4_SRC },
    { "nw_dst", TEXT_NW_DST, FLOW_F_IPV4_DST },
    { "ip_dst", TEXT_NW_DST, FLOW_F_IPV4_DST },
    { "ipv4_dst", TEXT_FIELD, FLOW_F_IPV4_DST },
    { "ipv6_src", TEXT_FIELD, FLOW_F_IPV6_SRC },
    { "ipv6_dst", TEXT_FIELD, FLOW_F_IPV6_DST },
    { "ipv6_label", TEXT_FIELD, FLOW_F_IPV6_FLABEL },
    { "ipv6_flabel", TEXT_FIELD, FLOW_F_IPV6_FLABEL },
    { "ipv6_exthdr", TEXT_FIELD, FLOW_F_IPV6_EXTHDR },
    { "nw_proto", TEXT_NW_PROTO, FLOW_F_IP_PROTO },
    { "ip_proto", TEXT_NW_PROTO, FLOW_F_IP_PROTO },
    { "nw_tos", TEXT_TOS, FLOW_F_IP_DSCP },
    { "ip_dscp", TEXT_FIELD, FLOW_F_IP_DSCP },
    { "nw_ecn", TEXT_FIELD, FLOW_F_IP_ECN },
    { "ip_ecn", TEXT_FIELD, FLOW_F_IP_ECN },
    { "nw_ttl", TEXT_TTL, N_FLOW_FIELDS },
    { "nw_frag", TEXT_FRAG, N_FLOW_FIELDS },
    { "ip_frag", TEXT_FRAG, N_FLOW_FIELDS },
    { "arp_op", TEXT_FIELD, FLOW_F_ARP_OP },
    { "arp_spa", TEXT_FIELD, FLOW_F_ARP_SPA },
    { "arp_tpa", TEXT_FIELD, FLOW_F_ARP_TPA },
    { "arp_sha", TEXT_FIELD, FLOW_F_ARP_SHA },
    { "arp_tha", TEXT_FIELD, FLOW_F_ARP_THA },
    { "tp_src", TEXT_TP_SRC, FLOW_F_TCP_SRC },
    { "tp_dst", TEXT_TP_DST, FLOW_F_TCP_DST },
    { "tcp_src", TEXT_FIELD, FLOW_F_TCP_SRC },
    { "tcp_dst", TEXT_FIELD, FLOW_F_TCP_DST },
    { "udp_src", TEXT_FIELD, FLOW_F_UDP_SRC },
    { "udp_dst", TEXT_FIELD, FLOW_F_UDP_DST },
    { "sctp_src", TEXT_FIELD, FLOW_F_SCTP_SRC },
    { "sctp_dst", TEXT_FIELD, FLOW_F_SCTP_DST },
    { "tcp_flags", TEXT_TCP_FLAGS, FLOW_F_TCP_FLAGS },
    { "icmp_type", TEXT_ICMP_TYPE, FLOW_F_ICMPV4_TYPE },
    { "icmp_code", TEXT_ICMP_CODE, FLOW_F_ICMPV4_CODE },
    { "icmpv4_type", TEXT_FIELD, FLOW_F_ICMPV4_TYPE },
    { "icmpv4_code", TEXT_FIELD, FLOW_F_ICMPV4_CODE },
    { "icmpv6_type", TEXT_FIELD, FLOW_F_ICMPV6_TYPE },
    { "icmpv6_code", TEXT_FIELD, FLOW_F_ICMPV6_CODE },
    { "nd_target", TEXT_FIELD, FLOW_F_ND_TARGET },
    { "nd_sll", TEXT_FIELD, FLOW_F_ND_SLL },
    { "nd_tll", TEXT_FIELD, FLOW_F_ND_TLL },
    { "mpls_label", TEXT_FIELD, FLOW_F_MPLS_LABEL },
    { "mpls_tc", TEXT_FIELD, FLOW_F_MPLS_TC },
    { "mpls_bos", TEXT_FIELD, FLOW_F_MPLS_BOS },
    { "mpls_ttl", TEXT_MPLS_TTL, N_FLOW_FIELDS },
    { "pbb_isid", TEXT_FIELD, FLOW_F_PBB_ISID },
    { "pbb_uca", TEXT_FIELD, FLOW_F_PBB_UCA },
    { "actset_output", TEXT_FIELD, FLOW_F_ACTSET_OUTPUT },
    { "packet_type", TEXT_PACKET_TYPE, FLOW_F_PACKET_TYPE },
};

/* Where a name is looked for first in 'slots'. */
static unsigned
slot_of(const char *name)
{
    uint32_t h = 0;

    for (; *name; name++)
        h = (h ^ (uint8_t) *name) * 0x01000193; /* FNV-1 */
    return (h ^ h >> 15) % N_SLOTS;
}

/* The names by their hash, each in the first free slot from its own on. */
static void
slots_fill(uint8_t slots[N_SLOTS])
{
    _Static_assert(2 * WEFT_ARRAY_LEN(names) < N_SLOTS, "half are free");
    for (unsigned i = 0; i < WEFT_ARRAY_LEN(names); i++) {
        unsigned s = slot_of(names[i].name);

        while (slots[s])
            s = (s + 1) % N_SLOTS;
        slots[s] = (uint8_t) (i + 1);
    }
}

const struct text_name *
text_name_find(const char *name)
{
    static uint8_t slots[N_SLOTS]; /* Index of 'names' + 1; 0: free. */
    static bool filled;

    if (!filled)
        slots_fill(slots);
    filled = true;
    for (unsigned s = slot_of(name); slots[s]; s = (s + 1) % N_SLOTS)
        if (!strcmp(names[slots[s] - 1].name, name))
            return &names[slots[s] - 1];
    return NULL;
}

/* ovs-ofctl writes some fields differently in a match and in set_field. */
const char *
text_set_name(enum flow_field_id id)
{
    switch (id) {
    case FLOW_F_ETH_SRC:
        return "eth_src";
    case FLOW_F_ETH_DST:
        return "eth_dst";
    case FLOW_F_ETH_TYPE:
        return "eth_type";
    case FLOW_F_VLAN_PCP:
        return "vlan_pcp";
    case FLOW_F_IP_PROTO:
        return "ip_proto";
    case FLOW_F_IPV4_SRC:
        return "ip_src";
    case FLOW_F_IPV4_DST:
        return "ip_dst";
    default:
        return flow_fields[id].name;
    }
}

const char *const text_tcp_flags[12] = { "fin", "syn", "rst", "psh",
                                         "ack", "urg", "ece", "cwr",
                                         "ns",  "[9]", "[10]", "[11]" };

const char *
text_prereq_words(enum flow_prereq prereq)
{
    static const char *const words[] = {
        [FLOW_PRE_NONE] = "nothing",
        [FLOW_PRE_IN_PORT] = "in_port",
        [FLOW_PRE_VLAN] = "dl_vlan",
        [FLOW_PRE_IP] = "ip or ipv6",
        [FLOW_PRE_IPV4] = "ip",
        [FLOW_PRE_IPV6] = "ipv6",
        [FLOW_PRE_ARP] = "arp",
        [FLOW_PRE_TCP] = "tcp or tcp6",
        [FLOW_PRE_UDP] = "udp or udp6",
        [FLOW_PRE_SCTP] = "sctp or sctp6",
        [FLOW_PRE_ICMPV4] = "icmp",
        [FLOW_PRE_ICMPV6] = "icmp6",
        [FLOW_PRE_ND] = "icmp6,icmp_type=135 or =136",
        [FLOW_PRE_ND_NS] = "icmp6,icmp_type=135",
        [FLOW_PRE_ND_NA] = "icmp6,icmp_type=136",
        [FLOW_PRE_MPLS] = "mpls or mplsm",
        [FLOW_PRE_PBB] = "dl_type=0x88e7",
        [FLOW_PRE_ETHERNET] = "no other packet_type",
    };

    return words[prereq];
}
