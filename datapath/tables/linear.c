/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/tables/table_priv.h"

#include <string.h>

#include "utils/base/mem.h"

struct collect {
    struct tbl_rule *rules[TBL_LINEAR_MAX];
    uint32_t n;
};

static void
collect_rule(void *arg, struct tbl_rule *r)
{
    struct collect *c = arg;
    uint32_t i = c->n;

    for (; i > 0 && c->rules[i - 1]->priority < r->priority; i--)
        c->rules[i] = c->rules[i - 1];
    c->rules[i] = r;
    c->n++;
}

struct tbl_form *
tbl_linear_build(const struct tbl *t)
{
    struct collect c = { .n = 0 };
    const struct base_hnode *node;
    uint8_t pos[FLOW_KEY_WORDS], idx[FLOW_KEY_WORDS] = { 0 };
    uint32_t map = 0, n_words = 0;

    BASE_HMAP_FOR (node, &t->masks) {
        const struct tbl_mask *m =
            WEFT_CONTAINER_OF(node, struct tbl_mask, node);

        if (m->n_heads) {
            tbl_ht_each(m, collect_rule, &c);
            map |= m->map;
        }
    }
    for (; map; map &= map - 1) {
        idx[n_words] = (uint8_t) __builtin_ctz(map);
        pos[idx[n_words]] = (uint8_t) n_words;
        n_words++;
    }
    n_words = (n_words + 3) / 4 * 4;

    size_t size = sizeof(struct tbl_linear)
                  + (size_t) c.n * n_words * 2 * sizeof(uint64_t);
    struct tbl_linear *l = base_xcalloc(1, size);

    l->form.kind = TBL_LINEAR;
    l->form.size = size;
    l->n_rules = c.n;
    l->n_words = n_words;
    memcpy(l->idx, idx, sizeof idx);
    memcpy(l->rules, c.rules, c.n * sizeof c.rules[0]);
    for (uint32_t i = 0; i < c.n; i++) {
        const struct tbl_mask *m = c.rules[i]->mask;
        uint64_t *mv = &l->mv[(size_t) i * n_words * 2];

        for (unsigned w = 0; w < m->n; w++) {
            mv[pos[m->idx[w]]] = m->bits[w];
            mv[n_words + pos[m->idx[w]]] = c.rules[i]->values[w];
        }
    }
    return &l->form;
}

uint32_t
tbl_linear_probes(const struct tbl_form *f)
{
    const struct tbl_linear *l = (const struct tbl_linear *) f;

    return (l->n_rules * l->n_words * 16 + 63) / 64;
}
