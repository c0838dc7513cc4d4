/* SPDX-License-Identifier: Apache-2.0 */
/* copy_field: OpenFlow 1.5.1 §7.2.6.8.  The packet is parsed as it stands,
 * which is what its fields are now; then it is a set-field. */
#include "datapath/ops/rewrite.h"

#include <string.h>

void
op_run_COPY_FIELD(struct worker *w, struct group *g, const struct dp_op *op)
{
    const struct dp_copy_field *c = (const void *) op->data;
    uint64_t buf[PROG_SET_WORDS];

    for (unsigned i = 0; i < g->n;) {
        struct group one = *g;
        uint8_t v[16];

        if (!worker_reparse(w, g->b, g->idx[i])) {
            rewrite_group_del(g, i);
            continue;
        }
        flow_field_get(&g->b->key[g->idx[i]], &flow_fields[c->src], v);
        one.n = 1;
        one.idx[0] = g->idx[i++];
        op_run_SET_FIELD(w, &one, prog_copy_to_set(c, v, buf));
    }
}
