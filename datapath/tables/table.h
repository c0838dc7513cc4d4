/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled form of one OpenFlow table.
 *
 * What:    best-priority rule for a key, changed by control while workers
 *          look up.
 * Model:   a struct tbl holds rules by reference and picks the cheapest form
 *          that fits them: linear (few rules), hash (few masks), merged
 *          (general: masks gathered into few clusters, what is long in them
 *          cut into trees).  tbl_info.max_probes bounds the far memory
 *          accesses of a lookup: those that wait for one another, the lines
 *          of a leaf being fetched together.  Rules with the same
 *          mask share one struct tbl_mask.
 *          Between two rules of equal priority that both match, either may be
 *          returned (OpenFlow 1.3.5 §6.4: undefined).
 * Threads: control: everything but lookup.  Workers: the lookups; memory
 *          they may still see is handed to tbl_env.defer.
 * Owns:    its index and masks; rules stay the caller's, and must outlive a
 *          grace period after tbl_remove.
 * Cost:    linear: up to 16 rules, one line per rule and four key words;
 *          hash: one bucket line and one rule line per distinct mask probed,
 *          13 to 26 bytes of index per rule; merged: per cluster one slot and
 *          one leaf, whose rules are compared four at a time, or cuts of the
 *          key's bits on the way to it; about 100 bytes of index per rule.
 *          Clusters are chosen so that a lookup is expected to be cheapest.
 *          Where rules care about so many different fields that copies would
 *          take too much memory, a lookup goes several ways and is longer: no
 *          fixed number holds for any rules whatever, but max_probes and
 *          max_compares do for those that are there, whatever the traffic.
 *          A change costs a leaf or a few; now and then a subtree of up to a
 *          thousand rules.  Masks or clusters whose priorities cannot win any
 *          more are skipped.
 *          Clusters are chosen anew when lookups get long; rules move over a
 *          few at a time, with each change and in tbl_work. */
#ifndef DP_TABLE_H
#define DP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weft/compiler.h"
#include "weft/flow_match.h"

struct tbl;
struct tbl_mask;

/* Embedded at the END of the caller's rule (values[] is flexible). */
struct tbl_rule {
    const struct tbl_mask *mask; /* Shared by rules of this table. */
    uint16_t priority;
    uint8_t n_values;            /* 64-bit words in values[]. */
    uint8_t tag;                 /* The caller's. */
    uint32_t index;              /* For the compiled form's own use. */
    struct tbl_rule *next;       /* Same mask and values, lower priority (or
                                  * equal, while a transaction replaces it);
                                  * the table's own. */
    uint32_t pos;                /* The table's own, too. */
    uint32_t user;               /* The caller's. */
    uint64_t values[];           /* Packed masked key, flow_key_pack order. */
};

struct tbl_env {
    /* Calls fn(p) once no worker can hold a pointer to 'p' any more. */
    void (*defer)(void *arg, void (*fn)(void *p), void *p);
    void *arg;
    uint64_t seed; /* Per-boot secret for the hashes. */
    void *owner;   /* See tbl_mask_owner. */
};

WEFT_MUST_CHECK struct tbl *tbl_create(const struct tbl_env *);
/* No worker looks up any more.  Accepts NULL. */
void tbl_destroy(struct tbl *);

/* The shared mask object for 'mask', created when it is new; a reference is
 * held by each rule from tbl_mask_get until tbl_mask_put. */
const struct tbl_mask *tbl_mask_get(struct tbl *, const struct flow_key *mask);
void tbl_mask_put(struct tbl *, const struct tbl_mask *);
uint32_t tbl_mask_words(const struct tbl_mask *); /* Word bitmap. */
const struct flow_key *tbl_mask_key(const struct tbl_mask *);
/* tbl_env.owner of the mask's table: from a rule to what it is in. */
void *tbl_mask_owner(const struct tbl_mask *);
/* Has the mask rules in the table? */
bool tbl_mask_is_active(const struct tbl_mask *);

/* Inserts; visible to lookups at once.  'found' is set to a rule of the same
 * priority, mask and values, which makes it -EEXIST; with NULL, a table takes
 * equal rules.  0, -EEXIST or -ENOMEM (nothing changed). */
WEFT_MUST_CHECK int tbl_insert(struct tbl *, struct tbl_rule *,
                               struct tbl_rule **found);
void tbl_remove(struct tbl *, struct tbl_rule *);
/* Prefetches what tbl_insert or tbl_find of this match will look at. */
void tbl_expect(struct tbl *, const struct flow_match *);
/* The rule with just this priority and match, or NULL.  Thread: control. */
struct tbl_rule *tbl_find(struct tbl *, uint16_t priority,
                          const struct flow_match *);
/* Calls 'cb' for every rule; it may free it.  Thread: control. */
typedef void tbl_rule_cb(void *arg, struct tbl_rule *);
void tbl_each(const struct tbl *, tbl_rule_cb *, void *arg);

/* Goes on with what changes have put off, for at most 'n_rules' rules.  True:
 * there is more.  Thread: control, now and then. */
bool tbl_work(struct tbl *, uint32_t n_rules);

#define TBL_BURST_MAX 32

/* rules[i] = best rule for *keys[i], or NULL.  n <= TBL_BURST_MAX.
 * Thread: worker. */
void tbl_lookup_burst(const struct tbl *, const struct flow_key *const keys[],
                      unsigned n, struct tbl_rule *rules[]);

/* The best rule for the key among those that 'accept' takes; NULL: none.
 * Slow: for keys whose best rule of all is one that a transaction changes.
 * Thread: worker. */
typedef bool tbl_accept(void *arg, const struct tbl_rule *);
struct tbl_rule *tbl_lookup_accepted(const struct tbl *,
                                     const struct flow_key *, tbl_accept *,
                                     void *arg);

/* Union of the masks of all rules: what lookups may look at.  Grows at once,
 * shrinks when the last rule with a mask goes. */
void tbl_union_mask(const struct tbl *, struct flow_key *mask);

struct tbl_info {
    const char *form;
    uint32_t n_rules, n_masks;
    uint32_t max_probes; /* Far accesses per lookup now, worst case ... */
    uint32_t max_compares; /* ... and rules compared. */
    bool cheap;          /* Cheaper than a lookup in a cache. */
    size_t memory;       /* Bytes of index and masks. */
};
void tbl_get_info(const struct tbl *, struct tbl_info *);

#endif
