/* SPDX-License-Identifier: Apache-2.0 */
/* Case "state": what was saved is there again, also after kill -9. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite_utils.h"
#include "utils/weftd/state.h"

static char dir[64];

static void
setup(void)
{
    strcpy(dir, "/tmp/weft-state-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void
teardown(void)
{
    char cmd[128];

    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    ck_assert_int_eq(system(cmd), 0);
}

static void
save_number(struct state *s, int n)
{
    json_t *doc = json_pack("{s:i}", "n", n);

    state_save_config(s, doc);
    json_decref(doc);
}

/* -1: there is no document. */
static int
load_number(void)
{
    struct state *s;
    struct weft_err e = { "" };

    ck_assert_msg(!state_open(dir, &s, &e), "%s", e.text);
    json_t *doc = state_load_config(s);
    int n = doc ? (int) json_integer_value(json_object_get(doc, "n")) : -1;
    json_decref(doc);
    state_close(s);
    return n;
}

START_TEST(test_state_last_document_is_there_after_close)
{
    struct state *s;

    ck_assert_int_eq(load_number(), -1);
    ck_assert_int_eq(state_open(dir, &s, NULL), 0);
    for (int i = 0; i < 1000; i++)
        save_number(s, i);
    state_close(s);
    ck_assert_int_eq(load_number(), 999);
}
END_TEST

START_TEST(test_state_document_older_than_a_second_survives_kill)
{
    pid_t pid = fork();

    if (!pid) {
        struct state *s;

        if (state_open(dir, &s, NULL))
            _exit(1);
        save_number(s, 7);
        pause();
    }
    sleep(1);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    ck_assert_int_eq(load_number(), 7);
}
END_TEST

START_TEST(test_state_second_user_is_refused)
{
    struct state *s, *t;
    struct weft_err e = { "" };

    ck_assert_int_eq(state_open(dir, &s, NULL), 0);
    save_number(s, 1);
    ck_assert_int_eq(state_open(dir, &t, &e), -EBUSY);
    ck_assert_ptr_nonnull(strstr(e.text, dir));
    state_close(s);
}
END_TEST

START_TEST(test_state_folder_that_cannot_be_made_is_named)
{
    struct state *s;
    struct weft_err e = { "" };

    ck_assert_int_lt(state_open("/proc/nosuch/state", &s, &e), 0);
    ck_assert_ptr_nonnull(strstr(e.text, "/proc/nosuch/state"));
}
END_TEST

void
suite_add_state(Suite *s)
{
    TCase *tc = tcase_create("state");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_state_last_document_is_there_after_close);
    tcase_add_test(tc, test_state_document_older_than_a_second_survives_kill);
    tcase_add_test(tc, test_state_second_user_is_refused);
    tcase_add_test(tc, test_state_folder_that_cannot_be_made_is_named);
    suite_add_tcase(s, tc);
}
