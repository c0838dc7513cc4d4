/* SPDX-License-Identifier: Apache-2.0 */
/* A datapath without packets, for tests of what sits above dp.h.
 *
 * What:    implements every function of include/weft/dp.h and lets a test
 *          look at what it was told: rules, packet-outs, port changes,
 *          commits.
 * Model:   lists of plain structs.  Events are queued and delivered by
 *          dp_run, as the real one does; a commit is reported as synced by
 *          the next dp_run unless 'hold_sync' is set.
 * Threads: one.
 * Owns:    all it stores; pointers handed out live until the next call that
 *          changes the object.
 * Errors:  'fail_rule_add' makes dp_rule_add return that errno,
 *          'fail_meter_set' dp_meter_set. */
#ifndef TESTS_DUMMY_DP_H
#define TESTS_DUMMY_DP_H

#include "utils/base/list.h"
#include "weft/dp.h"

/* DP_RULE_OWNER bytes lie in front. */
struct dp_rule {
    struct base_list link; /* In dummy_bridge.rules, oldest first. */
    struct dp_bridge *bridge;
    uint8_t table;
    uint16_t priority;
    uint64_t cookie;
    unsigned n_sets;   /* dp_rule_set calls. */
    unsigned n_resets; /* dp_rule_reset_stats calls. */
    struct dp_stats stats;
    struct dp_instr instr; /* Own copy. */
    struct flow_match match;
    uint64_t values[FLOW_KEY_WORDS]; /* Packed. */
    /* Of a transaction under way: 'instr' and 'cookie' are what will be. */
    bool staged, was, will; /* Changed; there before; there after. */
    struct dp_instr old;
    uint64_t old_cookie;
};

#define DUMMY_GROUP_LISTS 1024 /* By id. */

struct dummy_group {
    struct base_list link; /* In dummy_bridge.groups. */
    uint32_t id;
    enum dp_group_type type;
    size_t n_buckets;
    struct dp_bucket *buckets; /* Own, with their ops. */
    bool hash_given, kept;     /* Of the last dp_group_set. */
    struct flow_key hash_mask;
    uint64_t hash_seed;
    struct dp_stats total, *stats; /* Of the group and of each bucket. */
};

struct dummy_packet_out {
    struct base_list link;
    uint32_t in_port;
    uint8_t *data;
    size_t len;
    struct dp_op_list ops; /* Own copy. */
};

struct dummy_queue {
    struct base_list link;
    uint32_t port_no, id;
    struct dp_queue_config config;
    struct dp_queue_stats stats;
};

struct dummy_port {
    struct base_list link;
    struct dp_port_info info;
};

struct dummy_meter {
    struct base_list link;
    uint32_t id;
    unsigned n_sets; /* dp_meter_set calls. */
    bool pktps;
    size_t n_bands;
    struct dp_meter_band bands[DP_METER_BANDS];
    struct dp_stats in;
    struct dp_stats band_stats[DP_METER_BANDS];
};

struct dp_bridge {
    struct base_list link;
    struct dp *dp;
    void *owner;
    char name[DP_NAME_LEN];
    struct base_list rules;       /* struct dp_rule */
    uint32_t n_rules;
    struct base_list groups[DUMMY_GROUP_LISTS]; /* struct dummy_group */
    struct base_list packet_outs; /* struct dummy_packet_out */
    unsigned n_packet_outs;
    struct base_list ports;       /* struct dummy_port, by number */
    struct base_list meters;      /* struct dummy_meter */
    unsigned n_meters;
    struct base_list queues;      /* struct dummy_queue, by port and id */
    enum dp_miss miss[DP_N_TABLES];
    bool ttl_punt, frag_drop;
    uint8_t egress; /* DP_NO_TABLE: none. */
    enum { DUMMY_TXN_NONE, DUMMY_TXN_OPEN, DUMMY_TXN_COMMITTED } txn;
    unsigned n_txns, n_aborts; /* Begun; aborted. */
    struct dp_table_info table_info[DP_N_TABLES]; /* lookups, matches. */
};

struct dummy_event;

struct dp {
    struct dp_events events;
    struct base_list bridges;
    struct base_list queue; /* struct dummy_event */
    uint64_t seq;           /* Last committed. */
    uint64_t synced;        /* Last reported. */
    unsigned n_changes;     /* Since the last commit. */
    unsigned n_commits;
    bool hold_sync;
    int fail_rule_add; /* 0 or a negative errno. */
    unsigned fail_at;  /* N: the N-th change of a rule from now on gets
                        * -ENOMEM; 0: none. */
    int fail_meter_set; /* The same. */
};

/* The rule with this table, priority and match; NULL: none. */
struct dp_rule *dummy_rule_find(struct dp_bridge *, uint8_t table,
                                uint16_t priority, const struct flow_match *);
/* The n-th rule, oldest first; NULL past the end. */
struct dp_rule *dummy_rule_nth(struct dp_bridge *, unsigned n);
/* NULL: none. */
struct dummy_group *dummy_group_find(struct dp_bridge *, uint32_t id);
/* The last packet-out; NULL: none. */
struct dummy_packet_out *dummy_last_packet_out(struct dp_bridge *);
/* Adds a port of type "dummy"; delivered as an event by dp_run. */
uint32_t dummy_port_add(struct dp_bridge *, const char *name,
                        uint32_t port_no);
/* Changes the link state and queues the event. */
void dummy_port_link(struct dp_bridge *, uint32_t port_no, bool up);
/* The stored info, for setting counters; NULL: none. */
struct dp_port_info *dummy_port(struct dp_bridge *, uint32_t port_no);
/* dummy_qos.c.  NULL: none. */
struct dummy_meter *dummy_meter(struct dp_bridge *, uint32_t id);
struct dummy_queue *dummy_queue(struct dp_bridge *, uint32_t port_no,
                                uint32_t queue);
/* Frees meters and queues (of one port; DP_PORT_NONE: all). */
void dummy_qos_clear(struct dp_bridge *, uint32_t port_no);
/* Delivers a punt at once; 'bridge' and 'bridge_owner' are filled in. */
void dummy_punt(struct dp_bridge *, const struct dp_punt *);

#endif
