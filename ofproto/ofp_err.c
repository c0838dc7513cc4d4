/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/ofp_err.h"

#include <stddef.h>

#include "weft/compiler.h"

static const struct {
    enum ofp_err err;
    uint16_t type10, code10;
    const char *name;
} errors[] = {
#define X(id, type, code, t10, c10) { OFP_ERR_##id, t10, c10, #id },
    OFP_ERRORS(X)
#undef X
};

void
ofp_err_encode(enum ofp_err err, uint8_t version, uint16_t *type,
               uint16_t *code)
{
    *type = (unsigned) err >> 16 & 0xff;
    *code = (uint16_t) err;
    for (size_t i = 0; version == 1 && i < WEFT_ARRAY_LEN(errors); i++)
        if (errors[i].err == err) {
            *type = errors[i].type10;
            *code = errors[i].code10;
            break;
        }
}

const char *
ofp_err_name(enum ofp_err err)
{
    for (size_t i = 0; i < WEFT_ARRAY_LEN(errors); i++)
        if (errors[i].err == err)
            return errors[i].name;
    return "?";
}
