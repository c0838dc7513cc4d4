/* SPDX-License-Identifier: Apache-2.0 */
/* Case "model": edits of the configuration document. */
#include <errno.h>
#include <string.h>

#include "suite_utils.h"
#include "utils/weftd/model.h"

static json_t *doc;
static struct weft_err err;

static void
setup(void)
{
    doc = model_create();
    err.text[0] = '\0';
}

static void
teardown(void)
{
    json_decref(doc);
}

/* Runs an edit with parameters in JSON, ' instead of ". */
static int
edit(model_edit *fn, const char *params)
{
    char text[1024];
    json_error_t why;

    snprintf(text, sizeof text, "%s", params);
    for (char *p = text; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    json_t *p = json_loads(text, 0, &why);
    ck_assert_msg(p != NULL, "%s: %s", params, why.text);
    int r = fn(doc, p, &err);
    json_decref(p);
    return r;
}

/* The document is this one, ' instead of ". */
static void
check_doc(const char *want)
{
    char text[2048];

    snprintf(text, sizeof text, "{'version':1,%s}", want);
    for (char *p = text; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    json_t *w = json_loads(text, 0, NULL);
    char *got = json_dumps(doc, JSON_SORT_KEYS);
    ck_assert_msg(json_equal(doc, w), "%s", got);
    free(got);
    json_decref(w);
}

START_TEST(test_model_edits_build_the_document)
{
    ck_assert_int_eq(edit(model_add_br, "{'bridge':'br0','options':"
                          "{'dpid':'aa','probe-interval':3}}"), 0);
    ck_assert_int_eq(edit(model_add_port, "{'bridge':'br0','port':'t1',"
                          "'options':{'type':'tap','ofport':'7',"
                          "'mtu':'1400','mac':'02:00:00:00:00:01'}}"), 0);
    ck_assert_int_eq(edit(model_add_port, "{'bridge':'br0','port':'e1'}"), 0);
    ck_assert_int_eq(edit(model_set_port, "{'port':'t1','options':"
                          "{'mtu':'1500','mac':''}}"), 0);
    ck_assert_int_eq(edit(model_set_controller, "{'bridge':'br0',"
                          "'targets':['tcp:h:1','ptcp:']}"), 0);
    ck_assert_int_eq(edit(model_add_uplink, "{'uplink':'eth0'}"), 0);
    ck_assert_int_eq(edit(model_set_fail_mode,
                          "{'bridge':'br0','mode':'hold'}"), 0);
    check_doc("'bridges':{'br0':{'options':{'dpid':'aa','probe-interval':'3',"
              "'fail-mode':'hold'},'controllers':['tcp:h:1','ptcp:'],"
              "'ports':{'t1':{'type':'tap','ofport':7,'options':"
              "{'mtu':'1500'}},'e1':{'type':'netdev','options':{}}}}},"
              "'uplinks':{'eth0':{'type':'netdev','options':{}}}");
    ck_assert_str_eq(model_port_bridge(doc, "e1"), "br0");

    ck_assert_int_eq(edit(model_del_controller, "{'bridge':'br0'}"), 0);
    ck_assert_int_eq(edit(model_del_port, "{'port':'t1'}"), 0);
    ck_assert_int_eq(edit(model_del_port, "{'bridge':'br0','port':'e1'}"), 0);
    ck_assert_int_eq(edit(model_del_uplink, "{'uplink':'eth0'}"), 0);
    ck_assert_int_eq(edit(model_del_br, "{'bridge':'br0'}"), 0);
    check_doc("'bridges':{},'uplinks':{}");
}
END_TEST

#define N63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    model_edit *fn;
    const char *params;
    int code;
    const char *says;
} refused[] = {
    { model_add_br, "{'bridge':'br0'}", -EEXIST, "bridge br0: it exists" },
    { model_add_br, "{}", -EINVAL, "name of 0 characters (1 to 63" },
    { model_add_br, "{'bridge':'" N63 "a'}", -EINVAL, "64 characters" },
    { model_add_br, "{'bridge':'a/b'}", -EINVAL, "a/b" },
    { model_add_br, "{'bridge':'-x'}", -EINVAL, "starts with no -" },
    { model_add_br, "{'bridge':'b','options':{'dpid':'xyz'}}", -EINVAL,
      "dpid \"xyz\"" },
    { model_add_br, "{'bridge':'b','options':{'dpid':'0'}}", -EINVAL,
      "other than 0" },
    { model_add_br, "{'bridge':'b','options':[]}", -EINVAL, "not an object" },
    { model_add_br, "{'bridge':'b','options':{'x':{}}}", -EINVAL,
      "neither text nor a number" },
    { model_set_br, "{'bridge':'br0','options':{'colour':'red'}}", -EINVAL,
      "no option \"colour\"" },
    { model_set_br, "{'bridge':'br0','options':{'fail-mode':'open'}}",
      -EINVAL, "secure, standalone, hold" },
    { model_set_br, "{'bridge':'br0','options':{'probe-interval':'0'}}",
      -EINVAL, "1..3600" },
    { model_set_br, "{'bridge':'br0','options':{'protocols':'OpenFlow11'}}",
      -EINVAL, "\"OpenFlow11\" is none of" },
    { model_set_br, "{'bridge':'br0','options':{'ca-cert':'x.pem'}}", -EINVAL,
      "not an absolute path" },
    { model_set_br, "{'bridge':'br9'}", -ENOENT, "bridge br9" },
    { model_del_br, "{'bridge':'br9'}", -ENOENT, "bridge br9" },
    { model_set_fail_mode, "{'bridge':'br0','mode':''}", -EINVAL,
      "fail-mode \"\"" },
    { model_add_port, "{'bridge':'br9','port':'p'}", -ENOENT, "bridge br9" },
    { model_add_port, "{'bridge':'br0','port':'t1'}", -EEXIST,
      "already in bridge br0" },
    { model_add_port, "{'bridge':'br1','port':'t1','may-exist':true}",
      -EEXIST, "already in bridge br0" },
    { model_add_port, "{'bridge':'br0','port':'p','options':{'ofport':'0'}}",
      -EINVAL, "ofport \"0\" is not a number in 1..65280" },
    { model_add_port,
      "{'bridge':'br0','port':'p','options':{'ofport':'65281'}}", -EINVAL,
      "65281" },
    { model_set_port, "{'port':'t1','options':{'type':'vxlan'}}", -EINVAL,
      "its type is tap" },
    { model_set_port, "{'bridge':'br1','port':'t1','options':{}}", -ENOENT,
      "it is in bridge br0, not in br1" },
    { model_del_port, "{'port':'none'}", -ENOENT, "port none" },
    { model_add_uplink, "{'uplink':'e','options':{'ofport':'3'}}", -EINVAL,
      "no ofport" },
    { model_del_uplink, "{'uplink':'e'}", -ENOENT, "uplink e" },
    { model_set_controller, "{'bridge':'br0','targets':['pigeon:1']}",
      -EINVAL, "pigeon:1" },
    { model_set_controller, "{'bridge':'br0','targets':'tcp:h'}", -EINVAL,
      "not a list" },
    { model_apply, "{}", -EINVAL, "no document" },
    { model_apply, "{'document':{'version':2}}", -EINVAL, "version" },
    { model_apply, "{'document':{'bridge':{}}}", -EINVAL, "\"bridge\"" },
    { model_apply, "{'document':{'bridges':{'b':{'port':{}}}}}", -EINVAL,
      "bridge b: no member \"port\"" },
    { model_apply, "{'document':{'bridges':{'b':{'ports':{'p':1}}}}}",
      -EINVAL, "port p: it is not an object" },
    { model_apply, "{'document':{'bridges':{'b':{'ports':{'p':"
      "{'ofport':70000}}}}}}", -EINVAL, "port p: ofport" },
    { model_apply, "{'document':{'bridges':{'b':{'ports':{'p':{}}},"
      "'c':{'ports':{'p':{}}}}}}", -EEXIST, "port p: it is in bridges b" },
    { model_apply, "{'document':{'uplinks':{'u':{'ofport':1}}}}", -EINVAL,
      "uplink u: ofport" },
};

START_TEST(test_model_wrong_edit_is_refused_and_named)
{
    ck_assert_int_eq(edit(model_add_br, "{'bridge':'br0'}"), 0);
    ck_assert_int_eq(edit(model_add_br, "{'bridge':'br1'}"), 0);
    ck_assert_int_eq(edit(model_add_port, "{'bridge':'br0','port':'t1',"
                          "'options':{'type':'tap'}}"), 0);
    ck_assert_msg(edit(refused[_i].fn, refused[_i].params)
                      == refused[_i].code,
                  "%s: %s", refused[_i].params, err.text);
    ck_assert_msg(strstr(err.text, refused[_i].says), "%s", err.text);
}
END_TEST

START_TEST(test_model_may_exist_and_if_exists_accept_what_is)
{
    ck_assert_int_eq(edit(model_add_br, "{'bridge':'br0'}"), 0);
    ck_assert_int_eq(edit(model_add_br, "{'bridge':'br0','may-exist':true,"
                          "'options':{'fail-mode':'hold'}}"), 0);
    ck_assert_int_eq(edit(model_add_port, "{'bridge':'br0','port':'p'}"), 0);
    ck_assert_int_eq(edit(model_add_port, "{'bridge':'br0','port':'p',"
                          "'may-exist':true}"), 0);
    ck_assert_int_eq(edit(model_del_port, "{'port':'q','if-exists':true}"),
                     0);
    ck_assert_int_eq(edit(model_del_br, "{'bridge':'b','if-exists':true}"),
                     0);
    ck_assert_int_eq(edit(model_del_uplink, "{'uplink':'b','if-exists':true}"),
                     0);
    check_doc("'bridges':{'br0':{'options':{'fail-mode':'hold'},"
              "'controllers':[],'ports':{'p':{'type':'netdev','options':{}}}}}"
              ",'uplinks':{}");
}
END_TEST

START_TEST(test_model_apply_completes_a_short_document)
{
    ck_assert_int_eq(edit(model_add_br, "{'bridge':'old'}"), 0);
    ck_assert_msg(!edit(model_apply, "{'document':{'bridges':{'b':{'ports':"
                        "{'t':{'type':'tap','options':{'mtu':1400}}}}}}}"),
                  "%s", err.text);
    check_doc("'bridges':{'b':{'options':{},'controllers':[],'ports':{'t':"
              "{'type':'tap','options':{'mtu':'1400'}}}}},'uplinks':{}");
}
END_TEST

START_TEST(test_model_exported_local_port_is_taken_back)
{
    ck_assert_msg(!edit(model_apply, "{'document':{'bridges':{'b':{'ports':"
                        "{'b':{'type':'internal','ofport':4294967294}}}}}}"),
                  "%s", err.text);
    ck_assert_int_eq(edit(model_apply, "{'document':{'bridges':{'b':{'ports':"
                          "{'b':{'ofport':4294967295}}}}}}"), -EINVAL);
}
END_TEST

START_TEST(test_model_dpid_and_protocols_are_read)
{
    uint64_t dpid = 0;
    uint32_t bits = 1;

    ck_assert_int_eq(model_parse_dpid("0x00ffeeddccbbaa99", &dpid), 0);
    ck_assert_uint_eq(dpid, 0x00ffeeddccbbaa99);
    ck_assert_int_eq(model_parse_dpid("00000000000000001", &dpid), -EINVAL);
    ck_assert_int_eq(model_parse_dpid("", &dpid), -EINVAL);
    ck_assert_int_eq(model_parse_protocols("OpenFlow13,OpenFlow10", &bits,
                                           NULL), 0);
    ck_assert_uint_eq(bits, 1u << 4 | 1u << 1);
    ck_assert_int_eq(model_parse_protocols("", &bits, NULL), 0);
    ck_assert_uint_eq(bits, 0);
    ck_assert_int_eq(model_parse_protocols("OpenFlow1", &bits, NULL),
                     -EINVAL);
}
END_TEST

void
suite_add_model(Suite *s)
{
    TCase *tc = tcase_create("model");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_model_edits_build_the_document);
    tcase_add_loop_test(tc, test_model_wrong_edit_is_refused_and_named, 0,
                        WEFT_ARRAY_LEN(refused));
    tcase_add_test(tc, test_model_may_exist_and_if_exists_accept_what_is);
    tcase_add_test(tc, test_model_apply_completes_a_short_document);
    tcase_add_test(tc, test_model_exported_local_port_is_taken_back);
    tcase_add_test(tc, test_model_dpid_and_protocols_are_read);
    suite_add_tcase(s, tc);
}
