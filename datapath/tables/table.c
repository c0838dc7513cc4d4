/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/tables/table_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "utils/base/mem.h"

static struct tbl_form *
form_of(const struct tbl *t)
{
    return atomic_load_explicit(&t->form, memory_order_relaxed);
}

/* ------------------------------------------------------------------ forms */

/* The cheapest form for what the table holds; a form is left late, so that
 * one rule more or less does not flip it back and forth. */
static enum tbl_kind
form_choose(const struct tbl *t)
{
    enum tbl_kind now = form_of(t)->kind;

    if (t->n_heads <= (now == TBL_LINEAR ? TBL_LINEAR_MAX : TBL_LINEAR_MIN))
        return TBL_LINEAR;
    return t->n_active <= (now == TBL_MERGED ? TBL_HASH_MASKS_MIN
                                             : TBL_HASH_MASKS)
               ? TBL_HASH
               : TBL_MERGED;
}

/* Does the form show what the table holds? */
static bool
form_is_current(const struct tbl *t, enum tbl_kind kind)
{
    const struct tbl_form *f = form_of(t);

    if (f->kind != kind || kind == TBL_LINEAR)
        return false;
    /* Masks come and go one at a time, clusters only come. */
    if (kind == TBL_HASH)
        return ((const struct tbl_hash *) f)->n_masks == t->n_active
               && tbl_hash_in_order(f);
    return ((const struct tbl_merged *) f)->n == t->now->n
           && tbl_merged_in_order(f);
}

static void
form_publish(struct tbl *t, enum tbl_kind kind)
{
    struct tbl_form *old = form_of(t);
    struct tbl_form *f = kind == TBL_LINEAR ? tbl_linear_build(t)
                         : kind == TBL_HASH ? tbl_hash_build(t)
                                            : tbl_merged_form(t);

    atomic_store_explicit(&t->form, f, memory_order_release);
    t->env.defer(t->env.arg, free, old);
}

static void
next_drop(struct tbl *t)
{
    tbl_set_put(t, t->next);
    t->next = NULL;
}

/* Moves rules to the next clusters. */
static void
next_fill(struct tbl *t, uint32_t n_rules)
{
    struct tbl_set *old = t->now;

    tbl_set_fill(t, n_rules);
    if (!tbl_set_is_full(t->next))
        return;
    free(t->next->todo);
    t->next->todo = NULL;
    t->now = t->next;
    t->next = NULL;
    form_publish(t, TBL_MERGED);
    tbl_set_put(t, old);
}

/* Publishes the form that fits now.  A table that is to be merged probes
 * each mask, or the clusters it had, until new ones are filled. */
static void
form_update(struct tbl *t)
{
    enum tbl_kind kind = form_choose(t);
    struct tbl_set *old = t->now;

    if (kind == TBL_MERGED) {
        if (!t->next && (!t->now || tbl_set_is_bad(t->now)))
            (void) !tbl_set_begin(t);
        if (t->next)
            next_fill(t, t->n_heads <= TBL_FILL_SMALL ? UINT32_MAX
                                                      : TBL_FILL_STEP);
        if (!t->now)
            kind = TBL_HASH;
    } else {
        next_drop(t);
        t->now = NULL;
    }
    if (!form_is_current(t, kind))
        form_publish(t, kind);
    if (!t->now)
        tbl_set_put(t, old);
}

bool
tbl_work(struct tbl *t, uint32_t n_rules)
{
    bool more = false;

    if (t->next)
        next_fill(t, n_rules);
    else if (t->now)
        for (uint32_t i = 0; i < t->now->n; i++)
            more |= tbl_cluster_work(t, t->now->clusters[i], n_rules);
    return t->next || more;
}

struct tbl *
tbl_create(const struct tbl_env *env)
{
    struct tbl *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->env = *env;
    hash_key_init(&t->key, env->seed);
    base_hmap_init(&t->masks);
    atomic_init(&t->form, tbl_linear_build(t));
    return t;
}

void
tbl_mask_free(void *m_)
{
    struct tbl_mask *m = m_;
    struct tbl_ht *ht = atomic_load(&m->ht);

    tbl_ht_free(atomic_load(&ht->old));
    tbl_ht_free(ht);
    free(m);
}

void
tbl_destroy(struct tbl *t)
{
    struct base_hnode *node, *tmp;

    if (!t)
        return;
    BASE_HMAP_FOR_SAFE (node, tmp, &t->masks) {
        base_hmap_del(&t->masks, node);
        tbl_mask_free(WEFT_CONTAINER_OF(node, struct tbl_mask, node));
    }
    base_hmap_fini(&t->masks);
    tbl_set_free(t->now);
    tbl_set_free(t->next);
    free(form_of(t));
    free(t);
}

/* ------------------------------------------------------------------ masks */

static uint32_t
mask_hash(const struct flow_key *mask)
{
    return base_hash_bytes(mask, sizeof *mask, 0);
}

struct tbl_mask *
tbl_mask_create(const struct flow_key *mask)
{
    struct tbl_mask *m;

    BASE_NEW(m);
    m->mask = *mask;
    m->map = flow_mask_words(mask);
    for (uint32_t map = m->map; map; map &= map - 1) {
        m->idx[m->n] = (uint8_t) __builtin_ctz(map);
        m->bits[m->n] = flow_key_word(mask, m->idx[m->n]);
        m->n++;
    }
    atomic_init(&m->max_prio, -1);
    atomic_init(&m->ht, tbl_ht_create(1));
    if (!atomic_load(&m->ht)) {
        free(m);
        return NULL;
    }
    return m;
}

static struct tbl_mask *
mask_find(struct tbl *t, const struct flow_key *mask)
{
    struct tbl_mask *m = t->last_mask;
    struct base_hnode *node;

    if (m && !memcmp(&m->mask, mask, sizeof *mask))
        return m;
    node = base_hmap_first(&t->masks, mask_hash(mask));
    for (; node; node = base_hmap_next_same(node)) {
        m = WEFT_CONTAINER_OF(node, struct tbl_mask, node);
        if (!memcmp(&m->mask, mask, sizeof *mask)) {
            t->last_mask = m;
            return m;
        }
    }
    return NULL;
}

const struct tbl_mask *
tbl_mask_get(struct tbl *t, const struct flow_key *mask)
{
    struct tbl_mask *m = mask_find(t, mask);

    if (!m) {
        m = tbl_mask_create(mask);
        if (!m)
            return NULL;
        m->tbl = t;
        t->last_mask = m;
        base_hmap_add(&t->masks, &m->node, mask_hash(mask));
        t->memory += sizeof *m + tbl_ht_size(atomic_load(&m->ht));
    }
    m->refs++;
    return m;
}

void
tbl_mask_put(struct tbl *t, const struct tbl_mask *mask)
{
    struct tbl_mask *m = (struct tbl_mask *) mask;

    if (--m->refs)
        return;
    if (t->last_mask == m)
        t->last_mask = NULL;
    base_hmap_del(&t->masks, &m->node);
    t->memory -= sizeof *m + tbl_ht_size(atomic_load(&m->ht));
    t->env.defer(t->env.arg, tbl_mask_free, m);
}

uint32_t
tbl_mask_words(const struct tbl_mask *m)
{
    return m->map;
}

const struct flow_key *
tbl_mask_key(const struct tbl_mask *m)
{
    return &m->mask;
}

void *
tbl_mask_owner(const struct tbl_mask *m)
{
    return m->tbl->env.owner;
}

bool
tbl_mask_is_active(const struct tbl_mask *m)
{
    return m->n_heads;
}

static int32_t
max_prio(const struct tbl_mask *m)
{
    return atomic_load_explicit(&m->max_prio, memory_order_relaxed);
}

static void
max_prio_set(struct tbl_mask *m, int32_t prio)
{
    atomic_store_explicit(&m->max_prio, prio, memory_order_release);
}

void
tbl_mask_raise(struct tbl_mask *m, const struct tbl_rule *r)
{
    if (r->priority < max_prio(m))
        return;
    max_prio_set(m, r->priority);
    m->max_stale = false;
}

struct top {
    int32_t max;
    uint32_t n;
};

static void
top_of(void *arg, struct tbl_rule *r)
{
    struct top *top = arg;

    if (r->priority > top->max)
        *top = (struct top) { r->priority, 0 };
    top->n += r->priority == top->max;
}

/* The top rule may have gone.  Looking for the next one walks the whole hash
 * table, so it waits until a quarter of the rules has gone: until then
 * max_prio is only higher than need be, which costs probes, never truth. */
static void
max_refresh(struct tbl_mask *m)
{
    struct top top = { -1, 0 };

    m->n_removed++;
    if (!m->max_stale || m->n_removed <= m->n_heads / 4)
        return;
    tbl_ht_each(m, top_of, &top);
    max_prio_set(m, top.max);
    m->n_top = top.n;
    m->n_removed = 0;
    m->max_stale = false;
}

void
tbl_mask_lower(struct tbl_mask *m, const struct tbl_rule *gone)
{
    m->max_stale |= gone->priority == max_prio(m);
    max_refresh(m);
}

/* A head of a mask that is no cluster comes: among many of the same priority,
 * each may go without a search for the next one. */
static void
top_add(struct tbl_mask *m, const struct tbl_rule *r)
{
    if (r->priority > max_prio(m))
        m->n_top = 0;
    m->n_top += r->priority >= max_prio(m);
    tbl_mask_raise(m, r);
}

/* ... and goes. */
static void
top_del(struct tbl_mask *m, const struct tbl_rule *r)
{
    m->n_top -= r->priority == max_prio(m);
}

static void
union_add(struct flow_key *sum, const struct tbl_mask *m)
{
    for (unsigned i = 0; i < m->n; i++)
        flow_key_set_word(sum, m->idx[i],
                          flow_key_word(sum, m->idx[i]) | m->bits[i]);
}

/* The first rule of 'm' has come or its last one gone. */
static void
mask_activate(struct tbl *t, struct tbl_mask *m, bool on)
{
    t->n_active += on ? 1 : UINT32_MAX;
    if (!on)
        t->union_stale = true;
    else if (!t->union_stale)
        union_add(&t->union_mask, m);
}

void
tbl_union_mask(const struct tbl *t_, struct flow_key *mask)
{
    struct tbl *t = (struct tbl *) t_; /* Only what was put off. */
    struct base_hnode *node;

    if (t->union_stale) {
        memset(&t->union_mask, 0, sizeof t->union_mask);
        BASE_HMAP_FOR (node, &t->masks) {
            struct tbl_mask *m =
                WEFT_CONTAINER_OF(node, struct tbl_mask, node);

            if (m->n_heads)
                union_add(&t->union_mask, m);
        }
        t->union_stale = false;
    }
    *mask = t->union_mask;
}

/* ------------------------------------------------------------------ rules */

/* Workers may be walking the chain (tbl_lookup_accepted). */
static void
next_set(struct tbl_rule *r, struct tbl_rule *next)
{
    __atomic_store_n(&r->next, next, __ATOMIC_RELEASE);
}

/* The last rule of the chain of 'head' with at least this priority; 'head' has
 * it. */
static struct tbl_rule *
chain_find(struct tbl_rule *head, uint16_t priority)
{
    while (head->next && head->next->priority >= priority)
        head = head->next;
    return head;
}

/* Puts 'r' into the chain of 'head', which is not lower. */
static int
chain_add(struct tbl_rule *head, struct tbl_rule *r, struct tbl_rule **found)
{
    struct tbl_rule *at = chain_find(head, r->priority);

    if (found && at->priority == r->priority) {
        *found = at;
        return -EEXIST;
    }
    r->next = at->next;
    next_set(at, r);
    return 0;
}

/* A head is taken out of the clusters. */
static void
sets_del(struct tbl *t, struct tbl_rule *r)
{
    if (t->now)
        tbl_set_del(t, t->now, r);
    if (t->next)
        tbl_set_del(t, t->next, r);
}

/* 0 or -ENOMEM; of the next clusters memory only decides whether they are
 * given up. */
static int
sets_add(struct tbl *t, struct tbl_rule *r)
{
    r->pos = UINT32_MAX;
    if (t->now && tbl_set_add(t, t->now, r))
        return -ENOMEM;
    if (t->next && tbl_set_add(t, t->next, r))
        next_drop(t);
    return 0;
}

/* 'r' becomes a head, in place of 'below' unless that is NULL. */
static int
head_add(struct tbl *t, struct tbl_mask *m, struct tbl_rule *r,
         struct tbl_rule *below)
{
    r->next = below;
    if (sets_add(t, r))
        return -ENOMEM;
    if (below) {
        top_del(m, below);
        tbl_ht_replace(t, m, below, r);
        sets_del(t, below);
    } else if (tbl_ht_add(t, m, r)) {
        sets_del(t, r);
        return -ENOMEM;
    } else {
        t->n_heads++;
        if (m->n_heads == 1)
            mask_activate(t, m, true);
    }
    top_add(m, r);
    form_update(t);
    return 0;
}

int
tbl_insert(struct tbl *t, struct tbl_rule *r, struct tbl_rule **found)
{
    struct tbl_mask *m = (struct tbl_mask *) r->mask;
    struct tbl_rule *head;
    int err = 0;

    r->index = (uint32_t) hash_words(&t->key, r->values, m->n);
    head = tbl_ht_find(m, r);
    if (head && head->priority >= r->priority)
        err = chain_add(head, r, found);
    else
        err = head_add(t, m, r, head);
    t->n_rules += !err;
    return err;
}

void
tbl_expect(struct tbl *t, const struct flow_match *match)
{
    struct tbl_mask *m = mask_find(t, &match->mask);
    uint64_t values[FLOW_KEY_WORDS];

    if (!m)
        return;
    flow_key_pack(&match->key, &match->mask, m->map, values);
    tbl_ht_expect(m, (uint32_t) hash_words(&t->key, values, m->n));
}

struct tbl_rule *
tbl_find(struct tbl *t, uint16_t priority, const struct flow_match *match)
{
    struct tbl_mask *m = mask_find(t, &match->mask);
    uint64_t room[sizeof(struct tbl_rule) / 8 + FLOW_KEY_WORDS];
    struct tbl_rule *like = (struct tbl_rule *) (void *) room, *r;

    if (!m)
        return NULL;
    like->n_values = (uint8_t) flow_key_pack(&match->key, &match->mask,
                                             m->map, like->values);
    like->index = (uint32_t) hash_words(&t->key, like->values, m->n);
    r = tbl_ht_find(m, like);
    if (!r || r->priority < priority)
        return NULL;
    r = chain_find(r, priority);
    return r->priority == priority ? r : NULL;
}

struct each {
    tbl_rule_cb *cb;
    void *arg;
};

static void
each_chain(void *arg, struct tbl_rule *r)
{
    const struct each *e = arg;

    for (struct tbl_rule *next; r; r = next) {
        next = r->next;
        e->cb(e->arg, r);
    }
}

void
tbl_each(const struct tbl *t, tbl_rule_cb *cb, void *arg)
{
    struct each e = { cb, arg };
    const struct base_hnode *node;

    BASE_HMAP_FOR (node, &t->masks)
        tbl_ht_each(WEFT_CONTAINER_OF(node, struct tbl_mask, node), each_chain,
                    &e);
}

void
tbl_remove(struct tbl *t, struct tbl_rule *r)
{
    struct tbl_mask *m = (struct tbl_mask *) r->mask;
    struct tbl_rule *head = tbl_ht_find(m, r);

    t->n_rules--;
    if (head != r) {
        while (head->next != r)
            head = head->next;
        next_set(head, r->next);
        return;
    }
    if (r->next && sets_add(t, r->next))
        abort(); /* Cannot be: its group is there, 'r' is in it. */
    tbl_ht_replace(t, m, r, r->next);
    sets_del(t, r);
    if (!r->next) {
        t->n_heads--;
        if (!m->n_heads)
            mask_activate(t, m, false);
    }
    top_del(m, r);
    if (r->next)
        top_add(m, r->next);
    m->max_stale |= !m->n_top;
    max_refresh(m);
    form_update(t);
}

void
tbl_get_info(const struct tbl *t, struct tbl_info *info)
{
    static const char *const names[] = { "linear", "hash", "merged" };
    const struct tbl_form *f = form_of(t);
    const struct tbl_hash *h = (const struct tbl_hash *) f;
    struct tbl_cost cost;

    *info = (struct tbl_info) {
        .form = names[f->kind],
        .n_rules = t->n_rules,
        .n_masks = t->n_active,
        .memory = sizeof *t + f->size + t->memory
                  + tbl_set_bytes(t->now) + tbl_set_bytes(t->next),
    };
    switch (f->kind) {
    case TBL_LINEAR:
        info->max_probes = tbl_linear_probes(f);
        info->cheap = info->max_probes <= TBL_LINEAR_CHEAP;
        break;
    case TBL_HASH:
        for (uint32_t i = 0; i < h->n_masks; i++)
            info->max_probes += tbl_ht_probes(h->masks[i]) + 1;
        break;
    case TBL_MERGED:
        cost = tbl_set_cost(t->now);
        info->max_probes = cost.far;
        info->max_compares = cost.compares;
        break;
    }
}
