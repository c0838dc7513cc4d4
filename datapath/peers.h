/* SPDX-License-Identifier: Apache-2.0 */
/* Far end points of a network's tunnel port.
 *
 * What:    the remotes of one tunnel port with remote=peers or remote=learn:
 *          those the user listed and those that were seen sending.
 * Model:   an immutable table that control replaces as a whole; only the tick
 *          of an entry is written in place, by the workers that see the
 *          remote send.  A remote's place (its index plus 1) names it in the
 *          MAC table and stays the same in every copy.  A place that was left
 *          is given to another remote when no worker can still hold the old
 *          one: PEER_REST_TICKS later, with the MAC table cleaned of it.
 *
 *          worker: unknown sender ─ ring of sightings ─► control: new table
 *
 * Threads: peers_find, peers_at, peers_seen: workers; the rest: control.
 * Owns:    the port owns its table; replaced ones go through rcu.h.
 * Cost:    a sender: one line of the index, one of the entry.
 * Source:  RFC 7348 §4.1 (learning of remotes), §4.2 (replication), §7 (rogue
 *          end points: the list). */
#ifndef DP_PEERS_H
#define DP_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weft/be.h"
#include "weft/compiler.h"
#include "weft/dp.h"
#include "weft/err.h"

#define PEERS_MAX 4096      /* Of one port, listed and learnt. */
#define PEER_REST_TICKS 20  /* 5 s. */

struct dp;
struct dp_port;
struct tunnel_want;

struct peer {
    be32 addr;     /* 0: nobody has this place. */
    uint32_t tick; /* When it last sent; or, without addr, was removed. */
    bool listed;
    bool asked;    /* For its next hop.  Control only. */
};

struct peers {
    uint32_t n;         /* Places. */
    uint32_t n_listed, n_learnt;
    uint32_t mask;      /* Of 'slot'. */
    uint16_t *slot;     /* Place by hash of the address; 0: free. */
    struct peer at[];
};

/* Makes the table of a port with peers. */
void peers_open(struct dp_port *);
/* It has peers no more: workers may still see the table. */
void peers_shut(struct dp_port *);
void peers_close(struct dp_port *); /* No worker knows the port any more. */

/* The listed ones become these, or nothing changes.  0, -ENOSPC, -EEXIST. */
WEFT_MUST_CHECK int peers_set_listed(struct dp_port *, const be32 *addrs,
                                     size_t n, struct weft_err *e);
/* A worker saw 'addr' send with the key of port 'uid'. */
void peers_sighted(struct dp *, uint64_t uid, be32 addr);
void peers_dump(const struct dp_port *, dp_peer_cb *, void *arg);
/* The next hop that a new peer needs, so that it is known before the first
 * packet; false: none (any more).  Call it in dp_run. */
bool peers_want(struct dp *, struct tunnel_want *);
/* Forgets learnt ones that have been silent as long as an address lives. */
void peers_house(struct dp_port *);

static inline uint32_t
peers_hash(be32 addr)
{
    return (uint32_t) (addr * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

/* The place of 'addr', 0: unknown. */
static inline uint16_t
peers_find(const struct peers *t, be32 addr)
{
    for (uint32_t i = peers_hash(addr), n = 0; n <= t->mask; i++, n++) {
        uint16_t place = t->slot[i & t->mask];

        if (!place || t->at[place - 1].addr == addr)
            return place;
    }
    return 0;
}

/* Who has that place; 0: nobody. */
static inline be32
peers_at(const struct peers *t, uint16_t place)
{
    return place && place <= t->n ? t->at[place - 1].addr : 0;
}

static inline void
peers_seen(struct peers *t, uint16_t place, uint32_t tick)
{
    uint32_t *at = &t->at[place - 1].tick;

    if (__atomic_load_n(at, __ATOMIC_RELAXED) != tick)
        __atomic_store_n(at, tick, __ATOMIC_RELAXED);
}

#endif
