/* SPDX-License-Identifier: Apache-2.0 */
/* NVGRE, receive side. */
#include "tunnels/nvgre/nvgre.h"

enum {
    INNER_MIN = 14, /* An Ethernet header. */
};

enum tnl_verdict
nvgre_decap(const uint8_t *p, size_t len, struct tnl_meta *m)
{
    uint32_t vsid;

    if (weft_unlikely(len < NVGRE_HLEN))
        return TNL_SHORT;
    /* RFC 7637 §3.2: K set, C and S clear; RFC 2784 §2.3.1: version 0. */
    if (weft_unlikely((get_be16(p) & NVGRE_FLAGS_MASK) != NVGRE_FLAGS))
        return TNL_BAD_FLAGS;
    if (weft_unlikely(get_be16(p + 2) != NVGRE_PROTO))
        return TNL_BAD_PROTO;
    vsid = get_be24(p + 4);
    /* RFC 7637 §3.4: both reserved ranges. */
    if (weft_unlikely(vsid < NVGRE_VSID_MIN || vsid > NVGRE_VSID_MAX))
        return TNL_RESERVED_KEY;
    if (weft_unlikely(len < NVGRE_HLEN + INNER_MIN))
        return TNL_INNER_RUNT;
    m->key = vsid; /* p[7], the FlowID, says nothing about the tenant. */
    m->hlen = NVGRE_HLEN;
    return TNL_OK;
}
