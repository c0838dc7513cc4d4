/* SPDX-License-Identifier: Apache-2.0 */
/* Flows as weft-rpc(7) gives them, for people.
 *
 * What:    one line in the manner of ovs-ofctl dump-flows; order.
 * Threads: one.  Owns: nothing. */
#ifndef CLI_FLOW_H
#define CLI_FLOW_H

#include <jansson.h>
#include <stdbool.h>

#include "utils/base/str.h"

/* Appends the line without its end.  'stats': duration and counters too;
 * 'rate': packets per second, < 0: not known. */
void cli_flow_line(struct base_str *, const json_t *flow, bool stats,
                   double rate);
/* Appends what a flow's text says besides: "table=1,priority=5,ip".  It tells
 * the flows of a bridge apart. */
void cli_flow_key(struct base_str *, const json_t *flow);
/* Appends the rest: cookie, timeouts, flags, importance, actions. */
void cli_flow_body(struct base_str *, const json_t *flow);

#define CLI_FLOWS_HELD 10000 /* Before a dump goes on printing. */

/* The flows in the order of their tables, the highest priority first, or by
 * 'member' (smallest first; with 'down' the largest).  qsort's array of
 * borrowed items, *n of them; the caller frees. */
const json_t **cli_flows_sorted(const json_t *flows, const char *member,
                                bool down, size_t *n);

#endif
