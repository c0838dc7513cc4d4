/* SPDX-License-Identifier: Apache-2.0 */
/* Meters as text, in ovs-ofctl's language.
 *
 * What:    "meter=1,kbps,burst,stats,bands=type=drop,rate=1000,burst_size=10"
 *          read and printed.
 * Model:   text <-> struct ofp_meter_spec.  Words are separated by commas,
 *          blanks or '='; each band begins with 'type'.  What is printed is
 *          read back, by us and by ovs-ofctl, as the same meter, if
 *          ofp_text_parse_meter made it; a controller may say what the text
 *          cannot (no band, a band without burst though 'burst' is set): it
 *          is printed with what there is.
 * Threads: any (no state).
 * Owns:    nothing.
 * Errors:  0 or -EINVAL; 'e' names the word, its value and the limit.
 * Source:  ovs-ofctl(8) of Open vSwitch 3.1. */
#ifndef OFP_METER_TEXT_H
#define OFP_METER_TEXT_H

#include "ofproto/meter_spec.h"
#include "utils/base/str.h"
#include "weft/compiler.h"
#include "weft/err.h"

/* For add and modify: meter=ID, kbps or pktps, burst, stats, bands= last. */
WEFT_MUST_CHECK int ofp_text_parse_meter(const char *text,
                                         struct ofp_meter_spec *,
                                         struct weft_err *e);
/* "meter=ID" alone, also meter=all; an empty text (or NULL) is all. */
WEFT_MUST_CHECK int ofp_text_parse_meter_id(const char *text, uint32_t *id,
                                            struct weft_err *e);
/* Appends the meter in one line. */
void ofp_text_add_meter(struct base_str *, const struct ofp_meter_spec *);
/* Appends "7", "controller", "slowpath" or "all". */
void ofp_text_add_meter_id(struct base_str *, uint32_t id);

#endif
