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
/* International atomic time since 1970; the system's leap seconds are the
 * kernel's, as the machine's time service set them (0 without one). */
uint64_t base_clock_tai_ns(void);
/* From now on both clocks return *ns; NULL: the real clocks again. */
void base_clock_fake(const uint64_t *ns);

#endif
