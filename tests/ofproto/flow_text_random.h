/* SPDX-License-Identifier: Apache-2.0 */
/* Random matches and instructions that OpenFlow 1.3 can say.
 * What:    for round trips; the same seed gives the same flows.
 * Threads: one.  Owns: nothing; ops lie inside struct random_flow. */
#ifndef FLOW_TEXT_RANDOM_H
#define FLOW_TEXT_RANDOM_H

#include "weft/dp.h"

struct rnd {
    uint64_t state;
};

struct random_flow {
    struct flow_match match;
    struct dp_instr instr;
    uint16_t priority;
    uint64_t apply[512], write[512];
};

uint64_t rnd_next(struct rnd *);
unsigned rnd_below(struct rnd *, unsigned n);
/* 'common': only what ovs-ofctl 3.1 knows as well. */
void random_flow(struct rnd *, struct random_flow *, bool common);

#endif
