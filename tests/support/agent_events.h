/* SPDX-License-Identifier: Apache-2.0 */
/* What a datapath's events become for one agent in a test.
 *
 * What:    the callbacks that hand punts, port changes and commits on.
 * Threads: main.  Owns: nothing.  Errors: none. */
#ifndef TESTS_SUPPORT_AGENT_EVENTS_H
#define TESTS_SUPPORT_AGENT_EVENTS_H

#include "ofproto/ofproto.h"
#include "weft/dp.h"

static inline void
agent_on_punt(void *arg, const struct dp_punt *p)
{
    (void) arg;
    ofp_punt(p->bridge_owner, p);
}

static inline void
agent_on_port(void *arg, struct dp_bridge *dpb, void *owner,
              enum dp_port_event ev, const struct dp_port_info *info)
{
    (void) arg, (void) dpb;
    ofp_port_event(owner, ev, info);
}

static inline void
agent_on_synced(void *arg, uint64_t seq)
{
    struct ofp_bridge *const *b = arg;

    ofp_synced(*b, seq);
}

/* Of the bridge that *b is when something happens. */
static inline struct dp_events
agent_events(struct ofp_bridge **b)
{
    return (struct dp_events) { .arg = b, .punt = agent_on_punt,
                                .port = agent_on_port,
                                .synced = agent_on_synced };
}

#endif
