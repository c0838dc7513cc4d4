/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow 1.0's set actions.  Their fields need no prerequisite in the
 * match: a packet without the header passes unchanged.
 * Source: OpenFlow 1.0.0 §3.3, §5.2.4. */
#include "ofproto/compile.h"
#include "ofproto/oxm.h"

static enum ofp_err
dl_src_compile(struct ofp_compile *c, of_object_t *act)
{
    uint8_t v[16] = { 0 };
    of_mac_addr_t mac;

    of_action_set_dl_src_dl_addr_get(act, &mac);
    memcpy(v + 10, mac.addr, 6);
    ofp_op_set_field(c, FLOW_F_ETH_SRC, v);
    return OFP_OK;
}

static enum ofp_err
dl_dst_compile(struct ofp_compile *c, of_object_t *act)
{
    uint8_t v[16] = { 0 };
    of_mac_addr_t mac;

    of_action_set_dl_dst_dl_addr_get(act, &mac);
    memcpy(v + 10, mac.addr, 6);
    ofp_op_set_field(c, FLOW_F_ETH_DST, v);
    return OFP_OK;
}

static enum ofp_err
nw_src_compile(struct ofp_compile *c, of_object_t *act)
{
    uint8_t v[16] = { 0 };
    uint32_t addr;

    of_action_set_nw_src_nw_addr_get(act, &addr);
    put_be32(v + 12, addr);
    ofp_op_set_field(c, FLOW_F_IPV4_SRC, v);
    return OFP_OK;
}

static enum ofp_err
nw_dst_compile(struct ofp_compile *c, of_object_t *act)
{
    uint8_t v[16] = { 0 };
    uint32_t addr;

    of_action_set_nw_dst_nw_addr_get(act, &addr);
    put_be32(v + 12, addr);
    ofp_op_set_field(c, FLOW_F_IPV4_DST, v);
    return OFP_OK;
}

static enum ofp_err
nw_tos_compile(struct ofp_compile *c, of_object_t *act)
{
    uint8_t v[16] = { 0 }, tos;

    of_action_set_nw_tos_nw_tos_get(act, &tos);
    if (tos & 3) /* The DSCP alone: ECN is not the controller's. */
        return OFP_ERR_ACT_BAD_ARGUMENT;
    v[15] = tos >> 2;
    ofp_op_set_field(c, FLOW_F_IP_DSCP, v);
    return OFP_OK;
}

/* One action for TCP and UDP: named after the protocol that is matched. */
static void
tp_compile(struct ofp_compile *c, uint16_t port, enum flow_field_id tcp,
           enum flow_field_id udp)
{
    uint8_t v[16] = { 0 };

    put_be16(v + 14, port);
    ofp_op_set_field(
        c, ofp_prereq_met(&c->state, FLOW_PRE_UDP) ? udp : tcp, v);
}

static enum ofp_err
tp_src_compile(struct ofp_compile *c, of_object_t *act)
{
    uint16_t port;

    of_action_set_tp_src_tp_port_get(act, &port);
    tp_compile(c, port, FLOW_F_TCP_SRC, FLOW_F_UDP_SRC);
    return OFP_OK;
}

static enum ofp_err
tp_dst_compile(struct ofp_compile *c, of_object_t *act)
{
    uint16_t port;

    of_action_set_tp_dst_tp_port_get(act, &port);
    tp_compile(c, port, FLOW_F_TCP_DST, FLOW_F_UDP_DST);
    return OFP_OK;
}

/* Encoded by set_field. */
#define SET10(nm, up, type, fn)                                               \
    const struct ofp_action ofp_action_##nm = {                               \
        .name = #nm,                                                          \
        .id = OF_ACTION_##up,                                                 \
        .type10 = type,                                                       \
        .type13 = -1,                                                         \
        .compile = fn,                                                        \
        .op = N_DP_OPS,                                                       \
    }
SET10(set_dl_src, SET_DL_SRC, 4, dl_src_compile);
SET10(set_dl_dst, SET_DL_DST, 5, dl_dst_compile);
SET10(set_nw_src, SET_NW_SRC, 6, nw_src_compile);
SET10(set_nw_dst, SET_NW_DST, 7, nw_dst_compile);
SET10(set_nw_tos, SET_NW_TOS, 8, nw_tos_compile);
SET10(set_tp_src, SET_TP_SRC, 9, tp_src_compile);
SET10(set_tp_dst, SET_TP_DST, 10, tp_dst_compile);
