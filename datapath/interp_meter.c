/* SPDX-License-Identifier: Apache-2.0 */
/* Meters of the reference interpreter: one packet after the other, each band
 * brought up to the time it is now.
 * Source: OpenFlow 1.3.5 §5.7.1; RFC 2597 §6 for the drop precedence. */
#include "datapath/interp_priv.h"

#define BAND_DSCP_REMARK 2
/* A billionth of a packet or a millionth of a bit, so that a rate in
 * packets/s or kbit/s is as many parts per nanosecond. */
#define PARTS_PACKET INT64_C(1000000000)
#define PARTS_BYTE INT64_C(8000000)

void
interp_meter_init(struct interp_meter *m, uint32_t id,
                  const struct dp_meter_config *c, uint64_t now_ns)
{
    *m = (struct interp_meter) { .id = id, .pktps = c->pktps,
                                 .n = (unsigned) c->n_bands,
                                 .last_ns = now_ns };
    for (unsigned i = 0; i < m->n; i++)
        m->band[i] = (struct interp_band) {
            .said = c->bands[i],
            .level = c->bands[i].burst * PARTS_PACKET,
        };
}

static void
bands_fill(struct interp_meter *m, uint64_t now_ns)
{
    __int128 ns = (__int128) now_ns - (__int128) m->last_ns;

    for (unsigned i = 0; i < m->n; i++) {
        struct interp_band *b = &m->band[i];
        __int128 level = b->level + ns * b->said.rate;

        b->level = (int64_t) WEFT_MIN(level, (__int128) b->said.burst
                                                 * PARTS_PACKET);
    }
    m->last_ns = now_ns;
}

/* Bands by falling rate, of equal rates the first said first. */
static struct interp_band *
band_below(struct interp_meter *m, const struct interp_band *b)
{
    struct interp_band *best = NULL;

    for (unsigned i = 0; i < m->n; i++) {
        struct interp_band *x = &m->band[i];

        if (b && (x->said.rate > b->said.rate
                  || (x->said.rate == b->said.rate && x <= b)))
            continue;
        if (!best || x->said.rate > best->said.rate)
            best = x;
    }
    return best;
}

/* The band that the packet exceeds first; those above it are charged.  A full
 * bucket lets a packet of any size pass. */
static struct interp_band *
band_exceeded(struct interp_meter *m, int64_t cost)
{
    struct interp_band *b = NULL;

    while ((b = band_below(m, b))) {
        int64_t full = b->said.burst * PARTS_PACKET;

        if (b->level < cost && b->level < full) {
            b->exceeded++;
            return b;
        }
        b->level -= cost;
        b->passed++;
    }
    return NULL;
}

/* Raises the drop precedence of an AF code point. */
static void
remark(struct interp_frame *f, unsigned levels)
{
    static const uint8_t af[4][3] = {
        { 10, 12, 14 }, { 18, 20, 22 }, { 26, 28, 30 }, { 34, 36, 38 },
    };
    uint64_t room[2] = { 0 };
    struct dp_op *op = (struct dp_op *) (void *) room;
    uint8_t v[16] = { 0 };

    flow_field_get(&f->k, &flow_fields[FLOW_F_IP_DSCP], v);
    for (unsigned i = 0; i < 12; i++)
        if (af[i / 3][i % 3] == v[15]) {
            v[15] = af[i / 3][WEFT_MIN(i % 3 + levels, 2u)];
            break;
        }
    *op = (struct dp_op) { .code = DP_OP_SET_FIELD, .words = 2,
                           .aux = FLOW_F_IP_DSCP };
    op->data[0] = (uint8_t) (v[15] << 2); /* Its place in the octet, */
    op->data[1] = 0xfc;                   /* and its bits. */
    (void) interp_op(f, op);
}

int
interp_meter(const struct interp_pipeline *pl, struct interp_frame *f,
             uint32_t id)
{
    struct interp_meter *m = NULL;
    struct interp_band *b;
    uint16_t type;

    for (size_t i = 0; i < pl->n_meters; i++)
        if (pl->meters[i].id == id)
            m = &pl->meters[i];
    if (!m)
        return -1;
    bands_fill(m, pl->now_ns);
    b = band_exceeded(m, m->pktps ? PARTS_PACKET
                                  : (int64_t) f->len * PARTS_BYTE);
    if (!b)
        return -1;
    if (b->said.type != BAND_DSCP_REMARK)
        return DROP_METER;
    type = be16_to(f->k.eth_type);
    if (type == 0x0800 || type == 0x86dd)
        remark(f, b->said.prec_level);
    return -1;
}
