/* SPDX-License-Identifier: Apache-2.0 */
/* Growing string.
 * Model:   buf is always NUL-terminated once something was added; len counts
 *          without the NUL.  Zero-initialised is a valid empty string.
 * Threads: one owner.  Owns: buf. */
#ifndef WEFT_BASE_STR_H
#define WEFT_BASE_STR_H

#include <stddef.h>

#include "weft/compiler.h"

struct base_str {
    char *buf;
    size_t len, cap;
};

#define BASE_STR_INIT { NULL, 0, 0 }

void base_str_fini(struct base_str *);
void base_str_add(struct base_str *, const char *s);
void base_str_addn(struct base_str *, const char *s, size_t n);
void base_str_addf(struct base_str *, const char *fmt, ...)
    WEFT_PRINTF(2, 3);
/* Drops the last character if it is 'c'. */
void base_str_chomp(struct base_str *, char c);
void base_str_clear(struct base_str *);
/* The text; "" when empty.  Lent until the next change. */
const char *base_str_cstr(const struct base_str *);
/* Hands the buffer over; the caller frees it.  Never NULL. */
char *base_str_steal(struct base_str *);

#endif
