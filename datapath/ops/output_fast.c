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

/* Sends packet 's' into a network's tunnel, to the peer at 'addr'. */
static void
send_to_peer(struct worker *w, struct group *g, unsigned s, struct dp_port *p,
             be32 addr)
{
    struct flow_key *k = &g->b->key[s];
    be32 src = k->tun_src, dst = k->tun_dst;

    k->tun_src = 0; /* The next hop's. */
    k->tun_dst = addr;
    worker_send_slot(w, g, s, p);
    k->tun_src = src;
    k->tun_dst = dst;
}

/* Someone to flood to; 'peer' 0: the port has no peers. */
struct flood_to {
    struct dp_port *p;
    be32 peer;
};

static inline void
flood_send(struct worker *w, struct group *g, unsigned s, struct flood_to to)
{
    if (weft_unlikely(to.peer))
        send_to_peer(w, g, s, to.p, to.peer);
    else
        worker_send_slot(w, g, s, to.p);
}

/* One behind, so that the last one is known: sends to who was held and holds
 * 'to'. */
static inline void
flood_hold(struct worker *w, struct group *g, unsigned s,
           struct flood_to *held, struct flood_to to)
{
    bool last = g->last;

    if (held->p) {
        g->last = false;
        flood_send(w, g, s, *held);
        g->last = last;
    }
    *held = to;
}

/* May what came in by 'in' go to 'p'?  Not from one port with peers to
 * another: every end point of the network got its copy from the sender. */
static inline bool
horizon_allows(const struct dp_port *in, const struct dp_port *p)
{
    return !p->split_horizon || !in || !in->split_horizon;
}

void
worker_send_place(struct worker *w, struct group *g, unsigned s,
                  struct dp_port *p, be32 peer)
{
    if (weft_unlikely(!horizon_allows(g->b->in[s], p))) {
        struct rte_mbuf *m = worker_take(w, g, s);

        if (m)
            worker_drop(w, g->b->br, p, m, DROP_SPLIT_HORIZON);
    } else if (peer) {
        send_to_peer(w, g, s, p, peer);
    } else {
        worker_send_slot(w, g, s, p);
    }
}

/* Sends packet 's' to every port but its own and those with a bit of
 * 'not_config', to a port with peers once for each.  The last one gets the
 * packet itself if the op may take it. */
void
worker_flood_slot(struct worker *w, struct group *g, unsigned s,
                  uint32_t not_config)
{
    struct batch *b = g->b;
    const struct dp_port_list *l = dp_load(&b->br->flood);
    struct flood_to held = { NULL, 0 };

    for (unsigned i = 0; i < l->n; i++) {
        struct dp_port *p = l->p[i];
        const struct peers *t;

        if (p == b->in[s] || dp_read(p->config) & not_config)
            continue;
        t = dp_load(&p->peers);
        if (weft_likely(!t)) {
            flood_hold(w, g, s, &held, (struct flood_to) { p, 0 });
            continue;
        }
        if (!horizon_allows(b->in[s], p))
            continue;
        for (uint32_t k = 0; k < t->n; k++)
            if (t->at[k].addr)
                flood_hold(w, g, s, &held,
                           (struct flood_to) { p, t->at[k].addr });
    }
    if (held.p)
        flood_send(w, g, s, held);
    else if (g->last)
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
