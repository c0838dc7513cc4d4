/* SPDX-License-Identifier: Apache-2.0 */
/* What survives a restart: SQLite in the state folder.
 *
 * What:    the configuration document, in STATEDIR/weft.db.
 * Model:   the control thread hands over the newest document and goes on; a
 *          helper thread writes it, one transaction for all that came within
 *          100 ms.  Write-ahead log, synchronous: a document handed over is
 *          on the disk within a second.
 * Threads: control calls; the helper owns the database.
 * Owns:    database and helper thread.
 * Errors:  opening: 0 or -errno with 'e' filled; writing: logged, tried again
 *          with the next change. */
#ifndef WEFTD_STATE_H
#define WEFTD_STATE_H

#include <jansson.h>

#include "weft/compiler.h"
#include "weft/err.h"

struct state;

/* Makes 'dir' if need be.  -EBUSY: another process has it open. */
WEFT_MUST_CHECK int state_open(const char *dir, struct state **,
                               struct weft_err *e);
/* The document kept, a new reference; NULL: none yet.  Before the first
 * save. */
json_t *state_load_config(struct state *);
void state_save_config(struct state *, const json_t *doc);
void state_close(struct state *); /* Accepts NULL; writes what is pending. */

#endif
