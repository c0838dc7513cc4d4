/* SPDX-License-Identifier: Apache-2.0 */
/* Port type dpdk: any device that a DPDK driver knows, physical or virtual.
 *
 * What:    port_dpdk_ops; options devargs, mtu, n_rxq.
 * Model:   the device is probed at open and removed at close; one transmit
 *          queue, as many receive queues as are asked for, over which the
 *          device hashes flows.  It must be polled (rx_fd is -1).
 * Threads: as port.h.  EAL is initialised.
 * Errors:  what EAL or the driver said goes into the message.
 * Source:  DPDK 22.11 ethdev and EAL guides. */
#include <errno.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/ports/common/port_opt.h"
#include "utils/base/addr.h"
#include "utils/base/mem.h"

#define DPDK_RX_DESCS 1024
#define DPDK_TX_DESCS 1024
#define TX_CSUM (RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)

struct dpdk_port {
    uint16_t id;
    bool started;
    bool prepare; /* The driver takes checksum or segmentation work. */
    struct rte_device *device;
    uint64_t tx_offloads;
};

static const struct tnl_option dpdk_options[] = {
    { "devargs", "", "PCI address or virtual device with its arguments, as "
      "DPDK writes them: 0000:03:00.0, net_null0,size=64" },
    { "mtu", "1500", "largest IP packet" },
    { "n_rxq", "1", "receive queues, spread over the workers" },
    { NULL, NULL, NULL },
};

/* Catches what EAL logs while it tries, for the message to the user. */
struct log_catch {
    FILE *before, *stream;
    char *text;
    size_t len;
};

static void
log_catch_start(struct log_catch *c)
{
    memset(c, 0, sizeof *c);
    c->before = rte_log_get_stream();
    c->stream = open_memstream(&c->text, &c->len);
    if (c->stream)
        rte_openlog_stream(c->stream);
}

/* The first line is the one next to the cause; without EAL's own prefix. */
static void
log_catch_stop(struct log_catch *c, char *line, size_t size)
{
    const char *start;

    line[0] = '\0';
    if (!c->stream)
        return;
    rte_openlog_stream(c->before);
    fclose(c->stream);
    start = c->text ? c->text : "";
    snprintf(line, size, "%.*s", (int) strcspn(start, "\n"), start);
    free(c->text);
}

static int
probe_refused(const struct port *p, const char *devargs, int err,
              const char *why, struct weft_err *e)
{
    if (err == -EEXIST)
        return weft_err_set(e, -EEXIST, "port %s: devargs=%s: the device is "
                            "in use", p->name, devargs);
    return weft_err_set(e, err, "port %s: devargs=%s: %s%s%s%s", p->name,
                        devargs, rte_strerror(-err), *why ? " (" : "", why,
                        *why ? ")" : "");
}

static bool
device_known(const char *devargs)
{
    struct rte_dev_iterator it;
    uint16_t id;
    bool known = false;

    RTE_ETH_FOREACH_MATCHING_DEV (id, devargs, &it)
        known = true;
    return known;
}

/* Probes the device and finds its first ethdev. */
static int
device_probe(struct port *p, const char *devargs, struct weft_err *e)
{
    struct dpdk_port *dp = p->priv;
    struct rte_dev_iterator it;
    struct rte_eth_dev_info info;
    struct log_catch log;
    char why[160];
    uint16_t id;
    int err;

    log_catch_start(&log);
    err = device_known(devargs) ? -EEXIST : rte_dev_probe(devargs);
    log_catch_stop(&log, why, sizeof why);
    if (err) /* Drivers return a bare -1 or 1 too. */
        return probe_refused(p, devargs, err < -1 ? err : -EIO, why, e);
    RTE_ETH_FOREACH_MATCHING_DEV (id, devargs, &it) {
        rte_eth_iterator_cleanup(&it);
        dp->id = id;
        err = rte_eth_dev_info_get(id, &info);
        if (err)
            return weft_err_set(e, err, "port %s: devargs=%s: %s", p->name,
                                devargs, rte_strerror(-err));
        dp->device = info.device;
        return 0;
    }
    return weft_err_set(e, -ENODEV, "port %s: devargs=%s: no network device "
                        "appeared", p->name, devargs);
}

static void
conf_choose(struct dpdk_port *dp, const struct rte_eth_dev_info *info,
            uint16_t mtu, const struct port_env *env,
            struct rte_eth_conf *conf)
{
    uint64_t rx = info->rx_offload_capa, tx = info->tx_offload_capa;

    memset(conf, 0, sizeof *conf);
    conf->rxmode.mtu = mtu;
    conf->rxmode.offloads = rx & RTE_ETH_RX_OFFLOAD_CHECKSUM;
    if (mtu + RTE_ETHER_HDR_LEN + 8
        > rte_pktmbuf_data_room_size(env->pool) - RTE_PKTMBUF_HEADROOM)
        conf->rxmode.offloads |= rx & RTE_ETH_RX_OFFLOAD_SCATTER;
    if ((rx & RTE_ETH_RX_OFFLOAD_RSS_HASH) && info->flow_type_rss_offloads) {
        conf->rxmode.offloads |= RTE_ETH_RX_OFFLOAD_RSS_HASH;
        conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf->rx_adv_conf.rss_conf.rss_hf =
            info->flow_type_rss_offloads
            & (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
    }
    conf->txmode.offloads = tx & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
    if ((tx & TX_CSUM) == TX_CSUM) {
        conf->txmode.offloads |= TX_CSUM;
        if (tx & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM)
            conf->txmode.offloads |= RTE_ETH_TX_OFFLOAD_IPV4_CKSUM
                                     | (tx & RTE_ETH_TX_OFFLOAD_TCP_TSO);
    }
    dp->tx_offloads = conf->txmode.offloads;
}

static int
device_start(struct port *p, const struct port_env *env, uint16_t mtu,
             const char **step)
{
    struct dpdk_port *dp = p->priv;
    uint16_t n_rx = DPDK_RX_DESCS, n_tx = DPDK_TX_DESCS;
    int socket = rte_eth_dev_socket_id(dp->id);
    struct rte_eth_dev_info info;
    struct rte_eth_conf conf;
    int err;

    *step = "device information";
    err = rte_eth_dev_info_get(dp->id, &info);
    if (err)
        return err;
    conf_choose(dp, &info, mtu, env, &conf);
    *step = "configuration";
    if (p->n_rxq > info.max_rx_queues)
        return -ERANGE;
    err = rte_eth_dev_configure(dp->id, p->n_rxq, 1, &conf);
    if (!err)
        err = rte_eth_dev_adjust_nb_rx_tx_desc(dp->id, &n_rx, &n_tx);
    if (err)
        return err;
    *step = "receive queue";
    for (uint16_t i = 0; i < p->n_rxq; i++) {
        err = rte_eth_rx_queue_setup(dp->id, i, n_rx, (unsigned) socket, NULL,
                                     env->pool);
        if (err)
            return err;
    }
    *step = "transmit queue";
    err = rte_eth_tx_queue_setup(dp->id, 0, n_tx, (unsigned) socket, NULL);
    if (err)
        return err;
    *step = "start";
    err = rte_eth_dev_start(dp->id);
    dp->started = !err;
    return err;
}

static void
dpdk_poll_state(struct port *p)
{
    struct dpdk_port *dp = p->priv;
    struct rte_eth_link link;

    if (rte_eth_link_get_nowait(dp->id, &link) < 0)
        port_set_status(p, true, "up");
    else if (link.link_status)
        port_set_status(p, true, "up");
    else
        port_set_status(p, false, "no link");
}

static void
dpdk_close(struct port *p)
{
    struct dpdk_port *dp = p->priv;
    struct log_catch log;
    char why[160];

    log_catch_start(&log);
    if (dp->started)
        rte_eth_dev_stop(dp->id);
    if (dp->device)
        rte_dev_remove(dp->device); /* Closes its ethdevs too. */
    log_catch_stop(&log, why, sizeof why);
    free(dp);
    p->priv = NULL;
}

static void
fill_port(struct port *p)
{
    struct dpdk_port *dp = p->priv;
    struct rte_ether_addr mac;

    if (rte_eth_macaddr_get(dp->id, &mac) == 0)
        memcpy(p->mac, mac.addr_bytes, 6);
    rte_eth_dev_get_mtu(dp->id, &p->mtu);
    p->rx_fd = -1;
    p->caps = 0;
    if (dp->tx_offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS)
        p->caps |= PORT_CAP_MULTI_SEG;
    if (dp->tx_offloads & RTE_ETH_TX_OFFLOAD_TCP_CKSUM)
        p->caps |= PORT_CAP_CSUM;
    if (dp->tx_offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO)
        p->caps |= PORT_CAP_TSO;
    dp->prepare = (p->caps & PORT_CAP_CSUM) != 0;
    snprintf(p->mode, sizeof p->mode, "dpdk");
}

static int
n_rxq_parse(struct port *p, const char *value, struct weft_err *e)
{
    uint64_t n = 1;

    if (value && (base_parse_u64(value, PORT_MAX_RXQ, &n) || !n))
        return weft_err_set(e, -EINVAL, "port %s: n_rxq %s is not in 1..%d",
                            p->name, value, PORT_MAX_RXQ);
    p->n_rxq = (uint16_t) n;
    return 0;
}

static int
dpdk_open(struct port *p, const struct port_env *env,
          const struct dp_option *opts, size_t n, struct weft_err *e)
{
    const char *devargs = port_opt_get(opts, n, "devargs"), *step;
    struct dpdk_port *dp;
    struct log_catch log;
    uint16_t mtu = 1500;
    char why[160];
    int err = port_opt_check(p, opts, n, e);

    if (!err)
        err = port_opt_mtu(p, port_opt_get(opts, n, "mtu"), &mtu, e);
    if (!err)
        err = n_rxq_parse(p, port_opt_get(opts, n, "n_rxq"), e);
    if (err)
        return err;
    if (!devargs || !*devargs)
        return weft_err_set(e, -EINVAL, "port %s: type dpdk needs devargs=",
                            p->name);
    BASE_NEW(dp);
    p->priv = dp;
    err = device_probe(p, devargs, e);
    if (err)
        goto fail;
    log_catch_start(&log);
    err = device_start(p, env, mtu, &step);
    log_catch_stop(&log, why, sizeof why);
    if (err) {
        weft_err_set(e, err, "port %s: devargs=%s: %s: %s%s%s%s", p->name,
                     devargs, step, rte_strerror(-err), *why ? " (" : "", why,
                     *why ? ")" : "");
        goto fail;
    }
    rte_eth_promiscuous_enable(dp->id); /* Some have no such mode. */
    fill_port(p);
    dpdk_poll_state(p);
    return 0;
fail:
    dpdk_close(p);
    return err;
}

static int
dpdk_set(struct port *p, const char *name, const char *value,
         struct weft_err *e)
{
    struct dpdk_port *dp = p->priv;
    uint16_t mtu = p->mtu;
    int err;

    if (strcmp(name, "mtu"))
        return port_opt_fixed(p, name, e);
    err = port_opt_mtu(p, value, &mtu, e);
    if (err)
        return err;
    err = rte_eth_dev_set_mtu(dp->id, mtu);
    if (err)
        return weft_err_set(e, err, "port %s: mtu %s: %s", p->name, value,
                            rte_strerror(-err));
    p->mtu = mtu;
    return 0;
}

static void
dpdk_get(struct port *p, struct dp_port_info *info)
{
    struct dpdk_port *dp = p->priv;
    struct rte_eth_link link;
    struct rte_eth_stats stats;

    if (rte_eth_link_get_nowait(dp->id, &link) == 0
        && link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
        info->speed_mbps = link.link_speed;
    if (rte_eth_stats_get(dp->id, &stats) == 0) {
        info->stats.rx_dropped += stats.imissed;
        info->stats.rx_errors += stats.ierrors;
        info->stats.tx_errors += stats.oerrors;
    }
}

static uint16_t
dpdk_rx(struct port *p, struct rte_mbuf **pkts, uint16_t n)
{
    const struct dpdk_port *dp = p->priv;

    return rte_eth_rx_burst(dp->id, 0, pkts, n);
}

static uint16_t
dpdk_rx_queue(struct port *p, uint16_t queue, struct rte_mbuf **pkts,
              uint16_t n)
{
    const struct dpdk_port *dp = p->priv;

    return rte_eth_rx_burst(dp->id, queue, pkts, n);
}

/* Lets the driver set headers as its hardware wants them (pseudo-header sums
 * without length, for one).  Frames it refuses move to the end; returns the
 * number of those that may be sent. */
static uint16_t
tx_prepare(struct port *p, struct rte_mbuf **pkts, uint16_t n)
{
    const struct dpdk_port *dp = p->priv;
    uint16_t good = 0;

    for (uint16_t i = 0; i < n; i++)
        if ((pkts[i]->ol_flags & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4))
            == (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4))
            pkts[i]->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
    while (good < n) {
        good += rte_eth_tx_prepare(dp->id, 0, pkts + good,
                                   (uint16_t) (n - good));
        if (good < n) {
            struct rte_mbuf *bad = pkts[good];

            n--;
            memmove(pkts + good, pkts + good + 1,
                    (size_t) (n - good) * sizeof *pkts);
            pkts[n] = bad;
            p->tx_error = true;
        }
    }
    return good;
}

static uint16_t
dpdk_tx(struct port *p, struct rte_mbuf **pkts, uint16_t n)
{
    const struct dpdk_port *dp = p->priv;

    p->tx_error = false;
    if (dp->prepare)
        n = tx_prepare(p, pkts, n);
    return rte_eth_tx_burst(dp->id, 0, pkts, n);
}

/* Everything that arrives is ours: there is no kernel to leave it to. */
static int
dpdk_set_filter(struct port *p, const be32 *addrs, size_t n_addrs,
                const uint16_t *udp_ports, size_t n_udp_ports)
{
    (void) p;
    (void) addrs;
    (void) n_addrs;
    (void) udp_ports;
    (void) n_udp_ports;
    return 0;
}

const struct port_ops port_dpdk_ops = {
    .name = "dpdk",
    .options = dpdk_options,
    .as_port = true,
    .as_uplink = true,
    .open = dpdk_open,
    .close = dpdk_close,
    .set = dpdk_set,
    .get = dpdk_get,
    .poll_state = dpdk_poll_state,
    .rx_burst = dpdk_rx,
    .rx_burst_queue = dpdk_rx_queue,
    .tx_burst = dpdk_tx,
    .set_filter = dpdk_set_filter,
};
