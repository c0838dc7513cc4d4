/* SPDX-License-Identifier: Apache-2.0 */
/* Geneve, receive side. */
#include "tunnels/geneve/geneve.h"

enum {
    HLEN = GENEVE_UDP_HLEN + GENEVE_HLEN,
    INNER_MIN = 14, /* An Ethernet header. */
};

/* Walks 'len' bytes of options, none of which we know.  Without the C bit
 * nobody has to look at them (RFC 8926 §3.5). */
static WEFT_COLD enum tnl_verdict
check_options(const uint8_t *p, size_t len)
{
    while (len) {
        size_t size;

        if (len < GENEVE_OPT_HLEN)
            return TNL_SHORT;
        size = GENEVE_OPT_HLEN + 4u * (p[3] & GENEVE_OPT_WORDS);
        if (size > len)
            return TNL_SHORT;
        /* §3.5.1: unknown and critical: MUST be dropped. */
        if (p[2] & GENEVE_OPT_CRITICAL)
            return TNL_CRITICAL;
        p += size;
        len -= size;
    }
    return TNL_OK;
}

enum tnl_verdict
geneve_decap(const uint8_t *p, size_t len, struct tnl_meta *m)
{
    const uint8_t *gn = p + GENEVE_UDP_HLEN;
    size_t options;

    if (weft_unlikely(len < HLEN))
        return TNL_SHORT;
    /* §3.4: a version that is not known MUST be dropped; O: the payload is
     * no tenant's and MUST NOT be forwarded. */
    if (weft_unlikely(gn[0] & GENEVE_VERSION || gn[1] & GENEVE_F_O))
        return TNL_BAD_FLAGS;
    options = 4u * (gn[0] & GENEVE_OPT_LEN);
    if (weft_unlikely(len < HLEN + options))
        return TNL_SHORT;
    if (weft_unlikely(gn[1] & GENEVE_F_C)) {
        enum tnl_verdict v = check_options(gn + GENEVE_HLEN, options);

        if (v != TNL_OK)
            return v;
    }
    if (weft_unlikely(get_be16(gn + 2) != GENEVE_ETHERNET))
        return TNL_BAD_PROTO;
    if (weft_unlikely(len < HLEN + options + INNER_MIN))
        return TNL_INNER_RUNT;
    m->key = get_be24(gn + 4);
    m->hlen = (uint16_t) (HLEN + options);
    return TNL_OK;
}
