/* SPDX-License-Identifier: Apache-2.0 */
#include "str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"

static void
reserve(struct base_str *s, size_t more)
{
    if (s->len + more + 1 > s->cap) {
        s->cap = (s->len + more + 1) * 2;
        s->buf = base_xrealloc(s->buf, s->cap);
    }
}

void
base_str_fini(struct base_str *s)
{
    free(s->buf);
    *s = (struct base_str) BASE_STR_INIT;
}

void
base_str_addn(struct base_str *s, const char *t, size_t n)
{
    reserve(s, n);
    memcpy(s->buf + s->len, t, n);
    s->len += n;
    s->buf[s->len] = '\0';
}

void
base_str_add(struct base_str *s, const char *t)
{
    base_str_addn(s, t, strlen(t));
}

void
base_str_addf(struct base_str *s, const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n > 0) {
        reserve(s, (size_t) n);
        vsnprintf(s->buf + s->len, (size_t) n + 1, fmt, again);
        s->len += (size_t) n;
    }
    va_end(again);
}

void
base_str_chomp(struct base_str *s, char c)
{
    if (s->len && s->buf[s->len - 1] == c)
        s->buf[--s->len] = '\0';
}

void
base_str_clear(struct base_str *s)
{
    s->len = 0;
    if (s->buf)
        s->buf[0] = '\0';
}

const char *
base_str_cstr(const struct base_str *s)
{
    return s->buf ? s->buf : "";
}

char *
base_str_steal(struct base_str *s)
{
    char *p = s->buf ? s->buf : base_xstrdup("");

    *s = (struct base_str) BASE_STR_INIT;
    return p;
}
