/* SPDX-License-Identifier: Apache-2.0 */
#include "loci/loci_show.h"

#include <inttypes.h>

#include "ofproto/bindings/of_desc.h"

#define MAX_DEPTH 12
#define MAX_OCTETS 64 /* Bytes of data that are written out. */

struct printer {
    loci_writer_f write;
    void *cookie;
    bool lines; /* dump: a line per member. */
    unsigned depth;
    int total;  /* Written, or the writer's error. */
};

#define PUT(p, ...)                                                           \
    do {                                                                      \
        if ((p)->total >= 0)                                                  \
            put_result(p, (p)->write((p)->cookie, __VA_ARGS__));              \
    } while (0)

static void
put_result(struct printer *p, int n)
{
    p->total = n < 0 ? n : p->total + n;
}

/* Between two parts: a blank, or a new line with its indentation. */
static void
put_break(struct printer *p)
{
    if (p->lines)
        PUT(p, "\n%*s", (int) p->depth * 2, "");
    else
        PUT(p, " ");
}

static void
put_hex(struct printer *p, const uint8_t *bytes, unsigned n)
{
    for (unsigned i = 0; i < n && i < MAX_OCTETS; i++)
        PUT(p, "%02x", bytes[i]);
    if (n > MAX_OCTETS)
        PUT(p, "...");
}

/* 'text' may lack a terminator and may hold anything. */
static void
put_string(struct printer *p, const uint8_t *text, unsigned size)
{
    PUT(p, "\"");
    for (unsigned i = 0; i < size && text[i]; i++) {
        if (text[i] < ' ' || text[i] >= 0x7f || text[i] == '"'
            || text[i] == '\\')
            PUT(p, "\\x%02x", text[i]);
        else
            PUT(p, "%c", text[i]);
    }
    PUT(p, "\"");
}

static void
put_port(struct printer *p, uint32_t port)
{
    static const char *const names[] = {
        [0xfffffff8 & 15] = "IN_PORT",    [0xfffffff9 & 15] = "TABLE",
        [0xfffffffa & 15] = "NORMAL",     [0xfffffffb & 15] = "FLOOD",
        [0xfffffffc & 15] = "ALL",        [0xfffffffd & 15] = "CONTROLLER",
        [0xfffffffe & 15] = "LOCAL",      [0xffffffff & 15] = "ANY",
    };

    if (port >= 0xfffffff8)
        PUT(p, "%s", names[port & 15]);
    else
        PUT(p, "%" PRIu32, port);
}

static void
put_ipv6(struct printer *p, const uint8_t *a)
{
    /* Every group: stable, and without the :: rules. */
    for (unsigned i = 0; i < 16; i += 2)
        PUT(p, "%s%x", i ? ":" : "", get_be16(a + i));
}

/* A scalar in wire order. */
static void
put_scalar(struct printer *p, enum of_format format, const uint8_t *v,
           unsigned width)
{
    switch (format) {
    case OF_FORMAT_DECIMAL:
        PUT(p, "%" PRIu64, of_get_uint(v, width));
        return;
    case OF_FORMAT_PORT:
        put_port(p, width == 2 ? of_port_from_16(get_be16(v)) : get_be32(v));
        return;
    case OF_FORMAT_IPV4:
        PUT(p, "%u.%u.%u.%u", v[0], v[1], v[2], v[3]);
        return;
    case OF_FORMAT_IPV6:
        put_ipv6(p, v);
        return;
    case OF_FORMAT_MAC:
        PUT(p, "%02x:%02x:%02x:%02x:%02x:%02x", v[0], v[1], v[2], v[3], v[4],
            v[5]);
        return;
    case OF_FORMAT_STRING:
        put_string(p, v, width);
        return;
    case OF_FORMAT_HEX:
        if (width <= 8) {
            PUT(p, "0x%" PRIx64, of_get_uint(v, width));
            return;
        }
        break;
    case OF_FORMAT_BYTES:
        break;
    }
    put_hex(p, v, width);
}

/* Flags by name joined with |, what has no name in hex. */
static void
put_flags(struct printer *p, const struct of_enum *e, uint64_t value)
{
    const char *sep = "";

    for (unsigned i = 0; i < e->n; i++) {
        const struct of_enum_entry *x = &e->entries[i];

        if (x->is_virtual || !x->value || (value & x->value) != x->value)
            continue;
        PUT(p, "%s%s", sep, x->name);
        sep = "|";
        value &= ~x->value;
    }
    if (value || !*sep)
        PUT(p, "%s0x%" PRIx64, sep, value);
}

static void
put_enum(struct printer *p, const struct of_enum *e, uint64_t value)
{
    if (e->bitmask) {
        put_flags(p, e, value);
        return;
    }
    for (unsigned i = 0; i < e->n; i++)
        if (e->entries[i].value == value && !e->entries[i].is_virtual) {
            PUT(p, "%s", e->entries[i].name);
            return;
        }
    PUT(p, "%" PRIu64, value);
}

static void put_object(struct printer *, of_object_t *);

static void
put_list(struct printer *p, of_object_t *list)
{
    of_object_t elem;
    int rv, n = 0;

    PUT(p, "[");
    p->depth++;
    for (rv = of_list_first(list, &elem); rv == OF_ERROR_NONE;
         rv = of_list_next(list, &elem)) {
        if (n++ || p->lines)
            put_break(p);
        put_object(p, &elem);
    }
    p->depth--;
    PUT(p, "]");
}

/* A match member: the flat form when it reads, else its parts. */
static void
put_match(struct printer *p, of_object_t *wire)
{
    of_match_t match;
    int rv = wire->version == OF_VERSION_1_0
                 ? of_match_v1_to_match(wire, &match)
                 : of_match_v3_to_match(wire, &match);
    int n;

    if (rv) {
        put_object(p, wire);
        return;
    }
    PUT(p, "{");
    if (p->total >= 0) {
        n = loci_show_match(p->write, p->cookie, &match);
        put_result(p, n);
    }
    PUT(p, "}");
}

static void
put_member(struct printer *p, of_object_t *obj, const struct of_member *m,
           unsigned index)
{
    of_octets_t octets;
    of_object_t child;
    const uint8_t *v;

    put_break(p);
    PUT(p, "%s=", m->name);
    switch (m->kind) {
    case OF_KIND_OCTETS:
        of_octets_load(obj, index, &octets);
        PUT(p, "%d:", octets.bytes);
        put_hex(p, octets.data, (unsigned) octets.bytes);
        return;
    case OF_KIND_LIST:
        of_member_bind(obj, index, &child);
        put_list(p, &child);
        return;
    case OF_KIND_MATCH:
        of_member_bind(obj, index, &child);
        put_match(p, &child);
        return;
    case OF_KIND_OBJECT:
        of_member_bind(obj, index, &child);
        put_object(p, &child);
        return;
    }
    v = of_member_at(obj, of_member_offset(obj, index), m->width);
    if (!v)
        PUT(p, "?");
    else if (m->enum_id >= 0)
        put_enum(p, &of_enum_table[m->enum_id][obj->version],
                 of_get_uint(v, m->width));
    else
        put_scalar(p, m->format, v, m->width);
}

static void
put_object(struct printer *p, of_object_t *obj)
{
    const struct of_class *cls = of_class_get(obj->object_id, obj->version);

    if (of_is_list(obj->object_id)) {
        put_list(p, obj);
        return;
    }
    PUT(p, "%s", of_class_name(obj));
    if (!cls || p->depth >= MAX_DEPTH)
        return;
    PUT(p, " {");
    p->depth++;
    for (unsigned i = 0; i < cls->n_members; i++) {
        const struct of_member *m = &cls->members[i];

        if (m->role == OF_ROLE_DATA || m->role == OF_ROLE_DISC)
            put_member(p, obj, m, i);
    }
    if (cls->flags & OF_CLASS_OXM_ID && obj->length > cls->content_size) {
        put_break(p);
        PUT(p, "experimenter=0x%x", of_u32_load(obj, 4));
    }
    p->depth--;
    PUT(p, " }");
}

static int
print(loci_writer_f write, void *cookie, of_object_t *obj, bool lines)
{
    struct printer p = {.write = write, .cookie = cookie, .lines = lines};

    put_object(&p, obj);
    if (lines)
        PUT(&p, "\n");
    return p.total;
}

int
of_object_show(loci_writer_f write, void *cookie, of_object_t *obj)
{
    return print(write, cookie, obj, false);
}

int
of_object_dump(loci_writer_f write, void *cookie, of_object_t *obj)
{
    return print(write, cookie, obj, true);
}

/* The flat match: fields in wire form again, then as any scalar. */

static void
put_field(struct printer *p, const struct of_oxm_field *f,
          const of_match_t *match)
{
    const uint8_t *value = (const uint8_t *) &match->fields + f->at;
    const uint8_t *mask = (const uint8_t *) &match->masks + f->at;
    unsigned n = of_field_native_size(f);
    uint8_t wire[64];

    of_field_store(f, value, wire);
    PUT(p, "%s=", f->name);
    put_scalar(p, f->format, wire, f->width);
    if (of_bytes_are(mask, 0xff, n))
        return;
    of_field_store(f, mask, wire);
    PUT(p, "/");
    put_scalar(p, f->format == OF_FORMAT_DECIMAL || f->format == OF_FORMAT_PORT
                      ? OF_FORMAT_HEX
                      : (enum of_format) f->format,
               wire, f->width);
}

static int
print_match(loci_writer_f write, void *cookie, const of_match_t *match,
            bool lines)
{
    struct printer p = {.write = write, .cookie = cookie};
    bool first = true;

    for (unsigned i = 0; i < of_n_oxm_fields; i++) {
        const struct of_oxm_field *f = &of_oxm_fields[i];

        if (of_bytes_are((const uint8_t *) &match->masks + f->at, 0,
                         of_field_native_size(f)))
            continue;
        if (!first && !lines)
            PUT(&p, " ");
        first = false;
        put_field(&p, f, match);
        if (lines)
            PUT(&p, "\n");
    }
    return p.total;
}

int
loci_show_match(loci_writer_f write, void *cookie, const of_match_t *match)
{
    return print_match(write, cookie, match, false);
}

int
loci_dump_match(loci_writer_f write, void *cookie, const of_match_t *match)
{
    return print_match(write, cookie, match, true);
}
