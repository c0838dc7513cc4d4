/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of weftctl that show, and the few that are no configuration. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utils/weftctl/weftctl.h"

static const char *
text(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));

    return s ? s : "";
}

void
ctl_print_json(const json_t *j)
{
    json_dumpf(j, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_PRESERVE_ORDER);
    putchar('\n');
}

/* ------------------------------------------------------------------ show */

static void
print_controller(const json_t *c)
{
    printf("    controller %s: %s", text(c, "target"), text(c, "state"));
    if (json_is_true(json_object_get(c, "connected")))
        printf(" to %s", text(c, "peer"));
    if (*text(c, "protocol"))
        printf(", %s", text(c, "protocol"));
    if (*text(c, "role"))
        printf(", %s", text(c, "role"));
    if (*text(c, "last_error"))
        printf(" (%s)", text(c, "last_error"));
    putchar('\n');
}

static void
print_port(const json_t *p)
{
    json_int_t no = json_integer_value(json_object_get(p, "ofport"));

    if (no == 0xfffffffe)
        printf("    port LOCAL %s", text(p, "name"));
    else
        printf("    port %" JSON_INTEGER_FORMAT " %s", no, text(p, "name"));
    printf(": %s%s%s, %s\n", text(p, "type"), *text(p, "options") ? " " : "",
           text(p, "options"), text(p, "status"));
}

/* Only where addresses are learnt. */
static void
print_mac_stats(const json_t *m)
{
    json_int_t n = json_integer_value(json_object_get(m, "addresses"));
    json_int_t moves = json_integer_value(json_object_get(m, "moves"));
    json_int_t refused = json_integer_value(json_object_get(m, "refused"));

    if (n || moves || refused)
        printf("    addresses: %" JSON_INTEGER_FORMAT " of %"
               JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT " moves, %"
               JSON_INTEGER_FORMAT " not learnt (mac-limit)\n", n,
               json_integer_value(json_object_get(m, "limit")), moves,
               refused);
}

static void
print_bridge(const json_t *b)
{
    size_t i;
    json_t *v;

    printf("bridge %s\n    dpid %s, fail-mode %s, %" JSON_INTEGER_FORMAT
           " rules\n",
           text(b, "name"), text(b, "dpid"), text(b, "fail_mode"),
           json_integer_value(json_object_get(b, "rules")));
    print_mac_stats(json_object_get(b, "macs"));
    json_array_foreach(json_object_get(b, "controllers"), i, v)
        print_controller(v);
    json_array_foreach(json_object_get(b, "ports"), i, v)
        print_port(v);
}

static void
print_uplink(const json_t *u)
{
    printf("uplink %s: %s, %s, %s\n", text(u, "name"), text(u, "type"),
           text(u, "mode"), text(u, "status"));
}

static enum cli_exit
show(struct ctl *c, const json_t *all, char *w[], size_t n)
{
    size_t i;
    json_t *v;

    if (n > 1)
        ctl_usage("unexpected word \"%s\"", w[1]);
    if (c->json) {
        ctl_print_json(all);
        return CLI_OK;
    }
    json_array_foreach(json_object_get(all, "bridges"), i, v)
        print_bridge(v);
    json_array_foreach(json_object_get(all, "uplinks"), i, v)
        print_uplink(v);
    return CLI_OK;
}

/* ------------------------------------------------------------- list, get */

/* Objects of one kind: br, port (of 'bridge', NULL: of all), uplink. */
static json_t *
objects(const json_t *all, const char *kind, const char *bridge)
{
    json_t *list = json_array(), *v;
    size_t i;

    if (!strcmp(kind, "uplink")) {
        json_array_extend(list, json_object_get(all, "uplinks"));
        return list;
    }
    json_array_foreach(json_object_get(all, "bridges"), i, v) {
        if (bridge && strcmp(bridge, text(v, "name")))
            continue;
        if (!strcmp(kind, "port"))
            json_array_extend(list, json_object_get(v, "ports"));
        else
            json_array_append(list, v);
    }
    return list;
}

static const char *
kind_check(const char *kind)
{
    if (strcmp(kind, "br") && strcmp(kind, "port") && strcmp(kind, "uplink"))
        ctl_usage("\"%s\" is none of br, port, uplink", kind);
    return kind;
}

static json_t *
named(const json_t *list, const char *name)
{
    size_t i;
    json_t *v;

    json_array_foreach(list, i, v) {
        if (!strcmp(text(v, "name"), name))
            return v;
    }
    return NULL;
}

static enum cli_exit
not_there(const char *kind, const char *name)
{
    fprintf(stderr, "weftctl: %s %s: there is none of this name\n",
            strcmp(kind, "br") ? kind : "bridge", name);
    return CLI_REFUSED;
}

static enum cli_exit
list(struct ctl *c, const json_t *all, char *w[], size_t n)
{
    json_t *v, *found, *names = json_array();
    enum cli_exit code = CLI_OK;
    size_t i;

    if (n < 2 || n > 3)
        ctl_usage("%s br | port [BRIDGE] | uplink", w[0]);
    kind_check(w[1]);
    if (n == 3 && !named(json_object_get(all, "bridges"), w[2]))
        code = not_there("br", w[2]);
    found = objects(all, w[1], n == 3 ? w[2] : NULL);
    json_array_foreach(found, i, v) {
        json_array_append(names, json_object_get(v, "name"));
        if (!c->json)
            puts(text(v, "name"));
    }
    if (c->json && !code)
        ctl_print_json(names);
    json_decref(found);
    json_decref(names);
    return code;
}

static enum cli_exit
get(struct ctl *c, const json_t *all, char *w[], size_t n)
{
    json_t *v, *found;

    if (n < 3 || n > 4)
        ctl_usage("%s br|port|uplink NAME [MEMBER]", w[0]);
    found = objects(all, kind_check(w[1]), NULL);
    v = named(found, w[2]);
    if (!v) {
        json_decref(found);
        return not_there(w[1], w[2]);
    }
    if (n == 4) {
        v = json_object_get(v, w[3]);
        if (!v)
            ctl_usage("there is no member \"%s\": see get without it", w[3]);
    }
    if (json_is_string(v) && !c->json)
        puts(json_string_value(v));
    else
        ctl_print_json(v);
    json_decref(found);
    return CLI_OK;
}

/* ---------------------------------------------------------------- others */

static enum cli_exit
print_version(struct ctl *c, const json_t *r, char *w[], size_t n)
{
    (void) w;
    (void) n;
    if (c->json)
        ctl_print_json(r);
    else
        printf("weftd %s\n", text(r, "version"));
    return CLI_OK;
}

static enum cli_exit
print_result(struct ctl *c, const json_t *r, char *w[], size_t n)
{
    (void) c;
    (void) w;
    (void) n;
    ctl_print_json(r);
    return CLI_OK;
}

static enum cli_exit
print_nothing(struct ctl *c, const json_t *r, char *w[], size_t n)
{
    (void) w;
    (void) n;
    if (c->json)
        ctl_print_json(r);
    return CLI_OK;
}

static enum cli_exit
print_trace(struct ctl *c, const json_t *r, char *w[], size_t n)
{
    const char *s = text(r, "text");

    (void) w;
    (void) n;
    if (c->json)
        ctl_print_json(r);
    else
        printf("%s%s", s, *s && s[strlen(s) - 1] != '\n' ? "\n" : "");
    return CLI_OK;
}

static json_t *
params_level(char *w[], size_t n)
{
    if (n != 2)
        ctl_usage("%s needs one level", w[0]);
    return json_pack("{s:s}", "level", w[1]);
}

static json_t *
params_bridge(char *w[], size_t n)
{
    if (n > 2)
        ctl_usage("unexpected word \"%s\"", w[2]);
    return n == 2 ? json_pack("{s:s}", "bridge", w[1]) : NULL;
}

/* Is it a frame in hexadecimal, and no flow?  No word of a flow begins with a
 * digit or twelve hexadecimal ones. */
static bool
is_frame(const char *s)
{
    size_t n = strspn(s, "0123456789abcdefABCDEF: \t\n");

    return (*s >= '0' && *s <= '9') || n >= 12 || (n && !s[n]);
}

static json_t *
params_trace(char *w[], size_t n)
{
    static const char *const names[] = { "in_port", "tun_id", "tun_src",
                                         "tun_dst" };
    json_t *p;

    if (n < 3)
        ctl_usage("%s BRIDGE FLOW, or BRIDGE FRAME [in_port=PORT] ...", w[0]);
    if (!is_frame(w[2])) {
        if (n > 3)
            ctl_usage("unexpected word \"%s\": a flow is one word", w[3]);
        return json_pack("{s:s,s:s}", "bridge", w[1], "flow", w[2]);
    }
    p = json_pack("{s:s,s:s}", "bridge", w[1], "frame", w[2]);
    for (size_t i = 3; i < n; i++) {
        char *eq = strchr(w[i], '=');
        size_t k = 0;

        if (!eq)
            ctl_usage("\"%s\" is not NAME=VALUE", w[i]);
        *eq = '\0';
        while (k < WEFT_ARRAY_LEN(names) && strcmp(names[k], w[i]))
            k++;
        if (k == WEFT_ARRAY_LEN(names))
            ctl_usage("\"%s\" is none of in_port, tun_id, tun_src, tun_dst",
                      w[i]);
        json_object_set_new(p, w[i], json_string(eq + 1));
    }
    return p;
}

/* Commands that ask one method and print what it says. */
static const struct reader {
    const char *name, *method;
    json_t *(*params)(char *words[], size_t n); /* NULL: none. */
    enum cli_exit (*print)(struct ctl *, const json_t *, char *words[],
                           size_t n);
    bool words; /* 'print' reads the words; else there are none. */
} readers[] = {
    { "show", "show", NULL, show, true },
    { "list", "show", NULL, list, true },
    { "get", "show", NULL, get, true },
    { "export", "export", NULL, print_result, false },
    { "version", "version", NULL, print_version, false },
    { "ping", "ping", NULL, print_nothing, false },
    { "exit", "exit", NULL, print_nothing, false },
    { "set-log", "set-log", params_level, print_nothing, false },
    { "macs-flush", "macs-flush", params_bridge, print_nothing, false },
    { "trace", "trace", params_trace, print_trace, false },
};

enum cli_exit
ctl_read(struct ctl *c, char *w[], size_t n)
{
    const struct reader *r = NULL;
    struct weft_err e = { "" };
    json_t *result;

    for (size_t i = 0; i < WEFT_ARRAY_LEN(readers); i++)
        if (!strcmp(readers[i].name, w[0]))
            r = &readers[i];
    if (!r)
        ctl_usage("no command \"%s\"", w[0]);
    if (!r->params && !r->words && n > 1)
        ctl_usage("unexpected word \"%s\"", w[1]);

    json_t *params = r->params ? r->params(w, n) : NULL;
    enum cli_exit code = cli_call(c->cli, r->method, params, &result, &e);
    if (code)
        return ctl_fail(code, &e);
    code = r->print(c, result, w, n);
    json_decref(result);
    return code;
}
