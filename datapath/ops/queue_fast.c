/* SPDX-License-Identifier: Apache-2.0 */
/* set_queue: which queue of the port it leaves by a packet waits in. */
#include "datapath/worker.h"

void
op_run_SET_QUEUE(struct worker *w, struct group *g, const struct dp_op *op)
{
    (void) w;
    for (unsigned i = 0; i < g->n; i++) {
        struct rte_mbuf *m = g->b->m[g->idx[i]];

        if (op->aux & PROG_QUEUE_NONE) {
            m->ol_flags &= ~TX_QUEUE;
        } else {
            m->ol_flags |= TX_QUEUE;
            m->hash.sched.queue_id = op->arg;
        }
    }
}
