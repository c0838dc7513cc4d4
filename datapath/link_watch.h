/* SPDX-License-Identifier: Apache-2.0 */
/* Link state as it changes, not every 100 ms.
 *
 * What:    wakes control when an interface of this kernel and namespace
 *          changes, and tells which; looks often at watched ports of which
 *          no news comes (DPDK devices, interfaces in other namespaces).
 * Model:   an epoll set with the datapath's eventfd, an rtnetlink socket in
 *          the group of links, and a timer that runs while groups watch such
 *          ports.
 * Threads: control.
 * Owns:    its descriptors; the eventfd is the caller's.
 * Errors:  without netlink the 100 ms round remains.
 * Source:  rtnetlink(7). */
#ifndef DP_LINK_WATCH_H
#define DP_LINK_WATCH_H

#include <stdbool.h>

#include "weft/compiler.h"

struct dp;

struct link_watch {
    int fd; /* The epoll set: for the event loop. */
    int netlink, timer;
    bool ticking;
};

WEFT_MUST_CHECK int link_watch_open(struct link_watch *, int event_fd);
void link_watch_close(struct link_watch *);
/* Looks at the ports of which there is news. */
void link_watch_run(struct dp *);
/* Every 100 ms: is the timer needed? */
void link_watch_house(struct dp *);

#endif
