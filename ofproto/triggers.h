/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics triggers: flows that report when a counter passes a threshold.
 *
 * What:    the stat-trigger instruction of 1.5, kept beside the rules.
 * Model:   few rules have one, so it is not in struct ofp_rule: a bit of its
 *          flags (OFP_FF_TRIGGER) says whether to look here.  Every tick some
 *          of them are compared with their counters; what has passed a
 *          threshold is told to the controllers as OFPMP_FLOW_STATS.
 * Threads: control.
 * Owns:    its entries.  Errors: none.
 * Cost:    TRIGGERS_PER_TICK rules per tick, in turn.
 * Source:  OpenFlow 1.5.1 §7.2.5.6, §7.3.5.4. */
#ifndef OFP_TRIGGERS_H
#define OFP_TRIGGERS_H

#include "ofproto/oxs.h"
#include "utils/base/hmap.h"
#include "utils/base/list.h"

struct dp_stats;
struct ofp_bridge;
struct ofp_rule;

#define OFP_STF_PERIODIC 0x1
#define OFP_STF_ONLY_FIRST 0x2

struct ofp_trigger {
    bool on;
    uint32_t flags; /* OFPSTF_* */
    struct ofp_oxs thresholds;
};

struct ofp_triggers {
    struct base_hmap map;   /* struct entry, by rule */
    struct base_list order; /* The next one to look at first. */
};

void ofp_triggers_init(struct ofp_triggers *);
void ofp_triggers_fini(struct ofp_triggers *);

/* Reads the instruction. */
enum ofp_err ofp_trigger_take(of_instruction_stat_trigger_t *,
                              struct ofp_trigger *);
/* Appends it; 0 or enum of_error_codes. */
WEFT_MUST_CHECK int ofp_trigger_put(const struct ofp_trigger *,
                                    of_list_instruction_t *);

/* The rule's trigger becomes this one, or none when it is not on.  Thresholds
 * that its counters have passed already do not fire for that. */
void ofp_trigger_set(struct ofp_bridge *, struct ofp_rule *,
                     const struct ofp_trigger *);
/* NULL: the rule has none. */
const struct ofp_trigger *ofp_trigger_of(const struct ofp_bridge *,
                                         const struct ofp_rule *);
/* One tick. */
void ofp_triggers_run(struct ofp_bridge *);

/* A rule's counters as OXS. */
void ofp_rule_oxs(const struct ofp_rule *, const struct dp_stats *,
                  struct ofp_oxs *);
enum ofp_flow_stats_reason { OFP_FSR_REQUEST, OFP_FSR_TRIGGER }; /* OFPFSR_* */
/* Fills an entry of OFPMP_FLOW_STATS; 0 or enum of_error_codes. */
WEFT_MUST_CHECK int
ofp_flow_stats_fill(of_individual_flow_stats_entry_t *,
                    const struct ofp_rule *, const struct dp_stats *,
                    enum ofp_flow_stats_reason);

#endif
