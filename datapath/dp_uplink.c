/* SPDX-License-Identifier: Apache-2.0 */
/* Uplinks: devices that carry outer packets, and next hops. */
#include <errno.h>
#include <string.h>

#include "datapath/dp_priv.h"
#include "datapath/worker.h"
#include "utils/base/log.h"

/* Uplinks are told which end points and UDP ports to take. */
void
dp_uplinks_refilter(struct dp *dp)
{
    be32 addrs[TUNNEL_MAX_ADDRS];
    uint16_t ports[64];
    size_t n = tunnels_get_addrs(dp->tunnels, addrs, TUNNEL_MAX_ADDRS);
    size_t n_ports = tunnels_get_udp_ports(dp->tunnels, ports,
                                           WEFT_ARRAY_LEN(ports));

    n = WEFT_MIN(n, (size_t) TUNNEL_MAX_ADDRS);
    n_ports = WEFT_MIN(n_ports, WEFT_ARRAY_LEN(ports));
    for (uint32_t id = 1; id <= DP_MAX_UPLINKS; id++) {
        struct dp_port *up = dp->uplinks[id];
        int err;

        if (!up || !up->port.ops->set_filter)
            continue;
        err = up->port.ops->set_filter(&up->port, addrs, n, ports, n_ports);
        if (err)
            base_log(BASE_LOG_ERR, "dp", "uplink %s: filter: %s",
                     up->port.name, strerror(-err));
    }
}

int
dp_uplink_add_ops(struct dp *dp, const struct dp_port_config *c,
                  const struct port_ops *ops, uint32_t *id,
                  struct weft_err *e)
{
    struct dp_port *p;
    uint32_t no = 1;
    int err;

    if (!*c->name || strlen(c->name) >= DP_NAME_LEN)
        return weft_err_set(e, -EINVAL,
                            "uplink name '%s': 1 to %d characters are allowed",
                            c->name, DP_NAME_LEN - 1);
    if (dp_port_by_name(dp, c->name))
        return weft_err_set(e, -EEXIST, "uplink %s: the name is in use",
                            c->name);
    while (no <= DP_MAX_UPLINKS && dp->uplinks[no])
        no++;
    if (no > DP_MAX_UPLINKS)
        return weft_err_set(e, -ENOSPC, "uplink %s: more than %d uplinks",
                            c->name, DP_MAX_UPLINKS);
    p = dp_port_new(dp, NULL, c->name, no);
    if (!p)
        return weft_err_set(e, -ENOMEM, "uplink %s: out of memory", c->name);
    err = dp_port_open_device(p, ops, c, e);
    if (err) {
        dp_port_destroy(p);
        return err;
    }
    dp_port_set_options(p, c->options, c->n_options);
    /* Outer frames may carry tags of the underlay. */
    p->max_frame += 8;
    base_list_add_tail(&dp->ports, &p->node);
    dp_publish(&dp->uplinks[no], p);
    dp_uplinks_refilter(dp);
    err = dp_rxqs_assign(p);
    if (err) {
        (void) !dp_uplink_del(dp, no, NULL);
        return weft_err_set(e, err, "uplink %s: %s", c->name,
                            strerror(-err));
    }
    *id = no;
    return 0;
}

int
dp_uplink_add(struct dp *dp, const struct dp_port_config *c, uint32_t *id,
              struct weft_err *e)
{
    const struct port_ops *ops = port_type_by_name(c->type);

    if (!ops || !ops->as_uplink)
        return dp_port_unknown_type(c, true, e);
    return dp_uplink_add_ops(dp, c, ops, id, e);
}

static struct dp_port *
uplink_get(struct dp *dp, uint32_t id)
{
    return id && id <= DP_MAX_UPLINKS ? dp->uplinks[id] : NULL;
}

int
dp_uplink_del(struct dp *dp, uint32_t id, struct weft_err *e)
{
    struct dp_port *p = uplink_get(dp, id);

    if (!p)
        return weft_err_set(e, -ENODEV, "there is no uplink %u", id);
    dp_publish(&dp->uplinks[id], (struct dp_port *) NULL);
    (void) !tunnels_set_addrs(dp->tunnels, id, NULL, 0);
    dp_port_remove(p);
    return 0;
}

int
dp_uplink_get(struct dp *dp, uint32_t id, struct dp_uplink_info *out)
{
    const struct dp_port *p = uplink_get(dp, id);
    struct dp_port_info info;

    if (!p)
        return -ENODEV;
    dp_port_fill_info(p, &info);
    memset(out, 0, sizeof *out);
    out->id = id;
    memcpy(out->name, info.name, sizeof out->name);
    memcpy(out->type, info.type, sizeof out->type);
    memcpy(out->mode, p->port.mode, sizeof out->mode);
    memcpy(out->mac, info.mac, 6);
    out->mtu = info.mtu;
    out->link_up = info.link_up;
    out->ifindex = p->port.ifindex;
    memcpy(out->status, info.status, sizeof out->status);
    out->stats = info.stats;
    memcpy(out->drops, info.drops, sizeof out->drops);
    return 0;
}

uint32_t
dp_uplink_next(struct dp *dp, uint32_t after)
{
    for (uint32_t id = after + 1; id <= DP_MAX_UPLINKS; id++)
        if (dp->uplinks[id])
            return id;
    return 0;
}

int
dp_uplink_set_addrs(struct dp *dp, uint32_t id, const be32 *addrs, size_t n)
{
    int err;

    if (!uplink_get(dp, id))
        return -ENODEV;
    err = tunnels_set_addrs(dp->tunnels, id, addrs, n);
    if (!err)
        dp_uplinks_refilter(dp);
    return err;
}

int
dp_nexthop_set(struct dp *dp, be32 remote, const struct tnl_nexthop *nh)
{
    return tunnel_nexthop_set(dp->tunnels, remote, nh);
}

void
dp_nexthop_del(struct dp *dp, be32 remote)
{
    tunnel_nexthop_del(dp->tunnels, remote);
}
