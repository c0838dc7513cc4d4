/* SPDX-License-Identifier: Apache-2.0 */
/* output, in_port, flood, all. */
#include "datapath/ops/rewrite.h"

void
op_run_OUTPUT(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct dp_port *p = dp_bridge_port(g->b->br, op->arg);

    if (weft_unlikely(!p)) {
        worker_drop_group(w, g, NULL, DROP_NO_PORT);
        return;
    }
    if (weft_likely(!g->egress)) {
        tx_output_group(w, g, p);
        return;
    }
    for (unsigned i = 0; i < g->n; i++) {
        struct rte_mbuf *m = worker_take(w, g, g->idx[i]);

        if (m)
            worker_egress(w, g, g->idx[i], p, false, m);
    }
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
        if (b->in[s] && g->egress)
            worker_egress(w, g, s, b->in[s], true, m);
        else if (b->in[s])
            tx_output(w, b, s, b->in[s], m);
        else
            worker_drop(w, b->br, NULL, m, DROP_NO_PORT);
    }
}

void
worker_send_slot(struct worker *w, struct group *g, unsigned s,
                 struct dp_port *p)
{
    struct rte_mbuf *m = worker_take(w, g, s);

    if (!m)
        return;
    if (weft_unlikely(g->egress != NULL))
        worker_egress(w, g, s, p, false, m);
    else
        tx_output(w, g->b, s, p, m);
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
            g->last = false;
            worker_send_slot(w, g, s, held);
            g->last = last;
        }
        held = p;
    }
    if (held)
        worker_send_slot(w, g, s, held);
    else if (last)
        worker_drop_slot(w, b, s, DROP_NO_PORT);
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
