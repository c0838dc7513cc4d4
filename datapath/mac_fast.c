/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/mac.h"

#include "weft/be.h"

#define MAC_VALID (UINT64_C(1) << 48)

static uint64_t
mac_key(const uint8_t mac[6], uint16_t vlan)
{
    return (uint64_t) vlan << 52 | MAC_VALID
           | (uint64_t) get_be16(mac) << 32 | get_be32(mac + 2);
}

static struct mac_entry *
mac_bucket(const struct mac_table *t, uint64_t key)
{
    uint64_t h = (key ^ t->seed) * UINT64_C(0x9fb21c651e98df25);

    h ^= h >> 35;
    h *= UINT64_C(0xd6e8feb86659fd93);
    return t->entries + ((h >> 32) & t->mask) * MAC_WAYS;
}

void
mac_insert(struct mac_table *t, uint64_t key, uint64_t val)
{
    struct mac_entry *b = mac_bucket(t, key), *e = b;
    uint32_t tick = (uint32_t) val, oldest = 0;

    if (__atomic_exchange_n(&t->writer, 1, __ATOMIC_ACQUIRE))
        return;
    for (unsigned i = 0; i < MAC_WAYS; i++) {
        uint64_t k = __atomic_load_n(&b[i].key, __ATOMIC_RELAXED);
        uint32_t age = tick
                       - (uint32_t) __atomic_load_n(&b[i].val,
                                                    __ATOMIC_RELAXED);

        if (k == key || !k) {
            e = &b[i];
            break;
        }
        if (age < UINT32_MAX / 2 && age >= oldest) {
            oldest = age;
            e = &b[i];
        }
    }
    if (!e->key && t->n >= __atomic_load_n(&t->limit, __ATOMIC_RELAXED)) {
        __atomic_fetch_add(&t->refused, 1, __ATOMIC_RELAXED);
    } else {
        if (!e->key)
            __atomic_store_n(&t->n, t->n + 1, __ATOMIC_RELAXED);
        __atomic_store_n(&e->key, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&e->val, val, __ATOMIC_RELEASE);
        __atomic_store_n(&e->key, key, __ATOMIC_RELEASE);
    }
    __atomic_store_n(&t->writer, 0, __ATOMIC_RELEASE);
}

/* The address is known: where and when it was seen now.  A slot that was
 * taken over since keeps its new value. */
static void
mac_refresh(struct mac_table *t, struct mac_entry *e, uint64_t val)
{
    uint64_t old = __atomic_load_n(&e->val, __ATOMIC_RELAXED);

    if (old == val
        || !__atomic_compare_exchange_n(&e->val, &old, val, false,
                                        __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        return;
    if (weft_unlikely((old ^ val) >> 32))
        __atomic_fetch_add(&t->moves, 1, __ATOMIC_RELAXED);
}

void
mac_learn(struct mac_table *t, const uint8_t mac[6], uint16_t vlan,
          struct mac_place at, uint32_t tick)
{
    uint64_t key = mac_key(mac, vlan), val = mac_val(at, tick);
    struct mac_entry *b = mac_bucket(t, key);

    if (mac[0] & 1) /* A group address is nobody's. */
        return;
    for (unsigned i = 0; i < MAC_WAYS; i++)
        if (__atomic_load_n(&b[i].key, __ATOMIC_ACQUIRE) == key) {
            mac_refresh(t, &b[i], val);
            return;
        }
    mac_insert(t, key, val);
}

struct mac_place
mac_lookup(const struct mac_table *t, const uint8_t mac[6], uint16_t vlan,
           uint32_t tick)
{
    uint64_t key = mac_key(mac, vlan);
    const struct mac_entry *b = mac_bucket(t, key);
    struct mac_place unknown = { 0 };

    for (unsigned i = 0; i < MAC_WAYS; i++)
        if (__atomic_load_n(&b[i].key, __ATOMIC_ACQUIRE) == key) {
            uint64_t v = __atomic_load_n(&b[i].val, __ATOMIC_ACQUIRE);
            int32_t age = (int32_t) (tick - (uint32_t) v);

            if (__atomic_load_n(&b[i].key, __ATOMIC_RELAXED) != key
                || age > (int32_t) __atomic_load_n(&t->age_ticks,
                                                   __ATOMIC_RELAXED))
                return unknown;
            return mac_val_place(v);
        }
    return unknown;
}
