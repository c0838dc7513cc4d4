/* SPDX-License-Identifier: Apache-2.0 */
/* A trace in sentences.
 *
 * What:    the steps of dp_trace as text for operators, and as JSON.
 * Model:   each step adds to the text; the outcome is collected and said at
 *          the end: what leaves where and with what changed, what is dropped
 *          and what to do about it, whether tables and caches agree.
 * Threads: control.  Owns: its strings, until trace_text_fini. */
#ifndef WEFTD_TRACE_TEXT_H
#define WEFTD_TRACE_TEXT_H

#include "utils/base/str.h"
#include "utils/weftd/jw.h"
#include "weft/dp.h"

struct trace_text {
    struct base_str text;     /* Step by step. */
    struct base_str outcome;  /* Lines of the result. */
    struct base_str caches;   /* Lines of the caches. */
    struct base_str frame;    /* The packet as it came, in hexadecimal. */
    struct base_str json_out; /* Elements of "outputs", "drops" ... */
    struct base_str json_tables, json_caches;
    struct flow_key start;    /* The packet as it came. */
    unsigned n_tables, n_wrong; /* Looked up; where compiled ones differ. */
    unsigned n_disagree;      /* Caches that differ. */
    bool in_set;              /* The action set is running ... */
    bool set_said;            /* ... and was announced. */
};

/* A packet in full: every field that its headers have. */
void trace_text_add_packet(struct base_str *, const struct flow_key *);
void trace_text_step(void *trace_text, const struct dp_trace_step *);
/* The whole, with result and checks. */
void trace_text_write(struct trace_text *, struct jw *);
void trace_text_fini(struct trace_text *);

#endif
