/* SPDX-License-Identifier: Apache-2.0 */
/* Byte order.
 * What:   types that say "network byte order", unaligned loads and stores.
 * Model:  be16/be32/be64 hold a value in network byte order; get_beN/put_beN
 *         convert between memory in network order and a host integer.
 * Errors: none.  Threads: any.  Owns: nothing. */
#ifndef WEFT_BE_H
#define WEFT_BE_H

#include <stdint.h>
#include <string.h>

typedef uint16_t be16;
typedef uint32_t be32;
typedef uint64_t be64;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define WEFT_BE16(x) ((be16) __builtin_bswap16((uint16_t) (x)))
#define WEFT_BE32(x) ((be32) __builtin_bswap32((uint32_t) (x)))
#define WEFT_BE64(x) ((be64) __builtin_bswap64((uint64_t) (x)))
#else
#define WEFT_BE16(x) ((be16) (x))
#define WEFT_BE32(x) ((be32) (x))
#define WEFT_BE64(x) ((be64) (x))
#endif

/* Host value of a be16/be32/be64, and back: the same swap both ways. */
static inline be16 be16_from(uint16_t v) { return WEFT_BE16(v); }
static inline be32 be32_from(uint32_t v) { return WEFT_BE32(v); }
static inline be64 be64_from(uint64_t v) { return WEFT_BE64(v); }
static inline uint16_t be16_to(be16 v) { return WEFT_BE16(v); }
static inline uint32_t be32_to(be32 v) { return WEFT_BE32(v); }
static inline uint64_t be64_to(be64 v) { return WEFT_BE64(v); }

/* Loads and stores at any alignment. */
static inline uint16_t
get_be16(const void *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof v);
    return WEFT_BE16(v);
}

static inline uint32_t
get_be32(const void *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return WEFT_BE32(v);
}

static inline uint64_t
get_be64(const void *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return WEFT_BE64(v);
}

static inline uint32_t
get_be24(const void *p)
{
    const uint8_t *b = p;

    return (uint32_t) b[0] << 16 | (uint32_t) b[1] << 8 | b[2];
}

static inline void
put_be16(void *p, uint16_t v)
{
    v = WEFT_BE16(v);
    memcpy(p, &v, sizeof v);
}

static inline void
put_be32(void *p, uint32_t v)
{
    v = WEFT_BE32(v);
    memcpy(p, &v, sizeof v);
}

static inline void
put_be64(void *p, uint64_t v)
{
    v = WEFT_BE64(v);
    memcpy(p, &v, sizeof v);
}

static inline void
put_be24(void *p, uint32_t v)
{
    uint8_t *b = p;

    b[0] = (uint8_t) (v >> 16);
    b[1] = (uint8_t) (v >> 8);
    b[2] = (uint8_t) v;
}

#endif
