/* SPDX-License-Identifier: Apache-2.0 */
/* Writes JSON text member by member.
 * What:    answers of many thousand flows without a tree in memory.
 * Model:   open and close objects and arrays; commas are taken care of.
 *          'key' is NULL inside an array.  Text that is not UTF-8 is escaped
 *          byte by byte as Latin-1, so that the result always parses.
 * Threads: one owner.  Owns: nothing, it appends to the caller's string. */
#ifndef WEFTD_JW_H
#define WEFTD_JW_H

#include <stdbool.h>
#include <stdint.h>

#include "utils/base/str.h"

struct jw {
    struct base_str *out;
    bool comma; /* Before the next member. */
};

#define JW_INIT(str) { (str), false }

void jw_object(struct jw *, const char *key);
void jw_array(struct jw *, const char *key);
void jw_end_object(struct jw *);
void jw_end_array(struct jw *);
void jw_str(struct jw *, const char *key, const char *value);
void jw_u64(struct jw *, const char *key, uint64_t value);
void jw_bool(struct jw *, const char *key, bool value);
/* Seconds with three digits. */
void jw_seconds(struct jw *, const char *key, uint64_t ns);
/* JSON text as it is. */
void jw_raw(struct jw *, const char *key, const char *json);

#endif
