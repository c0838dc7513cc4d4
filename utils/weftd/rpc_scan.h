/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the end of a JSON object or array in a stream.
 * What:    cuts requests out of what a socket gave, whole or in pieces.
 * Model:   counts brackets outside strings; whether the text is JSON is the
 *          parser's business.  The state remembers how far it looked, so each
 *          byte is seen once.
 * Threads: any.  Owns: nothing. */
#ifndef WEFTD_RPC_SCAN_H
#define WEFTD_RPC_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct rpc_scan { /* Zero to start; zero again after each end. */
    size_t at;
    unsigned depth;
    bool in_string, escaped;
};

/* Length of the object or array that starts at text[0], 0: incomplete. */
size_t rpc_scan(struct rpc_scan *, const char *text, size_t len);

#endif
