/* SPDX-License-Identifier: Apache-2.0 */
/* Case "rpc_scan": where a request ends, however it arrives. */
#include <stdlib.h>
#include <string.h>

#include "suite_utils.h"
#include "utils/weftd/rpc_scan.h"
#include "weft/compiler.h"

static const struct {
    const char *text;
    size_t end;
} requests[] = {
    { "{}", 2 },
    { "{}{}", 2 },
    { "{\"a\":[1,{\"b\":\"}\"}]} {}", 19 },
    { "{\"a\":\"\\\"}{\\\\\"}x", 14 },
    { "[{},{}]", 7 },
    { "{\"a\":{", 0 },
    { "{\"a\":\"}}}}", 0 },
    { "{\"\\", 0 },
};

START_TEST(test_rpc_scan_end_is_found_at_every_split)
{
    const char *text = requests[_i].text;

    for (size_t cut = 1; cut <= strlen(text); cut++) {
        struct rpc_scan s = { 0 };
        char *exact = malloc(cut);
        size_t end;

        memcpy(exact, text, cut); /* Exact size: a read beyond it is seen. */
        end = rpc_scan(&s, exact, cut);
        free(exact);
        ck_assert_uint_eq(end, requests[_i].end && cut >= requests[_i].end
                                   ? requests[_i].end
                                   : 0);
        if (!end) /* Goes on where it stopped. */
            end = rpc_scan(&s, text, strlen(text));
        ck_assert_uint_eq(end, requests[_i].end);
    }
}
END_TEST

void
suite_add_rpc_scan(Suite *s)
{
    TCase *tc = tcase_create("rpc_scan");

    tcase_add_loop_test(tc, test_rpc_scan_end_is_found_at_every_split, 0,
                        WEFT_ARRAY_LEN(requests));
    suite_add_tcase(s, tc);
}
