/* SPDX-License-Identifier: Apache-2.0 */
/* Copy-field.  Source: OpenFlow 1.5.1 §5.8, §7.2.6.8. */
#include "ofproto/compile.h"
#include "ofproto/oxm.h"

/* The field that an OXM header names, without mask. */
static enum ofp_err
field_take(const struct ofp_compile *c, const of_oxm_id_t *id,
           const struct flow_field **f)
{
    const uint8_t *p = OF_OBJECT_BUFFER_INDEX(id, 0);
    unsigned hlen;

    *f = ofp_oxm_find(p, (size_t) id->length, c->version, &hlen);
    if (!*f || p[2] & 1)
        return OFP_ERR_ACT_BAD_SET_TYPE;
    if (p[3] != hlen - 4 + flow_field_oxm_len(*f))
        return OFP_ERR_ACT_BAD_SET_LEN;
    return ofp_compile_requires(c, (enum flow_prereq) (*f)->prereq)
               ? OFP_OK : OFP_ERR_ACT_MATCH_INCONSISTENT;
}

static bool
range_fits(const struct flow_field *f, unsigned offset, unsigned n_bits)
{
    unsigned bits = f->bits;

    /* Table 13: OFPVID_PRESENT says that there is a tag; that is for push and
     * pop to change. */
    if (f == &flow_fields[FLOW_F_VLAN_VID])
        bits = 12;
    return n_bits && offset + n_bits <= bits;
}

/* What is written is not known any more. */
static void
state_forget(struct ofp_compile *c, const struct dp_copy_field *cf)
{
    const uint8_t zero[16] = { 0 };
    uint8_t bits[16] = { 0 };

    if (c->packet_out)
        return;
    for (unsigned i = cf->dst_offset; i < cf->dst_offset + cf->n_bits; i++)
        bits[15 - i / 8] |= (uint8_t) (1u << i % 8);
    flow_field_set_masked(&c->state.key, &flow_fields[cf->dst], zero, bits);
    flow_field_set_masked(&c->state.mask, &flow_fields[cf->dst], zero, bits);
}

static enum ofp_err
copy_field_compile(struct ofp_compile *c, of_object_t *act)
{
    const struct flow_field *src, *dst;
    struct dp_copy_field cf;
    of_oxm_id_t id;
    enum ofp_err err;

    of_action_copy_field_n_bits_get(act, &cf.n_bits);
    of_action_copy_field_src_offset_get(act, &cf.src_offset);
    of_action_copy_field_dst_offset_get(act, &cf.dst_offset);
    of_action_copy_field_src_bind(act, &id);
    err = field_take(c, &id, &src);
    if (err)
        return err;
    of_action_copy_field_dst_bind(act, &id);
    err = field_take(c, &id, &dst);
    if (err)
        return err;
    if (!dst->settable || dst->settable > c->version)
        return OFP_ERR_ACT_BAD_SET_TYPE;
    if (!range_fits(src, cf.src_offset, cf.n_bits)
        || !range_fits(dst, cf.dst_offset, cf.n_bits))
        return OFP_ERR_ACT_BAD_ARGUMENT;
    if (dst == &flow_fields[FLOW_F_VLAN_VID]
        && !ofp_compile_requires(c, FLOW_PRE_VLAN))
        return OFP_ERR_ACT_MATCH_INCONSISTENT;
    cf.src = (uint8_t) (src - flow_fields);
    cf.dst = (uint8_t) (dst - flow_fields);
    memcpy(ofp_op_add(c, DP_OP_COPY_FIELD, 0, 0, sizeof cf)->data, &cf,
           sizeof cf);
    state_forget(c, &cf);
    return OFP_OK;
}

/* Before 1.5 there is no such action: left out. */
static int
copy_field_encode(struct ofp_encode *e, const struct dp_op *op)
{
    uint8_t wire[12 + 2 * OFP_OXM_HLEN + 8] = { 0 };
    struct dp_copy_field cf;
    unsigned len = 12;

    if (e->version < OF_VERSION_1_5)
        return 0;
    memcpy(&cf, op->data, sizeof cf);
    put_be16(wire, 28); /* OFPAT_COPY_FIELD; the length counts the pad. */
    put_be16(wire + 4, cf.n_bits);
    put_be16(wire + 6, cf.src_offset);
    put_be16(wire + 8, cf.dst_offset);
    len += ofp_oxm_put_header(&flow_fields[cf.src], e->version, false,
                              wire + len);
    len += ofp_oxm_put_header(&flow_fields[cf.dst], e->version, false,
                              wire + len);
    len = (len + 7) / 8 * 8;
    put_be16(wire + 2, (uint16_t) len);

    of_wire_buffer_t buf = { .buf = wire,
                             .alloc_bytes = (int) len,
                             .current_bytes = (int) len };
    of_object_t act = { .wbuf = &buf,
                        .object_id = OF_ACTION_COPY_FIELD,
                        .length = (int) len,
                        .version = (of_version_t) e->version };

    return of_list_action_append(e->list, &act);
}

const struct ofp_action ofp_action_copy_field = {
    .name = "copy_field",
    .id = OF_ACTION_COPY_FIELD,
    .type10 = -1,
    .type13 = 28,
    .since = OF_VERSION_1_5,
    .compile = copy_field_compile,
    .op = DP_OP_COPY_FIELD,
    .encode = copy_field_encode,
};
