/* SPDX-License-Identifier: Apache-2.0 */
/* set, dec and copy of TTLs: OpenFlow 1.3.5 §5.12. */
#include "datapath/ops/rewrite.h"

static uint8_t
ipv4_set_ttl(uint8_t *ip, uint8_t ttl)
{
    uint8_t old = ip[8];

    /* The TTL is the upper byte of its word. */
    csum_apply(ip + 10, (uint16_t) ~(old << 8) + ((uint32_t) ttl << 8));
    ip[8] = ttl;
    return old;
}

/* A packet whose TTL ran out: to the controller if the bridge wants it. */
static void
ttl_invalid(struct worker *w, struct group *g, unsigned i,
            const struct dp_op *op)
{
    unsigned s = g->idx[i];

    if (!dp_read(g->b->br->ttl_punt)) {
        rewrite_group_drop(w, g, i, DROP_BAD_TTL);
        return;
    }
    g->last = true; /* The packet itself. */
    worker_punt_slot(w, g, s, op, DP_PUNT_INVALID_TTL, 0xffff);
    rewrite_group_del(g, i);
}

void
op_run_SET_NW_TTL(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct batch *b = g->b;

    (void) w;
    for (unsigned i = 0; i < g->n; i++) {
        unsigned s = g->idx[i];
        uint8_t *ip = slot_at(b, s, b->lay[s].l3);

        if (slot_is(b, s, REWRITE_ETH_IPV4))
            ipv4_set_ttl(ip, (uint8_t) op->arg);
        else if (slot_is(b, s, REWRITE_ETH_IPV6))
            ip[7] = (uint8_t) op->arg;
    }
}

void
op_run_DEC_NW_TTL(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct batch *b = g->b;

    for (unsigned i = 0; i < g->n;) {
        unsigned s = g->idx[i];
        uint8_t *ip = slot_at(b, s, b->lay[s].l3);
        bool v4 = slot_is(b, s, REWRITE_ETH_IPV4);

        if (!v4 && !slot_is(b, s, REWRITE_ETH_IPV6)) {
            i++;
        } else if (ip[v4 ? 8 : 7] <= 1) {
            ttl_invalid(w, g, i, op);
        } else {
            if (v4)
                ipv4_set_ttl(ip, (uint8_t) (ip[8] - 1));
            else
                ip[7]--;
            i++;
        }
    }
}

void
op_run_SET_MPLS_TTL(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct batch *b = g->b;

    (void) w;
    for (unsigned i = 0; i < g->n; i++) {
        unsigned s = g->idx[i];

        if (slot_is_mpls(b, s))
            *slot_at(b, s, b->lay[s].l2_5 + 3u) = (uint8_t) op->arg;
    }
}

void
op_run_DEC_MPLS_TTL(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct batch *b = g->b;

    for (unsigned i = 0; i < g->n;) {
        unsigned s = g->idx[i];
        uint8_t *lse = slot_at(b, s, b->lay[s].l2_5);

        if (!slot_is_mpls(b, s)) {
            i++;
        } else if (lse[3] <= 1) {
            ttl_invalid(w, g, i, op);
        } else {
            lse[3]--;
            i++;
        }
    }
}

/* TTL behind the outermost label: the next label's or IP's.  NULL: neither.
 * Sets *ipv4 to the IPv4 header it is in. */
static uint8_t *
inner_ttl(struct batch *b, unsigned s, uint8_t **ipv4)
{
    unsigned off = b->lay[s].l2_5 + 4u;
    uint8_t *p = slot_at(b, s, off);

    *ipv4 = NULL;
    if (off + 4 > b->m[s]->data_len)
        return NULL;
    if (!(p[-2] & 1)) /* Not the bottom of the stack: RFC 3032 §2.1. */
        return p + 3;
    if (off + 20 > b->m[s]->data_len)
        return NULL;
    if (p[0] >> 4 == 4) {
        *ipv4 = p;
        return p + 8;
    }
    return p[0] >> 4 == 6 ? p + 7 : NULL;
}

void
op_run_COPY_TTL_OUT(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct batch *b = g->b;

    (void) w, (void) op;
    for (unsigned i = 0; i < g->n; i++) {
        unsigned s = g->idx[i];
        uint8_t *ipv4, *ttl;

        if (!slot_is_mpls(b, s))
            continue;
        ttl = inner_ttl(b, s, &ipv4);
        if (ttl)
            *slot_at(b, s, b->lay[s].l2_5 + 3u) = *ttl;
    }
}

void
op_run_COPY_TTL_IN(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct batch *b = g->b;

    (void) w, (void) op;
    for (unsigned i = 0; i < g->n; i++) {
        unsigned s = g->idx[i];
        uint8_t *ipv4, *ttl, outer;

        if (!slot_is_mpls(b, s))
            continue;
        outer = *slot_at(b, s, b->lay[s].l2_5 + 3u);
        ttl = inner_ttl(b, s, &ipv4);
        if (ipv4)
            ipv4_set_ttl(ipv4, outer);
        else if (ttl)
            *ttl = outer;
    }
}
