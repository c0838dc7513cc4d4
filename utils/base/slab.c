/* SPDX-License-Identifier: Apache-2.0 */
#include "utils/base/slab.h"

#include <stdlib.h>
#include <sys/mman.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define SLAB_MALLOC
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SLAB_MALLOC
#endif

void
base_slab_init(struct base_slab *s, size_t size)
{
    *s = (struct base_slab) { .size = (size + 15) / 16 * 16 };
    base_list_init(&s->avail);
    base_list_init(&s->full);
}

#ifdef SLAB_MALLOC

/* A chunk for each object, so that the sanitizer watches its bounds. */
struct chunk {
    struct base_list node;
    struct base_slab *slab;
};

void *
base_slab_get(struct base_slab *s)
{
    struct chunk *c = malloc(sizeof *c + 8 + s->size);

    if (!c)
        return NULL;
    c->slab = s;
    base_list_add_tail(&s->full, &c->node);
    s->n_used++;
    return (char *) (c + 1) + 8;
}

void
base_slab_put(void *p)
{
    struct chunk *c = p ? (struct chunk *) (void *) ((char *) p - 8) - 1
                        : NULL;

    if (!c)
        return;
    c->slab->n_used--;
    base_list_del(&c->node);
    free(c);
}

bool
base_slab_drain(struct base_slab *s, size_t n)
{
    struct chunk *c, *tmp;

    BASE_LIST_FOR_SAFE(c, tmp, &s->full, node) {
        if (!n--)
            return true;
        base_slab_put((char *) (c + 1) + 8);
    }
    return false;
}

size_t
base_slab_bytes(const struct base_slab *s)
{
    return s->n_used * s->size;
}

#else

struct chunk {
    struct base_list node;
    struct base_slab *slab;
    void *free;      /* Objects that came back, linked by their first word. */
    uint32_t n_used;
    uint32_t fresh;  /* Offset of what was never handed out. */
};

#define FIRST ((sizeof(struct chunk) + 63) / 64 * 64)

/* Chunks after the first are worth a huge page: fewer misses of the TLB. */
static struct chunk *
chunk_map(struct base_slab *s)
{
    char *p = mmap(NULL, 2 * BASE_SLAB_CHUNK, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uintptr_t at = (uintptr_t) p;
    size_t lead = (BASE_SLAB_CHUNK - at % BASE_SLAB_CHUNK) % BASE_SLAB_CHUNK;
    struct chunk *c = (struct chunk *) (void *) (p + lead);

    if (p == MAP_FAILED)
        return NULL;
    if (lead)
        munmap(p, lead);
    munmap(p + lead + BASE_SLAB_CHUNK, BASE_SLAB_CHUNK - lead);
    if (s->n_chunks)
        (void) madvise(c, BASE_SLAB_CHUNK, MADV_HUGEPAGE);
    c->slab = s;
    c->free = NULL;
    c->n_used = 0;
    c->fresh = FIRST;
    base_list_add_head(&s->avail, &c->node);
    s->n_chunks++;
    return c;
}

static void
chunk_unmap(struct chunk *c)
{
    c->slab->n_chunks--;
    base_list_del(&c->node);
    munmap(c, BASE_SLAB_CHUNK);
}

static bool
chunk_is_full(const struct chunk *c)
{
    return !c->free && c->fresh + c->slab->size > BASE_SLAB_CHUNK;
}

void *
base_slab_get(struct base_slab *s)
{
    struct chunk *c;
    void *p;

    if (!base_list_empty(&s->avail))
        c = WEFT_CONTAINER_OF(s->avail.next, struct chunk, node);
    else if (!(c = chunk_map(s)))
        return NULL;
    p = c->free;
    if (p) {
        c->free = *(void **) p;
    } else {
        p = (char *) c + c->fresh;
        c->fresh += (uint32_t) s->size;
    }
    c->n_used++;
    s->n_used++;
    if (chunk_is_full(c)) {
        base_list_del(&c->node);
        base_list_add_tail(&s->full, &c->node);
    }
    return p;
}

void
base_slab_put(void *p)
{
    struct chunk *c = (struct chunk *) (void *)
        ((char *) p - (uintptr_t) p % BASE_SLAB_CHUNK);
    struct base_slab *s;

    if (!p)
        return;
    s = c->slab;
    if (chunk_is_full(c)) {
        base_list_del(&c->node);
        base_list_add_tail(&s->avail, &c->node);
    }
    *(void **) p = c->free;
    c->free = p;
    c->n_used--;
    s->n_used--;
    /* Another one that can serve the next call stays. */
    if (!c->n_used && s->avail.next != s->avail.prev)
        chunk_unmap(c);
}

/* Frees the chunks of 'l'; lowers *n. */
static bool
drain(struct base_list *l, size_t *n)
{
    struct chunk *c, *tmp;

    BASE_LIST_FOR_SAFE(c, tmp, l, node) {
        if (!*n)
            return true;
        --*n;
        chunk_unmap(c);
    }
    return false;
}

bool
base_slab_drain(struct base_slab *s, size_t n)
{
    return drain(&s->avail, &n) || drain(&s->full, &n);
}

size_t
base_slab_bytes(const struct base_slab *s)
{
    return s->n_chunks * BASE_SLAB_CHUNK;
}

#endif

void
base_slab_fini(struct base_slab *s)
{
    (void) base_slab_drain(s, SIZE_MAX);
}
