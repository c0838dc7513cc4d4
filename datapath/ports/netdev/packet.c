/* SPDX-License-Identifier: Apache-2.0 */
/* Packet sockets: the backend that works on every interface.
 *
 * What:    packet_create.
 * Model:   virtio-net headers both ways (PACKET_VNET_HDR), so checksums stay
 *          partial and segments large across a veth; bursts by recvmmsg and
 *          sendmmsg.  SLOTS frames are received at a time, each into a small
 *          mbuf followed by a big one that only large frames use up.
 * Source:  packet(7), linux/if_packet.h, linux/filter.h. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datapath/offload.h"
#include "datapath/ports/common/vnet_fast.h"
#include "datapath/ports/netdev/netdev_port.h"
#include "utils/base/mem.h"
#include "weft/be.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

#define SLOTS 8
#define VLAN_LEN 4
#define TX_IOV 256
#define MAX_SEGS 64
#define RCVBUF (4 << 20)

struct slot {
    struct virtio_net_hdr vnet;
    struct rte_mbuf *small, *big;
    struct iovec iov[3];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    } control;
};

struct packet {
    struct netdev_backend b;
    int fd;
    struct port_env env;
    uint64_t dropped; /* Control. */
    /* Received, not delivered: large UDP became more frames than asked for. */
    unsigned n_stash, stash_at;
    struct rte_mbuf *stash[SLOTS * OFFLOAD_MAX_SEGMENTS];
    struct slot slots[SLOTS];
    struct mmsghdr rx_msgs[SLOTS];
    struct mmsghdr tx_msgs[PORT_BURST];
    struct virtio_net_hdr tx_vnet[PORT_BURST];
    struct iovec tx_iov[TX_IOV];
};

/* ------------------------------------------------------------- receive */

/* Gives the slot what it lacks; false: no memory for another frame. */
static bool
slot_ready(struct packet *k, struct slot *s, struct mmsghdr *msg)
{
    if (!s->small) {
        s->small = rte_pktmbuf_alloc(k->env.pool);
        if (!s->small)
            return false;
        /* So that a VLAN tag put back leaves PORT_HEADROOM. */
        s->small->data_off += VLAN_LEN;
    }
    if (!s->big && k->env.big_pool)
        s->big = rte_pktmbuf_alloc(k->env.big_pool);
    s->iov[0] = (struct iovec) { &s->vnet, sizeof s->vnet };
    s->iov[1] = (struct iovec) { rte_pktmbuf_mtod(s->small, void *),
                                 rte_pktmbuf_tailroom(s->small) };
    s->iov[2] = (struct iovec) { NULL, 0 };
    if (s->big)
        s->iov[2] = (struct iovec) { rte_pktmbuf_mtod(s->big, void *),
                                     rte_pktmbuf_tailroom(s->big) };
    msg->msg_hdr = (struct msghdr) {
        .msg_iov = s->iov,
        .msg_iovlen = s->big ? 3 : 2,
        .msg_control = s->control.bytes,
        .msg_controllen = sizeof s->control.bytes,
    };
    return true;
}

/* The tag that the kernel took out of the frame, as TPID << 16 | TCI; 0: it
 * took none. */
static uint32_t
tag_of(struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        struct tpacket_auxdata aux;
        uint32_t tpid = ETH_P_8021Q;

        if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
            continue;
        memcpy(&aux, CMSG_DATA(c), sizeof aux);
        if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
            return 0;
        if (aux.tp_status & TP_STATUS_VLAN_TPID_VALID)
            tpid = aux.tp_vlan_tpid;
        return tpid << 16 | aux.tp_vlan_tci;
    }
    return 0;
}

static void
tag_insert(struct rte_mbuf *m, uint32_t tag)
{
    uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *) - VLAN_LEN; /* slot_ready */

    m->data_off -= VLAN_LEN;
    m->data_len += VLAN_LEN;
    m->pkt_len += VLAN_LEN;
    memmove(p, p + VLAN_LEN, 12);
    put_be32(p + 12, tag);
}

/* The frame received into 's', or NULL: counted. */
static struct rte_mbuf *
slot_take(struct port *p, struct slot *s, struct mmsghdr *msg)
{
    struct rte_mbuf *m = s->small;
    uint32_t len = msg->msg_len, small = (uint32_t) s->iov[1].iov_len;
    uint32_t tag = tag_of(&msg->msg_hdr);

    if (msg->msg_hdr.msg_flags & MSG_TRUNC) {
        p->rx_no_buffer++;
        return NULL;
    }
    if (len < sizeof s->vnet + 14) {
        p->rx_errors++;
        return NULL;
    }
    len -= (uint32_t) sizeof s->vnet;
    s->small = NULL;
    m->data_len = (uint16_t) WEFT_MIN(len, small);
    m->pkt_len = len;
    if (len > small) {
        m->next = s->big;
        m->nb_segs = 2;
        s->big->data_len = (uint16_t) (len - small);
        s->big->pkt_len = len - small;
        s->big = NULL;
    }
    if (tag)
        tag_insert(m, tag);
    if (!vnet_to_mbuf(m, &s->vnet, tag ? VLAN_LEN : 0)) {
        p->rx_errors++;
        rte_pktmbuf_free(m);
        return NULL;
    }
    return m;
}

struct output {
    struct rte_mbuf **pkts;
    uint16_t n, max;
};

static void
deliver(struct packet *k, struct output *o, struct rte_mbuf *m)
{
    if (o->n < o->max)
        o->pkts[o->n++] = m;
    else
        k->stash[k->n_stash++] = m;
}

/* Large UDP is cut here: no port takes it whole. */
static void
deliver_cut(struct packet *k, struct port *p, struct output *o,
            struct rte_mbuf *m)
{
    struct rte_mbuf *cut[OFFLOAD_MAX_SEGMENTS];
    int n = offload_segment(m, k->env.pool, cut, OFFLOAD_MAX_SEGMENTS);

    if (n < 0) {
        *(n == -ENOMEM ? &p->rx_no_buffer : &p->rx_errors) += 1;
        rte_pktmbuf_free(m);
    }
    for (int i = 0; i < n; i++)
        deliver(k, o, cut[i]);
}

static void
stash_drain(struct packet *k, struct output *o)
{
    while (k->stash_at < k->n_stash && o->n < o->max)
        o->pkts[o->n++] = k->stash[k->stash_at++];
    if (k->stash_at == k->n_stash)
        k->stash_at = k->n_stash = 0;
}

/* One recvmmsg; returns whether the socket may hold more.  The stash is
 * empty. */
static bool
receive_some(struct packet *k, struct port *p, struct output *o)
{
    uint16_t room = (uint16_t) (o->max - o->n), want = 0;
    int r;

    while (want < WEFT_MIN(room, (uint16_t) SLOTS)
           && slot_ready(k, &k->slots[want], &k->rx_msgs[want]))
        want++;
    if (want == 0) {
        p->rx_no_buffer++; /* The frames wait in the socket. */
        return false;
    }
    r = recvmmsg(k->fd, k->rx_msgs, want, MSG_DONTWAIT, NULL);
    for (int i = 0; i < r; i++) {
        struct rte_mbuf *m = slot_take(p, &k->slots[i], &k->rx_msgs[i]);

        if (m && (m->ol_flags & RTE_MBUF_F_TX_UDP_SEG))
            deliver_cut(k, p, o, m);
        else if (m)
            deliver(k, o, m);
    }
    return r == want;
}

static uint16_t
packet_rx(struct netdev_backend *b, struct port *p, struct rte_mbuf **pkts,
          uint16_t n)
{
    struct packet *k = (struct packet *) b;
    struct output o = { pkts, 0, n };

    stash_drain(k, &o);
    while (o.n < o.max && receive_some(k, p, &o))
        ;
    return o.n;
}

/* ------------------------------------------------------------ transmit */

/* Writes message 'i' for 'm' with iovecs from 'iov'; returns their number. */
static unsigned
message_build(struct packet *k, unsigned i, struct iovec *iov,
              const struct rte_mbuf *m)
{
    unsigned n = 0;

    vnet_from_mbuf(m, &k->tx_vnet[i]);
    iov[n++] = (struct iovec) { &k->tx_vnet[i], sizeof k->tx_vnet[i] };
    for (; m; m = m->next)
        iov[n++] = (struct iovec) { rte_pktmbuf_mtod(m, void *),
                                    m->data_len };
    k->tx_msgs[i].msg_hdr = (struct msghdr) { .msg_iov = iov,
                                              .msg_iovlen = n };
    return n;
}

/* Builds messages for as many of pkts[0..n-1] as there are iovecs for. */
static unsigned
messages_build(struct packet *k, struct rte_mbuf **pkts, unsigned n)
{
    unsigned i, iov = 0;

    for (i = 0; i < n; i++) {
        if (pkts[i]->nb_segs > MAX_SEGS
            || iov + 1 + pkts[i]->nb_segs > TX_IOV)
            break;
        iov += message_build(k, i, &k->tx_iov[iov], pkts[i]);
    }
    return i;
}

/* Errors that concern one frame only. */
static bool
frame_refused(int err)
{
    return err == EINVAL || err == EMSGSIZE || err == EFAULT;
}

static uint16_t
packet_tx(struct netdev_backend *b, struct port *p, struct rte_mbuf **pkts,
          uint16_t n)
{
    struct packet *k = (struct packet *) b;
    struct rte_mbuf *refused[PORT_BURST];
    uint16_t sent = 0, i = 0, n_refused = 0;

    p->tx_error = false;
    n = WEFT_MIN(n, (uint16_t) PORT_BURST);
    while (i < n) {
        unsigned ready = messages_build(k, pkts + i, n - i);
        int r = ready ? sendmmsg(k->fd, k->tx_msgs, ready, MSG_DONTWAIT) : -1;

        if (r < 0 && ready && !frame_refused(errno)) {
            p->tx_error = errno != EAGAIN && errno != ENOBUFS;
            break;
        }
        if (r < 0)
            refused[n_refused++] = pkts[i++];
        for (; r > 0; r--)
            pkts[sent++] = pkts[i++];
    }
    p->tx_error |= n_refused > 0;
    rte_pktmbuf_free_bulk(pkts, sent);
    /* Those not tried are at [i..] already. */
    for (uint16_t j = 0; j < n_refused; j++)
        pkts[sent + j] = refused[j];
    return sent;
}

/* -------------------------------------------------------------- filter */

#define FILTER_MAX (40 + 2 * (NETDEV_MAX_ADDRS + NETDEV_MAX_UDP_PORTS))

struct program {
    struct sock_filter code[FILTER_MAX];
    unsigned n;
};

static void
emit(struct program *g, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
    g->code[g->n++] = (struct sock_filter) { code, jt, jf, k };
}

/* "If A is none of the values: drop."  Values as the loads give them. */
static void
emit_one_of(struct program *g, const uint32_t *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        emit(g, BPF_JMP | BPF_JEQ | BPF_K, values[i], 0, 1);
        /* Over the pairs that follow and the drop behind them. */
        emit(g, BPF_JMP | BPF_JA, (uint32_t) (2 * (n - i - 1) + 1), 0, 0);
    }
    emit(g, BPF_RET | BPF_K, 0, 0, 0);
}

static void
emit_equal(struct program *g, uint32_t value)
{
    emit_one_of(g, &value, 1);
}

/* The same condition as in weft_uplink.bpf.c. */
static void
program_build(struct program *g, const struct netdev_filter *f)
{
    static const uint32_t all = 0x40000;
    uint32_t values[NETDEV_MAX_ADDRS];

    g->n = 0;
    /* Addressed to this interface: not to a VLAN's above it, not to another
     * host's that a sniffer's promiscuous mode lets in. */
    emit(g, BPF_LD | BPF_B | BPF_ABS,
         (uint32_t) (SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT), 0, 0);
    emit_equal(g, 0);
    emit(g, BPF_LD | BPF_B | BPF_ABS,
         (uint32_t) (SKF_AD_OFF + SKF_AD_PKTTYPE), 0, 0);
    emit_equal(g, PACKET_HOST);
    emit(g, BPF_LD | BPF_H | BPF_ABS, 12, 0, 0);
    emit_equal(g, ETH_P_IP);
    emit(g, BPF_LD | BPF_H | BPF_ABS, 14 + 6, 0, 0);
    emit(g, BPF_ALU | BPF_AND | BPF_K, 0x3fff, 0, 0); /* MF and offset. */
    emit_equal(g, 0);
    for (size_t i = 0; i < f->n_addrs; i++)
        values[i] = be32_to(f->addrs[i]);
    emit(g, BPF_LD | BPF_W | BPF_ABS, 14 + 16, 0, 0);
    emit_one_of(g, values, f->n_addrs);
    emit(g, BPF_LDX | BPF_B | BPF_MSH, 14, 0, 0); /* X = header length. */
    emit(g, BPF_LD | BPF_B | BPF_ABS, 14 + 9, 0, 0);
    emit(g, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_GRE, 0, 4);
    emit(g, BPF_LD | BPF_H | BPF_IND, 14 + 2, 0, 0);
    emit(g, BPF_JMP | BPF_JEQ | BPF_K, 0x6558, 0, 1);
    emit(g, BPF_RET | BPF_K, all, 0, 0);
    emit(g, BPF_RET | BPF_K, 0, 0, 0);
    emit_equal(g, IPPROTO_UDP);
    for (size_t i = 0; i < f->n_udp_ports; i++)
        values[i] = f->udp_ports[i];
    emit(g, BPF_LD | BPF_H | BPF_IND, 14 + 2, 0, 0);
    emit_one_of(g, values, f->n_udp_ports);
    emit(g, BPF_RET | BPF_K, all, 0, 0);
}

static int
packet_set_filter(struct netdev_backend *b, const struct netdev_filter *f)
{
    struct packet *k = (struct packet *) b;
    struct program g;
    struct sock_fprog prog = { 0, g.code };

    program_build(&g, f);
    prog.len = (unsigned short) g.n;
    return setsockopt(k->fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
                      sizeof prog) ? -errno : 0;
}

/* ---------------------------------------------------------- life cycle */

static int
packet_watch(struct netdev_backend *b, int epoll_fd, bool on)
{
    struct packet *k = (struct packet *) b;
    struct epoll_event ev = { .events = EPOLLIN };

    return epoll_ctl(epoll_fd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, k->fd, &ev)
           ? -errno : 0;
}

static uint64_t
packet_dropped(struct netdev_backend *b)
{
    struct packet *k = (struct packet *) b;
    struct tpacket_stats s;
    socklen_t len = sizeof s;

    /* Reading sets the kernel's count to zero. */
    if (getsockopt(k->fd, SOL_PACKET, PACKET_STATISTICS, &s, &len) == 0)
        k->dropped += s.tp_drops;
    return k->dropped;
}

static void
packet_destroy(struct netdev_backend *b)
{
    struct packet *k = (struct packet *) b;

    if (k->fd >= 0)
        close(k->fd);
    rte_pktmbuf_free_bulk(k->stash + k->stash_at, k->n_stash - k->stash_at);
    for (int i = 0; i < SLOTS; i++) {
        rte_pktmbuf_free(k->slots[i].small);
        rte_pktmbuf_free(k->slots[i].big);
    }
    free(k);
}

static const struct netdev_backend_ops packet_ops = {
    .rx_burst = packet_rx,
    .tx_burst = packet_tx,
    .set_filter = packet_set_filter,
    .watch = packet_watch,
    .dropped = packet_dropped,
    .destroy = packet_destroy,
};

static int
socket_options(struct packet *k)
{
    static const int options[] = { PACKET_VNET_HDR, PACKET_AUXDATA,
                                   PACKET_IGNORE_OUTGOING };
    int on = 1, size = RCVBUF;

    for (size_t i = 0; i < WEFT_ARRAY_LEN(options); i++)
        if (setsockopt(k->fd, SOL_PACKET, options[i], &on, sizeof on))
            return -errno;
    if (setsockopt(k->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
        return -errno;
    return 0;
}

static int
socket_bind(struct packet *k, int ifindex, bool uplink)
{
    struct packet_mreq mreq = { .mr_ifindex = ifindex,
                                .mr_type = PACKET_MR_PROMISC };
    struct sockaddr_ll sll = { .sll_family = AF_PACKET,
                               .sll_protocol = be16_from(ETH_P_ALL),
                               .sll_ifindex = ifindex };

    if (bind(k->fd, (struct sockaddr *) &sll, sizeof sll))
        return -errno;
    /* An uplink is addressed by the kernel's own address. */
    if (!uplink && setsockopt(k->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq,
                              sizeof mreq))
        return -errno;
    return 0;
}

int
packet_create(const struct port *p, int ifindex, struct netdev_backend **out,
              struct weft_err *e)
{
    static const struct netdev_filter nothing;
    const struct netdev_port *np = p->priv;
    struct packet *k;
    int err;

    BASE_NEW(k);
    k->b.ops = &packet_ops;
    k->b.mode = "af_packet";
    k->env = np->env;
    /* Protocol 0: no packet arrives before the bind. */
    k->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    err = k->fd < 0 ? -errno : socket_options(k);
    if (!err && p->uplink)
        err = packet_set_filter(&k->b, &nothing);
    if (!err)
        err = socket_bind(k, ifindex, p->uplink);
    if (err) {
        packet_destroy(&k->b);
        return weft_err_set(e, err, "port %s: packet socket on %s: %s",
                            p->name, np->ifname, strerror(-err));
    }
    *out = &k->b;
    return 0;
}
