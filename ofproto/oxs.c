/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/oxs.h"

#include "ofproto/bindings/of_desc.h"
#include "weft/be.h"

#define OXS_CLASS_BASIC 0x8002
#define STAT_HLEN 4 /* Reserved and length, §7.2.4.1. */
#define NS_PER_S UINT64_C(1000000000)

/* Bytes of each field's value; 0: not assigned.  §7.2.4.2 */
static const uint8_t widths[OFP_N_OXS] = {
    [OFP_OXS_DURATION] = 8,     [OFP_OXS_IDLE_TIME] = 8,
    [OFP_OXS_FLOW_COUNT] = 4,   [OFP_OXS_PACKET_COUNT] = 8,
    [OFP_OXS_BYTE_COUNT] = 8,
};

static bool
is_time(unsigned f)
{
    return f == OFP_OXS_DURATION || f == OFP_OXS_IDLE_TIME;
}

int
ofp_oxs_put(of_stat_v6_t *stat, const struct ofp_oxs *o)
{
    uint8_t buf[OFP_N_OXS * 12], *p = buf;
    int err;

    for (unsigned f = 0; f < OFP_N_OXS; f++) {
        uint64_t v = o->value[f];

        if (!(o->has >> f & 1))
            continue;
        put_be16(p, OXS_CLASS_BASIC);
        p[2] = (uint8_t) (f << 1);
        p[3] = widths[f];
        if (is_time(f)) {
            put_be32(p + 4, (uint32_t) (v / NS_PER_S));
            put_be32(p + 8, (uint32_t) (v % NS_PER_S));
        } else if (widths[f] == 4) {
            put_be32(p + 4, (uint32_t) WEFT_MIN(v, (uint64_t) UINT32_MAX));
        } else {
            put_be64(p + 4, v);
        }
        p += 4 + widths[f];
    }
    err = of_object_splice(stat, STAT_HLEN,
                           (unsigned) stat->length - STAT_HLEN,
                           (unsigned) (p - buf));
    if (!err)
        memcpy(OF_OBJECT_BUFFER_INDEX(stat, STAT_HLEN), buf,
               (size_t) (p - buf));
    return err;
}

enum ofp_err
ofp_oxs_take(of_stat_v6_t *stat, struct ofp_oxs *o)
{
    of_list_oxs_t list;
    of_oxs_t oxs;
    int rv;

    *o = (struct ofp_oxs) { 0 };
    of_stat_v6_oxs_fields_bind(stat, &list);
    OF_LIST_OXS_ITER(&list, &oxs, rv) {
        const uint8_t *p = OF_OBJECT_BUFFER_INDEX(&oxs, 0);
        unsigned f = p[2] >> 1;

        if (get_be16(p) != OXS_CLASS_BASIC || f >= OFP_N_OXS || !widths[f]
            || o->has >> f & 1)
            return OFP_ERR_INS_UNSUPPORTED;
        if (p[2] & 1 || p[3] != widths[f])
            return OFP_ERR_INS_BAD_LEN;
        if (is_time(f))
            ofp_oxs_set(o, f, get_be32(p + 4) * NS_PER_S + get_be32(p + 8));
        else
            ofp_oxs_set(o, f, of_get_uint(p + 4, widths[f]));
    }
    return OFP_OK;
}
