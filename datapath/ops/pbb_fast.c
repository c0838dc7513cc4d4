/* SPDX-License-Identifier: Apache-2.0 */
/* push_pbb, pop_pbb: OpenFlow 1.3.5 §5.12, IEEE 802.1ah.
 *
 *     B-DA B-SA 88e7 I-TAG(4) C-DA C-SA type ... */
#include "datapath/ops/rewrite.h"

#include <string.h>

#define PBB_LEN 18u /* Addresses, type and I-TAG in front of the frame. */

void
op_run_PUSH_PBB(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct batch *b = g->b;

    for (unsigned i = 0; i < g->n;) {
        unsigned s = g->idx[i];
        const struct flow_key *k = &b->key[s];
        uint32_t itag = 0;
        uint8_t *p;

        /* §5.12.1: the I-SID of a PBB frame, the PCP of a tagged one. */
        if (k->eth_type == be16_from(0x88e7) && b->lay[s].l2_5)
            itag = get_be32(slot_at(b, s, b->lay[s].l2_5)) & 0xe8ffffff;
        else if (k->vlan_tci & be16_from(FLOW_VLAN_PRESENT))
            itag = (uint32_t) (be16_to(k->vlan_tci) & 0xe000) << 16;
        p = rewrite_push(b, s, 0, PBB_LEN);
        if (!p) {
            rewrite_group_drop(w, g, i, DROP_NO_HEADROOM);
            continue;
        }
        memcpy(p, p + PBB_LEN, 12);
        put_be16(p + 12, (uint16_t) op->arg);
        put_be32(p + 14, itag);
        if (worker_reparse(w, b, s))
            i++;
        else
            rewrite_group_del(g, i);
    }
}

void
op_run_POP_PBB(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct batch *b = g->b;

    (void) op;
    for (unsigned i = 0; i < g->n;) {
        unsigned s = g->idx[i], off = b->lay[s].l2_5;

        if (b->key[s].eth_type != be16_from(0x88e7) || !off) {
            rewrite_group_drop(w, g, i, DROP_NO_TAG);
            continue;
        }
        rewrite_pop(b, s, 0, off + 4);
        if (worker_reparse(w, b, s))
            i++;
        else
            rewrite_group_del(g, i);
    }
}
