/* SPDX-License-Identifier: Apache-2.0 */
#include "weft/flow_key.h"

const struct flow_field flow_fields[N_FLOW_FIELDS] = {
#define FLOW_FIELD(id, nm, cls, num, kn, nbits, member, w, sh, mask, set,     \
                   pre, f)                                                    \
    [FLOW_F_##id] = { .name = nm,                                             \
                      .oxm_class = cls,                                       \
                      .oxm_field = num,                                       \
                      .known = FLOW_KNOWN_##kn,                               \
                      .bits = nbits,                                          \
                      .offset = offsetof(struct flow_key, member),            \
                      .width = w,                                             \
                      .shift = sh,                                            \
                      .maskable = mask,                                       \
                      .settable = set,                                        \
                      .prereq = FLOW_PRE_##pre,                               \
                      .fmt = FLOW_FMT_##f },
#include "weft/fields.def"
#undef FLOW_FIELD
};

#define FLOW_FIELD(id, nm, cls, num, kn, nbits, member, w, sh, mask, set,     \
                   pre, f)                                                    \
    static_assert(sizeof(((struct flow_key *) 0)->member) == (w)              \
                      && (nbits) + (sh) <= 8 * (w),                           \
                  "field does not fit its member");
#include "weft/fields.def"
#undef FLOW_FIELD
