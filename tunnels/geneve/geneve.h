/* SPDX-License-Identifier: Apache-2.0 */
/* Geneve: Ethernet frames in UDP, with options.
 *
 * What:    options, outer header and decapsulation of RFC 8926.
 * Model:   behind the outer IPv4 header
 *
 *           0                   1                   2                   3
 *          +-------------------------------+-------------------------------+
 *          | source port: hash             | destination port 6081         |
 *          | UDP length                    | checksum, 0 as we send it     |
 *          +---+-----------+-+-+-----------+-------------------------------+
 *          |Ver|  Opt Len  |O|C|   Rsvd.   | protocol type 0x6558          |
 *          | virtual network identifier (VNI), 24 bits     | reserved      |
 *          +-----------------------------------------------+---------------+
 *          | Opt Len words of options: class(16) type(8) R(3) length(5) ...
 *          | inner Ethernet frame without FCS ...
 *
 *          We send no option and know none: those of others are skipped,
 *          critical ones refused (§3.5).  Reserved bits are zero when sent,
 *          ignored when received (§3.4).
 * Threads: decap: worker; the rest: control.  Owns: nothing.
 * Errors:  verdicts of weft/tunnel.h.
 * Source:  RFC 8926. */
#ifndef TNL_GENEVE_H
#define TNL_GENEVE_H

#include "weft/tunnel.h"

#define GENEVE_PORT 6081 /* RFC 8926 §3.3, IANA. */
#define GENEVE_UDP_HLEN 8
#define GENEVE_HLEN 8       /* Without options. */
#define GENEVE_ETHERNET 0x6558
#define GENEVE_VERSION 0xc0 /* Of the first byte ... */
#define GENEVE_OPT_LEN 0x3f /* ... in words of four bytes. */
#define GENEVE_F_O 0x80     /* Second byte: a control packet. */
#define GENEVE_F_C 0x40     /* There are critical options. */
#define GENEVE_OPT_HLEN 4
#define GENEVE_OPT_CRITICAL 0x80 /* Of an option's type. */
#define GENEVE_OPT_WORDS 0x1f    /* Of an option's length: data words. */

extern const struct tnl_ops tnl_geneve_ops;

enum tnl_verdict geneve_decap(const uint8_t *p, size_t len,
                              struct tnl_meta *m);

#endif
