/* SPDX-License-Identifier: Apache-2.0 */
#include "flow_text_random.h"

uint64_t
rnd_next(struct rnd *r) /* splitmix64 */
{
    uint64_t z = (r->state += 0x9e3779b97f4a7c15u);

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

unsigned
rnd_below(struct rnd *r, unsigned n)
{
    return (unsigned) (rnd_next(r) % n);
}

static void
random_bytes(struct rnd *r, uint8_t v[16])
{
    put_be64(v, rnd_next(r));
    put_be64(v + 8, rnd_next(r));
    if (!rnd_below(r, 4)) /* Runs of zeros: "::" in IPv6. */
        memset(v + rnd_below(r, 8), 0, 8);
}

/* Exact, a prefix, or any mask that is not zero. */
static void
random_mask(struct rnd *r, const struct flow_field *f, uint8_t mask[16])
{
    unsigned len = 1 + rnd_below(r, f->bits), first = 128u - f->bits;
    unsigned kind = f->maskable ? rnd_below(r, 4) : 0;

    memset(mask, 0, 16);
    if (kind <= 1)
        len = f->bits;
    if (kind <= 2) {
        for (unsigned i = first; i < first + len; i++)
            mask[i / 8] |= (uint8_t) (0x80 >> i % 8);
        return;
    }
    random_bytes(r, mask);
    mask[15] |= 1;
    if (f->fmt == FLOW_FMT_IPV6) /* ovs-ofctl takes "9a9e::" for a prefix. */
        mask[0] |= 0xf0;
}

static void
match_set(struct flow_match *m, enum flow_field_id id, const uint8_t v[16],
          const uint8_t mask[16])
{
    const struct flow_field *f = &flow_fields[id];
    uint8_t masked[16];

    for (unsigned i = 0; i < 16; i++)
        masked[i] = v[i] & mask[i];
    flow_field_set_masked(&m->key, f, masked, mask);
    flow_field_set_masked(&m->mask, f, mask, mask);
}

static void
match_number(struct flow_match *m, enum flow_field_id id, uint64_t n)
{
    uint8_t v[16] = { 0 }, mask[16];

    memset(mask, 0xff, 16);
    put_be64(v + 8, n);
    match_set(m, id, v, mask);
}

static void
match_random(struct rnd *r, struct flow_match *m, enum flow_field_id id)
{
    uint8_t v[16], mask[16];

    random_bytes(r, v);
    random_mask(r, &flow_fields[id], mask);
    match_set(m, id, v, mask);
}

static void
match_vlan(struct rnd *r, struct flow_match *m)
{
    static const uint8_t present[16] = { [14] = 0x10 };

    switch (rnd_below(r, 6)) {
    case 0: /* Untagged. */
        match_number(m, FLOW_F_VLAN_VID, 0);
        return;
    case 1: /* Any tag. */
        match_set(m, FLOW_F_VLAN_VID, present, present);
        break;
    case 2:
        match_random(r, m, FLOW_F_VLAN_VID);
        return;
    default:
        match_number(m, FLOW_F_VLAN_VID, 0x1000 | rnd_below(r, 4096));
    }
    if (rnd_below(r, 2))
        match_number(m, FLOW_F_VLAN_PCP, rnd_below(r, 8));
}

static void
match_icmpv6(struct rnd *r, struct flow_match *m)
{
    unsigned type = rnd_below(r, 2) ? 135 + rnd_below(r, 2)
                                    : rnd_below(r, 256);

    match_number(m, FLOW_F_ICMPV6_TYPE, type);
    if (type != 135 && type != 136) {
        match_number(m, FLOW_F_ICMPV6_CODE, rnd_below(r, 256));
        return;
    }
    if (rnd_below(r, 2)) /* With another one ovs-ofctl drops nd_*. */
        match_number(m, FLOW_F_ICMPV6_CODE, 0);
    if (rnd_below(r, 2))
        match_random(r, m, FLOW_F_ND_TARGET);
    if (rnd_below(r, 2))
        match_random(r, m, type == 135 ? FLOW_F_ND_SLL : FLOW_F_ND_TLL);
}

static void
match_ip(struct rnd *r, struct flow_match *m, bool v6)
{
    static const uint8_t protos[] = { 1, 6, 17, 132, 58, 47, 2 };
    uint8_t proto = protos[rnd_below(r, sizeof protos)];

    match_number(m, FLOW_F_ETH_TYPE, v6 ? 0x86dd : 0x800);
    for (int i = v6 ? FLOW_F_IPV6_SRC : FLOW_F_IPV4_SRC;
         i <= (v6 ? FLOW_F_IPV6_FLABEL : FLOW_F_IPV4_DST); i++)
        if (rnd_below(r, 2))
            match_random(r, m, (enum flow_field_id) i);
    if (!rnd_below(r, 3))
        match_number(m, FLOW_F_IP_DSCP, rnd_below(r, 64));
    if (!rnd_below(r, 3))
        match_number(m, FLOW_F_IP_ECN, rnd_below(r, 4));
    if (!rnd_below(r, 3))
        return;
    match_number(m, FLOW_F_IP_PROTO, proto);
    if (proto == 1 && !v6) {
        match_number(m, FLOW_F_ICMPV4_TYPE, rnd_below(r, 256));
        if (rnd_below(r, 2))
            match_number(m, FLOW_F_ICMPV4_CODE, rnd_below(r, 256));
    } else if (proto == 58 && v6) {
        match_icmpv6(r, m);
    } else if (proto == 6 || proto == 17 || proto == 132) {
        enum flow_field_id id = proto == 6    ? FLOW_F_TCP_SRC
                                : proto == 17 ? FLOW_F_UDP_SRC
                                              : FLOW_F_SCTP_SRC;
        if (rnd_below(r, 2))
            match_random(r, m, id);
        if (rnd_below(r, 2))
            match_random(r, m, id + 1);
    }
}

static void
match_layer3(struct rnd *r, struct flow_match *m, bool common)
{
    switch (rnd_below(r, common ? 6 : 7)) {
    case 0:
        return;
    case 1:
        match_number(m, FLOW_F_ETH_TYPE, 0x600 + rnd_below(r, 0xf000));
        return;
    case 2:
        match_number(m, FLOW_F_ETH_TYPE, 0x806);
        for (int i = FLOW_F_ARP_SPA; i <= FLOW_F_ARP_THA; i++)
            if (rnd_below(r, 2))
                match_random(r, m, (enum flow_field_id) i);
        if (rnd_below(r, 2)) /* ovs-ofctl keeps 8 bits of it. */
            match_number(m, FLOW_F_ARP_OP, rnd_below(r, 256));
        return;
    case 3:
        match_number(m, FLOW_F_ETH_TYPE, 0x8847 + rnd_below(r, 2));
        for (int i = FLOW_F_MPLS_LABEL; i <= FLOW_F_MPLS_BOS; i++)
            if (rnd_below(r, 2))
                match_random(r, m, (enum flow_field_id) i);
        return;
    case 6:
        match_number(m, FLOW_F_ETH_TYPE, 0x88e7);
        match_random(r, m, FLOW_F_PBB_ISID);
        return;
    default:
        match_ip(r, m, rnd_below(r, 2));
    }
}

static void
random_match(struct rnd *r, struct flow_match *m, bool common)
{
    static const enum flow_field_id any[] = {
        FLOW_F_TUN_ID,  FLOW_F_TUN_SRC, FLOW_F_TUN_DST,
        FLOW_F_ETH_DST, FLOW_F_ETH_SRC, FLOW_F_METADATA,
    };

    memset(m, 0, sizeof *m);
    for (unsigned i = 0; i < sizeof any / sizeof any[0]; i++)
        if (!rnd_below(r, 4))
            match_random(r, m, any[i]);
    if (rnd_below(r, 2))
        match_number(m, FLOW_F_IN_PORT,
                     rnd_below(r, 8) ? 1 + rnd_below(r, 0xff00)
                                     : DP_PORT_LOCAL);
    if (rnd_below(r, 2))
        match_vlan(r, m);
    match_layer3(r, m, common);
    if (!common && !rnd_below(r, 8) && m->mask.in_port)
        match_number(m, FLOW_F_IN_PHY_PORT, 1 + rnd_below(r, 0xff00));
}

/* ------------------------------------------------------------------- ops */

static struct dp_op *
op_add(uint64_t *ops, uint32_t *n, enum dp_op_code code, uint32_t arg,
       unsigned words)
{
    struct dp_op *op = (struct dp_op *) (void *) &ops[*n];

    memset(op, 0, 8u * (size_t) words);
    op->code = (uint8_t) code;
    op->words = (uint8_t) words;
    op->arg = arg;
    *n += words;
    return op;
}

static void
set_field(struct rnd *r, uint64_t *ops, uint32_t *n, enum flow_field_id id)
{
    const struct flow_field *f = &flow_fields[id];
    struct dp_op *op = op_add(ops, n, DP_OP_SET_FIELD, 0,
                              1 + (2u * f->width + 7) / 8);
    struct flow_match m;
    uint8_t v[16], mask[16];

    memset(&m, 0, sizeof m);
    memset(mask, 0xff, 16);
    random_bytes(r, v);
    if (id == FLOW_F_VLAN_VID)
        v[14] |= 0x10;
    match_set(&m, id, v, mask);
    op->aux = (uint16_t) id;
    memcpy(op->data, (uint8_t *) &m.key + f->offset, f->width);
    memcpy(op->data + f->width, (uint8_t *) &m.mask + f->offset, f->width);
}

/* Fields that may be set whatever the match is. */
static const enum flow_field_id settable[] = {
    FLOW_F_TUN_ID,  FLOW_F_TUN_SRC, FLOW_F_TUN_DST,
    FLOW_F_ETH_DST, FLOW_F_ETH_SRC,
};

static void
random_op(struct rnd *r, uint64_t *ops, uint32_t *n, bool common)
{
    static const enum dp_op_code plain[] = {
        DP_OP_NORMAL, DP_OP_FLOOD, DP_OP_ALL, DP_OP_IN_PORT,
        /* Not known to ovs-ofctl, or bound to a match: */
        DP_OP_POP_VLAN, DP_OP_POP_PBB, DP_OP_DEC_NW_TTL, DP_OP_DEC_MPLS_TTL,
        DP_OP_COPY_TTL_OUT, DP_OP_COPY_TTL_IN,
    };

    switch (rnd_below(r, common ? 7 : 10)) {
    case 0:
    case 1:
        op_add(ops, n, DP_OP_OUTPUT, 1 + rnd_below(r, 0xff00), 1);
        return;
    case 2:
        op_add(ops, n, DP_OP_CONTROLLER, rnd_below(r, 65536), 1)->aux =
            DP_PUNT_ACTION;
        return;
    case 3:
        op_add(ops, n, plain[rnd_below(r, common ? 4 : 10)], 0, 1);
        return;
    case 4:
        set_field(r, ops, n,
                  settable[rnd_below(r, sizeof settable / sizeof settable[0])]);
        return;
    case 5:
        op_add(ops, n, DP_OP_SET_QUEUE, rnd_below(r, 1u << 31), 1);
        return;
    case 6:
        op_add(ops, n, DP_OP_GROUP, rnd_below(r, 0xffffff00), 1);
        return;
    case 7:
        op_add(ops, n, DP_OP_PUSH_VLAN, rnd_below(r, 2) ? 0x8100 : 0x88a8, 1);
        return;
    case 8:
        op_add(ops, n, DP_OP_SET_NW_TTL, rnd_below(r, 256), 1);
        return;
    default:
        for (;;) {
            unsigned id = rnd_below(r, N_FLOW_FIELDS);

            if (!flow_fields[id].settable)
                continue;
            set_field(r, ops, n, (enum flow_field_id) id);
            return;
        }
    }
}

static void
random_ops(struct rnd *r, uint64_t *ops, struct dp_op_list *list, bool common)
{
    uint32_t n = 0;

    for (unsigned i = rnd_below(r, 6); i > 0; i--)
        random_op(r, ops, &n, common);
    list->n_words = n;
    list->ops = n ? (const struct dp_op *) (const void *) ops : NULL;
}

void
random_flow(struct rnd *r, struct random_flow *f, bool common)
{
    struct dp_instr *in = &f->instr;

    random_match(r, &f->match, common);
    *in = (struct dp_instr){ .goto_table = DP_NO_TABLE };
    f->priority = (uint16_t) rnd_below(r, 32768); /* 32768 is not printed. */
    random_ops(r, f->apply, &in->apply, common);
    if (!rnd_below(r, 4))
        random_ops(r, f->write, &in->write, common);
    in->clear = !rnd_below(r, 8);
    if (!rnd_below(r, 8))
        in->meter = 1 + rnd_below(r, 1000);
    if (!rnd_below(r, 6)) {
        in->metadata_mask = rnd_below(r, 2) ? UINT64_MAX : rnd_next(r) | 1;
        in->metadata = rnd_next(r) & in->metadata_mask;
    }
    if (!rnd_below(r, 4))
        in->goto_table = (uint8_t) (1 + rnd_below(r, 253));
}
