/* SPDX-License-Identifier: Apache-2.0 */
/* The flat match, the same for all versions.
 *
 * What:    of_match_t holds value and mask of every match field; conversion
 *          from and to the wire forms; comparison.
 * Model:   a mask of all ones is an exact match, of all zeros none.  VLANs
 *          are as in OXM: 0 untagged, 0x1000 | id tagged.
 * Threads: any.  Owns: nothing.
 * Errors:  OF_ERROR_PARSE with 'err' filled, OF_ERROR_COMPAT when the version
 *          cannot say it.
 * Cost:    one pass over the OXMs; a field is found by a perfect hash.
 * Source:  OpenFlow 1.3.5 §7.2.3, OpenFlow 1.0.0 §5.2.3. */
#ifndef LOCI_OF_MATCH_H
#define LOCI_OF_MATCH_H

#include "loci/loci_base.h"
#include "loci/of_match_fields.h"
#include "loci/of_object.h"
#include "weft/compiler.h"

/* Reads a match object of any version (of_X_match_bind gives one), or an OXM
 * list, into 'match' and holds it against the rules: BAD_FIELD, BAD_LEN,
 * DUP_FIELD, BAD_MASK, BAD_WILDCARDS (value bits outside the mask),
 * BAD_VALUE, BAD_PREREQ.  err->offset counts from the message's start.  'err'
 * may be NULL. */
WEFT_MUST_CHECK int of_match_parse(const of_object_t *obj, of_match_t *match,
                                   struct of_parse_err *err);

/* Without the rules, as LOCI: an unknown or repeated field is OF_ERROR_PARSE,
 * all else passes. */
WEFT_MUST_CHECK int of_match_v1_to_match(const of_object_t *, of_match_t *);
WEFT_MUST_CHECK int of_match_v3_to_match(const of_object_t *, of_match_t *);
/* Into an object of class of_match_v1 or of_match_v3. */
WEFT_MUST_CHECK int of_match_to_wire_match_v1(const of_match_t *,
                                              of_object_t *);
WEFT_MUST_CHECK int of_match_to_wire_match_v3(const of_match_t *,
                                              of_object_t *);
#define of_match_v4_to_match of_match_v3_to_match
#define of_match_v5_to_match of_match_v3_to_match
#define of_match_to_wire_match_v4 of_match_to_wire_match_v3
#define of_match_to_wire_match_v5 of_match_to_wire_match_v3

/* Wire form with its pad in memory from malloc. */
WEFT_MUST_CHECK int of_match_serialize(of_version_t, const of_match_t *,
                                       of_octets_t *);
WEFT_MUST_CHECK int of_match_deserialize(of_version_t, of_match_t *,
                                         const of_octets_t *);

/* Same masks, and same values where a mask bit is set. */
bool of_match_eq(const of_match_t *, const of_match_t *);
/* Every packet that 'entry' matches, 'query' matches too. */
bool of_match_more_specific(const of_match_t *entry, const of_match_t *query);
/* Some packet may match both. */
bool of_match_overlap(const of_match_t *, const of_match_t *);

/* vlan_vid of a match for untagged packets. */
#define OF_MATCH_UNTAGGED_VLAN_ID(version) 0

/* Wildcards of the 1.0 match.  1.0.0 §5.2.3 */
enum of_match_v1_wildcards {
    OF_MATCH_V1_WC_IN_PORT = 1 << 0,
    OF_MATCH_V1_WC_VLAN_VID = 1 << 1,
    OF_MATCH_V1_WC_ETH_SRC = 1 << 2,
    OF_MATCH_V1_WC_ETH_DST = 1 << 3,
    OF_MATCH_V1_WC_ETH_TYPE = 1 << 4,
    OF_MATCH_V1_WC_IP_PROTO = 1 << 5,
    OF_MATCH_V1_WC_TP_SRC = 1 << 6,
    OF_MATCH_V1_WC_TP_DST = 1 << 7,
    OF_MATCH_V1_WC_NW_SRC_SHIFT = 8, /* 6 bits: host bits not looked at. */
    OF_MATCH_V1_WC_NW_DST_SHIFT = 14,
    OF_MATCH_V1_WC_VLAN_PCP = 1 << 20,
    OF_MATCH_V1_WC_IP_DSCP = 1 << 21,
    OF_MATCH_V1_WC_ALL = (1 << 22) - 1,
};

/* For the generated accessors of match members. */
int of_object_match_get(of_object_t *, unsigned index, of_match_t *);
int of_object_match_set(of_object_t *, unsigned index, const of_match_t *);

#endif
