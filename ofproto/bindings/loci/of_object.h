/* SPDX-License-Identifier: Apache-2.0 */
/* Objects: typed views of bytes in wire order.
 *
 * What:    create, bind, grow, read and write the classes of the protocol.
 * Model:   an object is its wire image.  A message owns a wire buffer; a
 *          list, a list's element and an embedded structure are views of it:
 *
 *            message   |header|fields........|list ............|data|
 *            list      parent = message      ^obj_offset, length
 *            element   parent = list         |elem|elem|
 *
 *          A view that grows moves the bytes behind it and corrects the
 *          length fields of all its parents.  Other views of bytes behind
 *          the change, bound before, are stale then: bind them again.
 * Threads: an object and its views belong to one thread at a time.
 * Owns:    of_*_new, of_object_dup and of_*_get of lists and objects return
 *          objects to be given to of_object_delete.
 * Errors:  enum of_error_codes.  Reading what a version or a short buffer
 *          has not yields 0, writing it does nothing; loci_logger hears it.
 * Cost:    a scalar costs a bounds compare, a load and a byte swap; members
 *          behind variable ones are found by a walk of a descriptor. */
#ifndef LOCI_OF_OBJECT_H
#define LOCI_OF_OBJECT_H

#include "loci/loci_base.h"
#include "loci/loci_classes.h"
#include "weft/be.h"
#include "weft/compiler.h"

typedef struct of_wire_buffer_s {
    uint8_t *buf;
    int alloc_bytes;
    int current_bytes;
    void (*free)(void *); /* NULL: lent, can neither grow nor be freed. */
} of_wire_buffer_t;

struct of_object_s {
    of_wire_buffer_t *wbuf;
    int obj_offset;           /* In wbuf. */
    of_object_id_t object_id;
    of_object_t *parent;      /* NULL: owns wbuf. */
    int length;               /* Wire length, as its length field says. */
    of_version_t version;
};

/* Room for an object and its buffer's control block on the stack. */
typedef struct of_object_storage_s {
    of_object_t obj;
    of_wire_buffer_t wbuf;
} of_object_storage_t;

extern const char *const of_object_id_str[]; /* "of_flow_add" */
#define OF_OBJECT_BUFFER_INDEX(obj, off) \
    ((obj)->wbuf->buf + (obj)->obj_offset + (off))
#define OF_OBJECT_TO_WBUF(obj) ((obj)->wbuf)
#define OF_BUFFER_TO_MESSAGE(buf) ((of_message_t) (buf))

/* "of_flow_add"; "of_unknown" for what is no class. */
const char *of_class_name(const of_object_t *);

/* Life.  create: NULL when the version lacks the class or memory is short. */
WEFT_MUST_CHECK of_object_t *of_object_create(of_version_t, of_object_id_t);
void of_object_delete(of_object_t *); /* Accepts NULL. */
WEFT_MUST_CHECK of_object_t *of_object_dup(const of_object_t *);
/* Prepares an object in the caller's memory for append_bind.  bytes < 0: the
 * class's minimum.  clean: forget any buffer 'obj' was bound to. */
void of_object_setup(of_object_t *, of_version_t, of_object_id_t, int bytes,
                     int clean);
/* Empties lists and data, keeps the fixed members. */
void of_object_truncate(of_object_t *);
/* Hands the bytes to the caller, to be freed with free(). */
void of_object_wire_buffer_steal(of_object_t *, uint8_t **buf);

/* A validated message as an object.  Takes 'msg' (from malloc) on success;
 * NULL: it is not valid or memory is short. */
WEFT_MUST_CHECK of_object_t *of_object_new_from_message(uint8_t *msg, int len);
/* Same in the caller's memory, without malloc; lends 'buf'. */
WEFT_MUST_CHECK of_object_t *
of_object_new_from_message_preallocated(of_object_storage_t *, uint8_t *buf,
                                        int len);
/* Same, and says where and why not.  One walk does all. */
WEFT_MUST_CHECK of_object_t *of_object_parse(of_object_storage_t *,
                                             uint8_t *buf, int len,
                                             struct of_parse_err *);
/* The same for a message that of_object_parse took before and that nobody
 * changed since: what it holds is not looked at again. */
WEFT_MUST_CHECK of_object_t *of_object_bind_valid(of_object_storage_t *,
                                                  uint8_t *buf, int len);

void of_object_xid_get(const of_object_t *, uint32_t *xid);
void of_object_xid_set(of_object_t *, uint32_t xid);

/* Lists.  next and first: OF_ERROR_RANGE at the end. */
int of_list_first(const of_object_t *list, of_object_t *elem);
int of_list_next(const of_object_t *list, of_object_t *elem);
WEFT_MUST_CHECK int of_list_append(of_object_t *list, const of_object_t *);
/* 'elem' was set up; it becomes the list's last element. */
WEFT_MUST_CHECK int of_list_append_bind(of_object_t *list, of_object_t *elem);

/* What the generated accessors stand on.  'index' is the member's number in
 * its class of obj->version; 0xffff when it has none. */
#define OF_ABSENT 0xffffu
unsigned of_member_offset(const of_object_t *, unsigned index);
void of_member_bind(of_object_t *, unsigned index, of_object_t *child);
of_object_t *of_member_copy(of_object_t *, unsigned index);
int of_member_replace(of_object_t *, unsigned index, const of_object_t *);
void of_octets_load(const of_object_t *, unsigned index, of_octets_t *);
int of_octets_store(of_object_t *, unsigned index, const of_octets_t *);
/* Reports a member that is not there. */
void of_absent(const of_object_t *, unsigned offset) WEFT_COLD;
bool of_bytes_are(const void *, uint8_t value, size_t n);

/* The bytes of a fixed member, NULL if the object is too short. */
static inline uint8_t *
of_member_at(const of_object_t *obj, unsigned offset, unsigned width)
{
    if (weft_unlikely(offset + width > (unsigned) obj->length
                      || obj->wbuf == NULL)) {
        of_absent(obj, offset);
        return NULL;
    }
    return OF_OBJECT_BUFFER_INDEX(obj, offset);
}

#define OF_LOAD_STORE(bits, type, load, store)                                \
    static inline type of_u##bits##_load(const of_object_t *obj,              \
                                         unsigned offset)                     \
    {                                                                         \
        const uint8_t *p = of_member_at(obj, offset, (bits) / 8);             \
                                                                              \
        return p ? load(p) : 0;                                               \
    }                                                                         \
    static inline void of_u##bits##_store(of_object_t *obj, unsigned offset,  \
                                          type value)                         \
    {                                                                         \
        uint8_t *p = of_member_at(obj, offset, (bits) / 8);                   \
                                                                              \
        if (p)                                                                \
            store(p, value);                                                  \
    }

static inline uint8_t of_byte_get(const uint8_t *p) { return *p; }
static inline void of_byte_put(uint8_t *p, uint8_t v) { *p = v; }
OF_LOAD_STORE(8, uint8_t, of_byte_get, of_byte_put)
OF_LOAD_STORE(16, uint16_t, get_be16, put_be16)
OF_LOAD_STORE(24, uint32_t, get_be24, put_be24)
OF_LOAD_STORE(32, uint32_t, get_be32, put_be32)
OF_LOAD_STORE(64, uint64_t, get_be64, put_be64)
#undef OF_LOAD_STORE

/* Integers whose width differs between versions. */
uint64_t of_uint_load(const of_object_t *, unsigned offset, unsigned width);
void of_uint_store(of_object_t *, unsigned offset, unsigned width,
                   uint64_t value);

/* OpenFlow 1.0.0 §5.2.1: ports from 0xff00 up are the reserved ones. */
static inline of_port_no_t
of_port_from_16(uint16_t port)
{
    return port >= 0xff00 ? 0xffff0000u | port : port;
}

static inline of_port_no_t
of_port_load(const of_object_t *obj, unsigned offset)
{
    return obj->version == OF_VERSION_1_0
               ? of_port_from_16(of_u16_load(obj, offset))
               : of_u32_load(obj, offset);
}

static inline void
of_port_store(of_object_t *obj, unsigned offset, of_port_no_t port)
{
    if (obj->version == OF_VERSION_1_0)
        of_u16_store(obj, offset, (uint16_t) port);
    else
        of_u32_store(obj, offset, port);
}

static inline void
of_bytes_load(const of_object_t *obj, unsigned offset, unsigned width,
              void *to)
{
    const uint8_t *p = of_member_at(obj, offset, width);

    if (p)
        memcpy(to, p, width);
    else
        memset(to, 0, width);
}

static inline void
of_bytes_store(of_object_t *obj, unsigned offset, unsigned width,
               const void *from)
{
    uint8_t *p = of_member_at(obj, offset, width);

    if (p)
        memcpy(p, from, width);
}

/* Class of_oxm_id: 0 unless it has 8 bytes (of_oxm_id_init with bytes 8). */
static inline void
of_oxm_id_experimenter_get(const of_object_t *obj, uint32_t *experimenter)
{
    *experimenter = obj->length < 8 ? 0 : of_u32_load(obj, 4);
}

static inline void
of_oxm_id_experimenter_set(of_object_t *obj, uint32_t experimenter)
{
    of_u32_store(obj, 4, experimenter);
}

/* Arrays of 64-bit words. */
void of_words_load(const of_object_t *, unsigned offset, unsigned width,
                   void *to);
void of_words_store(of_object_t *, unsigned offset, unsigned width,
                    const void *from);

#endif
