/* SPDX-License-Identifier: Apache-2.0 */
/* Logging of the control plane.
 * What:    leveled lines "2026-01-02T03:04:05.678Z|WARN|module|text" to
 *          stderr or a file; rate limits for lines a peer can provoke.
 * Threads: any but workers (a worker never logs: it counts).
 * Owns:    the log file, if set.  Errors: a write error is ignored. */
#ifndef WEFT_BASE_LOG_H
#define WEFT_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "weft/compiler.h"

enum base_log_level {
    BASE_LOG_ERR,
    BASE_LOG_WARN,
    BASE_LOG_INFO,
    BASE_LOG_DEBUG,
};

void base_log(enum base_log_level, const char *module, const char *fmt, ...)
    WEFT_PRINTF(3, 4);
/* Lines above this level are dropped; default BASE_LOG_INFO. */
void base_log_set_level(enum base_log_level);
/* "err", "warn", "info", "debug"; -EINVAL otherwise. */
int base_log_level_parse(const char *name, enum base_log_level *);
/* Appends to 'path' from now on; -errno if it cannot be opened. */
int base_log_open(const char *path);

/* At most 'burst' lines per 'per_s' seconds; the next line that passes says
 * how many were suppressed.  Initialise with BASE_RATELIMIT(burst, per_s). */
struct base_ratelimit {
    unsigned burst, per_s;
    unsigned used, suppressed;
    uint64_t since_ns;
};
#define BASE_RATELIMIT(burst, per_s) { (burst), (per_s), 0, 0, 0 }
void base_log_rl(struct base_ratelimit *, enum base_log_level,
                 const char *module, const char *fmt, ...) WEFT_PRINTF(4, 5);

#endif
