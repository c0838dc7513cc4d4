/* SPDX-License-Identifier: Apache-2.0 */
/* Answers about networks: who is at the other ends. */
#include "ofproto/ofproto.h"
#include "utils/base/addr.h"
#include "utils/weftd/reconcile.h"
#include "utils/weftd/rpc.h"
#include "utils/weftd/rpc_parts.h"
#include "utils/weftd/weftd.h"

struct vtep_dump {
    struct jw *j;
    const char *bridge;
    const struct dp_port_info *port;
};

static void
put_vtep(void *arg, const struct dp_peer_info *p)
{
    const struct vtep_dump *d = arg;
    char text[BASE_IPV4_LEN];

    jw_object(d->j, NULL);
    jw_str(d->j, "bridge", d->bridge);
    jw_u64(d->j, "ofport", d->port->port_no);
    jw_str(d->j, "port_name", d->port->name);
    jw_str(d->j, "type", d->port->type);
    jw_str(d->j, "remote", base_format_ipv4(p->addr, text));
    jw_str(d->j, "origin", p->listed ? "listed" : "learnt");
    jw_u64(d->j, "age", p->age_s);
    jw_end_object(d->j);
}

static int
write_vteps(struct jw *j, struct weftd *d, struct rc_bridge *b,
            const json_t *params, struct weft_err *e)
{
    struct dp_bridge *dp = ofp_bridge_dp(b->ofp);
    struct dp_port_info info;
    struct vtep_dump v = { j, b->name, &info };

    (void) d;
    (void) params;
    (void) e;
    for (uint32_t no = dp_port_next(dp, 0); no; no = dp_port_next(dp, no))
        if (!dp_port_get(dp, no, &info))
            dp_peer_dump(dp, no, put_vtep, &v);
    return 0;
}

int
rpc_vteps(struct weftd *d, const json_t *params, struct base_str *result,
          struct weft_err *e)
{
    return rpc_answer_bridges(d, "vteps", params, write_vteps, result, e);
}
