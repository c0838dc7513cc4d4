/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of the programs that come out of walks through several tables.
 *
 * What:    one arena per worker: room for programs, and the index by which a
 *          walk finds its own again.
 * Model:   filled from the front and emptied as a whole, between iterations;
 *          then every cache entry that points there is stale.  A worker that
 *          empties its arena again and again walks more paths than there is
 *          room for: control hands it a larger one, which it takes when it
 *          empties the next time.
 * Threads: the worker's, but for arena_house (control).
 * Owns:    arenas that were replaced stay mapped, without memory behind them,
 *          until arena_destroy: control's dumps may follow an old pointer. */
#ifndef DP_ARENA_H
#define DP_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARENA_MIN_WORDS (1u << 19) /* 4 MiB */
#define ARENA_MAX_WORDS (1u << 23) /* 64 MiB */
#define ARENA_GROWTH 4
#define ARENA_WORDS_PER_SLOT 32    /* Of the index. */

struct arena {
    struct arena *older; /* Control: replaced ones. */
    size_t bytes;        /* Of the mapping. */
    uint32_t n_words;
    uint32_t index_mask; /* Slots - 1. */
    uint32_t *index;     /* By hash: offset of the newest; 0: none. */
    uint64_t *words;
};

/* What a worker holds. */
struct arena_ref {
    struct arena *now;
    uint32_t n;             /* Words in use; word 0 is not. */
    uint32_t n_resets;      /* Read by control. */
    struct arena *next;     /* From control; NULL: none. */
    /* Control. */
    uint32_t resets_seen;
    uint32_t pressure;      /* Resets of late. */
    struct arena *newest;   /* The list of all. */
};

/* Full enough to be emptied before the next iteration. */
static inline bool
arena_is_full(const struct arena_ref *r)
{
    return r->n > r->now->n_words / 4 * 3;
}

/* 0 or -ENOMEM. */
int arena_create(struct arena_ref *);
void arena_destroy(struct arena_ref *);
/* The arena, replaced ones included, that holds these bytes; NULL: none.
 * Thread: control. */
const struct arena *arena_of(const struct arena_ref *, const void *,
                             size_t bytes);
/* Every 100 ms: a larger one where it is wanted. */
void arena_house(struct arena_ref *);

#endif
