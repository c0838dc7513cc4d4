/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: decapsulation of any bytes by every tunnel type, and of any
 * frame by an uplink that Weft owns.
 * Properties: nothing outside the bytes is read; an accepted packet has an
 * allowed key and an inner Ethernet header within its length; a frame causes
 * one answer at most. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tunnels/underlay/underlay.h"
#include "weft/be.h"
#include "weft/tunnel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 1 };
static unsigned n_sent;

static void
must(bool ok)
{
    if (!ok)
        abort();
}

static void
decap(const struct tnl_ops *t, const uint8_t *data, size_t size)
{
    struct tnl_meta m = { UINT32_MAX, UINT16_MAX };
    enum tnl_verdict v = t->decap(data, size, &m);

    must(v == TNL_SHORT || v == TNL_BAD_FLAGS || v == TNL_BAD_PROTO
         || v == TNL_RESERVED_KEY || v == TNL_INNER_RUNT
         || v == TNL_CRITICAL || v == TNL_OK);
    must(v == TNL_SHORT || size >= t->l4_overhead);
    must(v != TNL_SHORT || size < t->l4_overhead || t->has_options);
    must(v != TNL_CRITICAL || t->has_options);
    if (v != TNL_OK)
        return;
    must(m.key >= t->key_min && m.key <= t->key_max);
    must(m.hlen >= t->l4_overhead && m.hlen + 14u <= size);
}

static void
on_nexthop(void *arg, be32 remote, const struct tnl_nexthop *nh)
{
    (void) arg;
    must(remote && nh->uplink == 5);
}

static void
on_lost(void *arg, be32 remote)
{
    (void) arg;
    must(remote);
}

static void
on_addrs(void *arg, uint32_t uplink, const be32 *addrs, size_t n)
{
    (void) arg;
    (void) addrs;
    (void) n;
    must(uplink == 5);
}

static void
on_send(void *arg, uint32_t uplink, const uint8_t *data, size_t len)
{
    (void) arg;
    must(uplink == 5 && len >= 60 && len <= 2048);
    must(!memcmp(data + 6, our_mac, 6));
    n_sent++;
}

/* One frame makes at most one answer. */
static void
owned(const uint8_t *data, size_t size)
{
    static const struct underlay_callbacks cb = {
        .nexthop_set = on_nexthop, .nexthop_del = on_lost, .addrs = on_addrs,
        .send = on_send,
    };
    static struct underlay *u;

    if (!u) {
        must(!underlay_create(&cb, &u, NULL));
        must(!underlay_add_owned(u, 5, our_mac, be32_from(0xc0000201), 24, 0,
                                 1500, NULL));
        underlay_resolve(u, be32_from(0xc0000202), 0);
    }
    n_sent = 0;
    underlay_rx(u, 5, data, size);
    must(n_sent <= 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (unsigned i = 0; tnl_type_by_index(i); i++)
        decap(tnl_type_by_index(i), data, size);
    owned(data, size);
    return 0;
}
