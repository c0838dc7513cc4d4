/* SPDX-License-Identifier: Apache-2.0 */
#include "loci/of_object.h"

#include <stdio.h>
#include <stdlib.h>

#include "ofproto/bindings/of_desc.h"

#define HEADROOM 128 /* A new variable object's first spare bytes. */

static const struct of_class *
class_of(const of_object_t *obj)
{
    return of_class_get(obj->object_id, obj->version);
}

const char *
of_class_name(const of_object_t *obj)
{
    if ((unsigned) obj->object_id >= OF_OBJECT_COUNT)
        return "of_unknown";
    return of_object_id_str[obj->object_id];
}

void
of_absent(const of_object_t *obj, unsigned offset)
{
    char text[120];

    if (!loci_logger)
        return;
    snprintf(text, sizeof text,
             "%s of wire version %u, %d bytes: no member at offset %u",
             of_class_name(obj), (unsigned) obj->version, obj->length, offset);
    loci_logger(text);
}

bool
of_bytes_are(const void *bytes, uint8_t value, size_t n)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < n; i++)
        if (p[i] != value)
            return false;
    return true;
}

uint64_t
of_uint_load(const of_object_t *obj, unsigned offset, unsigned width)
{
    const uint8_t *p = of_member_at(obj, offset, width);

    return p ? of_get_uint(p, width) : 0;
}

void
of_uint_store(of_object_t *obj, unsigned offset, unsigned width,
              uint64_t value)
{
    uint8_t *p = of_member_at(obj, offset, width);

    if (p)
        of_put_uint(p, width, value);
}

void
of_words_load(const of_object_t *obj, unsigned offset, unsigned width,
              void *to)
{
    const uint8_t *p = of_member_at(obj, offset, width);
    uint8_t *out = to;

    for (unsigned i = 0; i < width; i += 8) {
        uint64_t v = p ? get_be64(p + i) : 0;

        memcpy(out + i, &v, sizeof v);
    }
}

void
of_words_store(of_object_t *obj, unsigned offset, unsigned width,
               const void *from)
{
    uint8_t *p = of_member_at(obj, offset, width);
    const uint8_t *in = from;

    for (unsigned i = 0; p && i < width; i += 8) {
        uint64_t v;

        memcpy(&v, in + i, sizeof v);
        put_be64(p + i, v);
    }
}

/* Writes what the class fixes into a minimal, zeroed image. */
static void
image_stamp(const struct of_class *cls, of_version_t version, uint8_t *p,
            unsigned length)
{
    for (unsigned i = 0; i < cls->n_members; i++) {
        const struct of_member *m = &cls->members[i];
        uint8_t *at = p + m->min_at;

        if (m->role == OF_ROLE_FIXED)
            of_put_uint(at, m->width, m->value);
        else if (m->role == OF_ROLE_VERSION)
            *at = (uint8_t) version;
        else if (m->role == OF_ROLE_LENGTH)
            put_be16(at, (uint16_t) length);
        else if (m->kind == OF_KIND_OBJECT || m->kind == OF_KIND_MATCH) {
            const struct of_class *sub = of_class_get(m->cls, version);

            image_stamp(sub, version, at, sub->content_size);
        }
    }
}

static unsigned
class_initial_length(const struct of_class *cls)
{
    return cls->flags & OF_CLASS_ALIGN_INCLUDED ? cls->min_size
                                                : cls->content_size;
}

/* An object with its own buffer of at least 'alloc' zero bytes. */
static of_object_t *
object_alloc(of_version_t version, int id, unsigned alloc)
{
    of_object_storage_t *s = calloc(1, sizeof *s);
    uint8_t *buf = calloc(1, alloc ? alloc : 1);

    if (!s || !buf) {
        free(s);
        free(buf);
        return NULL;
    }
    s->wbuf.buf = buf;
    s->wbuf.alloc_bytes = (int) (alloc ? alloc : 1);
    s->wbuf.free = free;
    s->obj.wbuf = &s->wbuf;
    s->obj.version = version;
    s->obj.object_id = (of_object_id_t) id;
    return &s->obj;
}

of_object_t *
of_object_create(of_version_t version, of_object_id_t id)
{
    const struct of_class *cls = of_class_get(id, version);
    of_object_t *obj;

    if (!cls && !(of_is_list(id) && OF_VERSION_OKAY(version)))
        return NULL;
    if (!cls)
        return object_alloc(version, id, HEADROOM);
    obj = object_alloc(version, id,
                       cls->min_size
                           + (cls->n_vars ? (unsigned) HEADROOM : 0));
    if (!obj)
        return NULL;
    obj->length = (int) class_initial_length(cls);
    obj->wbuf->current_bytes = cls->min_size;
    image_stamp(cls, version, obj->wbuf->buf, (unsigned) obj->length);
    return obj;
}

void
of_object_delete(of_object_t *obj)
{
    if (!obj)
        return;
    if (!obj->parent && obj->wbuf && obj->wbuf->free)
        obj->wbuf->free(obj->wbuf->buf);
    free(obj); /* First member of its of_object_storage_t. */
}

/* Bytes of obj with its pad, as far as they are in the parent. */
static unsigned
object_total(const of_object_t *obj)
{
    const struct of_class *cls = class_of(obj);
    unsigned total = (unsigned) obj->length, room;

    if (!cls || cls->flags & OF_CLASS_ALIGN_INCLUDED)
        return total;
    total = of_class_total(cls, total);
    room = (unsigned) ((obj->parent
                            ? obj->parent->obj_offset + obj->parent->length
                            : obj->wbuf->current_bytes)
                       - obj->obj_offset);
    return total < room ? total : room;
}

of_object_t *
of_object_dup(const of_object_t *obj)
{
    unsigned total = object_total(obj);
    of_object_t *copy = object_alloc(obj->version, obj->object_id, total);

    if (!copy)
        return NULL;
    copy->length = obj->length;
    copy->wbuf->current_bytes = (int) total;
    if (total)
        memcpy(copy->wbuf->buf, OF_OBJECT_BUFFER_INDEX(obj, 0), total);
    return copy;
}

void
of_object_setup(of_object_t *obj, of_version_t version, of_object_id_t id,
                int bytes, int clean)
{
    const struct of_class *cls = of_class_get(id, version);

    if (clean) {
        obj->wbuf = NULL;
        obj->parent = NULL;
        obj->obj_offset = 0;
    }
    obj->version = version;
    obj->object_id = id;
    obj->length = bytes;
    if (bytes < 0)
        obj->length = cls ? (int) class_initial_length(cls) : 0;
}

void
of_object_wire_buffer_steal(of_object_t *obj, uint8_t **buf)
{
    *buf = obj->wbuf->buf;
    obj->wbuf->buf = NULL;
    obj->wbuf->free = NULL;
    obj->wbuf->alloc_bytes = obj->wbuf->current_bytes = 0;
    obj->length = 0;
}

void
of_object_xid_get(const of_object_t *obj, uint32_t *xid)
{
    *xid = of_u32_load(obj, 4);
}

void
of_object_xid_set(of_object_t *obj, uint32_t xid)
{
    of_u32_store(obj, 4, xid);
}

/* Place and size of members. */

unsigned
of_member_size(const of_object_t *obj, unsigned index, unsigned at)
{
    const struct of_class *cls = class_of(obj);
    const struct of_member *m = &cls->members[index];
    unsigned length = (unsigned) obj->length, size, room;

    if (!m->variable)
        return m->min_size;
    if (at + m->tail > length)
        return 0;
    room = length - at - m->tail;
    if (m->counted_by != OF_NO_MEMBER) {
        const struct of_member *n = &cls->members[m->counted_by];
        unsigned n_at = of_member_offset(obj, m->counted_by);

        size = (unsigned) of_uint_load(obj, n_at, n->width);
    } else if (m->kind == OF_KIND_OBJECT || m->kind == OF_KIND_MATCH) {
        const struct of_class *sub = of_class_get(m->cls, obj->version);
        const uint8_t *p = OF_OBJECT_BUFFER_INDEX(obj, at);

        if (room < sub->content_size)
            return room;
        size = of_class_total(sub, of_class_length(sub, p));
    } else {
        size = room;
    }
    return size < room ? size : room;
}

unsigned
of_member_offset(const of_object_t *obj, unsigned index)
{
    const struct of_class *cls = class_of(obj);
    const struct of_member *m;
    unsigned base;

    if (!cls || index >= cls->n_members)
        return OF_ABSENT;
    m = &cls->members[index];
    if (m->base == OF_NO_MEMBER)
        return m->offset;
    base = of_member_offset(obj, m->base); /* As deep as variable members. */
    return base + of_member_size(obj, m->base, base) + m->offset;
}

/* A view of nothing, for members that are not there. */
static void
bind_nothing(of_object_t *obj, of_object_t *child)
{
    *child = (of_object_t) {
        .wbuf = obj->wbuf,
        .obj_offset = obj->obj_offset,
        .object_id = OF_OBJECT_INVALID,
        .parent = obj,
        .version = obj->version,
    };
}

/* Makes 'child' the instance of 'root' at 'at' of obj, at most room bytes. */
static void
bind_instance(of_object_t *obj, const struct of_class *root, unsigned at,
              unsigned room, of_object_t *child)
{
    const uint8_t *p = OF_OBJECT_BUFFER_INDEX(obj, at);
    const struct of_class *cls = of_class_decode(root, obj->version, p, room);
    unsigned length = room;

    if (room >= root->content_size)
        length = of_class_length(root, p);
    child->wbuf = obj->wbuf;
    child->obj_offset = obj->obj_offset + (int) at;
    child->object_id = (of_object_id_t) cls->id;
    child->parent = obj;
    child->length = (int) (length < room ? length : room);
    child->version = obj->version;
}

void
of_member_bind(of_object_t *obj, unsigned index, of_object_t *child)
{
    const struct of_class *cls = class_of(obj);
    const struct of_member *m;
    unsigned at, size;

    bind_nothing(obj, child);
    at = of_member_offset(obj, index);
    if (at > (unsigned) obj->length || index >= cls->n_members) {
        of_absent(obj, at);
        return;
    }
    m = &cls->members[index];
    size = of_member_size(obj, index, at);
    child->object_id = (of_object_id_t) m->cls;
    if (m->kind == OF_KIND_LIST) {
        child->obj_offset = obj->obj_offset + (int) at;
        child->length = (int) size;
        return;
    }
    if (at + size <= (unsigned) obj->length)
        bind_instance(obj, of_class_get(m->cls, obj->version), at, size,
                      child);
}

of_object_t *
of_member_copy(of_object_t *obj, unsigned index)
{
    of_object_t child;

    of_member_bind(obj, index, &child);
    return child.object_id == OF_OBJECT_INVALID ? NULL : of_object_dup(&child);
}

/* Stores a new length into the member that counts member 'index'. */
static void
counter_store(of_object_t *obj, const struct of_class *cls, unsigned index,
              unsigned size)
{
    unsigned by = cls->members[index].counted_by;

    if (by != OF_NO_MEMBER)
        of_uint_store(obj, of_member_offset(obj, by), cls->members[by].width,
                      size);
}

/* Room for 'size' bytes in place of variable member 'index': its offset, or
 * a negative error. */
static int
member_resize(of_object_t *obj, unsigned index, unsigned size)
{
    const struct of_class *cls = class_of(obj);
    unsigned at = of_member_offset(obj, index);
    int rv;

    if (at > (unsigned) obj->length || index >= cls->n_members) {
        of_absent(obj, at);
        return OF_ERROR_COMPAT;
    }
    rv = of_object_splice(obj, at, of_member_size(obj, index, at), size);
    if (rv)
        return rv;
    counter_store(obj, cls, index, size);
    return (int) at;
}

int
of_member_replace(of_object_t *obj, unsigned index, const of_object_t *child)
{
    unsigned total = object_total(child);
    uint8_t *from = OF_OBJECT_BUFFER_INDEX(child, 0);
    uint8_t *copy = NULL;
    int at;

    if (child->wbuf == obj->wbuf) {
        /* A part of obj moves while obj changes. */
        copy = malloc(total ? total : 1);
        if (!copy)
            return OF_ERROR_RESOURCE;
        memcpy(copy, from, total);
        from = copy;
    }
    at = member_resize(obj, index, total);
    if (at >= 0 && total)
        memcpy(OF_OBJECT_BUFFER_INDEX(obj, at), from, total);
    free(copy);
    return at < 0 ? at : OF_ERROR_NONE;
}

void
of_octets_load(const of_object_t *obj, unsigned index, of_octets_t *octets)
{
    unsigned at = of_member_offset(obj, index);

    octets->data = NULL;
    octets->bytes = 0;
    if (at > (unsigned) obj->length || !obj->wbuf) {
        of_absent(obj, at);
        return;
    }
    octets->data = OF_OBJECT_BUFFER_INDEX(obj, at);
    octets->bytes = (int) of_member_size(obj, index, at);
}

int
of_octets_store(of_object_t *obj, unsigned index, const of_octets_t *octets)
{
    int at;

    if (octets->bytes < 0 || octets->bytes > OF_WIRE_BUFFER_MAX_LENGTH)
        return OF_ERROR_PARAM;
    at = member_resize(obj, index, (unsigned) octets->bytes);
    if (at < 0)
        return at;
    if (octets->bytes)
        memcpy(OF_OBJECT_BUFFER_INDEX(obj, at), octets->data,
               (size_t) octets->bytes);
    return OF_ERROR_NONE;
}

/* Lists. */

static const struct of_class *
element_class(const of_object_t *list)
{
    if (!of_is_list(list->object_id))
        return NULL;
    return of_class_get(
        of_list_elements[list->object_id - OF_LIST_OBJECT_FIRST],
        list->version);
}

static int
list_bind(const of_object_t *list, unsigned at, of_object_t *elem)
{
    const struct of_class *root = element_class(list);
    unsigned room;

    if (!root || at >= (unsigned) list->length)
        return OF_ERROR_RANGE;
    room = (unsigned) list->length - at;
    if (room < root->content_size)
        return OF_ERROR_RANGE;
    /* The views' chain is written through when an element grows. */
    bind_instance((of_object_t *) (uintptr_t) list, root, at, room, elem);
    return elem->length ? OF_ERROR_NONE : OF_ERROR_RANGE;
}

int
of_list_first(const of_object_t *list, of_object_t *elem)
{
    return list_bind(list, 0, elem);
}

int
of_list_next(const of_object_t *list, of_object_t *elem)
{
    unsigned at = (unsigned) (elem->obj_offset - list->obj_offset);

    if (elem->length <= 0)
        return OF_ERROR_RANGE;
    return list_bind(list, at + object_total(elem), elem);
}

int
of_list_append(of_object_t *list, const of_object_t *elem)
{
    const struct of_class *root = element_class(list);
    unsigned at = (unsigned) list->length;
    unsigned bytes = object_total(elem), total = bytes;
    int rv;

    if (!root || list->version != elem->version || elem->wbuf == list->wbuf)
        return OF_ERROR_PARAM;
    if (!(root->flags & OF_CLASS_ALIGN_INCLUDED))
        total = of_class_total(root, (unsigned) elem->length);
    rv = of_object_splice(list, at, 0, total);
    if (rv)
        return rv;
    memcpy(OF_OBJECT_BUFFER_INDEX(list, at), OF_OBJECT_BUFFER_INDEX(elem, 0),
           bytes);
    return OF_ERROR_NONE;
}

int
of_list_append_bind(of_object_t *list, of_object_t *elem)
{
    const struct of_class *cls = of_class_get(elem->object_id, list->version);
    const struct of_class *root = element_class(list);
    unsigned at = (unsigned) list->length;
    int rv;

    if (!root || !cls || cls->root != root->root
        || elem->length < cls->content_size)
        return OF_ERROR_PARAM;
    rv = of_object_splice(list, at, 0,
                          of_class_total(cls, (unsigned) elem->length));
    if (rv)
        return rv;
    elem->wbuf = list->wbuf;
    elem->obj_offset = list->obj_offset + (int) at;
    elem->parent = list;
    elem->version = list->version;
    image_stamp(cls, list->version, OF_OBJECT_BUFFER_INDEX(elem, 0),
                (unsigned) elem->length);
    return OF_ERROR_NONE;
}

void
of_object_truncate(of_object_t *obj)
{
    const struct of_class *cls = class_of(obj);

    if (!cls) {
        if (of_is_list(obj->object_id))
            (void) !of_object_splice(obj, 0, (unsigned) obj->length, 0);
        return;
    }
    for (unsigned i = 0; i < cls->n_vars; i++) {
        const struct of_member *m = &cls->members[cls->vars[i]];

        if (m->kind == OF_KIND_LIST || m->kind == OF_KIND_OCTETS)
            (void) !member_resize(obj, cls->vars[i], 0);
    }
}

of_object_t *
of_object_new_from_message(uint8_t *msg, int len)
{
    of_object_storage_t *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    if (!of_object_parse(s, msg, len, NULL)) {
        free(s);
        return NULL;
    }
    s->wbuf.free = free;
    return &s->obj;
}
