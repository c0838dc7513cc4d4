/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/datapath/differential.h"

#include <stdlib.h>
#include <string.h>

static uint64_t rng;

void
rnd_seed(uint64_t seed)
{
    rng = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

uint32_t
rnd(uint32_t limit)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (uint32_t) ((rng >> 16) % limit);
}

struct frame frames[64];
unsigned n_frames;

static void
frame_parse(struct frame *f)
{
    struct pkt_layout lay = { 0 };

    memset(&f->k, 0, sizeof f->k);
    f->parsed = extract_key(f->b, f->len, &f->k, &lay) == EXTRACT_OK;
}

static void
frame_add(const struct pkt *p)
{
    struct frame *f = &frames[n_frames++];

    ck_assert_uint_le(n_frames, 64);
    ck_assert_uint_le(p->len, sizeof f->b);
    memcpy(f->b, p->b, p->len);
    f->len = p->len;
    frame_parse(f);
}

/* The bytes of 'hex' as they are. */
static void
frame_add_hex(const char *hex)
{
    static struct pkt p;

    p.len = strlen(hex) / 2;
    for (size_t i = 0; i < p.len; i++)
        p.b[i] = (uint8_t) strtoul(
            (char[]) { hex[2 * i], hex[2 * i + 1], 0 }, NULL, 16);
    frame_add(&p);
}

void
frame_begin(struct pkt *p, unsigned tags, uint16_t type)
{
    pkt_init(p);
    pkt_eth(p, PKT_MAC(1 + rnd(4)), PKT_MAC(1 + rnd(4)),
            type);
    for (; tags; tags--)
        pkt_vlan(p, tags > 1 ? 0x88a8 : 0x8100,
                 (uint16_t) (rnd(3) + 1 + (rnd(8) << 13)), type);
}

static void
add_l4(struct pkt *p, unsigned kind)
{
    switch (kind) {
    case 0:
        pkt_tcp(p, (uint16_t) (80 + rnd(3)), (uint16_t) (80 + rnd(3)), 2);
        break;
    case 1:
        pkt_udp(p, (uint16_t) (80 + rnd(3)), (uint16_t) (80 + rnd(3)));
        break;
    case 2:
        pkt_sctp(p, (uint16_t) (80 + rnd(3)), (uint16_t) (80 + rnd(3)));
        break;
    default:
        pkt_icmp(p, (uint8_t) (rnd(2) * 8), 0);
        break;
    }
    pkt_payload(p, 20 + rnd(30));
}

void
frames_make(void)
{
    static const uint8_t v4[] = { 6, 17, 132, 1 }, v6[] = { 6, 17, 132, 58 };
    static struct pkt p;

    n_frames = 0;
    for (unsigned i = 0; i < 24; i++) {
        frame_begin(&p, rnd(3), 0x0800);
        pkt_ipv4(&p, 0x0a000001 + rnd(3), 0x0a000001 + rnd(3), v4[i % 4]);
        add_l4(&p, i % 4);
        pkt_end(&p);
        frame_add(&p);
        if (i < 4) { /* The same as a first and as a later fragment. */
            struct frame *f = &frames[n_frames - 1];
            size_t l3 = p.l3;

            frame_add(&p);
            f = &frames[n_frames - 1];
            put_be16(f->b + l3 + 6, (uint16_t) (0x2000 + (i & 1)));
            frame_parse(f);
        }
    }
    for (unsigned i = 0; i < 8; i++) {
        frame_begin(&p, rnd(2), 0x86dd);
        pkt_ipv6(&p, (uint8_t) (1 + rnd(3)), (uint8_t) (1 + rnd(3)),
                 v6[i % 4]);
        add_l4(&p, i % 4);
        pkt_end(&p);
        frame_add(&p);
    }
    for (unsigned i = 0; i < 3; i++) {
        frame_begin(&p, i, 0x0806);
        pkt_arp(&p, (uint16_t) (1 + rnd(2)), PKT_MAC(1), 0x0a000001 + rnd(3),
                PKT_MAC(2), 0x0a000001 + rnd(3));
        pkt_end(&p);
        frame_add(&p);
    }
    for (unsigned i = 0; i < 3; i++) {
        frame_begin(&p, i % 2, 0x8847);
        pkt_mpls(&p, 100 + rnd(3), rnd(8), i == 0, (uint8_t) rnd(3));
        if (i)
            pkt_mpls(&p, 200 + rnd(3), rnd(8), true, 64);
        pkt_ipv4(&p, 0x0a000001, 0x0a000002, 17);
        add_l4(&p, 1);
        pkt_end(&p);
        frame_add(&p);
    }
    /* From test_extract.c: ND, PBB, 802.3, AH. */
    frame_add_hex("3333ff00000102000000000286dd6000000000203afffe80000000000000"
                  "0000000000000002ff0200000000000000000001ff0000018700"
                  "000000000000fe80000000000000000000000000000101010200"
                  "00000002");
    frame_add_hex("02000000000102000000000288a8606588e7a8abcdef0a00000000010a00"
                  "000000020800450000280001000040060000c0000201c6336407");
    frame_add_hex("0180c200000002000000000200264242030000000000000000000000");
    frame_add_hex("02000000000102000000000286dd600000000020334020010db800000000"
                  "000000000000000120010db80000000000000000000000021104000000"
                  "0000000100000002000000000000000000000000000300040008"
                  "0000");
}

/* A frame of the pool, often with a few bytes changed or missing. */
struct frame
frame_random(void)
{
    struct frame f = frames[rnd(n_frames)];

    if (rnd(4) == 0)
        for (unsigned n = 1 + rnd(3); n; n--)
            f.b[rnd((uint32_t) WEFT_MIN(f.len, 80))] = (uint8_t) rnd(256);
    if (rnd(16) == 0)
        f.len = 10 + rnd((uint32_t) f.len - 10);
    return f;
}
