/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's refusals.
 *
 * What:    enum ofp_err travels from wherever a message is refused up to the
 *          session, the one place that answers with an ERROR message.
 * Model:   a value holds OpenFlow 1.3's type and code; OpenFlow 1.0's are
 *          looked up when a 1.0 session is answered.
 * Threads: any.  Owns: nothing.
 * Source:  OpenFlow 1.3.5 §7.5.4, OpenFlow 1.0.0 §5.4.4. */
#ifndef OFP_ERR_H
#define OFP_ERR_H

#include <stdint.h>

/* X(id, 1.3 type, 1.3 code, 1.0 type, 1.0 code) */
#define OFP_ERRORS(X)                                                         \
    X(HELLO_INCOMPATIBLE, 0, 0, 0, 0)                                         \
    X(REQ_BAD_VERSION, 1, 0, 1, 0)                                            \
    X(REQ_BAD_TYPE, 1, 1, 1, 1)                                               \
    X(REQ_BAD_MULTIPART, 1, 2, 1, 2)                                          \
    X(REQ_BAD_EXPERIMENTER, 1, 3, 1, 3)                                       \
    X(REQ_BAD_EXP_TYPE, 1, 4, 1, 4)                                           \
    X(REQ_EPERM, 1, 5, 1, 5)                                                  \
    X(REQ_BAD_LEN, 1, 6, 1, 6)                                                \
    X(REQ_BUFFER_UNKNOWN, 1, 8, 1, 8)                                         \
    X(REQ_BAD_TABLE_ID, 1, 9, 1, 5)                                           \
    X(REQ_IS_SLAVE, 1, 10, 1, 5)                                              \
    X(REQ_BAD_PORT, 1, 11, 1, 5)                                              \
    X(REQ_BAD_PACKET, 1, 12, 1, 6)                                            \
    X(REQ_MULTIPART_OVERFLOW, 1, 13, 1, 6)                                    \
    X(ACT_BAD_TYPE, 2, 0, 2, 0)                                               \
    X(ACT_BAD_LEN, 2, 1, 2, 1)                                                \
    X(ACT_BAD_EXPERIMENTER, 2, 2, 2, 2)                                       \
    X(ACT_BAD_OUT_PORT, 2, 4, 2, 4)                                           \
    X(ACT_BAD_ARGUMENT, 2, 5, 2, 5)                                           \
    X(ACT_TOO_MANY, 2, 7, 2, 7)                                               \
    X(ACT_BAD_QUEUE, 2, 8, 2, 8)                                              \
    X(ACT_BAD_OUT_GROUP, 2, 9, 2, 4)                                          \
    X(ACT_MATCH_INCONSISTENT, 2, 10, 2, 5)                                    \
    X(ACT_BAD_SET_TYPE, 2, 13, 2, 5)                                          \
    X(ACT_BAD_SET_LEN, 2, 14, 2, 1)                                           \
    X(ACT_BAD_SET_ARGUMENT, 2, 15, 2, 5)                                      \
    X(ACT_BAD_SET_MASK, 2, 16, 2, 5)                                          \
    X(INS_UNKNOWN, 3, 0, 2, 0)                                                \
    X(INS_UNSUPPORTED, 3, 1, 2, 0)                                            \
    X(INS_BAD_TABLE_ID, 3, 2, 2, 5)                                           \
    X(INS_BAD_EXPERIMENTER, 3, 5, 2, 2)                                       \
    X(INS_BAD_LEN, 3, 7, 2, 1)                                                \
    X(MATCH_BAD_TYPE, 4, 0, 1, 6)                                             \
    X(MATCH_BAD_LEN, 4, 1, 1, 6)                                              \
    X(MATCH_BAD_WILDCARDS, 4, 5, 3, 5)                                        \
    X(MATCH_BAD_FIELD, 4, 6, 3, 5)                                            \
    X(MATCH_BAD_VALUE, 4, 7, 3, 5)                                            \
    X(MATCH_BAD_MASK, 4, 8, 3, 5)                                             \
    X(MATCH_BAD_PREREQ, 4, 9, 3, 5)                                           \
    X(MATCH_DUP_FIELD, 4, 10, 3, 5)                                           \
    X(FLOW_UNKNOWN, 5, 0, 3, 5)                                               \
    X(FLOW_TABLE_FULL, 5, 1, 3, 0)                                            \
    X(FLOW_BAD_TABLE_ID, 5, 2, 3, 5)                                          \
    X(FLOW_OVERLAP, 5, 3, 3, 1)                                               \
    X(FLOW_BAD_COMMAND, 5, 6, 3, 4)                                           \
    X(FLOW_BAD_FLAGS, 5, 7, 3, 5)                                             \
    X(GROUP_UNKNOWN_GROUP, 6, 8, 1, 1)                                        \
    X(GROUP_BAD_TYPE, 6, 10, 1, 1)                                            \
    X(GROUP_INVALID_GROUP, 6, 1, 1, 1)                                        \
    X(GROUP_BAD_COMMAND, 6, 11, 1, 1)                                         \
    X(PORT_BAD_PORT, 7, 0, 4, 0)                                              \
    X(PORT_BAD_HW_ADDR, 7, 1, 4, 1)                                           \
    X(PORT_BAD_CONFIG, 7, 2, 4, 0)                                            \
    X(PORT_BAD_ADVERTISE, 7, 3, 4, 0)                                         \
    X(TABLE_MOD_BAD_TABLE, 8, 0, 1, 1)                                        \
    X(TABLE_MOD_BAD_CONFIG, 8, 1, 1, 1)                                       \
    X(QUEUE_BAD_PORT, 9, 0, 5, 0)                                             \
    X(QUEUE_BAD_QUEUE, 9, 1, 5, 1)                                            \
    X(CONFIG_BAD_FLAGS, 10, 0, 1, 6)                                          \
    X(ROLE_STALE, 11, 0, 1, 5)                                                \
    X(ROLE_BAD_ROLE, 11, 2, 1, 5)                                             \
    X(METER_UNKNOWN, 12, 0, 1, 1)                                             \
    X(METER_EXISTS, 12, 1, 1, 1)                                              \
    X(METER_INVALID_METER, 12, 2, 1, 1)                                       \
    X(METER_UNKNOWN_METER, 12, 3, 1, 1)                                       \
    X(METER_BAD_COMMAND, 12, 4, 1, 1)                                         \
    X(METER_BAD_FLAGS, 12, 5, 1, 1)                                           \
    X(METER_BAD_RATE, 12, 6, 1, 1)                                            \
    X(METER_BAD_BURST, 12, 7, 1, 1)                                           \
    X(METER_BAD_BAND, 12, 8, 1, 1)                                            \
    X(METER_BAD_BAND_VALUE, 12, 9, 1, 1)                                      \
    X(METER_OUT_OF_METERS, 12, 10, 1, 1)                                      \
    X(METER_OUT_OF_BANDS, 12, 11, 1, 1)                                       \
    X(TABLE_FEATURES_BAD_TABLE, 13, 0, 1, 2)                                  \
    X(TABLE_FEATURES_EPERM, 13, 5, 1, 5)

#define OFP_ERR_FLAG 0x01000000 /* So that type 0, code 0 is not OFP_OK. */
#define OFP_ERR_MAKE(type, code) (OFP_ERR_FLAG | (type) << 16 | (code))

enum ofp_err {
    OFP_OK = 0,
#define X(id, type, code, type10, code10)                                     \
    OFP_ERR_##id = OFP_ERR_MAKE(type, code),
    OFP_ERRORS(X)
#undef X
};

/* Type and code for the wire; 'version' is 1 or 4. */
void ofp_err_encode(enum ofp_err, uint8_t version, uint16_t *type,
                    uint16_t *code);
/* "REQ_BAD_TYPE"; "?" for an unknown one. */
const char *ofp_err_name(enum ofp_err);

#endif
