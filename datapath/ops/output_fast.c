/* SPDX-License-Identifier: Apache-2.0 */
/* output, in_port, flood, all. */
#include "datapath/ops/rewrite.h"

void
op_run_OUTPUT(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct dp_port *p = dp_bridge_port(g->b->br, op->arg);

    if (weft_likely(p != NULL))
        tx_output_group(w, g, p);
    else
        worker_drop_group(w, g, NULL, DROP_NO_PORT);
}

void
op_run_IN_PORT(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct batch *b = g->b;

    (void) op;
    for (unsigned i = 0; i < g->n; i++) {
        unsigned s = g->idx[i];
        struct rte_mbuf *m = worker_take(w, g, s);

        if (!m)
            continue;
        if (b->in[s])
            tx_output(w, b, s, b->in[s], m);
        else
            worker_drop(w, b->br, NULL, m, DROP_NO_PORT);
    }
}

/* Sends packet 's' to every port but its own and those with a bit of
 * 'not_config'.  The last port gets the packet itself if the op may take
 * it. */
void
worker_flood_slot(struct worker *w, struct group *g, unsigned s,
                  uint32_t not_config)
{
    struct batch *b = g->b;
    const struct dp_port_list *l = dp_load(&b->br->flood);
    bool last = g->last;
    struct dp_port *held = NULL;

    /* One port behind, so that the last one is known. */
    for (unsigned i = 0; i < l->n; i++) {
        struct dp_port *p = l->p[i];

        if (p == b->in[s] || dp_read(p->config) & not_config)
            continue;
        if (held) {
            struct rte_mbuf *m;

            g->last = false;
            m = worker_take(w, g, s);
            g->last = last;
            if (m)
                tx_output(w, b, s, held, m);
        }
        held = p;
    }
    if (held) {
        struct rte_mbuf *m = worker_take(w, g, s);

        if (m)
            tx_output(w, b, s, held, m);
    } else if (last) {
        worker_drop_slot(w, b, s, DROP_NO_PORT);
    }
}

void
op_run_FLOOD(struct worker *w, struct group *g, const struct dp_op *op)
{
    (void) op;
    for (unsigned i = 0; i < g->n; i++)
        worker_flood_slot(w, g, g->idx[i],
                          DP_PC_DOWN | DP_PC_NO_FWD | DP_PC_NO_FLOOD);
}

void
op_run_ALL(struct worker *w, struct group *g, const struct dp_op *op)
{
    (void) op;
    for (unsigned i = 0; i < g->n; i++)
        worker_flood_slot(w, g, g->idx[i], DP_PC_DOWN | DP_PC_NO_FWD);
}
