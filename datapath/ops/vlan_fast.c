/* SPDX-License-Identifier: Apache-2.0 */
/* push_vlan, pop_vlan: OpenFlow 1.3.5 §5.12, IEEE 802.1Q. */
#include "datapath/ops/rewrite.h"

#include <string.h>

#define VLAN_OFF 12u /* Behind the addresses. */

static void
layout_shift(struct pkt_layout *l, int by)
{
    l->l2_5 = (uint16_t) (l->l2_5 ? l->l2_5 + by : 0);
    l->l3 = (uint16_t) (l->l3 ? l->l3 + by : 0);
    l->l4 = (uint16_t) (l->l4 ? l->l4 + by : 0);
    l->payload = (uint16_t) (l->payload ? l->payload + by : 0);
}

/* Every packet of 'g' got 'by' bytes longer: if that is all of the batch, its
 * sums 'before' it are known to hold but for that. */
static void
sum_shift(const struct group *g, struct batch_sum before, unsigned n, int by)
{
    if (!before.valid || n != g->b->n)
        return;
    before.bytes += (uint64_t) ((int64_t) by * n);
    before.max_len += (uint32_t) by;
    g->b->sum = before;
}

/* rewrite_push of a tag. */
static inline uint8_t *
tag_push(struct batch *b, unsigned s)
{
    struct rte_mbuf *m = b->m[s];
    uint8_t *p = (uint8_t *) rte_pktmbuf_prepend(m, 4);
    uint64_t macs;
    uint32_t rest;

    if (weft_unlikely(!p))
        return NULL;
    memcpy(&macs, p + 4, 8);
    memcpy(&rest, p + 12, 4);
    memcpy(p, &macs, 8);
    memcpy(p + 8, &rest, 4);
    m->l2_len += 4;
    return p + VLAN_OFF;
}

/* rewrite_pop of a tag. */
static inline void
tag_pop(struct batch *b, unsigned s)
{
    struct rte_mbuf *m = b->m[s];
    uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
    uint64_t macs;
    uint32_t rest;

    memcpy(&macs, p, 8);
    memcpy(&rest, p + 8, 4);
    memcpy(p + 4, &macs, 8);
    memcpy(p + 12, &rest, 4);
    m->data_off = (uint16_t) (m->data_off + 4);
    m->data_len = (uint16_t) (m->data_len - 4);
    m->pkt_len -= 4;
    m->l2_len -= 4;
}

void
op_run_PUSH_VLAN(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct batch *b = g->b;
    const struct batch_sum before = b->sum;
    unsigned n = 0;

    b->sum.valid = false;
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
        p = tag_push(b, s);
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
        n++;
    }
    sum_shift(g, before, n, 4);
}

void
op_run_POP_VLAN(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct batch *b = g->b;
    const struct batch_sum before = b->sum;
    unsigned n = 0;

    b->sum.valid = false;
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
        tag_pop(b, s);
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
        n++;
    }
    sum_shift(g, before, n, -4);
}
