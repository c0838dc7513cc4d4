/* SPDX-License-Identifier: Apache-2.0 */
/* Flow cache: exact match on the masked key, one per worker and bridge.
 *
 * What:    packed key -> program, with the sequence number at which it was
 *          last proven right.
 * Model:   64-byte buckets of signatures; one entry line per flow (64 bytes
 *          for up to 5 packed words, then 128, 192).  The key is packed by
 *          the bridge's mask: words whose mask is zero are not stored.  The
 *          hash is keyed with a per-boot secret.  A flow is admitted at its
 *          second sighting (doorkeeper filter), old ones are evicted by
 *          CLOCK.  Growth: control creates a larger cache and hands it over.
 * Threads: the owning worker; control may read entries for a dump (values
 *          may be torn, pointers are never followed without the stamp check).
 * Owns:    buckets, entries, doorkeeper.  Programs are lent.
 * Cost:    a hit is one bucket line and one entry line, both prefetched over
 *          the burst. */
#ifndef DP_CACHE_H
#define DP_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weft/compiler.h"
#include "weft/dp.h"
#include "weft/flow_match.h"

struct fc;
struct prog;

#define FC_BURST_MAX 32
#define FC_MAX_WORDS FLOW_KEY_PACKET_WORDS

/* 'mask': the fields that matter.  'capacity' rounded up to a power of two.
 * NULL: no memory. */
struct fc *fc_create(const struct flow_key *mask, uint32_t capacity,
                     uint64_t seed);
void fc_destroy(struct fc *); /* Accepts NULL. */

/* What a lookup found out about one packet; kept until fc_insert. */
struct fc_ref {
    uint64_t words[FC_MAX_WORDS]; /* Packed key. */
    uint64_t hash;
    void *entry; /* NULL: miss. */
};

/* Looks up a burst: packs, hashes, probes, compares, all candidates of a
 * bucket, with prefetch between the stages.  Counts a hit in the entry. */
void fc_lookup_burst(struct fc *, const struct flow_key *const keys[],
                     unsigned n, struct fc_ref refs[]);

const struct prog *fc_entry_prog(const void *entry);
uint32_t fc_entry_stamp(const void *entry);
/* Entry proven again: new program (may be the same) and stamp. */
void fc_entry_prove(void *entry, const struct prog *, uint32_t stamp);
/* After a miss.  May decline (first sighting). */
void fc_insert(struct fc *, const struct fc_ref *, const struct prog *,
               uint32_t stamp);

/* Wants to be replaced by a larger one (control polls this). */
bool fc_wants_growth(const struct fc *);
void fc_get_mask(const struct fc *, struct flow_key *mask);
void fc_get_stats(const struct fc *, struct dp_cache_stats *);

typedef void fc_dump_cb(void *arg, const struct flow_key *masked_key,
                        const struct prog *, uint32_t stamp, uint64_t packets);
void fc_dump(const struct fc *, fc_dump_cb *, void *arg);

#endif
