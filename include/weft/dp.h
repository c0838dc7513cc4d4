/* SPDX-License-Identifier: Apache-2.0 */
/* Southbound contract: the only door from the OpenFlow agent, the programs
 * and the tests to the datapath.
 *
 * What:    bridges, ports, rules, groups, meters, queues, packet-out, punts,
 *          statistics, tunnels' next hops and uplinks.
 * Model:   a struct dp holds bridges; a bridge holds ports (numbered as
 *          OpenFlow sees them) and DP_N_TABLES tables of rules.  Rule changes
 *          are visible to packets at the latest after dp_commit; once
 *          dp_events.synced reports the returned sequence number every worker
 *          forwards by them.
 * Threads: everything here is called by the control thread and every
 *          callback runs on it, inside dp_run().
 * Errors:  0 or -errno; 'e' (may be NULL) gets one line for the user.
 * Owns:    what it creates; configurations, matches, instructions and packet
 *          bytes are borrowed for the call.
 * Source:  DESIGN: layers; OpenFlow 1.3.5 §5 for the pipeline. */
#ifndef WEFT_DP_H
#define WEFT_DP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weft/compiler.h"
#include "weft/drop.h"
#include "weft/err.h"
#include "weft/flow_key.h"
#include "weft/flow_match.h"
#include "weft/pkt.h"
#include "weft/tunnel.h"

struct dp;
struct dp_bridge;
struct dp_rule;

#define DP_N_TABLES 254    /* 0..253, OpenFlow 1.3.5 §A.3.1. */
#define DP_NO_TABLE 0xff
#define DP_MAX_WORKERS 16
#define DP_NAME_LEN 64     /* With the final NUL. */

/* Port numbers: 1..DP_PORT_MAX ordinary, LOCAL for the bridge's internal
 * port; the other reserved ones are ops of their own. */
#define DP_PORT_MAX 0xff00u       /* So that OpenFlow 1.0 sees them too. */
#define DP_PORT_LOCAL 0xfffffffeu
#define DP_PORT_NONE 0xffffffffu  /* No ingress port (packet-out ANY). */
#define DP_PORT_CONTROLLER 0xfffffffdu

enum dp_op_code {
#define DP_OP(id, name) DP_OP_##id,
#include "weft/dp_ops.def"
#undef DP_OP
    N_DP_OPS
};

/* One primitive.  Ops of a list follow each other without gaps; each is
 * 8 * words bytes long and 8-byte aligned. */
struct dp_op {
    uint8_t code;  /* enum dp_op_code */
    uint8_t words; /* Length in 8-byte units, header included: >= 1. */
    uint16_t aux;
    uint32_t arg;
    uint8_t data[]; /* SET_FIELD: value then mask, each as wide as the
                     * member (flow_fields[aux].width), in member position
                     * (shifted), padded together to 8 bytes. */
};

/* Data of COPY_FIELD (OpenFlow 1.5.1 §7.2.6.8): n_bits bits of one field go
 * to another; bit 0 is the least significant of the OXM's value.  The caller
 * has checked that both ranges lie inside their fields. */
struct dp_copy_field {
    uint8_t src, dst; /* enum flow_field_id */
    uint16_t n_bits;
    uint16_t src_offset, dst_offset;
};

/* The port number of an output op in the protocol (OFPP_*), as
 * actset_output has it; FLOW_PORT_UNSET: it is no output. */
static inline uint32_t
dp_op_port(const struct dp_op *op)
{
    switch (op->code) {
    case DP_OP_OUTPUT:
        return op->arg;
    case DP_OP_CONTROLLER:
        return DP_PORT_CONTROLLER;
    case DP_OP_NORMAL:
        return 0xfffffffau;
    case DP_OP_FLOOD:
        return 0xfffffffbu;
    case DP_OP_ALL:
        return 0xfffffffcu;
    case DP_OP_IN_PORT:
        return 0xfffffff8u;
    default:
        return FLOW_PORT_UNSET;
    }
}

struct dp_op_list {
    const struct dp_op *ops; /* NULL when n_words is 0. */
    uint32_t n_words;        /* Total length in 8-byte units. */
};

/* What a rule does: OpenFlow instructions in their fixed order (OpenFlow
 * 1.3.5 §5.9): meter, apply, clear, write, metadata, goto. */
struct dp_instr {
    struct dp_op_list apply;
    struct dp_op_list write; /* Merged into the action set, §5.10. */
    bool clear;              /* Clear-actions before write. */
    uint32_t meter;          /* 0: none. */
    uint64_t metadata;       /* Host order. */
    uint64_t metadata_mask;  /* 0: no write-metadata. */
    uint8_t goto_table;      /* DP_NO_TABLE: stop and run the action set. */
};

struct dp_stats {
    uint64_t packets;
    uint64_t bytes;
    uint64_t used_ns; /* Monotonic time of the last packet, within 1 s; 0:
                       * never. */
};

/* Why a packet is punted; values are OpenFlow 1.4's OFPR_*.  The agent puts
 * the reason into the CONTROLLER op where it compiles the action. */
enum dp_punt_reason {
    DP_PUNT_NO_MATCH = 0,
    DP_PUNT_ACTION = 1,      /* Of apply-actions. */
    DP_PUNT_INVALID_TTL = 2,
    DP_PUNT_ACTION_SET = 3,
    DP_PUNT_GROUP = 4,
    DP_PUNT_PACKET_OUT = 5,
};

struct dp_punt {
    struct dp_bridge *bridge;
    void *bridge_owner;    /* As given to dp_bridge_add. */
    enum dp_punt_reason reason;
    uint32_t in_port;
    uint8_t table;
    uint64_t cookie;       /* Of the rule; UINT64_MAX: none. */
    bool miss_rule;        /* By a table-miss rule: priority 0, match all. */
    uint64_t metadata;     /* Host order. */
    struct pkt_tunnel tunnel;
    uint32_t max_len;      /* Of the controller action. */
    uint32_t total_len;    /* Frame length before truncation. */
    const uint8_t *data;   /* Whole frame as it stands at the action. */
    uint32_t len;
};

/* Port configuration bits: OpenFlow 1.3's OFPPC_*. */
#define DP_PC_DOWN (1u << 0)
#define DP_PC_NO_RECV (1u << 2)
#define DP_PC_NO_FWD (1u << 5)
#define DP_PC_NO_PACKET_IN (1u << 6)
#define DP_PC_NO_FLOOD (1u << 4) /* OpenFlow 1.0 only; unused bit in 1.3. */

struct dp_port_stats {
    uint64_t rx_packets, rx_bytes, rx_dropped, rx_errors;
    uint64_t tx_packets, tx_bytes, tx_dropped, tx_errors;
};

struct dp_port_info {
    uint32_t port_no;
    char name[DP_NAME_LEN];
    char type[16];
    uint8_t mac[6];
    uint16_t mtu;        /* Largest IP packet; frames add 14 plus tags. */
    uint32_t config;     /* DP_PC_* */
    bool link_up;
    uint32_t speed_mbps; /* 0: unknown. */
    char status[128];    /* "up", or why it is down. */
    char options[256];   /* "key=5001 remote=192.0.2.2" */
    uint64_t created_ns; /* Monotonic. */
    struct dp_port_stats stats;
    uint64_t drops[N_DROP_REASONS];
};

struct dp_option {
    const char *name;
    const char *value;
};

struct dp_port_config {
    const char *name;
    const char *type;
    uint32_t port_no; /* 0: the lowest free. */
    const struct dp_option *options;
    size_t n_options;
};

enum dp_port_event { DP_PORT_ADDED, DP_PORT_DELETED, DP_PORT_MODIFIED };

/* Called back on the control thread, inside dp_run().  Any may be NULL. */
struct dp_events {
    void *arg;
    /* 'p' and p->data are valid during the call. */
    void (*punt)(void *arg, const struct dp_punt *p);
    void (*port)(void *arg, struct dp_bridge *, void *bridge_owner,
                 enum dp_port_event, const struct dp_port_info *);
    /* Every worker forwards by all changes up to 'seq'. */
    void (*synced)(void *arg, uint64_t seq);
    /* A tunnel needs a next hop for 'remote'; rate-limited per remote.
     * Answered by dp_nexthop_set, now or later. */
    void (*resolve)(void *arg, be32 remote, be32 local);
    /* A frame on an uplink that Weft owns and that is no tunnel packet: ARP,
     * ICMP to our address. */
    void (*uplink_rx)(void *arg, uint32_t uplink, const uint8_t *data,
                      size_t len);
};

struct dp_config {
    const char *eal_args;   /* Extra EAL words, NULL: none. */
    const char *cores;      /* "1" or "0,1"; NULL: one worker, any core. */
    bool poll;              /* Always poll, never sleep. */
    uint32_t latency_us;    /* Longest time that a frame on a port that can
                             * only be polled waits for a worker that sleeps;
                             * 0: 2 ms; below 20: they never sleep. */
    uint32_t cache_entries; /* Largest flow cache per worker and bridge; 0:
                             * default 1M; 1: caching off. */
    bool no_change_log;     /* A commit makes all cached flows stale. */
    uint32_t mbufs;         /* 0: chosen from the memory there is. */
    struct dp_events events;
};

/* ------------------------------------------------------------ life cycle */

WEFT_MUST_CHECK int dp_create(const struct dp_config *, struct dp **,
                              struct weft_err *e);
void dp_destroy(struct dp *); /* Accepts NULL.  Removes ports and bridges. */
/* Readable when dp_run has something to do; for the event loop. */
int dp_event_fd(const struct dp *);
/* Delivers pending events, at most 'budget' of them; also to be called every
 * 100 ms for housekeeping.  Returns true when more is pending. */
bool dp_run(struct dp *, unsigned budget);

/* --------------------------------------------------------------- bridges */

WEFT_MUST_CHECK int dp_bridge_add(struct dp *, const char *name, void *owner,
                                  struct dp_bridge **, struct weft_err *e);
/* Deletes its rules and ports too. */
void dp_bridge_del(struct dp_bridge *);

/* ----------------------------------------------------------------- ports */

WEFT_MUST_CHECK int dp_port_add(struct dp_bridge *,
                                const struct dp_port_config *,
                                uint32_t *port_no, struct weft_err *e);
WEFT_MUST_CHECK int dp_port_del(struct dp_bridge *, uint32_t port_no,
                                struct weft_err *e);
/* Changes options of a live port (mtu, mac, key ...): all or nothing. */
WEFT_MUST_CHECK int dp_port_set(struct dp_bridge *, uint32_t port_no,
                                const struct dp_option *, size_t n,
                                struct weft_err *e);
/* config = (config & ~mask) | (bits & mask).  0 or -ENODEV. */
WEFT_MUST_CHECK int dp_port_set_config(struct dp_bridge *, uint32_t port_no,
                                       uint32_t bits, uint32_t mask);
/* 0 or -ENODEV. */
WEFT_MUST_CHECK int dp_port_get(struct dp_bridge *, uint32_t port_no,
                                struct dp_port_info *);
/* Smallest port number > 'after' (0 to start); 0: none left. */
uint32_t dp_port_next(struct dp_bridge *, uint32_t after);

/* Far end points of a tunnel port that has remote=peers or remote=learn: these
 * are copied to when a packet is flooded, and (remote=peers) the only ones
 * whose packets are taken.  Replaces those of the call before; what was learnt
 * stays.  All or nothing.
 * 0, -ENODEV, -EINVAL (no such port; an address twice), -ENOSPC, -EEXIST
 * (another port has that remote and key). */
WEFT_MUST_CHECK int dp_port_set_peers(struct dp_bridge *, uint32_t port_no,
                                      const be32 *addrs, size_t n,
                                      struct weft_err *e);
struct dp_peer_info {
    be32 addr;
    bool listed;    /* By dp_port_set_peers; else learnt. */
    uint32_t age_s; /* Since it was added or last sent to be learnt from. */
};
typedef void dp_peer_cb(void *arg, const struct dp_peer_info *);
void dp_peer_dump(struct dp_bridge *, uint32_t port_no, dp_peer_cb *,
                  void *arg);

/* ----------------------------------------------------------------- rules */

/* Bytes at each rule that are the caller's: zero at first, aligned to 8.  The
 * caller needs no memory, no index and no pointer of its own for what it
 * wants to know about a rule. */
#define DP_RULE_OWNER 48

static inline void *
dp_rule_owner(const struct dp_rule *r)
{
    return (void *) ((uintptr_t) r - DP_RULE_OWNER);
}

static inline struct dp_rule *
dp_rule_of_owner(const void *owner)
{
    return (struct dp_rule *) ((uintptr_t) owner + DP_RULE_OWNER);
}

/* Adds a rule; 'cookie' is reported in punts.  On success *rule is owned by
 * the datapath until dp_rule_del.
 * 0, -EEXIST (*rule is the one with this table, priority and match), -ENOMEM,
 * -EINVAL (table, unknown op). */
WEFT_MUST_CHECK int dp_rule_add(struct dp_bridge *, uint8_t table,
                                uint16_t priority, const struct flow_match *,
                                const struct dp_instr *, uint64_t cookie,
                                struct dp_rule **rule);
/* A hint that changes nothing: dp_rule_add or dp_rule_find with this table
 * and match is to come.  What it will look at is on its way to the processor
 * meanwhile. */
void dp_rule_expect(struct dp_bridge *, uint8_t table,
                    const struct flow_match *);
/* The rule with exactly this table, priority and match; NULL: none. */
struct dp_rule *dp_rule_find(struct dp_bridge *, uint8_t table,
                             uint16_t priority, const struct flow_match *);
/* New instructions and cookie for a live rule; counters stay.
 * As dp_rule_add, but -EEXIST. */
WEFT_MUST_CHECK int dp_rule_set(struct dp_rule *, const struct dp_instr *,
                                uint64_t cookie);
void dp_rule_del(struct dp_rule *);
void dp_rule_get_stats(struct dp_rule *, struct dp_stats *);
void dp_rule_reset_stats(struct dp_rule *);
/* What a rule is; the pointers are good until it goes. */
struct dp_rule_info {
    const struct flow_key *mask;
    const uint64_t *values; /* flow_key_pack of the match. */
    uint32_t words;         /* flow_mask_words(mask) */
    uint16_t priority;
    uint8_t table;
    uint64_t cookie;
};
void dp_rule_get(const struct dp_rule *, struct dp_rule_info *);
/* What it does, as it was given; the ops are lent until it changes or goes. */
void dp_rule_get_instr(const struct dp_rule *, struct dp_instr *);
/* All different instructions that name a meter, by instruction or action, and
 * how many rules have them. */
typedef void dp_metered_cb(void *arg, const struct dp_instr *,
                           uint32_t n_rules);
void dp_rules_metered(struct dp_bridge *, dp_metered_cb *, void *arg);
/* Unpacks the rule's match. */
void dp_rule_get_match(const struct dp_rule *, struct flow_match *);

/* Several changes that packets see all at once.  Between dp_txn_begin and
 * dp_txn_commit or dp_txn_abort the bridge's rules are added, set and deleted
 * as always, but no packet sees it; a rule deleted then stays readable.  With
 * the dp_commit that follows dp_txn_commit every packet goes by all of the
 * changes, in all tables; until then by none.  When that commit is reported
 * as synced, dp_txn_settle frees what only older packets needed; no rule of
 * the bridge may be changed from dp_txn_commit until it is done.  Both ends
 * work on up to 'n' rules per call, so that the caller may do other things in
 * between, and return true while there is more to do.
 * begin: 0, -EBUSY (one is under way). */
WEFT_MUST_CHECK int dp_txn_begin(struct dp_bridge *);
void dp_txn_commit(struct dp_bridge *);
WEFT_MUST_CHECK bool dp_txn_settle(struct dp_bridge *, unsigned n);
/* Everything is as it was at dp_txn_begin, counters included; rules added
 * since are gone. */
WEFT_MUST_CHECK bool dp_txn_abort(struct dp_bridge *, unsigned n);

/* Publishes all changes; the sequence number is reported by events.synced.
 * Cheap: call it once per batch of messages. */
uint64_t dp_commit(struct dp *);

enum dp_miss { DP_MISS_DROP, DP_MISS_CONTROLLER, DP_MISS_CONTINUE };
void dp_table_set_miss(struct dp_bridge *, uint8_t table, enum dp_miss);
/* Packets whose TTL runs out are punted (DP_PUNT_INVALID_TTL) instead of
 * dropped (BAD_TTL); default off. */
void dp_bridge_set_ttl_punt(struct dp_bridge *, bool on);
/* IP fragments that ports receive are dropped (FRAGMENT) instead of matched as
 * they come; default off. */
void dp_bridge_set_frag_drop(struct dp_bridge *, bool on);

struct dp_table_info {
    uint32_t n_rules;
    uint64_t lookups;
    uint64_t matches;
    char form[16];       /* "linear", "hash", "tree" ... */
    uint32_t max_probes; /* Bound on far accesses per lookup. */
    uint64_t memory;     /* Bytes of rules and compiled form. */
};
void dp_table_get(struct dp_bridge *, uint8_t table, struct dp_table_info *);

/* --------------------------------------------------------- egress tables */

/* Packets sent to a port by an output action pass tables 'first' and up
 * before they leave (OpenFlow 1.5.1 §5.1.2); DP_NO_TABLE: they leave at
 * once.  0 or -EINVAL (table 0, or none such). */
WEFT_MUST_CHECK int dp_bridge_set_egress(struct dp_bridge *, uint8_t first);

/* ---------------------------------------------------------------- groups */

enum dp_group_type { /* OFPGT_* */
    DP_GROUP_ALL,
    DP_GROUP_SELECT,
    DP_GROUP_INDIRECT,
    DP_GROUP_FF,
};
#define DP_GROUP_MAX 0xffffff00u
#define DP_GROUP_NONE 0xffffffffu

struct dp_bucket {
    uint32_t id;               /* Statistics follow it; see below. */
    struct dp_op_list actions; /* An action set: runs in the order of OpenFlow
                                * 1.3.5 §5.10, whatever the list's. */
    uint16_t weight;           /* SELECT. */
    uint32_t watch_port;       /* DP_PORT_NONE: none.  A bucket is live when
                                * what it watches is, or watches nothing. */
    uint32_t watch_group;      /* DP_GROUP_NONE: none. */
    bool said_zero;            /* Not the datapath's: 'none' was written as
                                * port 0 and group 0, and is told so. */
};

struct dp_group_config {
    enum dp_group_type type;
    const struct dp_bucket *buckets;
    size_t n_buckets;
    /* SELECT: the fields that choose the bucket; NULL: addresses, protocol
     * and ports.  One flow of these always takes the same bucket as long as
     * the live ones stay. */
    const struct flow_key *hash_mask;
    uint64_t hash_seed;
    /* Keep the counters of buckets whose id was there before; else all
     * buckets start at zero.  The group's own counters stay, but with
     * 'anew': then it is another group, which takes the place of the one
     * that is there. */
    bool keep_buckets;
    bool anew;
};

/* Adds or replaces.  Groups that buckets name exist and make no loop: the
 * caller has checked.  Takes effect like a rule change, with dp_commit.
 * 0, -ENOMEM, -EINVAL (unknown op, no bucket for INDIRECT). */
WEFT_MUST_CHECK int dp_group_set(struct dp_bridge *, uint32_t id,
                                 const struct dp_group_config *);
/* Packets that a rule still sends there are dropped (NO_GROUP). */
void dp_group_del(struct dp_bridge *, uint32_t id);
/* 'buckets': as many as the group has, in its order.  0 or -ENOENT. */
WEFT_MUST_CHECK int dp_group_get_stats(struct dp_bridge *, uint32_t id,
                                       struct dp_stats *total,
                                       struct dp_stats *buckets, size_t n);

/* ---------------------------------------------------------------- meters */

#define DP_METER_MAX 0xffff0000u
#define DP_METER_SLOWPATH 0xfffffffdu   /* OFPM_SLOWPATH */
#define DP_METER_CONTROLLER 0xfffffffeu /* OFPM_CONTROLLER */
#define DP_METER_BANDS 16               /* At most, per meter. */

struct dp_meter_band {
    uint8_t type;       /* OFPMBT_*: 1 drop, 2 dscp-remark. */
    uint8_t prec_level; /* dscp-remark: added to the drop precedence. */
    uint32_t rate;      /* kbit/s or packets/s. */
    uint32_t burst;     /* kbit or packets; 0: chosen by the datapath. */
};

struct dp_meter_config {
    bool pktps; /* Else kbit/s, of whole Ethernet frames without FCS. */
    const struct dp_meter_band *bands;
    size_t n_bands;
};

/* Adds or replaces; counters stay.  0, -ENOMEM, -EINVAL. */
WEFT_MUST_CHECK int dp_meter_set(struct dp_bridge *, uint32_t id,
                                 const struct dp_meter_config *);
/* Rules that name it let all pass until the caller has removed them. */
void dp_meter_del(struct dp_bridge *, uint32_t id);
/* 'bands': as many as the meter has.  0 or -ENOENT. */
WEFT_MUST_CHECK int dp_meter_get_stats(struct dp_bridge *, uint32_t id,
                                       struct dp_stats *in,
                                       struct dp_stats *bands, size_t n);

/* ---------------------------------------------------------------- queues */

struct dp_queue_config {
    uint64_t min_rate; /* bit/s, guaranteed; 0: none. */
    uint64_t max_rate; /* bit/s; 0: the port's. */
    uint64_t burst;    /* Bits above max_rate at once; 0: chosen. */
};

struct dp_queue_stats {
    uint64_t tx_packets, tx_bytes, tx_errors; /* errors: overrun. */
    uint64_t created_ns;                      /* Monotonic. */
};

/* Adds or changes queue 'queue' of a port; counters stay.  set_queue of a
 * queue that is not there uses the port's default one, 0.
 * 0, -ENODEV, -ENOMEM, -EINVAL with 'e'. */
WEFT_MUST_CHECK int dp_queue_set(struct dp_bridge *, uint32_t port_no,
                                 uint32_t queue,
                                 const struct dp_queue_config *,
                                 struct weft_err *e);
/* 0, -ENODEV, -ENOENT. */
WEFT_MUST_CHECK int dp_queue_del(struct dp_bridge *, uint32_t port_no,
                                 uint32_t queue);
WEFT_MUST_CHECK int dp_queue_get(struct dp_bridge *, uint32_t port_no,
                                 uint32_t queue, struct dp_queue_config *,
                                 struct dp_queue_stats *);
/* Smallest queue id >= 'from' in *queue.  0 or -ENOENT. */
WEFT_MUST_CHECK int dp_queue_next(struct dp_bridge *, uint32_t port_no,
                                  uint32_t from, uint32_t *queue);

/* ------------------------------------------------------------ packet-out */

/* Runs 'ops' on a copy of the frame.  'in_port' may be DP_PORT_NONE or
 * DP_PORT_CONTROLLER.  In order with later dp_commit + synced.
 * 0, -EINVAL (frame shorter than 14 bytes or too long), -ENOBUFS. */
WEFT_MUST_CHECK int dp_packet_out(struct dp_bridge *, uint32_t in_port,
                                  const uint8_t *data, size_t len,
                                  const struct dp_op_list *ops);

/* ------------------------------------------------- tunnels and uplinks */

/* Publishes or replaces the next hop for a remote endpoint. */
WEFT_MUST_CHECK int dp_nexthop_set(struct dp *, be32 remote,
                                   const struct tnl_nexthop *);
/* Forgets it: packets are dropped (TNL_NO_ROUTE) and resolve is asked. */
void dp_nexthop_del(struct dp *, be32 remote);

struct dp_uplink_info {
    uint32_t id;
    char name[DP_NAME_LEN];
    char type[16];     /* "netdev" or "dpdk" */
    char mode[16];     /* "xdp-native", "xdp-generic", "af_packet", "dpdk" */
    uint8_t mac[6];
    uint16_t mtu;
    bool link_up;
    int ifindex;       /* 0: not the kernel's. */
    char status[128];
    struct dp_port_stats stats;
    uint64_t drops[N_DROP_REASONS];
};

/* type netdev: 'name' is an existing kernel interface; options mode=auto|xdp|
 * af_packet.  type dpdk: option devargs.  Addresses: dp_uplink_set_addrs. */
WEFT_MUST_CHECK int dp_uplink_add(struct dp *, const struct dp_port_config *,
                                  uint32_t *id, struct weft_err *e);
WEFT_MUST_CHECK int dp_uplink_del(struct dp *, uint32_t id,
                                  struct weft_err *e);
WEFT_MUST_CHECK int dp_uplink_get(struct dp *, uint32_t id,
                                  struct dp_uplink_info *);
uint32_t dp_uplink_next(struct dp *, uint32_t after);
/* Local tunnel end points reachable by this uplink: only packets to these are
 * taken from the kernel.  0 or -ENODEV, -ENOSPC. */
WEFT_MUST_CHECK int dp_uplink_set_addrs(struct dp *, uint32_t id,
                                        const be32 *addrs, size_t n);
/* Sends a frame as it is.  0, -ENODEV, -ENOBUFS. */
WEFT_MUST_CHECK int dp_uplink_send(struct dp *, uint32_t id,
                                   const uint8_t *data, size_t len);

/* --------------------------------------------------------- introspection */

struct dp_mac_info {
    uint8_t mac[6];
    uint16_t vlan;
    uint32_t port_no;
    uint16_t peer;  /* Of the end points of that port; 0: none. */
    be32 remote;    /* Its address; 0: none. */
    uint32_t age_s;
};
typedef void dp_mac_cb(void *arg, const struct dp_mac_info *);
/* Looks at up to 'n' places of the table from *at (0: the start) on; *at is
 * where to go on.  false: there are no more. */
bool dp_mac_dump(struct dp_bridge *, size_t *at, size_t n, dp_mac_cb *,
                 void *arg);
void dp_mac_flush(struct dp_bridge *);

#define DP_MAC_AGE_MAX 1000000u /* Seconds. */
/* How long an unused address is kept, and how many at most; 0: 300 s, 131072.
 * At the limit new addresses are not learnt: frames to them are flooded. */
void dp_bridge_set_macs(struct dp_bridge *, uint32_t age_s, uint32_t limit);
struct dp_mac_stats {
    uint32_t n, limit, age_s;
    uint64_t moves;   /* Of addresses to another port or end point. */
    uint64_t refused; /* Frames whose source was not learnt: the limit. */
};
void dp_mac_get_stats(struct dp_bridge *, struct dp_mac_stats *);

/* One cached flow; 'match' and the ops are valid during the call. */
struct dp_cache_info {
    unsigned worker;
    const struct flow_match *match;
    const struct dp_op_list ops;
    uint64_t packets;
    bool valid; /* Proven right at the current sequence number. */
};
typedef void dp_cache_cb(void *arg, const struct dp_cache_info *);
/* Where a walk over the caches stands; zero to start. */
struct dp_cache_cursor {
    unsigned worker;
    uint32_t at, seen;
};
/* Looks at up to 'n' places.  false: there are no more.  Workers go on
 * meanwhile: what comes, goes or moves (a cache that grows) during the walk
 * may be missed or be seen twice. */
bool dp_cache_dump(struct dp_bridge *, struct dp_cache_cursor *, unsigned n,
                   dp_cache_cb *, void *arg);

struct dp_cache_stats {
    uint64_t hits, misses, inserts, evictions;
    /* Hits of flows cached before rules changed: classified again, and kept
     * since the change log knows that no change concerns them. */
    uint64_t stale, kept;
    uint32_t entries, capacity;
    uint64_t memory;
};

struct dp_worker_info {
    unsigned id;
    int core;                 /* -1: not pinned. */
    uint64_t iterations;
    uint64_t packets;
    uint64_t busy_cycles, idle_cycles; /* TSC. */
    uint64_t longest_cycles; /* Of one iteration, waiting aside. */
    uint64_t tsc_hz;
    uint32_t n_ports;         /* It sends on. */
    uint32_t n_rxqs;          /* Receive queues that it polls. */
    uint64_t n_moves;         /* Of receive queues, all workers'. */
    struct dp_cache_stats cache;
};
/* 0 or -ENOENT past the last one. */
WEFT_MUST_CHECK int dp_worker_get(struct dp *, unsigned i,
                                  struct dp_worker_info *);
/* Counts longest_cycles of all workers anew. */
void dp_workers_reset_longest(struct dp *);

/* received + injected + copied
 *     = sent + punted + consumed + sum(dropped), exactly, when no packet is
 * inside the datapath.  A large segment counts once. */
struct dp_balance {
    uint64_t received; /* From the bridge's ports, tunnels included. */
    uint64_t injected; /* Packet-outs. */
    uint64_t copied;   /* Extra copies made by several outputs. */
    uint64_t sent;
    uint64_t punted;
    uint64_t consumed; /* Handed to another bridge by a patch port counts as
                        * sent here and received there. */
    uint64_t dropped[N_DROP_REASONS];
};
void dp_bridge_get_balance(struct dp_bridge *, struct dp_balance *);

/* ----------------------------------------------------------------- trace */

enum dp_trace_kind {
    DP_TRACE_PACKET,   /* The frame: 'key', data; drop: not well formed. */
    DP_TRACE_TABLE,    /* A table was looked up. */
    DP_TRACE_OP,       /* 'op' made 'key' of 'before'; drop: it ended it. */
    DP_TRACE_SET,      /* The action set is run. */
    DP_TRACE_METADATA, /* Write-metadata; 'key' has it. */
    DP_TRACE_GROUP,    /* A bucket runs on a copy. */
    DP_TRACE_EGRESS,   /* Egress tables for 'port'. */
    DP_TRACE_OUT,      /* 'op' sends 'data' to 'ports', or drop. */
    DP_TRACE_DROP,     /* What is left is dropped. */
    DP_TRACE_CACHE,    /* What a worker's flow cache holds for the frame. */
};

/* A flow cache beside the interpreter. */
enum dp_trace_cache {
    DP_TRACE_NO_CACHE,  /* Off, or bypassed. */
    DP_TRACE_UNKNOWN,   /* The flow is not in it. */
    DP_TRACE_STALE,     /* It is; rules changed, so it is proven again. */
    DP_TRACE_AGREES,
    DP_TRACE_PARTLY,    /* Agrees as far as its program goes: it resumes. */
    DP_TRACE_DISAGREES,
};

struct dp_trace_port {
    uint32_t port_no;
    int drop; /* Why nothing leaves there (enum drop_reason); -1: it does. */
    be32 remote; /* The peer it goes to; 0: the port has none. */
};

/* All pointers are lent during the call. */
struct dp_trace_step {
    enum dp_trace_kind kind;
    unsigned depth;                /* Groups, egress processing around it. */
    uint8_t table;
    int drop;                      /* enum drop_reason; -1: none. */
    const struct dp_op *op;
    const struct flow_key *before, *key;
    const uint8_t *data;
    size_t len;
    /* TABLE */
    const struct flow_match *match; /* Of the rule; NULL: a miss. */
    const struct dp_instr *instr;
    uint16_t priority;
    uint64_t cookie;
    struct dp_stats stats;
    enum dp_miss miss;
    const char *form;               /* Of the compiled table. */
    bool agrees;                    /* The compiled table finds that rule. */
    /* GROUP */
    uint32_t group, bucket, n_buckets;
    enum dp_group_type type;
    /* EGRESS, OUT */
    uint32_t port;
    const struct dp_trace_port *ports;
    size_t n_ports;
    bool flooded;                   /* By NORMAL, for want of the address. */
    /* CACHE */
    unsigned worker;
    enum dp_trace_cache cache;
    uint64_t packets;               /* Of the cached flow. */
    struct dp_op_list ops;          /* Its program. */
};
typedef void dp_trace_cb(void *arg, const struct dp_trace_step *);

/* A frame's headers as the datapath reads them; in_port and the tunnel's
 * members stay zero.  0, or the reason why it would be dropped as enum
 * drop_reason + 1. */
WEFT_MUST_CHECK int dp_frame_key(const uint8_t *, size_t len,
                                 struct flow_key *);

/* Runs the reference interpreter on a frame and tells each step, then what
 * the compiled tables and the workers' caches hold against it; no packet is
 * sent, no counter moves.  Meters let all pass.  0, -EINVAL (no frame). */
WEFT_MUST_CHECK int dp_trace(struct dp_bridge *, uint32_t in_port,
                             const struct pkt_tunnel *, const uint8_t *data,
                             size_t len, dp_trace_cb *, void *arg);

#endif
