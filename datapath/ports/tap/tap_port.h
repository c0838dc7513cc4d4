/* SPDX-License-Identifier: Apache-2.0 */
/* Port types tap and internal: an interface of the kernel whose wire is ours.
 *
 * What:    private layout shared by tap_port.c (life cycle) and tap_io.c
 *          (packets), and what port type internal takes from them.
 * Model:   the tap's descriptor keeps its number for the life of the port; a
 *          device that was deleted (with its namespace, say) is replaced by
 *          dup3 of a new one.  rx_fd is an epoll descriptor around it, because
 *          the worker's own epoll would lose a replaced descriptor.
 *
 *            worker's epoll -> rx_fd (epoll) -> fd (tap) -> device
 *
 * Threads: control replaces the device beside the worker: a read or write
 *          in flight meets the old or the new one.
 * Owns:    descriptors, one spare mbuf of each pool. */
#ifndef DP_PORTS_TAP_H
#define DP_PORTS_TAP_H

#include <net/if.h>

#include "datapath/port.h"

struct tap_port {
    int fd;
    int ctl;                      /* Socket for questions; -1 with a netns. */
    struct port_env env;
    struct rte_mbuf *small, *big; /* For the next frame; worker. */
    char ifname[IFNAMSIZ];
    char netns[256];              /* "": the process's own. */
    bool persistent;
    bool have_mac;                /* Once known it is kept. */
    bool gone;                    /* The device does not exist. */
    uint64_t retry_ns;            /* Next try to make it again. */
};

/* tap_port.c */
int tap_open(struct port *, const struct port_env *, const struct dp_option *,
             size_t n, struct weft_err *);
void tap_close(struct port *);
int tap_set(struct port *, const char *name, const char *value,
            struct weft_err *);
void tap_get(struct port *, struct dp_port_info *);
void tap_poll_state(struct port *);

/* tap_io.c */
uint16_t tap_rx_burst(struct port *, struct rte_mbuf **, uint16_t n);
uint16_t tap_tx_burst(struct port *, struct rte_mbuf **, uint16_t n);

#endif
