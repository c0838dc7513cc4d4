/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for many objects of one size.
 * Model:   chunks of 2 MiB, mapped at a multiple of their size, so that an
 *          object's chunk follows from its address: no header per object.
 *          Objects are handed out from the chunk that has free ones; a chunk
 *          without objects goes back to the system, but for one.  Pages are
 *          touched as they are needed; from the second chunk on the kernel is
 *          asked for huge pages.  Under a sanitizer every object is a malloc
 *          of its own.
 * Threads: as the caller arranges.
 * Owns:    the chunks.
 * Errors:  NULL: no memory.
 * Cost:    the size rounded up to 16; get and put: a few instructions. */
#ifndef WEFT_BASE_SLAB_H
#define WEFT_BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

#include "utils/base/list.h"

#define BASE_SLAB_CHUNK ((size_t) 2 << 20)
#define BASE_SLAB_MAX 4096 /* Bytes of an object. */

struct base_slab {
    size_t size;            /* Of an object, rounded. */
    struct base_list avail; /* Chunks with free objects. */
    struct base_list full;
    size_t n_chunks;
    size_t n_used;          /* Objects. */
};

/* 'size': 1 to BASE_SLAB_MAX. */
void base_slab_init(struct base_slab *, size_t size);
/* Frees every chunk, whatever is still in it. */
void base_slab_fini(struct base_slab *);
/* Frees up to 'n' chunks with all that is in them.  True: there are more.
 * Nothing but this and fini may follow. */
bool base_slab_drain(struct base_slab *, size_t n);

/* Not zeroed, aligned to 16. */
void *base_slab_get(struct base_slab *);
/* Knows the slab by the address; accepts NULL. */
void base_slab_put(void *);
/* Bytes taken from the system. */
size_t base_slab_bytes(const struct base_slab *);

#endif
