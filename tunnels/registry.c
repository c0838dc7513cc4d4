/* SPDX-License-Identifier: Apache-2.0 */
/* Tunnel types by name and by number. */
#include "weft/tunnel.h"

#include <string.h>

#define TNL_TYPE(n) extern const struct tnl_ops tnl_##n##_ops;
#include "tunnels/tunnel_types.def"
#undef TNL_TYPE

static const struct tnl_ops *const tnl_types[] = {
#define TNL_TYPE(n) &tnl_##n##_ops,
#include "tunnels/tunnel_types.def"
#undef TNL_TYPE
};

const struct tnl_ops *
tnl_type_by_index(unsigned i)
{
    return i < WEFT_ARRAY_LEN(tnl_types) ? tnl_types[i] : NULL;
}

const struct tnl_ops *
tnl_type_by_name(const char *name)
{
    for (unsigned i = 0; i < WEFT_ARRAY_LEN(tnl_types); i++)
        if (!strcmp(tnl_types[i]->name, name))
            return tnl_types[i];
    return NULL;
}
