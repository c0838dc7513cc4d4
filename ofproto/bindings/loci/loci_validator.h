/* SPDX-License-Identifier: Apache-2.0 */
/* Is a message well-formed?
 *
 * What:    walks a message once; accepts it only if no accessor, iteration or
 *          printer can leave its bytes.
 * Model:   every length lies inside its container and covers its class; lists
 *          end exactly; known OXMs have their field's length; nesting is at
 *          most 8 deep.  Unknown actions, instructions, properties, OXMs and
 *          experimenters are well-formed: what they mean is not asked here.
 * Threads: any.  Owns: nothing.
 * Errors:  0 or -1; 'err' says where, and with which error to answer.
 * Cost:    linear; about 150 ns for a flow-mod.
 * Source:  OpenFlow 1.3.5 §7.4.4 for the answers. */
#ifndef LOCI_VALIDATOR_H
#define LOCI_VALIDATOR_H

#include "loci/loci_base.h"
#include "loci/of_message.h"
#include "weft/compiler.h"

WEFT_MUST_CHECK int of_validate_message(const uint8_t *msg, int len);
WEFT_MUST_CHECK int of_validate_message_ex(const uint8_t *msg, int len,
                                           struct of_parse_err *err);

/* Version negotiation, OpenFlow 1.3.5 §6.3.1: the peer's hello may be of any
 * version.  'ours' has bit v set for each wire version v we speak.  Returns
 * the wire version to use, or -1 when there is none in common or the bytes
 * are no hello; 'err' then says how to answer (HELLO_FAILED, INCOMPATIBLE, or
 * BAD_REQUEST, BAD_LEN). */
WEFT_MUST_CHECK int of_hello_negotiate(const uint8_t *msg, int len,
                                       uint32_t ours,
                                       struct of_parse_err *err);

#endif
