/* SPDX-License-Identifier: Apache-2.0 */
/* A bed for groups: buckets are built one by one, then set as a group.
 *
 * Model:   one group is built at a time; flows come in by port 1.
 * Threads: main.  Owns: bed and packet.  Errors: fail the test. */
#ifndef TESTS_DATAPATH_GROUP_BED_H
#define TESTS_DATAPATH_GROUP_BED_H

#include "datapath/group.h"
#include "tests/datapath/bed.h"

#define N_PORTS 6
#define ANY_PORT DP_PORT_NONE
#define ANY_GROUP DP_GROUP_NONE

extern struct bed bed;
extern struct pkt frame; /* The packet that comes, UDP. */

/* What was built since the last group was set. */
struct buckets {
    struct dp_bucket b[64];
    struct ops o[64];
    unsigned n;
};
extern struct buckets built;

void group_bed_setup(void);
void group_bed_teardown(void);

/* A UDP flow. */
void group_flow(struct pkt *, uint32_t src, uint16_t sport);

/* One more bucket; its ops are the caller's to add. */
struct ops *bucket(uint16_t weight, uint32_t watch_port,
                   uint32_t watch_group);
void bucket_out(uint16_t weight, uint32_t watch_port, uint32_t out);
void bucket_group(uint32_t watch_group, uint32_t group);
/* Sets the group to the buckets built, and begins new ones. */
int group_set_config(uint32_t id, struct dp_group_config *);
void group_set(uint32_t id, enum dp_group_type);
/* Rule: group:id, then output:after (0: the group is last). */
void group_rule(uint32_t id, uint32_t after);

/* Feeds 'frame' and runs. */
void group_feed(unsigned n);
void group_link(unsigned port, bool up);
struct dp_stats group_stats(uint32_t id, struct dp_stats *buckets, size_t n);

#endif
