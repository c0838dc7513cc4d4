/* SPDX-License-Identifier: Apache-2.0 */
/* Wire actions and instructions to datapath ops, and back.
 *
 * What:    check, compile, encode.
 * Model:   every action of the wire has a struct ofp_action in one line of
 *          actions/of_actions.def.  Compiling appends ops to a scratch
 *          buffer that is reused for every message; 'state' is the match as
 *          it stands after the actions so far, so that "push a tag, then set
 *          its VID" is consistent on untagged packets.  Encoding walks the
 *          ops: what the agent stored is what it reports.  1.3 is lossless;
 *          in 1.0's replies, actions that 1.0 cannot say are left out.
 * Threads: control.
 * Owns:    the scratch buffer; compiled lists point into it and live until
 *          the next ofp_compile_begin.
 * Errors:  enum ofp_err.
 * Source:  OpenFlow 1.3.5 §5.9, §5.10, §5.12, §7.2.4, §7.2.5. */
#ifndef OFP_COMPILE_H
#define OFP_COMPILE_H

#include "loci/loci.h"
#include "ofproto/ofp_err.h"
#include "ofproto/triggers.h"
#include "weft/dp.h"

struct ofp_compile {
    uint8_t version;         /* Wire version. */
    uint8_t reason;          /* enum dp_punt_reason of outputs to the
                              * controller; a group's caller sets it. */
    bool packet_out;         /* No match to be consistent with; TABLE ok. */
    bool write;              /* In write-actions: see ofp_compile_requires. */
    bool bucket;             /* Of a group: as packet_out, but TABLE. */
    const struct ofp_groups *groups; /* That actions may name; NULL: any. */
    uint8_t table;           /* The rule's. */
    uint8_t egress;          /* First egress table; kept between messages. */
    struct flow_match match; /* In write-actions: before the first of them. */
    struct flow_match state; /* After the actions so far. */
    struct ofp_trigger trigger; /* Of the instructions. */
    uint64_t *ops;           /* Scratch. */
    uint32_t n_ops, cap_ops; /* 8-byte units. */
};

void ofp_compile_fini(struct ofp_compile *);
/* 'match' NULL: a packet-out, or (c->bucket, set afterwards) a bucket.  Sets
 * 'reason' accordingly. */
void ofp_compile_begin(struct ofp_compile *, uint8_t version, uint8_t table,
                       const struct flow_match *match);
/* Compiles one action list.  The buffer may move while more is compiled:
 * ofp_compile_place fills out->ops when all is done; 'start' is the number of
 * units compiled before the list. */
enum ofp_err ofp_compile_actions(struct ofp_compile *, of_list_action_t *,
                                 struct dp_op_list *out);
void ofp_compile_place(const struct ofp_compile *, uint32_t start,
                       struct dp_op_list *out);
enum ofp_err ofp_compile_instructions(struct ofp_compile *,
                                      of_list_instruction_t *,
                                      struct dp_instr *out);

/* Appends to 'list' or the list of instructions; 0 or enum of_error_codes. */
WEFT_MUST_CHECK int ofp_encode_actions(const struct dp_op_list *,
                                       of_list_action_t *list);
/* 'trigger' NULL: none; versions before 1.5 cannot say it. */
WEFT_MUST_CHECK int ofp_encode_instructions(const struct dp_instr *,
                                            const struct ofp_trigger *trigger,
                                            of_list_instruction_t *list);

/* The action of 1.3 and later that the op stands for: OFPAT_*. */
unsigned ofp_action_type(const struct dp_op *);

/* ------------------------------------------------- for ofproto/actions/ */

struct ofp_encode {
    of_list_action_t *list;
    uint8_t version;
    const struct dp_op *next; /* Behind the current op; NULL: none. */
    bool skip_next;           /* Set: 'next' is encoded too. */
};

struct ofp_action {
    const char *name;
    of_object_id_t id;
    int16_t type10, type13; /* Wire types; -1: not in that version. */
    uint8_t since;          /* First wire version of 1.3 and later that has
                             * it; 0: 1.3. */
    /* Appends ops for 'act'. */
    enum ofp_err (*compile)(struct ofp_compile *, of_object_t *act);
    uint8_t op; /* dp op that 'encode' turns back; N_DP_OPS: none. */
    int (*encode)(struct ofp_encode *, const struct dp_op *);
};

/* All actions, in the order of of_actions.def. */
extern const struct ofp_action *const ofp_actions[];
extern const unsigned ofp_n_actions;

/* Appends an op with 'n_data' bytes of data (zero-padded to 8); returns
 * it, lent until the next append. */
struct dp_op *ofp_op_add(struct ofp_compile *, enum dp_op_code,
                         uint32_t arg, uint16_t aux, size_t n_data);
/* Appends SET_FIELD of the whole field; 'v' right-aligned, 16 bytes. */
void ofp_op_set_field(struct ofp_compile *, enum flow_field_id,
                      const uint8_t v[16]);
/* The same of the bits in 'mask'. */
void ofp_op_set_field_masked(struct ofp_compile *, enum flow_field_id,
                             const uint8_t v[16], const uint8_t mask[16]);
/* Is 'prereq' met when the action runs?  In write-actions the order of the
 * list is not that of execution (§5.10), so the match before the first
 * action counts as well. */
bool ofp_compile_requires(const struct ofp_compile *, enum flow_prereq);
/* The packet's type behind the tags becomes 'eth_type' (0: unknown) and what
 * was known about the layers above is forgotten. */
void ofp_state_eth_type(struct ofp_compile *, uint16_t eth_type);

#endif
