/* SPDX-License-Identifier: Apache-2.0 */
/* Hash of an inner flow: what spreads flows in the underlay.
 * Both entries look at the same fields, so a flow keeps its value whichever
 * is used: addresses, protocol and ports of unfragmented TCP, UDP and SCTP
 * over IP; Ethernet addresses and type of all else. */
#include "datapath/tunnel.h"
#include "datapath/tunnel_priv.h"

enum { TCP = 6, UDP = 17, SCTP = 132 };

/* RFC 7348 §5 asks for as much entropy as the inner headers have; the top
 * bits select, so the product's high half is what counts. */
static inline uint64_t
mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9fb21c651e98df25);
    return h ^ h >> 32;
}

static inline uint32_t
finish(uint64_t h)
{
    uint32_t r = (uint32_t) (h * UINT64_C(0x9e3779b97f4a7c15) >> 32);

    return r ? r : 1;
}

static inline uint32_t
hash_ethernet(const uint8_t *macs, uint16_t type)
{
    return finish(mix(mix(get_be64(macs), get_be32(macs + 8)), type));
}

static inline bool
has_ports(uint8_t proto)
{
    return proto == TCP || proto == UDP || proto == SCTP;
}

/* 'addrs' are 'n' 64-bit words of addresses, 'ports' both in one number. */
static inline uint32_t
hash_ip(const uint8_t *addrs, unsigned n, uint8_t proto, uint32_t ports)
{
    uint64_t h = (uint64_t) proto << 32 | ports;

    for (unsigned i = 0; i < n; i++)
        h = mix(h, get_be64(addrs + 8 * i));
    return finish(mix(h, n));
}

uint32_t
tunnel_hash_key(const struct flow_key *k)
{
    uint16_t type = be16_to(k->eth_type);
    uint32_t ports = 0;

    if (!(k->nw_flags & FLOW_NW_FRAG_ANY) && has_ports(k->ip_proto))
        ports = (uint32_t) be16_to(k->tp_src) << 16 | be16_to(k->tp_dst);
    if (type == 0x0800)
        return hash_ip((const uint8_t *) &k->ip_src, 1, k->ip_proto, ports);
    if (type == 0x86dd)
        return hash_ip(k->ipv6_src, 4, k->ipv6_exthdr ? 0 : k->ip_proto,
                       k->ipv6_exthdr ? 0 : ports);
    return hash_ethernet(k->eth_dst, type);
}

static uint32_t
hash_frame_ip(const uint8_t *ip, size_t len, uint16_t type,
              const uint8_t *macs)
{
    size_t hlen = type == 0x0800 ? 4u * (ip[0] & 15) : 40;
    uint32_t ports = 0;

    if (len < hlen + 4)
        return hash_ethernet(macs, type);
    if (type == 0x0800) {
        bool fragment = get_be16(ip + 6) & 0x3fff;

        if (!fragment && has_ports(ip[9]))
            ports = get_be32(ip + hlen);
        return hash_ip(ip + 12, 1, ip[9], ports);
    }
    /* Extension headers: only the addresses. */
    bool plain = has_ports(ip[6]) || ip[6] == 58;
    if (has_ports(ip[6]))
        ports = get_be32(ip + hlen);
    return hash_ip(ip + 8, 4, plain ? ip[6] : 0, ports);
}

uint32_t
tunnel_hash_frame(const uint8_t *p, size_t len)
{
    size_t at = 12;
    uint16_t type;

    if (weft_unlikely(len < 14))
        return 1;
    type = get_be16(p + at);
    for (unsigned tags = 0; tunnel_type_is_vlan(type) && tags < 2; tags++) {
        at += 4;
        if (len < at + 2)
            return hash_ethernet(p, type);
        type = get_be16(p + at);
    }
    at += 2;
    if ((type == 0x0800 || type == 0x86dd) && len >= at + 20)
        return hash_frame_ip(p + at, len - at, type, p);
    return hash_ethernet(p, type < 0x0600 ? FLOW_ETH_TYPE_NOT_ETH2 : type);
}
