/* SPDX-License-Identifier: Apache-2.0 */
/* Method "trace": what the rules would do with a packet, given as flow text
 * or as the bytes of a frame. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ofproto/ofproto.h"
#include "ofproto/text/flow_text.h"
#include "utils/base/addr.h"
#include "utils/flow/flow_frame.h"
#include "utils/weftd/jw.h"
#include "utils/weftd/reconcile.h"
#include "utils/weftd/rpc.h"
#include "utils/weftd/trace_text.h"
#include "utils/weftd/weftd.h"

/* Hexadecimal digits, blanks and colons ignored; bytes or -EINVAL. */
static int
parse_frame(const char *hex, uint8_t *buf, size_t size, struct weft_err *e)
{
    const char *p = hex;
    size_t n = 0;

    for (;; p += 2) {
        unsigned byte;

        p += strspn(p, " \t\n:");
        if (!*p)
            break;
        if (n == size)
            return weft_err_set(e, -EINVAL, "trace: the frame exceeds %zu"
                                " bytes", size);
        for (unsigned i = 0; i < 2; i++)
            if (!p[i] || !strchr("0123456789abcdefABCDEF", p[i]))
                return weft_err_set(e, -EINVAL, "trace: frame, byte %zu,"
                                    " column %zu: \"%.2s\" is no byte in"
                                    " hexadecimal", n + 1,
                                    (size_t) (p - hex) + 1, p);
        sscanf(p, "%2x", &byte);
        buf[n++] = (uint8_t) byte;
    }
    if (n < 14)
        return weft_err_set(e, -EINVAL, "trace: a frame of %zu bytes: an"
                            " Ethernet header has 14", n);
    return (int) n;
}

/* Ports by name. */
static bool
find_port(void *dp, const char *name, uint32_t *no)
{
    struct dp_port_info info;

    for (*no = 0; (*no = dp_port_next(dp, *no)) != 0;)
        if (!dp_port_get(dp, *no, &info) && !strcmp(info.name, name))
            return true;
    return false;
}

static int
parse_tunnel(const json_t *params, struct pkt_tunnel *t, struct weft_err *e)
{
    const char *id = rpc_param(params, "tun_id");
    const char *src = rpc_param(params, "tun_src");
    const char *dst = rpc_param(params, "tun_dst");
    uint64_t key = 0;

    if (*id && base_parse_u64(id, UINT64_MAX, &key))
        return weft_err_set(e, -EINVAL, "trace: tun_id \"%s\" is no number",
                            id);
    t->id = key;
    if ((*src && base_parse_ipv4(src, &t->src))
        || (*dst && base_parse_ipv4(dst, &t->dst)))
        return weft_err_set(e, -EINVAL, "trace: tun_src and tun_dst are IPv4 "
                            "addresses");
    return 0;
}

/* What is traced. */
struct input {
    uint8_t frame[65536];
    size_t len;
    uint32_t in_port;
    struct pkt_tunnel tunnel;
};

static int
input_frame(struct input *in, const json_t *params,
            const struct ofp_text_ports *ports, struct weft_err *e)
{
    const json_t *port = json_object_get(params, "in_port");
    int n = parse_frame(rpc_param(params, "frame"), in->frame,
                        sizeof in->frame, e);

    if (n < 0)
        return n;
    in->len = (size_t) n;
    in->in_port = (uint32_t) json_integer_value(port);
    if (json_is_string(port)) {
        int err = ofp_text_parse_port(ports, json_string_value(port),
                                      &in->in_port, e);

        if (err)
            return err;
    }
    return parse_tunnel(params, &in->tunnel, e);
}

/* A packet that the flow matches. */
static int
input_flow(struct input *in, const char *flow,
           const struct ofp_text_ports *ports, struct weft_err *e)
{
    struct ofp_flow_text f;
    struct flow_match m;
    int err = ofp_text_parse_flow_on(ports, flow, OFP_TEXT_MATCH, &f, e);

    if (err)
        return err;
    m = f.match;
    ofp_flow_text_fini(&f);
    if (m.key.metadata || m.mask.actset_output || m.key.packet_type)
        return weft_err_set(e, -EINVAL, "trace: a packet comes without "
                            "metadata, actset_output and packet_type");
    in->len = flow_frame_build(&m, in->frame);
    in->in_port = be32_to(m.key.in_port);
    in->tunnel = (struct pkt_tunnel) {
        be64_to(m.key.tun_id), m.key.tun_src, m.key.tun_dst,
    };
    return 0;
}

/* Where it comes from: a port of the bridge, the controller, or nowhere (0:
 * rules that match the port do not find it). */
static int
check_port(const struct rc_bridge *b, uint32_t port, struct weft_err *e)
{
    struct dp_port_info info;

    if (!port || port == DP_PORT_CONTROLLER
        || !dp_port_get(ofp_bridge_dp(b->ofp), port, &info))
        return 0;
    return weft_err_set(e, -ENOENT, "trace: bridge %s has no port %u",
                        b->name, port);
}

int
rpc_trace(struct weftd *d, const json_t *params, struct base_str *result,
          struct weft_err *e)
{
    struct rc_bridge *b = reconcile_bridge(d->rc, rpc_param(params, "bridge"));
    const char *flow = rpc_param(params, "flow");
    struct ofp_text_ports ports = { .find = find_port };
    static struct input in; /* Large; control is one thread. */
    struct trace_text t = { .n_tables = 0 };
    struct jw j = JW_INIT(result);
    int err;

    if (!b)
        return weft_err_set(e, -ENOENT, "bridge %s: there is none of this "
                            "name", rpc_param(params, "bridge"));
    memset(&in.tunnel, 0, sizeof in.tunnel);
    ports.arg = ofp_bridge_dp(b->ofp);
    err = *flow ? input_flow(&in, flow, &ports, e)
                : input_frame(&in, params, &ports, e);
    if (!err)
        err = check_port(b, in.in_port, e);
    if (err)
        return err;
    err = dp_trace(ofp_bridge_dp(b->ofp), in.in_port, &in.tunnel, in.frame,
                   in.len, trace_text_step, &t);
    if (err)
        weft_err_set(e, err, "trace: frame of %zu bytes on port %u: %s",
                     in.len, in.in_port, strerror(-err));
    else
        trace_text_write(&t, &j);
    trace_text_fini(&t);
    return err;
}
