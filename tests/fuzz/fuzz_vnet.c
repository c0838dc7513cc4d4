/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz: a virtio-net header and the frame behind it, as a tap or packet
 * socket could give them, then the checksum that they ask for. */
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/offload.h"
#include "datapath/ports/common/vnet_fast.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct virtio_net_hdr h, again;
    struct rte_mbuf m;
    uint8_t *exact; /* AddressSanitizer guards its end. */

    if (size < sizeof h + 14 || size > 4096)
        return 0;
    memcpy(&h, data, sizeof h);
    data += sizeof h;
    size -= sizeof h;
    exact = malloc(size);
    if (!exact)
        return 0;
    memcpy(exact, data, size);
    memset(&m, 0, sizeof m);
    m.buf_addr = exact;
    m.buf_len = m.data_len = (uint16_t) size;
    m.pkt_len = (uint32_t) size;
    m.nb_segs = 1;
    if (vnet_to_mbuf(&m, &h, 0)) {
        vnet_from_mbuf(&m, &again);
        /* What was accepted as pending can be finished, or is refused. */
        if (offload_checksum(&m) == 0 && offload_pending(&m))
            abort();
    }
    free(exact);
    return 0;
}
