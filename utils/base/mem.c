/* SPDX-License-Identifier: Apache-2.0 */
#include "mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

static void *
check(void *p, size_t size)
{
    if (!p && size) {
        base_log(BASE_LOG_ERR, "mem", "out of memory (%zu bytes)", size);
        abort();
    }
    return p;
}

void *
base_xmalloc(size_t size)
{
    return check(malloc(size), size);
}

void *
base_xcalloc(size_t n, size_t size)
{
    return check(calloc(n, size), n && size);
}

void *
base_xrealloc(void *p, size_t size)
{
    return check(realloc(p, size), size);
}

void *
base_xmemdup(const void *p, size_t size)
{
    void *q = base_xmalloc(size ? size : 1);

    if (size)
        memcpy(q, p, size);
    return q;
}

char *
base_xstrdup(const char *s)
{
    return base_xmemdup(s, strlen(s) + 1);
}

char *
base_xasprintf(const char *fmt, ...)
{
    char *s = NULL;
    va_list ap;

    va_start(ap, fmt);
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    return check(n < 0 ? NULL : s, 1);
}
