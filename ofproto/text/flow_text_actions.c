/* SPDX-License-Identifier: Apache-2.0 */
/* Actions and instructions, read.  Source: ovs-actions(7). */
#include "flow_text_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <strings.h>

#include "ofproto/oxm.h"
#include "utils/base/mem.h"

#define ETH_VLAN 0x8100

/* Where an action stands; later ones may not precede (ovs-ofctl's rule, so
 * that text reads in the order of execution, OpenFlow 1.3.5 §5.9). */
enum stage { IN_METER, IN_APPLY, IN_CLEAR, IN_WRITE, IN_METADATA, IN_GOTO };

struct reader {
    struct ofp_flow_text *f;
    uint64_t *ops;
    uint32_t n, cap; /* 8-byte units. */
    uint32_t write_start, write_end;
    enum stage stage;
    bool ops_only, in_write, drop, any;
    struct weft_err *e;
};

struct action {
    const char *name;
    int (*read)(struct reader *, const struct action *, char *value);
    uint8_t op;     /* enum dp_op_code */
    uint16_t field; /* enum flow_field_id, or aux. */
    uint32_t max;   /* Largest number. */
};

/* -------------------------------------------------------------------- ops */

static struct dp_op *
op_add(struct reader *r, enum dp_op_code code, uint32_t arg, uint16_t aux,
       unsigned n_data)
{
    uint32_t words = 1 + (n_data + 7) / 8;
    struct dp_op *op;

    if (r->n + words > r->cap) {
        r->cap = 2 * r->cap + words + 8;
        r->ops = base_xrealloc(r->ops, 8u * (size_t) r->cap);
    }
    memset(&r->ops[r->n], 0, 8u * (size_t) words);
    op = (struct dp_op *) (void *) &r->ops[r->n];
    op->code = (uint8_t) code;
    op->words = (uint8_t) words;
    op->arg = arg;
    op->aux = aux;
    r->n += words;
    return op;
}

static void
op_set_field(struct reader *r, enum flow_field_id id, const uint8_t v[16],
             const uint8_t mask[16])
{
    const struct flow_field *f = &flow_fields[id];
    struct dp_op *op = op_add(r, DP_OP_SET_FIELD, 0, (uint16_t) id,
                              2u * f->width);
    struct flow_key k;

    memset(&k, 0, sizeof k);
    flow_field_set_masked(&k, f, v, mask);
    memcpy(op->data, (const uint8_t *) &k + f->offset, f->width);
    flow_field_set_masked(&k, f, mask, mask);
    memcpy(op->data + f->width, (const uint8_t *) &k + f->offset, f->width);
}

static void
op_set_number(struct reader *r, enum flow_field_id id, uint64_t n)
{
    const struct flow_field *f = &flow_fields[id];
    uint64_t full = f->bits < 64 ? (UINT64_C(1) << f->bits) - 1 : UINT64_MAX;
    uint8_t v[16] = { 0 }, mask[16] = { 0 };

    put_be64(v + 8, n);
    put_be64(mask + 8, full);
    op_set_field(r, id, v, mask);
}

/* --------------------------------------------------------------- outputs */

static int
add_output(struct reader *r, const char *word, const char *value)
{
    uint32_t port = 0;
    int err = text_port_on(r->f->ports, word, value, &port, r->e);

    if (err)
        return err;
    switch (port) {
    case 0xfffffff8:
        op_add(r, DP_OP_IN_PORT, 0, 0, 0);
        return 0;
    case 0xfffffff9:
        op_add(r, DP_OP_TABLE, 0, 0, 0);
        return 0;
    case 0xfffffffa:
        op_add(r, DP_OP_NORMAL, 0, 0, 0);
        return 0;
    case 0xfffffffb:
        op_add(r, DP_OP_FLOOD, 0, 0, 0);
        return 0;
    case 0xfffffffc:
        op_add(r, DP_OP_ALL, 0, 0, 0);
        return 0;
    case DP_PORT_CONTROLLER:
        op_add(r, DP_OP_CONTROLLER, 0xffff, DP_PUNT_ACTION, 0);
        return 0;
    case 0:
    case DP_PORT_NONE:
        return weft_err_set(r->e, -EINVAL, "%s: %s is no port to output to",
                            word, value);
    default:
        if (port > DP_PORT_MAX && port != DP_PORT_LOCAL)
            return weft_err_set(r->e, -EINVAL,
                                "%s: port %s is neither 1..%u nor reserved",
                                word, value, DP_PORT_MAX);
        op_add(r, DP_OP_OUTPUT, port, 0, 0);
        return 0;
    }
}

static int
read_output(struct reader *r, const struct action *a, char *value)
{
    return add_output(r, a->name, value);
}

/* "controller", ":128", "(max_len=128,reason=no_match)". */
static int
read_controller(struct reader *r, const struct action *a, char *value)
{
    static const char *const reasons[] = { "no_match", "action",
                                           "invalid_ttl" };
    uint64_t max_len = 0xffff;
    unsigned reason = DP_PUNT_ACTION;
    char *key, *v;
    int got, err;

    if (value && !strchr(value, '='))
        err = *value ? text_number(a->name, value, 0xffff, &max_len, r->e)
                     : 0;
    else
        err = 0;
    if (!err && value && strchr(value, '=')) {
        while ((got = text_next(&value, &key, &v, r->e)) > 0) {
            if (!strcmp(key, "max_len")) {
                err = text_number("max_len", v, 0xffff, &max_len, r->e);
                if (err)
                    return err;
                continue;
            }
            for (reason = 0; reason < WEFT_ARRAY_LEN(reasons); reason++)
                if (!strcmp(key, "reason") && v && !strcmp(v, reasons[reason]))
                    break;
            if (reason == WEFT_ARRAY_LEN(reasons))
                return weft_err_set(r->e, -EINVAL,
                                    "controller: %.40s=%.40s is not"
                                    " supported", key, v ? v : "");
        }
        err = got;
    }
    if (!err)
        op_add(r, DP_OP_CONTROLLER, (uint32_t) max_len, (uint16_t) reason, 0);
    return err;
}

/* "enqueue:port:queue" */
static int
read_enqueue(struct reader *r, const struct action *a, char *value)
{
    char *queue = value ? strpbrk(value, ":,") : NULL;
    uint64_t id = 0;
    int err;

    if (!queue)
        return weft_err_set(r->e, -EINVAL, "%s: write %s:PORT:QUEUE", a->name,
                            a->name);
    *queue++ = '\0';
    err = text_number(a->name, queue, UINT32_MAX, &id, r->e);
    if (err)
        return err;
    op_add(r, DP_OP_SET_QUEUE, (uint32_t) id, 1, 0);
    return add_output(r, a->name, value);
}

/* ------------------------------------------------------------ set a field */

/* Action without value. */
static int
read_plain(struct reader *r, const struct action *a, char *value)
{
    if (value && *value)
        return weft_err_set(r->e, -EINVAL, "%s: takes no value", a->name);
    op_add(r, a->op, 0, a->field, 0);
    return 0;
}

static int
read_arg(struct reader *r, const struct action *a, char *value)
{
    uint64_t v = 0;
    int err = text_number(a->name, value, a->max, &v, r->e);

    if (!err)
        op_add(r, a->op, (uint32_t) v, a->field, 0);
    return err;
}

static int
read_push_vlan(struct reader *r, const struct action *a, char *value)
{
    uint64_t v = 0;
    int err = text_number(a->name, value, 0xffff, &v, r->e);

    if (!err && v != ETH_VLAN && v != 0x88a8)
        err = weft_err_set(r->e, -EINVAL,
                           "%s: 0x%04x is neither 0x8100 nor 0x88a8", a->name,
                           (unsigned) v);
    if (!err)
        op_add(r, a->op, (uint32_t) v, a->field, 0);
    return err;
}

static int
read_mpls_type(struct reader *r, const struct action *a, char *value)
{
    uint64_t v = 0;
    int err = text_number(a->name, value, 0xffff, &v, r->e);

    if (!err && a->op == DP_OP_PUSH_MPLS && v != ETH_MPLS
        && v != ETH_MPLS_MCAST)
        err = weft_err_set(r->e, -EINVAL,
                           "%s: 0x%04x is neither 0x8847 nor 0x8848", a->name,
                           (unsigned) v);
    if (!err)
        op_add(r, a->op, (uint32_t) v, a->field, 0);
    return err;
}

/* mod_<field>:value */
static int
read_mod(struct reader *r, const struct action *a, char *value)
{
    const struct flow_field *f = &flow_fields[a->field];
    enum flow_field_id id = (enum flow_field_id) a->field;
    uint8_t v[16], mask[16];
    int err;

    if (value && strchr(value, '/'))
        return weft_err_set(r->e, -EINVAL, "%s: takes no mask", a->name);
    err = text_value(a->name, f, value, v, mask, r->e);
    if (err)
        return err;
    if ((id == FLOW_F_TCP_SRC || id == FLOW_F_TCP_DST)
        && ofp_prereq_met(&r->f->match, FLOW_PRE_UDP))
        id = id == FLOW_F_TCP_SRC ? FLOW_F_UDP_SRC : FLOW_F_UDP_DST;
    op_set_field(r, id, v, mask);
    return 0;
}

static int
read_mod_tos(struct reader *r, const struct action *a, char *value)
{
    uint64_t v = 0;
    int err = text_number(a->name, value, 0xff, &v, r->e);

    if (!err && v & 3)
        err = weft_err_set(r->e, -EINVAL,
                           "%s: %u has ECN bits, use a multiple of 4", a->name,
                           (unsigned) v);
    if (!err)
        op_set_number(r, FLOW_F_IP_DSCP, v >> 2);
    return err;
}

/* 1.0's: tags an untagged packet first. */
static int
read_mod_vlan(struct reader *r, const struct action *a, char *value)
{
    bool vid = a->field == FLOW_F_VLAN_VID;
    uint64_t v = 0;
    int err = text_number(a->name, value, vid ? 0xfff : 7, &v, r->e);

    if (err)
        return err;
    op_add(r, DP_OP_PUSH_VLAN, ETH_VLAN, 1, 0);
    op_set_number(r, a->field, vid ? v | FLOW_VLAN_PRESENT : v);
    return 0;
}

/* The value of set_field for names that are not simply a field. */
static int
set_special(struct reader *r, const struct text_name *n, const char *word,
            char *value)
{
    const struct action tos = { .name = word },
                        vid = { .name = word, .field = FLOW_F_VLAN_VID },
                        tp = { .name = word, .field = (uint16_t) n->field };
    uint64_t v = 0;
    int err;

    switch (n->kind) {
    case TEXT_TOS:
        return read_mod_tos(r, &tos, value);
    case TEXT_TTL:
        err = text_number(word, value, 0xff, &v, r->e);
        if (!err)
            op_add(r, DP_OP_SET_NW_TTL, (uint32_t) v, 0, 0);
        return err;
    case TEXT_MPLS_TTL:
        err = text_number(word, value, 0xff, &v, r->e);
        if (!err)
            op_add(r, DP_OP_SET_MPLS_TTL, (uint32_t) v, 0, 0);
        return err;
    case TEXT_DL_VLAN:
        err = text_number(word, value, 0xfff, &v, r->e);
        if (!err)
            op_set_number(r, vid.field, v | FLOW_VLAN_PRESENT);
        return err;
    case TEXT_TP_SRC:
    case TEXT_TP_DST:
        return read_mod(r, &tp, value);
    default:
        return weft_err_set(r->e, -EINVAL, "%s: cannot be set", word);
    }
}

/* "set_field:value[/mask]->name" */
static int
read_set_field(struct reader *r, const struct action *a, char *value)
{
    char *name = value ? strstr(value, "->") : NULL;
    const struct text_name *n;
    const struct flow_field *f;
    uint8_t v[16], mask[16];
    int err;

    if (!name)
        return weft_err_set(r->e, -EINVAL, "%s: write %s:VALUE->FIELD",
                            a->name, a->name);
    *name = '\0';
    name += 2;
    n = text_name_find(name);
    if (!n)
        return weft_err_set(r->e, -EINVAL, "%s: %.40s: unknown field",
                            a->name, name);
    if (n->kind == TEXT_TOS || n->kind == TEXT_TTL || n->kind == TEXT_DL_VLAN
        || n->kind == TEXT_MPLS_TTL || n->kind == TEXT_TP_SRC
        || n->kind == TEXT_TP_DST || n->kind == TEXT_VLAN_TCI
        || n->field == N_FLOW_FIELDS)
        return set_special(r, n, name, value);
    f = &flow_fields[n->field];
    if (!f->settable)
        return weft_err_set(r->e, -EINVAL, "%s: cannot be set", name);
    if (strchr(value, '/') && !f->maskable)
        return weft_err_set(r->e, -EINVAL, "%s: takes no mask", name);
    err = text_value(name, f, value, v, mask, r->e);
    if (!err)
        op_set_field(r, n->field, v, mask);
    return err;
}

static int
read_move(struct reader *r, const struct action *a, char *value)
{
    struct dp_copy_field c;
    int err = text_read_move(a->name, value, &c, r->e);

    if (!err)
        memcpy(op_add(r, DP_OP_COPY_FIELD, 0, 0, sizeof c)->data, &c,
               sizeof c);
    return err;
}

static int
read_load(struct reader *r, const struct action *a, char *value)
{
    enum flow_field_id field;
    uint8_t v[16], mask[16];
    int err = text_read_load(a->name, value, &field, v, mask, r->e);

    if (!err)
        op_set_field(r, field, v, mask);
    return err;
}

/* ------------------------------------------------------------ instructions */

static int
read_meter(struct reader *r, const struct action *a, char *value)
{
    uint64_t v = 0;
    int err = text_number(a->name, value, a->max, &v, r->e);

    if (!err && !v)
        err = weft_err_set(r->e, -EINVAL, "%s: 0 is no meter", a->name);
    r->f->instr.meter = (uint32_t) v;
    return err;
}

static int
read_clear(struct reader *r, const struct action *a, char *value)
{
    if (value && *value)
        return weft_err_set(r->e, -EINVAL, "%s: takes no value", a->name);
    r->f->instr.clear = true;
    return 0;
}

static int read_list(struct reader *, char *text);

static int
read_write(struct reader *r, const struct action *a, char *value)
{
    bool drop = r->drop, any = r->any;
    int err;

    if (!value)
        return weft_err_set(r->e, -EINVAL, "%s: write %s(ACTIONS)", a->name,
                            a->name);
    r->in_write = true;
    r->drop = r->any = false;
    r->write_start = r->n;
    err = read_list(r, value);
    r->write_end = r->n;
    r->in_write = false;
    r->drop = drop;
    r->any = any;
    return err;
}

static int
read_metadata(struct reader *r, const struct action *a, char *value)
{
    const struct flow_field *f = &flow_fields[FLOW_F_METADATA];
    uint8_t v[16], mask[16];
    int err = text_value(a->name, f, value, v, mask, r->e);

    if (!err) {
        r->f->instr.metadata = get_be64(v + 8);
        r->f->instr.metadata_mask = get_be64(mask + 8);
    }
    return err;
}

static int
read_goto(struct reader *r, const struct action *a, char *value)
{
    uint64_t v = 0;
    int err = text_number(a->name, value, a->max, &v, r->e);

    if (!err)
        r->f->instr.goto_table = (uint8_t) v;
    return err;
}

static int
read_drop(struct reader *r, const struct action *a, char *value)
{
    if (value && *value)
        return weft_err_set(r->e, -EINVAL, "%s: takes no value", a->name);
    r->drop = true;
    return 0;
}

/* -------------------------------------------------------------------- list */

/* read_meter ... read_goto in the order of enum stage; the rest is IN_APPLY. */
static enum stage
stage_of(const struct action *a)
{
    return a->read == read_meter      ? IN_METER
           : a->read == read_clear    ? IN_CLEAR
           : a->read == read_write    ? IN_WRITE
           : a->read == read_metadata ? IN_METADATA
           : a->read == read_goto     ? IN_GOTO
                                      : IN_APPLY;
}

#define PLAIN(nm, code) { nm, read_plain, DP_OP_##code, 0, 0 }
#define MOD(nm, id) { nm, read_mod, DP_OP_SET_FIELD, FLOW_F_##id, 0 }
static const struct action actions[] = {
    { "output", read_output, DP_OP_OUTPUT, 0, 0 },
    { "controller", read_controller, DP_OP_CONTROLLER, 0, 0 },
    { "enqueue", read_enqueue, DP_OP_SET_QUEUE, 0, 0 },
    { "drop", read_drop, 0, 0, 0 },
    { "set_field", read_set_field, DP_OP_SET_FIELD, 0, 0 },
    { "move", read_move, DP_OP_COPY_FIELD, 0, 0 },
    { "copy_field", read_move, DP_OP_COPY_FIELD, 0, 0 },
    { "load", read_load, DP_OP_SET_FIELD, 0, 0 },
    { "push_vlan", read_push_vlan, DP_OP_PUSH_VLAN, 0, 0 },
    PLAIN("pop_vlan", POP_VLAN),
    { "strip_vlan", read_plain, DP_OP_POP_VLAN, 1, 0 },
    { "mod_vlan_vid", read_mod_vlan, 0, FLOW_F_VLAN_VID, 0 },
    { "set_vlan_vid", read_mod_vlan, 0, FLOW_F_VLAN_VID, 0 },
    { "mod_vlan_pcp", read_mod_vlan, 0, FLOW_F_VLAN_PCP, 0 },
    { "set_vlan_pcp", read_mod_vlan, 0, FLOW_F_VLAN_PCP, 0 },
    MOD("mod_dl_src", ETH_SRC),
    MOD("mod_dl_dst", ETH_DST),
    MOD("mod_nw_src", IPV4_SRC),
    MOD("mod_nw_dst", IPV4_DST),
    { "mod_nw_tos", read_mod_tos, 0, 0, 0 },
    MOD("mod_nw_ecn", IP_ECN),
    MOD("mod_tp_src", TCP_SRC),
    MOD("mod_tp_dst", TCP_DST),
    { "mod_nw_ttl", read_arg, DP_OP_SET_NW_TTL, 0, 0xff },
    PLAIN("dec_ttl", DEC_NW_TTL),
    MOD("set_tunnel", TUN_ID),
    MOD("set_tunnel64", TUN_ID),
    { "push_mpls", read_mpls_type, DP_OP_PUSH_MPLS, 0, 0 },
    { "pop_mpls", read_mpls_type, DP_OP_POP_MPLS, 0, 0 },
    MOD("set_mpls_label", MPLS_LABEL),
    MOD("set_mpls_tc", MPLS_TC),
    { "set_mpls_ttl", read_arg, DP_OP_SET_MPLS_TTL, 0, 0xff },
    PLAIN("dec_mpls_ttl", DEC_MPLS_TTL),
    { "push_pbb", read_arg, DP_OP_PUSH_PBB, 0, 0xffff },
    PLAIN("pop_pbb", POP_PBB),
    PLAIN("copy_ttl_out", COPY_TTL_OUT),
    PLAIN("copy_ttl_in", COPY_TTL_IN),
    { "set_queue", read_arg, DP_OP_SET_QUEUE, 0, UINT32_MAX },
    { "group", read_arg, DP_OP_GROUP, 0, UINT32_MAX },
    { "meter", read_meter, 0, 0, UINT32_MAX },
    { "clear_actions", read_clear, 0, 0, 0 },
    { "write_actions", read_write, 0, 0, 0 },
    { "write_metadata", read_metadata, 0, 0, 0 },
    { "goto_table", read_goto, 0, 0, DP_N_TABLES - 1 },
};
#undef PLAIN
#undef MOD

static const struct action meter_action = { "meter", read_arg, DP_OP_METER, 0,
                                            UINT32_MAX };

/* ovs-ofctl takes action names in any case ("CONTROLLER:128"). */
static const struct action *
action_find(const char *name)
{
    for (unsigned i = 0; i < WEFT_ARRAY_LEN(actions); i++)
        if (actions[i].name[0] == (name[0] | 0x20)
            && !strcasecmp(actions[i].name, name))
            return &actions[i];
    return NULL;
}

static int
read_action(struct reader *r, char *key, char *value)
{
    const struct action *a = action_find(key);
    enum stage stage;
    uint32_t port;

    /* Behind other actions, meter is 1.5's action (1.5.1 §5.8). */
    if (a && a->read == read_meter && (r->any || r->ops_only || r->in_write))
        a = &meter_action;
    stage = a ? stage_of(a) : IN_APPLY;
    if (stage != IN_APPLY && (r->ops_only || r->in_write))
        return weft_err_set(r->e, -EINVAL, "%s: is an instruction, not an"
                                           " action", a->name);
    if (!r->in_write && stage < r->stage)
        return weft_err_set(r->e, -EINVAL,
                            "%.40s: must come earlier (meter, actions,"
                            " clear_actions, write_actions, write_metadata,"
                            " goto_table)", key);
    if (!r->in_write && stage == r->stage && stage != IN_APPLY && r->any)
        return weft_err_set(r->e, -EINVAL, "%s: said twice", a->name);
    if (r->drop || (r->any && a && a->read == read_drop))
        return weft_err_set(r->e, -EINVAL, "drop: must stand alone");
    if (!r->in_write)
        r->stage = stage;
    r->any = true;
    if (a)
        return a->read(r, a, value);
    if (!value && !text_port_on(r->f->ports, key, key, &port, NULL))
        return add_output(r, "output", key); /* "1", "LOCAL", "normal" */
    return weft_err_set(r->e, -EINVAL, "%.40s: unknown or unsupported action",
                        key);
}

static int
read_list(struct reader *r, char *text)
{
    char *key, *value;
    int got;

    while ((got = text_next(&text, &key, &value, r->e)) > 0) {
        r->f->word = key;
        int err = *key ? read_action(r, key, value)
                       : weft_err_set(r->e, -EINVAL,
                                      "%.40s: action name missing",
                                      value ? value : "");
        if (err)
            return err;
    }
    if (got < 0)
        r->f->word = key;
    return got;
}

int
text_read_actions(struct ofp_flow_text *f, char *text, bool ops_only,
                  struct weft_err *e)
{
    struct reader r = { .f = f, .ops_only = ops_only, .e = e };
    int err = read_list(&r, text);

    f->ops = r.ops;
    if (err)
        return err;

    uint32_t n_write = r.write_end - r.write_start;

    /* write_actions follows all applied actions: see enum stage. */
    f->instr.apply.n_words = r.n - n_write;
    f->instr.write.n_words = n_write;
    if (f->instr.apply.n_words)
        f->instr.apply.ops = (const struct dp_op *) (const void *) r.ops;
    if (n_write)
        f->instr.write.ops = (const struct dp_op *) (const void *)
                             (r.ops + r.write_start);
    return 0;
}
