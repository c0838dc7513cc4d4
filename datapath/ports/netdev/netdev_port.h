/* SPDX-License-Identifier: Apache-2.0 */
/* Port type netdev: an interface that exists already, a veth, a VM's tap, a
 * NIC; as a bridge port or as an uplink.
 *
 * What:    private layout shared by netdev_port.c (life cycle), packet.c
 *          (AF_PACKET), xsk.c (XDP and AF_XDP, uplinks only) and shadow.c.
 * Model:   a backend moves packets of one incarnation of the interface.  When
 *          the interface vanishes and comes back, control makes a new backend
 *          and publishes it as 'latest'.  A burst names the backend it uses
 *          in 'busy_rx' or 'busy_tx'; control destroys an old one when
 *          neither names it (a hazard pointer per direction).  rx_fd is an
 *          epoll descriptor with the descriptors of the latest backend.
 *
 *                      control: latest ──► backend 2
 *            rx burst: busy_rx ──► backend 1, until the burst ends
 *            tx burst: busy_tx ──► backend 2
 *
 * Threads: as drawn.  Owns: backends, descriptors.
 * Errors:  as port.h. */
#ifndef DP_PORTS_NETDEV_H
#define DP_PORTS_NETDEV_H

#include <net/if.h>
#include <stdatomic.h>

#include "datapath/port.h"

#define NETDEV_MAX_ADDRS 1024
#define NETDEV_MAX_UDP_PORTS 16

/* What an uplink takes from the kernel. */
struct netdev_filter {
    size_t n_addrs, n_udp_ports;
    be32 addrs[NETDEV_MAX_ADDRS];
    uint16_t udp_ports[NETDEV_MAX_UDP_PORTS]; /* Host order. */
};

struct netdev_backend;

struct netdev_backend_ops {
    uint16_t (*rx_burst)(struct netdev_backend *, struct port *,
                         struct rte_mbuf **, uint16_t n);
    uint16_t (*tx_burst)(struct netdev_backend *, struct port *,
                         struct rte_mbuf **, uint16_t n);
    /* Thread: control.  0 or -errno. */
    int (*set_filter)(struct netdev_backend *, const struct netdev_filter *);
    /* Adds (or removes) its descriptors to the epoll descriptor. */
    int (*watch)(struct netdev_backend *, int epoll_fd, bool on);
    /* Frames lost in the kernel since creation.  Thread: control. */
    uint64_t (*dropped)(struct netdev_backend *);
    void (*destroy)(struct netdev_backend *);
};

struct netdev_backend {
    const struct netdev_backend_ops *ops;
    const char *mode;             /* For struct port. */
    uint16_t max_mtu;             /* Of frames it can hold; 0: any. */
    struct netdev_backend *next;  /* In netdev_port.old. */
};

struct netdev_shadow;

enum netdev_mode { NETDEV_AUTO, NETDEV_XDP, NETDEV_AF_PACKET };

struct netdev_port {
    struct port_env env;
    char ifname[IFNAMSIZ];
    enum netdev_mode mode;
    int ctl;                   /* Socket for questions to the kernel. */
    struct netdev_filter filter;
    struct netdev_shadow *shadow;
    uint64_t retry_ns;         /* Next try to open a backend. */
    uint64_t dropped_before;   /* By backends that are gone. */
    struct netdev_backend *old; /* List: may be busy still. */
    _Atomic(struct netdev_backend *) latest, busy_rx, busy_tx;
};

/* packet.c.  A socket on 'ifindex'; 'uplink': takes nothing until
 * set_filter.  Each says why in 'e'. */
int packet_create(const struct port *p, int ifindex,
                  struct netdev_backend **, struct weft_err *e);

/* xsk.c.  The XDP program on 'ifindex', in the driver or before the stack;
 * takes nothing until set_filter. */
int xsk_create(const struct port *p, int ifindex, bool native,
               struct netdev_backend **, struct weft_err *e);

/* shadow.c: keeps the kernel from answering "unreachable" to packets that
 * Weft takes.  Owns its sockets. */
struct netdev_shadow *netdev_shadow_create(const char *port_name,
                                           const struct netdev_filter *);
void netdev_shadow_destroy(struct netdev_shadow *); /* Accepts NULL. */

#endif
