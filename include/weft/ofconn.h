/* SPDX-License-Identifier: Apache-2.0 */
/* Message pipe between controller_client and the OpenFlow agent.
 *
 * What:    whole, framed OpenFlow messages in both directions.
 * Model:   controller_client owns a struct ofconn per transport connection
 *          and calls the agent's ops; the agent calls the connection's ops.
 *          Framing (header length field, 8..65535 bytes) is done; everything
 *          else, HELLO included, is the agent's.  Keep-alive ECHO_REQUESTs
 *          are sent and their replies swallowed by controller_client once
 *          the agent called established(); the agent answers the peer's.
 * Threads: control.
 * Owns:    message bytes are borrowed for the call, both ways.
 * Errors:  the agent returns nonzero from message() to have the connection
 *          closed after what is queued has been sent. */
#ifndef WEFT_OFCONN_H
#define WEFT_OFCONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weft/compiler.h"

struct ofconn;

/* Implemented by controller_client. */
struct ofconn_ops {
    /* Queues a copy of one message (several whole messages are fine too).
     * 0; -ENOBUFS when the bounded queue is full, in which case the
     * connection will be closed with a log line; -ENOTCONN. */
    int (*send)(struct ofconn *, const void *msg, size_t len);
    /* Bytes queued and not yet taken by the transport. */
    size_t (*queued)(const struct ofconn *);
    /* Handshake done with this wire version: keep-alive may start. */
    void (*established)(struct ofconn *, uint8_t wire_version);
    /* Role changed, for weft-dump controllers: "master", "slave", "equal". */
    void (*role)(struct ofconn *, const char *role);
    /* May be NULL.  true: stop reading from the transport, the agent has
     * enough to do (it waits for a barrier or a long reply); false: go on.
     * Messages read already may still be delivered. */
    void (*pause)(struct ofconn *, bool paused);
    /* Closes after flushing; 'why' goes to the log. closed() follows. */
    void (*close)(struct ofconn *, const char *why);
};

/* Auxiliary connections (OpenFlow 1.3.5 §6.3.6) come after their main one's
 * established() and are closed before it. */
struct ofconn {
    const struct ofconn_ops *ops;
    const char *peer;  /* "tcp:192.0.2.9:6653", for logs. */
    bool service;      /* From a passive (ptcp, punix) listener. */
    uint8_t aux;       /* Auxiliary id; 0: the main connection. */
    const struct ofconn *main; /* Of an auxiliary one; NULL. */
};

/* Implemented by the agent, one table per agent, given to
 * controller_client. */
struct ofconn_agent {
    void *arg; /* The bridge's agent. */
    /* Transport is up: returns the agent's session, NULL to refuse. */
    void *(*opened)(void *arg, struct ofconn *);
    /* One whole message; nonzero: close the connection. */
    int (*message)(void *session, const uint8_t *msg, size_t len);
    /* The output queue drained below its low mark: multipart replies that
     * paused go on. */
    void (*writable)(void *session);
    /* Connection is gone; 'session' is not used again. */
    void (*closed)(void *session);
};

#endif
