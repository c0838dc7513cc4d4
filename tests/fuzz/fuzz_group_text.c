/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: group text, as each command reads it.
 * Properties: read or refused with a message; what was read and printed is
 * read again, and prints as the same text. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ofproto/text/group_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
    if (!ok)
        abort();
}

static void
check(const char *text, enum ofp_group_command command)
{
    struct base_str s = BASE_STR_INIT, again = BASE_STR_INIT;
    struct ofp_group_text a, b;
    struct weft_err e = { "" };
    int err = ofp_text_parse_group(text, command, &a, &e);

    if (err) {
        must(err == -EINVAL && e.text[0]);
        return;
    }
    must(a.mod.config.n_buckets == a.n_mem);
    ofp_text_add_group(&s, a.mod.group, &a.mod.config, true);
    if (a.mod.group <= DP_GROUP_MAX && s.len <= OFP_TEXT_MAX) {
        must(!ofp_text_parse_group(base_str_cstr(&s), OFP_GC_ADD, &b, &e));
        ofp_text_add_group(&again, b.mod.group, &b.mod.config, true);
        must(!strcmp(base_str_cstr(&s), base_str_cstr(&again)));
        ofp_group_text_fini(&b);
    }
    ofp_group_text_fini(&a);
    base_str_fini(&s);
    base_str_fini(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    for (unsigned c = OFP_GC_ADD; c <= OFP_GC_ADD_OR_MODIFY; c++)
        check(text, (enum ofp_group_command) c);
    free(text);
    return 0;
}
