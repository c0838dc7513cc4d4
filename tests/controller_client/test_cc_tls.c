/* SPDX-License-Identifier: Apache-2.0 */
/* Case "tls": certificates made on the spot, an OpenSSL peer. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cc_peer.h"
#include "controller_client/cc_priv.h"

static char key_file[2][128], cert_file[2][128];

/* Self-signed: each is its own authority. */
static void
make_identity(unsigned i)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    FILE *f;

    snprintf(key_file[i], sizeof key_file[i], "%s/key%u.pem", fx.dir, i);
    snprintf(cert_file[i], sizeof cert_file[i], "%s/cert%u.pem", fx.dir, i);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), (long) i + 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               (const unsigned char *) "weft test", -1, -1, 0);
    X509_set_issuer_name(x, name);
    ck_assert_int_gt(X509_sign(x, key, EVP_sha256()), 0);
    f = fopen(key_file[i], "w");
    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    f = fopen(cert_file[i], "w");
    PEM_write_X509(f, x);
    fclose(f);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void
setup(void)
{
    fixture_setup();
    make_identity(0);
    make_identity(1);
}

static struct cc *
cc_with_identity(void)
{
    struct cc_config cfg = { .private_key = key_file[0],
                             .certificate = cert_file[0],
                             .ca_cert = cert_file[0] };

    return fixture_cc(&cfg);
}

static uint16_t
free_port(void)
{
    uint16_t port;

    close(peer_listen_tcp(&port));
    return port;
}

/* A client on a non-blocking socket that shows identity 'i'. */
static SSL *
client(uint16_t port, unsigned i)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(connect(fd, (struct sockaddr *) &in, sizeof in), 0);
    evutil_make_socket_nonblocking(fd);
    SSL_CTX_use_certificate_file(ctx, cert_file[i], SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(ctx, key_file[i], SSL_FILETYPE_PEM);
    SSL *ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    SSL_set_fd(ssl, fd);
    SSL_set_connect_state(ssl);
    return ssl;
}

static void
client_free(SSL *ssl)
{
    close(SSL_get_fd(ssl));
    SSL_free(ssl);
}

static struct cc *
listen_tls(uint16_t *port)
{
    struct cc *cc = cc_with_identity();
    struct weft_err e = { "" };
    char target[32];
    const char *t = target;

    *port = free_port();
    snprintf(target, sizeof target, "ptls:%u:127.0.0.1", *port);
    ck_assert_msg(!cc_set_targets(cc, &t, 1, &e), "%s", e.text);
    return cc;
}

START_TEST(test_cc_tls_messages_larger_than_a_record_pass_both_ways)
{
    static uint8_t m[60000], back[60000];
    uint16_t port;
    struct cc *cc = listen_tls(&port);
    SSL *ssl = client(port, 0);

    put_header(m, 77, sizeof m, 5);
    for (size_t i = 8; i < sizeof m; i++)
        m[i] = (uint8_t) (i * 7);
    ck_assert(SPIN(2000, SSL_do_handshake(ssl) == 1));
    for (size_t done = 0; done < sizeof m;) {
        int n = SSL_write(ssl, m + done, (int) (sizeof m - done));

        if (n > 0)
            done += (size_t) n;
        else
            spin_once();
    }
    ck_assert(SPIN(2000, fx.s[0].n == 1));
    ck_assert_uint_eq(fx.s[0].last_len, sizeof m);
    ck_assert_mem_eq(fx.s[0].last, m, sizeof m);

    ck_assert_int_eq(fx.s[0].conn->ops->send(fx.s[0].conn, m, sizeof m), 0);
    size_t got = 0;
    ck_assert(SPIN(2000, ({
        int n = SSL_read(ssl, back + got, (int) (sizeof back - got));
        got += n > 0 ? (size_t) n : 0;
        got == sizeof back;
    })));
    ck_assert_mem_eq(back, m, sizeof m);
    client_free(ssl);
    ck_assert(SPIN(2000, fx.n_closed == 1));
    cc_destroy(cc);
}
END_TEST

START_TEST(test_cc_tls_peer_of_another_authority_is_refused)
{
    uint16_t port;
    struct cc *cc = listen_tls(&port);
    SSL *ssl = client(port, 1);
    char c;

    /* TLS 1.3: the client learns it with its first read. */
    (void) SPIN(500, SSL_do_handshake(ssl) == 1);
    ck_assert(SPIN(2000, SSL_read(ssl, &c, 1) <= 0
                             && SSL_get_error(ssl, 0) != SSL_ERROR_WANT_READ));
    ck_assert_uint_eq(fx.n_opened, 0);
    client_free(ssl);
    cc_destroy(cc);
}
END_TEST

START_TEST(test_cc_tls_active_reaches_passive)
{
    uint16_t port;
    struct cc *passive = listen_tls(&port), *active = cc_with_identity();
    struct weft_err e = { "" };
    char target[32];
    const char *t = target;
    uint8_t m[8];

    snprintf(target, sizeof target, "tls:127.0.0.1:%u", port);
    ck_assert_msg(!cc_set_targets(active, &t, 1, &e), "%s", e.text);
    ck_assert(SPIN(2000, fx.n_opened == 2));
    put_header(m, 0, 8, 1);
    fx.s[0].conn->ops->send(fx.s[0].conn, m, 8);
    ck_assert(SPIN(2000, fx.s[1].n == 1));
    cc_destroy(active);
    cc_destroy(passive);
}
END_TEST

START_TEST(test_cc_tls_target_without_files_is_refused)
{
    struct cc *cc = fixture_cc(NULL);
    const char *t = "ptls:6653";
    struct weft_err e = { "" };

    ck_assert_int_lt(cc_set_targets(cc, &t, 1, &e), 0);
    ck_assert_ptr_nonnull(strstr(e.text, "private-key"));
    cc_destroy(cc);
}
END_TEST

void
suite_add_tls(Suite *s)
{
    TCase *tc = tcase_create("tls");

    tcase_add_checked_fixture(tc, setup, fixture_teardown);
    tcase_add_test(
        tc, test_cc_tls_messages_larger_than_a_record_pass_both_ways);
    tcase_add_test(tc, test_cc_tls_peer_of_another_authority_is_refused);
    tcase_add_test(tc, test_cc_tls_active_reaches_passive);
    tcase_add_test(tc, test_cc_tls_target_without_files_is_refused);
    suite_add_tcase(s, tc);
}
