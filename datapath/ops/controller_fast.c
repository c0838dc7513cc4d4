/* SPDX-License-Identifier: Apache-2.0 */
/* controller: a packet, or a copy of it, into the punt ring. */
#include "datapath/ops/rewrite.h"
#include "datapath/stage_fast.h"

void
worker_punt_ring(struct worker *w, struct rte_mbuf *m, struct dp_port *charge)
{
    punt_meta(m)->worker = (uint8_t) w->id;
    if (rte_ring_sp_enqueue(w->punts, m)) {
        worker_drop(w, punt_meta(m)->br, charge, m, DROP_PUNT_FULL);
        w->woke_control = true;
        return;
    }
    if (punt_meta(m)->br)
        dp_count(punt_meta(m)->br->pw[w->id]->bal.punted, 1);
    if (charge)
        dp_count(worker_port(w, charge)->n_punts, 1);
    w->woke_control = true;
}

/* Where the op stands in the pipeline of packet 's'. */
static struct prog_ctx
op_ctx(const struct group *g, unsigned s, const struct dp_op *op)
{
    const struct prog *prog = g->b->prog[s];
    struct prog_ctx c = { .cookie = UINT64_MAX };

    if (g->outer && op->words == 1)
        op = g->outer;
    if (op->words > 1)
        memcpy(&c, op->data, sizeof c);
    if (prog->kind == PROG_SELF && !c.whole) {
        const struct dp_rule *r = dp_rule_of_prog(prog);

        c.cookie = dp_read(r->cookie);
        c.table = dp_rule_table(r);
        c.miss_rule = dp_rule_is_miss(r);
    }
    return c;
}

/* Why packet 's' may not be punted; -1: it may. */
static int
punt_refused(const struct worker *w, const struct dp_port *in,
             const struct prog_ctx *c, unsigned reason)
{
    const struct port_pw *pp;

    if (!in)
        return -1;
    /* OpenFlow 1.3.5 §7.2.1: for packets that miss. */
    if (dp_read(in->config) & DP_PC_NO_PACKET_IN
        && (c->miss_rule || reason == DP_PUNT_NO_MATCH))
        return DROP_NO_PACKET_IN;
    pp = in->pw[w->id];
    if (pp->n_punts - dp_load(&pp->n_punts_done) >= DP_PUNT_QUOTA)
        return DROP_PUNT_QUOTA;
    return -1;
}

void
worker_punt_slot(struct worker *w, struct group *g, unsigned s,
                 const struct dp_op *op, unsigned reason, uint32_t max_len)
{
    struct batch *b = g->b;
    const struct flow_key *k = &b->key[s];
    struct prog_ctx c = op_ctx(g, s, op);
    struct rte_mbuf *m = worker_take(w, g, s);
    int refused;

    if (!m)
        return;
    refused = punt_refused(w, b->in[s], &c, reason);
    /* All that control gets is the slow path. */
    if (refused < 0
        && (!worker_meter_packet(w, b, s, m, dp_load(&b->br->meter_slowpath))
            || !worker_meter_packet(w, b, s, m,
                                    dp_load(&b->br->meter_controller))))
        refused = DROP_METER;
    if (refused >= 0) {
        worker_drop(w, b->br, b->in[s], m, (unsigned) refused);
        return;
    }
    if (c.metadata_in_key)
        c.metadata = be64_to(k->metadata);
    *punt_meta(m) = (struct punt_meta) {
        .port_uid = b->in[s] ? b->in[s]->uid : 0,
        .br = b->br,
        .ctx = c,
        .tun = { be64_to(k->tun_id), k->tun_src, k->tun_dst },
        .in_port = be32_to(k->in_port),
        .max_len = max_len,
        .reason = (uint8_t) reason,
    };
    worker_punt_ring(w, m, b->in[s]);
}

void
op_run_CONTROLLER(struct worker *w, struct group *g, const struct dp_op *op)
{
    for (unsigned i = 0; i < g->n; i++)
        worker_punt_slot(w, g, g->idx[i], op, op->aux, op->arg);
}
