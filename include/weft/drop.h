/* SPDX-License-Identifier: Apache-2.0 */
/* The one list of drop reasons: enum, name and help text.
 *
 * What:    every packet that is not sent, punted or consumed is counted under
 *          exactly one of these, per worker and per port.
 * Model:   X(id, name, help).  Printed names are lower case; tests and
 *          scripts rely on them, so they are only ever added.
 * Threads: any.  Owns: nothing. */
#ifndef WEFT_DROP_H
#define WEFT_DROP_H

#define DROP_REASONS(X)                                                       \
    /* Receive and parse. */                                                  \
    X(RX_RUNT, "rx_runt", "frame shorter than an Ethernet header")            \
    X(RX_TOO_BIG, "rx_too_big", "received frame larger than the port's MTU")  \
    X(RX_PORT_DOWN, "rx_port_down", "port is configured down")                \
    X(RX_NO_RECV, "rx_no_recv", "port-mod NO_RECV is set on the port")        \
    X(RX_NO_BUFFER, "rx_no_buffer", "packet memory exhausted on receive")     \
    X(PARSE_VLAN, "parse_vlan", "VLAN tag truncated")                         \
    X(PARSE_MPLS, "parse_mpls", "MPLS label stack truncated")                 \
    X(PARSE_PBB, "parse_pbb", "PBB header truncated")                         \
    X(PARSE_ARP, "parse_arp", "ARP packet truncated")                         \
    X(PARSE_IPV4, "parse_ipv4", "IPv4 header truncated or lengths wrong")     \
    X(PARSE_IPV6, "parse_ipv6", "IPv6 header or extension truncated")         \
    X(PARSE_L4, "parse_l4", "transport header truncated")                     \
    X(FRAGMENT, "fragment", "IP fragment, which the switch is set to drop")   \
    /* Pipeline. */                                                           \
    X(NO_RULE, "no_rule", "no rule matched and the table drops misses")       \
    X(RULE_DROP, "rule_drop", "the rule has no output")                       \
    X(NO_PORT, "no_port", "output to a port that does not exist")             \
    X(TO_IN_PORT, "to_in_port", "output to the port it came in by")           \
    X(SPLIT_HORIZON, "split_horizon", "from one network port with peers to"   \
                                      " another")                             \
    X(NO_FWD, "no_fwd", "port-mod NO_FWD is set on the output port")          \
    X(TX_PORT_DOWN, "tx_port_down", "output port is down")                    \
    X(BAD_TTL, "bad_ttl", "TTL or hop limit would reach zero")                \
    X(NO_TAG, "no_tag", "pop of a tag or label that is not there")            \
    X(NO_HEADROOM, "no_headroom", "no room to push a header")                 \
    X(LOOP, "loop", "pipeline or patch port depth limit reached")             \
    X(METER, "meter", "a meter's drop band")                                  \
    X(NO_BRIDGE, "no_bridge", "port belongs to no bridge any more")           \
    X(NO_GROUP, "no_group", "the group does not exist")                       \
    X(NO_BUCKET, "no_bucket", "the group has no live bucket")                 \
    X(UNKNOWN_OP, "unknown_op", "action this datapath does not have")         \
    /* Transmit. */                                                           \
    X(TX_TOO_BIG, "tx_too_big", "frame larger than the output port's MTU")    \
    X(TX_FULL, "tx_full", "output queue full")                                \
    X(TX_QUEUE, "tx_queue", "queue of the port is full")                      \
    X(TX_ERROR, "tx_error", "device refused the frame")                       \
    X(NO_BUFFER, "no_buffer", "packet memory exhausted")                      \
    X(GSO_FAILED, "gso_failed", "large segment could not be cut")             \
    /* Controller. */                                                         \
    X(PUNT_QUOTA, "punt_quota", "port exceeded its packet-in quota")          \
    X(PUNT_FULL, "punt_full", "packet-in ring full")                          \
    X(NO_CONTROLLER, "no_controller", "packet-in wanted, none connected")     \
    X(NO_PACKET_IN, "no_packet_in", "port-mod NO_PACKET_IN is set")           \
    /* Tunnels: send. */                                                      \
    X(TNL_NO_REMOTE, "tnl_no_remote", "flow-chosen tunnel without tun_dst")   \
    X(TNL_NO_ROUTE, "tnl_no_route", "no route or uplink to the remote")       \
    X(TNL_NO_NEIGH, "tnl_no_neigh", "next hop's MAC not yet resolved")        \
    X(TNL_BAD_KEY, "tnl_bad_key", "tun_id outside the tunnel type's range")   \
    X(TNL_TX_VLAN, "tnl_tx_vlan", "tagged frame on a tunnel that drops tags") \
    X(TNL_TX_TOO_BIG, "tnl_tx_too_big", "encapsulated frame exceeds path MTU")\
    /* Tunnels: receive. */                                                   \
    X(TNL_SHORT, "tnl_short", "outer or tunnel header truncated")             \
    X(TNL_FRAGMENT, "tnl_fragment", "outer packet is a fragment")             \
    X(TNL_BAD_IP, "tnl_bad_ip", "outer IP header or checksum wrong")          \
    X(TNL_BAD_CSUM, "tnl_bad_csum", "outer UDP checksum verified and wrong")  \
    X(TNL_BAD_FLAGS, "tnl_bad_flags", "mandatory flag clear or forbidden set")\
    X(TNL_BAD_PROTO, "tnl_bad_proto", "payload is not an Ethernet frame")     \
    X(TNL_CRITICAL, "tnl_critical", "Geneve option that must be understood")  \
    X(TNL_RESERVED_KEY, "tnl_reserved_key", "VSID of the reserved range")     \
    X(TNL_UNKNOWN, "tnl_unknown", "no tunnel port for this key and endpoint") \
    X(TNL_INNER_VLAN, "tnl_inner_vlan", "inner frame carries a VLAN tag")     \
    X(TNL_INNER_RUNT, "tnl_inner_runt", "inner frame shorter than Ethernet")  \
    X(TNL_BAD_ECN, "tnl_bad_ecn", "congestion mark outside, inner packet"     \
                                  " cannot carry it (RFC 6040)")

enum drop_reason {
#define X(id, name, help) DROP_##id,
    DROP_REASONS(X)
#undef X
    N_DROP_REASONS
};

/* Indexed by enum drop_reason; live in utils/flow/drop_names.c. */
extern const char *const drop_reason_names[N_DROP_REASONS];
extern const char *const drop_reason_help[N_DROP_REASONS];

#endif
