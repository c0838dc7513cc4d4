/* SPDX-License-Identifier: Apache-2.0 */
#include "utils/weftd/rpc_scan.h"

size_t
rpc_scan(struct rpc_scan *s, const char *text, size_t len)
{
    for (; s->at < len; s->at++) {
        char c = text[s->at];

        if (s->in_string) {
            if (s->escaped)
                s->escaped = false;
            else if (c == '\\')
                s->escaped = true;
            else if (c == '"')
                s->in_string = false;
        } else if (c == '"') {
            s->in_string = true;
        } else if (c == '{' || c == '[') {
            s->depth++;
        } else if (c == '}' || c == ']') {
            s->depth -= s->depth > 0;
        }
        if (!s->depth && !s->in_string) {
            size_t end = s->at + 1;

            *s = (struct rpc_scan){ 0 };
            return end;
        }
    }
    return 0;
}
