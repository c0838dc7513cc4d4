/* SPDX-License-Identifier: Apache-2.0 */
/* Underlay: which uplink, source address and next-hop MAC lead to a remote
 * tunnel end point.
 *
 * What:    for uplinks whose interface is the kernel's: routes, neighbours,
 *          addresses and links by rtnetlink (libmnl), followed live.  For
 *          uplinks that Weft owns: one address, an optional gateway, own ARP
 *          (RFC 826) and ICMP echo reply.
 * Model:   underlay_resolve asks; the answer, and every later change of it,
 *          arrives by the nexthop callbacks.  Remotes that were asked for are
 *          kept and followed; underlay_resolve, called again while they are
 *          used, keeps the neighbour fresh and looks for a new path MTU.
 *          Which way: on-link of an owned uplink, else the kernel's route if
 *          it leaves by an uplink, else an owned uplink's gateway.
 * Threads: control.
 * Owns:    netlink sockets and its tables.
 * Errors:  0 or -errno with 'e' filled. */
#ifndef TNL_UNDERLAY_H
#define TNL_UNDERLAY_H

#include <stddef.h>
#include <stdint.h>

#include "weft/compiler.h"
#include "weft/err.h"
#include "weft/tunnel.h"

struct underlay;

struct underlay_callbacks {
    void *arg;
    /* A zero dst_mac: the route is known, the next hop does not answer. */
    void (*nexthop_set)(void *arg, be32 remote, const struct tnl_nexthop *);
    void (*nexthop_del)(void *arg, be32 remote);
    /* The uplink's local addresses changed. */
    void (*addrs)(void *arg, uint32_t uplink, const be32 *addrs, size_t n);
    /* Sends a frame on an uplink that Weft owns. */
    void (*send)(void *arg, uint32_t uplink, const uint8_t *data, size_t len);
};

WEFT_MUST_CHECK int underlay_create(const struct underlay_callbacks *,
                                    struct underlay **, struct weft_err *e);
void underlay_destroy(struct underlay *); /* Accepts NULL. */

/* The kernel's interface 'ifindex' is uplink 'id'.  Should it be deleted, an
 * interface made later under the same name takes its place. */
WEFT_MUST_CHECK int underlay_add_kernel(struct underlay *, uint32_t id,
                                        int ifindex, struct weft_err *e);
/* Weft owns the device.  'gateway' 0: only the own prefix is reachable. */
WEFT_MUST_CHECK int underlay_add_owned(struct underlay *, uint32_t id,
                                       const uint8_t mac[6], be32 address,
                                       uint8_t prefix_len, be32 gateway,
                                       uint16_t mtu, struct weft_err *e);
void underlay_del(struct underlay *, uint32_t id);

/* Wants the next hop for 'remote', from 'local' (0: any). */
void underlay_resolve(struct underlay *, be32 remote, be32 local);
/* A frame that an owned uplink received. */
void underlay_rx(struct underlay *, uint32_t id, const uint8_t *data,
                 size_t len);

int underlay_fd(const struct underlay *); /* Netlink: readable = run. */
void underlay_run(struct underlay *);
/* Every 100 ms, with base_clock_ns(). */
void underlay_tick(struct underlay *, uint64_t now_ns);

struct underlay_info {
    be32 remote;
    const char *state; /* "reachable", "resolving", "no answer" (of the next
                        * hop's ARP), "no route" (by any uplink) */
    struct tnl_nexthop nexthop; /* Valid when reachable. */
    be32 via; /* Next hop's address; 0: no route. */
};
typedef void underlay_info_cb(void *arg, const struct underlay_info *);
void underlay_foreach(struct underlay *, underlay_info_cb *, void *arg);

#endif
