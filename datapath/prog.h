/* SPDX-License-Identifier: Apache-2.0 */
/* Folded programs: what a packet's walk through all tables comes down to.
 *
 * What:    struct prog, the compiled instructions of rules, and the fold of a
 *          path of rules into one flat list of ops.
 * Model:   a program is a list of dp_ops, executed in order, whose last op
 *          takes the packet (an output, or DROP, or RESUME); every output
 *          before it makes a copy.  Beside the ops it lists whom to credit.
 *
 *          Ops that only a program has:
 *          DROP    arg: enum drop_reason.
 *          RESUME  the headers changed in a way that only the packet itself
 *                  tells: parse it again and go on at a table, with the
 *                  metadata and action set reached so far.
 *          EGRESS  what the outputs behind it (but CONTROLLER) send goes
 *                  through egress tables first; aux as of RESUME, data the
 *                  metadata that it takes along.  Stands before each output
 *                  of a bridge with egress tables.
 *          Metadata is folded: no op writes it, and what looks at it holds
 *          its value.  Once a COPY_FIELD from the packet has written it, it
 *          is in the packet's key until the program ends.
 *          CONTROLLER, DEC_NW_TTL, DEC_MPLS_TTL, GROUP carry a struct prog_ctx
 *          when words is larger than 1.  Where a program is a rule's own
 *          (PROG_SELF), the rule is the context, but for the metadata and
 *          where the prog_ctx says that it is whole.
 * Threads: any; no state.
 * Owns:    nothing; ops point into a rule_act or into a worker's arena.
 * Source:  OpenFlow 1.3.5 §5.1, §5.9, §5.10. */
#ifndef DP_PROG_H
#define DP_PROG_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "utils/base/hmap.h"
#include "utils/base/list.h"
#include "weft/compiler.h"
#include "weft/dp.h"

enum {
    PROG_OP_DROP = N_DP_OPS,
    PROG_OP_RESUME,
    PROG_OP_EGRESS,
    N_PROG_OPS
};

/* Where in the pipeline an op comes from, for punts. */
struct prog_ctx {
    uint64_t cookie;
    uint64_t metadata; /* Host order. */
    uint8_t table;
    uint8_t miss_rule;
    uint8_t metadata_in_key; /* A COPY_FIELD wrote it: see the packet. */
    uint8_t whole; /* Nothing is left to the rule that it is part of. */
    uint8_t pad[4];
};
/* aux of SET_QUEUE: the default queue again, behind 1.0's enqueue. */
#define PROG_QUEUE_NONE 0x8000
#define PROG_MAX_WORDS 4096
#define PROG_CTX_WORDS (1 + sizeof(struct prog_ctx) / 8)

/* Data of RESUME; arg is n_aset, aux the table and PROG_METADATA_IN_KEY. */
#define PROG_METADATA_IN_KEY 0x100
#define PROG_IN_EGRESS 0x200 /* RESUME in egress tables. */
struct prog_resume {
    uint64_t uid; /* First element of the paths that start here. */
    uint64_t metadata; /* Unless it is in the packet's key. */
    uint64_t aset[]; /* arg words of ops: the action set. */
};

/* Whom to credit: a rule, or (odd) a table that was looked up in vain. */
typedef uintptr_t prog_credit;
#define PROG_CREDIT_MISS(table) (((uintptr_t) (table) << 1) | 1)

struct prog_code {
    const uint64_t *ops;
    uint32_t n_words;
};

/* What packets run, and what a cache entry leads to: code, often shared, and
 * by its kind whom to credit: nobody, the rule that it is part of (SELF), or
 * those of a struct walk_prog. */
struct prog {
    const struct prog_code *code; /* Published. */
    uint32_t kind; /* PROG_* */
    uint32_t used; /* Tick of the last packet; of a rule's: any worker. */
};
enum { PROG_PLAIN, PROG_SELF, PROG_WALK };

/* A program that came out of a walk: counts for all whom to credit, see
 * tally.h.  They follow. */
struct walk_prog {
    struct prog prog;                  /* PROG_WALK. */
    uint64_t packets, bytes;           /* Worker. */
    uint64_t packets_done, bytes_done; /* Whoever tallies. */
    struct dp_bridge *br;
    uint32_t n_credits, pad;
};
static_assert(sizeof(struct walk_prog) == 64, "a line");

static inline prog_credit *
walk_prog_credits(const struct walk_prog *p)
{
    return (prog_credit *) (uintptr_t) (p + 1);
}

/* Compiled instructions, shared by the rules of a bridge that do the same.
 * Immutable once published; dp_rule_set publishes another one. */
struct rule_act {
    struct prog_code code; /* First.  Flat program; ops NULL: none. */
    uint16_t n_apply, n_write; /* Words. */
    uint8_t goto_table;
    uint8_t flags; /* ACT_* */
    uint8_t kind;  /* ACT_KIND_* */
    /* Control only. */
    uint8_t own;   /* Of one rule: not to be found. */
    uint32_t refs;
    uint32_t meter; /* Workers too. */
    uint64_t cookie; /* Workers too.  With ACT_KIND_COOKIE, else 0. */
    struct base_hnode node;
    struct base_list metered; /* In the bridge's list, if it has a meter. */
    uint64_t words[]; /* apply, write, metadata and mask, program. */
};
/* What rules must have in common, beside their instructions. */
#define ACT_KIND_FLAT 1 /* In table 0: has a flat program, if no goto. */
#define ACT_KIND_MISS 2 /* A table-miss rule's. */
#define ACT_KIND_COOKIE 4 /* Of rules whose cookie became 'cookie'. */

struct act_kind {
    uint8_t kind;    /* ACT_KIND_* */
    uint64_t cookie; /* With ACT_KIND_COOKIE, else 0. */
};

#define ACT_CLEAR 0x01    /* Clear-actions. */
#define ACT_METADATA 0x02 /* Metadata and mask follow the ops. */
#define ACT_CHANGES 0x04  /* apply writes what later tables may look at. */
#define ACT_VLAN 0x10     /* Looks at the packet's VLAN tags. */
#define ACT_FRAG 0x40     /* Writes what later fragments do not have. */
#define ACT_STAGED 0x80   /* A transaction changes the rule: stage_fast.h. */

static inline const struct dp_op *
prog_op_at(const uint64_t *words)
{
    return (const struct dp_op *) (const void *) words;
}

/* Iterates over 'n' words of ops. */
#define PROG_FOR_OPS(op, from, n)                                             \
    for (const uint64_t *w_ = (from), *e_ = w_ + (n);                         \
         w_ < e_ && ((op) = prog_op_at(w_), 1); w_ += (op)->words)

/* Does it give packets away (OpenFlow 1.3.5 §5.10)? */
static inline bool
prog_op_is_output(const struct dp_op *op)
{
    return op->code <= DP_OP_TABLE || op->code == DP_OP_GROUP;
}

/* What a packet met in one table. */
struct prog_step {
    const struct rule_act *act; /* NULL: a miss, see prog_path.miss. */
    struct dp_rule *rule;       /* With its cookie then; not if 'flat'. */
    uint64_t cookie;
};

/* What a walk came to. */
struct prog_path {
    const struct prog_step *steps;
    const uint8_t *tables; /* Table of each step. */
    unsigned n;
    uint8_t miss;      /* enum dp_miss of a final miss. */
    bool resume;       /* The last rule's goto starts from the packet. */
    bool flat;         /* One rule, any: it is the context of its ops. */
    const struct dp_op *start; /* RESUME op the walk began with; NULL. */
    uint64_t metadata;         /* At the start, host order. */
    /* Egress tables: */
    uint8_t egress;            /* First one, for what is sent; or
                                * DP_NO_TABLE. */
    bool in_egress;            /* The walk is in them: see 'output'. */
    uint64_t resume_uid;       /* For a RESUME at the end. */
    struct dp_op output;       /* In egress tables, the port it is on the way
                                * to: the first op of the action set if
                                * 'start' is EGRESS.  Last: has no data. */
};

/* Folds into 'buf'; returns the number of words or -ENOSPC.
 * Thread: any. */
int prog_fold(const struct prog_path *, uint64_t *buf, size_t n_words);

/* Folds a packet-out's list, which may hold TABLE. */
int prog_fold_packet_out(const struct dp_op_list *, uint8_t egress,
                         uint64_t *buf, size_t n_words);

/* What actset_output is (host order) with the action set's output and group
 * ops, NULL: none.  OpenFlow 1.5.1 §7.2.3.8. */
static inline uint32_t
prog_actset_output(const struct dp_op *output, const struct dp_op *group)
{
    if (!output || group)
        return FLOW_PORT_UNSET;
    /* In egress tables, where the port is known. */
    return output->code == DP_OP_IN_PORT && output->arg ? output->arg
                                                        : dp_op_port(output);
}

/* The SET_FIELD that a COPY_FIELD comes down to when its source field has the
 * value 'v' (right-aligned).  'buf': PROG_SET_WORDS.  Thread: any. */
#define PROG_SET_WORDS 5
const struct dp_op *prog_copy_to_set(const struct dp_copy_field *,
                                     const uint8_t v[16], uint64_t *buf);

/* An action set alone, that of a bucket: its program in the set's order.
 * Returns the number of words, at most those of the list and one. */
int prog_order_set(const struct dp_op_list *, uint64_t *buf, size_t n_words);

/* Applies what the apply-actions of 'a' do to the key 'k' (with metadata).
 * False: only the packet itself can tell (see RESUME).  Thread: worker. */
struct dp_bridge;
bool prog_simulate(const struct dp_bridge *, const struct rule_act *a,
                   struct flow_key *k);

/* 0, -EINVAL (malformed or unknown op) or -EOPNOTSUPP.  Sets ACT_CHANGES and
 * ACT_VLAN in *flags. */
int prog_check_ops(const struct dp_op_list *, bool packet_out,
                   uint8_t *flags);

#endif
