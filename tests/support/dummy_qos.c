/* SPDX-License-Identifier: Apache-2.0 */
/* Meters and queues of the dummy datapath. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/dummy_dp.h"
#include "utils/base/mem.h"

/* ---------------------------------------------------------------- meters */

struct dummy_meter *
dummy_meter(struct dp_bridge *b, uint32_t id)
{
    struct dummy_meter *m;

    BASE_LIST_FOR(m, &b->meters, link)
        if (m->id == id)
            return m;
    return NULL;
}

int
dp_meter_set(struct dp_bridge *b, uint32_t id,
             const struct dp_meter_config *c)
{
    struct dummy_meter *m = dummy_meter(b, id);

    if (b->dp->fail_meter_set)
        return b->dp->fail_meter_set;
    if (c->n_bands > DP_METER_BANDS)
        return -EINVAL;
    if (!m) {
        BASE_NEW(m);
        m->id = id;
        base_list_add_tail(&b->meters, &m->link);
        b->n_meters++;
    }
    m->n_sets++;
    m->pktps = c->pktps;
    m->n_bands = c->n_bands;
    if (c->n_bands)
        memcpy(m->bands, c->bands, c->n_bands * sizeof m->bands[0]);
    b->dp->n_changes++;
    return 0;
}

static void
meter_free(struct dp_bridge *b, struct dummy_meter *m)
{
    base_list_del(&m->link);
    b->n_meters--;
    free(m);
}

void
dp_meter_del(struct dp_bridge *b, uint32_t id)
{
    struct dummy_meter *m = dummy_meter(b, id);

    if (m)
        meter_free(b, m);
    b->dp->n_changes++;
}

int
dp_meter_get_stats(struct dp_bridge *b, uint32_t id, struct dp_stats *in,
                   struct dp_stats *bands, size_t n)
{
    const struct dummy_meter *m = dummy_meter(b, id);

    if (!m)
        return -ENOENT;
    *in = m->in;
    for (size_t i = 0; i < n && i < m->n_bands; i++)
        bands[i] = m->band_stats[i];
    return 0;
}

/* ---------------------------------------------------------------- queues */

struct dummy_queue *
dummy_queue(struct dp_bridge *b, uint32_t port_no, uint32_t queue)
{
    struct dummy_queue *q;

    BASE_LIST_FOR(q, &b->queues, link)
        if (q->port_no == port_no && q->id == queue)
            return q;
    return NULL;
}

int
dp_queue_set(struct dp_bridge *b, uint32_t port_no, uint32_t queue,
             const struct dp_queue_config *c, struct weft_err *e)
{
    struct dummy_queue *q = dummy_queue(b, port_no, queue), *at;
    struct dp_port_info info;

    if (dp_port_get(b, port_no, &info))
        return weft_err_set(e, -ENODEV, "no port %u", port_no);
    if (!q) {
        BASE_NEW(q);
        q->port_no = port_no;
        q->id = queue;
        BASE_LIST_FOR(at, &b->queues, link)
            if (at->port_no > port_no
                || (at->port_no == port_no && at->id > queue))
                break;
        base_list_add_before(&at->link, &q->link);
    }
    q->config = *c;
    return 0;
}

int
dp_queue_del(struct dp_bridge *b, uint32_t port_no, uint32_t queue)
{
    struct dummy_queue *q = dummy_queue(b, port_no, queue);
    struct dp_port_info info;

    if (dp_port_get(b, port_no, &info))
        return -ENODEV;
    if (!q)
        return -ENOENT;
    base_list_del(&q->link);
    free(q);
    return 0;
}

int
dp_queue_get(struct dp_bridge *b, uint32_t port_no, uint32_t queue,
             struct dp_queue_config *c, struct dp_queue_stats *s)
{
    const struct dummy_queue *q = dummy_queue(b, port_no, queue);
    struct dp_port_info info;

    if (dp_port_get(b, port_no, &info))
        return -ENODEV;
    if (!q)
        return -ENOENT;
    *c = q->config;
    *s = q->stats;
    return 0;
}

int
dp_queue_next(struct dp_bridge *b, uint32_t port_no, uint32_t from,
              uint32_t *queue)
{
    const struct dummy_queue *q;

    BASE_LIST_FOR(q, &b->queues, link)
        if (q->port_no == port_no && q->id >= from) {
            *queue = q->id;
            return 0;
        }
    return -ENOENT;
}

void
dummy_qos_clear(struct dp_bridge *b, uint32_t port_no)
{
    struct dummy_queue *q, *qt;
    struct dummy_meter *m, *mt;

    BASE_LIST_FOR_SAFE(q, qt, &b->queues, link)
        if (port_no == DP_PORT_NONE || q->port_no == port_no) {
            base_list_del(&q->link);
            free(q);
        }
    if (port_no == DP_PORT_NONE)
        BASE_LIST_FOR_SAFE(m, mt, &b->meters, link)
            meter_free(b, m);
}

/* ----------------------------------------------------------------- rules */

void
dp_rules_metered(struct dp_bridge *b, dp_metered_cb *cb, void *arg)
{
    const struct dp_rule *r;

    BASE_LIST_FOR(r, &b->rules, link)
        cb(arg, &r->instr, 1);
}
