/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about what a rule does.
 *
 * What:    walks over the ops of instructions; a copy of them.
 * Model:   struct dp_instr is a view; whoever gave it owns the ops.
 * Threads: any.
 * Owns:    ofp_instr_copy's result, until ofp_instr_fini.
 * Errors:  none.
 * Source:  OpenFlow 1.3.5 §5.9. */
#ifndef OFP_INSTR_H
#define OFP_INSTR_H

#include "weft/dp.h"

/* Copies 'in' with its ops. */
void ofp_instr_copy(struct dp_instr *to, const struct dp_instr *in);
void ofp_instr_fini(struct dp_instr *);

/* Do they output to 'port' (a number or DP_PORT_*), or to 'group'
 * (OFP_GROUP_ALL: any one)?  For the out_port and out_group filters. */
bool ofp_instr_outputs(const struct dp_instr *, uint32_t port);
bool ofp_instr_has_group(const struct dp_instr *, uint32_t group);
/* Do they name the meter (OFP_METER_ALL: any), by instruction or action? */
bool ofp_instr_has_meter(const struct dp_instr *, uint32_t meter);

/* Iterates over a list of ops. */
#define OFP_OP_FOR(op, list)                                                  \
    for (op = (list)->ops;                                                    \
         op && (const uint64_t *) (const void *) op                           \
                   < (const uint64_t *) (const void *) (list)->ops            \
                         + (list)->n_words;                                   \
         op = (const struct dp_op *) (const void *)                           \
              ((const uint64_t *) (const void *) op + op->words))

#endif
