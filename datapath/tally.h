/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of paths, brought home to their rules and tables.
 *
 * What:    a packet that walked through forty tables has forty rules to
 *          credit.  It counts once, in its path's program (struct walk_prog);
 *          control adds that up to the rules and tables later.
 * Model:   control goes through the programs of every worker's arena and adds
 *          what they have counted since it was there last: every 100 ms,
 *          before an arena is emptied, before statistics are told, and before
 *          the memory of deleted rules is freed (rcu.h's gate).  While there
 *          are few programs, what is told is exact; going through many is not
 *          repeated until four times the time it took has gone by.
 * Threads: control; tally_arena also by a worker, of its scratch programs.
 * Owns:    rules' and tables' counters beside those of the workers.
 * Cost:    a cache line per program, and one per credit of those that
 *          counted. */
#ifndef DP_TALLY_H
#define DP_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "weft/dp.h"

struct arena;
struct dp;

struct tally {
    uint64_t walked[DP_MAX_WORKERS]; /* Of each worker, when it was gone through. */
    uint64_t ended_ns, cost_ns;
};

/* Brings everything home. */
void tally_now(struct dp *);
/* The same, unless nothing was counted or it was done just now. */
void tally_fresh(struct dp *);
/* Is everything that had been counted before the call home? */
bool tally_is_home(struct dp *);

/* tally_fast.c: what the arena's programs counted, to the counters of 'slot'
 * (a worker, or control's, which is behind the workers'). */
void tally_arena(struct dp *, const struct arena *, unsigned slot);

#endif
