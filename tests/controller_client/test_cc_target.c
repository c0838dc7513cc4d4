/* SPDX-License-Identifier: Apache-2.0 */
/* Case "target": syntax of controller targets. */
#include <errno.h>
#include <string.h>

#include "cc_peer.h"
#include "controller_client/cc_priv.h"

static const struct {
    const char *text;
    struct cc_spec spec;
} good[] = {
    { "tcp:192.0.2.9:6653", { .host = "192.0.2.9", .port = 6653 } },
    { "tcp:192.0.2.9", { .host = "192.0.2.9", .port = 6653 } },
    { "tcp:[2001:db8::1]:6633", { .host = "2001:db8::1", .port = 6633 } },
    { "tcp:[2001:db8::1]", { .host = "2001:db8::1", .port = 6653 } },
    { "tcp:sdn.example.net:1", { .host = "sdn.example.net", .port = 1 } },
    { "tls:h:65535", { .tls = true, .host = "h", .port = 65535 } },
    { "ssl:h", { .tls = true, .host = "h", .port = 6653 } },
    { "ptcp:", { .passive = true, .port = 6653 } },
    { "ptcp:6633", { .passive = true, .port = 6633 } },
    { "ptcp:6633:127.0.0.1",
      { .passive = true, .port = 6633, .host = "127.0.0.1" } },
    { "ptcp:6633:[::1]", { .passive = true, .port = 6633, .host = "::1" } },
    { "ptls:6633", { .passive = true, .tls = true, .port = 6633 } },
    { "unix:/run/c", { .local = true, .port = 6653, .path = "/run/c" } },
    { "punix:/run/c",
      { .passive = true, .local = true, .port = 6653, .path = "/run/c" } },
};

START_TEST(test_cc_target_good_text_is_understood)
{
    struct cc_spec t;
    struct weft_err e;

    ck_assert_int_eq(cc_spec_parse(good[_i].text, &t, &e), 0);
    ck_assert_int_eq(t.passive, good[_i].spec.passive);
    ck_assert_int_eq(t.tls, good[_i].spec.tls);
    ck_assert_int_eq(t.local, good[_i].spec.local);
    ck_assert_uint_eq(t.port, good[_i].spec.port);
    ck_assert_str_eq(t.host, good[_i].spec.host);
    ck_assert_str_eq(t.path, good[_i].spec.path);
}
END_TEST

#define C20 "cccccccccccccccccccc"
#define C100 C20 C20 C20 C20 C20

static const struct {
    const char *text, *says;
} bad[] = {
    { "", "starts with none of tcp:" },
    { "udp:1.2.3.4:5", "starts with none of tcp:" },
    { "tcp", "starts with none of tcp:" },
    { "tcp:", "host of 0 characters" },
    { "tcp::6653", "host of 0 characters" },
    { "tcp:h:0", "port \"0\" is not a number in 1..65535" },
    { "tcp:h:65536", "port \"65536\"" },
    { "tcp:h:", "port \"\"" },
    { "tcp:h:66x", "port \"66x\"" },
    { "tcp:2001:db8::1", "needs brackets" },
    { "tcp:[2001:db8::1", "without \"]\"" },
    { "tcp:[2001:db8::1]6653", "without \"]\"" },
    { "tcp:[sdn]:6653", "not an IPv6 address" },
    { "tcp:a b:6653", "not a host" },
    { "tcp:" C100 C100 C100, "host of 300 characters (1 to 255" },
    { "ptcp:x", "port \"x\"" },
    { "ptcp:123456789", "port \"123456789\"" },
    { "ptcp:6653:", "host of 0 characters" },
    { "ptcp:6653:localhost", "not an address to listen on" },
    { "ptcp:6653:127.0.0.1:1", "not an address to listen on" },
    { "unix:", "path of 0 characters" },
    { "punix:/" C100 C20, "path of 121 characters (1 to 107" },
};

START_TEST(test_cc_target_bad_text_is_refused_and_named)
{
    struct weft_err e = { "" };

    ck_assert_int_eq(cc_target_check(bad[_i].text, &e), -EINVAL);
    ck_assert_msg(strstr(e.text, bad[_i].says), "%s: %s", bad[_i].text,
                  e.text);
}
END_TEST

void
suite_add_target(Suite *s)
{
    TCase *tc = tcase_create("target");

    tcase_add_loop_test(tc, test_cc_target_good_text_is_understood, 0,
                        WEFT_ARRAY_LEN(good));
    tcase_add_loop_test(tc, test_cc_target_bad_text_is_refused_and_named, 0,
                        WEFT_ARRAY_LEN(bad));
    suite_add_tcase(s, tc);
}
