/* SPDX-License-Identifier: Apache-2.0 */
#include "utils/weftd/jw.h"

#include <inttypes.h>
#include <string.h>

/* Length of the well-formed UTF-8 sequence at 's', 0 if it is none. */
static size_t
utf8_len(const unsigned char *s)
{
    static const unsigned char first_min[4] = { 0, 0xc2, 0xe0, 0xf0 };
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

    if (s[0] > 0xf4 || s[0] < first_min[n - 1])
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)
        || (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

static void
quote(struct base_str *out, const char *text)
{
    const unsigned char *s = (const unsigned char *) text, *plain = s;

    base_str_addn(out, "\"", 1);
    while (*s) {
        size_t n = utf8_len(s);

        if (n && *s >= 0x20 && *s != '"' && *s != '\\') {
            s += n;
            continue;
        }
        base_str_addn(out, (const char *) plain, (size_t) (s - plain));
        base_str_addf(out, "\\u%04x", *s);
        plain = ++s;
    }
    base_str_addn(out, (const char *) plain, (size_t) (s - plain));
    base_str_addn(out, "\"", 1);
}

static void
member(struct jw *j, const char *key)
{
    if (j->comma)
        base_str_addn(j->out, ",", 1);
    j->comma = true;
    if (key) {
        quote(j->out, key);
        base_str_addn(j->out, ":", 1);
    }
}

void
jw_object(struct jw *j, const char *key)
{
    member(j, key);
    base_str_addn(j->out, "{", 1);
    j->comma = false;
}

void
jw_array(struct jw *j, const char *key)
{
    member(j, key);
    base_str_addn(j->out, "[", 1);
    j->comma = false;
}

void
jw_end_object(struct jw *j)
{
    base_str_addn(j->out, "}", 1);
    j->comma = true;
}

void
jw_end_array(struct jw *j)
{
    base_str_addn(j->out, "]", 1);
    j->comma = true;
}

void
jw_str(struct jw *j, const char *key, const char *value)
{
    member(j, key);
    quote(j->out, value);
}

void
jw_u64(struct jw *j, const char *key, uint64_t value)
{
    member(j, key);
    base_str_addf(j->out, "%" PRIu64, value);
}

void
jw_bool(struct jw *j, const char *key, bool value)
{
    member(j, key);
    base_str_add(j->out, value ? "true" : "false");
}

void
jw_seconds(struct jw *j, const char *key, uint64_t ns)
{
    member(j, key);
    base_str_addf(j->out, "%" PRIu64 ".%03u", ns / 1000000000,
                  (unsigned) (ns % 1000000000 / 1000000));
}

void
jw_raw(struct jw *j, const char *key, const char *json)
{
    member(j, key);
    base_str_add(j->out, json);
}
