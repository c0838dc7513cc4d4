/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of table features, out and in.
 * Source: OpenFlow 1.3.5 §7.3.5.5.2; 1.5.1 §7.3.5.18.2. */
#include "ofproto/limits.h"

#include <string.h>

#include "ofproto/compile.h"
#include "ofproto/oxm.h"
#include "weft/be.h"

/* OFPTFPT_*: in pairs, the second one of the table-miss rule. */
enum { INSTRUCTIONS = 0, NEXT_TABLES = 2, WRITE_ACTIONS = 4, APPLY_ACTIONS = 6,
       MATCH = 8, WILDCARDS = 10, WRITE_SETFIELD = 12, APPLY_SETFIELD = 14,
       WRITE_COPYFIELD = 18, APPLY_COPYFIELD = 20, PACKET_TYPES = 22,
       EXPERIMENTER = 0xfffe };
enum { GOTO_METER = 6, STAT_TRIGGER = 7 }; /* OFPIT_* that come and go. */

/* --------------------------------------------------------- what a version says */

static uint32_t
said_instructions(uint8_t version)
{
    return version >= OF_VERSION_1_5 ? 0xfeu & ~(1u << GOTO_METER)
                                     : 0xfeu & ~(1u << STAT_TRIGGER);
}

static uint32_t
said_actions(uint8_t version)
{
    uint32_t bits = 0;

    for (unsigned i = 0; i < ofp_n_actions; i++)
        if (ofp_actions[i]->type13 >= 0 && ofp_actions[i]->since <= version)
            bits |= 1u << ofp_actions[i]->type13;
    return bits;
}

static uint64_t
said_fields(uint8_t version)
{
    uint8_t header[OFP_OXM_HLEN];
    uint64_t bits = 0;

    for (unsigned i = 0; i < N_FLOW_FIELDS; i++)
        if (ofp_oxm_put_header(&flow_fields[i], version, false, header))
            bits |= UINT64_C(1) << i;
    return bits;
}

/* Those of them that set-field may name. */
static uint64_t
said_settable(uint8_t version)
{
    uint64_t bits = said_fields(version);

    for (unsigned i = 0; i < N_FLOW_FIELDS; i++)
        if (!flow_fields[i].settable || flow_fields[i].settable > version)
            bits &= ~(UINT64_C(1) << i);
    return bits;
}

/* --------------------------------------------------------------------- out */

struct writer {
    uint8_t version;
    size_t n;
    uint8_t *p;
};

static size_t
prop_begin(struct writer *w, unsigned type)
{
    size_t start = w->n;

    put_be16(w->p + w->n, (uint16_t) type);
    w->n += 4;
    return start;
}

/* Writes the property's length and pads it to 8, not counted. */
static void
prop_end(struct writer *w, size_t start)
{
    put_be16(w->p + start + 2, (uint16_t) (w->n - start));
    while (w->n % 8)
        w->p[w->n++] = 0;
}

/* Ids of instructions or actions: type and length. */
static void
add_types(struct writer *w, unsigned prop, uint32_t types)
{
    size_t start = prop_begin(w, prop);

    for (; types; types &= types - 1) {
        put_be16(w->p + w->n, (uint16_t) __builtin_ctz(types));
        put_be16(w->p + w->n + 2, 4);
        w->n += 4;
    }
    prop_end(w, start);
}

static void
add_next_tables(struct writer *w, unsigned prop,
                const struct ofp_limits_rule *r, uint8_t table)
{
    size_t start = prop_begin(w, prop);

    for (unsigned t = table + 1u; t < DP_N_TABLES; t++)
        if (ofp_limits_next(r, t))
            w->p[w->n++] = (uint8_t) t;
    prop_end(w, start);
}

static void
add_fields(struct writer *w, unsigned prop, uint64_t fields, uint64_t masks)
{
    size_t start = prop_begin(w, prop);

    for (unsigned i = 0; i < N_FLOW_FIELDS; i++)
        if (fields >> i & 1)
            w->n += ofp_oxm_put_header(&flow_fields[i], w->version,
                                       masks >> i & 1, w->p + w->n);
    prop_end(w, start);
}

/* Ethernet frames only: (0,0). */
static void
add_packet_types(struct writer *w)
{
    size_t start = prop_begin(w, PACKET_TYPES);

    w->n += ofp_oxm_put_header(&flow_fields[FLOW_F_PACKET_TYPE], w->version,
                               false, w->p + w->n);
    put_be32(w->p + w->n, 0);
    w->n += 4;
    prop_end(w, start);
}

size_t
ofp_limits_write(const struct ofp_limits *l, uint8_t version, uint8_t table,
                 uint8_t *p)
{
    struct writer w = { .version = version, .p = p };
    uint32_t actions = said_actions(version);
    uint64_t set = said_settable(version);
    bool of15 = version >= OF_VERSION_1_5;

    for (unsigned miss = 0; miss < 2; miss++) {
        const struct ofp_limits_rule *r = &l->rule[miss];

        add_types(&w, INSTRUCTIONS + miss,
                  r->instructions & said_instructions(version));
        add_next_tables(&w, NEXT_TABLES + miss, r, table);
        add_types(&w, WRITE_ACTIONS + miss, r->write_actions & actions);
        add_types(&w, APPLY_ACTIONS + miss, r->apply_actions & actions);
        add_fields(&w, WRITE_SETFIELD + miss, r->write_set & set, 0);
        add_fields(&w, APPLY_SETFIELD + miss, r->apply_set & set, 0);
        if (of15) {
            add_fields(&w, WRITE_COPYFIELD + miss, r->write_copy, 0);
            add_fields(&w, APPLY_COPYFIELD + miss, r->apply_copy, 0);
        }
    }
    add_fields(&w, MATCH, l->match, l->masks);
    add_fields(&w, WILDCARDS, l->wildcards, 0);
    if (of15)
        add_packet_types(&w);
    return w.n;
}

/* ---------------------------------------------------------------------- in */

/* Replaces the bits that the version can say. */
#define TAKE(member, said, new) ((member) = ((member) & ~(said)) | (new))

static enum ofp_err
take_types(uint32_t *member, uint32_t all, uint32_t said, const uint8_t *p,
           size_t len)
{
    uint32_t bits = 0;

    for (size_t at = 0; at < len; at += 4) {
        unsigned type = get_be16(p + at);

        /* An experimenter's has 8 bytes, and none is known. */
        if (len - at < 4 || get_be16(p + at + 2) != 4 || type >= 32
            || !(all & said & 1u << type))
            return OFP_ERR_PROP_BAD_VALUE;
        bits |= 1u << type;
    }
    TAKE(*member, said, bits);
    return OFP_OK;
}

/* Whether the tables can be gone to is seen when all of them are known. */
static enum ofp_err
take_next_tables(struct ofp_limits_rule *r, const uint8_t *p, size_t len)
{
    memset(r->next, 0, sizeof r->next);
    for (size_t i = 0; i < len; i++) {
        if (p[i] >= DP_N_TABLES)
            return OFP_ERR_PROP_BAD_VALUE;
        r->next[p[i] / 64] |= UINT64_C(1) << p[i] % 64;
    }
    return OFP_OK;
}

struct fields {
    uint64_t all, said; /* Those that may be named. */
    uint64_t found, masks;
};

static enum ofp_err
take_fields(struct fields *f, uint8_t version, const uint8_t *p, size_t len)
{
    for (size_t at = 0; at < len;) {
        unsigned hlen;
        const struct flow_field *field = ofp_oxm_find(p + at, len - at,
                                                      version, &hlen);
        bool masked;
        uint64_t bit;

        if (!field || len - at < hlen)
            return OFP_ERR_PROP_BAD_VALUE;
        masked = p[at + 2] & 1;
        bit = UINT64_C(1) << (field - flow_fields);
        if (!(f->all & f->said & bit) || (masked && !field->maskable)
            || p[at + 3] != hlen - 4 + (flow_field_oxm_len(field) << masked))
            return OFP_ERR_PROP_BAD_VALUE;
        f->found |= bit;
        f->masks |= masked ? bit : 0;
        at += hlen;
    }
    return OFP_OK;
}

static enum ofp_err
take_field_set(uint64_t *member, uint64_t all, uint64_t said, uint8_t version,
               const uint8_t *p, size_t len)
{
    struct fields f = { .all = all, .said = said };
    enum ofp_err err = take_fields(&f, version, p, len);

    if (!err)
        TAKE(*member, said, f.found);
    return err;
}

static enum ofp_err
take_match(struct ofp_limits *l, const struct ofp_limits *all,
           uint8_t version, const uint8_t *p, size_t len)
{
    struct fields f = { .all = all->match, .said = said_fields(version) };
    enum ofp_err err = take_fields(&f, version, p, len);

    if (err)
        return err;
    TAKE(l->match, f.said, f.found);
    TAKE(l->masks, f.said, f.masks);
    return OFP_OK;
}

/* Just what add_packet_types writes. */
static enum ofp_err
take_packet_types(uint8_t version, const uint8_t *p, size_t len)
{
    uint8_t ours[32] = { 0 };
    struct writer w = { .version = version, .p = ours };

    add_packet_types(&w);
    return len == 8 && !memcmp(p, ours + 4, len) ? OFP_OK
                                                 : OFP_ERR_PROP_BAD_VALUE;
}

/* One of a pair: 'r' is that of rules or of the table-miss rule. */
static enum ofp_err
take_of_rule(struct ofp_limits_rule *r, const struct ofp_limits_rule *all,
             uint8_t version, unsigned type, const uint8_t *p, size_t len)
{
    uint64_t settable = said_settable(version), said = said_fields(version);

    switch (type) {
    case INSTRUCTIONS:
        return take_types(&r->instructions, all->instructions,
                          said_instructions(version), p, len);
    case NEXT_TABLES:
        return take_next_tables(r, p, len);
    case WRITE_ACTIONS:
        return take_types(&r->write_actions, all->write_actions,
                          said_actions(version), p, len);
    case APPLY_ACTIONS:
        return take_types(&r->apply_actions, all->apply_actions,
                          said_actions(version), p, len);
    case WRITE_SETFIELD:
        return take_field_set(&r->write_set, all->write_set, settable,
                              version, p, len);
    case APPLY_SETFIELD:
        return take_field_set(&r->apply_set, all->apply_set, settable,
                              version, p, len);
    case WRITE_COPYFIELD:
        return take_field_set(&r->write_copy, all->write_copy, said, version,
                              p, len);
    default:
        return take_field_set(&r->apply_copy, all->apply_copy, said, version,
                              p, len);
    }
}

static bool
is_of_rule(unsigned type, uint8_t version)
{
    if (type >= WRITE_COPYFIELD && type < PACKET_TYPES)
        return version >= OF_VERSION_1_5;
    return type < MATCH || (type >= WRITE_SETFIELD && type < 16);
}

enum ofp_err
ofp_limits_take(struct ofp_limits *l, const struct ofp_limits *all,
                uint8_t version, const uint8_t *p, size_t len,
                ofp_limits_seen *seen)
{
    unsigned type = get_be16(p), miss = type & 1;

    if (type >= EXPERIMENTER)
        return OFP_ERR_PROP_BAD_EXPERIMENTER;
    if (type < 32 && *seen >> type & 1)
        return OFP_ERR_PROP_DUP_TYPE;
    p += 4;
    len -= 4;
    if (type < 32)
        *seen |= 1u << type;
    if (is_of_rule(type, version))
        return take_of_rule(&l->rule[miss], &all->rule[miss], version,
                            type - miss, p, len);
    if (type == MATCH)
        return take_match(l, all, version, p, len);
    if (type == WILDCARDS)
        return take_field_set(&l->wildcards, all->wildcards,
                              said_fields(version), version, p, len);
    if (type == PACKET_TYPES && version >= OF_VERSION_1_5)
        return take_packet_types(version, p, len);
    return OFP_ERR_PROP_BAD_TYPE;
}

void
ofp_limits_taken(struct ofp_limits *l, ofp_limits_seen seen)
{
    const struct ofp_limits_rule *r = &l->rule[0];
    struct ofp_limits_rule *miss = &l->rule[1];

#define FOLLOW(type, member)                                                  \
    if (seen >> (type) & 1 && !(seen >> ((type) + 1) & 1))                    \
        miss->member = r->member
    FOLLOW(INSTRUCTIONS, instructions);
    FOLLOW(WRITE_ACTIONS, write_actions);
    FOLLOW(APPLY_ACTIONS, apply_actions);
    FOLLOW(WRITE_SETFIELD, write_set);
    FOLLOW(APPLY_SETFIELD, apply_set);
    FOLLOW(WRITE_COPYFIELD, write_copy);
    FOLLOW(APPLY_COPYFIELD, apply_copy);
#undef FOLLOW
    if (seen >> NEXT_TABLES & 1 && !(seen >> (NEXT_TABLES + 1) & 1))
        memcpy(miss->next, r->next, sizeof miss->next);
}
