/* SPDX-License-Identifier: Apache-2.0 */
/* Long groups: few comparisons among many rules.
 *
 * A leaf in which too many rules would be compared is cut at the bit, nibble
 * or byte of the key that leaves the least to do in its worst child.  Copies
 * of rules that do not care are paid for out of a share of memory; when it is
 * used up, they go aside.  A cut at one bit with the others aside needs no
 * copy at all, so that leaves always get short.  A tree is built anew when it
 * has doubled or its copies have, and otherwise changes leaf by leaf. */
#include "datapath/tables/table_priv.h"

#include <stdlib.h>
#include <string.h>

#include "utils/base/mem.h"

#define N_SAMPLES 256   /* Rules that a cut is chosen by. */
#define BYTE_FROM 128   /* Rules that make it worth 256 children. */
#define COST_FRACTION 4 /* Costs are estimated in quarters. */

struct build {
    struct tbl *t;
    struct tbl_tree *tree;
    const struct tbl_rule *r; /* That comes or goes. */
    bool add;
    uint64_t known[FLOW_KEY_WORDS]; /* Bits settled on the way here. */
};

static uint64_t
slot_load(const _Atomic uint64_t *slot)
{
    return atomic_load_explicit(slot, memory_order_relaxed);
}

static void *
slot_node(uint64_t slot)
{
    return (void *) (uintptr_t) (slot & TBL_HT_PTR);
}

static uint64_t
slot_make(const void *node, uint64_t priority, unsigned tag)
{
    return (uint64_t) (uintptr_t) node | tag | priority << 48;
}

static size_t
leaf_size(uint32_t n)
{
    return sizeof(struct tbl_leaf) + 8 * (size_t) n;
}

static size_t
cut_size(unsigned bits)
{
    return sizeof(struct tbl_cut) + 8 * ((size_t) (1u << bits) + 1);
}

static uint32_t
slot_cost(uint64_t slot)
{
    if (slot & TBL_SLOT_CUT)
        return ((const struct tbl_cut *) slot_node(slot))->cost;
    return slot ? 1 + ((const struct tbl_leaf *) slot_node(slot))->reach : 0;
}

/* Bits that 'r' asks for in key word 'w', and their values. */
static uint64_t
rule_word(const struct tbl_rule *r, unsigned w, uint64_t *value)
{
    const struct tbl_mask *m = r->mask;
    unsigned i;

    *value = 0;
    if (!(m->map >> w & 1))
        return 0;
    i = (unsigned) __builtin_popcount(m->map & ((UINT32_C(1) << w) - 1));
    *value = r->values[i];
    return m->bits[i];
}

static bool
rule_settled(const struct build *b, const struct tbl_rule *r)
{
    const struct tbl_mask *m = r->mask;
    uint64_t more = 0;

    for (unsigned i = 0; i < m->n; i++)
        more |= m->bits[i] & ~b->known[m->idx[i]];
    return !more;
}

/* How many rules of the list a search may look at. */
static uint32_t
list_reach(const struct build *b, const uint64_t *list, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (rule_settled(b, tbl_slot_rule(list[i])))
            return i + 1;
    return n;
}

/* ----------------------------------------------------------- choosing a cut */

struct choice {
    unsigned word, shift, bits;
    bool aside;
    uint32_t cost; /* UINT32_MAX: no cut. */
};

static uint32_t
log2_quarters(uint64_t n, uint64_t of)
{
    uint32_t q = 0;

    /* 1.19 is the fourth root of two. */
    for (uint64_t x = of * 64; x < n * 64; x = x * 19 / 16 + 1)
        q++;
    return q;
}

/* Far accesses for 'n' rules, before anything is known about them. */
static uint32_t
cost_guess(uint32_t n)
{
    if (n <= TBL_LEAF_MAX)
        return COST_FRACTION * (n + !!n);
    return COST_FRACTION * (TBL_LEAF_MAX + 1)
           + 6 * log2_quarters(n, TBL_LEAF_MAX);
}

static void
choice_rate(struct choice *best, struct choice c)
{
    if (c.cost < best->cost)
        *best = c;
}

/* Rates the cut at 'bits' bits from 'shift' on, in both ways. */
static void
cut_rate(const uint64_t *list, uint32_t n, uint64_t budget, struct choice c,
         struct choice *best)
{
    uint32_t count[256] = { 0 }, top = 0, wild = 0, size = 1u << c.bits;
    uint32_t step = (n + N_SAMPLES - 1) / N_SAMPLES, seen = 0;
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n; i += step, seen++) {
        uint64_t v, m = rule_word(tbl_slot_rule(list[i]), c.word, &v);
        uint32_t free_bits = ~(uint32_t) (m >> c.shift) & (size - 1);
        uint32_t sub = free_bits;

        if (free_bits == size - 1) {
            wild++;
            continue;
        }
        v = v >> c.shift & (size - 1);
        do {
            top = WEFT_MAX(top, ++count[v | sub]);
            sum++;
            sub = (sub - 1) & free_bits;
        } while (sub != free_bits);
    }
    if (!sum)
        return;
    c.aside = wild;
    if (c.aside && sum + wild <= budget * seen / n) {
        c.cost = COST_FRACTION + cost_guess(top * step)
                 + cost_guess(wild * step);
        choice_rate(best, c);
    }
    c.aside = false;
    sum += (uint64_t) wild * size;
    if (sum <= budget * seen / n && top + wild < seen) {
        c.cost = COST_FRACTION + cost_guess((top + wild) * step)
                 + COST_FRACTION * log2_quarters(sum, seen);
        choice_rate(best, c);
    }
}

/* The best cut for the first 'n' rules of a list: those that are reached. */
static struct choice
cut_choose(const struct build *b, const uint64_t *list, uint32_t n,
           uint64_t budget)
{
    struct choice best = { .cost = UINT32_MAX };
    uint64_t asked[FLOW_KEY_WORDS] = { 0 };

    for (uint32_t i = 0; i < n; i++) {
        const struct tbl_mask *m = tbl_slot_rule(list[i])->mask;

        for (unsigned k = 0; k < m->n; k++)
            asked[m->idx[k]] |= m->bits[k] & ~b->known[m->idx[k]];
    }
    for (unsigned bits = 8; bits; bits /= 2) {
        if (bits == 2 || (bits == 8 && n < BYTE_FROM)
            || (bits == 1 && best.cost < COST_FRACTION * 2 + cost_guess(n / 2)))
            continue;
        for (unsigned i = 0; i < FLOW_KEY_WORDS * 64; i += bits)
            if (asked[i / 64] >> i % 64 & ((1u << bits) - 1))
                cut_rate(list, n, budget,
                         (struct choice) { .word = i / 64, .shift = i % 64,
                                           .bits = bits },
                         &best);
    }
    return best;
}

/* ----------------------------------------------------------------- building */

static uint64_t
leaf_make(struct build *b, const uint64_t *list, uint32_t n, uint32_t reach)
{
    struct tbl_leaf *l;

    if (!n)
        return 0;
    l = base_xmalloc(leaf_size(n));
    l->n = n;
    l->reach = reach;
    memcpy(l->list, list, 8 * (size_t) n);
    b->tree->bytes += leaf_size(n);
    b->tree->n_entries += n;
    return slot_make(l, list[0] >> 48, 0);
}

/* Brings what is known of the cut up to date; returns its slot. */
static uint64_t
cut_refresh(struct tbl_cut *c)
{
    uint64_t priority = 0;
    uint32_t n = 1u << c->bits, cost = 0;

    for (uint32_t i = 0; i <= n; i++) {
        uint64_t slot = slot_load(&c->slot[i]);

        priority = WEFT_MAX(priority, slot >> 48);
        if (i < n)
            cost = WEFT_MAX(cost, slot_cost(slot));
        else
            cost += slot_cost(slot);
    }
    c->cost = cost + 1 + (cut_size(c->bits) > 64);
    return slot_make(c, priority, TBL_SLOT_CUT);
}

/* Rules sorted by child, each child's by priority: those of child i are
 * list[from[i]] to list[from[i + 1]]. */
struct sorted {
    uint64_t *list;
    uint32_t from[256 + 2];
};

/* Calls for the children 'v' of cut 'c' that rule 'r' is in. */
#define FOR_CHILDREN(v, c, r)                                                 \
    for (uint32_t v##_free, v##_sub, v##_more = 1,                            \
         v = child_first(c, r, &v##_free, &v##_sub);                          \
         v##_more;                                                            \
         v##_more = v##_sub != 0,                                             \
         v##_sub = (v##_sub - 1) & v##_free,                                  \
         v = (v & ~v##_free) | v##_sub)

static uint32_t
child_first(const struct tbl_cut *c, const struct tbl_rule *r,
            uint32_t *free_bits, uint32_t *sub)
{
    uint32_t size = 1u << c->bits;
    uint64_t v, m = rule_word(r, c->word, &v);

    *free_bits = ~(uint32_t) (m >> c->shift) & (size - 1);
    if (c->aside && *free_bits == size - 1) {
        *free_bits = *sub = 0;
        return size;
    }
    *sub = *free_bits;
    return (uint32_t) (v >> c->shift & (size - 1)) | *sub;
}

static void
cut_sort(const struct tbl_cut *c, const uint64_t *list, uint32_t n,
         struct sorted *s)
{
    uint32_t size = 1u << c->bits, at[256 + 1];

    memset(s->from, 0, sizeof s->from);
    for (uint32_t i = 0; i < n; i++)
        FOR_CHILDREN (v, c, tbl_slot_rule(list[i]))
            s->from[v + 1]++;
    for (uint32_t v = 0; v <= size; v++) {
        at[v] = s->from[v];
        s->from[v + 1] += s->from[v];
    }
    s->list = base_xmalloc(8 * ((size_t) s->from[size + 1] + 1));
    for (uint32_t i = 0; i < n; i++)
        FOR_CHILDREN (v, c, tbl_slot_rule(list[i]))
            s->list[at[v]++] = list[i];
}

/* The bits that a child of the cut knows; the one aside knows no more. */
static uint64_t
cut_known(const struct tbl_cut *c, uint32_t child)
{
    uint64_t size = 1u << c->bits;

    return child < size ? (size - 1) << c->shift : 0;
}

/* Slot of a subtree for the list, at 'depth', of about 'budget' entries. */
static uint64_t
node_build(struct build *b, const uint64_t *list, uint32_t n, unsigned depth,
           uint64_t budget)
{
    uint32_t reach = list_reach(b, list, n), size;
    struct choice ch;
    struct sorted s;
    struct tbl_cut *c;
    uint64_t known;

    if (reach <= TBL_LEAF_MAX || depth == TBL_TREE_DEPTH)
        return leaf_make(b, list, n, reach);
    ch = cut_choose(b, list, reach, WEFT_MAX(budget, n));
    if (ch.cost == UINT32_MAX)
        return leaf_make(b, list, n, reach);
    c = base_xcalloc(1, cut_size(ch.bits));
    b->tree->bytes += cut_size(ch.bits);
    c->word = (uint8_t) ch.word;
    c->shift = (uint8_t) ch.shift;
    c->bits = (uint8_t) ch.bits;
    c->aside = ch.aside;
    cut_sort(c, list, n, &s);
    size = 1u << c->bits;
    known = b->known[c->word];
    for (uint32_t v = 0; v <= size; v++) {
        uint32_t k = s.from[v + 1] - s.from[v];

        b->known[c->word] = known | cut_known(c, v);
        atomic_init(&c->slot[v],
                    node_build(b, s.list + s.from[v], k, depth + 1,
                               budget * k / s.from[size + 1]));
    }
    b->known[c->word] = known;
    free(s.list);
    return cut_refresh(c);
}

static void
node_free(uint64_t slot)
{
    struct tbl_cut *c = slot_node(slot);

    if (slot & TBL_SLOT_CUT)
        for (uint32_t i = 0; i <= 1u << c->bits; i++)
            node_free(slot_load(&c->slot[i]));
    free(c);
}

static void
cut_free(void *c)
{
    node_free(slot_make(c, 0, TBL_SLOT_CUT));
}

static void
known_init(struct build *b, const struct tbl_mask *c)
{
    memset(b->known, 0, sizeof b->known);
    for (unsigned i = 0; i < c->n; i++)
        b->known[c->idx[i]] = c->bits[i];
}

/* (Re)builds all of the tree; what it was is for the caller to free. */
static void
tree_build(struct build *b, const struct tbl_mask *c, const uint64_t *list,
           uint32_t n)
{
    struct tbl_tree *tree = b->tree;

    known_init(b, c);
    tree->n_rules = tree->n_built = n;
    tree->n_entries = 0;
    tree->bytes = sizeof *tree;
    atomic_store_explicit(&tree->root,
                          node_build(b, list, n, 0,
                                     (uint64_t) n * TBL_TREE_COPIES),
                          memory_order_release);
    tree->built_entries = tree->n_entries;
}

struct tbl_tree *
tbl_tree_create(struct tbl *t, const struct tbl_mask *c, const uint64_t *list,
                uint32_t n)
{
    struct build b = { .t = t };

    BASE_NEW(b.tree);
    tree_build(&b, c, list, n);
    return b.tree;
}

void
tbl_tree_free(void *tree_)
{
    struct tbl_tree *tree = tree_;

    node_free(slot_load(&tree->root));
    free(tree);
}

uint32_t
tbl_tree_cost(const struct tbl_tree *tree)
{
    return 1 + slot_cost(slot_load(&tree->root));
}

/* ------------------------------------------------------------------ changes */

/* A leaf is replaced, by a subtree when it has got long. */
static void
leaf_change(struct build *b, _Atomic uint64_t *at, unsigned depth)
{
    uint64_t slot = slot_load(at);
    struct tbl_leaf *l = slot_node(slot);
    uint32_t n_old = l ? l->n : 0, n = 0, i = 0;
    uint64_t *list = base_xmalloc(8 * ((size_t) n_old + 1));

    for (; i < n_old && l->list[i] >> 48 >= b->r->priority; i++)
        if (b->add || tbl_slot_rule(l->list[i]) != b->r)
            list[n++] = l->list[i];
    if (b->add)
        list[n++] = slot_make(b->r, b->r->priority, 0);
    for (; i < n_old; i++)
        list[n++] = l->list[i];
    b->tree->n_entries -= n_old;
    b->tree->bytes -= l ? leaf_size(n_old) : 0;
    /* What a build made room for is not taken twice. */
    slot = node_build(b, list, n, depth,
                      (uint64_t) n * (b->tree->n_entries
                                      < 4u * b->tree->n_rules ? 4 : 1));
    atomic_store_explicit(at, slot, memory_order_release);
    if (l)
        b->t->env.defer(b->t->env.arg, free, l);
    free(list);
}

static void
node_change(struct build *b, _Atomic uint64_t *at, unsigned depth)
{
    uint64_t slot = slot_load(at), known;
    struct tbl_cut *c = slot_node(slot);

    if (!(slot & TBL_SLOT_CUT)) {
        leaf_change(b, at, depth);
        return;
    }
    known = b->known[c->word];
    FOR_CHILDREN (v, c, b->r) {
        b->known[c->word] = known | cut_known(c, v);
        node_change(b, &c->slot[v], depth + 1);
    }
    b->known[c->word] = known;
    atomic_store_explicit(at, cut_refresh(c), memory_order_release);
}

static int
by_entry(const void *a_, const void *b_)
{
    uint64_t a = *(const uint64_t *) a_, b = *(const uint64_t *) b_;

    return (a < b) - (a > b);
}

static void
node_collect(uint64_t slot, uint64_t *list, size_t *n)
{
    if (slot & TBL_SLOT_CUT) {
        const struct tbl_cut *c = slot_node(slot);

        for (uint32_t i = 0; i <= 1u << c->bits; i++)
            node_collect(slot_load(&c->slot[i]), list, n);
    } else if (slot) {
        const struct tbl_leaf *l = slot_node(slot);

        memcpy(list + *n, l->list, 8 * (size_t) l->n);
        *n += l->n;
    }
}

void
tbl_tree_list(const struct tbl_tree *tree, uint64_t list[])
{
    uint64_t *all = base_xmalloc(8 * (size_t) (tree->n_entries + 1));
    uint32_t k = 0;
    size_t n = 0;

    node_collect(slot_load(&tree->root), all, &n);
    qsort(all, n, sizeof *all, by_entry);
    for (size_t i = 0; i < n; i++)
        if (!i || all[i] != all[i - 1])
            list[k++] = all[i];
    free(all);
}

static void
tree_rebuild(struct build *b, const struct tbl_mask *c)
{
    uint64_t old = slot_load(&b->tree->root);
    uint32_t n = b->tree->n_rules;
    uint64_t *list = base_xmalloc(8 * ((size_t) n + 1));

    tbl_tree_list(b->tree, list);
    tree_build(b, c, list, n);
    b->t->env.defer(b->t->env.arg, old & TBL_SLOT_CUT ? cut_free : free,
                    slot_node(old));
    free(list);
}

void
tbl_tree_change(struct tbl *t, struct tbl_tree *tree, const struct tbl_mask *c,
                const struct tbl_rule *r, bool add)
{
    struct build b = { .t = t, .tree = tree, .r = r, .add = add };

    tree->n_rules += add ? 1 : UINT32_MAX;
    known_init(&b, c);
    node_change(&b, &tree->root, 0);
    if (tree->n_rules > 2 * tree->n_built
        || tree->n_rules < tree->n_built / 2
        || tree->n_entries > 2 * tree->built_entries + 4u * tree->n_rules)
        tree_rebuild(&b, c);
}
