/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/tables/table_priv.h"

void
tbl_lookup_burst(const struct tbl *t, const struct flow_key *const keys[],
                 unsigned n, struct tbl_rule *rules[])
{
    const struct tbl_form *f =
        atomic_load_explicit(&t->form, memory_order_acquire);

    switch (f->kind) {
    case TBL_LINEAR:
        tbl_linear_lookup((const struct tbl_linear *) f, keys, n, rules);
        break;
    case TBL_HASH:
        tbl_hash_lookup(t, (const struct tbl_hash *) f, keys, n, rules);
        break;
    case TBL_MERGED:
        tbl_merged_lookup(t, (const struct tbl_merged *) f, keys, n, rules);
        break;
    }
}
