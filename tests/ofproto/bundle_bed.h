/* SPDX-License-Identifier: Apache-2.0 */
/* What the suites about bundles share: their messages and replies.
 * Model:   the agent's bed (agent_bed.h) with a second session of 1.4; what
 *          takes a session speaks 1.4's messages or ONF's for 1.3.
 * Threads: one.  Owns: the session of 1.4, from setup to teardown. */
#ifndef TESTS_BUNDLE_BED_H
#define TESTS_BUNDLE_BED_H

#include "tests/ofproto/agent_bed.h"

enum { ADD, MODIFY, MODIFY_STRICT, DELETE, DELETE_STRICT };
enum { OPEN, OPEN_REPLY, CLOSE, CLOSE_REPLY, COMMIT, COMMIT_REPLY, DISCARD,
       DISCARD_REPLY };
enum { UNKNOWN, EPERM_, BAD_ID, EXIST, CLOSED, OUT_OF_BUNDLES, BAD_TYPE,
       BAD_FLAGS, MSG_BAD_LEN, MSG_BAD_XID, MSG_UNSUP, MSG_CONFLICT,
       MSG_TOO_MANY, MSG_FAILED, TIMEOUT_ };
#define ATOMIC 1
#define ORDERED 2
#define ONF 0x4f4e4600u
#define XID 0x77u /* Of all messages. */

extern struct mem_conn bundle_c14;

void bundle_setup(void);
void bundle_teardown(void);
/* 0: the session of 1.3, 1: that of 1.4. */
struct mem_conn *bundle_conn(int i);
uint8_t bundle_version(const struct mem_conn *);

/* Header of a bundle message: of 1.4, or of the experimenter's for 1.3; its
 * length. */
size_t bundle_put_head(uint8_t *m, const struct mem_conn *, unsigned type14);
/* Sends BUNDLE_CONTROL; all that follows from it is done afterwards. */
void bundle_control(struct mem_conn *, uint32_t id, unsigned type,
                    unsigned flags);
/* Sends BUNDLE_ADD_MESSAGE with these bytes, or a flow-mod. */
void bundle_add_raw(struct mem_conn *, uint32_t id, unsigned flags,
                    const void *msg, size_t len);
void bundle_add_fm(struct mem_conn *, uint32_t id, unsigned flags,
                   const struct fm *);
#define BFM(c, ...) bundle_add_fm(c, 1, 0, &(struct fm) { __VA_ARGS__ })

/* The next message is this. */
void bundle_expect_control(struct mem_conn *, uint32_t id, unsigned type,
                           unsigned flags);
void bundle_expect_error(struct mem_conn *, unsigned code);
/* Bundle 1 with its reply. */
void bundle_open(struct mem_conn *, unsigned flags);
void bundle_commit(struct mem_conn *, unsigned flags);

#endif
