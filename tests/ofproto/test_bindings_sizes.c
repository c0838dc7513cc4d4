/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes of classes against the tables that were written by hand from the
 * specification's structures. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "loci/loci.h"
#include "ofproto/bindings/of_desc.h"

static const struct size_file {
    of_version_t version;
    const char *name;
} files[] = {
    {OF_VERSION_1_0, "sizes-1.0.txt"},
    {OF_VERSION_1_3, "sizes-1.3.txt"},
    {OF_VERSION_1_4, "sizes-1.4.txt"},
    {OF_VERSION_1_5, "sizes-1.5.txt"},
};

static int
class_by_name(const char *name)
{
    for (int id = 0; id < OF_LIST_OBJECT_FIRST; id++)
        if (!strcmp(of_object_id_str[id], name))
            return id;
    return OF_OBJECT_INVALID;
}

START_TEST(test_bindings_sizes_equal_the_specification)
{
    const char *top = getenv("srcdir");
    char path[512], line[256], name[128];
    unsigned size, n = 0;
    FILE *f;

    snprintf(path, sizeof path, "%s/tests/ofproto/%s", top ? top : ".",
             files[_i].name);
    f = fopen(path, "r");
    ck_assert_msg(f, "%s cannot be read", path);
    while (fgets(line, sizeof line, f)) {
        const struct of_class *cls;

        if (line[0] == '#' || sscanf(line, "%127s %u", name, &size) != 2)
            continue;
        cls = of_class_get(class_by_name(name), files[_i].version);
        ck_assert_msg(cls, "no class %s", name);
        ck_assert_msg(cls->min_size == size, "%s: %u bytes, want %u", name,
                      cls->min_size, size);
        n++;
    }
    fclose(f);
    ck_assert_uint_gt(n, 60);
}
END_TEST

/* LOCI's users size buffers by these. */
START_TEST(test_bindings_sizes_of_control_blocks_are_locis)
{
    ck_assert_uint_eq(sizeof(of_object_t), 32);
    ck_assert_uint_eq(sizeof(of_wire_buffer_t), 24);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("ofproto");
    TCase *t = tcase_create("bindings_sizes");

    tcase_add_loop_test(t, test_bindings_sizes_equal_the_specification, 0,
                        WEFT_ARRAY_LEN(files));
    tcase_add_test(t, test_bindings_sizes_of_control_blocks_are_locis);
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
