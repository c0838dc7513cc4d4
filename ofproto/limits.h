/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules of a table may say: table features.
 *
 * What:    a table's features as sets, all of them that the switch has, the
 *          check of a rule against them, their form on the wire.
 * Model:   one version-independent struct: bit N of a field set is match
 *          field N, bit N of an action set is action type N of 1.3 and later.
 *          A table without a struct ofp_limits may do everything.  What a
 *          version cannot say, a request of that version leaves as it is.
 * Threads: control.
 * Owns:    nothing.
 * Errors:  enum ofp_err.
 * Cost:    a rule of a restricted table: one look at each field and action.
 * Source:  OpenFlow 1.3.5 §6.4, §7.3.5.5; 1.5.1 §5.1.2, §7.3.5.18. */
#ifndef OFP_LIMITS_H
#define OFP_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ofproto/ofp_err.h"

struct dp_op;
struct ofp_bridge;
struct ofp_flow_mod;

/* Longest list of properties that is written. */
#define OFP_LIMITS_WIRE 8192

struct ofp_limits_rule {
    uint32_t instructions; /* Bit N: type N. */
    uint32_t write_actions, apply_actions;
    uint64_t write_set, apply_set;
    uint64_t write_copy, apply_copy;
    uint64_t next[4]; /* Tables. */
};

struct ofp_limits {
    uint64_t match, masks; /* Fields; those that may have a mask. */
    uint64_t wildcards;    /* Fields that may be left out. */
    uint64_t metadata_match, metadata_write;
    uint32_t capabilities; /* OFP_TC_* that a table-mod may set. */
    uint32_t pad;
    struct ofp_limits_rule rule[2]; /* [1]: of the table-miss rule. */
};

/* All that a table can, beside first egress table 'egress'. */
void ofp_limits_all(struct ofp_limits *, uint8_t table, uint8_t egress);
/* Takes away what 'all' has not. */
void ofp_limits_clip(struct ofp_limits *, const struct ofp_limits *all);
static inline bool
ofp_limits_next(const struct ofp_limits_rule *r, unsigned table)
{
    return r->next[table / 64] >> table % 64 & 1;
}

/* May the rule of the flow-mod be in its table?  'trigger': it has 1.5's
 * instruction.  Deletes need not be asked for. */
enum ofp_err ofp_limits_check(const struct ofp_bridge *,
                              const struct ofp_flow_mod *);

/* ------------------------------------------------------------ limits_wire.c */

/* Writes the properties at 'p', OFP_LIMITS_WIRE bytes; returns their length. */
size_t ofp_limits_write(const struct ofp_limits *, uint8_t version,
                        uint8_t table, uint8_t *p);
/* Which properties of a list were taken: bit N for type N. */
typedef uint32_t ofp_limits_seen;
/* One property, 'len' bytes without pad, as the request of 'version' has it;
 * 'all': what the table can. */
enum ofp_err ofp_limits_take(struct ofp_limits *, const struct ofp_limits *all,
                             uint8_t version, const uint8_t *p, size_t len,
                             ofp_limits_seen *);
/* At the end of the list: a table-miss rule of which nothing was said may do
 * what the others may (§7.3.5.5.2). */
void ofp_limits_taken(struct ofp_limits *, ofp_limits_seen);

#endif
