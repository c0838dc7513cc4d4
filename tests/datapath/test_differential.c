/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline against the reference interpreter: random rules over several
 * tables, random frames, well-formed and broken, rules changing in between.
 * What leaves by which port, what is punted and why the rest is dropped must
 * agree, byte by byte, with any size of flow cache or none; also while rules
 * change under a forwarding worker.  WEFT_LONG=N takes N times as long. */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/eal.h"
#include "datapath/group.h"
#include "datapath/interp.h"
#include "tests/datapath/bed.h"
#include "utils/base/mem.h"

#define N_PORTS 4
#define N_TABLES 4
#define EGRESS_TABLE 2 /* When there are egress tables. */
#define MAX_RULES 80
#define MAX_OUTS 16384
#define N_GROUPS 3 /* Group 1 may lead to 2 and 3, 2 to 3. */
#define MAX_BUCKETS 3

static struct bed b;
static uint64_t rng;

static uint32_t
rnd(uint32_t limit)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (uint32_t) ((rng >> 16) % limit);
}

/* ------------------------------------------------------------------ frames */

struct frame {
    uint8_t b[512];
    size_t len;
    struct flow_key k;
    bool parsed;
};

static struct frame frames[64];
static unsigned n_frames;

static void
frame_parse(struct frame *f)
{
    struct pkt_layout lay = { 0 };

    memset(&f->k, 0, sizeof f->k);
    f->parsed = extract_key(f->b, f->len, &f->k, &lay) == EXTRACT_OK;
}

static void
frame_add(const struct pkt *p)
{
    struct frame *f = &frames[n_frames++];

    ck_assert_uint_le(n_frames, 64);
    ck_assert_uint_le(p->len, sizeof f->b);
    memcpy(f->b, p->b, p->len);
    f->len = p->len;
    frame_parse(f);
}

/* The bytes of 'hex' as they are. */
static void
frame_add_hex(const char *hex)
{
    static struct pkt p;

    p.len = strlen(hex) / 2;
    for (size_t i = 0; i < p.len; i++)
        p.b[i] = (uint8_t) strtoul(
            (char[]) { hex[2 * i], hex[2 * i + 1], 0 }, NULL, 16);
    frame_add(&p);
}

/* Ethernet and 0 to 2 tags. */
static void
begin(struct pkt *p, unsigned tags, uint16_t type)
{
    pkt_init(p);
    pkt_eth(p, PKT_MAC(1 + rnd(4)), PKT_MAC(1 + rnd(4)),
            type);
    for (; tags; tags--)
        pkt_vlan(p, tags > 1 ? 0x88a8 : 0x8100,
                 (uint16_t) (rnd(3) + 1 + (rnd(8) << 13)), type);
}

static void
add_l4(struct pkt *p, unsigned kind)
{
    switch (kind) {
    case 0:
        pkt_tcp(p, (uint16_t) (80 + rnd(3)), (uint16_t) (80 + rnd(3)), 2);
        break;
    case 1:
        pkt_udp(p, (uint16_t) (80 + rnd(3)), (uint16_t) (80 + rnd(3)));
        break;
    case 2:
        pkt_sctp(p, (uint16_t) (80 + rnd(3)), (uint16_t) (80 + rnd(3)));
        break;
    default:
        pkt_icmp(p, (uint8_t) (rnd(2) * 8), 0);
        break;
    }
    pkt_payload(p, 20 + rnd(30));
}

static void
frames_make(void)
{
    static const uint8_t v4[] = { 6, 17, 132, 1 }, v6[] = { 6, 17, 132, 58 };
    static struct pkt p;

    n_frames = 0;
    for (unsigned i = 0; i < 24; i++) {
        begin(&p, rnd(3), 0x0800);
        pkt_ipv4(&p, 0x0a000001 + rnd(3), 0x0a000001 + rnd(3), v4[i % 4]);
        add_l4(&p, i % 4);
        pkt_end(&p);
        frame_add(&p);
        if (i < 4) { /* The same as a first and as a later fragment. */
            struct frame *f = &frames[n_frames - 1];
            size_t l3 = p.l3;

            frame_add(&p);
            f = &frames[n_frames - 1];
            put_be16(f->b + l3 + 6, (uint16_t) (0x2000 + (i & 1)));
            frame_parse(f);
        }
    }
    for (unsigned i = 0; i < 8; i++) {
        begin(&p, rnd(2), 0x86dd);
        pkt_ipv6(&p, (uint8_t) (1 + rnd(3)), (uint8_t) (1 + rnd(3)),
                 v6[i % 4]);
        add_l4(&p, i % 4);
        pkt_end(&p);
        frame_add(&p);
    }
    for (unsigned i = 0; i < 3; i++) {
        begin(&p, i, 0x0806);
        pkt_arp(&p, (uint16_t) (1 + rnd(2)), PKT_MAC(1), 0x0a000001 + rnd(3),
                PKT_MAC(2), 0x0a000001 + rnd(3));
        pkt_end(&p);
        frame_add(&p);
    }
    for (unsigned i = 0; i < 3; i++) {
        begin(&p, i % 2, 0x8847);
        pkt_mpls(&p, 100 + rnd(3), rnd(8), i == 0, (uint8_t) rnd(3));
        if (i)
            pkt_mpls(&p, 200 + rnd(3), rnd(8), true, 64);
        pkt_ipv4(&p, 0x0a000001, 0x0a000002, 17);
        add_l4(&p, 1);
        pkt_end(&p);
        frame_add(&p);
    }
    /* From test_extract.c: ND, PBB, 802.3, AH. */
    frame_add_hex("3333ff00000102000000000286dd6000000000203afffe80000000000000"
                  "0000000000000002ff0200000000000000000001ff0000018700"
                  "000000000000fe80000000000000000000000000000101010200"
                  "00000002");
    frame_add_hex("02000000000102000000000288a8606588e7a8abcdef0a00000000010a00"
                  "000000020800450000280001000040060000c0000201c6336407");
    frame_add_hex("0180c200000002000000000200264242030000000000000000000000");
    frame_add_hex("02000000000102000000000286dd600000000020334020010db800000000"
                  "000000000000000120010db80000000000000000000000021104000000"
                  "0000000100000002000000000000000000000000000300040008"
                  "0000");
}

/* A frame of the pool, often with a few bytes changed or missing. */
static struct frame
frame_random(void)
{
    struct frame f = frames[rnd(n_frames)];

    if (rnd(4) == 0)
        for (unsigned n = 1 + rnd(3); n; n--)
            f.b[rnd((uint32_t) WEFT_MIN(f.len, 80))] = (uint8_t) rnd(256);
    if (rnd(16) == 0)
        f.len = 10 + rnd((uint32_t) f.len - 10);
    return f;
}

/* ------------------------------------------------------------------- rules */

struct rule {
    struct interp_rule ir;
    struct ops apply, write;
    struct dp_rule *dr;
};

static struct rule *rules[MAX_RULES];
static unsigned n_rules;
static uint16_t next_priority;

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

    if (rnd(8) == 0)
        add_copy_field(o, m, k);
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
    case 4: ops_add(o, DP_OP_OUTPUT, 0, 77); break; /* No such port. */
    case 5:
    case 6: /* Now and then one that is not there. */
        ops_add(o, DP_OP_GROUP, 0, 1 + rnd(N_GROUPS + (rnd(8) == 0)));
        break;
    default: ops_add(o, DP_OP_OUTPUT, 0, 1 + rnd(N_PORTS)); break;
    }
}

static void
instr_random(struct rule *r, const struct flow_key *k)
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
    if (rnd(4) == 0) {
        in->metadata_mask = UINT64_C(0xff) << 8 * rnd(3);
        in->metadata = rnd(3) * UINT64_C(0x010101) & in->metadata_mask;
    }
    if (r->ir.table + 1 < N_TABLES && rnd(2))
        in->goto_table = (uint8_t) (r->ir.table + 1
                                    + rnd(N_TABLES - 1u - r->ir.table));
}

static void
rule_add(void)
{
    struct rule *r;
    struct flow_key k = frames[rnd(n_frames)].k;

    if (n_rules == MAX_RULES)
        return;
    BASE_NEW(r);
    r->ir.table = (uint8_t) (rnd(2) ? 0 : rnd(N_TABLES));
    r->ir.priority = next_priority = (uint16_t) (next_priority * 31421u + 6927u);
    r->ir.cookie = next_priority;
    k.in_port = be32_from(1 + rnd(N_PORTS));
    k.metadata = be64_from(rnd(3) * UINT64_C(0x010101));
    k.actset_output = be32_from(rnd(4) ? 1 + rnd(N_PORTS) : FLOW_PORT_UNSET);
    for (unsigned n = rnd(r->ir.table ? 2 : 4); n; n--) {
        unsigned id = rnd(8) ? rnd(N_FLOW_FIELDS) : FLOW_F_ACTSET_OUTPUT;

        if (key_allows(&k, id) && id != FLOW_F_IN_PHY_PORT) {
            match_prerequisites(&r->ir.match, &k, id);
            match_field(&r->ir.match, &k, id, false);
        }
    }
    instr_random(r, &k);
    ck_assert_int_eq(dp_rule_add(b.br, r->ir.table, r->ir.priority,
                                 &r->ir.match, &r->ir.instr, r->ir.cookie,
                                 &r->dr), 0);
    rules[n_rules++] = r;
}

/* Rules as they were, for those who still compare with them. */
static struct rule *retired[4096];
static unsigned n_retired;

static void
rule_retire(struct rule *r)
{
    ck_assert_uint_lt(n_retired, WEFT_ARRAY_LEN(retired));
    retired[n_retired++] = r;
}

static void
retired_free(void)
{
    while (n_retired)
        free(retired[--n_retired]);
}

static void
rule_del(unsigned i)
{
    dp_rule_del(rules[i]->dr);
    rule_retire(rules[i]);
    rules[i] = rules[--n_rules];
}

/* New instructions that need no more of the match than it has. */
static void
rule_modify(unsigned i)
{
    struct rule *r = base_xmemdup(rules[i], sizeof *r);
    struct flow_match match = r->ir.match;

    rule_retire(rules[i]); /* Its ops may still be looked at. */
    rules[i] = r;
    for (unsigned tries = 0; tries < 20; tries++) {
        r->ir.match = match;
        instr_random(r, &frames[rnd(n_frames)].k);
        if (flow_match_equal(&match, &r->ir.match)) {
            if (rnd(2))
                r->ir.cookie = rnd(1000);
            ck_assert_int_eq(dp_rule_set(r->dr, &r->ir.instr, r->ir.cookie),
                             0);
            return;
        }
    }
    r->ir.match = match;
    rule_del(i);
}

static void
rules_change(void)
{
    retired_free();
    for (unsigned n = 1 + rnd(4); n; n--) {
        unsigned what = rnd(4);

        if (what < 2 || !n_rules)
            rule_add();
        else if (what == 2)
            rule_del(rnd(n_rules));
        else
            rule_modify(rnd(n_rules));
    }
    if (rnd(16) == 0)
        ck_assert_int_eq(dp_bridge_set_egress(
                             b.br, rnd(2) ? EGRESS_TABLE : DP_NO_TABLE), 0);
    if (rnd(16) == 0)
        dp_bridge_set_frag_drop(b.br, rnd(2));
    if (rnd(8) == 0)
        dp_table_set_miss(b.br, (uint8_t) rnd(N_TABLES),
                          (enum dp_miss) rnd(3));
    dp_commit(b.dp);
}

/* -------------------------------------------------------------- comparison */

/* Something that left: by a port, or (port 0) to the controller. */
struct seen {
    uint32_t port;
    uint64_t cookie, metadata;
    uint8_t reason, table;
    size_t len;
    uint8_t *data;
    unsigned frame; /* Of the burst; known of what is expected. */
};

static struct seen expected[MAX_OUTS], got[MAX_OUTS];
static unsigned n_expected, n_got, the_frame;
static uint64_t drops_expected[N_DROP_REASONS], drops_before[N_DROP_REASONS];
static bool drops_known;
static char explain[16384];

static void
seen_add(struct seen *list, unsigned *n, struct seen s)
{
    ck_assert_uint_lt(*n, MAX_OUTS);
    s.data = base_xmemdup(s.data, s.len);
    s.frame = the_frame;
    list[(*n)++] = s;
}

static void
on_punt(void *arg, const struct dp_punt *p)
{
    (void) arg;
    seen_add(got, &n_got, (struct seen) {
        .cookie = p->cookie, .metadata = p->metadata,
        .reason = (uint8_t) p->reason, .table = p->table, .len = p->len,
        .data = (uint8_t *) (uintptr_t) p->data });
}

static void
expect_port(const struct interp_out *o, uint32_t port)
{
    seen_add(expected, &n_expected, (struct seen) {
        .port = port, .len = o->len, .data = o->data });
}

static void
expect_flood(const struct interp_out *o, uint32_t in_port)
{
    for (uint32_t p = 1; p <= N_PORTS; p++)
        if (p != in_port)
            expect_port(o, p);
}

static void
expect_out(const struct interp_out *o, uint32_t in_port)
{
    switch (o->code) {
    case DP_OP_OUTPUT:
        if (o->arg == in_port)
            drops_expected[DROP_TO_IN_PORT]++;
        else if (o->arg > N_PORTS)
            drops_expected[DROP_NO_PORT]++;
        else
            expect_port(o, o->arg);
        break;
    case DP_OP_IN_PORT:
        expect_port(o, in_port);
        break;
    case DP_OP_CONTROLLER:
        seen_add(expected, &n_expected, (struct seen) {
            .cookie = o->cookie, .metadata = o->metadata,
            .reason = (uint8_t) o->reason, .table = o->table, .len = o->len,
            .data = o->data });
        break;
    default:
        expect_flood(o, in_port);
        break;
    }
}

static void
expect(const struct interp_pipeline *pl, const struct frame *f,
       uint32_t in_port)
{
    struct interp_result res;

    interp_run(pl, in_port, NULL, f->b, f->len, &res);
    for (size_t i = 0; i < res.n_outs; i++)
        expect_out(&res.outs[i], in_port);
    /* What is left of a frame that was sent may be dropped, or ops behind the
     * last output left out. */
    if (res.n_outs || res.n_groups || res.n_egress > 1
        || (res.n_egress && res.drop >= 0))
        drops_known = false;
    else if (res.n_egress && res.egress_drop >= 0)
        drops_expected[res.egress_drop]++;
    else if (res.drop >= 0)
        drops_expected[res.drop]++;
    interp_result_fini(&res);
}

static bool
seen_equal(const struct seen *x, const struct seen *y)
{
    return x->port == y->port && x->len == y->len
           && !memcmp(x->data, y->data, x->len) && x->cookie == y->cookie
           && x->metadata == y->metadata && x->reason == y->reason
           && x->table == y->table;
}

static void
explain_step(void *arg, const struct interp_step *st)
{
    static const char *const kinds[] = { "packet", "table", "op", "set",
                                         "metadata", "group", "egress",
                                         "out", "drop" };
    static const char *const ops[] = {
#define DP_OP(id, name) name,
#include "weft/dp_ops.def"
#undef DP_OP
    };
    size_t n = strlen(explain);

    (void) arg;
    snprintf(explain + n, sizeof explain - n,
             "%*s%s table %u priority %d %s arg %x aux %x n %u drop %s\n",
             (int) st->depth * 2, "", kinds[st->kind], st->table,
             st->rule ? st->rule->priority : -1, st->op ? ops[st->op->code]
                                                        : "",
             st->op ? st->op->arg : 0, st->op ? st->op->aux : 0, st->n,
             st->drop >= 0 ? drop_reason_names[st->drop] : "-");
}

/* What the interpreter says to one frame, for the message. */
static void
differ(const struct interp_pipeline *pl, const struct frame *f, uint32_t in,
     const char *what, const struct seen *s)
{
    struct interp_pipeline explained = *pl;
    struct interp_result res;
    char hex[1200] = "", frame[1200] = "", drops[512] = "";
    struct dp_balance bal;

    dp_bridge_get_balance(b.br, &bal);
    for (unsigned i = 0; i < N_DROP_REASONS; i++)
        if (bal.dropped[i] != drops_before[i])
            snprintf(drops + strlen(drops), sizeof drops - strlen(drops),
                     " %s %llu", drop_reason_names[i],
                     (unsigned long long) (bal.dropped[i] - drops_before[i]));

    explained.step = explain_step;
    explain[0] = '\0';
    interp_run(&explained, in, NULL, f->b, f->len, &res);
    interp_result_fini(&res);
    for (size_t i = 0; s && i < s->len && i < 500; i++)
        snprintf(hex + 2 * i, 3, "%02x", s->data[i]);
    for (size_t i = 0; i < f->len && i < 500; i++)
        snprintf(frame + 2 * i, 3, "%02x", f->b[i]);
    ck_abort_msg("%s port %u, %zu bytes: %s\n"
                 "table %u cookie %llx metadata %llx reason %u\n"
                 "drops:%s\nframe on port %u: %s\n%s",
                 what, s ? s->port : 0, s ? s->len : 0, hex, s ? s->table : 0,
                 s ? (unsigned long long) s->cookie : 0,
                 s ? (unsigned long long) s->metadata : 0, s ? s->reason : 0,
                 drops, in, frame, explain);
}

/* Feeds 'n' frames and compares; on a difference a run with n == 1 of the
 * same seed names the frame. */
static void
compare(const struct interp_pipeline *pl, const struct frame *f,
        const uint32_t in[], unsigned n)
{
    struct dp_balance bal;
    struct rte_mbuf *m;
    static struct pkt p;

    n_expected = n_got = 0;
    drops_known = true;
    memset(drops_expected, 0, sizeof drops_expected);
    dp_bridge_get_balance(b.br, &bal);
    memcpy(drops_before, bal.dropped, sizeof drops_before);
    for (unsigned i = 0; i < n; i++) {
        the_frame = i;
        expect(pl, &f[i], in[i]);
        memcpy(p.b, f[i].b, f[i].len);
        p.len = f[i].len;
        bed_feed(&b, in[i], &p);
    }
    for (uint32_t port = 1; port <= N_PORTS; port++)
        b.ports[port].tx_room = BED_QUEUE;
    bed_run(&b);
    for (uint32_t port = 1; port <= N_PORTS; port++)
        while ((m = bed_take(&b, port))) {
            uint8_t buf[2048];

            ck_assert_uint_le(m->pkt_len, sizeof buf);
            seen_add(got, &n_got, (struct seen) {
                .port = port, .len = m->pkt_len,
                .data = (uint8_t *) (uintptr_t) rte_pktmbuf_read(
                    m, 0, m->pkt_len, buf) });
            rte_pktmbuf_free(m);
        }

    for (unsigned i = 0; i < n_got; i++) {
        unsigned k;

        for (k = 0; k < n_expected; k++)
            if (expected[k].data && seen_equal(&got[i], &expected[k]))
                break;
        if (k == n_expected) {
            for (k = 0; k < n_expected; k++)
                if (expected[k].data)
                    fprintf(stderr, "left: port %u table %u cookie %llx "
                            "metadata %llx reason %u, %zu bytes\n",
                            expected[k].port, expected[k].table,
                            (unsigned long long) expected[k].cookie,
                            (unsigned long long) expected[k].metadata,
                            expected[k].reason, expected[k].len);
            differ(pl, &f[0], in[0], "not expected:", &got[i]);
        }
        free(expected[k].data);
        expected[k].data = NULL;
        free(got[i].data);
    }
    for (unsigned k = 0; k < n_expected; k++)
        if (expected[k].data)
            differ(pl, &f[expected[k].frame], in[expected[k].frame],
                   "missing:", &expected[k]);
    dp_bridge_get_balance(b.br, &bal);
    for (unsigned i = 0; drops_known && i < N_DROP_REASONS; i++)
        if (bal.dropped[i] - drops_before[i] != drops_expected[i])
            differ(pl, &f[0], in[0], drop_reason_names[i], NULL);
}

static const struct interp_port all_ports[N_PORTS] = {
    { 1, 0 }, { 2, 0 }, { 3, 0 }, { 4, 0 },
};

/* ------------------------------------------------------------------ groups */

static struct {
    bool there;
    enum dp_group_type type;
    unsigned n;
    struct dp_bucket b[MAX_BUCKETS];
    struct ops o[MAX_BUCKETS];
} groups[N_GROUPS + 1];

/* Written in the action set's order, as the interpreter wants it. */
static void
bucket_random(unsigned id, unsigned i)
{
    struct dp_bucket *k = &groups[id].b[i];
    struct ops *o = &groups[id].o[i];

    o->n = 0;
    *k = (struct dp_bucket) {
        .id = i, .weight = (uint16_t) rnd(3),
        .watch_port = rnd(3) ? DP_PORT_NONE : rnd(2) ? 77 : 1,
        .watch_group = DP_GROUP_NONE,
    };
    if (rnd(3) == 0)
        ops_add(o, DP_OP_PUSH_VLAN, 0, 0x8100);
    if (rnd(3) == 0)
        ops_add(o, DP_OP_DEC_NW_TTL, 0, 0);
    if (rnd(3) == 0)
        ops_set_u64(o, FLOW_F_ETH_SRC, 0x020000000000 + rnd(4));
    if (id < N_GROUPS && rnd(4) == 0)
        ops_add(o, DP_OP_GROUP, 0, id + 1 + rnd(N_GROUPS - id));
    else if (rnd(8) == 0)
        ops_add(o, DP_OP_CONTROLLER, DP_PUNT_GROUP, 0xffff);
    else if (rnd(8))
        ops_add(o, DP_OP_OUTPUT, 0, 1 + rnd(N_PORTS));
    k->actions = ops_list(o);
}

static void
group_change(void)
{
    unsigned id = 1 + rnd(N_GROUPS);
    struct dp_group_config c = { .type = (enum dp_group_type) rnd(4) };

    groups[id].there = rnd(8) != 0;
    if (!groups[id].there) {
        dp_group_del(b.br, id);
        return;
    }
    groups[id].type = c.type;
    groups[id].n = c.type == DP_GROUP_INDIRECT ? 1 : rnd(MAX_BUCKETS + 1);
    for (unsigned i = 0; i < groups[id].n; i++)
        bucket_random(id, i);
    c.buckets = groups[id].b;
    c.n_buckets = groups[id].n;
    ck_assert_int_eq(dp_group_set(b.br, id, &c), 0);
}

/* The datapath's choice, held against what may be chosen. */
static uint32_t
group_bucket(void *arg, uint32_t id, const struct flow_key *key)
{
    uint32_t chosen = group_choose(b.br, dp_group_find(b.br, id)->act, key);
    uint32_t first = INTERP_NO_BUCKET;
    unsigned weights = 0, live_weights = 0;

    (void) arg;
    for (unsigned i = groups[id].n; i-- > 0;) {
        bool live = groups[id].b[i].watch_port != 77;

        if (live)
            first = i;
        weights += groups[id].b[i].weight;
        live_weights += live ? groups[id].b[i].weight : 0;
    }
    if (groups[id].type == DP_GROUP_FF) {
        ck_assert_uint_eq(chosen, first);
    } else if (chosen == INTERP_NO_BUCKET) {
        ck_assert(weights ? !live_weights : first == INTERP_NO_BUCKET);
    } else {
        ck_assert_uint_lt(chosen, groups[id].n);
        ck_assert_uint_ne(groups[id].b[chosen].watch_port, 77);
        ck_assert(groups[id].b[chosen].weight || !weights);
    }
    return chosen;
}

static void
groups_get(struct interp_pipeline *pl)
{
    static struct interp_group out[N_GROUPS];
    static struct dp_op_list lists[N_GROUPS][MAX_BUCKETS];

    for (unsigned id = 1; id <= N_GROUPS; id++) {
        if (!groups[id].there)
            continue;
        for (unsigned i = 0; i < groups[id].n; i++)
            lists[id - 1][i] = groups[id].b[i].actions;
        out[pl->n_groups++] = (struct interp_group) {
            .id = id, .type = groups[id].type, .buckets = lists[id - 1],
            .n_buckets = groups[id].n,
        };
    }
    pl->groups = out;
    pl->bucket = group_bucket;
}

static void
pipeline_get(struct interp_pipeline *pl, struct interp_rule out[])
{
    memset(pl, 0, sizeof *pl);
    for (unsigned i = 0; i < n_rules; i++)
        out[i] = rules[i]->ir;
    pl->rules = out;
    pl->n_rules = n_rules;
    for (unsigned i = 0; i < DP_N_TABLES; i++)
        pl->miss[i] = b.br->tables[i].miss;
    pl->egress = b.br->egress;
    pl->frag_drop = b.br->frag_drop;
    pl->ports = all_ports;
    pl->n_ports = N_PORTS;
    groups_get(pl);
}

static void
rounds(unsigned n_rounds, unsigned burst)
{
    static struct interp_rule copy[MAX_RULES];
    struct interp_pipeline pl;
    struct frame f[BATCH_MAX];
    uint32_t in[BATCH_MAX];

    frames_make();
    n_rules = 0;
    memset(groups, 0, sizeof groups);
    b.dp->ev.punt = on_punt;
    for (unsigned i = 0; i < 30; i++)
        rule_add();
    for (unsigned round = 0; round < n_rounds; round++) {
        if (rnd(2))
            group_change(); /* Committed with the rules. */
        rules_change();
        pipeline_get(&pl, copy);
        for (unsigned k = 0; k < 6; k++) {
            unsigned n = 1 + rnd(burst);

            for (unsigned i = 0; i < n; i++) {
                f[i] = frame_random();
                in[i] = 1 + rnd(N_PORTS);
            }
            /* Three times: unknown, admitted to the cache, from the cache. */
            for (unsigned again = 0; again < 3; again++)
                compare(&pl, f, in, n);
        }
    }
    while (n_rules)
        rule_del(0);
    retired_free();
}

/* -------------------------------------------------------------- in flight
 *
 * A worker thread forwards while this one changes rules, one operation after
 * the other, each committed.  Between two of its iterations the worker has
 * seen all that was committed before the first and nothing that was begun
 * after the second: each packet must be what the interpreter makes of it with
 * some rule set in between.  A packet looks at a table once, and tables
 * upwards, so each of its tables may be of a later set than the one below. */
#define FLIGHT_FRAMES 96
#define FLIGHT_OPS 6
#define FLIGHT_COMBOS 512 /* Rule sets tried for one packet, at most. */

static struct {
    pthread_t thread;
    unsigned round, done;      /* Asked for; finished. */
    bool quit;
    unsigned begun, committed; /* Operations of this round. */
    unsigned n_runs;
    struct {
        unsigned n;            /* Frames until then. */
        unsigned from, to;     /* Operations that it may have seen. */
    } runs[FLIGHT_FRAMES + 8];
    /* Rule sets, by the number of operations. */
    struct interp_rule sets[FLIGHT_OPS + 1][MAX_RULES];
    size_t n_sets[FLIGHT_OPS + 1];
    char what[FLIGHT_OPS + 1][256]; /* Operations, for the message. */
} flight;

#define FL_LOAD(member) __atomic_load_n(&flight.member, __ATOMIC_SEQ_CST)
#define FL_STORE(member, v)                                                   \
    __atomic_store_n(&flight.member, (v), __ATOMIC_SEQ_CST)

static void
flight_forward(struct worker *w)
{
    unsigned sum = 0;

    rte_rcu_qsbr_thread_online(w->dp->rcu->qsbr, w->id);
    flight.n_runs = 0;
    while (flight.n_runs < WEFT_ARRAY_LEN(flight.runs)) {
        unsigned from = FL_LOAD(committed), i = flight.n_runs;
        unsigned n = worker_iterate(w);

        rcu_report(w->dp->rcu, w->id);
        if (!n)
            break;
        sum += n;
        flight.runs[i].n = sum;
        flight.runs[i].from = from;
        flight.runs[i].to = FL_LOAD(begun);
        flight.n_runs++;
    }
    rte_rcu_qsbr_thread_offline(w->dp->rcu->qsbr, w->id);
}

static void *
flight_main(void *arg)
{
    for (unsigned round = 1; !FL_LOAD(quit);) {
        if (FL_LOAD(round) != round) {
            sched_yield();
            continue;
        }
        flight_forward(arg);
        FL_STORE(done, round++);
    }
    return NULL;
}

static void
flight_snapshot(unsigned i)
{
    for (unsigned k = 0; k < n_rules; k++)
        flight.sets[i][k] = rules[k]->ir;
    flight.n_sets[i] = n_rules;
}

/* Rules of each table as of its set.  Returns their number. */
static size_t
flight_mix(const unsigned of[N_TABLES], struct interp_rule out[])
{
    size_t n = 0;

    for (unsigned t = 0; t < N_TABLES; t++)
        for (size_t k = 0; k < flight.n_sets[of[t]]; k++)
            if (flight.sets[of[t]][k].table == t)
                out[n++] = flight.sets[of[t]][k];
    return n;
}

/* Next choice of sets, not falling from table to table.  False: no more. */
static bool
flight_next(unsigned of[N_TABLES], unsigned to)
{
    unsigned t = N_TABLES;

    while (t-- > 0)
        if (of[t] < to) {
            of[t]++;
            for (unsigned k = t + 1; k < N_TABLES; k++)
                of[k] = of[t];
            return true;
        }
    return false;
}

/* Is what came out of frame 'i' what is expected now? */
static bool
flight_equal(unsigned i)
{
    bool used[MAX_OUTS / 8] = { false };
    unsigned n = 0;

    if (n_expected > WEFT_ARRAY_LEN(used))
        return false;
    for (unsigned g = 0; g < n_got; g++) {
        unsigned k;

        if (got[g].frame != i)
            continue;
        for (k = 0; k < n_expected; k++)
            if (!used[k] && seen_equal(&got[g], &expected[k]))
                break;
        if (k == n_expected)
            return false;
        used[k] = true;
        n++;
    }
    return n == n_expected;
}

static void
expected_free(void)
{
    while (n_expected)
        free(expected[--n_expected].data);
}

static bool
flight_explains(struct interp_pipeline *pl, const struct frame *f,
                uint32_t in, unsigned i, unsigned from, unsigned to)
{
    static struct interp_rule mix[N_TABLES * MAX_RULES];
    unsigned of[N_TABLES] = { from, from, from, from };

    pl->rules = mix;
    for (unsigned tries = 0; tries < FLIGHT_COMBOS; tries++) {
        bool same;

        pl->n_rules = flight_mix(of, mix);
        the_frame = i;
        n_expected = 0;
        expect(pl, f, in);
        same = flight_equal(i);
        expected_free();
        if (same)
            return true;
        if (!flight_next(of, to))
            return false;
    }
    return true; /* Too many to tell. */
}

/* What left is told apart by the last bytes of each frame. */
static void
flight_collect(void)
{
    struct rte_mbuf *m;

    for (uint32_t port = 1; port <= N_PORTS; port++)
        while ((m = bed_take(&b, port))) {
            uint8_t buf[2048];

            ck_assert_uint_le(m->pkt_len, sizeof buf);
            seen_add(got, &n_got, (struct seen) {
                .port = port, .len = m->pkt_len,
                .data = (uint8_t *) (uintptr_t) rte_pktmbuf_read(
                    m, 0, m->pkt_len, buf) });
            rte_pktmbuf_free(m);
        }
    for (unsigned g = 0; g < n_got; g++)
        got[g].frame = get_be32(got[g].data + got[g].len - 4);
}

static void
flight_operation(char what[256])
{
    static const char *const names[] = { "add", "add", "delete", "modify" };
    unsigned kind = rnd(4), i = n_rules;
    const struct rule *r;

    if (kind >= 2 && n_rules)
        i = rnd(n_rules);
    if (kind < 2 && n_rules == MAX_RULES) {
        snprintf(what, 256, "nothing");
        return;
    }
    if (kind >= 2 && i < n_rules) {
        r = rules[i];
        snprintf(what, 256, "%s rule %u of table %u", names[kind],
                 r->ir.priority, r->ir.table);
    }
    if (kind == 2 && i < n_rules)
        rule_del(i);
    else if (kind == 3 && i < n_rules)
        rule_modify(i);
    else {
        rule_add();
        r = rules[n_rules - 1];
        snprintf(what, 256, "add rule %u of table %u", r->ir.priority,
                 r->ir.table);
    }
}

static uint64_t
flight_quota(void)
{
    return bed_drops(&b, DROP_PUNT_QUOTA) + bed_drops(&b, DROP_PUNT_FULL);
}

/* One frame, many times, while rules change. */
static void
flight_round(unsigned round)
{
    struct interp_pipeline pl;
    struct frame f = frames[rnd(n_frames)];
    uint32_t in = 1 + rnd(N_PORTS);
    unsigned n_ops = 1 + rnd(FLIGHT_OPS), run = 0;
    uint64_t quota = flight_quota();
    static struct interp_rule now[MAX_RULES];
    static struct pkt p;

    retired_free();
    f.len += 4; /* Behind the packet: no action writes there. */
    memcpy(p.b, f.b, f.len);
    p.len = f.len;
    for (unsigned i = 0; i < FLIGHT_FRAMES; i++) {
        put_be32(p.b + p.len - 4, i);
        bed_feed(&b, in, &p);
    }
    for (uint32_t port = 1; port <= N_PORTS; port++)
        b.ports[port].tx_room = BED_QUEUE;
    n_got = 0;
    flight_snapshot(0);
    FL_STORE(begun, 0);
    FL_STORE(committed, 0);
    FL_STORE(round, round);
    for (unsigned i = 1; i <= n_ops; i++) {
        for (volatile unsigned spin = rnd(4000); spin; spin--)
            continue;
        FL_STORE(begun, i);
        flight_operation(flight.what[i]);
        dp_commit(b.dp);
        flight_snapshot(i);
        FL_STORE(committed, i);
    }
    while (FL_LOAD(done) != round)
        sched_yield();
    while (dp_run(b.dp, 64))
        continue;
    flight_collect();
    pipeline_get(&pl, now);
    for (unsigned i = 0; i < FLIGHT_FRAMES && quota == flight_quota(); i++) {
        while (flight.runs[run].n <= i)
            run++;
        put_be32(f.b + f.len - 4, i);
        if (!flight_explains(&pl, &f, in, i, flight.runs[run].from,
                             flight.runs[run].to)) {
            fprintf(stderr, "frame %u of round %u: operations %u to %u of %u\n",
                    i, round, flight.runs[run].from, flight.runs[run].to,
                    n_ops);
            for (unsigned o = 1; o <= n_ops; o++)
                fprintf(stderr, "op %u: %s\n", o, flight.what[o]);
            for (unsigned g = 0; g < n_got; g++)
                if (got[g].frame == i)
                    fprintf(stderr, "got: port %u table %u cookie %llx "
                            "metadata %llx reason %u, %zu bytes\n",
                            got[g].port, got[g].table,
                            (unsigned long long) got[g].cookie,
                            (unsigned long long) got[g].metadata,
                            got[g].reason, got[g].len);
            for (unsigned s = flight.runs[run].from;
                 s <= flight.runs[run].to; s++) {
                pl.rules = flight.sets[s];
                pl.n_rules = flight.n_sets[s];
                n_expected = 0;
                expect(&pl, &f, in);
                for (unsigned k = 0; k < n_expected; k++)
                    fprintf(stderr, "set %u: port %u table %u cookie %llx "
                            "metadata %llx reason %u, %zu bytes\n", s,
                            expected[k].port, expected[k].table,
                            (unsigned long long) expected[k].cookie,
                            (unsigned long long) expected[k].metadata,
                            expected[k].reason, expected[k].len);
            }
            differ(&pl, &f, in, "no rule set explains", NULL);
        }
    }
    for (unsigned g = 0; g < n_got; g++)
        free(got[g].data);
}

static void
flight_run(uint32_t cache, uint64_t seed, unsigned n_rounds)
{
    rng = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    bed_open_cache(&b, N_PORTS, 0, cache);
    frames_make();
    n_rules = 0;
    b.dp->ev.punt = on_punt;
    for (unsigned i = 0; i < 30; i++)
        rule_add();
    dp_commit(b.dp);
    memset(&flight, 0, sizeof flight);
    ck_assert_int_eq(pthread_create(&flight.thread, NULL, flight_main,
                                    b.dp->workers[0]), 0);
    for (unsigned round = 1; round <= n_rounds; round++)
        flight_round(round);
    FL_STORE(quit, true);
    pthread_join(flight.thread, NULL);
    while (n_rules)
        rule_del(0);
    retired_free();
    bed_close(&b);
}

/* ------------------------------------------------------------------- tests */

/* More of everything: WEFT_LONG=N, as many times as long. */
static unsigned
length(void)
{
    const char *s = getenv("WEFT_LONG");
    long n = s ? strtol(s, NULL, 10) : 1;

    return n > 0 ? (unsigned) n : 1;
}

static void
eal_up(void)
{
    ck_assert_int_eq(eal_start("-m 96 --no-huge --no-shconf", NULL), 0);
}

static const uint32_t caches[] = { 0, 1, 16 }; /* Default, none, tiny. */

static void
run_with(uint32_t cache, uint64_t seed, unsigned n_rounds, unsigned burst)
{
    rng = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    bed_open_cache(&b, N_PORTS,
                   PORT_CAP_CSUM | PORT_CAP_TSO | PORT_CAP_MULTI_SEG, cache);
    rounds(n_rounds, burst);
    bed_close(&b);
}

START_TEST(test_differential_single_frames_agree_with_the_interpreter)
{
    for (uint64_t seed = 1; seed <= 8 * length(); seed++)
        run_with(caches[_i], seed, 60, 1);
}
END_TEST

START_TEST(test_differential_bursts_agree_with_the_interpreter)
{
    for (uint64_t seed = 101; seed <= 100 + 6 * length(); seed++)
        run_with(caches[_i], seed, 40, BATCH_MAX);
}
END_TEST

START_TEST(test_differential_rules_change_while_packets_are_in_flight)
{
    for (uint64_t seed = 201; seed <= 200 + length(); seed++)
        flight_run(caches[_i], seed, 600);
}
END_TEST

/* A port set on a fragment that has none must not be matched later on; with
 * the cache, the fragment and a whole packet of port 0 must stay apart. */
START_TEST(test_differential_port_set_on_a_fragment_is_not_there)
{
    static struct interp_rule copy[MAX_RULES];
    static struct pkt p;
    struct interp_pipeline pl;
    struct frame f[2];
    const uint32_t in[2] = { 1, 1 };

    rng = 5;
    bed_open_cache(&b, N_PORTS, 0, caches[_i]);
    frames_make();
    n_rules = 0;
    b.dp->ev.punt = on_punt;
    for (unsigned i = 0; i < 3; i++) {
        struct rule *r;

        BASE_NEW(r);
        r->ir.table = i > 0;
        r->ir.priority = (uint16_t) (10 - i);
        r->ir.instr.goto_table = i ? DP_NO_TABLE : 1;
        match_u64(&r->ir.match, FLOW_F_ETH_TYPE, 0x0800);
        match_u64(&r->ir.match, FLOW_F_IP_PROTO, 17);
        if (!i)
            ops_set_u64(&r->apply, FLOW_F_UDP_DST, 99);
        else
            ops_add(&r->apply, DP_OP_OUTPUT, 0, 1 + i);
        if (i == 1)
            match_u64(&r->ir.match, FLOW_F_UDP_DST, 99);
        r->ir.instr.apply = ops_list(&r->apply);
        ck_assert_int_eq(dp_rule_add(b.br, r->ir.table, r->ir.priority,
                                     &r->ir.match, &r->ir.instr, 0, &r->dr),
                         0);
        rules[n_rules++] = r;
    }
    dp_commit(b.dp);
    pipeline_get(&pl, copy);

    begin(&p, 0, 0x0800);
    pkt_ipv4(&p, 0x0a000001, 0x0a000002, 17);
    pkt_udp(&p, 0, 0);
    pkt_payload(&p, 40);
    pkt_end(&p);
    for (unsigned i = 0; i < 2; i++) {
        memcpy(f[i].b, p.b, p.len);
        f[i].len = p.len;
    }
    put_be16(f[1].b + p.l3 + 6, 5); /* Fragment offset 40. */
    for (unsigned again = 0; again < 4; again++)
        compare(&pl, f, in, 2);
    for (unsigned again = 0; again < 4; again++) {
        compare(&pl, &f[1], in, 1);
        compare(&pl, &f[0], in, 1);
    }
    while (n_rules)
        rule_del(0);
    bed_close(&b);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("datapath");
    TCase *tc = tcase_create("differential");

    tcase_set_timeout(tc, 300 * length());
    tcase_add_unchecked_fixture(tc, eal_up, NULL);
    tcase_add_loop_test(
        tc, test_differential_single_frames_agree_with_the_interpreter, 0,
        WEFT_ARRAY_LEN(caches));
    tcase_add_loop_test(
        tc, test_differential_bursts_agree_with_the_interpreter, 0,
        WEFT_ARRAY_LEN(caches));
    tcase_add_loop_test(
        tc, test_differential_port_set_on_a_fragment_is_not_there, 0,
        WEFT_ARRAY_LEN(caches));
    tcase_add_loop_test(
        tc, test_differential_rules_change_while_packets_are_in_flight, 0,
        WEFT_ARRAY_LEN(caches));
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
