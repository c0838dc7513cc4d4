/* SPDX-License-Identifier: Apache-2.0 */
/* Instruction blocks, shared.
 *
 * What:    what a rule does, stored once however many rules do the same.
 * Model:   blocks are immutable, interned by content in a hash of the bridge
 *          and counted by reference: a hundred thousand rules that output to
 *          48 ports need 48 blocks.
 * Threads: control.
 * Owns:    the pool owns every block until its last reference is dropped.
 * Errors:  none.
 * Cost:    ofp_instr_get: one hash of the ops and one compare.
 * Source:  OpenFlow 1.3.5 §5.9. */
#ifndef OFP_INSTR_H
#define OFP_INSTR_H

#include "utils/base/hmap.h"
#include "weft/dp.h"

struct ofp_instr {
    struct base_hnode node; /* In the pool, by hash. */
    uint32_t refs;
    uint32_t meter;
    uint64_t metadata, metadata_mask;
    uint16_t n_apply, n_write; /* 8-byte units. */
    uint8_t goto_table;
    bool clear;
    uint64_t ops[]; /* apply, then write. */
};

struct ofp_instr_pool {
    struct base_hmap map;
};

void ofp_instr_pool_init(struct ofp_instr_pool *);
/* All references must have been dropped. */
void ofp_instr_pool_fini(struct ofp_instr_pool *);

/* Returns a reference to the block that equals 'in'.  A list longer than
 * 65535 units (no message holds one) is a bug. */
struct ofp_instr *ofp_instr_get(struct ofp_instr_pool *,
                                const struct dp_instr *in);
struct ofp_instr *ofp_instr_ref(struct ofp_instr *);
void ofp_instr_put(struct ofp_instr_pool *, struct ofp_instr *);

/* The same as the datapath reads it; pointers into 'b'. */
void ofp_instr_view(const struct ofp_instr *b, struct dp_instr *out);

/* Does the block output to 'port' (a number or DP_PORT_*), or to 'group'?
 * For the out_port and out_group filters. */
bool ofp_instr_outputs(const struct ofp_instr *, uint32_t port);
bool ofp_instr_has_group(const struct ofp_instr *, uint32_t group);

/* Iterates over a list of ops. */
#define OFP_OP_FOR(op, list)                                                  \
    for (op = (list)->ops;                                                    \
         op && (const uint64_t *) (const void *) op                           \
                   < (const uint64_t *) (const void *) (list)->ops            \
                         + (list)->n_words;                                   \
         op = (const struct dp_op *) (const void *)                           \
              ((const uint64_t *) (const void *) op + op->words))

#endif
