/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"

static _Atomic int log_level = BASE_LOG_INFO;
static FILE *_Atomic log_file;

static const char *const level_names[] = { "ERR", "WARN", "INFO", "DEBUG" };

static void
log_line(enum base_log_level level, const char *module, const char *text,
         unsigned suppressed)
{
    FILE *f = atomic_load(&log_file);
    struct timespec ts;
    struct tm tm;
    char when[32];

    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
    f = f ? f : stderr;
    if (suppressed)
        fprintf(f, "%s.%03ldZ|%s|%s|%s (%u similar lines suppressed)\n", when,
                ts.tv_nsec / 1000000, level_names[level], module, text,
                suppressed);
    else
        fprintf(f, "%s.%03ldZ|%s|%s|%s\n", when, ts.tv_nsec / 1000000,
                level_names[level], module, text);
    fflush(f);
}

void
base_log(enum base_log_level level, const char *module, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    if ((int) level > atomic_load(&log_level))
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    log_line(level, module, text, 0);
}

void
base_log_rl(struct base_ratelimit *rl, enum base_log_level level,
            const char *module, const char *fmt, ...)
{
    uint64_t now = base_clock_ns();
    unsigned suppressed = 0;
    char text[1024];
    va_list ap;

    if ((int) level > atomic_load(&log_level))
        return;
    if (!rl->since_ns || now - rl->since_ns >= rl->per_s * UINT64_C(1000000000)) {
        suppressed = rl->suppressed;
        rl->since_ns = now;
        rl->used = 0;
        rl->suppressed = 0;
    }
    if (rl->used >= rl->burst) {
        rl->suppressed++;
        return;
    }
    rl->used++;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    log_line(level, module, text, suppressed);
}

void
base_log_set_level(enum base_log_level level)
{
    atomic_store(&log_level, (int) level);
}

int
base_log_level_parse(const char *name, enum base_log_level *level)
{
    static const char *const names[] = { "err", "warn", "info", "debug" };

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(names); i++)
        if (!strcmp(name, names[i])) {
            *level = (enum base_log_level) i;
            return 0;
        }
    return -EINVAL;
}

int
base_log_open(const char *path)
{
    FILE *f = fopen(path, "ae"), *old;

    if (!f)
        return -errno;
    old = atomic_exchange(&log_file, f);
    if (old)
        fclose(old);
    return 0;
}
