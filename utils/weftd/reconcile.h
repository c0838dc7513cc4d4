/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the switch like a configuration document.
 *
 * What:    compares a document of model.h with the bridges, ports, uplinks
 *          and controllers that are there, and adds, changes and deletes.
 * Model:   all or nothing: when a step is refused, the document that was in
 *          force is applied again and the refusal is returned.  A port that
 *          stays is not touched, nor are its counters.
 * Threads: control.
 * Owns:    bridges (agent and controller connections), ports, uplinks.
 * Errors:  0 or -errno with 'e' filled. */
#ifndef WEFTD_RECONCILE_H
#define WEFTD_RECONCILE_H

#include <jansson.h>
#include <stdint.h>

#include "utils/base/list.h"
#include "weft/compiler.h"
#include "weft/err.h"

struct cc;
struct ofp_bridge;
struct reconcile;
struct weftd;

struct rc_bridge {
    struct base_list node;
    char *name;
    json_t *options;     /* As configured. */
    json_t *controllers;
    json_t *ports;       /* name -> type, ofport (as assigned), options */
    struct ofp_bridge *ofp;
    struct cc *cc;
};

struct rc_uplink {
    struct base_list node;
    char *name;
    json_t *cfg; /* type, options */
    uint32_t id; /* In the datapath. */
};

struct reconcile *reconcile_create(struct weftd *);
void reconcile_destroy(struct reconcile *); /* Accepts NULL. */
WEFT_MUST_CHECK int reconcile_apply(struct reconcile *, json_t *doc,
                                    struct weft_err *e);
/* Like reconcile_apply, but a port, uplink or controller that is refused is
 * logged and left out: the switch starts with what there is. */
void reconcile_restore(struct reconcile *, json_t *doc);
/* What is in force, with the port numbers that were assigned; a new
 * reference. */
json_t *reconcile_document(const struct reconcile *);

/* Lists of struct rc_bridge and struct rc_uplink. */
const struct base_list *reconcile_bridges(const struct reconcile *);
const struct base_list *reconcile_uplinks(const struct reconcile *);
struct rc_bridge *reconcile_bridge(const struct reconcile *,
                                   const char *name);

#endif
