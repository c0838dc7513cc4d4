/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/datapath/differential.h"

#include <stdlib.h>
#include <string.h>

#include "utils/base/mem.h"

struct diff_switch diff;
struct diff_rule *diff_rules[MAX_RULES];
const struct diff_install *diff_install;

static uint16_t next_priority;

/* ------------------------------------------------------------------- rules */

/* Full mask, or a prefix of it. */
static void
match_field(struct flow_match *m, const struct flow_key *k, unsigned id,
            bool whole)
{
    const struct flow_field *f = &flow_fields[id];
    uint8_t v[16], mask[16] = { 0 };
    unsigned bits = f->bits;
    unsigned care = whole || !f->maskable || rnd(2) ? bits : rnd(bits + 1);

    flow_field_get(k, f, v);
    for (unsigned i = 0; i < care; i++) { /* From the top bit down. */
        unsigned bit = bits - 1 - i;

        mask[15 - bit / 8] |= (uint8_t) (1 << bit % 8);
    }
    for (unsigned i = 0; i < 16; i++)
        v[i] &= mask[i];
    flow_field_set_masked(&m->key, f, v, mask);
    flow_field_set_masked(&m->mask, f, mask, mask);
}

static void
match_vlan_present(struct flow_match *m)
{
    m->key.vlan_tci |= be16_from(FLOW_VLAN_PRESENT);
    m->mask.vlan_tci |= be16_from(FLOW_VLAN_PRESENT);
}

/* What a set-field asks of the rule's match: as the agent does. */
static void
match_prerequisites(struct flow_match *m, const struct flow_key *k,
                    unsigned id)
{
    switch (flow_fields[id].prereq) {
    case FLOW_PRE_NONE:
        return;
    case FLOW_PRE_VLAN:
        match_vlan_present(m);
        return;
    case FLOW_PRE_ND:
    case FLOW_PRE_ND_NS:
    case FLOW_PRE_ND_NA:
        match_field(m, k, FLOW_F_ICMPV6_TYPE, true);
        match_field(m, k, FLOW_F_ICMPV6_CODE, true);
        /* fall through */
    case FLOW_PRE_TCP:
    case FLOW_PRE_UDP:
    case FLOW_PRE_SCTP:
    case FLOW_PRE_ICMPV4:
    case FLOW_PRE_ICMPV6:
        match_field(m, k, FLOW_F_IP_PROTO, true);
        /* fall through */
    default:
        match_field(m, k, FLOW_F_ETH_TYPE, true);
        return;
    }
}

/* Does a frame with this key have the field? */
static bool
key_allows(const struct flow_key *k, unsigned id)
{
    uint16_t type = be16_to(k->eth_type), icmp = be16_to(k->tp_src);
    bool v6 = type == 0x86dd, ip = type == 0x0800 || v6;

    switch (flow_fields[id].prereq) {
    case FLOW_PRE_VLAN: return be16_to(k->vlan_tci) & FLOW_VLAN_PRESENT;
    case FLOW_PRE_IP: return ip;
    case FLOW_PRE_IPV4: return type == 0x0800;
    case FLOW_PRE_IPV6: return v6;
    case FLOW_PRE_ARP: return type == 0x0806;
    case FLOW_PRE_TCP: return ip && k->ip_proto == 6;
    case FLOW_PRE_UDP: return ip && k->ip_proto == 17;
    case FLOW_PRE_SCTP: return ip && k->ip_proto == 132;
    case FLOW_PRE_ICMPV4: return type == 0x0800 && k->ip_proto == 1;
    case FLOW_PRE_ICMPV6: return v6 && k->ip_proto == 58;
    case FLOW_PRE_ND: return v6 && (icmp == 135 || icmp == 136);
    case FLOW_PRE_ND_NS: return v6 && icmp == 135;
    case FLOW_PRE_ND_NA: return v6 && icmp == 136;
    case FLOW_PRE_MPLS: return type == 0x8847 || type == 0x8848;
    case FLOW_PRE_PBB: return type == 0x88e7;
    default: return true;
    }
}

/* A field that frames like 'k' have; 'set': one that may be written, seldom
 * one that changes what kind of packet it is. */
static unsigned
field_random(const struct flow_key *k, bool set)
{
    unsigned id;

    do
        id = rnd(N_FLOW_FIELDS);
    while (!key_allows(k, id)
           || (set
               && (!flow_fields[id].settable
                   || ((id == FLOW_F_ETH_TYPE || id == FLOW_F_IP_PROTO)
                       && rnd(4)))));
    return id;
}

/* A set-field on a frame like 'k'; the match gets what it needs. */
static void
add_set_field(struct ops *o, struct flow_match *m, const struct flow_key *k)
{
    const struct flow_key *from = &frames[rnd(n_frames)].k;
    unsigned id;
    uint8_t v[16];

    id = field_random(k, true);
    match_prerequisites(m, k, id);
    flow_field_get(from, &flow_fields[id], v);
    if (id == FLOW_F_VLAN_VID) {
        match_vlan_present(m);
        v[14] |= FLOW_VLAN_PRESENT >> 8;
    }
    ops_set(o, id, v);
}

static void
add_copy_field(struct ops *o, struct flow_match *m, const struct flow_key *k)
{
    unsigned src = field_random(k, false), dst = field_random(k, true), n;

    if (rnd(4) == 0) /* Often enough: it is carried in its own way. */
        dst = FLOW_F_METADATA;
    n = 1 + rnd(WEFT_MIN(flow_fields[src].bits, flow_fields[dst].bits));
    match_prerequisites(m, k, src);
    match_prerequisites(m, k, dst);
    ops_copy(o, src, rnd(flow_fields[src].bits - n + 1u), dst,
             rnd(flow_fields[dst].bits - n + 1u), n);
}

static void
add_op(struct ops *o, struct flow_match *m, const struct flow_key *k)
{
    static const struct {
        uint8_t code;
        uint32_t arg;
    } plain[] = {
        { DP_OP_PUSH_VLAN, 0x8100 }, { DP_OP_PUSH_VLAN, 0x88a8 },
        { DP_OP_POP_VLAN, 0 },       { DP_OP_POP_VLAN, 0 },
        { DP_OP_PUSH_MPLS, 0x8847 }, { DP_OP_POP_MPLS, 0x0800 },
        { DP_OP_PUSH_PBB, 0x88e7 },  { DP_OP_POP_PBB, 0 },
        { DP_OP_SET_NW_TTL, 9 },     { DP_OP_DEC_NW_TTL, 0 },
        { DP_OP_DEC_NW_TTL, 0 },     { DP_OP_SET_MPLS_TTL, 8 },
        { DP_OP_DEC_MPLS_TTL, 0 },   { DP_OP_COPY_TTL_OUT, 0 },
        { DP_OP_COPY_TTL_IN, 0 },    { DP_OP_SET_QUEUE, 1 },
    };
    unsigned i = rnd(WEFT_ARRAY_LEN(plain));

    if (rnd(8) == 0 && diff_install->copy_field)
        add_copy_field(o, m, k);
    else if (rnd(8) == 0 && diff_install->meter_op)
        ops_add(o, DP_OP_METER, 0, diff_meter_id(1 + rnd(N_METERS - 1)));
    else if (rnd(2))
        add_set_field(o, m, k);
    else
        ops_add(o, plain[i].code, 0, plain[i].arg);
}

static void
add_output(struct ops *o)
{
    switch (rnd(12)) {
    case 0: ops_add(o, DP_OP_IN_PORT, 0, 0); break;
    case 1: ops_add(o, DP_OP_FLOOD, 0, 0); break;
    case 2: ops_add(o, DP_OP_ALL, 0, 0); break;
    case 3:
        ops_add(o, DP_OP_CONTROLLER, DP_PUNT_ACTION, 0xffff);
        break;
    case 4: ops_add(o, DP_OP_OUTPUT, 0, NO_SUCH_PORT); break;
    case 5:
    case 6: /* Now and then one that is not there. */
        ops_add(o, DP_OP_GROUP, 0, 1 + rnd(N_GROUPS + (rnd(8) == 0)));
        break;
    default: ops_add(o, DP_OP_OUTPUT, 0, 1 + rnd(N_PORTS)); break;
    }
}

static void
instr_random(struct diff_rule *r, const struct flow_key *k)
{
    struct dp_instr *in = &r->ir.instr;

    r->apply.n = r->write.n = 0;
    *in = (struct dp_instr) { .goto_table = DP_NO_TABLE };
    for (unsigned n = rnd(4); n; n--)
        rnd(4) ? add_op(&r->apply, &r->ir.match, k) : add_output(&r->apply);
    for (unsigned n = rnd(3); n; n--)
        add_op(&r->write, &r->ir.match, k);
    if (rnd(2))
        add_output(&r->write);
    if (rnd(3) == 0)
        add_output(&r->apply);
    in->apply = ops_list(&r->apply);
    in->write = ops_list(&r->write);
    in->clear = rnd(6) == 0;
    if (rnd(6) == 0)
        in->meter = diff_meter_id(1 + rnd(N_METERS - 1));
    if (rnd(4) == 0) {
        in->metadata_mask = UINT64_C(0xff) << 8 * rnd(3);
        in->metadata = rnd(3) * UINT64_C(0x010101) & in->metadata_mask;
    }
    if (r->ir.table + 1 < N_TABLES && rnd(2))
        in->goto_table = (uint8_t) (r->ir.table + 1
                                    + rnd(N_TABLES - 1u - r->ir.table));
}

static void
match_random(struct diff_rule *r, struct flow_key *k)
{
    k->in_port = be32_from(1 + rnd(N_PORTS));
    k->metadata = be64_from(rnd(3) * UINT64_C(0x010101));
    k->actset_output = be32_from(rnd(4) ? 1 + rnd(N_PORTS)
                                        : FLOW_PORT_UNSET);
    for (unsigned n = rnd(r->ir.table ? 2 : 4); n; n--) {
        unsigned id = rnd(8) ? rnd(N_FLOW_FIELDS) : FLOW_F_ACTSET_OUTPUT;

        if (key_allows(k, id) && id != FLOW_F_IN_PHY_PORT) {
            match_prerequisites(&r->ir.match, k, id);
            match_field(&r->ir.match, k, id, false);
        }
    }
}

static bool
has_miss_rule(uint8_t table)
{
    for (unsigned i = 0; i < diff.n_rules; i++)
        if (diff.rules[i].table == table && !diff.rules[i].priority)
            return true;
    return false;
}

/* Table-miss rules match all at priority 0: what they do may need no more. */
bool
diff_rule_add(void)
{
    struct diff_rule *r;
    struct flow_key k = frames[rnd(n_frames)].k;
    bool miss = rnd(10) == 0;

    if (diff.n_rules == MAX_RULES)
        return false;
    BASE_NEW(r);
    r->ir.table = (uint8_t) (rnd(2) ? 0 : rnd(N_TABLES));
    do
        next_priority = (uint16_t) (next_priority * 31421u + 6927u);
    while (!next_priority);
    r->ir.cookie = next_priority;
    r->ir.priority = miss ? 0 : next_priority;
    if (!miss)
        match_random(r, &k);
    instr_random(r, &k);
    if ((miss && (has_miss_rule(r->ir.table)
                  || flow_mask_words(&r->ir.match.mask)))
        || diff_install->rule_add(r)) {
        free(r);
        return false;
    }
    diff.rules[diff.n_rules] = r->ir;
    diff_rules[diff.n_rules++] = r;
    return true;
}

/* Rules as they were, for those who still compare with them. */
static struct diff_rule *retired[4096];
static unsigned n_retired;

static void
rule_retire(struct diff_rule *r)
{
    ck_assert_uint_lt(n_retired, WEFT_ARRAY_LEN(retired));
    retired[n_retired++] = r;
}

void
diff_retired_free(void)
{
    while (n_retired)
        free(retired[--n_retired]);
}

void
diff_rule_del(unsigned i)
{
    diff_install->rule_del(diff_rules[i]);
    rule_retire(diff_rules[i]);
    diff_rules[i] = diff_rules[--diff.n_rules];
    diff.rules[i] = diff.rules[diff.n_rules];
}

/* New instructions that need no more of the match than it has. */
bool
diff_rule_modify(unsigned i)
{
    struct diff_rule *r = base_xmemdup(diff_rules[i], sizeof *r);
    struct flow_match match = r->ir.match;

    for (unsigned tries = 0; tries < 20; tries++) {
        r->ir.match = match;
        instr_random(r, &frames[rnd(n_frames)].k);
        if (!flow_match_equal(&match, &r->ir.match))
            continue;
        if (rnd(2))
            r->ir.cookie = rnd(1000);
        if (diff_install->rule_set(r))
            break;
        rule_retire(diff_rules[i]); /* Its ops may still be looked at. */
        diff_rules[i] = r;
        diff.rules[i] = r->ir;
        return true;
    }
    free(r);
    return false;
}

void
diff_rules_clear(void)
{
    while (diff.n_rules)
        diff_rule_del(0);
    diff_install->commit();
    diff_retired_free();
}

/* ------------------------------------------------------------------ groups */

/* Written in the action set's order, as the interpreter wants it.  What is
 * said of weights and what is watched is what the group's type allows. */
static void
bucket_random(struct diff_group *g, uint32_t id, unsigned i)
{
    static const uint32_t watched[] = { DP_PORT_NONE, 1, NO_SUCH_PORT };
    struct dp_bucket *k = &g->b[i];
    struct ops *o = &g->o[i];

    o->n = 0;
    *k = (struct dp_bucket) { .id = i, .watch_port = DP_PORT_NONE,
                              .watch_group = DP_GROUP_NONE };
    if (g->type == DP_GROUP_SELECT)
        k->weight = (uint16_t) rnd(3);
    if (g->type == DP_GROUP_FF)
        k->watch_port = watched[1 + rnd(2)];
    else if (g->type == DP_GROUP_SELECT)
        k->watch_port = watched[rnd(3)];
    if (rnd(3) == 0)
        ops_add(o, DP_OP_PUSH_VLAN, 0, 0x8100);
    if (rnd(3) == 0)
        ops_add(o, DP_OP_DEC_NW_TTL, 0, 0);
    if (rnd(3) == 0)
        ops_set_u64(o, FLOW_F_ETH_SRC, 0x020000000000 + rnd(4));
    if (rnd(6) == 0 && diff_install->meter_op)
        ops_add(o, DP_OP_METER, 0, diff_meter_id(1 + rnd(N_METERS - 1)));
    if (id < N_GROUPS && rnd(4) == 0)
        ops_add(o, DP_OP_GROUP, 0, id + 1 + rnd(N_GROUPS - id));
    else if (rnd(8) == 0)
        ops_add(o, DP_OP_CONTROLLER, DP_PUNT_GROUP, 0xffff);
    else if (rnd(8))
        ops_add(o, DP_OP_OUTPUT, 0, 1 + rnd(N_PORTS));
}

bool
diff_group_change(uint32_t id)
{
    static struct diff_group g;
    struct dp_group_config c = { .n_buckets = 0 };

    g = (struct diff_group) { .there = rnd(8) || !diff_install->settings,
                              .type = (enum dp_group_type) rnd(4) };
    if (!g.there) {
        dp_group_del(bed.br, id);
        diff.group[id] = g;
        return true;
    }
    g.n = g.type == DP_GROUP_INDIRECT ? 1 : rnd(MAX_BUCKETS + 1);
    for (unsigned i = 0; i < g.n; i++)
        bucket_random(&g, id, i);
    g.has_mask = g.type == DP_GROUP_SELECT && rnd(3) == 0
                 && diff_install->settings;
    for (unsigned n = 1 + rnd(3); g.has_mask && n; n--) {
        static const uint8_t fields[] = { FLOW_F_ETH_SRC, FLOW_F_ETH_DST,
                                          FLOW_F_IPV4_SRC, FLOW_F_IPV4_DST,
                                          FLOW_F_VLAN_VID, FLOW_F_IP_PROTO };
        const struct flow_field *f = &flow_fields[fields[rnd(6)]];
        uint8_t ones[16];

        memset(ones, 0xff, sizeof ones);
        flow_field_set_masked(&g.mask, f, ones, ones);
    }
    for (unsigned i = 0; i < g.n; i++)
        g.b[i].actions = ops_list(&g.o[i]);
    c.type = g.type;
    c.buckets = g.b;
    c.n_buckets = g.n;
    c.hash_mask = g.has_mask ? &g.mask : NULL;
    if (diff_install->group_set(id, &c))
        return false;
    diff.group[id] = g;
    return true;
}

/* ------------------------------------------------------------------ meters */

uint32_t
diff_meter_id(unsigned i)
{
    return i == N_METERS ? DP_METER_CONTROLLER : i;
}

void
diff_meter_config(const struct diff_meter *m, struct dp_meter_config *c)
{
    *c = (struct dp_meter_config) { .pktps = m->pktps, .bands = m->band,
                                    .n_bands = m->n };
}

static void
band_random(struct dp_meter_band *k, bool blunt)
{
    *k = (struct dp_meter_band) {
        .type = (uint8_t) (1 + rnd(2)), .prec_level = (uint8_t) rnd(4),
        .rate = 1 + rnd(rnd(2) ? 20 : 100000), .burst = 1 + rnd(8),
    };
    if (k->type == 1)
        k->prec_level = 0;
    if (blunt)
        k->rate = k->burst = rnd(2) ? 1 : 1000000;
}

bool
diff_meter_change(uint32_t i, bool blunt)
{
    struct diff_meter m = { .there = rnd(8) || !diff_install->settings,
                            .pktps = blunt || rnd(2),
                            .n = blunt ? 1 : rnd(MAX_BANDS + 1),
                            .change = diff.meter[i].change + 1 };
    struct dp_meter_config c;

    for (unsigned n = 0; n < m.n; n++)
        band_random(&m.band[n], blunt);
    diff_meter_config(&m, &c);
    if (!m.there)
        dp_meter_del(bed.br, diff_meter_id(i));
    else if (diff_install->meter_set(diff_meter_id(i), &c))
        return false;
    diff.meter[i] = m;
    return true;
}

/* ---------------------------------------------------------------- settings */

void
diff_set_miss(uint8_t table, enum dp_miss miss)
{
    dp_table_set_miss(bed.br, table, miss);
    diff.miss[table] = (uint8_t) miss;
}

void
diff_set_egress(bool on)
{
    diff.egress = on ? EGRESS_TABLE : DP_NO_TABLE;
    ck_assert_int_eq(dp_bridge_set_egress(bed.br, diff.egress), 0);
}

void
diff_set_frag_drop(bool on)
{
    dp_bridge_set_frag_drop(bed.br, on);
    diff.frag_drop = on;
}

void
diff_reset(const struct diff_install *how)
{
    diff = (struct diff_switch) { .egress = DP_NO_TABLE };
    diff_install = how;
    next_priority = 0;
}

/* ------------------------------------------------------------------ direct */

static int
direct_add(struct diff_rule *r)
{
    ck_assert_int_eq(dp_rule_add(bed.br, r->ir.table, r->ir.priority,
                                 &r->ir.match, &r->ir.instr, r->ir.cookie,
                                 &r->dr), 0);
    return 0;
}

static int
direct_set(struct diff_rule *r)
{
    ck_assert_int_eq(dp_rule_set(r->dr, &r->ir.instr, r->ir.cookie), 0);
    return 0;
}

static void
direct_del(struct diff_rule *r)
{
    dp_rule_del(r->dr);
}

static int
direct_group_set(uint32_t id, struct dp_group_config *c)
{
    ck_assert_int_eq(dp_group_set(bed.br, id, c), 0);
    return 0;
}

static int
direct_meter_set(uint32_t id, const struct dp_meter_config *c)
{
    ck_assert_int_eq(dp_meter_set(bed.br, id, c), 0);
    return 0;
}

static void
direct_commit(void)
{
    dp_commit(bed.dp);
}

const struct diff_install diff_direct = {
    .rule_add = direct_add,
    .rule_set = direct_set,
    .rule_del = direct_del,
    .group_set = direct_group_set,
    .meter_set = direct_meter_set,
    .commit = direct_commit,
    .settings = true,
    .meter_op = true,
    .copy_field = true,
};
