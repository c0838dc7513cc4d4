/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as one declarative JSON document, and its edits.
 *
 * What:    what `weftctl export` prints, `weftctl apply` takes and the state
 *          folder keeps:
 *
 *          { "version": 1,
 *            "bridges": { NAME: { "options": { NAME: VALUE },
 *                                 "controllers": [ TARGET ],
 *                                 "ports": { NAME: { "type": TYPE,
 *                                                    "ofport": N,
 *                                                    "queues": { N: {} },
 *                                                    "peers": [ ADDRESS ],
 *                                                    "options": {} } } } },
 *            "uplinks": { NAME: { "type": TYPE, "options": {} } } }
 *
 *          The shape follows Open vSwitch's tables Bridge, Port/Interface and
 *          Controller; values of options are strings.
 * Model:   an edit changes a draft; reconcile.h makes the switch like it.  An
 *          edit checks names and forms; what a port or tunnel type may be
 *          given is checked by the type, when it is made.
 * Threads: control.
 * Owns:    nothing; documents are the caller's references.
 * Errors:  0 or -errno with 'e' filled; a refused edit may leave the draft
 *          half changed: throw it away. */
#ifndef WEFTD_MODEL_H
#define WEFTD_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "weft/compiler.h"
#include "weft/err.h"

#define MODEL_VERSION 1

json_t *model_create(void); /* No bridge, no uplink. */
/* Checks a document from outside and completes it (missing members, numbers
 * as option values).  A port without "ofport" keeps none. */
WEFT_MUST_CHECK int model_check(json_t *doc, struct weft_err *e);

typedef int model_edit(json_t *doc, const json_t *params, struct weft_err *e);
/* model_net.c: networks without a controller. */
model_edit model_add_net, model_del_net, model_add_peer, model_del_peer;
/* A list of IPv4 addresses of hosts, none twice. */
WEFT_MUST_CHECK int model_check_peers(const char *port, const json_t *peers,
                                      struct weft_err *e);
model_edit model_add_br, model_del_br, model_set_br, model_add_port,
    model_del_port, model_set_port, model_set_queue, model_del_queue, model_add_uplink, model_del_uplink,
    model_set_controller, model_del_controller, model_set_fail_mode,
    model_apply;

/* A member as text, "" if it is absent or none; whether it is true. */
const char *model_text(const json_t *params, const char *name);
bool model_flag(const json_t *params, const char *name);
/* Name of the bridge that has port 'name', NULL: none. */
const char *model_port_bridge(const json_t *doc, const char *name);

/* Values of bridge options that the document keeps as text; the document has
 * been checked.  'dflt' when it is absent. */
const char *model_option(const json_t *owner, const char *name,
                         const char *dflt);
uint64_t model_option_u64(const json_t *owner, const char *name,
                          uint64_t dflt);
/* "OpenFlow10,OpenFlow13" -> bits 1 and 4; -EINVAL. */
WEFT_MUST_CHECK int model_parse_protocols(const char *, uint32_t *bits,
                                          struct weft_err *e);
/* Up to 16 hexadecimal digits, 0x allowed, not 0. */
WEFT_MUST_CHECK int model_parse_dpid(const char *, uint64_t *dpid);

#endif
