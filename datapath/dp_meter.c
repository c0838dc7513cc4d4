/* SPDX-License-Identifier: Apache-2.0 */
/* Meters: configuration and counters. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/meter.h"
#include "utils/base/mem.h"

#define TABLE_MIN 16

/* A slot whose meter went: probing goes on behind it. */
static struct dp_meter meter_gone;

/* -------------------------------------------------------------------- table */

static struct meter_table *
table_new(uint32_t slots)
{
    struct meter_table *t = calloc(1, sizeof *t + slots * sizeof t->slot[0]);

    if (t)
        t->mask = slots - 1;
    return t;
}

/* The first free slot for 'id', which is not there. */
static struct dp_meter **
table_slot(struct meter_table *t, uint32_t id)
{
    uint32_t i = meter_hash(id);

    while (t->slot[i & t->mask] && t->slot[i & t->mask] != &meter_gone)
        i++;
    return &t->slot[i & t->mask];
}

static struct dp_meter **
table_at(struct meter_table *t, uint32_t id)
{
    for (uint32_t i = meter_hash(id), n = 0; n <= t->mask; i++, n++) {
        struct dp_meter **s = &t->slot[i & t->mask];

        if (!*s)
            break;
        if ((*s)->id == id)
            return s;
    }
    return NULL;
}

static uint32_t
table_live(const struct meter_table *t)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i <= t->mask; i++)
        n += t->slot[i] && t->slot[i] != &meter_gone;
    return n;
}

/* Makes room for one more: at most half of the slots are in use, those of
 * meters that went included. */
static int
table_reserve(struct dp_bridge *br)
{
    struct meter_table *old = br->meters, *t;
    uint32_t slots = TABLE_MIN;

    if (2 * (old->used + 1) <= old->mask)
        return 0;
    while (slots < 4 * (table_live(old) + 1))
        slots *= 2;
    t = table_new(slots);
    if (!t)
        return -ENOMEM;
    for (uint32_t i = 0; i <= old->mask; i++)
        if (old->slot[i] && old->slot[i] != &meter_gone) {
            *table_slot(t, old->slot[i]->id) = old->slot[i];
            t->used++;
        }
    dp_publish(&br->meters, t);
    rcu_defer(br->dp->rcu, free, old);
    return 0;
}

/* ------------------------------------------------------------ single meters */

static uint32_t
default_burst(const struct dp_meter_band *b, bool pktps)
{
    uint32_t made = (uint32_t) ((uint64_t) b->rate * METER_BURST_MS / 1000);

    return WEFT_MAX(made, pktps ? (uint32_t) METER_BURST_PACKETS
                                : (uint32_t) METER_BURST_KBIT);
}

/* Inserts into 'c' behind the bands of higher or equal rate. */
static void
conf_add(struct meter_conf *c, const struct dp_meter_band *b, uint8_t index)
{
    uint32_t burst = b->burst ? b->burst : default_burst(b, c->pktps);
    unsigned at = c->n++;

    while (at && c->band[at - 1].rate < b->rate) {
        c->band[at] = c->band[at - 1];
        at--;
    }
    c->band[at] = (struct meter_band) {
        .tokens = burst * METER_TOKENS,
        .cap = burst * METER_TOKENS,
        .rate = b->rate,
        .type = b->type,
        .prec_level = b->prec_level,
        .index = index,
    };
    c->remarks |= b->type == METER_DSCP_REMARK;
}

static struct meter_conf *
conf_new(const struct dp_meter_config *c)
{
    struct meter_conf *conf;
    size_t size = sizeof *conf + c->n_bands * sizeof conf->band[0];

    conf = aligned_alloc(64, (size + 63) / 64 * 64);
    if (!conf)
        return NULL;
    memset(conf, 0, sizeof *conf);
    conf->pktps = c->pktps;
    for (size_t i = 0; i < c->n_bands; i++)
        conf_add(conf, &c->bands[i], (uint8_t) i);
    return conf;
}

static void
meter_free(void *p)
{
    struct dp_meter *m = p;

    for (unsigned i = 0; i < DP_MAX_WORKERS; i++)
        free(m->pw[i]);
    free(m->conf);
    free(m);
}

static struct dp_meter *
meter_new(const struct dp *dp, uint32_t id)
{
    struct dp_meter *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    m->id = id;
    for (unsigned i = 0; i < dp->n_workers; i++) {
        m->pw[i] = aligned_alloc(64, sizeof *m->pw[i]);
        if (!m->pw[i]) {
            meter_free(m);
            return NULL;
        }
        memset(m->pw[i], 0, sizeof *m->pw[i]);
    }
    return m;
}

/* The two virtual meters have a place of their own: punts look there. */
static void
set_virtual(struct dp_bridge *br, uint32_t id, struct dp_meter *m)
{
    if (id == DP_METER_CONTROLLER)
        dp_publish(&br->meter_controller, m);
    else if (id == DP_METER_SLOWPATH)
        dp_publish(&br->meter_slowpath, m);
}

static int
meter_add(struct dp_bridge *br, uint32_t id, struct meter_conf *conf)
{
    struct dp_meter *m = meter_new(br->dp, id), **slot;

    if (!m || table_reserve(br)) {
        if (m)
            meter_free(m);
        return -ENOMEM;
    }
    m->conf = conf;
    slot = table_slot(br->meters, id);
    br->meters->used += !*slot;
    dp_publish(slot, m);
    set_virtual(br, id, m);
    br->dirty |= conf->remarks;
    return 0;
}

static int
config_check(uint32_t id, const struct dp_meter_config *c)
{
    if (!id || c->n_bands > DP_METER_BANDS)
        return -EINVAL;
    for (size_t i = 0; i < c->n_bands; i++)
        if (!c->bands[i].rate || (c->bands[i].type != METER_DROP
                                  && c->bands[i].type != METER_DSCP_REMARK))
            return -EINVAL;
    return 0;
}

int
dp_meter_set(struct dp_bridge *br, uint32_t id,
             const struct dp_meter_config *c)
{
    struct dp_meter *m = meter_find(br->meters, id);
    struct meter_conf *conf, *old;
    int err = config_check(id, c);

    if (err)
        return err;
    conf = conf_new(c);
    if (!conf)
        return -ENOMEM;
    if (!m) {
        err = meter_add(br, id, conf);
        if (err)
            free(conf);
        return err;
    }
    old = m->conf;
    br->dirty |= old->remarks != conf->remarks;
    dp_publish(&m->conf, conf);
    rcu_defer(br->dp->rcu, free, old);
    return 0;
}

void
dp_meter_del(struct dp_bridge *br, uint32_t id)
{
    struct dp_meter **slot = table_at(br->meters, id), *m;

    if (!slot)
        return;
    m = *slot;
    set_virtual(br, id, NULL);
    dp_publish(slot, &meter_gone);
    br->dirty |= m->conf->remarks;
    rcu_defer(br->dp->rcu, meter_free, m);
}

static void
counter_add(struct dp_stats *s, const struct rule_counter *c)
{
    s->packets += dp_read(c->packets);
    s->bytes += dp_read(c->bytes);
}

int
dp_meter_get_stats(struct dp_bridge *br, uint32_t id, struct dp_stats *in,
                   struct dp_stats *bands, size_t n)
{
    const struct dp_meter *m = meter_find(br->meters, id);

    if (!m)
        return -ENOENT;
    memset(in, 0, sizeof *in);
    if (n)
        memset(bands, 0, n * sizeof bands[0]);
    for (unsigned w = 0; w < br->dp->n_workers; w++) {
        counter_add(in, &m->pw[w]->in);
        for (size_t i = 0; i < WEFT_MIN(n, (size_t) DP_METER_BANDS); i++)
            counter_add(&bands[i], &m->pw[w]->band[i]);
    }
    return 0;
}

/* --------------------------------------------------------------- the bridge */

int
dp_meters_init(struct dp_bridge *br)
{
    br->meters = table_new(TABLE_MIN);
    return br->meters ? 0 : -ENOMEM;
}

void
dp_meters_free(struct dp_bridge *br)
{
    struct meter_table *t = br->meters;

    for (uint32_t i = 0; t && i <= t->mask; i++)
        if (t->slot[i] && t->slot[i] != &meter_gone)
            meter_free(t->slot[i]);
    free(t);
}
