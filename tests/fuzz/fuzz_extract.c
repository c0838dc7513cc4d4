/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: extraction of any bytes.
 * Properties: reads nothing outside the frame; writes no word that is the
 * caller's; offsets lie inside the frame; a dirty key gives the same result
 * as a clean one; the short ways give what the walk through the headers
 * gives. */
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
check_walk(const uint8_t *p, size_t len, size_t frame_len, int err,
           const struct flow_key *k, const struct pkt_layout *lay)
{
    struct flow_key w;
    struct pkt_layout lw = { 0 };

    memset(&w, 0x5a, 64);
    memset((uint8_t *) &w + 64, 0, sizeof w - 64);
    must(extract_frame_walk(p, len, frame_len, &w, &lw) == err);
    if (err != EXTRACT_OK)
        return;
    must(!memcmp(&w, k, sizeof w) && lw.l2_5 == lay->l2_5
         && lw.l3 == lay->l3 && lw.l4 == lay->l4
         && lw.payload == lay->payload && lw.n_vlan == lay->n_vlan
         && lw.line1 == lay->line1);
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
    check_walk(p, len, frame_len, ea, &a, &la);
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
