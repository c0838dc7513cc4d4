/* SPDX-License-Identifier: Apache-2.0 */
/* Connections to SDN controllers: moves framed messages, knows no flow.
 *
 * What:    tcp:HOST:PORT, tls:HOST:PORT, unix:PATH (active) and
 *          ptcp:PORT[:ADDR], ptls:PORT[:ADDR], punix:PATH (passive) targets
 *          of one bridge.
 * Model:   one struct cc per bridge on a libevent base.  Active targets
 *          reconnect with exponential back-off (1 s to 8 s by default) and
 *          jitter, and have auxiliary connections if asked for; passive ones
 *          accept up to a bound.  Output queues are
 *          bounded: a peer that does not read is disconnected.
 * Threads: control.
 * Owns:    sockets and queues; borrows the agent table (must outlive it).
 * Errors:  0 or -errno with 'e' filled: a bad target changes nothing. */
#ifndef CC_CONTROLLER_CLIENT_H
#define CC_CONTROLLER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weft/compiler.h"
#include "weft/err.h"
#include "weft/ofconn.h"

struct cc;
struct event_base;

#define CC_MAX_AUX 16

struct cc_config {
    const char *name;          /* Bridge, for the log. */
    unsigned min_backoff_ms;   /* 0: 1000. */
    unsigned max_backoff_ms;   /* 0: 8000. */
    unsigned probe_interval_s; /* Idle time before an echo; 0: 5, and 60 for
                                * passive targets, where tools connect. */
    size_t max_queue;          /* Output bytes; 0: 64 MiB. */
    unsigned max_accepted;     /* Per passive target; 0: 64. */
    unsigned aux;              /* Auxiliary connections beside each active
                                * target's main one (OpenFlow 1.3.5 §6.3.6),
                                * at most CC_MAX_AUX; 0: none. */
    /* Called after the messages that were readable have been handled, once
     * per wake-up: the place for ofp_flush. */
    void (*batch_done)(void *arg);
    void *batch_arg;
    /* TLS files; NULL unless tls:/ptls: targets are used. */
    const char *private_key, *certificate, *ca_cert;
};

struct cc *cc_create(struct event_base *, const struct cc_config *,
                     const struct ofconn_agent *);
void cc_destroy(struct cc *); /* Accepts NULL; closes everything. */
/* Makes the set of targets exactly these; kept ones stay connected. */
WEFT_MUST_CHECK int cc_set_targets(struct cc *, const char *const targets[],
                                   size_t n, struct weft_err *e);

struct cc_info {
    const char *target;   /* As configured. */
    const char *peer;     /* Of this connection. */
    bool connected;
    const char *state;    /* "connected", "connecting", "backoff",
                           * "listening". */
    const char *role;
    uint8_t aux;          /* Auxiliary id; 0: the main connection. */
    uint8_t wire_version; /* 0 before the handshake. */
    uint64_t since_ns;    /* Monotonic time of the last change of state. */
    const char *last_error; /* "" if none. */
    uint64_t rx_messages, tx_messages;
    size_t queued;
};
typedef void cc_info_cb(void *arg, const struct cc_info *);
/* One call per target and one per accepted connection. */
void cc_foreach(struct cc *, cc_info_cb *, void *arg);

/* Checks a target's syntax: 0 or -EINVAL with 'e' filled. */
WEFT_MUST_CHECK int cc_target_check(const char *target, struct weft_err *e);

#endif
