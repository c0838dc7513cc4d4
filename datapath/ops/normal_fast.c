/* SPDX-License-Identifier: Apache-2.0 */
/* normal: a learning switch per VLAN, over networks' far end points too. */
#include "datapath/ops/rewrite.h"

/* Where 's' came from.  A sender that its port does not know yet is reported
 * to control; until it is known nothing is learnt behind it. */
static void
learn(struct worker *w, struct batch *b, unsigned s, const uint8_t *eth,
      uint16_t vlan)
{
    struct dp_port *in = b->in[s];
    struct peers *t = dp_load(&in->peers);
    struct mac_place at = { .port = in->port_no };

    if (weft_unlikely(t != NULL)) {
        be32 sender = b->key[s].tun_src;

        at.peer = peers_find(t, sender);
        if (!at.peer) {
            uintptr_t v = (uintptr_t) in->uid << 32 | sender;

            if (!rte_ring_sp_enqueue(w->sightings, (void *) v))
                w->woke_control = true;
            return;
        }
        peers_seen(t, at.peer, w->tick);
    }
    mac_learn(dp_load(&b->br->macs), eth + 6, vlan, at, w->tick);
}

void
op_run_NORMAL(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct batch *b = g->b;

    (void) op;
    for (unsigned i = 0; i < g->n; i++) {
        unsigned s = g->idx[i];
        const uint8_t *eth = rte_pktmbuf_mtod(b->m[s], const uint8_t *);
        uint16_t vlan = be16_to(b->key[s].vlan_tci) & 0xfff;
        struct mac_place to = { 0 };
        const struct peers *t;
        struct dp_port *p;
        be32 peer = 0;

        if (b->in[s])
            learn(w, b, s, eth, vlan);
        if (!(eth[0] & 1))
            to = mac_lookup(dp_load(&b->br->macs), eth, vlan, w->tick);
        p = to.port ? dp_bridge_port(b->br, to.port) : NULL;
        t = p ? dp_load(&p->peers) : NULL;
        if (t)
            peer = peers_at(t, to.peer);
        if (!p || (t && !peer)) {
            worker_flood_slot(w, g, s,
                              DP_PC_DOWN | DP_PC_NO_FWD | DP_PC_NO_FLOOD);
            continue;
        }

        if (p == b->in[s]) {
            struct rte_mbuf *m = worker_take(w, g, s);

            if (m)
                worker_drop(w, b->br, p, m, DROP_TO_IN_PORT);
        } else {
            worker_send_place(w, g, s, p, peer);
        }
    }
}
