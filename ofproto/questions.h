/* SPDX-License-Identifier: Apache-2.0 */
/* What operators ask the agent, and what it tells them unasked.
 *
 * What:    table descriptions, table features, and a monitor of what a
 *          controller would be sent; answers as text.
 * Model:   a question is a client of the bridge (text/text_client.h) that
 *          speaks OpenFlow 1.5.  Answers come from inside the agent's calls
 *          to the callback, which may not end the question.
 * Threads: control.
 * Owns:    its session.  The bridge may go meanwhile.
 * Errors:  -EINVAL with 'e' naming the word.
 * Source:  ovs-ofctl(8) of Open vSwitch 3.1. */
#ifndef OFP_QUESTIONS_H
#define OFP_QUESTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "utils/base/str.h"
#include "weft/compiler.h"
#include "weft/err.h"

struct ofp_bridge;
struct ofp_question;

enum ofp_question_kind {
    OFP_ASK_TABLE_DESC,
    OFP_ASK_TABLE_FEATURES,
    OFP_ASK_MONITOR, /* Has no end. */
};

/* Lent during the callback. */
struct ofp_answer {
    const char *kind; /* "table", or as event_text.h names events. */
    const char *text; /* Lines. */
    uint8_t table;    /* Of a table: number, */
    const char *name; /* name, NULL: not told; and */
    const char *next; /* tables that may follow, "4-253"; NULL as well. */
};
typedef void ofp_answer_cb(void *arg, const struct ofp_answer *);

struct ofp_question_ops {
    ofp_answer_cb *answer;
    /* Appends a frame's headers in one line; NULL: not shown. */
    void (*frame)(struct base_str *, const uint8_t *, size_t len);
};

/* 'words' of a monitor: "[MISS_LEN] [invalid_ttl] [watch:SPEC]" as for
 * ovs-ofctl monitor: a MISS_LEN that is not 0 asks for all that is sent
 * unasked, SPEC for changes of flows.  Else "". */
WEFT_MUST_CHECK int ofp_question_begin(struct ofp_bridge *,
                                       enum ofp_question_kind,
                                       const char *words,
                                       const struct ofp_question_ops *,
                                       void *arg, struct ofp_question **,
                                       struct weft_err *e);
/* Lets the agent work; false: all has been answered, or the bridge went. */
bool ofp_question_run(struct ofp_question *);
/* Answers wait that nobody takes: the agent holds back what it can. */
void ofp_question_backlog(struct ofp_question *, size_t bytes);
void ofp_question_end(struct ofp_question *); /* Accepts NULL. */

/* Settings of ports and tables, at once.
 * 'setting' of a port: up, down, receive, no-receive, forward, no-forward,
 * packet-in, no-packet-in, flood, no-flood.  Of a table ("all": each): evict,
 * noevict, vacancy:DOWN,UP, novacancy, name:NAME, max:N.
 * 0; -EINVAL, -ENOENT, -EBUSY (a bundle is being committed) with 'e'. */
WEFT_MUST_CHECK int ofp_port_setting(struct ofp_bridge *, const char *port,
                                     const char *setting,
                                     struct weft_err *e);
WEFT_MUST_CHECK int ofp_table_setting(struct ofp_bridge *, const char *table,
                                      const char *setting,
                                      struct weft_err *e);
#endif
