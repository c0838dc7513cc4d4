/* SPDX-License-Identifier: Apache-2.0 */
/* Queues: configuration and statistics.
 * Source: OpenFlow 1.3.5 §7.2.2, §7.3.6, §7.3.5.8; OpenFlow 1.0.0 §5.2.2,
 * §5.3.4; OpenFlow 1.4.1 §7.2.3. */
#include "ofproto/handlers/handlers_priv.h"

#include "utils/base/clock.h"

#define QUEUE_ALL 0xffffffffu
#define NS_PER_S UINT64_C(1000000000)

static bool
port_exists(struct ofp_session *s, uint32_t port)
{
    struct dp_port_info info;

    return !dp_port_get(s->b->dpb, port, &info);
}

/* "All ports" is ANY, in 1.0 ALL. */
static bool
port_is_all(uint32_t port)
{
    return port == OFP_PORT_ANY || port == OFP_PORT_ALL;
}

/* One queue. */
struct view {
    uint32_t port, id;
    struct dp_queue_config config;
    struct dp_queue_stats stats;
};
typedef void view_cb(void *arg, const struct view *);

/* Queues 'queue' (QUEUE_ALL: all) of one port; returns their number. */
static unsigned
walk_port(struct ofp_session *s, uint32_t port, uint32_t queue, view_cb *cb,
          void *arg)
{
    uint32_t from = queue == QUEUE_ALL ? 0 : queue;
    struct view v = { .port = port };
    unsigned n = 0;

    while (!dp_queue_next(s->b->dpb, port, from, &v.id)
           && (queue == QUEUE_ALL || v.id == queue)) {
        if (!dp_queue_get(s->b->dpb, port, v.id, &v.config, &v.stats)) {
            cb(arg, &v);
            n++;
        }
        if (v.id == UINT32_MAX)
            break;
        from = v.id + 1;
    }
    return n;
}

/* The error codes are those of OFPET_QUEUE_OP_FAILED. */
static enum ofp_err
walk(struct ofp_session *s, uint32_t port, uint32_t queue, view_cb *cb,
     void *arg)
{
    unsigned n = 0;

    if (!port_is_all(port) && !port_exists(s, port))
        return OFP_ERR_QUEUE_BAD_PORT;
    if (port_is_all(port))
        for (uint32_t p = 0; (p = dp_port_next(s->b->dpb, p));)
            n += walk_port(s, p, queue, cb, arg);
    else
        n = walk_port(s, port, queue, cb, arg);
    return n || queue == QUEUE_ALL ? OFP_OK : OFP_ERR_QUEUE_BAD_QUEUE;
}

/* Tenths of a percent of the port's speed; false: that is not known. */
static bool
rate_share(struct ofp_session *s, uint32_t port, uint64_t rate, uint16_t *out)
{
    struct dp_port_info info;

    if (!rate || dp_port_get(s->b->dpb, port, &info) || !info.speed_mbps)
        return false;
    rate = rate / (UINT64_C(1000) * info.speed_mbps);
    *out = (uint16_t) WEFT_MIN(rate, UINT64_C(1000));
    return true;
}

/* -------------------------------------------------------- 1.0 and 1.3 config */

struct config {
    struct ofp_session *s;
    of_list_packet_queue_t list;
    bool full;
};

static void
add_min_rate(of_list_queue_prop_t *props, uint16_t share)
{
    of_queue_prop_min_rate_t o;

    of_queue_prop_min_rate_init(&o, props->version, -1, 1);
    if (!of_list_queue_prop_append_bind(props, &o))
        of_queue_prop_min_rate_rate_set(&o, share);
}

static void
add_max_rate(of_list_queue_prop_t *props, uint16_t share)
{
    of_queue_prop_max_rate_t o;

    of_queue_prop_max_rate_init(&o, props->version, -1, 1);
    if (!of_list_queue_prop_append_bind(props, &o))
        of_queue_prop_max_rate_rate_set(&o, share);
}

static void
add_config(void *arg, const struct view *v)
{
    struct config *c = arg;
    of_packet_queue_t q;
    of_list_queue_prop_t props;
    uint16_t share;

    of_packet_queue_init(&q, c->list.version, -1, 1);
    if (c->full || of_list_packet_queue_append_bind(&c->list, &q)) {
        c->full = true;
        return;
    }
    of_packet_queue_queue_id_set(&q, v->id);
    if (c->s->version != OF_VERSION_1_0)
        of_packet_queue_port_set(&q, v->port);
    of_packet_queue_properties_bind(&q, &props);
    if (rate_share(c->s, v->port, v->config.min_rate, &share))
        add_min_rate(&props, share);
    if (c->s->version != OF_VERSION_1_0
        && rate_share(c->s, v->port, v->config.max_rate, &share))
        add_max_rate(&props, share);
}

static void
skip(void *arg, const struct view *v)
{
    (void) arg, (void) v;
}

enum ofp_err
ofp_handle_queue_get_config(struct ofp_session *s, of_object_t *msg)
{
    of_queue_get_config_reply_t *reply;
    struct config c = { .s = s };
    of_port_no_t port;
    enum ofp_err err;

    of_queue_get_config_request_port_get(msg, &port);
    /* 1.3: ANY means all; 1.0 wants one port. */
    if (s->version == OF_VERSION_1_0 && port_is_all(port))
        return OFP_ERR_QUEUE_BAD_PORT;
    if (port != OFP_PORT_ANY && !port_exists(s, port))
        return OFP_ERR_QUEUE_BAD_PORT;
    reply = of_queue_get_config_reply_new((of_version_t) s->version);
    if (!reply) {
        ofp_session_send(s, NULL);
        return OFP_OK;
    }
    of_object_xid_set(reply, ofp_session_xid(s));
    of_queue_get_config_reply_port_set(reply, port);
    of_queue_get_config_reply_queues_bind(reply, &c.list);
    err = walk(s, port, QUEUE_ALL, add_config, &c);
    if (err) {
        of_object_delete(reply);
        return err;
    }
    ofp_session_send(s, reply);
    return OFP_OK;
}

/* ---------------------------------------------------------------- statistics */

static void
add_stats(void *arg, const struct view *v)
{
    struct ofp_reply *r = arg;
    of_queue_stats_entry_t *e;
    uint64_t age = base_clock_ns() - v->stats.created_ns;

    e = of_queue_stats_entry_new((of_version_t) r->s->version);
    if (!e)
        return;
    of_queue_stats_entry_port_no_set(e, v->port);
    of_queue_stats_entry_queue_id_set(e, v->id);
    of_queue_stats_entry_tx_packets_set(e, v->stats.tx_packets);
    of_queue_stats_entry_tx_bytes_set(e, v->stats.tx_bytes);
    of_queue_stats_entry_tx_errors_set(e, v->stats.tx_errors);
    if (r->s->version != OF_VERSION_1_0) {
        of_queue_stats_entry_duration_sec_set(e, (uint32_t) (age / NS_PER_S));
        of_queue_stats_entry_duration_nsec_set(e,
                                               (uint32_t) (age % NS_PER_S));
    }
    ofp_reply_append(r, e);
    of_object_delete(e);
}

enum ofp_err
ofp_handle_queue_stats(struct ofp_session *s, of_object_t *msg)
{
    struct ofp_reply r;
    of_port_no_t port;
    uint32_t queue;
    enum ofp_err err;

    of_queue_stats_request_port_no_get(msg, &port);
    of_queue_stats_request_queue_id_get(msg, &queue);
    err = walk(s, port, queue, skip, NULL);
    if (err)
        return err;
    ofp_reply_begin(&r, s, OF_QUEUE_STATS_REPLY, ofp_session_xid(s));
    (void) walk(s, port, queue, add_stats, &r);
    ofp_reply_end(&r);
    return OFP_OK;
}

/* ----------------------------------------------------------- 1.4 description */

static void
desc_prop(of_list_queue_desc_prop_t *props, bool max, uint16_t share)
{
    of_queue_desc_prop_t o;

    if (max)
        of_queue_desc_prop_max_rate_init(&o, props->version, -1, 1);
    else
        of_queue_desc_prop_min_rate_init(&o, props->version, -1, 1);
    if (of_list_queue_desc_prop_append_bind(props, &o))
        return;
    if (max)
        of_queue_desc_prop_max_rate_rate_set(&o, share);
    else
        of_queue_desc_prop_min_rate_rate_set(&o, share);
}

static void
add_desc(void *arg, const struct view *v)
{
    struct ofp_reply *r = arg;
    of_queue_desc_t *e = of_queue_desc_new((of_version_t) r->s->version);
    of_list_queue_desc_prop_t props;
    uint16_t share;

    if (!e)
        return;
    of_queue_desc_port_no_set(e, v->port);
    of_queue_desc_queue_id_set(e, v->id);
    of_queue_desc_properties_bind(e, &props);
    if (rate_share(r->s, v->port, v->config.min_rate, &share))
        desc_prop(&props, false, share);
    if (rate_share(r->s, v->port, v->config.max_rate, &share))
        desc_prop(&props, true, share);
    ofp_reply_append(r, e);
    of_object_delete(e);
}

enum ofp_err
ofp_handle_queue_desc_stats(struct ofp_session *s, of_object_t *msg)
{
    struct ofp_reply r;
    of_port_no_t port;
    uint32_t queue;
    enum ofp_err err;

    of_queue_desc_stats_request_port_no_get(msg, &port);
    of_queue_desc_stats_request_queue_id_get(msg, &queue);
    err = walk(s, port, queue, skip, NULL);
    if (err)
        return err;
    ofp_reply_begin(&r, s, OF_QUEUE_DESC_STATS_REPLY, ofp_session_xid(s));
    (void) walk(s, port, queue, add_desc, &r);
    ofp_reply_end(&r);
    return OFP_OK;
}

/* ------------------------------------------------------------------- enqueue */

enum ofp_err
ofp_queues_of_ops(const struct ofp_bridge *b, const struct dp_op_list *ops)
{
    const struct dp_op *op, *before = NULL;
    struct dp_queue_config c;
    struct dp_queue_stats stats;
    uint32_t any;

    OFP_OP_FOR(op, ops) {
        if (before && op->code == DP_OP_OUTPUT
            && !dp_queue_next(b->dpb, op->arg, 0, &any)
            && dp_queue_get(b->dpb, op->arg, before->arg, &c, &stats))
            return OFP_ERR_ACT_BAD_QUEUE;
        before = op->code == DP_OP_SET_QUEUE && op->aux & 1 ? op : NULL;
    }
    return OFP_OK;
}
