/* SPDX-License-Identifier: Apache-2.0 */
/* Text to OpenFlow messages.
 *
 * What:    a parsed flow or packet-out as the message of a version that says
 *          the same.
 * Model:   words that a version cannot say are refused, never dropped.
 *          1.0's "tag if untagged" (mod_vlan_vid) is said as ovs-ofctl says
 *          it: push a tag unless the match asks for one, then set.
 * Threads: control.
 * Owns:    the message is the caller's.
 * Errors:  NULL with 'e' filled.
 * Source:  OpenFlow 1.3.5 §7.3.4.1, §7.3.7; ovs-actions(7). */
#ifndef OFP_TEXT_MSG_H
#define OFP_TEXT_MSG_H

#include "loci/loci.h"
#include "ofproto/groups.h"
#include "ofproto/meter_spec.h"
#include "ofproto/text/flow_text.h"

enum ofp_text_command { /* OFPFC_* */
    OFP_TEXT_ADD,
    OFP_TEXT_MODIFY,
    OFP_TEXT_MODIFY_STRICT,
    OFP_TEXT_DELETE,
    OFP_TEXT_DELETE_STRICT,
};

/* Says 1.0's conditional actions as above, in place: what an agent of 1.3 or
 * later will have. */
void ofp_text_modernize(struct ofp_flow_text *);

of_object_t *ofp_text_flow_mod(const char *line, enum ofp_text_command,
                               uint8_t version,
                               const struct ofp_text_ports *ports,
                               struct weft_err *e);
/* One line of ofproto/text/group_text.h, meter_text.h. */
of_object_t *ofp_text_group_mod(const char *line, enum ofp_group_command,
                                uint8_t version, struct weft_err *e);
of_object_t *ofp_text_meter_mod(const char *line, enum ofp_meter_command,
                                uint8_t version, struct weft_err *e);
/* "in_port=1,packet=HEX,actions=output:2" */
of_object_t *ofp_text_packet_out(const char *line, uint8_t version,
                                 const struct ofp_text_ports *ports,
                                 struct weft_err *e);

#endif
