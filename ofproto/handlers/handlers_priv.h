/* SPDX-License-Identifier: Apache-2.0 */
/* Prototypes of the handlers, made from the list.
 * Threads: control.  Owns: nothing; message and session are lent.
 * Errors: enum ofp_err, answered by session.c. */
#ifndef OFP_HANDLERS_PRIV_H
#define OFP_HANDLERS_PRIV_H

#include "ofproto/agent_priv.h"

#define OFP_HANDLER(file, fn, object, slave)                                  \
    enum ofp_err ofp_handle_##fn(struct ofp_session *, of_object_t *);
#include "ofproto/handlers/handlers.def"
#undef OFP_HANDLER

#endif
