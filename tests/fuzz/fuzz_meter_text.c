/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: meter text.
 * Properties: read or refused with a message; what was read and printed is
 * read again as the same. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ofproto/text/meter_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
    if (!ok)
        abort();
}

static void
check_meter(const char *text)
{
    struct base_str s = BASE_STR_INIT;
    struct ofp_meter_spec a, b;
    struct weft_err e = { "" };
    int err = ofp_text_parse_meter(text, &a, &e);

    if (err) {
        must(err == -EINVAL && e.text[0]);
        return;
    }
    must(a.id && a.n_bands && a.n_bands <= DP_METER_BANDS);
    ofp_text_add_meter(&s, &a);
    must(!ofp_text_parse_meter(base_str_cstr(&s), &b, &e));
    must(!memcmp(&a, &b, sizeof a));
    base_str_fini(&s);
}

static void
check_id(const char *text)
{
    struct weft_err e = { "" };
    uint32_t id = 0;
    int err = ofp_text_parse_meter_id(text, &id, &e);

    must(err ? err == -EINVAL && e.text[0] : id != 0);
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
    check_meter(text);
    check_id(text);
    free(text);
    return 0;
}
