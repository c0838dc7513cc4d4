/* SPDX-License-Identifier: Apache-2.0 */
/* Bridges: tables, caches, balance, MACs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/chlog.h"
#include "datapath/dp_priv.h"
#include "datapath/group.h"
#include "datapath/meter.h"
#include "datapath/stage_fast.h"
#include "datapath/worker.h"
#include "utils/base/mem.h"

#define CACHE_JUDGE 1024  /* Lookups before a cache is judged ... */
#define CACHE_TRIAL (1u << 22) /* ... and misses: 64 per entry, or so many. */

static void
fc_free(void *fc)
{
    fc_destroy(fc);
}

static void
log_free(void *log)
{
    chlog_destroy(log);
}

/* ------------------------------------------------------------------- caches */

static void
key_or(struct flow_key *a, const struct flow_key *b)
{
    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
        flow_key_set_word(a, i, flow_key_word(a, i) | flow_key_word(b, i));
}

static bool
key_covers(const struct flow_key *wide, const struct flow_key *k)
{
    /* What the pipeline itself carries is never part of a cache key. */
    for (unsigned i = 0; i < FLOW_KEY_PACKET_WORDS; i++)
        if (flow_key_word(k, i) & ~flow_key_word(wide, i))
            return false;
    return true;
}

/* What rules and their actions look at, in_port always. */
static void
bridge_mask(struct dp_bridge *br, struct flow_key *m)
{
    memset(m, 0, sizeof *m);
    for (unsigned i = 0; i < DP_N_TABLES; i++) {
        struct dp_table *t = &br->tables[i];

        if (!t->tbl)
            continue;
        if (t->union_dirty) {
            tbl_union_mask(t->tbl, t->mask);
            t->union_dirty = false;
        }
        key_or(m, t->mask);
    }
    if (m->in_phy_port)
        m->in_port = UINT32_MAX;
    memset(&m->metadata, 0,
           sizeof *m - offsetof(struct flow_key, metadata));
    m->in_port = UINT32_MAX;
    if (br->n_vlan_acts) {
        m->vlan_tci |= be16_from(FLOW_VLAN_PRESENT);
        m->nw_flags |= FLOW_NW_MORE_VLAN;
    }
    if (br->n_frag_acts)
        m->nw_flags |= FLOW_NW_FRAG_LATER;
}

static uint32_t
cache_capacity(const struct dp *dp, uint32_t want)
{
    return WEFT_MIN(want, dp->cache_max);
}

/* A new, empty cache for one worker; without memory the worker goes without. */
static void
cache_replace(struct dp_bridge *br, unsigned worker, uint32_t capacity)
{
    struct bridge_pw *bp = br->pw[worker];
    struct fc *old = bp->fc, *fc = NULL;
    struct dp_cache_stats s;

    if (old) {
        fc_get_stats(old, &s);
        bp->gone.hits += s.hits;
        bp->gone.misses += s.misses;
        bp->gone.inserts += s.inserts;
        bp->gone.evictions += s.evictions;
    }
    memset(&bp->last, 0, sizeof bp->last);
    __atomic_store_n(&bp->bypass, 0, __ATOMIC_RELAXED);
    if (br->dp->cache_max > 1)
        fc = fc_create(&br->cache_mask, capacity, br->dp->seed);
    if (fc)
        fc_set_log(fc, br->log);
    dp_publish(&bp->fc, fc);
    if (old)
        rcu_defer(br->dp->rcu, fc_free, old);
}

/* The caches' next log; those that use the old one are to be proven again.
 * Before new caches are published, or the generation. */
static void
log_replace(struct dp_bridge *br, struct chlog *log)
{
    struct chlog *old = br->log;

    br->log = log;
    if (old)
        rcu_defer(br->dp->rcu, log_free, old);
}

static void
caches_renew(struct dp_bridge *br, const struct flow_key *mask)
{
    br->cache_mask = *mask;
    if (!br->dp->no_chlog)
        log_replace(br, chlog_create(mask, br->dp->seed, br->gen));
    for (unsigned i = 0; i < br->dp->n_workers; i++) {
        struct dp_cache_stats s = { .capacity = DP_CACHE_MIN };

        if (br->pw[i]->fc)
            fc_get_stats(br->pw[i]->fc, &s);
        cache_replace(br, i, cache_capacity(br->dp, s.capacity));
    }
}

void
dp_bridge_need_mask(struct dp_bridge *br, const struct flow_key *mask)
{
    if (mask->actset_output)
        __atomic_store_n(&br->match_actset, 1, __ATOMIC_RELAXED);
    if (!br->cache_off && !key_covers(&br->cache_mask, mask))
        __atomic_store_n(&br->cache_off, 1, __ATOMIC_SEQ_CST);
}

/* The log has no room for a shape: another one, for all caches. */
static void
log_grow(struct dp_bridge *br, const struct flow_key *mask)
{
    struct chlog *log = chlog_next(br->log, mask, br->dp->seed, br->gen + 1);

    for (unsigned i = 0; i < br->dp->n_workers; i++)
        if (br->pw[i]->fc)
            fc_set_log(br->pw[i]->fc, log);
    log_replace(br, log);
}

void
dp_bridge_log(struct dp_bridge *br, uint8_t table, const struct tbl_rule *tr)
{
    struct flow_match m = { .mask = *tbl_mask_key(tr->mask) };

    br->dirty_rules = true;
    if (!br->log)
        return;
    flow_key_unpack(&m.key, tbl_mask_words(tr->mask), tr->values);
    for (unsigned i = 0; table && i < FLOW_KEY_PACKET_WORDS; i++) {
        uint64_t keep = ~flow_key_word(&br->rewritten, i);

        flow_key_set_word(&m.mask, i, flow_key_word(&m.mask, i) & keep);
        flow_key_set_word(&m.key, i, flow_key_word(&m.key, i) & keep);
    }
    if (!chlog_add(br->log, &m.mask, &m.key, br->gen + 1))
        log_grow(br, &m.mask);
}

/* Order: a worker that sees the new generation sees the new caches; a worker
 * that sees 'cache_off' clear sees caches with a sufficient mask. */
void
dp_bridge_commit(struct dp_bridge *br)
{
    /* Nor may the floor ever seem to be ahead. */
    if (br->log
        && (br->dirty || br->gen + 1 - br->log->floor > UINT32_MAX / 4))
        chlog_add_all(br->log, br->gen + 1);
    br->dirty = br->dirty_rules = false;
    if (br->cache_off) {
        struct flow_key mask;

        bridge_mask(br, &mask);
        caches_renew(br, &mask);
    }
    dp_publish(&br->gen, br->gen + 1);
    __atomic_store_n(&br->cache_off, 0, __ATOMIC_RELEASE);
}

/* Is table 0 all there is, and a lookup in it cheaper than in a cache? */
static bool
tables_cheap(const struct dp_bridge *br)
{
    struct tbl_info i;

    for (unsigned t = 1; t < DP_N_TABLES; t++)
        if (br->tables[t].n_rules)
            return false;
    if (!br->tables[0].tbl)
        return true;
    tbl_get_info(br->tables[0].tbl, &i);
    return i.cheap;
}

/* Most lookups miss and most misses evict: what is inserted is gone before it
 * is seen again, and the cache had time to find out that a larger one would
 * not help either.  Ends when a quarter of the lookups, then of a sample, hit.
 * A cache before cheap tables only costs, whatever it hits. */
static void
cache_judge(struct bridge_pw *bp, const struct dp_cache_stats *s, bool cheap)
{
    uint64_t hits = s->hits - bp->last.hits;
    uint64_t misses = s->misses - bp->last.misses;
    uint64_t evictions = s->evictions - bp->last.evictions;
    bool churns;

    if (hits + misses < CACHE_JUDGE)
        return;
    bp->last = *s;
    churns = hits < misses / 8 && evictions > misses / 4
             && s->misses > WEFT_MIN(64 * s->capacity, CACHE_TRIAL);
    if (bp->bypass ? hits >= misses / 3 && !cheap : churns || cheap)
        __atomic_store_n(&bp->bypass, !bp->bypass, __ATOMIC_RELAXED);
}

#define HOUSE_RULES 4096 /* Moved to better clusters in one go, a few ms. */

static void
macs_retire(void *table)
{
    mac_destroy(table);
}

#define MAC_SWEEP 50 /* Rounds to look for aged addresses once: 5 s. */

/* Aged addresses go; a table that fills becomes a larger one. */
static void
macs_house(struct dp_bridge *br)
{
    struct mac_table *t = br->macs, *g;

    mac_sweep(t, dp_tick_now(br->dp), 1 + t->mask / MAC_SWEEP);
    g = mac_grown(t);
    if (!g)
        return;
    dp_publish(&br->macs, g);
    rcu_defer(br->dp->rcu, macs_retire, t);
}

/* Every 100 ms: larger caches where wanted, a narrower mask when rules went. */
void
dp_bridge_house(struct dp_bridge *br)
{
    struct dp *dp = br->dp;
    bool narrow = false, cheap = tables_cheap(br);

    macs_house(br);
    for (unsigned i = 0; i < DP_N_TABLES; i++) {
        narrow |= br->tables[i].union_dirty;
        if (br->tables[i].tbl)
            (void) tbl_work(br->tables[i].tbl, HOUSE_RULES);
    }
    if (narrow && !dp_bridge_is_dirty(br)) {
        struct flow_key mask;

        bridge_mask(br, &mask);
        if (!key_covers(&mask, &br->cache_mask))
            caches_renew(br, &mask);
    }
    for (unsigned i = 0; i < dp->n_workers; i++) {
        struct dp_cache_stats s;

        if (!br->pw[i]->fc)
            continue;
        fc_get_stats(br->pw[i]->fc, &s);
        if (s.capacity < dp->cache_max && !cheap
            && fc_wants_growth(br->pw[i]->fc))
            cache_replace(br, i, cache_capacity(dp, 4 * s.capacity));
        else
            cache_judge(br->pw[i], &s, cheap);
    }
}

/* ------------------------------------------------------------ life cycle */

static void
bridge_free(void *p)
{
    struct dp_bridge *br = p;

    for (unsigned i = 0; i < DP_N_TABLES; i++) {
        tbl_destroy(br->tables[i].tbl);
        free(br->tables[i].mask);
    }
    for (unsigned i = 0; i < DP_MAX_WORKERS; i++) {
        if (br->pw[i])
            fc_destroy(br->pw[i]->fc);
        free(br->pw[i]);
    }
    dp_groups_free(br);
    for (unsigned i = 0; i < WEFT_ARRAY_LEN(br->rules); i++)
        if (br->rules[i].size)
            base_slab_fini(&br->rules[i]);
    acts_destroy(br);
    dp_meters_free(br);
    mac_destroy(br->macs);
    chlog_destroy(br->log);
    free(br->resets);
    free(br->flood);
    free(br->ports);
    free(br);
}

int
dp_bridge_add(struct dp *dp, const char *name, void *owner,
              struct dp_bridge **out, struct weft_err *e)
{
    struct dp_bridge *br;
    struct flow_key mask;

    BASE_LIST_FOR(br, &dp->bridges, node)
        if (!strcmp(br->name, name))
            return weft_err_set(e, -EEXIST, "bridge %s exists already", name);
    if (strlen(name) >= sizeof br->name || !*name)
        return weft_err_set(e, -EINVAL,
                            "bridge name %s: 1 to %zu characters are allowed",
                            name, sizeof br->name - 1);
    BASE_NEW(br);
    br->dp = dp;
    br->owner = owner;
    snprintf(br->name, sizeof br->name, "%s", name);
    base_hmap_init(&br->acts);
    base_list_init(&br->metered_acts);
    base_list_init(&br->watchers);
    br->egress = DP_NO_TABLE;
    br->ports = calloc(DP_PORT_MAX + 1, sizeof br->ports[0]);
    br->macs = mac_create(MAC_BUCKETS, dp->seed);
    BASE_NEW(br->flood);
    for (unsigned i = 0; i < DP_N_TABLES; i++) {
        br->tables[i].br = br;
        br->tables[i].id = (uint8_t) i;
        br->tables[i].miss = DP_MISS_DROP;
    }
    for (unsigned i = 0; i < dp->n_workers; i++) {
        br->pw[i] = aligned_alloc(64, (sizeof *br->pw[i] + 63) / 64 * 64);
        if (br->pw[i])
            memset(br->pw[i], 0, sizeof *br->pw[i]);
    }
    if (!br->ports || !br->macs || dp_meters_init(br)
        || !br->pw[dp->n_workers - 1]) {
        bridge_free(br);
        return weft_err_set(e, -ENOMEM, "bridge %s: out of memory", name);
    }
    bridge_mask(br, &mask);
    caches_renew(br, &mask);
    base_list_add_tail(&dp->bridges, &br->node);
    *out = br;
    return 0;
}

void
dp_bridge_del(struct dp_bridge *br)
{
    struct dp *dp;
    uint32_t no;

    if (!br)
        return;
    dp = br->dp;
    dp_commit(dp); /* Packet-outs and punts of it go first. */
    while ((no = dp_port_next(br, 0)))
        if (dp_port_del(br, no, NULL))
            break;
    if (br->txn) /* Whatever it was to become. */
        dp_txn_drop(br);
    dp_bridge_commit(br);
    rcu_release(dp->rcu);
    rcu_wait(dp->rcu);
    dp_punts_deliver(dp, UINT32_MAX); /* They name the bridge. */
    base_list_del(&br->node);
    rcu_defer(dp->rcu, bridge_free, br);
}

/* ------------------------------------------------------------------ tables */

void
dp_table_set_miss(struct dp_bridge *br, uint8_t table, enum dp_miss miss)
{
    if (table >= DP_N_TABLES || br->tables[table].miss == (uint8_t) miss)
        return;
    __atomic_store_n(&br->tables[table].miss, (uint8_t) miss,
                     __ATOMIC_RELAXED);
    br->dirty = true;
}

int
dp_bridge_set_egress(struct dp_bridge *br, uint8_t first)
{
    if (!first || (first >= DP_N_TABLES && first != DP_NO_TABLE))
        return -EINVAL;
    if (br->egress == first)
        return 0;
    __atomic_store_n(&br->egress, first, __ATOMIC_RELAXED);
    br->dirty = true;
    return 0;
}

void
dp_table_get(struct dp_bridge *br, uint8_t table, struct dp_table_info *out)
{
    const struct dp_table *t;

    memset(out, 0, sizeof *out);
    if (table >= DP_N_TABLES)
        return;
    t = &br->tables[table];
    out->n_rules = t->n_rules;
    snprintf(out->form, sizeof out->form, "empty");
    if (t->tbl) {
        struct tbl_info i;

        tbl_get_info(t->tbl, &i);
        snprintf(out->form, sizeof out->form, "%s", i.form);
        out->max_probes = i.max_probes;
        out->memory = i.memory;
    }
    tally_fresh(br->dp);
    out->lookups = br->walked[table].lookups;
    out->matches = br->walked[table].matches;
    for (unsigned i = 0; i < br->dp->n_workers; i++) {
        out->lookups += dp_read(br->pw[i]->tables[table].lookups);
        out->matches += dp_read(br->pw[i]->tables[table].matches);
    }
}

void
dp_bridge_set_ttl_punt(struct dp_bridge *br, bool on)
{
    __atomic_store_n(&br->ttl_punt, on, __ATOMIC_RELAXED);
}

void
dp_bridge_set_frag_drop(struct dp_bridge *br, bool on)
{
    __atomic_store_n(&br->frag_drop, on, __ATOMIC_RELAXED);
}

/* ------------------------------------------------------------- information */

void
dp_bridge_get_balance(struct dp_bridge *br, struct dp_balance *out)
{
    memset(out, 0, sizeof *out);
    for (unsigned w = 0; w < br->dp->n_workers; w++) {
        const struct dp_balance *b = &br->pw[w]->bal;

        out->received += dp_read(b->received);
        out->injected += dp_read(b->injected);
        out->copied += dp_read(b->copied);
        out->sent += dp_read(b->sent);
        out->punted += dp_read(b->punted);
        out->consumed += dp_read(b->consumed);
        for (unsigned i = 0; i < N_DROP_REASONS; i++)
            out->dropped[i] += dp_read(b->dropped[i]);
    }
}

struct mac_show {
    const struct dp_bridge *br;
    dp_mac_cb *cb;
    void *arg;
};

static void
mac_show(void *arg, const struct dp_mac_info *m)
{
    const struct mac_show *s = arg;
    const struct dp_port *p = dp_bridge_port(s->br, m->port_no);
    struct dp_mac_info info = *m;

    if (p && p->peers)
        info.remote = peers_at(p->peers, m->peer);
    s->cb(s->arg, &info);
}

bool
dp_mac_dump(struct dp_bridge *br, size_t *at, size_t n, dp_mac_cb *cb,
            void *arg)
{
    struct mac_show s = { br, cb, arg };

    return mac_dump(br->macs, dp_tick_now(br->dp), at, n, mac_show, &s);
}

void
dp_bridge_set_macs(struct dp_bridge *br, uint32_t age_s, uint32_t limit)
{
    struct mac_table *t = br->macs;

    age_s = WEFT_MIN(age_s, DP_MAC_AGE_MAX);
    __atomic_store_n(&t->age_ticks, age_s ? age_s * 4 : MAC_AGE_TICKS,
                     __ATOMIC_RELAXED);
    __atomic_store_n(&t->limit, limit ? limit : MAC_LIMIT, __ATOMIC_RELAXED);
}

void
dp_mac_get_stats(struct dp_bridge *br, struct dp_mac_stats *s)
{
    const struct mac_table *t = br->macs;

    *s = (struct dp_mac_stats) {
        .n = __atomic_load_n(&t->n, __ATOMIC_RELAXED),
        .limit = t->limit,
        .age_s = t->age_ticks / 4,
        .moves = __atomic_load_n(&t->moves, __ATOMIC_RELAXED),
        .refused = __atomic_load_n(&t->refused, __ATOMIC_RELAXED),
    };
}

void
dp_mac_flush(struct dp_bridge *br)
{
    mac_flush(br->macs);
}

void
dp_bridge_update_flood(struct dp_bridge *br)
{
    struct dp_port_list *old = br->flood, *l;
    struct dp_port *p;
    unsigned n = 0;

    BASE_LIST_FOR(p, &br->dp->ports, node)
        n += p->br == br;
    l = base_xmalloc(sizeof *l + n * sizeof l->p[0]);
    l->n = 0;
    BASE_LIST_FOR(p, &br->dp->ports, node)
        if (p->br == br)
            l->p[l->n++] = p;
    dp_publish(&br->flood, l);
    rcu_defer(br->dp->rcu, free, old);
}

/* The worker may not have looked since: its epoch, read behind the stamp,
 * must be the one that the floor was set for. */
bool
dp_cache_holds(const struct dp_bridge *br, unsigned w,
               const struct flow_key *key, uint32_t stamp)
{
    const struct bridge_pw *bp = br->pw[w];
    uint32_t epoch = dp_load(&bp->seen_epoch);
    uint32_t gen = stamp - epoch;

    if (dp_bridge_is_dirty(br) || epoch != dp_load(&br->dp->workers[w]->epoch)
        || (int32_t) (stamp - dp_read(bp->floor)) < 0)
        return false;
    return gen == br->gen
           || (br->log && chlog_holds_key(br->log, key, gen));
}

struct cache_dump {
    struct dp_bridge *br;
    unsigned worker;
    dp_cache_cb *cb;
    void *arg;
};

/* The program's ops, if what leads there makes sense.  A worker empties its
 * arena when it likes: what lies there may be of another program by now, or
 * half of one, so pointers that come from there are followed inside it
 * alone.  Any other program is a rule's, which only control frees. */
static const uint64_t *
safe_ops(const struct worker *w, const struct prog *p, uint32_t *n)
{
    const struct arena *a = arena_of(&w->arena, p, sizeof *p);
    const struct prog_code *code = dp_load(&p->code);
    const uint64_t *ops;

    if (a && arena_of(&w->arena, code, sizeof *code) != a)
        return NULL;
    ops = dp_load(&code->ops);
    *n = dp_read(code->n_words);
    if (*n > PROG_MAX_WORDS
        || (a && arena_of(&w->arena, ops, 8ul * *n) != a))
        return NULL;
    return ops;
}

/* Ops of a program as the upper layers know them: what only a program has is
 * left out.  Returns the number of words, at most 'max'. */
static uint32_t
visible_ops(const struct worker *w, const struct prog *p, uint64_t *out,
            uint32_t max)
{
    uint64_t words[PROG_MAX_WORDS];
    uint32_t n = 0, n_words, len;
    const uint64_t *ops = safe_ops(w, p, &n_words);

    if (!ops)
        return 0;
    memcpy(words, ops, 8ul * n_words);
    for (uint32_t at = 0; at < n_words; at += len) {
        struct dp_op *op = (struct dp_op *) (void *) (words + at);

        len = op->words;
        if (!len || len > n_words - at)
            break;
        if (op->code == PROG_OP_EGRESS)
            continue;
        if (op->code >= N_DP_OPS)
            break;
        if (op->code != DP_OP_SET_FIELD)
            op->words = 1; /* Without context. */
        if (n + op->words > max)
            break;
        memcpy(out + n, op, 8ul * op->words);
        n += op->words;
    }
    return n;
}

static void
cache_dump_one(void *arg, const struct flow_key *key, const struct prog *prog,
               uint32_t stamp, uint64_t packets)
{
    struct cache_dump *d = arg;
    uint64_t words[256];
    struct flow_match m = { .key = *key };
    struct dp_op_list ops = { .ops = (const struct dp_op *) (void *) words };
    bool holds = dp_cache_holds(d->br, d->worker, key, stamp);

    fc_get_mask(d->br->pw[d->worker]->fc, &m.mask);
    /* Only what is proven now is known to point to a program. */
    if (holds && prog)
        ops.n_words = visible_ops(d->br->dp->workers[d->worker], prog,
                                  words, WEFT_ARRAY_LEN(words));

    const struct dp_cache_info info = {
        .worker = d->worker, .match = &m, .ops = ops, .packets = packets,
        .valid = holds,
    };
    d->cb(d->arg, &info);
}

bool
dp_cache_dump(struct dp_bridge *br, struct dp_cache_cursor *at, unsigned n,
              dp_cache_cb *cb, void *arg)
{
    struct cache_dump d = { br, at->worker, cb, arg };

    if (at->worker >= br->dp->n_workers)
        return false;
    if (!br->pw[at->worker]->fc || dp_bridge_is_dirty(br)
        || !fc_dump(br->pw[at->worker]->fc, &at->at, &at->seen, n,
                    cache_dump_one, &d))
        *at = (struct dp_cache_cursor) { .worker = at->worker + 1 };
    return at->worker < br->dp->n_workers;
}

int
dp_worker_get(struct dp *dp, unsigned i, struct dp_worker_info *out)
{
    const struct worker *w;
    struct dp_bridge *br;

    if (i >= dp->n_workers)
        return -ENOENT;
    w = dp->workers[i];
    memset(out, 0, sizeof *out);
    out->id = i;
    out->core = w->core;
    out->iterations = dp_read(w->iterations);
    out->packets = dp_read(w->packets);
    out->busy_cycles = dp_read(w->busy_cycles);
    out->idle_cycles = dp_read(w->idle_cycles);
    out->longest_cycles = dp_read(w->longest);
    out->tsc_hz = dp->tsc_hz;
    out->n_ports = w->ports->n;
    out->n_rxqs = w->rxqs->n;
    out->n_moves = dp->n_moves;
    BASE_LIST_FOR(br, &dp->bridges, node) {
        struct dp_cache_stats s;

        if (!br->pw[i]->fc)
            continue;
        fc_get_stats(br->pw[i]->fc, &s);
        out->cache.hits += s.hits + br->pw[i]->gone.hits;
        out->cache.misses += s.misses + br->pw[i]->gone.misses;
        out->cache.stale += dp_read(br->pw[i]->stale);
        out->cache.kept += dp_read(br->pw[i]->kept);
        out->cache.inserts += s.inserts + br->pw[i]->gone.inserts;
        out->cache.evictions += s.evictions + br->pw[i]->gone.evictions;
        out->cache.entries += s.entries;
        out->cache.capacity += s.capacity;
        out->cache.memory += s.memory;
    }
    return 0;
}

void
dp_workers_reset_longest(struct dp *dp)
{
    for (unsigned i = 0; i < dp->n_workers; i++)
        __atomic_store_n(&dp->workers[i]->longest_reset, 1, __ATOMIC_RELAXED);
}
