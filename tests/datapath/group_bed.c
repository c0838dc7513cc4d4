/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/datapath/group_bed.h"

struct bed bed;
struct pkt frame;
struct buckets built;

void
group_flow(struct pkt *q, uint32_t src, uint16_t sport)
{
    bed_udp(q, src, sport, 2000, 30);
}

void
group_bed_setup(void)
{
    bed_open(&bed, N_PORTS, BED_CAPS);
    group_flow(&frame, 0x0a000001, 1000);
}

void
group_bed_teardown(void)
{
    bed_close(&bed);
}

struct ops *
bucket(uint16_t weight, uint32_t watch_port, uint32_t watch_group)
{
    unsigned i = built.n++;

    ck_assert_uint_lt(i, 64);
    built.o[i].n = 0;
    built.b[i] = (struct dp_bucket) { .id = i, .weight = weight,
                                  .watch_port = watch_port,
                                  .watch_group = watch_group };
    return &built.o[i];
}

void
bucket_out(uint16_t weight, uint32_t watch_port, uint32_t out)
{
    ops_add(bucket(weight, watch_port, ANY_GROUP), DP_OP_OUTPUT, 0, out);
}

void
bucket_group(uint32_t watch_group, uint32_t group)
{
    ops_add(bucket(0, ANY_PORT, watch_group), DP_OP_GROUP, 0, group);
}

int
group_set_config(uint32_t id, struct dp_group_config *c)
{
    int err;

    for (unsigned i = 0; i < built.n; i++)
        built.b[i].actions = ops_list(&built.o[i]);
    c->buckets = built.b;
    c->n_buckets = built.n;
    err = dp_group_set(bed.br, id, c);
    dp_commit(bed.dp);
    built.n = 0;
    return err;
}

void
group_set(uint32_t id, enum dp_group_type type)
{
    struct dp_group_config c = { .type = type };

    ck_assert_int_eq(group_set_config(id, &c), 0);
}

void
group_rule(uint32_t id, uint32_t after)
{
    static struct ops o;

    o.n = 0;
    ops_add(&o, DP_OP_GROUP, 0, id);
    if (after)
        ops_add(&o, DP_OP_OUTPUT, 0, after);
    bed_rule(&bed, 1, &BED_ANY, &o);
}

void
group_feed(unsigned n)
{
    while (n--)
        bed_feed(&bed, 1, &frame);
    bed_run(&bed);
}

struct dp_stats
group_stats(uint32_t id, struct dp_stats *bs, size_t n)
{
    struct dp_stats total;

    ck_assert_int_eq(dp_group_get_stats(bed.br, id, &total, bs, n), 0);
    return total;
}

void
group_link(unsigned port, bool up)
{
    bed.ports[port].port->link_up = up;
}
