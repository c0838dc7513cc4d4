/* SPDX-License-Identifier: Apache-2.0 */
/* One "field=value" of a match. */
#include "flow_text_priv.h"

#include <errno.h>
#include <inttypes.h>

#include "ofproto/oxm.h"

/* Adds 'part' to 'm'; nothing may be said in two ways. */
static int
merge(struct flow_match *m, const struct flow_match *part, const char *word,
      struct weft_err *e)
{
    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++) {
        uint64_t pm = flow_key_word(&part->mask, i);

        if (!pm)
            continue;

        uint64_t pk = flow_key_word(&part->key, i) & pm;
        uint64_t mm = flow_key_word(&m->mask, i);
        uint64_t mk = flow_key_word(&m->key, i);

        if ((pk ^ mk) & pm & mm)
            return weft_err_set(e, -EINVAL,
                                "%s: contradicts an earlier word", word);
        flow_key_set_word(&m->mask, i, mm | pm);
        flow_key_set_word(&m->key, i, mk | pk);
    }
    return 0;
}

/* "v[/mask]" of 'bits' bits. */
static int
masked(const char *word, char *s, unsigned bits, uint64_t *v, uint64_t *mask,
       struct weft_err *e)
{
    uint64_t max = (UINT64_C(1) << bits) - 1;
    char *m = s ? strchr(s, '/') : NULL;
    int err;

    *v = *mask = 0;
    if (s && !strcmp(s, "*"))
        return 0;
    if (m)
        *m++ = '\0';
    *mask = max;
    err = text_number(word, s, max, v, e);
    if (!err && m)
        err = text_number(word, m, max, mask, e);
    *v &= *mask;
    return err;
}

static int
unmasked(const char *word, char *s, unsigned bits, uint64_t *v,
         struct weft_err *e)
{
    if (s && strchr(s, '/'))
        return weft_err_set(e, -EINVAL, "%s: takes no mask", word);
    return text_number(word, s, (UINT64_C(1) << bits) - 1, v, e);
}

static int
frag_value(const char *word, const char *s, struct flow_match *part,
           struct weft_err *e)
{
    static const struct {
        const char *name;
        uint8_t v, mask;
    } kinds[] = {
        { "no", 0, 3 },    { "yes", 1, 1 },       { "first", 1, 3 },
        { "later", 3, 3 }, { "not_later", 0, 2 },
    };

    for (unsigned i = 0; s && i < WEFT_ARRAY_LEN(kinds); i++) {
        if (!strcmp(kinds[i].name, s)) {
            part->key.nw_flags = kinds[i].v;
            part->mask.nw_flags = kinds[i].mask;
            return 0;
        }
    }
    return weft_err_set(e, -EINVAL,
                        "%s: %.40s is not no, yes, first, later or not_later",
                        word, s ? s : "\"\"");
}

/* A flag's bit by the name of 'n' characters, 0: unknown. */
static unsigned
flag_bit(const char *s, size_t n)
{
    for (unsigned i = 0; i < WEFT_ARRAY_LEN(text_tcp_flags); i++)
        if (strlen(text_tcp_flags[i]) == n
            && !memcmp(text_tcp_flags[i], s, n))
            return 1u << i;
    return 0;
}

/* "+syn-ack": these bits; "syn|ack": exactly these; "0x2/0x12". */
static int
tcp_flags(const char *word, char *s, struct flow_match *part,
          struct weft_err *e)
{
    bool exact = s && *s != '+' && *s != '-';
    uint64_t v = 0, mask = exact ? 0xfff : 0;
    int err;

    if (!s || !*s || (*s >= '0' && *s <= '9')) {
        err = masked(word, s, 12, &v, &mask, e);
        if (err)
            return err;
        s = NULL;
    }
    while (s && *s) {
        char sign = *s == '-' ? '-' : '+';
        size_t n;

        if (*s == '+' || *s == '-' || *s == '|')
            s++;
        n = strcspn(s, exact ? "|" : "+-");

        unsigned bit = flag_bit(s, n);

        if (!bit)
            return weft_err_set(e, -EINVAL, "%s: %.*s is no TCP flag", word,
                                (int) WEFT_MIN(n, 40), s);
        if (sign == '+')
            v |= bit;
        mask |= bit;
        s += n;
    }
    part->key.tcp_flags = be16_from((uint16_t) v);
    part->mask.tcp_flags = be16_from((uint16_t) mask);
    return 0;
}

static int
vlan(enum text_kind kind, const char *word, char *value,
     struct flow_match *part, struct weft_err *e)
{
    uint64_t v = 0, mask;
    int err;

    if (kind == TEXT_VLAN_TCI) {
        err = masked(word, value, 16, &v, &mask, e);
    } else if (kind == TEXT_VLAN_PCP) {
        err = unmasked(word, value, 3, &v, e);
        v = v << 13 | FLOW_VLAN_PRESENT;
        mask = 0xe000 | FLOW_VLAN_PRESENT;
    } else {
        err = unmasked(word, value, 16, &v, e);
        if (!err && v > 0xfff && v != 0xffff)
            err = weft_err_set(e, -EINVAL, "%s: %" PRIu64 " exceeds 4095",
                               word, v);
        v = v == 0xffff ? 0 : v | FLOW_VLAN_PRESENT;
        mask = 0x1fff;
    }
    if (err)
        return err;
    part->key.vlan_tci = be16_from((uint16_t) v);
    part->mask.vlan_tci = be16_from((uint16_t) mask);
    return 0;
}

/* "(1,0x800)", or the 32 bits as a number. */
static int
packet_type(const char *word, char *value, struct flow_match *part,
            struct weft_err *e)
{
    char *comma = value ? strchr(value, ',') : NULL;
    uint64_t ns = 0, type = 0;
    int err;

    if (!value || *value != '(' || !comma) {
        err = unmasked(word, value, 32, &type, e);
    } else {
        char *end = strchr(comma, ')');

        if (end)
            *end = '\0';
        *comma = '\0';
        err = text_number(word, value + 1, 0xffff, &ns, e);
        if (!err)
            err = text_number(word, comma + 1, 0xffff, &type, e);
    }
    part->key.packet_type = be32_from((uint32_t) (ns << 16 | type));
    part->mask.packet_type = be32_from(UINT32_MAX);
    return err;
}

/* Members that are no OpenFlow field. */
static int
special(enum text_kind kind, const char *word, char *value,
        struct flow_match *part, struct weft_err *e)
{
    uint64_t v = 0, mask = 0;
    int err;

    switch (kind) {
    case TEXT_TOS:
        err = unmasked(word, value, 8, &v, e);
        part->key.ip_tos = (uint8_t) (v & 0xfc);
        part->mask.ip_tos = 0xfc;
        return err;
    case TEXT_TTL:
        err = masked(word, value, 8, &v, &mask, e);
        part->key.ip_ttl = (uint8_t) v;
        part->mask.ip_ttl = (uint8_t) mask;
        return err;
    case TEXT_MPLS_TTL:
        err = masked(word, value, 8, &v, &mask, e);
        part->key.mpls_lse = be32_from((uint32_t) v);
        part->mask.mpls_lse = be32_from((uint32_t) mask);
        return err;
    case TEXT_FRAG:
        return frag_value(word, value, part, e);
    case TEXT_TCP_FLAGS:
        return tcp_flags(word, value, part, e);
    default:
        return vlan(kind, word, value, part, e);
    }
}

/* The field and the protocol that a name with several meanings has in 'm'. */
static enum flow_field_id
resolve(const struct flow_match *m, const struct text_name *n,
        enum flow_prereq *prereq)
{
    static const struct {
        enum text_kind kind;
        enum flow_field_id field;
    } choices[] = { /* The first whose protocol is matched. */
        { TEXT_NW_SRC, FLOW_F_ARP_SPA },      { TEXT_NW_DST, FLOW_F_ARP_TPA },
        { TEXT_NW_PROTO, FLOW_F_ARP_OP },     { TEXT_TP_SRC, FLOW_F_UDP_SRC },
        { TEXT_TP_DST, FLOW_F_UDP_DST },      { TEXT_TP_SRC, FLOW_F_SCTP_SRC },
        { TEXT_TP_DST, FLOW_F_SCTP_DST },
        { TEXT_TP_SRC, FLOW_F_ICMPV4_TYPE },  { TEXT_TP_DST, FLOW_F_ICMPV4_CODE },
        { TEXT_TP_SRC, FLOW_F_ICMPV6_TYPE },  { TEXT_TP_DST, FLOW_F_ICMPV6_CODE },
        { TEXT_ICMP_TYPE, FLOW_F_ICMPV6_TYPE },
        { TEXT_ICMP_CODE, FLOW_F_ICMPV6_CODE },
    };
    enum flow_field_id id = n->field;

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(choices); i++)
        if (choices[i].kind == n->kind
            && ofp_prereq_met(m, flow_fields[choices[i].field].prereq)) {
            id = choices[i].field;
            break;
        }
    switch (n->kind) {
    case TEXT_TTL:
    case TEXT_FRAG:
    case TEXT_TOS:
        *prereq = FLOW_PRE_IP;
        break;
    case TEXT_MPLS_TTL:
        *prereq = FLOW_PRE_MPLS;
        break;
    case TEXT_TCP_FLAGS:
        *prereq = FLOW_PRE_TCP;
        break;
    case TEXT_VLAN_TCI:
    case TEXT_VLAN_PCP: /* Says itself that there is a tag. */
        *prereq = FLOW_PRE_NONE;
        break;
    default:
        *prereq = flow_fields[id].prereq;
    }
    return id;
}

int
text_match_word(struct flow_match *m, const struct text_name *n,
                const char *word, char *value, struct weft_err *e)
{
    struct flow_match part;
    enum flow_prereq prereq;
    enum flow_field_id id = resolve(m, n, &prereq);
    const struct flow_field *f = &flow_fields[id];
    uint8_t v[16], mask[16];
    int err;

    memset(&part, 0, sizeof part);
    switch (n->kind) {
    case TEXT_PACKET_TYPE:
        err = packet_type(word, value, &part, e);
        break;
    case TEXT_VLAN_TCI:
    case TEXT_VLAN_PCP:
    case TEXT_DL_VLAN:
    case TEXT_TOS:
    case TEXT_TTL:
    case TEXT_FRAG:
    case TEXT_MPLS_TTL:
    case TEXT_TCP_FLAGS:
        err = special(n->kind, word, value, &part, e);
        break;
    default:
        if (value && strchr(value, '/') && !f->maskable)
            return weft_err_set(e, -EINVAL, "%s: takes no mask", word);
        err = text_value(word, f, value, v, mask, e);
        if (err)
            break;
        flow_field_set_masked(&part.key, f, v, mask);
        flow_field_set_masked(&part.mask, f, mask, mask);
    }
    if (err || !flow_mask_words(&part.mask))
        return err;
    if (!ofp_prereq_met(m, prereq))
        return weft_err_set(e, -EINVAL, "%s: needs %s in the match", word,
                            text_prereq_words(prereq));
    return merge(m, &part, word, e);
}

int
text_match_proto(struct flow_match *m, const struct text_proto *t,
                 const char *word, struct weft_err *e)
{
    struct flow_match part;

    memset(&part, 0, sizeof part);
    part.key.eth_type = be16_from(t->eth_type);
    part.mask.eth_type = 0xffff;
    part.key.ip_proto = t->ip_proto;
    part.mask.ip_proto = t->ip_proto ? 0xff : 0;
    /* Both ask for the kind of packet that dl_type does. */
    if (!ofp_prereq_met(m, flow_fields[FLOW_F_ETH_TYPE].prereq))
        return weft_err_set(e, -EINVAL, "%s: needs %s in the match", word,
                            text_prereq_words(
                                flow_fields[FLOW_F_ETH_TYPE].prereq));
    return merge(m, &part, word, e);
}
