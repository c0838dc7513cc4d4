/* SPDX-License-Identifier: Apache-2.0 */
#include "utils/cli/items.h"

#include <string.h>

#define IN_RESULT 2 /* Depth of the result's members, */
#define IN_LIST 3   /* and of the list's items. */

/* A byte of a string, the closing quote included. */
static void
string_byte(struct cli_items *s, char c)
{
    if (s->escaped)
        s->escaped = false;
    else if (c == '\\')
        s->escaped = true;
    else if (c == '"')
        s->in_string = false;
    if (s->in_string && s->depth == IN_RESULT)
        base_str_addn(&s->name, &c, 1);
}

/* True: an item ends with this byte. */
static bool
plain_byte(struct cli_items *s, char c)
{
    switch (c) {
    case '"':
        s->in_string = true;
        if (s->depth == IN_RESULT)
            base_str_clear(&s->name);
        return false;
    case '{':
    case '[':
        s->depth++;
        if (s->depth == IN_LIST && c == '[' && s->list
            && !strcmp(base_str_cstr(&s->name), s->list))
            s->in_list = true;
        return false;
    case '}':
    case ']':
        s->depth -= s->depth > 0;
        s->done |= !s->depth;
        if (s->depth < IN_LIST)
            s->in_list = false;
        return s->in_list && s->depth == IN_LIST;
    default:
        return false;
    }
}

bool
cli_items_feed(struct cli_items *s, const char *p, size_t len,
               cli_items_cb *cb, void *arg)
{
    const char *end = p + len, *from = p; /* Bytes not yet put anywhere. */

    for (; p < end && !s->done; p++) {
        bool was_item = s->in_list && s->depth > IN_LIST, ended = false;

        if (s->in_string)
            string_byte(s, *p);
        else
            ended = plain_byte(s, *p);

        bool item = s->in_list && s->depth > IN_LIST;
        if (!was_item && item) { /* Commas between items go. */
            from = p;
        } else if (ended) {
            base_str_addn(&s->item, from, (size_t) (p + 1 - from));
            bool more = cb(arg, base_str_cstr(&s->item), s->item.len);
            base_str_clear(&s->item);
            from = p + 1;
            if (!more)
                return false;
        } else if (!item && !(s->in_list && *p != '[')) {
            base_str_addn(&s->rest, p, 1);
        }
    }
    if (s->in_list && s->depth > IN_LIST)
        base_str_addn(&s->item, from, (size_t) (end - from));
    return true;
}

void
cli_items_fini(struct cli_items *s)
{
    base_str_fini(&s->rest);
    base_str_fini(&s->item);
    base_str_fini(&s->name);
}
