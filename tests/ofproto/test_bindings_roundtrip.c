/* SPDX-License-Identifier: Apache-2.0 */
/* Every accessor of every class and version: members set in random order,
 * lists of 0 to 3 random elements nested in each other, all read back; then
 * the message is validated, parsed, copied and printed. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/ofproto/of_roundtrip.h"

#define MAX_MEMBERS 32
#define ROUNDS 24
#define MAX_NESTING 3

static unsigned nesting;
static unsigned n_absent;

static void
count_absent(const char *text)
{
    (void) text;
    n_absent++;
}

/* splitmix64: neighbouring seeds give unrelated values. */
static uint64_t
mix(uint64_t seed, uint64_t salt)
{
    uint64_t z = seed + (salt + 1) * 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t
rt_int(uint64_t seed, unsigned width)
{
    return width == 8 ? seed : seed & ((1ull << width * 8) - 1);
}

/* 1.0 has ports up to 0xff00 and the reserved ones, seen as 0xffffffXX. */
of_port_no_t
rt_port(const of_object_t *obj, uint64_t seed)
{
    if (obj->version != OF_VERSION_1_0)
        return (of_port_no_t) seed;
    return of_port_from_16(seed & 1 ? (uint16_t) (seed >> 8)
                                    : 0xff00 | (seed >> 8 & 0xff));
}

void
rt_fill(void *to, size_t size, uint64_t seed)
{
    uint8_t *p = to;

    for (size_t i = 0; i < size; i++)
        p[i] = (uint8_t) mix(seed, i);
}

static const struct of_class *
class_of(const of_object_t *obj)
{
    return of_class_get(obj->object_id, obj->version);
}

/* Actions and instructions have sizes that are multiples of 8. */
of_octets_t
rt_octets(const of_object_t *obj, uint8_t *bytes, uint64_t seed)
{
    int family = class_of(obj)->family;
    of_octets_t v = {.data = bytes, .bytes = (int) (seed % 41)};

    if (family == OF_FAMILY_ACTION || family == OF_FAMILY_INSTRUCTION)
        v.bytes &= ~7;
    rt_fill(bytes, (size_t) v.bytes, seed);
    return v;
}

bool
rt_octets_equal(const of_object_t *obj, const of_octets_t *v,
                const of_octets_t *want)
{
    int pad = v->bytes - want->bytes;

    /* Where the length counts the pad, the data seems to end with it. */
    if (pad < 0 || pad >= class_of(obj)->align)
        return false;
    return !memcmp(v->data, want->data, (size_t) want->bytes)
           && of_bytes_are(v->data + want->bytes, 0, (size_t) pad);
}

static of_match_t
match_1_0(uint64_t seed)
{
    of_match_t m = {.version = OF_VERSION_1_0};
    unsigned wild = seed >> 8 & 31;

    if (seed & 1) {
        OF_MATCH_MASK_IN_PORT_EXACT_SET(&m);
        m.fields.in_port = of_port_from_16((uint16_t) (seed >> 16));
    }
    if (seed & 2) {
        OF_MATCH_MASK_ETH_SRC_EXACT_SET(&m);
        rt_fill(&m.fields.eth_src, sizeof m.fields.eth_src, seed);
    }
    if (seed & 4) {
        OF_MATCH_MASK_VLAN_VID_EXACT_SET(&m);
        m.fields.vlan_vid = seed & 8 ? 0 : 0x1000 | (seed >> 32 & 0xfff);
    }
    if (seed & 16) {
        OF_MATCH_MASK_ETH_TYPE_EXACT_SET(&m);
        m.fields.eth_type = seed & 32 ? 0x0806 : 0x0800;
        m.masks.ipv4_dst = seed & 32 ? 0 : UINT32_MAX << wild;
        m.masks.arp_spa = seed & 32 ? UINT32_MAX << wild : 0;
        m.fields.ipv4_dst = (uint32_t) (seed >> 24) & m.masks.ipv4_dst;
        m.fields.arp_spa = (uint32_t) (seed >> 24) & m.masks.arp_spa;
    }
    if ((seed & 112) == 80) {
        OF_MATCH_MASK_IP_PROTO_EXACT_SET(&m);
        OF_MATCH_MASK_UDP_DST_EXACT_SET(&m);
        m.fields.ip_proto = 17;
        m.fields.udp_dst = (uint16_t) (seed >> 40);
    }
    return m;
}

of_match_t
rt_match(of_version_t version, uint64_t seed)
{
    of_match_t m = {.version = version};

    if (version == OF_VERSION_1_0)
        return match_1_0(seed);
    for (unsigned i = 0; i < of_n_oxm_fields; i++) {
        const struct of_oxm_field *f = &of_oxm_fields[i];
        uint64_t s = mix(seed, i);
        uint8_t *value = (uint8_t *) &m.fields + f->at;
        uint8_t *mask = (uint8_t *) &m.masks + f->at;
        unsigned n = f->width; /* A 24-bit value has 4 bytes. */

        if (s % 4 || !(f->versions >> version & 1))
            continue;
        memset(mask, 0xff, n == 3 ? 4 : n);
        if (n == 3)
            continue; /* Value 0: no byte above the 24 bits. */
        if (s & 64 && f->masked_id != OF_OBJECT_INVALID) {
            rt_fill(mask, n, s);
            mask[0] |= 1; /* Not empty. */
        }
        rt_fill(value, n, s + 1);
        for (unsigned k = 0; k < n; k++)
            value[k] &= mask[k];
    }
    return m;
}

/* Concrete classes below 'root': without subclasses. */
static int
random_class(of_version_t version, int root, uint64_t seed)
{
    int found[OF_OBJECT_COUNT], n = 0;

    for (int id = 0; id < OF_LIST_OBJECT_FIRST; id++) {
        const struct of_class *cls = of_class_get(id, version);

        if (cls && cls->root == root && !cls->dispatch
            && !(cls->flags & OF_CLASS_OXM))
            found[n++] = id;
    }
    ck_assert_int_gt(n, 0);
    return found[seed % (unsigned) n];
}

static unsigned
list_length(uint64_t seed)
{
    return nesting >= MAX_NESTING ? 0 : seed % 4;
}

bool
rt_list_fill(of_object_t *list, uint64_t seed)
{
    int root = of_list_elements[list->object_id - OF_LIST_OBJECT_FIRST];
    unsigned n = list_length(seed);
    bool ok = true;

    nesting++;
    for (unsigned i = 0; i < n && ok; i++) {
        uint64_t s = mix(seed, i);
        int id = random_class(list->version, root, s);
        of_object_t elem;

        if (s & 32) {
            /* Built apart, then copied in. */
            of_object_t *copy
                = of_object_create(list->version, (of_object_id_t) id);

            ok = copy && rt_fill_object(copy, s)
                 && of_list_append(list, copy) == OF_ERROR_NONE;
            of_object_delete(copy);
            continue;
        }
        of_object_setup(&elem, list->version, (of_object_id_t) id, -1, 1);
        ok = of_list_append_bind(list, &elem) == OF_ERROR_NONE
             && rt_fill_object(&elem, s);
    }
    nesting--;
    return ok;
}

bool
rt_list_check(of_object_t *list, uint64_t seed)
{
    int root = of_list_elements[list->object_id - OF_LIST_OBJECT_FIRST];
    unsigned n = list_length(seed), i = 0;
    of_object_t elem;
    bool ok = true;
    int rv;

    nesting++;
    for (rv = of_list_first(list, &elem); rv == OF_ERROR_NONE && ok;
         rv = of_list_next(list, &elem)) {
        uint64_t s = mix(seed, i++);

        ok = (int) elem.object_id == random_class(list->version, root, s)
             && rt_check_object(&elem, s);
    }
    nesting--;
    return ok && i == n;
}

of_object_t *
rt_instance(of_version_t version, int root, uint64_t seed)
{
    int id = random_class(version, root, seed);
    of_object_t *obj = of_object_create(version, (of_object_id_t) id);

    if (obj && !rt_fill_object(obj, seed)) {
        of_object_delete(obj);
        return NULL;
    }
    return obj;
}

bool
rt_instance_check(of_object_t *obj, int root, uint64_t seed)
{
    return (int) obj->object_id == random_class(obj->version, root, seed)
           && rt_check_object(obj, seed);
}

/* Members of obj's version, in the order that the seed gives. */
static unsigned
shuffled(const of_object_t *obj, uint64_t seed,
         const struct rt_member *order[MAX_MEMBERS])
{
    const struct rt_member *m = rt_classes[obj->object_id];
    unsigned n = 0;

    for (; m->name; m++)
        if (m->versions >> obj->version & 1) {
            ck_assert_uint_lt(n, MAX_MEMBERS);
            order[n++] = m;
        }
    for (unsigned i = n; i > 1; i--) {
        unsigned k = mix(seed, i) % i;
        const struct rt_member *t = order[k];

        order[k] = order[i - 1];
        order[i - 1] = t;
    }
    return n;
}

static uint64_t
member_seed(const struct rt_member *m, uint64_t seed)
{
    uint64_t s = seed;

    for (const char *p = m->name; *p; p++)
        s = mix(s, (uint8_t) *p);
    return s;
}

bool
rt_fill_object(of_object_t *obj, uint64_t seed)
{
    const struct rt_member *order[MAX_MEMBERS];
    unsigned n = shuffled(obj, seed, order);

    for (unsigned i = 0; i < n; i++)
        if (!order[i]->set(obj, member_seed(order[i], seed)))
            return false;
    return true;
}

bool
rt_check_object(of_object_t *obj, uint64_t seed)
{
    const struct rt_member *order[MAX_MEMBERS];
    unsigned n = shuffled(obj, seed, order);

    for (unsigned i = 0; i < n; i++)
        if (!order[i]->check(obj, member_seed(order[i], seed))) {
            fprintf(stderr, "%s.%s, seed %#llx\n", of_class_name(obj),
                    order[i]->name, (unsigned long long) seed);
            return false;
        }
    return true;
}

static int
count(void *cookie, const char *fmt, ...)
{
    (void) cookie;
    (void) fmt;
    return 1;
}

static void
check_message(of_object_t *obj)
{
    struct of_parse_err err = {.offset = 0};
    of_object_storage_t s;
    of_object_t *parsed;

    parsed = of_object_parse(&s, obj->wbuf->buf, obj->length, &err);
    ck_assert_msg(parsed, "%s: at %u: %s", of_class_name(obj), err.offset,
                  err.text);
    ck_assert_int_eq(parsed->object_id, obj->object_id);
    ck_assert_int_eq(obj->wbuf->current_bytes, obj->length);
}

static void
round_trip(of_version_t version, int id, uint64_t seed)
{
    const struct of_class *cls = of_class_get(id, version);
    of_object_t *obj = of_object_create(version, (of_object_id_t) id);
    of_object_t *copy;

    ck_assert_ptr_nonnull(obj);
    ck_assert_msg(rt_fill_object(obj, seed), "%s: fill", of_class_name(obj));
    ck_assert_msg(rt_check_object(obj, seed), "%s: check",
                  of_class_name(obj));
    if (id < OF_MESSAGE_OBJECT_COUNT && !cls->dispatch)
        check_message(obj);
    copy = of_object_dup(obj);
    ck_assert_msg(rt_check_object(copy, seed), "%s: dup", of_class_name(obj));
    ck_assert_int_gt(of_object_show(count, NULL, copy), 0);
    of_object_delete(copy);
    of_object_delete(obj);
}

START_TEST(test_bindings_roundtrip_any_order_reads_back)
{
    of_version_t version = (of_version_t) _i;
    unsigned n = 0;

    if (!OF_VERSION_OKAY(version))
        return;
    loci_logger = count_absent;
    for (int id = 0; id < OF_LIST_OBJECT_FIRST; id++) {
        if (!of_class_get(id, version))
            continue;
        for (unsigned k = 0; k < ROUNDS; k++)
            round_trip(version, id, mix((uint64_t) id << 8, k));
        n++;
    }
    ck_assert_uint_gt(n, 50);
    ck_assert_uint_eq(n_absent, 0);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("ofproto");
    TCase *t = tcase_create("bindings_roundtrip");

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, test_bindings_roundtrip_any_order_reads_back, 1,
                        OF_VERSION_COUNT);
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    SRunner *r = srunner_create(suite());
    int failed;

    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
