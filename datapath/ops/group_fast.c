/* SPDX-License-Identifier: Apache-2.0 */
/* Refused when a rule is added; here for the table. */
#include "datapath/worker.h"

void
op_run_GROUP(struct worker *w, struct group *g, const struct dp_op *op)
{
    (void) op;
    g->last = true;
    worker_drop_group(w, g, NULL, DROP_UNKNOWN_OP);
    g->n = 0;
}
