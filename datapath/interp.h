/* SPDX-License-Identifier: Apache-2.0 */
/* The reference interpreter: OpenFlow's pipeline as its text says it.
 *
 * What:    what should come out when one frame enters a set of rules.
 * Model:   slow and obvious.  Every table is searched rule by rule, every
 *          action changes a plain buffer, the frame is parsed anew at each
 *          table, checksums come from whole sums.  It shares the parser
 *          (extract.h) and the lists of fields and ops with the fast path
 *          and nothing else, so that the two can be held against each other,
 *          and it can say what it does, line by line.
 *          Between rules of equal priority it takes the first given.
 *          Ports are the caller's: FLOOD, ALL, NORMAL, IN_PORT come out as
 *          such, but with egress tables, which are walked for each port that
 *          a packet is sent to: then 'ports' says which there are.
 * Threads: any; no state.
 * Owns:    the outputs of a result until interp_result_fini.
 * Errors:  none but memory, which aborts.
 * Source:  OpenFlow 1.3.5 §5.1, §5.9, §5.10, §5.12. */
#ifndef DP_INTERP_H
#define DP_INTERP_H

#include <stddef.h>
#include <stdint.h>

#include "weft/dp.h"

/* Room in front of a frame; pushing more is DROP_NO_HEADROOM. */
#define INTERP_HEADROOM 128

struct interp_rule {
    uint8_t table;
    uint16_t priority;
    uint64_t cookie;
    struct flow_match match;
    struct dp_instr instr;
};

struct interp_port {
    uint32_t no;
    uint32_t config; /* DP_PC_* */
};

struct interp_pipeline {
    const struct interp_rule *rules;
    size_t n_rules;
    uint8_t miss[DP_N_TABLES]; /* enum dp_miss */
    uint8_t egress;            /* First egress table; 0, DP_NO_TABLE: none. */
    const struct interp_port *ports;
    size_t n_ports;
    /* Where NORMAL finds this address; 0: unknown.  NULL: nowhere. */
    uint32_t (*mac_port)(void *arg, const uint8_t mac[6], uint16_t vlan);
    void *mac_arg;
};

/* One frame that leaves the pipeline. */
struct interp_out {
    uint8_t code;    /* DP_OP_OUTPUT ... DP_OP_IN_PORT, DP_OP_CONTROLLER. */
    uint32_t arg;    /* Port, or max_len of a punt. */
    uint16_t reason; /* enum dp_punt_reason of a punt. */
    uint8_t table;   /* Where the punt comes from, and: */
    uint64_t cookie;
    uint64_t metadata;
    uint8_t *data;
    size_t len;
};

struct interp_result {
    struct interp_out *outs;
    size_t n_outs;
    int drop; /* enum drop_reason of what is left of the frame; -1: none. */
    unsigned n_egress; /* Packets that went through egress tables ... */
    int egress_drop;   /* ... and why one was dropped there; -1: none. */
};

/* Runs the frame through the tables.  'text' (NULL: none) gets one line per
 * step, cut at 'size'. */
void interp_run(const struct interp_pipeline *, uint32_t in_port,
                const struct pkt_tunnel *, const uint8_t *data, size_t len,
                struct interp_result *, char *text, size_t size);
void interp_result_fini(struct interp_result *);

#endif
