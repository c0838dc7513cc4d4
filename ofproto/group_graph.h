/* SPDX-License-Identifier: Apache-2.0 */
/* Which group leads to which.
 *
 * What:    the groups that buckets forward to or watch: may a group lead
 *          where a configuration says, and who is led to.
 * Model:   see groups.h.  groups.c keeps the table and carries commands out;
 *          it adds and takes back the edges of each group it changes.  A
 *          group that is deleted while others watch it stays, gone, until
 *          the last of them goes.
 * Threads: control.
 * Owns:    nothing; the table has the groups.
 * Errors:  enum ofp_err: OFPET_GROUP_MOD_FAILED and OFPET_BAD_ACTION codes.
 * Cost:    linear in the buckets of the groups reachable; where the height
 *          of a group that others lead to changes, in those of the table.
 * Source:  OpenFlow 1.3.5 §6.7. */
#ifndef OFP_GROUP_GRAPH_H
#define OFP_GROUP_GRAPH_H

#include "ofproto/groups.h"

struct ofp_group {
    uint32_t id;
    uint32_t n_refs;  /* Groups with a bucket that forwards here ... */
    uint32_t n_watch; /* ... or that watches this one. */
    uint32_t n_flows; /* Flows that name it. */
    uint32_t height;  /* Groups on the longest path from here, 1: no other. */
    uint32_t round;   /* Seen in this search. */
    bool gone;        /* Deleted, but watched: as if it were not there. */
    uint64_t created_ns;
    struct ofp_group_config config; /* Own; one piece of memory. */
};

/* The group; find_any: also one that is gone.  NULL: not there. */
struct ofp_group *ofp_group_find(const struct ofp_groups *, uint32_t id);
struct ofp_group *ofp_group_find_any(const struct ofp_groups *, uint32_t id);

/* Takes a group, to which no edge leads, out of the table and frees it. */
void ofp_group_table_del(struct ofp_groups *, struct ofp_group *);

/* May the group 'id' lead where the configuration says?  'g': its entry, gone
 * or not; NULL: nobody leads to it yet. */
enum ofp_err ofp_group_check_graph(struct ofp_groups *, struct ofp_group *g,
                                   uint32_t id,
                                   const struct ofp_group_config *);

/* Counts the edges of a configuration; takes them back, and with the last
 * one what is gone. */
void ofp_group_edges_add(struct ofp_groups *, const struct ofp_group_config *);
void ofp_group_edges_del(struct ofp_groups *, const struct ofp_group_config *);

/* Groups on the longest path from one with this configuration. */
uint32_t ofp_group_height(struct ofp_groups *,
                          const struct ofp_group_config *);

/* Sets the height of 'g' and what follows from it; returns the largest. */
uint32_t ofp_group_set_height(struct ofp_groups *, struct ofp_group *g,
                              uint32_t h);

/* Edges and heights of all, anew: groups come back in any order. */
void ofp_groups_relink(struct ofp_groups *);

#endif
