/* SPDX-License-Identifier: Apache-2.0 */
/* Layout of a compiled table, for datapath/tables/ and its tests.
 *
 * What:    the table, its masks, the forms that workers see.
 * Model:   struct tbl
 *            masks --> struct tbl_mask --> struct tbl_ht (all rules of one
 *                                          mask, by their masked key)
 *            form ---> linear | hash | merged   (what lookups read)
 *          Each mask keeps its own hash table whatever the form: it finds
 *          rules for control, and is what the hash form probes.  Rules with
 *          equal mask and values hang behind the one of highest priority,
 *          the head; lookups see heads only.
 * Threads: control writes; workers read what is marked so. */
#ifndef DP_TABLE_PRIV_H
#define DP_TABLE_PRIV_H

#include <stdatomic.h>
#include <stdbool.h>

#include "datapath/hash_fast.h"
#include "datapath/tables/node_fast.h"
#include "datapath/tables/table.h"
#include "utils/base/hmap.h"

/* Limits of the forms. */
#define TBL_LINEAR_MAX 16 /* Rules. */
#define TBL_LINEAR_MIN 8  /* Back from another form at this. */
#define TBL_LINEAR_CHEAP 8 /* Lines, see struct tbl_info. */
#define TBL_HASH_MASKS 3     /* Above, one probe of a cluster is cheaper. */
#define TBL_HASH_MASKS_MIN 2 /* Back from the merged form at this. */
#define TBL_CLUSTERS 10      /* Clusters that a plan makes, at most. */
#define TBL_FAR_MAX 8        /* Far accesses of a lookup that plans aim at ... */
#define TBL_COMPARES_MAX 32  /* ... and rules compared. */
#define TBL_LEAF_MAX 16      /* Rules of a leaf. */
#define TBL_TREE_MIN 8       /* Back from a cut to a leaf at this. */
#define TBL_TREE_DEPTH 24    /* Cuts above a leaf. */
#define TBL_TREE_COPIES 4    /* Copies per rule that a build may make. */
#define TBL_REBUILD_MAX 1024 /* Rules of a subtree that is built at once. */
#define TBL_FILL_STEP 8      /* Rules moved per change. */
#define TBL_FILL_SMALL 256   /* Rules of a table that is filled at once. */

#define TBL_NODE_SIZE(size) (((size) + 63) / 64 * 64)

/* ------------------------------------------------------------- hash table
 *
 * Buckets of one line: eight slots of signature(16) | pointer(48).  A rule
 * lives in its home bucket or, when that was full, in its other bucket; bit 0
 * of the home's slot 0 then says that one has to look there too.  A rule only
 * ever moves from home to other; it is there, and the bit is set, before it
 * leaves home, and lookups read the bit after the slots, so that they never
 * miss it.
 *
 * A full table is not rehashed at once: the new one is published with 'old'
 * set, lookups probe both, and every change copies a few buckets over.  What
 * was copied stays in the old one too, for those who still see only that. */

#define TBL_HT_SLOTS 8
#define TBL_HT_SPILLED 1u /* In slot 0. */
#define TBL_HT_PTR UINT64_C(0x0000fffffffffff8)

struct tbl_bucket {
    _Atomic uint64_t slot[TBL_HT_SLOTS];
} WEFT_ALIGNED(64);

struct tbl_ht {
    uint32_t mask;              /* Number of buckets - 1. */
    uint32_t copied;            /* Control: buckets copied out of 'old' ... */
    bool partly;                /* ... and some of the next one's rules. */
    _Atomic(struct tbl_ht *) old; /* Still being copied; or NULL. */
    struct tbl_bucket b[];
};

static inline uint64_t
tbl_ht_sig(uint32_t hash)
{
    uint64_t sig = hash >> 16;

    return sig + !sig; /* Never 0, which is an empty slot's. */
}

static inline uint32_t
tbl_ht_home(const struct tbl_ht *ht, uint32_t hash)
{
    return hash & ht->mask;
}

static inline uint32_t
tbl_ht_other(const struct tbl_ht *ht, uint32_t hash)
{
    return (hash * UINT32_C(0x9e3779b1) >> 7 ^ hash >> 3) & ht->mask;
}

static inline struct tbl_rule *
tbl_slot_rule(uint64_t slot)
{
    return (struct tbl_rule *) (uintptr_t) (slot & TBL_HT_PTR);
}

/* ------------------------------------------------------------------ masks */

struct tbl_mask {
    /* Read by workers. */
    _Atomic(struct tbl_ht *) ht;
    _Atomic int32_t max_prio; /* No rule has a higher one; -1: none. */
    uint8_t n;                /* Words that are not zero. */
    uint8_t idx[FLOW_KEY_WORDS];
    uint64_t bits[FLOW_KEY_WORDS]; /* The words. */

    /* Control only. */
    struct base_hnode node;
    struct tbl *tbl;
    struct flow_key mask;
    uint32_t map;
    uint32_t refs;
    uint32_t n_heads;
    uint32_t n_top;      /* Heads that have max_prio; not of clusters. */
    uint32_t n_removed;  /* Since max_prio was exact. */
    bool max_stale;
    struct tbl_cluster *cluster[2]; /* By tbl_set.side; NULL: none yet. */
};

/* --------------------------------------------------------------- clusters
 *
 * In the merged form a cluster is what the masks of all its rules have in
 * common, and a table of slots (node_fast.h) by the hash of these bits.  A
 * slot that is 0 has not been moved out of 'old' yet, if there is one. */
struct tbl_slots {
    uint32_t mask;  /* Number of slots - 1. */
    uint32_t moved; /* Control: slots moved out of 'old'. */
    _Atomic(struct tbl_slots *) old; /* Half as many slots; or NULL. */
    _Atomic uint64_t slot[];
};

/* How many slots have a cost, and the highest. */
struct tbl_hist {
    uint32_t *n;
    uint32_t room, max;
};

struct tbl_cluster {
    /* Read by workers. */
    _Atomic(struct tbl_slots *) slots;
    _Atomic int32_t max_prio; /* No rule has a higher one; -1: none. */
    uint8_t n;                /* Words hashed. */
    uint8_t idx[FLOW_KEY_WORDS];
    uint64_t bits[FLOW_KEY_WORDS];

    /* Control only. */
    struct flow_key mask;
    uint32_t n_used; /* Slots. */
    uint32_t n_removed;
    bool max_stale;
    size_t bytes;
    struct tbl_hist hist[2]; /* Far accesses, compares. */
};

/* ------------------------------------------------------------------ forms */

enum tbl_kind { TBL_LINEAR, TBL_HASH, TBL_MERGED };

struct tbl_form {
    enum tbl_kind kind;
    size_t size;
};

/* All rules by priority, compared word by word over the union of their
 * words: n_words mask words and n_words value words each. */
struct tbl_linear {
    struct tbl_form form;
    uint32_t n_rules;
    uint32_t n_words; /* Multiple of 4; the surplus has mask 0. */
    uint8_t idx[FLOW_KEY_WORDS];
    struct tbl_rule *rules[TBL_LINEAR_MAX];
    uint64_t mv[];
};

/* Masks, highest priority first when published. */
struct tbl_hash {
    struct tbl_form form;
    uint32_t n_masks;
    const struct tbl_mask *masks[];
};

/* As struct tbl_hash. */
struct tbl_merged {
    struct tbl_form form;
    uint32_t n;
    const struct tbl_cluster *clusters[];
};

/* Clusters that together hold all rules, or will once 'todo' is empty. */
struct tbl_set {
    struct tbl_cluster **clusters;
    uint32_t n, room;
    uint8_t side;       /* Which of tbl_mask.cluster is ours. */
    uint32_t n_built;   /* Heads when the clusters were chosen. */
    uint32_t n_changes; /* Since then. */
    struct tbl_rule **todo; /* Rules to come, by their 'pos'; or NULL. */
    uint32_t n_todo, at;
};

struct tbl {
    _Atomic(struct tbl_form *) form; /* Read by workers. */
    struct hash_key key;

    /* Control only. */
    struct tbl_env env;
    struct base_hmap masks;
    struct tbl_mask *last_mask; /* Got last: rules come in kinds. */
    uint32_t n_rules, n_heads;
    uint32_t n_active; /* Masks with rules. */
    size_t memory;     /* Of masks, hash tables and groups. */
    struct tbl_set *now;  /* Clusters of the merged form; or NULL. */
    struct tbl_set *next; /* Being filled, to be the next ones; or NULL. */
    struct flow_key union_mask;
    bool union_stale;
};

/* ht.c */
struct tbl_ht *tbl_ht_create(uint32_t n_buckets); /* NULL: no memory. */
void tbl_ht_free(void *); /* A struct tbl_ht; accepts NULL. */
size_t tbl_ht_size(const struct tbl_ht *);        /* Bytes, 'old' too. */
/* Prefetches the buckets in which a head with this hash will be sought. */
void tbl_ht_expect(const struct tbl_mask *, uint32_t hash);
/* Head with the mask and values of 'r'; NULL: none. */
struct tbl_rule *tbl_ht_find(const struct tbl_mask *, const struct tbl_rule *r);
/* Adds a head; r->index is its hash.  0 or -ENOMEM. */
WEFT_MUST_CHECK int tbl_ht_add(struct tbl *, struct tbl_mask *,
                               struct tbl_rule *r);
/* Puts 'to' in the place of the head 'from'; NULL: removes it. */
void tbl_ht_replace(struct tbl *, struct tbl_mask *,
                    const struct tbl_rule *from, const struct tbl_rule *to);
/* Calls 'cb' for every head, once; it may free it. */
typedef void tbl_ht_cb(void *arg, struct tbl_rule *head);
void tbl_ht_each(const struct tbl_mask *, tbl_ht_cb *, void *arg);

/* Buckets that a search may look at. */
static inline uint32_t
tbl_ht_probes(const struct tbl_mask *m)
{
    return atomic_load(&atomic_load(&m->ht)->old) ? 4 : 2;
}

/* linear.c, hash.c: build a form of what the table holds now. */
struct tbl_form *tbl_linear_build(const struct tbl *);
struct tbl_form *tbl_hash_build(const struct tbl *);
struct tbl_form *tbl_merged_form(const struct tbl *);
uint32_t tbl_linear_probes(const struct tbl_form *);
/* Are the masks (clusters) still in order of priority? */
bool tbl_hash_in_order(const struct tbl_form *);
bool tbl_merged_in_order(const struct tbl_form *);

/* table.c */
struct tbl_mask *tbl_mask_create(const struct flow_key *mask);
void tbl_mask_free(void *m);
void tbl_mask_raise(struct tbl_mask *, const struct tbl_rule *);
/* 'gone' has left: max_prio may be lower now. */
void tbl_mask_lower(struct tbl_mask *, const struct tbl_rule *gone);

/* merged.c: clusters.  Only a form makes them visible. */
/* Chooses clusters for all rules: t->next.  0 or -ENOMEM. */
WEFT_MUST_CHECK int tbl_set_begin(struct tbl *);
/* Moves up to 'n' rules into t->next. */
void tbl_set_fill(struct tbl *, uint32_t n);
bool tbl_set_is_full(const struct tbl_set *);
/* A head comes or goes.  Add: 0 or -ENOMEM. */
WEFT_MUST_CHECK int tbl_set_add(struct tbl *, struct tbl_set *,
                                struct tbl_rule *);
void tbl_set_del(struct tbl *, struct tbl_set *, struct tbl_rule *);
/* Lookups are longer than they may be: clusters should be chosen anew. */
bool tbl_set_is_bad(const struct tbl_set *);
/* Of a lookup, at most. */
struct tbl_cost {
    uint32_t far, compares;
};
struct tbl_cost tbl_set_cost(const struct tbl_set *);
size_t tbl_set_bytes(const struct tbl_set *);     /* Accepts NULL. */
void tbl_set_put(struct tbl *, struct tbl_set *); /* Frees later. */
void tbl_set_free(struct tbl_set *);              /* Frees at once. */
struct tbl_cluster *tbl_set_cluster(struct tbl_set *,
                                    const struct flow_key *mask);

/* cluster.c */
struct tbl_cluster *tbl_cluster_create(const struct flow_key *mask);
void tbl_cluster_free(void *c);
/* 'r' comes or goes; workers see either. */
void tbl_cluster_change(struct tbl *, struct tbl_cluster *,
                        const struct tbl_rule *r, bool add);
/* Moves up to 'n' slots of a table that grows.  True: there is more. */
bool tbl_cluster_work(struct tbl *, struct tbl_cluster *, uint32_t n);
struct tbl_cost tbl_cluster_cost(const struct tbl_cluster *);

/* tree.c, leaf.c: what slots lead to.  Lists: rule(48) and above it its
 * priority(16), highest first.  '*bytes' is kept up to date. */
uint64_t tbl_node_build(struct tbl *, const uint64_t *list, uint32_t n,
                        size_t *bytes);
/* 'r' comes or goes; workers see either. */
void tbl_node_change(struct tbl *, _Atomic uint64_t *at,
                     const struct tbl_rule *r, bool add, size_t *bytes);
/* All rules once; the caller frees *list. */
uint32_t tbl_node_list(uint64_t slot, uint64_t **list);
struct tbl_cost tbl_node_cost(uint64_t slot);
void tbl_node_put(struct tbl *, uint64_t slot, size_t *bytes); /* Later. */
void tbl_node_free(uint64_t slot);
void *tbl_node_alloc(size_t size);
/* 'known': bits of key words that are settled on the way to the leaf. */
uint64_t tbl_leaf_make(const uint64_t *list, uint32_t n,
                       const uint64_t *known);
uint32_t tbl_leaf_reach(const uint64_t *list, uint32_t n,
                        const uint64_t *known);
size_t tbl_leaf_size(const struct tbl_leaf *);

/* plan.c: makes the clusters of 'set', and gives one to each mask with rules.
 * 0 or -ENOMEM. */
WEFT_MUST_CHECK int tbl_plan(struct tbl *, struct tbl_set *);

/* linear_fast.c, hash_fast.c, merged_fast.c */
void tbl_linear_lookup(const struct tbl_linear *,
                       const struct flow_key *const keys[], unsigned n,
                       struct tbl_rule *rules[]);
void tbl_hash_lookup(const struct tbl *, const struct tbl_hash *,
                     const struct flow_key *const keys[], unsigned n,
                     struct tbl_rule *rules[]);
void tbl_merged_lookup(const struct tbl *, const struct tbl_merged *,
                       const struct flow_key *const keys[], unsigned n,
                       struct tbl_rule *rules[]);

#endif
