/* SPDX-License-Identifier: Apache-2.0 */
/* Egress tables: OpenFlow 1.5.1 §5.1.  A packet that is sent to a port waits
 * like one that is parsed again, and walks through the egress tables with an
 * action set that holds the output to that port.  What the egress tables
 * themselves send leaves at once. */
#include "datapath/ops/rewrite.h"

#include <string.h>

void
op_run_EGRESS(struct worker *w, struct group *g, const struct dp_op *op)
{
    (void) w;
    g->egress = op;
}

void
worker_egress(struct worker *w, struct group *g, unsigned s,
              struct dp_port *p, bool to_in_port, struct rte_mbuf *m)
{
    struct batch *b = g->b;
    const struct flow_key *k = &b->key[s];
    struct pending pend = {
        .m = m, .br = b->br, .in = b->in[s], .resume = g->egress,
        .tun = { be64_to(k->tun_id), k->tun_src, k->tun_dst },
        .metadata = k->metadata, .in_port = k->in_port, .gen = b->gen,
        .egress_port = p->port_no, .to_in_port = to_in_port,
        .depth = (uint8_t) (b->depth[s] + 1),
    };

    if (weft_unlikely(p == b->in[s] && !to_in_port)) {
        worker_drop(w, b->br, p, m, DROP_TO_IN_PORT);
        return;
    }
    if (!(g->egress->aux & PROG_METADATA_IN_KEY)) {
        uint64_t metadata;

        memcpy(&metadata, g->egress->data, sizeof metadata);
        pend.metadata = be64_from(metadata);
    }
    if (pend.depth > DEPTH_MAX)
        worker_drop(w, b->br, pend.in, m, DROP_LOOP);
    else if (!worker_pend(w, &pend))
        worker_drop(w, b->br, pend.in, m, DROP_NO_BUFFER);
}
