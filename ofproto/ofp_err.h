/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's refusals.
 *
 * What:    enum ofp_err travels from wherever a message is refused up to the
 *          session, the one place that answers with an ERROR message.
 * Model:   a value names a refusal; ofp_errors.def has its numbers in each
 *          version, looked up when a session is answered.
 * Threads: any.  Owns: nothing.
 * Source:  OpenFlow 1.0.0 §5.4.4, 1.3.5 §7.4.4, 1.4.1 §7.5.4. */
#ifndef OFP_ERR_H
#define OFP_ERR_H

#include <stdint.h>

enum ofp_err {
    OFP_OK,
#define OFP_ERROR(id, type, code, type10, code10) OFP_ERR_##id,
#define OFP_ERROR_13(id, type, code)
#define OFP_ERROR_14(id, type, code)
#include "ofproto/ofp_errors.def"
#undef OFP_ERROR
#undef OFP_ERROR_13
#undef OFP_ERROR_14
    N_OFP_ERR
};

#define OFP_ET_EXPERIMENTER 0xffff
#define OFP_ONF_EXPERIMENTER 0x4f4e4600u

/* Type and code for the wire version.  Type OFP_ET_EXPERIMENTER: 'code' is
 * the number of an error of OFP_ONF_EXPERIMENTER. */
void ofp_err_encode(enum ofp_err, uint8_t version, uint16_t *type,
                    uint16_t *code);
/* "REQ_BAD_TYPE"; "?" for an unknown one. */
const char *ofp_err_name(enum ofp_err);

#endif
