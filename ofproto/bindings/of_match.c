/* SPDX-License-Identifier: Apache-2.0 */
#include "loci/of_match.h"

#include <stdlib.h>

#include "ofproto/bindings/of_desc.h"

#define OFPET_BAD_MATCH 4 /* 1.3.5 §7.4.4; 1.0 has none. */

/* Codes of OFPET_BAD_MATCH. */
enum match_fault {
    OFPBMC_BAD_LEN = 1,
    OFPBMC_BAD_WILDCARDS = 5,
    OFPBMC_BAD_FIELD = 6,
    OFPBMC_BAD_VALUE = 7,
    OFPBMC_BAD_MASK = 8,
    OFPBMC_BAD_PREREQ = 9,
    OFPBMC_DUP_FIELD = 10,
};

struct reader {
    const uint8_t *start; /* Of the message. */
    of_match_t *match;
    struct of_parse_err *err;
    uint64_t seen[(OF_MATCH_FIELD_COUNT + 63) / 64];
    bool strict;
};

static int
refuse(const struct reader *r, enum match_fault code, const uint8_t *p,
       int id, const char *text)
{
    if (r->err)
        *r->err = (struct of_parse_err) {
            .offset = (uint32_t) (p - r->start),
            .object_id = id,
            .type = OFPET_BAD_MATCH,
            .code = (uint16_t) code,
            .text = text,
        };
    return OF_ERROR_PARSE;
}

static bool
is_integer(const struct of_oxm_field *f)
{
    return f->kind == OF_KIND_INT || f->kind == OF_KIND_PORT;
}

unsigned
of_field_native_size(const struct of_oxm_field *f)
{
    return is_integer(f) && f->width == 3 ? 4 : f->width;
}

/* Wire bytes to the flat match. */
static void
field_load(const struct of_oxm_field *f, const uint8_t *p, void *to)
{
    uint8_t *out = to;

    if (f->kind == OF_KIND_BYTES) {
        memcpy(to, p, f->width);
        return;
    }
    switch (f->width) {
    case 1:
        *out = *p;
        break;
    case 2: {
        uint16_t v = get_be16(p);

        memcpy(to, &v, sizeof v);
        break;
    }
    case 3:
    case 4: {
        uint32_t v = f->width == 3 ? get_be24(p) : get_be32(p);

        memcpy(to, &v, sizeof v);
        break;
    }
    default:
        for (unsigned i = 0; i < f->width; i += 8) {
            uint64_t v = get_be64(p + i);

            memcpy(out + i, &v, sizeof v);
        }
    }
}

void
of_field_store(const struct of_oxm_field *f, const void *from, uint8_t *p)
{
    const uint8_t *in = from;

    if (f->kind == OF_KIND_BYTES) {
        memcpy(p, from, f->width);
        return;
    }
    switch (f->width) {
    case 1:
        *p = *in;
        break;
    case 2: {
        uint16_t v;

        memcpy(&v, from, sizeof v);
        put_be16(p, v);
        break;
    }
    case 3:
    case 4: {
        uint32_t v;

        memcpy(&v, from, sizeof v);
        if (f->width == 3)
            put_be24(p, v);
        else
            put_be32(p, v);
        break;
    }
    default:
        for (unsigned i = 0; i < f->width; i += 8) {
            uint64_t v;

            memcpy(&v, in + i, sizeof v);
            put_be64(p + i, v);
        }
    }
}

/* Bits above the field's width, or value bits outside the mask. */
static int
check_bits(const struct reader *r, const struct of_oxm_field *f,
           const uint8_t *p, const uint8_t *value, const uint8_t *mask)
{
    if (is_integer(f) && f->bits < f->width * 8
        && of_get_uint(value, f->width) >> f->bits)
        return refuse(r, OFPBMC_BAD_VALUE, p, f->id, "value out of range");
    for (unsigned i = 0; mask && i < f->width; i++)
        if (value[i] & ~mask[i])
            return refuse(r, OFPBMC_BAD_WILDCARDS, p, f->masked_id,
                          "value has bits outside its mask");
    return 0;
}

/* Stores the mask; a mask of all ones is the same as none. */
static void
mask_load(const struct of_oxm_field *f, const uint8_t *mask, void *to)
{
    if (!mask || of_bytes_are(mask, 0xff, f->width))
        memset(to, 0xff, of_field_native_size(f));
    else
        field_load(f, mask, to);
}

static bool
proto_is(const of_match_t *m, uint8_t proto)
{
    return m->masks.ip_proto == 0xff && m->fields.ip_proto == proto;
}

/* Whether the prerequisite holds.  1.3.5 §7.2.3.6 and Table 11. */
static bool
prereq_holds(const of_match_t *m, enum of_prereq need)
{
    uint16_t type = m->masks.eth_type == 0xffff ? m->fields.eth_type : 0;
    bool ip4 = type == 0x0800, ip6 = type == 0x86dd;
    uint8_t nd = m->masks.icmpv6_type == 0xff ? m->fields.icmpv6_type : 0;

    switch (need) {
    case OF_PREREQ_NONE:
        return true;
    case OF_PREREQ_IN_PORT:
        return m->masks.in_port != 0;
    case OF_PREREQ_VLAN: /* Any tag: vlan_vid != NONE. */
        return (m->fields.vlan_vid & m->masks.vlan_vid) != 0;
    case OF_PREREQ_IP:
        return ip4 || ip6;
    case OF_PREREQ_IPV4:
        return ip4;
    case OF_PREREQ_IPV6:
        return ip6;
    case OF_PREREQ_ARP:
        return type == 0x0806;
    case OF_PREREQ_MPLS:
        return type == 0x8847 || type == 0x8848;
    case OF_PREREQ_PBB:
        return type == 0x88e7;
    case OF_PREREQ_TCP:
        return (ip4 || ip6) && proto_is(m, 6);
    case OF_PREREQ_UDP:
        return (ip4 || ip6) && proto_is(m, 17);
    case OF_PREREQ_SCTP:
        return (ip4 || ip6) && proto_is(m, 132);
    case OF_PREREQ_ICMPV4:
        return ip4 && proto_is(m, 1);
    case OF_PREREQ_ICMPV6:
        return ip6 && proto_is(m, 58);
    case OF_PREREQ_ND: /* Neighbour solicitation or advertisement. */
        return ip6 && proto_is(m, 58) && (nd == 135 || nd == 136);
    case OF_PREREQ_ND_SOLICIT:
        return ip6 && proto_is(m, 58) && nd == 135;
    case OF_PREREQ_ND_ADVERT:
        return ip6 && proto_is(m, 58) && nd == 136;
    }
    return false;
}

/* One OXM of a known field with its 'payload' bytes. */
static int
read_known(struct reader *r, const struct of_oxm_field *f, const uint8_t *p,
           unsigned payload)
{
    unsigned index = (unsigned) (f - of_oxm_fields);
    uint64_t bit = 1ull << index % 64;
    unsigned exp = f->experimenter ? 4 : 0;
    bool masked = p[2] & 1;
    const uint8_t *value = p + 4 + exp;
    const uint8_t *mask = masked ? value + f->width : NULL;

    if (payload != exp + f->width * (masked ? 2u : 1u))
        return refuse(r, OFPBMC_BAD_LEN, p, f->id, "wrong length of a field");
    if (r->seen[index / 64] & bit)
        return refuse(r, OFPBMC_DUP_FIELD, p, f->id, "field given twice");
    r->seen[index / 64] |= bit;
    if (r->strict) {
        /* In the order of the wire: a prerequisite comes first, as Open
         * vSwitch has it too. */
        if (!prereq_holds(r->match, f->prereq))
            return refuse(r, OFPBMC_BAD_PREREQ, p, f->id,
                          "field without its prerequisite before it");
        if (masked && f->masked_id == OF_OBJECT_INVALID)
            return refuse(r, OFPBMC_BAD_MASK, p, f->id,
                          "field may not be masked");
        if (check_bits(r, f, p, value, mask))
            return OF_ERROR_PARSE;
    }
    field_load(f, value, (uint8_t *) &r->match->fields + f->at);
    mask_load(f, mask, (uint8_t *) &r->match->masks + f->at);
    return 0;
}

static int
read_oxms(struct reader *r, const uint8_t *p, unsigned len)
{
    while (len) {
        const struct of_oxm_field *f;
        unsigned payload;
        int rv;

        if (len < 4 || len - 4 < p[3])
            return refuse(r, OFPBMC_BAD_LEN, p, OF_OBJECT_INVALID,
                          "match field leaves the match");
        payload = p[3];
        f = of_oxm_find(get_be32(p), payload >= 4 ? get_be32(p + 4) : 0,
                        r->match->version);
        if (!f)
            return refuse(r, OFPBMC_BAD_FIELD, p, OF_OBJECT_INVALID,
                          "unknown match field");
        rv = read_known(r, f, p, payload);
        if (rv)
            return rv;
        p += 4 + payload;
        len -= 4 + payload;
    }
    return 0;
}

/* OXM list or match of 1.2 and later. */
static int
read_v3(const of_object_t *obj, of_match_t *match, bool strict,
        struct of_parse_err *err)
{
    struct reader r = {.match = match, .err = err, .strict = strict};
    unsigned skip = of_is_list(obj->object_id) ? 0 : 4;
    const uint8_t *p;

    memset(match, 0, sizeof *match);
    match->version = obj->version;
    if (!obj->wbuf || obj->length < (int) skip)
        return OF_ERROR_PARSE;
    r.start = obj->wbuf->buf;
    p = OF_OBJECT_BUFFER_INDEX(obj, skip);
    return read_oxms(&r, p, (unsigned) obj->length - skip);
}

int
of_match_v3_to_match(const of_object_t *obj, of_match_t *match)
{
    return read_v3(obj, match, false, NULL);
}

/* 1.1's match of fixed size is neither the one nor the other. */
static bool
is_convertible(of_version_t version)
{
    return version == OF_VERSION_1_0 || version >= OF_VERSION_1_2;
}

int
of_match_parse(const of_object_t *obj, of_match_t *match,
               struct of_parse_err *err)
{
    if (!is_convertible(obj->version))
        return OF_ERROR_COMPAT;
    if (obj->version == OF_VERSION_1_0)
        return of_match_v1_to_match(obj, match);
    return read_v3(obj, match, true, err);
}

/* Bytes that the OXMs of a match take; negative when a field has a mask but
 * may not. */
static int
oxms_size(const of_match_t *match, of_version_t version)
{
    unsigned size = 0;

    for (unsigned i = 0; i < of_n_oxm_fields; i++) {
        const struct of_oxm_field *f = &of_oxm_fields[i];
        const uint8_t *mask = (const uint8_t *) &match->masks + f->at;
        unsigned n = of_field_native_size(f);

        if (of_bytes_are(mask, 0, n))
            continue;
        if (!(f->versions >> version & 1))
            return OF_ERROR_COMPAT;
        size += 4u + f->width + (f->experimenter ? 4u : 0);
        if (of_bytes_are(mask, 0xff, n))
            continue;
        if (f->masked_id == OF_OBJECT_INVALID)
            return OF_ERROR_COMPAT;
        size += f->width;
    }
    return (int) size;
}

static void
oxms_write(const of_match_t *match, uint8_t *p)
{
    for (unsigned i = 0; i < of_n_oxm_fields; i++) {
        const struct of_oxm_field *f = &of_oxm_fields[i];
        const uint8_t *mask = (const uint8_t *) &match->masks + f->at;
        unsigned n = of_field_native_size(f);
        bool exact = of_bytes_are(mask, 0xff, n);

        if (of_bytes_are(mask, 0, n))
            continue;
        put_be32(p, exact ? f->type_len : (f->type_len | 0x100) + f->width);
        p += 4;
        if (f->experimenter) {
            put_be32(p, f->experimenter);
            p += 4;
        }
        of_field_store(f, (const uint8_t *) &match->fields + f->at, p);
        if (!exact) {
            of_field_store(f, mask, p + f->width);
            /* Receivers refuse value bits outside the mask. */
            for (unsigned k = 0; k < f->width; k++)
                p[k] &= p[f->width + k];
            p += f->width;
        }
        p += f->width;
    }
}

int
of_match_to_wire_match_v3(const of_match_t *match, of_object_t *obj)
{
    int size = oxms_size(match, obj->version);
    int rv;

    if (size < 0)
        return size;
    if (obj->length < 4)
        return OF_ERROR_PARAM;
    rv = of_object_splice(obj, 4, (unsigned) obj->length - 4,
                          (unsigned) size);
    if (rv)
        return rv;
    put_be16(OF_OBJECT_BUFFER_INDEX(obj, 0), 1); /* OFPMT_OXM. */
    oxms_write(match, OF_OBJECT_BUFFER_INDEX(obj, 4));
    return OF_ERROR_NONE;
}

int
of_object_match_get(of_object_t *obj, unsigned index, of_match_t *match)
{
    of_object_t wire;

    of_member_bind(obj, index, &wire);
    if (wire.object_id == OF_OBJECT_INVALID || !is_convertible(obj->version))
        return OF_ERROR_COMPAT;
    return obj->version == OF_VERSION_1_0
               ? of_match_v1_to_match(&wire, match)
               : of_match_v3_to_match(&wire, match);
}

int
of_object_match_set(of_object_t *obj, unsigned index, const of_match_t *match)
{
    of_object_t wire;

    of_member_bind(obj, index, &wire);
    if (wire.object_id == OF_OBJECT_INVALID || !is_convertible(obj->version))
        return OF_ERROR_COMPAT;
    return obj->version == OF_VERSION_1_0
               ? of_match_to_wire_match_v1(match, &wire)
               : of_match_to_wire_match_v3(match, &wire);
}

static of_object_id_t
match_class(of_version_t version)
{
    return version == OF_VERSION_1_0 ? OF_MATCH_V1 : OF_MATCH_V3;
}

int
of_match_serialize(of_version_t version, const of_match_t *match,
                   of_octets_t *octets)
{
    of_object_t *obj = of_object_create(version, match_class(version));
    int rv;

    if (!obj)
        return OF_ERROR_RESOURCE;
    rv = version == OF_VERSION_1_0 ? of_match_to_wire_match_v1(match, obj)
                                   : of_match_to_wire_match_v3(match, obj);
    if (rv == OF_ERROR_NONE) {
        octets->bytes = obj->wbuf->current_bytes;
        of_object_wire_buffer_steal(obj, &octets->data);
    }
    of_object_delete(obj);
    return rv;
}

int
of_match_deserialize(of_version_t version, of_match_t *match,
                     const of_octets_t *octets)
{
    of_wire_buffer_t wbuf = {.buf = octets->data,
                             .alloc_bytes = octets->bytes,
                             .current_bytes = octets->bytes};
    of_object_t obj = {.wbuf = &wbuf,
                       .version = version,
                       .object_id = match_class(version),
                       .length = octets->bytes};

    if (version == OF_VERSION_1_0)
        return of_match_v1_to_match(&obj, match);
    if (octets->bytes < 4 || get_be16(octets->data) != 1)
        return OF_ERROR_PARSE;
    obj.length = get_be16(octets->data + 2);
    if (obj.length > octets->bytes)
        return OF_ERROR_PARSE;
    return of_match_v3_to_match(&obj, match);
}

/* Comparison: integers and addresses alike are compared by their bytes. */

bool
of_match_eq(const of_match_t *a, const of_match_t *b)
{
    const uint8_t *x = (const uint8_t *) &a->fields;
    const uint8_t *y = (const uint8_t *) &b->fields;
    const uint8_t *xm = (const uint8_t *) &a->masks;
    const uint8_t *ym = (const uint8_t *) &b->masks;
    uint8_t diff = 0;

    for (size_t i = 0; i < sizeof a->fields; i++)
        diff |= (uint8_t) ((xm[i] ^ ym[i]) | ((x[i] ^ y[i]) & xm[i]));
    return diff == 0;
}

bool
of_match_more_specific(const of_match_t *entry, const of_match_t *query)
{
    const uint8_t *x = (const uint8_t *) &entry->fields;
    const uint8_t *y = (const uint8_t *) &query->fields;
    const uint8_t *xm = (const uint8_t *) &entry->masks;
    const uint8_t *ym = (const uint8_t *) &query->masks;
    uint8_t diff = 0;

    for (size_t i = 0; i < sizeof entry->fields; i++)
        diff |= (uint8_t) ((ym[i] & ~xm[i]) | ((x[i] ^ y[i]) & ym[i]));
    return diff == 0;
}

bool
of_match_overlap(const of_match_t *a, const of_match_t *b)
{
    const uint8_t *x = (const uint8_t *) &a->fields;
    const uint8_t *y = (const uint8_t *) &b->fields;
    const uint8_t *xm = (const uint8_t *) &a->masks;
    const uint8_t *ym = (const uint8_t *) &b->masks;
    uint8_t diff = 0;

    for (size_t i = 0; i < sizeof a->fields; i++)
        diff |= (uint8_t) ((x[i] ^ y[i]) & xm[i] & ym[i]);
    return diff == 0;
}
