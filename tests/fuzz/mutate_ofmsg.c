/* SPDX-License-Identifier: Apache-2.0 */
/* Deterministic mutations of the message vectors through the fuzz target of
 * OpenFlow messages: what a fuzzer would do first, in every `make check`.
 * Usage: mutate_ofmsg [cases [seed]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loci/loci.h"
#include "tests/ofproto/of_vectors.h"

#define CASES 200000
#define MAX_LEN 2048
#define N_FOLDERS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t seed = 0x9e3779b97f4a7c15u;

/* xorshift64*: the same sequence everywhere. */
static uint32_t
rnd(uint32_t below)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (uint32_t) ((seed * 0x2545f4914f6cdd1du) >> 32) % below;
}

struct msg {
    uint8_t bytes[MAX_LEN];
    size_t len;
};

/* A 16-bit field becomes what breaks length arithmetic. */
static void
mutate_length(struct msg *m)
{
    static const uint16_t values[]
        = {0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 24, 0x7fff, 0x8000, 0xfff0,
           0xfff8, 0xffff};
    size_t at = m->len < 4 ? 0 : rnd((uint32_t) m->len / 2) * 2u;
    uint32_t pick = rnd(sizeof values / sizeof values[0] + 4);
    uint16_t v;

    if (at + 2 > m->len)
        return;
    v = pick < sizeof values / sizeof values[0]
            ? values[pick]
            : (uint16_t) (m->len - at + pick % 3 - 1);
    put_be16(m->bytes + at, v);
}

/* Bytes go, or are doubled. */
static void
mutate_size(struct msg *m)
{
    size_t at = rnd((uint32_t) m->len + 1);
    size_t n = 1 + rnd(rnd(4) ? 8 : 64);

    if (rnd(2)) {
        if (at + n > m->len)
            return;
        memmove(m->bytes + at, m->bytes + at + n, m->len - at - n);
        m->len -= n;
    } else if (m->len + n <= MAX_LEN && at + n <= m->len) {
        memmove(m->bytes + at + n, m->bytes + at, m->len - at);
        m->len += n;
    }
}

static void
mutate(struct msg *m)
{
    switch (rnd(6)) {
    case 0:
    case 1:
        mutate_length(m);
        break;
    case 2:
        mutate_size(m);
        break;
    case 3:
        if (m->len)
            m->bytes[rnd((uint32_t) m->len)] ^= (uint8_t) (1u << rnd(8));
        break;
    case 4:
        if (m->len)
            m->bytes[rnd((uint32_t) m->len)] = (uint8_t) rnd(256);
        break;
    case 5:
        m->len = rnd((uint32_t) m->len + 1);
        break;
    }
}

struct pool {
    struct vector *all[N_FOLDERS];
    size_t n[N_FOLDERS];
};

static const struct vector *
pick(const struct pool *p)
{
    uint32_t f = rnd(N_FOLDERS);

    return &p->all[f][rnd((uint32_t) p->n[f])];
}

static bool
run_case(const struct pool *p)
{
    const struct vector *v = pick(p);
    struct msg m = {.len = v->len < MAX_LEN ? v->len : MAX_LEN};
    uint8_t *exact;
    bool accepted;

    memcpy(m.bytes, v->bytes, m.len);
    for (uint32_t k = 1 + rnd(3); k--;)
        mutate(&m);
    /* Mostly the outer length agrees, or nothing else would be read. */
    if (rnd(16) && m.len >= 4)
        of_message_length_set(m.bytes, (uint16_t) m.len);
    exact = malloc(m.len ? m.len : 1);
    if (!exact)
        abort();
    memcpy(exact, m.bytes, m.len);
    LLVMFuzzerTestOneInput(exact, m.len);
    accepted = !of_validate_message(exact, (int) m.len);
    free(exact);
    return accepted;
}

int
main(int argc, char *argv[])
{
    static const char *const folders[N_FOLDERS]
        = {"of10", "of13", "of14", "of15",
           "bad10", "bad13", "bad14", "bad15"};
    long cases = argc > 1 ? atol(argv[1]) : CASES, accepted = 0;
    struct pool p;

    if (argc > 2)
        seed ^= strtoull(argv[2], NULL, 0);
    for (int i = 0; i < N_FOLDERS; i++)
        p.all[i] = vectors_read(folders[i], &p.n[i]);
    for (long i = 0; i < cases; i++)
        accepted += run_case(&p);
    for (int i = 0; i < N_FOLDERS; i++)
        vectors_free(p.all[i], p.n[i]);
    printf("%ld cases, %ld accepted\n", cases, accepted);
    /* Mutations that only break, or never do, would test nothing. */
    return accepted > cases / 20 && accepted < cases - cases / 20
               ? EXIT_SUCCESS
               : EXIT_FAILURE;
}
