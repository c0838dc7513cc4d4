/* SPDX-License-Identifier: Apache-2.0 */
/* The reference interpreter: OpenFlow's pipeline as its text says it.
 *
 * What:    what should come out when one frame enters a set of rules.
 * Model:   slow and obvious.  Every table is searched rule by rule, every
 *          action changes a plain buffer, the frame is parsed anew at each
 *          table, checksums come from whole sums.  It shares the parser
 *          (extract.h) and the lists of fields and ops with the fast path
 *          and nothing else, so that the two can be held against each other,
 *          and it can tell each step.
 *          Between rules of equal priority it takes the first given.
 *          Ports are the caller's: FLOOD, ALL, NORMAL, IN_PORT come out as
 *          such, but with egress tables, which are walked for each port that
 *          a packet is sent to: then 'ports' says which there are.
 *          Packets meet a meter in the order in which they are run, copies
 *          depth first: where that decides, workers may decide otherwise.
 * Threads: any; no state but the meters'.
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

/* What is told while a frame runs. */
enum interp_step_kind {
    INTERP_PACKET,   /* The frame as it was parsed. */
    INTERP_TABLE,    /* A table was looked up: 'rule', NULL: a miss. */
    INTERP_OP,       /* An op was run; 'drop': it ended the packet. */
    INTERP_SET,      /* The action set is run. */
    INTERP_METADATA, /* Write-metadata. */
    INTERP_GROUP,    /* 'op' runs bucket 'n' of 'group'. */
    INTERP_EGRESS,   /* Egress tables for what goes to port 'n'. */
    INTERP_OUT,      /* 'op' sends the frame. */
    INTERP_DROP,     /* What is left of it is dropped. */
};

struct interp_rule;
struct interp_group;
struct interp_step {
    enum interp_step_kind kind;
    unsigned depth;  /* Groups and egress processing around it. */
    uint8_t table;
    const struct interp_rule *rule;
    const struct dp_op *op;
    const struct interp_group *group;
    uint32_t n;
    int drop;        /* enum drop_reason, -1: none. */
    const struct flow_key *before, *key; /* The packet's, in OP; else key. */
    const uint8_t *data;
    size_t len;
};

struct interp_rule {
    uint8_t table;
    uint16_t priority;
    uint64_t cookie;
    struct flow_match match;
    struct dp_instr instr;
};

/* A group: its buckets' ops are in the action set's order. */
struct interp_group {
    uint32_t id;
    enum dp_group_type type;
    const struct dp_op_list *buckets;
    size_t n_buckets;
};
#define INTERP_NO_BUCKET UINT32_MAX
#define INTERP_GROUP_DEPTH 17

struct interp_port {
    uint32_t no;
    uint32_t config; /* DP_PC_* */
};

/* A meter with its token buckets; they live as long as the caller keeps
 * them.  Every band has a burst. */
struct interp_band {
    struct dp_meter_band said;
    int64_t level;             /* What is in the bucket; full at first. */
    unsigned passed, exceeded; /* Packets; for the caller to clear. */
};
struct interp_meter {
    uint32_t id;
    bool pktps;
    unsigned n;
    uint64_t last_ns;      /* The buckets are as of then. */
    struct interp_band band[DP_METER_BANDS];
};
void interp_meter_init(struct interp_meter *, uint32_t id,
                       const struct dp_meter_config *, uint64_t now_ns);

struct interp_pipeline {
    const struct interp_rule *rules;
    size_t n_rules;
    uint8_t miss[DP_N_TABLES]; /* enum dp_miss */
    uint8_t egress;            /* First egress table; 0, DP_NO_TABLE: none. */
    bool frag_drop;            /* Fragments go no further. */
    const struct interp_port *ports;
    size_t n_ports;
    /* Where NORMAL finds this address; 0: unknown.  NULL: nowhere. */
    uint32_t (*mac_port)(void *arg, const uint8_t mac[6], uint16_t vlan);
    void *mac_arg;
    const struct interp_group *groups;
    size_t n_groups;
    /* The bucket that SELECT and FF choose, INTERP_NO_BUCKET: none. */
    uint32_t (*bucket)(void *arg, uint32_t group, const struct flow_key *);
    void *bucket_arg;
    struct interp_meter *meters; /* Changed by the frames that run; a meter
                                  * that is not there lets all pass. */
    size_t n_meters;
    uint64_t now_ns;             /* Does not fall. */
    /* Called at each step; NULL: nobody asks. */
    void (*step)(void *arg, const struct interp_step *);
    void *step_arg;
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
    unsigned n_groups; /* Packets given to groups. */
    unsigned n_metered; /* Copies for the controller that meters dropped. */
    int egress_drop;   /* ... and why one was dropped there; -1: none. */
    bool met_after;    /* What was left of a sent packet met a meter. */
};

/* Runs the frame through the tables. */
void interp_run(const struct interp_pipeline *, uint32_t in_port,
                const struct pkt_tunnel *, const uint8_t *data, size_t len,
                struct interp_result *);
/* Runs ops on the frame, without tables.  What is not known ends it. */
void interp_run_ops(const struct interp_pipeline *, const struct dp_op_list *,
                    uint32_t in_port, const struct pkt_tunnel *,
                    const uint8_t *data, size_t len, struct interp_result *);
void interp_result_fini(struct interp_result *);

#endif
