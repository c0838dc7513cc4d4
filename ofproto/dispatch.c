/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/handlers/handlers_priv.h"

static const struct ofp_handler handlers[OF_OBJECT_COUNT] = {
#define OFP_HANDLER(file, fn, object, slave)                                  \
    [OF_##object] = { #fn, ofp_handle_##fn, slave },
#include "ofproto/handlers/handlers.def"
#undef OFP_HANDLER
};

const struct ofp_handler *
ofp_handler_find(of_object_id_t id)
{
    return (int) id >= 0 && id < OF_OBJECT_COUNT && handlers[id].handle
               ? &handlers[id]
               : NULL;
}
