/* SPDX-License-Identifier: Apache-2.0 */
/* An OpenFlow connection in memory, for scripted sessions with the agent.
 *
 * What:    implements struct ofconn_ops: what the agent sends is kept, what
 *          the test sends is handed over in exactly sized heap memory.
 * Model:   one struct mem_conn per session; messages received are looked at
 *          in order with mem_next.
 * Threads: one.
 * Owns:    the messages; the pointer from mem_next lives until the next
 *          call.
 * Errors:  tests assert. */
#ifndef TESTS_OFCONN_MEM_H
#define TESTS_OFCONN_MEM_H

#include "weft/ofconn.h"

struct mem_conn {
    struct ofconn conn;
    const struct ofconn_agent *agent;
    void *session;
    int result;       /* Of the last message(): nonzero closes. */
    bool closed;
    char why[128];    /* Of close(). */
    uint8_t version;  /* Of established(). */
    char role[16];
    bool paused;
    size_t queued;    /* What queued() says; the test sets it. */
    bool full;        /* send() fails. */
    uint8_t *out;     /* All that was sent. */
    size_t out_len, out_cap;
    size_t read_at;   /* mem_next's position. */
    uint8_t *current;
};

/* Opens a session.  'service': as from a passive listener. */
void mem_open(struct mem_conn *, const struct ofconn_agent *, bool service);
/* The same as an auxiliary connection of 'main'. */
void mem_open_aux(struct mem_conn *, const struct ofconn_agent *,
                  bool service, const struct ofconn *main, uint8_t aux);
/* closed() to the agent, frees all. */
void mem_close(struct mem_conn *);
/* Sends one message; its length field is set. */
void mem_send(struct mem_conn *, const void *msg, size_t len);
/* Hex text, blanks allowed; the length field is set. */
void mem_send_hex(struct mem_conn *, const char *hex);
/* Sends the bytes as they are, as one message. */
void mem_send_raw(struct mem_conn *, const void *msg, size_t len);
/* The next message received, *len its length; NULL: none. */
const uint8_t *mem_next(struct mem_conn *, size_t *len);
/* Number of messages not yet looked at. */
unsigned mem_pending(const struct mem_conn *);
/* Forgets what was received so far. */
void mem_drain(struct mem_conn *);

#endif
