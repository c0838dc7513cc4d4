/* SPDX-License-Identifier: Apache-2.0 */
/* Groups as text, in ovs-ofctl's language.
 *
 * What:    what ovs-ofctl's add-group, mod-group, del-groups, insert-buckets
 *          and remove-buckets read, and what its dump-groups and
 *          dump-group-stats print.
 * Model:   text <-> struct ofp_group_mod (ofproto/groups.h); no message and no
 *          datapath is involved.
 *            group_id=1,type=select,selection_method=hash,fields(ip_dst),
 *            bucket=bucket_id:0,weight:100,watch_port:2,actions=output:1,
 *            bucket=...
 *          Everything behind "bucket=" up to the next one belongs to the
 *          bucket; actions= is optional in front of its actions.
 * Threads: control (no shared state).
 * Owns:    what it returns belongs to the caller.
 * Errors:  0 or -EINVAL; 'e' names the word, its value and the limit.
 * Cost:    linear in the text; at most OFP_TEXT_MAX bytes are read.
 * Source:  ovs-ofctl(8) "Group Syntax" of Open vSwitch 3.1. */
#ifndef OFP_GROUP_TEXT_H
#define OFP_GROUP_TEXT_H

#include "ofproto/groups.h"
#include "ofproto/text/flow_text.h"

struct ofp_group_text {
    struct ofp_group_mod mod; /* Buckets and ops point into what follows. */
    uint64_t **mem;           /* Owned: memory of the buckets' op lists. */
    size_t n_mem;
};

/* Reads the text of one command.  DELETE: "group_id=5", "group_id=all" or ""
 * (all).  INSERT_BUCKET, REMOVE_BUCKET: command_bucket_id=N|first|last|all.
 * ADD_OR_MODIFY: as MODIFY.  On error 't' needs no fini. */
WEFT_MUST_CHECK int ofp_text_parse_group(const char *text,
                                         enum ofp_group_command,
                                         struct ofp_group_text *t,
                                         struct weft_err *e);
void ofp_group_text_fini(struct ofp_group_text *);

/* Appends "group_id=1,type=all,bucket=actions=output:1,bucket=..."; with
 * 'bucket_ids' each bucket's id too, as dump-groups -O OpenFlow15 does. */
void ofp_text_add_group(struct base_str *, uint32_t group,
                        const struct ofp_group_config *, bool bucket_ids);
/* Appends what dump-group-stats prints of a group: "group_id=1,duration=3.5s,
 * ref_count=0,packet_count=5,byte_count=300,bucket0:packet_count=...". */
void ofp_text_add_group_stats(struct base_str *, const struct ofp_group_view *,
                              uint64_t now_ns);

#endif
