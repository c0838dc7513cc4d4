/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the reference interpreter: the frame and the actions on it.
 * Model:   interp.c walks tables, interp_ops.c changes frames,
 *          interp_meter.c has the meters.
 * Threads: as interp.h. */
#ifndef DP_INTERP_PRIV_H
#define DP_INTERP_PRIV_H

#include "datapath/extract.h"
#include "datapath/interp.h"

/* A frame with what is known of it since it was parsed last. */
struct interp_frame {
    uint8_t *room;  /* Allocation: headroom, then the frame. */
    uint8_t *p;     /* First byte. */
    size_t len;
    struct flow_key k; /* metadata and in_port included. */
    struct pkt_layout lay;
};

/* Parses anew.  -1, or the reason it is not well formed. */
int interp_parse(struct interp_frame *);
/* One op that is no output.  -1, or the reason to drop the frame. */
int interp_op(struct interp_frame *, const struct dp_op *);

/* What meter 'id' does to the frame.  -1, or DROP_METER. */
int interp_meter(const struct interp_pipeline *, struct interp_frame *,
                 uint32_t id);

#endif
