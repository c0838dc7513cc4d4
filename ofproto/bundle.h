/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles of a session: messages kept until they are committed together.
 *
 * What:    open, close, add to, discard and commit a bundle.
 * Model:   a bundle is the bytes of its messages, checked for their form when
 *          they came.  A commit is a job of the session: it applies them in
 *          their order inside a transaction (txn.h), in slices, and commits
 *          or aborts that.  Every bundle is thus atomic and ordered, whatever
 *          its flags ask for.  A scheduled commit waits beside the session,
 *          which goes on; until the time it may be discarded.
 * Threads: control.
 * Owns:    the session owns its bundles.
 * Errors:  enum ofp_err.
 * Cost:    the messages' bytes, at most OFP_BUNDLE_BYTES per session.
 * Source:  OpenFlow 1.4.1 §6.9, §7.3.9; ONF EXT-230 for 1.3; OpenFlow 1.5.1
 *          §6.9.5, §7.3.9 for a bundle at a given time. */
#ifndef OFP_BUNDLE_H
#define OFP_BUNDLE_H

#include "ofproto/agent_priv.h"

#define OFP_BUNDLES_MAX 64u             /* Open ones per session. */
#define OFP_BUNDLE_BYTES (256u << 20)   /* Of all of them. */
#define OFP_BUNDLE_IDLE_NS UINT64_C(10000000000)

/* The longest time that the control thread works at one thing, in which the
 * time of a scheduled commit may fall. */
#define OFP_SCHED_ACCURACY_NS 10000000

#define OFP_BF_ATOMIC 0x1
#define OFP_BF_ORDERED 0x2
#define OFP_BF_ALL 0x3

struct ofp_bundle;

/* NULL: the session has none with this id. */
struct ofp_bundle *ofp_bundle_find(struct ofp_session *, uint32_t id);
/* OUT_OF_BUNDLES, or OFP_OK with *out. */
enum ofp_err ofp_bundle_open(struct ofp_session *, uint32_t id,
                             uint16_t flags, struct ofp_bundle **out);
void ofp_bundle_discard(struct ofp_session *, struct ofp_bundle *);
uint16_t ofp_bundle_flags(const struct ofp_bundle *);
bool ofp_bundle_is_closed(const struct ofp_bundle *);
void ofp_bundle_close(struct ofp_bundle *);
/* Notes that the controller still speaks of it. */
void ofp_bundle_touch(struct ofp_bundle *);
/* Keeps a copy of a whole message whose form was checked.
 * MSG_TOO_MANY or OFP_OK. */
enum ofp_err ofp_bundle_add(struct ofp_session *, struct ofp_bundle *,
                            const uint8_t *msg, size_t len);
/* Is a commit of it put off to a given time? */
bool ofp_bundle_is_scheduled(const struct ofp_bundle *);
/* Starts the job that commits and discards the bundle; it answers.  'reply'
 * is taken. */
void ofp_bundle_commit(struct ofp_session *, struct ofp_bundle *,
                       of_object_t *reply);
/* The same at a time of base_clock_ns: it is staged shortly before, so that
 * packets go by it then.  'reply' is taken; s->msg is the request. */
void ofp_bundle_schedule(struct ofp_session *, struct ofp_bundle *,
                         of_object_t *reply, uint64_t due_ns);

/* A time of 1.5: seconds and nanoseconds of TAI.  What lies further off than 64
 * bits of nanoseconds is the last of them.  False: it is no time. */
bool ofp_time_take(of_time_t *, uint64_t *ns);
void ofp_time_put(of_time_t *, uint64_t ns);

#endif
