/* SPDX-License-Identifier: Apache-2.0 */
#include "gen.h"

#include <arpa/inet.h>
#include <rte_cycles.h>
#include <stdlib.h>

/* What the rules of rows A4 and A5 write; see bench_rows.py. */
static const uint8_t hop_macs[12] = { 2, 0, 0, 0, 0, 0xaa,
                                      2, 0, 0, 0, 0, 0xbb };
static const uint8_t vlan_tag[4] = { 0x81, 0, 0, 100 };

static uint32_t *seq_in; /* Last one seen of each template. */
static uint32_t victims_below;

void
gen_tx_init(const struct side *sides, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (!sides[i].is_rx && sides[i].stamp && !seq_in)
            seq_in = calloc(n_templates + 1, sizeof *seq_in);
        if (sides[i].is_rx && sides[i].flows && !victims_below)
            victims_below = sides[i].tse ? 1 : sides[i].flows;
    }
}

static bool
ip_sum_right(const uint8_t *ip)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < 20; i += 2)
        sum += (uint32_t) ip[i] << 8 | ip[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

/* Are the bytes from 'at' those of the template?  Stamps are passed over. */
static bool
rest_right(const struct side *s, const uint8_t *p, const uint8_t *t,
           unsigned at, const struct template_end *e)
{
    if (s->stamp)
        return !memcmp(p + at, t + at, AT_DUE - at)
               && !memcmp(p + AT_MAGIC, t + AT_MAGIC, FRAME - AT_MAGIC);
    if (free_bits && at <= 34) /* The generator counts in its port. */
        return !memcmp(p + at, t + at, 34 - at)
               && !memcmp(p + 36, t + 36, (size_t) e->len - 36);
    return !memcmp(p + at, t + at, (size_t) e->len - at);
}

/* Is it template 't' after the row's edit? */
static bool
inner_right(const struct side *s, const uint8_t *p, const uint8_t *t,
            const struct template_end *e)
{
    switch (s->edit) {
    case EDIT_NONE:
        return rest_right(s, p, t, 0, e);
    case EDIT_L3HOP: /* Addresses, TTL and checksum differ. */
        return !memcmp(p, hop_macs, 12) && !memcmp(p + 12, t + 12, 10)
               && p[22] == t[22] - 1 && p[23] == t[23]
               && rest_right(s, p, t, 26, e) && ip_sum_right(p + 14);
    case EDIT_VLAN:
        return !memcmp(p, t, 12) && !memcmp(p + 12, vlan_tag, 4)
               && !memcmp(p + 16, t + 12, (size_t) e->len - 12);
    case EDIT_MAC: /* A group's bucket has written 02:00:00:00:aX:YZ. */
        return !memcmp(p, t, 4) && (p[4] & 0xf0) == 0xa0
               && rest_right(s, p, t, 6, e);
    }
    return false;
}

static unsigned
outer_len(const struct side *s)
{
    return s->outer == OUTER_NONE ? 0 : s->outer == OUTER_VXLAN ? 50 : 42;
}

static bool
outer_right(const struct side *s, const uint8_t *p, uint32_t key)
{
    if (s->outer == OUTER_VXLAN)
        return p[23] == 17 && !memcmp(p + 36, "\x12\xb5", 2)
               && p[42] == 0x08
               && ((uint32_t) p[46] << 16 | p[47] << 8 | p[48]) == key;
    if (s->outer == OUTER_NVGRE)
        return p[23] == 47 && !memcmp(p + 34, "\x20\x00\x65\x58", 4)
               && ((uint32_t) p[38] << 16 | p[39] << 8 | p[40]) == key;
    return true;
}

/* Number of the template of the inner frame at 'p', or UINT32_MAX. */
static inline uint32_t
template_of(const uint8_t *p, unsigned len)
{
    unsigned at = p[12] == 0x86 ? FRAME6 - 8 : AT_MAGIC;
    uint32_t i;

    if (len < at + 8 || get32(p + at) != MAGIC)
        return UINT32_MAX;
    i = get32(p + at + 4);
    return i < n_templates ? i : UINT32_MAX;
}

/* Does the delivered frame carry the right outer headers and inner bytes? */
static bool
frame_right(const struct side *s, const uint8_t *p, unsigned len)
{
    unsigned off = outer_len(s), tag = s->edit == EDIT_VLAN ? 4 : 0;
    uint32_t i;

    if (len < off + tag + FRAME)
        return false;
    i = template_of(p + off + tag, len - off - tag);
    if (i == UINT32_MAX)
        return false;
    const uint8_t *t = template_at(i);
    struct template_end e = template_end(t);

    return len == off + tag + e.wire_len && inner_right(s, p + off, t, &e)
           && outer_right(s, p, tunnel_key(s, t));
}

static void
note_latency(uint64_t cycles)
{
    unsigned bucket = (unsigned) cycles;

    if (cycles >= LAT_STEPS) {
        unsigned top = 63 - (unsigned) __builtin_clzll(cycles);

        bucket = (top - 4) * LAT_STEPS + LAT_STEPS
                 + ((unsigned) (cycles >> (top - 4)) & (LAT_STEPS - 1));
    }
    stats->latency[RTE_MIN(bucket, LAT_BUCKETS - 1u)]++;
}

/* What a stamp says: how long it took, in order or not, by the right rule. */
static void
read_stamp(const struct side *s, const uint8_t *p, unsigned len, uint64_t now)
{
    uint32_t i = template_of(p, len), seq, epoch;
    uint64_t due;

    if (i == UINT32_MAX) {
        stats->wrong++;
        return;
    }
    memcpy(&due, p + AT_DUE, sizeof due);
    note_latency(now > due ? now - due : 0);
    seq = get32(p + AT_SEQ);
    if ((int32_t) (seq - seq_in[i]) <= 0)
        stats->reordered++;
    else
        seq_in[i] = seq;
    epoch = (uint32_t) p[AT_EPOCH] << 8 | p[AT_EPOCH + 1];
    if (s->has_parity && epoch && (epoch & 1) != s->parity)
        stats->wrong++;
}

uint16_t
gen_tx(uint16_t port, uint16_t queue, struct rte_mbuf *pkts[], uint16_t n,
       void *side)
{
    struct side *s = side;
    unsigned off = outer_len(s);
    uint64_t counted = 0, victims = 0, now = s->stamp ? rte_rdtsc() : 0;

    (void) port, (void) queue;
    for (uint16_t k = 0; k < n; k++) {
        const uint8_t *p = rte_pktmbuf_mtod(pkts[k], const uint8_t *);
        unsigned len = pkts[k]->pkt_len;

        if (len < FRAME) { /* ARP and the like. */
            stats->other++;
            continue;
        }
        counted++;
        if (s->victim)
            victims += template_of(p, len) < victims_below;
        if (s->stamp)
            read_stamp(s, p + off, len - off, now);
        if (++s->since_check >= CHECK_EVERY) {
            s->since_check = 0;
            stats->checked++;
            stats->wrong += !frame_right(s, p, len);
        }
    }
    stats->delivered += counted;
    stats->victim_delivered += victims;
    return n;
}
