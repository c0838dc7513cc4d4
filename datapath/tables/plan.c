/* SPDX-License-Identifier: Apache-2.0 */
/* Which masks go together.
 *
 * Begins with one cluster of all masks and splits: the masks that have some
 * bit go to one side, those that lack it to the other, so that each side has
 * more in common.  The bit is the one after which lookups are expected to cost
 * least, by how many rules share a slot with others in a sample.  Splitting
 * goes on for a while when it does not pay at once; what cost least is taken.
 * What prefix lengths or port ranges mean is not known here: a bit is a bit. */
#include "datapath/tables/table_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "utils/base/mem.h"

#define N_SAMPLES 512
#define N_COUNTS 1024 /* Power of two, above N_SAMPLES. */
#define N_COLUMNS 64  /* Split candidates looked at. */
#define PATIENCE 3    /* Splits that may be made in vain. */

/* Cycles that a packet costs, about. */
#define COST_CLUSTER 45 /* Hash and slot. */
#define COST_NODE 20    /* A leaf or a cut. */
#define COST_RULE 3     /* In a leaf. */
#define COST_DOUBLE 60  /* A tree, for each time that it is twice a leaf. */

struct plan_mask {
    struct tbl_mask *m;
    uint32_t cluster;
    uint64_t id; /* Random, to tell sets of masks apart by their sum. */
};

struct sample {
    uint32_t mask; /* Index in masks[]. */
    struct flow_key key;
};

/* Masks of 'from' that have the bit go to 'to'. */
struct split {
    uint32_t from, to;
    unsigned word;
    uint64_t bit;
};

/* How a cluster is best split. */
struct option {
    unsigned word;
    uint64_t bit;  /* 0: it cannot be. */
    uint32_t cost[2]; /* Of the sides without and with the bit. */
};

struct plan {
    const struct tbl *t;
    struct split splits[TBL_CLUSTERS];
    struct plan_mask masks[N_SAMPLES]; /* Of the samples. */
    uint32_t n_masks, n_clusters;
    uint32_t n_samples, step, seen;
    struct sample samples[N_SAMPLES];
    uint32_t cost[TBL_CLUSTERS];
    struct option best[TBL_CLUSTERS];
    /* Scratch. */
    uint64_t keys[N_COUNTS];
    uint32_t counts[N_COUNTS];
    uint64_t column[FLOW_KEY_WORDS * 64];
};

/* Masks that a cost is asked for: those of 'cluster', and of them those that
 * have the bit (side 1), lack it (side 0), or all. */
struct side {
    uint32_t cluster;
    int side; /* -1: all. */
    unsigned word;
    uint64_t bit;
};

static bool
side_has(const struct side *s, const struct plan_mask *pm)
{
    if (pm->cluster != s->cluster)
        return false;
    return s->side < 0
           || !!(flow_key_word(&pm->m->mask, s->word) & s->bit) == s->side;
}

static void
side_common(const struct plan *p, const struct side *s, struct flow_key *mask)
{
    memset(mask, 0xff, sizeof *mask);
    for (uint32_t i = 0; i < p->n_masks; i++)
        if (side_has(s, &p->masks[i]))
            for (unsigned w = 0; w < FLOW_KEY_WORDS; w++)
                flow_key_set_word(mask, w,
                                  flow_key_word(mask, w)
                                      & flow_key_word(&p->masks[i].m->mask,
                                                      w));
}

/* Number of earlier samples with this hash; counts it. */
static uint32_t
count_hash(struct plan *p, uint64_t hash)
{
    uint32_t i = (uint32_t) hash & (N_COUNTS - 1);

    while (p->counts[i] && p->keys[i] != hash)
        i = (i + 1) & (N_COUNTS - 1);
    p->keys[i] = hash;
    return p->counts[i]++;
}

/* Of a lookup among as many rules that have the same hash. */
static uint32_t
cost_of(uint64_t n_rules)
{
    uint32_t cost = COST_CLUSTER + COST_NODE;

    for (; n_rules > TBL_LEAF_MAX; n_rules = (n_rules + 1) / 2)
        cost += COST_DOUBLE;
    return cost + COST_RULE * (uint32_t) n_rules;
}

/* Of a lookup in a cluster of the side's masks.  Counts the samples that a
 * sample shares its hash with; each stands for 'step' rules. */
static uint32_t
side_cost(struct plan *p, const struct side *s)
{
    struct flow_key mask;
    uint64_t words[FLOW_KEY_WORDS], others = 0;
    uint32_t map, n = 0;

    side_common(p, s, &mask);
    map = flow_mask_words(&mask);
    memset(p->counts, 0, sizeof p->counts);
    for (uint32_t i = 0; i < p->n_samples; i++) {
        if (!side_has(s, &p->masks[p->samples[i].mask]))
            continue;

        unsigned n_words = flow_key_pack(&p->samples[i].key, &mask, map,
                                         words);

        others += 2 * (uint64_t) count_hash(
                          p, hash_words(&p->t->key, words, n_words));
        n++;
    }
    return cost_of(1 + others * p->step / n);
}

/* Bits that some masks of the cluster have and others lack, one for each way
 * to divide them. */
static uint32_t
split_candidates(struct plan *p, uint32_t cluster, uint32_t out[])
{
    uint64_t all = 0, taken[N_COLUMNS];
    uint32_t n = 0, k;

    memset(p->column, 0, sizeof p->column);
    for (uint32_t i = 0; i < p->n_masks; i++) {
        const struct plan_mask *pm = &p->masks[i];

        if (pm->cluster != cluster)
            continue;
        all += pm->id;
        for (unsigned w = 0; w < FLOW_KEY_WORDS; w++)
            for (uint64_t b = flow_key_word(&pm->m->mask, w); b; b &= b - 1)
                p->column[64 * w + (unsigned) __builtin_ctzll(b)] += pm->id;
    }
    for (uint32_t i = 0; i < WEFT_ARRAY_LEN(p->column); i++) {
        if (!p->column[i] || p->column[i] == all || n == N_COLUMNS)
            continue;
        for (k = 0; k < n && taken[k] != p->column[i]; k++)
            ;
        if (k < n)
            continue;
        taken[n] = p->column[i];
        out[n++] = i;
    }
    return n;
}

/* Finds out how the cluster is best split. */
static void
cluster_rate(struct plan *p, uint32_t cluster)
{
    uint32_t bits[N_COLUMNS], n = split_candidates(p, cluster, bits);
    struct side s = { .cluster = cluster };
    struct option *best = &p->best[cluster];
    uint32_t least = UINT32_MAX;

    best->bit = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t cost[2];

        s.word = bits[i] / 64;
        s.bit = UINT64_C(1) << bits[i] % 64;
        for (s.side = 0; s.side < 2; s.side++)
            cost[s.side] = side_cost(p, &s);
        if (cost[0] + cost[1] < least) {
            least = cost[0] + cost[1];
            *best = (struct option) { s.word, s.bit, { cost[0], cost[1] } };
        }
    }
}

static void
cluster_split(struct plan *p, uint32_t cluster)
{
    const struct option *o = &p->best[cluster];
    struct side s = { .cluster = cluster, .side = 1, .word = o->word,
                      .bit = o->bit };
    uint32_t to = p->n_clusters++;

    for (uint32_t i = 0; i < p->n_masks; i++)
        if (side_has(&s, &p->masks[i]))
            p->masks[i].cluster = to;
    p->splits[to - 1] = (struct split) { .from = cluster, .to = to,
                                         .word = o->word, .bit = o->bit };
    p->cost[to] = o->cost[1];
    p->cost[cluster] = o->cost[0];
    cluster_rate(p, cluster);
    cluster_rate(p, to);
}

/* The cluster whose split gains most, or loses least; UINT32_MAX: none. */
static uint32_t
plan_next(const struct plan *p)
{
    uint32_t next = UINT32_MAX;
    int64_t most = INT64_MIN;

    for (uint32_t i = 0; i < p->n_clusters; i++) {
        const struct option *o = &p->best[i];
        int64_t gain = (int64_t) p->cost[i] - o->cost[0] - o->cost[1];

        if (o->bit && gain > most) {
            most = gain;
            next = i;
        }
    }
    return next;
}

static uint64_t
plan_cost(const struct plan *p)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < p->n_clusters; i++)
        sum += p->cost[i];
    return sum;
}

/* Splits; p->n_clusters is what turned out best: later splits are not looked
 * at then. */
static void
plan_split(struct plan *p)
{
    struct side all = { .cluster = 0, .side = -1 };
    uint64_t least;
    uint32_t n_best = 1, next;

    p->cost[0] = side_cost(p, &all);
    cluster_rate(p, 0);
    least = plan_cost(p);
    while (p->n_clusters < TBL_CLUSTERS && p->n_clusters < n_best + PATIENCE
           && (next = plan_next(p)) != UINT32_MAX) {
        cluster_split(p, next);
        if (plan_cost(p) < least) {
            least = plan_cost(p);
            n_best = p->n_clusters;
        }
    }
    p->n_clusters = n_best;
}

static void
sample_rule(void *arg, struct tbl_rule *r)
{
    struct plan *p = arg;
    struct plan_mask *last = p->n_masks ? &p->masks[p->n_masks - 1] : NULL;
    struct sample *s;

    if (p->seen++ % p->step || p->n_samples == N_SAMPLES)
        return;
    if (!last || last->m != r->mask) { /* Rules come mask by mask. */
        p->masks[p->n_masks] = (struct plan_mask) {
            .m = (struct tbl_mask *) r->mask,
            .id = base_hash_mix(UINT64_C(0x9e3779b97f4a7c15) * p->step,
                                p->n_masks + 1),
        };
        p->n_masks++;
    }
    s = &p->samples[p->n_samples++];
    s->mask = p->n_masks - 1;
    flow_key_unpack(&s->key, r->mask->map, r->values);
}

/* The cluster that the splits lead a mask to. */
static uint32_t
plan_route(const struct plan *p, const struct tbl_mask *m)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i + 1 < p->n_clusters; i++)
        if (p->splits[i].from == at
            && flow_key_word(&m->mask, p->splits[i].word) & p->splits[i].bit)
            at = p->splits[i].to;
    return at;
}

/* Calls for the masks that have rules: those not in the sample, too. */
#define FOR_ACTIVE(m, node, t)                                                \
    BASE_HMAP_FOR (node, &(t)->masks)                                         \
        if ((m = WEFT_CONTAINER_OF(node, struct tbl_mask, node))->n_heads)

/* Makes the clusters: what the masks that are led there have in common. */
static int
plan_carry_out(const struct plan *p, struct tbl *t, struct tbl_set *set)
{
    struct tbl_cluster *made[TBL_CLUSTERS] = { NULL };
    struct tbl_mask *m;
    struct flow_key common[TBL_CLUSTERS];
    bool used[TBL_CLUSTERS] = { false };
    struct base_hnode *node;

    memset(common, 0xff, sizeof common);
    FOR_ACTIVE (m, node, t) {
        uint32_t c = plan_route(p, m);

        used[c] = true;
        for (unsigned w = 0; w < FLOW_KEY_WORDS; w++)
            flow_key_set_word(&common[c], w,
                              flow_key_word(&common[c], w)
                                  & flow_key_word(&m->mask, w));
    }
    for (uint32_t i = 0; i < p->n_clusters; i++)
        if (used[i] && !(made[i] = tbl_set_cluster(set, &common[i])))
            return -ENOMEM;
    FOR_ACTIVE (m, node, t)
        m->cluster[set->side] = made[plan_route(p, m)];
    return 0;
}

int
tbl_plan(struct tbl *t, struct tbl_set *set)
{
    struct plan *p;
    struct tbl_mask *m;
    struct base_hnode *node;
    int err;

    BASE_NEW(p);
    p->t = t;
    p->n_clusters = 1;
    p->step = t->n_heads / N_SAMPLES + 1;
    FOR_ACTIVE (m, node, t)
        tbl_ht_each(m, sample_rule, p);
    plan_split(p);
    err = plan_carry_out(p, t, set);
    free(p);
    return err;
}
