/* SPDX-License-Identifier: Apache-2.0 */
/* Port numbers that are no ports, as 32-bit numbers.
 * What:    OpenFlow 1.3's OFPP_*; 1.0's are widened to these.
 * Threads: any.  Owns: nothing.  Source: OpenFlow 1.3.5 §7.2.1. */
#ifndef OFP_PORTS_H
#define OFP_PORTS_H

#define OFP_PORT_IN_PORT 0xfffffff8u
#define OFP_PORT_TABLE 0xfffffff9u
#define OFP_PORT_NORMAL 0xfffffffau
#define OFP_PORT_FLOOD 0xfffffffbu
#define OFP_PORT_ALL 0xfffffffcu
#define OFP_PORT_CONTROLLER 0xfffffffdu
#define OFP_PORT_LOCAL 0xfffffffeu
#define OFP_PORT_ANY 0xffffffffu /* 1.0: NONE. */

#define OFP_GROUP_ALL 0xfffffffcu
#define OFP_GROUP_ANY 0xffffffffu
#define OFP_TABLE_ALL 0xff
#define OFP_NO_BUFFER 0xffffffffu

#endif
