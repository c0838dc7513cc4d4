/* SPDX-License-Identifier: Apache-2.0 */
/* A frame that a match takes.
 *
 * What:    bytes of one packet with the fields that a match names.
 * Model:   what the match leaves open gets a plain value: addresses 02:..:02
 *          and 02:..:01, a TTL of 64, no options, no payload.  Checksums are
 *          right.  A type that no match names is 0x88b5, IEEE's for
 *          experiments.
 * Threads: any.  Owns: nothing.
 * Errors:  0 when 'size' is too small.
 * Source:  as datapath/extract.h, which reads what is written here. */
#ifndef FLOW_FRAME_H
#define FLOW_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "weft/flow_match.h"

#define FLOW_FRAME_MAX 512

/* Writes the frame to 'buf' (FLOW_FRAME_MAX); returns its length. */
size_t flow_frame_build(const struct flow_match *, uint8_t *buf);

#endif
