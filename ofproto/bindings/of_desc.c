/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/bindings/of_desc.h"

#define ONF_EXPERIMENTER_CLASS 0xffffu

const char *const of_error_strings[] = {
    "none",  "resource", "param", "version", "range",
    "compat", "parse",   "init",  "unknown",
};

void (*loci_logger)(const char *text);

static int
slot_find(const struct of_dispatch *d, uint32_t key)
{
    const struct of_slot *s = &d->slots[key * d->mul >> d->shift];

    return s->key == key ? s->id : OF_OBJECT_INVALID;
}

const struct of_oxm_field *
of_oxm_find(uint32_t type_len, uint32_t experimenter, of_version_t version)
{
    const struct of_oxm_field *f;
    uint32_t key;
    int i;

    if (type_len >> 16 != ONF_EXPERIMENTER_CLASS)
        experimenter = 0;
    /* The generator computes the same key, and proves it unique. */
    key = (type_len >> 9) + experimenter * 0x9e3779b1u;
    i = slot_find(&of_oxm_dispatch, key);
    if (i < 0)
        return NULL;
    f = &of_oxm_fields[i];
    if (f->type_len >> 9 != type_len >> 9 || f->experimenter != experimenter
        || !(f->versions >> version & 1))
        return NULL;
    return f;
}

/* An OXM of a known field, masked or not; of_oxm itself when the field is
 * unknown or may not be masked. */
static const struct of_class *
oxm_decode(const struct of_class *oxm, of_version_t version, const uint8_t *p,
           unsigned avail)
{
    const struct of_oxm_field *f;
    uint32_t type_len = get_be32(p);
    int id;

    f = of_oxm_find(type_len, avail >= 8 ? get_be32(p + 4) : 0, version);
    if (!f)
        return oxm;
    id = type_len & 0x100 ? f->masked_id : f->id;
    return id == OF_OBJECT_INVALID ? oxm : of_class_table[id][version];
}

const struct of_class *
of_class_decode(const struct of_class *cls, of_version_t version,
                const uint8_t *p, unsigned avail)
{
    if (cls->flags & OF_CLASS_OXM)
        return avail < 4 ? cls : oxm_decode(cls, version, p, avail);
    while (cls->dispatch) {
        uint64_t key;
        int id;

        if ((unsigned) cls->disc_offset + cls->disc_width > avail)
            return cls;
        key = of_get_uint(p + cls->disc_offset, cls->disc_width);
        id = slot_find(cls->dispatch, (uint32_t) key);
        if (id == OF_OBJECT_INVALID)
            return cls;
        cls = of_class_table[id][version];
    }
    return cls;
}

unsigned
of_class_length(const struct of_class *cls, const uint8_t *p)
{
    if (cls->flags & OF_CLASS_TLV32)
        return 4u + p[3];
    if (cls->flags & OF_CLASS_OXM_ID)
        return get_be16(p) == ONF_EXPERIMENTER_CLASS ? 8 : 4;
    if (cls->length_offset != OF_NO_MEMBER)
        return get_be16(p + cls->length_offset);
    if (cls->flags & OF_CLASS_MATCH_ENDS) {
        unsigned at = cls->members[cls->n_members - 1].offset;

        return at + of_round_up(get_be16(p + at + 2), 8); /* Its pad, too. */
    }
    return cls->content_size;
}

unsigned
of_class_total(const struct of_class *cls, unsigned length)
{
    return of_round_up(length, cls->align);
}
