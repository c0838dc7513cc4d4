/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the daemon and who holds them.
 *
 * What:    struct weftd, shared by the files of this folder.
 * Model:   main.c creates the parts in the order of the members and destroys
 *          them in reverse.  glue.c carries events between them.
 * Threads: control, but for the writer inside state.c.
 * Owns:    every pointer below. */
#ifndef WEFTD_WEFTD_H
#define WEFTD_WEFTD_H

#include <stdbool.h>
#include <stdint.h>

struct dp;
struct event_base;
struct glue;
struct reconcile;
struct rpc;
struct state;
struct underlay;

struct weftd {
    struct event_base *base;
    struct glue *glue;
    struct underlay *underlay;
    struct dp *dp;
    struct reconcile *rc;
    struct state *state; /* NULL: --no-state */
    struct rpc *rpc;
    const char *run_dir; /* Borrowed. */
    uint64_t started_ns;
};

#endif
