/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions: what packets see of staged changes, in every form of the
 * compiled tables, with and without cache, against a list of rules compared
 * one by one. */
#include "weft/dp.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/datapath/bed.h"

#define N_PORTS 4
#define N_TABLES 3
#define MAX_SLOTS 600
#define N_FRAMES 12

static struct bed b;
static uint64_t rng;

static uint32_t
rnd(uint32_t limit)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (uint32_t) ((rng >> 16) % limit);
}

/* ------------------------------------------------------------------- model */

/* What a rule does: 1..N_PORTS: output; 0: to the next table. */
struct does {
    bool there;
    uint8_t port;
};

/* A place for a rule: its table, match and priority never change. */
struct slot {
    uint8_t table;
    uint16_t priority;
    struct flow_match match;
    struct does is, will; /* For packets now; after the transaction. */
    struct dp_rule *rule;
};

static struct slot slots[MAX_SLOTS];
static unsigned n_slots;
static struct pkt frames[N_FRAMES];
static struct flow_key keys[N_FRAMES];

static void
frames_make(void)
{
    for (unsigned i = 0; i < N_FRAMES; i++) {
        struct pkt *p = &frames[i];
        struct pkt_layout lay = { 0 };

        pkt_init(p);
        pkt_eth(p, PKT_MAC(2), PKT_MAC(1), 0x0800);
        pkt_ipv4(p, 0x0a000000 + rnd(4), 0x0b000000 + rnd(4), 17);
        pkt_udp(p, (uint16_t) rnd(4), (uint16_t) rnd(4));
        pkt_payload(p, 18);
        pkt_end(p);
        memset(&keys[i], 0, sizeof keys[i]);
        keys[i].in_port = keys[i].in_phy_port = be32_from(1);
        ck_assert_int_eq(extract_key(p->b, p->len, &keys[i], &lay),
                         EXTRACT_OK);
    }
}

/* Some bits of the addresses and ports of some frame: 'kinds' masks. */
static void
match_make(struct flow_match *m, unsigned kinds)
{
    static const uint32_t bits[4] = { 0xffffffff, 0xfffffffe, 0xfffffffc, 0 };
    const struct flow_key *k = &keys[rnd(N_FRAMES)];
    unsigned kind = rnd(kinds);

    memset(m, 0, sizeof *m);
    match_u64(m, FLOW_F_ETH_TYPE, 0x0800);
    match_u64(m, FLOW_F_IP_PROTO, 17);
    m->mask.ip_src = be32_from(bits[kind & 3]);
    m->mask.ip_dst = be32_from(bits[kind >> 2 & 3]);
    m->mask.tp_src = be16_from((uint16_t) bits[kind >> 4 & 3]);
    m->mask.tp_dst = be16_from((uint16_t) bits[kind >> 6 & 3]);
    for (unsigned w = 0; w < FLOW_KEY_WORDS; w++)
        flow_key_set_word(&m->key, w, flow_key_word(k, w)
                                          & flow_key_word(&m->mask, w));
    /* Some that no frame meets. */
    if (rnd(3) == 0 && m->mask.ip_src)
        m->key.ip_src |= be32_from(rnd(250) << 8) & m->mask.ip_src;
}

static void
slots_make(unsigned n, unsigned kinds)
{
    n_slots = n;
    for (unsigned i = 0; i < n; i++) {
        slots[i] = (struct slot) { .table = (uint8_t) rnd(N_TABLES),
                                   .priority = (uint16_t) (1 + i) };
        if (i && rnd(3) == 0) /* The same match, another priority. */
            slots[i].match = slots[rnd(i)].match;
        else
            match_make(&slots[i].match, kinds);
    }
}

/* Port that the frame leaves by; 0: none. */
static unsigned
model_run(unsigned f, bool will)
{
    for (unsigned t = 0; t < N_TABLES; t++) {
        const struct slot *best = NULL;
        const struct does *d;

        for (unsigned i = 0; i < n_slots; i++) {
            const struct slot *s = &slots[i];

            d = will ? &s->will : &s->is;
            if (d->there && s->table == t
                && (!best || s->priority > best->priority)
                && flow_match_test(&s->match, &keys[f]))
                best = s;
        }
        if (!best)
            return 0;
        d = will ? &best->will : &best->is;
        if (d->port)
            return d->port;
    }
    return 0;
}

static void
frames_check(bool will)
{
    unsigned want[N_PORTS + 1] = { 0 };

    for (unsigned i = 0; i < N_FRAMES; i++) {
        want[model_run(i, will)]++;
        bed_feed(&b, 1, &frames[i]);
    }
    while (worker_iterate(b.dp->workers[0]))
        continue;
    for (unsigned p = 2; p <= N_PORTS; p++) {
        ck_assert_uint_eq(bed_count(&b, p), want[p]);
        b.ports[p].tx_room = BED_QUEUE;
    }
}

/* ----------------------------------------------------------------- changes */

static struct dp_instr
instr_make(const struct slot *s, uint8_t port, struct ops *o)
{
    struct dp_instr in = { .goto_table = DP_NO_TABLE };

    o->n = 0;
    if (port) {
        ops_add(o, DP_OP_OUTPUT, 0, port);
        in.apply = ops_list(o);
    } else {
        in.goto_table = (uint8_t) (s->table + 1);
    }
    return in;
}

/* Adds, changes or deletes the rule of 's'. */
static void
slot_change(struct slot *s)
{
    uint8_t port = s->table < N_TABLES - 1 && rnd(2)
                       ? 0 : (uint8_t) (2 + rnd(N_PORTS - 1));
    struct ops o;
    struct dp_instr in = instr_make(s, port, &o);

    if (!s->will.there) {
        ck_assert_int_eq(dp_rule_add(b.br, s->table, s->priority, &s->match,
                                     &in, s->priority, &s->rule), 0);
        s->will.there = true;
    } else if (rnd(2)) {
        dp_rule_del(s->rule);
        s->rule = NULL;
        s->will = (struct does) { false, 0 };
        return;
    } else {
        ck_assert_int_eq(dp_rule_set(s->rule, &in, s->priority), 0);
    }
    s->will.port = port;
}

static void
slots_take_over(bool will)
{
    for (unsigned i = 0; i < n_slots; i++)
        if (will)
            slots[i].is = slots[i].will;
        else
            slots[i].will = slots[i].is;
}

/* Changes without a transaction. */
static void
slots_fill(void)
{
    for (unsigned i = 0; i < n_slots; i++)
        if (rnd(2))
            slot_change(&slots[i]);
    slots_take_over(true);
    dp_commit(b.dp);
    bed_run(&b);
    frames_check(false);
}

/* One transaction with packets at every point of it. */
static void
transaction(unsigned n, bool commit)
{
    struct dp_rule *rules[MAX_SLOTS];

    for (unsigned i = 0; i < n_slots; i++)
        rules[i] = slots[i].rule;
    ck_assert_int_eq(dp_txn_begin(b.br), 0);
    ck_assert_int_eq(dp_txn_begin(b.br), -EBUSY);
    for (unsigned i = 0; i < n; i++) {
        slot_change(&slots[rnd(n_slots)]);
        if (rnd(n) < 3) {
            if (rnd(2)) /* Others commit meanwhile. */
                dp_commit(b.dp);
            frames_check(false);
        }
    }
    frames_check(false);
    if (commit) {
        dp_txn_commit(b.br);
        dp_commit(b.dp);
        frames_check(true);
        bed_run(&b);
        while (dp_txn_settle(b.br, 1 + rnd(20)))
            frames_check(true);
    } else {
        while (dp_txn_abort(b.br, 1 + rnd(20)))
            frames_check(false);
        for (unsigned i = 0; i < n_slots; i++)
            slots[i].rule = rules[i];
    }
    slots_take_over(commit);
    frames_check(false);
    if (rnd(2))
        dp_commit(b.dp);
    bed_run(&b);
    frames_check(false);
}

static void
run(unsigned n, unsigned kinds, uint32_t cache)
{
    struct dp_table_info info;

    bed_open_cache(&b, N_PORTS, 0, cache);
    rng = UINT64_C(0x1234567) * n + kinds + cache;
    for (unsigned round = 0; round < 6; round++) {
        frames_make();
        slots_make(n, kinds);
        slots_fill();
        for (unsigned i = 0; i < 8; i++)
            transaction(1 + rnd(2 * n), rnd(3) != 0);
        for (unsigned i = 0; i < n_slots; i++)
            dp_rule_del(slots[i].rule);
        dp_commit(b.dp);
        for (unsigned t = 0; t < N_TABLES; t++) {
            dp_table_get(b.br, (uint8_t) t, &info);
            ck_assert_uint_eq(info.n_rules, 0);
        }
    }
    bed_run(&b);
    bed_close(&b);
}

START_TEST(test_dp_txn_of_few_rules_switches_over_at_once)
{
    run(12, 4, 0);
    run(12, 4, 1);
}
END_TEST

START_TEST(test_dp_txn_of_few_masks_switches_over_at_once)
{
    run(200, 2, 0);
    run(200, 2, 1);
}
END_TEST

START_TEST(test_dp_txn_of_many_masks_switches_over_at_once)
{
    run(300, 256, 0);
    run(300, 256, 1);
}
END_TEST

START_TEST(test_dp_txn_of_long_groups_switches_over_at_once)
{
    run(600, 250, 1);
}
END_TEST

/* ------------------------------------------------------------ single cases */

static void
setup(void)
{
    bed_open(&b, N_PORTS, 0);
    rng = 7;
    frames_make();
}

static void
teardown(void)
{
    bed_close(&b);
}

static struct dp_rule *
rule_output(uint16_t priority, uint32_t port)
{
    struct ops o = { .n = 0 };

    ops_add(&o, DP_OP_OUTPUT, 0, port);
    return bed_rule(&b, priority, &BED_ANY, &o);
}

START_TEST(test_dp_txn_aborted_keeps_counters_of_old_rules)
{
    struct dp_rule *r = rule_output(1, 2);
    struct ops o = { .n = 0 };
    struct dp_instr in;

    ops_add(&o, DP_OP_OUTPUT, 0, 3);
    in = bed_apply(&o);
    bed_feed(&b, 1, &frames[0]);
    bed_run(&b);
    ck_assert_int_eq(dp_txn_begin(b.br), 0);
    ck_assert_int_eq(dp_rule_set(r, &in, 0), 0);
    dp_rule_del(r);
    bed_feed(&b, 1, &frames[1]);
    bed_run(&b);
    ck_assert(!dp_txn_abort(b.br, 10));
    bed_feed(&b, 1, &frames[2]);
    bed_run(&b);
    ck_assert_uint_eq(bed_count(&b, 2), 3);
    ck_assert_uint_eq(bed_packets(r), 3);
}
END_TEST

START_TEST(test_dp_txn_deleted_rule_is_readable_until_settled)
{
    struct dp_rule *r = rule_output(1, 2);
    struct flow_match m;

    bed_feed(&b, 1, &frames[0]);
    bed_run(&b);
    ck_assert_int_eq(dp_txn_begin(b.br), 0);
    dp_rule_del(r);
    bed_feed(&b, 1, &frames[0]);
    bed_run(&b);
    dp_txn_commit(b.br);
    dp_commit(b.dp);
    bed_feed(&b, 1, &frames[0]);
    bed_run(&b);
    ck_assert_uint_eq(bed_packets(r), 2);
    dp_rule_get_match(r, &m);
    ck_assert_uint_eq(flow_mask_words(&m.mask), 0);
    ck_assert(!dp_txn_settle(b.br, 10));
    ck_assert_uint_eq(bed_drops(&b, DROP_NO_RULE), 1);
    ck_assert_uint_eq(bed_count(&b, 2), 2);
}
END_TEST

/* A rule in place of one with the same match and priority. */
START_TEST(test_dp_txn_may_delete_and_add_the_same_rule)
{
    struct dp_rule *old = rule_output(5, 2), *new;
    struct ops o = { .n = 0 };
    struct dp_instr in;

    ops_add(&o, DP_OP_OUTPUT, 0, 3);
    in = bed_apply(&o);
    for (int commit = 0; commit < 2; commit++) {
        ck_assert_int_eq(dp_txn_begin(b.br), 0);
        dp_rule_del(old);
        ck_assert_int_eq(dp_rule_add(b.br, 0, 5, &BED_ANY, &in, 1, &new), 0);
        bed_feed(&b, 1, &frames[0]);
        bed_run(&b);
        ck_assert_uint_eq(bed_count(&b, 2), 1);
        if (commit) {
            dp_txn_commit(b.br);
            dp_commit(b.dp);
        } else {
            ck_assert(!dp_txn_abort(b.br, 10));
        }
        bed_feed(&b, 1, &frames[0]);
        bed_run(&b);
        ck_assert_uint_eq(bed_count(&b, commit ? 3 : 2), 1);
    }
    ck_assert(!dp_txn_settle(b.br, 10));
    bed_feed(&b, 1, &frames[0]);
    bed_run(&b);
    ck_assert_uint_eq(bed_count(&b, 3), 1);
    ck_assert_uint_eq(bed_packets(new), 2);
}
END_TEST

START_TEST(test_dp_txn_under_way_ends_with_its_bridge)
{
    struct dp_bridge *br;
    struct dp_rule *r, *s;
    struct ops o = { .n = 0 };
    struct dp_instr in;

    ops_add(&o, DP_OP_OUTPUT, 0, 3);
    in = bed_apply(&o);
    for (int committed = 0; committed < 2; committed++) {
        ck_assert_int_eq(dp_bridge_add(b.dp, "br1", NULL, &br, NULL), 0);
        ck_assert_int_eq(dp_rule_add(br, 0, 1, &BED_ANY, &in, 0, &r), 0);
        dp_commit(b.dp);
        ck_assert_int_eq(dp_txn_begin(br), 0);
        ck_assert_int_eq(dp_rule_add(br, 3, 1, &BED_ANY, &in, 0, &s), 0);
        dp_rule_del(r);
        if (committed) {
            dp_txn_commit(br);
            dp_commit(b.dp);
        }
        dp_bridge_del(br);
        bed_run(&b);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("dp_txn");
    TCase *tc = tcase_create("model"), *single = tcase_create("single");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_set_timeout(tc, 120);
    tcase_add_unchecked_fixture(tc, bed_eal_up, NULL);
    tcase_add_test(tc, test_dp_txn_of_few_rules_switches_over_at_once);
    tcase_add_test(tc, test_dp_txn_of_few_masks_switches_over_at_once);
    tcase_add_test(tc, test_dp_txn_of_many_masks_switches_over_at_once);
    tcase_add_test(tc, test_dp_txn_of_long_groups_switches_over_at_once);
    suite_add_tcase(s, tc);
    tcase_add_unchecked_fixture(single, bed_eal_up, NULL);
    tcase_add_checked_fixture(single, setup, teardown);
    tcase_add_test(single, test_dp_txn_aborted_keeps_counters_of_old_rules);
    tcase_add_test(single, test_dp_txn_deleted_rule_is_readable_until_settled);
    tcase_add_test(single, test_dp_txn_may_delete_and_add_the_same_rule);
    tcase_add_test(single, test_dp_txn_under_way_ends_with_its_bridge);
    suite_add_tcase(s, single);
    srunner_set_fork_status(sr, CK_NOFORK);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
