/* SPDX-License-Identifier: Apache-2.0 */
/* MAC table of a bridge, for the NORMAL action.
 *
 * What:    (VLAN, MAC) -> port, learned by workers, aged by time.
 * Model:   64-byte buckets of four 16-byte entries; two words per entry:
 *              key  VLAN(12) valid(1) MAC(48)
 *              val  port(16) peer(16) tick(32)
 *          'peer' is the place of a remote end point among those of a tunnel
 *          port (peers.h); 0: none.  LOCAL has the number MAC_LOCAL.
 *          A reader takes key, val, key: equal keys make a valid pair.  'val'
 *          alone may change in place (a moved or refreshed address).  A new
 *          key is stored by one writer at a time (the 'writer' flag; who does
 *          not get it leaves learning to the next packet): 0, val, key.
 *          A full bucket gives up its oldest entry; a table that has as many
 *          addresses as it may takes no more: whoever floods it with new ones
 *          does not drive the known ones out.  Control takes aged entries out
 *          and replaces a table that fills by a larger one.
 * Threads: learn, lookup: workers.  The rest: control.
 * Owns:    its buckets.
 * Cost:    one line for the destination, one for the source. */
#ifndef DP_MAC_H
#define DP_MAC_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "weft/compiler.h"
#include "weft/dp.h"

#define MAC_AGE_TICKS (300 * 4) /* 300 s, by default. */
#define MAC_LIMIT 131072        /* Addresses, by default. */
#define MAC_BUCKETS 8192 /* To begin with: 512 KiB, resident as it is used. */

struct mac_entry {
    uint64_t key, val;
};

struct mac_table {
    uint64_t seed;
    uint32_t mask;   /* Buckets - 1. */
    uint32_t writer; /* 1: somebody adds or removes keys. */
    uint32_t n;      /* Keys there are.  Changed by the writer. */
    uint32_t limit, age_ticks; /* By control. */
    uint64_t moves;   /* Addresses that came by another port or peer. */
    uint64_t refused; /* Not learnt, for want of room. */
    struct mac_entry *entries; /* In 'mem', aligned to a line. */
    void *mem;
    uint32_t swept;   /* Control: where mac_sweep goes on. */
};

/* 'buckets' is a power of two.  NULL: no memory. */
struct mac_table *mac_create(uint32_t buckets, uint64_t seed);
void mac_destroy(struct mac_table *); /* Accepts NULL. */
/* Takes aged entries out of some buckets. */
void mac_sweep(struct mac_table *, uint32_t tick, uint32_t buckets);
/* A table of twice the buckets with the same contents, for one that is an
 * eighth full, so that hardly ever five addresses meet in a bucket; NULL: this
 * one does.  What workers learn meanwhile
 * is learnt again. */
struct mac_table *mac_grown(const struct mac_table *);
void mac_flush(struct mac_table *);
/* Forgets what points to 'port'. */
void mac_flush_port(struct mac_table *, uint32_t port);
/* Forgets what is behind that peer of 'port'. */
void mac_flush_peer(struct mac_table *, uint32_t port, uint16_t peer);
/* As dp_mac_dump. */
bool mac_dump(const struct mac_table *, uint32_t tick, size_t *at, size_t n,
              dp_mac_cb *, void *arg);

/* Where an address is. */
struct mac_place {
    uint32_t port; /* 0: unknown. */
    uint16_t peer; /* 0: none. */
};

/* Thread: worker.  'vlan' is 0 for untagged frames. */
void mac_learn(struct mac_table *, const uint8_t mac[6], uint16_t vlan,
               struct mac_place, uint32_t tick);
struct mac_place mac_lookup(const struct mac_table *, const uint8_t mac[6],
                            uint16_t vlan, uint32_t tick);

/* Stores a new key in a free, an aged or the oldest entry of its bucket;
 * not if another thread does so just now.  Thread: worker, or control on a
 * table of its own. */
void mac_insert(struct mac_table *, uint64_t key, uint64_t val);

#define MAC_WAYS 4
#define MAC_LOCAL 0xffffu
static_assert(DP_PORT_MAX < MAC_LOCAL, "port numbers take 16 bits");

static inline uint64_t
mac_val(struct mac_place at, uint32_t tick)
{
    uint64_t no = at.port == DP_PORT_LOCAL ? MAC_LOCAL : at.port;

    return no << 48 | (uint64_t) at.peer << 32 | tick;
}

static inline struct mac_place
mac_val_place(uint64_t val)
{
    uint32_t no = (uint32_t) (val >> 48);

    return (struct mac_place) { .port = no == MAC_LOCAL ? DP_PORT_LOCAL : no,
                                .peer = (uint16_t) (val >> 32) };
}

#endif
