/* SPDX-License-Identifier: Apache-2.0 */
/* Compiler attributes shared by every folder.
 * What:    spelling of attributes, branch hints, prefetch, lock marks.
 * Threads: none.  Owns: nothing.  Source: GCC and clang manuals. */
#ifndef WEFT_COMPILER_H
#define WEFT_COMPILER_H

#define WEFT_MUST_CHECK __attribute__((warn_unused_result))
#define WEFT_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define WEFT_NORETURN __attribute__((noreturn))
#define WEFT_UNUSED __attribute__((unused))
#define WEFT_PACKED __attribute__((packed))
#define WEFT_ALIGNED(n) __attribute__((aligned(n)))
#define WEFT_ALWAYS_INLINE static inline __attribute__((always_inline))
#define WEFT_COLD __attribute__((cold))

/* Before a loop over few iterations, their number known after inlining. */
#ifdef __clang__
#define WEFT_UNROLL _Pragma("unroll 8")
#else
#define WEFT_UNROLL _Pragma("GCC unroll 8")
#endif

#define WEFT_CACHE_LINE 64

#define weft_likely(x) __builtin_expect(!!(x), 1)
#define weft_unlikely(x) __builtin_expect(!!(x), 0)
#define weft_prefetch(p) __builtin_prefetch((p), 0, 3)
#define weft_prefetch_write(p) __builtin_prefetch((p), 1, 3)

#define WEFT_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define WEFT_CONTAINER_OF(p, type, member)                                    \
    ((type *) (void *) ((char *) (p) - offsetof(type, member)))
#define WEFT_MIN(a, b) ((a) < (b) ? (a) : (b))
#define WEFT_MAX(a, b) ((a) > (b) ? (a) : (b))

/* Lock marks, checked by clang -Wthread-safety. */
#ifdef __clang__
#define WEFT_GUARDED __attribute__((guarded_var))
#define WEFT_REQUIRES(lock) __attribute__((requires_capability(lock)))
#else
#define WEFT_GUARDED
#define WEFT_REQUIRES(lock)
#endif

#endif
