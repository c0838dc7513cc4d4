/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's requests and its reconciliation, on the dummy datapath. */
#include <check.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/dummy_dp.h"
#include "utils/base/log.h"
#include "utils/base/mem.h"
#include "utils/weftd/glue.h"
#include "utils/weftd/reconcile.h"
#include "utils/weftd/rpc.h"
#include "utils/weftd/weftd.h"

static struct weftd d;

static void
bed_open(void)
{
    struct dp_config c = { 0 };

    memset(&d, 0, sizeof d);
    d.base = event_base_new();
    d.glue = glue_create(&d);
    d.rc = reconcile_create(&d);
    glue_fill_dp(d.glue, &c.events);
    ck_assert_int_eq(dp_create(&c, &d.dp, NULL), 0);
}

static void
bed_close(void)
{
    reconcile_destroy(d.rc);
    dp_destroy(d.dp);
    glue_destroy(d.glue);
    event_base_free(d.base);
}

/* The request must be answered by exactly one line of JSON that has 'want'
 * in it; without 'want', by nothing. */
static void
ask(const char *request, const char *want)
{
    struct base_str out = BASE_STR_INIT;
    size_t len = strlen(request);
    char *exact = base_xmalloc(len + !len); /* No byte behind it. */

    memcpy(exact, request, len);
    rpc_answer(&d, exact, len, &out);
    free(exact);
    if (want) {
        json_t *v = json_loads(base_str_cstr(&out), 0, NULL);

        ck_assert_msg(v && strstr(out.buf, want), "%s -> %s", request,
                      base_str_cstr(&out));
        ck_assert_ptr_eq(strchr(out.buf, '\n'), out.buf + out.len - 1);
        json_decref(v);
    } else {
        ck_assert_str_eq(base_str_cstr(&out), "");
    }
    base_str_fini(&out);
}

#define RESULT "\"result\":{}"
#define ADD(br)                                                               \
    "{\"method\":\"add-br\",\"id\":1,\"params\":{\"bridge\":\"" br "\"}}"

START_TEST(test_rpc_given_what_is_no_request_answers_with_the_code)
{
    ask("", "-32700");
    ask("nonsense", "-32700");
    ask("{\"method\":\"ping\"", "-32700");
    ask("{\"method\":\"ping\",\"method\":\"exit\",\"id\":1}", "-32700");
    ask("[]", "-32600");
    ask("{}", "-32600");
    ask("{\"method\":7,\"id\":1}", "-32600");
    ask("{\"method\":\"ping\",\"params\":[1],\"id\":1}", "-32600");
    ask("{\"method\":\"nonsense\",\"id\":\"x\"}", "\"id\":\"x\"");
    ask("{\"method\":\"nonsense\",\"id\":1}", "-32601");
    ask("{\"method\":\"ping\",\"id\":[2]}", "\"id\":[2]");
    ask("{\"method\":\"ping\"}", NULL);
}
END_TEST

START_TEST(test_rpc_given_wrong_types_refuses)
{
    ask(ADD("a"), RESULT);
    ask(ADD("a"), "-32000");
    ask("{\"method\":\"add-br\",\"id\":1,\"params\":{\"bridge\":7}}",
        "-32000");
    ask("{\"method\":\"add-br\",\"id\":1}", "-32000");
    ask("{\"method\":\"apply\",\"id\":1,\"params\":{\"document\":[]}}",
        "-32000");
    ask("{\"method\":\"transact\",\"id\":1,\"params\":{\"commands\":{}}}",
        "-32000");
    ask("{\"method\":\"flows\",\"id\":1,\"params\":{\"filter\":\"x=1\"}}",
        "-32000");
    ask("{\"method\":\"flows\",\"id\":1,\"params\":{\"bridge\":\"b\"}}",
        "-32000");
    ask("{\"method\":\"cache\",\"id\":1,\"params\":{\"limit\":\"9\"}}",
        "-32000");
    ask("{\"method\":\"cache\",\"id\":1,\"params\":{\"limit\":-1}}", "-32000");
}
END_TEST

START_TEST(test_rpc_given_a_stream_answers_in_one_line)
{
    ask(ADD("a"), RESULT);
    ask(ADD("b"), RESULT);
    ask("{\"method\":\"flows\",\"id\":1}", "\"result\":{\"flows\":[]}}");
    ask("{\"method\":\"cache\",\"id\":1}", "\"result\":{\"entries\":[]}}");
    ask("{\"method\":\"flows\"}", NULL);
}
END_TEST

/* A command that is refused, the last of several, leaves nothing behind: the
 * dummy datapath knows no uplinks. */
START_TEST(test_rpc_given_a_refused_step_changes_nothing)
{
    json_t *before, *after;

    ask(ADD("a"), RESULT);
    before = reconcile_document(d.rc);
    ask("{\"method\":\"transact\",\"id\":1,\"params\":{\"commands\":["
        ADD("b") "," ADD("b") "]}}", "-32000");
    ask("{\"method\":\"transact\",\"id\":1,\"params\":{\"commands\":["
        ADD("b") ",{\"method\":\"ping\"}]}}", "not for a transaction");
    ask("{\"method\":\"transact\",\"id\":1,\"params\":{\"commands\":["
        ADD("b") ",{\"method\":\"add-uplink\",\"params\":{\"uplink\":"
        "\"u\",\"type\":\"netdev\"}}]}}", "no uplinks in the dummy");
    after = reconcile_document(d.rc);
    ck_assert(json_equal(before, after));
    ck_assert_ptr_null(reconcile_bridge(d.rc, "b"));
    ck_assert_ptr_eq(d.dp->bridges.next, d.dp->bridges.prev); /* One. */
    json_decref(before);
    json_decref(after);
    ask("{\"method\":\"transact\",\"id\":1,\"params\":{\"commands\":["
        ADD("b") "," ADD("c") "]}}", RESULT);
    ck_assert_ptr_nonnull(reconcile_bridge(d.rc, "c"));
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rpc");
    TCase *tc = tcase_create("rpc");

    base_log_set_level(BASE_LOG_ERR);
    tcase_add_checked_fixture(tc, bed_open, bed_close);
    tcase_add_test(tc,
                   test_rpc_given_what_is_no_request_answers_with_the_code);
    tcase_add_test(tc, test_rpc_given_wrong_types_refuses);
    tcase_add_test(tc, test_rpc_given_a_stream_answers_in_one_line);
    tcase_add_test(tc, test_rpc_given_a_refused_step_changes_nothing);
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
