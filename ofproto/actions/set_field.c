/* SPDX-License-Identifier: Apache-2.0 */
/* Set-field.  Source: OpenFlow 1.3.5 §5.12, §7.2.5. */
#include "ofproto/compile.h"
#include "ofproto/oxm.h"

/* Does the 16-byte, right-aligned value fit the field? */
static bool
fits(const struct flow_field *f, const uint8_t v[16])
{
    uint64_t n = get_be64(v + 8);

    return f->bits >= 64 || !(n >> f->bits);
}

/* What the values' own rules forbid. */
static enum ofp_err
value_check(const struct ofp_compile *c, const struct flow_field *f,
            const uint8_t v[16], const uint8_t mask[16])
{
    uint16_t vid = get_be16(v + 14) & get_be16(mask + 14);

    if (!fits(f, v))
        return OFP_ERR_ACT_BAD_SET_ARGUMENT;
    if (f != &flow_fields[FLOW_F_VLAN_VID])
        return OFP_OK;
    /* The VID of a tag has OFPVID_PRESENT (1.4.1 §7.2.5); under a mask without
     * it nothing is said of it.  1.3 asks for it since 1.3.3 only: what was
     * written for 1.3.0 leaves it out. */
    if (c->version > OF_VERSION_1_3
        && get_be16(mask + 14) & FLOW_VLAN_PRESENT
        && !(vid & FLOW_VLAN_PRESENT))
        return OFP_ERR_ACT_BAD_SET_ARGUMENT;
    return ofp_compile_requires(c, FLOW_PRE_VLAN)
               ? OFP_OK : OFP_ERR_ACT_MATCH_INCONSISTENT;
}

static enum ofp_err
set_field_compile(struct ofp_compile *c, of_object_t *act)
{
    of_oxm_t oxm;
    uint8_t v[16] = { 0 }, mask[16];
    unsigned n, hlen;
    bool masked;
    enum ofp_err err;

    of_action_set_field_field_bind(act, &oxm);
    if (oxm.length < 4)
        return OFP_ERR_ACT_BAD_SET_LEN;

    const uint8_t *p = OF_OBJECT_BUFFER_INDEX(&oxm, 0);
    const struct flow_field *f = ofp_oxm_find(p, (size_t) oxm.length,
                                              c->version, &hlen);

    masked = p[2] & 1;
    if (!f || !f->settable || f->settable > c->version
        || (masked && c->version < OF_VERSION_1_5)) /* 1.3.5 §7.2.5. */
        return OFP_ERR_ACT_BAD_SET_TYPE;
    n = flow_field_oxm_len(f);
    if (p[3] != hlen - 4 + (n << masked)
        || oxm.length != (int) (hlen + (n << masked)))
        return OFP_ERR_ACT_BAD_SET_LEN;
    memset(mask, 0xff, sizeof mask);
    memcpy(v + 16 - n, p + hlen, n);
    if (masked)
        memcpy(mask + 16 - n, p + hlen + n, n);
    for (unsigned i = 0; i < 16; i++) /* 1.5.1 §7.2.6.7: as in a match. */
        if (v[i] & ~mask[i])
            return OFP_ERR_ACT_BAD_SET_MASK;
    err = value_check(c, f, v, mask);
    if (err)
        return err;
    if (!ofp_compile_requires(c, (enum flow_prereq) f->prereq))
        return OFP_ERR_ACT_MATCH_INCONSISTENT;
    if (f == &flow_fields[FLOW_F_VLAN_VID])
        v[14] |= mask[14] & FLOW_VLAN_PRESENT >> 8;
    ofp_op_set_field_masked(c, (enum flow_field_id) (f - flow_fields), v,
                            mask);
    return OFP_OK;
}

/* ---------------------------------------------------------------- encode */

/* Value (or mask) of the op in wire form, right-aligned. */
static void
op_value(const struct dp_op *op, bool mask, uint8_t v[16])
{
    const struct flow_field *f = &flow_fields[op->aux];
    struct flow_key k;

    memset(&k, 0, sizeof k);
    memcpy((uint8_t *) &k + f->offset, op->data + (mask ? f->width : 0),
           f->width);
    flow_field_get(&k, f, v);
}

/* Does the op write all bits of its field? */
static bool
op_is_whole(const struct dp_op *op)
{
    const struct flow_field *f = &flow_fields[op->aux];
    uint8_t mask[16], ones[16], full[16];
    struct flow_key k;

    op_value(op, true, mask);
    memset(ones, 0xff, sizeof ones);
    memset(&k, 0, sizeof k);
    flow_field_set_masked(&k, f, ones, ones);
    flow_field_get(&k, f, full);
    return !memcmp(mask, full, 16);
}

static int
encode10(struct ofp_encode *e, unsigned field, const uint8_t v[16])
{
    of_object_t act;
    of_mac_addr_t mac;
    int err;

#define APPEND(type, member, value)                                           \
    do {                                                                      \
        of_action_##type##_init(&act, OF_VERSION_1_0, -1, 1);                 \
        err = of_list_action_append_bind(e->list, &act);                      \
        if (!err)                                                             \
            of_action_##type##_##member##_set(&act, value);                   \
        return err;                                                           \
    } while (0)
    memcpy(mac.addr, v + 10, 6);
    switch (field) {
    case FLOW_F_VLAN_VID:
        APPEND(set_vlan_vid, vlan_vid, get_be16(v + 14) & 0xfff);
    case FLOW_F_VLAN_PCP:
        APPEND(set_vlan_pcp, vlan_pcp, v[15]);
    case FLOW_F_ETH_SRC:
        APPEND(set_dl_src, dl_addr, mac);
    case FLOW_F_ETH_DST:
        APPEND(set_dl_dst, dl_addr, mac);
    case FLOW_F_IPV4_SRC:
        APPEND(set_nw_src, nw_addr, get_be32(v + 12));
    case FLOW_F_IPV4_DST:
        APPEND(set_nw_dst, nw_addr, get_be32(v + 12));
    case FLOW_F_IP_DSCP:
        APPEND(set_nw_tos, nw_tos, (uint8_t) (v[15] << 2));
    case FLOW_F_TCP_SRC:
    case FLOW_F_UDP_SRC:
        APPEND(set_tp_src, tp_port, get_be16(v + 14));
    case FLOW_F_TCP_DST:
    case FLOW_F_UDP_DST:
        APPEND(set_tp_dst, tp_port, get_be16(v + 14));
    default: /* 1.0 has no such action. */
        return 0;
    }
#undef APPEND
}

static int
set_field_encode(struct ofp_encode *e, const struct dp_op *op)
{
    const struct flow_field *f = &flow_fields[op->aux];
    unsigned n = flow_field_oxm_len(f), hlen, len;
    uint8_t v[16], wire[4 + OFP_OXM_HLEN + 2 * 16 + 8] = { 0 };
    bool masked;

    op_value(op, false, v);
    if (e->version == OF_VERSION_1_0)
        return encode10(e, op->aux, v);
    /* A mask that came by 1.5 is told to older sessions too: half the truth
     * would be a lie. */
    masked = !op_is_whole(op);
    hlen = ofp_oxm_put_header(f, e->version, masked, wire + 4);
    if (!hlen) /* A field that this version does not know. */
        return 0;
    len = (4 + hlen + (n << masked) + 7) / 8 * 8;
    put_be16(wire, 25); /* OFPAT_SET_FIELD; the length counts the pad. */
    put_be16(wire + 2, (uint16_t) len);
    memcpy(wire + 4 + hlen, v + 16 - n, n);
    if (masked) {
        op_value(op, true, v);
        memcpy(wire + 4 + hlen + n, v + 16 - n, n);
    }

    of_wire_buffer_t buf = { .buf = wire,
                             .alloc_bytes = (int) len,
                             .current_bytes = (int) len };
    of_object_t act = { .wbuf = &buf,
                        .object_id = OF_ACTION_SET_FIELD,
                        .length = (int) len,
                        .version = (of_version_t) e->version };

    return of_list_action_append(e->list, &act);
}

const struct ofp_action ofp_action_set_field = {
    .name = "set_field",
    .id = OF_ACTION_SET_FIELD,
    .type10 = -1,
    .type13 = 25,
    .compile = set_field_compile,
    .op = DP_OP_SET_FIELD,
    .encode = set_field_encode,
};
