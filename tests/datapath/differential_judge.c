/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/datapath/differential.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utils/base/mem.h"

struct bed bed;
struct diff_seen expected[MAX_SEEN], got[MAX_SEEN];
unsigned n_expected, n_got;
bool judge_reasons = true;
unsigned judge_compared, judge_skipped;

/* Of the pipeline as it stands. */
static struct interp_pipeline now;
static struct interp_meter meters[N_METERS];

static uint64_t drops_expected[N_DROP_REASONS], drops_before[N_DROP_REASONS];
static bool drops_known;

/* ------------------------------------------------------ choices of buckets */

/* A flow at a select group. */
struct choice {
    uint32_t group;
    struct flow_key flow; /* The bits that are hashed. */
    unsigned may[MAX_BUCKETS], n_may, pick;
};

#define MAX_CHOICES 16
#define MAX_KNOWN 4096
static struct choice tried[MAX_CHOICES], known[MAX_KNOWN];
static unsigned n_tried, n_used, n_known;

/* OpenFlow 1.3.5 §6.7: a bucket is a candidate when it is live; those of
 * weight 0 get nothing, unless all have it. */
static unsigned
buckets_allowed(const struct diff_group *g, unsigned may[])
{
    unsigned n = 0, weights = 0;

    for (unsigned i = 0; i < g->n; i++)
        weights += g->b[i].weight;
    for (unsigned i = 0; i < g->n; i++)
        if (g->b[i].watch_port != NO_SUCH_PORT
            && (g->b[i].weight || !weights))
            may[n++] = i;
    return n;
}

/* Addresses, protocol and ports when no fields are named; fragments have no
 * ports. */
static void
flow_of(const struct diff_group *g, const struct flow_key *k,
        struct flow_key *out)
{
    const uint8_t *mask = (const uint8_t *) &g->mask;

    memset(out, 0, sizeof *out);
    if (g->has_mask) {
        for (size_t i = 0; i < sizeof *out; i++)
            ((uint8_t *) out)[i] = ((const uint8_t *) k)[i] & mask[i];
        return;
    }
    memcpy(out->eth_src, k->eth_src, 6);
    memcpy(out->eth_dst, k->eth_dst, 6);
    out->eth_type = k->eth_type;
    out->ip_proto = k->ip_proto;
    out->ip_src = k->ip_src;
    out->ip_dst = k->ip_dst;
    memcpy(out->ipv6_src, k->ipv6_src, 16);
    memcpy(out->ipv6_dst, k->ipv6_dst, 16);
    if (k->nw_flags & FLOW_NW_FRAG_ANY)
        return;
    out->tp_src = k->tp_src;
    out->tp_dst = k->tp_dst;
}

static const struct choice *
choice_find(const struct choice list[], unsigned n, const struct choice *c)
{
    for (unsigned i = 0; i < n; i++)
        if (list[i].group == c->group
            && !memcmp(&list[i].flow, &c->flow, sizeof c->flow))
            return &list[i];
    return NULL;
}

static uint32_t
choose(void *arg, uint32_t id, const struct flow_key *key)
{
    const struct diff_group *g = &((const struct diff_switch *) arg)->group[id];
    const struct choice *there;
    struct choice c = { .group = id };

    c.n_may = buckets_allowed(g, c.may);
    if (!c.n_may)
        return INTERP_NO_BUCKET;
    if (c.n_may == 1 || g->type == DP_GROUP_FF)
        return c.may[0];
    flow_of(g, key, &c.flow);
    there = choice_find(known, n_known, &c);
    if (!there)
        there = choice_find(tried, n_used, &c);
    if (there)
        return there->may[there->pick];
    ck_assert_uint_lt(n_used, MAX_CHOICES);
    if (n_used == n_tried) {
        tried[n_used] = c;
        n_tried++;
    }
    there = &tried[n_used++];
    return there->may[there->pick];
}

void
judge_choices_begin(void)
{
    n_tried = n_used = 0;
}

bool
judge_choices_next(void)
{
    n_tried = n_used; /* Those behind belong to another way. */
    n_used = 0;
    while (n_tried && ++tried[n_tried - 1].pick == tried[n_tried - 1].n_may)
        n_tried--;
    return n_tried > 0;
}

/* ---------------------------------------------------------------- pipeline */

static const struct interp_port all_ports[N_PORTS] = {
    { 1, 0 }, { 2, 0 }, { 3, 0 }, { 4, 0 },
};

static void
groups_get(struct interp_pipeline *pl, struct diff_switch *sw)
{
    static struct interp_group out[N_GROUPS];
    static struct dp_op_list lists[N_GROUPS][MAX_BUCKETS];

    for (unsigned id = 1; id <= N_GROUPS; id++) {
        struct diff_group *g = &sw->group[id];

        if (!g->there)
            continue;
        for (unsigned i = 0; i < g->n; i++)
            lists[id - 1][i] = ops_list(&g->o[i]);
        out[pl->n_groups++] = (struct interp_group) {
            .id = id, .type = g->type, .buckets = lists[id - 1],
            .n_buckets = g->n,
        };
    }
    pl->groups = out;
    pl->bucket = choose;
    pl->bucket_arg = sw;
}

static void
meters_get(struct interp_pipeline *pl, struct diff_switch *sw)
{
    static struct interp_meter out[N_METERS];
    struct dp_meter_config c;

    for (unsigned i = 1; i <= N_METERS; i++) {
        if (!sw->meter[i].there)
            continue;
        diff_meter_config(&sw->meter[i], &c);
        interp_meter_init(&out[pl->n_meters++], diff_meter_id(i), &c,
                          pl->now_ns);
    }
    pl->meters = out;
}

void
judge_pipeline(struct interp_pipeline *pl, struct diff_switch *sw)
{
    memset(pl, 0, sizeof *pl);
    pl->rules = sw->rules;
    pl->n_rules = sw->n_rules;
    memcpy(pl->miss, sw->miss, sizeof sw->miss);
    pl->egress = sw->egress;
    pl->frag_drop = sw->frag_drop;
    pl->ports = all_ports;
    pl->n_ports = N_PORTS;
    groups_get(pl, sw);
    meters_get(pl, sw);
}

void
judge_reset(void)
{
    memset(&now, 0, sizeof now);
    n_known = 0;
    judge_compared = judge_skipped = 0;
    judge_changed();
}

static bool
meter_changed(const struct diff_switch *before, uint32_t id)
{
    unsigned i = id == DP_METER_CONTROLLER ? N_METERS : id;

    return before->meter[i].change != diff.meter[i].change;
}

void
judge_changed(void)
{
    static struct diff_switch before;
    static struct interp_meter fresh[N_METERS];
    struct interp_pipeline pl;
    uint64_t now_ns = now.now_ns;

    judge_pipeline(&pl, &diff);
    pl.now_ns = now_ns;
    memcpy(fresh, pl.meters, sizeof fresh);
    for (size_t i = 0; i < pl.n_meters; i++) {
        fresh[i].last_ns = now_ns;
        for (size_t k = 0; k < now.n_meters; k++)
            if (fresh[i].id == now.meters[k].id
                && !meter_changed(&before, fresh[i].id))
                fresh[i] = now.meters[k];
    }
    memcpy(meters, fresh, sizeof meters);
    pl.meters = meters;
    if (memcmp(before.group, diff.group, sizeof diff.group))
        n_known = 0;
    before = diff;
    now = pl;
}

void
judge_pass_time(uint64_t ns)
{
    now.now_ns += ns;
    bed.dp->workers[0]->now_ns += ns;
}

/* ---------------------------------------------------------------- expected */

static unsigned the_frame;

static void
seen_add(struct diff_seen *list, unsigned *n, struct diff_seen s)
{
    ck_assert_uint_lt(*n, MAX_SEEN);
    s.data = base_xmemdup(s.data, s.len);
    list[(*n)++] = s;
}

static void
expect_port(const struct interp_out *o, uint32_t port)
{
    seen_add(expected, &n_expected, (struct diff_seen) {
        .port = port, .len = o->len, .data = o->data, .frame = the_frame });
}

static void
expect_out(const struct interp_out *o, uint32_t in_port)
{
    switch (o->code) {
    case DP_OP_OUTPUT:
        if (o->arg == in_port)
            drops_expected[DROP_TO_IN_PORT]++;
        else if (o->arg > N_PORTS)
            drops_expected[DROP_NO_PORT]++;
        else
            expect_port(o, o->arg);
        break;
    case DP_OP_IN_PORT:
        expect_port(o, in_port);
        break;
    case DP_OP_CONTROLLER:
        seen_add(expected, &n_expected, (struct diff_seen) {
            .cookie = o->cookie, .metadata = o->metadata,
            .reason = (uint8_t) o->reason, .table = o->table, .len = o->len,
            .data = o->data, .frame = the_frame });
        break;
    default:
        for (uint32_t p = 1; p <= N_PORTS; p++)
            if (p != in_port)
                expect_port(o, p);
        break;
    }
}

void
judge_expect(const struct interp_pipeline *pl, const struct frame *f,
             uint32_t in_port, unsigned number)
{
    struct interp_result res;

    n_used = 0;
    the_frame = number;
    interp_run(pl, in_port, NULL, f->b, f->len, &res);
    for (size_t i = 0; i < res.n_outs; i++)
        expect_out(&res.outs[i], in_port);
    /* What is left of a frame that was sent may be dropped (it is, if a meter
     * follows), or ops behind the last output left out. */
    if (res.n_outs || res.n_groups || res.n_metered || res.met_after
        || res.n_egress > 1
        || (res.n_egress && res.drop >= 0))
        drops_known = false;
    else if (res.n_egress && res.egress_drop >= 0)
        drops_expected[res.egress_drop]++;
    else if (res.drop >= 0)
        drops_expected[res.drop]++;
    interp_result_fini(&res);
}

void
judge_expected_free(void)
{
    while (n_expected)
        free(expected[--n_expected].data);
    memset(drops_expected, 0, sizeof drops_expected);
    drops_known = true;
}

/* --------------------------------------------------------------------- got */

void
judge_on_punt(void *arg, const struct dp_punt *p)
{
    (void) arg;
    seen_add(got, &n_got, (struct diff_seen) {
        .cookie = p->cookie, .metadata = p->metadata,
        .reason = (uint8_t) p->reason, .table = p->table, .len = p->len,
        .data = (uint8_t *) (uintptr_t) p->data });
}

void
judge_collect(void)
{
    struct rte_mbuf *m;
    uint8_t buf[2048];

    for (uint32_t port = 1; port <= N_PORTS; port++)
        while ((m = bed_take(&bed, port))) {
            ck_assert_uint_le(m->pkt_len, sizeof buf);
            seen_add(got, &n_got, (struct diff_seen) {
                .port = port, .len = m->pkt_len,
                .data = (uint8_t *) (uintptr_t) rte_pktmbuf_read(
                    m, 0, m->pkt_len, buf) });
            rte_pktmbuf_free(m);
        }
}

void
judge_got_free(void)
{
    while (n_got)
        free(got[--n_got].data);
}

bool
judge_seen_equal(const struct diff_seen *x, const struct diff_seen *y)
{
    return x->port == y->port && x->len == y->len
           && !memcmp(x->data, y->data, x->len) && x->cookie == y->cookie
           && x->metadata == y->metadata
           && (x->reason == y->reason || !judge_reasons)
           && x->table == y->table;
}

bool
judge_equal(unsigned number)
{
    static bool used[MAX_SEEN];
    unsigned n = 0;

    memset(used, 0, n_expected * sizeof used[0]);
    for (unsigned g = 0; g < n_got; g++) {
        unsigned k;

        if (number != UINT_MAX && got[g].frame != number)
            continue;
        for (k = 0; k < n_expected; k++)
            if (!used[k] && judge_seen_equal(&got[g], &expected[k]))
                break;
        if (k == n_expected)
            return false;
        used[k] = true;
        n++;
    }
    return n == n_expected;
}

static bool
drops_equal(void)
{
    struct dp_balance bal;

    dp_bridge_get_balance(bed.br, &bal);
    for (unsigned i = 0; drops_known && i < N_DROP_REASONS; i++)
        if (bal.dropped[i] - drops_before[i] != drops_expected[i])
            return false;
    return true;
}

/* ------------------------------------------------------------- explanation */

static char explain[16384];

static void
explain_step(void *arg, const struct interp_step *st)
{
    static const char *const kinds[] = { "packet", "table", "op", "set",
                                         "metadata", "group", "egress",
                                         "out", "drop" };
    static const char *const ops[] = {
#define DP_OP(id, name) name,
#include "weft/dp_ops.def"
#undef DP_OP
    };
    size_t n = strlen(explain);

    (void) arg;
    snprintf(explain + n, sizeof explain - n,
             "%*s%s table %u priority %d %s arg %x aux %x n %u drop %s\n",
             (int) st->depth * 2, "", kinds[st->kind], st->table,
             st->rule ? st->rule->priority : -1, st->op ? ops[st->op->code]
                                                        : "",
             st->group ? st->group->id : st->op ? st->op->arg : 0,
             st->op ? st->op->aux : 0, st->n,
             st->drop >= 0 ? drop_reason_names[st->drop] : "-");
}

static void
print_seen(const char *what, const struct diff_seen *s)
{
    fprintf(stderr, "%s: frame %u port %u table %u cookie %llx metadata %llx "
            "reason %u, %zu bytes:", what, s->frame, s->port, s->table,
            (unsigned long long) s->cookie, (unsigned long long) s->metadata,
            s->reason, s->len);
    for (size_t i = 0; i < s->len && i < 100; i++)
        fprintf(stderr, " %02x", s->data[i]);
    fprintf(stderr, "\n");
}

static void
print_drops(void)
{
    struct dp_balance bal;

    dp_bridge_get_balance(bed.br, &bal);
    for (unsigned i = 0; i < N_DROP_REASONS; i++)
        if (bal.dropped[i] != drops_before[i] || drops_expected[i])
            fprintf(stderr, "dropped as %s: %llu, expected %s%llu\n",
                    drop_reason_names[i],
                    (unsigned long long) (bal.dropped[i] - drops_before[i]),
                    drops_known ? "" : "at least ",
                    (unsigned long long) drops_expected[i]);
}

void
judge_differ(const struct interp_pipeline *pl, const struct frame *f,
             uint32_t in, const char *what)
{
    struct interp_pipeline explained = *pl;
    struct interp_result res;
    char frame[1200] = "";

    for (unsigned i = 0; i < n_got; i++)
        print_seen("got", &got[i]);
    for (unsigned i = 0; i < n_expected; i++)
        print_seen("expected", &expected[i]);
    print_drops();
    explained.step = explain_step;
    explain[0] = '\0';
    judge_choices_begin();
    interp_run(&explained, in, NULL, f->b, f->len, &res);
    interp_result_fini(&res);
    for (size_t i = 0; i < f->len && i < 500; i++)
        snprintf(frame + 2 * i, 3, "%02x", f->b[i]);
    ck_abort_msg("%s\nframe on port %u: %s\n%s", what, in, frame, explain);
}

/* -------------------------------------------------------------- comparison */

/* May the order in which packets meet a meter matter?  Not if all of them are
 * within a band, or all beyond it. */
static bool
meters_mixed(void)
{
    for (size_t i = 0; i < now.n_meters; i++)
        for (unsigned k = 0; k < now.meters[i].n; k++) {
            const struct interp_band *b = &now.meters[i].band[k];

            if (b->passed && (b->exceeded || (b->passed > 1 && b->level < 0)))
                return true;
        }
    return false;
}

static void
meters_forget(void)
{
    for (size_t i = 0; i < now.n_meters; i++)
        for (unsigned k = 0; k < now.meters[i].n; k++)
            now.meters[i].band[k].passed = now.meters[i].band[k].exceeded = 0;
}

/* Can what will come of these frames be said?  One alone: whatever buckets it
 * takes. */
static bool
foreseeable(const struct frame f[], const uint32_t in[], unsigned n)
{
    struct interp_meter before[N_METERS];
    bool clear = true, more = true;

    memcpy(before, meters, sizeof before);
    judge_choices_begin();
    while (clear && more) {
        meters_forget();
        for (unsigned i = 0; i < n && clear; i++) {
            judge_expect(&now, &f[i], in[i], i);
            clear = n == 1 || !n_used; /* Else learn first. */
        }
        judge_expected_free();
        clear = clear && !meters_mixed();
        more = judge_choices_next();
        memcpy(meters, before, sizeof before);
    }
    return clear;
}

/* What explained the frame is how its flows go from now on. */
static void
choices_learn(const struct choice c[], unsigned n)
{
    for (unsigned i = 0; i < n && n_known < MAX_KNOWN; i++)
        known[n_known++] = c[i];
}

/* The first frame of which something is missing. */
static unsigned
first_missing(void)
{
    for (unsigned k = 0; k < n_expected; k++) {
        unsigned g;

        for (g = 0; g < n_got; g++)
            if (judge_seen_equal(&got[g], &expected[k]))
                break;
        if (g == n_got)
            return expected[k].frame;
    }
    return 0;
}

/* Full buckets on both sides, where the test has lost count. */
static void
meters_refill(void)
{
    struct dp_meter_config c;
    size_t n = 0;

    for (unsigned i = 1; i <= N_METERS; i++) {
        if (!diff.meter[i].there)
            continue;
        diff_meter_config(&diff.meter[i], &c);
        ck_assert_int_eq(diff_install->meter_set(diff_meter_id(i), &c), 0);
        interp_meter_init(&meters[n++], diff_meter_id(i), &c, now.now_ns);
    }
    diff_install->commit();
}

/* Holds what was got against what any choice of buckets would make. */
static void
judge(const struct frame f[], const uint32_t in[], unsigned n)
{
    struct interp_meter before[N_METERS], after[N_METERS];
    struct choice learnt[MAX_CHOICES];
    unsigned n_ways = 0, n_learnt = 0;
    bool more = true, same = true;

    memcpy(before, meters, sizeof before);
    judge_choices_begin();
    while (more) {
        meters_forget();
        for (unsigned i = 0; i < n; i++)
            judge_expect(&now, &f[i], in[i], i);
        if (judge_equal(UINT_MAX) && drops_equal()) {
            same = same && (!n_ways
                            || !memcmp(after, meters, sizeof after));
            memcpy(after, meters, sizeof after);
            memcpy(learnt, tried, sizeof learnt);
            n_learnt = n_used;
            n_ways++;
        }
        more = judge_choices_next();
        if (!more && !n_ways)
            judge_differ(&now, &f[first_missing()], in[first_missing()],
                         "nothing explains what left");
        judge_expected_free();
        memcpy(meters, before, sizeof before);
    }
    if (n_ways == 1)
        choices_learn(learnt, n_learnt);
    memcpy(meters, after, sizeof after);
    if (!same) /* Ways that agree in what leaves, but not in the meters. */
        meters_refill();
}

void
judge_compare(const struct frame f[], const uint32_t in[], unsigned n)
{
    struct dp_balance bal;
    static struct pkt p;

    if (!foreseeable(f, in, n)) {
        for (unsigned i = 0; i < n && n > 1; i++)
            judge_compare(&f[i], &in[i], 1);
        judge_skipped += n == 1;
        return;
    }
    judge_compared += n;
    dp_bridge_get_balance(bed.br, &bal);
    memcpy(drops_before, bal.dropped, sizeof drops_before);
    for (unsigned i = 0; i < n; i++) {
        memcpy(p.b, f[i].b, f[i].len);
        p.len = f[i].len;
        bed_feed(&bed, in[i], &p);
    }
    for (uint32_t port = 1; port <= N_PORTS; port++)
        bed.ports[port].tx_room = BED_QUEUE;
    bed_run(&bed);
    judge_collect();
    judge(f, in, n);
    judge_got_free();
}
