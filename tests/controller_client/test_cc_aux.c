/* SPDX-License-Identifier: Apache-2.0 */
/* Case "aux": auxiliary connections of a tcp: target.  OpenFlow 1.3.5
 * §6.3.6. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cc_peer.h"
#include "controller_client/cc_priv.h"

static int listener;
static char target[64];

static void
setup(void)
{
    uint16_t port;

    fixture_setup();
    fx.establish = true;
    listener = peer_listen_tcp(&port);
    snprintf(target, sizeof target, "tcp:127.0.0.1:%u", port);
}

static void
teardown(void)
{
    close(listener);
    fixture_teardown();
}

static struct cc *
connect_with(unsigned aux)
{
    const struct cc_config cfg = { .aux = aux, .min_backoff_ms = 20 };
    struct cc *cc = fixture_cc(&cfg);
    const char *t = target;
    struct weft_err e = { "" };

    ck_assert_msg(!cc_set_targets(cc, &t, 1, &e), "%s", e.text);
    return cc;
}

static int
accept_next(void)
{
    int fd = -1;

    ck_assert(SPIN(2000, fd >= 0
                         || (fd = accept(listener, NULL, NULL)) >= 0));
    return fd;
}

/* The fixture's agent takes the first message for the end of the
 * handshake. */
static void
say_hello(int fd)
{
    uint8_t m[8];

    put_header(m, 0, 8, 1);
    peer_write(fd, m, sizeof m);
}

static unsigned
n_open(void)
{
    return fx.n_opened - fx.n_closed;
}

START_TEST(test_aux_follow_the_main_handshake_from_its_address)
{
    struct cc *cc = connect_with(2);
    int fd[3] = { accept_next() };
    struct sockaddr_in in;
    socklen_t len = sizeof in;

    spin_for(60);
    ck_assert_uint_eq(fx.n_opened, 1); /* Not before the handshake. */
    say_hello(fd[0]);
    fd[1] = accept_next();
    fd[2] = accept_next();
    ck_assert(SPIN(2000, n_open() == 3));
    ck_assert_uint_eq(fx.s[0].conn->aux, 0);
    ck_assert_ptr_null(fx.s[0].conn->main);
    ck_assert_uint_eq(fx.s[1].conn->aux + fx.s[2].conn->aux, 3);
    for (unsigned i = 1; i < 3; i++) {
        ck_assert_ptr_eq(fx.s[i].conn->main, fx.s[0].conn);
        ck_assert_int_eq(getpeername(fd[i], (struct sockaddr *) &in, &len),
                         0);
        ck_assert_uint_eq(ntohl(in.sin_addr.s_addr), INADDR_LOOPBACK);
    }
    for (unsigned i = 0; i < 3; i++)
        close(fd[i]);
    cc_destroy(cc);
}
END_TEST

START_TEST(test_aux_given_an_old_version_do_not_come)
{
    struct cc *cc = connect_with(2);
    int fd = accept_next();

    fx.establish = false;
    ck_assert(SPIN(2000, fx.n_opened == 1));
    fx.s[0].conn->ops->established(fx.s[0].conn, 1);
    spin_for(100);
    ck_assert_uint_eq(fx.n_opened, 1);
    close(fd);
    cc_destroy(cc);
}
END_TEST

START_TEST(test_aux_lost_comes_back_while_the_main_one_stays)
{
    struct cc *cc = connect_with(1);
    int main = accept_next(), aux;

    say_hello(main);
    aux = accept_next();
    ck_assert(SPIN(2000, n_open() == 2));
    close(aux);
    ck_assert(SPIN(2000, fx.n_closed == 1));
    aux = accept_next();
    ck_assert(SPIN(2000, n_open() == 2));
    ck_assert_ptr_nonnull(fx.s[0].conn);
    ck_assert_uint_eq(fx.s[2].conn->aux, 1);
    close(main);
    close(aux);
    cc_destroy(cc);
}
END_TEST

START_TEST(test_aux_end_at_once_when_the_main_one_does)
{
    struct cc *cc = connect_with(2);
    int main = accept_next(), aux[2];

    say_hello(main);
    aux[0] = accept_next();
    aux[1] = accept_next();
    ck_assert(SPIN(2000, n_open() == 3));
    close(main);
    ck_assert(SPIN(2000, fx.n_closed >= 3));
    ck_assert(peer_sees_end(aux[0], 2000));
    ck_assert(peer_sees_end(aux[1], 2000));
    /* And all over again. */
    main = accept_next();
    ck_assert(SPIN(2000, n_open() == 1));
    spin_for(60);
    ck_assert_uint_eq(n_open(), 1);
    close(main);
    close(aux[0]);
    close(aux[1]);
    cc_destroy(cc);
}
END_TEST

void
suite_add_aux(Suite *s)
{
    TCase *t = tcase_create("aux");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_aux_follow_the_main_handshake_from_its_address);
    tcase_add_test(t, test_aux_given_an_old_version_do_not_come);
    tcase_add_test(t, test_aux_lost_comes_back_while_the_main_one_stays);
    tcase_add_test(t, test_aux_end_at_once_when_the_main_one_does);
    suite_add_tcase(s, t);
}
