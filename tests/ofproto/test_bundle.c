/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "bundle": bundles of 1.4 and of 1.3's extension: their life and their
 * refusals. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/ofproto/bundle_bed.h"
#include "weft/be.h"

/* -------------------------------------------------------------------- life */

START_TEST(test_bundle_commit_applies_all_messages_in_order)
{
    struct mem_conn *c = bundle_conn(_i);

    bundle_open(c, ATOMIC | ORDERED);
    for (unsigned i = 0; i < 3; i++)
        bundle_add_fm(c, 1, 3, &(struct fm) { .priority = 5, .cookie = i,
                                       .match = OXM_IN_PORT1,
                                       .instr = i == 2 ? OUT2 : OUT1 });
    bundle_add_fm(c, 1, 3, &(struct fm) { .priority = 6, .match = OXM_IP,
                                   .instr = OUT1 });
    bundle_add_fm(c, 1, 3, &(struct fm) { .command = DELETE_STRICT, .priority = 6,
                                   .match = OXM_IP });
    bundle_add_fm(c, 1, 3, &(struct fm) { .table = 1, .priority = 6,
                                   .match = OXM_IP, .instr = OUT1 });
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
    expect_quiet(c);
    bundle_control(c, 1, CLOSE, 3);
    bundle_expect_control(c, 1, CLOSE_REPLY, 3);
    bundle_commit(c, 3);
    ck_assert_uint_eq(bed.dpb->n_rules, 2);
    ck_assert_uint_eq(dummy_rule_nth(bed.dpb, 0)->cookie, 2);
    ck_assert_uint_eq(dummy_rule_nth(bed.dpb, 0)->instr.apply.ops->arg, 2);
    ck_assert_uint_eq(dummy_rule_nth(bed.dpb, 1)->table, 1);
    ck_assert_uint_eq(bed.dpb->n_txns, 1);
    ck_assert_int_eq(bed.dpb->txn, DUMMY_TXN_NONE);
    bundle_control(c, 1, COMMIT, 3); /* It is gone. */
    bundle_expect_error(c, BAD_ID);
}
END_TEST

START_TEST(test_bundle_reply_comes_when_packets_go_by_it)
{
    struct mem_conn *c = bundle_conn(_i), other;

    bed_session(&other, 4, false);
    bundle_open(c, 0);
    BFM(c, .priority = 1, .match = "", .instr = OUT1);
    bed.dp->hold_sync = true;
    bundle_control(c, 1, COMMIT, 0);
    expect_quiet(c);
    /* Others wait for the end, but for echoes. */
    mem_send_hex(&other, "04020000 00000006"); /* ECHO */
    mem_send_hex(&other, "04140000 00000005"); /* BARRIER */
    bed_settle();
    expect(&other, 3, &(size_t) { 0 });
    expect_quiet(&other);
    bed.dp->hold_sync = false;
    bed_settle();
    bed_settle();
    bundle_expect_control(c, 1, COMMIT_REPLY, 0);
    expect(&other, 21, &(size_t) { 0 });
    mem_close(&other);
}
END_TEST

START_TEST(test_bundle_discard_forgets_it)
{
    struct mem_conn *c = bundle_conn(_i);

    bundle_open(c, 0);
    BFM(c, .priority = 1, .match = "", .instr = OUT1);
    bundle_control(c, 1, DISCARD, 0);
    bundle_expect_control(c, 1, DISCARD_REPLY, 0);
    bundle_control(c, 1, COMMIT, 0);
    bundle_expect_error(c, BAD_ID);
    bundle_control(c, 1, DISCARD, 0);
    bundle_expect_error(c, BAD_ID);
    bundle_control(c, 1, CLOSE, 0);
    bundle_expect_error(c, BAD_ID);
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
    ck_assert_uint_eq(bed.dpb->n_txns, 0);
}
END_TEST

/* §7.3.9.7: a message for a bundle that is not there opens it. */
START_TEST(test_bundle_add_opens_what_is_not_open)
{
    struct mem_conn *c = bundle_conn(_i);

    BFM(c, .priority = 1, .match = "", .instr = OUT1);
    expect_quiet(c);
    bundle_commit(c, 0);
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
}
END_TEST

START_TEST(test_bundle_faults_have_their_errors_and_spoil_the_bundle)
{
    struct mem_conn *c = bundle_conn(_i);

    bundle_control(c, 1, OPEN_REPLY, 0);
    bundle_expect_error(c, BAD_TYPE);
    bundle_control(c, 1, 8, 0);
    bundle_expect_error(c, BAD_TYPE);
    bundle_control(c, 1, OPEN, 0x10);
    bundle_expect_error(c, BAD_FLAGS);
    bundle_open(c, 0);
    bundle_control(c, 1, OPEN, 0);
    bundle_expect_error(c, EXIST);
    bundle_control(c, 1, COMMIT, 0);
    bundle_expect_error(c, BAD_ID);

    bundle_open(c, ATOMIC);
    BFM(c, .priority = 1, .match = "", .instr = OUT1); /* Flags 0. */
    bundle_expect_error(c, BAD_FLAGS);
    bundle_control(c, 1, CLOSE, ATOMIC);
    bundle_expect_error(c, BAD_ID);

    bundle_open(c, 0);
    bundle_control(c, 1, CLOSE, 0);
    bundle_expect_control(c, 1, CLOSE_REPLY, 0);
    BFM(c, .priority = 1, .match = "", .instr = OUT1);
    bundle_expect_error(c, CLOSED);
    bundle_control(c, 1, COMMIT, 0);
    bundle_expect_error(c, BAD_ID);

    bundle_open(c, 0);
    bundle_control(c, 1, CLOSE, 0);
    bundle_expect_control(c, 1, CLOSE_REPLY, 0);
    bundle_control(c, 1, CLOSE, 0);
    bundle_expect_error(c, CLOSED);

    bundle_open(c, 0);
    bundle_control(c, 1, COMMIT, ORDERED);
    bundle_expect_error(c, BAD_FLAGS);
    expect_quiet(c);
}
END_TEST

START_TEST(test_bundle_messages_are_checked_when_they_come)
{
    struct mem_conn *c = bundle_conn(_i);
    uint8_t m[FM_MAX];
    size_t n = put_fm(m, &(struct fm) { .priority = 1, .match = OXM_IP,
                                        .instr = OUT1 });

    bundle_open(c, 0);
    m[0] = bundle_version(c);
    m[7] = 0x78;
    bundle_add_raw(c, 1, 0, m, n);
    bundle_expect_error(c, MSG_BAD_XID);
    m[7] = XID;
    bundle_add_raw(c, 1, 0, m, 7);
    bundle_expect_error(c, MSG_BAD_LEN);
    bundle_add_raw(c, 1, 0, m, n - 8); /* Its length field says n. */
    bundle_expect_error(c, MSG_BAD_LEN);
    m[0] = 1;
    bundle_add_raw(c, 1, 0, m, n);
    expect_error(c, 1, 0); /* BAD_VERSION */
    m[0] = bundle_version(c);
    m[1] = 20; /* Barrier request, of 8 bytes. */
    put_be16(m + 2, 8);
    bundle_add_raw(c, 1, 0, m, 8);
    bundle_expect_error(c, MSG_UNSUP);
    m[1] = 2;
    bundle_add_raw(c, 1, 0, m, 8);
    bundle_expect_error(c, MSG_UNSUP);
    m[1] = 14;
    put_be16(m + 2, (uint16_t) n);
    put_be16(m + 50, 200); /* A match beyond the end. */
    bundle_add_raw(c, 1, 0, m, n);
    expect_error(c, 4, 1); /* BAD_MATCH, BAD_LEN */
    put_be16(m + 50, 10);
    memset(m + n, 0, 8);
    put_be16(m + n + 2, 8);
    bundle_add_raw(c, 1, 0, m, n + 8); /* A property that nobody knows. */
    expect(c, 1, &n);
    expect_quiet(c);
    bundle_commit(c, 0); /* Nothing of all that was kept. */
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
}
END_TEST

START_TEST(test_bundle_ids_belong_to_their_connection)
{
    bundle_open(&bundle_c14, 0);
    BFM(&bundle_c14, .priority = 1, .match = "", .instr = OUT1);
    bundle_control(&bed.c, 1, COMMIT, 0);
    bundle_expect_error(&bed.c, BAD_ID);
    bundle_open(&bed.c, 0);
    bundle_commit(&bed.c, 0);
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
    bundle_commit(&bundle_c14, 0);
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
}
END_TEST

START_TEST(test_bundle_number_and_memory_are_bounded)
{
    static uint8_t m[65000] = { 4, 13 }; /* Packet-out. */
    size_t len;
    unsigned n;

    for (uint32_t id = 0; id < 64; id++) {
        bundle_control(&bed.c, id, OPEN, 0);
        bundle_expect_control(&bed.c, id, OPEN_REPLY, 0);
    }
    bundle_control(&bed.c, 64, OPEN, 0);
    bundle_expect_error(&bed.c, OUT_OF_BUNDLES);
    put_be16(m + 2, sizeof m);
    put_be32(m + 4, XID);
    put_be32(m + 8, ~0u);
    put_be32(m + 12, 1);
    for (n = 0; n < 5000 && !mem_pending(&bed.c); n++)
        bundle_add_raw(&bed.c, n % 64, 0, m, sizeof m);
    ck_assert_uint_gt(n, 4000); /* 256 MiB */
    ck_assert_uint_lt(n, 4200);
    bundle_expect_error(&bed.c, MSG_TOO_MANY);
    bundle_control(&bed.c, 3, DISCARD, 0);
    expect(&bed.c, 4, &len);
    bundle_add_raw(&bed.c, 4, 0, m, sizeof m); /* There is room again. */
    expect_quiet(&bed.c);
}
END_TEST

START_TEST(test_bundle_that_nobody_speaks_of_times_out)
{
    bundle_open(&bundle_c14, 0);
    bed_advance(9000);
    expect_quiet(&bundle_c14);
    BFM(&bundle_c14, .priority = 1, .match = "", .instr = OUT1);
    bed_advance(9000);
    expect_quiet(&bundle_c14);
    bed_advance(1100);
    bundle_expect_error(&bundle_c14, TIMEOUT_);
    bundle_control(&bundle_c14, 1, COMMIT, 0);
    bundle_expect_error(&bundle_c14, BAD_ID);
}
END_TEST

START_TEST(test_bundle_ends_with_its_connection)
{
    struct mem_conn c;

    bed_session(&c, 4, false);
    bundle_open(&c, 0);
    for (uint16_t i = 0; i < 5000; i++)
        bundle_add_fm(&c, 1, 0, &(struct fm) { .priority = i, .match = OXM_IP,
                                        .instr = OUT1 });
    /* Half way through the commit. */
    uint8_t m[32];
    size_t n = bundle_put_head(m, &c, 33);

    put_be32(m + n, 1);
    put_be16(m + n + 4, COMMIT);
    put_be16(m + n + 6, 0);
    mem_send(&c, m, n + 8);
    ofp_flush(bed.b);
    ck_assert_uint_gt(bed.dpb->n_rules, 0);
    mem_close(&c);
    bed_settle();
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
    ck_assert_uint_eq(bed.dpb->n_aborts, 1);
    bundle_open(&bundle_c14, 0); /* Nothing is left behind. */
    bundle_commit(&bundle_c14, 0);
}
END_TEST

START_TEST(test_bundle_is_refused_to_a_slave)
{
    uint8_t role[24] = { 5, 24, 0, 24, 0, 0, 0, 1, 0, 0, 0, 3 };

    mem_send_raw(&bundle_c14, role, sizeof role);
    bed_settle();
    mem_drain(&bundle_c14);
    bundle_control(&bundle_c14, 1, OPEN, 0);
    expect_error(&bundle_c14, 1, 10); /* IS_SLAVE */
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("bundle");
    TCase *tc = tcase_create("bundle");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(tc, bundle_setup, bundle_teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, test_bundle_commit_applies_all_messages_in_order,
                        0, 2);
    tcase_add_loop_test(tc, test_bundle_reply_comes_when_packets_go_by_it, 0,
                        2);
    tcase_add_loop_test(tc, test_bundle_discard_forgets_it, 0, 2);
    tcase_add_loop_test(tc, test_bundle_add_opens_what_is_not_open, 0, 2);
    tcase_add_loop_test(
        tc, test_bundle_faults_have_their_errors_and_spoil_the_bundle, 0, 2);
    tcase_add_loop_test(tc, test_bundle_messages_are_checked_when_they_come,
                        0, 2);
    tcase_add_test(tc, test_bundle_ids_belong_to_their_connection);
    tcase_add_test(tc, test_bundle_number_and_memory_are_bounded);
    tcase_add_test(tc, test_bundle_that_nobody_speaks_of_times_out);
    tcase_add_test(tc, test_bundle_ends_with_its_connection);
    tcase_add_test(tc, test_bundle_is_refused_to_a_slave);
    suite_add_tcase(s, tc);
    srunner_set_fork_status(sr, CK_NOFORK);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
