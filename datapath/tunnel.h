/* SPDX-License-Identifier: Apache-2.0 */
/* Tunnels of the datapath: mbufs into outer headers and out of them.
 *
 * What:    tunnel ports, next hops and local end points (control), and the
 *          two burst functions that a worker calls.
 * Model:   one struct tunnels per datapath; the outer headers know no bridge,
 *          so the table is shared by all of them.
 *
 *          uplink ─ tunnel_rx_burst ─► (port, struct pkt_tunnel, inner frame)
 *          (port, struct pkt_tunnel, inner frame) ─ tunnel_tx_burst ─► uplink
 *
 *          Receive looks (kind, local, remote, key) up in one table of 32-byte
 *          slots; "kind" is the type and, for UDP, the destination port.  The
 *          most specific port wins: a fixed key before key=flow, then a fixed
 *          remote before remote=flow, then a fixed local address.  Nothing
 *          found is DROP_TNL_UNKNOWN: a packet never enters another tenant.
 *          Transmit stores the port's prebuilt header in front of the frame
 *          and patches what depends on next hop and packet.
 * Threads: "control" calls publish by one pointer store; replaced objects go
 *          to the 'retire' callback, which frees them when every worker has
 *          been quiescent.  The burst functions belong to a worker, each with
 *          its own struct tunnel_worker; they allocate nothing but mbufs.
 * Owns:    tunnels owns ports, next hops, tables.  A port that was deleted
 *          stays readable until its retirement.
 * Errors:  control 0 or -errno with 'e' filled; packets an enum drop_reason.
 * Cost:    receive: one slot line per packet, none when source and key repeat.
 *          Transmit: two port lines and one next-hop line, no search when the
 *          remote is fixed or repeats.
 * Source:  RFC 7348, RFC 7637, RFC 791, RFC 768, RFC 6040 (ECN), RFC 6864
 *          (IP id). */
#ifndef DP_TUNNEL_H
#define DP_TUNNEL_H

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#include "weft/compiler.h"
#include "weft/drop.h"
#include "weft/flow_key.h"
#include "weft/pkt.h"
#include "weft/tunnel.h"

struct tunnels;     /* Control side. */
struct tunnel_port; /* One tunnel port; accessors below. */

#define TUNNEL_BURST 32 /* Most packets in one call. */

/* A next hop that is wanted: dp_events.resolve(remote, local). */
struct tunnel_want {
    be32 remote;
    be32 local; /* 0: any. */
};

/* --------------------------------------------------------------- control */

/* Frees 'obj' by free_fn(obj) once no worker can hold it any more. */
typedef void tunnel_retire_fn(void *arg, void *obj, void (*free_fn)(void *));

/* 'retire' NULL: objects are freed at once (no worker runs: tests). */
struct tunnels *tunnels_create(tunnel_retire_fn *retire, void *arg);
/* Workers are stopped.  Accepts NULL.  Deletes the ports too. */
void tunnels_destroy(struct tunnels *);

struct tunnel_port_config {
    const char *name;          /* For messages; copied. */
    const struct tnl_ops *ops;
    struct tnl_config tnl;     /* As tnl_config_parse filled it. */
    void *owner;               /* The bridge (or port), given back by rx. */
    uint32_t port_no;          /* OpenFlow number on that bridge. */
};

/* Adds a port; it receives from now on.  0, -EEXIST (same type, local, remote
 * and key: 'e' names the other port), -ENOSPC (kinds), -EINVAL. */
WEFT_MUST_CHECK int tunnel_port_add(struct tunnels *,
                                    const struct tunnel_port_config *,
                                    struct tunnel_port **, struct weft_err *e);
/* Replaces 'old' by a port with other options, or (on an error) changes
 * nothing.  *new is stored with release before 'old' is retired: pass the
 * pointer that workers load. */
WEFT_MUST_CHECK int tunnel_port_replace(struct tunnels *,
                                        struct tunnel_port *old,
                                        const struct tnl_config *,
                                        struct tunnel_port **new,
                                        struct weft_err *e);
/* Of a port with remote=peers: the only remotes whose packets it takes (none
 * until then).  All or nothing.  0, -EEXIST (another port has that remote and
 * key). */
WEFT_MUST_CHECK int tunnel_port_set_sources(struct tunnels *,
                                            struct tunnel_port *,
                                            const be32 *addrs, size_t n,
                                            struct weft_err *e);
/* No packet is received for it by workers that were quiescent since; the
 * caller removes its own references first. */
void tunnel_port_del(struct tunnels *, struct tunnel_port *);

/* Adding and deleting many: between hold and release the receive table is not
 * rebuilt, release publishes once.  Nests. */
void tunnels_hold(struct tunnels *);
void tunnels_release(struct tunnels *);

/* Next hops: dp_nexthop_set and dp_nexthop_del.  0, -EINVAL (remote 0). */
WEFT_MUST_CHECK int tunnel_nexthop_set(struct tunnels *, be32 remote,
                                       const struct tnl_nexthop *);
void tunnel_nexthop_del(struct tunnels *, be32 remote);

/* The next hop that a new port with a fixed remote needs, so that it is known
 * before the first packet; false: none (any more).  Call it in dp_run. */
bool tunnels_want(struct tunnels *, struct tunnel_want *);

/* Local end points of an uplink (dp_uplink_set_addrs); n 0 forgets it.
 * 0, -ENOSPC. */
#define TUNNEL_MAX_ADDRS 1024 /* Over all uplinks. */
WEFT_MUST_CHECK int tunnels_set_addrs(struct tunnels *, uint32_t uplink,
                                      const be32 *addrs, size_t n);
/* All local end points, and all UDP ports on which tunnels listen (host
 * order), for port_ops.set_filter.  Return how many there are; at most 'max'
 * are stored. */
size_t tunnels_get_addrs(const struct tunnels *, be32 *addrs, size_t max);
size_t tunnels_get_udp_ports(const struct tunnels *, uint16_t *ports,
                             size_t max);

/* Thread: any, as long as 'p' is not retired. */
const struct tnl_ops *tunnel_port_ops(const struct tunnel_port *);
const struct tnl_config *tunnel_port_config(const struct tunnel_port *);
void *tunnel_port_owner(const struct tunnel_port *);
uint32_t tunnel_port_no(const struct tunnel_port *);

/* ---------------------------------------------------------------- worker */

#define TUNNEL_WANTS 32
#define TUNNEL_WANT_SLOTS 256

/* Outer headers like those of a packet that was decapsulated: the 40 bytes
 * behind the addresses, but for what differs from packet to packet. */
#define TUNNEL_SAME_WORDS 5
struct tunnel_same {
    uint64_t mask[TUNNEL_SAME_WORDS], value[TUNNEL_SAME_WORDS];
    const struct tunnel_port *port; /* NULL: none yet. */
    struct pkt_tunnel tun;
    uint64_t seq; /* Of the table that said so. */
    uint16_t cut; /* Bytes in front of the inner frame. */
    bool udp;
};

/* State of one worker.  Zeroed, then tunnel_worker_init. */
struct tunnel_worker {
    const struct tunnels *tunnels;
    struct rte_mempool *pool; /* For copies when headroom is short. */
    uint64_t now_ns;          /* The worker stamps it once per loop. */

    /* Filled by tunnel_tx_burst, at most one entry per remote and 100 ms for
     * unresolved remotes, one per 10 s for remotes in use (that keeps the
     * neighbour fresh).  The worker hands them to control (events.resolve)
     * and sets n_wants to 0; what does not fit is asked for again later. */
    struct tunnel_want wants[TUNNEL_WANTS];
    unsigned n_wants;

    /* Private: same as last, id for packets without DF, rate limit. */
    struct tunnel_same same;
    uint64_t last_seq;
    be32 last_src, last_dst;
    uint32_t last_kind_key;
    const struct tunnel_port *last_port;
    uint16_t ip_id;
    unsigned icmp_credit;
    uint64_t icmp_ns;
    uint64_t want_after[TUNNEL_WANT_SLOTS];
};

void tunnel_worker_init(struct tunnel_worker *, const struct tunnels *,
                        struct rte_mempool *pool);

enum { TUNNEL_OK = -1, TUNNEL_OTHER = -2 };

struct tunnel_rx {
    /* TUNNEL_OK: m[i] is the inner frame of 'port', 'tun' is valid.
     * TUNNEL_OTHER: no overlay packet for us, m[i] untouched: uplink_rx.
     * else enum drop_reason; 'port' is the port to charge, or NULL when none
     * is known. */
    int verdict;
    const struct tunnel_port *port;
    struct pkt_tunnel tun;
};

/* Decapsulates packets from the front of m[] as long as their outer headers
 * say what those of a packet before said, the common run of a tunnel;
 * *rx is their common result.  Returns how many; 0: none, *rx is as it was.
 * For the others: */
unsigned tunnel_rx_same(struct tunnel_worker *, struct rte_mbuf *const m[],
                        unsigned n, struct tunnel_rx *rx);

/* Decapsulates n <= TUNNEL_BURST packets from an uplink.  Every m[i] stays the
 * caller's.  Outer offload state is taken from the mbuf:
 * - RX_IP_CKSUM_GOOD, RX_L4_CKSUM_GOOD or _NONE: not verified again;
 * - RX_IP_CKSUM_BAD, RX_L4_CKSUM_BAD: DROP_TNL_BAD_IP, DROP_TNL_BAD_CSUM;
 * - TX_L4_MASK set: an outer UDP checksum that its sender never completed,
 *   because the wire is this host's memory (veth, tap).  Accepted.
 * - otherwise verified, RFC 7348 §5, knowing what a veth's sender leaves to
 *   the device: the outer checksum may be the bare pseudo-header sum, or hold
 *   only once the inner TCP or UDP checksum is completed.  The inner frame
 *   then carries RTE_MBUF_F_TX_TCP_CKSUM/UDP_CKSUM as port.h says. */
void tunnel_rx_burst(struct tunnel_worker *, struct rte_mbuf *const m[],
                     unsigned n, struct tunnel_rx rx[]);

struct tunnel_tx {
    /* In. */
    struct pkt_tunnel tun; /* As the actions left it: id for key=flow, dst for
                            * remote=flow; src is used as the source address
                            * when it is one of ours and local= is not given.
                            */
    uint32_t hash; /* Of the inner flow, all 32 bits well mixed; 0: computed
                    * here from the frame. */
    /* Out. */
    int verdict;     /* TUNNEL_OK or enum drop_reason. */
    uint32_t uplink; /* dp_uplink id to send m[i] on, when TUNNEL_OK. */
    uint16_t mtu;    /* DROP_TNL_TX_TOO_BIG: largest inner IP packet, */
    struct pkt_tunnel back; /* and what an answer from the remote carries. */
};

/* Encapsulates n <= TUNNEL_BURST frames that were output to 'port'.  m[i] may
 * be replaced by a copy (short headroom, shared data); on a drop it is still
 * the caller's and its bytes are unchanged.  The frames must be complete: for
 * packets with offload_pending() the caller finishes segments and checksums
 * first, as for a port whose caps are 0. */
void tunnel_tx_burst(struct tunnel_worker *, const struct tunnel_port *port,
                     struct rte_mbuf *m[], unsigned n, struct tunnel_tx tx[]);

/* Encapsulates packets from the front of m[] as long as nothing about them is
 * special: a fixed remote whose next hop is known, one segment with headroom
 * of its own, within the MTU, no flags of transmit or of others in ol_flags,
 * keys[i] what they are now.  Returns how many, m[i] and the bytes of the
 * others are untouched; those that were go out of *uplink. */
unsigned tunnel_tx_plain(struct tunnel_worker *, const struct tunnel_port *,
                         struct rte_mbuf *const m[],
                         const struct flow_key *const keys[], unsigned n,
                         uint32_t *uplink);

/* False: tunnel_tx_burst does not look at tx[].tun of this port's packets. */
bool tunnel_port_needs_key(const struct tunnel_port *);

/* For a frame refused as DROP_TNL_TX_TOO_BIG: the ICMP "fragmentation needed"
 * (RFC 1191) or ICMPv6 "packet too big" (RFC 8201) that tells its sender the
 * path's MTU, to be treated as if it had come in by the tunnel port with
 * tx->back.  NULL: none is due (no IP, fragment, ICMP error, multicast, more
 * than one per millisecond and worker) or there is no buffer.  Borrows 'm'. */
struct rte_mbuf *tunnel_too_big_reply(struct tunnel_worker *,
                                      const struct rte_mbuf *m,
                                      const struct tunnel_tx *tx);

/* Hash of the inner flow for struct tunnel_tx: constant per flow, never 0.
 * From an extracted key (packet words valid), or from the frame's bytes. */
uint32_t tunnel_hash_key(const struct flow_key *);
uint32_t tunnel_hash_frame(const uint8_t *p, size_t len);

#endif
