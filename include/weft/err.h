/* SPDX-License-Identifier: Apache-2.0 */
/* One line of error text for the person who gave the input.
 * What:    names object, value and limit, and the next step:
 *          "port vx0: key 16777216 exceeds 24 bits (largest 16777215)".
 * Model:   the caller owns a struct weft_err; the callee fills it when it
 *          returns a negative errno.  A NULL weft_err is allowed everywhere.
 * Threads: any.  Owns: nothing. */
#ifndef WEFT_ERR_H
#define WEFT_ERR_H

#include <stdarg.h>
#include <stdio.h>

#include "weft/compiler.h"

struct weft_err {
    char text[320];
};

/* Fills 'e' (NULL is accepted) and returns 'code', so that a refusal reads
 * "return weft_err_set(e, -EINVAL, ...)". */
static inline int WEFT_PRINTF(3, 4)
weft_err_set(struct weft_err *e, int code, const char *fmt, ...)
{
    if (e) {
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(e->text, sizeof e->text, fmt, ap);
        va_end(ap);
    }
    return code;
}

#endif
