/* SPDX-License-Identifier: Apache-2.0 */
/* Idle and hard timeouts.
 *
 * What:    a heap of the rules that have one.
 * Model:   an entry says when to look at the rule next.  An idle rule that
 *          was used meanwhile is put back to the earliest moment at which it
 *          may be idle; traffic itself touches nothing here.  A rule knows
 *          its place (ofp_rule.timer), so removing it is O(log n).
 *          ofp_timers_shift moves all deadlines: time that a bridge in fail
 *          mode "hold" spent without controller does not count.
 * Threads: control.
 * Owns:    the heap array; not the rules.
 * Errors:  none.
 * Cost:    24 bytes per rule that has a timeout, none for the others;
 *          O(log n) per change.
 * Source:  OpenFlow 1.3.5 §5.5, §6.4. */
#ifndef OFP_TIMERS_H
#define OFP_TIMERS_H

#include <stdint.h>

#include "ofproto/tables.h"

struct ofp_timer {
    uint64_t when_ns; /* Look then. */
    uint64_t hard_ns; /* Hard deadline; UINT64_MAX: none. */
    struct ofp_rule *rule;
};

struct ofp_timers {
    struct ofp_timer *heap;
    size_t n, cap;
};

enum ofp_expiry { OFP_EXPIRE_IDLE, OFP_EXPIRE_HARD };

void ofp_timers_fini(struct ofp_timers *);
/* Starts the rule's timeouts, if it has any, counting from 'now_ns'. */
void ofp_timers_add(struct ofp_timers *, struct ofp_rule *, uint64_t now_ns);
/* Accepts a rule without timer. */
void ofp_timers_del(struct ofp_timers *, struct ofp_rule *);
/* The rule's entry, to be put back as it was; out->rule is NULL: none. */
void ofp_timers_get(const struct ofp_timers *, const struct ofp_rule *,
                    struct ofp_timer *out);
void ofp_timers_put(struct ofp_timers *, const struct ofp_timer *);
/* All deadlines 'delta_ns' later. */
void ofp_timers_shift(struct ofp_timers *, uint64_t delta_ns);
/* The next rule whose timeout is over at 'now_ns', and why; NULL: none.  The
 * rule stays in the heap until ofp_timers_del.  Looks at 'budget' entries at
 * most and lowers it. */
struct ofp_rule *ofp_timers_next(struct ofp_timers *, uint64_t now_ns,
                                 unsigned *budget, enum ofp_expiry *why);

#endif
