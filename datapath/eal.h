/* SPDX-License-Identifier: Apache-2.0 */
/* Start of DPDK's environment.
 *
 * What:    rte_eal_init with the arguments that fit this machine.
 * Model:   one EAL thread (the caller), whose CPU affinity stays as it was;
 *          workers are plain threads that register.  Huge pages if enough are
 *          free (--in-memory), else --no-huge; no PCI probe unless a PCI
 *          device is named in the extra arguments or later by a port.
 * Threads: control.  EAL starts once per process and never again; later calls
 *          find it started.
 * Errors:  0 or -errno with 'e' filled. */
#ifndef DP_EAL_H
#define DP_EAL_H

#include <stdbool.h>

#include "weft/compiler.h"
#include "weft/err.h"

/* 'extra': more EAL words, NULL: none. */
WEFT_MUST_CHECK int eal_start(const char *extra, struct weft_err *e);
bool eal_has_huge_pages(void);

#endif
