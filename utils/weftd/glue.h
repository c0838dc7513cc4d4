/* SPDX-License-Identifier: Apache-2.0 */
/* Carries events between datapath, agents, underlay and the event loop.
 *
 * What:    the datapath's callbacks, the underlay's callbacks, the tick of
 *          100 ms, and the rule that every wake-up ends with ofp_flush.
 * Model:   long work of an agent and more events of the datapath are taken up
 *          again by a timer of 0 s, after the loop has served its sockets.
 * Threads: control.
 * Owns:    its events; borrows struct weftd. */
#ifndef WEFTD_GLUE_H
#define WEFTD_GLUE_H

struct dp_events;
struct glue;
struct underlay_callbacks;
struct weftd;

struct glue *glue_create(struct weftd *);
void glue_destroy(struct glue *); /* Accepts NULL. */
/* Before the datapath and the underlay exist: what to give them. */
void glue_fill_dp(struct glue *, struct dp_events *);
void glue_fill_underlay(struct glue *, struct underlay_callbacks *);
/* Datapath and underlay are there: their events are followed from now on. */
void glue_start(struct glue *);
void glue_stop(struct glue *);

/* Has the agents commit what they did; cc_config.batch_done, 'arg' is the
 * struct glue. */
void glue_flush(void *arg);

#endif
