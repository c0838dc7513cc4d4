/* SPDX-License-Identifier: Apache-2.0 */
/* Monotonic time of the control plane.
 * What:    nanoseconds of CLOCK_MONOTONIC; tests may set their own clock.
 * Threads: any; base_clock_fake before other threads start. */
#ifndef WEFT_BASE_CLOCK_H
#define WEFT_BASE_CLOCK_H

#include <stdint.h>

uint64_t base_clock_ns(void);
static inline uint64_t
base_clock_ms(void)
{
    return base_clock_ns() / 1000000;
}
/* From now on base_clock_ns returns *ns; NULL: the real clock again. */
void base_clock_fake(const uint64_t *ns);

#endif
