/* SPDX-License-Identifier: Apache-2.0 */
/* A controller that does nothing but stream prepared messages: its parts.
 *
 * What:    ofblast_wire.c encodes OpenFlow 1.3 and 1.4, ofblast_conn.c talks
 *          to the switch, ofblast.c is the modes of rows G and H.
 * Model:   one connection, everything in one thread; counters of what came.
 * Threads: one.
 * Errors:  die(): a line on stderr, exit 1.
 * Owns:    the connection. */
#ifndef WEFT_OFBLAST_H
#define WEFT_OFBLAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HELLO = 0, OFERROR = 1, ECHO_REQUEST = 2, ECHO_REPLY = 3,
       SET_CONFIG = 9, PACKET_IN = 10, PACKET_OUT = 13, FLOW_MOD = 14,
       MULTIPART_REQUEST = 18, MULTIPART_REPLY = 19, BARRIER_REQUEST = 20,
       BARRIER_REPLY = 21, BUNDLE_CONTROL = 33, BUNDLE_ADD = 34 };
enum { ADD = 0, MODIFY_STRICT = 2, DELETE = 3, DELETE_STRICT = 4 };
enum { MP_FLOW = 1, MP_AGGREGATE = 2 };

#define FLOW_MOD_LEN 144
#define LIVE_FLOW_MOD_LEN 128
#define ANY 0xffffffffu
#define TO_CONTROLLER 0xfffffffdu
#define N_HOPS 48
#define IN_PORT 3 /* The traffic of other rows comes from 1. */

extern uint8_t version;
extern uint32_t n_rules, n_tables;

/* What came in. */
extern unsigned long n_errors, n_answers, n_packet_ins;
extern uint64_t stats_entries, stats_bytes, n_flows, packet_in_cookie;

void die(const char *what) __attribute__((noreturn));
double now(void);

/* Each writes at 'p' and returns what follows. */
uint8_t *put(uint8_t *p, uint64_t v, unsigned bytes);
uint64_t get(const uint8_t *p, unsigned bytes);
uint8_t *header(uint8_t *p, unsigned type, unsigned len, uint32_t xid);
uint8_t *flow_mod_head(uint8_t *p, unsigned command, unsigned table,
                       uint64_t cookie, unsigned len, unsigned priority);
/* Command about rule i of ours; 'hop' varies what a modify writes. */
uint8_t *flow_mod(uint8_t *p, unsigned command, uint32_t i, uint32_t hop);
/* ... about 5-tuple rule i of bench_rows.py, its source port moved. */
uint8_t *live_flow_mod(uint8_t *p, unsigned command, uint32_t i,
                       uint16_t sport);
/* "All from port 1 to 'port'". */
uint8_t *steer_flow_mod(uint8_t *p, unsigned command, uint32_t port);
uint8_t *delete_all(uint8_t *p);
uint8_t *barrier(uint8_t *p);
uint8_t *bundle_control(uint8_t *p, unsigned type);
/* Goes before a flow-mod of that cookie: both have the same xid. */
uint8_t *bundle_add(uint8_t *p, unsigned len, uint64_t cookie);
/* These return the length of what they wrote, barrier included. */
size_t packet_out(uint8_t *p, uint32_t i);
size_t stats_request(uint8_t *p, unsigned type);
size_t miss_rule(uint8_t *p);

/* 'target': path of a Unix socket, or tls:PORT:PEM on this host. */
void connect_to(const char *target);
/* Takes what has come; waits up to 'ms' for it. */
void receive(int ms);
/* Sends all of 'buf' and reads until *count has grown by one. */
void exchange_until(const uint8_t *buf, size_t len,
                    const unsigned long *count);
/* ... until an answer came; the seconds it took. */
double exchange(const uint8_t *buf, size_t len);

#endif
