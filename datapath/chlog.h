/* SPDX-License-Identifier: Apache-2.0 */
/* Change log: which cached flows may the rule changes of late concern?
 *
 * What:    for each shape of match among a bridge's changes, when a match of
 *          that shape with a given value was changed last.
 * Model:
 *     masks[i].bits   the fields that some changed rules look at
 *     masks[i].last[] by the hash of those fields' values: generation of the
 *                     last change
 *
 *          A cached flow that was proven at generation g is still right if
 *          for every shape the entry of its own values is not later than g:
 *          one probe per shape, however many changes there were.  Different
 *          values that share a hash slot cost a classification, no more.
 *          A change that cannot be told apart by the packet's fields (a
 *          table-miss rule, a setting of the bridge) moves 'floor': whatever
 *          was proven before it is to be proven again.
 *
 *          Rules behind table 0 may see other values than the packet came
 *          with: bits that some rule of the bridge rewrites are left out of
 *          their changes' shapes.  That is enough: of a flow's walk, the
 *          first step to come out differently has a key that was made by
 *          rules which were there when the change was logged; had one of
 *          them come or gone, that would have been the first step.
 *
 *          There are CHLOG_MASKS shapes.  When more are needed, a new log is
 *          made whose shapes are those of the old one, merged (chlog_next).
 * Threads: written by control before it publishes the generation that the
 *          change belongs to; read by workers that have loaded theirs before.
 *          Replaced as a whole, freed after a grace period.
 * Owns:    itself.
 * Cost:    a flow behind by any number of changes: a hash of its key and one
 *          access per shape; 64 KiB per shape, as it is used. */
#ifndef DP_CHLOG_H
#define DP_CHLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "datapath/hash_fast.h"
#include "weft/compiler.h"
#include "weft/flow_key.h"

#define CHLOG_MASKS 8
#define CHLOG_SLOTS 16384

struct chlog_mask {
    uint64_t bits[FLOW_KEY_PACKET_WORDS]; /* Packed as a cache's keys. */
    uint32_t *last;
};

struct chlog {
    uint32_t floor;   /* Generation. */
    uint32_t n_masks; /* Published. */
    uint32_t n_words;
    uint8_t idx[FLOW_KEY_PACKET_WORDS]; /* Words of the key. */
    struct hash_key key;
    struct chlog_mask masks[CHLOG_MASKS];
};

/* For caches whose key is 'mask'; everything proven before 'gen' is out of
 * date.  NULL: no memory. */
struct chlog *chlog_create(const struct flow_key *mask, uint64_t seed,
                           uint32_t gen);
void chlog_destroy(struct chlog *); /* Accepts NULL. */

/* Rules with this mask and key (masked) change with generation 'gen'.  False:
 * a log with room for that shape is needed, see chlog_next. */
WEFT_MUST_CHECK bool chlog_add(struct chlog *, const struct flow_key *mask,
                               const struct flow_key *key, uint32_t gen);
/* Anything may. */
void chlog_add_all(struct chlog *, uint32_t gen);
/* A log with fewer, wider shapes, of which one takes changes with 'mask' or
 * none can.  NULL: no memory. */
struct chlog *chlog_next(const struct chlog *, const struct flow_key *mask,
                         uint64_t seed, uint32_t gen);

/* Is what was proven at generation 'gen' for the packed key 'words' right up
 * to the generation that the caller has loaded?  Thread: any. */
static inline bool
chlog_holds(const struct chlog *l, const uint64_t words[], uint32_t gen)
{
    uint32_t n = __atomic_load_n(&l->n_masks, __ATOMIC_ACQUIRE);

    if ((int32_t) (gen - __atomic_load_n(&l->floor, __ATOMIC_RELAXED)) < 0)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        const struct chlog_mask *m = &l->masks[i];
        uint64_t w[FLOW_KEY_PACKET_WORDS], hash;
        uint32_t last;

        for (uint32_t j = 0; j < l->n_words; j++)
            w[j] = words[j] & m->bits[j];
        hash = hash_words(&l->key, w, l->n_words);
        last = __atomic_load_n(&m->last[hash % CHLOG_SLOTS],
                               __ATOMIC_RELAXED);
        if ((int32_t) (last - gen) > 0)
            return false;
    }
    return true;
}

/* The same for a key that is not packed. */
bool chlog_holds_key(const struct chlog *, const struct flow_key *,
                     uint32_t gen);

#endif
