/* SPDX-License-Identifier: Apache-2.0 */
/* Takes the items out of an answer as its bytes come.
 *
 * What:    an answer of weft-rpc(7) is one line,
 *          {..., "result": {..., "LIST": [{item}, {item} ...]}}; each item is
 *          handed on when its last byte is there, so that a million of them
 *          need no memory and an answer without end can be read.
 * Model:   counts brackets outside strings.  What is no item is the rest: the
 *          same answer with an empty list.
 * Threads: one.
 * Owns:    the rest, and one item's bytes.
 * Errors:  none: what is no JSON is found out by who parses the parts.
 * Cost:    linear. */
#ifndef CLI_ITEMS_H
#define CLI_ITEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "utils/base/str.h"

struct cli_items {
    const char *list;      /* Name of the list; NULL: there is none. */
    struct base_str rest;  /* "" until the first byte. */
    struct base_str item;  /* Under way. */
    struct base_str name;  /* Last string of the result. */
    unsigned depth;        /* Open brackets. */
    bool in_string, escaped, in_list;
    bool done;             /* The answer's last bracket was closed. */
};

#define CLI_ITEMS_INIT(name) { .list = (name) }

/* 'item' gets one item's text; false: no more of them is wanted. */
typedef bool cli_items_cb(void *arg, const char *text, size_t len);

/* Looks at 'len' more bytes; false: 'cb' said so. */
bool cli_items_feed(struct cli_items *, const char *, size_t len,
                    cli_items_cb *cb, void *arg);
void cli_items_fini(struct cli_items *);

#endif
