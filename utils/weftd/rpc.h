/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC 2.0 on RUNDIR/weft.sock.
 *
 * What:    the door for weftctl, weft-dump and anybody's scripts; documented
 *          in weft-rpc(7).
 * Model:   requests are JSON objects one after the other, with or without
 *          white space between them; each answer is one line.  A client that
 *          does not read its answers is not read from either.  Long results
 *          (RPC_STREAM) are written in slices, one client after the other,
 *          and pause while their client does not read.
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
#define RPC_SLICE_NS 2000000        /* Of a long result, before others. */
#define RPC_IDLE_US 500             /* Until an idle stream is asked again. */
#define RPC_ENDLESS_US 20000        /* The same, if nobody waits for its end. */

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

/* A result that is written piece by piece, a slice of time for each, as the
 * client takes it. */
struct rpc_stream {
    /* May be NULL.  Called before the first run(): 0: go on with run();
     * -EAGAIN: call again; else 'e' says why the request is refused. */
    int (*prepare)(struct rpc_stream *, struct weft_err *e);
    /* Appends the next piece; false: it was the last one. */
    bool (*run)(struct rpc_stream *, struct base_str *out);
    void (*destroy)(struct rpc_stream *); /* At any time. */
    /* Set by prepare() and run(): there is nothing to do before somebody
     * else did something; looked at again after RPC_IDLE_US, or, for one
     * without end, RPC_ENDLESS_US. */
    bool idle;
    /* run() has no last piece: the client ends it by closing its half. */
    bool endless;
};
/* Starts a long result, or refuses as above. */
typedef int rpc_stream_method(struct weftd *, const json_t *params,
                              struct rpc_stream **, struct weft_err *e);
#define RPC_EDIT(name, fn, help)
#define RPC_READ(name, fn, help) rpc_method fn;
#define RPC_STREAM(name, fn, help) rpc_stream_method fn;
#include "utils/weftd/rpc_methods.def"
#undef RPC_EDIT
#undef RPC_READ
#undef RPC_STREAM

/* Answers one request, for the tests: appends one line, or nothing for a
 * notification. */
void rpc_answer(struct weftd *, const char *text, size_t len,
                struct base_str *out);
/* "params" member as text, "" if it is absent. */
const char *rpc_param(const json_t *params, const char *name);

#endif
