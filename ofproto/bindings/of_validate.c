/* SPDX-License-Identifier: Apache-2.0 */
#include "loci/loci_validator.h"

#include "ofproto/bindings/of_desc.h"

#define MAX_DEPTH 8
#define HELLO_ELEM_VERSIONBITMAP 1

/* Error types and codes by what is wrong.  OpenFlow 1.3.5 §7.4.4, 1.0.0
 * §5.4.4; 1.0 has no errors for what 1.0 has not. */
enum fault {
    FAULT_REQUEST_LEN,
    FAULT_VERSION,
    FAULT_TYPE,
    FAULT_STATS_TYPE,
    FAULT_FLOW_COMMAND,
    FAULT_GROUP_COMMAND,
    FAULT_ACTION_LEN,
    FAULT_SET_FIELD_LEN,
    FAULT_INSTRUCTION_LEN,
    FAULT_MATCH_TYPE,
    FAULT_MATCH_LEN,
    FAULT_BUCKET,
    FAULT_TABLE_PROP_LEN,
    FAULT_PROP_LEN,
    FAULT_DEPTH,
};

struct answer {
    uint8_t type, code;
    uint8_t type_1_0, code_1_0;
    const char *text;
};

static const struct answer answers[] = {
    [FAULT_REQUEST_LEN] = {1, 6, 1, 6, "wrong length"},
    [FAULT_VERSION] = {1, 0, 1, 0, "version not supported"},
    [FAULT_TYPE] = {1, 1, 1, 1, "unknown message type"},
    [FAULT_STATS_TYPE] = {1, 2, 1, 2, "unknown multipart type"},
    [FAULT_FLOW_COMMAND] = {5, 6, 3, 4, "unknown flow-mod command"},
    [FAULT_GROUP_COMMAND] = {6, 11, 1, 1, "unknown group-mod command"},
    [FAULT_ACTION_LEN] = {2, 1, 2, 1, "wrong length of an action"},
    [FAULT_SET_FIELD_LEN] = {2, 14, 2, 1, "wrong length of a set-field"},
    [FAULT_INSTRUCTION_LEN] = {3, 7, 1, 6, "wrong length of an instruction"},
    [FAULT_MATCH_TYPE] = {4, 0, 1, 6, "unknown type of match"},
    [FAULT_MATCH_LEN] = {4, 1, 1, 6, "wrong length in a match"},
    [FAULT_BUCKET] = {6, 12, 1, 6, "wrong length of a bucket"},
    [FAULT_TABLE_PROP_LEN] = {13, 3, 1, 6, "wrong length of a property"},
    [FAULT_PROP_LEN] = {14, 1, 1, 6, "wrong length of a property"},
    [FAULT_DEPTH] = {1, 6, 1, 6, "nested too deep"},
};

struct walk {
    const uint8_t *msg;
    of_version_t version;
    struct of_parse_err *err;
};

static int
refuse(const struct walk *w, enum fault f, unsigned at, int id)
{
    const struct answer *a = &answers[f];

    if (!w->err)
        return -1;
    *w->err = (struct of_parse_err) {
        .offset = at,
        .object_id = id,
        .type = w->version == OF_VERSION_1_0 ? a->type_1_0 : a->type,
        .code = w->version == OF_VERSION_1_0 ? a->code_1_0 : a->code,
        .text = a->text,
    };
    return -1;
}

static int
refuse_length(const struct walk *w, const struct of_class *cls, unsigned at)
{
    static const uint8_t faults[] = {
        [OF_FAMILY_REQUEST] = FAULT_REQUEST_LEN,
        [OF_FAMILY_ACTION] = FAULT_ACTION_LEN,
        [OF_FAMILY_INSTRUCTION] = FAULT_INSTRUCTION_LEN,
        [OF_FAMILY_MATCH] = FAULT_MATCH_LEN,
        [OF_FAMILY_OXM] = FAULT_MATCH_LEN,
        [OF_FAMILY_BUCKET] = FAULT_BUCKET,
        [OF_FAMILY_TABLE_PROP] = FAULT_TABLE_PROP_LEN,
        [OF_FAMILY_TABLE_FEATURES] = FAULT_TABLE_PROP_LEN,
        [OF_FAMILY_PROP] = FAULT_PROP_LEN,
        [OF_FAMILY_HELLO_ELEM] = FAULT_REQUEST_LEN,
        [OF_FAMILY_STAT] = FAULT_INSTRUCTION_LEN,
    };
    enum fault f = faults[cls->family];

    /* 1.4 has one error type for all properties; before there was one for
     * those of table features alone. */
    if (w->version >= OF_VERSION_1_4 && f == FAULT_TABLE_PROP_LEN)
        f = cls->family == OF_FAMILY_TABLE_PROP ? FAULT_PROP_LEN
                                                : FAULT_REQUEST_LEN;
    else if (w->version < OF_VERSION_1_4 && f == FAULT_PROP_LEN)
        f = FAULT_REQUEST_LEN;
    return refuse(w, f, at, cls->id);
}

static int check_object(const struct walk *, const struct of_class *,
                        unsigned at, unsigned len, unsigned depth);

/* An instance of 'root' at 'at', followed by its pad, within 'room' bytes.
 * Returns the bytes it takes, or -1. */
static int
check_instance(const struct walk *w, const struct of_class *root, unsigned at,
               unsigned room, unsigned depth)
{
    const struct of_class *cls;
    unsigned len, total;

    if (room < root->content_size)
        return refuse_length(w, root, at);
    len = of_class_length(root, w->msg + at);
    if (len < root->content_size || len > room)
        return refuse_length(w, root, at);
    total = of_class_total(root, len);
    if (total > room) {
        /* Hello elements without their pad are seen in the wild. */
        if (root->family != OF_FAMILY_HELLO_ELEM)
            return refuse_length(w, root, at);
        total = room;
    }
    cls = of_class_decode(root, w->version, w->msg + at, len);
    if (check_object(w, cls, at, len, depth))
        return -1;
    /* 1.3.5 §7.2.4, §7.2.5, 1.0.0 §5.2.4: multiples of 8.  Asked last: a
     * fault inside is the better answer. */
    if ((root->family == OF_FAMILY_ACTION
         || root->family == OF_FAMILY_INSTRUCTION)
        && len % 8)
        return refuse_length(w, root, at);
    return (int) total;
}

/* An OXM of 'len' bytes.  1.3.5 §7.2.3.2: a known field has its field's
 * length, masked or not. */
static int
check_oxm(const struct walk *w, const struct of_class *cls, unsigned at,
          unsigned len)
{
    const uint8_t *p = w->msg + at;
    const struct of_oxm_field *f;
    unsigned payload;

    f = of_oxm_find(get_be32(p), len >= 8 ? get_be32(p + 4) : 0, w->version);
    if (!f)
        return 0;
    payload = f->width * (p[2] & 1 ? 2u : 1u) + (f->experimenter ? 4u : 0);
    return len == 4 + payload ? 0 : refuse_length(w, cls, at);
}

/* The commonest list, without the detour through its elements' classes. */
static int
check_oxm_list(const struct walk *w, const struct of_class *root, unsigned at,
               unsigned end)
{
    while (at < end) {
        unsigned len = end - at < 4 ? UINT32_MAX : 4u + w->msg[at + 3];

        if (len > end - at)
            return refuse_length(w, root, at);
        if (check_oxm(w, root, at, len))
            return -1;
        at += len;
    }
    return 0;
}

static int
check_list(const struct walk *w, const struct of_member *m, unsigned at,
           unsigned size, unsigned depth)
{
    const struct of_class *root = of_class_get(
        of_list_elements[m->cls - OF_LIST_OBJECT_FIRST], w->version);
    unsigned end = at + size;

    if (!(root->flags & OF_CLASS_VARIABLE)
        && !(root->flags & OF_CLASS_OXM_ID)) {
        /* Plain cells: nothing inside can be wrong. */
        return size % root->min_size ? refuse_length(w, root, at) : 0;
    }
    if (root->flags & OF_CLASS_OXM)
        return check_oxm_list(w, root, at, end);
    while (at < end) {
        int n = check_instance(w, root, at, end - at, depth);

        if (n < 0)
            return -1;
        at += (unsigned) n;
    }
    return 0;
}

/* Variable member 'm' at 'at' of the message with 'room' bytes for it.
 * Returns the bytes it takes, or -1. */
static int
check_variable(const struct walk *w, const struct of_class *cls,
               const struct of_member *m, unsigned start, unsigned at,
               unsigned room, unsigned depth)
{
    unsigned size = room;
    int n;

    if (m->kind == OF_KIND_OBJECT || m->kind == OF_KIND_MATCH) {
        const struct of_class *sub = of_class_get(m->cls, w->version);

        n = check_instance(w, sub, at, room, depth + 1);
        if (n >= 0 || cls->family != OF_FAMILY_ACTION)
            return n;
        if (sub->family == OF_FAMILY_OXM)
            return refuse(w, FAULT_SET_FIELD_LEN, at, cls->id);
        if (sub->flags & OF_CLASS_OXM_ID)
            return refuse_length(w, cls, at);
        return n;
    }
    if (m->counted_by != OF_NO_MEMBER) {
        const struct of_member *by = &cls->members[m->counted_by];

        size = (unsigned) of_get_uint(w->msg + start + by->offset, by->width);
        if (size > room)
            return refuse_length(w, cls, start + by->offset);
    }
    if (m->kind == OF_KIND_LIST && check_list(w, m, at, size, depth + 1))
        return -1;
    return (int) size;
}

/* An object whose class is known and whose 'len' bytes are there. */
static int
check_object(const struct walk *w, const struct of_class *cls, unsigned at,
             unsigned len, unsigned depth)
{
    unsigned pos = 0, tail = 0, content;

    if (cls->family == OF_FAMILY_OXM)
        return check_oxm(w, cls, at, len);
    if (depth > MAX_DEPTH)
        return refuse(w, FAULT_DEPTH, at, cls->id);
    if (len < cls->content_size)
        return refuse_length(w, cls, at);
    if (cls->family == OF_FAMILY_MATCH
        && get_be16(w->msg + at) != cls->members[0].value)
        return refuse(w, FAULT_MATCH_TYPE, at, cls->id);
    for (unsigned i = 0; i < cls->n_vars; i++) {
        const struct of_member *m = &cls->members[cls->vars[i]];
        int n;

        pos += m->offset;
        tail = m->tail;
        if (pos + tail > len)
            return refuse_length(w, cls, at);
        n = check_variable(w, cls, m, at, at + pos, len - pos - tail, depth);
        if (n < 0)
            return -1;
        pos += (unsigned) n;
    }
    content = cls->n_vars ? pos + tail : cls->content_size;
    if (content == len || cls->flags & (OF_CLASS_VIRTUAL | OF_CLASS_OXM_ID))
        return 0;
    if (cls->flags & OF_CLASS_ALIGN_INCLUDED
        && of_class_total(cls, content) == len)
        return 0;
    return refuse_length(w, cls, at);
}

/* Class of a message whose discriminators must all be known. */
static const struct of_class *
message_class(const struct walk *w, unsigned len)
{
    static const uint8_t faults[] = {
        [OF_REFUSE_TYPE] = FAULT_TYPE,
        [OF_REFUSE_STATS_TYPE] = FAULT_STATS_TYPE,
        [OF_REFUSE_FLOW_COMMAND] = FAULT_FLOW_COMMAND,
        [OF_REFUSE_GROUP_COMMAND] = FAULT_GROUP_COMMAND,
    };
    const struct of_class *cls = of_class_get(OF_HEADER, w->version);

    cls = of_class_decode(cls, w->version, w->msg, len);
    if (cls->refusal == OF_REFUSE_NOTHING)
        return cls;
    if (len < cls->content_size)
        refuse_length(w, cls, 0);
    else
        refuse(w, faults[cls->refusal], cls->disc_offset, cls->id);
    return NULL;
}

/* The class of a valid message, or NULL. */
static const struct of_class *
validate(const uint8_t *msg, int len, struct of_parse_err *err)
{
    struct walk w = {.msg = msg, .err = err, .version = OF_VERSION_UNKNOWN};
    const struct of_class *cls;

    if (len < OF_MESSAGE_HEADER_LENGTH) {
        refuse(&w, FAULT_REQUEST_LEN, 0, OF_OBJECT_INVALID);
        return NULL;
    }
    w.version = (of_version_t) msg[0];
    if (!OF_VERSION_OKAY(w.version)) {
        refuse(&w, FAULT_VERSION, 0, OF_OBJECT_INVALID);
        return NULL;
    }
    if (of_message_length_get(msg) != len) {
        refuse(&w, FAULT_REQUEST_LEN, 2, OF_HEADER);
        return NULL;
    }
    cls = message_class(&w, (unsigned) len);
    if (!cls || check_object(&w, cls, 0, (unsigned) len, 0))
        return NULL;
    return cls;
}

int
of_validate_message(const uint8_t *msg, int len)
{
    return validate(msg, len, NULL) ? 0 : -1;
}

int
of_validate_message_ex(const uint8_t *msg, int len, struct of_parse_err *err)
{
    return validate(msg, len, err) ? 0 : -1;
}

static of_object_t *
bind_message(of_object_storage_t *s, const struct of_class *cls, uint8_t *buf,
             int len)
{
    s->wbuf = (of_wire_buffer_t) {
        .buf = buf, .alloc_bytes = len, .current_bytes = len};
    s->obj = (of_object_t) {
        .wbuf = &s->wbuf,
        .object_id = (of_object_id_t) cls->id,
        .length = len,
        .version = (of_version_t) buf[0],
    };
    return &s->obj;
}

of_object_t *
of_object_parse(of_object_storage_t *s, uint8_t *buf, int len,
                struct of_parse_err *err)
{
    const struct of_class *cls = validate(buf, len, err);

    return cls ? bind_message(s, cls, buf, len) : NULL;
}

of_object_t *
of_object_bind_valid(of_object_storage_t *s, uint8_t *buf, int len)
{
    struct walk w = {.msg = buf, .version = (of_version_t) buf[0]};
    const struct of_class *cls = message_class(&w, (unsigned) len);

    return cls ? bind_message(s, cls, buf, len) : NULL;
}

of_object_t *
of_object_new_from_message_preallocated(of_object_storage_t *s, uint8_t *buf,
                                        int len)
{
    return of_object_parse(s, buf, len, NULL);
}

/* Reads the version bitmap of a hello, if there is one.  False: malformed. */
static bool
hello_bitmap(const uint8_t *msg, unsigned len, bool *found, uint32_t *bitmap)
{
    unsigned at = OF_MESSAGE_HEADER_LENGTH;

    *found = false;
    while (at < len) {
        unsigned size;

        if (len - at < 4)
            return false;
        size = get_be16(msg + at + 2);
        if (size < 4 || size > len - at)
            return false;
        if (get_be16(msg + at) == HELLO_ELEM_VERSIONBITMAP && !*found) {
            if (size < 8)
                return false;
            *found = true;
            *bitmap = get_be32(msg + at + 4);
        }
        at += of_round_up(size, 8);
    }
    return true;
}

int
of_hello_negotiate(const uint8_t *msg, int len, uint32_t ours,
                   struct of_parse_err *err)
{
    struct walk w = {.msg = msg, .err = err, .version = OF_VERSION_1_3};
    uint32_t common = 0;
    bool found, malformed = false;

    if (len < OF_MESSAGE_HEADER_LENGTH || of_message_length_get(msg) != len
        || of_message_type_get(msg) != 0)
        return refuse(&w, FAULT_REQUEST_LEN, 0, OF_OBJECT_INVALID);
    if (!hello_bitmap(msg, (unsigned) len, &found, &common)) {
        /* OpenFlow 1.0.0 §5.5.1: a body may be there, "ignoring its
         * contents". */
        found = false;
        common = 0;
        malformed = msg[0] >= OF_VERSION_1_3;
    }
    if (malformed)
        return refuse(&w, FAULT_REQUEST_LEN, OF_MESSAGE_HEADER_LENGTH,
                      OF_OBJECT_INVALID);
    ours &= ~1u;
    if (!found && ours) {
        /* The smaller of the two versions, if it is one of ours. */
        unsigned newest = 31u - (unsigned) __builtin_clz(ours);

        common = 1u << (msg[0] < newest ? msg[0] : newest);
    }
    common &= ours;
    if (common)
        return 31 - __builtin_clz(common);
    if (err)
        *err = (struct of_parse_err) {
            .object_id = OF_OBJECT_INVALID,
            .text = "no OpenFlow version in common",
        };
    return -1;
}
