/* SPDX-License-Identifier: Apache-2.0 */
/* dp_trace: the bridge's rules, given to the reference interpreter, and what
 * the fast path has made of them beside it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/dp_priv.h"
#include "datapath/extract.h"
#include "datapath/group.h"
#include "datapath/interp.h"
#include "datapath/stage_fast.h"
#include "utils/base/mem.h"

/* One trace. */
struct trace {
    struct dp_bridge *br;
    dp_trace_cb *cb;
    void *arg;
    struct interp_pipeline pl;
    /* Parallel lists. */
    struct interp_rule *rules;
    struct dp_rule **from;
    size_t n_rules;
    uint32_t gen; /* Of the bridge: rules as it has them. */
    struct interp_port *ports;
    struct interp_group *groups;
    struct dp_trace_port *to; /* Room for all ports. */
};

/* ------------------------------------------- what the interpreter wants */

static void
rule_describe(void *arg, struct tbl_rule *tr)
{
    struct dp_rule *r = dp_rule_of(tr);
    struct trace *t = arg;
    struct interp_rule *out;
    struct rule_side side = dp_rule_side(r, t->gen);

    if (!side.act) /* Of a transaction to come. */
        return;
    t->from[t->n_rules] = r;
    out = &t->rules[t->n_rules++];
    out->table = dp_rule_table(r);
    out->priority = tr->priority;
    out->cookie = side.cookie;
    act_view(side.act, &out->instr);
    dp_rule_get_match(r, &out->match);
}

/* Ops of a program up to where it is no list of actions any more; *end is the
 * op found there, NULL: none.  EGRESS is left out: the pipeline knows. */
static uint32_t
program_ops(const uint64_t *ops, uint32_t n_words, uint64_t *out,
            const struct dp_op **end)
{
    const struct dp_op *op;
    uint32_t n = 0;

    *end = NULL;
    PROG_FOR_OPS(op, ops, n_words) {
        if (!op->words) /* Overwritten meanwhile. */
            break;
        if (op->code == PROG_OP_EGRESS)
            continue;
        if (op->code >= N_DP_OPS) {
            *end = op;
            break;
        }
        memcpy(out + n, op, 8u * op->words);
        n += op->words;
    }
    return n;
}

static void
group_describe(const struct dp_group *g, struct interp_group *out)
{
    const struct group_act *a = g->act;
    struct dp_op_list *l = base_xcalloc(a->n_buckets + 1, sizeof *l);

    for (uint32_t i = 0; i < a->n_buckets; i++) {
        uint64_t *words = base_xcalloc(a->b[i].n_words + 1, 8);
        const struct dp_op *end;

        l[i].n_words = program_ops(a->b[i].ops, a->b[i].n_words, words, &end);
        l[i].ops = prog_op_at(words);
    }
    *out = (struct interp_group) {
        .id = g->id, .type = a->type, .buckets = l, .n_buckets = a->n_buckets,
    };
}

static void
groups_describe(struct trace *t)
{
    const struct group_table *gt = t->br->groups;

    if (!gt)
        return;
    t->groups = base_xcalloc((size_t) gt->mask + 1, sizeof *t->groups);
    for (size_t i = 0; i <= gt->mask; i++)
        if (gt->e[i].id != DP_GROUP_NONE && gt->e[i].g)
            group_describe(gt->e[i].g, &t->groups[t->pl.n_groups++]);
    t->pl.groups = t->groups;
}

static void
groups_free(struct trace *t)
{
    for (size_t i = 0; i < t->pl.n_groups; i++) {
        for (size_t k = 0; k < t->groups[i].n_buckets; k++)
            free((void *) (uintptr_t) t->groups[i].buckets[k].ops);
        free((void *) (uintptr_t) t->groups[i].buckets);
    }
    free(t->groups);
}

static uint32_t
bucket_of(void *arg, uint32_t group, const struct flow_key *k)
{
    const struct trace *t = arg;
    const struct dp_group *g = dp_group_find(t->br, group);

    return g ? group_choose(t->br, g->act, k) : INTERP_NO_BUCKET;
}

/* Where NORMAL finds an address, as the workers do. */
static struct mac_place
mac_find(const struct trace *t, const uint8_t mac[6], uint16_t vlan)
{
    struct mac_place at = { 0 }, unknown = { 0 };
    const struct dp_port *p;

    if (!(mac[0] & 1))
        at = mac_lookup(t->br->macs, mac, vlan, dp_tick_now(t->br->dp));
    p = at.port ? dp_bridge_port(t->br, at.port) : NULL;
    return !p || (p->peers && !peers_at(p->peers, at.peer)) ? unknown : at;
}

static uint32_t
mac_port(void *arg, const uint8_t mac[6], uint16_t vlan)
{
    return mac_find(arg, mac, vlan).port;
}

static void
ports_describe(struct trace *t)
{
    const struct dp_port_list *l = t->br->flood;
    size_t n = 1;

    for (unsigned i = 0; i < l->n; i++)
        n += l->p[i]->peers ? WEFT_MAX(l->p[i]->peers->n, 1u) : 1;
    t->ports = base_xcalloc(l->n + 1, sizeof *t->ports);
    t->to = base_xcalloc(n, sizeof *t->to);
    for (unsigned i = 0; i < l->n; i++)
        t->ports[t->pl.n_ports++] = (struct interp_port) {
            l->p[i]->port_no, l->p[i]->config,
        };
    t->pl.ports = t->ports;
}

/* ------------------------------------------------------------ who gets it */

/* Why port 'no' does not send what goes there; -1: it does. */
static int
port_refuses(const struct trace *t, uint32_t no, uint32_t in_port,
             bool to_in_port)
{
    const struct dp_port *p = dp_bridge_port(t->br, no);

    if (!p)
        return DROP_NO_PORT;
    if (no == in_port && !to_in_port)
        return DROP_TO_IN_PORT;
    if (p->config & DP_PC_DOWN)
        return DROP_TX_PORT_DOWN;
    return p->config & DP_PC_NO_FWD ? DROP_NO_FWD : -1;
}

/* Split horizon: from one port with peers to another? */
static bool
horizon_refuses(const struct trace *t, uint32_t in_port,
                const struct dp_port *p)
{
    const struct dp_port *in = dp_bridge_port(t->br, in_port);

    return p->split_horizon && in && in->split_horizon;
}

/* To the one port that NORMAL found, or that an output names. */
static void
out_one(struct trace *t, const struct interp_step *s, struct mac_place at,
        struct dp_trace_step *out)
{
    uint32_t in_port = be32_to(s->key->in_port);
    bool to_in_port = s->op->code == DP_OP_IN_PORT;
    const struct dp_port *p = dp_bridge_port(t->br, at.port);
    struct dp_trace_port to = {
        .port_no = at.port,
        .drop = port_refuses(t, at.port, in_port, to_in_port),
    };

    if (p && p->peers && at.peer)
        to.remote = peers_at(p->peers, at.peer);
    if (to.drop < 0 && s->op->code == DP_OP_NORMAL
        && horizon_refuses(t, in_port, p))
        to.drop = DROP_SPLIT_HORIZON;
    t->to[out->n_ports++] = to;
}

/* To one port of a flood; once for each peer that it has. */
static void
out_flood(struct trace *t, uint32_t in_port, const struct dp_port *p,
          struct dp_trace_step *out)
{
    if (!p->peers) {
        t->to[out->n_ports++] = (struct dp_trace_port) {
            .port_no = p->port_no, .drop = -1,
        };
        return;
    }
    for (uint32_t i = 0; i < p->peers->n; i++)
        if (p->peers->at[i].addr && !horizon_refuses(t, in_port, p))
            t->to[out->n_ports++] = (struct dp_trace_port) {
                .port_no = p->port_no, .drop = -1,
                .remote = p->peers->at[i].addr,
            };
}

static void
out_ports(struct trace *t, const struct interp_step *s,
          struct dp_trace_step *out)
{
    uint32_t in_port = be32_to(s->key->in_port);
    uint32_t not = DP_PC_DOWN | DP_PC_NO_FWD | DP_PC_NO_FLOOD;
    struct mac_place at = { 0 };

    out->ports = t->to;
    if (s->op->code == DP_OP_CONTROLLER)
        return;
    if (s->op->code == DP_OP_OUTPUT)
        at.port = s->op->arg;
    else if (s->op->code == DP_OP_IN_PORT)
        at.port = in_port;
    else if (s->op->code == DP_OP_NORMAL)
        at = mac_find(t, s->data, be16_to(s->key->vlan_tci) & 0xfff);
    if (at.port || s->op->code == DP_OP_OUTPUT
        || s->op->code == DP_OP_IN_PORT) {
        out_one(t, s, at, out);
        return;
    }
    out->flooded = s->op->code == DP_OP_NORMAL;
    if (s->op->code == DP_OP_ALL)
        not &= ~DP_PC_NO_FLOOD;
    for (size_t i = 0; i < t->pl.n_ports; i++) {
        const struct dp_port *p = dp_bridge_port(t->br, t->ports[i].no);

        if (p && p->port_no != in_port && !(t->ports[i].config & not))
            out_flood(t, in_port, p, out);
    }
}

/* ------------------------------------------------------------------ steps */

/* Does the compiled table find what the interpreter found? */
static bool
table_agrees(const struct trace *t, const struct interp_step *s)
{
    const struct tbl *tbl = t->br->tables[s->table].tbl;
    struct tbl_rule *tr = NULL;

    if (!tbl)
        return !s->rule;
    tbl_lookup_burst(tbl, &s->key, 1, &tr);
    /* One that a transaction adds or takes is seen by those who ask. */
    if (tr && !dp_rule_is_there(dp_rule_of(tr), t->gen))
        return true;
    if (!tr || !s->rule)
        return !tr == !s->rule;
    /* Of rules of one priority any may be found. */
    return tr->priority == s->rule->priority;
}

static void
table_step(const struct trace *t, const struct interp_step *s,
           struct tbl_info *info, struct dp_trace_step *out)
{
    const struct dp_table *dt = &t->br->tables[s->table];

    if (dt->tbl)
        tbl_get_info(dt->tbl, info);
    out->form = dt->tbl ? info->form : "empty";
    out->miss = (enum dp_miss) dt->miss;
    out->agrees = table_agrees(t, s);
    if (!s->rule)
        return;
    out->match = &s->rule->match;
    out->instr = &s->rule->instr;
    out->priority = s->rule->priority;
    out->cookie = s->rule->cookie;
    dp_rule_get_stats(t->from[s->rule - t->rules], &out->stats);
}

static void
on_step(void *arg, const struct interp_step *s)
{
    static const enum dp_trace_kind kinds[] = {
        [INTERP_PACKET] = DP_TRACE_PACKET, [INTERP_TABLE] = DP_TRACE_TABLE,
        [INTERP_OP] = DP_TRACE_OP, [INTERP_SET] = DP_TRACE_SET,
        [INTERP_METADATA] = DP_TRACE_METADATA,
        [INTERP_GROUP] = DP_TRACE_GROUP, [INTERP_EGRESS] = DP_TRACE_EGRESS,
        [INTERP_OUT] = DP_TRACE_OUT, [INTERP_DROP] = DP_TRACE_DROP,
    };
    struct trace *t = arg;
    struct tbl_info info;
    struct dp_trace_step out = {
        .kind = kinds[s->kind], .depth = s->depth, .table = s->table,
        .drop = s->drop, .op = s->op, .before = s->before, .key = s->key,
        .data = s->data, .len = s->len, .port = s->n,
    };

    if (s->kind == INTERP_TABLE) {
        table_step(t, s, &info, &out);
    } else if (s->kind == INTERP_OUT) {
        out_ports(t, s, &out);
    } else if (s->kind == INTERP_GROUP) {
        out.group = s->group->id;
        out.type = s->group->type;
        out.bucket = s->n;
        out.n_buckets = (uint32_t) s->group->n_buckets;
    }
    t->cb(t->arg, &out);
}

/* ----------------------------------------------------------------- caches */

static bool
same_outputs(const struct interp_result *a, const struct interp_result *b,
             size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a->outs[i].code != b->outs[i].code
            || a->outs[i].arg != b->outs[i].arg
            || a->outs[i].len != b->outs[i].len
            || memcmp(a->outs[i].data, b->outs[i].data, a->outs[i].len))
            return false;
    return true;
}

struct trace_input {
    uint32_t in_port;
    const struct pkt_tunnel *tun;
    const uint8_t *data;
    size_t len;
    struct flow_key key; /* As the worker looks it up. */
};

/* Runs a cached program on the frame and compares with the interpreter. */
static enum dp_trace_cache
program_agrees(struct trace *t, const struct trace_input *in,
               const struct dp_op_list *ops, bool resumes,
               const struct interp_result *want)
{
    struct interp_pipeline pl = t->pl;
    struct interp_result got;
    enum dp_trace_cache verdict;

    pl.step = NULL;
    interp_run_ops(&pl, ops, in->in_port, in->tun, in->data, in->len, &got);
    if (resumes ? got.n_outs > want->n_outs : got.n_outs != want->n_outs)
        verdict = DP_TRACE_DISAGREES;
    else if (!same_outputs(&got, want, got.n_outs))
        verdict = DP_TRACE_DISAGREES;
    else
        verdict = resumes ? DP_TRACE_PARTLY : DP_TRACE_AGREES;
    interp_result_fini(&got);
    return verdict;
}

static void
cache_step(struct trace *t, unsigned worker, const struct trace_input *in,
           const struct interp_result *want)
{
    const struct bridge_pw *bp = t->br->pw[worker];
    uint32_t stamp = dp_load(&bp->stamp);
    uint64_t words[PROG_MAX_WORDS];
    const struct fc_entry *e;
    const struct dp_op *end;
    struct dp_trace_step out = {
        .kind = DP_TRACE_CACHE, .drop = -1, .worker = worker,
        .key = &in->key, .data = in->data, .len = in->len,
    };

    if (bp->fc && !t->br->cache_off) {
        const struct prog *p;
        const struct prog_code *code;

        e = fc_find(bp->fc, &in->key);
        out.cache = DP_TRACE_UNKNOWN;
        if (e && atomic_load(&e->live)) {
            p = fc_entry_prog(e);
            out.packets = atomic_load(&e->packets);
            out.cache = DP_TRACE_STALE;
            /* Only what is proven now is known to point to a program, and
             * the worker is not to have changed its mind meanwhile. */
            if (p && dp_cache_holds(t->br, worker, &in->key,
                                    fc_entry_stamp(e))) {
                code = dp_load(&p->code);
                out.ops.n_words = program_ops(
                    code->ops, WEFT_MIN(code->n_words, PROG_MAX_WORDS), words,
                    &end);
                out.ops.ops = prog_op_at(words);
                if (dp_load(&bp->stamp) == stamp)
                    out.cache = program_agrees(
                        t, in, &out.ops, end && end->code == PROG_OP_RESUME,
                        want);
            }
        }
    }
    t->cb(t->arg, &out);
}

static void
caches(struct trace *t, struct trace_input *in,
       const struct interp_result *want)
{
    struct pkt_layout lay = { 0 };

    in->key.in_port = in->key.in_phy_port = be32_from(in->in_port);
    if (in->tun) {
        in->key.tun_id = be64_from(in->tun->id);
        in->key.tun_src = in->tun->src;
        in->key.tun_dst = in->tun->dst;
    }
    if (extract_key(in->data, in->len, &in->key, &lay) != EXTRACT_OK)
        return;
    for (unsigned i = 0; i < t->br->dp->n_workers; i++)
        cache_step(t, i, in, want);
}

int
dp_frame_key(const uint8_t *p, size_t len, struct flow_key *k)
{
    struct pkt_layout lay = { .line1 = true };

    memset(k, 0, sizeof *k);
    return extract_key(p, len, k, &lay) + 1; /* EXTRACT_OK is -1. */
}

int
dp_trace(struct dp_bridge *br, uint32_t in_port, const struct pkt_tunnel *tun,
         const uint8_t *data, size_t len, dp_trace_cb *cb, void *arg)
{
    struct trace t = { .br = br, .cb = cb, .arg = arg, .gen = br->gen };
    struct trace_input in = { in_port, tun, data, len, { 0 } };
    struct interp_result res;
    size_t n = 0;

    if (len < 14 || len > 65535)
        return -EINVAL;
    for (unsigned i = 0; i < DP_N_TABLES; i++) {
        n += br->tables[i].n_rules;
        t.pl.miss[i] = br->tables[i].miss;
    }
    t.rules = base_xcalloc(n + 1, sizeof *t.rules);
    t.from = base_xcalloc(n + 1, sizeof *t.from);
    dp_bridge_each_rule(br, rule_describe, &t);
    t.pl.rules = t.rules;
    t.pl.n_rules = t.n_rules;
    t.pl.egress = br->egress;
    t.pl.frag_drop = br->frag_drop;
    t.pl.mac_port = mac_port;
    t.pl.bucket = bucket_of;
    t.pl.step = on_step;
    t.pl.mac_arg = t.pl.bucket_arg = t.pl.step_arg = &t;
    ports_describe(&t);
    groups_describe(&t);
    interp_run(&t.pl, in_port, tun, data, len, &res);
    caches(&t, &in, &res);
    interp_result_fini(&res);
    groups_free(&t);
    free(t.ports);
    free(t.to);
    free(t.from);
    free(t.rules);
    return 0;
}
