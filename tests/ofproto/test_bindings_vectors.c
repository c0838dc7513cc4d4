/* SPDX-License-Identifier: Apache-2.0 */
/* Every vector through the bindings: good ones read, print and copy; bad ones
 * are refused with the error the specification wants. */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "loci/loci.h"
#include "ofproto/bindings/of_desc.h"
#include "tests/ofproto/of_vectors.h"

struct text {
    char bytes[1 << 20]; /* Table features are long. */
    size_t len;
};

static int
text_write(void *cookie, const char *fmt, ...)
{
    struct text *t = cookie;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(t->bytes + t->len, sizeof t->bytes - t->len, fmt, ap);
    va_end(ap);
    ck_assert_int_ge(n, 0);
    t->len += (size_t) n;
    ck_assert_uint_lt(t->len, sizeof t->bytes);
    return n;
}

static struct text text;

static unsigned n_absent;

static void
count_absent(const char *what)
{
    fprintf(stderr, "%s\n", what);
    n_absent++;
}

/* The class in front of "-variant.data". */
static void
class_of_name(const char *name, char *cls, size_t size)
{
    snprintf(cls, size, "of_%.*s", (int) strcspn(name, "-."), name);
}

static const char *const good_folders[] = {"of10", "of13", "of14", "of15"};
static const char *const bad_folders[] = {"bad10", "bad13", "bad14", "bad15"};
#define N_GOOD ((int) WEFT_ARRAY_LEN(good_folders))
#define N_BAD ((int) WEFT_ARRAY_LEN(bad_folders))

START_TEST(test_bindings_vectors_good_ones_have_their_class)
{
    size_t n;
    struct vector *all = vectors_read(good_folders[_i], &n);

    ck_assert_uint_gt(n, 40);
    for (size_t i = 0; i < n; i++) {
        of_object_storage_t s;
        struct of_parse_err err = {0};
        of_object_t *obj
            = of_object_parse(&s, all[i].bytes, (int) all[i].len, &err);
        char cls[128];

        ck_assert_msg(obj, "%s: at %u: %s", all[i].name, err.offset, err.text);
        class_of_name(all[i].name, cls, sizeof cls);
        ck_assert_str_eq(of_class_name(obj), cls);
    }
    vectors_free(all, n);
}
END_TEST

START_TEST(test_bindings_vectors_good_ones_print_and_copy)
{
    size_t n;
    struct vector *all = vectors_read(good_folders[_i], &n);

    loci_logger = count_absent;
    for (size_t i = 0; i < n; i++) {
        of_object_storage_t s;
        of_object_t *obj, *copy;

        obj = of_object_new_from_message_preallocated(&s, all[i].bytes,
                                                      (int) all[i].len);
        ck_assert_ptr_nonnull(obj);
        text.len = 0;
        ck_assert_int_eq(of_object_show(text_write, &text, obj),
                         (int) text.len);
        ck_assert_ptr_null(strchr(text.bytes, '\n'));
        ck_assert_msg(!strstr(text.bytes, "=?"), "%s: %s", all[i].name,
                      text.bytes);
        text.len = 0;
        ck_assert_int_gt(of_object_dump(text_write, &text, obj), 0);
        copy = of_object_dup(obj);
        ck_assert_int_eq(copy->length, obj->length);
        ck_assert_mem_eq(copy->wbuf->buf, all[i].bytes, all[i].len);
        of_object_delete(copy);
    }
    ck_assert_uint_eq(n_absent, 0);
    vectors_free(all, n);
}
END_TEST

/* OFPT_FLOW_MOD is 14 in all versions. */
START_TEST(test_bindings_vectors_matches_round_trip)
{
    size_t n, n_seen = 0;
    struct vector *all = vectors_read(good_folders[_i], &n);

    for (size_t i = 0; i < n; i++) {
        of_object_storage_t s;
        of_match_t match, again;
        of_object_t *obj, *copy, wire;
        struct of_parse_err err = {0};

        if (of_message_type_get(all[i].bytes) != 14)
            continue;
        obj = of_object_new_from_message_preallocated(&s, all[i].bytes,
                                                      (int) all[i].len);
        ck_assert_ptr_nonnull(obj);
        of_flow_add_match_bind(obj, &wire);
        ck_assert_msg(!of_match_parse(&wire, &match, &err), "%s: at %u: %s",
                      all[i].name, err.offset, err.text);
        copy = of_object_dup(obj);
        ck_assert_int_eq(of_flow_add_match_set(copy, &match), 0);
        ck_assert_int_eq(of_flow_add_match_get(copy, &again), 0);
        ck_assert_msg(of_match_eq(&match, &again), "%s", all[i].name);
        ck_assert_int_eq(
            of_validate_message(copy->wbuf->buf, copy->length), 0);
        of_object_delete(copy);
        n_seen++;
    }
    ck_assert_uint_gt(n_seen, 5);
    vectors_free(all, n);
}
END_TEST

/* Cut anywhere, with the header's length corrected: refused, or what is left
 * can be read.  Memory of exactly that size shows a read too far. */
START_TEST(test_bindings_vectors_truncated_are_refused_or_readable)
{
    size_t n;
    struct vector *all = vectors_read(good_folders[_i], &n);

    for (size_t i = 0; i < n; i++)
        for (size_t len = 0; len < all[i].len; len++) {
            uint8_t *cut = malloc(len ? len : 1);
            of_object_storage_t s;
            of_object_t *obj;

            memcpy(cut, all[i].bytes, len);
            if (len >= 4)
                of_message_length_set(cut, (uint16_t) len);
            obj = of_object_parse(&s, cut, (int) len, NULL);
            if (obj) {
                text.len = 0;
                ck_assert_int_ge(of_object_show(text_write, &text, obj), 0);
            }
            free(cut);
        }
    vectors_free(all, n);
}
END_TEST

/* Numbers of the errors, from OpenFlow 1.0.0 §5.4.4, 1.3.5 §7.4.4 and, for
 * what 1.3 has not, 1.5.1 §7.5.4. */
static const struct error_number {
    const char *name;
    int v1_0, v1_3; /* -1: not there. */
} numbers[] = {
    {"OFPET_BAD_REQUEST", 1, 1},       {"OFPET_BAD_ACTION", 2, 2},
    {"OFPET_BAD_INSTRUCTION", -1, 3},  {"OFPET_BAD_MATCH", -1, 4},
    {"OFPET_FLOW_MOD_FAILED", 3, 5},   {"OFPET_GROUP_MOD_FAILED", -1, 6},
    {"OFPET_METER_MOD_FAILED", -1, 12},
    {"OFPET_TABLE_FEATURES_FAILED", -1, 13},
    {"OFPBRC_BAD_TYPE", 1, 1},         {"OFPBRC_BAD_STAT", 2, 2},
    {"OFPBRC_BAD_MULTIPART", -1, 2},   {"OFPBRC_BAD_LEN", 6, 6},
    {"OFPBAC_BAD_LEN", 1, 1},          {"OFPBAC_BAD_SET_TYPE", -1, 13},
    {"OFPBAC_BAD_SET_LEN", -1, 14},    {"OFPBIC_BAD_LEN", -1, 7},
    {"OFPBMC_BAD_TYPE", -1, 0},        {"OFPBMC_BAD_LEN", -1, 1},
    {"OFPBMC_BAD_WILDCARDS", -1, 5},   {"OFPBMC_BAD_FIELD", -1, 6},
    {"OFPBMC_BAD_VALUE", -1, 7},       {"OFPBMC_BAD_MASK", -1, 8},
    {"OFPBMC_BAD_PREREQ", -1, 9},      {"OFPBMC_DUP_FIELD", -1, 10},
    {"OFPFMFC_BAD_COMMAND", 4, 6},     {"OFPGMFC_BAD_BUCKET", -1, 12},
    {"OFPGMFC_BAD_COMMAND", -1, 11},   {"OFPTFFC_BAD_LEN", -1, 3},
    {"OFPET_BAD_PROPERTY", -1, 14},    {"OFPBPC_BAD_LEN", -1, 1},
    {"OFPBIC_UNKNOWN_INST", -1, 0},    {"OFPBAC_BAD_TYPE", 0, 0},
};

static int
number_of(const char *name, uint8_t version)
{
    for (size_t i = 0; i < WEFT_ARRAY_LEN(numbers); i++)
        if (!strcmp(numbers[i].name, name))
            return version == 1 ? numbers[i].v1_0 : numbers[i].v1_3;
    ck_abort_msg("unknown error name %s", name);
    return -1;
}

static void
expect_error(const struct vector *v, const struct of_parse_err *err)
{
    int type = number_of(v->type, v->bytes[0]);
    int code = number_of(v->code, v->bytes[0]);

    ck_assert_msg(err->type == type && err->code == code,
                  "%s: at %u: type %u code %u (%s), want %d %d", v->name,
                  err->offset, err->type, err->code, err->text, type, code);
    ck_assert_uint_lt(err->offset, v->len + 1);
}

START_TEST(test_bindings_vectors_bad_wire_is_refused_with_its_error)
{
    size_t n, n_seen = 0;
    struct vector *all = vectors_read(bad_folders[_i], &n);

    for (size_t i = 0; i < n; i++) {
        struct of_parse_err err = {0};
        int rv;

        if (strncmp(all[i].name, "wire-", 5))
            continue;
        /* The width of an unknown or unsettable field is the agent's. */
        if (!strcmp(all[i].code, "OFPBAC_BAD_SET_TYPE"))
            continue;
        rv = of_validate_message_ex(all[i].bytes, (int) all[i].len, &err);
        ck_assert_msg(rv == -1, "%s: accepted", all[i].name);
        expect_error(&all[i], &err);
        n_seen++;
    }
    ck_assert_uint_gt(n_seen, 10);
    vectors_free(all, n);
}
END_TEST

START_TEST(test_bindings_vectors_bad_match_is_refused_with_its_error)
{
    size_t n, n_seen = 0;
    struct vector *all = vectors_read("bad13", &n);

    for (size_t i = 0; i < n; i++) {
        struct of_parse_err err = {0};
        of_object_storage_t s;
        of_object_t *obj, wire;
        of_match_t match;

        if (strncmp(all[i].name, "match-", 6))
            continue;
        obj = of_object_parse(&s, all[i].bytes, (int) all[i].len, &err);
        ck_assert_msg(obj, "%s: %s", all[i].name, err.text);
        of_flow_add_match_bind(obj, &wire);
        ck_assert_msg(of_match_parse(&wire, &match, &err) < 0, "%s: accepted",
                      all[i].name);
        expect_error(&all[i], &err);
        n_seen++;
    }
    ck_assert_uint_gt(n_seen, 20);
    vectors_free(all, n);
}
END_TEST

/* Unknown messages and commands are refused here; unknown actions and other
 * parts pass and show their base class, for the agent to answer. */
START_TEST(test_bindings_vectors_unknown_is_refused_or_generic)
{
    size_t n;
    struct vector *all = vectors_read(bad_folders[_i], &n);

    for (size_t i = 0; i < n; i++) {
        struct of_parse_err err = {0};
        bool part;

        if (strncmp(all[i].name, "unknown-", 8))
            continue;
        part = strstr(all[i].name, "action") || strstr(all[i].name, "vendor")
               || strstr(all[i].name, "experimenter")
               || strstr(all[i].name, "instruction")
               || strstr(all[i].name, "band");
        if (of_validate_message_ex(all[i].bytes, (int) all[i].len, &err))
            expect_error(&all[i], &err);
        else
            ck_assert_msg(part, "%s: accepted", all[i].name);
    }
    vectors_free(all, n);
}
END_TEST

/* Is 'name' in the text as a word? */
static bool
has_word(const char *all, const char *name)
{
    size_t n = strlen(name);

    for (const char *at = all; (at = strstr(at, name)); at += n) {
        char c = at[n];

        if ((at == all || strchr(" \n", at[-1]))
            && !(c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
            return true;
    }
    return false;
}

/* Everything that a good vector of the folder shows, as trees. */
static char *
dump_all(const char *folder, of_version_t *version)
{
    static char all[8 << 20];
    size_t n, len = 0;
    struct vector *v = vectors_read(folder, &n);

    for (size_t i = 0; i < n; i++) {
        of_object_storage_t s;
        of_object_t *obj = of_object_parse(&s, v[i].bytes, (int) v[i].len,
                                           NULL);

        text.len = 0;
        ck_assert_int_gt(of_object_dump(text_write, &text, obj), 0);
        ck_assert_uint_lt(len + text.len, sizeof all);
        memcpy(all + len, text.bytes, text.len + 1);
        len += text.len;
        *version = obj->version;
    }
    vectors_free(v, n);
    return all;
}

/* Members that are an object: their members are shown as the message's. */
static bool
is_shown_inline(const char *name)
{
    static const char *const names[] = {
        "of_uint8", "of_match_v1", "of_match_v3", "of_meter_features",
        "of_stat_v6", "of_time",
    };

    for (size_t i = 0; i < WEFT_ARRAY_LEN(names); i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

/* Messages and all that they hold; the fields of matches are counted by
 * test_oxm. */
START_TEST(test_bindings_vectors_show_every_concrete_class)
{
    of_version_t version = OF_VERSION_1_0;
    const char *all = dump_all(good_folders[_i], &version);
    unsigned n = 0, n_missing = 0;

    for (int id = 0; id < OF_LIST_OBJECT_FIRST; id++) {
        const struct of_class *c = of_class_get(id, version);

        if (!c || c->flags & OF_CLASS_VIRTUAL || c->family == OF_FAMILY_OXM)
            continue;
        n++;
        if (is_shown_inline(of_object_id_str[id])
            || has_word(all, of_object_id_str[id]))
            continue;
        n_missing++;
        fprintf(stderr, "%s: no vector has %s\n", good_folders[_i],
                of_object_id_str[id]);
    }
    ck_assert_uint_gt(n, 60);
    ck_assert_uint_eq(n_missing, 0);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("ofproto");
    TCase *t = tcase_create("bindings_vectors");

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, test_bindings_vectors_good_ones_have_their_class,
                        0, N_GOOD);
    tcase_add_loop_test(t, test_bindings_vectors_good_ones_print_and_copy, 0,
                        N_GOOD);
    tcase_add_loop_test(t, test_bindings_vectors_matches_round_trip, 0,
                        N_GOOD);
    tcase_add_loop_test(
        t, test_bindings_vectors_truncated_are_refused_or_readable, 0, N_GOOD);
    tcase_add_loop_test(
        t, test_bindings_vectors_bad_wire_is_refused_with_its_error, 0, N_BAD);
    tcase_add_loop_test(t, test_bindings_vectors_show_every_concrete_class, 0,
                        N_GOOD);
    tcase_add_test(t,
                   test_bindings_vectors_bad_match_is_refused_with_its_error);
    tcase_add_loop_test(t, test_bindings_vectors_unknown_is_refused_or_generic,
                        0, N_BAD);
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
