/* SPDX-License-Identifier: Apache-2.0 */
/* push_vlan, pop_vlan: OpenFlow 1.3.5 §5.12, IEEE 802.1Q. */
#include "datapath/ops/rewrite.h"

#define VLAN_OFF 12u /* Behind the addresses. */

static void
layout_shift(struct pkt_layout *l, int by)
{
    l->l2_5 = (uint16_t) (l->l2_5 ? l->l2_5 + by : 0);
    l->l3 = (uint16_t) (l->l3 ? l->l3 + by : 0);
    l->l4 = (uint16_t) (l->l4 ? l->l4 + by : 0);
    l->payload = (uint16_t) (l->payload ? l->payload + by : 0);
}

void
op_run_PUSH_VLAN(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct batch *b = g->b;

    for (unsigned i = 0; i < g->n;) {
        unsigned s = g->idx[i];
        struct flow_key *k = &b->key[s];
        bool tagged = k->vlan_tci & be16_from(FLOW_VLAN_PRESENT);
        uint16_t tci = 0;
        uint8_t *p;

        if (tagged && op->aux & 1) {
            i++;
            continue;
        }
        if (tagged) /* §5.12.1: VID and PCP are copied. */
            tci = get_be16(slot_at(b, s, VLAN_OFF + 2));
        p = rewrite_push(b, s, VLAN_OFF, 4);
        if (!p) {
            rewrite_group_drop(w, g, i, DROP_NO_HEADROOM);
            continue;
        }
        put_be16(p, (uint16_t) op->arg);
        put_be16(p + 2, tci);
        layout_shift(&b->lay[s], 4);
        b->lay[s].n_vlan++;
        if (tagged)
            k->nw_flags |= FLOW_NW_MORE_VLAN;
        k->vlan_tci = be16_from((uint16_t) (tci | FLOW_VLAN_PRESENT));
        i++;
    }
}

void
op_run_POP_VLAN(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct batch *b = g->b;

    for (unsigned i = 0; i < g->n;) {
        unsigned s = g->idx[i];
        struct flow_key *k = &b->key[s];

        if (!(k->vlan_tci & be16_from(FLOW_VLAN_PRESENT))) {
            if (op->aux & 1)
                i++;
            else
                rewrite_group_drop(w, g, i, DROP_NO_TAG);
            continue;
        }
        rewrite_pop(b, s, VLAN_OFF, 4);
        if (k->nw_flags & FLOW_NW_MORE_VLAN) {
            if (!worker_reparse(w, b, s)) {
                rewrite_group_del(g, i);
                continue;
            }
        } else {
            layout_shift(&b->lay[s], -4);
            b->lay[s].n_vlan = 0;
            k->vlan_tci = 0;
        }
        i++;
    }
}
