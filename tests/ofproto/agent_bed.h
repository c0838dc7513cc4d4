/* SPDX-License-Identifier: Apache-2.0 */
/* The agent on a dummy datapath with sessions in memory: what its tests
 * share.
 * Model:   one bridge "br0" with ports 1 ("p1") and 2 ("p2"); 'c' speaks 1.3,
 *          'c10' 1.0 when opened.  Time stands still at bed.now_ns.
 * Threads: one.  Owns: everything, from bed_open to bed_close.
 * Messages are built here byte by byte, not with the bindings. */
#ifndef TESTS_AGENT_BED_H
#define TESTS_AGENT_BED_H

#include "ofproto/ofproto.h"
#include "tests/support/dummy_dp.h"
#include "tests/support/ofconn_mem.h"

struct bed {
    struct dp *dp;
    struct ofp_bridge *b;
    struct dp_bridge *dpb;
    struct mem_conn c;
    uint64_t now_ns;
};
extern struct bed bed;

void bed_open(void);  /* As a checked fixture: bridge and session 'c'. */
void bed_close(void);
/* A second session that said HELLO of 'version' (1 or 4), drained. */
void bed_session(struct mem_conn *, uint8_t version, bool service);
/* ofp_flush until nothing is left, then dp_run. */
void bed_settle(void);
void bed_advance(uint64_t ms); /* Time passes, with a tick at the end. */

/* OpenFlow 1.3 flow-mod; match: OXM list in hex, instr: instructions in hex.
 * Sent on 'c'; xid is 0x77. */
struct fm {
    uint8_t command;
    uint8_t table;
    uint16_t priority;
    uint16_t flags;
    uint16_t idle, hard;
    uint64_t cookie, cookie_mask;
    uint32_t out_port;  /* 0: ANY. */
    uint32_t out_group; /* 0: ANY. */
    uint32_t buffer_id; /* 0: NO_BUFFER. */
    const char *match;
    const char *instr;
};
#define FM_MAX 4096
size_t put_fm(uint8_t m[FM_MAX], const struct fm *); /* Its length. */
void send_fm(struct mem_conn *, const struct fm *);
#define FM(...) send_fm(&bed.c, &(struct fm) { __VA_ARGS__ })

/* Instructions in hex. */
#define APPLY_OUTPUT(port_hex8)                                               \
    "0004001800000000" "00000010" port_hex8 "ffff000000000000"
#define OUT1 APPLY_OUTPUT("00000001")
#define OUT2 APPLY_OUTPUT("00000002")
#define ACTION_OUT1 "0000001000000001ffff000000000000"

/* OXM TLVs in hex. */
#define OXM_IN_PORT1 "8000000400000001"
#define OXM_IP "80000a020800"
#define OXM_TCP OXM_IP "8000140106"
#define OXM_DST(hex8) OXM_IP "80001804" hex8 /* ipv4_dst */

/* The next message is an error with this type and code and its data begins
 * like the request. */
void expect_error(struct mem_conn *, unsigned type, unsigned code);
/* The next message has this type; returns it. */
const uint8_t *expect(struct mem_conn *, unsigned type, size_t *len);
/* Nothing more was received. */
void expect_quiet(struct mem_conn *);
/* Bytes to hex, for comparing with golden text; lent until the next call. */
const char *hex_of(const void *, size_t len);
/* Hex without its blanks; lent until the next call of the other kind. */
const char *hex_plain(const char *);

#endif
