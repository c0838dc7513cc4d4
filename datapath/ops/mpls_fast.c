/* SPDX-License-Identifier: Apache-2.0 */
/* push_mpls, pop_mpls: OpenFlow 1.3.5 §5.12, RFC 3032.  Labels stand behind
 * the VLAN tags. */
#include "datapath/ops/rewrite.h"

/* Label stack entry of a new outermost label, §5.12.1: label, TC and TTL of
 * the label below, else TTL of IP; bottom of stack when it is the first. */
static uint32_t
new_lse(struct batch *b, unsigned s)
{
    const uint8_t *ip = slot_at(b, s, b->lay[s].l3);

    if (slot_is_mpls(b, s))
        return get_be32(slot_at(b, s, b->lay[s].l2_5)) & ~0x100u;
    if (slot_is(b, s, REWRITE_ETH_IPV4))
        return 0x100u | ip[8];
    if (slot_is(b, s, REWRITE_ETH_IPV6))
        return 0x100u | ip[7];
    return 0x100u;
}

void
op_run_PUSH_MPLS(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct batch *b = g->b;

    for (unsigned i = 0; i < g->n;) {
        unsigned s = g->idx[i], off = 14u + 4u * b->lay[s].n_vlan;
        uint32_t lse = new_lse(b, s);
        uint8_t *p = rewrite_push(b, s, off, 4);

        if (!p) {
            rewrite_group_drop(w, g, i, DROP_NO_HEADROOM);
            continue;
        }
        put_be16(p - 2, (uint16_t) op->arg);
        put_be32(p, lse);
        if (worker_reparse(w, b, s))
            i++;
        else
            rewrite_group_del(g, i);
    }
}

void
op_run_POP_MPLS(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct batch *b = g->b;

    for (unsigned i = 0; i < g->n;) {
        unsigned s = g->idx[i], off = b->lay[s].l2_5;

        if (!slot_is_mpls(b, s)) {
            rewrite_group_drop(w, g, i, DROP_NO_TAG);
            continue;
        }
        put_be16(slot_at(b, s, off - 2), (uint16_t) op->arg);
        rewrite_pop(b, s, off, 4);
        if (worker_reparse(w, b, s))
            i++;
        else
            rewrite_group_del(g, i);
    }
}
