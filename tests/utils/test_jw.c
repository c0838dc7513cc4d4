/* SPDX-License-Identifier: Apache-2.0 */
/* Case "jw": what the writer writes, an independent parser reads. */
#include <jansson.h>
#include <string.h>

#include "suite_utils.h"
#include "utils/weftd/jw.h"

START_TEST(test_jw_nested_members_parse_to_the_same_values)
{
    struct base_str s = BASE_STR_INIT;
    struct jw j = JW_INIT(&s);

    jw_object(&j, NULL);
    jw_u64(&j, "n", 12345678901);
    jw_array(&j, "list");
    jw_object(&j, NULL);
    jw_end_object(&j);
    jw_str(&j, NULL, "a\"b\\c\n\x01");
    jw_bool(&j, NULL, true);
    jw_end_array(&j);
    jw_seconds(&j, "t", 1234567890);
    jw_raw(&j, "raw", "[1,{}]");
    jw_object(&j, "empty");
    jw_end_object(&j);
    jw_end_object(&j);

    json_t *got = json_loads(base_str_cstr(&s), 0, NULL);
    json_t *want = json_pack("{s:I,s:[{},s,b],s:f,s:[i,{}],s:{}}", "n",
                             (json_int_t) 12345678901, "list",
                             "a\"b\\c\n\x01", 1, "t", 1.234, "raw", 1,
                             "empty");
    ck_assert_msg(json_equal(got, want), "%s", base_str_cstr(&s));
    json_decref(got);
    json_decref(want);
    base_str_fini(&s);
}
END_TEST

START_TEST(test_jw_any_bytes_give_text_that_parses)
{
    for (unsigned a = 1; a < 256; a++)
        for (unsigned b = 1; b < 256; b += 7) {
            struct base_str s = BASE_STR_INIT;
            struct jw j = JW_INIT(&s);
            char text[] = { 'x', (char) a, (char) b, 'y', (char) a, '\0' };

            jw_array(&j, NULL);
            jw_str(&j, NULL, text);
            jw_end_array(&j);
            json_t *got = json_loads(base_str_cstr(&s), 0, NULL);
            ck_assert_msg(json_array_size(got) == 1, "%02x %02x", a, b);
            json_decref(got);
            base_str_fini(&s);
        }
}
END_TEST

START_TEST(test_jw_utf8_stays_as_it_is)
{
    static const char text[] = "gr\xc3\xbc\xc3\x9f \xe2\x82\xac "
                               "\xf0\x9f\x90\x9f";
    struct base_str s = BASE_STR_INIT;
    struct jw j = JW_INIT(&s);

    jw_array(&j, NULL);
    jw_str(&j, NULL, text);
    jw_end_array(&j);
    json_t *got = json_loads(base_str_cstr(&s), 0, NULL);
    ck_assert_str_eq(json_string_value(json_array_get(got, 0)), text);
    json_decref(got);
    base_str_fini(&s);
}
END_TEST

void
suite_add_jw(Suite *s)
{
    TCase *tc = tcase_create("jw");

    tcase_add_test(tc, test_jw_nested_members_parse_to_the_same_values);
    tcase_add_test(tc, test_jw_any_bytes_give_text_that_parses);
    tcase_add_test(tc, test_jw_utf8_stays_as_it_is);
    suite_add_tcase(s, tc);
}
