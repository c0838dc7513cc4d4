/* SPDX-License-Identifier: Apache-2.0 */
/* Encapsulation: the port's header is stored in front of the frame as 64
 * bytes, right-aligned, so that no byte of the frame is touched; then what
 * depends on the next hop and on the packet is patched.  tunnel_tx_plain does
 * that for runs of packets about which nothing is special, tunnel_tx_burst
 * for any. */
#include "datapath/tunnel_hash_fast.h"

void
tunnel_worker_init(struct tunnel_worker *w, const struct tunnels *tunnels,
                   struct rte_mempool *pool)
{
    memset(w, 0, sizeof *w);
    w->tunnels = tunnels;
    w->pool = pool;
    w->icmp_credit = TUNNEL_ICMP_BURST;
}

/* ------------------------------------------------------------- next hops */

static bool
want(struct tunnel_worker *w, be32 remote, be32 local)
{
    if (w->n_wants == TUNNEL_WANTS)
        return false;
    w->wants[w->n_wants++] = (struct tunnel_want) { remote, local };
    return true;
}

/* One question per remote and interval.  Remotes share slots, so that
 * invented ones cannot use memory; the slot moves with the time, so that none
 * is shut out by a noisy neighbour for good. */
static void WEFT_COLD
want_unresolved(struct tunnel_worker *w, be32 remote, be32 local)
{
    uint32_t era = (uint32_t) (w->now_ns >> 32); /* 4.3 s. */
    uint64_t *after = &w->want_after[tunnel_hash_addr(remote ^ era)
                                     % TUNNEL_WANT_SLOTS];

    if (w->now_ns >= *after && want(w, remote, local))
        *after = w->now_ns + TUNNEL_RETRY_NS;
}

/* Workers may race: then control is asked twice. */
static void WEFT_COLD
want_refresh(struct tunnel_worker *w, struct tunnel_nh *nh, be32 local)
{
    if (want(w, nh->dst, local))
        __atomic_store_n(&nh->refresh_ns, w->now_ns + TUNNEL_REFRESH_NS,
                         __ATOMIC_RELAXED);
}

/* Next hop towards 'remote', or NULL with the reason. */
static struct tunnel_nh *
nexthop_usable(struct tunnel_worker *w, const struct tunnel_port *port,
               struct tunnel_nh *nh, be32 remote, int *verdict)
{
    if (weft_unlikely(!nh || nh->unusable)) {
        want_unresolved(w, remote, port->local);
        *verdict = nh && nh->gone ? DROP_TNL_NO_ROUTE : DROP_TNL_NO_NEIGH;
        return NULL;
    }
    if (weft_unlikely(w->now_ns >= __atomic_load_n(&nh->refresh_ns,
                                                   __ATOMIC_RELAXED)))
        want_refresh(w, nh, port->local);
    return nh;
}

static struct tunnel_nh *
nexthop_by_flow(struct tunnel_worker *w, const struct tunnel_port *port,
                be32 remote, int *verdict)
{
    struct tunnel_nh_table *t;

    if (weft_unlikely(!remote)) {
        *verdict = DROP_TNL_NO_REMOTE;
        return NULL;
    }
    t = __atomic_load_n(&w->tunnels->nhs, __ATOMIC_ACQUIRE);
    return nexthop_usable(w, port, tunnel_nh_find(t, remote), remote, verdict);
}

/* --------------------------------------------------------- encapsulation */

/* TOS byte of the inner packet, 0 when it is no IP.  'p' has 'len' bytes. */
static inline uint8_t
inner_tos(const uint8_t *p, size_t len, uint16_t type)
{
    size_t at = 14;

    for (unsigned tags = 0; weft_unlikely(tunnel_type_is_vlan(type));
         tags++, at += 4) {
        if (tags == 2 || len < at + 4)
            return 0;
        type = get_be16(p + at + 2);
    }
    if (weft_unlikely(len < at + 2))
        return 0;
    if (type == 0x0800)
        return p[at + 1];
    if (type == 0x86dd)
        return (uint8_t) (get_be16(p + at) >> 4);
    return 0;
}

/* The frame with room in front, in memory of its own; 'm' is consumed.
 * NULL: no buffer, 'm' is as it was. */
static struct rte_mbuf * WEFT_COLD
copy_with_headroom(struct tunnel_worker *w, struct rte_mbuf *m)
{
    struct rte_mbuf *copy = rte_pktmbuf_copy(m, w->pool, 0, UINT32_MAX);

    if (!copy)
        return NULL;
    if (rte_pktmbuf_headroom(copy) < TUNNEL_STORE) {
        rte_pktmbuf_free(copy);
        return NULL;
    }
    rte_pktmbuf_free(m);
    return copy;
}

/* Stores before a shared buffer would show in its other packets. */
static inline bool
headroom_is_own(const struct rte_mbuf *m)
{
    return rte_pktmbuf_headroom(m) >= TUNNEL_STORE && RTE_MBUF_DIRECT(m)
           && rte_mbuf_refcnt_read(m) == 1;
}

static inline be32
source_of(const struct tunnel_table *t, const struct tunnel_port *port,
          const struct tunnel_nh *nh, be32 wanted)
{
    if (port->local)
        return port->local;
    if (weft_unlikely(wanted) && tunnel_addr_is_local(t, wanted))
        return wanted;
    return nh->src;
}

static inline uint16_t
ip_csum_finish(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) ~sum;
}

/* What packets of a burst to one next hop have in common: the port's header
 * with the addresses in it. */
struct header {
    uint8_t store[TUNNEL_STORE];
    const struct tunnel_nh *nh; /* NULL: not made yet. */
    be32 src;
    uint32_t csum; /* Without TOS, length and id. */
};

static void
header_make(struct header *h, const struct tunnel_port *port,
            const struct tunnel_nh *nh, be32 src)
{
    uint8_t *out = h->store + TUNNEL_STORE - port->len;

    memcpy(h->store, port->store, TUNNEL_STORE);
    memcpy(out, nh->macs, sizeof nh->macs);
    memcpy(out + TUNNEL_IP_SRC, &src, 4);
    memcpy(out + TUNNEL_IP_DST, &nh->dst, 4);
    h->nh = nh;
    h->src = src;
    h->csum = port->ip_csum + nh->dst_csum + (be32_to(src) >> 16)
              + (be32_to(src) & 0xffff);
}

/* Writes the outer headers of 'm', whose headroom is its own. */
static inline void
store_header(struct tunnel_worker *w, const struct tunnel_port *port,
             const struct header *h, struct rte_mbuf *m,
             const struct tunnel_tx *tx, uint8_t tos)
{
    uint8_t *inner = rte_pktmbuf_mtod(m, uint8_t *);
    uint8_t *out = inner - port->len;
    uint16_t ip_len = (uint16_t) (m->pkt_len + port->len - TUNNEL_ETH_HLEN);
    uint32_t sum = h->csum + ip_len + tos;

    memcpy(inner - TUNNEL_STORE, h->store, TUNNEL_STORE);
    out[TUNNEL_IP_TOS] = tos;
    put_be16(out + TUNNEL_IP_LEN, ip_len);
    if (weft_unlikely(!port->df)) {
        /* RFC 6864 §4.3: only packets that may be fragmented need an id. */
        put_be16(out + TUNNEL_IP_ID, ++w->ip_id);
        sum += w->ip_id;
    }
    put_be16(out + TUNNEL_IP_CSUM, ip_csum_finish(sum));

    if (port->key_flow)
        put_be24(out + port->key_off, (uint32_t) tx->tun.id);

    uint32_t hash = tx->hash ? tx->hash : tunnel_hash_frame(inner, m->data_len);
    if (port->udp_off)
        put_be16(out + port->udp_off + 4,
                 (uint16_t) (m->pkt_len + port->len - port->udp_off));
    if (port->entropy == TNL_ENTROPY_SRC_PORT)
        put_be16(out + port->entropy_off,
                 (uint16_t) (port->entropy_min
                             + ((uint64_t) hash * port->entropy_span >> 32)));
    else if (port->entropy == TNL_ENTROPY_FLOW_ID)
        out[port->entropy_off] = (uint8_t) (hash >> 24);

    m->data_off = (uint16_t) (m->data_off - port->len);
    m->data_len = (uint16_t) (m->data_len + port->len);
    m->pkt_len += port->len;
}

/* What the answer to a frame that is too big needs. */
static int WEFT_COLD
too_big(const struct tunnel_table *t, const struct tunnel_port *port,
        const struct tunnel_nh *nh, struct tunnel_tx *tx)
{
    uint16_t mtu = nh->mtu > port->len ? (uint16_t) (nh->mtu - port->len) : 0;

    tx->mtu = mtu;
    tx->back = (struct pkt_tunnel) {
        .id = port->key_flow ? tx->tun.id : port->key,
        .src = nh->dst,
        .dst = source_of(t, port, nh, tx->tun.src),
    };
    return DROP_TNL_TX_TOO_BIG;
}

static inline int
encap_one(struct tunnel_worker *w, const struct tunnel_table *t,
          const struct tunnel_port *port, struct header *h,
          struct rte_mbuf **mp, struct tunnel_tx *tx)
{
    const struct tunnel_nh *nh = h->nh;
    struct rte_mbuf *m = *mp;
    const uint8_t *inner = rte_pktmbuf_mtod(m, const uint8_t *);
    uint16_t type;

    /* Callers give whole frames; less than a header is our own fault, yet
     * must not be read. */
    if (weft_unlikely(m->data_len < TUNNEL_ETH_HLEN))
        return DROP_TNL_INNER_RUNT;
    if (port->key_flow
        && weft_unlikely(tx->tun.id < port->key_min
                         || tx->tun.id > port->key_max))
        return DROP_TNL_BAD_KEY;
    /* RFC 7348 §6.1: SHOULD NOT carry a tag unless configured; RFC 7637
     * §3.3: MUST NOT. */
    type = get_be16(inner + 12);
    if (weft_unlikely(tunnel_type_is_vlan(type)) && !port->keep_vlan)
        return DROP_TNL_TX_VLAN;
    /* RFC 7348 §4.3: a VTEP does not fragment. */
    if (weft_unlikely(m->pkt_len + port->len - TUNNEL_ETH_HLEN > nh->mtu))
        return too_big(t, port, nh, tx);

    uint8_t tos = (uint8_t) (port->tos
                             | (inner_tos(inner, m->data_len, type)
                                & port->tos_mask));
    if (weft_unlikely(!headroom_is_own(m))) {
        m = copy_with_headroom(w, m);
        if (!m)
            return DROP_NO_BUFFER;
        *mp = m;
    }
    if (weft_unlikely(!port->local)) {
        be32 src = source_of(t, port, nh, tx->tun.src);

        if (weft_unlikely(src != h->src))
            header_make(h, port, nh, src);
    }
    store_header(w, port, h, m, tx, tos);
    return TUNNEL_OK;
}

void
tunnel_tx_burst(struct tunnel_worker *w, const struct tunnel_port *port,
                struct rte_mbuf *m[], unsigned n, struct tunnel_tx tx[])
{
    const struct tunnel_table *t = __atomic_load_n(&w->tunnels->table,
                                                   __ATOMIC_ACQUIRE);
    struct tunnel_nh *nh = NULL;
    struct header h = { .nh = NULL };
    int verdict = DROP_TNL_NO_NEIGH;
    be32 last = 0;

    for (unsigned i = 0; i < n; i++)
        weft_prefetch_write(rte_pktmbuf_mtod(m[i], uint8_t *) - TUNNEL_STORE);
    if (!port->remote_flow)
        nh = nexthop_usable(w, port,
                            __atomic_load_n(&port->nh, __ATOMIC_ACQUIRE),
                            port->remote, &verdict);
    for (unsigned i = 0; i < n; i++) {
        if (port->remote_flow && (!i || tx[i].tun.dst != last)) {
            last = tx[i].tun.dst;
            nh = nexthop_by_flow(w, port, last, &verdict);
        }
        if (weft_unlikely(!nh)) {
            tx[i].verdict = verdict;
            continue;
        }
        if (weft_unlikely(h.nh != nh))
            header_make(&h, port, nh, source_of(t, port, nh, tx[i].tun.src));
        tx[i].uplink = nh->uplink;
        tx[i].verdict = encap_one(w, t, port, &h, &m[i], &tx[i]);
    }
}

/* What a burst to one next hop asks of the port, apart from where stores to
 * frames might reach. */
struct plain {
    struct header h;
    uint32_t max_len; /* Of an inner frame. */
    uint32_t entropy_min, entropy_span;
    uint32_t key_min, key_max;
    uint8_t len, udp_off, entropy_off, key_off;
    uint8_t tos, tos_mask;
    bool flow_id, key_flow, keep_vlan;
    bool by_key; /* A packet may name its source. */
};

static inline uint8_t
plain_tos(const struct plain *c, const uint8_t *inner, uint16_t type)
{
    uint32_t word = get_be16(inner + TUNNEL_ETH_HLEN), tos = 0;

    tos = type == 0x0800 ? word & 0xff : tos;
    tos = type == 0x86dd ? word >> 4 & 0xff : tos;
    return (uint8_t) (c->tos | (tos & c->tos_mask));
}

/* Complete, in one piece, in memory of its own with headroom, and such as the
 * tunnel carries? */
static inline bool
plain_takes(const struct plain *c, const struct rte_mbuf *m, uint16_t type)
{
    /* Bits of transmit offloads, of ours and of foreign memory. */
    uint64_t special = m->ol_flags & ~(RTE_MBUF_F_FIRST_FREE - 1);

    special |= (uint64_t) (rte_mbuf_refcnt_read(m) ^ 1) | (m->nb_segs ^ 1u);
    special |= (uint64_t) (m->data_off < TUNNEL_STORE)
               | (m->pkt_len > c->max_len)
               | (tunnel_type_is_vlan(type) & !c->keep_vlan);
    return !special;
}

static inline void
plain_store(const struct plain *c, struct rte_mbuf *m, uint8_t *inner,
            uint8_t tos, uint32_t hash)
{
    uint8_t *out = inner - c->len;
    uint32_t len = m->pkt_len + c->len, ip_len = len - TUNNEL_ETH_HLEN;

    memcpy(inner - TUNNEL_STORE, c->h.store, TUNNEL_STORE);
    out[TUNNEL_IP_TOS] = tos;
    put_be16(out + TUNNEL_IP_LEN, (uint16_t) ip_len);
    put_be16(out + TUNNEL_IP_CSUM, ip_csum_finish(c->h.csum + ip_len + tos));
    if (c->udp_off) {
        put_be16(out + c->udp_off + 4, (uint16_t) (len - c->udp_off));
        put_be16(out + c->entropy_off,
                 (uint16_t) (c->entropy_min
                             + ((uint64_t) hash * c->entropy_span >> 32)));
    } else if (c->flow_id) {
        out[c->entropy_off] = (uint8_t) (hash >> 24);
    }
    m->data_off = (uint16_t) (m->data_off - c->len);
    m->data_len = (uint16_t) (m->data_len + c->len);
    m->pkt_len = len;
}

/* False: there is more to each packet than struct plain says. */
static bool
plain_make(struct plain *c, struct tunnel_worker *w,
           const struct tunnel_port *port)
{
    struct tunnel_nh *nh;
    int verdict;

    if (port->remote_flow || !port->df
        || !port->udp_off != (port->entropy != TNL_ENTROPY_SRC_PORT))
        return false;
    nh = nexthop_usable(w, port, __atomic_load_n(&port->nh, __ATOMIC_ACQUIRE),
                        port->remote, &verdict);
    if (!nh || nh->mtu + TUNNEL_ETH_HLEN < port->len)
        return false;
    header_make(&c->h, port, nh, port->local ? port->local : nh->src);
    c->by_key = !port->local;
    c->max_len = nh->mtu + (uint32_t) TUNNEL_ETH_HLEN - port->len;
    c->entropy_min = port->entropy_min;
    c->entropy_span = port->entropy_span;
    c->key_flow = port->key_flow;
    c->key_off = port->key_off;
    c->key_min = port->key_min;
    c->key_max = port->key_max;
    c->len = port->len;
    c->udp_off = port->udp_off;
    c->entropy_off = port->entropy_off;
    c->tos = port->tos;
    c->tos_mask = port->tos_mask;
    c->flow_id = port->entropy == TNL_ENTROPY_FLOW_ID;
    c->keep_vlan = port->keep_vlan;
    return true;
}

unsigned
tunnel_tx_plain(struct tunnel_worker *w, const struct tunnel_port *port,
                struct rte_mbuf *const m[],
                const struct flow_key *const keys[], unsigned n,
                uint32_t *uplink)
{
    struct plain made;
    unsigned i;

    if (!plain_make(&made, w, port))
        return 0;
    *uplink = made.h.nh->uplink;

    /* Nobody has its address: no store to a frame can change it. */
    const struct plain c = made;

    for (i = 0; i < n; i++)
        weft_prefetch_write(rte_pktmbuf_mtod(m[i], uint8_t *) - TUNNEL_STORE);
    for (i = 0; i < n; i++) {
        uint8_t *inner = rte_pktmbuf_mtod(m[i], uint8_t *);
        uint32_t key = 0;
        uint16_t type;

        if (weft_unlikely(m[i]->data_len < TUNNEL_ETH_HLEN + 2))
            break;
        type = get_be16(inner + 12);
        if (weft_unlikely(!plain_takes(&c, m[i], type)
                          || (c.by_key && keys[i]->tun_src)))
            break;
        /* A tag that is kept hides the TOS byte. */
        if (weft_unlikely(tunnel_type_is_vlan(type)) && c.tos_mask)
            break;
        if (c.key_flow) {
            uint64_t id = be64_to(keys[i]->tun_id);

            if (weft_unlikely(id < c.key_min || id > c.key_max))
                break;
            key = (uint32_t) id;
        }
        plain_store(&c, m[i], inner, plain_tos(&c, inner, type),
                    tunnel_hash_key_fast(keys[i]));
        if (c.key_flow)
            put_be24(inner - c.len + c.key_off, key);
    }
    return i;
}

bool
tunnel_port_needs_key(const struct tunnel_port *port)
{
    return port->key_flow || port->remote_flow || !port->local;
}
