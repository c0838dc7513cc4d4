/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "datapath/cache_priv.h"

#define HUGE_PAGE (UINT64_C(2) << 20)

/* Zeroed memory that is taken page by page as it is touched; in huge pages
 * where that is allowed, since a large cache is walked at random. */
static void *
pages_get(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return NULL;
    if (size >= HUGE_PAGE)
        (void) !madvise(p, size, MADV_HUGEPAGE);
    return p;
}

static void
pages_put(void *p, size_t size)
{
    if (p)
        munmap(p, size);
}

static bool
filter_init(struct fc_filter *f, uint64_t n_bits)
{
    f->mask = (uint32_t) (n_bits / 64 - 1);
    f->words = pages_get(n_bits / 8);
    return f->words != NULL;
}

static void
filter_fini(struct fc_filter *f)
{
    pages_put(f->words, ((size_t) f->mask + 1) * 8);
}

static uint32_t
power_of_two(uint32_t n)
{
    uint32_t p = FC_MIN_CAPACITY;

    while (p < n && p < UINT32_C(1) << 30)
        p *= 2;
    return p;
}

static void
mask_init(struct fc *c, const struct flow_key *mask)
{
    c->mask = *mask;
    for (unsigned i = FLOW_KEY_PACKET_WORDS; i < FLOW_KEY_WORDS; i++)
        flow_key_set_word(&c->mask, i, 0);
    for (unsigned i = 0; i < FLOW_KEY_PACKET_WORDS; i++) {
        uint64_t w = flow_key_word(mask, i);

        if (w) {
            c->idx[c->n_words] = (uint8_t) i;
            c->bits[c->n_words++] = w;
        }
    }
}

struct fc *
fc_create(const struct flow_key *mask, uint32_t capacity, uint64_t seed)
{
    struct fc *c = calloc(1, sizeof *c);
    uint64_t door_bits;

    if (!c)
        return NULL;
    mask_init(c, mask);
    hash_key_init(&c->key, seed);
    c->burst = 1; /* Untouched entries say 0. */
    c->capacity = power_of_two(capacity);
    c->entry_size = (uint32_t) (sizeof(struct fc_entry) + 8 * c->n_words + 63)
                    / 64 * 64;
    c->entry_bytes = (size_t) c->capacity * c->entry_size;
    /* 1.25 slots per entry; 2 in small ones, where chance is unkind. */
    c->n_buckets = c->capacity > 1024 ? c->capacity / 64 * 10
                                      : c->capacity / 4;
    c->bucket_bytes = (size_t) c->n_buckets * sizeof c->buckets[0];
    door_bits = WEFT_MAX((uint64_t) c->capacity * 8, FC_DOOR_MIN_BITS);

    c->buckets = pages_get(c->bucket_bytes);
    c->entries = pages_get(c->entry_bytes);
    if (!c->buckets || !c->entries || !filter_init(&c->door, door_bits)
        || !filter_init(&c->sample, FC_SAMPLE_BITS)) {
        fc_destroy(c);
        return NULL;
    }
    c->memory = sizeof *c + c->bucket_bytes + c->entry_bytes + door_bits / 8
                + FC_SAMPLE_BITS / 8;
    return c;
}

void
fc_destroy(struct fc *c)
{
    if (!c)
        return;
    pages_put(c->buckets, c->bucket_bytes);
    pages_put(c->entries, c->entry_bytes);
    filter_fini(&c->door);
    filter_fini(&c->sample);
    free(c);
}

bool
fc_wants_growth(const struct fc *c)
{
    return atomic_load_explicit(&c->wants_growth, memory_order_relaxed);
}

void
fc_set_log(struct fc *c, const struct chlog *log)
{
    atomic_store_explicit(&c->log, log, memory_order_release);
}

const struct chlog *
fc_log(const struct fc *c)
{
    return atomic_load_explicit(&c->log, memory_order_acquire);
}

void
fc_get_mask(const struct fc *c, struct flow_key *mask)
{
    *mask = c->mask;
}

void
fc_get_stats(const struct fc *c, struct dp_cache_stats *s)
{
    *s = (struct dp_cache_stats) {
        .hits = atomic_load_explicit(&c->hits, memory_order_relaxed),
        .misses = atomic_load_explicit(&c->misses, memory_order_relaxed),
        .inserts = atomic_load_explicit(&c->inserts, memory_order_relaxed),
        .evictions = atomic_load_explicit(&c->evictions,
                                          memory_order_relaxed),
        .entries = atomic_load_explicit(&c->n_live, memory_order_relaxed),
        .capacity = c->capacity,
        .memory = c->memory,
    };
}

/* Entries are handed out in order and reused in place, so the number of
 * live ones bounds where they are; a page never used stays untouched. */
bool
fc_dump(const struct fc *c, uint32_t *at, uint32_t *seen, unsigned n,
        fc_dump_cb *cb, void *arg)
{
    uint32_t live = atomic_load_explicit(&c->n_live, memory_order_relaxed);

    for (; *at < c->capacity && *seen < live; ++*at) {
        const struct fc_entry *e = fc_entry_at(c, *at);
        struct flow_key key;

        if (!n--)
            return true;
        if (!atomic_load_explicit(&e->live, memory_order_acquire))
            continue;
        ++*seen;
        memset(&key, 0, sizeof key);
        for (unsigned w = 0; w < c->n_words; w++)
            flow_key_set_word(&key, c->idx[w],
                              __atomic_load_n(&e->words[w],
                                              __ATOMIC_RELAXED));
        cb(arg, &key, fc_entry_prog(e), fc_entry_stamp(e),
           atomic_load_explicit(&e->packets, memory_order_relaxed));
    }
    return false;
}
