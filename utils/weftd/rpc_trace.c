/* SPDX-License-Identifier: Apache-2.0 */
/* Method "trace": what the rules would do with a frame. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ofproto/ofproto.h"
#include "utils/base/addr.h"
#include "utils/weftd/jw.h"
#include "utils/weftd/reconcile.h"
#include "utils/weftd/rpc.h"
#include "utils/weftd/weftd.h"

/* Hexadecimal digits, blanks and colons ignored; bytes or -EINVAL. */
static int
parse_frame(const char *hex, uint8_t *buf, size_t size)
{
    size_t n = 0;

    for (;; hex += 2) {
        unsigned byte;

        hex += strspn(hex, " \t\n:");
        if (!*hex)
            return (int) n;
        if (n == size || strspn(hex, "0123456789abcdefABCDEF") < 2
            || sscanf(hex, "%2x", &byte) != 1)
            return -EINVAL;
        buf[n++] = (uint8_t) byte;
    }
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

int
rpc_trace(struct weftd *d, const json_t *params, struct base_str *result,
          struct weft_err *e)
{
    const json_t *port = json_object_get(params, "in_port");
    struct rc_bridge *b = reconcile_bridge(d->rc, rpc_param(params, "bridge"));
    static uint8_t frame[65536];
    static char text[65536];
    struct pkt_tunnel tunnel = { 0 };
    struct jw j = JW_INIT(result);

    if (!b)
        return weft_err_set(e, -ENOENT, "bridge %s: there is none of this "
                            "name", rpc_param(params, "bridge"));
    int len = parse_frame(rpc_param(params, "frame"), frame, sizeof frame);
    if (len < 0)
        return weft_err_set(e, len, "trace: the frame is not %zu or fewer "
                            "bytes in hexadecimal", sizeof frame);
    int err = parse_tunnel(params, &tunnel, e);
    if (err)
        return err;
    err = dp_trace(ofp_bridge_dp(b->ofp), (uint32_t) json_integer_value(port),
                   &tunnel, frame, (size_t) len, text, sizeof text);
    if (err)
        return weft_err_set(e, err, "trace: frame of %d bytes on port %u: %s",
                            len, (unsigned) json_integer_value(port),
                            strerror(-err));
    jw_object(&j, NULL);
    jw_str(&j, "text", text);
    jw_end_object(&j);
    return 0;
}
