/* SPDX-License-Identifier: Apache-2.0 */
/* VXLAN: Ethernet frames in UDP.
 *
 * What:    options, outer header and decapsulation of RFC 7348.
 * Model:   behind the outer IPv4 header
 *
 *           0                   1                   2                   3
 *          +-------------------------------+-------------------------------+
 *          | source port: hash             | destination port 4789         |
 *          | UDP length                    | checksum, 0 as we send it     |
 *          +-+-+-+-+-+-+-+-+---------------+-------------------------------+
 *          |R|R|R|R|I|R|R|R| reserved, 24 bits                             |
 *          | VXLAN network identifier (VNI), 24 bits       | reserved      |
 *          +-----------------------------------------------+---------------+
 *          | inner Ethernet frame without FCS ...
 *
 *          R and reserved: zero when sent, ignored when received (§5), but
 *          for one case: a frame whose P bit (VXLAN-GPE, draft-ietf-nvo3-
 *          vxlan-gpe §3) announces a payload that is no Ethernet frame is
 *          refused, since reading it as one would misroute it.
 * Threads: decap: worker; the rest: control.  Owns: nothing.
 * Errors:  verdicts of weft/tunnel.h.
 * Source:  RFC 7348. */
#ifndef TNL_VXLAN_H
#define TNL_VXLAN_H

#include "weft/tunnel.h"

#define VXLAN_PORT 4789 /* RFC 7348 §5, IANA. */
#define VXLAN_UDP_HLEN 8
#define VXLAN_HLEN 8
#define VXLAN_F_I 0x08 /* First byte: VNI is valid. */
#define VXLAN_F_P 0x04 /* GPE: byte 3 is the next protocol. */

/* Next protocols of GPE, draft-ietf-nvo3-vxlan-gpe §3.1. */
#define VXLAN_GPE_FIRST 0x01
#define VXLAN_GPE_ETHERNET 0x03
#define VXLAN_GPE_LAST 0x07

extern const struct tnl_ops tnl_vxlan_ops;

enum tnl_verdict vxlan_decap(const uint8_t *p, size_t len,
                             struct tnl_meta *m);

#endif
