/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC 2.0 on RUNDIR/weft.sock.
 *
 * What:    the door for weftctl, weft-dump and anybody's scripts; documented
 *          in weft-rpc(7).
 * Model:   requests are JSON objects one after the other, with or without
 *          white space between them; each answer is one line.  A client that
 *          does not read its answers is not read from either.
 * Threads: control.
 * Owns:    socket and clients.
 * Errors:  0 or -errno with 'e' filled.
 * Source:  JSON-RPC 2.0 specification of 2013-01-04. */
#ifndef WEFTD_RPC_H
#define WEFTD_RPC_H

#include <jansson.h>
#include <stdbool.h>

#include "utils/base/str.h"
#include "weft/compiler.h"
#include "weft/err.h"

struct rpc;
struct weftd;

#define RPC_MAX_CLIENTS 64
#define RPC_MAX_REQUEST (32u << 20) /* Bytes of one request. */
#define RPC_MAX_UNREAD (1u << 20)   /* Answers queued before reading stops. */

/* Codes beside those of the specification (-32700 ... -32600). */
#define RPC_REFUSED (-32000) /* Nothing was changed; the message says why. */

/* 'path' is the socket's; a stale one is replaced. */
WEFT_MUST_CHECK int rpc_create(struct weftd *, const char *path, struct rpc **,
                               struct weft_err *e);
void rpc_destroy(struct rpc *); /* Accepts NULL. */

/* One method: appends its result, JSON text, to 'result'.  -EINVAL, -ENOENT
 * ... with 'e' filled: the request is refused. */
typedef int rpc_method(struct weftd *, const json_t *params,
                       struct base_str *result, struct weft_err *e);
#define RPC_EDIT(name, fn, help)
#define RPC_READ(name, fn, help) rpc_method fn;
#include "utils/weftd/rpc_methods.def"
#undef RPC_EDIT
#undef RPC_READ

/* Answers one request, for rpc.c and the tests: appends one line, or nothing
 * for a notification. */
void rpc_answer(struct weftd *, const char *text, size_t len,
                struct base_str *out);
/* "params" member as text, "" if it is absent. */
const char *rpc_param(const json_t *params, const char *name);

#endif
