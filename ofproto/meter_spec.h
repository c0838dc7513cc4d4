/* SPDX-License-Identifier: Apache-2.0 */
/* What a meter-mod says, independent of version, message and text.
 *
 * What:    struct ofp_meter_spec and the numbers of the protocol.
 * Threads: any.  Owns: nothing.
 * Source:  OpenFlow 1.3.5 §7.3.4.4; the same numbers in 1.4 and 1.5. */
#ifndef OFP_METER_SPEC_H
#define OFP_METER_SPEC_H

#include <stdint.h>

#include "weft/dp.h"

#define OFP_METER_ALL 0xffffffffu /* OFPM_ALL: delete and statistics. */

enum ofp_meter_command { OFP_MC_ADD, OFP_MC_MODIFY, OFP_MC_DELETE };

/* OFPMF_*.  Neither KBPS nor PKTPS: kbit/s. */
#define OFP_MTF_KBPS 0x1
#define OFP_MTF_PKTPS 0x2
#define OFP_MTF_BURST 0x4
#define OFP_MTF_STATS 0x8
#define OFP_MTF_ALL 0xf

enum { OFP_MBT_DROP = 1, OFP_MBT_DSCP_REMARK = 2 };
/* AF classes have three drop precedences (RFC 2597 §6). */
#define OFP_METER_PREC_MAX 3

struct ofp_meter_spec {
    uint32_t id;     /* 1..DP_METER_MAX, DP_METER_SLOWPATH, _CONTROLLER or, to
                      * delete, OFP_METER_ALL. */
    uint16_t flags;  /* OFP_MTF_* as received. */
    uint8_t n_bands;
    struct dp_meter_band bands[DP_METER_BANDS]; /* As received, burst too. */
};

#endif
