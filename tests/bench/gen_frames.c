/* SPDX-License-Identifier: Apache-2.0 */
#include "gen.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

uint8_t *templates;
uint16_t *free_bits;
uint32_t n_templates;
bool plain = true;

/* SplitMix64. */
static uint64_t
mix(uint64_t *s)
{
    uint64_t z = (*s += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void
ip_header(uint8_t *ip, unsigned len, unsigned proto, uint32_t src,
          uint32_t dst)
{
    uint32_t sum = 0;

    memset(ip, 0, 20);
    ip[0] = 0x45;
    put16(ip + 2, len);
    put16(ip + 6, 0x4000);
    ip[8] = 64;
    ip[9] = (uint8_t) proto;
    put32(ip + 12, src);
    put32(ip + 16, dst);
    for (unsigned i = 0; i < 20; i += 2)
        sum += (uint32_t) ip[i] << 8 | ip[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    put16(ip + 10, ~(sum + (sum >> 16)) & 0xffff);
}

struct tuple {
    uint32_t src, dst; /* IPv6: the low 32 bits, see ip6_header(). */
    uint64_t src_high; /* IPv6: the high 64 bits; 0: the usual prefix. */
    uint16_t sport, dport;
    uint8_t proto;
    bool v6;
};

static void
ip6_header(uint8_t *ip, unsigned payload, const struct tuple *t)
{
    static const uint8_t prefix[8] = { 0x20, 0x01, 0x0d, 0xb8 };

    memset(ip, 0, 40);
    ip[0] = 0x60;
    put16(ip + 4, payload);
    ip[6] = t->proto;
    ip[7] = 64;
    memcpy(ip + 8, prefix, 8);
    if (t->src_high) {
        put32(ip + 8, (uint32_t) (t->src_high >> 32));
        put32(ip + 12, (uint32_t) t->src_high);
    }
    put32(ip + 20, t->src);
    memcpy(ip + 24, prefix, 8);
    put32(ip + 36, t->dst);
}

static void
l4_header(uint8_t *l4, unsigned len, const struct tuple *t)
{
    put16(l4, t->sport);
    put16(l4 + 2, t->dport);
    if (t->proto == 17) {
        put16(l4 + 4, len);
    } else {
        l4[12] = 0x50; /* Data offset: 5 words. */
        l4[13] = 0x10; /* ACK */
    }
}

/* Wire length of template 'index'; imix: 7 of 64, 4 of 570, 1 of 1518. */
static unsigned
wire_length(const struct side *s, uint32_t index, unsigned least)
{
    if (s->imix)
        return index % 12 < 7 ? least : index % 12 < 11 ? 570 : 1514;
    return s->size > least ? s->size : least;
}

static void
end_template(uint8_t *f, uint32_t index, struct template_end e)
{
    if (e.magic_at) {
        put32(f + e.magic_at, MAGIC);
        put32(f + e.magic_at + 4, index);
    }
    memcpy(f + STRIDE - sizeof e, &e, sizeof e);
    if (e.len != FRAME || e.wire_len != FRAME)
        plain = false;
}

/* One inner frame: Ethernet, IP, UDP (or TCP), number and magic. */
static void
inner_frame(const struct side *s, uint8_t *f, uint32_t index,
            const struct tuple *t)
{
    unsigned least = t->v6 ? FRAME6 : FRAME;
    unsigned wire = wire_length(s, index, least);
    struct template_end e = { .len = (uint16_t) least,
                              .wire_len = (uint16_t) wire,
                              .magic_at = (uint16_t) (least - 8) };

    memset(f, 0, STRIDE);
    memcpy(f, "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01", 12);
    if (t->v6) {
        put16(f + 12, 0x86dd);
        ip6_header(f + 14, wire - 54, t);
        l4_header(f + 54, wire - 54, t);
    } else {
        put16(f + 12, 0x0800);
        ip_header(f + 14, wire - 14, t->proto, t->src, t->dst);
        l4_header(f + 34, wire - 34, t);
    }
    end_template(f, index, e);
}

/* Flow i of a set of pairs x ports: see bench_rows.py for the rules. */
static struct tuple
udp_tuple(const struct side *s, uint32_t flow)
{
    uint32_t pair = flow % s->pairs, port = flow / s->pairs;

    return (struct tuple){ .src = 0x0a010000 + pair,
                           .dst = 0x0a020000 + pair,
                           .sport = (uint16_t) (10000 + port % 1024),
                           .dport = (uint16_t) (20000 + port / 1024),
                           .proto = 17,
                           .v6 = s->v6 == 1 || (s->v6 == 2 && flow % 2) };
}

/* Random 5-tuples for the three-rule list. */
static struct tuple
random_tuple(uint64_t *seed)
{
    uint64_t a = mix(seed), b = mix(seed);

    return (struct tuple){ .src = (uint32_t) a, .dst = (uint32_t) (a >> 32),
                           .sport = (uint16_t) b, .dport = (uint16_t) (b >> 16),
                           .proto = 6 };
}

/* Tuple-space explosion (Csikor et al., CoNEXT 2019): attack packets differ
 * from the rules' values first in bit i of the source address, bit j of the
 * source port, bit k of the destination port.  Template 0 is the victim. */
static struct tuple
tse_tuple(const struct side *s, uint32_t n, uint64_t *seed)
{
    struct tuple t = { .src = 0x0a000001, .dst = 0x0a0000fe, .sport = 12345,
                       .dport = 80, .proto = 6, .v6 = s->v6 == 1 };

    if (!n) {
        t.src = 0xc0a80001;
        t.sport = 40000;
        return t;
    }
    uint32_t i = (n - 1) % 32, j = (n - 1) / 32 % 16, k = (n - 1) / 512 % 16;
    uint64_t r = mix(seed);

    /* IPv6: every third packet already differs in the prefix. */
    if (t.v6 && n % 3 == 0)
        t.src_high = UINT64_C(0x20010db800000000) ^ UINT64_C(1) << (r & 63);
    t.src ^= 0x80000000u >> i;
    t.src ^= (uint32_t) r & (0x7fffffffu >> i);
    t.sport ^= (uint16_t) (0x8000u >> j);
    t.sport ^= (uint16_t) (r >> 32) & (uint16_t) (0x7fffu >> j);
    t.dport ^= (uint16_t) (0x8000u >> k);
    t.dport ^= (uint16_t) (r >> 48) & (uint16_t) (0x7fffu >> k);
    return t;
}

/* Frames that end, lie or wind: n % N_BAD says how. */
static void
bad_frame(uint8_t *f, uint32_t n, uint64_t *seed)
{
    struct tuple t = random_tuple(seed);
    struct side plain_side = { .pairs = 1 };
    struct template_end e = { .len = FRAME, .wire_len = FRAME,
                              .magic_at = AT_MAGIC };
    uint8_t *ip = f + 14;

    t.proto = n & 16 ? 17 : 6;
    inner_frame(&plain_side, f, n, &t);
    switch (n % 16) {
    case 0: /* The IPv4 header's length field says 4 words. */
        ip[0] = 0x44;
        break;
    case 1: /* ... or more than there is. */
        ip[0] = 0x4f;
        put16(ip + 2, 40);
        break;
    case 2: /* The total length says more than came. */
        put16(ip + 2, 1400);
        break;
    case 3: /* ... or less than the header. */
        put16(ip + 2, 12);
        break;
    case 4: /* Version 6 under EtherType 0x0800. */
        ip[0] = 0x65;
        break;
    case 5: /* Options: 24 bytes of no-operation. */
        ip[0] = 0x4b;
        memset(ip + 20, 1, 22);
        break;
    case 6: /* Ends within the transport header. */
        e.len = e.wire_len = 36;
        e.magic_at = 0;
        break;
    case 7: /* Ends within the IPv4 header. */
        e.len = e.wire_len = 24;
        e.magic_at = 0;
        break;
    case 8: /* Nothing but Ethernet. */
        e.len = e.wire_len = 14;
        e.magic_at = 0;
        break;
    case 9: /* A later fragment. */
        put16(ip + 6, 0x00b9);
        break;
    case 10: /* Two tags, the inner EtherType cut off. */
        put16(f + 12, 0x88a8);
        put16(f + 16, 0x8100);
        e.len = e.wire_len = 19;
        e.magic_at = 0;
        break;
    case 11: /* IPv6 with a hop-by-hop header that runs out of the frame. */
        put16(f + 12, 0x86dd);
        memset(ip, 0, FRAME6 - 14);
        ip[0] = 0x60;
        ip[41] = 200;
        e.len = e.wire_len = FRAME6;
        e.magic_at = FRAME6 - 8;
        break;
    case 12: /* MPLS without a bottom. */
        put16(f + 12, 0x8847);
        memset(ip, 0, FRAME - 14 - 8);
        break;
    case 13: /* ARP that ends early. */
        put16(f + 12, 0x0806);
        e.len = e.wire_len = 30;
        e.magic_at = 0;
        break;
    case 14: /* TCP with a data offset of 1 word. */
        f[46] = 0x10;
        break;
    case 15: /* Source is a multicast address, TTL 0. */
        put32(ip + 12, 0xe0000001);
        ip[8] = 0;
        break;
    }
    end_template(f, n, e);
}

/* The templates of kind "file"; 0 or -1. */
static int
fill_from_file(const struct side *s)
{
    FILE *f = fopen(s->file, "rb");
    uint8_t r[16];
    uint32_t i = 0;
    uint16_t any = 0;

    free_bits = calloc(n_templates, sizeof *free_bits);
    if (!free_bits)
        return -1;
    for (; f && i < s->flows && fread(r, sizeof r, 1, f) == 1; i++) {
        uint32_t at = s->first + i;
        struct tuple t = { .src = get32(r), .dst = get32(r + 4),
                           .sport = (uint16_t) (r[8] << 8 | r[9]),
                           .dport = (uint16_t) (r[10] << 8 | r[11]),
                           .proto = r[12] };

        inner_frame(s, template_at(at), at, &t);
        free_bits[at] = (uint16_t) (r[14] << 8 | r[15]);
        any |= free_bits[at];
    }
    if (f)
        fclose(f);
    if (!any) {
        free(free_bits);
        free_bits = NULL;
    }
    return i == s->flows ? 0 : -1;
}

/* 0..n-1 in random order. */
static void
shuffle(uint32_t *order, uint32_t n, uint64_t *seed)
{
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = (uint32_t) (mix(seed) % i), swap = order[i - 1];

        order[i - 1] = order[j];
        order[j] = swap;
    }
}

static int
fill_side(const struct side *s)
{
    uint64_t seed = 0x5eed + s->first;
    uint32_t *order;

    if (s->kind == KIND_FILE)
        return fill_from_file(s);
    order = malloc(s->flows * sizeof *order);
    if (!order)
        return -1;
    shuffle(order, s->flows, &seed);
    for (uint32_t i = 0; i < s->flows; i++) {
        uint32_t at = s->first + i;
        uint8_t *f = template_at(at);

        if (s->kind == KIND_BAD) {
            bad_frame(f, at, &seed);
            continue;
        }
        struct tuple t = s->kind == KIND_TSE      ? tse_tuple(s, i, &seed)
                         : s->kind == KIND_RANDOM ? random_tuple(&seed)
                                                  : udp_tuple(s, order[i]);
        inner_frame(s, f, at, &t);
    }
    free(order);
    return 0;
}

void
gen_fill(struct side *sides, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (sides[i].is_rx) {
            sides[i].first = sides[i].next = n_templates;
            n_templates += sides[i].flows;
        }
    templates = mmap(NULL, (size_t) n_templates * STRIDE + STRIDE,
                     PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                     0);
    if (templates == MAP_FAILED) {
        fprintf(stderr, "gen_plugin: no memory for %u frames\n", n_templates);
        exit(1);
    }
    madvise(templates, (size_t) n_templates * STRIDE, MADV_HUGEPAGE);
    for (unsigned i = 0; i < n; i++)
        if (sides[i].is_rx && sides[i].flows && fill_side(&sides[i])) {
            fprintf(stderr, "gen_plugin: %u flows: no memory, or %s has "
                    "fewer\n", sides[i].flows, sides[i].file);
            exit(1);
        }
}
