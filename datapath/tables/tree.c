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
    size_t *bytes;            /* Of all nodes. */
    const struct tbl_rule *r; /* That comes or goes. */
    bool add;
    uint32_t copies;          /* Per rule, that a new cut may make. */
    uint64_t known[FLOW_KEY_WORDS]; /* Bits settled on the way here. */
};

static uint64_t
slot_load(const _Atomic uint64_t *slot)
{
    return atomic_load_explicit(slot, memory_order_relaxed);
}

static uint64_t
slot_make(const void *node, uint64_t priority, unsigned tag)
{
    return (uint64_t) (uintptr_t) node | tag | priority << 48;
}

static size_t
cut_size(unsigned bits)
{
    return sizeof(struct tbl_cut) + 8 * ((size_t) (1u << bits) + 1);
}

static size_t
node_bytes(uint64_t slot)
{
    if (!(slot & TBL_SLOT_PTR) || slot & TBL_SLOT_RULE)
        return 0;
    return TBL_NODE_SIZE(slot & TBL_SLOT_CUT
                             ? cut_size(tbl_slot_cut(slot)->bits)
                             : tbl_leaf_size(tbl_slot_leaf(slot)));
}

/* A cut in one line is one far access, a wide one is two. */
struct tbl_cost
tbl_node_cost(uint64_t slot)
{
    const struct tbl_cut *c = tbl_slot_cut(slot);
    struct tbl_cost cost = { 0, 0 };

    if (!(slot & TBL_SLOT_PTR))
        return cost;
    if (slot & TBL_SLOT_RULE)
        return (struct tbl_cost) { 1, 1 };
    if (!(slot & TBL_SLOT_CUT))
        return (struct tbl_cost) { 1, tbl_slot_leaf(slot)->reach };
    if (c->aside)
        cost = tbl_node_cost(slot_load(&c->slot[0]));
    cost.far += 1u + (cut_size(c->bits) > WEFT_CACHE_LINE) + c->far;
    cost.compares += c->compares;
    return cost;
}

/* Rules, with their copies. */
static uint32_t
node_entries(uint64_t slot)
{
    if (!(slot & TBL_SLOT_PTR))
        return 0;
    if (slot & TBL_SLOT_RULE)
        return 1;
    return slot & TBL_SLOT_CUT ? tbl_slot_cut(slot)->n_entries
                               : tbl_slot_leaf(slot)->n;
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

/* Far accesses for 'n' rules, before anything is known about them; four rules
 * compared side by side count as one. */
static uint32_t
cost_guess(uint32_t n)
{
    if (n <= TBL_LEAF_MAX)
        return COST_FRACTION * !!n + COST_FRACTION * n / 4;
    return COST_FRACTION * 5 + 6 * log2_quarters(n, TBL_LEAF_MAX);
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

/* Brings what is known of the cut up to date; returns its slot. */
static uint64_t
cut_refresh(struct tbl_cut *c)
{
    uint64_t priority = 0;
    uint32_t n = 1u << c->bits, far = 0, compares = 0;

    c->n_entries = 0;
    for (uint32_t i = 0; i <= n; i++) {
        uint64_t slot = slot_load(&c->slot[i]);
        struct tbl_cost cost;

        if (!(slot & TBL_SLOT_PTR))
            continue;
        priority = WEFT_MAX(priority, slot >> 48);
        c->n_entries += node_entries(slot);
        if (i) {
            cost = tbl_node_cost(slot);
            far = WEFT_MAX(far, cost.far);
            compares = WEFT_MAX(compares, cost.compares);
        }
    }
    c->far = (uint16_t) WEFT_MIN(far, UINT16_MAX);
    c->compares = (uint16_t) WEFT_MIN(compares, UINT16_MAX);
    return slot_make(c, priority, TBL_SLOT_CUT);
}

/* Rules sorted by child, each child's by priority: those of child i are
 * list[from[i]] to list[from[i + 1]]. */
struct sorted {
    uint64_t *list;
    uint32_t from[256 + 2];
};

/* Calls for the slots 'v' of cut 'c' that rule 'r' is in. */
#define FOR_CHILDREN(v, c, r)                                                 \
    for (uint32_t v##_free, v##_sub, v##_more = 1,                            \
         v = child_first(c, r, &v##_free, &v##_sub);                          \
         v##_more;                                                            \
         v##_more = v##_sub != 0,                                             \
         v##_sub = (v##_sub - 1) & v##_free,                                  \
         v = (((v - 1) & ~v##_free) | v##_sub) + 1)

static uint32_t
child_first(const struct tbl_cut *c, const struct tbl_rule *r,
            uint32_t *free_bits, uint32_t *sub)
{
    uint32_t size = 1u << c->bits;
    uint64_t v, m = rule_word(r, c->word, &v);

    *free_bits = ~(uint32_t) (m >> c->shift) & (size - 1);
    if (c->aside && *free_bits == size - 1) {
        *free_bits = *sub = 0;
        return 0;
    }
    *sub = *free_bits;
    return ((uint32_t) (v >> c->shift & (size - 1)) | *sub) + 1;
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

/* The bits that the child in a slot knows; the one aside knows no more. */
static uint64_t
cut_known(const struct tbl_cut *c, uint32_t slot)
{
    return slot ? ((UINT64_C(1) << c->bits) - 1) << c->shift : 0;
}

static uint64_t
leaf_make(struct build *b, const uint64_t *list, uint32_t n)
{
    uint64_t slot = tbl_leaf_make(list, n, b->known);

    *b->bytes += node_bytes(slot);
    return slot;
}

/* Slot of a subtree for the list, at 'depth', of about 'budget' entries. */
static uint64_t
node_build(struct build *b, const uint64_t *list, uint32_t n, unsigned depth,
           uint64_t budget)
{
    uint32_t reach, size;
    struct choice ch;
    struct sorted s;
    struct tbl_cut *c;
    uint64_t known;

    if (n <= TBL_LEAF_MAX || depth == TBL_TREE_DEPTH)
        return leaf_make(b, list, n);
    reach = tbl_leaf_reach(list, n, b->known);
    if (reach <= TBL_LEAF_MAX)
        return leaf_make(b, list, n);
    ch = cut_choose(b, list, reach, WEFT_MAX(budget, n));
    if (ch.cost == UINT32_MAX)
        return leaf_make(b, list, n);
    c = tbl_node_alloc(cut_size(ch.bits));
    *c = (struct tbl_cut) {
        .word = (uint8_t) ch.word, .shift = (uint8_t) ch.shift,
        .bits = (uint8_t) ch.bits, .aside = ch.aside,
        .n_rules = n, .n_built = n,
    };
    *b->bytes += TBL_NODE_SIZE(cut_size(ch.bits));
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

void
tbl_node_free(uint64_t slot)
{
    struct tbl_cut *c = tbl_slot_cut(slot);

    if (!(slot & TBL_SLOT_PTR) || slot & TBL_SLOT_RULE)
        return;
    if (slot & TBL_SLOT_CUT)
        for (uint32_t i = 0; i <= 1u << c->bits; i++)
            tbl_node_free(slot_load(&c->slot[i]));
    free(c);
}

static void
cut_free(void *c)
{
    tbl_node_free(slot_make(c, 0, TBL_SLOT_CUT));
}

static size_t
tree_bytes(uint64_t slot)
{
    const struct tbl_cut *c = tbl_slot_cut(slot);
    size_t bytes = node_bytes(slot);

    if (slot & TBL_SLOT_CUT)
        for (uint32_t i = 0; i <= 1u << c->bits; i++)
            bytes += tree_bytes(slot_load(&c->slot[i]));
    return bytes;
}

void
tbl_node_put(struct tbl *t, uint64_t slot, size_t *bytes)
{
    *bytes -= tree_bytes(slot);
    if (slot & TBL_SLOT_PTR && !(slot & TBL_SLOT_RULE))
        t->env.defer(t->env.arg, slot & TBL_SLOT_CUT ? cut_free : free,
                     (void *) (uintptr_t) (slot & TBL_NODE_PTR));
}

uint64_t
tbl_node_build(struct tbl *t, const uint64_t *list, uint32_t n, size_t *bytes)
{
    struct build b = { .t = t, .bytes = bytes };

    return node_build(&b, list, n, 0, (uint64_t) n * TBL_TREE_COPIES);
}

/* ------------------------------------------------------------------ listing */

static int
by_entry(const void *a_, const void *b_)
{
    uint64_t a = *(const uint64_t *) a_, b = *(const uint64_t *) b_;

    return (a < b) - (a > b);
}

static void
node_collect(uint64_t slot, uint64_t *list, size_t *n)
{
    if (!(slot & TBL_SLOT_PTR))
        return;
    if (slot & TBL_SLOT_CUT) {
        const struct tbl_cut *c = tbl_slot_cut(slot);

        for (uint32_t i = 0; i <= 1u << c->bits; i++)
            node_collect(slot_load(&c->slot[i]), list, n);
    } else if (slot & TBL_SLOT_RULE) {
        list[(*n)++] = slot & ~(uint64_t) TBL_SLOT_RULE;
    } else {
        const struct tbl_leaf *l = tbl_slot_leaf(slot);

        memcpy(list + *n, tbl_leaf_list(l), 8 * (size_t) l->n);
        *n += l->n;
    }
}

uint32_t
tbl_node_list(uint64_t slot, uint64_t **list)
{
    uint64_t *all = base_xmalloc(8 * ((size_t) node_entries(slot) + 1));
    uint32_t k = 0;
    size_t n = 0;

    node_collect(slot, all, &n);
    *list = all;
    if (!(slot & TBL_SLOT_CUT))
        return (uint32_t) n; /* In order, no copies. */
    qsort(all, n, sizeof *all, by_entry);
    for (size_t i = 0; i < n; i++)
        if (!i || all[i] != all[i - 1])
            all[k++] = all[i];
    return k;
}

/* ------------------------------------------------------------------ changes */

/* A rule or leaf is replaced, by a subtree when it has got long. */
static void
leaf_change(struct build *b, _Atomic uint64_t *at, unsigned depth)
{
    uint64_t slot = slot_load(at), *old;
    uint32_t n_old = tbl_node_list(slot, &old), n = 0, i = 0;
    uint64_t *list = base_xmalloc(8 * ((size_t) n_old + 1));

    for (; i < n_old && old[i] >> 48 >= b->r->priority; i++)
        if (b->add || tbl_slot_rule(old[i]) != b->r)
            list[n++] = old[i];
    if (b->add)
        list[n++] = slot_make(b->r, b->r->priority, 0);
    for (; i < n_old; i++)
        list[n++] = old[i];
    atomic_store_explicit(
        at, node_build(b, list, n, depth, (uint64_t) n * b->copies),
        memory_order_release);
    tbl_node_put(b->t, slot, b->bytes);
    free(list);
    free(old);
}

/* Builds anew what 'at' holds, or makes it a leaf again. */
static void
node_rebuild(struct build *b, _Atomic uint64_t *at, unsigned depth)
{
    uint64_t slot = slot_load(at), *list;
    uint32_t n = tbl_node_list(slot, &list);

    atomic_store_explicit(
        at, node_build(b, list, n, depth, (uint64_t) n * TBL_TREE_COPIES),
        memory_order_release);
    tbl_node_put(b->t, slot, b->bytes);
    free(list);
}

/* Only subtrees of a size that takes well below a millisecond. */
static bool
cut_is_bad(const struct tbl_cut *c)
{
    return c->n_rules <= TBL_REBUILD_MAX
           && (c->n_rules > 2 * c->n_built || c->n_rules < c->n_built / 2
               || c->n_rules <= TBL_TREE_MIN
               || c->n_entries > 2u * TBL_TREE_COPIES * c->n_rules);
}

/* A child before it changed. */
struct child {
    uint64_t slot;
    struct tbl_cost cost;
    uint32_t n_entries;
};

/* A child has changed: brings what is known of the cut up to date, with a look
 * at the others only where the one that counted most is less now. */
static uint64_t
cut_update(struct tbl_cut *c, uint64_t cut, uint32_t v, const struct child *was)
{
    uint64_t slot = slot_load(&c->slot[v]);
    struct tbl_cost cost = tbl_node_cost(slot);

    if (was->slot >> 48 == cut >> 48 && slot >> 48 < cut >> 48)
        return cut_refresh(c);
    if (v && ((was->cost.far == c->far && cost.far < c->far)
              || (was->cost.compares == c->compares
                  && cost.compares < c->compares)))
        return cut_refresh(c);
    c->n_entries += node_entries(slot) - was->n_entries;
    if (v) {
        c->far = (uint16_t) WEFT_MAX(c->far, WEFT_MIN(cost.far, UINT16_MAX));
        c->compares = (uint16_t) WEFT_MAX(
            c->compares, WEFT_MIN(cost.compares, UINT16_MAX));
    }
    return slot_make(c, WEFT_MAX(cut >> 48, slot >> 48), TBL_SLOT_CUT);
}

static void
node_change(struct build *b, _Atomic uint64_t *at, unsigned depth)
{
    uint64_t slot = slot_load(at), known;
    struct tbl_cut *c = tbl_slot_cut(slot);

    if (!(slot & TBL_SLOT_CUT)) {
        leaf_change(b, at, depth);
        return;
    }
    known = b->known[c->word];
    /* What a build made room for is not taken twice. */
    b->copies = c->n_entries < TBL_TREE_COPIES / 2 * c->n_rules
                    ? TBL_TREE_COPIES / 2 : 1;
    FOR_CHILDREN (v, c, b->r) {
        struct child was = { slot_load(&c->slot[v]), { 0, 0 }, 0 };

        was.cost = tbl_node_cost(was.slot);
        was.n_entries = node_entries(was.slot);
        b->known[c->word] = known | cut_known(c, v);
        node_change(b, &c->slot[v], depth + 1);
        slot = cut_update(c, slot, v, &was);
    }
    b->known[c->word] = known;
    c->n_rules += b->add ? 1 : UINT32_MAX;
    atomic_store_explicit(at, slot, memory_order_release);
    if (cut_is_bad(c))
        node_rebuild(b, at, depth);
}

void
tbl_node_change(struct tbl *t, _Atomic uint64_t *at, const struct tbl_rule *r,
                bool add, size_t *bytes)
{
    struct build b = { .t = t, .bytes = bytes, .r = r, .add = add,
                       .copies = TBL_TREE_COPIES };

    node_change(&b, at, 0);
}
