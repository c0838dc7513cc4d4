/* SPDX-License-Identifier: Apache-2.0 */
#include "controller_client/cc_priv.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

/* Text of the oldest error of this thread's queue, which is emptied. */
static const char *
ssl_fault(void)
{
    unsigned long code = ERR_get_error();
    const char *why = code ? ERR_reason_error_string(code) : NULL;

    ERR_clear_error();
    return why ? why : "TLS failed";
}

static int
refuse(SSL_CTX *ctx, struct weft_err *e, const char *what, const char *file)
{
    SSL_CTX_free(ctx);
    return weft_err_set(e, -EINVAL, "TLS %s \"%s\": %s", what,
                        file ? file : "", ssl_fault());
}

/* Both sides show a certificate of the one authority, as OpenFlow switches
 * and controllers use TLS (OpenFlow 1.3.5 §6.3.3); names are not compared,
 * because controllers are addressed by number. */
int
cc_tls_ctx_create(const struct cc_config *c, struct ssl_ctx_st **out,
                  struct weft_err *e)
{
    if (!c->private_key || !c->certificate || !c->ca_cert)
        return weft_err_set(e, -EINVAL, "a tls: or ptls: controller needs "
                            "private-key, certificate and ca-cert: weftctl "
                            "set-br BRIDGE private-key=FILE ...");

    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    if (!ctx)
        return weft_err_set(e, -ENOMEM, "TLS: %s", ssl_fault());
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE
                              | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(ctx,
                       SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       NULL);
    if (SSL_CTX_use_certificate_chain_file(ctx, c->certificate) != 1)
        return refuse(ctx, e, "certificate", c->certificate);
    if (SSL_CTX_use_PrivateKey_file(ctx, c->private_key, SSL_FILETYPE_PEM)
            != 1
        || SSL_CTX_check_private_key(ctx) != 1)
        return refuse(ctx, e, "private-key", c->private_key);
    if (SSL_CTX_load_verify_locations(ctx, c->ca_cert, NULL) != 1)
        return refuse(ctx, e, "ca-cert", c->ca_cert);
    *out = ctx;
    return 0;
}

void
cc_tls_ctx_free(struct ssl_ctx_st *ctx)
{
    SSL_CTX_free(ctx);
}

int
cc_tls_start(struct cc_stream *s, struct ssl_ctx_st *ctx, bool server)
{
    s->ssl = SSL_new(ctx);
    if (!s->ssl || SSL_set_fd(s->ssl, s->fd) != 1)
        return -ENOMEM;
    if (server)
        SSL_set_accept_state(s->ssl);
    else
        SSL_set_connect_state(s->ssl);
    return 0;
}

/* Meaning of a return value <= 0: -EAGAIN, 0 (closed) or -EPROTO, -errno. */
static int
result(struct cc_stream *s, int r)
{
    int err = errno;

    switch (SSL_get_error(s->ssl, r)) {
    case SSL_ERROR_WANT_READ:
        return -EAGAIN;
    case SSL_ERROR_WANT_WRITE:
        s->want_write = true;
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        ERR_clear_error();
        return err ? -err : -ECONNRESET;
    default:
        s->fault = ssl_fault();
        return -EPROTO;
    }
}

int
cc_tls_handshake(struct cc_stream *s)
{
    s->want_write = false;
    ERR_clear_error();
    errno = 0;

    int r = SSL_do_handshake(s->ssl);
    if (r == 1)
        return 0;
    r = result(s, r);
    return r ? r : -ECONNRESET;
}

ssize_t
cc_tls_read(struct cc_stream *s, void *buf, size_t n)
{
    size_t done;

    s->want_write = false;
    ERR_clear_error();
    errno = 0;

    int r = SSL_read_ex(s->ssl, buf, n, &done);
    return r == 1 ? (ssize_t) done : result(s, r);
}

ssize_t
cc_tls_write(struct cc_stream *s, const void *buf, size_t n)
{
    size_t done;

    ERR_clear_error();
    errno = 0;

    int r = SSL_write_ex(s->ssl, buf, n, &done);
    if (r == 1)
        return (ssize_t) done;
    r = result(s, r);
    return r ? r : -EPIPE;
}

void
cc_tls_shutdown(struct cc_stream *s)
{
    (void) SSL_shutdown(s->ssl);
    ERR_clear_error();
}

void
cc_tls_close(struct cc_stream *s)
{
    SSL_free(s->ssl);
    s->ssl = NULL;
}
