/* SPDX-License-Identifier: Apache-2.0 */
/* Next hops of tunnels: the table by remote, and the ports that name one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/tunnel_priv.h"

/* The sum of 'addr' as two host words. */
static uint32_t
addr_csum(be32 addr)
{
    return (be32_to(addr) >> 16) + (be32_to(addr) & 0xffff);
}

struct tunnel_nh_table *
tunnel_nh_table_create(uint32_t n_slots)
{
    struct tunnel_nh_table *t = tunnel_alloc_lines(
        sizeof *t + n_slots * sizeof t->slots[0]);

    t->mask = n_slots - 1;
    return t;
}

static struct tunnel_nh_slot *
nh_slot(struct tunnel_nh_table *t, be32 remote)
{
    uint32_t i = tunnel_hash_addr(remote);

    while (t->slots[i & t->mask].remote
           && t->slots[i & t->mask].remote != remote)
        i++;
    return &t->slots[i & t->mask];
}

static bool
remote_has_port(const struct tunnels *ts, be32 remote)
{
    struct base_hnode *n = base_hmap_first(&ts->by_remote,
                                           tunnel_hash_addr(remote));

    for (; n; n = base_hmap_next_same(n))
        if (WEFT_CONTAINER_OF(n, struct tunnel_port, by_remote)->remote
            == remote)
            return true;
    return false;
}

/* The memory of a route that is gone is worth a slot only while a port points
 * to it. */
static bool
nh_keep(const struct tunnels *ts, const struct tunnel_nh_slot *s)
{
    return s->remote && (!s->nh->gone || remote_has_port(ts, s->remote));
}

static void
nh_table_grow(struct tunnels *ts)
{
    struct tunnel_nh_table *old = ts->nhs, *t;
    uint32_t keep = 0;

    for (uint32_t i = 0; i <= old->mask; i++)
        keep += nh_keep(ts, &old->slots[i]);
    t = tunnel_nh_table_create(tunnel_power_of_two(4 * (keep + 1)));
    for (uint32_t i = 0; i <= old->mask; i++) {
        struct tunnel_nh_slot *s = &old->slots[i];

        if (nh_keep(ts, s)) {
            *nh_slot(t, s->remote) = *s;
            t->n++;
        } else {
            tunnel_retire(ts, s->nh, free);
        }
    }
    __atomic_store_n(&ts->nhs, t, __ATOMIC_RELEASE);
    tunnel_retire(ts, old, free);
}

/* Ports that name 'remote' see 'nh' from now on. */
static void
nh_give_to_ports(struct tunnels *ts, be32 remote, struct tunnel_nh *nh)
{
    struct base_hnode *n = base_hmap_first(&ts->by_remote,
                                           tunnel_hash_addr(remote));

    for (; n; n = base_hmap_next_same(n)) {
        struct tunnel_port *p = WEFT_CONTAINER_OF(n, struct tunnel_port,
                                                  by_remote);
        if (p->remote == remote)
            __atomic_store_n(&p->nh, nh, __ATOMIC_RELEASE);
    }
}

static void
nh_replace(struct tunnels *ts, be32 remote, struct tunnel_nh *nh)
{
    if (2 * (ts->nhs->n + 1) > ts->nhs->mask)
        nh_table_grow(ts);

    struct tunnel_nh_slot *s = nh_slot(ts->nhs, remote);
    struct tunnel_nh *old = s->nh;
    __atomic_store_n(&s->nh, nh, __ATOMIC_RELEASE);
    if (!s->remote) {
        ts->nhs->n++;
        __atomic_store_n(&s->remote, remote, __ATOMIC_RELEASE);
    }
    nh_give_to_ports(ts, remote, nh);
    tunnel_retire(ts, old, free);
}

int
tunnel_nexthop_set(struct tunnels *ts, be32 remote,
                   const struct tnl_nexthop *nexthop)
{
    static const uint8_t nobody[6];

    if (!remote)
        return -EINVAL;

    const struct tunnel_nh *old = tunnel_nh_find(ts->nhs, remote);
    struct tunnel_nh *nh = tunnel_alloc_lines(sizeof *nh);

    memcpy(nh->macs, nexthop->dst_mac, 6);
    memcpy(nh->macs + 6, nexthop->src_mac, 6);
    nh->dst = remote;
    nh->src = nexthop->src;
    nh->dst_csum = addr_csum(remote);
    nh->uplink = nexthop->uplink;
    nh->mtu = nexthop->mtu;
    nh->unusable = !memcmp(nexthop->dst_mac, nobody, sizeof nobody);
    if (old && !old->gone)
        nh->refresh_ns = __atomic_load_n(&old->refresh_ns, __ATOMIC_RELAXED);
    nh_replace(ts, remote, nh);
    return 0;
}

void
tunnel_nexthop_del(struct tunnels *ts, be32 remote)
{
    if (!remote)
        return;

    struct tunnel_nh *nh = tunnel_alloc_lines(sizeof *nh);
    nh->dst = remote;
    nh->gone = nh->unusable = true;
    nh_replace(ts, remote, nh);
}
