/* SPDX-License-Identifier: Apache-2.0 */
/* The command-line programs' side of weft-rpc(7).
 *
 * What:    connects to RUNDIR/weft.sock, asks, waits for the answer.
 * Model:   one request at a time, blocking; long answers item by item
 *          (items.h).
 * Threads: one.
 * Owns:    the socket.
 * Errors:  exit codes of weftctl(8) and weft-dump(8), the text in 'e'. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

#include "weft/compiler.h"
#include "weft/err.h"

enum cli_exit {
    CLI_OK = 0,
    CLI_REFUSED = 1,   /* The daemon said no: nothing was changed. */
    CLI_USAGE = 2,     /* The command line makes no sense. */
    CLI_NO_DAEMON = 3, /* Nobody listens, or the connection broke. */
    CLI_DIFFERS = 4,   /* diff-flows found differences. */
};

struct cli;

/* $WEFT_RUN_DIR or /run/weft. */
const char *cli_default_run_dir(void);
WEFT_MUST_CHECK enum cli_exit cli_connect(const char *run_dir, struct cli **,
                                          struct weft_err *e);
void cli_close(struct cli *); /* Accepts NULL. */
/* Takes 'params' (NULL: none).  *result is a new reference. */
WEFT_MUST_CHECK enum cli_exit cli_call(struct cli *, const char *method,
                                       json_t *params, json_t **result,
                                       struct weft_err *e);

/* One item, lent; false: no more of them is wanted. */
typedef bool cli_item_cb(void *arg, json_t *item);
/* The same for an answer with many items: those of the result's list 'list'
 * are handed on as they come, the result has an empty one.  After 'item'
 * wanted no more, *result is NULL and the connection is of no more use. */
WEFT_MUST_CHECK enum cli_exit cli_stream(struct cli *, const char *method,
                                         json_t *params, const char *list,
                                         cli_item_cb *item, void *arg,
                                         json_t **result, struct weft_err *e);

#endif
