/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster: rules that all ask for some bits, hashed by these bits.
 *
 * Slots are not verified: rules that share one by chance lie in the same leaf.
 * A full table is not rehashed at once: the new one is published with 'old'
 * set and zero slots, which mean "still in the old one", and every change moves
 * a few slots over. */
#include "datapath/tables/table_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "utils/base/mem.h"

#define MOVE_STEP 4 /* Slots moved per change. */
#define MAP_SIZE ((size_t) 1 << 20) /* Bytes from which on it is mapped. */

static size_t
slots_bytes(const struct tbl_slots *s)
{
    return sizeof *s + ((size_t) s->mask + 1) * sizeof s->slot[0];
}

/* As hash tables of rules (ht.c): large ones are cleared as they fill. */
static struct tbl_slots *
slots_create(uint32_t n)
{
    size_t size = sizeof(struct tbl_slots) + n * sizeof(uint64_t);
    struct tbl_slots *s;

    if (size < MAP_SIZE) {
        s = calloc(1, size);
        if (!s)
            return NULL;
    } else {
        s = mmap(NULL, size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (s == MAP_FAILED)
            return NULL;
        (void) madvise(s, size, MADV_HUGEPAGE);
    }
    s->mask = n - 1;
    return s;
}

static void
slots_free(void *s_)
{
    struct tbl_slots *s = s_;

    if (s && slots_bytes(s) >= MAP_SIZE)
        munmap(s, slots_bytes(s));
    else
        free(s);
}

static uint64_t
slot_load(const struct tbl_slots *s, uint32_t i)
{
    return atomic_load_explicit(&s->slot[i], memory_order_relaxed);
}

static struct tbl_slots *
slots_of(const struct tbl_cluster *c)
{
    return atomic_load_explicit(&c->slots, memory_order_relaxed);
}

static struct tbl_slots *
slots_old(const struct tbl_slots *s)
{
    return atomic_load_explicit(&s->old, memory_order_relaxed);
}

struct tbl_cluster *
tbl_cluster_create(const struct flow_key *mask)
{
    struct tbl_cluster *c;

    BASE_NEW(c);
    c->mask = *mask;
    for (uint32_t map = flow_mask_words(mask); map; map &= map - 1) {
        c->idx[c->n] = (uint8_t) __builtin_ctz(map);
        c->bits[c->n] = flow_key_word(mask, c->idx[c->n]);
        c->n++;
    }
    atomic_init(&c->max_prio, -1);
    atomic_init(&c->slots, slots_create(1));
    if (!atomic_load(&c->slots)) {
        free(c);
        return NULL;
    }
    c->bytes = sizeof *c + slots_bytes(slots_of(c));
    return c;
}

void
tbl_cluster_free(void *c_)
{
    struct tbl_cluster *c = c_;
    struct tbl_slots *s = slots_of(c), *old = slots_old(s);

    for (uint32_t i = 0; i <= s->mask; i++)
        tbl_node_free(slot_load(s, i));
    /* What has been moved out of the old one has its place in the new one. */
    for (uint32_t i = 0; old && i <= old->mask; i++)
        if (!slot_load(s, i))
            tbl_node_free(slot_load(old, i));
    slots_free(old);
    slots_free(s);
    for (unsigned k = 0; k < 2; k++)
        free(c->hist[k].n);
    free(c);
}

/* -------------------------------------------------------------------- costs */

static void
hist_add(struct tbl_hist *h, uint32_t cost)
{
    uint32_t room = h->room;

    if (cost >= room) {
        h->room = cost + 32;
        h->n = base_xrealloc(h->n, h->room * sizeof *h->n);
        memset(h->n + room, 0, (h->room - room) * sizeof *h->n);
    }
    h->n[cost]++;
    h->max = WEFT_MAX(h->max, cost);
}

static void
hist_del(struct tbl_hist *h, uint32_t cost)
{
    h->n[cost]--;
    while (h->max && !h->n[h->max])
        h->max--;
}

/* The slot counts from now on, or no more. */
static void
slot_count(struct tbl_cluster *c, uint64_t slot, bool on)
{
    struct tbl_cost cost = tbl_node_cost(slot);

    if (!(slot & TBL_SLOT_PTR))
        return;
    c->n_used += on ? 1 : UINT32_MAX;
    (on ? hist_add : hist_del)(&c->hist[0], cost.far);
    (on ? hist_add : hist_del)(&c->hist[1], cost.compares);
}

struct tbl_cost
tbl_cluster_cost(const struct tbl_cluster *c)
{
    return (struct tbl_cost) {
        .far = 1 + (slots_old(slots_of(c)) != NULL) + c->hist[0].max,
        .compares = c->hist[1].max,
    };
}

/* ----------------------------------------------------------------- priority */

static void
prio_raise(struct tbl_cluster *c, int32_t prio)
{
    if (prio >= atomic_load_explicit(&c->max_prio, memory_order_relaxed)) {
        atomic_store_explicit(&c->max_prio, prio, memory_order_release);
        c->max_stale = false;
    }
}

/* The top rule may have gone.  Looking for the next one walks all slots, so it
 * waits until there were as many changes: until then max_prio is only higher
 * than need be, which costs lookups, never truth. */
static void
prio_lower(struct tbl_cluster *c, int32_t gone)
{
    struct tbl_slots *s = slots_of(c);
    int32_t max = -1;

    c->max_stale |= gone
                    == atomic_load_explicit(&c->max_prio,
                                            memory_order_relaxed);
    if (!c->max_stale || c->n_removed++ < (c->n_used ? s->mask / 8 : 0)
        || slots_old(s))
        return;
    for (uint32_t i = 0; i <= s->mask; i++)
        if (slot_load(s, i) & TBL_SLOT_PTR)
            max = WEFT_MAX(max, (int32_t) (slot_load(s, i) >> 48));
    atomic_store_explicit(&c->max_prio, max, memory_order_release);
    c->n_removed = 0;
    c->max_stale = false;
}

/* ------------------------------------------------------------------- moving */

static uint32_t
rule_hash(const struct tbl *t, const struct tbl_cluster *c,
          const struct tbl_rule *r)
{
    uint64_t w[FLOW_KEY_WORDS];
    unsigned at = 0;

    for (unsigned i = 0; i < c->n; i++) {
        while (r->mask->idx[at] != c->idx[i])
            at++;
        w[i] = r->values[at] & c->bits[i];
    }
    return (uint32_t) hash_words(&t->key, w, c->n);
}

static void
slot_set(struct tbl_cluster *c, struct tbl_slots *s, uint32_t i, uint64_t v)
{
    atomic_store_explicit(&s->slot[i], v & TBL_SLOT_PTR ? v : TBL_SLOT_EMPTY,
                          memory_order_release);
    slot_count(c, v, true);
}

/* What old slot 'i' holds goes to its two slots of the new table. */
static void
slot_move(struct tbl *t, struct tbl_cluster *c, uint32_t i)
{
    struct tbl_slots *s = slots_of(c), *old = slots_old(s);
    uint64_t slot = slot_load(old, i), *list, *part;
    uint32_t n, n_part[2] = { 0, 0 }, half = old->mask + 1;

    if (slot_load(s, i))
        return; /* A change came first. */
    slot_count(c, slot, false);
    n = tbl_node_list(slot, &list);
    part = base_xmalloc(2 * 8 * ((size_t) n + 1));
    for (uint32_t k = 0; k < n; k++) {
        bool up = rule_hash(t, c, tbl_slot_rule(list[k])) & half;

        part[up * (size_t) n + n_part[up]++] = list[k];
    }
    if (n_part[0] == n || n_part[1] == n) { /* As it is. */
        slot_set(c, s, i, n_part[1] ? 0 : slot);
        slot_set(c, s, i + half, n_part[1] ? slot : 0);
    } else {
        for (uint32_t k = 2; k-- > 0;) /* Slot 'i' says it has moved. */
            slot_set(c, s, i + k * half,
                     tbl_node_build(t, part + k * (size_t) n, n_part[k],
                                    &c->bytes));
        tbl_node_put(t, slot, &c->bytes);
    }
    free(part);
    free(list);
}

static void
slots_move(struct tbl *t, struct tbl_cluster *c, uint32_t n)
{
    struct tbl_slots *s = slots_of(c), *old = slots_old(s);

    for (; old && n; n--) {
        slot_move(t, c, s->moved);
        if (++s->moved > old->mask) {
            atomic_store_explicit(&s->old, NULL, memory_order_release);
            c->bytes -= slots_bytes(old);
            t->env.defer(t->env.arg, slots_free, old);
            return;
        }
    }
}

bool
tbl_cluster_work(struct tbl *t, struct tbl_cluster *c, uint32_t n)
{
    slots_move(t, c, n);
    return slots_old(slots_of(c)) != NULL;
}

/* Without memory the table as it is still works, with longer leaves. */
static void
slots_maintain(struct tbl *t, struct tbl_cluster *c)
{
    struct tbl_slots *s = slots_of(c), *next;

    if (slots_old(s)) {
        slots_move(t, c, MOVE_STEP);
        return;
    }
    if (!c->n || c->n_used <= s->mask / 2 || s->mask >= UINT32_MAX / 2)
        return;
    next = slots_create(2 * (s->mask + 1));
    if (!next)
        return;
    atomic_store_explicit(&next->old, s, memory_order_relaxed);
    c->bytes += slots_bytes(next);
    atomic_store_explicit(&c->slots, next, memory_order_release);
}

void
tbl_cluster_change(struct tbl *t, struct tbl_cluster *c,
                   const struct tbl_rule *r, bool add)
{
    uint32_t hash = rule_hash(t, c, r), i;
    struct tbl_slots *s;
    uint64_t slot;

    slots_maintain(t, c);
    s = slots_of(c);
    i = hash & s->mask;
    if (slots_old(s))
        slot_move(t, c, hash & slots_old(s)->mask);
    slot_count(c, slot_load(s, i), false);
    tbl_node_change(t, &s->slot[i], r, add, &c->bytes);
    slot = slot_load(s, i);
    slot_count(c, slot, true);
    if (add)
        prio_raise(c, r->priority);
    else
        prio_lower(c, r->priority);
}
