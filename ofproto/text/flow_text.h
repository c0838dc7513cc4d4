/* SPDX-License-Identifier: Apache-2.0 */
/* Flows as text, in ovs-ofctl's language.
 *
 * What:    matches, op lists and instructions printed as `ovs-ofctl -O
 *          OpenFlow13 dump-flows` prints them, and read back, with all the
 *          other names that ovs-ofctl accepts.
 * Model:   text <-> struct flow_match and struct dp_instr; no message and no
 *          datapath is involved.  What is printed is read back, by us and
 *          by ovs-ofctl, as something that matches the same packets and does
 *          the same to them.  Words of our own, where ovs-ofctl has none:
 *          in_phy_port, pbb_isid, ipv6_exthdr, push_pbb, pop_pbb,
 *          copy_ttl_out and copy_ttl_in.
 *          In a match, a bit may be said twice but not in two ways; a field
 *          whose protocol is not matched is an error, not ignored.  Bits
 *          that are matched as zero because the protocol has no such field
 *          (the flow cache does that) are not printed.
 * Threads: control (no shared state).
 * Owns:    what it returns belongs to the caller.
 * Errors:  0 or -EINVAL; 'e' names the word, its column in the text, its
 *          value and the limit.
 * Cost:    linear in the text; at most OFP_TEXT_MAX bytes are read.
 * Source:  ovs-fields(7), ovs-actions(7), ovs-ofctl(8) of Open vSwitch 3.1;
 *          OpenFlow 1.3.5 §5.9, §7.2.3. */
#ifndef OFP_FLOW_TEXT_H
#define OFP_FLOW_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "utils/base/str.h"
#include "weft/compiler.h"
#include "weft/dp.h"
#include "weft/err.h"
#include "weft/flow_match.h"

#define OFP_TEXT_MAX 65536 /* Longest text read. */

/* ------------------------------------------------------------------ print
 * ofp_format_match and ofp_format_ops of ofproto.h live here too. */

/* Appends "tcp,in_port=1,nw_dst=10.0.0.0/8"; nothing for a match of all. */
void ofp_text_add_match(struct base_str *, const struct flow_match *);
/* Appends "output:2,dec_ttl"; "drop" for an empty list. */
void ofp_text_add_ops(struct base_str *, const struct dp_op_list *);
/* Appends all instructions: "meter:1,output:3,clear_actions,write_actions(
 * group:5),write_metadata:0x5/0xff,goto_table:5"; "drop" when there are
 * none. */
void ofp_text_add_instr(struct base_str *, const struct dp_instr *);
/* Appends a port: "5", "LOCAL", "CONTROLLER" ... */
void ofp_text_add_port(struct base_str *, uint32_t port_no);
/* As ofp_text_add_instr; the caller frees the result. */
char *ofp_format_instr(const struct dp_instr *);

/* ------------------------------------------------------------------- read */

/* Ports by name.  Numbers and reserved names come first; a name in double
 * quotes is never a number. */
struct ofp_text_ports {
    bool (*find)(void *arg, const char *name, uint32_t *port_no);
    void *arg;
};

/* What a flow's text may say.  Zero is not always "not said": see has_*. */
struct ofp_flow_text {
    struct flow_match match;
    struct dp_instr instr;  /* Ops point into 'ops'. */
    uint64_t cookie;
    uint64_t cookie_mask;   /* 0: no cookie said; all ones: without mask. */
    uint32_t out_port;      /* DP_PORT_NONE: not said. */
    uint32_t out_group;     /* UINT32_MAX: not said. */
    uint16_t priority;      /* 32768 unless said. */
    uint16_t idle_timeout, hard_timeout;
    uint16_t flags;         /* OFPFF_* of 1.3. */
    uint16_t importance;    /* OpenFlow 1.4. */
    uint8_t table;          /* DP_NO_TABLE: not said. */
    bool has_priority;
    bool has_actions;
    uint64_t *ops;          /* Owned: memory of the op lists. */
    const struct ofp_text_ports *ports; /* NULL: no names. */
    const char *word;       /* The word being read, for error messages. */
};

/* Which words a text may hold besides the match. */
enum ofp_text_use {
    OFP_TEXT_MATCH,  /* None. */
    OFP_TEXT_FILTER, /* table, cookie[/mask], out_port, out_group, priority. */
    OFP_TEXT_FLOW,   /* All, and actions= must be there. */
};

/* "table=0,priority=5,tcp,nw_dst=10.0.0.0/8,actions=output:2" to 'f'.  Blanks
 * separate words as well as commas.  On error 'f' needs no fini. */
WEFT_MUST_CHECK int ofp_text_parse_flow(const char *text, enum ofp_text_use,
                                        struct ofp_flow_text *f,
                                        struct weft_err *e);
/* The same with names of ports. */
WEFT_MUST_CHECK int ofp_text_parse_flow_on(const struct ofp_text_ports *,
                                           const char *text,
                                           enum ofp_text_use,
                                           struct ofp_flow_text *f,
                                           struct weft_err *e);
void ofp_flow_text_fini(struct ofp_flow_text *);

/* A port's number or name, as in in_port=. */
WEFT_MUST_CHECK int ofp_text_parse_port(const struct ofp_text_ports *,
                                        const char *text, uint32_t *port,
                                        struct weft_err *e);

/* A match alone. */
WEFT_MUST_CHECK int ofp_text_parse_match(const char *text,
                                         struct flow_match *,
                                         struct weft_err *e);

/* Actions alone, as for a packet-out: no instruction but apply-actions.
 * 'list' points to *mem, which the caller frees. */
WEFT_MUST_CHECK int ofp_text_parse_ops(const char *text,
                                       struct dp_op_list *list,
                                       uint64_t **mem, struct weft_err *e);
WEFT_MUST_CHECK int ofp_text_parse_ops_on(const struct ofp_text_ports *,
                                          const char *text,
                                          struct dp_op_list *list,
                                          uint64_t **mem, struct weft_err *e);

#endif
