/* SPDX-License-Identifier: Apache-2.0 */
/* set_queue has no effect yet: there are no queues to choose from. */
#include "datapath/worker.h"

void
op_run_SET_QUEUE(struct worker *w, struct group *g, const struct dp_op *op)
{
    (void) w, (void) g, (void) op;
}
