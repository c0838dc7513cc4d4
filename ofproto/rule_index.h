/* SPDX-License-Identifier: Apache-2.0 */
/* Index of rules by a 32-bit hash.
 *
 * What:    finds the rules whose hash is a given one; the caller compares.
 * Model:   open addressing with linear probing over two arrays beside each
 *          other, hashes and rules: a search reads hashes, sixteen to a cache
 *          line, and touches only rules whose hash is equal; neither growth
 *          nor removal looks at a rule.  At 4/5 full a double array takes
 *          over; the old one moves into it a few slots per insertion, so no
 *          insertion pays for a whole rehash.  A slot of the old array that
 *          was moved or removed keeps its hash: probing goes on across it.
 * Threads: control.
 * Owns:    the arrays; never looks into a rule.
 * Errors:  none.
 * Cost:    12 bytes per slot, 15 to 30 per rule; find of nothing: one or two
 *          cache misses, of a rule: one more. */
#ifndef OFP_RULE_INDEX_H
#define OFP_RULE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ofp_rule;

struct ofp_index_array {
    uint32_t *hash;         /* 0: free, ends a search. */
    struct ofp_rule **rule; /* Of 'old', NULL: gone. */
    uint32_t mask;          /* Size - 1. */
};

struct ofp_rule_index {
    struct ofp_index_array cur, old; /* old.hash is NULL: nothing moves. */
    uint32_t n;                      /* Slots of 'cur' in use. */
    uint32_t moved;                  /* Slots of 'old' done with. */
};

void ofp_rule_index_init(struct ofp_rule_index *);
void ofp_rule_index_fini(struct ofp_rule_index *);

void ofp_rule_index_add(struct ofp_rule_index *, uint32_t hash,
                        struct ofp_rule *);
/* It must be there. */
void ofp_rule_index_del(struct ofp_rule_index *, uint32_t hash,
                        const struct ofp_rule *);

/* A search for 'hash'.  The index must not change meanwhile. */
struct ofp_index_search {
    const struct ofp_index_array *a;
    uint32_t hash, at;
};

void ofp_rule_index_search(const struct ofp_rule_index *, uint32_t hash,
                           struct ofp_index_search *);
/* The next rule with the hash; NULL: no more. */
struct ofp_rule *ofp_rule_index_next(const struct ofp_rule_index *,
                                     struct ofp_index_search *);

#endif
