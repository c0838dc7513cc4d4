/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's virtio-net header in front of a frame <-> state of an mbuf.
 *
 * What:    taps and packet sockets say with it what a frame still needs
 *          (checksum, segmentation), both ways.
 * Model:   port.h says how an mbuf carries that.  Received work that fits
 *          neither TCP nor UDP of the outermost headers, nor a TCP segment
 *          inside VXLAN or GRE, is finished here.  Large UDP (sent with
 *          UDP_SEGMENT; a tap never gives it) is RTE_MBUF_F_TX_UDP_SEG, which
 *          the port itself must cut.
 * Threads: worker.  Owns: nothing.
 * Errors:  false: the header contradicts the frame, which is to be dropped.
 * Source:  virtio 1.2 §5.1.6; linux/virtio_net.h (fields in host order). */
#ifndef DP_VNET_FAST_H
#define DP_VNET_FAST_H

#include <linux/virtio_net.h>
#include <rte_mbuf.h>
#include <stdbool.h>

#include "weft/compiler.h"

/* 'm' holds the frame; 'shift' bytes were inserted in front of csum_start
 * (a VLAN tag) after the header was written. */
WEFT_MUST_CHECK bool vnet_to_mbuf(struct rte_mbuf *m,
                                  const struct virtio_net_hdr *h,
                                  unsigned shift);
void vnet_from_mbuf(const struct rte_mbuf *m, struct virtio_net_hdr *h);

#endif
