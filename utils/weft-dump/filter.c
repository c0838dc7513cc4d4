/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utils/base/mem.h"
#include "utils/base/str.h"
#include "utils/weft-dump/dump.h"

/* ----------------------------------------------------------------- items */

static const json_t *
item_member(const json_t *item, const char *path)
{
    const char *dot = strchr(path, '.');
    char first[32];

    if (!dot)
        return json_object_get(item, path);
    snprintf(first, sizeof first, "%.*s", (int) (dot - path), path);
    return item_member(json_object_get(item, first), dot + 1);
}

const char *
item_text(const json_t *item, const char *name)
{
    const char *s = json_string_value(item_member(item, name));

    return s ? s : "";
}

uint64_t
item_u64(const json_t *item, const char *path)
{
    return (uint64_t) json_integer_value(item_member(item, path));
}

/* Any scalar as text, the way a user would type it. */
static void
scalar_text(const json_t *v, char *buf, size_t size)
{
    switch (json_typeof(v)) {
    case JSON_STRING:
        snprintf(buf, size, "%s", json_string_value(v));
        break;
    case JSON_INTEGER:
        snprintf(buf, size, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
        break;
    case JSON_REAL:
        snprintf(buf, size, "%.3f", json_real_value(v));
        break;
    default:
        snprintf(buf, size, "%s", json_is_true(v) ? "true" : "false");
    }
}

char *
item_identity(const json_t *item, const char *members)
{
    char *names = base_xstrdup(members), *save, text[1024];
    struct base_str id = BASE_STR_INIT;

    for (char *n = strtok_r(names, " ", &save); n;
         n = strtok_r(NULL, " ", &save)) {
        const json_t *v = json_object_get(item, n);

        if (v)
            scalar_text(v, text, sizeof text);
        base_str_addf(&id, "%s\n", v ? text : "");
    }
    free(names);
    return base_str_steal(&id);
}

double
item_rate(const struct dump *d, const json_t *item, const char *path)
{
    char *id;
    const json_t *was;

    if (!d->before || d->seconds <= 0)
        return -1;
    id = item_identity(item, d->identity);
    was = json_object_get(d->before, id);
    free(id);
    if (!was || item_u64(item, path) < item_u64(was, path))
        return -1;
    return (double) (item_u64(item, path) - item_u64(was, path)) / d->seconds;
}

/* ---------------------------------------------------------------- filter */

/* Is 'word' one of the comma-separated words of 'match'? */
static bool
match_has(const char *match, const char *word)
{
    size_t n = strlen(word);

    for (const char *p = match; *p; p += strcspn(p, ","), p += *p == ',')
        if (strcspn(p, ",") == n && !strncmp(p, word, n))
            return true;
    return false;
}

static bool
word_selects(char *word, const json_t *item)
{
    const char *match = json_string_value(json_object_get(item, "match"));
    char *op = strpbrk(word, "=~!"), text[1024];
    const json_t *v;
    bool not, part;

    if (!op)
        return match && match_has(match, word);
    not = *op == '!' && op[1] == '=';
    part = *op == '~';
    char kept = *op;
    *op = '\0';
    v = item_member(item, word);
    *op = kept;
    if (!v || json_is_object(v) || json_is_array(v))
        return match && match_has(match, word);
    scalar_text(v, text, sizeof text);
    op += not ? 2 : 1;
    return part ? strstr(text, op) != NULL : !strcmp(text, op) != not;
}

bool
filter_selects(const char *filter, const json_t *item)
{
    char *words = base_xstrdup(filter), *save;
    bool yes = true;

    for (char *w = strtok_r(words, ", ", &save); w && yes;
         w = strtok_r(NULL, ", ", &save))
        yes = word_selects(w, item);
    free(words);
    return yes;
}
