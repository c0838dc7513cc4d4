/* SPDX-License-Identifier: Apache-2.0 */
/* Flow monitors: who wants to hear of changes of rules.
 *
 * What:    a session's monitors, the updates that changes of rules make, and
 *          what happens when the controller does not read them.
 * Model:   A change is reported at most once to a session, in full or, when
 *          the session itself made it, as the xid of its request.  Updates
 *          are gathered into multipart replies of xid 0 and sent by
 *          ofp_monitor_work, before any later barrier reply.  When more
 *          than OFP_OUTPUT_HIGH bytes wait in the connection, the session
 *          is paused: PAUSED is the last update, and only which rules are
 *          new or changed is kept.  Later these are reported as they are
 *          then, slice by slice, and RESUMED follows.  Removed rules that
 *          the controller has heard of are told all the time.
 *          Inside a transaction (txn.h) changes are reported when it is
 *          done, or never.
 * Threads: control.
 * Owns:    monitors, updates, until ofp_monitors_destroy.
 * Errors:  OFPET_FLOW_MONITOR_FAILED codes.
 * Cost:    nothing without monitors; else per change and session linear in
 *          its monitors.
 * Source:  OpenFlow 1.4.1 §6.8, §7.3.5.17. */
#ifndef OFP_MONITOR_H
#define OFP_MONITOR_H

#include "ofproto/agent_priv.h"
#include "utils/base/hmap.h"

#define OFP_MAX_MONITORS 1024 /* Per session. */

/* OFPFMF_* */
#define OFP_MF_INITIAL 0x01
#define OFP_MF_ADD 0x02
#define OFP_MF_REMOVED 0x04
#define OFP_MF_MODIFY 0x08
#define OFP_MF_INSTRUCTIONS 0x10
#define OFP_MF_NO_ABBREV 0x20
#define OFP_MF_ONLY_OWN 0x40
#define OFP_MF_KNOWN 0x7f

struct ofp_monitor {
    struct base_list link;
    uint32_t id;
    uint16_t flags;
    bool fresh; /* By the request that is being answered. */
    struct ofp_filter f;
};

/* Of one session; NULL there: it never had any. */
struct ofp_monitors {
    struct base_list list;
    unsigned n;
    struct ofp_reply out;  /* Updates not yet sent. */
    uint64_t own;          /* What the last ABBREV was for: n_requests of
                            * the session, and, in a bundle, the xid. */
    uint32_t own_xid;
    bool paused;
    struct base_hmap late; /* While paused: rules to be reported. */
};

enum ofp_err ofp_monitor_add(struct ofp_session *, uint32_t id,
                             uint16_t flags, const struct ofp_filter *);
enum ofp_err ofp_monitor_modify(struct ofp_session *, uint32_t id,
                                uint16_t flags, const struct ofp_filter *);
enum ofp_err ofp_monitor_delete(struct ofp_session *, uint32_t id);
/* Ends a request: its monitors are no longer fresh, or (undo) go again. */
void ofp_monitors_settle(struct ofp_session *, bool undo);
/* Appends the rule as INITIAL if a fresh monitor wants it.  True: it did. */
bool ofp_monitor_initial(struct ofp_session *, const struct ofp_rule *,
                         struct ofp_reply *);

/* Sends what is ready; reports what a pause held back.  True: more at once. */
bool ofp_monitor_work(struct ofp_session *);
void ofp_monitors_destroy(struct ofp_session *);

#endif
