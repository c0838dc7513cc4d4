/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/prog.h"

#include <errno.h>
#include <string.h>

#include "datapath/dp_priv.h"
#include "datapath/meter.h"

/* Slots of the action set in the order of OpenFlow 1.3.5 §5.10; set-field
 * slots follow, one per field, copy-field by the field it writes, then the
 * queue, the group and the output. */
enum {
    SET_COPY_TTL_IN,
    SET_POP_VLAN,
    SET_POP_MPLS,
    SET_POP_PBB,
    SET_PUSH_MPLS,
    SET_PUSH_PBB,
    SET_PUSH_VLAN,
    SET_COPY_TTL_OUT,
    SET_DEC_MPLS_TTL,
    SET_DEC_NW_TTL,
    SET_SET_MPLS_TTL,
    SET_SET_NW_TTL,
    SET_FIELDS,
    SET_COPIES = SET_FIELDS + N_FLOW_FIELDS,
    SET_METER = SET_COPIES + N_FLOW_FIELDS, /* "qos", OpenFlow 1.5.1 §5.6. */
    SET_QUEUE,
    SET_GROUP,
    SET_OUTPUT,
    N_SET_SLOTS
};

static const uint8_t set_slot[N_DP_OPS] = {
    [DP_OP_COPY_TTL_IN] = SET_COPY_TTL_IN,
    [DP_OP_POP_VLAN] = SET_POP_VLAN,
    [DP_OP_POP_MPLS] = SET_POP_MPLS,
    [DP_OP_POP_PBB] = SET_POP_PBB,
    [DP_OP_PUSH_MPLS] = SET_PUSH_MPLS,
    [DP_OP_PUSH_PBB] = SET_PUSH_PBB,
    [DP_OP_PUSH_VLAN] = SET_PUSH_VLAN,
    [DP_OP_COPY_TTL_OUT] = SET_COPY_TTL_OUT,
    [DP_OP_DEC_MPLS_TTL] = SET_DEC_MPLS_TTL,
    [DP_OP_DEC_NW_TTL] = SET_DEC_NW_TTL,
    [DP_OP_SET_MPLS_TTL] = SET_SET_MPLS_TTL,
    [DP_OP_SET_NW_TTL] = SET_SET_NW_TTL,
    [DP_OP_METER] = SET_METER,
    [DP_OP_SET_QUEUE] = SET_QUEUE,
    [DP_OP_GROUP] = SET_GROUP,
    [DP_OP_OUTPUT] = SET_OUTPUT,
    [DP_OP_CONTROLLER] = SET_OUTPUT,
    [DP_OP_NORMAL] = SET_OUTPUT,
    [DP_OP_FLOOD] = SET_OUTPUT,
    [DP_OP_ALL] = SET_OUTPUT,
    [DP_OP_IN_PORT] = SET_OUTPUT,
    [DP_OP_TABLE] = SET_OUTPUT,
};

/* An action set: the op of each slot, with the context it was written in. */
struct aset {
    const struct dp_op *op[N_SET_SLOTS];
    const struct prog_step *from[N_SET_SLOTS]; /* NULL: op carries it. */
    uint8_t table;
};

struct fold {
    uint64_t *buf;
    size_t n, cap;
    size_t keep;  /* Words up to and with the last op that has an effect. */
    bool output;  /* An output was emitted. */
    bool meter;   /* A meter, and no output behind it. */
    bool one_queue; /* A queue for the next output only. */
    bool full;
    bool flat;
    bool in_key; /* Metadata is in the packet's key. */
    uint8_t egress; /* First egress table; DP_NO_TABLE: send at once. */
    bool in_egress;
    uint64_t metadata;
};

static struct dp_op *
emit_room(struct fold *f, unsigned words)
{
    struct dp_op *op;

    if (f->n + words > f->cap) {
        f->full = true;
        return NULL;
    }
    op = (struct dp_op *) (void *) (f->buf + f->n);
    f->n += words;
    return op;
}

static void
emit_simple(struct fold *f, unsigned code, uint32_t arg)
{
    struct dp_op *op = emit_room(f, 1);

    if (op)
        *op = (struct dp_op) { .code = (uint8_t) code, .words = 1,
                               .arg = arg };
}

/* Does the op need to know where it came from? */
static bool
op_has_ctx(const struct dp_op *op)
{
    return op->code == DP_OP_CONTROLLER || op->code == DP_OP_DEC_NW_TTL
           || op->code == DP_OP_DEC_MPLS_TTL || op->code == DP_OP_GROUP;
}

static void
emit_ctx(struct fold *f, const struct dp_op *op, const struct prog_ctx *c)
{
    struct dp_op *out = emit_room(f, PROG_CTX_WORDS);

    if (!out)
        return;
    *out = *op;
    out->words = PROG_CTX_WORDS;
    memcpy(out->data, c, sizeof *c);
}

static uint16_t
table_aux(const struct fold *f, uint8_t table)
{
    return (uint16_t) (table | (f->in_key ? PROG_METADATA_IN_KEY : 0)
                       | (f->in_egress ? PROG_IN_EGRESS : 0));
}

/* In front of what sends packets to ports. */
static void
emit_egress(struct fold *f, const struct dp_op *op)
{
    struct dp_op *out;

    if (f->egress == DP_NO_TABLE || !prog_op_is_output(op)
        || op->code == DP_OP_CONTROLLER)
        return;
    out = emit_room(f, 2);
    if (!out)
        return;
    *out = (struct dp_op) { .code = PROG_OP_EGRESS, .words = 2,
                            .aux = table_aux(f, f->egress) };
    memcpy(out->data, &f->metadata, 8);
}

/* Behind the output of 1.0's enqueue. */
static void
emit_queue_end(struct fold *f)
{
    struct dp_op *out;

    if (!f->one_queue)
        return;
    f->one_queue = false;
    out = emit_room(f, 1);
    if (out)
        *out = (struct dp_op) { .code = DP_OP_SET_QUEUE, .words = 1,
                                .aux = PROG_QUEUE_NONE };
}

/* Appends 'op' of the rule of step 'from' (NULL: it says itself where it is
 * from, or need not) at 'table'. */
static void
emit(struct fold *f, const struct dp_op *op, const struct prog_step *from,
     uint8_t table)
{
    emit_egress(f, op);
    if (op_has_ctx(op)
        && (f->flat ? f->metadata || f->in_key : from != NULL)) {
        struct prog_ctx c = { .metadata = f->metadata, .table = table,
                              .metadata_in_key = f->in_key };

        if (!f->flat) {
            c.whole = true;
            c.cookie = from->cookie;
            c.miss_rule = (from->act->kind & ACT_KIND_MISS) != 0;
        }
        emit_ctx(f, op, &c);
    } else if (op_has_ctx(op) && op->words == PROG_CTX_WORDS) {
        struct prog_ctx c;

        /* Written before a RESUME: runs with what is known now. */
        memcpy(&c, op->data, sizeof c);
        c.metadata = f->metadata;
        c.metadata_in_key = f->in_key;
        c.table = table;
        emit_ctx(f, op, &c);
    } else {
        struct dp_op *out = emit_room(f, op->words);

        if (!out)
            return;
        memcpy(out, op, 8u * op->words);
    }
    if (prog_op_is_output(op)) {
        f->output = true;
        f->meter = false;
        f->keep = f->n;
        emit_queue_end(f);
    } else if (op->code == DP_OP_METER) {
        f->meter = true;
        f->keep = f->n;
    } else if (op->code == DP_OP_SET_QUEUE) {
        f->one_queue = op->aux & 1;
    }
}

static const struct dp_copy_field *
copy_of(const struct dp_op *op)
{
    return (const struct dp_copy_field *) (const void *) op->data;
}

static uint64_t
value_bits(const struct dp_copy_field *c)
{
    return c->n_bits < 64 ? (UINT64_C(1) << c->n_bits) - 1 : UINT64_MAX;
}

const struct dp_op *
prog_copy_to_set(const struct dp_copy_field *c, const uint8_t v[16],
                 uint64_t *buf)
{
    const struct flow_field *fd = &flow_fields[c->dst];
    struct dp_op *op = (struct dp_op *) (void *) buf;
    unsigned __int128 val, mask = ~(unsigned __int128) 0;
    uint8_t val8[16], mask8[16];

    val = (unsigned __int128) get_be64(v) << 64 | get_be64(v + 8);
    if (c->n_bits < 128)
        mask = ((unsigned __int128) 1 << c->n_bits) - 1;
    val = (val >> c->src_offset & mask) << c->dst_offset;
    mask <<= c->dst_offset;
    put_be64(val8, (uint64_t) (val >> 64));
    put_be64(val8 + 8, (uint64_t) val);
    put_be64(mask8, (uint64_t) (mask >> 64));
    put_be64(mask8 + 8, (uint64_t) mask);

    memset(buf, 0, 8 * PROG_SET_WORDS);
    *op = (struct dp_op) { .code = DP_OP_SET_FIELD, .aux = c->dst,
                           .words = (uint8_t) (1 + (2u * fd->width + 7) / 8) };
    flow_field_to_member(fd, val8, op->data);
    flow_field_to_member(fd, mask8, op->data + fd->width);
    return op;
}

/* A set-field of metadata changes the pipeline, not the packet. */
static void
fold_metadata(struct fold *f, uint64_t v, uint64_t m)
{
    uint64_t buf[PROG_SET_WORDS];
    struct dp_op *op = (struct dp_op *) (void *) buf;

    f->metadata = (f->metadata & ~m) | (v & m);
    if (!f->in_key)
        return;
    *op = (struct dp_op) { .code = DP_OP_SET_FIELD, .words = 3,
                           .aux = FLOW_F_METADATA };
    put_be64(op->data, v & m);
    put_be64(op->data + 8, m);
    emit(f, op, NULL, 0);
}

static uint32_t
aset_output(const struct aset *s)
{
    return prog_actset_output(s->op[SET_OUTPUT], s->op[SET_GROUP]);
}

/* What the pipeline carries is known here: a copy of it is a set-field. */
static void
fold_copy(struct fold *f, const struct aset *s, const struct dp_op *op,
          const struct prog_step *from, uint8_t table)
{
    const struct dp_copy_field *c = copy_of(op);
    bool known = c->src == FLOW_F_ACTSET_OUTPUT
                 || (c->src == FLOW_F_METADATA && !f->in_key);
    uint64_t buf[PROG_SET_WORDS];
    uint8_t v[16] = { 0 };

    if (!known && c->dst == FLOW_F_METADATA && !f->in_key) {
        f->in_key = true;
        fold_metadata(f, f->metadata, UINT64_MAX);
    }
    if (!known) {
        emit(f, op, from, table);
        return;
    }
    put_be64(v + 8, c->src == FLOW_F_METADATA ? f->metadata
                                              : aset_output(s));
    if (c->dst == FLOW_F_METADATA)
        fold_metadata(f, (get_be64(v + 8) >> c->src_offset & value_bits(c))
                             << c->dst_offset,
                      value_bits(c) << c->dst_offset);
    else
        emit(f, prog_copy_to_set(c, v, buf), from, table);
}

/* Any op; those that look at the pipeline are folded. */
static void
fold_op(struct fold *f, const struct aset *s, const struct dp_op *op,
        const struct prog_step *from, uint8_t table)
{
    if (op->code == DP_OP_SET_FIELD && op->aux == FLOW_F_METADATA)
        fold_metadata(f, get_be64(op->data), get_be64(op->data + 8));
    else if (op->code == DP_OP_COPY_FIELD)
        fold_copy(f, s, op, from, table);
    else
        emit(f, op, from, table);
}

static void
fold_apply(struct fold *f, const struct aset *s, const struct prog_step *from,
           uint8_t table)
{
    const struct dp_op *op;

    if (from->act->meter) { /* The first instruction: OpenFlow 1.3.5 §5.9. */
        const struct dp_op meter = { .code = DP_OP_METER, .words = 1,
                                     .arg = from->act->meter };

        emit(f, &meter, from, table);
    }
    PROG_FOR_OPS(op, from->act->words, from->act->n_apply)
        fold_op(f, s, op, from, table);
}

static unsigned
slot_of(const struct dp_op *op)
{
    if (op->code == DP_OP_SET_FIELD)
        return SET_FIELDS + op->aux;
    if (op->code == DP_OP_COPY_FIELD)
        return SET_COPIES + copy_of(op)->dst;
    return set_slot[op->code];
}

static void
aset_add(struct aset *s, const uint64_t *words, unsigned n,
         const struct prog_step *from)
{
    const struct dp_op *op;

    if (!n) /* Of nothing there is not even an address. */
        return;
    PROG_FOR_OPS(op, words, n) {
        unsigned slot = slot_of(op);

        s->op[slot] = op;
        s->from[slot] = from;
    }
}

/* Runs the action set: OpenFlow 1.3.5 §5.10. */
static void
fold_aset(struct fold *f, const struct aset *s, uint8_t table)
{
    for (unsigned i = 0; i < N_SET_SLOTS; i++) {
        if (i == SET_OUTPUT && s->op[SET_GROUP])
            continue; /* An output beside a group is ignored. */
        if (s->op[i])
            fold_op(f, s, s->op[i], s->from[i], table);
    }
}

/* Saves walk state behind a RESUME op. */
static void
fold_resume(struct fold *f, const struct aset *s, uint8_t table, uint64_t uid)
{
    size_t at = f->n;
    uint8_t egress = f->egress;
    struct dp_op *op = emit_room(f, 3);
    struct prog_resume *r;

    if (!op)
        return;
    r = (struct prog_resume *) (void *) op->data;
    r->uid = uid;
    r->metadata = f->metadata;
    /* The set is kept, not run: whoever runs it meets the egress tables. */
    f->egress = DP_NO_TABLE;
    for (unsigned i = 0; i < N_SET_SLOTS; i++)
        if (s->op[i])
            emit(f, s->op[i], s->from[i], table);
    f->egress = egress;
    if (f->full)
        return;
    *op = (struct dp_op) { .code = PROG_OP_RESUME,
                           .words = (uint8_t) (f->n - at),
                           .aux = table_aux(f, table),
                           .arg = (uint32_t) (f->n - at - 3) };
    f->output = true;
    f->meter = false;
    f->keep = f->n;
}

static void
fold_miss(struct fold *f, uint8_t table, uint8_t miss)
{
    if (miss == DP_MISS_CONTROLLER) {
        const struct dp_op op = { .code = DP_OP_CONTROLLER, .words = 1,
                                  .aux = DP_PUNT_NO_MATCH, .arg = 0xffff };
        struct prog_ctx c = { .cookie = UINT64_MAX, .table = table,
                              .metadata = f->metadata };

        emit_ctx(f, &op, &c);
    } else {
        emit_simple(f, PROG_OP_DROP, DROP_NO_RULE);
    }
    f->keep = f->n;
}

/* Ends the program: nothing behind the last op with an effect; a program
 * without any output (behind its last meter) says so. */
static void
fold_end(struct fold *f)
{
    if (f->keep && f->output) /* Without, each op may be why it drops. */
        f->n = f->keep;
    if (!f->output || f->meter)
        emit_simple(f, PROG_OP_DROP, DROP_RULE_DROP);
}

/* One rule of the path: apply, clear, write, metadata (§5.9). */
static void
fold_rule(struct fold *f, struct aset *s, const struct prog_step *from,
          uint8_t table)
{
    const struct rule_act *a = from->act;

    fold_apply(f, s, from, table);
    if (a->flags & ACT_CLEAR)
        memset(s, 0, sizeof *s);
    aset_add(s, a->words + a->n_apply, a->n_write, from);
    if (a->flags & ACT_METADATA) {
        const uint64_t *m = a->words + a->n_apply + a->n_write;

        fold_metadata(f, m[0], m[1]);
    }
}

int
prog_fold(const struct prog_path *p, uint64_t *buf, size_t n_words)
{
    struct fold f = { .buf = buf, .cap = n_words, .flat = p->flat,
                      .metadata = p->metadata, .egress = p->egress,
                      .in_egress = p->in_egress };
    struct aset s;
    const struct rule_act *last = NULL;
    uint8_t table = 0;

    memset(&s, 0, sizeof s);
    if (p->start && p->start->code == PROG_OP_EGRESS) {
        s.op[SET_OUTPUT] = &p->output;
    } else if (p->start) {
        const struct prog_resume *r = (const void *) p->start->data;

        aset_add(&s, r->aset, p->start->arg, NULL);
    }
    for (unsigned i = 0; i < p->n; i++) {
        table = p->tables[i];
        last = p->steps[i].act;
        if (last)
            fold_rule(&f, &s, &p->steps[i], table);
    }
    if (!last) {
        fold_miss(&f, table, p->miss);
    } else if (p->resume) {
        fold_resume(&f, &s, last->goto_table, p->resume_uid);
    } else {
        fold_aset(&f, &s, table);
        fold_end(&f);
    }
    return f.full ? -ENOSPC : (int) f.n;
}

int
prog_fold_packet_out(const struct dp_op_list *l, uint8_t egress,
                     uint64_t *buf, size_t n_words)
{
    struct fold f = { .buf = buf, .cap = n_words, .egress = egress };
    const struct dp_op *op;
    struct aset s;

    memset(&s, 0, sizeof s);
    PROG_FOR_OPS(op, (const uint64_t *) (const void *) l->ops, l->n_words) {
        if (op->code == DP_OP_TABLE) {
            fold_resume(&f, &s, 0, 0);
            f.output = true;
        } else if (op_has_ctx(op)) {
            struct prog_ctx c = { .cookie = UINT64_MAX,
                                  .metadata_in_key = f.in_key,
                                  .metadata = f.metadata };

            emit_egress(&f, op);
            emit_ctx(&f, op, &c);
            if (prog_op_is_output(op)) {
                f.output = true;
                f.meter = false;
                f.keep = f.n;
            }
        } else {
            fold_op(&f, &s, op, NULL, 0);
        }
    }
    fold_end(&f);
    return f.full ? -ENOSPC : (int) f.n;
}

int
prog_order_set(const struct dp_op_list *l, uint64_t *buf, size_t n_words)
{
    /* Who comes there with which metadata is not known yet. */
    struct fold f = { .buf = buf, .cap = n_words, .in_key = true,
                      .egress = DP_NO_TABLE };
    struct aset s;

    memset(&s, 0, sizeof s);
    aset_add(&s, (const uint64_t *) (const void *) l->ops, l->n_words, NULL);
    fold_aset(&f, &s, 0);
    fold_end(&f);
    return f.full ? -ENOSPC : (int) f.n;
}

static void
key_set_field(struct flow_key *k, const struct dp_op *op)
{
    const struct flow_field *fd = &flow_fields[op->aux];
    uint8_t *m = (uint8_t *) k + fd->offset;
    const uint8_t *v = op->data, *mask = op->data + fd->width;

    for (unsigned i = 0; i < fd->width; i++)
        m[i] = (uint8_t) ((m[i] & ~mask[i]) | (v[i] & mask[i]));
}

static bool
field_in(unsigned field, size_t offset, size_t size)
{
    return flow_fields[field].offset >= offset
           && flow_fields[field].offset < offset + size;
}

static bool
field_is_vlan(unsigned field)
{
    return field_in(field, offsetof(struct flow_key, vlan_tci), 2);
}

/* Ports, ICMP type and code, TCP flags. */
static bool
field_is_l4(unsigned field)
{
    return field_in(field, offsetof(struct flow_key, tp_src), 6);
}

/* Does the packet have what the field is part of?  The rule's match asks for
 * the protocol, but not for a tag, nor that it be no later fragment: the
 * cache's mask has those for the sake of such rules. */
static bool
key_has_field(const struct flow_key *k, unsigned field)
{
    if (field_is_vlan(field))
        return k->vlan_tci & be16_from(FLOW_VLAN_PRESENT);
    if (field_is_l4(field))
        return !(k->nw_flags & FLOW_NW_FRAG_LATER);
    return true;
}

/* Fields after which the packet has to be parsed again: a new type means
 * other headers; an ARP may be of another kind, an ND message may lack the
 * option. */
static bool
field_needs_parse(unsigned field)
{
    switch (field) {
    case FLOW_F_ETH_TYPE:
    case FLOW_F_IP_PROTO:
    case FLOW_F_MPLS_BOS:
    case FLOW_F_ARP_OP:
    case FLOW_F_ARP_SPA:
    case FLOW_F_ARP_TPA:
    case FLOW_F_ARP_SHA:
    case FLOW_F_ARP_THA:
    case FLOW_F_ICMPV6_TYPE:
    case FLOW_F_ICMPV6_CODE:
    case FLOW_F_ND_TARGET:
    case FLOW_F_ND_SLL:
    case FLOW_F_ND_TLL:
        return true;
    default:
        return false;
    }
}

static bool
simulate_set(const struct dp_op *op, struct flow_key *k)
{
    if (field_needs_parse(op->aux))
        return false;
    if (key_has_field(k, op->aux))
        key_set_field(k, op);
    return true;
}

/* A copy from the packet differs between packets of one path; the cache's
 * mask need not have its source. */
static bool
simulate_copy(const struct dp_copy_field *c, struct flow_key *k)
{
    uint64_t buf[PROG_SET_WORDS];
    uint8_t v[16];

    if (c->src != FLOW_F_METADATA)
        return false;
    flow_field_get(k, &flow_fields[c->src], v);
    return simulate_set(prog_copy_to_set(c, v, buf), k);
}

/* False: parse again. */
static bool
simulate_op(const struct dp_bridge *br, const struct dp_op *op,
            struct flow_key *k)
{
    bool tagged = k->vlan_tci & be16_from(FLOW_VLAN_PRESENT);

    switch (op->code) {
    case DP_OP_SET_FIELD:
        return simulate_set(op, k);
    case DP_OP_COPY_FIELD:
        return simulate_copy(copy_of(op), k);
    case DP_OP_PUSH_VLAN:
        if (tagged && op->aux & 1)
            return true;
        if (tagged)
            k->nw_flags |= FLOW_NW_MORE_VLAN;
        else
            k->vlan_tci = be16_from(FLOW_VLAN_PRESENT);
        return true;
    case DP_OP_POP_VLAN:
        if (tagged && k->nw_flags & FLOW_NW_MORE_VLAN)
            return false;
        k->vlan_tci = 0; /* Untagged: stays so, or is dropped. */
        return true;
    case DP_OP_SET_NW_TTL:
        k->ip_ttl = (uint8_t) op->arg;
        return true;
    case DP_OP_DEC_NW_TTL:
        k->ip_ttl--;
        return true;
    case DP_OP_METER:
        return !meter_remarks(br, op->arg);
    case DP_OP_PUSH_MPLS:
    case DP_OP_POP_MPLS:
    case DP_OP_PUSH_PBB:
    case DP_OP_POP_PBB:
    case DP_OP_COPY_TTL_IN:
    case DP_OP_COPY_TTL_OUT:
    case DP_OP_SET_MPLS_TTL:
    case DP_OP_DEC_MPLS_TTL:
        return false;
    default:
        return true;
    }
}

bool
prog_simulate(const struct dp_bridge *br, const struct rule_act *a,
              struct flow_key *k)
{
    const struct dp_op *op;

    if (a->meter && meter_remarks(br, a->meter))
        return false;
    if (a->flags & ACT_CHANGES)
        PROG_FOR_OPS(op, a->words, a->n_apply)
            if (!simulate_op(br, op, k))
                return false;
    if (a->flags & ACT_METADATA) {
        const uint64_t *m = a->words + a->n_apply + a->n_write;

        k->metadata = (k->metadata & ~be64_from(m[1]))
                      | be64_from(m[0] & m[1]);
    }
    return true;
}

static void
flags_of_write(unsigned field, uint8_t *flags)
{
    *flags |= ACT_CHANGES;
    if (field_is_vlan(field))
        *flags |= ACT_VLAN;
    if (field_is_l4(field))
        *flags |= ACT_FRAG;
}

static int
check_copy(const struct dp_op *op, uint8_t *flags)
{
    const struct dp_copy_field *c = copy_of(op);

    if (op->words != 2 || c->src >= N_FLOW_FIELDS || c->dst >= N_FLOW_FIELDS
        || !flow_fields[c->dst].settable || !c->n_bits
        || c->src_offset + c->n_bits > flow_fields[c->src].bits
        || c->dst_offset + c->n_bits > flow_fields[c->dst].bits)
        return -EINVAL;
    flags_of_write(c->dst, flags);
    return 0;
}

static int
check_op(const struct dp_op *op, bool packet_out, uint8_t *flags)
{
    switch (op->code) {
    case DP_OP_METER: /* It may write the DSCP. */
        *flags |= ACT_CHANGES;
        break;
    case DP_OP_TABLE:
        return packet_out ? 0 : -EINVAL;
    case DP_OP_SET_FIELD:
        if (op->aux >= N_FLOW_FIELDS
            || op->words != 1 + (2 * flow_fields[op->aux].width + 7) / 8)
            return -EINVAL;
        flags_of_write(op->aux, flags);
        return 0;
    case DP_OP_COPY_FIELD:
        return check_copy(op, flags);
    case DP_OP_PUSH_VLAN:
    case DP_OP_POP_VLAN:
        *flags |= ACT_VLAN | ACT_CHANGES;
        break;
    case DP_OP_OUTPUT:
    case DP_OP_CONTROLLER:
    case DP_OP_NORMAL:
    case DP_OP_FLOOD:
    case DP_OP_ALL:
    case DP_OP_IN_PORT:
    case DP_OP_SET_QUEUE:
    case DP_OP_GROUP: /* What buckets do, they do to copies. */
        break;
    default:
        if (op->code >= N_DP_OPS)
            return -EINVAL;
        *flags |= ACT_CHANGES;
    }
    return op->words == 1 ? 0 : -EINVAL;
}

int
prog_check_ops(const struct dp_op_list *l, bool packet_out, uint8_t *flags)
{
    const uint64_t *w = (const uint64_t *) (const void *) l->ops;
    uint32_t left = l->n_words;

    while (left) {
        const struct dp_op *op = prog_op_at(w);
        int err;

        if (!op->words || op->words > left)
            return -EINVAL;
        err = check_op(op, packet_out, flags);
        if (err)
            return err;
        w += op->words;
        left -= op->words;
    }
    return 0;
}
