/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent says unasked, and of its tables, as text.
 *
 * What:    packet-in, flow-removed, port-status, table-status, flow monitor
 *          updates as `ovs-ofctl monitor` prints them; table descriptions
 *          and features as `ovs-ofctl dump-table-desc` and
 *          `dump-table-features` do.
 * Model:   reads messages of OpenFlow 1.5, which the client inside
 *          (text_client.h) speaks.
 * Threads: control.  Owns: nothing.
 * Errors:  none: a message of another kind is named by its type.
 * Source:  OpenFlow 1.5.1 §7.3.5, §7.4; ovs-ofctl(8) of Open vSwitch 3.1. */
#ifndef OFP_EVENT_TEXT_H
#define OFP_EVENT_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "loci/loci.h"
#include "ofproto/compile.h"
#include "utils/base/str.h"

struct event_texts {
    /* Appends a frame's headers as one line; NULL: frames are not shown. */
    void (*frame)(struct base_str *, const uint8_t *, size_t len);
    struct ofp_compile *scratch; /* For the actions of updates. */
};

/* One line or more, without the last newline.  Returns the event's name:
 * "packet-in", "flow-removed", "port-status", "table-status",
 * "flow-monitor", "error", "other". */
const char *ofp_text_add_event(struct base_str *, const struct event_texts *,
                               const uint8_t *msg, size_t len);

/* "table 3:" and the lines of its description. */
void ofp_text_add_table_desc(struct base_str *, of_table_desc_t *);

/* One table's features: all lines but its name and the tables that may
 * follow, which are 'next': "4-253". */
void ofp_text_add_table_features(struct base_str *, struct base_str *next,
                                 of_table_features_t *);

#endif
