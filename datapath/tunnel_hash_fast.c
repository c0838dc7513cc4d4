/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/tunnel_hash_fast.h"

uint32_t
tunnel_hash_key(const struct flow_key *k)
{
    return tunnel_hash_key_fast(k);
}

static uint32_t
hash_frame_ip(const uint8_t *ip, size_t len, uint16_t type,
              const uint8_t *macs)
{
    size_t hlen = type == 0x0800 ? 4u * (ip[0] & 15) : 40;
    uint32_t ports = 0;

    if (len < hlen + 4)
        return tunnel_hash_ethernet(macs, type);
    if (type == 0x0800) {
        bool fragment = get_be16(ip + 6) & 0x3fff;

        if (!fragment && tunnel_has_ports(ip[9]))
            ports = get_be32(ip + hlen);
        return tunnel_hash_ip(ip + 12, 1, ip[9], ports);
    }
    /* Extension headers: only the addresses. */
    bool plain = tunnel_has_ports(ip[6]) || ip[6] == 58;
    if (tunnel_has_ports(ip[6]))
        ports = get_be32(ip + hlen);
    return tunnel_hash_ip(ip + 8, 4, plain ? ip[6] : 0, ports);
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
            return tunnel_hash_ethernet(p, type);
        type = get_be16(p + at);
    }
    at += 2;
    if ((type == 0x0800 || type == 0x86dd) && len >= at + 20)
        return hash_frame_ip(p + at, len - at, type, p);
    return tunnel_hash_ethernet(p, type < 0x0600 ? FLOW_ETH_TYPE_NOT_ETH2 : type);
}
