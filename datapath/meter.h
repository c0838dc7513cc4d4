/* SPDX-License-Identifier: Apache-2.0 */
/* Meters: token buckets that workers share.
 *
 * What:    struct dp_meter and how to find it.
 * Model:   a bridge's meters are in an open-addressing table by id that
 *          workers read without a lock.  A meter's configuration with its
 *          buckets is replaced as a whole; its counters stay.
 *
 *          Arithmetic.  A band's bucket holds at most 'cap' tokens and gains
 *          rate tokens per nanosecond: a token is a millionth of a bit
 *          (kbit/s) or a billionth of a packet (packets/s), so that all
 *          numbers are whole and no rounding adds up.  A burst of n kbit or n
 *          packets is n * 10^9 tokens.  A packet costs its bytes (the
 *          Ethernet frame without FCS, a large segment as it stands) or one
 *          packet.  It is within the band if the bucket holds its cost, or is
 *          full: a packet larger than the burst passes at the band's rate
 *          too, the bucket then goes below zero.
 *
 *          Bands are tried from the highest rate down; the first one whose
 *          bucket cannot pay is applied, and the bands below it are not
 *          charged (OpenFlow 1.3.5 §5.7.1; RFC 2698 §3 for two colours).
 *
 *          Several workers share the buckets with one atomic addition per
 *          burst of packets: while two charge a bucket at once, both may see
 *          the same tokens.  What they overdraw, at most a burst of 32
 *          packets per worker, is paid back: the rate holds over time.
 * Threads: control writes; meter_* of the fast path: worker.
 * Owns:    dp_meter.c: all of it; freed after a grace period.
 * Cost:    per burst of packets and band one refill and one charge. */
#ifndef DP_METER_H
#define DP_METER_H

#include "datapath/dp_priv.h"

/* enum of dp_meter_band.type: OFPMBT_*. */
enum { METER_DROP = 1, METER_DSCP_REMARK = 2 };

#define METER_TOKENS INT64_C(1000000000) /* Per packet or kbit. */
#define METER_BIT INT64_C(1000000)

/* Chosen when no burst is given: what the rate makes in 20 ms, the longest
 * that a worker on a shared core is usually kept from its work, but at least
 * two packets: the tokens that a packet leaves over must have room until the
 * next one comes. */
#define METER_BURST_MS 20
#define METER_BURST_PACKETS 2
#define METER_BURST_KBIT 25 /* Two frames of 1518 bytes. */

struct meter_band {
    int64_t tokens;   /* Any worker. */
    uint64_t last_ns; /* Of the last refill; any worker. */
    int64_t cap;
    uint64_t rate;    /* Tokens per nanosecond. */
    uint8_t type;
    uint8_t prec_level;
    uint8_t index;    /* In the configuration's order: of the counters. */
} WEFT_ALIGNED(64);

struct meter_conf {
    unsigned n;
    bool pktps;
    bool remarks; /* Some band changes packets. */
    struct meter_band band[]; /* By rate, highest first. */
};

/* One worker's counters. */
struct meter_pw {
    struct rule_counter in;
    struct rule_counter band[DP_METER_BANDS];
} WEFT_ALIGNED(64);

struct dp_meter {
    uint32_t id;             /* 0: a slot whose meter went. */
    struct meter_conf *conf; /* Published. */
    struct meter_pw *pw[DP_MAX_WORKERS];
};

/* Open addressing, linear probing; a power of two of slots, never full. */
struct meter_table {
    uint32_t mask;
    uint32_t used; /* Control: slots that are not NULL. */
    struct dp_meter *slot[];
};

static inline uint32_t
meter_hash(uint32_t id)
{
    return (id * UINT32_C(0x9e3779b1)) >> 8;
}

/* NULL: there is no such meter.  Thread: any; a worker until it is quiescent.
 * 't' is read once. */
static inline struct dp_meter *
meter_find(const struct meter_table *t, uint32_t id)
{
    for (uint32_t i = meter_hash(id), n = 0; n <= t->mask; i++, n++) {
        struct dp_meter *m = dp_load(&t->slot[i & t->mask]);

        if (!m)
            return NULL;
        if (m->id == id)
            return m;
    }
    return NULL;
}

/* Does the meter change packets?  What is folded behind it depends on it:
 * dp_meter_set makes a new generation. */
static inline bool
meter_remarks(const struct dp_bridge *br, uint32_t id)
{
    const struct dp_meter *m = meter_find(dp_load(&br->meters), id);

    return m && dp_load(&m->conf)->remarks;
}

/* dp_meter.c.  Thread: control. */
WEFT_MUST_CHECK int dp_meters_init(struct dp_bridge *);
void dp_meters_free(struct dp_bridge *); /* No worker knows the bridge. */

#endif
