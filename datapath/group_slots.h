/* SPDX-License-Identifier: Apache-2.0 */
/* Which bucket of a select group a hash belongs to.
 *
 * What:    struct group_slots: a power of two of slots, each owned by one
 *          bucket, and how it is made from the one before.
 * Model:   a hash's highest bits name a slot, so that choosing costs one load
 *          whatever the weights are.  A bucket owns as many slots as its
 *          share of the weights asks for; there are at least
 *          GROUP_SLOTS_EACH of them for the lightest bucket as long as
 *          GROUP_SLOTS_MAX allows it.
 *
 *          Slots are given anew as little as possible: what a bucket has it
 *          keeps, but for what others lack.  Of a bucket that goes all
 *          slots, and no others, find new owners; one that comes takes of
 *          everybody's.  To pay for that a share may be off by about one
 *          slot.  A table grows by doubling (every slot becomes two with the
 *          same owner) and never shrinks.
 *
 *          A table for the live buckets lets these keep what they own in the
 *          table of all, so that a bucket's flows leave it when it dies and
 *          come back when it lives, and nobody else's move.
 * Threads: control builds, workers read.
 * Owns:    one piece of memory, free() is its end.
 * Errors:  NULL: no memory.
 * Cost:    linear in slots, and in buckets times their logarithm. */
#ifndef DP_GROUP_SLOTS_H
#define DP_GROUP_SLOTS_H

#include <stdint.h>

#define GROUP_SLOTS_MIN 256u
#define GROUP_SLOTS_MAX 65536u
#define GROUP_SLOTS_EACH 64u
#define GROUP_SLOTS_BUCKETS 65535u /* At most. */
#define GROUP_SLOT_FREE 0xffffu    /* There is no bucket that has a weight. */

struct group_slots {
    uint32_t n;
    unsigned shift;  /* 64 - log2(n) */
    uint16_t of[];   /* Index of the owner. */
};

static inline uint32_t
group_slots_find(const struct group_slots *t, uint64_t hash)
{
    return t->of[hash >> t->shift];
}

/* For 'n' buckets; one of weight 0 gets nothing.  'was' (may be NULL) is the
 * table so far: its owner b is to[b] now, GROUP_SLOT_FREE: gone. */
struct group_slots *group_slots_new(const uint16_t *weight, uint32_t n,
                                    const struct group_slots *was,
                                    const uint16_t *to);
/* The same among those that live: others have weight 0 here and slots in
 * 'all'.  'to' NULL: the owners of 'was' are who they were. */
struct group_slots *group_slots_live(const struct group_slots *all,
                                     const uint16_t *weight, uint32_t n,
                                     const struct group_slots *was,
                                     const uint16_t *to);

#endif
