/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/pktbuild.h"

#include <stdlib.h>
#include <string.h>

#include "weft/be.h"

void
pkt_init(struct pkt *p)
{
    p->len = p->l3 = p->l4 = 0;
    p->l3_kind = p->proto = 0;
}

static uint8_t *
room(struct pkt *p, size_t n)
{
    uint8_t *at = p->b + p->len;

    if (p->len + n > PKT_MAX)
        abort();
    memset(at, 0, n);
    p->len += n;
    return at;
}

void
pkt_eth(struct pkt *p, const uint8_t dst[6], const uint8_t src[6],
        uint16_t type)
{
    uint8_t *b = room(p, 14);

    memcpy(b, dst, 6);
    memcpy(b + 6, src, 6);
    put_be16(b + 12, type);
}

void
pkt_vlan(struct pkt *p, uint16_t tpid, uint16_t tci, uint16_t type)
{
    uint8_t *b = room(p, 4);

    put_be16(b - 2, tpid);
    put_be16(b, tci);
    put_be16(b + 2, type);
}

void
pkt_mpls(struct pkt *p, uint32_t label, unsigned tc, bool bottom, uint8_t ttl)
{
    put_be32(room(p, 4), label << 12 | tc << 9 | (uint32_t) bottom << 8 | ttl);
}

void
pkt_ipv4(struct pkt *p, uint32_t src, uint32_t dst, uint8_t proto)
{
    uint8_t *b;

    p->l3 = p->len;
    p->l3_kind = 4;
    p->proto = proto;
    b = room(p, 20);
    b[0] = 0x45;
    b[8] = 64;
    b[9] = proto;
    put_be32(b + 12, src);
    put_be32(b + 16, dst);
}

void
pkt_ipv6(struct pkt *p, uint8_t src, uint8_t dst, uint8_t next)
{
    uint8_t *b;

    p->l3 = p->len;
    p->l3_kind = 6;
    p->proto = next;
    b = room(p, 40);
    b[0] = 0x60;
    b[6] = next;
    b[7] = 64;
    b[8] = b[24] = 0xfd;
    b[23] = src;
    b[39] = dst;
}

void
pkt_udp(struct pkt *p, uint16_t src, uint16_t dst)
{
    uint8_t *b;

    p->l4 = p->len;
    b = room(p, 8);
    put_be16(b, src);
    put_be16(b + 2, dst);
}

void
pkt_tcp(struct pkt *p, uint16_t src, uint16_t dst, uint8_t flags)
{
    uint8_t *b;

    p->l4 = p->len;
    b = room(p, 20);
    put_be16(b, src);
    put_be16(b + 2, dst);
    put_be32(b + 4, 1000);
    b[12] = 0x50;
    b[13] = flags;
    put_be16(b + 14, 0xffff);
}

void
pkt_sctp(struct pkt *p, uint16_t src, uint16_t dst)
{
    uint8_t *b;

    p->l4 = p->len;
    b = room(p, 12);
    put_be16(b, src);
    put_be16(b + 2, dst);
    put_be32(b + 4, 0x01020304);
}

void
pkt_icmp(struct pkt *p, uint8_t type, uint8_t code)
{
    uint8_t *b;

    p->l4 = p->len;
    b = room(p, 8);
    b[0] = type;
    b[1] = code;
}

void
pkt_arp(struct pkt *p, uint16_t op, const uint8_t sha[6], uint32_t spa,
        const uint8_t tha[6], uint32_t tpa)
{
    uint8_t *b = room(p, 28);

    put_be32(b, 0x00010800);
    put_be16(b + 4, 0x0604);
    put_be16(b + 6, op);
    memcpy(b + 8, sha, 6);
    put_be32(b + 14, spa);
    memcpy(b + 18, tha, 6);
    put_be32(b + 24, tpa);
}

void
pkt_payload(struct pkt *p, size_t n)
{
    uint8_t *b = room(p, n);

    for (size_t i = 0; i < n; i++)
        b[i] = (uint8_t) i;
}

uint16_t
pkt_sum(const uint8_t *p, size_t n, uint32_t start)
{
    uint64_t sum = start;

    for (size_t i = 0; i < n; i++)
        sum += i & 1 ? p[i] : (uint32_t) p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) sum;
}

uint32_t
pkt_pseudo(const uint8_t *l3, uint8_t proto, size_t l4_len)
{
    bool v6 = l3[0] >> 4 == 6;
    uint32_t start = proto + (uint32_t) (l4_len & 0xffff)
                     + (uint32_t) (l4_len >> 16);

    return v6 ? pkt_sum(l3 + 8, 32, start) : pkt_sum(l3 + 12, 8, start);
}

/* RFC 4960 appendix B, bit by bit. */
uint32_t
pkt_crc32c(const uint8_t *p, size_t n)
{
    uint32_t c = UINT32_MAX;

    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
        for (int k = 0; k < 8; k++)
            c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
    }
    return ~c;
}

static void
put_le32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t) (v >> 8 * i);
}

/* Offset of the transport checksum; -1: none. */
static int
csum_off(uint8_t proto, bool v6)
{
    switch (proto) {
    case 6: return 16;
    case 17: return 6;
    case 1: return v6 ? -1 : 2;
    case 58: return v6 ? 2 : -1;
    default: return -1;
    }
}

static void
end_l4(struct pkt *p)
{
    uint8_t *l4 = p->b + p->l4;
    size_t n = p->len - p->l4;
    int off = csum_off(p->proto, p->l3_kind == 6);
    uint16_t sum;

    if (p->proto == 17)
        put_be16(l4 + 4, (uint16_t) n);
    if (p->proto == 132)
        put_le32(l4 + 8, pkt_crc32c(l4, n));
    if (off < 0)
        return;
    sum = pkt_sum(l4, n, p->proto == 1 ? 0
                                       : pkt_pseudo(p->b + p->l3, p->proto,
                                                    n));
    sum = (uint16_t) ~sum;
    put_be16(l4 + off, p->proto == 17 && !sum ? 0xffff : sum);
}

void
pkt_end(struct pkt *p)
{
    uint8_t *l3 = p->b + p->l3;

    if (p->l3_kind == 4) {
        put_be16(l3 + 2, (uint16_t) (p->len - p->l3));
        put_be16(l3 + 10, (uint16_t) ~pkt_sum(l3, 20, 0));
    } else if (p->l3_kind == 6) {
        put_be16(l3 + 4, (uint16_t) (p->len - p->l3 - 40));
    }
    if (p->l4)
        end_l4(p);
}

static bool
l4_holds(const uint8_t *l3, uint8_t proto, const uint8_t *l4, size_t n)
{
    bool v6 = l3[0] >> 4 == 6;
    int off = csum_off(proto, v6);

    if (proto == 132) {
        uint8_t copy[2048], want[4];

        if (n < 12 || n > sizeof copy)
            return false;
        memcpy(copy, l4, n);
        memset(copy + 8, 0, 4);
        put_le32(want, pkt_crc32c(copy, n));
        return !memcmp(want, l4 + 8, 4);
    }
    if (off < 0)
        return true;
    if (proto == 17 && !get_be16(l4 + 6))
        return true;
    return pkt_sum(l4, n, proto == 1 ? 0 : pkt_pseudo(l3, proto, n)) == 0xffff;
}

bool
pkt_checksums_hold(const uint8_t *p, size_t len)
{
    size_t off = 12;
    uint16_t type = get_be16(p + off);

    off += 2;
    while (type == 0x8100 || type == 0x88a8) {
        type = get_be16(p + off + 2);
        off += 4;
    }
    if (type == 0x8847 || type == 0x8848) {
        while (!(p[off + 2] & 1))
            off += 4;
        off += 4;
        type = p[off] >> 4 == 4 ? 0x0800 : 0x86dd;
    }
    const uint8_t *l3 = p + off;
    if (type == 0x0800) {
        size_t ihl = (l3[0] & 15u) * 4, total = get_be16(l3 + 2);

        if (off + total > len || pkt_sum(l3, ihl, 0) != 0xffff)
            return false;
        if (get_be16(l3 + 6) & 0x3fff)
            return true; /* A fragment: nothing to sum. */
        return l4_holds(l3, l3[9], l3 + ihl, total - ihl);
    }
    if (type == 0x86dd)
        return l4_holds(l3, l3[6], l3 + 40, get_be16(l3 + 4));
    return true;
}
