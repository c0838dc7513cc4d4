/* SPDX-License-Identifier: Apache-2.0 */
/* Options that all tunnel types share, and the outer Ethernet and IPv4
 * header. */
#include "tunnels/tunnel_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "utils/base/addr.h"
#include "utils/base/str.h"

/* --------------------------------------------------------------- options */

static int
parse_addr(const char *name, const char *value, be32 *out, struct weft_err *e)
{
    be32 addr;

    if (base_parse_ipv4(value, &addr))
        return weft_err_set(e, -EINVAL, "%s %s is not an IPv4 address%s",
                            name, value,
                            strcmp(name, "remote")
                                ? ""
                                : ", \"flow\", \"peers\" or \"learn\"");
    if (!base_ipv4_is_unicast(addr))
        return weft_err_set(e, -EINVAL,
                            "%s %s is not a unicast address of a host", name,
                            value);
    *out = addr;
    return 0;
}

/* Width of a type's key in bits: 24 for both RFCs. */
static unsigned
key_bits(uint32_t max)
{
    unsigned n = 0;

    for (; max; max >>= 1)
        n++;
    return n;
}

static int
parse_key(const struct tnl_ops *t, struct tnl_config *c, const char *value,
          struct weft_err *e)
{
    uint64_t v;

    if (!strcmp(value, "flow")) {
        c->key_flow = true;
        c->key = 0;
        return 0;
    }

    int err = base_parse_u64(value, UINT64_MAX, &v);
    unsigned bits = key_bits(t->key_max);

    if (err == -EINVAL)
        return weft_err_set(e, -EINVAL, "key %s is not a number or \"flow\"",
                            value);
    if (err || v >> bits)
        return weft_err_set(e, -EINVAL, "key %s exceeds %u bits (largest %u)",
                            value, bits, t->key_max);
    if (v < t->key_min || v > t->key_max)
        return weft_err_set(e, -EINVAL,
                            "key %s is reserved in %s: %u to %u are allowed",
                            value, t->title, t->key_min, t->key_max);
    c->key_flow = false;
    c->key = (uint32_t) v;
    return 0;
}

static int
parse_number(const char *name, const char *value, uint64_t min, uint64_t max,
             uint64_t *out, struct weft_err *e)
{
    uint64_t v;

    if (base_parse_u64(value, UINT64_MAX, &v) == -EINVAL)
        return weft_err_set(e, -EINVAL, "%s %s is not a number", name, value);
    if (base_parse_u64(value, max, &v) || v < min)
        return weft_err_set(e, -EINVAL,
                            "%s %s is out of range: %llu to %llu", name,
                            value, (unsigned long long) min,
                            (unsigned long long) max);
    *out = v;
    return 0;
}

static int
parse_bool(const char *name, const char *value, bool *out, struct weft_err *e)
{
    static const char *const words[][2] = {
        { "false", "true" }, { "no", "yes" }, { "off", "on" }, { "0", "1" },
    };

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(words); i++)
        for (unsigned b = 0; b < 2; b++)
            if (!strcmp(value, words[i][b])) {
                *out = b;
                return 0;
            }
    return weft_err_set(e, -EINVAL, "%s %s is neither true nor false", name,
                        value);
}

static int
parse_src_port(struct tnl_config *c, const char *value, struct weft_err *e)
{
    const char *dash = strchr(value, '-');
    char min_text[8];
    uint64_t min, max;

    if (dash && (size_t) (dash - value) < sizeof min_text) {
        memcpy(min_text, value, (size_t) (dash - value));
        min_text[dash - value] = '\0';
        if (!base_parse_u64(min_text, 65535, &min)
            && !base_parse_u64(dash + 1, 65535, &max) && min && min <= max) {
            c->src_port_min = (uint16_t) min;
            c->src_port_max = (uint16_t) max;
            return 0;
        }
    }
    return weft_err_set(e, -EINVAL,
                        "src-port %s is not a range MIN-MAX within 1 to 65535",
                        value);
}

static int
parse_tos(struct tnl_config *c, const char *value, struct weft_err *e)
{
    uint64_t v;

    if (!strcmp(value, "inherit")) {
        c->tos_inherit = true;
        c->tos = 0;
        return 0;
    }
    if (parse_number("tos", value, 0, 255, &v, e))
        return -EINVAL;
    /* RFC 6040 §4.1: the outer ECN field follows the inner one. */
    if (v & 3)
        return weft_err_set(e, -EINVAL,
                            "tos %s sets the two ECN bits, which follow the"
                            " inner packet: use a multiple of 4", value);
    c->tos_inherit = false;
    c->tos = (uint8_t) v;
    return 0;
}

static int
parse_inner_vlan(struct tnl_config *c, const char *value, struct weft_err *e)
{
    if (strcmp(value, "drop") && strcmp(value, "keep"))
        return weft_err_set(e, -EINVAL,
                            "inner-vlan %s is neither drop nor keep", value);
    c->keep_inner_vlan = !strcmp(value, "keep");
    return 0;
}

/* An address, or who else chooses. */
static int
parse_remote(struct tnl_config *c, const char *value, struct weft_err *e)
{
    c->remote = 0;
    c->peers = !strcmp(value, "peers")   ? TNL_PEERS_LISTED
               : !strcmp(value, "learn") ? TNL_PEERS_LEARN
                                         : TNL_PEERS_NONE;
    c->remote_flow = c->peers || !strcmp(value, "flow");
    return c->remote_flow ? 0 : parse_addr("remote", value, &c->remote, e);
}

static int
parse_split_horizon(struct tnl_config *c, const char *value,
                    struct weft_err *e)
{
    bool on = true;
    int err = parse_bool("split-horizon", value, &on, e);

    c->no_split_horizon = !on;
    return err;
}

static bool
has_option(const struct tnl_ops *t, const char *name)
{
    for (const struct tnl_option *o = t->options; o->name; o++)
        if (!strcmp(o->name, name))
            return true;
    return false;
}

int
tnl_common_parse(const struct tnl_ops *t, struct tnl_config *c,
                 const char *name, const char *value, struct weft_err *e)
{
    uint64_t v = 0;
    int err;

    if (!has_option(t, name))
        return -ENOENT;
    if (!strcmp(name, "remote"))
        return parse_remote(c, value, e);
    if (!strcmp(name, "split-horizon"))
        return parse_split_horizon(c, value, e);
    if (!strcmp(name, "local")) {
        c->local = 0;
        return strcmp(value, "any") ? parse_addr(name, value, &c->local, e)
                                    : 0;
    }
    if (!strcmp(name, "key"))
        return parse_key(t, c, value, e);
    if (!strcmp(name, "tos"))
        return parse_tos(c, value, e);
    if (!strcmp(name, "df"))
        return parse_bool(name, value, &c->df, e);
    if (!strcmp(name, "src-port"))
        return parse_src_port(c, value, e);
    if (!strcmp(name, "inner-vlan"))
        return parse_inner_vlan(c, value, e);
    if (!strcmp(name, "ttl")) {
        err = parse_number(name, value, 1, 255, &v, e);
        c->ttl = (uint8_t) v;
        return err;
    }
    if (!strcmp(name, "port")) {
        err = parse_number(name, value, 1, 65535, &v, e);
        c->dst_port = (uint16_t) v;
        return err;
    }
    return -ENOENT;
}

void
tnl_common_defaults(const struct tnl_ops *t, struct tnl_config *c)
{
    memset(c, 0, sizeof *c);
    c->ttl = 64;
    c->df = true; /* RFC 7348 §4.3, RFC 7637 §4.3: VTEPs do not fragment. */
    c->dst_port = t->default_dst_port;
    if (has_option(t, "src-port")) {
        c->src_port_min = TNL_ENTROPY_PORT_MIN;
        c->src_port_max = TNL_ENTROPY_PORT_MAX;
    }
}

int
tnl_common_check(const struct tnl_ops *t, const struct tnl_config *c,
                 struct weft_err *e)
{
    char text[BASE_IPV4_LEN];

    if (!c->remote_flow && !c->remote)
        return weft_err_set(e, -EINVAL,
                            "%s needs remote=ADDRESS, flow, peers or learn",
                            t->name);
    if (c->peers && c->key_flow)
        return weft_err_set(e, -EINVAL,
                            "remote=%s needs a fixed key: key=%u..%u, not"
                            " key=flow",
                            c->peers == TNL_PEERS_LEARN ? "learn" : "peers",
                            t->key_min, t->key_max);
    if (c->remote && c->remote == c->local)
        return weft_err_set(e, -EINVAL, "remote %s is the local address",
                            base_format_ipv4(c->remote, text));
    return 0;
}

int
tnl_common_print(const struct tnl_ops *t, const struct tnl_config *c,
                 char *buf, size_t size)
{
    struct tnl_config d;
    struct base_str s = BASE_STR_INIT;
    char text[BASE_IPV4_LEN];

    t->defaults(&d);
    base_str_addf(&s, "remote=%s",
                  c->peers == TNL_PEERS_LEARN    ? "learn"
                  : c->peers == TNL_PEERS_LISTED ? "peers"
                  : c->remote_flow ? "flow"
                                   : base_format_ipv4(c->remote, text));
    if (c->no_split_horizon)
        base_str_add(&s, " split-horizon=off");
    if (c->local)
        base_str_addf(&s, " local=%s", base_format_ipv4(c->local, text));
    if (c->key_flow)
        base_str_add(&s, " key=flow");
    else
        base_str_addf(&s, " key=%u", c->key);
    if (c->dst_port != d.dst_port)
        base_str_addf(&s, " port=%u", c->dst_port);
    if (c->src_port_min != d.src_port_min || c->src_port_max != d.src_port_max)
        base_str_addf(&s, " src-port=%u-%u", c->src_port_min,
                      c->src_port_max);
    if (c->keep_inner_vlan != d.keep_inner_vlan)
        base_str_addf(&s, " inner-vlan=%s",
                      c->keep_inner_vlan ? "keep" : "drop");
    if (c->ttl != d.ttl)
        base_str_addf(&s, " ttl=%u", c->ttl);
    if (c->tos_inherit)
        base_str_add(&s, " tos=inherit");
    else if (c->tos != d.tos)
        base_str_addf(&s, " tos=%u", c->tos);
    if (c->df != d.df)
        base_str_addf(&s, " df=%s", c->df ? "true" : "false");

    int n = snprintf(buf, size, "%s", base_str_cstr(&s));
    base_str_fini(&s);
    return n;
}

static int
refuse_unknown(const struct tnl_ops *t, const char *name, struct weft_err *e)
{
    struct base_str s = BASE_STR_INIT;

    for (const struct tnl_option *o = t->options; o->name; o++)
        base_str_addf(&s, "%s%s", s.len ? ", " : "", o->name);
    weft_err_set(e, 0, "%s has no option %s; it has %s", t->name, name,
                 base_str_cstr(&s));
    base_str_fini(&s);
    return -EINVAL;
}

static bool
is_named(const char *const names[], size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

int
tnl_config_change(const struct tnl_ops *t, const char *const names[],
                  const char *const values[], size_t n, struct tnl_config *c,
                  struct weft_err *e)
{
    struct tnl_config next = *c;
    int err;

    for (size_t i = 0; i < n; i++) {
        if (is_named(names, i, names[i]))
            return weft_err_set(e, -EINVAL, "option %s is given twice",
                                names[i]);
        err = t->parse(&next, names[i], values[i], e);
        if (err == -ENOENT)
            return refuse_unknown(t, names[i], e);
        if (err)
            return err;
    }
    err = t->check(&next, e);
    if (!err)
        *c = next;
    return err;
}

int
tnl_config_parse(const struct tnl_ops *t, const char *const names[],
                 const char *const values[], size_t n, struct tnl_config *c,
                 struct weft_err *e)
{
    struct tnl_config next;
    int err;

    t->defaults(&next);
    err = tnl_config_change(t, names, values, n, &next, e);
    if (err)
        return err;
    /* No default tenant: a forgotten key would join two by accident. */
    if (!is_named(names, n, "key"))
        return weft_err_set(e, -EINVAL, "%s needs key=%u..%u or key=flow",
                            t->name, t->key_min, t->key_max);
    *c = next;
    return 0;
}

/* --------------------------------------------------------- outer headers */

enum {
    ETH_HLEN = 14,
    IPV4_HLEN = 20,
    UDP_HLEN = 8,
    IPV4_DF = 0x4000,
};

uint8_t *
tnl_build_udp(const struct tnl_config *c, struct tnl_template *t,
              unsigned hlen)
{
    uint8_t *udp = t->bytes + t->len;

    /* The length is the datapath's; the checksum stays zero. */
    put_be16(udp, c->src_port_min);
    put_be16(udp + 2, c->dst_port);
    t->udp_off = t->len;
    t->entropy = TNL_ENTROPY_SRC_PORT;
    t->entropy_off = t->len;
    t->entropy_min = c->src_port_min;
    /* 1 to 65535: port 0 is never in the range. */
    t->entropy_span = (uint16_t) (c->src_port_max - c->src_port_min + 1);
    t->len = (uint8_t) (t->len + UDP_HLEN + hlen);
    return udp + UDP_HLEN;
}

void
tnl_template_build(const struct tnl_ops *t, const struct tnl_config *c,
                   const struct tnl_nexthop *nh, be32 remote,
                   struct tnl_template *out)
{
    uint8_t *eth = out->bytes, *ip = eth + ETH_HLEN;
    be32 src = c->local ? c->local : nh->src;
    uint32_t sum = 0;

    memset(out, 0, sizeof *out);
    memcpy(eth, nh->dst_mac, 6);
    memcpy(eth + 6, nh->src_mac, 6);
    put_be16(eth + 12, 0x0800);
    ip[0] = 0x45; /* RFC 791 §3.1: version 4, five words. */
    ip[1] = c->tos;
    put_be16(ip + 6, c->df ? IPV4_DF : 0);
    ip[8] = c->ttl;
    ip[9] = t->ip_proto;
    memcpy(ip + 12, &src, 4);
    memcpy(ip + 16, &remote, 4);
    for (unsigned i = 0; i < IPV4_HLEN; i += 2)
        sum += get_be16(ip + i);
    sum = (sum & 0xffff) + (sum >> 16);
    out->ip_csum = (sum & 0xffff) + (sum >> 16);
    out->ip_off = ETH_HLEN;
    out->len = ETH_HLEN + IPV4_HLEN;
    t->build(c, out);
}
