/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/tables/table_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define COPY_STEP 2    /* Buckets copied per change. */
#define GROW_SLOTS 5   /* Of 8 per bucket in use: grow. */
#define SMALL_BUCKETS 8 /* Below, grow only when a rule finds no place. */
#define MAP_SIZE ((size_t) 1 << 20) /* Bytes from which on it is mapped. */

static size_t
ht_bytes(const struct tbl_ht *ht)
{
    return sizeof *ht + ((size_t) ht->mask + 1) * sizeof ht->b[0];
}

/* A large one is mapped: its pages are cleared by the kernel as they fill,
 * not all at once, and are large where that is possible. */
struct tbl_ht *
tbl_ht_create(uint32_t n_buckets)
{
    size_t size = sizeof(struct tbl_ht)
                  + n_buckets * sizeof(struct tbl_bucket);
    struct tbl_ht *ht;

    if (size < MAP_SIZE) {
        ht = aligned_alloc(64, size);
        if (!ht)
            return NULL;
        memset(ht, 0, size);
    } else {
        ht = mmap(NULL, size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (ht == MAP_FAILED)
            return NULL;
        (void) madvise(ht, size, MADV_HUGEPAGE);
    }
    ht->mask = n_buckets - 1;
    return ht;
}

void
tbl_ht_free(void *ht_)
{
    struct tbl_ht *ht = ht_;

    if (ht && ht_bytes(ht) >= MAP_SIZE)
        munmap(ht, ht_bytes(ht));
    else
        free(ht);
}

size_t
tbl_ht_size(const struct tbl_ht *ht)
{
    const struct tbl_ht *old = atomic_load(&ht->old);

    return ht_bytes(ht) + (old ? ht_bytes(old) : 0);
}

static uint64_t
slot_make(const struct tbl_rule *r)
{
    return (uint64_t) (uintptr_t) r | tbl_ht_sig(r->index) << 48;
}

static uint64_t
slot_get(const struct tbl_bucket *b, unsigned i)
{
    return atomic_load_explicit(&b->slot[i], memory_order_relaxed);
}

/* Keeps the bucket's spilled bit. */
static void
slot_set(struct tbl_bucket *b, unsigned i, uint64_t v)
{
    atomic_store_explicit(&b->slot[i], v | (slot_get(b, i) & TBL_HT_SPILLED),
                          memory_order_release);
}

/* Index of a free slot, or -1. */
static int
slot_free(const struct tbl_bucket *b)
{
    for (unsigned i = 0; i < TBL_HT_SLOTS; i++)
        if (!tbl_slot_rule(slot_get(b, i)))
            return (int) i;
    return -1;
}

static void
bucket_spill(struct tbl_bucket *b)
{
    atomic_store_explicit(&b->slot[0], slot_get(b, 0) | TBL_HT_SPILLED,
                          memory_order_release);
}

/* Makes room in the full bucket 'home' by sending one of its own rules to
 * that rule's other bucket.  Returns the free slot, or -1. */
static int
bucket_displace(struct tbl_ht *ht, struct tbl_bucket *home)
{
    for (unsigned i = 0; i < TBL_HT_SLOTS; i++) {
        uint64_t slot = slot_get(home, i) & ~(uint64_t) TBL_HT_SPILLED;
        uint32_t hash = tbl_slot_rule(slot)->index;
        struct tbl_bucket *other = &ht->b[tbl_ht_other(ht, hash)];
        int j;

        if (&ht->b[tbl_ht_home(ht, hash)] != home || other == home
            || (j = slot_free(other)) < 0)
            continue;
        slot_set(other, (unsigned) j, slot);
        bucket_spill(home);
        slot_set(home, i, 0);
        return (int) i;
    }
    return -1;
}

/* 0, or -ENOSPC when both buckets are full for good. */
static int
ht_place(struct tbl_ht *ht, const struct tbl_rule *r)
{
    struct tbl_bucket *home = &ht->b[tbl_ht_home(ht, r->index)];
    struct tbl_bucket *other = &ht->b[tbl_ht_other(ht, r->index)];
    int i = slot_free(home);

    if (i < 0) {
        i = slot_free(other);
        if (i >= 0 && other != home) {
            slot_set(other, (unsigned) i, slot_make(r));
            bucket_spill(home);
            return 0;
        }
        i = bucket_displace(ht, home);
    }
    if (i < 0)
        return -ENOSPC;
    slot_set(home, (unsigned) i, slot_make(r));
    return 0;
}

/* The slot of 'ht' that holds 'r', or NULL. */
static struct tbl_bucket *
ht_locate(struct tbl_ht *ht, const struct tbl_rule *r, unsigned *slot)
{
    struct tbl_bucket *b[2] = { &ht->b[tbl_ht_home(ht, r->index)],
                                &ht->b[tbl_ht_other(ht, r->index)] };

    for (unsigned k = 0; k < 2; k++)
        for (unsigned i = 0; i < TBL_HT_SLOTS; i++)
            if (tbl_slot_rule(slot_get(b[k], i)) == r) {
                *slot = i;
                return b[k];
            }
    return NULL;
}

static struct tbl_rule *
bucket_find(const struct tbl_bucket *b, const struct tbl_rule *r)
{
    uint64_t sig = tbl_ht_sig(r->index);

    for (unsigned i = 0; i < TBL_HT_SLOTS; i++) {
        uint64_t slot = slot_get(b, i);
        struct tbl_rule *head = tbl_slot_rule(slot);

        if (slot >> 48 == sig && head->index == r->index
            && !memcmp(head->values, r->values, 8u * r->n_values))
            return head;
    }
    return NULL;
}

static struct tbl_rule *
ht_find_in(const struct tbl_ht *ht, const struct tbl_rule *r)
{
    const struct tbl_bucket *home = &ht->b[tbl_ht_home(ht, r->index)];
    struct tbl_rule *head = bucket_find(home, r);

    if (head || !(slot_get(home, 0) & TBL_HT_SPILLED))
        return head;
    return bucket_find(&ht->b[tbl_ht_other(ht, r->index)], r);
}

static struct tbl_ht *
ht_of(const struct tbl_mask *m)
{
    return atomic_load_explicit(&m->ht, memory_order_relaxed);
}

static struct tbl_ht *
ht_old(const struct tbl_ht *ht)
{
    return atomic_load_explicit(&ht->old, memory_order_relaxed);
}

void
tbl_ht_expect(const struct tbl_mask *m, uint32_t hash)
{
    const struct tbl_ht *ht = ht_of(m), *old = ht_old(ht);

    __builtin_prefetch(&ht->b[tbl_ht_home(ht, hash)]);
    if (old)
        __builtin_prefetch(&old->b[tbl_ht_home(old, hash)]);
}

struct tbl_rule *
tbl_ht_find(const struct tbl_mask *m, const struct tbl_rule *r)
{
    const struct tbl_ht *ht = ht_of(m), *old = ht_old(ht);
    struct tbl_rule *head = ht_find_in(ht, r);

    return head || !old ? head : ht_find_in(old, r);
}

/* The rules in some buckets, and the buckets behind those: the next copies
 * find them in the cache. */
static void
ht_copy_expect(const struct tbl_ht *old, uint32_t at, uint32_t n)
{
    for (uint32_t b = at; b < at + n && b <= old->mask; b++)
        for (unsigned i = 0; i < TBL_HT_SLOTS; i++)
            __builtin_prefetch(tbl_slot_rule(slot_get(&old->b[b], i)));
    for (uint32_t b = at + n; b < at + 2 * n && b <= old->mask; b++)
        __builtin_prefetch(&old->b[b]);
}

/* Copies up to 'n' buckets of the old table; retires it when done.  Returns
 * -ENOSPC when a rule finds no place: the caller has to rebuild. */
static int
ht_copy(struct tbl *t, struct tbl_mask *m, uint32_t n)
{
    struct tbl_ht *ht = ht_of(m), *old = ht_old(ht);

    for (; old && n; n--) {
        const struct tbl_bucket *b = &old->b[ht->copied];
        struct tbl_rule *r;
        unsigned slot;

        for (unsigned i = 0; i < TBL_HT_SLOTS; i++) {
            r = tbl_slot_rule(slot_get(b, i));
            if (!r || (ht->partly && ht_locate(ht, r, &slot)))
                continue;
            if (ht_place(ht, r)) {
                ht->partly = true;
                return -ENOSPC;
            }
        }
        ht->partly = false;
        if (++ht->copied > old->mask) {
            atomic_store_explicit(&ht->old, NULL, memory_order_release);
            t->memory -= ht_bytes(old);
            t->env.defer(t->env.arg, tbl_ht_free, old);
            return 0;
        }
    }
    if (old)
        ht_copy_expect(old, ht->copied, COPY_STEP);
    return 0;
}

struct rebuild {
    struct tbl_ht *ht;
    bool full;
};

static void
rebuild_add(void *arg, struct tbl_rule *r)
{
    struct rebuild *rb = arg;

    rb->full |= ht_place(rb->ht, r) != 0;
}

/* Everything into one new table at once: the way out when the stepwise one
 * is blocked by a bucket that overflows, which a keyed hash makes rare. */
static int
ht_rebuild(struct tbl *t, struct tbl_mask *m, uint64_t n_buckets)
{
    struct tbl_ht *ht = ht_of(m), *old = ht_old(ht);
    struct rebuild rb;

    for (;; n_buckets *= 2) {
        rb = (struct rebuild) { .ht = NULL };
        if (n_buckets <= UINT32_C(1) << 28)
            rb.ht = tbl_ht_create((uint32_t) n_buckets);
        if (!rb.ht)
            return -ENOMEM;
        tbl_ht_each(m, rebuild_add, &rb);
        if (!rb.full)
            break;
        tbl_ht_free(rb.ht);
    }
    t->memory += ht_bytes(rb.ht);
    t->memory -= tbl_ht_size(ht);
    atomic_store_explicit(&m->ht, rb.ht, memory_order_release);
    t->env.defer(t->env.arg, tbl_ht_free, ht);
    if (old)
        t->env.defer(t->env.arg, tbl_ht_free, old);
    return 0;
}

/* Begins a stepwise change to 'n_buckets'.  No copy may be under way. */
static int
ht_resize(struct tbl *t, struct tbl_mask *m, uint32_t n_buckets)
{
    struct tbl_ht *next = tbl_ht_create(n_buckets);

    if (!next)
        return -ENOMEM;
    atomic_store(&next->old, ht_of(m));
    t->memory += ht_bytes(next);
    atomic_store_explicit(&m->ht, next, memory_order_release);
    return 0;
}

/* Grows or shrinks when the load asks for it, and goes on with a copy that is
 * under way.  Failure is no news: the table as it is still works. */
static void
ht_maintain(struct tbl *t, struct tbl_mask *m)
{
    struct tbl_ht *ht = ht_of(m);
    uint64_t n = (uint64_t) ht->mask + 1;

    if (ht_old(ht)) {
        if (ht_copy(t, m, COPY_STEP))
            (void) !ht_rebuild(t, m, n * 2);
        return;
    }
    if (n >= SMALL_BUCKETS && m->n_heads > n * GROW_SLOTS)
        (void) !ht_resize(t, m, (uint32_t) (n * 2));
    else if (n > SMALL_BUCKETS && m->n_heads < n)
        (void) !ht_resize(t, m, (uint32_t) (n / 2));
}

int
tbl_ht_add(struct tbl *t, struct tbl_mask *m, struct tbl_rule *r)
{
    ht_maintain(t, m);
    if (ht_place(ht_of(m), r)) {
        int err = ht_rebuild(t, m, ((uint64_t) ht_of(m)->mask + 1) * 2);

        if (err)
            return err;
        if (ht_place(ht_of(m), r))
            return -ENOMEM;
    }
    m->n_heads++;
    return 0;
}

static void
ht_swap(struct tbl_ht *ht, const struct tbl_rule *from,
        const struct tbl_rule *to)
{
    unsigned slot;
    struct tbl_bucket *b;

    /* A lookup may see a rule twice while it is displaced, never after. */
    if (ht && (b = ht_locate(ht, from, &slot)))
        slot_set(b, slot, to ? slot_make(to) : 0);
}

void
tbl_ht_replace(struct tbl *t, struct tbl_mask *m, const struct tbl_rule *from,
               const struct tbl_rule *to)
{
    struct tbl_ht *ht = ht_of(m);

    ht_swap(ht_old(ht), from, to);
    ht_swap(ht, from, to);
    if (!to) {
        m->n_heads--;
        ht_maintain(t, m);
    }
}

void
tbl_ht_each(const struct tbl_mask *m, tbl_ht_cb *cb, void *arg)
{
    struct tbl_ht *ht = ht_of(m), *part[2] = { ht_old(ht), ht };
    unsigned slot;

    for (unsigned k = 0; k < 2; k++)
        for (uint32_t b = 0; part[k] && b <= part[k]->mask; b++)
            for (unsigned i = 0; i < TBL_HT_SLOTS; i++) {
                struct tbl_rule *r =
                    tbl_slot_rule(slot_get(&part[k]->b[b], i));

                /* What was copied is shown by the new table only. */
                if (r && (k || !ht_locate(ht, r, &slot)))
                    cb(arg, r);
            }
}
