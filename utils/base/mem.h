/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation of small control objects.
 * What:    malloc and friends that abort when memory is out.
 * Model:   for small objects of the control plane only; sized tables and
 *          packet memory use calloc and return -ENOMEM.
 * Threads: any.  Owns: the caller frees with free(). */
#ifndef WEFT_BASE_MEM_H
#define WEFT_BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>

#include "weft/compiler.h"

void *base_xmalloc(size_t size);
void *base_xcalloc(size_t n, size_t size);
void *base_xrealloc(void *p, size_t size);
char *base_xstrdup(const char *s);
void *base_xmemdup(const void *p, size_t size);
char *base_xasprintf(const char *fmt, ...) WEFT_PRINTF(1, 2);

/* Zeroed object of the type *p points to. */
#define BASE_NEW(p) ((p) = base_xcalloc(1, sizeof *(p)))

#endif
