/* SPDX-License-Identifier: Apache-2.0 */
/* What operators write, done by the agent.
 *
 * What:    lines of text (flows, packet-outs ...) carried out on a bridge,
 *          as OpenFlow messages of an in-process client: a second spelling
 *          of messages, not a second way into the agent.
 * Model:   all lines are read first, so that a mistake in one of them changes
 *          nothing; then the messages are sent, in slices, and a barrier
 *          behind them is waited for: when it is done, workers forward by
 *          what was asked for.
 * Threads: control.
 * Owns:    its copy of the text, its session.  The bridge may go meanwhile.
 * Errors:  text: 'e' names line, column and word.  The agent's refusals are
 *          kept, the first OFP_MAX_REFUSALS in words.
 * Cost:    about 2 us per flow besides what the agent takes.
 * Source:  ovs-ofctl(8) of Open vSwitch 3.1. */
#ifndef OFP_COMMANDS_H
#define OFP_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "weft/compiler.h"
#include "weft/err.h"

struct ofp_bridge;
struct ofp_commands;

#define OFP_MAX_REFUSALS 64 /* Told one by one. */

/* What a line is. */
enum ofp_line_kind {
    OFP_LINE_ADD_FLOW, /* Or what a word in front says: "delete ip". */
    OFP_LINE_MODIFY_FLOWS,
    OFP_LINE_MODIFY_STRICT,
    OFP_LINE_DELETE_FLOWS,
    OFP_LINE_DELETE_STRICT,
    OFP_LINE_ADD_GROUP, /* Or what a word in front says: "delete group_id=1". */
    OFP_LINE_MODIFY_GROUP,
    OFP_LINE_DELETE_GROUPS,
    OFP_LINE_INSERT_BUCKETS,
    OFP_LINE_REMOVE_BUCKETS,
    OFP_LINE_ADD_METER, /* Or what a word in front says. */
    OFP_LINE_MODIFY_METER,
    OFP_LINE_DELETE_METERS,
    OFP_LINE_PACKET_OUT,
    OFP_LINE_MIXED, /* "flow add ...", "group delete ...", "meter add ...",
                     * "packet-out ..." */
};

#define OFP_COMMANDS_BUNDLE 1u /* All lines or none, in one step (OpenFlow
                                * 1.4.1 §6.9). */
#define OFP_COMMANDS_CHECK 2u  /* Lines are read, nothing is sent. */

/* 'how': OFP_COMMANDS_*.
 * 'line': the number of the first line; 0: the text is a single line without
 * a number, and may be empty.  Otherwise empty lines and comments (#) are
 * passed over. */
void ofp_commands_begin(struct ofp_bridge *, enum ofp_line_kind,
                        const char *text, uint32_t line, unsigned how,
                        struct ofp_commands **);
/* Works until 'end_ns' at most.  0: done; -EAGAIN: call again; -EINVAL,
 * nothing was changed: 'e'; -ENOENT: the bridge went. */
WEFT_MUST_CHECK int ofp_commands_run(struct ofp_commands *, uint64_t end_ns,
                                     struct weft_err *e);
/* Nothing to do before the workers have followed or another session let go. */
bool ofp_commands_idle(const struct ofp_commands *);
void ofp_commands_end(struct ofp_commands *); /* Accepts NULL; at any time. */

struct ofp_commands_result {
    uint32_t sent, refused; /* Messages. */
};
void ofp_commands_get(const struct ofp_commands *,
                      struct ofp_commands_result *);
/* The i-th refusal, i < min(refused, OFP_MAX_REFUSALS); lent. */
const char *ofp_commands_refusal(const struct ofp_commands *, unsigned i,
                                 uint32_t *line);

/* Reads flows without a bridge, up to 'n' lines from *text on, which is changed
 * and moved on, as is *line; 'cb' sees each flow as if it had been added now.
 * 0: all are read; -EAGAIN: more; -EINVAL with 'e'. */
struct ofp_flow_info;
WEFT_MUST_CHECK int ofp_flows_read(char **text, uint32_t *line, unsigned n,
                                   void (*cb)(void *arg,
                                              const struct ofp_flow_info *),
                                   void *arg, struct weft_err *e);

#endif
