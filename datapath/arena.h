/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of the programs that come out of walks through several tables.
 *
 * What:    one arena per worker: room for programs, and the index by which a
 *          walk finds its own again.
 * Model:   an arena is filled from the front.  When it is full, the worker
 *          takes the empty one that control keeps ready ('next') and gives
 *          the full one away ('full'); every cache entry that points there
 *          is stale then.  Control brings home what its programs counted
 *          (tally.h), empties it and has it ready again.  Until control has
 *          done so, new paths get programs in 'scratch', for one iteration.
 *          A worker that fills its arena again and again walks more paths
 *          than there is room for: control's next ones are larger.
 * Threads: the worker's, but for arena_house and what it exchanges.
 * Owns:    arenas that were replaced stay mapped, without memory behind them,
 *          until arena_destroy: control's dumps may follow an old pointer. */
#ifndef DP_ARENA_H
#define DP_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARENA_MIN_WORDS (1u << 19) /* 4 MiB */
#define ARENA_MAX_WORDS (1u << 23) /* 64 MiB */
#define ARENA_SCRATCH_WORDS (1u << 17)
#define ARENA_GROWTH 4
#define ARENA_WORDS_PER_SLOT 32    /* Of the index. */

struct arena {
    struct arena *older; /* Control: all of a worker, newest first. */
    size_t bytes;        /* Of the mapping. */
    uint32_t n_words;
    uint32_t n;          /* Words in use, published; word 0 is not. */
    uint32_t index_mask; /* Slots - 1. */
    uint32_t *index;     /* By hash: offset of the newest; 0: none. */
    uint64_t *words;     /* On a cache line. */
};

/* What a worker holds. */
struct arena_ref {
    struct arena *now;      /* Published. */
    struct arena *scratch;
    struct arena *next;     /* From control; NULL: not ready. */
    struct arena *full;     /* To control; NULL: taken. */
    uint32_t n_resets;      /* Read by control. */
    /* Control. */
    uint32_t resets_seen;
    uint32_t pressure;      /* Resets of late. */
    uint32_t n_words;       /* Of the next ones. */
    struct arena *newest;   /* The list of all. */
};

/* Full enough for another one before the next iteration. */
static inline bool
arena_is_full(const struct arena_ref *r)
{
    return r->now->n > r->now->n_words / 4 * 3;
}

/* 0 or -ENOMEM. */
int arena_create(struct arena_ref *);
void arena_destroy(struct arena_ref *);
/* The arena, replaced ones included, that holds these bytes; NULL: none.
 * Thread: control. */
const struct arena *arena_of(const struct arena_ref *, const void *,
                             size_t bytes);
/* Takes back a full one, whose counts have been brought home.  Thread:
 * control. */
void arena_recycle(struct arena_ref *);
/* Every 100 ms: larger ones where that is wanted. */
void arena_house(struct arena_ref *);

#endif
