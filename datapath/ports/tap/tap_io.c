/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/ports/tap/tap_port.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <sys/uio.h>

#include "datapath/ports/common/vnet_fast.h"

#define MAX_IOV 64

/* Both buffers for the next frame, as far as there are any. */
static bool
buffers_ready(struct tap_port *t)
{
    if (!t->small)
        t->small = rte_pktmbuf_alloc(t->env.pool);
    if (!t->big && t->env.big_pool)
        t->big = rte_pktmbuf_alloc(t->env.big_pool);
    return t->small != NULL;
}

/* Lays 'len' bytes, read into both buffers, out as one frame. */
static struct rte_mbuf *
take_buffers(struct tap_port *t, uint32_t len, uint32_t small)
{
    struct rte_mbuf *m = t->small;

    t->small = NULL;
    m->data_len = (uint16_t) WEFT_MIN(len, small);
    m->pkt_len = len;
    if (len > small) {
        t->big->data_len = (uint16_t) (len - small);
        t->big->pkt_len = len - small;
        m->next = t->big;
        m->nb_segs = 2;
        t->big = NULL;
    }
    return m;
}

/* Reads one frame.  NULL: none was there, or it is counted as lost. */
static struct rte_mbuf *
read_frame(struct port *p, struct tap_port *t, bool *lost)
{
    struct virtio_net_hdr h;
    uint32_t small = rte_pktmbuf_tailroom(t->small);
    uint32_t big = t->big ? rte_pktmbuf_tailroom(t->big) : 0;
    struct iovec iov[3] = {
        { &h, sizeof h },
        { rte_pktmbuf_mtod(t->small, void *), small },
        { t->big ? rte_pktmbuf_mtod(t->big, void *) : NULL, big },
    };
    ssize_t n = readv(t->fd, iov, t->big ? 3 : 2);
    struct rte_mbuf *m;
    uint32_t len;

    *lost = false;
    if (n < 0)
        return NULL;
    *lost = true;
    len = n < (ssize_t) sizeof h ? 0 : (uint32_t) n - (uint32_t) sizeof h;
    if (len >= small + big) { /* Full to the brim: it was cut. */
        p->rx_no_buffer++;
        return NULL;
    }
    m = take_buffers(t, len, small);
    if (len < 14 || !vnet_to_mbuf(m, &h, 0)) {
        p->rx_errors++;
        rte_pktmbuf_free(m);
        return NULL;
    }
    return m;
}

uint16_t
tap_rx_burst(struct port *p, struct rte_mbuf **pkts, uint16_t n)
{
    struct tap_port *t = p->priv;
    uint16_t got = 0;

    for (uint16_t i = 0; i < n; i++) {
        bool lost;

        if (!buffers_ready(t)) {
            p->rx_no_buffer++; /* The frame waits in the device. */
            break;
        }
        pkts[got] = read_frame(p, t, &lost);
        if (pkts[got])
            got++;
        else if (!lost)
            break;
    }
    return got;
}

/* 0 or -errno. */
static int
write_frame(struct tap_port *t, const struct rte_mbuf *m)
{
    struct virtio_net_hdr h;
    struct iovec iov[MAX_IOV] = { { &h, sizeof h } };
    int n = 1;

    vnet_from_mbuf(m, &h);
    for (; m; m = m->next) {
        if (n == MAX_IOV)
            return -EINVAL;
        iov[n].iov_base = rte_pktmbuf_mtod(m, void *);
        iov[n++].iov_len = m->data_len;
    }
    return writev(t->fd, iov, n) < 0 ? -errno : 0;
}

uint16_t
tap_tx_burst(struct port *p, struct rte_mbuf **pkts, uint16_t n)
{
    struct tap_port *t = p->priv;
    struct rte_mbuf *refused[PORT_BURST];
    uint16_t sent = 0, n_refused = 0, i = 0;
    int err = 0;

    n = WEFT_MIN(n, (uint16_t) PORT_BURST);
    for (; i < n; i++) {
        err = write_frame(t, pkts[i]);
        if (err == 0)
            pkts[sent++] = pkts[i];
        else if (err == -EINVAL || err == -EMSGSIZE)
            refused[n_refused++] = pkts[i];
        else
            break;
    }
    p->tx_error = n_refused || (i < n && err != -EAGAIN && err != -ENOBUFS);
    rte_pktmbuf_free_bulk(pkts, sent);
    /* Those not tried are at [i..] already. */
    for (uint16_t k = 0; k < n_refused; k++)
        pkts[sent + k] = refused[k];
    return sent;
}
