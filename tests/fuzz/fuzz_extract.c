/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: extraction of any bytes.
 * Properties: reads nothing outside the frame; writes no word that is the
 * caller's; offsets lie inside the frame; a dirty key gives the same result
 * as a clean one. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
    if (!ok)
        abort();
}

static void
check(const uint8_t *p, size_t len, size_t frame_len)
{
    struct flow_key a, b;
    struct pkt_layout la = { 0 }, lb = { .line1 = true };
    uint8_t *ka = (uint8_t *) &a, *kb = (uint8_t *) &b;

    memset(ka, 0x5a, 64);
    memset(ka + 64, 0, sizeof a - 64);
    memset(kb, 0x5a, 20);
    memset(kb + 20, 0xc3, sizeof b - 20);
    memset(kb + 128, 0, sizeof b - 128);

    int ea = extract_frame(p, len, frame_len, &a, &la);
    int eb = extract_frame(p, len, frame_len, &b, &lb);

    must(ea == eb && ea >= EXTRACT_OK && ea < N_DROP_REASONS);
    for (int i = 0; i < 20; i++)
        must(ka[i] == 0x5a);
    for (size_t i = 128; i < sizeof a; i++)
        must(!ka[i]);
    if (ea != EXTRACT_OK)
        return;
    must(!memcmp(&a, &b, sizeof a));
    must(la.l3 <= len && la.l2_5 <= len && la.l4 < len);
    must(la.payload <= frame_len && la.l4 <= la.payload);
    must(len >= 14 && !memcmp(a.eth_dst, p, 6) && !memcmp(a.eth_src, p + 6, 6));
    for (size_t i = 64; i < 128; i++)
        must(la.line1 || !ka[i]);
    must(!(a.nw_flags & FLOW_NW_FRAG_LATER) || (!a.tp_src && !a.tp_dst));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;

    /* The first byte says how much of the frame is not in one piece. */
    size_t len = size - 1, rest = (size_t) data[0] * 16;
    uint8_t *exact = malloc(len ? len : 1);

    if (!exact)
        return 0;
    memcpy(exact, data + 1, len);
    check(exact, len, len);
    if (rest && len >= 256)
        check(exact, len, len + rest);
    free(exact);
    return 0;
}
