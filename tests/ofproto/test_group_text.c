/* SPDX-License-Identifier: Apache-2.0 */
/* Group text; what is printed is what ovs-ofctl 3.1 prints. */
#include <check.h>
#include <stdlib.h>

#include "ofproto/text/group_text.h"

static struct ofp_group_text t;
static struct weft_err e;

static void
read_as(enum ofp_group_command c, const char *text)
{
    ck_assert_msg(!ofp_text_parse_group(text, c, &t, &e), "%s: %s", text,
                  e.text);
}

static void
refused(enum ofp_group_command c, const char *text, const char *why)
{
    ck_assert_int_ne(ofp_text_parse_group(text, c, &t, &e), 0);
    ck_assert_msg(strstr(e.text, why) != NULL, "%s: '%s', not '%s'", text,
                  e.text, why);
}

static const char *
printed(bool ids)
{
    static char text[4096];
    struct base_str s = BASE_STR_INIT;

    ofp_text_add_group(&s, t.mod.group, &t.mod.config, ids);
    snprintf(text, sizeof text, "%s", base_str_cstr(&s));
    base_str_fini(&s);
    return text;
}

/* Left: as given; right: as ovs-ofctl -O OpenFlow13 dump-groups prints it. */
START_TEST(test_group_text_is_printed_as_ovs_ofctl_does)
{
    static const char *const texts[][2] = {
        { "group_id=1,type=all,bucket=output:1",
          "group_id=1,type=all,bucket=actions=output:1" },
        { "group_id=1 type=select bucket=weight:100,watch_port:2,"
          "actions=output:1 bucket=output:2",
          "group_id=1,type=select,bucket=weight:100,watch_port:2,"
          "actions=output:1,bucket=actions=output:2" },
        { "type=indirect,group_id=4294967040,bucket=actions=drop",
          "group_id=4294967040,type=indirect,bucket=actions=drop" },
        { "group_id=3,type=fast_failover,bucket=watch_group:2,group:2,"
          "bucket=watch_port=LOCAL,actions=set_field:10->ip_dscp,local",
          "group_id=3,type=ff,bucket=watch_group:2,actions=group:2,"
          "bucket=watch_port:LOCAL,actions=set_field:10->ip_dscp,LOCAL" },
        { "group_id=5,type=all", "group_id=5,type=all" },
        { "group_id=6,type=select,selection_method=dp_hash,"
          "selection_method_param=9,bucket=weight=0,output:1",
          "group_id=6,type=select,selection_method=dp_hash,"
          "selection_method_param=9,bucket=weight:0,actions=output:1" },
        { "group_id=6,type=select,selection_method=hash,"
          "fields(ip_dst,tcp_src=0xff),bucket=output:1",
          NULL },
    };

    for (size_t i = 0; i < WEFT_ARRAY_LEN(texts); i++) {
        char once[4096];

        read_as(OFP_GC_ADD, texts[i][0]);
        snprintf(once, sizeof once, "%s", printed(false));
        if (texts[i][1])
            ck_assert_str_eq(once, texts[i][1]);
        ofp_group_text_fini(&t);
        read_as(OFP_GC_ADD, once);
        ck_assert_str_eq(printed(false), once);
        ofp_group_text_fini(&t);
    }
}
END_TEST

START_TEST(test_group_text_bucket_ids_are_given_or_counted)
{
    read_as(OFP_GC_ADD, "group_id=1,type=all,bucket=bucket_id:1,output:1,"
                        "bucket=output:2,bucket=bucket_id:0,output:3,"
                        "bucket=output:4");
    ck_assert_uint_eq(t.mod.config.n_buckets, 4);
    ck_assert_uint_eq(t.mod.config.buckets[0].id, 1);
    ck_assert_uint_eq(t.mod.config.buckets[1].id, 2);
    ck_assert_uint_eq(t.mod.config.buckets[2].id, 0);
    ck_assert_uint_eq(t.mod.config.buckets[3].id, 3);
    ck_assert_str_eq(printed(true),
                     "group_id=1,type=all,"
                     "bucket=bucket_id:1,actions=output:1,"
                     "bucket=bucket_id:2,actions=output:2,"
                     "bucket=bucket_id:0,actions=output:3,"
                     "bucket=bucket_id:3,actions=output:4");
    ofp_group_text_fini(&t);
}
END_TEST

START_TEST(test_group_text_of_the_other_commands)
{
    read_as(OFP_GC_DELETE, "");
    ck_assert_uint_eq(t.mod.group, 0xfffffffc);
    read_as(OFP_GC_DELETE, "group_id=all");
    ck_assert_uint_eq(t.mod.group, 0xfffffffc);
    read_as(OFP_GC_DELETE, "group_id=9");
    ck_assert_uint_eq(t.mod.group, 9);
    read_as(OFP_GC_INSERT_BUCKET,
            "group_id=9,command_bucket_id=first,bucket=bucket_id:3,output:1");
    ck_assert_uint_eq(t.mod.bucket, OFP_BUCKET_FIRST);
    ck_assert_uint_eq(t.mod.config.buckets[0].id, 3);
    ofp_group_text_fini(&t);
    read_as(OFP_GC_REMOVE_BUCKET, "group_id=9,command_bucket_id=7");
    ck_assert_uint_eq(t.mod.bucket, 7);
}
END_TEST

START_TEST(test_group_text_mistakes_are_named)
{
    refused(OFP_GC_ADD, "type=all", "group_id=");
    refused(OFP_GC_ADD, "group_id=1", "type=");
    refused(OFP_GC_ADD, "group_id=1,type=any", "type=any");
    refused(OFP_GC_ADD, "group_id=4294967041,type=all", "group_id");
    refused(OFP_GC_ADD, "group_id=1,type=all,foo=3", "foo=3");
    refused(OFP_GC_ADD, "group_id=1,type=select,bucket=weight:65536", "weight");
    refused(OFP_GC_ADD, "group_id=1,type=all,bucket=otput:1", "otput");
    refused(OFP_GC_ADD, "group_id=1,type=all,command_bucket_id=1",
            "command_bucket_id");
    refused(OFP_GC_ADD, "group_id=1,type=all,selection_method=hash",
            "selection_method");
    refused(OFP_GC_ADD, "group_id=1,type=select,fields(ip_dst)",
            "selection_method");
    refused(OFP_GC_ADD, "group_id=1,type=select,selection_method=hash,"
                        "fields(nonsense)", "nonsense");
    refused(OFP_GC_REMOVE_BUCKET, "group_id=1", "command_bucket_id");
    refused(OFP_GC_DELETE, "group_id=1,bucket=output:1", "bucket=");
}
END_TEST

START_TEST(test_group_text_stats_are_printed_as_ovs_ofctl_does)
{
    struct dp_bucket k[2] = { { .id = 0 }, { .id = 1 } };
    struct dp_stats bs[2] = { { 1, 60, 0 }, { 2, 120, 0 } };
    struct ofp_group_config c = { .buckets = k, .n_buckets = 2 };
    struct ofp_group_view v = {
        .id = 7, .config = &c, .ref_count = 4, .total = { 3, 180, 0 },
        .buckets = bs, .created_ns = 1000,
    };
    struct base_str s = BASE_STR_INIT;

    ofp_text_add_group_stats(&s, &v, 1000 + UINT64_C(2500000000));
    ck_assert_str_eq(base_str_cstr(&s),
                     "group_id=7,duration=2.500s,ref_count=4,packet_count=3,"
                     "byte_count=180,bucket0:packet_count=1,byte_count=60,"
                     "bucket1:packet_count=2,byte_count=120");
    base_str_fini(&s);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("ofproto");
    TCase *tc = tcase_create("group_text");

    tcase_add_test(tc, test_group_text_is_printed_as_ovs_ofctl_does);
    tcase_add_test(tc, test_group_text_bucket_ids_are_given_or_counted);
    tcase_add_test(tc, test_group_text_of_the_other_commands);
    tcase_add_test(tc, test_group_text_mistakes_are_named);
    tcase_add_test(tc, test_group_text_stats_are_printed_as_ovs_ofctl_does);
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
