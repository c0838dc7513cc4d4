/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's view of an interface: name, namespace, address, MTU, flags.
 *
 * What:    network namespaces by name; one rtnetlink request that changes an
 *          interface.
 * Threads: control.  netns_call enters the namespace on a short-lived
 *          thread of its own, so the caller's never changes.
 * Owns:    nothing that outlives the call, but descriptors returned.
 * Errors:  -errno.
 * Source:  rtnetlink(7), setns(2), ip-netns(8). */
#ifndef DP_PORTS_LINK_H
#define DP_PORTS_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "weft/compiler.h"

/* Descriptor of the namespace that "ip netns" calls 'name'; -ENOENT: there is
 * none. */
int netns_open(const char *name);

/* Runs fn(arg) inside the namespace; returns its value. */
WEFT_MUST_CHECK int netns_call(int ns_fd, int (*fn)(void *), void *arg);

struct link_change {
    int ns_fd;          /* Move there; -1: stay. */
    const char *name;   /* NULL: keep. */
    const uint8_t *mac; /* NULL: keep. */
    uint32_t mtu;       /* 0: keep. */
    bool up;            /* Set IFF_UP; false: keep. */
};

/* One request, done as a whole. */
WEFT_MUST_CHECK int link_change(int ifindex, const struct link_change *);

/* The same for the interface 'name' inside a namespace (ns_fd -1: here). */
WEFT_MUST_CHECK int link_change_in(int ns_fd, const char *name,
                                   const struct link_change *);

#endif
