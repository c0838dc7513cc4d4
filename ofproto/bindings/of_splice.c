/* SPDX-License-Identifier: Apache-2.0 */
/* Growing and shrinking objects inside their parents. */
#include "loci/of_object.h"

#include <stdlib.h>

#include "ofproto/bindings/of_desc.h"

#define MAX_LEVELS 12
#define SLACK (8 * MAX_LEVELS) /* Pads that come before others go. */

/* How one object on the way up changes. */
struct level {
    of_object_t *obj;
    unsigned end;              /* Of its content before the change. */
    unsigned pad_old, pad_new; /* Bytes behind the content. */
    int delta;                 /* Of its content. */
};

static const struct of_class *
class_of(const of_object_t *obj)
{
    return of_class_get(obj->object_id, obj->version);
}

/* Where the content of an object ends whose length counts the pad too. */
static unsigned
content_end(const of_object_t *obj, const struct of_class *cls)
{
    unsigned at;

    if (!cls->n_members)
        return (unsigned) obj->length;
    at = of_member_offset(obj, cls->n_members - 1u);
    at += of_member_size(obj, cls->n_members - 1u, at);
    return at < (unsigned) obj->length ? at : (unsigned) obj->length;
}

/* Fills in what a change of 'delta' bytes does to obj; returns the change as
 * its parent sees it. */
static int
level_plan(struct level *l, of_object_t *obj, int delta)
{
    const struct of_class *cls = class_of(obj);
    unsigned total, room, parent_end;

    *l = (struct level) {.obj = obj, .delta = delta};
    l->end = (unsigned) obj->length;
    if (!cls || cls->align == 1)
        return delta;
    if (cls->flags & OF_CLASS_ALIGN_INCLUDED) {
        l->end = content_end(obj, cls);
        total = (unsigned) obj->length;
    } else {
        total = of_class_total(cls, l->end);
    }
    /* A hello element may lack its pad: count what is really there. */
    parent_end = (unsigned) (obj->parent ? obj->parent->obj_offset
                                               + obj->parent->length
                                         : obj->wbuf->current_bytes);
    room = parent_end - (unsigned) obj->obj_offset;
    if (total > room)
        total = room;
    l->pad_old = total - l->end;
    l->pad_new = of_class_total(cls, l->end + (unsigned) delta)
                 - (l->end + (unsigned) delta);
    return delta + (int) l->pad_new - (int) l->pad_old;
}

static int
wire_reserve(of_wire_buffer_t *w, int need)
{
    int size = w->alloc_bytes;
    uint8_t *buf;

    if (need <= size)
        return OF_ERROR_NONE;
    if (!w->free)
        return OF_ERROR_RESOURCE;
    size *= 2;
    if (size < need)
        size = need;
    if (size > OF_WIRE_BUFFER_MAX_LENGTH + SLACK)
        size = OF_WIRE_BUFFER_MAX_LENGTH + SLACK;
    buf = realloc(w->buf, (size_t) size);
    if (!buf)
        return OF_ERROR_RESOURCE;
    w->buf = buf;
    w->alloc_bytes = size;
    return OF_ERROR_NONE;
}

static void
wire_splice(of_wire_buffer_t *w, unsigned at, unsigned old, unsigned size)
{
    unsigned behind = (unsigned) w->current_bytes - at - old;

    memmove(w->buf + at + size, w->buf + at + old, behind);
    memset(w->buf + at, 0, size);
    w->current_bytes += (int) size - (int) old;
}

/* The member of 'parent' that counts the bytes of its part 'child'. */
static void
parent_count(of_object_t *parent, const of_object_t *child, unsigned total)
{
    const struct of_class *cls = class_of(parent);

    if (!cls)
        return;
    for (unsigned i = 0; i < cls->n_vars; i++) {
        const struct of_member *m = &cls->members[cls->vars[i]];

        if (m->counted_by == OF_NO_MEMBER || m->cls != child->object_id)
            continue;
        if ((int) of_member_offset(parent, cls->vars[i]) + parent->obj_offset
            != child->obj_offset)
            continue;
        of_uint_store(parent, of_member_offset(parent, m->counted_by),
                      cls->members[m->counted_by].width, total);
        return;
    }
}

/* Corrects pad and length fields of one object whose content has changed. */
static void
level_apply(const struct level *l)
{
    of_object_t *obj = l->obj;
    const struct of_class *cls = class_of(obj);
    unsigned end = l->end + (unsigned) l->delta;

    if (l->pad_new != l->pad_old)
        wire_splice(obj->wbuf, (unsigned) obj->obj_offset + end, l->pad_old,
                    l->pad_new);
    obj->length = (int) end;
    if (cls && cls->flags & OF_CLASS_ALIGN_INCLUDED)
        obj->length += (int) l->pad_new;
    if (cls && cls->length_offset != OF_NO_MEMBER)
        put_be16(OF_OBJECT_BUFFER_INDEX(obj, cls->length_offset),
                 (uint16_t) obj->length);
    if (obj->parent)
        parent_count(obj->parent, obj, end + l->pad_new);
}

int
of_object_splice(of_object_t *obj, unsigned at, unsigned old, unsigned size)
{
    struct level levels[MAX_LEVELS];
    unsigned n = 0;
    int delta = (int) size - (int) old;
    int peak, rv;

    if (!obj->wbuf || !obj->wbuf->buf)
        return OF_ERROR_INIT;
    peak = obj->wbuf->current_bytes + (delta > 0 ? delta : 0);
    for (of_object_t *o = obj; o; o = o->parent) {
        if (n == MAX_LEVELS)
            return OF_ERROR_RANGE;
        delta = level_plan(&levels[n], o, delta);
        peak += (int) levels[n++].pad_new; /* Comes before pad_old goes. */
    }
    if (obj->wbuf->current_bytes + delta > OF_WIRE_BUFFER_MAX_LENGTH)
        return OF_ERROR_RESOURCE;
    rv = wire_reserve(obj->wbuf, peak);
    if (rv)
        return rv;
    wire_splice(obj->wbuf, (unsigned) obj->obj_offset + at, old, size);
    for (unsigned i = 0; i < n; i++)
        level_apply(&levels[i]);
    return OF_ERROR_NONE;
}
