/* SPDX-License-Identifier: Apache-2.0 */
/* Ground of the OpenFlow bindings: versions, error codes, simple types.
 *
 * What:    the types of LOCI's API that depend on no protocol description.
 * Model:   addresses are bytes in wire order; IPv4 addresses, port numbers
 *          and every other integer are in host order.
 * Threads: any.  Owns: nothing.
 * Errors:  enum of_error_codes, 0 and negative.
 * Source:  names and numbers as in LOCI, for source compatibility. */
#ifndef LOCI_BASE_H
#define LOCI_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "weft/compiler.h"

/* Wire versions. */
typedef enum of_version_e {
    OF_VERSION_UNKNOWN = 0,
    OF_VERSION_1_0 = 1,
    OF_VERSION_1_1 = 2,
    OF_VERSION_1_2 = 3,
    OF_VERSION_1_3 = 4,
    OF_VERSION_1_4 = 5,
    OF_VERSION_1_5 = 6,
    OF_VERSION_COUNT
} of_version_t;

/* Bit v is set when wire version v was generated. */
extern const uint32_t of_versions;
#define OF_VERSION_OKAY(v) \
    ((unsigned) (v) < OF_VERSION_COUNT && (of_versions >> (v) & 1))

/* Results. */
typedef enum of_error_codes_e {
    OF_ERROR_NONE = 0,
    OF_ERROR_RESOURCE = -1, /* No memory, or more than 65535 bytes. */
    OF_ERROR_PARAM = -2,
    OF_ERROR_VERSION = -3,
    OF_ERROR_RANGE = -4,    /* Behind the end of a list. */
    OF_ERROR_COMPAT = -5,   /* The version cannot say it. */
    OF_ERROR_PARSE = -6,
    OF_ERROR_INIT = -7,
    OF_ERROR_UNKNOWN = -8,
} of_error_codes_t;
extern const char *const of_error_strings[]; /* Indexed by -code. */

#define OF_MESSAGE_HEADER_LENGTH 8
#define OF_WIRE_BUFFER_MAX_LENGTH 65535

typedef struct of_object_s of_object_t;
typedef enum of_object_id_e of_object_id_t;

typedef struct of_mac_addr_s {
    uint8_t addr[6];
} of_mac_addr_t;
typedef uint32_t of_ipv4_t; /* Host order. */
typedef struct of_ipv6_s {
    uint8_t addr[16];
} of_ipv6_t;
/* 32 bits in every version; reserved ports of 1.0 are 0xffffffXX. */
typedef uint32_t of_port_no_t;
typedef uint16_t of_fm_cmd_t;
typedef uint64_t of_wc_bmap_t;
typedef uint64_t of_match_bmap_t;

/* 'hi' comes first on the wire. */
typedef struct of_uint128_s {
    uint64_t hi, lo;
} of_uint128_t;
typedef of_uint128_t of_bitmap_128_t;
typedef of_uint128_t of_checksum_128_t;
typedef struct of_bitmap_512_s {
    uint64_t words[8];
} of_bitmap_512_t;

/* Zero-padded; a full one has no terminator. */
typedef char of_port_name_t[16];
typedef char of_table_name_t[32];
typedef char of_desc_str_t[256];
typedef char of_serial_num_t[32];
typedef char of_controller_uri_t[32];
typedef char of_str64_t[64];
typedef char of_str32_t[32];
typedef char of_str6_t[6];

/* Bytes inside a message's buffer: gone when the message grows or dies. */
typedef struct of_octets_s {
    uint8_t *data;
    int bytes;
} of_octets_t;

/* Where and why a message is refused. */
struct of_parse_err {
    uint32_t offset;   /* From the start of the message. */
    int object_id;     /* Class being read, OF_OBJECT_INVALID if none. */
    uint16_t type;     /* OFPET_*, in the numbers of the message's version. */
    uint16_t code;     /* Code of that type. */
    const char *text;  /* What is wrong, for the log. */
};

/* printf-like sink of the printers: bytes written, or negative. */
typedef int (*loci_writer_f)(void *cookie, const char *fmt, ...)
    WEFT_PRINTF(2, 3);

/* Receives misuse of the API, such as a getter of an absent member.  NULL by
 * default: silence.  Set once, before threads use the bindings. */
extern void (*loci_logger)(const char *text);

#endif
