/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the underlay: uplinks, remotes, neighbours.
 *
 * What:    the tables shared by underlay.c (who asked for what, what was
 *          answered), kernel.c (rtnetlink) and owned.c (own ARP and ICMP).
 * Model:   remote ─ route ─► uplink and the address on the link ("via")
 *                 ─ neighbour (uplink, via) ─► MAC
 *          A neighbour lists the remotes behind it: a gateway's MAC change
 *          reaches all of them.  Events that may change any route bump
 *          'generation'; remotes of an older one are asked again, a bounded
 *          number at a time.
 * Threads: control.  Owns: everything here. */
#ifndef TNL_UNDERLAY_PRIV_H
#define TNL_UNDERLAY_PRIV_H

#include <stdbool.h>

#include "tunnels/underlay/underlay.h"
#include "utils/base/hmap.h"
#include "utils/base/list.h"
#include "weft/be.h"

#define UL_SECOND UINT64_C(1000000000)

enum {
    UL_MAX_REMOTES = 65536,
    UL_MAX_ADDRS = 64,     /* Per uplink. */
    UL_RUN_BUDGET = 256,   /* Remotes asked again per call. */
    UL_ARP_TRIES = 3,      /* RFC 1122 §2.3.2.1 asks for a limit; one a
                            * second. */
};

struct ul_kernel;

struct ul_uplink {
    struct base_list all;
    uint32_t id;
    bool owned;
    bool up;
    uint8_t mac[6];
    uint16_t mtu;
    be32 addrs[UL_MAX_ADDRS];
    size_t n_addrs;
    int ifindex;   /* Kernel's; 0: the interface is gone. */
    char name[16]; /* Under which it may come back. */
    /* Owned. */
    uint8_t prefix_len;
    be32 gateway;
    unsigned announce;     /* Announcements still to send, RFC 5227 §2.3. */
    uint64_t announce_ns;
    uint64_t defended_ns;
};

enum ul_neigh_state {
    UL_NEIGH_NONE,   /* Nothing known. */
    UL_NEIGH_VALID,  /* 'mac' may be used. */
    UL_NEIGH_FAILED, /* Asked, no answer. */
};

struct ul_neigh {
    struct base_hnode node;
    struct base_list all;
    struct base_list remotes; /* struct ul_remote */
    struct ul_uplink *uplink;
    be32 addr;
    uint8_t mac[6];
    enum ul_neigh_state state;
    bool stale;         /* VALID, but to be confirmed when used. */
    bool soliciting;
    unsigned tries;     /* Owned: requests since the last answer. */
    uint64_t asked_ns;  /* Last request. */
    uint64_t confirmed_ns;
};

struct ul_route {
    struct ul_uplink *uplink;
    be32 via, src;
    uint16_t mtu;
};

struct ul_remote {
    struct base_hnode node;
    struct base_list all;       /* Least recently asked again first. */
    struct base_list of_neigh;
    struct ul_neigh *neigh;     /* NULL: no route. */
    be32 remote, local;
    uint64_t used_ns;           /* Last underlay_resolve. */
    uint64_t routed_ns;         /* Last look at the route. */
    unsigned generation;
    uint16_t mtu;
    be32 src;
    enum { UL_TOLD_NOTHING, UL_TOLD_DEL, UL_TOLD_SET } told;
    struct tnl_nexthop nexthop; /* As told. */
};

struct underlay {
    struct underlay_callbacks cb;
    struct ul_kernel *kernel;
    struct base_list uplinks;
    struct base_hmap remotes, neighs;
    struct base_list remote_list, neigh_list;
    unsigned generation;
    uint64_t now_ns; /* Of the last tick; monotonic clock. */
};

/* ------------------------------------------------------------ underlay.c */

struct ul_uplink *ul_uplink_by_ifindex(struct underlay *, int ifindex);
struct ul_neigh *ul_neigh_find(struct underlay *, const struct ul_uplink *,
                               be32 addr);
/* News about a neighbour: tells the remotes behind it. */
void ul_neigh_valid(struct underlay *, struct ul_neigh *,
                    const uint8_t mac[6], bool stale);
void ul_neigh_failed(struct underlay *, struct ul_neigh *);
/* Routes may have changed. */
static inline void
ul_routes_changed(struct underlay *u)
{
    u->generation++;
}
/* Replaces the addresses and reports them when they differ. */
void ul_uplink_set_addrs(struct underlay *, struct ul_uplink *,
                         const be32 *addrs, size_t n);

/* -------------------------------------------------------------- kernel.c */

WEFT_MUST_CHECK int ul_kernel_create(struct underlay *, struct weft_err *e);
void ul_kernel_destroy(struct ul_kernel *); /* Accepts NULL. */
int ul_kernel_fd(const struct ul_kernel *);
void ul_kernel_run(struct underlay *);
/* Fills mac, mtu, up, addrs from u->ifindex. */
WEFT_MUST_CHECK int ul_kernel_load(struct underlay *, struct ul_uplink *,
                                   struct weft_err *e);
/* The kernel's way to 'remote': 0, -ENETUNREACH (none, or by an interface
 * that is no uplink) or -errno. */
WEFT_MUST_CHECK int ul_kernel_route(struct underlay *, be32 remote, be32 local,
                                    struct ul_route *);
/* Reads the kernel's entry; calls ul_neigh_valid when it has one. */
void ul_kernel_neigh_get(struct underlay *, struct ul_neigh *);
/* Makes the kernel resolve or confirm the neighbour; the answer is an event. */
void ul_kernel_neigh_use(struct underlay *, struct ul_neigh *);

/* --------------------------------------------------------------- owned.c */

/* -ENETUNREACH: not by this uplink.  'gateway': also what is not on link. */
WEFT_MUST_CHECK int ul_owned_route(struct ul_uplink *, be32 remote,
                                   bool gateway, struct ul_route *);
void ul_owned_neigh_use(struct underlay *, struct ul_neigh *);
void ul_owned_rx(struct underlay *, struct ul_uplink *, const uint8_t *data,
                 size_t len);
void ul_owned_tick(struct underlay *, struct ul_uplink *);
void ul_owned_neigh_tick(struct underlay *, struct ul_neigh *);

#endif
