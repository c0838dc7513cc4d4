/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors: how the generator tells the C runtime what a class looks like.
 *
 * What:    one struct of_class per class and version, with its members, the
 *          variable ones among them, and a perfect hash from discriminator
 *          values to subclasses.
 * Model:   a member's place is 'offset' bytes behind the end of member
 *          'base', or behind the start of the object without base.
 * Threads: any; all of it is constant.
 * Owns:    nothing.  Errors: none. */
#ifndef OF_BINDINGS_DESC_H
#define OF_BINDINGS_DESC_H

#include "loci/of_object.h"

#define OF_NO_MEMBER 0xff

enum of_kind {
    OF_KIND_INT,
    OF_KIND_PORT,   /* 16 bits in 1.0, else 32. */
    OF_KIND_BYTES,
    OF_KIND_WORDS,
    OF_KIND_OCTETS, /* From here on: not scalars. */
    OF_KIND_LIST,
    OF_KIND_OBJECT,
    OF_KIND_MATCH,
};

/* How printers write a scalar. */
enum of_format {
    OF_FORMAT_DECIMAL,
    OF_FORMAT_HEX,
    OF_FORMAT_PORT,
    OF_FORMAT_IPV4,
    OF_FORMAT_IPV6,
    OF_FORMAT_MAC,
    OF_FORMAT_STRING,
    OF_FORMAT_BYTES,
};

enum of_role {
    OF_ROLE_DATA,
    OF_ROLE_DISC,     /* Its value chooses the subclass. */
    OF_ROLE_FIXED,    /* Always 'value'. */
    OF_ROLE_LENGTH,   /* Of the object. */
    OF_ROLE_FIELDLEN, /* Of another member, which has it as counted_by. */
    OF_ROLE_VERSION,
};

struct of_member {
    const char *name;
    uint64_t value;
    uint16_t offset;
    uint16_t width;     /* Scalars. */
    uint16_t min_size;
    uint16_t min_at;    /* Offset when all before have their minimum. */
    uint16_t tail;      /* Fixed bytes behind it. */
    int16_t cls;        /* Class of list, object or match. */
    int16_t enum_id;    /* -1: none. */
    uint8_t base;
    uint8_t counted_by;
    uint8_t kind;       /* enum of_kind */
    uint8_t role;       /* enum of_role */
    uint8_t format;     /* enum of_format */
    uint8_t variable;
};

struct of_slot {
    uint32_t key;
    int16_t id;
};

struct of_dispatch {
    const struct of_slot *slots;
    uint32_t mul;
    uint32_t shift;
};

enum of_class_flags {
    OF_CLASS_VARIABLE = 1 << 0,
    OF_CLASS_ALIGN_INCLUDED = 1 << 1, /* The length counts the pad. */
    OF_CLASS_TLV32 = 1 << 2,          /* OXM: last header byte is length. */
    OF_CLASS_OXM_ID = 1 << 3,         /* OXM header; 8 bytes if experimenter. */
    OF_CLASS_VIRTUAL = 1 << 4,        /* Has a discriminator. */
    OF_CLASS_OXM = 1 << 5,            /* of_oxm: decoded by of_oxm_find. */
    OF_CLASS_MATCH_ENDS = 1 << 6,     /* As long as its last member, a match
                                       * of 1.2 or later, says. */
};

/* Which error a fault inside a class is. */
enum of_family {
    OF_FAMILY_REQUEST,
    OF_FAMILY_ACTION,
    OF_FAMILY_INSTRUCTION,
    OF_FAMILY_MATCH,
    OF_FAMILY_OXM,
    OF_FAMILY_BUCKET,
    OF_FAMILY_TABLE_PROP,
    OF_FAMILY_TABLE_FEATURES,
    OF_FAMILY_PROP,
    OF_FAMILY_HELLO_ELEM,
    OF_FAMILY_STAT, /* In a request: thresholds of an instruction. */
};

/* What an unknown discriminator means.  Elsewhere it is the receiver's to
 * answer: the object then has the virtual class itself. */
enum of_refusal {
    OF_REFUSE_NOTHING,
    OF_REFUSE_TYPE,
    OF_REFUSE_STATS_TYPE,
    OF_REFUSE_FLOW_COMMAND,
    OF_REFUSE_GROUP_COMMAND,
};

struct of_class {
    const struct of_member *members;
    const uint8_t *vars;                /* Indexes of variable members. */
    const struct of_dispatch *dispatch; /* NULL: no subclasses. */
    int16_t id, parent, root;
    uint16_t min_size;                  /* With the pad. */
    uint16_t content_size;              /* Without. */
    uint16_t disc_offset;
    uint8_t disc_width;
    uint8_t n_members, n_vars;
    uint8_t length_offset;              /* OF_NO_MEMBER: no length. */
    uint8_t align;                      /* Power of two; 1: none. */
    uint8_t flags;
    uint8_t family;                     /* enum of_family, of the root. */
    uint8_t refusal;                    /* enum of_refusal */
};

extern const struct of_class *const
    of_class_table[OF_LIST_OBJECT_FIRST][OF_VERSION_COUNT];
extern const int16_t of_list_elements[]; /* By list id - LIST_FIRST. */

struct of_enum_entry {
    uint64_t value;
    uint8_t is_virtual; /* A mask or an alias: not printed as a flag. */
    const char *name;
};

struct of_enum {
    const struct of_enum_entry *entries;
    uint16_t n;
    uint8_t bitmask;
};
extern const struct of_enum of_enum_table[][OF_VERSION_COUNT];

/* What must be matched before a field may be: OpenFlow 1.3.5 Table 11. */
enum of_prereq {
    OF_PREREQ_NONE,
    OF_PREREQ_IN_PORT,
    OF_PREREQ_VLAN,
    OF_PREREQ_IP,
    OF_PREREQ_IPV4,
    OF_PREREQ_IPV6,
    OF_PREREQ_ARP,
    OF_PREREQ_MPLS,
    OF_PREREQ_PBB,
    OF_PREREQ_TCP,
    OF_PREREQ_UDP,
    OF_PREREQ_SCTP,
    OF_PREREQ_ICMPV4,
    OF_PREREQ_ICMPV6,
    OF_PREREQ_ND,
    OF_PREREQ_ND_SOLICIT,
    OF_PREREQ_ND_ADVERT,
};

struct of_oxm_field {
    const char *name;
    uint32_t experimenter; /* 0: none. */
    uint32_t type_len;     /* Header of the form without mask. */
    int16_t id, masked_id; /* OF_OBJECT_INVALID: no mask allowed. */
    uint16_t at;           /* In of_match_fields_t. */
    uint8_t width;         /* Value's bytes on the wire. */
    uint8_t bits;          /* Significant ones. */
    uint8_t kind;
    uint8_t format;
    uint8_t prereq;
    uint8_t versions;      /* Bit v: defined in wire version v. */
};
extern const struct of_oxm_field of_oxm_fields[];
extern const unsigned of_n_oxm_fields;
extern const struct of_dispatch of_oxm_dispatch;

/* The field of an OXM header in the version, or NULL.  'experimenter' counts
 * only for class 0xffff. */
const struct of_oxm_field *of_oxm_find(uint32_t type_len,
                                       uint32_t experimenter,
                                       of_version_t);

/* Bytes of a field's value in of_match_fields_t. */
unsigned of_field_native_size(const struct of_oxm_field *);
/* From there to f->width bytes in wire order. */
void of_field_store(const struct of_oxm_field *, const void *from,
                    uint8_t *to);

static inline const struct of_class *
of_class_get(int id, of_version_t version)
{
    if ((unsigned) id >= OF_LIST_OBJECT_FIRST
        || (unsigned) version >= OF_VERSION_COUNT)
        return NULL;
    return of_class_table[id][version];
}

static inline bool
of_is_list(int id)
{
    return id >= OF_LIST_OBJECT_FIRST && id < OF_OBJECT_COUNT;
}

static inline unsigned
of_round_up(unsigned n, unsigned align)
{
    return (n + align - 1) & ~(align - 1); /* align is a power of two. */
}

/* Big-endian integer of 1 to 8 bytes. */
static inline uint64_t
of_get_uint(const uint8_t *p, unsigned width)
{
    uint64_t v = 0;

    switch (width) {
    case 1:
        return *p;
    case 2:
        return get_be16(p);
    case 4:
        return get_be32(p);
    case 8:
        return get_be64(p);
    }
    for (unsigned i = 0; i < width; i++)
        v = v << 8 | p[i];
    return v;
}

static inline void
of_put_uint(uint8_t *p, unsigned width, uint64_t v)
{
    for (unsigned i = width; i-- > 0; v >>= 8)
        p[i] = (uint8_t) v;
}

/* Class of the bytes at 'p', an instance of 'cls' or of a subclass; 'avail'
 * bytes may be read.  The deepest class whose discriminators agree. */
const struct of_class *of_class_decode(const struct of_class *cls,
                                       of_version_t, const uint8_t *p,
                                       unsigned avail);
/* Length of the bytes at 'p' as their header says, without pad; at least
 * cls->content_size bytes may be read. */
unsigned of_class_length(const struct of_class *cls, const uint8_t *p);
/* The same with the pad that follows. */
unsigned of_class_total(const struct of_class *cls, unsigned length);

/* Replaces 'old' bytes at 'at' of obj by 'size' zero bytes; corrects the
 * lengths of obj and its parents.  0 or OF_ERROR_RESOURCE. */
WEFT_MUST_CHECK int of_object_splice(of_object_t *, unsigned at, unsigned old,
                                     unsigned size);
/* Bytes that member 'index' takes, with pad. */
unsigned of_member_size(const of_object_t *, unsigned index, unsigned at);

#endif
