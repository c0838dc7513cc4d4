/* SPDX-License-Identifier: Apache-2.0 */
#include "utils/cli/table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utils/base/mem.h"

static void
cell_take(struct table *t, char *text)
{
    if (t->n_cells == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->cells = base_xrealloc(t->cells, t->cap * sizeof *t->cells);
    }
    t->cells[t->n_cells++] = text;
}

void
table_init(struct table *t, const char *const titles[])
{
    *t = (struct table){ 0 };
    for (; titles[t->n_columns]; t->n_columns++)
        cell_take(t, base_xstrdup(titles[t->n_columns]));
}

void
table_fini(struct table *t)
{
    for (size_t i = 0; i < t->n_cells; i++)
        free(t->cells[i]);
    free(t->cells);
}

void
table_text(struct table *t, const char *text)
{
    cell_take(t, base_xstrdup(text && *text ? text : "-"));
}

void
table_u64(struct table *t, uint64_t v)
{
    cell_take(t, base_xasprintf("%" PRIu64, v));
}

void
table_addf(struct table *t, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    table_text(t, text);
}

void
table_print(const struct table *t)
{
    size_t width[TABLE_COLUMNS] = { 0 }, n = t->n_columns;
    bool right[TABLE_COLUMNS] = { false };

    if (t->n_cells <= n)
        return;
    for (size_t i = 0; i < n && i < TABLE_COLUMNS; i++)
        right[i] = t->cells[i][0] == '>';
    for (size_t i = 0; i < t->n_cells; i++) {
        size_t len = strlen(t->cells[i]) - (i < n && right[i]);

        if (len > width[i % n])
            width[i % n] = len;
    }
    for (size_t i = 0; i < t->n_cells; i++) {
        const char *text = t->cells[i] + (i < n && right[i]);
        bool last = i % n == n - 1;
        int w = (int) width[i % n];

        if (right[i % n])
            printf("%*s", w, text);
        else
            printf("%-*s", last ? 0 : w, text);
        fputs(last ? "\n" : "  ", stdout);
    }
}
