/* SPDX-License-Identifier: Apache-2.0 */
/* normal: a learning switch per VLAN. */
#include "datapath/ops/rewrite.h"

void
op_run_NORMAL(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct batch *b = g->b;
    struct mac_table *t = b->br->macs;

    (void) op;
    for (unsigned i = 0; i < g->n; i++) {
        unsigned s = g->idx[i];
        const uint8_t *eth = rte_pktmbuf_mtod(b->m[s], const uint8_t *);
        uint16_t vlan = be16_to(b->key[s].vlan_tci) & 0xfff;
        uint32_t no = 0;
        struct dp_port *p;

        if (b->in[s])
            mac_learn(t, eth + 6, vlan, b->in[s]->port_no, w->tick);
        if (!(eth[0] & 1))
            no = mac_lookup(t, eth, vlan, w->tick);
        p = no ? dp_bridge_port(b->br, no) : NULL;
        if (!p) {
            worker_flood_slot(w, g, s,
                              DP_PC_DOWN | DP_PC_NO_FWD | DP_PC_NO_FLOOD);
            continue;
        }

        if (p == b->in[s]) {
            struct rte_mbuf *m = worker_take(w, g, s);

            if (m)
                worker_drop(w, b->br, p, m, DROP_TO_IN_PORT);
        } else {
            worker_send_slot(w, g, s, p);
        }
    }
}
