/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/ports/common/frame_fast.h"

#include <rte_memcpy.h>

#include "datapath/port.h"

static struct rte_mbuf *
copy_rest(const struct port_env *env, const uint8_t *data, uint32_t len)
{
    struct rte_mbuf *big =
        env->big_pool ? rte_pktmbuf_alloc(env->big_pool) : NULL;

    if (!big || rte_pktmbuf_tailroom(big) < len) {
        rte_pktmbuf_free(big);
        return NULL;
    }
    rte_memcpy(rte_pktmbuf_append(big, (uint16_t) len), data, len);
    return big;
}

struct rte_mbuf *
frame_copy(const struct port_env *env, const void *data, uint32_t len)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(env->pool);
    uint32_t first;

    if (!m)
        return NULL;
    first = WEFT_MIN(len, (uint32_t) rte_pktmbuf_tailroom(m));
    rte_memcpy(rte_pktmbuf_append(m, (uint16_t) first), data, first);
    if (first == len)
        return m;
    m->next = copy_rest(env, (const uint8_t *) data + first, len - first);
    if (!m->next) {
        rte_pktmbuf_free(m);
        return NULL;
    }
    m->nb_segs = 2;
    m->pkt_len = len;
    return m;
}
