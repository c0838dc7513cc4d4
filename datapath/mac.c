/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/mac.h"

#include <stdlib.h>
#include <string.h>

#include "utils/base/mem.h"

#define MAC_WAYS 4

struct mac_table *
mac_create(uint32_t buckets, uint64_t seed)
{
    struct mac_table *t;

    BASE_NEW(t);
    t->seed = seed;
    t->mask = buckets - 1;
    t->entries = aligned_alloc(64, (size_t) buckets * 64);
    if (!t->entries) {
        free(t);
        return NULL;
    }
    memset(t->entries, 0, (size_t) buckets * 64);
    return t;
}

void
mac_destroy(struct mac_table *t)
{
    if (t)
        free(t->entries);
    free(t);
}

/* 'mask': which bits of a value say that the entry goes. */
static void
flush(struct mac_table *t, uint64_t val, uint64_t mask)
{
    for (size_t i = 0; i < ((size_t) t->mask + 1) * MAC_WAYS; i++) {
        struct mac_entry *e = &t->entries[i];
        uint64_t v = __atomic_load_n(&e->val, __ATOMIC_RELAXED);

        if (e->key && (v & mask) == val)
            __atomic_store_n(&e->key, 0, __ATOMIC_RELAXED);
    }
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
    size_t end = ((size_t) t->mask + 1) * MAC_WAYS;

    for (; n && *at < end; n--, ++*at) {
        const struct mac_entry *e = &t->entries[*at];
        uint64_t k = __atomic_load_n(&e->key, __ATOMIC_ACQUIRE);
        uint64_t v = __atomic_load_n(&e->val, __ATOMIC_ACQUIRE);
        uint32_t age = tick - (uint32_t) v;

        if (!k || k != __atomic_load_n(&e->key, __ATOMIC_RELAXED))
            continue;
        if ((int32_t) age < 0)
            age = 0; /* The worker's clock is a tick ahead. */
        if (age > MAC_AGE_TICKS)
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
