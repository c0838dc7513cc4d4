/* SPDX-License-Identifier: Apache-2.0 */
/* Groups as a controller sees them.
 *
 * What:    a group's configuration and the commands that change it, without
 *          a wire version; the bridge's table of groups.
 * Model:   struct ofp_group_config is what was said of a group: type,
 *          selection, buckets; the datapath's struct dp_bucket holds a
 *          bucket.  The table keeps own copies.  A group that a bucket's
 *          actions name must exist, and the graph of groups has no loop and
 *          no path longer than OFP_GROUP_DEPTH: checked before anything
 *          changes, so every command is all or nothing.
 *          A group knows how many flows name it, not which: a delete
 *          looks for them, and stops when it has found all.
 * Threads: control.
 * Owns:    the groups; configurations given are lent for the call.
 * Errors:  enum ofp_err: OFPET_GROUP_MOD_FAILED codes.
 * Cost:    add, modify: linear in buckets and in the groups reachable from
 *          them; delete: O(1) when no flow names the group.
 * Source:  OpenFlow 1.3.5 §5.6, §6.7, §7.3.4.2; OpenFlow 1.5.1 §7.3.4.3. */
#ifndef OFP_GROUPS_H
#define OFP_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ofproto/ofp_err.h"
#include "weft/compiler.h"
#include "weft/dp.h"
#include "weft/flow_match.h"

struct ofp_bridge;

#define OFP_MAX_GROUPS 65536       /* Per bridge. */
#define OFP_MAX_BUCKETS 2048       /* Of one group ... */
#define OFP_MAX_GROUP_WIRE 65000   /* ... and all must fit a description. */
#define OFP_MAX_ALL_BUCKETS (1u << 20) /* Of a bridge. */
#define OFP_GROUP_DEPTH 16         /* Groups one behind the other. */

#define OFP_BUCKET_MAX 0xffffff00u
#define OFP_BUCKET_FIRST 0xfffffffdu /* OFPG_BUCKET_* of 1.5. */
#define OFP_BUCKET_LAST 0xfffffffeu
#define OFP_BUCKET_ALL 0xffffffffu

/* How a select group chooses. */
enum ofp_selection {
    OFP_SELECT_DEFAULT, /* Addresses, protocol, ports. */
    OFP_SELECT_HASH,    /* Open vSwitch's "hash": of the fields named. */
    OFP_SELECT_DP_HASH, /* Its "dp_hash": the datapath's choice. */
};

struct ofp_group_config {
    enum dp_group_type type;
    enum ofp_selection selection;
    uint64_t selection_param; /* Seed. */
    struct flow_match fields; /* HASH: mask of the fields named (all zero:
                               * none said); key: zero. */
    struct dp_bucket *buckets;
    size_t n_buckets;
};

enum ofp_group_command {
    OFP_GC_ADD,
    OFP_GC_MODIFY,
    OFP_GC_DELETE,        /* 'group' OFP_GROUP_ALL: all. */
    OFP_GC_INSERT_BUCKET, /* 1.5 and Open vSwitch's extension. */
    OFP_GC_REMOVE_BUCKET,
    OFP_GC_ADD_OR_MODIFY, /* Open vSwitch's --may-create. */
};

struct ofp_group_mod {
    enum ofp_group_command command;
    uint32_t group;
    uint32_t bucket; /* INSERT: behind which one, FIRST or LAST; REMOVE:
                      * which, FIRST, LAST or ALL. */
    struct ofp_group_config config;
};

/* The bridge's groups, ascending by id: adding in order is cheap, any other
 * order moves 8 bytes per group behind. */
struct ofp_group;
struct ofp_groups {
    struct ofp_group **v;
    uint32_t n, cap;
    uint32_t n_buckets;
    uint32_t round; /* Of searches through the graph. */
    uint32_t n_flows; /* Pairs of a flow and a group that it names. */
};
void ofp_groups_init(struct ofp_groups *);
/* The bridge goes, its datapath's groups with it. */
void ofp_groups_fini(struct ofp_groups *);

/* Limits and members that its type does not have; 'others': buckets of the
 * other groups. */
enum ofp_err ofp_group_config_check(const struct ofp_group_config *,
                                    uint32_t others);

/* A rule with these instructions comes (1) or goes (-1). */
void ofp_groups_count(struct ofp_groups *, const struct dp_instr *, int by);
/* Rules that name the group; OFP_GROUP_ALL: some group. */
uint32_t ofp_group_flows(const struct ofp_groups *, uint32_t group);

/* Checks and applies, but does not look at flows: a DELETE is refused by
 * nobody and takes effect at once, so the caller removes the flows that name
 * the group (filter out_group) before.  dp_commit is the caller's. */
enum ofp_err ofp_group_apply(struct ofp_bridge *, const struct ofp_group_mod *);
/* The same checks, nothing changed. */
enum ofp_err ofp_group_check(struct ofp_bridge *, const struct ofp_group_mod *);

/* A group as it stands, for taking a change back; 'group' OFP_GROUP_ALL: all
 * groups.  Restoring consumes it; a group that was not there goes, one that
 * went comes back with its time of birth, its counters at zero.  Restore in
 * the reverse order of the changes. */
struct ofp_group_undo;
struct ofp_group_undo *ofp_group_snapshot(struct ofp_bridge *, uint32_t group);
void ofp_group_restore(struct ofp_bridge *, struct ofp_group_undo *);
void ofp_group_undo_free(struct ofp_group_undo *); /* Accepts NULL. */

/* Is there such a group?  For actions that name one. */
bool ofp_group_exists(const struct ofp_groups *, uint32_t group);

/* One group with its statistics. */
struct ofp_group_view {
    uint32_t id;
    const struct ofp_group_config *config;
    uint64_t created_ns;
    uint32_t ref_count; /* Flows and groups that name it. */
    struct dp_stats total;
    const struct dp_stats *buckets; /* In the order of config->buckets. */
};
typedef void ofp_group_cb(void *arg, const struct ofp_group_view *);
/* The group, or (OFP_GROUP_ALL) those with ids >= *next, ascending, at most
 * 'n' buckets and groups together or one group; *next is where to go on.
 * false: there are no more. */
bool ofp_group_walk(struct ofp_bridge *, uint32_t group, uint32_t *next,
                    unsigned n, ofp_group_cb *, void *arg);

#endif
