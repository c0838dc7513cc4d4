/* SPDX-License-Identifier: Apache-2.0 */
/* Raw messages: fields of the header and of the commonest bodies, read before
 * or without making an object.
 *
 * What:    loads and stores at fixed offsets of a message in wire order.
 * Model:   a of_message_t points to at least the bytes that the field needs;
 *          a validated message has them.
 * Threads: any.  Owns: nothing.  Errors: none.
 * Source:  OpenFlow 1.0.0 §5.1, 1.3.5 §7.1.1, §7.3.5. */
#ifndef LOCI_OF_MESSAGE_H
#define LOCI_OF_MESSAGE_H

#include "loci/loci_base.h"
#include "weft/be.h"

typedef uint8_t *of_message_t;

static inline of_version_t
of_message_version_get(const uint8_t *msg)
{
    return (of_version_t) msg[0];
}

static inline uint8_t
of_message_type_get(const uint8_t *msg)
{
    return msg[1];
}

static inline uint16_t
of_message_length_get(const uint8_t *msg)
{
    return get_be16(msg + 2);
}

static inline void
of_message_length_set(uint8_t *msg, uint16_t length)
{
    put_be16(msg + 2, length);
}

static inline uint32_t
of_message_xid_get(const uint8_t *msg)
{
    return get_be32(msg + 4);
}

static inline void
of_message_xid_set(uint8_t *msg, uint32_t xid)
{
    put_be32(msg + 4, xid);
}

/* Of multipart (statistics) messages. */
static inline uint16_t
of_message_stats_type_get(const uint8_t *msg)
{
    return get_be16(msg + 8);
}

static inline uint16_t
of_message_stats_flags_get(const uint8_t *msg)
{
    return get_be16(msg + 10);
}

static inline uint16_t
of_message_error_type_get(const uint8_t *msg)
{
    return get_be16(msg + 8);
}

static inline uint32_t
of_message_experimenter_id_get(const uint8_t *msg)
{
    return get_be32(msg + 8);
}

static inline uint32_t
of_message_experimenter_subtype_get(const uint8_t *msg)
{
    return get_be32(msg + 12);
}

/* 1.0.0 §5.3.3: 16 bits behind the match; 1.1 and later: 8 bits. */
static inline uint16_t
of_message_flow_mod_command_get(const uint8_t *msg)
{
    return msg[0] == OF_VERSION_1_0 ? get_be16(msg + 56) : msg[25];
}

static inline uint16_t
of_message_group_mod_command_get(const uint8_t *msg)
{
    return get_be16(msg + 8);
}

#endif
