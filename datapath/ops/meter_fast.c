/* SPDX-License-Identifier: Apache-2.0 */
/* meter: drops or re-marks what exceeds a rate; see meter.h. */
#include "datapath/meter.h"

#include "datapath/ops/rewrite.h"

#define WITHIN DP_METER_BANDS /* Verdict of a packet that no band takes. */

/* ------------------------------------------------------------------ buckets */

static inline int64_t
tokens_add(const struct worker *w, int64_t *tokens, int64_t n)
{
    if (w->dp->n_workers > 1)
        return __atomic_add_fetch(tokens, n, __ATOMIC_RELAXED);
    n += __atomic_load_n(tokens, __ATOMIC_RELAXED);
    __atomic_store_n(tokens, n, __ATOMIC_RELAXED);
    return n;
}

/* Fills up to 'now'.  Of two workers that come at once one takes the time
 * since the last refill; what it adds above the brim it takes out again. */
static void
band_refill(const struct worker *w, struct meter_band *b)
{
    uint64_t last = dp_read(b->last_ns), now = w->now_ns;
    __uint128_t add;
    int64_t over;

    if (now <= last)
        return;
    if (w->dp->n_workers == 1)
        __atomic_store_n(&b->last_ns, now, __ATOMIC_RELAXED);
    else if (!__atomic_compare_exchange_n(&b->last_ns, &last, now, false,
                                          __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED))
        return;
    add = (__uint128_t) (now - last) * b->rate;
    /* Enough to fill it, however far below zero it is. */
    over = dp_read(b->tokens);
    if (add > (uint64_t) (b->cap - over))
        add = (uint64_t) (b->cap - over);
    over = tokens_add(w, &b->tokens, (int64_t) add) - b->cap;
    if (over > 0)
        tokens_add(w, &b->tokens, -over);
}

/* The buckets as one burst of packets sees them. */
struct charge {
    int64_t left[DP_METER_BANDS];
    int64_t taken[DP_METER_BANDS];
    struct rule_counter band[DP_METER_BANDS];
    struct rule_counter in;
};

static void
charge_begin(const struct worker *w, struct meter_conf *c, struct charge *ch)
{
    for (unsigned i = 0; i < c->n; i++) {
        band_refill(w, &c->band[i]);
        ch->left[i] = dp_read(c->band[i].tokens);
        ch->taken[i] = 0;
        ch->band[i] = (struct rule_counter) { 0 };
    }
    ch->in = (struct rule_counter) { 0 };
}

/* The number of the band to be applied to a packet, or WITHIN. */
static inline unsigned
charge_packet(const struct meter_conf *c, struct charge *ch, uint32_t len)
{
    int64_t cost = c->pktps ? METER_TOKENS : 8 * METER_BIT * (int64_t) len;

    ch->in.packets++;
    ch->in.bytes += len;
    for (unsigned i = 0; i < c->n; i++) {
        if (ch->left[i] < WEFT_MIN(cost, c->band[i].cap)) {
            ch->band[i].packets++;
            ch->band[i].bytes += len;
            return i;
        }
        ch->left[i] -= cost;
        ch->taken[i] += cost;
    }
    return WITHIN;
}

static void
charge_end(struct worker *w, const struct dp_meter *m, struct meter_conf *c,
           const struct charge *ch)
{
    struct meter_pw *pw = m->pw[w->id];

    dp_count(pw->in.packets, ch->in.packets);
    dp_count(pw->in.bytes, ch->in.bytes);
    for (unsigned i = 0; i < c->n; i++) {
        struct rule_counter *cnt = &pw->band[c->band[i].index];

        if (ch->taken[i])
            tokens_add(w, &c->band[i].tokens, -ch->taken[i]);
        dp_count(cnt->packets, ch->band[i].packets);
        dp_count(cnt->bytes, ch->band[i].bytes);
    }
}

/* -------------------------------------------------------------------- bands */

/* DSCP AFxy is 8x + 2y: classes x 1 to 4, drop precedences y 1 to 3 (RFC 2597
 * §6).  A precedence that would be higher is the highest; other code points
 * have none. */
static uint8_t
dscp_raise(uint8_t dscp, uint8_t levels)
{
    unsigned class = dscp >> 3, prec = dscp >> 1 & 3;

    if (dscp & 1 || class < 1 || class > 4 || !prec)
        return dscp;
    prec = WEFT_MIN(prec + levels, 3u);
    return (uint8_t) (class << 3 | prec << 1);
}

static void
remark(const struct batch *b, unsigned s, struct rte_mbuf *m, uint8_t levels)
{
    uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, b->lay[s].l3);

    if (slot_is(b, s, REWRITE_ETH_IPV4)) {
        uint8_t old[2] = { ip[0], ip[1] };

        ip[1] = (uint8_t) (dscp_raise(ip[1] >> 2, levels) << 2 | (ip[1] & 3));
        csum_apply(ip + 10, csum_delta(old, ip, 2));
    } else if (slot_is(b, s, REWRITE_ETH_IPV6)) {
        uint16_t w = get_be16(ip); /* Version, DSCP, ECN, flow label. */
        uint16_t dscp = dscp_raise(w >> 6 & 0x3f, levels);

        put_be16(ip, (uint16_t) ((w & 0xf03f) | dscp << 6));
    }
}

/* ------------------------------------------------------------------- meters */

bool
worker_meter_packet(struct worker *w, struct batch *b, unsigned s,
                    struct rte_mbuf *m, struct dp_meter *meter)
{
    struct meter_conf *c;
    struct charge ch;
    unsigned v;

    if (weft_likely(!meter))
        return true;
    c = dp_load(&meter->conf);
    charge_begin(w, c, &ch);
    v = charge_packet(c, &ch, m->pkt_len);
    charge_end(w, meter, c, &ch);
    if (v == WITHIN)
        return true;
    if (c->band[v].type == METER_DROP)
        return false;
    remark(b, s, m, c->band[v].prec_level);
    return true;
}

void
op_run_METER(struct worker *w, struct group *g, const struct dp_op *op)
{
    struct dp_meter *m = meter_find(dp_load(&g->b->br->meters), op->arg);
    struct meter_conf *c;
    struct charge ch;

    if (weft_unlikely(!m)) /* Just deleted: its flows are to follow. */
        return;
    c = dp_load(&m->conf);
    charge_begin(w, c, &ch);
    for (unsigned i = 0; i < g->n;) {
        unsigned s = g->idx[i];
        unsigned v = charge_packet(c, &ch, g->b->m[s]->pkt_len);

        if (v != WITHIN && c->band[v].type == METER_DROP) {
            rewrite_group_drop(w, g, i, DROP_METER);
            continue;
        }
        if (v != WITHIN)
            remark(g->b, s, g->b->m[s], c->band[v].prec_level);
        i++;
    }
    charge_end(w, m, c, &ch);
}
