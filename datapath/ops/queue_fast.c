/* SPDX-License-Identifier: Apache-2.0 */
/* set_queue has no effect yet: there are no queues to choose from.  group is
 * refused when a rule is added; it is here for the table. */
#include "datapath/worker.h"

void
op_run_SET_QUEUE(struct worker *w, struct group *g, const struct dp_op *op)
{
    (void) w, (void) g, (void) op;
}

void
op_run_GROUP(struct worker *w, struct group *g, const struct dp_op *op)
{
    (void) op;
    g->last = true;
    worker_drop_group(w, g, NULL, DROP_UNKNOWN_OP);
    g->n = 0;
}
