/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of weft-dump.
 * What:    main.c asks and repeats, filter.c selects, print.c shows.
 * Model:   an answer's items are objects of weft-rpc(7); with --watch the
 *          former answer is kept, and counters become rates.
 * Threads: one.
 * Owns:    nothing. */
#ifndef DUMP_H
#define DUMP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* What a printer gets beside the items. */
struct dump {
    const json_t *result; /* The whole answer. */
    const json_t *items;  /* Array, filtered. */
    const json_t *before; /* Identity -> item of the former answer, or NULL. */
    const char *identity; /* Members that make the identity. */
    double seconds;       /* Between both answers. */
};

typedef void dump_printer(const struct dump *);
#define DUMP(name, list, identity, print, help) dump_printer print;
#include "utils/weft-dump/dumps.def"
#undef DUMP

/* Text, number at a path such as "stats.rx_packets"; "" and 0 if it is not
 * there. */
const char *item_text(const json_t *item, const char *name);
uint64_t item_u64(const json_t *item, const char *path);
/* Identity of an item; the caller frees. */
char *item_identity(const json_t *item, const char *members);
/* Growth of a counter per second since the former answer; < 0: unknown. */
double item_rate(const struct dump *, const json_t *item, const char *path);

/* NAME=VALUE, NAME!=VALUE, NAME~PART on members; for items with a "match",
 * anything else is a word of the match.  Several words, separated by commas
 * or blanks, must all hold. */
bool filter_selects(const char *filter, const json_t *item);

#endif
