/* SPDX-License-Identifier: Apache-2.0 */
/* Copying a received frame into mbufs, as port.h wants them.
 *
 * What:    up to 2 KiB in one mbuf of the small pool, the rest of a larger
 *          frame in one of the big pool.
 * Threads: worker.  Errors: NULL: no mbuf. */
#ifndef DP_PORTS_FRAME_FAST_H
#define DP_PORTS_FRAME_FAST_H

#include <rte_mbuf.h>

struct port_env;

struct rte_mbuf *frame_copy(const struct port_env *, const void *data,
                            uint32_t len);

#endif
