/* SPDX-License-Identifier: Apache-2.0 */
/* VXLAN, receive side. */
#include "tunnels/vxlan/vxlan.h"

enum {
    HLEN = VXLAN_UDP_HLEN + VXLAN_HLEN,
    INNER_MIN = 14, /* An Ethernet header. */
};

enum tnl_verdict
vxlan_decap(const uint8_t *p, size_t len, struct tnl_meta *m)
{
    const uint8_t *vx = p + VXLAN_UDP_HLEN;

    if (weft_unlikely(len < HLEN))
        return TNL_SHORT;
    /* RFC 7348 §5: the I flag must be 1; the other seven and both reserved
     * fields are ignored on receipt. */
    if (weft_unlikely(!(vx[0] & VXLAN_F_I)))
        return TNL_BAD_FLAGS;
    if (weft_unlikely((vx[0] & VXLAN_F_P) && vx[3] >= VXLAN_GPE_FIRST
                      && vx[3] <= VXLAN_GPE_LAST
                      && vx[3] != VXLAN_GPE_ETHERNET))
        return TNL_BAD_PROTO;
    if (weft_unlikely(len < HLEN + INNER_MIN))
        return TNL_INNER_RUNT;
    m->key = get_be24(vx + 4);
    m->hlen = HLEN;
    return TNL_OK;
}
