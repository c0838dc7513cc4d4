/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's rules.
 *
 * What:    every rule of a bridge, found by (table, priority, match), walked
 *          per table in order of age.
 * Model:   struct ofp_rule is what the agent knows beyond the datapath, in
 *          the bytes that the datapath keeps for it at each rule
 *          (dp_rule_owner): match, cookie, instructions and counters are the
 *          datapath's, and so is the index.  Each table is a list; a cursor
 *          points at the rule to visit next and is moved on when that rule
 *          goes, so a walk may be cut into slices and sees each rule that
 *          lives through it exactly once.
 * Threads: control.
 * Owns:    nothing: the rule lives as long as its dp_rule, which the caller
 *          deletes after ofp_rule_unlink.
 * Errors:  none; the caller checks ofp_tables.n_rules against
 *          OFP_MAX_RULES first.
 * Cost:    link, unlink: O(1), its neighbours in the list. */
#ifndef OFP_TABLES_H
#define OFP_TABLES_H

#include <assert.h>

#include "ofproto/evict.h"
#include "ofproto/limits.h"
#include "utils/base/list.h"
#include "weft/dp.h"

#define OFP_MAX_RULES (1u << 21) /* Per bridge. */

struct ofp_rule {
    struct base_list link; /* In its table, oldest first. */
    uint64_t created_ns;
    uint32_t timer; /* Index + 1 in the timer heap; 0: none. */
    uint16_t idle_timeout, hard_timeout; /* Seconds; 0: none. */
    uint16_t flags;      /* OFPFF_* of 1.3. */
    uint16_t importance; /* 1.4: those of least are evicted first. */
    uint16_t priority;
    uint8_t table;
    bool buried; /* See ofp_rule_bury. */
};

static_assert(sizeof(struct ofp_rule) <= DP_RULE_OWNER, "see dp.h");

struct ofp_table {
    struct base_list rules;
    uint32_t n;
    struct ofp_table_config config;
    struct ofp_evict *evict; /* NULL: nobody asked yet. */
    struct ofp_limits *limits; /* NULL: all that it can. */
    bool absent; /* Taken out of the pipeline: has no rules. */
};

struct ofp_tables {
    uint32_t n_rules;
    struct ofp_table table[DP_N_TABLES];
    struct base_list cursors;
};

void ofp_tables_init(struct ofp_tables *);
void ofp_tables_fini(struct ofp_tables *);

static inline bool
ofp_table_is_there(const struct ofp_tables *t, unsigned table)
{
    return table < DP_N_TABLES && !t->table[table].absent;
}

static inline struct dp_rule *
ofp_rule_dp(const struct ofp_rule *r)
{
    return dp_rule_of_owner(r);
}

/* The agent's part of a rule that is the datapath's; NULL: NULL. */
static inline struct ofp_rule *
ofp_rule_of(const struct dp_rule *dp)
{
    return dp ? (struct ofp_rule *) dp_rule_owner(dp) : NULL;
}

/* Makes a new rule of the datapath the agent's: youngest of its table. */
struct ofp_rule *ofp_rule_link(struct ofp_tables *, struct dp_rule *,
                               uint8_t table, uint16_t priority);
/* Before dp_rule_del. */
void ofp_rule_unlink(struct ofp_tables *, struct ofp_rule *);
/* A transaction removes it: it keeps its place, but is not counted and no
 * walk shows it until it is revived or unlinked. */
void ofp_rule_bury(struct ofp_tables *, struct ofp_rule *);
void ofp_rule_revive(struct ofp_tables *, struct ofp_rule *);

/* Unpacks the match. */
void ofp_rule_match(const struct ofp_rule *, struct flow_match *);
uint64_t ofp_rule_cookie(const struct ofp_rule *);
/* What it does; the ops are lent until it changes or goes. */
static inline void
ofp_rule_instr(const struct ofp_rule *r, struct dp_instr *in)
{
    dp_rule_get_instr(ofp_rule_dp(r), in);
}

/* As flow_match_within(rule's match, wider), without unpacking. */
bool ofp_rule_within(const struct ofp_rule *, const struct flow_match *wider);
/* As flow_match_overlaps. */
bool ofp_rule_overlaps(const struct ofp_rule *, const struct flow_match *);

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
