/* SPDX-License-Identifier: Apache-2.0 */
#include "hmap.h"

#include <string.h>

#include "mem.h"

void
base_hmap_init(struct base_hmap *m)
{
    m->buckets = base_xcalloc(4, sizeof *m->buckets);
    m->mask = 3;
    m->n = 0;
}

void
base_hmap_fini(struct base_hmap *m)
{
    free(m->buckets);
    m->buckets = NULL;
}

static void
grow(struct base_hmap *m)
{
    size_t size = (m->mask + 1) * 2;
    struct base_hnode **b = base_xcalloc(size, sizeof *b);

    for (size_t i = 0; i <= m->mask; i++)
        for (struct base_hnode *n = m->buckets[i], *next; n; n = next) {
            next = n->next;
            n->next = b[n->hash & (size - 1)];
            b[n->hash & (size - 1)] = n;
        }
    free(m->buckets);
    m->buckets = b;
    m->mask = size - 1;
}

void
base_hmap_add(struct base_hmap *m, struct base_hnode *n, uint32_t hash)
{
    if (m->n > m->mask)
        grow(m);
    n->hash = hash;
    n->next = m->buckets[hash & m->mask];
    m->buckets[hash & m->mask] = n;
    m->n++;
}

void
base_hmap_del(struct base_hmap *m, struct base_hnode *n)
{
    struct base_hnode **p = &m->buckets[n->hash & m->mask];

    while (*p != n)
        p = &(*p)->next;
    *p = n->next;
    m->n--;
}

struct base_hnode *
base_hmap_iter(const struct base_hmap *m, size_t bucket)
{
    for (; bucket <= m->mask; bucket++)
        if (m->buckets[bucket])
            return m->buckets[bucket];
    return NULL;
}

uint32_t
base_hash_bytes(const void *p, size_t n, uint32_t seed)
{
    const uint8_t *b = p;
    uint64_t h = base_hash_mix(seed, n), w;

    for (; n >= 8; n -= 8, b += 8) {
        memcpy(&w, b, 8);
        h = base_hash_mix(h, w);
    }
    if (n) {
        w = 0;
        memcpy(&w, b, n);
        h = base_hash_mix(h, w);
    }
    return base_hash_finish(h);
}
