/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "aux": sessions on auxiliary connections.  OpenFlow 1.3.5 §6.3.6. */
#include <check.h>

#include "agent_bed.h"
#include "weft/be.h"

#define HELLO13 "0400 0000 00000001"
#define FEATURES "0405 0000 00000002"
#define SLAVE "0418 0000 00000003 00000003 00000000 0000000000000001"

static struct mem_conn aux[2];

static void
aux_open(unsigned i)
{
    mem_open_aux(&aux[i], ofp_bridge_agent(bed.b), false, &bed.c.conn,
                 (uint8_t) (i + 1));
}

static void
setup(void)
{
    bed_open();
    for (unsigned i = 0; i < 2; i++) {
        aux_open(i);
        ck_assert_ptr_nonnull(aux[i].session);
        mem_send_hex(&aux[i], HELLO13);
        mem_drain(&aux[i]);
    }
}

static void
teardown(void)
{
    mem_close(&aux[0]);
    mem_close(&aux[1]);
    bed_close();
}

START_TEST(test_aux_given_no_main_session_is_refused)
{
    struct mem_conn m;
    struct ofconn stranger = { 0 };

    mem_open_aux(&m, ofp_bridge_agent(bed.b), false, &stranger, 3);
    ck_assert_ptr_null(m.session);
    mem_close(&m);
}
END_TEST

START_TEST(test_aux_offers_the_main_ones_version_alone)
{
    size_t len;
    const uint8_t *m;

    mem_close(&aux[0]);
    aux_open(0);
    m = mem_next(&aux[0], &len);
    ck_assert_uint_eq(m[0], 4);
    ck_assert_uint_eq(get_be32(m + 12), 1u << 4);
    mem_send_hex(&aux[0], "0100 0000 00000001");
    ck_assert_int_ne(aux[0].result, 0);
}
END_TEST

START_TEST(test_aux_features_carry_its_id)
{
    for (unsigned i = 0; i < 2; i++) {
        mem_send_hex(&aux[i], FEATURES);
        ck_assert_uint_eq(expect(&aux[i], 6, NULL)[21], i + 1);
    }
    mem_send_hex(&bed.c, FEATURES);
    ck_assert_uint_eq(expect(&bed.c, 6, NULL)[21], 0);
}
END_TEST

START_TEST(test_aux_shares_the_main_ones_role_and_config)
{
    mem_send_hex(&aux[1], SLAVE);
    expect(&aux[1], 25, NULL);
    ck_assert_str_eq(bed.c.role, "slave");
    ck_assert_str_eq(aux[0].role, "slave");
    /* A table-mod, from any of them, is refused to a slave. */
    mem_send_hex(&aux[0], "0411 0000 00000004 00000000 00000000");
    expect_error(&aux[0], 1, 10);
    mem_send_hex(&aux[0], "0409 0000 00000005 0000 0033");
    mem_send_hex(&bed.c, "0407 0000 00000006");
    ck_assert_uint_eq(get_be16(expect(&bed.c, 8, NULL) + 10), 0x33);
}
END_TEST

START_TEST(test_aux_replies_come_where_the_request_came)
{
    mem_send_hex(&aux[0], "0402 0000 00000007 61");
    expect(&aux[0], 3, NULL);
    mem_send_hex(&aux[1], "0414 0000 00000008");
    bed_settle();
    expect(&aux[1], 21, NULL);
    expect_quiet(&bed.c);
    expect_quiet(&aux[0]);
}
END_TEST

START_TEST(test_aux_port_status_takes_the_main_one)
{
    dummy_port_link(bed.dpb, 1, false);
    bed_settle();
    expect(&bed.c, 12, NULL);
    expect_quiet(&aux[0]);
    expect_quiet(&aux[1]);
}
END_TEST

START_TEST(test_aux_packet_ins_spread_by_flow)
{
    uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45 };
    struct dp_punt p = { .bridge = bed.dpb, .bridge_owner = bed.b,
                         .reason = DP_PUNT_ACTION, .in_port = 1,
                         .data = frame, .len = sizeof frame,
                         .total_len = sizeof frame };
    unsigned n[2];

    for (unsigned i = 0; i < 2; i++)
        mem_drain(&aux[i]);
    for (unsigned i = 0; i < 64; i++) {
        frame[29] = (uint8_t) i; /* Last byte of the source address. */
        for (unsigned k = 0; k < 3; k++) {
            frame[19] = (uint8_t) k; /* Identification: same flow. */
            dummy_punt(bed.dpb, &p);
        }
        n[0] = mem_pending(&aux[0]);
        n[1] = mem_pending(&aux[1]);
        ck_assert_uint_eq(n[0] + n[1], 3 * (i + 1));
        ck_assert_uint_eq(n[0] % 3, 0); /* All three on one. */
    }
    ck_assert_uint_ge(n[0], 3 * 16);
    ck_assert_uint_ge(n[1], 3 * 16);
    expect_quiet(&bed.c);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("aux");
    TCase *t = tcase_create("aux");
    SRunner *r = srunner_create(s);

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_aux_given_no_main_session_is_refused);
    tcase_add_test(t, test_aux_offers_the_main_ones_version_alone);
    tcase_add_test(t, test_aux_features_carry_its_id);
    tcase_add_test(t, test_aux_shares_the_main_ones_role_and_config);
    tcase_add_test(t, test_aux_replies_come_where_the_request_came);
    tcase_add_test(t, test_aux_port_status_takes_the_main_one);
    tcase_add_test(t, test_aux_packet_ins_spread_by_flow);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);

    int failed = srunner_ntests_failed(r);

    srunner_free(r);
    return failed != 0;
}
