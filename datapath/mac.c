/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/mac.h"

#include <sched.h>
#include <stdlib.h>

#include "utils/base/mem.h"

struct mac_table *
mac_create(uint32_t buckets, uint64_t seed)
{
    struct mac_table *t;

    BASE_NEW(t);
    t->seed = seed;
    t->mask = buckets - 1;
    t->limit = MAC_LIMIT;
    t->age_ticks = MAC_AGE_TICKS;
    /* Zero pages take no memory until they are written. */
    t->mem = calloc((size_t) buckets + 1, 64);
    if (!t->mem) {
        free(t);
        return NULL;
    }
    t->entries = (void *) (((uintptr_t) t->mem + 63) & ~(uintptr_t) 63);
    return t;
}

void
mac_destroy(struct mac_table *t)
{
    if (t)
        free(t->mem);
    free(t);
}

/* A worker holds it for an insertion. */
static void
writer_begin(struct mac_table *t)
{
    while (__atomic_exchange_n(&t->writer, 1, __ATOMIC_ACQUIRE))
        sched_yield();
}

static void
writer_end(struct mac_table *t)
{
    __atomic_store_n(&t->writer, 0, __ATOMIC_RELEASE);
}

static void
entry_clear(struct mac_table *t, struct mac_entry *e)
{
    __atomic_store_n(&e->key, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&t->n, t->n - 1, __ATOMIC_RELAXED);
}

static size_t
n_entries(const struct mac_table *t)
{
    return ((size_t) t->mask + 1) * MAC_WAYS;
}

/* 'mask': which bits of a value say that the entry goes. */
static void
flush(struct mac_table *t, uint64_t val, uint64_t mask)
{
    if (!__atomic_load_n(&t->n, __ATOMIC_RELAXED))
        return;
    writer_begin(t);
    for (size_t i = 0; i < n_entries(t); i++) {
        struct mac_entry *e = &t->entries[i];
        uint64_t v = __atomic_load_n(&e->val, __ATOMIC_RELAXED);

        if (e->key && (v & mask) == val)
            entry_clear(t, e);
    }
    writer_end(t);
}

void
mac_sweep(struct mac_table *t, uint32_t tick, uint32_t buckets)
{
    if (!__atomic_load_n(&t->n, __ATOMIC_RELAXED))
        return;
    writer_begin(t);
    for (; buckets; buckets--, t->swept = (t->swept + 1) & t->mask)
        for (unsigned i = 0; i < MAC_WAYS; i++) {
            struct mac_entry *e = &t->entries[t->swept * MAC_WAYS + i];
            uint64_t v = __atomic_load_n(&e->val, __ATOMIC_RELAXED);

            if (e->key && (int32_t) (tick - (uint32_t) v)
                              > (int32_t) t->age_ticks)
                entry_clear(t, e);
        }
    writer_end(t);
}

struct mac_table *
mac_grown(const struct mac_table *t)
{
    uint32_t n = __atomic_load_n(&t->n, __ATOMIC_RELAXED);
    struct mac_table *g;

    if (n < n_entries(t) / 8 || n_entries(t) / 4 >= t->limit)
        return NULL;
    g = mac_create(2 * (t->mask + 1), t->seed);
    if (!g)
        return NULL;
    g->limit = t->limit;
    g->age_ticks = t->age_ticks;
    g->moves = __atomic_load_n(&t->moves, __ATOMIC_RELAXED);
    g->refused = __atomic_load_n(&t->refused, __ATOMIC_RELAXED);
    for (size_t i = 0; i < n_entries(t); i++) {
        uint64_t k = __atomic_load_n(&t->entries[i].key, __ATOMIC_ACQUIRE);
        uint64_t v = __atomic_load_n(&t->entries[i].val, __ATOMIC_ACQUIRE);

        if (k && k == __atomic_load_n(&t->entries[i].key, __ATOMIC_RELAXED))
            mac_insert(g, k, v);
    }
    return g;
}

void
mac_flush(struct mac_table *t)
{
    flush(t, 0, 0);
}

void
mac_flush_port(struct mac_table *t, uint32_t port)
{
    flush(t, mac_val((struct mac_place) { .port = port }, 0),
          UINT64_C(0xffff) << 48);
}

void
mac_flush_peer(struct mac_table *t, uint32_t port, uint16_t peer)
{
    flush(t, mac_val((struct mac_place) { .port = port, .peer = peer }, 0),
          UINT64_C(0xffffffff) << 32);
}

bool
mac_dump(const struct mac_table *t, uint32_t tick, size_t *at, size_t n,
         dp_mac_cb *cb, void *arg)
{
    size_t end = n_entries(t);

    for (; n && *at < end; n--, ++*at) {
        const struct mac_entry *e = &t->entries[*at];
        uint64_t k = __atomic_load_n(&e->key, __ATOMIC_ACQUIRE);
        uint64_t v = __atomic_load_n(&e->val, __ATOMIC_ACQUIRE);
        uint32_t age = tick - (uint32_t) v;

        if (!k || k != __atomic_load_n(&e->key, __ATOMIC_RELAXED))
            continue;
        if ((int32_t) age < 0)
            age = 0; /* The worker's clock is a tick ahead. */
        if (age > t->age_ticks)
            continue;

        struct dp_mac_info info = { .vlan = (uint16_t) (k >> 52),
                                    .port_no = mac_val_place(v).port,
                                    .peer = mac_val_place(v).peer,
                                    .age_s = age / 4 };
        for (unsigned b = 0; b < 6; b++)
            info.mac[b] = (uint8_t) (k >> (40 - 8 * b));
        cb(arg, &info);
    }
    return *at < end;
}
