/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow groups as control and workers share them.
 *
 * What:    a bridge's groups by id, their buckets as programs, how a packet
 *          finds its bucket.
 * Model:   a GROUP op names a group by its id and finds it when it runs, so
 *          a change of a group touches no rule, program or cache:
 *
 *            br->groups -> group_table: {id, dp_group} ...  open addressing
 *            dp_group   -> group_act: type, buckets         replaced whole
 *            bucket     -> ops in the action set's order, counters
 *
 *          A bucket's program ends like any other with an op that takes the
 *          packet: an output, DROP, or GROUP of the next group.
 *
 *          SELECT: a keyed hash of the packet's own fields (not of the cache
 *          entry it hit) names a slot, and the slot its bucket
 *          (group_slots.h).  The key is the group's own: groups one behind
 *          the other choose independently.  A dead bucket's packets look into
 *          a second table, of the live ones only; all others stay where they
 *          were, and come back alike.  When buckets change, those that are in
 *          both forms, told by what they do and by their ids, keep their
 *          slots.
 *
 *          Liveness of a port is read from the port when a packet comes, so
 *          a bucket is left with the first packet after the link's state
 *          changed; the second table and 'live' of groups that others watch
 *          follow when control has heard of it (dp_groups_relive).
 * Threads: control writes, workers read; counters by worker.
 * Owns:    groups own their acts; an act its ops and slots; counters
 *          pass from act to act (dp_group_config.keep_buckets).
 * Cost:    find: one multiplication, usually one cache line; choosing a
 *          bucket is O(1) but for FF: O(dead buckets in front).
 * Source:  OpenFlow 1.3.5 §5.6, §5.10. */
#ifndef DP_GROUP_H
#define DP_GROUP_H

#include "datapath/dp_priv.h"
#include "datapath/group_slots.h"

#define GROUP_BUDGET 8192 /* Buckets that one op runs; more is LOOP. */
#define GROUP_REDRAW 4    /* Second draws, before control has caught up. */
#define GROUP_NO_BUCKET UINT32_MAX

struct group_bucket {
    const uint64_t *ops; /* In the act. */
    uint32_t n_words;
    uint32_t watch_port, watch_group;
    uint32_t id;
    uint16_t weight;
    bool one_op;         /* One op that is no GROUP: needs no copy to run. */
    struct rule_counter *count; /* One per worker. */
};

struct group_act {
    enum dp_group_type type;
    uint32_t n_buckets;
    bool watches;        /* Some bucket watches something. */
    uint64_t seed;
    uint32_t map;        /* Words of the key that are hashed ... */
    uint64_t mask[FLOW_KEY_WORDS];  /* ... and their bits. */
    struct group_slots *slots; /* SELECT: of all buckets. */
    struct group_slots *live;  /* Of the live ones; NULL: all live. */
    struct group_bucket b[];
};

struct dp_group {
    uint32_t id;
    uint32_t live;         /* Has a live bucket. */
    struct group_act *act; /* Published. */
    struct rule_counter *total; /* One per worker. */
    /* Control only. */
    struct dp_bridge *br;
    struct base_list watcher; /* In br->watchers if the act watches. */
    uint32_t relive_round;    /* dp_groups_relive: looked at in this one. */
    bool relive_busy;
};

struct group_entry {
    uint32_t id; /* DP_GROUP_NONE: free, ends a search. */
    struct dp_group *g; /* NULL: gone. */
};

struct group_table {
    uint64_t mult; /* Odd, secret. */
    unsigned shift;
    uint32_t mask; /* Size - 1. */
    uint32_t n_used; /* Entries that are not free. */
    struct group_entry e[];
};

/* Thread: any. */
static inline struct dp_group *
dp_group_find(const struct dp_bridge *br, uint32_t id)
{
    const struct group_table *t = dp_load(&br->groups);

    if (!t)
        return NULL;
    for (uint32_t i = (uint32_t) (id * t->mult >> t->shift);; i++) {
        const struct group_entry *e = &t->e[i & t->mask];
        uint32_t got = dp_load(&e->id);

        if (got == id)
            return dp_load(&e->g);
        if (got == DP_GROUP_NONE) /* At least half of them are. */
            return NULL;
    }
}

/* group_fast.c.  Thread: any. */

/* Is the bucket a candidate (OpenFlow 1.3.5 §6.7)? */
bool group_bucket_live(const struct dp_bridge *, const struct group_bucket *);
/* The bucket that a packet with this (whole) key takes: of SELECT, FF and
 * INDIRECT.  GROUP_NO_BUCKET: none. */
uint32_t group_choose(const struct dp_bridge *, const struct group_act *,
                      const struct flow_key *);

/* dp_group.c.  Thread: control. */

/* After a port or a group changed. */
void dp_groups_relive(struct dp_bridge *);
/* Of a bridge that goes; no worker knows it any more. */
void dp_groups_free(struct dp_bridge *);

#endif
