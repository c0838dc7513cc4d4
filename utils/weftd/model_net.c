/* SPDX-License-Identifier: Apache-2.0 */
/* Networks without a controller: edits that make what a tenant's network
 * needs out of bridges and ports.
 *
 * A network NAME is a bridge NAME with fail-mode=standalone, so that it
 * learns and floods as a switch does (NORMAL), and a tunnel port NAME.net
 * with the other end points as its peers. */
#include "utils/weftd/model.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "utils/base/addr.h"
#include "weft/dp.h"

#define NET_PORT ".net"

/* The tunnel port of network 'net'. */
static int
net_port_name(const char *net, char name[DP_NAME_LEN], struct weft_err *e)
{
    size_t max = DP_NAME_LEN - sizeof NET_PORT;

    if (!*net || strlen(net) > max)
        return weft_err_set(e, -EINVAL, "network \"%.70s\": name of %zu "
                            "characters (1 to %zu are possible)", net,
                            strlen(net), max);
    snprintf(name, DP_NAME_LEN, "%s%s", net, NET_PORT);
    return 0;
}

static json_t *
port_find(const json_t *doc, const char *name)
{
    const char *bridge = model_port_bridge(doc, name);
    const json_t *b = json_object_get(json_object_get(doc, "bridges"),
                                      bridge ? bridge : "");

    return json_object_get(json_object_get(b, "ports"), name);
}

/* ----------------------------------------------------------------- peers */

int
model_check_peers(const char *port, const json_t *peers, struct weft_err *e)
{
    size_t i, k;
    json_t *v;
    be32 addr;

    if (!json_is_array(peers))
        return weft_err_set(e, -EINVAL, "port %s: peers is not a list", port);
    json_array_foreach(peers, i, v) {
        const char *s = json_string_value(v);

        if (!s || base_parse_ipv4(s, &addr) || !base_ipv4_is_unicast(addr))
            return weft_err_set(e, -EINVAL, "port %s: peer \"%.60s\" is not "
                                "the IPv4 address of a host", port,
                                s ? s : "");
        for (k = 0; k < i; k++)
            if (json_equal(v, json_array_get(peers, k)))
                return weft_err_set(e, -EINVAL, "port %s: peer %s is there "
                                    "twice", port, s);
    }
    return 0;
}

static size_t
peer_index(const json_t *peers, const json_t *addr)
{
    size_t i;
    json_t *v;

    json_array_foreach((json_t *) (uintptr_t) peers, i, v) {
        if (json_equal(v, addr))
            break;
    }
    return i;
}

/* The port with peers that a network or a port name stands for; NULL with 'e'
 * filled. */
static json_t *
peers_port(const json_t *doc, const char *name, char port[DP_NAME_LEN],
           struct weft_err *e)
{
    json_t *p;

    if (net_port_name(name, port, e))
        return NULL;
    p = port_find(doc, port);
    if (!p) {
        p = port_find(doc, name);
        snprintf(port, DP_NAME_LEN, "%s", name);
    }
    if (!p)
        weft_err_set(e, -ENOENT, "network %s: there is none of this name, "
                     "and no tunnel port either", name);
    return p;
}

int
model_add_peer(json_t *doc, const json_t *params, struct weft_err *e)
{
    const char *net = model_text(params, "net");
    json_t *addrs = json_object_get(params, "targets"), *v, *peers;
    char name[DP_NAME_LEN];
    json_t *port = peers_port(doc, net, name, e);
    size_t i;

    if (!port)
        return -ENOENT;
    int err = model_check_peers(name, addrs, e);
    if (err)
        return err;
    peers = json_object_get(port, "peers");
    if (!peers) {
        peers = json_array();
        json_object_set_new(port, "peers", peers);
    }
    json_array_foreach(addrs, i, v) {
        if (peer_index(peers, v) == json_array_size(peers))
            json_array_append(peers, v);
        else if (!model_flag(params, "may-exist"))
            return weft_err_set(e, -EEXIST, "network %s: it has peer %s "
                                "already", net, json_string_value(v));
    }
    return 0;
}

int
model_del_peer(json_t *doc, const json_t *params, struct weft_err *e)
{
    const char *net = model_text(params, "net");
    json_t *addrs = json_object_get(params, "targets"), *v;
    char name[DP_NAME_LEN];
    json_t *port = peers_port(doc, net, name, e);
    json_t *peers = json_object_get(port, "peers");
    size_t i;

    if (!port)
        return model_flag(params, "if-exists") ? 0 : -ENOENT;
    json_array_foreach(addrs, i, v) {
        if (!json_array_remove(peers, peer_index(peers, v)))
            continue;
        if (!model_flag(params, "if-exists"))
            return weft_err_set(e, -ENOENT, "network %s: it has no peer "
                                "%.60s", net,
                                json_string_value(v) ? json_string_value(v)
                                                     : "");
    }
    if (!json_array_size(peers))
        json_object_del(port, "peers");
    return 0;
}

/* -------------------------------------------------------------- networks */

/* "vni=5001" is type=vxlan key=5001, "vsid=6001" type=nvgre key=6001. */
static int
net_take_key(const char *net, json_t *options, struct weft_err *e)
{
    static const struct {
        const char *name, *type;
    } keys[] = { { "vni", "vxlan" }, { "vsid", "nvgre" } };
    const char *type = model_text(options, "type");
    int one = -1, n = 0;

    for (int i = 0; i < (int) WEFT_ARRAY_LEN(keys); i++) {
        bool given = json_object_get(options, keys[i].name) != NULL;

        n += given;
        one = given ? i : one;
    }
    if (!n && *type && json_object_get(options, "key"))
        return 0;
    if (n != 1 || json_object_get(options, "key"))
        return weft_err_set(e, -EINVAL, "network %s: one of vni=N (VXLAN), "
                            "vsid=N (NVGRE) or type=TYPE key=N is wanted",
                            net);
    if (*type && strcmp(type, keys[one].type))
        return weft_err_set(e, -EINVAL, "network %s: %s=%s is for type %s, "
                            "not %s", net, keys[one].name,
                            model_text(options, keys[one].name), keys[one].type,
                            type);
    json_object_set(options, "key", json_object_get(options, keys[one].name));
    json_object_set_new(options, "type", json_string(keys[one].type));
    json_object_del(options, keys[one].name);
    return 0;
}

/* "peers=192.0.2.2,192.0.2.3" becomes a list; a new reference or NULL. */
static json_t *
net_take_peers(json_t *options)
{
    const char *s = json_string_value(json_object_get(options, "peers"));
    json_t *list = s ? json_array() : NULL;

    while (s && *s) {
        size_t n = strcspn(s, ",");

        json_array_append_new(list, json_stringn(s, n));
        s += n + (s[n] == ',');
    }
    json_object_del(options, "peers");
    return list;
}

/* Bridge and port of a network whose options have been taken apart. */
static int
net_make(json_t *doc, const json_t *params, const char *net, const char *port,
         json_t *options, struct weft_err *e)
{
    bool may = model_flag(params, "may-exist");
    json_t *br = json_pack("{s:s,s:b,s:{s:s}}", "bridge", net, "may-exist",
                           may, "options", "fail-mode", "standalone");
    json_t *po = json_pack("{s:s,s:s,s:b,s:O}", "bridge", net, "port", port,
                           "may-exist", may, "options", options);
    int err = model_add_br(doc, br, e);

    if (!err)
        err = model_add_port(doc, po, e);
    json_decref(br);
    json_decref(po);
    return err;
}

int
model_add_net(json_t *doc, const json_t *params, struct weft_err *e)
{
    const char *net = model_text(params, "net");
    const json_t *given = json_object_get(params, "options");
    json_t *options = given ? json_deep_copy(given) : json_object(), *peers;
    char port[DP_NAME_LEN];
    int err = net_port_name(net, port, e);

    peers = net_take_peers(options);
    if (!err)
        err = net_take_key(net, options, e);
    if (!err && peers)
        err = model_check_peers(port, peers, e);
    if (!err && !json_object_get(options, "remote"))
        json_object_set_new(options, "remote", json_string("peers"));
    if (!err)
        err = net_make(doc, params, net, port, options, e);
    if (!err && peers)
        json_object_set(port_find(doc, port), "peers", peers);
    json_decref(peers);
    json_decref(options);
    return err;
}

int
model_del_net(json_t *doc, const json_t *params, struct weft_err *e)
{
    const char *net = model_text(params, "net");
    json_t *bridges = json_object_get(doc, "bridges");
    char port[DP_NAME_LEN];
    int err = net_port_name(net, port, e);

    if (err)
        return err;
    if (json_object_get(bridges, net) && port_find(doc, port)) {
        json_object_del(bridges, net);
        return 0;
    }
    if (model_flag(params, "if-exists"))
        return 0;
    return weft_err_set(e, -ENOENT, "network %s: there is none of this name",
                        net);
}
