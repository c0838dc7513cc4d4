/* SPDX-License-Identifier: Apache-2.0 */
/* Intrusive doubly linked list.
 * Model:   circular with a head node; an empty head points to itself.
 * Threads: as the caller arranges.  Owns: nothing.  Cost: O(1). */
#ifndef WEFT_BASE_LIST_H
#define WEFT_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "weft/compiler.h"

struct base_list {
    struct base_list *prev, *next;
};

static inline void
base_list_init(struct base_list *l)
{
    l->prev = l->next = l;
}

static inline bool
base_list_empty(const struct base_list *l)
{
    return l->next == l;
}

static inline void
base_list_add_before(struct base_list *at, struct base_list *n)
{
    n->prev = at->prev;
    n->next = at;
    at->prev->next = n;
    at->prev = n;
}

/* Appends to the list whose head is 'head'. */
static inline void
base_list_add_tail(struct base_list *head, struct base_list *n)
{
    base_list_add_before(head, n);
}

static inline void
base_list_add_head(struct base_list *head, struct base_list *n)
{
    base_list_add_before(head->next, n);
}

/* Unlinks 'n' and makes it an empty list of its own. */
static inline void
base_list_del(struct base_list *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    base_list_init(n);
}

/* Node of 'it' by arithmetic: at the end of a loop 'it' is no object, only the
 * head seen as if it were inside one. */
#define BASE_LIST_NODE(it, member)                                            \
    ((struct base_list *) (void *) ((char *) (it)                             \
                                    + offsetof(__typeof__(*(it)), member)))

#define BASE_LIST_FOR(it, head, member)                                       \
    for (it = WEFT_CONTAINER_OF((head)->next, __typeof__(*it), member);       \
         BASE_LIST_NODE(it, member) != (head);                                \
         it = WEFT_CONTAINER_OF(BASE_LIST_NODE(it, member)->next,             \
                                __typeof__(*it), member))

/* The body may unlink or free 'it'. */
#define BASE_LIST_FOR_SAFE(it, tmp, head, member)                             \
    for (it = WEFT_CONTAINER_OF((head)->next, __typeof__(*it), member),       \
        tmp = WEFT_CONTAINER_OF(BASE_LIST_NODE(it, member)->next,             \
                                __typeof__(*it), member);                     \
         BASE_LIST_NODE(it, member) != (head); it = tmp,                      \
        tmp = WEFT_CONTAINER_OF(BASE_LIST_NODE(tmp, member)->next,            \
                                __typeof__(*tmp), member))

#endif
