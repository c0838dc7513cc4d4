/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/chlog.h"

#include <stdlib.h>
#include <string.h>

#include "weft/flow_match.h"

struct chlog *
chlog_create(const struct flow_key *mask, uint64_t seed, uint32_t gen)
{
    struct chlog *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->floor = gen;
    hash_key_init(&l->key, seed);
    for (unsigned i = 0; i < FLOW_KEY_PACKET_WORDS; i++)
        if (flow_key_word(mask, i))
            l->idx[l->n_words++] = (uint8_t) i;
    return l;
}

void
chlog_destroy(struct chlog *l)
{
    if (!l)
        return;
    for (unsigned i = 0; i < CHLOG_MASKS; i++)
        free(l->masks[i].last);
    free(l);
}

/* Packs the words that the log's caches have; true: any bit is set. */
static bool
pack(const struct chlog *l, const struct flow_key *k, uint64_t *out)
{
    uint64_t any = 0;

    for (unsigned j = 0; j < l->n_words; j++)
        any |= out[j] = flow_key_word(k, l->idx[j]);
    return any != 0;
}

/* Has 'a' all bits of 'b'?  Returns how many those are, -1: no. */
static int
bits_within(const struct chlog *l, const uint64_t *b, const uint64_t *a)
{
    int n = 0;

    for (unsigned j = 0; j < l->n_words; j++) {
        if (b[j] & ~a[j])
            return -1;
        n += __builtin_popcountll(b[j]);
    }
    return n;
}

/* The shape that tells most of what changes with these bits may concern. */
static struct chlog_mask *
mask_for(struct chlog *l, const uint64_t *bits)
{
    struct chlog_mask *best = NULL;
    int most = -1;

    for (unsigned i = 0; i < l->n_masks; i++) {
        int n = bits_within(l, l->masks[i].bits, bits);

        if (n > most) {
            most = n;
            best = &l->masks[i];
        }
    }
    return best;
}

/* A shape of its own; NULL: no room. */
static struct chlog_mask *
mask_new(struct chlog *l, const uint64_t *bits)
{
    struct chlog_mask *m = &l->masks[l->n_masks];

    if (l->n_masks == CHLOG_MASKS)
        return NULL;
    m->last = malloc(CHLOG_SLOTS * sizeof m->last[0]);
    if (!m->last)
        return NULL;
    for (unsigned i = 0; i < CHLOG_SLOTS; i++)
        m->last[i] = l->floor; /* Not later than what passes the floor. */
    memcpy(m->bits, bits, l->n_words * sizeof bits[0]);
    __atomic_store_n(&l->n_masks, l->n_masks + 1, __ATOMIC_RELEASE);
    return m;
}

bool
chlog_add(struct chlog *l, const struct flow_key *mask,
          const struct flow_key *key, uint32_t gen)
{
    uint64_t bits[FLOW_KEY_PACKET_WORDS], w[FLOW_KEY_PACKET_WORDS];
    struct chlog_mask *m;

    if (!pack(l, mask, bits)) {
        chlog_add_all(l, gen);
        return true;
    }
    m = mask_for(l, bits);
    if (!m || memcmp(m->bits, bits, l->n_words * sizeof bits[0])) {
        struct chlog_mask *own = mask_new(l, bits);

        m = own ? own : m;
    }
    if (!m)
        return false;
    pack(l, key, w);
    for (unsigned j = 0; j < l->n_words; j++)
        w[j] &= m->bits[j];
    __atomic_store_n(&m->last[hash_words(&l->key, w, l->n_words)
                              % CHLOG_SLOTS], gen, __ATOMIC_RELAXED);
    return true;
}

void
chlog_add_all(struct chlog *l, uint32_t gen)
{
    __atomic_store_n(&l->floor, gen, __ATOMIC_RELAXED);
}

/* Bits that two shapes have in common. */
static int
common(const struct chlog *l, const uint64_t *a, const uint64_t *b)
{
    int n = 0;

    for (unsigned j = 0; j < l->n_words; j++)
        n += __builtin_popcountll(a[j] & b[j]);
    return n;
}

/* Makes one shape of the two that have most in common. */
static unsigned
merge_closest(const struct chlog *l, uint64_t s[][FLOW_KEY_PACKET_WORDS],
              unsigned n)
{
    unsigned a = 0, b = 1;
    int most = -1;

    for (unsigned i = 0; i < n; i++)
        for (unsigned k = i + 1; k < n; k++) {
            int c = common(l, s[i], s[k]);

            if (c > most) {
                most = c;
                a = i;
                b = k;
            }
        }
    for (unsigned j = 0; j < l->n_words; j++)
        s[a][j] &= s[b][j];
    memcpy(s[b], s[n - 1], sizeof s[0]);
    return n - 1;
}

struct chlog *
chlog_next(const struct chlog *old, const struct flow_key *mask,
           uint64_t seed, uint32_t gen)
{
    uint64_t s[CHLOG_MASKS + 1][FLOW_KEY_PACKET_WORDS];
    struct chlog *l = calloc(1, sizeof *l);
    unsigned n = old->n_masks;

    if (!l)
        return NULL;
    l->floor = gen;
    l->n_words = old->n_words;
    memcpy(l->idx, old->idx, sizeof l->idx);
    hash_key_init(&l->key, seed);
    for (unsigned i = 0; i < n; i++)
        memcpy(s[i], old->masks[i].bits, sizeof s[i]);
    pack(l, mask, s[n++]);
    while (n > CHLOG_MASKS / 2)
        n = merge_closest(l, s, n);
    for (unsigned i = 0; i < n; i++)
        if (bits_within(l, s[i], (uint64_t[FLOW_KEY_PACKET_WORDS]) { 0 }) < 0
            && !mask_new(l, s[i])) {
            chlog_destroy(l);
            return NULL;
        }
    return l;
}

bool
chlog_holds_key(const struct chlog *l, const struct flow_key *key,
                uint32_t gen)
{
    uint64_t w[FLOW_KEY_PACKET_WORDS];

    pack(l, key, w);
    return chlog_holds(l, w, gen);
}
