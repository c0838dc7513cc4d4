/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's rules.
 *
 * What:    every rule of a bridge, found by (table, priority, match), walked
 *          per table in order of age.
 * Model:   A rule keeps the 64-bit words of its match that its mask needs;
 *          masks are interned (struct ofp_mask), so equal masks have equal
 *          addresses.  One index over all tables (rule_index.h).  Each
 *          table is a list; a cursor points at the rule to visit next and is
 *          moved on when that rule goes, so a walk may be cut into slices
 *          and sees each rule that lives through it exactly once.
 *
 *          ofp_rule: 72 bytes + 8 per match word; typical 5-tuple rule with
 *          shared instructions: 112 bytes of heap plus 15..30 of index.
 * Threads: control.
 * Owns:    rules, masks, the index.  A rule's dp_rule and instructions are
 *          set by the caller and released by it before ofp_rule_destroy.
 * Errors:  none; the caller checks ofp_tables.n_rules against
 *          OFP_MAX_RULES first.
 * Cost:    find, add, remove: O(1), two or three cache misses. */
#ifndef OFP_TABLES_H
#define OFP_TABLES_H

#include "ofproto/instr.h"
#include "ofproto/rule_index.h"
#include "utils/base/hmap.h"
#include "utils/base/list.h"
#include "weft/dp.h"

#define OFP_MAX_RULES (1u << 21) /* Per bridge. */

struct ofp_mask {
    struct base_hnode node;
    uint32_t refs;
    uint32_t words; /* Bit i: word i of 'mask' is not zero. */
    struct flow_key mask;
};

struct ofp_rule {
    struct base_list link; /* In its table, oldest first. */
    struct dp_rule *dp;
    struct ofp_instr *instr;
    struct ofp_mask *mask;
    uint64_t cookie;
    uint64_t created_ns;
    uint32_t timer; /* Index + 1 in the timer heap; 0: none. */
    uint16_t priority;
    uint16_t idle_timeout, hard_timeout; /* Seconds; 0: none. */
    uint16_t flags;                      /* OFPFF_* of 1.3. */
    uint8_t table;
    uint64_t key[]; /* Words of the masked key, ascending. */
};

struct ofp_table {
    struct base_list rules;
    uint32_t n;
};

struct ofp_tables {
    struct ofp_rule_index index;
    uint32_t n_rules;
    struct ofp_table table[DP_N_TABLES];
    struct base_hmap masks;
    struct ofp_mask *last_mask; /* Of the latest lookup; may be NULL. */
    struct base_list cursors;
};

void ofp_tables_init(struct ofp_tables *);
/* All rules must have been removed. */
void ofp_tables_fini(struct ofp_tables *);

/* The rule with exactly this table, priority and match; NULL: none. */
struct ofp_rule *ofp_rule_find(struct ofp_tables *, uint8_t table,
                               uint16_t priority, const struct flow_match *);
/* Adds an empty rule; the caller knows that it is not there yet.  Counters,
 * dp, instr, timeouts are zero. */
struct ofp_rule *ofp_rule_create(struct ofp_tables *, uint8_t table,
                                 uint16_t priority,
                                 const struct flow_match *);
/* Unlinks and frees. */
void ofp_rule_destroy(struct ofp_tables *, struct ofp_rule *);

/* Unpacks the match. */
void ofp_rule_match(const struct ofp_rule *, struct flow_match *);
/* As flow_match_within(rule's match, wider), without unpacking. */
bool ofp_rule_within(const struct ofp_rule *, const struct flow_match *wider);
/* As flow_match_overlaps. */
bool ofp_rule_overlaps(const struct ofp_rule *, const struct flow_match *);
/* A table-miss rule: priority 0 and no match (OpenFlow 1.3.5 §5.4). */
static inline bool
ofp_rule_is_miss(const struct ofp_rule *r)
{
    return !r->priority && !r->mask->words;
}

/* A walk over one table or all of them that survives changes between its
 * steps.  ofp_cursor_end must be called when the walk is given up; after
 * ofp_cursor_next returned NULL it is harmless. */
struct ofp_cursor {
    struct base_list link;  /* In ofp_tables.cursors while walking. */
    struct base_list *next; /* Rule link or list head of 'table'. */
    uint8_t table, last_table;
};

/* 'table' 0xff: all. */
void ofp_cursor_start(struct ofp_tables *, struct ofp_cursor *, uint8_t table);
struct ofp_rule *ofp_cursor_next(struct ofp_tables *, struct ofp_cursor *);
void ofp_cursor_end(struct ofp_cursor *);

#endif
