/* SPDX-License-Identifier: Apache-2.0 */
/* "Packet too big" to the sender of a frame that a path cannot carry, so that
 * guests with an ordinary MTU find the tunnel's by themselves (RFC 1191, RFC
 * 8201).  The message seems to come from the inner destination: a switch has
 * no address of its own there, and the sender expects it from the path. */
#include <rte_ip.h>

#include "datapath/tunnel.h"
#include "datapath/tunnel_priv.h"

enum {
    ICMP = 1,
    ICMP6 = 58,
    ICMP_HLEN = 8,
    IP4_HLEN = 20,
    IP6_HLEN = 40,
    L2_MAX = 22,       /* Ethernet and two tags. */
    QUOTE4_MAX = 548,  /* RFC 1812 §4.3.2.3: 576 bytes in all. */
    QUOTE6_MAX = 1232, /* RFC 4443 §2.4 (c): 1280 bytes in all. */
};

#define CREDIT_NS UINT64_C(1000000) /* One message per millisecond. */

static bool
credit_take(struct tunnel_worker *w)
{
    uint64_t earned = (w->now_ns - w->icmp_ns) / CREDIT_NS;

    if (earned) {
        w->icmp_credit = (unsigned) WEFT_MIN(w->icmp_credit + earned,
                                             (uint64_t) TUNNEL_ICMP_BURST);
        w->icmp_ns = w->now_ns;
    }
    if (!w->icmp_credit)
        return false;
    w->icmp_credit--;
    return true;
}

/* Ethernet and tags with the addresses swapped; their length. */
static size_t
reply_l2(uint8_t *out, const uint8_t *p, size_t l2)
{
    memcpy(out, p, l2);
    memcpy(out, p + 6, 6);
    memcpy(out + 6, p, 6);
    return l2;
}

/* RFC 1122 §3.2.2: no message about a fragment that is not the first, to what
 * is no single host, or about an ICMP error. */
static bool
may_answer4(const uint8_t *ip, size_t len)
{
    size_t hlen = 4u * (ip[0] & 15);
    uint32_t src = get_be32(ip + 12), dst = get_be32(ip + 16);

    if (ip[0] >> 4 != 4 || hlen < IP4_HLEN || len < hlen + ICMP_HLEN
        || (get_be16(ip + 6) & 0x1fff) || src >> 28 >= 14 || dst >> 28 >= 14
        || src >> 24 == 127 || src >> 24 == 0)
        return false;
    /* RFC 792: echo request, reply and the like are no errors. */
    return ip[9] != ICMP || ip[hlen] == 0 || ip[hlen] == 8;
}

/* The same for IPv6, RFC 4443 §2.4 (e); error types are those below 128. */
static bool
may_answer6(const uint8_t *ip, size_t len)
{
    static const uint8_t none[16];

    return ip[0] >> 4 == 6 && len >= IP6_HLEN + ICMP_HLEN && ip[8] != 0xff
           && ip[24] != 0xff && memcmp(ip + 8, none, 16) != 0
           && (ip[6] != ICMP6 || ip[IP6_HLEN] >= 128);
}

/* RFC 792, RFC 1191 §4: type 3, code 4, next-hop MTU.  Returns the length. */
static size_t
build4(uint8_t *ip, const uint8_t *in, size_t quote, uint16_t mtu)
{
    uint8_t *icmp = ip + IP4_HLEN;
    size_t len;

    quote = WEFT_MIN(quote, (size_t) QUOTE4_MAX);
    len = IP4_HLEN + ICMP_HLEN + quote;
    memset(ip, 0, IP4_HLEN + ICMP_HLEN);
    ip[0] = 0x45;
    ip[1] = 0xc0; /* RFC 1812 §4.3.2.5: precedence 6. */
    put_be16(ip + 2, (uint16_t) len);
    put_be16(ip + 6, 0x4000);
    ip[8] = 64;
    ip[9] = ICMP;
    memcpy(ip + 12, in + 16, 4);
    memcpy(ip + 16, in + 12, 4);
    icmp[0] = 3;
    icmp[1] = 4;
    put_be16(icmp + 6, mtu);
    memcpy(icmp + ICMP_HLEN, in, quote);

    uint16_t sum = (uint16_t) ~rte_raw_cksum(ip, IP4_HLEN);
    memcpy(ip + 10, &sum, 2);
    sum = (uint16_t) ~rte_raw_cksum(icmp, ICMP_HLEN + quote);
    memcpy(icmp + 2, &sum, 2);
    return len;
}

/* RFC 4443 §3.2: type 2, code 0, MTU. */
static size_t
build6(uint8_t *ip, const uint8_t *in, size_t quote, uint16_t mtu)
{
    uint8_t *icmp = ip + IP6_HLEN;
    uint16_t len, sum;

    quote = WEFT_MIN(quote, (size_t) QUOTE6_MAX);
    len = (uint16_t) (ICMP_HLEN + quote);
    memset(ip, 0, IP6_HLEN + ICMP_HLEN);
    ip[0] = 0x60;
    put_be16(ip + 4, len);
    ip[6] = ICMP6;
    ip[7] = 64;
    memcpy(ip + 8, in + 24, 16);
    memcpy(ip + 24, in + 8, 16);
    icmp[0] = 2;
    put_be16(icmp + 6, mtu);
    memcpy(icmp + ICMP_HLEN, in, quote);
    sum = rte_ipv6_phdr_cksum((const struct rte_ipv6_hdr *) ip, 0);
    sum = (uint16_t) ~__rte_raw_cksum_reduce(__rte_raw_cksum(icmp, len, sum));
    memcpy(icmp + 2, &sum, 2);
    return IP6_HLEN + (size_t) len;
}

struct rte_mbuf *
tunnel_too_big_reply(struct tunnel_worker *w, const struct rte_mbuf *m,
                     const struct tunnel_tx *tx)
{
    const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
    size_t len = m->data_len, l2 = 14;
    uint16_t type = len >= l2 ? get_be16(p + 12) : 0;
    struct rte_mbuf *reply;
    bool v4;

    for (; tunnel_type_is_vlan(type) && l2 < L2_MAX && len >= l2 + 4; l2 += 4)
        type = get_be16(p + l2 + 2);
    v4 = type == 0x0800;
    if ((!v4 && type != 0x86dd) || len < l2 + IP4_HLEN || (p[6] & 1)
        || !(v4 ? may_answer4 : may_answer6)(p + l2, len - l2)
        || !credit_take(w))
        return NULL;
    reply = rte_pktmbuf_alloc(w->pool);
    if (!reply || rte_pktmbuf_tailroom(reply) < L2_MAX + 1280) {
        rte_pktmbuf_free(reply);
        return NULL;
    }

    uint8_t *out = rte_pktmbuf_mtod(reply, uint8_t *);
    size_t n = reply_l2(out, p, l2);
    n += (v4 ? build4 : build6)(out + l2, p + l2, len - l2, tx->mtu);
    reply->data_len = (uint16_t) n;
    reply->pkt_len = (uint32_t) n;
    return reply;
}
