/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of fields: "move:NXM_OF_ETH_SRC[0..15]->NXM_OF_ETH_DST[]" and
 * "load:5->eth_dst[0..3]".
 *
 * Model: a part is a field and a range of its bits, bit 0 the lowest.  Fields
 *        may be called as everywhere, or by their OXM and NXM names; those of
 *        ovs-ofctl are printed.
 * Source: ovs-actions(7); OpenFlow 1.5.1 §7.2.6.8. */
#include "flow_text_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

static const char *const oxm_names[N_FLOW_FIELDS] = {
    [FLOW_F_IN_PORT] = "OXM_OF_IN_PORT",
    [FLOW_F_IN_PHY_PORT] = "OXM_OF_IN_PHY_PORT",
    [FLOW_F_METADATA] = "OXM_OF_METADATA",
    [FLOW_F_ETH_DST] = "NXM_OF_ETH_DST",
    [FLOW_F_ETH_SRC] = "NXM_OF_ETH_SRC",
    [FLOW_F_ETH_TYPE] = "NXM_OF_ETH_TYPE",
    [FLOW_F_VLAN_VID] = "OXM_OF_VLAN_VID",
    [FLOW_F_VLAN_PCP] = "OXM_OF_VLAN_PCP",
    [FLOW_F_IP_DSCP] = "OXM_OF_IP_DSCP",
    [FLOW_F_IP_ECN] = "NXM_NX_IP_ECN",
    [FLOW_F_IP_PROTO] = "NXM_OF_IP_PROTO",
    [FLOW_F_IPV4_SRC] = "NXM_OF_IP_SRC",
    [FLOW_F_IPV4_DST] = "NXM_OF_IP_DST",
    [FLOW_F_TCP_SRC] = "NXM_OF_TCP_SRC",
    [FLOW_F_TCP_DST] = "NXM_OF_TCP_DST",
    [FLOW_F_UDP_SRC] = "NXM_OF_UDP_SRC",
    [FLOW_F_UDP_DST] = "NXM_OF_UDP_DST",
    [FLOW_F_SCTP_SRC] = "OXM_OF_SCTP_SRC",
    [FLOW_F_SCTP_DST] = "OXM_OF_SCTP_DST",
    [FLOW_F_ICMPV4_TYPE] = "NXM_OF_ICMP_TYPE",
    [FLOW_F_ICMPV4_CODE] = "NXM_OF_ICMP_CODE",
    [FLOW_F_ARP_OP] = "NXM_OF_ARP_OP",
    [FLOW_F_ARP_SPA] = "NXM_OF_ARP_SPA",
    [FLOW_F_ARP_TPA] = "NXM_OF_ARP_TPA",
    [FLOW_F_ARP_SHA] = "NXM_NX_ARP_SHA",
    [FLOW_F_ARP_THA] = "NXM_NX_ARP_THA",
    [FLOW_F_IPV6_SRC] = "NXM_NX_IPV6_SRC",
    [FLOW_F_IPV6_DST] = "NXM_NX_IPV6_DST",
    [FLOW_F_IPV6_FLABEL] = "NXM_NX_IPV6_LABEL",
    [FLOW_F_ICMPV6_TYPE] = "NXM_NX_ICMPV6_TYPE",
    [FLOW_F_ICMPV6_CODE] = "NXM_NX_ICMPV6_CODE",
    [FLOW_F_ND_TARGET] = "NXM_NX_ND_TARGET",
    [FLOW_F_ND_SLL] = "NXM_NX_ND_SLL",
    [FLOW_F_ND_TLL] = "NXM_NX_ND_TLL",
    [FLOW_F_MPLS_LABEL] = "OXM_OF_MPLS_LABEL",
    [FLOW_F_MPLS_TC] = "OXM_OF_MPLS_TC",
    [FLOW_F_MPLS_BOS] = "OXM_OF_MPLS_BOS",
    [FLOW_F_PBB_ISID] = "OXM_OF_PBB_ISID",
    [FLOW_F_TUN_ID] = "NXM_NX_TUN_ID",
    [FLOW_F_IPV6_EXTHDR] = "OXM_OF_IPV6_EXTHDR",
    [FLOW_F_PBB_UCA] = "OXM_OF_PBB_UCA",
    [FLOW_F_TCP_FLAGS] = "NXM_NX_TCP_FLAGS",
    [FLOW_F_ACTSET_OUTPUT] = "OXM_OF_ACTSET_OUTPUT",
    [FLOW_F_PACKET_TYPE] = "OXM_OF_PACKET_TYPE",
    [FLOW_F_TUN_SRC] = "NXM_NX_TUN_IPV4_SRC",
    [FLOW_F_TUN_DST] = "NXM_NX_TUN_IPV4_DST",
};

/* "OXM_OF_ETH_SRC": eth_src. */
static const struct text_name *
find_upper(const char *name)
{
    char lower[40];
    size_t n = strlen(name);

    if (n < 8 || n - 7 >= sizeof lower
        || (strncmp(name, "OXM_OF_", 7) && strncmp(name, "NXM_OF_", 7)
            && strncmp(name, "NXM_NX_", 7)))
        return NULL;
    for (size_t i = 7; i <= n; i++)
        lower[i - 7] = name[i] >= 'A' && name[i] <= 'Z'
                           ? (char) (name[i] | 0x20)
                           : name[i];
    if (!strncmp(lower, "tun_ipv4_", 9))
        memmove(lower + 4, lower + 9, strlen(lower + 9) + 1);
    if (!strncmp(lower, "ipv6_nd_", 8))
        memmove(lower, lower + 5, strlen(lower + 5) + 1);
    return text_name_find(lower);
}

struct part {
    enum flow_field_id field;
    unsigned start, n; /* Bits. */
};

/* "name", "name[]", "name[3]", "name[0..15]"; 's' is changed. */
static int
read_part(const char *word, char *s, struct part *p, struct weft_err *e)
{
    char *range = strchr(s, '['), *dots;
    const struct text_name *n;
    uint64_t first = 0, last;
    size_t len;
    int err;

    if (range)
        *range++ = '\0';
    n = find_upper(s);
    if (!n)
        n = text_name_find(s);
    if (!n || n->field == N_FLOW_FIELDS
        || (n->kind != TEXT_FIELD && n->kind != TEXT_ICMP_TYPE
            && n->kind != TEXT_ICMP_CODE && n->kind != TEXT_VLAN_PCP
            && n->kind != TEXT_NW_SRC && n->kind != TEXT_NW_DST
            && n->kind != TEXT_NW_PROTO && n->kind != TEXT_TCP_FLAGS))
        return weft_err_set(e, -EINVAL, "%s: %.40s: no field that parts can"
                            " be taken of", word, s);
    p->field = n->field;
    last = flow_fields[n->field].bits - 1u;
    len = range ? strlen(range) : 0;
    if (range && (!len || range[len - 1] != ']'))
        return weft_err_set(e, -EINVAL, "%s: %.40s: ] missing", word, s);
    if (len > 1) {
        range[len - 1] = '\0';
        dots = strstr(range, "..");
        if (dots)
            *dots = '\0';
        err = text_number(word, range, last, &first, e);
        if (!err)
            err = text_number(word, dots ? dots + 2 : range, last, &last, e);
        if (err)
            return err;
    }
    if (first > last)
        return weft_err_set(e, -EINVAL, "%s: %.40s: bits %" PRIu64 "..%" PRIu64
                            " run backwards", word, s, first, last);
    p->start = (unsigned) first;
    p->n = (unsigned) (last - first) + 1;
    return 0;
}

/* Cuts "a->b"; NULL: no arrow. */
static char *
cut_arrow(char *value)
{
    char *arrow = value ? strstr(value, "->") : NULL;

    if (!arrow)
        return NULL;
    *arrow = '\0';
    return arrow + 2;
}

int
text_read_move(const char *word, char *value, struct dp_copy_field *out,
               struct weft_err *e)
{
    char *to = cut_arrow(value);
    struct part src, dst;
    int err;

    if (!to)
        return weft_err_set(e, -EINVAL, "%s: write %s:FIELD[A..B]->"
                            "FIELD[A..B]", word, word);
    err = read_part(word, value, &src, e);
    if (!err)
        err = read_part(word, to, &dst, e);
    if (err)
        return err;
    if (src.n != dst.n)
        return weft_err_set(e, -EINVAL, "%s: %u bits do not fit %u", word,
                            src.n, dst.n);
    if (!flow_fields[dst.field].settable)
        return weft_err_set(e, -EINVAL, "%s: %.40s cannot be set", word, to);
    *out = (struct dp_copy_field){ .src = (uint8_t) src.field,
                                   .dst = (uint8_t) dst.field,
                                   .n_bits = (uint16_t) src.n,
                                   .src_offset = (uint16_t) src.start,
                                   .dst_offset = (uint16_t) dst.start };
    return 0;
}

int
text_read_load(const char *word, char *value, enum flow_field_id *field,
               uint8_t v[16], uint8_t mask[16], struct weft_err *e)
{
    char *to = cut_arrow(value);
    struct part dst;
    uint64_t n;
    int err;

    if (!to)
        return weft_err_set(e, -EINVAL, "%s: write %s:VALUE->FIELD[A..B]",
                            word, word);
    err = read_part(word, to, &dst, e);
    if (err)
        return err;
    if (!flow_fields[dst.field].settable)
        return weft_err_set(e, -EINVAL, "%s: %.40s cannot be set", word, to);
    err = text_number(word, value,
                      dst.n < 64 ? (UINT64_C(1) << dst.n) - 1 : UINT64_MAX,
                      &n, e);
    if (err)
        return err;
    memset(v, 0, 16);
    memset(mask, 0, 16);
    for (unsigned i = 0; i < dst.n; i++) {
        unsigned bit = dst.start + i, byte = 15 - bit / 8;
        uint8_t one = (uint8_t) (1u << bit % 8);

        mask[byte] |= one;
        if (i < 64 && n >> i & 1)
            v[byte] |= one;
    }
    *field = dst.field;
    return 0;
}

static void
add_part(struct base_str *s, unsigned field, unsigned start, unsigned n)
{
    base_str_addf(s, "%s[", oxm_names[field]);
    if (n != flow_fields[field].bits)
        base_str_addf(s, n == 1 ? "%u" : "%u..%u", start, start + n - 1);
    base_str_add(s, "]");
}

void
text_add_move(struct base_str *s, const struct dp_copy_field *c)
{
    base_str_add(s, "move:");
    add_part(s, c->src, c->src_offset, c->n_bits);
    base_str_add(s, "->");
    add_part(s, c->dst, c->dst_offset, c->n_bits);
}
