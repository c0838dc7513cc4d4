/* SPDX-License-Identifier: Apache-2.0 */
/* Aligned columns for people.
 * Model:   rows of cells; a column is as wide as its widest cell; numbers
 *          are set to the right.  An empty table prints nothing.
 * Threads: one.  Owns: copies of the cells. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "weft/compiler.h"

#define TABLE_COLUMNS 24

struct table {
    size_t n_columns, n_cells, cap;
    char **cells;
};

/* Titles "NAME", or ">NAME" for a column of numbers; ends with NULL. */
void table_init(struct table *, const char *const titles[]);
void table_fini(struct table *);
void table_text(struct table *, const char *);
void table_u64(struct table *, uint64_t);
void table_addf(struct table *, const char *fmt, ...) WEFT_PRINTF(2, 3);
void table_print(const struct table *);

#endif
