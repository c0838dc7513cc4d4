/* SPDX-License-Identifier: Apache-2.0 */
/* What the suites of controller_client share: an agent that records, and
 * plain sockets that play the controller.
 * Model:   one event base; a test says what the peer does, then spins the
 *          base until what it expects has happened or time is up.
 * Threads: one.  Owns: a temporary folder. */
#ifndef TESTS_CC_PEER_H
#define TESTS_CC_PEER_H

#include <check.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "controller_client/controller_client.h"

#define MAX_SESSIONS 80

/* The agent's view of one connection. */
struct session {
    struct ofconn *conn; /* NULL: closed. */
    unsigned n;          /* Messages. */
    size_t bytes;
    uint8_t last[65535];
    size_t last_len;
    unsigned writable;
};

struct fixture {
    struct event_base *base;
    char dir[64];
    struct ofconn_agent agent;
    struct session s[MAX_SESSIONS];
    unsigned n_opened, n_closed;
    unsigned batches;
    bool refuse;          /* opened() returns NULL. */
    bool establish;       /* Established with the first message. */
    unsigned pause_at;    /* message() pauses after so many; 0: never. */
    int message_result;   /* Of the agent's message(). */
    const char *close_why; /* message() answers, then close(why). */
};

extern struct fixture fx;

void fixture_setup(void);
void fixture_teardown(void);
struct cc *fixture_cc(const struct cc_config *); /* NULL: defaults. */
/* "punix:DIR/NAME"; static buffer. */
const char *fixture_target(const char *kind, const char *name);

/* Runs the loop until 'done' is true, at most 'ms'; returns 'done'. */
#define SPIN(ms, done)                                                        \
    ({                                                                        \
        uint64_t end_ = now_ms() + (ms);                                      \
        while (!(done) && now_ms() < end_)                                    \
            spin_once();                                                      \
        (done);                                                               \
    })
uint64_t now_ms(void);
void spin_once(void);
void spin_for(unsigned ms);

/* The controller's side: blocking writes, reads that spin the loop. */
int peer_connect(const char *name);
int peer_listen_tcp(uint16_t *port);
void peer_write(int fd, const void *, size_t);
/* Reads exactly 'n' bytes: true; false on end of file or after 2 s. */
bool peer_read(int fd, void *, size_t n);
/* The connection ends within 'ms', whatever is read before. */
bool peer_sees_end(int fd, unsigned ms);
/* Writes an OpenFlow header. */
void put_header(uint8_t *m, uint8_t type, uint16_t len, uint32_t xid);

void suite_add_aux(Suite *);
void suite_add_target(Suite *);
void suite_add_tls(Suite *);

#endif
