/* SPDX-License-Identifier: Apache-2.0 */
/* Port-mod, port statistics, port descriptions.
 * Source: OpenFlow 1.3.5 §7.3.4.3, §7.3.5.6, §7.3.5.7; 1.4.1 §7.3.4.4,
 * §7.3.5.7; 1.0.0 §5.3.3. */
#include "ofproto/handlers/handlers_priv.h"

#include "utils/base/clock.h"

#define NS_PER_S UINT64_C(1000000000)
#define CONFIG13 (DP_PC_DOWN | DP_PC_NO_RECV | DP_PC_NO_FWD | DP_PC_NO_PACKET_IN)
#define STP10 (1u << 1 | 1u << 3) /* NO_STP, NO_RECV_STP: there is no STP. */

/* The properties of a port-mod of 1.4 (1.4.1 §7.3.4.4). */
static enum ofp_err
props_take(of_port_mod_t *msg, uint32_t *advertise)
{
    of_list_port_mod_prop_t list;
    of_port_mod_prop_t prop;
    bool seen = false;
    int rv;

    of_port_mod_properties_bind(msg, &list);
    OF_LIST_PORT_MOD_PROP_ITER(&list, &prop, rv) {
        if (prop.object_id == OF_PORT_MOD_PROP_EXPERIMENTER)
            return OFP_ERR_PROP_BAD_EXPERIMENTER;
        if (prop.object_id != OF_PORT_MOD_PROP_ETHERNET)
            return OFP_ERR_PROP_BAD_TYPE; /* No port is optical. */
        if (seen)
            return OFP_ERR_PROP_DUP_TYPE;
        seen = true;
        of_port_mod_prop_ethernet_advertise_get(&prop, advertise);
    }
    return OFP_OK;
}

/* In a transaction: what waits for the switch-over. */
struct port_change {
    uint32_t port, config, mask;
};

/* A port that went meanwhile needs no configuration. */
static void
port_change_do(struct ofp_bridge *b, void *rec)
{
    const struct port_change *c = rec;

    (void) !dp_port_set_config(b->dpb, c->port, c->config, c->mask);
}

static const struct ofp_txn_ops port_change_ops = {
    .size = sizeof(struct port_change),
    .at_switch = port_change_do,
};

/* The port is there. */
static void
port_configure(struct ofp_bridge *b, uint32_t port, uint32_t config,
               uint32_t mask)
{
    struct port_change c = { port, config, mask };

    if (b->txn)
        *(struct port_change *) ofp_txn_log(b, &port_change_ops) = c;
    else if (mask)
        port_change_do(b, &c);
}

enum ofp_err
ofp_handle_port_mod(struct ofp_session *s, of_object_t *msg)
{
    uint32_t config, mask, advertise = 0;
    uint32_t known = s->version == OF_VERSION_1_0
                         ? CONFIG13 | DP_PC_NO_FLOOD | STP10
                         : CONFIG13;
    struct dp_port_info info;
    of_port_no_t port;
    of_mac_addr_t mac;
    enum ofp_err err = OFP_OK;

    of_port_mod_port_no_get(msg, &port);
    of_port_mod_hw_addr_get(msg, &mac);
    of_port_mod_config_get(msg, &config);
    of_port_mod_mask_get(msg, &mask);
    if (s->version < OF_VERSION_1_4)
        of_port_mod_advertise_get(msg, &advertise);
    else
        err = props_take(msg, &advertise);
    if (err)
        return err;
    if (dp_port_get(s->b->dpb, port, &info))
        return OFP_ERR_PORT_BAD_PORT;
    if (memcmp(info.mac, mac.addr, 6))
        return OFP_ERR_PORT_BAD_HW_ADDR;
    if (mask & ~known)
        return OFP_ERR_PORT_BAD_CONFIG;
    if (advertise) /* 0: leave as it is.  Nothing is advertised. */
        return OFP_ERR_PORT_BAD_ADVERTISE;
    mask &= ~STP10;
    port_configure(s->b, port, config & mask, mask);
    return OFP_OK;
}

/* ------------------------------------------------------------- multipart */

/* Errors are not told apart: the property's counters are 0. */
static void
ethernet_append(of_port_stats_entry_t *e)
{
    of_list_port_stats_prop_t props;
    of_port_stats_prop_ethernet_t p;

    of_port_stats_entry_properties_bind(e, &props);
    of_port_stats_prop_ethernet_init(&p, e->version, -1, 1);
    (void) !of_list_port_stats_prop_append_bind(&props, &p);
}

static void
append_stats(struct ofp_reply *r, const struct dp_port_info *i)
{
    of_port_stats_entry_t *e;
    uint64_t age = base_clock_ns() - i->created_ns;

    e = of_port_stats_entry_new((of_version_t) r->s->version);
    if (!e)
        return;
    of_port_stats_entry_port_no_set(e, i->port_no);
    of_port_stats_entry_rx_packets_set(e, i->stats.rx_packets);
    of_port_stats_entry_tx_packets_set(e, i->stats.tx_packets);
    of_port_stats_entry_rx_bytes_set(e, i->stats.rx_bytes);
    of_port_stats_entry_tx_bytes_set(e, i->stats.tx_bytes);
    of_port_stats_entry_rx_dropped_set(e, i->stats.rx_dropped);
    of_port_stats_entry_tx_dropped_set(e, i->stats.tx_dropped);
    of_port_stats_entry_rx_errors_set(e, i->stats.rx_errors);
    of_port_stats_entry_tx_errors_set(e, i->stats.tx_errors);
    if (r->s->version != OF_VERSION_1_0) {
        of_port_stats_entry_duration_sec_set(e, (uint32_t) (age / NS_PER_S));
        of_port_stats_entry_duration_nsec_set(e, (uint32_t) (age % NS_PER_S));
    }
    if (e->version >= OF_VERSION_1_4)
        ethernet_append(e);
    ofp_reply_append(r, e);
    of_object_delete(e);
}

static void
append_desc(struct ofp_reply *r, const struct dp_port_info *i)
{
    of_port_desc_t *e = of_port_desc_new((of_version_t) r->s->version);

    if (!e)
        return;
    ofp_port_desc_fill(e, i);
    ofp_reply_append(r, e);
    of_object_delete(e);
}

static void
append_all(struct ofp_reply *r,
           void (*append)(struct ofp_reply *, const struct dp_port_info *))
{
    struct dp_bridge *dpb = r->s->b->dpb;
    struct dp_port_info info;

    for (uint32_t n = 0; (n = dp_port_next(dpb, n));)
        if (!dp_port_get(dpb, n, &info))
            append(r, &info);
}

enum ofp_err
ofp_handle_port_stats(struct ofp_session *s, of_object_t *msg)
{
    struct dp_port_info info;
    struct ofp_reply r;
    of_port_no_t port;

    of_port_stats_request_port_no_get(msg, &port);
    ofp_reply_begin(&r, s, OF_PORT_STATS_REPLY, ofp_session_xid(s));
    if (port == OFP_PORT_ANY)
        append_all(&r, append_stats);
    else if (!dp_port_get(s->b->dpb, port, &info))
        append_stats(&r, &info);
    else if (s->version != OF_VERSION_1_0)
        return OFP_ERR_REQ_BAD_PORT; /* 1.0 has no such code: no entry. */
    ofp_reply_end(&r);
    return OFP_OK;
}

enum ofp_err
ofp_handle_port_desc_stats(struct ofp_session *s, of_object_t *msg)
{
    of_port_no_t port = OFP_PORT_ANY;
    struct dp_port_info info;
    struct ofp_reply r;

    if (s->version >= OF_VERSION_1_5) /* 1.5.1 §7.3.5.8 */
        of_port_desc_stats_request_port_no_get(msg, &port);
    ofp_reply_begin(&r, s, OF_PORT_DESC_STATS_REPLY, ofp_session_xid(s));
    if (port == OFP_PORT_ANY)
        append_all(&r, append_desc);
    else if (!dp_port_get(s->b->dpb, port, &info))
        append_desc(&r, &info);
    else
        return OFP_ERR_REQ_BAD_PORT;
    ofp_reply_end(&r);
    return OFP_OK;
}
