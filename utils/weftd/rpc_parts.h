/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of answers that several methods have in common.
 * What:    one function per JSON shape of weft-rpc(7).
 * Threads: control.  Owns: nothing. */
#ifndef WEFTD_RPC_PARTS_H
#define WEFTD_RPC_PARTS_H

#include <jansson.h>

#include "utils/base/str.h"
#include "utils/weftd/jw.h"
#include "weft/dp.h"

struct rc_bridge;
struct weftd;

#define RPC_SCHEMA 1 /* Raised when a member changes its meaning or goes. */

/* Appends what one bridge has to the list that is open; 0 or -errno. */
typedef int rpc_bridge_writer(struct jw *, struct weftd *, struct rc_bridge *,
                              const json_t *params, struct weft_err *e);
/* A result with one member 'list': what each bridge has, or the one that
 * 'params' name.  -ENOENT. */
int rpc_answer_bridges(struct weftd *, const char *list, const json_t *params,
                       rpc_bridge_writer *, struct base_str *result,
                       struct weft_err *e);

/* Appended to the open list. */
void rpc_put_controllers(struct jw *, const struct rc_bridge *);
void rpc_put_ports(struct jw *, const struct rc_bridge *);
void rpc_put_port(struct jw *, const char *bridge,
                  const struct dp_port_info *);
/* Members. */
void rpc_put_stats(struct jw *, const struct dp_port_stats *);
void rpc_put_drops(struct jw *, const char *key,
                   const uint64_t drops[N_DROP_REASONS]);
/* An item; bridge NULL: of no bridge, without counters. */
void rpc_put_flow(struct jw *, const char *bridge,
                  const struct ofp_flow_info *);
void rpc_put_uplinks(struct jw *, struct weftd *);

#endif
