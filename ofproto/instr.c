/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/instr.h"

#include <assert.h>
#include <string.h>

#include "utils/base/mem.h"

void
ofp_instr_pool_init(struct ofp_instr_pool *p)
{
    base_hmap_init(&p->map);
}

void
ofp_instr_pool_fini(struct ofp_instr_pool *p)
{
    assert(p->map.n == 0);
    base_hmap_fini(&p->map);
}

static uint32_t
instr_hash(const struct dp_instr *in)
{
    uint64_t h = base_hash_mix(in->metadata, in->metadata_mask);

    h = base_hash_mix(h, (uint64_t) in->meter << 16
                             | (uint64_t) in->goto_table << 8 | in->clear);
    h = base_hash_mix(h, base_hash_bytes(in->apply.ops,
                                         8u * in->apply.n_words, 1));
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
instr_equal(const struct ofp_instr *b, const struct dp_instr *in)
{
    return b->n_apply == in->apply.n_words && b->n_write == in->write.n_words
           && b->goto_table == in->goto_table && b->clear == in->clear
           && b->meter == in->meter && b->metadata == in->metadata
           && b->metadata_mask == in->metadata_mask
           && ops_equal(b->ops, &in->apply)
           && ops_equal(b->ops + b->n_apply, &in->write);
}

struct ofp_instr *
ofp_instr_get(struct ofp_instr_pool *p, const struct dp_instr *in)
{
    uint32_t hash = instr_hash(in);
    uint32_t na = in->apply.n_words, nw = in->write.n_words;
    struct ofp_instr *b;

    for (struct base_hnode *n = base_hmap_first(&p->map, hash); n;
         n = base_hmap_next_same(n)) {
        b = WEFT_CONTAINER_OF(n, struct ofp_instr, node);
        if (instr_equal(b, in))
            return ofp_instr_ref(b);
    }
    assert(na <= UINT16_MAX && nw <= UINT16_MAX);
    b = base_xmalloc(sizeof *b + 8u * (na + nw));
    b->refs = 1;
    b->meter = in->meter;
    b->metadata = in->metadata;
    b->metadata_mask = in->metadata_mask;
    b->n_apply = (uint16_t) na;
    b->n_write = (uint16_t) nw;
    b->goto_table = in->goto_table;
    b->clear = in->clear;
    if (na)
        memcpy(b->ops, in->apply.ops, 8u * na);
    if (nw)
        memcpy(b->ops + na, in->write.ops, 8u * nw);
    base_hmap_add(&p->map, &b->node, hash);
    return b;
}

struct ofp_instr *
ofp_instr_ref(struct ofp_instr *b)
{
    b->refs++;
    return b;
}

void
ofp_instr_put(struct ofp_instr_pool *p, struct ofp_instr *b)
{
    if (!b || --b->refs)
        return;
    base_hmap_del(&p->map, &b->node);
    free(b);
}

void
ofp_instr_view(const struct ofp_instr *b, struct dp_instr *out)
{
    const void *apply = b->ops, *write = b->ops + b->n_apply;

    *out = (struct dp_instr) {
        .apply = { b->n_apply ? apply : NULL, b->n_apply },
        .write = { b->n_write ? write : NULL, b->n_write },
        .clear = b->clear,
        .meter = b->meter,
        .metadata = b->metadata,
        .metadata_mask = b->metadata_mask,
        .goto_table = b->goto_table,
    };
}

/* The op that stands for an output to 'port'. */
static bool
op_outputs(const struct dp_op *op, uint32_t port)
{
    switch (op->code) {
    case DP_OP_OUTPUT:
        return op->arg == port;
    case DP_OP_CONTROLLER:
        return port == 0xfffffffdu;
    case DP_OP_ALL:
        return port == 0xfffffffcu;
    case DP_OP_FLOOD:
        return port == 0xfffffffbu;
    case DP_OP_NORMAL:
        return port == 0xfffffffau;
    case DP_OP_TABLE:
        return port == 0xfffffff9u;
    case DP_OP_IN_PORT:
        return port == 0xfffffff8u;
    default:
        return false;
    }
}

bool
ofp_instr_outputs(const struct ofp_instr *b, uint32_t port)
{
    const void *start = b->ops;
    struct dp_op_list all = { start, (uint32_t) b->n_apply + b->n_write };
    const struct dp_op *op;

    OFP_OP_FOR(op, &all)
        if (op_outputs(op, port))
            return true;
    return false;
}

bool
ofp_instr_has_group(const struct ofp_instr *b, uint32_t group)
{
    const void *start = b->ops;
    struct dp_op_list all = { start, (uint32_t) b->n_apply + b->n_write };
    const struct dp_op *op;

    OFP_OP_FOR(op, &all)
        if (op->code == DP_OP_GROUP && op->arg == group)
            return true;
    return false;
}
