/* SPDX-License-Identifier: Apache-2.0 */
#include "utils/weftd/model.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller_client/controller_client.h"
#include "utils/base/addr.h"
#include "weft/dp.h"

enum option_kind { DPID, FAIL_MODE, PROTOCOLS, NUMBER, FILE_NAME };
#define KIND_DPID DPID
#define KIND_FAIL_MODE FAIL_MODE
#define KIND_PROTOCOLS PROTOCOLS
#define KIND_NUMBER NUMBER
#define KIND_FILE FILE_NAME

static const struct bridge_option {
    const char *name;
    enum option_kind kind;
    uint64_t max;
} bridge_options[] = {
#define BRIDGE_OPTION(name, kind, max, help) { name, KIND_##kind, max },
#include "utils/weftd/bridge_options.def"
#undef BRIDGE_OPTION
};

/* --------------------------------------------------------------- helpers */

json_t *
model_create(void)
{
    return json_pack("{s:i,s:{},s:{}}", "version", MODEL_VERSION, "bridges",
                     "uplinks");
}

static json_t *
bridges_of(const json_t *doc)
{
    return json_object_get(doc, "bridges");
}

static json_t *
uplinks_of(const json_t *doc)
{
    return json_object_get(doc, "uplinks");
}

const char *
model_text(const json_t *params, const char *name)
{
    const char *s = json_string_value(json_object_get(params, name));

    return s ? s : "";
}

bool
model_flag(const json_t *params, const char *name)
{
    return json_is_true(json_object_get(params, name));
}

/* Bridges, ports and uplinks: what a shell, a file name and flow text can
 * hold without quotes. */
static int
check_name(const char *what, const char *name, struct weft_err *e)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_.:@-";
    size_t len = strlen(name);

    if (!len || len >= DP_NAME_LEN)
        return weft_err_set(e, -EINVAL, "%s \"%.70s\": name of %zu characters "
                            "(1 to %d are possible)", what, name, len,
                            DP_NAME_LEN - 1);
    if (strspn(name, allowed) != len || name[0] == '-')
        return weft_err_set(e, -EINVAL, "%s \"%s\": a name has letters, "
                            "digits and _ . : @ -, and starts with no -",
                            what, name);
    return 0;
}

const char *
model_option(const json_t *owner, const char *name, const char *dflt)
{
    const char *s = json_string_value(
        json_object_get(json_object_get(owner, "options"), name));

    return s ? s : dflt;
}

uint64_t
model_option_u64(const json_t *owner, const char *name, uint64_t dflt)
{
    const char *s = model_option(owner, name, NULL);
    uint64_t v;

    return s && !base_parse_u64(s, UINT64_MAX, &v) ? v : dflt;
}

int
model_parse_dpid(const char *s, uint64_t *dpid)
{
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
        s += 2;

    size_t len = strlen(s);
    if (!len || len > 16 || strspn(s, "0123456789abcdefABCDEF") != len)
        return -EINVAL;

    uint64_t v = strtoull(s, NULL, 16);
    if (!v)
        return -EINVAL;
    *dpid = v;
    return 0;
}

int
model_parse_protocols(const char *s, uint32_t *bits, struct weft_err *e)
{
    static const struct {
        const char *name;
        unsigned wire;
    } known[] = {
        { "OpenFlow10", 1 },
        { "OpenFlow13", 4 },
        { "OpenFlow14", 5 },
        { "OpenFlow15", 6 },
    };
    uint32_t v = 0;

    while (*s) {
        size_t n = strcspn(s, ","), i;

        for (i = 0; i < WEFT_ARRAY_LEN(known); i++)
            if (strlen(known[i].name) == n && !strncmp(s, known[i].name, n))
                break;
        if (i == WEFT_ARRAY_LEN(known))
            return weft_err_set(e, -EINVAL, "protocols \"%.*s\" is none of "
                                "OpenFlow10, OpenFlow13, OpenFlow14, "
                                "OpenFlow15",
                                (int) WEFT_MIN(n, (size_t) 60), s);
        v |= 1u << known[i].wire;
        s += n + (s[n] == ',');
    }
    *bits = v;
    return 0;
}

/* --------------------------------------------------------------- options */

static int
check_bridge_option(const char *bridge, const char *name, const char *value,
                    struct weft_err *e)
{
    const struct bridge_option *o = NULL;
    struct weft_err why = { "" };
    uint32_t bits;
    uint64_t v;

    for (size_t i = 0; i < WEFT_ARRAY_LEN(bridge_options); i++)
        if (!strcmp(bridge_options[i].name, name))
            o = &bridge_options[i];
    if (!o)
        return weft_err_set(e, -EINVAL, "bridge %s: no option \"%s\" (there "
                            "are dpid, fail-mode, protocols, probe-interval, "
                            "... see weftctl(8))", bridge, name);
    switch (o->kind) {
    case DPID:
        if (model_parse_dpid(value, &v))
            return weft_err_set(e, -EINVAL, "bridge %s: dpid \"%s\" is not 1 "
                                "to 16 hexadecimal digits other than 0",
                                bridge, value);
        break;
    case FAIL_MODE:
        if (strcmp(value, "secure") && strcmp(value, "standalone")
            && strcmp(value, "hold"))
            return weft_err_set(e, -EINVAL, "bridge %s: fail-mode \"%s\" is "
                                "none of secure, standalone, hold", bridge,
                                value);
        break;
    case PROTOCOLS:
        if (model_parse_protocols(value, &bits, &why))
            return weft_err_set(e, -EINVAL, "bridge %s: %.200s", bridge,
                                why.text);
        break;
    case NUMBER:
        if (base_parse_u64(value, o->max, &v) || !v)
            return weft_err_set(e, -EINVAL, "bridge %s: %s \"%s\" is not a "
                                "number in 1..%" PRIu64, bridge, name, value,
                                o->max);
        break;
    case FILE_NAME:
        if (value[0] != '/')
            return weft_err_set(e, -EINVAL, "bridge %s: %s \"%s\" is not an "
                                "absolute path", bridge, name, value);
        break;
    }
    return 0;
}

static int
check_bridge_options(const char *bridge, const json_t *options,
                     struct weft_err *e)
{
    const char *name;
    json_t *v;

    json_object_foreach((json_t *) options, name, v) {
        int err = check_bridge_option(bridge, name, json_string_value(v), e);

        if (err)
            return err;
    }
    return 0;
}

/* Options as strings, whatever scalar they were. */
static int
options_normalise(const char *what, const char *name, json_t *options,
                  struct weft_err *e)
{
    const char *key;
    void *tmp;
    json_t *v;

    if (!json_is_object(options))
        return weft_err_set(e, -EINVAL, "%s %s: options is not an object",
                            what, name);
    json_object_foreach_safe(options, tmp, key, v) {
        char text[32];

        if (json_is_string(v))
            continue;
        if (json_is_integer(v))
            snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT,
                     json_integer_value(v));
        else if (json_is_boolean(v))
            snprintf(text, sizeof text, "%s",
                     json_is_true(v) ? "true" : "false");
        else
            return weft_err_set(e, -EINVAL, "%s %s: option \"%s\" is neither "
                                "text nor a number", what, name, key);
        json_object_set_new(options, key, json_string(text));
    }
    return 0;
}

/* Adds 'more' to the options of 'owner'; an empty value removes one. */
static void
options_merge(json_t *owner, const json_t *more)
{
    json_t *options = json_object_get(owner, "options"), *v;
    const char *name;

    json_object_foreach((json_t *) more, name, v) {
        if (!*json_string_value(v))
            json_object_del(options, name);
        else
            json_object_set(options, name, v);
    }
}

/* "options" of the parameters, as strings; a new reference. */
static int
param_options(const char *what, const char *name, const json_t *params,
              json_t **out, struct weft_err *e)
{
    json_t *given = json_object_get(params, "options");
    json_t *o = given ? json_deep_copy(given) : json_object();
    int err = options_normalise(what, name, o, e);

    if (err)
        json_decref(o);
    else
        *out = o;
    return err;
}

/* --------------------------------------------------------------- bridges */

static json_t *
bridge_get(const json_t *doc, const char *name, struct weft_err *e)
{
    json_t *b = json_object_get(bridges_of(doc), name);

    if (!b)
        weft_err_set(e, -ENOENT, "bridge %s: there is none of this name",
                     name);
    return b;
}

static int
bridge_set_options(json_t *b, const char *name, const json_t *params,
                   struct weft_err *e)
{
    json_t *o;
    int err = param_options("bridge", name, params, &o, e);

    if (err)
        return err;
    options_merge(b, o);
    json_decref(o);
    return check_bridge_options(name, json_object_get(b, "options"), e);
}

int
model_add_br(json_t *doc, const json_t *params, struct weft_err *e)
{
    const char *name = model_text(params, "bridge");
    json_t *b = json_object_get(bridges_of(doc), name);
    int err = check_name("bridge", name, e);

    if (err)
        return err;
    if (b && !model_flag(params, "may-exist"))
        return weft_err_set(e, -EEXIST, "bridge %s: it exists already", name);
    if (!b) {
        b = json_pack("{s:{},s:[],s:{}}", "options", "controllers", "ports");
        json_object_set_new(bridges_of(doc), name, b);
    }
    return bridge_set_options(b, name, params, e);
}

int
model_del_br(json_t *doc, const json_t *params, struct weft_err *e)
{
    const char *name = model_text(params, "bridge");

    if (!bridge_get(doc, name, e))
        return model_flag(params, "if-exists") ? 0 : -ENOENT;
    json_object_del(bridges_of(doc), name);
    return 0;
}

int
model_set_br(json_t *doc, const json_t *params, struct weft_err *e)
{
    const char *name = model_text(params, "bridge");
    json_t *b = bridge_get(doc, name, e);

    return b ? bridge_set_options(b, name, params, e) : -ENOENT;
}

int
model_set_fail_mode(json_t *doc, const json_t *params, struct weft_err *e)
{
    const char *name = model_text(params, "bridge"), *mode = model_text(params, "mode");
    json_t *b = bridge_get(doc, name, e);

    if (!b)
        return -ENOENT;

    int err = check_bridge_option(name, "fail-mode", mode, e);
    if (!err)
        json_object_set_new(json_object_get(b, "options"), "fail-mode",
                            json_string(mode));
    return err;
}

static int
check_targets(const char *bridge, const json_t *targets, struct weft_err *e)
{
    struct weft_err why = { "" };
    size_t i;
    json_t *v;

    if (!json_is_array(targets))
        return weft_err_set(e, -EINVAL, "bridge %s: controllers is not a "
                            "list", bridge);
    json_array_foreach(targets, i, v) {
        if (!json_is_string(v) || cc_target_check(json_string_value(v), &why))
            return weft_err_set(e, -EINVAL, "bridge %s: %.250s", bridge,
                                json_is_string(v) ? why.text
                                                  : "a controller is no text");
    }
    return 0;
}

int
model_set_controller(json_t *doc, const json_t *params, struct weft_err *e)
{
    const char *name = model_text(params, "bridge");
    json_t *b = bridge_get(doc, name, e);
    json_t *targets = json_object_get(params, "targets");

    if (!b)
        return -ENOENT;

    int err = check_targets(name, targets, e);
    if (!err)
        json_object_set_new(b, "controllers", json_deep_copy(targets));
    return err;
}

int
model_del_controller(json_t *doc, const json_t *params, struct weft_err *e)
{
    json_t *b = bridge_get(doc, model_text(params, "bridge"), e);

    if (!b)
        return -ENOENT;
    json_object_set_new(b, "controllers", json_array());
    return 0;
}

/* ----------------------------------------------------------------- ports */

const char *
model_port_bridge(const json_t *doc, const char *name)
{
    const char *bridge;
    json_t *b;

    json_object_foreach(bridges_of(doc), bridge, b) {
        if (json_object_get(json_object_get(b, "ports"), name))
            return bridge;
    }
    return NULL;
}

/* "type" and "ofport" leave the options and become members. */
static int
port_take_options(json_t *port, const char *name, const json_t *given,
                  struct weft_err *e)
{
    json_t *o = json_deep_copy(given);
    const char *type = json_string_value(json_object_get(o, "type"));
    const char *ofport = json_string_value(json_object_get(o, "ofport"));
    const json_t *had = json_object_get(port, "type");
    uint64_t no;
    int err = 0;

    if (type && had && strcmp(type, json_string_value(had)))
        err = weft_err_set(e, -EINVAL, "port %s: its type is %s and cannot "
                           "be changed to %s: del-port and add-port", name,
                           json_string_value(had), type);
    else if (type)
        json_object_set_new(port, "type", json_string(type));
    if (!err && ofport) {
        if (base_parse_u64(ofport, DP_PORT_MAX, &no) || !no)
            err = weft_err_set(e, -EINVAL, "port %s: ofport \"%s\" is not a "
                               "number in 1..%u", name, ofport, DP_PORT_MAX);
        else
            json_object_set_new(port, "ofport",
                                json_integer((json_int_t) no));
    }
    if (!err) {
        json_object_del(o, "type");
        json_object_del(o, "ofport");
        options_merge(port, o);
    }
    json_decref(o);
    return err;
}

/* The port's object, in the bridge named if one is; NULL with 'e' filled. */
static json_t *
port_get(const json_t *doc, const json_t *params, struct weft_err *e)
{
    const char *name = model_text(params, "port"), *in = model_text(params, "bridge");
    const char *bridge = model_port_bridge(doc, name);

    if (!bridge)
        weft_err_set(e, -ENOENT, "port %s: there is none of this name", name);
    else if (*in && strcmp(in, bridge))
        weft_err_set(e, -ENOENT, "port %s: it is in bridge %s, not in %s",
                     name, bridge, in);
    else
        return json_object_get(
            json_object_get(json_object_get(bridges_of(doc), bridge), "ports"),
            name);
    return NULL;
}

int
model_add_port(json_t *doc, const json_t *params, struct weft_err *e)
{
    const char *bridge = model_text(params, "bridge");
    const char *name = model_text(params, "port"), *in;
    json_t *b = bridge_get(doc, bridge, e), *port, *o;
    int err = b ? check_name("port", name, e) : -ENOENT;

    if (err)
        return err;
    in = model_port_bridge(doc, name);
    if (in && (!model_flag(params, "may-exist") || strcmp(in, bridge)))
        return weft_err_set(e, -EEXIST, "port %s: it exists already in "
                            "bridge %s", name, in);
    port = json_object_get(json_object_get(b, "ports"), name);
    if (!port) {
        port = json_pack("{s:{}}", "options");
        json_object_set_new(json_object_get(b, "ports"), name, port);
    }
    err = param_options("port", name, params, &o, e);
    if (err)
        return err;
    err = port_take_options(port, name, o, e);
    json_decref(o);
    if (!err && !json_object_get(port, "type"))
        json_object_set_new(port, "type", json_string("netdev"));
    return err;
}

int
model_del_port(json_t *doc, const json_t *params, struct weft_err *e)
{
    const char *name = model_text(params, "port");

    if (!port_get(doc, params, e))
        return model_flag(params, "if-exists") ? 0 : -ENOENT;
    json_object_del(
        json_object_get(json_object_get(bridges_of(doc),
                                        model_port_bridge(doc, name)),
                        "ports"),
        name);
    return 0;
}

int
model_set_port(json_t *doc, const json_t *params, struct weft_err *e)
{
    const char *name = model_text(params, "port");
    json_t *port = port_get(doc, params, e), *o;
    int err = port ? param_options("port", name, params, &o, e) : -ENOENT;

    if (err)
        return err;
    err = port_take_options(port, name, o, e);
    json_decref(o);
    return err;
}

static void set_missing(json_t *o, const char *key, json_t *dflt);

/* A queue's name in the document is its number. */
int
model_set_queue(json_t *doc, const json_t *params, struct weft_err *e)
{
    const char *name = model_text(params, "port"), *id = model_text(params, "queue");
    json_t *port = port_get(doc, params, e), *o;
    uint64_t v;
    int err = port ? param_options("port", name, params, &o, e) : -ENOENT;

    if (err)
        return err;
    if (!id || base_parse_u64(id, UINT32_MAX - 1, &v)) {
        json_decref(o);
        return weft_err_set(e, -EINVAL, "port %s: queue \"%s\" is no number",
                            name, id ? id : "");
    }
    set_missing(port, "queues", json_object());
    json_object_set_new(json_object_get(port, "queues"), id, o);
    return 0;
}

int
model_del_queue(json_t *doc, const json_t *params, struct weft_err *e)
{
    const char *name = model_text(params, "port"), *id = model_text(params, "queue");
    json_t *port = port_get(doc, params, e);

    if (!port)
        return -ENOENT;
    if (!id || json_object_del(json_object_get(port, "queues"), id))
        return weft_err_set(e, -ENOENT, "port %s: it has no queue %s", name,
                            id ? id : "");
    return 0;
}

/* --------------------------------------------------------------- uplinks */

int
model_add_uplink(json_t *doc, const json_t *params, struct weft_err *e)
{
    const char *name = model_text(params, "uplink");
    json_t *u = json_object_get(uplinks_of(doc), name), *o;
    int err = check_name("uplink", name, e);

    if (err)
        return err;
    if (u && !model_flag(params, "may-exist"))
        return weft_err_set(e, -EEXIST, "uplink %s: it exists already", name);
    if (!u) {
        u = json_pack("{s:{}}", "options");
        json_object_set_new(uplinks_of(doc), name, u);
    }
    err = param_options("uplink", name, params, &o, e);
    if (err)
        return err;
    err = port_take_options(u, name, o, e);
    json_decref(o);
    if (!err && json_object_get(u, "ofport"))
        return weft_err_set(e, -EINVAL, "uplink %s: an uplink has no ofport: "
                            "tunnel ports have", name);
    if (!err && !json_object_get(u, "type"))
        json_object_set_new(u, "type", json_string("netdev"));
    return err;
}

int
model_del_uplink(json_t *doc, const json_t *params, struct weft_err *e)
{
    const char *name = model_text(params, "uplink");

    if (json_object_del(uplinks_of(doc), name) && !model_flag(params, "if-exists"))
        return weft_err_set(e, -ENOENT, "uplink %s: there is none of this "
                            "name", name);
    return 0;
}

/* ------------------------------------------------------- whole documents */

/* Refuses members outside 'known', a list that ends with NULL. */
static int
check_members(const char *what, const char *name, const json_t *o,
              const char *const known[], struct weft_err *e)
{
    const char *key;
    json_t *v;

    if (!json_is_object(o))
        return weft_err_set(e, -EINVAL, "%s %s: it is not an object", what,
                            name);
    json_object_foreach((json_t *) o, key, v) {
        size_t i = 0;

        while (known[i] && strcmp(known[i], key))
            i++;
        if (!known[i])
            return weft_err_set(e, -EINVAL, "%s %s: no member \"%.60s\" is "
                                "known", what, name, key);
    }
    return 0;
}

static void
set_missing(json_t *o, const char *key, json_t *dflt)
{
    if (json_object_get(o, key))
        json_decref(dflt);
    else
        json_object_set_new(o, key, dflt);
}

static int
check_device(const char *what, const char *name, json_t *d, bool port,
             struct weft_err *e)
{
    static const char *const members[] = { "type", "options", "ofport",
                                           "queues", "peers", NULL };
    json_t *ofport, *queues = json_object_get(d, "queues");
    json_t *peers = json_object_get(d, "peers");
    int err = check_name(what, name, e);

    if (!err)
        err = check_members(what, name, d, members, e);
    if (err)
        return err;
    set_missing(d, "type", json_string("netdev"));
    set_missing(d, "options", json_object());
    ofport = json_object_get(d, "ofport");
    if (ofport
        && (!port || !json_is_integer(ofport) || json_integer_value(ofport) < 1
            || (json_integer_value(ofport) > DP_PORT_MAX
                && json_integer_value(ofport) != DP_PORT_LOCAL)))
        return weft_err_set(e, -EINVAL, "%s %s: ofport is not a number in "
                            "1..%u", what, name, port ? DP_PORT_MAX : 0);
    if (!json_is_string(json_object_get(d, "type"))
        || (queues && (!port || !json_is_object(queues))))
        return weft_err_set(e, -EINVAL, "%s %s: type is not text, or queues "
                            "no object", what, name);
    err = peers ? model_check_peers(name, peers, e) : 0;
    if (err)
        return err;
    return options_normalise(what, name, json_object_get(d, "options"), e);
}

static int
check_bridge(const char *name, json_t *b, struct weft_err *e)
{
    static const char *const members[] = { "options", "controllers", "ports",
                                           NULL };
    const char *port;
    json_t *p;
    int err = check_name("bridge", name, e);

    if (!err)
        err = check_members("bridge", name, b, members, e);
    if (err)
        return err;
    set_missing(b, "options", json_object());
    set_missing(b, "controllers", json_array());
    set_missing(b, "ports", json_object());
    err = options_normalise("bridge", name, json_object_get(b, "options"), e);
    if (!err)
        err = check_bridge_options(name, json_object_get(b, "options"), e);
    if (!err)
        err = check_targets(name, json_object_get(b, "controllers"), e);
    if (!err && !json_is_object(json_object_get(b, "ports")))
        err = weft_err_set(e, -EINVAL, "bridge %s: ports is not an object",
                           name);
    if (err)
        return err;
    json_object_foreach(json_object_get(b, "ports"), port, p) {
        err = check_device("port", port, p, true, e);
        if (err)
            return err;
    }
    return 0;
}

/* A port name stands for one port, whatever the bridge. */
static int
check_unique(const json_t *doc, struct weft_err *e)
{
    const char *name, *port;
    json_t *b, *p, *seen = json_object();
    int err = 0;

    json_object_foreach(bridges_of(doc), name, b) {
        json_object_foreach(json_object_get(b, "ports"), port, p) {
            if (json_object_get(seen, port))
                err = weft_err_set(e, -EEXIST, "port %s: it is in bridges %s "
                                   "and %s", port,
                                   json_string_value(
                                       json_object_get(seen, port)), name);
            json_object_set_new(seen, port, json_string(name));
        }
    }
    json_decref(seen);
    return err;
}

int
model_check(json_t *doc, struct weft_err *e)
{
    static const char *const members[] = { "version", "bridges", "uplinks",
                                           NULL };
    const char *name;
    json_t *o;
    int err = check_members("the", "document", doc, members, e);

    if (err)
        return err;
    set_missing(doc, "version", json_integer(MODEL_VERSION));
    set_missing(doc, "bridges", json_object());
    set_missing(doc, "uplinks", json_object());
    if (json_integer_value(json_object_get(doc, "version")) != MODEL_VERSION)
        return weft_err_set(e, -EINVAL, "the document's version is not %d",
                            MODEL_VERSION);
    if (!json_is_object(bridges_of(doc)) || !json_is_object(uplinks_of(doc)))
        return weft_err_set(e, -EINVAL, "the document's bridges and uplinks "
                            "are objects");
    json_object_foreach(bridges_of(doc), name, o) {
        err = check_bridge(name, o, e);
        if (err)
            return err;
    }
    json_object_foreach(uplinks_of(doc), name, o) {
        err = check_device("uplink", name, o, false, e);
        if (err)
            return err;
    }
    return check_unique(doc, e);
}

int
model_apply(json_t *doc, const json_t *params, struct weft_err *e)
{
    json_t *given = json_object_get(params, "document");

    if (!given)
        return weft_err_set(e, -EINVAL, "apply: no document is given");

    json_t *fresh = json_deep_copy(given);
    int err = model_check(fresh, e);
    if (!err) {
        json_object_clear(doc);
        json_object_update(doc, fresh);
    }
    json_decref(fresh);
    return err;
}
