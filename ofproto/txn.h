/* SPDX-License-Identifier: Apache-2.0 */
/* Several changes of the agent's state, all or none.
 *
 * What:    a log of what was done and how to undo it, and the way of a
 *          transaction from its first change to the last one settled.
 * Model:   While a bridge has a transaction ('b->txn' is set) whoever changes
 *          the agent's state appends a record: what undoes it, what is only
 *          to be done when all has succeeded (tell controllers, send a
 *          packet).  Rule changes in the datapath are staged by themselves
 *          (dp_txn_begin); what else a packet could notice waits for the
 *          switch-over.
 *
 *              begin -> changes -> commit: 'at_switch' of all records,
 *                 |                dp_commit -> synced -> 'done' of all,
 *                 |                oldest first -> datapath settles
 *                 '-> abort: 'undo' of all, newest first, datapath aborts
 *
 *          Both ways go on in slices inside ofp_flush, whatever becomes of
 *          the session that began.  Until the end the bridge's other
 *          sessions wait (but for echoes), and so do timeouts.
 * Threads: control.
 * Owns:    records, until the transaction ends.
 * Errors:  -EBUSY from begin: one is under way or somebody's change of many
 *          rules is. */
#ifndef OFP_TXN_H
#define OFP_TXN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weft/compiler.h"

struct ofp_bridge;
struct ofp_session;
struct ofp_txn;

/* Any may be NULL. */
struct ofp_txn_ops {
    size_t size; /* Of a record. */
    void (*undo)(struct ofp_bridge *, void *rec);
    void (*at_switch)(struct ofp_bridge *, void *rec);
    void (*done)(struct ofp_bridge *, void *rec);
    void (*free)(void *rec); /* What the record holds; either way, last. */
};

/* 0 with its number, or -EBUSY. */
WEFT_MUST_CHECK int ofp_txn_begin(struct ofp_bridge *,
                                  struct ofp_session *owner, uint64_t *id);
/* Appends a record, zeroed; only between begin and commit or abort. */
void *ofp_txn_log(struct ofp_bridge *, const struct ofp_txn_ops *);
/* Ends it. */
void ofp_txn_commit(struct ofp_bridge *);
void ofp_txn_abort(struct ofp_bridge *);
/* Do all packets go by the changes of transaction 'id', that was committed? */
bool ofp_txn_switched(const struct ofp_bridge *, uint64_t id);
/* The time at which rules change: what one transaction does, it does at once.
 * Else it is the clock's. */
uint64_t ofp_txn_now(const struct ofp_bridge *);
/* Is one open for changes? */
bool ofp_txn_is_open(const struct ofp_bridge *);
/* Must jobs of 's' wait for somebody else's transaction? */
bool ofp_txn_holds(const struct ofp_bridge *, const struct ofp_session *s);
/* The owner goes: what is open is undone. */
void ofp_txn_session_gone(struct ofp_bridge *, const struct ofp_session *);
/* One slice of what is left to do after commit or abort.  True: there is
 * more at once. */
bool ofp_txn_work(struct ofp_bridge *);

/* Changes of rules, while one is open; by rules.c.  'changes' comes
 * before the change; 'reset': the counters start anew when all is done; 'was': what the rule did,
 * copied, for who watches. */
struct dp_instr;
struct ofp_rule;
void ofp_txn_rule_added(struct ofp_bridge *, struct ofp_rule *);
void ofp_txn_rule_changes(struct ofp_bridge *, struct ofp_rule *, bool reset,
                          const struct dp_instr *was);
/* The groups that it names change to those of 'instr'. */
void ofp_txn_rule_groups(struct ofp_bridge *, struct ofp_rule *,
                         const struct dp_instr *instr);
void ofp_txn_rule_removed(struct ofp_bridge *, struct ofp_rule *,
                          unsigned why);
void ofp_txn_standalone_removed(struct ofp_bridge *);

/* The bridge goes: ends it here and now. */
void ofp_txn_drop(struct ofp_bridge *);

#endif
