/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/ofp_err.h"

#include <stddef.h>

#include "weft/compiler.h"

struct number {
    uint16_t type, code;
};

static const struct number newest[N_OFP_ERR] = {
#define OFP_ERROR(id, t, c, t10, c10) [OFP_ERR_##id] = { t, c },
#define OFP_ERROR_13(id, t, c)
#define OFP_ERROR_14(id, t, c)
#include "ofproto/ofp_errors.def"
#undef OFP_ERROR
#undef OFP_ERROR_13
#undef OFP_ERROR_14
};

static const struct number in_10[N_OFP_ERR] = {
#define OFP_ERROR(id, t, c, t10, c10) [OFP_ERR_##id] = { t10, c10 },
#define OFP_ERROR_13(id, t, c)
#define OFP_ERROR_14(id, t, c)
#include "ofproto/ofp_errors.def"
#undef OFP_ERROR
#undef OFP_ERROR_13
#undef OFP_ERROR_14
};

/* Where 1.3 and 1.4 differ; type 0: they do not. */
static const struct number in_13[N_OFP_ERR] = {
#define OFP_ERROR(id, t, c, t10, c10)
#define OFP_ERROR_13(id, t, c) [OFP_ERR_##id] = { t, c },
#define OFP_ERROR_14(id, t, c)
#include "ofproto/ofp_errors.def"
#undef OFP_ERROR
#undef OFP_ERROR_13
#undef OFP_ERROR_14
};

static const struct number in_14[N_OFP_ERR] = {
#define OFP_ERROR(id, t, c, t10, c10)
#define OFP_ERROR_13(id, t, c)
#define OFP_ERROR_14(id, t, c) [OFP_ERR_##id] = { t, c },
#include "ofproto/ofp_errors.def"
#undef OFP_ERROR
#undef OFP_ERROR_13
#undef OFP_ERROR_14
};

static const char *const names[N_OFP_ERR] = {
#define OFP_ERROR(id, t, c, t10, c10) [OFP_ERR_##id] = #id,
#define OFP_ERROR_13(id, t, c)
#define OFP_ERROR_14(id, t, c)
#include "ofproto/ofp_errors.def"
#undef OFP_ERROR
#undef OFP_ERROR_13
#undef OFP_ERROR_14
};

void
ofp_err_encode(enum ofp_err err, uint8_t version, uint16_t *type,
               uint16_t *code)
{
    const struct number *n = &newest[err];

    if (version == 1)
        n = &in_10[err];
    else if (version == 4 && in_13[err].type)
        n = &in_13[err];
    else if (version == 5 && in_14[err].type)
        n = &in_14[err];
    *type = n->type;
    *code = n->code;
}

const char *
ofp_err_name(enum ofp_err err)
{
    return (unsigned) err < N_OFP_ERR && names[err] ? names[err] : "?";
}
