/* SPDX-License-Identifier: Apache-2.0 */
/* Case "filter": what weft-dump selects, and the rates it computes. */
#include <stdlib.h>

#include "suite_utils.h"
#include "utils/weft-dump/dump.h"
#include "weft/compiler.h"

static const char item_json[] =
    "{\"bridge\":\"br0\",\"ofport\":7,\"name\":\"tap1\",\"link_up\":true,"
    "\"match\":\"tcp,nw_dst=10.0.0.0/8,tp_dst=80\",\"worker\":0,"
    "\"stats\":{\"rx_packets\":500}}";

static const struct {
    const char *filter;
    bool selects;
} filters[] = {
    { "", true },
    { "name=tap1", true },
    { "name=tap", false },
    { "name~tap", true },
    { "name!=tap1", false },
    { "name!=tap2", true },
    { "ofport=7", true },
    { "ofport=8", false },
    { "link_up=true", true },
    { "stats.rx_packets=500", true },
    { "tcp", true },
    { "udp", false },
    { "tc", false }, /* Whole words of the match only. */
    { "nw_dst=10.0.0.0/8", true },
    { "nw_dst=10.0.0.0", false },
    { "tcp,tp_dst=80,worker=0", true },
    { "tcp,tp_dst=80,worker=1", false },
    { "stats=1", false },
};

START_TEST(test_filter_words_must_all_hold)
{
    json_t *item = json_loads(item_json, 0, NULL);

    ck_assert_msg(filter_selects(filters[_i].filter, item)
                      == filters[_i].selects,
                  "\"%s\"", filters[_i].filter);
    json_decref(item);
}
END_TEST

START_TEST(test_filter_rate_needs_the_same_item_and_a_growing_counter)
{
    json_t *now = json_loads(item_json, 0, NULL), *was = json_deep_copy(now);
    json_t *before = json_object();
    struct dump d = { .before = before,
                      .identity = "bridge ofport",
                      .seconds = 2 };

    json_object_set_new(json_object_get(was, "stats"), "rx_packets",
                        json_integer(100));
    ck_assert_double_lt(item_rate(&d, now, "stats.rx_packets"), 0);
    char *id = item_identity(was, d.identity);
    json_object_set(before, id, was);
    free(id);
    ck_assert_double_eq(item_rate(&d, now, "stats.rx_packets"), 200);
    json_object_set_new(json_object_get(was, "stats"), "rx_packets",
                        json_integer(501)); /* Port made anew. */
    ck_assert_double_lt(item_rate(&d, now, "stats.rx_packets"), 0);
    json_decref(before);
    json_decref(was);
    json_decref(now);
}
END_TEST

void
suite_add_filter(Suite *s)
{
    TCase *tc = tcase_create("filter");

    tcase_add_loop_test(tc, test_filter_words_must_all_hold, 0,
                        WEFT_ARRAY_LEN(filters));
    tcase_add_test(
        tc, test_filter_rate_needs_the_same_item_and_a_growing_counter);
    suite_add_tcase(s, tc);
}
