/* SPDX-License-Identifier: Apache-2.0 */
#include "weft/drop.h"

const char *const drop_reason_names[N_DROP_REASONS] = {
#define X(id, name, help) [DROP_##id] = name,
    DROP_REASONS(X)
#undef X
};

const char *const drop_reason_help[N_DROP_REASONS] = {
#define X(id, name, help) [DROP_##id] = help,
    DROP_REASONS(X)
#undef X
};
