/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "controller_client": real sockets, a scripted controller. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cc_peer.h"
#include "utils/base/clock.h"
#include "weft/be.h"

static struct cc *
cc_listening(const struct cc_config *cfg)
{
    struct cc *cc = fixture_cc(cfg);
    const char *t = fixture_target("punix", "s");
    struct weft_err e = { "" };

    ck_assert_msg(!cc_set_targets(cc, &t, 1, &e), "%s", e.text);
    return cc;
}

static int
connect_session(unsigned i)
{
    int fd = peer_connect("s");

    ck_assert(SPIN(2000, fx.n_opened > i));
    return fd;
}

/* -------------------------------------------------------------- framing */

START_TEST(test_cc_framing_split_anywhere_gives_whole_messages)
{
    static const uint16_t lens[] = { 8, 72, 9, 300 };
    struct cc *cc = cc_listening(NULL);
    uint8_t stream[8 + 72 + 9 + 300], *p = stream;

    for (size_t i = 0; i < WEFT_ARRAY_LEN(lens); i++) {
        memset(p, (int) i + 1, lens[i]);
        put_header(p, 10, lens[i], (uint32_t) i);
        p += lens[i];
    }
    int fd = connect_session(0);
    for (size_t cut = 0; cut <= sizeof stream; cut++) {
        unsigned want = fx.s[0].n + 4;

        if (cut)
            peer_write(fd, stream, cut);
        for (int i = 0; i < 3; i++)
            event_base_loop(fx.base, EVLOOP_NONBLOCK);
        if (cut < sizeof stream) {
            ck_assert_uint_lt(fx.s[0].n, want);
            peer_write(fd, stream + cut, sizeof stream - cut);
        }
        ck_assert(SPIN(2000, fx.s[0].n >= want));
        ck_assert_uint_eq(fx.s[0].n, want);
        ck_assert_uint_eq(fx.s[0].last_len, 300);
        ck_assert_mem_eq(fx.s[0].last, p - 300, 300);
    }
    close(fd);
    ck_assert(SPIN(2000, fx.n_closed == 1));
    cc_destroy(cc);
}
END_TEST

START_TEST(test_cc_framing_largest_messages_arrive_whole)
{
    static uint8_t m[65535];
    struct cc *cc = cc_listening(NULL);
    int fd = connect_session(0);

    for (size_t i = 0; i < sizeof m; i++)
        m[i] = (uint8_t) (i * 31);
    put_header(m, 13, 65535, 1);
    for (unsigned k = 1; k <= 10; k++) {
        for (size_t done = 0; done < sizeof m;) {
            size_t n = WEFT_MIN(sizeof m - done, (size_t) 10007);

            peer_write(fd, m + done, n);
            done += n;
            event_base_loop(fx.base, EVLOOP_NONBLOCK);
        }
        ck_assert(SPIN(2000, fx.s[0].n == k));
        ck_assert_uint_eq(fx.s[0].last_len, sizeof m);
        ck_assert_mem_eq(fx.s[0].last, m, sizeof m);
    }
    close(fd);
    cc_destroy(cc);
}
END_TEST

START_TEST(test_cc_framing_length_below_header_closes)
{
    struct cc *cc = cc_listening(NULL);
    int fd = connect_session(0);
    uint8_t m[16];

    put_header(m, 0, 8, 1);
    put_header(m + 8, 0, (uint16_t) _i, 2);
    peer_write(fd, m, sizeof m);
    ck_assert(peer_sees_end(fd, 2000));
    ck_assert_uint_eq(fx.s[0].n, 1);
    ck_assert_uint_eq(fx.n_closed, 1);
    close(fd);
    cc_destroy(cc);
}
END_TEST

START_TEST(test_cc_batch_is_reported_once_for_many_messages)
{
    struct cc *cc = cc_listening(NULL);
    int fd = connect_session(0);
    uint8_t m[8 * 100];

    for (unsigned i = 0; i < 100; i++)
        put_header(m + 8 * i, 14, 8, i);
    unsigned before = fx.batches;
    peer_write(fd, m, sizeof m);
    ck_assert(SPIN(2000, fx.s[0].n == 100));
    ck_assert_uint_eq(fx.batches, before + 1);
    close(fd);
    cc_destroy(cc);
}
END_TEST

/* --------------------------------------------------------------- fairness */

START_TEST(test_cc_flood_does_not_starve_another_controller)
{
    struct cc *cc = cc_listening(NULL);
    int flood = connect_session(0), other = connect_session(1);
    static uint8_t m[64 * 4096];
    uint8_t one[8];

    for (size_t i = 0; i < sizeof m; i += 64)
        put_header(m + i, 14, 64, 1);
    evutil_make_socket_nonblocking(flood);
    put_header(one, 20, 8, 1);
    for (unsigned k = 1; k <= 20; k++) {
        /* Whole messages may be cut by a full socket: keep the stream. */
        static size_t off;
        peer_write(other, one, 8);
        unsigned turns = 0;
        while (fx.s[1].n < k && turns < 50) {
            ssize_t n;
            while ((n = send(flood, m + off, sizeof m - off, MSG_NOSIGNAL))
                   > 0)
                off = (off + (size_t) n) % sizeof m;
            event_base_loop(fx.base, EVLOOP_NONBLOCK);
            turns++;
        }
        ck_assert_uint_le(turns, 2); /* One slice of the flood at most. */
    }
    ck_assert_uint_gt(fx.s[0].n, 1000);
    close(flood);
    close(other);
    cc_destroy(cc);
}
END_TEST

/* ----------------------------------------------------------------- output */

START_TEST(test_cc_output_is_sent_in_order_and_writable_is_told)
{
    struct cc *cc = cc_listening(NULL);
    int fd = connect_session(0);
    struct session *s = &fx.s[0];
    uint8_t m[1000];

    for (uint32_t i = 0; i < 2000; i++) {
        put_header(m, 19, sizeof m, i);
        ck_assert_int_eq(s->conn->ops->send(s->conn, m, sizeof m), 0);
    }
    ck_assert_uint_eq(s->conn->ops->queued(s->conn), 2000 * sizeof m);
    for (uint32_t i = 0; i < 2000; i++) {
        ck_assert(peer_read(fd, m, sizeof m));
        ck_assert_uint_eq(get_be32(m + 4), i);
    }
    ck_assert_uint_eq(s->conn->ops->queued(s->conn), 0);
    ck_assert_uint_ge(s->writable, 1);
    close(fd);
    cc_destroy(cc);
}
END_TEST

START_TEST(test_cc_output_slow_reader_is_closed_and_others_are_not)
{
    struct cc_config cfg = { .max_queue = 1u << 20 };
    struct cc *cc = cc_listening(&cfg);
    int slow = connect_session(0), other = connect_session(1);
    static uint8_t m[60000];
    int err = 0;

    put_header(m, 19, sizeof m, 1);
    for (unsigned i = 0; i < 1000 && !err; i++) {
        err = fx.s[0].conn->ops->send(fx.s[0].conn, m, sizeof m);
        ck_assert_uint_le(fx.s[0].conn->ops->queued(fx.s[0].conn), 1u << 20);
        event_base_loop(fx.base, EVLOOP_NONBLOCK);
    }
    ck_assert_int_eq(err, -ENOBUFS);
    ck_assert(SPIN(2000, fx.n_closed == 1));
    ck_assert_ptr_null(fx.s[0].conn);

    ck_assert_int_eq(fx.s[1].conn->ops->send(fx.s[1].conn, m, sizeof m), 0);
    ck_assert(peer_read(other, m, sizeof m));
    close(slow);
    close(other);
    cc_destroy(cc);
}
END_TEST

START_TEST(test_cc_close_delivers_what_was_queued_first)
{
    struct cc *cc = cc_listening(NULL);
    int fd = connect_session(0);
    static uint8_t m[8 * 5000], back[8];

    fx.close_why = "test";
    for (size_t i = 0; i < sizeof m; i += 8)
        put_header(m + i, 1, 8, 42);
    peer_write(fd, m, sizeof m); /* Most of it is never read by the agent. */
    ck_assert(peer_read(fd, back, 8));
    ck_assert_mem_eq(back, m, 8);
    ck_assert(!peer_read(fd, back, 1));
    ck_assert_uint_eq(fx.s[0].n, 1);
    ck_assert_uint_eq(fx.n_closed, 1);
    close(fd);
    cc_destroy(cc);
}
END_TEST

START_TEST(test_cc_agent_that_refuses_has_the_connection_closed)
{
    struct cc *cc = cc_listening(NULL);

    fx.refuse = true;
    int fd = peer_connect("s");
    ck_assert(peer_sees_end(fd, 2000));
    close(fd);
    fx.refuse = false;
    fx.message_result = -1;
    fd = connect_session(0);
    uint8_t m[8];
    put_header(m, 0, 8, 1);
    peer_write(fd, m, 8);
    ck_assert(peer_sees_end(fd, 2000));
    ck_assert_uint_eq(fx.n_closed, 1);
    close(fd);
    cc_destroy(cc);
}
END_TEST

START_TEST(test_cc_paused_connection_delivers_nothing_until_it_goes_on)
{
    struct cc *cc = cc_listening(NULL);
    int fd = connect_session(0);
    struct ofconn *conn = fx.s[0].conn;
    uint8_t m[8 * 20];

    for (unsigned i = 0; i < 20; i++)
        put_header(m + 8 * i, 14, 8, i);
    fx.pause_at = 5;
    peer_write(fd, m, sizeof m);
    ck_assert(SPIN(2000, fx.s[0].n == 5));
    peer_write(fd, m, sizeof m);
    spin_for(50);
    ck_assert_uint_eq(fx.s[0].n, 5);
    conn->ops->pause(conn, false);
    ck_assert(SPIN(2000, fx.s[0].n == 40));
    close(fd);
    ck_assert(SPIN(2000, fx.n_closed == 1));
    cc_destroy(cc);
}
END_TEST

/* ------------------------------------------------------------ keep-alive */

START_TEST(test_cc_echo_answered_keeps_the_connection)
{
    struct cc_config cfg = { .probe_interval_s = 1 };
    struct cc *cc = cc_listening(&cfg);
    int fd = connect_session(0);
    uint8_t m[8];

    fx.establish = true;
    put_header(m, 0, 8, 1);
    peer_write(fd, m, 8);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert(peer_read(fd, m, 8));
        ck_assert_uint_eq(m[0], 4);
        ck_assert_uint_eq(m[1], 2);
        m[1] = 3;
        peer_write(fd, m, 8);
    }
    spin_for(100);
    ck_assert_uint_eq(fx.s[0].n, 1); /* The replies were swallowed. */
    ck_assert_uint_eq(fx.n_closed, 0);
    put_header(m, 3, 8, 0xabcdef); /* Not the answer to a probe. */
    peer_write(fd, m, 8);
    ck_assert(SPIN(1000, fx.s[0].n == 2));
    close(fd);
    cc_destroy(cc);
}
END_TEST

START_TEST(test_cc_echo_unanswered_closes_after_a_second_interval)
{
    struct cc_config cfg = { .probe_interval_s = 1 };
    struct cc *cc = cc_listening(&cfg);
    int fd = connect_session(0);
    uint64_t start = now_ms();
    uint8_t m[8];

    fx.establish = true;
    put_header(m, 0, 8, 1);
    peer_write(fd, m, 8);
    ck_assert(peer_sees_end(fd, 4000));
    ck_assert_uint_ge(now_ms() - start, 1900);
    ck_assert_uint_le(now_ms() - start, 3000);
    close(fd);
    cc_destroy(cc);
}
END_TEST

START_TEST(test_cc_peer_without_handshake_is_closed)
{
    struct cc_config cfg = { .probe_interval_s = 1 };
    struct cc *cc = cc_listening(&cfg);
    int fd = connect_session(0);
    uint8_t m[8];

    put_header(m, 0, 8, 1);
    for (unsigned i = 0; i < 100 && !fx.n_closed; i++) { /* It is not idle. */
        if (send(fd, m, 8, MSG_NOSIGNAL) < 0)
            break;
        spin_for(40);
    }
    ck_assert_uint_eq(fx.n_closed, 1);
    close(fd);
    cc_destroy(cc);
}
END_TEST

/* ---------------------------------------------------------------- accept */

START_TEST(test_cc_accept_bound_refuses_the_next_and_recovers)
{
    struct cc_config cfg = { .max_accepted = 3 };
    struct cc *cc = cc_listening(&cfg);
    int fd[4];

    for (unsigned i = 0; i < 3; i++)
        fd[i] = connect_session(i);
    fd[3] = peer_connect("s");
    ck_assert(peer_sees_end(fd[3], 2000));
    ck_assert_uint_eq(fx.n_opened, 3);
    ck_assert_uint_eq(fx.n_closed, 0);
    close(fd[3]);
    close(fd[1]);
    ck_assert(SPIN(2000, fx.n_closed == 1));
    fd[1] = connect_session(3);
    for (unsigned i = 0; i < 3; i++)
        close(fd[i]);
    cc_destroy(cc);
}
END_TEST

START_TEST(test_cc_punix_stale_socket_is_replaced)
{
    struct cc *cc = cc_listening(NULL);
    char moved[160], path[160];
    struct stat st;

    /* A killed process leaves the file: keep a second name of it. */
    snprintf(path, sizeof path, "%s/s", fx.dir);
    snprintf(moved, sizeof moved, "%s/kept", fx.dir);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    ck_assert_int_eq(link(path, moved), 0);
    cc_destroy(cc);
    ck_assert_int_ne(stat(path, &st), 0); /* Removed in the orderly case. */
    ck_assert_int_eq(rename(moved, path), 0);

    cc = cc_listening(NULL);
    close(connect_session(0));
    cc_destroy(cc);
}
END_TEST

START_TEST(test_cc_punix_live_socket_or_file_is_not_touched)
{
    struct cc *first = cc_listening(NULL), *second = fixture_cc(NULL);
    struct weft_err e = { "" };
    const char *t = fixture_target("punix", "s");
    char path[160];
    struct stat st;

    ck_assert_int_lt(cc_set_targets(second, &t, 1, &e), 0);
    ck_assert_ptr_nonnull(strstr(e.text, "in use"));
    cc_destroy(second);
    close(connect_session(0));
    cc_destroy(first);

    snprintf(path, sizeof path, "%s/file", fx.dir);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    second = fixture_cc(NULL);
    t = fixture_target("punix", "file");
    ck_assert_int_lt(cc_set_targets(second, &t, 1, &e), 0);
    ck_assert_int_eq(stat(path, &st), 0);
    cc_destroy(second);
}
END_TEST

/* ---------------------------------------------------------------- active */

struct seen {
    char state[16];
    char error[200];
    unsigned n;
};

static void
on_info(void *arg, const struct cc_info *i)
{
    struct seen *s = arg;

    snprintf(s->state, sizeof s->state, "%s", i->state);
    snprintf(s->error, sizeof s->error, "%s", i->last_error);
    s->n++;
}

static struct seen
look(struct cc *cc)
{
    struct seen s = { "", "", 0 };

    cc_foreach(cc, on_info, &s);
    return s;
}

START_TEST(test_cc_active_backs_off_and_connects_when_the_peer_comes)
{
    struct cc_config cfg = { .min_backoff_ms = 20, .max_backoff_ms = 80 };
    struct cc *cc = fixture_cc(&cfg);
    uint16_t port;
    int ls = peer_listen_tcp(&port);
    char target[32];
    const char *t = target;

    snprintf(target, sizeof target, "tcp:127.0.0.1:%u", port);
    ck_assert_int_eq(cc_set_targets(cc, &t, 1, NULL), 0);
    ck_assert(SPIN(1000, fx.n_opened == 1));
    ck_assert_str_eq(look(cc).state, "connected");
    /* The controller hangs up at once, every time: attempts get rarer. */
    unsigned n = 0;
    for (uint64_t end = now_ms() + 600; now_ms() < end; spin_once()) {
        int fd = accept(ls, NULL, NULL);

        if (fd >= 0) {
            n++;
            close(fd);
        }
    }
    ck_assert_uint_ge(n, 600 / (80 + 20 + 20)); /* Never slower than this. */
    ck_assert_uint_le(n, 2 + 600 / 55);
    cc_destroy(cc);
    close(ls);
}
END_TEST

START_TEST(test_cc_active_refused_connect_is_reported_and_retried)
{
    struct cc_config cfg = { .min_backoff_ms = 30, .max_backoff_ms = 60 };
    struct cc *cc = fixture_cc(&cfg);
    uint16_t port;
    char target[2][128];
    const char *t[2] = { target[0], target[1] };

    close(peer_listen_tcp(&port));
    snprintf(target[0], sizeof target[0], "tcp:localhost:%u", port);
    snprintf(target[1], sizeof target[1], "unix:%s/none", fx.dir);
    ck_assert_int_eq(cc_set_targets(cc, t, 1, NULL), 0);
    ck_assert(SPIN(2000, !strcmp(look(cc).state, "backoff")));
    ck_assert_ptr_nonnull(strstr(look(cc).error, "refused"));
    ck_assert_int_eq(cc_set_targets(cc, t + 1, 1, NULL), 0);
    ck_assert_ptr_nonnull(strstr(look(cc).error, "No such file"));
    ck_assert_uint_eq(fx.n_opened, 0);
    cc_destroy(cc);
}
END_TEST

START_TEST(test_cc_set_targets_keeps_what_stays_and_refuses_whole)
{
    struct cc *cc = cc_listening(NULL);
    char a[128], b[128];
    struct weft_err e = { "" };

    snprintf(a, sizeof a, "%s", fixture_target("punix", "s"));
    snprintf(b, sizeof b, "%s", fixture_target("punix", "t"));
    close(connect_session(0));
    int fd = connect_session(1);

    const char *bad[] = { a, b, "tcp:h:0" }, *twice[] = { a, a };
    ck_assert_int_lt(cc_set_targets(cc, bad, 3, &e), 0);
    ck_assert_ptr_nonnull(strstr(e.text, "tcp:h:0"));
    ck_assert_int_ne(access(strchr(b, '/'), F_OK), 0);
    ck_assert_int_eq(cc_set_targets(cc, twice, 2, &e), -EEXIST);
    ck_assert_ptr_nonnull(fx.s[1].conn);

    const char *both[] = { b, a };
    ck_assert_int_eq(cc_set_targets(cc, both, 2, &e), 0);
    ck_assert_ptr_nonnull(fx.s[1].conn); /* Still connected. */
    close(peer_connect("t"));
    ck_assert_uint_eq(look(cc).n, 3);
    ck_assert_int_eq(cc_set_targets(cc, both, 1, &e), 0);
    ck_assert_ptr_null(fx.s[1].conn);
    ck_assert(peer_sees_end(fd, 1000));
    close(fd);
    cc_destroy(cc);
}
END_TEST

static void
suite_add_connections(Suite *s)
{
    TCase *tc = tcase_create("connection");

    tcase_set_timeout(tc, 30);
    tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
    tcase_add_test(tc, test_cc_framing_split_anywhere_gives_whole_messages);
    tcase_add_test(tc, test_cc_framing_largest_messages_arrive_whole);
    tcase_add_loop_test(tc, test_cc_framing_length_below_header_closes, 0, 8);
    tcase_add_test(tc, test_cc_batch_is_reported_once_for_many_messages);
    tcase_add_test(tc, test_cc_flood_does_not_starve_another_controller);
    tcase_add_test(tc, test_cc_output_is_sent_in_order_and_writable_is_told);
    tcase_add_test(tc,
                   test_cc_output_slow_reader_is_closed_and_others_are_not);
    tcase_add_test(tc, test_cc_close_delivers_what_was_queued_first);
    tcase_add_test(tc, test_cc_agent_that_refuses_has_the_connection_closed);
    tcase_add_test(
        tc, test_cc_paused_connection_delivers_nothing_until_it_goes_on);
    tcase_add_test(tc, test_cc_echo_answered_keeps_the_connection);
    tcase_add_test(tc, test_cc_echo_unanswered_closes_after_a_second_interval);
    tcase_add_test(tc, test_cc_peer_without_handshake_is_closed);
    tcase_add_test(tc, test_cc_accept_bound_refuses_the_next_and_recovers);
    tcase_add_test(tc, test_cc_punix_stale_socket_is_replaced);
    tcase_add_test(tc, test_cc_punix_live_socket_or_file_is_not_touched);
    tcase_add_test(
        tc, test_cc_active_backs_off_and_connects_when_the_peer_comes);
    tcase_add_test(tc,
                   test_cc_active_refused_connect_is_reported_and_retried);
    tcase_add_test(tc, test_cc_set_targets_keeps_what_stays_and_refuses_whole);
    suite_add_tcase(s, tc);
}

int
main(void)
{
    Suite *s = suite_create("controller_client");

    suite_add_target(s);
    suite_add_connections(s);
    suite_add_aux(s);
    suite_add_tls(s);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
