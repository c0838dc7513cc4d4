/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes as an OpenFlow message.
 * Properties: refused with a place and a reason, or every member, list and
 * match can be read without one absent member; lists end exactly; a copy is
 * equal and valid; a match that reads can be written and reads the same; a
 * truncated object is still valid. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loci/loci.h"
#include "ofproto/bindings/of_desc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
    if (!ok)
        abort();
}

static void
absent(const char *text)
{
    fprintf(stderr, "%s\n", text);
    abort();
}

/* Formats into nothing: reads what the printer points to. */
static int
sink(void *cookie, const char *fmt, ...)
{
    char text[320];
    va_list ap;
    int n;

    (void) cookie;
    va_start(ap, fmt);
    n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return n;
}

static void walk(of_object_t *obj, unsigned depth);

static void
walk_list(of_object_t *list, unsigned depth)
{
    int end = list->obj_offset;
    of_object_t elem;
    int rv;

    for (rv = of_list_first(list, &elem); rv == OF_ERROR_NONE;
         rv = of_list_next(list, &elem)) {
        must(elem.obj_offset >= end);
        must(elem.obj_offset - end < 8); /* The pad before it. */
        end = elem.obj_offset + elem.length;
        walk(&elem, depth + 1);
    }
    must(end <= list->obj_offset + list->length);
    must(list->obj_offset + list->length - end < 8);
}

static void
walk_match(of_object_t *obj, unsigned index)
{
    struct of_parse_err err = {.offset = 0};
    of_match_t match, again;
    of_object_t wire, *copy;

    of_member_bind(obj, index, &wire);
    if (of_match_parse(&wire, &match, &err)) {
        must(err.text && err.offset <= (unsigned) obj->wbuf->current_bytes);
        return;
    }
    must(of_match_more_specific(&match, &match));
    copy = of_object_dup(obj);
    if (!copy)
        return;
    if (of_object_match_set(copy, index, &match) == OF_ERROR_NONE) {
        must(of_object_match_get(copy, index, &again) == OF_ERROR_NONE);
        must(of_match_eq(&match, &again));
    }
    of_object_delete(copy);
}

static void
walk(of_object_t *obj, unsigned depth)
{
    const struct of_class *cls = of_class_get(obj->object_id, obj->version);
    of_octets_t octets;
    of_object_t child;

    must(cls && depth < 12);
    must(obj->obj_offset + obj->length <= obj->wbuf->current_bytes);
    for (unsigned i = 0; i < cls->n_members; i++) {
        const struct of_member *m = &cls->members[i];

        switch (m->kind) {
        case OF_KIND_LIST:
            of_member_bind(obj, i, &child);
            walk_list(&child, depth);
            break;
        case OF_KIND_MATCH:
        case OF_KIND_OBJECT:
            if (m->kind == OF_KIND_MATCH)
                walk_match(obj, i);
            of_member_bind(obj, i, &child);
            walk(&child, depth + 1);
            break;
        case OF_KIND_OCTETS:
            of_octets_load(obj, i, &octets);
            must(octets.data + octets.bytes
                 <= obj->wbuf->buf + obj->wbuf->current_bytes);
            break;
        default:
            (void) of_uint_load(obj, of_member_offset(obj, i), m->width);
        }
    }
}

static void
check_copy(const of_object_t *obj)
{
    of_object_t *copy = of_object_dup(obj);

    if (!copy)
        return;
    must(copy->length == obj->length
         && !memcmp(copy->wbuf->buf, obj->wbuf->buf, (size_t) obj->length));
    must(!of_validate_message(copy->wbuf->buf, copy->length));
    of_object_truncate(copy);
    must(copy->length <= obj->length);
    must(!of_validate_message(copy->wbuf->buf, copy->length));
    of_object_delete(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct of_parse_err err = {.object_id = OF_OBJECT_INVALID};
    of_object_storage_t s;
    of_object_t *obj;
    uint8_t *msg;
    int version;

    if (size > OF_WIRE_BUFFER_MAX_LENGTH)
        return 0;
    loci_logger = absent;
    version = of_hello_negotiate(data, (int) size, of_versions, &err);
    must(version == -1 || OF_VERSION_OKAY(version));
    msg = malloc(size ? size : 1);
    must(msg != NULL);
    memcpy(msg, data, size);
    err.text = NULL;
    obj = of_object_parse(&s, msg, (int) size, &err);
    if (!obj) {
        must(err.text && err.offset <= size);
    } else {
        walk(obj, 0);
        must(of_object_show(sink, NULL, obj) > 0);
        must(of_object_dump(sink, NULL, obj) > 0);
        check_copy(obj);
        must(!memcmp(msg, data, size)); /* Reading writes nothing. */
    }
    free(msg);
    return 0;
}
