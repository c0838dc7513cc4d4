/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics of a flow as 1.5 writes them.
 *
 * What:    OXS lists both ways: what a reply says, what a trigger waits for.
 * Model:   'has' says which fields there are; bit N is OXS field N.
 * Threads: any.  Owns: nothing.
 * Errors:  enum of_error_codes when writing, enum ofp_err when reading.
 * Source:  OpenFlow 1.5.1 §7.2.4. */
#ifndef OFP_OXS_H
#define OFP_OXS_H

#include "loci/loci.h"
#include "ofproto/ofp_err.h"
#include "weft/compiler.h"

enum ofp_oxs_field {
    OFP_OXS_DURATION = 0,
    OFP_OXS_IDLE_TIME = 1,
    OFP_OXS_FLOW_COUNT = 3,
    OFP_OXS_PACKET_COUNT = 4,
    OFP_OXS_BYTE_COUNT = 5,
    OFP_N_OXS = 6,
};

struct ofp_oxs {
    uint32_t has;
    /* By field number; times in nanoseconds.  What 'has' leaves out is 0. */
    uint64_t value[OFP_N_OXS];
};

static inline void
ofp_oxs_set(struct ofp_oxs *o, enum ofp_oxs_field f, uint64_t value)
{
    o->has |= 1u << f;
    o->value[f] = value;
}

/* Replaces what the statistics bound to 'stat' say. */
WEFT_MUST_CHECK int ofp_oxs_put(of_stat_v6_t *stat, const struct ofp_oxs *);
/* Reads the thresholds of a trigger.  An unknown field is INS_UNSUPPORTED, a
 * known one of another length INS_BAD_LEN, one that is there twice
 * INS_UNSUPPORTED. */
enum ofp_err ofp_oxs_take(of_stat_v6_t *stat, struct ofp_oxs *);

#endif
