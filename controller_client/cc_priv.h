/* SPDX-License-Identifier: Apache-2.0 */
/* Inside controller_client: targets, streams, connections.
 *
 * What:    what the files of this folder share; seen by its tests too.
 * Model:   struct cc (controller_client.c) has targets; a target has one
 *          connection (active) or a listening socket and the connections it
 *          accepted (passive).  A connection (conn.c) frames what a stream
 *          (stream.c plain, tls.c TLS) reads, straight from its receive
 *          buffer, and coalesces what the agent sends.
 *
 *          Nothing is freed inside a call from the agent: a connection that
 *          is to go is put on cc->dirty, and cc_work() ends it.
 * Threads: control.
 * Owns:    everything below, but the agent's session.
 * Source:  OpenFlow 1.3.5 §6.2, §6.3 (connections), §7.1 (header). */
#ifndef CC_PRIV_H
#define CC_PRIV_H

#include <sys/socket.h>
#include <sys/types.h>

#include "controller_client/controller_client.h"
#include "utils/base/list.h"
#include "utils/base/log.h"

struct addrinfo;
struct event;
struct evdns_base;
struct evdns_getaddrinfo_request;
struct ssl_ctx_st;
struct ssl_st;

#define CC_DEFAULT_PORT 6653    /* IANA's "openflow". */
#define CC_HEADER_LEN 8
#define CC_RX_SIZE (192u << 10) /* Two messages of the largest size and room. */
#define CC_SLICE_BYTES (256u << 10) /* Read per wake-up ... */
#define CC_SLICE_NS 4000000         /* ... or time spent, whichever is first. */
#define CC_SLICE_CHECK 64           /* Messages between looks at the clock. */
#define CC_LOW_MARK (64u << 10)     /* Queue below which writable() is told. */
#define CC_WRITE_ROUNDS 8           /* Writes per wake-up. */
#define CC_CONNECT_S 10
#define CC_ANSWER_S 4u              /* Longest wait for an echo's reply. */
#define CC_SERVICE_PROBE_S 60       /* Default for who connects to us. */
#define CC_DRAIN_S 5                /* To flush before a close. */
#define CC_LINGER_S 1               /* For the peer to read the last bytes. */
#define CC_ACCEPT_BATCH 16

/* ---------------------------------------------------------------- target */

struct cc_spec {
    bool passive, tls, local; /* local: Unix socket. */
    char host[256];           /* No brackets; passive: address or "". */
    uint16_t port;
    char path[108];           /* Size of sockaddr_un.sun_path. */
};

/* 0 or -EINVAL with 'e' naming target and fault. */
WEFT_MUST_CHECK int cc_spec_parse(const char *target, struct cc_spec *,
                                  struct weft_err *e);

/* ---------------------------------------------------------------- stream */

struct cc_stream {
    int fd;             /* -1: closed. */
    struct ssl_st *ssl; /* NULL: plain. */
    bool want_write;    /* TLS must write before it can go on. */
    const char *fault;  /* Of the last error; NULL: see errno. */
};

/* Starts a non-blocking connect from 'local' (NULL: any address): 0,
 * -EINPROGRESS or -errno. */
int cc_stream_connect(struct cc_stream *, const struct sockaddr *, socklen_t,
                      const struct sockaddr *local, socklen_t local_len);
/* Result of a connect in progress: 0 or -errno. */
int cc_stream_connected(const struct cc_stream *);
/* Adopts an accepted socket. */
void cc_stream_adopt(struct cc_stream *, int fd);
/* Bytes moved; 0 only from read: the peer closed; -EAGAIN; -errno. */
ssize_t cc_stream_read(struct cc_stream *, void *, size_t);
ssize_t cc_stream_write(struct cc_stream *, const void *, size_t);
void cc_stream_shutdown(struct cc_stream *); /* No more output. */
void cc_stream_close(struct cc_stream *);
/* "tcp:192.0.2.9:6653" of the other end. */
void cc_stream_peer(const struct cc_stream *, const struct cc_spec *,
                    char *buf, size_t size);
/* Listening socket, or -errno with 'e' filled.  A stale Unix socket is
 * removed, a live one is -EADDRINUSE. */
int cc_listen(const char *target, const struct cc_spec *, struct weft_err *e);

/* ------------------------------------------------------------------- tls */

WEFT_MUST_CHECK int cc_tls_ctx_create(const struct cc_config *,
                                      struct ssl_ctx_st **,
                                      struct weft_err *e);
void cc_tls_ctx_free(struct ssl_ctx_st *); /* Accepts NULL. */
/* 0 or -ENOMEM. */
WEFT_MUST_CHECK int cc_tls_start(struct cc_stream *, struct ssl_ctx_st *,
                                 bool server);
/* 0: done; -EAGAIN (see want_write); -EPROTO with s->fault. */
WEFT_MUST_CHECK int cc_tls_handshake(struct cc_stream *);
ssize_t cc_tls_read(struct cc_stream *, void *, size_t);
ssize_t cc_tls_write(struct cc_stream *, const void *, size_t);
void cc_tls_shutdown(struct cc_stream *);
void cc_tls_close(struct cc_stream *);

/* ------------------------------------------------------------ connection */

enum cc_conn_state {
    CC_CONNECTING, /* TCP connect or TLS handshake. */
    CC_OPEN,       /* The agent has a session. */
    CC_DRAINING,   /* Being closed: only what is queued is sent. */
    CC_LINGERING,  /* Output shut down, the rest of the input thrown away. */
    CC_DEAD,       /* To be freed by cc_work(). */
};

struct cc_conn {
    struct ofconn of;       /* First: what the agent holds. */
    struct cc *cc;
    struct cc_target *target;
    struct base_list node;  /* target->conns */
    struct base_list dirty; /* cc->dirty: output or an end is due. */
    struct cc_stream stream;
    enum cc_conn_state state;
    void *session;          /* The agent's; NULL: none. */
    struct event *rd, *wr;
    struct event *timer;    /* Connect, probe, drain, linger. */
    struct event *resume;   /* Rest of a slice. */

    uint8_t *rx;            /* CC_RX_SIZE bytes; input is [head, tail). */
    size_t rx_head, rx_tail;
    char *out;              /* Output is [head, len). */
    size_t out_head, out_len, out_cap;

    uint64_t since_ns, last_rx_ns;
    uint64_t rx_messages, tx_messages;
    uint32_t probe_xid;
    bool probe_pending;
    bool paused;            /* By the agent: nothing is read. */
    bool established;
    uint8_t wire_version;
    const char *role;
    char peer[320];
    char end[200];          /* Why it is closed. */
};

/* Connection on an open stream (connecting: the connect is in progress).
 * 'main' and 'aux' of an auxiliary one; else NULL and 0. */
struct cc_conn *cc_conn_create(struct cc_target *, const struct cc_stream *,
                               bool connecting, const struct cc_conn *main,
                               uint8_t aux);
/* Ends the agent's session if there is one. */
void cc_conn_close_session(struct cc_conn *);
/* Ends it at once, closed() included; for cc_work and cc_destroy. */
void cc_conn_free(struct cc_conn *);
void cc_conn_flush(struct cc_conn *);

/* ----------------------------------------------------------------- aux.c */

/* The target's main connection; NULL: none. */
struct cc_conn *cc_target_main(const struct cc_target *);
/* The handshake of a main connection is done. */
void cc_aux_start(struct cc_conn *main);
/* A main connection goes: its auxiliary ones go first. */
void cc_aux_stop(struct cc_conn *main);
/* An auxiliary one is gone, and why: tried again. */
void cc_aux_lost(struct cc_conn *aux, const char *why);

/* ------------------------------------------------------- connection, end */

void cc_conn_end(struct cc_conn *, const char *fmt, ...) WEFT_PRINTF(2, 3);

/* ---------------------------------------------------------------- client */

struct cc_target {
    struct base_list node;  /* cc->targets */
    struct cc *cc;
    char *text;
    struct cc_spec spec;
    struct base_list conns; /* Active: at most one and its auxiliary. */
    unsigned n_conns;
    struct base_ratelimit rl;
    uint64_t since_ns;
    char last_error[200];
    unsigned probe_s;       /* Idle time before an echo. */
    bool keep;              /* cc_set_targets: still wanted. */
    /* Active. */
    struct event *timer;    /* Next attempt. */
    unsigned backoff_ms;
    struct addrinfo *addrs;  /* Resolved now, for one attempt. */
    unsigned attempt;
    struct evdns_getaddrinfo_request *query;
    struct event *aux_timer; /* NULL: none was ever wanted. */
    unsigned aux_backoff_ms;
    /* Passive. */
    int listen_fd;
    struct event *accept;
    struct event *pause;    /* Out of descriptors: try again later. */
};

struct cc {
    struct event_base *base;
    struct cc_config cfg; /* Strings are own copies, defaults filled in. */
    const struct ofconn_agent *agent;
    struct base_list targets;
    struct base_list dirty;
    struct event *work;
    struct ssl_ctx_st *tls;   /* Made with the first TLS target. */
    struct evdns_base *dns;   /* Made with the first name. */
    uint32_t next_xid;
};

/* Sends and ends what is due; called at the end of every wake-up. */
void cc_work(struct cc *);
/* Has cc_work() called soon for 'c'. */
void cc_mark(struct cc_conn *);
/* conn.c tells: the connection to 'peer' ("": never was) is gone, and why. */
void cc_target_lost(struct cc_target *, const char *peer, const char *why);
/* conn.c tells: handshake done, back-off starts anew. */
void cc_target_up(struct cc_target *);
/* Connections that we make are news; tools that call in come and go. */
static inline enum base_log_level
cc_log_level(const struct cc_target *t)
{
    return t->spec.passive ? BASE_LOG_DEBUG : BASE_LOG_INFO;
}

#endif
