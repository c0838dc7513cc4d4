/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/arena.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "datapath/dp_priv.h"

/* More than one reset in RESET_LOOKS looks, for a while: more room pays. */
#define RESET_LOOKS 4u
#define PRESSURE_MAX (2 * RESET_LOOKS)

static struct arena *
arena_map(uint32_t n_words)
{
    size_t slots = n_words / ARENA_WORDS_PER_SLOT;
    size_t head = (sizeof(struct arena) + 63) & ~(size_t) 63;
    size_t bytes = head + slots * sizeof(uint32_t) + 8ul * n_words;
    uint8_t *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct arena *a = (void *) p;

    if (p == MAP_FAILED)
        return NULL;
    *a = (struct arena) {
        .bytes = bytes,
        .n_words = n_words,
        .index_mask = (uint32_t) slots - 1,
        .index = (void *) (p + head),
        .words = (void *) (p + head + slots * sizeof(uint32_t)),
    };
    return a;
}

int
arena_create(struct arena_ref *r)
{
    *r = (struct arena_ref) { .now = arena_map(ARENA_MIN_WORDS), .n = 1 };
    r->newest = r->now;
    return r->now ? 0 : -ENOMEM;
}

void
arena_destroy(struct arena_ref *r)
{
    struct arena *a, *older;

    for (a = r->newest; a; a = older) {
        older = a->older;
        munmap(a, a->bytes);
    }
    *r = (struct arena_ref) { 0 };
}

const struct arena *
arena_of(const struct arena_ref *r, const void *p, size_t bytes)
{
    for (const struct arena *a = r->newest; a; a = a->older) {
        uintptr_t at = (uintptr_t) p, begin = (uintptr_t) a->words,
                  end = begin + 8ul * a->n_words;

        if (at >= begin && at < end && bytes <= end - at && at % 8 == 0)
            return a;
    }
    return NULL;
}

/* The pages of arenas that no worker fills any more. */
static void
arena_shed(struct arena *a)
{
    size_t head = (size_t) getpagesize();

    if (a->index_mask) {
        a->index_mask = 0; /* Shed. */
        madvise((uint8_t *) a + head, a->bytes - head, MADV_DONTNEED);
    }
}

void
arena_house(struct arena_ref *r)
{
    uint32_t resets = dp_read(r->n_resets), since = resets - r->resets_seen;
    struct arena *bigger;

    r->resets_seen = resets;
    r->pressure -= r->pressure > 0;
    r->pressure += WEFT_MIN(since, PRESSURE_MAX) * RESET_LOOKS;
    if (dp_load(&r->next))
        return; /* The worker has not come to it yet. */
    if (r->newest->older)
        arena_shed(r->newest->older);
    if (r->pressure < PRESSURE_MAX || r->newest->n_words >= ARENA_MAX_WORDS)
        return;
    bigger = arena_map(r->newest->n_words * ARENA_GROWTH);
    if (!bigger)
        return; /* It goes on with what it has. */
    bigger->older = r->newest;
    r->newest = bigger;
    r->pressure = 0;
    dp_publish(&r->next, bigger);
}
