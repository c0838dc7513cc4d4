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

/* One more in the list; its pages are taken as they are touched. */
static struct arena *
arena_map(struct arena_ref *r, uint32_t n_words)
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
        .older = r->newest,
        .bytes = bytes,
        .n_words = n_words,
        .n = 1,
        .index_mask = (uint32_t) slots - 1,
        .index = (void *) (p + head),
        .words = (void *) (p + head + slots * sizeof(uint32_t)),
    };
    r->newest = a;
    return a;
}

int
arena_create(struct arena_ref *r)
{
    *r = (struct arena_ref) { .n_words = ARENA_MIN_WORDS };
    r->now = arena_map(r, r->n_words);
    r->next = arena_map(r, r->n_words);
    r->scratch = arena_map(r, ARENA_SCRATCH_WORDS);
    return r->now && r->next && r->scratch ? 0 : -ENOMEM;
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

/* Gives the pages of an arena back that is not filled again. */
static void
arena_shed(struct arena *a)
{
    size_t head = (size_t) getpagesize();

    madvise((uint8_t *) a + head, a->bytes - head, MADV_DONTNEED);
}

void
arena_recycle(struct arena_ref *r)
{
    struct arena *a = dp_load(&r->full), *bigger = NULL;

    if (!a || dp_load(&r->next))
        return;
    if (a->n_words < r->n_words)
        bigger = arena_map(r, r->n_words);
    if (bigger) {
        arena_shed(a);
        a = bigger;
    } else { /* Or no memory: it goes on with what it has. */
        memset(a->index, 0, (a->index_mask + 1ul) * sizeof a->index[0]);
        a->n = 1;
    }
    dp_publish(&r->full, NULL);
    dp_publish(&r->next, a);
}

void
arena_house(struct arena_ref *r)
{
    uint32_t resets = dp_read(r->n_resets), since = resets - r->resets_seen;

    r->resets_seen = resets;
    r->pressure -= r->pressure > 0;
    r->pressure += WEFT_MIN(since, PRESSURE_MAX) * RESET_LOOKS;
    if (r->pressure < PRESSURE_MAX || r->n_words >= ARENA_MAX_WORDS)
        return;
    r->n_words *= ARENA_GROWTH;
    r->pressure = 0;
}
