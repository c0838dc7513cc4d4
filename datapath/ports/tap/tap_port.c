/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/ports/tap/tap_port.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datapath/ports/common/link.h"
#include "datapath/ports/common/port_opt.h"
#include "utils/base/clock.h"
#include "utils/base/log.h"
#include "utils/base/mem.h"

#define TAP_MTU 1500
#define RETRY_NS 1000000000ull
#define TAP_FLAGS (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)
/* What we take from the kernel unfinished: all that offload.h can finish. */
#define TAP_OFFLOADS (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)

static const struct tnl_option tap_options[] = {
    { "ifname", "the port's name", "name of the interface" },
    { "netns", "", "network namespace, as \"ip netns\" names it, that gets "
      "the interface" },
    { "mac", "random", "address of the interface" },
    { "mtu", "1500", "largest IP packet" },
    { "persistent", "no", "yes: the interface stays when the port goes" },
    { NULL, NULL, NULL },
};

static int
names_parse(struct port *p, const char *ifname, const char *netns,
            struct weft_err *e)
{
    struct tap_port *t = p->priv;

    if (!*ifname || strlen(ifname) >= IFNAMSIZ || strpbrk(ifname, "/ %:"))
        return weft_err_set(e, -EINVAL, "port %s: %s is no interface name "
                            "(1..%d characters); give ifname=", p->name,
                            ifname, IFNAMSIZ - 1);
    snprintf(t->ifname, sizeof t->ifname, "%s", ifname);
    if (strlen(netns) >= sizeof t->netns)
        return weft_err_set(e, -EINVAL, "port %s: netns %s is longer than %zu",
                            p->name, netns, sizeof t->netns - 1);
    snprintf(t->netns, sizeof t->netns, "%s", netns);
    if (*t->netns && t->persistent)
        return weft_err_set(e, -EINVAL, "port %s: persistent and netns "
                            "exclude each other", p->name);
    return 0;
}

static int
options_parse(struct port *p, const struct dp_option *opts, size_t n,
              struct weft_err *e)
{
    struct tap_port *t = p->priv;
    const char *ifname = port_opt_get(opts, n, "ifname");
    const char *netns = port_opt_get(opts, n, "netns");
    const char *mac = port_opt_get(opts, n, "mac");
    const char *persistent = port_opt_get(opts, n, "persistent");
    int err = port_opt_mtu(p, port_opt_get(opts, n, "mtu"), &p->mtu, e);

    if (!err)
        err = port_opt_mac(p, mac, p->mac, e);
    if (!err)
        err = port_opt_bool(p, "persistent", persistent, &t->persistent, e);
    if (err)
        return err;
    t->have_mac = mac != NULL;
    return names_parse(p, ifname ? ifname : p->name, netns ? netns : "", e);
}

static int
tun_refused(const struct port *p, int err, struct weft_err *e)
{
    const struct tap_port *t = p->priv;

    if (err == -EBUSY)
        return weft_err_set(e, err, "port %s: tap %s is in use by another "
                            "program", p->name, t->ifname);
    if (err == -EINVAL || err == -EEXIST)
        return weft_err_set(e, -EEXIST, "port %s: interface %s exists and is "
                            "no tap; use type=netdev or another ifname=",
                            p->name, t->ifname);
    if (err == -EPERM || err == -EACCES)
        return weft_err_set(e, err, "port %s: a tap needs CAP_NET_ADMIN",
                            p->name);
    return weft_err_set(e, err, "port %s: tap %s: %s", p->name, t->ifname,
                        strerror(-err));
}

/* Opens a tap device in the process's namespace; *ifindex tells which.  One
 * that is to be moved has a name of the kernel's choice until then, as another
 * port may have the same name in its namespace. */
static int
device_open(struct port *p, int *ifindex, struct weft_err *e)
{
    struct tap_port *t = p->priv;
    struct ifreq ifr;
    int err, fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return weft_err_set(e, -errno, "port %s: /dev/net/tun: %s", p->name,
                            strerror(errno));
    memset(&ifr, 0, sizeof ifr);
    snprintf(ifr.ifr_name, IFNAMSIZ, "%s", *t->netns ? "weft%d" : t->ifname);
    ifr.ifr_flags = TAP_FLAGS;
    if (ioctl(fd, TUNSETIFF, &ifr)) {
        err = tun_refused(p, -errno, e);
        close(fd);
        return err;
    }
    *ifindex = (int) if_nametoindex(ifr.ifr_name);
    if (*ifindex == 0 || ioctl(fd, TUNSETOFFLOAD, TAP_OFFLOADS)
        || (t->persistent && ioctl(fd, TUNSETPERSIST, 1))) {
        err = weft_err_set(e, -errno, "port %s: tap %s: %s", p->name,
                           t->ifname, strerror(errno));
        close(fd);
        return err;
    }
    return fd;
}

/* Name, namespace, address, MTU, up: all in one request. */
static int
device_setup(struct port *p, int ifindex, int ns_fd, struct weft_err *e)
{
    struct tap_port *t = p->priv;
    struct link_change c = {
        .ns_fd = ns_fd,
        .name = ns_fd >= 0 ? t->ifname : NULL,
        .mac = t->have_mac ? p->mac : NULL,
        .mtu = p->mtu,
        .up = true,
    };
    int err = link_change(ifindex, &c);

    if (err)
        return weft_err_set(e, err, "port %s: interface %s%s%s: %s", p->name,
                            t->ifname, ns_fd >= 0 ? " in netns " : "",
                            t->netns, strerror(-err));
    p->ifindex = ns_fd >= 0 ? 0 : ifindex;
    return 0;
}

static void
mac_learn(struct port *p, int fd)
{
    struct tap_port *t = p->priv;
    struct ifreq ifr;

    if (t->have_mac || ioctl(fd, SIOCGIFHWADDR, &ifr))
        return;
    memcpy(p->mac, ifr.ifr_hwaddr.sa_data, 6);
    t->have_mac = true; /* A device made again gets the same. */
}

/* Makes the device; returns its descriptor. */
static int
device_make(struct port *p, struct weft_err *e)
{
    struct tap_port *t = p->priv;
    int ifindex = 0, fd, err, ns_fd = -1;

    if (*t->netns) {
        ns_fd = netns_open(t->netns);
        if (ns_fd < 0)
            return weft_err_set(e, ns_fd, "port %s: network namespace %s: %s",
                                p->name, t->netns, strerror(-ns_fd));
    }
    fd = device_open(p, &ifindex, e);
    err = fd < 0 ? fd : device_setup(p, ifindex, ns_fd, e);
    if (ns_fd >= 0)
        close(ns_fd);
    if (err < 0) {
        if (fd >= 0)
            close(fd);
        return err;
    }
    mac_learn(p, fd);
    return fd;
}

static int
watch(struct port *p)
{
    struct tap_port *t = p->priv;
    struct epoll_event ev = { .events = EPOLLIN };

    return epoll_ctl(p->rx_fd, EPOLL_CTL_ADD, t->fd, &ev) ? -errno : 0;
}

void
tap_close(struct port *p)
{
    struct tap_port *t = p->priv;

    if (t->fd >= 0)
        close(t->fd);
    if (t->ctl >= 0)
        close(t->ctl);
    if (p->rx_fd >= 0)
        close(p->rx_fd);
    p->rx_fd = -1;
    rte_pktmbuf_free(t->small);
    rte_pktmbuf_free(t->big);
    free(t);
    p->priv = NULL;
}

static int
descriptors_open(struct port *p, struct weft_err *e)
{
    struct tap_port *t = p->priv;
    int err;

    p->rx_fd = epoll_create1(EPOLL_CLOEXEC);
    if (p->rx_fd < 0)
        return weft_err_set(e, -errno, "port %s: epoll: %s", p->name,
                            strerror(errno));
    if (!*t->netns)
        t->ctl = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    t->fd = device_make(p, e);
    if (t->fd < 0)
        return t->fd;
    err = watch(p);
    return err ? weft_err_set(e, err, "port %s: epoll: %s", p->name,
                              strerror(-err)) : 0;
}

int
tap_open(struct port *p, const struct port_env *env,
         const struct dp_option *opts, size_t n, struct weft_err *e)
{
    struct tap_port *t;
    int err = port_opt_check(p, opts, n, e);

    if (err)
        return err;
    BASE_NEW(t);
    t->env = *env;
    t->fd = t->ctl = -1;
    p->priv = t;
    p->mtu = TAP_MTU;
    p->rx_fd = -1;
    err = options_parse(p, opts, n, e);
    if (!err)
        err = descriptors_open(p, e);
    if (err) {
        tap_close(p);
        return err;
    }
    p->caps = PORT_CAP_CSUM | PORT_CAP_TSO | PORT_CAP_MULTI_SEG;
    port_set_status(p, true, "up");
    return 0;
}

static int
mtu_change(struct port *p, const char *value, struct weft_err *e)
{
    struct tap_port *t = p->priv;
    struct link_change c = { .ns_fd = -1 };
    uint16_t mtu = p->mtu;
    int ns_fd = -1, err = port_opt_mtu(p, value, &mtu, e);

    if (err)
        return err;
    c.mtu = mtu;
    if (*t->netns)
        ns_fd = netns_open(t->netns);
    if (*t->netns && ns_fd < 0)
        err = ns_fd;
    else
        err = link_change_in(ns_fd, t->ifname, &c);
    if (ns_fd >= 0)
        close(ns_fd);
    if (err)
        return weft_err_set(e, err, "port %s: mtu %s on %s: %s", p->name,
                            value, t->ifname, strerror(-err));
    p->mtu = mtu;
    return 0;
}

static int
mac_change(struct port *p, const char *value, struct weft_err *e)
{
    struct tap_port *t = p->priv;
    struct ifreq ifr;
    uint8_t mac[6];
    int err = port_opt_mac(p, value, mac, e);

    if (err)
        return err;
    memset(&ifr, 0, sizeof ifr);
    ifr.ifr_hwaddr.sa_family = 1; /* ARPHRD_ETHER */
    memcpy(ifr.ifr_hwaddr.sa_data, mac, 6);
    /* By the tap's descriptor: works in whatever namespace it is. */
    if (ioctl(t->fd, SIOCSIFHWADDR, &ifr))
        return weft_err_set(e, -errno, "port %s: mac %s: %s", p->name, value,
                            strerror(errno));
    memcpy(p->mac, mac, 6);
    t->have_mac = true;
    return 0;
}

int
tap_set(struct port *p, const char *name, const char *value,
        struct weft_err *e)
{
    if (!strcmp(name, "mtu"))
        return mtu_change(p, value, e);
    if (!strcmp(name, "mac"))
        return mac_change(p, value, e);
    return port_opt_fixed(p, name, e);
}

void
tap_get(struct port *p, struct dp_port_info *info)
{
    (void) p;
    info->speed_mbps = 10000; /* What the kernel says of every tap. */
}

/* The device was deleted, alone or with its namespace. */
static void
device_lost(struct port *p)
{
    struct tap_port *t = p->priv;

    t->gone = true;
    t->retry_ns = 0;
    epoll_ctl(p->rx_fd, EPOLL_CTL_DEL, t->fd, NULL); /* It is ever readable. */
    port_set_status(p, false, "interface %s was deleted", t->ifname);
    base_log(BASE_LOG_WARN, "port", "%s: interface %s was deleted", p->name,
             t->ifname);
}

static void
device_remake(struct port *p)
{
    struct tap_port *t = p->priv;
    uint64_t now = base_clock_ns();
    struct weft_err e = { "" };
    int fd;

    if (now < t->retry_ns)
        return;
    t->retry_ns = now + RETRY_NS;
    fd = device_make(p, &e);
    if (fd < 0) {
        port_set_status(p, false, "%.120s", e.text);
        return;
    }
    if (dup3(fd, t->fd, O_CLOEXEC) < 0 || watch(p)) {
        port_set_status(p, false, "tap: %s", strerror(errno));
        close(fd);
        return;
    }
    close(fd);
    t->gone = false;
    port_set_status(p, true, "up");
    base_log(BASE_LOG_INFO, "port", "%s: interface %s is back", p->name,
             t->ifname);
}

/* Whether somebody has set it down; not seen in another namespace. */
static bool
device_is_down(const struct tap_port *t)
{
    struct ifreq ifr;

    if (t->ctl < 0)
        return false;
    memset(&ifr, 0, sizeof ifr);
    snprintf(ifr.ifr_name, IFNAMSIZ, "%s", t->ifname);
    return ioctl(t->ctl, SIOCGIFFLAGS, &ifr) == 0
           && !(ifr.ifr_flags & IFF_UP);
}

void
tap_poll_state(struct port *p)
{
    struct tap_port *t = p->priv;
    struct ifreq ifr;

    if (!t->gone && ioctl(t->fd, TUNGETIFF, &ifr) && errno == EBADFD)
        device_lost(p);
    if (t->gone)
        device_remake(p);
    else if (device_is_down(t))
        port_set_status(p, false, "interface %s is down", t->ifname);
    else
        port_set_status(p, true, "up");
}

const struct port_ops port_tap_ops = {
    .name = "tap",
    .options = tap_options,
    .as_port = true,
    .open = tap_open,
    .close = tap_close,
    .set = tap_set,
    .get = tap_get,
    .poll_state = tap_poll_state,
    .rx_burst = tap_rx_burst,
    .tx_burst = tap_tx_burst,
};
