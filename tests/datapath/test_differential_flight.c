/* SPDX-License-Identifier: Apache-2.0 */
/* Changes while packets are in flight, held against the interpreter.
 *
 * A worker thread forwards one frame many times while this one changes rules,
 * groups, meters and settings, one operation after the other, each committed.
 * Between two of its iterations the worker has seen all that was committed
 * before the first and nothing that was begun after the second: each packet
 * must be what the interpreter makes of it with some of the operations in
 * between.  Of what is one object's (a group, a meter, a setting), it may have
 * seen only the earlier ones; a packet looks at a table once, and tables
 * upwards, so a rule change seen in a table means that all earlier ones of
 * this table and the higher ones are seen.
 *
 * What egress tables send was looked up for each port by itself, and later:
 * there each copy that leaves must be what some state makes of it.
 *
 * The changes are calls of dp.h, or OpenFlow messages to the agent.
 * WEFT_LONG=N takes N times as long. */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/datapath/differential.h"

#define FRAMES 96
#define MAX_OPS 6
#define MAX_WAYS 2048 /* Tried for one packet, at most. */

enum what { NOTHING, ADD, DELETE, MODIFY, GROUP, METER, MISS, EGRESS, FRAG };

struct operation {
    enum what what;
    struct interp_rule was, is;
    uint32_t id; /* Of a group, a meter (its index), a table. */
    struct diff_group group;
    struct diff_meter meter;
    uint8_t miss, egress;
    bool frag_drop;
};

static struct {
    pthread_t thread;
    unsigned round, done;      /* Asked for; finished. */
    bool quit;
    unsigned begun, committed; /* Operations of this round. */
    unsigned n_runs;
    struct {
        unsigned n;            /* Frames until then. */
        unsigned from, to;     /* Operations that it may have seen. */
    } runs[FRAMES + 8];
    struct diff_switch sw[MAX_OPS + 1]; /* By the number of operations. */
    struct operation op[MAX_OPS + 1];
} fl;
static unsigned n_judged, n_unclear;

#define FL_LOAD(member) __atomic_load_n(&fl.member, __ATOMIC_SEQ_CST)
#define FL_STORE(member, v)                                                   \
    __atomic_store_n(&fl.member, (v), __ATOMIC_SEQ_CST)

/* ------------------------------------------------------------------ worker */

static void
forward(struct worker *w)
{
    unsigned sum = 0;

    rte_rcu_qsbr_thread_online(w->dp->rcu->qsbr, w->id);
    fl.n_runs = 0;
    while (fl.n_runs < WEFT_ARRAY_LEN(fl.runs)) {
        unsigned from = FL_LOAD(committed), i = fl.n_runs;
        unsigned n = worker_iterate(w);

        rcu_report(w->dp->rcu, w->id);
        if (!n)
            break;
        sum += n;
        fl.runs[i].n = sum;
        fl.runs[i].from = from;
        fl.runs[i].to = FL_LOAD(begun);
        fl.n_runs++;
    }
    rte_rcu_qsbr_thread_offline(w->dp->rcu->qsbr, w->id);
}

static void *
flight_main(void *arg)
{
    for (unsigned round = 1; !FL_LOAD(quit);) {
        if (FL_LOAD(round) != round) {
            sched_yield();
            continue;
        }
        forward(arg);
        FL_STORE(done, round++);
    }
    return NULL;
}

/* -------------------------------------------------------------- operations */

static void
rule_operation(struct operation *op)
{
    uint32_t n = (uint32_t) diff.n_rules, i = rnd(n + !n);

    op->what = !n || rnd(2) ? ADD : rnd(2) ? DELETE : MODIFY;
    if (op->what == ADD) {
        if (!diff_rule_add())
            op->what = NOTHING;
        else
            op->is = diff.rules[diff.n_rules - 1];
        return;
    }
    op->was = diff.rules[i];
    if (op->what == DELETE)
        diff_rule_del(i);
    else if (diff_rule_modify(i))
        op->is = diff.rules[i];
    else
        op->what = NOTHING;
}

static void
setting_operation(struct operation *op)
{
    op->what = MISS + rnd(3);
    if (op->what == MISS)
        diff_set_miss((uint8_t) (op->id = rnd(N_TABLES)),
                      (enum dp_miss) rnd(3));
    else if (op->what == EGRESS)
        diff_set_egress(rnd(2));
    else
        diff_set_frag_drop(rnd(2));
    op->miss = diff.miss[op->id];
    op->egress = diff.egress;
    op->frag_drop = diff.frag_drop;
}

static void
operation(struct operation *op)
{
    unsigned kind = rnd(8);

    memset(op, 0, sizeof *op);
    if (kind < 4) {
        rule_operation(op);
    } else if (kind == 7 && diff_install->settings) {
        setting_operation(op);
    } else if (kind == 6) {
        op->id = 1 + rnd(N_METERS - 1);
        op->what = diff_meter_change(op->id, true) ? METER : NOTHING;
        op->meter = diff.meter[op->id];
    } else {
        op->id = 1 + rnd(N_GROUPS);
        op->what = diff_group_change(op->id) ? GROUP : NOTHING;
        op->group = diff.group[op->id];
    }
}

static struct interp_rule *
rule_find(struct diff_switch *sw, const struct interp_rule *r)
{
    for (size_t i = 0; i < sw->n_rules; i++)
        if (sw->rules[i].table == r->table
            && sw->rules[i].priority == r->priority
            && flow_match_equal(&sw->rules[i].match, &r->match))
            return &sw->rules[i];
    ck_abort_msg("no rule %u in table %u", r->priority, r->table);
}

static void
operation_apply(struct diff_switch *sw, const struct operation *op)
{
    switch (op->what) {
    case NOTHING:
        break;
    case ADD:
        ck_assert_uint_lt(sw->n_rules, MAX_RULES);
        sw->rules[sw->n_rules++] = op->is;
        break;
    case DELETE:
        *rule_find(sw, &op->was) = sw->rules[sw->n_rules - 1];
        sw->n_rules--;
        break;
    case MODIFY:
        *rule_find(sw, &op->was) = op->is;
        break;
    case GROUP:
        sw->group[op->id] = op->group;
        break;
    case METER:
        sw->meter[op->id] = op->meter;
        break;
    case MISS:
        sw->miss[op->id] = op->miss;
        break;
    case EGRESS:
        sw->egress = op->egress;
        break;
    case FRAG:
        sw->frag_drop = op->frag_drop;
        break;
    }
}

static bool
is_rule_op(const struct operation *op)
{
    return op->what >= ADD && op->what <= MODIFY;
}

static uint8_t
table_of(const struct operation *op)
{
    return op->what == ADD ? op->is.table : op->was.table;
}

/* May a packet have seen 'later' and not 'op' before it? */
static bool
may_pass_over(const struct operation *op, const struct operation *later)
{
    if (is_rule_op(op) && is_rule_op(later))
        return table_of(op) < table_of(later);
    return op->what != later->what || op->id != later->id;
}

/* The switch after those operations behind 'from' whose bits are set.  False:
 * nobody can see it so. */
static bool
switch_get(struct diff_switch *sw, unsigned from, unsigned n, unsigned bits)
{
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = i + 1; k < n; k++)
            if (!(bits >> i & 1) && bits >> k & 1
                && !may_pass_over(&fl.op[from + 1 + i],
                                  &fl.op[from + 1 + k]))
                return false;
    *sw = fl.sw[from];
    for (unsigned i = 0; i < n; i++)
        if (bits >> i & 1)
            operation_apply(sw, &fl.op[from + 1 + i]);
    return true;
}

/* ----------------------------------------------------------------- judging */

/* Meters whose bit is set in 'empty' have no tokens left.  False: there are
 * not that many that may. */
static bool
meters_empty(struct interp_pipeline *pl, unsigned empty)
{
    unsigned n = 0;

    for (size_t i = 0; i < pl->n_meters; i++)
        if (pl->meters[i].band[0].said.rate == 1 && empty >> n++ & 1)
            pl->meters[i].band[0].level = 0;
    return !(empty >> n);
}

static bool
meters_order_matters(const struct interp_pipeline *pl)
{
    for (size_t i = 0; i < pl->n_meters; i++)
        if (pl->meters[i].band[0].passed && pl->meters[i].band[0].exceeded)
            return true;
    return false;
}

/* Does any choice of buckets and state of the meters explain frame 'number'? */
static bool
switch_explains(struct diff_switch *sw, const struct frame *f, uint32_t in,
                unsigned number, unsigned *ways)
{
    struct interp_pipeline pl;
    bool same = false, more = true;

    for (unsigned empty = 0; !same; empty++) {
        judge_choices_begin();
        for (more = true; more && !same; more = judge_choices_next()) {
            judge_pipeline(&pl, sw);
            if (!meters_empty(&pl, empty))
                return false;
            judge_expect(&pl, f, in, number);
            same = judge_equal(number);
            judge_expected_free();
            if (!same && (meters_order_matters(&pl) || ++*ways == MAX_WAYS)) {
                n_unclear++;
                same = true;
            }
        }
    }
    return true;
}

static unsigned n_ops; /* Of this round. */

/* Takes those of got[] that are expected now from 'left'. */
static unsigned
got_take(unsigned number, bool left[], unsigned n_left)
{
    for (unsigned g = 0; g < n_got && n_left; g++)
        for (unsigned k = 0; k < n_expected && left[g]; k++)
            if (got[g].frame == number && left[g]
                && judge_seen_equal(&got[g], &expected[k])) {
                left[g] = false;
                n_left--;
            }
    return n_left;
}

/* Does some state, from 'from' to the last, make each of what left? */
static bool
copies_explained(const struct frame *f, uint32_t in, unsigned number,
                 unsigned from)
{
    static struct diff_switch sw;
    static bool left[MAX_SEEN];
    struct interp_pipeline pl;
    unsigned n_left = 0;

    for (unsigned g = 0; g < n_got; g++)
        n_left += left[g] = got[g].frame == number;
    for (unsigned bits = 0; n_left && bits < 1u << (n_ops - from); bits++) {
        if (!switch_get(&sw, from, n_ops - from, bits))
            continue;
        for (unsigned empty = 0;; empty++) {
            judge_pipeline(&pl, &sw);
            if (!meters_empty(&pl, empty))
                break;
            judge_choices_begin();
            do {
                judge_expect(&pl, f, in, number);
                n_left = got_take(number, left, n_left);
                judge_expected_free();
            } while (n_left && judge_choices_next());
        }
    }
    return !n_left;
}

static bool
has_egress(unsigned from)
{
    for (unsigned i = from; i <= n_ops; i++)
        if (fl.sw[i].egress != DP_NO_TABLE)
            return true;
    return false;
}

static bool
explains(const struct frame *f, uint32_t in, unsigned number, unsigned from,
         unsigned to)
{
    static struct diff_switch sw;
    unsigned n = to - from, ways = 0;

    n_judged++;
    if (has_egress(from))
        return copies_explained(f, in, number, from);
    for (unsigned bits = 0; bits < 1u << n; bits++)
        if (switch_get(&sw, from, n, bits)
            && switch_explains(&sw, f, in, number, &ways))
            return true;
    return false;
}

static void
print_operations(unsigned from, unsigned to)
{
    static const char *const names[] = { "nothing", "add", "delete", "modify",
                                         "group", "meter", "miss", "egress",
                                         "fragments" };

    for (unsigned i = from + 1; i <= to; i++) {
        const struct operation *op = &fl.op[i];

        if (is_rule_op(op))
            fprintf(stderr, "operation %u: %s rule %u of table %u\n", i,
                    names[op->what],
                    op->what == ADD ? op->is.priority : op->was.priority,
                    table_of(op));
        else
            fprintf(stderr, "operation %u: %s %u\n", i, names[op->what],
                    op->id);
    }
}

static void
flight_fail(const struct frame *f, uint32_t in, unsigned number,
            unsigned from, unsigned to)
{
    struct interp_pipeline pl;
    unsigned n = 0;

    for (unsigned g = 0; g < n_got; g++)
        if (got[g].frame == number)
            got[n++] = got[g];
    n_got = n;
    print_operations(from, to);
    judge_pipeline(&pl, &fl.sw[from]);
    judge_choices_begin();
    judge_expect(&pl, f, in, number);
    judge_differ(&pl, f, in, "no state of the switch explains this; "
                             "expected before all operations");
}

/* ------------------------------------------------------------------ rounds */

static uint64_t
lost_punts(void)
{
    return bed_drops(&bed, DROP_PUNT_QUOTA) + bed_drops(&bed, DROP_PUNT_FULL);
}

/* What left is told apart by the last bytes of each frame. */
static void
collect(void)
{
    judge_collect();
    for (unsigned g = 0; g < n_got; g++)
        got[g].frame = get_be32(got[g].data + got[g].len - 4);
}

static void
feed(struct frame *f, uint32_t in)
{
    static struct pkt p;

    f->len += 4; /* Behind the packet: no action writes there. */
    memcpy(p.b, f->b, f->len);
    p.len = f->len;
    for (unsigned i = 0; i < FRAMES; i++) {
        put_be32(p.b + p.len - 4, i);
        bed_feed(&bed, in, &p);
    }
    for (uint32_t port = 1; port <= N_PORTS; port++)
        bed.ports[port].tx_room = BED_QUEUE;
}

/* One frame, many times, while things change. */
static void
flight_round(unsigned round)
{
    struct frame f = frames[rnd(n_frames)];
    uint32_t in = 1 + rnd(N_PORTS);
    unsigned run = 0;
    uint64_t lost = lost_punts();

    n_ops = 1 + rnd(MAX_OPS);
    diff_retired_free();
    feed(&f, in);
    fl.sw[0] = diff;
    FL_STORE(begun, 0);
    FL_STORE(committed, 0);
    FL_STORE(round, round);
    for (unsigned i = 1; i <= n_ops; i++) {
        for (volatile unsigned spin = rnd(4000); spin; spin--)
            continue;
        FL_STORE(begun, i);
        operation(&fl.op[i]);
        diff_install->commit();
        fl.sw[i] = diff;
        FL_STORE(committed, i);
    }
    while (FL_LOAD(done) != round)
        sched_yield();
    while (dp_run(bed.dp, 64))
        continue;
    collect();
    for (unsigned i = 0; i < FRAMES && lost == lost_punts(); i++) {
        while (fl.runs[run].n <= i)
            run++;
        put_be32(f.b + f.len - 4, i);
        if (!explains(&f, in, i, fl.runs[run].from, fl.runs[run].to))
            flight_fail(&f, in, i, fl.runs[run].from, fl.runs[run].to);
    }
    judge_got_free();
}

static void
flight(unsigned n_rounds)
{
    bed.dp->ev.punt = judge_on_punt;
    frames_make();
    judge_reset();
    for (unsigned i = 1; i <= N_GROUPS; i++)
        diff_group_change(N_GROUPS + 1 - i);
    for (unsigned i = 1; i < N_METERS; i++)
        diff_meter_change(i, true);
    for (unsigned i = 0; i < 60 && diff.n_rules < 30; i++)
        diff_rule_add();
    diff_install->commit();
    memset(&fl, 0, sizeof fl);
    n_judged = n_unclear = 0;
    ck_assert_int_eq(pthread_create(&fl.thread, NULL, flight_main,
                                    bed.dp->workers[0]), 0);
    for (unsigned round = 1; round <= n_rounds; round++)
        flight_round(round);
    FL_STORE(quit, true);
    pthread_join(fl.thread, NULL);
    ck_assert_uint_gt(n_judged, 20 * n_unclear);
    diff_rules_clear();
}

/* ------------------------------------------------------------------- tests */

static unsigned
length(void)
{
    const char *s = getenv("WEFT_LONG");
    long n = s ? strtol(s, NULL, 10) : 1;

    return n > 0 ? (unsigned) n : 1;
}

static const uint32_t caches[] = { 0, 1, 16 }; /* Default, none, tiny. */

START_TEST(test_differential_changes_while_packets_are_in_flight)
{
    for (uint64_t seed = 201; seed <= 200 + length(); seed++) {
        rnd_seed(seed);
        bed_open_cache(&bed, N_PORTS, 0, caches[_i]);
        diff_reset(&diff_direct);
        flight(600);
        bed_close(&bed);
    }
}
END_TEST

/* By messages of 1.3, 1.4 and 1.5. */
START_TEST(test_differential_messages_while_packets_are_in_flight)
{
    judge_reasons = false;
    for (uint64_t seed = 301; seed <= 300 + length(); seed++) {
        rnd_seed(seed + 10 * (uint64_t) _i);
        wire_open(caches[_i % 3], (uint8_t) (4 + _i % 3));
        flight(300);
        ck_assert_uint_gt(wire_accepted, wire_refused / 4);
        wire_close();
    }
}
END_TEST

int
main(void)
{
    TCase *tc = tcase_create("differential_flight");

    tcase_set_timeout(tc, 300 * length());
    tcase_add_unchecked_fixture(tc, bed_eal_up, NULL);
    tcase_add_loop_test(tc,
                        test_differential_changes_while_packets_are_in_flight,
                        0, WEFT_ARRAY_LEN(caches));
    tcase_add_loop_test(
        tc, test_differential_messages_while_packets_are_in_flight, 0, 3);
    return bed_main("datapath", tc);
}
