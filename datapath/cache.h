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
 *          CLOCK, but none that the last burst has touched, so that a
 *          struct fc_ref stays good while the burst is worked on.
 *          Growth: control creates a larger cache and hands it over.
 *          Memory is taken as it is used: an empty cache for 1M flows costs
 *          next to nothing.
 *          An entry with an older stamp than the worker's is not wrong for
 *          that: the change log (chlog.h), lent by control, tells.
 * Threads: the owning worker; control may read entries for a dump (values
 *          may be torn, pointers are never followed without the stamp check).
 * Owns:    buckets, entries, doorkeeper.  Programs are lent.
 * Cost:    a hit is one bucket line and one entry line, both prefetched over
 *          the burst; a second bucket line for the few whose first is full. */
#ifndef DP_CACHE_H
#define DP_CACHE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weft/compiler.h"
#include "weft/dp.h"
#include "weft/flow_match.h"

struct chlog;
struct fc;
struct prog;

#define FC_BURST_MAX 32
#define FC_MAX_WORDS FLOW_KEY_PACKET_WORDS

/* 'mask': the fields that matter; what is beyond the packet words is left
 * out.  'capacity' rounded up to a power of two, at least 16.
 * NULL: no memory.  Thread: control. */
struct fc *fc_create(const struct flow_key *mask, uint32_t capacity,
                     uint64_t seed);
void fc_destroy(struct fc *); /* Accepts NULL. */

/* Head of an entry; the packed key follows. */
struct fc_entry {
    _Atomic(const struct prog *) prog;
    _Atomic uint64_t packets;
    _Atomic uint32_t stamp;
    uint16_t burst;    /* Last burst that touched it (low bits). */
    uint8_t used;      /* Touched since CLOCK's hand came by. */
    _Atomic uint8_t live;
    uint64_t words[];
};

/* What a lookup found out about one packet; kept until fc_insert. */
struct fc_ref {
    uint64_t words[FC_MAX_WORDS]; /* Packed key. */
    uint64_t hash;
    void *entry; /* NULL: miss. */
};

/* Looks up a burst: packs, hashes, probes, compares, all candidates of a
 * bucket, with prefetch between the stages.  Counts a hit in the entry.
 * n <= FC_BURST_MAX.  Thread: worker. */
void fc_lookup_burst(struct fc *, const struct flow_key *const keys[],
                     unsigned n, struct fc_ref refs[]);

static inline const struct prog *
fc_entry_prog(const void *entry)
{
    return atomic_load_explicit(&((const struct fc_entry *) entry)->prog,
                                memory_order_relaxed);
}

static inline uint32_t
fc_entry_stamp(const void *entry)
{
    return atomic_load_explicit(&((const struct fc_entry *) entry)->stamp,
                                memory_order_relaxed);
}

/* Entry proven again: new program (may be the same) and stamp. */
static inline void
fc_entry_prove(void *entry, const struct prog *prog, uint32_t stamp)
{
    struct fc_entry *e = entry;

    atomic_store_explicit(&e->prog, prog, memory_order_relaxed);
    atomic_store_explicit(&e->stamp, stamp, memory_order_relaxed);
}

/* The entry of a packet, NULL: none.  It is not touched and may go or change
 * meanwhile, the key in it too.  Thread: control. */
const struct fc_entry *fc_find(const struct fc *, const struct flow_key *);

/* After a miss of the burst looked up last.  May decline (first sighting).
 * Several equal misses of one burst make one entry.  Thread: worker. */
void fc_insert(struct fc *, const struct fc_ref *, const struct prog *,
               uint32_t stamp);

/* The log of changes since the entries were proven; NULL: none is kept. */
void fc_set_log(struct fc *, const struct chlog *); /* Thread: control. */
const struct chlog *fc_log(const struct fc *);

/* Wants to be replaced by a larger one (control polls this): flows come
 * back, but are evicted or forgotten before. */
bool fc_wants_growth(const struct fc *);
void fc_get_mask(const struct fc *, struct flow_key *mask);
/* All but 'stale', which the caller knows. */
void fc_get_stats(const struct fc *, struct dp_cache_stats *);

typedef void fc_dump_cb(void *arg, const struct flow_key *masked_key,
                        const struct prog *, uint32_t stamp, uint64_t packets);
/* Looks at up to 'n' places from *at on; *seen counts live entries, both 0 to
 * start.  false: there are no more. */
bool fc_dump(const struct fc *, uint32_t *at, uint32_t *seen, unsigned n,
             fc_dump_cb *, void *arg);

#endif
