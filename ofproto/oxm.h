/* SPDX-License-Identifier: Apache-2.0 */
/* Matches on the wire and in the model.
 *
 * What:    OXM lists of OpenFlow 1.3 and later and the fixed match of
 *          OpenFlow 1.0, both ways.
 * Model:   driven by fields.def: a new field needs no change here.  'version'
 *          is the wire version (4: 1.3) and decides which fields are known
 *          and how their headers look.  A field
 *          of the model is written to the wire when its mask bits are set
 *          and its prerequisites are matched, which tells fields that share
 *          a member (tcp_src, udp_src, arp_op) apart.
 * Threads: any.  Owns: nothing.  Cost: about 20 ns per field.
 * Source:  OpenFlow 1.3.5 §7.2.3, 1.5.1 §7.2.3; OpenFlow 1.0.0 §5.2.3. */
#ifndef OFP_OXM_H
#define OFP_OXM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ofproto/ofp_err.h"
#include "weft/flow_match.h"

#define OFP_OXM_MAX 1024   /* Upper bound of one written OXM list. */
#define OFP_MATCH10_LEN 40

#define OFP_OXM_HLEN 8 /* Longest header: with an experimenter. */

/* 'p' is the OXM list alone: no match header, no padding.  On success 'm' is
 * canonical: equal matches are equal bytes. */
enum ofp_err ofp_oxm_parse(const uint8_t *p, size_t len, uint8_t version,
                           struct flow_match *m);
/* Returns the bytes written to 'buf' (OFP_OXM_MAX).  Fields that 'version'
 * does not know are left out. */
size_t ofp_oxm_write(const struct flow_match *m, uint8_t version,
                     uint8_t *buf);

/* The fields that 'm' matches and, in *masked, those of them that are not
 * matched whole: bit N for field N. */
uint64_t ofp_oxm_fields(const struct flow_match *m, uint64_t *masked);

/* The field whose OXM starts at 'p' ('len' bytes are there); sets *hlen to
 * its header's length, 4 or with an experimenter 8 bytes.  NULL: 'version'
 * knows none, or there is no whole header. */
const struct flow_field *ofp_oxm_find(const uint8_t *p, size_t len,
                                      uint8_t version, unsigned *hlen);
/* Writes the header of an OXM with a payload of the field's length (twice
 * that when 'masked').  Returns its length; 0: unknown to 'version'. */
unsigned ofp_oxm_put_header(const struct flow_field *, uint8_t version,
                            bool masked, uint8_t p[OFP_OXM_HLEN]);

/* 1.0: never refused; fields whose protocol is not matched are ignored. */
void ofp_match10_parse(const uint8_t p[OFP_MATCH10_LEN],
                       struct flow_match *m);
/* Fields that 1.0 does not know are left out. */
void ofp_match10_write(const struct flow_match *m,
                       uint8_t p[OFP_MATCH10_LEN]);

/* Is everything that 'prereq' asks for matched by 'm'? */
bool ofp_prereq_met(const struct flow_match *m, enum flow_prereq prereq);

/* Port numbers of 1.0 are 16 bits; the reserved ones (> 0xff00) are widened
 * to 1.3's and back. */
static inline uint32_t
ofp_port_from_10(uint16_t port)
{
    return port > 0xff00 ? 0xffff0000u | port : port;
}

static inline uint16_t
ofp_port_to_10(uint32_t port)
{
    return (uint16_t) port;
}

#endif
