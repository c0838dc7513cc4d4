/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline held against the reference interpreter: what its tests share.
 *
 * What:    random frames; a random switch (rules, groups, meters, settings)
 *          that changes; the comparison of what comes out.
 * Model:   a change is made twice: to the datapath, through struct
 *          diff_install, and to the test's own picture of the switch, struct
 *          diff_switch, from which the interpreter works.  Nothing is read
 *          back from the datapath but what leaves it.
 *          The bucket that a select group takes is the one thing that the
 *          interpreter cannot know.  The test tries those that may be taken;
 *          the one that explains what came out is from then on that flow's,
 *          where a flow is the bits of the fields that the group hashes.
 * Threads: main; the flights have a worker beside it.
 * Owns:    everything, static.  Errors: fail the test. */
#ifndef TESTS_DATAPATH_DIFFERENTIAL_H
#define TESTS_DATAPATH_DIFFERENTIAL_H

#include "datapath/interp.h"
#include "tests/datapath/bed.h"

extern struct bed bed;

/* ------------------------------------------------ differential_frames.c */

void rnd_seed(uint64_t);
uint32_t rnd(uint32_t limit); /* 0 .. limit - 1 */

struct frame {
    uint8_t b[512];
    size_t len;
    struct flow_key k; /* Parsed. */
    bool parsed;
};
extern struct frame frames[64];
extern unsigned n_frames;

void frames_make(void);
/* A frame of the pool, often with a few bytes changed or missing. */
struct frame frame_random(void);
/* Ethernet and 0 to 2 tags. */
void frame_begin(struct pkt *, unsigned tags, uint16_t type);

/* ------------------------------------------------- differential_rules.c */

#define N_PORTS 4
#define NO_SUCH_PORT 77
#define N_TABLES 4
#define EGRESS_TABLE 2 /* When there are egress tables. */
#define MAX_RULES 80
#define N_GROUPS 3     /* Group 1 may lead to 2 and 3, 2 to 3. */
#define MAX_BUCKETS 3
#define N_METERS 3     /* The last one is the controller's. */
#define MAX_BANDS 3

/* A rule as it was given; a change makes another one, this one stays readable
 * until diff_retired_free. */
struct diff_rule {
    struct interp_rule ir;
    struct ops apply, write;
    struct dp_rule *dr; /* diff_install's. */
};

struct diff_group {
    bool there;
    enum dp_group_type type;
    unsigned n;
    struct dp_bucket b[MAX_BUCKETS]; /* Without actions: */
    struct ops o[MAX_BUCKETS];
    bool has_mask;
    struct flow_key mask;
};

struct diff_meter {
    bool there;
    bool pktps;
    unsigned n;
    struct dp_meter_band band[MAX_BANDS];
    unsigned change; /* Its number: buckets are full after each. */
};

struct diff_switch {
    struct interp_rule rules[MAX_RULES];
    size_t n_rules;
    struct diff_group group[N_GROUPS + 1];
    struct diff_meter meter[N_METERS + 1];
    uint8_t miss[N_TABLES]; /* enum dp_miss */
    uint8_t egress;
    bool frag_drop;
};

/* How changes get to the datapath.  Below 0: refused, nothing changed. */
struct diff_install {
    int (*rule_add)(struct diff_rule *);
    int (*rule_set)(struct diff_rule *); /* The match stays. */
    void (*rule_del)(struct diff_rule *);
    int (*group_set)(uint32_t id, struct dp_group_config *);
    int (*meter_set)(uint32_t id, const struct dp_meter_config *);
    void (*commit)(void);
    bool settings;   /* Miss behaviour, egress tables, fragments; deletion of
                      * groups and meters that are in use. */
    bool meter_op;   /* The meter action. */
    bool copy_field;
};
extern const struct diff_install diff_direct; /* dp.h */
extern const struct diff_install *diff_install;

extern struct diff_switch diff; /* As it stands. */
extern struct diff_rule *diff_rules[MAX_RULES]; /* diff.rules' */

/* An empty switch. */
void diff_reset(const struct diff_install *);
/* Random changes.  False: nothing came of it. */
bool diff_rule_add(void);
bool diff_rule_modify(unsigned i); /* May become a deletion. */
void diff_rule_del(unsigned i);
bool diff_group_change(uint32_t id);
/* 'blunt': each band lets all or hardly anything pass. */
bool diff_meter_change(uint32_t id, bool blunt);
void diff_set_miss(uint8_t table, enum dp_miss);
void diff_set_egress(bool on);
void diff_set_frag_drop(bool on);
void diff_retired_free(void);
void diff_rules_clear(void);
uint32_t diff_meter_id(unsigned i); /* Of diff.meter[i]. */
void diff_meter_config(const struct diff_meter *, struct dp_meter_config *);

/* ------------------------------------------------- differential_judge.c */

/* What left, or should: by a port, or (port 0) to the controller. */
struct diff_seen {
    uint32_t port;
    uint64_t cookie, metadata;
    uint8_t reason, table;
    size_t len;
    uint8_t *data;
    unsigned frame; /* Of the burst. */
};
#define MAX_SEEN 16384
extern struct diff_seen expected[MAX_SEEN], got[MAX_SEEN];
extern unsigned n_expected, n_got;

/* The interpreter's view of a switch; 'pl' lives as long as 'sw' stays and
 * until the next call.  Meters are full. */
void judge_pipeline(struct interp_pipeline *pl, struct diff_switch *sw);
/* The switch 'diff' changed: its pipeline anew.  Meters that did not change
 * keep their tokens, groups what is known of their flows. */
void judge_changed(void);
void judge_reset(void);
void judge_pass_time(uint64_t ns);

/* Feeds 'n' frames to the worker and compares what comes out.  Frames whose
 * fate hangs on the order in which packets meet a meter are fed alone or, if
 * copies of one do, not at all. */
void judge_compare(const struct frame f[], const uint32_t in[], unsigned n);
/* How many frames were compared, how many not fed. */
extern unsigned judge_compared, judge_skipped;

/* Pieces of it, for flights. */
void judge_on_punt(void *arg, const struct dp_punt *);
void judge_collect(void);     /* Ports' frames, into got[]. */
void judge_got_free(void);
void judge_expected_free(void);
/* Choices of buckets: begin, then expect, until next is false. */
void judge_choices_begin(void);
bool judge_choices_next(void);
/* What the interpreter makes of a frame goes to expected[]. */
void judge_expect(const struct interp_pipeline *, const struct frame *,
                  uint32_t in_port, unsigned number);
bool judge_seen_equal(const struct diff_seen *, const struct diff_seen *);
/* Are expected[] and what was got of frame 'number' the same? */
bool judge_equal(unsigned number);
/* Packet-ins' reasons are the agent's matter. */
extern bool judge_reasons;
/* Says what came and what was expected, and fails. */
void judge_differ(const struct interp_pipeline *, const struct frame *,
                  uint32_t in, const char *what);

/* --------------------------------------------------- differential_wire.c */

/* A bridge with the agent, 'bed' being its datapath; changes go through an
 * OpenFlow session of 'version' (wire), encoded and decoded. */
void wire_open(uint32_t cache, uint8_t version);
void wire_close(void);
const struct diff_install *wire_install(void);
extern unsigned wire_accepted, wire_refused;

#endif
