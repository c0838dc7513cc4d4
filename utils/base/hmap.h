/* SPDX-License-Identifier: Apache-2.0 */
/* Intrusive chained hash map for the control plane.
 * Model:   power-of-two buckets of singly linked nodes, grown at load 1;
 *          the caller supplies a good hash and compares keys itself.
 * Threads: as the caller arranges.  Owns: the bucket array only.
 * Cost:    O(1) expected. */
#ifndef WEFT_BASE_HMAP_H
#define WEFT_BASE_HMAP_H

#include <stddef.h>
#include <stdint.h>

#include "weft/compiler.h"

struct base_hnode {
    struct base_hnode *next;
    uint32_t hash;
};

struct base_hmap {
    struct base_hnode **buckets;
    size_t mask; /* Number of buckets - 1. */
    size_t n;
};

void base_hmap_init(struct base_hmap *);
void base_hmap_fini(struct base_hmap *); /* Nodes are the caller's. */
void base_hmap_add(struct base_hmap *, struct base_hnode *, uint32_t hash);
void base_hmap_del(struct base_hmap *, struct base_hnode *);

/* First node with 'hash', and the next one after 'n'; NULL: none. */
static inline struct base_hnode *
base_hmap_first(const struct base_hmap *m, uint32_t hash)
{
    struct base_hnode *n = m->buckets[hash & m->mask];

    while (n && n->hash != hash)
        n = n->next;
    return n;
}

static inline struct base_hnode *
base_hmap_next_same(const struct base_hnode *n)
{
    uint32_t hash = n->hash;
    struct base_hnode *p = n->next;

    while (p && p->hash != hash)
        p = p->next;
    return p;
}

/* Iteration in bucket order.  The body may delete the current node only with
 * BASE_HMAP_FOR_SAFE. */
struct base_hnode *base_hmap_iter(const struct base_hmap *, size_t bucket);
static inline struct base_hnode *
base_hmap_iter_next(const struct base_hmap *m, const struct base_hnode *n)
{
    return n->next ? n->next : base_hmap_iter(m, (n->hash & m->mask) + 1);
}

#define BASE_HMAP_FOR(node, map)                                              \
    for (node = base_hmap_iter(map, 0); node;                                 \
         node = base_hmap_iter_next(map, node))
#define BASE_HMAP_FOR_SAFE(node, tmp, map)                                    \
    for (node = base_hmap_iter(map, 0);                                       \
         node && (tmp = base_hmap_iter_next(map, node), 1); node = tmp)

/* Hashes for control-plane maps. */
static inline uint64_t
base_hash_mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9fb21c651e98df25);
    return h ^ (h >> 32);
}
/* Spreads what the last mix left in the high bits over all 32 of the result:
 * maps look at the low ones. */
static inline uint32_t
base_hash_finish(uint64_t h)
{
    h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return (uint32_t) (h ^ h >> 33);
}
uint32_t base_hash_bytes(const void *p, size_t n, uint32_t seed);

#endif
