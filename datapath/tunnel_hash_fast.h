/* SPDX-License-Identifier: Apache-2.0 */
/* Hash of an inner flow: what spreads flows in the underlay.
 *
 * What:    the hash from a flow key, inlined; tunnel_hash_frame's parts.
 * Model:   both entries look at the same fields, so a flow keeps its value
 *          whichever is used: addresses, protocol and ports of unfragmented
 *          TCP, UDP and SCTP over IP; Ethernet addresses and type of all
 *          else.
 * Threads: any.  Owns: nothing.  Source: RFC 7348 §5, RFC 7637 §3.3. */
#ifndef DP_TUNNEL_HASH_FAST_H
#define DP_TUNNEL_HASH_FAST_H

#include "datapath/tunnel.h"
#include "datapath/tunnel_priv.h"

enum { TUNNEL_TCP = 6, TUNNEL_UDP = 17, TUNNEL_SCTP = 132 };

/* RFC 7348 §5 asks for as much entropy as the inner headers have; the top
 * bits select, so the product's high half is what counts. */
static inline uint64_t
tunnel_mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9fb21c651e98df25);
    return h ^ h >> 32;
}

static inline uint32_t
tunnel_finish(uint64_t h)
{
    uint32_t r = (uint32_t) (h * UINT64_C(0x9e3779b97f4a7c15) >> 32);

    return r ? r : 1;
}

static inline uint32_t
tunnel_hash_ethernet(const uint8_t *macs, uint16_t type)
{
    return tunnel_finish(tunnel_mix(tunnel_mix(get_be64(macs), get_be32(macs + 8)), type));
}

static inline bool
tunnel_has_ports(uint8_t proto)
{
    return proto == TUNNEL_TCP || proto == TUNNEL_UDP || proto == TUNNEL_SCTP;
}

/* 'addrs' are 'n' 64-bit words of addresses, 'ports' both in one number. */
static inline uint32_t
tunnel_hash_ip(const uint8_t *addrs, unsigned n, uint8_t proto, uint32_t ports)
{
    uint64_t h = (uint64_t) proto << 32 | ports;

    for (unsigned i = 0; i < n; i++)
        h = tunnel_mix(h, get_be64(addrs + 8 * i));
    return tunnel_finish(tunnel_mix(h, n));
}

static inline uint32_t
tunnel_hash_key_fast(const struct flow_key *k)
{
    uint16_t type = be16_to(k->eth_type);
    uint32_t ports = 0;

    if (!(k->nw_flags & FLOW_NW_FRAG_ANY) && tunnel_has_ports(k->ip_proto))
        ports = (uint32_t) be16_to(k->tp_src) << 16 | be16_to(k->tp_dst);
    if (type == 0x0800)
        return tunnel_hash_ip((const uint8_t *) &k->ip_src, 1, k->ip_proto, ports);
    if (type == 0x86dd)
        return tunnel_hash_ip(k->ipv6_src, 4, k->ipv6_exthdr ? 0 : k->ip_proto,
                       k->ipv6_exthdr ? 0 : ports);
    return tunnel_hash_ethernet(k->eth_dst, type);
}

#endif
