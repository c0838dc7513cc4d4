/* SPDX-License-Identifier: Apache-2.0 */
/* What the printer and the two readers of ofproto/text share.
 *
 * What:    names of fields, prerequisites in words, the splitter, values.
 * Threads: any.  Owns: nothing.  Errors: as flow_text.h. */
#ifndef OFP_FLOW_TEXT_PRIV_H
#define OFP_FLOW_TEXT_PRIV_H

#include "ofproto/text/flow_text.h"
#include "weft/flow_key.h"

#define ETH_IPV4 0x0800
#define ETH_ARP 0x0806
#define ETH_RARP 0x8035
#define ETH_IPV6 0x86dd
#define ETH_MPLS 0x8847
#define ETH_MPLS_MCAST 0x8848
#define ETH_PBB 0x88e7

#define IP_ICMP 1
#define IP_TCP 6
#define IP_UDP 17
#define IP_SCTP 132
#define IP_ICMPV6 58

#define PORT_NAME_MAX 24 /* Longest port text and NUL. */

/* ------------------------------------------------------------------ names */

/* A word that stands for a protocol: "tcp6". */
struct text_proto {
    const char *name;
    uint16_t eth_type;
    uint8_t ip_proto; /* 0: any. */
};
extern const struct text_proto text_protos[];
extern const unsigned n_text_protos;

/* How a name is understood. */
enum text_kind {
    TEXT_FIELD,    /* As flow_fields[field] says. */
    TEXT_VLAN_TCI, /* The member whole. */
    TEXT_DL_VLAN,  /* VID of a tag, 0xffff: untagged. */
    TEXT_VLAN_PCP, /* Implies a tag. */
    TEXT_TOS,      /* DSCP in the upper six bits. */
    TEXT_TTL,
    TEXT_FRAG,
    TEXT_MPLS_TTL,
    TEXT_TCP_FLAGS,
    TEXT_NW_SRC,   /* IPv4, or ARP's. */
    TEXT_NW_DST,
    TEXT_NW_PROTO, /* IP's, or ARP's operation. */
    TEXT_TP_SRC,   /* Of whatever transport is matched. */
    TEXT_TP_DST,
    TEXT_ICMP_TYPE, /* Of ICMP or ICMPv6. */
    TEXT_ICMP_CODE,
    TEXT_PACKET_TYPE, /* "(namespace,type)" */
};

struct text_name {
    const char *name;
    enum text_kind kind;
    enum flow_field_id field;
};
/* NULL: no such field. */
const struct text_name *text_name_find(const char *name);
/* The name in set_field:value->name. */
const char *text_set_name(enum flow_field_id);

/* TCP's flags, bit by bit from the lowest. */
extern const char *const text_tcp_flags[12];

/* What ofp_prereq_met (oxm.h) asks for, for messages: "tcp or tcp6". */
const char *text_prereq_words(enum flow_prereq);

/* ------------------------------------------------------------------ words */

/* Cuts the next word off *pos: "key", "key=value", "key:value" or
 * "key(value)"; value NULL: none.  Blanks and commas separate words, not
 * inside parentheses.  1: a word; 0: the end; -EINVAL: parentheses that do
 * not pair. */
int text_next(char **pos, char **key, char **value, struct weft_err *e);

/* Reads "value[/mask]" of field 'f', both right-aligned big-endian; an absent
 * mask is the field's whole width, "*" gives mask 0.  's' is changed. */
int text_value(const char *word, const struct flow_field *f, char *s,
               uint8_t v[16], uint8_t mask[16], struct weft_err *e);
/* A number of at most 'max'. */
int text_number(const char *word, const char *s, uint64_t max, uint64_t *v,
                struct weft_err *e);
/* Port number or name to 32 bits; decimal numbers must be ports, 1.0's
 * reserved ones are widened; hexadecimal ones are taken as they are (numbers
 * that no port has are printed so). */
int text_port(const char *word, const char *s, uint32_t *port,
              struct weft_err *e);
/* The same with names; 'ports' NULL: none. */
int text_port_on(const struct ofp_text_ports *ports, const char *word,
                 const char *s, uint32_t *port, struct weft_err *e);
/* Returns 'buf'. */
const char *text_port_name(uint32_t port, char buf[PORT_NAME_MAX]);

/* Adds one "name=value" to 'm'; -EINVAL also when it contradicts 'm'. */
int text_match_word(struct flow_match *m, const struct text_name *,
                    const char *word, char *value, struct weft_err *e);

/* Adds what a protocol's word says. */
int text_match_proto(struct flow_match *m, const struct text_proto *,
                     const char *word, struct weft_err *e);

/* Cuts "actions=..." off 'text': what stands behind "="; NULL: not there. */
char *text_cut_actions(char *text);
/* Reads the text of 'actions=' into f->instr and f->ops, for f->match.
 * 'text' is changed. */
int text_read_actions(struct ofp_flow_text *f, char *text, bool ops_only,
                      struct weft_err *e);

/* ------------------------------------------------------- parts of fields */

/* "FIELD[A..B]->FIELD[A..B]" to a copy of bits. */
int text_read_move(const char *word, char *value, struct dp_copy_field *,
                   struct weft_err *e);
/* "VALUE->FIELD[A..B]" to value and mask, both right-aligned. */
int text_read_load(const char *word, char *value, enum flow_field_id *field,
                   uint8_t v[16], uint8_t mask[16], struct weft_err *e);
void text_add_move(struct base_str *, const struct dp_copy_field *);

/* ------------------------------------------------------------------ print */

/* Appends value[/mask] of a field, as 'f' is usually written. */
void text_add_value(struct base_str *, const struct flow_field *f,
                    const uint8_t v[16], const uint8_t mask[16]);

#endif
