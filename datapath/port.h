/* SPDX-License-Identifier: Apache-2.0 */
/* What a port type must provide, and what the datapath knows of any port.
 *
 * What:    struct port_ops, struct port, the offload conventions of mbufs.
 * Model:   a type is a folder under datapath/ports/ and one line in
 *          port_types.def.  The same types serve bridge ports and uplinks.
 *
 *          Offload state of an mbuf inside the datapath (any port may give,
 *          datapath/offload.h finishes what the next port cannot):
 *          - RTE_MBUF_F_TX_L4_MASK != 0: the L4 checksum field holds only the
 *            folded pseudo-header sum and must be completed; l2_len, l3_len
 *            valid, RTE_MBUF_F_TX_IPV4 or _IPV6 set;
 *          - RTE_MBUF_F_TX_TCP_SEG: additionally a large segment, tso_segsz
 *            and l4_len valid;
 *          - RTE_MBUF_F_TX_TUNNEL_MASK != 0 (received from an uplink only):
 *            the above speaks of the packet inside the tunnel; outer_l2_len
 *            and outer_l3_len are the outer lengths, l2_len runs from the
 *            end of the outer IP header to the inner one (DPDK's layout).
 *            Decapsulation calls offload_cut_front after it cut the front;
 *          - otherwise the packet is complete as it stands.
 *          RTE_MBUF_F_RX_L4_CKSUM_MASK of a frame from an uplink: NONE when
 *          the outer L4 checksum may be unfinished (the sender is a device in
 *          the same kernel) and must not be verified, GOOD when the device
 *          verified it, UNKNOWN otherwise.
 *          Frames are single- or multi-segment; the first segment holds at
 *          least all headers that extraction reads (256 bytes or the whole
 *          frame) and PORT_HEADROOM bytes of headroom.
 * Threads: open, close, set, get: control, never while a worker uses the
 *          port (the datapath removes it from workers first), except 'set'
 *          and 'get', which may run beside.  rx_burst: the worker that polls
 *          the receive queue.  tx_burst: the worker that owns the port.
 * Owns:    file descriptors and device memory of the port.
 * Errors:  control calls 0 or -errno with 'e' filled; rx/tx count. */
#ifndef DP_PORT_H
#define DP_PORT_H

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#include "weft/dp.h"

#define PORT_HEADROOM RTE_PKTMBUF_HEADROOM /* 128: room for encapsulation. */
#define PORT_BURST 32
#define PORT_MAX_RXQ 16

/* What transmit accepts without software help. */
#define PORT_CAP_CSUM (1u << 0) /* Partial L4 checksum, v4 and v6. */
#define PORT_CAP_TSO (1u << 1)  /* Large TCP segments, v4 and v6. */
#define PORT_CAP_MULTI_SEG (1u << 2)

struct port;

/* Packet memory, given to open. */
struct port_env {
    struct rte_mempool *pool;     /* 2 KiB data rooms. */
    struct rte_mempool *big_pool; /* 64 KiB + headroom data rooms. */
};

struct port_ops {
    const char *name;
    /* Options for messages and the manual; ends with a NULL name. */
    const struct tnl_option *options;
    /* 0: never as an uplink or never as a bridge port. */
    bool as_port, as_uplink;

    /* Allocates p->priv, opens the device, fills caps, rx_fd, mac, mtu, mode.
     * The caller has set ops, name and uplink.  All or nothing. */
    int (*open)(struct port *, const struct port_env *,
                const struct dp_option *, size_t n, struct weft_err *e);
    void (*close)(struct port *);
    /* Changes one option of an open port. -ENOENT: unknown; -EOPNOTSUPP:
     * only at creation. */
    int (*set)(struct port *, const char *name, const char *value,
               struct weft_err *e);
    /* Device-level state: link, speed, device drops; fills what it knows. */
    void (*get)(struct port *, struct dp_port_info *);
    /* The device came or went (interface deleted, link): called every 100 ms
     * and on netlink news; may reopen, beside a worker that uses the port:
     * rx_fd stays the same number and stays registered in epoll.  NULL:
     * nothing to do.  Thread: control. */
    void (*poll_state)(struct port *);

    /* Thread: worker.  At most PORT_BURST. */
    uint16_t (*rx_burst)(struct port *, struct rte_mbuf **, uint16_t n);
    /* The same of queue 1 to p->n_rxq - 1; NULL: there is only one. */
    uint16_t (*rx_burst_queue)(struct port *, uint16_t queue,
                               struct rte_mbuf **, uint16_t n);
    /* Takes the frames that were sent; returns their number n_sent and
     * leaves the others at [n_sent..n-1] (a frame the device refuses moves
     * there and does not stop those behind it).  The caller drops the rest
     * (TX_FULL, or TX_ERROR when p->tx_error is set). */
    uint16_t (*tx_burst)(struct port *, struct rte_mbuf **, uint16_t n);

    /* Uplinks only: local end points and what is to be taken for them (GRE
     * with protocol 0x6558 always).  Ports in host order.  Thread: control,
     * beside the worker.  0, -ENOSPC or -errno. */
    int (*set_filter)(struct port *, const be32 *addrs, size_t n_addrs,
                      const uint16_t *udp_ports, size_t n_udp_ports);
};

/* Counters of one port, written by the worker that handles the direction. */
struct port_counters {
    uint64_t packets, bytes;
} WEFT_ALIGNED(64);

struct port {
    const struct port_ops *ops;
    void *priv;
    char name[DP_NAME_LEN];
    bool uplink;         /* Opened as an uplink; set before open. */
    char mode[16];       /* Uplinks: "xdp-native", "af_packet", "dpdk" ... */
    int ifindex;         /* 0: not an interface of this kernel and namespace. */
    uint32_t caps;       /* PORT_CAP_* */
    uint16_t n_rxq;      /* Receive queues; 0: one.  The device keeps all of a
                          * flow in one. */
    int rx_fd;           /* Of queue 0.  Readable = packets; -1: must be polled. */
    uint8_t mac[6];
    uint16_t mtu;        /* IP bytes. */
    bool link_up;
    bool tx_error;       /* Last tx_burst stopped by an error. */
    char status[128];    /* "up" or why not. */
    struct port_counters rx, tx;
    uint64_t rx_no_buffer, rx_errors; /* By the type. */
};

/* datapath/ports/registry.c.  NULL: unknown / past the end. */
const struct port_ops *port_type_by_name(const char *name);
const struct port_ops *port_type_by_index(unsigned i);

#endif
