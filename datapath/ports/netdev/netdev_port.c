/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/ports/netdev/netdev_port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datapath/ports/common/port_opt.h"
#include "utils/base/clock.h"
#include "utils/base/log.h"
#include "utils/base/mem.h"

#define RETRY_NS 1000000000ull

static const struct tnl_option netdev_options[] = {
    { "ifname", "the port's name", "name of the interface" },
    { "mode", "auto", "auto, xdp (uplinks only) or af_packet" },
    { NULL, NULL, NULL },
};

/* -------------------------------------------- what the kernel says of it */

static int
ask(const struct netdev_port *np, unsigned long what, struct ifreq *ifr)
{
    memset(ifr, 0, sizeof *ifr);
    snprintf(ifr->ifr_name, IFNAMSIZ, "%s", np->ifname);
    return ioctl(np->ctl, what, ifr) ? -errno : 0;
}

/* 0: it does not exist. */
static int
interface_index(const struct netdev_port *np)
{
    struct ifreq ifr;

    return ask(np, SIOCGIFINDEX, &ifr) ? 0 : ifr.ifr_ifindex;
}

static void
interface_read(struct port *p)
{
    const struct netdev_port *np = p->priv;
    struct ifreq ifr;

    if (ask(np, SIOCGIFHWADDR, &ifr) == 0)
        memcpy(p->mac, ifr.ifr_hwaddr.sa_data, 6);
    if (ask(np, SIOCGIFMTU, &ifr) == 0)
        p->mtu = (uint16_t) WEFT_MIN(ifr.ifr_mtu, UINT16_MAX);
    if (ask(np, SIOCGIFFLAGS, &ifr))
        port_set_status(p, false, "interface %s does not exist", np->ifname);
    else if (!(ifr.ifr_flags & IFF_UP))
        port_set_status(p, false, "interface %s is down", np->ifname);
    else if (!(ifr.ifr_flags & IFF_RUNNING))
        port_set_status(p, false, "interface %s has no carrier", np->ifname);
    else
        port_set_status(p, true, "up");
}

/* ------------------------------------------------------------- backends */

/* A device of this kernel (veth, VLAN, bridge) rather than hardware. */
static bool
is_software(const struct netdev_port *np)
{
    char path[64 + IFNAMSIZ];

    snprintf(path, sizeof path, "/sys/class/net/%s/device", np->ifname);
    return access(path, F_OK) != 0;
}

/* The best backend that works.  Before the stack ("generic") a device that
 * sits on another one gets what GRO has merged below it, too large for an
 * AF_XDP frame; hence packet sockets there, unless xdp is asked for. */
static int
backend_create(struct port *p, int ifindex, struct netdev_backend **b,
               struct weft_err *e)
{
    const struct netdev_port *np = p->priv;
    struct weft_err why = { "" };
    int err = -EOPNOTSUPP;

    if (!p->uplink || np->mode == NETDEV_AF_PACKET)
        return packet_create(p, ifindex, b, e);
    if (xsk_create(p, ifindex, true, b, &why) == 0)
        return 0;
    base_log(BASE_LOG_INFO, "port", "%s", why.text);
    if (np->mode == NETDEV_XDP || !is_software(np)) {
        err = xsk_create(p, ifindex, false, b, &why);
        if (!err)
            return 0;
        base_log(BASE_LOG_INFO, "port", "%s", why.text);
    }
    if (np->mode == NETDEV_XDP)
        return weft_err_set(e, err, "%s", why.text);
    return packet_create(p, ifindex, b, e);
}

/* Makes the backend for 'ifindex' and publishes it. */
static int
backend_start(struct port *p, int ifindex, struct weft_err *e)
{
    struct netdev_port *np = p->priv;
    struct netdev_backend *b = NULL;
    int err = backend_create(p, ifindex, &b, e);

    if (err)
        return err;
    err = b->ops->watch(b, p->rx_fd, true);
    if (!err && np->filter.n_addrs)
        err = b->ops->set_filter(b, &np->filter);
    if (err) {
        b->ops->destroy(b);
        return weft_err_set(e, err, "port %s: %s", p->name, strerror(-err));
    }
    snprintf(p->mode, sizeof p->mode, "%s", b->mode);
    p->ifindex = ifindex;
    atomic_store(&np->latest, b);
    return 0;
}

/* The published backend's interface is gone. */
static void
backend_stop(struct port *p)
{
    struct netdev_port *np = p->priv;
    struct netdev_backend *b = atomic_load(&np->latest);

    b->ops->watch(b, p->rx_fd, false);
    p->ifindex = 0;
    np->retry_ns = 0;
    b->next = np->old;
    np->old = b;
    atomic_store(&np->latest, NULL);
}

/* Destroys the old backends that no burst uses; true: there was none.  Sound
 * because 'latest' was changed before 'busy' is read here, and burst_begin
 * looks at 'latest' again after it wrote 'busy': one of both sees the
 * other. */
static bool
backends_reap(struct netdev_port *np)
{
    struct netdev_backend **link = &np->old, *b;

    if (!np->old)
        return true;
    while ((b = *link) != NULL) {
        if (atomic_load(&np->busy_rx) == b || atomic_load(&np->busy_tx) == b) {
            link = &b->next;
            continue;
        }
        *link = b->next;
        np->dropped_before += b->ops->dropped(b);
        b->ops->destroy(b);
    }
    return false;
}

/* ----------------------------------------------------------- life cycle */

static int
options_parse(struct port *p, const struct dp_option *opts, size_t n,
              struct weft_err *e)
{
    struct netdev_port *np = p->priv;
    const char *mode = port_opt_get(opts, n, "mode");
    const char *ifname = port_opt_get(opts, n, "ifname");

    if (!ifname)
        ifname = p->name;
    if (!*ifname || strlen(ifname) >= IFNAMSIZ)
        return weft_err_set(e, -EINVAL, "port %s: %s is no interface name "
                            "(1..%d characters); give ifname=", p->name,
                            ifname, IFNAMSIZ - 1);
    snprintf(np->ifname, sizeof np->ifname, "%s", ifname);
    np->mode = NETDEV_AUTO;
    if (mode && !strcmp(mode, "af_packet"))
        np->mode = NETDEV_AF_PACKET;
    else if (mode && !strcmp(mode, "xdp") && p->uplink)
        np->mode = NETDEV_XDP;
    else if (mode && strcmp(mode, "auto"))
        return weft_err_set(e, -EINVAL, "port %s: mode %s is none of auto, "
                            "%saf_packet", p->name, mode,
                            p->uplink ? "xdp, " : "");
    return 0;
}

static void
netdev_close(struct port *p)
{
    struct netdev_port *np = p->priv;
    struct netdev_backend *b = atomic_load(&np->latest);

    if (b)
        b->ops->destroy(b);
    backends_reap(np); /* No worker uses the port any more. */
    netdev_shadow_destroy(np->shadow);
    if (np->ctl >= 0)
        close(np->ctl);
    if (p->rx_fd >= 0)
        close(p->rx_fd);
    p->rx_fd = -1;
    free(np);
    p->priv = NULL;
}

static int
device_open(struct port *p, struct weft_err *e)
{
    struct netdev_port *np = p->priv;
    int ifindex;

    np->ctl = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    p->rx_fd = epoll_create1(EPOLL_CLOEXEC);
    if (np->ctl < 0 || p->rx_fd < 0)
        return weft_err_set(e, -errno, "port %s: %s", p->name,
                            strerror(errno));
    ifindex = interface_index(np);
    if (ifindex == 0)
        return weft_err_set(e, -ENODEV, "port %s: interface %s does not exist",
                            p->name, np->ifname);
    interface_read(p);
    return backend_start(p, ifindex, e);
}

static int
netdev_open(struct port *p, const struct port_env *env,
            const struct dp_option *opts, size_t n, struct weft_err *e)
{
    struct netdev_port *np;
    int err = port_opt_check(p, opts, n, e);

    if (err)
        return err;
    BASE_NEW(np);
    np->env = *env;
    np->ctl = -1;
    p->priv = np;
    p->rx_fd = -1;
    err = options_parse(p, opts, n, e);
    if (!err)
        err = device_open(p, e);
    if (err) {
        netdev_close(p);
        return err;
    }
    /* An uplink may change from one backend to another. */
    p->caps = PORT_CAP_MULTI_SEG;
    if (!p->uplink)
        p->caps |= PORT_CAP_CSUM | PORT_CAP_TSO;
    return 0;
}

static int
netdev_set(struct port *p, const char *name, const char *value,
           struct weft_err *e)
{
    (void) value;
    return port_opt_fixed(p, name, e);
}

static void
netdev_get(struct port *p, struct dp_port_info *info)
{
    struct netdev_port *np = p->priv;
    struct netdev_backend *b = atomic_load(&np->latest);
    char path[64 + IFNAMSIZ];
    FILE *f;
    int speed = 0;

    info->stats.rx_dropped += np->dropped_before;
    if (b)
        info->stats.rx_dropped += b->ops->dropped(b);
    snprintf(path, sizeof path, "/sys/class/net/%s/speed", np->ifname);
    f = fopen(path, "re");
    if (!f)
        return;
    if (fscanf(f, "%d", &speed) == 1 && speed > 0)
        info->speed_mbps = (uint32_t) speed;
    fclose(f);
}

static void
netdev_poll_state(struct port *p)
{
    struct netdev_port *np = p->priv;
    int ifindex = interface_index(np);
    uint64_t now = base_clock_ns();
    struct netdev_backend *b;
    struct weft_err e = { "" };

    interface_read(p);
    b = atomic_load(&np->latest);
    if (b && ifindex != p->ifindex) {
        backend_stop(p);
        base_log(BASE_LOG_WARN, "port", "%s: interface %s was deleted",
                 p->name, np->ifname);
    } else if (b && b->max_mtu && p->mtu > b->max_mtu) {
        backend_stop(p); /* Its frames became too small. */
    }
    /* Not in the same round: the kernel lets go of queues a little later. */
    if (!backends_reap(np) || atomic_load(&np->latest) || ifindex == 0
        || now < np->retry_ns)
        return;
    np->retry_ns = now + RETRY_NS;
    if (backend_start(p, ifindex, &e))
        port_set_status(p, false, "%.120s", e.text);
    else
        base_log(BASE_LOG_INFO, "port", "%s: interface %s is back", p->name,
                 np->ifname);
}

static int
netdev_set_filter(struct port *p, const be32 *addrs, size_t n_addrs,
                  const uint16_t *udp_ports, size_t n_udp_ports)
{
    struct netdev_port *np = p->priv;
    struct netdev_backend *b = atomic_load(&np->latest);

    if (n_addrs > NETDEV_MAX_ADDRS || n_udp_ports > NETDEV_MAX_UDP_PORTS)
        return -ENOSPC;
    np->filter.n_addrs = n_addrs;
    np->filter.n_udp_ports = n_udp_ports;
    if (n_addrs)
        memcpy(np->filter.addrs, addrs, n_addrs * sizeof *addrs);
    if (n_udp_ports)
        memcpy(np->filter.udp_ports, udp_ports,
               n_udp_ports * sizeof *udp_ports);
    netdev_shadow_destroy(np->shadow);
    np->shadow = netdev_shadow_create(p->name, &np->filter);
    return b ? b->ops->set_filter(b, &np->filter) : 0;
}

/* -------------------------------------------------------------- packets */

/* The backend to use for one burst, which 'busy' protects from control. */
static inline struct netdev_backend *
burst_begin(struct netdev_port *np, _Atomic(struct netdev_backend *) *busy)
{
    struct netdev_backend *b = atomic_load(&np->latest), *again;

    for (;;) { /* Ends: control publishes at most every 100 ms. */
        atomic_store(busy, b);
        again = atomic_load(&np->latest);
        if (weft_likely(again == b))
            return b;
        b = again;
    }
}

static inline void
burst_end(_Atomic(struct netdev_backend *) *busy)
{
    atomic_store_explicit(busy, NULL, memory_order_release);
}

static uint16_t
netdev_rx(struct port *p, struct rte_mbuf **pkts, uint16_t n)
{
    struct netdev_port *np = p->priv;
    struct netdev_backend *b = burst_begin(np, &np->busy_rx);

    n = b ? b->ops->rx_burst(b, p, pkts, n) : 0;
    burst_end(&np->busy_rx);
    return n;
}

static uint16_t
netdev_tx(struct port *p, struct rte_mbuf **pkts, uint16_t n)
{
    struct netdev_port *np = p->priv;
    struct netdev_backend *b = burst_begin(np, &np->busy_tx);

    p->tx_error = !b;
    n = b ? b->ops->tx_burst(b, p, pkts, n) : 0;
    burst_end(&np->busy_tx);
    return n;
}

const struct port_ops port_netdev_ops = {
    .name = "netdev",
    .options = netdev_options,
    .as_port = true,
    .as_uplink = true,
    .open = netdev_open,
    .close = netdev_close,
    .set = netdev_set,
    .get = netdev_get,
    .poll_state = netdev_poll_state,
    .rx_burst = netdev_rx,
    .tx_burst = netdev_tx,
    .set_filter = netdev_set_filter,
};
