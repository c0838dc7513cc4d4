/* SPDX-License-Identifier: Apache-2.0 */
/* Meters as a controller sees them.
 *
 * What:    the bridge's table of meters and the commands that change it,
 *          without a wire version.
 * Model:   the table keeps what was said of each meter (struct
 *          ofp_meter_spec) and gives the datapath what it needs of it.  Every
 *          command is checked before anything changes: all or nothing.
 *          Flows that name a meter are counted by the instructions they share
 *          (dp_rules_metered).  A delete removes them first, in slices when a
 *          controller asked; until they are gone the meter is 'dying': it
 *          meters, but no new flow may name it.
 * Threads: control.
 * Owns:    the meters; specs given are lent for the call.
 * Errors:  enum ofp_err: OFPET_METER_MOD_FAILED codes.
 * Cost:    O(1) but for delete's search for flows (none when no
 *          flow names the meter) and flow counts, linear in the different
 *          instructions that name meters.
 * Source:  OpenFlow 1.3.5 §5.7, §7.3.4.4; OpenFlow 1.5.1 §7.3.4.5. */
#ifndef OFP_METERS_H
#define OFP_METERS_H

#include <stdbool.h>

#include "ofproto/meter_spec.h"
#include "ofproto/ofp_err.h"
#include "utils/base/hmap.h"
#include "utils/base/str.h"
#include "weft/compiler.h"
#include "weft/dp.h"

struct ofp_bridge;
struct ofp_session;

#define OFP_MAX_METERS 65536 /* Per bridge. */

struct ofp_meter {
    struct base_hnode node;
    struct ofp_meter_spec spec;
    uint64_t created_ns;
    uint32_t flow_count; /* As last counted. */
    bool dying;
    bool keep;           /* Inside ofp_meter_restore. */
};

struct ofp_meters {
    struct base_hmap map;
    uint32_t *ids; /* Sorted, map.n of them, when 'sorted'. */
    bool sorted;
};

void ofp_meters_init(struct ofp_meters *);
void ofp_meters_fini(struct ofp_bridge *); /* The datapath's go too. */

/* Adds, modifies or deletes.  A delete removes the flows that name the meter
 * before it returns; with 's' not NULL it may become a job of the session
 * instead.  dp_commit is the caller's. */
enum ofp_err ofp_meter_apply(struct ofp_bridge *, struct ofp_session *s,
                             enum ofp_meter_command,
                             const struct ofp_meter_spec *);
/* The same checks, nothing changed. */
enum ofp_err ofp_meter_check(struct ofp_bridge *, enum ofp_meter_command,
                             const struct ofp_meter_spec *);

bool ofp_meter_exists(const struct ofp_bridge *, uint32_t id);
/* May a flow name the meter?  OFP_OK or an error that says why not. */
enum ofp_err ofp_meter_usable(const struct ofp_bridge *, uint32_t id);
/* The same for all meters that the instructions name. */
struct dp_instr;
enum ofp_err ofp_meters_of_instr(const struct ofp_bridge *,
                                 const struct dp_instr *);

/* A meter as it stands, for taking a change back; OFP_METER_ALL: all meters.
 * Restoring consumes it: a meter that was not there goes, one that went comes
 * back with its time of birth, its counters at zero.  Flows are not looked
 * at: they are the caller's.  Restore in the reverse order of the changes. */
struct ofp_meter_undo;
struct ofp_meter_undo *ofp_meter_snapshot(struct ofp_bridge *, uint32_t id);
void ofp_meter_restore(struct ofp_bridge *, struct ofp_meter_undo *);
void ofp_meter_undo_free(struct ofp_meter_undo *); /* Accepts NULL. */

/* One meter with its statistics. */
struct ofp_meter_view {
    const struct ofp_meter_spec *spec;
    uint64_t created_ns;
    uint32_t flow_count;
    struct dp_stats in;
    struct dp_stats bands[DP_METER_BANDS]; /* In the order of spec->bands. */
};
typedef void ofp_meter_view_cb(void *arg, const struct ofp_meter_view *);
/* The meter, or (OFP_METER_ALL) those with ids >= *next, ascending, at most
 * 'n'; *next is where to go on.  true: there may be more.  With one id that
 * is not there nothing is called. */
bool ofp_meter_walk(struct ofp_bridge *, uint32_t id, uint32_t *next,
                    unsigned n, ofp_meter_view_cb *, void *arg);

#endif
