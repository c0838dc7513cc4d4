/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenFlow agent of one bridge: what the programs see of ofproto/.
 *
 * What:    creates the datapath bridge, speaks OpenFlow with every session
 *          that controller_client opens, owns tables, rules and their timers.
 * Model:   one struct ofp_bridge per bridge.  The datapath's events arrive
 *          through ofp_punt, ofp_port_event and ofp_synced; time through
 *          ofp_tick.  See ofproto/README in ARCHITECTURE.md: a flow-mod's
 *          life.
 * Threads: control.
 * Owns:    its dp_bridge.  Errors: 0 or -errno, 'e' filled.
 * Source:  OpenFlow 1.3.5, OpenFlow 1.0.0. */
#ifndef OFP_OFPROTO_H
#define OFP_OFPROTO_H

#include <stdbool.h>
#include <stdint.h>

#include "weft/compiler.h"
#include "weft/dp.h"
#include "weft/err.h"
#include "weft/ofconn.h"

struct ofp_bridge;

/* What happens to the rules when no controller is connected. */
enum ofp_fail_mode {
    OFP_FAIL_SECURE,     /* Keep rules, timeouts run: the default. */
    OFP_FAIL_STANDALONE, /* No rules and never connected: act as NORMAL. */
    OFP_FAIL_HOLD,       /* Keep rules and freeze their timeouts. */
};

struct ofp_bridge_config {
    const char *name;
    uint64_t dpid; /* 0: chosen from the name and the machine, stable. */
    enum ofp_fail_mode fail_mode;
};

WEFT_MUST_CHECK int ofp_bridge_create(struct dp *,
                                      const struct ofp_bridge_config *,
                                      struct ofp_bridge **,
                                      struct weft_err *e);
void ofp_bridge_destroy(struct ofp_bridge *); /* Accepts NULL. */
struct dp_bridge *ofp_bridge_dp(struct ofp_bridge *);
uint64_t ofp_bridge_dpid(const struct ofp_bridge *);
enum ofp_fail_mode ofp_bridge_fail_mode(const struct ofp_bridge *);
void ofp_bridge_set_fail_mode(struct ofp_bridge *, enum ofp_fail_mode);
/* Restricts the wire versions offered; bit N = wire version N (0x01 is 1.0,
 * 0x04 is 1.3).  0: all.  -EINVAL when none of them is implemented. */
WEFT_MUST_CHECK int ofp_bridge_set_versions(struct ofp_bridge *, uint32_t,
                                            struct weft_err *e);
/* For cc_create(): the session side of this bridge. */
const struct ofconn_agent *ofp_bridge_agent(struct ofp_bridge *);

/* Datapath events, handed on by the program.  'b' is the bridge_owner. */
void ofp_punt(struct ofp_bridge *b, const struct dp_punt *);
void ofp_port_event(struct ofp_bridge *b, enum dp_port_event,
                    const struct dp_port_info *);
void ofp_synced(struct ofp_bridge *b, uint64_t seq);
/* Every 100 ms: timeouts, statistics, paused replies. */
void ofp_tick(struct ofp_bridge *b, uint64_t now_ns);
/* After a batch of messages has been read from the sockets, and after the
 * other calls of this group: one dp_commit for all changes.  true: long work
 * (deleting a million rules, a large statistics reply) was cut off after its
 * time slice; call again as soon as the loop has served the others. */
bool ofp_flush(struct ofp_bridge *b);
/* After ofp_flush: when (base_clock_ns) it wants to be called though nothing
 * happened; UINT64_MAX: not at all. */
uint64_t ofp_wake_ns(const struct ofp_bridge *b);

/* One rule as operators see it; texts in ovs-ofctl's syntax, lent during the
 * callback. */
struct ofp_flow_info {
    uint8_t table;
    uint16_t priority;
    uint64_t cookie;
    uint64_t duration_ns;
    struct dp_stats stats;
    uint16_t idle_timeout, hard_timeout; /* Seconds. */
    uint16_t flags;                      /* OFPFF_* of 1.3. */
    uint16_t importance;
    const char *match;                   /* "tcp,in_port=1,nw_dst=10.0.0.0/8",
                                          * without table and priority; ""
                                          * for match-all. */
    const char *actions;                 /* "output:2", "drop" */
};
typedef void ofp_flow_cb(void *arg, const struct ofp_flow_info *);

/* A walk over the rules that a filter selects: flow text such as
 * "table=0,ip,nw_dst=10.0.0.0/8" or NULL for all (loose match as in a flow
 * statistics request).  Tables ascending, in each the oldest rule first.
 * Between the calls rules and the bridge itself may change and go: a rule
 * that lives through the walk is seen once, a later one once at most.
 * 0 or -EINVAL with 'e' naming the word. */
struct ofp_flow_dump;
WEFT_MUST_CHECK int ofp_flow_dump_begin(struct ofp_bridge *,
                                        const char *filter,
                                        struct ofp_flow_dump **,
                                        struct weft_err *e);
/* Looks at up to 'n' rules.  false: there are no more, or the bridge went. */
bool ofp_flow_dump_next(struct ofp_flow_dump *, unsigned n, ofp_flow_cb *,
                        void *arg);
void ofp_flow_dump_end(struct ofp_flow_dump *); /* Accepts NULL. */

/* One group as operators see it; texts in ovs-ofctl's syntax, lent during the
 * callback. */
struct ofp_bucket_info {
    uint32_t id;
    uint16_t weight;
    uint32_t watch_port;   /* DP_PORT_NONE: none. */
    uint32_t watch_group;  /* DP_GROUP_NONE: none. */
    struct dp_stats stats;
    const char *actions;   /* "output:2", "drop" */
};
struct ofp_group_info {
    uint32_t id;
    const char *type;      /* "all", "select", "indirect", "ff" */
    const char *text;      /* "group_id=1,type=all,bucket=..." */
    uint64_t duration_ns;
    uint32_t ref_count;    /* Flows and groups that name it. */
    struct dp_stats stats;
    const struct ofp_bucket_info *buckets;
    size_t n_buckets;
};
typedef void ofp_group_info_cb(void *arg, const struct ofp_group_info *);
/* Groups with ids >= *next, ascending: at least one, about 'n' buckets; *next
 * is where to go on.  false: there are no more. */
bool ofp_group_dump(struct ofp_bridge *, uint32_t *next, unsigned n,
                    ofp_group_info_cb *, void *arg);
/* One meter as operators see it; texts in ovs-ofctl's syntax, lent during the
 * callback. */
struct ofp_meter_info {
    uint32_t id;
    const char *name;      /* "7", "controller", "slowpath" */
    const char *text;      /* "meter=7,kbps,bands=type=drop,rate=1000" */
    uint64_t duration_ns;
    uint32_t flow_count;
    struct dp_stats in;    /* All packets that came to it. */
    const struct dp_stats *bands; /* Those each band was applied to. */
    size_t n_bands;
};
typedef void ofp_meter_info_cb(void *arg, const struct ofp_meter_info *);
/* Meters with ids >= *next, ascending, at most 'n'; *next is where to go on.
 * false: there are no more. */
bool ofp_meter_dump(struct ofp_bridge *, uint32_t *next, unsigned n,
                    ofp_meter_info_cb *, void *arg);
/* "add", "mod" or "del" of what the text says (ofproto/text/meter_text.h); a
 * delete takes the flows that name the meter with it, all before it returns.
 * 0 or -EINVAL with 'e' naming the word or the refusal. */
WEFT_MUST_CHECK int ofp_meter_command(struct ofp_bridge *, const char *command,
                                      const char *text, struct weft_err *e);

/* Match and op list in ovs-ofctl's syntax, for the cache dump; the caller
 * frees the result. */
char *ofp_format_match(const struct flow_match *);
char *ofp_format_ops(const struct dp_op_list *);

struct ofp_bridge_stats {
    uint32_t n_rules;
    uint32_t n_sessions;
    uint64_t flow_mods, packet_ins, packet_outs, errors_sent;
};
void ofp_bridge_get_stats(struct ofp_bridge *, struct ofp_bridge_stats *);

#endif
