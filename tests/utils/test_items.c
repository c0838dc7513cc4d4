/* SPDX-License-Identifier: Apache-2.0 */
/* Case "items": an answer taken apart as it comes. */
#include <stdlib.h>
#include <string.h>

#include "suite_utils.h"
#include "utils/cli/items.h"
#include "weft/compiler.h"

static const struct {
    const char *text, *items, *rest;
} answers[] = {
    { "{\"id\":1,\"result\":{\"flows\":[{\"a\":1},{\"b\":[{}]}],\"x\":[{}]}}\n",
      "{\"a\":1};{\"b\":[{}]};",
      "{\"id\":1,\"result\":{\"flows\":[],\"x\":[{}]}}" },
    /* Brackets, quotes and the list's name inside strings. */
    { "{\"result\":{\"x\":\"flows\",\"y\":[1],\"flows\":[{\"s\":\"}]\\\"{\"}]}}",
      "{\"s\":\"}]\\\"{\"};",
      "{\"result\":{\"x\":\"flows\",\"y\":[1],\"flows\":[]}}" },
    { "{\"flows\":[{}],\"result\":{\"z\":{\"flows\":[{}]},\"flows\":[]}}", "",
      "{\"flows\":[{}],\"result\":{\"z\":{\"flows\":[{}]},\"flows\":[]}}" },
    { "{\"error\":{\"message\":\"no\"}}\n", "",
      "{\"error\":{\"message\":\"no\"}}" },
};

static bool
collect(void *arg, const char *text, size_t len)
{
    struct base_str *s = arg;

    base_str_addn(s, text, len);
    base_str_add(s, ";");
    return true;
}

START_TEST(test_items_are_found_at_every_split)
{
    const char *text = answers[_i].text;
    size_t len = strlen(text);

    for (size_t cut = 0; cut <= len; cut++) {
        struct cli_items in = CLI_ITEMS_INIT("flows");
        struct base_str got = BASE_STR_INIT;
        char *exact = malloc(cut + !cut);

        memcpy(exact, text, cut); /* Exact size: a read beyond it is seen. */
        ck_assert(cli_items_feed(&in, exact, cut, collect, &got));
        free(exact);
        ck_assert(cli_items_feed(&in, text + cut, len - cut, collect, &got));
        ck_assert(in.done);
        ck_assert_str_eq(base_str_cstr(&got), answers[_i].items);
        ck_assert_str_eq(base_str_cstr(&in.rest), answers[_i].rest);
        base_str_fini(&got);
        cli_items_fini(&in);
    }
}
END_TEST

static bool
first_only(void *arg, const char *text, size_t len)
{
    (void) text, (void) len;
    ++*(unsigned *) arg;
    return false;
}

START_TEST(test_items_no_more_wanted_stops)
{
    static const char text[] = "{\"result\":{\"e\":[{\"n\":1},{\"n\":2},";
    struct cli_items in = CLI_ITEMS_INIT("e");
    unsigned n = 0;

    ck_assert(!cli_items_feed(&in, text, sizeof text - 1, first_only, &n));
    ck_assert_uint_eq(n, 1);
    ck_assert(!in.done);
    cli_items_fini(&in);
}
END_TEST

void
suite_add_items(Suite *s)
{
    TCase *tc = tcase_create("items");

    tcase_add_loop_test(tc, test_items_are_found_at_every_split, 0,
                        WEFT_ARRAY_LEN(answers));
    tcase_add_test(tc, test_items_no_more_wanted_stops);
    suite_add_tcase(s, tc);
}
