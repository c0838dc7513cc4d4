/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <stddef.h>
#include <time.h>

static const uint64_t *fake_ns;

uint64_t
base_clock_ns(void)
{
    struct timespec ts;

    if (fake_ns)
        return *fake_ns;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

uint64_t
base_clock_tai_ns(void)
{
    struct timespec ts;

    if (fake_ns)
        return *fake_ns;
    clock_gettime(CLOCK_TAI, &ts);
    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

void
base_clock_fake(const uint64_t *ns)
{
    fake_ns = ns;
}
