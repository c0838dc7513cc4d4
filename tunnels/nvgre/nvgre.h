/* SPDX-License-Identifier: Apache-2.0 */
/* NVGRE: Ethernet frames in GRE with a 24-bit virtual subnet.
 *
 * What:    options, outer header and decapsulation of RFC 7637.
 * Model:   behind the outer IPv4 header (protocol 47)
 *
 *           0                   1                   2                   3
 *          +-+-+-+-+-+-+-----------+-----+-------------------------------+
 *          |C|R|K|S|R|R| ignored   | Ver | protocol type 0x6558          |
 *          +-+-+-+-+-+-+-----------+-----+---------------+---------------+
 *          | virtual subnet id (VSID), 24 bits           | FlowID        |
 *          +---------------------------------------------+---------------+
 *          | inner Ethernet frame without FCS, without 802.1Q tag ...
 *
 *          K is 1, C and S are 0 (RFC 7637 §3.2).  The FlowID spreads flows
 *          and is no part of the tenant's identity.  VSIDs 0 to 0xfff and
 *          0xffffff are reserved (§3.4).  The inner frame carries no tag, in
 *          either direction (§3.3), so there is no option to keep one.
 * Threads: decap: worker; the rest: control.  Owns: nothing.
 * Errors:  verdicts of weft/tunnel.h.
 * Source:  RFC 7637, RFC 2784, RFC 2890. */
#ifndef TNL_NVGRE_H
#define TNL_NVGRE_H

#include "weft/tunnel.h"

#define NVGRE_HLEN 8
#define NVGRE_PROTO 0x6558 /* Transparent Ethernet bridging. */
#define NVGRE_FLAGS 0x2000 /* Sent: K alone. */
/* Must be as in NVGRE_FLAGS: C, K, S, version (RFC 7637 §3.2) and bits 1, 4
 * and 5 (RFC 2784 §2.3 with RFC 2890 §2).  Bits 6 to 12 are ignored. */
#define NVGRE_FLAGS_MASK 0xfc07
#define NVGRE_VSID_MIN 0x001000
#define NVGRE_VSID_MAX 0xfffffe

extern const struct tnl_ops tnl_nvgre_ops;

enum tnl_verdict nvgre_decap(const uint8_t *p, size_t len,
                             struct tnl_meta *m);

#endif
