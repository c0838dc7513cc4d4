/* SPDX-License-Identifier: Apache-2.0 */
#include "utils/cli/flow.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "utils/base/mem.h"

#define PRIORITY_DEFAULT 32768 /* ovs-ofctl leaves it out. */

static const char *
text(const json_t *f, const char *name)
{
    const char *s = json_string_value(json_object_get(f, name));

    return s ? s : "";
}

static json_int_t
number(const json_t *f, const char *name)
{
    return json_integer_value(json_object_get(f, name));
}

/* -------------------------------------------------------------------- lines */

static void
add_attributes(struct base_str *s, const json_t *f, const char *comma)
{
    static const char *const names[] = { "idle_timeout", "hard_timeout",
                                         "importance" };
    json_t *v;
    size_t i;

    for (i = 0; i < WEFT_ARRAY_LEN(names); i++)
        if (number(f, names[i]))
            base_str_addf(s, "%s=%" JSON_INTEGER_FORMAT "%s", names[i],
                          number(f, names[i]), comma);
    json_array_foreach(json_object_get(f, "flags"), i, v)
        base_str_addf(s, "%s ", json_string_value(v));
}

void
cli_flow_line(struct base_str *s, const json_t *f, bool stats, double rate)
{
    const char *match = text(f, "match");

    base_str_addf(s, " cookie=%s, ", text(f, "cookie"));
    if (stats)
        base_str_addf(s, "duration=%.3fs, ",
                      json_number_value(json_object_get(f, "duration")));
    base_str_addf(s, "table=%" JSON_INTEGER_FORMAT ", ", number(f, "table"));
    if (stats)
        base_str_addf(s, "n_packets=%" JSON_INTEGER_FORMAT
                      ", n_bytes=%" JSON_INTEGER_FORMAT ", ",
                      number(f, "packets"), number(f, "bytes"));
    if (rate >= 0)
        base_str_addf(s, "pps=%.0f, ", rate);
    add_attributes(s, f, ", ");
    if (number(f, "priority") != PRIORITY_DEFAULT)
        base_str_addf(s, "priority=%" JSON_INTEGER_FORMAT "%s",
                      number(f, "priority"), *match ? "," : " ");
    base_str_addf(s, "%s%sactions=%s", match, *match ? " " : "",
                  text(f, "actions"));
}

void
cli_flow_key(struct base_str *s, const json_t *f)
{
    const char *match = text(f, "match");

    if (number(f, "table"))
        base_str_addf(s, "table=%" JSON_INTEGER_FORMAT " ",
                      number(f, "table"));
    if (number(f, "priority") != PRIORITY_DEFAULT)
        base_str_addf(s, "priority=%" JSON_INTEGER_FORMAT "%s",
                      number(f, "priority"), *match ? "," : "");
    base_str_add(s, match);
}

void
cli_flow_body(struct base_str *s, const json_t *f)
{
    if (strcmp(text(f, "cookie"), "0x0"))
        base_str_addf(s, "cookie=%s ", text(f, "cookie"));
    add_attributes(s, f, " ");
    base_str_addf(s, "actions=%s", text(f, "actions"));
}

/* -------------------------------------------------------------------- order */

struct order {
    const char *member;
    bool down;
};

/* Text by strcmp, numbers by value. */
static int
compare_member(const json_t *a, const json_t *b, const char *member)
{
    const json_t *x = json_object_get(a, member);
    const json_t *y = json_object_get(b, member);
    double m = json_number_value(x), n = json_number_value(y);

    if (json_is_string(x) && json_is_string(y))
        return strcmp(json_string_value(x), json_string_value(y));
    return m < n ? -1 : m > n;
}

static int
compare(const void *pa, const void *pb, void *arg)
{
    const json_t *a = *(const json_t *const *) pa;
    const json_t *b = *(const json_t *const *) pb;
    const struct order *o = arg;
    int c = o->member ? compare_member(a, b, o->member) : 0;

    if (c)
        return o->down ? -c : c;
    c = compare_member(a, b, "bridge");
    if (!c)
        c = compare_member(a, b, "table");
    if (!c)
        c = -compare_member(a, b, "priority");
    return c ? c : compare_member(a, b, "match");
}

const json_t **
cli_flows_sorted(const json_t *flows, const char *member, bool down,
                 size_t *n)
{
    struct order o = { member, down };
    const json_t **list;
    json_t *v;
    size_t i;

    *n = json_array_size(flows);
    list = base_xcalloc(*n + 1, sizeof list[0]);
    json_array_foreach(flows, i, v)
        list[i] = v;
    qsort_r(list, *n, sizeof list[0], compare, &o);
    return list;
}
