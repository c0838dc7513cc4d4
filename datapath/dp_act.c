/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions compiled when they arrive, once for all rules of a bridge that
 * do the same: a million rules to 48 ports take 48 of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/dp_priv.h"

/* Room for a flat program: its ops with context, and the end. */
#define FLAT_MAX PROG_MAX_WORDS

/* ------------------------------------------------------------- instructions */

/* What is wrong in any table. */
static int
instr_check(const struct dp_instr *in, uint8_t *flags)
{
    uint8_t write_flags = 0;
    int err;

    if (in->meter) /* It may write the DSCP. */
        *flags |= ACT_CHANGES;
    if (in->apply.n_words > PROG_MAX_WORDS / 8
        || in->write.n_words > PROG_MAX_WORDS / 8)
        return -EINVAL;
    err = prog_check_ops(&in->apply, false, flags);
    if (!err)
        err = prog_check_ops(&in->write, false, &write_flags);
    if (in->clear)
        *flags |= ACT_CLEAR;
    if (in->metadata_mask)
        *flags |= ACT_METADATA;
    return err;
}

static bool
goto_is_valid(const struct dp_instr *in, uint8_t table)
{
    return in->goto_table == DP_NO_TABLE
           || (in->goto_table > table && in->goto_table < DP_N_TABLES);
}

static uint32_t
instr_hash(const struct dp_instr *in, const struct act_kind *k)
{
    uint64_t h = base_hash_mix(in->metadata, in->metadata_mask);

    h = base_hash_mix(h, (uint64_t) in->meter << 32 | (uint64_t) k->kind << 16
                             | (uint64_t) in->goto_table << 8 | in->clear);
    h = base_hash_mix(h, k->cookie);
    h = base_hash_mix(h, base_hash_bytes(in->apply.ops,
                                         8u * in->apply.n_words, 1));
    if (in->write.n_words)
        h = base_hash_mix(h, base_hash_bytes(in->write.ops,
                                             8u * in->write.n_words, 2));
    return base_hash_finish(h);
}

static bool
ops_equal(const uint64_t *a, const struct dp_op_list *b)
{
    return !b->n_words || !memcmp(a, b->ops, 8u * b->n_words);
}

static bool
act_equal(const struct rule_act *a, const struct dp_instr *in,
          const struct act_kind *k)
{
    unsigned n = (unsigned) a->n_apply + a->n_write;

    return !a->own && a->n_apply == in->apply.n_words
           && a->n_write == in->write.n_words
           && a->goto_table == in->goto_table && a->kind == k->kind
           && a->cookie == k->cookie
           && a->meter == in->meter
           && !(a->flags & ACT_CLEAR) == !in->clear
           && !(a->flags & ACT_METADATA) == !in->metadata_mask
           && ops_equal(a->words, &in->apply)
           && ops_equal(a->words + a->n_apply, &in->write)
           && (!in->metadata_mask
               || (a->words[n] == in->metadata
                   && a->words[n + 1] == in->metadata_mask));
}

static struct dp_op_list
view_ops(const uint64_t *words, uint32_t n)
{
    return (struct dp_op_list) {
        .ops = n ? (const struct dp_op *) (const void *) words : NULL,
        .n_words = n,
    };
}

void
act_view(const struct rule_act *a, struct dp_instr *in)
{
    const uint64_t *after = a->words + a->n_apply + a->n_write;

    *in = (struct dp_instr) {
        .apply = view_ops(a->words, a->n_apply),
        .write = view_ops(a->words + a->n_apply, a->n_write),
        .clear = a->flags & ACT_CLEAR,
        .meter = a->meter,
        .goto_table = a->goto_table,
    };
    if (a->flags & ACT_METADATA) {
        in->metadata = after[0];
        in->metadata_mask = after[1];
    }
}

/* --------------------------------------------------------------- compilation */

/* An act on the stack of the caller, before its size is known. */
struct act_build {
    struct rule_act *act; /* In 'mem', without the program. */
    uint64_t mem[sizeof(struct rule_act) / 8 + PROG_MAX_WORDS / 4 + 2];
    uint64_t flat[FLAT_MAX];
    const uint64_t *prog; /* NULL: none. */
    unsigned n, n_prog;
    bool share; /* The program's ops are the apply list itself. */
};

/* Fills all but the program; returns the number of words. */
static unsigned
act_fill(struct rule_act *a, const struct dp_instr *in,
         const struct act_kind *k, uint8_t flags)
{
    uint64_t *words = a->words;
    unsigned n = 0;

    memset(a, 0, sizeof *a);
    a->kind = k->kind;
    a->cookie = k->cookie;
    a->flags = flags;
    a->goto_table = in->goto_table;
    a->meter = in->meter;
    a->n_apply = (uint16_t) in->apply.n_words;
    a->n_write = (uint16_t) in->write.n_words;
    if (a->n_apply)
        memcpy(words, in->apply.ops, 8u * a->n_apply);
    n += a->n_apply;
    if (a->n_write)
        memcpy(words + n, in->write.ops, 8u * a->n_write);
    n += a->n_write;
    if (flags & ACT_METADATA) {
        words[n++] = in->metadata;
        words[n++] = in->metadata_mask;
    }
    return n;
}

/* The program of a rule that ends the pipeline in table 0; its number of
 * words, 0: none, -ENOSPC. */
static int
act_fold(const struct rule_act *a, uint64_t *flat)
{
    const uint8_t table = 0;
    const struct prog_step step = { .act = a, .cookie = a->cookie };
    const struct prog_path p = { .steps = &step, .tables = &table, .n = 1,
                                 .flat = !(a->kind & ACT_KIND_COOKIE),
                                 .egress = DP_NO_TABLE };

    if (!(a->kind & ACT_KIND_FLAT) || a->goto_table != DP_NO_TABLE)
        return 0;
    return prog_fold(&p, flat, FLAT_MAX);
}

static int
act_build(struct act_build *b, const struct act_kind *k,
          const struct dp_instr *in, uint8_t flags)
{
    int n;

    b->act = (struct rule_act *) (void *) b->mem;
    b->n = act_fill(b->act, in, k, flags);
    n = act_fold(b->act, b->flat);
    if (n < 0)
        return -EINVAL; /* Longer than a program may be. */
    b->n_prog = (unsigned) n;
    b->prog = n ? b->flat : NULL;
    b->share = n && b->n_prog == in->apply.n_words
               && !memcmp(b->flat, b->act->words, 8u * b->n_prog);
    return 0;
}

/* The act in memory of its own; NULL: there is none. */
static struct rule_act *
act_place(const struct act_build *b)
{
    size_t head = sizeof(struct rule_act) + 8u * b->n;
    struct rule_act *a = malloc(head + (b->share ? 0 : 8u * b->n_prog));
    uint64_t *ops;

    if (!a)
        return NULL;
    memcpy(a, b->act, head);
    a->refs = 1;
    if (!b->prog)
        return a;
    ops = b->share ? a->words : a->words + b->n;
    if (!b->share)
        memcpy(ops, b->prog, 8u * b->n_prog);
    a->code = (struct prog_code) { .ops = ops, .n_words = b->n_prog };
    return a;
}

/* ------------------------------------------------------------------ sharing */

/* Actions that look at VLAN tags or fragments widen the caches' key. */
static void
key_add(struct dp_bridge *br, uint8_t flags)
{
    struct flow_key m;

    if (!(flags & (ACT_VLAN | ACT_FRAG)))
        return;
    memset(&m, 0, sizeof m);
    if (flags & ACT_VLAN && !br->n_vlan_acts++) {
        m.vlan_tci = be16_from(FLOW_VLAN_PRESENT);
        m.nw_flags = FLOW_NW_MORE_VLAN;
    }
    if (flags & ACT_FRAG && !br->n_frag_acts++)
        m.nw_flags |= FLOW_NW_FRAG_LATER;
    dp_bridge_need_mask(br, &m);
}

static void
field_rewrites(unsigned field, const uint8_t *mask, struct flow_key *m)
{
    const struct flow_field *f = &flow_fields[field];
    uint8_t *at = (uint8_t *) m + f->offset;

    for (unsigned i = 0; i < f->width; i++)
        at[i] |= mask ? mask[i] : 0xff;
}

/* What prog_simulate does to keys; where it gives up, the walk ends. */
void
act_rewrites(const struct rule_act *a, struct flow_key *m)
{
    const struct dp_op *op;

    PROG_FOR_OPS(op, a->words, a->n_apply)
        switch (op->code) {
        case DP_OP_SET_FIELD:
            field_rewrites(op->aux,
                           op->data + flow_fields[op->aux].width, m);
            break;
        case DP_OP_COPY_FIELD:
            field_rewrites(((const struct dp_copy_field *) (const void *)
                                op->data)->dst, NULL, m);
            break;
        case DP_OP_PUSH_VLAN:
        case DP_OP_POP_VLAN:
            m->vlan_tci = UINT16_MAX;
            m->nw_flags = UINT8_MAX;
            break;
        default: /* The TTL's, which no rule looks at. */
            m->ip_ttl = UINT8_MAX;
        }
}

static struct rule_act *
act_find(struct dp_bridge *br, const struct act_kind *k,
         const struct dp_instr *in, uint32_t hash)
{
    struct base_hnode *node = base_hmap_first(&br->acts, hash);

    for (; node; node = base_hmap_next_same(node)) {
        struct rule_act *a = WEFT_CONTAINER_OF(node, struct rule_act, node);

        if (act_equal(a, in, k))
            return a;
    }
    return NULL;
}

static bool
act_has_meter(const struct rule_act *a)
{
    const struct dp_op *op;

    PROG_FOR_OPS(op, a->words, (uint32_t) a->n_apply + a->n_write)
        if (op->code == DP_OP_METER)
            return true;
    return a->meter != 0;
}

void
dp_rules_metered(struct dp_bridge *br, dp_metered_cb *cb, void *arg)
{
    const struct rule_act *a;
    struct dp_instr in;

    BASE_LIST_FOR(a, &br->metered_acts, metered) {
        act_view(a, &in);
        cb(arg, &in, a->refs);
    }
}

/* 'flat' (NULL: none): the program that the act has though its instructions
 * give it none. */
static int
act_new(struct dp_bridge *br, const struct act_kind *k,
        const struct dp_instr *in, uint32_t hash, const struct prog_code *flat, struct rule_act **out)
{
    struct act_build b;
    uint8_t flags = 0;
    int err = instr_check(in, &flags);

    if (!err)
        err = act_build(&b, k, in, flags);
    if (err)
        return err;
    if (flat) {
        b.prog = flat->ops;
        b.n_prog = flat->n_words;
        b.act->own = true;
    }
    *out = act_place(&b);
    if (!*out)
        return -ENOMEM;
    base_hmap_add(&br->acts, &(*out)->node, hash);
    base_list_init(&(*out)->metered);
    if (act_has_meter(*out))
        base_list_add_tail(&br->metered_acts, &(*out)->metered);
    key_add(br, flags);
    if (flags & ACT_CHANGES)
        act_rewrites(*out, &br->rewritten);
    return 0;
}

int
act_get(struct dp_bridge *br, uint8_t table, const struct act_kind *k,
        const struct dp_instr *in, struct rule_act **out)
{
    struct rule_act *a = br->last_act;
    uint32_t hash;
    int err;

    if (!goto_is_valid(in, table))
        return -EINVAL;
    if (!a || !act_equal(a, in, k)) {
        hash = instr_hash(in, k);
        a = act_find(br, k, in, hash);
        if (!a) {
            err = act_new(br, k, in, hash, NULL, out);
            if (!err)
                br->last_act = *out;
            return err;
        }
        br->last_act = a;
    }
    a->refs++;
    *out = a;
    return 0;
}

int
act_get_after(struct dp_bridge *br, uint8_t table, const struct act_kind *k,
              const struct rule_act *old, const struct dp_instr *in, struct rule_act **out)
{
    if (!goto_is_valid(in, table))
        return -EINVAL;
    if (!old->code.ops || in->goto_table == DP_NO_TABLE)
        return act_get(br, table, k, in, out);
    /* Any hash will do: it is not to be found. */
    return act_new(br, k, in,
                   (uint32_t) br->dp->next_uid * UINT32_C(0x9e3779b1),
                   &old->code, out);
}

void
act_put(struct dp_bridge *br, struct rule_act *a)
{
    if (--a->refs)
        return;
    if (br->last_act == a)
        br->last_act = NULL;
    base_hmap_del(&br->acts, &a->node);
    base_list_del(&a->metered);
    br->n_vlan_acts -= (a->flags & ACT_VLAN) != 0;
    br->n_frag_acts -= (a->flags & ACT_FRAG) != 0;
    rcu_defer_held(br->dp->rcu, free, a);
}

void
acts_destroy(struct dp_bridge *br)
{
    struct base_hnode *node, *tmp;

    BASE_HMAP_FOR_SAFE (node, tmp, &br->acts)
        free(WEFT_CONTAINER_OF(node, struct rule_act, node));
    base_hmap_fini(&br->acts);
}
