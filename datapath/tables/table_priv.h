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
#include "datapath/tables/table.h"
#include "utils/base/hmap.h"

/* Limits of the forms. */
#define TBL_LINEAR_MAX 16 /* Rules. */
#define TBL_LINEAR_MIN 8  /* Back from another form at this. */
#define TBL_LINEAR_CHEAP 8 /* Lines, see struct tbl_info. */
#define TBL_HASH_MASKS 3     /* Above, one probe of a cluster is cheaper. */
#define TBL_HASH_MASKS_MIN 2 /* Back from the merged form at this. */
#define TBL_CLUSTERS 10      /* Merged masks that a build makes. */
#define TBL_GROUP_LONG 16    /* Rules of a group: time to choose anew. */
#define TBL_LEAF_MAX 16      /* Rules compared one by one, in a long group. */
#define TBL_TREE_MIN 8       /* Back from a tree to a list at this. */
#define TBL_TREE_DEPTH 24    /* Cuts above a leaf. */
#define TBL_TREE_COPIES 8    /* Copies per rule that a build may make. */
#define TBL_FILL_STEP 8      /* Rules moved per change. */
#define TBL_FILL_SMALL 256   /* Rules of a table that is filled at once. */

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
    struct tbl_mask *cluster[2]; /* By tbl_set.side; NULL: none yet. */
    /* Of a cluster: groups by the far accesses they may take. */
    uint32_t *n_cost;
    uint32_t n_cost_room, max_cost;
};

/* ----------------------------------------------------------------- groups
 *
 * In the merged form a cluster is a struct tbl_mask of its own, part of the
 * masks of all its rules, and what its hash table holds are groups: rules
 * that agree in the cluster's bits, highest priority first.  'tr' is the
 * group as a rule of the cluster; the list follows its values.  It does not
 * change once it is visible.  A long group has a tree in place of the list. */
struct tbl_group {
    uint32_t n; /* 0: the only word of the list points to a tbl_tree. */
    struct tbl_rule tr;
};

/* List of a group: rule(48) and, above it, its priority(16). */
static inline uint64_t *
tbl_group_list(struct tbl_group *g)
{
    return &g->tr.values[g->tr.n_values];
}

/* ------------------------------------------------------------------ trees
 *
 * The rules of a long group.  A cut looks at some neighbouring bits of one
 * key word and leads to one child for each of their values; a rule that does
 * not care is in all children, or, where that would cost too much memory, in
 * the one more child that every packet visits ('aside').  Leaves are lists
 * like those of groups.  Bits that the cuts above a leaf have settled are
 * known there; a rule that asks for no others matches whatever gets there, so
 * that a search ends at it: 'reach' is where.
 *
 * Slots: node(48), bit 0 for a cut, and above it the highest priority below.
 * Workers read slots while control replaces them; leaves do not change. */
#define TBL_SLOT_CUT 1u

struct tbl_leaf {
    uint32_t n, reach;
    uint64_t list[];
};

struct tbl_cut {
    uint8_t word, shift, bits;
    bool aside;
    uint32_t cost;           /* Control: far accesses below, at most. */
    _Atomic uint64_t slot[]; /* 1 << bits, and the one aside. */
};

struct tbl_tree {
    _Atomic uint64_t root;
    /* Control only. */
    uint32_t n_rules, n_built;
    uint64_t n_entries; /* In the leaves: rules and their copies. */
    uint64_t built_entries;
    size_t bytes;
};

static inline struct tbl_tree *
tbl_group_tree(struct tbl_group *g)
{
    return (struct tbl_tree *) (uintptr_t) *tbl_group_list(g);
}

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

/* Masks (of kind TBL_MERGED: clusters), highest priority first when
 * published. */
struct tbl_hash {
    struct tbl_form form;
    uint32_t n_masks;
    const struct tbl_mask *masks[];
};

/* Clusters that together hold all rules, or will once 'todo' is empty. */
struct tbl_set {
    struct tbl_mask **clusters;
    uint32_t n, room;
    uint8_t side;       /* Which of tbl_mask.cluster is ours. */
    uint32_t longest;   /* No group is longer. */
    uint32_t n_built;   /* Heads when the clusters were chosen. */
    uint32_t n_changes; /* Since then. */
    size_t group_bytes;
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
/* Are the masks still in order of priority? */
bool tbl_hash_in_order(const struct tbl_form *);

/* table.c */
struct tbl_mask *tbl_mask_create(const struct flow_key *mask);
void tbl_mask_free(void *m);
void tbl_mask_raise(struct tbl_mask *, const struct tbl_rule *);
/* 'gone' has left: max_prio may be lower now. */
void tbl_mask_lower(struct tbl_mask *, const struct tbl_rule *gone);

/* merged.c: clusters and groups.  Only a form makes them visible. */
/* Chooses clusters for all rules: t->next.  0 or -ENOMEM. */
WEFT_MUST_CHECK int tbl_set_begin(struct tbl *);
/* Moves up to 'n' rules into t->next.  0 or -ENOMEM. */
WEFT_MUST_CHECK int tbl_set_fill(struct tbl *, uint32_t n);
bool tbl_set_is_full(const struct tbl_set *);
/* A head comes or goes.  Add: 0 or -ENOMEM. */
WEFT_MUST_CHECK int tbl_set_add(struct tbl *, struct tbl_set *,
                                struct tbl_rule *);
void tbl_set_del(struct tbl *, struct tbl_set *, struct tbl_rule *);
/* Groups are long: clusters should be chosen anew. */
bool tbl_set_is_bad(const struct tbl_set *);
uint32_t tbl_set_probes(const struct tbl_set *); /* Far accesses, at most. */
void tbl_set_put(struct tbl *, struct tbl_set *); /* Frees later. */
void tbl_set_free(struct tbl_set *);              /* Frees at once. */
struct tbl_mask *tbl_cluster_add(struct tbl *, struct tbl_set *,
                                 const struct flow_key *mask);

/* tree.c: 'list' is that of a group of cluster 'c'. */
struct tbl_tree *tbl_tree_create(struct tbl *, const struct tbl_mask *c,
                                 const uint64_t *list, uint32_t n);
/* 'r' comes or goes; workers see either. */
void tbl_tree_change(struct tbl *, struct tbl_tree *, const struct tbl_mask *c,
                     const struct tbl_rule *r, bool add);
/* All rules, highest priority first; list[] has room for them. */
void tbl_tree_list(const struct tbl_tree *, uint64_t list[]);
uint32_t tbl_tree_cost(const struct tbl_tree *); /* Far accesses, at most. */
void tbl_tree_free(void *tree);

/* plan.c: makes the clusters of 'set', and gives one to each mask with rules.
 * 0 or -ENOMEM. */
WEFT_MUST_CHECK int tbl_plan(struct tbl *, struct tbl_set *);

/* linear_fast.c, hash_fast.c */
void tbl_linear_lookup(const struct tbl_linear *,
                       const struct flow_key *const keys[], unsigned n,
                       struct tbl_rule *rules[]);
void tbl_hash_lookup(const struct tbl *, const struct tbl_hash *,
                     const struct flow_key *const keys[], unsigned n,
                     struct tbl_rule *rules[]);
void tbl_merged_lookup(const struct tbl *, const struct tbl_hash *,
                       const struct flow_key *const keys[], unsigned n,
                       struct tbl_rule *rules[]);

#endif
