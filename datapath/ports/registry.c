/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/port.h"

#include <string.h>

#define PORT_TYPE(n) extern const struct port_ops port_##n##_ops;
#include "datapath/ports/port_types.def"
#undef PORT_TYPE

static const struct port_ops *const port_types[] = {
#define PORT_TYPE(n) &port_##n##_ops,
#include "datapath/ports/port_types.def"
#undef PORT_TYPE
};

const struct port_ops *
port_type_by_name(const char *name)
{
    for (size_t i = 0; i < WEFT_ARRAY_LEN(port_types); i++)
        if (!strcmp(port_types[i]->name, name))
            return port_types[i];
    return NULL;
}

const struct port_ops *
port_type_by_index(unsigned i)
{
    return i < WEFT_ARRAY_LEN(port_types) ? port_types[i] : NULL;
}
