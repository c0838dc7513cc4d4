/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/ports/common/vnet_fast.h"

#include <netinet/in.h>
#include <string.h>

#include "datapath/offload.h"
#include "weft/be.h"

#define MAX_VLANS 4
#define MAX_IPV6_EXT 8
#define TCP_CSUM_OFF 16
#define UDP_CSUM_OFF 6
#define GRE_TEB 0x6558
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5 /* Linux 6.2. */
#endif

/* Where the headers of one frame lie, counted from 'start'. */
struct headers {
    uint32_t l3, l4; /* Offsets. */
    uint8_t proto;   /* Of what stands at l4. */
    bool v6;
};

static bool
parse_ipv6(const uint8_t *p, uint32_t len, struct headers *h)
{
    h->v6 = true;
    if (len < h->l3 + 40)
        return false;
    h->proto = p[h->l3 + 6];
    h->l4 = h->l3 + 40;
    for (int i = 0; i < MAX_IPV6_EXT; i++) {
        if (h->proto != IPPROTO_HOPOPTS && h->proto != IPPROTO_ROUTING
            && h->proto != IPPROTO_DSTOPTS)
            return true;
        if (len < h->l4 + 8)
            return false;
        h->proto = p[h->l4];
        h->l4 += 8 + 8u * p[h->l4 + 1]; /* RFC 8200 §4.2 */
    }
    return false;
}

/* Ethernet from 'off' to the L4 header. */
static bool
parse(const uint8_t *p, uint32_t len, uint32_t off, struct headers *h)
{
    uint32_t at = off + 12;
    uint16_t type = 0;

    for (int i = 0; i <= MAX_VLANS; i++, at += 4) {
        if (len < at + 2)
            return false;
        type = get_be16(p + at);
        if (type != 0x8100 && type != 0x88a8)
            break;
    }
    h->l3 = at + 2;
    if (type == 0x86dd)
        return parse_ipv6(p, len, h);
    if (type != 0x0800 || len < h->l3 + 20)
        return false;
    h->v6 = false;
    h->proto = p[h->l3 + 9];
    h->l4 = h->l3 + (p[h->l3] & 0xf) * 4u;
    return h->l4 >= h->l3 + 20;
}

/* Length of UDP + VXLAN or GRE at 'l4', 0: neither. */
static uint32_t
tunnel_header(const uint8_t *p, uint32_t len, const struct headers *h,
              uint64_t *flag)
{
    uint32_t n = 4;

    if (h->proto == IPPROTO_UDP) {
        *flag = RTE_MBUF_F_TX_TUNNEL_VXLAN;
        return 16;
    }
    if (h->proto != IPPROTO_GRE || len < h->l4 + 4
        || get_be16(p + h->l4 + 2) != GRE_TEB)
        return 0;
    *flag = RTE_MBUF_F_TX_TUNNEL_GRE;
    n += p[h->l4] & 0x80 ? 4 : 0; /* RFC 2890 §2: checksum, key, sequence. */
    n += p[h->l4] & 0x20 ? 4 : 0;
    n += p[h->l4] & 0x10 ? 4 : 0;
    return n;
}

/* State for the headers 'h', whose lengths are counted from 'from'. */
static bool
set_state(struct rte_mbuf *m, const struct headers *h, uint32_t from,
          uint64_t l4_flag)
{
    uint32_t l2 = h->l3 - from, l3 = h->l4 - h->l3;

    if (l2 > 127 || l3 > 511) /* Widths of the mbuf's fields. */
        return false;
    m->l2_len = l2;
    m->l3_len = l3;
    m->ol_flags |= l4_flag
                   | (h->v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
    return true;
}

static bool
set_segmentation(struct rte_mbuf *m, const struct virtio_net_hdr *v,
                 const uint8_t *p, const struct headers *h)
{
    uint8_t type = v->gso_type & (uint8_t) ~VIRTIO_NET_HDR_GSO_ECN;
    uint32_t l4_len = 8;

    if (v->gso_size == 0 || m->data_len < h->l4 + 20)
        return false;
    m->tso_segsz = v->gso_size;
    if (type == VIRTIO_NET_HDR_GSO_UDP_L4 && h->proto == IPPROTO_UDP) {
        m->l4_len = l4_len;
        m->ol_flags |= RTE_MBUF_F_TX_UDP_SEG;
        return true;
    }
    l4_len = (p[h->l4 + 12] >> 4) * 4u;
    if (type != (h->v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4)
        || h->proto != IPPROTO_TCP || l4_len < 20
        || m->data_len < h->l4 + l4_len)
        return false;
    m->l4_len = l4_len;
    m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
    return true;
}

/* A TCP segment inside a tunnel packet: the state speaks of the inner one. */
static bool
inner_segment(struct rte_mbuf *m, const struct virtio_net_hdr *v,
              const uint8_t *p, const struct headers *outer, uint32_t start)
{
    struct headers inner;
    uint64_t tunnel;
    uint32_t hdr = tunnel_header(p, m->data_len, outer, &tunnel);

    if (!hdr || !parse(p, m->data_len, outer->l4 + hdr, &inner)
        || inner.l4 != start
        || !set_state(m, &inner, outer->l4, RTE_MBUF_F_TX_TCP_CKSUM)
        || !set_segmentation(m, v, p, &inner))
        return false;
    m->outer_l2_len = outer->l3 & 0x7f;
    m->outer_l3_len = (outer->l4 - outer->l3) & 0x1ff;
    m->ol_flags |= tunnel;
    return true;
}

/* Completes a sum that nobody behind us could: SCTP has none such, this is
 * ICMPv6, a tunnel's inner packet and the like. */
static bool
finish_here(struct rte_mbuf *m, uint8_t *p, uint32_t start, uint32_t offset)
{
    uint16_t sum;

    if (start + offset + 2 > m->data_len)
        return false;
    sum = (uint16_t) ~offload_sum(m, start, m->pkt_len - start);
    if (sum == 0)
        sum = 0xffff; /* The same number, and right for UDP too. */
    memcpy(p + start + offset, &sum, sizeof sum);
    m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_NONE;
    return true;
}

bool
vnet_to_mbuf(struct rte_mbuf *m, const struct virtio_net_hdr *v,
             unsigned shift)
{
    uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
    uint32_t start = v->csum_start + shift;
    bool large = v->gso_type != VIRTIO_NET_HDR_GSO_NONE, known;
    struct headers h;

    if (v->flags & VIRTIO_NET_HDR_F_DATA_VALID)
        m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    if (!(v->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
        return !large;
    known = parse(p, m->data_len, 0, &h);
    if (known && h.l4 == start) {
        if (h.proto == IPPROTO_TCP && v->csum_offset == TCP_CSUM_OFF)
            return set_state(m, &h, 0, RTE_MBUF_F_TX_TCP_CKSUM)
                   && (!large || set_segmentation(m, v, p, &h));
        if (h.proto == IPPROTO_UDP && v->csum_offset == UDP_CSUM_OFF)
            return set_state(m, &h, 0, RTE_MBUF_F_TX_UDP_CKSUM)
                   && (!large || set_segmentation(m, v, p, &h));
    }
    if (large)
        return known && inner_segment(m, v, p, &h, start);
    return start < m->pkt_len && finish_here(m, p, start, v->csum_offset);
}

void
vnet_from_mbuf(const struct rte_mbuf *m, struct virtio_net_hdr *v)
{
    uint64_t l4 = m->ol_flags & RTE_MBUF_F_TX_L4_MASK;
    uint32_t hdr;

    memset(v, 0, sizeof *v);
    if (!offload_pending(m))
        return;
    v->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    v->csum_start = (uint16_t) (m->l2_len + m->l3_len);
    v->csum_offset = l4 == RTE_MBUF_F_TX_UDP_CKSUM ? UDP_CSUM_OFF
                                                   : TCP_CSUM_OFF;
    if (!(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG))
        return;
    hdr = (uint32_t) (m->l2_len + m->l3_len + m->l4_len);
    if (m->pkt_len <= hdr + m->tso_segsz)
        return; /* Fits into one frame. */
    v->hdr_len = (uint16_t) hdr;
    v->gso_size = m->tso_segsz;
    v->gso_type = m->ol_flags & RTE_MBUF_F_TX_IPV6 ? VIRTIO_NET_HDR_GSO_TCPV6
                                                   : VIRTIO_NET_HDR_GSO_TCPV4;
    /* RFC 3168: only the first segment may carry CWR. */
    if (m->data_len > v->csum_start + 13
        && *rte_pktmbuf_mtod_offset(m, const uint8_t *, v->csum_start + 13)
               & 0x80)
        v->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
}
