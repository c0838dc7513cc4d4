/* SPDX-License-Identifier: Apache-2.0 */
/* AF_XDP: the backend of an uplink that takes overlay packets out of the
 * kernel before it has built anything around them.
 *
 * What:    xsk_create.
 * Model:   weft_uplink.bpf.c steers; one socket per receive queue, the first
 *          also transmits.  Copy mode; frames are copied to and from mbufs:
 *
 *            umem of a queue: | rx frames: fill ring <-> rx ring | tx frames |
 *
 *          The program hangs on a bpf_link, whose descriptor is ours alone: it
 *          leaves the interface when this process ends, however it ends.
 * Source:  kernel documentation, networking/af_xdp.rst; libxdp's xsk.h. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xdp/xsk.h>

#include "datapath/ports/common/frame_fast.h"
#include "datapath/ports/netdev/netdev_port.h"
#include "datapath/ports/netdev/weft_uplink.skel.h"
#include "utils/base/mem.h"
#include "weft/be.h"

#define MAX_QUEUES 64 /* As the map in weft_uplink.bpf.c. */
#define RX_FRAMES 2048
#define RX_FRAMES_MANY 512 /* Each, with more than 4 queues. */
#define TX_FRAMES 1024
#define KICKS 4
#define XDP_HEADROOM 256 /* XDP_PACKET_HEADROOM of the kernel. */
#define FRAME_OVERHEAD 22 /* Ethernet and two tags. */

struct xsk_queue {
    struct xsk_umem *umem;
    struct xsk_socket *socket;
    uint8_t *area;
    size_t area_size;
    struct xsk_ring_prod fill, tx;
    struct xsk_ring_cons done, rx;
    int fd;
};

struct xsk {
    struct netdev_backend b;
    struct port_env env;
    struct weft_uplink *skel;
    int link_fd;
    uint32_t frame_size, rx_frames;
    unsigned n_queues, next_queue;
    bool must_kick;              /* Frames wait that the kernel did not take. */
    uint32_t n_free;             /* Transmit frames of queue 0. */
    uint64_t free[TX_FRAMES];
    struct xsk_queue queues[MAX_QUEUES];
};

/* ------------------------------------------------------------- receive */

static uint16_t
queue_rx(struct xsk *x, struct xsk_queue *q, struct port *p,
         struct rte_mbuf **pkts, uint16_t n)
{
    uint32_t rx_at, fill_at, got, ok = 0;

    got = xsk_ring_cons__peek(&q->rx, n, &rx_at);
    if (got == 0)
        return 0;
    /* Never short: the ring has room for every frame there is. */
    if (xsk_ring_prod__reserve(&q->fill, got, &fill_at) != got) {
        xsk_ring_cons__cancel(&q->rx, got);
        return 0;
    }
    for (uint32_t i = 0; i < got; i++) {
        const struct xdp_desc *d = xsk_ring_cons__rx_desc(&q->rx, rx_at + i);

        pkts[ok] = frame_copy(&x->env, xsk_umem__get_data(q->area, d->addr),
                              d->len);
        if (pkts[ok])
            ok++;
        else
            p->rx_no_buffer++;
        *xsk_ring_prod__fill_addr(&q->fill, fill_at + i) =
            d->addr & ~((uint64_t) x->frame_size - 1);
    }
    xsk_ring_cons__release(&q->rx, got);
    xsk_ring_prod__submit(&q->fill, got);
    if (xsk_ring_prod__needs_wakeup(&q->fill))
        recvfrom(q->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
    return (uint16_t) ok;
}

static uint16_t
xsk_rx(struct netdev_backend *b, struct port *p, struct rte_mbuf **pkts,
       uint16_t n)
{
    struct xsk *x = (struct xsk *) b;
    uint16_t got = 0;

    for (unsigned i = 0; i < x->n_queues && got < n; i++) {
        struct xsk_queue *q = &x->queues[x->next_queue];

        x->next_queue = x->next_queue + 1 < x->n_queues ? x->next_queue + 1
                                                        : 0;
        got += queue_rx(x, q, p, pkts + got, (uint16_t) (n - got));
    }
    return got;
}

/* ------------------------------------------------------------ transmit */

static void
tx_reap(struct xsk *x)
{
    struct xsk_queue *q = &x->queues[0];
    uint32_t at, n = xsk_ring_cons__peek(&q->done, TX_FRAMES, &at);

    for (uint32_t i = 0; i < n; i++)
        x->free[x->n_free++] = *xsk_ring_cons__comp_addr(&q->done, at + i);
    xsk_ring_cons__release(&q->done, n);
}

/* Makes the kernel send what is in the ring; false: the device does not.  One
 * call sends 32 frames and says EAGAIN when there are more. */
static bool
tx_kick(struct xsk *x)
{
    struct xsk_queue *q = &x->queues[0];

    x->must_kick = false;
    if (!xsk_ring_prod__needs_wakeup(&q->tx))
        return true;
    for (int i = 0; i < KICKS; i++) {
        if (sendto(q->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0)
            return true;
        if (errno != EAGAIN)
            break;
    }
    x->must_kick = true;
    return errno == EAGAIN || errno == EBUSY || errno == ENOBUFS;
}

static void
frame_write(struct xsk *x, const struct rte_mbuf *m, struct xdp_desc *d)
{
    uint8_t *to;

    d->addr = x->free[--x->n_free];
    d->len = m->pkt_len;
    d->options = 0;
    to = xsk_umem__get_data(x->queues[0].area, d->addr);
    for (; m; m = m->next) {
        memcpy(to, rte_pktmbuf_mtod(m, void *), m->data_len);
        to += m->data_len;
    }
}

static uint16_t
xsk_tx(struct netdev_backend *b, struct port *p, struct rte_mbuf **pkts,
       uint16_t n)
{
    struct xsk *x = (struct xsk *) b;
    struct xsk_queue *q = &x->queues[0];
    struct rte_mbuf *refused[PORT_BURST];
    uint16_t sent = 0, n_refused = 0, i = 0;
    uint32_t at;

    n = WEFT_MIN(n, (uint16_t) PORT_BURST);
    tx_reap(x);
    if (x->must_kick)
        tx_kick(x);
    for (; i < n; i++) {
        if (pkts[i]->pkt_len > x->frame_size) {
            refused[n_refused++] = pkts[i];
            continue;
        }
        if (x->n_free == 0 || xsk_ring_prod__reserve(&q->tx, 1, &at) == 0)
            break;
        frame_write(x, pkts[i], xsk_ring_prod__tx_desc(&q->tx, at));
        pkts[sent++] = pkts[i];
    }
    xsk_ring_prod__submit(&q->tx, sent);
    p->tx_error = n_refused > 0;
    if (sent && !tx_kick(x))
        p->tx_error = true;
    rte_pktmbuf_free_bulk(pkts, sent);
    for (uint16_t k = 0; k < n_refused; k++)
        pkts[sent + k] = refused[k];
    return sent;
}

/* -------------------------------------------------------------- filter */

/* Makes the keys of the map exactly keys[0..n-1], 'size' bytes each; what is
 * in both sets stays in the map all the time. */
static int
map_replace(int fd, const void *keys, size_t n, size_t size)
{
    const uint8_t *k = keys;
    uint8_t one = 1, key[4], next[4];
    bool more = bpf_map_get_next_key(fd, NULL, key) == 0;

    while (more) {
        bool keep = false;

        more = bpf_map_get_next_key(fd, key, next) == 0;
        for (size_t i = 0; i < n && !keep; i++)
            keep = !memcmp(k + i * size, key, size);
        if (!keep)
            bpf_map_delete_elem(fd, key);
        memcpy(key, next, size);
    }
    for (size_t i = 0; i < n; i++)
        if (bpf_map_update_elem(fd, k + i * size, &one, BPF_ANY))
            return -errno;
    return 0;
}

static int
xsk_set_filter(struct netdev_backend *b, const struct netdev_filter *f)
{
    struct xsk *x = (struct xsk *) b;
    be16 ports[NETDEV_MAX_UDP_PORTS];
    int err;

    for (size_t i = 0; i < f->n_udp_ports; i++)
        ports[i] = be16_from(f->udp_ports[i]);
    err = map_replace(bpf_map__fd(x->skel->maps.udp_ports), ports,
                      f->n_udp_ports, sizeof *ports);
    return err ? err : map_replace(bpf_map__fd(x->skel->maps.addrs),
                                   f->addrs, f->n_addrs, sizeof *f->addrs);
}

/* ---------------------------------------------------------- life cycle */

static int
xsk_watch(struct netdev_backend *b, int epoll_fd, bool on)
{
    struct xsk *x = (struct xsk *) b;
    struct epoll_event ev = { .events = EPOLLIN };

    for (unsigned i = 0; i < x->n_queues; i++)
        if (epoll_ctl(epoll_fd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
                      x->queues[i].fd, &ev))
            return -errno;
    return 0;
}

static uint64_t
xsk_dropped(struct netdev_backend *b)
{
    struct xsk *x = (struct xsk *) b;
    uint64_t sum = 0;

    for (unsigned i = 0; i < x->n_queues; i++) {
        struct xdp_statistics s = { .rx_dropped = 0 };
        socklen_t len = sizeof s;

        /* A dry fill ring shows as rx_dropped too. */
        if (getsockopt(x->queues[i].fd, SOL_XDP, XDP_STATISTICS, &s, &len)
            == 0)
            sum += s.rx_dropped + s.rx_ring_full;
    }
    return sum;
}

static void
queue_close(struct xsk_queue *q)
{
    if (q->socket)
        xsk_socket__delete(q->socket);
    if (q->umem)
        xsk_umem__delete(q->umem);
    if (q->area)
        munmap(q->area, q->area_size);
}

static void
xsk_destroy(struct netdev_backend *b)
{
    struct xsk *x = (struct xsk *) b;

    if (x->link_fd >= 0)
        close(x->link_fd); /* Detaches. */
    for (unsigned i = 0; i < MAX_QUEUES; i++)
        queue_close(&x->queues[i]);
    if (x->skel)
        weft_uplink__destroy(x->skel);
    free(x);
}

static const struct netdev_backend_ops xsk_ops = {
    .rx_burst = xsk_rx,
    .tx_burst = xsk_tx,
    .set_filter = xsk_set_filter,
    .watch = xsk_watch,
    .dropped = xsk_dropped,
    .destroy = xsk_destroy,
};

static int
umem_create(struct xsk *x, struct xsk_queue *q, bool with_tx)
{
    struct xsk_umem_config c = {
        .fill_size = x->rx_frames,
        .comp_size = TX_FRAMES,
        .frame_size = x->frame_size,
    };
    uint32_t frames = x->rx_frames + (with_tx ? TX_FRAMES : 0), at;
    int err;

    q->area_size = (size_t) frames * x->frame_size;
    q->area = mmap(NULL, q->area_size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (q->area == MAP_FAILED) {
        q->area = NULL;
        return -ENOMEM;
    }
    err = xsk_umem__create(&q->umem, q->area, q->area_size, &q->fill,
                           &q->done, &c);
    if (err)
        return err;
    if (xsk_ring_prod__reserve(&q->fill, x->rx_frames, &at) != x->rx_frames)
        return -ENOSPC;
    for (uint32_t i = 0; i < x->rx_frames; i++)
        *xsk_ring_prod__fill_addr(&q->fill, at + i) =
            (uint64_t) i * x->frame_size;
    xsk_ring_prod__submit(&q->fill, x->rx_frames);
    return 0;
}

static int
queue_open(struct xsk *x, unsigned id, const char *ifname, uint32_t flags)
{
    struct xsk_queue *q = &x->queues[id];
    bool with_tx = id == 0;
    struct xsk_socket_config c = {
        .rx_size = x->rx_frames,
        .tx_size = with_tx ? TX_FRAMES : 0,
        .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
        .xdp_flags = flags,
        .bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP,
    };
    int map = bpf_map__fd(x->skel->maps.sockets);
    int err = umem_create(x, q, with_tx);

    if (!err)
        err = xsk_socket__create(&q->socket, ifname, id, q->umem, &q->rx,
                                 with_tx ? &q->tx : NULL, &c);
    if (err)
        return err;
    q->fd = xsk_socket__fd(q->socket);
    return bpf_map_update_elem(map, &id, &q->fd, BPF_ANY) ? -errno : 0;
}

static int
xsk_attach(struct xsk *x, int ifindex, uint32_t flags)
{
    DECLARE_LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);

    x->link_fd = bpf_link_create(bpf_program__fd(x->skel->progs.weft_uplink),
                                 ifindex, BPF_XDP, &opts);
    return x->link_fd < 0 ? -errno : 0;
}

static int
xsk_open(struct xsk *x, const char *ifname, int ifindex, uint32_t flags,
         const char **step)
{
    int err;

    *step = "loading the XDP program";
    x->skel = weft_uplink__open_and_load();
    if (!x->skel)
        return errno ? -errno : -EINVAL;
    /* First, as it tells whether the mode works: with no address in its map
     * the program passes everything. */
    *step = "attaching the XDP program";
    err = xsk_attach(x, ifindex, flags);
    if (err)
        return err;
    *step = "AF_XDP socket";
    for (unsigned i = 0; i < x->n_queues; i++) {
        err = queue_open(x, i, ifname, flags);
        if (err)
            return err;
    }
    for (uint32_t i = 0; i < TX_FRAMES; i++)
        x->free[x->n_free++] = (uint64_t) (x->rx_frames + i) * x->frame_size;
    return 0;
}

/* Receive queues in use; 1 when the kernel does not say. */
static unsigned
queues_count(const char *ifname)
{
    char path[96 + IFNAMSIZ];
    unsigned n = 0;

    do {
        snprintf(path, sizeof path, "/sys/class/net/%s/queues/rx-%u", ifname,
                 n);
    } while (access(path, F_OK) == 0 && ++n <= MAX_QUEUES);
    return n ? n : 1;
}

static int
quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
    (void) level;
    (void) fmt;
    (void) ap;
    return 0;
}

int
xsk_create(const struct port *p, int ifindex, bool native,
           struct netdev_backend **out, struct weft_err *e)
{
    const struct netdev_port *np = p->priv;
    const char *step, *mode = native ? "xdp-native" : "xdp-generic";
    struct xsk *x;
    int err;

    libbpf_set_print(quiet); /* Failures are reported here, in one line. */
    BASE_NEW(x);
    x->b.ops = &xsk_ops;
    x->b.mode = mode;
    x->env = np->env;
    x->link_fd = -1;
    x->n_queues = queues_count(np->ifname);
    x->rx_frames = x->n_queues > 4 ? RX_FRAMES_MANY : RX_FRAMES;
    x->frame_size = p->mtu + FRAME_OVERHEAD + XDP_HEADROOM <= 2048 ? 2048
                                                                   : 4096;
    x->b.max_mtu = (uint16_t) (x->frame_size - FRAME_OVERHEAD - XDP_HEADROOM);
    if (x->n_queues > MAX_QUEUES || p->mtu > x->b.max_mtu) {
        err = weft_err_set(e, -ENOTSUP, "port %s: %s: mtu %u or number of "
                           "queues exceeds %u or %d", p->name, mode, p->mtu,
                           x->b.max_mtu, MAX_QUEUES);
        xsk_destroy(&x->b);
        return err;
    }
    err = xsk_open(x, np->ifname, ifindex,
                   native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE, &step);
    if (err) {
        xsk_destroy(&x->b);
        return weft_err_set(e, err, "port %s: %s: %s: %s", p->name, mode,
                            step, strerror(-err));
    }
    *out = &x->b;
    return 0;
}
