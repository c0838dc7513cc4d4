/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/tables/table_priv.h"

#include <stdlib.h>

#include "utils/base/mem.h"

static int32_t
max_prio(const struct tbl_mask *m)
{
    return atomic_load_explicit(&m->max_prio, memory_order_relaxed);
}

static int
by_priority(const void *a, const void *b)
{
    int32_t pa = max_prio(*(const struct tbl_mask *const *) a);
    int32_t pb = max_prio(*(const struct tbl_mask *const *) b);

    return (pa < pb) - (pa > pb);
}

struct tbl_form *
tbl_hash_build(const struct tbl *t)
{
    size_t size = sizeof(struct tbl_hash)
                  + t->n_active * sizeof(const struct tbl_mask *);
    struct tbl_hash *h = base_xcalloc(1, size);
    const struct base_hnode *node;

    h->form.kind = TBL_HASH;
    h->form.size = size;
    BASE_HMAP_FOR (node, &t->masks) {
        const struct tbl_mask *m =
            WEFT_CONTAINER_OF(node, struct tbl_mask, node);

        if (m->n_heads)
            h->masks[h->n_masks++] = m;
    }
    qsort(h->masks, h->n_masks, sizeof h->masks[0], by_priority);
    return &h->form;
}

bool
tbl_hash_in_order(const struct tbl_form *f)
{
    const struct tbl_hash *h = (const struct tbl_hash *) f;

    for (uint32_t i = 1; i < h->n_masks; i++)
        if (max_prio(h->masks[i - 1]) < max_prio(h->masks[i]))
            return false;
    return true;
}
