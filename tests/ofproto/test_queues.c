/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "ofproto": queues. */
#include <check.h>
#include <stdlib.h>

#include "tests/ofproto/agent_bed.h"
#include "weft/be.h"

#define MP(type, body) "0412 0000 00000099 " type "0000 00000000" body

static void
ask(struct mem_conn *c, const char *hex)
{
    mem_send_hex(c, hex);
    bed_settle();
}

static void
queue(uint32_t port, uint32_t id, uint64_t min, uint64_t max)
{
    const struct dp_queue_config c = { min, max, 0 };

    ck_assert_int_eq(dp_queue_set(bed.dpb, port, id, &c, NULL), 0);
}

/* Ports of the bed have 10 Gbit/s: 1 % is 100 Mbit/s. */
START_TEST(test_queue_config_has_rates_in_tenths_of_a_percent)
{
    size_t len;
    const uint8_t *m;

    queue(1, 5, 100000000, 2500000000);
    queue(1, 7, 0, 0);
    queue(2, 1, 0, 1000);
    ask(&bed.c, "0416 0010 00000001 00000001 00000000");
    m = expect(&bed.c, 23, &len);
    ck_assert_str_eq(
        hex_of(m, len),
        hex_plain("0417 0050 00000001 00000001 00000000"
                  "00000005 00000001 0030 000000000000"
                  "0001 0010 00000000 000a 000000000000"
                  "0002 0010 00000000 00fa 000000000000"
                  "00000007 00000001 0010 000000000000"));
    ask(&bed.c, "0416 0010 00000001 ffffffff 00000000");
    m = expect(&bed.c, 23, &len);
    ck_assert_uint_eq(len, 16 + 48 + 16 + 32);
}
END_TEST

START_TEST(test_queue_config_of_1_0_knows_the_minimum)
{
    struct mem_conn c10;
    size_t len;
    const uint8_t *m;

    bed_session(&c10, 1, false);
    queue(1, 5, 100000000, 2500000000);
    ask(&c10, "0114 000c 00000001 0001 0000");
    m = expect(&c10, 21, &len);
    ck_assert_str_eq(hex_of(m, len),
                     hex_plain("0115 0028 00000001 0001 000000000000"
                               "00000005 0018 0000"
                               "0001 0010 00000000 000a 000000000000"));
    mem_close(&c10);
}
END_TEST

START_TEST(test_queue_stats_are_golden_and_filtered)
{
    size_t len;
    const uint8_t *m;

    queue(1, 5, 0, 0);
    queue(1, 6, 0, 0);
    queue(2, 5, 0, 0);
    dummy_queue(bed.dpb, 1, 5)->stats = (struct dp_queue_stats) {
        .tx_packets = 3, .tx_bytes = 300, .tx_errors = 2,
        .created_ns = bed.now_ns,
    };
    bed.now_ns += 1500000000;
    ask(&bed.c, MP("0005", "00000001" "00000005"));
    m = expect(&bed.c, 19, &len);
    ck_assert_str_eq(hex_of(m, len),
                     hex_plain("0413 0038 00000099 0005 0000 00000000"
                               "00000001 00000005 000000000000012c"
                               "0000000000000003 0000000000000002"
                               "00000001 1dcd6500"));
    ask(&bed.c, MP("0005", "ffffffff" "00000005"));
    expect(&bed.c, 19, &len);
    ck_assert_uint_eq(len, 16 + 2 * 40);
    ask(&bed.c, MP("0005", "00000001" "ffffffff"));
    expect(&bed.c, 19, &len);
    ck_assert_uint_eq(len, 16 + 2 * 40);
    ask(&bed.c, MP("0005", "ffffffff" "ffffffff"));
    expect(&bed.c, 19, &len);
    ck_assert_uint_eq(len, 16 + 3 * 40);
    ask(&bed.c, MP("0005", "00000001" "00000009"));
    expect_error(&bed.c, 9, 1);
    ask(&bed.c, MP("0005", "00000063" "00000005"));
    expect_error(&bed.c, 9, 0);
}
END_TEST

#define ENQUEUE(port, q)                                                      \
    "010e 0058 00000001 003fffff 0000000000000000 000000000000 000000000000"  \
    "00 00 0000 00000000 00000000 0000 0000"                                  \
    "0000000000000000 0000 0000 0000 8000 ffffffff ffff 0000"                 \
    "000b 0010 " port " 000000000000 " q

START_TEST(test_queue_of_enqueue_must_be_there_where_there_are_queues)
{
    struct mem_conn c10;

    bed_session(&c10, 1, false);
    queue(1, 5, 0, 0);
    ask(&c10, ENQUEUE("0001", "00000005"));
    expect_quiet(&c10);
    ask(&c10, ENQUEUE("0001", "00000006"));
    expect_error(&c10, 2, 8);
    ask(&c10, ENQUEUE("0002", "00000006")); /* A port without queues. */
    expect_quiet(&c10);
    mem_close(&c10);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("ofproto");
    TCase *tc = tcase_create("queues");
    SRunner *sr = srunner_create(s);
    int failed;

    suite_add_tcase(s, tc);
    tcase_add_checked_fixture(tc, bed_open, bed_close);
    tcase_add_test(tc, test_queue_config_has_rates_in_tenths_of_a_percent);
    tcase_add_test(tc, test_queue_config_of_1_0_knows_the_minimum);
    tcase_add_test(tc, test_queue_stats_are_golden_and_filtered);
    tcase_add_test(
        tc, test_queue_of_enqueue_must_be_there_where_there_are_queues);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
