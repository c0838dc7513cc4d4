/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/interp.h"

#include <stdlib.h>
#include <string.h>

#include "datapath/interp_priv.h"
#include "utils/base/mem.h"

/* Everything of one run. */
struct interp {
    const struct interp_pipeline *pl;
    struct interp_frame f;
    const struct dp_op *set[64 + 2 * N_FLOW_FIELDS]; /* set_slot(). */
    uint64_t set_cookie; /* Of the rule that wrote the set's output ... */
    uint64_t set_group_cookie; /* ... and its group. */
    unsigned sent;       /* Outputs so far. */
    bool in_egress;
    struct interp_result *res;
    uint8_t table;
    uint64_t cookie;
    unsigned depth;      /* Groups and egress processing around it. */
    unsigned groups;     /* Groups around it. */
    struct dp_op egress_op; /* Output that egress processing began with.
                             * Last: an op may have data behind it. */
};

/* Fills what all steps have and tells it. */
static void
tell(const struct interp *in, struct interp_step step)
{
    if (!in->pl->step)
        return;
    step.depth = in->depth;
    step.table = in->table;
    step.key = step.key ? step.key : &in->f.k;
    step.data = in->f.p;
    step.len = in->f.len;
    in->pl->step(in->pl->step_arg, &step);
}

/* With the frame as it is when it is parsed again. */
static void
tell_parsed(const struct interp *in, struct interp_step step)
{
    struct interp_frame now = in->f;

    if (!in->pl->step)
        return;
    if (step.drop < 0)
        (void) interp_parse(&now);
    step.key = &now.k;
    tell(in, step);
}

/* ----------------------------------------------------------------- outputs */

static void run_tables(struct interp *);
static int run_op(struct interp *, const struct dp_op *);

/* A copy of the packet with an empty action set. */
static void
fork_packet(const struct interp *in, struct interp *sub)
{
    *sub = *in;
    sub->f.room = base_xmalloc(INTERP_HEADROOM + in->f.len + 1);
    sub->f.p = sub->f.room + INTERP_HEADROOM;
    memcpy(sub->f.p, in->f.p, in->f.len);
    memset(sub->set, 0, sizeof sub->set);
    sub->sent = 0;
    sub->depth++;
}

/* Egress tables for a copy on its way to 'port' (OpenFlow 1.5.1 §5.1): the
 * action set begins with an output to it. */
static void
egress_one(struct interp *in, uint32_t port, bool to_in_port)
{
    struct interp_result *res = in->res;
    struct interp sub;
    int drop = res->drop;

    fork_packet(in, &sub);
    sub.egress_op = (struct dp_op) {
        .code = to_in_port ? DP_OP_IN_PORT : DP_OP_OUTPUT, .words = 1,
        .arg = port,
    };
    sub.set[DP_OP_OUTPUT] = &sub.egress_op;
    sub.in_egress = true;
    sub.table = in->pl->egress;
    sub.f.k.actset_output = be32_from(port);
    res->n_egress++;
    tell(in, (struct interp_step) { .kind = INTERP_EGRESS, .n = port,
                                    .drop = -1 });
    res->drop = interp_parse(&sub.f);
    if (res->drop < 0)
        run_tables(&sub);
    if (res->drop >= 0) {
        tell(&sub, (struct interp_step) { .kind = INTERP_DROP,
                                          .drop = res->drop });
        res->egress_drop = res->drop;
    }
    res->drop = drop;
    free(sub.f.room);
}

static const struct interp_port *
find_port(const struct interp *in, uint32_t no)
{
    for (size_t i = 0; i < in->pl->n_ports; i++)
        if (in->pl->ports[i].no == no)
            return &in->pl->ports[i];
    return NULL;
}

/* Egress processing for every port that 'op' sends to.  False: for none; the
 * output is what it is. */
static bool
egress(struct interp *in, const struct dp_op *op)
{
    uint32_t in_port = be32_to(in->f.k.in_port), to = 0;
    uint32_t not = DP_PC_DOWN | DP_PC_NO_FWD | DP_PC_NO_FLOOD;
    unsigned before = in->res->n_egress;

    if (!in->pl->egress || in->pl->egress == DP_NO_TABLE || in->in_egress
        || op->code == DP_OP_CONTROLLER)
        return false;
    if (op->code == DP_OP_OUTPUT)
        to = op->arg;
    else if (op->code == DP_OP_IN_PORT)
        to = in_port;
    else if (op->code == DP_OP_NORMAL && in->pl->mac_port)
        to = in->pl->mac_port(in->pl->mac_arg, in->f.p,
                              be16_to(in->f.k.vlan_tci) & 0xfff);
    if (to || op->code == DP_OP_OUTPUT) {
        if (!find_port(in, to)
            || (to == in_port && op->code != DP_OP_IN_PORT))
            return false;
        egress_one(in, to, op->code == DP_OP_IN_PORT);
        return true;
    }
    if (op->code == DP_OP_ALL)
        not &= ~DP_PC_NO_FLOOD;
    for (size_t i = 0; i < in->pl->n_ports; i++)
        if (in->pl->ports[i].no != in_port
            && !(in->pl->ports[i].config & not))
            egress_one(in, in->pl->ports[i].no, false);
    return in->res->n_egress != before;
}

static void
output_frame(struct interp *in, const struct dp_op *op, unsigned reason)
{
    struct interp_result *r = in->res;

    tell_parsed(in, (struct interp_step) { .kind = INTERP_OUT, .op = op,
                                           .drop = -1 });
    r->outs = base_xrealloc(r->outs, (r->n_outs + 1) * sizeof *r->outs);
    r->outs[r->n_outs++] = (struct interp_out) {
        .code = op->code,
        .arg = op->arg,
        .reason = (uint16_t) reason,
        .table = in->table,
        .cookie = in->cookie,
        .metadata = be64_to(in->f.k.metadata),
        .data = base_xmemdup(in->f.p, in->f.len),
        .len = in->f.len,
    };
}

/* What goes to the controller passes the two virtual meters, as a copy. */
static void
punt(struct interp *in, const struct dp_op *op, unsigned reason)
{
    struct interp sub;

    fork_packet(in, &sub);
    sub.depth--;
    if (interp_meter(in->pl, &sub.f, DP_METER_SLOWPATH) < 0
        && interp_meter(in->pl, &sub.f, DP_METER_CONTROLLER) < 0)
        output_frame(&sub, op, reason);
    else
        in->res->n_metered++;
    free(sub.f.room);
}

static void
output(struct interp *in, const struct dp_op *op, unsigned reason)
{
    in->sent++;
    if (op->code == DP_OP_CONTROLLER)
        punt(in, op, reason);
    else if (!egress(in, op))
        output_frame(in, op, reason);
}

/* An empty list may have no memory at all. */
#define FOR_OPS(op, list)                                                     \
    for (uint32_t at_ = 0;                                                    \
         at_ < (list)->n_words                                                \
         && ((op) = (const struct dp_op *) (const void *)                     \
                 ((const uint64_t *) (const void *) (list)->ops + at_), 1);   \
         at_ += (op)->words)

/* One bucket, on a copy: OpenFlow 1.3.5 §5.6. */
static void
run_bucket(struct interp *in, const struct dp_op *op,
           const struct interp_group *g, uint32_t n)
{
    const struct dp_op *o;
    struct interp sub;
    int drop = -1;

    tell(in, (struct interp_step) { .kind = INTERP_GROUP, .op = op,
                                    .group = g, .n = n, .drop = -1 });
    fork_packet(in, &sub);
    sub.groups++;
    FOR_OPS (o, &g->buckets[n]) {
        drop = run_op(&sub, o);
        if (drop >= 0)
            break;
    }
    if (drop < 0 && !sub.sent)
        drop = DROP_RULE_DROP;
    if (drop >= 0)
        tell(&sub, (struct interp_step) { .kind = INTERP_DROP,
                                          .drop = drop });
    free(sub.f.room);
}

static void
run_group(struct interp *in, const struct dp_op *op)
{
    const struct interp_group *g = NULL;
    uint32_t n = 0;

    for (size_t i = 0; i < in->pl->n_groups; i++)
        if (in->pl->groups[i].id == op->arg)
            g = &in->pl->groups[i];
    in->sent++; /* The group has it, whatever it does to it. */
    in->res->n_groups++;
    if (g && (g->type == DP_GROUP_SELECT || g->type == DP_GROUP_FF))
        n = in->pl->bucket ? in->pl->bucket(in->pl->bucket_arg, g->id,
                                            &in->f.k)
                           : INTERP_NO_BUCKET;
    if (!g || n >= g->n_buckets || in->groups == INTERP_GROUP_DEPTH) {
        tell(in, (struct interp_step) {
            .kind = INTERP_DROP,
            .drop = !g ? DROP_NO_GROUP
                       : in->groups == INTERP_GROUP_DEPTH ? DROP_LOOP
                                                          : DROP_NO_BUCKET });
        return;
    }
    if (g->type != DP_GROUP_ALL)
        run_bucket(in, op, g, n);
    else
        for (; n < g->n_buckets; n++)
            run_bucket(in, op, g, n);
}

static int
run_plain(struct interp *in, const struct dp_op *op)
{
    switch (op->code) {
    case DP_OP_OUTPUT:
    case DP_OP_NORMAL:
    case DP_OP_FLOOD:
    case DP_OP_ALL:
    case DP_OP_IN_PORT:
        output(in, op, 0);
        return -1;
    case DP_OP_CONTROLLER:
        output(in, op, op->aux);
        return -1;
    case DP_OP_GROUP:
        run_group(in, op);
        return -1;
    case DP_OP_METER:
        in->res->met_after |= in->sent > 0;
        return interp_meter(in->pl, &in->f, op->arg);
    default:
        return interp_op(&in->f, op);
    }
}

/* -1, or the reason to drop the frame here. */
static int
run_op(struct interp *in, const struct dp_op *op)
{
    struct interp_frame before = in->f;
    int drop;

    if (in->pl->step)
        (void) interp_parse(&before);
    drop = run_plain(in, op);
    if (op->code > DP_OP_TABLE && op->code != DP_OP_GROUP)
        tell_parsed(in, (struct interp_step) {
            .kind = INTERP_OP, .op = op, .before = &before.k, .drop = drop });
    return drop;
}

/* -------------------------------------------------------------- action set
 *
 * §5.10: at most one action of a type (set-field: of a field), executed in
 * this order whatever the order they were written in. */
static const uint8_t set_order[] = {
    DP_OP_COPY_TTL_IN,  DP_OP_POP_VLAN,     DP_OP_POP_MPLS,
    DP_OP_POP_PBB,      DP_OP_PUSH_MPLS,    DP_OP_PUSH_PBB,
    DP_OP_PUSH_VLAN,    DP_OP_COPY_TTL_OUT, DP_OP_DEC_MPLS_TTL,
    DP_OP_DEC_NW_TTL,   DP_OP_SET_MPLS_TTL, DP_OP_SET_NW_TTL,
    DP_OP_SET_FIELD,    DP_OP_METER,        DP_OP_SET_QUEUE,
    DP_OP_GROUP,        DP_OP_OUTPUT,
};

static const struct dp_copy_field *
copy_of(const struct dp_op *op)
{
    return (const struct dp_copy_field *) (const void *) op->data;
}

/* All ways to output are one action of the protocol. */
static unsigned
set_slot(const struct dp_op *op)
{
    switch (op->code) {
    case DP_OP_SET_FIELD:
        return 64u + op->aux;
    case DP_OP_COPY_FIELD:
        return 64u + N_FLOW_FIELDS + copy_of(op)->dst;
    case DP_OP_CONTROLLER:
    case DP_OP_NORMAL:
    case DP_OP_FLOOD:
    case DP_OP_ALL:
    case DP_OP_IN_PORT:
        return DP_OP_OUTPUT;
    default:
        return op->code;
    }
}

/* Set-fields, then copy-fields. */
static int
run_set_fields(struct interp *in)
{
    int drop = -1;

    for (unsigned i = 64; i < 64 + 2 * N_FLOW_FIELDS && drop < 0; i++)
        if (in->set[i])
            drop = run_op(in, in->set[i]);
    return drop;
}

static int
run_action_set(struct interp *in)
{
    int drop = -1;

    tell(in, (struct interp_step) { .kind = INTERP_SET, .drop = -1 });
    for (unsigned i = 0; i < WEFT_ARRAY_LEN(set_order) && drop < 0; i++) {
        const struct dp_op *op = in->set[set_order[i]];

        /* §5.10: an output beside a group is ignored. */
        if (set_order[i] == DP_OP_OUTPUT && in->set[DP_OP_GROUP])
            break;
        /* §7.4.1: the flow entry that caused a packet-in. */
        if (set_order[i] == DP_OP_OUTPUT)
            in->cookie = in->set_cookie;
        if (set_order[i] == DP_OP_GROUP)
            in->cookie = in->set_group_cookie;
        if (set_order[i] == DP_OP_SET_FIELD)
            drop = run_set_fields(in);
        else if (op)
            drop = run_op(in, op);
    }
    return drop;
}

/* ------------------------------------------------------------------ tables */

/* §5.3: the matching rule of highest priority. */
static const struct interp_rule *
find_rule(const struct interp *in)
{
    const struct interp_rule *best = NULL;

    for (size_t i = 0; i < in->pl->n_rules; i++) {
        const struct interp_rule *r = &in->pl->rules[i];

        if (r->table == in->table && (!best || r->priority > best->priority)
            && flow_match_test(&r->match, &in->f.k))
            best = r;
    }
    return best;
}

/* §5.4: a table without a table-miss rule drops, unless it was configured
 * otherwise (OpenFlow 1.0 to 1.2).  True: goes on at the next table. */
static bool
run_miss(struct interp *in)
{
    const struct dp_op punt = { .code = DP_OP_CONTROLLER, .words = 1,
                                .arg = 0xffff };

    switch (in->pl->miss[in->table]) {
    case DP_MISS_CONTROLLER:
        in->cookie = UINT64_MAX;
        output(in, &punt, DP_PUNT_NO_MATCH);
        return false;
    case DP_MISS_CONTINUE:
        /* Ingress tables do not run on into egress tables. */
        if (in->table + 1 < DP_N_TABLES
            && (in->in_egress || in->table + 1 != in->pl->egress)) {
            in->table++;
            return true;
        }
        break;
    default:
        break;
    }
    in->res->drop = DROP_NO_RULE;
    return false;
}

static uint32_t
actset_output(const struct interp *in)
{
    const struct dp_op *op = in->set[DP_OP_OUTPUT];

    if (!op || in->set[DP_OP_GROUP])
        return FLOW_PORT_UNSET;
    return op == &in->egress_op ? op->arg : dp_op_port(op);
}

/* §5.9: apply, clear, write, metadata; then goto or the action set.  True: a
 * goto. */
static bool
run_rule(struct interp *in, const struct interp_rule *r)
{
    const struct dp_instr *ins = &r->instr;
    uint64_t metadata;
    const struct dp_op *op;
    int drop = -1;

    in->cookie = r->cookie;
    if (ins->meter) {
        in->res->drop = interp_meter(in->pl, &in->f, ins->meter);
        if (in->res->drop >= 0)
            return false;
    }
    FOR_OPS (op, &ins->apply) {
        drop = run_op(in, op);
        if (drop >= 0)
            break;
    }
    if (drop < 0) {
        if (ins->clear)
            memset(in->set, 0, sizeof in->set);
        FOR_OPS (op, &ins->write) {
            in->set[set_slot(op)] = op;
            if (set_slot(op) == DP_OP_OUTPUT)
                in->set_cookie = r->cookie;
            if (set_slot(op) == DP_OP_GROUP)
                in->set_group_cookie = r->cookie;
        }
        /* 1.5.1 §7.2.3.8: what the action set would send it to. */
        in->f.k.actset_output = be32_from(actset_output(in));
        metadata = be64_to(in->f.k.metadata);
        metadata = (metadata & ~ins->metadata_mask)
                   | (ins->metadata & ins->metadata_mask);
        in->f.k.metadata = be64_from(metadata);
        if (ins->metadata_mask)
            tell(in, (struct interp_step) { .kind = INTERP_METADATA,
                                            .drop = -1 });
        if (ins->goto_table != DP_NO_TABLE) {
            in->table = ins->goto_table;
            in->res->drop = interp_parse(&in->f);
            return in->res->drop < 0;
        }
        drop = run_action_set(in);
    }
    in->res->drop = drop;
    if (drop < 0 && !in->sent)
        in->res->drop = DROP_RULE_DROP;
    return false;
}

static void
run_tables(struct interp *in)
{
    bool more = true;

    while (more) {
        const struct interp_rule *r = find_rule(in);

        tell(in, (struct interp_step) { .kind = INTERP_TABLE, .rule = r,
                                        .drop = -1 });
        more = r ? run_rule(in, r) : run_miss(in);
    }
}

static int
run_begin(struct interp *in, uint32_t in_port, const struct pkt_tunnel *tun,
          const uint8_t *data, size_t len)
{
    *in->res = (struct interp_result) { .drop = -1, .egress_drop = -1 };
    in->f.room = base_xmalloc(INTERP_HEADROOM + len + 1);
    in->f.p = in->f.room + INTERP_HEADROOM;
    in->f.len = len;
    memcpy(in->f.p, data, len);
    in->f.k.in_port = in->f.k.in_phy_port = be32_from(in_port);
    in->f.k.actset_output = be32_from(FLOW_PORT_UNSET);
    if (tun) {
        in->f.k.tun_id = be64_from(tun->id);
        in->f.k.tun_src = tun->src;
        in->f.k.tun_dst = tun->dst;
    }
    return interp_parse(&in->f);
}

static void
run_end(struct interp *in)
{
    if (in->res->drop >= 0)
        tell(in, (struct interp_step) { .kind = INTERP_DROP,
                                        .drop = in->res->drop });
    free(in->f.room);
}

void
interp_run(const struct interp_pipeline *pl, uint32_t in_port,
           const struct pkt_tunnel *tun, const uint8_t *data, size_t len,
           struct interp_result *res)
{
    struct interp in = { .pl = pl, .res = res };

    res->drop = run_begin(&in, in_port, tun, data, len);
    if (res->drop < 0 && pl->frag_drop
        && in.f.k.nw_flags & FLOW_NW_FRAG_ANY)
        res->drop = DROP_FRAGMENT;
    tell(&in, (struct interp_step) { .kind = INTERP_PACKET,
                                     .drop = res->drop });
    if (res->drop < 0)
        run_tables(&in);
    run_end(&in);
}

void
interp_run_ops(const struct interp_pipeline *pl, const struct dp_op_list *l,
               uint32_t in_port, const struct pkt_tunnel *tun,
               const uint8_t *data, size_t len, struct interp_result *res)
{
    struct interp in = { .pl = pl, .res = res };
    const struct dp_op *op;

    res->drop = run_begin(&in, in_port, tun, data, len);
    if (res->drop < 0) {
        FOR_OPS (op, l) {
            res->drop = run_op(&in, op);
            if (res->drop >= 0)
                break;
        }
    }
    run_end(&in);
}

void
interp_result_fini(struct interp_result *r)
{
    for (size_t i = 0; i < r->n_outs; i++)
        free(r->outs[i].data);
    free(r->outs);
    *r = (struct interp_result) { .drop = -1 };
}
