/* SPDX-License-Identifier: Apache-2.0 */
/* meter is refused when a rule is added; it is here for the table. */
#include "datapath/worker.h"

void
op_run_METER(struct worker *w, struct group *g, const struct dp_op *op)
{
    (void) op;
    g->last = true;
    worker_drop_group(w, g, NULL, DROP_UNKNOWN_OP);
    g->n = 0;
}
