/* SPDX-License-Identifier: Apache-2.0 */
/* Uplinks that Weft owns: ARP (RFC 826, RFC 5227) and ICMP echo (RFC 792). */
#include <errno.h>
#include <string.h>

#include "tunnels/underlay/underlay_priv.h"
#include "utils/base/addr.h"
#include "utils/base/log.h"

enum {
    ETH_HLEN = 14,
    ETH_MIN = 60,    /* Without FCS. */
    ETH_IPV4 = 0x0800,
    ETH_ARP = 0x0806,
    ARP_LEN = 28,
    ARP_REQUEST = 1,
    ARP_REPLY = 2,
    IPV4_HLEN = 20,
    PROTO_ICMP = 1,
    ICMP_ECHO = 8,
    ICMP_ECHO_REPLY = 0,
    MAX_ECHO = 2048, /* Whole frame. */
};

#define ANNOUNCE_NS (2 * UL_SECOND)   /* RFC 5227 §1.1: ANNOUNCE_INTERVAL. */
#define DEFEND_NS (10 * UL_SECOND)    /* RFC 5227 §1.1: DEFEND_INTERVAL. */
#define REACHABLE_NS (30 * UL_SECOND) /* As RFC 4861 §10 has it for ND. */

static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t nobody[6];

int
ul_owned_route(struct ul_uplink *l, be32 remote, bool gateway,
               struct ul_route *route)
{
    uint32_t mask = UINT32_MAX << (32 - l->prefix_len);

    if (remote == l->addrs[0])
        return -ENETUNREACH;
    if (!((be32_to(remote) ^ be32_to(l->addrs[0])) & mask))
        route->via = remote;
    else if (gateway && l->gateway)
        route->via = l->gateway;
    else
        return -ENETUNREACH;
    route->uplink = l;
    route->src = l->addrs[0];
    route->mtu = l->mtu;
    return 0;
}

/* ------------------------------------------------------------------- ARP */

struct arp {
    uint16_t op;
    const uint8_t *sha, *tha;
    be32 spa, tpa;
};

static void
arp_send(struct underlay *u, const struct ul_uplink *l, const uint8_t *to,
         const struct arp *a)
{
    uint8_t f[ETH_MIN] = { 0 }, *p = f + ETH_HLEN;

    memcpy(f, to, 6);
    memcpy(f + 6, l->mac, 6);
    put_be16(f + 12, ETH_ARP);
    put_be16(p, 1); /* Ethernet. */
    put_be16(p + 2, ETH_IPV4);
    p[4] = 6;
    p[5] = 4;
    put_be16(p + 6, a->op);
    memcpy(p + 8, a->sha, 6);
    memcpy(p + 14, &a->spa, 4);
    memcpy(p + 18, a->tha, 6);
    memcpy(p + 24, &a->tpa, 4);
    u->cb.send(u->cb.arg, l->id, f, sizeof f);
}

/* RFC 5227 §2.3: a request whose sender and target address are ours. */
static void
arp_announce(struct underlay *u, const struct ul_uplink *l)
{
    const struct arp a = { ARP_REQUEST, l->mac, nobody, l->addrs[0],
                           l->addrs[0] };

    arp_send(u, l, broadcast, &a);
}

/* Broadcast while the MAC is unknown, to the known one when it only has to be
 * confirmed (RFC 1122 §2.3.2.1, unicast poll). */
static void
arp_request(struct underlay *u, const struct ul_neigh *g)
{
    const struct ul_uplink *l = g->uplink;
    const struct arp a = { ARP_REQUEST, l->mac, nobody, l->addrs[0], g->addr };

    arp_send(u, l, g->state == UL_NEIGH_VALID ? g->mac : broadcast, &a);
}

void
ul_owned_neigh_use(struct underlay *u, struct ul_neigh *g)
{
    if (g->soliciting)
        return; /* The tick goes on. */
    g->soliciting = true;
    g->tries = 1;
    arp_request(u, g);
}

void
ul_owned_neigh_tick(struct underlay *u, struct ul_neigh *g)
{
    if (u->now_ns - g->asked_ns < UL_SECOND)
        return;
    if (g->tries >= UL_ARP_TRIES) {
        ul_neigh_failed(u, g);
        return;
    }
    g->tries++;
    g->asked_ns = u->now_ns;
    arp_request(u, g);
}

static bool
mac_is_unicast(const uint8_t *mac)
{
    return !(mac[0] & 1) && memcmp(mac, nobody, 6) != 0;
}

/* Somebody else uses our address: RFC 5227 §2.4 (b), defend it once in a
 * while and say so. */
static void
arp_conflict(struct underlay *u, struct ul_uplink *l, const uint8_t *mac)
{
    static struct base_ratelimit limit = BASE_RATELIMIT(1, 10);
    char ip[BASE_IPV4_LEN], text[BASE_MAC_LEN];

    base_log_rl(&limit, BASE_LOG_WARN, "underlay",
                "uplink %u: address %s is also used by %s", l->id,
                base_format_ipv4(l->addrs[0], ip), base_format_mac(mac, text));
    if (l->defended_ns && u->now_ns - l->defended_ns < DEFEND_NS)
        return;
    l->defended_ns = u->now_ns ? u->now_ns : 1;
    arp_announce(u, l);
}

/* RFC 826, "Packet Reception", but that senders who are nobody's next hop are
 * not remembered: a flood of requests must not fill memory. */
static void
arp_rx(struct underlay *u, struct ul_uplink *l, const uint8_t *p, size_t len)
{
    struct arp a = { 0 };

    if (len < ARP_LEN || get_be16(p) != 1 || get_be16(p + 2) != ETH_IPV4
        || p[4] != 6 || p[5] != 4)
        return;
    a.op = get_be16(p + 6);
    a.sha = p + 8;
    memcpy(&a.spa, p + 14, 4);
    memcpy(&a.tpa, p + 24, 4);
    if (!mac_is_unicast(a.sha) || !memcmp(a.sha, l->mac, 6))
        return;
    if (a.spa == l->addrs[0]) {
        arp_conflict(u, l, a.sha);
        return;
    }

    struct ul_neigh *g = a.spa ? ul_neigh_find(u, l, a.spa) : NULL;
    if (g)
        ul_neigh_valid(u, g, a.sha, false);
    if (a.op == ARP_REQUEST && a.tpa == l->addrs[0]) {
        const struct arp reply = { ARP_REPLY, l->mac, a.sha, l->addrs[0],
                                   a.spa };

        arp_send(u, l, a.sha, &reply);
    }
}

/* ------------------------------------------------------------------ ICMP */

static uint16_t
checksum(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;

    for (; n > 1; p += 2, n -= 2)
        sum += get_be16(p);
    if (n)
        sum += (uint32_t) p[0] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) ~sum;
}

/* Answers an echo request to our address; 'f' is a whole frame. */
static void
echo_reply(struct underlay *u, struct ul_uplink *l, const uint8_t *f,
           size_t ip_hlen, size_t total)
{
    uint8_t r[MAX_ECHO], *ip = r + ETH_HLEN, *icmp = ip + IPV4_HLEN;
    const uint8_t *in = f + ETH_HLEN;
    size_t icmp_len = total - ip_hlen;

    memset(r, 0, ETH_MIN);
    memcpy(r, f + 6, 6);
    memcpy(r + 6, l->mac, 6);
    put_be16(r + 12, ETH_IPV4);
    ip[0] = 0x45; /* RFC 1122 §3.2.2.6 allows to leave options out. */
    ip[1] = in[1];
    put_be16(ip + 2, (uint16_t) (IPV4_HLEN + icmp_len));
    put_be16(ip + 6, 0x4000);
    ip[8] = 64;
    ip[9] = PROTO_ICMP;
    memcpy(ip + 12, in + 16, 4);
    memcpy(ip + 16, in + 12, 4);
    put_be16(ip + 10, checksum(ip, IPV4_HLEN));
    memcpy(icmp, in + ip_hlen, icmp_len);
    icmp[0] = ICMP_ECHO_REPLY;
    put_be16(icmp + 2, 0);
    put_be16(icmp + 2, checksum(icmp, icmp_len));

    size_t len = ETH_HLEN + IPV4_HLEN + icmp_len;
    u->cb.send(u->cb.arg, l->id, r, len < ETH_MIN ? ETH_MIN : len);
}

static void
ipv4_rx(struct underlay *u, struct ul_uplink *l, const uint8_t *f, size_t len)
{
    const uint8_t *ip = f + ETH_HLEN;
    size_t hlen, total;
    be32 src, dst;

    if (len < ETH_HLEN + IPV4_HLEN || ip[0] >> 4 != 4)
        return;
    hlen = 4u * (ip[0] & 15);
    total = get_be16(ip + 2);
    memcpy(&src, ip + 12, 4);
    memcpy(&dst, ip + 16, 4);
    if (hlen < IPV4_HLEN || total < hlen + 8 || total > len - ETH_HLEN
        || total > MAX_ECHO - ETH_HLEN || dst != l->addrs[0]
        || ip[9] != PROTO_ICMP || (get_be16(ip + 6) & 0x3fff)
        || checksum(ip, hlen))
        return;
    /* RFC 1122 §3.2.2: no answer to what is no single host. */
    if (!mac_is_unicast(f + 6) || !src || be32_to(src) >> 28 >= 14)
        return;
    if (ip[hlen] == ICMP_ECHO && ip[hlen + 1] == 0
        && !checksum(ip + hlen, total - hlen))
        echo_reply(u, l, f, hlen, total);
}

void
ul_owned_rx(struct underlay *u, struct ul_uplink *l, const uint8_t *f,
            size_t len)
{
    if (len < ETH_HLEN
        || (memcmp(f, l->mac, 6) != 0 && memcmp(f, broadcast, 6) != 0))
        return;
    if (get_be16(f + 12) == ETH_ARP)
        arp_rx(u, l, f + ETH_HLEN, len - ETH_HLEN);
    else if (get_be16(f + 12) == ETH_IPV4 && !memcmp(f, l->mac, 6))
        ipv4_rx(u, l, f, len);
}

void
ul_owned_tick(struct underlay *u, struct ul_uplink *l)
{
    struct ul_neigh *g;

    if (l->announce && (!l->announce_ns
                        || u->now_ns - l->announce_ns >= ANNOUNCE_NS)) {
        l->announce--;
        l->announce_ns = u->now_ns ? u->now_ns : 1;
        arp_announce(u, l);
    }
    BASE_LIST_FOR(g, &u->neigh_list, all)
        if (g->uplink == l && g->state == UL_NEIGH_VALID && !g->stale
            && u->now_ns - g->confirmed_ns >= REACHABLE_NS)
            g->stale = true; /* Confirmed when it is used next. */
}
