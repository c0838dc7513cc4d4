/* SPDX-License-Identifier: Apache-2.0 */
#include "utils/weftd/reconcile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controller_client/controller_client.h"
#include "ofproto/ofproto.h"
#include "tunnels/underlay/underlay.h"
#include "utils/base/addr.h"
#include "utils/base/log.h"
#include "utils/base/mem.h"
#include "utils/weftd/glue.h"
#include "utils/weftd/model.h"
#include "utils/weftd/weftd.h"

struct reconcile {
    struct weftd *d;
    struct base_list bridges, uplinks;
    bool lenient; /* reconcile_restore: log a refusal and go on. */
};

/* A refused step: stops the document, or is logged while restoring. */
static int
step(const struct reconcile *rc, int err, const struct weft_err *e)
{
    if (!err || !rc->lenient)
        return err;
    base_log(BASE_LOG_ERR, "weftd", "restore: %s", e->text);
    return 0;
}

/* ----------------------------------------------------------------- ports */

/* Options of 'now' that 'before' (NULL: none) has not or has otherwise;
 * options that are gone come with the value "".  The caller frees. */
static struct dp_option *
options_diff(const json_t *before, const json_t *now, size_t *n)
{
    size_t max = json_object_size(now) + json_object_size(before);
    struct dp_option *o = base_xcalloc(max + 1, sizeof *o);
    const char *name;
    json_t *v;

    *n = 0;
    json_object_foreach((json_t *) now, name, v) {
        if (!json_equal(json_object_get(before, name), v))
            o[(*n)++] = (struct dp_option){ name, json_string_value(v) };
    }
    json_object_foreach((json_t *) before, name, v) {
        if (!json_object_get(now, name))
            o[(*n)++] = (struct dp_option){ name, "" };
    }
    return o;
}

static int
port_add(struct rc_bridge *b, const char *name, const json_t *cfg,
         struct weft_err *e)
{
    json_t *options = json_object_get(cfg, "options"), *port;
    struct dp_port_config pc = {
        .name = name,
        .type = json_string_value(json_object_get(cfg, "type")),
        .port_no = (uint32_t) json_integer_value(
            json_object_get(cfg, "ofport")),
    };
    uint32_t port_no;

    struct dp_option *o = options_diff(NULL, options, &pc.n_options);
    pc.options = o;
    int err = dp_port_add(ofp_bridge_dp(b->ofp), &pc, &port_no, e);
    free(o);
    if (err)
        return err;
    port = json_pack("{s:s,s:I,s:O}", "type", pc.type, "ofport",
                     (json_int_t) port_no, "options", options);
    json_object_set_new(b->ports, name, port);
    return 0;
}

static uint32_t
port_no(const struct rc_bridge *b, const char *name)
{
    return (uint32_t) json_integer_value(
        json_object_get(json_object_get(b->ports, name), "ofport"));
}

static int
port_del(struct rc_bridge *b, const char *name, struct weft_err *e)
{
    int err = dp_port_del(ofp_bridge_dp(b->ofp), port_no(b, name), e);

    if (err && err != -ENODEV)
        return err;
    json_object_del(b->ports, name);
    return 0;
}

/* "10M" to bit/s: a number with k, M or G. */
static int
rate_parse(const char *name, const char *text, uint64_t *rate,
           struct weft_err *e)
{
    char digits[24];
    size_t len = strspn(text, "0123456789");
    uint64_t unit = 1;

    snprintf(digits, sizeof digits, "%.*s", (int) WEFT_MIN(len, (size_t) 20),
             text);
    if (!strcmp(text + len, "k"))
        unit = 1000;
    else if (!strcmp(text + len, "M"))
        unit = 1000000;
    else if (!strcmp(text + len, "G"))
        unit = 1000000000;
    else if (text[len])
        len = 0;
    if (!len || base_parse_u64(digits, UINT64_C(10000000000000) / unit, rate))
        return weft_err_set(e, -EINVAL,
                            "queue option %s=%.40s: bit/s up to 10000G are "
                            "wanted, such as 10M", name, text);
    *rate *= unit;
    return 0;
}

static int
queue_set(struct rc_bridge *b, uint32_t no, const char *id, const json_t *cfg,
          struct weft_err *e)
{
    struct dp_queue_config c = { 0 };
    const char *name;
    json_t *v;
    uint64_t queue;
    int err = base_parse_u64(id, UINT32_MAX - 1, &queue);

    if (err)
        return weft_err_set(e, -EINVAL, "queue \"%.20s\" is no number", id);
    json_object_foreach((json_t *) (uintptr_t) cfg, name, v) {
        uint64_t *rate = !strcmp(name, "min-rate")   ? &c.min_rate
                         : !strcmp(name, "max-rate") ? &c.max_rate
                         : !strcmp(name, "burst")    ? &c.burst
                                                     : NULL;

        if (!rate || !json_is_string(v))
            return weft_err_set(e, -EINVAL,
                                "queue option %.40s: min-rate, max-rate or "
                                "burst is wanted", name);
        err = rate_parse(name, json_string_value(v), rate, e);
        if (err)
            return err;
    }
    return dp_queue_set(ofp_bridge_dp(b->ofp), no, (uint32_t) queue, &c, e);
}

/* Makes the port's queues those of 'cfg' (may be NULL). */
static int
queues_set(struct rc_bridge *b, const char *name, const json_t *cfg,
           struct weft_err *e)
{
    json_t *port = json_object_get(b->ports, name), *q;
    json_t *have = json_object_get(port, "queues");
    uint32_t no = port_no(b, name);
    const char *id;

    json_object_foreach(have, id, q)
        if (!json_object_get(cfg, id)
            && dp_queue_del(ofp_bridge_dp(b->ofp), no,
                            (uint32_t) strtoul(id, NULL, 10)))
            return weft_err_set(e, -ENOENT, "port %s: queue %s is gone", name,
                                id);
    json_object_foreach((json_t *) (uintptr_t) cfg, id, q) {
        int err = json_equal(json_object_get(have, id), q)
                      ? 0
                      : queue_set(b, no, id, q, e);

        if (err)
            return err;
    }
    if (cfg)
        json_object_set_new(port, "queues", json_deep_copy(cfg));
    else
        json_object_del(port, "queues");
    return 0;
}

/* Makes the port's far end points those of 'cfg' (NULL: none). */
static int
peers_set(struct rc_bridge *b, const char *name, const json_t *cfg,
          struct weft_err *e)
{
    json_t *port = json_object_get(b->ports, name), *v;
    size_t n = json_array_size(cfg), i;
    be32 *addrs;

    if (json_equal(json_object_get(port, "peers"), cfg)
        || (!cfg && !json_object_get(port, "peers")))
        return 0;
    addrs = base_xcalloc(n + 1, sizeof *addrs);
    json_array_foreach(cfg, i, v) {
        if (base_parse_ipv4(json_string_value(v), &addrs[i]))
            addrs[i] = 0; /* The document has been checked. */
    }
    int err = dp_port_set_peers(ofp_bridge_dp(b->ofp), port_no(b, name), addrs,
                                n, e);
    free(addrs);
    if (!err && cfg)
        json_object_set_new(port, "peers", json_deep_copy(cfg));
    else if (!err)
        json_object_del(port, "peers");
    return err;
}

static int
port_set(struct rc_bridge *b, const char *name, const json_t *cfg,
         struct weft_err *e)
{
    json_t *port = json_object_get(b->ports, name);
    json_t *options = json_object_get(cfg, "options");
    size_t n;
    struct dp_option *o = options_diff(json_object_get(port, "options"),
                                       options, &n);
    int err = 0;

    if (n)
        err = dp_port_set(ofp_bridge_dp(b->ofp), port_no(b, name), o, n, e);
    free(o);
    if (!err)
        json_object_set(port, "options", options);
    if (!err)
        err = peers_set(b, name, json_object_get(cfg, "peers"), e);
    return err ? err : queues_set(b, name, json_object_get(cfg, "queues"), e);
}

/* Same port: same type, and no other number wanted. */
static bool
port_stays(const json_t *port, const json_t *cfg)
{
    json_t *wanted = json_object_get(cfg, "ofport");

    return cfg
           && json_equal(json_object_get(port, "type"),
                         json_object_get(cfg, "type"))
           && (!wanted || json_equal(json_object_get(port, "ofport"), wanted));
}

static int
ports_delete(struct rc_bridge *b, const json_t *wanted, struct weft_err *e)
{
    const char *name;
    json_t *port;
    void *tmp;

    json_object_foreach_safe(b->ports, tmp, name, port) {
        int err = port_stays(port, json_object_get(wanted, name))
                      ? 0
                      : port_del(b, name, e);

        if (err)
            return err;
    }
    return 0;
}

/* Ports that ask for a number come before those that take any. */
static int
ports_add(const struct reconcile *rc, struct rc_bridge *b,
          const json_t *wanted, struct weft_err *e)
{
    const char *name;
    json_t *cfg;
    int err;

    for (int numbered = 1; numbered >= 0; numbered--) {
        json_object_foreach((json_t *) wanted, name, cfg) {
            if (json_object_get(b->ports, name)
                || (json_object_get(cfg, "ofport") != NULL) != numbered)
                continue;
            err = step(rc, port_add(b, name, cfg, e), e);
            if (err)
                return err;
        }
    }
    json_object_foreach((json_t *) wanted, name, cfg) {
        if (!json_object_get(b->ports, name))
            continue; /* Left out while restoring. */
        err = step(rc, port_set(b, name, cfg, e), e);
        if (err)
            return err;
    }
    return 0;
}

/* --------------------------------------------------------------- bridges */

struct rc_bridge *
reconcile_bridge(const struct reconcile *rc, const char *name)
{
    struct rc_bridge *b;

    BASE_LIST_FOR(b, &rc->bridges, node) {
        if (!strcmp(b->name, name))
            return b;
    }
    return NULL;
}

static void
bridge_destroy(struct rc_bridge *b)
{
    cc_destroy(b->cc);
    ofp_bridge_destroy(b->ofp);
    base_list_del(&b->node);
    json_decref(b->options);
    json_decref(b->controllers);
    json_decref(b->ports);
    free(b->name);
    free(b);
}

static enum ofp_fail_mode
fail_mode(const json_t *cfg)
{
    const char *s = model_option(cfg, "fail-mode", "secure");

    return !strcmp(s, "standalone") ? OFP_FAIL_STANDALONE
           : !strcmp(s, "hold")     ? OFP_FAIL_HOLD
                                    : OFP_FAIL_SECURE;
}

static int
bridge_create(struct reconcile *rc, const char *name, const json_t *cfg,
              struct weft_err *e)
{
    struct ofp_bridge_config c = { .name = name,
                                   .fail_mode = fail_mode(cfg) };
    const char *dpid = model_option(cfg, "dpid", NULL);
    struct ofp_bridge *ofp;
    struct rc_bridge *b;

    if (dpid && model_parse_dpid(dpid, &c.dpid))
        return weft_err_set(e, -EINVAL, "bridge %s: dpid \"%s\" is not 1 to "
                            "16 hexadecimal digits", name, dpid);
    int err = ofp_bridge_create(rc->d->dp, &c, &ofp, e);
    if (err)
        return err;
    BASE_NEW(b);
    b->name = base_xstrdup(name);
    b->ofp = ofp;
    b->options = json_object();
    b->controllers = json_array();
    b->ports = json_object();
    base_list_add_tail(&rc->bridges, &b->node);
    if (dpid)
        json_object_set_new(b->options, "dpid", json_string(dpid));
    return 0;
}

static struct cc *
bridge_connect(struct reconcile *rc, struct rc_bridge *b, const json_t *cfg)
{
    struct cc_config c = {
        .name = b->name,
        .min_backoff_ms = (unsigned) model_option_u64(cfg, "min-backoff", 0),
        .max_backoff_ms = (unsigned) model_option_u64(cfg, "max-backoff", 0),
        .probe_interval_s = (unsigned) model_option_u64(cfg, "probe-interval",
                                                        0),
        .max_queue = (size_t) model_option_u64(cfg, "max-queue", 0),
        .max_accepted = (unsigned) model_option_u64(cfg, "max-connections",
                                                    0),
        .aux = (unsigned) model_option_u64(cfg, "aux-connections", 0),
        .batch_done = glue_flush,
        .batch_arg = rc->d->glue,
        .private_key = model_option(cfg, "private-key", NULL),
        .certificate = model_option(cfg, "certificate", NULL),
        .ca_cert = model_option(cfg, "ca-cert", NULL),
    };

    return cc_create(rc->d->base, &c, ofp_bridge_agent(b->ofp));
}

/* Options other than those of the agent shape the connections: changed ones
 * mean new connections. */
static bool
connections_stay(const struct rc_bridge *b, const json_t *cfg)
{
    static const char *const agents[] = { "dpid", "fail-mode", "protocols",
                                          "mac-age", "mac-limit" };
    json_t *was = json_copy(b->options);
    json_t *is = json_copy(json_object_get(cfg, "options"));

    for (size_t i = 0; i < WEFT_ARRAY_LEN(agents); i++) {
        json_object_del(was, agents[i]);
        json_object_del(is, agents[i]);
    }
    bool same = json_equal(was, is);
    json_decref(was);
    json_decref(is);
    return same;
}

static int
bridge_set_controllers(struct reconcile *rc, struct rc_bridge *b,
                       const json_t *cfg, struct weft_err *e)
{
    json_t *list = json_object_get(cfg, "controllers"), *v;
    const char **targets;
    size_t i;

    if (b->cc && !connections_stay(b, cfg)) {
        cc_destroy(b->cc);
        b->cc = NULL;
        json_array_clear(b->controllers);
    }
    json_object_clear(b->options);
    json_object_update(b->options, json_object_get(cfg, "options"));
    if (!b->cc)
        b->cc = bridge_connect(rc, b, cfg);
    if (json_equal(b->controllers, list))
        return 0;
    targets = base_xcalloc(json_array_size(list) + 1, sizeof *targets);
    json_array_foreach(list, i, v)
        targets[i] = json_string_value(v);
    int err = cc_set_targets(b->cc, targets, json_array_size(list), e);
    free(targets);
    if (!err) {
        json_decref(b->controllers);
        b->controllers = json_deep_copy(list);
    }
    return err;
}

static int
bridge_set_options(struct rc_bridge *b, const json_t *cfg, struct weft_err *e)
{
    const char *dpid = model_option(cfg, "dpid", NULL);
    uint32_t versions = 0;
    uint64_t v;

    if (dpid && !model_parse_dpid(dpid, &v) && v != ofp_bridge_dpid(b->ofp))
        return weft_err_set(e, -EBUSY, "bridge %s: its dpid is %016llx and "
                            "cannot be changed to %s: del-br and add-br",
                            b->name,
                            (unsigned long long) ofp_bridge_dpid(b->ofp),
                            dpid);
    int err = model_parse_protocols(model_option(cfg, "protocols", ""),
                                    &versions, e);
    if (!err)
        err = ofp_bridge_set_versions(b->ofp, versions, e);
    if (err)
        return err;
    ofp_bridge_set_fail_mode(b->ofp, fail_mode(cfg));
    dp_bridge_set_macs(ofp_bridge_dp(b->ofp),
                       (uint32_t) model_option_u64(cfg, "mac-age", 0),
                       (uint32_t) model_option_u64(cfg, "mac-limit", 0));
    return 0;
}

/* --------------------------------------------------------------- uplinks */

/* "192.0.2.1/24" */
static int
parse_prefix(const char *s, be32 *addr, uint8_t *len)
{
    char text[32];
    uint64_t n;
    const char *slash = strchr(s, '/');

    if (!slash || (size_t) (slash - s) >= sizeof text)
        return -EINVAL;
    memcpy(text, s, (size_t) (slash - s));
    text[slash - s] = '\0';
    if (base_parse_ipv4(text, addr) || base_parse_u64(slash + 1, 32, &n) || !n)
        return -EINVAL;
    *len = (uint8_t) n;
    return 0;
}

/* Tells the underlay how packets leave: by the kernel's tables, or by the
 * address that Weft itself has on the device. */
static int
uplink_address(struct reconcile *rc, const struct rc_uplink *u,
               struct weft_err *e)
{
    const char *address = model_option(u->cfg, "address", NULL);
    const char *gateway = model_option(u->cfg, "gateway", NULL);
    struct dp_uplink_info info;
    be32 addr, gw = 0;
    uint8_t len;

    int err = dp_uplink_get(rc->d->dp, u->id, &info);
    if (err)
        return weft_err_set(e, err, "uplink %s: %s", u->name, strerror(-err));
    if (info.ifindex && !address)
        return underlay_add_kernel(rc->d->underlay, u->id, info.ifindex, e);
    if (info.ifindex)
        return weft_err_set(e, -EINVAL, "uplink %s: address=%s is for devices "
                            "that Weft owns; here the kernel's addresses are "
                            "used", u->name, address);
    if (!address || parse_prefix(address, &addr, &len))
        return weft_err_set(e, -EINVAL, "uplink %s: Weft owns this device and "
                            "needs address=ADDR/LEN, not \"%s\"", u->name,
                            address ? address : "");
    if (gateway && base_parse_ipv4(gateway, &gw))
        return weft_err_set(e, -EINVAL, "uplink %s: gateway \"%s\" is not an "
                            "IPv4 address", u->name, gateway);
    return underlay_add_owned(rc->d->underlay, u->id, info.mac, addr, len, gw,
                              info.mtu, e);
}

static void
uplink_free(struct rc_uplink *u)
{
    base_list_del(&u->node);
    json_decref(u->cfg);
    free(u->name);
    free(u);
}

static int
uplink_del(struct reconcile *rc, struct rc_uplink *u, struct weft_err *e)
{
    underlay_del(rc->d->underlay, u->id);
    int err = dp_uplink_del(rc->d->dp, u->id, e);

    if (err && err != -ENODEV)
        return err;
    uplink_free(u);
    return 0;
}

static int
uplink_add(struct reconcile *rc, const char *name, json_t *cfg,
           struct weft_err *e)
{
    json_t *options = json_deep_copy(json_object_get(cfg, "options"));
    struct dp_port_config pc = {
        .name = name,
        .type = json_string_value(json_object_get(cfg, "type")),
    };
    struct rc_uplink *u;

    json_object_del(options, "address"); /* Not the device's business. */
    json_object_del(options, "gateway");
    struct dp_option *o = options_diff(NULL, options, &pc.n_options);
    BASE_NEW(u);
    pc.options = o;
    int err = dp_uplink_add(rc->d->dp, &pc, &u->id, e);
    free(o);
    json_decref(options);
    if (err) {
        free(u);
        return err;
    }
    u->name = base_xstrdup(name);
    u->cfg = json_deep_copy(cfg);
    base_list_add_tail(&rc->uplinks, &u->node);
    err = uplink_address(rc, u, e);
    if (err && uplink_del(rc, u, NULL))
        base_log(BASE_LOG_ERR, "weftd", "uplink %s: stays half made", name);
    return err;
}

static struct rc_uplink *
uplink_find(const struct reconcile *rc, const char *name)
{
    struct rc_uplink *u;

    BASE_LIST_FOR(u, &rc->uplinks, node) {
        if (!strcmp(u->name, name))
            return u;
    }
    return NULL;
}

/* -------------------------------------------------------------- documents */

/* Everything that goes, goes first: names, numbers and devices get free. */
static int
delete_what_goes(struct reconcile *rc, const json_t *doc, struct weft_err *e)
{
    const json_t *bridges = json_object_get(doc, "bridges");
    const json_t *uplinks = json_object_get(doc, "uplinks");
    struct rc_bridge *b, *next_b;
    struct rc_uplink *u, *next_u;

    BASE_LIST_FOR_SAFE(b, next_b, &rc->bridges, node) {
        json_t *cfg = json_object_get(bridges, b->name);
        int err;

        if (!cfg) {
            bridge_destroy(b);
            continue;
        }
        err = ports_delete(b, json_object_get(cfg, "ports"), e);
        if (err)
            return err;
    }
    BASE_LIST_FOR_SAFE(u, next_u, &rc->uplinks, node) {
        if (!json_equal(u->cfg, json_object_get(uplinks, u->name))) {
            int err = uplink_del(rc, u, e);

            if (err)
                return err;
        }
    }
    return 0;
}

static int
apply_bridge(struct reconcile *rc, const char *name, const json_t *cfg,
             struct weft_err *e)
{
    struct rc_bridge *b;
    int err;

    if (!reconcile_bridge(rc, name)) {
        err = bridge_create(rc, name, cfg, e);
        if (err)
            return err;
    }
    b = reconcile_bridge(rc, name);
    err = step(rc, bridge_set_options(b, cfg, e), e);
    if (err)
        return err;
    err = ports_add(rc, b, json_object_get(cfg, "ports"), e);
    if (err)
        return err;
    return step(rc, bridge_set_controllers(rc, b, cfg, e), e);
}

static int
apply_once(struct reconcile *rc, json_t *doc, struct weft_err *e)
{
    const char *name;
    json_t *cfg;
    int err = delete_what_goes(rc, doc, e);

    if (err)
        return err;
    json_object_foreach(json_object_get(doc, "uplinks"), name, cfg) {
        if (uplink_find(rc, name))
            continue;
        err = step(rc, uplink_add(rc, name, cfg, e), e);
        if (err)
            return err;
    }
    json_object_foreach(json_object_get(doc, "bridges"), name, cfg) {
        err = step(rc, apply_bridge(rc, name, cfg, e), e);
        if (err)
            return err;
    }
    return 0;
}

int
reconcile_apply(struct reconcile *rc, json_t *doc, struct weft_err *e)
{
    json_t *before = reconcile_document(rc);
    struct weft_err local = { "" }, undo = { "" };

    e = e ? e : &local;
    int err = apply_once(rc, doc, e);
    if (err && apply_once(rc, before, &undo))
        base_log(BASE_LOG_ERR, "weftd", "cannot go back after \"%s\": %s",
                 e->text, undo.text);
    json_decref(before);
    return err;
}

void
reconcile_restore(struct reconcile *rc, json_t *doc)
{
    struct weft_err e = { "" };

    rc->lenient = true;
    if (apply_once(rc, doc, &e))
        base_log(BASE_LOG_ERR, "weftd", "restore: %s", e.text);
    rc->lenient = false;
}

json_t *
reconcile_document(const struct reconcile *rc)
{
    json_t *doc = model_create();
    const struct rc_bridge *b;
    const struct rc_uplink *u;

    BASE_LIST_FOR(b, &rc->bridges, node) {
        json_t *o = json_pack("{s:o,s:o,s:o}", "options",
                              json_deep_copy(b->options), "controllers",
                              json_deep_copy(b->controllers), "ports",
                              json_deep_copy(b->ports));

        json_object_set_new(json_object_get(doc, "bridges"), b->name, o);
    }
    BASE_LIST_FOR(u, &rc->uplinks, node)
        json_object_set_new(json_object_get(doc, "uplinks"), u->name,
                            json_deep_copy(u->cfg));
    return doc;
}

const struct base_list *
reconcile_bridges(const struct reconcile *rc)
{
    return &rc->bridges;
}

const struct base_list *
reconcile_uplinks(const struct reconcile *rc)
{
    return &rc->uplinks;
}

struct reconcile *
reconcile_create(struct weftd *d)
{
    struct reconcile *rc;

    BASE_NEW(rc);
    rc->d = d;
    base_list_init(&rc->bridges);
    base_list_init(&rc->uplinks);
    return rc;
}

void
reconcile_destroy(struct reconcile *rc)
{
    struct rc_bridge *b, *next_b;
    struct rc_uplink *u, *next_u;

    if (!rc)
        return;
    BASE_LIST_FOR_SAFE(b, next_b, &rc->bridges, node)
        bridge_destroy(b);
    BASE_LIST_FOR_SAFE(u, next_u, &rc->uplinks, node) {
        if (uplink_del(rc, u, NULL))
            uplink_free(u);
    }
    free(rc);
}
