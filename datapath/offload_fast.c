/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/offload.h"

#include <errno.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <stdbool.h>
#include <string.h>

#include "weft/be.h"

#define TCP_CSUM_OFF 16
#define UDP_CSUM_OFF 6
#define TCP_FIN 0x01
#define TCP_PSH 0x08
#define TCP_CWR 0x80

/* Offset of the IP header that the state speaks of. */
static inline uint32_t
l3_offset(const struct rte_mbuf *m)
{
    uint32_t off = m->l2_len;

    if (m->ol_flags & RTE_MBUF_F_TX_TUNNEL_MASK)
        off += (uint32_t) (m->outer_l2_len + m->outer_l3_len);
    return off;
}

/* Length of L4 header and payload by the IP header at 'l3', 0 when that
 * contradicts the flags or the frame. */
static uint32_t
l4_length(const struct rte_mbuf *m, const uint8_t *l3, uint32_t l3_off)
{
    uint32_t total;

    if (m->ol_flags & RTE_MBUF_F_TX_IPV4) {
        if (m->l3_len < 20 || (l3[0] & 0xf) * 4u != m->l3_len)
            return 0;
        total = get_be16(l3 + 2);
    } else if (m->ol_flags & RTE_MBUF_F_TX_IPV6) {
        if (m->l3_len < 40)
            return 0;
        total = 40u + get_be16(l3 + 4);
    } else {
        return 0;
    }
    if (total <= m->l3_len || l3_off + total > m->pkt_len)
        return 0;
    return total - m->l3_len;
}

static inline uint16_t
fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) ((sum & 0xffff) + (sum >> 16));
}

/* Not rte_raw_cksum_mbuf: DPDK 22.11 drops the carries of a segment that
 * starts at an odd place before it swaps its bytes. */
uint16_t
offload_sum(const struct rte_mbuf *m, uint32_t off, uint32_t len)
{
    uint64_t sum = 0;
    uint32_t done = 0;

    for (; off >= m->data_len; m = m->next)
        off -= m->data_len;
    for (; done < len; m = m->next, off = 0) {
        uint32_t n = WEFT_MIN(len - done, m->data_len - off);
        const void *p = rte_pktmbuf_mtod_offset(m, const void *, off);
        uint16_t part = fold(__rte_raw_cksum(p, n, 0));

        sum += done & 1 ? __builtin_bswap16(part) : part;
        done += n;
    }
    return fold(sum);
}

int
offload_checksum(struct rte_mbuf *m)
{
    uint64_t l4 = m->ol_flags & RTE_MBUF_F_TX_L4_MASK;
    bool udp = l4 == RTE_MBUF_F_TX_UDP_CKSUM;
    uint32_t l3_off = l3_offset(m), l4_off = l3_off + m->l3_len;
    uint32_t field = udp ? UDP_CSUM_OFF : TCP_CSUM_OFF;
    uint32_t len;
    uint16_t sum;
    uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);

    if (!l4 && !(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG))
        return 0;
    if (l4 == RTE_MBUF_F_TX_SCTP_CKSUM || m->data_len < l4_off + field + 2)
        return -EINVAL;
    len = l4_length(m, p + l3_off, l3_off);
    if (len < field + 2)
        return -EINVAL;
    sum = (uint16_t) ~offload_sum(m, l4_off, len);
    if (udp && sum == 0)
        sum = 0xffff; /* RFC 768: zero would mean no checksum. */
    memcpy(p + l4_off + field, &sum, sizeof sum);
    m->ol_flags &= ~(RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG
                     | RTE_MBUF_F_TX_UDP_SEG | RTE_MBUF_F_TX_TUNNEL_MASK);
    return 0;
}

/* Reads a chain from front to end. */
struct cursor {
    const struct rte_mbuf *seg;
    uint32_t off; /* In 'seg'. */
};

static void
cursor_skip(struct cursor *c, uint32_t n)
{
    while (c->seg && n >= c->seg->data_len - c->off) {
        n -= c->seg->data_len - c->off;
        c->seg = c->seg->next;
        c->off = 0;
    }
    c->off += n;
}

/* Copies 'n' bytes; false when the chain is shorter. */
static bool
cursor_read(struct cursor *c, uint8_t *dst, uint32_t n)
{
    while (n) {
        uint32_t here;

        if (!c->seg)
            return false;
        here = WEFT_MIN(n, c->seg->data_len - c->off);
        memcpy(dst, rte_pktmbuf_mtod_offset(c->seg, uint8_t *, c->off), here);
        dst += here;
        n -= here;
        cursor_skip(c, here);
    }
    return true;
}

/* Appends 'n' bytes of payload to 'head', which grows by mbufs of 'pool' when
 * one is too small (jumbo frames). */
static int
append_payload(struct rte_mbuf *head, struct rte_mempool *pool,
               struct cursor *c, uint32_t n)
{
    struct rte_mbuf *tail = head;

    while (n) {
        uint32_t room = rte_pktmbuf_tailroom(tail);
        uint32_t here = WEFT_MIN(n, room);

        if (here == 0) {
            struct rte_mbuf *next = rte_pktmbuf_alloc(pool);

            if (!next)
                return -ENOMEM;
            tail->next = next;
            tail = next;
            head->nb_segs++;
            continue;
        }
        if (!cursor_read(c, rte_pktmbuf_mtod_offset(tail, uint8_t *,
                                                    tail->data_len), here))
            return -EINVAL;
        tail->data_len = (uint16_t) (tail->data_len + here);
        head->pkt_len += here;
        n -= here;
    }
    return 0;
}

/* What all segments of one frame share. */
struct tso {
    const uint8_t *hdr;  /* In the large frame. */
    uint32_t l2_len, l3_len, l4_len, hdr_len;
    uint32_t payload;    /* Bytes behind the L4 header. */
    uint32_t mss;
    bool v4, udp;
};

static int
tso_init(struct tso *t, const struct rte_mbuf *m)
{
    uint32_t len;

    if (m->ol_flags & RTE_MBUF_F_TX_TUNNEL_MASK)
        return -EINVAL;
    t->hdr = rte_pktmbuf_mtod(m, const uint8_t *);
    t->l2_len = m->l2_len;
    t->l3_len = m->l3_len;
    t->l4_len = m->l4_len;
    t->hdr_len = t->l2_len + t->l3_len + t->l4_len;
    t->mss = m->tso_segsz;
    t->v4 = (m->ol_flags & RTE_MBUF_F_TX_IPV4) != 0;
    t->udp = (m->ol_flags & RTE_MBUF_F_TX_UDP_SEG) != 0;
    if (t->mss == 0 || t->l2_len < 14 || t->l4_len < (t->udp ? 8 : 20)
        || t->hdr_len > m->data_len)
        return -EINVAL;
    len = l4_length(m, t->hdr + t->l2_len, t->l2_len);
    if (len < t->l4_len)
        return -EINVAL;
    if (!t->udp
        && (t->hdr[t->l2_len + t->l3_len + 12] >> 4) * 4u != t->l4_len)
        return -EINVAL;
    t->payload = len - t->l4_len;
    return 0;
}

/* Ones' complement sum of the pseudo-header: addresses, protocol, length
 * (RFC 9293 §3.1, RFC 8200 §8.1). */
static uint64_t
pseudo_sum(const struct tso *t, const uint8_t *l3, uint32_t l4_total)
{
    uint32_t n = t->v4 ? 8 : 32;
    const uint8_t *addrs = l3 + (t->v4 ? 12 : 8);

    return (uint64_t) __rte_raw_cksum(addrs, n, 0)
           + be16_from(t->udp ? IPPROTO_UDP : IPPROTO_TCP)
           + be16_from((uint16_t) l4_total);
}

/* IP header of the i-th segment. */
static void
finish_l3(const struct tso *t, uint8_t *l3, uint32_t l4_total, uint16_t i)
{
    uint16_t sum;

    if (!t->v4) {
        put_be16(l3 + 4, (uint16_t) (t->l3_len - 40 + l4_total));
        return;
    }
    put_be16(l3 + 2, (uint16_t) (t->l3_len + l4_total));
    put_be16(l3 + 4, (uint16_t) (get_be16(l3 + 4) + i));
    memset(l3 + 10, 0, 2);
    sum = (uint16_t) ~rte_raw_cksum(l3, t->l3_len);
    memcpy(l3 + 10, &sum, sizeof sum);
}

/* TCP header of the segment at payload offset 'off', 'n' bytes long. */
static void
finish_tcp(const struct tso *t, uint8_t *tcp, uint32_t off, uint32_t n)
{
    put_be32(tcp + 4, get_be32(tcp + 4) + off);
    if (off + n < t->payload)
        tcp[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH); /* The last carries them. */
    if (off > 0)
        tcp[13] &= (uint8_t) ~TCP_CWR; /* RFC 3168 §6.1.2: said once. */
}

/* Patches the copied headers of the i-th segment; then the checksums. */
static void
tso_finish(const struct tso *t, struct rte_mbuf *s, uint32_t off, uint32_t n,
           uint16_t i)
{
    uint8_t *l3 = rte_pktmbuf_mtod_offset(s, uint8_t *, t->l2_len);
    uint8_t *l4 = l3 + t->l3_len;
    uint8_t *field = l4 + (t->udp ? UDP_CSUM_OFF : TCP_CSUM_OFF);
    uint32_t l4_total = t->l4_len + n;
    uint16_t sum;

    finish_l3(t, l3, l4_total, i);
    if (t->udp)
        put_be16(l4 + 4, (uint16_t) l4_total);
    else
        finish_tcp(t, l4, off, n);
    memset(field, 0, 2);
    sum = (uint16_t) ~fold(pseudo_sum(t, l3, l4_total)
                           + offload_sum(s, t->l2_len + t->l3_len, l4_total));
    if (t->udp && sum == 0)
        sum = 0xffff;
    memcpy(field, &sum, sizeof sum);
}

static int
tso_cut_one(const struct tso *t, const struct rte_mbuf *m, struct cursor *c,
            struct rte_mempool *pool, uint32_t off, uint16_t i,
            struct rte_mbuf **out)
{
    uint32_t n = WEFT_MIN(t->mss, t->payload - off);
    struct rte_mbuf *s = rte_pktmbuf_alloc(pool);
    int err;

    *out = s;
    if (!s)
        return -ENOMEM;
    if (rte_pktmbuf_tailroom(s) < t->hdr_len)
        return -EINVAL;
    memcpy(rte_pktmbuf_mtod(s, void *), t->hdr, t->hdr_len);
    s->data_len = (uint16_t) t->hdr_len;
    s->pkt_len = t->hdr_len;
    s->port = m->port;
    s->l2_len = m->l2_len;
    s->l3_len = m->l3_len;
    err = append_payload(s, pool, c, n);
    if (!err)
        tso_finish(t, s, off, n, i);
    return err;
}

int
offload_segment(struct rte_mbuf *m, struct rte_mempool *pool,
                struct rte_mbuf *out[], unsigned max_out)
{
    struct tso t;
    struct cursor c = { m, 0 };
    uint32_t off = 0;
    unsigned n = 0;
    int err = tso_init(&t, m);

    if (err)
        return err;
    if ((uint64_t) t.mss * max_out < t.payload)
        return -E2BIG;
    if (max_out == 0)
        return -E2BIG;
    cursor_skip(&c, t.hdr_len);
    do {
        err = tso_cut_one(&t, m, &c, pool, off, (uint16_t) n, &out[n]);
        n += out[n] != NULL;
        if (err) {
            rte_pktmbuf_free_bulk(out, n);
            return err;
        }
        off += t.mss;
    } while (off < t.payload);
    rte_pktmbuf_free(m);
    return (int) n;
}
