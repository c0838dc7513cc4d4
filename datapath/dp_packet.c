/* SPDX-License-Identifier: Apache-2.0 */
/* Packets between control and workers: punts, packet-outs, frames of
 * uplinks. */
#include <errno.h>
#include <string.h>

#include "datapath/dp_priv.h"
#include "datapath/worker.h"

/* -------------------------------------------------------------------- punts */

/* The frame in one piece. */
static const uint8_t *
punt_data(struct dp *dp, const struct rte_mbuf *m, uint32_t *len)
{
    *len = WEFT_MIN(m->pkt_len, (uint32_t) DP_PUNT_BUF);
    return rte_pktmbuf_read(m, 0, *len, dp->punt_buf);
}

static void
punt_deliver_one(struct dp *dp, struct rte_mbuf *m)
{
    const struct punt_meta *pm = punt_meta(m);
    struct dp_port *port = dp_port_by_uid(dp, pm->port_uid);
    struct dp_punt p = {
        .bridge = pm->br,
        .bridge_owner = pm->br ? pm->br->owner : NULL,
        .reason = pm->reason,
        .in_port = pm->in_port,
        .table = pm->ctx.table,
        .cookie = pm->ctx.cookie,
        .miss_rule = pm->ctx.miss_rule,
        .metadata = pm->ctx.metadata,
        .tunnel = pm->tun,
        .max_len = pm->max_len,
        .total_len = m->pkt_len,
    };

    p.data = punt_data(dp, m, &p.len);
    if (port)
        dp_publish(&port->pw[pm->worker]->n_punts_done,
                   port->pw[pm->worker]->n_punts_done + 1);
    if (!pm->br) {
        if (dp->ev.uplink_rx)
            dp->ev.uplink_rx(dp->ev.arg, pm->in_port, p.data, p.len);
    } else if (dp->ev.punt) {
        dp->ev.punt(dp->ev.arg, &p);
    }
}

unsigned
dp_punts_deliver(struct dp *dp, unsigned budget)
{
    unsigned n = 0, before;

    /* In turns, so that no worker starves another. */
    do {
        before = n;
        for (unsigned i = 0; i < dp->n_workers && n < budget; i++) {
            void *m;

            if (rte_ring_sc_dequeue(dp->workers[i]->punts, &m))
                continue;
            n++;
            punt_deliver_one(dp, m);
            rte_pktmbuf_free(m);
        }
    } while (n != before && n < budget);
    return n;
}

/* -------------------------------------------------------------- packet-outs */

/* An mbuf with 'len' bytes of room in one piece. */
static struct rte_mbuf *
mbuf_new(struct dp *dp, size_t len)
{
    bool small = len + RTE_PKTMBUF_HEADROOM <= RTE_MBUF_DEFAULT_BUF_SIZE;
    struct rte_mbuf *m = rte_pktmbuf_alloc(small ? dp->env.pool
                                                 : dp->env.big_pool);

    if (m && !rte_pktmbuf_append(m, (uint16_t) len)) {
        rte_pktmbuf_free(m);
        return NULL;
    }
    return m;
}

static struct rte_mbuf *
mbuf_frame(struct dp *dp, const uint8_t *data, size_t len)
{
    struct rte_mbuf *m = mbuf_new(dp, len);

    if (m)
        memcpy(rte_pktmbuf_mtod(m, void *), data, len);
    return m;
}

/* Hands 'item', which names its packet, to the worker. */
static int
inbox_put(struct worker *w, struct rte_mbuf *item)
{
    if (rte_ring_sp_enqueue(w->inbox, item))
        return -ENOBUFS;
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* See worker_wait. */
    if (__atomic_load_n(&w->sleeping, __ATOMIC_RELAXED))
        worker_wake(w);
    return 0;
}

static int
inbox_send(struct worker *w, struct rte_mbuf *item, const uint8_t *data,
           size_t len)
{
    struct inbox_item *it = rte_pktmbuf_mtod(item, struct inbox_item *);
    int err = -ENOBUFS;

    it->m = mbuf_frame(w->dp, data, len);
    if (it->m)
        err = inbox_put(w, item);
    if (err) {
        rte_pktmbuf_free(it->m);
        rte_pktmbuf_free(item);
    }
    return err;
}

static bool
frame_ok(size_t len)
{
    return len >= 14 && len <= 65536;
}

int
dp_packet_out(struct dp_bridge *br, uint32_t in_port, const uint8_t *data,
              size_t len, const struct dp_op_list *ops)
{
    struct dp *dp = br->dp;
    struct rte_mbuf *item;
    struct inbox_item *it;
    uint64_t words[PROG_MAX_WORDS];
    uint8_t flags = 0;
    int n, err;

    if (!frame_ok(len))
        return -EINVAL;
    err = prog_check_ops(ops, true, &flags);
    if (err)
        return err;
    n = prog_fold_packet_out(ops, br->egress, words, PROG_MAX_WORDS);
    if (n < 0)
        return -EINVAL;
    item = mbuf_new(dp, sizeof *it + 8u * (unsigned) n);
    if (!item)
        return -ENOBUFS;
    it = rte_pktmbuf_mtod(item, struct inbox_item *);
    *it = (struct inbox_item) { .br = br, .in_port = in_port };
    it->code.ops = (uint64_t *) (void *) (it + 1);
    it->code.n_words = (uint32_t) n;
    it->prog.code = &it->code;
    memcpy(it + 1, words, 8u * (unsigned) n);
    return inbox_send(dp->workers[0], item, data, len);
}

int
dp_uplink_send(struct dp *dp, uint32_t id, const uint8_t *data, size_t len)
{
    struct rte_mbuf *item;

    if (!id || id > DP_MAX_UPLINKS || !dp->uplinks[id])
        return -ENODEV;
    if (!frame_ok(len))
        return -ENOBUFS;
    item = mbuf_new(dp, sizeof(struct inbox_item));
    if (!item)
        return -ENOBUFS;
    *rte_pktmbuf_mtod(item, struct inbox_item *) = (struct inbox_item) {
        .in_port = id
    };
    return inbox_send(dp->workers[0], item, data, len);
}
